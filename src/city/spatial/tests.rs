//! The index against brute force: every answer is that of a scan over all compounds with `geo`.

use std::collections::BTreeMap;

use geo::{Intersects as _, Rect};
use proptest::prelude::*;

use super::*;

type Compounds = BTreeMap<CompoundId, Polygon>;

fn code(county: u64, suffix: u16) -> CompoundId {
    let community = format!("1404{county:02}001001").parse().unwrap();
    CompoundId::new(community, suffix).unwrap()
}

/// A few hundred metres across, leaning, some with a courtyard that is not part of it.
fn boundary() -> impl Strategy<Value = Polygon> {
    (112.9..113.3, 36.0..36.4, 0.001..0.02, 0.001..0.02, -0.3..0.3, any::<bool>()).prop_map(
        |(x, y, w, h, lean, court)| {
            let corner = |u: f64, v: f64| [x + w * u + h * lean * v, y + h * v];
            let ring = |low: f64, high: f64| {
                vec![corner(low, low), corner(high, low), corner(high, high), corner(low, high), corner(low, low)]
            };
            let rings = if court { vec![ring(0.0, 1.0), ring(0.3, 0.7)] } else { vec![ring(0.0, 1.0)] };
            Polygon::new(&rings).unwrap()
        },
    )
}

fn compounds() -> impl Strategy<Value = Compounds> {
    prop::collection::btree_map((3..6u64, 1..200u16).prop_map(|(c, s)| code(c, s)), boundary(), 0..120)
}

/// A star with the given reaches: simple whatever they are. With a hole round its middle when asked.
fn star() -> impl Strategy<Value = Polygon> {
    (112.9..113.3, 36.0..36.4, prop::collection::vec(0.01..0.15, 5..40), any::<bool>()).prop_map(
        |(x, y, reaches, hole)| {
            let ring = |scale: f64| {
                let turn = std::f64::consts::TAU / reaches.len() as f64;
                let corner = |(i, reach): (usize, &f64)| {
                    let (sin, cos) = (turn * i as f64).sin_cos();
                    [x + reach * scale * cos, y + reach * scale * sin]
                };
                let mut ring: Vec<_> = reaches.iter().enumerate().map(corner).collect();
                ring.push(ring[0]);
                ring
            };
            let rings = if hole { vec![ring(1.0), ring(0.5)] } else { vec![ring(1.0)] };
            Polygon::new(&rings).unwrap()
        },
    )
}

fn place() -> impl Strategy<Value = [f64; 2]> {
    (112.8..113.4, 35.9..36.5).prop_map(|(x, y)| [x, y])
}

fn parts() -> impl Strategy<Value = Parts> {
    let circle = (place(), 0.1..20.0).prop_map(|(at, km)| Circle::new(Point::try_from(at).unwrap(), km).unwrap());
    let corridor =
        (prop::collection::vec(place(), 2..6), 10.0..5_000.0).prop_map(|(l, m)| Corridor::new(&l, m).unwrap());
    let area =
        prop::sample::select(vec!["140403", "140404001", "140405001001", "140499"]).prop_map(|c| c.parse().unwrap());
    (
        prop::collection::vec(star(), 0..3),
        prop::collection::vec(circle, 0..3),
        prop::collection::vec(corridor, 0..3),
        prop::collection::vec(area, 0..2),
    )
        .prop_map(|(polygons, circles, corridors, areas)| Parts {
            polygons,
            circles,
            corridors,
            areas,
            compounds: vec![],
        })
}

fn index(compounds: &Compounds) -> SpatialIndex {
    compounds.iter().map(|(id, boundary)| (*id, boundary.clone())).collect()
}

/// The same question, asked of each compound in turn.
fn is_hit(parts: &Parts, id: CompoundId, boundary: &Polygon) -> bool {
    let shape = boundary.as_geo();
    let center = |c: &Circle| c.center().to_geo().into();
    parts.compounds.contains(&id)
        || parts.areas.iter().any(|area| id.is_in(*area))
        || parts.polygons.iter().any(|p| p.as_geo().intersects(shape))
        || parts.circles.iter().any(|c| plane::point_to_polygon_m(center(c), shape) <= c.radius_m())
        || parts.corridors.iter().any(|c| c.line().lines().any(|l| plane::line_to_polygon_m(&l, shape) <= c.within_m()))
}

fn scan(parts: &Parts, compounds: &Compounds) -> Vec<CompoundId> {
    compounds.iter().filter(|(id, boundary)| is_hit(parts, **id, boundary)).map(|(id, _)| *id).collect()
}

fn by_distance(mut all: Vec<(CompoundId, f64)>) -> Vec<(CompoundId, f64)> {
    all.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    all
}

