//! The description of the API and a page to read it, without any other host.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::OpenApi;

use super::super::App;

const PAGE: &str = include_str!("docs/index.html");
const SCRIPT: &str = include_str!("docs/viewer.js");
const STYLE: &str = include_str!("docs/viewer.css");

/// Routes that are not in the document itself.
pub fn routes(document: &OpenApi) -> Router<App> {
    let json = serde_json::to_string(document).unwrap_or_default();
    Router::new()
        .route("/api/v1/openapi.json", get(async move || file("application/json", json)))
        .route("/api/v1/docs", get(async || file("text/html; charset=utf-8", PAGE)))
        .route("/api/v1/docs/viewer.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/api/v1/docs/viewer.css", get(async || file("text/css; charset=utf-8", STYLE)))
}

fn file(kind: &'static str, text: impl IntoResponse) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text)
}
