//! Residential compounds: boundary, buildings, gates, assembly points, counts, and the findings of the risk survey.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::area::{AreaCode, AreaLevel};
use super::geometry::{Point, Polygon};
use super::hazard::Hazard;
use super::household::{Building, FlatNo, UnitNo};
use super::refusal::Refusal;
use super::text_form::{BadKey, parse_digits, text_form};

/// Buildings a compound may have.
pub const BUILDINGS_MAX: usize = 500;
/// Entrances and assembly points, each.
pub const PLACES_MAX: usize = 50;
/// Findings that one survey may list.
pub const FINDINGS_MAX: usize = 200;
/// Characters of a name.
pub const NAME_MAX: usize = 100;

/// A compound's code: its community's 12 digits and 3 of its own. Its community, street and county are read off it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompoundId(u64);

impl CompoundId {
    /// The `suffix`-th compound (1 to 999) of a community.
    pub fn new(community: AreaCode, suffix: u16) -> Option<Self> {
        let fits = community.level() == AreaLevel::Community && (1..=999).contains(&suffix);
        fits.then(|| Self(community.number() * 1000 + u64::from(suffix)))
    }

    /// The digits as a number, for compact keys.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The area of `level` that it lies in.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "each prefix of a compound code is an area code"
    )]
    pub fn area(self, level: AreaLevel) -> AreaCode {
        let number = self.0 / 10u64.pow(15 - level.digits());
        // INVARIANT: a compound code has 15 digits, the first not 0, so each prefix is an area code.
        AreaCode::from_number(level, number).expect("prefix of a compound id is an area code")
    }

    /// Its community.
    pub fn community(self) -> AreaCode {
        self.area(AreaLevel::Community)
    }

    /// City, county, street, community: the areas it counts in.
    pub fn areas(self) -> [AreaCode; 4] {
        AreaLevel::ALL.map(|level| self.area(level))
    }

    /// All codes that lie in the area, in order: what to look up in an ordered set.
    pub fn all_in(area: AreaCode) -> RangeInclusive<Self> {
        let width = 10u64.pow(15 - area.level().digits());
        let first = area.number() * width;
        Self(first)..=Self(first + width - 1)
    }

    /// Whether it lies in the area.
    pub fn is_in(self, area: AreaCode) -> bool {
        self.area(area.level()) == area
    }
}

impl fmt::Display for CompoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for CompoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for CompoundId {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let parse = || {
            let number = parse_digits(text).filter(|_| text.len() == 15)?;
            let community = AreaCode::from_number(AreaLevel::Community, number / 1000)?;
            Self::new(community, u16::try_from(number % 1000).ok()?)
        };
        parse().ok_or_else(|| BadKey::new(text, "a compound code of 15 digits (community + 3)"))
    }
}

text_form!(CompoundId, "140403001001001");

/// Where people gather.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its name in Chinese: 南门, 中心广场.
    pub name: String,
    /// Where it is.
    pub at: Point,
}

/// Why a household is helped first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// 靠氧气、透析等维持
    LifeSupport,
    /// 卧床、失能
    Bedridden,
    /// 轮椅
    Wheelchair,
    /// 80 岁以上独居
    LivesAlone80,
    /// 孕产妇、婴幼儿
    Infant,
    /// 听障、视障
    DeafOrBlind,
}

/// A household that is helped first. Kept by flat, without names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VulnerableHousehold {
    /// Which flat.
    pub flat: FlatNo,
    /// Why.
    pub needs: Vec<Need>,
}

/// A residential compound as surveyed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compound {
    /// The city's own code.
    pub id: CompoundId,
    /// Name in Chinese.
    pub name: String,
    /// Outline.
    pub boundary: Polygon,
    /// Blocks of flats.
    pub buildings: Vec<Building>,
    /// Gates.
    #[serde(default)]
    pub entrances: Vec<Place>,
    /// Where people gather.
    #[serde(default)]
    pub assembly_points: Vec<Place>,
    /// People who live there.
    pub people: u32,
    /// Households that are helped first.
    #[serde(default)]
    pub vulnerable: Vec<VulnerableHousehold>,
    /// Whether this compound was generated for a demonstration.
    #[serde(default)]
    pub synthetic: bool,
}