proptest! {
    #[test]
    fn hits_are_those_of_a_scan(compounds in compounds(), parts in parts()) {
        prop_assert_eq!(index(&compounds).hits(&parts).unwrap(), scan(&parts, &compounds));
    }

    #[test]
    fn a_target_is_included_less_excluded(compounds in compounds(), include in parts(), exclude in parts()) {
        prop_assume!(!include.is_empty());
        let mut expected = scan(&include, &compounds);
        expected.retain(|id| !is_hit(&exclude, *id, &compounds[id]));
        let hits = index(&compounds).target(&TargetArea { include, exclude }).unwrap();
        prop_assert_eq!(hits, expected);
    }

    #[test]
    fn the_nearest_are_those_of_a_sort(compounds in compounds(), at in place(), k in 0..150usize) {
        let place = Point::try_from(at).unwrap();
        let metres = |(id, b): (&CompoundId, &Polygon)| (*id, plane::point_to_polygon_m(place.to_geo().into(), b.as_geo()));
        let mut expected = by_distance(compounds.iter().map(metres).collect());
        expected.truncate(k);
        prop_assert_eq!(index(&compounds).nearest(place, k), expected);
    }

    #[test]
    fn who_is_within_reach_is_found_by_a_scan(compounds in compounds(), metres in 0.0..10_000.0) {
        let index = index(&compounds);
        for (id, from) in compounds.iter().take(2) {
            let apart = |(other, b): (&CompoundId, &Polygon)| (*other, plane::polygons_apart_m(from.as_geo(), b.as_geo()));
            let all = compounds.iter().filter(|(other, _)| *other != id).map(apart);
            let expected = by_distance(all.filter(|(_, apart_m)| *apart_m <= metres).collect());
            prop_assert_eq!(index.within(*id, metres).unwrap(), expected);
        }
    }

    #[test]
    fn a_box_holds_those_of_a_scan(compounds in compounds(), a in place(), b in place()) {
        let (low, high) = ([a[0].min(b[0]), a[1].min(b[1])], [a[0].max(b[0]), a[1].max(b[1])]);
        let window = Rect::new(low, high);
        let meets = |boundary: &Polygon| boundary.as_geo().bounding_rect().unwrap().intersects(&window);
        let expected: Vec<_> = compounds.iter().filter(|(_, boundary)| meets(boundary)).map(|(id, _)| *id).collect();
        let found = index(&compounds).in_bbox(Point::try_from(low).unwrap(), Point::try_from(high).unwrap());
        prop_assert_eq!(found, expected);
    }

    /// Inserting, replacing and removing in any order, one by one or together, leaves what a fresh build has.
    #[test]
    fn changes_leave_what_a_rebuild_has(
        start in compounds(), steps in prop::collection::vec((1..60u16, prop::option::of(boundary())), 0..80),
        more in compounds(), parts in parts(),
    ) {
        let mut expected = start.clone();
        let mut changed = index(&start);
        for (suffix, boundary) in steps {
            let id = code(3, suffix);
            if let Some(boundary) = boundary {
                changed.insert(id, boundary.clone());
                expected.insert(id, boundary);
            } else {
                prop_assert_eq!(changed.remove(id), expected.remove(&id).is_some());
            }
        }
        // One at a time and many at once take different ways.
        let few = more.iter().take(3).map(|(id, b)| (*id, b.clone()));
        expected.extend(few.clone());
        changed.extend(few);
        let all = more.iter().map(|(id, b)| (*id, b.clone()));
        expected.extend(all.clone());
        changed.extend(all);

        let rebuilt = index(&expected);
        prop_assert_eq!(changed.len(), expected.len());
        prop_assert_eq!(changed.tree.size(), expected.len());
        prop_assert!(changed == rebuilt);
        prop_assert_eq!(changed.hits(&parts).unwrap(), rebuilt.hits(&parts).unwrap());
        prop_assert_eq!(changed.hits(&parts).unwrap(), scan(&parts, &expected));
    }
}

fn small_city() -> SpatialIndex {
    let square = |x: f64, y: f64| {
        Polygon::new(&[vec![[x, y], [x + 0.002, y], [x + 0.002, y + 0.002], [x, y + 0.002], [x, y]]]).unwrap()
    };
    [(code(3, 1), square(113.100, 36.1)), (code(3, 2), square(113.110, 36.1)), (code(4, 1), square(113.200, 36.1))]
        .into_iter()
        .collect()
}

#[test]
fn empty_hits_nobody() {
    let city = small_city();
    assert_eq!(city.hits(&Parts::default()).unwrap(), []);
    assert_eq!(city.target(&TargetArea::default()).unwrap_err(), Refusal::EmptyArea {});
    let nowhere = Parts { areas: vec!["140499".parse().unwrap()], ..Parts::default() };
    assert_eq!(city.hits(&nowhere).unwrap(), []);
    assert_eq!(SpatialIndex::default().nearest(Point::new(113.0, 36.0).unwrap(), 3), []);
}

#[test]
fn an_unknown_compound_is_named() {
    let city = small_city();
    let parts = |suffix| Parts { compounds: vec![code(3, 1), code(3, suffix)], ..Parts::default() };
    assert_eq!(city.hits(&parts(2)).unwrap(), [code(3, 1), code(3, 2)]);
    let refusal = Refusal::UnknownCompound { compound: code(3, 7) };
    assert_eq!(city.hits(&parts(7)).unwrap_err(), refusal);
    assert_eq!(city.target(&TargetArea { include: parts(2), exclude: parts(7) }).unwrap_err(), refusal);
    assert_eq!(city.within(code(3, 7), 100.0).unwrap_err(), refusal);
}

/// 0.008 degrees of longitude at 36.1° north are 720 m.
#[test]
fn neighbours_are_as_far_as_on_the_ground() {
    let near = small_city().within(code(3, 1), 1_000.0).unwrap();
    let [(id, apart_m)] = near[..] else { panic!("one neighbour, not {near:?}") };
    assert_eq!(id, code(3, 2));
    assert!((719.0..721.5).contains(&apart_m), "{apart_m} m");
    assert_eq!(small_city().within(code(3, 1), f64::NAN).unwrap(), []);
}
