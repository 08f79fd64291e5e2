//! A small running city with its directory, for the tests of this layer: requests go through the whole stack, without a socket.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::config::Config;
use crate::config::templates::Templates;
use crate::directory::accounts::NewAccount;
use crate::directory::passwords::{Password, PasswordHash};
use crate::directory::people::PersonEntry;
use crate::directory::sessions::SessionKind;
use crate::directory::{Directory, FILE_NAME};
use crate::domain::actor::{Actor, Grant, Role};
use crate::domain::command::{Batch, Command};
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::engine::Limits;
use crate::journal::memory::MemoryJournal;
use crate::live::{Hub, LiveLimits};
use crate::runtime::clock::Clock;
use crate::runtime::{Muster, Parts};

use super::App;
use super::replays::Replays;

/// A city with nothing in it yet.
pub(crate) struct TestApp {
    _dir: TempDir,
    pub(crate) app: App,
    pub(crate) router: Router,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

/// A request in the making.
pub(crate) struct Ask<'a> {
    app: &'a TestApp,
    request: axum::http::request::Builder,
    body: Body,
}

impl TestApp {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let directory = Directory::open(&dir.path().join(FILE_NAME), "1404".parse().unwrap()).unwrap();
        let muster = Muster::start(Parts {
            journal: Box::new(MemoryJournal::new("test")),
            publisher: Box::new(()),
            clock: Arc::new(StandingClock),
            policy: Policy::default(),
            limits: Limits::default(),
            history: 0,
        });
        let templates = Arc::new(Templates::load(None).unwrap());
        let hub = Hub::new(LiveLimits::default());
        let config = Arc::new(Config::default());
        let app = App {
            muster: muster.unwrap(),
            directory,
            config,
            templates,
            base_map: None,
            journal: None,
            hub,
            replays: Replays::default(),
        };
        Self { _dir: dir, router: super::router(&app), app }
    }

    /// A city of two streets with a compound each, with the people of [`people`].
    pub(crate) async fn with_city() -> Self {
        let app = Self::new();
        app.app.directory.upsert_people(&(1..=9).map(entry).collect::<Vec<_>>()).unwrap();
        app.import(city()).await;
        app
    }

    /// Takes entries in as the system itself.
    pub(crate) async fn import(&self, batch: Batch) {
        let id = CommandId(Uuid::now_v7());
        self.app.muster.order(Actor::system(), id, None, Command::Import(Box::new(batch))).await.unwrap();
    }

    /// Gives a person an account with one grant, and signs them in by bearer.
    pub(crate) fn sign_in_as(&self, n: u128, role: Role, area: &str) -> String {
        let grants = vec![Grant { role, area: area.parse().unwrap() }];
        let login = format!("person{n}").parse().unwrap();
        let account = NewAccount { login, person: person(n), hash: hash_of(PASSWORD), grants };
        self.app.directory.create_with_hash(&[account], NOW).unwrap();
        self.token_of(n)
    }

    /// A bearer token of somebody, with or without an account.
    pub(crate) fn token_of(&self, n: u128) -> String {
        let token = self.app.directory.create_session(person(n), SessionKind::Bearer, NOW).unwrap();
        token.expose().to_owned()
    }

    /// A household's link, good for a day.
    pub(crate) fn link_of(&self, household: &str) -> String {
        self.app.directory.sign_link(household.parse().unwrap(), NOW.plus_s(86_400)).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask("GET", path)
    }

    /// A request that changes something, with a fresh command id.
    pub(crate) fn post(&self, path: &str) -> Ask<'_> {
        self.ask("POST", path).header("idempotency-key", &Uuid::now_v7().to_string())
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask { app: self, request: Request::builder().method(method).uri(path), body: Body::empty() }
    }
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) async fn send(self) -> Reply {
        let request = self.request.body(self.body).unwrap();
        let response: Response<Body> = self.app.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            bytes: bytes.to_vec(),
        }
    }
}

impl Reply {
    /// The body of an answer that must be good.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.body
    }

    /// Status and code of an answer that must be a problem.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{} {}", self.status, self.text);
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }
}

/// The password of every account made here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A working day in November 2026.
pub(crate) const NOW: Timestamp = Timestamp(1_795_500_000_000_000);

pub(crate) fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn entry(n: u128) -> PersonEntry {
    PersonEntry { id: person(n), name: format!("张某{n}"), phone: Some(format!("1380000{n:04}")), note: None }
}

/// Persons 1 and 2 are commander and deputy of the first compound, 3 holds its first post; 4 commands the second.
fn city() -> Batch {
    serde_json::from_value(json!({
        "areas": [
            { "code": "1404", "name": "长治市" }, { "code": "140403", "name": "潞州区" },
            { "code": "140403001", "name": "甲街道" }, { "code": "140403001001", "name": "甲社区" },
            { "code": "140403002", "name": "乙街道" }, { "code": "140403002001", "name": "乙社区" },
        ],
        "post_kinds": [{
            "code": "stairwell_guide", "team": "evacuation_guidance", "title_zh": "楼道引导员", "title_en": "Stairwell guide",
            "normal_duty": "巡查", "emergency_duty": "引导",
        }],
        "compounds": [compound(COMPOUND, "安居小区", 113.10), compound(ELSEWHERE, "和平小区", 113.20)],
        "posts": [{ "compound": COMPOUND, "posts": [
            { "no": 1, "kind": "stairwell_guide", "headcount": 1 }, { "no": 2, "kind": "stairwell_guide", "headcount": 1 },
        ] }],
        "lines": [
            { "compound": COMPOUND, "line": [person(1), person(2)] },
            { "compound": ELSEWHERE, "line": [person(4)] },
        ],
        "claims": [{ "post": format!("{COMPOUND}#1"), "people": [person(3)] }],
    }))
    .unwrap()
}

/// The compound in which most tests happen, and one of another street.
pub(crate) const COMPOUND: &str = "140403001001001";
pub(crate) const ELSEWHERE: &str = "140403002001001";

fn compound(id: &str, name: &str, lon: f64) -> Value {
    let (east, south, north) = (lon + 0.002, 36.190, 36.192);
    json!({
        "id": id, "name": name, "people": 300,
        "boundary": [[[lon, south], [east, south], [east, north], [lon, north], [lon, south]]],
        "buildings": [{ "no": 1, "units": 2, "floors": 6, "flats_per_floor": 2 }],
        "vulnerable": [{ "flat": "1-1-101", "needs": ["wheelchair"] }],
    })
}

/// One hash for all, made once: argon2 is slow on purpose.
fn hash_of(password: &str) -> PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| PasswordHash::of(&Password::parse(password).unwrap()).unwrap()).clone()
}

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}
