//! Duty: one order moves compounds between normal and emergency mode; their posts are called and answer.
//!
//! An order says which compounds go to which level under which plan version. The calls follow from posts, claims and plans by
//! rule ([`DutyBoard::call`]), the same on every node, and are never journaled one by one. What counts as ready is said once, at
//! [`DutyBoard::is_ready`]. The board of one compound is in `duty/board.rs`, what somebody served in `duty/service.rs`; orders, answers and
//! events are here.

mod board;
mod service;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::CompoundId;
use super::hazard::ResponseLevel;
use super::ids::{IncidentId, PersonId};
use super::post::PostKey;

pub use board::{CallState, CalledPost, DutyBoard, DutyCall, DutyCounts, PostSeat};
pub use service::{Service, ServiceRecord, ServiceTotals};

/// Characters of the reason for declining a call.
pub const REASON_MAX: usize = 200;
/// Seconds to answer in a record that does not say. Never changes: records were written so, and are read so for ever.
const ANSWER_LIMIT_UNSAID_S: u32 = 300;

/// Mode of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 平时
    #[default]
    Normal,
    /// 急时
    Emergency {
        /// Under which incident.
        incident: IncidentId,
        /// At which level.
        level: ResponseLevel,
    },
}

/// What a compound is ordered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeOrder {
    /// Back to normal mode.
    Normal,
    /// To emergency mode at this level.
    Emergency(ResponseLevel),
}

/// One compound of a switch to emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Which compound.
    pub compound: CompoundId,
    /// Which approved version of its plan for the incident's hazard; `None` when there is none.
    pub plan: Option<u32>,
}

/// What a called person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 收到: coming.
    Acknowledged,
    /// 到岗: there.
    OnPost,
    /// 不能到岗: not coming, and why.
    Declined {
        /// Why, in the person's words.
        reason: String,
    },
}

/// What happened to duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyEvent {
    /// Compounds went to emergency mode (or to another level of it).
    Raised {
        /// Under which incident.
        incident: IncidentId,
        /// At which level.
        level: ResponseLevel,
        /// Which compounds, with the plan versions activated.
        compounds: Vec<Activation>,
        /// Seconds without a sign of life after which a compound counts as silent.
        silent_after_s: u32,
        /// Seconds that a called person has to answer where the activated plan does not say (or there is none).
        #[serde(default = "answer_limit_unsaid_s", skip_serializing_if = "is_answer_limit_unsaid")]
        answer_limit_s: u32,
    },
    /// Compounds went back to normal mode: posts relieved, rolls closed, resources returned.
    StoodDown {
        /// Under which incident they were.
        incident: IncidentId,
        /// Which compounds.
        compounds: Vec<CompoundId>,
    },
    /// A called person answered.
    Answered {
        /// Called to which post.
        post: PostKey,
        /// Who.
        person: PersonId,
        /// What.
        answer: Answer,
        /// Under which incident the call was; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Called people did not answer in time; the bench follows.
    Unanswered {
        /// In which compound.
        compound: CompoundId,
        /// Who was called to which post (its number).
        calls: Vec<(u16, PersonId)>,
        /// Under which incident the calls were; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Nothing was heard from these compounds for too long.
    FellSilent {
        /// Which.
        compounds: Vec<CompoundId>,
        /// Under which incident all of them are; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
}

const fn answer_limit_unsaid_s() -> u32 {
    ANSWER_LIMIT_UNSAID_S
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_answer_limit_unsaid(answer_limit_s: &u32) -> bool {
    *answer_limit_s == ANSWER_LIMIT_UNSAID_S
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_record_that_does_not_say_the_time_to_answer_is_read_as_it_was_meant() {
        let raised = |answer_limit_s| DutyEvent::Raised {
            incident: IncidentId(Uuid::nil()),
            level: ResponseLevel::II,
            compounds: Vec::new(),
            silent_after_s: 600,
            answer_limit_s,
        };
        let (unsaid, said) =
            (serde_json::to_string(&raised(300)).unwrap(), serde_json::to_string(&raised(90)).unwrap());
        assert!(!unsaid.contains("answer_limit_s") && said.contains("\"answer_limit_s\":90"));
        for (text, event) in [(unsaid, raised(300)), (said, raised(90))] {
            assert_eq!(serde_json::from_str::<DutyEvent>(&text).unwrap(), event);
        }
    }
}
