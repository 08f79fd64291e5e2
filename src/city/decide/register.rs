//! Orders to the register: imports, plans, claims, and who commands a compound.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::actor::Actor;
use crate::domain::aid::check_stock;
use crate::domain::area::{Area, AreaCode, NAME_MAX as AREA_NAME_MAX};
use crate::domain::command::{Batch, Command, Order};
use crate::domain::compound::{Compound, CompoundId, FINDINGS_MAX};
use crate::domain::event::{Event, RegisterEvent};
use crate::domain::hazard::Hazard;
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::plan::PlanStatus;
use crate::domain::post::{CLAIMS_PER_POST_MAX, ClaimStatus, POSTS_PER_COMPOUND_MAX, Post, PostKey};
use crate::domain::refusal::Refusal;
use crate::domain::succession::Succession;
use crate::domain::text::check_text;

use super::super::authority::Action;
use super::super::state::{City, CompoundState};
use super::giver_of;

/// A section of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Compounds.
    Compounds,
    /// Surveys.
    Surveys,
    /// Stocks.
    Stocks,
    /// Posts.
    Posts,
    /// Lines of succession.
    Lines,
    /// Claims.
    Claims,
    /// Plans.
    Plans,
    /// Areas.
    Areas,
    /// Kinds of posts.
    PostKinds,
}

/// An entry of an import that cannot be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// In which section.
    pub section: Section,
    /// Which entry of the section, from 0.
    pub index: usize,
    /// Why.
    pub refusal: Refusal,
}

/// What the city will know once the earlier sections are in.
struct Ahead<'a> {
    city: &'a City,
    batch: &'a Batch,
    compounds: HashMap<CompoundId, &'a Compound>,
    posts: HashMap<CompoundId, &'a [Post]>,
}

impl<'a> Ahead<'a> {
    fn new(city: &'a City, batch: &'a Batch) -> Self {
        Self {
            city,
            batch,
            compounds: batch.compounds.iter().map(|compound| (compound.id, compound)).collect(),
            posts: batch.posts.iter().map(|entry| (entry.compound, entry.posts.as_slice())).collect(),
        }
    }

    fn check_compound_known(&self, id: CompoundId) -> Result<(), Refusal> {
        if self.compounds.contains_key(&id) { Ok(()) } else { self.city.compound(id).map(|_| ()) }
    }

    fn check_post_known(&self, key: PostKey) -> Result<(), Refusal> {
        match self.posts.get(&key.compound) {
            Some(posts) if posts.iter().any(|post| post.no == key.no) => Ok(()),
            Some(_) => Err(Refusal::UnknownPost { post: key }),
            None => self.city.post(key).map(|_| ()),
        }
    }

    fn knows_kind(&self, code: &str) -> bool {
        self.city.post_kind(code).is_some() || self.batch.post_kinds.iter().any(|kind| kind.code == code)
    }

    fn knows_area(&self, code: AreaCode) -> bool {
        self.city.area(code).is_ok() || self.batch.areas.iter().any(|area| area.code == code)
    }
}

impl City {
    /// Every entry of the batch that cannot be taken, for this actor; empty when all can.
    pub fn faults(&self, actor: &Actor, batch: &Batch) -> Vec<Fault> {
        let ahead = Ahead::new(self, batch);
        let mut faults = Vec::new();
        check_section(&mut faults, Section::Areas, &batch.areas, |area| {
            self.may_in_area(actor, Action::KeepRegister, area.code)?;
            self.check_area(&ahead, area)
        });
        check_section(&mut faults, Section::PostKinds, &batch.post_kinds, |kind| {
            self.may_somewhere(actor, Action::KeepRegister)?;
            check_text("code", &kind.code, 40)
        });
        let mut seen = HashSet::new();
        check_section(&mut faults, Section::Compounds, &batch.compounds, |compound| {
            self.may(actor, Action::KeepRegister, compound.id)?;
            if !seen.insert(compound.id) {
                return Err(Refusal::AlreadyExists { what: compound.id.to_string() });
            }
            self.check_compound(&ahead, compound)
        });
        check_section(&mut faults, Section::Surveys, &batch.surveys, |survey| {
            self.may(actor, Action::KeepRegister, survey.compound)?;
            if survey.findings.len() > FINDINGS_MAX {
                return Err(Refusal::BadCount { field: "findings", max: FINDINGS_MAX });
            }
            ahead.check_compound_known(survey.compound)
        });
        check_section(&mut faults, Section::Stocks, &batch.stocks, |entry| {
            self.may(actor, Action::KeepRegister, entry.compound)?;
            check_stock(&entry.stock)?;
            ahead.check_compound_known(entry.compound)
        });
        self.people_faults(actor, &ahead, &mut faults);
        faults
    }

