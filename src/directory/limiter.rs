//! How often somebody may try to sign in: leaky buckets in one bounded table.
//!
//! Three buckets stand before a password: one for the address, one for this login from this address, one for this login from
//! anywhere. The second is the tight one: who guesses from one place is stopped there, and the login's owner still gets in
//! from another. An attempt that succeeds is given back.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::domain::refusal::Refusal;
use crate::domain::time::{MICROS_PER_S, Timestamp};

/// Buckets remembered. When there are more, those that are nearly empty are forgotten first.
const BUCKETS_MAX: usize = 60_000;

/// So many at once, and then one each so often.
#[derive(Clone, Copy)]
struct Quota {
    burst: i64,
    each_us: i64,
}

/// A house or an office behind one address signs in together after a power cut.
const ADDRESS: Quota = Quota { burst: 60, each_us: MICROS_PER_S };
/// Somebody who has forgotten which password it was.
const LOGIN_FROM_ADDRESS: Quota = Quota { burst: 10, each_us: 30 * MICROS_PER_S };
/// Guessing from many places at once: 1,440 a day.
const LOGIN: Quota = Quota { burst: 100, each_us: 60 * MICROS_PER_S };

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bucket {
    Address(IpAddr),
    LoginFromAddress(Box<str>, IpAddr),
    Login(Box<str>),
}

/// The buckets. Each is the time at which it will be empty again; one that would be empty now need not be there.
#[derive(Default)]
pub(super) struct AttemptLimiter {
    empty_at: Mutex<HashMap<Bucket, Timestamp>>,
}

impl AttemptLimiter {
    /// Counts an attempt, or refuses it and counts nothing.
    pub(super) fn attempt(&self, login: &str, from: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = buckets(login, from).map(|(bucket, quota)| {
            let before = empty_at.get(&bucket).map_or(now, |time| now.max(*time));
            let after = Timestamp(before.0.saturating_add(quota.each_us));
            let wait_us = after.0.saturating_sub(now.0).saturating_sub(quota.burst * quota.each_us);
            (bucket, after, wait_us)
        });
        let wait_us = filled.iter().map(|(_, _, wait_us)| *wait_us).max().unwrap_or(0);
        if wait_us > 0 {
            let retry_after_s = u32::try_from(wait_us.div_euclid(MICROS_PER_S) + 1).unwrap_or(u32::MAX);
            return Err(Refusal::TooManyAttempts { retry_after_s });
        }
        make_room(&mut empty_at, now);
        empty_at.extend(filled.map(|(bucket, after, _)| (bucket, after)));
        Ok(())
    }

    /// Gives an attempt back that succeeded.
    pub(super) fn succeeded(&self, login: &str, from: IpAddr) {
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        for (bucket, quota) in buckets(login, from) {
            if let Some(time) = empty_at.get_mut(&bucket) {
                time.0 = time.0.saturating_sub(quota.each_us);
            }
        }
    }
}

fn buckets(login: &str, from: IpAddr) -> [(Bucket, Quota); 3] {
    let from = neighbourhood(from);
    [
        (Bucket::Address(from), ADDRESS),
        (Bucket::LoginFromAddress(login.into(), from), LOGIN_FROM_ADDRESS),
        (Bucket::Login(login.into()), LOGIN),
    ]
}

/// What one subscriber has: an IPv4 address, or 64 bits of IPv6.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Empty buckets go; if that is not enough, so does the emptier half of the rest: who tries hardest is remembered longest.
fn make_room(empty_at: &mut HashMap<Bucket, Timestamp>, now: Timestamp) {
    if empty_at.len() + 3 <= BUCKETS_MAX {
        return;
    }
    empty_at.retain(|_, time| *time > now);
    if empty_at.len() > BUCKETS_MAX / 2 {
        let mut times: Vec<_> = empty_at.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        // Of those as full as the median, as many go as are needed to get down to half.
        let mut spare = middle - empty_at.values().filter(|time| **time > median).count().min(middle);
        empty_at.retain(|_, time| {
            let keep_equal = *time == median && spare > 0;
            spare -= usize::from(keep_equal);
            *time > median || keep_equal
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_city::NOW;
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    fn tries(limiter: &AttemptLimiter, count: u32, login: impl Fn(u32) -> String, from: impl Fn(u32) -> IpAddr) -> u32 {
        (0..count).filter(|n| limiter.attempt(&login(*n), from(*n), NOW).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn one_login_from_one_place_runs_out_and_comes_back() {
        let limiter = AttemptLimiter::default();
        assert_eq!(tries(&limiter, 50, |_| "one".into(), |_| HERE), 10);
        let Err(Refusal::TooManyAttempts { retry_after_s }) = limiter.attempt("one", HERE, NOW) else {
            panic!("not refused")
        };
        assert!((30..=31).contains(&retry_after_s), "{retry_after_s} s");
        assert!(limiter.attempt("one", HERE, NOW.plus_s(29)).is_err());
        assert!(limiter.attempt("one", HERE, NOW.plus_s(retry_after_s)).is_ok(), "as it was told");
        assert!(limiter.attempt("one", address(1), NOW).is_ok(), "the owner gets in elsewhere");
        assert!(limiter.attempt("two", HERE, NOW).is_ok(), "others get in here");
    }

    #[test]
    fn one_address_and_one_login_run_out_too() {
        let one_address = AttemptLimiter::default();
        assert_eq!(tries(&one_address, 500, |n| format!("login{n}"), |_| HERE), 60);
        let one_login = AttemptLimiter::default();
        assert_eq!(tries(&one_login, 500, |_| "one".into(), address), 100);
    }

    #[test]
    fn success_is_given_back() {
        let limiter = AttemptLimiter::default();
        for _ in 0..500 {
            limiter.attempt("one", HERE, NOW).unwrap();
            limiter.succeeded("one", HERE);
        }
    }

    #[test]
    fn an_ipv6_subscriber_is_one_and_a_mapped_address_is_the_same() {
        let limiter = AttemptLimiter::default();
        let subscriber = |n: u32| Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, u16::try_from(n).unwrap()).into();
        assert_eq!(tries(&limiter, 50, |_| "one".into(), subscriber), 10);
        assert_eq!(neighbourhood("::ffff:192.0.2.1".parse().unwrap()), HERE);
    }

    #[test]
    fn a_flood_fills_no_memory_and_does_not_wash_out_who_tries_hardest() {
        let limiter = AttemptLimiter::default();
        assert_eq!(tries(&limiter, 50, |_| "one".into(), |_| HERE), 10);
        tries(&limiter, 100_000, |n| format!("flood{n}"), address);
        assert!(limiter.empty_at.lock().unwrap().len() <= BUCKETS_MAX);
        assert!(limiter.attempt("one", HERE, NOW).is_err());
    }
}
