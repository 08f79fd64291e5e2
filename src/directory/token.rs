//! Secrets that are handed out once and then known by their hash alone: session tokens and invitations.
//!
//! A token says which city it is for, so that one taken to another city is told so instead of "unknown":
//! `mst_1404_` and 43 characters of base64url, which are 256 random bits.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::domain::area::AreaCode;
use crate::domain::refusal::Refusal;

use super::error::DirectoryError;

/// Random bytes of a token.
const SECRET_BYTES: usize = 32;
/// Bytes of a longest token that is looked at; a longer one is none.
const TOKEN_BYTES_MAX: usize = 64;

/// What the store knows of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash(pub(super) [u8; 32]);

/// What a token is for: its first letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenUse {
    /// `mst_`: a session.
    Session,
    /// `msi_`: an invitation.
    Invitation,
}

impl TokenUse {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "mst_",
            Self::Invitation => "msi_",
        }
    }
}

/// A token as it is handed out. It is never stored, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A fresh one for this city.
    pub(super) fn mint(token_use: TokenUse, city: AreaCode) -> Result<Self, DirectoryError> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        Ok(Self(format!("{}{city}_{}", token_use.prefix(), Base64UrlUnpadded::encode_string(&secret))))
    }

    /// Reads what a client sent. `None` when it is no such token at all; [`Refusal::WrongCity`] when another city's.
    pub(super) fn read(text: &str, token_use: TokenUse, city: AreaCode) -> Result<Option<Self>, Refusal> {
        let parts = || {
            let rest = text.strip_prefix(token_use.prefix()).filter(|_| text.len() <= TOKEN_BYTES_MAX)?;
            let (place, secret) = rest.split_once('_')?;
            let place: AreaCode = place.parse().ok()?;
            let mut bytes = [0; SECRET_BYTES];
            let length = Base64UrlUnpadded::decode(secret, &mut bytes).ok()?.len();
            (length == SECRET_BYTES).then_some(place)
        };
        match parts() {
            None => Ok(None),
            Some(place) if place != city => Err(Refusal::WrongCity {}),
            Some(_) => Ok(Some(Self(text.to_owned()))),
        }
    }

    /// What the store knows of it. A fast hash is right here: 256 random bits cannot be guessed, unlike a password.
    pub(super) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The text to hand to its holder, once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city(text: &str) -> AreaCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_read_back_and_never_shown() {
        let token = Token::mint(TokenUse::Session, city("1404")).unwrap();
        assert!(token.expose().starts_with("mst_1404_"));
        assert_eq!(token.expose().len(), "mst_1404_".len() + 43);
        assert_eq!(Token::read(token.expose(), TokenUse::Session, city("1404")), Ok(Some(token.clone())));
        assert_eq!(format!("{token:?} {:?}", token.hash()), "… …");
        assert_ne!(token, Token::mint(TokenUse::Session, city("1404")).unwrap());
    }

    #[test]
    fn another_city_is_told_apart_from_nonsense() {
        let token = Token::mint(TokenUse::Session, city("1404")).unwrap();
        let read = |text: &str, token_use| Token::read(text, token_use, city("1404"));
        let elsewhere = token.expose().replace("1404", "1401");
        assert_eq!(read(&elsewhere, TokenUse::Session), Err(Refusal::WrongCity {}));
        assert_eq!(read(token.expose(), TokenUse::Invitation), Ok(None));
        for text in ["", "mst_", "mst_1404_", "mst_1404_abc", &format!("{}A", token.expose()), &"x".repeat(100_000)] {
            assert_eq!(read(text, TokenUse::Session), Ok(None), "{} bytes", text.len());
        }
    }
}
