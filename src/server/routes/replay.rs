//! An incident told again, for the slider of the console's log: how its compounds stood on the map, frame by frame.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::City;
use crate::city::authority::Action;
use crate::city::replay::{Frame, MapChange, Plot, Told};
use crate::domain::actor::Actor;
use crate::domain::area::AreaCode;
use crate::domain::ids::IncidentId;
use crate::domain::refusal::Refusal;
use crate::live::map::areas_of;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Edge};
use crate::server::extract::{Json, Path, Query};
use crate::server::time::Rfc3339;
use crate::server::views::Occasion;

/// Compounds of one replay.
pub const COMPOUNDS_MAX: usize = 10_000;
/// Frames of one replay: a slider has hardly more places.
pub const FRAMES_MAX: usize = 600;
/// States in the frames of one replay: what it holds in memory and sends at most (about 200 bytes each).
pub const STATES_MAX: usize = 100_000;

/// Which part of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReplayQuery {
    /// Only compounds of this area; all of the caller's when not given.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// From how it stood after this record of the journal; from the opening of the incident when not given.
    from: Option<u64>,
    /// To this record; to the closing of the incident, or to now, when not given.
    until: Option<u64>,
    /// Frames at most, 2 to 600; 600 when not given.
    frames: Option<usize>,
}

/// An incident told again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayView {
    /// Which incident.
    pub incident: IncidentId,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// Compounds that the incident ever concerned, of those that the caller sees.
    pub compounds: usize,
    /// Milliseconds within which changes may be in one frame: 0 when each has its own. A shorter part (`from`, `until`) is told finer.
    pub span_ms: u64,
    /// The last record that was looked at.
    pub end: u64,
    /// When it was made.
    pub ends_at: Rfc3339,
    /// How the map stood, in order.
    pub frames: Vec<FrameView>,
}

/// How the map stood after a record, exactly as the live map showed it then.
#[derive(Debug, Serialize, ToSchema)]
pub struct FrameView {
    /// All records up to here are in it.
    pub position: u64,
    /// When the last of them that changed something was made.
    pub at: Rfc3339,
    /// What changed since the frame before; the first says of every compound how it stood.
    pub changes: Vec<MapChange>,
}

impl From<Frame> for FrameView {
    fn from(Frame { position, at, changes }: Frame) -> Self {
        Self { position, at: at.into(), changes }
    }
}

/// 回放 An incident told again on the map, folded anew from the journal; one at a time, refused with `replay_busy` meanwhile.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/replay", tag = "log",
    params(("id" = uuid::Uuid, Path), ReplayQuery), responses((status = 200, body = ReplayView)),
    extensions(("x-muster-action" = json!("see_log"))))]
pub async fn replay(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Query(query): Query<ReplayQuery>,
) -> Answer<Json<ReplayView>> {
    let (plot, occasion) = {
        let city = app.city();
        let plot = plot(&city, &actor, incident, &query)?;
        (plot, Occasion::of_exercise(city.incident(incident)?.incident.exercise))
    };
    let reader = app.journal.clone().ok_or(Refusal::JournalUnavailable {})?;
    let compounds = plot.compounds.len();
    let Told { frames, span_ms, end, ends_at } = app.replays.tell(reader, plot).await?;
    let frames = frames.into_iter().map(FrameView::from).collect();
    Ok(Json(ReplayView { incident, occasion, compounds, span_ms, end, ends_at: ends_at.into(), frames }))
}

/// What is to be told: the compounds of the incident that the caller sees, up to how the city stands now.
fn plot(city: &City, actor: &Actor, incident: IncidentId, query: &ReplayQuery) -> Answer<Plot> {
    let areas = if let Some(area) = query.area {
        city.may_in_area(actor, Action::SeeLog, area)?;
        vec![area]
    } else {
        areas_of(city, actor)
    };
    if areas.is_empty() {
        return Err(Action::SeeLog.not_your_role().into());
    }
    let mut compounds = city.concerned_by(incident)?;
    compounds.retain(|id| areas.iter().any(|area| id.is_in(*area)));
    if compounds.len() > COMPOUNDS_MAX {
        return Err(Edge::ReplayTooLarge { compounds: compounds.len(), max: COMPOUNDS_MAX }.into());
    }
    Ok(Plot {
        incident,
        compounds,
        from: query.from.unwrap_or(0),
        until: query.until.unwrap_or(u64::MAX).min(city.position()),
        frames_max: query.frames.unwrap_or(FRAMES_MAX).clamp(2, FRAMES_MAX),
        states_max: STATES_MAX,
    })
}
