//! The whole way: an order, the journal, the frames on real sockets, and the answers that come back.

use std::time::Duration;

use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::duty::ModeOrder;
use muster::domain::hazard::ResponseLevel;
use muster::live::LiveLimits;
use serde_json::{Value, json};
use uuid::Uuid;

use super::phone::{Phone, Served};

#[tokio::test]
async fn the_first_frame_says_who_you_are_and_where_the_journal_stands() {
    let served = Served::new().await;
    let id = served.manned(0);
    let commander = served.in_line(id, 0);
    let (_phone, hello) = served.arrives(&commander).await;
    assert_eq!(hello["person"], json!(commander.person_id()));
    assert_eq!(hello["epoch"], "epoch-1");
    assert_eq!(hello["compounds"][0]["id"], id.to_string());
    assert_eq!(hello["compounds"][0]["in_command"], true);
    assert_eq!(hello["city"]["code"], "1404");
    assert!(hello["cursor"].as_str().unwrap().starts_with("1."), "{hello}");
    assert!(hello["at"].as_str().unwrap().ends_with("+08:00"));
    let household = format!("{id}/1-1-101");
    let (_phone, hello) = served.arrives(&Actor::household(household.parse().unwrap())).await;
    assert_eq!((&hello["person"], &hello["household"]), (&Value::Null, &json!(household)));
}

