//! Several nodes command one city: each takes any command, all show the same, and what falls due is done once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use muster::config::catalogue::{PlanOutlines, PostCatalogue};
use muster::demo::{self, DemoCity};
use muster::domain::actor::{Actor, Giver};
use muster::domain::alert::{AlertDraft, AlertKind};
use muster::domain::command::Command;
use muster::domain::compound::CompoundId;
use muster::domain::duty::ModeOrder;
use muster::domain::event::{Event, Record};
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::{AlertId, CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::domain::roll_call::{CheckIn, RollStatus, Verified};
use muster::domain::succession::SuccessionEvent;
use muster::engine::ports::Journal;
use muster::engine::{Answer, Limits};
use muster::journal::{MemoryJournal, RedisJournal};
use muster::redis_link::{AcknowledgeAfter, RedisOptions};
use muster::runtime::{Muster, Parts};
use muster::testing::clock::SimClock;
use muster::testing::world::{at, flood};
use uuid::Uuid;

use crate::redis_server::{RedisServer, Watched};
use crate::scenarios::check::same;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nodes of one city, and another reader of its journal.
struct Cluster {
    nodes: Vec<Muster>,
    journal: Box<dyn Journal>,
    clock: Arc<SimClock>,
    demo: DemoCity,
    incident: IncidentId,
}

/// What a test asks of nodes on any kind of journal.
async fn each_cluster(check: impl AsyncFn(Cluster)) {
    let first = MemoryJournal::new("epoch");
    check(Cluster::of(3, |node| Box::new(first.beside(node))).await).await;
    let server = RedisServer::start();
    let options = RedisOptions::new(server.url(), "1404".parse().unwrap());
    check(Cluster::of(3, |_| Box::new(RedisJournal::lay_out(options.clone()).unwrap())).await).await;
}

impl Cluster {
    /// So many nodes; the first lays the city out, the second opens an incident, the third switches all to emergency.
    async fn of(count: usize, journal: impl Fn(usize) -> Box<dyn Journal>) -> Self {
        let clock = Arc::new(SimClock::default());
        let start = |node| {
            let (publisher, policy) = (Box::new(()), Policy::default());
            let (journal, clock, limits) = (journal(node), clock.clone(), Limits::default());
            Muster::start(Parts { journal, publisher, clock, policy, limits, history: 0 }).unwrap()
        };
        let nodes: Vec<Muster> = (0..count).map(start).collect();
        let demo = demo::city(demo::SEED_DEFAULT, 12);
        let incident = IncidentId(Uuid::now_v7());
        let cluster = Self { nodes, journal: journal(count), clock: clock.clone(), demo, incident };
        let batch = cluster.demo.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
        cluster.does(0, &Actor::system(), Command::Import(Box::new(batch))).await;
        let (hazard, title) = (Hazard::Flood, "演练".to_owned());
        let dispatcher = cluster.account("city1");
        cluster.does(1, &dispatcher, Command::OpenIncident { id: incident, hazard, exercise: true, title }).await;
        let (areas, to) = (vec!["1404".parse().unwrap()], ModeOrder::Emergency(ResponseLevel::I));
        let switch = Command::SwitchDuty { incident, areas, compounds: Vec::new(), to };
        cluster.does(2, &dispatcher, switch).await;
        cluster
    }

    fn account(&self, login: &str) -> Actor {
        let account = self.demo.account(login).unwrap();
        Actor::person(account.person, account.kind.grant().into_iter().collect())
    }

    async fn gives(&self, node: usize, actor: &Actor, id: Uuid, command: Command) -> Answer {
        self.nodes[node].order(actor.clone(), CommandId(id), None, command).await
    }

    /// Gives a command that must be done, as soon as the node knows of what was done before.
    async fn does(&self, node: usize, actor: &Actor, command: Command) -> u64 {
        self.agree().await;
        self.gives(node, actor, Uuid::now_v7(), command).await.unwrap().position
    }

    /// Waits until all stand where the furthest does.
    async fn agree(&self) {
        let furthest = self.nodes.iter().map(|node| node.city().position()).max().unwrap();
        let until = Instant::now() + PATIENCE;
        for node in &self.nodes {
            while node.city().position() < furthest {
                assert!(Instant::now() < until, "a node does not hear of the others");
                node.tick().await;
            }
        }
    }

    fn records(&mut self) -> Vec<Record> {
        // Where the server was replaced, the first attempt finds the connection broken.
        let mut tries = (0..3).map(|_| self.journal.read_after(0, usize::MAX));
        tries.find_map(Result::ok).unwrap()
    }

    fn households(&self) -> Vec<HouseholdKey> {
        let city = self.nodes[0].city();
        let of = |(id, state): (&CompoundId, &muster::city::state::CompoundState)| {
            let compound = *id;
            state.compound.flats().map(move |flat| HouseholdKey { compound, flat }).collect::<Vec<_>>()
        };
        city.compounds().flat_map(of).collect()
    }

    fn check_in(&self, household: HouseholdKey, heads: u16) -> Command {
        let (incident, verified, made_at) = (self.incident, Verified::SelfReport, self.nodes[0].now());
        Command::CheckIn(CheckIn {
            incident,
            household,
            status: RollStatus::Safe,
            heads,
            verified,
            made_at,
            note: None,
        })
    }

    async fn stop(mut self) {
        self.agree().await;
        for node in &self.nodes[1..] {
            same(&self.nodes[0].city(), &node.city());
        }
        let records = self.records();
        assert!((1..).zip(&records).all(|(position, record)| record.position == position));
        assert_eq!(records.len() as u64, self.nodes[0].city().position());
        self.nodes.iter().for_each(|node| node.stop().unwrap());
    }
}

#[tokio::test]
async fn reports_to_all_nodes_at_once_are_each_taken_once_and_all_show_the_same() {
    each_cluster(async |cluster| {
        let households: Vec<HouseholdKey> = cluster.households().into_iter().take(600).collect();
        // Each report goes to two nodes under one id, as from a phone that lost its connection; some households report twice.
        let reports = households.iter().cycle().take(households.len() + 50).enumerate();
        let reports: Vec<_> = reports.map(|(n, household)| (n, *household, Uuid::now_v7())).collect();
        let mut answers = Vec::new();
        for (n, household, id) in &reports {
            for node in [n % 3, (n + 1) % 3] {
                let command = cluster.check_in(*household, 3);
                let given = cluster.nodes[node].give(Actor::household(*household), CommandId(*id), None, command);
                answers.push(tokio::spawn(given));
            }
        }
        let (mut done, mut repeated) = (Vec::new(), 0);
        for answer in answers {
            let accepted = answer.await.unwrap().unwrap();
            repeated += usize::from(accepted.repeated);
            done.push(accepted.position);
        }
        assert_eq!(repeated, reports.len(), "of each two one is the first answer again");
        assert!(done.chunks(2).all(|pair| pair[0] == pair[1]), "both nodes give the same answer");
        cluster.agree().await;
        for node in &cluster.nodes {
            let tally = node.city().incident(cluster.incident).unwrap().tally("1404".parse().unwrap());
            assert_eq!(tally.roll.safe as usize, households.len());
        }
        cluster.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_to_the_city_has_its_turn_while_reports_come_in_at_other_nodes() {
    each_cluster(async |cluster| {
        let households = cluster.households();
        let reports: Vec<_> = households
            .iter()
            .take(2_000)
            .enumerate()
            .map(|(n, household)| {
                let (id, command) = (CommandId(Uuid::now_v7()), cluster.check_in(*household, 2));
                tokio::spawn(cluster.nodes[n % 2].give(Actor::household(*household), id, None, command))
            })
            .collect();
        let dispatcher = cluster.account("city1");
        for n in 0..20 {
            let (id, title) = (IncidentId(Uuid::now_v7()), format!("演练 {n}"));
            let open = Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title };
            cluster.gives(2, &dispatcher, id.0, open).await.unwrap();
        }
        for report in reports {
            report.await.unwrap().unwrap();
        }
        cluster.stop().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_does_not_acknowledge_is_passed_over_once_whichever_node_looks() {
    each_cluster(async |mut cluster| {
        let (first, second) = (cluster.account("city1"), cluster.account("city2"));
        let compound = {
            let city = cluster.nodes[0].city();
            city.compounds().find(|(_, state)| state.succession.line.len() >= 3).map(|(id, _)| *id).unwrap()
        };
        let alert = AlertId(Uuid::now_v7());
        let (kind, content) = (AlertKind::Alert, flood(cluster.nodes[0].now()));
        let draft = AlertDraft { incident: cluster.incident, kind, content, target: at(&[compound]) };
        cluster.does(0, &first, Command::DraftAlert { id: alert, draft: Box::new(draft) }).await;
        cluster.does(1, &first, Command::SubmitAlert { alert, confirm_compounds: Some(1) }).await;
        cluster.agree().await;
        if cluster.nodes[2].city().alert(alert).unwrap().alert.issue.is_none() {
            cluster.does(2, &second, Command::ApproveAlert { alert, confirm_compounds: Some(1) }).await;
        }
        cluster.agree().await;
        let steps = 3;
        for _ in 0..steps {
            let due = cluster.nodes[0].city().deadlines().next().unwrap();
            let seconds = due.since_s(cluster.nodes[0].now());
            cluster.clock.forward_s(u32::try_from(seconds).unwrap() + 1);
            let [a, b, c] = &cluster.nodes[..] else { panic!("three nodes") };
            tokio::join!(a.tick(), b.tick(), c.tick());
            cluster.agree().await;
        }
        let passed = |record: &Record| {
            let here = |event: &&Event| {
                matches!(event, Event::Succession(id, SuccessionEvent::PassedOver { .. }, _) if *id == compound)
            };
            record.entry.events.iter().filter(here).count()
        };
        let passed: usize = cluster.records().iter().map(passed).sum();
        let epoch = cluster.nodes[0].city().compound(compound).unwrap().succession.epoch as usize;
        assert!(passed >= 1 && passed <= steps, "{passed}");
        assert_eq!(epoch, passed + 1, "each change of hands raised the epoch once");
        cluster.stop().await;
    })
    .await;
}

#[tokio::test]
async fn nodes_that_read_what_was_lost_forget_it_and_go_on_together() {
    let first = MemoryJournal::new("epoch");
    let cluster = Cluster::of(3, |node| Box::new(first.beside(node))).await;
    cluster.agree().await;
    let (kept, before) = (cluster.nodes[0].city().position(), cluster.nodes[0].journal_epoch());
    let household = cluster.households()[0];
    let id = Uuid::now_v7();
    let report = cluster.check_in(household, 3);
    cluster.gives(0, &Actor::household(household), id, report.clone()).await.unwrap();
    cluster.agree().await;
    first.lose_after(kept);
    let until = Instant::now() + PATIENCE;
    while !cluster.nodes.iter().all(|node| node.city().position() == kept) {
        assert!(Instant::now() < until, "a node keeps what was lost");
        for node in &cluster.nodes {
            node.tick().await;
        }
    }
    for node in &cluster.nodes {
        assert_ne!(node.journal_epoch(), before, "phones load anew");
        assert!(node.city().roll(cluster.incident, household.compound).unwrap().households.is_empty());
    }
    // Sent again with its id, the report is taken at any node.
    let again = cluster.gives(1, &Actor::household(household), id, report).await.unwrap();
    assert_eq!((again.position, again.repeated), (kept + 1, false));
    cluster.stop().await;
}

/// Reports on these households, one after the other, until one is not answered with a position. Gives those that were, and the rest.
async fn report(node: Muster, reports: Vec<Report>, done: Arc<AtomicUsize>) -> (Vec<(CommandId, u64)>, Vec<Report>) {
    let (mut acknowledged, mut reports) = (Vec::new(), VecDeque::from(reports));
    while let Some((household, id, command)) = reports.front() {
        let answer = node.order(Actor::household(*household), *id, None, command.clone()).await;
        let Ok(accepted) = answer else { break };
        acknowledged.push((*id, accepted.position));
        done.fetch_add(1, Ordering::SeqCst);
        reports.pop_front();
    }
    (acknowledged, reports.into())
}

/// Whose, under which id, and what.
type Report = (HouseholdKey, CommandId, Command);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_killed_under_load_takes_no_report_with_it_that_was_acknowledged() {
    const GIVERS: usize = 8;
    const EACH: usize = 400;
    let mut watched = Watched::start();
    let options = RedisOptions {
        acknowledge_after: AcknowledgeAfter::Replicas(1),
        timeout: Duration::from_millis(500),
        ..RedisOptions::new(watched.url(), "1404".parse().unwrap())
    };
    let mut cluster = Cluster::of(3, |_| Box::new(RedisJournal::lay_out(options.clone()).unwrap())).await;
    cluster.agree().await;
    let households: Vec<HouseholdKey> = cluster.households().into_iter().take(GIVERS * EACH).collect();
    let report_on = |household: &HouseholdKey| (*household, CommandId(Uuid::now_v7()), cluster.check_in(*household, 2));
    let mut unsaid: Vec<Vec<Report>> =
        households.chunks(EACH).map(|some| some.iter().map(report_on).collect()).collect();
    let (done, mut acknowledged) = (Arc::new(AtomicUsize::new(0)), Vec::new());

    let givers: Vec<_> = unsaid
        .drain(..)
        .enumerate()
        .map(|(n, reports)| tokio::spawn(report(cluster.nodes[n % 3].clone(), reports, done.clone())))
        .collect();
    while done.load(Ordering::SeqCst) < GIVERS * EACH / 4 {
        tokio::task::yield_now().await;
    }
    watched.primary.kill();
    for giver in givers {
        let (answered, rest) = giver.await.unwrap();
        acknowledged.extend(answered);
        unsaid.push(rest);
    }
    assert!(acknowledged.len() < households.len(), "it was killed too late");
    watched.wait_for_failover();
    watched.primary.start_again();
    watched.wait_until_the_old_primary_follows();

    // Whoever was told nothing, or that it is not known, repeats it under its id, at the other node.
    let until = Instant::now() + PATIENCE;
    for (n, mut reports) in unsaid.into_iter().enumerate() {
        let node = &cluster.nodes[(n + 1) % 3];
        while !reports.is_empty() {
            assert!(Instant::now() < until, "the nodes do not go on");
            let (answered, rest) = report(node.clone(), reports, done.clone()).await;
            acknowledged.extend(answered);
            reports = rest;
            node.tick().await;
        }
    }
    cluster.agree().await;
    let records = cluster.records();
    assert_eq!(acknowledged.len(), households.len());
    for (id, position) in acknowledged {
        assert_eq!(records[usize::try_from(position - 1).unwrap()].entry.id, id, "acknowledged at {position}");
    }
    let of_households = records.iter().filter(|record| matches!(record.entry.giver, Giver::Household(_))).count();
    assert_eq!(of_households, households.len(), "each is done once");
    cluster.stop().await;
}
