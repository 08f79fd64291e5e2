//! The life of an alert: previewed, drafted, approved by a second person, acknowledged, updated, cancelled; break-glass.

use muster::testing::world::World;
use serde_json::json;
use uuid::Uuid;

use super::{at, city, id_of, items};

#[tokio::test]
async fn an_alert_lives_from_draft_to_cancel() {
    let city = city().await;
    let (first, second) = (city.account("city1"), city.account("city2"));
    let compounds = city.some(3);
    let incident = city.opens(false).await;

    let preview = city.post(&first, "/targets/preview", at(&compounds)).await.ok();
    assert_eq!((preview["compounds"].as_u64(), preview["outside_your_area"].as_u64()), (Some(3), Some(0)));

    let alert = city.drafts(&incident, &compounds).await;
    assert_eq!(city.status_of(&alert).await, "draft");
    let confirm = json!({ "confirm_compounds": 3 });
    city.post(&first, &format!("/alerts/{alert}/submit"), confirm.clone()).await.ok();
    city.clock.forward_s(90);
    let waiting = city.get(&second, "/alerts?status=awaiting_approval").await.ok();
    assert_eq!(items(&waiting).len(), 1);
    assert_eq!(items(&waiting)[0]["waiting_s"], 90);
    let own = city.post(&first, &format!("/alerts/{alert}/approve"), confirm.clone()).await;
    assert_eq!(own.refused(), (403, "same_person"));
    city.post(&second, &format!("/alerts/{alert}/approve"), confirm.clone()).await.ok();
    let view = city.get(&second, &format!("/alerts/{alert}")).await.ok();
    assert_eq!((view["status"].as_str(), view["exercise"].as_bool()), (Some("issued"), Some(false)));
    assert!(view["content"]["expires"].as_str().unwrap().ends_with("+08:00"));

    let commander = city.commander_of(compounds[1]);
    city.post(&commander, &format!("/alerts/{alert}/acknowledge"), json!({})).await.ok();
    let reach = city.get(&first, &format!("/alerts/{alert}/compounds?unacknowledged=true")).await.ok();
    let people: Vec<u64> = items(&reach).iter().map(|row| row["people"].as_u64().unwrap()).collect();
    assert_eq!(people.len(), 2);
    assert!(people[0] >= people[1], "those with the most people at risk come first");
    let funnel = city.get(&first, &format!("/alerts/{alert}/funnel")).await.ok();
    assert_eq!((funnel["compounds"].as_u64(), funnel["compounds_acknowledged"].as_u64()), (Some(3), Some(1)));
    let who = city.get(&first, &format!("/alerts/{alert}/recipients?compound={}", compounds[1])).await.ok();
    assert_eq!(who[0]["stage"], "acknowledged");

    let update = json!({ "content": city.flood() });
    let update = id_of(&city.post(&first, &format!("/alerts/{alert}/update"), update).await.ok());
    city.post(&first, &format!("/alerts/{update}/submit"), confirm.clone()).await.ok();
    city.post(&second, &format!("/alerts/{update}/approve"), confirm).await.ok();
    assert_eq!(city.status_of(&alert).await, "updated");
    let references = city.get(&first, &format!("/alerts/{update}")).await.ok()["references"].clone();
    assert_eq!(references[0]["identifier"], view["identity"]["identifier"]);

    let form = json!({ "send": true, "confirm_compounds": 3,
        "values": { "zh-CN": { "reason": "水位已回落", "phone": "0355-2190119" }, "en-US": { "reason": "the water has fallen" } } });
    let key = Uuid::now_v7();
    let path = format!("/alerts/{update}/cancel");
    let cancel = city.post_as(&second, &path, form.clone(), key, None).await.ok();
    assert_eq!(cancel["id"], key.to_string());
    assert_eq!(city.status_of(&update).await, "cancelled");
    city.clock.forward_s(120);
    let again = city.post_as(&second, &path, form, key, None).await.ok();
    assert_eq!((again["position"].clone(), again["repeated"].as_bool()), (cancel["position"].clone(), Some(true)));
}

