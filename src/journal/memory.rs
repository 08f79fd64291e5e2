//! A journal that lives as long as the process: for tests, and for trying things out. Nothing is on disk, ever.

use crate::domain::event::{Entry, Record};
use crate::engine::ports::{Journal, JournalError};

/// Records in a list.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    epoch: String,
    records: Vec<Record>,
}

impl MemoryJournal {
    /// An empty journal that goes by this epoch.
    pub fn new(epoch: impl Into<String>) -> Self {
        Self { epoch: epoch.into(), records: Vec::new() }
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, entries: Vec<Entry>) -> Result<Vec<Record>, JournalError> {
        let new: Vec<Record> = (self.records.len() as u64 + 1..)
            .zip(entries)
            .map(|(position, entry)| Record { position, entry })
            .collect();
        self.records.extend_from_slice(&new);
        Ok(new)
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        let skip = usize::try_from(position).unwrap_or(usize::MAX);
        Ok(self.records.iter().skip(skip).take(limit).cloned().collect())
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        Ok(self.records.len() as u64)
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }
}
