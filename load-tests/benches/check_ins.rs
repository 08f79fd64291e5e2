//! Durable check-ins a second: Muster's, beside the limit of the machine and beside what one would use instead.
//!
//! - The limit is a plain file with group commit: a thread takes what waits, writes it, syncs once and answers all. The engine has
//!   the same callers, channels and answers, and besides decides, chains hashes, keeps `SQLite` and takes the events in.
//! - What one would use is `PostgreSQL`: 64 connections over a Unix socket, with prepared inserts of one row of the same bytes, each
//!   committed by itself. More callers share them, and do not wait for each other's answers to send.
//!
//! They take turns on the same disk, so that the ratios hold on a busy machine. 64 callers are what issue 4 asks for; 1,024 are
//! nearer to a roll call, where thousands of phones wait at the same time. `MUSTER_BENCH_ROUNDS=n` makes it n rounds.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops, and says at what")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use load_tests::Timings;
use load_tests::peers::{Missing, Postgres};
use load_tests::roll_call::{RollCall, of_all_callers};
use muster::journal::{SqliteJournal, SqliteOptions};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_postgres::{Client, NoTls, Statement};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALLERS: [usize; 2] = [64, 1024];
/// As many as `PostgreSQL` takes without being told otherwise, about.
const CONNECTIONS: usize = 64;
const FOR: Duration = Duration::from_secs(2);
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
    let journal =
        SqliteJournal::open(&folder.path().join("journal.sqlite"), SqliteOptions::new("1404".parse().expect("a code")))
            .expect("a journal");
    let roll_call = runtime.block_on(RollCall::begin(vec![Box::new(journal)])).expect("a city");
    let table = Table::set_up(&runtime);
    for callers in CALLERS {
        println!("## Durable check-ins, {callers} callers, {} s each, {rounds} rounds alternated\n", FOR.as_secs());
        if let Err(Missing(what)) = &table {
            println!("{what}. Its columns are empty.\n");
        }
        println!(
            "| round | plain file + fdatasync | p50 | p99 | Muster | p50 | p99 | PostgreSQL 15 | p50 | p99 | Muster ÷ file | Muster ÷ PostgreSQL |"
        );
        println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        let mut ratios = Ratios::default();
        for round in 1..=rounds {
            let file = Column::of(runtime.block_on(plain_file(callers, folder.path())));
            let muster = Column::of(runtime.block_on(roll_call.check_ins(callers, FOR)));
            let postgres = table.as_ref().ok().map(|table| Column::of(runtime.block_on(table.inserts(callers))));
            println!("| {round} | {}", ratios.row(&file, &muster, postgres.as_ref()));
        }
        ratios.verdict();
    }
    roll_call.end().expect("it ran to its end");
    if let Ok(Table { connections, postgres }) = table {
        // It ends when nobody is connected any more.
        drop(connections);
        postgres.stop().expect("it ends");
    }
}

/// The ratios of all rounds, each within its own round.
#[derive(Default)]
struct Ratios {
    muster_to_file: Vec<f64>,
    muster_to_postgres: Vec<f64>,
    file_to_postgres: Vec<f64>,
}

impl Ratios {
    fn row(&mut self, file: &Column, muster: &Column, postgres: Option<&Column>) -> String {
        let to_file = muster.rate / file.rate;
        self.muster_to_file.push(to_file);
        let Some(postgres) = postgres else {
            return format!("{} | {} | – | – | – | {to_file:.2} | – |", file.cells(), muster.cells());
        };
        let to_postgres = muster.rate / postgres.rate;
        self.muster_to_postgres.push(to_postgres);
        self.file_to_postgres.push(file.rate / postgres.rate);
        format!("{} | {} | {} | {to_file:.2} | {to_postgres:.2} |", file.cells(), muster.cells(), postgres.cells())
    }

    fn verdict(self) {
        let reached = |ratio, aim| if ratio >= aim { "reached" } else { "missed" };
        if let Some(ratio) = median(self.muster_to_file) {
            let reached = reached(ratio, OF_THE_FILE_AIM);
            println!("\nMuster ÷ plain file, median: {ratio:.2}; the aim, at least {OF_THE_FILE_AIM}, is {reached}.");
        }
        if let (Some(ratio), Some(limit)) = (median(self.muster_to_postgres), median(self.file_to_postgres)) {
            let reached = reached(ratio, OF_POSTGRES_AIM);
            println!(
                "Muster ÷ PostgreSQL, median: {ratio:.2}; the aim, at least {OF_POSTGRES_AIM}, is {reached}. \
                 The plain file itself, the limit, has {limit:.2}.\n"
            );
        }
    }
}

fn median(mut ratios: Vec<f64>) -> Option<f64> {
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
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

type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// The limit: what waits is written and synced together.
async fn plain_file(callers: usize, folder: &Path) -> Vec<Duration> {
    let file = File::create(folder.join("plain")).expect("a file");
    let (inbox, waiting) = sync_channel::<Waiting>(16_384);
    let writer = std::thread::spawn(move || write_in_groups(file, &waiting));
    let latencies = of_all_callers(callers, FOR, move |_| append(inbox.clone())).await;
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

/// `PostgreSQL` with a table of records, and connections with their prepared inserts.
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
    async fn inserts(&self, callers: usize) -> Vec<Duration> {
        let connections = self.connections.clone();
        of_all_callers(callers, FOR, move |caller| {
            let connections = connections.clone();
            async move {
                let (client, insert) = &connections[caller % CONNECTIONS];
                let record = vec![b'x'; RECORD_BYTES];
                assert_eq!(client.execute(insert, &[&record]).await.expect("inserted"), 1);
            }
        })
        .await
    }
}

async fn connections(postgres: &Postgres) -> Result<Vec<(Client, Statement)>, tokio_postgres::Error> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
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
