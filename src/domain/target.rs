//! Whom an order or alert is for, as its giver drew it: a union of shapes, areas and compounds, less another such union.
//!
//! Only the description lives here. Which compounds it hits is found by the city's spatial index, the same for preview and sending.
//! An empty description reaches nobody, never everybody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::area::AreaCode;
use super::compound::CompoundId;
use super::geometry::{Circle, Corridor, Polygon};
use super::refusal::Refusal;

/// Shapes and areas that a target may have, exclusions counted.
pub const TARGET_PARTS_MAX: usize = 500;
/// Compounds that a target may name one by one, exclusions counted: twice the city. Whoever means more names areas.
pub const TARGET_COMPOUNDS_MAX: usize = 5_000;
/// Corners of all shapes of a target together: bounds the work of one look-up.
pub const TARGET_VERTICES_MAX: usize = 20_000;

/// A union: a compound is in it when one of these touches its boundary or what lies inside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parts {
    /// Drawn outlines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub polygons: Vec<Polygon>,
    /// All within a distance of a place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub circles: Vec<Circle>,
    /// All within a distance of a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corridors: Vec<Corridor>,
    /// All compounds whose code lies in the area.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<AreaCode>,
    /// These compounds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compounds: Vec<CompoundId>,
}

impl Parts {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.pieces() == 0 && self.compounds.is_empty()
    }

    /// Shapes and areas.
    fn pieces(&self) -> usize {
        self.polygons.len() + self.circles.len() + self.corridors.len() + self.areas.len()
    }

    fn vertices(&self) -> usize {
        let polygons: usize = self.polygons.iter().map(Polygon::vertices).sum();
        polygons + self.corridors.iter().map(|c| c.line().0.len()).sum::<usize>()
    }
}

/// What is included, less what is excluded. A compound that an exclusion only touches is out as a whole: the preview shows who is left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetArea {
    /// Who is meant.
    pub include: Parts,
    /// Who of these is not.
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub exclude: Parts,
}

impl TargetArea {
    /// Checks what the parts' own types cannot.
    ///
    /// # Errors
    /// [`Refusal::EmptyArea`] when nothing is included, whatever is excluded; [`Refusal::TooManyParts`];
    /// [`Refusal::TooManyVertices`].
    pub fn check(&self) -> Result<(), Refusal> {
        if self.include.is_empty() {
            return Err(Refusal::EmptyArea {});
        }
        for (given, max) in [
            (self.include.pieces() + self.exclude.pieces(), TARGET_PARTS_MAX),
            (self.include.compounds.len() + self.exclude.compounds.len(), TARGET_COMPOUNDS_MAX),
        ] {
            if given > max {
                return Err(Refusal::TooManyParts { given, max });
            }
        }
        let given = self.include.vertices() + self.exclude.vertices();
        if given > TARGET_VERTICES_MAX {
            return Err(Refusal::TooManyVertices { given, max: TARGET_VERTICES_MAX });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::geometry::Point;

    fn area(text: &str) -> Parts {
        Parts { areas: vec![text.parse().unwrap()], ..Parts::default() }
    }

    fn code(target: &TargetArea) -> Option<&'static str> {
        target.check().err().map(|refusal| refusal.code())
    }

    #[test]
    fn nothing_named_is_nobody() {
        assert_eq!(code(&TargetArea::default()), Some("empty_area"));
        assert_eq!(code(&TargetArea { include: Parts::default(), exclude: area("1404") }), Some("empty_area"));
        assert_eq!(code(&TargetArea { include: area("1404"), exclude: area("140403") }), None);
    }

    #[test]
    fn the_number_of_parts_is_bounded() {
        let circle = Circle::new(Point::new(113.0, 36.0).unwrap(), 1.0).unwrap();
        let circles = |n| Parts { circles: vec![circle; n], ..Parts::default() };
        assert_eq!(code(&TargetArea { include: circles(499), exclude: circles(1) }), None);
        assert_eq!(code(&TargetArea { include: circles(499), exclude: circles(2) }), Some("too_many_parts"));
        let id = "140403001001001".parse().unwrap();
        let named = |n| Parts { compounds: vec![id; n], ..Parts::default() };
        assert_eq!(code(&TargetArea { include: named(2_500), exclude: named(2_500) }), None);
        assert_eq!(code(&TargetArea { include: named(2_500), exclude: named(2_501) }), Some("too_many_parts"));
    }

    #[test]
    fn the_number_of_corners_is_bounded() {
        let points: Vec<[f64; 2]> = (0..2_000).map(|i| [113.0 + f64::from(i) * 1e-4, 36.0]).collect();
        let corridors = |n| Parts { corridors: vec![Corridor::new(&points, 100.0).unwrap(); n], ..Parts::default() };
        assert_eq!(code(&TargetArea { include: corridors(9), exclude: corridors(1) }), None);
        assert_eq!(code(&TargetArea { include: corridors(9), exclude: corridors(2) }), Some("too_many_vertices"));
    }

    #[test]
    fn json_names_what_it_has_and_refuses_what_it_does_not_know() {
        let text = r#"{"include":{"circles":[{"center":[113.0,36.0],"radius_km":2.0}],"areas":["140403"]}}"#;
        let target: TargetArea = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&target).unwrap(), text);
        for bad in [r"{}", r#"{"include":{"polygon":[]}}"#, r#"{"include":{},"except":{}}"#] {
            assert!(serde_json::from_str::<TargetArea>(bad).is_err(), "{bad} was taken");
        }
    }
}
