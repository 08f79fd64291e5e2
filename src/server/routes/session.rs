//! Signing in and out, and who one is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::Token;
use crate::directory::sessions::{Session, SessionKind};
use crate::directory::sign_in::SignIn;
use crate::domain::actor::Grant;
use crate::domain::ids::PersonId;
use crate::server::App;
use crate::server::caller::{Caller, Credential, SESSION_COOKIE};
use crate::server::error::Answer;
use crate::server::extract::Json;
use crate::server::time::Rfc3339;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInForm {
    /// As given by an administrator.
    login: String,
    /// 10 to 128 characters.
    #[schema(format = Password)]
    password: String,
    /// Whether a token is wanted in the answer instead of a cookie: for phones and programs.
    #[serde(default)]
    bearer: bool,
    /// Whether the cookie outlives the browser, for as long as a phone stays signed in: for the holder's own phone.
    #[serde(default)]
    lasting: bool,
}

/// Somebody signed in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Who.
    pub person: PersonId,
    /// What the account is granted.
    pub grants: Vec<Grant>,
    /// Until when.
    pub expires: Rfc3339,
    /// To be sent as `Authorization: Bearer …`; only where a bearer was asked for. It is shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl SignedIn {
    /// Of a fresh session; with its token where that goes into the body.
    pub(super) fn new(session: &Session, token: Option<&Token>) -> Self {
        Self {
            person: session.person,
            grants: session.grants.to_vec(),
            expires: session.expires.into(),
            token: token.map(|token| token.expose().to_owned()),
        }
    }
}

/// Where a request comes from: from where it was connected, or, where that is a proxy that is trusted, from where that says.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl FromRequestParts<App> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let connected = connected.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip());
        Ok(Self(origin_of(connected, &parts.headers, &app.config.server.trusted_proxies)))
    }
}

/// The last word of the last header is the proxy's own; what stands before it anybody may have said.
fn origin_of(connected: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpAddr]) -> IpAddr {
    let said = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let said = said.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    said.filter(|_| trusted_proxies.contains(&connected.to_canonical())).unwrap_or(connected)
}

/// 登录 Sign in: a cookie for browsers, or a bearer token in the answer. Attempts are limited.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = SignInForm,
    responses((status = 200, body = SignedIn)), security(()),
    extensions(("x-muster-action" = json!("public")))
)]
pub async fn sign_in(
    State(app): State<App>,
    Peer(from): Peer,
    headers: HeaderMap,
    jar: CookieJar,
    Json(form): Json<SignInForm>,
) -> Answer<(CookieJar, Json<SignedIn>)> {
    app.check_not_cross_site(&headers)?;
    let kind = if form.bearer || form.lasting { SessionKind::Bearer } else { SessionKind::Cookie };
    let attempt = SignIn { login: form.login, password: form.password, from, kind };
    let (token, session) = app.directory.sign_in(attempt, app.now()).await?;
    let answer = Json(SignedIn::new(&session, form.bearer.then_some(&token)));
    let jar = match (form.bearer, form.lasting) {
        (true, _) => jar,
        (false, true) => jar.add(lasting_cookie(&app, &token)),
        (false, false) => jar.add(cookie(&app, token.expose())),
    };
    Ok((jar, answer))
}

/// 退出 Sign out: this session ends.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session", responses((status = 204)),
    extensions(("x-muster-action" = json!("own")))
)]
pub async fn sign_out(
    State(app): State<App>,
    _: Caller,
    headers: HeaderMap,
    jar: CookieJar,
) -> Answer<(CookieJar, StatusCode)> {
    if let Some(Credential::Cookie(token) | Credential::Bearer(token)) = Credential::of(&headers)? {
        app.directory.run(move |directory| directory.revoke_session(&token)).await?;
    }
    Ok((jar.remove(cookie(&app, "")), StatusCode::NO_CONTENT))
}

