//! Alerts to all phones of a city, by how it is kept and by how many nodes: what a further node adds.
//!
//! Phones live in processes of their own ([`Phones`]), some thousands each, since a process may open only so many sockets. When an alert
//! was heard is said in the clock of the machine, which all of them share.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::cluster::node::{Node, Shared};
use crate::figures::median;
use crate::fleet::muster::MusterTalk;
use crate::fleet::{Fleet, PHONES_MAX};
use crate::house::{Api, ROOT, Token};
use crate::peers::DurableRedis;
use crate::peers::process::free_address;
use crate::usage;

use super::stage::{Outcome, PATIENCE, SETTLE};

/// Alerts before those that are measured.
const WARM_UPS: usize = 2;
/// Phones of one process: two of them keep two cores busy enough.
const PHONES_A_PROCESS: usize = 15_000;
/// What seals the directory of a city that lives for one run.
const KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// Alerts to phones over nodes.
#[derive(Debug, clap::Args)]
pub struct NodeStorm {
    /// Phones, of each way of keeping the city; a node has files for 19,500
    #[arg(long, value_delimiter = ',', default_value = "18000,30000")]
    connections: Vec<usize>,
    /// Compounds of the demo city; 30,000 people hold a post in about 3,000
    #[arg(long, default_value_t = 3_200)]
    compounds: usize,
    /// Alerts that are measured
    #[arg(long, default_value_t = 5)]
    publishes: usize,
}

/// How a city is kept.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Sqlite,
    Redis(usize),
}

impl Kept {
    const ALL: [Self; 3] = [Self::Sqlite, Self::Redis(1), Self::Redis(3)];

    const fn nodes(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Redis(nodes) => nodes,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Sqlite => "SQLite, 1 node".to_owned(),
            Self::Redis(nodes) => format!("Redis, {nodes} node{}", if nodes == 1 { "" } else { "s" }),
        }
    }
}

/// What one way came to.
#[derive(Debug, serde::Serialize)]
struct Row {
    kept: String,
    phones: usize,
    half_ms: f64,
    last_ms: f64,
    cpu_us_per_delivery: f64,
    lost: usize,
}

impl NodeStorm {
    /// Runs it, and tells what it found: a table, then a JSON line. Whether nothing was lost.
    ///
    /// # Errors
    /// When a server does not start, or breaks off.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let mut rows = Vec::new();
        for phones in &self.connections {
            for kept in Kept::ALL {
                if *phones > kept.nodes() * PHONES_MAX {
                    continue;
                }
                eprintln!("{phones} phones: {}", kept.words());
                rows.push(self.at(kept, *phones)?);
            }
        }
        println!(
            "| city kept in | phones | half have it, ms | last has it, ms | CPU of the nodes per phone, µs | lost |"
        );
        println!("|---|--:|--:|--:|--:|--:|");
        for Row { kept, phones, half_ms, last_ms, cpu_us_per_delivery, lost } in &rows {
            println!("| {kept} | {phones} | {half_ms:.0} | {last_ms:.0} | {cpu_us_per_delivery:.1} | {lost} |");
        }
        println!("\n{}", crate::figures::json_line("node-storm", &rows)?);
        Ok(Outcome { figures: serde_json::Value::Null, kept: rows.iter().all(|row| row.lost == 0) })
    }

    fn at(&self, kept: Kept, phones: usize) -> anyhow::Result<Row> {
        let city = City::build(kept, self.compounds, phones)?;
        let incident = city.api.open_exercise()?;
        let target = json!({ "include": { "areas": ["1404"] } });
        let alerts: Vec<_> = (0..WARM_UPS + self.publishes)
            .map(|_| city.api.submit_alert(&incident, &target))
            .collect::<anyhow::Result<_>>()?;
        let mut fleets = city.phones(phones)?;
        let (mut halves, mut lasts, mut lost) = (Vec::new(), Vec::new(), 0);
        let mut before = usage::of(&city.processes())?;
        for (n, alert) in alerts.iter().enumerate() {
            if n == WARM_UPS {
                before = usage::of(&city.processes())?;
            }
            let began = now_us();
            city.api.approve(alert)?;
            let heard = fleets.iter_mut().map(Others::hear).collect::<anyhow::Result<Vec<_>>>()?;
            if n >= WARM_UPS {
                let ms = |at: u64| at.saturating_sub(began) as f64 / 1e3;
                halves.push(median(heard.iter().map(|heard| ms(heard.half_us)).collect()));
                lasts.push(heard.iter().map(|heard| ms(heard.last_us)).fold(0.0, f64::max));
                lost += phones - heard.iter().map(|heard| heard.count).sum::<usize>();
            }
            std::thread::sleep(SETTLE);
        }
        let cpu = usage::of(&city.processes())?.cpu.saturating_sub(before.cpu);
        let cpu_us_per_delivery = cpu.as_secs_f64() * 1e6 / (phones * self.publishes) as f64;
        let (half_ms, last_ms) = (median(halves), median(lasts));
        Ok(Row { kept: kept.words(), phones, half_ms, last_ms, cpu_us_per_delivery, lost })
    }
}

/// A city that is served.
struct City {
    nodes: Vec<Node>,
    _redis: Option<DurableRedis>,
    api: Api,
    tokens: Vec<PathBuf>,
    _folder: TempDir,
}

