//! What falls due, and for whom. Each kind waits equally long for all, so each is a queue in the order of its times: no heap, and no
//! timer for each phone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::hub::ConnectionId;
use super::super::inbox::Seat;

/// What falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Events are no longer held back for the client to resume.
    Release,
    /// It is time for a heartbeat.
    Heartbeat,
    /// A socket that took nothing has had its time.
    Stuck,
    /// A goodbye, or the answers before it, have had their time.
    Goodbye,
}

const KINDS: [Due; 4] = [Due::Release, Due::Heartbeat, Due::Stuck, Due::Goodbye];

/// Everything that falls due in a shard.
#[derive(Debug, Default)]
pub(super) struct Deadlines([VecDeque<(Instant, Seat, ConnectionId)>; KINDS.len()]);

impl Deadlines {
    /// Notes that something falls due in so long. Of one kind all wait equally long.
    pub(super) fn note(&mut self, due: Due, at: Instant, seat: Seat, id: ConnectionId) {
        self.0[due as usize].push_back((at, seat, id));
    }

    /// The next thing that is due by now.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Due, Seat, ConnectionId)> {
        KINDS.into_iter().find_map(|due| {
            let queue = &mut self.0[due as usize];
            let (_, seat, id) = queue.pop_front_if(|(at, ..)| *at <= now)?;
            Some((due, seat, id))
        })
    }

    /// How long until something falls due.
    pub(super) fn within(&self, now: Instant) -> Option<Duration> {
        let first = self.0.iter().filter_map(|queue| queue.front()).map(|(at, ..)| *at).min()?;
        Some(first.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_and_nothing_before_its_time() {
        let mut deadlines = Deadlines::default();
        let now = Instant::now();
        let at = |s| now + Duration::from_secs(s);
        deadlines.note(Due::Heartbeat, at(20), 1, 1);
        deadlines.note(Due::Release, at(2), 1, 1);
        deadlines.note(Due::Release, at(3), 2, 2);
        assert_eq!(deadlines.within(at(1)), Some(Duration::from_secs(1)));
        assert_eq!(deadlines.next(at(1)), None);
        assert_eq!(deadlines.next(at(2)), Some((Due::Release, 1, 1)));
        assert_eq!(deadlines.next(at(2)), None);
        assert_eq!(deadlines.next(at(30)), Some((Due::Release, 2, 2)));
        assert_eq!(deadlines.next(at(30)), Some((Due::Heartbeat, 1, 1)));
        assert_eq!((deadlines.next(at(30)), deadlines.within(at(30))), (None, None));
    }
}
