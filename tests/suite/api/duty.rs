//! Switching, calls and answers, mutual aid, the map and the stand-down.

use muster::domain::compound::CompoundId;
use serde_json::{Value, json};

use super::{city, id_of, items};

#[tokio::test]
async fn an_emergency_is_raised_staffed_helped_and_stood_down() {
    let city = city().await;
    let who = city.account("city1");
    let homes = city.some(4);
    let incident = city.opens(true).await;
    city.raises(&incident, &homes).await;

    let board = city.get(&who, &format!("/incidents/{incident}/duty?area=1404")).await.ok();
    assert_eq!((board["in_emergency"].as_u64(), board["exercise"].as_bool()), (Some(4), Some(true)));
    assert!(board["duty"]["called"].as_u64().unwrap() > 0);

    let duty = city.get(&who, &format!("/compounds/{}/duty", homes[0])).await.ok();
    let call = duty["calls"][0].clone();
    let person = city.person(call["person"].as_str().unwrap().parse().unwrap());
    let answer = |answer: Value| json!({ "post": call["post"], "answer": answer });
    city.post(&person, "/calls/answer", answer("acknowledged".into())).await.ok();
    city.post(&person, "/calls/answer", answer("on_post".into())).await.ok();
    let again = city.post(&person, "/calls/answer", answer("acknowledged".into())).await;
    assert_eq!(again.refused(), (409, "wrong_answer"));
    let after = city.get(&who, &format!("/incidents/{incident}/duty?area=1404")).await.ok();
    assert_eq!(after["duty"]["on_post"], 1);

    let vacant = city.get(&who, &format!("/incidents/{incident}/duty/vacancies?area=1404&limit=500")).await.ok();
    let open: u64 =
        items(&vacant).iter().map(|post| post["headcount"].as_u64().unwrap() - post["filled"].as_u64().unwrap()).sum();
    assert_eq!(after["duty"]["vacant"].as_u64(), Some(open), "the list and the running count agree");

    let map = city.get(&who, "/map/state").await.ok();
    assert_eq!(items(&map).len(), 60);
    assert_eq!(items(&map).iter().filter(|state| state["emergency"] == true).count(), 4);

    let form = json!({ "compounds": homes, "to": "normal" });
    city.post(&who, &format!("/incidents/{incident}/switch"), form).await.ok();
    let roll = city.get(&who, &format!("/incidents/{incident}/compounds/{}/roll", homes[0])).await.ok();
    assert!(roll["closed_at"].is_string(), "the roll closes with the stand-down: {roll}");
    city.post(&who, &format!("/incidents/{incident}/close"), json!({})).await.ok();
    let view = city.get(&who, &format!("/incidents/{incident}")).await.ok();
    assert!(view["closed_at"].as_str().is_some());
}

#[tokio::test]
async fn what_a_switch_will_do_is_known_before_it_is_given() {
    let city = city().await;
    let who = city.account("city1");
    let homes = city.some(6);
    let (incident, other) = (city.opens(true).await, city.opens(true).await);
    city.raises(&other, &homes[..1]).await;
    let preview = |to: Value| {
        let (city, who, incident) = (&city, &who, &incident);
        let form = json!({ "compounds": homes, "to": to });
        async move { city.post(who, &format!("/incidents/{incident}/switch/preview"), form).await.ok() }
    };
    let raise = || json!({ "emergency": "III" });
    let before = preview(raise()).await;
    assert_eq!((&before["compounds"], &before["unchanged"]), (&5.into(), &0.into()));
    assert_eq!(before["refused"][0]["compound"].as_str(), Some(homes[0].to_string().as_str()));
    assert_eq!(before["refused"][0]["code"], "other_incident");

    let form = json!({ "compounds": homes[1..], "to": raise() });
    city.post(&who, &format!("/incidents/{incident}/switch"), form).await.ok();
    let board = city.get(&who, &format!("/incidents/{incident}/duty?area=1404")).await.ok();
    for (foreseen, came) in [("posts", "posts"), ("needed", "needed"), ("people", "called")] {
        assert_eq!(before[foreseen], board["duty"][came], "{foreseen}");
    }
    assert!(before["people"].as_u64() > Some(0));
    assert_eq!(preview(raise()).await["unchanged"], 5, "they are at that level now");

    // Another level calls only whom it needs besides those who are called.
    let higher = preview(json!({ "emergency": "I" })).await;
    let form = json!({ "compounds": homes[1..], "to": { "emergency": "I" } });
    city.post(&who, &format!("/incidents/{incident}/switch"), form).await.ok();
    let after = city.get(&who, &format!("/incidents/{incident}/duty?area=1404")).await.ok();
    assert_eq!((&higher["compounds"], &higher["posts"]), (&5.into(), &after["duty"]["posts"]));

    let back = preview("normal".into()).await;
    assert_eq!((&back["compounds"], &back["people"]), (&5.into(), &after["duty"]["called"]));
    assert_eq!(back["unchanged"], 1, "the one under another incident stays there");
}

