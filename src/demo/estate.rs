//! One compound's buildings and ground: drawn first, so that its size says how much room it needs; then set down on its plot.

use super::dice::Dice;
use super::ground::PLOT_RADIUS_MAX_M;
use super::layout::Setting;
use super::plane::{Turn, Xy, way_out};
use crate::domain::compound::{Compound, CompoundId, Need, Place, VulnerableHousehold};
use crate::domain::geometry::{Point, Polygon};
use crate::domain::household::{Building, FlatNo};
use crate::domain::refusal::Refusal;

/// Smallest radius of a plot: 80 m across with its corners drawn in and cut, and the flat map's 1 %.
const PLOT_RADIUS_MIN_M: f64 = 49.0;
/// Buildings that a generated compound has at most.
const BUILDINGS_MAX: u16 = 40;
/// A building above this many floors has a lift.
const FLOORS_WITHOUT_LIFT: u8 = 7;
/// Ground floor of one flat with its share of the stairs, m².
const FLAT_M2: f64 = 110.0;
/// People in a household, on average.
const PEOPLE_PER_HOUSEHOLD: f64 = 2.4;
/// Of how many households one is helped first: 3 %.
const HOUSEHOLDS_PER_VULNERABLE: u32 = 33;

/// When and how it was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Flats of a works or an office, before 2000.
    Works,
    /// Walk-ups.
    WalkUp,
    /// With lifts, up to 17 floors.
    MidRise,
    /// Towers.
    HighRise,
}

const ERAS: [Era; 4] = [Era::Works, Era::WalkUp, Era::MidRise, Era::HighRise];

impl Era {
    /// Floors, stairwells a building and doors a floor, each from–to; and how much of the ground is built on.
    const fn layout(self) -> ([u8; 2], [u8; 2], [u8; 2], f64) {
        match self {
            Self::Works => ([5, 6], [2, 4], [2, 3], 0.30),
            Self::WalkUp => ([6, 7], [2, 5], [2, 2], 0.28),
            Self::MidRise => ([8, 17], [1, 3], [2, 4], 0.22),
            Self::HighRise => ([18, 33], [1, 2], [2, 4], 0.16),
        }
    }
}

/// A compound's buildings, before it has a place.
#[derive(Debug, Clone)]
pub struct Estate {
    /// When and how it was built.
    pub era: Era,
    /// Blocks of flats.
    pub buildings: Vec<Building>,
    /// Radius of the plot that they need.
    pub radius_m: f64,
}

impl Estate {
    /// Draws one that suits the setting.
    pub fn draw(dice: &mut Dice, setting: Setting) -> Self {
        let (smallest, spread, weights) = match setting {
            Setting::Urban => (40.0, 520.0, [20, 35, 25, 20]),
            Setting::Town => (30.0, 440.0, [15, 55, 23, 7]),
            Setting::Village => (25.0, 330.0, [5, 80, 14, 1]),
        };
        // A square: many small ones, few big ones.
        let size = dice.unit();
        let households = smallest + spread * size * size;
        let era = ERAS[dice.weighted(&weights)];
        let (floors, units, doors, built_on) = era.layout();
        let (floors, doors) = (dice.range(floors[0], floors[1]), dice.range(doors[0], doors[1]));
        let lift = floors > FLOORS_WITHOUT_LIFT;
        let mut buildings = Vec::new();
        let (mut built, mut stairwells) = (0.0, 0.0);
        for no in 1..=BUILDINGS_MAX {
            let units = dice.range(units[0], units[1]);
            let building = Building { no, units, floors, flats_per_floor: doors, lift };
            built += f64::from(building.households());
            stairwells += f64::from(units);
            buildings.push(building);
            // The next building would overshoot by more than it is short now.
            if built + f64::from(buildings[0].households()) / 2.0 >= households {
                break;
            }
        }
        let ground_m2 = stairwells * f64::from(doors) * FLAT_M2 / built_on;
        // Of the disc, a plot's outline covers about 1.7 r².
        let radius_m = (ground_m2 / 1.7).sqrt().clamp(PLOT_RADIUS_MIN_M, PLOT_RADIUS_MAX_M);
        Self { era, buildings, radius_m }
    }

