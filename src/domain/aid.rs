//! Mutual aid: what a compound has, and sends to another. Returned when the emergency is over, or earlier by hand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::CompoundId;
use super::ids::{DispatchId, IncidentId};
use super::refusal::Refusal;
use super::text::check_text;
use super::time::Timestamp;

/// Kinds of things one compound lists.
pub const STOCK_KINDS_MAX: usize = 100;
/// Characters of a thing's name.
pub const RESOURCE_NAME_MAX: usize = 40;

/// What a compound has: name of the thing (Chinese) → how many.
pub type Stock = BTreeMap<String, u32>;

/// Checks names and number of things.
///
/// # Errors
/// [`Refusal::BadCount`], [`Refusal::BadText`].
pub fn check_stock(stock: &Stock) -> Result<(), Refusal> {
    if stock.len() > STOCK_KINDS_MAX {
        return Err(Refusal::BadCount { field: "stock", max: STOCK_KINDS_MAX });
    }
    stock.keys().try_for_each(|name| check_text("resource", name, RESOURCE_NAME_MAX))
}

/// One sending of a thing from one compound to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// Under which incident.
    pub incident: IncidentId,
    /// Who sends.
    pub from: CompoundId,
    /// Who gets.
    pub to: CompoundId,
    /// What.
    pub resource: String,
    /// How many.
    pub quantity: u32,
}

impl Dispatch {
    /// # Errors
    /// [`Refusal::NotEnough`] when the sender has fewer or nothing is asked for.
    pub fn check(&self, stock: &Stock) -> Result<(), Refusal> {
        let has = stock.get(&self.resource).copied().unwrap_or(0);
        if self.quantity == 0 || self.quantity > has || self.from == self.to {
            return Err(Refusal::NotEnough { resource: self.resource.clone(), has });
        }
        Ok(())
    }
}

/// What happened to resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AidEvent {
    /// Something was sent.
    Dispatched {
        /// Its id.
        id: DispatchId,
        /// What, from where, to where.
        dispatch: Dispatch,
    },
    /// It came back.
    Returned {
        /// Which sending.
        id: DispatchId,
        /// What came back, as it was sent; `None` in records from before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dispatch: Option<Dispatch>,
    },
}

/// A sending that is not back yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpenDispatch {
    /// What, from where, to where.
    pub dispatch: Dispatch,
    /// Since when.
    #[schema(value_type = i64)]
    pub since: Timestamp,
}
