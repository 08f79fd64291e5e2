//! One connection: what waits for it, what it says, and how it ends. Nothing here waits: a full socket, a long answer or a command
//! under way is gone on with when there is room again.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use mio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{self, Message};

use super::super::codes::Code;
use super::super::frame::{Frame, goodbye};
use super::super::hub::Registration;
use super::super::limits::LiveLimits;
use super::super::upgrade::{Arrival, LiveIdentity};
use super::Room;
use super::job::Job;
use super::rate::Rate;
use super::wire::Wire;

/// Messages of one client that are taken before others have their turn.
const MESSAGES_A_TURN: usize = 32;
/// Bytes of the read buffer of each connection: phones say little, and there are many. It grows with a message, up to its limit.
const READ_BUFFER: usize = 256;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The other side is gone: nothing can be said any more.
    Gone,
    /// It is told why.
    Close(Code),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// How far a goodbye has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Commands under way are answered first.
    Settling(Code),
    /// It was said; the other side has time to read it.
    Said,
}

/// Events that wait, for a client that may say from where it resumes, or for one that is being told what it missed.
#[derive(Debug, Default)]
pub(super) struct Held {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Held {
    /// Takes an event; false when there is no room for it.
    pub(super) fn take_in(&mut self, frame: &Frame, limits: &LiveLimits) -> bool {
        self.bytes += frame.bytes().len();
        self.frames.push_back(frame.clone());
        self.frames.len() <= limits.queue_frames && self.bytes <= limits.queue_bytes
    }
}

/// One connection.
pub(super) struct Connection {
    pub(super) registration: Registration,
    pub(super) who: LiveIdentity,
    pub(super) wire: Wire,
    protocol: WebSocketContext,
    /// Until the client said from where it resumes, and was told what it missed.
    held: Option<Held>,
    /// What is told bit by bit, as the socket takes it. Nothing is read meanwhile.
    pub(super) job: Option<Job>,
    /// Changes of the map, sent when nothing else waits: replaced by none until they were taken, so at most one set waits.
    map: Option<Arc<[Frame]>>,
    pub(super) map_taken: Arc<AtomicBool>,
    /// Commands that wait for their answers.
    pub(super) answers: usize,
    heard_at: Instant,
    pub(super) resumed: bool,
    pub(super) bad_frames: u32,
    pub(super) rate: Rate,
    ending: Option<Ending>,
    /// Until when that may take.
    ends_at: Instant,
    /// What it says cannot be read any more: the library is not to be asked again after an error.
    unreadable: bool,
}

impl Connection {
    /// A connection that has come, with what was said for it meanwhile; its hello is the first thing to go out.
    pub(super) fn new(arrival: Arrival, held: Held, room: &Room<'_>) -> Self {
        let Arrival { who, registration, hello, socket, said } = arrival;
        let limits = room.hub.limits();
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(limits.message_max_bytes))
            .max_frame_size(Some(limits.message_max_bytes));
        let mut wire = Wire::new(TcpStream::from_std(socket));
        wire.queue(hello.bytes().clone());
        Self {
            registration,
            who,
            wire,
            protocol: WebSocketContext::from_partially_read(said.to_vec(), Role::Server, Some(config)),
            held: Some(held),
            job: None,
            map: None,
            map_taken: Arc::new(AtomicBool::new(true)),
            answers: 0,
            heard_at: room.now,
            resumed: false,
            bad_frames: 0,
            rate: Rate::new(limits.commands_per_s, room.now),
            ending: None,
            ends_at: room.now,
            unreadable: false,
        }
    }

