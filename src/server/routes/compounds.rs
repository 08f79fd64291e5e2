//! Residential compounds: the list, one sheet, the map, who is near.
//!
//! What somebody sees is asked for each compound ([`Action::SeeCompound`]); the rest is as if it were not there.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::City;
use crate::city::authority::Action;
use crate::city::gaps::Gap;
use crate::city::map_state::MapState;
use crate::city::state::{CompoundState, PostState};
use crate::domain::actor::Actor;
use crate::domain::aid::Stock;
use crate::domain::area::{Area, AreaCode};
use crate::domain::compound::{Compound, CompoundId, Finding};
use crate::domain::geometry::Point;
use crate::live::map::areas_of;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Edge};
use crate::server::extract::{Json, Path, Query};
use crate::server::time::Rfc3339;

use super::paging::PageOf;

/// Compounds that one question for the nearest gives, at most.
const NEAREST_MAX: usize = 100;
/// Metres that are still a walk.
const WALK_MAX_M: f64 = 5_000.0;
/// Characters that are searched for, at most.
const TEXT_MAX: usize = 100;

/// Which compounds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Those of this area.
    #[param(value_type = Option<String>)]
    pub area: Option<AreaCode>,
    /// Those whose name or code contains this.
    pub text: Option<String>,
    /// Those that lack this.
    pub gap: Option<Gap>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    pub after: Option<CompoundId>,
    /// Entries wanted, 1 to 500; 100 when absent.
    pub limit: Option<usize>,
}

/// A place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NearestQuery {
    /// Degrees east, WGS-84.
    pub lon: f64,
    /// Degrees north, WGS-84.
    pub lat: f64,
    /// How many, 1 to 100.
    pub k: usize,
}

/// How far.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WithinQuery {
    /// Metres from boundary to boundary as the crow flies, at most 5,000.
    pub metres: f64,
}

/// A compound in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompoundRow {
    /// The city's own code.
    pub id: CompoundId,
    /// Its name.
    pub name: String,
    /// Households by the layout of its buildings.
    pub households: u32,
    /// People who live there.
    pub people: u32,
    /// How it stands.
    pub standing: MapState,
}

/// A compound in the list of the register.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisterRow {
    /// Which.
    #[serde(flatten)]
    pub compound: CompoundRow,
    /// What its register lacks.
    pub gaps: Vec<Gap>,
    /// Places at its posts that nobody holds.
    pub vacancies: usize,
}

impl RegisterRow {
    fn of(city: &City, id: CompoundId, state: &CompoundState) -> Self {
        let vacancies = state.posts.iter().map(PostState::vacancies).sum();
        Self { compound: CompoundRow::of(city, id, state), gaps: state.gaps(), vacancies }
    }
}

/// A compound and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearRow {
    /// Metres to its boundary; 0 inside.
    pub metres: f64,
    /// Which.
    #[serde(flatten)]
    pub compound: CompoundRow,
}

/// All that is registered of a compound, as far as the caller may see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompoundSheet {
    /// As surveyed; the vulnerable households only for those who see them.
    pub compound: Compound,
    /// Households by the layout of its buildings.
    pub households: u32,
    /// Households that are helped first, as a number.
    pub vulnerable_households: usize,
    /// City, county, street and community.
    pub areas: Vec<Area>,
    /// How it stands.
    pub standing: MapState,
    /// What the risk survey found; for those who see plans.
    pub findings: Option<Vec<Finding>>,
    /// What it has now; for those who see plans.
    pub stock: Option<Stock>,
    /// When somebody of it was last heard.
    pub heard_at: Option<Rfc3339>,
}

impl CompoundRow {
    fn of(city: &City, id: CompoundId, state: &CompoundState) -> Self {
        let compound = &state.compound;
        let (households, people) = (compound.households(), compound.people);
        Self { id, name: compound.name.clone(), households, people, standing: city.map_state(id, state) }
    }
}

