//! Looking before sending: whom an area would hit, and the rivers along which it can be drawn.

use std::sync::LazyLock;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::city::targeting::Preview;
use crate::demo;
use crate::domain::cap_words::Severity;
use crate::domain::ids::AlertId;
use crate::domain::target::TargetArea;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Query};

/// What an alert to an area would mean, as far as the caller may send it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewView {
    /// The compounds that the caller may alert. `compounds` is the number to confirm when sending.
    #[serde(flatten)]
    pub preview: Preview,
    /// Compounds that the area hits outside the caller's own: while it is not 0, nothing can be sent to the area.
    pub outside_your_area: usize,
    /// Whether sending such an alert takes a second person's approval.
    pub second_person: bool,
}

/// What is known of the alert that is being written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// The issued alert that it would update: who got that one gets its update too.
    #[param(value_type = Option<String>)]
    updates: Option<AlertId>,
    /// How grave it would be; taken as grave when not given.
    #[param(inline)]
    severity: Option<Severity>,
    /// Whether it would be for an exercise; real when not given.
    exercise: bool,
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
#[utoipa::path(post, path = "/api/v1/targets/preview", tag = "alerts", params(PreviewQuery),
    request_body = TargetArea, responses((status = 200, body = PreviewView)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn preview(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Query(query): Query<PreviewQuery>,
    Json(target): Json<TargetArea>,
) -> Answer<Json<PreviewView>> {
    let city = app.city();
    city.may_somewhere(&actor, Action::SendAlert)?;
    let hits = match query.updates {
        Some(old) => city.update_target(old, &target)?,
        None => city.target(&target)?,
    };
    let all = hits.len();
    let own = hits.into_iter().filter(|id| city.may(&actor, Action::SendAlert, *id).is_ok()).collect();
    let preview = city.preview(own, |person| app.hub.is_connected(person));
    let severity = query.severity.unwrap_or(Severity::Unknown);
    let second_person = app.muster.policy().needs_approval(query.exercise, all, severity);
    Ok(Json(PreviewView { outside_your_area: all - preview.compounds, preview, second_person }))
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