    /// Takes an event: written with those that waited for it where it is the last that comes now, and at once where it is the only one.
    pub(super) fn hear(&mut self, frame: &Frame, is_last: bool, room: &Room<'_>) -> Result<(), End> {
        let limits = room.hub.limits();
        if self.ending.is_some() {
            return Ok(());
        }
        if let Some(held) = &mut self.held {
            return if held.take_in(frame, limits) { Ok(()) } else { Err(End::Close(Code::SlowReader)) };
        }
        // What is told bit by bit goes on, with this in its turn, when the socket takes more.
        if is_last && self.job.is_none() {
            self.wire.send(frame.bytes(), room.now)?;
        } else {
            self.wire.queue(frame.bytes().clone());
        }
        self.check_room(limits, room.now)
    }

    /// Too much waits only where the socket does not take it.
    fn check_room(&mut self, limits: &LiveLimits, now: Instant) -> Result<(), End> {
        let fits =
            |wire: &Wire| wire.waiting_frames() <= limits.queue_frames && wire.waiting_bytes() <= limits.queue_bytes;
        if fits(&self.wire) {
            return Ok(());
        }
        self.wire.flush(now)?;
        if fits(&self.wire) { Ok(()) } else { Err(End::Close(Code::SlowReader)) }
    }

    /// Takes changes of the map.
    pub(super) fn take_map(&mut self, frames: Arc<[Frame]>) {
        self.map = Some(frames);
    }

    /// Leaves a word for the client.
    pub(super) fn say(&mut self, frame: &Frame) {
        self.wire.queue(frame.bytes().clone());
    }

    /// Takes the answer to a command.
    pub(super) fn answer(&mut self, frame: &Frame, room: &Room<'_>) -> Result<bool, End> {
        self.answers = self.answers.saturating_sub(1);
        if self.ending == Some(Ending::Said) {
            return Ok(false);
        }
        self.say(frame);
        if let Some(Ending::Settling(code)) = self.ending
            && self.answers == 0
        {
            return Err(End::Close(code));
        }
        self.advance(room)
    }

    /// Goes on with all that can be gone on with: what waits is written, what the client said is taken. `true` when there is more
    /// to read, but others have their turn first.
    pub(super) fn advance(&mut self, room: &Room<'_>) -> Result<bool, End> {
        if self.ending.is_some() {
            return self.part(room.now).map(|()| false);
        }
        for _ in 0..MESSAGES_A_TURN {
            self.pump(room)?;
            if self.job.is_some() || self.answers >= room.hub.limits().commands_waiting_max {
                return Ok(false);
            }
            match self.protocol.read(&mut self.wire) {
                Ok(message) => self.message(message, room)?,
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => {
                    self.unreadable = true;
                    return Err(end_of(&error));
                }
            }
        }
        Ok(true)
    }

    /// Writes what waits, and what comes behind it, for as long as the socket takes it.
    pub(super) fn pump(&mut self, room: &Room<'_>) -> Result<(), End> {
        loop {
            self.wire.flush(room.now)?;
            if self.wire.waiting_frames() > 0 {
                return self.check_room(room.hub.limits(), room.now);
            }
            if !self.refill(room) {
                return Ok(());
            }
        }
    }

    /// Leaves the next bit of what is told bit by bit; false when there is none.
    fn refill(&mut self, room: &Room<'_>) -> bool {
        if let Some(mut job) = self.job.take() {
            let (frames, ended) = job.next(self, room);
            for frame in &frames {
                self.say(frame);
            }
            if !ended {
                self.job = Some(job);
            } else if job.is_resume() {
                self.release();
            }
            return true;
        }
        let Some(map) = self.map.take() else { return false };
        for frame in map.iter() {
            self.say(frame);
        }
        self.map_taken.store(true, Ordering::Release);
        true
    }

    /// Events are no longer held back.
    pub(super) fn release(&mut self) {
        for frame in self.held.take().unwrap_or_default().frames {
            self.say(&frame);
        }
    }

    /// The client had its time to say from where it resumes. What it is being told already is told to the end.
    pub(super) fn release_in_time(&mut self, room: &Room<'_>) -> Result<bool, End> {
        if self.job.as_ref().is_none_or(|job| !job.is_resume()) {
            self.release();
        }
        self.advance(room)
    }

