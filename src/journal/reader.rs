//! Reading a journal while its writer goes on: log pages, replays and exports. Never writes, never waits for the writer, nor it for
//! this.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::domain::event::Record;
use crate::domain::time::Timestamp;
use crate::engine::ports::JournalError;
use crate::redis_link::OpenRedisError;

use super::file::{self, OpenError};

/// Records of one page at most.
pub const PAGE_RECORDS_MAX: usize = 1_000;

/// Why a journal was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened.
    #[error(transparent)]
    File(#[from] OpenError),
    /// Redis cannot be reached, or holds something else.
    #[error(transparent)]
    Redis(#[from] OpenRedisError),
    /// It cannot be read, or is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A journal as it is read beside its writer. Blocks.
pub trait JournalReader: Send + Sync + Debug {
    /// Records after `position` in order, at most `limit` and [`PAGE_RECORDS_MAX`]; none when it lies beyond the end.
    ///
    /// # Errors
    /// [`ReadError`]; damage is named at the first record that does not follow from the one before.
    fn page_after(&self, position: u64, limit: usize) -> Result<Vec<Record>, ReadError>;

    /// Position of the last record; 0 when there is none.
    ///
    /// # Errors
    /// [`ReadError`].
    fn last_position(&self) -> Result<u64, ReadError>;
}

impl dyn JournalReader + '_ {
    /// Hands on all records after `position` as they stand now, in order, until told to stop; holds one page at a time.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn for_each_after(
        &self,
        mut position: u64,
        mut each: impl FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let last = self.last_position()?;
        while position < last {
            let limit = usize::try_from(last - position).unwrap_or(usize::MAX);
            let page = self.page_after(position, limit)?;
            let Some(end) = page.last().map(|record| record.position) else { break };
            position = end;
            if page.into_iter().try_for_each(&mut each).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Position of the first record made at `time` or later, found by halves; one beyond the end where there is none.
    ///
    /// Records stand in the order in which they became durable: where a clock was put back, or an order waited in the queue, times
    /// are out of that order by as much, so ask with a margin.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn first_since(&self, time: Timestamp) -> Result<u64, ReadError> {
        let (mut low, mut high) = (1, self.last_position()? + 1);
        while low < high {
            let middle = low.midpoint(high);
            let record = self.page_after(middle - 1, 1)?;
            if record.first().is_some_and(|record| record.entry.at < time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// A handle on a journal's file; cheap to clone. Each call opens a connection of its own (about 0.1 ms) and sees the journal as it
/// stands then.
#[derive(Debug, Clone)]
pub struct SqliteReader {
    path: Arc<Path>,
}

impl SqliteReader {
    /// A handle on the journal at `path`, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }
}

impl JournalReader for SqliteReader {
    fn page_after(&self, position: u64, limit: usize) -> Result<Vec<Record>, ReadError> {
        let (connection, meta) = file::open_to_read(&self.path)?;
        Ok(file::page(&connection, &meta, position, limit.min(PAGE_RECORDS_MAX))?)
    }

    fn last_position(&self) -> Result<u64, ReadError> {
        let (connection, _) = file::open_to_read(&self.path)?;
        Ok(file::last_position(&connection)?)
    }
}
