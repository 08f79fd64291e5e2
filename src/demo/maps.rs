//! The map of Changzhi as compiled in from `maps/data`: counties, seats, rivers, lakes, area codes.
//!
//! Sources and licences: `maps/data/LICENCES.md`. Boundaries are generalised: what county something is in is its code.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::area::{Area, AreaCode, AreaLevel};
use crate::domain::geometry::Point;

macro_rules! map_data {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/maps/data/", $name))
    };
}

const COUNTIES: &str = map_data!("changzhi-counties.geojson");
const SEATS: &str = map_data!("county-seats.geojson");
const RIVERS: &str = map_data!("rivers.geojson");
const WATER: &str = map_data!("water.geojson");
const STREETS: &str = map_data!("changzhi-streets.csv");
const COMMUNITIES: &str = map_data!("changzhi-communities.csv");

/// The code of the city of Changzhi.
const CITY_NUMBER: u64 = 1404;
const CITY_NAME: &str = "长治市";

/// A stretch of a river; a long river has several of the same name.
#[derive(Debug, Clone, PartialEq)]
pub struct River {
    /// Its name in Chinese.
    pub name: String,
    /// Its course, degrees, longitude first; about 1 km off.
    pub line: Vec<[f64; 2]>,
}

/// Where a county is governed from.
#[derive(Debug, Clone, PartialEq)]
pub struct CountySeat {
    /// Which county.
    pub county: AreaCode,
    /// The county's name in Chinese.
    pub name: String,
    /// Where.
    pub at: Point,
}

/// A county and its outline.
#[derive(Debug, Clone)]
pub struct County {
    /// Its code and name.
    pub area: Area,
    /// Its name in English, "Luzhou District".
    pub name_en: String,
    /// Area on the ellipsoid.
    pub area_km2: f64,
    /// The outside first, then holes; degrees, longitude first.
    pub rings: Rings,
}

/// What kind of unit a street-level area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreetKind {
    /// 街道
    Subdistrict,
    /// 镇
    Town,
    /// 乡
    Township,
    /// A statistical unit: development zones and the like.
    Other,
}

/// What kind of community it is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommunityKind {
    /// 居委会、社区
    Urban,
    /// 村委会
    Rural,
    /// A statistical placeholder where nobody lives.
    Virtual,
}

#[derive(Deserialize)]
struct Collection<P> {
    features: Vec<Feature<P>>,
}

#[derive(Deserialize)]
struct Feature<P> {
    properties: P,
    geometry: Geometry,
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Point([f64; 2]),
    LineString(Vec<[f64; 2]>),
    Polygon(Rings),
    MultiPolygon(Vec<Rings>),
}

/// The outside first, then holes; degrees, longitude first.
type Rings = Vec<Vec<[f64; 2]>>;

/// Rows of a file that is compiled in.
// INVARIANT: the files are part of the program, and the tests of this module read every one.
#[expect(clippy::expect_used, reason = "the files are part of the program and are tested")]
fn features<P: DeserializeOwned>(text: &str) -> Vec<Feature<P>> {
    serde_json::from_str::<Collection<P>>(text).expect("compiled-in GeoJSON is valid").features
}

// INVARIANT: as above.
#[expect(clippy::expect_used, reason = "the files are part of the program and are tested")]
fn rows<R: DeserializeOwned>(text: &str) -> Vec<R> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("compiled-in CSV is valid")
}

// INVARIANT: as above.
#[expect(clippy::expect_used, reason = "the files are part of the program and are tested")]
fn area_code(level: AreaLevel, number: u64) -> AreaCode {
    AreaCode::from_number(level, number).expect("compiled-in area code is valid")
}

/// Name → course of the named rivers, one entry a stretch: for an alert along a river.
pub fn rivers() -> Vec<River> {
    courses().into_iter().filter(|river| !river.name.is_empty()).collect()
}

/// All stretches, the unnamed ones too.
pub(super) fn courses() -> Vec<River> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let course = |feature: Feature<Named>| match feature.geometry {
        Geometry::LineString(line) => Some(River { name: feature.properties.name, line }),
        Geometry::Point(_) | Geometry::Polygon(_) | Geometry::MultiPolygon(_) => None,
    };
    features(RIVERS).into_iter().filter_map(course).collect()
}

