//! Looking before sending: whom an area would hit, and the rivers along which it can be drawn.

use std::sync::LazyLock;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::city::targeting::Preview;
use crate::demo;
use crate::domain::target::TargetArea;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::Json;

/// What an alert to an area would mean, as far as the caller may send it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewView {
    /// The compounds that the caller may alert. `compounds` is the number to confirm when sending.
    #[serde(flatten)]
    pub preview: Preview,
    /// Compounds that the area hits outside the caller's own: while it is not 0, nothing can be sent to the area.
    pub outside_your_area: usize,
    /// Whether a real alert to so many compounds takes a second person; a grave one does however few they are.
    pub second_person_by_number: bool,
}

/// A river and its course; a line is about 1 km off, so corridors should be wide.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RiverView {
    /// Its name in Chinese.
    pub name: String,
    /// Its stretches, each as `[lon, lat]` points: to be given as the `line` of a corridor.
    pub lines: Vec<Vec<[f64; 2]>>,
}

/// 预览 Says whom an area would hit, by the code that will send; nothing is sent.
#[utoipa::path(post, path = "/api/v1/targets/preview", tag = "alerts", request_body(content = Object),
    responses((status = 200, body = PreviewView)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn preview(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Json(target): Json<TargetArea>,
) -> Answer<Json<PreviewView>> {
    let city = app.city();
    city.may_somewhere(&actor, Action::SendAlert)?;
    let hits = city.target(&target)?;
    let all = hits.len();
    let own = hits.into_iter().filter(|id| city.may(&actor, Action::SendAlert, *id).is_ok()).collect();
    let preview = city.preview(own, |person| app.hub.is_connected(person));
    let policy = app.muster.policy();
    let second_person_by_number = u32::try_from(all).is_ok_and(|n| n > policy.approval_over_compounds);
    Ok(Json(PreviewView { outside_your_area: all - preview.compounds, preview, second_person_by_number }))
}

/// 河流 The rivers of the map, stretch by stretch.
#[utoipa::path(get, path = "/api/v1/rivers", tag = "alerts", responses((status = 200, body = Vec<RiverView>)),
    extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn rivers(State(app): State<App>, Caller { actor, .. }: Caller) -> Answer<Json<Vec<RiverView>>> {
    app.city().may_somewhere(&actor, Action::SeeCompound)?;
    Ok(Json(RIVERS.clone()))
}

/// Read once: the map's files do not change while the server runs.
static RIVERS: LazyLock<Vec<RiverView>> = LazyLock::new(|| {
    let mut rivers: Vec<RiverView> = Vec::new();
    for demo::River { name, line } in demo::rivers() {
        match rivers.iter_mut().find(|river| river.name == name) {
            Some(river) => river.lines.push(line),
            None => rivers.push(RiverView { name, lines: vec![line] }),
        }
    }
    rivers
});
