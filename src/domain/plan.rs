//! Contingency plans: per compound and hazard, what happens at each response level.
//!
//! Life cycle: draft → submitted → approved (by the street) → superseded by the next approved version.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::CompoundId;
use super::hazard::{Hazard, ResponseLevel};
use super::post::Team;
use super::refusal::Refusal;
use super::time::Timestamp;

/// Tasks on one level's checklist.
pub const TASKS_MAX: usize = 50;
/// Characters of a task or a message.
pub const TEXT_MAX: usize = 1_000;
/// Seconds that a called person has to answer where neither the plan nor the city's setting says otherwise.
pub const ANSWER_LIMIT_DEFAULT_S: u32 = 300;

/// What happens at one response level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelPlan {
    /// At which level.
    pub level: ResponseLevel,
    /// Which teams' posts are called.
    pub teams: Vec<Team>,
    /// The commander's checklist.
    pub tasks: Vec<String>,
    /// What is said to the people, read out or sent.
    pub message: String,
    /// Whether a roll call opens.
    pub roll_call: bool,
    /// Seconds that a called person has to answer before the bench is called, 10 to 86,400.
    pub answer_limit_s: u32,
}

/// A plan as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContingencyPlan {
    /// Whose plan.
    pub compound: CompoundId,
    /// For what.
    pub hazard: Hazard,
    /// At most one entry a level. A level without an entry calls all teams and opens a roll call.
    pub levels: Vec<LevelPlan>,
}

impl ContingencyPlan {
    /// # Errors
    /// [`Refusal::BadPlan`] with the reason.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |why: &str| Err(Refusal::BadPlan { compound: self.compound, why: why.to_owned() });
        if self.levels.is_empty() {
            return bad("it says nothing about any level");
        }
        for (i, level) in self.levels.iter().enumerate() {
            if self.levels[..i].iter().any(|l| l.level == level.level) {
                return bad("a response level stands twice");
            }
            if level.tasks.len() > TASKS_MAX {
                return bad("more than 50 tasks at one level");
            }
            let texts = level.tasks.iter().chain(std::iter::once(&level.message));
            if texts.clone().any(|text| text.chars().count() > TEXT_MAX) {
                return bad("a task or message has more than 1,000 characters");
            }
            if !(10..=86_400).contains(&level.answer_limit_s) {
                return bad("answer_limit_s must be 10 to 86,400");
            }
        }
        Ok(())
    }

    /// What it says about a level.
    pub fn level(&self, level: ResponseLevel) -> Option<&LevelPlan> {
        self.levels.iter().find(|l| l.level == level)
    }
}

/// Where a version of a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Being written.
    Draft,
    /// Waits for the street.
    Submitted,
    /// In force.
    Approved,
    /// A later version is in force.
    Superseded,
}

impl PlanStatus {
    /// Its name as it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Superseded => "superseded",
        }
    }
}

/// One version of a plan and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanVersion {
    /// 1, 2, 3 … per compound and hazard.
    pub version: u32,
    /// Where it stands.
    pub status: PlanStatus,
    /// What it says.
    pub plan: ContingencyPlan,
    /// When it came to stand there.
    #[schema(value_type = i64)]
    pub at: Timestamp,
}
