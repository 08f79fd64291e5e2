//! The stack that every request goes through, outermost first: security headers, gzip, request id and language, trace, panics,
//! time. Nothing else lives here; each layer is one function or one line.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};
use uuid::Uuid;

use crate::config::sections::MapConfig;

use super::App;
use super::error::{Edge, Problem};
use super::language::Language;
use super::routes::imports;

/// Pages load what we serve and nothing else, but for the tiles of a base map of the city's own; the map's worker may be a blob,
/// its images may be drawn. A page adds what stands in it (`assets::page`).
pub fn content_security_policy(map: &MapConfig) -> String {
    let tiles = map.base_origin().map(|origin| format!(" {origin}")).unwrap_or_default();
    format!(
        "default-src 'self'; img-src 'self' data: blob:{tiles}; connect-src 'self'{tiles}; worker-src 'self' blob:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
/// Header with the id of a request, going out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in logs and problems. Made here, never taken from the client.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Uuid);

/// Puts the stack round the routes.
pub fn stack(router: Router, app: &App) -> Router {
    let (server, import) = (&app.config.server, &app.config.import);
    let limits = TimeLimits {
        request: Duration::from_secs(server.request_timeout_s),
        import: Duration::from_secs(import.request_timeout_s),
    };
    // INVARIANT: the configuration is checked to hold no character that a header may not have; without it nothing is allowed.
    let policy = HeaderValue::from_str(&content_security_policy(&app.config.map))
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    router.layer(
        ServiceBuilder::new()
            .layer(SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, policy))
            .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(always(header::X_FRAME_OPTIONS, "DENY"))
            .layer(always(header::REFERRER_POLICY, "no-referrer"))
            .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .layer(CompressionLayer::new())
            .layer(from_fn(name_request))
            .layer(
                TraceLayer::new_for_http()
                    .make_span_with(span_of)
                    .on_response(DefaultOnResponse::new().level(Level::INFO)),
            )
            .layer(CatchPanicLayer::custom(say_panic))
            .layer(from_fn_with_state(limits, give_up_in_time))
            .layer(DefaultBodyLimit::max(server.body_limit_bytes)),
    )
}

fn always(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// Gives the request its id, and writes a problem in the language of who asked.
async fn name_request(mut request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let language = Language::of(request.headers());
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.write(language, &id.to_string());
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The pattern of the route only: addresses and queries may name people or carry secrets.
fn span_of(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let id = request.extensions().get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), route)
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn say_panic(panic: Box<dyn Any + Send>) -> Response<Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of unknown kind"), "a handler panicked");
    Problem::from(Edge::Internal {}).into_response()
}

/// How long an answer may take. A city's file has to be sent and taken in: that takes longer than anything else.
#[derive(Debug, Clone, Copy)]
struct TimeLimits {
    request: Duration,
    import: Duration,
}

impl TimeLimits {
    fn of(self, route: Option<&str>) -> Duration {
        if route == Some(imports::ROUTE) { self.import } else { self.request }
    }
}

async fn give_up_in_time(State(limits): State<TimeLimits>, request: Request, next: Next) -> Response {
    let limit = limits.of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    answer.unwrap_or_else(|_| Problem::from(Edge::TimedOut {}).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_app::TestApp;
    use super::*;

    #[tokio::test]
    async fn every_answer_carries_the_security_headers_and_an_id() {
        let app = TestApp::new();
        let reply = app.get("/nowhere?name=secret").header("x-request-id", "mine").send().await;
        for (name, part) in [
            ("content-security-policy", "default-src 'self'"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert!(reply.headers[name].to_str().unwrap().contains(part), "{name}");
        }
        assert_eq!(reply.problem(), (404, "no_such_route"));
        assert_eq!(reply.body["request_id"], reply.headers["x-request-id"].to_str().unwrap());
        assert_ne!(reply.body["request_id"], "mine");
    }

    #[tokio::test]
    async fn a_problem_speaks_the_language_of_who_asked() {
        let app = TestApp::new();
        let zh = app.ask("PUT", "/api/v1/session").send().await;
        let en = app.ask("PUT", "/api/v1/session").header("accept-language", "en").send().await;
        assert_eq!((zh.problem(), en.problem()), ((405, "no_such_method"), (405, "no_such_method")));
        assert_eq!(zh.body["detail"], zh.body["detail_zh"]);
        assert_eq!(en.body["detail"], zh.body["detail_en"]);
    }

    #[test]
    fn a_citys_file_has_more_time_than_anything_else() {
        let limits = TimeLimits { request: Duration::from_secs(30), import: Duration::from_mins(10) };
        let (_, document) = super::super::router::api();
        for route in document.paths.paths.keys() {
            assert_eq!(limits.of(Some(route)) == limits.import, route.starts_with("/api/v1/imports/"), "{route}");
        }
        assert!(document.paths.paths.contains_key(imports::ROUTE), "the route is called otherwise by now");
        assert_eq!(limits.of(None), limits.request);
    }

    #[tokio::test]
    async fn bad_bodies_are_named() {
        let app = TestApp::new();
        let post = |kind: &str, body: String| app.post("/api/v1/session").body(kind, body).send();
        let json = "application/json";
        for (kind, body, wanted) in [
            (json, "{".to_owned(), (400, "malformed_json")),
            (json, r#"{"login": NaN, "password": "b"}"#.to_owned(), (400, "malformed_json")),
            (json, json!({ "login": "a", "password": "b", "extra": 1 }).to_string(), (400, "unknown_field")),
            (json, json!({ "login": "a" }).to_string(), (400, "missing_field")),
            (json, json!({ "login": 1, "password": "b" }).to_string(), (400, "bad_value")),
            (json, format!("{{\"login\": \"{}\"}}", "a".repeat(2 << 20)), (413, "body_too_large")),
            ("text/plain", "{}".to_owned(), (415, "wrong_content_type")),
        ] {
            assert_eq!(post(kind, body).await.problem(), wanted);
        }
    }
}
