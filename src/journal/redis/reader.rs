//! Reading a journal in Redis beside the nodes that write it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::event::Record;
use crate::engine::ports::{Journal, JournalError};
use crate::redis_link::RedisOptions;

use super::super::reader::{JournalReader, PAGE_RECORDS_MAX, ReadError};
use super::RedisJournal;

/// A handle on a city's journal in Redis; cheap to clone. All clones share one connection, made when it is needed.
#[derive(Debug, Clone)]
pub struct RedisReader {
    options: RedisOptions,
    kept: Arc<Mutex<Kept>>,
}

/// The journal, while its connection is good.
#[derive(Default)]
struct Kept(Option<RedisJournal>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kept").field(&self.0.is_some()).finish()
    }
}

impl RedisReader {
    /// A handle on that city's journal, which need not be there yet.
    pub fn new(options: RedisOptions) -> Self {
        Self { options, kept: Arc::default() }
    }

    fn with<T>(&self, read: impl Fn(&mut RedisJournal) -> Result<T, JournalError>) -> Result<T, ReadError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut journal) = kept.0.take()
            && let Ok(found) = read(&mut journal)
        {
            kept.0 = Some(journal);
            return Ok(found);
        }
        // One that failed is not kept: its server may be gone, and another in its place.
        let mut journal = RedisJournal::open(self.options.clone())?;
        let found = read(&mut journal)?;
        kept.0 = Some(journal);
        Ok(found)
    }
}

impl JournalReader for RedisReader {
    fn page_after(&self, position: u64, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.with(|journal| journal.read_after(position, limit.min(PAGE_RECORDS_MAX)))
    }

    fn last_position(&self) -> Result<u64, ReadError> {
        self.with(Journal::last_position)
    }
}
