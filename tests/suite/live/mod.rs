//! What phones and consoles hear: who may hear what ([`audience`]), that nothing is missed or told twice ([`hub`]), and the whole way
//! over real sockets ([`sockets`], with the people of [`phone`]).

mod audience;
mod hub;
mod map;
mod phone;
mod sockets;
mod trouble;

use muster::domain::actor::{Actor, Grant, Role};
use muster::testing::world::World;

use crate::scenarios::random_day::{Dice, random_order};

/// A world in which a day of so many random orders was played: real and exercise, two incidents.
fn played(seed: u64, steps: usize) -> World {
    let mut dice = Dice(seed);
    let mut world = World::new(30);
    let incidents = [world.opens(true), world.opens(true)];
    for _ in 0..steps {
        let incident = incidents[dice.roll(2)];
        random_order(&mut world, &mut dice, incident);
        world.forward_s(u32::try_from(dice.roll(120)).unwrap());
    }
    world
}

/// Everybody who could listen: accounts of each role over each kind of area, people with a part, households, and somebody without any.
fn listeners(world: &World) -> Vec<Actor> {
    let ids = world.compounds();
    let stranger = world.account("city1").person_id().unwrap();
    let areas = ids.iter().step_by(5).flat_map(|id| id.areas());
    let accounts = areas.flat_map(|area| Role::ALL.map(|role| Actor::person(stranger, vec![Grant { role, area }])));
    let people = ids.iter().flat_map(|id| {
        let people = world.city.compound(*id).unwrap().people();
        people.into_iter().step_by(4).map(World::somebody).collect::<Vec<_>>()
    });
    let household = Actor::household(format!("{}/1-1-101", ids[0]).parse().unwrap());
    let nobody = World::somebody(muster::domain::ids::PersonId(uuid::Uuid::from_u128(1)));
    accounts.chain(people).chain([household, nobody]).collect()
}
