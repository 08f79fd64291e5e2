//! L1: what is true now, and the rules over several nouns. Pure: no IO, no clock.
//!
//! [`state`] is what is; [`decide`] turns an order into events or a refusal; [`evolve`] takes events in; [`authority`] is the one
//! place that says who may; [`spatial`] and [`targeting`] find whom an area hits; [`switching`] says what a switch would do;
//! [`neighbours`] finds who is near and could help; [`tally`] keeps the running counts; [`gaps`] says what a compound's register
//! lacks; [`replay`] tells an incident again, from the journal's records.

pub mod audience;
pub mod authority;
pub mod deadlines;
pub mod decide;
pub mod evolve;
pub mod gaps;
pub mod map_state;
pub mod neighbours;
pub mod replay;
pub mod sequence;
pub mod spatial;
pub mod state;
pub mod switching;
pub mod tally;
pub mod targeting;

pub use state::City;
