//! One compound as it stands: what was registered of it, who commands, its posts and who holds them, its duty in an emergency.

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::aid::Stock;
use crate::domain::compound::{Compound, Finding};
use crate::domain::duty::{DutyBoard, DutyCounts, Mode};
use crate::domain::hazard::Hazard;
use crate::domain::ids::{AlertId, IncidentId, PersonId};
use crate::domain::plan::{PlanStatus, PlanVersion};
use crate::domain::post::{Claim, ClaimStatus, Post};
use crate::domain::succession::{Holder, Succession};
use crate::domain::time::Timestamp;

/// One compound: what was registered, and how it stands.
#[derive(Debug)]
pub struct CompoundState {
    /// As surveyed.
    pub compound: Arc<Compound>,
    /// What the risk survey found.
    pub findings: Vec<Finding>,
    /// What it has now (without what was sent away).
    pub stock: Stock,
    /// Its posts, by number.
    pub posts: Vec<PostState>,
    /// All versions of its plans.
    pub plans: Vec<PlanVersion>,
    /// Who commands.
    pub succession: Succession,
    /// Normal or emergency.
    pub mode: Mode,
    /// Its duty while in emergency mode.
    pub board: Option<DutyBoard>,
    /// Issued alerts that its holder has not acknowledged.
    pub unacknowledged: Vec<AlertId>,
    /// When somebody of it was last heard.
    pub heard_at: Option<Timestamp>,
    /// Whether nothing was heard for too long: unknown, never fine.
    pub silent: bool,
    /// Seconds of silence allowed, while in emergency mode.
    pub silent_after_s: Option<u32>,
    /// The last alert that went to it.
    pub last_alert: Option<AlertId>,
    /// Position of the last record that changed what a map shows of it.
    pub changed_at: u64,
    /// Those with a granted claim, post after post: what `posts` says, in one piece, since each alert asks it of each compound.
    holders: Vec<PersonId>,
    /// How many people have a part in it.
    people_count: u32,
}

/// A post and who holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostState {
    /// As registered.
    pub post: Post,
    /// In the order in which they are called.
    pub claims: Vec<Claim>,
}

impl PostState {
    /// Those who hold it, in the order in which they are called.
    pub fn claimants(&self) -> impl Iterator<Item = PersonId> + '_ {
        let approved = |claim: &&Claim| claim.status == ClaimStatus::Approved;
        self.claims.iter().filter(approved).map(|claim| claim.person)
    }

    /// Places that nobody holds.
    pub fn vacancies(&self) -> usize {
        let held = self.claims.iter().filter(|claim| claim.status == ClaimStatus::Approved).count();
        usize::from(self.post.headcount).saturating_sub(held)
    }

    /// Whether the person holds it.
    pub fn is_held_by(&self, person: PersonId) -> bool {
        self.claims.iter().any(|claim| claim.person == person && claim.status == ClaimStatus::Approved)
    }
}

impl CompoundState {
    /// A compound as registered, in normal mode, with nobody named.
    pub(in crate::city) fn new(compound: Compound) -> Self {
        Self {
            succession: Succession::vacant(compound.id),
            compound: Arc::new(compound),
            findings: Vec::new(),
            stock: Stock::new(),
            posts: Vec::new(),
            plans: Vec::new(),
            mode: Mode::Normal,
            board: None,
            unacknowledged: Vec::new(),
            heard_at: None,
            silent: false,
            silent_after_s: None,
            last_alert: None,
            changed_at: 0,
            holders: Vec::new(),
            people_count: 0,
        }
    }

    /// The version of its plan for a hazard that is in force.
    pub fn plan_in_force(&self, hazard: Hazard) -> Option<&PlanVersion> {
        self.plans.iter().rev().find(|v| v.plan.hazard == hazard && v.status == PlanStatus::Approved)
    }

    /// One version of a plan.
    pub fn plan(&self, hazard: Hazard, version: u32) -> Option<&PlanVersion> {
        self.plans.iter().find(|v| v.plan.hazard == hazard && v.version == version)
    }

    /// Everybody with a part in it, each once: the line first, then those with a granted claim.
    pub fn people(&self) -> Vec<PersonId> {
        let mut seen = HashSet::new();
        let parts = self.succession.line.iter().chain(&self.holders).copied();
        parts.filter(|person| seen.insert(*person)).collect()
    }

    /// How many people have a part in it.
    pub const fn people_count(&self) -> u32 {
        self.people_count
    }

    /// Those with a granted claim, once for each.
    pub fn holders(&self) -> &[PersonId] {
        &self.holders
    }

    /// The line or claims have changed.
    pub(in crate::city) fn recount_people(&mut self) {
        self.holders = self.posts.iter().flat_map(PostState::claimants).collect();
        self.people_count = u32::try_from(self.people().len()).unwrap_or(u32::MAX);
    }

    /// Whether the person holds a granted claim in it.
    pub fn has_claimant(&self, person: PersonId) -> bool {
        self.holders.contains(&person)
    }

    /// Whether the person commands it now.
    pub fn is_commanded_by(&self, person: PersonId) -> bool {
        self.succession.holder == Holder::Person(person)
    }

    /// Who commands it, while it is in emergency mode; `None` in normal mode, or while an area holds the command.
    pub const fn emergency_commander(&self) -> Option<PersonId> {
        match (self.mode, self.succession.holder) {
            (Mode::Emergency { .. }, Holder::Person(person)) => Some(person),
            _ => None,
        }
    }

    /// The incident under which it is in emergency mode.
    pub const fn incident(&self) -> Option<IncidentId> {
        match self.mode {
            Mode::Normal => None,
            Mode::Emergency { incident, .. } => Some(incident),
        }
    }

    /// How its calls stand; all zero in normal mode.
    pub fn duty(&self) -> DutyCounts {
        self.board.as_ref().map(DutyBoard::counts).unwrap_or_default()
    }

    /// Whether it is ready for what its level asks; never in normal mode.
    pub fn is_ready(&self) -> bool {
        self.board.as_ref().is_some_and(|board| board.ready_at.is_some())
    }

    /// When it counts as silent if nothing is heard until then; `None` when it is not waited for or is silent already.
    pub fn silence_due(&self) -> Option<Timestamp> {
        let since = self.board.as_ref().map(|board| board.since)?;
        let after_s = self.silent_after_s.filter(|_| !self.silent)?;
        Some(self.heard_at.map_or(since, |heard| heard.max(since)).plus_s(after_s))
    }
}
