//! The pages, as they were built into the binary (`maps/console/dist`), and the base map's files. In a debug build they are read
//! from the disk, so that `vite build` is enough to see a change.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_http::services::ServeFile;

use crate::config::base_map::FILE_ROUTE;
use crate::config::sections::MapConfig;

use super::App;
use super::error::{Edge, Problem};
use super::kept::File;
use super::middleware::content_security_policy;

/// What `npm run build` made. Where it was not run there is nothing, and the pages say so.
#[derive(RustEmbed)]
#[folder = "maps/console/dist"]
#[allow_missing = true]
struct Pages;

/// The base map: boundaries, rivers, lakes, seats. Public data (`maps/data/LICENCES.md`).
#[derive(RustEmbed)]
#[folder = "maps/data"]
#[include = "*.geojson"]
struct BaseMap;

/// Files under `assets/` carry their content's hash in the name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Everything else is asked for each time, and answered with 304 while it is the same.
const ASK_AGAIN: &str = "no-cache";

/// The pages' addresses. What a page shows is the business of the page.
pub fn routes(map: &MapConfig) -> Router<App> {
    let policy = content_security_policy(map);
    let shown = |name: &'static str| {
        let policy = policy.clone();
        get(async move |headers: HeaderMap| page(name, &policy, &headers))
    };
    let (phone, console) = (shown("phone.html"), shown("console.html"));
    let routes = Router::new()
        .route("/", phone.clone())
        .route("/m", phone.clone())
        .route("/m/{*page}", phone.clone())
        .route("/h", shown("household.html"))
        .route("/join", phone)
        .route("/console", console.clone())
        .route("/console/{*page}", console)
        .route("/icon.svg", get(async |headers: HeaderMap| beside("icon.svg", &headers)))
        .route("/icons/{name}", get(icon))
        // At the root, since its scope is where it lies: it opens all the phone's pages without a network.
        .route("/sw.js", get(async |headers: HeaderMap| beside("sw.js", &headers)))
        .route("/manifest.webmanifest", get(async |headers: HeaderMap| beside("manifest.webmanifest", &headers)))
        .route("/assets/{*name}", get(asset))
        .route("/map-data/{name}", get(map_data));
    // Read in ranges, as the map asks for them: such a file has gigabytes.
    match map.base_file() {
        Some(file) => routes.route_service(FILE_ROUTE, ServeFile::new(file)),
        None => routes,
    }
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("assets/{name}");
    Pages::get(&path).map_or_else(not_found, |file| answer(&path, file, FOR_EVER, &headers))
}

async fn icon(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("icons/{name}");
    Pages::get(&path).map_or_else(not_found, |file| answer(&path, file, ASK_AGAIN, &headers))
}

async fn map_data(Path(name): Path<String>, headers: HeaderMap) -> Response {
    BaseMap::get(&name).map_or_else(not_found, |file| answer(&name, file, ASK_AGAIN, &headers))
}

