//! Orders about duty: switching, answers to calls, what the timers give up on; and sending resources.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::actor::{Actor, Role};
use crate::domain::aid::AidEvent;
use crate::domain::area::AreaCode;
use crate::domain::command::{Command, Order, SWITCH_COMPOUNDS_MAX};
use crate::domain::compound::CompoundId;
use crate::domain::duty::{Activation, Answer, DutyEvent, Mode, ModeOrder};
use crate::domain::event::Event;
use crate::domain::hazard::ResponseLevel;
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::policy::Policy;
use crate::domain::post::PostKey;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::super::authority::Action;
use super::super::state::City;
use super::{check_system, giver_of, some_events};

/// What an order to a level finds.
#[derive(Debug, Default)]
pub(in super::super) struct Raisable {
    /// Compounds that it moves, under which plans.
    pub activations: Vec<Activation>,
    /// Compounds that are in emergency mode under another incident.
    pub elsewhere: Vec<CompoundId>,
}

impl City {
    pub(super) fn decide_duty(&self, order: &Order, policy: &Policy) -> Result<Vec<Event>, Refusal> {
        match &order.command {
            Command::SwitchDuty { incident, areas, compounds, to } => {
                let compounds = self.named(areas, compounds)?;
                self.check_may_switch(&order.actor, order.epoch, areas, &compounds)?;
                self.incident(*incident)?.incident.check_open()?;
                match to {
                    ModeOrder::Emergency(level) => self.decide_raise(*incident, *level, &compounds, policy),
                    ModeOrder::Normal => self.decide_stand_down(*incident, &compounds),
                }
            }
            Command::AnswerCall { post, answer } => self.decide_answer(*post, giver_of(order)?, answer),
            Command::AnswerCallFor { post, person, answer } => {
                self.may_order(&order.actor, Action::AnswerForOthers, post.compound, order.epoch)?;
                self.decide_answer(*post, *person, answer)
            }
            Command::TimeOutCalls { compounds } => {
                check_system(order)?;
                self.decide_time_out(order.at, compounds)
            }
            Command::NoteSilence { compounds } => {
                check_system(order)?;
                self.decide_silence(order.at, compounds)
            }
            _ => Err(Action::SwitchDuty.not_your_role()),
        }
    }

    fn decide_time_out(&self, now: Timestamp, compounds: &[CompoundId]) -> Result<Vec<Event>, Refusal> {
        let given_up = compounds.iter().filter_map(|id| {
            let board = self.compound(*id).ok()?.board.as_ref()?;
            let (calls, incident) = (board.overdue(now), Some(board.incident));
            let some = !calls.is_empty();
            some.then_some(Event::Duty(DutyEvent::Unanswered { compound: *id, calls, incident }))
        });
        some_events(given_up.collect(), Refusal::NothingToSwitch {})
    }

    fn decide_silence(&self, now: Timestamp, compounds: &[CompoundId]) -> Result<Vec<Event>, Refusal> {
        let mut silent: BTreeMap<Option<IncidentId>, Vec<CompoundId>> = BTreeMap::new();
        for id in compounds {
            let Ok(state) = self.compound(*id) else { continue };
            if state.silence_due().is_some_and(|due| due <= now) {
                silent.entry(state.incident()).or_default().push(*id);
            }
        }
        let fell = |(incident, compounds)| Event::Duty(DutyEvent::FellSilent { compounds, incident });
        some_events(silent.into_iter().map(fell).collect(), Refusal::NothingToSwitch {})
    }

    // INVARIANT: a person has one active call at most: who was given up on and is engaged elsewhere by now is not taken back.
    fn decide_answer(&self, post: PostKey, person: PersonId, answer: &Answer) -> Result<Vec<Event>, Refusal> {
        let board = self.compound(post.compound)?.board.as_ref().ok_or(Refusal::NotCalled { post })?;
        let event = board.decide_answer(post, person, answer)?;
        let elsewhere = self.is_engaged(person) && self.call_of(person) != Some(post);
        let given_up = board.call_of(post.no, person).is_some_and(|call| !call.state.is_active());
        if given_up && elsewhere { Err(Refusal::NotCalled { post }) } else { Ok(vec![Event::Duty(event)]) }
    }

    /// The compounds that areas and codes name, by code, each once.
    pub(in super::super) fn named(
        &self,
        areas: &[AreaCode],
        compounds: &[CompoundId],
    ) -> Result<Vec<CompoundId>, Refusal> {
        let mut named = BTreeSet::new();
        for area in areas {
            self.area(*area)?;
            named.extend(self.compounds_in(*area).map(|(id, _)| *id));
        }
        for compound in compounds {
            self.compound(*compound)?;
            named.insert(*compound);
        }
        if named.is_empty() {
            return Err(Refusal::EmptyArea {});
        }
        if named.len() > SWITCH_COMPOUNDS_MAX {
            return Err(Refusal::BadCount { field: "compounds", max: SWITCH_COMPOUNDS_MAX });
        }
        Ok(named.into_iter().collect())
    }

