//! Which servers there are, and how each is started.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, free_address};
use super::publisher::{Publisher, Tongue};
use super::{Dialect, Missing, Peer, Speaks, plain_axum};
use crate::limit;

const NCHAN_MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const NODE_WS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/node-ws");
/// First words of the program's hidden subcommands, for the servers that are its own.
const OWN_LIMIT: &str = "peer-limit";
const OWN_PLAIN_AXUM: &str = "peer-plain-axum";

/// A server that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`crate::limit`] with one writer.
    Limit1,
    /// [`crate::limit`] with two writers.
    Limit2,
    /// nginx with Nchan.
    Nchan,
    /// The `ws` library of Node, in one process.
    NodeWs,
    /// The same in two processes, and a third that hands publishes on.
    NodeWs2,
    /// NATS over WebSocket.
    Nats,
    /// axum with `tokio::sync::broadcast` and Redis Pub/Sub, all defaults.
    PlainAxum,
    /// Mosquitto over WebSocket, at `QoS` 0.
    Mosquitto,
}

impl Kind {
    /// All, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Limit1,
        Self::Limit2,
        Self::Nchan,
        Self::NodeWs,
        Self::NodeWs2,
        Self::Nats,
        Self::PlainAxum,
        Self::Mosquitto,
    ];

    /// One word for a command line and a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit1 => "limit-1",
            Self::Limit2 => "limit-2",
            Self::Nchan => "nchan",
            Self::NodeWs => "node-ws",
            Self::NodeWs2 => "node-ws-2",
            Self::Nats => "nats",
            Self::PlainAxum => "plain-axum",
            Self::Mosquitto => "mosquitto",
        }
    }

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How phones talk to it.
    pub const fn dialect(self) -> Dialect {
        let (path, protocol, speaks) = match self {
            Self::Nats => ("/", None, Speaks::Nats),
            Self::Mosquitto => ("/mqtt", Some("mqtt"), Speaks::Mqtt),
            _ => ("/phone", None, Speaks::Frames),
        };
        Dialect { path, protocol, speaks }
    }

    const fn tongue(self) -> Tongue {
        match self {
            Self::Limit1 | Self::Limit2 => Tongue::Plain,
            Self::Nchan | Self::NodeWs | Self::NodeWs2 => Tongue::Http,
            Self::Nats => Tongue::Nats,
            Self::PlainAxum => Tongue::Redis,
            Self::Mosquitto => Tongue::Mqtt,
        }
    }

    /// Starts it, and comes back when phones can connect.
    ///
    /// # Errors
    /// When it is not installed, with what to install; or when it does not start, with what it said last.
    pub fn start(self) -> Result<Box<dyn Peer>, Missing> {
        self.needs()?;
        let started =
            Running::start(self).map_err(|error| Missing(format!("{} does not start: {error}", self.name())))?;
        Ok(Box::new(started))
    }

    /// Whether all that it is made of is there.
    ///
    /// # Errors
    /// With the one line that says what to install.
    pub fn needs(self) -> Result<(), Missing> {
        let (there, install) = match self {
            Self::Limit1 | Self::Limit2 => (true, ""),
            Self::Nchan => (found("nginx") && Path::new(NCHAN_MODULE).exists(), "apt-get install libnginx-mod-nchan"),
            Self::NodeWs | Self::NodeWs2 => (
                found("node") && Path::new(NODE_WS).join("node_modules/ws").exists(),
                "install Node.js 20, then: npm ci --prefix load-tests/peers/node-ws",
            ),
            Self::Nats => (found("nats-server"), "apt-get install nats-server"),
            Self::PlainAxum => (found("redis-server"), "apt-get install redis-server"),
            Self::Mosquitto => (found("mosquitto"), "apt-get install mosquitto"),
        };
        if there { Ok(()) } else { Err(Missing(format!("{} is missing: {install}", self.name()))) }
    }
}

/// Where a program is; Debian's servers are in a folder that not every user's PATH has.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(["/usr/sbin".into()]).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn found(name: &str) -> bool {
    program(name).is_some()
}

fn command(name: &str) -> Command {
    Command::new(program(name).unwrap_or_else(|| name.into()))
}

/// A server that runs, with the folder that it has for itself. Processes end before the folder goes.
struct Running {
    kind: Kind,
    address: SocketAddr,
    publisher: Publisher,
    /// The one that phones connect to, and what is behind it.
    processes: Vec<Process>,
    _folder: TempDir,
}

