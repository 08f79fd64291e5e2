//! What durable costs, and what a restart costs.
//!
//! `cargo bench -p load-tests --bench journal` prints two Markdown tables: appends of check-ins to `SqliteJournal` beside a plain
//! append-only file that is synced once a batch (the same bytes, in turn, on the same disk); and a restart from a journal of
//! 1,000,000 check-ins, in a process of its own, so that its memory is its own. `MUSTER_BENCH_RECORDS=n` makes it n.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use load_tests::Took;
use muster::city::City;
use muster::demo::{self, DemoCity, DemoCompound};
use muster::domain::actor::Giver;
use muster::domain::compound::CompoundId;
use muster::domain::duty::{Activation, DutyEvent};
use muster::domain::event::{Entry, Event, RegisterEvent};
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::household::{FlatNo, HouseholdKey};
use muster::domain::ids::{CommandId, IncidentId};
use muster::domain::incident::IncidentEvent;
use muster::domain::policy::Policy;
use muster::domain::post::PostKey;
use muster::domain::roll_call::{CheckIn, RollStatus, Verified};
use muster::domain::succession::SuccessionEvent;
use muster::domain::time::Timestamp;
use muster::engine::ports::Journal as _;
use muster::engine::{Engine, Limits};
use muster::journal::{SqliteJournal, SqliteOptions, record};
use muster::testing::append;
use uuid::Uuid;

type Done<T = ()> = Result<T, Box<dyn Error>>;

/// Set in the process that restarts: the journal from which it does.
const RESTART_FROM: &str = "MUSTER_BENCH_RESTART_FROM";
/// Check-ins that one batch brings, and how many batches are timed.
const BATCHES: [(usize, usize); 4] = [(1, 4_000), (16, 4_000), (64, 3_000), (256, 2_000)];
/// Batches of each kind before the other has its turn.
const TURN: usize = 50;
/// The lengths at which a journal is measured, as shares of the whole.
const SHARES: [usize; 3] = [100, 10, 1];
/// Check-ins that one batch brings to a journal of some length, and how many batches are timed.
const BEHIND: (usize, usize) = (64, 100);
/// The first of these check-ins: no other is of the same moment.
const BEHIND_FROM: usize = 1_000_000_000;
/// Records written at once when the journal of the restart is laid out.
const LAYOUT_CHUNK: usize = 1_000;
/// Records read at once when it is taken in, as the runtime does.
const REPLAY_CHUNK: usize = 10_000;
/// When the roll call opens.
const OPENED: Timestamp = Timestamp(1_783_850_400_000_000);

