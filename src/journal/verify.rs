//! Whether a journal still says what was written: the walk along its hash chain, from the first record to the last.
//!
//! It proves that no record was changed, removed or put in between. That the end was not cut off is seen by comparing the last hash
//! with one noted elsewhere (`muster verify` and `muster backup` print it). Nothing is repaired here.

use std::ops::ControlFlow;
use std::path::Path;

use serde::Serialize;

use crate::engine::ports::JournalError;

use super::file::{self, OpenError, Place};
use super::record;

/// What a walk along the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Code of the city whose journal it is.
    pub city: String,
    /// The journal's epoch.
    pub epoch: String,
    /// Position of the last good record before any fault; so many records are good.
    pub good: u64,
    /// Hash of that record in hex; that of the empty journal when there is none.
    pub hash: String,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// What is wrong, and where first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The first position that is wrong.
    pub position: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_whole(&self) -> bool {
        self.fault.is_none()
    }
}

/// Walks the journal at `path` from the start, while its writer may go on; a fault is part of the report, not an error.
///
/// # Errors
/// [`OpenError`] when it cannot be opened or read at all.
pub fn verify(path: &Path) -> Result<Report, OpenError> {
    let (connection, meta) = file::open_to_read(path)?;
    let mut place = Place { position: 0, hash: meta.genesis() };
    let mut fault = None;
    match file::walk(&connection, &mut place, usize::MAX, |_| ControlFlow::Continue(())) {
        Ok(()) => {}
        Err(JournalError::Damaged { position, why }) => fault = Some(Fault { position, why }),
        Err(error) => return Err(error.into()),
    }
    let hash = record::hex(&place.hash);
    Ok(Report { city: meta.city, epoch: meta.epoch, good: place.position, hash, fault })
}
