//! Asked to stop, the city finishes the commands that wait: each is made durable and answered, none is dropped.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::{Context, Waker};
use std::thread;

use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::event::Record;
use muster::domain::hazard::Hazard;
use muster::domain::ids::{CommandId, IncidentId};
use muster::domain::policy::Policy;
use muster::engine::ports::{Appended, Journal, JournalError, Proposal};
use muster::engine::{Answer, Limits};
use muster::journal::MemoryJournal;
use muster::runtime::{Muster, Parts};
use muster::testing::clock::SimClock;
use uuid::Uuid;

/// Commands that wait while the first is being written.
const WAITING: u128 = 5;

/// A slow disk: the first append says that it has begun, and ends when it is told to.
struct SlowJournal {
    inner: MemoryJournal,
    begun: SyncSender<()>,
    go_on: Option<Receiver<()>>,
}

impl Journal for SlowJournal {
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        if let Some(go_on) = self.go_on.take() {
            self.begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.inner.append(seen, proposals)
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.inner.read_after(position, limit)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        self.inner.last_position()
    }

    fn epoch(&self) -> &str {
        self.inner.epoch()
    }
}

async fn opens_an_incident(muster: Muster, n: u128) -> Answer {
    let (id, title) = (IncidentId(Uuid::from_u128(n)), "漳河洪水".to_owned());
    let open = Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title };
    muster.order(Actor::system(), CommandId(id.0), None, open).await
}

#[tokio::test]
async fn a_stop_finishes_the_commands_that_wait() {
    let ((begun, has_begun), (release, go_on)) = (sync_channel(1), sync_channel(1));
    let muster = Muster::start(Parts {
        journal: Box::new(SlowJournal { inner: MemoryJournal::new("epoch"), begun, go_on: Some(go_on) }),
        publisher: Box::new(()),
        clock: Arc::new(SimClock::default()),
        policy: Policy::default(),
        limits: Limits::default(),
        history: 0,
    });
    let muster = muster.unwrap();
    let mut answers = Vec::new();
    for n in 0..=WAITING {
        let mut answer = Box::pin(opens_an_incident(muster.clone(), n));
        // Asked once, the command is on its way; the disk is busy with the first from here on.
        assert!(pin!(&mut answer).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        answers.push(answer);
        if n == 0 {
            has_begun.recv().unwrap();
        }
    }
    let stopping = muster.clone();
    let stopped = thread::spawn(move || stopping.stop());
    while muster.is_running() {
        thread::yield_now();
    }
    release.send(()).unwrap();
    for (answer, position) in answers.into_iter().zip(1..) {
        assert_eq!(answer.await.unwrap().position, position);
    }
    stopped.join().unwrap().unwrap();
    assert!(opens_an_incident(muster, 99).await.is_err(), "nothing is taken after the end");
}