fn main() -> Done {
    if let Some(path) = env::var_os(RESTART_FROM) {
        return restart(Path::new(&path));
    }
    let city = demo::city(demo::SEED_DEFAULT, demo::COMPOUNDS_DEFAULT);
    let flats: Vec<HouseholdKey> = city.compounds.iter().flat_map(households).collect();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    appends(folder.path(), &flats)?;
    let path = folder.path().join("restart.sqlite");
    let records = env::var("MUSTER_BENCH_RECORDS").map_or(Ok(1_000_000), |n| n.parse())?;
    println!(
        "| records | file, MiB | open | read, check, parse | evolve | whole restart | of it CPU | memory, MiB | at most |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let (mut there, mut lengths) = (0, Vec::new());
    for records in SHARES.map(|share| records / share) {
        lay_out(&path, &city, &flats, there..records)?;
        there = records;
        if !Command::new(env::current_exe()?).env(RESTART_FROM, &path).status()?.success() {
            return Err("the restart failed".into());
        }
        lengths.push((records, appends_behind(&path, &flats)?));
    }
    println!("\n| records before | append of {} check-ins: p50 | p99 |\n|--:|--:|--:|", BEHIND.0);
    for (records, [half, most, _]) in lengths {
        println!("| {records} | {half} | {most} |");
    }
    Ok(())
}

/// What appends take behind all that is there.
fn appends_behind(path: &Path, flats: &[HouseholdKey]) -> Done<[Took; 3]> {
    let (batch, batches) = BEHIND;
    let (mut journal, mut times) = (SqliteJournal::open(path, options()?)?, Batches::default());
    for n in 0..batches {
        let entries = check_ins(flats, BEHIND_FROM + n * batch, batch).collect();
        times.time(|| append(&mut journal, entries).map(drop))?;
    }
    Ok(times.quantiles())
}

/// Both ways of keeping, turn by turn, at every size of batch.
fn appends(folder: &Path, flats: &[HouseholdKey]) -> Done {
    println!("| check-ins a batch | file: a second | p50 | p99 | SQLite: a second | p50 | p99 | max | SQLite ÷ file |");
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (batch, batches) in BATCHES {
        let mut plain = File::create(folder.join(format!("plain-{batch}")))?;
        let mut journal = SqliteJournal::open(&folder.join(format!("{batch}.sqlite")), options()?)?;
        let (mut by_file, mut by_sqlite) = (Batches::default(), Batches::default());
        let mut bytes = Vec::new();
        let make = |n: usize| check_ins(flats, n * batch, batch).collect::<Vec<_>>();
        for turn in 0..batches / TURN {
            for n in turn * TURN..(turn + 1) * TURN {
                let entries = make(n);
                by_file.time(|| append_plainly(&mut plain, &entries, &mut bytes))?;
            }
            for n in turn * TURN..(turn + 1) * TURN {
                let entries = make(n);
                by_sqlite.time(|| append(&mut journal, entries).map(drop))?;
            }
        }
        let (file_rate, sqlite_rate) = (by_file.rate(batch), by_sqlite.rate(batch));
        let ratio = sqlite_rate / file_rate;
        let [file_50, file_99, _] = by_file.quantiles();
        let [sqlite_50, sqlite_99, sqlite_max] = by_sqlite.quantiles();
        println!(
            "| {batch} | {file_rate:.0} | {file_50} | {file_99} | {sqlite_rate:.0} | {sqlite_50} | {sqlite_99} | \
             {sqlite_max} | {ratio:.2} |"
        );
    }
    println!();
    Ok(())
}

/// What SQLite is held against: a line a record, one write and one sync a batch.
fn append_plainly(file: &mut File, entries: &[Entry], bytes: &mut Vec<u8>) -> Done {
    let mut body = Vec::new();
    bytes.clear();
    for entry in entries {
        record::write(entry, &mut body)?;
        bytes.extend_from_slice(&body);
        bytes.push(b'\n');
    }
    file.write_all(bytes)?;
    Ok(file.sync_data()?)
}

/// How long batches took.
#[derive(Default)]
struct Batches(Vec<Duration>);

impl Batches {
    fn time<E>(&mut self, append: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let start = Instant::now();
        append()?;
        self.0.push(start.elapsed());
        Ok(())
    }

    /// Check-ins a second.
    fn rate(&self, batch: usize) -> f64 {
        (self.0.len() * batch) as f64 / self.0.iter().sum::<Duration>().as_secs_f64()
    }

    /// Half of them, 99 of 100 and all took at most this.
    fn quantiles(&mut self) -> [Took; 3] {
        self.0.sort_unstable();
        let last = self.0.len() - 1;
        [last / 2, last - last / 100, last].map(|at| Took(self.0[at]))
    }
}

/// Writes these check-ins; before the first, the city and a flood in all of it.
fn lay_out(path: &Path, city: &DemoCity, flats: &[HouseholdKey], records: Range<usize>) -> Done {
    let mut journal = SqliteJournal::open(path, options()?)?;
    if records.start == 0 {
        append(&mut journal, vec![entry(0, Giver::System, register(city)), entry(1, Giver::System, flood(city))])?;
    }
    for from in records.clone().step_by(LAYOUT_CHUNK) {
        append(&mut journal, check_ins(flats, from, LAYOUT_CHUNK.min(records.end - from)).collect())?;
    }
    Ok(())
}

/// Takes the journal in, as a start does, and says what it took.
fn restart(path: &Path) -> Done {
    let bytes = fs::metadata(path)?.len();
    let start = Instant::now();
    let mut journal = SqliteJournal::open(path, options()?)?;
    let opened = start.elapsed();
    let (mut city, mut engine) = (City::default(), Engine::new(Policy::default(), Limits::default()));
    let mut reading = Duration::ZERO;
    loop {
        let page = Instant::now();
        let records = journal.read_after(city.position(), REPLAY_CHUNK)?;
        reading += page.elapsed();
        if records.is_empty() {
            break;
        }
        engine.take_in(&mut city, &records, |_, _| ());
    }
    let took = start.elapsed();
    let records = journal.last_position()?;
    println!(
        "| {records} | {} | {} | {} | {} | {} | {} | {} | {} |",
        bytes >> 20,
        Took(opened),
        Took(reading),
        Took(took.saturating_sub(opened + reading)),
        Took(took),
        Took(cpu()?),
        memory_mib("VmRSS:")?,
        memory_mib("VmHWM:")?,
    );
    Ok(())
}

/// CPU time of this process so far: what a busy machine does not lengthen.
fn cpu() -> Done<Duration> {
    // Fields 14 and 15 of proc(5)'s stat, in hundredths of a second; the name before them ends with the last bracket.
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("not said")?.1.split_whitespace();
    let ticks: Vec<u64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// What Linux says this process takes up.
fn memory_mib(what: &str) -> Done<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).ok_or("not said")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

fn options() -> Done<SqliteOptions> {
    Ok(SqliteOptions::new("1404".parse()?))
}

fn entry(n: usize, giver: Giver, events: Vec<Event>) -> Entry {
    let id = Uuid::from_u128((0x0198 << 112) | n as u128);
    Entry { at: moment(n), id: CommandId(id), giver, digest: n as u64, events }
}

/// So many microseconds after the roll call opened.
fn moment(n: usize) -> Timestamp {
    Timestamp(OPENED.0.saturating_add_unsigned(n as u64))
}

fn incident() -> IncidentId {
    IncidentId(Uuid::from_u128(1))
}

fn register(city: &DemoCity) -> Vec<Event> {
    let mut events = vec![Event::Register(RegisterEvent::Areas(city.areas.clone()))];
    for DemoCompound { compound, posts, line, .. } in &city.compounds {
        let id = compound.id;
        events.push(Event::Register(RegisterEvent::Compound(Box::new(compound.clone()))));
        events.push(Event::Succession(id, SuccessionEvent::Appointed { line: line.clone() }, None));
        let all = posts.iter().map(|post| post.post.clone()).collect();
        events.push(Event::Register(RegisterEvent::Posts(id, all)));
        for post in posts {
            let people = post.claims.iter().map(|claim| claim.person).collect();
            let key = PostKey { compound: id, no: post.post.no };
            events.push(Event::Register(RegisterEvent::Claims(key, people)));
        }
    }
    events
}

fn flood(city: &DemoCity) -> Vec<Event> {
    let opened = IncidentEvent::Opened { hazard: Hazard::Flood, exercise: true, title: "演练".to_owned() };
    let activate = |compound: &DemoCompound| Activation { compound: compound.compound.id, plan: None };
    let compounds = city.compounds.iter().map(activate).collect();
    let raised = DutyEvent::Raised {
        incident: incident(),
        level: ResponseLevel::II,
        compounds,
        silent_after_s: 3_600,
        answer_limit_s: 300,
    };
    vec![Event::Incident(incident(), opened), Event::Duty(raised)]
}

fn households(compound: &DemoCompound) -> impl Iterator<Item = HouseholdKey> + '_ {
    let id: CompoundId = compound.compound.id;
    let flats = compound.compound.buildings.iter().flat_map(muster::domain::household::Building::flats);
    flats.map(move |flat: FlatNo| HouseholdKey { compound: id, flat })
}

/// Check-ins from the `from`th on, each of another household, spread over the whole city; all have been when it begins anew.
fn check_ins(flats: &[HouseholdKey], from: usize, count: usize) -> impl Iterator<Item = Entry> + '_ {
    // Odd and not a divisor of anything near: neighbours in time are not neighbours in place.
    const STRIDE: usize = 7_368_787;
    (from..from + count).map(move |n| {
        let household = flats[n.wrapping_mul(STRIDE) % flats.len()];
        let (status, verified) = (RollStatus::Safe, Verified::SelfReport);
        let made_at = moment(n);
        let check_in = CheckIn { incident: incident(), household, status, heads: 3, verified, made_at, note: None };
        entry(n + 2, Giver::Household(household), vec![Event::CheckedIn(check_in)])
    })
}
