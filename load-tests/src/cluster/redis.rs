//! The Redis servers of a cluster and the Sentinels that watch them.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use redis::{Client, Connection};

use crate::house::ROOT;
use crate::peers::process::Process;

/// The name by which Sentinels know the primary.
const NAME: &str = "muster";
/// How long a change of the primary, or a replica that catches up, is waited for.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long an answer of one of them may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// A Redis that can be killed, frozen and started again.
pub struct Server {
    process: Option<Process>,
    address: SocketAddr,
    folder: PathBuf,
    /// Listens here, too.
    wire: Option<IpAddr>,
}

impl Server {
    pub(super) fn new(address: SocketAddr, folder: &Path, wire: Option<IpAddr>) -> Self {
        Self { process: None, address, folder: folder.to_owned(), wire }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where what it keeps is.
    pub fn data(&self) -> PathBuf {
        data_of(&self.folder)
    }

    /// Starts it with what it kept; the first time as a replica, where it is to follow another.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(&mut self, follows: Option<SocketAddr>) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.data())?;
        let file = self.folder.join("redis.conf");
        // What the Sentinels had it write itself says more.
        if !file.try_exists()? {
            std::fs::write(&file, self.config(follows)?)?;
        }
        let mut command = Command::new("redis-server");
        command.arg(file);
        let mut process =
            Process::start(&mut command, &self.folder.join("redis.log")).context("apt-get install redis-server")?;
        let address = self.address;
        process.wait_for(|| {
            let mut asked = connect(address)?;
            redis::cmd("PING").query::<String>(&mut asked).map_err(io::Error::other)
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn config(&self, follows: Option<SocketAddr>) -> io::Result<String> {
        let mut config = std::fs::read_to_string(format!("{ROOT}/config/cluster/redis.conf"))?;
        let _ = write!(config, "\nport {}\ndir {}\n", self.address.port(), self.data().display());
        if let Some(wire) = self.wire {
            // Whoever comes over the wire counts as coming from elsewhere.
            let _ = writeln!(config, "bind 127.0.0.1 {wire}\nprotected-mode no");
        }
        if let Some(primary) = follows {
            let _ = writeln!(config, "replicaof {} {}", primary.ip(), primary.port());
        }
        Ok(config)
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
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

    /// It does nothing any more, and its connections stay.
    pub fn freeze(&self) {
        self.process.iter().for_each(Process::freeze);
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.process.iter().for_each(Process::thaw);
    }

    /// Waits until it is a replica that has all that its primary has.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn wait_until_it_follows(&self) -> anyhow::Result<()> {
        eventually("the old primary follows the new one", || {
            let mut asked = connect(self.address)?;
            let info: String = redis::cmd("INFO").arg("replication").query(&mut asked).map_err(io::Error::other)?;
            Ok(info.contains("role:slave") && info.contains("master_link_status:up"))
        })
    }
}

/// Where a server with this folder keeps what it is given.
pub fn data_of(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Those who watch, and say which server is the primary.
pub struct Sentinels {
    processes: Vec<Process>,
    addresses: [SocketAddr; 3],
}

impl Sentinels {
    pub(super) fn start(addresses: [SocketAddr; 3], primary: SocketAddr, folder: &Path) -> anyhow::Result<Self> {
        let delivered = std::fs::read_to_string(format!("{ROOT}/config/cluster/sentinel.conf"))?;
        let mut processes = Vec::new();
        for (n, address) in addresses.iter().enumerate() {
            let own = folder.join(format!("sentinel-{}", n + 1));
            std::fs::create_dir_all(&own)?;
            let file = own.join("sentinel.conf");
            // What it wrote itself the last time says more.
            if !file.try_exists()? {
                let watched = format!(
                    "bind 127.0.0.1\nport {}\ndir {}\nsentinel monitor {NAME} {} {} 2\n{delivered}",
                    address.port(),
                    own.display(),
                    primary.ip(),
                    primary.port()
                );
                std::fs::write(&file, watched)?;
            }
            let mut command = Command::new("redis-server");
            let mut process = Process::start(command.arg(&file).arg("--sentinel"), &own.join("sentinel.log"))?;
            process.wait_for(|| TcpStream::connect(address))?;
            processes.push(process);
        }
        let sentinels = Self { processes, addresses };
        sentinels.wait_until_all_are_known()?;
        Ok(sentinels)
    }

    /// Who was the primary when they wrote down last what they knew; `None` where they never ran.
    pub(super) fn last_primary(folder: &Path) -> Option<SocketAddr> {
        let noted = std::fs::read_to_string(folder.join("sentinel-1").join("sentinel.conf")).ok()?;
        let line = noted.lines().find(|line| line.starts_with("sentinel monitor "))?;
        let [host, port]: [&str; 2] = line.split(' ').skip(3).take(2).collect::<Vec<_>>().try_into().ok()?;
        Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?))
    }

    /// The address of all of them.
    pub fn url(&self) -> String {
        let all: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        format!("redis+sentinel://{}/{NAME}", all.join(","))
    }

    /// The primary, as most of them know it.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn primary(&self) -> anyhow::Result<SocketAddr> {
        let mut found: Vec<SocketAddr> = self.addresses.iter().filter_map(|address| ask(*address).ok()).collect();
        found.sort_unstable();
        found.get(found.len() / 2).copied().context("no Sentinel answers")
    }

    fn wait_until_all_are_known(&self) -> anyhow::Result<()> {
        eventually("the Sentinels know of each other", || {
            let mut all = true;
            for address in &self.addresses {
                let mut asked = connect(*address)?;
                for (what, wanted) in [("REPLICAS", 1), ("SENTINELS", self.processes.len() - 1)] {
                    let command = redis::cmd("SENTINEL").arg(what).arg(NAME).query(&mut asked);
                    let found: Vec<redis::Value> = command.map_err(io::Error::other)?;
                    all &= found.len() >= wanted;
                }
            }
            Ok(all)
        })
    }
}

fn ask(sentinel: SocketAddr) -> io::Result<SocketAddr> {
    let mut asked = connect(sentinel)?;
    let found: (String, u16) =
        redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(NAME).query(&mut asked).map_err(io::Error::other)?;
    Ok(SocketAddr::new(found.0.parse().map_err(io::Error::other)?, found.1))
}

fn connect(address: SocketAddr) -> io::Result<Connection> {
    let client = Client::open(format!("redis://{address}/")).map_err(io::Error::other)?;
    let connection = client.get_connection_with_timeout(ANSWER_WITHIN).map_err(io::Error::other)?;
    connection.set_read_timeout(Some(ANSWER_WITHIN)).map_err(io::Error::other)?;
    Ok(connection)
}

/// Looks until it holds.
///
/// # Errors
/// When it does not in time, with the last error.
pub fn eventually(what: &str, mut holds: impl FnMut() -> io::Result<bool>) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let last = match holds() {
            Ok(true) => return Ok(()),
            Ok(false) => String::new(),
            Err(error) => format!(": {error}"),
        };
        if Instant::now() > until {
            bail!("not within {} s: {what}{last}", PATIENCE.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
