//! Whether a request comes from our own pages. A browser sends its cookie by itself, whoever's page asked; so what changes
//! something on the strength of a cookie must show that the page was ours.

use axum::http::{HeaderMap, header};

use super::App;
use super::error::{Answer, Edge};

impl App {
    /// Whether the request comes from a page of ours: the browser says so (`Sec-Fetch-Site`), or its `Origin` is one that is
    /// allowed. A request that says neither is not from a page of ours.
    ///
    /// # Errors
    /// [`Edge::CrossSite`].
    pub fn check_same_origin(&self, headers: &HeaderMap) -> Answer<()> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let said_same = text(header::HeaderName::from_static("sec-fetch-site")).map(|site| site == "same-origin");
        let origin = text(header::ORIGIN).map(|origin| self.is_own_origin(origin, text(header::HOST)));
        match (said_same, origin) {
            (Some(true), None | Some(true)) | (None | Some(false), Some(true)) => Ok(()),
            _ => Err(Edge::CrossSite {}.into()),
        }
    }

    /// Refuses a request that a page of another site sent; one that does not come from a page (curl, an app) passes.
    ///
    /// # Errors
    /// [`Edge::CrossSite`].
    pub fn check_not_cross_site(&self, headers: &HeaderMap) -> Answer<()> {
        let from_a_page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
        if from_a_page { self.check_same_origin(headers) } else { Ok(()) }
    }

    /// One that the configuration names, or the very host that was asked.
    fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let server = &self.config.server;
        let asked = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        origin == server.origin()
            || server.allowed_origins.iter().any(|allowed| allowed == origin)
            || (asked.is_some() && asked == host)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_app::TestApp;
    use super::*;

    #[test]
    fn only_our_own_pages_pass() {
        let app = TestApp::new();
        for (pairs, page, any) in [
            (vec![], false, true),
            (vec![("sec-fetch-site", "same-origin")], true, true),
            (vec![("sec-fetch-site", "cross-site")], false, false),
            (vec![("sec-fetch-site", "none")], false, false),
            (vec![("origin", "http://muster.test"), ("host", "muster.test")], true, true),
            (vec![("origin", "http://evil.test"), ("host", "muster.test")], false, false),
            (vec![("origin", "http://evil.test"), ("sec-fetch-site", "same-origin")], false, false),
            (vec![("origin", "null"), ("host", "null")], false, false),
            (vec![("origin", "http://127.0.0.1:8080"), ("host", "elsewhere")], true, true),
        ] {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            assert_eq!(app.app.check_same_origin(&headers).is_ok(), page, "{pairs:?}");
            assert_eq!(app.app.check_not_cross_site(&headers).is_ok(), any, "{pairs:?}");
        }
    }
}
