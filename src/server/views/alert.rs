//! Alerts as the API shows them: content with RFC 3339 times, where an alert stands, and how far it has got.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::City;
use crate::city::state::AlertState;
use crate::domain::alert::{Alert, AlertKind, AlertStatus, Identity};
use crate::domain::alert_content::{AlertContent, Language, Severity};
use crate::domain::compound::CompoundId;
use crate::domain::hazard::{Hazard, WarningColour};
use crate::domain::ids::{AlertId, IncidentId, PersonId};
use crate::domain::receipt::{Funnel, Reach, Stage};
use crate::domain::succession::Holder;
use crate::domain::target::TargetArea;
use crate::domain::time::Timestamp;
use crate::server::time::Rfc3339;

use super::office::OfficeView;
use super::{Occasion, compound_name, people_of};

impl From<AlertContent<Rfc3339>> for AlertContent {
    fn from(form: AlertContent<Rfc3339>) -> Self {
        form.with_times(Timestamp::from)
    }
}

impl From<AlertContent> for AlertContent<Rfc3339> {
    fn from(content: AlertContent) -> Self {
        content.with_times(Rfc3339)
    }
}

/// Where an alert stands, as its readers should take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownStatus {
    /// Being written.
    Draft,
    /// Waits for a second person.
    AwaitingApproval,
    /// The second person said no.
    Rejected,
    /// Out, and holds now.
    Issued,
    /// Its time is over, read off the clock. It was not cancelled: that says nothing about the danger.
    Expired,
    /// An update replaced it.
    Updated,
    /// A cancel withdrew it.
    Cancelled,
}

impl ShownStatus {
    /// Of an alert at that time.
    pub fn of(alert: &Alert, now: Timestamp) -> Self {
        match alert.status {
            AlertStatus::Draft => Self::Draft,
            AlertStatus::AwaitingApproval => Self::AwaitingApproval,
            AlertStatus::Rejected => Self::Rejected,
            AlertStatus::Issued if alert.draft.content.is_expired(now) => Self::Expired,
            AlertStatus::Issued => Self::Issued,
            AlertStatus::Updated => Self::Updated,
            AlertStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// The triple that names an alert for ever.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IdentityView {
    /// Who sends: `muster.1404`.
    pub sender: String,
    /// Unique with this sender.
    pub identifier: String,
    /// To the second.
    pub sent: Rfc3339,
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        let Identity { sender, identifier, sent } = identity.clone();
        Self { sender, identifier, sent: sent.into() }
    }
}

/// An alert in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertLine {
    /// Its id.
    pub id: AlertId,
    /// Under which incident.
    pub incident: IncidentId,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// New, update or cancel of which.
    pub kind: AlertKind,
    /// Where it stands.
    pub status: ShownStatus,
    /// Of what it warns.
    pub hazard: Hazard,
    /// The colour of the warning, where one was declared.
    pub colour: Option<WarningColour>,
    /// How grave it is.
    pub severity: Severity,
    /// The Chinese headline.
    pub headline: String,
    /// The English headline; the Chinese one where the alert speaks no English.
    pub headline_en: String,
    /// Until when it holds.
    pub expires: Rfc3339,
    /// When it was sent.
    pub sent: Option<Rfc3339>,
    /// Compounds it went to; those that it hit when it was submitted, while it waits.
    pub compounds: usize,
    /// Compounds in which somebody in command acknowledged.
    pub compounds_acknowledged: u32,
    /// When it was handed to a second person, while it waits for one.
    pub submitted_at: Option<Rfc3339>,
    /// Seconds that it has waited for a second person.
    pub waiting_s: Option<u64>,
    /// Whether one person sent it alone and nobody countersigned yet.
    pub needs_countersign: bool,
}

impl AlertLine {
    /// Of an alert at that time.
    pub fn of(id: AlertId, state: &AlertState, now: Timestamp) -> Self {
        let alert = &state.alert;
        let content = &alert.draft.content;
        let issue = alert.issue.as_deref();
        let submitted = alert.submitted.filter(|_| alert.status == AlertStatus::AwaitingApproval);
        let headline = |language| content.info(language).map(|info| info.headline.clone());
        let headline_zh = headline(Language::ZhCn).unwrap_or_default();
        Self {
            id,
            incident: alert.draft.incident,
            occasion: Occasion::of_exercise(alert.exercise),
            kind: alert.draft.kind,
            status: ShownStatus::of(alert, now),
            hazard: content.hazard,
            colour: content.colour,
            severity: content.severity,
            headline_en: headline(Language::EnUs).unwrap_or_else(|| headline_zh.clone()),
            headline: headline_zh,
            expires: content.expires.into(),
            sent: issue.map(|issue| issue.identity.sent.into()),
            compounds: issue.map_or(submitted.map_or(0, |(_, _, hits)| hits), |issue| issue.compounds.len()),
            compounds_acknowledged: state.compounds_acknowledged,
            submitted_at: submitted.map(|(_, at, _)| at.into()),
            waiting_s: submitted.map(|(_, at, _)| now.since_s(at)),
            needs_countersign: issue.is_some_and(|issue| issue.break_glass) && alert.countersigned_by.is_none(),
        }
    }
}

