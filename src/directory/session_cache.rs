//! Sessions in memory, so that 25,000 phones do not ask SQLite at each request.
//!
//! It never outlives a change: after each commit that touches a person's sessions or grants they are forgotten, which also raises the
//! generation. A look-up notes the generation *before* it reads the file and its find is kept only if nothing was
//! forgotten meanwhile. Entries live [`KEPT_S`] seconds at most: the time a
//! revoke by another process on the same file (`muster account`) may take to be felt here.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::ids::PersonId;
use crate::domain::time::Timestamp;

use super::sessions::{Session, day_of};
use super::token::TokenHash;

/// Sessions kept at once, some 200 bytes each. When more come, all are forgotten and read again.
const KEPT_MAX: usize = 200_000;
/// Seconds that a session is kept before the file is asked again.
const KEPT_S: u32 = 60;

/// The state of the cache at one moment; see the module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

#[derive(Default)]
pub(super) struct SessionCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    generation: u64,
    kept: HashMap<TokenHash, Kept>,
    /// Days of use that the file does not have yet; at most one a session kept or just forgotten.
    used_days: HashMap<TokenHash, i64>,
}

struct Kept {
    session: Session,
    last_used_day: i64,
    until: Timestamp,
}

impl SessionCache {
    /// To be asked for before the file is read.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.lock().generation)
    }

    /// A session that is kept and still good.
    pub(super) fn find(&self, hash: TokenHash, now: Timestamp) -> Option<Session> {
        let mut state = self.lock();
        let State { kept, used_days, .. } = &mut *state;
        let found = kept.get_mut(&hash).filter(|found| now < found.until && now < found.session.expires)?;
        note_use(used_days, hash, &mut found.last_used_day, day_of(now));
        Some(found.session.clone())
    }

    /// Keeps what was read from the file, unless anything was forgotten since `read_at`.
    pub(super) fn keep(
        &self,
        read_at: Generation,
        hash: TokenHash,
        session: Session,
        mut last_used_day: i64,
        now: Timestamp,
    ) {
        let mut state = self.lock();
        note_use(&mut state.used_days, hash, &mut last_used_day, day_of(now));
        if state.generation != read_at.0 {
            return;
        }
        if state.kept.len() >= KEPT_MAX {
            state.kept.clear();
        }
        state.kept.insert(hash, Kept { session, last_used_day, until: now.plus_s(KEPT_S) });
    }

    /// After anything about these people's sessions or grants is committed.
    pub(super) fn forget_people(&self, people: &HashSet<PersonId>) {
        if people.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.generation += 1;
        state.kept.retain(|_, kept| !people.contains(&kept.session.person));
    }

    /// Takes the days of use that are to be written.
    pub(super) fn take_used_days(&self) -> HashMap<TokenHash, i64> {
        std::mem::take(&mut self.lock().used_days)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the first use on a day that is later than the last one known.
fn note_use(used_days: &mut HashMap<TokenHash, i64>, hash: TokenHash, last_used_day: &mut i64, today: i64) {
    if *last_used_day < today && used_days.len() < KEPT_MAX {
        *last_used_day = today;
        used_days.insert(hash, today);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sessions::SessionKind;
    use super::super::test_city::{NOW, TestCity};
    use super::*;

    const HASH: TokenHash = TokenHash([7; 32]);

    fn session() -> Session {
        let expires = NOW.plus_s(3_600);
        Session { person: TestCity::id(1), kind: SessionKind::Bearer, created: NOW, expires, grants: [].into() }
    }

    #[test]
    fn what_was_read_before_a_revoke_is_not_kept_after_it() {
        let (cache, people) = (SessionCache::default(), HashSet::from([TestCity::id(1)]));
        let read_at = cache.generation();
        cache.forget_people(&people);
        cache.keep(read_at, HASH, session(), 0, NOW);
        assert!(cache.find(HASH, NOW).is_none());
        cache.keep(cache.generation(), HASH, session(), 0, NOW);
        assert!(cache.find(HASH, NOW).is_some());
        cache.forget_people(&people);
        assert!(cache.find(HASH, NOW).is_none());
    }

    #[test]
    fn entries_end_by_themselves() {
        let cache = SessionCache::default();
        cache.keep(cache.generation(), HASH, session(), 0, NOW);
        assert!(cache.find(HASH, NOW.plus_s(KEPT_S - 1)).is_some());
        assert!(cache.find(HASH, NOW.plus_s(KEPT_S)).is_none());
        let short = Session { expires: NOW.plus_s(1), ..session() };
        cache.keep(cache.generation(), HASH, short, 0, NOW);
        assert!(cache.find(HASH, NOW.plus_s(1)).is_none(), "expired");
    }

    #[test]
    fn each_day_of_use_is_noted_once() {
        let cache = SessionCache::default();
        cache.keep(cache.generation(), HASH, session(), day_of(NOW) - 1, NOW);
        assert!(cache.find(HASH, NOW).is_some());
        assert_eq!(cache.take_used_days(), HashMap::from([(HASH, day_of(NOW))]));
        assert!(cache.find(HASH, NOW).is_some());
        assert!(cache.take_used_days().is_empty());
    }

    #[test]
    fn a_full_cache_begins_anew() {
        let cache = SessionCache::default();
        for n in 0..=u32::try_from(KEPT_MAX).unwrap() {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&n.to_le_bytes());
            cache.keep(cache.generation(), TokenHash(hash), session(), day_of(NOW), NOW);
        }
        assert_eq!(cache.lock().kept.len(), 1);
    }
}
