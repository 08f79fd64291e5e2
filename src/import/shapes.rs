//! Outlines and places as people write them in a table: WKT, `name@lon lat`, and a place with a radius.

use geo::{Destination as _, Geodesic};

use crate::domain::compound::Place;
use crate::domain::datum::Datum;
use crate::domain::geometry::{Point, Polygon};
use crate::domain::refusal::Refusal;

/// Corners of the outline that stands for a place with a radius.
const CORNERS: u32 = 16;
/// Metres that such a radius may have.
const RADIUS_M: std::ops::RangeInclusive<f64> = 10.0..=1_000.0;

fn bad(why: &str) -> Refusal {
    Refusal::BadPolygon { why: why.to_owned() }
}

/// `POLYGON ((lon lat, lon lat, …), (hole …))`
pub(super) fn polygon_of_wkt(text: &str, datum: Datum) -> Result<Polygon, Refusal> {
    let inner = || {
        let text = text.trim();
        let rest = text.get(..7).filter(|word| word.eq_ignore_ascii_case("polygon")).map(|_| text[7..].trim())?;
        rest.strip_prefix('(')?.strip_suffix(')')
    };
    let inner = inner().ok_or_else(|| bad("it must be written as POLYGON ((lon lat, lon lat, …))"))?;
    let rings: Option<Vec<_>> = inner.split(')').filter(|ring| !ring.trim().is_empty()).map(ring_of).collect();
    Polygon::from_datum(&rings.ok_or_else(|| bad("a ring is not ((lon lat, lon lat, …))"))?, datum)
}

fn ring_of(text: &str) -> Option<Vec<[f64; 2]>> {
    let text = text.trim().trim_start_matches(',').trim().strip_prefix('(')?;
    text.split(',').map(pair_of).collect()
}

fn pair_of(text: &str) -> Option<[f64; 2]> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<f64>);
    let pair = [numbers.next()?.ok()?, numbers.next()?.ok()?];
    // A height may follow, as some programs write one; it is not used.
    let rest = numbers.map(Result::ok).collect::<Option<Vec<_>>>()?;
    (rest.len() <= 1).then_some(pair)
}

/// The outline of all that lies within `radius_m` of a place, as its 16 corners.
pub(super) fn polygon_round(lon: f64, lat: f64, radius_m: f64, datum: Datum) -> Result<Polygon, Refusal> {
    let middle = Point::from_datum(lon, lat, datum)?;
    if !RADIUS_M.contains(&radius_m) {
        return Err(bad("radius_m must be 10 to 1,000"));
    }
    let corner =
        |n: u32| Geodesic.destination(middle.to_geo(), f64::from(n % CORNERS) * 360.0 / f64::from(CORNERS), radius_m);
    let ring = (0..=CORNERS).map(corner).map(|corner| [corner.x(), corner.y()]).collect();
    Polygon::new(&[ring])
}

/// `南门@113.1 36.2; 北门@113.1 36.3`
pub(super) fn places_of(text: &str, datum: Datum) -> Result<Vec<Place>, Refusal> {
    let place = |part: &str| {
        let (name, at) = part.split_once('@')?;
        Some((name.trim().to_owned(), pair_of(at)?))
    };
    let parts = text.split([';', '；']).filter(|part| !part.trim().is_empty());
    let place = |part: &str| {
        let (name, [lon, lat]) = place(part).ok_or(Refusal::BadText { field: "name@lon lat", max: 100 })?;
        Ok(Place { name, at: Point::from_datum(lon, lat, datum)? })
    };
    parts.map(place).collect()
}

#[cfg(test)]
mod tests {
    use geo::{Area as _, Distance as _};

    use super::*;

    #[test]
    fn wkt_is_read_with_holes_and_heights() {
        let outside = "(113 36, 113.1 36, 113.1 36.1, 113 36.1, 113 36)";
        let hole = "(113.02 36.02, 113.04 36.02, 113.04 36.04, 113.02 36.02)";
        let polygon = polygon_of_wkt(&format!("POLYGON ({outside}, {hole})"), Datum::Wgs84).unwrap();
        assert_eq!((polygon.vertices(), polygon.as_geo().interiors().len()), (9, 1));
        assert!(polygon_of_wkt("polygon((113 36 900,113.1 36 900,113.1 36.1 900,113 36 900))", Datum::Wgs84).is_ok());
        for text in
            ["", "POINT (113 36)", "POLYGON (113 36)", "POLYGON ((113, 36))", "POLYGON ((a b, c d))", "多边形多边形"]
        {
            assert_eq!(polygon_of_wkt(text, Datum::Wgs84).unwrap_err().code(), "bad_polygon", "{text}");
        }
        let far = "POLYGON ((113 36, 113.1 200, 113.1 36.1, 113 36))";
        assert_eq!(polygon_of_wkt(far, Datum::Wgs84).unwrap_err().code(), "bad_coordinate");
    }

    #[test]
    fn a_place_with_a_radius_becomes_an_outline_of_that_size() {
        let polygon = polygon_round(113.1, 36.2, 100.0, Datum::Gcj02).unwrap();
        let middle = Point::from_datum(113.1, 36.2, Datum::Gcj02).unwrap().to_geo();
        assert_eq!(polygon.vertices(), 17);
        for corner in polygon.as_geo().exterior().points() {
            assert!((Geodesic.distance(middle, corner) - 100.0).abs() < 0.01);
        }
        assert!(polygon.as_geo().unsigned_area() > 0.0);
        assert!(polygon_round(113.1, 36.2, 5_000.0, Datum::Wgs84).is_err());
    }

    #[test]
    fn places_have_a_name_and_where_they_are() {
        let places = places_of("南门@113.1 36.2；北门@113.1 36.3;", Datum::Wgs84).unwrap();
        assert_eq!((places.len(), places[1].name.as_str()), (2, "北门"));
        assert!(places_of("南门 113.1 36.2", Datum::Wgs84).is_err());
    }
}
