//! The duty board of one compound: which posts are called, who was called to them, where each call stands, and what is ready.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::hazard::ResponseLevel;
use super::super::ids::{IncidentId, PersonId};
use super::super::post::{PostKey, Team};
use super::super::refusal::Refusal;
use super::super::text::check_text;
use super::super::time::Timestamp;
use super::{Answer, DutyEvent, REASON_MAX};

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Told to come.
    Called,
    /// Coming.
    Acknowledged,
    /// There.
    OnPost,
    /// Not coming.
    Declined,
    /// Did not answer in time.
    NoAnswer,
    /// No longer needed.
    Relieved,
}

impl CallState {
    /// Whether the person still counts towards the head-count.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Called | Self::Acknowledged | Self::OnPost)
    }

    /// Its name as it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Acknowledged => "acknowledged",
            Self::OnPost => "on_post",
            Self::Declined => "declined",
            Self::NoAnswer => "no_answer",
            Self::Relieved => "relieved",
        }
    }
}

/// What one order asks of one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DutyCall {
    /// Number of the post in the compound.
    pub post: u16,
    /// Who is called.
    pub person: PersonId,
    /// Where it stands.
    pub state: CallState,
    /// When the person was called.
    #[schema(value_type = i64)]
    pub called_at: Timestamp,
    /// When the person last answered.
    #[schema(value_type = Option<i64>)]
    pub answered_at: Option<Timestamp>,
    /// When the person said that they were there.
    #[schema(value_type = Option<i64>)]
    pub on_post_at: Option<Timestamp>,
    /// When the person was relieved.
    #[schema(value_type = Option<i64>)]
    pub ended_at: Option<Timestamp>,
    /// Why the person declined.
    pub reason: Option<String>,
}

/// How the calls of some compounds stand; added up over areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct DutyCounts {
    /// Posts that are called.
    pub posts: u32,
    /// Of these, with their whole head-count there.
    pub posts_ready: u32,
    /// Places that the called posts have.
    pub needed: u32,
    /// Called and not yet answered.
    pub called: u32,
    /// Coming.
    pub acknowledged: u32,
    /// There.
    pub on_post: u32,
    /// Declined, in all.
    pub declined: u32,
    /// Did not answer in time, in all.
    pub no_answer: u32,
    /// Places for which nobody is called, coming or there.
    pub vacant: u32,
}

/// A post as the board sees it: its number, head-count, and who holds it in order (approved claims only).
#[derive(Debug, Clone, Copy)]
pub struct PostSeat<'a> {
    /// Number in the compound.
    pub no: u16,
    /// People needed.
    pub headcount: u8,
    /// Approved claimants, in the order in which they are called.
    pub claimants: &'a [PersonId],
}

/// A post that an order calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalledPost {
    /// Its number in the compound.
    pub no: u16,
    /// People that it needs.
    pub headcount: u8,
    /// The team it belongs to; `None` where the catalogue does not know its kind.
    pub team: Option<Team>,
}

/// The duty of one compound in emergency mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DutyBoard {
    /// Under which incident.
    pub incident: IncidentId,
    /// At which level.
    pub level: ResponseLevel,
    /// Activated version of the plan; `None` when there was none.
    pub plan: Option<u32>,
    /// When the compound was switched to emergency mode.
    #[schema(value_type = i64)]
    pub since: Timestamp,
    /// When it was switched to this level: the time to ready counts from here.
    #[schema(value_type = i64)]
    pub level_since: Timestamp,
    /// Seconds that a called person has to answer.
    pub answer_limit_s: u32,
    /// The posts that are called.
    pub posts: Vec<CalledPost>,
    /// Every call made, in order.
    pub calls: Vec<DutyCall>,
    /// When it became ready ([`DutyBoard::is_ready`]); `None` while it is not.
    #[schema(value_type = Option<i64>)]
    pub ready_at: Option<Timestamp>,
}

impl DutyBoard {
    /// Calls the next claimants for every seat of `post` that is not filled; `engaged` says who has a call (or a command)
    /// elsewhere, so that nobody is called twice. Returns who was called.
    ///
    /// Rule: claimants are tried in order, each once until relieved; the first that are free fill the head-count, the rest are the bench.
    pub fn call(&mut self, seat: PostSeat<'_>, now: Timestamp, engaged: impl Fn(PersonId) -> bool) -> Vec<PersonId> {
        let missing = usize::from(seat.headcount).saturating_sub(self.filled(seat.no));
        let was_tried = |person| {
            let mut calls = self.calls.iter().filter(|c| c.post == seat.no && c.person == person);
            calls.any(|call| call.state != CallState::Relieved)
        };
        let free = seat.claimants.iter().copied().filter(|person| !was_tried(*person) && !engaged(*person));
        let called: Vec<PersonId> = free.take(missing).collect();
        let (post, state) = (seat.no, CallState::Called);
        let call = |person: &PersonId| DutyCall {
            post,
            person: *person,
            state,
            called_at: now,
            answered_at: None,
            on_post_at: None,
            ended_at: None,
            reason: None,
        };
        self.calls.extend(called.iter().map(call));
        called
    }

