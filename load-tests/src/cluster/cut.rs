//! A network of a node's own: a namespace with one wire to the rest, which can be cut. Packets are lost then, as by a dead switch: nobody
//! is told, and connections hang.
//!
//! All of it lies in a network namespace that this program moves into first ([`enter`]), so that nothing of the machine's own network is
//! touched; and all of it on 127.0.0.0/8.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

/// Says that this program has moved already.
const MOVED: &str = "MUSTER_CHAOS_APART";
/// The end of the wire on this side.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 9, 0, 1);
/// The node's end.
const THERE: Ipv4Addr = Ipv4Addr::new(127, 9, 0, 2);

/// What a network's own loopback has to be told before a wire may have an address like its own.
const MAKE_ROOM: &str = "ip link set lo up && ip route del local 127.0.0.0/8 dev lo table local && \
    ip route add local 127.0.0.0/16 dev lo table local src 127.0.0.1 && ip route add local 127.1.0.0/16 dev lo table local && \
    echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet && echo 1 > /proc/sys/net/ipv4/conf/default/route_localnet";

/// Starts this program anew in namespaces of its own (network and mounts), where it is not there yet; returns where it is.
///
/// # Errors
/// When the system does not let it, or `unshare` is missing.
pub fn enter() -> anyhow::Result<()> {
    if std::env::var_os(MOVED).is_some() {
        return sh(MAKE_ROOM);
    }
    let mut moved = Command::new("unshare");
    let is_root = rustix::process::geteuid().is_root();
    moved.arg(if is_root { "-nm" } else { "-rnm" }).arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    // Comes back only where it failed.
    Err(moved.env(MOVED, "1").exec()).context("unshare (Debian: util-linux)")
}

/// A folder on a disk of so many MiB, which can be filled.
///
/// # Errors
/// When the system does not let it.
pub fn mount_small(folder: &Path, mib: u32) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    sh(&format!("mount -t tmpfs -o size={mib}m tmpfs '{}'", folder.display()))
}

/// A room with a network of its own. Dropping it takes it away.
pub struct Room {
    /// Keeps the namespace there.
    keeper: Child,
}

impl Room {
    /// Makes one, and lays the wire. Needs [`enter`].
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn make() -> anyhow::Result<Self> {
        // It says a word once it is in a network of its own, and then waits for ever.
        let mut keep = Command::new("unshare");
        keep.args(["-n", "sh", "-c", "echo in; exec sleep infinity"]);
        let mut keeper = keep.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut said = [0; 3];
        std::io::Read::read_exact(&mut keeper.stdout.take().context("no word")?, &mut said)?;
        let room = Self { keeper };
        let pid = room.keeper.id();
        sh(&format!(
            "ip link add muster-here type veth peer name muster-there && ip link set muster-there netns {pid} && \
             ip addr add {HERE}/30 dev muster-here && ip link set muster-here up"
        ))?;
        let inside = format!(
            "{MAKE_ROOM} && ip addr add {THERE}/30 dev muster-there && ip link set muster-there up && \
             echo 1 > /proc/sys/net/ipv4/conf/muster-there/route_localnet"
        );
        let done =
            Command::new("nsenter").args(room.inside().into_iter().skip(1)).args(["sh", "-c", &inside]).status()?;
        if !done.success() {
            bail!("no network of its own: {done}");
        }
        Ok(room)
    }

    /// The wire's end on this side.
    pub const fn here(&self) -> IpAddr {
        IpAddr::V4(HERE)
    }

    /// Its end in the room.
    pub const fn there(&self) -> IpAddr {
        IpAddr::V4(THERE)
    }

    /// What runs a program in the room.
    pub fn inside(&self) -> Vec<OsString> {
        ["nsenter", "-n", "-t"].map(OsString::from).into_iter().chain([self.keeper.id().to_string().into()]).collect()
    }

    /// Cuts the wire.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn cut(&self) -> anyhow::Result<()> {
        sh("ip link set muster-here down")
    }

    /// Mends it.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn mend(&self) -> anyhow::Result<()> {
        sh("ip link set muster-here up")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // With it goes the network, and the wire with that.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn sh(script: &str) -> anyhow::Result<()> {
    let done = Command::new("sh").args(["-c", script]).output()?;
    if !done.status.success() {
        bail!("{script}: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
