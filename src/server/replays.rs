//! Incidents told again: the journal is folded anew beside the running city, which does not wait for it.
//!
//! A fold holds a second city in memory and keeps a processor busy, so there is one at a time, for a limited time, and none for
//! somebody who no longer waits.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::city::replay::{Plot, Replay, Told};
use crate::domain::refusal::Refusal;
use crate::journal::JournalReader;

use super::error::{Answer, Edge, Problem};

/// How long a fold may take; below the time that a request has (`[server] request_timeout_s`, 30 s).
const FOLD_WITHIN: Duration = Duration::from_secs(20);

/// The one place in which a replay is made.
#[derive(Debug, Clone)]
pub struct Replays {
    turn: Arc<Semaphore>,
    within: Duration,
}

impl Default for Replays {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), within: FOLD_WITHIN }
    }
}

impl Replays {
    /// Tells an incident again. Dropped before it is done, the fold stops at the next record.
    ///
    /// # Errors
    /// [`Edge::ReplayBusy`] while another one is made, [`Edge::ReplayTooLong`], [`Refusal::JournalUnavailable`].
    pub async fn tell(&self, reader: Arc<dyn JournalReader>, plot: Plot) -> Answer<Told> {
        let turn = self.turn.clone().try_acquire_owned().map_err(|_| Edge::ReplayBusy {})?;
        let gone = CancellationToken::new();
        let _stops = gone.clone().drop_guard();
        let fold = tokio::task::spawn_blocking(move || {
            // The turn ends when the fold does, not when somebody stops waiting for it.
            let _turn = turn;
            fold(&*reader, plot, &gone)
        });
        let told =
            timeout(self.within, fold).await.map_err(|_| Edge::ReplayTooLong { seconds: self.within.as_secs() })?;
        told.unwrap_or_else(|error| Err(unreadable(&error)))
    }
}

fn fold(reader: &dyn JournalReader, plot: Plot, gone: &CancellationToken) -> Answer<Told> {
    let mut replay = Replay::of(plot);
    let read = reader.for_each_after(0, |record| {
        if gone.is_cancelled() {
            return ControlFlow::Break(());
        }
        replay.take(&record)
    });
    read.map_err(|error| unreadable(&error))?;
    Ok(replay.told())
}

fn unreadable(cause: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%cause, "the journal cannot be read for a replay");
    Refusal::JournalUnavailable {}.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use uuid::Uuid;

    use super::*;
    use crate::domain::actor::Giver;
    use crate::domain::event::{Entry, Event};
    use crate::domain::ids::{CommandId, IncidentId};
    use crate::domain::time::Timestamp;
    use crate::journal::{SqliteJournal, SqliteOptions, SqliteReader};

    fn plot() -> Plot {
        let (incident, compounds) = (IncidentId(Uuid::from_u128(1)), BTreeSet::new());
        Plot { incident, compounds, from: 0, until: u64::MAX, frames_max: 2, states_max: 2 }
    }

    /// A journal of two records that say nothing.
    fn journal(folder: &Path) -> Arc<dyn JournalReader> {
        let path = folder.join("journal.sqlite");
        let mut journal = SqliteJournal::open(&path, SqliteOptions::new("1404".parse().unwrap())).unwrap();
        let entry = |n| Entry {
            at: Timestamp(0),
            id: CommandId(Uuid::from_u128(n)),
            giver: Giver::System,
            digest: 0,
            events: vec![Event::Receipts(Vec::new())],
        };
        crate::testing::append(&mut journal, vec![entry(1), entry(2)]).unwrap();
        Arc::new(SqliteReader::new(&path))
    }

    #[tokio::test]
    async fn there_is_one_fold_at_a_time_and_the_next_may_follow() {
        let folder = tempfile::tempdir().unwrap();
        let (replays, reader) = (Replays::default(), journal(folder.path()));
        let turn = replays.turn.clone().acquire_owned().await.unwrap();
        let refused = replays.tell(reader.clone(), plot()).await.unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (429, "replay_busy"));
        drop(turn);
        assert_eq!(replays.tell(reader, plot()).await.unwrap().end, 2);
        assert_eq!(replays.turn.available_permits(), 1);
    }

    #[test]
    fn a_fold_for_nobody_stops() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, gone) = (journal(folder.path()), CancellationToken::new());
        assert_eq!(fold(&*reader, plot(), &gone).unwrap().end, 2);
        drop(gone.clone().drop_guard());
        assert_eq!(fold(&*reader, plot(), &gone).unwrap().end, 0);
    }
}
