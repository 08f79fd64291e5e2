//! Records of the journal as the log shows them: a sentence in two languages, and the events themselves for who may see them.
//!
//! What a record concerns is read off its events ([`Concern`]); who may read a line follows from that: `Action::SeeLog` in at
//! least one of the compounds. The events in full are only for those who may see everything that stands in them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::authority::Action;
use crate::domain::actor::{Actor, Giver};
use crate::domain::aid::AidEvent;
use crate::domain::alert::AlertEvent;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::duty::DutyEvent;
use crate::domain::event::{Event, Record, RegisterEvent};
use crate::domain::ids::{AlertId, CommandId, IncidentId};
use crate::server::time::Rfc3339;

use super::Occasion;
use super::log_filter::{LogFilter, LogKind};
use super::words::Sentence;

/// What an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concern {
    /// Under which incident.
    pub incident: Option<IncidentId>,
    /// Which alert.
    pub alert: Option<AlertId>,
    /// Which compounds; empty for what concerns the city as a whole.
    pub compounds: Vec<CompoundId>,
}

impl Concern {
    /// What an event is about, read off it and (for what never changes: the incident of an alert) off the city. An event belongs
    /// to an incident only when it says so, never by what was open at the time.
    pub fn of(city: &City, event: &Event) -> Self {
        match event {
            Event::Register(event) => Self { compounds: register(event), ..Self::default() },
            Event::Succession(compound, _, incident) => {
                Self { incident: *incident, compounds: vec![*compound], ..Self::default() }
            }
            Event::Incident(id, _) => Self { incident: Some(*id), ..Self::default() },
            Event::Alert(id, event) => Self::of_alert(city, *id, event),
            Event::Receipts(marks) => {
                let alert = marks.first().map(|mark| mark.alert);
                let reach = alert.and_then(|id| city.alert(id).ok()).map(|state| &state.reach);
                let places = marks.iter().flat_map(|mark| city.places_of(mark.person));
                let reached = places.filter(|place| reach.is_some_and(|reach| reach.contains(*place)));
                Self { compounds: sorted(reached.collect()), ..Self::about(city, alert) }
            }
            Event::Acknowledged { alert, compounds, .. } => {
                Self { compounds: compounds.clone(), ..Self::about(city, Some(*alert)) }
            }
            Event::Duty(event) => duty(event),
            Event::CheckedIn(check_in) => Self {
                incident: Some(check_in.incident),
                compounds: vec![check_in.household.compound],
                ..Self::default()
            },
            Event::HelpAssigned { incident, help, .. } | Event::HelpEnded { incident, help, .. } => {
                Self { incident: Some(*incident), compounds: vec![help.household.compound], ..Self::default() }
            }
            Event::Aid(AidEvent::Dispatched { dispatch, .. } | AidEvent::Returned { dispatch: Some(dispatch), .. }) => {
                Self {
                    incident: Some(dispatch.incident),
                    compounds: vec![dispatch.from, dispatch.to],
                    ..Self::default()
                }
            }
            Event::Aid(AidEvent::Returned { dispatch: None, .. }) => Self::default(),
        }
    }

    fn about(city: &City, alert: Option<AlertId>) -> Self {
        let incident = alert.and_then(|id| city.alert(id).ok()).map(|state| state.alert.draft.incident);
        Self { incident, alert, ..Self::default() }
    }

    fn of_alert(city: &City, id: AlertId, event: &AlertEvent) -> Self {
        let compounds = match (event, city.alert(id)) {
            (AlertEvent::Issued(issue), _) => issue.compounds.clone(),
            (_, Ok(state)) if state.alert.issue.is_some() => state.alert.compounds().to_vec(),
            (_, Ok(state)) => city.hits(&state.alert).unwrap_or_default(),
            (_, Err(_)) => Vec::new(),
        };
        Self { compounds, ..Self::about(city, Some(id)) }
    }

    /// Whether it concerns that compound.
    pub fn names(&self, compound: CompoundId) -> bool {
        self.compounds.contains(&compound)
    }

    /// Whether it concerns a compound of that area.
    pub fn is_in(&self, area: AreaCode) -> bool {
        self.compounds.iter().any(|id| id.is_in(area))
    }

    /// Whether the reader may know of it: the log of at least one of its compounds is theirs; what names none is for those who
    /// may see the log anywhere.
    pub fn is_open_to(&self, city: &City, actor: &Actor) -> bool {
        let opens = |id: &CompoundId| city.may(actor, Action::SeeLog, *id).is_ok();
        if self.compounds.is_empty() {
            city.may_somewhere(actor, Action::SeeLog).is_ok()
        } else {
            self.compounds.iter().any(opens)
        }
    }

    /// Whether the reader may see every household and person that stands in it.
    fn is_bare_to(&self, city: &City, actor: &Actor) -> bool {
        let all = |action| self.compounds.iter().all(|id| city.may(actor, action, *id).is_ok());
        if self.compounds.is_empty() {
            city.may_somewhere(actor, Action::SendAlert).is_ok()
        } else {
            all(Action::SeeLog) && all(Action::SeeRoll) && all(Action::SeeVulnerable)
        }
    }
}

