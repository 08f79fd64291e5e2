//! A Redis of the tests' own: Debian's, on a port and in a folder of its own, that syncs each write before it answers.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long it may take to start, and to load what it kept.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server. Dropping it kills it.
pub struct RedisServer {
    child: Child,
    port: u16,
    folder: TempDir,
    /// What it is started with besides.
    more: Vec<String>,
}

impl RedisServer {
    /// Starts an empty one.
    pub fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// Starts two servers of a Cluster, each of which holds half of the slots.
    pub fn cluster() -> [Self; 2] {
        let servers = [(); 2].map(|()| Self::start_with(["--cluster-enabled", "yes"].map(str::to_owned).to_vec()));
        let ask = |server: &Self, command: &[&str]| {
            let mut asked = client(server.port).get_connection().unwrap();
            command
                .iter()
                .fold(&mut redis::cmd("CLUSTER"), |cmd, word| cmd.arg(*word))
                .query::<redis::Value>(&mut asked)
                .unwrap()
        };
        for (server, first, last) in [(&servers[0], "0", "8191"), (&servers[1], "8192", "16383")] {
            ask(server, &["ADDSLOTSRANGE", first, last]);
        }
        ask(&servers[0], &["MEET", "127.0.0.1", &servers[1].port.to_string()]);
        eventually("the servers know of each other", || {
            servers.iter().all(|server| {
                let info = redis::from_redis_value::<String>(ask(server, &["INFO"])).unwrap();
                info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
            })
        });
        servers
    }

    /// Where it listens, without more.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn start_with(more: Vec<String>) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let mut server = Self { child: spawn(port, &folder, &more), port, folder, more };
        server.wait();
        server
    }

    /// Starts one that follows this one, and waits until it has all.
    pub fn replica(&self) -> Self {
        let follows = ["--replicaof", "127.0.0.1", &self.port.to_string()].map(str::to_owned);
        let replica = Self::start_with(follows.to_vec());
        self.wait_for_replica();
        replica
    }

    /// Waits until a replica has all that was written here.
    pub fn wait_for_replica(&self) {
        let mut connection = client(self.port).get_connection().unwrap();
        let _: () = redis::cmd("SET").arg("mark").arg(1).query(&mut connection).unwrap();
        let within = PATIENCE.as_millis().to_string();
        let have: u8 = redis::cmd("WAIT").arg(1).arg(within).query(&mut connection).unwrap();
        assert_eq!(have, 1, "no replica has it");
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with what it kept.
    pub fn start_again(&mut self) {
        self.child = spawn(self.port, &self.folder, &self.more);
        self.wait();
    }

    /// It does nothing any more, and its connections stay.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn wait(&mut self) {
        wait_for_start(self.port);
        assert!(self.child.try_wait().unwrap().is_none(), "redis-server ended by itself");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, folder: &TempDir, more: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"]);
    start(command.arg("--dir").arg(folder.path()).args(more))
}

fn start(command: &mut Command) -> Child {
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    started.unwrap_or_else(|error| panic!("redis-server (Debian package redis-server, `make need-redis`): {error}"))
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn client(port: u16) -> redis::Client {
    redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap()
}

/// Waits until somebody answers there.
fn wait_for_start(port: u16) {
    let client = client(port);
    eventually("redis-server starts", || {
        client.get_connection().is_ok_and(|mut asked| redis::cmd("PING").query::<String>(&mut asked).is_ok())
    });
}

/// Looks until it holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::yield_now();
    }
}

/// A primary, a replica, and three Sentinels that replace the one by the other.
pub struct Watched {
    pub primary: RedisServer,
    pub replica: RedisServer,
    sentinels: Vec<Sentinel>,
    _turn: MutexGuard<'static, ()>,
}

/// They take their turns: each is five processes that watch each other's silence.
static TURN: Mutex<()> = Mutex::new(());

/// One of those who watch. Dropping it kills it.
struct Sentinel {
    child: Child,
    port: u16,
    events: redis::Connection,
    _folder: TempDir,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watched {
    /// Starts all, and waits until they know of each other.
    pub fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let primary = RedisServer::start();
        let replica = primary.replica();
        let mut sentinels: Vec<Sentinel> = (0..3).map(|_| Sentinel::of(primary.port)).collect();
        for sentinel in &mut sentinels {
            sentinel.wait_until_all_are_known();
        }
        Self { primary, replica, sentinels, _turn: turn }
    }

    /// Where whoever is the primary is found.
    pub fn url(&self) -> String {
        let addresses: Vec<String> = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        format!("redis+sentinel://{}/muster", addresses.join(","))
    }

    /// From here on the replica gets nothing, until it thaws.
    pub fn cut_off_replica(&self) {
        self.replica.freeze();
        // What were sent to it would lie in its socket, and be read.
        let mut connection = client(self.primary.port).get_connection().unwrap();
        let ended: u8 = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("REPLICA").query(&mut connection).unwrap();
        assert_eq!(ended, 1);
    }

    /// Waits until the replica is the primary, and all Sentinels say so.
    pub fn wait_for_failover(&mut self) {
        let replica = self.replica.port.to_string();
        for sentinel in &mut self.sentinels {
            sentinel.wait_for(|event, text| event == "+switch-master" && text.ends_with(&replica));
        }
    }

    /// Waits until the old primary follows the new one, and has all.
    pub fn wait_until_the_old_primary_follows(&self) {
        self.replica.wait_for_replica();
    }
}

impl Sentinel {
    fn of(primary: u16) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let file = folder.path().join("sentinel.conf");
        let config = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor muster 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds muster 1000\nsentinel failover-timeout muster 3000\n",
            folder.path().display()
        );
        std::fs::write(&file, config).unwrap();
        let child = start(Command::new("redis-server").arg(&file).arg("--sentinel"));
        wait_for_start(port);
        let mut events = client(port).get_connection().unwrap();
        events.set_read_timeout(Some(PATIENCE)).unwrap();
        events.send_packed_command(&redis::cmd("PSUBSCRIBE").arg("*").get_packed_command()).unwrap();
        Self { child, port, events, _folder: folder }
    }

    /// Waits until it knows the replica and the other two.
    fn wait_until_all_are_known(&mut self) {
        let mut asked = client(self.port).get_connection().unwrap();
        let mut count = |what: &str| {
            let found: Vec<redis::Value> = redis::cmd("SENTINEL").arg(what).arg("muster").query(&mut asked).unwrap();
            found.len()
        };
        while (count("REPLICAS"), count("SENTINELS")) != (1, 2) {
            self.next_event();
        }
    }

    /// Waits for something that it says.
    fn wait_for(&mut self, is_it: impl Fn(&str, &str) -> bool) {
        loop {
            let (event, text) = self.next_event();
            if is_it(&event, &text) {
                return;
            }
        }
    }

    /// What it says next.
    fn next_event(&mut self) -> (String, String) {
        let said = self.events.recv_response().unwrap();
        // At first it says that it was subscribed to.
        redis::from_redis_value(said)
            .map_or_else(|_| Default::default(), |(_, _, event, text): (String, String, String, String)| (event, text))
    }
}
