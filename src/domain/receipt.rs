//! Receipts: per alert and compound, how far the alert has got. Sent → on device → shown → acknowledged.
//!
//! A stage implies the ones before it; reports may come twice and out of order.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{AlertId, PersonId};
use super::time::Timestamp;

/// How far an alert has got with one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The phone has it.
    Delivered,
    /// The screen shows it.
    Shown,
    /// The person said "received".
    Acknowledged,
}

/// One report; those that arrive together share a record of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptMark {
    /// Of which alert.
    pub alert: AlertId,
    /// Who has it.
    pub person: PersonId,
    /// How far.
    pub stage: Stage,
}

/// How many people an alert has reached, stage by stage. Each stage counts those that went further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Funnel {
    /// People it was sent to.
    pub sent: u32,
    /// On the device of.
    pub delivered: u32,
    /// Shown to.
    pub shown: u32,
    /// Acknowledged by.
    pub acknowledged: u32,
}

impl Funnel {
    /// Notes that one person went from `before` to `after`.
    pub fn advance(&mut self, before: Option<Stage>, after: Stage) {
        for stage in [Stage::Delivered, Stage::Shown, Stage::Acknowledged] {
            if before < Some(stage) && stage <= after {
                *match stage {
                    Stage::Delivered => &mut self.delivered,
                    Stage::Shown => &mut self.shown,
                    Stage::Acknowledged => &mut self.acknowledged,
                } += 1;
            }
        }
    }
}

/// How far an alert has got in one compound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Reach {
    /// Counts of people.
    pub funnel: Funnel,
    /// How far it got with whom, and when they came there.
    pub people: HashMap<PersonId, (Stage, Timestamp)>,
    /// Until when the holder of the command must acknowledge; `None` when somebody did, or nobody is left to ask.
    pub ack_due: Option<Timestamp>,
    /// Who acknowledged for the compound, and when.
    pub acknowledged: Option<(PersonId, Timestamp)>,
    /// How often the command was passed on for want of an answer.
    pub passed_over: u8,
}

impl Reach {
    /// Notes a report; gives the stage before when it moved anything.
    pub fn mark(&mut self, person: PersonId, stage: Stage, at: Timestamp) -> Option<Option<Stage>> {
        let before = self.people.get(&person).map(|(stage, _)| *stage);
        if before >= Some(stage) {
            return None;
        }
        self.people.insert(person, (stage, at));
        self.funnel.advance(before, stage);
        Some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_stage_implies_the_ones_before_and_nothing_counts_twice() {
        let person = PersonId(Uuid::from_u128(1));
        let mut reach = Reach::default();
        assert_eq!(reach.mark(person, Stage::Shown, Timestamp(1)), Some(None));
        assert_eq!(reach.mark(person, Stage::Delivered, Timestamp(2)), None);
        assert_eq!(reach.funnel, Funnel { sent: 0, delivered: 1, shown: 1, acknowledged: 0 });
        assert_eq!(reach.mark(person, Stage::Acknowledged, Timestamp(3)), Some(Some(Stage::Shown)));
        assert_eq!(reach.mark(person, Stage::Acknowledged, Timestamp(4)), None);
        assert_eq!(reach.funnel, Funnel { sent: 0, delivered: 1, shown: 1, acknowledged: 1 });
    }
}
