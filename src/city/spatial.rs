//! Where the compounds are: whom a shape or area hits, who is near.
//!
//! The only user of `rstar`. The tree holds boxes and slot numbers, a slab holds the boundaries (shared with the city's state), and an
//! ordered map finds compounds by code, which also answers areas: an area's compounds are a range of codes. Candidates come from the
//! tree, the verdict from `geo`. Nothing here knows who may see or command a compound.
//!
//! `walk.rs` has the two walks down the tree, `plane.rs` the metres and how exact they are.

mod plane;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

use geo::{BoundingRect as _, Coord, Line, Rect};
use rstar::{AABB, RTree, RTreeObject};

use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::geometry::{Circle, Corridor, Point, Polygon};
use crate::domain::refusal::Refusal;
use crate::domain::target::{Parts, TargetArea};

/// When at least one new compound for so many present ones comes in at once, building the tree anew is quicker than inserting.
const REBUILD_SHARE: usize = 8;

/// A compound in the tree.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    envelope: AABB<[f64; 2]>,
    slot: u32,
}

impl RTreeObject for Entry {
    type Envelope = AABB<[f64; 2]>;
    fn envelope(&self) -> Self::Envelope {
        self.envelope
    }
}

/// A compound in the slab.
#[derive(Debug, Clone)]
struct Slot {
    id: CompoundId,
    boundary: Polygon,
}

/// All compounds by place and by code.
#[derive(Debug, Clone, Default)]
pub struct SpatialIndex {
    tree: RTree<Entry>,
    slots: Vec<Option<Slot>>,
    /// Slots that hold nothing.
    free: Vec<u32>,
    by_id: BTreeMap<CompoundId, u32>,
}

/// Equal when they hold the same compounds, in whatever order these came.
impl PartialEq for SpatialIndex {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl FromIterator<(CompoundId, Polygon)> for SpatialIndex {
    fn from_iter<I: IntoIterator<Item = (CompoundId, Polygon)>>(compounds: I) -> Self {
        let mut index = Self::default();
        index.extend(compounds);
        index
    }
}

/// Inserts or replaces many at once, rebuilding the tree where that is quicker.
impl Extend<(CompoundId, Polygon)> for SpatialIndex {
    fn extend<I: IntoIterator<Item = (CompoundId, Polygon)>>(&mut self, compounds: I) {
        let compounds: Vec<_> = compounds.into_iter().collect();
        if compounds.len() * REBUILD_SHARE < self.len() {
            for (id, boundary) in compounds {
                self.insert(id, boundary);
            }
            return;
        }
        for (id, boundary) in compounds {
            self.store(id, boundary);
        }
        let entries = self.by_id.values().filter_map(|slot| self.entry(*slot)).collect();
        self.tree = RTree::bulk_load(entries);
    }
}

impl SpatialIndex {
    /// Inserts a compound, or gives it another boundary.
    pub fn insert(&mut self, id: CompoundId, boundary: Polygon) {
        self.remove(id);
        let slot = self.store(id, boundary);
        if let Some(entry) = self.entry(slot) {
            self.tree.insert(entry);
        }
    }

