//! A served demo city and its phones: real sockets, the real runtime, a clock that is moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use muster::config::catalogue::{PlanOutlines, PostCatalogue};
use muster::demo::{self, DemoCity};
use muster::domain::actor::Actor;
use muster::domain::alert::{AlertDraft, AlertKind};
use muster::domain::command::Command;
use muster::domain::compound::CompoundId;
use muster::domain::hazard::Hazard;
use muster::domain::ids::{AlertId, CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::domain::time::Timestamp;
use muster::engine::{Accepted, Limits};
use muster::journal::memory::MemoryJournal;
use muster::live::{Hub, LiveIdentity, LiveLimits, LiveParts, Upgrade};
use muster::runtime::clock::Clock as _;
use muster::runtime::{Muster, Parts};
use muster::testing::clock::SimClock;
use muster::testing::world::{World, at, flood};
use muster::testing::{Faults, FaultyJournal};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A served city.
pub struct Served {
    pub demo: DemoCity,
    pub parts: LiveParts,
    pub clock: Arc<SimClock>,
    /// Another end of its journal.
    pub journal: MemoryJournal,
    address: SocketAddr,
}

/// One end of a socket.
pub struct Phone(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Served {
    /// A laid-out city of a few compounds.
    pub async fn new() -> Self {
        Self::with(LiveLimits::default()).await
    }

    /// The same, under these limits.
    pub async fn with(limits: LiveLimits) -> Self {
        Self::behind(limits, Faults::default()).await
    }

    /// The same, on a disk with these faults.
    pub async fn behind(limits: LiveLimits, faults: Faults) -> Self {
        let hub = Hub::new(limits);
        let clock = Arc::new(SimClock::default());
        let journal = MemoryJournal::new("epoch-1");
        let muster = Muster::start(Parts {
            journal: Box::new(FaultyJournal::new(journal.beside(1), faults)),
            publisher: Box::new(hub.clone()),
            clock: clock.clone(),
            policy: Policy::default(),
            limits: Limits::default(),
            history: 100,
        });
        let demo = demo::city(demo::SEED_DEFAULT, 12);
        let parts = LiveParts::start(hub, muster.unwrap()).unwrap();
        let router = Router::new().route("/live", get(serve)).with_state(parts.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let served = Self { demo, parts, clock, journal, address };
        let batch = served.demo.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
        served.does(&Actor::system(), Command::Import(Box::new(batch))).await;
        served
    }

    /// Gives an order that must be done, past every socket.
    pub async fn does(&self, actor: &Actor, command: Command) -> Accepted {
        let id = CommandId(Uuid::now_v7());
        self.parts.muster.order(actor.clone(), id, None, command).await.unwrap()
    }

    /// The demo's account of that login.
    pub fn account(&self, login: &str) -> Actor {
        let account = self.demo.account(login).unwrap();
        Actor::person(account.person, account.kind.grant().into_iter().collect())
    }

    /// The `n`-th compound with a commander and two deputies.
    pub fn manned(&self, n: usize) -> CompoundId {
        let city = self.parts.muster.city();
        let manned =
            city.compounds().filter(|(_, c)| c.succession.line.len() >= 3 && c.plan_in_force(Hazard::Flood).is_some());
        manned.map(|(id, _)| *id).nth(n).unwrap()
    }

    /// Who stands at that rank in the line, 0 the commander.
    pub fn in_line(&self, compound: CompoundId, rank: usize) -> Actor {
        World::somebody(self.parts.muster.city().compound(compound).unwrap().succession.line[rank])
    }

    /// Opens an exercise.
    pub async fn opens(&self) -> IncidentId {
        let id = IncidentId(Uuid::now_v7());
        let title = "漳河洪水".to_owned();
        self.does(&self.account("city1"), Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title })
            .await;
        id
    }

    /// Issues an exercise alert to these compounds.
    pub async fn issues(&self, incident: IncidentId, compounds: &[CompoundId]) -> AlertId {
        let (id, by) = (AlertId(Uuid::now_v7()), self.account("city1"));
        let content = flood(self.clock.now());
        let draft = AlertDraft { incident, kind: AlertKind::Alert, content, target: at(compounds) };
        self.does(&by, Command::DraftAlert { id, draft: Box::new(draft) }).await;
        self.does(&by, Command::SubmitAlert { alert: id, confirm_compounds: None }).await;
        id
    }

    /// Connects, without a word.
    pub async fn connects(&self, who: &Actor) -> Phone {
        self.connects_until(who, None).await
    }

    /// Connects on a session that ends then.
    pub async fn connects_until(&self, who: &Actor, good_until: Option<Timestamp>) -> Phone {
        let mut request = format!("ws://{}/live", self.address).into_client_request().unwrap();
        request.headers_mut().insert("x-actor", serde_json::to_string(who).unwrap().parse().unwrap());
        if let Some(until) = good_until {
            request.headers_mut().insert("x-good-until", until.0.to_string().parse().unwrap());
        }
        Phone(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    /// Connects and reads `hello`; events flow at once.
    pub async fn arrives(&self, who: &Actor) -> (Phone, Value) {
        let mut phone = self.connects(who).await;
        let hello = phone.hears().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        phone.says(json!({"type": "pong"})).await;
        (phone, hello)
    }
}

/// Tests sign in by saying who they are.
async fn serve(socket: Upgrade, headers: HeaderMap, State(parts): State<LiveParts>) -> Response {
    let actor = serde_json::from_slice(headers["x-actor"].as_bytes()).unwrap();
    let good_until = headers.get("x-good-until").map(|at| Timestamp(at.to_str().unwrap().parse().unwrap()));
    let closings = parts.hub.closings();
    socket.accept(LiveIdentity { actor, good_until, closings }, parts)
}

impl Phone {
    /// Connects to a server that runs by itself, with a bearer token, and reads `hello`.
    pub async fn arrives_at(url: &str, token: &str) -> (Self, Value) {
        let url = url.replace("http://", "ws://");
        let mut request = format!("{url}/api/v1/live").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let mut phone = Self(tokio_tungstenite::connect_async(request).await.unwrap().0);
        let hello = phone.hears().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        (phone, hello)
    }

    /// Says something.
    pub async fn says(&mut self, what: Value) {
        self.sends(Message::text(what.to_string())).await;
    }

    /// Sends a frame, whatever it is.
    pub async fn sends(&mut self, frame: Message) {
        self.0.send(frame).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("nothing came");
        next.expect("the connection ended without a word").unwrap()
    }

    /// The next heartbeat of the server; other frames are passed over.
    pub async fn hears_a_ping(&mut self) -> Value {
        loop {
            let message = self.next().await;
            let Message::Text(text) = &message else { panic!("no text came: {message:?}") };
            let said: Value = serde_json::from_str(text).unwrap();
            if said["type"] == "ping" {
                return said;
            }
        }
    }

    /// The next frame but heartbeats.
    pub async fn hears(&mut self) -> Value {
        loop {
            let message = self.next().await;
            let Message::Text(text) = &message else { panic!("no text came: {message:?}") };
            let said: Value = serde_json::from_str(text).unwrap();
            if said["type"] != "ping" {
                return said;
            }
        }
    }

    /// The next frame of a type; others are passed over.
    pub async fn hears_a(&mut self, wanted: &str) -> Value {
        loop {
            let said = self.hears().await;
            if said["type"] == wanted {
                return said;
            }
        }
    }

    /// The next event of a kind; others are passed over.
    pub async fn hears_of(&mut self, kind: &str) -> Value {
        loop {
            let said = self.hears_a("event").await;
            if said["event"].get(kind).is_some() {
                return said;
            }
        }
    }

    /// All that came until now: what was said before the answer to a ping.
    pub async fn heard(&mut self) -> Vec<Value> {
        self.says(json!({"type": "ping"})).await;
        let mut heard = Vec::new();
        loop {
            let said = self.hears().await;
            if said["type"] == "pong" {
                return heard;
            }
            heard.push(said);
        }
    }

    /// The close frame: number, word, and what its reason says.
    pub async fn is_closed(&mut self) -> (u16, Value) {
        loop {
            if let Message::Close(frame) = self.next().await {
                let CloseFrame { code, reason } = frame.expect("a close frame says why");
                return (code.into(), serde_json::from_str(&reason).unwrap());
            }
        }
    }
}
