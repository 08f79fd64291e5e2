//! Durable check-ins a second by how the journal is kept: `SQLite` with one node, Redis (`appendfsync always`) with one and with three.
//!
//! They take turns. All nodes of a city run in this process, on the same cores as Redis: what more nodes add on machines of their own
//! is not measured. `MUSTER_BENCH_ROUNDS=n` makes it n rounds.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops, and says at what")]

use std::time::Duration;

use load_tests::Timings;
use load_tests::figures::median;
use load_tests::peers::{DurableRedis, Missing};
use load_tests::roll_call::RollCall;
use muster::domain::area::AreaCode;
use muster::engine::ports::Journal;
use muster::journal::{RedisJournal, SqliteJournal, SqliteOptions};
use muster::redis_link::RedisOptions;
use tokio::runtime::Runtime;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALLERS: [usize; 2] = [64, 1024];
const FOR: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;
/// Nodes on Redis, city by city.
const NODES: [usize; 2] = [1, 3];

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let rounds = std::env::var("MUSTER_BENCH_ROUNDS").map_or(ROUNDS, |n| n.parse().expect("a number of rounds"));
    let city: AreaCode = "1404".parse().expect("a code");
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite =
        SqliteJournal::open(&folder.path().join("journal.sqlite"), SqliteOptions::new(city)).expect("a journal");
    let mut ways = vec![Way::of("SQLite, nodes: 1".to_owned(), &runtime, vec![Box::new(sqlite)])];
    let mut servers = Vec::new();
    for count in NODES {
        let server = match DurableRedis::start() {
            Ok(server) => server,
            Err(Missing(what)) => return println!("{what}"),
        };
        let end = |_| -> Box<dyn Journal> {
            Box::new(RedisJournal::lay_out(RedisOptions::new(server.url(), city)).expect("a journal"))
        };
        ways.push(Way::of(format!("Redis, nodes: {count}"), &runtime, (0..count).map(end).collect()));
        servers.push(server);
    }
    for callers in CALLERS {
        println!("## Durable check-ins, {callers} callers, {} s each, {rounds} rounds alternated\n", FOR.as_secs());
        println!("| journal | a second, median | p50 | p99 |\n|---|--:|--:|--:|");
        let mut found: Vec<(Vec<f64>, Vec<Duration>)> = ways.iter().map(|_| Default::default()).collect();
        for _ in 0..rounds {
            for (way, (rates, latencies)) in ways.iter().zip(&mut found) {
                let took = runtime.block_on(way.roll_call.check_ins(callers, FOR));
                rates.push(took.len() as f64 / FOR.as_secs_f64());
                latencies.extend(took);
            }
        }
        for (way, (rates, latencies)) in ways.iter().zip(found) {
            let timings = Timings::from_all(latencies);
            println!("| {} | {:.0} | {} | {} |", way.name, median(rates), timings.p50(), timings.p99());
        }
        println!();
    }
    for way in &ways {
        way.roll_call.end().expect("it ran to its end");
    }
}

/// A city, and how its journal is kept.
struct Way {
    name: String,
    roll_call: RollCall,
}

impl Way {
    fn of(name: String, runtime: &Runtime, journals: Vec<Box<dyn Journal>>) -> Self {
        Self { name, roll_call: runtime.block_on(RollCall::begin(journals)).expect("a city") }
    }
}
