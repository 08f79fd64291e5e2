//! Incidents: open, close, switch compounds; and their running counts. Calls to posts are in `duty`.
//!
//! The id of an incident is the `id` that the client gives or, without one, the request's `Idempotency-Key`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::city::authority::Action;
use crate::city::state::IncidentState;
use crate::city::switching::SwitchPreview;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::duty::ModeOrder;
use crate::domain::hazard::Hazard;
use crate::domain::ids::IncidentId;
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::order::{Done, Orderer};
use crate::server::views::compound_name;
use crate::server::views::incident::{IncidentView, TallyView};

use super::making::{Made, made_by};
use super::paging::PageOf;

/// Compounds that a preview of a switch names one by one.
const REFUSED_NAMED_MAX: usize = 100;

/// An incident to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenForm {
    /// Its id; the request's `Idempotency-Key` when not given.
    pub id: Option<Uuid>,
    /// What kind of danger.
    pub hazard: Hazard,
    /// Whether it is an exercise: said here once, for ever, and never assumed.
    pub exercise: bool,
    /// What people call it, at most 100 characters.
    pub title: String,
}

/// Which compounds go to which mode.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchForm {
    /// All compounds of these areas …
    #[serde(default)]
    pub areas: Vec<AreaCode>,
    /// … and these compounds.
    #[serde(default)]
    pub compounds: Vec<CompoundId>,
    /// `"normal"` or `{"emergency": "II"}`.
    pub to: ModeOrder,
}

/// 启动事件 Opens an incident, real or exercise.
#[utoipa::path(post, path = "/api/v1/incidents", tag = "incidents", request_body = OpenForm,
    responses((status = 200, body = Made)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn open(orderer: Orderer, Json(form): Json<OpenForm>) -> Answer<Json<Made>> {
    let id = made_by(orderer.id, form.id);
    let (hazard, exercise, title) = (form.hazard, form.exercise, form.title);
    let command = Command::OpenIncident { id: IncidentId(id), hazard, exercise, title };
    Ok(Json(Made { id, done: orderer.give(command).await?.0 }))
}

/// 结束事件 Closes an incident whose compounds are back to normal and whose help requests have ended.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/close", tag = "incidents", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("switch_duty"))))]
pub async fn close(orderer: Orderer, Path(incident): Path<IncidentId>) -> Answer<Json<Done>> {
    orderer.give(Command::CloseIncident { incident }).await
}

/// 平急转换 Moves compounds between normal and emergency mode: plans activated, posts called, rolls opened; or all of it ended.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/switch", tag = "incidents",
    params(("id" = uuid::Uuid, Path)), request_body = SwitchForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("switch_duty"))))]
pub async fn switch(
    orderer: Orderer,
    Path(incident): Path<IncidentId>,
    Json(form): Json<SwitchForm>,
) -> Answer<Json<Done>> {
    let SwitchForm { areas, compounds, to } = form;
    let command = Command::SwitchDuty { incident, areas, compounds, to };
    orderer.give(command).await
}

/// A compound that an order cannot move, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotSwitched {
    /// Which.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// The stable code of the refusal.
    pub code: &'static str,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
}

/// What an order to another mode would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwitchPreviewView {
    /// In numbers. `compounds` is the number to confirm.
    #[serde(flatten)]
    pub preview: SwitchPreview,
    /// Each compound of `elsewhere` by name, at most 100.
    pub refused: Vec<NotSwitched>,
}

/// 平急转换预览 Says what a switch would do, by the code that will carry it out; nothing is switched.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/switch/preview", tag = "incidents",
    params(("id" = uuid::Uuid, Path)), request_body = SwitchForm,
    responses((status = 200, body = SwitchPreviewView)), extensions(("x-muster-action" = json!("switch_duty"))))]
pub async fn switch_preview(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Json(form): Json<SwitchForm>,
) -> Answer<Json<SwitchPreviewView>> {
    let (city, now) = (app.city(), app.now());
    let SwitchForm { areas, compounds, to } = form;
    let preview = city.preview_switch(&actor, incident, (&areas, &compounds), to, now)?;
    let why = |compound: CompoundId| {
        let refusal = Refusal::OtherIncident { compound };
        let name = compound_name(&city, compound);
        NotSwitched { compound, name, code: refusal.code(), zh: refusal.zh(), en: refusal.en() }
    };
    let refused = preview.elsewhere.iter().copied().take(REFUSED_NAMED_MAX).map(why).collect();
    Ok(Json(SwitchPreviewView { preview, refused }))
}

