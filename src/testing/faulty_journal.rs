//! Journals that fail. [`FaultyJournal`] does when it is told to, and what it wraps never sees an append that fails; [`SmallDisk`]
//! really runs out of room, since SQLite itself is told how large its file may grow.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::event::Record;
use crate::engine::ports::{Appended, Journal, JournalError, Proposal, Wake};
use crate::journal::SqliteJournal;

/// What is wrong with the disk; a test holds one end, the journal the other.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<State>);

#[derive(Debug, Default)]
struct State {
    fault: Mutex<Fault>,
    refused: AtomicU64,
}

/// How an append fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Fault {
    #[default]
    None,
    /// Nothing can be written.
    Full,
    /// What is there is not what was written.
    Damaged,
    /// The code is wrong, and finds out only when all is written.
    Panic,
}

impl Faults {
    /// From now on every append fails, until [`Faults::heal`].
    pub fn fill_disk(&self) {
        self.set(Fault::Full);
    }

    /// From now on the journal says that it is damaged, which nothing heals.
    pub fn damage(&self) {
        self.set(Fault::Damaged);
    }

    /// The next append is made, and then the thread that made it panics.
    pub fn panic_after_next(&self) {
        self.set(Fault::Panic);
    }

    /// There is room again.
    pub fn heal(&self) {
        self.set(Fault::None);
    }

    /// How many appends failed so far.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::SeqCst)
    }

    fn set(&self, fault: Fault) {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn check(&self) -> Result<Fault, JournalError> {
        match *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Fault::Full => Err(JournalError::Unavailable("the disk is full (a test says so)".to_owned())),
            Fault::Damaged => Err(JournalError::Damaged { position: 1, why: "a test says so".to_owned() }),
            fault @ (Fault::None | Fault::Panic) => Ok(fault),
        }
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
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        let fault = self.faults.check().inspect_err(|_| {
            self.faults.0.refused.fetch_add(1, Ordering::SeqCst);
        })?;
        let appended = self.inner.append(seen, proposals)?;
        assert_ne!(fault, Fault::Panic, "a test says so");
        Ok(appended)
    }

    fn confirm(&mut self) -> Result<(), JournalError> {
        self.inner.confirm()
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.inner.read_after(position, limit)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        self.inner.last_position()
    }

    fn watch(&mut self, wake: Wake) {
        self.inner.watch(wake);
    }

    fn rewind(&mut self) -> Result<(), JournalError> {
        self.inner.rewind()
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        self.faults.check()?;
        self.inner.probe()
    }

    fn epoch(&self) -> &str {
        self.inner.epoch()
    }
}

/// How large the file of a [`SmallDisk`] may grow; a test holds one end, the journal the other.
#[derive(Debug, Clone)]
pub struct Room(Arc<AtomicU32>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(u32::MAX)))
    }
}

impl Room {
    /// The file keeps the size it has: what does not fit into its pages is refused.
    pub fn end(&self) {
        // Less than it has: SQLite takes it for as many as it has.
        self.0.store(1, Ordering::SeqCst);
    }

    /// There is room again.
    pub fn make(&self) {
        self.0.store(u32::MAX, Ordering::SeqCst);
    }
}

/// The journal's own file on a disk that ends: every refusal comes from SQLite (`SQLITE_FULL`), in the middle of a transaction.
#[derive(Debug)]
pub struct SmallDisk {
    journal: SqliteJournal,
    room: Room,
}

impl SmallDisk {
    /// Lets `journal` grow as far as `room` says.
    pub const fn new(journal: SqliteJournal, room: Room) -> Self {
        Self { journal, room }
    }

    fn bounded(&mut self) -> &mut SqliteJournal {
        self.journal.set_pages_max(self.room.0.load(Ordering::SeqCst)).unwrap_or_else(|error| panic!("{error}"));
        &mut self.journal
    }
}

impl Journal for SmallDisk {
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        self.bounded().append(seen, proposals)
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.journal.read_after(position, limit)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        self.journal.last_position()
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        self.bounded().probe()
    }

    fn epoch(&self) -> &str {
        self.journal.epoch()
    }
}
