//! Says what is going on when it takes longer than somebody likes to look at nothing.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Work that takes no longer is not talked about.
const QUIET: Duration = Duration::from_millis(500);

/// Does the work; tells on standard error that it goes on, and at the end how long it took.
pub(super) fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, waits) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || tell(what, || waits.recv_timeout(QUIET) == Err(RecvTimeoutError::Timeout)));
        let result = work();
        drop(done);
        result
    })
}

fn tell(what: &str, goes_on: impl Fn() -> bool) {
    let began = Instant::now();
    let in_place = stderr().is_terminal();
    let mut told = false;
    while goes_on() {
        if in_place {
            eprint!("\r  {what} … {:.0} s", began.elapsed().as_secs_f64());
        } else if !told {
            eprintln!("  {what} …");
        }
        // What cannot be shown is not missed.
        let _ = stderr().flush();
        told = true;
    }
    if told {
        let start = if in_place { "\r" } else { "" };
        eprintln!("{start}  {what}: {:.1} s", began.elapsed().as_secs_f64());
    }
}
