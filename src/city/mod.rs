//! L1: what is true now, folded from events.
//!
//! Pure like the rules below it: no IO, no clock, no randomness.

pub mod spatial;
