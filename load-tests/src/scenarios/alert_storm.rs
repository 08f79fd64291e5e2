//! `alert-storm`: alerts to all phones, one by one and ten at once, at Muster, at the peers and at the limit, in turns.
//!
//! Everybody says the same: as many bytes as Muster's own alert frame has, to the same number of phones. Each round starts a server,
//! connects the phones, warms up, and publishes; medians of the rounds are told, with their ratio to the limit of the same run.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde_json::json;

use super::stage::{Outcome, PATIENCE, SETTLE, Size, Stage};
use crate::figures::{Times, json_line, median};
use crate::fleet::Fleet;
use crate::fleet::peer::PeerTalk;
use crate::house::{House, Submitted};
use crate::peers::{Kind, Missing, Peer};
use crate::usage::{self, Usage};

/// Publishes whose figures do not count.
const WARM_UPS: usize = 3;
/// Publishes of a burst.
const BURST: usize = 10;
/// Bytes of a message where Muster is not measured, as in the table of the others.
const PAYLOAD_DEFAULT: usize = 512;

/// `alert-storm`
#[derive(Debug, Clone, clap::Args)]
pub struct AlertStorm {
    #[command(flatten)]
    size: Size,
    /// Publishes of a round
    #[arg(long, default_value_t = 20)]
    publishes: usize,
    /// Rounds, in which all that is measured takes its turn
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Peers beside Muster (limit-1, limit-2, nchan, node-ws, node-ws-2, nats, plain-axum, mosquitto), or `all`
    #[arg(long, value_delimiter = ',')]
    beside: Vec<String>,
    /// Whom alerts are for
    #[arg(long, value_enum, default_value_t = To::All)]
    to: To,
    /// Phones answer each alert with its receipts
    #[arg(long)]
    receipts: bool,
}

/// Whom alerts are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum To {
    /// The whole city
    All,
    /// One compound in ten
    Tenth,
    /// One compound
    One,
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Tenth => "a tenth",
            Self::One => "one compound",
        })
    }
}

/// What one round found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Round {
    /// Whose.
    pub server: String,
    /// Phones that each publish was for.
    pub phones: usize,
    /// Bytes of a message.
    pub bytes: usize,
    /// Connections a second, until all were ready.
    pub connects_per_s: f64,
    /// Memory of one that is connected and idle.
    pub kib_per_connection: f64,
    /// The server's processor time for each phone told.
    pub cpu_us_per_delivery: f64,
    /// From the publish until half of the phones had it.
    pub half_ms: f64,
    /// Until 99 of 100 had it.
    pub p99_ms: f64,
    /// Until the last had it.
    pub last_ms: f64,
    /// Ten publishes at once.
    pub burst_per_s: f64,
    /// Messages that did not come.
    pub lost: usize,
    /// Messages that came twice.
    pub doubled: usize,
}

impl AlertStorm {
    /// One round at Muster alone.
    pub const fn of(size: Size, publishes: usize, to: To) -> Self {
        Self { size, publishes, rounds: 1, beside: Vec::new(), to, receipts: false }
    }