impl Running {
    fn start(kind: Kind) -> io::Result<Self> {
        let site = Site { folder: TempDir::new()?, phones: free_address()?, control: free_address()? };
        let mut processes = Vec::new();
        if kind == Kind::PlainAxum {
            let mut redis = site.run("redis", command("redis-server").arg(site.config(REDIS)?))?;
            redis.connect(site.control)?;
            processes.push(redis);
        }
        processes.insert(0, site.server(kind)?);
        // The limit lives as long as the first that connects here: nobody else may look whether it is there.
        let control = if kind == Kind::Nchan { site.phones } else { site.control };
        let publisher = Publisher::new(kind.tongue(), processes[0].connect(control)?)?;
        processes[0].connect(site.phones)?;
        Ok(Self { kind, address: site.phones, publisher, processes, _folder: site.folder })
    }
}

impl Peer for Running {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn dialect(&self) -> Dialect {
        self.kind.dialect()
    }

    fn publish(&mut self, payload: &[u8]) -> io::Result<()> {
        self.publisher.publish(payload)
    }

    fn processes(&self) -> Vec<u32> {
        self.processes.iter().flat_map(Process::all).collect()
    }

    fn stop(mut self: Box<Self>) -> io::Result<()> {
        self.processes.iter_mut().try_for_each(Process::end)
    }
}

/// A configuration's file name and text, with `@FOLDER@`, `@PORT@` (phones) and `@CONTROL@` (the publisher's port) in it.
type Config = (&'static str, &'static str);
const NGINX: Config = ("nginx.conf", include_str!("../../peers/nginx.conf"));
const NATS: Config = ("nats.conf", include_str!("../../peers/nats.conf"));
const MOSQUITTO: Config = ("mosquitto.conf", include_str!("../../peers/mosquitto.conf"));
const REDIS: Config = ("redis.conf", include_str!("../../peers/redis.conf"));

/// Where a server is set up.
struct Site {
    folder: TempDir,
    phones: SocketAddr,
    control: SocketAddr,
}

impl Site {
    fn server(&self, kind: Kind) -> io::Result<Process> {
        let own = || std::env::current_exe().map(Command::new);
        let [phones, control] = [self.phones, self.control].map(|address| address.to_string());
        let [port, control_port] = [self.phones, self.control].map(|address| address.port().to_string());
        let mut command = match kind {
            Kind::Limit1 => with(own()?, [OWN_LIMIT, &phones, &control, "1"]),
            Kind::Limit2 => with(own()?, [OWN_LIMIT, &phones, &control, "2"]),
            Kind::PlainAxum => with(own()?, [OWN_PLAIN_AXUM, &phones, &control]),
            Kind::NodeWs => with(command("node"), ["server.js", &port, &control_port, "1"]),
            Kind::NodeWs2 => with(command("node"), ["server.js", &port, &control_port, "2"]),
            Kind::Nchan => with(command("nginx"), [OsStr::new("-c"), self.config(NGINX)?.as_ref()]),
            Kind::Nats => with(command("nats-server"), [OsStr::new("-c"), self.config(NATS)?.as_ref()]),
            Kind::Mosquitto => with(command("mosquitto"), [OsStr::new("-c"), self.config(MOSQUITTO)?.as_ref()]),
        };
        if matches!(kind, Kind::NodeWs | Kind::NodeWs2) {
            command.current_dir(NODE_WS);
        }
        self.run(kind.name(), &mut command)
    }

    fn run(&self, name: &str, command: &mut Command) -> io::Result<Process> {
        Process::start(command, &self.folder.path().join(format!("{name}.log")))
    }

    /// Writes a configuration into the folder.
    fn config(&self, (name, text): Config) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        let text = text
            .replace("@FOLDER@", &self.folder.path().to_string_lossy())
            .replace("@PORT@", &self.phones.port().to_string())
            .replace("@CONTROL@", &self.control.port().to_string());
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

fn with<const N: usize>(mut command: Command, arguments: [impl AsRef<OsStr>; N]) -> Command {
    command.args(arguments);
    command
}

/// Serves as one of the program's own servers when the command line (without the program's name) asks for it: the first thing that
/// `main` looks at. `None`: it does not, and the program goes on.
pub fn serve_own(arguments: &[String]) -> Option<io::Result<()>> {
    let address = |text: &str| text.parse::<SocketAddr>().map_err(io::Error::other);
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [OWN_LIMIT, phones, control, writers] => {
            Some((|| limit::serve_at(address(phones)?, address(control)?, writers.parse().map_err(io::Error::other)?))())
        }
        [OWN_PLAIN_AXUM, phones, redis] => Some((|| plain_axum::serve(address(phones)?, address(redis)?))()),
        _ => None,
    }
}
