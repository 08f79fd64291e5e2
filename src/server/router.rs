//! All routes, and only routes.

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{Edge, Problem};
use super::openapi::{Document, complete};
use super::routes::*;
use super::{App, middleware};

/// The API with all that stands before it.
pub fn router(app: App) -> Router {
    let (routes, document) = api();
    let counts = operate::HttpCounts::default();
    let router = routes
        .merge(docs::routes(&document))
        .merge(operate::routes(counts.clone()))
        .fallback(async || Problem::from(Edge::NoSuchRoute {}))
        .method_not_allowed_fallback(async || Problem::from(Edge::NoSuchMethod {}))
        .with_state(app.clone());
    middleware::stack(router, &app).layer(from_fn_with_state(counts, operate::count))
}

/// Every route of the API with its description.
pub fn api() -> (Router<App>, OpenApi) {
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(session::sign_in, session::sign_out))
        .split_for_parts();
    complete(&mut document);
    (routes, document)
}