#[tokio::test]
async fn an_alert_reaches_those_it_is_for_and_nobody_else() {
    let served = Served::new().await;
    let (here, there) = (served.manned(0), served.manned(1));
    let (mut commander, _) = served.arrives(&served.in_line(here, 0)).await;
    let (mut deputy, _) = served.arrives(&served.in_line(here, 1)).await;
    let (mut other, _) = served.arrives(&served.in_line(there, 0)).await;
    let (mut city, _) = served.arrives(&served.account("city2")).await;
    for phone in [&mut commander, &mut deputy, &mut other, &mut city] {
        assert!(phone.heard().await.is_empty());
    }
    let incident = served.opens().await;
    let alert = served.issues(incident, &[here]).await;
    for phone in [&mut commander, &mut deputy] {
        let said = phone.hears_of("alert").await;
        assert_eq!(said["event"]["alert"]["alert"], json!(alert));
        assert_eq!(said["event"]["exercise"], true);
        assert_eq!(said["event"]["occasion"]["zh"], "演练");
        let headline = said["event"]["alert"]["content"]["infos"][0]["headline"].as_str().unwrap();
        assert!(headline.starts_with("【演练】"), "{headline}");
    }
    let asked = commander.hears_of("acknowledgement_asked").await;
    assert_eq!(asked["event"]["acknowledgement_asked"]["compound"], here.to_string());
    assert!(deputy.heard().await.iter().all(|said| said["event"].get("acknowledgement_asked").is_none()));
    assert_eq!(city.hears_of("alert").await["event"]["alert"]["extent"]["compounds"], 1);
    assert_eq!(other.heard().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_command_gets_one_answer_and_a_repeat_the_first() {
    let served = Served::new().await;
    let here = served.manned(0);
    let incident = served.opens().await;
    let alert = served.issues(incident, &[here]).await;
    let (mut phone, _) = served.arrives(&served.in_line(here, 0)).await;
    let id = Uuid::now_v7();
    let acknowledge = json!({"type": "command", "id": id, "command": {"acknowledge_alert": {"alert": alert}}});
    phone.says(acknowledge.clone()).await;
    let first = phone.hears_a("answer").await;
    assert_eq!((&first["id"], &first["ok"]["repeated"]), (&json!(id), &json!(false)));
    let acknowledged = served.parts.muster.city().alert(alert).unwrap().compounds_acknowledged;
    assert_eq!(acknowledged, 1, "it is answered once it is true");
    phone.says(acknowledge).await;
    let again = phone.hears_a("answer").await;
    assert_eq!(again["ok"], json!({"position": first["ok"]["position"], "repeated": true}));
    let other = json!({"type": "command", "id": id, "command": {"report_receipt": {"alert": alert, "stage": "shown"}}});
    phone.says(other).await;
    assert_eq!(phone.hears_a("answer").await["refused"]["code"], "command_id_reused");
}

#[tokio::test]
async fn an_order_of_a_former_commander_is_refused_over_the_socket() {
    let served = Served::new().await;
    let here = served.manned(0);
    let incident = served.opens().await;
    served.issues(incident, &[here]).await;
    let (mut commander, hello) = served.arrives(&served.in_line(here, 0)).await;
    let (mut deputy, _) = served.arrives(&served.in_line(here, 1)).await;
    let epoch = hello["compounds"][0]["command_epoch"].as_u64().unwrap();
    served.clock.forward_s(400);
    served.parts.muster.tick().await;
    let changed = commander.hears_of("command_changed").await;
    assert_eq!(changed["event"]["command_changed"]["epoch"], epoch + 1);
    let asked = deputy.hears_of("acknowledgement_asked").await;
    assert_eq!(asked["event"]["acknowledgement_asked"]["epoch"], epoch + 1);
    let to = json!({"emergency": "II"});
    let switch = json!({"switch_duty": {"incident": incident, "compounds": [here], "to": to}});
    commander.says(json!({"type": "command", "id": Uuid::now_v7(), "epoch": epoch, "command": switch})).await;
    assert_eq!(commander.hears_a("answer").await["refused"]["code"], "stale_epoch");
    deputy.says(json!({"type": "command", "id": Uuid::now_v7(), "epoch": epoch + 1, "command": switch})).await;
    assert!(deputy.hears_a("answer").await["ok"].is_object());
}

#[tokio::test]
async fn a_switch_of_duty_calls_each_person_and_briefs_the_commander() {
    let served = Served::new().await;
    let here = served.manned(0);
    let (mut commander, _) = served.arrives(&served.in_line(here, 0)).await;
    let incident = served.opens().await;
    let to = ModeOrder::Emergency(ResponseLevel::I);
    let switch = Command::SwitchDuty { incident, areas: Vec::new(), compounds: vec![here], to };
    served.does(&served.account("city1"), switch).await;
    let brief = commander.hears_of("command_brief").await;
    let brief = &brief["event"]["command_brief"];
    assert_eq!((&brief["compound"], &brief["level"]), (&json!(here), &json!("I")));
    assert!(!brief["tasks"].as_array().unwrap().is_empty());
    assert!(commander.hears_of("roll_opened").await["event"]["exercise"].as_bool().unwrap());
    let call = served.parts.muster.city().compound(here).unwrap().board.as_ref().unwrap().calls[0].clone();
    let called = muster::testing::world::World::somebody(call.person);
    let mut phone = served.connects(&called).await;
    let hello = phone.hears().await;
    assert!(hello["compounds"].as_array().unwrap().iter().any(|c| c["id"] == here.to_string()));
    phone.says(json!({"type": "resume", "epoch": "epoch-1", "cursor": "1.999999"})).await;
    let said = phone.hears_of("your_call").await;
    let said = &said["event"]["your_call"];
    assert_eq!(said["post"], format!("{here}#{}", call.post));
    assert!(!said["duty"]["emergency_duty"].as_str().unwrap().is_empty());
    let answer = json!({"answer_call": {"post": said["post"], "answer": "on_post"}});
    phone.says(json!({"type": "command", "id": Uuid::now_v7(), "command": answer})).await;
    assert!(phone.hears_a("answer").await["ok"].is_object());
    let answered = commander.hears_of("call_answered").await;
    assert_eq!(answered["event"]["call_answered"]["duty"]["on_post"], 1);
}

/// The cursors of events.
fn cursors(said: &[Value]) -> Vec<String> {
    said.iter().filter_map(|said| said["cursor"].as_str().map(str::to_owned)).collect()
}

async fn until_resumed(phone: &mut Phone) -> (Vec<Value>, Value) {
    let mut missed = Vec::new();
    loop {
        let said = phone.hears().await;
        if said["type"] != "event" {
            return (missed, said);
        }
        missed.push(said);
    }
}

#[tokio::test]
async fn who_comes_back_gets_exactly_what_was_missed_and_then_goes_on_live() {
    // What happens meanwhile is held back until the phone resumes, however slow this machine is.
    let limits = LiveLimits { resume_wait: Duration::from_hours(1), ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let here = served.manned(0);
    let commander = served.in_line(here, 0);
    let (mut witness, _) = served.arrives(&commander).await;
    let (mut phone, _) = served.arrives(&commander).await;
    let incident = served.opens().await;
    served.issues(incident, &[here]).await;
    let seen = phone.hears_of("acknowledgement_asked").await["cursor"].clone();
    drop(phone);
    served.issues(incident, &[here]).await;
    served.issues(incident, &[here]).await;
    let mut phone = served.connects(&commander).await;
    let hello = phone.hears().await;
    served.issues(incident, &[here]).await;
    phone.says(json!({"type": "resume", "epoch": hello["epoch"], "cursor": seen})).await;
    let (mut got, end) = until_resumed(&mut phone).await;
    assert_eq!(end, json!({"type": "resumed", "missed": got.len()}));
    assert_eq!(got.len(), 4, "two alerts, each with what is asked");
    served.issues(incident, &[here]).await;
    got.extend(phone.heard().await);
    let all = cursors(&witness.heard().await);
    let after = all.iter().position(|cursor| *cursor == seen).unwrap() + 1;
    assert_eq!(cursors(&got), all[after..], "no gap, no double, in order");
}

#[tokio::test]
async fn who_cannot_be_told_what_was_missed_is_told_to_reload() {
    let served = Served::new().await;
    let commander = served.in_line(served.manned(0), 0);
    for (epoch, cursor, reason) in [("another", "1.0", "other_epoch"), ("epoch-1", "99.1", "ahead_of_journal")] {
        let mut phone = served.connects(&commander).await;
        phone.hears().await;
        phone.says(json!({"type": "resume", "epoch": epoch, "cursor": cursor})).await;
        assert_eq!(phone.hears().await, json!({"type": "reload", "reason": reason}));
        phone.says(json!({"type": "resume", "epoch": epoch, "cursor": cursor})).await;
        assert_eq!(phone.hears().await["code"], "resumed_already");
    }
}

#[tokio::test]
async fn receipts_of_many_phones_become_one_record() {
    // Gathered until there are three, however long that takes.
    let limits = LiveLimits { receipts_max: 3, receipts_wait: Duration::from_hours(1), ..LiveLimits::default() };
    let served = Served::with(limits).await;
    let here = served.manned(0);
    let incident = served.opens().await;
    let alert = served.issues(incident, &[here]).await;
    let before = served.parts.muster.city().position();
    let (mut city, _) = served.arrives(&served.account("city1")).await;
    city.says(json!({"type": "watch", "what": "map"})).await;
    let mut phones = Vec::new();
    for rank in 0..3 {
        let (mut phone, _) = served.arrives(&served.in_line(here, rank)).await;
        phone.says(json!({"type": "receipt", "alert": alert, "stage": "shown"})).await;
        phone.says(json!({"type": "receipt", "alert": alert, "stage": "acknowledged"})).await;
        assert_eq!(phone.hears_a("error").await["code"], "acknowledge_by_command");
        phones.push(phone);
    }
    // The map shows it once it is true.
    loop {
        let map = city.hears_a("map").await;
        let compounds = map["compounds"].as_array().unwrap();
        let here = compounds.iter().find(|c| c["id"] == here.to_string());
        if here.is_some_and(|here| here["alert"]["people"]["shown"] == 3) {
            break;
        }
    }
    let records = served.parts.muster.city().position() - before;
    assert_eq!(records, 1);
}

/// Rounds of as many commands as may wait at once: were each given by a task of its own, some would overtake others.
const ROUNDS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_a_connection_are_done_in_the_order_in_which_they_were_said() {
    let limits = LiveLimits { commands_per_s: 1_000, ..LiveLimits::default() };
    let at_once = limits.commands_waiting_max;
    let served = Served::with(limits).await;
    let (mut city, _) = served.arrives(&served.account("city1")).await;
    for _ in 0..ROUNDS {
        let ids: Vec<Uuid> = (0..at_once).map(|_| Uuid::now_v7()).collect();
        for id in &ids {
            let open = json!({"id": id, "hazard": "flood", "exercise": true, "title": "演练"});
            city.says(json!({"type": "command", "id": id, "command": {"open_incident": open}})).await;
        }
        let mut done = Vec::new();
        for _ in &ids {
            let answer = city.hears_a("answer").await;
            done.push((answer["ok"]["position"].as_u64().unwrap(), answer["id"].as_str().unwrap().to_owned()));
        }
        done.sort_unstable();
        let done: Vec<String> = done.into_iter().map(|(_, id)| id).collect();
        assert_eq!(done, ids.iter().map(Uuid::to_string).collect::<Vec<_>>());
    }
}
