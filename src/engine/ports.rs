//! What the engine needs from outside. One contract suite (`tests/journal_contract`) runs over every implementation.

use crate::city::City;
use crate::domain::command::Key;
use crate::domain::event::{Entry, Record};
use crate::domain::time::Timestamp;

/// Why a journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be written now (disk full, failing, read-only). Nothing of the append is kept.
    #[error("the journal cannot be written: {0}")]
    Unavailable(String),
    /// It was asked, and nobody can say what came of it: the append may have been kept, or be kept still. Its records are found by
    /// reading on.
    #[error("the journal did not say whether it took the append: {0}")]
    OutcomeUnknown(String),
    /// It holds other records than it gave out: its server was replaced by one that lacked some. What was given out is to be forgotten
    /// ([`Journal::rewind`]), and everything read anew.
    #[error("the journal is not the one that was read: {0}")]
    Forked(String),
    /// What it holds is not what was written: a broken chain, a record that cannot be read.
    #[error("the journal is damaged at position {position}: {why}")]
    Damaged {
        /// The first position that is wrong.
        position: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// What a command did, on its way into the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What the command touches.
    pub key: Key,
    /// What it did.
    pub entry: Entry,
}

impl Proposal {
    /// Whether it still holds where another node has written this since it was decided. `append.lua` says the same for Redis, which
    /// knows no Rust; the tests of several nodes run over both.
    pub fn holds_beside(&self, key: Key, entry: &Entry) -> bool {
        let apart = self.key != key && self.key != Key::City && key != Key::City;
        apart && (self.entry.giver, self.entry.id) != (entry.giver, entry.id)
    }
}

/// What came of an append.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Appended {
    /// Every record after the position on which was decided, in order: what other nodes wrote meanwhile, then what was appended.
    pub records: Vec<Record>,
    /// Of each proposal in turn where it stands. `None`: it was not kept, because one of the other nodes' records touches the same, or
    /// is of the same command. It has to be decided again, on the city as it stands after `records`.
    pub positions: Vec<Option<u64>>,
}

/// What a journal calls when other nodes may have written: see [`Journal::watch`].
pub type Wake = Box<dyn Fn(u64) + Send + Sync>;

/// An ordered, durable log of entries, which one node writes or several.
pub trait Journal: Send {
    /// Appends what was decided on the city as it stood after the record `seen`; when it returns, that is durable. What touches
    /// [`Key::City`] is kept only where no other node wrote anything since.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`]: nothing was kept, the next append may work. [`JournalError::Damaged`]: nothing was kept, and
    /// nothing will be; only a start that reads it anew tells what it holds. [`JournalError::OutcomeUnknown`],
    /// [`JournalError::Forked`].
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError>;

    /// Makes sure that all it gave out is durable, whoever wrote it. Where one node writes, it always is.
    ///
    /// # Errors
    /// As [`Journal::append`].
    fn confirm(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Reads records after `position` in order, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`], [`JournalError::Damaged`], [`JournalError::Forked`].
    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError>;

    /// Position of the last record; 0 when there is none.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    fn last_position(&mut self) -> Result<u64, JournalError>;

    /// Has `wake` called, from a thread of the journal's own, whenever other nodes may have written: with the position of the last
    /// record, or [`u64::MAX`] where that cannot be told and all is to be looked at. A journal with one writer never calls it.
    fn watch(&mut self, wake: Wake) {
        drop(wake);
    }

    /// Whether it can be written now. Changes nothing that is read.
    ///
    /// # Errors
    /// As [`Journal::append`].
    fn probe(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Forgets what it gave out: from here on it stands for what it holds now, from the first record.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`], [`JournalError::Damaged`].
    fn rewind(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Names this journal, and the server that holds it where that may change: a client that knows another epoch has to load anew.
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

    /// The journal does not answer: what is shown is as of that moment, and commands are refused. `None`: all goes on.
    fn stand_still(&mut self, _as_of: Option<Timestamp>) {}

    /// The city was read anew and now stands at `position`: what was told before may never have been. Whoever listens loads anew.
    fn begin_anew(&mut self, _position: u64) {}
}

impl Publisher for () {
    fn publish(&mut self, _: &City, _: &Record) {}
}
