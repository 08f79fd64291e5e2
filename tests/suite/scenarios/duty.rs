//! Switching duty: calls, benches, one call a person, silence, and back.

use std::collections::HashMap;

use muster::city::audience::{Audience, Notice, NoticeKind};
use muster::city::state::PostState;
use muster::domain::area::{AreaCode, AreaLevel};
use muster::domain::command::{Batch, Command, CompoundPosts, Line, PostClaims};
use muster::domain::compound::CompoundId;
use muster::domain::duty::{Answer, CallState, Mode, ModeOrder};
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::ids::{CommandId, IncidentId, PersonId};
use muster::domain::policy::Policy;
use muster::domain::post::{PostKey, Team};
use muster::testing::world::World;

use super::check::consistent;

fn switch(incident: IncidentId, compounds: &[CompoundId], to: ModeOrder) -> Command {
    Command::SwitchDuty { incident, areas: Vec::new(), compounds: compounds.to_vec(), to }
}

fn whole_city(incident: IncidentId, to: ModeOrder) -> Command {
    Command::SwitchDuty { incident, areas: vec!["1404".parse().unwrap()], compounds: Vec::new(), to }
}

const RED: ModeOrder = ModeOrder::Emergency(ResponseLevel::I);

#[test]
fn one_order_moves_the_whole_city_and_back() {
    let mut world = World::new(60);
    let incident = world.opens(true);
    let city1 = world.account("city1");
    world.does(&city1, whole_city(incident, RED));
    let state = world.city.incident(incident).unwrap();
    let tally = state.tally("1404".parse().unwrap());
    assert_eq!(tally.in_emergency, 60);
    assert!(tally.duty.called > 60, "posts are called: {:?}", tally.duty);
    let households: u32 = world.city.compounds().map(|(_, c)| c.compound.households()).sum();
    assert_eq!(tally.roll.households, households, "level I opens a roll everywhere");
    consistent(&world);
    assert_eq!(world.refuses(&city1, whole_city(incident, RED)), "nothing_to_switch");
    assert_eq!(world.refuses(&city1, Command::CloseIncident { incident }), "still_in_emergency");
    world.does(&city1, whole_city(incident, ModeOrder::Normal));
    let people: Vec<_> = world.city.compounds().flat_map(|(_, c)| c.people()).collect();
    assert!(!people.iter().any(|person| world.city.is_engaged(*person)), "all are relieved");
    assert!(world.city.compounds().all(|(_, c)| c.mode == Mode::Normal && c.board.is_none()));
    assert_eq!(world.city.deadlines().next(), None, "nothing is waited for");
    consistent(&world);
    world.does(&city1, Command::CloseIncident { incident });
    assert_eq!(world.refuses(&city1, whole_city(incident, RED)), "incident_closed");
}

#[test]
fn the_plan_of_the_level_says_who_is_called() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = world.manned(0);
    let city1 = world.account("city1");
    world.does(&city1, switch(incident, &[id], ModeOrder::Emergency(ResponseLevel::IV)));
    let compound = world.city.compound(id).unwrap();
    let plan = compound.plan_in_force(Hazard::Flood).unwrap().plan.level(ResponseLevel::IV).unwrap().clone();
    let board = compound.board.as_ref().unwrap();
    for post in &compound.posts {
        let team = world.city.post_kind(&post.post.kind).unwrap().team;
        let called = board.posts.iter().any(|called| called.no == post.post.no);
        assert_eq!(called, plan.teams.contains(&team), "{:?}", post.post);
    }
    assert_eq!(board.answer_limit_s, plan.answer_limit_s);
    let few = board.posts.len();
    world.does(&city1, switch(incident, &[id], RED));
    let board = world.city.compound(id).unwrap().board.as_ref().unwrap();
    assert!(board.posts.len() > few, "a graver level calls more posts");
    assert_eq!(board.level, ResponseLevel::I);
    consistent(&world);
    world.does(&city1, switch(incident, &[id], ModeOrder::Emergency(ResponseLevel::IV)));
    consistent(&world);
}