    /// Runs it, and tells what it found: the table, then a JSON line. Whether nothing was lost or doubled.
    ///
    /// # Errors
    /// When a server does not start, or breaks off.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let beside = self.kinds()?;
        let mut rounds: Vec<Round> = Vec::new();
        for n in 1..=self.rounds {
            eprintln!("round {n} of {}: muster", self.rounds);
            let own = self.at_muster()?;
            let bytes = own.bytes;
            rounds.push(own);
            for kind in &beside {
                eprintln!("round {n} of {}: {}", self.rounds, kind.name());
                // What breaks off elsewhere is left out, and said: it does not end what Muster is measured by.
                match kind.start().map(|peer| self.at_peer(peer, bytes.max(PAYLOAD_DEFAULT))) {
                    Ok(Ok(round)) => rounds.push(round),
                    Ok(Err(error)) => eprintln!("{} broke off, this round is without it: {error:#}", kind.name()),
                    Err(Missing(why)) => eprintln!("{why}"),
                }
            }
        }
        println!("{}", table(&rounds, self.receipts));
        println!("{}", json_line("alert-storm", &rounds)?);
        let kept = rounds.iter().all(|round| round.lost == 0 && round.doubled == 0);
        Ok(Outcome { figures: beside_others(&rounds), kept })
    }

    fn kinds(&self) -> anyhow::Result<Vec<Kind>> {
        if self.beside.iter().any(|name| name == "all") {
            return Ok(Kind::ALL.to_vec());
        }
        let known = |name: &String| Kind::by_name(name).with_context(|| format!("{name}: no peer has this name"));
        self.beside.iter().map(known).collect()
    }

    /// A round at Muster.
    ///
    /// # Errors
    /// When the server does not start, or breaks off.
    pub fn at_muster(&self) -> anyhow::Result<Round> {
        let mut stage = Stage::set(&self.size)?;
        let phones = stage.fleet.phones();
        let (target, meant) = self.target(&stage.house);
        let mut round = Round { server: "muster".to_owned(), phones: meant, ..Round::default() };
        let mut alerts = stage.submit_to(&target, WARM_UPS + self.publishes + BURST)?;
        let before = usage::of(&stage.house.processes())?;
        round.connects_per_s = phones as f64 / stage.connect()?.as_secs_f64();
        stage.fleet.run(SETTLE, |_| false)?;
        round.kib_per_connection = kib_per(&before, &usage::of(&stage.house.processes())?, phones);
        stage.fleet.talk.receipts = self.receipts;
        let burst = alerts.split_off(WARM_UPS + self.publishes);
        let measured = alerts.split_off(WARM_UPS);
        for alert in &alerts {
            stage.publish(alert, meant)?;
        }
        let before = usage::of(&stage.house.processes())?;
        let mut all = Vec::new();
        for alert in &measured {
            let (times, came) = stage.publish(alert, meant)?;
            round.lost += meant.saturating_sub(came);
            all.push(times);
        }
        round.tell(&all, &before, &usage::of(&stage.house.processes())?);
        let began = Instant::now();
        burst_of(&mut stage, &burst, meant)?;
        let talk = &stage.fleet.talk;
        round.lost += (BURST * meant).saturating_sub(talk.alerts.len());
        round.burst_per_s = per_s(&talk.alerts, began);
        (round.bytes, round.doubled) = (talk.alert_bytes, talk.doubled);
        ensure!(talk.closed.is_empty() && talk.cut_off == 0, "connections ended: {:?}", talk.closed);
        Ok(round)
    }

    /// Whom alerts are for, and how many phones that are.
    fn target(&self, house: &House) -> (serde_json::Value, usize) {
        if self.to == To::All {
            return (json!({ "include": { "areas": ["1404"] } }), self.size.connections);
        }
        let mut compounds: Vec<&str> = house.tokens.iter().map(|token| token.compound.as_str()).collect();
        compounds.sort_unstable();
        compounds.dedup();
        let (step, most) = if self.to == To::Tenth { (10, usize::MAX) } else { (1, 1) };
        let chosen: Vec<&str> = compounds.into_iter().step_by(step).take(most).collect();
        let phones = house.tokens.iter().filter(|token| chosen.binary_search(&token.compound.as_str()).is_ok());
        (json!({ "include": { "compounds": chosen } }), phones.count())
    }

    /// A round at a peer, with messages of so many bytes.
    ///
    /// # Errors
    /// When the server breaks off.
    pub fn at_peer(&self, mut peer: Box<dyn Peer>, bytes: usize) -> anyhow::Result<Round> {
        let phones = self.size.connections;
        let mut fleet = Fleet::new(PeerTalk::new(peer.dialect(), peer.address()), peer.address(), phones)?;
        let mut round = Round { server: peer.name().to_owned(), phones, bytes, ..Round::default() };
        let before = usage::of(&peer.processes())?;
        let began = Instant::now();
        fleet.come();
        ensure!(fleet.run(PATIENCE, |talk| talk.ready == phones)?, "{}: not all phones could connect", peer.name());
        round.connects_per_s = phones as f64 / began.elapsed().as_secs_f64();
        fleet.run(SETTLE, |_| false)?;
        round.kib_per_connection = kib_per(&before, &usage::of(&peer.processes())?, phones);
        let mut number = 0;
        let mut say = |fleet: &mut Fleet<PeerTalk>, peer: &mut Box<dyn Peer>| -> anyhow::Result<(Times, usize)> {
            number += 1;
            let payload = payload(number, bytes);
            fleet.talk.came.clear();
            fleet.talk.wanted.copy_from_slice(&payload[..8]);
            let began = Instant::now();
            peer.publish(&payload)?;
            fleet.run(PATIENCE, |talk| talk.came.len() == phones)?;
            let said = (Times::since(began, &fleet.talk.came), fleet.talk.came.len());
            // As after each of Muster's alerts: who is told at once again finds its processor awake and its memory near.
            fleet.run(SETTLE, |_| false)?;
            Ok(said)
        };
        for _ in 0..WARM_UPS {
            say(&mut fleet, &mut peer)?;
        }
        let before = usage::of(&peer.processes())?;
        let mut all = Vec::new();
        for _ in 0..self.publishes {
            let (times, came) = say(&mut fleet, &mut peer)?;
            round.lost += phones - came;
            all.push(times);
        }
        round.tell(&all, &before, &usage::of(&peer.processes())?);
        self.burst_at(&mut fleet, &mut peer, &mut round)?;
        round.doubled = fleet.talk.doubled;
        peer.stop()?;
        Ok(round)
    }

    fn burst_at(&self, fleet: &mut Fleet<PeerTalk>, peer: &mut Box<dyn Peer>, round: &mut Round) -> anyhow::Result<()> {
        fleet.talk.came.clear();
        fleet.talk.all_wanted = true;
        let began = Instant::now();
        for number in 0..BURST {
            peer.publish(&payload(90_000_000 + number, round.bytes))?;
        }
        let wanted = BURST * self.size.connections;
        fleet.run(PATIENCE, |talk| talk.came.len() >= wanted)?;
        round.lost += wanted.saturating_sub(fleet.talk.came.len());
        round.burst_per_s = per_s(&fleet.talk.came, began);
        Ok(())
    }
}

