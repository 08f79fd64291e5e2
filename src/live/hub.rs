//! Who is connected, and who of them hears what.
//!
//! Nothing here does IO: frames are left in each connection's [`Outbox`]; [`super::connection`] writes them. A record costs what it
//! touches: who belongs to a compound is read off the city, and found here by person; only accounts with grants are asked one by one.
//! Locks are taken in one order: the city's, then the hub's, then an outbox's. Nothing waits under any of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::city::City;
use crate::city::audience::Audience;
use crate::domain::actor::Actor;
use crate::domain::area::AreaCode;
use crate::domain::event::Record;
use crate::domain::ids::PersonId;
use crate::engine::ports::Publisher;

use super::codes::Code;
use super::frame::Cursor;
use super::limits::LiveLimits;
use super::outbox::Outbox;
use super::receipts::Receipts;
use super::resume::{History, Kept, LiveEvent, Reload};

/// Names a connection while the process runs.
pub type ConnectionId = u64;

/// The hub. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: LiveLimits,
    receipts: Receipts,
    state: Mutex<State>,
    /// How many are connected; whoever waits for the last to go listens here.
    connected: watch::Sender<usize>,
    queued: AtomicU64,
    slow_readers: AtomicU64,
}

#[derive(Debug)]
struct State {
    next_id: ConnectionId,
    stopping: bool,
    connections: HashMap<ConnectionId, Connected>,
    by_person: HashMap<PersonId, Vec<ConnectionId>>,
    /// Connections of accounts with grants.
    accounts: Vec<ConnectionId>,
    history: History,
}

#[derive(Debug)]
struct Connected {
    actor: Actor,
    outbox: Arc<Outbox>,
    /// The last event left for it: none twice.
    last: Cursor,
    watch: Option<MapWatch>,
}

/// What of the map a connection watches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MapWatch {
    /// Areas, none inside another.
    pub(super) areas: Vec<AreaCode>,
    /// Changes up to this position were left for it.
    pub(super) position: u64,
}

/// A connection's place in the hub; dropping it takes the connection out.
#[derive(Debug)]
pub struct Registration {
    hub: Hub,
    /// Its name.
    pub id: ConnectionId,
    /// What waits for it.
    pub outbox: Arc<Outbox>,
    /// From here on it hears live.
    pub cursor: Cursor,
}

impl Hub {
    /// A hub with nobody connected.
    pub fn new(limits: LiveLimits) -> Self {
        let history = History::new(limits.history_frames, limits.history_bytes);
        let state = State {
            next_id: 1,
            stopping: false,
            connections: HashMap::new(),
            by_person: HashMap::new(),
            accounts: Vec::new(),
            history,
        };
        let connected = watch::Sender::new(0);
        let (queued, slow_readers) = (AtomicU64::new(0), AtomicU64::new(0));
        let receipts = Receipts::new(limits.receipts_queue);
        Self(Arc::new(Inner { limits, receipts, state: Mutex::new(state), connected, queued, slow_readers }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its bounds.
    pub fn limits(&self) -> &LiveLimits {
        &self.0.limits
    }

    /// Where connections leave receipts.
    pub fn receipts(&self) -> &Receipts {
        &self.0.receipts
    }

    /// How many are connected.
    pub fn connections(&self) -> usize {
        *self.0.connected.borrow()
    }

    /// Frames left for connections so far.
    pub fn frames_queued(&self) -> u64 {
        self.0.queued.load(Ordering::Relaxed)
    }

    /// Connections closed because they read too slowly, so far.
    pub fn slow_readers(&self) -> u64 {
        self.0.slow_readers.load(Ordering::Relaxed)
    }

    /// Whether the person has a connection now.
    pub fn is_connected(&self, person: PersonId) -> bool {
        self.state().by_person.contains_key(&person)
    }

    /// Takes a connection in. Called under the city's read lock, so that what is read off the city and the cursor belong together.
    ///
    /// # Errors
    /// The code with which to turn it away.
    pub fn register(&self, city: &City, actor: &Actor) -> Result<Registration, Code> {
        let limits = self.limits();
        let mut state = self.state();
        if state.stopping {
            return Err(Code::ComeBack);
        }
        if state.connections.len() >= limits.connections_max {
            return Err(Code::TryLater);
        }
        state.history.catch_up(city.position());
        let id = state.next_id;
        state.next_id += 1;
        let outbox = Arc::new(Outbox::new(limits.queue_frames, limits.queue_bytes));
        let cursor = state.history.kept().last;
        if let Some(person) = actor.person_id() {
            state.by_person.entry(person).or_default().push(id);
        }
        if !actor.grants.is_empty() {
            state.accounts.push(id);
        }
        let connected = Connected { actor: actor.clone(), outbox: outbox.clone(), last: cursor, watch: None };
        state.connections.insert(id, connected);
        self.0.connected.send_replace(state.connections.len());
        Ok(Registration { hub: self.clone(), id, outbox, cursor })
    }

    /// What a connection would have heard after `after`, up to the cursor at which it was registered.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn missed(
        &self,
        city: &City,
        actor: &Actor,
        after: Cursor,
        upto: Cursor,
    ) -> Result<Vec<Arc<LiveEvent>>, Reload> {
        if after > upto {
            return Err(Reload::AheadOfJournal);
        }
        self.state().history.missed(city, actor, after, upto)
    }

    /// The stretch of events that is kept.
    pub fn kept(&self) -> Kept {
        self.state().history.kept()
    }

    /// Closes every connection of a person: signed out, or granted something else.
    pub fn close_person(&self, person: PersonId, code: Code) {
        let state = self.state();
        for id in state.by_person.get(&person).into_iter().flatten() {
            if let Some(connected) = state.connections.get(id) {
                connected.outbox.close(code);
            }
        }
    }

    /// Tells all to come back, takes nobody in any more, and waits until all are gone and what they reported last is in the city, or
    /// the time is over. Commands under way are answered first. Gives how many were left.
    pub async fn stop(&self, within: Duration) -> usize {
        {
            let mut state = self.state();
            state.stopping = true;
            state.connections.values().for_each(|connected| connected.outbox.close(Code::ComeBack));
        }
        let until = Instant::now() + within;
        let mut connected = self.0.connected.subscribe();
        // Timed out or not: what is left is told.
        let _ = timeout_at(until, connected.wait_for(|left| *left == 0)).await;
        if timeout_at(until, self.receipts().settle()).await.is_err() {
            tracing::warn!("receipts that came last were let go: there was no time to write them");
        }
        self.connections()
    }

    pub(super) fn set_watch(&self, id: ConnectionId, watch: MapWatch) {
        if let Some(connected) = self.state().connections.get_mut(&id) {
            connected.watch = Some(watch);
        }
    }

    /// Those who watch the map, are behind `position`, and have taken what was left for them.
    pub(super) fn map_watchers(&self, position: u64) -> HashMap<MapWatch, Vec<ConnectionId>> {
        let mut watchers: HashMap<MapWatch, Vec<ConnectionId>> = HashMap::new();
        let state = self.state();
        for id in &state.accounts {
            let Some(connected) = state.connections.get(id) else { continue };
            let Some(watch) = &connected.watch else { continue };
            if watch.position < position && connected.outbox.wants_map() {
                watchers.entry(watch.clone()).or_default().push(*id);
            }
        }
        watchers
    }

    /// Leaves map frames for a watcher and notes how far it has come.
    pub(super) fn leave_map(&self, id: ConnectionId, frames: &[super::frame::Frame], position: u64) {
        let mut state = self.state();
        let Some(connected) = state.connections.get_mut(&id) else { return };
        if let Some(watch) = &mut connected.watch {
            watch.position = position;
        }
        if !frames.is_empty() {
            connected.outbox.set_map(frames);
        }
    }

    fn remove(&self, id: ConnectionId) {
        let mut state = self.state();
        let Some(gone) = state.connections.remove(&id) else { return };
        if let Some(person) = gone.actor.person_id()
            && let Some(ids) = state.by_person.get_mut(&person)
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                state.by_person.remove(&person);
            }
        }
        if !gone.actor.grants.is_empty() {
            state.accounts.retain(|other| *other != id);
        }
        if gone.outbox.close_code() == Some(Code::SlowReader) {
            self.0.slow_readers.fetch_add(1, Ordering::Relaxed);
        }
        self.0.connected.send_replace(state.connections.len());
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.remove(self.id);
    }
}

