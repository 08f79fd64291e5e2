//! The hub against a model: whoever stands in an audience gets the notice, once, in order; whoever comes back gets what was missed.

use std::collections::HashMap;

use muster::city::City;
use muster::domain::actor::Actor;
use muster::domain::ids::PersonId;
use muster::engine::ports::Publisher as _;
use muster::live::frame::{Cursor, Frame};
use muster::live::hub::Registration;
use muster::live::resume::Reload;
use muster::live::{Code, Hub, LiveLimits};
use muster::testing::desk::Desk;
use muster::testing::world::World;
use serde_json::Value;
use uuid::Uuid;

use super::{listeners, played};
use crate::scenarios::random_day::Dice;

/// A client that notes the cursors of what it got.
#[derive(Default)]
struct Client {
    line: Option<Registration>,
    got: Vec<Cursor>,
    wanted: Vec<Cursor>,
}

impl Client {
    /// Reads what waits.
    fn read(&mut self, desk: &mut Desk) {
        let Some(line) = &self.line else { return };
        assert_eq!(desk.close_code(line.place), None);
        self.got.extend(desk.take(line.place).iter().map(cursor_of));
    }
}

fn cursor_of(frame: &Frame) -> Cursor {
    let frame: Value = serde_json::from_str(frame.text()).unwrap();
    frame["cursor"].as_str().unwrap().parse().unwrap()
}

/// Limits under which nothing is lost to a bound.
fn roomy() -> LiveLimits {
    LiveLimits { queue_frames: usize::MAX, queue_bytes: usize::MAX, ..LiveLimits::default() }
}

#[test]
fn whoever_comes_and_goes_hears_everything_once_and_in_order() {
    for seed in 1..=3 {
        come_and_go(seed);
    }
}

fn come_and_go(seed: u64) {
    let world = played(seed, 300);
    let actors = listeners(&world);
    let mut dice = Dice(seed);
    let mut hub = Hub::new(roomy());
    let mut desk = Desk::of(&hub);
    let mut city = City::default();
    let mut clients: HashMap<usize, Client> = HashMap::new();
    for record in &world.journal {
        for _ in 0..dice.roll(6) {
            let who = dice.roll(actors.len());
            let client = clients.entry(who).or_default();
            if client.line.is_some() {
                client.read(&mut desk);
                client.line = None;
            } else {
                come(&hub, &city, &actors[who], client);
            }
        }
        city.evolve(record);
        hub.publish(&city, record);
        note_wanted(&city, record, &actors, &mut clients);
    }
    for (who, client) in &mut clients {
        if client.line.is_none() {
            come(&hub, &city, &actors[*who], client);
        }
        client.read(&mut desk);
        assert_eq!(client.got, client.wanted, "seed {seed}: {:?}", actors[*who]);
    }
    let got: usize = clients.values().map(|client| client.got.len()).sum();
    assert!(got > 1_000, "too little was heard to test anything: {got}");
    clients.clear();
    assert_eq!(hub.connections(), 0, "whoever goes is forgotten");
}

/// Connects, and resumes after what was got last.
fn come(hub: &Hub, city: &City, actor: &Actor, client: &mut Client) {
    let line = hub.register(city, actor).unwrap();
    if let Some(last) = client.got.last() {
        let missed = hub.missed(city, actor, *last, line.cursor).unwrap();
        client.got.extend(missed.iter().map(|event| cursor_of(event.frame())));
    } else {
        // Who never got anything begins here.
        client.wanted.clear();
    }
    client.line = Some(line);
}

fn note_wanted(
    city: &City,
    record: &muster::domain::event::Record,
    actors: &[Actor],
    clients: &mut HashMap<usize, Client>,
) {
    for (part, notice) in (1..).zip(city.notices(record)) {
        let cursor = Cursor { position: record.position, part };
        for (who, client) in clients.iter_mut() {
            if city.hears(&actors[*who], &notice.audience) {
                client.wanted.push(cursor);
            }
        }
    }
}

