//! A flat sheet of metres for each pair of shapes: distances by `geo` on straight lines, with the earth's curve taken into account.
//!
//! Each sheet is laid at the latitude halfway between the two, with the WGS-84 ellipsoid's own metres a degree there. Against the
//! geodesic the error stays below 0.01 % of the distance up to 200 km, plus about 0.01 % for each km that a compound reaches north to south;
//! near the poles (above 80°) it grows. The tests hold it to that in and around Changzhi.

use geo::{BoundingRect as _, Coord, Distance as _, Euclidean, Line, MapCoords, Point, Polygon};

/// WGS-84: half its long axis, m.
const A_M: f64 = 6_378_137.0;
/// WGS-84: first eccentricity, squared.
const E2: f64 = 0.006_694_379_990_14;
/// Metres that a degree of latitude has at least, on the whole earth.
const LAT_DEGREE_MIN_M: f64 = 110_574.0;
/// Metres that a degree of longitude has at least at the equator; times the cosine of the latitude elsewhere.
const LON_DEGREE_MIN_M: f64 = 111_319.0;

/// Metres a degree, at one latitude.
struct Plane {
    m_per_lon: f64,
    m_per_lat: f64,
}

impl Plane {
    fn halfway(lat_a: f64, lat_b: f64) -> Self {
        let (sin, cos) = lat_a.midpoint(lat_b).to_radians().sin_cos();
        let w2 = 1.0 - E2 * sin * sin;
        let w = w2.sqrt();
        let m_per_lat = (A_M * (1.0 - E2) / (w2 * w)).to_radians();
        Self { m_per_lon: (A_M / w * cos).to_radians(), m_per_lat }
    }

    /// Metres east and north of `origin`. Near the origin, so that no digits are lost.
    fn lay<G: MapCoords<f64, f64, Output = G>>(&self, shape: &G, origin: Coord) -> G {
        shape.map_coords(|c| Coord { x: (c.x - origin.x) * self.m_per_lon, y: (c.y - origin.y) * self.m_per_lat })
    }
}

/// Middle of the box round it. A valid polygon has corners; the fallback cannot be reached.
fn middle(polygon: &Polygon) -> Coord {
    polygon.bounding_rect().map_or(Coord { x: 0.0, y: 0.0 }, geo::Rect::center)
}

/// Metres from one place to another.
pub(super) fn points_apart_m(a: Coord, b: Coord) -> f64 {
    let plane = Plane::halfway(a.y, b.y);
    Euclidean.distance(&Point::new(0.0, 0.0), &plane.lay(&Point::from(b), a))
}

/// Metres from a place to a compound's boundary; 0 inside.
pub(super) fn point_to_polygon_m(point: Coord, polygon: &Polygon) -> f64 {
    let plane = Plane::halfway(point.y, middle(polygon).y);
    Euclidean.distance(&Point::new(0.0, 0.0), &plane.lay(polygon, point))
}

/// Metres between two compounds' boundaries; 0 where they meet.
pub(super) fn polygons_apart_m(a: &Polygon, b: &Polygon) -> f64 {
    let origin = middle(a);
    let plane = Plane::halfway(origin.y, middle(b).y);
    Euclidean.distance(&plane.lay(a, origin), &plane.lay(b, origin))
}

/// Metres from a stretch of a line to a compound's boundary; 0 where they meet. As a stretch may be long, the sheet is laid at the
/// compound: the error is at most 0.05 % at 20 km, which is as wide as corridors get, and less as they are narrower.
pub(super) fn line_to_polygon_m(line: &Line, polygon: &Polygon) -> f64 {
    let origin = middle(polygon);
    let plane = Plane::halfway(origin.y, origin.y);
    Euclidean.distance(&plane.lay(line, origin), &plane.lay(polygon, origin))
}

/// Metres from a place to the nearest corner or edge of a box that any compound inside it is away at the least.
pub(super) fn box_at_least_m(point: Coord, south_west: [f64; 2], north_east: [f64; 2]) -> f64 {
    let gap = |at: f64, low: f64, high: f64| (low - at).max(at - high).max(0.0);
    let farthest_lat = south_west[1].abs().max(north_east[1].abs());
    let cos = point.y.abs().midpoint(farthest_lat).to_radians().cos();
    let east_m = gap(point.x, south_west[0], north_east[0]) * LON_DEGREE_MIN_M * cos;
    let north_m = gap(point.y, south_west[1], north_east[1]) * LAT_DEGREE_MIN_M;
    east_m.hypot(north_m)
}

