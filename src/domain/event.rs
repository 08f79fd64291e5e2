//! All that can have happened, in one list, and the record in which the journal keeps it.

use serde::{Deserialize, Serialize};

use super::actor::Giver;
use super::aid::{AidEvent, Stock};
use super::alert::AlertEvent;
use super::area::Area;
use super::compound::{Compound, CompoundId, Finding};
use super::duty::DutyEvent;
use super::hazard::Hazard;
use super::help::{HelpKey, Resolution};
use super::ids::{AlertId, CommandId, IncidentId, PersonId};
use super::incident::IncidentEvent;
use super::plan::ContingencyPlan;
use super::post::{Post, PostKey, PostKind};
use super::receipt::ReceiptMark;
use super::roll_call::CheckIn;
use super::succession::SuccessionEvent;
use super::time::Timestamp;

/// What happened. Externally tagged, so that reading a journal back needs no second pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// To the register of the city.
    Register(RegisterEvent),
    /// To the command of a compound, and under which incident: that of the alert which was not acknowledged, else the one under
    /// which the compound was then in emergency mode.
    Succession(
        CompoundId,
        SuccessionEvent,
        #[serde(default, skip_serializing_if = "Option::is_none")] Option<IncidentId>,
    ),
    /// To an incident.
    Incident(IncidentId, IncidentEvent),
    /// To an alert.
    Alert(AlertId, AlertEvent),
    /// Phones said how far an alert has got: all marks of one event are of one alert.
    Receipts(Vec<ReceiptMark>),
    /// Somebody in command acknowledged an alert: the line of succession rests in these compounds.
    Acknowledged {
        /// Which alert.
        alert: AlertId,
        /// Who.
        person: PersonId,
        /// Where that person (or that person's area) commands.
        compounds: Vec<CompoundId>,
    },
    /// To duty.
    Duty(DutyEvent),
    /// A household was reported on.
    CheckedIn(CheckIn),
    /// A help request was given to somebody.
    HelpAssigned {
        /// Under which incident.
        incident: IncidentId,
        /// Which request.
        help: HelpKey,
        /// To whom.
        to: PersonId,
    },
    /// A help request ended.
    HelpEnded {
        /// Under which incident.
        incident: IncidentId,
        /// Which request.
        help: HelpKey,
        /// How.
        how: Resolution,
        /// Why.
        reason: String,
    },
    /// To resources.
    Aid(AidEvent),
}

/// What happened to the city's register: areas, compounds, posts, claims, plans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegisterEvent {
    /// Areas were added or renamed.
    Areas(Vec<Area>),
    /// Kinds of posts were added or changed.
    PostKinds(Vec<PostKind>),
    /// A compound was added or changed.
    Compound(Box<Compound>),
    /// A compound was surveyed.
    Surveyed(CompoundId, Vec<Finding>),
    /// What a compound has was counted.
    Stocked(CompoundId, Stock),
    /// A compound's posts were set.
    Posts(CompoundId, Vec<Post>),
    /// A post's claims were set, granted, in the order in which they are called.
    Claims(PostKey, Vec<PersonId>),
    /// Somebody asked for a post.
    Applied(PostKey, PersonId),
    /// The claim was granted, whether it was asked for or not.
    Granted(PostKey, PersonId),
    /// The claim ended.
    Released(PostKey, PersonId),
    /// A plan was written.
    PlanDrafted(Box<ContingencyPlan>),
    /// A plan was handed to the street.
    PlanSubmitted(CompoundId, Hazard, u32),
    /// A plan came into force.
    PlanApproved(CompoundId, Hazard, u32),
}

/// What one command did: appended as a whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When the command came in.
    pub at: Timestamp,
    /// The giver's own id of it.
    pub id: CommandId,
    /// Who gave it.
    pub giver: Giver,
    /// Digest of its content: tells a repeat from another command under the same id.
    pub digest: u64,
    /// What happened, in order; never empty.
    pub events: Vec<Event>,
}

impl Entry {
    /// Whether more than a few are told of it. What comes in thousands concerns one compound, or nobody but the counts.
    pub fn concerns_many(&self) -> bool {
        let concerns_few = |event: &Event| {
            matches!(
                event,
                Event::CheckedIn(_)
                    | Event::Receipts(_)
                    | Event::Acknowledged { .. }
                    | Event::Duty(DutyEvent::Answered { .. })
            )
        };
        !self.events.iter().all(concerns_few)
    }
}

/// An entry that is durable, and where it stands in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// 1, 2, 3 … without a gap.
    pub position: u64,
    /// What it says.
    pub entry: Entry,
}