    /// Sets it down on a plot: outline, gates, assembly points, who is helped first.
    ///
    /// # Errors
    /// Never for a plot on the map; the checks are those of every shape.
    pub fn set_down(self, dice: &mut Dice, id: CompoundId, name: String, middle: Xy) -> Result<Compound, Refusal> {
        let turn = Turn::from_half_tangent(dice.between(-0.12, 0.12));
        let corners: Vec<_> = outline(dice, self.radius_m).into_iter().map(|way| middle + turn.apply(way)).collect();
        let mut ring: Vec<_> = corners.iter().map(|corner| corner.to_degrees()).collect();
        ring.push(ring[0]);
        let households: u32 = self.buildings.iter().map(Building::households).sum();
        let gates = 1 + [90, 220, 450].iter().filter(|size| households > **size).count();
        let squares = 1 + [150, 400].iter().filter(|size| households > **size).count();
        let vulnerable = vulnerable(dice, &self.buildings, households);
        Ok(Compound {
            id,
            name,
            boundary: Polygon::new(&[ring])?,
            entrances: entrances(&corners, middle, turn, gates)?,
            assembly_points: assembly_points(middle, turn, self.radius_m, squares)?,
            people: people(dice, households),
            vulnerable,
            buildings: self.buildings,
            synthetic: true,
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands at most")]
fn people(dice: &mut Dice, households: u32) -> u32 {
    (f64::from(households) * PEOPLE_PER_HOUSEHOLD * dice.between(0.92, 1.08)).round() as u32
}

/// Corners around the origin within the radius: a rectangle with 0 to 4 corners cut and perhaps a dent, 4 to 9 corners.
fn outline(dice: &mut Dice, radius_m: f64) -> Vec<Xy> {
    let aspect = dice.between(0.6, 0.95);
    let half = radius_m / (1.0 + aspect * aspect).sqrt();
    let square = [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)];
    let corner = |(x, y): (f64, f64), inset: f64| Xy { x: x * half * inset, y: y * half * aspect * inset };
    let corners = square.map(|at| corner(at, dice.between(0.95, 1.0)));
    let dented = if dice.percent(35) { Some(dice.below(4)) } else { None };
    let mut points = Vec::with_capacity(9);
    for i in 0..4 {
        let (before, here, after) = (corners[(i + 3) % 4], corners[i], corners[(i + 1) % 4]);
        if dice.percent(35) {
            let cut = dice.between(0.08, 0.2);
            points.extend([here + (before - here) * cut, here + (after - here) * cut]);
        } else {
            points.push(here);
        }
        if dented == Some(i) {
            let side = here + (after - here) * dice.between(0.4, 0.6);
            points.push(side * dice.between(0.8, 0.93));
        }
    }
    points
}

/// South first, as gates are built.
const SIDES: [(&str, f64, f64); 4] = [("南门", 0.0, -1.0), ("东门", 1.0, 0.0), ("北门", 0.0, 1.0), ("西门", -1.0, 0.0)];

fn entrances(corners: &[Xy], middle: Xy, turn: Turn, count: usize) -> Result<Vec<Place>, Refusal> {
    let gate = |&(name, x, y): &(&str, f64, f64)| place(name, way_out(corners, middle, turn.apply(Xy { x, y })));
    SIDES.iter().take(count).map(gate).collect()
}

fn assembly_points(middle: Xy, turn: Turn, radius_m: f64, count: usize) -> Result<Vec<Place>, Refusal> {
    let spots = [("中心广场", 0.0, 0.0), ("东侧停车场", 0.25, 0.0), ("北侧绿地", 0.0, 0.22)];
    let spot = |&(name, x, y): &(&str, f64, f64)| place(name, middle + turn.apply(Xy { x, y } * radius_m));
    spots.iter().take(count).map(spot).collect()
}

fn place(name: &str, at: Xy) -> Result<Place, Refusal> {
    let [lon, lat] = at.to_degrees();
    Ok(Place { name: name.to_owned(), at: Point::new(lon, lat)? })
}

/// Needs and how frequent each is.
const NEEDS: [(Need, usize); 6] = [
    (Need::LivesAlone80, 40),
    (Need::Infant, 20),
    (Need::Bedridden, 15),
    (Need::Wheelchair, 12),
    (Need::DeafOrBlind, 8),
    (Need::LifeSupport, 5),
];

/// About 3 % of the households, spread evenly: one flat drawn from each stretch of 33.
fn vulnerable(dice: &mut Dice, buildings: &[Building], households: u32) -> Vec<VulnerableHousehold> {
    let mut found = Vec::new();
    for start in (0..households).step_by(HOUSEHOLDS_PER_VULNERABLE as usize) {
        let drawn = start + u32::try_from(dice.below(HOUSEHOLDS_PER_VULNERABLE as usize)).unwrap_or(0);
        if let Some(flat) = nth_flat(buildings, drawn) {
            found.push(VulnerableHousehold { flat, needs: needs(dice) });
        }
    }
    found
}

fn needs(dice: &mut Dice) -> Vec<Need> {
    let weights = NEEDS.map(|(_, weight)| weight);
    let mut needs = vec![NEEDS[dice.weighted(&weights)].0];
    let second = NEEDS[dice.weighted(&weights)].0;
    if dice.percent(15) && second != needs[0] {
        needs.push(second);
    }
    needs
}

/// The flat with that index, counting stairwell by stairwell; `None` when there are fewer.
fn nth_flat(buildings: &[Building], mut index: u32) -> Option<FlatNo> {
    for building in buildings {
        if index < building.households() {
            let unit = u8::try_from(index / building.households_per_unit() + 1).ok()?;
            let in_unit = usize::try_from(index % building.households_per_unit()).ok()?;
            return building.flats_of(unit).nth(in_unit);
        }
        index -= building.households();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flats_are_counted_as_they_are_listed() {
        let buildings = Estate::draw(&mut Dice::new(3), Setting::Urban).buildings;
        let listed: Vec<_> = buildings.iter().flat_map(Building::flats).collect();
        for (i, flat) in (0..).zip(&listed) {
            assert_eq!(nth_flat(&buildings, i), Some(*flat));
        }
        assert_eq!(nth_flat(&buildings, u32::try_from(listed.len()).unwrap()), None);
    }

    #[test]
    fn an_outline_stays_on_its_plot() {
        let mut dice = Dice::new(5);
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..4_000 {
            let widest = if i % 2 == 0 { PLOT_RADIUS_MIN_M } else { PLOT_RADIUS_MAX_M };
            let radius_m = dice.between(PLOT_RADIUS_MIN_M, widest);
            let points = outline(&mut dice, radius_m);
            seen.insert(points.len());
            assert!(points.iter().all(|p| p.length() <= radius_m + 1e-6));
            let across = points.iter().flat_map(|p| points.iter().map(move |q| p.distance(*q))).fold(0.0, f64::max);
            assert!((81.0..=2.0 * PLOT_RADIUS_MAX_M).contains(&across), "{across} m at radius {radius_m}");
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
    }
}
