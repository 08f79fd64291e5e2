//! The entries of the golden journal, one for each kind of event.

use muster::domain::actor::Giver;
use muster::domain::aid::{AidEvent, Dispatch};
use muster::domain::alert::{AlertDraft, AlertEvent, AlertKind, Identity, Issue};
use muster::domain::alert_content::{AlertContent, AlertInfo, Category, Certainty, Language, ResponseType};
use muster::domain::alert_content::{Severity, Urgency};
use muster::domain::area::Area;
use muster::domain::compound::{Compound, CompoundId, Finding, Need, Place, RiskGrade, VulnerableHousehold};
use muster::domain::duty::{Activation, Answer, DutyEvent};
use muster::domain::event::{Entry, Event, RegisterEvent};
use muster::domain::geometry::{Circle, Corridor, Point, Polygon};
use muster::domain::hazard::{Hazard, ResponseLevel, WarningColour};
use muster::domain::help::{HelpKey, Resolution};
use muster::domain::household::{Building, HouseholdKey};
use muster::domain::ids::{AlertId, CommandId, DispatchId, IncidentId, PersonId};
use muster::domain::incident::IncidentEvent;
use muster::domain::plan::{ContingencyPlan, LevelPlan};
use muster::domain::post::{Post, PostKey, PostKind, Team};
use muster::domain::receipt::{ReceiptMark, Stage};
use muster::domain::roll_call::{CheckIn, HelpKind, RollStatus, Verified};
use muster::domain::succession::{Holder, SuccessionEvent};
use muster::domain::target::{Parts, TargetArea};
use muster::domain::time::Timestamp;
use uuid::Uuid;

/// One record a kind of event, in the order of the file.
pub(super) fn golden_entries() -> Vec<Entry> {
    let events = [register(), succession(), alerts(), duty(), roll(), under_an_incident(), said_since()].concat();
    let givers = [Giver::Person(person(7)), Giver::Household(household()), Giver::System];
    (0_u8..)
        .zip(events)
        .map(|(n, event)| Entry {
            at: Timestamp(1_783_850_400_000_000 + i64::from(n)),
            id: CommandId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))),
            giver: givers[usize::from(n) % givers.len()],
            digest: 0xFFFF_0000_0000_0000 + u64::from(n),
            events: vec![event],
        })
        .collect()
}

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn alert() -> AlertId {
    AlertId(Uuid::from_u128(0xA1))
}

fn incident() -> IncidentId {
    IncidentId(Uuid::from_u128(0x1C))
}

fn compound() -> CompoundId {
    "140403001001001".parse().unwrap()
}

fn household() -> HouseholdKey {
    "140403001001001/3-2-502".parse().unwrap()
}

fn post() -> PostKey {
    "140403001001001#4".parse().unwrap()
}

fn point(lon: f64, lat: f64) -> Point {
    Point::new(lon, lat).unwrap()
}

fn polygon() -> Polygon {
    let ring = vec![[113.1, 36.1], [113.101_234_567, 36.1], [113.101, 36.102], [113.1, 36.1]];
    Polygon::new(&[ring]).unwrap()
}

fn register() -> Vec<Event> {
    let kind = PostKind { normal_duty_en: None, emergency_duty_en: None, ..kind_in_english() };
    let level = |level| LevelPlan {
        level,
        teams: Team::ALL.to_vec(),
        tasks: vec!["关闭地下车库".into()],
        message: "请做好转移准备".into(),
        roll_call: true,
        answer_limit_s: 300,
    };
    let plan =
        ContingencyPlan { compound: compound(), hazard: Hazard::Flood, levels: ResponseLevel::ALL.map(level).to_vec() };
    let grades = [RiskGrade::Low, RiskGrade::Medium, RiskGrade::High].into_iter().cycle();
    let finding = |(hazard, grade)| Finding { hazard, grade, text: "3 号楼燃气管老化".into() };
    let findings = Hazard::ALL.into_iter().zip(grades).map(finding).collect();
    let events = [
        RegisterEvent::Areas(vec![Area { code: "140403".parse().unwrap(), name: "潞州区".into() }]),
        RegisterEvent::PostKinds(vec![kind]),
        RegisterEvent::Compound(Box::new(surveyed_compound())),
        RegisterEvent::Surveyed(compound(), findings),
        RegisterEvent::Stocked(compound(), [("沙袋".to_owned(), 200), ("水泵".to_owned(), 2)].into()),
        RegisterEvent::Posts(compound(), vec![Post { no: 4, kind: "stairwell_guide".into(), headcount: 2 }]),
        RegisterEvent::Claims(post(), vec![person(1), person(2)]),
        RegisterEvent::Applied(post(), person(3)),
        RegisterEvent::Granted(post(), person(3)),
        RegisterEvent::Released(post(), person(3)),
        RegisterEvent::PlanDrafted(Box::new(plan)),
        RegisterEvent::PlanSubmitted(compound(), Hazard::Flood, 1),
        RegisterEvent::PlanApproved(compound(), Hazard::Flood, 1),
    ];
    events.map(Event::Register).to_vec()
}