/// The compounds that the actor sees, by code: of an area (or all), after a cursor.
pub(super) fn visible<'a>(
    city: &'a City,
    actor: &'a Actor,
    area: Option<AreaCode>,
    after: Option<CompoundId>,
) -> impl Iterator<Item = (CompoundId, &'a CompoundState)> {
    let narrowed = |granted: AreaCode| match area {
        Some(asked) if granted.contains(asked) => Some(asked),
        Some(asked) => asked.contains(granted).then_some(granted),
        None => Some(granted),
    };
    let granted = areas_of(city, actor).into_iter().filter_map(narrowed);
    let mut spans: Vec<_> = granted.map(CompoundId::all_in).collect();
    let own = actor.person_id().into_iter().flat_map(|person| city.places_of(person));
    let own = own.filter(|id| area.is_none_or(|area| id.is_in(area)));
    let apart: Vec<_> = own.filter(|id| !spans.iter().any(|span| span.contains(id))).collect();
    spans.extend(apart.into_iter().map(|id| id..=id));
    // Spans do not overlap, so compounds come by code.
    spans.sort_unstable_by_key(|span| *span.start());
    let found = spans.into_iter().flat_map(move |span| city.compounds_within(span, after));
    found.map(|(id, state)| (*id, state)).filter(|(id, _)| city.may(actor, Action::SeeCompound, *id).is_ok())
}

/// 小区列表 Compounds that the caller sees, by code
#[utoipa::path(
    get, path = "/api/v1/compounds", tag = "compounds", params(ListQuery),
    responses((status = 200, body = PageOf<RegisterRow>)), extensions(("x-muster-action" = json!("see_compound")))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Answer<Json<PageOf<RegisterRow>>> {
    let text = query.text.unwrap_or_default();
    if text.chars().count() > TEXT_MAX {
        return Err(Edge::BadQuery { why: format!("text: at most {TEXT_MAX} characters") }.into());
    }
    let city = app.city();
    city.may_somewhere(&caller.actor, Action::SeeCompound)?;
    let matches =
        |id: CompoundId, name: &str| text.is_empty() || name.contains(&text) || id.to_string().contains(&text);
    let found = visible(&city, &caller.actor, query.area, query.after)
        .filter(|(id, state)| matches(*id, &state.compound.name))
        .filter(|(_, state)| query.gap.is_none_or(|gap| state.has(gap)))
        .map(|(id, state)| (id, RegisterRow::of(&city, id, state)));
    Ok(Json(PageOf::fill(query.limit, found)))
}

/// 小区档案 One compound
#[utoipa::path(
    get, path = "/api/v1/compounds/{compound}", tag = "compounds", params(("compound" = CompoundId, Path)),
    responses((status = 200, body = CompoundSheet)), extensions(("x-muster-action" = json!("see_compound")))
)]
pub async fn sheet(State(app): State<App>, caller: Caller, Path(id): Path<CompoundId>) -> Answer<Json<CompoundSheet>> {
    let city = app.city();
    city.may(&caller.actor, Action::SeeCompound, id)?;
    let state = city.compound(id)?;
    let may = |action| city.may(&caller.actor, action, id).is_ok();
    let mut compound = (*state.compound).clone();
    if !may(Action::SeeVulnerable) {
        compound.vulnerable.clear();
    }
    Ok(Json(CompoundSheet {
        compound,
        households: state.compound.households(),
        vulnerable_households: state.compound.vulnerable.len(),
        areas: id.areas().into_iter().map(|code| Area { code, name: city.area_name(code) }).collect(),
        standing: city.map_state(id, state),
        findings: may(Action::SeePlans).then(|| state.findings.clone()),
        stock: may(Action::SeePlans).then(|| state.stock.clone()),
        heard_at: state.heard_at.map(Rfc3339::from),
    }))
}

