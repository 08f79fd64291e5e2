//! Offices in words: who commands a compound, or would, without naming anybody.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::domain::area::AreaLevel;
use crate::domain::succession::Office;

/// Which office commands a compound. No person is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfficeKind {
    /// 指挥长
    Commander,
    /// 副指挥长
    Deputy,
    /// 社区
    Community,
    /// 街道
    Street,
}

/// An office that commands a compound, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfficeView {
    /// Which.
    pub office: OfficeKind,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl OfficeView {
    /// Of an office.
    pub fn of(city: &City, office: Office) -> Self {
        let (office, zh, en) = match office {
            Office::Commander => (OfficeKind::Commander, "指挥长".to_owned(), "Commander".to_owned()),
            Office::Deputy(rank) => (OfficeKind::Deputy, format!("第{rank}副指挥长"), format!("Deputy {rank}")),
            Office::Dispatchers(area) => {
                let is_street = area.level() == AreaLevel::Street;
                let office = if is_street { OfficeKind::Street } else { OfficeKind::Community };
                let name = city.area_name(area);
                (office, format!("{name}值班员"), format!("Dispatchers of {name}"))
            }
        };
        Self { office, zh, en }
    }
}
