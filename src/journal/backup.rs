//! Copies: taking one while the journal is live, and bringing one back. A copy is a journal like any other: one file, that can be
//! verified, read and opened.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::engine::ports::JournalError;

use super::file::{self, OpenError};
use super::verify::{Report, verify};

/// Copies the journal at `live` as it stands at one moment to `to`, while its writer goes on. `to` appears when it is whole and on
/// disk, never before; it must not be there yet. Returns what verifying the copy found: good throughout, or it is an error.
///
/// # Errors
/// [`OpenError`]; nothing is left at `to`.
pub fn backup(live: &Path, to: &Path) -> Result<Report, OpenError> {
    make(live, to, |_| Ok(()))
}

/// Brings a copy back as the journal at `to`, where none may be. It gets a new epoch: what the lost journal said after the copy was
/// taken did not happen any more, and every client has to load anew.
///
/// # Errors
/// [`OpenError`], also when the copy is damaged; nothing is left at `to`.
pub fn restore(copy: &Path, to: &Path) -> Result<Report, OpenError> {
    make(copy, to, |connection| Ok(file::set_meta(connection, "epoch", &file::random_id()?)?))
}

/// Copies under another name, changes what is to be changed, verifies, and only then gives the name.
fn make(from: &Path, to: &Path, change: impl Fn(&Connection) -> Result<(), OpenError>) -> Result<Report, OpenError> {
    if to.try_exists()? {
        return Err(OpenError::Exists(to.display().to_string()));
    }
    let partial = partial(to);
    let made = copy(from, &partial, change).and_then(|()| whole(&partial)).and_then(|report| {
        File::open(&partial)?.sync_all()?;
        fs::rename(&partial, to)?;
        sync_folder(to)?;
        Ok(report)
    });
    if made.is_err() {
        // What failed is said already; that this is left over as well helps nobody.
        let _ = fs::remove_file(&partial);
    }
    made
}

fn copy(from: &Path, to: &Path, change: impl Fn(&Connection) -> Result<(), OpenError>) -> Result<(), OpenError> {
    // Left over from a copy that was cut short.
    if to.try_exists()? {
        fs::remove_file(to)?;
    }
    let (source, _) = file::open_to_read(from)?;
    let mut target = Connection::open(to)?;
    // All pages in one step: one moment of the source. In smaller steps a busy writer would make it begin again and again.
    Backup::new(&source, &mut target)?.step(-1)?;
    // One file, without a log beside it.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    change(&target)?;
    target.close().map_err(|(_, error)| error.into())
}

fn whole(path: &Path) -> Result<Report, OpenError> {
    let report = verify(path)?;
    match report.fault {
        None => Ok(report),
        Some(fault) => Err(JournalError::Damaged { position: fault.position, why: fault.why }.into()),
    }
}

fn partial(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Makes the new name itself durable.
fn sync_folder(of: &Path) -> Result<(), OpenError> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}
