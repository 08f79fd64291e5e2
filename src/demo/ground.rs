//! Where there is room: a county's land off the water, and the plots that are taken.
//!
//! A plot is a disc. Discs that do not touch hold outlines that do not touch, so no outline is ever compared with another.

use std::collections::HashMap;

use super::dice::Dice;
use super::maps::County;
use super::plane::{Segment, Xy, is_inside};

/// Largest radius of a plot: half of 400 m, less a margin for the flat map's 1 %.
pub const PLOT_RADIUS_MAX_M: f64 = 195.0;
/// Left between two plots for a road.
const ROAD_M: f64 = 14.0;
/// Tries to find room for one plot; each looks a little farther.
const TRIES_MAX: u32 = 20_000;
/// How much farther each try looks.
const WIDEN: f64 = 1.015;
/// Farther than this from where it should be no plot is looked for.
const SPREAD_MAX_M: f64 = 60_000.0;
/// Places to choose the one nearest to a river from.
const PLACES_FOR_A_VALLEY: usize = 5;
/// No two plots more than a cell apart can touch.
const CELL_M: f64 = 2.0 * PLOT_RADIUS_MAX_M + ROAD_M;

/// Plots that are taken, by cells of a grid.
#[derive(Default)]
pub struct Plots(HashMap<(i32, i32), Vec<(Xy, f64)>>);

impl Plots {
    fn is_free(&self, at: Xy, radius_m: f64) -> bool {
        let (column, row) = cell(at);
        let near = (column - 1..=column + 1).flat_map(|c| (row - 1..=row + 1).map(move |r| (c, r)));
        let clear = |(other, taken_m): &(Xy, f64)| at.distance(*other) >= radius_m + taken_m + ROAD_M;
        near.filter_map(|key| self.0.get(&key)).flatten().all(clear)
    }

    /// Takes a plot near `near` on the county's land, looking ever farther from `spread_m` on; `None` when all is full.
    pub fn settle(&mut self, dice: &mut Dice, land: &Land, near: Xy, spread_m: f64, radius_m: f64) -> Option<Xy> {
        let mut spread_m = spread_m;
        for _ in 0..TRIES_MAX {
            let at = near + dice.in_disc() * spread_m;
            if land.may_hold(at) && self.is_free(at, radius_m) && land.holds(at, radius_m) {
                self.0.entry(cell(at)).or_default().push((at, radius_m));
                return Some(at);
            }
            spread_m = (spread_m * WIDEN).min(SPREAD_MAX_M);
        }
        None
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the city is some hundred cells wide")]
fn cell(at: Xy) -> (i32, i32) {
    ((at.x / CELL_M).floor() as i32, (at.y / CELL_M).floor() as i32)
}

/// A box around shapes, m.
#[derive(Clone, Copy)]
struct Extent {
    low: Xy,
    high: Xy,
}

impl Extent {
    fn of(segments: &[Segment]) -> Self {
        let far = Xy { x: f64::INFINITY, y: f64::INFINITY };
        let start = Self { low: far, high: far * -1.0 };
        segments.iter().flat_map(|s| [s.0, s.1]).fold(start, |extent, at| Self {
            low: Xy { x: extent.low.x.min(at.x), y: extent.low.y.min(at.y) },
            high: Xy { x: extent.high.x.max(at.x), y: extent.high.y.max(at.y) },
        })
    }

    fn has(&self, at: Xy) -> bool {
        (self.low.x..=self.high.x).contains(&at.x) && (self.low.y..=self.high.y).contains(&at.y)
    }

    fn touches(&self, other: &Self) -> bool {
        self.low.x <= other.high.x
            && other.low.x <= self.high.x
            && self.low.y <= other.high.y
            && other.low.y <= self.high.y
    }
}

/// The water of the whole city.
pub struct Water {
    /// Courses of rivers.
    pub rivers: Vec<Vec<Segment>>,
    /// Outlines of lakes.
    pub lakes: Vec<Vec<Segment>>,
}

/// One county's land.
pub struct Land {
    outline: Vec<Segment>,
    extent: Extent,
    lakes: Vec<Vec<Segment>>,
    rivers: Vec<Segment>,
    /// What no plot may lie across: the county's border, river banks, lake shores.
    barriers: Vec<Segment>,
}

impl Land {
    /// The land of a county off the water.
    pub fn new(county: &County, water: &Water) -> Self {
        let outline: Vec<_> = county.rings.iter().flat_map(|ring| super::plane::segments(ring)).collect();
        let extent = Extent::of(&outline);
        let here = |shape: &&Vec<Segment>| Extent::of(shape).touches(&extent);
        let lakes: Vec<_> = water.lakes.iter().filter(here).cloned().collect();
        let rivers: Vec<_> = water.rivers.iter().filter(here).flatten().copied().collect();
        let barriers = outline.iter().chain(&rivers).chain(lakes.iter().flatten()).copied().collect();
        Self { outline, extent, lakes, rivers, barriers }
    }

    /// Quick no: outside the box around the county.
    fn may_hold(&self, at: Xy) -> bool {
        self.extent.has(at)
    }

    /// Whether the place is on the county's land.
    pub fn is_land(&self, at: Xy) -> bool {
        is_inside(&self.outline, at) && !self.lakes.iter().any(|lake| is_inside(lake, at))
    }

    /// Whether a whole disc is on the county's land and off the water.
    fn holds(&self, at: Xy, radius_m: f64) -> bool {
        self.is_land(at) && self.barriers.iter().all(|barrier| barrier.distance(at) > radius_m)
    }

    /// Somewhere on the land, any place as likely as another.
    fn anywhere(&self, dice: &mut Dice) -> Xy {
        loop {
            let Extent { low, high } = self.extent;
            let at = Xy { x: dice.between(low.x, high.x), y: dice.between(low.y, high.y) };
            if self.is_land(at) {
                return at;
            }
        }
    }

    /// The nearest to a river of some places: in the hills, towns lie in the valleys.
    pub fn in_a_valley(&self, dice: &mut Dice) -> Xy {
        let places = [(); PLACES_FOR_A_VALLEY].map(|()| self.anywhere(dice));
        let river_m = |at: &Xy| self.rivers.iter().map(|bank| bank.distance(*at)).fold(f64::INFINITY, f64::min);
        places.into_iter().min_by(|a, b| river_m(a).total_cmp(&river_m(b))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::maps;
    use crate::demo::plane::segments;

    #[test]
    fn plots_keep_off_each_other_the_border_and_the_water() {
        let all = |lines: Vec<Vec<[f64; 2]>>| lines.iter().map(|line| segments(line).collect()).collect();
        let rivers = maps::courses().into_iter().map(|river| river.line).collect();
        let water = Water { rivers: all(rivers), lakes: all(maps::lakes()) };
        let county = maps::counties().swap_remove(0);
        let land = Land::new(&county, &water);
        let (mut dice, mut plots) = (Dice::new(7), Plots::default());
        // The shore of the Zhangze Reservoir: the narrowest place for plots.
        let near = Xy::from_degrees([113.04, 36.28]);
        let taken: Vec<_> =
            (0..200).map(|_| (plots.settle(&mut dice, &land, near, 50.0, 90.0).unwrap(), 90.0)).collect();
        for (i, (at, radius_m)) in taken.iter().enumerate() {
            assert!(land.holds(*at, *radius_m));
            assert!(taken[..i].iter().all(|(other, _)| other.distance(*at) >= 180.0 + ROAD_M));
        }
    }
}
