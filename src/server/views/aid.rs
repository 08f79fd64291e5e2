//! Mutual aid as the API shows it: what is on its way, and who is near and could help.
//!
//! Of a compound that the reader may not see, only what asking for help needs is shown: `city::authority` says which those are.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::authority::Sight;
use crate::city::neighbours::Near;
use crate::domain::aid::{OpenDispatch, Stock};
use crate::domain::compound::CompoundId;
use crate::domain::duty::Mode;
use crate::domain::ids::DispatchId;
use crate::server::time::Rfc3339;

use super::compound_name;
use super::office::OfficeView;

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
            acting: OfficeView::of(city, state.succession.office()),
            free_hands: whole.then(free),
            stock: whole.then(|| state.stock.clone()),
        }
    }
}
