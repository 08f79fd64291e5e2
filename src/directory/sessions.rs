//! Sessions: what a signed-in browser or phone shows at each request, and how it ends.
//!
//! The client holds a [`Token`]; the file holds its SHA-256. A session is good until it expires, is revoked, its person is
//! erased or their account is disabled.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::actor::{Actor, Grant};
use crate::domain::area::AreaCode;
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::{MICROS_PER_S, Timestamp};

use super::accounts::grants_of;
use super::token::{Token, TokenHash, TokenUse};
use super::{Directory, Result, check_person, id_bytes, id_from};

/// How long a browser stays signed in, in seconds: a shift of 12 hours.
pub const COOKIE_LIFETIME_S: u32 = 12 * 3_600;
/// How long a phone or a program stays signed in, in seconds: 180 days. In an emergency nobody should look for an invitation.
pub const BEARER_LIFETIME_S: u32 = 180 * 86_400;
/// Sessions of one person by signing in; the oldest ends when one more begins.
pub const SESSIONS_PER_PERSON_MAX: u32 = 50;
/// Days of use that are written at once: what other nodes take in one by one.
const USED_DAYS_CHUNK: usize = 1_000;
/// Sessions that one call may create.
pub const SESSIONS_BATCH_MAX: usize = 1_000_000;

/// How the client shows its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// In a cookie, which a browser sends by itself: changing requests need their origin checked.
    Cookie,
    /// In the `Authorization` header.
    Bearer,
}

impl SessionKind {
    /// Seconds from signing in to expiry.
    pub const fn lifetime_s(self) -> u32 {
        match self {
            Self::Cookie => COOKIE_LIFETIME_S,
            Self::Bearer => BEARER_LIFETIME_S,
        }
    }

    /// As it is stored.
    const fn text(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Bearer => "bearer",
        }
    }
}

/// A session that is good now, with what its person is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub person: PersonId,
    /// How the token is shown.
    pub kind: SessionKind,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// What the account is granted; empty without an account.
    pub grants: Arc<[Grant]>,
}

impl Session {
    /// Who gives the commands that come over it.
    pub fn actor(&self) -> Actor {
        Actor::person(self.person, self.grants.to_vec())
    }
}

/// Days since 1970 in UTC.
pub(super) const fn day_of(time: Timestamp) -> i64 {
    time.0.div_euclid(86_400 * MICROS_PER_S)
}

impl Directory {
    /// Whose token it is. From memory when it was seen lately.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] when it is none, expired or revoked; [`Refusal::WrongCity`]; unavailable or broken.
    pub async fn session(&self, token: &str, now: Timestamp) -> Result<Session> {
        let hash = self.session_hash(token)?;
        match self.inner.cache.find(hash, now) {
            Some(session) => Ok(session),
            None => self.run(move |directory| directory.look_up(hash, now)).await,
        }
    }

    /// Begins a session of a person, however they proved who they are. It lasts as long as its kind does. Blocks.
    ///
    /// # Errors
    /// [`Refusal::UnknownPerson`]; unavailable or broken.
    pub fn create_session(&self, person: PersonId, kind: SessionKind, now: Timestamp) -> Result<Token> {
        let token = self.write(|tx| begin(tx, self.city(), person, kind, now))?;
        Ok(token)
    }

    /// Begins a bearer session for each person named, in one transaction: for load tests and rehearsals. Blocks.
    ///
    /// # Errors
    /// [`Refusal::UnknownPerson`]; [`Refusal::BadCount`]; unavailable or broken. Then none was begun.
    pub fn create_many(&self, people: &[PersonId], now: Timestamp) -> Result<Vec<Token>> {
        if people.len() > SESSIONS_BATCH_MAX {
            return Err(Refusal::BadCount { field: "people", max: SESSIONS_BATCH_MAX }.into());
        }
        self.write(|tx| {
            people.iter().map(|person| insert(tx, self.city(), *person, SessionKind::Bearer, now)).collect()
        })
    }

    /// Ends one session; ending it twice is ending it once. Blocks.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] when it is no token; [`Refusal::WrongCity`]; unavailable or broken.
    pub fn revoke_session(&self, token: &str) -> Result<()> {
        let hash = self.session_hash(token)?;
        self.write(|tx| Ok(tx.execute("DELETE FROM sessions WHERE token_hash = ?1", [hash.0])?))?;
        Ok(())
    }

