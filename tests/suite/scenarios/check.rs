//! Recounts by brute force what the city keeps as running counts, and folds the journal anew.

use std::collections::{HashMap, HashSet};

use muster::city::City;
use muster::city::state::PostState;
use muster::city::tally::Tally;
use muster::domain::area::AreaCode;
use muster::domain::compound::CompoundId;
use muster::domain::duty::{CallState, DutyBoard, DutyCounts};
use muster::domain::ids::{IncidentId, PersonId};
use muster::domain::post::{PostKey, Team};
use muster::domain::roll_call::RollCounts;
use muster::domain::succession::Holder;
use muster::testing::world::World;

/// Everything that must hold at any moment.
#[track_caller]
pub fn consistent(world: &World) {
    counts_are_right(&world.city);
    people_are_those_of_line_and_posts(&world.city);
    nobody_is_called_twice(&world.city);
    no_free_hand_is_passed_by(&world.city);
    the_map_misses_no_change(&world.city);
    let again = world.replayed();
    counts_are_right(&again);
    people_are_those_of_line_and_posts(&again);
    same(&again, &world.city);
}

/// Two folds of one journal have come to the same.
#[track_caller]
pub fn same(one: &City, other: &City) {
    assert_eq!(one.position(), other.position());
    assert_eq!(one.deadlines(), other.deadlines(), "they wait for other things");
    for (id, compound) in other.compounds() {
        let other = one.compound(*id).unwrap();
        assert_eq!(other.mode, compound.mode, "{id}");
        assert_eq!(other.board, compound.board, "{id}");
        assert_eq!(other.succession, compound.succession, "{id}");
        assert_eq!((other.silent, other.heard_at), (compound.silent, compound.heard_at), "{id}");
        assert_eq!(other.stock, compound.stock, "{id}");
    }
    for (id, alert) in other.alerts() {
        let other = one.alert(*id).unwrap();
        assert_eq!(other.alert, alert.alert);
        assert_eq!(other.funnel, alert.funnel);
        assert_eq!(other.reach, alert.reach);
    }
}

fn counts_are_right(city: &City) {
    for (id, state) in city.incidents().filter(|(_, state)| state.incident.closed_at.is_none()) {
        let mut by_area: HashMap<AreaCode, Tally> = HashMap::new();
        let mut ready_by_area: HashMap<AreaCode, Vec<u64>> = HashMap::new();
        for compound in &state.touched {
            let share = recount(city, *id, *compound);
            let board = city.compound(*compound).unwrap().board.as_ref().filter(|board| board.incident == *id);
            let ready_s = board.and_then(DutyBoard::time_to_ready_s);
            for area in compound.areas() {
                by_area.entry(area).or_default().shift(&Tally::default(), &share);
                ready_by_area.entry(area).or_default().extend(ready_s);
            }
        }
        for (area, times) in &mut ready_by_area {
            times.sort_unstable();
            let middle = times.get(times.len().saturating_sub(1) / 2).copied();
            assert_eq!(state.median_ready_s(*area), middle, "time to ready in {area}: {times:?}");
        }
        for (area, tally) in &by_area {
            assert_eq!(state.tally(*area), *tally, "running counts of {area}");
        }
        let open = state.help.values().filter(|request| request.is_open()).count();
        assert_eq!(state.help_queue.len(), open, "the queue holds just the open requests");
    }
}

