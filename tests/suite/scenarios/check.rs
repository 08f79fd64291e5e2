//! Recounts by brute force what the city keeps as running counts, and folds the journal anew.

use std::collections::{HashMap, HashSet};

use muster::city::City;
use muster::city::tally::Tally;
use muster::domain::area::AreaCode;
use muster::domain::ids::IncidentId;
use muster::domain::roll_call::RollCounts;
use muster::domain::succession::Holder;
use muster::testing::world::World;

/// Everything that must hold at any moment.
#[track_caller]
pub fn consistent(world: &World) {
    counts_are_right(&world.city);
    nobody_is_called_twice(&world.city);
    let again = world.replayed();
    counts_are_right(&again);
    assert_eq!(again.deadlines(), world.city.deadlines(), "a replay waits for other things");
    assert_eq!(again.position(), world.city.position());
    for (id, compound) in world.city.compounds() {
        let other = again.compound(*id).unwrap();
        assert_eq!(other.mode, compound.mode, "{id}");
        assert_eq!(other.board, compound.board, "{id}");
        assert_eq!(other.succession, compound.succession, "{id}");
        assert_eq!((other.silent, other.heard_at), (compound.silent, compound.heard_at), "{id}");
        assert_eq!(other.stock, compound.stock, "{id}");
    }
    for (id, alert) in world.city.alerts() {
        let other = again.alert(*id).unwrap();
        assert_eq!(other.alert, alert.alert);
        assert_eq!(other.funnel, alert.funnel);
        assert_eq!(other.reach, alert.reach);
    }
}

fn counts_are_right(city: &City) {
    for (id, state) in city.incidents().filter(|(_, state)| state.incident.closed_at.is_none()) {
        let mut by_area: HashMap<AreaCode, Tally> = HashMap::new();
        for compound in &state.touched {
            let share = recount(city, *id, *compound);
            for area in compound.areas() {
                by_area.entry(area).or_default().shift(&Tally::default(), &share);
            }
        }
        for (area, tally) in &by_area {
            assert_eq!(state.tally(*area), *tally, "running counts of {area}");
        }
        let open = state.help.values().filter(|request| request.is_open()).count();
        assert_eq!(state.help_queue.len(), open, "the queue holds just the open requests");
    }
}

/// What a compound should contribute, counted household by household and call by call.
fn recount(city: &City, incident: IncidentId, id: muster::domain::compound::CompoundId) -> Tally {
    let compound = city.compound(id).unwrap();
    let here = compound.incident() == Some(incident);
    let mut tally = Tally { in_emergency: u32::from(here), ..Tally::default() };
    if here {
        tally.silent = u32::from(compound.silent);
        tally.duty = compound.duty();
        tally.ready = u32::from(compound.board.as_ref().unwrap().is_ready());
    }
    if let Some(roll) = city.roll(incident, id) {
        let mut counts = RollCounts { households: compound.compound.households(), ..RollCounts::default() };
        for household in roll.households.values() {
            counts.shift(None, household.current());
        }
        let help = &city.incident(incident).unwrap().help;
        let open = help.iter().filter(|(key, request)| key.household.compound == id && request.is_open()).count();
        counts.help_open = u32::try_from(open).unwrap();
        assert_eq!(roll.counts, counts, "running counts of {id}");
        let mut units = RollCounts::default();
        for counts in roll.units.values() {
            muster::city::tally::shift_roll(&mut units, &RollCounts::default(), counts);
        }
        assert_eq!(units, counts, "stairwells of {id} add up");
        tally.roll = counts;
    }
    tally
}

fn nobody_is_called_twice(city: &City) {
    let mut called = HashSet::new();
    for (id, compound) in city.compounds() {
        let Some(board) = &compound.board else { continue };
        for call in board.calls.iter().filter(|call| call.state.is_active()) {
            assert!(called.insert(call.person), "{:?} has two active calls", call.person);
            assert_eq!(city.engagement_of(call.person).map(|post| post.compound), Some(*id));
        }
        if let Holder::Person(person) = compound.succession.holder {
            assert!(city.engagement_of(person).is_some(), "the commander of {id} is free to be called elsewhere");
        }
    }
}
