//! For tests (feature `testing`): a whole city without IO, its people as actors, a clock that is moved by hand, journals that
//! fail on command.

#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, reason = "a test that fails here is meant to panic")]

pub mod clock;
pub mod desk;
pub mod faulty_journal;
pub mod served;
pub mod world;

pub use faulty_journal::{Faults, FaultyJournal, Room, SmallDisk};
