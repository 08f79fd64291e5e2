//! One connection: the task that writes what waits for it, reads what the client says, and answers.
//!
//! Reading and writing alternate in one task: a write is never cancelled half-way, and while it lasts nothing is read. Whoever does
//! not read loses the connection, never delays others.

mod dialogue;
mod rate;

use std::pin::Pin;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use crate::city::City;
use crate::domain::actor::{Actor, Giver};
use crate::domain::area::AreaLevel;
use crate::domain::ids::CommandId;
use crate::domain::time::Timestamp;
use crate::engine::Answer;
use crate::runtime::Muster;

use super::codes::Code;
use super::frame::{CommandAnswer, Frame, Hello, MyCompound, PROTOCOL, ServerFrame, rfc3339};
use super::hub::{Hub, Registration};
use super::limits::LiveLimits;
use rate::Rate;

/// Who is on a connection.
#[derive(Debug, Clone)]
pub struct LiveIdentity {
    /// In whose name commands are given and events are heard.
    pub actor: Actor,
    /// When the session or link ends; the connection is closed then.
    pub good_until: Option<Timestamp>,
}

/// What connections stand on. Cheap to clone.
#[derive(Clone)]
pub struct LiveParts {
    /// Who hears what.
    pub hub: Hub,
    /// The running city.
    pub muster: Muster,
}

impl LiveParts {
    /// Starts what the live part does by itself: gathering receipts and flushing the map. Called once, inside the runtime.
    pub fn start(hub: Hub, muster: Muster) -> Self {
        tokio::spawn(hub.clone().drive_receipts(muster.clone()));
        tokio::spawn(hub.clone().drive_map(muster.clone()));
        Self { hub, muster }
    }
}

/// How a connection ends.
enum End {
    /// The other side is gone: nothing can be said any more.
    Gone,
    /// It is told why.
    Close(Code),
}

type Waiting = Pin<Box<dyn Future<Output = (CommandId, Answer)> + Send>>;

/// What the task wakes up for.
enum Step {
    Close(Code),
    Answer(CommandId, Answer),
    Message(Option<Result<Message, axum::Error>>),
    Release,
    Drain,
    Heartbeat,
}

struct Connection {
    socket: WebSocket,
    who: LiveIdentity,
    parts: LiveParts,
    registration: Registration,
    /// Commands that wait for their answers.
    answers: FuturesUnordered<Waiting>,
    heartbeat: Interval,
    heard_at: Instant,
    /// Events are held back until then, for the client to resume; `None` once they flow.
    held_until: Option<Instant>,
    resumed: bool,
    bad_frames: u32,
    rate: Rate,
}

/// Answers an upgrade: from here on the connection is the hub's. Who asks, and from which page, was checked before.
pub fn upgrade(socket: WebSocketUpgrade, who: LiveIdentity, parts: LiveParts) -> Response {
    let message_max = parts.hub.limits().message_max_bytes;
    socket
        .read_buffer_size(LiveLimits::READ_BUFFER)
        .write_buffer_size(LiveLimits::WRITE_BUFFER)
        .max_write_buffer_size(LiveLimits::WRITE_BUFFER_MAX)
        .max_message_size(message_max)
        .max_frame_size(message_max)
        .on_upgrade(move |socket| run(socket, who, parts))
}

/// Serves a connection from its first frame to its last.
pub async fn run(mut socket: WebSocket, who: LiveIdentity, parts: LiveParts) {
    let begun = begin(&who.actor, &parts);
    let (registration, hello) = match begun {
        Ok(begun) => begun,
        Err(code) => return say_goodbye(&mut socket, code, who_nth(&who), parts.hub.limits()).await,
    };
    let limits = parts.hub.limits();
    let now = Instant::now();
    let every = limits.heartbeat.max(Duration::from_millis(1));
    let mut heartbeat = interval_at(now + every, every);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = Connection {
        socket,
        answers: FuturesUnordered::new(),
        heartbeat,
        heard_at: now,
        held_until: Some(now + limits.resume_wait),
        resumed: false,
        bad_frames: 0,
        rate: Rate::new(limits.commands_per_s, now),
        who,
        parts,
        registration,
    };
    let end = match connection.write([hello]).await {
        Ok(()) => connection.serve().await,
        Err(end) => end,
    };
    connection.finish(end).await;
}

/// Registers and says hello, both of the city as it stands at one position.
fn begin(actor: &Actor, parts: &LiveParts) -> Result<(Registration, Frame), Code> {
    let city = parts.muster.city();
    let registration = parts.hub.register(&city, actor)?;
    let hello = hello(&city, actor, parts, &registration);
    Ok((registration, hello))
}

fn hello(city: &City, actor: &Actor, parts: &LiveParts, registration: &Registration) -> Frame {
    let limits = parts.hub.limits();
    let my_compound = |id| {
        let state = city.compound(id).ok()?;
        let standing = city.standing(actor, id);
        Some(MyCompound {
            id,
            name: state.compound.name.clone(),
            in_line: standing.in_line,
            post_holder: standing.post_holder,
            in_command: standing.in_command,
            command_epoch: state.succession.epoch,
        })
    };
    ServerFrame::Hello(Hello {
        protocol: PROTOCOL,
        person: actor.person_id(),
        household: if let Giver::Household(household) = actor.giver { Some(household) } else { None },
        grants: &actor.grants,
        compounds: city.seen_places_of(actor).filter_map(my_compound).collect(),
        city: city.areas().find(|area| area.code.level() == AreaLevel::City),
        epoch: parts.muster.journal_epoch(),
        cursor: registration.cursor,
        at: rfc3339(parts.muster.now(), limits.utc_offset_min),
        heartbeat_s: limits.heartbeat.as_secs(),
        resume_wait_ms: limits.resume_wait.as_millis().try_into().unwrap_or(u64::MAX),
    })
    .encode()
}

