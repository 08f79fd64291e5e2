//! All routes, and only routes.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::config::sections::ImportConfig;

use super::error::{Edge, Problem};
use super::extract::BodyLimit;
use super::openapi::{Document, complete};
use super::routes::{
    accounts, aid, alert_progress, alert_reads, alerts, areas, cancel, compounds, docs, duty, help, imports, incidents,
    links, log, map, me, operate, people, plans, posts, replay, roll, session, succession, targets, templates, tiles,
};
use super::{App, assets, middleware, repeats, socket};

/// The API with all that stands before it.
pub fn router(app: &App) -> Router {
    socket::close_unseated(app);
    let (described, document) = api_taking(app.config.import.body_limit_bytes);
    let counts = operate::HttpCounts::default();
    let router = described
        .route_layer(from_fn_with_state(repeats::Repeats::new(app), repeats::answer_again))
        .merge(assets::routes(&app.config.map))
        .merge(tiles::routes())
        .merge(docs::routes(&document))
        .merge(operate::routes(counts.clone()))
        .fallback(async || Problem::from(Edge::NoSuchRoute {}))
        .method_not_allowed_fallback(async || Problem::from(Edge::NoSuchMethod {}))
        .with_state(app.clone());
    middleware::stack(router, app).layer(from_fn_with_state(counts, operate::count))
}

/// Every route of the API with its description.
pub fn api() -> (Router<App>, OpenApi) {
    api_taking(ImportConfig::default().body_limit_bytes)
}

/// The same, with so many bytes for a file to import.
fn api_taking(import_max_bytes: usize) -> (Router<App>, OpenApi) {
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(session::sign_in, session::sign_out))
        .merge(who())
        .merge(register(import_max_bytes))
        .merge(emergency())
        .routes(routes!(socket::live))
        .split_for_parts();
    complete(&mut document);
    (routes, document)
}

/// Who is who, and how they get in.
fn who() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(me::me))
        .routes(routes!(me::service))
        .routes(routes!(accounts::list, accounts::create))
        .routes(routes!(accounts::grant, accounts::revoke))
        .routes(routes!(accounts::change_password))
        .routes(routes!(accounts::disable))
        .routes(routes!(people::contacts))
        .routes(routes!(people::looks))
        .routes(routes!(people::enter))
        .routes(routes!(people::correct, people::erase))
        .routes(routes!(links::invite))
        .routes(routes!(links::redeem))
        .routes(routes!(links::household_links))
}

/// What is known of the city in normal times.
fn register(import_max_bytes: usize) -> OpenApiRouter<App> {
    let import_limit = (DefaultBodyLimit::max(import_max_bytes), Extension(BodyLimit(import_max_bytes)));
    OpenApiRouter::new()
        .routes(routes!(areas::areas))
        .routes(routes!(compounds::list))
        .routes(routes!(compounds::nearest))
        .routes(routes!(compounds::sheet))
        .routes(routes!(compounds::within))
        .routes(routes!(compounds::map))
        .routes(routes!(succession::command))
        .routes(routes!(succession::appoint))
        .routes(routes!(succession::offer))
        .routes(routes!(succession::accept))
        .routes(routes!(posts::kinds))
        .routes(routes!(posts::list, posts::set))
        .routes(routes!(posts::apply))
        .routes(routes!(posts::grant))
        .routes(routes!(posts::release))
        .routes(routes!(plans::list, plans::draft))
        .routes(routes!(plans::submit))
        .routes(routes!(plans::approve))
        .routes(routes!(plans::survey))
        .routes(routes!(plans::stock))
        .routes(routes!(imports::import).layer(import_limit))
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
        .routes(routes!(alert_progress::curve))
        .routes(routes!(alert_progress::escalation))
        .routes(routes!(alert_progress::passed_on))
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
        .routes(routes!(incidents::switch_preview))
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
        .routes(routes!(map::base))
        .routes(routes!(log::list))
        .routes(routes!(replay::replay))
}
