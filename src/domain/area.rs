//! The administrative tree: city 1404, county 140403, street 140403001, community 140403001001.
//!
//! The code is the place: who contains whom is read off the digits, never off a polygon
//! (the boundaries that can be had are generalised by about 166 m).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text_form::{BadKey, parse_digits, text_form};

/// Characters of an area's name.
pub const NAME_MAX: usize = 64;

/// How deep in the tree an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AreaLevel {
    /// 4 digits.
    City,
    /// 6 digits.
    County,
    /// 9 digits.
    Street,
    /// 12 digits.
    Community,
}

impl AreaLevel {
    /// All levels, widest first.
    pub const ALL: [Self; 4] = [Self::City, Self::County, Self::Street, Self::Community];

    /// Digits of a code at this level.
    pub const fn digits(self) -> u32 {
        match self {
            Self::City => 4,
            Self::County => 6,
            Self::Street => 9,
            Self::Community => 12,
        }
    }
}

/// The code of an [`Area`], in 4, 6, 9 or 12 digits. In JSON it is a string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode {
    level: AreaLevel,
    number: u64,
}

impl AreaCode {
    /// How deep in the tree.
    pub const fn level(self) -> AreaLevel {
        self.level
    }

    /// The digits as a number, for compact keys.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// From digits as a number; `None` when there are more or fewer digits than the level has.
    pub fn from_number(level: AreaLevel, number: u64) -> Option<Self> {
        let low = 10u64.pow(level.digits() - 1);
        (low..low * 10).contains(&number).then_some(Self { level, number })
    }

    /// The area of `level` that this one lies in (or is); `None` when `level` is deeper.
    pub fn at_level(self, level: AreaLevel) -> Option<Self> {
        let drop = self.level.digits().checked_sub(level.digits())?;
        Some(Self { level, number: self.number / 10u64.pow(drop) })
    }

    /// The next wider area; `None` for the city.
    pub fn parent(self) -> Option<Self> {
        match self.level {
            AreaLevel::City => None,
            AreaLevel::County => self.at_level(AreaLevel::City),
            AreaLevel::Street => self.at_level(AreaLevel::County),
            AreaLevel::Community => self.at_level(AreaLevel::Street),
        }
    }

    /// Whether `other` is this area or lies in it.
    pub fn contains(self, other: Self) -> bool {
        other.at_level(self.level) == Some(self)
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}

impl FromStr for AreaCode {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey::new(text, "an area code of 4, 6, 9 or 12 digits");
        let level = AreaLevel::ALL.into_iter().find(|l| l.digits() as usize == text.len()).ok_or_else(bad)?;
        let number = parse_digits(text).ok_or_else(bad)?;
        Self::from_number(level, number).ok_or_else(bad)
    }
}

text_form!(AreaCode, "140403");

/// A node of the administrative tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its code, from which its level and parents follow.
    pub code: AreaCode,
    /// Its name in Chinese.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> AreaCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_code_knows_its_parents() {
        let community = code("140403001002");
        assert_eq!(community.at_level(AreaLevel::Street), Some(code("140403001")));
        assert_eq!(community.parent().and_then(AreaCode::parent), Some(code("140403")));
        assert!(code("1404").contains(community));
        assert!(!code("140404").contains(community));
        assert!(!community.contains(code("1404")));
    }

    #[test]
    fn other_lengths_and_signs_are_refused() {
        for text in ["", "14", "14040", "+140", "1404 ", "0404", "１４０４", "1404030010021"] {
            assert!(text.parse::<AreaCode>().is_err(), "{text:?} was taken");
        }
    }
}
