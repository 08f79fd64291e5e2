//! What follows for the roll and for help requests. This is the path that 500,000 households take: no look-up is by scan.

use crate::domain::help::{HelpKey, HelpRequest, HelpState, Resolution};
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{CommandId, IncidentId, PersonId};
use crate::domain::roll_call::{CheckIn, HelpKind, Report, RollCounts, RollStatus};

use super::super::state::{City, Roll};
use super::super::tally::shift_roll;
use super::Moment;

impl City {
    pub(super) fn evolve_check_in(&mut self, check_in: &CheckIn, id: CommandId, now: Moment) {
        let household = check_in.household;
        let report = Report {
            made_at: check_in.made_at.min(now.at),
            status: check_in.status.clone(),
            heads: check_in.heads,
            verified: check_in.verified,
            note: check_in.note.clone(),
            id,
        };
        let made_at = report.made_at;
        self.change_roll(household, check_in.incident, |roll| merge(roll, household, report));
        if let RollStatus::NeedHelp { kinds } = &check_in.status {
            self.ask_for_help(check_in.incident, household, kinds, made_at);
        }
        self.hear(household.compound, now);
    }

    /// Changes a compound's roll and moves the counts of its areas by the difference.
    fn change_roll(&mut self, household: HouseholdKey, incident: IncidentId, change: impl FnOnce(&mut Roll)) {
        let id = household.compound;
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        let Some(roll) = state.rolls.get_mut(&id) else { return };
        change(roll);
        let counts = roll.counts;
        let share = state.shares.entry(id).or_default();
        let before = std::mem::replace(&mut share.tally.roll, counts);
        for area in id.areas() {
            shift_roll(&mut state.tallies.entry(area).or_default().roll, &before, &counts);
        }
    }

    // INVARIANT: "safe" does not undo "need help": a request ends only by being ended, by name, with a reason.
    fn ask_for_help(
        &mut self,
        incident: IncidentId,
        household: HouseholdKey,
        kinds: &[HelpKind],
        made_at: crate::domain::time::Timestamp,
    ) {
        let Some(compound) = self.compounds.get(&household.compound) else { return };
        let needs = compound.compound.needs_of(household.flat).to_vec();
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        if let Some(key) = state.open_help_of(household) {
            if let Some(request) = state.help.get_mut(&key) {
                state.help_queue.remove(&request.order(key));
                request.join(kinds, made_at);
                state.help_queue.insert(request.order(key));
            }
            return;
        }
        let no = state.help_of(household).next_back().map_or(0, |(key, _)| key.no).saturating_add(1);
        let (key, request) = (HelpKey { household, no }, HelpRequest::open(kinds, made_at, &needs));
        state.help_queue.insert(request.order(key));
        state.help.insert(key, request);
        self.change_roll(household, incident, |roll| count_help(roll, household, true));
    }

    pub(super) fn evolve_help_assigned(&mut self, incident: IncidentId, help: HelpKey, to: PersonId, now: Moment) {
        let state = self.incidents.get_mut(&incident);
        if let Some(request) = state.and_then(|state| state.help.get_mut(&help)) {
            request.state = HelpState::Assigned { to, at: now.at };
        }
    }

    pub(super) fn evolve_help_ended(
        &mut self,
        incident: IncidentId,
        help: HelpKey,
        how: Resolution,
        reason: &str,
        now: Moment,
    ) {
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        let Some(request) = state.help.get_mut(&help).filter(|request| request.is_open()) else { return };
        state.help_queue.remove(&request.order(help));
        request.state = HelpState::Ended { how, by: now.by, reason: reason.to_owned(), at: now.at };
        self.change_roll(help.household, incident, |roll| count_help(roll, help.household, false));
        self.change(help.household.compound, now, |_| ());
    }
}

fn merge(roll: &mut Roll, household: HouseholdKey, report: Report) {
    let entry = roll.households.entry(household.flat).or_default();
    let before = entry.current().cloned();
    entry.merge(report);
    let after = entry.current();
    if before.as_ref() == after {
        return;
    }
    roll.counts.shift(before.as_ref(), after);
    let unit = roll.units.get_mut(&household.flat.unit_no());
    if let Some(counts) = unit {
        counts.shift(before.as_ref(), after);
    }
}

fn count_help(roll: &mut Roll, household: HouseholdKey, opened: bool) {
    let unit = roll.units.get_mut(&household.flat.unit_no());
    let count = |counts: &mut RollCounts| {
        counts.help_open = if opened { counts.help_open + 1 } else { counts.help_open.saturating_sub(1) };
    };
    count(&mut roll.counts);
    unit.into_iter().for_each(count);
}