fn surveyed_compound() -> Compound {
    let needs =
        vec![Need::LifeSupport, Need::Bedridden, Need::Wheelchair, Need::LivesAlone80, Need::Infant, Need::DeafOrBlind];
    Compound {
        id: compound(),
        name: "太行小区".into(),
        boundary: polygon(),
        buildings: vec![Building { no: 3, units: 2, floors: 6, flats_per_floor: 2, lift: false }],
        entrances: vec![Place { name: "南门".into(), at: point(113.1005, 36.1) }],
        assembly_points: vec![Place { name: "中心广场".into(), at: point(113.1004, 36.1005) }],
        people: 71,
        vulnerable: vec![VulnerableHousehold { flat: "3-2-502".parse().unwrap(), needs }],
        synthetic: true,
    }
}

fn succession() -> Vec<Event> {
    let events = [
        SuccessionEvent::Appointed { line: vec![person(1), person(2)] },
        SuccessionEvent::PassedOver { alert: alert(), to: Holder::Person(person(2)) },
        SuccessionEvent::PassedOver { alert: alert(), to: Holder::Area("140403001001".parse().unwrap()) },
        SuccessionEvent::Offered { to: person(1) },
        SuccessionEvent::Accepted { by: person(1) },
        SuccessionEvent::Restored {},
    ];
    events.map(|event| Event::Succession(compound(), event, None)).to_vec()
}

/// Events that name the incident they belong to, and an order that says how long to wait for an answer (300 s, when it does not); the
/// same without, as they were written before, are among those above.
fn under_an_incident() -> Vec<Event> {
    let (under, other) = (Some(incident()), "140403001001002".parse().unwrap());
    let dispatch =
        Dispatch { incident: incident(), from: compound(), to: other, resource: "沙袋".into(), quantity: 50 };
    let id = DispatchId(Uuid::from_u128(0xD1));
    vec![
        Event::Succession(compound(), SuccessionEvent::Offered { to: person(1) }, under),
        Event::Duty(DutyEvent::Answered {
            post: post(),
            person: person(1),
            answer: Answer::Acknowledged,
            incident: under,
        }),
        Event::Duty(DutyEvent::Unanswered { compound: compound(), calls: vec![(4, person(2))], incident: under }),
        Event::Duty(DutyEvent::FellSilent { compounds: vec![compound()], incident: under }),
        Event::Aid(AidEvent::Returned { id, dispatch: Some(dispatch) }),
        Event::Duty(DutyEvent::Raised {
            incident: incident(),
            level: ResponseLevel::I,
            compounds: vec![Activation { compound: compound(), plan: None }],
            silent_after_s: 600,
            answer_limit_s: 120,
        }),
    ]
}

fn alerts() -> Vec<Event> {
    let replaces = AlertId(Uuid::from_u128(0xA0));
    let identity = |n: u8| Identity {
        sender: "muster.1404".into(),
        identifier: format!("2026-{n}"),
        sent: Timestamp(1_783_850_400_000_000),
    };
    let issue = Issue {
        identity: identity(2),
        compounds: vec![compound()],
        references: vec![identity(1)],
        ack_timeout_s: 300,
        break_glass: false,
    };
    let kinds = [AlertKind::Alert, AlertKind::Update { replaces }, AlertKind::Cancel { replaces }];
    let mut events = kinds.map(|kind| AlertEvent::Drafted(Box::new(draft(kind)))).to_vec();
    events.push(AlertEvent::Submitted { hits: 1 });
    events.push(AlertEvent::Rejected { reason: "地点写错".into() });
    events.push(AlertEvent::Issued(Box::new(issue)));
    events.push(AlertEvent::Countersigned {});
    let stages = [Stage::Delivered, Stage::Shown, Stage::Acknowledged];
    let marks = stages.map(|stage| ReceiptMark { alert: alert(), person: person(1), stage });
    let mut events: Vec<Event> = events.into_iter().map(|event| Event::Alert(alert(), event)).collect();
    events.push(Event::Receipts(marks.to_vec()));
    events.push(Event::Acknowledged { alert: alert(), person: person(1), compounds: vec![compound()] });
    events
}

