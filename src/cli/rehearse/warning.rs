//! Warning: the look before sending, then the alert: drafted, checked, approved, out. Who answers it is in `answers`.

use anyhow::bail;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::domain::compound::CompoundId;

use super::stage::{Made, Stage};

/// The river along which it is played.
pub const RIVER: &str = "浊漳河";
/// Half-widths that are tried, m: lines of rivers are about 1 km off, so a corridor begins there.
const WITHIN_M: std::ops::RangeInclusive<u32> = 500..=20_000;
/// How finely a half-width is found, m.
const STEP_M: u32 = 100;
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
