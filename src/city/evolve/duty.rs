//! What follows for duty: the calls that an order makes by rule, the bench that moves up, posts relieved, things returned.

use crate::domain::aid::{AidEvent, OpenDispatch};
use crate::domain::compound::CompoundId;
use crate::domain::duty::{Activation, Answer, CallState, DutyBoard, DutyEvent, Mode};
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::ids::{DispatchId, IncidentId, PersonId};
use crate::domain::plan::{ANSWER_LIMIT_DEFAULT_S, LevelPlan};
use crate::domain::post::PostKey;
use crate::domain::succession::{Holder, SuccessionEvent};

use super::super::state::{City, CompoundState, Roll};
use super::Moment;

/// What the activated plan says of the level; a compound without a plan calls everybody and opens a roll.
struct Orders {
    posts: Vec<(u16, u8)>,
    roll_call: bool,
    answer_limit_s: u32,
}

impl City {
    pub(super) fn evolve_duty(&mut self, event: &DutyEvent, now: Moment) {
        match event {
            DutyEvent::Raised { incident, level, compounds, silent_after_s } => {
                let Some(hazard) = self.incidents.get(incident).map(|state| state.incident.hazard) else { return };
                // Commanders first: who commands one compound is not called to a post of another.
                for activation in compounds {
                    self.take_command(activation.compound);
                }
                for activation in compounds {
                    self.raise(*incident, hazard, *level, activation, *silent_after_s, now);
                }
            }
            DutyEvent::StoodDown { incident, compounds } => {
                for id in compounds {
                    self.stand_down(*incident, *id, now);
                }
            }
            DutyEvent::Answered { post, person, answer, .. } => self.answer(*post, *person, answer, now),
            DutyEvent::Unanswered { compound, calls, .. } => self.give_up(*compound, calls, now),
            DutyEvent::FellSilent { compounds, .. } => {
                for id in compounds {
                    self.change(*id, now, |compound| compound.silent = true);
                    self.settle(*id);
                }
            }
        }
    }

    fn take_command(&mut self, id: CompoundId) {
        if let Some(holder) = self.compounds.get(&id).map(|compound| compound.succession.holder) {
            self.engage_holder(id, holder, holder);
        }
    }

    fn raise(
        &mut self,
        incident: IncidentId,
        hazard: Hazard,
        level: ResponseLevel,
        activation: &Activation,
        silent_after_s: u32,
        now: Moment,
    ) {
        let id = activation.compound;
        let Some(orders) = self.orders(id, hazard, level, activation.plan) else { return };
        let raised = self.change(id, now, |compound| {
            let relieved = set_board(compound, incident, level, activation.plan, &orders, now);
            compound.mode = Mode::Emergency { incident, level };
            compound.silent_after_s = Some(silent_after_s);
            relieved
        });
        let Some(relieved) = raised else { return };
        for (post, person) in relieved {
            self.disengage(PostKey { compound: id, no: post }, person);
        }
        if let Some(state) = self.incidents.get_mut(&incident) {
            state.in_emergency.insert(id);
            state.touched.insert(id);
        }
        if orders.roll_call {
            self.open_roll(incident, id, now);
        }
        self.call_posts(id, now);
    }

    /// Opens the roll, or the same one again when the compound comes back into the incident.
    fn open_roll(&mut self, incident: IncidentId, id: CompoundId, now: Moment) {
        let Some(compound) = self.compounds.get(&id) else { return };
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        let roll = state.rolls.entry(id).or_insert_with(|| Roll::open(&compound.compound, now.at));
        roll.closed_at = None;
    }

    fn orders(&self, id: CompoundId, hazard: Hazard, level: ResponseLevel, version: Option<u32>) -> Option<Orders> {
        let compound = self.compounds.get(&id)?;
        let plan = version.and_then(|version| compound.plan(hazard, version)).and_then(|v| v.plan.level(level));
        let is_called = |kind: &str| {
            let team = self.post_kinds.get(kind).map(|kind| kind.team);
            plan.is_none_or(|plan: &LevelPlan| team.is_none_or(|team| plan.teams.contains(&team)))
        };
        let posts = compound.posts.iter().filter(|state| is_called(&state.post.kind));
        Some(Orders {
            posts: posts.map(|state| (state.post.no, state.post.headcount)).collect(),
            roll_call: plan.is_none_or(|plan| plan.roll_call),
            answer_limit_s: plan.map_or(ANSWER_LIMIT_DEFAULT_S, |plan| plan.answer_limit_s),
        })
    }

    /// Calls whoever is next for every place of the called posts that is not filled.
    fn call_posts(&mut self, id: CompoundId, now: Moment) {
        let Some(compound) = self.compounds.get(&id) else { return };
        let Some(mut board) = compound.board.clone() else { return };
        for (no, _) in board.posts.clone() {
            let Some(post) = compound.posts.iter().find(|state| state.post.no == no) else { continue };
            let claimants = post.claimants();
            let first = board.calls.len();
            let engaged = &mut self.engaged;
            let key = PostKey { compound: id, no };
            board.call(post.seat(&claimants), now.at, |person| engaged.contains_key(&person));
            engaged.extend(board.calls[first..].iter().map(|call| (call.person, key)));
        }
        if board.ready_at.is_none() && board.is_ready() {
            board.ready_at = Some(now.at);
        } else if !board.is_ready() {
            board.ready_at = None;
        }
        self.change(id, now, |compound| compound.board = Some(board));
        self.settle(id);
    }

