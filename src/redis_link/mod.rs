//! The Redis that several nodes share: where it is, how it is connected to, whose city it holds, and how long a write is waited for.
//!
//! What is kept there is others' to say: [`crate::journal::redis`] (records) and [`crate::directory`] (names, accounts, sessions) each
//! have a [`Link`] of their own. [`source`] finds the primary; [`link`] stands by it and finds out, in `enter.lua`, when it is another
//! than before (an epoch); [`watch`] hears of what others write; [`marks`] says of a city what no record does.

pub(crate) mod link;
mod marks;
mod source;
pub(crate) mod watch;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::area::AreaCode;

pub use link::OpenRedisError;
pub(crate) use link::{Failure, Link, Meta};
pub use marks::{is_marked, lay_out, mark};
pub use source::check_url;

/// When what was written counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcknowledgeAfter {
    /// The primary has it (on its disk, with `appendfsync always`). What a failover loses was acknowledged all the same.
    #[default]
    Primary,
    /// So many replicas have it, too (in their memory): a failover to one of them loses nothing of it. Sentinels may choose any
    /// replica, so only all of them are safe.
    Replicas(u8),
}

impl fmt::Display for AcknowledgeAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("primary"),
            Self::Replicas(count) => write!(f, "replicas:{count}"),
        }
    }
}

impl FromStr for AcknowledgeAfter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let count = |text: &str| text.parse().ok().filter(|count| *count > 0);
        match (text, text.strip_prefix("replicas:").and_then(count)) {
            ("primary", _) => Ok(Self::Primary),
            (_, Some(count)) => Ok(Self::Replicas(count)),
            _ => Err("must be \"primary\", or \"replicas:1\" and the like"),
        }
    }
}

/// Which Redis, and whose city in it.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://host:port/db`, `redis+sentinel://host:port,host:port/NAME/db`, or `redis+cluster://host:port,host:port`.
    pub url: String,
    /// Whose it is; what is another city's has other keys.
    pub city: AreaCode,
    /// When a write counts as durable.
    pub acknowledge_after: AcknowledgeAfter,
    /// How long an answer may take before its outcome is unknown.
    pub timeout: Duration,
}

impl RedisOptions {
    /// What is usual, for this city.
    pub fn new(url: impl Into<String>, city: AreaCode) -> Self {
        let timeout = Duration::from_secs(2);
        Self { url: url.into(), city, acknowledge_after: AcknowledgeAfter::default(), timeout }
    }
}

/// The address may hold a password.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, city, acknowledge_after, timeout } = self;
        let mut shown = f.debug_struct("RedisOptions");
        shown.field("city", city).field("acknowledge_after", acknowledge_after).field("timeout", timeout);
        shown.finish_non_exhaustive()
    }
}

/// The key under which something of a city is kept. The braces keep all of it in one slot of a cluster.
pub(crate) fn key_of(city: AreaCode, what: &str) -> String {
    format!("{{muster:{city}}}:{what}")
}

/// The id of a stream's entry at this position.
pub(crate) fn id_of(position: u64) -> String {
    format!("{position}-0")
}

/// The position of an entry, where its id is one of ours.
pub(crate) fn position_of(id: &str) -> Option<u64> {
    id.strip_suffix("-0").and_then(|position| u64::from_str(position).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_write_counts_is_read_as_it_is_written() {
        for text in ["primary", "replicas:1", "replicas:2"] {
            assert_eq!(text.parse::<AcknowledgeAfter>().unwrap().to_string(), text);
        }
        for none in ["", "replicas", "replicas:0", "replicas:-1", "replicas:256", "Primary"] {
            assert!(none.parse::<AcknowledgeAfter>().is_err(), "{none}");
        }
    }

    #[test]
    fn an_address_is_not_shown() {
        let options = RedisOptions::new("redis://:secret@10.0.0.1/", "1404".parse().unwrap());
        assert!(!format!("{options:?}").contains("secret"));
    }
}
