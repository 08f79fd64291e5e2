//! Receipts of all phones, gathered: those that arrive together become one command, and one record of the journal.

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

use super::limits::LiveLimits;

/// How often a batch is given again while the journal cannot be written.
const TRIES_MAX: u32 = 10;
/// How long to wait before a batch is given again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where connections leave receipts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Receipts(mpsc::Sender<ReceiptMark>);

impl Receipts {
    /// Starts gathering; ends when every clone is gone.
    pub fn start(limits: &LiveLimits, muster: Muster) -> Self {
        let (sender, marks) = mpsc::channel(limits.receipts_queue.max(1));
        tokio::spawn(gather(marks, muster, limits.receipts_wait, limits.receipts_max.max(1)));
        Self(sender)
    }

    /// Leaves a receipt; false when too many wait.
    pub fn leave(&self, mark: ReceiptMark) -> bool {
        self.0.try_send(mark).is_ok()
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
