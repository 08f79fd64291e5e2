//! A Muster server of the run's own, with the demo city in a folder of its own, and those who give orders to it.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use muster::live::frame::rfc3339;
use muster::runtime::clock::{Clock as _, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// The repository: servers run there, as `make run` lets them.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The server's configuration, in its folder.
const CONFIG: &str = "muster.toml";
/// Published with the demo.
const PASSWORD: &str = "muster-demo-1404";
/// Seconds that a server may take to lay out its city, or to read its journal.
pub(crate) const START_MAX_S: &str = "600";

/// Seconds until an alert expires: longer than any run.
const ALERT_LASTS_S: u32 = 6 * 3_600;

/// A token of somebody with a part in a compound.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// The secret.
    pub token: String,
    /// Where they have a part.
    pub compound: String,
}

/// A server that runs. Dropping it ends it.
pub struct House {
    child: Child,
    /// Its files, gone with it.
    _folder: TempDir,
    address: SocketAddr,
    /// To give orders with.
    pub api: Api,
    /// One for each phone that was asked for.
    pub tokens: Vec<Token>,
}

impl House {
    /// Lays out a city of so many compounds, with these keys in the `[live]` section of the demo's configuration, makes tokens for so many of its people (commanders first), and serves it.
    ///
    /// # Errors
    /// When there is no binary, or the server does not start.
    pub fn build(compounds: usize, phones: usize, live: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let demo = std::fs::read_to_string(format!("{ROOT}/config/demo.toml"))?;
        std::fs::write(folder.path().join(CONFIG), demo.replace("[live]\n", &format!("[live]\n{live}\n")))?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        // Laid out first, for tokens are made while nobody serves.
        let count = compounds.to_string();
        let mut child = serve(folder.path(), address, &["--demo", "--demo-compounds", &count])?;
        end(&mut child)?;
        let said = command(folder.path(), address)?.args(["tokens", "--count", &phones.to_string()]).output()?;
        if !said.status.success() {
            bail!("{}", String::from_utf8_lossy(&said.stderr));
        }
        let lines = said.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let tokens = lines.map(serde_json::from_slice).collect::<Result<_, _>>()?;
        let child = serve(folder.path(), address, &["--demo", "--demo-compounds", &count])?;
        Ok(Self { child, _folder: folder, address, api: Api::new(address)?, tokens })
    }

    /// Where phones connect.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whose processor time and memory count.
    pub fn processes(&self) -> [u32; 1] {
        [self.child.id()]
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Err(error) = end(&mut self.child) {
            drop(writeln!(std::io::stderr(), "the server could not be ended: {error}"));
        }
    }
}

/// `MUSTER_BIN`, or the binary that was built with this one.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("MUSTER_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    // Tests lie one folder deeper.
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join("muster")).find(|path| path.is_file());
    found.context("没有 muster 程序：先运行 make build。 The program muster is missing: `make build` makes it")
}

fn command(folder: &Path, address: SocketAddr) -> anyhow::Result<Command> {
    let mut command = Command::new(binary()?);
    command.current_dir(ROOT).arg("--config").arg(folder.join(CONFIG));
    command.env("MUSTER_DATA_DIR", folder.join("data")).env("MUSTER_LISTEN", address.to_string());
    Ok(command)
}

/// Starts a server, and waits until it takes commands.
fn serve(folder: &Path, address: SocketAddr, arguments: &[&str]) -> anyhow::Result<Child> {
    let mut child = command(folder, address)?.arg("serve").args(arguments).stdout(Stdio::null()).spawn()?;
    let server = format!("http://{address}");
    let ready = command(folder, address)?.args(["ready", "--server", &server, "--within-s", START_MAX_S]).status()?;
    if !ready.success() {
        end(&mut child)?;
        bail!("the server did not start");
    }
    Ok(child)
}

/// Asks it to stop, and waits until it has.
fn end(child: &mut Child) -> std::io::Result<()> {
    if child.try_wait()?.is_none() {
        let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| std::io::Error::other("no process id"))?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
    }
    child.wait().map(drop)
}

/// The HTTP API, as somebody who is signed in. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    runtime: std::sync::Arc<Runtime>,
    http: reqwest::Client,
    base: String,
    /// Two dispatchers of the city: who writes an alert, and who approves it.
    pub city: [String; 2],
}

