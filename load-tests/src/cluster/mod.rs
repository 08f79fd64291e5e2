//! A cluster on this machine: a Redis with its replica and three Sentinels, and three nodes of one city; with a balancer before them where
//! people are to use it ([`run`]).
//!
//! What each server is told stands in `config/cluster/`. Everything listens on the loopback.

pub mod cut;
pub mod node;
pub mod redis;
pub mod run;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use uuid::Uuid;

use crate::house::ROOT;
use cut::Room;
use node::{Node, Shared};
use redis::{Sentinels, Server};

/// Nodes of a cluster.
pub const NODES: usize = 3;

/// Where everything listens.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Primary and replica at the start.
    pub redis: [SocketAddr; 2],
    /// Those who watch them.
    pub sentinels: [SocketAddr; 3],
    /// The nodes.
    pub nodes: [SocketAddr; NODES],
    /// What stands before them, where people are to use them.
    pub balancer: Option<SocketAddr>,
}

/// Everything, running. Dropping it ends it.
pub struct Cluster {
    /// The nodes; they end first.
    pub nodes: Vec<Node>,
    sentinels: Sentinels,
    /// Primary and replica, whichever is which.
    pub redis: [Server; 2],
    shared: Shared,
    folder: PathBuf,
    _own: Option<TempDir>,
}

/// How a cluster is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All nodes on this machine's loopback, which ask the Sentinels where the primary is.
    Plain,
    /// The last node has a network of its own, with one wire to the others that can be cut; it knows the primary by address.
    LastApart,
}

impl Cluster {
    /// Starts everything, with a demo city of so many compounds, in this folder; or in one of its own, that goes with it.
    ///
    /// # Errors
    /// When something is not installed, or does not start, with what it said last.
    pub fn start(
        addresses: &Addresses,
        folder: Option<&Path>,
        compounds: usize,
        shape: Shape,
        room: Option<&Room>,
    ) -> anyhow::Result<Self> {
        let own = if folder.is_none() { Some(TempDir::new()?) } else { None };
        let folder = folder.or_else(|| own.as_ref().map(TempDir::path)).context("no folder")?.to_owned();
        std::fs::create_dir_all(&folder)?;
        let wire = room.filter(|_| shape == Shape::LastApart).map(Room::here);
        let [first, second] = addresses.redis;
        let mut redis =
            [Server::new(first, &folder.join("redis-1"), wire), Server::new(second, &folder.join("redis-2"), wire)];
        // A cluster that goes on begins with whoever was the primary at its end.
        let primary = usize::from(Sentinels::last_primary(&folder) == Some(second));
        redis[primary].start(None)?;
        let leads = redis[primary].address();
        redis[1 - primary].start(Some(leads))?;
        let sentinels = Sentinels::start(addresses.sentinels, leads, &folder)?;
        let shared = Shared { sentinels: sentinels.url(), key: key(&folder)?, config: config(addresses, &folder)? };
        let mut nodes = Vec::new();
        for (n, address) in addresses.nodes.into_iter().enumerate() {
            let data = folder.join(format!("node-{}", n + 1));
            let mut node = match room.filter(|_| shape == Shape::LastApart && n + 1 == NODES) {
                Some(room) => Node::apart(room, address.port(), &data, &shared, first.port()),
                None => Node::new(address, &data, &shared),
            };
            // The first lays the city out; the others find it there.
            node.start(if n == 0 { Some(compounds) } else { None })?;
            nodes.push(node);
        }
        Ok(Self { nodes, sentinels, redis, shared, folder, _own: own })
    }

    /// Where the Redis is that is the primary now, for a journal's end of one's own.
    pub fn redis_url(&self) -> &str {
        &self.shared.sentinels
    }

    /// Where all its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which of the two servers the Sentinels call the primary.
    ///
    /// # Errors
    /// When no Sentinel answers.
    pub fn primary(&self) -> anyhow::Result<usize> {
        let address = self.sentinels.primary()?;
        let found = self.redis.iter().position(|server| server.address() == address);
        found.with_context(|| format!("{address} is none of ours"))
    }
}

/// What seals the directory: drawn by lot once, kept with the files.
fn key(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("directory.key");
    if path.try_exists()? {
        return Ok(std::fs::read_to_string(path)?.trim().to_owned());
    }
    let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    std::fs::write(path, &key)?;
    Ok(key)
}

/// The nodes' configuration: as delivered, and the balancer's address for links.
fn config(addresses: &Addresses, folder: &Path) -> anyhow::Result<PathBuf> {
    let mut config = std::fs::read_to_string(format!("{ROOT}/config/cluster/muster.toml"))?;
    if let Some(balancer) = addresses.balancer {
        config = config.replacen("[server]\n", &format!("[server]\npublic_url = \"http://{balancer}\"\n"), 1);
    }
    let path = folder.join("muster.toml");
    std::fs::write(&path, config)?;
    Ok(path)
}
