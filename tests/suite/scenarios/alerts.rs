//! Alerts: two persons, frozen identity, references, cancels, break-glass, receipts, and the line of succession.

use muster::domain::actor::Actor;
use muster::domain::alert::{AlertKind, AlertStatus};
use muster::domain::alert_content::{Severity, Urgency};
use muster::domain::command::Command;
use muster::domain::ids::{AlertId, CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::domain::receipt::{Funnel, ReceiptMark, Stage};
use muster::domain::succession::Holder;
use muster::domain::target::TargetArea;
use muster::testing::world::{World, at, flood};

use super::check::consistent;

const ACK_S: u32 = 300;

fn acknowledge(alert: AlertId) -> Command {
    Command::AcknowledgeAlert { alert }
}

#[test]
fn a_second_person_approves_and_the_two_differ() {
    let mut world = World::new(40);
    let (city1, city2) = (world.account("city1"), world.account("city2"));
    let incident = world.opens(false);
    let hit = [world.manned(0), world.manned(1)];
    let alert = world.drafts(incident, AlertKind::Alert, &hit);
    let confirm_compounds = Some(2);
    assert_eq!(world.refuses(&city1, Command::SubmitAlert { alert, confirm_compounds: None }), "not_confirmed");
    let wrong = Command::SubmitAlert { alert, confirm_compounds: Some(3) };
    assert_eq!(world.refuses(&city1, wrong), "target_changed");
    world.does(&city1, Command::SubmitAlert { alert, confirm_compounds });
    assert_eq!(world.city.alert(alert).unwrap().alert.status, AlertStatus::AwaitingApproval);
    let approve = Command::ApproveAlert { alert, confirm_compounds };
    assert_eq!(world.refuses(&city1, approve.clone()), "same_person");
    let observer = world.account("observer");
    assert_eq!(world.refuses(&observer, approve.clone()), "not_your_role");
    world.does(&city2, approve.clone());
    assert_eq!(world.refuses(&city2, approve), "alert_not_there");
    let state = world.city.alert(alert).unwrap();
    assert_eq!(state.alert.status, AlertStatus::Issued);
    assert_eq!(state.alert.compounds(), {
        let mut sorted = hit;
        sorted.sort();
        sorted
    });
    consistent(&world);
}

#[test]
fn a_submitter_who_did_not_write_it_cannot_approve_it_either() {
    let mut world = World::new(40);
    let (city1, city2) = (world.account("city1"), world.account("city2"));
    let incident = world.opens(false);
    let alert = world.drafts(incident, AlertKind::Alert, &[world.manned(0)]);
    let confirm_compounds = Some(1);
    world.does(&city2, Command::SubmitAlert { alert, confirm_compounds });
    assert_eq!(world.refuses(&city2, Command::ApproveAlert { alert, confirm_compounds }), "same_person");
    assert_eq!(world.refuses(&city1, Command::ApproveAlert { alert, confirm_compounds }), "same_person");
}

#[test]
fn a_small_alert_needs_no_second_person() {
    let policy = Policy { approval_at_severity: Severity::Extreme, ..Policy::default() };
    let mut world = World::with_policy(40, policy);
    let incident = world.opens(false);
    let id = AlertId(world.id());
    let mut content = flood(world.now);
    content.severity = Severity::Moderate;
    let target = at(&[world.manned(0)]);
    let draft = muster::domain::alert::AlertDraft { incident, kind: AlertKind::Alert, content, target };
    let city1 = world.account("city1");
    world.does(&city1, Command::DraftAlert { id, draft: Box::new(draft) });
    world.does(&city1, Command::SubmitAlert { alert: id, confirm_compounds: Some(1) });
    assert_eq!(world.city.alert(id).unwrap().alert.status, AlertStatus::Issued);
}

#[test]
fn nobody_alerts_outside_their_area_or_into_nothing() {
    let mut world = World::new(60);
    let incident = world.opens(false);
    let everywhere = world.compounds();
    let outside = *everywhere.iter().find(|id| !id.is_in("140404".parse().unwrap())).unwrap();
    let county = world.account("shangdang");
    let draft = |world: &mut World, target: TargetArea| {
        let draft =
            muster::domain::alert::AlertDraft { incident, kind: AlertKind::Alert, content: flood(world.now), target };
        Command::DraftAlert { id: AlertId(world.id()), draft: Box::new(draft) }
    };
    let foreign = draft(&mut world, at(&[outside]));
    assert_eq!(world.refuses(&county, foreign), "not_your_area");
    let city1 = world.account("city1");
    let nobody = draft(&mut world, TargetArea::default());
    assert_eq!(world.refuses(&city1, nobody), "empty_area");
    let mut sea = TargetArea::default();
    let far = muster::domain::geometry::Point::new(0.0, 0.0).unwrap();
    sea.include.circles = vec![muster::domain::geometry::Circle::new(far, 1.0).unwrap()];
    let missed = draft(&mut world, sea);
    assert_eq!(world.refuses(&city1, missed), "nobody_hit");
}

#[test]
fn an_expired_alert_is_not_sent_and_expiry_is_not_cancellation() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let hit = [world.manned(0)];
    let late = world.drafts(incident, AlertKind::Alert, &hit);
    let alert = world.issues(incident, &hit);
    world.forward_s(6 * 3_600 + 1);
    let city1 = world.account("city1");
    let submit = Command::SubmitAlert { alert: late, confirm_compounds: None };
    assert_eq!(world.refuses(&city1, submit), "alert_expired");
    let state = world.city.alert(alert).unwrap();
    assert_eq!(state.alert.status, AlertStatus::Issued, "expiry is read off the clock, never recorded");
    assert!(!state.alert.is_active(world.now));
}