/// Which incidents.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IncidentsQuery {
    /// Only those that are not closed.
    #[serde(default)]
    open: bool,
    /// Go on after this one.
    #[param(value_type = Option<String>)]
    after: Option<IncidentId>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 事件列表 Incidents, the last opened first, each with the counts of the caller's areas and compounds.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(IncidentsQuery),
    responses((status = 200, body = PageOf<IncidentView>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn list(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Query(query): Query<IncidentsQuery>,
) -> Answer<Json<PageOf<IncidentView>>> {
    let city = app.city();
    city.may_somewhere(&actor, Action::SeeCompound)?;
    let wanted = |state: &IncidentState| !query.open || state.incident.closed_at.is_none();
    let view = |(id, state)| (id, wanted(state).then(|| IncidentView::of(&city, &actor, id, state)));
    Ok(Json(PageOf::sift(query.limit, city.incidents_newest_first(query.after)?.map(view))))
}

/// 事件详情 One incident, with the counts of the caller's areas and compounds.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = uuid::Uuid, Path)), responses((status = 200, body = IncidentView)),
    extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn one(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<IncidentId>,
) -> Answer<Json<IncidentView>> {
    let city = app.city();
    city.may_somewhere(&actor, Action::SeeCompound)?;
    Ok(Json(IncidentView::of(&city, &actor, id, city.incident(id)?)))
}

/// Of which area or compound.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TallyQuery {
    /// Of an area …
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// … or of a compound.
    #[param(value_type = Option<String>)]
    compound: Option<CompoundId>,
}

/// 统计 Running counts of one area or compound: the same cost for a city of ten million households.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/tally", tag = "incidents",
    params(("id" = uuid::Uuid, Path), TallyQuery),
    responses((status = 200, body = TallyView)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn tally(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<IncidentId>,
    Query(query): Query<TallyQuery>,
) -> Answer<Json<TallyView>> {
    let city = app.city();
    let view = match query {
        TallyQuery { area: Some(area), compound: None } => {
            city.may_in_area(&actor, Action::SeeCompound, area)?;
            city.area(area)?;
            TallyView::of_area(&city, city.incident(id)?, area)
        }
        TallyQuery { area: None, compound: Some(compound) } => {
            city.may(&actor, Action::SeeCompound, compound)?;
            city.compound(compound)?;
            TallyView::of_compound(&city, city.incident(id)?, compound)
        }
        TallyQuery { .. } => return Err(Refusal::EmptyArea {}.into()),
    };
    Ok(Json(view))
}

/// Below which area.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChildrenQuery {
    /// The area whose parts are asked for.
    #[param(value_type = String)]
    area: AreaCode,
    /// Go on after this code.
    after: Option<String>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 下级统计 Running counts of the parts of an area: counties of the city … compounds of a community. By code.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/tally/children", tag = "incidents",
    params(("id" = uuid::Uuid, Path), ChildrenQuery),
    responses((status = 200, body = PageOf<TallyView>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn tally_children(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<IncidentId>,
    Query(query): Query<ChildrenQuery>,
) -> Answer<Json<PageOf<TallyView>>> {
    let city = app.city();
    city.may_in_area(&actor, Action::SeeCompound, query.area)?;
    let state = city.incident(id)?;
    // Codes of one level have as many digits, so their order as text is their order as numbers.
    let later = |code: &String| query.after.as_ref().is_none_or(|after| code > after);
    if query.area.level() == AreaLevel::Community {
        let parts = city.compounds_in(query.area).map(|(id, _)| (id.to_string(), *id));
        let views = parts.filter(|(code, _)| later(code));
        let views = views.map(|(code, id)| (code, TallyView::of_compound(&city, state, id)));
        return Ok(Json(PageOf::fill(query.limit, views)));
    }
    let parts = city.areas().filter(|area| area.code.parent() == Some(query.area));
    let views = parts.map(|area| (area.code.to_string(), area.code)).filter(|(code, _)| later(code));
    let views = views.map(|(code, area)| (code, TallyView::of_area(&city, state, area)));
    Ok(Json(PageOf::fill(query.limit, views)))
}