impl Api {
    pub(crate) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let runtime = std::sync::Arc::new(Runtime::new()?);
        let http = reqwest::Client::new();
        let mut api = Self { runtime, http, base: format!("http://{address}/api/v1/"), city: Default::default() };
        api.city = [api.sign_in("city1")?, api.sign_in("city2")?];
        Ok(api)
    }

    /// A token of one of the demo's accounts.
    ///
    /// # Errors
    /// When it is refused.
    pub fn sign_in(&self, login: &str) -> anyhow::Result<String> {
        let form = json!({ "login": login, "password": PASSWORD, "bearer": true });
        let answer = self.post("", "session", &form)?;
        Ok(answer["token"].as_str().context("no token")?.to_owned())
    }

    /// Posts, with an id of its own.
    ///
    /// # Errors
    /// When it is refused, with the server's words.
    pub fn post(&self, token: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.runtime.block_on(self.posting(token, path, body))
    }

    /// Posts all of these at once; the answers come in the same order.
    ///
    /// # Errors
    /// When one is refused.
    pub fn post_all(&self, token: &str, paths: &[String], body: &Value) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let posts = paths.iter().map(|path| self.posting(token, path, body));
            futures_util::future::try_join_all(posts).await.map(drop)
        })
    }

    async fn posting(&self, token: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        let request = request.header("idempotency-key", Uuid::now_v7().to_string());
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{path}: {status} {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// Gets.
    ///
    /// # Errors
    /// When it is refused, with the server's words.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.runtime.block_on(async {
            let answer = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.city[0]).send().await?;
            Ok(answer.error_for_status()?.json().await?)
        })
    }

    /// A number of `/metrics`, by the end of its name.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let url = self.base.replace("/api/v1/", "/metrics");
        let text = self.runtime.block_on(async { self.http.get(url).send().await?.text().await })?;
        let line = text.lines().find(|line| {
            let (full, _) = line.split_once(' ').unwrap_or_default();
            !line.starts_with('#') && full.trim_end_matches("_total").ends_with(name)
        });
        let number = line.and_then(|line| line.split_once(' ')?.1.parse::<f64>().ok());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
        number.map(|number| number as u64).with_context(|| format!("/metrics has no {name}"))
    }

    /// Opens an exercise.
    ///
    /// # Errors
    /// When it is refused.
    pub fn open_exercise(&self) -> anyhow::Result<String> {
        let form = json!({ "hazard": "flood", "exercise": true, "title": "负载测试 load test" });
        id_of(&self.post(&self.city[0], "incidents", &form)?)
    }

    /// Writes an alert and hands it in; it waits for the second person.
    ///
    /// # Errors
    /// When it is refused.
    pub fn submit_alert(&self, incident: &str, target: &Value) -> anyhow::Result<Submitted> {
        let content = short_content();
        let hit = self.post(&self.city[0], "targets/preview", target)?;
        let compounds = hit["compounds"].as_u64().context("no number of compounds")?;
        let draft = json!({ "incident": incident, "content": content, "target": target });
        let id = id_of(&self.post(&self.city[0], "alerts", &draft)?)?;
        self.post(&self.city[0], &format!("alerts/{id}/submit"), &json!({}))?;
        Ok(Submitted { id, confirm: json!({ "confirm_compounds": compounds }) })
    }

    /// The second person approves it: it goes out.
    ///
    /// # Errors
    /// When it is refused.
    pub fn approve(&self, alert: &Submitted) -> anyhow::Result<()> {
        self.post(&self.city[1], &format!("alerts/{}/approve", alert.id), &alert.confirm).map(drop)
    }
}

/// An alert that waits for its second person.
pub struct Submitted {
    /// Its id.
    pub id: String,
    /// What the second person types.
    pub confirm: Value,
}

fn id_of(made: &Value) -> anyhow::Result<String> {
    Ok(made["id"].as_str().context("no id")?.to_owned())
}

/// As short as the linter lets an alert be, in one language: its frame is nearest to the 512 bytes with which others are measured.
pub(crate) fn short_content() -> Value {
    let expires = rfc3339(SystemClock.now().plus_s(ALERT_LASTS_S), 480);
    json!({
        "hazard": "flood", "colour": "red", "category": ["Met"], "urgency": "Immediate", "severity": "Extreme",
        "certainty": "Likely", "response_types": ["Evacuate"], "expires": expires,
        "infos": [{
            "language": "zh-CN", "event": "洪水红色预警", "headline": "【演练】市应急局发布洪水预警【演练】",
            "description": "【演练】今日12时前，潞州区将有洪水。【演练】",
            "instruction": "【演练】请立即转移到高处。【演练】", "sender_name": "市应急局", "contact": "0355-0000000",
        }],
    })
}