#[test]
fn update_and_cancel_carry_references_and_a_cancel_never_becomes_an_alert() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (a, b) = (world.manned(0), world.manned(1));
    let first = world.issues(incident, &[a]);
    let city1 = world.account("city1");
    let submit = |alert| Command::SubmitAlert { alert, confirm_compounds: None };

    let update = world.drafts(incident, AlertKind::Update { replaces: first }, &[b]);
    world.does(&city1, submit(update));
    let mut both = [a, b];
    both.sort();
    let updated = &world.city.alert(update).unwrap().alert;
    assert_eq!(updated.compounds(), both, "who got the old one gets the new one");
    assert_eq!(world.city.alert(first).unwrap().alert.status, AlertStatus::Updated);

    let cancel = world.drafts(incident, AlertKind::Cancel { replaces: update }, &[a]);
    world.does(&city1, submit(cancel));
    let cancelled = &world.city.alert(cancel).unwrap().alert;
    assert_eq!(cancelled.compounds(), both, "a cancel goes to whom the cancelled one went");
    let references = &cancelled.issue.as_ref().unwrap().references;
    let identity = |id: AlertId| world.city.alert(id).unwrap().alert.issue.as_ref().unwrap().identity.clone();
    assert_eq!(*references, [identity(first), identity(update)], "all ancestors, oldest first");
    assert!(!cancelled.is_active(world.now));
    assert_eq!(world.city.deadlines().next(), None, "nobody is asked to acknowledge what was withdrawn");
    let shown = world.city.map_state(a, world.city.compound(a).unwrap()).alert.unwrap();
    assert_eq!((shown.id, shown.status), (cancel, AlertStatus::Cancelled), "nor does the map wait for it");

    let draft =
        |kind| muster::domain::alert::AlertDraft { incident, kind, content: flood(world.now), target: at(&[a]) };
    let (again, fresh) = (AlertId(uuid::Uuid::from_u128(1 << 90)), draft(AlertKind::Cancel { replaces: update }));
    let twice = Command::DraftAlert { id: again, draft: Box::new(fresh) };
    let as_alert = Command::DraftAlert { id: cancel, draft: Box::new(draft(AlertKind::Alert)) };
    assert_eq!(world.refuses(&city1, twice), "alert_not_there");
    assert_eq!(world.refuses(&city1, as_alert), "alert_not_there");
    consistent(&world);
}

