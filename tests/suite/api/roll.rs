//! Reports on households, alone and in batches; help, the vulnerable first; running counts against a recount.

use muster::domain::compound::{CompoundId, Need};
use muster::domain::household::{FlatNo, HouseholdKey};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{City, city, items};

fn report(city: &City, home: CompoundId, flat: FlatNo, status: impl Into<Value>) -> Value {
    json!({ "household": format!("{home}/{flat}"), "status": status.into(), "heads": 2, "verified": "door_to_door",
        "made_at": muster::server::time::Rfc3339(city.app.now()).to_string() })
}

fn flats(city: &City, home: CompoundId) -> Vec<FlatNo> {
    city.app.city().compound(home).unwrap().compound.flats().collect()
}

#[tokio::test]
async fn help_comes_with_the_vulnerable_first_and_ends_by_name() {
    let city = city().await;
    let incident = city.opens(true).await;
    // A compound with a household on life support, or at least a vulnerable one.
    let most = |id: &CompoundId| city.app.city().compound(*id).unwrap().compound.vulnerable.len();
    let home = city.some(20).into_iter().max_by_key(most).unwrap();
    let listed = city.app.city().compound(home).unwrap().compound.vulnerable.clone();
    let frail = listed.iter().find(|v| v.needs.contains(&Need::LifeSupport)).unwrap_or(&listed[0]).flat;
    let sturdy = flats(&city, home).into_iter().find(|flat| listed.iter().all(|v| v.flat != *flat)).unwrap();
    city.raises(&incident, &[home]).await;
    let commander = city.commander_of(home);
    let path = format!("/incidents/{incident}/check-ins");
    let help = |kind: &str| json!({ "need_help": { "kinds": [kind] } });
    city.post(&commander, &path, report(&city, home, sturdy, help("medical"))).await.ok();
    city.post(&commander, &path, report(&city, home, frail, help("supplies"))).await.ok();

    let queue = city.get(&commander, &format!("/incidents/{incident}/help")).await.ok();
    let order: Vec<&str> = items(&queue).iter().map(|row| row["help"].as_str().unwrap()).collect();
    assert_eq!(order, [format!("{home}/{frail}/1"), format!("{home}/{sturdy}/1")]);
    assert!(!items(&queue)[0]["needs"].as_array().unwrap().is_empty());
    let second = city.get(&commander, &format!("/incidents/{incident}/help?after={}", order[0])).await.ok();
    assert_eq!(items(&second).len(), 1);

    // "Safe" does not end it.
    city.clock.forward_s(60);
    city.post(&commander, &path, report(&city, home, frail, "safe")).await.ok();
    let still = city.get(&commander, &format!("/incidents/{incident}/help")).await.ok();
    assert_eq!(items(&still).len(), 2);
    let end = json!({ "help": order[0], "how": "resolved", "reason": "已送医" });
    city.post(&commander, &format!("/incidents/{incident}/help/end"), end).await.ok();
    let left = city.get(&commander, &format!("/incidents/{incident}/help")).await.ok();
    assert_eq!(items(&left).len(), 1);
}

#[tokio::test]
async fn a_note_reaches_whoever_comes_to_help_and_not_the_household() {
    let city = city().await;
    let incident = city.opens(true).await;
    let home = city.manned(0);
    city.raises(&incident, &[home]).await;
    let (commander, flat) = (city.commander_of(home), flats(&city, home)[0]);
    let path = format!("/incidents/{incident}/check-ins");
    let noted = |status: Value, note: &str| {
        let mut form = report(&city, home, flat, status);
        form["note"] = json!(note);
        form
    };
    let help = json!({ "need_help": { "kinds": ["medical", "trapped"] } });
    let long = "长".repeat(201);
    assert_eq!(city.post(&commander, &path, noted(help.clone(), &long)).await.refused(), (422, "bad_text"));
    city.post(&commander, &path, noted(help, "后门进，二楼")).await.ok();
    city.clock.forward_s(60);
    city.post(&commander, &path, noted("safe".into(), "门锁坏")).await.ok();
    let queue = city.get(&commander, &format!("/incidents/{incident}/help")).await.ok();
    assert_eq!(items(&queue)[0]["note"], "后门进，二楼", "a later word of something else does not hide it");
    let rows = format!("/incidents/{incident}/compounds/{home}/households?unit={}", flat.unit_no());
    assert_eq!(items(&city.get(&commander, &rows).await.ok())[0]["report"]["note"], "门锁坏");
    let link = city.household(HouseholdKey { compound: home, flat });
    assert!(city.get(&link, "/household").await.ok()["report"]["note"].is_null());
}

