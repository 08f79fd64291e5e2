//! Running counts of an area in one incident: changed by what changed, never recounted.
//!
//! Reading the city's total is one look-up, whether it has a hundred households or ten million.

use crate::domain::duty::DutyCounts;
use crate::domain::roll_call::RollCounts;

/// How the compounds of an area stand in one incident. A compound's own tally is its share in each of its areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// In emergency mode now.
    pub in_emergency: u32,
    /// With every called post filled.
    pub ready: u32,
    /// From which nothing was heard for too long.
    pub silent: u32,
    /// Calls.
    pub duty: DutyCounts,
    /// The roll.
    pub roll: RollCounts,
}

impl Tally {
    /// Takes a share out as it was and in as it is.
    pub fn shift(&mut self, before: &Self, after: &Self) {
        move_count(&mut self.in_emergency, before.in_emergency, after.in_emergency);
        move_count(&mut self.ready, before.ready, after.ready);
        move_count(&mut self.silent, before.silent, after.silent);
        shift_duty(&mut self.duty, &before.duty, &after.duty);
        shift_roll(&mut self.roll, &before.roll, &after.roll);
    }
}

fn move_count(count: &mut u32, before: u32, after: u32) {
    // INVARIANT: what is taken out was put in before, so a count never falls below zero.
    debug_assert!(*count + after >= before, "more taken out of a tally than was put in");
    *count = (*count + after).saturating_sub(before);
}

fn shift_duty(sum: &mut DutyCounts, before: &DutyCounts, after: &DutyCounts) {
    move_count(&mut sum.needed, before.needed, after.needed);
    move_count(&mut sum.called, before.called, after.called);
    move_count(&mut sum.acknowledged, before.acknowledged, after.acknowledged);
    move_count(&mut sum.on_post, before.on_post, after.on_post);
    move_count(&mut sum.declined, before.declined, after.declined);
    move_count(&mut sum.no_answer, before.no_answer, after.no_answer);
    move_count(&mut sum.vacant, before.vacant, after.vacant);
}

/// Moves a sum of roll counts by the change of one of its parts.
pub fn shift_roll(sum: &mut RollCounts, before: &RollCounts, after: &RollCounts) {
    move_count(&mut sum.households, before.households, after.households);
    move_count(&mut sum.safe, before.safe, after.safe);
    move_count(&mut sum.away, before.away, after.away);
    move_count(&mut sum.evacuated, before.evacuated, after.evacuated);
    move_count(&mut sum.missing, before.missing, after.missing);
    move_count(&mut sum.need_help, before.need_help, after.need_help);
    move_count(&mut sum.heads, before.heads, after.heads);
    move_count(&mut sum.help_open, before.help_open, after.help_open);
}
