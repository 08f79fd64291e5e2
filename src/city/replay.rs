//! An incident told again: the journal's records folded into a city of their own, and what each changed on the map, frame by frame.
//!
//! Pure: who reads the journal, for whom and for how long is the server's. The fold is [`City::evolve`] and the states are those of
//! [`City::map_state`], so a replay says what the live map said at that position, silence included: falling silent is an event.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::duty::DutyCounts;
use crate::domain::event::{Event, Record};
use crate::domain::hazard::ResponseLevel;
use crate::domain::ids::IncidentId;
use crate::domain::incident::IncidentEvent;
use crate::domain::refusal::Refusal;
use crate::domain::roll_call::RollCounts;
use crate::domain::time::Timestamp;

use super::map_state::{MapAlert, MapState};
use super::state::City;

/// Milliseconds of the shortest time for which frames are put together; it doubles until they are few enough.
const SPAN_FIRST_MS: u64 = 250;

/// How a compound's state differs from that of the frame before: what did not change is left out. (Of two `Option`s the outer one says
/// whether it changed, the inner one is the value.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MapChange {
    /// Which compound.
    pub id: CompoundId,
    /// Whether it is in emergency mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub emergency: Option<bool>,
    /// At which level; `null` in normal mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Option<ResponseLevel>>,
    /// Under which incident; `null` in normal mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<Option<IncidentId>>,
    /// Whether that incident is an exercise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub exercise: Option<bool>,
    /// Whether nothing was heard for too long: unknown, never fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub silent: Option<bool>,
    /// Whether nobody of the compound itself is named to command it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub nobody_named: Option<bool>,
    /// The area whose dispatchers hold the command; `null` while somebody of the line holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by_area: Option<Option<AreaCode>>,
    /// The last alert that went to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Option<MapAlert>>,
    /// How its posts and calls stand; all zero in normal mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub duty: Option<DutyCounts>,
    /// Whether every called team has at least half of its places manned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ready: Option<bool>,
    /// Its roll in this emergency; `null` in normal mode, or where none was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roll: Option<Option<RollCounts>>,
    /// Help requests that are open or assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub help_open: Option<u32>,
}

impl MapChange {
    /// From `before` (nothing, where the compound was not shown yet) to `after`; `None` when they are the same.
    pub fn between(before: Option<&MapState>, after: &MapState) -> Option<Self> {
        if before == Some(after) {
            return None;
        }
        /// A field that is left out of the state or of the change does not compile.
        macro_rules! changed {
            ($($field:ident),*) => {{
                let MapState { id, $($field),* } = after.clone();
                Self { id, $($field: before.is_none_or(|before| before.$field != $field).then_some($field)),* }
            }};
        }
        Some(changed!(
            emergency,
            level,
            incident,
            exercise,
            silent,
            nobody_named,
            held_by_area,
            alert,
            duty,
            ready,
            roll,
            help_open
        ))
    }
}

/// How the map stood after a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// All records up to here are in it.
    pub position: u64,
    /// When the last of them that changed something was made.
    pub at: Timestamp,
    /// What changed since the frame before; in the first, how every compound stands.
    pub changes: Vec<MapChange>,
}

/// What is told again.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Which incident.
    pub incident: IncidentId,
    /// How these compounds stood; others are not looked at.
    pub compounds: BTreeSet<CompoundId>,
    /// The first frame is not before this position.
    pub from: u64,
    /// Nothing after this position is looked at.
    pub until: u64,
    /// Frames at most; from 1.
    pub frames_max: usize,
    /// States in all frames together at most; never so few that the first frame does not fit.
    pub states_max: usize,
}

/// A frame as it is gathered: whole states, since neighbours may still be put together.
#[derive(Debug)]
struct Gathered {
    position: u64,
    at: Timestamp,
    states: BTreeMap<CompoundId, MapState>,
}

/// The fold. Records go in by [`Replay::take`], in order, from the first of the journal.
#[derive(Debug)]
pub struct Replay {
    plot: Plot,
    city: City,
    /// The latest time of all records so far: frames never go back, even where a clock was put back.
    at: Timestamp,
    frames: Vec<Gathered>,
    /// How each compound stands in the last frame.
    shown: BTreeMap<CompoundId, MapState>,
    states: usize,
    /// Frames within so many milliseconds are one; 0 while each record has its own.
    span_ms: u64,
}

/// An incident as it was, to be shown on a map.
#[derive(Debug)]
pub struct Told {
    /// The frames, in order; none when the incident was not yet open at the end.
    pub frames: Vec<Frame>,
    /// What happened within so many milliseconds may be in one frame; 0 when each change has its own.
    pub span_ms: u64,
    /// The last record that was looked at.
    pub end: u64,
    /// When it was made.
    pub ends_at: Timestamp,
}

