//! `PostgreSQL` as Debian sets it up, in a cluster of its own that is gone afterwards: what check-ins would be inserted into instead.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;
use tempfile::TempDir;

use super::Missing;
use super::process::Process;

/// Where Debian's package has the programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A cluster that takes connections on a socket in its folder. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    folder: TempDir,
}

impl Postgres {
    /// The name of the superuser and of the first database.
    pub const NAME: &'static str = "postgres";
    /// The default, part of the socket's name; nothing listens on the network.
    pub const PORT: u16 = 5432;

    /// Sets up a cluster and starts it, with `synchronous_commit` and all else as delivered.
    ///
    /// # Errors
    /// When it is not installed, with what to install; or when it does not start, with what it said last.
    pub fn start() -> Result<Self, Missing> {
        if !Path::new(PROGRAMS).join("postgres").exists() {
            return Err(Missing("PostgreSQL 15 is missing: apt-get install postgresql-15".to_owned()));
        }
        Self::set_up().map_err(|error| Missing(format!("PostgreSQL does not start: {error}")))
    }

    /// The folder with the socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn set_up() -> io::Result<Self> {
        let folder = TempDir::new()?;
        let user = servant()?;
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let data = folder.path().join("data");
        let program = |name: &str| {
            let mut command = Command::new(Path::new(PROGRAMS).join(name));
            command.current_dir(folder.path());
            if let Some((user, group)) = user {
                command.uid(user).gid(group);
            }
            command
        };
        let made = program("initdb")
            .args(["--auth=trust", "--username", Self::NAME, "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(&data)
            .output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).trim().replace('\n', "; ")));
        }
        let mut server = program("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(folder.path()).args([
            "-c",
            "listen_addresses=",
            "-c",
            "synchronous_commit=on",
        ]);
        let mut process = Process::start(&mut server, &folder.path().join("postgres.log"))?;
        process.wait_for(|| {
            let said = program("pg_isready").arg("--host").arg(folder.path()).output()?;
            let said_no = || io::Error::other(String::from_utf8_lossy(&said.stdout).trim().to_owned());
            if said.status.success() { Ok(()) } else { Err(said_no()) }
        })?;
        Ok(Self { process, folder })
    }

    /// Ends it, and waits until it is gone.
    ///
    /// # Errors
    /// When it could not be ended.
    pub fn stop(mut self) -> io::Result<()> {
        self.process.end()
    }
}

/// The user and group to run as: it refuses to run as root, and whoever else starts it runs it.
fn servant() -> io::Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let ids = users.lines().find_map(|line| {
        let mut words = line.strip_prefix("postgres:")?.split(':').skip(1);
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    });
    ids.map(Some).ok_or_else(|| io::Error::other("there is no user postgres to run it as"))
}
