//! Who asks: the session of a cookie or bearer token, or a household's signed link. No handler looks at a credential itself.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;

use crate::directory::sessions::Session;
use crate::domain::actor::Actor;
use crate::domain::household::HouseholdKey;
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;

use super::App;
use super::error::{Answer, Edge, Problem};

/// Name of the session's cookie.
pub const SESSION_COOKIE: &str = "muster_session";

/// Who asks, as it was proved.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose command it is, with what the account is granted.
    pub actor: Actor,
    /// How it was proved.
    pub via: Via,
}

/// How somebody proved who they are.
#[derive(Debug, Clone)]
pub enum Via {
    /// A browser, by its cookie.
    Cookie(Session),
    /// A phone or a program: `Authorization: Bearer …`.
    Bearer(Session),
    /// A household: `Authorization: Household …`.
    HouseholdLink(HouseholdKey),
}

impl Caller {
    /// Which person it is.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] for a household.
    pub fn person(&self) -> Answer<PersonId> {
        self.actor.person_id().ok_or_else(|| Refusal::NotSignedIn {}.into())
    }
}

/// What a request shows to say who sends it; the socket's upgrade reads it, too.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// The session's cookie.
    Cookie(String),
    /// A bearer token.
    Bearer(String),
    /// A household's link.
    HouseholdLink(String),
}

impl Credential {
    /// What the headers show; a header `Authorization` goes before the cookie.
    ///
    /// # Errors
    /// [`Edge::BadHeader`] for an `Authorization` of another kind.
    pub fn of(headers: &HeaderMap) -> Answer<Option<Self>> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            let jar = CookieJar::from_headers(headers);
            return Ok(jar.get(SESSION_COOKIE).map(|cookie| Self::Cookie(cookie.value().to_owned())));
        };
        let bad = Edge::BadHeader { name: "Authorization", wanted: "Bearer or Household and a token" };
        let (kind, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(|| bad.clone())?;
        match kind.to_ascii_lowercase().as_str() {
            "bearer" => Ok(Some(Self::Bearer(token.trim().to_owned()))),
            "household" => Ok(Some(Self::HouseholdLink(token.trim().to_owned()))),
            _ => Err(bad.into()),
        }
    }
}

impl App {
    /// Whose credential it is.
    ///
    /// # Errors
    /// Not signed in, another city's, expired; the directory cannot be used.
    pub async fn caller_of(&self, credential: Credential) -> Answer<Caller> {
        let now = self.now();
        let via = match credential {
            Credential::Cookie(token) => Via::Cookie(self.directory.session(&token, now).await?),
            Credential::Bearer(token) => Via::Bearer(self.directory.session(&token, now).await?),
            Credential::HouseholdLink(link) => Via::HouseholdLink(self.directory.verify_link(&link, now)?.household),
        };
        let actor = match &via {
            Via::Cookie(session) | Via::Bearer(session) => session.actor(),
            Via::HouseholdLink(household) => Actor::household(*household),
        };
        Ok(Caller { actor, via })
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let credential = Credential::of(&parts.headers)?.ok_or(Refusal::NotSignedIn {})?;
        if matches!(credential, Credential::Cookie(_)) && !parts.method.is_safe() {
            app.check_same_origin(&parts.headers)?;
        }
        app.caller_of(credential).await
    }
}
