//! POSTs that give no command — signing in, invitations, accounts — done once under one `Idempotency-Key`: an answer that was lost
//! on a bad network is given again, where a second try would find the invitation used or end the links just made.
//!
//! The layer is here, what it remembers in [`memory`]. Commands do not come this way: the engine knows their ids, from the journal
//! even after a restart ([`order`](super::order)). This memory is the process's own: after a restart a repeat is a new request.

pub mod memory;

use std::panic::resume_unwind;
use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest as _, FromRequestParts as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;

use super::App;
use super::caller::{Caller, Credential};
use super::error::{Answer, Edge};
use super::extract::{Body, IDEMPOTENCY_KEY, IdempotencyKey};
use memory::{ANSWER_BYTES_MAX, Digest, Kept, Key, Memory, Met, Turn};

/// What shows that a repeat comes from who asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The credential: it must still be good, and be the same.
    Credential,
    /// The body alone, which holds a secret. A credential is not looked at: a browser may have kept the cookie of an answer of
    /// which it never saw the end.
    Body,
}

/// The POSTs whose answers are remembered.
pub const ROUTES: [(&str, Proof); 8] = [
    ("/api/v1/session", Proof::Body),
    ("/api/v1/invitations/redeem", Proof::Body),
    ("/api/v1/accounts", Proof::Credential),
    ("/api/v1/accounts/{person}/disabled", Proof::Credential),
    ("/api/v1/accounts/{person}/grants", Proof::Credential),
    ("/api/v1/accounts/{person}/password", Proof::Credential),
    ("/api/v1/compounds/{compound}/invitations", Proof::Credential),
    ("/api/v1/compounds/{compound}/household-links", Proof::Credential),
];

/// What the layer works with.
#[derive(Clone)]
pub struct Repeats {
    app: App,
    memory: Arc<Memory>,
}

impl Repeats {
    /// Nothing remembered yet.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), memory: Arc::default() }
    }

    /// Who asks. `None` when the handler will refuse them: then it is for the handler to say why.
    async fn who(&self, parts: &mut Parts, proof: Proof) -> Option<Digest> {
        match proof {
            Proof::Credential => {
                Caller::from_request_parts(parts, &self.app).await.ok()?;
                digest_of_credential(&parts.headers)
            }
            Proof::Body => {
                self.app.check_not_cross_site(&parts.headers).ok()?;
                Some(Digest::default())
            }
        }
    }

    /// The turn to do it, or the answer that was given when it was done. A twin under way is waited for; how long, the stack's
    /// limit of time says.
    async fn turn(&self, key: Key, body: Digest) -> Answer<Result<Turn, Kept>> {
        loop {
            match self.memory.meet(key, body, self.app.now())? {
                Met::First(turn) => return Ok(Ok(turn)),
                Met::Again(kept) => return Ok(Err(kept)),
                Met::UnderWay(over) => over.wait().await,
            }
        }
    }
}

/// Answers a repeat as the first was answered, and has everything else done.
///
/// # Errors
/// The key is none, or was used for another body; too many are under way.
pub async fn answer_again(State(repeats): State<Repeats>, request: Request, next: Next) -> Answer<Response> {
    let Some(proof) = proof_wanted(&request) else { return Ok(next.run(request).await) };
    let (mut parts, body) = request.into_parts();
    let Some(who) = repeats.who(&mut parts, proof).await else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let IdempotencyKey(id) = IdempotencyKey::from_request_parts(&mut parts, &repeats.app).await?;
    let Body(body) = Body::from_request(Request::from_parts(parts.clone(), body), &repeats.app).await?;
    let key = Key::new(who, parts.uri.path(), id);
    let turn = match repeats.turn(key, Sha256::digest(&body).into()).await? {
        Ok(turn) => turn,
        Err(kept) => return Ok(kept.into_response()),
    };
    let request = Request::from_parts(parts, body.into());
    // A task of its own: whoever asked may hang up while it is done, and it is they who will ask again.
    let doing = async move { remember(turn, next.run(request).await, &repeats.app).await };
    let done = tokio::spawn(doing.in_current_span()).await;
    done.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => Err(Edge::Internal {}.into()),
    })
}

/// Only where there is something to remember: such a POST, with a key.
fn proof_wanted(request: &Request) -> Option<Proof> {
    let is_keyed = request.method() == Method::POST && request.headers().contains_key(IDEMPOTENCY_KEY);
    let route = request.extensions().get::<MatchedPath>().filter(|_| is_keyed)?;
    ROUTES.iter().find(|(path, _)| *path == route.as_str()).map(|(_, proof)| *proof)
}

/// Of the token, never the token itself.
fn digest_of_credential(headers: &HeaderMap) -> Option<Digest> {
    let (Credential::Cookie(token) | Credential::Bearer(token) | Credential::HouseholdLink(token)) =
        Credential::of(headers).ok()??;
    Some(Sha256::digest(token).into())
}

/// Keeps the answer of what was done. A refusal has changed nothing and is decided anew: so nobody fills the memory who may not
/// do what is asked.
async fn remember(turn: Turn, response: Response, app: &App) -> Answer<Response> {
    let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    if !response.status().is_success() || bytes.is_none_or(|bytes| bytes > ANSWER_BYTES_MAX) {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| Edge::Internal {})?.to_bytes();
    let kept = Kept { status: parts.status, headers: parts.headers.clone(), body: body.clone() };
    turn.remember(kept, app.now());
    Ok(Response::from_parts(parts, body.into()))
}

#[cfg(test)]
mod tests;
