//! Bad input, slow and silent clients, full houses and the end: each with its code, changing nothing.

use std::time::Duration;

use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::hazard::Hazard;
use muster::domain::ids::{CommandId, IncidentId};
use muster::domain::receipt::{ReceiptMark, Stage};
use muster::domain::refusal::Refusal;
use muster::domain::time::Timestamp;
use muster::live::{Code, LiveLimits};
use muster::testing::Faults;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use uuid::Uuid;

use super::phone::{PATIENCE, Served};

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_changes_nothing() {
    let served = Served::new().await;
    let (mut phone, _) = served.arrives(&served.in_line(served.manned(0), 0)).await;
    let before = served.parts.muster.city().position();
    let id = Uuid::now_v7();
    for bad in [
        r#"{"type":"command","id":"#.to_owned(),
        "[]".to_owned(),
        r#"{"type":"ping","sent":1}"#.to_owned(),
        format!(r#"{{"type":"command","id":"{id}","command":{{"acknowledge_alert":{{"alert":"{id}","x":1}}}}}}"#),
        format!(r#"{{"type":"command","id":"{id}","command":{{"make_coffee":{{}}}}}}"#),
    ] {
        phone.sends(Message::text(bad.clone())).await;
        let said = phone.hears().await;
        assert_eq!((&said["type"], &said["code"]), (&json!("error"), &json!("bad_frame")), "{bad}");
        assert!(!said["zh"].as_str().unwrap().is_empty());
    }
    assert_eq!(served.parts.muster.city().position(), before);
    assert!(phone.heard().await.is_empty(), "the connection goes on");
}

#[tokio::test]
async fn frames_that_are_not_ours_close_the_connection_with_their_code() {
    let served = Served::new().await;
    let commander = served.in_line(served.manned(0), 0);
    let too_big = "x".repeat(served.parts.hub.limits().message_max_bytes + 1);
    let not_utf8 = Frame::message(vec![0xc3, 0x28], OpCode::Data(Data::Text), true);
    let unasked = Frame::message(vec![0x20], OpCode::Data(Data::Continue), true);
    for (frame, code) in [
        (Message::binary(vec![1, 2, 3]), Code::NotText),
        (Message::text(too_big), Code::TooBig),
        (Message::Frame(not_utf8), Code::BadUtf8),
        (Message::Frame(unasked), Code::Protocol),
    ] {
        let (mut phone, _) = served.arrives(&commander).await;
        phone.sends(frame).await;
        let (number, reason) = phone.is_closed().await;
        assert_eq!((number, &reason["code"]), (code.number(), &json!(code.word())));
        assert_eq!(reason["reconnect"], false);
    }
}

#[tokio::test]
async fn who_sends_nothing_but_nonsense_is_closed() {
    let limits = LiveLimits { bad_frames_max: 3, ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let (mut phone, _) = served.arrives(&served.account("city1")).await;
    for _ in 0..4 {
        phone.sends(Message::text("nonsense")).await;
    }
    assert_eq!(phone.is_closed().await.0, Code::Protocol.number());
}

#[tokio::test]
async fn too_many_commands_a_second_are_refused_one_by_one() {
    let limits = LiveLimits { commands_per_s: 1, ..LiveLimits::default() };
    // All at once, however long the answers take.
    let flood = limits.commands_waiting_max;
    let served = Served::with(limits).await;
    let (mut phone, _) = served.arrives(&served.in_line(served.manned(0), 0)).await;
    for _ in 0..flood {
        let command = json!({"acknowledge_alert": {"alert": Uuid::now_v7()}});
        phone.says(json!({"type": "command", "id": Uuid::now_v7(), "command": command})).await;
    }
    let mut codes = Vec::new();
    for _ in 0..flood {
        codes.push(phone.hears_a("answer").await["refused"]["code"].clone());
    }
    let known = codes.iter().filter(|code| *code == "unknown_alert").count();
    assert!(known >= 5 && codes.iter().any(|code| code == "overloaded"), "{codes:?}");
}

#[tokio::test]
async fn a_slow_reader_is_closed_and_told_to_come_back() {
    // Events are held back for the client to resume, which it does not: they pile up.
    let limits = LiveLimits { queue_frames: 3, resume_wait: Duration::from_hours(1), ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let here = served.manned(0);
    let mut stuck = served.connects(&served.in_line(here, 0)).await;
    stuck.hears().await;
    let (mut other, _) = served.arrives(&served.in_line(here, 1)).await;
    let incident = served.opens().await;
    for _ in 0..3 {
        served.issues(incident, &[here]).await;
        other.hears_of("alert").await;
    }
    let (number, reason) = stuck.is_closed().await;
    assert_eq!(number, Code::SlowReader.number());
    assert_eq!((&reason["code"], &reason["reconnect"]), (&json!("slow_reader"), &json!(true)));
    assert!(other.heard().await.is_empty(), "nobody else is held up");
}

#[tokio::test]
async fn a_silent_client_is_closed_and_one_that_answers_is_not() {
    let heartbeat = Duration::from_millis(20);
    let limits = LiveLimits { heartbeat, idle_timeout: heartbeat * 4, ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let commander = served.in_line(served.manned(0), 0);
    let (mut silent, mut alive) = (served.connects(&commander).await, served.connects(&commander).await);
    let closed = tokio::spawn(async move { silent.is_closed().await });
    while !closed.is_finished() {
        alive.says(json!({"type": "ping"})).await;
        alive.hears_a("pong").await;
    }
    let (number, reason) = closed.await.unwrap();
    assert_eq!((number, &reason["reconnect"]), (Code::Silent.number(), &json!(true)));
    alive.heard().await;
}

#[tokio::test]
async fn the_server_sends_heartbeats_with_its_time() {
    let limits = LiveLimits { heartbeat: Duration::from_millis(1), ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let mut phone = served.connects(&served.account("city1")).await;
    for _ in 0..3 {
        assert!(phone.hears_a_ping().await["at"].as_str().unwrap().ends_with("+08:00"));
    }
}

#[tokio::test]
async fn a_session_that_ends_ends_the_connection() {
    let limits = LiveLimits { heartbeat: Duration::from_millis(20), ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let commander = served.in_line(served.manned(0), 0);
    let mut phone = served.connects_until(&commander, Some(Timestamp(0))).await;
    assert_eq!(phone.is_closed().await.0, Code::SignedOut.number());
    let (mut phone, _) = served.arrives(&commander).await;
    served.parts.hub.close_person(commander.person_id().unwrap(), Code::SignedOut);
    let (number, reason) = phone.is_closed().await;
    assert_eq!((number, &reason["reconnect"]), (Code::SignedOut.number(), &json!(false)));
}

#[tokio::test]
async fn a_full_house_turns_away_and_says_when_to_try_again() {
    let limits = LiveLimits { connections_max: 1, ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let (_phone, _) = served.arrives(&served.account("city1")).await;
    let mut late = served.connects(&served.account("city2")).await;
    let (number, reason) = late.is_closed().await;
    assert_eq!(number, Code::TryLater.number());
    assert!(reason["after_ms"].as_u64().unwrap() >= 15_000);
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_tells_all_to_come_back() {
    let served = Served::new().await;
    let here = served.manned(0);
    let incident = served.opens().await;
    let alert = served.issues(incident, &[here]).await;
    let mut phones = Vec::new();
    for rank in 0..3 {
        phones.push(served.arrives(&served.in_line(here, rank)).await.0);
    }
    let id = Uuid::now_v7();
    phones[0].says(json!({"type": "command", "id": id, "command": {"acknowledge_alert": {"alert": alert}}})).await;
    phones[0].hears_a("answer").await;
    let hub = served.parts.hub.clone();
    let stopped = tokio::spawn(async move { hub.stop(Duration::from_secs(20)).await });
    let mut waits = Vec::new();
    for phone in &mut phones {
        let (number, reason) = phone.is_closed().await;
        assert_eq!((number, &reason["reconnect"]), (Code::ComeBack.number(), &json!(true)));
        waits.push(reason["after_ms"].as_u64().unwrap());
    }
    waits.dedup();
    assert_eq!(waits.len(), 3, "all would come back at once: {waits:?}");
    drop(phones);
    assert_eq!(stopped.await.unwrap(), 0, "connections are left");
    let mut late = served.connects(&served.account("city1")).await;
    assert_eq!(late.is_closed().await.0, Code::ComeBack.number());
}

/// Tries that fail before there is room again: more than anybody would give up after.
const TRIES: u64 = 30;

#[tokio::test]
async fn receipts_wait_for_as_long_as_the_disk_is_full() {
    let faults = Faults::default();
    let often = Duration::from_millis(1);
    let limits = LiveLimits { receipts_wait: often, receipts_retry: often, ..LiveLimits::default() };
    let served = Served::behind(limits, faults.clone()).await;
    let here = served.manned(0);
    let incident = served.opens().await;
    let alert = served.issues(incident, &[here]).await;
    let person = served.in_line(here, 0).person_id().unwrap();
    let before = served.parts.muster.city().position();
    faults.fill_disk();
    assert!(served.parts.hub.receipts().leave(ReceiptMark { alert, person, stage: Stage::Shown }));
    let until = std::time::Instant::now() + PATIENCE;
    let waits = async |done: &dyn Fn() -> bool| {
        while !done() {
            assert!(std::time::Instant::now() < until, "it never came");
            tokio::task::yield_now().await;
        }
    };
    waits(&|| faults.refused() >= TRIES).await;
    assert_eq!(served.parts.muster.city().position(), before);
    faults.heal();
    waits(&|| served.parts.muster.city().position() > before).await;
    let stage = served.parts.muster.city().alert(alert).unwrap().reach.get(here).unwrap().stage_of(person);
    assert_eq!(stage, Some(Stage::Shown));
}

#[tokio::test]
async fn while_the_journal_fails_all_are_told_since_when_and_again_when_it_goes_on() {
    let faults = Faults::default();
    let served = Served::behind(LiveLimits::default(), faults.clone()).await;
    let (mut phone, hello) = served.arrives(&served.account("city1")).await;
    assert_eq!(hello.get("as_of"), None);
    faults.fill_disk();
    let id = IncidentId(Uuid::now_v7());
    let open = Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title: "演练".into() };
    let order = || served.parts.muster.order(Actor::system(), CommandId(id.0), None, open.clone());
    assert_eq!(order().await, Err(Refusal::JournalUnavailable {}));
    let as_of = phone.hears_a("picture").await["as_of"].clone();
    assert!(as_of.as_str().unwrap().ends_with("+08:00"));
    // Whoever comes now is told, too; and nobody is told twice.
    let (mut late, hello) = served.arrives(&served.account("city2")).await;
    assert_eq!(hello["as_of"], as_of);
    assert_eq!(order().await, Err(Refusal::JournalUnavailable {}));
    assert_eq!(phone.heard().await, Vec::<Value>::new());
    faults.heal();
    assert!(order().await.is_ok());
    for phone in [&mut phone, &mut late] {
        assert_eq!(phone.hears_a("picture").await["as_of"], Value::Null);
    }
}

#[tokio::test]
async fn what_phones_reported_last_is_in_the_city_when_the_hub_has_stopped() {
    // Longer than the test: only the stop gives them.
    let limits = LiveLimits { receipts_wait: PATIENCE * 2, ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let here = served.manned(0);
    let incident = served.opens().await;
    let alert = served.issues(incident, &[here]).await;
    let person = served.in_line(here, 0).person_id().unwrap();
    assert!(served.parts.hub.receipts().leave(ReceiptMark { alert, person, stage: Stage::Shown }));
    assert_eq!(served.parts.hub.stop(PATIENCE).await, 0);
    let stage = served.parts.muster.city().alert(alert).unwrap().reach.get(here).unwrap().stage_of(person);
    assert_eq!(stage, Some(Stage::Shown));
}

#[tokio::test]
async fn where_records_were_lost_phones_are_sent_away_and_load_anew() {
    let served = Served::new().await;
    let kept = served.parts.muster.city().position();
    let dispatcher = served.account("city1");
    let (mut phone, hello) = served.arrives(&dispatcher).await;
    served.opens().await;
    let cursor = phone.hears_of("incident_opened").await["cursor"].clone();
    served.journal.lose_after(kept);
    let (number, reason) = phone.is_closed().await;
    assert_eq!((number, &reason["reconnect"]), (Code::ComeBack.number(), &json!(true)));
    assert_eq!(served.parts.muster.city().position(), kept);
    // Whoever comes at this very moment has the old epoch still, and is told to load anew the next time.
    served.parts.muster.tick().await;
    let (mut phone, again) = served.arrives(&dispatcher).await;
    assert_ne!(again["epoch"], hello["epoch"]);
    phone.says(json!({"type": "resume", "epoch": hello["epoch"], "cursor": cursor})).await;
    assert_eq!(phone.hears_a("reload").await["reason"], "other_epoch");
    // What happens from here on is heard as ever.
    served.opens().await;
    phone.hears_of("incident_opened").await;
}
