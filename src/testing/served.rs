//! A demo city behind the whole HTTP stack, in virtual time: requests go through the router, without a socket; journal and
//! directory are files in a folder of the test's own.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::config::Config;
use crate::config::catalogue::{PlanOutlines, PostCatalogue};
use crate::config::templates::Templates;
use crate::demo::{self, DemoCity};
use crate::directory::accounts::NewAccount;
use crate::directory::passwords::{Password, PasswordHash};
use crate::directory::people::PersonEntry;
use crate::directory::sessions::SessionKind;
use crate::directory::{Directory, FILE_NAME};
use crate::domain::actor::Actor;
use crate::domain::command::{Batch, Command};
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::policy::Policy;
use crate::engine::Limits;
use crate::engine::ports::Journal;
use crate::journal::{JournalReader, SqliteJournal, SqliteOptions, SqliteReader};
use crate::live::{Hub, LiveLimits};
use crate::runtime::clock::Clock as _;
use crate::runtime::{Muster, Parts};
use crate::server::replays::Replays;
use crate::server::{App, router};

use super::clock::SimClock;

/// Compounds of the city: enough for several counties and for the rule of the second person.
pub const COMPOUNDS: usize = 60;
/// Seconds that a household's link is good for.
const LINK_S: u32 = 86_400;

/// A served city.
pub struct Served {
    /// What handlers reach.
    pub app: App,
    /// What it was laid out from.
    pub demo: &'static DemoCity,
    /// What time it is.
    pub clock: Arc<SimClock>,
    router: Router,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; null when there was none.
    pub body: Value,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Credential(String);

/// The demo city and what it is imported as, made once for all tests of a process.
fn laid_out() -> &'static (DemoCity, Batch) {
    static CITY: OnceLock<(DemoCity, Batch)> = OnceLock::new();
    CITY.get_or_init(|| {
        let demo = demo::city(demo::SEED_DEFAULT, COMPOUNDS);
        let batch = demo.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
        (demo, batch)
    })
}

impl Credential {
    /// Not signed in.
    pub const fn nobody() -> Self {
        Self(String::new())
    }
}

impl Served {
    /// A city whose files are in `dir`, laid out, with the demo's accounts.
    ///
    /// # Panics
    /// When anything of it fails.
    pub async fn start(dir: &Path) -> Self {
        Self::start_on(dir, |journal| Box::new(journal)).await
    }

    /// The same, on the disk that `behind` puts the journal on.
    ///
    /// # Panics
    /// When anything of it fails.
    pub async fn start_on(dir: &Path, behind: impl FnOnce(SqliteJournal) -> Box<dyn Journal>) -> Self {
        let (demo, batch) = laid_out();
        let clock = Arc::new(SimClock::default());
        let city = "1404".parse().unwrap_or_else(|error| panic!("{error}"));
        let path = dir.join("journal.sqlite");
        let journal = SqliteJournal::open(&path, SqliteOptions { city }).unwrap_or_else(|error| panic!("{error}"));
        let hub = Hub::new(LiveLimits::default());
        let muster = Muster::start(Parts {
            journal: behind(journal),
            publisher: Box::new(hub.clone()),
            clock: clock.clone(),
            policy: Policy::default(),
            limits: Limits::default(),
            history: 0,
        });
        let muster = muster.unwrap_or_else(|error| panic!("{error}"));
        let directory = Directory::open(&dir.join(FILE_NAME), city).unwrap_or_else(|error| panic!("{error}"));
        enlist(&directory, demo, clock.now());
        let import = Command::Import(Box::new(batch.clone()));
        let laid_out = muster.order(Actor::system(), CommandId(Uuid::now_v7()), None, import).await;
        assert!(laid_out.is_ok(), "the demo city is refused: {laid_out:?}");
        let templates = Arc::new(Templates::load(None).unwrap_or_else(|error| panic!("{error}")));
        let journal: Option<Arc<dyn JournalReader>> = Some(Arc::new(SqliteReader::new(&path)));
        let app = App {
            muster,
            directory,
            config: Arc::new(Config::default()),
            templates,
            base_map: None,
            journal,
            hub,
            replays: Replays::default(),
        };
        Self { router: router(&app), app, demo, clock }
    }

