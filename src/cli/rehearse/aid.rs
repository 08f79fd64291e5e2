//! Mutual aid: neighbours of the compound that is hit worst send what they have, and get it back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::domain::compound::CompoundId;

use super::stage::{Made, Stage};

/// How far neighbours are looked for, m: a walk of a quarter of an hour, then as far as the API looks.
const WITHIN_M: [u32; 2] = [1_000, 20_000];
/// What is sent, and how much of it at most.
const THINGS: [(&str, u32); 2] = [("抽水泵", 1), ("沙袋", 30)];

#[derive(Deserialize)]
struct Neighbour {
    compound: CompoundId,
    name: String,
    apart_m: f64,
    free_hands: usize,
    stock: BTreeMap<String, u32>,
}

/// Sends what the nearest neighbour has, and notes that it came back.
///
/// # Errors
/// What the server refused.
pub async fn send_and_return(stage: &mut Stage) -> anyhow::Result<()> {
    let Some(worst) = stage.places.iter().find(|place| Some(place.id()) == stage.worst) else { return Ok(()) };
    let (to, to_name) = (worst.id(), worst.compound.name.clone());
    let mut near: Vec<Neighbour> = Vec::new();
    for within_m in WITHIN_M {
        let path = format!("compounds/{to}/neighbours?within_m={within_m}");
        near = stage.api.get(&stage.city1, &path).await?;
        near.retain(|one| THINGS.iter().any(|(thing, _)| one.stock.contains_key(*thing)));
        if !near.is_empty() {
            let count = near.len();
            stage.teller.say(
                &format!("{to_name}求助最多；{within_m} 米内 {count} 个小区有泵或沙袋"),
                &format!(
                    "{to} has the most requests for help; {count} compounds within {within_m} m have pumps or sandbags"
                ),
            );
            break;
        }
    }
    let Some(from) = near.first() else {
        stage.teller.say("附近没有可支援的小区", "no neighbour has anything to send");
        return Ok(());
    };
    let mut sent = Vec::new();
    for (thing, most) in THINGS {
        let quantity = from.stock.get(thing).copied().unwrap_or(0).min(most);
        if quantity == 0 {
            continue;
        }
        let form = json!({ "incident": stage.incident, "from": from.compound, "to": to, "resource": thing, "quantity": quantity });
        let made: Made = stage.api.post(&stage.city1, "dispatches", &form).await?;
        sent.push(made.id);
        let Neighbour { compound, name, apart_m, free_hands, .. } = from;
        stage.teller.say(
            &format!("{name}（相距 {apart_m} 米，空闲 {free_hands} 人）支援{thing} {quantity}"),
            &format!("{compound}, {apart_m} m away with {free_hands} free hands, sends {quantity} {thing}"),
        );
    }
    for id in &sent {
        stage.order(&format!("dispatches/{id}/return"), &json!({})).await?;
    }
    stage.figures.aid = (sent.len(), sent.len());
    stage.teller.say("支援物资已归还登记", "what was sent is noted as returned");
    Ok(())
}
