//! Buildings, stairwells and flats: a household is the flat it lives in, written `3-2-502`.
//!
//! A household exists because its building has that flat. No event ever lists them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::CompoundId;
use super::text_form::{BadKey, parse_digits, text_form};

/// Flats on one floor are numbered 01 to 99.
const FLATS_PER_FLOOR_MAX: u16 = 99;

/// Building, unit (stairwell) and flat within a compound: `3-2-502` is building 3, unit 2, floor 5, door 02.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlatNo {
    /// Number of the building, 1 to 999.
    pub building: u16,
    /// Number of the stairwell in it, 1 to 99.
    pub unit: u8,
    /// Floor × 100 + door, 101 to 9999.
    pub flat: u16,
}

impl FlatNo {
    /// Which stairwell it is in.
    pub const fn unit_no(self) -> UnitNo {
        UnitNo { building: self.building, unit: self.unit }
    }
}

/// A stairwell: `3-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitNo {
    /// Number of the building.
    pub building: u16,
    /// Number of the stairwell in it.
    pub unit: u8,
}

/// One household of the city: `140403001001001/3-2-502`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HouseholdKey {
    /// Where it is.
    pub compound: CompoundId,
    /// Which flat.
    pub flat: FlatNo,
}

impl fmt::Display for FlatNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.building, self.unit, self.flat)
    }
}

impl fmt::Display for UnitNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.building, self.unit)
    }
}

impl fmt::Display for HouseholdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.compound, self.flat)
    }
}

/// A number in `low..=high` without sign, space or leading zero.
fn number(text: &str, low: u64, high: u64) -> Option<u64> {
    if text.starts_with('0') {
        return None;
    }
    parse_digits(text).filter(|n| (low..=high).contains(n))
}

impl FromStr for FlatNo {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let parse = || {
            let mut parts = text.split('-');
            let building = u16::try_from(number(parts.next()?, 1, 999)?).ok()?;
            let unit = u8::try_from(number(parts.next()?, 1, 99)?).ok()?;
            let flat = u16::try_from(number(parts.next()?, 101, 9999)?).ok()?;
            (parts.next().is_none() && flat % 100 != 0).then_some(Self { building, unit, flat })
        };
        parse().ok_or_else(|| BadKey::new(text, "a flat like 3-2-502 (building-unit-flat)"))
    }
}

impl FromStr for UnitNo {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let parse = || {
            let (building, unit) = text.split_once('-')?;
            let building = u16::try_from(number(building, 1, 999)?).ok()?;
            let unit = u8::try_from(number(unit, 1, 99)?).ok()?;
            Some(Self { building, unit })
        };
        parse().ok_or_else(|| BadKey::new(text, "a stairwell like 3-2 (building-unit)"))
    }
}

impl FromStr for HouseholdKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey::new(text, "a household like 140403001001001/3-2-502");
        let (compound, flat) = text.split_once('/').ok_or_else(bad)?;
        Ok(Self { compound: compound.parse().map_err(|_| bad())?, flat: flat.parse().map_err(|_| bad())? })
    }
}

text_form!(FlatNo, "3-2-502");
text_form!(UnitNo, "3-2");
text_form!(HouseholdKey, "140403001001001/3-2-502");

/// A block of flats, regular: every unit has the same floors, every floor the same doors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Building {
    /// Its number in the compound, 1 to 999.
    pub no: u16,
    /// Stairwells, 1 to 99.
    pub units: u8,
    /// Floors with flats, 1 to 99.
    pub floors: u8,
    /// Doors on each floor of each stairwell, 1 to 99.
    pub flats_per_floor: u8,
    /// Whether it has a lift; without one, people who cannot walk need carrying.
    #[serde(default)]
    pub lift: bool,
}

impl Building {
    /// Households in the building.
    pub fn households(&self) -> u32 {
        u32::from(self.units) * self.households_per_unit()
    }

    /// Households in each of its stairwells.
    pub fn households_per_unit(&self) -> u32 {
        u32::from(self.floors) * u32::from(self.flats_per_floor)
    }

    /// Whether the flat (of this building's number) exists.
    pub fn has(&self, flat: FlatNo) -> bool {
        let (floor, door) = (flat.flat / 100, flat.flat % 100);
        flat.building == self.no
            && (1..=u16::from(self.units)).contains(&u16::from(flat.unit))
            && (1..=u16::from(self.floors)).contains(&floor)
            && (1..=u16::from(self.flats_per_floor)).contains(&door)
    }

    /// All flats of one stairwell, bottom up.
    pub fn flats_of(&self, unit: u8) -> impl Iterator<Item = FlatNo> + use<> {
        let (building, doors) = (self.no, u16::from(self.flats_per_floor));
        (1..=u16::from(self.floors))
            .flat_map(move |floor| (1..=doors).map(move |door| FlatNo { building, unit, flat: floor * 100 + door }))
    }

    /// All flats, stairwell by stairwell.
    pub fn flats(&self) -> impl Iterator<Item = FlatNo> + '_ {
        (1..=self.units).flat_map(|unit| self.flats_of(unit))
    }

    /// Whether the counts are within their bounds.
    pub fn is_valid(&self) -> bool {
        (1..=999).contains(&self.no)
            && (1..=99).contains(&self.units)
            && (1..=99).contains(&self.floors)
            && (1..=FLATS_PER_FLOOR_MAX).contains(&u16::from(self.flats_per_floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_reads_and_writes_as_people_write_it() {
        let flat: FlatNo = "3-2-502".parse().unwrap();
        assert_eq!(flat, FlatNo { building: 3, unit: 2, flat: 502 });
        assert_eq!(flat.to_string(), "3-2-502");
        for text in ["", "3-2", "3-2-500", "3-2-050", "0-2-502", "3-2-502-1", "3-+2-502", "3-100-502", "03-2-502"] {
            assert!(text.parse::<FlatNo>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_building_has_just_the_flats_it_lists() {
        let building = Building { no: 3, units: 2, floors: 6, flats_per_floor: 2, lift: false };
        let flats: Vec<_> = building.flats().collect();
        assert_eq!(flats.len(), building.households() as usize);
        assert!(flats.iter().all(|flat| building.has(*flat)));
        for text in ["3-3-101", "3-1-701", "3-1-103", "4-1-101"] {
            assert!(!building.has(text.parse().unwrap()), "{text} exists");
        }
    }
}
