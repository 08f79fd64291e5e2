//! How an alert gets on, as those who follow it are told: its curve, and the line down which the command is passed.

use serde_json::{Value, json};

use super::{City, at, city, id_of};

/// What a point of the curve and the funnel have in common.
fn counts(of: &Value) -> Value {
    json!([of["compounds"], of["compounds_acknowledged"], of["funnel"]])
}

async fn last_point(city: &City, who: &str, path: &str) -> Value {
    let curve = city.get(&city.account(who), path).await.ok();
    curve["points"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn the_curve_ends_at_the_funnel_and_shows_nobody_more_than_their_area() {
    let city = city().await;
    let compounds = city.some(50);
    let incident = city.opens(false).await;
    let alert = city.issues(&incident, &compounds).await;
    city.clock.forward_s(40);
    let commander = city.commander_of(compounds[0]);
    city.post(&commander, &format!("/alerts/{alert}/acknowledge"), json!({})).await.ok();
    city.clock.forward_s(25);

    let curve = city.get(&city.account("city1"), &format!("/alerts/{alert}/curve?span_s=60")).await.ok();
    assert_eq!((curve["step_s"].as_u64(), curve["ack_timeout_s"].as_u64()), (Some(1), Some(300)));
    let points = curve["points"].as_array().unwrap();
    let acknowledged = |n: usize| points[n]["compounds_acknowledged"].as_u64().unwrap();
    assert_eq!((points.len(), acknowledged(39), acknowledged(40)), (61, 0, 1));

    // The dispatcher of one county sees its part, in both.
    let whole = last_point(&city, "city1", &format!("/alerts/{alert}/curve")).await;
    let part = last_point(&city, "shangdang", &format!("/alerts/{alert}/curve")).await;
    assert!(part["compounds"].as_u64() < whole["compounds"].as_u64() && part["compounds"].as_u64() > Some(0));
    for (who, point) in [("city1", whole), ("shangdang", part)] {
        let funnel = city.get(&city.account(who), &format!("/alerts/{alert}/funnel")).await.ok();
        assert_eq!(counts(&point), counts(&funnel), "{who}");
        assert_eq!(point["after_s"], 65);
    }
}

#[tokio::test]
async fn an_alert_that_was_not_sent_has_no_curve() {
    let city = city().await;
    let incident = city.opens(true).await;
    let alert = city.drafts(&incident, &city.some(1)).await;
    let path = format!("/alerts/{alert}/curve");
    assert_eq!(city.get(&city.account("city1"), &path).await.refused(), (403, "not_a_recipient"));
}

#[tokio::test]
async fn the_line_is_told_in_order_with_those_whose_turn_comes() {
    let city = city().await;
    let home = city.manned(0);
    let incident = city.opens(true).await;
    let alert = city.drafts(&incident, &[home]).await;
    let who = city.account("city1");
    city.post(&who, &format!("/alerts/{alert}/submit"), json!({})).await.ok();
    let told = city.get(&who, &format!("/alerts/{alert}/escalation?compound={home}")).await.ok();
    let steps = told["steps"].as_array().unwrap();
    let line = city.line_of(home);
    let asked: Vec<Value> = steps.iter().map(|step| step["person"].clone()).collect();
    assert_eq!(asked[..line.len()], line.iter().map(|person| json!(person)).collect::<Vec<_>>());
    assert_eq!(steps.len(), line.len() + 2, "then the community and the street");
    assert!(steps[0]["until"].is_string() && steps[1]["asked_at"].is_null());
    assert_eq!(city.get(&who, &format!("/alerts/{alert}/passed-on")).await.ok(), json!([]));
    let elsewhere = format!("/alerts/{alert}/escalation?compound={}", city.manned(1));
    assert_eq!(city.get(&who, &elsewhere).await.refused(), (403, "not_a_recipient"));
}

#[tokio::test]
async fn a_list_of_alerts_has_each_headline_in_both_languages() {
    let city = city().await;
    let who = city.account("city1");
    let incident = city.opens(true).await;
    let mut content = city.flood();
    let mut english = content["infos"][0].clone();
    (english["language"], english["headline"]) = ("en-US".into(), "[EXERCISE] Flood [EXERCISE]".into());
    content["infos"] = json!([english, content["infos"][0]]);
    let form = json!({ "incident": incident, "content": content, "target": at(&[city.manned(0)]) });
    let alert = id_of(&city.post(&who, "/alerts", form).await.ok());
    let view = city.get(&who, &format!("/alerts/{alert}")).await.ok();
    assert!(view["headline"].as_str().unwrap().starts_with("【演练】"), "{}", view["headline"]);
    assert_eq!(view["headline_en"], "[EXERCISE] Flood [EXERCISE]");
}
