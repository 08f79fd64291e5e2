//! How people behave in the play: seeded, so that the same people do the same each time, in whatever order things arrive.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// Chance of one rehearsal: a throw depends on the seed, on whom it is about and on what, and on nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Human {
    seed: u64,
    times_faster: f64,
}

/// What somebody does about a call to a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallAnswer {
    /// Comes.
    Comes,
    /// Says no, and why.
    Declines(&'static str),
    /// Does not answer.
    Silent,
}

/// Of 100 called people, how many decline, and how many do not answer.
const DECLINE_PERCENT: u64 = 6;
const NO_ANSWER_PERCENT: u64 = 2;
/// Why somebody cannot come.
const REASONS: [&str; 4] = ["在外地出差", "本人发烧就医", "道路积水无法通行", "正在照看孩子，无人接替"];
const REASONS_EN: [&str; 4] =
    ["away on business", "ill with a fever", "the road is under water", "minding a child, nobody to take over"];

impl Human {
    /// People who live so many times as fast as we do.
    pub const fn new(seed: u64, times_faster: f64) -> Self {
        Self { seed, times_faster }
    }

    /// A number that follows from seed, person and matter.
    pub fn number(&self, who: &str, what: &str) -> u64 {
        let hash = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(what).chain_update("/");
        let hash: [u8; 32] = hash.chain_update(who).finalize().into();
        hash.into_iter().take(8).fold(0, |number, byte| number << 8 | u64::from(byte))
    }

    /// A throw in `0..100`.
    pub fn percent(&self, who: &str, what: &str) -> u64 {
        self.number(who, what) % 100
    }

    /// How long somebody takes: `least_s` to `most_s` of their seconds, short times being the more frequent ones.
    pub fn takes(&self, who: &str, what: &str, least_s: f64, most_s: f64) -> Duration {
        // 32 bits of chance are plenty for a delay.
        let even = f64::from(u32::try_from(self.number(who, what) >> 32).unwrap_or(0)) / f64::from(u32::MAX);
        Duration::from_secs_f64((least_s + (most_s - least_s) * even * even) / self.times_faster)
    }

    /// What somebody answers to a call.
    pub fn answers_call(&self, who: &str, post: &str) -> CallAnswer {
        let throw = self.percent(who, post);
        if throw < DECLINE_PERCENT {
            let which = self.number(post, "reason") % REASONS.len() as u64;
            CallAnswer::Declines(REASONS[usize::try_from(which).unwrap_or(0)])
        } else if throw < DECLINE_PERCENT + NO_ANSWER_PERCENT {
            CallAnswer::Silent
        } else {
            CallAnswer::Comes
        }
    }
}

/// A reason in English.
pub fn reason_en(reason: &str) -> &'static str {
    REASONS.iter().position(|one| *one == reason).map_or("", |at| REASONS_EN[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_people_do_the_same_and_others_do_not() {
        let human = Human::new(1404, 10.0);
        assert_eq!(human.number("a", "ack"), Human::new(1404, 1.0).number("a", "ack"));
        assert_ne!(human.number("a", "ack"), human.number("b", "ack"));
        assert_ne!(human.number("a", "ack"), Human::new(1405, 10.0).number("a", "ack"));
    }

    #[test]
    fn delays_keep_their_bounds_and_scale_with_speed() {
        let (slow, fast) = (Human::new(7, 1.0), Human::new(7, 100.0));
        for n in 0..100 {
            let who = n.to_string();
            let takes = slow.takes(&who, "ack", 8.0, 118.0);
            assert!(takes >= Duration::from_secs(8) && takes <= Duration::from_secs(118), "{takes:?}");
            let ratio = takes.as_secs_f64() / fast.takes(&who, "ack", 8.0, 118.0).as_secs_f64();
            assert!((ratio - 100.0).abs() < 0.01, "{ratio}");
        }
    }

    #[test]
    fn most_come_some_decline_a_few_are_silent() {
        let human = Human::new(1404, 1.0);
        let answers: Vec<_> = (0..1_000).map(|n| human.answers_call(&n.to_string(), "p#1")).collect();
        let comes = answers.iter().filter(|answer| **answer == CallAnswer::Comes).count();
        let silent = answers.iter().filter(|answer| **answer == CallAnswer::Silent).count();
        assert!((880..960).contains(&comes) && (5..45).contains(&silent), "{comes} {silent}");
    }
}
