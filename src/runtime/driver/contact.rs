//! Whether the journal is there: what other nodes wrote is heard, and where it fails or turns out to be another, all who look are told.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::city::City;
use crate::domain::time::{MICROS_PER_S, Timestamp};
use crate::engine::ports::JournalError;

use super::super::read_all;
use super::super::stats::Stats;
use super::Driver;

/// Records of other nodes that are read at once.
const NEWS_CHUNK: usize = 10_000;
/// How long the journal is left alone before it is asked whether it is there, µs: what is shown must not grow old unnoticed.
const ASKED_EVERY_US: i64 = MICROS_PER_S;

/// How the driver stands with its journal.
pub(super) struct Contact {
    /// When it answered last.
    answered: Timestamp,
    /// All who look were told that what they see is old.
    stands_still: bool,
    /// The journal is another than the one that was read: all is to be read anew before anything is decided.
    pub(super) forked: bool,
}

impl Contact {
    pub(super) const fn at(answered: Timestamp) -> Self {
        Self { answered, stands_still: false, forked: false }
    }
}

impl Driver {
    /// Takes in what other nodes wrote.
    pub(super) fn hear_news(&mut self) {
        if self.contact.forked {
            return;
        }
        let heard = self.news.swap(0, Ordering::AcqRel);
        // What this node wrote itself is no news.
        while heard > self.position() {
            match self.journal.read_after(self.position(), NEWS_CHUNK) {
                Ok(records) => {
                    self.note_answer();
                    self.note_epoch();
                    self.take_in(&records);
                    if records.len() < NEWS_CHUNK {
                        return;
                    }
                }
                Err(error) => return self.note_failure(error),
            }
        }
    }

    /// Asks the journal whether it is there, and for news, where it had nothing to say for a while.
    pub(super) fn ask(&mut self) {
        if self.contact.forked
            || !self.shared.stats.is_ready()
            // A clock that was put back counts as one that went on.
            || (self.shared.clock.now().0 - self.contact.answered.0).abs() < ASKED_EVERY_US
        {
            return;
        }
        let position = self.position();
        // A server that others have left, and that does not know it yet, would say where it stands; confirm it cannot.
        match self.journal.confirm().and_then(|()| self.journal.last_position()) {
            Ok(last) => {
                self.confirmed.upto = self.confirmed.upto.max(position);
                self.note_answer();
                self.news.fetch_max(last, Ordering::AcqRel);
                self.hear_news();
            }
            Err(error) => self.note_failure(error),
        }
    }

    pub(super) fn note_answer(&mut self) {
        self.contact.answered = self.shared.clock.now();
    }

    /// While the journal fails: tries whether it works again, so that whoever asks `/readyz` need not wait for a command to tell.
    pub(super) fn probe(&mut self) {
        if self.shared.stats.is_ready() {
            return;
        }
        match self.journal.probe() {
            Ok(()) => {
                tracing::info!("the journal can be written again");
                self.shared.stats.journal_failing.store(false, Ordering::Relaxed);
                self.news.store(u64::MAX, Ordering::Release);
                self.hear_news();
                self.go_on();
            }
            Err(error) => self.judge(error),
        }
    }

    /// Goes on after an error that may pass (it was logged when it came), ends after one that cannot.
    pub(super) fn judge(&mut self, error: JournalError) {
        match error {
            JournalError::Damaged { .. } => self.fatal = Some(error),
            JournalError::Forked(_) => {
                // Nothing is vouched for any more that was read before.
                (self.contact.forked, self.confirmed.upto) = (true, 0);
            }
            JournalError::Unavailable(_) | JournalError::OutcomeUnknown(_) => {}
        }
    }

    // INVARIANT: a failover does not fork the city: a node that read what the new server lacks forgets it, and says so.
    /// Reads the journal anew, from its first record, after it turned out to be another than the one that was read. Meanwhile the city
    /// is shown as it was, and nothing is decided.
    pub(super) fn read_anew(&mut self) {
        if !self.contact.forked {
            return;
        }
        self.engine.begin_anew();
        self.confirmed.upto = 0;
        let mut city = City::default();
        let read =
            self.journal.rewind().and_then(|()| read_all(&mut *self.journal, &mut self.engine, &mut city, |_, _| ()));
        match read {
            Ok(()) => {
                self.contact.forked = false;
                let position = city.position();
                tracing::warn!(
                    position,
                    "the city was read anew: the journal's server lacks records that were read from another"
                );
                *self.shared.city.write().unwrap_or_else(PoisonError::into_inner) = city;
                // Whoever comes in between has the old epoch, and is told to load anew.
                self.publisher.begin_anew(position);
                self.note_epoch();
                self.news.store(u64::MAX, Ordering::Release);
            }
            Err(error) => self.judge(error),
        }
    }

    /// Says which epoch the journal has now.
    pub(super) fn note_epoch(&self) {
        let epoch = self.journal.epoch();
        let known = self.shared.journal_epoch.read().unwrap_or_else(PoisonError::into_inner).clone();
        if *known != *epoch {
            *self.shared.journal_epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch.into();
        }
    }

    // INVARIANT: nothing old is shown as if it were new: all who look are told since when it stands still.
    /// The journal could not be written, or read on.
    pub(super) fn note_failure(&mut self, error: JournalError) {
        self.shared.stats.journal_failing.store(true, Ordering::Relaxed);
        if !std::mem::replace(&mut self.contact.stands_still, true) {
            self.publisher.stand_still(Some(self.contact.answered));
        }
        Stats::count(&self.shared.stats.failures, 1);
        tracing::error!(%error, "the journal failed: what was to be written is refused");
        self.judge(error);
    }

    /// What is shown is as of now again, unless the journal failed meanwhile.
    pub(super) fn go_on(&mut self) {
        if self.shared.stats.is_ready() && std::mem::take(&mut self.contact.stands_still) {
            self.publisher.stand_still(None);
        }
    }
}
