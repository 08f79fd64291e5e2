//! Whom an alert hits, and what that means in people: the preview and the sending ask the same function.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::alert::{Alert, AlertKind};
use crate::domain::compound::CompoundId;
use crate::domain::ids::{AlertId, PersonId};
use crate::domain::refusal::Refusal;
use crate::domain::succession::Holder;
use crate::domain::target::TargetArea;

use super::state::City;

/// What an alert to an area would mean.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Preview {
    /// Compounds hit.
    pub compounds: usize,
    /// Households in them, by the layout of the buildings.
    pub households: u64,
    /// People who live there.
    pub people: u64,
    /// Households that are helped first.
    pub vulnerable_households: u64,
    /// Compounds with somebody of the line connected now.
    pub commanders_reachable: usize,
    /// Compounds with a line of which nobody is connected now.
    pub commanders_not_reachable: usize,
    /// Compounds for which nobody is named.
    pub without_commander: Vec<CompoundId>,
    /// The compounds.
    pub hits: Vec<CompoundId>,
}

impl City {
    // INVARIANT: empty means nobody, never everybody; the preview comes from the code that sends.
    /// The compounds that an area hits, by code.
    ///
    /// # Errors
    /// [`Refusal::EmptyArea`], [`Refusal::UnknownArea`], [`Refusal::UnknownCompound`], [`Refusal::TooManyParts`].
    pub fn target(&self, target: &TargetArea) -> Result<Vec<CompoundId>, Refusal> {
        for area in target.include.areas.iter().chain(&target.exclude.areas) {
            self.area(*area)?;
        }
        self.spatial().target(target)
    }

    /// Whom an alert will go to: its area; for an update also those who got the old one; for a cancel exactly those.
    ///
    /// # Errors
    /// As [`City::target`], [`Refusal::NobodyHit`], [`Refusal::UnknownAlert`].
    pub fn hits(&self, alert: &Alert) -> Result<Vec<CompoundId>, Refusal> {
        let hits = match alert.draft.kind {
            AlertKind::Alert => self.target(&alert.draft.target)?,
            AlertKind::Cancel { replaces } => self.alert(replaces)?.alert.compounds().to_vec(),
            AlertKind::Update { replaces } => self.update_target(replaces, &alert.draft.target)?,
        };
        if hits.is_empty() { Err(Refusal::NobodyHit {}) } else { Ok(hits) }
    }

    /// Whom the update of an issued alert will go to: its area, and those who got the old one.
    ///
    /// # Errors
    /// As [`City::target`], [`Refusal::UnknownAlert`].
    pub fn update_target(&self, replaces: AlertId, target: &TargetArea) -> Result<Vec<CompoundId>, Refusal> {
        let new = self.target(target)?;
        let old = self.alert(replaces)?.alert.compounds().iter().copied();
        Ok(old.chain(new).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// Adds up what these compounds mean. `connected` says whether a person's phone is connected now.
    pub fn preview(&self, hits: Vec<CompoundId>, connected: impl Fn(PersonId) -> bool) -> Preview {
        let mut preview = Preview { compounds: hits.len(), ..Preview::default() };
        for id in &hits {
            let Ok(state) = self.compound(*id) else { continue };
            preview.households += u64::from(state.compound.households());
            preview.people += u64::from(state.compound.people);
            preview.vulnerable_households += state.compound.vulnerable.len() as u64;
            let holder = match state.succession.holder {
                Holder::Person(person) => Some(person),
                Holder::Area(_) => None,
            };
            if state.succession.has_nobody() {
                preview.without_commander.push(*id);
            } else if holder.into_iter().chain(state.succession.line.iter().copied()).any(&connected) {
                preview.commanders_reachable += 1;
            } else {
                preview.commanders_not_reachable += 1;
            }
        }
        preview.hits = hits;
        preview
    }
}
