//! Hazards, response levels and warning colours: what plans are for and how grave it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a plan is for. Event codes follow GB/T 35561-2017 as far as `config/templates` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hazard {
    /// 洪水、内涝
    Flood,
    /// 火灾
    Fire,
    /// 燃气泄漏
    GasLeak,
    /// 地震
    Earthquake,
    /// 暴雪
    Snow,
    /// 地质灾害（滑坡、塌陷）
    Landslide,
    /// 高温
    Heat,
    /// 疫情
    Epidemic,
    /// 停水停电停气
    UtilityFailure,
}

impl Hazard {
    /// All hazards.
    pub const ALL: [Self; 9] = [
        Self::Flood,
        Self::Fire,
        Self::GasLeak,
        Self::Earthquake,
        Self::Snow,
        Self::Landslide,
        Self::Heat,
        Self::Epidemic,
        Self::UtilityFailure,
    ];
}

/// I (gravest) to IV. Said by name, never as a bare digit: other systems number the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum ResponseLevel {
    /// 特别重大, Ⅰ级
    I,
    /// 重大, Ⅱ级
    II,
    /// 较大, Ⅲ级
    III,
    /// 一般, Ⅳ级
    IV,
}

impl ResponseLevel {
    /// Gravest first.
    pub const ALL: [Self; 4] = [Self::I, Self::II, Self::III, Self::IV];

    /// 0 for I … 3 for IV.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The colour of a warning; a decision separate from the response level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningColour {
    /// 红色
    Red,
    /// 橙色
    Orange,
    /// 黄色
    Yellow,
    /// 蓝色
    Blue,
}

impl WarningColour {
    /// Gravest first.
    pub const ALL: [Self; 4] = [Self::Red, Self::Orange, Self::Yellow, Self::Blue];
}
