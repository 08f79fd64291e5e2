//! Nodes that command one city through a journal that fails, in one thread and in virtual time, from a seed.
//!
//! What may happen: nodes crash and come back; their clocks differ; they are cut off from the journal; what they append is kept and the
//! answer lost, or lost on its way, or kept much later; the journal's server is replaced by one that lacks whatever was not
//! acknowledged. Phones ([`phones`]) lose their connections and resume at another node. Clients repeat a command under its id, at any node, until they know what came of it; some give it to two at once. Then
//! all heals, and all has to come to an end. What must hold is in [`check`].
//!
//! `MUSTER_SIM_SEED=n` plays one again; `MUSTER_SIM_SEEDS=n` plays so many.

mod check;
mod clients;
mod journal;
mod linear;
mod node;
mod phones;

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use muster::config::catalogue::{PlanOutlines, PostCatalogue};
use muster::demo::{self, DemoCity};
use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::ids::IncidentId;
use uuid::Uuid;

use crate::scenarios::random_day::Dice;

use clients::{Clients, Intent};
use journal::Server;
use node::Node;
use phones::Phones;

const SEEDS_DEFAULT: u64 = 1_000;
const LINEAR_SEEDS_DEFAULT: u64 = 300;
const NODES: usize = 3;
const COMPOUNDS: usize = 8;
/// Turns in which things go wrong.
const TURNS: usize = 150;
/// Turns within which all must have come to an end once nothing goes wrong any more.
const TURNS_TO_HEAL: usize = 400;

/// What is played.
struct Sim {
    dice: Dice,
    server: Server,
    /// A node that crashed is none.
    nodes: Vec<Option<Node>>,
    clients: Clients,
    phones: Phones,
    demo: DemoCity,
    incident: IncidentId,
    /// Seconds since the beginning.
    time_s: u32,
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_nothing_is_done_twice_and_all_nodes_agree() {
    // A simulation in which nothing happens would find nothing.
    let must_happen = [
        "done",
        "repeated",
        "unknown",
        "unavailable",
        "conflicts",
        "crashes",
        "failovers",
        "forks",
        "passed over",
        "connections lost",
        "resumed",
        "loaded anew",
    ];
    play_all(SEEDS_DEFAULT, play, &must_happen);
}

#[test]
fn mode_and_command_of_a_compound_are_as_if_there_were_one_node() {
    play_all(LINEAR_SEEDS_DEFAULT, linear::play, &["done", "refused"]);
}

/// Plays so many seeds, or the one that is asked for.
fn play_all(seeds: u64, play: fn(u64) -> HashMap<&'static str, u64>, must_happen: &[&str]) {
    let of = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    if let Some(seed) = of("MUSTER_SIM_SEED") {
        println!("{:#?}", play(seed));
        return;
    }
    let (seeds, next) = (of("MUSTER_SIM_SEEDS").unwrap_or(seeds), AtomicU64::new(1));
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let happened = thread::scope(|scope| {
        let play_some = || {
            let mut happened: HashMap<&str, u64> = HashMap::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed > seeds {
                    return happened;
                }
                let played = catch_unwind(|| play(seed));
                let played = played.unwrap_or_else(|_| panic!("again with MUSTER_SIM_SEED={seed}"));
                for (what, times) in played {
                    *happened.entry(what).or_default() += times;
                }
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(play_some)).collect();
        let mut all: HashMap<&str, u64> = HashMap::new();
        for worker in workers {
            for (what, times) in worker.join().unwrap() {
                *all.entry(what).or_default() += times;
            }
        }
        all
    });
    println!("{happened:#?}");
    for what in must_happen {
        assert!(happened.get(what).is_some_and(|times| *times >= seeds / 10), "{what}: {happened:?}");
    }
}

/// Plays one seed; gives what happened, and how often.
fn play(seed: u64) -> HashMap<&'static str, u64> {
    let mut sim = Sim::new(seed);
    sim.phones = Phones::of(&sim);
    for _ in 0..TURNS {
        sim.turn();
    }
    sim.heal();
    check::all(&sim)
}

