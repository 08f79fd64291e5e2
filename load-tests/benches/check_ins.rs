//! Durable check-ins a second at 64 callers: Muster's, beside the limit of the machine and beside what one would use instead.
//!
//! - The limit is a plain file with group commit: a thread takes what waits, writes it, syncs once and answers all. The engine has
//!   the same callers, channels and answers, and besides decides, chains hashes, keeps `SQLite` and takes the events in.
//! - What one would use is `PostgreSQL`: 64 connections, each with a prepared insert of one row of the same bytes, committed by itself.
//!
//! They take turns on the same disk, so that the ratios hold on a busy machine. `MUSTER_BENCH_ROUNDS=n` makes it n rounds.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops, and says at what")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use load_tests::Timings;
use load_tests::peers::{Missing, Postgres};
use muster::config::catalogue::{PlanOutlines, PostCatalogue};
use muster::demo;
use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::duty::ModeOrder;
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::{CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::domain::roll_call::{CheckIn, RollStatus, Verified};
use muster::engine::Limits;
use muster::journal::{SqliteJournal, SqliteOptions};
use muster::runtime::clock::SystemClock;
use muster::runtime::{Muster, Parts};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

const CALLERS: usize = 64;
const FOR: Duration = Duration::from_secs(3);
const ROUNDS: usize = 5;
/// Bytes of a check-in's record, about: what the others write for each.
const RECORD_BYTES: usize = 400;
/// What issue 4 asks for.
const OF_THE_FILE_AIM: f64 = 0.5;
const OF_POSTGRES_AIM: f64 = 5.0;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let rounds = std::env::var("MUSTER_BENCH_ROUNDS").map_or(ROUNDS, |n| n.parse().expect("a number of rounds"));
    let folder = tempfile::tempdir().expect("a folder");
    let city = City::laid_out(&runtime, folder.path());
    let table = Table::set_up(&runtime);
    println!("## Durable check-ins, {CALLERS} callers, {} s each, {rounds} rounds alternated\n", FOR.as_secs());
    if let Err(Missing(what)) = &table {
        println!("{what}. Its column is empty.\n");
    }
    println!(
        "| round | plain file + fdatasync | p50 | p99 | Muster | p50 | p99 | PostgreSQL 15 | p50 | p99 | ÷ file | ÷ PostgreSQL |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let (mut of_the_file, mut of_postgres) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let file = Column::of(runtime.block_on(plain_file(folder.path())));
        let muster = Column::of(runtime.block_on(city.check_ins()));
        let postgres = table.as_ref().ok().map(|table| Column::of(runtime.block_on(table.inserts())));
        of_the_file.push(muster.rate / file.rate);
        of_postgres.extend(postgres.as_ref().map(|postgres| muster.rate / postgres.rate));
        let ratio = |of: Option<f64>| of.map_or("–".to_owned(), |of| format!("{of:.2}"));
        let (first, second) = (ratio(of_the_file.last().copied()), ratio(of_postgres.last().copied()));
        let postgres = postgres.map_or("– | – | –".to_owned(), |postgres| postgres.cells());
        println!("| {round} | {} | {} | {postgres} | {first} | {second} |", file.cells(), muster.cells());
    }
    println!();
    verdict("the plain file's", of_the_file, OF_THE_FILE_AIM);
    verdict("PostgreSQL's", of_postgres, OF_POSTGRES_AIM);
    city.muster.stop().expect("it ran to its end");
    if let Ok(table) = table {
        table.postgres.stop().expect("it ends");
    }
}

fn verdict(whose: &str, mut ratios: Vec<f64>, aim: f64) {
    ratios.sort_unstable_by(f64::total_cmp);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        let reached = if *median >= aim { "reached" } else { "missed" };
        println!("Median {median:.2} × {whose} rate; the aim, at least {aim}, is {reached}.");
    }
}

/// One side's part of a row.
struct Column {
    rate: f64,
    timings: Timings,
}

impl Column {
    fn of(latencies: Vec<Duration>) -> Self {
        Self { rate: latencies.len() as f64 / FOR.as_secs_f64(), timings: Timings::from_all(latencies) }
    }

    fn cells(&self) -> String {
        format!("{:.0}/s | {} | {}", self.rate, self.timings.p50(), self.timings.p99())
    }
}

