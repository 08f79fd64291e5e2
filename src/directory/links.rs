//! Household links: signed, expiring, and kept nowhere. Whoever holds one reports on that household alone.
//!
//! ```text
//! base64url( version 1 │ compound 8 │ building 2 │ unit 1 │ flat 2 │ expires, µs 8 │ HMAC-SHA256, first 16 )   big-endian
//! ```
//! 51 characters, so that the QR code stays coarse enough for an old phone in a dark stairwell. The city is the first four
//! digits of the compound. The key is made at the first start and lives in the directory.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, params};
use sha2::Sha256;

use crate::domain::area::AreaCode;
use crate::domain::household::HouseholdKey;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::{Directory, Result};

/// The only form there is so far.
const VERSION: u8 = 1;
/// Bytes that are signed.
const PAYLOAD_BYTES: usize = 22;
/// Bytes of the signature: 128 bits cannot be guessed.
const MAC_BYTES: usize = 16;
/// Bytes of a link before base64url.
const LINK_BYTES: usize = PAYLOAD_BYTES + MAC_BYTES;
/// Characters of a link.
pub const LINK_CHARS: usize = 51;
/// Bytes of the key: one block of SHA-256.
const KEY_BYTES: usize = 64;

/// What signs the city's household links. `Debug` does not show it.
#[derive(Clone)]
pub(super) struct LinkKey([u8; KEY_BYTES]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A link that was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdLink {
    /// For whom it speaks.
    pub household: HouseholdKey,
    /// Until when.
    pub expires: Timestamp,
}

impl Directory {
    /// Signs a link for a household, good until `expires`. Whether the household exists is the asker's to know.
    ///
    /// # Errors
    /// [`Refusal::WrongCity`] when the household is in another city.
    pub fn sign_link(&self, household: HouseholdKey, expires: Timestamp) -> Result<String, Refusal> {
        if !household.compound.is_in(self.city()) {
            return Err(Refusal::WrongCity {});
        }
        Ok(self.inner.link_key.sign(HouseholdLink { household, expires }))
    }

    /// What a link that somebody shows is good for.
    ///
    /// # Errors
    /// [`Refusal::LinkInvalid`] when any byte is not as it was signed, [`Refusal::LinkExpired`], [`Refusal::WrongCity`].
    pub fn verify_link(&self, text: &str, now: Timestamp) -> Result<HouseholdLink, Refusal> {
        self.inner.link_key.verify(text, self.city(), now)
    }
}

impl LinkKey {
    fn sign(&self, link: HouseholdLink) -> String {
        let payload = payload_of(link);
        let mac = self.mac(&payload).finalize().into_bytes();
        let mut bytes = [0; LINK_BYTES];
        bytes[..PAYLOAD_BYTES].copy_from_slice(&payload);
        bytes[PAYLOAD_BYTES..].copy_from_slice(&mac[..MAC_BYTES]);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// Another city's key is not ours, so its links are told by the place they name, before the signature.
    fn verify(&self, text: &str, city: AreaCode, now: Timestamp) -> Result<HouseholdLink, Refusal> {
        let mut bytes = [0; LINK_BYTES];
        let length = Base64UrlUnpadded::decode(text, &mut bytes).map_or(0, <[u8]>::len);
        let (payload, mac) = bytes.split_at(PAYLOAD_BYTES);
        let link = parse(payload).filter(|_| length == LINK_BYTES).ok_or(Refusal::LinkInvalid {})?;
        if !link.household.compound.is_in(city) {
            return Err(Refusal::WrongCity {});
        }
        // Takes the same time wherever the first wrong byte is.
        self.mac(payload).verify_truncated_left(mac).map_err(|_| Refusal::LinkInvalid {})?;
        if link.expires <= now { Err(Refusal::LinkExpired {}) } else { Ok(link) }
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.0.into());
        mac.update(payload);
        mac
    }
}

fn payload_of(link: HouseholdLink) -> [u8; PAYLOAD_BYTES] {
    let HouseholdKey { compound, flat } = link.household;
    let mut payload = [0; PAYLOAD_BYTES];
    payload[0] = VERSION;
    payload[1..9].copy_from_slice(&compound.number().to_be_bytes());
    payload[9..11].copy_from_slice(&flat.building.to_be_bytes());
    payload[11] = flat.unit;
    payload[12..14].copy_from_slice(&flat.flat.to_be_bytes());
    payload[14..].copy_from_slice(&link.expires.0.to_be_bytes());
    payload
}

/// Through the household's text form, so that only what can be typed can be linked.
fn parse(payload: &[u8]) -> Option<HouseholdLink> {
    let (version, rest) = payload.split_first()?;
    let (compound, rest) = rest.split_first_chunk()?;
    let (building, rest) = rest.split_first_chunk()?;
    let (unit, rest) = rest.split_first()?;
    let (flat, rest) = rest.split_first_chunk()?;
    let expires = Timestamp(i64::from_be_bytes(rest.try_into().ok()?));
    let (compound, building, flat) =
        (u64::from_be_bytes(*compound), u16::from_be_bytes(*building), u16::from_be_bytes(*flat));
    let household = format!("{compound}/{building}-{unit}-{flat}").parse().ok()?;
    (*version == VERSION).then_some(HouseholdLink { household, expires })
}

/// The key in the file, made when there is none.
pub(super) fn settle_key(db: &Connection) -> Result<LinkKey> {
    let mut fresh = [0; KEY_BYTES];
    getrandom::fill(&mut fresh)?;
    let sql = "INSERT INTO meta (name, value) VALUES ('household_link_key', ?1) ON CONFLICT DO NOTHING";
    db.execute(sql, params![fresh])?;
    let sql = "SELECT value FROM meta WHERE name = 'household_link_key'";
    Ok(LinkKey(db.query_row(sql, [], |row| row.get(0))?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::test_city::{NOW, TestCity};
    use super::*;
    use crate::domain::household::FlatNo;

    const KEY: LinkKey = LinkKey([42; KEY_BYTES]);

    fn city() -> AreaCode {
        "1404".parse().unwrap()
    }

    fn link() -> HouseholdLink {
        HouseholdLink { household: "140403001001001/3-2-502".parse().unwrap(), expires: NOW.plus_s(60) }
    }

    #[test]
    fn a_link_is_read_back_until_it_expires() {
        let text = KEY.sign(link());
        assert_eq!(text.len(), LINK_CHARS);
        assert_eq!(KEY.verify(&text, city(), NOW), Ok(link()));
        assert_eq!(KEY.verify(&text, city(), NOW.plus_s(60)), Err(Refusal::LinkExpired {}));
    }

    #[test]
    fn every_change_of_one_byte_fails() {
        let text = KEY.sign(link());
        for at in 0..text.len() {
            for byte in (0..128u8).filter(|byte| *byte != text.as_bytes()[at]) {
                let mut changed = text.clone().into_bytes();
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                let refused = KEY.verify(&changed, city(), NOW).unwrap_err();
                assert!(
                    matches!(refused, Refusal::LinkInvalid {} | Refusal::WrongCity {}),
                    "byte {at} as {byte}: {refused:?}"
                );
            }
        }
        let bytes = Base64UrlUnpadded::decode_vec(&text).unwrap();
        for bit in 0..LINK_BYTES * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(KEY.verify(&Base64UrlUnpadded::encode_string(&changed), city(), NOW).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn other_lengths_cities_and_keys_fail() {
        let text = KEY.sign(link());
        for bad in ["", &text[1..], &text[..50], &format!("{text}A"), &format!("{text}="), &"A".repeat(100_000)] {
            assert_eq!(KEY.verify(bad, city(), NOW), Err(Refusal::LinkInvalid {}), "{} characters", bad.len());
        }
        assert_eq!(KEY.verify(&text, "1401".parse().unwrap(), NOW), Err(Refusal::WrongCity {}));
        assert_eq!(LinkKey([43; KEY_BYTES]).verify(&text, city(), NOW), Err(Refusal::LinkInvalid {}));
    }

    #[test]
    fn the_key_outlives_a_restart_and_is_each_directorys_own() {
        let town = TestCity::new();
        let text = town.directory.sign_link(link().household, link().expires).unwrap();
        let again = Directory::open(&town.dir.path().join(super::super::FILE_NAME), city()).unwrap();
        assert_eq!(again.verify_link(&text, NOW), Ok(link()));
        assert_eq!(TestCity::new().directory.verify_link(&text, NOW), Err(Refusal::LinkInvalid {}));
        let elsewhere = "140103001001001/3-2-502".parse().unwrap();
        assert_eq!(town.directory.sign_link(elsewhere, NOW), Err(Refusal::WrongCity {}));
    }

    proptest! {
        #[test]
        fn any_household_and_expiry_survives(
            building in 1u16..=999, unit in 1u8..=99, floor in 1u16..=99, door in 1u16..=99, expires in 1i64..,
        ) {
            let flat = FlatNo { building, unit, flat: floor * 100 + door };
            let household = HouseholdKey { compound: "140403001001999".parse().unwrap(), flat };
            let link = HouseholdLink { household, expires: Timestamp(expires) };
            prop_assert_eq!(KEY.verify(&KEY.sign(link), city(), Timestamp(0)), Ok(link));
        }
    }
}
