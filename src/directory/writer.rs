//! Who writes into the directory's file, alone and one write after another; and, where several nodes do, what becomes of a write beside
//! theirs.

use rusqlite::{Connection, Transaction};

use super::changes::{self, Touched};
use super::shared::{Proposed, Shared};
use super::{DirectoryError, Result};

/// How often a write is done again where other nodes wrote meanwhile.
const AGAIN_MAX: usize = 100;

/// Who writes: every write is one transaction.
pub(super) struct Writer {
    /// The one connection that does.
    pub(super) db: Connection,
    /// Where several nodes share the directory: the other nodes.
    pub(super) shared: Option<Shared>,
}

impl Writer {
    /// Writes, and says whom that and what others wrote meanwhile touched.
    pub(super) fn write<T>(
        &mut self,
        touched: &mut Touched,
        work: impl Fn(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        for _ in 0..AGAIN_MAX {
            let tx = changes::begin(&mut self.db)?;
            let done = work(&tx);
            let kept = match (&done, &mut self.shared) {
                (Ok(_), None) => true,
                (Ok(_), Some(shared)) => shared.propose(&tx)? == Proposed::Kept,
                (Err(_), _) => false,
            };
            let changed_nothing = !kept && !changes::has_any(&tx)?;
            if kept {
                touched.add(changes::touched(&tx)?);
                let is_shared = self.shared.is_some();
                // What all share has it; this node reads it there where it could not keep it.
                tx.commit().map_err(|error| {
                    if is_shared { DirectoryError::OutcomeUnknown(error.into()) } else { error.into() }
                })?;
                return done;
            }
            drop(tx);
            // What is refused here may be possible by what another node wrote, and where nothing was to be done there may be something:
            // both stand where nothing was missed.
            match self.catch_up()? {
                Some(by_others) => touched.add(by_others),
                None if done.is_err() || changed_nothing => return done,
                None => {}
            }
        }
        Err(DirectoryError::Unavailable("other nodes write all the time".into()))
    }

    /// Old pages live on in the write-ahead log until it is folded into the file; after an erasure that must be now.
    pub(super) fn fold_write_ahead_log(&self) -> Result<()> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Takes in what other nodes wrote; `None` where that is nothing.
    pub(super) fn catch_up(&mut self) -> Result<Option<Touched>> {
        let Self { db, shared } = self;
        shared.as_mut().map_or(Ok(None), |shared| shared.catch_up(db))
    }
}