    /// The demo account of that login, signed in.
    ///
    /// # Panics
    /// When the demo has no such account.
    pub fn account(&self, login: &str) -> Credential {
        let account = self.demo.account(login).unwrap_or_else(|| panic!("the demo has no account {login}"));
        self.person(account.person)
    }

    /// Somebody, signed in.
    ///
    /// # Panics
    /// When the directory fails.
    pub fn person(&self, person: PersonId) -> Credential {
        let token = self.app.directory.create_session(person, SessionKind::Bearer, self.app.now());
        Credential(format!("Bearer {}", token.unwrap_or_else(|error| panic!("{error}")).expose()))
    }

    /// A household by its link.
    ///
    /// # Panics
    /// When the link cannot be signed.
    pub fn household(&self, household: HouseholdKey) -> Credential {
        let link = self.app.directory.sign_link(household, self.app.now().plus_s(LINK_S));
        Credential(format!("Household {}", link.unwrap_or_else(|refusal| panic!("{refusal}"))))
    }

    /// Reads.
    pub async fn get(&self, who: &Credential, path: &str) -> Reply {
        self.send(Method::GET, path, who, &[], Value::Null).await
    }

    /// Orders, under a fresh id.
    pub async fn post(&self, who: &Credential, path: &str, body: Value) -> Reply {
        self.post_as(who, path, body, Uuid::now_v7(), None).await
    }

    /// Orders, under an id and an epoch of the giver's choice.
    pub async fn post_as(&self, who: &Credential, path: &str, body: Value, id: Uuid, epoch: Option<u32>) -> Reply {
        let id = id.to_string();
        let epoch = epoch.map(|epoch| epoch.to_string());
        let mut headers = vec![("idempotency-key", id.as_str())];
        headers.extend(epoch.as_deref().map(|epoch| ("muster-epoch", epoch)));
        self.send(Method::POST, path, who, &headers, body).await
    }

    /// Asks by any method (`get`, `post`, `delete`), under a fresh id.
    ///
    /// # Panics
    /// When there is no such method.
    pub async fn ask(&self, method: &str, path: &str, who: &Credential, body: Value) -> Reply {
        let method = method.to_uppercase().parse().unwrap_or_else(|error| panic!("{error}"));
        let id = Uuid::now_v7().to_string();
        self.send(method, path, who, &[("idempotency-key", id.as_str())], body).await
    }

    async fn send(&self, method: Method, path: &str, who: &Credential, more: &[(&str, &str)], body: Value) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        request = request.header(header::CONTENT_TYPE, "application/json");
        if !who.0.is_empty() {
            request = request.header(header::AUTHORIZATION, &who.0);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.body(body).unwrap_or_else(|error| panic!("{error}"));
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Reply { status, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }
}

impl Reply {
    /// The body of an answer that must be good.
    ///
    /// # Panics
    /// When it is a problem.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.body
    }

    /// Status and code of an answer that must be a problem.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn refused(&self) -> (u16, &str) {
        match self.body["code"].as_str() {
            Some(code) if self.status >= 400 => (self.status, code),
            _ => panic!("done, but should have been refused: {} {}", self.status, self.body),
        }
    }
}

/// Enters the demo's people and accounts.
fn enlist(directory: &Directory, demo: &DemoCity, now: crate::domain::time::Timestamp) {
    let entry =
        |person: &demo::DemoPerson| PersonEntry { id: person.id, name: person.name.clone(), phone: None, note: None };
    let people: Vec<PersonEntry> = demo.people.iter().map(entry).collect();
    let password = Password::parse("correct horse battery").unwrap_or_else(|refusal| panic!("{refusal}"));
    let hash = PasswordHash::of(&password).unwrap_or_else(|error| panic!("{error}"));
    let account = |account: &demo::DemoAccount| NewAccount {
        login: account.login.parse().unwrap_or_else(|error| panic!("{error}")),
        person: account.person,
        hash: hash.clone(),
        grants: account.kind.grant().into_iter().collect(),
    };
    let accounts: Vec<NewAccount> = demo.accounts.iter().map(account).collect();
    directory.upsert_people(&people).unwrap_or_else(|error| panic!("{error}"));
    directory.create_with_hash(&accounts, now).unwrap_or_else(|error| panic!("{error}"));
}