fn draft(kind: AlertKind) -> AlertDraft {
    let info = AlertInfo {
        language: Language::ZhCn,
        event: "洪水红色预警".into(),
        headline: "石子河沿岸今晚有洪水，请立即撤离".into(),
        description: "预计 20 时水位超过堤顶。".into(),
        instruction: "带上老人孩子，\n到中心广场集合。".into(),
        sender_name: "长治市防汛抗旱指挥部".into(),
        contact: Some("值班电话见小区公告".into()),
    };
    let content = AlertContent {
        hazard: Hazard::Flood,
        colour: Some(WarningColour::Red),
        category: Category::ALL.to_vec(),
        event_code: Some("11A01".parse().unwrap()),
        urgency: Urgency::Immediate,
        severity: Severity::Extreme,
        certainty: Certainty::Likely,
        response_types: ResponseType::ALL.to_vec(),
        effective: Some(Timestamp(1_783_836_000_000_000)),
        onset: Some(Timestamp(1_783_843_200_000_000)),
        expires: Timestamp(1_783_850_400_000_000),
        infos: vec![info],
    };
    let include = Parts {
        polygons: vec![polygon()],
        circles: vec![Circle::new(point(113.12, 36.19), 1.5).unwrap()],
        corridors: vec![Corridor::new(&[[113.0, 36.0], [113.1, 36.1]], 250.0).unwrap()],
        areas: vec!["140403".parse().unwrap()],
        compounds: Vec::new(),
    };
    let exclude = Parts { compounds: vec!["140403001001002".parse().unwrap()], ..Parts::default() };
    AlertDraft { incident: incident(), kind, content, target: TargetArea { include, exclude } }
}

fn duty() -> Vec<Event> {
    let opened =
        IncidentEvent::Opened { hazard: Hazard::Flood, exercise: true, title: "演练：石子河洪水".into() };
    let other = "140403001001002".parse().unwrap();
    let answered = |answer| DutyEvent::Answered { post: post(), person: person(1), answer, incident: None };
    let dispatch =
        Dispatch { incident: incident(), from: compound(), to: other, resource: "沙袋".into(), quantity: 50 };
    let id = DispatchId(Uuid::from_u128(0xD1));
    vec![
        Event::Incident(incident(), opened),
        Event::Duty(DutyEvent::Raised {
            incident: incident(),
            level: ResponseLevel::II,
            compounds: vec![
                Activation { compound: compound(), plan: Some(1) },
                Activation { compound: other, plan: None },
            ],
            silent_after_s: 600,
            answer_limit_s: 300,
        }),
        Event::Duty(answered(Answer::Acknowledged)),
        Event::Duty(answered(Answer::OnPost)),
        Event::Duty(answered(Answer::Declined { reason: "在外地".into() })),
        Event::Duty(DutyEvent::Unanswered { compound: compound(), calls: vec![(4, person(2))], incident: None }),
        Event::Duty(DutyEvent::FellSilent { compounds: vec![compound()], incident: None }),
        Event::Aid(AidEvent::Dispatched { id, dispatch }),
        Event::Aid(AidEvent::Returned { id, dispatch: None }),
        Event::Duty(DutyEvent::StoodDown { incident: incident(), compounds: vec![compound()] }),
        Event::Incident(incident(), IncidentEvent::Closed {}),
    ]
}

fn roll() -> Vec<Event> {
    let kinds = vec![HelpKind::Medical, HelpKind::Trapped, HelpKind::Evacuation, HelpKind::Supplies];
    let reports = [
        (RollStatus::Safe, Verified::SelfReport),
        (RollStatus::Away, Verified::Relayed),
        (RollStatus::Evacuated { assembly_point: Some(0) }, Verified::DoorToDoor),
        (RollStatus::Missing, Verified::Commander),
        (RollStatus::NeedHelp { kinds }, Verified::Medic),
    ];
    let check_in = |(status, verified)| Event::CheckedIn(CheckIn { note: None, ..noted(status, verified) });
    let mut events: Vec<Event> = reports.map(check_in).to_vec();
    let help = HelpKey { household: household(), no: 1 };
    events.push(Event::HelpAssigned { incident: incident(), help, to: person(1) });
    for (how, reason) in [(Resolution::Resolved, "已送医"), (Resolution::HandedOver, "移交消防")] {
        events.push(Event::HelpEnded { incident: incident(), help, how, reason: reason.into() });
    }
    events
}

/// What records say since they first could: lines from before it are read as they were.
fn said_since() -> Vec<Event> {
    vec![
        Event::Register(RegisterEvent::PostKinds(vec![kind_in_english()])),
        Event::CheckedIn(noted(RollStatus::Safe, Verified::SelfReport)),
    ]
}

fn kind_in_english() -> PostKind {
    PostKind {
        code: "stairwell_guide".into(),
        team: Team::EvacuationGuidance,
        title_zh: "单元引导员".into(),
        title_en: "Stairwell guide".into(),
        normal_duty: "巡查楼道".into(),
        normal_duty_en: Some("Walk the stairs".into()),
        emergency_duty: "带领本单元撤离".into(),
        emergency_duty_en: Some("Lead the stairwell out".into()),
    }
}

fn noted(status: RollStatus, verified: Verified) -> CheckIn {
    CheckIn {
        incident: incident(),
        household: household(),
        status,
        heads: 3,
        verified,
        made_at: Timestamp(1_783_850_399_000_000),
        note: Some("后门进，二楼".into()),
    }
}
