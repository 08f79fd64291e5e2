//! What is read from a request: bodies, paths, queries and headers, each with our own errors. Who asks is in [`super::caller`].

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::domain::ids::CommandId;

use super::App;
use super::error::{Answer, Edge, Problem, innermost};

/// Entries on one page, at most and by default.
pub const PAGE_MAX: usize = 500;
/// Header with the giver's own id of a command.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Header with the epoch of the command of a compound under which a commander thinks to act.
pub const EPOCH: &str = "muster-epoch";

/// A body of JSON, in and out. Fields that nobody knows and fields that stand twice are refused where `T` is a struct that
/// denies them, as all of ours do; nesting is bounded by `serde_json` (128).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Answer<Self> {
        if !is_json(request.headers()) {
            return Err(Edge::WrongContentType { wanted: "application/json" }.into());
        }
        let body = Body::from_request(request, app).await?.0;
        serde_json::from_slice(&body).map(Self).map_err(|error| Problem::of_json(&error))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// A body as it came, within the route's limit of bytes.
#[derive(Debug, Clone)]
pub struct Body(pub Bytes);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Answer<Self> {
        let max_bytes =
            request.extensions().get::<BodyLimit>().map_or(app.config.server.body_limit_bytes, |limit| limit.0);
        Bytes::from_request(request, app).await.map(Self).map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Edge::BodyTooLarge { max_bytes }.into()
            }
            _ => Edge::BodyCut {}.into(),
        })
    }
}

/// How many bytes a route reads, where it is not what the others do; set beside axum's own limit, to be named in the error.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// Parts of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|rejection| match rejection {
            PathRejection::FailedToDeserializePathParams(error) => {
                Problem::of_data(&error.body_text(), |why| Edge::BadPath { why })
            }
            other => Edge::BadPath { why: other.body_text() }.into(),
        })
    }
}

/// Parameters of the query.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Answer<Self> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| Problem::of_data(&innermost(&error), |why| Edge::BadQuery { why }))
    }
}

/// Which part of a list: what comes after a cursor, so many at most. Flattened into no other query: take both.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// `next` of the page before; absent for the first.
    pub after: Option<String>,
    /// Entries wanted, 1 to 500; 500 when absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<usize>,
}

impl Page {
    /// Entries wanted, within bounds.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX)
    }

    /// The cursor as what the list is ordered by.
    ///
    /// # Errors
    /// [`Edge::BadQuery`] when it is no cursor of this list.
    pub fn after<K: std::str::FromStr>(&self) -> Answer<Option<K>> {
        let parse = |text: &String| text.parse().map_err(|_| Edge::BadQuery { why: "after".to_owned() }.into());
        self.after.as_ref().map(parse).transpose()
    }
}

/// The giver's own id of a command, from `Idempotency-Key`. The same id again gets the first answer.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyKey(pub CommandId);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let value = parts.headers.get(IDEMPOTENCY_KEY).ok_or(Edge::NoIdempotencyKey {})?;
        let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        id.map(Self).ok_or_else(|| Edge::BadIdempotencyKey {}.into())
    }
}

/// Under which epoch of the command a commander thinks to act, from `Muster-Epoch`.
#[derive(Debug, Clone, Copy)]
pub struct Epoch(pub Option<u32>);

impl<S: Sync> FromRequestParts<S> for Epoch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let Some(value) = parts.headers.get(EPOCH) else { return Ok(Self(None)) };
        let epoch = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        let bad = || Edge::BadHeader { name: "Muster-Epoch", wanted: "a whole number" }.into();
        epoch.map(|epoch| Self(Some(epoch))).ok_or_else(bad)
    }
}
