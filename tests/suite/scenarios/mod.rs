//! What must hold whatever happens, played in virtual time by the people of a demo city.
//!
//! Each test is named after a rule of the domain; [`check`] recounts what the city keeps as running counts after every play.

mod alerts;
pub mod check;
mod duty;
pub(crate) mod random_day;
mod register;
mod roll;
