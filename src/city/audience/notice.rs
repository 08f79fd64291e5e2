//! What a notice says: enough for a phone to act on without another request. Ids only; names and phones never.
//!
//! Every notice says whether it belongs to an exercise, in both languages. Times are µs since 1970 (the frame around it carries
//! RFC 3339).

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::alert::{AlertKind, Identity};
use crate::domain::alert_content::AlertContent;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::compound::CompoundId;
use crate::domain::duty::{Answer, DutyCounts};
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::help::{HelpKey, HelpState};
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{AlertId, IncidentId, PersonId};
use crate::domain::incident::Incident;
use crate::domain::post::PostKey;
use crate::domain::roll_call::{HelpKind, RollStatus, Verified};
use crate::domain::succession::Holder;
use crate::domain::time::Timestamp;

use super::Audience;

/// Areas that one notice lists before it goes up a level.
pub const EXTENT_AREAS_MAX: usize = 20;

/// What one audience is shown of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Who gets it.
    pub audience: Audience,
    /// What they are shown.
    pub body: NoticeBody,
}

/// What is shown: real or exercise first, then what happened.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NoticeBody {
    /// Real or exercise.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// What happened.
    #[serde(flatten)]
    pub kind: NoticeKind,
}

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Words {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

// INVARIANT: an exercise can't be mistaken for the real thing, nor the reverse: every notice says which, in words.
/// Whether it is real or an exercise, said so that nobody can miss it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Occasion {
    /// Whether it belongs to an exercise.
    pub exercise: bool,
    /// The same in words, to stand beside whatever is shown.
    pub occasion: Words,
}

impl Occasion {
    /// Everyday business, under no incident.
    pub const ROUTINE: Self = Self { exercise: false, occasion: Words { zh: "日常", en: "ROUTINE" } };
    /// An emergency.
    pub const REAL: Self = Self { exercise: false, occasion: Words { zh: "真实", en: "REAL" } };
    /// An exercise.
    pub const EXERCISE: Self = Self { exercise: true, occasion: Words { zh: "演练", en: "EXERCISE" } };

    /// By what the incident is.
    pub const fn of_exercise(exercise: bool) -> Self {
        if exercise { Self::EXERCISE } else { Self::REAL }
    }

    /// Of what happens under an incident, or under none.
    pub fn of(incident: Option<&Incident>) -> Self {
        incident.map_or(Self::ROUTINE, |incident| Self::of_exercise(incident.exercise))
    }
}

/// What happened. Externally tagged, as in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An incident began.
    IncidentOpened(IncidentNotice),
    /// An incident ended.
    IncidentClosed(IncidentNotice),
    /// An alert, an update or a cancel is out.
    Alert(Box<AlertNotice>),
    /// You hold the command: acknowledge this alert in time.
    AcknowledgementAsked(AcknowledgementAsked),
    /// Nobody of these compounds' lines can be reached: the command is with the dispatchers of the area, and waits for an
    /// acknowledgement.
    AcknowledgementAskedOfArea {
        /// Which area holds the command.
        area: AreaCode,
        /// What is asked, compound by compound.
        asked: Vec<AcknowledgementAsked>,
    },
    /// Nobody of these compounds' lines can be reached: the command is with their communities or streets.
    CommandWithAreas {
        /// For which alert an acknowledgement is waited for.
        alert: AlertId,
        /// Where.
        extent: Extent,
    },
    /// An alert waits for a second person.
    AlertAwaitsApproval {
        /// Which.
        alert: AlertId,
        /// Compounds that it hit when it was submitted.
        hits: usize,
    },
    /// Somebody in command acknowledged an alert.
    AlertAcknowledged {
        /// Which.
        alert: AlertId,
        /// Where.
        compound: CompoundId,
        /// Who.
        person: PersonId,
    },
    /// The compounds went to emergency mode, or to another level of it.
    DutyRaised(DutyNotice),
    /// What the plan asks of those who command.
    CommandBrief(Box<CommandBrief>),
    /// You are called to a post.
    YourCall(PostCall),
    /// You are no longer called to a post.
    YourCallEnded {
        /// Which.
        post: PostKey,
    },
    /// A called person answered.
    CallAnswered {
        /// Called to which post.
        post: PostKey,
        /// Who.
        person: PersonId,
        /// What.
        answer: Answer,
        /// How the compound's calls stand now.
        duty: DutyCounts,
        /// Posts with places for which nobody is called, coming or there.
        vacant_posts: Vec<u16>,
    },
    /// Called people did not answer in time.
    CallsUnanswered {
        /// In which compound.
        compound: CompoundId,
        /// Who was called to which post (its number).
        calls: Vec<(u16, PersonId)>,
        /// How the compound's calls stand now.
        duty: DutyCounts,
        /// Posts with places for which nobody is called, coming or there.
        vacant_posts: Vec<u16>,
    },
    /// Back to normal mode: posts relieved, rolls closed.
    StoodDown(DutyNotice),
    /// The roll is open: report household by household.
    RollOpened {
        /// Under which incident.
        incident: IncidentId,
    },
    /// A household was reported on.
    HouseholdReported(ReportNotice),
    /// A household needs help; sent again as further reports come in.
    HelpOpened(HelpNotice),
    /// Somebody was given a help request.
    HelpAssigned(HelpNotice),
    /// A help request ended.
    HelpEnded(HelpNotice),
    /// The command of a compound went to somebody else.
    CommandChanged(CommandChange),
    /// The command of a compound is offered to somebody.
    CommandOffered {
        /// Of which compound.
        compound: CompoundId,
        /// To whom.
        to: PersonId,
        /// The epoch under which it is held until it is accepted.
        epoch: u32,
    },
    /// Nothing was heard for too long: unknown, never fine.
    FellSilent {
        /// Where.
        extent: Extent,
    },
}

