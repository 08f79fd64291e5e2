//! Compounds from GeoJSON features or CSV rows.
//!
//! The layout of the buildings is written `1:2x6x2; 3:1x18x4L`: building 1 has 2 stairwells of 6 floors with 2 doors each, building 3 has
//! 1 of 18 floors with 4 doors each, and a lift. GeoJSON may give it as objects, too.

use serde::Deserialize;
use serde_json::Value;

use crate::city::decide::Section;
use crate::domain::compound::{Compound, CompoundId, Place, VulnerableHousehold};
use crate::domain::datum::Datum;
use crate::domain::geometry::{Point, Polygon};
use crate::domain::household::Building;
use crate::domain::refusal::{Carried, Refusal};

use super::report::{Faults, RowFault};
use super::table::{self, COMPOUND_CODE, Column, Row, optional, required};
use super::{Draft, json_lines, shapes};

const COLUMNS: &[Column] = &[
    required("id", "小区编码"),
    required("name", "名称"),
    required("people", "人口"),
    required("buildings", "楼栋"),
    optional("boundary", "边界"),
    optional("lon", "经度"),
    optional("lat", "纬度"),
    optional("radius_m", "半径米"),
    optional("entrances", "出入口"),
    optional("assembly_points", "集合点"),
];

const LAYOUT_ZH: &str = "如 1:2x6x2; 3:1x18x4L（楼栋:单元数x层数x每层户数，有电梯加 L）";
const LAYOUT: &str = "like 1:2x6x2; 3:1x18x4L (building:stairwells x floors x doors, L with a lift)";

/// Properties of a feature; others are left out and named in the report.
#[derive(Deserialize)]
struct Properties {
    id: CompoundId,
    name: String,
    people: u32,
    buildings: Layout,
    #[serde(default)]
    entrances: Vec<RawPlace>,
    #[serde(default)]
    assembly_points: Vec<RawPlace>,
    #[serde(default)]
    vulnerable: Vec<VulnerableHousehold>,
    #[serde(default)]
    synthetic: bool,
}

const PROPERTIES: [&str; 8] =
    ["id", "name", "people", "buildings", "entrances", "assembly_points", "vulnerable", "synthetic"];

/// Buildings as objects, or in the short form of a table.
#[derive(Deserialize)]
#[serde(untagged)]
enum Layout {
    Objects(Vec<Building>),
    Short(String),
}

/// A place whose datum is not applied yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlace {
    name: String,
    at: [f64; 2],
}

/// Reads a `FeatureCollection`.
pub(super) fn read_geojson(draft: &mut Draft, text: &str, datum: Datum, rows_max: usize) {
    let collection: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return draft.faults.add(RowFault::not_json(error.line(), &error.to_string())),
    };
    let Some(features) = collection.get("features").and_then(Value::as_array) else {
        return draft.faults.add(RowFault::not_json(1, "a FeatureCollection with features is wanted"));
    };
    if features.is_empty() {
        return draft.faults.add(RowFault::no_rows());
    }
    if features.len() > rows_max {
        return draft.faults.add(RowFault::too_many_rows(rows_max));
    }
    let lines = json_lines::of_objects(text, 2);
    draft.rows = features.len();
    for (at, feature) in features.iter().enumerate() {
        let line = lines.get(at).copied().unwrap_or(1);
        note_ignored(draft, feature);
        match compound_of_feature(feature, datum) {
            Ok(compound) => add(draft, line, compound),
            Err(fault) => draft.faults.add(fault.at(line)),
        }
    }
}

fn note_ignored(draft: &mut Draft, feature: &Value) {
    let names =
        feature.get("properties").and_then(Value::as_object).into_iter().flat_map(|properties| properties.keys());
    for name in names.filter(|name| !PROPERTIES.contains(&name.as_str())) {
        if !draft.ignored.contains(name) && draft.ignored.len() < super::report::FAULTS_MAX {
            draft.ignored.push(name.clone());
        }
    }
}

/// What is wrong with a feature, before its line is known.
struct FeatureFault {
    field: &'static str,
    code: String,
    zh: String,
    en: String,
}

impl FeatureFault {
    fn refused(field: &'static str, refusal: &Refusal) -> Self {
        Self { field, code: refusal.code().to_owned(), zh: refusal.zh(), en: refusal.en() }
    }

    fn of_json(field: &'static str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        match Carried::find(&text) {
            Some(Carried { code, zh, en, .. }) => Self { field, code: code.to_owned(), zh, en },
            None => Self {
                field,
                code: "bad_value".to_owned(),
                zh: format!("{field} 有误：{text}"),
                en: format!("{field}: {text}"),
            },
        }
    }

    fn at(self, line: usize) -> RowFault {
        RowFault::new(Some(line), Some(self.field), &self.code, self.zh, self.en)
    }
}

fn compound_of_feature(feature: &Value, datum: Datum) -> Result<Compound, FeatureFault> {
    let part = |name: &str| feature.get(name).cloned().unwrap_or_default();
    let properties: Properties =
        serde_json::from_value(part("properties")).map_err(|error| FeatureFault::of_json("properties", &error))?;
    let boundary = outline(&part("geometry"), datum)?;
    let buildings = match properties.buildings {
        Layout::Objects(buildings) => buildings,
        Layout::Short(text) => layout_of(&text).ok_or_else(|| {
            FeatureFault::refused(
                "buildings",
                &Refusal::BadCompound { compound: properties.id, why: format!("buildings must be {LAYOUT}") },
            )
        })?,
    };
    let places = |field, raw: Vec<RawPlace>| {
        let place = |RawPlace { name, at: [lon, lat] }| Ok(Place { name, at: Point::from_datum(lon, lat, datum)? });
        raw.into_iter().map(place).collect::<Result<_, _>>().map_err(|refusal| FeatureFault::refused(field, &refusal))
    };
    Ok(Compound {
        id: properties.id,
        name: properties.name,
        boundary,
        buildings,
        entrances: places("entrances", properties.entrances)?,
        assembly_points: places("assembly_points", properties.assembly_points)?,
        people: properties.people,
        vulnerable: properties.vulnerable,
        synthetic: properties.synthetic,
    })
}