impl Round {
    fn tell(&mut self, all: &[Times], before: &Usage, after: &Usage) {
        let deliveries: u64 = all.iter().map(Times::len).sum();
        let of = |percent| median(all.iter().map(|times| times.percent_ms(percent)).collect());
        (self.half_ms, self.p99_ms, self.last_ms) = (of(50.0), of(99.0), of(100.0));
        self.cpu_us_per_delivery =
            after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / (deliveries.max(1) as f64);
    }
}

/// Approves all at once, and lets the phones live until all that they are meant for have them.
fn burst_of(stage: &mut Stage, alerts: &[Submitted], meant: usize) -> anyhow::Result<()> {
    stage.fleet.talk.forget_alerts();
    let paths: Vec<String> = alerts.iter().map(|alert| format!("alerts/{}/approve", alert.id)).collect();
    let (api, confirm) = (stage.house.api.clone(), &alerts.first().context("no alert")?.confirm);
    let wanted = BURST * meant;
    let approve = || api.post_all(&api.city[1], &paths, confirm);
    stage.run_while(approve, |talk| talk.alerts.len() >= wanted).map(drop)
}

/// A number in eight digits, then filling.
fn payload(number: usize, bytes: usize) -> Vec<u8> {
    let mut text = format!("{number:08}").into_bytes();
    text.resize(bytes, b'.');
    text
}

