//! Calls to posts: how an area is staffed, what stays empty, the calls of one compound, and answers.

use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::domain::area::AreaCode;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::duty::Answer as CallAnswer;
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::post::PostKey;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::order::{Done, Orderer};
use crate::server::views::duty::{BoardView, CompoundDutyView, Vacancy, vacancies};

use super::paging::PageOf;

/// Of which area.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BoardQuery {
    /// The area.
    #[param(value_type = String)]
    area: AreaCode,
}

/// 到岗情况 How the posts of an area are staffed: called, coming, there, vacant, and the median time to ready.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/duty", tag = "duty", params(("id" = uuid::Uuid, Path), BoardQuery),
    responses((status = 200, body = BoardView)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn board(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Query(query): Query<BoardQuery>,
) -> Answer<Json<BoardView>> {
    let city = app.city();
    city.may_in_area(&actor, Action::SeeCompound, query.area)?;
    city.area(query.area)?;
    Ok(Json(BoardView::of(&city, incident, query.area)?))
}

/// Of which area, and where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VacanciesQuery {
    /// The area.
    #[param(value_type = String)]
    area: AreaCode,
    /// Go on after this post.
    #[param(value_type = Option<String>)]
    after: Option<PostKey>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 空缺岗位 Called posts with places that nobody fills, by compound and number.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/duty/vacancies", tag = "duty",
    params(("id" = uuid::Uuid, Path), VacanciesQuery),
    responses((status = 200, body = PageOf<Vacancy>)), extensions(("x-muster-action" = json!("see_plans"))))]
pub async fn vacant(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Query(query): Query<VacanciesQuery>,
) -> Answer<Json<PageOf<Vacancy>>> {
    let city = app.city();
    city.may_in_area(&actor, Action::SeePlans, query.area)?;
    let range = CompoundId::all_in(query.area);
    let from = query.after.map_or(*range.start(), |after| after.compound.max(*range.start()));
    let compounds = city.incident(incident)?.in_emergency.range(from..);
    let compounds =
        compounds.take_while(|id| range.contains(id)).filter_map(|id| Some((*id, city.compound(*id).ok()?)));
    let posts = compounds.flat_map(|(id, state)| vacancies(&city, id, state));
    let posts = posts.filter(|vacancy| query.after.is_none_or(|after| vacancy.post > after));
    Ok(Json(PageOf::fill(query.limit, posts.map(|vacancy| (vacancy.post, vacancy)))))
}

/// 小区到岗 The calls of one compound, in the order in which they were made.
#[utoipa::path(get, path = "/api/v1/compounds/{compound}/duty", tag = "duty",
    params(("compound" = String, Path)), responses((status = 200, body = CompoundDutyView)),
    extensions(("x-muster-action" = json!("see_plans"))))]
pub async fn of_compound(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(id): Path<CompoundId>,
) -> Answer<Json<CompoundDutyView>> {
    let city = app.city();
    city.may(&actor, Action::SeePlans, id)?;
    let with_reasons = city.may(&actor, Action::SeeContacts, id).is_ok();
    Ok(Json(CompoundDutyView::of(&city, id, city.compound(id)?, with_reasons)))
}

/// What a called person answers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerForm {
    /// Called to which post: `140403001001001#4`.
    pub post: PostKey,
    /// `"acknowledged"`, `"on_post"` or `{"declined": {"reason": "…"}}`.
    pub answer: CallAnswer,
}

/// What a called person answered by voice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerForForm {
    /// Called to which post.
    pub post: PostKey,
    /// Who answered.
    pub person: PersonId,
    /// What.
    pub answer: CallAnswer,
}

/// 答复到岗通知 The caller answers a call to a post.
#[utoipa::path(post, path = "/api/v1/calls/answer", tag = "duty", request_body = AnswerForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("own"))))]
pub async fn answer(orderer: Orderer, Json(form): Json<AnswerForm>) -> Answer<Json<Done>> {
    let AnswerForm { post, answer } = form;
    orderer.give(Command::AnswerCall { post, answer }).await
}

/// 代为答复 A commander or dispatcher notes what a called person answered by voice.
#[utoipa::path(post, path = "/api/v1/calls/answer-for", tag = "duty", request_body = AnswerForForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("answer_for_others"))))]
pub async fn answer_for(orderer: Orderer, Json(form): Json<AnswerForForm>) -> Answer<Json<Done>> {
    let AnswerForForm { post, person, answer } = form;
    orderer.give(Command::AnswerCallFor { post, person, answer }).await
}
