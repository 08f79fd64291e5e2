//! The whole emergency, played by the program against the program: over HTTP and real sockets, from the warning to the stand-down.

use crate::process::{Server, muster};

/// Fast enough for a test: a minute of theirs is a third of a second.
const SPEED: &str = "200";
const COMPOUNDS: &str = "12";

#[test]
fn an_emergency_is_played_to_its_end_and_can_be_played_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("muster.toml");
    std::fs::write(&config, "[alert]\napproval_in_exercise = true\n").unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--config", config.to_str().unwrap()]);
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
