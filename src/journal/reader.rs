//! Reading a journal while its writer goes on: log pages and exports. Never writes, never waits for the writer, nor it for this.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::domain::event::Record;
use crate::domain::time::Timestamp;

use super::file::{self, OpenError};

/// Records of one page at most.
pub const PAGE_RECORDS_MAX: usize = 1_000;

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

    /// Records after `position` in order, at most `limit` and [`PAGE_RECORDS_MAX`]; none when it lies beyond the end.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn page_after(&self, position: u64, limit: usize) -> Result<Vec<Record>, OpenError> {
        let (connection, meta) = file::open_to_read(&self.path)?;
        Ok(file::page(&connection, &meta, position, limit.min(PAGE_RECORDS_MAX))?)
    }

    /// Hands on all records after `position` as they stand now, in order, until told to stop; holds one at a time.
    ///
    /// While it runs the write-ahead log cannot shrink: who reads must not dawdle.
    ///
    /// # Errors
    /// [`OpenError`]; damage is named at the first record that does not follow from the one before.
    pub fn for_each_after(&self, position: u64, each: impl FnMut(Record) -> ControlFlow<()>) -> Result<(), OpenError> {
        let (connection, meta) = file::open_to_read(&self.path)?;
        if let Some(mut place) = file::place_at(&connection, &meta, position)? {
            file::walk(&connection, &mut place, usize::MAX, each)?;
        }
        Ok(())
    }

    /// Position of the first record made at `time` or later, found by halves; one beyond the end where there is none.
    ///
    /// Records stand in the order in which they became durable: where a clock was put back, or an order waited in the queue, times
    /// are out of that order by as much, so ask with a margin.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn first_since(&self, time: Timestamp) -> Result<u64, OpenError> {
        let (connection, meta) = file::open_to_read(&self.path)?;
        let (mut low, mut high) = (1, file::last_position(&connection)? + 1);
        while low < high {
            let middle = low.midpoint(high);
            let record = file::page(&connection, &meta, middle - 1, 1)?;
            if record.first().is_some_and(|record| record.entry.at < time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Position of the last record; 0 when there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn last_position(&self) -> Result<u64, OpenError> {
        let (connection, _) = file::open_to_read(&self.path)?;
        Ok(file::last_position(&connection)?)
    }
}
