//! The register: imports are all or nothing, plans go to the street, claims are granted.

use muster::domain::command::{Batch, Command, CompoundPosts, Line};
use muster::domain::hazard::Hazard;
use muster::domain::plan::PlanStatus;
use muster::domain::post::{ClaimStatus, Post, PostKey};
use muster::testing::world::World;

use super::check::consistent;

#[test]
fn an_import_is_all_or_nothing() {
    let mut world = World::new(40);
    let admin = world.account("admin");
    let id = world.manned(0);
    let good = world.city.compound(id).unwrap().compound.as_ref().clone();
    let mut renamed = good.clone();
    renamed.name = "改名小区".to_owned();
    let mut bad = world.city.compound(world.manned(1)).unwrap().compound.as_ref().clone();
    bad.buildings[0].floors = 0;
    let batch = Batch { compounds: vec![renamed.clone(), bad], ..Batch::default() };
    let faults = world.city.faults(&admin, &batch);
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].index, faults[0].refusal.code()), (1, "bad_compound"));
    assert_eq!(world.refuses(&admin, Command::Import(Box::new(batch))), "bad_compound");
    assert_eq!(world.city.compound(id).unwrap().compound.name, good.name);
    let batch = Batch { compounds: vec![renamed], ..Batch::default() };
    world.does(&admin, Command::Import(Box::new(batch)));
    assert_eq!(world.city.compound(id).unwrap().compound.name, "改名小区");
    consistent(&world);
}

#[test]
fn what_an_import_names_must_exist() {
    let mut world = World::new(40);
    let admin = world.account("admin");
    let id = world.manned(0);
    let unknown = "140403001001999".parse().unwrap();
    let person = world.city.compound(id).unwrap().succession.line[0];
    let lines = vec![Line { compound: unknown, line: vec![person] }];
    let batch = Batch { lines, ..Batch::default() };
    assert_eq!(world.refuses(&admin, Command::Import(Box::new(batch))), "unknown_compound");
    let post = Post { no: 1, kind: "no_such_kind".to_owned(), headcount: 1 };
    let posts = vec![CompoundPosts { compound: id, posts: vec![post] }];
    let batch = Batch { posts, ..Batch::default() };
    assert_eq!(world.refuses(&admin, Command::Import(Box::new(batch))), "unknown_post_kind");
    let commander = world.in_line(id, 0);
    let lines = vec![Line { compound: id, line: vec![person] }];
    let batch = Batch { lines, ..Batch::default() };
    assert_eq!(world.refuses(&commander, Command::Import(Box::new(batch))), "not_your_role");
}

#[test]
fn a_plan_goes_to_the_street_and_supersedes_the_last() {
    let mut world = World::new(40);
    let id = world.manned(0);
    let mut plan = world.city.compound(id).unwrap().plan_in_force(Hazard::Flood).unwrap().plan.clone();
    plan.levels[0].tasks.push("关闭地下车库".to_owned());
    let commander = world.in_line(id, 0);
    let (compound, hazard, version) = (id, Hazard::Flood, 2);
    world.does(&commander, Command::DraftPlan { plan });
    let approve = Command::ApprovePlan { compound, hazard, version };
    let city1 = world.account("city1");
    assert_eq!(world.refuses(&city1, approve.clone()), "plan_not_there");
    world.does(&commander, Command::SubmitPlan { compound, hazard, version });
    let in_force = world.city.compound(id).unwrap().plan_in_force(hazard).unwrap().version;
    assert_eq!(in_force, 1, "until the street approves, the old plan is in force");
    assert_eq!(world.refuses(&commander, approve.clone()), "not_your_role");
    world.does(&city1, approve);
    let state = world.city.compound(id).unwrap();
    assert_eq!(state.plan_in_force(hazard).unwrap().version, 2);
    assert_eq!(state.plan(hazard, 1).unwrap().status, PlanStatus::Superseded);
}

#[test]
fn a_claim_is_asked_for_granted_and_given_up() {
    let mut world = World::new(40);
    let id = world.manned(0);
    let post = PostKey { compound: id, no: world.city.compound(id).unwrap().posts[0].post.no };
    let neighbour = world.in_line(world.manned(1), 0);
    let person = neighbour.person_id().unwrap();
    let status = |world: &World| {
        let claims = &world.city.post(post).unwrap().claims;
        claims.iter().find(|claim| claim.person == person).map(|claim| claim.status)
    };
    world.does(&neighbour, Command::ApplyForPost { post });
    assert_eq!(status(&world), Some(ClaimStatus::Applied));
    assert_eq!(world.refuses(&neighbour, Command::ApplyForPost { post }), "already_claimed");
    assert_eq!(world.refuses(&neighbour, Command::GrantClaim { post, person }), "not_your_area");
    let commander = world.in_line(id, 0);
    world.does(&commander, Command::GrantClaim { post, person });
    assert_eq!(status(&world), Some(ClaimStatus::Approved));
    assert!(world.city.places_of(person).any(|place| place == id));
    world.does(&neighbour, Command::ReleaseClaim { post, person });
    assert_eq!(status(&world), None);
    assert_eq!(
        world.refuses(&commander, Command::GrantClaim { post, person }),
        "no_claim",
        "nobody is pressed into it"
    );
    let admin = world.account("admin");
    world.does(&admin, Command::GrantClaim { post, person });
    assert_eq!(status(&world), Some(ClaimStatus::Approved), "who keeps the register enters who holds it");
    world.does(&admin, Command::ReleaseClaim { post, person });
    assert!(!world.city.places_of(person).any(|place| place == id));
}
