//! Warning: the incident, the look before sending, the alert, who acknowledges, and who takes over from the silent.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;

use super::stage::{Made, Stage};

/// The river along which it is played.
pub const RIVER: &str = "浊漳河";
/// Half-widths that are tried, m: lines of rivers are about 1 km off, so a corridor begins there.
const WITHIN_M: std::ops::RangeInclusive<u32> = 500..=20_000;
/// How finely a half-width is found, m.
const STEP_M: u32 = 100;
/// How long all phones may take to get the alert.
const DELIVER_WITHIN: Duration = Duration::from_secs(30);
/// How long is waited beyond the slowest person for what they did to be answered.
const GRACE: Duration = Duration::from_secs(15);
/// The slowest commander to acknowledge, and the slowest to take over and then acknowledge, in their seconds.
const ACKNOWLEDGE_S: f64 = 120.0;
const TAKE_OVER_S: f64 = 150.0;

#[derive(Deserialize)]
struct River {
    name: String,
    lines: Vec<Vec<[f64; 2]>>,
}

/// What an area would mean.
#[derive(Deserialize)]
pub struct Preview {
    /// The compounds.
    pub hits: Vec<CompoundId>,
    households: u64,
    people: u64,
    vulnerable_households: u64,
    commanders_reachable: usize,
    commanders_not_reachable: usize,
    without_commander: Vec<CompoundId>,
}

#[derive(Deserialize)]
struct Rendered {
    content: Value,
}

#[derive(Deserialize)]
struct Finding {
    blocking: bool,
    hint_zh: String,
}

#[derive(Deserialize)]
struct Reach {
    compound: CompoundId,
    name: String,
    ack_due: Option<String>,
    without_commander: bool,
}

#[derive(Deserialize)]
struct Funnel {
    compounds: u64,
    compounds_acknowledged: u64,
}

/// Finds how wide along the river about so many compounds are hit; gives the target and its half-width, m.
///
/// # Errors
/// What the server refused; a river that is not there.
pub async fn along_the_river(stage: &Stage, wanted: usize) -> anyhow::Result<(Value, u32, Preview)> {
    let rivers: Vec<River> = stage.api.get(&stage.city1, "rivers").await?;
    let lines: Vec<_> = rivers.iter().filter(|river| river.name.contains(RIVER)).flat_map(|r| &r.lines).collect();
    if lines.is_empty() {
        bail!("地图上没有{RIVER}。 The river {RIVER} is not on the map.");
    }
    let target = |within_m: u32| {
        let corridors: Vec<_> = lines.iter().map(|line| json!({ "line": line, "within_m": within_m })).collect();
        json!({ "include": { "corridors": corridors } })
    };
    // The widest that hits no more than wanted: halved until it is known to a step.
    let (mut low, mut high) = (*WITHIN_M.start() / STEP_M, *WITHIN_M.end() / STEP_M);
    while low < high {
        let middle = (low + high).div_ceil(2);
        let preview: Preview = stage.api.post(&stage.city1, "targets/preview", &target(middle * STEP_M)).await?;
        if preview.hits.len() <= wanted { low = middle } else { high = middle - 1 }
    }
    let area = target(low * STEP_M);
    let preview: Preview = stage.api.post(&stage.city1, "targets/preview", &area).await?;
    if preview.hits.is_empty() {
        bail!("{RIVER}沿岸没有小区。 No compound lies along the river {RIVER}.");
    }
    Ok((area, low * STEP_M, preview))
}

/// Says whom the alert would hit, with the phones on.
pub fn tell_preview(stage: &Stage, within_m: u32, preview: &Preview) {
    let Preview { hits, households, people, vulnerable_households, .. } = preview;
    let (compounds, nobody) = (hits.len(), preview.without_commander.len());
    let (on, out) = (preview.commanders_reachable, preview.commanders_not_reachable);
    stage.teller.say(
        &format!("预览 {RIVER}两侧 {within_m} 米：{compounds} 个小区，{households} 户 {people} 人，重点户 {vulnerable_households} 户"),
        &format!("preview {within_m} m along the Zhuozhang: {compounds} compounds, {households} households, {people} people, {vulnerable_households} vulnerable"),
    );
    stage.teller.say(
        &format!("指挥线在线 {on} 个小区，不在线 {out} 个，无指挥长 {nobody} 个"),
        &format!("commanders reachable in {on}, not reachable in {out}, nobody named in {nobody}"),
    );
}

