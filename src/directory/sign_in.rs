//! Signing in with login and password: limited, of the same effort for unknown logins, and telling nobody which half was wrong.

use std::fmt;
use std::net::IpAddr;

use rusqlite::{OptionalExtension, params};

use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::accounts::{LOGIN_MAX, Login, SignInRow};
use super::passwords::Password;
use super::sessions::{self, Session, SessionKind};
use super::token::Token;
use super::{Directory, Result, id_bytes};

/// What somebody typed, and where they are. `Debug` shows neither login nor password.
#[derive(Clone)]
pub struct SignIn {
    /// The login as typed.
    pub login: String,
    /// The password as typed.
    pub password: String,
    /// Where the connection comes from, as the edge trusts it.
    pub from: IpAddr,
    /// What kind of session they want.
    pub kind: SessionKind,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("from", &self.from).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Directory {
    /// Signs somebody in.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`]; [`Refusal::BadCredentials`] whatever was wrong; [`Refusal::Overloaded`] when too many
    /// passwords wait to be verified; unavailable or broken.
    pub async fn sign_in(&self, attempt: SignIn, now: Timestamp) -> Result<(Token, Session)> {
        let SignIn { login, password, from, kind } = attempt;
        // A login that cannot be one counts as what it is up to the length of a longest one.
        let counted: String = login.chars().take(LOGIN_MAX).collect::<String>().to_ascii_lowercase();
        self.inner.attempts.attempt(&counted, from, now)?;

        let password = Password::parse(&password).map_err(|_| Refusal::BadCredentials {})?;
        let login = login.parse::<Login>().ok();
        let mut verified = self.verify(login.clone(), password.clone()).await?;
        // The account, or its password, may be of another node's making, a moment ago.
        if verified.is_none() && self.is_shared() {
            self.run(Self::catch_up_once).await?;
            verified = self.verify(login, password).await?;
        }
        let row = verified.ok_or(Refusal::BadCredentials {})?;
        // Whoever knows the password is no guesser, though they may have to try again: where nothing can be written now, say.
        self.inner.attempts.succeeded(&counted, from);

        self.run(move |directory| directory.begin_verified(&row, kind, now)).await
    }

    /// The account with that login, where the password is its own and it may sign in.
    async fn verify(&self, login: Option<Login>, password: Password) -> Result<Option<SignInRow>> {
        let row = match login {
            Some(login) => self.run(move |directory| directory.sign_in_row(&login)).await?,
            None => None,
        };
        let hash = row.as_ref().map(|row| row.hash.clone());
        let fits = self.passwords().verify(password, hash).await?;
        Ok(row.filter(|row| fits && !row.disabled))
    }

    /// The account must still be what it was when the password was verified: disabling it or changing the password meanwhile
    /// ends sessions, and none may slip in behind that.
    fn begin_verified(&self, verified: &SignInRow, kind: SessionKind, now: Timestamp) -> Result<(Token, Session)> {
        let person = verified.person;
        let signed_in = self.write(|tx| {
            let sql = "SELECT 1 FROM accounts WHERE person_id = ?1 AND password_hash = ?2 AND NOT disabled";
            tx.prepare_cached(sql)?
                .query_row(params![id_bytes(person), verified.hash.0], |_| Ok(()))
                .optional()?
                .ok_or(Refusal::BadCredentials {})?;
            let token = sessions::begin(tx, self.city(), person, kind, now)?;
            let (session, _) = sessions::find(tx, token.hash())?.ok_or(Refusal::BadCredentials {})?;
            Ok((token, session))
        })?;
        Ok(signed_in)
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::AccountHolder;
    use super::super::test_city::{NOW, TestCity};
    use super::*;
    use crate::domain::actor::{Grant, Role};

    const GOOD: &str = "平安长治2026·对";

    fn attempt(login: &str, password: &str) -> SignIn {
        let from = IpAddr::from([192, 0, 2, 1]);
        SignIn { login: login.into(), password: password.into(), from, kind: SessionKind::Cookie }
    }

    fn observer() -> Grant {
        Grant { role: Role::Observer, area: "1404".parse().unwrap() }
    }

    async fn city_with_account() -> TestCity {
        let city = TestCity::new();
        let password = Password::parse(GOOD).unwrap();
        let login = "wang.fang".parse().unwrap();
        city.directory
            .create_account(login, AccountHolder::Known(city.someone), password, vec![observer()], NOW)
            .await
            .unwrap();
        city
    }

    async fn refusal(city: &TestCity, login: &str, password: &str) -> Option<Refusal> {
        city.directory.sign_in(attempt(login, password), NOW).await.err().map(|error| error.refusal())
    }

    #[tokio::test]
    async fn the_right_password_signs_in_and_nothing_else_does() {
        let city = city_with_account().await;
        let (token, session) = city.directory.sign_in(attempt("Wang.Fang", GOOD), NOW).await.unwrap();
        assert_eq!(
            (session.person, session.kind, &*session.grants),
            (city.someone, SessionKind::Cookie, &[observer()][..])
        );
        assert_eq!(city.directory.session(token.expose(), NOW).await.unwrap(), session);
        for (login, password) in
            [("wang.fang", "平安长治2026·错"), ("nobody", GOOD), ("王芳", GOOD), ("wang.fang", "x")]
        {
            assert_eq!(refusal(&city, login, password).await, Some(Refusal::BadCredentials {}), "{login}");
        }
    }

    #[tokio::test]
    async fn a_disabled_account_is_not_told_from_a_wrong_password() {
        let city = city_with_account().await;
        city.directory.set_disabled(city.someone, true).unwrap();
        assert_eq!(refusal(&city, "wang.fang", GOOD).await, Some(Refusal::BadCredentials {}));
        city.directory.set_disabled(city.someone, false).unwrap();
        assert_eq!(refusal(&city, "wang.fang", GOOD).await, None);
    }

    #[tokio::test]
    async fn another_password_ends_the_sessions_of_the_old_one() {
        let city = city_with_account().await;
        let (token, _) = city.directory.sign_in(attempt("wang.fang", GOOD), NOW).await.unwrap();
        let verified = city.directory.sign_in_row(&"wang.fang".parse().unwrap()).unwrap().unwrap();
        city.directory.change_password(city.someone, Password::parse("another one").unwrap()).await.unwrap();
        assert!(city.directory.session(token.expose(), NOW).await.is_err());
        assert_eq!(refusal(&city, "wang.fang", GOOD).await, Some(Refusal::BadCredentials {}));
        assert_eq!(refusal(&city, "wang.fang", "another one").await, None);
        let late = city.directory.begin_verified(&verified, SessionKind::Cookie, NOW).unwrap_err();
        assert_eq!(late.refusal(), Refusal::BadCredentials {}, "verified before the change, begun after it");
    }

    #[tokio::test]
    async fn guessing_is_stopped_and_the_right_password_then_waits_too() {
        let city = city_with_account().await;
        for _ in 0..10 {
            assert_eq!(refusal(&city, "wang.fang", "x").await, Some(Refusal::BadCredentials {}));
        }
        assert!(matches!(refusal(&city, "wang.fang", GOOD).await, Some(Refusal::TooManyAttempts { .. })));
        let later = city.directory.sign_in(attempt("wang.fang", GOOD), NOW.plus_s(31)).await;
        assert!(later.is_ok());
    }

    #[test]
    fn debug_shows_neither_login_nor_password() {
        let shown = format!("{:?}", attempt("wang.fang", GOOD));
        assert!(!shown.contains("wang") && !shown.contains(GOOD), "{shown}");
    }
}
