//! Shapes on the earth, parsed once and valid ever after. WGS-84 degrees, longitude first (RFC 7946).
//!
//! Whatever comes from outside passes [`Point::new`], [`Polygon::new`], [`Circle::new`] or [`Corridor::new`];
//! inside, coordinates are finite, in range, and rings are closed and simple (`rings.rs`). Other grids than WGS-84 come in
//! through [`super::datum`]. Shapes across the antimeridian or round a pole are out of scope: they are refused as too wide.

use std::sync::Arc;

use geo::{Area as _, CoordsIter as _, MapCoords as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::{Carried, Refusal};
use super::rings;

/// Corners that a polygon (all rings together) may have. CAP good practice says 100; a river bank needs more.
pub const POLYGON_VERTICES_MAX: usize = 2_000;
/// Corners that the middle line of a corridor may have.
pub const CORRIDOR_VERTICES_MAX: usize = 2_000;
/// Degrees that one edge may span, east or north: wider than any province. A longer one has a digit missing, has longitude and
/// latitude swapped, or crosses the antimeridian.
pub const EDGE_MAX_DEG: f64 = 30.0;
/// Largest radius of a circle, km: more than the city is wide.
pub const CIRCLE_RADIUS_MAX_KM: f64 = 200.0;
/// Largest half-width of a corridor, m.
pub const CORRIDOR_WITHIN_MAX_M: f64 = 20_000.0;

/// The schema of a type that is read through a plainer one.
macro_rules! schema_of {
    ($($name:ty => $raw:ty),*) => {$(
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                <$raw>::schema()
            }
        }
        impl ToSchema for $name {}
    )*};
}
schema_of!(Point => Vec<f64>, Polygon => Vec<Vec<Vec<f64>>>, Circle => RawCircle, Corridor => RawCorridor);

/// A place. In JSON `[lon, lat]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct Point {
    lon: f64,
    lat: f64,
}

impl Point {
    /// Degrees; refused when not finite or out of range.
    ///
    /// # Errors
    /// [`Refusal::BadCoordinate`].
    pub fn new(lon: f64, lat: f64) -> Result<Self, Refusal> {
        if lon.is_finite() && lat.is_finite() && lon.abs() <= 180.0 && lat.abs() <= 90.0 {
            Ok(Self { lon, lat })
        } else {
            Err(Refusal::BadCoordinate { lon: lon.to_string(), lat: lat.to_string() })
        }
    }

    /// Degrees east.
    pub const fn lon(self) -> f64 {
        self.lon
    }

    /// Degrees north.
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// As `geo` has it.
    pub fn to_geo(self) -> geo::Point {
        geo::Point::new(self.lon, self.lat)
    }
}

impl TryFrom<[f64; 2]> for Point {
    type Error = Carried;
    fn try_from([lon, lat]: [f64; 2]) -> Result<Self, Carried> {
        Ok(Self::new(lon, lat)?)
    }
}

impl From<Point> for [f64; 2] {
    fn from(point: Point) -> Self {
        [point.lon, point.lat]
    }
}

/// Rings as GeoJSON has them: the first is the outside, the others are holes.
type Rings = Vec<Vec<[f64; 2]>>;

/// A simple polygon, its rings closed, without self-intersection, with an area. In JSON the rings as GeoJSON has them.
///
/// A copy shares its corners, so that the city's state and its spatial index hold them once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Rings", into = "Rings")]
pub struct Polygon(Arc<geo::Polygon>);

impl Polygon {
    /// # Errors
    /// [`Refusal::BadPolygon`], [`Refusal::TooManyVertices`] or [`Refusal::BadCoordinate`], naming the reason.
    pub fn new(rings: &[Vec<[f64; 2]>]) -> Result<Self, Refusal> {
        let bad = |why: &str| Refusal::BadPolygon { why: why.to_owned() };
        let vertices: usize = rings.iter().map(Vec::len).sum();
        if vertices > POLYGON_VERTICES_MAX {
            return Err(Refusal::TooManyVertices { given: vertices, max: POLYGON_VERTICES_MAX });
        }
        let mut lines = Vec::with_capacity(rings.len());
        for ring in rings {
            if ring.len() < 4 {
                return Err(bad("a ring needs at least 4 points, the last equal to the first"));
            }
            if ring.first() != ring.last() {
                return Err(bad("a ring is not closed: its last point must equal its first"));
            }
            lines.push(line(ring)?);
        }
        let mut lines = lines.into_iter();
        let outside = lines.next().ok_or_else(|| bad("it has no ring"))?;
        Self::from_geo(geo::Polygon::new(outside, lines.collect()))
    }

