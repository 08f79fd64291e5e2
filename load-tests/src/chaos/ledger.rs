//! What was answered, and whether it is so: the journal is read, and the nodes are compared.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use muster::journal::{JournalReader, RedisReader};
use muster::redis_link::RedisOptions;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::cluster::redis::eventually;

use super::api::Nodes;
use super::faults::Fault;
use super::phones::Told;
use super::table::Row;

/// Answers that must come before the next fault, and after each: the city goes on.
const MORE: usize = 100;
/// How long they may take.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was answered since the fault began. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    reader: RedisReader,
    /// The journal's last record at the beginning.
    from: u64,
    state: Mutex<State>,
}

struct State {
    /// Where each report stands, as it was answered.
    acknowledged: HashMap<Uuid, u64>,
    again: usize,
    alerts: Vec<String>,
    last: Instant,
    longest: Duration,
}

impl Ledger {
    pub fn begin(cluster: &Cluster) -> anyhow::Result<Self> {
        let reader = RedisReader::new(RedisOptions::new(cluster.redis_url(), "1404".parse()?));
        let from = reader.last_position()?;
        let state = State {
            acknowledged: HashMap::new(),
            again: 0,
            alerts: Vec::new(),
            last: Instant::now(),
            longest: Duration::ZERO,
        };
        Ok(Self(Arc::new(Inner { reader, from, state: Mutex::new(state) })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A report was answered: it stands there, after it had been given so often in vain.
    pub fn note(&self, id: Uuid, position: u64, in_vain: usize) {
        let mut state = self.state();
        state.acknowledged.insert(id, position);
        state.again += in_vain;
        state.longest = state.longest.max(state.last.elapsed());
        state.last = Instant::now();
    }

    /// An alert went out.
    pub fn note_alert(&self, id: String) {
        self.state().alerts.push(id);
    }

    pub fn alerts(&self) -> Vec<String> {
        self.state().alerts.clone()
    }

    /// Waits until more is answered.
    ///
    /// # Errors
    /// When the city does not go on.
    pub fn wait_for_more(&self) -> anyhow::Result<()> {
        let wanted = self.state().acknowledged.len() + MORE;
        let until = Instant::now() + PATIENCE;
        while self.state().acknowledged.len() < wanted {
            ensure!(Instant::now() < until, "no command was answered for {} s", PATIENCE.as_secs());
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Compares what was answered with what is there, once all is quiet.
    pub fn close(
        &self,
        fault: Fault,
        times: usize,
        cluster: &Cluster,
        nodes: &Nodes,
        told: &Told,
    ) -> anyhow::Result<Row> {
        let mut found: HashMap<Uuid, Vec<u64>> = HashMap::new();
        let reader: &dyn JournalReader = &self.0.reader;
        reader.for_each_after(self.0.from, |record| {
            found.entry(record.entry.id.0).or_default().push(record.position);
            ControlFlow::Continue(())
        })?;
        let last = reader.last_position()?;
        eventually("all nodes have all records", || {
            let stands =
                |node| nodes.get(node, "readyz", &nodes.token).ok().and_then(|ready| ready["position"].as_u64());
            Ok((0..cluster.nodes.len()).all(|node| stands(node).is_some_and(|position| position >= last)))
        })?;
        let maps: Vec<_> = (0..cluster.nodes.len())
            .map(|node| nodes.get(node, "api/v1/map/state?limit=500", &nodes.token))
            .collect::<Result<_, _>>()?;
        let first = maps.first().context("no node")?;
        let state = self.state();
        let at_its_place = |(id, position): &(&Uuid, &u64)| found.get(id).is_some_and(|found| found.contains(position));
        let kept = state.acknowledged.iter().filter(at_its_place).count();
        let twice = state.acknowledged.keys().filter(|id| found.get(id).is_some_and(|found| found.len() > 1)).count();
        Ok(Row {
            fault: fault.words().to_owned(),
            times,
            acknowledged: state.acknowledged.len(),
            lost: state.acknowledged.len() - kept,
            doubled: twice,
            again: state.again,
            pause_s: (state.longest.as_secs_f64() * 10.0).round() / 10.0,
            alerts: state.alerts.len(),
            phones: told.phones,
            missed: told.missed,
            heard_twice: told.twice,
            reloads: told.reloads,
            same_city: maps.iter().all(|map| map["position"] == first["position"] && map["items"] == first["items"]),
        })
    }
}
