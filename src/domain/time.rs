//! Time as the rules know it: microseconds that somebody outside read from a clock.
//!
//! Nothing here or below reads a clock. At the edges times are RFC 3339 with an offset (`server::time`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Microseconds in a second.
pub const MICROS_PER_S: i64 = 1_000_000;

impl Timestamp {
    /// The time `seconds` later; saturates at the end of time.
    pub fn plus_s(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(i64::from(seconds) * MICROS_PER_S))
    }

    /// Whole seconds from `earlier` to `self`; 0 when `earlier` is not earlier.
    pub fn since_s(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / MICROS_PER_S).unwrap_or(0)
    }
}
