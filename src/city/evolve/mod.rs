//! What follows when something has happened. Total and pure: recovery, live nodes and replays all call [`City::evolve`].
//!
//! An event names things that `decide` has seen; where one is missing all the same (a journal of a later version, say), it is
//! passed over: evolve never fails and never panics.

mod alert;
mod duty;
mod register;
mod roll;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use crate::domain::compound::CompoundId;
use crate::domain::duty::DutyBoard;
use crate::domain::event::{Event, Record};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::incident::{Incident, IncidentEvent};
use crate::domain::time::Timestamp;

use super::deadlines::Wait;
use super::state::{City, CompoundState, IncidentState};
use super::tally::{Share, Tally};

/// What every event of one record shares.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// When the command came in.
    at: Timestamp,
    /// Who gave it; `None` for the system and for households.
    by: Option<PersonId>,
    /// Where the record stands.
    position: u64,
}

impl City {
    /// Takes one record in. Records come in order of position.
    pub fn evolve(&mut self, record: &Record) {
        // INVARIANT: records are taken in one by one, in order, without a gap.
        debug_assert_eq!(record.position, self.position + 1, "records must come in order without a gap");
        self.position = record.position;
        let entry = &record.entry;
        let moment = Moment { at: entry.at, by: entry.giver.person_id(), position: record.position };
        self.newly_called.clear();
        for event in &entry.events {
            self.evolve_event(event, moment, record);
        }
        // Whoever came free is called where a place waits for them.
        for id in std::mem::take(&mut self.freed_in) {
            self.call_posts(id, moment);
        }
    }

    fn evolve_event(&mut self, event: &Event, now: Moment, record: &Record) {
        match event {
            Event::Register(event) => self.evolve_register(event, now),
            Event::Succession(compound, event, _) => self.evolve_succession(*compound, event, now),
            Event::Incident(id, event) => self.evolve_incident(*id, event, now),
            Event::Alert(id, event) => self.evolve_alert(*id, event, now),
            Event::Receipts(marks) => self.evolve_receipts(marks, now),
            Event::Acknowledged { alert, person, compounds } => {
                self.evolve_acknowledged(*alert, *person, compounds, now);
            }
            Event::Duty(event) => self.evolve_duty(event, now),
            Event::CheckedIn(check_in) => self.evolve_check_in(check_in, record.entry.id, now),
            Event::HelpAssigned { incident, help, to } => self.evolve_help_assigned(*incident, *help, *to, now),
            Event::HelpEnded { incident, help, how, reason } => {
                self.evolve_help_ended(*incident, *help, *how, reason, now);
            }
            Event::Aid(event) => self.evolve_aid(event, now),
        }
    }

    fn evolve_incident(&mut self, id: IncidentId, event: &IncidentEvent, now: Moment) {
        match event {
            IncidentEvent::Opened { hazard, exercise, title } => {
                let incident = Incident {
                    hazard: *hazard,
                    exercise: *exercise,
                    title: title.clone(),
                    opened_at: now.at,
                    closed_at: None,
                };
                self.incidents.insert(id, IncidentState::new(incident));
                self.incident_order.push(id);
            }
            IncidentEvent::Closed {} => {
                if let Some(state) = self.incidents.get_mut(&id) {
                    state.incident.closed_at = Some(now.at);
                    // The counts stay; who said what is in the journal, and no more reports are taken.
                    state.rolls.values_mut().for_each(|roll| roll.households = HashMap::new());
                }
            }
        }
    }

