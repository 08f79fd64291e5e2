//! What is done to a cluster, and undone.

use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::cluster::cut::Room;
use crate::cluster::redis::eventually;
use crate::cluster::{Cluster, NODES, Shape};

/// Before what was killed is started again.
const DEAD_FOR: Duration = Duration::from_millis(500);
/// Longer than any timeout: those of Redis (2 s), of the Sentinels (2 s), and of whoever waits for a node's answer (4 s).
const FROZEN_FOR: Duration = Duration::from_secs(8);
/// Fills a disk.
const FILLER: &str = "filler";

/// One of them after the other.
static TURN: AtomicUsize = AtomicUsize::new(0);

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// The disk of the primary is full: Redis ends itself, since it cannot keep what it is given
    PrimaryDiskFull,
    /// kill -9 of a node
    NodeKilled,
    /// A node stands still for longer than all timeouts, and goes on
    NodeFrozen,
    /// All nodes are asked to end and started again, one after the other
    NodesRestarted,
    /// kill -9 of the primary
    PrimaryKilled,
    /// The primary stands still until another has taken its place, and goes on
    PrimaryFrozen,
    /// The network of a node is cut
    NodeCutOff,
}

impl Fault {
    /// How often it is done.
    pub const fn times(self) -> usize {
        match self {
            Self::NodeKilled => 30,
            Self::NodeFrozen | Self::PrimaryKilled => 10,
            Self::NodesRestarted | Self::PrimaryFrozen => 3,
            Self::PrimaryDiskFull => 2,
            Self::NodeCutOff => 1,
        }
    }

    /// Whether it is done to a network or a disk of the run's own, which needs the right to make them.
    pub fn needs_a_world_apart(self) -> bool {
        matches!(self, Self::NodeCutOff | Self::PrimaryDiskFull)
    }

    /// On which cluster.
    pub fn shape(self) -> Shape {
        if self == Self::NodeCutOff { Shape::LastApart } else { Shape::Plain }
    }

    /// In a table.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NodeKilled => "a node killed (kill -9)",
            Self::NodeFrozen => "a node frozen for 8 s, thawed",
            Self::NodesRestarted => "all nodes restarted in turn",
            Self::PrimaryKilled => "Redis primary killed (kill -9), failover",
            Self::PrimaryFrozen => "Redis primary frozen, failover, thawed",
            Self::PrimaryDiskFull => "disk of the Redis primary full, failover",
            Self::NodeCutOff => "network of a node cut",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// When the system refuses, or no other primary comes.
    pub fn strike(self, cluster: &mut Cluster, room: Option<&Room>, cut_s: u64) -> anyhow::Result<()> {
        let node = TURN.fetch_add(1, Ordering::Relaxed) % NODES;
        match self {
            Self::NodeKilled => {
                cluster.nodes[node].kill()?;
                std::thread::sleep(DEAD_FOR);
                cluster.nodes[node].start(None)
            }
            Self::NodeFrozen => {
                cluster.nodes[node].freeze();
                std::thread::sleep(FROZEN_FOR);
                cluster.nodes[node].thaw();
                Ok(())
            }
            Self::NodesRestarted => cluster.nodes.iter_mut().try_for_each(|node| {
                node.stop()?;
                node.start(None)
            }),
            Self::PrimaryKilled => {
                let primary = cluster.primary()?;
                cluster.redis[primary].kill()?;
                replaced(cluster, primary)
            }
            Self::PrimaryFrozen => {
                let primary = cluster.primary()?;
                cluster.redis[primary].freeze();
                replaced(cluster, primary)?;
                cluster.redis[primary].thaw();
                Ok(())
            }
            Self::PrimaryDiskFull => {
                let primary = cluster.primary()?;
                fill(cluster, primary)?;
                eventually("Redis ends where its disk is full", || Ok(!cluster.redis[primary].is_running()))?;
                replaced(cluster, primary)
            }
            Self::NodeCutOff => {
                room.context("no room")?.cut()?;
                std::thread::sleep(Duration::from_secs(cut_s));
                Ok(())
            }
        }
    }

    /// Undoes it, and waits until all is there again.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn heal(self, cluster: &mut Cluster, room: Option<&Room>) -> anyhow::Result<()> {
        if self == Self::NodeCutOff {
            room.context("no room")?.mend()?;
        }
        let primary = cluster.primary()?;
        for (n, server) in cluster.redis.iter_mut().enumerate() {
            if !server.is_running() {
                let filler = server.data().join(FILLER);
                if filler.try_exists()? {
                    std::fs::remove_file(filler)?;
                }
                // As a service manager does: the Sentinels tell it whom to follow.
                server.start(None)?;
            }
            if n != primary {
                server.wait_until_it_follows()?;
            }
        }
        cluster.nodes.iter().try_for_each(crate::cluster::node::Node::wait)
    }
}

fn replaced(cluster: &Cluster, gone: usize) -> anyhow::Result<()> {
    eventually("another primary", || Ok(cluster.primary().is_ok_and(|primary| primary != gone)))
}

/// Writes until nothing more fits.
fn fill(cluster: &Cluster, server: usize) -> anyhow::Result<()> {
    let mut filler = File::create(cluster.redis[server].data().join(FILLER))?;
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![0; size];
        while filler.write_all(&block).is_ok() {}
    }
    Ok(())
}
