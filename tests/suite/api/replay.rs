//! An incident told again: every frame is the map as it stood at that position, and the last is the live map.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use muster::city::City as State;
use muster::domain::compound::CompoundId;
use serde_json::{Value, json};

use super::{City, city, items};

/// An exercise with an alert, calls, a report, a cry for help that ends, and silence; three compounds are concerned, one by the alert alone.
struct Played {
    city: City,
    incident: String,
    homes: Vec<CompoundId>,
}

impl Played {
    async fn start() -> Self {
        let city = city().await;
        let incident = city.opens(true).await;
        let homes = city.some(3);
        let played = Self { city, incident, homes };
        played.warn().await;
        played.call().await;
        played.ask_for_help().await;
        played.fall_silent().await;
        played
    }

    async fn warn(&self) {
        let Self { city, incident, homes } = self;
        let alert = city.drafts(incident, homes).await;
        city.post(&city.account("city1"), &format!("/alerts/{alert}/submit"), json!({})).await.ok();
        city.clock.forward_s(20);
        let commander = city.commander_of(homes[0]);
        city.post(&commander, &format!("/alerts/{alert}/receipt"), json!({ "stage": "shown" })).await.ok();
        city.clock.forward_s(5);
        city.post(&commander, &format!("/alerts/{alert}/acknowledge"), json!({})).await.ok();
    }

    async fn call(&self) {
        let Self { city, incident, homes } = self;
        city.clock.forward_s(60);
        city.raises(incident, &homes[..2]).await;
        let duty = city.get(&city.account("city1"), &format!("/compounds/{}/duty", homes[0])).await.ok();
        for (n, answer) in [(0, "acknowledged"), (0, "on_post"), (1, "acknowledged")] {
            let call = &duty["calls"][n];
            let person = city.person(call["person"].as_str().unwrap().parse().unwrap());
            city.clock.forward_s(7);
            city.post(&person, "/calls/answer", json!({ "post": call["post"], "answer": answer })).await.ok();
        }
    }

    async fn ask_for_help(&self) {
        let Self { city, incident, homes } = self;
        let who = city.account("city1");
        let flat = city.app.city().compound(homes[0]).unwrap().compound.flats().next().unwrap();
        let household = format!("{}/{flat}", homes[0]);
        let form = json!({ "household": household, "status": { "need_help": { "kinds": ["trapped"] } }, "heads": 2,
            "verified": "door_to_door", "made_at": muster::server::time::Rfc3339(city.app.now()).to_string() });
        city.post(&who, &format!("/incidents/{incident}/check-ins"), form).await.ok();
        city.clock.forward_s(30);
        let end = json!({ "help": format!("{household}/1"), "how": "resolved", "reason": "已救出" });
        city.post(&who, &format!("/incidents/{incident}/help/end"), end).await.ok();
    }

    async fn fall_silent(&self) {
        self.city.clock.forward_s(self.city.app.muster.policy().silent_after_s + 60);
        self.city.app.muster.tick().await;
        let state = self.city.app.city();
        assert!(state.compound(self.homes[1]).unwrap().silent, "nobody of it ever spoke");
    }

    async fn replay(&self, query: &str) -> Value {
        let path = format!("/incidents/{}/replay{query}", self.incident);
        self.city.get(&self.city.account("city1"), &path).await.ok()
    }

