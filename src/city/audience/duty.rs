//! Who is told of duty: compounds raised and stood down, people called, answers, vacancies, silence.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::compound::CompoundId;
use crate::domain::duty::{Activation, Answer, CallState, DutyBoard};
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::post::PostKey;

use super::super::state::CompoundState;
use super::notice::{CommandBrief, DutyNotice, Extent, NoticeKind, Occasion, PostCall, PostDuty};
use super::record::Draft;
use super::{Audience, Part};

/// What is done at each kind of post, made once a record.
type Duties<'a> = HashMap<&'a str, Arc<PostDuty>>;

impl Draft<'_> {
    pub(super) fn raised(&mut self, incident: IncidentId, level: ResponseLevel, activations: &[Activation]) {
        let mut ids: Vec<CompoundId> = activations.iter().map(|activation| activation.compound).collect();
        ids.sort_unstable();
        self.moved(incident, Some(level), &ids, NoticeKind::DutyRaised);
        let Ok(under) = self.city.incident(incident) else { return };
        let (occasion, hazard) = (Occasion::of(Some(&under.incident)), under.incident.hazard);
        for id in &ids {
            let Ok(state) = self.city.compound(*id) else { continue };
            let Some(board) = &state.board else { continue };
            let brief = brief(*id, state, board, hazard);
            self.say(Audience::of_compound(*id, Part::LINE), occasion, NoticeKind::CommandBrief(Box::new(brief)));
            if board.since < self.at {
                self.calls_dropped(*id, state, board, occasion);
            }
        }
        let opened = |id: &CompoundId| self.city.roll(incident, *id).is_some_and(|roll| roll.opened_at == self.at);
        let rolls: Vec<CompoundId> = ids.into_iter().filter(opened).collect();
        self.say_in(rolls, Part::MEMBERS, occasion, NoticeKind::RollOpened { incident });
    }

    pub(super) fn stood_down(&mut self, incident: IncidentId, compounds: &[CompoundId]) {
        let mut ids = compounds.to_vec();
        ids.sort_unstable();
        self.moved(incident, None, &ids, NoticeKind::StoodDown);
    }

    /// One notice for the people of all the compounds, one for the accounts that watch over them.
    fn moved(
        &mut self,
        incident: IncidentId,
        level: Option<ResponseLevel>,
        sorted: &[CompoundId],
        kind: fn(DutyNotice) -> NoticeKind,
    ) {
        let Ok(state) = self.city.incident(incident) else { return };
        let (title, hazard) = (state.incident.title.clone(), state.incident.hazard);
        let occasion = Occasion::of(Some(&state.incident));
        let notice = DutyNotice { incident, title, hazard, level, extent: None };
        let watched = DutyNotice { extent: Some(Extent::of(sorted)), ..notice.clone() };
        self.say_in(sorted.iter().copied(), Part::MEMBERS, occasion, kind(notice));
        self.say_in(sorted.iter().copied(), Part::ACCOUNTS, occasion, kind(watched));
    }

    /// The people whom the record called, by order, from a bench or because they came free: each is told of the one call they have.
    pub(super) fn calls_made(&mut self) {
        let city = self.city;
        let mut duties = Duties::new();
        for (key, person) in city.newly_called() {
            let Ok(state) = city.compound(key.compound) else { continue };
            let Some(board) = &state.board else { continue };
            let Ok(post) = city.post(*key) else { continue };
            let duty = duties.entry(&post.post.kind).or_insert_with(|| self.duty_of(&post.post.kind)).clone();
            let called = PostCall {
                post: *key,
                incident: board.incident,
                level: board.level,
                duty,
                answer_by: self.at.plus_s(board.answer_limit_s),
            };
            let occasion = self.occasion(Some(board.incident));
            self.say(Audience::Person(*person), occasion, NoticeKind::YourCall(called));
        }
    }

    fn duty_of(&self, kind: &str) -> Arc<PostDuty> {
        let kind = self.city.post_kind(kind);
        let text = |text: fn(&crate::domain::post::PostKind) -> &String| kind.map(text).cloned().unwrap_or_default();
        Arc::new(PostDuty {
            title_zh: text(|kind| &kind.title_zh),
            title_en: text(|kind| &kind.title_en),
            emergency_duty: text(|kind| &kind.emergency_duty),
            emergency_duty_en: kind.and_then(|kind| kind.emergency_duty_en.clone()),
        })
    }

    /// At another level some posts are no longer called. Who was relieved earlier hears it again, which changes nothing.
    fn calls_dropped(&mut self, id: CompoundId, state: &CompoundState, board: &DutyBoard, occasion: Occasion) {
        for call in &board.calls {
            if call.state == CallState::Relieved && state.has_claimant(call.person) {
                let post = PostKey { compound: id, no: call.post };
                self.say(Audience::Person(call.person), occasion, NoticeKind::YourCallEnded { post });
            }
        }
    }

    pub(super) fn answered(&mut self, post: PostKey, person: PersonId, answer: &Answer) {
        let Ok(state) = self.city.compound(post.compound) else { return };
        let Some(board) = &state.board else { return };
        let (duty, vacant_posts) = (board.counts(), vacant_posts(board));
        let kind = NoticeKind::CallAnswered { post, person, answer: answer.clone(), duty, vacant_posts };
        let occasion = self.occasion(Some(board.incident));
        self.say(Audience::of_compound(post.compound, Part::LINE), occasion, kind);
    }

    pub(super) fn unanswered(&mut self, compound: CompoundId, calls: &[(u16, PersonId)]) {
        let Ok(state) = self.city.compound(compound) else { return };
        let Some(board) = &state.board else { return };
        let occasion = self.occasion(Some(board.incident));
        let (duty, vacant_posts) = (board.counts(), vacant_posts(board));
        let kind = NoticeKind::CallsUnanswered { compound, calls: calls.to_vec(), duty, vacant_posts };
        self.say(Audience::of_compound(compound, Part::LINE), occasion, kind);
    }

    pub(super) fn fell_silent(&mut self, compounds: &[CompoundId]) {
        // Compounds of different incidents may fall silent in one record, a real one beside an exercise: one notice each.
        for occasion in [Occasion::REAL, Occasion::EXERCISE, Occasion::ROUTINE] {
            let mut ids: Vec<CompoundId> =
                compounds.iter().copied().filter(|id| self.occasion_in(*id) == occasion).collect();
            ids.sort_unstable();
            for id in &ids {
                let kind = NoticeKind::FellSilent { extent: Extent::of(&[*id]) };
                self.say(Audience::of_compound(*id, Part::LINE), occasion, kind);
            }
            let extent = Extent::of(&ids);
            self.say_in(ids, Part::ACCOUNTS, occasion, NoticeKind::FellSilent { extent });
        }
    }
}

fn brief(compound: CompoundId, state: &CompoundState, board: &DutyBoard, hazard: Hazard) -> CommandBrief {
    let level =
        board.plan.and_then(|version| state.plan(hazard, version)).and_then(|plan| plan.plan.level(board.level));
    CommandBrief {
        compound,
        incident: board.incident,
        level: board.level,
        holder: state.succession.holder,
        epoch: state.succession.epoch,
        plan: board.plan,
        tasks: level.map(|level| level.tasks.clone()).unwrap_or_default(),
        message: level.map(|level| level.message.clone()).unwrap_or_default(),
        duty: board.counts(),
        vacant_posts: vacant_posts(board),
    }
}

/// Called posts with places for which nobody is called, coming or there.
fn vacant_posts(board: &DutyBoard) -> Vec<u16> {
    board.vacancies().map(|(post, _)| post.no).collect()
}
