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

#[cfg(test)]
mod tests {
    use super::super::super::test_app::TestApp;

    #[tokio::test]
    async fn the_page_is_whole_and_asks_no_other_host() {
        let app = TestApp::new();
        let page = app.get("/api/v1/docs").send().await;
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        for (path, kind) in [("/api/v1/docs/viewer.js", "text/javascript"), ("/api/v1/docs/viewer.css", "text/css")] {
            assert!(page.text.contains(path), "{path}");
            let part = app.get(path).send().await;
            assert!(part.status.is_success() && part.headers["content-type"].to_str().unwrap().starts_with(kind));
            assert!(!part.text.is_empty() && !part.text.contains("//cdn") && !part.text.contains("https://"), "{path}");
        }
        assert!(!page.text.contains("https://"));
        let document = app.get("/api/v1/openapi.json").send().await.ok();
        assert!(document["paths"]["/api/v1/me"]["get"].is_object());
    }
}
