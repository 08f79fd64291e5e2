//! Which notices a record becomes, event by event, in a fixed order: the same on every node and after every restart.

use std::sync::Arc;

use crate::domain::alert::{AlertEvent, Issue};
use crate::domain::compound::CompoundId;
use crate::domain::duty::DutyEvent;
use crate::domain::event::{Event, Record};
use crate::domain::help::HelpKey;
use crate::domain::ids::{AlertId, IncidentId};
use crate::domain::incident::IncidentEvent;
use crate::domain::roll_call::{CheckIn, RollStatus};
use crate::domain::time::Timestamp;

use super::super::state::City;
use super::notice::{
    AlertNotice, Extent, HelpNotice, IncidentNotice, Notice, NoticeBody, NoticeKind, Occasion, ReportNotice,
};
use super::{Audience, Part};

/// The notices of one record as they come together.
pub(super) struct Draft<'a> {
    /// The city right after the record.
    pub(super) city: &'a City,
    /// When the record's command came in.
    pub(super) at: Timestamp,
    /// Where its notices go, one by one.
    to: &'a mut dyn FnMut(Notice),
}

impl Draft<'_> {
    /// Adds a notice.
    pub(super) fn say(&mut self, audience: Audience, occasion: Occasion, kind: NoticeKind) {
        (self.to)(Notice { audience, body: NoticeBody { occasion, kind } });
    }

    /// Adds a notice to those who are one of `parts` to some compounds; nothing when there are none.
    pub(super) fn say_in(
        &mut self,
        compounds: impl IntoIterator<Item = CompoundId>,
        parts: &'static [Part],
        occasion: Occasion,
        kind: NoticeKind,
    ) {
        if let Some(audience) = Audience::of_compounds(compounds, parts) {
            self.say(audience, occasion, kind);
        }
    }

    /// Of what happens under an incident.
    pub(super) fn occasion(&self, incident: Option<IncidentId>) -> Occasion {
        Occasion::of(incident.and_then(|id| self.city.incident(id).ok()).map(|state| &state.incident))
    }

    /// Of what happens in a compound, under the incident it is in now.
    pub(super) fn occasion_in(&self, compound: CompoundId) -> Occasion {
        self.occasion(self.city.compound(compound).ok().and_then(super::super::state::CompoundState::incident))
    }
}

impl City {
    /// What is said of a record, and to whom. Asked right after the record was taken in, while the city stands just there: what
    /// follows by rule (calls, openings of help requests) is read off it.
    pub fn notices(&self, record: &Record) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.tell(record, &mut |notice| notices.push(notice));
        notices
    }

    /// The same, one by one: an alert to the city has thousands.
    pub fn tell(&self, record: &Record, to: &mut dyn FnMut(Notice)) {
        let mut draft = Draft { city: self, at: record.entry.at, to };
        for event in &record.entry.events {
            draft.event(event);
        }
        draft.calls_made();
        draft.passed_on(record);
    }
}

