//! Mutual aid: who is near and what they have, what was sent, and what came back.
//!
//! The id of a dispatch is the `id` that the client gives or, without one, the request's `Idempotency-Key`.

use std::ops::Bound::{Excluded, Unbounded};

use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::city::authority::Action;
use crate::domain::aid::Dispatch;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{DispatchId, IncidentId};
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::order::{Done, Orderer};
use crate::server::views::aid::{DispatchView, Neighbour};

use super::making::{Made, made_by};
use super::paging::PageOf;

/// How far mutual aid may be looked for, m.
pub const WITHIN_MAX_M: f64 = 20_000.0;
/// How far when the caller does not say: a walk of a quarter of an hour, m.
const WITHIN_DEFAULT_M: f64 = 1_000.0;
/// Neighbours that one answer lists.
const NEIGHBOURS_MAX: usize = 200;

/// Something to send to another compound.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DispatchForm {
    /// Its id; the request's `Idempotency-Key` when not given.
    pub id: Option<Uuid>,
    /// Under which incident.
    pub incident: IncidentId,
    /// Who sends.
    pub from: CompoundId,
    /// Who gets; in emergency mode under the incident.
    pub to: CompoundId,
    /// What, as the sender's stock calls it.
    pub resource: String,
    /// How many.
    pub quantity: u32,
}

/// 调运物资 Sends something from one compound to another.
#[utoipa::path(post, path = "/api/v1/dispatches", tag = "aid", request_body = DispatchForm,
    responses((status = 200, body = Made)), extensions(("x-muster-action" = json!("send_resources"))))]
pub async fn send(orderer: Orderer, Json(form): Json<DispatchForm>) -> Answer<Json<Made>> {
    let id = made_by(orderer.id, form.id);
    let DispatchForm { incident, from, to, resource, quantity, .. } = form;
    let dispatch = Dispatch { incident, from, to, resource, quantity };
    let command = Command::DispatchResource { id: DispatchId(id), dispatch };
    Ok(Json(Made { id, done: orderer.give(command).await?.0 }))
}

/// 归还 Notes that what was sent came back.
#[utoipa::path(post, path = "/api/v1/dispatches/{id}/return", tag = "aid", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("send_resources"))))]
pub async fn take_back(orderer: Orderer, Path(id): Path<DispatchId>) -> Answer<Json<Done>> {
    orderer.give(Command::ReturnResource { id }).await
}

/// Where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DispatchesQuery {
    /// Go on after this one.
    #[param(value_type = Option<String>)]
    after: Option<DispatchId>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 在途物资 What was sent and is not back, from or to compounds that the caller may see; by id.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/dispatches", tag = "aid",
    params(("id" = uuid::Uuid, Path), DispatchesQuery),
    responses((status = 200, body = PageOf<DispatchView>)), extensions(("x-muster-action" = json!("see_plans"))))]
pub async fn list(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Query(query): Query<DispatchesQuery>,
) -> Answer<Json<PageOf<DispatchView>>> {
    let city = app.city();
    city.may_somewhere(&actor, Action::SeePlans)?;
    let seen = |id: CompoundId| city.may(&actor, Action::SeePlans, id).is_ok();
    let open = city.incident(incident)?.dispatches.range((query.after.map_or(Unbounded, Excluded), Unbounded));
    let open = open.filter(|(_, sent)| seen(sent.dispatch.from) || seen(sent.dispatch.to));
    Ok(Json(PageOf::fill(query.limit, open.map(|(id, sent)| (*id, DispatchView::of(&city, *id, sent))))))
}

/// How far.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NeighboursQuery {
    /// Metres, boundary to boundary as the crow flies, above 0 and at most 20,000; 1,000 when not given.
    within_m: Option<f64>,
}

/// 邻近力量 The nearest compounds that could help, at most 200, nearest first.
///
/// Whoever sees a compound's plans sees its free hands and stock here. A commander sees of every other compound within 3 km that it
/// is there, how far, in which mode, and which office commands it: enough to ask its community or street for help. Nobody is named.
#[utoipa::path(get, path = "/api/v1/compounds/{compound}/neighbours", tag = "aid",
    params(("compound" = String, Path), NeighboursQuery),
    responses((status = 200, body = Vec<Neighbour>)), extensions(("x-muster-action" = json!("see_neighbours"))))]
pub async fn neighbours(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<CompoundId>,
    Query(query): Query<NeighboursQuery>,
) -> Answer<Json<Vec<Neighbour>>> {
    let within_m = query.within_m.unwrap_or(WITHIN_DEFAULT_M);
    if !(within_m > 0.0 && within_m <= WITHIN_MAX_M) {
        let radius_km = (within_m / 1_000.0).to_string();
        return Err(Refusal::BadCircle { radius_km, max_km: WITHIN_MAX_M / 1_000.0 }.into());
    }
    let city = app.city();
    let near = city.neighbours(&actor, id, within_m, NEIGHBOURS_MAX)?;
    Ok(Json(near.iter().map(|near| Neighbour::of(&city, near)).collect()))
}