    fn people_faults(&self, actor: &Actor, ahead: &Ahead<'_>, faults: &mut Vec<Fault>) {
        let batch = ahead.batch;
        check_section(faults, Section::Posts, &batch.posts, |entry| {
            self.may(actor, Action::KeepRegister, entry.compound)?;
            ahead.check_compound_known(entry.compound)?;
            self.check_not_in_emergency(entry.compound)?;
            check_posts(ahead, entry.compound, &entry.posts)
        });
        check_section(faults, Section::Lines, &batch.lines, |line| {
            self.may(actor, Action::KeepRegister, line.compound)?;
            ahead.check_compound_known(line.compound)?;
            Succession::decide_appoint(line.compound, &line.line).map(|_| ())
        });
        check_section(faults, Section::Claims, &batch.claims, |entry| {
            self.may(actor, Action::KeepRegister, entry.post.compound)?;
            ahead.check_post_known(entry.post)?;
            check_claimants(entry.post, &entry.people)
        });
        check_section(faults, Section::Plans, &batch.plans, |plan| {
            self.may(actor, Action::ApprovePlan, plan.compound)
                .or_else(|_| self.may(actor, Action::KeepRegister, plan.compound))?;
            ahead.check_compound_known(plan.compound)?;
            plan.check()
        });
    }

    /// An area lies in one that is known; there is one city.
    fn check_area(&self, ahead: &Ahead<'_>, area: &Area) -> Result<(), Refusal> {
        check_text("name", &area.name, AREA_NAME_MAX)?;
        let (wider, is_known) = match area.code.parent() {
            Some(parent) => (parent, ahead.knows_area(parent)),
            None => (area.code, self.areas.is_empty() || self.area(area.code).is_ok()),
        };
        if is_known { Ok(()) } else { Err(Refusal::UnknownArea { area: wider.to_string() }) }
    }

    fn check_compound(&self, ahead: &Ahead<'_>, compound: &Compound) -> Result<(), Refusal> {
        compound.check()?;
        let community = compound.id.community();
        if !ahead.knows_area(community) {
            return Err(Refusal::UnknownArea { area: community.to_string() });
        }
        self.check_not_in_emergency(compound.id)
    }

    /// Houses and posts stand still while people are counted and called by them; claims and lines may change.
    fn check_not_in_emergency(&self, id: CompoundId) -> Result<(), Refusal> {
        let in_emergency = self.compounds.get(&id).is_some_and(|state| state.incident().is_some());
        if in_emergency { Err(Refusal::CompoundInEmergency { compound: id }) } else { Ok(()) }
    }

