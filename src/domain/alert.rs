//! Alerts: a message to an area, from draft to issue, update and cancel.
//!
//! Draft → awaiting approval → issued → updated by | cancelled by another alert. Expiry is read off the clock, never recorded:
//! an expired alert was not cancelled. What an alert says lives in [`super::alert_content`]; who got it in [`super::receipt`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alert_content::AlertContent;
use super::compound::CompoundId;
use super::ids::{AlertId, IncidentId, PersonId};
use super::refusal::Refusal;
use super::target::TargetArea;
use super::time::Timestamp;

/// Characters of a reason (rejection, break-glass).
pub const REASON_MAX: usize = 300;

/// What an alert is to the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A new alert.
    Alert,
    /// Replaces an issued alert.
    Update {
        /// Which.
        replaces: AlertId,
    },
    /// Withdraws an issued alert.
    Cancel {
        /// Which.
        replaces: AlertId,
    },
}

impl AlertKind {
    /// The alert that it replaces.
    pub const fn replaces(self) -> Option<AlertId> {
        match self {
            Self::Alert => None,
            Self::Update { replaces } | Self::Cancel { replaces } => Some(replaces),
        }
    }
}

/// The triple that names an alert for ever, frozen when it is issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// Who sends, globally unique: `muster.1404`.
    pub sender: String,
    /// Unique with this sender.
    pub identifier: String,
    /// To the second, as CAP has it.
    #[schema(value_type = i64)]
    pub sent: Timestamp,
}

/// An alert as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertDraft {
    /// Under which incident; real or exercise is the incident's.
    pub incident: IncidentId,
    /// New, update or cancel.
    pub kind: AlertKind,
    /// What it says.
    pub content: AlertContent,
    /// Whom it is for. A cancel goes to whom the cancelled one went, whatever stands here.
    pub target: TargetArea,
}

/// What happened to an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEvent {
    /// It was written (or written anew while a draft).
    Drafted(Box<AlertDraft>),
    /// It waits for a second person.
    Submitted {
        /// Compounds that it hit when it was submitted.
        hits: usize,
    },
    /// The second person said no.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It is out.
    Issued(Box<Issue>),
    /// A break-glass alert was countersigned.
    Countersigned {},
}

/// All that is settled when an alert goes out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// Its name for ever.
    pub identity: Identity,
    /// Whom it hits.
    pub compounds: Vec<CompoundId>,
    /// Active ancestors that it replaces, oldest first.
    pub references: Vec<Identity>,
    /// Seconds in which each compound's holder must acknowledge.
    pub ack_timeout_s: u32,
    /// Whether one person sent it alone because life was in danger.
    pub break_glass: bool,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// Being written.
    Draft,
    /// Waits for a second person.
    AwaitingApproval,
    /// The second person said no.
    Rejected,
    /// Out.
    Issued,
    /// An update replaced it.
    Updated,
    /// A cancel withdrew it.
    Cancelled,
}

impl AlertStatus {
    /// Its name as it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Rejected => "rejected",
            Self::Issued => "issued",
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An alert as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// What was written.
    pub draft: AlertDraft,
    /// The incident's property, carried along so that no reader can miss it.
    pub exercise: bool,
    /// Where it stands.
    pub status: AlertStatus,
    /// Who wrote it last; `None` when the system did.
    pub author: Option<PersonId>,
    /// Who submitted it, when, and how many compounds it hit then.
    pub submitted: Option<(Option<PersonId>, Timestamp, usize)>,
    /// Who issued or approved it.
    pub issued_by: Option<PersonId>,
    /// What was settled at issue.
    pub issue: Option<Box<Issue>>,
    /// Who countersigned a break-glass alert.
    pub countersigned_by: Option<PersonId>,
    /// The alert that updated or cancelled it.
    pub replaced_by: Option<AlertId>,
    /// Why it was rejected.
    pub rejected: Option<String>,
}

impl Alert {
    /// A fresh draft.
    pub const fn new(draft: AlertDraft, exercise: bool, author: Option<PersonId>) -> Self {
        Self {
            draft,
            exercise,
            status: AlertStatus::Draft,
            author,
            submitted: None,
            issued_by: None,
            issue: None,
            countersigned_by: None,
            replaced_by: None,
            rejected: None,
        }
    }

    /// Compounds it went to; empty before issue.
    pub fn compounds(&self) -> &[CompoundId] {
        self.issue.as_ref().map_or(&[], |issue| &issue.compounds)
    }

    /// Whether it speaks to people now: issued, not replaced, not expired.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.status == AlertStatus::Issued
            && !matches!(self.draft.kind, AlertKind::Cancel { .. })
            && !self.draft.content.is_expired(now)
    }

    /// # Errors
    /// [`Refusal::AlertNotThere`] unless it stands at one of `wanted`.
    pub fn check_status(&self, wanted: &[AlertStatus]) -> Result<(), Refusal> {
        if wanted.contains(&self.status) { Ok(()) } else { Err(Refusal::AlertNotThere { status: self.status.name() }) }
    }

    // INVARIANT: nobody approves an alert that they wrote or submitted.
    /// # Errors
    /// [`Refusal::AlertNotThere`], [`Refusal::SamePerson`].
    pub fn check_second_person(&self, approver: PersonId) -> Result<(), Refusal> {
        self.check_status(&[AlertStatus::AwaitingApproval])?;
        let submitter = self.submitted.and_then(|(person, ..)| person);
        if self.author == Some(approver) || submitter == Some(approver) {
            return Err(Refusal::SamePerson {});
        }
        Ok(())
    }

    /// Whether `person` is one of the two who sent it.
    pub fn was_sent_by(&self, person: PersonId) -> bool {
        self.author == Some(person) || self.issued_by == Some(person)
    }

    /// What follows when it has happened; `by` is whose command it was.
    pub fn evolve(&mut self, event: &AlertEvent, by: Option<PersonId>, at: Timestamp) {
        match event {
            AlertEvent::Drafted(draft) => {
                self.draft = (**draft).clone();
                self.author = by;
                self.status = AlertStatus::Draft;
                self.rejected = None;
            }
            AlertEvent::Submitted { hits } => {
                self.status = AlertStatus::AwaitingApproval;
                self.submitted = Some((by, at, *hits));
            }
            AlertEvent::Rejected { reason } => {
                self.status = AlertStatus::Rejected;
                self.rejected = Some(reason.clone());
            }
            AlertEvent::Issued(issue) => {
                self.status = AlertStatus::Issued;
                self.issued_by = by;
                self.issue = Some(issue.clone());
            }
            AlertEvent::Countersigned {} => self.countersigned_by = by,
        }
    }

    /// Notes that another alert took its place.
    pub const fn replace(&mut self, by: AlertId, cancelled: bool) {
        self.status = if cancelled { AlertStatus::Cancelled } else { AlertStatus::Updated };
        self.replaced_by = Some(by);
    }
}
