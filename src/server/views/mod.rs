//! What the API shows: built from the city's read guard in one pass, never recounting what tallies already hold.
//!
//! No view decides who may see it: that is asked of `city::authority` by the routes before anything is built. Names and phones
//! never stand here; they are the directory's.

pub mod aid;
pub mod alert;
pub mod duty;
pub mod escalation;
pub mod household;
pub mod incident;
pub mod journal_log;
pub mod log_filter;
pub mod office;
pub mod own_alert;
pub mod roll;
pub mod service;
pub mod words;

use crate::city::City;
use crate::domain::compound::CompoundId;

pub use crate::city::audience::{Occasion, Words};

/// Name of a compound; its code where it is not known.
pub fn compound_name(city: &City, id: CompoundId) -> String {
    city.compound(id).map_or_else(|_| id.to_string(), |state| state.compound.name.clone())
}

/// People who live in it.
pub fn people_of(city: &City, id: CompoundId) -> u32 {
    city.compound(id).map_or(0, |state| state.compound.people)
}
