//! Orders that the clock gives: pass the command on, give up waiting for an answer, note a silence.
//!
//! They go the way of every other command. Each is decided on the city as it then stands, so one that fires twice, or late,
//! finds nothing left to do and is refused.

use std::collections::BTreeMap;

use crate::city::City;
use crate::city::deadlines::Wait;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::ids::AlertId;
use crate::domain::time::Timestamp;

/// Waits that one tick takes up; the rest come with the next.
pub const DUE_PER_TICK_MAX: usize = 50_000;

/// What is due by `now`, as orders of the system.
pub fn due(city: &City, now: Timestamp) -> Vec<Command> {
    let mut acknowledgements: BTreeMap<AlertId, Vec<CompoundId>> = BTreeMap::new();
    let (mut answers, mut silent) = (Vec::new(), Vec::new());
    for wait in city.deadlines().due(now).take(DUE_PER_TICK_MAX) {
        match wait {
            Wait::Acknowledgement(alert, compound) => acknowledgements.entry(alert).or_default().push(compound),
            Wait::Answers(compound) => answers.push(compound),
            Wait::SignOfLife(compound) => silent.push(compound),
        }
    }
    let mut commands: Vec<Command> =
        acknowledgements.into_iter().map(|(alert, compounds)| Command::PassOver { alert, compounds }).collect();
    if !answers.is_empty() {
        commands.push(Command::TimeOutCalls { compounds: answers });
    }
    if !silent.is_empty() {
        commands.push(Command::NoteSilence { compounds: silent });
    }
    commands
}