fn register(event: &RegisterEvent) -> Vec<CompoundId> {
    match event {
        RegisterEvent::Areas(_) | RegisterEvent::PostKinds(_) => Vec::new(),
        RegisterEvent::Compound(compound) => vec![compound.id],
        RegisterEvent::Surveyed(id, _)
        | RegisterEvent::Stocked(id, _)
        | RegisterEvent::Posts(id, _)
        | RegisterEvent::PlanSubmitted(id, ..)
        | RegisterEvent::PlanApproved(id, ..) => vec![*id],
        RegisterEvent::Claims(post, _)
        | RegisterEvent::Applied(post, _)
        | RegisterEvent::Granted(post, _)
        | RegisterEvent::Released(post, _) => vec![post.compound],
        RegisterEvent::PlanDrafted(plan) => vec![plan.compound],
    }
}

fn duty(event: &DutyEvent) -> Concern {
    let (incident, compounds) = match event {
        DutyEvent::Raised { incident, compounds, .. } => {
            (Some(*incident), compounds.iter().map(|activation| activation.compound).collect())
        }
        DutyEvent::StoodDown { incident, compounds } => (Some(*incident), compounds.clone()),
        DutyEvent::Answered { post, incident, .. } => (*incident, vec![post.compound]),
        DutyEvent::Unanswered { compound, incident, .. } => (*incident, vec![*compound]),
        DutyEvent::FellSilent { compounds, incident } => (*incident, compounds.clone()),
    };
    Concern { incident, alert: None, compounds }
}

fn sorted(mut compounds: Vec<CompoundId>) -> Vec<CompoundId> {
    compounds.sort_unstable();
    compounds.dedup();
    compounds
}

/// One event of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogLine {
    /// Where its record stands in the journal.
    pub position: u64,
    /// When the command came in.
    pub at: Rfc3339,
    /// The command's id.
    pub command: CommandId,
    /// Who gave it; `null` where a household did and the reader may not see which.
    pub giver: Option<Giver>,
    /// What kind of event.
    pub kind: LogKind,
    /// Real, exercise, or routine where it belongs to no incident; in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// What happened, in Chinese.
    pub zh: String,
    /// What happened, in English.
    pub en: String,
    /// Under which incident.
    pub incident: Option<IncidentId>,
    /// Which alert.
    pub alert: Option<AlertId>,
    /// How many compounds it concerns.
    pub compounds: usize,
    /// Which compound, when it is one.
    pub compound: Option<CompoundId>,
    /// The event as the journal keeps it (times in µs since 1970), for those who may see all that stands in it.
    #[schema(value_type = Option<Object>)]
    pub event: Option<Value>,
}

/// Lines that one record may fill; an import of a whole city has tens of thousands, which `muster export --what log` writes out.
pub const RECORD_LINES_MAX: usize = 100;

/// The lines of a record that the reader may see and asked for, in order; past [`RECORD_LINES_MAX`] one line says how many more.
pub fn lines_of(city: &City, actor: &Actor, record: &Record, filter: &LogFilter) -> Vec<LogLine> {
    if !filter.wants_record(&record.entry) {
        return Vec::new();
    }
    let kinds = record.entry.events.iter().filter(|event| filter.wants_kind(LogKind::of(event)));
    let concerns = kinds.map(|event| (event, Concern::of(city, event)));
    let mut seen = concerns.filter(|(_, concern)| filter.wants(concern) && concern.is_open_to(city, actor));
    let shown = seen.by_ref().take(RECORD_LINES_MAX);
    let mut lines: Vec<_> = shown.map(|(event, concern)| line(city, actor, record, event, &concern)).collect();
    let left_out = seen.count();
    if let Some(last) = lines.last().filter(|_| left_out > 0) {
        let (zh, en) =
            (format!("同一命令另有 {left_out} 项，未列出"), format!("{left_out} more of the same command, not listed"));
        lines.push(LogLine {
            zh,
            en,
            incident: None,
            alert: None,
            compounds: 0,
            compound: None,
            event: None,
            ..last.clone()
        });
    }
    lines
}

fn line(city: &City, actor: &Actor, record: &Record, event: &Event, concern: &Concern) -> LogLine {
    let bare = concern.is_bare_to(city, actor);
    let Sentence { zh, en } = Sentence::of(city, event, bare);
    let entry = &record.entry;
    LogLine {
        position: record.position,
        at: entry.at.into(),
        command: entry.id,
        giver: Some(entry.giver).filter(|giver| bare || !matches!(giver, Giver::Household(_))),
        kind: LogKind::of(event),
        occasion: Occasion::of(concern.incident.and_then(|id| city.incident(id).ok()).map(|state| &state.incident)),
        zh,
        en,
        incident: concern.incident,
        alert: concern.alert,
        compounds: concern.compounds.len(),
        compound: Some(&concern.compounds).filter(|ids| ids.len() == 1).and_then(|ids| ids.first().copied()),
        event: bare.then(|| serde_json::to_value(event).ok()).flatten(),
    }
}
