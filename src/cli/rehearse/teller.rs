//! What the one at the keyboard reads: a line a step, Chinese first, with the time since the start; every line says EXERCISE.

use std::fmt::Write as _;
use std::time::Duration;

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

/// The time by which a share of `of` had it, s; `None` where fewer ever had it.
pub fn time_to_share_s(times: &[Duration], of: usize, percent: usize) -> Option<f64> {
    let needed = (of * percent).div_ceil(100).max(1);
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(needed - 1).map(Duration::as_secs_f64)
}

/// `50 % 0.4 s · 99 % 1.2 s · 100 % 1.9 s`; what was not reached is said so.
pub fn shares(times: &[Duration], of: usize) -> String {
    let mut text = String::new();
    for percent in [50, 99, 100] {
        let gap = if text.is_empty() { "" } else { " · " };
        let _ = match time_to_share_s(times, of, percent) {
            Some(s) => write!(text, "{gap}{percent} % {s:.2} s"),
            None => write!(text, "{gap}{percent} % 未达到 not reached"),
        };
    }
    text
}

/// The text, filled up to so many columns of a terminal, where a Chinese character takes two.
pub fn column(text: &str, columns: usize) -> String {
    let taken: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_character_takes_two_columns() {
        assert_eq!(column("空缺 x", 8), "空缺 x  ");
        assert_eq!(column("too long", 3), "too long");
    }

    #[test]
    fn a_share_is_reached_when_so_many_had_it() {
        let times: Vec<Duration> = (1..=9).rev().map(Duration::from_secs).collect();
        assert_eq!(time_to_share_s(&times, 10, 50), Some(5.0));
        assert_eq!(time_to_share_s(&times, 9, 100), Some(9.0));
        assert_eq!(time_to_share_s(&times, 10, 100), None, "one never had it");
        assert!(shares(&times, 10).ends_with("100 % 未达到 not reached"));
    }
}
