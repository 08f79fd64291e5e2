//! Mutual aid as the API shows it: what is on its way, and who is near and could help.
//!
//! Of a compound that the reader may not see, only what asking for help needs is shown: `city::authority` says which those are.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::authority::Sight;
use crate::city::neighbours::Near;
use crate::city::state::CompoundState;
use crate::domain::aid::{OpenDispatch, Stock};
use crate::domain::area::AreaLevel;
use crate::domain::compound::CompoundId;
use crate::domain::duty::Mode;
use crate::domain::ids::DispatchId;
use crate::domain::succession::Office;
use crate::server::time::Rfc3339;

use super::compound_name;

/// Something that was sent and is not back.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DispatchView {
    /// Its id.
    pub id: DispatchId,
    /// Who sent.
    pub from: CompoundId,
    /// Name of the sender.
    pub from_name: String,
    /// Who got.
    pub to: CompoundId,
    /// Name of the receiver.
    pub to_name: String,
    /// What.
    pub resource: String,
    /// How many.
    pub quantity: u32,
    /// Since when.
    pub since: Rfc3339,
}

impl DispatchView {
    /// Of one sending.
    pub fn of(city: &City, id: DispatchId, open: &OpenDispatch) -> Self {
        let dispatch = &open.dispatch;
        Self {
            id,
            from: dispatch.from,
            from_name: compound_name(city, dispatch.from),
            to: dispatch.to,
            to_name: compound_name(city, dispatch.to),
            resource: dispatch.resource.clone(),
            quantity: dispatch.quantity,
            since: open.since.into(),
        }
    }
}

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

/// The office that commands a compound now, in words.
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
    /// Of a compound.
    fn of(city: &City, state: &CompoundState) -> Self {
        let (office, zh, en) = match state.succession.office() {
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

/// A compound near by that could help.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Neighbour {
    /// Which.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// Metres, boundary to boundary as the crow flies.
    pub apart_m: f64,
    /// Metres that a walk from gate to gate has at the least; streets and rivers make it longer.
    pub walk_at_least_m: f64,
    /// Normal or emergency.
    pub mode: Mode,
    /// Whether nothing was heard of it for too long: unknown, never fine.
    pub silent: bool,
    /// Which office commands it now.
    pub acting: OfficeView,
    /// Post-holders and deputies who have no call and command nothing in an emergency; for those who see its plans.
    pub free_hands: Option<usize>,
    /// What it has now; for those who see its plans.
    pub stock: Option<Stock>,
}

impl Neighbour {
    /// Of one compound, as far as the asker sees it.
    pub fn of(city: &City, near: &Near<'_>) -> Self {
        let state = near.state;
        let whole = near.sight == Sight::Whole;
        let free = || state.people().into_iter().filter(|person| !city.is_engaged(*person)).count();
        Self {
            compound: near.id,
            name: state.compound.name.clone(),
            apart_m: near.apart_m.round(),
            walk_at_least_m: near.walk_at_least_m.round(),
            mode: state.mode,
            silent: state.silent,
            acting: OfficeView::of(city, state),
            free_hands: whole.then(free),
            stock: whole.then(|| state.stock.clone()),
        }
    }
}
