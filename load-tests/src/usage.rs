//! What processes cost: the processor's time and the memory that they hold, as the system counts them.

use std::fs;
use std::io;
use std::time::Duration;

/// Ticks a second in which `/proc` counts; the same on every Linux that Rust knows.
const TICKS_PER_S: u64 = 100;

/// What some processes have used up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on a processor, in user mode and in the kernel. On a loopback it includes the receiving side of what they send.
    pub cpu: Duration,
    /// Memory that they hold now, in KiB; what they share is counted in parts.
    pub memory_kib: u64,
}

/// Asks for all of these.
///
/// # Errors
/// When one has ended.
pub fn of(processes: &[u32]) -> io::Result<Usage> {
    let mut all = Usage::default();
    for id in processes {
        all.cpu += cpu_of(&fs::read_to_string(format!("/proc/{id}/stat"))?)?;
        all.memory_kib += kib_of(&fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?, "Pss:")?;
    }
    Ok(all)
}

/// The most memory that one of these ever held, added up, in KiB.
///
/// # Errors
/// When one has ended.
pub fn peak_kib(processes: &[u32]) -> io::Result<u64> {
    processes.iter().map(|id| kib_of(&fs::read_to_string(format!("/proc/{id}/status"))?, "VmHWM:")).sum()
}

/// Fields 14 and 15 of `proc_pid_stat(5)`, counted after the name, which may hold anything.
fn cpu_of(stat: &str) -> io::Result<Duration> {
    let ticks = || {
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut next = || fields.next()?.parse::<u64>().ok();
        Some(next()? + next()?)
    };
    let ticks = ticks().ok_or_else(|| io::Error::other("/proc/…/stat cannot be read"))?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_S))
}

fn kib_of(text: &str, name: &str) -> io::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.ok_or_else(|| io::Error::other(format!("/proc/… says no {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 3 4 20 0";
        assert_eq!(cpu_of(stat).unwrap(), Duration::from_secs(2));
        assert_eq!(kib_of("Rss:   10 kB\nPss:    7 kB\nPss_Dirty: 1 kB\n", "Pss:").unwrap(), 7);
        assert!(cpu_of("12 (a").is_err() && kib_of("Rss: 1 kB", "Pss:").is_err());
        let own = of(&[std::process::id()]).unwrap();
        assert!(own.memory_kib > 100);
        assert!(of(&[u32::MAX]).is_err());
    }
}
