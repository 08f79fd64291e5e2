//! What is said of a city as a whole, and is no record: that it is a demo city, that it is only half there.

use super::link::{Link, OpenRedisError};
use super::{RedisOptions, key_of};

/// Lays the city out, unless it is there already: an empty journal, and a directory with nobody in it.
///
/// # Errors
/// When Redis cannot be reached, or holds something else under the city's name.
pub fn lay_out(options: &RedisOptions) -> Result<(), OpenRedisError> {
    Link::lay_out(options).map(drop)
}

/// Whether this was said of the city; not of one that was never laid out.
///
/// # Errors
/// As [`lay_out`].
pub fn is_marked(options: &RedisOptions, mark: &str) -> Result<bool, OpenRedisError> {
    let mut link = match Link::open(options) {
        Err(OpenRedisError::NotLaidOut(_)) => return Ok(false),
        opened => opened?,
    };
    let mut asked = redis::cmd("SISMEMBER");
    asked.arg(key_of(options.city, "marks")).arg(mark);
    Ok(link.ask(&asked)?)
}

/// Says it of the city, or takes it back. Durable when it returns, as [`RedisOptions::acknowledge_after`] says.
///
/// # Errors
/// As [`lay_out`].
pub fn mark(options: &RedisOptions, mark: &str, holds: bool) -> Result<(), OpenRedisError> {
    let mut link = Link::open(options)?;
    let mut said = redis::cmd(if holds { "SADD" } else { "SREM" });
    said.arg(key_of(options.city, "marks")).arg(mark);
    link.ask::<u8>(&said)?;
    Ok(link.wait_for_replicas()?)
}
