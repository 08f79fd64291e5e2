//! For whoever keeps the server running: `/healthz`, `/readyz` and `/metrics`. They are no part of the API and not in its document.
//!
//! `/metrics` is read from this machine, or with the bearer token `server.metrics_token`. A proxy on this machine must not pass it on;
//! a request that says it was passed on counts as one from elsewhere.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use subtle::ConstantTimeEq as _;

use crate::domain::refusal::Refusal;
use crate::runtime::stats::Stats;
use crate::server::App;
use crate::server::error::{Answer, Edge};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Headers with which a proxy says that it passes a request on.
const PASSED_ON: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Requests answered so far. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct HttpCounts {
    requests: Family<RequestLabels, Counter>,
    seconds: Counter<f64, AtomicU64>,
}

/// What requests are told apart by: bounded, since routes are patterns and unknown methods are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// Whether work can be done, and if not, what is wrong.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    journal_writable: bool,
    driver_running: bool,
    position: u64,
}

/// Routes that are not in the document.
pub fn routes(counts: HttpCounts) -> Router<App> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async move |State(app), request: Request| metrics(&app, counts, &request)))
}

/// The journal was taken in before the first request could come; what may change afterwards is looked at here.
async fn ready(State(app): State<App>) -> Response {
    let journal_writable = app.muster.stats().is_ready();
    let driver_running = app.muster.is_running();
    let ready = journal_writable && driver_running;
    let position = app.city().position();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Readiness { ready, journal_writable, driver_running, position })).into_response()
}

fn metrics(app: &App, counts: HttpCounts, request: &Request) -> Answer<Response> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address);
    if !is_local(peer, request.headers()) && !shows_token(request.headers(), &app.config.server.metrics_token.0) {
        return Err(Refusal::NotSignedIn {}.into());
    }
    let mut registry = Registry::with_prefix("muster");
    counts.register(&mut registry);
    registry.register_collector(Box::new(Now(app.clone())));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|_| Edge::Internal {})?;
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response())
}

fn is_local(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    let passed_on = PASSED_ON.iter().any(|name| headers.contains_key(*name));
    !passed_on && peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
}

fn shows_token(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    !token.is_empty() && shown.is_some_and(|shown| shown.as_bytes().ct_eq(token.as_bytes()).into())
}

impl HttpCounts {
    fn register(self, registry: &mut Registry) {
        registry.register("http_requests", "Requests answered", self.requests);
        registry.register("http_request_seconds", "Seconds spent on requests, all together", self.seconds);
    }
}

/// Counts a request when it is answered. A socket's upgrade counts once, when it is made.
pub async fn count(State(counts): State<HttpCounts>, request: Request, next: Next) -> Response {
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let began = std::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    counts.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    counts.seconds.inc_by(began.elapsed().as_secs_f64());
    response
}

fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What stands now, read when it is asked for: nothing is counted twice.
struct Now(App);

impl std::fmt::Debug for Now {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Now")
    }
}

impl Collector for Now {
    fn encode(&self, mut out: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let Self(app) = self;
        let (stats, hub) = (app.muster.stats(), &app.hub);
        let (compounds, position) = {
            let city = app.city();
            (city.compound_count(), city.position())
        };
        for (name, help, value) in [
            ("compounds", "Compounds in the register", as_i64(compounds)),
            ("connections", "Sockets open now", as_i64(hub.connections())),
            ("journal_position", "Position of the last record", position.cast_signed()),
            ("waiting", "Commands that wait for their round", Stats::get(&stats.waiting).cast_signed()),
            ("journal_failing", "1 while the journal cannot be written", i64::from(!stats.is_ready())),
        ] {
            one(&mut out, name, help, &ConstGauge::new(value))?;
        }
        for (name, help, value) in [
            ("rounds", "Rounds made durable", Stats::get(&stats.rounds)),
            ("append_failures", "Rounds that could not be made durable", Stats::get(&stats.failures)),
            ("frames_queued", "Frames left for sockets", hub.frames_queued()),
            ("slow_readers", "Sockets closed because they read too slowly", hub.slow_readers()),
        ] {
            one(&mut out, name, help, &ConstCounter::new(value))?;
        }
        let append_s = std::time::Duration::from_micros(Stats::get(&stats.append_us)).as_secs_f64();
        one(&mut out, "append_seconds", "Seconds spent in making rounds durable", &ConstCounter::new(append_s))?;
        one(&mut out, "commands", "Commands answered", &outcomes(stats))
    }
}

fn outcomes(stats: &Stats) -> Family<OutcomeLabels, Counter> {
    let commands = Family::<OutcomeLabels, Counter>::default();
    for (outcome, count) in [("done", &stats.accepted), ("refused", &stats.refused)] {
        commands.get_or_create(&OutcomeLabels { outcome }).inc_by(Stats::get(count));
    }
    commands
}

fn one(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, metric: &impl EncodeMetric) -> std::fmt::Result {
    metric.encode(out.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
    }

    #[test]
    fn metrics_are_for_this_machine_and_who_has_the_token() {
        let peer = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        assert!(is_local(peer("127.0.0.1:5"), &headers(&[])));
        assert!(is_local(peer("[::ffff:127.0.0.1]:5"), &headers(&[])));
        assert!(!is_local(peer("10.0.0.1:5"), &headers(&[])));
        assert!(!is_local(peer("127.0.0.1:5"), &headers(&[("x-forwarded-for", "10.0.0.1")])));
        assert!(!is_local(None, &headers(&[])));
        let shown = headers(&[("authorization", "Bearer 0123456789abcdef")]);
        assert!(shows_token(&shown, "0123456789abcdef"));
        assert!(!shows_token(&shown, "0123456789abcdeX") && !shows_token(&shown, ""));
        assert!(!shows_token(&headers(&[("authorization", "Bearer ")]), ""));
    }
}