#[tokio::test]
async fn a_queue_of_reports_is_answered_one_by_one_and_once() {
    let city = city().await;
    let incident = city.opens(true).await;
    let home = city.manned(0);
    city.raises(&incident, &[home]).await;
    let commander = city.commander_of(home);
    let flats = flats(&city, home);
    let none: FlatNo = "999-99-9999".parse().unwrap();
    let queued: Vec<Value> = [flats[0], none, flats[1]]
        .iter()
        .map(|flat| json!({ "id": Uuid::now_v7(), "check_in": report(&city, home, *flat, "safe") }))
        .collect();
    let path = format!("/incidents/{incident}/check-ins/batch");
    let body = json!({ "check_ins": queued });
    let outcomes = city.post(&commander, &path, body.clone()).await.ok();
    assert!(outcomes[0]["done"].is_object() && outcomes[2]["done"].is_object());
    assert_eq!(outcomes[1]["refused"]["code"], "unknown_household");
    let again = city.post(&commander, &path, body).await.ok();
    assert_eq!(again[0]["done"]["repeated"], true);
    let tally = city.get(&commander, &format!("/incidents/{incident}/tally?compound={home}")).await.ok();
    assert_eq!(tally["roll"]["safe"], 2);
    assert_eq!(city.post(&commander, &path, json!({ "check_ins": [] })).await.refused(), (422, "bad_count"));
}

#[tokio::test]
async fn running_counts_are_what_a_recount_of_the_households_gives() {
    let city = city().await;
    let incident = city.opens(true).await;
    let homes = city.some(3);
    city.raises(&incident, &homes).await;
    let who = city.account("city1");
    let words = [json!("safe"), json!("away"), json!("missing"), json!({ "evacuated": { "assembly_point": null } })];
    let path = format!("/incidents/{incident}/check-ins");
    for (i, home) in homes.iter().enumerate() {
        for (j, flat) in flats(&city, *home).into_iter().enumerate().step_by(7).take(12) {
            city.post(&who, &path, report(&city, *home, flat, words[(i + j) % 4].clone())).await.ok();
        }
    }
    let mut recount = std::collections::BTreeMap::<String, u64>::new();
    for home in &homes {
        let mut after = String::new();
        loop {
            let path = format!("/incidents/{incident}/compounds/{home}/households?limit=500{after}");
            let page = city.get(&who, &path).await.ok();
            for row in items(&page) {
                let status = &row["report"]["status"];
                let word = status.as_str().or_else(|| status.as_object()?.keys().next().map(String::as_str));
                *recount.entry(word.unwrap_or("unaccounted").to_owned()).or_default() += 1;
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    let tally = city.get(&who, &format!("/incidents/{incident}/tally?area=1404")).await.ok();
    for word in ["safe", "away", "missing", "evacuated", "unaccounted"] {
        assert_eq!(tally["roll"][word].as_u64(), recount.get(word).copied(), "{word}");
    }
    for home in &homes {
        stairwells_and_buildings_add_up(&city, &incident, *home).await;
    }
    let children = city.get(&who, &format!("/incidents/{incident}/tally/children?area=1404")).await.ok();
    let sum: u64 = items(&children).iter().map(|part| part["roll"]["safe"].as_u64().unwrap()).sum();
    assert_eq!(tally["roll"]["safe"].as_u64(), Some(sum));
}

/// The running counts of each stairwell are what its households give, and those of a building what its stairwells give.
async fn stairwells_and_buildings_add_up(city: &City, incident: &str, home: CompoundId) {
    let who = city.account("city1");
    let roll = city.get(&who, &format!("/incidents/{incident}/compounds/{home}/roll")).await.ok();
    let mut reported = 0;
    for building in roll["buildings"].as_array().unwrap() {
        let mut households = 0;
        for stairwell in building["units"].as_array().unwrap() {
            let unit = stairwell["unit"].as_str().unwrap();
            let path = format!("/incidents/{incident}/compounds/{home}/households?limit=500&unit={unit}");
            let page = city.get(&who, &path).await.ok();
            let known = items(&page).iter().filter(|row| !row["report"].is_null()).count();
            let counts = &stairwell["counts"];
            assert_eq!(counts["households"], items(&page).len(), "{home} {unit}");
            assert_eq!(counts["unaccounted"], items(&page).len() - known, "{home} {unit}");
            households += items(&page).len();
            reported += known;
        }
        assert_eq!(building["counts"]["households"], households);
    }
    // Every seventh flat reported, twelve at most: a small compound has fewer.
    let given = flats(city, home).len().div_ceil(7).min(12);
    assert_eq!(reported, given, "all reports are in some stairwell of {home}");
}

#[tokio::test]
async fn a_household_reports_on_itself_alone_and_sees_itself() {
    let city = city().await;
    let incident = city.opens(true).await;
    let home = city.manned(0);
    city.raises(&incident, &[home]).await;
    let flats = flats(&city, home);
    let household = city.household(format!("{home}/{}", flats[0]).parse().unwrap());
    let path = format!("/incidents/{incident}/check-ins");
    let mut own = report(&city, home, flats[0], "safe");
    own["verified"] = "self_report".into();
    city.post(&household, &path, own.clone()).await.ok();
    let view = city.get(&household, "/household").await.ok();
    assert_eq!((view["report"]["status"].as_str(), view["exercise"].as_bool()), (Some("safe"), Some(true)));
    assert_eq!(view["incident"], incident);
    own["household"] = format!("{home}/{}", flats[1]).into();
    assert_eq!(city.post(&household, &path, own).await.refused(), (403, "not_your_area"));
    assert_eq!(city.get(&city.account("city1"), "/household").await.refused(), (403, "not_your_role"));
}
