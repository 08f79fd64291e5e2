//! Phones that hear from nodes: they lose their connection, go to another node, and resume from where they were; and the network that
//! brings them what a node says, late, and cut off in the middle.

use std::collections::HashMap;
use std::sync::Arc;

use muster::city::City;
use muster::domain::actor::Actor;
use muster::live::frame::Cursor;
use muster::live::hub::Registration;
use muster::live::{Hub, LiveLimits};
use muster::testing::world::World;
use serde_json::Value;

use crate::scenarios::random_day::Dice;

use super::clients::account;
use super::node::Node;
use super::{NODES, Sim};

/// Frames kept for those who resume: all of a play.
const HISTORY_FRAMES: usize = 1_000_000;

/// A hub that nobody's sockets hang on.
pub(super) fn hub() -> Hub {
    Hub::new(LiveLimits { shards: 1, history_frames: HISTORY_FRAMES, ..LiveLimits::default() })
}

/// Where a phone is connected.
struct Line {
    node: usize,
    registration: Registration,
}

/// Somebody's phone.
pub(super) struct Phone {
    actor: Actor,
    line: Option<Line>,
    /// What the node said, and has not come yet.
    on_its_way: Vec<Cursor>,
    /// The epoch in which it heard, and the last event.
    place: Option<(Arc<str>, Cursor)>,
    /// From where on it has heard everything: all before was loaded.
    loaded: Cursor,
    heard: Vec<Cursor>,
}

/// All phones.
#[derive(Default)]
pub(super) struct Phones {
    all: Vec<Phone>,
    happened: HashMap<&'static str, u64>,
}

impl Phones {
    /// One for each of some people: those in command, who hear most, holders of posts, dispatchers.
    pub(super) fn of(sim: &Sim) -> Self {
        let city = sim.nodes[0].as_ref().unwrap().muster.city();
        let people = city.compounds().flat_map(|(_, state)| {
            let line = state.succession.line.first().copied();
            line.into_iter().chain(state.people().into_iter().take(2)).collect::<Vec<_>>()
        });
        let mut actors: Vec<Actor> = people.map(World::somebody).collect();
        actors.extend(["city1", "street"].map(|login| account(&sim.demo, login)));
        let phone = |actor| Phone {
            actor,
            line: None,
            on_its_way: Vec::new(),
            place: None,
            loaded: Cursor::default(),
            heard: Vec::new(),
        };
        Self { all: actors.into_iter().map(phone).collect(), happened: HashMap::new() }
    }

    pub(super) fn happened(&self) -> HashMap<&'static str, u64> {
        self.happened.clone()
    }

    /// What nodes said comes, or not yet; connections are lost, and made.
    pub(super) fn turn(&mut self, nodes: &mut [Option<Node>], dice: &mut Dice, with_faults: bool) {
        for phone in &mut self.all {
            phone.take_from(nodes);
            let comes = if with_faults { dice.roll(phone.on_its_way.len() + 1) } else { phone.on_its_way.len() };
            phone.hear(comes);
            if with_faults && phone.line.is_some() && dice.roll(25) == 0 {
                // What was on its way is lost with the connection.
                phone.hang_up();
                *self.happened.entry("connections lost").or_default() += 1;
            }
            if phone.line.is_none()
                && let Some(node) = nodes.get_mut(dice.roll(NODES)).and_then(Option::as_mut)
            {
                let what = phone.connect(node);
                *self.happened.entry(what).or_default() += 1;
            }
        }
    }

    /// A node has crashed: its connections are gone.
    pub(super) fn lose(&mut self, node: usize) {
        let on_it = |phone: &&mut Phone| phone.line.as_ref().is_some_and(|line| line.node == node);
        self.all.iter_mut().filter(on_it).for_each(Phone::hang_up);
    }

    // INVARIANT: every phone hears every event that is meant for it, once, in order.
    /// Compares what each heard with what the journal, told from its first record, would have said to it.
    pub(super) fn check(&self, sim: &Sim) {
        let (told, mut city) = (hub(), City::default());
        for record in sim.server.records() {
            city.evolve(&record);
            muster::engine::ports::Publisher::publish(&mut told.clone(), &city, &record);
        }
        let end = told.kept().last;
        for phone in &self.all {
            assert!(phone.on_its_way.is_empty());
            let meant = told.missed(&city, &phone.actor, phone.loaded, end).unwrap();
            let meant: Vec<Cursor> = meant.iter().map(|event| event.cursor).collect();
            assert_eq!(phone.heard, meant, "{:?} since {}", phone.actor.giver, phone.loaded);
        }
    }
}

impl Phone {
    /// What its node has said meanwhile is on its way; where the node closed the connection, it is gone after that.
    fn take_from(&mut self, nodes: &mut [Option<Node>]) {
        let Some(line) = &self.line else { return };
        let Some(node) = &mut nodes[line.node] else { return self.hang_up() };
        let place = line.registration.place;
        self.on_its_way.extend(node.desk.take(place).iter().map(|frame| cursor_of(frame.text())));
        if node.desk.close_code(place).is_some() {
            self.hang_up();
        }
    }

    fn hear(&mut self, count: usize) {
        for cursor in self.on_its_way.drain(..count) {
            self.heard.push(cursor);
            if let Some((_, last)) = &mut self.place {
                *last = cursor;
            }
        }
    }

    fn hang_up(&mut self) {
        self.line = None;
        self.on_its_way.clear();
    }

    /// Connects to a node, and resumes there; loads anew where what it missed cannot be told.
    fn connect(&mut self, node: &mut Node) -> &'static str {
        let (city, epoch) = (node.muster.city(), node.muster.journal_epoch());
        let registration = node.hub.register(&city, &self.actor).unwrap();
        let here = registration.cursor;
        let missed = match &self.place {
            Some((known, last)) if *known == epoch => node.hub.missed(&city, &self.actor, *last, here).ok(),
            _ => None,
        };
        drop(city);
        self.line = Some(Line { node: node.number, registration });
        if let Some(events) = missed {
            self.on_its_way = events.iter().map(|event| event.cursor).collect();
            return "resumed";
        }
        (self.place, self.loaded) = (Some((epoch, here)), here);
        self.heard.clear();
        "loaded anew"
    }
}

fn cursor_of(text: &str) -> Cursor {
    serde_json::from_str::<Value>(text).unwrap()["cursor"].as_str().unwrap().parse().unwrap()
}