impl Sim {
    fn new(seed: u64) -> Self {
        let (server, demo) = (Server::new(), demo::city(demo::SEED_DEFAULT, COMPOUNDS));
        let incident = IncidentId(Uuid::from_u128(1));
        let mut sim = Self {
            dice: Dice(seed),
            server,
            nodes: (0..NODES).map(|_| None).collect(),
            clients: Clients::default(),
            phones: Phones::default(),
            demo,
            incident,
            time_s: 0,
        };
        (0..NODES).for_each(|n| sim.start(n));
        let batch = sim.demo.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
        sim.clients.wants(Actor::system(), Command::Import(Box::new(batch)));
        sim.until_all_is_done();
        sim.clients.want_it_opened(&sim.demo, incident);
        sim.until_all_is_done();
        sim
    }

    fn start(&mut self, n: usize) {
        let skew_s = u32::try_from(self.dice.roll(4)).unwrap();
        self.nodes[n] = Node::start(&self.server, n, self.time_s + skew_s);
    }

    /// Something goes wrong, somebody wants something, and every node has its turn.
    fn turn(&mut self) {
        self.faults();
        self.ask();
        let step_s = u32::try_from(self.dice.roll(20)).unwrap();
        self.step(step_s, true);
    }

    fn faults(&mut self) {
        match self.dice.roll(40) {
            0 => self.crash(),
            1 => self.server.fail_over(),
            // What no replica has is what a failover is about.
            2..=9 if self.server.is_ahead() => self.server.fail_over(),
            2..=5 => {
                let n = self.dice.roll(NODES);
                self.server.cut_off(n);
            }
            6..=9 => {
                let n = self.dice.roll(NODES);
                self.server.reconnect(n);
            }
            _ => {}
        }
        if let Some(n) = (0..NODES).find(|n| self.nodes[*n].is_none())
            && self.dice.roll(8) == 0
        {
            self.start(n);
        }
        self.server.let_late_ones_through(&mut self.dice);
    }

    fn crash(&mut self) {
        let n = self.dice.roll(NODES);
        if self.nodes[n].take().is_some() {
            self.clients.count("crashes", 1);
            self.phones.lose(n);
        }
    }

    /// Clients want something new, and repeat what they know nothing of.
    fn ask(&mut self) {
        let up: Vec<usize> = (0..NODES).filter(|n| self.nodes[*n].is_some()).collect();
        let Some(look) = up.first().and_then(|n| self.nodes[*n].as_ref()) else { return };
        for _ in 0..=self.dice.roll(3) {
            let intent = self.clients.dreams_up(&mut self.dice, &look.muster, &self.demo, self.incident);
            if let Some(Intent { actor, command }) = intent {
                self.clients.wants(actor, command);
            }
        }
        for n in self.clients.unsaid() {
            // Most give it to one node, some to two.
            for _ in 0..=usize::from(self.dice.roll(5) == 0) {
                let node = up[self.dice.roll(up.len())];
                if let Some(node) = &self.nodes[node] {
                    self.clients.gives(n, &node.muster);
                }
            }
        }
    }

    /// Time passes, and every node has a turn in an order of its own.
    fn step(&mut self, seconds: u32, with_faults: bool) {
        self.time_s += seconds;
        let first = self.dice.roll(NODES);
        for n in (0..NODES).map(|n| (n + first) % NODES) {
            self.server.roll_fault(n, with_faults, &mut self.dice);
            let Some(node) = &mut self.nodes[n] else { continue };
            if !node.turn(seconds, self.dice.roll(3) == 0 || !with_faults) {
                self.nodes[n] = None;
                self.phones.lose(n);
            }
        }
        self.clients.listen();
        self.phones.turn(&mut self.nodes, &mut self.dice, with_faults);
    }

    fn until_all_is_done(&mut self) {
        for _ in 0..TURNS_TO_HEAL {
            for n in self.clients.unsaid() {
                let node = self.nodes[n % NODES].as_ref().unwrap();
                self.clients.gives(n, &node.muster);
            }
            self.step(1, false);
            let agree = || {
                let last = self.server.last_position();
                self.nodes.iter().flatten().all(|node| node.muster.city().position() == last)
            };
            if self.clients.all_know() && agree() {
                return;
            }
        }
        panic!("it does not come to an end: {}", self.clients.unsaid().len());
    }

    // INVARIANT: once nothing fails any more, all comes to an end.
    fn heal(&mut self) {
        self.server.heal();
        for n in 0..NODES {
            if self.nodes[n].is_none() {
                self.start(n);
            }
        }
        self.until_all_is_done();
        // Whatever falls due within an hour does, at its time.
        for _ in 0..60 {
            self.step(60, false);
        }
        self.until_all_is_done();
        // Those that came back last have what they missed.
        for _ in 0..10 {
            self.step(1, false);
        }
    }
}
