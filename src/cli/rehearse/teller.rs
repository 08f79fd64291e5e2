//! What the one at the keyboard reads: a line a step, Chinese first, with the time since the start; every line says EXERCISE.

use std::fmt::Write as _;

use tokio::time::Instant;

/// Tells the play as it goes, on standard output.
#[derive(Debug, Clone, Copy)]
pub struct Teller {
    began: Instant,
}

impl Teller {
    /// From now on.
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Seconds since the start.
    pub fn elapsed_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// One line.
    pub fn say(&self, zh: &str, en: &str) {
        println!("{:>7.1} s 【演练】{zh}  [EXERCISE] {en}", self.elapsed_s());
    }

    /// The heading of a step.
    pub fn step(&self, no: u8, zh: &str, en: &str) {
        println!();
        self.say(&format!("第{no}步 {zh}"), &format!("Step {no}: {en}"));
    }
}

/// The time by which a share of them had it, s after `from`; `None` where fewer ever had it.
pub fn time_to_share_s(from: Instant, times: &[Instant], of: usize, percent: usize) -> Option<f64> {
    let needed = (of * percent).div_ceil(100).max(1);
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(needed - 1).map(|at| at.saturating_duration_since(from).as_secs_f64())
}

/// `50 % 0.4 s · 99 % 1.2 s · 100 % 1.9 s`; what was not reached is said so.
pub fn shares(from: Instant, times: &[Instant], of: usize) -> String {
    let mut text = String::new();
    for percent in [50, 99, 100] {
        let gap = if text.is_empty() { "" } else { " · " };
        let _ = match time_to_share_s(from, times, of, percent) {
            Some(s) => write!(text, "{gap}{percent} % {s:.2} s"),
            None => write!(text, "{gap}{percent} % 未达到 not reached"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_share_is_reached_when_so_many_had_it() {
        let from = Instant::now();
        let times: Vec<Instant> = (1..=9).rev().map(|s| from + Duration::from_secs(s)).collect();
        assert_eq!(time_to_share_s(from, &times, 10, 50), Some(5.0));
        assert_eq!(time_to_share_s(from, &times, 9, 100), Some(9.0));
        assert_eq!(time_to_share_s(from, &times, 10, 100), None, "one never had it");
        assert!(shares(from, &times, 10).ends_with("100 % 未达到 not reached"));
    }
}
