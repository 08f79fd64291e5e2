//! The whole emergency, played by the program against the program: over HTTP and real sockets, from the warning to the stand-down.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{self, Server, muster};

/// Fast enough for a test: a minute of theirs is a third of a second.
const SPEED: &str = "200";
const COMPOUNDS: &str = "12";

#[test]
fn an_emergency_is_played_to_its_end_and_can_be_played_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(folder.path(), "approval_in_exercise = true");
    let play = || {
        let arguments = ["rehearse", "flood-2021", "--server", &server.url, "--compounds", COMPOUNDS, "--speed", SPEED];
        let played = muster(&data, &arguments);
        let said = String::from_utf8(played.stdout).unwrap();
        assert!(played.status.success(), "{said}\n{}", String::from_utf8_lossy(&played.stderr));
        said
    };
    let said = play();
    for wanted in ["city2 confirmed", "took over and acknowledged", "ended by name", "the incident is closed"] {
        assert!(said.contains(wanted), "{wanted:?} is missing:\n{said}");
    }
    // Every line says that it is an exercise; the rows of the table stand under a heading that does.
    let steps = said.lines().filter(|line| line.contains(" s 【演练】")).count();
    assert!(steps > 20, "{said}");
    play();
}

/// A server of a demo city under such a `[alert]` section.
fn serve(folder: &Path, alert: &str) -> Server {
    let config = folder.join("muster.toml");
    std::fs::write(&config, format!("[alert]\n{alert}\n")).unwrap();
    Server::start_with(&folder.join("data"), &["--config", config.to_str().unwrap()])
}

/// The shortest limit that can be set is waited for: ten seconds.
#[test]
fn the_timer_passes_the_command_of_the_silent_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "ack_timeout_s = 10");
    // So many that there are more silent commanders than the dispatcher hands over.
    let arguments = ["rehearse", "flood-2021", "--server", &server.url, "--compounds", "30", "--speed", SPEED];
    let played = muster(folder.path(), &[&arguments[..], &["--wait-for-escalation"]].concat());
    let said = String::from_utf8(played.stdout).unwrap();
    assert!(played.status.success(), "{said}\n{}", String::from_utf8_lossy(&played.stderr));
    let row =
        |name: &str| said.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name}:\n{said}"));
    let counts: Vec<usize> =
        row("handed over, passed on").split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [silent, handed, passed_on] = counts[..] else { panic!("{said}") };
    assert!(silent > handed && handed > 0 && passed_on == silent - handed, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_off_it_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "approval_in_exercise = true");
    let arguments = ["rehearse", "flood-2021", "--server", &server.url, "--compounds", COMPOUNDS, "--speed", "60"];
    let mut child = process::command(folder.path()).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = lines.map(Result::unwrap);
    assert!(said.any(|line| line.contains("Step 7")), "it ended before the roll call");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
    let city = server.sign_in("city1").await;
    for path in ["/incidents?open=true", "/alerts?status=awaiting_approval"] {
        assert_eq!(city.get(path).await["items"], serde_json::json!([]), "{path}: {rest:?}");
    }
    let issued = city.get("/alerts?status=issued").await;
    assert!(issued["items"].as_array().unwrap().iter().all(|alert| alert["kind"]["cancel"].is_object()), "{issued}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_people_are_not_disturbed_unless_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [demo, real, file] = ["demo", "real", "compounds.geojson"].map(|name| folder.path().join(name));
    drop(Server::start(&demo));
    let ok = |output: std::process::Output| assert!(output.status.success(), "{output:?}");
    ok(muster(&demo, &["export", "--what", "compounds", "--format", "geojson", file.to_str().unwrap()]));
    let compounds = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, compounds.replace("\"synthetic\":true", "\"synthetic\":false")).unwrap();
    let password = [("MUSTER_PASSWORD", process::PASSWORD)];
    ok(process::muster_with(&real, &["init", "--login", "admin", "--name", "张三"], &password));
    ok(muster(&real, &["import", "compounds", file.to_str().unwrap(), "--datum", "wgs84"]));
    for login in ["city1", "city2"] {
        let account = ["account", "--login", login, "--name", login, "--role", "dispatcher", "--area", "1404"];
        ok(process::muster_with(&real, &account, &password));
    }
    let server = Server::start_real(&real);
    let played = muster(&real, &["rehearse", "flood-2021", "--server", &server.url, "--compounds", COMPOUNDS]);
    assert_eq!(played.status.code(), Some(1));
    let said = String::from_utf8(played.stderr).unwrap();
    assert!(said.contains("--yes-this-is-an-exercise"), "{said}");
    let city = server.sign_in("city1").await;
    for path in ["/incidents", "/alerts"] {
        assert_eq!(city.get(path).await["items"], serde_json::json!([]), "{path}");
    }
}

#[test]
fn a_wrong_password_ends_it_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let arguments = ["rehearse", "flood-2021", "--server", &server.url, "--password", "not the password"];
    let played = muster(folder.path(), &arguments);
    assert_eq!(played.status.code(), Some(1));
    let said = String::from_utf8(played.stderr).unwrap();
    assert!(said.contains("bad_credentials"), "{said}");
}