    /// Ends all sessions of a person and says how many. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn revoke_sessions_of(&self, person: PersonId) -> Result<usize> {
        let sql = "DELETE FROM sessions WHERE person_id = ?1";
        let ended = self.write(|tx| Ok(tx.execute(sql, [id_bytes(person)])?))?;
        Ok(ended)
    }

    /// Writes which sessions were used on which day. Should that fail, the days are lost, which harms nobody.
    pub(super) fn flush_used_days(&self) -> Result<()> {
        let used_days: Vec<_> = self.inner.cache.take_used_days().into_iter().collect();
        used_days.chunks(USED_DAYS_CHUNK).try_for_each(|some| {
            self.write(|tx| {
                let mut note = tx.prepare_cached("UPDATE sessions SET last_used_day = ?2 WHERE token_hash = ?1")?;
                some.iter().try_for_each(|(hash, day)| Ok(note.execute(params![hash.0, day]).map(drop)?))
            })
        })
    }

    fn session_hash(&self, token: &str) -> Result<TokenHash, Refusal> {
        let token = Token::read(token, TokenUse::Session, self.city())?;
        token.map(|token| token.hash()).ok_or(Refusal::NotSignedIn {})
    }

    fn look_up(&self, hash: TokenHash, now: Timestamp) -> Result<Session> {
        let mut read_at = self.inner.cache.generation();
        let mut found = self.read(|db| find(db, hash))?;
        // It may have begun on another node a moment ago.
        if found.is_none() && self.is_shared() {
            self.catch_up_once()?;
            read_at = self.inner.cache.generation();
            found = self.read(|db| find(db, hash))?;
        }
        let (session, last_used_day) = found.ok_or(Refusal::NotSignedIn {})?;
        if session.expires <= now {
            return Err(Refusal::NotSignedIn {}.into());
        }
        self.inner.cache.keep(read_at, hash, session.clone(), last_used_day, now);
        Ok(session)
    }
}

/// Begins one more session of a person and ends their oldest when there are too many.
pub(super) fn begin(
    tx: &Transaction<'_>,
    city: AreaCode,
    person: PersonId,
    kind: SessionKind,
    now: Timestamp,
) -> Result<Token> {
    let token = insert(tx, city, person, kind, now)?;
    tx.prepare_cached(
        "DELETE FROM sessions WHERE person_id = ?1 AND token_hash NOT IN
         (SELECT token_hash FROM sessions WHERE person_id = ?1 ORDER BY created_us DESC, token_hash = ?3 DESC LIMIT ?2)",
    )?
    .execute(params![id_bytes(person), SESSIONS_PER_PERSON_MAX, token.hash().0])?;
    Ok(token)
}

fn insert(tx: &Transaction<'_>, city: AreaCode, person: PersonId, kind: SessionKind, now: Timestamp) -> Result<Token> {
    check_person(tx, person)?;
    let token = Token::mint(TokenUse::Session, city)?;
    tx.prepare_cached(
        "INSERT INTO sessions (token_hash, person_id, kind, created_us, expires_us, last_used_day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        token.hash().0,
        id_bytes(person),
        kind.text(),
        now.0,
        now.plus_s(kind.lifetime_s()).0,
        day_of(now)
    ])?;
    Ok(token)
}

/// A session by its token's hash and the day it was last used; none of a disabled account is found.
pub(super) fn find(db: &Connection, hash: TokenHash) -> Result<Option<(Session, i64)>> {
    let mut find = db.prepare_cached(
        "SELECT person_id, kind, created_us, expires_us, last_used_day FROM sessions s WHERE token_hash = ?1
         AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.person_id = s.person_id AND a.disabled)",
    )?;
    let found = find
        .query_row([hash.0], |row| {
            let is_cookie = row.get::<_, String>(1)? == SessionKind::Cookie.text();
            let session = Session {
                person: id_from(row, 0)?,
                kind: if is_cookie { SessionKind::Cookie } else { SessionKind::Bearer },
                created: Timestamp(row.get(2)?),
                expires: Timestamp(row.get(3)?),
                grants: Arc::from([]),
            };
            Ok((session, row.get(4)?))
        })
        .optional()?;
    let Some((session, last_used_day)) = found else { return Ok(None) };
    let grants = grants_of(db, session.person)?.into();
    Ok(Some((Session { grants, ..session }, last_used_day)))
}

