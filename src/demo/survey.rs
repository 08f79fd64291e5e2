//! What the risk survey is said to have found: two to six findings a compound, by its age, height, and how near a river is.

use super::dice::Dice;
use super::estate::Era;
use super::ground::Water;
use super::plane::Xy;
use crate::domain::area::AreaLevel;
use crate::domain::compound::{Compound, Finding, RiskGrade};
use crate::domain::hazard::Hazard;

/// Each finding says that nobody found it.
const MARK: &str = "（模拟数据）";
/// Within this distance of a river a compound has a flood finding, m.
pub const NEAR_RIVER_M: f64 = 1_500.0;
const HIGH_WITHIN_M: f64 = 300.0;
const MEDIUM_WITHIN_M: f64 = 800.0;
/// Counties in the mountains, where slopes slide.
const MOUNTAIN_COUNTIES: [u64; 5] = [140_425, 140_426, 140_427, 140_429, 140_431];

type Row = (Hazard, RiskGrade, &'static str);

/// Found anywhere. `{}` becomes the number of a building.
const ANYWHERE: [Row; 12] = [
    (Hazard::Fire, RiskGrade::High, "{}号楼楼道停放电动自行车并私拉电线充电"),
    (Hazard::Fire, RiskGrade::Medium, "{}号楼前消防车道被占用停车，登高场地不足"),
    (Hazard::Fire, RiskGrade::Medium, "{}号楼部分楼层灭火器过期，应急灯不亮"),
    (Hazard::Fire, RiskGrade::Low, "{}号楼管道井堆放杂物"),
    (Hazard::Flood, RiskGrade::Low, "{}号楼前雨水篦子堵塞，暴雨时积水"),
    (Hazard::Heat, RiskGrade::Low, "{}号楼顶层独居老人多，夏季室温高"),
    (Hazard::Snow, RiskGrade::Low, "{}号楼北侧坡道背阴，冬季结冰易滑倒"),
    (Hazard::UtilityFailure, RiskGrade::Medium, "小区单路供电，无备用电源，停电影响用氧住户"),
    (Hazard::UtilityFailure, RiskGrade::Low, "二次供水泵房无备用泵"),
    (Hazard::GasLeak, RiskGrade::Medium, "{}号楼部分住户燃气软管超过使用年限"),
    (Hazard::GasLeak, RiskGrade::Low, "{}号楼个别住户封闭燃气表，检修不便"),
    (Hazard::Epidemic, RiskGrade::Low, "垃圾集中点紧邻儿童活动场，汛后须消杀"),
];

const OLD: [Row; 4] = [
    (Hazard::Earthquake, RiskGrade::High, "{}号楼为砖混结构，未按现行标准设防，外墙有裂缝"),
    (Hazard::GasLeak, RiskGrade::High, "{}号楼户外燃气立管锈蚀"),
    (Hazard::Fire, RiskGrade::High, "{}号楼入户电线老化，未设消火栓"),
    (Hazard::Earthquake, RiskGrade::Medium, "{}号楼女儿墙和阳台挑板松动"),
];

const WITH_LIFT: [Row; 4] = [
    (Hazard::Fire, RiskGrade::High, "{}号楼常闭防火门损坏，疏散楼梯进烟"),
    (Hazard::Earthquake, RiskGrade::Medium, "{}号楼电梯无地震自动停靠，须防困人"),
    (Hazard::Flood, RiskGrade::Medium, "地下车库入口无挡水板，配电室在地下一层"),
    (Hazard::UtilityFailure, RiskGrade::Medium, "{}号楼停电时高层住户上下困难"),
];

const MOUNTAIN: [Row; 2] = [
    (Hazard::Landslide, RiskGrade::High, "{}号楼后为未支护的土质陡坡，连续降雨时有滑塌危险"),
    (Hazard::Landslide, RiskGrade::Medium, "小区北侧冲沟，强降雨时可能有泥石流"),
];

/// The findings of one compound.
pub fn findings(dice: &mut Dice, compound: &Compound, era: Era, river_m: f64) -> Vec<Finding> {
    let mut found: Vec<_> = near_river(river_m).into_iter().collect();
    let wanted = usize::from(dice.range(2, 6));
    let is_mountain = MOUNTAIN_COUNTIES.contains(&compound.id.area(AreaLevel::County).number());
    let special: &[Row] = if matches!(era, Era::Works | Era::WalkUp) { &OLD } else { &WITH_LIFT };
    let mut rows: Vec<&Row> = ANYWHERE.iter().chain(special).chain(special).collect();
    if is_mountain {
        rows.extend(&MOUNTAIN);
    }
    while found.len() < wanted && !rows.is_empty() {
        let drawn = dice.below(rows.len());
        let &(hazard, grade, text) = rows.swap_remove(drawn);
        let no = dice.pick(&compound.buildings).no.to_string();
        let finding = Finding { hazard, grade, text: format!("{}{MARK}", text.replace("{}", &no)) };
        if !found.iter().any(|earlier| earlier.text == finding.text) {
            found.push(finding);
        }
    }
    found
}

fn near_river(river_m: f64) -> Option<Finding> {
    let grade = match river_m {
        m if m <= HIGH_WITHIN_M => RiskGrade::High,
        m if m <= MEDIUM_WITHIN_M => RiskGrade::Medium,
        m if m <= NEAR_RIVER_M => RiskGrade::Low,
        _ => return None,
    };
    let about_m = (river_m / 50.0).round() * 50.0;
    let text = format!("距河道约 {about_m} 米，河水上涨时一层和地下室可能进水{MARK}");
    Some(Finding { hazard: Hazard::Flood, grade, text })
}

/// Distance from the plot's edge to the nearest river, m; 0 when it lies on one.
pub fn river_distance_m(water: &Water, middle: Xy, radius_m: f64) -> f64 {
    let nearest = water.rivers.iter().flatten().map(|bank| bank.distance(middle)).fold(f64::INFINITY, f64::min);
    (nearest - radius_m).max(0.0)
}
