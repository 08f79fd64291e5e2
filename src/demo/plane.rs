//! The city laid flat: metres east and north of a point in its middle.
//!
//! A linear map of degrees, so that shapes that do not overlap here do not overlap on the earth either. Lengths are within
//! 1 % over the city, which is enough to lay out a demonstration and no more: rules measure on the sphere.

use std::ops::{Add, Mul, Sub};

const ORIGIN_LON: f64 = 113.0;
const ORIGIN_LAT: f64 = 36.4;
/// Metres in a degree of latitude, for the mean radius 6,371,008.8 m.
const LAT_DEGREE_M: f64 = 111_195.08;
/// Metres in a degree of longitude at the origin: `LAT_DEGREE_M` × cos 36.4°.
const LON_DEGREE_M: f64 = 89_500.23;

/// A place, or a way from one to another: metres east and north.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Xy {
    /// East.
    pub x: f64,
    /// North.
    pub y: f64,
}

impl Xy {
    /// From degrees, longitude first.
    pub fn from_degrees([lon, lat]: [f64; 2]) -> Self {
        Self { x: (lon - ORIGIN_LON) * LON_DEGREE_M, y: (lat - ORIGIN_LAT) * LAT_DEGREE_M }
    }

    /// To degrees, longitude first, in 6 decimals (11 cm).
    pub fn to_degrees(self) -> [f64; 2] {
        let six = |degrees: f64| (degrees * 1e6).round() / 1e6;
        [six(ORIGIN_LON + self.x / LON_DEGREE_M), six(ORIGIN_LAT + self.y / LAT_DEGREE_M)]
    }

    /// Length, m.
    pub fn length(self) -> f64 {
        (self.x * self.x + self.y * self.y).sqrt()
    }

    /// Distance, m.
    pub fn distance(self, other: Self) -> f64 {
        (self - other).length()
    }

    /// Twice the area between the two ways; above 0 when `other` is to the left.
    pub fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }

    fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }
}

impl Add for Xy {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { x: self.x + other.x, y: self.y + other.y }
    }
}

impl Sub for Xy {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { x: self.x - other.x, y: self.y - other.y }
    }
}

impl Mul<f64> for Xy {
    type Output = Self;
    fn mul(self, times: f64) -> Self {
        Self { x: self.x * times, y: self.y * times }
    }
}

/// A turn, kept as cosine and sine.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    cos: f64,
    sin: f64,
}

impl Turn {
    /// To the left by twice the angle whose tangent is given: exact without sine and cosine.
    pub fn from_half_tangent(t: f64) -> Self {
        let scale = 1.0 + t * t;
        Self { cos: (1.0 - t * t) / scale, sin: 2.0 * t / scale }
    }

    /// The way, turned.
    pub fn apply(self, way: Xy) -> Xy {
        Xy { x: way.x * self.cos - way.y * self.sin, y: way.x * self.sin + way.y * self.cos }
    }
}

/// A stretch between two places.
#[derive(Debug, Clone, Copy)]
pub struct Segment(pub Xy, pub Xy);

impl Segment {
    /// Shortest distance to a place, m.
    pub fn distance(self, at: Xy) -> f64 {
        let along = self.1 - self.0;
        let length2 = along.dot(along);
        let part = if length2 > 0.0 { ((at - self.0).dot(along) / length2).clamp(0.0, 1.0) } else { 0.0 };
        at.distance(self.0 + along * part)
    }
}

/// The stretches of a line of degrees.
pub fn segments(line: &[[f64; 2]]) -> impl Iterator<Item = Segment> + '_ {
    line.windows(2).map(|pair| Segment(Xy::from_degrees(pair[0]), Xy::from_degrees(pair[1])))
}

/// Whether the place is inside the rings (holes counted out), given their stretches.
pub fn is_inside(rings: &[Segment], at: Xy) -> bool {
    let crossed =
        |Segment(a, b): &Segment| (a.y > at.y) != (b.y > at.y) && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x;
    rings.iter().filter(|segment| crossed(segment)).count() % 2 == 1
}

/// Where the straight way from `from` (inside) towards `way` leaves the closed ring; `from` when it never does.
pub fn way_out(ring: &[Xy], from: Xy, way: Xy) -> Xy {
    let next = ring.iter().cycle().skip(1);
    let hit = ring.iter().zip(next).find_map(|(a, b)| {
        let (edge, slope) = (*b - *a, way.cross(*b - *a));
        let (far, part) = ((*a - from).cross(edge) / slope, (*a - from).cross(way) / slope);
        (slope != 0.0 && far > 0.0 && (0.0..=1.0).contains(&part)).then(|| from + way * far)
    });
    hit.unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f64; 2]; 5] = [[113.0, 36.0], [113.1, 36.0], [113.1, 36.1], [113.0, 36.1], [113.0, 36.0]];

    #[test]
    fn degrees_come_back() {
        for degrees in [[113.105_28, 36.183_89], [111.97, 37.13]] {
            let back = Xy::from_degrees(degrees).to_degrees();
            assert!((back[0] - degrees[0]).abs() < 1e-9 && (back[1] - degrees[1]).abs() < 1e-9, "{back:?}");
        }
        let (a, b) = (Xy::from_degrees([113.0, 36.4]), Xy::from_degrees([113.01, 36.4]));
        assert!((a.distance(b) - 895.0).abs() < 0.1);
    }

    #[test]
    fn inside_and_distance() {
        let ring: Vec<_> = segments(&SQUARE).collect();
        let middle = Xy::from_degrees([113.05, 36.05]);
        assert!(is_inside(&ring, middle));
        assert!(!is_inside(&ring, Xy::from_degrees([113.15, 36.05])));
        let nearest = ring.iter().map(|s| s.distance(middle)).fold(f64::INFINITY, f64::min);
        assert!((nearest - 4_475.01).abs() < 1.0, "{nearest}");
    }

    #[test]
    fn the_way_out_is_on_the_ring() {
        let corners = SQUARE[..4].iter().map(|d| Xy::from_degrees(*d)).collect::<Vec<_>>();
        let out = way_out(&corners, Xy::from_degrees([113.05, 36.05]), Xy { x: 0.0, y: -1.0 });
        assert!(out.distance(Xy::from_degrees([113.05, 36.0])) < 1e-6);
    }

    #[test]
    fn a_turn_keeps_lengths() {
        let turned = Turn::from_half_tangent(1.0).apply(Xy { x: 3.0, y: 4.0 });
        assert!(turned.distance(Xy { x: -4.0, y: 3.0 }) < 1e-9);
    }
}
