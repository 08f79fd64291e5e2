//! What the driver counts, for `/metrics` and `/readyz`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of the driver; relaxed, since nobody decides on them.
#[derive(Debug, Default)]
pub struct Stats {
    /// Commands done.
    pub accepted: AtomicU64,
    /// Commands refused.
    pub refused: AtomicU64,
    /// Rounds made durable.
    pub rounds: AtomicU64,
    /// Appends that failed.
    pub failures: AtomicU64,
    /// Microseconds spent in appends.
    pub append_us: AtomicU64,
    /// Commands that wait for their round.
    pub waiting: AtomicU64,
    /// Whether the last append failed: reading goes on, commands are refused.
    pub journal_failing: AtomicBool,
}

impl Stats {
    /// One more.
    pub fn count(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    /// Says what it stands at now.
    pub fn set(gauge: &AtomicU64, to: usize) {
        gauge.store(u64::try_from(to).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What it stands at.
    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    /// Whether commands can be made durable, as far as the last append tells.
    pub fn is_ready(&self) -> bool {
        !self.journal_failing.load(Ordering::Relaxed)
    }
}
