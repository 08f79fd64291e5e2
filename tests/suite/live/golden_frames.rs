//! What an emergency looks like on the wire, settled: `tests/golden/frames/*.jsonl` holds what a commander, a post-holder and a city
//! dispatcher are told from the alert to the stand-down, a frame a line. The pages' own tests are fed these files, so that what they
//! understand is what the server says. `UPDATE_GOLDEN=1` writes them anew: read the difference then, and run the pages' tests.

use std::path::PathBuf;

use muster::city::City;
use muster::city::map_state::MapState;
use muster::domain::actor::Actor;
use muster::domain::alert::AlertKind;
use muster::domain::command::Command;
use muster::domain::compound::CompoundId;
use muster::domain::duty::{Answer, ModeOrder};
use muster::domain::event::Record;
use muster::domain::hazard::ResponseLevel;
use muster::domain::help::{HelpKey, Resolution};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::{AlertId, IncidentId};
use muster::domain::post::PostKey;
use muster::domain::receipt::Stage;
use muster::domain::roll_call::{HelpKind, RollStatus};
use muster::engine::ports::Publisher as _;
use muster::live::frame::ServerFrame;
use muster::live::map::{areas_of, snapshot_part};
use muster::live::{Hub, LiveLimits};
use muster::testing::desk::Desk;
use muster::testing::world::World;

/// Compounds of one map frame: the snapshot comes in parts.
const MAP_PART: usize = 5;

/// The people whose frames are kept.
struct Cast {
    dispatcher: Actor,
    commander: Actor,
    post_holder: (Actor, PostKey),
}

#[test]
fn frames_are_as_the_pages_know_them() {
    let mut world = World::new(12);
    let laid_out = world.journal.len();
    let cast = emergency(&mut world);
    let listeners =
        [("dispatcher", &cast.dispatcher), ("commander", &cast.commander), ("post_holder", &cast.post_holder.0)];
    for (name, actor) in listeners {
        let frames = frames_of(&world.journal, laid_out, actor);
        assert!(frames.len() > 5, "{name} hears too little: {frames:#?}");
        settle(name, &(frames.join("\n") + "\n"));
    }
}

/// From the alert to the stand-down, in one compound of two; the other stays silent until the command is passed on.
fn emergency(world: &mut World) -> Cast {
    let (home, other) = (world.manned(0), world.manned(1));
    let (dispatcher, commander) = (world.account("city1"), world.in_line(home, 0));
    let incident = world.opens(true);
    let alert = world.issues(incident, &[home, other]);
    world.forward_s(3);
    world.does(&commander, Command::ReportReceipt { alert, stage: Stage::Delivered });
    world.does(&commander, Command::ReportReceipt { alert, stage: Stage::Shown });
    world.forward_s(20);
    world.does(&commander, Command::AcknowledgeAlert { alert });
    world.forward_s(300);
    switch(world, &dispatcher, incident, home, ModeOrder::Emergency(ResponseLevel::II));
    let post_holder = called(world, home, &commander);
    answers(world, &post_holder);
    roll(world, incident, home, &dispatcher);
    let update = follows(world, incident, AlertKind::Update { replaces: alert }, &[home, other]);
    follows(world, incident, AlertKind::Cancel { replaces: update }, &[home, other]);
    switch(world, &dispatcher, incident, home, ModeOrder::Normal);
    world.does(&dispatcher, Command::CloseIncident { incident });
    Cast { dispatcher, commander, post_holder }
}

fn switch(world: &mut World, by: &Actor, incident: IncidentId, compound: CompoundId, to: ModeOrder) {
    world.does(by, Command::SwitchDuty { incident, areas: Vec::new(), compounds: vec![compound], to });
}

/// Somebody who was called to a post there and does not command.
fn called(world: &World, compound: CompoundId, commander: &Actor) -> (Actor, PostKey) {
    let board = world.city.compound(compound).unwrap().board.as_ref().unwrap();
    let call = board.calls.iter().find(|call| Some(call.person) != commander.person_id()).unwrap();
    (World::somebody(call.person), PostKey { compound, no: call.post })
}