/// Every caller does its thing, waits for the answer, and goes on, until the time is over.
async fn of_all_callers<F>(once: impl Fn(usize) -> F + Clone + Send + 'static) -> Vec<Duration>
where
    F: Future<Output = ()> + Send,
{
    let until = Instant::now() + FOR;
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
    let callers: Vec<_> = (0..CALLERS).map(|caller| tokio::spawn(call(caller))).collect();
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.expect("a caller"));
    }
    all
}

/// The demo city at level I in a journal on disk.
struct City {
    muster: Muster,
    incident: IncidentId,
    households: Arc<Vec<HouseholdKey>>,
    /// Whose turn it is: each household reports once before any reports again.
    next: Arc<AtomicUsize>,
}

impl City {
    fn laid_out(runtime: &Runtime, folder: &Path) -> Self {
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
        Self { muster, incident, households: Arc::new(households), next: Arc::default() }
    }

    async fn check_ins(&self) -> Vec<Duration> {
        let (muster, incident) = (self.muster.clone(), self.incident);
        let (households, next) = (self.households.clone(), self.next.clone());
        of_all_callers(move |_| {
            let household = households[next.fetch_add(1, Ordering::Relaxed) % households.len()];
            let (verified, made_at) = (Verified::SelfReport, muster.now());
            let status = RollStatus::Safe;
            let check_in = CheckIn { incident, household, status, heads: 3, verified, made_at, note: None };
            let muster = muster.clone();
            async move {
                let id = CommandId(Uuid::now_v7());
                let answer = muster.order(Actor::household(household), id, None, Command::CheckIn(check_in)).await;
                answer.expect("taken");
            }
        })
        .await
    }
}

type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// The limit: what waits is written and synced together.
async fn plain_file(folder: &Path) -> Vec<Duration> {
    let file = File::create(folder.join("plain")).expect("a file");
    let (inbox, waiting) = sync_channel::<Waiting>(16_384);
    let writer = std::thread::spawn(move || write_in_groups(file, &waiting));
    let latencies = of_all_callers(move |_| append(inbox.clone())).await;
    writer.join().expect("the writer");
    latencies
}

async fn append(inbox: SyncSender<Waiting>) {
    let (reply, done) = oneshot::channel();
    inbox.send((vec![b'x'; RECORD_BYTES], reply)).expect("the writer is there");
    done.await.expect("synced");
}

fn write_in_groups(mut file: File, waiting: &Receiver<Waiting>) {
    let (mut group, mut bytes) = (Vec::new(), Vec::new());
    while let Ok(first) = waiting.recv() {
        group.push(first);
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

/// `PostgreSQL` with a table of records, and a connection with its prepared insert for each caller.
struct Table {
    connections: Arc<Vec<(Client, Statement)>>,
    postgres: Postgres,
}

impl Table {
    fn set_up(runtime: &Runtime) -> Result<Self, Missing> {
        let postgres = Postgres::start()?;
        let connections = runtime.block_on(connections(&postgres)).expect("connections");
        Ok(Self { connections: Arc::new(connections), postgres })
    }

    /// Each caller commits its row by itself.
    async fn inserts(&self) -> Vec<Duration> {
        let connections = self.connections.clone();
        of_all_callers(move |caller| {
            let connections = connections.clone();
            async move {
                let (client, insert) = &connections[caller];
                let record = vec![b'x'; RECORD_BYTES];
                assert_eq!(client.execute(insert, &[&record]).await.expect("inserted"), 1);
            }
        })
        .await
    }
}

async fn connections(postgres: &Postgres) -> Result<Vec<(Client, Statement)>, tokio_postgres::Error> {
    let mut connections = Vec::new();
    for _ in 0..CALLERS {
        let mut config = tokio_postgres::Config::new();
        config.host_path(postgres.folder()).port(Postgres::PORT).user(Postgres::NAME).dbname(Postgres::NAME);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        if connections.is_empty() {
            client.batch_execute("CREATE TABLE record (position bigserial PRIMARY KEY, body bytea NOT NULL)").await?;
            let durable = client
                .query_one("SELECT current_setting('synchronous_commit') || current_setting('fsync')", &[])
                .await?;
            assert_eq!(durable.get::<_, &str>(0), "onon", "a commit is on the disk");
        }
        let insert = client.prepare("INSERT INTO record (body) VALUES ($1)").await?;
        connections.push((client, insert));
    }
    Ok(connections)
}
