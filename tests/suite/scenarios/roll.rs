//! Roll call and help: who may report on whom, what counts, and that "safe" does not undo "need help".

use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::compound::CompoundId;
use muster::domain::duty::ModeOrder;
use muster::domain::hazard::ResponseLevel;
use muster::domain::help::{HelpKey, Resolution};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::IncidentId;
use muster::domain::roll_call::{CheckIn, HelpKind, RollStatus, Verified};
use muster::domain::time::Timestamp;
use muster::testing::world::World;

use super::check::consistent;

struct Roll {
    world: World,
    incident: IncidentId,
    id: CompoundId,
    flats: Vec<HouseholdKey>,
}

fn roll() -> Roll {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = world.manned(0);
    let city1 = world.account("city1");
    let to = ModeOrder::Emergency(ResponseLevel::I);
    world.does(&city1, Command::SwitchDuty { incident, areas: Vec::new(), compounds: vec![id], to });
    let compound = world.city.compound(id).unwrap().compound.clone();
    let flats = compound.flats().map(|flat| HouseholdKey { compound: id, flat }).collect();
    Roll { world, incident, id, flats }
}

fn help(kinds: &[HelpKind]) -> RollStatus {
    RollStatus::NeedHelp { kinds: kinds.to_vec() }
}

impl Roll {
    fn says(&mut self, flat: usize, status: RollStatus) {
        let household = self.flats[flat];
        let answer = self.world.checks_in(&Actor::household(household), self.incident, household, status);
        assert!(answer.is_ok(), "{answer:?}");
    }

    fn says_at(&mut self, flat: usize, status: RollStatus, made_at: Timestamp) {
        let (household, incident) = (self.flats[flat], self.incident);
        let check_in =
            CheckIn { incident, household, status, heads: 1, verified: Verified::SelfReport, made_at, note: None };
        self.world.does(&Actor::household(household), Command::CheckIn(check_in));
    }

    fn status(&self, flat: usize) -> RollStatus {
        let roll = self.world.city.roll(self.incident, self.id).unwrap();
        roll.households[&self.flats[flat].flat].current().unwrap().status.clone()
    }

    fn open_help(&self) -> Vec<HelpKey> {
        let state = self.world.city.incident(self.incident).unwrap();
        state.help_queue.iter().map(|order| order.3).collect()
    }

    fn ends(&mut self, by: &Actor, key: HelpKey) -> muster::engine::Answer {
        let (incident, how, reason) = (self.incident, Resolution::Resolved, "已送医".to_owned());
        self.world.gives(by, Command::EndHelp { incident, help: key, how, reason })
    }
}

#[test]
fn safe_does_not_undo_need_help() {
    let mut roll = roll();
    roll.says(0, help(&[HelpKind::Medical]));
    roll.world.forward_s(10);
    roll.says(0, RollStatus::Safe);
    assert_eq!(roll.status(0), RollStatus::Safe);
    let open = roll.open_help();
    assert_eq!(open.len(), 1, "the request stays open");
    consistent(&roll.world);
    let commander = roll.world.in_line(roll.id, 0);
    let stranger = roll.world.in_line(roll.world.manned(1), 0);
    assert_eq!(roll.ends(&stranger, open[0]).unwrap_err().code(), "not_your_area");
    let (incident, how, reason) = (roll.incident, Resolution::Resolved, " ".to_owned());
    let without_reason = Command::EndHelp { incident, help: open[0], how, reason };
    assert_eq!(roll.world.refuses(&commander, without_reason), "bad_text");
    roll.ends(&commander, open[0]).unwrap();
    assert_eq!(roll.open_help(), []);
    assert_eq!(roll.ends(&commander, open[0]).unwrap_err().code(), "unknown_help");
    roll.says(0, help(&[HelpKind::Trapped]));
    assert_eq!(roll.open_help()[0].no, 2, "a new need is a new request");
    consistent(&roll.world);
}

#[test]
fn a_report_from_an_offline_phone_counts_by_when_it_was_made() {
    let mut roll = roll();
    let early = roll.world.now;
    roll.world.forward_s(100);
    roll.says(1, RollStatus::Safe);
    roll.says_at(1, RollStatus::Missing, early);
    assert_eq!(roll.status(1), RollStatus::Safe, "made earlier, arrived later");
    roll.says_at(2, help(&[HelpKind::Trapped]), early);
    roll.says(2, RollStatus::Safe);
    assert_eq!(roll.open_help().len(), 1, "a late cry for help is still heard");
    consistent(&roll.world);
}

#[test]
fn help_goes_to_the_vulnerable_first() {
    let mut roll = roll();
    let compound = roll.world.city.compound(roll.id).unwrap().compound.clone();
    let listed = compound.vulnerable.first().expect("the demo compound has vulnerable households").flat;
    let vulnerable = roll.flats.iter().position(|key| key.flat == listed).unwrap();
    let plain = roll.flats.iter().position(|key| compound.needs_of(key.flat).is_empty()).unwrap();
    roll.says(plain, help(&[HelpKind::Medical]));
    roll.world.forward_s(60);
    roll.says(vulnerable, help(&[HelpKind::Supplies]));
    let order: Vec<_> = roll.open_help().iter().map(|key| key.household).collect();
    assert_eq!(order, [roll.flats[vulnerable], roll.flats[plain]]);
}

