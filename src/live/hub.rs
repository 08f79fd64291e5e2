//! Who is connected, and who of them hears what.
//!
//! Nothing here does IO: what is to be said is left in the [`Inbox`] of the shard that owns the sockets concerned, as one frame and the
//! list of their seats. A record costs what it touches: who belongs to a compound is read off the city, and found here by person; only
//! accounts with grants are asked one by one. Locks are taken in one order: the city's, then the hub's, then an inbox's. Nothing waits
//! under any of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use foldhash::fast::RandomState as FastHash;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::city::City;
use crate::city::audience::Audience;
use crate::domain::actor::Actor;
use crate::domain::event::Record;
use crate::domain::ids::PersonId;
use crate::domain::time::Timestamp;
use crate::engine::ports::Publisher;

use super::codes::Code;
use super::frame::{Cursor, Frame, ServerFrame, rfc3339};
use super::inbox::{Inbox, Mail, Seat};
use super::limits::LiveLimits;
use super::receipts::Receipts;
use super::resume::{History, Kept, LiveEvent, Reload};
use super::seats::{Connected, MapWatch, Place, Seats};

/// Deliveries of one record that a shard gets together: the alert goes before the words to each commander are made, and the first of a
/// whole city's calls do not wait for the last.
const DELIVERIES_TOGETHER: usize = 256;

/// Names a connection while the process runs.
pub type ConnectionId = u64;

/// The hub. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: LiveLimits,
    receipts: Receipts,
    /// One for each shard.
    inboxes: Vec<Arc<Inbox>>,
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
    /// How often a person's connections were closed.
    closings: u64,
    /// Since when what is shown stands still.
    as_of: Option<Timestamp>,
    connected: usize,
    /// Who sits where, shard by shard.
    shards: Vec<Seats>,
    by_person: HashMap<PersonId, Vec<Place>, FastHash>,
    /// Connections of accounts with grants.
    accounts: Vec<Place>,
    history: History,
}

/// A connection's place in the hub; dropping it takes the connection out.
#[derive(Debug)]
pub struct Registration {
    hub: Hub,
    /// Where it sits.
    pub place: Place,
    /// Its name.
    pub id: ConnectionId,
    /// From here on it hears live.
    pub cursor: Cursor,
}

/// For those who are not to keep the hub alive: its shards.
#[derive(Debug, Clone)]
pub(super) struct WeakHub(Weak<Inner>);

impl WeakHub {
    /// The hub, while anybody else has it.
    pub(super) fn upgrade(&self) -> Option<Hub> {
        self.0.upgrade().map(Hub)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Its shards find that it is gone, and end.
        self.inboxes.iter().for_each(|inbox| inbox.wake());
    }
}

