//! The map for those who watch over areas: a snapshot, then what changed, conflated.
//!
//! What changed is read off the city (`changed_at`) when it is sent, so the latest state wins and a watcher that reads slowly gets
//! less, not later. States are encoded once for all who watch the same areas from the same position.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::city::City;
use crate::city::authority::Action;
use crate::city::map_state::MapState;
use crate::domain::actor::Actor;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::runtime::Muster;

use super::frame::{Frame, ServerFrame};
use super::hub::Hub;
use super::seats::MapWatch;

/// The areas whose map the actor may watch, none inside another.
pub fn areas_of(city: &City, actor: &Actor) -> Vec<AreaCode> {
    let mut areas: Vec<AreaCode> = actor.grants.iter().map(|grant| grant.area).collect();
    areas.retain(|area| city.may_in_area(actor, Action::SeeCompound, *area).is_ok());
    // By code, so that a walk over them meets compounds in order.
    areas.sort_unstable_by_key(|area| *CompoundId::all_in(*area).start());
    areas.dedup();
    let all = areas.clone();
    areas.retain(|area| !all.iter().any(|other| other != area && other.contains(*area)));
    areas
}

/// The next part of a snapshot: up to `max` compounds of the areas after `after`, and whether more follow.
pub fn snapshot_part(city: &City, areas: &[AreaCode], after: Option<CompoundId>, max: usize) -> (Vec<MapState>, bool) {
    let ahead = areas.iter().filter(|area| after.is_none_or(|after| *CompoundId::all_in(**area).end() > after));
    let rest = ahead.flat_map(|area| city.compounds_within(CompoundId::all_in(*area), after));
    let mut part: Vec<MapState> = rest.take(max + 1).map(|(id, state)| city.map_state(*id, state)).collect();
    let more = part.len() > max;
    part.truncate(max);
    (part, more)
}

impl Hub {
    /// Leaves for each watcher what changed since the last time. Called at most five times a second; nothing changed, nothing sent.
    pub fn flush_map(&self, city: &City) {
        let position = city.position();
        for (watch, places) in self.map_watchers(position) {
            let frames = changes(city, &watch, self.limits().map_frame_compounds).into();
            self.leave_map(&places, &frames, position);
        }
    }

    /// Flushes the map until the hub's process ends.
    pub async fn drive_map(self, muster: Muster) {
        let mut ticks = tokio::time::interval(self.limits().map_interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.flush_map(&muster.city());
        }
    }
}

/// What changed for a watcher, as frames; none when nothing did.
fn changes(city: &City, watch: &MapWatch, max: usize) -> Vec<Frame> {
    let changed = watch.areas.iter().flat_map(|area| city.changed_since(*area, watch.position));
    let states: Vec<MapState> = changed.map(|(id, state)| city.map_state(id, state)).collect();
    let parts = states.len().div_ceil(max.max(1));
    let frame = |(i, compounds): (usize, &[MapState])| {
        let more = i + 1 < parts;
        ServerFrame::Map { position: city.position(), snapshot: false, more, compounds }.encode()
    };
    states.chunks(max.max(1)).enumerate().map(frame).collect()
}
