//! What a run tells: quantiles of times, medians of rounds, one JSON line and one table.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer than any run; what took longer counts as this.
const LONGEST_US: u64 = 3_600_000_000;

/// Times, in microseconds, to three figures.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        // INVARIANT: these bounds and three figures are within what the histogram takes.
        Self(Histogram::new_with_max(LONGEST_US, 3).unwrap_or_else(|error| panic!("a histogram: {error}")))
    }
}

impl Times {
    /// How long after `from` each came.
    pub fn since(from: Instant, came: &[Instant]) -> Self {
        let mut times = Self::default();
        for at in came {
            times.note(at.saturating_duration_since(from));
        }
        times
    }

    /// Takes one in.
    pub fn note(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many of a hundred took at most this, in milliseconds.
    pub fn percent_ms(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1e3
    }
}

/// The middle one; of two, the smaller. 0 when there is none.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    all.get(all.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// One JSON line of what was found.
///
/// # Errors
/// Never for plain figures.
pub fn json_line(scenario: &str, figures: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(&serde_json::json!({ "scenario": scenario, "figures": figures }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_medians() {
        let start = Instant::now();
        let came: Vec<Instant> = (1..=100).map(|ms| start + Duration::from_millis(ms)).collect();
        let times = Times::since(start, &came);
        assert_eq!(times.len(), 100);
        assert!((times.percent_ms(50.0) - 50.0).abs() < 0.1 && (times.percent_ms(100.0) - 100.0).abs() < 0.2);
        for (all, middle) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![2.0, 1.0], 1.0), (Vec::new(), 0.0)] {
            assert!((median(all) - middle).abs() < f64::EPSILON);
        }
    }
}