    fn message(&mut self, message: Message, room: &Room<'_>) -> Result<(), End> {
        self.heard_at = room.now;
        match message {
            Message::Text(text) => self.said(text.as_str(), room),
            Message::Binary(_) => Err(End::Close(Code::NotText)),
            // The library answers pings and close frames by itself.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Asks whether the client is there, and finds out when it is not.
    pub(super) fn heartbeat(&mut self, ping: &Frame, room: &Room<'_>) -> Result<bool, End> {
        // Whoever waits for an answer is not silent: it is the server that owes a word.
        if self.answers == 0 && room.now - self.heard_at >= room.hub.limits().idle_timeout {
            // After a standstill of this machine every clock has run out at once: what was said meanwhile counts.
            self.wire.readable(false);
            self.advance(room)?;
            if self.heard_at < room.now {
                return Err(End::Close(Code::Silent));
            }
        }
        if self.who.good_until.is_some_and(|until| until <= room.muster.now()) {
            return Err(End::Close(Code::SignedOut));
        }
        self.say(ping);
        self.advance(room)
    }

    /// Says goodbye; false where answers are waited for first.
    pub(super) fn goodbye(&mut self, code: Code, room: &Room<'_>) -> Result<bool, End> {
        let was_settling = matches!(self.ending, Some(Ending::Settling(_)));
        self.ends_at = room.now + room.hub.limits().close_timeout;
        match code {
            Code::SlowReader => {
                room.hub.count_slow_reader();
                (self.held, self.job, self.map) = (None, None, None);
                self.wire.let_go();
            }
            Code::ComeBack => self.release(),
            _ => {}
        }
        if code == Code::ComeBack && self.answers > 0 && !was_settling {
            self.ending = Some(Ending::Settling(code));
            self.wire.flush(room.now)?;
            return Ok(false);
        }
        self.ending = Some(Ending::Said);
        let frame = goodbye(code, self.registration.id, room.hub.limits().reconnect_spread);
        self.protocol.close(&mut self.wire, Some(frame)).map_err(|_| End::Gone)?;
        Ok(true)
    }

    /// Whether it is being ended.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// A goodbye, or the answers before it, may have had their time: it is said now, or all is over. What fell due for the answers does
    /// not cut short the goodbye that followed them.
    pub(super) fn goodbye_in_time(&mut self, now: Instant) -> Result<bool, End> {
        if now < self.ends_at {
            return Ok(false);
        }
        match take(&mut self.ending) {
            Some(Ending::Settling(code)) => {
                // Cut short, commands go unanswered: the client repeats them under their ids.
                self.answers = 0;
                Err(End::Close(code))
            }
            _ => Err(End::Gone),
        }
    }

    /// Writes what is left, and waits until the other side has closed, too.
    fn part(&mut self, now: Instant) -> Result<(), End> {
        self.wire.flush(now)?;
        if self.ending != Some(Ending::Said) {
            return Ok(());
        }
        for _ in 0..MESSAGES_A_TURN {
            if self.unreadable {
                break;
            }
            match self.protocol.read(&mut self.wire) {
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if matches!(end_of(&error), End::Close(_)) => self.unreadable = true,
                Err(_) => return Err(End::Gone),
            }
        }
        // Read past, so that the other side hears our last word rather than a reset.
        self.unreadable = true;
        if self.wire.read_past()? { Err(End::Gone) } else { Ok(()) }
    }
}

/// What a failed read says of the other side.
fn end_of(error: &tungstenite::Error) -> End {
    use tungstenite::Error;
    use tungstenite::error::ProtocolError;
    match error {
        Error::Capacity(_) => End::Close(Code::TooBig),
        Error::Utf8(_) => End::Close(Code::BadUtf8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(_) => End::Close(Code::Protocol),
        _ => End::Gone,
    }
}
