//! A node of a cluster: `muster serve` with a folder of its own.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::house::{ROOT, START_MAX_S, binary};
use crate::peers::process::Process;

use super::cut::Room;

/// What all nodes are told.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where the primary is found; empty for a node that keeps the city in its own files.
    pub sentinels: String,
    /// What seals the directory.
    pub key: String,
    /// The configuration file.
    pub config: PathBuf,
}

/// A node that can be killed, frozen and started again.
pub struct Node {
    process: Option<Process>,
    address: SocketAddr,
    data: PathBuf,
    shared: Shared,
    /// What runs it in a network of its own.
    inside: Vec<OsString>,
}

impl Node {
    pub(crate) fn new(address: SocketAddr, data: &Path, shared: &Shared) -> Self {
        Self { process: None, address, data: data.to_owned(), shared: shared.clone(), inside: Vec::new() }
    }

    /// In a network of its own, which knows the primary by its address.
    pub(super) fn apart(room: &Room, port: u16, data: &Path, shared: &Shared, redis: u16) -> Self {
        let shared = Shared { sentinels: format!("redis://{}:{redis}/", room.here()), ..shared.clone() };
        let address = SocketAddr::new(room.there(), port);
        Self { process: None, address, data: data.to_owned(), shared, inside: room.inside() }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// A verb at the shell, with the node's environment.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn verb(&self) -> anyhow::Result<Command> {
        let binary = binary()?;
        let mut command = match self.inside.split_first() {
            None => Command::new(binary),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(binary);
                command
            }
        };
        command.current_dir(ROOT).arg("--config").arg(&self.shared.config);
        command.env("MUSTER_DATA_DIR", &self.data).env("MUSTER_LISTEN", self.address.to_string());
        command.env("MUSTER_JOURNAL_URL", &self.shared.sentinels).env("MUSTER_DIRECTORY_KEY", &self.shared.key);
        Ok(command)
    }

    /// Starts it, and waits until it takes commands; with a demo city of so many compounds, where it is to be there.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&mut self, compounds: Option<usize>) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.data)?;
        let mut command = self.verb()?;
        command.arg("serve");
        if let Some(compounds) = compounds {
            command.args(["--demo", "--demo-compounds", &compounds.to_string()]);
        }
        self.process = Some(Process::start(&mut command, &self.data.join("node.log"))?);
        self.wait()
    }

    /// Waits until it takes commands.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn wait(&self) -> anyhow::Result<()> {
        let server = format!("http://{}", self.address);
        let ready = self.verb()?.args(["ready", "--server", &server, "--within-s", START_MAX_S]).status()?;
        if !ready.success() {
            bail!("{server} does not serve; see {}", self.data.join("node.log").display());
        }
        Ok(())
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    /// Kills it, as a power cut would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&mut self) -> io::Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.end())
    }

    /// It does nothing any more, and its connections stay.
    pub fn freeze(&self) {
        self.process.iter().for_each(Process::freeze);
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.process.iter().for_each(Process::thaw);
    }
}