    /// How these compounds stood after the record at `position`, by a fold of the journal's own.
    fn stood_at(&self, position: u64) -> BTreeMap<String, Value> {
        let (reader, mut state) = (self.city.app.journal.clone().unwrap(), State::default());
        let until = |record: muster::domain::event::Record| {
            state.evolve(&record);
            if record.position == position { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        reader.for_each_after(0, until).unwrap();
        assert_eq!(state.position(), position);
        let shown = |id: &CompoundId| serde_json::to_value(state.map_state(*id, state.compound(*id).unwrap())).unwrap();
        self.homes.iter().map(|id| (id.to_string(), shown(id))).collect()
    }
}

/// The frames as a page plays them: each with how all compounds stand in it.
fn play(replay: &Value) -> Vec<(u64, BTreeMap<String, Value>)> {
    let mut stand: BTreeMap<String, Value> = BTreeMap::new();
    let mut frame = |frame: &Value| {
        for change in frame["changes"].as_array().unwrap() {
            let state = stand.entry(change["id"].as_str().unwrap().to_owned()).or_insert_with(|| json!({}));
            for (field, value) in change.as_object().unwrap() {
                state[field] = value.clone();
            }
        }
        (frame["position"].as_u64().unwrap(), stand.clone())
    };
    replay["frames"].as_array().unwrap().iter().map(&mut frame).collect()
}

#[tokio::test]
async fn every_frame_is_the_map_as_it_stood_and_the_last_is_the_live_map() {
    let played = Played::start().await;
    let replay = played.replay("").await;
    assert_eq!((&replay["exercise"], &replay["compounds"], &replay["span_ms"]), (&json!(true), &json!(3), &json!(0)));
    let frames = play(&replay);
    assert!(frames.len() > 8, "each change has its own frame: {}", frames.len());
    for (position, stand) in &frames {
        assert_eq!(*stand, played.stood_at(*position), "at {position}");
    }
    let live = played.city.get(&played.city.account("city1"), "/map/state").await.ok();
    let is_ours = |state: &&Value| frames[0].1.contains_key(state["id"].as_str().unwrap());
    let live =
        items(&live).iter().filter(is_ours).map(|state| (state["id"].as_str().unwrap().to_owned(), state.clone()));
    assert_eq!(frames.last().unwrap().1, live.collect());
    assert_eq!(replay["end"].as_u64(), Some(played.city.app.city().position()));
    let silent = |(_, stand): &(u64, BTreeMap<String, Value>)| stand[&played.homes[1].to_string()]["silent"] == true;
    assert!(!silent(&frames[0]) && silent(frames.last().unwrap()), "silence is told when it fell");
    let helped = |(_, stand): &&(u64, BTreeMap<String, Value>)| stand[&played.homes[0].to_string()]["help_open"] == 1;
    assert_eq!(frames.iter().filter(helped).count(), 1, "the cry for help comes and ends");
}

#[tokio::test]
async fn fewer_frames_are_coarser_and_just_as_true() {
    let played = Played::start().await;
    let all = play(&played.replay("").await);
    let coarse = played.replay("?frames=4").await;
    assert!(coarse["span_ms"].as_u64().unwrap() > 0);
    let frames = play(&coarse);
    assert!((2..=4).contains(&frames.len()), "{}", frames.len());
    for (position, stand) in &frames {
        assert_eq!(*stand, played.stood_at(*position), "at {position}");
    }
    assert_eq!((frames.first(), frames.last()), (all.first(), all.last()));
    let (from, until) = (all[2].0, all[5].0);
    let part = played.replay(&format!("?frames=4&from={from}&until={until}")).await;
    assert_eq!((&part["span_ms"], part["end"].as_u64()), (&json!(0), Some(until)), "a part is told finer");
    assert_eq!(play(&part), all[2..=5]);
}

#[tokio::test]
async fn a_closed_incident_ends_where_it_was_closed() {
    let played = Played::start().await;
    let (city, who) = (&played.city, played.city.account("city1"));
    let normal = json!({ "compounds": played.homes[..2], "to": "normal" });
    city.post(&who, &format!("/incidents/{}/switch", played.incident), normal).await.ok();
    city.post(&who, &format!("/incidents/{}/close", played.incident), json!({})).await.ok();
    let closed = city.app.city().position();
    let next = city.opens(false).await;
    city.raises(&next, &played.homes).await;
    let replay = played.replay("").await;
    assert_eq!(replay["end"].as_u64(), Some(closed));
    let (_, last) = play(&replay).pop().unwrap();
    assert!(last.values().all(|state| state["emergency"] == false), "what came later is not in it");
}

#[tokio::test]
async fn one_sees_the_replay_of_the_own_areas() {
    let played = Played::start().await;
    let path = format!("/incidents/{}/replay", played.incident);
    let elsewhere = played.city.get(&played.city.account("qinyuan"), &path).await.ok();
    let theirs = played.homes.iter().filter(|id| id.is_in("140431".parse().unwrap())).count() as u64;
    assert!(theirs < 3);
    assert_eq!(elsewhere["compounds"].as_u64(), Some(theirs));
    assert!(play(&elsewhere).iter().all(|(_, stand)| stand.len() as u64 == theirs));
    let commander = played.city.commander_of(played.homes[0]);
    assert_eq!(played.city.get(&commander, &path).await.refused(), (403, "not_your_role"));
    let outside = played.city.get(&played.city.account("qinyuan"), &format!("{path}?area=140403")).await;
    assert_eq!(outside.refused(), (403, "not_your_area"));
}
