//! What one phone has heard and done, as its own notes: the figures at the end are counted from these, not from the server.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use uuid::Uuid;

use crate::live::frame::Cursor;

/// When an alert was where on the phone.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlertTimes {
    /// It arrived.
    pub on_device: Option<Instant>,
    /// The screen showed it.
    pub shown: Option<Instant>,
    /// The server answered the acknowledgement.
    pub acknowledged: Option<Instant>,
}

/// Notes of one phone.
#[derive(Debug, Default)]
pub struct PhoneLog {
    /// Epoch and cursor of the first `hello`: from there on nothing may be missing.
    pub hello: Option<(String, Cursor)>,
    /// When that came.
    pub connected: Option<Instant>,
    /// Cursors of the events taken in.
    pub seen: BTreeSet<Cursor>,
    /// Frames of any kind.
    pub frames: u64,
    /// Events that came twice or out of order.
    pub doubled: u64,
    /// Alerts and calls that do not say they are an exercise though they belong to this one.
    pub unmarked: u64,
    /// How often the socket was opened anew.
    pub reconnects: u32,
    /// That the server said `reload`: what was missed is not known.
    pub reloads: u32,
    /// Alerts that came.
    pub alerts: BTreeMap<Uuid, AlertTimes>,
    /// Posts to which the owner is called.
    pub calls: BTreeSet<String>,
    /// Posts at which the owner has arrived, and when the server answered that.
    pub on_post: BTreeMap<String, Instant>,
    /// Posts that were declined.
    pub declined: BTreeSet<String>,
    /// Compounds whose command was taken over.
    pub accepted: BTreeSet<String>,
    /// Codes of commands that were refused, with what was tried.
    pub refused: Vec<String>,
}

impl PhoneLog {
    /// Notes the first hello.
    pub fn greeted(&mut self, epoch: String, cursor: Cursor) {
        self.hello = Some((epoch, cursor));
        self.connected = Some(Instant::now());
    }

    /// Notes an event; says whether it is new.
    pub fn take_in(&mut self, cursor: Cursor) -> bool {
        let in_order = self.seen.last().is_none_or(|last| cursor > *last);
        let new = self.seen.insert(cursor);
        if !new || !in_order {
            self.doubled += 1;
        }
        new
    }

    /// Where to go on after a lost connection.
    pub fn resume_from(&self) -> Option<(String, Cursor)> {
        let (epoch, hello) = self.hello.as_ref()?;
        Some((epoch.clone(), self.seen.last().copied().unwrap_or(*hello)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Cursor {
        Cursor { position, part: 1 }
    }

    #[test]
    fn what_comes_twice_or_late_is_noted() {
        let mut log = PhoneLog { hello: Some(("e".into(), at(1))), ..PhoneLog::default() };
        assert_eq!(log.resume_from(), Some(("e".into(), at(1))));
        assert!(log.take_in(at(2)) && log.take_in(at(5)));
        assert_eq!(log.doubled, 0);
        assert!(!log.take_in(at(5)), "twice");
        assert!(log.take_in(at(3)), "late, but new");
        assert_eq!((log.doubled, log.resume_from()), (2, Some(("e".into(), at(5)))));
    }
}
