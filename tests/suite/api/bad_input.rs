//! What makes no sense gets a clear, coded refusal and changes nothing.

use muster::domain::command::Command;
use muster::domain::ids::CommandId;
use muster::testing::world::World;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{at, city, items};

#[tokio::test]
async fn areas_that_make_no_sense_are_refused_and_reach_nobody() {
    let city = city().await;
    let who = city.account("city1");
    let preview = async |target: Value| {
        let reply = city.post(&who, "/targets/preview", target).await;
        let (status, code) = reply.refused();
        (status, code.to_owned())
    };
    let ring = |lat: f64| json!({ "include": { "polygons": [[[[113.0, 36.0], [113.1, lat], [113.1, 36.1], [113.0, 36.0]]]] } });
    // It crosses itself; without its last corner it is not even closed.
    let bow_tie = [[113.0, 36.0], [113.1, 36.1], [113.1, 36.0], [113.0, 36.1], [113.0, 36.0]];
    let huge: Vec<[f64; 2]> = (0..100_000).map(|i| [113.0, 36.0 + f64::from(i) * 1e-6]).collect();
    for (target, code) in [
        (json!({ "include": {} }), "empty_area"),
        (json!({ "include": {}, "exclude": { "areas": ["1404"] } }), "empty_area"),
        (ring(200.0), "bad_coordinate"),
        (json!({ "include": { "polygons": [[bow_tie]] } }), "bad_polygon"),
        (json!({ "include": { "polygons": [[bow_tie[..4]]] } }), "bad_polygon"),
        (json!({ "include": { "circles": [{ "center": [113.0, 36.0], "radius_km": 0 }] } }), "bad_circle"),
        (json!({ "include": { "areas": ["140499"] } }), "unknown_area"),
        (json!({ "include": { "compounds": ["140403999999999"] } }), "unknown_compound"),
    ] {
        assert_eq!(preview(target).await.1, code);
    }
    // Larger than a body may be, and as a shape within it.
    assert_eq!(preview(json!({ "include": { "polygons": [[huge]] } })).await, (413, "body_too_large".to_owned()));
    let many = &huge[..30_000];
    assert_eq!(preview(json!({ "include": { "polygons": [[many]] } })).await, (422, "too_many_vertices".to_owned()));
}

#[tokio::test]
async fn alerts_that_must_not_go_out_do_not() {
    let city = city().await;
    let (who, incident) = (city.account("city1"), city.opens(false).await);
    let before = city.app.city().position();
    let draft = async |change: fn(&mut Value), target: Value| {
        let mut content = city.flood();
        change(&mut content);
        let form = json!({ "incident": incident, "content": content, "target": target });
        city.post(&who, "/alerts", form).await.refused().1.to_owned()
    };
    let one = || at(&city.some(1));
    let past = |content: &mut Value| content["expires"] = "2020-01-01T00:00:00+08:00".into();
    assert_eq!(draft(past, one()).await, "alert_expired");
    assert_eq!(draft(|_| (), json!({ "include": {} })).await, "empty_area");
    assert_eq!(
        draft(|content| content["infos"][0]["headline"] = "洪水演练，请撤离".into(), one()).await,
        "exercise_mismatch"
    );
    assert_eq!(draft(|content| content["colour"] = "purple".into(), one()).await, "bad_value");
    assert_eq!(draft(|content| content["urgent"] = true.into(), one()).await, "unknown_field");
    assert_eq!(city.app.city().position(), before);
}

#[tokio::test]
async fn a_late_order_of_a_former_holder_is_refused() {
    let city = city().await;
    let home = city.manned(0);
    let incident = city.opens(true).await;
    let line = city.line_of(home);
    let (commander, deputy) = (city.person(line[0]), city.person(line[1]));
    let epoch = city.app.city().compound(home).unwrap().succession.epoch;
    let gives = async |person, command| {
        let actor = World::somebody(person);
        city.app.muster.order(actor, CommandId(Uuid::now_v7()), None, command).await.unwrap();
    };
    gives(line[0], Command::OfferCommand { compound: home, to: line[1] }).await;
    gives(line[1], Command::AcceptCommand { compound: home }).await;
    let switch = json!({ "compounds": [home], "to": { "emergency": "II" } });
    let path = format!("/incidents/{incident}/switch");
    let late = city.post_as(&commander, &path, switch.clone(), Uuid::now_v7(), Some(epoch)).await;
    assert_eq!(late.refused(), (409, "stale_epoch"));
    city.post_as(&deputy, &path, switch, Uuid::now_v7(), Some(epoch + 1)).await.ok();
}

#[tokio::test]
async fn nobody_reads_beyond_their_area() {
    let city = city().await;
    let incident = city.opens(true).await;
    let (home, elsewhere) = (city.manned(0), city.manned(1));
    city.raises(&incident, &[home, elsewhere]).await;
    let commander = city.commander_of(home);
    let roll = |id| format!("/incidents/{incident}/compounds/{id}/households");
    city.get(&commander, &roll(home)).await.ok();
    assert_eq!(city.get(&commander, &roll(elsewhere)).await.refused(), (403, "not_your_area"));
    let observer = city.account("observer");
    assert_eq!(city.get(&observer, &roll(home)).await.refused(), (403, "not_your_role"), "observers see numbers only");
    city.get(&observer, &format!("/incidents/{incident}/compounds/{home}/roll")).await.ok();
    assert_eq!(city.get(&commander, &format!("/incidents/{incident}/tally?area=1404")).await.status, 403);
    assert_eq!(city.get(&observer, &format!("/incidents/{incident}/help")).await.refused(), (403, "not_your_role"));
    assert!(items(&city.get(&commander, "/alerts").await.ok()).is_empty());
    let household = city.household(format!("{home}/1-1-101").parse().unwrap());
    assert_eq!(city.get(&household, &format!("/incidents/{incident}/compounds/{home}/roll")).await.status, 403);
}
