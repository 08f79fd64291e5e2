//! What follows for alerts: who was sent them, how far they got, who must acknowledge until when.

use crate::domain::alert::{Alert, AlertEvent, AlertKind, Issue};
use crate::domain::compound::CompoundId;
use crate::domain::ids::{AlertId, PersonId};
use crate::domain::receipt::{Asked, Funnel, Reach, ReceiptMark, Stage};
use crate::domain::succession::{Holder, SuccessionEvent};
use crate::domain::time::Timestamp;

use super::super::deadlines::Wait;
use super::super::state::{AlertState, City, Reaches};
use super::Moment;

impl City {
    pub(super) fn evolve_alert(&mut self, id: AlertId, event: &AlertEvent, now: Moment) {
        if let AlertEvent::Drafted(draft) = event
            && !self.alerts.contains_key(&id)
        {
            let exercise = self.incidents.get(&draft.incident).is_some_and(|state| state.incident.exercise);
            let alert = Alert::new((**draft).clone(), exercise, now.by);
            let state =
                AlertState { alert, reach: Reaches::default(), funnel: Funnel::default(), compounds_acknowledged: 0 };
            self.alerts.insert(id, state);
            self.alert_order.push(id);
        }
        if let Some(state) = self.alerts.get_mut(&id) {
            state.alert.evolve(event, now.by, now.at);
        }
        if let AlertEvent::Issued(issue) = event {
            self.send(id, issue, now);
        }
    }

    /// Sent to everybody with a part in the compounds; in each, the holder of the command must acknowledge.
    fn send(&mut self, id: AlertId, issue: &Issue, now: Moment) {
        self.alerts_issued += 1;
        let Some(kind) = self.alerts.get(&id).map(|state| state.alert.draft.kind) else { return };
        let must_acknowledge = !matches!(kind, AlertKind::Cancel { .. });
        let reach: Reaches = issue
            .compounds
            .iter()
            .map(|compound| {
                let reach = self.change(*compound, now, |state| {
                    state.last_alert = Some(id);
                    let funnel = Funnel { sent: state.people_count(), ..Funnel::default() };
                    if !must_acknowledge {
                        return Reach { sent_at: now.at, funnel, ..Reach::default() };
                    }
                    state.unacknowledged.push(id);
                    let command = &state.succession;
                    // Where the street commands already, nobody comes after it.
                    let ack_due = (!command.is_last()).then(|| now.at.plus_s(issue.ack_timeout_s));
                    let asked = vec![Asked { holder: command.holder, at: now.at, after_silence: false }];
                    Reach { sent_at: now.at, funnel, ack_due, asked, ..Reach::default() }
                });
                let reach = reach.unwrap_or_else(|| Reach { sent_at: now.at, ..Reach::default() });
                self.deadlines.move_to(Wait::Acknowledgement(id, *compound), None, reach.ack_due);
                (*compound, reach)
            })
            .collect();
        if let Some(state) = self.alerts.get_mut(&id) {
            state.funnel.sent = reach.values().map(|reach| reach.funnel.sent).sum();
            state.reach = reach;
            if let Some(incident) = self.incidents.get_mut(&state.alert.draft.incident) {
                incident.alerts.push(id);
            }
        }
        if let Some(old) = kind.replaces() {
            self.replace(old, id, matches!(kind, AlertKind::Cancel { .. }), now);
        }
    }

    /// Nobody needs to acknowledge an alert that another one replaced.
    fn replace(&mut self, old: AlertId, by: AlertId, cancelled: bool, now: Moment) {
        let Some(state) = self.alerts.get_mut(&old) else { return };
        state.alert.replace(by, cancelled);
        for compound in state.alert.compounds().to_vec() {
            self.stop_asking(old, compound, now);
        }
    }

    pub(super) fn evolve_receipts(&mut self, marks: &[ReceiptMark], now: Moment) {
        for mark in marks {
            let places: Vec<CompoundId> = self.places_of(mark.person).collect();
            let Some(state) = self.alerts.get_mut(&mark.alert) else { continue };
            let mut moved = Vec::with_capacity(places.len());
            for compound in places {
                let Some(reach) = state.reach.get_mut(compound) else { continue };
                if let Some(before) = reach.mark(mark.person, mark.stage, now.at) {
                    state.funnel.advance(before, mark.stage);
                    moved.push(compound);
                }
            }
            for compound in moved {
                if mark.stage == Stage::Acknowledged {
                    self.hear(compound, now);
                } else {
                    self.change(compound, now, |_| ());
                }
            }
        }
    }

    pub(super) fn evolve_acknowledged(&mut self, id: AlertId, by: PersonId, compounds: &[CompoundId], now: Moment) {
        for compound in compounds {
            self.note_acknowledged(id, *compound, by, now);
            self.hear(*compound, now);
        }
    }

    fn note_acknowledged(&mut self, id: AlertId, compound: CompoundId, by: PersonId, now: Moment) {
        self.stop_asking(id, compound, now);
        let Some(state) = self.alerts.get_mut(&id) else { return };
        let Some(reach) = state.reach.get_mut(compound) else { return };
        if reach.acknowledged.is_none() {
            reach.acknowledged = Some((by, now.at));
            state.compounds_acknowledged += 1;
        }
    }

    fn stop_asking(&mut self, id: AlertId, compound: CompoundId, now: Moment) {
        self.set_ack_due(id, compound, None);
        self.change(compound, now, |state| state.unacknowledged.retain(|alert| *alert != id));
    }

    fn set_ack_due(&mut self, id: AlertId, compound: CompoundId, due: Option<Timestamp>) {
        let reach = self.alerts.get_mut(&id).and_then(|state| state.reach.get_mut(compound));
        if let Some(reach) = reach {
            let before = std::mem::replace(&mut reach.ack_due, due);
            self.deadlines.move_to(Wait::Acknowledgement(id, compound), before, due);
        }
    }

    /// A new holder gets the full time for every alert that still waits; one who has acknowledged already is not asked again. Of an
    /// alert that expired only who comes next after a silent holder is asked: whoever takes command otherwise begins anew.
    pub(super) fn ask_new_holder(&mut self, id: CompoundId, event: &SuccessionEvent, now: Moment) {
        let after_silence = matches!(event, SuccessionEvent::PassedOver { .. });
        let Some(compound) = self.compounds.get(&id) else { return };
        let (holder, last) = (compound.succession.holder, compound.succession.is_last());
        for alert in compound.unacknowledged.clone() {
            let Some(state) = self.alerts.get(&alert) else { continue };
            if !after_silence && state.alert.draft.content.is_expired(now.at) {
                self.stop_asking(alert, id, now);
                continue;
            }
            let said = |person| state.reach.get(id).and_then(|reach| reach.stage_of(person));
            if let Holder::Person(person) = holder
                && said(person) == Some(Stage::Acknowledged)
            {
                self.note_acknowledged(alert, id, person, now);
            } else {
                let timeout_s = state.alert.issue.as_ref().map_or(0, |issue| issue.ack_timeout_s);
                // After the street nobody is left to ask: the compound stays unacknowledged, and is shown so.
                self.set_ack_due(alert, id, (!last).then(|| now.at.plus_s(timeout_s)));
                if let Some(reach) = self.alerts.get_mut(&alert).and_then(|state| state.reach.get_mut(id)) {
                    reach.ask(Asked { holder, at: now.at, after_silence });
                }
            }
        }
    }
}
