//! Duty: one order moves compounds between normal and emergency mode; their posts are called and answer.
//!
//! An order says which compounds go to which level under which plan version. The calls follow from posts, claims and plans by
//! rule ([`DutyBoard::call`]), the same on every node, and are never journaled one by one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::CompoundId;
use super::hazard::ResponseLevel;
use super::ids::{IncidentId, PersonId};
use super::post::PostKey;
use super::refusal::Refusal;
use super::time::Timestamp;

/// Characters of the reason for declining a call.
pub const REASON_MAX: usize = 200;

/// Mode of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 平时
    #[default]
    Normal,
    /// 急时
    Emergency {
        /// Under which incident.
        incident: IncidentId,
        /// At which level.
        level: ResponseLevel,
    },
}

/// What a compound is ordered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModeOrder {
    /// Back to normal mode.
    Normal,
    /// To emergency mode at this level.
    Emergency(ResponseLevel),
}

/// One compound of a switch to emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Which compound.
    pub compound: CompoundId,
    /// Which approved version of its plan for the incident's hazard; `None` when there is none.
    pub plan: Option<u32>,
}

/// What a called person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 收到: coming.
    Acknowledged,
    /// 到岗: there.
    OnPost,
    /// 不能到岗: not coming, and why.
    Declined {
        /// Why, in the person's words.
        reason: String,
    },
}

/// What happened to duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyEvent {
    /// Compounds went to emergency mode (or to another level of it).
    Raised {
        /// Under which incident.
        incident: IncidentId,
        /// At which level.
        level: ResponseLevel,
        /// Which compounds, with the plan versions activated.
        compounds: Vec<Activation>,
        /// Seconds without a sign of life after which a compound counts as silent.
        silent_after_s: u32,
    },
    /// Compounds went back to normal mode: posts relieved, rolls closed, resources returned.
    StoodDown {
        /// Under which incident they were.
        incident: IncidentId,
        /// Which compounds.
        compounds: Vec<CompoundId>,
    },
    /// A called person answered.
    Answered {
        /// Called to which post.
        post: PostKey,
        /// Who.
        person: PersonId,
        /// What.
        answer: Answer,
        /// Under which incident the call was; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Called people did not answer in time; the bench follows.
    Unanswered {
        /// In which compound.
        compound: CompoundId,
        /// Who was called to which post (its number).
        calls: Vec<(u16, PersonId)>,
        /// Under which incident the calls were; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
    /// Nothing was heard from these compounds for too long.
    FellSilent {
        /// Which.
        compounds: Vec<CompoundId>,
        /// Under which incident all of them are; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
    },
}

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
    /// Why the person declined.
    pub reason: Option<String>,
}

/// How the calls of some compounds stand; added up over areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct DutyCounts {
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

/// The duty of one compound in emergency mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DutyBoard {
    /// Under which incident.
    pub incident: IncidentId,
    /// At which level.
    pub level: ResponseLevel,
    /// Activated version of the plan; `None` when there was none.
    pub plan: Option<u32>,
    /// When the compound was switched.
    #[schema(value_type = i64)]
    pub since: Timestamp,
    /// Seconds that a called person has to answer.
    pub answer_limit_s: u32,
    /// The posts that are called, with their head-count.
    pub posts: Vec<(u16, u8)>,
    /// Every call made, in order.
    pub calls: Vec<DutyCall>,
    /// When every called post had its head-count on post; `None` while not.
    #[schema(value_type = Option<i64>)]
    pub ready_at: Option<Timestamp>,
}

impl DutyBoard {
    /// Calls the next claimants for every seat of `post` that is not filled; `engaged` says who has a call (or a command)
    /// elsewhere, so that nobody is called twice. Returns how many were called.
    ///
    /// Rule: claimants are tried in order, each once until relieved; the first that are free fill the head-count, the rest are the bench.
    pub fn call(&mut self, seat: PostSeat<'_>, now: Timestamp, mut engaged: impl FnMut(PersonId) -> bool) -> usize {
        let active = self.calls.iter().filter(|c| c.post == seat.no && c.state.is_active()).count();
        let missing = usize::from(seat.headcount).saturating_sub(active);
        let mut called = 0;
        for person in seat.claimants {
            if called == missing {
                break;
            }
            let mut calls = self.calls.iter().filter(|c| c.post == seat.no && c.person == *person);
            let tried = calls.any(|call| call.state != CallState::Relieved);
            if tried || engaged(*person) {
                continue;
            }
            let (post, person) = (seat.no, *person);
            let state = CallState::Called;
            self.calls.push(DutyCall { post, person, state, called_at: now, answered_at: None, reason: None });
            called += 1;
        }
        called
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
        if let Answer::Declined { reason } = answer
            && (reason.trim().is_empty() || reason.chars().count() > REASON_MAX)
        {
            return Err(Refusal::BadText { field: "reason", max: REASON_MAX });
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
            Answer::OnPost => CallState::OnPost,
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

    /// How its calls stand.
    pub fn counts(&self) -> DutyCounts {
        let mut counts = DutyCounts::default();
        for (no, headcount) in &self.posts {
            let active = self.calls.iter().filter(|c| c.post == *no && c.state.is_active()).count();
            counts.needed += u32::from(*headcount);
            counts.vacant += u32::from(*headcount).saturating_sub(u32::try_from(active).unwrap_or(u32::MAX));
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

    /// Whether every called post has its head-count on post.
    pub fn is_ready(&self) -> bool {
        self.posts.iter().all(|(no, headcount)| {
            let there = self.calls.iter().filter(|c| c.post == *no && c.state == CallState::OnPost).count();
            there >= usize::from(*headcount)
        })
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
            answer_limit_s: 60,
            posts: vec![(1, 2)],
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
        assert_eq!(board.call(seat(&claimants), Timestamp(0), |_| false), 2);
        assert_eq!(board.counts().vacant, 0);
        board.answer(1, person(1), &Answer::Declined { reason: "生病".into() }, Timestamp(1));
        assert_eq!(board.call(seat(&claimants), Timestamp(1), |_| false), 1);
        assert_eq!(board.calls.last().unwrap().person, person(3));
        assert_eq!(board.overdue(Timestamp(0).plus_s(60)), [(1, person(2))]);
        assert_eq!(board.counts(), DutyCounts { needed: 2, called: 2, declined: 1, ..DutyCounts::default() });
    }

    #[test]
    fn who_is_engaged_elsewhere_is_not_called() {
        let claimants = [person(1), person(2)];
        let mut board = board();
        assert_eq!(board.call(seat(&claimants), Timestamp(0), |p| p == person(1)), 1);
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
        assert!(!board.is_ready(), "one of two is there");
    }
}
