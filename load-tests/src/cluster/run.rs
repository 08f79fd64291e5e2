//! `load-tests cluster`: a cluster with a balancer before it, for people to use, kill and freeze. What ends is started again, as a service
//! manager would.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::house::ROOT;
use crate::peers::process::Process;

use super::{Addresses, Cluster, NODES, Shape};

/// Between two looks at what may have ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Ports: nodes follow the balancer's, then Redis, then the Sentinels.
const REDIS_AFTER: u16 = 10;
const SENTINELS_AFTER: u16 = 20;

/// Runs a cluster until it is told to end.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Folder of all its files; what is there goes on
    #[arg(long, default_value = "data/cluster")]
    folder: PathBuf,
    /// Port of the balancer; the others follow it
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Compounds of the demo city
    #[arg(long, default_value_t = 2_431)]
    compounds: usize,
    /// Only restart the nodes of a cluster that runs, one after the other, each when the one before serves
    #[arg(long)]
    restart_nodes: bool,
}

impl Run {
    /// Runs it.
    ///
    /// # Errors
    /// When something is not installed, or does not start.
    pub fn run(&self) -> anyhow::Result<()> {
        let folder = std::path::absolute(&self.folder)?;
        let addresses = self.addresses();
        if self.restart_nodes {
            return restart(&folder, &addresses);
        }
        eprintln!("启动集群，稍候… starting the cluster: Redis, replica, Sentinels, {NODES} nodes, balancer …");
        let mut cluster = Cluster::start(&addresses, Some(&folder), self.compounds, Shape::Plain, None)?;
        let mut balancer = self.balance(&addresses, &cluster)?;
        println!("{}", self.greeting(&addresses, &cluster));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut told = runtime.block_on(async { Told::listen() })?;
        while !runtime.block_on(told.within(LOOK_EVERY)) {
            cluster.start_what_ended()?;
            if !balancer.is_running() {
                balancer = self.balance(&addresses, &cluster)?;
            }
            cluster.note_processes()?;
        }
        eprintln!("停止集群 ending the cluster …");
        balancer.end()?;
        Ok(())
    }

    fn addresses(&self) -> Addresses {
        let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, self.port + port));
        Addresses {
            nodes: [1, 2, 3].map(at),
            redis: [1, 2].map(|n| at(REDIS_AFTER + n)),
            sentinels: [1, 2, 3].map(|n| at(SENTINELS_AFTER + n)),
            balancer: Some(at(0)),
        }
    }

    fn balance(&self, addresses: &Addresses, cluster: &Cluster) -> anyhow::Result<Process> {
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f"]).arg(format!("{ROOT}/config/cluster/haproxy.cfg"));
        command.env("MUSTER_BALANCER", format!("127.0.0.1:{}", self.port));
        for (n, address) in addresses.nodes.iter().enumerate() {
            command.env(format!("MUSTER_NODE_{}", n + 1), address.to_string());
        }
        let log = cluster.folder().join("haproxy.log");
        let mut process = Process::start(&mut command, &log).context("apt-get install haproxy")?;
        process.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))?;
        Ok(process)
    }

    fn greeting(&self, addresses: &Addresses, cluster: &Cluster) -> String {
        let mut text = format!(
            "集群已就绪 The cluster is up. 网址 Address: http://127.0.0.1:{0}\n  \
             演练，另开终端 Rehearse, in a second terminal: muster rehearse flood-2021 --server http://127.0.0.1:{0}\n",
            self.port
        );
        for (n, address) in addresses.nodes.iter().enumerate() {
            let _ = writeln!(text, "  节点 node {}: http://{address}", n + 1);
        }
        for server in &cluster.redis {
            let _ = writeln!(text, "  Redis: {}", server.address());
        }
        let _ = write!(
            text,
            "  Sentinel: {}\n  进程号 processes: {}\n  结束的进程会自动重启；停止 What ends is started again. Stop: Ctrl-C",
            addresses.sentinels.map(|address| address.to_string()).join(", "),
            cluster.folder().join("processes").display()
        );
        text
    }
}

impl Cluster {
    /// Starts again what has ended, as a service manager would.
    fn start_what_ended(&mut self) -> anyhow::Result<()> {
        let primary = self.primary();
        for server in &mut self.redis {
            if server.is_running() {
                continue;
            }
            eprintln!("Redis {} 已结束，正在重启 has ended, starting it again", server.address());
            // Whoever comes back as a primary though there is another is told so by the Sentinels.
            server.start(None)?;
        }
        // While the primary is being replaced a node could not start.
        if primary.is_err() {
            return Ok(());
        }
        for node in &mut self.nodes {
            if !node.is_running() {
                eprintln!("节点 {} 已结束，正在重启 the node has ended, starting it again", node.address());
                node.start(None)?;
            }
        }
        Ok(())
    }

    /// Writes down which process is which, for those who kill and freeze.
    fn note_processes(&self) -> anyhow::Result<()> {
        let mut text = String::new();
        for node in &self.nodes {
            let _ = writeln!(text, "{} node {}", node.id().unwrap_or_default(), node.address());
        }
        for server in &self.redis {
            let _ = writeln!(text, "{} redis {}", server.id().unwrap_or_default(), server.address());
        }
        Ok(std::fs::write(self.folder().join("processes"), text)?)
    }
}

/// Asks the nodes of a running cluster to end, one after the other; whoever runs it starts them again.
fn restart(folder: &std::path::Path, addresses: &Addresses) -> anyhow::Result<()> {
    let path = folder.join("processes");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for address in &addresses.nodes {
        let noted = std::fs::read_to_string(&path).with_context(|| format!("make cluster: {}", path.display()))?;
        let line = noted.lines().find(|line| line.ends_with(&format!(" node {address}"))).context("no such node")?;
        let id = line.split(' ').next().and_then(|id| id.parse().ok()).and_then(rustix::process::Pid::from_raw);
        let id = id.context("no process")?;
        eprintln!("重启节点 restarting {address} …");
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        runtime.block_on(serves_anew(&noted, &path, address))?;
    }
    Ok(())
}

/// Waits until another process serves there than before.
async fn serves_anew(before: &str, path: &std::path::Path, address: &SocketAddr) -> anyhow::Result<()> {
    let until = std::time::Instant::now() + super::redis::PATIENCE;
    loop {
        let is_another = std::fs::read_to_string(path)?
            .lines()
            .all(|line| !line.ends_with(&format!(" node {address}")) || !before.lines().any(|known| known == line));
        let ready = reqwest::get(format!("http://{address}/readyz")).await;
        if is_another && ready.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        anyhow::ensure!(std::time::Instant::now() < until, "{address} does not serve again");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Who is told to end, from the beginning on: nothing that is said meanwhile is missed.
struct Told {
    interrupt: Signal,
    terminate: Signal,
}

impl Told {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn within(&mut self, time: Duration) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            () = tokio::time::sleep(time) => false,
        }
    }
}
