//! The map's state over HTTP: for those who do not hold a socket. The same states as the live map's.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::city::map_state::MapState;
use crate::config::base_map::BaseMap;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::live::map::{areas_of, snapshot_part};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, PAGE_MAX, Query};

/// Which part of the map.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MapQuery {
    /// Only this area; all of the caller's when not given.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Go on after this compound.
    #[param(value_type = Option<String>)]
    after: Option<CompoundId>,
    /// Compounds at most, 1 to 500; 500 when not given.
    limit: Option<usize>,
}

/// Part of the map as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MapPage {
    /// Position of the journal at which it stood so: where a socket's `resume` goes on.
    pub position: u64,
    /// Of which journal.
    pub epoch: String,
    /// How the compounds stand, by code.
    pub items: Vec<MapState>,
    /// To be given as `after` to go on; `null` at the end.
    pub next: Option<CompoundId>,
}

/// 底图 The city's own base map below the compounds; `null` where it has none.
#[utoipa::path(get, path = "/api/v1/map/base", tag = "map",
    responses((status = 200, body = Option<BaseMap>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn base(State(app): State<App>, Caller { actor, .. }: Caller) -> Answer<Json<Option<Arc<BaseMap>>>> {
    app.city().may_somewhere(&actor, Action::SeeCompound)?;
    Ok(Json(app.base_map.clone()))
}

/// 态势 How the compounds of the caller's areas stand, in numbers.
#[utoipa::path(get, path = "/api/v1/map/state", tag = "map",
    params(MapQuery), responses((status = 200, body = MapPage)),
    extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn state(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Query(query): Query<MapQuery>,
) -> Answer<Json<MapPage>> {
    let city = app.city();
    let areas = if let Some(area) = query.area {
        city.may_in_area(&actor, Action::SeeCompound, area)?;
        vec![area]
    } else {
        city.may_somewhere(&actor, Action::SeeCompound)?;
        areas_of(&city, &actor)
    };
    let limit = query.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let (items, more) = snapshot_part(&city, &areas, query.after, limit);
    let next = items.last().map(|state| state.id).filter(|_| more);
    let (position, epoch) = (city.position(), app.muster.journal_epoch().to_string());
    Ok(Json(MapPage { position, epoch, items, next }))
}