impl Connection {
    fn limits(&self) -> &LiveLimits {
        self.parts.hub.limits()
    }

    async fn serve(&mut self) -> End {
        loop {
            let step = self.next().await;
            if let Err(end) = self.take(step).await {
                return end;
            }
        }
    }

    /// Waits for the next thing to do. Cancels nothing but waiting.
    async fn next(&mut self) -> Step {
        let outbox = &self.registration.outbox;
        if let Some(code) = outbox.close_code() {
            return Step::Close(code);
        }
        // Back-pressure: while so many commands wait, no further one is read.
        let reading = self.answers.len() < self.parts.hub.limits().commands_waiting_max;
        let held_until = self.held_until;
        tokio::select! {
            code = outbox.closing() => Step::Close(code),
            Some((id, answer)) = self.answers.next(), if !self.answers.is_empty() => Step::Answer(id, answer),
            message = self.socket.recv(), if reading => Step::Message(message),
            () = sleep_until(held_until.unwrap_or_else(Instant::now)), if held_until.is_some() => Step::Release,
            () = outbox.ready(), if held_until.is_none() => Step::Drain,
            _ = self.heartbeat.tick() => Step::Heartbeat,
        }
    }

    async fn take(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::Close(code) => Err(End::Close(code)),
            Step::Answer(id, answer) => self.say(&ServerFrame::Answer(CommandAnswer::new(id, answer))).await,
            Step::Message(message) => self.message(message).await,
            Step::Release => {
                self.held_until = None;
                Ok(())
            }
            Step::Drain => {
                let frames = self.registration.outbox.take(self.limits().batch_frames);
                self.write(frames).await
            }
            Step::Heartbeat => self.heartbeat().await,
        }
    }

    async fn message(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let message = match message {
            None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(error)),
            Some(Ok(message)) => message,
        };
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => self.said(text.as_str()).await,
            Message::Binary(_) => Err(End::Close(Code::NotText)),
            // The library answers pings and close frames by itself.
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(End::Gone),
        }
    }

    async fn heartbeat(&mut self) -> Result<(), End> {
        // Whoever waits for an answer is not silent: it is the server that owes a word.
        if self.answers.is_empty() && self.heard_at.elapsed() >= self.limits().idle_timeout {
            // After a standstill of this machine every clock has run out at once: what was said meanwhile counts.
            let Some(said) = self.socket.recv().now_or_never() else { return Err(End::Close(Code::Silent)) };
            return self.message(said).await;
        }
        let now = self.parts.muster.now();
        if self.who.good_until.is_some_and(|until| until <= now) {
            return Err(End::Close(Code::SignedOut));
        }
        self.say(&ServerFrame::Ping { at: self.clock() }).await
    }

    fn clock(&self) -> String {
        rfc3339(self.parts.muster.now(), self.limits().utc_offset_min)
    }

    async fn say(&mut self, frame: &ServerFrame<'_>) -> Result<(), End> {
        let frame = frame.encode();
        self.write([frame]).await
    }

    /// Writes frames and flushes once. Runs to its end, or ends the connection.
    async fn write(&mut self, frames: impl IntoIterator<Item = Frame>) -> Result<(), End> {
        let within = self.limits().write_timeout;
        let socket = &mut self.socket;
        let writing = async {
            for frame in frames {
                socket.feed(Message::Text(frame)).await?;
            }
            socket.flush().await
        };
        match timeout(within, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(Code::SlowReader)),
        }
    }

    /// Ends the connection: on a stop, what waits goes out first and commands under way are answered.
    async fn finish(mut self, end: End) {
        let End::Close(code) = end else { return };
        if code == Code::ComeBack {
            let within = self.limits().close_timeout;
            // Cut short, commands go unanswered: the client repeats them under their ids.
            let _ = timeout(within, self.settle()).await;
        }
        let nth = self.registration.id;
        say_goodbye(&mut self.socket, code, nth, self.parts.hub.limits()).await;
    }

    async fn settle(&mut self) -> Result<(), End> {
        while let Some((id, answer)) = self.answers.next().await {
            self.say(&ServerFrame::Answer(CommandAnswer::new(id, answer))).await?;
        }
        let waiting = self.registration.outbox.take(usize::MAX);
        self.write(waiting).await
    }
}

/// Sends the close frame and gives the other side time to read it.
async fn say_goodbye(socket: &mut WebSocket, code: Code, nth: u64, limits: &LiveLimits) {
    let reason = code.reason(nth, limits.reconnect_spread);
    let frame = CloseFrame { code: code.number(), reason: reason.into() };
    let goodbye = async {
        socket.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<(), axum::Error>(())
    };
    // However it goes, the connection is over.
    let _ = timeout(limits.close_timeout, goodbye).await;
}

/// Spreads those that were turned away before they had a number.
fn who_nth(who: &LiveIdentity) -> u64 {
    who.actor.person_id().map_or(0, |person| person.0.as_u64_pair().1)
}

/// What a failed read says of the other side.
fn end_of(error: axum::Error) -> End {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => End::Close(Code::TooBig),
        Some(Error::Utf8(_)) => End::Close(Code::BadUtf8),
        Some(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => End::Gone,
        Some(Error::Protocol(_)) => End::Close(Code::Protocol),
        _ => End::Gone,
    }
}
