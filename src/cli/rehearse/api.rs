//! The public HTTP API as the rehearsal uses it: one way to ask, one way to order, refusals as errors with their code.
//!
//! Every order carries an id of its own and is given again under that id when the server says "later".

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

/// How often something is asked again that the server puts off (429, 503).
const TRIES_MAX: u32 = 5;
/// How long to wait before that.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long one answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Pages that one list may have.
const PAGES_MAX: usize = 1_000;

/// How somebody shows who they are. Never printed: it holds a secret.
#[derive(Clone)]
pub enum Key {
    /// Signed in.
    Bearer(String),
    /// By a household's link.
    Household(String),
    /// Not at all.
    Nobody,
}

impl Key {
    /// The header `Authorization`; `None` for nobody.
    pub fn header(&self) -> Option<String> {
        match self {
            Self::Bearer(token) => Some(format!("Bearer {token}")),
            Self::Household(link) => Some(format!("Household {link}")),
            Self::Nobody => None,
        }
    }
}

/// A server's HTTP API. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
}

/// What a refusal says (RFC 9457).
#[derive(Deserialize)]
struct Refused {
    code: String,
    detail_zh: String,
    detail_en: String,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl Api {
    /// Of a server.
    ///
    /// # Errors
    /// When the address is not `http://…`: the rehearsal speaks no TLS.
    pub fn new(server: &str) -> anyhow::Result<Self> {
        let base = server.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") {
            bail!("{server}: 演练只支持 http:// 地址。 The rehearsal speaks plain http:// only.");
        }
        Ok(Self { http: reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?, base })
    }

    /// Where sockets are opened.
    pub fn live_url(&self) -> String {
        format!("{}/api/v1/live", self.base.replacen("http://", "ws://", 1))
    }

    /// Reads something; `path` begins after `/api/v1/`.
    ///
    /// # Errors
    /// What the server refused, or that it cannot be reached.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key, path: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, key, path, None).await
    }

    /// Orders something, once however often it has to be sent.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post<T: DeserializeOwned>(&self, key: &Key, path: &str, body: &Value) -> anyhow::Result<T> {
        self.ask(Method::POST, key, path, Some(body)).await
    }

    /// Reads a list to its end.
    ///
    /// # Errors
    /// As [`Api::get`]; a list that does not end.
    pub async fn list<T: DeserializeOwned>(&self, key: &Key, path: &str) -> anyhow::Result<Vec<T>> {
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let page: Page<T> = self.get(key, &format!("{path}{join}limit=500{after}")).await?;
            items.extend(page.items);
            match page.next {
                // `#` stands in keys of posts and would end the query.
                Some(next) => after = format!("&after={}", next.replace('#', "%23")),
                None => return Ok(items),
            }
        }
        bail!("{path}: 列表没有尽头。 The list does not end.")
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        key: &Key,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        let url = format!("{}/api/v1/{path}", self.base);
        let id = Uuid::now_v7().to_string();
        for left in (0..TRIES_MAX).rev() {
            let mut request = self.http.request(method.clone(), &url);
            if let Some(header) = key.header() {
                request = request.header("authorization", header);
            }
            if let Some(body) = body {
                request = request.header("idempotency-key", &id).json(body);
            }
            let answer = request.send().await.map_err(|error| self.unreachable(error))?;
            let status = answer.status();
            if status.is_success() {
                return answer.json().await.with_context(|| format!("{method} {path}"));
            }
            let later = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if !later || left == 0 {
                return Err(refused(&method, path, status, answer.json().await.ok()));
            }
            sleep(AGAIN_AFTER).await;
        }
        bail!("{path}: {TRIES_MAX} 次均未被受理。 Put off {TRIES_MAX} times.")
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        if error.is_connect() {
            return anyhow!(
                "{0} 上没有服务，请先启动（make run）。 No server answers at {0}; start one (make run).",
                self.base
            );
        }
        error.into()
    }
}

fn refused(method: &Method, path: &str, status: StatusCode, why: Option<Refused>) -> anyhow::Error {
    match why {
        Some(Refused { code, detail_zh, detail_en }) => {
            anyhow!("{method} {path}: {} {code}: {detail_zh} {detail_en}", status.as_u16())
        }
        None => anyhow!("{method} {path}: {status}"),
    }
}