    /// From a polygon that is already in degrees, with finite coordinates in range.
    ///
    /// # Errors
    /// [`Refusal::BadPolygon`] when a ring crosses or touches itself or another, or when it has no area.
    pub fn from_geo(polygon: geo::Polygon) -> Result<Self, Refusal> {
        rings::check(&polygon).map_err(|why| Refusal::BadPolygon { why })?;
        if polygon.unsigned_area() <= 0.0 {
            return Err(Refusal::BadPolygon { why: "it has no area".to_owned() });
        }
        Ok(Self(Arc::new(polygon)))
    }

    /// With each corner (longitude, latitude) moved.
    pub(super) fn map(&self, to: impl Fn(f64, f64) -> (f64, f64)) -> Result<Self, Refusal> {
        let moved = self.0.try_map_coords(|corner| {
            let (lon, lat) = to(corner.x, corner.y);
            Point::new(lon, lat).map(|p| geo::Coord { x: p.lon, y: p.lat })
        });
        Self::from_geo(moved?)
    }

    /// As `geo` has it.
    pub fn as_geo(&self) -> &geo::Polygon {
        &self.0
    }

    /// Corners of all its rings, the closing ones too.
    pub fn vertices(&self) -> usize {
        self.0.coords_count()
    }
}

fn line(points: &[[f64; 2]]) -> Result<geo::LineString, Refusal> {
    points.iter().map(|[lon, lat]| Point::new(*lon, *lat).map(|p| geo::Coord { x: p.lon, y: p.lat })).collect()
}

impl TryFrom<Rings> for Polygon {
    type Error = Carried;
    fn try_from(rings: Rings) -> Result<Self, Carried> {
        Ok(Self::new(&rings)?)
    }
}

impl From<Polygon> for Rings {
    fn from(polygon: Polygon) -> Self {
        let ring = |line: &geo::LineString| line.0.iter().map(|c| [c.x, c.y]).collect();
        std::iter::once(polygon.0.exterior()).chain(polygon.0.interiors()).map(ring).collect()
    }
}

/// All places within a distance of one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCircle", into = "RawCircle")]
pub struct Circle {
    center: Point,
    radius_km: f64,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RawCircle {
    #[schema(value_type = [f64; 2])]
    center: Point,
    radius_km: f64,
}

impl Circle {
    /// # Errors
    /// [`Refusal::BadCircle`] when the radius is not above 0 and at most [`CIRCLE_RADIUS_MAX_KM`].
    pub fn new(center: Point, radius_km: f64) -> Result<Self, Refusal> {
        if radius_km.is_finite() && radius_km > 0.0 && radius_km <= CIRCLE_RADIUS_MAX_KM {
            Ok(Self { center, radius_km })
        } else {
            Err(Refusal::BadCircle { radius_km: radius_km.to_string(), max_km: CIRCLE_RADIUS_MAX_KM })
        }
    }

    /// The middle.
    pub const fn center(&self) -> Point {
        self.center
    }

    /// Radius in metres.
    pub fn radius_m(&self) -> f64 {
        self.radius_km * 1000.0
    }
}

impl TryFrom<RawCircle> for Circle {
    type Error = Carried;
    fn try_from(raw: RawCircle) -> Result<Self, Carried> {
        Ok(Self::new(raw.center, raw.radius_km)?)
    }
}

impl From<Circle> for RawCircle {
    fn from(circle: Circle) -> Self {
        Self { center: circle.center, radius_km: circle.radius_km }
    }
}

/// All places within a distance of a line: "along this river within 500 m".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCorridor", into = "RawCorridor")]
pub struct Corridor {
    line: geo::LineString,
    within_m: f64,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RawCorridor {
    line: Vec<[f64; 2]>,
    within_m: f64,
}

impl Corridor {
    /// # Errors
    /// [`Refusal::BadCorridor`] for fewer than 2 points or a width that is not above 0 and at most
    /// [`CORRIDOR_WITHIN_MAX_M`]; [`Refusal::TooManyVertices`]; [`Refusal::BadCoordinate`].
    pub fn new(points: &[[f64; 2]], within_m: f64) -> Result<Self, Refusal> {
        if points.len() > CORRIDOR_VERTICES_MAX {
            return Err(Refusal::TooManyVertices { given: points.len(), max: CORRIDOR_VERTICES_MAX });
        }
        if points.len() < 2 {
            return Err(Refusal::BadCorridor { why: "its line needs at least 2 points".to_owned() });
        }
        if !(within_m.is_finite() && within_m > 0.0 && within_m <= CORRIDOR_WITHIN_MAX_M) {
            let why = format!("within_m must be above 0 and at most {CORRIDOR_WITHIN_MAX_M}");
            return Err(Refusal::BadCorridor { why });
        }
        let line = line(points)?;
        if line.lines().any(|edge| edge.dx().abs().max(edge.dy().abs()) > EDGE_MAX_DEG) {
            return Err(Refusal::BadCorridor { why: format!("an edge is longer than {EDGE_MAX_DEG} degrees") });
        }
        Ok(Self { line, within_m })
    }

