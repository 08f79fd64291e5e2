//! Help requests: who waits, the vulnerable first; given to somebody, and ended by somebody with a reason.

use std::ops::Bound::{Excluded, Unbounded};

use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::domain::area::AreaCode;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::help::{HelpKey, HelpOrder, Resolution};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::order::{Done, Orderer};
use crate::server::views::roll::HelpView;

use super::paging::PageOf;

/// Whose requests, and where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HelpQuery {
    /// Only of this area.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Only of this compound.
    #[param(value_type = Option<String>)]
    compound: Option<CompoundId>,
    /// Go on after this request.
    #[param(value_type = Option<String>)]
    after: Option<HelpKey>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 求助列表 Open help requests that the caller may see: the vulnerable first, then the graver, then the longest waiting.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/help", tag = "roll", params(("id" = uuid::Uuid, Path), HelpQuery),
    responses((status = 200, body = PageOf<HelpView>)), extensions(("x-muster-action" = json!("see_roll"))))]
pub async fn list(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Query(query): Query<HelpQuery>,
) -> Answer<Json<PageOf<HelpView>>> {
    let (city, now) = (app.city(), app.now());
    city.may_somewhere(&actor, Action::SeeRoll)?;
    let state = city.incident(incident)?;
    let after: Option<HelpOrder> = match query.after {
        // A request that has ended since keeps its place.
        Some(key) => {
            let gone = Refusal::UnknownHelp { household: key.household };
            Some(state.help.get(&key).ok_or(gone)?.order(key))
        }
        None => None,
    };
    let wanted = |key: &HelpKey| {
        let at = key.household.compound;
        query.area.is_none_or(|area| at.is_in(area))
            && query.compound.is_none_or(|compound| at == compound)
            && city.may(&actor, Action::SeeRoll, at).is_ok()
    };
    let waiting = state.help_queue.range((after.map_or(Unbounded, Excluded), Unbounded));
    let views = waiting.map(|order| order.3).filter(wanted).filter_map(|key| {
        let with_needs = city.may(&actor, Action::SeeVulnerable, key.household.compound).is_ok();
        Some((key, HelpView::of(&city, incident, key, state.help.get(&key)?, now, with_needs)))
    });
    Ok(Json(PageOf::fill(query.limit, views)))
}

/// To whom a request is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignForm {
    /// Which request: `140403001001001/3-2-502/1`.
    pub help: HelpKey,
    /// To whom.
    pub to: PersonId,
}

/// How a request ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndForm {
    /// Which request.
    pub help: HelpKey,
    /// How.
    pub how: Resolution,
    /// Why, at most 300 characters.
    pub reason: String,
}

/// 派人 Gives a request to somebody.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/help/assign", tag = "roll",
    params(("id" = uuid::Uuid, Path)), request_body = AssignForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("keep_help"))))]
pub async fn assign(
    orderer: Orderer,
    Path(incident): Path<IncidentId>,
    Json(form): Json<AssignForm>,
) -> Answer<Json<Done>> {
    let AssignForm { help, to } = form;
    orderer.give(Command::AssignHelp { incident, help, to }).await
}

/// 了结求助 Ends a request, with a reason. Whom it was given to may, too.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/help/end", tag = "roll",
    params(("id" = uuid::Uuid, Path)), request_body = EndForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("keep_help"))))]
pub async fn end(orderer: Orderer, Path(incident): Path<IncidentId>, Json(form): Json<EndForm>) -> Answer<Json<Done>> {
    let EndForm { help, how, reason } = form;
    orderer.give(Command::EndHelp { incident, help, how, reason }).await
}
