//! The embedded journal: one `SQLite` file with a write-ahead log, one writer, every append one synced transaction.
//!
//! Reading for others (log pages, exports) never goes through here but through [`super::reader`], so that it cannot hold up the
//! writer. What a failing disk means: an append that fails is rolled back and answered [`JournalError::Unavailable`]; the next one
//! tries again. When the sync itself fails and the machine dies before the next append, that append may be found whole after the
//! restart, never in part; its giver, who was refused, gets the first answer on trying again.

use std::fs::{File, TryLockError};
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use crate::domain::area::AreaCode;
use crate::domain::event::Record;
use crate::engine::ports::{Appended, Journal, JournalError, Proposal};

use super::file::{self, Meta, OpenError, Place};
use super::record;

/// Records at the end that opening checks; all are checked by [`mod@super::verify`], and by a start that replays them.
pub const TAIL_CHECKED: u64 = 1_000;

/// Bytes that a probe writes: more than a page, so that it needs room which a full disk does not give. A smaller one would fit where
/// no record does, and say that all is well.
const PROBE_BYTES: usize = 8_000;

/// How a journal is opened.
#[derive(Debug, Clone, Copy)]
pub struct SqliteOptions {
    /// Whose journal it is; that of another city is refused.
    pub city: AreaCode,
}

impl SqliteOptions {
    /// What is usual, for this city.
    pub const fn new(city: AreaCode) -> Self {
        Self { city }
    }
}

/// The writer of a journal.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
    meta: Meta,
    /// The last durable record: moves only after a commit.
    last: Place,
    /// An append failed: what the file holds is looked at before the next one.
    doubted: bool,
    /// One record's bytes; kept, so that its room is used again.
    body: Vec<u8>,
    /// Held as long as this writes: two writers would break the chain.
    _lock: File,
}

impl SqliteJournal {
    /// Opens the journal at `path`, or makes it; checks its last [`TAIL_CHECKED`] records.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let (connection, meta) = file::open_to_write(path, options.city)?;
        let last = checked_tail(&connection, &meta)?;
        Ok(Self { connection, meta, last, doubted: false, body: Vec::new(), _lock: lock })
    }

    /// Bounds the file, in pages from 1; it does not get smaller than it is. What does not fit is refused by SQLite, as on a full disk.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    #[cfg(any(test, feature = "testing"))]
    pub fn set_pages_max(&self, pages: u32) -> Result<(), JournalError> {
        let set = format!("PRAGMA max_page_count = {pages}");
        self.connection.query_row(&set, (), |_| Ok(())).map_err(|e| file::explain(&e, self.last.position))
    }

    /// Writes entries after the last record, as one transaction; returns the last of them.
    fn write(&mut self, proposals: &[Proposal]) -> Result<Place, JournalError> {
        let mut place = self.last;
        let fail = |e: rusqlite::Error| JournalError::Unavailable(e.to_string());
        let transaction = self.connection.transaction().map_err(fail)?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO records (position, hash, body) VALUES (?1, ?2, ?3)")
                .map_err(fail)?;
            for Proposal { entry, .. } in proposals {
                record::write(entry, &mut self.body).map_err(|e| JournalError::Unavailable(e.to_string()))?;
                let position = place.position + 1;
                place = Place { position, hash: record::chain(&place.hash, position, &self.body) };
                insert.execute((position.cast_signed(), place.hash.as_slice(), Text(&self.body))).map_err(fail)?;
            }
        }
        transaction.commit().map_err(fail)?;
        Ok(place)
    }

    /// After a failed append: makes sure that nothing of it was kept.
    fn settle_doubt(&mut self) -> Result<(), JournalError> {
        let found = file::last_position(&self.connection)?;
        if found != self.last.position {
            let why = format!("it is the last in the file, but {} was the last acknowledged", self.last.position);
            return Err(JournalError::Damaged { position: found, why });
        }
        self.doubted = false;
        Ok(())
    }
}

impl Journal for SqliteJournal {
    // INVARIANT: nothing acknowledged is lost. The commit syncs before it returns (WAL, synchronous = FULL).
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        if self.doubted {
            self.settle_doubt()?;
        }
        if seen != self.last.position {
            let why = format!(
                "nobody else writes here, but {} is the last, and it was decided after {seen}",
                self.last.position
            );
            return Err(JournalError::Damaged { position: seen, why });
        }
        self.last = self.write(&proposals).inspect_err(|_| self.doubted = true)?;
        let records =
            (seen + 1..).zip(proposals).map(|(position, proposal)| Record { position, entry: proposal.entry });
        Ok(Appended { records: records.collect(), positions: (seen + 1..=self.last.position).map(Some).collect() })
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        file::page(&self.connection, &self.meta, position, limit)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        Ok(self.last.position)
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        if self.doubted {
            self.settle_doubt()?;
        }
        let fail = |e: rusqlite::Error| JournalError::Unavailable(e.to_string());
        let transaction = self.connection.transaction().map_err(fail)?;
        file::set_meta(&transaction, "probe", &" ".repeat(PROBE_BYTES)).map_err(fail)?;
        // The pages stay, and are the next records'.
        transaction.execute("DELETE FROM meta WHERE key = 'probe'", ()).map_err(fail)?;
        transaction.commit().map_err(fail)
    }

    fn epoch(&self) -> &str {
        &self.meta.epoch
    }
}

