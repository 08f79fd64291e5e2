//! The journal's file: its tables, how it is opened, what SQLite's errors mean, and the one walk over its records that all
//! reading goes through. Only `journal` sees SQL.
//!
//! `meta(key, value)`: `city`, `epoch`, `chain`. `records(position, hash, body)`: see [`super::record`].

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use crate::domain::area::AreaCode;
use crate::domain::event::Record;
use crate::engine::ports::JournalError;

use super::record::{self, Hash};

/// Marks the file as a journal of Muster: "MSTR".
pub(super) const APPLICATION_ID: i32 = 0x4D53_5452;
/// Format of the file (tables); that of records is theirs.
pub(super) const FORMAT: i32 = 1;
/// How long a connection waits for another one's short locks (a checkpoint's end, the first open).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of the log after which a commit also takes them over into the file (16 MiB). With SQLite's own 1,000, more than one commit
/// in a hundred does so when batches of 256 come in, which is p99; with 16,000 the one that does takes a quarter of a second.
const CHECKPOINT_PAGES: u32 = 4_000;
/// What the log keeps of its size once it is taken over, if a long read has let it grow.
const LOG_BYTES_KEPT: u32 = 64 << 20;

const TABLES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE records (position INTEGER PRIMARY KEY, hash BLOB NOT NULL, body TEXT NOT NULL) STRICT;
";

/// Why a file is not opened as a journal.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is the journal of another city.
    #[error("this is the journal of {found}, not of {wanted}")]
    OtherCity {
        /// Whose it is.
        found: String,
        /// Whose was wanted.
        wanted: AreaCode,
    },
    /// It is a file of something else.
    #[error("this is not a journal of Muster: {0}")]
    NotAJournal(String),
    /// A later Muster wrote it.
    #[error("a later Muster wrote this journal (format {found}; this one reads up to {FORMAT})")]
    LaterFormat {
        /// Its format.
        found: i32,
    },
    /// Another process writes it.
    #[error("another process writes this journal")]
    InUse,
    /// It (or what a copy should become) is there already.
    #[error("{0} is there already")]
    Exists(String),
    /// A file beside it cannot be made, read or renamed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It cannot be read, or what it holds is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotAJournal(error.to_string()),
            _ => Self::Journal(explain(&error, 0)),
        }
    }
}

/// What an error of SQLite means to who asked; `position` is the record at hand.
pub(super) fn explain(error: &rusqlite::Error, position: u64) -> JournalError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            JournalError::Damaged { position, why: error.to_string() }
        }
        _ => JournalError::Unavailable(error.to_string()),
    }
}

/// What makes a journal this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    /// Code of its city.
    pub(super) city: String,
    /// What clients know it by; a restored copy gets a new one.
    pub(super) epoch: String,
    /// What its hashes begin with; never changes.
    pub(super) chain: String,
}

impl Meta {
    pub(super) fn genesis(&self) -> Hash {
        record::genesis(&self.chain, &self.city)
    }
}

/// Opens a connection that only reads. A file that is not there is an error, not a new journal.
pub(super) fn open_to_read(path: &Path) -> Result<(Connection, Meta), OpenError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    check_format(&connection)?;
    let meta = read_meta(&connection)?;
    Ok((connection, meta))
}

/// Opens the connection that writes; makes the journal when there is none.
pub(super) fn open_to_write(path: &Path, city: AreaCode) -> Result<(Connection, Meta), OpenError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if tables > 0 {
        // Judged before anything is changed: a file of something else stays as it is.
        check_format(&connection)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    if tables == 0 {
        create(&mut connection, city)?;
    }
    let meta = read_meta(&connection)?;
    if meta.city != city.to_string() {
        return Err(OpenError::OtherCity { found: meta.city, wanted: city });
    }
    Ok((connection, meta))
}

fn create(connection: &mut Connection, city: AreaCode) -> Result<(), OpenError> {
    let meta = Meta { city: city.to_string(), epoch: random_id()?, chain: random_id()? };
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.execute_batch(TABLES)?;
    for (key, value) in [("city", &meta.city), ("epoch", &meta.epoch), ("chain", &meta.chain)] {
        set_meta(&transaction, key, value)?;
    }
    transaction.commit()?;
    // Whose journal it is has to outlast its log: a file without tables would be taken for a new journal.
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?)
}

