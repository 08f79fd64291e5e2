//! How an alert gets on: its counts over time, and how the command is passed on where nobody acknowledges.

use std::cmp::Reverse;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::domain::alert::AlertKind;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::curve::Curve;
use crate::domain::ids::AlertId;
use crate::domain::receipt::FunnelCounts;
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::time::Rfc3339;
use crate::server::views::escalation::{EscalationView, PassedOnView};

use super::alert_reads::reached;
use super::paging::limit_of;

/// The time that a curve spans when the caller does not say, s.
const SPAN_DEFAULT_S: u32 = 3_600;

/// Which part of the curve.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CurveQuery {
    /// Only of this area; all that the caller may see when not given.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Only the first so many seconds after it was sent, 60 to 604,800; 3,600 when not given.
    span_s: Option<u32>,
}

/// How far an alert had got at even steps after it was sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CurveView {
    /// When it was sent.
    pub sent: Rfc3339,
    /// Seconds from one point to the next; the last may be nearer.
    pub step_s: u32,
    /// Seconds after it was sent until which each holder must acknowledge before the next is asked; `null` for a cancel, of which no
    /// acknowledgement is asked.
    pub ack_timeout_s: Option<u32>,
    /// From its sending on: at most 121, up to the end of the span or now, whichever comes first.
    pub points: Vec<CurvePoint>,
}

/// How far an alert had got by some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct CurvePoint {
    /// Seconds after it was sent.
    pub after_s: u32,
    /// What had happened by then.
    #[serde(flatten)]
    pub counts: FunnelCounts,
}

/// 送达曲线 How far an alert had got over time: the counts of its funnel at even steps after it was sent.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/curve", tag = "alerts", params(("id" = uuid::Uuid, Path), CurveQuery),
    responses((status = 200, body = CurveView)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn curve(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
    Query(query): Query<CurveQuery>,
) -> Answer<Json<CurveView>> {
    let (city, now) = (app.city(), app.now());
    let mut reached = reached(&city, &actor, id, query.area)?.map(|(_, reach)| reach).peekable();
    let alert = &city.alert(id)?.alert;
    let (Some(issue), Some(first)) = (&alert.issue, reached.peek()) else {
        return Err(Refusal::NotARecipient {}.into());
    };
    let sent_at = first.sent_at;
    let mut curve = Curve::new(query.span_s.unwrap_or(SPAN_DEFAULT_S), first.after_ms(now));
    reached.for_each(|reach| curve.add(reach));
    let asks = !matches!(alert.draft.kind, AlertKind::Cancel { .. });
    let points = curve.points().map(|(after_s, counts)| CurvePoint { after_s, counts });
    Ok(Json(CurveView {
        sent: sent_at.into(),
        step_s: curve.step_s,
        ack_timeout_s: asks.then_some(issue.ack_timeout_s),
        points: points.collect(),
    }))
}

/// Of which compound.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EscalationQuery {
    /// Whose line of succession.
    #[param(value_type = String)]
    compound: CompoundId,
}

/// 叫应递补 Who was asked to acknowledge an alert for a compound, until when, and whose turn comes next.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/escalation", tag = "alerts",
    params(("id" = uuid::Uuid, Path), EscalationQuery),
    responses((status = 200, body = EscalationView)), extensions(("x-muster-action" = json!("see_plans"))))]
pub async fn escalation(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
    Query(EscalationQuery { compound }): Query<EscalationQuery>,
) -> Answer<Json<EscalationView>> {
    let city = app.city();
    city.may(&actor, Action::SeePlans, compound)?;
    let reach = city.alert(id)?.reach.get(compound).ok_or(Refusal::NotARecipient {})?;
    Ok(Json(EscalationView::of(&city, compound, &city.compound(compound)?.succession, reach)))
}

/// Which steps.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PassedOnQuery {
    /// Only of this area; all that the caller may see when not given.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Steps at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 递补经过 The last times that the command of a compound was passed on because nobody acknowledged an alert in time, latest first.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/passed-on", tag = "alerts",
    params(("id" = uuid::Uuid, Path), PassedOnQuery),
    responses((status = 200, body = Vec<PassedOnView>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn passed_on(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<AlertId>,
    Query(query): Query<PassedOnQuery>,
) -> Answer<Json<Vec<PassedOnView>>> {
    let city = app.city();
    let mut steps = Vec::new();
    for (compound, reach) in reached(&city, &actor, id, query.area)? {
        let passed_on = (0..).zip(&reach.asked).filter(|(_, asked)| asked.after_silence);
        steps.extend(passed_on.map(|(no, asked)| (Reverse(asked.at), compound, no, reach)));
    }
    steps.sort_unstable_by_key(|(at, compound, no, _)| (*at, *compound, *no));
    steps.truncate(limit_of(query.limit));
    let view = |(_, compound, no, reach)| {
        PassedOnView::of(&city, compound, &city.compound(compound).ok()?.succession, reach, no)
    };
    Ok(Json(steps.into_iter().filter_map(view).collect()))
}
