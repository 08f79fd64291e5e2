//! The nodes' HTTP API, as somebody uses it who goes to the next node where one does not answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::cluster::Cluster;

/// How long an answer is waited for before the next node is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// How long something is tried again before it is called impossible: longer than any fault lasts.
const GIVE_UP_AFTER: Duration = Duration::from_mins(3);
/// Before the next try.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Published with the demo.
const PASSWORD: &str = "muster-demo-1404";

/// All nodes. Cheap to clone.
#[derive(Clone)]
pub struct Nodes {
    pub runtime: Arc<Runtime>,
    http: reqwest::Client,
    pub addresses: Arc<Vec<SocketAddr>>,
    /// A dispatcher of the city.
    pub token: Arc<str>,
}

/// What was answered, and how often it had been asked in vain.
pub struct Answered {
    pub body: Value,
    pub in_vain: usize,
}

impl Nodes {
    pub fn of(cluster: &Cluster) -> anyhow::Result<Self> {
        let runtime = Arc::new(Runtime::new()?);
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
        let addresses = Arc::new(cluster.nodes.iter().map(crate::cluster::node::Node::address).collect());
        Self { runtime, http, addresses, token: Arc::from("") }.sign_in(0, "city1")
    }

    /// The same for a dispatcher who signs in anew, at this node or the next ones.
    ///
    /// # Errors
    /// As an order.
    pub fn sign_in(&self, first: usize, login: &str) -> anyhow::Result<Self> {
        let nobody = Self { token: Arc::from(""), ..self.clone() };
        let form = json!({ "login": login, "password": PASSWORD, "bearer": true });
        let signed_in = self.runtime.block_on(nobody.post(first, "session", Uuid::now_v7(), &form))?;
        Ok(Self { token: signed_in.body["token"].as_str().context("no token")?.into(), ..nobody })
    }

    /// Gives an order under an id, at this node and the next ones, until it is answered.
    ///
    /// # Errors
    /// When it is refused for good, or nobody answers for minutes.
    pub async fn post(&self, first: usize, path: &str, id: Uuid, body: &Value) -> anyhow::Result<Answered> {
        let until = Instant::now() + GIVE_UP_AFTER;
        let mut in_vain = 0;
        loop {
            let node = self.addresses[(first + in_vain) % self.addresses.len()];
            let mut request = self.http.post(format!("http://{node}/api/v1/{path}")).json(body);
            request = request.header("idempotency-key", id.to_string());
            if !self.token.is_empty() {
                request = request.bearer_auth(&self.token);
            }
            let why = match request.send().await {
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    if status.is_success() {
                        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
                        return Ok(Answered { body, in_vain });
                    }
                    // Too early, too many, nobody knows, not now: the same again is what these ask for.
                    if !(status.is_server_error() || status.as_u16() == 429) {
                        bail!("{path} at {node}: {status} {text}");
                    }
                    format!("{status} {text}")
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() > until {
                bail!("{path}: {why}");
            }
            in_vain += 1;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Reads at one node.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn get(&self, node: usize, path: &str, token: &str) -> anyhow::Result<Value> {
        let url = format!("http://{}/{path}", self.addresses[node % self.addresses.len()]);
        self.runtime.block_on(async {
            let answer = self.http.get(url).bearer_auth(token).send().await?;
            Ok(answer.error_for_status()?.json().await?)
        })
    }
}
