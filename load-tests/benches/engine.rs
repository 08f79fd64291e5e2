//! What the engine costs: durable check-ins at 64 callers, beside a plain file with group commit; and switching the whole city.
//!
//! The plain file is the limit of the machine: a thread that takes what waits, writes it, syncs once and answers all. The engine
//! has the same callers, channels and answers, and besides decides, chains hashes, keeps SQLite and takes the events in.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops, and says at what")]

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use load_tests::{Timings, Took};
use muster::city::City;
use muster::config::catalogue::{PlanOutlines, PostCatalogue};
use muster::demo;
use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::duty::ModeOrder;
use muster::domain::event::Record;
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::{CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::domain::roll_call::{CheckIn, RollStatus, Verified};
use muster::engine::ports::Publisher as _;
use muster::engine::{Engine, Limits, timers};
use muster::journal::{SqliteJournal, SqliteOptions};
use muster::live::hub::Registration;
use muster::live::{Hub, LiveLimits};
use muster::runtime::clock::SystemClock;
use muster::runtime::{Muster, Parts};
use muster::testing::world::World;
use tokio::sync::oneshot;
use uuid::Uuid;

const CALLERS: usize = 64;
const FOR: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;
/// Bytes of a check-in's record, about: what the plain file writes for each.
const RECORD_BYTES: usize = 400;

type Latencies = Vec<Duration>;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (muster, incident, households) = laid_out(&runtime, folder.path());
    println!("## Durable check-ins, {CALLERS} callers, {} s each, {ROUNDS} rounds alternated\n", FOR.as_secs());
    println!("| round | plain file + fdatasync | p50 | p99 | engine on SQLite | p50 | p99 | engine ÷ file |");
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut next = 0;
    for round in 1..=ROUNDS {
        let file = runtime.block_on(plain_file(folder.path()));
        let engine = runtime.block_on(check_ins(&muster, incident, &households, &mut next));
        let (file_rate, engine_rate) = (rate(&file), rate(&engine));
        let (file, engine) = (Timings::from_all(file), Timings::from_all(engine));
        println!(
            "| {round} | {file_rate:.0}/s | {} | {} | {engine_rate:.0}/s | {} | {} | {:.2} |",
            file.p50(),
            file.p99(),
            engine.p50(),
            engine.p99(),
            engine_rate / file_rate
        );
    }
    muster.stop().expect("it ran to its end");
    switching();
}

fn rate(latencies: &Latencies) -> f64 {
    latencies.len() as f64 / FOR.as_secs_f64()
}

/// The demo city at level I in a journal on disk.
fn laid_out(
    runtime: &tokio::runtime::Runtime,
    folder: &std::path::Path,
) -> (Muster, IncidentId, Arc<Vec<HouseholdKey>>) {
    let journal =
        SqliteJournal::open(&folder.join("journal.sqlite"), SqliteOptions::new("1404".parse().expect("a code")))
            .expect("a journal");
    let parts = Parts {
        journal: Box::new(journal),
        publisher: Box::new(()),
        clock: Arc::new(SystemClock),
        policy: Policy::default(),
        limits: Limits::default(),
        history: 0,
    };
    let muster = Muster::start(parts).expect("an empty journal");
    let city = demo::city(demo::SEED_DEFAULT, demo::COMPOUNDS_DEFAULT);
    let batch = city.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
    let incident = IncidentId(Uuid::now_v7());
    let title = "bench".to_owned();
    let areas = vec!["1404".parse().expect("a code")];
    let to = ModeOrder::Emergency(ResponseLevel::I);
    for command in [
        Command::Import(Box::new(batch)),
        Command::OpenIncident { id: incident, hazard: Hazard::Flood, exercise: true, title },
        Command::SwitchDuty { incident, areas, compounds: Vec::new(), to },
    ] {
        runtime.block_on(muster.order(Actor::system(), CommandId(Uuid::now_v7()), None, command)).expect("done");
    }
    let all = |(id, state): (&_, &muster::city::state::CompoundState)| {
        let id = *id;
        state.compound.flats().map(move |flat| HouseholdKey { compound: id, flat }).collect::<Vec<_>>()
    };
    let households = muster.city().compounds().flat_map(all).collect();
    (muster, incident, Arc::new(households))
}

