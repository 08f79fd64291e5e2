//! Receipts of all phones, gathered: those that arrive together become one command, and one record of the journal.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::ids::CommandId;
use crate::domain::receipt::ReceiptMark;
use crate::domain::refusal::Class;
use crate::runtime::Muster;

use super::hub::Hub;

/// How often a batch is given again while the journal cannot be written.
const TRIES_MAX: u32 = 10;
/// How long to wait before a batch is given again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where connections leave receipts, until they are gathered.
#[derive(Debug)]
pub struct Receipts {
    sender: mpsc::Sender<ReceiptMark>,
    /// Taken by whoever gathers.
    waiting: Mutex<Option<mpsc::Receiver<ReceiptMark>>>,
}

impl Receipts {
    /// A place for so many.
    pub(super) fn new(max: usize) -> Self {
        let (sender, waiting) = mpsc::channel(max.max(1));
        Self { sender, waiting: Mutex::new(Some(waiting)) }
    }

    /// Leaves a receipt; false when too many wait.
    pub fn leave(&self, mark: ReceiptMark) -> bool {
        self.sender.try_send(mark).is_ok()
    }
}

impl Hub {
    /// Gathers receipts and gives them to the city. Returns at once when somebody does so already.
    pub async fn drive_receipts(self, muster: Muster) {
        let waiting = self.receipts().waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(marks) = waiting {
            gather(marks, muster, self.limits().receipts_wait, self.limits().receipts_max.max(1)).await;
        }
    }
}

async fn gather(mut marks: mpsc::Receiver<ReceiptMark>, muster: Muster, wait: Duration, max: usize) {
    while let Some(first) = marks.recv().await {
        let mut batch = vec![first];
        let until = Instant::now() + wait;
        while batch.len() < max
            && let Ok(Some(mark)) = timeout_at(until, marks.recv()).await
        {
            batch.push(mark);
        }
        give(&muster, batch).await;
    }
}

/// Gives a batch, again under the same id while the journal cannot be written.
async fn give(muster: &Muster, marks: Vec<ReceiptMark>) {
    let id = CommandId(Uuid::now_v7());
    let count = marks.len();
    for _ in 0..TRIES_MAX {
        let command = Command::ReportReceipts { marks: marks.clone() };
        match muster.order(Actor::system(), id, None, command).await {
            Err(refusal) if matches!(refusal.class(), Class::Unavailable | Class::TooMuch) => sleep(RETRY_AFTER).await,
            // Refused otherwise: none of them was of a recipient. Nothing to try again.
            Ok(_) | Err(_) => return,
        }
    }
    tracing::warn!(count, "receipts were let go: the journal could not be written for too long");
}
