//! What the engine needs from outside. One contract suite (`tests/journal_contract`) runs over every implementation.

use crate::city::City;
use crate::domain::event::{Entry, Record};

/// Why a journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be written now (disk full, failing, read-only). Nothing of the append is kept.
    #[error("the journal cannot be written: {0}")]
    Unavailable(String),
    /// What it holds is not what was written: a broken chain, a record that cannot be read.
    #[error("the journal is damaged at position {position}: {why}")]
    Damaged {
        /// The first position that is wrong.
        position: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// An ordered, durable log of entries.
pub trait Journal: Send {
    /// Appends entries, all or nothing; when it returns they are durable. The records come back in order.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`]: nothing was kept, the next append may work. [`JournalError::Damaged`]: nothing was kept, and
    /// nothing will be; only a start that reads it anew tells what it holds.
    fn append(&mut self, entries: Vec<Entry>) -> Result<Vec<Record>, JournalError>;

    /// Reads records after `position` in order, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`], [`JournalError::Damaged`].
    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError>;

    /// Position of the last record; 0 when there is none.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    fn last_position(&mut self) -> Result<u64, JournalError>;

    /// Whether it can be written now. Changes nothing that is read.
    ///
    /// # Errors
    /// As [`Journal::append`].
    fn probe(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Names this journal for ever: a client that knows another epoch has to load anew.
    fn epoch(&self) -> &str;
}

/// Is told of each record right after the city took it in, while the city stands just there: what follows by rule (which calls an
/// order made, say) can be read off it. At the start it is told of the last records, so that phones can resume.
pub trait Publisher: Send {
    /// The city took in the record at this position, of which [`Publisher::publish`] comes next; others may read it before that.
    /// Must be quick: the city's write lock is held.
    fn announce(&mut self, _position: u64) {}

    /// Tells those whom it concerns. Must not block: the driver waits, and but for the last record of a round the city's write lock
    /// is held. What concerns a whole city (an order, an alert) is alone in its round, so that reading goes on while it is told.
    fn publish(&mut self, city: &City, record: &Record);
}

impl Publisher for () {
    fn publish(&mut self, _: &City, _: &Record) {}
}