/// A page, under a policy that lets run what the build put into it (`maps/console/build/inline.ts`) and names by its hash.
fn page(name: &str, policy: &str, headers: &HeaderMap) -> Response {
    let mut response = beside(name, headers);
    let inside = Pages::get(&format!("{name}.policy")).and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    let allowed = inside.and_then(|inside| HeaderValue::try_from(format!("{policy}; {inside}")).ok());
    if let Some(value) = allowed {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// A file that lies beside the pages.
fn beside(name: &str, headers: &HeaderMap) -> Response {
    Pages::get(name).map_or_else(not_built, |file| answer(name, file, ASK_AGAIN, headers))
}

/// The file; as the build packed it, where the browser can unpack that: a third less than the stack's gzip, and no work for us.
fn answer(name: &str, file: EmbeddedFile, kept: &'static str, asked: &HeaderMap) -> Response {
    let kind = kind_of(name);
    let brotli = if takes_brotli(asked) { Pages::get(&format!("br/{name}")) } else { None };
    let packed = brotli.is_some().then_some("br");
    let sent = brotli.unwrap_or(file);
    File { kind, kept, packed, hash: sent.metadata.sha256_hash(), content: sent.data }.answer(asked)
}

/// Browsers ask for it over HTTPS and on the machine itself.
fn takes_brotli(asked: &HeaderMap) -> bool {
    let said = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(',').any(|one| one.trim() == "br")
}

/// By the ending: only what the build and the map consist of.
fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("geojson") => "application/geo+json",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn not_found() -> Response {
    Problem::from(Edge::NoSuchRoute {}).into_response()
}

fn not_built() -> Response {
    let words = "页面尚未构建：请运行 make console，然后重新编译。\nThe pages were not built: run make console, then build again.\n";
    (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::test_app::TestApp;
    use super::*;

    #[tokio::test]
    async fn a_file_is_sent_once_and_then_known_by_its_hash() {
        let app = TestApp::new();
        let first = app.get("/map-data/rivers.geojson").send().await;
        assert_eq!(
            (first.status.as_u16(), &first.headers["content-type"]),
            (200, &"application/geo+json".parse().unwrap())
        );
        assert_eq!(first.headers["cache-control"], ASK_AGAIN);
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let again = app.get("/map-data/rivers.geojson").header("if-none-match", &tag).send().await;
        assert_eq!((again.status.as_u16(), again.text.len()), (304, 0));
        assert_eq!(again.headers["etag"], tag.as_str());
    }

    #[tokio::test]
    async fn only_what_is_meant_to_be_read_is_served() {
        let app = TestApp::new();
        for path in [
            "/map-data/LICENCES.md",
            "/map-data/changzhi-streets.csv",
            "/map-data/..%2F..%2FCargo.toml",
            "/assets/none.js",
        ] {
            assert_eq!(app.get(path).send().await.problem(), (404, "no_such_route"), "{path}");
        }
    }

    #[tokio::test]
    async fn what_a_phone_installs_has_its_kind_and_is_asked_for_anew() {
        let app = TestApp::new();
        for (path, kind) in [
            ("/sw.js", "text/javascript; charset=utf-8"),
            ("/manifest.webmanifest", "application/manifest+json"),
            ("/icons/icon-192.png", "image/png"),
        ] {
            let file = app.get(path).send().await;
            let built = file.status == StatusCode::OK
                && file.headers["content-type"] == kind
                && file.headers["cache-control"] == ASK_AGAIN;
            let not_built = matches!(file.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_FOUND);
            assert!(built || not_built, "{path}: {} {:?}", file.status, file.headers);
        }
    }

    #[tokio::test]
    async fn a_page_is_packed_for_those_who_can_unpack_it() {
        let app = TestApp::new();
        for (accepts, wanted) in [("gzip, deflate, br", Some("br")), ("gzip, br;q=0", Some("gzip")), ("identity", None)]
        {
            let page = app.get("/m").header("accept-encoding", accepts).send().await;
            let packed = page.headers.get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
            let not_built = page.status == StatusCode::SERVICE_UNAVAILABLE;
            assert!(not_built || packed.as_deref() == wanted, "{accepts}: {packed:?}");
            assert!(not_built || wanted.is_none() || page.headers["vary"] == "accept-encoding", "{accepts}");
        }
    }

    /// What the build put into a page runs, and nothing else: by hashes, never by `unsafe-inline`.
    #[tokio::test]
    async fn a_page_names_the_scripts_that_stand_in_it() {
        let app = TestApp::new();
        for path in ["/h", "/m"] {
            let page = app.get(path).send().await;
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
            let scripts = policy.split("; ").find(|part| part.starts_with("script-src 'self'"));
            let hashes = scripts.map_or(0, |part| part.matches("'sha256-").count());
            let inside = page.text.matches("<script>").count() + page.text.matches("<script type=\"module\">").count();
            assert!(
                page.status == StatusCode::SERVICE_UNAVAILABLE || (inside > 0 && hashes == inside),
                "{path}: {policy}"
            );
        }
    }

    #[tokio::test]
    async fn a_page_is_there_or_says_that_it_was_not_built() {
        let app = TestApp::new();
        for path in ["/", "/m", "/m/sheet", "/h", "/join", "/console", "/console/log"] {
            let page = app.get(path).send().await;
            let there = page.status == StatusCode::OK && page.text.contains("<div id=\"app\">");
            let not_built = page.status == StatusCode::SERVICE_UNAVAILABLE && page.text.contains("make console");
            assert!(there || not_built, "{path}: {} {}", page.status, page.text);
        }
    }
}