#[tokio::test]
async fn whoever_has_a_request_is_shown_with_where_they_are_from_and_since_when() {
    let city = city().await;
    let (who, home) = (city.account("city1"), city.manned(0));
    let incident = city.opens(true).await;
    city.raises(&incident, &[home]).await;
    let flat = city.app.city().compound(home).unwrap().compound.flats().next().unwrap();
    let cry = json!({ "household": format!("{home}/{flat}"), "status": { "need_help": { "kinds": ["medical"] } },
        "heads": 1, "verified": "relayed", "made_at": muster::server::time::Rfc3339(city.app.now()).to_string() });
    city.post(&who, &format!("/incidents/{incident}/check-ins"), cry).await.ok();
    let help = format!("{home}/{flat}/1");
    let to = city.line_of(home)[0];
    city.post(&who, &format!("/incidents/{incident}/help/assign"), json!({ "help": help, "to": to })).await.ok();
    let list = city.get(&who, &format!("/incidents/{incident}/help")).await.ok();
    let one = &items(&list)[0];
    assert_eq!(one["assigned_to"].as_str(), Some(to.to_string().as_str()));
    assert_eq!(one["assigned_from"].as_str(), Some(home.to_string().as_str()));
    assert!(one["assigned_at"].is_string());
}

#[tokio::test]
async fn a_service_record_says_what_one_served_oneself_with_exercises_apart() {
    let city = city().await;
    let (who, home) = (city.account("city1"), city.manned(0));
    let incident = city.opens(true).await;
    city.raises(&incident, &[home]).await;
    let call = city.get(&who, &format!("/compounds/{home}/duty")).await.ok()["calls"][0].clone();
    let person = || city.person(call["person"].as_str().unwrap().parse().unwrap());
    assert_eq!(city.get(&person(), "/me/service").await.ok()["current"]["state"], "called");
    city.clock.forward_s(60);
    let answer = json!({ "post": call["post"], "answer": "on_post" });
    city.post(&person(), "/calls/answer", answer).await.ok();
    city.clock.forward_s(3_600);
    let now = city.get(&person(), "/me/service").await.ok();
    assert_eq!((&now["current"]["on_post_s"], &now["current"]["exercise"]), (&json!(3_600), &json!(true)));
    assert_eq!((&now["recent"], &now["exercises"]["called"]), (&json!([]), &json!(0)), "it has not ended yet");
    let form = json!({ "compounds": [home], "to": "normal" });
    city.post(&who, &format!("/incidents/{incident}/switch"), form).await.ok();
    let after = city.get(&person(), "/me/service").await.ok();
    assert!(after["current"].is_null());
    let drills = &after["exercises"];
    assert_eq!((&drills["called"], &drills["on_post"], &drills["on_post_s"]), (&json!(1), &json!(1), &json!(3_600)));
    assert_eq!(after["real"]["called"], 0, "an exercise never adds to the real thing");
    let last = &after["recent"][0];
    assert_eq!(
        (&last["post"], &last["state"], &last["incident"]),
        (&call["post"], &json!("relieved"), &json!(incident))
    );
    let commander = city.get(&city.commander_of(home), "/me/service").await.ok();
    assert_eq!(commander["recent"], json!([]), "nobody reads what others served");
}

#[tokio::test]
async fn what_is_sent_leaves_the_stock_and_comes_back() {
    let city = city().await;
    let who = city.account("city1");
    let incident = city.opens(true).await;
    let stocked = |id| city.app.city().compound(id).unwrap().stock.clone();
    let from = city.some(20).into_iter().find(|id| stocked(*id).values().any(|n| *n > 0)).unwrap();
    let to = city.some(20).into_iter().find(|id| *id != from).unwrap();
    let (resource, has) = stocked(from).into_iter().find(|(_, n)| *n > 0).unwrap();
    let form = |quantity: u32| json!({ "incident": incident, "from": from, "to": to, "resource": resource, "quantity": quantity });
    assert_eq!(city.post(&who, "/dispatches", form(1)).await.refused(), (409, "not_in_emergency"));
    city.raises(&incident, &[to]).await;
    assert_eq!(city.post(&who, "/dispatches", form(has + 1)).await.refused(), (409, "not_enough"));
    let sent = id_of(&city.post(&who, "/dispatches", form(has)).await.ok());
    assert_eq!(stocked(from).get(&resource).copied().unwrap_or(0), 0);
    let open = city.get(&who, &format!("/incidents/{incident}/dispatches")).await.ok();
    assert_eq!((items(&open).len(), items(&open)[0]["id"].as_str()), (1, Some(sent.as_str())));
    city.post(&who, &format!("/dispatches/{sent}/return"), json!({})).await.ok();
    assert_eq!(stocked(from)[&resource], has);
}