/// What has expired goes.
pub(super) fn prune(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE expires_us <= ?1", [now.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::accounts::NewAccount;
    use super::super::passwords::PasswordHash;
    use super::super::test_city::{NOW, TestCity};
    use super::*;
    use crate::domain::actor::Role;

    async fn refusal_of(city: &TestCity, token: &str, now: Timestamp) -> Option<Refusal> {
        city.directory.session(token, now).await.err().map(|error| error.refusal())
    }

    fn with_account(city: &TestCity, grants: Vec<Grant>) {
        let account =
            NewAccount { login: "one".parse().unwrap(), person: city.someone, hash: PasswordHash("$".into()), grants };
        city.directory.create_with_hash(&[account], NOW).unwrap();
    }

    #[tokio::test]
    async fn a_session_is_found_until_it_expires() {
        let city = TestCity::new();
        let token = city.directory.create_session(city.someone, SessionKind::Cookie, NOW).unwrap();
        let first = city.directory.session(token.expose(), NOW).await.unwrap();
        assert_eq!(
            (first.person, first.kind, first.expires),
            (city.someone, SessionKind::Cookie, NOW.plus_s(COOKIE_LIFETIME_S))
        );
        assert_eq!(city.directory.session(token.expose(), NOW).await.unwrap(), first, "the same from memory");
        let end = NOW.plus_s(COOKIE_LIFETIME_S);
        assert_eq!(refusal_of(&city, token.expose(), end).await, Some(Refusal::NotSignedIn {}));
        city.directory.housekeeping(end).unwrap();
        assert_eq!(refusal_of(&city, token.expose(), NOW.plus_s(120)).await, Some(Refusal::NotSignedIn {}), "pruned");
    }

    #[tokio::test]
    async fn a_token_of_another_city_is_told_so() {
        let city = TestCity::new();
        let token = city.directory.create_session(city.someone, SessionKind::Bearer, NOW).unwrap();
        let elsewhere = token.expose().replacen("1404", "1401", 1);
        assert_eq!(refusal_of(&city, &elsewhere, NOW).await, Some(Refusal::WrongCity {}));
        assert_eq!(refusal_of(&city, "mst_1404_nonsense", NOW).await, Some(Refusal::NotSignedIn {}));
    }

    #[tokio::test]
    async fn a_cached_session_ends_at_once_when_it_is_revoked() {
        let city = TestCity::new();
        let grant = Grant { role: Role::Observer, area: "1404".parse().unwrap() };
        with_account(&city, vec![grant]);
        let ways: [fn(&TestCity, &str); 4] = [
            |city, token| city.directory.revoke_session(token).unwrap(),
            |city, _| assert_eq!(city.directory.revoke_sessions_of(city.someone).unwrap(), 1),
            |city, _| city.directory.set_disabled(city.someone, true).unwrap(),
            |city, _| city.directory.erase_person(city.someone, NOW).unwrap(),
        ];
        for end in ways {
            city.directory.set_disabled(city.someone, false).unwrap();
            let token = city.directory.create_session(city.someone, SessionKind::Bearer, NOW).unwrap();
            let session = city.directory.session(token.expose(), NOW).await.unwrap();
            assert_eq!(session.actor(), Actor::person(city.someone, vec![grant]));
            end(&city, token.expose());
            assert_eq!(refusal_of(&city, token.expose(), NOW).await, Some(Refusal::NotSignedIn {}));
        }
    }

    #[tokio::test]
    async fn a_cached_session_has_new_grants_at_once() {
        let city = TestCity::new();
        with_account(&city, vec![]);
        let token = city.directory.create_session(city.someone, SessionKind::Bearer, NOW).unwrap();
        let grants = async || city.directory.session(token.expose(), NOW).await.unwrap().grants;
        assert!(grants().await.is_empty());
        let grant = Grant { role: Role::Dispatcher, area: "140403".parse().unwrap() };
        city.directory.grant(city.someone, grant).unwrap();
        assert_eq!(*grants().await, [grant]);
        city.directory.revoke_grant(city.someone, grant).unwrap();
        assert!(grants().await.is_empty());
    }

    #[tokio::test]
    async fn a_disabled_account_has_no_session_that_works() {
        let city = TestCity::new();
        with_account(&city, vec![]);
        city.directory.set_disabled(city.someone, true).unwrap();
        let token = city.directory.create_session(city.someone, SessionKind::Bearer, NOW).unwrap();
        assert_eq!(refusal_of(&city, token.expose(), NOW).await, Some(Refusal::NotSignedIn {}));
    }

    #[tokio::test]
    async fn many_are_made_at_once_or_none() {
        let city = TestCity::new();
        let tokens = city.directory.create_many(&[city.someone; 3], NOW).unwrap();
        for token in &tokens {
            assert_eq!(city.directory.session(token.expose(), NOW).await.unwrap().kind, SessionKind::Bearer);
        }
        let refused = city.directory.create_many(&[city.someone, TestCity::id(9)], NOW).unwrap_err();
        assert_eq!(refused.refusal(), Refusal::UnknownPerson {});
        assert_eq!(city.directory.revoke_sessions_of(city.someone).unwrap(), 3);
    }

    #[tokio::test]
    async fn one_more_than_the_most_ends_the_oldest() {
        let city = TestCity::new();
        let begin = |s| city.directory.create_session(city.someone, SessionKind::Bearer, NOW.plus_s(s)).unwrap();
        let tokens: Vec<_> = (0..=SESSIONS_PER_PERSON_MAX).map(begin).collect();
        assert_eq!(refusal_of(&city, tokens[0].expose(), NOW).await, Some(Refusal::NotSignedIn {}));
        assert_eq!(refusal_of(&city, tokens[1].expose(), NOW).await, None);
        assert_eq!(refusal_of(&city, tokens[50].expose(), NOW).await, None);
    }

    #[tokio::test]
    async fn the_day_of_last_use_reaches_the_file() {
        let city = TestCity::new();
        let token = city.directory.create_session(city.someone, SessionKind::Bearer, NOW).unwrap();
        let stored = || city.directory.read(|db| Ok(find(db, token.hash())?.unwrap().1)).unwrap();
        let tomorrow = NOW.plus_s(86_400);
        city.directory.session(token.expose(), tomorrow).await.unwrap();
        assert_eq!(stored(), day_of(NOW));
        city.directory.housekeeping(tomorrow).unwrap();
        assert_eq!(stored(), day_of(tomorrow));
    }
}
