//! The stored form of every event, settled: `tests/golden/journal_v1.jsonl` holds one record a line, and each is still read as what
//! it said and written as the same bytes. Lines are added, never changed: journals that were written so are out there.
//!
//! To add an event: add its row to the list below it belongs to (the compiler asks for it), its record at the end of
//! `golden_entries` (`golden/entries.rs`), and the line that the failing test prints to the file.

mod entries;

use muster::domain::actor::Giver;
use muster::domain::aid::AidEvent;
use muster::domain::alert::{AlertEvent, AlertKind};
use muster::domain::compound::{Need, RiskGrade};
use muster::domain::duty::{Answer, DutyEvent};
use muster::domain::event::{Event, RegisterEvent};
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::help::Resolution;
use muster::domain::incident::IncidentEvent;
use muster::domain::post::Team;
use muster::domain::receipt::Stage;
use muster::domain::roll_call::{HelpKind, RollStatus, Verified};
use muster::domain::succession::{Holder, SuccessionEvent};
use muster::journal::record;

use entries::golden_entries;

const GOLDEN: &str = include_str!("../golden/journal_v1.jsonl");
/// Hash of the last line, chained from a start of zeros.
const LAST_HASH: &str = "54ae119af95be355d660df609f054afe4000a2773a6526d68329057993c30044";

/// For one enum: all its variants (the match fails to compile without one), and what each looks like in a record.
macro_rules! settled {
    ($list:ident: $kind:ty { $($pattern:pat => $form:literal,)* }) => {
        const $list: &[&str] = &[$($form),*];
        const _: fn(&$kind) = |value| match value { $($pattern => {})* };
    };
}

settled!(EVENTS: Event {
    Event::Register(_) => r#"[{"register":"#,
    Event::Succession(..) => r#"[{"succession":"#,
    Event::Incident(..) => r#"[{"incident":"#,
    Event::Alert(..) => r#"[{"alert":"#,
    Event::Receipts(_) => r#"[{"receipts":"#,
    Event::Acknowledged { .. } => r#"[{"acknowledged":"#,
    Event::Duty(_) => r#"[{"duty":"#,
    Event::CheckedIn(_) => r#"[{"checked_in":"#,
    Event::HelpAssigned { .. } => r#"[{"help_assigned":"#,
    Event::HelpEnded { .. } => r#"[{"help_ended":"#,
    Event::Aid(_) => r#"[{"aid":"#,
});
settled!(REGISTER: RegisterEvent {
    RegisterEvent::Areas(_) => r#"{"register":{"areas":"#,
    RegisterEvent::PostKinds(_) => r#"{"register":{"post_kinds":"#,
    RegisterEvent::Compound(_) => r#"{"register":{"compound":"#,
    RegisterEvent::Surveyed(..) => r#"{"register":{"surveyed":"#,
    RegisterEvent::Stocked(..) => r#"{"register":{"stocked":"#,
    RegisterEvent::Posts(..) => r#"{"register":{"posts":"#,
    RegisterEvent::Claims(..) => r#"{"register":{"claims":"#,
    RegisterEvent::Applied(..) => r#"{"register":{"applied":"#,
    RegisterEvent::Granted(..) => r#"{"register":{"granted":"#,
    RegisterEvent::Released(..) => r#"{"register":{"released":"#,
    RegisterEvent::PlanDrafted(_) => r#"{"register":{"plan_drafted":"#,
    RegisterEvent::PlanSubmitted(..) => r#"{"register":{"plan_submitted":"#,
    RegisterEvent::PlanApproved(..) => r#"{"register":{"plan_approved":"#,
});
settled!(SUCCESSION: SuccessionEvent {
    SuccessionEvent::Appointed { .. } => r#"{"succession":["140403001001001",{"appointed":"#,
    SuccessionEvent::PassedOver { .. } => r#"{"succession":["140403001001001",{"passed_over":"#,
    SuccessionEvent::Offered { .. } => r#"{"succession":["140403001001001",{"offered":"#,
    SuccessionEvent::Accepted { .. } => r#"{"succession":["140403001001001",{"accepted":"#,
    SuccessionEvent::Restored {} => r#"{"succession":["140403001001001",{"restored":{}}"#,
});
settled!(INCIDENT: IncidentEvent {
    IncidentEvent::Opened { .. } => r#",{"opened":{"hazard":"#,
    IncidentEvent::Closed {} => r#",{"closed":{}}"#,
});
settled!(ALERT: AlertEvent {
    AlertEvent::Drafted(_) => r#",{"drafted":{"#,
    AlertEvent::Submitted { .. } => r#",{"submitted":{"hits":"#,
    AlertEvent::Rejected { .. } => r#",{"rejected":{"reason":"#,
    AlertEvent::Issued(_) => r#",{"issued":{"#,
    AlertEvent::Countersigned {} => r#",{"countersigned":{}}"#,
});
settled!(DUTY: DutyEvent {
    DutyEvent::Raised { .. } => r#"{"duty":{"raised":"#,
    DutyEvent::StoodDown { .. } => r#"{"duty":{"stood_down":"#,
    DutyEvent::Answered { .. } => r#"{"duty":{"answered":"#,
    DutyEvent::Unanswered { .. } => r#"{"duty":{"unanswered":"#,
    DutyEvent::FellSilent { .. } => r#"{"duty":{"fell_silent":"#,
});
settled!(AID: AidEvent {
    AidEvent::Dispatched { .. } => r#"{"aid":{"dispatched":"#,
    AidEvent::Returned { .. } => r#"{"aid":{"returned":"#,
});
settled!(GIVERS: Giver {
    Giver::Person(_) => r#""giver":{"person":"#,
    Giver::Household(_) => r#""giver":{"household":"#,
    Giver::System => r#""giver":"system""#,
});
settled!(HOLDERS: Holder {
    Holder::Person(_) => r#""to":{"person":"#,
    Holder::Area(_) => r#""to":{"area":"#,
});
settled!(ALERT_KINDS: AlertKind {
    AlertKind::Alert => r#""kind":"alert""#,
    AlertKind::Update { .. } => r#""kind":{"update":{"replaces":"#,
    AlertKind::Cancel { .. } => r#""kind":{"cancel":{"replaces":"#,
});
settled!(ANSWERS: Answer {
    Answer::Acknowledged => r#""answer":"acknowledged""#,
    Answer::OnPost => r#""answer":"on_post""#,
    Answer::Declined { .. } => r#""answer":{"declined":{"reason":"#,
});
settled!(ROLL: RollStatus {
    RollStatus::Safe => r#""status":"safe""#,
    RollStatus::Away => r#""status":"away""#,
    RollStatus::Evacuated { .. } => r#""status":{"evacuated":{"assembly_point":"#,
    RollStatus::Missing => r#""status":"missing""#,
    RollStatus::NeedHelp { .. } => r#""status":{"need_help":{"kinds":"#,
});
settled!(HELP: HelpKind {
    HelpKind::Medical => r#""medical""#,
    HelpKind::Trapped => r#""trapped""#,
    HelpKind::Evacuation => r#""evacuation""#,
    HelpKind::Supplies => r#""supplies""#,
});
settled!(VERIFIED: Verified {
    Verified::SelfReport => r#""verified":"self_report""#,
    Verified::Relayed => r#""verified":"relayed""#,
    Verified::DoorToDoor => r#""verified":"door_to_door""#,
    Verified::Commander => r#""verified":"commander""#,
    Verified::Medic => r#""verified":"medic""#,
});
settled!(ENDS: Resolution {
    Resolution::Resolved => r#""how":"resolved""#,
    Resolution::HandedOver => r#""how":"handed_over""#,
});
settled!(STAGES: Stage {
    Stage::Delivered => r#""stage":"delivered""#,
    Stage::Shown => r#""stage":"shown""#,
    Stage::Acknowledged => r#""stage":"acknowledged""#,
});
settled!(HAZARDS: Hazard {
    Hazard::Flood => r#""hazard":"flood""#,
    Hazard::Fire => r#""hazard":"fire""#,
    Hazard::GasLeak => r#""hazard":"gas_leak""#,
    Hazard::Earthquake => r#""hazard":"earthquake""#,
    Hazard::Snow => r#""hazard":"snow""#,
    Hazard::Landslide => r#""hazard":"landslide""#,
    Hazard::Heat => r#""hazard":"heat""#,
    Hazard::Epidemic => r#""hazard":"epidemic""#,
    Hazard::UtilityFailure => r#""hazard":"utility_failure""#,
});
settled!(GRADES: RiskGrade {
    RiskGrade::Low => r#""grade":"low""#,
    RiskGrade::Medium => r#""grade":"medium""#,
    RiskGrade::High => r#""grade":"high""#,
});
settled!(LEVELS: ResponseLevel {
    ResponseLevel::I => r#""level":"I""#,
    ResponseLevel::II => r#""level":"II""#,
    ResponseLevel::III => r#""level":"III""#,
    ResponseLevel::IV => r#""level":"IV""#,
});
settled!(TEAMS: Team {
    Team::WarningInformation => r#""warning_information""#,
    Team::EvacuationGuidance => r#""evacuation_guidance""#,
    Team::Rescue => r#""rescue""#,
    Team::Medical => r#""medical""#,
    Team::Supplies => r#""supplies""#,
    Team::Security => r#""security""#,
    Team::Comfort => r#""comfort""#,
});
settled!(NEEDS: Need {
    Need::LifeSupport => r#""life_support""#,
    Need::Bedridden => r#""bedridden""#,
    Need::Wheelchair => r#""wheelchair""#,
    Need::LivesAlone80 => r#""lives_alone80""#,
    Need::Infant => r#""infant""#,
    Need::DeafOrBlind => r#""deaf_or_blind""#,
});

