//! Orders about alerts: draft, submit, approve, break glass; receipts, acknowledgements and the line of succession.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::alert::{Alert, AlertDraft, AlertEvent, AlertKind, AlertStatus, Identity, Issue, REASON_MAX};
use crate::domain::alert_content::{AlertContent, Severity, Urgency};
use crate::domain::area::AreaLevel;
use crate::domain::command::{Command, Order};
use crate::domain::compound::CompoundId;
use crate::domain::event::Event;
use crate::domain::ids::{AlertId, IncidentId, PersonId};
use crate::domain::incident::IncidentEvent;
use crate::domain::lint;
use crate::domain::policy::Policy;
use crate::domain::receipt::{ReceiptMark, Stage};
use crate::domain::refusal::Refusal;
use crate::domain::succession::SuccessionEvent;
use crate::domain::target::{Parts, TargetArea};
use crate::domain::text::check_text;
use crate::domain::time::{MICROS_PER_S, Timestamp};

use super::super::authority::Action;
use super::super::state::City;
use super::{check_system, giver_of, some_events};

/// Receipts that one command may carry.
pub const MARKS_MAX: usize = 100_000;
/// Ancestors that an alert may reference.
const REFERENCES_MAX: usize = 100;

impl City {
    pub(super) fn decide_alert(&self, order: &Order, policy: &Policy) -> Result<Vec<Event>, Refusal> {
        match &order.command {
            Command::DraftAlert { id, draft } => self.decide_draft(order, *id, draft, policy),
            Command::SubmitAlert { alert, confirm_compounds } => {
                self.decide_submit(order, *alert, *confirm_compounds, policy)
            }
            Command::ApproveAlert { alert, confirm_compounds } => {
                let state = self.alert(*alert)?;
                let hits = self.check_send(order, &state.alert, *confirm_compounds, policy)?;
                state.alert.check_second_person(giver_of(order)?)?;
                Ok(vec![self.issue(*alert, &state.alert, hits, order.at, policy, false)])
            }
            Command::RejectAlert { alert, reason } => {
                let state = self.alert(*alert)?;
                self.may_send(&order.actor, &self.hits(&state.alert)?)?;
                state.alert.check_status(&[AlertStatus::AwaitingApproval])?;
                check_text("reason", reason, REASON_MAX)?;
                Ok(vec![Event::Alert(*alert, AlertEvent::Rejected { reason: reason.clone() })])
            }
            Command::BreakGlassAlert { id, incident, compound, content, reason } => {
                check_text("reason", reason, REASON_MAX)?;
                self.decide_break_glass(order, *id, *incident, *compound, content, policy)
            }
            Command::CountersignAlert { alert } => self.decide_countersign(order, *alert),
            _ => Err(Action::SendAlert.not_your_role()),
        }
    }

    fn decide_draft(
        &self,
        order: &Order,
        id: AlertId,
        draft: &AlertDraft,
        policy: &Policy,
    ) -> Result<Vec<Event>, Refusal> {
        self.may_somewhere(&order.actor, Action::SendAlert)?;
        let incident = &self.incident(draft.incident)?.incident;
        incident.check_open()?;
        draft.content.check()?;
        draft.content.check_at(order.at, policy.validity_max_s)?;
        if let Some(old) = draft.kind.replaces() {
            let old = &self.alert(old)?.alert;
            old.check_status(&[AlertStatus::Issued])?;
            if old.exercise != incident.exercise {
                return Err(Refusal::ExerciseMismatch {});
            }
        }
        if !matches!(draft.kind, AlertKind::Cancel { .. }) {
            draft.target.check()?;
        }
        let content = marked(&draft.content, incident.exercise)?;
        let draft = AlertDraft { content, ..draft.clone() };
        let hits = self.hits(&Alert::new(draft.clone(), incident.exercise, order.actor.person_id()))?;
        self.may_send(&order.actor, &hits)?;
        if let Ok(state) = self.alert(id) {
            // A draft is written anew by whoever may send it as it stands; what was submitted or sent is not.
            self.may_send(&order.actor, &self.hits(&state.alert)?)?;
            state.alert.check_status(&[AlertStatus::Draft, AlertStatus::Rejected])?;
            if state.alert.draft.kind != draft.kind || state.alert.draft.incident != draft.incident {
                return Err(Refusal::AlreadyExists { what: format!("预警 alert {id}") });
            }
        }
        Ok(vec![Event::Alert(id, AlertEvent::Drafted(Box::new(draft)))])
    }