    /// Relieves everybody who is called, coming or there and is not to be kept; gives the posts they were called to.
    pub fn relieve_unless(&mut self, now: Timestamp, keep: impl Fn(&DutyCall) -> bool) -> Vec<(u16, PersonId)> {
        let mut relieved = Vec::new();
        for call in self.calls.iter_mut().filter(|call| call.state.is_active()) {
            if !keep(call) {
                call.state = CallState::Relieved;
                call.ended_at = Some(now);
                relieved.push((call.post, call.person));
            }
        }
        relieved
    }

    /// The call of a person to a post, the latest if there were several.
    pub fn call_of(&self, post: u16, person: PersonId) -> Option<&DutyCall> {
        self.calls.iter().rev().find(|c| c.post == post && c.person == person)
    }

    /// Checks that an answer follows on where the call stands.
    ///
    /// # Errors
    /// [`Refusal::NotCalled`], [`Refusal::WrongAnswer`], [`Refusal::BadText`].
    pub fn decide_answer(&self, post: PostKey, person: PersonId, answer: &Answer) -> Result<DutyEvent, Refusal> {
        let call = self.call_of(post.no, person).ok_or(Refusal::NotCalled { post })?;
        if let Answer::Declined { reason } = answer {
            check_text("reason", reason, REASON_MAX)?;
        }
        let follows = match call.state {
            CallState::Called | CallState::NoAnswer => true,
            CallState::Acknowledged => !matches!(answer, Answer::Acknowledged),
            CallState::OnPost | CallState::Declined | CallState::Relieved => false,
        };
        if !follows {
            return Err(Refusal::WrongAnswer { now: call.state.name() });
        }
        Ok(DutyEvent::Answered { post, person, answer: answer.clone(), incident: Some(self.incident) })
    }

    /// Notes an answer; `None` when there is no such call.
    pub fn answer(&mut self, post: u16, person: PersonId, answer: &Answer, now: Timestamp) -> Option<CallState> {
        let call = self.calls.iter_mut().rev().find(|c| c.post == post && c.person == person)?;
        call.answered_at = Some(now);
        call.state = match answer {
            Answer::Acknowledged => CallState::Acknowledged,
            Answer::OnPost => {
                call.on_post_at = Some(now);
                CallState::OnPost
            }
            Answer::Declined { reason } => {
                call.reason = Some(reason.clone());
                CallState::Declined
            }
        };
        Some(call.state)
    }

    /// Who was called and has not answered by `now`.
    pub fn overdue(&self, now: Timestamp) -> Vec<(u16, PersonId)> {
        let late = |c: &&DutyCall| c.state == CallState::Called && c.called_at.plus_s(self.answer_limit_s) <= now;
        self.calls.iter().filter(late).map(|c| (c.post, c.person)).collect()
    }

    /// When the next call falls overdue.
    pub fn answer_due(&self) -> Option<Timestamp> {
        let waiting = self.calls.iter().filter(|c| c.state == CallState::Called);
        waiting.map(|c| c.called_at.plus_s(self.answer_limit_s)).min()
    }

    /// People who are called to a post, coming or there.
    pub fn filled(&self, post: u16) -> usize {
        self.calls.iter().filter(|c| c.post == post && c.state.is_active()).count()
    }

    /// Places of a post whose people are there; more people than the head-count fill no more places.
    fn places_manned(&self, post: CalledPost) -> usize {
        let there = self.calls.iter().filter(|c| c.post == post.no && c.state == CallState::OnPost).count();
        there.min(usize::from(post.headcount))
    }

