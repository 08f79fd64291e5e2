//! What follows for duty: the calls that an order makes by rule, the bench that moves up, posts relieved, things returned.

use std::collections::HashSet;

use crate::domain::aid::{AidEvent, OpenDispatch};
use crate::domain::compound::CompoundId;
use crate::domain::duty::{
    Activation, Answer, CallState, CalledPost, DutyBoard, DutyCall, DutyEvent, Mode, PostSeat, Service,
};
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::ids::{DispatchId, IncidentId, PersonId};
use crate::domain::plan::LevelPlan;
use crate::domain::post::PostKey;
use crate::domain::succession::{Holder, SuccessionEvent};
use crate::domain::time::Timestamp;

use super::super::state::{City, PostState, Roll};
use super::Moment;

/// What an order to emergency mode says of all its compounds.
struct Raise {
    incident: IncidentId,
    hazard: Hazard,
    level: ResponseLevel,
    silent_after_s: u32,
    answer_limit_s: u32,
}

/// What an order to emergency mode would call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Foreseen {
    /// Posts that the level asks for.
    pub posts: usize,
    /// Places that they have.
    pub needed: usize,
    /// People who are called for it.
    pub people: usize,
}

/// What the activated plan says of the level; a compound without a plan calls everybody and opens a roll.
struct Orders {
    plan: Option<u32>,
    posts: Vec<CalledPost>,
    roll_call: bool,
    answer_limit_s: u32,
}

