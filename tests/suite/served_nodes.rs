//! Several nodes as they are run: real processes on one Redis, and phones that go from one to another.

use muster::live::Code;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::live::phone::Phone;
use crate::process::{self, Client, Server};
use crate::redis_server::RedisServer;

/// Nodes of one city, each with a folder of its own.
struct City {
    redis: RedisServer,
    folder: TempDir,
}

impl City {
    fn new() -> Self {
        Self { redis: RedisServer::start(), folder: TempDir::new().unwrap() }
    }

    fn node(&self, name: &str, is_first: bool) -> Server {
        Server::start_node(&self.folder.path().join(name), &self.redis.url(), is_first)
    }

    /// Runs a verb at the shell of a node.
    fn verb(&self, arguments: &[&str]) -> String {
        let output =
            process::node(&self.folder.path().join("shell"), &self.redis.url()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

async fn open_incident(client: &Client, title: &str) {
    client.done("/incidents", &json!({"hazard": "flood", "exercise": true, "title": title})).await;
}

/// The titles of the incidents that a phone hears of until this one.
async fn hears_until(phone: &mut Phone, last: &str) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|title| title != last) {
        let said = phone.hears_of("incident_opened").await;
        heard.push(said["event"]["incident_opened"]["title"].as_str().unwrap().to_owned());
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_goes_on_at_another_node_with_exactly_what_it_missed() {
    let city = City::new();
    let (one, other) = (city.node("one", true), city.node("other", false));
    let client = one.sign_in("city1").await;
    let (mut phone, hello) = Phone::arrives_at(&one.url, client.token()).await;
    phone.says(json!({"type": "ping"})).await;
    open_incident(&client.at(&other), "甲").await;
    let heard = phone.hears_of("incident_opened").await;
    one.kill();
    open_incident(&client.at(&other), "乙").await;
    open_incident(&client.at(&other), "丙").await;
    let (mut phone, again) = Phone::arrives_at(&other.url, client.token()).await;
    assert_eq!(again["epoch"], hello["epoch"]);
    phone.says(json!({"type": "resume", "epoch": hello["epoch"], "cursor": heard["cursor"]})).await;
    assert_eq!(hears_until(&mut phone, "丙").await, ["乙", "丙"]);
    assert_eq!(phone.hears_a("resumed").await["missed"], 2);
    // The node that died comes back, and shows the same.
    let one = city.node("one", false);
    let log = client.at(&one).get("/log?limit=3").await;
    assert_eq!(log, client.at(&other).get("/log?limit=3").await);
    let report: Value = serde_json::from_str(&city.verb(&["verify"])).unwrap();
    assert_eq!(report["good"], log["end"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_a_grant_at_one_node_loses_the_socket_at_another() {
    let city = City::new();
    let (one, other) = (city.node("one", true), city.node("other", false));
    let (admin, dispatcher) = (one.sign_in("admin").await, other.sign_in("city1").await);
    let (mut phone, hello) = Phone::arrives_at(&other.url, dispatcher.token()).await;
    let (person, grant) = (hello["person"].as_str().unwrap(), &hello["grants"][0]);
    admin.takes_away(&format!("/accounts/{person}/grants"), grant).await;
    let (number, reason) = phone.is_closed().await;
    assert_eq!((number, &reason["reconnect"]), (Code::RightsChanged.number(), &json!(true)));
    let (_, hello) = Phone::arrives_at(&other.url, dispatcher.token()).await;
    assert_eq!(hello["grants"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_all_are_told_and_commands_are_to_be_given_again() {
    let mut city = City::new();
    let node = city.node("one", true);
    let client = node.sign_in("city1").await;
    let (mut phone, hello) = Phone::arrives_at(&node.url, client.token()).await;
    phone.says(json!({"type": "ping"})).await;
    assert_eq!(hello.get("as_of"), None);
    city.redis.kill();
    // Nobody has to give a command for that.
    assert!(phone.hears_a("picture").await["as_of"].is_string());
    let (id, form) = (Uuid::now_v7(), json!({"hazard": "flood", "exercise": true, "title": "演练"}));
    let refused = client.order("/incidents", id, &form).await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    assert!(client.get("/incidents").await["items"].is_array(), "what is known can be read");
    city.redis.start_again();
    assert_eq!(phone.hears_a("picture").await["as_of"], Value::Null);
    let done = client.order("/incidents", id, &form).await.unwrap();
    assert!(done.status().is_success(), "{}", done.status());
    phone.hears_of("incident_opened").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_moves_from_one_node_to_several_and_back() {
    let city = City::new();
    let alone = city.folder.path().join("alone");
    let server = Server::start(&alone);
    open_incident(&server.sign_in("city1").await, "独").await;
    assert_eq!(server.stop(), Some(0));
    let copy = city.folder.path().join("copy");
    assert!(process::muster(&alone, &["backup", copy.to_str().unwrap()]).status.success());
    let shell = city.folder.path().join("shell");
    let restore =
        || process::node(&shell, &city.redis.url()).args(["restore", copy.to_str().unwrap()]).output().unwrap();
    assert!(restore().status.success());
    let again = restore();
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("nothing was changed"));

    let node = city.node("one", false);
    let client = node.sign_in("city1").await;
    assert_eq!(client.get("/incidents").await["items"][0]["title"], "独");
    open_incident(&client, "众").await;
    let back = city.folder.path().join("back");
    city.verb(&["backup", back.to_str().unwrap()]);
    let server = Server::start_real(&back);
    let client = server.sign_in("city1").await;
    let titles: Vec<Value> =
        client.get("/incidents").await["items"].as_array().unwrap().iter().map(|i| i["title"].clone()).collect();
    assert!(titles.contains(&json!("独")) && titles.contains(&json!("众")), "{titles:?}");
}