    /// Changes a compound and keeps in step: the deadlines, who commands in an emergency, and what the map shows.
    fn change<R>(&mut self, id: CompoundId, now: Moment, change: impl FnOnce(&mut CompoundState) -> R) -> Option<R> {
        let compound = self.compounds.get_mut(&id)?;
        let followed = |c: &CompoundState| {
            (c.board.as_ref().and_then(DutyBoard::answer_due), c.silence_due(), c.emergency_commander())
        };
        let before = followed(compound);
        let result = change(compound);
        let changed_at = std::mem::replace(&mut compound.changed_at, now.position);
        let after = followed(compound);
        self.deadlines.move_to(Wait::Answers(id), before.0, after.0);
        self.deadlines.move_to(Wait::SignOfLife(id), before.1, after.1);
        self.move_command(id, before.2, after.2);
        if changed_at != now.position {
            self.changes.remove(&(changed_at, id));
            self.changes.insert((now.position, id));
        }
        Some(result)
    }

    fn move_command(&mut self, id: CompoundId, before: Option<PersonId>, after: Option<PersonId>) {
        if before == after {
            return;
        }
        if let Some(Entry::Occupied(mut commanded)) = before.map(|person| self.commands.entry(person)) {
            commanded.get_mut().remove(&id);
            if commanded.get().is_empty() {
                commanded.remove();
            }
        }
        if let Some(person) = after {
            self.commands.entry(person).or_default().insert(id);
        }
    }

    /// Changes who has a part in a compound and keeps the look-up by person in step.
    fn change_people(&mut self, id: CompoundId, now: Moment, change: impl FnOnce(&mut CompoundState)) {
        let everybody = |c: &CompoundState| -> BTreeSet<PersonId> {
            let claims = c.posts.iter().flat_map(|post| post.claims.iter().map(|claim| claim.person));
            c.succession.line.iter().copied().chain(claims).collect()
        };
        let Some(before) = self.compounds.get(&id).map(everybody) else { return };
        self.change(id, now, |compound| {
            change(compound);
            compound.recount_people();
        });
        let after = self.compounds.get(&id).map(everybody).unwrap_or_default();
        for gone in before.difference(&after) {
            if let Some(places) = self.places.get_mut(gone) {
                places.remove(&id);
                if places.is_empty() {
                    self.places.remove(gone);
                }
            }
        }
        for come in after.difference(&before) {
            self.places.entry(*come).or_default().insert(id);
        }
    }

    /// Somebody of the compound spoke: it is not silent.
    fn hear(&mut self, id: CompoundId, now: Moment) {
        let was_silent = self.compounds.get(&id).is_some_and(|compound| compound.silent);
        self.change(id, now, |compound| {
            compound.heard_at = compound.heard_at.max(Some(now.at));
            compound.silent = false;
        });
        if was_silent {
            self.settle(id);
        }
    }

    /// Brings the running counts of the compound's incident in step with how it stands.
    fn settle(&mut self, id: CompoundId) {
        if let Some(incident) = self.compounds.get(&id).and_then(CompoundState::incident) {
            let share = self.share_of(id, incident);
            self.move_share(id, incident, share);
        }
    }

    /// What the compound contributes to the counts of an incident now.
    fn share_of(&self, id: CompoundId, incident: IncidentId) -> Share {
        let roll = self.roll(incident, id).map(|roll| roll.counts).unwrap_or_default();
        let here = self.compounds.get(&id).filter(|compound| compound.incident() == Some(incident));
        let Some(compound) = here else {
            return Share { tally: Tally { roll, ..Tally::default() }, ready_s: None };
        };
        let tally = Tally {
            in_emergency: 1,
            ready: u32::from(compound.is_ready()),
            silent: u32::from(compound.silent),
            duty: compound.duty(),
            roll,
        };
        Share { tally, ready_s: compound.board.as_ref().and_then(DutyBoard::time_to_ready_s) }
    }

    fn move_share(&mut self, id: CompoundId, incident: IncidentId, share: Share) {
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        let before = state.shares.insert(id, share).unwrap_or_default();
        if before == share {
            return;
        }
        for area in id.areas() {
            state.tallies.entry(area).or_default().shift(&before.tally, &share.tally);
            if before.ready_s != share.ready_s {
                state.ready_times.entry(area).or_default().shift(before.ready_s, share.ready_s);
            }
        }
    }
}
