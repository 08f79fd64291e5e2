//! Contingency plans from CSV (one row a compound, hazard and level) or a JSON array of plans. They come in as approved versions.

use std::collections::HashMap;

use serde_json::Value;

use crate::city::decide::Section;
use crate::domain::compound::CompoundId;
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::plan::{ANSWER_LIMIT_DEFAULT_S, ContingencyPlan, LevelPlan};
use crate::domain::post::Team;

use super::report::{Faults, RowFault};
use super::table::{self, COMPOUND_CODE, Column, Row, optional, required};
use super::{Draft, json_lines};

const COLUMNS: &[Column] = &[
    required("compound", "小区编码"),
    required("hazard", "灾种"),
    required("level", "响应等级"),
    required("teams", "工作组"),
    required("tasks", "任务"),
    required("message", "告知"),
    optional("roll_call", "点名"),
    optional("answer_limit_s", "答复时限秒"),
];

const HAZARDS: &[(&str, Hazard)] = &[
    ("flood", Hazard::Flood),
    ("洪水", Hazard::Flood),
    ("内涝", Hazard::Flood),
    ("洪涝", Hazard::Flood),
    ("fire", Hazard::Fire),
    ("火灾", Hazard::Fire),
    ("gas_leak", Hazard::GasLeak),
    ("燃气泄漏", Hazard::GasLeak),
    ("earthquake", Hazard::Earthquake),
    ("地震", Hazard::Earthquake),
    ("snow", Hazard::Snow),
    ("暴雪", Hazard::Snow),
    ("雪灾", Hazard::Snow),
    ("landslide", Hazard::Landslide),
    ("地质灾害", Hazard::Landslide),
    ("滑坡", Hazard::Landslide),
    ("heat", Hazard::Heat),
    ("高温", Hazard::Heat),
    ("epidemic", Hazard::Epidemic),
    ("疫情", Hazard::Epidemic),
    ("utility_failure", Hazard::UtilityFailure),
    ("停水停电停气", Hazard::UtilityFailure),
    ("停水停电停暖", Hazard::UtilityFailure),
];

const LEVELS: &[(&str, ResponseLevel)] =
    &[("I", ResponseLevel::I), ("II", ResponseLevel::II), ("III", ResponseLevel::III), ("IV", ResponseLevel::IV)];

const TEAMS: &[(&str, Team)] = &[
    ("warning_information", Team::WarningInformation),
    ("信息预警组", Team::WarningInformation),
    ("evacuation_guidance", Team::EvacuationGuidance),
    ("疏散引导组", Team::EvacuationGuidance),
    ("rescue", Team::Rescue),
    ("抢险救援组", Team::Rescue),
    ("medical", Team::Medical),
    ("医疗救护组", Team::Medical),
    ("supplies", Team::Supplies),
    ("后勤保障组", Team::Supplies),
    ("security", Team::Security),
    ("秩序警戒组", Team::Security),
    ("comfort", Team::Comfort),
    ("宣传安抚组", Team::Comfort),
];

const YES_NO: &[(&str, bool)] =
    &[("yes", true), ("是", true), ("true", true), ("no", false), ("否", false), ("false", false)];

/// Reads an array of plans, each as the API has it.
pub(super) fn read_json(draft: &mut Draft, text: &str, rows_max: usize) {
    let plans: Vec<Value> = match serde_json::from_str(text) {
        Ok(plans) => plans,
        Err(error) => return draft.faults.add(RowFault::not_json(error.line(), &error.to_string())),
    };
    if plans.is_empty() {
        return draft.faults.add(RowFault::no_rows());
    }
    if plans.len() > rows_max {
        return draft.faults.add(RowFault::too_many_rows(rows_max));
    }
    draft.rows = plans.len();
    let lines = json_lines::of_objects(text, 1);
    for (at, plan) in plans.into_iter().enumerate() {
        let line = lines.get(at).copied().unwrap_or(1);
        match serde_json::from_value::<ContingencyPlan>(plan) {
            Ok(plan) => add(draft, line, plan),
            Err(error) => draft.faults.add(RowFault::not_json(line, &error.to_string())),
        }
    }
}

/// Reads a table.
pub(super) fn read_csv(draft: &mut Draft, text: &str, rows_max: usize) {
    let table = table::read(draft, text, COLUMNS, rows_max);
    let mut at_of: HashMap<(CompoundId, Hazard), usize> = HashMap::new();
    for row in table.rows() {
        let Some((compound, hazard, level)) = level_of(&row, &mut draft.faults) else { continue };
        let at = *at_of.entry((compound, hazard)).or_insert_with(|| {
            add(draft, row.line(), ContingencyPlan { compound, hazard, levels: Vec::new() });
            draft.batch.plans.len() - 1
        });
        draft.batch.plans[at].levels.push(level);
    }
}

fn level_of(row: &Row<'_>, faults: &mut Faults) -> Option<(CompoundId, Hazard, LevelPlan)> {
    let compound = row.value("compound", COMPOUND_CODE, faults);
    let hazard = row.word("hazard", HAZARDS, faults);
    let level = row.word("level", LEVELS, faults);
    let teams = teams_of(row, faults);
    let tasks = row.required("tasks", faults).map(|text| parts(text).map(str::to_owned).collect());
    let message = row.required("message", faults).map(str::to_owned);
    let roll_call = if row.text("roll_call").is_some() { row.word("roll_call", YES_NO, faults) } else { Some(true) };
    let answer_limit_s = row.value_or("answer_limit_s", ("秒数", "seconds"), ANSWER_LIMIT_DEFAULT_S, faults);
    let (level, teams, tasks, message) = (level?, teams?, tasks?, message?);
    let (roll_call, answer_limit_s) = (roll_call?, answer_limit_s?);
    Some((compound?, hazard?, LevelPlan { level, teams, tasks, message, roll_call, answer_limit_s }))
}

fn teams_of(row: &Row<'_>, faults: &mut Faults) -> Option<Vec<Team>> {
    let mut team = |text: &str| {
        let found = TEAMS.iter().find(|(word, _)| *word == text).map(|(_, team)| *team);
        if found.is_none() {
            let wanted = TEAMS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" / ");
            faults.add(row.bad("teams", text, (&wanted, &wanted)));
        }
        found
    };
    let text = row.text("teams").unwrap_or_default();
    let teams: Option<Vec<_>> = parts(text).map(&mut team).collect();
    teams.filter(|teams| !teams.is_empty()).or_else(|| {
        row.required("teams", faults);
        None
    })
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '；']).map(str::trim).filter(|part| !part.is_empty())
}

fn add(draft: &mut Draft, line: usize, plan: ContingencyPlan) {
    draft.lines.insert((Section::Plans, draft.batch.plans.len()), line);
    draft.batch.plans.push(plan);
}