/// 最近的小区 The nearest compounds that the caller sees
#[utoipa::path(
    get, path = "/api/v1/compounds/nearest", tag = "compounds", params(NearestQuery),
    responses((status = 200, body = Vec<NearRow>)), extensions(("x-muster-action" = json!("see_compound")))
)]
pub async fn nearest(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<NearestQuery>,
) -> Answer<Json<Vec<NearRow>>> {
    let place = Point::new(query.lon, query.lat)?;
    if !(1..=NEAREST_MAX).contains(&query.k) {
        return Err(Edge::BadQuery { why: format!("k: 1 to {NEAREST_MAX}") }.into());
    }
    let city = app.city();
    city.may_somewhere(&caller.actor, Action::SeeCompound)?;
    let mut asked = query.k;
    loop {
        // Those that the caller does not see are left out, so more are asked for until there are enough.
        let found = near_rows(&city, &caller.actor, city.spatial().nearest(place, asked));
        if found.len() >= query.k || asked >= city.compound_count() {
            return Ok(Json(found.into_iter().take(query.k).collect()));
        }
        asked = asked.saturating_mul(4);
    }
}

/// 步行可达的小区 Other compounds within walking distance that the caller sees, nearest first
#[utoipa::path(
    get, path = "/api/v1/compounds/{compound}/within", tag = "compounds",
    params(("compound" = CompoundId, Path), WithinQuery), responses((status = 200, body = Vec<NearRow>)),
    extensions(("x-muster-action" = json!("see_compound")))
)]
pub async fn within(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CompoundId>,
    Query(query): Query<WithinQuery>,
) -> Answer<Json<Vec<NearRow>>> {
    if !(0.0..=WALK_MAX_M).contains(&query.metres) {
        return Err(Edge::BadQuery { why: format!("metres: 0 to {WALK_MAX_M}") }.into());
    }
    let city = app.city();
    city.may(&caller.actor, Action::SeeCompound, id)?;
    Ok(Json(near_rows(&city, &caller.actor, city.spatial().within(id, query.metres)?)))
}

fn near_rows(city: &City, actor: &Actor, found: Vec<(CompoundId, f64)>) -> Vec<NearRow> {
    let seen = found.into_iter().filter(|(id, _)| city.may(actor, Action::SeeCompound, *id).is_ok());
    let row = |(id, metres)| Some(NearRow { metres, compound: CompoundRow::of(city, id, city.compound(id).ok()?) });
    seen.filter_map(row).collect()
}

/// Part of the map.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MapQuery {
    /// Those whose box meets this one: `west,south,east,north` in degrees, WGS-84.
    #[param(example = "113.0,36.1,113.2,36.3")]
    pub bbox: Option<String>,
    /// Those of this area.
    #[param(value_type = Option<String>)]
    pub area: Option<AreaCode>,
    /// `next` of the answer before.
    #[param(value_type = Option<String>)]
    pub after: Option<CompoundId>,
}

/// 小区地图 Outlines of the compounds that the caller sees, as GeoJSON
///
/// A `FeatureCollection` of at most 5,000 features by code; where there are more, its member `next` is the `after` to go on with.
/// Properties are those of the list.
#[utoipa::path(
    get, path = "/api/v1/map/compounds", tag = "compounds", params(MapQuery),
    responses((status = 200, description = "FeatureCollection", content_type = "application/geo+json", body = Object)),
    extensions(("x-muster-action" = json!("see_compound")))
)]
pub async fn map(State(app): State<App>, caller: Caller, Query(query): Query<MapQuery>) -> Answer<impl IntoResponse> {
    let corners = query.bbox.as_deref().map(corners_of).transpose()?;
    let city = app.city();
    city.may_somewhere(&caller.actor, Action::SeeCompound)?;
    let boxed = corners.map(|(south_west, north_east)| city.spatial().in_bbox(south_west, north_east));
    let is_in = |id: &CompoundId| boxed.as_ref().is_none_or(|ids| ids.binary_search(id).is_ok());
    let seen = visible(&city, &caller.actor, query.area, query.after).filter(|(id, _)| is_in(id));
    let collection = FeatureCollection::of(&city, seen);
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], serde_json::to_string(&collection).unwrap_or_default()))
}