#[test]
fn who_declines_or_does_not_answer_is_replaced_from_the_bench() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let city1 = world.account("city1");
    let id = world.manned(0);
    let post = world.city.compound(id).unwrap().posts[0].post.clone();
    let people: Vec<_> = (0..post.headcount + 2).map(|_| PersonId(world.id())).collect();
    let (first, bench) = (people[0], people[usize::from(post.headcount)..].to_vec());
    let post = PostKey { compound: id, no: post.no };
    let claims = vec![PostClaims { post, people }];
    let batch = Batch { claims, ..Batch::default() };
    world.does(&city1, Command::Import(Box::new(batch)));
    world.does(&city1, switch(incident, &[id], RED));
    let first = World::somebody(first);
    let declined = Answer::Declined { reason: "在外地".to_owned() };
    world.does(&first, Command::AnswerCall { post, answer: declined });
    let call = |world: &World, person| {
        let board = world.city.compound(post.compound).unwrap().board.clone().unwrap();
        board.call_of(post.no, person).map(|call| call.state)
    };
    assert_eq!(call(&world, bench[0]), Some(CallState::Called), "the bench moves up");
    consistent(&world);
    let limit = world.city.compound(post.compound).unwrap().board.as_ref().unwrap().answer_limit_s;
    world.forward_s(limit);
    assert_eq!(call(&world, bench[0]), Some(CallState::NoAnswer));
    assert_eq!(call(&world, bench[1]), Some(CallState::Called));
    consistent(&world);
    let late = World::somebody(bench[0]);
    world.does(&late, Command::AnswerCall { post, answer: Answer::Acknowledged });
    assert_eq!(call(&world, bench[0]), Some(CallState::Acknowledged), "late hands are welcome");
}

#[test]
fn a_person_with_several_posts_is_called_once() {
    let mut world = World::new(120);
    let incident = world.opens(true);
    let mut held: HashMap<_, usize> = HashMap::new();
    for (_, compound) in world.city.compounds() {
        compound.posts.iter().flat_map(PostState::claimants).for_each(|person| *held.entry(person).or_default() += 1);
    }
    assert!(held.values().any(|posts| *posts > 1), "the demo city has people with several posts");
    let city1 = world.account("city1");
    world.does(&city1, whole_city(incident, RED));
    consistent(&world);
}

#[test]
fn a_compound_without_a_plan_waits_as_long_as_the_city_says() {
    let policy = Policy { answer_limit_s: 45, ..Policy::default() };
    let mut world = World::with_policy(40, policy);
    let (id, city1) = (world.manned(0), world.account("city1"));
    let snow = IncidentId(world.id());
    let (hazard, title) = (Hazard::Snow, "雪".to_owned());
    assert!(world.city.compound(id).unwrap().plan_in_force(hazard).is_none(), "the demo has no plan for snow");
    world.does(&city1, Command::OpenIncident { id: snow, hazard, exercise: true, title });
    world.does(&city1, switch(snow, &[id], RED));
    assert_eq!(world.city.compound(id).unwrap().board.as_ref().unwrap().answer_limit_s, 45);
    world.forward_s(44);
    assert_eq!(world.city.compound(id).unwrap().duty().no_answer, 0);
    world.forward_s(1);
    assert!(world.city.compound(id).unwrap().duty().no_answer > 0, "45 s are over");
    consistent(&world);
}

/// Fills every post of a compound with people who hold nothing else.
fn fill_posts(world: &mut World, id: CompoundId) {
    let posts = world.city.compound(id).unwrap().posts.clone();
    let claims = posts.iter().map(|state| PostClaims {
        post: PostKey { compound: id, no: state.post.no },
        people: (0..state.post.headcount).map(|_| PersonId(world.id())).collect(),
    });
    let claims = claims.collect();
    let city1 = world.account("city1");
    world.does(&city1, Command::Import(Box::new(Batch { claims, ..Batch::default() })));
}