fn per_s(came: &[Instant], began: Instant) -> f64 {
    let last = came.iter().max().map_or(Duration::MAX, |last| last.saturating_duration_since(began));
    came.len() as f64 / last.as_secs_f64()
}

fn kib_per(before: &Usage, after: &Usage, phones: usize) -> f64 {
    (after.memory_kib as f64 - before.memory_kib as f64) / phones.max(1) as f64
}

/// One of a round's figures.
type Figure = fn(&Round) -> f64;

fn median_of(rounds: &[Round], server: &str, what: Figure) -> f64 {
    median(rounds.iter().filter(|round| round.server == server).map(what).collect())
}

/// Muster's medians beside those of the limit and of the peers: what a budget bounds. Without the other side there is no figure.
fn beside_others(rounds: &[Round]) -> serde_json::Value {
    let own = |what| median_of(rounds, "muster", what);
    let (cpu, last): (Figure, Figure) = (|round| round.cpu_us_per_delivery, |round| round.last_ms);
    let burst: Figure = |round| round.burst_per_s;
    let times = |server, what| {
        Some(median_of(rounds, server, what)).filter(|other| *other > 0.0).map(|other| own(what) / other)
    };
    let peers =
        rounds.iter().map(|round| round.server.as_str()).filter(|name| *name != "muster" && !name.starts_with("limit"));
    let best = peers.map(|peer| median_of(rounds, peer, last)).min_by(f64::total_cmp);
    json!({
        "cpu_us_per_delivery": own(cpu),
        "last_ms": own(last),
        "burst_per_s": own(burst),
        "kib_per_connection": own(|round| round.kib_per_connection),
        "cpu_times_limit_1": times("limit-1", cpu),
        "last_times_limit_2": times("limit-2", last),
        "last_times_best_peer": best.map(|best| own(last) / best),
        "burst_times_nats": times("nats", burst),
    })
}

/// Medians of each server's rounds, with their ratios to the limit.
fn table(rounds: &[Round], receipts: bool) -> String {
    let mut names: Vec<&str> = Vec::new();
    for round in rounds {
        if !names.contains(&round.server.as_str()) {
            names.push(&round.server);
        }
    }
    let of = |name: &str, what: fn(&Round) -> f64| median_of(rounds, name, what);
    let ratio = |name: &str, limit: &str, what: fn(&Round) -> f64| {
        let limit = of(limit, what);
        if limit > 0.0 { format!(" ({:.2})", of(name, what) / limit) } else { String::new() }
    };
    let Some(first) = rounds.first() else { return String::new() };
    let what = if receipts { "with receipts" } else { "delivery alone" };
    let mut lines = vec![
        format!("### {} phones, {} B, {what}", first.phones, first.bytes),
        String::new(),
        "| server | µs CPU per delivery (× limit-1) | half, ms | 99 %, ms | last, ms (× limit-2) | burst of 10, deliveries/s | \
         KiB per connection | connects/s | lost | doubled |"
            .to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    for name in names {
        let own = rounds.iter().filter(|round| round.server == name);
        let (lost, doubled) = own.fold((0, 0), |(lost, doubled), round| (lost + round.lost, doubled + round.doubled));
        lines.push(format!(
            "| {name} | {:.1}{} | {:.0} | {:.0} | {:.0}{} | {:.0} | {:.1} | {:.0} | {lost} | {doubled} |",
            of(name, |round| round.cpu_us_per_delivery),
            ratio(name, "limit-1", |round| round.cpu_us_per_delivery),
            of(name, |round| round.half_ms),
            of(name, |round| round.p99_ms),
            of(name, |round| round.last_ms),
            ratio(name, "limit-2", |round| round.last_ms),
            of(name, |round| round.burst_per_s),
            of(name, |round| round.kib_per_connection),
            of(name, |round| round.connects_per_s),
        ));
    }
    lines.join("\n")
}
