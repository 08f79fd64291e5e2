//! Those who report households, and whoever sends the alerts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use muster::demo;
use muster::live::frame::rfc3339;
use muster::runtime::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::task::JoinHandle as Task;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::house::{Token, short_content};

use super::api::Nodes;
use super::ledger::Ledger;
use super::phones::Phones;

/// Between two reports of a caller.
const PAUSE: Duration = Duration::from_millis(15);
/// After the fault began, before the alert is sent.
const MOMENT: Duration = Duration::from_millis(300);

/// An exercise, and the people of a city in it.
pub struct Stage {
    incident: String,
    households: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
    tokens: Vec<Token>,
}

/// Callers at work.
pub struct Callers {
    nodes: Nodes,
    over: Arc<AtomicBool>,
    tasks: Vec<Task<anyhow::Result<()>>>,
}

impl Stage {
    pub fn set(cluster: &Cluster, nodes: &Nodes, compounds: usize, phones: usize) -> anyhow::Result<Self> {
        let node = cluster.nodes.first().context("no node")?;
        let said = node.verb()?.args(["tokens", "--count", &phones.to_string()]).output()?;
        if !said.status.success() {
            bail!("{}", String::from_utf8_lossy(&said.stderr));
        }
        let lines = said.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let tokens = lines.map(serde_json::from_slice).collect::<Result<_, _>>()?;
        let form = json!({ "hazard": "flood", "exercise": true, "title": "故障演练 chaos" });
        let opened = order(nodes, "incidents", &form)?;
        let incident = opened["id"].as_str().context("no incident")?.to_owned();
        order(
            nodes,
            &format!("incidents/{incident}/switch"),
            &json!({ "areas": ["1404"], "to": { "emergency": "I" } }),
        )?;
        let city = demo::city(demo::SEED_DEFAULT, compounds);
        let flats = city
            .compounds
            .iter()
            .flat_map(|demo| demo.compound.flats().map(move |flat| format!("{}/{flat}", demo.compound.id)));
        Ok(Self { incident, households: Arc::new(flats.collect()), next: Arc::default(), tokens })
    }

    /// Lets so many callers report, until they are told to end.
    pub fn call(&self, nodes: &Nodes, ledger: &Ledger, callers: usize) -> Callers {
        let over = Arc::new(AtomicBool::new(false));
        let path: Arc<str> = format!("incidents/{}/check-ins", self.incident).into();
        let call = |caller| {
            let (nodes, ledger, over, path) = (nodes.clone(), ledger.clone(), over.clone(), path.clone());
            let (households, next) = (self.households.clone(), self.next.clone());
            async move {
                while !over.load(Ordering::Relaxed) {
                    let household = &households[next.fetch_add(1, Ordering::Relaxed) % households.len()];
                    let made_at = rfc3339(SystemClock.now(), 480);
                    let form = json!({ "household": household, "status": "safe", "heads": 3, "verified": "door_to_door",
                        "made_at": made_at });
                    let id = Uuid::now_v7();
                    let answered = nodes.post(caller, &path, id, &form).await?;
                    let position = answered.body["position"].as_u64().context("no position")?;
                    ledger.note(id, position, answered.in_vain);
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(())
            }
        };
        let tasks = (0..callers).map(|caller| nodes.runtime.spawn(call(caller))).collect();
        Callers { nodes: nodes.clone(), over, tasks }
    }

    /// Lets the phones listen, until they are told to end.
    pub fn listen(&self, nodes: &Nodes) -> Phones {
        Phones::start(nodes, &self.tokens)
    }

    /// Signs in and sends an alert to the whole city while the fault lasts, at whichever nodes take it.
    pub fn alert_in_a_moment(&self, nodes: &Nodes, ledger: &Ledger) -> JoinHandle<anyhow::Result<()>> {
        let (nodes, ledger, incident) = (nodes.clone(), ledger.clone(), self.incident.clone());
        std::thread::spawn(move || {
            std::thread::sleep(MOMENT);
            // Whoever signed in at one node a moment ago is known at the next, which takes the orders.
            let nodes = nodes.sign_in(1, "city2")?;
            let target = json!({ "include": { "areas": ["1404"] } });
            let draft = json!({ "incident": incident, "content": short_content(), "target": target });
            let drafted = order(&nodes, "alerts", &draft)?;
            let alert = drafted["id"].as_str().context("no alert")?.to_owned();
            order(&nodes, &format!("alerts/{alert}/submit"), &json!({}))?;
            ledger.note_alert(alert);
            Ok(())
        })
    }
}

impl Callers {
    /// Lets each finish its report, and ends them.
    pub fn end(self) -> anyhow::Result<()> {
        self.over.store(true, Ordering::Relaxed);
        self.nodes.runtime.block_on(async {
            for task in self.tasks {
                task.await??;
            }
            Ok(())
        })
    }
}

fn order(nodes: &Nodes, path: &str, form: &Value) -> anyhow::Result<Value> {
    Ok(nodes.runtime.block_on(nodes.post(0, path, Uuid::now_v7(), form))?.body)
}
