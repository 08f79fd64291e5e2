//! A full disk: commands are refused with 503, reads go on, nothing acknowledged is lost, and when there is room again commands work
//! without a restart. The whole HTTP stack over a SQLite journal, with [`FaultyJournal`] as the disk, and once more with [`SmallDisk`],
//! where SQLite itself runs out of room.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use muster::cli::data_dir::DataDir;
use muster::cli::demo_city::{self, DEMO_PASSWORD};
use muster::cli::store::Store;
use muster::config::Config;
use muster::config::templates::Templates;
use muster::domain::compound::CompoundId;
use muster::domain::policy::Policy;
use muster::engine::Limits;
use muster::engine::ports::Journal;
use muster::journal::{JournalReader, SqliteJournal};
use muster::live::{Hub, LiveLimits};
use muster::runtime::clock::SystemClock;
use muster::runtime::{Muster, Parts};
use muster::server::replays::Replays;
use muster::server::{App, router};
use muster::testing::{Faults, FaultyJournal, Room, SmallDisk};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

/// A city behind a disk that can be full, and a dispatcher who is signed in.
struct Desk {
    router: Router,
    token: String,
}

impl Desk {
    async fn ask(&self, method: &str, path: &str, id: Option<Uuid>, form: &Value) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if let Some(id) = id {
            request = request.header("idempotency-key", id.to_string());
        }
        let body = if form.is_null() { Body::empty() } else { Body::from(form.to_string()) };
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn open(&self, id: Uuid) -> (StatusCode, Value) {
        let form = json!({"hazard": "flood", "exercise": true, "title": "满盘演练"});
        self.ask("POST", "/api/v1/incidents", Some(id), &form).await
    }

    /// Imports a commander of that name.
    async fn import(&self, id: Uuid, compound: CompoundId, name: &str) -> (StatusCode, Value) {
        let rows = format!("compound,role,order,name,phone\n{compound},指挥长,,{name},13900000001\n");
        let request = Request::post("/api/v1/imports/people").header("content-type", "text/csv");
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.header("idempotency-key", id.to_string()).body(Body::from(rows)).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask("GET", path, None, &Value::Null).await
    }

    async fn sign_in(&mut self) {
        let form = json!({"login": "city1", "password": DEMO_PASSWORD, "bearer": true});
        let (_, signed_in) = self.ask("POST", "/api/v1/session", None, &form).await;
        signed_in["token"].as_str().unwrap().clone_into(&mut self.token);
    }
}

/// Puts the journal on the disk that is to fill up.
type Behind<'a> = &'a dyn Fn(SqliteJournal) -> Box<dyn Journal>;

fn start(data: &DataDir, behind: Behind<'_>, runtime: &tokio::runtime::Runtime) -> (Muster, Desk) {
    let lock = data.lock().unwrap();
    let journal = data.open_journal(&lock).unwrap();
    let hub = Hub::new(LiveLimits::default());
    let muster = Muster::start(Parts {
        journal: behind(journal),
        publisher: Box::new(hub.clone()),
        clock: Arc::new(SystemClock),
        policy: Policy::default(),
        limits: Limits::default(),
        history: 1_000,
    });
    let (muster, directory) = (muster.unwrap(), data.open_directory().unwrap());
    demo_city::ensure(&Store::from(data.clone()), &directory, &muster, runtime, 12).unwrap();
    let (config, templates) = (Arc::new(Config::default()), Arc::new(Templates::load(None).unwrap()));
    let journal: Option<Arc<dyn JournalReader>> = Some(Arc::new(data.reader().unwrap()));
    let app = App {
        muster: muster.clone(),
        directory,
        config,
        templates,
        base_map: None,
        journal,
        hub,
        replays: Replays::default(),
    };
    (muster, Desk { router: router(&app), token: String::new() })
}