#[test]
fn a_household_reports_for_itself_alone_and_only_what_it_can_know() {
    let mut roll = roll();
    let (own, other, incident) = (roll.flats[0], roll.flats[1], roll.incident);
    let link = Actor::household(own);
    let now = roll.world.now;
    let check_in = |household, verified| {
        Command::CheckIn(CheckIn {
            incident,
            household,
            status: RollStatus::Safe,
            heads: 2,
            verified,
            made_at: now,
            note: None,
        })
    };
    assert_eq!(roll.world.refuses(&link, check_in(other, Verified::SelfReport)), "not_your_area");
    assert_eq!(roll.world.refuses(&link, check_in(own, Verified::Medic)), "bad_check_in");
    let deputy = roll.world.in_line(roll.id, 1);
    assert_eq!(roll.world.refuses(&deputy, check_in(own, Verified::Commander)), "not_in_command");
    let commander = roll.world.in_line(roll.id, 0);
    roll.world.does(&commander, check_in(own, Verified::Commander));
    let nowhere: HouseholdKey = format!("{}/999-9-9901", roll.id).parse().unwrap();
    assert_eq!(roll.world.refuses(&commander, check_in(nowhere, Verified::DoorToDoor)), "unknown_household");
    let stranger = roll.world.in_line(roll.world.manned(1), 0);
    assert_eq!(roll.world.refuses(&stranger, check_in(own, Verified::DoorToDoor)), "not_your_area");
    let future = CheckIn {
        incident,
        household: own,
        status: RollStatus::Safe,
        heads: 1,
        verified: Verified::SelfReport,
        made_at: now.plus_s(3_600),
        note: None,
    };
    assert_eq!(roll.world.refuses(&link, Command::CheckIn(future)), "made_in_future");
}

#[test]
fn there_is_no_report_without_a_roll() {
    let mut roll = roll();
    let other = roll.world.manned(2);
    let flat = roll.world.city.compound(other).unwrap().compound.flats().next().unwrap();
    let household = HouseholdKey { compound: other, flat };
    let answer = roll.world.checks_in(&Actor::household(household), roll.incident, household, RollStatus::Safe);
    assert_eq!(answer.unwrap_err().code(), "no_roll_call");
}

#[test]
fn an_incident_closes_only_when_its_help_is_ended_by_name() {
    let mut roll = roll();
    roll.says(0, help(&[HelpKind::Medical]));
    let (incident, id) = (roll.incident, roll.id);
    let city1 = roll.world.account("city1");
    let back = Command::SwitchDuty { incident, areas: Vec::new(), compounds: vec![id], to: ModeOrder::Normal };
    roll.world.does(&city1, back);
    assert_eq!(roll.world.refuses(&city1, Command::CloseIncident { incident }), "help_still_open");
    let key = roll.open_help()[0];
    roll.ends(&city1, key).unwrap();
    let late = roll.world.now;
    roll.says_at(3, RollStatus::Safe, late);
    assert_eq!(roll.status(3), RollStatus::Safe, "late reports are taken while the incident is open");
    roll.world.does(&city1, Command::CloseIncident { incident });
    let (household, link) = (roll.flats[4], Actor::household(roll.flats[4]));
    let answer = roll.world.checks_in(&link, incident, household, RollStatus::Safe);
    assert_eq!(answer.unwrap_err().code(), "incident_closed");
    consistent(&roll.world);
}

#[test]
fn the_same_command_twice_is_done_once() {
    let mut roll = roll();
    let (household, incident) = (roll.flats[0], roll.incident);
    let id = muster::domain::ids::CommandId(roll.world.id());
    let check_in = |status| {
        let (verified, made_at) = (Verified::SelfReport, Timestamp(1));
        Command::CheckIn(CheckIn { incident, household, status, heads: 2, verified, made_at, note: None })
    };
    let link = Actor::household(household);
    let first = roll.world.gives_as(&link, id, None, check_in(RollStatus::Safe)).unwrap();
    let again = roll.world.gives_as(&link, id, None, check_in(RollStatus::Safe)).unwrap();
    assert_eq!((again.position, again.repeated), (first.position, true));
    let other = roll.world.gives_as(&link, id, None, check_in(RollStatus::Missing)).unwrap_err();
    assert_eq!(other.code(), "command_id_reused");
    assert_eq!(roll.status(0), RollStatus::Safe);
}

#[test]
fn a_refused_command_is_refused_again_and_its_id_stands_for_no_other() {
    let mut roll = roll();
    let (household, incident, now) = (roll.flats[0], roll.incident, roll.world.now);
    let id = muster::domain::ids::CommandId(roll.world.id());
    let heads = |heads| {
        let (status, verified) = (RollStatus::Safe, Verified::SelfReport);
        Command::CheckIn(CheckIn { incident, household, status, heads, verified, made_at: now, note: None })
    };
    let link = Actor::household(household);
    for (given, code) in [(51, "bad_check_in"), (51, "bad_check_in"), (5, "command_id_reused")] {
        assert_eq!(roll.world.gives_as(&link, id, None, heads(given)).unwrap_err().code(), code);
    }
}

#[test]
fn a_household_that_cries_again_has_one_request_with_all_it_needs() {
    let mut roll = roll();
    roll.says(0, help(&[HelpKind::Supplies]));
    roll.world.forward_s(30);
    roll.says(0, help(&[HelpKind::Trapped]));
    let open = roll.open_help();
    assert_eq!(open.len(), 1);
    let request = &roll.world.city.incident(roll.incident).unwrap().help[&open[0]];
    assert_eq!(request.kinds, [HelpKind::Trapped, HelpKind::Supplies]);
    consistent(&roll.world);
}