pub(super) fn set_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", (key, value)).map(drop)
}

/// A name that nothing else has.
pub(super) fn random_id() -> Result<String, OpenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

fn check_format(connection: &Connection) -> Result<(), OpenError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = number("application_id")?;
    if application != APPLICATION_ID {
        return Err(OpenError::NotAJournal(format!("its application id is {application:#010x}")));
    }
    match number("user_version")? {
        FORMAT => Ok(()),
        found if found > FORMAT => Err(OpenError::LaterFormat { found }),
        found => Err(OpenError::NotAJournal(format!("its format is {found}"))),
    }
}

fn read_meta(connection: &Connection) -> Result<Meta, OpenError> {
    let value = |key: &str| {
        let found =
            connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?;
        found.ok_or_else(|| OpenError::NotAJournal(format!("it does not say its {key}")))
    };
    Ok(Meta { city: value("city")?, epoch: value("epoch")?, chain: value("chain")? })
}

/// Where a walk over the records stands: the last record that was seen, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// 0 before the first record.
    pub(super) position: u64,
    pub(super) hash: Hash,
}

/// The place right after `position`: from there a walk goes on with the next record.
pub(super) fn place_at(connection: &Connection, meta: &Meta, position: u64) -> Result<Option<Place>, JournalError> {
    if position == 0 {
        return Ok(Some(Place { position, hash: meta.genesis() }));
    }
    let Ok(key) = i64::try_from(position) else { return Ok(None) };
    connection
        .prepare_cached("SELECT hash FROM records WHERE position = ?1")
        .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
        .map(|hash| hash.map(|hash| Place { position, hash }))
        .map_err(|e| explain(&e, position))
}

/// Position of the last record; 0 when there is none.
pub(super) fn last_position(connection: &Connection) -> Result<u64, JournalError> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM records")
        .and_then(|mut statement| statement.query_row((), |row| row.get::<_, i64>(0)))
        .map(i64::cast_unsigned)
        .map_err(|e| explain(&e, 0))
}

// INVARIANT: what is read back is what was written: no record is missing, none was changed.
/// Hands on at most `limit` records after `place`, in order, each checked against the chain, until told to stop. `place` goes
/// along: it ends at the last good record.
pub(super) fn walk(
    connection: &Connection,
    place: &mut Place,
    limit: usize,
    mut each: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<(), JournalError> {
    let fail = |error: &rusqlite::Error, place: &Place| explain(error, place.position + 1);
    let mut statement = connection
        .prepare_cached("SELECT position, hash, body FROM records WHERE position > ?1 ORDER BY position LIMIT ?2")
        .map_err(|e| fail(&e, place))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((place.position.cast_signed(), limit)).map_err(|e| fail(&e, place))?;
    while let Some(row) = rows.next().map_err(|e| fail(&e, place))? {
        let record;
        (*place, record) =
            next_record(*place, row).map_err(|why| JournalError::Damaged { position: place.position + 1, why })?;
        if each(record).is_break() {
            break;
        }
    }
    Ok(())
}

/// At most `limit` records after `position`; none when it lies beyond the end.
pub(super) fn page(
    connection: &Connection,
    meta: &Meta,
    position: u64,
    limit: usize,
) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    if let Some(mut place) = place_at(connection, meta, position)? {
        walk(connection, &mut place, limit, |record| {
            records.push(record);
            ControlFlow::Continue(())
        })?;
    }
    Ok(records)
}

/// The record in `row`, if it is the one that follows `place`.
fn next_record(place: Place, row: &rusqlite::Row<'_>) -> Result<(Place, Record), String> {
    let said = |e: rusqlite::Error| e.to_string();
    let position = place.position + 1;
    let found = row.get::<_, i64>(0).map_err(said)?.cast_unsigned();
    if found != position {
        return Err(format!("it is missing; the next is {found}"));
    }
    let body = row.get_ref(2).map_err(said)?.as_bytes().map_err(|e| e.to_string())?;
    let hash = record::chain(&place.hash, position, body);
    if row.get_ref(1).map_err(said)?.as_blob() != Ok(hash.as_slice()) {
        return Err("its hash does not follow from the record before it and what it says".to_owned());
    }
    Ok((Place { position, hash }, Record { position, entry: record::read(body)? }))
}