/// An alert in full.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertView {
    /// What its line in a list says.
    #[serde(flatten)]
    pub line: AlertLine,
    /// What it says.
    pub content: AlertContent<Rfc3339>,
    /// Whom it was drawn for.
    pub target: TargetArea,
    /// Its name for ever, from issue on.
    pub identity: Option<IdentityView>,
    /// The alerts that it replaces, oldest first.
    pub references: Vec<IdentityView>,
    /// Who wrote it last.
    pub author: Option<PersonId>,
    /// Who issued or approved it.
    pub issued_by: Option<PersonId>,
    /// Whether one person sent it alone because life was in danger.
    pub break_glass: bool,
    /// Who countersigned a break-glass alert.
    pub countersigned_by: Option<PersonId>,
    /// The alert that updated or cancelled it.
    pub replaced_by: Option<AlertId>,
    /// Why it was rejected.
    pub rejected: Option<String>,
}

impl AlertView {
    /// Of an alert at that time.
    pub fn of(id: AlertId, state: &AlertState, now: Timestamp) -> Self {
        let alert = &state.alert;
        let issue = alert.issue.as_deref();
        Self {
            line: AlertLine::of(id, state, now),
            content: alert.draft.content.clone().into(),
            target: alert.draft.target.clone(),
            identity: issue.map(|issue| (&issue.identity).into()),
            references: issue.map_or_else(Vec::new, |issue| issue.references.iter().map(Into::into).collect()),
            author: alert.author,
            issued_by: alert.issued_by,
            break_glass: issue.is_some_and(|issue| issue.break_glass),
            countersigned_by: alert.countersigned_by,
            replaced_by: alert.replaced_by,
            rejected: alert.rejected.clone(),
        }
    }
}

/// How far an alert has got in one compound.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReachView {
    /// Which compound.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// People who live there.
    pub people: u32,
    /// Counts of people told.
    pub funnel: Funnel,
    /// Who commands now.
    pub holder: Option<Holder>,
    /// In which office.
    pub acting: Option<OfficeView>,
    /// Who acknowledged for the compound.
    pub acknowledged_by: Option<PersonId>,
    /// When.
    pub acknowledged_at: Option<Rfc3339>,
    /// Until when the holder of the command must acknowledge before the next in line is tried.
    pub ack_due: Option<Rfc3339>,
    /// How often the command was passed on for want of an answer.
    pub passed_over: u8,
    /// Whether nobody is named for it: it can't be reached through a commander.
    pub without_commander: bool,
    /// Whether nothing was heard of it for too long: unknown, never fine.
    pub silent: bool,
}

impl ReachView {
    /// Of one compound.
    pub fn of(city: &City, compound: CompoundId, reach: &Reach) -> Self {
        let state = city.compound(compound).ok();
        Self {
            compound,
            name: compound_name(city, compound),
            people: people_of(city, compound),
            funnel: reach.funnel,
            holder: state.map(|state| state.succession.holder),
            acting: state.map(|state| OfficeView::of(city, state.succession.office())),
            acknowledged_by: reach.acknowledged.map(|(person, _)| person),
            acknowledged_at: reach.acknowledged.map(|(_, at)| at.into()),
            ack_due: reach.ack_due.map(Rfc3339::from),
            passed_over: reach.passed_over,
            without_commander: state.is_none_or(|state| state.succession.has_nobody()),
            silent: state.is_some_and(|state| state.silent),
        }
    }
}

/// How far an alert has got with one person.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecipientView {
    /// Who.
    pub person: PersonId,
    /// How far; `null` while nothing came back.
    pub stage: Option<Stage>,
    /// When they came there.
    pub at: Option<Rfc3339>,
    /// Whether they stand in the line of succession.
    pub in_line: bool,
}
