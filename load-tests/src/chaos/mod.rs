//! `load-tests chaos`: a cluster under a roll call, whose parts are killed, frozen, cut off and filled up; and what came of each command.
//!
//! Callers report households at the nodes in turn, and give each report again under its id until it is answered, as phones do. Phones hear
//! alerts, and go to another node where theirs is gone. Then the journal is read: is each report there that was answered, where the answer
//! said, once? Do all nodes show the same city? Does every phone know every alert, once?

mod api;
mod callers;
mod faults;
mod ledger;
mod phones;
mod table;

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::cluster::redis::data_of;
use crate::cluster::{Addresses, Cluster, NODES, Shape, cut};
use crate::peers::process::free_address;
use crate::scenarios::stage::Outcome;

use api::Nodes;
use faults::Fault;
use ledger::Ledger;
use table::Row;

/// MiB of each Redis's disk: what the run writes has room several times, and it is soon filled.
const DISK_MIB: u32 = 1_024;

/// What is done to a cluster.
#[derive(Debug, clap::Args)]
pub struct Chaos {
    /// Compounds of the demo city: as many as one page of the map has, by which nodes are compared
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=500))]
    compounds: u16,
    /// Those who report households
    #[arg(long, default_value_t = 12)]
    callers: usize,
    /// Phones that hear alerts
    #[arg(long, default_value_t = 24)]
    phones: usize,
    /// Only these faults
    #[arg(long, value_delimiter = ',')]
    only: Vec<Fault>,
    /// How often each, instead of as often as it is promised for
    #[arg(long)]
    times: Option<usize>,
    /// Seconds for which a node is cut off
    #[arg(long, default_value_t = 60)]
    cut_s: u64,
}

impl Chaos {
    /// Runs it, and tells what it found: a table, then a JSON line. Whether all that was promised was kept.
    ///
    /// # Errors
    /// When the cluster does not start, or does not come back after a fault.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let all = Fault::value_variants().iter().copied();
        let faults: Vec<Fault> = all.filter(|fault| self.only.is_empty() || self.only.contains(fault)).collect();
        if faults.iter().any(|fault| fault.needs_a_world_apart()) {
            cut::enter()?;
        }
        let mut rows = Vec::new();
        for shape in [Shape::Plain, Shape::LastApart] {
            let here: Vec<Fault> = faults.iter().copied().filter(|fault| fault.shape() == shape).collect();
            if !here.is_empty() {
                self.on(shape, &here, &mut rows)?;
            }
        }
        println!("{}", table::table(&rows));
        println!("{}", crate::figures::json_line("chaos", &rows)?);
        Ok(Outcome { figures: serde_json::Value::Null, kept: rows.iter().all(Row::is_kept) })
    }

    /// Does these faults to a fresh cluster.
    fn on(&self, shape: Shape, faults: &[Fault], rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let folder = tempfile::TempDir::new()?;
        if faults.contains(&Fault::PrimaryDiskFull) {
            for server in ["redis-1", "redis-2"] {
                cut::mount_small(&data_of(&folder.path().join(server)), DISK_MIB)?;
            }
        }
        let room = if shape == Shape::LastApart { Some(cut::Room::make()?) } else { None };
        let addresses = addresses()?;
        let mut cluster = Cluster::start(&addresses, Some(folder.path()), self.compounds.into(), shape, room.as_ref())?;
        let nodes = Nodes::of(&cluster)?;
        let stage = callers::Stage::set(&cluster, &nodes, self.compounds.into(), self.phones)?;
        for fault in faults {
            let times = self.times.unwrap_or_else(|| fault.times());
            let ledger = Ledger::begin(&cluster)?;
            let callers = stage.call(&nodes, &ledger, self.callers);
            let phones = stage.listen(&nodes);
            for n in 1..=times {
                eprintln!("{}: {n} / {times}", fault.words());
                ledger.wait_for_more()?;
                let alert = stage.alert_in_a_moment(&nodes, &ledger);
                fault.strike(&mut cluster, room.as_ref(), self.cut_s)?;
                fault.heal(&mut cluster, room.as_ref())?;
                // Some faults leave nobody who could take it before.
                alert.join().map_err(|_| anyhow::anyhow!("whoever sends the alert panicked"))??;
                ledger.wait_for_more()?;
            }
            callers.end()?;
            let told = phones.end(&ledger.alerts())?;
            rows.push(ledger.close(*fault, times, &cluster, &nodes, &told)?);
            eprintln!("{}", rows.last().map(table::line).unwrap_or_default());
        }
        drop(cluster);
        Ok(())
    }
}

fn addresses() -> anyhow::Result<Addresses> {
    let free = || free_address().context("no free port");
    // Nodes are found from inside the room by their ports, too.
    let loopback = |address: SocketAddr| SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
    let mut nodes = [loopback(free()?); NODES];
    for node in nodes.iter_mut().skip(1) {
        *node = loopback(free()?);
    }
    Ok(Addresses { nodes, redis: [free()?, free()?], sentinels: [free()?, free()?, free()?], balancer: None })
}
