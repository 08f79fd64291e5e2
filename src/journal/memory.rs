//! A journal that lives as long as the process: for tests, and for trying things out. Nothing is on disk, ever.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::command::Key;
use crate::domain::event::Record;
use crate::engine::ports::{Appended, Journal, JournalError, Proposal, Wake};

/// One node's end of a list of records; other nodes may have theirs ([`Self::beside`]).
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    name: String,
    epoch: String,
    log: Arc<Log>,
    node: usize,
    /// How often records had been lost when it was read last.
    losses: usize,
    /// The last record that it gave out.
    given: u64,
}

#[derive(Debug, Default)]
struct Log {
    records: Mutex<Vec<(Key, Record)>>,
    /// After which position records were lost, time after time.
    losses: Mutex<Vec<u64>>,
    watchers: Mutex<Vec<Watcher>>,
}

/// Whom a node has woken when others write.
struct Watcher {
    node: usize,
    wake: Wake,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the watcher of node {}", self.node)
    }
}

impl Log {
    fn records(&self) -> MutexGuard<'_, Vec<(Key, Record)>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn losses(&self) -> MutexGuard<'_, Vec<u64>> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<Watcher>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryJournal {
    /// An empty journal that goes by this epoch.
    pub fn new(epoch: impl Into<String>) -> Self {
        let name = epoch.into();
        Self { epoch: name.clone(), name, log: Arc::default(), node: 0, losses: 0, given: 0 }
    }

    /// The end of another node: both read and write the same records.
    pub fn beside(&self, node: usize) -> Self {
        Self { node, given: 0, log: self.log.clone(), name: self.name.clone(), epoch: self.epoch.clone(), ..*self }
    }

    /// Loses all records after this position, as where a server takes over that lacks them. Those who read them find out.
    pub fn lose_after(&self, position: u64) {
        let mut records = self.log.records();
        records.truncate(count(position));
        self.log.losses().push(position);
        drop(records);
        self.log.watchers().iter().for_each(|watcher| (watcher.wake)(u64::MAX));
    }

    /// Goes on after losses that did not concern what it gave out.
    fn check_losses(&mut self) -> Result<(), JournalError> {
        let losses = self.log.losses();
        if losses[self.losses..].iter().any(|kept| *kept < self.given) {
            return Err(JournalError::Forked(format!("what came after {} was lost", self.given)));
        }
        self.losses = losses.len();
        if self.losses > 0 {
            self.epoch = format!("{}-{}", self.name, self.losses);
        }
        Ok(())
    }
}

/// How many records lie up to a position.
fn count(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

impl Journal for MemoryJournal {
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        let shared = self.log.clone();
        let mut log = shared.records();
        self.check_losses()?;
        let seen = count(seen).min(log.len());
        let mut kept = Vec::new();
        let positions = proposals.into_iter().map(|proposal| {
            let holds = log[seen..].iter().all(|(key, other)| proposal.holds_beside(*key, &other.entry));
            let position = (log.len() + kept.len()) as u64 + 1;
            holds.then(|| kept.push((proposal.key, Record { position, entry: proposal.entry })))?;
            Some(position)
        });
        let positions: Vec<_> = positions.collect();
        let is_news = !kept.is_empty();
        log.append(&mut kept);
        let records = log[seen..].iter().map(|(_, record)| record.clone()).collect();
        self.given = log.len() as u64;
        drop(log);
        if is_news {
            let others = self.log.watchers();
            others.iter().filter(|watcher| watcher.node != self.node).for_each(|watcher| (watcher.wake)(self.given));
        }
        Ok(Appended { records, positions })
    }

    fn confirm(&mut self) -> Result<(), JournalError> {
        self.check_losses()
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.check_losses()?;
        let log = self.log.records();
        let records: Vec<Record> =
            log.iter().skip(count(position)).take(limit).map(|(_, record)| record.clone()).collect();
        self.given = self.given.max(records.last().map_or(0, |record| record.position));
        Ok(records)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        Ok(self.log.records().len() as u64)
    }

    fn watch(&mut self, wake: Wake) {
        self.log.watchers().push(Watcher { node: self.node, wake });
    }

    fn rewind(&mut self) -> Result<(), JournalError> {
        self.given = 0;
        self.check_losses()
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }
}
