//! Who commands a compound: the line of succession, and how the command is handed on.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::domain::command::{Command, Line};
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::succession::{LINE_MAX, Succession};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path};
use crate::server::order::{Done, Orderer};

/// Who commands a compound.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandView {
    /// The line, who holds the command now, and its epoch.
    #[serde(flatten)]
    pub succession: Succession,
    /// Whether nobody of the compound itself can be reached.
    pub has_nobody: bool,
}

/// Commander and deputies, as they shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineForm {
    /// Commander first; at most 10 people, all in the directory.
    line: Vec<PersonId>,
}

/// To whom the command is offered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferForm {
    /// Somebody of the line.
    to: PersonId,
}

/// 指挥 Who commands a compound, and who would follow
#[utoipa::path(
    get, path = "/api/v1/compounds/{compound}/command", tag = "compounds", params(("compound" = CompoundId, Path)),
    responses((status = 200, body = CommandView)), extensions(("x-muster-action" = json!("see_plans")))
)]
pub async fn command(
    State(app): State<App>,
    caller: Caller,
    Path(compound): Path<CompoundId>,
) -> Answer<Json<CommandView>> {
    let city = app.city();
    city.may(&caller.actor, Action::SeePlans, compound)?;
    let succession = city.compound(compound)?.succession.clone();
    Ok(Json(CommandView { has_nobody: succession.has_nobody(), succession }))
}

/// 任命指挥长 Name commander and deputies
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/command/line", tag = "compounds", params(("compound" = CompoundId, Path)),
    request_body = LineForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn appoint(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(LineForm { line }): Json<LineForm>,
) -> Answer<Json<Done>> {
    if line.len() <= LINE_MAX {
        orderer.check_known(&line).await?;
    }
    orderer.give(Command::AppointLine(Line { compound, line })).await
}

/// 移交指挥权 Offer the command to somebody of the line
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/command/offer", tag = "compounds",
    params(("compound" = CompoundId, Path)), request_body = OfferForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("hand_over")))
)]
pub async fn offer(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(form): Json<OfferForm>,
) -> Answer<Json<Done>> {
    orderer.give(Command::OfferCommand { compound, to: form.to }).await
}

/// 接受指挥权 Take the command that was offered
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/command/accept", tag = "compounds",
    params(("compound" = CompoundId, Path)), responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("own")))
)]
pub async fn accept(orderer: Orderer, Path(compound): Path<CompoundId>) -> Answer<Json<Done>> {
    orderer.give(Command::AcceptCommand { compound }).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::test_app::{COMPOUND, TestApp, person};
    use crate::domain::actor::Role;

    #[tokio::test]
    async fn the_command_is_offered_accepted_and_the_old_epoch_ends() {
        let app = TestApp::with_city().await;
        let path = |step: &str| format!("/api/v1/compounds/{COMPOUND}/command{step}");
        let (first, second) = (app.token_of(1), app.token_of(2));
        assert_eq!(app.post(&path("/accept")).bearer(&second).send().await.problem(), (409, "not_offered"));
        let offer = |epoch: &str, to: u128| {
            let form = json!({ "to": person(to) });
            app.post(&path("/offer")).bearer(&first).header("muster-epoch", epoch).json(&form).send()
        };
        offer("1", 2).await.ok();
        app.post(&path("/accept")).bearer(&second).send().await.ok();
        assert_eq!(offer("1", 2).await.problem(), (409, "stale_epoch"));
        let bad = app.post(&path("/accept")).bearer(&second).header("muster-epoch", "x").send().await;
        assert_eq!(bad.problem(), (400, "bad_header"));
        let view = app.get(&path("")).bearer(&second).send().await.ok();
        assert_eq!((&view["holder"]["person"], &view["epoch"]), (&json!(person(2)), &2.into()));
    }

    #[tokio::test]
    async fn nobody_unknown_is_put_in_command() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403001");
        let appoint = |n: u128| {
            let form = json!({ "line": [person(n)] });
            app.post(&format!("/api/v1/compounds/{COMPOUND}/command/line")).bearer(&token).json(&form).send()
        };
        assert_eq!(appoint(99).await.problem(), (404, "unknown_person"));
        appoint(5).await.ok();
    }
}
