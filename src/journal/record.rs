//! How a record is kept: one line of JSON that says its version, and a hash that chains it to the one before.
//!
//! `{"v":1,"at":<µs>,"id":"…","giver":…,"digest":"<16 hex digits>","events":[…]}`
//!
//! What was written is never written anew: an old version is lifted when it is read ([`read`]). The bytes are settled by
//! `tests/golden/journal_v1.jsonl`, one line for every kind of event. Where records lie is never said here: see [`super::sqlite`].

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::actor::Giver;
use crate::domain::event::{Entry, Event};
use crate::domain::ids::CommandId;
use crate::domain::time::Timestamp;

/// The version that is written; all up to it are read.
pub const VERSION: u32 = 1;

/// SHA-256 of the hash before, the position (big-endian) and the record's bytes.
pub type Hash = [u8; 32];

/// The hash before the first record. It holds what makes the journal this one, so that a chain cannot be passed off as another's.
pub fn genesis(chain_id: &str, city: &str) -> Hash {
    let text = format!("muster journal {chain_id} of {city}");
    Sha256::digest(text.as_bytes()).into()
}

/// The hash of a record, given the one before it.
pub fn chain(previous: &Hash, position: u64, body: &[u8]) -> Hash {
    let digest = Sha256::new().chain_update(previous).chain_update(position.to_be_bytes()).chain_update(body);
    digest.finalize().into()
}

/// A hash in 64 hex digits, as a duty sheet prints it.
pub fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes an entry in the version of today; what `body` held before is gone, its room is used again.
///
/// # Errors
/// When the entry has no form in JSON (a number that is none).
pub fn write(entry: &Entry, body: &mut Vec<u8>) -> serde_json::Result<()> {
    body.clear();
    let Entry { at, id, giver, digest, events } = entry;
    serde_json::to_writer(body, &Written { v: VERSION, at: *at, id: *id, giver: *giver, digest: *digest, events })
}

/// Reads an entry of any version up to that of today.
///
/// # Errors
/// What is wrong with it.
pub fn read(body: &[u8]) -> Result<Entry, String> {
    lift(version_of(body).ok_or("it does not say its version")?, body)
}

/// From the version in which it was written to that of today.
fn lift(version: u32, body: &[u8]) -> Result<Entry, String> {
    match version {
        1 => serde_json::from_slice::<V1>(body).map(V1::into_entry).map_err(|e| e.to_string()),
        later => Err(format!("written in version {later} by a later Muster; this one reads up to {VERSION}")),
    }
}

/// The version stands first, so that telling it needs no second pass over the record.
fn version_of(body: &[u8]) -> Option<u32> {
    let rest = body.strip_prefix(br#"{"v":"#)?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok().filter(|version| *version > 0)
}

/// A record as it is written today.
#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    at: Timestamp,
    id: CommandId,
    giver: Giver,
    #[serde(with = "hex_u64")]
    digest: u64,
    events: &'a [Event],
}

/// A record of version 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct V1 {
    #[serde(rename = "v")]
    _version: u32,
    at: Timestamp,
    id: CommandId,
    giver: Giver,
    #[serde(with = "hex_u64")]
    digest: u64,
    events: Vec<Event>,
}

impl V1 {
    fn into_entry(self) -> Entry {
        let Self { at, id, giver, digest, events, .. } = self;
        Entry { at, id, giver, digest, events }
    }
}

/// 64 bits as 16 hex digits: many readers of JSON round a number that large.
mod hex_u64 {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = u64;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 hex digits")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
                if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(E::custom("not 16 hex digits"));
                }
                u64::from_str_radix(text, 16).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn entry() -> Entry {
        let (at, id) = (Timestamp(-7), CommandId(Uuid::from_u128(9)));
        Entry { at, id, giver: Giver::System, digest: u64::MAX, events: vec![Event::Receipts(Vec::new())] }
    }

    fn written() -> Vec<u8> {
        let mut body = b"left over".to_vec();
        write(&entry(), &mut body).unwrap();
        body
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&written()), Ok(entry()));
    }

    #[test]
    fn a_later_version_and_no_version_are_named() {
        let text = String::from_utf8(written()).unwrap();
        let later = read(text.replace(r#""v":1"#, r#""v":2"#).as_bytes()).unwrap_err();
        assert!(later.contains("version 2") && later.contains("up to 1"), "{later}");
        for none in ["", "{}", r#"{"v":}"#, r#"{"v":0,"at":1}"#, r#"{"at":1,"v":1}"#, r#"{"v":99999999999,"at":1}"#] {
            assert_eq!(read(none.as_bytes()), Err("it does not say its version".to_owned()), "{none}");
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_refused() {
        let text = String::from_utf8(written()).unwrap();
        assert!(read(text.replace(r#""at""#, r#""x":1,"at""#).as_bytes()).is_err());
        assert!(read(text.replace("ffffffffffffffff", "+fffffffffffffff").as_bytes()).is_err());
    }

    #[test]
    fn each_part_of_the_chain_counts() {
        let start = genesis("a", "1404");
        let hash = chain(&start, 1, b"{}");
        assert_ne!(hash, chain(&genesis("b", "1404"), 1, b"{}"));
        assert_ne!(hash, chain(&genesis("a", "1405"), 1, b"{}"));
        assert_ne!(hash, chain(&start, 2, b"{}"));
        assert_ne!(hash, chain(&start, 1, b"{ }"));
        // Settled for ever: another value breaks every journal there is.
        assert_eq!(hex(&chain(&[0; 32], 1, b"{}")), "1bad765d926feacace97a8ddcd329a1f4254c208affc1ba86b3c7d59e8fba83e");
    }
}