impl City {
    fn build(kept: Kept, compounds: usize, phones: usize) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let redis = match kept {
            Kept::Sqlite => None,
            Kept::Redis(_) => Some(DurableRedis::start().map_err(|missing| anyhow::anyhow!("{}", missing.0))?),
        };
        let url = redis.as_ref().map_or_else(String::new, DurableRedis::url);
        let config = PathBuf::from(format!("{ROOT}/config/demo.toml"));
        let shared = Shared { sentinels: url, key: KEY.to_owned(), config };
        let mut nodes = Vec::new();
        for n in 0..kept.nodes() {
            let mut node = Node::new(free_address()?, &folder.path().join(format!("node-{n}")), &shared);
            node.start((n == 0).then_some(compounds))?;
            nodes.push(node);
        }
        let first = nodes.first().context("no node")?;
        let said = first.verb()?.args(["tokens", "--count", &phones.to_string()]).output()?;
        if !said.status.success() {
            bail!("{}", String::from_utf8_lossy(&said.stderr));
        }
        let api = Api::new(first.address())?;
        let tokens = written(&said.stdout, folder.path())?;
        Ok(Self { nodes, _redis: redis, api, tokens, _folder: folder })
    }

    fn processes(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(Node::id).collect()
    }

    /// The phones, shared out over processes; each process over all nodes.
    fn phones(&self, phones: usize) -> anyhow::Result<Vec<Others>> {
        let nodes: Vec<String> = self.nodes.iter().map(|node| node.address().to_string()).collect();
        let mut others =
            self.tokens.iter().map(|tokens| Others::start(&nodes, tokens)).collect::<anyhow::Result<Vec<_>>>()?;
        let ready = others.iter_mut().map(Others::ready).sum::<anyhow::Result<usize>>()?;
        ensure!(ready == phones, "{ready} of {phones} phones could connect");
        Ok(others)
    }
}

/// One file of tokens for each process.
fn written(tokens: &[u8], folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let lines: Vec<&[u8]> = tokens.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let write = |(n, some): (usize, &[&[u8]])| {
        let path = folder.join(format!("tokens-{n}"));
        std::fs::write(&path, some.join(&b'\n'))?;
        Ok(path)
    };
    lines.chunks(PHONES_A_PROCESS).enumerate().map(write).collect()
}

/// A process with phones in it.
struct Others {
    child: Child,
    said: BufReader<ChildStdout>,
}

/// What its phones heard of an alert.
#[derive(serde::Serialize, serde::Deserialize)]
struct Heard {
    count: usize,
    half_us: u64,
    last_us: u64,
}

impl Others {
    fn start(nodes: &[String], tokens: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["phones", "--nodes", &nodes.join(","), "--tokens"]).arg(tokens);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, said })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the phones' process ended");
        Ok(line)
    }

    fn ready(&mut self) -> anyhow::Result<usize> {
        Ok(self.line()?.trim().parse()?)
    }

    fn hear(&mut self) -> anyhow::Result<Heard> {
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Phones in a process of their own: says how many are connected, then of each alert when it was heard.
#[derive(Debug, clap::Args)]
pub struct Phones {
    #[arg(long, value_delimiter = ',')]
    nodes: Vec<SocketAddr>,
    #[arg(long)]
    tokens: PathBuf,
}

impl Phones {
    /// Lives until it is killed.
    ///
    /// # Errors
    /// When a phone hears what it cannot understand.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let text = std::fs::read_to_string(&self.tokens)?;
        let tokens: Vec<Token> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let tokens: Vec<String> = tokens.into_iter().map(|token| token.token).collect();
        let share = tokens.len().div_ceil(self.nodes.len().max(1)).max(1);
        let begin = |(some, node): (&[String], &SocketAddr)| {
            let mut fleet = Fleet::new(MusterTalk::new(*node, some.to_vec()), *node, some.len())?;
            fleet.come();
            let all = some.len();
            ensure!(fleet.run(PATIENCE, |talk| talk.ready == all)?, "not all phones could connect");
            Ok(fleet)
        };
        let mut fleets = tokens.chunks(share).zip(&self.nodes).map(begin).collect::<anyhow::Result<Vec<_>>>()?;
        say(&tokens.len())?;
        loop {
            say(&heard(&mut fleets, tokens.len())?)?;
        }
    }
}

/// Lets the phones live until all have an alert, or the time is over since the first had it.
fn heard(fleets: &mut [Fleet<MusterTalk>], phones: usize) -> anyhow::Result<Heard> {
    for fleet in fleets.iter_mut() {
        fleet.talk.forget_alerts();
    }
    let mut patience = None;
    let count = |fleets: &[Fleet<MusterTalk>]| fleets.iter().map(|fleet| fleet.talk.alerts.len()).sum::<usize>();
    while count(fleets) < phones && patience.is_none_or(|until| std::time::Instant::now() < until) {
        for fleet in fleets.iter_mut() {
            fleet.run(Duration::from_millis(1), |_| false)?;
        }
        if count(fleets) > 0 {
            patience.get_or_insert(std::time::Instant::now() + PATIENCE);
        }
    }
    let mut times: Vec<_> = fleets.iter().flat_map(|fleet| fleet.talk.alerts.iter().copied()).collect();
    times.sort_unstable();
    let (now, now_us) = (std::time::Instant::now(), now_us());
    let at = |time: Option<&std::time::Instant>| {
        let ago = time.map_or(Duration::ZERO, |time| now.saturating_duration_since(*time));
        now_us.saturating_sub(u64::try_from(ago.as_micros()).unwrap_or(u64::MAX))
    };
    Ok(Heard { count: times.len(), half_us: at(times.get(times.len() / 2)), last_us: at(times.last()) })
}

fn say(what: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, what)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
