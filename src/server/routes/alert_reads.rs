//! Reading alerts: what they say, where they stand, and how far they have got, compound by compound and person by person.

use std::cmp::Reverse;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::City;
use crate::city::authority::Action;
use crate::domain::actor::Actor;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{AlertId, IncidentId};
use crate::domain::receipt::{FunnelCounts, Reach};
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::views::alert::{AlertLine, AlertView, ReachView, RecipientView, ShownStatus};
use crate::server::views::people_of;

use super::paging::PageOf;

/// Which alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertsQuery {
    /// Only those that stand there: `awaiting_approval` is what waits for a second person.
    #[param(value_type = Option<String>)]
    status: Option<ShownStatus>,
    /// Only of this incident.
    #[param(value_type = Option<String>)]
    incident: Option<IncidentId>,
    /// Only break-glass alerts that nobody countersigned yet.
    #[serde(default)]
    needs_countersign: bool,
    /// Go on after this one.
    #[param(value_type = Option<String>)]
    after: Option<AlertId>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 预警列表 Alerts that the caller may read, the last drafted first.
///
/// A request looks at no more than 5,000 alerts: a page may be short or empty while there is more; `next` says where to go on.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(AlertsQuery),
    responses((status = 200, body = PageOf<AlertLine>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn list(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Query(query): Query<AlertsQuery>,
) -> Answer<Json<PageOf<AlertLine>>> {
    let (city, now) = (app.city(), app.now());
    let wanted = |line: &AlertLine| {
        query.status.is_none_or(|status| line.status == status)
            && query.incident.is_none_or(|incident| line.incident == incident)
            && (line.needs_countersign || !query.needs_countersign)
    };
    // The cheap questions first: whether one may read an unsent alert takes a look at whom it would hit.
    let readable = |(id, state)| {
        let line = AlertLine::of(id, state, now);
        (id, Some(line).filter(|line| wanted(line) && city.may_read_alert(&actor, id).is_ok()))
    };
    Ok(Json(PageOf::sift(query.limit, city.alerts_newest_first(query.after)?.map(readable))))
}

/// 预警详情 One alert in full.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), responses((status = 200, body = AlertView)),
    extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn one(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
) -> Answer<Json<AlertView>> {
    let city = app.city();
    city.may_read_alert(&actor, id)?;
    Ok(Json(AlertView::of(id, city.alert(id)?, app.now())))
}

/// How far an alert has got.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FunnelView {
    /// All of it that the caller may see.
    #[serde(flatten)]
    pub total: FunnelCounts,
    /// The same county by county, or one level below the area that was asked for.
    pub areas: Vec<AreaFunnel>,
}

/// Counts of an alert in one area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AreaFunnel {
    /// Which.
    pub area: AreaCode,
    /// Its name.
    pub name: String,
    /// How far the alert has got in it.
    #[serde(flatten)]
    pub counts: FunnelCounts,
}

/// Of which area.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AreaQuery {
    /// Only of this area; all that the caller may see when not given.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
}