fn corners_of(bbox: &str) -> Answer<(Point, Point)> {
    let bad = || Edge::BadQuery { why: "bbox: west,south,east,north in degrees".to_owned() };
    let numbers: Vec<f64> = bbox.split(',').map_while(|part| part.trim().parse().ok()).collect();
    match numbers[..] {
        [west, south, east, north] if west <= east && south <= north && bbox.split(',').count() == 4 => {
            Ok((Point::new(west, south)?, Point::new(east, north)?))
        }
        _ => Err(bad().into()),
    }
}

/// Features of one answer.
const FEATURES_MAX: usize = 5_000;

/// GeoJSON as it goes out: written straight from the city, without a tree of values between.
#[derive(Serialize)]
struct FeatureCollection<'a> {
    r#type: &'static str,
    features: Vec<Feature<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<CompoundId>,
}

#[derive(Serialize)]
struct Feature<'a> {
    r#type: &'static str,
    id: CompoundId,
    geometry: Geometry<'a>,
    properties: CompoundRow,
}

#[derive(Serialize)]
struct Geometry<'a> {
    r#type: &'static str,
    coordinates: &'a crate::domain::geometry::Polygon,
}

impl<'a> FeatureCollection<'a> {
    fn of(city: &City, mut seen: impl Iterator<Item = (CompoundId, &'a CompoundState)>) -> Self {
        let feature = |(id, state): (CompoundId, &'a CompoundState)| Feature {
            r#type: "Feature",
            id,
            geometry: Geometry { r#type: "Polygon", coordinates: &state.compound.boundary },
            properties: CompoundRow::of(city, id, state),
        };
        let features: Vec<_> = seen.by_ref().take(FEATURES_MAX).map(feature).collect();
        let next = features.last().map(|last| last.id).filter(|_| seen.next().is_some());
        Self { r#type: "FeatureCollection", features, next }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::super::test_app::{COMPOUND, ELSEWHERE, TestApp};
    use crate::domain::actor::Role;

    fn ids(list: &Value) -> Vec<String> {
        list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn lists_maps_and_neighbours_show_only_what_the_caller_sees() {
        let app = TestApp::with_city().await;
        let city = app.sign_in_as(7, Role::Observer, "1404");
        let read = |path: &str, token: &str| app.get(&format!("/api/v1/{path}")).bearer(token).send();
        let volunteer = app.token_of(3);
        assert_eq!(ids(&read("compounds", &city).await.ok()["items"]), [COMPOUND, ELSEWHERE]);
        assert_eq!(ids(&read("compounds", &volunteer).await.ok()["items"]), [COMPOUND]);
        assert_eq!(ids(&read("map/compounds", &volunteer).await.ok()["features"]), [COMPOUND]);
        let near = "compounds/nearest?lon=113.2&lat=36.19&k=2";
        assert_eq!(ids(&read(near, &city).await.ok()), [ELSEWHERE, COMPOUND]);
        assert_eq!(ids(&read(near, &volunteer).await.ok()), [COMPOUND]);
        let stranger = read("compounds", &app.token_of(9)).await;
        assert_eq!(stranger.problem(), (403, "not_your_role"));
    }

    #[tokio::test]
    async fn what_the_register_lacks_can_be_looked_for() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Observer, "1404");
        let list = |gap: &str| app.get(&format!("/api/v1/compounds?gap={gap}")).bearer(&token).send();
        let vacant = list("vacant_posts").await.ok();
        assert_eq!(ids(&vacant["items"]), [COMPOUND]);
        let row = &vacant["items"][0];
        assert_eq!((&row["vacancies"], &row["gaps"]), (&1.into(), &serde_json::json!(["no_plan", "vacant_posts"])));
        for (gap, lacking) in [("no_posts", &[ELSEWHERE][..]), ("no_deputy", &[ELSEWHERE]), ("no_commander", &[])] {
            assert_eq!(ids(&list(gap).await.ok()["items"]), lacking, "{gap}");
        }
        assert_eq!(ids(&list("no_plan").await.ok()["items"]), [COMPOUND, ELSEWHERE]);
        assert_eq!(list("no_cake").await.problem(), (400, "bad_query"));
    }

    #[tokio::test]
    async fn lists_are_filtered_and_paged() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Observer, "1404");
        let list = |query: &str| app.get(&format!("/api/v1/compounds?{query}")).bearer(&token).send();
        assert_eq!(ids(&list("area=140403002").await.ok()["items"]), [ELSEWHERE]);
        assert_eq!(ids(&list("text=%E5%AE%89%E5%B1%85").await.ok()["items"]), [COMPOUND]);
        let first = list("limit=1").await.ok();
        assert_eq!(first["next"], COMPOUND);
        assert_eq!(ids(&list(&format!("limit=1&after={COMPOUND}")).await.ok()["items"]), [ELSEWHERE]);
        assert_eq!(list("are=1404").await.problem(), (400, "unknown_field"));
        assert_eq!(list("area=14").await.problem(), (400, "bad_query"));
    }

    #[tokio::test]
    async fn the_map_is_cut_by_a_box_and_bad_boxes_are_refused() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Observer, "1404");
        let map = |bbox: &str| app.get(&format!("/api/v1/map/compounds?bbox={bbox}")).bearer(&token).send();
        let found = map("113.19,36,113.3,37").await;
        assert_eq!(found.headers["content-type"], "application/geo+json");
        assert_eq!(ids(&found.ok()["features"]), [ELSEWHERE]);
        for (bbox, wanted) in [
            ("113,36,113", (400, "bad_query")),
            ("113,36,113,37,x", (400, "bad_query")),
            ("114,36,113,37", (400, "bad_query")),
            ("113,36,114,200", (422, "bad_coordinate")),
            ("NaN,36,114,37", (400, "bad_query")),
        ] {
            assert_eq!(map(bbox).await.problem(), wanted, "{bbox}");
        }
        let near = |query: &str| app.get(&format!("/api/v1/compounds/nearest?{query}")).bearer(&token).send();
        assert_eq!(near("lon=113&lat=200&k=1").await.problem(), (422, "bad_coordinate"));
        assert_eq!(near("lon=NaN&lat=36&k=1").await.problem(), (422, "bad_coordinate"));
        assert_eq!(near("lon=113&lat=36&k=101").await.problem(), (400, "bad_query"));
        let far = app.get(&format!("/api/v1/compounds/{COMPOUND}/within?metres=5001")).bearer(&token).send().await;
        assert_eq!(far.problem(), (400, "bad_query"));
    }

    #[tokio::test]
    async fn a_sheet_shows_the_vulnerable_only_to_those_in_command() {
        let app = TestApp::with_city().await;
        let sheet = |token: String| app.get(&format!("/api/v1/compounds/{COMPOUND}")).bearer(&token).send();
        let commander = sheet(app.token_of(1)).await.ok();
        assert_eq!(commander["compound"]["vulnerable"][0]["flat"], "1-1-101");
        let holder = sheet(app.token_of(3)).await.ok();
        assert_eq!(holder["compound"]["vulnerable"], serde_json::json!([]));
        assert_eq!((&holder["vulnerable_households"], &holder["households"]), (&1.into(), &24.into()));
        assert_eq!(sheet(app.token_of(4)).await.problem(), (403, "not_your_area"));
        let unknown = app.get("/api/v1/compounds/140403001001999").bearer(&app.token_of(1)).send().await;
        assert_eq!(unknown.problem(), (403, "not_your_area"), "whether it exists is not said");
    }
}
