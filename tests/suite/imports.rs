//! Real data through the program: `muster init` prepares a city, `muster import` fills it, on the data directory or through a server.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::process::{self, Server};

fn sample(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "data", "import", name].iter().collect();
    path.to_str().unwrap().to_owned()
}

fn init(data: &Path) {
    let arguments = ["init", "--login", "zhangsan", "--name", "张三"];
    let made = process::muster_with(data, &arguments, &[("MUSTER_PASSWORD", "correct horse battery")]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Every line of an export of the city.
fn exported(data: &Path, what: &str, format: &str, to: &Path) -> String {
    let output = process::muster(data, &["export", "--what", what, "--format", format, to.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(to).unwrap()
}

#[test]
fn a_file_is_taken_in_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let import = |file: &str, more: &[&str]| {
        let file = sample(file);
        process::muster(&data, &[&["import", "compounds", &file], more].concat())
    };
    assert!(!import("compounds.geojson", &[]).status.success(), "the datum must be said");

    let bad = import("compounds-bad.csv", &["--datum", "wgs84"]);
    assert!(!bad.status.success());
    let faults = report(&bad)["faults"].as_array().unwrap().clone();
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault["line"].is_u64()), "{faults:?}");
    assert!(String::from_utf8_lossy(&bad.stderr).contains("第 3 行 line 3"));

    let looked = import("compounds.geojson", &["--datum", "wgs84", "--dry-run"]);
    assert!(looked.status.success());
    let verified = report(&process::muster(&data, &["verify"]));
    assert_eq!(verified["good"], 1, "so far there is the groundwork alone");

    let taken = report(&import("compounds.geojson", &["--datum", "wgs84"]));
    assert_eq!((&taken["accepted"], &taken["position"]), (&2.into(), &2.into()));
    let names = exported(&data, "compounds", "jsonl", &folder.path().join("compounds.jsonl"));
    assert!(names.contains("示例东苑（合成）"));
}

#[test]
fn what_is_exported_can_be_imported_again() {
    let folder = tempfile::tempdir().unwrap();
    let [demo, real] = ["demo", "real"].map(|name| folder.path().join(name));
    drop(Server::start(&demo));
    init(&real);
    let file = folder.path().join("compounds.geojson");
    exported(&demo, "compounds", "geojson", &file);
    let taken = process::muster(&real, &["import", "compounds", file.to_str().unwrap(), "--datum", "wgs84"]);
    assert_eq!(report(&taken)["accepted"], process::COMPOUNDS, "{}", String::from_utf8_lossy(&taken.stderr));
    let [was, is] = [(&demo, "was"), (&real, "is")]
        .map(|(data, name)| exported(data, "compounds", "jsonl", &folder.path().join(name)));
    assert_eq!(was, is);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_into_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let admin = server.sign_in("admin").await;
    let file = sample("compounds.geojson");
    let offline = process::muster(&data, &["import", "compounds", &file, "--datum", "wgs84"]);
    assert!(!offline.status.success(), "the server writes there");
    let arguments = ["import", "compounds", &file, "--datum", "wgs84", "--server", &server.url];
    let taken = process::muster_with(&data, &arguments, &[("MUSTER_TOKEN", admin.token())]);
    assert_eq!(report(&taken)["accepted"], 2, "{}", String::from_utf8_lossy(&taken.stderr));
    let volunteer = server.sign_in("post").await;
    let refused = process::muster_with(&data, &arguments, &[("MUSTER_TOKEN", volunteer.token())]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not_your_role"));
}

/// The way of `README.md`, word by word, with the sample files that it names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_makes_a_city_of_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    for (what, name, more) in [
        ("areas", "areas.csv", [].as_slice()),
        ("compounds", "compounds.geojson", &["--datum", "gcj02"]),
        ("posts", "posts.csv", &[]),
        ("people", "people.csv", &[]),
        ("plans", "plans.csv", &[]),
    ] {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "config", "samples", name].iter().collect();
        let taken = process::muster(&data, &[&["import", what, path.to_str().unwrap()], more].concat());
        assert!(taken.status.success(), "{what}: {}", String::from_utf8_lossy(&taken.stderr));
    }
    let account = |login: &str, area: &str| {
        let arguments = ["account", "--login", login, "--name", "李四", "--role", "dispatcher", "--area", area];
        process::muster_with(&data, &arguments, &[("MUSTER_PASSWORD", process::PASSWORD)])
    };
    assert!(account("city1", "1404").status.success());
    let again = account("city1", "1404");
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("city1 已存在") && said.contains("exists already"), "{said}");
    assert!(!account("city2", "140499").status.success(), "there is no such area");

    let server = Server::start_real(&data);
    let dispatcher = server.sign_in("city1").await;
    let form = serde_json::json!({"hazard": "flood", "exercise": true, "title": "演练"});
    let made = dispatcher.done("/incidents", &form).await;
    let path = format!("/incidents/{}/switch", made["id"].as_str().unwrap());
    dispatcher.done(&path, &serde_json::json!({"areas": ["140403"], "to": {"emergency": "II"}})).await;
    let duty = dispatcher.get("/compounds/140403001001901/duty").await;
    assert_eq!(duty["calls"].as_array().unwrap().len(), 2, "who holds a post of the plan's teams is called: {duty}");
    let people = dispatcher.get("/compounds/140403001001902").await;
    assert_eq!(people["compound"]["people"], 210, "{people}");
}