    fn decide_submit(
        &self,
        order: &Order,
        id: AlertId,
        confirm: Option<usize>,
        policy: &Policy,
    ) -> Result<Vec<Event>, Refusal> {
        let alert = &self.alert(id)?.alert;
        let hits = self.check_send(order, alert, confirm, policy)?;
        alert.check_status(&[AlertStatus::Draft])?;
        let severity = alert.draft.content.severity;
        let withdraws_own = matches!(alert.draft.kind, AlertKind::Cancel { replaces }
            if order.actor.person_id().is_some_and(|p| self.alert(replaces).is_ok_and(|old| old.alert.was_sent_by(p))));
        if policy.needs_approval(alert.exercise, hits.len(), severity) && !withdraws_own {
            return Ok(vec![Event::Alert(id, AlertEvent::Submitted { hits: hits.len() })]);
        }
        Ok(vec![self.issue(id, alert, hits, order.at, policy, false)])
    }

    /// All that must hold at the moment of sending; gives whom it hits.
    fn check_send(
        &self,
        order: &Order,
        alert: &Alert,
        confirm: Option<usize>,
        policy: &Policy,
    ) -> Result<Vec<CompoundId>, Refusal> {
        let hits = self.hits(alert)?;
        self.may_send(&order.actor, &hits)?;
        let content = &alert.draft.content;
        let incident = &self.incident(alert.draft.incident)?.incident;
        incident.check_open()?;
        // INVARIANT: an exercise can't be mistaken for the real thing, nor the reverse.
        if incident.exercise != alert.exercise {
            return Err(Refusal::ExerciseMismatch {});
        }
        if content.is_expired(order.at) {
            return Err(Refusal::AlertExpired {});
        }
        content.check_at(order.at, policy.validity_max_s)?;
        if let Some(old) = alert.draft.kind.replaces() {
            self.alert(old)?.alert.check_status(&[AlertStatus::Issued])?;
        }
        self.check_text_complete(content, &alert.draft.target, &hits)?;
        match confirm {
            Some(previewed) if previewed != hits.len() => Err(Refusal::TargetChanged { previewed, now: hits.len() }),
            None if !alert.exercise => Err(Refusal::NotConfirmed { compounds: hits.len() }),
            _ => Ok(hits),
        }
    }

    /// Names of places that the text of an alert to this target may use.
    pub fn place_words(&self, target: &TargetArea, hits: &[CompoundId]) -> Vec<String> {
        let areas = target.include.areas.iter().map(|area| self.area_name(*area));
        let few = hits.iter().take(20).filter_map(|id| self.compound(*id).ok().map(|c| c.compound.name.clone()));
        let counties = hits.iter().map(|id| id.area(AreaLevel::County));
        let counties: BTreeSet<_> = counties.collect();
        areas.chain(few).chain(counties.into_iter().map(|county| self.area_name(county))).collect()
    }

    fn check_text_complete(
        &self,
        content: &AlertContent,
        target: &TargetArea,
        hits: &[CompoundId],
    ) -> Result<(), Refusal> {
        lint::require_complete(&lint::lint(content, &self.place_words(target, hits)))
    }

