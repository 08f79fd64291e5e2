//! Hearing of what others write to a stream: a thread with a connection of its own, since a read that blocks keeps it for itself.

use std::sync::Weak;
use std::thread::{Builder, sleep};
use std::time::Duration;

use redis::{Connection, RedisResult, Value};

use super::position_of;
use super::source::Source;

/// What is called when others may have written: with the position of the last entry, or [`u64::MAX`] where that cannot be told.
/// False: what was written could not be read; it is tried again.
pub(crate) type Heard = Box<dyn Fn(u64) -> bool + Send + Sync>;

/// How long one read blocks; a watch whose link is gone ends as soon.
const BLOCK: Duration = Duration::from_secs(1);
/// How long an answer may take beyond that.
const GRACE: Duration = Duration::from_secs(2);
/// Between two attempts to connect.
const CONNECT_EVERY: Duration = Duration::from_millis(200);

/// Calls `heard` whenever something was written, and after each connection, until `alive` is gone.
pub(crate) fn start(source: Source, stream: String, alive: Weak<()>, heard: Heard) {
    let watch = move || {
        while alive.strong_count() > 0 {
            // Why it broke off is told by whoever writes; here it is only tried again.
            drop(follow(&source, &stream, &alive, &heard));
            sleep(CONNECT_EVERY);
        }
    };
    if let Err(error) = Builder::new().name("muster-watch".to_owned()).spawn(watch) {
        tracing::error!(%error, "no thread to hear of other nodes with: what they write is seen only after the next command here");
    }
}

fn follow(source: &Source, stream: &str, alive: &Weak<()>, heard: &Heard) -> RedisResult<()> {
    let mut connection = source.connect(GRACE)?;
    connection.set_read_timeout(Some(BLOCK + GRACE))?;
    let mut last = newest(&mut connection, stream)?;
    // It may be another server, which lacks what was read from the one before.
    if !heard(u64::MAX) {
        return Ok(());
    }
    let block = BLOCK.as_millis().to_string();
    while alive.strong_count() > 0 {
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(1).arg("BLOCK").arg(&block).arg("STREAMS").arg(stream).arg(&last);
        if read.query::<Value>(&mut connection)? != Value::Nil {
            last = newest(&mut connection, stream)?;
            if !heard(position_of(&last).unwrap_or(u64::MAX)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The id of the last entry.
fn newest(connection: &mut Connection, stream: &str) -> RedisResult<String> {
    let mut command = redis::cmd("XREVRANGE");
    command.arg(stream).arg("+").arg("-").arg("COUNT").arg(1);
    let found: Vec<(String, Vec<Value>)> = command.query(connection)?;
    Ok(found.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id))
}
