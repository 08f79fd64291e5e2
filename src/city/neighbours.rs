//! Mutual aid: which compounds are near another and could help. How much of each somebody sees is for [`super::authority`] to say.

use crate::domain::actor::Actor;
use crate::domain::compound::{Compound, CompoundId};
use crate::domain::refusal::Refusal;

use super::authority::{Action, Sight};
use super::spatial;
use super::state::{City, CompoundState};

/// A compound near another.
#[derive(Debug)]
pub struct Near<'a> {
    /// Which.
    pub id: CompoundId,
    /// How it stands.
    pub state: &'a CompoundState,
    /// Metres, boundary to boundary as the crow flies.
    pub apart_m: f64,
    /// Metres that a walk from gate to gate has at the least.
    pub walk_at_least_m: f64,
    /// How much of it the asker sees.
    pub sight: Sight,
}

impl City {
    /// Other compounds at most `within_m` from `home` of which the actor sees anything, nearest first, at most `max`.
    ///
    /// # Errors
    /// As [`City::may`] for [`Action::SeeNeighbours`] of `home`; [`Refusal::UnknownCompound`].
    pub fn neighbours(
        &self,
        actor: &Actor,
        home: CompoundId,
        within_m: f64,
        max: usize,
    ) -> Result<Vec<Near<'_>>, Refusal> {
        self.may(actor, Action::SeeNeighbours, home)?;
        let from = &self.compound(home)?.compound;
        let near = self.spatial().within(home, within_m)?.into_iter().filter_map(|(id, apart_m)| {
            let sight = self.sight_of_neighbour(actor, home, id, apart_m)?;
            let state = self.compound(id).ok()?;
            let walk_at_least_m = walk_at_least_m(from, &state.compound, apart_m);
            Some(Near { id, state, apart_m, walk_at_least_m, sight })
        });
        Ok(near.take(max).collect())
    }
}

/// Metres that no walk between the two is shorter than: as the crow flies between the two nearest gates, and never less than the
/// boundaries are apart. Streets, rivers and walls make the way longer; they are not known here.
fn walk_at_least_m(a: &Compound, b: &Compound, apart_m: f64) -> f64 {
    let gates = a.entrances.iter().flat_map(|from| b.entrances.iter().map(move |to| (from.at, to.at)));
    let nearest = gates.map(|(from, to)| spatial::metres_apart(from, to)).min_by(f64::total_cmp);
    nearest.map_or(apart_m, |metres| metres.max(apart_m))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::compound::Place;
    use crate::domain::geometry::{Point, Polygon};

    /// A compound of 0.002° from west to east, with gates at these longitudes.
    fn compound(west: f64, gates: &[f64]) -> Compound {
        let (east, south, north) = (west + 0.002, 36.19, 36.192);
        let ring = vec![[west, south], [east, south], [east, north], [west, north], [west, south]];
        let gate = |lon: &f64| Place { name: "门".into(), at: Point::new(*lon, 36.191).unwrap() };
        Compound {
            id: "140403001001001".parse().unwrap(),
            name: "安居小区".into(),
            boundary: Polygon::new(&[ring]).unwrap(),
            buildings: Vec::new(),
            entrances: gates.iter().map(gate).collect(),
            assembly_points: Vec::new(),
            people: 0,
            vulnerable: Vec::new(),
            synthetic: true,
        }
    }

    #[test]
    fn no_walk_is_shorter_than_from_gate_to_nearest_gate_nor_than_the_boundaries_are_apart() {
        let (here, apart_m) = (compound(113.100, &[113.100]), 90.0);
        let at_least = |gates: &[f64]| format!("{:.0}", walk_at_least_m(&here, &compound(113.103, gates), apart_m));
        // A thousandth of a degree of longitude is 90 m here.
        assert_eq!(at_least(&[113.105]), "450", "both gates are on the far side");
        assert_eq!(at_least(&[113.105, 113.103]), "270", "the nearest gate counts");
        assert_eq!(at_least(&[]), "90", "without gates only the boundaries are known");
        assert_eq!(at_least(&[113.1001]), "90", "a gate drawn in the wrong place does not shorten the way");
    }
}