#[test]
fn a_drafts_kind_is_fixed() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let a = world.manned(0);
    let first = world.issues(incident, &[a]);
    let cancel = world.drafts(incident, AlertKind::Cancel { replaces: first }, &[a]);
    let draft = muster::domain::alert::AlertDraft {
        incident,
        kind: AlertKind::Alert,
        content: flood(world.now),
        target: at(&[a]),
    };
    let city1 = world.account("city1");
    assert_eq!(world.refuses(&city1, Command::DraftAlert { id: cancel, draft: Box::new(draft) }), "already_exists");
}

#[test]
fn two_alerts_of_one_second_have_two_names() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (one, two) = (world.issues(incident, &[world.manned(0)]), world.issues(incident, &[world.manned(1)]));
    let identity = |id: AlertId| world.city.alert(id).unwrap().alert.issue.as_ref().unwrap().identity.clone();
    assert_eq!(identity(one).sent, identity(two).sent);
    assert_ne!(identity(one).identifier, identity(two).identifier);
    assert_eq!(identity(one).sent.0 % 1_000_000, 0, "to the second, as CAP has it");
}

#[test]
fn an_exercise_cannot_be_mistaken_for_the_real_thing() {
    let mut world = World::new(40);
    let (real, exercise) = (world.opens(false), world.opens(true));
    let a = world.manned(0);
    let drill = world.issues(exercise, &[a]);
    let text = &world.city.alert(drill).unwrap().alert.draft.content.infos[0].headline;
    assert!(text.starts_with("【演练】") && text.ends_with("【演练】"), "{text}");
    let city1 = world.account("city1");
    let mut content = flood(world.now);
    content.infos[0].headline = "演练：洪水红色预警".to_owned();
    let draft = muster::domain::alert::AlertDraft { incident: real, kind: AlertKind::Alert, content, target: at(&[a]) };
    let id = AlertId(world.id());
    assert_eq!(world.refuses(&city1, Command::DraftAlert { id, draft: Box::new(draft) }), "exercise_mismatch");
    let draft = muster::domain::alert::AlertDraft {
        incident: real,
        kind: AlertKind::Cancel { replaces: drill },
        content: flood(world.now),
        target: at(&[a]),
    };
    assert_eq!(world.refuses(&city1, Command::DraftAlert { id, draft: Box::new(draft) }), "exercise_mismatch");
}

#[test]
fn a_text_that_does_not_say_what_to_do_is_not_sent() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = AlertId(world.id());
    let mut content = flood(world.now);
    content.infos[0].instruction.clear();
    let target = at(&[world.manned(0)]);
    let draft = muster::domain::alert::AlertDraft { incident, kind: AlertKind::Alert, content, target };
    let city1 = world.account("city1");
    let drafted = world.gives(&city1, Command::DraftAlert { id, draft: Box::new(draft) });
    assert!(drafted.is_ok(), "a draft may still lack something: {drafted:?}");
    let submit = Command::SubmitAlert { alert: id, confirm_compounds: None };
    assert_eq!(world.refuses(&city1, submit), "alert_incomplete");
}

