//! What was answered under which key, for a while and in bounds. No clock is read here: the time comes as an argument.
//!
//! Answers hold tokens and links: they live here and nowhere else, are never written, and have no `Debug`.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::domain::ids::CommandId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// Seconds for which an answer is remembered: longer than a phone goes on trying.
pub const REMEMBERED_S: u32 = 600;
/// Answers remembered at once; the oldest go first.
pub const ENTRIES_MAX: usize = 10_000;
/// Bytes of one answer's body; a larger one is not remembered. Invitations are 10 KiB each, most of it the QR code: this is
/// everybody of a usual compound. Links for many stairwells are more; making those again ends none.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Bytes of all bodies together; the oldest go first.
pub const ALL_BYTES_MAX: usize = 64 << 20;
/// Requests under way at once; more are refused with [`Refusal::Overloaded`].
pub const UNDER_WAY_MAX: usize = 1_000;

/// SHA-256 of something that is not kept itself.
pub type Digest = [u8; 32];

/// Which request it is: who asks for what, and under which id of theirs. Holds nothing of a credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(Digest);

impl Key {
    /// Of who asks, the path, and their `Idempotency-Key`.
    pub fn new(who: Digest, path: &str, id: CommandId) -> Self {
        Self(Sha256::new().chain_update(who).chain_update(id.0.as_bytes()).chain_update(path).finalize().into())
    }
}

