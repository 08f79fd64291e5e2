//! Backup and restore through the program: a copy taken while the server goes on is a whole city, and comes back as one.

use serde_json::{Value, json};

use crate::process::{self, Server};

/// Incidents that are opened while a copy is taken.
const BUSY_ORDERS: usize = 200;

fn said(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_running_city_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, again] = ["data", "copy", "again"].map(|name| folder.path().join(name));
    let server = Server::start(&data);
    let client = server.sign_in("city1").await;
    let incident = process::open_exercise(&client).await;
    // Orders go on while the copy is taken.
    let busy = tokio::spawn({
        let client = client.clone();
        async move {
            for no in 0..BUSY_ORDERS {
                client
                    .done("/incidents", &json!({"hazard": "fire", "exercise": true, "title": format!("busy {no}")}))
                    .await;
            }
        }
    });
    let backup = process::command(&data).args(["backup", copy.to_str().unwrap()]).output();
    let backed_up = said(&backup.unwrap());
    busy.await.unwrap();
    // What happens after the copy is not in it.
    client.done("/incidents", &json!({"hazard": "fire", "exercise": true, "title": "later"})).await;
    assert_eq!(server.stop(), Some(0));

    let restored = said(&process::muster(&again, &["restore", copy.to_str().unwrap()]));
    assert_eq!((&restored["good"], &restored["hash"]), (&backed_up["good"], &backed_up["hash"]));
    assert_ne!(restored["epoch"], backed_up["epoch"], "clients of the lost journal have to load anew");
    let over = process::muster(&again, &["restore", copy.to_str().unwrap()]);
    assert!(!over.status.success(), "a city is never written over");

    // The restored city knows its accounts, its sessions and its incident, and goes on from there.
    let server = Server::start(&again);
    let client = client.at(&server);
    let found = client.get(&format!("/incidents/{incident}")).await;
    assert_eq!(found["id"], json!(incident));
    let list = client.get("/incidents?limit=500").await;
    let titles: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert!(!titles.contains(&"later") && titles.len() <= BUSY_ORDERS + 1, "{titles:?}");
    server.sign_in("city2").await;
    client.done("/incidents", &json!({"hazard": "fire", "exercise": true, "title": "goes on"})).await;
}

#[test]
fn an_export_says_the_same_as_the_city() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Server::start(&data));
    let export = |what: &str, format: &str| {
        let to = folder.path().join(format!("{what}.{format}"));
        let output = process::muster(&data, &["export", "--what", what, "--format", format, to.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(to).unwrap()
    };
    let lines = export("city", "jsonl");
    let compounds: Vec<Value> = String::from_utf8(lines)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|value| value["kind"] == "compound")
        .collect();
    assert_eq!(compounds.len(), process::COMPOUNDS);
    let places: Value = serde_json::from_slice(&export("compounds", "geojson")).unwrap();
    let features = places["features"].as_array().unwrap();
    assert_eq!(features.len(), process::COMPOUNDS);
    for (feature, compound) in features.iter().zip(&compounds) {
        assert_eq!(feature["geometry"]["coordinates"], compound["value"]["boundary"]);
        assert_eq!(feature["properties"]["name"], compound["value"]["name"]);
    }
    let table = export("compounds", "csv");
    assert!(table.starts_with(b"\xEF\xBB\xBF"), "spreadsheets in China need the mark");
    let mut table = csv::Reader::from_reader(&table[3..]);
    assert_eq!(table.headers().unwrap().get(1), Some("name"));
    let names: Vec<_> = table.records().map(|row| row.unwrap()[1].to_owned()).collect();
    let expected: Vec<_> = compounds.iter().map(|compound| compound["value"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, expected);
    let posts: usize = compounds.iter().map(|compound| compound["posts"].as_array().unwrap().len()).sum();
    assert_eq!(csv::Reader::from_reader(&export("posts", "csv")[3..]).records().count(), posts);
    assert_eq!(String::from_utf8(export("log", "jsonl")).unwrap().lines().count(), 1, "laid out by one order");
}

/// What a command prints must be enough to act on: the code says that it failed, the text why.
#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, empty] = ["data", "copy", "empty"].map(|name| folder.path().join(name));
    let server = Server::start(&data);
    let (copy_to, file) = (copy.to_str().unwrap(), folder.path().join("city.csv"));
    let refused = |data: &std::path::Path, arguments: &[&str], wanted: &str| {
        let output = process::muster(data, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(wanted), "{arguments:?}: {said}");
    };
    for arguments in
        [["verify"].as_slice(), &["backup", copy_to], &["export", "--what", "city", file.to_str().unwrap()]]
    {
        refused(&empty, arguments, "There is no journal");
    }
    assert!(!copy.exists() && !file.exists() && !empty.exists(), "nothing is left behind");
    said(&process::muster(&data, &["backup", copy_to]));
    refused(&data, &["backup", copy_to], "copy");
    refused(&data, &["restore", copy_to], "Another muster process");
    refused(&data, &["serve"], "Another muster process");
    refused(&data, &["export", "--what", "city", "--format", "csv", file.to_str().unwrap()], "several tables");
    refused(&data, &["export", "--what", "log", "--format", "geojson", file.to_str().unwrap()], "have places");
    server.kill();
    assert_eq!(said(&process::muster(&data, &["verify"]))["fault"], Value::Null);
    refused(&data, &["verify", folder.path().join("nowhere").to_str().unwrap()], "nowhere");
    refused(&data, &["--config", "nowhere.toml", "verify"], "cannot be read");
}

#[test]
fn half_a_demo_city_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Server::start(&data).kill();
    assert!(!data.join("demo.half").exists(), "laid out whole");
    std::fs::write(data.join("demo.half"), "").unwrap();
    for arguments in [["serve"].as_slice(), &["serve", "--demo"]] {
        let refused = process::muster(&data, arguments);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && said.contains("cut short"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_demo_never_mixes_with_a_real_city() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let init = |login: &str| {
        let arguments = ["init", "--login", login, "--name", "张三"];
        process::muster_with(&data, &arguments, &[("MUSTER_PASSWORD", "correct horse battery")])
    };
    let made = init("zhangsan");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(!init("lisi").status.success(), "there is one first administrator");
    let demo = process::muster(&data, &["serve", "--demo"]);
    assert!(!demo.status.success());
    assert!(String::from_utf8_lossy(&demo.stderr).contains("holds a real city"));
    let tokens = process::muster(&data, &["tokens", "--count", "1"]);
    assert!(!tokens.status.success(), "no tokens in bulk of real people");
}
