//! A Redis that keeps what it is given: for a journal of several nodes.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use tempfile::TempDir;

use super::Missing;
use super::process::{Process, free_address};

/// A server that syncs each write before it answers. Dropping it ends it.
#[derive(Debug)]
pub struct DurableRedis {
    _process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl DurableRedis {
    /// Starts an empty one.
    ///
    /// # Errors
    /// When it is not installed, with what to install; or when it does not start, with what it said last.
    pub fn start() -> Result<Self, Missing> {
        Self::set_up().map_err(|error| Missing(format!("Redis (apt-get install redis-server) does not start: {error}")))
    }

    /// Its address, for a journal.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    fn set_up() -> io::Result<Self> {
        let (folder, address) = (TempDir::new()?, free_address()?);
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", ""]);
        server.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder.path());
        let mut process = Process::start(&mut server, &folder.path().join("redis.log"))?;
        process.wait_for(|| TcpStream::connect(address))?;
        Ok(Self { _process: process, address, _folder: folder })
    }
}
