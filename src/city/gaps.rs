//! What the register of a compound lacks before an emergency comes: what an office looks for, and fills.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::plan::PlanStatus;

use super::state::CompoundState;

/// Something that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Nobody is named to command it.
    NoCommander,
    /// A commander, and nobody to follow.
    NoDeputy,
    /// No plan is in force for any hazard.
    NoPlan,
    /// No posts are set.
    NoPosts,
    /// A post has fewer holders than its head-count.
    VacantPosts,
}

impl Gap {
    /// All gaps, the gravest first.
    pub const ALL: [Self; 5] = [Self::NoCommander, Self::NoDeputy, Self::NoPlan, Self::NoPosts, Self::VacantPosts];
}

impl CompoundState {
    /// Whether this is missing.
    pub fn has(&self, gap: Gap) -> bool {
        match gap {
            Gap::NoCommander => self.succession.line.is_empty(),
            Gap::NoDeputy => self.succession.line.len() == 1,
            Gap::NoPlan => !self.plans.iter().any(|version| version.status == PlanStatus::Approved),
            Gap::NoPosts => self.posts.is_empty(),
            Gap::VacantPosts => self.posts.iter().any(|post| post.vacancies() > 0),
        }
    }

    /// All that is missing.
    pub fn gaps(&self) -> Vec<Gap> {
        Gap::ALL.into_iter().filter(|gap| self.has(*gap)).collect()
    }
}
