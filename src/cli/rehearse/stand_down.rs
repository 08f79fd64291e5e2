//! Stand-down: the alert withdrawn by its ready text, the compounds back to normal, the incident closed.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{Made, Stage};

/// How long all phones may take to get the withdrawal.
const DELIVER_WITHIN: Duration = Duration::from_secs(30);

/// Withdraws an alert that went to so many compounds, with the second person where the server's rule asks for one.
///
/// # Errors
/// What the server refused.
pub async fn withdraw(stage: &Stage, alert: Uuid, compounds: usize, zh: &str, en: &str) -> anyhow::Result<Uuid> {
    let values = json!({ "zh-CN": { "reason": zh }, "en-US": { "reason": en, "place": "the Zhuozhang River" } });
    let form = json!({ "values": values, "send": true, "confirm_compounds": compounds });
    let cancel: Made = stage.api.post(&stage.city1, &format!("alerts/{alert}/cancel"), &form).await?;
    let view: Value = stage.api.get(&stage.city1, &format!("alerts/{}", cancel.id)).await?;
    if view["status"] == "awaiting_approval" {
        let path = format!("alerts/{}/approve", cancel.id);
        stage.api.post::<Value>(&stage.city2, &path, &json!({ "confirm_compounds": compounds })).await?;
    }
    Ok(cancel.id)
}

/// Withdraws, stands down, closes.
///
/// # Errors
/// What the server refused.
pub async fn stand_down(stage: &mut Stage) -> anyhow::Result<()> {
    let cancel = withdraw(
        stage,
        stage.alert,
        stage.places.len(),
        "水位回落到警戒线以下",
        "the water has fallen below the warning mark",
    )
    .await?;
    let got = |phone: &super::phone::Phone| phone.log().alerts.get(&cancel).is_some_and(|at| at.on_device.is_some());
    stage.wait_until(DELIVER_WITHIN, |stage| stage.phones.iter().all(got)).await;
    let count = stage.phones.iter().filter(|phone| got(phone)).count();
    stage.teller.say(&format!("解除信息已到 {count} 部手机"), &format!("the withdrawal is on {count} phones"));
    let form = json!({ "compounds": stage.codes(), "to": "normal" });
    stage.order(&format!("incidents/{}/switch", stage.incident), &form).await?;
    stage
        .teller
        .say("全部小区转回平时，岗位解除，点名关闭", "all compounds are back to normal: posts relieved, rolls closed");
    stage.order(&format!("incidents/{}/close", stage.incident), &json!({})).await?;
    let incident: Value = stage.api.get(&stage.city1, &format!("incidents/{}", stage.incident)).await?;
    stage.figures.closed = incident["closed_at"].is_string();
    stage.teller.say("事件关闭", "the incident is closed");
    Ok(())
}
