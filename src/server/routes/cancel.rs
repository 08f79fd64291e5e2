//! Cancelling an alert in one step: kind, references and recipients are filled in, the text comes from the ready withdrawal.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::city::City;
use crate::config::templates::{TemplateKind, TemplateRequest, Values};
use crate::domain::alert::{Alert, AlertDraft, AlertKind};
use crate::domain::alert_content::AlertContent;
use crate::domain::cap_words::Language;
use crate::domain::command::Command;
use crate::domain::hazard::WarningColour;
use crate::domain::ids::{AlertId, CommandId};
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path};
use crate::server::order::Orderer;
use crate::server::time::Rfc3339;

use super::making::{Made, follow_up, made_by};

/// Places that a withdrawal names at most.
const PLACES_MAX: usize = 3;

/// How an alert is withdrawn.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelForm {
    /// Id of the cancel; the request's `Idempotency-Key` when not given.
    pub id: Option<Uuid>,
    /// What it says; the ready withdrawal of the hazard's template when not given.
    pub content: Option<AlertContent<Rfc3339>>,
    /// Values for the blanks of that template: language → name → value. `reason` is needed; the others are taken from the alert.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, String>>)]
    pub values: Values,
    /// Whether to send it at once, or only to draft it.
    pub send: bool,
    /// Compounds that got the alert. To send a real one at once needs it.
    pub confirm_compounds: Option<usize>,
}

/// 解除预警 Withdraws an issued alert: drafts the cancel to exactly those who got the alert and, if asked, sends it.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/cancel", tag = "alerts",
    params(("id" = uuid::Uuid, Path)), request_body = CancelForm,
    responses((status = 200, body = Made)), extensions(("x-muster-action" = json!("send_alert"))))]
pub async fn cancel(
    orderer: Orderer,
    Path(replaces): Path<AlertId>,
    Json(form): Json<CancelForm>,
) -> Answer<Json<Made>> {
    let id = made_by(orderer.id, form.id);
    let (send, confirm_compounds) = (form.send, form.confirm_compounds);
    {
        let city = orderer.app.city();
        city.may_send(&orderer.caller.actor, city.alert(replaces)?.alert.compounds())?;
    }
    let draft = Box::new(withdrawal(&orderer.app, AlertId(id), replaces, form)?);
    let done = orderer.give(Command::DraftAlert { id: AlertId(id), draft }).await?.0;
    if !send {
        return Ok(Json(Made { id, done }));
    }
    let submit = Orderer { id: CommandId(follow_up(orderer.id, "submit")), ..orderer };
    let command = Command::SubmitAlert { alert: AlertId(id), confirm_compounds };
    Ok(Json(Made { id, done: submit.give(command).await?.0 }))
}

fn withdrawal(app: &App, id: AlertId, replaces: AlertId, form: CancelForm) -> Result<AlertDraft, Refusal> {
    let city = app.city();
    let old = &city.alert(replaces)?.alert;
    let content = match (form.content, city.alert(id)) {
        (Some(given), _) => given.into(),
        // A repeat of the request: the text was made once, and says when.
        (None, Ok(made)) => made.alert.draft.content.clone(),
        (None, Err(_)) => lifted(app, &city, old, form.values)?,
    };
    let AlertDraft { incident, target, .. } = old.draft.clone();
    Ok(AlertDraft { incident, kind: AlertKind::Cancel { replaces }, content, target })
}

/// The ready withdrawal of the alert's hazard, with what the alert itself says filled in.
fn lifted(app: &App, city: &City, old: &Alert, mut values: Values) -> Result<AlertContent, Refusal> {
    let said = &old.draft.content;
    let places = city.place_words(&old.draft.target, old.compounds());
    let place = places.iter().take(PLACES_MAX).map(String::as_str).collect::<Vec<_>>().join("、");
    for info in &said.infos {
        let given = values.entry(info.language).or_default();
        fill_in(given, "sender", &info.sender_name);
        fill_in(given, "phone", info.contact.as_deref().unwrap_or_default());
    }
    fill_in(values.entry(Language::ZhCn).or_default(), "place", &place);
    let rendered = app.templates.render(&TemplateRequest {
        hazard: said.hazard,
        colour: said.colour.unwrap_or(WarningColour::Blue),
        kind: TemplateKind::Cancel,
        now: app.now(),
        onset: None,
        expires: None,
        utc_offset_min: app.config.city.utc_offset_min,
        values: &values,
    })?;
    let content = AlertContent { colour: said.colour, ..rendered.content };
    // Marked here already, so that a repeat finds the very text that was kept.
    Ok(if old.exercise { content.exercise_marked() } else { content })
}

/// A value that the author did not give.
fn fill_in(values: &mut BTreeMap<String, String>, name: &str, value: &str) {
    if !value.is_empty() {
        values.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
}
