//! The upgrade to a live connection: who asks and from which page is checked here; what is said on it is the business of
//! [`live`](crate::live).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::domain::refusal::Refusal;
use crate::live::codes::Code;
use crate::live::frame::ServerFrame;
use crate::live::{LiveIdentity, LiveParts, NoHandshake, Upgrade};

use super::App;
use super::caller::{Credential, Via};
use super::error::{Answer, Edge};

/// 实时连接 The live connection (WebSocket): events that concern you, the map, commands and their answers.
///
/// The first frame is `hello`. Browsers show their cookie, from pages of ours only; programs a bearer token. A household's link
/// serves to report on that household.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "live",
    responses((status = 101, description = "Frames of the server, as JSON text", body = ServerFrame<'static>)),
    extensions(("x-muster-action" = json!("signed_in")))
)]
#[expect(clippy::missing_errors_doc, reason = "the API's description says how an operation fails")]
pub async fn live(
    State(app): State<App>,
    headers: HeaderMap,
    socket: Result<Upgrade, NoHandshake>,
) -> Answer<Response> {
    let who = identify(&app, &headers).await?;
    let socket =
        socket.map_err(|_| Edge::BadHeader { name: "Upgrade", wanted: "a WebSocket handshake, version 13" })?;
    Ok(socket.accept(who, LiveParts { hub: app.hub.clone(), muster: app.muster.clone() }))
}

// INVARIANT: whoever loses a right loses it at once, also on a connection that is open.
/// From now on connections are closed of people whose sessions, account or grants change, on whichever node.
pub(super) fn close_unseated(app: &App) {
    let hub = app.hub.clone();
    app.directory
        .on_unseated(move |people| people.iter().for_each(|person| hub.close_person(*person, Code::RightsChanged)));
}

/// Who asks, and until when that holds. A cookie counts only from a page of ours: the browser sends it whoever's page asked.
async fn identify(app: &App, headers: &HeaderMap) -> Answer<LiveIdentity> {
    let closings = app.hub.closings();
    let credential = Credential::of(headers)?.ok_or(Refusal::NotSignedIn {})?;
    match &credential {
        Credential::Cookie(_) => app.check_same_origin(headers)?,
        Credential::Bearer(_) | Credential::HouseholdLink(_) => app.check_not_cross_site(headers)?,
    }
    let link_until = match &credential {
        Credential::HouseholdLink(link) => Some(app.directory.verify_link(link, app.now())?.expires),
        Credential::Cookie(_) | Credential::Bearer(_) => None,
    };
    let caller = app.caller_of(credential).await?;
    let good_until = match caller.via {
        Via::Cookie(session) | Via::Bearer(session) => Some(session.expires),
        Via::HouseholdLink(_) => link_until,
    };
    Ok(LiveIdentity { actor: caller.actor, good_until, closings })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
    use axum::response::IntoResponse as _;

    use super::super::caller::SESSION_COOKIE;
    use super::super::test_app::TestApp;
    use super::*;
    use crate::domain::actor::Role;

    async fn code(app: &TestApp, pairs: &[(axum::http::HeaderName, &str)]) -> Result<LiveIdentity, u16> {
        let pairs = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let headers: HeaderMap = pairs.collect();
        identify(&app.app, &headers).await.map_err(|problem| problem.into_response().status().as_u16())
    }

    #[tokio::test]
    async fn a_cookie_counts_from_our_own_page_only_and_a_bearer_from_no_page_too() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(1, Role::Dispatcher, "1404");
        let (bearer, cookie) = (format!("Bearer {token}"), format!("{SESSION_COOKIE}={token}"));
        let who = code(&app, &[(AUTHORIZATION, &bearer)]).await.unwrap();
        assert!(who.good_until.is_some() && who.actor.person_id().is_some());
        let evil = (ORIGIN, "http://evil.test");
        let (own, host) = ((ORIGIN, "http://muster.test"), (HOST, "muster.test"));
        assert_eq!(code(&app, &[(AUTHORIZATION, &bearer), evil.clone(), host.clone()]).await.unwrap_err(), 403);
        assert_eq!(code(&app, &[(COOKIE, &cookie), evil, host.clone()]).await.unwrap_err(), 403);
        assert_eq!(code(&app, &[(COOKIE, &cookie)]).await.unwrap_err(), 403, "a browser always says its origin");
        assert!(code(&app, &[(COOKIE, &cookie), own, host]).await.is_ok());
        assert_eq!(code(&app, &[]).await.unwrap_err(), 401);
        assert_eq!(code(&app, &[(AUTHORIZATION, "Bearer nonsense")]).await.unwrap_err(), 401);
    }

    #[tokio::test]
    async fn a_request_that_is_no_handshake_is_told_so() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(1, Role::Dispatcher, "1404");
        let reply = app.get("/api/v1/live").header("authorization", &format!("Bearer {token}")).send().await;
        assert_eq!(reply.problem(), (400, "bad_header"));
        assert_eq!(app.get("/api/v1/live").send().await.problem(), (401, "not_signed_in"));
    }
}
