//! What somebody served: the calls to duty that they had, kept after their compounds stood down.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::compound::CompoundId;
use super::super::ids::IncidentId;
use super::super::post::PostKey;
use super::super::time::Timestamp;
use super::{CallState, DutyCall};

/// Calls that a service record lists; of older ones only the totals are kept.
pub const SERVICES_MAX: usize = 20;

/// One call to duty, as its person's service record keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// To which post.
    pub post: PostKey,
    /// Under which incident.
    pub incident: IncidentId,
    /// Where the call stood at the end, or stands.
    pub state: CallState,
    /// When the person was called.
    pub called_at: Timestamp,
    /// When the person said that they were there.
    pub on_post_at: Option<Timestamp>,
    /// When the call ended; `None` while it counts.
    pub ended_at: Option<Timestamp>,
}

impl Service {
    /// A call of a compound as it stands.
    pub const fn of(compound: CompoundId, incident: IncidentId, call: &DutyCall) -> Self {
        let post = PostKey { compound, no: call.post };
        let DutyCall { state, called_at, on_post_at, ended_at, .. } = *call;
        Self { post, incident, state, called_at, on_post_at, ended_at }
    }

    /// Whoever still counted is relieved as the compound stands down.
    pub const fn stood_down(self, now: Timestamp) -> Self {
        if self.state.is_active() { Self { state: CallState::Relieved, ended_at: Some(now), ..self } } else { self }
    }

    /// Seconds on post: to the end or, while it counts, to `now`.
    pub fn on_post_s(&self, now: Timestamp) -> u64 {
        self.on_post_at.map_or(0, |there| self.ended_at.unwrap_or(now).since_s(there))
    }
}

/// Calls added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ServiceTotals {
    /// Times called.
    pub called: u32,
    /// Of these, times on post.
    pub on_post: u32,
    /// Of these, declined.
    pub declined: u32,
    /// Of these, not answered in time.
    pub no_answer: u32,
    /// Seconds on post in all.
    pub on_post_s: u64,
}

impl ServiceTotals {
    fn add(&mut self, service: &Service, now: Timestamp) {
        self.called += 1;
        self.on_post += u32::from(service.on_post_at.is_some());
        self.declined += u32::from(service.state == CallState::Declined);
        self.no_answer += u32::from(service.state == CallState::NoAnswer);
        self.on_post_s += service.on_post_s(now);
    }
}

/// What one person served in compounds that have stood down. Exercises never add to the real thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceRecord {
    /// The latest first, at most [`SERVICES_MAX`].
    pub recent: VecDeque<Service>,
    /// All of the real thing.
    pub real: ServiceTotals,
    /// All exercises.
    pub exercises: ServiceTotals,
}

impl ServiceRecord {
    /// Takes a call in that has ended.
    pub fn keep(&mut self, service: Service, exercise: bool, now: Timestamp) {
        let totals = if exercise { &mut self.exercises } else { &mut self.real };
        totals.add(&service, now);
        self.recent.push_front(service);
        self.recent.truncate(SERVICES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn service(called_s: i64) -> Service {
        Service {
            post: "140403001001001#4".parse().unwrap(),
            incident: IncidentId(Uuid::nil()),
            state: CallState::OnPost,
            called_at: Timestamp(called_s * 1_000_000),
            on_post_at: Some(Timestamp((called_s + 10) * 1_000_000)),
            ended_at: None,
        }
    }

    #[test]
    fn exercises_never_add_to_the_real_thing() {
        let now = Timestamp(100_000_000);
        let mut record = ServiceRecord::default();
        record.keep(service(0).stood_down(now), true, now);
        let silent = Service { state: CallState::NoAnswer, on_post_at: None, ..service(0) };
        record.keep(silent.stood_down(now), false, now);
        let drilled = ServiceTotals { called: 1, on_post: 1, on_post_s: 90, ..ServiceTotals::default() };
        assert_eq!(record.exercises, drilled);
        assert_eq!(record.real, ServiceTotals { called: 1, no_answer: 1, ..ServiceTotals::default() });
        assert_eq!((record.recent[0].state, record.recent[1].state), (CallState::NoAnswer, CallState::Relieved));
    }

    #[test]
    fn the_list_is_bounded_and_the_totals_are_whole() {
        let mut record = ServiceRecord::default();
        for n in 0..30 {
            let now = Timestamp((n + 20) * 1_000_000);
            record.keep(service(n).stood_down(now), false, now);
        }
        assert_eq!((record.recent.len(), record.real.called, record.real.on_post_s), (SERVICES_MAX, 30, 300));
        assert_eq!(record.recent[0].called_at, Timestamp(29_000_000));
    }
}
