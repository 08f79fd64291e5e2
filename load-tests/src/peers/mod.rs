//! What one would use instead of Muster, and the limit of the machine: servers that tell every phone the same few bytes.
//!
//! [`Kind::start`] starts one on a free port of the loopback with a folder of its own, waits until it takes connections, and gives
//! it back as a [`Peer`]: where phones connect, in which [`Dialect`], how one publish is said, and whose CPU and memory count.
//! Configurations and scripts are in `load-tests/peers/`. Phones are the generator's: nothing here connects as one.

mod counter;
mod dialect;
mod plain_axum;
mod postgres;
pub(crate) mod process;
mod publisher;
mod redis;
mod servers;

use std::fmt;
use std::io;
use std::net::SocketAddr;

pub use self::redis::DurableRedis;
pub use counter::{Broken, Counter, Seen};
pub use dialect::{Dialect, Speaks};
pub use postgres::Postgres;
pub use servers::{Kind, serve_own};

/// A server that was started to be measured. Dropping it stops it as [`Peer::stop`] does.
pub trait Peer: Send {
    /// What stands in the table.
    fn name(&self) -> &'static str;

    /// Where phones connect; always on 127.0.0.1. The source address is the phone's choice.
    fn address(&self) -> SocketAddr;

    /// How a phone asks for its WebSocket, subscribes, and knows a message.
    fn dialect(&self) -> Dialect;

    /// Says these bytes once to everybody who is connected. Comes back when the server has them, not when phones do: the clock of a
    /// delivery starts before the call. One publish is one message, whatever else waits.
    ///
    /// # Errors
    /// When the server is gone or refuses.
    fn publish(&mut self, payload: &[u8]) -> io::Result<()>;

    /// All processes whose CPU time and resident memory are the server's, workers and brokers behind it included.
    fn processes(&self) -> Vec<u32>;

    /// Ends these processes and no other, and waits until they are gone.
    ///
    /// # Errors
    /// When one could not be ended.
    fn stop(self: Box<Self>) -> io::Result<()>;
}

/// Why a peer is not in the table, in one line that says what to do about it.
#[derive(Debug)]
pub struct Missing(pub String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}
