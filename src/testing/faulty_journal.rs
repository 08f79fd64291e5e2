//! A journal that fails when it is told to, as one on a full disk does. What it wraps never sees an append that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::domain::event::{Entry, Record};
use crate::engine::ports::{Journal, JournalError};

/// What is wrong with the disk; a test holds one end, the journal the other.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<State>);

#[derive(Debug, Default)]
struct State {
    full: AtomicBool,
    refused: AtomicU64,
}

impl Faults {
    /// From now on every append fails, until [`Faults::heal`].
    pub fn fill_disk(&self) {
        self.0.full.store(true, Ordering::SeqCst);
    }

    /// There is room again.
    pub fn heal(&self) {
        self.0.full.store(false, Ordering::SeqCst);
    }

    /// How many appends failed so far.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::SeqCst)
    }
}

/// A journal behind a disk that can be full. Reads go on.
#[derive(Debug)]
pub struct FaultyJournal<J> {
    inner: J,
    faults: Faults,
}

impl<J> FaultyJournal<J> {
    /// Puts `faults` before `inner`.
    pub const fn new(inner: J, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

impl<J: Journal> Journal for FaultyJournal<J> {
    fn append(&mut self, entries: Vec<Entry>) -> Result<Vec<Record>, JournalError> {
        if self.faults.0.full.load(Ordering::SeqCst) {
            self.faults.0.refused.fetch_add(1, Ordering::SeqCst);
            return Err(JournalError::Unavailable("the disk is full (a test says so)".to_owned()));
        }
        self.inner.append(entries)
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.inner.read_after(position, limit)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        self.inner.last_position()
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        if self.faults.0.full.load(Ordering::SeqCst) {
            return Err(JournalError::Unavailable("the disk is still full (a test says so)".to_owned()));
        }
        self.inner.probe()
    }

    fn epoch(&self) -> &str {
        self.inner.epoch()
    }
}