/// A polygon, or a multi-polygon of one part.
fn outline(geometry: &Value, datum: Datum) -> Result<Polygon, FeatureFault> {
    let bad = |why: &str| FeatureFault::refused("geometry", &Refusal::BadPolygon { why: why.to_owned() });
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    let rings = match (geometry.get("type").and_then(Value::as_str), coordinates.as_array().map(Vec::as_slice)) {
        (Some("Polygon"), _) => coordinates,
        (Some("MultiPolygon"), Some([one])) => one,
        (Some("MultiPolygon"), _) => return Err(bad("a compound has one outline, not several")),
        _ => return Err(bad("a Polygon is wanted")),
    };
    let pair = |value: &Value| Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?]);
    let ring = |value: &Value| value.as_array()?.iter().map(pair).collect::<Option<Vec<_>>>();
    let rings = rings.as_array().and_then(|rings| rings.iter().map(ring).collect::<Option<Vec<_>>>());
    let rings = rings.ok_or_else(|| bad("its coordinates are not rings of [lon, lat]"))?;
    Polygon::from_datum(&rings, datum).map_err(|refusal| FeatureFault::refused("geometry", &refusal))
}

/// Reads a table.
pub(super) fn read_csv(draft: &mut Draft, text: &str, datum: Datum, rows_max: usize) {
    let table = table::read(draft, text, COLUMNS, rows_max);
    for row in table.rows() {
        if let Some(compound) = compound_of_row(&row, datum, &mut draft.faults) {
            add(draft, row.line(), compound);
        }
    }
}

/// Every cell is looked at, so that all that is wrong with a row is said at once.
fn compound_of_row(row: &Row<'_>, datum: Datum, faults: &mut Faults) -> Option<Compound> {
    let id = row.value("id", COMPOUND_CODE, faults);
    let name = row.required("name", faults).map(str::to_owned);
    let people = row.value("people", ("整数", "a whole number"), faults);
    let buildings = row.required("buildings", faults).and_then(|text| {
        let layout = layout_of(text);
        if layout.is_none() {
            faults.add(row.bad("buildings", text, (LAYOUT_ZH, LAYOUT)));
        }
        layout
    });
    let boundary = boundary_of_row(row, datum, faults);
    let entrances = places_of_row(row, "entrances", datum, faults);
    let assembly_points = places_of_row(row, "assembly_points", datum, faults);
    Some(Compound {
        id: id?,
        name: name?,
        boundary: boundary?,
        buildings: buildings?,
        entrances: entrances?,
        assembly_points: assembly_points?,
        people: people?,
        vulnerable: Vec::new(),
        synthetic: false,
    })
}

fn boundary_of_row(row: &Row<'_>, datum: Datum, faults: &mut Faults) -> Option<Polygon> {
    let (field, polygon) = if let Some(text) = row.text("boundary") {
        ("boundary", shapes::polygon_of_wkt(text, datum))
    } else if row.text("lon").is_some() || row.text("lat").is_some() {
        let mut number = |name| row.value::<f64>(name, ("数字", "a number"), faults);
        let (lon, lat, radius_m) = (number("lon"), number("lat"), number("radius_m"));
        if row.text("radius_m").is_none() {
            faults.add(row.missing("radius_m"));
        }
        ("lon", shapes::polygon_round(lon?, lat?, radius_m?, datum))
    } else {
        faults.add(row.missing("boundary"));
        return None;
    };
    noted(polygon, row.line(), field, faults)
}

fn places_of_row(row: &Row<'_>, field: &str, datum: Datum, faults: &mut Faults) -> Option<Vec<Place>> {
    let places = row.text(field).map_or(Ok(Vec::new()), |text| shapes::places_of(text, datum));
    noted(places, row.line(), field, faults)
}

fn noted<T>(read: Result<T, Refusal>, line: usize, field: &str, faults: &mut Faults) -> Option<T> {
    read.map_err(|refusal| faults.add(RowFault::refused(Some(line), Some(field), refusal))).ok()
}

fn add(draft: &mut Draft, line: usize, compound: Compound) {
    draft.lines.insert((Section::Compounds, draft.batch.compounds.len()), line);
    draft.batch.compounds.push(compound);
}

/// `1:2x6x2; 3:1x18x4L`
fn layout_of(text: &str) -> Option<Vec<Building>> {
    let building = |part: &str| {
        let (no, counts) = part.split_once([':', '：'])?;
        let (counts, lift) = counts.trim().strip_suffix(['L', 'l']).map_or((counts, false), |counts| (counts, true));
        let mut counts = counts.split(['x', 'X', '×']).map(|count| count.trim().parse::<u8>());
        let [units, floors, flats_per_floor] = [counts.next()?.ok()?, counts.next()?.ok()?, counts.next()?.ok()?];
        let building = Building { no: no.trim().parse().ok()?, units, floors, flats_per_floor, lift };
        counts.next().is_none().then_some(building)
    };
    text.split([';', '；']).filter(|part| !part.trim().is_empty()).map(building).collect()
}
