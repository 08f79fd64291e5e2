//! Running counts of an area in one incident: changed by what changed, never recounted.
//!
//! Reading the city's total is one look-up, whether it has a hundred households or ten million.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::domain::duty::DutyCounts;
use crate::domain::roll_call::RollCounts;

/// How the compounds of an area stand in one incident. A compound's own tally is its share in each of its areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Compounds in emergency mode now.
    pub in_emergency: u32,
    /// Of these, ready: see [`DutyBoard::is_ready`](crate::domain::duty::DutyBoard::is_ready).
    pub ready: u32,
    /// Of these, from which nothing was heard for too long.
    pub silent: u32,
    /// Calls.
    pub duty: DutyCounts,
    /// The roll.
    pub roll: RollCounts,
}

/// What one compound contributes to the counts of its areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// To their tallies.
    pub tally: Tally,
    /// Seconds that it took to get ready; `None` while it is not.
    pub ready_s: Option<u64>,
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

/// How long the ready compounds of an area took to get ready. Reading the median costs by how much the times differ, not by how
/// many compounds there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadyTimes(BTreeMap<u64, u32>);

impl ReadyTimes {
    /// Takes one compound's time (seconds; `None` while it is not ready) out as it was and in as it is.
    pub fn shift(&mut self, before: Option<u64>, after: Option<u64>) {
        if let Some(Entry::Occupied(mut count)) = before.map(|s| self.0.entry(s)) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        if let Some(s) = after {
            *self.0.entry(s).or_default() += 1;
        }
    }

    /// Seconds that the middle one took (of an even number the lower middle); `None` while none is ready.
    pub fn median_s(&self) -> Option<u64> {
        let all: u64 = self.0.values().map(|count| u64::from(*count)).sum();
        let mut before = 0;
        let middle = self.0.iter().find(|(_, count)| {
            before += u64::from(**count);
            before * 2 >= all
        });
        middle.map(|(s, _)| *s)
    }
}

fn move_count(count: &mut u32, before: u32, after: u32) {
    // INVARIANT: what is taken out was put in before, so a count never falls below zero.
    debug_assert!(*count + after >= before, "more taken out of a tally than was put in");
    *count = (*count + after).saturating_sub(before);
}

/// Moves every count of a struct of counts; one that is left out does not compile.
macro_rules! shift_counts {
    ($kind:ident { $($count:ident),* }, $sum:expr, $before:expr, $after:expr) => {{
        let $kind { $($count),* } = $sum;
        $(move_count($count, $before.$count, $after.$count);)*
    }};
}

fn shift_duty(sum: &mut DutyCounts, before: &DutyCounts, after: &DutyCounts) {
    shift_counts!(
        DutyCounts { posts, posts_ready, needed, called, acknowledged, on_post, declined, no_answer, vacant },
        sum,
        before,
        after
    );
}

/// Moves a sum of roll counts by the change of one of its parts.
pub fn shift_roll(sum: &mut RollCounts, before: &RollCounts, after: &RollCounts) {
    shift_counts!(
        RollCounts { households, safe, away, evacuated, missing, need_help, heads, help_open },
        sum,
        before,
        after
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_sorted_times() {
        let mut times = ReadyTimes::default();
        assert_eq!(times.median_s(), None);
        let mut sorted: Vec<u64> = Vec::new();
        for n in 0..200_u64 {
            // Now and then one takes another time than it did, or is no longer ready.
            let (old, new) = (sorted.get(7).copied().filter(|_| n % 3 == 0), (n % 5 != 0).then_some(n * 7 % 31));
            times.shift(old, new);
            old.map(|_| sorted.remove(7));
            sorted.extend(new);
            sorted.sort_unstable();
            let middle = sorted.get(sorted.len().saturating_sub(1) / 2).copied();
            assert_eq!(times.median_s(), middle, "{sorted:?}");
        }
    }
}