/// Every caller reports on a household of its own choice, waits for the answer, and goes on.
async fn check_ins(
    muster: &Muster,
    incident: IncidentId,
    households: &Arc<Vec<HouseholdKey>>,
    next: &mut usize,
) -> Latencies {
    let until = Instant::now() + FOR;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (muster, households, first) = (muster.clone(), households.clone(), *next + caller);
            tokio::spawn(async move {
                let (mut latencies, mut at) = (Latencies::new(), first);
                while Instant::now() < until {
                    let household = households[at % households.len()];
                    at += CALLERS;
                    let (verified, made_at) = (Verified::SelfReport, muster.now());
                    let check_in = CheckIn {
                        incident,
                        household,
                        status: RollStatus::Safe,
                        heads: 3,
                        verified,
                        made_at,
                        note: None,
                    };
                    let began = Instant::now();
                    let id = CommandId(Uuid::now_v7());
                    let answer = muster.order(Actor::household(household), id, None, Command::CheckIn(check_in)).await;
                    answer.expect("taken");
                    latencies.push(began.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut all = Latencies::new();
    for caller in callers {
        all.extend(caller.await.expect("a caller"));
    }
    *next += all.len();
    all
}

/// The limit: what waits is written and synced together.
async fn plain_file(folder: &std::path::Path) -> Latencies {
    let file = File::create(folder.join("plain")).expect("a file");
    let (inbox, waiting) = sync_channel::<(Vec<u8>, oneshot::Sender<()>)>(16_384);
    let writer = std::thread::spawn(move || write_in_groups(file, &waiting));
    let until = Instant::now() + FOR;
    let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(append_until(inbox.clone(), until))).collect();
    drop(inbox);
    let mut all = Latencies::new();
    for caller in callers {
        all.extend(caller.await.expect("a caller"));
    }
    writer.join().expect("the writer");
    all
}

async fn append_until(inbox: SyncSender<(Vec<u8>, oneshot::Sender<()>)>, until: Instant) -> Latencies {
    let mut latencies = Latencies::new();
    while Instant::now() < until {
        let began = Instant::now();
        let (reply, done) = oneshot::channel();
        inbox.send((vec![b'x'; RECORD_BYTES], reply)).expect("the writer is there");
        done.await.expect("synced");
        latencies.push(began.elapsed());
    }
    latencies
}

fn write_in_groups(mut file: File, waiting: &Receiver<(Vec<u8>, oneshot::Sender<()>)>) {
    let mut group = VecDeque::new();
    let mut bytes = Vec::new();
    while let Ok(first) = waiting.recv() {
        group.push_back(first);
        group.extend(waiting.try_iter());
        bytes.clear();
        for (record, _) in &group {
            bytes.extend_from_slice(record);
        }
        file.write_all(&bytes).expect("written");
        file.sync_data().expect("synced");
        for (_, reply) in group.drain(..) {
            // A caller whose time is over has gone.
            let _ = reply.send(());
        }
    }
}

/// One order moves 2,431 compounds: decided, written to disk, taken in, and told to those whom it concerns.
fn switching() {
    println!("\n## One order: 2,431 compounds to emergency at level I\n");
    println!(
        "Taking in holds the city. Telling the last record of a round, which a whole-city order is, only keeps writers waiting: readers go on.\n"
    );
    println!(
        "| round | calls of duty | decided | durable | taken in | told, nobody there | told | phones there | together |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for round in 1..=5 {
        let world = World::new(demo::COMPOUNDS_DEFAULT);
        println!("| {round} {}", switch_once(world));
    }
}

/// A hub with a connection for everybody who has a part in the city, and nobody at the other end.
fn everybody(city: &City) -> (Hub, Vec<Registration>) {
    let hub = Hub::new(LiveLimits::default());
    let mut people: Vec<_> = city.compounds().flat_map(|(_, state)| state.people()).collect();
    people.sort_unstable();
    people.dedup();
    let register = |person| hub.register(city, &Actor::person(person, Vec::new())).expect("room for a city");
    let registrations = people.into_iter().map(register).collect();
    (hub, registrations)
}

fn switch_once(mut world: World) -> String {
    let incident = world.opens(true);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let mut journal =
        SqliteJournal::open(&path, SqliteOptions::new("1404".parse().expect("a code"))).expect("a journal");
    let areas = vec!["1404".parse().expect("a code")];
    let to = ModeOrder::Emergency(ResponseLevel::I);
    let command = Command::SwitchDuty { incident, areas, compounds: Vec::new(), to };
    let mut engine = Engine::new(Policy::default(), Limits::default());
    let order = muster::domain::command::Order {
        id: CommandId(Uuid::now_v7()),
        actor: world.account("city1"),
        at: world.now,
        epoch: None,
        digest: 0,
        command,
    };
    let mut empty = Hub::new(LiveLimits::default());
    let (mut full, phones) = everybody(&world.city);
    engine.submit(order).expect("queued");
    let began = Instant::now();
    let round = engine.next_round(&world.city).round.expect("decided");
    let decided = began.elapsed();
    let (entries, tickets) = round.split();
    let began = Instant::now();
    let mut records: Vec<Record> = muster::engine::ports::Journal::append(&mut journal, entries).expect("durable");
    let durable = began.elapsed();
    for record in &mut records {
        record.position = world.city.position() + 1;
    }
    let (mut told_nobody, mut told) = (Duration::ZERO, Duration::ZERO);
    let began = Instant::now();
    engine.commit(&mut world.city, &tickets, &records, |city, record| {
        told_nobody += timed(|| empty.publish(city, record));
        told += timed(|| full.publish(city, record));
    });
    let taken_in = began.elapsed().saturating_sub(told_nobody + told);
    let calls = world.city.incident(incident).expect("open").tally("1404".parse().expect("a code")).duty.called;
    assert!(timers::due(&world.city, world.now).is_empty());
    let all = Took(decided + durable + taken_in + told);
    let [decided, durable, taken_in, told_nobody, told] = [decided, durable, taken_in, told_nobody, told].map(Took);
    let phones = phones.len();
    format!("| {calls} | {decided} | {durable} | {taken_in} | {told_nobody} | {told} | {phones} | {all} |")
}

fn timed(what: impl FnOnce()) -> Duration {
    let began = Instant::now();
    what();
    began.elapsed()
}