#[test]
fn ready_is_when_every_called_team_has_half_its_places_manned() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (id, city1) = (world.manned(0), world.account("city1"));
    fill_posts(&mut world, id);
    world.does(&city1, switch(incident, &[id], ModeOrder::Emergency(ResponseLevel::IV)));
    world.forward_s(30);
    world.does(&city1, switch(incident, &[id], RED));
    assert_eq!(world.city.compound(id).unwrap().duty().vacant, 0);
    world.forward_s(20);
    let board = world.city.compound(id).unwrap().board.clone().unwrap();
    let mut short: HashMap<Team, (usize, usize)> = HashMap::new();
    for post in &board.posts {
        short.entry(post.team.unwrap()).or_default().0 += usize::from(post.headcount);
    }
    let mut posts_ready = 0;
    for call in board.calls.iter().filter(|call| call.state == CallState::Called) {
        let board = world.city.compound(id).unwrap().board.as_ref().unwrap();
        let ready = short.values().all(|(places, there)| there * 2 >= *places);
        assert_eq!(board.ready_at.is_some(), ready, "{short:?}");
        let post = PostKey { compound: id, no: call.post };
        world.does(&World::somebody(call.person), Command::AnswerCall { post, answer: Answer::OnPost });
        let team = board_team(&world, id, call.post);
        short.get_mut(&team).unwrap().1 += 1;
        world.forward_s(1);
        let counts = world.city.compound(id).unwrap().duty();
        assert!(counts.posts_ready >= posts_ready);
        posts_ready = counts.posts_ready;
    }
    let counts = world.city.compound(id).unwrap().duty();
    assert_eq!((counts.posts_ready, counts.on_post), (counts.posts, counts.needed), "now every place is filled");
    let board = world.city.compound(id).unwrap().board.as_ref().unwrap();
    let time = board.time_to_ready_s().unwrap();
    assert!(
        (20..20 + u64::from(counts.needed)).contains(&time),
        "{time} s from the switch to this level, not from the first"
    );
    let city: AreaCode = id.area(AreaLevel::City);
    let state = world.city.incident(incident).unwrap();
    assert_eq!((state.tally(city).ready, state.median_ready_s(city)), (1, Some(time)));
    consistent(&world);
    world.does(&city1, switch(incident, &[id], ModeOrder::Normal));
    let state = world.city.incident(incident).unwrap();
    assert_eq!((state.tally(city).ready, state.median_ready_s(city)), (0, None));
}

fn board_team(world: &World, id: CompoundId, no: u16) -> Team {
    let board = world.city.compound(id).unwrap().board.as_ref().unwrap();
    board.posts.iter().find(|post| post.no == no).and_then(|post| post.team).unwrap()
}

#[test]
fn who_commands_two_compounds_is_told_of_both_and_called_to_no_post_while_one_lasts() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let city1 = world.account("city1");
    let (one, two, third) = (world.manned(0), world.manned(1), world.manned(2));
    let commander = world.in_line(one, 0);
    let person = commander.person_id().unwrap();
    let lines = vec![Line { compound: two, line: vec![person] }];
    let post = PostKey { compound: third, no: world.city.compound(third).unwrap().posts[0].post.no };
    let claims = vec![PostClaims { post, people: vec![person] }];
    world.does(&city1, Command::Import(Box::new(Batch { lines, claims, ..Batch::default() })));
    world.does(&city1, switch(incident, &[one, two], RED));
    let record = world.journal.last().unwrap();
    let told = world.city.notices(record).into_iter().filter(|notice| {
        matches!(notice.body.kind, NoticeKind::CommandBrief(_)) && world.city.hears(&commander, &notice.audience)
    });
    assert_eq!(told.count(), 2, "a brief for each");
    assert_eq!(world.city.commanded_by(person).collect::<Vec<_>>(), [one, two]);
    world.does(&city1, switch(incident, &[one], ModeOrder::Normal));
    assert_eq!(world.city.commanded_by(person).collect::<Vec<_>>(), [two], "the other goes on");
    world.does(&city1, switch(incident, &[third], RED));
    assert_eq!(world.city.call_of(person), None, "a commander is not called to a post");
    let epoch = world.city.compound(two).unwrap().succession.epoch;
    let id = CommandId(world.id());
    assert!(world.gives_as(&commander, id, Some(epoch), switch(incident, &[two], ModeOrder::Normal)).is_ok());
    assert_eq!(world.city.call_of(person), Some(post), "free again, and a place waits");
    let called = |notice: &Notice| matches!(&notice.body.kind, NoticeKind::YourCall(call) if call.post == post);
    let notices = world.city.notices(world.journal.last().unwrap());
    let told: Vec<_> = notices.iter().filter(|notice| called(notice)).map(|notice| &notice.audience).collect();
    assert_eq!(told, [&Audience::Person(person)], "and told, once");
    consistent(&world);
}

