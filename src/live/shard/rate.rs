//! How many commands a connection may give: a bucket that fills with time.

use std::time::Instant;

/// Seconds' worth of commands that may come at once.
const BURST_S: u64 = 5;

/// A bucket of thousandths of commands.
#[derive(Debug)]
pub(super) struct Rate {
    per_s: u64,
    filled: u64,
    at: Instant,
}

impl Rate {
    /// A full one.
    pub(super) fn new(per_s: u32, now: Instant) -> Self {
        let per_s = u64::from(per_s);
        Self { per_s, filled: per_s * BURST_S * 1_000, at: now }
    }

    /// Takes one command out; false when there is none.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let elapsed_ms = u64::try_from(now.saturating_duration_since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.at = now;
        self.filled =
            self.filled.saturating_add(elapsed_ms.saturating_mul(self.per_s)).min(self.per_s * BURST_S * 1_000);
        if self.filled < 1_000 {
            return false;
        }
        self.filled -= 1_000;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_is_taken_and_then_so_many_a_second() {
        let now = Instant::now();
        let mut rate = Rate::new(2, now);
        let taken = |rate: &mut Rate, now| (0..100).filter(|_| rate.take(now)).count();
        assert_eq!(taken(&mut rate, now), 10);
        assert_eq!(taken(&mut rate, now + Duration::from_secs(1)), 2);
        assert_eq!(taken(&mut rate, now + Duration::from_secs(1_000)), 10);
    }
}
