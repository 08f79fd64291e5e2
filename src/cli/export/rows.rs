//! What a row of each exported table is.
//!
//! Nested things are JSON in JSON lines and GeoJSON; in CSV they are counted, or listed in one cell with `;` between.

use geo::Centroid as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::city::City;
use crate::city::state::{CompoundState, PostState};
use crate::domain::area::AreaLevel;
use crate::domain::compound::CompoundId;
use crate::domain::event::{Event, Record};
use crate::domain::post::ClaimStatus;
use crate::domain::time::Timestamp;

/// Everything registered, each value with its kind: areas and kinds of posts first, then compound by compound.
pub(super) fn city_values(city: &City) -> impl Iterator<Item = Value> {
    let areas = city.areas().map(|area| json!({"kind": "area", "value": area}));
    let kinds = city.post_kinds().map(|kind| json!({"kind": "post_kind", "value": kind}));
    let compounds = city.compounds().map(|(_, state)| {
        json!({"kind": "compound", "value": &*state.compound, "findings": state.findings, "stock": state.stock,
               "line": state.succession.line, "posts": state.posts.iter().map(post_value).collect::<Vec<_>>(),
               "plans": state.plans, "mode": state.mode})
    });
    areas.chain(kinds).chain(compounds)
}

/// Compounds as they were registered.
pub(super) fn compound_values(city: &City) -> impl Iterator<Item = Value> {
    city.compounds().map(|(_, state)| json!(&*state.compound))
}

/// Posts with their claims.
pub(super) fn post_values(city: &City) -> impl Iterator<Item = Value> {
    city.compounds().flat_map(|(id, state)| {
        let with_compound = move |post| json!({"compound": id, "post": post_value(post)});
        state.posts.iter().map(with_compound)
    })
}

fn post_value(post: &PostState) -> Value {
    json!({"no": post.post.no, "kind": post.post.kind, "headcount": post.post.headcount, "claims": post.claims})
}

/// Plans, every version.
pub(super) fn plan_values(city: &City) -> impl Iterator<Item = Value> {
    city.compounds().flat_map(|(_, state)| state.plans.iter().map(|version| json!(version)))
}

/// Compounds as GeoJSON features: the boundary is the geometry, all else are properties.
pub(super) fn features(city: &City) -> impl Iterator<Item = Value> {
    compound_values(city).map(|mut compound| {
        let rings = compound.as_object_mut().and_then(|object| object.remove("boundary"));
        json!({"type": "Feature", "id": compound["id"],
               "geometry": {"type": "Polygon", "coordinates": rings}, "properties": compound})
    })
}

/// A compound in a spreadsheet.
#[derive(Debug, Serialize)]
pub(super) struct CompoundRow {
    id: CompoundId,
    name: String,
    county: String,
    street: String,
    community: String,
    lon: f64,
    lat: f64,
    people: u32,
    households: u32,
    buildings: usize,
    vulnerable_households: usize,
    findings: usize,
    posts: usize,
    claims: usize,
    commander: String,
    mode: &'static str,
    synthetic: bool,
}

/// Compounds for spreadsheets.
pub(super) fn compounds(city: &City) -> impl Iterator<Item = CompoundRow> {
    city.compounds().map(|(id, state)| compound_row(city, *id, state))
}

fn compound_row(city: &City, id: CompoundId, state: &CompoundState) -> CompoundRow {
    let compound = &state.compound;
    let area = |level| city.area_name(id.area(level));
    let middle = compound.boundary.as_geo().centroid().unwrap_or_default();
    CompoundRow {
        id,
        name: compound.name.clone(),
        county: area(AreaLevel::County),
        street: area(AreaLevel::Street),
        community: area(AreaLevel::Community),
        lon: degrees(middle.x()),
        lat: degrees(middle.y()),
        people: compound.people,
        households: compound.households(),
        buildings: compound.buildings.len(),
        vulnerable_households: compound.vulnerable.len(),
        findings: state.findings.len(),
        posts: state.posts.len(),
        claims: state.posts.iter().map(|post| post.claimants().count()).sum(),
        commander: state.succession.line.first().map(ToString::to_string).unwrap_or_default(),
        mode: if state.incident().is_some() { "emergency" } else { "normal" },
        synthetic: compound.synthetic,
    }
}

/// Six decimals: a tenth of a metre.
fn degrees(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A post in a spreadsheet.
#[derive(Debug, Serialize)]
pub(super) struct PostRow {
    compound: CompoundId,
    compound_name: String,
    no: u16,
    kind: String,
    title: String,
    headcount: u8,
    held: usize,
    people: String,
    applied: usize,
}

/// Posts for spreadsheets.
pub(super) fn posts(city: &City) -> impl Iterator<Item = PostRow> {
    city.compounds().flat_map(move |(id, state)| {
        state.posts.iter().map(move |post| {
            let people: Vec<_> = post.claimants().collect();
            let listed: Vec<_> = people.iter().map(ToString::to_string).collect();
            PostRow {
                compound: *id,
                compound_name: state.compound.name.clone(),
                no: post.post.no,
                kind: post.post.kind.clone(),
                title: city.post_kind(&post.post.kind).map(|kind| kind.title_zh.clone()).unwrap_or_default(),
                headcount: post.post.headcount,
                held: people.len(),
                people: listed.join(";"),
                applied: post.claims.iter().filter(|claim| claim.status == ClaimStatus::Applied).count(),
            }
        })
    })
}

/// A version of a plan in a spreadsheet.
#[derive(Debug, Serialize)]
pub(super) struct PlanRow {
    compound: CompoundId,
    compound_name: String,
    hazard: String,
    version: u32,
    status: &'static str,
    at: String,
    levels: String,
}

/// Plans for spreadsheets.
pub(super) fn plans(city: &City) -> impl Iterator<Item = PlanRow> {
    city.compounds().flat_map(|(id, state)| {
        state.plans.iter().map(|version| {
            let levels: Vec<_> = version.plan.levels.iter().map(|level| word(&level.level)).collect();
            PlanRow {
                compound: *id,
                compound_name: state.compound.name.clone(),
                hazard: word(&version.plan.hazard),
                version: version.version,
                status: version.status.name(),
                at: time(version.at),
                levels: levels.join(";"),
            }
        })
    })
}

/// A record in a spreadsheet.
#[derive(Debug, Serialize)]
pub(super) struct LogRow {
    position: u64,
    at: String,
    id: String,
    giver: String,
    events: usize,
    kinds: String,
}

/// A record for spreadsheets: what kinds of events it carries, without their content.
pub(super) fn log_row(record: &Record) -> LogRow {
    let entry = &record.entry;
    let mut kinds: Vec<_> = entry.events.iter().map(kind).collect();
    kinds.dedup();
    LogRow {
        position: record.position,
        at: time(entry.at),
        id: entry.id.to_string(),
        giver: serde_json::to_string(&entry.giver).unwrap_or_default(),
        events: entry.events.len(),
        kinds: kinds.join(";"),
    }
}

/// The word under which an event stands in JSON.
fn kind(event: &Event) -> String {
    match serde_json::to_value(event) {
        Ok(Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The word under which a value without content stands in JSON.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// RFC 3339, in UTC.
pub(super) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|time| time.to_string()).unwrap_or_default()
}
