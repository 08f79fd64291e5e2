//! A shard: a thread that owns its share of the sockets. It writes what the hub leaves for them, reads what clients say, and answers.
//!
//! One alert to 100,000 phones is one frame and a list of seats: the shard writes these very bytes straight to each socket. No task is
//! woken for a phone, nothing is copied, and no lock is taken. Only where a socket is full do frames wait ([`wire`]), bounded; whoever
//! does not read loses the connection and delays nobody. Frames that wait together go out in one write. There is one shard for each
//! core; what a connection may wait for is in [`deadlines`].

mod connection;
mod deadlines;
mod dialogue;
mod job;
mod rate;
mod wire;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, panicking};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use tokio::runtime::Handle;

use crate::runtime::Muster;

use super::codes::Code;
use super::frame::{Frame, ServerFrame};
use super::hub::{ConnectionId, Hub, WeakHub};
use super::inbox::{Inbox, Mail, Seat};
use super::upgrade::Arrival;
use connection::{Connection, End, Held};
use deadlines::{Deadlines, Due};

/// Sockets that are looked at in one turn.
const EVENTS_MAX: usize = 1_024;
/// Seats to which an event is told before the shard looks for more mail: what has come for the others meanwhile goes out with it.
const SEATS_AT_ONCE: usize = 256;
/// How often it looks so in one turn: then those who speak have theirs.
const LOOKS_A_TURN: usize = 64;
/// Deliveries in hand from which on nothing more is taken in hand: what does not fit waits in the inbox, which is bounded.
const DELIVERIES_IN_HAND: usize = 50_000;
/// The inbox's token: no seat has this number.
const INBOX: Token = Token(usize::MAX);

/// What a connection needs of its shard and of the house.
pub(super) struct Room<'a> {
    hub: &'a Hub,
    muster: &'a Muster,
    runtime: &'a Handle,
    inbox: &'a Arc<Inbox>,
    /// When this turn began.
    now: Instant,
}

/// Who sits on a seat.
enum Slot {
    Empty,
    /// Somebody whose socket is on its way.
    Coming(ConnectionId, Held, Option<Code>),
    Open(Box<Connection>),
}

struct Shard {
    hub: WeakHub,
    muster: Muster,
    runtime: Handle,
    inbox: Arc<Inbox>,
    poll: Poll,
    slots: Vec<Slot>,
    deadlines: Deadlines,
    /// Those who have more to say than their turn was long.
    again: Vec<(Seat, ConnectionId)>,
    /// Mail in hand.
    mail: VecDeque<Mail>,
    /// How many events of it each seat is still to get.
    coming: Vec<u32>,
    /// The same for all seats together.
    deliveries: usize,
    /// How often it may look for more mail in this turn.
    looks: usize,
}

/// Starts a thread for each of the hub's inboxes. Called once, inside the runtime.
///
/// # Errors
/// When the system gives no thread or no poll.
pub(super) fn start(hub: &Hub, muster: &Muster) -> io::Result<()> {
    for (n, inbox) in hub.inboxes().iter().enumerate() {
        let poll = Poll::new()?;
        inbox.set_waker(Waker::new(poll.registry(), INBOX)?);
        let shard = Shard {
            hub: hub.downgrade(),
            muster: muster.clone(),
            runtime: Handle::current(),
            inbox: inbox.clone(),
            poll,
            slots: Vec::new(),
            deadlines: Deadlines::default(),
            again: Vec::new(),
            mail: VecDeque::new(),
            coming: Vec::new(),
            deliveries: 0,
            looks: 0,
        };
        Builder::new().name(format!("muster-live-{n}")).spawn(move || shard.run())?;
        // What was left before is found now.
        inbox.wake();
    }
    Ok(())
}

/// Notes that a shard ended by a panic: its phones would hear nothing any more.
struct DeathNote(Arc<Inbox>);

impl Drop for DeathNote {
    fn drop(&mut self) {
        if panicking() {
            self.0.note_death();
        }
    }
}

