//! What was missed: the last events, and whether they reach back far enough.
//!
//! Every connection notes the cursor at which it was registered; from there on it hears live. Whoever resumes gets from the history
//! what lies after their own cursor and up to that one: no gap, no double, whatever is published meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState as FastHash;
use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::audience::{Audience, Notice, NoticeKind};
use crate::domain::actor::Actor;
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::time::Timestamp;

use super::frame::{Cursor, Frame, ServerFrame, rfc3339};

/// Why what was missed cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reload {
    /// The cursor is of another journal.
    OtherEpoch,
    /// It lies further back than events are kept.
    TooOld,
    /// It lies after the end of the journal.
    AheadOfJournal,
}

/// The stretch of events that is kept: everything after `floor`, up to and with `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Everything after it is kept.
    pub floor: Cursor,
    /// The last event.
    pub last: Cursor,
}

impl Kept {
    // INVARIANT: whoever is told "nothing was missed but this" has missed nothing but this.
    /// Whether all that came after `cursor` is kept.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, cursor: Cursor) -> Result<(), Reload> {
        if cursor > self.last {
            Err(Reload::AheadOfJournal)
        } else if cursor < self.floor {
            Err(Reload::TooOld)
        } else {
            Ok(())
        }
    }
}

/// One notice on its way; encoded when the first who gets it is found.
#[derive(Debug)]
pub struct LiveEvent {
    /// Where it stands.
    pub cursor: Cursor,
    at: Timestamp,
    utc_offset_min: i32,
    notice: Notice,
    frame: OnceLock<Frame>,
}

impl LiveEvent {
    /// A notice of the record at `cursor.position`.
    pub fn new(cursor: Cursor, at: Timestamp, utc_offset_min: i32, notice: Notice) -> Self {
        Self { cursor, at, utc_offset_min, notice, frame: OnceLock::new() }
    }

    /// Who gets it.
    pub const fn audience(&self) -> &Audience {
        &self.notice.audience
    }

    /// Its bytes, shared by all who get it.
    pub fn frame(&self) -> &Frame {
        self.frame.get_or_init(|| {
            let at = rfc3339(self.at, self.utc_offset_min);
            ServerFrame::Event { cursor: self.cursor, at, event: &self.notice.body }.encode()
        })
    }

    /// About as many bytes as it takes in memory, encoded or not.
    fn weight(&self) -> usize {
        let texts = match &self.notice.body.kind {
            NoticeKind::Alert(alert) => {
                let text =
                    |info: &crate::domain::alert_content::AlertInfo| info.description.len() + info.instruction.len();
                1_000 + alert.content.infos.iter().map(text).sum::<usize>()
            }
            NoticeKind::CommandBrief(brief) => brief.message.len() + brief.tasks.iter().map(String::len).sum::<usize>(),
            NoticeKind::AcknowledgementAskedOfArea { asked, .. } => asked.len() * 150,
            NoticeKind::CallsUnanswered { calls, .. } => calls.len() * 50,
            _ => 0,
        };
        let audience = match &self.notice.audience {
            Audience::Compounds { of, .. } => of.len() * size_of::<CompoundId>(),
            Audience::Person(_) | Audience::Area(_) | Audience::Accounts => 0,
        };
        // Once as values and once as bytes.
        2 * (300 + texts) + audience
    }
}

/// The last events, findable by whom they concern.
#[derive(Debug)]
pub struct History {
    frames_max: usize,
    bytes_max: usize,
    bytes: usize,
    kept: Kept,
    all: VecDeque<Arc<LiveEvent>>,
    of_person: HashMap<PersonId, VecDeque<Arc<LiveEvent>>, FastHash>,
    of_compound: HashMap<CompoundId, VecDeque<Arc<LiveEvent>>, FastHash>,
    /// To several compounds, to the dispatchers of an area, or to all accounts.
    wide: VecDeque<Arc<LiveEvent>>,
}

impl History {
    /// Keeps at most so many events and (about) so many bytes.
    pub fn new(frames_max: usize, bytes_max: usize) -> Self {
        Self {
            frames_max,
            bytes_max,
            bytes: 0,
            kept: Kept::default(),
            all: VecDeque::new(),
            of_person: HashMap::default(),
            of_compound: HashMap::default(),
            wide: VecDeque::new(),
        }
    }

