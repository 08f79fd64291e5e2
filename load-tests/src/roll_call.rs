//! A roll call at full speed: a city at level I, and callers who report one household after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use muster::config::catalogue::{PlanOutlines, PostCatalogue};
use muster::demo;
use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::compound::CompoundId;
use muster::domain::duty::ModeOrder;
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::{CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::domain::roll_call::{CheckIn, RollStatus, Verified};
use muster::engine::Limits;
use muster::engine::ports::Journal;
use muster::runtime::clock::SystemClock;
use muster::runtime::{Muster, Parts};
use uuid::Uuid;

/// Every caller does its thing, waits for the answer, and goes on, until the time is over. How long each answer took.
///
/// # Panics
/// When a caller does.
pub async fn of_all_callers<F>(
    callers: usize,
    within: Duration,
    once: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Vec<Duration>
where
    F: Future<Output = ()> + Send,
{
    let until = Instant::now() + within;
    let call = |caller| {
        let once = once.clone();
        async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let began = Instant::now();
                once(caller).await;
                latencies.push(began.elapsed());
            }
            latencies
        }
    };
    let callers: Vec<_> = (0..callers).map(|caller| tokio::spawn(call(caller))).collect();
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.unwrap_or_else(|error| panic!("a caller: {error}")));
    }
    all
}

/// The demo city at level I, commanded by one node or several.
pub struct RollCall {
    nodes: Vec<Muster>,
    incident: IncidentId,
    households: Arc<Vec<HouseholdKey>>,
    /// Whose turn it is: each household reports once before any reports again.
    next: Arc<AtomicUsize>,
}

impl RollCall {
    /// Lays the city out in an empty journal, of which each node has an end.
    ///
    /// # Errors
    /// When a journal cannot be read or written.
    pub async fn begin(journals: Vec<Box<dyn Journal>>) -> anyhow::Result<Self> {
        let start = |journal| {
            let (publisher, clock, limits) = (Box::new(()), Arc::new(SystemClock), Limits::default());
            Muster::start(Parts { journal, publisher, clock, policy: Policy::default(), limits, history: 0 })
        };
        let nodes: Vec<Muster> = journals.into_iter().map(start).collect::<Result<_, _>>()?;
        let muster = nodes.first().context("no node")?;
        let city = demo::city(demo::SEED_DEFAULT, demo::COMPOUNDS_DEFAULT);
        let batch = city.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
        let incident = IncidentId(Uuid::now_v7());
        let areas = vec!["1404".parse()?];
        let to = ModeOrder::Emergency(ResponseLevel::I);
        let title = "bench".to_owned();
        let mut last = 0;
        for command in [
            Command::Import(Box::new(batch)),
            Command::OpenIncident { id: incident, hazard: Hazard::Flood, exercise: true, title },
            Command::SwitchDuty { incident, areas, compounds: Vec::new(), to },
        ] {
            let done = muster.order(Actor::system(), CommandId(Uuid::now_v7()), None, command).await;
            last = done.map_err(|refusal| anyhow::anyhow!("{}", refusal.code()))?.position;
        }
        for node in &nodes {
            while node.city().position() < last {
                node.tick().await;
            }
        }
        let all = |(id, state): (&CompoundId, &muster::city::state::CompoundState)| {
            let id = *id;
            state.compound.flats().map(move |flat| HouseholdKey { compound: id, flat }).collect::<Vec<_>>()
        };
        let households = muster.city().compounds().flat_map(all).collect();
        Ok(Self { nodes, incident, households: Arc::new(households), next: Arc::default() })
    }

    /// So many callers report, at the nodes in turn. How long each answer took.
    ///
    /// # Panics
    /// When a report is refused.
    pub async fn check_ins(&self, callers: usize, within: Duration) -> Vec<Duration> {
        let (nodes, incident) = (self.nodes.clone(), self.incident);
        let (households, next) = (self.households.clone(), self.next.clone());
        of_all_callers(callers, within, move |caller| {
            let muster = nodes[caller % nodes.len()].clone();
            let household = households[next.fetch_add(1, Ordering::Relaxed) % households.len()];
            let (verified, made_at) = (Verified::SelfReport, muster.now());
            let status = RollStatus::Safe;
            let check_in = CheckIn { incident, household, status, heads: 3, verified, made_at, note: None };
            async move {
                let id = CommandId(Uuid::now_v7());
                let answer = muster.order(Actor::household(household), id, None, Command::CheckIn(check_in)).await;
                assert!(answer.is_ok(), "{answer:?}");
            }
        })
        .await
    }

    /// Ends the nodes.
    ///
    /// # Errors
    /// Why one had ended before.
    pub fn end(&self) -> anyhow::Result<()> {
        self.nodes.iter().try_for_each(|node| Ok(node.stop()?))
    }
}