    /// Whether the actor may switch all of them.
    pub(in super::super) fn check_may_switch(
        &self,
        actor: &Actor,
        epoch: Option<u32>,
        areas: &[AreaCode],
        compounds: &[CompoundId],
    ) -> Result<(), Refusal> {
        for area in areas {
            self.may_in_area(actor, Action::SwitchDuty, *area)?;
        }
        compounds.iter().try_for_each(|id| self.may_order(actor, Action::SwitchDuty, *id, epoch))
    }

    /// Which of the compounds an order to this level moves, and which it cannot.
    pub(in super::super) fn raisable(
        &self,
        incident: IncidentId,
        level: ResponseLevel,
        compounds: &[CompoundId],
    ) -> Result<Raisable, Refusal> {
        let hazard = self.incident(incident)?.incident.hazard;
        let mut raisable = Raisable::default();
        for id in compounds {
            let state = self.compound(*id)?;
            match state.mode {
                Mode::Emergency { incident: other, .. } if other != incident => raisable.elsewhere.push(*id),
                Mode::Emergency { level: same, .. } if same == level => {}
                Mode::Emergency { .. } | Mode::Normal => {
                    let plan = state.plan_in_force(hazard).map(|version| version.version);
                    raisable.activations.push(Activation { compound: *id, plan });
                }
            }
        }
        Ok(raisable)
    }

    /// Which of the compounds are in emergency mode under the incident.
    pub(in super::super) fn raised_of(&self, incident: IncidentId, compounds: &[CompoundId]) -> Vec<CompoundId> {
        let under = |id: &CompoundId| self.compound(*id).is_ok_and(|state| state.incident() == Some(incident));
        compounds.iter().copied().filter(under).collect()
    }

    fn decide_raise(
        &self,
        incident: IncidentId,
        level: ResponseLevel,
        compounds: &[CompoundId],
        policy: &Policy,
    ) -> Result<Vec<Event>, Refusal> {
        let Raisable { activations, elsewhere } = self.raisable(incident, level, compounds)?;
        if let Some(compound) = elsewhere.first() {
            return Err(Refusal::OtherIncident { compound: *compound });
        }
        if activations.is_empty() {
            return Err(Refusal::NothingToSwitch {});
        }
        let Policy { silent_after_s, answer_limit_s, .. } = *policy;
        let raised = DutyEvent::Raised { incident, level, compounds: activations, silent_after_s, answer_limit_s };
        Ok(vec![Event::Duty(raised)])
    }

    fn decide_stand_down(&self, incident: IncidentId, compounds: &[CompoundId]) -> Result<Vec<Event>, Refusal> {
        let compounds = self.raised_of(incident, compounds);
        if compounds.is_empty() {
            return Err(Refusal::NothingToSwitch {});
        }
        Ok(vec![Event::Duty(DutyEvent::StoodDown { incident, compounds })])
    }

    pub(super) fn decide_aid(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        let event = match &order.command {
            Command::DispatchResource { id, dispatch } => {
                self.compound(dispatch.to)?;
                self.may_order(&order.actor, Action::SendResources, dispatch.from, order.epoch)?;
                let incident = self.incident(dispatch.incident)?;
                incident.incident.check_open()?;
                if self.compound(dispatch.to)?.incident() != Some(dispatch.incident) {
                    return Err(Refusal::NotInEmergency { compound: dispatch.to });
                }
                if self.incidents.values().any(|state| state.dispatches.contains_key(id)) {
                    return Err(Refusal::AlreadyExists { what: format!("调度 dispatch {id}") });
                }
                dispatch.check(&self.compound(dispatch.from)?.stock)?;
                AidEvent::Dispatched { id: *id, dispatch: dispatch.clone() }
            }
            Command::ReturnResource { id } => {
                let open = self.incidents.values().find_map(|state| state.dispatches.get(id));
                let dispatch = &open.ok_or(Refusal::UnknownDispatch {})?.dispatch;
                self.may_return(&order.actor, dispatch.from, dispatch.to, order.epoch)?;
                AidEvent::Returned { id: *id, dispatch: Some(dispatch.clone()) }
            }
            _ => return Err(Action::SendResources.not_your_role()),
        };
        Ok(vec![Event::Aid(event)])
    }

    /// Whoever sent it or has it may say that it is back.
    fn may_return(&self, actor: &Actor, from: CompoundId, to: CompoundId, epoch: Option<u32>) -> Result<(), Refusal> {
        if actor.has(Role::Dispatcher, from) {
            return Ok(());
        }
        self.may_order(actor, Action::SendResources, from, epoch)
            .or_else(|_| self.may_order(actor, Action::SendResources, to, epoch))
    }
}
