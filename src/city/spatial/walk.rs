//! Two walks down the R-tree that its own queries do not offer: all that a polygon touches, and the nearest by true metres.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use geo::{BoundingRect as _, Coord, Intersects as _, Line, LinesIter as _, Polygon, Rect};
use rstar::{ParentNode, RTreeNode, RTreeObject as _};

use super::{Entry, SpatialIndex, plane};
use crate::domain::compound::CompoundId;

impl SpatialIndex {
    /// Adds all compounds that touch the polygon.
    ///
    /// Going down, only those edges of the polygon are taken along that cross the box at hand. Where none does, all in the box is
    /// in or out together, and one corner says which. So inside the polygon nothing is tested, and along its edge only against the
    /// few edges that are near: the answer is that of `geo` for each compound, as the tests check.
    pub(super) fn touching(&self, polygon: &Polygon, out: &mut Vec<CompoundId>) {
        let Some(frame) = polygon.bounding_rect() else { return };
        let edges: Vec<Line> = polygon.lines_iter().collect();
        Sieve { index: self, polygon, frame }.sift(self.tree.root(), &edges, out);
    }

    /// The `k` nearest to a place, nearest first, with metres to the boundary (0 inside); equally near ones by code.
    pub(super) fn nearest_to(&self, place: Coord, k: usize) -> Vec<(CompoundId, f64)> {
        let mut found = Vec::with_capacity(k.min(self.len()));
        let mut heap = BinaryHeap::from([Step { metres: 0.0, what: What::Branch(self.tree.root()) }]);
        // INVARIANT: nothing in the heap is nearer than its metres say, so the first found is the nearest.
        while let Some(Step { metres, what }) = heap.pop() {
            if found.len() == k {
                break;
            }
            match what {
                What::Branch(node) => heap.extend(node.children().iter().map(|child| Step::to(child, place))),
                What::Leaf(entry) => {
                    let Some(slot) = self.slot(entry.slot) else { continue };
                    let metres = plane::point_to_polygon_m(place, slot.boundary.as_geo());
                    heap.push(Step { metres, what: What::Found(slot.id) });
                }
                What::Found(id) => found.push((id, metres)),
            }
        }
        found
    }
}

struct Sieve<'a> {
    index: &'a SpatialIndex,
    polygon: &'a Polygon,
    frame: Rect,
}

impl Sieve<'_> {
    /// `edges` are those of the polygon that cross the node's box.
    fn sift(&self, node: &ParentNode<Entry>, edges: &[Line], out: &mut Vec<CompoundId>) {
        for child in node.children() {
            let envelope = child.envelope();
            let rect = Rect::new(envelope.lower(), envelope.upper());
            if !rect.intersects(&self.frame) {
                continue;
            }
            let near: Vec<Line> = edges.iter().filter(|edge| rect.intersects(*edge)).copied().collect();
            match child {
                _ if near.is_empty() => {
                    if self.polygon.intersects(&rect.min()) {
                        self.take_all(child, out);
                    }
                }
                RTreeNode::Leaf(entry) => self.take_if_touching(entry, &near, out),
                RTreeNode::Parent(node) => self.sift(node, &near, out),
            }
        }
    }

    fn take_all(&self, child: &RTreeNode<Entry>, out: &mut Vec<CompoundId>) {
        match child {
            RTreeNode::Leaf(entry) => out.extend(self.index.slot(entry.slot).map(|slot| slot.id)),
            RTreeNode::Parent(node) => node.children().iter().for_each(|child| self.take_all(child, out)),
        }
    }

    /// Where no edge touches the compound, all of it is on one side of the polygon's outline.
    fn take_if_touching(&self, entry: &Entry, near: &[Line], out: &mut Vec<CompoundId>) {
        let Some(slot) = self.index.slot(entry.slot) else { return };
        let boundary = slot.boundary.as_geo();
        if near.iter().any(|edge| boundary.intersects(edge)) || self.polygon.intersects(&boundary.exterior().0[0]) {
            out.push(slot.id);
        }
    }
}

/// Where the search for the nearest may go on, and how far it is to there at the least.
struct Step<'a> {
    metres: f64,
    what: What<'a>,
}

enum What<'a> {
    Branch(&'a ParentNode<Entry>),
    Leaf(&'a Entry),
    Found(CompoundId),
}

impl<'a> Step<'a> {
    fn to(child: &'a RTreeNode<Entry>, place: Coord) -> Self {
        let envelope = child.envelope();
        let metres = plane::box_at_least_m(place, envelope.lower(), envelope.upper());
        let what = match child {
            RTreeNode::Parent(node) => What::Branch(node),
            RTreeNode::Leaf(entry) => What::Leaf(entry),
        };
        Self { metres, what }
    }

    /// What is not yet measured goes before what is equally far, so that equals come out by code.
    fn rank(&self) -> Option<CompoundId> {
        match self.what {
            What::Found(id) => Some(id),
            What::Branch(_) | What::Leaf(_) => None,
        }
    }
}

/// The heap gives its greatest first, so nearer is greater.
impl Ord for Step<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.metres.total_cmp(&self.metres).then_with(|| other.rank().cmp(&self.rank()))
    }
}

impl PartialOrd for Step<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Step<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Step<'_> {}
