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
use super::{App, middleware, socket};

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
        .merge(emergency())
        .routes(routes!(socket::live))
        .split_for_parts();
    complete(&mut document);
    (routes, document)
}

/// From the warning to the stand-down.
fn emergency() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(targets::preview))
        .routes(routes!(targets::rivers))
        .routes(routes!(templates::list))
        .routes(routes!(templates::render))
        .routes(routes!(templates::check))
        .routes(routes!(alert_reads::list, alerts::draft))
        .routes(routes!(alerts::break_glass))
        .routes(routes!(alert_reads::one))
        .routes(routes!(alert_reads::funnel))
        .routes(routes!(alert_reads::compounds))
        .routes(routes!(alert_reads::recipients))
        .routes(routes!(alerts::redraft))
        .routes(routes!(alerts::submit))
        .routes(routes!(alerts::approve))
        .routes(routes!(alerts::reject))
        .routes(routes!(alerts::countersign))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(alerts::receipt))
        .routes(routes!(alerts::update))
        .routes(routes!(cancel::cancel))
        .routes(routes!(incidents::list, incidents::open))
        .routes(routes!(incidents::one))
        .routes(routes!(incidents::close))
        .routes(routes!(incidents::switch))
        .routes(routes!(incidents::tally))
        .routes(routes!(incidents::tally_children))
        .routes(routes!(duty::board))
        .routes(routes!(duty::vacant))
        .routes(routes!(duty::of_compound))
        .routes(routes!(duty::answer))
        .routes(routes!(duty::answer_for))
        .routes(routes!(roll::check_in))
        .routes(routes!(roll::check_ins))
        .routes(routes!(roll::of_compound))
        .routes(routes!(roll::households))
        .routes(routes!(roll::own_household))
        .routes(routes!(help::list))
        .routes(routes!(help::assign))
        .routes(routes!(help::end))
        .routes(routes!(aid::send))
        .routes(routes!(aid::take_back))
        .routes(routes!(aid::list))
        .routes(routes!(aid::neighbours))
        .routes(routes!(map::state))
        .routes(routes!(log::list))
}
