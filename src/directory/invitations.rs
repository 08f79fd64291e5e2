//! Invitations: one-time links by which post-holders and commanders, who have no password, sign in on their phone.
//!
//! The link is handed over as a QR code ([`super::qr`]); the file holds its SHA-256. It works once.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::sessions::{self, Session, SessionKind};
use super::token::{Token, TokenHash, TokenUse};
use super::{Directory, Result, check_person, id_bytes, id_from};

/// Seconds from making to expiry: 7 days.
pub const INVITATION_LIFETIME_S: u32 = 7 * 86_400;
/// Invitations that one call may make.
pub const INVITATIONS_BATCH_MAX: usize = 100_000;
/// Microseconds after its expiry that one is still told apart from one that never was: 30 days.
const REMEMBERED_US: i64 = 30 * 86_400 * crate::domain::time::MICROS_PER_S;

impl Directory {
    /// Makes an invitation for each person named, in the order named. Earlier ones that were not used end. Blocks.
    ///
    /// # Errors
    /// [`Refusal::UnknownPerson`]; [`Refusal::BadCount`]; unavailable or broken. Then none was made.
    pub fn invite(&self, people: &[PersonId], now: Timestamp) -> Result<Vec<Token>> {
        if people.len() > INVITATIONS_BATCH_MAX {
            return Err(Refusal::BadCount { field: "people", max: INVITATIONS_BATCH_MAX }.into());
        }
        self.write(|tx| {
            let mut withdraw = tx.prepare_cached("DELETE FROM invitations WHERE person_id = ?1 AND used_us IS NULL")?;
            let mut insert =
                tx.prepare_cached("INSERT INTO invitations (token_hash, person_id, expires_us) VALUES (?1, ?2, ?3)")?;
            let mut invite = |person: PersonId| {
                check_person(tx, person)?;
                let token = Token::mint(TokenUse::Invitation, self.city())?;
                withdraw.execute([id_bytes(person)])?;
                let expires = now.plus_s(INVITATION_LIFETIME_S);
                insert.execute(params![token.hash().0, id_bytes(person), expires.0])?;
                Ok(token)
            };
            people.iter().map(|person| invite(*person)).collect()
        })
    }

    /// Turns an invitation into a bearer session. Of several who try at once, one gets it. Blocks.
    ///
    /// # Errors
    /// [`Refusal::InvitationInvalid`], [`Refusal::InvitationExpired`], [`Refusal::InvitationUsed`], [`Refusal::WrongCity`];
    /// unavailable or broken, and then it still works later.
    pub fn redeem(&self, text: &str, now: Timestamp) -> Result<(Token, Session)> {
        let invitation = Token::read(text, TokenUse::Invitation, self.city())?;
        let hash = invitation.ok_or(Refusal::InvitationInvalid {})?.hash();
        let redeemed = self.write(|tx| {
            let person = take(tx, hash, now)?;
            let token = sessions::begin(tx, self.city(), person, SessionKind::Bearer, now)?;
            // None is found of a disabled account; then the invitation stays as it was.
            let (session, _) = sessions::find(tx, token.hash())?.ok_or(Refusal::InvitationInvalid {})?;
            Ok((token, session))
        })?;
        Ok(redeemed)
    }
}

/// Marks an invitation as used and says whose it was. Atomic, because writes come one after another.
fn take(tx: &Transaction<'_>, hash: TokenHash, now: Timestamp) -> Result<PersonId> {
    let found = tx
        .prepare_cached("SELECT person_id, expires_us, used_us IS NOT NULL FROM invitations WHERE token_hash = ?1")?
        .query_row([hash.0], |row| Ok((id_from(row, 0)?, Timestamp(row.get(1)?), row.get::<_, bool>(2)?)))
        .optional()?;
    match found {
        None => Err(Refusal::InvitationInvalid {}.into()),
        Some((_, _, true)) => Err(Refusal::InvitationUsed {}.into()),
        Some((_, expires, false)) if expires <= now => Err(Refusal::InvitationExpired {}.into()),
        Some((person, _, false)) => {
            tx.prepare_cached("UPDATE invitations SET used_us = ?2 WHERE token_hash = ?1")?
                .execute(params![hash.0, now.0])?;
            Ok(person)
        }
    }
}

/// What nobody will ask for any more goes.
pub(super) fn prune(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM invitations WHERE expires_us <= ?1", [now.0.saturating_sub(REMEMBERED_US)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::super::test_city::{NOW, TestCity};
    use super::*;

    fn invite(city: &TestCity) -> Token {
        city.directory.invite(&[city.someone], NOW).unwrap().remove(0)
    }

    fn refusal(city: &TestCity, text: &str, now: Timestamp) -> Option<Refusal> {
        city.directory.redeem(text, now).err().map(|error| error.refusal())
    }

    #[tokio::test]
    async fn an_invitation_signs_in_once() {
        let city = TestCity::new();
        let invitation = invite(&city);
        assert!(invitation.expose().starts_with("msi_1404_"));
        let (token, session) = city.directory.redeem(invitation.expose(), NOW).unwrap();
        assert_eq!((session.person, session.kind), (city.someone, SessionKind::Bearer));
        assert_eq!(city.directory.session(token.expose(), NOW).await.unwrap(), session);
        assert_eq!(refusal(&city, invitation.expose(), NOW), Some(Refusal::InvitationUsed {}));
    }

    #[test]
    fn of_many_who_race_one_wins() {
        let city = TestCity::new();
        let invitation = invite(&city);
        let barrier = Barrier::new(8);
        let outcomes: Vec<_> = thread::scope(|scope| {
            let race = || {
                barrier.wait();
                refusal(&city, invitation.expose(), NOW)
            };
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_none()).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some(Refusal::InvitationUsed {})).count(), 7);
        assert_eq!(city.directory.revoke_sessions_of(city.someone).unwrap(), 1);
    }

    #[test]
    fn expired_withdrawn_foreign_and_invented_ones_are_told_apart() {
        let city = TestCity::new();
        let withdrawn = invite(&city);
        let invitation = invite(&city);
        let end = NOW.plus_s(INVITATION_LIFETIME_S);
        assert_eq!(refusal(&city, withdrawn.expose(), NOW), Some(Refusal::InvitationInvalid {}));
        assert_eq!(refusal(&city, invitation.expose(), end), Some(Refusal::InvitationExpired {}));
        let elsewhere = invitation.expose().replacen("1404", "1401", 1);
        assert_eq!(refusal(&city, &elsewhere, NOW), Some(Refusal::WrongCity {}));
        for text in ["", "msi_1404_", &invitation.expose().replacen("msi", "mst", 1)] {
            assert_eq!(refusal(&city, text, NOW), Some(Refusal::InvitationInvalid {}), "{text}");
        }
        city.directory.housekeeping(end).unwrap();
        assert_eq!(refusal(&city, invitation.expose(), end), Some(Refusal::InvitationExpired {}), "remembered");
        assert_eq!(refusal(&city, invitation.expose(), NOW), None, "nothing of this used it up");
    }

    #[test]
    fn erasing_a_person_ends_their_invitation() {
        let city = TestCity::new();
        let invitation = invite(&city);
        city.directory.erase_person(city.someone, NOW).unwrap();
        assert_eq!(refusal(&city, invitation.expose(), NOW), Some(Refusal::InvitationInvalid {}));
        assert_eq!(city.directory.invite(&[city.someone], NOW).unwrap_err().refusal(), Refusal::UnknownPerson {});
    }
}