    /// The stretch that is kept.
    pub const fn kept(&self) -> Kept {
        self.kept
    }

    /// Begins a record. Where the one before it was not seen, everything before this one is unknown here.
    pub fn begin(&mut self, position: u64) {
        if self.kept.last.position + 1 != position {
            self.begin_anew(position.saturating_sub(1));
        }
        self.kept.last = Cursor { position, part: 0 };
    }

    /// Notes that the journal stands at `position`, where records were taken in that this history was not told of.
    pub fn catch_up(&mut self, position: u64) {
        if self.kept.last.position < position {
            self.begin_anew(position);
        }
    }

    /// Forgets everything: what comes after `position` follows on nothing that was kept.
    pub fn begin_anew(&mut self, position: u64) {
        let here = Cursor { position, part: u32::MAX };
        self.clear();
        self.kept = Kept { floor: here, last: here };
    }

    fn clear(&mut self) {
        self.bytes = 0;
        self.all.clear();
        self.wide.clear();
        self.of_person.clear();
        self.of_compound.clear();
    }

    /// Takes in the next event of the record that was begun.
    pub fn push(&mut self, event: Arc<LiveEvent>) {
        self.kept.last = event.cursor;
        self.bytes += event.weight();
        self.topic(event.audience()).push_back(event.clone());
        self.all.push_back(event);
        while self.all.len() > self.frames_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.all.pop_front() else { break };
            self.bytes -= oldest.weight();
            self.kept.floor = oldest.cursor;
            self.forget(oldest.audience());
        }
    }

    /// The oldest event of all is the oldest of its topic.
    fn forget(&mut self, audience: &Audience) {
        match audience {
            Audience::Person(person) => pop(&mut self.of_person, *person),
            Audience::Compounds { of, .. } if of.len() == 1 => pop(&mut self.of_compound, of[0]),
            Audience::Compounds { .. } | Audience::Area(_) | Audience::Accounts => drop(self.wide.pop_front()),
        }
    }

    fn topic(&mut self, audience: &Audience) -> &mut VecDeque<Arc<LiveEvent>> {
        match audience {
            Audience::Person(person) => self.of_person.entry(*person).or_default(),
            Audience::Compounds { of, .. } if of.len() == 1 => self.of_compound.entry(of[0]).or_default(),
            Audience::Compounds { .. } | Audience::Area(_) | Audience::Accounts => &mut self.wide,
        }
    }

    /// What the actor would have heard after `after`, up to and with `upto`, in order; by what they are to the city now.
    ///
    /// # Errors
    /// When not all of it is kept.
    pub fn missed(
        &self,
        city: &City,
        actor: &Actor,
        after: Cursor,
        upto: Cursor,
    ) -> Result<Vec<Arc<LiveEvent>>, Reload> {
        self.kept.check(after)?;
        let hears = |event: &&Arc<LiveEvent>| city.hears(actor, event.audience());
        if !actor.grants.is_empty() {
            return Ok(between(&self.all, after, upto).filter(hears).cloned().collect());
        }
        let Some(person) = actor.person_id() else { return Ok(Vec::new()) };
        let places = city.places_of(person).filter_map(|id| self.of_compound.get(&id));
        let topics = self.of_person.get(&person).into_iter().chain(places).chain([&self.wide]);
        let mut missed: Vec<_> = topics.flat_map(|topic| between(topic, after, upto)).filter(hears).cloned().collect();
        missed.sort_unstable_by_key(|event| event.cursor);
        Ok(missed)
    }
}

fn pop<K: Copy + std::hash::Hash + Eq>(topics: &mut HashMap<K, VecDeque<Arc<LiveEvent>>, FastHash>, key: K) {
    if let Some(topic) = topics.get_mut(&key) {
        topic.pop_front();
        if topic.is_empty() {
            topics.remove(&key);
        }
    }
}

/// The events after `after`, up to and with `upto`.
fn between(events: &VecDeque<Arc<LiveEvent>>, after: Cursor, upto: Cursor) -> impl Iterator<Item = &Arc<LiveEvent>> {
    let first = events.partition_point(|event| event.cursor <= after);
    let end = events.partition_point(|event| event.cursor <= upto);
    events.range(first..end.max(first))
}
