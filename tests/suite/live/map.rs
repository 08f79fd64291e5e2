//! The live map: a snapshot of the own areas, then what changed, conflated; nothing when nothing did.

use std::time::Duration;

use muster::domain::area::AreaLevel;
use muster::domain::command::Command;
use muster::domain::compound::CompoundId;
use muster::domain::duty::ModeOrder;
use muster::domain::hazard::ResponseLevel;
use muster::live::LiveLimits;
use serde_json::{Value, json};

use super::phone::{Phone, Served};

/// Nothing is flushed but by the test.
fn by_hand() -> LiveLimits {
    LiveLimits { map_interval: Duration::from_hours(1), map_frame_compounds: 5, ..LiveLimits::default() }
}

fn ids(map: &Value) -> Vec<String> {
    map["compounds"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

async fn snapshot(phone: &mut Phone) -> (Vec<String>, Value) {
    let mut all = Vec::new();
    loop {
        let map = phone.hears_a("map").await;
        assert_eq!(map["snapshot"], true);
        all.extend(ids(&map));
        if map["more"] == false {
            return (all, map["position"].clone());
        }
    }
}

async fn switch(served: &Served, incident: muster::domain::ids::IncidentId, id: CompoundId, to: ModeOrder) {
    let command = Command::SwitchDuty { incident, areas: Vec::new(), compounds: vec![id], to };
    served.does(&served.account("city1"), command).await;
}

#[test]
fn a_map_is_drawn_five_times_a_second_at_most() {
    assert!(LiveLimits::default().map_interval >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_watcher_gets_a_snapshot_and_then_only_what_changed() {
    let served = Served::with(by_hand()).await;
    let (mut city, _) = served.arrives(&served.account("city1")).await;
    city.says(json!({"type": "watch", "what": "map"})).await;
    assert_eq!(city.hears_a("watching").await["areas"], json!(["1404"]));
    let (all, _) = snapshot(&mut city).await;
    let want: Vec<String> = served.parts.muster.city().compounds().map(|(id, _)| id.to_string()).collect();
    assert_eq!(all, want, "in parts of five, each once");
    city.heard().await;
    let flush = || served.parts.hub.flush_map(&served.parts.muster.city());
    flush();
    let incident = served.opens().await;
    flush();
    assert!(city.heard().await.iter().all(|said| said["type"] != "map"), "no compound changed");
    let id = served.manned(0);
    switch(&served, incident, id, ModeOrder::Emergency(ResponseLevel::III)).await;
    switch(&served, incident, id, ModeOrder::Emergency(ResponseLevel::I)).await;
    flush();
    let map = city.hears_a("map").await;
    assert_eq!(ids(&map), [id.to_string()], "one compound is redrawn");
    assert_eq!(map["compounds"][0]["level"], "I", "the latest state wins");
    assert_eq!(map["compounds"][0]["exercise"], true);
    assert!(map["compounds"][0]["duty"]["needed"].as_u64().unwrap() > 0);
    flush();
    assert!(city.heard().await.iter().all(|said| said["type"] != "map"));
}

#[tokio::test]
async fn a_watcher_that_does_not_read_gets_less_not_later() {
    let limits = LiveLimits { resume_wait: Duration::from_hours(1), ..by_hand() };
    let served = Served::with(limits).await;
    let actor = served.account("city1");
    let (mut other, _) = served.arrives(&actor).await;
    let (mut city, _) = served.arrives(&actor).await;
    city.says(json!({"type": "watch", "what": "map"})).await;
    snapshot(&mut city).await;
    city.heard().await;
    let incident = served.opens().await;
    let id = served.manned(0);
    for level in ResponseLevel::ALL {
        switch(&served, incident, id, ModeOrder::Emergency(level)).await;
    }
    switch(&served, incident, id, ModeOrder::Normal).await;
    served.parts.hub.flush_map(&served.parts.muster.city());
    let map = city.hears_a("map").await;
    assert_eq!(map["compounds"][0]["emergency"], false, "five orders, one frame");
    assert!(other.heard().await.iter().all(|said| said["type"] != "map"), "not a watcher");
}

#[tokio::test]
async fn a_map_is_continued_from_a_position() {
    let served = Served::with(by_hand()).await;
    let (mut city, hello) = served.arrives(&served.account("city1")).await;
    city.says(json!({"type": "watch", "what": "map"})).await;
    let (_, position) = snapshot(&mut city).await;
    drop(city);
    let incident = served.opens().await;
    let id = served.manned(1);
    switch(&served, incident, id, ModeOrder::Emergency(ResponseLevel::II)).await;
    let (mut city, _) = served.arrives(&served.account("city1")).await;
    let since = json!({"epoch": hello["epoch"], "position": position});
    city.says(json!({"type": "watch", "what": "map", "since": since})).await;
    assert_eq!(city.hears_a("watching").await["position"], position);
    city.heard().await;
    served.parts.hub.flush_map(&served.parts.muster.city());
    let map = city.hears_a("map").await;
    assert_eq!((map["snapshot"].clone(), ids(&map)), (json!(false), vec![id.to_string()]));
}

#[tokio::test]
async fn a_map_shows_the_own_area_and_needs_an_account() {
    let served = Served::with(by_hand()).await;
    let county = served.manned(0).area(AreaLevel::County);
    let grant = muster::domain::actor::Grant { role: muster::domain::actor::Role::Observer, area: county };
    let observer = muster::domain::actor::Actor::person(served.account("city2").person_id().unwrap(), vec![grant]);
    let (mut phone, _) = served.arrives(&observer).await;
    phone.says(json!({"type": "watch", "what": "map"})).await;
    let (all, _) = snapshot(&mut phone).await;
    let want: Vec<String> = served.parts.muster.city().compounds_in(county).map(|(id, _)| id.to_string()).collect();
    assert_eq!(all, want);
    assert!(all.len() < served.parts.muster.city().compound_count());
    let (mut commander, _) = served.arrives(&served.in_line(served.manned(0), 0)).await;
    commander.says(json!({"type": "watch", "what": "map"})).await;
    assert_eq!(commander.hears_a("error").await["code"], "not_your_role");
}