impl Draft<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Alert(id, AlertEvent::Issued(issue)) => self.alert_issued(*id, issue),
            Event::Alert(id, AlertEvent::Submitted { hits }) => self.alert_submitted(*id, *hits),
            Event::Acknowledged { alert, person, compounds } => {
                let occasion = self.occasion_of_alert(*alert);
                for compound in compounds {
                    let (alert, person, compound) = (*alert, *person, *compound);
                    let kind = NoticeKind::AlertAcknowledged { alert, compound, person };
                    self.say(Audience::of_compound(compound, Part::LINE), occasion, kind);
                }
            }
            Event::Duty(event) => self.duty(event),
            Event::CheckedIn(check_in) => self.checked_in(check_in),
            Event::HelpAssigned { incident, help, .. } => self.help(*incident, *help, NoticeKind::HelpAssigned),
            Event::HelpEnded { incident, help, .. } => self.help(*incident, *help, NoticeKind::HelpEnded),
            Event::Succession(compound, event, _) => self.succession(*compound, event),
            Event::Incident(id, event) => self.incident(*id, event),
            Event::Register(_) | Event::Alert(..) | Event::Receipts(_) | Event::Aid(_) => {}
        }
    }

    fn duty(&mut self, event: &DutyEvent) {
        match event {
            DutyEvent::Raised { incident, level, compounds, .. } => self.raised(*incident, *level, compounds),
            DutyEvent::StoodDown { incident, compounds } => self.stood_down(*incident, compounds),
            DutyEvent::Answered { post, person, answer, .. } => self.answered(*post, *person, answer),
            DutyEvent::Unanswered { compound, calls, .. } => self.unanswered(*compound, calls),
            DutyEvent::FellSilent { compounds, .. } => self.fell_silent(compounds),
        }
    }

    /// Whoever has an account sees every incident, so all of them are told: the band of each screen says real or exercise.
    fn incident(&mut self, incident: IncidentId, event: &IncidentEvent) {
        let Ok(state) = self.city.incident(incident) else { return };
        let (title, hazard) = (state.incident.title.clone(), state.incident.hazard);
        let notice = IncidentNotice { incident, title, hazard };
        let kind = match event {
            IncidentEvent::Opened { .. } => NoticeKind::IncidentOpened(notice),
            IncidentEvent::Closed {} => NoticeKind::IncidentClosed(notice),
        };
        self.say(Audience::Accounts, Occasion::of(Some(&state.incident)), kind);
    }

    /// Real or exercise, as the alert's incident is.
    pub(super) fn occasion_of_alert(&self, id: AlertId) -> Occasion {
        self.city.alert(id).map_or(Occasion::ROUTINE, |state| Occasion::of_exercise(state.alert.exercise))
    }

    fn alert_issued(&mut self, id: AlertId, issue: &Issue) {
        let Ok(state) = self.city.alert(id) else { return };
        let occasion = self.occasion_of_alert(id);
        let draft = &state.alert.draft;
        let notice = AlertNotice {
            alert: id,
            incident: draft.incident,
            kind: draft.kind,
            identity: issue.identity.clone(),
            content: Arc::new(draft.content.clone()),
            break_glass: issue.break_glass,
            extent: None,
        };
        let mut sorted = issue.compounds.clone();
        sorted.sort_unstable();
        let watched = AlertNotice { extent: Some(Extent::of(&sorted)), ..notice.clone() };
        self.say_in(sorted.iter().copied(), Part::MEMBERS, occasion, NoticeKind::Alert(Box::new(notice)));
        self.say_in(sorted.iter().copied(), Part::ACCOUNTS, occasion, NoticeKind::Alert(Box::new(watched)));
        self.ask_holders(&sorted, &[id]);
    }

    fn alert_submitted(&mut self, id: AlertId, hits: usize) {
        let Ok(state) = self.city.alert(id) else { return };
        let occasion = self.occasion_of_alert(id);
        let compounds = self.city.hits(&state.alert).unwrap_or_default();
        self.say_in(compounds, Part::DISPATCHERS, occasion, NoticeKind::AlertAwaitsApproval { alert: id, hits });
    }

    fn checked_in(&mut self, check_in: &CheckIn) {
        let CheckIn { incident, household, status, heads, verified, made_at, .. } = check_in;
        let made_at = (*made_at).min(self.at);
        let roll = self.city.roll(check_in.incident, household.compound);
        let current = roll.and_then(|roll| roll.households.get(&household.flat)).and_then(|entry| entry.current());
        let counts = current.is_some_and(|report| report.made_at == made_at && report.status == *status);
        let notice = ReportNotice {
            household: *household,
            incident: *incident,
            status: status.clone(),
            heads: *heads,
            verified: *verified,
            made_at,
            counts,
        };
        let audience = Audience::of_compound(household.compound, Part::MEMBERS);
        self.say(audience, self.occasion(Some(*incident)), NoticeKind::HouseholdReported(notice));
        if matches!(status, RollStatus::NeedHelp { .. }) {
            let open = self.city.incident(*incident).ok().and_then(|state| state.open_help_of(*household));
            if let Some(help) = open {
                self.help(*incident, help, NoticeKind::HelpOpened);
            }
        }
    }

    fn help(&mut self, incident: IncidentId, help: HelpKey, kind: impl FnOnce(HelpNotice) -> NoticeKind) {
        let request = self.city.incident(incident).ok().and_then(|state| state.help.get(&help));
        let Some(request) = request else { return };
        let (kinds, made_at, state) = (request.kinds.clone(), request.made_at, request.state.clone());
        let notice = HelpNotice { help, incident, kinds, made_at, state };
        let audience = Audience::of_compound(help.household.compound, Part::ROLL);
        self.say(audience, self.occasion(Some(incident)), kind(notice));
    }
}
