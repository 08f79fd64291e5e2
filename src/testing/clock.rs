//! A clock that stands still until it is moved.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::time::Timestamp;
use crate::runtime::clock::Clock;

/// 2026-07-20 08:00 in Changzhi: in the flood season.
pub const MORNING: Timestamp = Timestamp(1_784_505_600_000_000);

/// A clock for tests.
#[derive(Debug)]
pub struct SimClock(AtomicI64);

impl Default for SimClock {
    fn default() -> Self {
        Self(AtomicI64::new(MORNING.0))
    }
}

impl SimClock {
    /// Moves it forward.
    pub fn forward_s(&self, seconds: u32) {
        self.0.store(self.now().plus_s(seconds).0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