    pub(super) fn decide_import(&self, order: &Order, batch: &Batch) -> Result<Vec<Event>, Refusal> {
        if let Some(fault) = self.faults(&order.actor, batch).into_iter().next() {
            return Err(fault.refusal);
        }
        let mut events = Vec::new();
        if !batch.areas.is_empty() {
            events.push(RegisterEvent::Areas(batch.areas.clone()));
        }
        if !batch.post_kinds.is_empty() {
            events.push(RegisterEvent::PostKinds(batch.post_kinds.clone()));
        }
        events.extend(batch.compounds.iter().map(|compound| RegisterEvent::Compound(Box::new(compound.clone()))));
        events.extend(batch.surveys.iter().map(|s| RegisterEvent::Surveyed(s.compound, s.findings.clone())));
        events.extend(batch.stocks.iter().map(|s| RegisterEvent::Stocked(s.compound, s.stock.clone())));
        events.extend(batch.posts.iter().map(|p| RegisterEvent::Posts(p.compound, p.posts.clone())));
        events.extend(batch.claims.iter().map(|c| RegisterEvent::Claims(c.post, c.people.clone())));
        let mut events: Vec<Event> = events.into_iter().map(Event::Register).collect();
        for line in &batch.lines {
            let appointed = Succession::decide_appoint(line.compound, &line.line)?;
            events.push(Event::Succession(line.compound, appointed, self.incident_of(line.compound)));
        }
        let mut versions: HashMap<_, u32> = HashMap::new();
        for plan in &batch.plans {
            let known = || self.compounds.get(&plan.compound).map_or(0, |c| latest_version(c, plan.hazard));
            let version = versions.entry((plan.compound, plan.hazard)).or_insert_with(known);
            *version += 1;
            events.push(Event::Register(RegisterEvent::PlanDrafted(Box::new(plan.clone()))));
            events.push(Event::Register(RegisterEvent::PlanApproved(plan.compound, plan.hazard, *version)));
        }
        super::some_events(events, Refusal::BadCount { field: "entries", max: usize::MAX })
    }

    pub(super) fn decide_plan(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        let event = match &order.command {
            Command::DraftPlan { plan } => {
                self.compound(plan.compound)?;
                self.may(&order.actor, Action::WritePlan, plan.compound)?;
                plan.check()?;
                RegisterEvent::PlanDrafted(Box::new(plan.clone()))
            }
            Command::SubmitPlan { compound, hazard, version } => {
                self.may(&order.actor, Action::WritePlan, *compound)?;
                self.check_plan(*compound, *hazard, *version, PlanStatus::Draft)?;
                RegisterEvent::PlanSubmitted(*compound, *hazard, *version)
            }
            Command::ApprovePlan { compound, hazard, version } => {
                self.may(&order.actor, Action::ApprovePlan, *compound)?;
                self.check_plan(*compound, *hazard, *version, PlanStatus::Submitted)?;
                RegisterEvent::PlanApproved(*compound, *hazard, *version)
            }
            _ => return Err(Action::WritePlan.not_your_role()),
        };
        Ok(vec![Event::Register(event)])
    }

    fn check_plan(&self, id: CompoundId, hazard: Hazard, version: u32, wanted: PlanStatus) -> Result<(), Refusal> {
        let plan = self.compound(id)?.plan(hazard, version).ok_or(Refusal::UnknownPlan { compound: id })?;
        if plan.status == wanted { Ok(()) } else { Err(Refusal::PlanNotThere { status: plan.status.name() }) }
    }

    pub(super) fn decide_claim(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        let event = match &order.command {
            Command::ApplyForPost { post } => {
                let person = giver_of(order)?;
                let state = self.post(*post)?;
                if state.claims.iter().any(|claim| claim.person == person) {
                    return Err(Refusal::AlreadyClaimed { post: *post });
                }
                if state.claims.len() >= CLAIMS_PER_POST_MAX {
                    return Err(Refusal::PostFull { post: *post, max: CLAIMS_PER_POST_MAX });
                }
                RegisterEvent::Applied(*post, person)
            }
            Command::GrantClaim { post, person } => {
                self.may_order(&order.actor, Action::KeepClaims, post.compound, order.epoch)?;
                self.check_grant(&order.actor, *post, *person)?;
                RegisterEvent::Granted(*post, *person)
            }
            Command::ReleaseClaim { post, person } => {
                if order.actor.person_id() != Some(*person) {
                    self.may_order(&order.actor, Action::KeepClaims, post.compound, order.epoch)?;
                }
                let claims = &self.post(*post)?.claims;
                claims.iter().find(|claim| claim.person == *person).ok_or(Refusal::NoClaim { post: *post })?;
                RegisterEvent::Released(*post, *person)
            }
            _ => return Err(Action::KeepClaims.not_your_role()),
        };
        Ok(vec![Event::Register(event)])
    }

