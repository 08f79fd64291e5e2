//! What the benchmarks share: timing a thing many times, and saying it in a Markdown table.
//!
//! Figures are compared within one run only: a machine that is busy slows both sides of a ratio.

pub mod budget;
pub mod chaos;
pub mod cluster;
pub mod figures;
pub mod fleet;
pub mod house;
pub mod limit;
pub mod peers;
pub mod roll_call;
pub mod scenarios;
pub mod usage;

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long something took, time after time.
#[derive(Debug, Clone)]
pub struct Timings(Vec<Duration>);

impl Timings {
    /// Calls it once to warm up, then `times` times with the clock running.
    pub fn of<T>(times: usize, mut what: impl FnMut() -> T) -> Self {
        black_box(what());
        let calls = (0..times.max(1)).map(|_| {
            let start = Instant::now();
            black_box(what());
            start.elapsed()
        });
        Self::from_all(calls.collect())
    }

    /// From times taken elsewhere.
    ///
    /// # Panics
    /// When there is none.
    pub fn from_all(mut all: Vec<Duration>) -> Self {
        assert!(!all.is_empty(), "nothing was timed");
        all.sort_unstable();
        Self(all)
    }

    /// The time that a share (0 to 1) of the calls stayed within.
    pub fn quantile(&self, share: f64) -> Took {
        let last = self.0.len() - 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
        let at = (share.clamp(0.0, 1.0) * last as f64).ceil() as usize;
        Took(self.0[at])
    }

    /// Half of the calls took at most this.
    pub fn p50(&self) -> Took {
        self.quantile(0.5)
    }

    /// 99 of 100 calls took at most this.
    pub fn p99(&self) -> Took {
        self.quantile(0.99)
    }

    /// How many times as long the other one took, median to median.
    pub fn speed_up_over(&self, other: &Self) -> f64 {
        other.p50().0.as_secs_f64() / self.p50().0.as_secs_f64()
    }
}

/// A time, written in the unit that suits it, with three figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Took(pub Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let (number, unit) = match seconds {
            s if s < 1e-3 => (s * 1e6, "µs"),
            s if s < 1.0 => (s * 1e3, "ms"),
            s => (s, "s"),
        };
        let decimals = match number {
            n if n < 10.0 => 2,
            n if n < 100.0 => 1,
            _ => 0,
        };
        write!(f, "{number:.decimals$} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_times() {
        let timings = Timings((1..=100).map(Duration::from_millis).collect());
        assert_eq!(timings.p50(), Took(Duration::from_millis(51)));
        assert_eq!(timings.p99(), Took(Duration::from_millis(100)));
        assert_eq!(timings.quantile(0.0), Took(Duration::from_millis(1)));
    }

    #[test]
    fn a_time_is_said_in_its_unit() {
        for (nanos, text) in [(1_234, "1.23 µs"), (45_600_000, "45.6 ms"), (2_000_000_000, "2.00 s")] {
            assert_eq!(Took(Duration::from_nanos(nanos)).to_string(), text);
        }
    }
}