/// The box, widened by at least that many metres on each side.
pub(super) fn widen(south_west: [f64; 2], north_east: [f64; 2], metres: f64) -> ([f64; 2], [f64; 2]) {
    // 1 % more, as a compound's middle, where its sheet may be laid, can be farther from the equator than the widened box.
    let metres = metres * 1.01;
    let north = metres / LAT_DEGREE_MIN_M;
    let farthest_lat = (south_west[1].abs().max(north_east[1].abs()) + north).min(89.0);
    let east = metres / (LON_DEGREE_MIN_M * farthest_lat.to_radians().cos());
    ([south_west[0] - east, south_west[1] - north], [north_east[0] + east, north_east[1] + north])
}

#[cfg(test)]
mod tests {
    use geo::{Geodesic, Rect};
    use proptest::prelude::*;

    use super::*;

    fn square(x: f64, y: f64, side: f64) -> Polygon {
        Rect::new((x, y), (x + side, y + side)).to_polygon()
    }

    /// The geodesic to the nearest of many places on the boundary: slow and sure.
    fn geodesic_m(point: Coord, polygon: &Polygon) -> f64 {
        let steps = 200;
        let on_edge =
            |line: Line| (0..=steps).map(move |i| line.start + line.delta() * (f64::from(i) / f64::from(steps)));
        let nearest = polygon.exterior().lines().flat_map(on_edge);
        nearest.map(|c| Geodesic.distance(Point::from(point), Point::from(c))).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn distances_are_those_of_the_geodesic(
            lon in 111.0..114.7, lat in 35.0..38.0, to_lon in 111.9..113.8, to_lat in 35.8..37.2, side in 0.001..0.004,
        ) {
            let (point, polygon) = (Coord { x: lon, y: lat }, square(to_lon, to_lat, side));
            let (flat, round) = (point_to_polygon_m(point, &polygon), geodesic_m(point, &polygon));
            // 0.01 % and 0.01 % a km, and what the 200 steps of the slow way leave out near the boundary.
            prop_assume!(flat > 10.0 && round < 200_000.0);
            prop_assert!((flat - round).abs() <= round * 0.000_15 + 0.1, "{flat} flat, {round} round");
        }

        #[test]
        fn a_corridor_is_as_wide_as_it_says(
            lon in 112.0..113.7, lat in 35.9..37.1, east in -0.15..0.15, north in -0.15..0.15, side in 0.001..0.004,
        ) {
            let (point, polygon) = (Coord { x: lon + east, y: lat + north }, square(lon, lat, side));
            let flat = line_to_polygon_m(&Line::new(point, point), &polygon);
            let round = geodesic_m(point, &polygon);
            prop_assume!(flat > 10.0 && round < 20_000.0);
            prop_assert!((flat - round).abs() <= round * 0.000_6 + 0.1, "{flat} flat, {round} round");
        }

        #[test]
        fn a_box_is_never_said_to_be_farther_than_what_is_in_it(
            lon in -20.0..20.0, lat in -80.0..80.0, x in -20.0..20.0, y in -80.0..79.0, side in 0.001..1.0,
        ) {
            let point = Coord { x: lon, y: lat };
            let least = box_at_least_m(point, [x, y], [x + side, y + side]);
            prop_assert!(least <= point_to_polygon_m(point, &square(x, y, side)) * (1.0 + 1e-12));
        }

        /// `geo` takes several shortcuts between polygons; edge by edge must say the same.
        #[test]
        fn polygons_are_apart_as_their_edges_are(dx in -0.02..0.02, dy in -0.02..0.02, turn in 0.0..1.5, side in 0.001..0.01) {
            use geo::{Intersects as _, Rotate as _};
            let a = square(113.0, 36.0, 0.004);
            let b = square(113.0 + dx, 36.0 + dy, side).rotate_around_centroid(f64::to_degrees(turn));
            let plane = Plane::halfway(middle(&a).y, middle(&b).y);
            let (flat_a, flat_b) = (plane.lay(&a, middle(&a)), plane.lay(&b, middle(&a)));
            let pairs = flat_a.exterior().lines().flat_map(|p| flat_b.exterior().lines().map(move |q| (p, q)));
            let slow = pairs.map(|(p, q)| Euclidean.distance(&p, &q)).fold(f64::INFINITY, f64::min);
            let slow = if flat_a.intersects(&flat_b) { 0.0 } else { slow };
            prop_assert!((polygons_apart_m(&a, &b) - slow).abs() < 1e-6);
        }
    }

    #[test]
    fn a_widened_box_reaches_as_far_as_it_says() {
        let at = [113.12, 36.19];
        let (low, high) = widen(at, at, 5_000.0);
        let far_m = |to: [f64; 2]| Geodesic.distance(Point::from(at), Point::from(to));
        for to in [[low[0], at[1]], [high[0], at[1]], [at[0], low[1]], [at[0], high[1]]] {
            assert!((5_000.0..5_200.0).contains(&far_m(to)), "{} m", far_m(to));
        }
    }
}
