//! Copies of the directory: taken while others write, brought back, and removed.

use std::fs::{self, OpenOptions};
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, ffi};

use crate::domain::refusal::Refusal;

use super::{Directory, Result, connect, make_private_file, schema, settle_city, shared, tables};

/// Rows of a copy that one write takes over.
const TAKEN_OVER_AT_ONCE: usize = 50_000;

impl Directory {
    /// Copies the whole directory, as it is at one moment, to a new file at `target`, readable by this user alone. Writers
    /// go on meanwhile. Blocks. A copy made before an erasure still has what was erased: keep copies no longer than needed.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`] when something is at `target`; unavailable when it cannot be written.
    pub fn backup_to(&self, target: &Path) -> Result<()> {
        if target.exists() {
            return Err(Refusal::AlreadyExists { what: target.display().to_string() }.into());
        }
        let partial = target.with_added_extension("partial");
        if partial.exists() {
            fs::remove_file(&partial)?;
        }
        make_private_file(&partial)?;
        let made = self.copy_into(&partial).and_then(|()| {
            OpenOptions::new().write(true).open(&partial)?.sync_all()?;
            Ok(fs::rename(&partial, target)?)
        });
        if made.is_err() {
            // Half a list of names and phones must not lie about. Why the copy failed is said already.
            let _ = fs::remove_file(&partial);
        }
        made
    }

    /// Takes all over from a copy: for a directory with nobody in it, before anybody uses it. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken; what was taken over until then stays.
    pub fn take_over(&self, copy: &Path) -> Result<()> {
        let mut copy = connect(copy)?;
        schema::migrate(&mut copy)?;
        settle_city(&copy, self.inner.city)?;
        tables::TABLES.iter().try_for_each(|table| {
            let keys = shared::rows::keys(&copy, table)?;
            keys.chunks(TAKEN_OVER_AT_ONCE).try_for_each(|keys| {
                self.write(|tx| {
                    keys.iter().try_for_each(|key| {
                        shared::rows::read(&copy, key)?.map_or(Ok(()), |row| shared::rows::write(tx, key, &row))
                    })
                })
            })
        })
    }

    /// All pages in one step, so that writes in between cannot make it start again.
    fn copy_into(&self, target: &Path) -> Result<()> {
        let source = connect(&self.inner.path)?;
        let mut copy = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let step = Backup::new(&source, &mut copy)?.step(-1)?;
        if step != StepResult::Done {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None).into());
        }
        shared::let_go(&copy)
    }
}

/// Removes a copy and what lies beside it. What is not there is what was wanted; what cannot be removed is said.
pub(super) fn remove_copy(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::error!(%error, file = %file.display(), "a copy of the directory could not be removed");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DirectoryError;
    use super::super::test_city::TestCity;
    use super::*;

    #[test]
    fn a_copy_has_everything_and_never_overwrites() {
        let city = TestCity::new();
        let target = city.dir.path().join("copy.sqlite");
        city.directory.backup_to(&target).unwrap();
        let copy = Directory::open(&target, "1404".parse().unwrap()).unwrap();
        assert_eq!(copy.people(&[city.someone]).unwrap(), city.directory.people(&[city.someone]).unwrap());
        let again = city.directory.backup_to(&target);
        assert!(matches!(again, Err(DirectoryError::Refused(Refusal::AlreadyExists { .. }))));
    }
}