impl Compound {
    /// Checks what the parts' own types cannot.
    ///
    /// # Errors
    /// [`Refusal::BadCompound`] with the reason.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |why: String| Err(Refusal::BadCompound { compound: self.id, why });
        if self.name.trim().is_empty() || self.name.chars().count() > NAME_MAX {
            return bad(format!("name must have 1 to {NAME_MAX} characters"));
        }
        if self.buildings.len() > BUILDINGS_MAX {
            return bad(format!("more than {BUILDINGS_MAX} buildings"));
        }
        if self.entrances.len() > PLACES_MAX || self.assembly_points.len() > PLACES_MAX {
            return bad(format!("more than {PLACES_MAX} entrances or assembly points"));
        }
        let mut seen = HashSet::new();
        for building in &self.buildings {
            if !building.is_valid() {
                return bad(format!("building {}: units, floors and flats_per_floor must be 1 to 99", building.no));
            }
            if !seen.insert(building.no) {
                return bad(format!("building {} twice", building.no));
            }
        }
        let mut flats = HashSet::new();
        for household in &self.vulnerable {
            if !self.has(household.flat) {
                return bad(format!("vulnerable household {} is in no building", household.flat));
            }
            if !flats.insert(household.flat) {
                return bad(format!("vulnerable household {} twice", household.flat));
            }
        }
        Ok(())
    }

    /// Households by the layout of its buildings.
    pub fn households(&self) -> u32 {
        self.buildings.iter().map(Building::households).sum()
    }

    /// Whether the flat exists.
    pub fn has(&self, flat: FlatNo) -> bool {
        self.buildings.iter().any(|b| b.has(flat))
    }

    /// The building with that number.
    pub fn building(&self, no: u16) -> Option<&Building> {
        self.buildings.iter().find(|b| b.no == no)
    }

    /// Households in a stairwell; 0 when there is no such stairwell.
    pub fn households_of(&self, unit: UnitNo) -> u32 {
        self.building(unit.building)
            .filter(|b| (1..=b.units).contains(&unit.unit))
            .map_or(0, Building::households_per_unit)
    }

    /// All flats, building by building.
    pub fn flats(&self) -> impl Iterator<Item = FlatNo> + '_ {
        self.buildings.iter().flat_map(Building::flats)
    }

    /// Why the household is helped first; empty when it is not listed.
    pub fn needs_of(&self, flat: FlatNo) -> &[Need] {
        self.vulnerable.iter().find(|v| v.flat == flat).map_or(&[], |v| &v.needs)
    }
}

/// How grave a finding of the risk survey is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskGrade {
    /// 低
    Low,
    /// 中
    Medium,
    /// 高
    High,
}

/// One thing that the risk survey found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which hazard it feeds.
    pub hazard: Hazard,
    /// How grave.
    pub grade: RiskGrade,
    /// What was found and where, in Chinese.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_code_says_where_it_is() {
        let id: CompoundId = "140403001002007".parse().unwrap();
        assert_eq!(id.community().to_string(), "140403001002");
        assert_eq!(id.area(AreaLevel::County).to_string(), "140403");
        assert!(id.is_in("1404".parse().unwrap()));
        assert!(!id.is_in("140404".parse().unwrap()));
        assert!(CompoundId::all_in("140403".parse().unwrap()).contains(&id));
        assert!(!CompoundId::all_in("140403001001".parse().unwrap()).contains(&id));
        assert!(!CompoundId::all_in("140403001003".parse().unwrap()).contains(&id));
        for text in ["", "140403001002", "140403001002000", "14040300100200a", "1404030010020071"] {
            assert!(text.parse::<CompoundId>().is_err(), "{text:?} was taken");
        }
    }
}