/// Drafts, checks and sends the alert; the second person approves where the server's rule asks for it.
///
/// # Errors
/// What the server refused; a text that says too little.
pub async fn send(stage: &mut Stage, target: &Value, compounds: usize) -> anyhow::Result<()> {
    let place = format!("{RIVER}沿岸");
    let values = json!({
        "zh-CN": { "place": place, "sender": "长治市应急指挥中心", "phone": "0355-0000000" },
        "en-US": { "place": "the Zhuozhang River", "sender": "Changzhi Emergency Command", "phone": "0355-0000000" },
    });
    let form = json!({ "hazard": "flood", "colour": "red", "kind": "new", "exercise": true, "values": values });
    let Rendered { content } = stage.api.post(&stage.city1, "templates/render", &form).await?;
    let form = json!({ "content": content, "target": target });
    let findings: Vec<Finding> = stage.api.post(&stage.city1, "alerts/lint", &form).await?;
    if let Some(finding) = findings.iter().find(|finding| finding.blocking) {
        bail!("预警文字不完整 The text is not complete: {}", finding.hint_zh);
    }
    let hints = findings.len();
    stage.teller.say(
        &format!("套用洪水红色模板，五要素检查通过（提示 {hints} 条）"),
        &format!("red flood template filled in; the linter lets it pass with {hints} hints"),
    );
    let form = json!({ "incident": stage.incident, "content": content, "target": target });
    let draft: Made = stage.api.post(&stage.city1, "alerts", &form).await?;
    stage.alert = draft.id;
    let confirm = json!({ "confirm_compounds": compounds });
    let before = Instant::now();
    stage.order(&format!("alerts/{}/submit", stage.alert), &confirm).await?;
    let alert: Value = stage.api.get(&stage.city1, &format!("alerts/{}", stage.alert)).await?;
    if alert["status"] == "awaiting_approval" {
        stage.teller.say("city1 提交，等待第二人审批", "city1 submitted; a second person must approve");
        let before = Instant::now();
        let path = format!("alerts/{}/approve", stage.alert);
        stage.api.post::<Value>(&stage.city2, &path, &confirm).await?;
        stage.figures.issued = Some(before);
        stage
            .teller
            .say("city2 核对小区数后批准，预警发出", "city2 confirmed the number of compounds and approved: it is out");
    } else {
        stage.figures.issued = Some(before);
        stage.teller.say(
            "预警发出；本服务器规则不要求演练经第二人审批（alert.approval_in_exercise = false）",
            "the alert is out; this server's rule asks for no second person in an exercise (alert.approval_in_exercise = false)",
        );
    }
    Ok(())
}

/// Waits for phones and commanders.
///
/// # Errors
/// What the server refused.
pub async fn hear_back(stage: &mut Stage) -> anyhow::Result<()> {
    let alert = stage.alert;
    let has = |phone: &super::phone::Phone| phone.log().alerts.get(&alert).is_some_and(|at| at.on_device.is_some());
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
    let shown = |phone: &super::phone::Phone| {
        phone.owner.silent || phone.log().alerts.get(&alert).is_some_and(|at| at.shown.is_some())
    };
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
    let times = |phone: &super::phone::Phone| phone.log().alerts.get(&alert).copied().unwrap_or_default();
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
        let due = reach.ack_due.as_deref().unwrap_or("—");
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

/// Says what the timer will do, or waits until it has done it.
async fn automatic_line(stage: &Stage, wait: bool, waiting: &[Reach]) -> anyhow::Result<()> {
    if !wait {
        stage.teller.say(
            "其余由系统在确认时限（alert.ack_timeout_s，默认 300 秒）后自动递补，本次不等待；--wait-for-escalation 可等待",
            "the others are passed on by the timer after alert.ack_timeout_s (300 s by default); this run does not wait (--wait-for-escalation does)",
        );
        return Ok(());
    }
    stage.teller.say("等待确认时限到期后自动递补", "waiting for the timer to pass the command on");
    let path = format!("alerts/{}/compounds?unacknowledged=true", stage.alert);
    let until = Instant::now() + ESCALATION_WITHIN;
    loop {
        let left: Vec<Reach> = stage.api.list(&stage.city1, &path).await?;
        let left = left.iter().filter(|reach| !reach.without_commander).count();
        if left == 0 || Instant::now() >= until {
            let passed = waiting.len().saturating_sub(left);
            stage.teller.say(
                &format!("已确认 {passed} 个，仍未确认 {left} 个"),
                &format!("{passed} acknowledged since, {left} not"),
            );
            return Ok(());
        }
        tokio::time::sleep(ESCALATION_LOOK_EVERY).await;
    }
}

/// How long the automatic line is waited for, and how often it is looked at.
const ESCALATION_WITHIN: Duration = Duration::from_secs(900);
const ESCALATION_LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the server counts at the end.
///
/// # Errors
/// What the server refused.
pub async fn count(stage: &mut Stage) -> anyhow::Result<()> {
    let path = format!("alerts/{}/funnel", stage.alert);
    let funnel: Funnel = stage.api.get(&stage.city1, &path).await.context("funnel")?;
    stage.figures.compounds_acknowledged = (funnel.compounds_acknowledged, funnel.compounds);
    Ok(())
}
