//! Which grid a coordinate was read on, and the way from there to WGS-84.
//!
//! Everything inside Muster is WGS-84 (CGCS2000 differs from it by centimetres and is given as `wgs84`). Chinese web maps shift:
//! GCJ-02 lies about 590 m off at Changzhi, wider than a compound, so whatever comes in must say its datum. Nothing here guesses one.
//!
//! Neither shift was ever published officially. The formulas are the well-known reconstruction by "emq" (`EvilTransform`, 2010), on
//! the Krasovsky 1940 ellipsoid, with Baidu's second step as in the `coordtransform` and `eviltransform` libraries. Those formulas
//! are the forward way; the way back is found by iteration, so that there and back is exact to well under a millimetre.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::geometry::{Point, Polygon};
use super::refusal::Refusal;
use super::text_form::BadKey;

/// Which grid a longitude and latitude were read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// GPS and CGCS2000.
    Wgs84,
    /// 高德、腾讯等国内地图
    Gcj02,
    /// 百度地图
    Bd09,
}

impl Datum {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wgs84, Self::Gcj02, Self::Bd09];

    /// Degrees on this grid to degrees on WGS-84; unchanged outside China.
    pub fn to_wgs84(self, lon: f64, lat: f64) -> (f64, f64) {
        if self == Self::Wgs84 {
            return (lon, lat);
        }
        // The shift changes by less than 2 % of the distance moved, so each turn leaves a fiftieth of the error: 6 turns do.
        let (mut x, mut y) = (lon, lat);
        for _ in 0..INVERSE_TURNS_MAX {
            let (there_x, there_y) = self.from_wgs84(x, y);
            let (dx, dy) = (there_x - lon, there_y - lat);
            x -= dx;
            y -= dy;
            if dx.abs().max(dy.abs()) < INVERSE_ERROR_DEG {
                break;
            }
        }
        (x, y)
    }

    /// Degrees on WGS-84 to degrees on this grid; unchanged outside China.
    pub fn from_wgs84(self, lon: f64, lat: f64) -> (f64, f64) {
        if !in_china(lon, lat) {
            return (lon, lat);
        }
        match self {
            Self::Wgs84 => (lon, lat),
            Self::Gcj02 => gcj02(lon, lat),
            Self::Bd09 => {
                let (lon, lat) = gcj02(lon, lat);
                bd09(lon, lat)
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => "wgs84",
            Self::Gcj02 => "gcj02",
            Self::Bd09 => "bd09",
        }
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Datum {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey::new(text, "a datum: wgs84 (also CGCS2000), gcj02 or bd09");
        Self::ALL.into_iter().find(|datum| datum.name() == text).ok_or_else(bad)
    }
}

impl Point {
    /// A place given in degrees on the datum's grid.
    ///
    /// # Errors
    /// As [`Point::new`].
    pub fn from_datum(lon: f64, lat: f64, datum: Datum) -> Result<Self, Refusal> {
        Self::new(lon, lat)?;
        let (lon, lat) = datum.to_wgs84(lon, lat);
        Self::new(lon, lat)
    }
}

impl Polygon {
    /// A polygon given in degrees on the datum's grid.
    ///
    /// # Errors
    /// As [`Polygon::new`].
    pub fn from_datum(rings: &[Vec<[f64; 2]>], datum: Datum) -> Result<Self, Refusal> {
        let given = Self::new(rings)?;
        if datum == Datum::Wgs84 { Ok(given) } else { given.map(|lon, lat| datum.to_wgs84(lon, lat)) }
    }
}

/// Turns after which the inverse stops even where the shift has a step, as at the edge of China's frame.
const INVERSE_TURNS_MAX: usize = 20;
/// Degrees that the inverse may be off: a tenth of a micrometre.
const INVERSE_ERROR_DEG: f64 = 1e-12;

/// Krasovsky 1940: half its long axis, m.
const KRASOVSKY_A_M: f64 = 6_378_245.0;
/// Krasovsky 1940: first eccentricity, squared.
const KRASOVSKY_E2: f64 = 0.006_693_421_622_965_943;

/// The frame in which the shift applies. It is a rectangle, in the maps as here; Mongolia and Taiwan are in it, too.
fn in_china(lon: f64, lat: f64) -> bool {
    (72.004..=137.8347).contains(&lon) && (0.8293..=55.8271).contains(&lat)
}

fn gcj02(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = (lon - 105.0, lat - 35.0);
    let sin = lat.to_radians().sin();
    let w2 = 1.0 - KRASOVSKY_E2 * sin * sin;
    let w = w2.sqrt();
    let m_per_rad_lat = KRASOVSKY_A_M * (1.0 - KRASOVSKY_E2) / (w2 * w);
    let m_per_rad_lon = KRASOVSKY_A_M / w * lat.to_radians().cos();
    (lon + (shift_east_m(x, y) / m_per_rad_lon).to_degrees(), lat + (shift_north_m(x, y) / m_per_rad_lat).to_degrees())
}

fn shift_east_m(x: f64, y: f64) -> f64 {
    300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + ripple(x)
        + (20.0 * (x * PI).sin() + 40.0 * (x / 3.0 * PI).sin()) * 2.0 / 3.0
        + (150.0 * (x / 12.0 * PI).sin() + 300.0 * (x / 30.0 * PI).sin()) * 2.0 / 3.0
}

fn shift_north_m(x: f64, y: f64) -> f64 {
    -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + ripple(x)
        + (20.0 * (y * PI).sin() + 40.0 * (y / 3.0 * PI).sin()) * 2.0 / 3.0
        + (160.0 * (y / 12.0 * PI).sin() + 320.0 * (y / 30.0 * PI).sin()) * 2.0 / 3.0
}

/// The fast part that both shifts share, m.
fn ripple(x: f64) -> f64 {
    (20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin()) * 2.0 / 3.0
}

/// Baidu's second step, from GCJ-02.
fn bd09(lon: f64, lat: f64) -> (f64, f64) {
    const TURN: f64 = PI * 3000.0 / 180.0;
    let radius = lon.hypot(lat) + 0.000_02 * (lat * TURN).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * TURN).cos();
    (radius * angle.cos() + 0.0065, radius * angle.sin() + 0.006)
}

