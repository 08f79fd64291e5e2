//! Rows on their way to a server that must not read them: sealed with a key that only the nodes have.

use std::fmt;
use std::str::FromStr;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::domain::area::AreaCode;

use super::super::error::DirectoryError;

/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// Bytes that stand before each sealed row; random, and long enough that none comes twice.
const NONCE_BYTES: usize = 24;

/// What seals the rows. All nodes of a city have the same. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; KEY_BYTES]);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hex digits, as `openssl rand -hex 32` prints them")]
pub struct BadKey;

impl FromStr for SealingKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let digits = text.as_bytes();
        let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let mut key = [0; KEY_BYTES];
        for (at, byte) in key.iter_mut().enumerate() {
            let value = digit(2 * at).zip(digit(2 * at + 1)).map(|(high, low)| high << 4 | low).ok_or(BadKey)?;
            *byte = u8::try_from(value).map_err(|_| BadKey)?;
        }
        if digits.len() == 2 * KEY_BYTES { Ok(Self(key)) } else { Err(BadKey) }
    }
}

/// Seals and opens the rows of one city.
pub(super) struct Seal {
    cipher: XChaCha20Poly1305,
    city: AreaCode,
}

impl Seal {
    pub(super) fn new(key: &SealingKey, city: AreaCode) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&key.0.into()), city }
    }

    /// A row as it goes out. It opens under this name alone: a row cannot be passed off as another.
    pub(super) fn seal(&self, name: &str, row: &[u8]) -> Result<Vec<u8>, DirectoryError> {
        let mut sealed = vec![0; NONCE_BYTES];
        getrandom::fill(&mut sealed)?;
        let nonce = nonce_of(&sealed).ok_or_else(too_large)?;
        let aad = self.aad(name);
        let closed = self.cipher.encrypt(&nonce, Payload { msg: row, aad: &aad }).map_err(|_| too_large())?;
        sealed.extend(closed);
        Ok(sealed)
    }

    /// A row as it came back.
    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, DirectoryError> {
        let (nonce, closed) = sealed.split_at(sealed.len().min(NONCE_BYTES));
        let opened = nonce_of(nonce).and_then(|nonce| {
            let aad = self.aad(name);
            self.cipher.decrypt(&nonce, Payload { msg: closed, aad: &aad }).ok()
        });
        let why = "a row of the directory in Redis does not open: it was sealed with another journal.directory_key, or changed";
        opened.ok_or_else(|| DirectoryError::Broken(why.into()))
    }

    fn aad(&self, name: &str) -> Vec<u8> {
        format!("muster directory {} {name}", self.city).into_bytes()
    }
}

fn nonce_of(bytes: &[u8]) -> Option<XNonce> {
    <[u8; NONCE_BYTES]>::try_from(bytes).ok().map(Into::into)
}

fn too_large() -> DirectoryError {
    DirectoryError::Broken("a row is too large to be sealed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(digit: &str) -> Seal {
        Seal::new(&digit.repeat(64).parse().unwrap(), "1404".parse().unwrap())
    }

    #[test]
    fn a_row_opens_with_its_key_under_its_name_in_its_city_alone() {
        let sealed = seal("a").seal("people 01", "张某".as_bytes()).unwrap();
        assert!(!sealed.windows(3).any(|window| window == "张".as_bytes()), "its words are not to be read");
        assert_eq!(seal("a").open("people 01", &sealed).unwrap(), "张某".as_bytes());
        let elsewhere = Seal::new(&"a".repeat(64).parse().unwrap(), "1401".parse().unwrap());
        assert!(seal("a").open("people 02", &sealed).is_err());
        assert!(seal("b").open("people 01", &sealed).is_err());
        assert!(elsewhere.open("people 01", &sealed).is_err());
        for cut in [0, NONCE_BYTES, sealed.len() - 1] {
            assert!(seal("a").open("people 01", &sealed[..cut]).is_err());
        }
        assert_ne!(seal("a").seal("people 01", "张某".as_bytes()).unwrap(), sealed, "the same row twice is not seen");
    }

    #[test]
    fn a_key_is_64_hex_digits_and_is_not_shown() {
        for none in ["", "a", &"a".repeat(63), &"a".repeat(65), &"g".repeat(64), &"长".repeat(64)] {
            assert!(none.parse::<SealingKey>().is_err(), "{none}");
        }
        assert_eq!(format!("{:?}", "0123456789abcdef".repeat(4).parse::<SealingKey>().unwrap()), "…");
    }
}
