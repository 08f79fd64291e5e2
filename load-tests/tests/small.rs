//! Each scenario, small, against the program itself: nothing is lost, nothing comes twice, whatever else it promises is kept. How fast
//! is not asked here: that is `make bench`'s.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails here is meant to panic")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// Phones: enough that both shards have their hands full.
const PHONES: &str = "1000";
/// Compounds in which so many people have a part.
const COMPOUNDS: &str = "60";

/// Runs a scenario to its end, and gives what it says in its JSON line.
fn run(scenario: &[&str]) -> Value {
    figures_of(&[scenario, &["--connections", PHONES, "--compounds", COMPOUNDS]].concat(), 0)
}

/// The same, of any size, where it is to end with this status.
fn figures_of(arguments: &[&str], code: i32) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load-tests"));
    let Output { status, stdout, stderr } = command.args(arguments).env("MUSTER_BIN", muster()).output().unwrap();
    let (said, complaint) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(code), "{arguments:?}\n{said}\n{complaint}");
    assert_eq!(code == 1, complaint.contains("MISSED: "), "{complaint}");
    let line = said.lines().last().unwrap();
    serde_json::from_str::<Value>(line).unwrap()["figures"].take()
}

/// The program that was built with this test: it lies a folder above.
fn muster() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("muster");
    assert!(path.is_file(), "{} is missing: cargo build", path.display());
    path
}

#[test]
fn an_alert_reaches_every_phone_once_and_so_do_ten_at_once() {
    let figures = run(&["alert-storm", "--publishes", "3", "--receipts", "--beside", "limit-1"]);
    let [muster, limit] = &figures.as_array().unwrap()[..] else { panic!("{figures}") };
    for round in [muster, limit] {
        assert_eq!((&round["lost"], &round["doubled"], &round["phones"]), (&0.into(), &0.into(), &1000.into()));
    }
    assert!(muster["bytes"].as_u64() >= Some(512));
}

#[test]
fn an_alert_to_one_compound_reaches_its_people() {
    let figures = run(&["alert-storm", "--publishes", "3", "--to", "one"]);
    let phones = figures[0]["phones"].as_u64().unwrap();
    assert!(phones > 0 && phones < 100, "{phones}");
    assert_eq!((&figures[0]["lost"], &figures[0]["doubled"]), (&0.into(), &0.into()));
}

#[test]
fn all_who_are_cut_off_come_back_and_are_told_what_they_missed() {
    let figures = run(&["reconnect-storm"]);
    assert_eq!([&figures["lost"], &figures["doubled"], &figures["reloads"]], [0, 0, 0]);
    assert_eq!(figures["connections_now"], 1000);
}

#[test]
fn sizes_are_compared_and_a_figure_over_its_budget_is_said() {
    let budget = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(budget.path(), "last_exponent_of_phones = { max = -100 }").unwrap();
    let sizes = ["growth", "--phones", "100,300", "--cities", "60,120", "--publishes", "2"];
    let figures = figures_of(&[&sizes[..], &["--budget", budget.path().to_str().unwrap()]].concat(), 1);
    for name in ["last_exponent_of_compounds", "last_exponent_of_phones", "one_with_most_phones_times_fewest"] {
        assert!(figures[name].as_f64().is_some_and(f64::is_finite), "{figures}");
    }
}

#[test]
fn who_does_not_read_is_closed_and_nobody_else_notices() {
    let figures = run(&["slow-readers", "--queue-frames", "16"]);
    assert_eq!(figures["closed_as_slow_readers"], 50);
    assert_eq!([&figures["lost_by_the_others"], &figures["doubled"], &figures["ended_otherwise"]], [0, 0, 0]);
}

#[test]
fn a_whole_city_is_called_and_every_answer_is_durable() {
    let figures = run(&["duty-switch"]);
    assert_eq!(figures["on_post_in_the_city"], figures["phones_called"]);
    assert!(figures["phones_called"].as_u64() > Some(100));
}

#[test]
fn every_household_is_reported_once_and_the_tallies_are_right() {
    let figures = run(&["roll-call", "--households", "3000"]);
    assert_eq!(figures["safe_in_the_tally"], 3_000);
    assert_eq!([&figures["refused"], &figures["doubled"]], [0, 0]);
}

#[test]
fn consoles_see_the_roll_on_the_map_while_it_is_taken() {
    let figures = run(&["map-watchers", "--households", "3000", "--watchers", "20"]);
    assert_eq!((&figures["safe_in_the_tally"], &figures["watchers"]), (&3_000.into(), &20.into()));
    assert!(figures["frames_per_s_each"].as_f64() > Some(0.0));
}

#[test]
fn a_cluster_whose_parts_are_killed_keeps_what_it_promised() {
    let faults = ["--only", "node-killed,node-frozen,nodes-restarted,primary-killed", "--times", "1"];
    let rows =
        figures_of(&[&["chaos", "--compounds", "40", "--callers", "4", "--phones", "6"], &faults[..]].concat(), 0);
    assert_eq!(rows.as_array().unwrap().len(), 4);
}
