//! Who lives roughly where: how many compounds each community gets, and where its middle is.
//!
//! Codes and names of streets and communities are real; where they lie within their county is made up, since no outlines can
//! be had: subdistricts and the seat's town round the seat, other towns and townships over the county.

use super::dice::Dice;
use super::ground::Land;
use super::maps::{self, CommunityKind, County, StreetKind};
use super::plane::Xy;
use super::shares::{Part, share_out};
use crate::domain::area::{AreaCode, AreaLevel};

/// Compounds that a community's three digits can number.
pub const COMPOUNDS_PER_COMMUNITY_MAX: usize = 999;
/// Ground that a compound takes with its roads, when the middle of things is laid out, km².
const GROUND_PER_COMPOUND_KM2: f64 = 0.04;
/// Land that each compound of a county needs for plots to be found quickly, km². A bigger city fills its middle and spreads out.
const LAND_PER_COMPOUND_KM2: f64 = 0.08;
/// Tries to put a middle clear of the others before it may come a little nearer.
const TRIES_PER_ROUND: u32 = 12;
/// Farther than this from where it should be no middle is looked for.
const MIDDLE_SPREAD_MAX_M: f64 = 30_000.0;
/// Streets of statistical units are not lived in like a street.
const DEVELOPMENT_ZONE_FACTOR: f64 = 0.1;

/// How densely a community is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// In the city or a county seat.
    Urban,
    /// In a town, or a village that a city has grown around.
    Town,
    /// Out in the country.
    Village,
}

/// A community that has compounds.
#[derive(Debug, Clone)]
pub struct Neighbourhood {
    /// Its code.
    pub code: AreaCode,
    /// Its middle.
    pub middle: Xy,
    /// How densely it is built.
    pub setting: Setting,
    /// How many compounds it has.
    pub compounds: usize,
}

/// A county's weight against the others': most in Luzhou, the rest by the size of the towns.
fn county_weight(code: AreaCode) -> f64 {
    match code.number() {
        140_403 => 540.0,
        140_404 | 140_406 | 140_423 => 65.0,
        140_405 => 60.0,
        140_428 => 55.0,
        140_427 => 40.0,
        140_426 => 35.0,
        140_425 => 25.0,
        _ => 30.0,
    }
}

/// How many compounds each county gets, in the order given.
pub fn by_county(counties: &[County], compounds: usize) -> Vec<usize> {
    let part = |county: &County| Part {
        weight: county_weight(county.area.code),
        cap: whole(county.area_km2 / LAND_PER_COMPOUND_KM2),
    };
    share_out(compounds, &counties.iter().map(part).collect::<Vec<_>>(), 0.5)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a county's area in km² is from 300 to 3,000"
)]
fn whole(count: f64) -> usize {
    count as usize
}

/// All streets and communities, read once.
pub struct Tree {
    streets: Vec<(AreaCode, StreetKind)>,
    communities: Vec<(AreaCode, CommunityKind)>,
}

impl Tree {
    /// As compiled in.
    pub fn read() -> Self {
        let streets = maps::streets().into_iter().map(|(area, kind)| (area.code, kind)).collect();
        let communities = maps::communities().into_iter().map(|(area, kind)| (area.code, kind)).collect();
        Self { streets, communities }
    }
}

struct Street {
    code: AreaCode,
    kind: StreetKind,
    /// Whether it lies round the county's seat.
    is_core: bool,
}

impl Street {
    fn setting(&self, community: CommunityKind) -> Setting {
        let is_urban = community == CommunityKind::Urban;
        if self.is_core && is_urban {
            Setting::Urban
        } else if self.is_core || is_urban || self.kind == StreetKind::Town {
            Setting::Town
        } else {
            Setting::Village
        }
    }

    fn weight(&self, community: CommunityKind) -> f64 {
        let weight = match (self.is_core, community) {
            (_, CommunityKind::Virtual) => 0.0,
            (true, CommunityKind::Urban) => 12.0,
            (false, CommunityKind::Urban) => 6.0,
            (true, CommunityKind::Rural) => 1.5,
            (false, CommunityKind::Rural) if self.kind == StreetKind::Town => 0.15,
            (false, CommunityKind::Rural) => 0.05,
        };
        if self.kind == StreetKind::Other { weight * DEVELOPMENT_ZONE_FACTOR } else { weight }
    }
}

/// The streets of a county, those round the seat first.
fn streets_of(county: AreaCode, tree: &Tree) -> Vec<Street> {
    let here: Vec<_> = tree.streets.iter().filter(|(code, _)| county.contains(*code)).collect();
    let has_subdistrict = here.iter().any(|(_, kind)| *kind == StreetKind::Subdistrict);
    let first_town = here.iter().find(|(_, kind)| *kind == StreetKind::Town).map(|(code, _)| *code);
    let mut streets: Vec<_> = here
        .into_iter()
        .map(|&(code, kind)| {
            let is_core = kind == StreetKind::Subdistrict || (!has_subdistrict && Some(code) == first_town);
            Street { code, kind, is_core }
        })
        .collect();
    streets.sort_by_key(|street| (!street.is_core, street.code));
    streets
}