#[tokio::test]
async fn one_answer_tells_a_phone_which_alerts_hold_for_it() {
    let city = city().await;
    let compounds = city.some(2);
    let incident = city.opens(false).await;
    let alert = city.issues(&incident, &compounds).await;
    let (commander, other) = (city.commander_of(compounds[0]), city.commander_of(city.manned(5)));
    let neighbour = city.commander_of(compounds[1]);
    let own = async |who| city.get(who, "/me").await.ok()["alerts"].as_array().unwrap().clone();

    let told = own(&commander).await;
    assert_eq!((told.len(), &told[0]["alert"], &told[0]["exercise"]), (1, &json!(alert), &json!(false)));
    assert_eq!(told[0]["content"], city.get(&commander, &format!("/alerts/{alert}")).await.ok()["content"]);
    assert_eq!((&told[0]["acknowledged"], &told[0]["asked"][0]["compound"]), (&json!(false), &json!(compounds[0])));
    let reach = city.get(&commander, &format!("/alerts/{alert}/compounds")).await.ok();
    assert!(told[0]["asked"][0]["due_at"].is_string(), "{told:?}");
    assert_eq!(told[0]["asked"][0]["due_at"], items(&reach)[0]["ack_due"]);
    assert!(own(&other).await.is_empty(), "the alert did not go there");

    city.post(&commander, &format!("/alerts/{alert}/acknowledge"), json!({})).await.ok();
    let told = own(&commander).await;
    assert_eq!((&told[0]["acknowledged"], &told[0]["asked"]), (&json!(true), &json!([])));
    let next_door = own(&neighbour).await;
    assert_eq!(
        (&next_door[0]["acknowledged"], &next_door[0]["asked"][0]["compound"]),
        (&json!(false), &json!(compounds[1]))
    );

    let newer = city.issues(&incident, &compounds).await;
    let ids: Vec<_> = own(&commander).await.iter().map(|one| one["alert"].clone()).collect();
    assert_eq!(ids, [json!(newer), json!(alert)]);
    city.clock.forward_s(7 * 3_600);
    assert!(own(&commander).await.is_empty(), "their time is over");
}

#[tokio::test]
async fn expiry_is_not_cancellation() {
    let city = city().await;
    let incident = city.opens(false).await;
    let alert = city.issues(&incident, &city.some(1)).await;
    assert_eq!(city.status_of(&alert).await, "issued");
    city.clock.forward_s(7 * 3_600);
    assert_eq!(city.status_of(&alert).await, "expired");
    let late = city.get(&city.account("city1"), "/alerts?status=cancelled").await.ok();
    assert!(items(&late).is_empty());
}

#[tokio::test]
async fn who_breaks_the_glass_is_countersigned_by_somebody_else() {
    let city = city().await;
    let home = city.manned(0);
    let form = json!({ "compound": home, "content": city.flood(), "reason": "桥已断，联系不上上级" });
    let commander = city.commander_of(home);
    let alert = id_of(&city.post(&commander, "/alerts/break-glass", form.clone()).await.ok());
    let open = city.get(&city.account("city1"), "/alerts?needs_countersign=true").await.ok();
    assert_eq!(items(&open)[0]["id"], alert);
    let path = format!("/alerts/{alert}/countersign");
    assert_eq!(city.post(&commander, &path, json!({})).await.refused().0, 403);
    city.post(&city.account("city1"), &path, json!({})).await.ok();
    let open = city.get(&city.account("city1"), "/alerts?needs_countersign=true").await.ok();
    assert!(items(&open).is_empty());
    let elsewhere = json!({ "compound": city.manned(1), "content": city.flood(), "reason": "不是自己的小区" });
    assert_eq!(city.post(&commander, "/alerts/break-glass", elsewhere).await.refused(), (403, "not_your_area"));
}

#[tokio::test]
async fn the_same_request_twice_makes_one_thing() {
    let city = city().await;
    let who = city.account("city1");
    let key = Uuid::now_v7();
    let form = json!({ "hazard": "fire", "exercise": true, "title": "消防演练" });
    let first = city.post_as(&who, "/incidents", form.clone(), key, None).await.ok();
    let again = city.post_as(&who, "/incidents", form, key, None).await.ok();
    assert_eq!(first["id"], again["id"]);
    assert_eq!(again["repeated"], true);
    let other = json!({ "hazard": "fire", "exercise": false, "title": "消防演练" });
    assert_eq!(city.post_as(&who, "/incidents", other, key, None).await.refused(), (409, "command_id_reused"));
    assert_eq!(items(&city.get(&who, "/incidents").await.ok()).len(), 1);
}

#[tokio::test]
async fn a_template_filled_in_passes_the_linter() {
    let city = city().await;
    let who = city.account("city1");
    let asked = city.get(&who, "/templates").await.ok();
    let flood =
        asked.as_array().unwrap().iter().find(|t| t["hazard"] == "flood" && t["colour"] == "red" && t["kind"] == "new");
    let blanks = flood.unwrap()["blanks"].as_array().unwrap().clone();
    let value = |name: &str| match name {
        "place" => "潞州区石子河沿岸",
        "sender" => "长治市防汛抗旱指挥部",
        "phone" => "0355-2190119",
        _ => "高处集合点",
    };
    let values: serde_json::Map<_, _> =
        blanks.iter().map(|b| b.as_str().unwrap()).map(|name| (name.to_owned(), value(name).into())).collect();
    let form = json!({ "hazard": "flood", "colour": "red", "kind": "new", "exercise": true, "values": { "zh-CN": values, "en-US": { "place": "the banks of the Shizi River" } } });
    let rendered = city.post(&who, "/templates/render", form).await.ok();
    let headline = rendered["content"]["infos"][0]["headline"].as_str().unwrap();
    assert!(headline.starts_with("【演练】") && headline.ends_with("【演练】"), "{headline}");
    let findings = city.post(&who, "/alerts/lint", json!({ "content": rendered["content"] })).await.ok();
    let blocking: Vec<_> = findings.as_array().unwrap().iter().filter(|finding| finding["blocking"] == true).collect();
    assert!(blocking.is_empty(), "{blocking:?}");
}