/// 送达统计 How far an alert has got, in all and area by area.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/funnel", tag = "alerts", params(("id" = uuid::Uuid, Path), AreaQuery),
    responses((status = 200, body = FunnelView)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn funnel(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
    Query(query): Query<AreaQuery>,
) -> Answer<Json<FunnelView>> {
    let city = app.city();
    let level = query.area.map_or(crate::domain::area::AreaLevel::County, |area| below(area.level()));
    let mut total = FunnelCounts::default();
    let mut areas: Vec<AreaFunnel> = Vec::new();
    // Compounds come by code, so those of one area stand together.
    for (compound, reach) in reached(&city, &actor, id, query.area)? {
        let area = compound.area(level);
        total.add(reach);
        if areas.last().is_none_or(|last| last.area != area) {
            areas.push(AreaFunnel { area, name: city.area_name(area), counts: FunnelCounts::default() });
        }
        if let Some(last) = areas.last_mut() {
            last.counts.add(reach);
        }
    }
    Ok(Json(FunnelView { total, areas }))
}

const fn below(level: crate::domain::area::AreaLevel) -> crate::domain::area::AreaLevel {
    use crate::domain::area::AreaLevel::{City, Community, County, Street};
    match level {
        City => County,
        County => Street,
        Street | Community => Community,
    }
}

/// The compounds of an alert that the actor may see, by code, and how far it has got in each.
pub(super) fn reached<'a>(
    city: &'a City,
    actor: &'a Actor,
    id: AlertId,
    area: Option<AreaCode>,
) -> Result<impl Iterator<Item = (CompoundId, &'a Reach)>, Refusal> {
    city.may_read_alert(actor, id)?;
    let state = city.alert(id)?;
    let compounds = state.alert.compounds().iter().copied();
    let seen = move |compound: &CompoundId| {
        area.is_none_or(|area| compound.is_in(area)) && city.may(actor, Action::SeeCompound, *compound).is_ok()
    };
    Ok(compounds.filter(seen).filter_map(|compound| Some((compound, state.reach.get(compound)?))))
}

/// In which order, and which compounds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReachQuery {
    /// Only of this area.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Only those in which nobody in command acknowledged, those with the most people first.
    #[serde(default)]
    unacknowledged: bool,
    /// Go on after this compound.
    #[param(value_type = Option<String>)]
    after: Option<CompoundId>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 各小区送达 How far an alert has got, compound by compound: by code, or the unacknowledged with the most people at risk first.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/compounds", tag = "alerts",
    params(("id" = uuid::Uuid, Path), ReachQuery),
    responses((status = 200, body = PageOf<ReachView>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn compounds(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
    Query(query): Query<ReachQuery>,
) -> Answer<Json<PageOf<ReachView>>> {
    let city = app.city();
    let waits = |reach: &Reach| reach.acknowledged.is_none();
    let rank = |compound: CompoundId| (Reverse(people_of(&city, compound)), compound);
    let after = query.after.map(rank);
    let all = reached(&city, &actor, id, query.area)?;
    if !query.unacknowledged {
        let rest = all.filter(|(id, _)| query.after.is_none_or(|after| *id > after));
        let views = rest.map(|(id, reach)| (id, ReachView::of(&city, id, reach)));
        return Ok(Json(PageOf::fill(query.limit, views)));
    }
    // Those with the most people first: an order that nobody keeps, over the compounds of one alert.
    let mut found: Vec<_> = all.filter(|(_, reach)| waits(reach)).map(|(id, reach)| (rank(id), reach)).collect();
    found.retain(|(place, _)| after.is_none_or(|after| *place > after));
    found.sort_unstable_by_key(|(place, _)| *place);
    let views = found.into_iter().map(|((_, id), reach)| (id, ReachView::of(&city, id, reach)));
    Ok(Json(PageOf::fill(query.limit, views)))
}

/// Of which compound.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecipientsQuery {
    /// Whose people.
    #[param(value_type = String)]
    compound: CompoundId,
}

/// 各人回执 How far an alert has got with each person of a compound: the line first, then post-holders.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/recipients", tag = "alerts",
    params(("id" = uuid::Uuid, Path), RecipientsQuery),
    responses((status = 200, body = Vec<RecipientView>)), extensions(("x-muster-action" = json!("see_contacts"))))]
pub async fn recipients(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
    Query(query): Query<RecipientsQuery>,
) -> Answer<Json<Vec<RecipientView>>> {
    let city = app.city();
    city.may(&actor, Action::SeeContacts, query.compound)?;
    let compound = city.compound(query.compound)?;
    let reach = city.alert(id)?.reach.get(query.compound).ok_or(Refusal::NotARecipient {})?;
    let view = |person| {
        let stage = reach.stage_of(person);
        let at = stage.and_then(|stage| reach.stage_at(person, stage)).map(Into::into);
        RecipientView { person, stage, at, in_line: compound.succession.line.contains(&person) }
    };
    Ok(Json(compound.people().into_iter().map(view).collect()))
}