    /// The middle line.
    pub const fn line(&self) -> &geo::LineString {
        &self.line
    }

    /// Half its width, m.
    pub const fn within_m(&self) -> f64 {
        self.within_m
    }
}

impl TryFrom<RawCorridor> for Corridor {
    type Error = Carried;
    fn try_from(raw: RawCorridor) -> Result<Self, Carried> {
        Ok(Self::new(&raw.line, raw.within_m)?)
    }
}

impl From<Corridor> for RawCorridor {
    fn from(corridor: Corridor) -> Self {
        Self { line: corridor.line.0.iter().map(|c| [c.x, c.y]).collect(), within_m: corridor.within_m }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(step: f64) -> Vec<[f64; 2]> {
        vec![[113.0, 36.0], [113.0 + step, 36.0], [113.0 + step, 36.0 + step], [113.0, 36.0 + step], [113.0, 36.0]]
    }

    #[test]
    fn a_square_is_taken_and_written_back() {
        let polygon = Polygon::new(&[square(0.01)]).unwrap();
        let text = serde_json::to_string(&polygon).unwrap();
        assert_eq!(serde_json::from_str::<Polygon>(&text).unwrap(), polygon);
    }

    #[test]
    fn bad_polygons_are_refused_with_the_reason() {
        let bow_tie = vec![[113.0, 36.0], [113.1, 36.1], [113.1, 36.0], [113.0, 36.1], [113.0, 36.0]];
        let open = square(0.01)[..4].to_vec();
        let flat = vec![[113.0, 36.0], [113.1, 36.0], [113.2, 36.0], [113.0, 36.0]];
        let far = vec![[113.0, 36.0], [113.1, 200.0], [113.2, 36.0], [113.0, 36.0]];
        let nan = vec![[113.0, 36.0], [f64::NAN, 36.1], [113.2, 36.0], [113.0, 36.0]];
        let digit_missing = vec![[113.0, 36.0], [11.31, 36.0], [113.1, 36.1], [113.0, 36.0]];
        let huge = (0..100_000).map(|i| [113.0 + f64::from(i) * 1e-6, 36.0]).collect();
        for (ring, code) in [
            (bow_tie, "bad_polygon"),
            (open, "bad_polygon"),
            (flat, "bad_polygon"),
            (digit_missing, "bad_polygon"),
            (far, "bad_coordinate"),
            (nan, "bad_coordinate"),
            (huge, "too_many_vertices"),
        ] {
            assert_eq!(Polygon::new(&[ring]).unwrap_err().code(), code);
        }
        assert_eq!(Polygon::new(&[]).unwrap_err().code(), "bad_polygon");
    }

    #[test]
    fn circles_and_corridors_have_bounds() {
        let center = Point::new(113.0, 36.0).unwrap();
        for radius in [0.0, -1.0, f64::NAN, f64::INFINITY, 201.0] {
            assert!(Circle::new(center, radius).is_err());
        }
        assert!(Corridor::new(&[[113.0, 36.0]], 100.0).is_err());
        assert!(Corridor::new(&[[113.0, 36.0], [113.1, 36.0]], f64::NAN).is_err());
        assert_eq!(Corridor::new(&[[113.0, 36.0], [11.31, 36.0]], 100.0).unwrap_err().code(), "bad_corridor");
        assert!(Corridor::new(&[[113.0, 36.0], [113.1, 36.0]], 100.0).is_ok());
    }
}
