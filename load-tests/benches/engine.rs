//! What one order costs that switches the whole city: decided, durable, taken in, and told to those whom it concerns.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops, and says at what")]

use std::time::{Duration, Instant};

use load_tests::Took;
use muster::city::City;
use muster::demo;
use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::duty::ModeOrder;
use muster::domain::event::Record;
use muster::domain::hazard::ResponseLevel;
use muster::domain::ids::CommandId;
use muster::domain::policy::Policy;
use muster::engine::ports::Publisher as _;
use muster::engine::{Engine, Limits, timers};
use muster::journal::{SqliteJournal, SqliteOptions};
use muster::live::hub::Registration;
use muster::live::{Hub, LiveLimits};
use muster::testing::append;
use muster::testing::world::World;
use uuid::Uuid;

fn main() {
    println!("## One order: 2,431 compounds to emergency at level I\n");
    println!(
        "Taking in holds the city. Telling the last record of a round, which a whole-city order is, only keeps writers waiting: readers go on.\n"
    );
    println!(
        "| round | calls of duty | decided | durable | taken in | told, nobody there | told | phones there | together |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for round in 1..=5 {
        let world = World::new(demo::COMPOUNDS_DEFAULT);
        println!("| {round} {}", switch_once(world));
    }
}

/// A hub with a connection for everybody who has a part in the city, and nobody at the other end.
fn everybody(city: &City) -> (Hub, Vec<Registration>) {
    let hub = Hub::new(LiveLimits::default());
    let mut people: Vec<_> = city.compounds().flat_map(|(_, state)| state.people()).collect();
    people.sort_unstable();
    people.dedup();
    let register = |person| hub.register(city, &Actor::person(person, Vec::new())).expect("room for a city");
    let registrations = people.into_iter().map(register).collect();
    (hub, registrations)
}

fn switch_once(mut world: World) -> String {
    let incident = world.opens(true);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite");
    let mut journal =
        SqliteJournal::open(&path, SqliteOptions::new("1404".parse().expect("a code"))).expect("a journal");
    let areas = vec!["1404".parse().expect("a code")];
    let to = ModeOrder::Emergency(ResponseLevel::I);
    let command = Command::SwitchDuty { incident, areas, compounds: Vec::new(), to };
    let mut engine = Engine::new(Policy::default(), Limits::default());
    let order = muster::domain::command::Order {
        id: CommandId(Uuid::now_v7()),
        actor: world.account("city1"),
        at: world.now,
        epoch: None,
        digest: 0,
        command,
    };
    let mut empty = Hub::new(LiveLimits::default());
    let (mut full, phones) = everybody(&world.city);
    engine.submit(order).expect("queued");
    let began = Instant::now();
    let round = engine.next_round(&world.city).round.expect("decided");
    let decided = began.elapsed();
    let entries = round.proposals.into_iter().map(|proposal| proposal.entry).collect();
    let began = Instant::now();
    let mut records: Vec<Record> = append(&mut journal, entries).expect("durable");
    let durable = began.elapsed();
    for record in &mut records {
        record.position = world.city.position() + 1;
    }
    let (mut told_nobody, mut told) = (Duration::ZERO, Duration::ZERO);
    let began = Instant::now();
    engine.take_in(&mut world.city, &records, |city, record| {
        told_nobody += timed(|| empty.publish(city, record));
        told += timed(|| full.publish(city, record));
    });
    let taken_in = began.elapsed().saturating_sub(told_nobody + told);
    let calls = world.city.incident(incident).expect("open").tally("1404".parse().expect("a code")).duty.called;
    assert!(timers::due(&world.city, world.now).is_empty());
    let all = Took(decided + durable + taken_in + told);
    let [decided, durable, taken_in, told_nobody, told] = [decided, durable, taken_in, told_nobody, told].map(Took);
    let phones = phones.len();
    format!("| {calls} | {decided} | {durable} | {taken_in} | {told_nobody} | {told} | {phones} | {all} |")
}

fn timed(what: impl FnOnce()) -> Duration {
    let began = Instant::now();
    what();
    began.elapsed()
}