    /// Whether it was there.
    pub fn remove(&mut self, id: CompoundId) -> bool {
        let Some(slot) = self.by_id.remove(&id) else { return false };
        if let Some(entry) = self.entry(slot) {
            self.tree.remove(&entry);
        }
        self.slots[slot as usize] = None;
        self.free.push(slot);
        true
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All compounds by code.
    pub fn iter(&self) -> impl Iterator<Item = (CompoundId, &Polygon)> {
        self.by_id.values().filter_map(|slot| self.slot(*slot)).map(|slot| (slot.id, &slot.boundary))
    }

    /// The compound's outline.
    pub fn boundary(&self, id: CompoundId) -> Option<&Polygon> {
        self.slot(*self.by_id.get(&id)?).map(|slot| &slot.boundary)
    }

    /// Whom a target hits: what it includes less what it excludes, by code. May be nobody, when it names places where none is.
    ///
    /// # Errors
    /// As [`TargetArea::check`]; [`Refusal::UnknownCompound`] for a code, included or excluded, that is not there.
    pub fn target(&self, target: &TargetArea) -> Result<Vec<CompoundId>, Refusal> {
        target.check()?;
        let mut hits = self.hits(&target.include)?;
        let excluded = self.hits(&target.exclude)?;
        hits.retain(|id| excluded.binary_search(id).is_err());
        Ok(hits)
    }

    /// Compounds that one of the parts touches, by code, each once. An area without compounds adds none: whether the area exists
    /// is for the city's list of areas to say.
    ///
    /// # Errors
    /// [`Refusal::UnknownCompound`] for a code that is not there.
    pub fn hits(&self, parts: &Parts) -> Result<Vec<CompoundId>, Refusal> {
        let mut out = Vec::new();
        for &compound in &parts.compounds {
            if !self.by_id.contains_key(&compound) {
                return Err(Refusal::UnknownCompound { compound });
            }
            out.push(compound);
        }
        parts.areas.iter().for_each(|area| out.extend(self.in_area(*area)));
        parts.polygons.iter().for_each(|polygon| self.touching(polygon.as_geo(), &mut out));
        parts.circles.iter().for_each(|circle| out.extend(self.in_circle(circle)));
        parts.corridors.iter().for_each(|corridor| self.along(corridor, &mut out));
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// Compounds of an area, by code.
    pub fn in_area(&self, area: AreaCode) -> impl Iterator<Item = CompoundId> {
        self.by_id.range(CompoundId::all_in(area)).map(|(id, _)| *id)
    }

    /// How many compounds an area has, and the mean of their boxes' centres; `None` without a compound.
    pub fn middle_of(&self, area: AreaCode) -> (usize, Option<Point>) {
        let boxes = self.in_area(area).filter_map(|id| self.boundary(id)?.as_geo().bounding_rect());
        let (count, sum) = boxes.fold((0, Coord::zero()), |(n, sum), rect| (n + 1, sum + rect.center()));
        let middle = (count > 0).then(|| sum / count as f64);
        (count, middle.and_then(|at| Point::new(at.x, at.y).ok()))
    }

    /// Compounds whose box meets the given one, by code: for drawing a map.
    pub fn in_bbox(&self, south_west: Point, north_east: Point) -> Vec<CompoundId> {
        let corners = (south_west.into(), north_east.into());
        let mut out: Vec<_> = self.candidates(corners).map(|slot| slot.id).collect();
        out.sort_unstable();
        out
    }

    /// The `k` nearest to a place, nearest first, with metres to the boundary (0 inside); equally near ones by code.
    pub fn nearest(&self, place: Point, k: usize) -> Vec<(CompoundId, f64)> {
        self.nearest_to(place.to_geo().into(), k)
    }

    /// Other compounds at most `metres` away, boundary to boundary as the crow flies, nearest first; equally near ones by code.
    ///
    /// # Errors
    /// [`Refusal::UnknownCompound`].
    pub fn within(&self, compound: CompoundId, metres: f64) -> Result<Vec<(CompoundId, f64)>, Refusal> {
        let from = self.boundary(compound).ok_or(Refusal::UnknownCompound { compound })?.as_geo();
        let Some(rect) = from.bounding_rect() else { return Ok(Vec::new()) };
        let mut out: Vec<_> = self
            .candidates(widened(rect, metres))
            .filter(|slot| slot.id != compound)
            .map(|slot| (slot.id, plane::polygons_apart_m(from, slot.boundary.as_geo())))
            .filter(|(_, apart_m)| *apart_m <= metres)
            .collect();
        out.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        Ok(out)
    }

    fn in_circle(&self, circle: &Circle) -> impl Iterator<Item = CompoundId> {
        let (center, radius_m) = (circle.center().to_geo().into(), circle.radius_m());
        let around = widened(Rect::new(center, center), radius_m);
        let is_in = move |slot: &&Slot| plane::point_to_polygon_m(center, slot.boundary.as_geo()) <= radius_m;
        self.candidates(around).filter(is_in).map(|slot| slot.id)
    }

    /// Stretch by stretch, as the box round a whole river is most of a city.
    fn along(&self, corridor: &Corridor, out: &mut Vec<CompoundId>) {
        let mut taken = vec![false; self.slots.len()];
        for line in corridor.line().lines() {
            let around = widened(line.bounding_rect(), corridor.within_m());
            for entry in self.tree.locate_in_envelope_intersecting(AABB::from_corners(around.0, around.1)) {
                let at = entry.slot as usize;
                if !taken[at] && self.is_along(&line, corridor.within_m(), entry) {
                    taken[at] = true;
                }
            }
        }
        out.extend(
            taken.iter().zip(&self.slots).filter(|(taken, _)| **taken).filter_map(|(_, slot)| Some(slot.as_ref()?.id)),
        );
    }

    fn is_along(&self, line: &Line, within_m: f64, entry: &Entry) -> bool {
        self.slot(entry.slot).is_some_and(|slot| plane::line_to_polygon_m(line, slot.boundary.as_geo()) <= within_m)
    }

    fn candidates(&self, (low, high): ([f64; 2], [f64; 2])) -> impl Iterator<Item = &Slot> {
        let envelope = AABB::from_corners(low, high);
        self.tree.locate_in_envelope_intersecting(envelope).filter_map(|entry| self.slot(entry.slot))
    }

    fn slot(&self, slot: u32) -> Option<&Slot> {
        self.slots.get(slot as usize)?.as_ref()
    }

    fn entry(&self, slot: u32) -> Option<Entry> {
        let rect = self.slot(slot)?.boundary.as_geo().bounding_rect()?;
        Some(Entry { envelope: AABB::from_corners(rect.min().into(), rect.max().into()), slot })
    }

    /// Into the slab and the list of codes, not into the tree; a compound that is there keeps its slot.
    fn store(&mut self, id: CompoundId, boundary: Polygon) -> u32 {
        let slots = &mut self.slots;
        let free = &mut self.free;
        let slot = *self.by_id.entry(id).or_insert_with(|| free.pop().unwrap_or_else(|| grow(slots)));
        slots[slot as usize] = Some(Slot { id, boundary });
        slot
    }
}

/// A new slot, still empty.
fn grow(slots: &mut Vec<Option<Slot>>) -> u32 {
    // INVARIANT: compound codes have 15 digits, but memory ends long before 2^32 compounds.
    #[expect(clippy::expect_used, reason = "four thousand million boundaries do not fit into memory")]
    let slot = u32::try_from(slots.len()).expect("fewer than 2^32 compounds");
    slots.push(None);
    slot
}

/// Metres from a place to a boundary, as all answers here measure them; 0 inside.
pub fn metres_to(place: Point, boundary: &Polygon) -> f64 {
    plane::point_to_polygon_m(place.to_geo().into(), boundary.as_geo())
}

/// Metres from one place to another, as the crow flies.
pub fn metres_apart(a: Point, b: Point) -> f64 {
    plane::points_apart_m(a.to_geo().into(), b.to_geo().into())
}

fn widened(rect: Rect, metres: f64) -> ([f64; 2], [f64; 2]) {
    plane::widen(rect.min().into(), rect.max().into(), metres)
}