#[test]
fn every_compound_can_be_reached_step_by_step() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = world.manned(0);
    let alert = world.issues(incident, &[id]);
    let line = world.city.compound(id).unwrap().succession.line.clone();
    let mut held = vec![world.city.compound(id).unwrap().succession.holder];
    for step in 1..=line.len() + 1 {
        world.forward_s(ACK_S);
        let compound = world.city.compound(id).unwrap();
        held.push(compound.succession.holder);
        let reach = world.city.alert(alert).unwrap().reach.get(id).unwrap();
        assert_eq!(usize::from(reach.passed_over), step);
    }
    let mut wanted: Vec<Holder> = line.iter().map(|person| Holder::Person(*person)).collect();
    wanted.push(Holder::Area(id.community()));
    wanted.push(Holder::Area(id.area(muster::domain::area::AreaLevel::Street)));
    assert_eq!(held, wanted);
    // Each was asked at their time, and only the first not for want of an answer.
    let reach = world.city.alert(alert).unwrap().reach.get(id).unwrap();
    let asked: Vec<_> = reach.asked.iter().map(|asked| (asked.holder, asked.at, asked.after_silence)).collect();
    let at = |step: usize| reach.sent_at.plus_s(ACK_S * u32::try_from(step).unwrap());
    let steps = wanted.iter().enumerate().map(|(step, holder)| (*holder, at(step), step > 0));
    assert_eq!(asked, steps.collect::<Vec<_>>());
    let before = world.journal.len();
    world.forward_s(10 * ACK_S);
    assert_eq!(world.journal.len(), before, "nobody is left to ask");
    let reach = world.city.alert(alert).unwrap().reach.get(id).unwrap();
    assert_eq!(reach.acknowledged, None, "and it is shown as unacknowledged");
    consistent(&world);
}

#[test]
fn the_holders_word_stops_the_line_and_a_deputys_counts_when_it_is_the_deputys_turn() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let (quick, slow) = (world.manned(0), world.manned(1));
    let alert = world.issues(incident, &[quick, slow]);
    let commander = world.in_line(quick, 0);
    world.does(&commander, acknowledge(alert));
    let deputy = world.in_line(slow, 1);
    world.does(&deputy, acknowledge(alert));
    let reach = |world: &World, id| world.city.alert(alert).unwrap().reach.get(id).unwrap().clone();
    assert!(reach(&world, quick).acknowledged.is_some());
    assert_eq!(reach(&world, slow).acknowledged, None, "the commander has not spoken yet");
    world.forward_s(ACK_S);
    assert_eq!(reach(&world, quick).passed_over, 0);
    let slow_reach = reach(&world, slow);
    assert_eq!(slow_reach.passed_over, 1);
    assert_eq!(slow_reach.acknowledged.map(|(who, _)| Some(who)), Some(deputy.person_id()));
    world.forward_s(10 * ACK_S);
    assert_eq!(reach(&world, slow).passed_over, 1);
    assert_eq!(world.city.alert(alert).unwrap().compounds_acknowledged, 2);
    consistent(&world);
}

#[test]
fn a_dispatcher_of_the_area_that_took_over_acknowledges_for_the_compound() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let community = world.account("community");
    let area = community.grants[0].area;
    let id = *world.compounds().iter().find(|id| id.is_in(area)).unwrap();
    let alert = world.issues(incident, &[id]);
    let line = u32::try_from(world.city.compound(id).unwrap().succession.line.len()).unwrap();
    world.forward_s(ACK_S * line);
    assert_eq!(world.city.compound(id).unwrap().succession.holder, Holder::Area(area));
    world.does(&community, acknowledge(alert));
    world.forward_s(ACK_S * 3);
    assert_eq!(world.city.compound(id).unwrap().succession.holder, Holder::Area(area));
    consistent(&world);
}

#[test]
fn a_late_order_of_the_former_holder_is_refused() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = world.manned(0);
    world.issues(incident, &[id]);
    let commander = world.in_line(id, 0);
    let old = world.city.compound(id).unwrap().succession.epoch;
    world.forward_s(ACK_S);
    let offer = Command::OfferCommand { compound: id, to: commander.person_id().unwrap() };
    let command_id = CommandId(world.id());
    let refused = world.gives_as(&commander, command_id, Some(old), offer.clone()).unwrap_err();
    assert_eq!(refused.code(), "stale_epoch");
    assert_eq!(world.refuses(&commander, offer.clone()), "not_in_command");
    let deputy = world.in_line(id, 1);
    world.does(&deputy, offer);
    world.does(&commander, Command::AcceptCommand { compound: id });
    assert!(world.city.compound(id).unwrap().is_commanded_by(commander.person_id().unwrap()));
    assert_eq!(world.city.compound(id).unwrap().succession.epoch, old + 2);
}