/// What a compound should contribute, counted household by household and call by call.
fn recount(city: &City, incident: IncidentId, id: CompoundId) -> Tally {
    let compound = city.compound(id).unwrap();
    let here = compound.incident() == Some(incident);
    let mut tally = Tally { in_emergency: u32::from(here), ..Tally::default() };
    if here {
        tally.silent = u32::from(compound.silent);
        let (duty, ready) = recount_duty(compound.board.as_ref().unwrap());
        (tally.duty, tally.ready) = (duty, u32::from(ready));
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

/// Posts, places and calls, and whether it is ready, counted person by person.
fn recount_duty(board: &DutyBoard) -> (DutyCounts, bool) {
    let of = |post: Option<u16>, states: &[CallState]| {
        let calls = board.calls.iter().filter(|call| post.is_none_or(|no| call.post == no));
        u32::try_from(calls.filter(|call| states.contains(&call.state)).count()).unwrap()
    };
    let mut counts = DutyCounts {
        called: of(None, &[CallState::Called]),
        acknowledged: of(None, &[CallState::Acknowledged]),
        on_post: of(None, &[CallState::OnPost]),
        declined: of(None, &[CallState::Declined]),
        no_answer: of(None, &[CallState::NoAnswer]),
        ..DutyCounts::default()
    };
    let mut teams: HashMap<Team, (u32, u32)> = HashMap::new();
    for post in &board.posts {
        let places = u32::from(post.headcount);
        let there = of(Some(post.no), &[CallState::OnPost]);
        let filled = of(Some(post.no), &[CallState::Called, CallState::Acknowledged, CallState::OnPost]);
        counts.posts += 1;
        counts.posts_ready += u32::from(there >= places);
        counts.needed += places;
        counts.vacant += places.saturating_sub(filled);
        let team = teams.entry(post.team.unwrap()).or_default();
        *team = (team.0 + there.min(places), team.1 + places);
    }
    (counts, !teams.is_empty() && teams.values().all(|(there, places)| *there >= places.div_ceil(2)))
}

/// What is kept in one piece for alerts is what the line and the posts say.
fn people_are_those_of_line_and_posts(city: &City) {
    for (id, compound) in city.compounds() {
        let holders: Vec<PersonId> = compound.posts.iter().flat_map(PostState::claimants).collect();
        assert_eq!(compound.holders(), holders, "{id}");
        let people: HashSet<PersonId> = compound.succession.line.iter().chain(&holders).copied().collect();
        assert_eq!((compound.people_count() as usize, compound.people().len()), (people.len(), people.len()), "{id}");
        assert!(compound.people().iter().all(|person| people.contains(person)), "{id}");
    }
}

fn nobody_is_called_twice(city: &City) {
    let mut called: HashMap<PersonId, PostKey> = HashMap::new();
    let mut commands: HashMap<PersonId, Vec<CompoundId>> = HashMap::new();
    for (id, compound) in city.compounds() {
        let Some(board) = &compound.board else { continue };
        for call in board.calls.iter().filter(|call| call.state.is_active()) {
            let before = called.insert(call.person, PostKey { compound: *id, no: call.post });
            assert_eq!(before, None, "{:?} has two active calls", call.person);
        }
        if let Holder::Person(person) = compound.succession.holder {
            commands.entry(person).or_default().push(*id);
        }
    }
    for person in city.compounds().flat_map(|(_, compound)| compound.people()) {
        let commanded: Vec<CompoundId> = city.commanded_by(person).collect();
        assert_eq!(city.call_of(person), called.get(&person).copied());
        assert_eq!(commanded, commands.get(&person).cloned().unwrap_or_default());
    }
}

/// Where a place waits, everybody who holds the post was tried or is engaged; who declined or did not answer elsewhere, or stands
/// in the line of a compound in emergency mode, may have been passed by.
fn no_free_hand_is_passed_by(city: &City) {
    let boards = || city.compounds().filter_map(|(id, compound)| Some((id, compound, compound.board.as_ref()?)));
    let calls = boards().flat_map(|(_, _, board)| &board.calls);
    let unwilling = calls.filter(|call| matches!(call.state, CallState::Declined | CallState::NoAnswer));
    let lines = boards().flat_map(|(_, compound, _)| &compound.succession.line);
    let excused: HashSet<PersonId> = unwilling.map(|call| call.person).chain(lines.copied()).collect();
    for (id, compound, board) in boards() {
        for (post, _) in board.vacancies() {
            let state = compound.posts.iter().find(|state| state.post.no == post.no).unwrap();
            let free = |person: &PersonId| !city.is_engaged(*person) && !excused.contains(person);
            let passed_by = state.claimants().find(free);
            assert_eq!(passed_by, None, "{id}: post {} has a vacancy and somebody free to fill it", post.no);
        }
    }
}

/// What changed since a position is what a scan over all compounds finds.
fn the_map_misses_no_change(city: &City) {
    for (area, back) in [("1404", 0), ("1404", 1), ("1404", 20), ("140403", 200), ("1404", u64::MAX)] {
        let (area, position): (AreaCode, _) = (area.parse().unwrap(), city.position().saturating_sub(back));
        let changed: Vec<CompoundId> = city.changed_since(area, position).into_iter().map(|(id, _)| id).collect();
        let scanned = city.compounds_in(area).filter(|(_, compound)| compound.changed_at > position);
        assert_eq!(changed, scanned.map(|(id, _)| *id).collect::<Vec<_>>(), "changed in {area} after {position}");
    }
}
