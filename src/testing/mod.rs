//! What tests need that production does not: journals that fail on command. Built only with the feature `testing`.

pub mod faulty_journal;

pub use faulty_journal::{Faults, FaultyJournal};