    /// Who asked for a post may be granted it; who did not, only by those who keep the register and could import them.
    fn check_grant(&self, actor: &Actor, post: PostKey, person: PersonId) -> Result<(), Refusal> {
        let claims = &self.post(post)?.claims;
        match claims.iter().find(|claim| claim.person == person).map(|claim| claim.status) {
            Some(ClaimStatus::Approved) => Err(Refusal::AlreadyClaimed { post }),
            None if self.may(actor, Action::KeepRegister, post.compound).is_err() => Err(Refusal::NoClaim { post }),
            None if claims.len() >= CLAIMS_PER_POST_MAX => Err(Refusal::PostFull { post, max: CLAIMS_PER_POST_MAX }),
            Some(ClaimStatus::Applied) | None => Ok(()),
        }
    }

    pub(super) fn decide_succession(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        let (id, event) = match &order.command {
            Command::AppointLine(line) => {
                self.compound(line.compound)?;
                self.may(&order.actor, Action::KeepRegister, line.compound)?;
                (line.compound, Succession::decide_appoint(line.compound, &line.line)?)
            }
            Command::OfferCommand { compound, to } => {
                self.may_order(&order.actor, Action::HandOver, *compound, order.epoch)?;
                (*compound, self.compound(*compound)?.succession.decide_offer(*compound, *to)?)
            }
            Command::AcceptCommand { compound } => {
                let person = giver_of(order)?;
                (*compound, self.compound(*compound)?.succession.decide_accept(*compound, person)?)
            }
            _ => return Err(Action::HandOver.not_your_role()),
        };
        Ok(vec![Event::Succession(id, event, self.incident_of(id))])
    }

    /// The incident under which a compound is in emergency mode; `None` for one that is not there yet.
    fn incident_of(&self, id: CompoundId) -> Option<IncidentId> {
        self.compounds.get(&id).and_then(CompoundState::incident)
    }
}

fn latest_version(compound: &CompoundState, hazard: Hazard) -> u32 {
    compound.plans.iter().filter(|v| v.plan.hazard == hazard).map(|v| v.version).max().unwrap_or(0)
}

fn check_section<T>(
    faults: &mut Vec<Fault>,
    section: Section,
    entries: &[T],
    mut check: impl FnMut(&T) -> Result<(), Refusal>,
) {
    for (index, entry) in entries.iter().enumerate() {
        if let Err(refusal) = check(entry) {
            faults.push(Fault { section, index, refusal });
        }
    }
}

fn check_posts(ahead: &Ahead<'_>, compound: CompoundId, posts: &[Post]) -> Result<(), Refusal> {
    if posts.len() > POSTS_PER_COMPOUND_MAX {
        return Err(Refusal::BadCount { field: "posts", max: POSTS_PER_COMPOUND_MAX });
    }
    let mut seen = HashSet::new();
    for post in posts {
        let key = PostKey { compound, no: post.no };
        let bad = |why: &str| Err(Refusal::BadPost { post: key, why: why.to_owned() });
        if !(1..=999).contains(&post.no) || !seen.insert(post.no) {
            return bad("numbers must be 1 to 999, each once");
        }
        if !(1..=CLAIMS_PER_POST_MAX).contains(&usize::from(post.headcount)) {
            return bad("headcount must be 1 to 50");
        }
        if !ahead.knows_kind(&post.kind) {
            return Err(Refusal::UnknownPostKind { kind: post.kind.clone() });
        }
    }
    Ok(())
}

fn check_claimants(post: PostKey, people: &[PersonId]) -> Result<(), Refusal> {
    if people.len() > CLAIMS_PER_POST_MAX {
        return Err(Refusal::PostFull { post, max: CLAIMS_PER_POST_MAX });
    }
    let mut seen = HashSet::new();
    if people.iter().all(|person| seen.insert(*person)) { Ok(()) } else { Err(Refusal::AlreadyClaimed { post }) }
}