#[test]
fn the_funnel_counts_each_person_once_a_stage() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let id = world.manned(0);
    let alert = world.issues(incident, &[id]);
    let people = world.city.compound(id).unwrap().people();
    let sent = u32::try_from(people.len()).unwrap();
    let one = World::somebody(people[3]);
    let report = |stage| Command::ReportReceipt { alert, stage };
    world.does(&one, report(Stage::Shown));
    world.does(&one, report(Stage::Delivered));
    world.does(&World::somebody(people[4]), report(Stage::Delivered));
    world.does(&World::somebody(people[5]), report(Stage::Acknowledged));
    let funnel = Funnel { sent, delivered: 3, shown: 2, acknowledged: 1 };
    assert_eq!(world.city.alert(alert).unwrap().funnel, funnel);
    assert_eq!(world.city.alert(alert).unwrap().reach.get(id).unwrap().funnel, funnel);
    let stranger = world.city.compound(world.manned(3)).unwrap().people()[0];
    let stranger = World::somebody(stranger);
    assert_eq!(world.refuses(&stranger, report(Stage::Shown)), "not_a_recipient");
    let marks = vec![ReceiptMark { alert, person: stranger.person_id().unwrap(), stage: Stage::Shown }];
    assert_eq!(world.refuses(&Actor::system(), Command::ReportReceipts { marks }), "not_a_recipient");
    consistent(&world);
}

#[test]
fn break_glass_is_for_the_own_compound_and_is_countersigned() {
    let mut world = World::new(40);
    let (own, other) = (world.manned(0), world.manned(1));
    let commander = world.in_line(own, 0);
    let incident = IncidentId(world.id());
    let break_glass = |world: &mut World, compound, severity| {
        let mut content = flood(world.now);
        content.severity = severity;
        let reason = "水已进楼，联系不上街道".to_owned();
        let id = AlertId(world.id());
        (id, Command::BreakGlassAlert { id, incident, compound, content: Box::new(content), reason })
    };
    let (_, foreign) = break_glass(&mut world, other, Severity::Extreme);
    assert_eq!(world.refuses(&commander, foreign), "not_your_area");
    let (_, minor) = break_glass(&mut world, own, Severity::Minor);
    assert_eq!(world.refuses(&commander, minor), "not_break_glass");
    let mut soon = flood(world.now);
    soon.urgency = Urgency::Expected;
    let (id, reason) = (AlertId(world.id()), "不急".to_owned());
    let not_now = Command::BreakGlassAlert { id, incident, compound: own, content: Box::new(soon), reason };
    assert_eq!(world.refuses(&commander, not_now), "not_break_glass");
    let deputy = world.in_line(own, 1);
    let (_, by_deputy) = break_glass(&mut world, own, Severity::Extreme);
    assert_eq!(world.refuses(&deputy, by_deputy), "not_in_command");
    let (id, good) = break_glass(&mut world, own, Severity::Extreme);
    world.does(&commander, good);
    let alert = &world.city.alert(id).unwrap().alert;
    assert!(alert.issue.as_ref().unwrap().break_glass && !alert.exercise);
    assert_eq!(alert.compounds(), [own]);
    assert_eq!(world.refuses(&commander, Command::CountersignAlert { alert: id }), "not_your_role");
    let city1 = world.account("city1");
    world.does(&city1, Command::CountersignAlert { alert: id });
    assert_eq!(world.city.alert(id).unwrap().alert.countersigned_by, city1.person_id());
    assert_eq!(world.refuses(&city1, Command::CountersignAlert { alert: id }), "alert_not_there");
    consistent(&world);
}