impl Shard {
    /// Serves until nobody has the hub any more.
    fn run(mut self) {
        let _note = DeathNote(self.inbox.clone());
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            self.wait(&mut events);
            let Some(hub) = self.hub.upgrade() else { return };
            self.turn(&events, &hub);
        }
    }

    fn wait(&mut self, events: &mut Events) {
        let within = if self.again.is_empty() { self.deadlines.within(Instant::now()) } else { Some(Duration::ZERO) };
        if let Err(error) = self.poll.poll(events, within)
            && error.kind() != io::ErrorKind::Interrupted
        {
            // INVARIANT: a poll that was made and is not shared fails for no other reason.
            panic!("the poll of a shard failed: {error}");
        }
    }

    // INVARIANT: what was told before a client asked reaches it before the answer, so the mail comes first.
    fn turn(&mut self, events: &Events, hub: &Hub) {
        let now = Instant::now();
        self.open_mail(hub, now);
        for (seat, id) in std::mem::take(&mut self.again) {
            self.with(hub, now, seat, Some(id), Connection::advance);
        }
        for event in events.iter().filter(|event| event.token() != INBOX) {
            let Ok(seat) = Seat::try_from(event.token().0) else { continue };
            self.with(hub, now, seat, None, |connection, room| {
                if event.is_readable() || event.is_read_closed() {
                    connection.wire.readable(event.is_read_closed());
                }
                if event.is_writable() {
                    connection.wire.writable();
                }
                connection.advance(room)
            });
        }
        self.keep_time(hub, now);
    }

    /// Takes all that was left. What it brings for one seat goes out in one write, with the last of it.
    fn open_mail(&mut self, hub: &Hub, now: Instant) {
        self.looks = LOOKS_A_TURN;
        self.take_mail();
        while let Some(letter) = self.mail.pop_front() {
            self.open(letter, hub, now);
        }
    }

    fn take_mail(&mut self) {
        let fresh = self.inbox.take();
        for letter in &fresh {
            let Mail::Event(_, seats) = letter else { continue };
            self.deliveries += seats.len();
            for seat in seats {
                let n = *seat as usize;
                if self.coming.len() <= n {
                    self.coming.resize(n + 1, 0);
                }
                self.coming[n] += 1;
            }
        }
        self.mail.extend(fresh);
    }

    fn open(&mut self, letter: Mail, hub: &Hub, now: Instant) {
        match letter {
            Mail::Came(seat, id) => self.seat(seat, id),
            Mail::Begin(arrival) => self.begin(*arrival, hub, now),
            Mail::Event(event, seats) => self.tell(event.frame(), &seats, hub, now),
            Mail::Map(seat, id, frames) => self.with(hub, now, seat, Some(id), |connection, room| {
                connection.take_map(frames);
                connection.pump(room).map(|()| false)
            }),
            Mail::Answer(seat, id, frame) => {
                self.with(hub, now, seat, Some(id), |connection, room| connection.answer(&frame, room));
            }
            Mail::Say(frame) => {
                for seat in self.seats() {
                    self.hear(seat, &frame, true, hub, now);
                }
            }
            Mail::Close(seat, id, code) => self.close(seat, Some(id), code, hub, now),
            Mail::CloseAll(code) => {
                for seat in self.seats() {
                    self.close(seat, None, code, hub, now);
                }
            }
        }
    }

    fn seats(&self) -> std::ops::Range<Seat> {
        // INVARIANT: seats are counted in 32 bits.
        0..Seat::try_from(self.slots.len()).unwrap_or(Seat::MAX)
    }

    fn tell(&mut self, frame: &Frame, seats: &[Seat], hub: &Hub, now: Instant) {
        for some in seats.chunks(SEATS_AT_ONCE) {
            for seat in some {
                let coming = &mut self.coming[*seat as usize];
                *coming -= 1;
                let is_last = *coming == 0;
                self.hear(*seat, frame, is_last, hub, now);
            }
            self.deliveries -= some.len();
            if some.len() == SEATS_AT_ONCE && self.looks > 0 && self.deliveries < DELIVERIES_IN_HAND {
                self.looks -= 1;
                self.take_mail();
            }
        }
    }

    /// Somebody has come, whose socket is on its way.
    fn seat(&mut self, seat: Seat, id: ConnectionId) {
        let n = seat as usize;
        if self.slots.len() <= n {
            self.slots.resize_with(n + 1, || Slot::Empty);
        }
        self.slots[n] = Slot::Coming(id, Held::default(), None);
    }

    fn begin(&mut self, arrival: Arrival, hub: &Hub, now: Instant) {
        let (seat, id) = (arrival.registration.place.seat, arrival.registration.id);
        let slot = &mut self.slots[seat as usize];
        let Slot::Coming(_, held, close) = std::mem::replace(slot, Slot::Empty) else { return };
        let room = Room { hub, muster: &self.muster, runtime: &self.runtime, inbox: &self.inbox, now };
        let mut connection = Box::new(Connection::new(arrival, held, &room));
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if let Err(error) = registry.register(connection.wire.socket(), Token(seat as usize), interest) {
            tracing::warn!(%error, "a connection could not be taken in");
            return;
        }
        *slot = Slot::Open(connection);
        let limits = hub.limits();
        self.deadlines.note(Due::Release, now + limits.resume_wait, seat, id);
        self.deadlines.note(Due::Heartbeat, now + limits.heartbeat, seat, id);
        self.with(hub, now, seat, Some(id), |connection, room| match close {
            Some(code) => Err(End::Close(code)),
            None => connection.advance(room),
        });
    }

    fn hear(&mut self, seat: Seat, frame: &Frame, is_last: bool, hub: &Hub, now: Instant) {
        if let Some(Slot::Coming(_, held, close)) = self.slots.get_mut(seat as usize) {
            if !held.take_in(frame, hub.limits()) {
                *held = Held::default();
                *close = close.or(Some(Code::SlowReader));
            }
            return;
        }
        self.with(hub, now, seat, None, |connection, room| connection.hear(frame, is_last, room).map(|()| false));
    }

    fn close(&mut self, seat: Seat, id: Option<ConnectionId>, code: Code, hub: &Hub, now: Instant) {
        match self.slots.get_mut(seat as usize) {
            Some(Slot::Coming(here, _, close)) if id.is_none_or(|id| id == *here) => *close = close.or(Some(code)),
            _ => self.with(hub, now, seat, id, |connection, _| {
                // The first reason counts.
                if connection.is_ending() { Ok(false) } else { Err(End::Close(code)) }
            }),
        }
    }

    /// Does something with the connection on a seat (of that name, where one is given), and ends it where that ends it.
    fn with(
        &mut self,
        hub: &Hub,
        now: Instant,
        seat: Seat,
        id: Option<ConnectionId>,
        what: impl FnOnce(&mut Connection, &Room<'_>) -> Result<bool, End>,
    ) {
        let room = Room { hub, muster: &self.muster, runtime: &self.runtime, inbox: &self.inbox, now };
        let Some(Slot::Open(connection)) = self.slots.get_mut(seat as usize) else { return };
        let here = connection.registration.id;
        if id.is_some_and(|id| id != here) {
            return;
        }
        let was_full = connection.wire.full_since().is_some();
        let mut done = what(connection, &room);
        if let Err(End::Close(code)) = done {
            done = connection.goodbye(code, &room).map(|_| false);
            self.deadlines.note(Due::Goodbye, now + hub.limits().close_timeout, seat, here);
        }
        match done {
            Ok(true) => self.again.push((seat, here)),
            Ok(false) => {}
            // Dropped, the registration gives the seat back, and the socket is closed.
            Err(_) => return self.slots[seat as usize] = Slot::Empty,
        }
        if !was_full && connection.wire.full_since().is_some() {
            self.deadlines.note(Due::Stuck, now + hub.limits().write_timeout, seat, here);
        }
    }

    fn keep_time(&mut self, hub: &Hub, now: Instant) {
        let mut ping = None;
        while let Some((due, seat, id)) = self.deadlines.next(now) {
            match due {
                Due::Release => {
                    self.with(hub, now, seat, Some(id), Connection::release_in_time);
                }
                Due::Heartbeat => {
                    let ping = ping.get_or_insert_with(|| self.ping(hub)).clone();
                    self.heartbeat(&ping, seat, id, hub, now);
                }
                Due::Stuck => self.look_at_stuck(seat, id, hub, now),
                Due::Goodbye => {
                    self.with(hub, now, seat, Some(id), |connection, room| connection.goodbye_in_time(room.now));
                }
            }
        }
    }

    /// One heartbeat, for all whose time it is.
    fn ping(&self, hub: &Hub) -> Frame {
        let at = super::frame::rfc3339(self.muster.now(), hub.limits().utc_offset_min);
        ServerFrame::Ping { at }.encode()
    }

    fn heartbeat(&mut self, ping: &Frame, seat: Seat, id: ConnectionId, hub: &Hub, now: Instant) {
        let mut goes_on = false;
        self.with(hub, now, seat, Some(id), |connection, room| {
            if connection.is_ending() {
                return Ok(false);
            }
            goes_on = true;
            connection.heartbeat(ping, room)
        });
        if goes_on {
            let every = hub.limits().heartbeat.max(Duration::from_millis(1));
            self.deadlines.note(Due::Heartbeat, now + every, seat, id);
        }
    }

    /// Whoever has taken nothing for so long is closed; who took something has the time again.
    fn look_at_stuck(&mut self, seat: Seat, id: ConnectionId, hub: &Hub, now: Instant) {
        let within = hub.limits().write_timeout;
        let mut again_at = None;
        self.with(hub, now, seat, Some(id), |connection, _| match connection.wire.full_since() {
            Some(since) if connection.is_ending() || now < since + within => {
                again_at = Some(since + within);
                Ok(false)
            }
            Some(_) => Err(End::Close(Code::SlowReader)),
            None => Ok(false),
        });
        if let Some(at) = again_at.filter(|at| *at > now) {
            self.deadlines.note(Due::Stuck, at, seat, id);
        }
    }
}
