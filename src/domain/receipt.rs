//! Receipts: per alert and compound, how far the alert has got. Sent → on device → shown → acknowledged.
//!
//! A stage implies the ones before it; reports may come twice and out of order.

use std::collections::HashMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{AlertId, PersonId};
use super::succession::{Holder, LINE_MAX};
use super::time::Timestamp;

/// Holders of the command whom one compound keeps as asked: the whole line, community and street, and as many again for handing over.
pub const ASKED_MAX: usize = 2 * (LINE_MAX + 2);

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

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Shown, Self::Acknowledged];
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
        for stage in Stage::ALL {
            if before < Some(stage) && stage <= after {
                *self.at_mut(stage) += 1;
            }
        }
    }

    /// The count of a stage.
    pub const fn at_mut(&mut self, stage: Stage) -> &mut u32 {
        match stage {
            Stage::Delivered => &mut self.delivered,
            Stage::Shown => &mut self.shown,
            Stage::Acknowledged => &mut self.acknowledged,
        }
    }
}

/// Counts of an alert in some compounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FunnelCounts {
    /// Compounds it went to.
    pub compounds: u32,
    /// Of these, in which somebody in command acknowledged.
    pub compounds_acknowledged: u32,
    /// People told, stage by stage.
    pub funnel: Funnel,
}

impl FunnelCounts {
    /// Adds a compound.
    pub fn add(&mut self, reach: &Reach) {
        let compounds_acknowledged = u32::from(reach.acknowledged.is_some());
        *self += Self { compounds: 1, compounds_acknowledged, funnel: reach.funnel };
    }
}

impl AddAssign for Funnel {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.shown += other.shown;
        self.acknowledged += other.acknowledged;
    }
}

impl AddAssign for FunnelCounts {
    fn add_assign(&mut self, other: Self) {
        self.compounds += other.compounds;
        self.compounds_acknowledged += other.compounds_acknowledged;
        self.funnel += other.funnel;
    }
}

/// When an alert came to each stage with one person, in ms after it was sent. Kept small: there is one for each person of each alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress([u32; 3]);

impl Progress {
    /// A stage that was not reached; as a time it would be 50 days, longer than any alert holds.
    const NOT_YET: u32 = u32::MAX;
    /// Nothing came back.
    const NONE: Self = Self([Self::NOT_YET; 3]);

    /// How far it is; `None` while nothing came back.
    pub fn stage(self) -> Option<Stage> {
        Stage::ALL.into_iter().rev().find(|stage| self.after_ms(*stage).is_some())
    }

    /// When it came to a stage, in ms after it was sent.
    pub fn after_ms(self, stage: Stage) -> Option<u32> {
        Some(self.0[stage as usize]).filter(|ms| *ms != Self::NOT_YET)
    }

    /// Notes a stage and those that it implies.
    fn advance(&mut self, stage: Stage, after_ms: u32) {
        for ms in self.0.iter_mut().take(stage as usize + 1).filter(|ms| **ms == Self::NOT_YET) {
            *ms = after_ms.min(Self::NOT_YET - 1);
        }
    }
}

/// A holder of the command who was asked to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Who.
    pub holder: Holder,
    /// When; until the next was asked, or the compound's `ack_due`.
    pub at: Timestamp,
    /// Whether the holder before was passed over for want of an answer; otherwise the command changed hands.
    pub after_silence: bool,
}

/// How far an alert has got in one compound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Reach {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Counts of people.
    pub funnel: Funnel,
    /// How far it got with whom, and when they came there.
    pub people: HashMap<PersonId, Progress>,
    /// Who was asked to acknowledge, in order, the last [`ASKED_MAX`] of them; empty for a cancel.
    pub asked: Vec<Asked>,
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
        let before = self.stage_of(person);
        if before >= Some(stage) {
            return None;
        }
        let after_ms = self.after_ms(at);
        self.people.entry(person).or_insert(Progress::NONE).advance(stage, after_ms);
        self.funnel.advance(before, stage);
        Some(before)
    }

    /// How far it has got with somebody.
    pub fn stage_of(&self, person: PersonId) -> Option<Stage> {
        self.people.get(&person)?.stage()
    }

    /// When it came to a stage with somebody.
    pub fn stage_at(&self, person: PersonId, stage: Stage) -> Option<Timestamp> {
        let after_ms = self.people.get(&person)?.after_ms(stage)?;
        Some(Timestamp(self.sent_at.0.saturating_add(i64::from(after_ms) * MICROS_PER_MS)))
    }

    /// Milliseconds from its sending to `at`; 0 when `at` is not later.
    pub fn after_ms(&self, at: Timestamp) -> u32 {
        let ms = at.0.saturating_sub(self.sent_at.0) / MICROS_PER_MS;
        u32::try_from(ms.max(0)).unwrap_or(u32::MAX)
    }

    /// Notes that a holder of the command is asked to acknowledge.
    pub fn ask(&mut self, asked: Asked) {
        if self.asked.len() == ASKED_MAX {
            self.asked.remove(0);
        }
        self.asked.push(asked);
    }
}

/// Microseconds in a millisecond.
const MICROS_PER_MS: i64 = 1_000;

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

    #[test]
    fn each_stage_keeps_the_time_at_which_it_was_first_reached() {
        let (person, sent_at) = (PersonId(Uuid::from_u128(1)), Timestamp(5_000_000));
        let mut reach = Reach { sent_at, ..Reach::default() };
        assert_eq!(reach.stage_at(person, Stage::Delivered), None);
        reach.mark(person, Stage::Shown, sent_at.plus_s(2));
        reach.mark(person, Stage::Delivered, sent_at.plus_s(3));
        reach.mark(person, Stage::Acknowledged, sent_at.plus_s(9));
        let at = Stage::ALL.map(|stage| reach.stage_at(person, stage).unwrap().since_s(sent_at));
        assert_eq!((at, reach.stage_of(person)), ([2, 2, 9], Some(Stage::Acknowledged)));
        // Half a year later it is late, not early, and not forgotten.
        let late = PersonId(Uuid::from_u128(2));
        reach.mark(late, Stage::Delivered, sent_at.plus_s(180 * 86_400));
        assert_eq!(reach.stage_of(late), Some(Stage::Delivered));
    }

    #[test]
    fn who_was_asked_is_kept_to_a_named_length_the_latest_last() {
        let mut reach = Reach::default();
        for second in 0..=u32::try_from(ASKED_MAX).unwrap() {
            let holder = Holder::Person(PersonId(Uuid::from_u128(second.into())));
            reach.ask(Asked { holder, at: Timestamp(0).plus_s(second), after_silence: true });
        }
        assert_eq!(reach.asked.len(), ASKED_MAX);
        assert_eq!(reach.asked[0].at, Timestamp(0).plus_s(1));
    }
}
