//! Nothing acknowledged is lost: the real program is killed with SIGKILL while eight clients report households, again and again.
//! After each restart every acknowledged report is there under its first position, and the chain is whole.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use muster::demo;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::process::{self, COMPOUNDS, Client, Server};

const KILLS: usize = 20;
const CLIENTS: usize = 8;
/// Reports that are acknowledged before the kill: at least this, and more in each round.
const ACKNOWLEDGED_MIN: usize = 24;
/// Reports that one request may repeat.
const BATCH: usize = 500;

/// A report that a client gave.
#[derive(Clone)]
struct Report {
    id: Uuid,
    form: Value,
    /// Where it stands, if it was acknowledged before the kill.
    position: Option<u64>,
}

/// What all clients of one round share.
struct Round {
    path: String,
    households: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
    given: Mutex<Vec<Report>>,
    acknowledged: AtomicUsize,
    enough: usize,
    time_to_kill: Notify,
}

impl Round {
    /// Reports households until the server is gone.
    async fn report(self: Arc<Self>, client: Client) {
        loop {
            let n = self.next.fetch_add(1, Ordering::SeqCst);
            let household = &self.households[n % self.households.len()];
            let made_at = jiff::Timestamp::now().to_string();
            let form = json!({"household": household, "status": "safe", "heads": 1 + n % 4, "verified": "door_to_door",
                              "made_at": made_at});
            let id = Uuid::now_v7();
            let position = match client.order(&self.path, id, &form).await {
                Ok(answer) if answer.status().is_success() => {
                    answer.json::<Value>().await.ok().and_then(|done| done["position"].as_u64())
                }
                Ok(answer) => panic!("refused: {} {}", answer.status(), answer.text().await.unwrap_or_default()),
                Err(_) => None,
            };
            self.given.lock().unwrap().push(Report { id, form, position });
            if position.is_none() {
                return;
            }
            if self.acknowledged.fetch_add(1, Ordering::SeqCst) + 1 == self.enough {
                self.time_to_kill.notify_one();
            }
        }
    }
}

/// Every household of the city, in an order that spreads over compounds.
fn households() -> Vec<String> {
    let city = demo::city(demo::SEED_DEFAULT, COMPOUNDS);
    let keys = city.compounds.iter().flat_map(|demo| {
        demo.compound.flats().enumerate().map(move |(n, flat)| (n, format!("{}/{flat}", demo.compound.id)))
    });
    let mut keys: Vec<_> = keys.collect();
    keys.sort();
    keys.into_iter().map(|(_, key)| key).collect()
}

/// Runs one round of reports and kills the server in the middle of it.
async fn reports_until_killed(server: Server, client: &Client, round: Arc<Round>) -> Vec<Report> {
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(round.clone().report(client.clone()))).collect();
    round.time_to_kill.notified().await;
    server.kill();
    for client in clients {
        client.await.unwrap();
    }
    std::mem::take(&mut *round.given.lock().unwrap())
}

/// Sends every report again under its id. Who was acknowledged is answered as at first; who was not learns now what came of it.
async fn repeat_all(client: &Client, path: &str, reports: &mut [Report]) {
    for batch in reports.chunks_mut(BATCH) {
        let queued: Vec<_> = batch.iter().map(|report| json!({"id": report.id, "check_in": report.form})).collect();
        let answers = client.done(&format!("{path}/batch"), &json!({"check_ins": queued})).await;
        for (report, answer) in batch.iter_mut().zip(answers.as_array().unwrap()) {
            assert_eq!(answer["id"], report.id.to_string());
            let done = &answer["done"];
            let position = done["position"].as_u64().unwrap_or_else(|| panic!("refused: {answer}"));
            if let Some(first) = report.position {
                assert_eq!((position, &done["repeated"]), (first, &json!(true)), "an acknowledged report was lost");
            }
            report.position = Some(position);
        }
    }
}

/// The chain is whole and no position is missing; gives the last one.
fn verified(data: &std::path::Path) -> u64 {
    let output = process::muster(data, &["verify"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && report["fault"].is_null(), "{report}");
    report["good"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data);
    let mut client = server.sign_in("city1").await;
    let incident = process::open_exercise(&client).await;
    let path = format!("/incidents/{incident}/check-ins");
    let (households, next) = (Arc::new(households()), Arc::new(AtomicUsize::new(0)));
    let mut reports: Vec<Report> = Vec::new();
    for kill in 0..KILLS {
        let round = Arc::new(Round {
            path: path.clone(),
            households: households.clone(),
            next: next.clone(),
            given: Mutex::default(),
            acknowledged: AtomicUsize::new(0),
            enough: ACKNOWLEDGED_MIN + kill,
            time_to_kill: Notify::new(),
        });
        reports.extend(reports_until_killed(server, &client, round).await);
        let last = verified(&data);
        let acknowledged = reports.iter().filter_map(|report| report.position).max().unwrap();
        assert!(acknowledged <= last, "position {acknowledged} was acknowledged, the journal ends at {last}");
        server = Server::start(&data);
        client = client.at(&server);
        repeat_all(&client, &path, &mut reports).await;
    }
    assert!(reports.len() >= KILLS * ACKNOWLEDGED_MIN);
    the_roll_shows_all(&client, &incident, &reports).await;
    assert_eq!(server.stop(), Some(0), "asked to stop, it ends well");
    let last = verified(&data);
    assert!(reports.iter().all(|report| report.position.is_some_and(|position| position <= last)));
}

/// Every household on which a report was given is accounted for, with the report that was made last.
async fn the_roll_shows_all(client: &Client, incident: &str, reports: &[Report]) {
    let mut by_compound: HashMap<&str, Vec<&str>> = HashMap::new();
    for report in reports {
        let (compound, flat) = report.form["household"].as_str().unwrap().split_once('/').unwrap();
        by_compound.entry(compound).or_default().push(flat);
    }
    for (compound, flats) in by_compound {
        let mut rows = HashMap::new();
        let mut after = String::new();
        loop {
            let page = format!("/incidents/{incident}/compounds/{compound}/households?limit=500{after}");
            let page = client.get(&page).await;
            for row in page["items"].as_array().unwrap() {
                rows.insert(row["flat"].as_str().unwrap().to_owned(), row["report"].clone());
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        for flat in flats {
            assert_eq!(rows[flat]["status"], json!("safe"), "{compound}/{flat}: {}", rows[flat]);
        }
    }
}