#[test]
fn what_is_no_longer_kept_is_not_passed_off_as_everything() {
    let world = played(4, 100);
    let actor = world.account("city1");
    let limits = LiveLimits { history_frames: 50, ..roomy() };
    let (mut hub, mut city) = (Hub::new(limits), City::default());
    let mut all = Vec::new();
    for record in &world.journal {
        city.evolve(record);
        hub.publish(&city, record);
        let heard = (1..).zip(city.notices(record)).filter(|(_, notice)| city.hears(&actor, &notice.audience));
        all.extend(heard.map(|(part, _)| Cursor { position: record.position, part }));
    }
    let line = hub.register(&city, &actor).unwrap();
    let kept = hub.kept();
    let mut reloads = 0;
    for (i, cursor) in all.iter().enumerate() {
        match hub.missed(&city, &actor, *cursor, line.cursor) {
            Ok(missed) => {
                let missed: Vec<Cursor> = missed.iter().map(|event| event.cursor).collect();
                assert_eq!(missed, all[i + 1..], "after {cursor}");
            }
            Err(reason) => {
                assert_eq!(reason, Reload::TooOld);
                assert!(*cursor < kept.floor);
                reloads += 1;
            }
        }
    }
    assert!(reloads > 0 && reloads < all.len());
    let ahead = Cursor { position: line.cursor.position + 1, part: 0 };
    assert_eq!(hub.missed(&city, &actor, ahead, line.cursor).unwrap_err(), Reload::AheadOfJournal);
}

#[test]
fn a_hub_that_was_not_told_of_the_past_says_so() {
    let world = played(5, 20);
    let actor = world.account("city1");
    let mut hub = Hub::new(roomy());
    let mut city = City::default();
    let (before, after) = world.journal.split_at(world.journal.len() / 2);
    for record in before {
        city.evolve(record);
    }
    let last = before.last().unwrap().position;
    let line = hub.register(&city, &actor).unwrap();
    let old = Cursor { position: last, part: 1 };
    assert_eq!(hub.missed(&city, &actor, old, line.cursor).unwrap_err(), Reload::TooOld);
    assert!(hub.missed(&city, &actor, line.cursor, line.cursor).unwrap().is_empty());
    for record in after {
        city.evolve(record);
        hub.publish(&city, record);
    }
    let again = hub.register(&city, &actor).unwrap();
    let missed = hub.missed(&city, &actor, line.cursor, again.cursor).unwrap();
    assert_eq!(missed.len(), Desk::of(&hub).take(line.place).len(), "live and resumed are the same");
}

#[test]
fn people_are_present_while_one_of_their_connections_is() {
    let world = played(6, 1);
    let hub = Hub::new(roomy());
    let actor = world.account("city1");
    let person = actor.person_id().unwrap();
    assert!(!hub.is_connected(person));
    let (phone, laptop) = (hub.register(&world.city, &actor).unwrap(), hub.register(&world.city, &actor).unwrap());
    assert_eq!(hub.connections(), 2);
    drop(phone);
    assert!(hub.is_connected(person));
    drop(laptop);
    assert!(!hub.is_connected(person));
}

#[test]
fn who_connects_while_a_record_is_told_hears_all_of_it_and_nobody_has_to_reload() {
    let world = played(7, 60);
    let actor = world.account("city1");
    let mut hub = Hub::new(roomy());
    let mut city = City::default();
    let mut desk = Desk::of(&hub);
    let first = hub.register(&city, &actor).unwrap();
    let mut heard = 0;
    for record in &world.journal {
        city.evolve(record);
        hub.announce(record.position);
        let newcomer = hub.register(&city, &actor).unwrap();
        hub.publish(&city, record);
        let told = desk.take(first.place);
        assert_eq!(desk.take(newcomer.place), told, "at {}", record.position);
        heard += told.len();
        hub.missed(&city, &actor, first.cursor, newcomer.cursor).unwrap();
    }
    assert!(heard > 0);
}

// INVARIANT: whoever loses a right loses it at once.
#[test]
fn who_was_looked_up_before_somebody_lost_a_right_looks_again() {
    let (hub, city) = (Hub::new(LiveLimits::default()), City::default());
    let actor = World::somebody(PersonId(Uuid::from_u128(1)));
    let before = hub.closings();
    let first = hub.register_known(&city, &actor, before).unwrap();
    hub.close_person(actor.person_id().unwrap(), Code::RightsChanged);
    assert_eq!(Desk::of(&hub).close_code(first.place), Some(Code::RightsChanged));
    assert_eq!(hub.register_known(&city, &actor, before).err(), Some(Code::RightsChanged));
    assert_eq!(hub.connections(), 1, "who was turned away took no seat");
    assert!(hub.register_known(&city, &actor, hub.closings()).is_ok());
}