#[test]
fn who_is_granted_a_post_in_an_emergency_is_called_and_who_loses_it_is_relieved() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (id, city1) = (world.manned(0), world.account("city1"));
    let post = PostKey { compound: id, no: world.city.compound(id).unwrap().posts[0].post.no };
    let empty = |people| Batch { claims: vec![PostClaims { post, people }], ..Batch::default() };
    world.does(&city1, Command::Import(Box::new(empty(Vec::new()))));
    world.does(&city1, switch(incident, &[id], RED));
    let person = PersonId(world.id());
    world.does(&World::somebody(person), Command::ApplyForPost { post });
    assert_eq!(world.city.call_of(person), None, "who only applied is not called");
    world.does(&city1, Command::GrantClaim { post, person });
    assert_eq!(world.city.call_of(person), Some(post));
    let notices = world.city.notices(world.journal.last().unwrap());
    assert!(notices.iter().any(|notice| notice.audience == Audience::Person(person)), "and told");
    let other = PersonId(world.id());
    world.does(&city1, Command::Import(Box::new(empty(vec![other]))));
    assert_eq!((world.city.call_of(person), world.city.call_of(other)), (None, Some(post)));
    consistent(&world);
    let posts = vec![CompoundPosts { compound: id, posts: Vec::new() }];
    let without = Batch { posts, ..Batch::default() };
    assert_eq!(world.refuses(&city1, Command::Import(Box::new(without))), "compound_in_emergency");
}

#[test]
fn only_who_is_called_answers() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (id, city1) = (world.manned(0), world.account("city1"));
    world.does(&city1, switch(incident, &[id], RED));
    let call = world.city.compound(id).unwrap().board.as_ref().unwrap().calls[0].clone();
    let post = PostKey { compound: id, no: call.post };
    let stranger = world.in_line(world.manned(1), 0);
    let answer = Command::AnswerCall { post, answer: Answer::Acknowledged };
    assert_eq!(world.refuses(&stranger, answer.clone()), "not_called");
    world.does(&World::somebody(call.person), answer);
    let for_other = Command::AnswerCallFor { post, person: call.person, answer: Answer::OnPost };
    assert_eq!(world.refuses(&stranger, for_other.clone()), "not_your_area");
    let commander = world.in_line(id, 0);
    world.does(&commander, for_other);
}

#[test]
fn a_commander_switches_the_own_compound_under_the_own_epoch() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (own, other) = (world.manned(0), world.manned(1));
    let commander = world.in_line(own, 0);
    assert_eq!(world.refuses(&commander, switch(incident, &[own, other], RED)), "not_your_area");
    let epoch = world.city.compound(own).unwrap().succession.epoch;
    let id = CommandId(world.id());
    let stale = world.gives_as(&commander, id, Some(epoch - 1), switch(incident, &[own], RED));
    assert_eq!(stale.unwrap_err().code(), "stale_epoch");
    let id = CommandId(world.id());
    assert!(world.gives_as(&commander, id, Some(epoch), switch(incident, &[own], RED)).is_ok());
}

#[test]
fn a_compound_of_which_nothing_is_heard_is_silent_and_never_fine() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (quiet, heard) = (world.manned(0), world.manned(1));
    let city1 = world.account("city1");
    world.does(&city1, switch(incident, &[quiet, heard], RED));
    world.forward_s(400);
    let call = world.city.compound(heard).unwrap().board.as_ref().unwrap().calls.last().unwrap().clone();
    let post = PostKey { compound: heard, no: call.post };
    world.does(&World::somebody(call.person), Command::AnswerCall { post, answer: Answer::Acknowledged });
    world.forward_s(210);
    assert!(world.city.compound(quiet).unwrap().silent);
    assert!(!world.city.compound(heard).unwrap().silent);
    let tally = |world: &World| world.city.incident(incident).unwrap().tally("1404".parse().unwrap()).silent;
    assert_eq!(tally(&world), 1);
    consistent(&world);
    world.forward_s(600);
    assert_eq!(tally(&world), 2, "one word does not last for ever");
    let call = world.city.compound(quiet).unwrap().board.as_ref().unwrap().calls[0].clone();
    let post = PostKey { compound: quiet, no: call.post };
    world.does(&World::somebody(call.person), Command::AnswerCall { post, answer: Answer::Acknowledged });
    assert!(!world.city.compound(quiet).unwrap().silent);
    consistent(&world);
}