    fn issue(
        &self,
        id: AlertId,
        alert: &Alert,
        compounds: Vec<CompoundId>,
        now: Timestamp,
        policy: &Policy,
        break_glass: bool,
    ) -> Event {
        // The identity is to the second, as CAP has it; the running number keeps two alerts of one second apart.
        let sent = Timestamp(now.0.div_euclid(MICROS_PER_S) * MICROS_PER_S);
        let city = compounds.first().map_or(0, |id| id.area(AreaLevel::City).number());
        let issue = Issue {
            identity: Identity {
                sender: format!("muster.{city}"),
                identifier: format!("{city}-{}", self.alerts_issued() + 1),
                sent,
            },
            references: self.references(alert),
            compounds,
            ack_timeout_s: policy.ack_timeout_s,
            break_glass,
        };
        Event::Alert(id, AlertEvent::Issued(Box::new(issue)))
    }

    /// Every ancestor, oldest first: readers differ in which one they look for.
    fn references(&self, alert: &Alert) -> Vec<Identity> {
        let mut references = Vec::new();
        let mut next = alert.draft.kind.replaces();
        while let Some(old) = next.and_then(|id| self.alert(id).ok()).filter(|_| references.len() < REFERENCES_MAX) {
            references.extend(old.alert.issue.as_ref().map(|issue| issue.identity.clone()));
            next = old.alert.draft.kind.replaces();
        }
        references.reverse();
        references
    }

    fn decide_break_glass(
        &self,
        order: &Order,
        id: AlertId,
        incident: IncidentId,
        compound: CompoundId,
        content: &AlertContent,
        policy: &Policy,
    ) -> Result<Vec<Event>, Refusal> {
        self.may_order(&order.actor, Action::BreakGlass, compound, order.epoch)?;
        if self.alert(id).is_ok() {
            return Err(Refusal::AlreadyExists { what: format!("预警 alert {id}") });
        }
        if content.urgency != Urgency::Immediate || !content.severity.reaches(Severity::Severe) {
            return Err(Refusal::NotBreakGlass { why: "urgency must be Immediate and severity Severe or Extreme" });
        }
        content.check()?;
        content.check_at(order.at, policy.validity_max_s)?;
        let mut events = Vec::new();
        let exercise = if let Ok(state) = self.incident(incident) {
            state.incident.check_open()?;
            state.incident.exercise
        } else {
            let title = content.infos.first().map_or_else(String::new, |info| info.event.clone());
            let opened = IncidentEvent::Opened { hazard: content.hazard, exercise: false, title };
            events.push(Event::Incident(incident, opened));
            false
        };
        let include = Parts { compounds: vec![compound], ..Parts::default() };
        let target = TargetArea { include, exclude: Parts::default() };
        let draft = AlertDraft { incident, kind: AlertKind::Alert, content: marked(content, exercise)?, target };
        self.check_text_complete(&draft.content, &draft.target, &[compound])?;
        let alert = Alert::new(draft.clone(), exercise, order.actor.person_id());
        events.push(Event::Alert(id, AlertEvent::Drafted(Box::new(draft))));
        events.push(self.issue(id, &alert, vec![compound], order.at, policy, true));
        Ok(events)
    }

    fn decide_countersign(&self, order: &Order, id: AlertId) -> Result<Vec<Event>, Refusal> {
        let alert = &self.alert(id)?.alert;
        self.may_send(&order.actor, alert.compounds())?;
        let flagged = alert.issue.as_ref().is_some_and(|issue| issue.break_glass);
        if !flagged || alert.countersigned_by.is_some() {
            return Err(Refusal::AlertNotThere { status: alert.status.name() });
        }
        if alert.author == Some(giver_of(order)?) {
            return Err(Refusal::SamePerson {});
        }
        Ok(vec![Event::Alert(id, AlertEvent::Countersigned {})])
    }

