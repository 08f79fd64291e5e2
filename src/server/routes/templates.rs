//! Templates of alerts, filled in by the server, and the linter: is it said what, where, when, do what, and who says so?

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::config::templates::{SpokenText, TemplateKind, TemplateRequest, Values};
use crate::domain::alert_content::AlertContent;
use crate::domain::hazard::{Hazard, WarningColour};
use crate::domain::lint::{LintFinding, lint};
use crate::domain::target::TargetArea;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::Json;
use crate::server::time::Rfc3339;

/// A template that there is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TemplateView {
    /// Of what it warns.
    pub hazard: Hazard,
    /// In which colour.
    pub colour: WarningColour,
    /// A warning, its correction or its withdrawal.
    pub kind: TemplateKind,
    /// Names of the blanks that the author fills in.
    pub blanks: Vec<String>,
}

/// What is asked of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderForm {
    /// Of what it warns.
    pub hazard: Hazard,
    /// In which colour.
    pub colour: WarningColour,
    /// A warning, its correction or its withdrawal.
    pub kind: TemplateKind,
    /// Whether it is for an exercise: then every text says so at both ends.
    pub exercise: bool,
    /// When the danger begins; now when not given.
    pub onset: Option<Rfc3339>,
    /// Until when it holds; as long as the template says when not given.
    pub expires: Option<Rfc3339>,
    /// Values for the blanks: language → name → value.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, BTreeMap<String, String>>)]
    pub values: Values,
}

/// A template with its blanks filled in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RenderedView {
    /// The draft's content.
    pub content: AlertContent<Rfc3339>,
    /// What is read out.
    pub loudspeaker: Vec<SpokenText>,
}

/// A text to read as a recipient would.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LintForm {
    /// What it says.
    pub content: AlertContent<Rfc3339>,
    /// Whom it is for: names of these places count as saying where.
    pub target: Option<TargetArea>,
}

/// 预警模板 Every template: hazard, colour and kind, with the blanks that its author fills in.
#[utoipa::path(get, path = "/api/v1/templates", tag = "alerts", responses((status = 200, body = Vec<TemplateView>)),
    extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn list(State(app): State<App>, Caller { actor, .. }: Caller) -> Answer<Json<Vec<TemplateView>>> {
    app.city().may_somewhere(&actor, Action::SeeCompound)?;
    let kinds = |hazard, colour| TemplateKind::ALL.map(|kind| (hazard, colour, kind));
    let colours = |hazard| WarningColour::ALL.into_iter().flat_map(move |colour| kinds(hazard, colour));
    let views = Hazard::ALL.into_iter().flat_map(colours).map(|(hazard, colour, kind)| {
        let blanks = app.templates.blanks(hazard, colour, kind).into_iter().collect();
        TemplateView { hazard, colour, kind, blanks }
    });
    Ok(Json(views.collect()))
}

/// 填写模板 Fills a template in. Nothing is kept or sent.
#[utoipa::path(post, path = "/api/v1/templates/render", tag = "alerts", request_body = RenderForm,
    responses((status = 200, body = RenderedView)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn render(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Json(form): Json<RenderForm>,
) -> Answer<Json<RenderedView>> {
    app.city().may_somewhere(&actor, Action::SeeCompound)?;
    let rendered = app.templates.render(&TemplateRequest {
        hazard: form.hazard,
        colour: form.colour,
        kind: form.kind,
        now: app.now(),
        onset: form.onset.map(Into::into),
        expires: form.expires.map(Into::into),
        utc_offset_min: app.config.city.utc_offset_min,
        values: &form.values,
    })?;
    let rendered = if form.exercise { rendered.for_exercise() } else { rendered };
    Ok(Json(RenderedView { content: rendered.content.into(), loudspeaker: rendered.loudspeaker }))
}

/// 文字检查 Reads a text as a recipient would, and says what is missing. What blocks would be refused on sending.
#[utoipa::path(post, path = "/api/v1/alerts/lint", tag = "alerts", request_body = LintForm,
    responses((status = 200, body = Vec<LintFinding>)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn check(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Json(form): Json<LintForm>,
) -> Answer<Json<Vec<LintFinding>>> {
    let city = app.city();
    city.may_somewhere(&actor, Action::SeeCompound)?;
    let places = match &form.target {
        Some(target) => city.place_words(target, &city.target(target)?),
        None => Vec::new(),
    };
    Ok(Json(lint(&form.content.into(), &places)))
}