const ALL: &[&[&str]] = &[
    EVENTS,
    REGISTER,
    SUCCESSION,
    INCIDENT,
    ALERT,
    DUTY,
    AID,
    GIVERS,
    HOLDERS,
    ALERT_KINDS,
    ANSWERS,
    ROLL,
    HELP,
    VERIFIED,
    ENDS,
    STAGES,
    HAZARDS,
    GRADES,
    LEVELS,
    TEAMS,
    NEEDS,
];

#[test]
fn every_kind_of_event_has_its_golden_line() {
    for form in ALL.iter().copied().flatten() {
        assert!(GOLDEN.contains(form), "no golden line has {form}");
    }
}

#[test]
fn golden_records_are_read_as_what_they_said_and_written_as_the_same_bytes() {
    let (mut body, mut hash, mut missing) = (Vec::new(), [0; 32], Vec::new());
    let mut lines = GOLDEN.lines();
    for (position, entry) in (1..).zip(golden_entries()) {
        record::write(&entry, &mut body).unwrap();
        let written = String::from_utf8(body.clone()).unwrap();
        let Some(golden) = lines.next() else {
            missing.push(written);
            continue;
        };
        assert_eq!(record::read(golden.as_bytes()), Ok(entry), "line {position} is read as something else");
        assert_eq!(written, golden, "line {position} is written otherwise");
        hash = record::chain(&hash, position, golden.as_bytes());
    }
    assert!(missing.is_empty(), "golden lines are missing:\n{}\n", missing.join("\n"));
    assert_eq!(lines.next(), None);
    assert_eq!(record::hex(&hash), LAST_HASH, "the chain is not what it was");
}
