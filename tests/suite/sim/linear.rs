//! Mode and command of one compound are as if there were one node: whatever several people order at several nodes at once, and whatever
//! fails meanwhile, there is an order of all that was answered, each between its question and its answer, in which each answer is right.
//!
//! The order is looked for by stateright's tester. What is right is said here a second time, in a few lines ([`Command`]).

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use muster::city::City;
use muster::domain::command::Command as Order;
use muster::domain::compound::CompoundId;
use muster::domain::duty::ModeOrder;
use muster::domain::hazard::ResponseLevel;
use muster::domain::ids::{CommandId, IncidentId, PersonId};
use muster::domain::refusal::Class;
use muster::domain::succession::Holder;
use muster::engine::Answer;
use muster::testing::world::World;
use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};
use uuid::Uuid;

use super::clients::account;
use super::{NODES, Sim, TURNS};

/// People who order at once.
const PEOPLE: usize = 4;
/// Orders that all together give: the search for an order of them grows fast.
const ORDERS_MAX: usize = 24;

/// A compound as this test understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Command {
    level: Option<ResponseLevel>,
    /// Rank in the line; 0 is the head.
    holder: usize,
    epoch: u32,
    offered_to: Option<usize>,
}

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Op {
    /// A dispatcher switches the compound.
    Switch(Option<ResponseLevel>),
    /// Somebody who believes to be in command, in that epoch, offers it.
    Offer { by: usize, epoch: u32, to: usize },
    /// Somebody takes it.
    Accept { by: usize },
}

/// Whether it was done.
type Done = bool;

impl SequentialSpec for Command {
    type Op = Op;
    type Ret = Done;

    fn invoke(&mut self, op: &Op) -> Done {
        match *op {
            Op::Switch(level) if self.level == level => return false,
            Op::Switch(level) => {
                self.level = level;
                if level.is_none() {
                    self.hand_to(0);
                }
            }
            Op::Offer { by, epoch, to } => {
                if self.holder != by || self.epoch != epoch || to == by {
                    return false;
                }
                self.offered_to = Some(to);
            }
            Op::Accept { by } => {
                if self.offered_to != Some(by) {
                    return false;
                }
                self.hand_to(by);
            }
        }
        true
    }
}

impl Command {
    fn hand_to(&mut self, rank: usize) {
        self.offered_to = None;
        if self.holder != rank {
            (self.holder, self.epoch) = (rank, self.epoch + 1);
        }
    }
}

/// An order under way.
struct Given {
    id: CommandId,
    op: Op,
    answer: Option<Pin<Box<dyn Future<Output = Answer>>>>,
}

/// What was said, in the order in which it was.
enum Said {
    Asked(usize, Op),
    Answered(usize, CommandId, Done),
}

/// Those who order.
struct People {
    compound: CompoundId,
    incident: IncidentId,
    line: Vec<PersonId>,
    given: Vec<Option<Given>>,
    said: Vec<Said>,
    orders: usize,
}

impl People {
    fn of(sim: &Sim) -> Self {
        let city = sim.nodes[0].as_ref().unwrap().muster.city();
        let (compound, state) = city.compounds().find(|(_, state)| state.succession.line.len() >= 3).unwrap();
        let (compound, line) = (*compound, state.succession.line.clone());
        let given = (0..PEOPLE).map(|_| None).collect();
        Self { compound, incident: sim.incident, line, given, said: Vec::new(), orders: 0 }
    }

    fn as_it_stands(&self, city: &City) -> Command {
        let state = city.compound(self.compound).unwrap();
        let rank = |person: PersonId| self.line.iter().position(|p| *p == person).unwrap();
        let Holder::Person(holder) = state.succession.holder else { panic!("nobody is passed over here") };
        let level = state.board.as_ref().map(|board| board.level);
        let offered_to = state.succession.offered_to.map(rank);
        Command { level, holder: rank(holder), epoch: state.succession.epoch, offered_to }
    }

    /// Each goes on with their order, or thinks of another, at whichever node.
    fn turn(&mut self, sim: &mut Sim) {
        for n in 0..PEOPLE {
            let up: Vec<usize> = (0..NODES).filter(|node| sim.nodes[*node].is_some()).collect();
            let Some(node) = up.get(sim.dice.roll(up.len().max(1))).copied() else { return };
            if self.given[n].is_none() && self.orders < ORDERS_MAX && sim.dice.roll(6) == 0 {
                self.thinks_of(n, node, sim);
            }
            self.gives(n, node, sim);
        }
    }