/// The communities of a county that get compounds, each with its middle; those round the seat first.
pub fn lay_out(
    dice: &mut Dice,
    county: &County,
    seat: Xy,
    land: &Land,
    tree: &Tree,
    compounds: usize,
) -> Vec<Neighbourhood> {
    let streets = streets_of(county.area.code, tree);
    let members: Vec<(&Street, AreaCode, CommunityKind)> = streets
        .iter()
        .flat_map(|street| {
            let here = tree.communities.iter().filter(|(code, _)| street.code.contains(*code));
            here.map(move |&(code, kind)| (street, code, kind))
        })
        .collect();
    let part =
        |&(street, _, kind): &(&Street, _, _)| Part { weight: street.weight(kind), cap: COMPOUNDS_PER_COMMUNITY_MAX };
    let shares = share_out(compounds, &members.iter().map(part).collect::<Vec<_>>(), dice.unit());
    let peopled = |street: &Street| {
        let of_street = members.iter().zip(&shares).filter(|((_, code, _), _)| street.code.contains(*code));
        of_street.filter(|(_, share)| **share > 0).map(|(member, share)| (*member, *share)).collect::<Vec<_>>()
    };
    let mut street_middles = Middles::new(land);
    let mut found = Vec::new();
    for street in &streets {
        let here = peopled(street);
        let in_street: usize = here.iter().map(|(_, share)| share).sum();
        let around = if street.is_core { seat } else { land.in_a_valley(dice) };
        let middle = street_middles.place(dice, around, radius_m(in_street));
        let mut middles = Middles::new(land);
        for ((_, code, kind), compounds) in here {
            let middle = middles.place(dice, middle, radius_m(compounds));
            found.push(Neighbourhood { code, middle, setting: street.setting(kind), compounds });
        }
    }
    debug_assert!(found.iter().all(|n| n.code.level() == AreaLevel::Community));
    found
}

/// Radius of the ground that so many compounds take.
pub fn radius_m(compounds: usize) -> f64 {
    // Area over π, √, km to m.
    (compounds as f64 * GROUND_PER_COMPOUND_KM2 / std::f64::consts::PI).sqrt() * 1_000.0
}

/// Middles placed so far, each with the ground around it; they may come a little nearer when there is no room.
struct Middles<'a> {
    land: &'a Land,
    placed: Vec<(Xy, f64)>,
}

impl<'a> Middles<'a> {
    const fn new(land: &'a Land) -> Self {
        Self { land, placed: Vec::new() }
    }

    /// Near `around` on the land, clear of the others if it can be.
    fn place(&mut self, dice: &mut Dice, around: Xy, radius_m: f64) -> Xy {
        let (mut spread_m, mut clearance) = (radius_m * 0.3, 0.95);
        let middle = loop {
            let found = (0..TRIES_PER_ROUND).map(|_| around + dice.in_disc() * spread_m).find(|at| {
                self.land.is_land(*at) && self.placed.iter().all(|(o, r)| o.distance(*at) >= (r + radius_m) * clearance)
            });
            if let Some(middle) = found {
                break middle;
            }
            (spread_m, clearance) = ((spread_m * 1.15 + 20.0).min(MIDDLE_SPREAD_MAX_M), clearance * 0.99);
        };
        self.placed.push((middle, radius_m));
        middle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_the_city_lives_in_luzhou_until_it_is_full() {
        let counties = maps::counties();
        let city = by_county(&counties, 2_431);
        assert_eq!(city.iter().sum::<usize>(), 2_431);
        assert_eq!(counties[0].area.code.number(), 140_403);
        assert!((1_250..1_280).contains(&city[0]), "{city:?}");
        let tenfold = by_county(&counties, 24_310);
        assert_eq!(tenfold.iter().sum::<usize>(), 24_310);
        assert!(tenfold[0] < 5_000, "{tenfold:?}");
        assert_eq!(by_county(&counties, 100_000).iter().sum::<usize>(), 100_000);
    }

    #[test]
    fn the_seat_of_a_county_without_subdistricts_is_its_first_town() {
        let tree = Tree::read();
        for county in maps::counties() {
            let streets = streets_of(county.area.code, &tree);
            let core: Vec<_> = streets.iter().filter(|street| street.is_core).collect();
            assert!(!core.is_empty(), "{} has no street round its seat", county.area.name);
            assert!(streets[..core.len()].iter().all(|street| street.is_core));
        }
    }
}
