//! Receipts of all phones, gathered: those that arrive together become one command, and one record of the journal.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::ids::CommandId;
use crate::domain::receipt::ReceiptMark;
use crate::domain::refusal::Class;
use crate::runtime::Muster;

use super::hub::Hub;
use super::limits::LiveLimits;

/// While a batch comes together, how often what came is looked at. Who waits to be woken is woken by each of thousands.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where connections leave receipts, until they are gathered.
#[derive(Debug)]
pub struct Receipts {
    sender: mpsc::Sender<Left>,
    /// Taken by whoever gathers.
    waiting: Mutex<Option<mpsc::Receiver<Left>>>,
}

/// What is left for whoever gathers.
#[derive(Debug)]
enum Left {
    Mark(ReceiptMark),
    /// Give what came so far, and say when it is done.
    Settle(oneshot::Sender<()>),
}

impl Receipts {
    /// A place for so many.
    pub(super) fn new(max: usize) -> Self {
        let (sender, waiting) = mpsc::channel(max.max(1));
        Self { sender, waiting: Mutex::new(Some(waiting)) }
    }

    /// Leaves a receipt; false when too many wait.
    pub fn leave(&self, mark: ReceiptMark) -> bool {
        self.sender.try_send(Left::Mark(mark)).is_ok()
    }

    /// Returns when the city has what was left so far; at once when nobody gathers.
    pub(super) async fn settle(&self) {
        if self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        let (done, settled) = oneshot::channel();
        if self.sender.send(Left::Settle(done)).await.is_ok() {
            // An error means that whoever gathered has ended: nothing more comes of it.
            drop(settled.await);
        }
    }
}

impl Hub {
    /// Gathers receipts and gives them to the city. Returns at once when somebody does so already.
    pub async fn drive_receipts(self, muster: Muster) {
        let waiting = self.receipts().waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(left) = waiting {
            gather(left, muster, self.limits()).await;
        }
    }
}

async fn gather(mut left: mpsc::Receiver<Left>, muster: Muster, limits: &LiveLimits) {
    while let Some(first) = left.recv().await {
        let (mut next, mut batch) = (Some(first), Vec::new());
        let until = Instant::now() + limits.receipts_wait;
        let settled = loop {
            match next {
                Some(Left::Mark(mark)) => batch.push(mark),
                Some(Left::Settle(done)) => break Some(done),
                None if left.is_closed() || Instant::now() >= until => break None,
                None => sleep_until(until.min(Instant::now() + LOOK_EVERY)).await,
            }
            if batch.len() >= limits.receipts_max {
                break None;
            }
            next = left.try_recv().ok();
        };
        if !batch.is_empty() {
            give(&muster, batch, limits.receipts_retry).await;
        }
        if let Some(done) = settled {
            // Whoever asked may have gone: their time was over.
            let _ = done.send(());
        }
    }
}

/// Gives a batch, again under the same id for as long as the journal cannot be written: the queue behind it is bounded, and who does
/// not fit in is told. It ends when the driver does.
async fn give(muster: &Muster, marks: Vec<ReceiptMark>, retry: Duration) {
    let id = CommandId(Uuid::now_v7());
    let mut said = false;
    while muster.is_running() {
        let command = Command::ReportReceipts { marks: marks.clone() };
        match muster.order(Actor::system(), id, None, command).await {
            Err(refusal) if matches!(refusal.class(), Class::Unavailable | Class::TooMuch) => {
                if !said {
                    tracing::warn!(
                        count = marks.len(),
                        code = refusal.code(),
                        "receipts wait until the city takes them"
                    );
                }
                said = true;
                sleep(retry).await;
            }
            // Refused otherwise: none of them was of a recipient. Nothing to try again.
            Ok(_) | Err(_) => return,
        }
    }
}
