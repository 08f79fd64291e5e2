//! Who answers the alert: phones that get it, commanders who acknowledge, deputies who take over from the silent.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;

use super::phone::Phone;
use super::stage::Stage;

/// How long all phones may take to get the alert.
const DELIVER_WITHIN: Duration = Duration::from_secs(30);
/// How long is waited beyond the slowest person for what they did to be answered.
const GRACE: Duration = Duration::from_secs(15);
/// The slowest commander to acknowledge, and the slowest to take over and then acknowledge, in their seconds.
const ACKNOWLEDGE_S: f64 = 120.0;
const TAKE_OVER_S: f64 = 150.0;
/// How long the automatic line is waited for, and how often it is looked at.
const ESCALATION_WITHIN: Duration = Duration::from_mins(15);
const ESCALATION_LOOK_EVERY: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Reach {
    compound: CompoundId,
    name: String,
    ack_due: Option<String>,
    without_commander: bool,
}

#[derive(Deserialize)]
struct Answered {
    acknowledged_at: Option<String>,
    passed_over: u32,
}

#[derive(Deserialize)]
struct Sent {
    sent: String,
}

/// Waits for phones and commanders.
///
/// # Errors
/// What the server refused.
pub async fn hear_back(stage: &mut Stage) -> anyhow::Result<()> {
    let alert = stage.alert;
    let has = |phone: &Phone| phone.log().alerts.get(&alert).is_some_and(|at| at.on_device.is_some());
    stage.wait_until(DELIVER_WITHIN, |stage| stage.phones.iter().all(has)).await;
    let got = stage.phones.iter().filter(|phone| has(phone)).count();
    stage.teller.say(&format!("{got} 部手机已收到预警"), &format!("the alert is on {got} phones"));
    let answering: Vec<PersonId> =
        stage.places.iter().filter(|place| !place.silent).filter_map(|place| place.line.first().copied()).collect();
    // Who commands in two places acknowledges once for both, and has one phone.
    let acknowledged = |stage: &Stage, person: &PersonId| {
        stage
            .phone(*person)
            .is_none_or(|phone| phone.log().alerts.get(&alert).is_some_and(|at| at.acknowledged.is_some()))
    };
    let limit = stage.their_s(ACKNOWLEDGE_S) + GRACE;
    stage.wait_until(limit, |stage| answering.iter().all(|person| acknowledged(stage, person))).await;
    let shown =
        |phone: &Phone| phone.owner.silent || phone.log().alerts.get(&alert).is_some_and(|at| at.shown.is_some());
    stage.wait_until(GRACE, |stage| stage.phones.iter().all(shown)).await;
    note_times(stage, &answering);
    let (silent, commanders) = (stage.figures.silent.0, stage.figures.acknowledged.len());
    stage.teller.say(
        &format!("{commanders} 名指挥长已确认，{silent} 名未应答"),
        &format!("{commanders} commanders acknowledged, {silent} do not answer"),
    );
    Ok(())
}

fn note_times(stage: &mut Stage, answering: &[PersonId]) {
    let alert = stage.alert;
    let times = |phone: &Phone| phone.log().alerts.get(&alert).copied().unwrap_or_default();
    let all: Vec<_> = stage.phones.iter().map(times).collect();
    let commanders: Vec<_> = answering.iter().filter_map(|person| stage.phone(*person)).collect();
    let acknowledged = commanders.iter().filter_map(|phone| times(phone).acknowledged).collect();
    let (count, watched) = (commanders.len(), stage.phones.iter().filter(|phone| !phone.owner.silent).count());
    let silent = stage.places.iter().filter(|place| place.silent).count();
    let figures = &mut stage.figures;
    figures.on_device = all.iter().filter_map(|at| at.on_device).collect();
    figures.shown = all.iter().filter_map(|at| at.shown).collect();
    (figures.acknowledged, figures.commanders, figures.watched) = (acknowledged, count, watched);
    figures.silent.0 = silent;
}