fn answers(world: &mut World, (who, post): &(Actor, PostKey)) {
    world.forward_s(15);
    world.does(who, Command::AnswerCall { post: *post, answer: Answer::Acknowledged });
    world.forward_s(60);
    world.does(who, Command::AnswerCall { post: *post, answer: Answer::OnPost });
}

/// Three households report; one needs help and gets it.
fn roll(world: &mut World, incident: IncidentId, compound: CompoundId, dispatcher: &Actor) {
    let flats: Vec<_> = world.city.compound(compound).unwrap().compound.flats().take(3).collect();
    let help = RollStatus::NeedHelp { kinds: vec![HelpKind::Medical, HelpKind::Trapped] };
    for (flat, status) in flats.into_iter().zip([RollStatus::Safe, RollStatus::Away, help]) {
        let household = HouseholdKey { compound, flat };
        world.forward_s(5);
        world.checks_in(&Actor::household(household), incident, household, status).unwrap();
    }
    let help: HelpKey = world.city.incident(incident).unwrap().help_queue.first().unwrap().3;
    let to = world.in_line(compound, 1).person_id().unwrap();
    world.does(dispatcher, Command::AssignHelp { incident, help, to });
    world.forward_s(600);
    let (how, reason) = (Resolution::Resolved, "已送医".to_owned());
    world.does(dispatcher, Command::EndHelp { incident, help, how, reason });
}

/// An update or a cancel, sent.
fn follows(world: &mut World, incident: IncidentId, kind: AlertKind, compounds: &[CompoundId]) -> AlertId {
    world.forward_s(30);
    let alert = world.drafts(incident, kind, compounds);
    let by = world.account("city1");
    world.does(&by, Command::SubmitAlert { alert, confirm_compounds: Some(compounds.len()) });
    alert
}

/// What the actor is told of the journal after the first `from` records: for who watches an area, the map before it and the
/// changes of each record.
fn frames_of(journal: &[Record], from: usize, actor: &Actor) -> Vec<String> {
    let (mut hub, mut city) = (Hub::new(LiveLimits::default()), City::default());
    journal[..from].iter().for_each(|record| city.evolve(record));
    let (line, mut desk) = (hub.register(&city, actor).unwrap(), Desk::of(&hub));
    let areas = areas_of(&city, actor);
    let mut frames = Vec::new();
    let mut after = None;
    while !areas.is_empty() {
        let (part, more) = snapshot_part(&city, &areas, after, MAP_PART);
        after = Some(part.last().unwrap().id);
        frames.push(map_frame(&city, true, more, &part));
        if !more {
            break;
        }
    }
    for record in &journal[from..] {
        let before = city.position();
        city.evolve(record);
        hub.publish(&city, record);
        frames.extend(desk.take(line.place).iter().map(|frame| frame.text().to_owned()));
        let changed = areas.iter().flat_map(|area| city.changed_since(*area, before));
        let changed: Vec<MapState> = changed.map(|(id, state)| city.map_state(id, state)).collect();
        if !changed.is_empty() {
            frames.push(map_frame(&city, false, false, &changed));
        }
    }
    frames
}

fn map_frame(city: &City, snapshot: bool, more: bool, compounds: &[MapState]) -> String {
    ServerFrame::Map { position: city.position(), snapshot, more, compounds }.encode().text().to_owned()
}

/// Compares with the golden file, or writes it.
fn settle(name: &str, frames: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/frames/{name}.jsonl"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, frames).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (line, (now, then)) in frames.lines().zip(golden.lines()).enumerate() {
        assert_eq!(now, then, "frame {} of {name}", line + 1);
    }
    assert_eq!(frames.lines().count(), golden.lines().count(), "{name}");
}
