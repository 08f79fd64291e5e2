//! What waits for a shard: who came, what was said for whom, answers, and who is to be closed, in the order in which it was left.
//!
//! The hub leaves mail under its own lock, so a shard meets a newcomer before the first event for them, and never an event of a seat's
//! next holder before that one came. Bounded by how many deliveries wait, not by how many letters: where a shard does not keep up, it
//! closes its connections as slow readers, and they resume.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use mio::Waker;

use super::codes::Code;
use super::frame::Frame;
use super::hub::ConnectionId;
use super::resume::LiveEvent;
use super::upgrade::Arrival;

/// Where a connection sits in its shard. Free again once it is gone.
pub type Seat = u32;

/// What is left for a shard.
#[derive(Debug)]
pub enum Mail {
    /// Somebody came: what is said for this seat from now on is theirs. Their socket follows.
    Came(Seat, ConnectionId),
    /// Their socket, and their first frame.
    Begin(Box<Arrival>),
    /// An event for these seats.
    Event(Arc<LiveEvent>, Vec<Seat>),
    /// The map's changes for a watcher.
    Map(Seat, ConnectionId, Arc<[Frame]>),
    /// The answer to a command.
    Answer(Seat, ConnectionId, Frame),
    /// A word for all.
    Say(Frame),
    /// A connection is to be closed.
    Close(Seat, ConnectionId, Code),
    /// All are to be closed.
    CloseAll(Code),
}

/// The mail of one shard.
#[derive(Debug, Default)]
pub struct Inbox {
    waiting: Mutex<Waiting>,
    /// Wakes the shard; set once it runs.
    waker: OnceLock<Waker>,
    /// The shard's thread ended though the hub goes on: a bug, after which the process is not to go on.
    died: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    mail: Vec<Mail>,
    /// Frames for seats among it.
    deliveries: usize,
}

impl Inbox {
    /// Deliveries that may wait for one shard: for 100,000 phones 40 alerts.
    const DELIVERIES_MAX: usize = 4_000_000;

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves something, and wakes the shard when it may be asleep.
    pub fn leave(&self, mail: Mail) {
        self.leave_all([mail]);
    }

    /// Leaves several letters that the shard takes together: what they have for one seat goes out in one write.
    pub fn leave_all(&self, mail: impl IntoIterator<Item = Mail>) {
        let mut waiting = self.waiting();
        let was_empty = waiting.mail.is_empty();
        for letter in mail {
            waiting.take_in(letter);
        }
        let is_empty = waiting.mail.is_empty();
        drop(waiting);
        // Whatever waits already has woken it: it takes all at once.
        if was_empty && !is_empty {
            self.wake();
        }
    }

    /// Wakes the shard.
    pub(super) fn wake(&self) {
        // It cannot fail while the process may have one more file event counted; the next letter wakes again.
        if let Some(Err(error)) = self.waker.get().map(Waker::wake) {
            tracing::error!(%error, "a shard could not be woken");
        }
    }

    /// Who is woken from now on.
    pub(super) fn set_waker(&self, waker: Waker) {
        drop(self.waker.set(waker));
    }

    /// All that waits.
    pub fn take(&self) -> Vec<Mail> {
        let mut waiting = self.waiting();
        waiting.deliveries = 0;
        std::mem::take(&mut waiting.mail)
    }

    pub(super) fn note_death(&self) {
        self.died.store(true, Ordering::Release);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.died.load(Ordering::Acquire)
    }
}

impl Waiting {
    fn take_in(&mut self, mail: Mail) {
        let more = match &mail {
            Mail::Event(_, seats) => seats.len(),
            _ => 1,
        };
        self.deliveries += more;
        if self.deliveries > Inbox::DELIVERIES_MAX && matches!(mail, Mail::Event(..) | Mail::Map(..)) {
            self.overrun();
        } else {
            self.mail.push(mail);
        }
    }

    /// Events are let go; whoever they were for resumes.
    fn overrun(&mut self) {
        self.mail.retain(|mail| !matches!(mail, Mail::Event(..) | Mail::Map(..)));
        self.deliveries = self.mail.len();
        self.mail.push(Mail::CloseAll(Code::SlowReader));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::city::audience::{Audience, Notice, NoticeBody, NoticeKind, Occasion};
    use crate::domain::ids::AlertId;
    use crate::domain::time::Timestamp;
    use crate::live::frame::Cursor;

    fn event() -> Arc<LiveEvent> {
        let kind = NoticeKind::AlertAwaitsApproval { alert: AlertId(Uuid::nil()), hits: 1 };
        let body = NoticeBody { occasion: Occasion::ROUTINE, kind };
        Arc::new(LiveEvent::new(Cursor::default(), Timestamp(0), 0, Notice { audience: Audience::Accounts, body }))
    }

    #[test]
    fn a_shard_that_does_not_keep_up_lets_events_go_and_closes_its_connections() {
        let inbox = Inbox::default();
        let seats: Vec<Seat> = (0..1_000).collect();
        for _ in 0..Inbox::DELIVERIES_MAX / seats.len() {
            inbox.leave(Mail::Event(event(), seats.clone()));
        }
        inbox.leave(Mail::Came(1, 1));
        inbox.leave(Mail::Event(event(), seats));
        let mail = inbox.take();
        assert!(matches!(mail[..], [Mail::Came(1, 1), Mail::CloseAll(Code::SlowReader)]), "{} letters", mail.len());
        assert!(inbox.take().is_empty());
    }
}