impl Replay {
    /// Nothing told yet.
    pub fn of(plot: Plot) -> Self {
        Self {
            plot,
            city: City::default(),
            at: Timestamp(i64::MIN),
            frames: Vec::new(),
            shown: BTreeMap::new(),
            states: 0,
            span_ms: 0,
        }
    }

    /// Takes the next record in. Breaks off when the incident is closed or the end of what was asked for is reached.
    pub fn take(&mut self, record: &Record) -> ControlFlow<()> {
        self.city.evolve(record);
        self.at = self.at.max(record.entry.at);
        if self.city.incident(self.plot.incident).is_ok() && record.position >= self.plot.from {
            self.show(record.position);
        }
        let closes =
            |event: &Event| matches!(event, Event::Incident(id, IncidentEvent::Closed {}) if *id == self.plot.incident);
        if record.position >= self.plot.until || record.entry.events.iter().any(closes) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// The frames as they go out.
    pub fn told(self) -> Told {
        let mut shown: BTreeMap<CompoundId, MapState> = BTreeMap::new();
        let mut frames = Vec::with_capacity(self.frames.len());
        for Gathered { position, at, states } in self.frames {
            let change = |(id, state): (&CompoundId, &MapState)| MapChange::between(shown.get(id), state);
            let changes: Vec<MapChange> = states.iter().filter_map(change).collect();
            shown.extend(states);
            // What changed and changed back within one frame is none.
            if !changes.is_empty() || frames.is_empty() {
                frames.push(Frame { position, at, changes });
            }
        }
        Told { frames, span_ms: self.span_ms, end: self.city.position(), ends_at: self.at }
    }

    /// A frame of what the last record changed; the first is of all.
    fn show(&mut self, position: u64) {
        let changed: Vec<CompoundId> = if self.frames.is_empty() {
            self.plot.compounds.iter().copied().collect()
        } else {
            self.city.changed_by_last().filter(|id| self.plot.compounds.contains(id)).collect()
        };
        let states = changed.into_iter().filter_map(|id| Some(self.city.map_state(id, self.city.compound(id).ok()?)));
        let states: BTreeMap<_, _> =
            states.filter(|state| self.shown.get(&state.id) != Some(state)).map(|state| (state.id, state)).collect();
        if states.is_empty() && !self.frames.is_empty() {
            return;
        }
        self.shown.extend(states.clone());
        self.states += states.len();
        self.frames.push(Gathered { position, at: self.at, states });
        self.join_last();
        while self.frames.len() > self.plot.frames_max || self.states > self.plot.states_max.max(self.shown.len() * 2) {
            self.coarsen();
        }
    }

    /// Which stretch of time a frame belongs to; the first frame stays by itself, since it says how everything stood.
    fn stretch(&self, index: usize) -> (bool, u64) {
        let (first, frame) = (self.frames[0].at, self.frames[index].at);
        let ms = frame.0.abs_diff(first.0) / 1_000;
        (index == 0 && self.plot.frames_max > 1, ms.checked_div(self.span_ms).unwrap_or(0))
    }

    /// Puts the last frame together with the one before, where they are of one stretch.
    fn join_last(&mut self) {
        let last = self.frames.len() - 1;
        if self.span_ms == 0 || last == 0 || self.stretch(last) != self.stretch(last - 1) {
            return;
        }
        if let (Some(later), Some(frame)) = (self.frames.pop(), self.frames.last_mut()) {
            self.states -= frame.join(later);
        }
    }

    /// Doubles the stretch, and puts together what is of one stretch now.
    fn coarsen(&mut self) {
        self.span_ms = (self.span_ms * 2).max(SPAN_FIRST_MS);
        let frames = std::mem::take(&mut self.frames);
        for frame in frames {
            self.frames.push(frame);
            self.join_last();
        }
    }
}

impl Gathered {
    /// Takes a later frame in; returns how many states it replaced.
    fn join(&mut self, later: Self) -> usize {
        let before = self.states.len() + later.states.len();
        (self.position, self.at) = (later.position, later.at);
        self.states.extend(later.states);
        before - self.states.len()
    }
}

impl City {
    /// The compounds that an incident ever concerned: those that were in emergency mode under it, and those that its alerts went to.
    ///
    /// # Errors
    /// [`Refusal::UnknownIncident`].
    pub fn concerned_by(&self, incident: IncidentId) -> Result<BTreeSet<CompoundId>, Refusal> {
        let state = self.incident(incident)?;
        let alerts = state.alerts.iter().filter_map(|id| self.alert(*id).ok());
        let alerted = alerts.flat_map(|alert| alert.alert.compounds().iter().copied());
        Ok(state.touched.iter().copied().chain(alerted).collect())
    }

    /// The compounds that the last record changed on the map.
    fn changed_by_last(&self) -> impl Iterator<Item = CompoundId> + '_ {
        self.changes.iter().rev().take_while(|(at, _)| *at == self.position).map(|(_, id)| *id)
    }
}