/// Shows who is still waited for, and hands half of their compounds to the first deputy; the rest is left to the automatic line, or
/// waited for.
///
/// # Errors
/// What the server refused.
pub async fn hand_over(stage: &mut Stage, wait_for_escalation: bool) -> anyhow::Result<()> {
    let path = format!("alerts/{}/compounds?unacknowledged=true", stage.alert);
    let waiting: Vec<Reach> = stage.api.list(&stage.city1, &path).await?;
    for reach in &waiting {
        let due = reach.ack_due.as_deref().and_then(clock).unwrap_or("—");
        let (zh, en) =
            if reach.without_commander { ("无指挥长", "nobody named") } else { ("未确认", "not acknowledged") };
        let Reach { compound, name, .. } = reach;
        stage.teller.say(&format!("{name} {zh}，期限 {due}"), &format!("{compound} {en}, due {due}"));
    }
    let waits = |id: CompoundId| waiting.iter().any(|reach| reach.compound == id);
    let silent = stage.places.iter().filter(|place| place.silent && place.line.len() > 1 && waits(place.id()));
    let silent: Vec<(CompoundId, PersonId)> = silent.map(|place| (place.id(), place.line[1])).collect();
    let handed = &silent[..silent.len().div_ceil(2)];
    for (compound, deputy) in handed {
        stage.order(&format!("compounds/{compound}/command/offer"), &json!({ "to": deputy })).await?;
    }
    let taken = |stage: &Stage, (compound, deputy): &(CompoundId, PersonId)| {
        let code = compound.to_string();
        stage.phone(*deputy).is_some_and(|phone| {
            let log = phone.log();
            log.accepted.contains(&code) && log.alerts.get(&stage.alert).is_some_and(|at| at.acknowledged.is_some())
        })
    };
    stage.wait_until(stage.their_s(TAKE_OVER_S) + GRACE, |stage| handed.iter().all(|one| taken(stage, one))).await;
    let done = handed.iter().filter(|one| taken(stage, one)).count();
    stage.figures.silent.1 = done;
    if done < handed.len() {
        stage.figures.refused.push("a deputy did not take over 副指挥长未接令".to_owned());
    }
    stage.teller.say(
        &format!("调度员将 {done} 个小区的指挥权移交第一副指挥长，已接令并确认"),
        &format!("the dispatcher handed {done} compounds to their first deputies, who took over and acknowledged"),
    );
    automatic_line(stage, wait_for_escalation, &waiting).await
}

/// The time of day of a moment as the API writes it: `2026-11-24T06:24:18.8+08:00` becomes `06:24:18`.
fn clock(moment: &str) -> Option<&str> {
    moment.get(11..19)
}

/// Says what the timer will do, or waits until it has done it and the deputies have answered.
async fn automatic_line(stage: &mut Stage, wait: bool, waiting: &[Reach]) -> anyhow::Result<()> {
    if !wait {
        stage.teller.say(
            "其余由系统在确认时限（alert.ack_timeout_s，默认 300 秒）后自动递补，本次不等待；--wait-for-escalation 可等待",
            "the others are passed on by the timer after alert.ack_timeout_s (300 s by default); this run does not wait (--wait-for-escalation does)",
        );
        return Ok(());
    }
    let path = format!("alerts/{}/compounds?unacknowledged=true", stage.alert);
    let until = Instant::now() + ESCALATION_WITHIN;
    let mut told = waiting.len();
    loop {
        let left: Vec<Reach> = stage.api.list(&stage.city1, &path).await?;
        let reachable = left.iter().filter(|reach| !reach.without_commander).count();
        let late = Instant::now() >= until;
        if left.len() != told || reachable == 0 || late {
            told = left.len();
            let passed = waiting.len().saturating_sub(told);
            stage.teller.say(
                &format!("等待自动递补：{passed} 个小区随后确认，{told} 个未确认"),
                &format!("waiting for the timer to pass the command on: {passed} acknowledged since, {told} not"),
            );
        }
        if reachable == 0 {
            return Ok(());
        }
        if late {
            stage.figures.refused.push(format!("未自动递补 the timer left {reachable} compounds unanswered"));
            return Ok(());
        }
        sleep(ESCALATION_LOOK_EVERY).await;
    }
}

/// After how long each compound was acknowledged, as the server noted it.
///
/// # Errors
/// What the server refused.
pub async fn count(stage: &mut Stage) -> anyhow::Result<()> {
    let path = format!("alerts/{}", stage.alert);
    let Sent { sent } = stage.api.get(&stage.city1, &path).await?;
    let sent: jiff::Timestamp = sent.parse()?;
    let answered: Vec<Answered> = stage.api.list(&stage.city1, &format!("{path}/compounds")).await?;
    let figures = &mut stage.figures;
    figures.compounds = answered.len();
    figures.passed_on = answered.iter().filter(|one| one.passed_over > 0).count();
    for at in answered.iter().filter_map(|one| one.acknowledged_at.as_deref()) {
        figures.compounds_acknowledged.push(at.parse::<jiff::Timestamp>()?.duration_since(sent).unsigned_abs());
    }
    Ok(())
}
