//! What must hold at the end, whatever failed on the way.

use std::collections::{HashMap, HashSet};

use muster::city::City;
use muster::domain::compound::CompoundId;
use muster::domain::duty::DutyEvent;
use muster::domain::event::{Event, Record};
use muster::domain::ids::AlertId;
use muster::domain::succession::{Holder, SuccessionEvent};

use crate::scenarios::check::same;

use super::Sim;

/// Checks all; gives what happened, and how often.
pub(super) fn all(sim: &Sim) -> HashMap<&'static str, u64> {
    let records = sim.server.records();
    positions_have_no_gap(&records);
    no_command_is_there_twice(&records);
    what_was_acknowledged_is_there(sim, &records);
    all_nodes_show_what_the_journal_says(sim, &records);
    whoever_listened_heard_everything_once(sim, &records);
    sim.phones.check(sim);
    let passed_over = each_holder_is_passed_over_once_for_an_alert(&records);
    let mut happened = sim.clients.happened();
    happened.extend(sim.server.happened());
    happened.extend(sim.phones.happened());
    happened.insert("passed over", passed_over);
    happened
}

fn positions_have_no_gap(records: &[Record]) {
    assert!((1..).zip(records).all(|(position, record)| record.position == position));
}

// INVARIANT: the same command twice is done once.
fn no_command_is_there_twice(records: &[Record]) {
    let mut seen = HashSet::new();
    for Record { position, entry } in records {
        assert!(seen.insert((entry.giver, entry.id)), "record {position} is of a command that was done before");
    }
}

// INVARIANT: nothing acknowledged is lost.
fn what_was_acknowledged_is_there(sim: &Sim, records: &[Record]) {
    for (id, position) in sim.clients.acknowledged() {
        let found = usize::try_from(position - 1).ok().and_then(|n| records.get(n));
        assert_eq!(found.map(|record| record.entry.id), Some(id), "acknowledged at {position}");
    }
}

fn all_nodes_show_what_the_journal_says(sim: &Sim, records: &[Record]) {
    let mut city = City::default();
    for record in records {
        city.evolve(record);
    }
    for node in sim.nodes.iter().flatten() {
        same(&city, &node.muster.city());
    }
}

fn whoever_listened_heard_everything_once(sim: &Sim, records: &[Record]) {
    for node in sim.nodes.iter().flatten() {
        let (after, told) = node.told();
        assert_eq!(told, records[usize::try_from(after).unwrap()..]);
    }
}

// INVARIANT: every_compound_can_be_reached: step by step, each step once, whichever nodes looked at the clock.
fn each_holder_is_passed_over_once_for_an_alert(records: &[Record]) -> u64 {
    let mut heirs: HashMap<(AlertId, CompoundId), HashSet<Holder>> = HashMap::new();
    let mut passed_over = 0;
    for event in records.iter().flat_map(|record| &record.entry.events) {
        match event {
            Event::Succession(compound, SuccessionEvent::PassedOver { alert, to }, _) => {
                assert!(heirs.entry((*alert, *compound)).or_default().insert(*to), "{compound} came to {to:?} twice");
                passed_over += 1;
            }
            // The command is with the head of the line again, who may be passed over again.
            Event::Succession(compound, ..) => heirs.retain(|(_, of), _| of != compound),
            Event::Duty(DutyEvent::StoodDown { compounds, .. }) => heirs.retain(|(_, of), _| !compounds.contains(of)),
            _ => {}
        }
    }
    passed_over
}
