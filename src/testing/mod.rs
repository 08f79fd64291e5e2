//! For tests (feature `testing`): a whole city without IO, its people as actors, a clock that is moved by hand, journals that
//! fail on command.

#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, reason = "a test that fails here is meant to panic")]

pub mod clock;
pub mod desk;
pub mod faulty_journal;
pub mod served;
pub mod world;

pub use faulty_journal::{Faults, FaultyJournal, Room, SmallDisk};

use crate::domain::command::Key;
use crate::domain::event::{Entry, Record};
use crate::engine::ports::{Journal, JournalError, Proposal};

/// Appends entries as one round that was decided on all that is in the journal.
pub fn append(journal: &mut dyn Journal, entries: Vec<Entry>) -> Result<Vec<Record>, JournalError> {
    let seen = journal.last_position()?;
    let proposals = entries.into_iter().map(|entry| Proposal { key: Key::City, entry }).collect();
    journal.append(seen, proposals).map(|appended| appended.records)
}
