//! Who waits for what until when. Kept in step by `evolve`; the engine's timer asks what is due and orders it.

use std::collections::BTreeSet;

use crate::domain::compound::CompoundId;
use crate::domain::ids::AlertId;
use crate::domain::time::Timestamp;

/// A thing waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// The holder of the command acknowledges an alert.
    Acknowledgement(AlertId, CompoundId),
    /// Called people answer.
    Answers(CompoundId),
    /// A sign of life.
    SignOfLife(CompoundId),
}

/// All that is waited for, soonest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deadlines(BTreeSet<(Timestamp, Wait)>);

impl Deadlines {
    /// Moves what is waited for from one time to another; `None` is not waiting.
    pub(super) fn move_to(&mut self, wait: Wait, before: Option<Timestamp>, after: Option<Timestamp>) {
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.0.remove(&(at, wait));
        }
        if let Some(at) = after {
            self.0.insert((at, wait));
        }
    }

    /// When the next wait ends.
    pub fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    /// What has waited long enough by `now`, soonest first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = Wait> + '_ {
        self.0.iter().take_while(move |(at, _)| *at <= now).map(|(_, wait)| *wait)
    }
}
