//! Nobody is shown what they may not see, and every notice says whether it belongs to an exercise.

use muster::city::City;
use muster::city::audience::{Audience, Notice, NoticeKind};
use muster::city::authority::Action;
use muster::domain::compound::CompoundId;
use muster::domain::event::Event;
use muster::domain::ids::PersonId;
use muster::domain::succession::SuccessionEvent;
use serde_json::Value;

use super::{listeners, played, played_with_changes};

/// Notices that a record with all its compounds may make for a city's dispatcher.
const FOR_A_WATCHER_MAX: usize = 4;

/// What of compounds a notice mentions anywhere: the compound, and what it takes to see it.
fn mentioned(value: &Value, found: &mut Vec<(CompoundId, Action)>) {
    match value {
        Value::String(text) => {
            let Some(id) = text.get(..15).and_then(|code| code.parse().ok()) else { return };
            let action = if text[15..].starts_with('/') { Action::SeeRoll } else { Action::SeeCompound };
            found.push((id, action));
        }
        Value::Array(values) => values.iter().for_each(|value| mentioned(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| mentioned(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn nobody_hears_of_a_compound_that_they_may_not_see() {
    let world = played_with_changes(7, 250);
    let actors = listeners(&world);
    let mut city = City::default();
    let (mut heard, mut told) = (0, 0);
    for record in &world.journal {
        city.evolve(record);
        for notice in city.notices(record) {
            told += 1;
            let mut about = Vec::new();
            mentioned(&serde_json::to_value(&notice.body).unwrap(), &mut about);
            for actor in actors.iter().filter(|actor| city.hears(actor, &notice.audience)) {
                heard += 1;
                for (id, action) in &about {
                    let may = city.may(actor, *action, *id);
                    assert!(may.is_ok(), "{actor:?} hears of {id}: {may:?} {notice:?}");
                }
            }
        }
    }
    assert!(told > 500 && heard > 2_000, "too little was said to test anything: {told} {heard}");
}

#[test]
fn whoever_is_outside_every_audience_hears_nothing() {
    let world = played(8, 100);
    let mut city = City::default();
    let silent: Vec<_> = listeners(&world).into_iter().rev().take(2).collect();
    for record in &world.journal {
        city.evolve(record);
        for notice in city.notices(record) {
            for actor in &silent {
                assert!(!city.hears(actor, &notice.audience), "{actor:?} hears {notice:?}");
            }
        }
    }
}

#[test]
fn every_notice_says_real_or_exercise_in_both_languages() {
    let world = played(9, 150);
    let mut city = City::default();
    let mut exercises = 0;
    for record in &world.journal {
        city.evolve(record);
        for notice in city.notices(record) {
            let body = serde_json::to_value(&notice.body).unwrap();
            let exercise = body["exercise"].as_bool().unwrap();
            let (zh, en) = (body["occasion"]["zh"].as_str().unwrap(), body["occasion"]["en"].as_str().unwrap());
            assert_eq!(exercise, zh == "演练" && en == "EXERCISE", "{body}");
            // Both incidents of the day are exercises: whatever happens under them must say so.
            let routine = matches!(notice.body.kind, NoticeKind::CommandChanged(_) | NoticeKind::CommandOffered { .. });
            assert!(exercise || routine, "{body}");
            exercises += usize::from(exercise);
        }
    }
    assert!(exercises > 300, "{exercises}");
}

#[test]
fn every_account_is_told_that_an_incident_opens_and_closes_and_nobody_else() {
    let world = played(9, 150);
    let actors = listeners(&world);
    let (mut city, mut opened) = (City::default(), 0);
    for record in &world.journal {
        city.evolve(record);
        for notice in city.notices(record) {
            if !matches!(notice.body.kind, NoticeKind::IncidentOpened(_) | NoticeKind::IncidentClosed(_)) {
                continue;
            }
            opened += 1;
            for actor in &actors {
                assert_eq!(city.hears(actor, &notice.audience), !actor.grants.is_empty(), "{actor:?}");
            }
        }
    }
    assert!(opened >= 2, "{opened}");
}

#[test]
fn each_called_person_is_told_once_a_record() {
    let world = played(10, 200);
    let mut city = City::default();
    let mut calls = 0;
    for record in &world.journal {
        city.evolve(record);
        let notices = city.notices(record);
        let called: Vec<PersonId> = notices.iter().filter_map(called).collect();
        let mut once = called.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), called.len(), "somebody was told twice in one record");
        calls += called.len();
    }
    assert!(calls > 200, "{calls}");
}

fn called(notice: &Notice) -> Option<PersonId> {
    match (&notice.audience, &notice.body.kind) {
        (Audience::Person(person), NoticeKind::YourCall(_)) => Some(*person),
        _ => None,
    }
}

#[test]
fn every_holder_of_a_command_is_asked_to_acknowledge() {
    let world = played(11, 200);
    let mut city = City::default();
    let mut passed = 0;
    for record in &world.journal {
        city.evolve(record);
        let notices = city.notices(record);
        for event in &record.entry.events {
            let Event::Succession(id, SuccessionEvent::PassedOver { alert, .. }, _) = event else { continue };
            passed += 1;
            let asked = notices.iter().any(|notice| match &notice.body.kind {
                NoticeKind::AcknowledgementAsked(asked) => asked.compound == *id && asked.alert == *alert,
                NoticeKind::AcknowledgementAskedOfArea { asked, .. } => {
                    asked.iter().any(|asked| asked.compound == *id && asked.alert == *alert)
                }
                _ => false,
            });
            let waits = city.compound(*id).unwrap().unacknowledged.contains(alert);
            assert_eq!(asked, waits, "compound {id} after it was passed on");
        }
    }
    assert!(passed > 20, "{passed}");
}

#[test]
fn a_whole_order_is_a_few_notices_for_those_who_watch_over_the_city() {
    let world = played(12, 200);
    let city1 = world.account("city1");
    let (mut city, mut with_areas) = (City::default(), 0);
    for record in &world.journal {
        city.evolve(record);
        let notices = city.notices(record);
        let heard = notices.iter().filter(|notice| city.hears(&city1, &notice.audience)).count();
        assert!(heard <= FOR_A_WATCHER_MAX, "{heard} notices of one record");
        let fell = |notice: &&Notice| matches!(notice.body.kind, NoticeKind::CommandWithAreas { .. });
        with_areas += notices.iter().filter(fell).count();
    }
    assert!(with_areas > 0, "no command fell to an area");
}