#[tokio::test]
async fn lists_are_newest_first_whatever_ids_clients_make_and_pages_follow_on_one_another() {
    let city = city().await;
    let who = city.account("city1");
    let (mut incidents, mut alerts) = (Vec::new(), Vec::new());
    // Ids whose order is the reverse of time.
    for n in (1..=5_u128).rev() {
        let form = json!({ "id": Uuid::from_u128(n), "hazard": "flood", "exercise": true, "title": "漳河洪水" });
        incidents.insert(0, id_of(&city.post(&who, "/incidents", form).await.ok()));
        let form = json!({ "id": Uuid::from_u128(0x10 + n), "incident": incidents[0], "content": city.flood(),
            "target": at(&[city.manned(0)]) });
        alerts.insert(0, id_of(&city.post(&who, "/alerts", form).await.ok()));
    }
    for (list, made) in [("incidents", incidents), ("alerts", alerts)] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = city.get(&who, &format!("/{list}?limit=2{after}")).await.ok();
            seen.extend(items(&page).iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, made, "{list}");
        let gone = city.get(&who, &format!("/{list}?after={}", Uuid::now_v7())).await;
        assert_eq!(gone.refused().0, 404, "{list}");
    }
}

#[tokio::test]
async fn a_preview_says_what_the_sending_will_reach() {
    let city = city().await;
    let who = city.account("city1");
    // Everybody in the city, and the commander of one compound at the phone.
    let all = json!({ "include": { "areas": ["1404"] } });
    let reached = city.manned(0);
    let (phones, state) = (city.app.hub.clone(), city.app.city().compound(reached).unwrap().succession.line.clone());
    let _line = phones.register(&city.app.city(), &World::somebody(state[0])).unwrap();
    let preview = city.post(&who, "/targets/preview", all.clone()).await.ok();
    let (mut households, mut people, mut vulnerable, mut nobody) = (0, 0, 0, Vec::new());
    for (id, state) in city.app.city().compounds() {
        households += state.compound.flats().count();
        people += state.compound.people;
        vulnerable += state.compound.vulnerable.len();
        nobody.extend(state.succession.line.is_empty().then(|| id.to_string()));
    }
    assert!(vulnerable > 0 && !nobody.is_empty() && usize::try_from(people).unwrap() > households);
    assert_eq!(preview["households"], households);
    assert_eq!(preview["people"], people);
    assert_eq!(preview["vulnerable_households"], vulnerable);
    assert_eq!(preview["without_commander"], json!(nobody));
    assert_eq!(preview["commanders_reachable"], 1);
    assert_eq!(preview["commanders_not_reachable"], 60 - 1 - nobody.len());

    // Whoever it names gets it, and nobody else.
    let incident = city.opens(true).await;
    let form = json!({ "incident": incident, "content": city.flood(), "target": all });
    let alert = id_of(&city.post(&who, "/alerts", form).await.ok());
    city.post(&who, &format!("/alerts/{alert}/submit"), json!({})).await.ok();
    let mut page = city.get(&who, &format!("/alerts/{alert}/compounds?limit=500")).await.ok();
    let mut sent: Vec<String> =
        page["items"].as_array_mut().unwrap().iter().map(|row| row["compound"].as_str().unwrap().to_owned()).collect();
    sent.sort_unstable();
    assert_eq!(preview["hits"], json!(sent));
}

#[tokio::test]
async fn a_preview_says_who_gets_an_update_and_whether_a_second_person_is_asked() {
    let city = city().await;
    let who = city.account("city1");
    let incident = city.opens(false).await;
    let compounds = city.some(3);
    let old = city.issues(&incident, &compounds[..2]).await;
    let wider = at(&compounds[2..]);
    let preview = city.post(&who, &format!("/targets/preview?updates={old}"), wider.clone()).await.ok();
    assert_eq!(preview["compounds"], 3, "who got the old one gets its update too");

    let asked = |query: &'static str| {
        let (city, who, wider) = (&city, &who, wider.clone());
        async move {
            city.post(who, &format!("/targets/preview?{query}"), wider).await.ok()["second_person"].as_bool().unwrap()
        }
    };
    assert!(!asked("severity=Minor").await);
    assert!(asked("severity=Extreme").await && asked("").await, "what is not known is taken as grave");
    assert!(!asked("severity=Extreme&exercise=true").await, "an exercise may be rehearsed alone");
}
