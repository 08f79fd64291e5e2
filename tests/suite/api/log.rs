//! The log in words: who may know of what, in both directions, without a gap.

use serde_json::{Value, json};

use super::{city, items};

#[tokio::test]
async fn the_log_says_what_happened_as_far_as_one_may_know() {
    let city = city().await;
    let incident = city.opens(true).await;
    let homes = city.some(2);
    city.raises(&incident, &homes).await;
    let (who, observer) = (city.account("city1"), city.account("observer"));
    let flat = city.app.city().compound(homes[0]).unwrap().compound.flats().next().unwrap();
    let made_at = muster::server::time::Rfc3339(city.app.now()).to_string();
    let form = json!({ "household": format!("{}/{flat}", homes[0]), "status": "missing", "heads": 1,
        "verified": "door_to_door", "made_at": made_at });
    city.post(&who, &format!("/incidents/{incident}/check-ins"), form).await.ok();

    let seen = city.get(&who, &format!("/log?incident={incident}")).await.ok();
    assert!(items(&seen)[0]["zh"].as_str().unwrap().contains(&format!("{flat} 失联")), "{seen}");
    assert!(items(&seen)[0]["event"].is_object());
    let numbers = city.get(&observer, &format!("/log?incident={incident}")).await.ok();
    let line = &items(&numbers)[0];
    assert!(line["event"].is_null() && !line.to_string().contains(&flat.to_string()), "{line}");
    assert!(line["en"].as_str().unwrap().starts_with("A report came in"), "{line}");

    let elsewhere = city.commander_of(homes[1]);
    let theirs = city.get(&elsewhere, &format!("/log?incident={incident}&compound={}", homes[0])).await.ok();
    let shared = |line: &Value| line["compounds"].as_u64() == Some(2);
    assert!(items(&theirs).iter().all(shared), "of another compound only what happened to both: {theirs}");
}

#[tokio::test]
async fn the_log_is_the_same_read_from_either_end() {
    let city = city().await;
    for _ in 0..5 {
        city.opens(true).await;
    }
    let who = city.account("city1");
    let walk = async |start: &str, word: &str| {
        let (mut positions, mut query) = (Vec::new(), start.to_owned());
        loop {
            let page = city.get(&who, &format!("/log?limit=500{query}")).await.ok();
            positions.extend(items(&page).iter().map(|line| line["position"].as_u64().unwrap()));
            match page["next"].as_u64() {
                Some(next) => query = format!("&{word}={next}"),
                None => break positions,
            }
        }
    };
    let forward = walk("&after=0", "after").await;
    let mut back = walk("", "before").await;
    back.sort_unstable();
    assert!(forward.is_sorted());
    assert_eq!(forward, back);
    assert_eq!(forward.last(), Some(&city.app.city().position()));
}

#[tokio::test]
async fn the_log_of_an_incident_holds_what_belongs_to_it_and_nothing_that_only_happened_meanwhile() {
    let city = city().await;
    let home = city.manned(0);
    let (first, second) = (city.opens(true).await, city.opens(true).await);
    let (who, commander) = (city.account("city1"), city.commander_of(home));
    let offer = async |to: usize| {
        let (path, form) = (format!("/compounds/{home}/command/offer"), json!({ "to": city.line_of(home)[to] }));
        city.post(&who, &path, form).await.ok();
    };
    let called = |n: usize| {
        let state = city.app.city();
        let call = state.compound(home).unwrap().board.as_ref().unwrap().calls[n].clone();
        json!({ "post": format!("{home}#{}", call.post), "person": call.person, "answer": "acknowledged" })
    };
    offer(1).await;
    city.raises(&first, &[home]).await;
    city.post(&commander, "/calls/answer-for", called(0)).await.ok();
    offer(2).await;
    let normal = json!({ "compounds": [home], "to": "normal" });
    city.post(&who, &format!("/incidents/{first}/switch"), normal).await.ok();
    offer(1).await;
    city.raises(&second, &[home]).await;
    city.post(&commander, "/calls/answer-for", called(1)).await.ok();

    let told = async |incident: &str| -> Vec<String> {
        let page = city.get(&who, &format!("/log?after=0&incident={incident}")).await.ok();
        let kind = |line: &Value| {
            let event = line["event"].as_object().unwrap().iter().next().unwrap();
            let inner = |value: &Value| value.as_object().map(|object| object.keys().next().unwrap().clone());
            let inside = inner(event.1).or_else(|| inner(&event.1[1]));
            format!("{} {}", event.0, inside.unwrap_or_default())
        };
        items(&page).iter().map(kind).collect()
    };
    let opened = "incident opened".to_owned();
    let [raised, answered, offered, stood_down] =
        ["duty raised", "duty answered", "succession offered", "duty stood_down"].map(str::to_owned);
    let theirs = [opened.clone(), raised.clone(), answered.clone(), offered, stood_down];
    assert_eq!(told(&first).await, theirs, "both incidents are open, and hands changed in normal mode too");
    assert_eq!(told(&second).await, [opened, raised, answered]);
}

