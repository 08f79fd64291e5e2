//! Orders about alerts: draft, send, approve, update, cancel, break glass; and what recipients answer. Reading is in `alert_reads`.
//!
//! The id of an alert is the `id` that the client gives or, without one, the request's `Idempotency-Key`: a repeat answers with the
//! first one's id.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::alert::{AlertDraft, AlertKind};
use crate::domain::alert_content::AlertContent;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{AlertId, IncidentId};
use crate::domain::receipt::Stage;
use crate::domain::target::TargetArea;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path};
use crate::server::order::{Done, Orderer};
use crate::server::time::Rfc3339;

use super::making::{Made, follow_up, made_by};

/// A new alert as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftForm {
    /// Its id; the request's `Idempotency-Key` when not given.
    pub id: Option<Uuid>,
    /// Under which incident; real or exercise is the incident's.
    pub incident: IncidentId,
    /// What it says.
    pub content: AlertContent<Rfc3339>,
    /// Whom it is for.
    pub target: TargetArea,
}

/// A draft written anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedraftForm {
    /// What it says.
    pub content: AlertContent<Rfc3339>,
    /// Whom it is for; as before when not given.
    pub target: Option<TargetArea>,
}

/// What an update says. Incident, kind and references are filled in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateForm {
    /// Id of the update; the request's `Idempotency-Key` when not given.
    pub id: Option<Uuid>,
    /// What it says.
    pub content: AlertContent<Rfc3339>,
    /// Whom it is for; as the alert that it replaces when not given. Who got that one gets this one too.
    pub target: Option<TargetArea>,
}

/// How many compounds the sender has seen in the preview.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmForm {
    /// Compounds that it hits. A real alert needs it; where given, it must still hold.
    pub confirm_compounds: Option<usize>,
}

/// Why an alert is rejected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectForm {
    /// Why, at most 300 characters.
    pub reason: String,
}

/// How far an alert has got on the caller's phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptForm {
    /// How far.
    pub stage: Stage,
}

/// A commander alone alerts the own compound because life is in danger.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassForm {
    /// Its id; the request's `Idempotency-Key` when not given.
    pub id: Option<Uuid>,
    /// Under which incident; a real one is opened when not given or not there.
    pub incident: Option<IncidentId>,
    /// The own compound.
    pub compound: CompoundId,
    /// What it says; severity must be Extreme or Severe, urgency Immediate.
    pub content: AlertContent<Rfc3339>,
    /// Why there was no time for a second person.
    pub reason: String,
}

/// 起草预警 Writes an alert. Nothing is sent.
#[utoipa::path(post, path = "/api/v1/alerts", tag = "alerts", request_body = DraftForm,
    responses((status = 200, body = Made)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn draft(orderer: Orderer, Json(form): Json<DraftForm>) -> Answer<Json<Made>> {
    let id = made_by(orderer.id, form.id);
    let (incident, content, target) = (form.incident, form.content.into(), form.target);
    let draft = Box::new(AlertDraft { incident, kind: AlertKind::Alert, content, target });
    let done = orderer.give(Command::DraftAlert { id: AlertId(id), draft }).await?.0;
    Ok(Json(Made { id, done }))
}

/// 修改草稿 Writes a draft (or what was rejected) anew. Kind and incident stay.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/draft", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = RedraftForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn redraft(orderer: Orderer, Path(id): Path<AlertId>, Json(form): Json<RedraftForm>) -> Answer<Json<Done>> {
    let old = orderer.app.city().alert(id)?.alert.draft.clone();
    let target = form.target.unwrap_or(old.target);
    let draft = Box::new(AlertDraft { content: form.content.into(), target, ..old });
    orderer.give(Command::DraftAlert { id, draft }).await
}

/// 提交预警 Sends a draft, or queues it for a second person where the rule asks for one.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/submit", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = ConfirmForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn submit(orderer: Orderer, Path(alert): Path<AlertId>, Json(form): Json<ConfirmForm>) -> Answer<Json<Done>> {
    let command = Command::SubmitAlert { alert, confirm_compounds: form.confirm_compounds };
    orderer.give(command).await
}

/// 审批通过 The second person sends what waits.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/approve", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = ConfirmForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn approve(
    orderer: Orderer,
    Path(alert): Path<AlertId>,
    Json(form): Json<ConfirmForm>,
) -> Answer<Json<Done>> {
    let command = Command::ApproveAlert { alert, confirm_compounds: form.confirm_compounds };
    orderer.give(command).await
}

/// 退回 The second person says no.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/reject", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = RejectForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn reject(orderer: Orderer, Path(alert): Path<AlertId>, Json(form): Json<RejectForm>) -> Answer<Json<Done>> {
    orderer.give(Command::RejectAlert { alert, reason: form.reason }).await
}

/// 补签 A dispatcher puts their name under a break-glass alert afterwards.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/countersign", tag = "alerts", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn countersign(orderer: Orderer, Path(alert): Path<AlertId>) -> Answer<Json<Done>> {
    orderer.give(Command::CountersignAlert { alert }).await
}

/// 收到 "Received": where the caller commands, the line of succession rests.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("own"))))]
pub async fn acknowledge(orderer: Orderer, Path(alert): Path<AlertId>) -> Answer<Json<Done>> {
    orderer.give(Command::AcknowledgeAlert { alert }).await
}

/// 回执 The caller's phone says that the alert is there or on the screen.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/receipt", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = ReceiptForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("own"))))]
pub async fn receipt(
    orderer: Orderer,
    Path(alert): Path<AlertId>,
    Json(form): Json<ReceiptForm>,
) -> Answer<Json<Done>> {
    orderer.give(Command::ReportReceipt { alert, stage: form.stage }).await
}

/// 更新预警 Drafts the update of an issued alert; it is sent by `submit`.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/update", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = UpdateForm,
    responses((status = 200, body = Made)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn update(
    orderer: Orderer,
    Path(replaces): Path<AlertId>,
    Json(form): Json<UpdateForm>,
) -> Answer<Json<Made>> {
    let id = made_by(orderer.id, form.id);
    let old = orderer.app.city().alert(replaces)?.alert.draft.clone();
    let (kind, target) = (AlertKind::Update { replaces }, form.target.unwrap_or(old.target));
    let draft = Box::new(AlertDraft { incident: old.incident, kind, content: form.content.into(), target });
    let done = orderer.give(Command::DraftAlert { id: AlertId(id), draft }).await?.0;
    Ok(Json(Made { id, done }))
}

/// 紧急直发 A commander alone alerts the own compound because life is in danger. Flagged, to be countersigned.
#[utoipa::path(post, path = "/api/v1/alerts/break-glass", tag = "alerts", request_body = BreakGlassForm,
    responses((status = 200, body = Made)), extensions(("x-muster-action" = json!("break_glass"))))]
pub async fn break_glass(orderer: Orderer, Json(form): Json<BreakGlassForm>) -> Answer<Json<Made>> {
    let id = made_by(orderer.id, form.id);
    let incident = form.incident.unwrap_or(IncidentId(follow_up(orderer.id, "incident")));
    let (compound, content, reason) = (form.compound, Box::new(form.content.into()), form.reason);
    let command = Command::BreakGlassAlert { id: AlertId(id), incident, compound, content, reason };
    let done = orderer.give(command).await?.0;
    Ok(Json(Made { id, done }))
}