/// Keeps a second writer out, of this process or another; the lock ends with the process, however it ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = File::create(beside)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Walks the last records; returns the last.
fn checked_tail(connection: &Connection, meta: &Meta) -> Result<Place, JournalError> {
    let last = file::last_position(connection)?;
    let from = last.saturating_sub(TAIL_CHECKED);
    let Some(mut place) = file::place_at(connection, meta, from)? else {
        return Err(JournalError::Damaged { position: from, why: "it is missing".to_owned() });
    };
    file::walk(connection, &mut place, usize::MAX, |_| ControlFlow::Continue(()))?;
    Ok(place)
}

/// JSON that is UTF-8 by construction, bound without a second look at its bytes.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::actor::Giver;
    use crate::domain::event::{Entry, Event};
    use crate::domain::ids::CommandId;
    use crate::domain::time::Timestamp;
    use crate::testing::append;
    use tempfile::TempDir;
    use uuid::Uuid;

    fn open() -> (TempDir, SqliteJournal) {
        let folder = TempDir::new().unwrap();
        let options = SqliteOptions::new("1404".parse().unwrap());
        let journal = SqliteJournal::open(&folder.path().join("journal.sqlite"), options).unwrap();
        (folder, journal)
    }

    fn entries(count: u64) -> Vec<Entry> {
        let entry = |n: u64| Entry {
            at: Timestamp(0),
            id: CommandId(Uuid::from_u128(n.into())),
            giver: Giver::System,
            digest: n,
            events: vec![Event::Receipts(Vec::new())],
        };
        (0..count).map(entry).collect()
    }

    fn pragma(journal: &SqliteJournal, name: &str, value: i64) {
        journal.connection.pragma_update(None, name, value).unwrap();
    }

    // INVARIANT: nothing acknowledged is lost. No test can cut the power: what makes a commit outlast it is asked of SQLite itself.
    #[test]
    fn a_commit_is_synced_before_it_returns() {
        let (_folder, journal) = open();
        let text = |name| journal.connection.pragma_query_value(None, name, |row| row.get::<_, String>(0)).unwrap();
        let number = |name| journal.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((text("journal_mode"), number("synchronous")), ("wal".to_owned(), 2), "2 is FULL");
    }

    /// Fills the file (SQLite itself says that it is full), then makes room.
    #[test]
    fn a_full_file_refuses_the_whole_append_and_takes_it_when_there_is_room() {
        let (_folder, mut journal) = open();
        append(&mut journal, entries(5)).unwrap();
        journal.set_pages_max(8).unwrap();
        let before = journal.last;
        let refused = append(&mut journal, entries(1_000));
        assert!(matches!(refused, Err(JournalError::Unavailable(why)) if why.contains("full")));
        assert_eq!((journal.last, journal.read_after(0, 2_000).unwrap().len()), (before, 5));
        assert_eq!(append(&mut journal, entries(1)).unwrap()[0].position, 6);
        journal.set_pages_max(100_000).unwrap();
        assert_eq!(append(&mut journal, entries(1_000)).unwrap()[999].position, 1_006);
        let (meta, mut place) = (journal.meta.clone(), Place { position: 0, hash: journal.meta.genesis() });
        assert_eq!(file::place_at(&journal.connection, &meta, 0).unwrap(), Some(place));
        file::walk(&journal.connection, &mut place, usize::MAX, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(place, journal.last);
    }

    #[test]
    fn a_probe_does_not_say_that_all_is_well_where_no_record_fits() {
        let (_folder, mut journal) = open();
        journal.set_pages_max(1).unwrap();
        let taken = (0..1_000).take_while(|_| append(&mut journal, entries(1)).is_ok()).count();
        assert!(taken < 1_000);
        assert!(matches!(journal.probe(), Err(JournalError::Unavailable(why)) if why.contains("full")));
        journal.set_pages_max(100_000).unwrap();
        journal.probe().unwrap();
        append(&mut journal, entries(1)).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_refuses_and_recovers() {
        let (_folder, mut journal) = open();
        pragma(&journal, "query_only", 1);
        assert!(matches!(append(&mut journal, entries(1)), Err(JournalError::Unavailable(_))));
        pragma(&journal, "query_only", 0);
        assert_eq!(append(&mut journal, entries(1)).unwrap()[0].position, 1);
    }

    #[test]
    fn records_that_nobody_acknowledged_stop_the_writer() {
        let (_folder, mut journal) = open();
        append(&mut journal, entries(3)).unwrap();
        journal.last.position = 2;
        assert!(matches!(append(&mut journal, entries(1)), Err(JournalError::Unavailable(_))));
        assert!(matches!(journal.probe(), Err(JournalError::Damaged { position: 3, .. })), "a probe does not hide it");
        assert!(matches!(append(&mut journal, entries(1)), Err(JournalError::Damaged { position: 3, .. })));
    }
}