/// Without an age of its own: it ends with the browser, or when the session does.
fn cookie(app: &App, token: &str) -> Cookie<'static> {
    Cookie::build((SESSION_COOKIE, token.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(app.config.server.secure_cookies)
        .build()
}

/// The cookie of a phone: the browser keeps it when it is closed, since what was reported without a network has to go out after a
/// restart, and who was invited has no password to sign in with again. Until when it is good is for the session to say.
pub(super) fn lasting_cookie(app: &App, token: &Token) -> Cookie<'static> {
    let mut cookie = cookie(app, token.expose());
    cookie.make_permanent();
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use super::super::super::test_app::{PASSWORD, TestApp, person};
    use crate::domain::actor::Role;

    // Whoever connects by themselves cannot say that they come from elsewhere, and nobody can say it through a proxy.
    #[test]
    fn a_request_comes_from_where_a_trusted_proxy_says_and_from_nowhere_else() {
        let address = |text: &str| -> IpAddr { text.parse().unwrap() };
        let (proxy, other, client) = (address("10.0.0.1"), address("10.0.0.2"), address("192.0.2.7"));
        let said = |lines: &[&'static str]| -> HeaderMap {
            let name = axum::http::HeaderName::from_static("x-forwarded-for");
            lines.iter().map(|line| (name.clone(), axum::http::HeaderValue::from_static(line))).collect()
        };
        let made_up = ["198.51.100.1, 192.0.2.7"];
        assert_eq!(origin_of(proxy, &said(&made_up), &[proxy]), client, "the last word is the proxy's");
        assert_eq!(origin_of(proxy, &said(&["198.51.100.1", "192.0.2.7"]), &[proxy]), client);
        assert_eq!(origin_of(address("::ffff:10.0.0.1"), &said(&["192.0.2.7"]), &[proxy]), client);
        assert_eq!(origin_of(other, &said(&["192.0.2.7"]), &[proxy]), other);
        assert_eq!(origin_of(proxy, &said(&["192.0.2.7"]), &[]), proxy);
        assert_eq!(origin_of(proxy, &said(&["nonsense"]), &[proxy]), proxy);
        assert_eq!(origin_of(proxy, &said(&[]), &[proxy]), proxy);
    }

    #[tokio::test]
    async fn a_phone_stays_signed_in_when_its_browser_was_closed() {
        let app = TestApp::with_city().await;
        app.sign_in_as(7, Role::Dispatcher, "140403");
        for (lasting, lasts) in [(true, true), (false, false)] {
            let form = json!({ "login": "person7", "password": PASSWORD, "lasting": lasting });
            let reply = app.post("/api/v1/session").json(&form).send().await;
            let cookie = reply.headers["set-cookie"].to_str().unwrap().to_owned();
            assert_eq!(cookie.contains("Max-Age="), lasts, "{cookie}");
            assert_eq!(reply.ok().get("token"), None);
            let pair = cookie.split(';').next().unwrap();
            let me = app.get("/api/v1/me").header("cookie", pair).send().await.ok();
            assert_eq!(me["giver"]["person"], person(7).to_string());
        }
    }

    #[tokio::test]
    async fn a_browser_signs_in_by_cookie_and_a_program_by_bearer() {
        let app = TestApp::with_city().await;
        app.sign_in_as(7, Role::Dispatcher, "140403");
        let form = |bearer: bool| json!({ "login": "person7", "password": PASSWORD, "bearer": bearer });
        let browser = app.post("/api/v1/session").json(&form(false)).send().await;
        let cookie = browser.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        assert_eq!(browser.ok().get("token"), None);
        let cookie = cookie.split(';').next().unwrap();

        let out = app.ask("DELETE", "/api/v1/session").header("cookie", cookie);
        assert_eq!(out.send().await.problem(), (403, "cross_site"));
        let out =
            || app.ask("DELETE", "/api/v1/session").header("cookie", cookie).header("sec-fetch-site", "same-origin");
        assert_eq!(out().send().await.status, 204);
        assert_eq!(out().send().await.problem(), (401, "not_signed_in"));

        let program = app.post("/api/v1/session").json(&form(true)).send().await;
        assert!(!program.headers.contains_key("set-cookie"));
        let token = program.ok()["token"].as_str().unwrap().to_owned();
        assert_eq!(app.ask("DELETE", "/api/v1/session").bearer(&token).send().await.status, 204);
    }

    #[tokio::test]
    async fn a_wrong_password_another_city_and_another_site_are_refused() {
        let app = TestApp::with_city().await;
        app.sign_in_as(7, Role::Dispatcher, "140403");
        let sign_in =
            |password: &str| app.post("/api/v1/session").json(&json!({ "login": "person7", "password": password }));
        assert_eq!(sign_in("wrong password").send().await.problem(), (401, "bad_credentials"));
        let elsewhere = sign_in(PASSWORD).header("origin", "https://evil.test").header("host", "muster.test");
        assert_eq!(elsewhere.send().await.problem(), (403, "cross_site"));
        let token = app.token_of(7).replacen("_1404_", "_1401_", 1);
        let out = app.ask("DELETE", "/api/v1/session").bearer(&token).send().await;
        assert_eq!(out.problem(), (403, "wrong_city"));
    }
}