    fn thinks_of(&mut self, n: usize, node: usize, sim: &mut Sim) {
        // What they know may be old: nodes lag behind.
        let known = self.as_it_stands(&sim.nodes[node].as_ref().unwrap().muster.city());
        let rank = |sim: &mut Sim| sim.dice.roll(self.line.len().min(3));
        let op = match sim.dice.roll(5) {
            0 => Op::Switch(None),
            1 => Op::Switch(Some(ResponseLevel::ALL[sim.dice.roll(2)])),
            2 | 3 => Op::Offer { by: known.holder, epoch: known.epoch, to: rank(sim) },
            _ => Op::Accept { by: known.offered_to.unwrap_or_else(|| rank(sim)) },
        };
        let id = CommandId(Uuid::from_u128(5_000_000 + self.orders as u128));
        self.orders += 1;
        self.said.push(Said::Asked(n, op.clone()));
        self.given[n] = Some(Given { id, op, answer: None });
    }

    fn gives(&mut self, n: usize, node: usize, sim: &Sim) {
        let Some(given) = &mut self.given[n] else { return };
        if given.answer.is_some() {
            return;
        }
        let compound = self.compound;
        let (actor, epoch, order) = match &given.op {
            Op::Switch(level) => {
                let to = level.map_or(ModeOrder::Normal, ModeOrder::Emergency);
                let (areas, compounds) = (Vec::new(), vec![compound]);
                let order = Order::SwitchDuty { incident: self.incident, areas, compounds, to };
                (account(&sim.demo, "city1"), None, order)
            }
            Op::Offer { by, epoch, to } => {
                let order = Order::OfferCommand { compound, to: self.line[*to] };
                (World::somebody(self.line[*by]), Some(*epoch), order)
            }
            Op::Accept { by } => (World::somebody(self.line[*by]), None, Order::AcceptCommand { compound }),
        };
        let muster = &sim.nodes[node].as_ref().unwrap().muster;
        given.answer = Some(Box::pin(muster.give(actor, given.id, epoch, order)));
    }

    /// Hears the answers that have come; an order of which nothing is known is given again.
    fn listen(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        for (n, slot) in self.given.iter_mut().enumerate() {
            let Some(given) = slot else { continue };
            let Some(Poll::Ready(answer)) = given.answer.as_mut().map(|answer| answer.as_mut().poll(&mut context))
            else {
                continue;
            };
            given.answer = None;
            let done = match answer {
                Ok(_) => true,
                Err(refusal) if matches!(refusal.class(), Class::Unavailable | Class::TooMuch) => continue,
                Err(_) => false,
            };
            self.said.push(Said::Answered(n, given.id, done));
            *slot = None;
        }
    }

    fn all_know(&self) -> bool {
        self.given.iter().all(Option::is_none)
    }
}

/// Plays one seed; gives how many orders were done, and how many refused.
pub(super) fn play(seed: u64) -> HashMap<&'static str, u64> {
    let mut sim = Sim::new(seed);
    let mut people = People::of(&sim);
    let start = people.as_it_stands(&sim.nodes[0].as_ref().unwrap().muster.city());
    let turn = |sim: &mut Sim, people: &mut People, with_faults| {
        people.turn(sim);
        if with_faults {
            sim.faults();
        }
        let step_s = u32::try_from(sim.dice.roll(3)).unwrap();
        sim.step(step_s, with_faults);
        people.listen();
    };
    for _ in 0..TURNS {
        turn(&mut sim, &mut people, true);
    }
    sim.server.heal();
    (0..NODES).filter(|n| sim.nodes[*n].is_none()).collect::<Vec<_>>().into_iter().for_each(|n| sim.start(n));
    people.orders = ORDERS_MAX;
    for _ in 0..super::TURNS_TO_HEAL {
        turn(&mut sim, &mut people, false);
    }
    assert!(people.all_know(), "it does not come to an end");
    is_linear(start, &people, &sim)
}

fn is_linear(start: Command, people: &People, sim: &Sim) -> HashMap<&'static str, u64> {
    let kept: Vec<CommandId> = sim.server.records().iter().map(|record| record.entry.id).collect();
    let (mut tester, mut happened) = (LinearizabilityTester::new(start), HashMap::new());
    // As whom somebody is known to the tester, to which each has one order under way.
    let mut known_as: Vec<usize> = (0..PEOPLE).collect();
    for said in &people.said {
        let heard = match said {
            Said::Asked(n, op) => tester.on_invoke(known_as[*n], op.clone()).map(drop),
            // Somebody gave it again after nobody had known, was refused because it could not be done any more, and what they had given
            // first was kept after all: that it was done is what counts, and it may have been until the very end.
            Said::Answered(n, id, false) if kept.contains(id) => {
                *happened.entry("done after all").or_default() += 1;
                known_as[*n] += PEOPLE;
                continue;
            }
            Said::Answered(n, _, done) => {
                *happened.entry(if *done { "done" } else { "refused" }).or_default() += 1;
                tester.on_return(known_as[*n], *done).map(drop)
            }
        };
        heard.unwrap();
    }
    assert!(tester.is_consistent(), "there is no order in which all answers are right: {tester:?}");
    happened
}
