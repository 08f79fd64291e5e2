//! Starting a server in a folder of its own, waiting until it takes connections, and ending it with all its workers.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to start: Node and a cold disk need a second or two.
const START_MAX: Duration = Duration::from_secs(20);
/// How long a server may take to end by itself before it is killed.
const END_MAX: Duration = Duration::from_secs(5);
/// Between two looks at a server that starts or ends.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How much of what a server said is told when it does not start.
const LOG_TOLD_CHARS: usize = 400;

/// Below the ports that Linux gives to those who connect: the closed connections of a round before hold thousands of these for a
/// minute, and a server that does not say `SO_REUSEADDR` cannot listen there.
const PORTS: Range<u16> = 20_000..32_000;

/// An address that was free a moment ago, another each time.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Runs side by side begin at different places.
    let ports = PORTS.len();
    let first = std::process::id() as usize % ports;
    for port in PORTS.cycle().skip(first + usize::from(NEXT.fetch_add(1, Ordering::Relaxed))).take(ports) {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr();
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// A server that was started here. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it; what it says goes to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        let said = File::create(log)?;
        let child =
            command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn().map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display()))
            })?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Connects as soon as it listens there.
    ///
    /// # Errors
    /// When it ends before, or takes too long; with the last of what it said.
    pub(crate) fn connect(&mut self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = self.wait_for(|| TcpStream::connect(address))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Tries until it is done.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) fn wait_for<T>(&mut self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let until = Instant::now() + START_MAX;
        loop {
            let error = match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}: {}", self.last_words())));
            }
            if Instant::now() > until {
                return Err(io::Error::new(error.kind(), format!("{error}: {}", self.last_words())));
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn last_words(&self) -> String {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let said = said.trim();
        let from = said.char_indices().rev().nth(LOG_TOLD_CHARS).map_or(0, |(at, _)| at);
        said[from..].replace('\n', "; ")
    }

    /// The process and all that came from it.
    pub(crate) fn all(&self) -> Vec<u32> {
        let mut found = vec![self.child.id()];
        let parents = parents();
        let mut at = 0;
        while let Some(&parent) = found.get(at) {
            found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
            at += 1;
        }
        found
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// It does nothing any more, and its connections stay.
    pub(crate) fn freeze(&self) {
        signal(self.child.id(), Signal::STOP);
    }

    /// It goes on.
    pub(crate) fn thaw(&self) {
        signal(self.child.id(), Signal::CONT);
    }

    /// Asks it to end, and kills what has not within a few seconds.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let all = self.all();
        signal(self.child.id(), Signal::TERM);
        let until = Instant::now() + END_MAX;
        while Instant::now() < until {
            // A worker is gone when it is no longer there, or waits for a parent that has gone.
            if self.child.try_wait()?.is_some() && !parents().iter().any(|(id, _)| all.contains(id)) {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        for id in all {
            signal(id, Signal::KILL);
        }
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whoever wants to know how it ended calls `end` before.
        let _ = self.end();
    }
}

fn signal(id: u32, signal: Signal) {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    // One that has gone meanwhile is what was wanted.
    let _ = pid.map(|pid| kill_process(pid, signal));
}

/// Every living process with its parent: the fourth word of `stat`, after the name in brackets and the state.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let parent = |entry: fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut words = stat.rsplit_once(')')?.1.split_whitespace();
        let (state, parent) = (words.next()?, words.next()?.parse().ok()?);
        (state != "Z").then_some((id, parent))
    };
    entries.flatten().filter_map(parent).collect()
}
