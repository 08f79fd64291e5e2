//! What follows for the register: areas, compounds, posts, claims, plans; and for who commands a compound.

use crate::domain::compound::CompoundId;
use crate::domain::event::RegisterEvent;
use crate::domain::hazard::Hazard;
use crate::domain::ids::PersonId;
use crate::domain::plan::{ContingencyPlan, PlanStatus, PlanVersion};
use crate::domain::post::{Claim, ClaimStatus, Post, PostKey};
use crate::domain::succession::SuccessionEvent;
use crate::domain::time::Timestamp;

use super::super::state::{City, CompoundState, PostState};
use super::Moment;

impl City {
    pub(super) fn evolve_register(&mut self, event: &RegisterEvent, now: Moment) {
        match event {
            RegisterEvent::Areas(areas) => self.areas.extend(areas.iter().map(|area| (area.code, area.clone()))),
            RegisterEvent::PostKinds(kinds) => {
                self.post_kinds.extend(kinds.iter().map(|kind| (kind.code.clone(), kind.clone())));
            }
            RegisterEvent::Compound(compound) => {
                self.spatial.insert(compound.id, compound.boundary.clone());
                let fresh = (**compound).clone();
                match self.compounds.get_mut(&compound.id) {
                    Some(state) => state.compound = fresh.into(),
                    None => {
                        self.compounds.insert(compound.id, CompoundState::new(fresh));
                    }
                }
                self.change(compound.id, now, |_| ());
            }
            RegisterEvent::Surveyed(id, findings) => {
                self.change(*id, now, |compound| compound.findings.clone_from(findings));
            }
            RegisterEvent::Stocked(id, stock) => {
                self.change(*id, now, |compound| compound.stock.clone_from(stock));
            }
            RegisterEvent::Posts(id, posts) => self.change_people(*id, now, |compound| set_posts(compound, posts)),
            RegisterEvent::Claims(post, people) => {
                self.change_claims(*post, now, |claims| {
                    *claims = people.iter().map(|person| claim(*person, ClaimStatus::Approved, now.at)).collect();
                });
                self.reconcile_calls(post.compound, now);
            }
            RegisterEvent::Applied(post, person) => self.change_claims(*post, now, |claims| {
                claims.push(claim(*person, ClaimStatus::Applied, now.at));
            }),
            RegisterEvent::Granted(post, person) => {
                self.change_claims(*post, now, |claims| {
                    // Their place in the order is that of their asking; who did not ask comes last.
                    let granted = claim(*person, ClaimStatus::Approved, now.at);
                    match claims.iter_mut().find(|claim| claim.person == *person) {
                        Some(asked) => *asked = granted,
                        None => claims.push(granted),
                    }
                });
                self.reconcile_calls(post.compound, now);
            }
            RegisterEvent::Released(post, person) => {
                self.change_claims(*post, now, |claims| claims.retain(|claim| claim.person != *person));
                self.reconcile_calls(post.compound, now);
            }
            RegisterEvent::PlanDrafted(plan) => {
                self.change(plan.compound, now, |compound| draft_plan(compound, plan, now.at));
            }
            RegisterEvent::PlanSubmitted(id, hazard, version) => {
                self.change(*id, now, |c| set_plan_status(c, *hazard, *version, PlanStatus::Submitted, now.at));
            }
            RegisterEvent::PlanApproved(id, hazard, version) => {
                self.change(*id, now, |compound| {
                    for old in compound.plans.iter_mut().filter(|v| v.plan.hazard == *hazard) {
                        if old.status == PlanStatus::Approved {
                            old.status = PlanStatus::Superseded;
                        }
                    }
                    set_plan_status(compound, *hazard, *version, PlanStatus::Approved, now.at);
                });
            }
        }
    }

    fn change_claims(&mut self, post: PostKey, now: Moment, change: impl FnOnce(&mut Vec<Claim>)) {
        self.change_people(post.compound, now, |compound| {
            if let Some(state) = compound.posts.iter_mut().find(|state| state.post.no == post.no) {
                change(&mut state.claims);
            }
        });
    }

    pub(super) fn evolve_succession(&mut self, id: CompoundId, event: &SuccessionEvent, now: Moment) {
        let Some(before) = self.compounds.get(&id).map(|compound| compound.succession.holder) else { return };
        self.change_people(id, now, |compound| compound.succession.evolve(id, event));
        let Some(compound) = self.compounds.get(&id) else { return };
        let after = compound.succession.holder;
        if before != after {
            self.ask_new_holder(id, event, now);
        }
        if let SuccessionEvent::PassedOver { alert, .. } = event
            && let Some(reach) = self.alerts.get_mut(alert).and_then(|alert| alert.reach.get_mut(id))
        {
            reach.passed_over = reach.passed_over.saturating_add(1);
        }
    }
}

const fn claim(person: PersonId, status: ClaimStatus, since: Timestamp) -> Claim {
    Claim { person, status, since }
}

/// Claims on posts that stay are kept.
fn set_posts(compound: &mut CompoundState, posts: &[Post]) {
    let mut old = std::mem::take(&mut compound.posts);
    compound.posts = posts
        .iter()
        .map(|post| {
            let kept = old.iter_mut().find(|state| state.post.no == post.no);
            let claims = kept.map(|state| std::mem::take(&mut state.claims)).unwrap_or_default();
            PostState { post: post.clone(), claims }
        })
        .collect();
    compound.posts.sort_by_key(|state| state.post.no);
}

fn draft_plan(compound: &mut CompoundState, plan: &ContingencyPlan, at: Timestamp) {
    let same = compound.plans.iter().filter(|v| v.plan.hazard == plan.hazard);
    let version = same.map(|v| v.version).max().unwrap_or(0) + 1;
    compound.plans.push(PlanVersion { version, status: PlanStatus::Draft, plan: plan.clone(), at });
}

fn set_plan_status(compound: &mut CompoundState, hazard: Hazard, version: u32, status: PlanStatus, at: Timestamp) {
    if let Some(plan) = compound.plans.iter_mut().find(|v| v.plan.hazard == hazard && v.version == version) {
        plan.status = status;
        plan.at = at;
    }
}