#[tokio::test]
async fn the_log_is_filtered_by_kind_area_giver_and_time() {
    let city = city().await;
    let who = city.account("city1");
    let (first, second) = (city.opens(true).await, city.opens(false).await);
    let homes = city.some(2);
    city.raises(&first, &homes[..1]).await;
    // Less than anybody is waited for: nothing falls due of itself.
    city.clock.forward_s(90);
    let noon = muster::server::time::Rfc3339(city.app.now()).to_string().replace('+', "%2B");
    city.raises(&second, &homes[1..]).await;
    let lines = async |query: &str| -> Vec<(String, bool)> {
        let page = city.get(&who, &format!("/log?after=1&{query}")).await.ok();
        assert_eq!(page["end"].as_u64(), Some(city.app.city().position()));
        let line = |line: &Value| (line["kind"].as_str().unwrap().to_owned(), line["exercise"].as_bool().unwrap());
        items(&page).iter().map(line).collect()
    };
    let said = |kind: &str, exercise| (kind.to_owned(), exercise);
    let all = [said("incident", true), said("incident", false), said("duty", true), said("duty", false)];
    assert_eq!(lines("").await, all);
    assert_eq!(lines("kinds=duty,roll").await, all[2..]);
    assert_eq!(lines(&format!("until={noon}")).await, all[..3]);
    assert_eq!(lines(&format!("since={noon}")).await, all[3..]);
    let me = city.demo.account("city1").unwrap().person;
    assert_eq!(lines(&format!("by={me}&kinds=incident")).await, all[..2]);
    assert_eq!(lines("by=system").await, []);
    let area = homes[0].community();
    let in_area = homes.iter().filter(|id| id.is_in(area)).count();
    assert_eq!(lines(&format!("area={area}")).await, all[2..2 + in_area]);
    for (bad, wanted) in [
        ("kinds=weather", (400, "bad_query")),
        ("by=somebody", (400, "bad_query")),
        ("since=yesterday", (422, "bad_time")),
    ] {
        assert_eq!(city.get(&who, &format!("/log?{bad}")).await.refused(), wanted, "{bad}");
    }
}

#[tokio::test]
async fn a_span_of_time_is_found_from_either_end() {
    let city = city().await;
    let who = city.account("city1");
    let mut hours = Vec::new();
    for _ in 0..9 {
        city.clock.forward_s(3_600);
        hours.push(muster::server::time::Rfc3339(city.app.now()).to_string().replace('+', "%2B"));
        city.opens(true).await;
    }
    for start in ["after=0", "limit=500"] {
        let path = format!("/log?{start}&since={}&until={}", hours[3], hours[6]);
        let page = city.get(&who, &path).await.ok();
        let mut positions: Vec<u64> = items(&page).iter().map(|line| line["position"].as_u64().unwrap()).collect();
        positions.sort_unstable();
        assert_eq!((positions, &page["next"]), (vec![5, 6, 7], &Value::Null), "{start}");
    }
}