    /// Called posts with places for which nobody is called, coming or there; and how many people fill the others.
    pub fn vacancies(&self) -> impl Iterator<Item = (CalledPost, usize)> + '_ {
        let filled = self.posts.iter().map(|post| (*post, self.filled(post.no)));
        filled.filter(|(post, filled)| *filled < usize::from(post.headcount))
    }

    /// How its calls stand.
    pub fn counts(&self) -> DutyCounts {
        let mut counts = DutyCounts::default();
        for post in &self.posts {
            counts.posts += 1;
            counts.posts_ready += u32::from(self.places_manned(*post) == usize::from(post.headcount));
            counts.needed += u32::from(post.headcount);
        }
        for (post, filled) in self.vacancies() {
            counts.vacant += u32::from(post.headcount).saturating_sub(u32::try_from(filled).unwrap_or(u32::MAX));
        }
        for call in &self.calls {
            match call.state {
                CallState::Called => counts.called += 1,
                CallState::Acknowledged => counts.acknowledged += 1,
                CallState::OnPost => counts.on_post += 1,
                CallState::Declined => counts.declined += 1,
                CallState::NoAnswer => counts.no_answer += 1,
                CallState::Relieved => {}
            }
        }
        counts
    }

    // INVARIANT: ready_is_when_every_called_team_has_half_its_places_manned
    /// Whether the compound can begin to do what its plan asks: every team that is called has at least half of its places (rounded
    /// up, so never none) manned by people who are there. Coming does not count, nor do spare hands of one post for another.
    ///
    /// It is not "every place filled": some posts nobody has claimed, and one empty place does not keep a commander from beginning.
    /// What is still missing stays in sight as vacancies, and as posts ready of posts. Where no post is called it is never ready.
    pub fn is_ready(&self) -> bool {
        let mut teams: BTreeMap<Option<Team>, (usize, usize)> = BTreeMap::new();
        for post in &self.posts {
            let (manned, places) = teams.entry(post.team).or_default();
            *manned += self.places_manned(*post);
            *places += usize::from(post.headcount);
        }
        !teams.is_empty() && teams.values().all(|(manned, places)| manned * 2 >= *places)
    }

    /// Notes when it became ready, or that it no longer is.
    pub fn note_readiness(&mut self, now: Timestamp) {
        self.ready_at = if self.is_ready() { self.ready_at.or(Some(now)) } else { None };
    }

    /// Seconds from the switch to this level until it was ready; `None` while it is not.
    pub fn time_to_ready_s(&self) -> Option<u64> {
        self.ready_at.map(|ready| ready.since_s(self.level_since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn board() -> DutyBoard {
        DutyBoard {
            incident: IncidentId(Uuid::nil()),
            level: ResponseLevel::II,
            plan: Some(1),
            since: Timestamp(0),
            level_since: Timestamp(0),
            answer_limit_s: 60,
            posts: vec![CalledPost { no: 1, headcount: 2, team: Some(Team::Rescue) }],
            calls: Vec::new(),
            ready_at: None,
        }
    }

    fn seat(claimants: &[PersonId]) -> PostSeat<'_> {
        PostSeat { no: 1, headcount: 2, claimants }
    }

    #[test]
    fn the_bench_follows_who_declines_or_does_not_answer() {
        let claimants = [person(1), person(2), person(3), person(4)];
        let mut board = board();
        assert_eq!(board.call(seat(&claimants), Timestamp(0), |_| false), claimants[..2]);
        assert_eq!(board.counts().vacant, 0);
        board.answer(1, person(1), &Answer::Declined { reason: "生病".into() }, Timestamp(1));
        assert_eq!(board.call(seat(&claimants), Timestamp(1), |_| false), [person(3)]);
        assert_eq!(board.overdue(Timestamp(0).plus_s(60)), [(1, person(2))]);
        let counts = DutyCounts { posts: 1, needed: 2, called: 2, declined: 1, ..DutyCounts::default() };
        assert_eq!(board.counts(), counts);
    }

    #[test]
    fn who_is_engaged_elsewhere_is_not_called() {
        let claimants = [person(1), person(2)];
        let mut board = board();
        assert_eq!(board.call(seat(&claimants), Timestamp(0), |p| p == person(1)), [person(2)]);
        assert_eq!(board.counts().vacant, 1);
    }

    #[test]
    fn answers_follow_on_one_another() {
        let post = PostKey { compound: "140403001001001".parse().unwrap(), no: 1 };
        let mut board = board();
        board.call(seat(&[person(1)]), Timestamp(0), |_| false);
        assert!(board.decide_answer(post, person(2), &Answer::OnPost).is_err());
        assert!(board.decide_answer(post, person(1), &Answer::Declined { reason: " ".into() }).is_err());
        board.answer(1, person(1), &Answer::OnPost, Timestamp(5));
        assert_eq!(board.decide_answer(post, person(1), &Answer::Acknowledged).unwrap_err().code(), "wrong_answer");
    }

    #[test]
    fn ready_is_when_every_called_team_has_half_its_places_manned() {
        let post = |no, headcount, team| CalledPost { no, headcount, team: Some(team) };
        let mut board = DutyBoard {
            posts: vec![post(1, 2, Team::Rescue), post(2, 1, Team::Rescue), post(3, 1, Team::Medical)],
            ..board()
        };
        let claimants: Vec<PersonId> = (1..=6).map(person).collect();
        for (no, headcount, claimants) in [(1, 3, &claimants[..3]), (2, 1, &claimants[3..4]), (3, 1, &claimants[4..5])]
        {
            board.call(PostSeat { no, headcount, claimants }, Timestamp(0), |_| false);
        }
        let mut there = |no, n, at| {
            board.answer(no, person(n), &Answer::OnPost, Timestamp(at));
            board.note_readiness(Timestamp(at));
            (board.time_to_ready_s(), board.counts().posts_ready)
        };
        assert_eq!(there(3, 5, 1_000_000), (None, 1), "nobody of the rescue team");
        assert_eq!(there(1, 1, 2_000_000), (None, 1), "one of three is less than half");
        assert_eq!(there(1, 2, 3_000_000), (Some(3), 2), "two of three, and the medic");
        assert_eq!(there(1, 3, 4_000_000), (Some(3), 2), "spare hands change nothing");
        board.calls[0].state = CallState::Relieved;
        board.calls[1].state = CallState::Relieved;
        board.note_readiness(Timestamp(5_000_000));
        assert_eq!(board.ready_at, None, "who leaves takes the readiness along");
        board.posts = vec![post(1, 2, Team::Rescue)];
        assert!(board.is_ready(), "one of two is half");
        board.posts.clear();
        assert!(!board.is_ready(), "where nobody is called nobody is there");
    }
}