#[test]
fn who_sent_an_alert_may_withdraw_it_alone_and_others_may_not() {
    let mut world = World::new(40);
    let incident = world.opens(false);
    let hit = [world.manned(0)];
    let alert = world.issues(incident, &hit);
    let cancel = world.drafts(incident, AlertKind::Cancel { replaces: alert }, &hit);
    let (city1, confirm_compounds) = (world.account("city1"), Some(1));
    world.does(&city1, Command::SubmitAlert { alert: cancel, confirm_compounds });
    assert_eq!(world.city.alert(alert).unwrap().alert.status, AlertStatus::Cancelled, "38 minutes are too long");

    let alert = world.issues(incident, &hit);
    let cancel = world.drafts(incident, AlertKind::Cancel { replaces: alert }, &hit);
    let county = hit[0].area(muster::domain::area::AreaLevel::County);
    let of_county = |account: &&muster::demo::DemoAccount| {
        account
            .kind
            .grant()
            .is_some_and(|grant| grant.area == county && grant.role == muster::domain::actor::Role::Dispatcher)
    };
    let login = world.demo.accounts.iter().find(of_county).unwrap().login.clone();
    let third = world.account(&login);
    world.does(&third, Command::SubmitAlert { alert: cancel, confirm_compounds });
    assert_eq!(world.city.alert(alert).unwrap().alert.status, AlertStatus::Issued, "a false all-clear kills too");
}

#[test]
fn who_broke_the_glass_does_not_countersign_it_by_another_role_either() {
    let mut world = World::new(40);
    let (own, incident, id) = (world.manned(0), IncidentId(world.id()), AlertId(world.id()));
    let city1 = world.account("city1");
    let commander = Actor::person(world.in_line(own, 0).person_id().unwrap(), city1.grants.clone());
    let (content, reason) = (Box::new(flood(world.now)), "水已进楼".to_owned());
    world.does(&commander, Command::BreakGlassAlert { id, incident, compound: own, content, reason });
    assert_eq!(world.refuses(&commander, Command::CountersignAlert { alert: id }), "same_person");
    world.does(&city1, Command::CountersignAlert { alert: id });
}

#[test]
fn an_alert_of_a_closed_incident_is_not_sent() {
    let mut world = World::new(40);
    let incident = world.opens(true);
    let alert = world.drafts(incident, AlertKind::Alert, &[world.manned(0)]);
    let city1 = world.account("city1");
    world.does(&city1, Command::CloseIncident { incident });
    let submit = Command::SubmitAlert { alert, confirm_compounds: None };
    assert_eq!(world.refuses(&city1, submit), "incident_closed");
}

#[test]
fn a_rejected_alert_goes_back_to_its_author_and_what_was_sent_is_not_rejected() {
    let mut world = World::new(40);
    let (city1, city2) = (world.account("city1"), world.account("city2"));
    let (incident, hit) = (world.opens(false), [world.manned(0)]);
    let alert = world.drafts(incident, AlertKind::Alert, &hit);
    let submit = Command::SubmitAlert { alert, confirm_compounds: Some(1) };
    let approve = Command::ApproveAlert { alert, confirm_compounds: Some(1) };
    let reject = Command::RejectAlert { alert, reason: "地点不对".to_owned() };
    assert_eq!(world.refuses(&city2, reject.clone()), "alert_not_there");
    world.does(&city1, submit.clone());
    world.does(&city2, reject.clone());
    assert_eq!(world.city.alert(alert).unwrap().alert.status, AlertStatus::Rejected);
    assert_eq!(world.refuses(&city2, approve.clone()), "alert_not_there");
    assert_eq!(world.refuses(&city1, submit.clone()), "alert_not_there");
    let (kind, content, target) = (AlertKind::Alert, flood(world.now), at(&hit));
    let draft = Box::new(muster::domain::alert::AlertDraft { incident, kind, content, target });
    world.does(&city1, Command::DraftAlert { id: alert, draft });
    world.does(&city1, submit);
    world.does(&city2, approve);
    assert_eq!(world.refuses(&city2, reject), "alert_not_there");
    assert_eq!(world.city.alert(alert).unwrap().alert.status, AlertStatus::Issued);
    consistent(&world);
}
