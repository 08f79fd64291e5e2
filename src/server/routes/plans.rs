//! Contingency plans from draft to approved, and what they stand on: the risk survey and the stock of a compound.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::domain::aid::Stock;
use crate::domain::command::{Batch, Command, CompoundStock, Survey};
use crate::domain::compound::{CompoundId, Finding};
use crate::domain::hazard::Hazard;
use crate::domain::plan::{ContingencyPlan, LevelPlan, PlanStatus, PlanVersion};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path};
use crate::server::order::{Done, Orderer};
use crate::server::time::Rfc3339;

/// One version of a plan and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// For what.
    pub hazard: Hazard,
    /// 1, 2, 3 … per compound and hazard.
    pub version: u32,
    /// Where it stands.
    pub status: PlanStatus,
    /// Since when.
    pub at: Rfc3339,
    /// What happens at each response level.
    pub levels: Vec<LevelPlan>,
}

impl From<&PlanVersion> for PlanView {
    fn from(version: &PlanVersion) -> Self {
        let PlanVersion { version, status, plan, at } = version.clone();
        Self { hazard: plan.hazard, version, status, at: at.into(), levels: plan.levels }
    }
}

/// A plan as it is written; it becomes the next version's draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanForm {
    /// For what.
    hazard: Hazard,
    /// At most one entry a level.
    levels: Vec<LevelPlan>,
}

/// What the risk survey found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyForm {
    /// Replaces what was found before.
    findings: Vec<Finding>,
}

/// What a compound has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockForm {
    /// Name of the thing (Chinese) and how many; replaces the earlier list.
    stock: Stock,
}

/// 预案 Plans of a compound, all versions
#[utoipa::path(
    get, path = "/api/v1/compounds/{compound}/plans", tag = "plans", params(("compound" = CompoundId, Path)),
    responses((status = 200, body = Vec<PlanView>)), extensions(("x-muster-action" = json!("see_plans")))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(compound): Path<CompoundId>,
) -> Answer<Json<Vec<PlanView>>> {
    let city = app.city();
    city.may(&caller.actor, Action::SeePlans, compound)?;
    Ok(Json(city.compound(compound)?.plans.iter().map(PlanView::from).collect()))
}

/// 起草预案 Write a plan: a draft of the next version
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/plans", tag = "plans", params(("compound" = CompoundId, Path)),
    request_body = PlanForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("write_plan")))
)]
pub async fn draft(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(form): Json<PlanForm>,
) -> Answer<Json<Done>> {
    let plan = ContingencyPlan { compound, hazard: form.hazard, levels: form.levels };
    orderer.give(Command::DraftPlan { plan }).await
}

/// 提交预案 Hand a draft to the street
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/plans/{hazard}/{version}/submit", tag = "plans",
    params(("compound" = CompoundId, Path), ("hazard" = Hazard, Path), ("version" = u32, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("write_plan")))
)]
pub async fn submit(orderer: Orderer, path: Path<(CompoundId, Hazard, u32)>) -> Answer<Json<Done>> {
    let Path((compound, hazard, version)) = path;
    orderer.give(Command::SubmitPlan { compound, hazard, version }).await
}

/// 批准预案 Put a submitted version in force
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/plans/{hazard}/{version}/approve", tag = "plans",
    params(("compound" = CompoundId, Path), ("hazard" = Hazard, Path), ("version" = u32, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("approve_plan")))
)]
pub async fn approve(orderer: Orderer, path: Path<(CompoundId, Hazard, u32)>) -> Answer<Json<Done>> {
    let Path((compound, hazard, version)) = path;
    orderer.give(Command::ApprovePlan { compound, hazard, version }).await
}

/// 风险普查 Enter what the risk survey of a compound found
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/survey", tag = "plans", params(("compound" = CompoundId, Path)),
    request_body = SurveyForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn survey(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(form): Json<SurveyForm>,
) -> Answer<Json<Done>> {
    let surveys = vec![Survey { compound, findings: form.findings }];
    orderer.give(Command::Import(Box::new(Batch { surveys, ..Batch::default() }))).await
}

/// 物资清点 Enter what a compound has
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/stock", tag = "plans", params(("compound" = CompoundId, Path)),
    request_body = StockForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn stock(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(form): Json<StockForm>,
) -> Answer<Json<Done>> {
    let stocks = vec![CompoundStock { compound, stock: form.stock }];
    orderer.give(Command::Import(Box::new(Batch { stocks, ..Batch::default() }))).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::test_app::{COMPOUND, TestApp};
    use crate::domain::actor::Role;

    #[tokio::test]
    async fn a_plan_goes_from_draft_over_submitted_to_approved() {
        let app = TestApp::with_city().await;
        let plans = format!("/api/v1/compounds/{COMPOUND}/plans");
        let (commander, street) = (app.token_of(1), app.sign_in_as(7, Role::Dispatcher, "140403001"));
        let level = json!({ "level": "II", "teams": ["rescue"], "tasks": ["疏散"], "message": "请疏散", "roll_call": true,
            "answer_limit_s": 120 });
        let form = json!({ "hazard": "flood", "levels": [level] });
        app.post(&plans).bearer(&commander).json(&form).send().await.ok();
        let step = |token: &str, step: &str| app.post(&format!("{plans}/flood/1/{step}")).bearer(token).send();
        assert_eq!(step(&street, "approve").await.problem(), (409, "plan_not_there"));
        step(&commander, "submit").await.ok();
        assert_eq!(step(&commander, "approve").await.problem(), (403, "not_your_role"));
        step(&street, "approve").await.ok();
        let list = app.get(&plans).bearer(&app.token_of(3)).send().await.ok();
        assert_eq!((&list[0]["status"], &list[0]["version"]), (&"approved".into(), &1.into()));
        assert_eq!(step(&street, "nonsense").await.problem().0, 404);
        let unknown = app.post(&format!("{plans}/flod/1/submit")).bearer(&street).send().await;
        assert_eq!(unknown.problem(), (400, "bad_path"));
    }

    #[tokio::test]
    async fn findings_and_stock_are_entered_by_who_keeps_the_register() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403001");
        let post = |what: &str, form: serde_json::Value, token: &str| {
            app.post(&format!("/api/v1/compounds/{COMPOUND}/{what}")).bearer(token).json(&form).send()
        };
        let findings = json!({ "findings": [{ "hazard": "flood", "grade": "high", "text": "地下车库易进水" }] });
        post("survey", findings.clone(), &token).await.ok();
        post("stock", json!({ "stock": { "沙袋": 200 } }), &token).await.ok();
        assert_eq!(post("survey", findings, &app.token_of(1)).await.problem(), (403, "not_your_role"));
        let sheet = app.get(&format!("/api/v1/compounds/{COMPOUND}")).bearer(&token).send().await.ok();
        assert_eq!((&sheet["stock"]["沙袋"], &sheet["findings"][0]["grade"]), (&200.into(), &"high".into()));
    }
}
