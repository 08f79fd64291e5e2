//! What phones and consoles hear: who may hear what ([`audience`]), that nothing is missed or told twice ([`hub`]), and the whole way
//! over real sockets ([`sockets`], with the people of [`phone`]).

mod audience;
mod golden_frames;
mod hub;
mod map;
pub mod phone;
mod sockets;
mod trouble;

use muster::city::City;
use muster::domain::actor::{Actor, Grant, Role};
use muster::domain::command::{Command, Line};
use muster::domain::post::PostKey;
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

/// The same, with people who leave their posts and lines that are named anew in between.
fn played_with_changes(seed: u64, steps: usize) -> World {
    let mut dice = Dice(seed);
    let mut world = World::new(30);
    let incidents = [world.opens(true), world.opens(true)];
    let city1 = world.account("city1");
    for _ in 0..steps {
        let incident = incidents[dice.roll(2)];
        random_order(&mut world, &mut dice, incident);
        let ids = world.compounds();
        let compound = ids[dice.roll(ids.len())];
        let state = world.city.compound(compound).unwrap();
        let mut line = state.succession.line.clone();
        let claims = state.posts.iter().flat_map(|post| post.claimants().map(|who| (post.post.no, who)));
        let claims: Vec<_> = claims.collect();
        match dice.roll(6) {
            0 if !line.is_empty() => {
                line.remove(0);
                // Refusals are part of a day.
                drop(world.gives(&city1, Command::AppointLine(Line { compound, line })));
            }
            1 if !claims.is_empty() => {
                let (no, person) = claims[dice.roll(claims.len())];
                drop(world.gives(&city1, Command::ReleaseClaim { post: PostKey { compound, no }, person }));
            }
            _ => {}
        }
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
    // As they were when the city was laid out: some have left since.
    let mut laid_out = City::default();
    laid_out.evolve(&world.journal[0]);
    let people = ids.iter().flat_map(|id| {
        let people = laid_out.compound(*id).unwrap().people();
        people.into_iter().step_by(4).map(World::somebody).collect::<Vec<_>>()
    });
    let household = Actor::household(format!("{}/1-1-101", ids[0]).parse().unwrap());
    let nobody = World::somebody(muster::domain::ids::PersonId(uuid::Uuid::from_u128(1)));
    accounts.chain(people).chain([household, nobody]).collect()
}
