//! Help requests: what a check-in that says "need help" opens. Open until somebody, by name, resolves it or hands it over.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::Need;
use super::household::HouseholdKey;
use super::ids::PersonId;
use super::refusal::Refusal;
use super::roll_call::HelpKind;
use super::text::check_text;
use super::text_form::{BadKey, parse_digits, text_form};
use super::time::Timestamp;

/// Characters of the reason with which a request ends.
pub const REASON_MAX: usize = 300;
/// Requests that one household may have in one incident.
pub const REQUESTS_PER_HOUSEHOLD_MAX: u16 = 999;

/// One request of a household: `140403001001001/3-2-502/1` is its first in the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelpKey {
    /// Who needs help.
    pub household: HouseholdKey,
    /// 1, 2, 3 … in the incident.
    pub no: u16,
}

impl fmt::Display for HelpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.household, self.no)
    }
}

impl FromStr for HelpKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let parse = || {
            let (household, no) = text.rsplit_once('/')?;
            let no = parse_digits(no).filter(|n| (1..=u64::from(REQUESTS_PER_HOUSEHOLD_MAX)).contains(n))?;
            Some(Self { household: household.parse().ok()?, no: u16::try_from(no).ok()? })
        };
        parse().ok_or_else(|| BadKey::new(text, "a help request like 140403001001001/3-2-502/1"))
    }
}

text_form!(HelpKey, "140403001001001/3-2-502/1");

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Helped, or found not to be needed.
    Resolved,
    /// Handed over to a service outside Muster.
    HandedOver,
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HelpState {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Assigned {
        /// Who.
        to: PersonId,
        /// Since when.
        #[schema(value_type = i64)]
        at: Timestamp,
    },
    /// It ended.
    Ended {
        /// How.
        how: Resolution,
        /// By whom, by name.
        by: Option<PersonId>,
        /// Why.
        reason: String,
        /// When.
        #[schema(value_type = i64)]
        at: Timestamp,
    },
}

/// A request for help as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HelpRequest {
    /// What is needed; grows as reports come in, sorted.
    pub kinds: Vec<HelpKind>,
    /// When the first report of it was made.
    #[schema(value_type = i64)]
    pub made_at: Timestamp,
    /// Why the household is helped first; empty when it is not listed.
    pub needs: Vec<Need>,
    /// Where it stands.
    pub state: HelpState,
}

/// Sorts requests: vulnerable households first (life support before the rest), then by what is needed, then the longest waiting.
pub type HelpOrder = (u8, HelpKind, Timestamp, HelpKey);

impl HelpRequest {
    /// Opens a request.
    pub fn open(kinds: &[HelpKind], made_at: Timestamp, needs: &[Need]) -> Self {
        let mut request = Self { kinds: Vec::new(), made_at, needs: needs.to_vec(), state: HelpState::Open };
        request.join(kinds, made_at);
        request
    }

    /// Takes a further report of the same need in; the same in any order.
    pub fn join(&mut self, kinds: &[HelpKind], made_at: Timestamp) {
        self.made_at = self.made_at.min(made_at);
        self.kinds.extend(kinds);
        self.kinds.sort_unstable();
        self.kinds.dedup();
    }

    /// Whether it still waits for help.
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, HelpState::Ended { .. })
    }

    /// Its place among the open ones.
    pub fn order(&self, key: HelpKey) -> HelpOrder {
        let vulnerable = match self.needs.iter().min() {
            Some(Need::LifeSupport) => 0,
            Some(_) => 1,
            None => 2,
        };
        let gravest = self.kinds.first().copied().unwrap_or(HelpKind::Supplies);
        (vulnerable, gravest, self.made_at, key)
    }

    /// # Errors
    /// [`Refusal::UnknownHelp`] when it has ended, [`Refusal::BadText`] for a bad reason.
    pub fn check_end(&self, key: HelpKey, reason: &str) -> Result<(), Refusal> {
        if !self.is_open() {
            return Err(Refusal::UnknownHelp { household: key.household });
        }
        check_text("reason", reason, REASON_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> HelpKey {
        text.parse().unwrap()
    }

    #[test]
    fn the_vulnerable_come_first_then_the_graver_then_the_longer_waiting() {
        let plain = |kind, at| HelpRequest::open(&[kind], Timestamp(at), &[]);
        let ill = HelpRequest::open(&[HelpKind::Supplies], Timestamp(9), &[Need::Wheelchair]);
        let hanging_on = HelpRequest::open(&[HelpKind::Supplies], Timestamp(9), &[Need::Infant, Need::LifeSupport]);
        let mut order = [
            plain(HelpKind::Supplies, -5).order(key("140403001001001/1-1-301/1")),
            plain(HelpKind::Medical, 1).order(key("140403001001001/1-1-101/1")),
            ill.order(key("140403001001001/1-1-102/1")),
            hanging_on.order(key("140403001001001/1-1-201/1")),
            plain(HelpKind::Medical, 0).order(key("140403001001001/1-1-202/1")),
        ];
        order.sort();
        assert_eq!(order.map(|o| o.3.household.flat.flat), [201, 102, 202, 101, 301]);
    }

    #[test]
    fn further_reports_join_in_any_order() {
        let mut a = HelpRequest::open(&[HelpKind::Supplies], Timestamp(5), &[]);
        a.join(&[HelpKind::Medical], Timestamp(3));
        let mut b = HelpRequest::open(&[HelpKind::Medical], Timestamp(3), &[]);
        b.join(&[HelpKind::Supplies], Timestamp(5));
        assert_eq!(a, b);
    }

    #[test]
    fn a_request_ends_once_and_with_a_reason() {
        let key = key("140403001001001/1-1-101/1");
        let mut request = HelpRequest::open(&[HelpKind::Medical], Timestamp(1), &[]);
        assert!(request.check_end(key, " ").is_err());
        assert!(request.check_end(key, "已送医").is_ok());
        request.state =
            HelpState::Ended { how: Resolution::Resolved, by: None, reason: "已送医".into(), at: Timestamp(2) };
        assert_eq!(request.check_end(key, "再次").unwrap_err().code(), "unknown_help");
    }
}