impl Hub {
    /// A hub with nobody connected.
    pub fn new(limits: LiveLimits) -> Self {
        let history = History::new(limits.history_frames, limits.history_bytes);
        let shards = limits.shard_count();
        let state = State {
            next_id: 1,
            stopping: false,
            closings: 0,
            as_of: None,
            connected: 0,
            shards: (0..shards).map(|_| Seats::default()).collect(),
            by_person: HashMap::default(),
            accounts: Vec::new(),
            history,
        };
        let inboxes = (0..shards).map(|_| Arc::default()).collect();
        let connected = watch::Sender::new(0);
        let (queued, slow_readers) = (AtomicU64::new(0), AtomicU64::new(0));
        let receipts = Receipts::new(limits.receipts_queue);
        Self(Arc::new(Inner { limits, receipts, inboxes, state: Mutex::new(state), connected, queued, slow_readers }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn downgrade(&self) -> WeakHub {
        WeakHub(Arc::downgrade(&self.0))
    }

    /// Its bounds.
    pub fn limits(&self) -> &LiveLimits {
        &self.0.limits
    }

    /// What waits for each shard.
    pub fn inboxes(&self) -> &[Arc<Inbox>] {
        &self.0.inboxes
    }

    /// Whether none of its shards has died; when one has, the process should end and be started again.
    pub fn is_running(&self) -> bool {
        !self.inboxes().iter().any(|inbox| inbox.is_dead())
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

    pub(super) fn count_slow_reader(&self) {
        self.0.slow_readers.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the person has a connection now.
    pub fn is_connected(&self, person: PersonId) -> bool {
        self.state().by_person.contains_key(&person)
    }

    // INVARIANT: whoever loses a right loses it at once: who was looked up before somebody's connections were closed looks again.
    /// The same for somebody who was looked up after so many closings ([`Self::closings`]).
    ///
    /// # Errors
    /// The code with which to turn it away.
    pub fn register_known(&self, city: &City, actor: &Actor, closings: u64) -> Result<Registration, Code> {
        let registration = self.register(city, actor)?;
        if self.closings() == closings { Ok(registration) } else { Err(Code::RightsChanged) }
    }

    /// Takes a connection in. Called under the city's read lock, so that what is read off the city and the cursor belong together.
    ///
    /// # Errors
    /// The code with which to turn it away.
    pub fn register(&self, city: &City, actor: &Actor) -> Result<Registration, Code> {
        let mut state = self.state();
        if state.stopping {
            return Err(Code::ComeBack);
        }
        if state.connected >= self.limits().connections_max {
            return Err(Code::TryLater);
        }
        state.history.catch_up(city.position());
        let cursor = state.history.kept().last;
        let (place, id) = state.seat(actor, cursor);
        // INVARIANT: left under the hub's lock, so that the shard meets them before the first event for them.
        self.inbox(place).leave(Mail::Came(place.seat, id));
        self.0.connected.send_replace(state.connected);
        Ok(Registration { hub: self.clone(), place, id, cursor })
    }

    pub(super) fn inbox(&self, place: Place) -> &Inbox {
        &self.0.inboxes[place.shard]
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

    /// How often a person's connections were closed so far: to be asked for before it is looked up who asks to connect.
    pub fn closings(&self) -> u64 {
        self.state().closings
    }

    /// Closes every connection of a person.
    pub fn close_person(&self, person: PersonId, code: Code) {
        let mut state = self.state();
        state.closings += 1;
        for place in state.by_person.get(&person).into_iter().flatten() {
            if let Some(connected) = state.at(*place) {
                self.inbox(*place).leave(Mail::Close(place.seat, connected.id, code));
            }
        }
    }

    /// Tells all to come back, takes nobody in any more, and waits until all are gone and what they reported last is in the city, or
    /// the time is over. Commands under way are answered first. Gives how many were left.
    pub async fn stop(&self, within: Duration) -> usize {
        {
            let mut state = self.state();
            state.stopping = true;
            self.inboxes().iter().for_each(|inbox| inbox.leave(Mail::CloseAll(Code::ComeBack)));
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

    /// Since when what is shown stands still; `None` while all goes on.
    pub(super) fn as_of(&self) -> Option<Timestamp> {
        self.state().as_of
    }

    /// From here on the connection watches the map of these areas; `taken` says whether the last changes went out.
    pub(super) fn set_watch(&self, place: Place, watch: MapWatch, taken: Arc<AtomicBool>) {
        if let Some(connected) = self.state().at_mut(place) {
            connected.watch = Some((watch, taken));
        }
    }

    /// Those who watch the map, are behind `position`, and have taken what was left for them.
    pub(super) fn map_watchers(&self, position: u64) -> HashMap<MapWatch, Vec<Place>> {
        let mut watchers: HashMap<MapWatch, Vec<Place>> = HashMap::new();
        let state = self.state();
        for place in &state.accounts {
            if let Some((watch, taken)) = state.at(*place).and_then(|connected| connected.watch.as_ref())
                && watch.position < position
                && taken.load(Ordering::Acquire)
            {
                watchers.entry(watch.clone()).or_default().push(*place);
            }
        }
        watchers
    }

    /// Leaves map frames for watchers and notes how far they have come.
    pub(super) fn leave_map(&self, places: &[Place], frames: &Arc<[Frame]>, position: u64) {
        let mut state = self.state();
        for place in places {
            let Some(connected) = state.at_mut(*place) else { continue };
            let Some((watch, taken)) = &mut connected.watch else { continue };
            watch.position = position;
            if !frames.is_empty() {
                taken.store(false, Ordering::Release);
                self.inbox(*place).leave(Mail::Map(place.seat, connected.id, frames.clone()));
            }
        }
    }

    fn remove(&self, place: Place) {
        let mut state = self.state();
        state.unseat(place);
        self.0.connected.send_replace(state.connected);
    }
}

impl Registration {
    /// Where it is registered.
    pub(super) const fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.remove(self.place);
    }
}

impl Publisher for Hub {
    // INVARIANT: whoever connects while a record is told hears all of it: from here on the history stands before its first notice,
    // and a connection's cursor is where the history stands.
    fn announce(&mut self, position: u64) {
        self.state().history.begin(position);
    }

    fn publish(&mut self, city: &City, record: &Record) {
        let offset = self.limits().utc_offset_min;
        let mut state = self.state();
        if state.history.kept().last != (Cursor { position: record.position, part: 0 }) {
            state.history.begin(record.position);
        }
        let mut queued = 0;
        let mut cursor = Cursor { position: record.position, part: 0 };
        let mut outgoing: Vec<(Vec<Mail>, usize)> = self.inboxes().iter().map(|_| Default::default()).collect();
        city.tell(record, &mut |notice| {
            cursor.part += 1;
            let event = Arc::new(LiveEvent::new(cursor, record.entry.at, offset, notice));
            let hearers = state.hearers(city, &event);
            for ((inbox, (letters, deliveries)), seats) in self.inboxes().iter().zip(&mut outgoing).zip(hearers) {
                if seats.is_empty() {
                    continue;
                }
                queued += seats.len();
                *deliveries += seats.len();
                letters.push(Mail::Event(event.clone(), seats));
                if *deliveries >= DELIVERIES_TOGETHER {
                    inbox.leave_all(letters.drain(..));
                    *deliveries = 0;
                }
            }
            state.history.push(event);
        });
        for (inbox, (letters, _)) in self.inboxes().iter().zip(outgoing) {
            inbox.leave_all(letters);
        }
        drop(state);
        self.0.queued.fetch_add(queued as u64, Ordering::Relaxed);
    }

    fn stand_still(&mut self, as_of: Option<Timestamp>) {
        let said = as_of.map(|as_of| rfc3339(as_of, self.limits().utc_offset_min));
        let frame = ServerFrame::Picture { as_of: said }.encode();
        // Under the hub's lock: whoever comes before is told now, whoever comes later is told with the first frame.
        let mut state = self.state();
        state.as_of = as_of;
        self.inboxes().iter().for_each(|inbox| inbox.leave(Mail::Say(frame.clone())));
    }

    fn begin_anew(&mut self, position: u64) {
        // Under the hub's lock, so that whoever comes meanwhile is before it and goes, or after it and is told what is true.
        let mut state = self.state();
        state.history.begin_anew(position);
        self.inboxes().iter().for_each(|inbox| inbox.leave(Mail::CloseAll(Code::ComeBack)));
    }
}

impl State {
    fn at(&self, place: Place) -> Option<&Connected> {
        self.shards[place.shard].at(place.seat)
    }

    fn at_mut(&mut self, place: Place) -> Option<&mut Connected> {
        self.shards[place.shard].at_mut(place.seat)
    }

    /// Gives somebody a seat in the shard with the fewest.
    fn seat(&mut self, actor: &Actor, cursor: Cursor) -> (Place, ConnectionId) {
        let id = self.next_id;
        self.next_id += 1;
        self.connected += 1;
        let shard = (0..self.shards.len()).min_by_key(|shard| self.shards[*shard].taken()).unwrap_or_default();
        let seat = self.shards[shard].take(Connected::new(id, actor, cursor));
        let place = Place { shard, seat };
        if let Some(person) = actor.person_id() {
            self.by_person.entry(person).or_default().push(place);
        }
        if !actor.grants.is_empty() {
            self.accounts.push(place);
        }
        (place, id)
    }

    fn unseat(&mut self, place: Place) {
        let Some(gone) = self.shards[place.shard].free(place.seat) else { return };
        self.connected -= 1;
        if let Some(person) = gone.person
            && let Some(places) = self.by_person.get_mut(&person)
        {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.by_person.remove(&person);
            }
        }
        if !gone.grants.is_empty() {
            self.accounts.retain(|other| *other != place);
        }
    }

    /// The seats of everybody who stands in an event's audience, shard by shard.
    fn hearers(&mut self, city: &City, event: &LiveEvent) -> Vec<Vec<Seat>> {
        let Self { shards, by_person, accounts, .. } = self;
        let mut hearers = vec![Vec::new(); shards.len()];
        let mut hears = |place: Place, by_grant: bool| {
            if let Some(connected) = shards[place.shard].at_mut(place.seat)
                && (!by_grant || event.audience().hears_by_grant(&connected.grants))
                && connected.is_new_to(event.cursor)
            {
                hearers[place.shard].push(place.seat);
            }
        };
        for place in accounts.iter() {
            hears(*place, true);
        }
        let mut leave_for = |person: PersonId| {
            by_person.get(&person).into_iter().flatten().for_each(|place| hears(*place, false));
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
            // Those who command come last: in the record that alerts them they hear more, and get both in one write.
            Audience::Compounds { of, parts } => {
                let compounds: Vec<_> = of.iter().filter_map(|id| city.compound(*id).ok()).collect();
                for part in parts.iter().rev() {
                    for compound in &compounds {
                        compound.for_each_with_part(&[*part], &mut leave_for);
                    }
                }
            }
        }
        hearers
    }
}