impl Publisher for Hub {
    // INVARIANT: whoever connects while a record is told hears all of it: from here on the history stands before its first notice,
    // and a connection's cursor is where the history stands.
    fn announce(&mut self, position: u64) {
        self.state().history.begin(position);
    }

    fn publish(&mut self, city: &City, record: &Record) {
        let notices = city.notices(record);
        let offset = self.limits().utc_offset_min;
        let mut state = self.state();
        if state.history.kept().last != (Cursor { position: record.position, part: 0 }) {
            state.history.begin(record.position);
        }
        let mut queued = 0;
        for (part, notice) in (1..).zip(notices) {
            let cursor = Cursor { position: record.position, part };
            let event = Arc::new(LiveEvent::new(cursor, record.entry.at, offset, notice));
            queued += state.deliver(city, &event);
            state.history.push(event);
        }
        drop(state);
        self.0.queued.fetch_add(queued, Ordering::Relaxed);
    }
}

impl State {
    /// Leaves an event for everybody who stands in its audience; gives for how many.
    fn deliver(&mut self, city: &City, event: &LiveEvent) -> u64 {
        let mut queued = 0;
        for id in &self.accounts {
            if let Some(connected) = self.connections.get_mut(id)
                && event.audience().hears_by_grant(&connected.actor.grants)
            {
                queued += connected.leave(event);
            }
        }
        let (by_person, connections) = (&self.by_person, &mut self.connections);
        let mut leave_for = |person: PersonId| {
            for id in by_person.get(&person).into_iter().flatten() {
                queued += connections.get_mut(id).map_or(0, |connected| connected.leave(event));
            }
        };
        match event.audience() {
            Audience::Person(person) => leave_for(*person),
            Audience::Area(_) | Audience::Accounts => {}
            // Fewer people are connected than compounds concerned: ask each where they belong.
            Audience::Compounds { of, parts } if by_person.len() < of.len() => {
                let belongs = |person: &PersonId| {
                    city.places_of(*person).any(|id| {
                        of.binary_search(&id).is_ok() && city.compound(id).is_ok_and(|c| c.has_part(*person, parts))
                    })
                };
                by_person.keys().copied().filter(belongs).for_each(&mut leave_for);
            }
            Audience::Compounds { of, parts } => {
                for compound in of.iter().filter_map(|id| city.compound(*id).ok()) {
                    compound.for_each_with_part(parts, &mut leave_for);
                }
            }
        }
        queued
    }
}

impl Connected {
    // INVARIANT: a connection gets each notice at most once, however many reasons it has to hear it.
    fn leave(&mut self, event: &LiveEvent) -> u64 {
        if self.last >= event.cursor {
            return 0;
        }
        self.last = event.cursor;
        self.outbox.push(event.frame());
        1
    }
}