/// Where something holds: how many compounds, and the areas they lie in, at the finest level that stays a short list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Extent {
    /// Compounds.
    pub compounds: usize,
    /// Communities, streets or counties, at most 20.
    pub areas: Vec<AreaCode>,
}

impl Extent {
    /// The extent of some compounds, sorted by code.
    pub fn of(compounds: &[CompoundId]) -> Self {
        let at = |level: AreaLevel| {
            let mut areas: Vec<AreaCode> = compounds.iter().map(|id| id.area(level)).collect();
            areas.dedup();
            areas
        };
        let short = AreaLevel::ALL.into_iter().rev().map(at).find(|areas| areas.len() <= EXTENT_AREAS_MAX);
        Self { compounds: compounds.len(), areas: short.unwrap_or_default() }
    }
}

/// An incident that began or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentNotice {
    /// Which.
    pub incident: IncidentId,
    /// What people call it.
    pub title: String,
    /// What kind of danger.
    pub hazard: Hazard,
}

/// An alert as its recipients see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertNotice {
    /// Which.
    pub alert: AlertId,
    /// Under which incident.
    pub incident: IncidentId,
    /// New, update or cancel of which.
    pub kind: AlertKind,
    /// Its name for ever.
    pub identity: Identity,
    /// What it says; an exercise is marked in its texts.
    #[schema(value_type = AlertContent)]
    pub content: Arc<AlertContent>,
    /// Whether one person sent it alone because life was in danger.
    pub break_glass: bool,
    /// Where it went; for the accounts that watch over it, `None` for the people of a compound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
}

/// Who holds the command of a compound is to acknowledge an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct AcknowledgementAsked {
    /// Which alert.
    pub alert: AlertId,
    /// For which compound.
    pub compound: CompoundId,
    /// The epoch under which the command is held: orders carry it.
    pub epoch: u32,
    /// Until when, µs; `None` when nobody is left to pass the command on to.
    #[schema(value_type = Option<i64>)]
    pub due_at: Option<Timestamp>,
}

/// An order that moved compounds from one mode to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DutyNotice {
    /// Under which incident.
    pub incident: IncidentId,
    /// What people call it.
    pub title: String,
    /// What kind of danger.
    pub hazard: Hazard,
    /// At which level; `None` when they stood down.
    pub level: Option<ResponseLevel>,
    /// Where; for the accounts that watch over it, `None` for the people of a compound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
}

/// What those who command a compound are to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CommandBrief {
    /// Which compound.
    pub compound: CompoundId,
    /// Under which incident.
    pub incident: IncidentId,
    /// At which level.
    pub level: ResponseLevel,
    /// Who commands now.
    pub holder: Holder,
    /// The epoch under which it is held: orders carry it.
    pub epoch: u32,
    /// Activated version of the plan; `None` when there is none.
    pub plan: Option<u32>,
    /// The plan's checklist for the level.
    pub tasks: Vec<String>,
    /// What the plan says to the people.
    pub message: String,
    /// How the compound's calls stand.
    pub duty: DutyCounts,
    /// Posts with places for which nobody is called, coming or there.
    pub vacant_posts: Vec<u16>,
}

/// A call to a post, with what is to be done there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PostCall {
    /// Which post: answers name it.
    pub post: PostKey,
    /// Under which incident.
    pub incident: IncidentId,
    /// At which level.
    pub level: ResponseLevel,
    /// What is done there.
    #[schema(value_type = PostDuty)]
    pub duty: Arc<PostDuty>,
    /// Until when to answer before the bench is called, µs.
    #[schema(value_type = i64)]
    pub answer_by: Timestamp,
}

/// What is done at a kind of post; shared by all calls to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PostDuty {
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The emergency duty, in Chinese.
    pub emergency_duty: String,
    /// The same in English; left out where the catalogue does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_duty_en: Option<String>,
}

/// A report on a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportNotice {
    /// Which household.
    pub household: HouseholdKey,
    /// In which incident's roll.
    pub incident: IncidentId,
    /// What the report says.
    pub status: RollStatus,
    /// People it speaks for.
    pub heads: u16,
    /// How it is known.
    pub verified: Verified,
    /// When it was made, µs.
    #[schema(value_type = i64)]
    pub made_at: Timestamp,
    /// Whether it is what counts now: a later report may have arrived before it.
    pub counts: bool,
}

/// A help request as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HelpNotice {
    /// Which.
    pub help: HelpKey,
    /// Under which incident.
    pub incident: IncidentId,
    /// What is needed.
    pub kinds: Vec<HelpKind>,
    /// When the first report of it was made, µs.
    #[schema(value_type = i64)]
    pub made_at: Timestamp,
    /// Where it stands: who has it, how and why it ended.
    pub state: HelpState,
}

/// The command went to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct CommandChange {
    /// Of which compound.
    pub compound: CompoundId,
    /// Who commands now.
    pub holder: Holder,
    /// The new epoch: orders under an older one are refused.
    pub epoch: u32,
    /// The alert that the former holder did not acknowledge in time; `None` when the command changed otherwise.
    pub passed_over_for: Option<AlertId>,
}