/// Where the twelve counties are governed from, by code.
pub fn county_seats() -> Vec<CountySeat> {
    #[derive(Deserialize)]
    struct Seat {
        adcode: u64,
        county: String,
    }
    let seat = |feature: Feature<Seat>| {
        let Geometry::Point(at) = feature.geometry else { return None };
        let Seat { adcode, county: name } = feature.properties;
        Some(CountySeat { county: area_code(AreaLevel::County, adcode), name, at: at.try_into().ok()? })
    };
    features(SEATS).into_iter().filter_map(seat).collect()
}

/// The twelve counties, by code.
pub(super) fn counties() -> Vec<County> {
    #[derive(Deserialize)]
    struct Named {
        adcode: u64,
        name: String,
        name_en: String,
        area_km2: f64,
    }
    let county = |feature: Feature<Named>| {
        let Geometry::Polygon(rings) = feature.geometry else { return None };
        let Named { adcode, name, name_en, area_km2 } = feature.properties;
        Some(County { area: Area { code: area_code(AreaLevel::County, adcode), name }, name_en, area_km2, rings })
    };
    features(COUNTIES).into_iter().filter_map(county).collect()
}

/// Outlines of lakes.
pub(super) fn lakes() -> Vec<Vec<[f64; 2]>> {
    #[derive(Deserialize)]
    struct Any {}
    let parts = |feature: Feature<Any>| match feature.geometry {
        Geometry::Polygon(rings) => vec![rings],
        Geometry::MultiPolygon(parts) => parts,
        Geometry::Point(_) | Geometry::LineString(_) => Vec::new(),
    };
    features(WATER).into_iter().flat_map(parts).filter_map(|rings| rings.into_iter().next()).collect()
}

#[derive(Deserialize)]
struct AreaRow<K> {
    code: u64,
    name: String,
    kind: K,
}

fn areas_of<K: DeserializeOwned>(text: &str, level: AreaLevel) -> Vec<(Area, K)> {
    let area = |row: AreaRow<K>| (Area { code: area_code(level, row.code), name: row.name }, row.kind);
    rows(text).into_iter().map(area).collect()
}

/// The streets (街道、镇、乡), by code.
pub(super) fn streets() -> Vec<(Area, StreetKind)> {
    areas_of(STREETS, AreaLevel::Street)
}

/// The communities and villages, by code.
pub(super) fn communities() -> Vec<(Area, CommunityKind)> {
    areas_of(COMMUNITIES, AreaLevel::Community)
}

/// The whole administrative tree: the city, its counties, streets and communities, widest first.
pub fn areas() -> Vec<Area> {
    let city = Area { code: area_code(AreaLevel::City, CITY_NUMBER), name: CITY_NAME.to_owned() };
    std::iter::once(city)
        .chain(counties().into_iter().map(|county| county.area))
        .chain(streets().into_iter().map(|(area, _)| area))
        .chain(communities().into_iter().map(|(area, _)| area))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::demo::plane::{Xy, is_inside, segments};

    #[test]
    fn the_tree_is_whole() {
        let areas = areas();
        assert_eq!(areas.len(), 1 + 12 + 149 + 2_628);
        let codes: HashSet<_> = areas.iter().map(|area| area.code).collect();
        assert_eq!(codes.len(), areas.len(), "a code stands twice");
        assert!(areas.iter().all(|area| area.code.parent().is_none_or(|parent| codes.contains(&parent))));
    }

    #[test]
    fn each_seat_lies_in_its_county() {
        let counties = counties();
        for seat in county_seats() {
            let county = counties.iter().find(|county| county.area.code == seat.county).unwrap();
            let ring: Vec<_> = county.rings.iter().flat_map(|ring| segments(ring)).collect();
            assert!(is_inside(&ring, Xy::from_degrees(seat.at.into())), "{}", seat.name);
        }
        assert_eq!(county_seats().len(), 12);
    }

    #[test]
    fn rivers_and_lakes_are_there() {
        let rivers = rivers();
        assert!(rivers.iter().any(|river| river.name == "浊漳河南源" && river.line.len() > 10));
        assert!(rivers.iter().all(|river| river.line.len() > 1 && !river.name.is_empty()));
        assert!(lakes().len() >= 43);
    }

    #[test]
    fn no_mirror_address_is_handed_on() {
        let events: serde_json::Value = serde_json::from_str(map_data!("hazard-events.json")).unwrap();
        let sources =
            events["events"].as_array().unwrap().iter().flat_map(|event| event["sources"].as_array().unwrap());
        let mirrors: Vec<_> = sources.filter(|s| s["grade"].as_str().unwrap().starts_with('C')).collect();
        assert!(!mirrors.is_empty());
        assert!(mirrors.iter().all(|source| source.get("url").is_none()));
    }
}