    pub(super) fn decide_receipt(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        match &order.command {
            Command::ReportReceipt { alert, stage } => {
                let person = giver_of(order)?;
                self.check_recipient(*alert, person)?;
                if *stage == Stage::Acknowledged {
                    return self.decide_acknowledge(order, *alert, person);
                }
                Ok(vec![Event::Receipts(vec![ReceiptMark { alert: *alert, person, stage: *stage }])])
            }
            Command::ReportReceipts { marks } => {
                check_system(order)?;
                if marks.len() > MARKS_MAX {
                    return Err(Refusal::BadCount { field: "marks", max: MARKS_MAX });
                }
                // Acknowledgements are answered one by one; what no longer fits is left out, not refused as a whole.
                let fits = |mark: &&ReceiptMark| {
                    mark.stage != Stage::Acknowledged && self.check_recipient(mark.alert, mark.person).is_ok()
                };
                let mut of_alert: BTreeMap<AlertId, Vec<ReceiptMark>> = BTreeMap::new();
                for mark in marks.iter().filter(fits) {
                    of_alert.entry(mark.alert).or_default().push(*mark);
                }
                some_events(of_alert.into_values().map(Event::Receipts).collect(), Refusal::NotARecipient {})
            }
            Command::AcknowledgeAlert { alert } => self.decide_acknowledge(order, *alert, giver_of(order)?),
            Command::PassOver { alert, compounds } => {
                check_system(order)?;
                self.decide_pass_over(order.at, *alert, compounds)
            }
            _ => Err(Action::SeeCompound.not_your_role()),
        }
    }

    fn check_recipient(&self, alert: AlertId, person: PersonId) -> Result<(), Refusal> {
        let state = self.alert(alert)?;
        let got = self.places_of(person).any(|compound| state.reach.contains(compound));
        if got { Ok(()) } else { Err(Refusal::NotARecipient {}) }
    }

    fn decide_acknowledge(&self, order: &Order, id: AlertId, person: PersonId) -> Result<Vec<Event>, Refusal> {
        let state = self.alert(id)?;
        let mut events = Vec::new();
        if self.check_recipient(id, person).is_ok() {
            events.push(Event::Receipts(vec![ReceiptMark { alert: id, person, stage: Stage::Acknowledged }]));
        }
        let waits = |compound: &CompoundId| {
            let waiting = state.reach.get(*compound).is_some_and(|reach| reach.acknowledged.is_none());
            waiting && self.commands(&order.actor, *compound)
        };
        let compounds: Vec<CompoundId> = if order.actor.grants.is_empty() {
            self.places_of(person).filter(waits).collect()
        } else {
            state.alert.compounds().iter().copied().filter(waits).collect()
        };
        if !compounds.is_empty() {
            events.push(Event::Acknowledged { alert: id, person, compounds });
        }
        some_events(events, Refusal::NotARecipient {})
    }

    // INVARIANT: every_compound_can_be_reached: who does not acknowledge in time is passed over, step by step, each an event.
    fn decide_pass_over(&self, now: Timestamp, id: AlertId, compounds: &[CompoundId]) -> Result<Vec<Event>, Refusal> {
        let state = self.alert(id)?;
        let late = |compound: &&CompoundId| {
            state.reach.get(**compound).and_then(|reach| reach.ack_due).is_some_and(|due| due <= now)
        };
        let step = |compound: &CompoundId| {
            let to = self.compound(*compound).ok()?.succession.next(*compound)?;
            let passed_over = SuccessionEvent::PassedOver { alert: id, to };
            Some(Event::Succession(*compound, passed_over, Some(state.alert.draft.incident)))
        };
        some_events(compounds.iter().filter(late).filter_map(step).collect(), Refusal::UnknownAlert {})
    }
}

/// The text with the exercise's word in it; a real alert that speaks of an exercise is refused.
fn marked(content: &AlertContent, exercise: bool) -> Result<AlertContent, Refusal> {
    if exercise {
        return Ok(content.exercise_marked());
    }
    if content.mentions_exercise() {
        return Err(Refusal::ExerciseMismatch {});
    }
    Ok(content.clone())
}