/// An answer as it was given.
#[derive(Clone)]
pub struct Kept {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, with the cookie that it set.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

/// What a request meets.
pub enum Met {
    /// It is the first: it has the turn.
    First(Turn),
    /// Its twin has the turn.
    UnderWay(Over),
    /// It was done, and answered with this.
    Again(Kept),
}

/// The answers remembered, and what is under way.
#[derive(Default)]
pub struct Memory {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    requests: HashMap<Key, Seen>,
    /// When which was answered, oldest first: one for each answer among the requests.
    answered: VecDeque<(Timestamp, Key)>,
    /// Of all bodies among the requests.
    bytes: usize,
}

struct Seen {
    body: Digest,
    state: State,
}

enum State {
    /// The sender is in the [`Turn`].
    UnderWay(watch::Receiver<()>),
    Answered(Kept),
}

impl Memory {
    /// Takes the turn for a request unless it was done or is being done.
    ///
    /// # Errors
    /// [`Refusal::CommandIdReused`] for another body under the same key; [`Refusal::Overloaded`].
    pub fn meet(self: &Arc<Self>, key: Key, body: Digest, now: Timestamp) -> Result<Met, Refusal> {
        let mut known = self.lock();
        known.forget(now);
        let under_way = known.requests.len() - known.answered.len();
        match known.requests.entry(key) {
            Entry::Occupied(seen) if seen.get().body != body => Err(Refusal::CommandIdReused {}),
            Entry::Occupied(seen) => Ok(match &seen.get().state {
                State::UnderWay(over) => Met::UnderWay(Over(over.clone())),
                State::Answered(kept) => Met::Again(kept.clone()),
            }),
            Entry::Vacant(_) if under_way >= UNDER_WAY_MAX => Err(Refusal::Overloaded {}),
            Entry::Vacant(place) => {
                let (until_over, over) = watch::channel(());
                place.insert(Seen { body, state: State::UnderWay(over) });
                Ok(Met::First(Turn { memory: self.clone(), key, _until_over: until_over }))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics while it is held.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Lets go of what is too old or too much.
    fn forget(&mut self, now: Timestamp) {
        while let Some((answered, key)) = self.answered.front().copied() {
            let is_too_much = self.answered.len() > ENTRIES_MAX || self.bytes > ALL_BYTES_MAX;
            if !is_too_much && now < answered.plus_s(REMEMBERED_S) {
                break;
            }
            self.answered.pop_front();
            if let Some(Seen { state: State::Answered(kept), .. }) = self.requests.remove(&key) {
                self.bytes -= kept.body.len();
            }
        }
    }
}

/// The turn to do a request. Without an answer at its end the request is as if it had never come, and a twin that waits takes it.
pub struct Turn {
    memory: Arc<Memory>,
    key: Key,
    /// Dropped after the turn has been given back, which wakes who waits.
    _until_over: watch::Sender<()>,
}

impl Turn {
    /// Remembers what was answered.
    pub fn remember(self, kept: Kept, now: Timestamp) {
        let mut known = self.memory.lock();
        let bytes = kept.body.len();
        if let Some(seen) = known.requests.get_mut(&self.key) {
            seen.state = State::Answered(kept);
            known.answered.push_back((now, self.key));
            known.bytes += bytes;
            known.forget(now);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Entry::Occupied(seen) = self.memory.lock().requests.entry(self.key)
            && matches!(seen.get().state, State::UnderWay(_))
        {
            seen.remove();
        }
    }
}

/// Waits for the end of a twin's turn.
pub struct Over(watch::Receiver<()>);

impl Over {
    /// Until the turn is given back.
    pub async fn wait(mut self) {
        // Nothing is ever sent: it ends when the sender is gone.
        while self.0.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const START: Timestamp = Timestamp(1_795_500_000_000_000);
    const BODY: Digest = [1; 32];

    fn key(n: usize) -> Key {
        Key::new([0; 32], "/api/v1/session", CommandId(Uuid::from_u128(n as u128)))
    }

    fn kept(body: Bytes) -> Kept {
        Kept { status: StatusCode::OK, headers: HeaderMap::new(), body }
    }

    #[track_caller]
    fn turn(memory: &Arc<Memory>, n: usize, now: Timestamp) -> Turn {
        let Ok(Met::First(turn)) = memory.meet(key(n), BODY, now) else { panic!("{n} is not the first") };
        turn
    }

    fn is_again(memory: &Arc<Memory>, n: usize, now: Timestamp) -> bool {
        matches!(memory.meet(key(n), BODY, now), Ok(Met::Again(_)))
    }

    #[test]
    fn an_answer_is_given_again_until_it_is_too_old() {
        let memory = Arc::new(Memory::default());
        turn(&memory, 1, START).remember(kept(Bytes::from_static(b"first")), START);
        let last = Timestamp(START.plus_s(REMEMBERED_S).0 - 1);
        let Ok(Met::Again(kept)) = memory.meet(key(1), BODY, last) else { panic!("it was forgotten") };
        assert_eq!(kept.body, "first");
        assert_eq!(memory.meet(key(1), [2; 32], last).err(), Some(Refusal::CommandIdReused {}));
        drop(turn(&memory, 1, START.plus_s(REMEMBERED_S)));
        let known = memory.lock();
        assert_eq!((known.requests.len(), known.answered.len(), known.bytes), (0, 0, 0));
    }

    #[test]
    fn a_key_is_of_one_caller_one_path_and_one_id() {
        let id = |n| CommandId(Uuid::from_u128(n));
        let one = Key::new([0; 32], "/a", id(1));
        assert!(one == Key::new([0; 32], "/a", id(1)));
        assert!(
            [Key::new([1; 32], "/a", id(1)), Key::new([0; 32], "/b", id(1)), Key::new([0; 32], "/a", id(2))]
                .iter()
                .all(|other| *other != one)
        );
    }

    #[test]
    fn the_oldest_of_too_many_goes_first() {
        let memory = Arc::new(Memory::default());
        for n in 0..=ENTRIES_MAX {
            turn(&memory, n, START).remember(kept(Bytes::new()), START);
        }
        assert!(is_again(&memory, 1, START) && is_again(&memory, ENTRIES_MAX, START));
        assert_eq!(memory.lock().requests.len(), ENTRIES_MAX);
        drop(turn(&memory, 0, START));
    }

    #[test]
    fn the_oldest_of_too_many_bytes_goes_first() {
        let memory = Arc::new(Memory::default());
        let (large, fit) = (Bytes::from(vec![0; ANSWER_BYTES_MAX]), ALL_BYTES_MAX / ANSWER_BYTES_MAX);
        for n in 0..=fit {
            turn(&memory, n, START).remember(kept(large.clone()), START);
        }
        assert!(is_again(&memory, 1, START) && is_again(&memory, fit, START));
        assert_eq!(memory.lock().bytes, ALL_BYTES_MAX);
        drop(turn(&memory, 0, START));
    }

    #[test]
    fn only_so_many_are_under_way() {
        let memory = Arc::new(Memory::default());
        let mut turns: Vec<_> = (0..UNDER_WAY_MAX).map(|n| turn(&memory, n, START)).collect();
        assert_eq!(memory.meet(key(UNDER_WAY_MAX), BODY, START).err(), Some(Refusal::Overloaded {}));
        turns.pop().unwrap().remember(kept(Bytes::new()), START);
        drop(turn(&memory, UNDER_WAY_MAX, START));
    }

    #[tokio::test]
    async fn a_twin_waits_and_takes_the_turn_of_who_gave_no_answer() {
        let memory = Arc::new(Memory::default());
        let first = turn(&memory, 1, START);
        let Ok(Met::UnderWay(over)) = memory.meet(key(1), BODY, START) else { panic!("nobody to wait for") };
        assert_eq!(memory.meet(key(1), [2; 32], START).err(), Some(Refusal::CommandIdReused {}));
        let ((), ()) = tokio::join!(over.wait(), async { drop(first) });
        turn(&memory, 1, START).remember(kept(Bytes::new()), START);
        assert!(is_again(&memory, 1, START));
    }
}