#[cfg(test)]
mod tests {
    use geo::{Distance as _, Geodesic};
    use proptest::prelude::*;

    use super::*;

    fn apart_m(a: (f64, f64), b: (f64, f64)) -> f64 {
        Geodesic.distance(geo::Point::new(a.0, a.1), geo::Point::new(b.0, b.1))
    }

    /// Within Changzhi.
    fn place() -> impl Strategy<Value = (f64, f64)> {
        (111.966..113.740, 35.813..37.135)
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place((lon, lat) in place()) {
            for datum in Datum::ALL {
                let (x, y) = datum.from_wgs84(lon, lat);
                prop_assert!(apart_m(datum.to_wgs84(x, y), (lon, lat)) < 0.001, "{datum}");
                let (x, y) = datum.to_wgs84(lon, lat);
                prop_assert!(apart_m(datum.from_wgs84(x, y), (lon, lat)) < 0.001, "{datum}");
            }
        }

        #[test]
        fn each_grid_is_elsewhere((lon, lat) in place()) {
            let gcj = Datum::Gcj02.from_wgs84(lon, lat);
            let bd = Datum::Bd09.from_wgs84(lon, lat);
            prop_assert!((450.0..700.0).contains(&apart_m(gcj, (lon, lat))));
            prop_assert!((600.0..1300.0).contains(&apart_m(bd, gcj)));
        }
    }

    /// Known from the design study: 580 to 600 m east, 18 to 27 m north.
    #[test]
    fn the_shift_at_changzhi_is_as_known() {
        let (lon, lat) = (113.12, 36.19);
        let (x, y) = Datum::Gcj02.from_wgs84(lon, lat);
        let (east_m, north_m) = (apart_m((x, lat), (lon, lat)), apart_m((lon, y), (lon, lat)));
        assert!(x > lon && y > lat);
        assert!((580.0..600.0).contains(&east_m), "{east_m} m east");
        assert!((18.0..27.0).contains(&north_m), "{north_m} m north");
    }

    /// Pairs that the tests of `coordtransform` (Beijing) and `eviltransform` (Shanghai, Shenzhen) publish. The latter has a radius
    /// 108 m smaller, so it differs by a centimetre.
    #[test]
    fn the_formula_is_the_published_one() {
        for (from, to, within_m) in [
            ((116.404, 39.915), (116.410_244_499_169_38, 39.916_404_281_501_64), 1e-5),
            ((121.527_210_6, 31.177_427_6), (121.531_541_859_215, 31.175_303_983_645_97), 0.02),
            ((113.912_316, 22.543_847), (113.917_176_480_836_3, 22.540_796_131_694_766), 0.02),
        ] {
            let off_m = apart_m(Datum::Gcj02.from_wgs84(from.0, from.1), to);
            assert!(off_m < within_m, "{off_m} m off at {from:?}");
        }
        assert!(apart_m(bd09(116.404, 39.915), (116.410_369_493_710_29, 39.921_336_993_510_21)) < 1e-5);
    }

    #[test]
    fn outside_china_nothing_shifts() {
        for datum in Datum::ALL {
            for (lon, lat) in [(2.35, 48.85), (-74.0, 40.7), (151.2, -33.9)] {
                assert_eq!(datum.from_wgs84(lon, lat), (lon, lat));
                assert_eq!(datum.to_wgs84(lon, lat), (lon, lat));
            }
        }
    }

    #[test]
    fn a_datum_is_named_or_refused() {
        for datum in Datum::ALL {
            assert_eq!(datum.to_string().parse::<Datum>().unwrap(), datum);
            assert_eq!(serde_json::to_string(&datum).unwrap(), format!("\"{datum}\""));
        }
        assert!("".parse::<Datum>().is_err());
        assert!("WGS84".parse::<Datum>().is_err());
    }

    #[test]
    fn shapes_are_brought_over() {
        let point = Point::from_datum(113.126_5, 36.190_2, Datum::Gcj02).unwrap();
        assert!(point.lon() < 113.121 && point.lon() > 113.119);
        assert!(Point::from_datum(f64::NAN, 36.0, Datum::Gcj02).is_err());
        let ring = vec![[113.0, 36.0], [113.01, 36.0], [113.01, 36.01], [113.0, 36.0]];
        let polygon = Polygon::from_datum(std::slice::from_ref(&ring), Datum::Bd09).unwrap();
        let corner = polygon.as_geo().exterior().0[0];
        assert_eq!((corner.x, corner.y), Datum::Bd09.to_wgs84(113.0, 36.0));
        assert!(Polygon::from_datum(&[vec![[f64::NAN, 0.0]; 4]], Datum::Bd09).is_err());
    }
}