    fn answer(&mut self, post: PostKey, person: PersonId, answer: &Answer, now: Moment) {
        let state = self.change(post.compound, now, |compound| {
            compound.board.as_mut().and_then(|board| board.answer(post.no, person, answer, now.at))
        });
        match state.flatten() {
            Some(CallState::Declined) => self.disengage(post, person),
            Some(_) => {
                self.engaged.entry(person).or_insert(post);
            }
            None => return,
        }
        self.hear(post.compound, now);
        self.call_posts(post.compound, now);
    }

    fn give_up(&mut self, id: CompoundId, calls: &[(u16, PersonId)], now: Moment) {
        self.change(id, now, |compound| {
            let board = compound.board.as_mut();
            for call in board.into_iter().flat_map(|board| board.calls.iter_mut()) {
                if call.state == CallState::Called && calls.contains(&(call.post, call.person)) {
                    call.state = CallState::NoAnswer;
                }
            }
        });
        for (no, person) in calls {
            self.disengage(PostKey { compound: id, no: *no }, *person);
        }
        self.call_posts(id, now);
    }

    /// The claim ended: so does the call, and the bench moves up.
    pub(super) fn release_call(&mut self, post: PostKey, person: PersonId, now: Moment) {
        let relieved = self.change(post.compound, now, |compound| {
            let calls = compound.board.as_mut().into_iter().flat_map(|board| board.calls.iter_mut());
            let mut active = calls.filter(|c| c.post == post.no && c.person == person && c.state.is_active());
            active.next().map(|call| call.state = CallState::Relieved)
        });
        if relieved.flatten().is_some() {
            self.disengage(post, person);
            self.call_posts(post.compound, now);
        }
    }

    fn disengage(&mut self, post: PostKey, person: PersonId) {
        if self.engaged.get(&person) == Some(&post) {
            self.engaged.remove(&person);
        }
    }

    /// Posts relieved, roll closed, things returned, command back to the head of the line.
    fn stand_down(&mut self, incident: IncidentId, id: CompoundId, now: Moment) {
        if let Some(Holder::Person(person)) = self.compounds.get(&id).map(|compound| compound.succession.holder) {
            self.disengage(PostKey { compound: id, no: 0 }, person);
        }
        let board = self.change(id, now, |compound| {
            compound.mode = Mode::Normal;
            compound.silent = false;
            compound.silent_after_s = None;
            compound.board.take()
        });
        for call in board.flatten().map(|board| board.calls).unwrap_or_default() {
            self.disengage(PostKey { compound: id, no: call.post }, call.person);
        }
        self.evolve_succession(id, &SuccessionEvent::Restored {}, now);
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        state.in_emergency.remove(&id);
        if let Some(roll) = state.rolls.get_mut(&id) {
            roll.closed_at = Some(now.at);
        }
        let back: Vec<DispatchId> =
            state.dispatches.iter().filter(|(_, open)| open.dispatch.to == id).map(|(dispatch, _)| *dispatch).collect();
        for id in back {
            self.take_back(id, now);
        }
        let share = self.share_of(id, incident);
        self.move_share(id, incident, share);
    }

    pub(super) fn evolve_aid(&mut self, event: &AidEvent, now: Moment) {
        match event {
            AidEvent::Dispatched { id, dispatch } => {
                self.change(dispatch.from, now, |compound| {
                    if let Some(has) = compound.stock.get_mut(&dispatch.resource) {
                        *has = has.saturating_sub(dispatch.quantity);
                    }
                });
                if let Some(state) = self.incidents.get_mut(&dispatch.incident) {
                    state.dispatches.insert(*id, OpenDispatch { dispatch: dispatch.clone(), since: now.at });
                }
            }
            AidEvent::Returned { id, .. } => self.take_back(*id, now),
        }
    }

    fn take_back(&mut self, id: DispatchId, now: Moment) {
        let open = self.incidents.values_mut().find_map(|state| state.dispatches.remove(&id));
        if let Some(OpenDispatch { dispatch, .. }) = open {
            self.change(dispatch.from, now, |compound| {
                *compound.stock.entry(dispatch.resource).or_default() += dispatch.quantity;
            });
        }
    }
}

/// Opens the board, or changes it to another level: calls to posts that the level does not ask for are relieved.
fn set_board(
    compound: &mut CompoundState,
    incident: IncidentId,
    level: ResponseLevel,
    plan: Option<u32>,
    orders: &Orders,
    now: Moment,
) -> Vec<(u16, PersonId)> {
    let board = compound.board.get_or_insert_with(|| DutyBoard {
        incident,
        level,
        plan,
        since: now.at,
        answer_limit_s: orders.answer_limit_s,
        posts: Vec::new(),
        calls: Vec::new(),
        ready_at: None,
    });
    board.level = level;
    board.plan = plan;
    board.answer_limit_s = orders.answer_limit_s;
    board.posts.clone_from(&orders.posts);
    let mut relieved = Vec::new();
    for call in &mut board.calls {
        let wanted = orders.posts.iter().any(|(no, _)| *no == call.post);
        if call.state.is_active() && !wanted {
            call.state = CallState::Relieved;
            relieved.push((call.post, call.person));
        }
    }
    relieved
}
