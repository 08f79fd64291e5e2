//! A city's journal out of Redis into a file, and out of a file into Redis: for copies, and for a city that moves from one node to several.

use std::fs;
use std::path::Path;

use crate::domain::command::Key;
use crate::domain::event::Record;
use crate::engine::ports::{Journal, JournalError, Proposal};
use crate::redis_link::RedisOptions;

use super::super::reader::{JournalReader, ReadError};
use super::super::verify::Report;
use super::super::{SqliteJournal, SqliteOptions, SqliteReader, backup};
use super::RedisJournal;

/// Records that are copied at once.
const CHUNK: usize = 1_000;

/// Copies the journal as it stands to a new file at `to`, while nodes go on. The copy has hashes and an epoch of its own.
///
/// # Errors
/// [`ReadError`]; nothing is left at `to`.
pub fn copy_out(options: RedisOptions, to: &Path) -> Result<Report, ReadError> {
    let folder = to.with_added_extension("building");
    let made = build(options, &folder).and_then(|journal| Ok(backup(&journal, to)?));
    // What failed is said already; that this is left over as well helps nobody.
    let _ = fs::remove_dir_all(&folder);
    made
}

fn build(options: RedisOptions, folder: &Path) -> Result<std::path::PathBuf, ReadError> {
    let io = |error: std::io::Error| ReadError::File(error.into());
    fs::create_dir(folder).map_err(io)?;
    let path = folder.join("journal.sqlite");
    let mut file = SqliteJournal::open(&path, SqliteOptions::new(options.city))?;
    let mut journal = RedisJournal::open(options)?;
    let (mut position, last) = (0, journal.last_position()?);
    while position < last {
        let page = journal.read_after(position, CHUNK)?;
        position = append_as_they_are(&mut file, position, page)?;
    }
    Ok(path)
}

/// Fills the city's journal in Redis, which must be empty, with the records of a file.
///
/// # Errors
/// [`ReadError`]. What was appended until then stays.
pub fn copy_in(options: RedisOptions, from: &Path) -> Result<Report, ReadError> {
    let mut journal = RedisJournal::open(options)?;
    let last = journal.last_position()?;
    if last > 0 {
        let why = "there is a journal already, nothing was copied".to_owned();
        return Err(JournalError::Damaged { position: last, why }.into());
    }
    let reader: &dyn JournalReader = &SqliteReader::new(from);
    let (mut position, end) = (0, reader.last_position()?);
    while position < end {
        position = append_as_they_are(&mut journal, position, reader.page_after(position, CHUNK)?)?;
    }
    Ok(journal.verify()?)
}

/// Appends records after `position`, where nobody else writes; gives where the last stands.
fn append_as_they_are(journal: &mut dyn Journal, position: u64, page: Vec<Record>) -> Result<u64, JournalError> {
    let (wanted, end) = (page.len(), page.last().map(|record| record.position));
    // The whole city as the key: nothing of it holds where somebody else writes beside it.
    let proposals = page.into_iter().map(|record| Proposal { key: Key::City, entry: record.entry }).collect();
    let appended = journal.append(position, proposals)?;
    let kept = appended.positions.into_iter().flatten().count();
    match end {
        Some(end) if kept == wanted => Ok(end),
        _ => {
            Err(JournalError::Damaged { position, why: "somebody else writes here, or a record is missing".to_owned() })
        }
    }
}