#[tokio::test]
async fn neighbours_come_nearest_first_with_their_free_hands() {
    let city = city().await;
    let (who, home) = (city.account("city1"), city.manned(0));
    let near = city.get(&who, &format!("/compounds/{home}/neighbours?within_m=20000")).await.ok();
    let near = near.as_array().unwrap();
    assert!(!near.is_empty());
    let metres: Vec<f64> = near.iter().map(|row| row["apart_m"].as_f64().unwrap()).collect();
    assert!(metres.is_sorted() && metres.iter().all(|m| *m <= 20_000.0));
    assert!(near.iter().any(|row| row["free_hands"].as_u64().unwrap() > 0));
    let far = city.get(&who, &format!("/compounds/{home}/neighbours?within_m=-1")).await;
    assert_eq!(far.refused().0, 422);
}

#[tokio::test]
async fn a_commander_sees_who_is_near_and_which_office_commands_there_but_no_people_and_no_stock() {
    let city = city().await;
    let near = |who, home, within_m: u32| {
        let city = &city;
        async move { city.get(&who, &format!("/compounds/{home}/neighbours?within_m={within_m}")).await }
    };
    // A home with neighbours, of which its commander has no part in the first.
    let (home, all) = 'found: {
        for n in 0..20 {
            let home = city.manned(n);
            let all = near(city.account("city1"), home, 3_000).await.ok().as_array().unwrap().clone();
            if !all.is_empty() {
                break 'found (home, all);
            }
        }
        panic!("no compound of the demo has a neighbour");
    };
    let seen = near(city.commander_of(home), home, 3_000).await.ok().as_array().unwrap().clone();
    let names = |rows: &[Value]| rows.iter().map(|row| row["compound"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&seen), names(&all), "whoever commands here sees all that are near");
    for (row, whole) in seen.iter().zip(&all) {
        assert!(whole["stock"].is_object() && whole["free_hands"].is_u64());
        assert!(row["walk_at_least_m"].as_f64() >= row["apart_m"].as_f64(), "{row}");
        assert!(row["acting"]["zh"].as_str().is_some_and(|office| !office.is_empty()), "{row}");
        assert_eq!(row["stock"].is_null(), row["free_hands"].is_null(), "{row}");
    }
    let stranger = seen.iter().find(|row| row["stock"].is_null()).expect("a neighbour in which they have no part");
    let id: CompoundId = stranger["compound"].as_str().unwrap().parse().unwrap();
    for person in city.line_of(id) {
        assert!(!stranger.to_string().contains(&person.to_string()), "nobody is named: {stranger}");
    }
    let far = near(city.commander_of(home), home, 20_000).await.ok();
    let strangers = far.as_array().unwrap().iter().filter(|row| row["stock"].is_null());
    assert!(strangers.clone().all(|row| row["apart_m"].as_f64().unwrap() <= 3_000.0));
    let holder = { city.app.city().compound(home).unwrap().posts[0].claimants().next().unwrap() };
    assert_eq!(near(city.person(holder), home, 800).await.refused(), (403, "not_your_role"));
    assert_eq!(near(city.commander_of(id), home, 800).await.refused(), (403, "not_your_area"));
}

#[tokio::test]
async fn what_nothing_is_heard_from_is_shown_as_silent_and_never_as_fine() {
    let city = city().await;
    let who = city.account("city1");
    let homes = city.some(2);
    let incident = city.opens(true).await;
    city.raises(&incident, &homes).await;
    let silent = async || {
        let (map, board) = (city.get(&who, "/map/state").await.ok(), format!("/incidents/{incident}/tally?area=1404"));
        let on_the_map = items(&map).iter().filter(|state| state["silent"] == true).count();
        (on_the_map, city.get(&who, &board).await.ok()["silent"].as_u64().unwrap())
    };
    assert_eq!(silent().await, (0, 0));
    city.clock.forward_s(601);
    city.app.muster.tick().await;
    assert_eq!(silent().await, (2, 2));
    let flat = city.app.city().compound(homes[0]).unwrap().compound.flats().next().unwrap();
    let made_at = muster::server::time::Rfc3339(city.app.now()).to_string();
    let report = json!({ "household": format!("{}/{flat}", homes[0]), "status": "safe", "heads": 1,
        "verified": "door_to_door", "made_at": made_at });
    city.post(&city.commander_of(homes[0]), &format!("/incidents/{incident}/check-ins"), report).await.ok();
    assert_eq!(silent().await, (1, 1), "a word from it ends the silence");
}