impl City {
    pub(super) fn evolve_duty(&mut self, event: &DutyEvent, now: Moment) {
        match event {
            DutyEvent::Raised { incident, level, compounds, silent_after_s, answer_limit_s } => {
                let Some(hazard) = self.incidents.get(incident).map(|state| state.incident.hazard) else { return };
                let (silent_after_s, answer_limit_s) = (*silent_after_s, *answer_limit_s);
                let raise = Raise { incident: *incident, hazard, level: *level, silent_after_s, answer_limit_s };
                // All are raised before anybody is called: who commands one of them is not called to a post of another.
                for activation in compounds {
                    self.raise(&raise, activation, now);
                }
                for activation in compounds {
                    self.call_posts(activation.compound, now);
                }
            }
            DutyEvent::StoodDown { incident, compounds } => self.stand_down_all(*incident, compounds, now),
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

    fn raise(&mut self, raise: &Raise, activation: &Activation, now: Moment) {
        let (id, incident) = (activation.compound, raise.incident);
        let Some(orders) = self.orders(id, raise, activation.plan) else { return };
        let roll_call = orders.roll_call;
        let raised = self.change(id, now, |compound| {
            compound.mode = Mode::Emergency { incident, level: raise.level };
            compound.silent_after_s = Some(raise.silent_after_s);
            let (board, relieved) = set_board(compound.board.take(), raise, orders, now.at);
            compound.board = Some(board);
            relieved
        });
        for (post, person) in raised.into_iter().flatten() {
            self.free(PostKey { compound: id, no: post }, person);
        }
        if let Some(state) = self.incidents.get_mut(&incident) {
            state.in_emergency.insert(id);
            state.touched.insert(id);
        }
        if roll_call {
            self.open_roll(incident, id, now);
        }
    }

    /// Opens the roll, or the same one again when the compound comes back into the incident.
    fn open_roll(&mut self, incident: IncidentId, id: CompoundId, now: Moment) {
        let Some(compound) = self.compounds.get(&id) else { return };
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        let roll = state.rolls.entry(id).or_insert_with(|| Roll::open(&compound.compound, now.at));
        roll.closed_at = None;
    }

    fn orders(&self, id: CompoundId, raise: &Raise, version: Option<u32>) -> Option<Orders> {
        let compound = self.compounds.get(&id)?;
        let plan =
            version.and_then(|version| compound.plan(raise.hazard, version)).and_then(|v| v.plan.level(raise.level));
        let called = compound.posts.iter().filter_map(|state| {
            let team = self.post_kinds.get(&state.post.kind).map(|kind| kind.team);
            let is_called = plan.is_none_or(|plan: &LevelPlan| team.is_none_or(|team| plan.teams.contains(&team)));
            is_called.then_some(CalledPost { no: state.post.no, headcount: state.post.headcount, team })
        });
        Some(Orders {
            plan: version,
            posts: called.collect(),
            roll_call: plan.is_none_or(|plan| plan.roll_call),
            answer_limit_s: plan.map_or(raise.answer_limit_s, |plan| plan.answer_limit_s),
        })
    }

    /// Calls whoever is next for every place of the called posts that is not filled; nothing in a compound in normal mode.
    pub(super) fn call_posts(&mut self, id: CompoundId, now: Moment) {
        if self.compounds.get(&id).is_none_or(|compound| compound.board.is_none()) {
            return;
        }
        // Taken out while the compound is changed, and put back with the calls that were made.
        let (mut calls, commands) = (std::mem::take(&mut self.calls), std::mem::take(&mut self.commands));
        let mut newly_called = std::mem::take(&mut self.newly_called);
        let called = self.change(id, now, |compound| {
            let board = compound.board.as_mut()?;
            let engaged = |person| calls.contains_key(&person) || commands.contains_key(&person);
            Some(fill_posts(board, &compound.posts, now.at, engaged))
        });
        for (no, person) in called.flatten().into_iter().flatten() {
            let key = PostKey { compound: id, no };
            calls.insert(person, key);
            newly_called.push((key, person));
        }
        (self.calls, self.commands, self.newly_called) = (calls, commands, newly_called);
        self.settle(id);
    }

    /// What an order to this level would call, by the code that calls; nothing changes. People whom it relieves may be called to
    /// posts that wait for them elsewhere: they are not counted.
    pub(in super::super) fn foresee_raise(
        &self,
        incident: IncidentId,
        level: ResponseLevel,
        activations: &[Activation],
        now: Timestamp,
    ) -> Foreseen {
        let Some(hazard) = self.incidents.get(&incident).map(|state| state.incident.hazard) else {
            return Foreseen::default();
        };
        let raise = Raise { incident, hazard, level, silent_after_s: 0, answer_limit_s: 0 };
        let (mut boards, mut commanders, mut freed) = (Vec::new(), HashSet::new(), HashSet::new());
        for activation in activations {
            let Some(state) = self.compounds.get(&activation.compound) else { continue };
            let Some(orders) = self.orders(activation.compound, &raise, activation.plan) else { continue };
            let (board, relieved) = set_board(state.board.clone(), &raise, orders, now);
            freed.extend(relieved.into_iter().map(|(_, person)| person));
            if let Holder::Person(person) = state.succession.holder {
                commanders.insert(person);
            }
            boards.push((state, board));
        }
        let mut called = HashSet::new();
        for (state, board) in &mut boards {
            let newly = fill_posts(board, &state.posts, now, |person| {
                let has_call = self.calls.contains_key(&person) && !freed.contains(&person);
                let commands = self.commands.contains_key(&person) || commanders.contains(&person);
                has_call || commands || called.contains(&person)
            });
            called.extend(newly.into_iter().map(|(_, person)| person));
        }
        let posts = || boards.iter().flat_map(|(_, board)| &board.posts);
        let needed = posts().map(|post| usize::from(post.headcount)).sum();
        Foreseen { posts: posts().count(), needed, people: called.len() }
    }

    fn answer(&mut self, post: PostKey, person: PersonId, answer: &Answer, now: Moment) {
        let state = self.change(post.compound, now, |compound| {
            compound.board.as_mut().and_then(|board| board.answer(post.no, person, answer, now.at))
        });
        match state.flatten() {
            Some(CallState::Declined) => self.disengage(post, person),
            Some(_) => {
                self.calls.entry(person).or_insert(post);
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

    /// Claims changed. Where one ended, so does its call; where one came, or one ended, whoever is next moves up.
    pub(super) fn reconcile_calls(&mut self, id: CompoundId, now: Moment) {
        if self.compounds.get(&id).is_none_or(|compound| compound.board.is_none()) {
            return;
        }
        let relieved = self.change(id, now, |compound| {
            let posts = &compound.posts;
            let held = |call: &DutyCall| {
                let post = posts.iter().find(|state| state.post.no == call.post);
                post.is_some_and(|state| state.is_held_by(call.person))
            };
            compound.board.as_mut().map(|board| board.relieve_unless(now.at, held))
        });
        for (no, person) in relieved.flatten().into_iter().flatten() {
            self.free(PostKey { compound: id, no }, person);
        }
        self.call_posts(id, now);
    }

    /// The person is no longer needed there, and can be called where a place waits.
    fn free(&mut self, post: PostKey, person: PersonId) {
        self.disengage(post, person);
        self.freed_in.extend(self.places.get(&person).into_iter().flatten());
    }

    /// The person is no longer called there. Who declined or did not answer is not called elsewhere for that.
    fn disengage(&mut self, post: PostKey, person: PersonId) {
        if self.calls.get(&person) == Some(&post) {
            self.calls.remove(&person);
        }
    }

    fn stand_down_all(&mut self, incident: IncidentId, compounds: &[CompoundId], now: Moment) {
        for id in compounds {
            self.stand_down(incident, *id, now);
        }
        let Some(state) = self.incidents.get(&incident) else { return };
        let is_over = |open: &OpenDispatch| !state.in_emergency.contains(&open.dispatch.to);
        let back: Vec<DispatchId> =
            state.dispatches.iter().filter(|(_, open)| is_over(open)).map(|(dispatch, _)| *dispatch).collect();
        for id in back {
            self.take_back(id, now);
        }
    }

    /// Posts relieved, roll closed, command back to the head of the line.
    fn stand_down(&mut self, incident: IncidentId, id: CompoundId, now: Moment) {
        let stood_down = self.change(id, now, |compound| {
            let commander = compound.emergency_commander();
            compound.mode = Mode::Normal;
            compound.silent = false;
            compound.silent_after_s = None;
            (commander, compound.board.take())
        });
        let Some((commander, board)) = stood_down else { return };
        for call in board.into_iter().flat_map(|board| board.calls) {
            self.keep_service(incident, id, &call, now);
            if call.state.is_active() {
                self.free(PostKey { compound: id, no: call.post }, call.person);
            }
        }
        if let Some(person) = commander {
            self.freed_in.extend(self.places.get(&person).into_iter().flatten());
        }
        self.evolve_succession(id, &SuccessionEvent::Restored {}, now);
        let Some(state) = self.incidents.get_mut(&incident) else { return };
        state.in_emergency.remove(&id);
        if let Some(roll) = state.rolls.get_mut(&id) {
            roll.closed_at = Some(now.at);
        }
        let share = self.share_of(id, incident);
        self.move_share(id, incident, share);
    }

    /// The board goes; what its people served stays with them.
    fn keep_service(&mut self, incident: IncidentId, id: CompoundId, call: &DutyCall, now: Moment) {
        let exercise = self.incidents.get(&incident).is_some_and(|state| state.incident.exercise);
        let service = Service::of(id, incident, call).stood_down(now.at);
        self.services.entry(call.person).or_default().keep(service, exercise, now.at);
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

/// Calls whoever is next for every place of the called posts that is not filled, unless they are `engaged`: who was called to
/// which post.
fn fill_posts(
    board: &mut DutyBoard,
    posts: &[PostState],
    now: Timestamp,
    engaged: impl Fn(PersonId) -> bool,
) -> Vec<(u16, PersonId)> {
    let mut called: Vec<(u16, PersonId)> = Vec::new();
    for index in 0..board.posts.len() {
        let CalledPost { no, headcount, .. } = board.posts[index];
        let Some(state) = posts.iter().find(|state| state.post.no == no) else { continue };
        let seat = PostSeat { no, headcount, claimants: &state.claimants().collect::<Vec<_>>() };
        let newly = board.call(seat, now, |person| engaged(person) || called.iter().any(|(_, other)| *other == person));
        called.extend(newly.into_iter().map(|person| (no, person)));
    }
    board.note_readiness(now);
    called
}

/// Opens the board, or changes it to another level: calls to posts that the level does not ask for are relieved.
fn set_board(
    before: Option<DutyBoard>,
    raise: &Raise,
    orders: Orders,
    now: Timestamp,
) -> (DutyBoard, Vec<(u16, PersonId)>) {
    let (since, calls) = before.map_or((now, Vec::new()), |board| (board.since, board.calls));
    let mut board = DutyBoard {
        incident: raise.incident,
        level: raise.level,
        plan: orders.plan,
        since,
        level_since: now,
        answer_limit_s: orders.answer_limit_s,
        posts: orders.posts,
        calls,
        ready_at: None,
    };
    let wanted: HashSet<u16> = board.posts.iter().map(|post| post.no).collect();
    let relieved = board.relieve_unless(now, |call| wanted.contains(&call.post));
    (board, relieved)
}