#[test]
fn a_full_disk_refuses_commands_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::at(&folder.path().join("data"), "1404".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let faults = Faults::default();
    let behind = |journal| -> Box<dyn Journal> { Box::new(FaultyJournal::new(journal, faults.clone())) };
    let (muster, mut desk) = start(&data, &behind, &runtime);
    runtime.block_on(async {
        desk.sign_in().await;
        let (before, during) = (Uuid::now_v7(), Uuid::now_v7());
        let (status, acknowledged) = desk.open(before).await;
        assert_eq!(status, StatusCode::OK, "{acknowledged}");

        faults.fill_disk();
        let (status, problem) = desk.open(during).await;
        assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("journal_unavailable")));
        let (status, readiness) = desk.get("/readyz").await;
        assert_eq!((status, &readiness["journal_writable"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
        assert_eq!(desk.get("/healthz").await.0, StatusCode::OK, "alive all the same");
        let (status, incidents) = desk.get("/api/v1/incidents").await;
        assert_eq!((status, incidents["items"].as_array().unwrap().len()), (StatusCode::OK, 1), "reads go on");
        let (status, again) = desk.open(before).await;
        assert_eq!((status, &again["repeated"]), (StatusCode::OK, &json!(true)), "{again}");
        assert_eq!(again["position"], acknowledged["position"]);

        faults.heal();
        muster.tick().await;
        assert_eq!(desk.get("/readyz").await.0, StatusCode::OK, "it is noticed without a command");
        let (status, done) = desk.open(during).await;
        assert_eq!((status, &done["repeated"]), (StatusCode::OK, &json!(false)), "what was refused was not done");
        assert_eq!(done["position"].as_u64().unwrap(), acknowledged["position"].as_u64().unwrap() + 1);
    });
    assert!(faults.refused() >= 1);
    muster.stop().unwrap();
    assert!(muster::journal::verify(&data.journal_path()).unwrap().is_whole());
}

/// Whether the directory's files hold that text anywhere.
fn directory_holds(data: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let mut of_directory = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("directory"));
    of_directory.any(|path| std::fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()))
}

#[test]
fn people_of_a_refused_import_are_gone_and_come_in_when_it_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let data = DataDir::at(&path, "1404".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let faults = Faults::default();
    let behind = |journal| -> Box<dyn Journal> { Box::new(FaultyJournal::new(journal, faults.clone())) };
    let (muster, mut desk) = start(&data, &behind, &runtime);
    runtime.block_on(async {
        desk.sign_in().await;
        let (id, name) = (Uuid::now_v7(), "满盘指挥长");
        let compound = *muster.city().compounds().next().unwrap().0;
        faults.fill_disk();
        let (status, problem) = desk.import(id, compound, name).await;
        assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("journal_unavailable")));
        assert!(!directory_holds(&path, name), "who did not come in leaves no name behind");
        faults.heal();
        let (status, report) = desk.import(id, compound, name).await;
        assert_eq!((status, &report["new_people"]), (StatusCode::OK, &json!(1)), "{report}");
        assert!(directory_holds(&path, name));
        let (_, contacts) = desk.get(&format!("/api/v1/compounds/{compound}/contacts?why=check")).await;
        assert_eq!(contacts[0]["name"], name);
    });
    muster.stop().unwrap();
}

/// Commands that are given until the disk is full, at most: each opens an incident, a few hundred bytes.
const FILLING_MAX: usize = 10_000;

/// Opens incidents until one is refused; gives the ids of those acknowledged with their positions, and the one that was refused.
async fn fill(desk: &Desk) -> (Vec<(Uuid, Value)>, Uuid) {
    let mut acknowledged = Vec::new();
    for _ in 0..FILLING_MAX {
        let id = Uuid::now_v7();
        let (status, answer) = desk.open(id).await;
        if status == StatusCode::OK {
            acknowledged.push((id, answer["position"].clone()));
            continue;
        }
        assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("journal_unavailable")));
        return (acknowledged, id);
    }
    panic!("the disk does not fill up");
}

#[test]
fn a_disk_that_really_ends_refuses_commands_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::at(&folder.path().join("data"), "1404".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let room = Room::default();
    let behind = |journal| -> Box<dyn Journal> { Box::new(SmallDisk::new(journal, room.clone())) };
    let (muster, mut desk) = start(&data, &behind, &runtime);
    let (acknowledged, refused) = runtime.block_on(async {
        desk.sign_in().await;
        room.end();
        let (acknowledged, refused) = fill(&desk).await;
        let (status, readiness) = desk.get("/readyz").await;
        assert_eq!((status, &readiness["journal_writable"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
        assert_eq!(desk.get("/api/v1/incidents").await.0, StatusCode::OK, "reads go on");
        for (id, position) in &acknowledged {
            let (status, again) = desk.open(*id).await;
            assert_eq!((status, &again["position"], &again["repeated"]), (StatusCode::OK, position, &json!(true)));
        }

        room.make();
        muster.tick().await;
        assert_eq!(desk.get("/readyz").await.0, StatusCode::OK, "it is noticed without a command");
        let (status, done) = desk.open(refused).await;
        assert_eq!((status, &done["repeated"]), (StatusCode::OK, &json!(false)), "what was refused was not done");
        (acknowledged, done["position"].as_u64().unwrap())
    });
    muster.stop().unwrap();
    let report = muster::journal::verify(&data.journal_path()).unwrap();
    assert!(report.is_whole());
    assert_eq!(report.good, refused, "every position up to the last is there");
    assert!(acknowledged.iter().all(|(_, position)| position.as_u64().unwrap() < refused));
}
