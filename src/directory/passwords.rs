//! Passwords: argon2id, a few at a time, and the same effort whether the login exists or not.
//!
//! One hash takes 19 MiB and some 20 ms of a core, so they run on blocking threads behind a small gate, and who finds too
//! long a queue is told to come back: a storm of sign-ins must not take the memory or the cores from an alert.

use std::fmt;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::domain::refusal::Refusal;

use super::{DirectoryError, Result};

/// Hashes worked on at once.
const AT_ONCE: usize = 2;
/// Hashes worked on or waiting; whoever comes on top is refused. At 20 ms each the last one waits some 0.6 s.
const IN_LINE_MAX: usize = 64;
/// Characters of a shortest password.
pub const PASSWORD_MIN: usize = 10;
/// Characters of a longest password.
pub const PASSWORD_MAX: usize = 128;

/// Nobody's hash, with the parameters of everybody's: what an unknown login is checked against.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUu$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as somebody typed it. `Debug` does not show it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Any text that could have been chosen as a password.
    ///
    /// # Errors
    /// [`Refusal::BadPassword`] when it is too short or too long.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fits = (PASSWORD_MIN..=PASSWORD_MAX).contains(&text.chars().take(PASSWORD_MAX + 1).count());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::BadPassword { min: PASSWORD_MIN, max: PASSWORD_MAX })
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A password's hash in its PHC text form, salt and parameters in it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(super) String);

impl PasswordHash {
    /// Hashes with argon2id at its default effort. Blocks for some 20 ms; servers use [`Passwords::hash`].
    ///
    /// # Errors
    /// Unavailable when the system gives no randomness or no memory.
    pub fn of(password: &Password) -> Result<Self> {
        let hash = Argon2::default().hash_password(password.0.as_bytes()).map_err(unavailable)?;
        Ok(Self(hash.to_string()))
    }

    /// Whether it is this password's. Blocks for some 20 ms.
    fn fits(&self, password: &Password) -> Result<bool> {
        match Argon2::default().verify_password(password.0.as_bytes(), self.0.as_str()) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(password_hash::Error::OutOfMemory) => Err(unavailable(password_hash::Error::OutOfMemory)),
            Err(error) => Err(DirectoryError::Broken(error.to_string().into())),
        }
    }
}

fn unavailable(error: password_hash::Error) -> DirectoryError {
    DirectoryError::Unavailable(error.to_string().into())
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Where passwords are hashed and verified: two at a time, and no more than 64 in line.
#[derive(Debug, Clone)]
pub struct Passwords {
    line: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { line: Arc::new(Semaphore::new(IN_LINE_MAX)), gate: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many wait; unavailable.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        self.in_turn(move || PasswordHash::of(&password)).await
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash it is not, and finding out takes as long.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many wait; unavailable; broken when the hash cannot be read.
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool> {
        self.in_turn(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| PasswordHash(NOBODYS_HASH.to_owned()));
            Ok(hash.fits(&password)? && known)
        })
        .await
    }

    /// The permits go into the work: a caller who leaves does not make room that is still taken.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let place = Arc::clone(&self.line).try_acquire_owned().map_err(|_| Refusal::Overloaded {})?;
        let turn = Arc::clone(&self.gate).acquire_owned().await.map_err(|_| Refusal::Overloaded {})?;
        let worked = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        worked.await.map_err(|stopped| DirectoryError::Unavailable(stopped.into()))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash(password("平安长治-2026-对")).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "the default effort");
        assert!(passwords.verify(password("平安长治-2026-对"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(password("平安长治-2026-错"), Some(hash.clone())).await.unwrap());
        assert_ne!(hash, passwords.hash(password("平安长治-2026-对")).await.unwrap(), "salted");
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_does() {
        let parse =
            |text: &str| argon2::Params::try_from(&password_hash::phc::PasswordHash::new(text).unwrap()).unwrap();
        let real = PasswordHash::of(&password("correct horse")).unwrap();
        assert_eq!(parse(NOBODYS_HASH), parse(&real.0));
        assert!(!PasswordHash(NOBODYS_HASH.into()).fits(&password("correct horse")).unwrap());
    }

    #[tokio::test]
    async fn who_comes_on_top_of_a_full_line_is_refused() {
        let passwords = Passwords::default();
        let line = Arc::clone(&passwords.line).try_acquire_many_owned(u32::try_from(IN_LINE_MAX).unwrap()).unwrap();
        let refused = passwords.verify(password("correct horse"), None).await.unwrap_err();
        assert_eq!(refused.refusal(), Refusal::Overloaded {});
        drop(line);
        assert!(!passwords.verify(password("correct horse"), None).await.unwrap());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(Password::parse(&"密".repeat(PASSWORD_MIN)).is_ok());
        assert!(Password::parse(&"p".repeat(PASSWORD_MIN - 1)).is_err());
        assert!(Password::parse(&"p".repeat(PASSWORD_MAX + 1)).is_err());
        assert_eq!(format!("{:?}", password("correct horse")), "…");
    }
}
