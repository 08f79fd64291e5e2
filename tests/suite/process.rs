//! The program itself, run as people run it: a server on a data directory of its own, killed or asked to stop; and the other verbs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// Compounds of the city that these tests lay out.
pub const COMPOUNDS: usize = 40;
/// Of the demo's accounts, and of those that tests make.
pub const PASSWORD: &str = "muster-demo-1404";

/// How long an answer is waited for. A killed server's port may be given to another test's listener, which never answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a verb to its end.
pub fn muster(data: &Path, arguments: &[&str]) -> Output {
    muster_with(data, arguments, &[])
}

/// Runs a verb to its end, with more in its environment.
pub fn muster_with(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    command(data).args(arguments).envs(environment.iter().copied()).output().unwrap()
}

/// The program with an environment of the test's own.
pub fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    // Whatever the developer's shell says must not reach the test.
    command.env_clear().env("MUSTER_DATA_DIR", data).env("MUSTER_LISTEN", "127.0.0.1:0").env("MUSTER_LOG", "warn");
    command
}

/// The same, for a node of the city that is kept in this Redis.
pub fn node(data: &Path, redis: &str) -> Command {
    let mut command = command(data);
    command.env("MUSTER_JOURNAL_URL", redis).env("MUSTER_DIRECTORY_KEY", "5a".repeat(32));
    command
}

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts one and waits until it says its address, which it does when the journal was taken in.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same, with these arguments before the verb.
    pub fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let compounds = COMPOUNDS.to_string();
        Self::spawn(data, &[arguments, &["serve", "--demo", "--demo-compounds", &compounds]].concat())
    }

    /// Serves what was prepared there.
    pub fn start_real(data: &Path) -> Self {
        Self::spawn(data, &["serve"])
    }

    /// Starts a node of the city that is kept in this Redis; the first lays the demo city out.
    pub fn start_node(data: &Path, redis: &str, is_first: bool) -> Self {
        let compounds = COMPOUNDS.to_string();
        let demo: &[&str] = if is_first { &["--demo", "--demo-compounds", &compounds] } else { &[] };
        Self::run(node(data, redis).arg("serve").args(demo))
    }

    fn spawn(data: &Path, arguments: &[&str]) -> Self {
        Self::run(command(data).args(arguments))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(at) = line.find("http://") {
                return Self { child, url: line[at..].trim().to_owned() };
            }
            said.push_str(&line);
        }
        panic!("the server ended before it said its address: {said} {:?}", child.wait());
    }

    /// Ends it as a power cut does: nothing is flushed, nothing is said.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// Signs in to the demo, for a bearer token.
    pub async fn sign_in(&self, login: &str) -> Client {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let form = json!({"login": login, "password": PASSWORD, "bearer": true});
        let answer = http.post(format!("{}/api/v1/session", self.url)).json(&form).send().await.unwrap();
        let signed_in: Value = answer.json().await.unwrap();
        let token = signed_in["token"].as_str().unwrap().to_owned();
        Client { http, url: self.url.clone(), token }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killed already, it is gone; else it must not outlive the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token)
    }

    /// The bearer token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Points it at a server that was started anew: sessions outlive it.
    pub fn at(&self, server: &Server) -> Self {
        Self { url: server.url.clone(), ..self.clone() }
    }

    /// Gives a command under an id.
    pub async fn order(&self, path: &str, id: Uuid, form: &Value) -> reqwest::Result<Response> {
        self.ask(Method::POST, path).header("Idempotency-Key", id.to_string()).json(form).send().await
    }

    /// Gives a command that must be done.
    pub async fn done(&self, path: &str, form: &Value) -> Value {
        let answer = self.order(path, Uuid::now_v7(), form).await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Takes something away that must be there.
    pub async fn takes_away(&self, path: &str, form: &Value) {
        let answer = self.ask(Method::DELETE, path).json(form).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Reads something that must be there.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }
}

/// Opens an exercise and switches the whole city to emergency; gives the incident's id.
pub async fn open_exercise(client: &Client) -> String {
    let form = json!({"hazard": "flood", "exercise": true, "title": "演练 crash test"});
    let made = client.done("/incidents", &form).await;
    let incident = made["id"].as_str().unwrap().to_owned();
    client.done(&format!("/incidents/{incident}/switch"), &json!({"areas": ["1404"], "to": {"emergency": "II"}})).await;
    incident
}
