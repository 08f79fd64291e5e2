//! Clearing up after a rehearsal that stopped half-way: compounds must not stay in emergency mode for an exercise that nobody plays.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::TITLE;
use super::stage::Stage;
use super::stand_down::withdraw;

#[derive(Deserialize)]
struct Incident {
    id: Uuid,
    exercise: bool,
    title: String,
}

#[derive(Deserialize)]
struct Alert {
    id: Uuid,
    kind: Value,
    compounds: usize,
}

#[derive(Deserialize)]
struct Unsent {
    id: Uuid,
}

#[derive(Deserialize)]
struct Help {
    #[serde(rename = "help")]
    key: String,
}

/// Ends every rehearsal that is still open: alerts withdrawn or rejected, help handed over, compounds stood down, incident closed.
///
/// # Errors
/// What the server refused.
pub async fn clear(stage: &Stage) -> anyhow::Result<()> {
    let open: Vec<Incident> = stage.api.list(&stage.city1, "incidents?open=true").await?;
    for incident in open.iter().filter(|incident| incident.exercise && incident.title == TITLE) {
        stage.teller.say("收尾未完成的演练", "ending a rehearsal that stopped half-way");
        end(stage, incident.id).await?;
    }
    Ok(())
}

async fn end(stage: &Stage, incident: Uuid) -> anyhow::Result<()> {
    let path = format!("alerts?status=issued&incident={incident}");
    let alerts: Vec<Alert> = stage.api.list(&stage.city1, &path).await?;
    for alert in alerts.iter().filter(|alert| alert.kind == "alert") {
        withdraw(stage, alert.id, alert.compounds, "演练中止", "the exercise was broken off").await?;
    }
    let path = format!("alerts?status=awaiting_approval&incident={incident}");
    let unsent: Vec<Unsent> = stage.api.list(&stage.city1, &path).await?;
    for Unsent { id } in unsent {
        let form = json!({ "reason": "演练中止 The exercise was broken off" });
        stage.order(&format!("alerts/{id}/reject"), &form).await?;
    }
    let waiting: Vec<Help> = stage.api.list(&stage.city1, &format!("incidents/{incident}/help")).await?;
    for Help { key } in &waiting {
        let reason = "演练中止。 The exercise was broken off.";
        let form = json!({ "help": key, "how": "handed_over", "reason": reason });
        stage.order(&format!("incidents/{incident}/help/end"), &form).await?;
    }
    let tally: Value = stage.api.get(&stage.city1, &format!("incidents/{incident}/tally?area={}", stage.area)).await?;
    if tally["in_emergency"] != 0 {
        let form = json!({ "areas": [stage.area], "to": "normal" });
        stage.order(&format!("incidents/{incident}/switch"), &form).await?;
    }
    stage.order(&format!("incidents/{incident}/close"), &json!({})).await
}