#[test]
fn command_returns_to_the_commander_when_it_is_over() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = world.manned(0);
    let city1 = world.account("city1");
    world.does(&city1, switch(incident, &[id], RED));
    world.issues(incident, &[id]);
    world.forward_s(300);
    assert!(!world.city.compound(id).unwrap().is_commanded_by(world.in_line(id, 0).person_id().unwrap()));
    consistent(&world);
    world.does(&city1, switch(incident, &[id], ModeOrder::Normal));
    assert!(world.city.compound(id).unwrap().is_commanded_by(world.in_line(id, 0).person_id().unwrap()));
    consistent(&world);
}

#[test]
fn who_gets_the_command_back_is_not_asked_about_an_alert_that_expired() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (id, city1) = (world.manned(0), world.account("city1"));
    let commander = world.in_line(id, 0).person_id().unwrap();
    world.does(&city1, switch(incident, &[id], RED));
    world.issues(incident, &[id]);
    world.forward_s(7 * 3_600);
    assert!(!world.city.compound(id).unwrap().is_commanded_by(commander), "nobody acknowledged: it went to the street");
    world.does(&city1, switch(incident, &[id], ModeOrder::Normal));
    world.forward_s(3_600);
    assert!(
        world.city.compound(id).unwrap().is_commanded_by(commander),
        "the warning is over: nobody is passed over for it"
    );
    assert_eq!(world.city.deadlines().next(), None);
    consistent(&world);
}

#[test]
fn a_compound_is_in_one_incident_at_a_time() {
    let mut world = World::new(40);
    let (one, two) = (world.opens(true), world.opens(true));
    let (id, city1) = (world.manned(0), world.account("city1"));
    world.does(&city1, switch(one, &[id], RED));
    assert_eq!(world.refuses(&city1, switch(two, &[id], RED)), "other_incident");
    world.does(&city1, switch(one, &[id], ModeOrder::Normal));
    world.does(&city1, switch(two, &[id], RED));
    consistent(&world);
    world.does(&city1, switch(two, &[id], ModeOrder::Normal));
    world.does(&city1, switch(one, &[id], RED));
    consistent(&world);
}

#[test]
fn things_are_lent_and_come_back() {
    use muster::domain::aid::Dispatch;
    use muster::domain::ids::DispatchId;
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (from, to) = (world.manned(0), world.manned(1));
    let city1 = world.account("city1");
    let has = |world: &World| world.city.compound(from).unwrap().stock["沙袋"];
    let all = has(&world);
    let send = |id, quantity| Command::DispatchResource {
        id,
        dispatch: Dispatch { incident, from, to, resource: "沙袋".to_owned(), quantity },
    };
    let id = DispatchId(world.id());
    assert_eq!(world.refuses(&city1, send(id, 1)), "not_in_emergency");
    world.does(&city1, switch(incident, &[to], RED));
    assert_eq!(world.refuses(&city1, send(id, all + 1)), "not_enough");
    let lender = world.in_line(from, 0);
    world.does(&lender, send(id, 5));
    assert_eq!(has(&world), all - 5);
    let other = DispatchId(world.id());
    world.does(&city1, send(other, 2));
    world.does(&lender, Command::ReturnResource { id });
    assert_eq!(has(&world), all - 2);
    assert_eq!(world.refuses(&lender, Command::ReturnResource { id }), "unknown_dispatch");
    world.does(&city1, switch(incident, &[to], ModeOrder::Normal));
    assert_eq!(has(&world), all, "what is left comes back when it is over");
    consistent(&world);
}
