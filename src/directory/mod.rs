//! Names, phones, accounts: private, erasable, never in the journal.
//!
//! One SQLite file, `directory.sqlite`, apart from the journal, so that a person can be erased and an export of the journal
//! is no list of phone numbers. One noun a file; each adds its verbs to [`Directory`]. They block (SQLite, argon2): async
//! callers go through [`Directory::run`], or use the three verbs that are async already, [`Directory::sign_in`],
//! [`Directory::session`] and [`Passwords`]. Time is handed in; randomness comes from the operating system.
//!
//! Never here: what a role may do (`city::authority`), HTTP, cookies, logging. Never in a log: names, phones, tokens.
//! Start at [`sign_in`], then [`sessions`].

pub mod accounts;
pub mod arrivals;
pub mod error;
pub mod invitations;
mod limiter;
pub mod links;
pub mod looks;
pub mod passwords;
pub mod people;
pub mod qr;
mod schema;
mod session_cache;
pub mod sessions;
pub mod sign_in;
#[cfg(test)]
mod test_city;
pub mod token;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, ffi};
use uuid::Uuid;

use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

pub use error::DirectoryError;
pub use passwords::Passwords;
pub use token::Token;

use limiter::AttemptLimiter;
use links::LinkKey;
use session_cache::SessionCache;

/// The directory's file inside the data directory.
pub const FILE_NAME: &str = "directory.sqlite";
/// How long a write waits for another process (a backup tool, a shell) to let go of the file, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// What the directory's functions return.
pub type Result<T, E = DirectoryError> = std::result::Result<T, E>;

/// The handle; cloning it is cheap and all clones share one file.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

struct Inner {
    city: AreaCode,
    path: PathBuf,
    /// The one connection that writes; every write is one transaction.
    writer: Mutex<Connection>,
    /// Reads have their own, so that a look-up does not wait for a write's fsync (WAL lets both go on).
    reader: Mutex<Connection>,
    cache: SessionCache,
    attempts: AttemptLimiter,
    passwords: Passwords,
    link_key: LinkKey,
    /// Held by the import whose people arrive; whoever gives up waiting (a request's time is over) leaves the line.
    arrivals: tokio::sync::Mutex<()>,
}

impl Directory {
    /// Opens the city's directory at `path`, or makes it, readable by this user alone. Blocks.
    ///
    /// # Errors
    /// [`Refusal::WrongCity`] when the file is another city's; unavailable or broken as the file is.
    pub fn open(path: &Path, city: AreaCode) -> Result<Self> {
        let city = city.at_level(AreaLevel::City).unwrap_or(city);
        make_private_file(path)?;
        let mut writer = connect(path)?;
        writer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        schema::migrate(&mut writer)?;
        settle_city(&writer, city)?;
        let link_key = links::settle_key(&writer)?;
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true)?;
        let inner = Inner {
            city,
            path: path.to_owned(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            cache: SessionCache::default(),
            attempts: AttemptLimiter::default(),
            passwords: Passwords::default(),
            link_key,
            arrivals: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Which city's it is.
    pub fn city(&self) -> AreaCode {
        self.inner.city
    }

    /// Where passwords are hashed: a few at a time.
    pub fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// Does blocking work on the directory away from the async threads.
    ///
    /// # Errors
    /// Those of `work`; unavailable when the runtime is shutting down.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Result<T> {
        let directory = self.clone();
        match tokio::task::spawn_blocking(move || work(&directory)).await {
            Ok(done) => done,
            Err(stopped) => Err(DirectoryError::Unavailable(stopped.into())),
        }
    }

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

    /// All pages in one step, so that writes in between cannot make it start again.
    fn copy_into(&self, target: &Path) -> Result<()> {
        let source = connect(&self.inner.path)?;
        let mut copy = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let backup = Backup::new(&source, &mut copy)?;
        match backup.step(-1)? {
            StepResult::Done => Ok(()),
            _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None).into()),
        }
    }

    /// What regular upkeep there is: notes on which day sessions were last used, and what has expired goes. Blocks.
    /// To be called every few minutes.
    ///
    /// # Errors
    /// Unavailable or broken; then nothing was done.
    pub fn housekeeping(&self, now: Timestamp) -> Result<()> {
        self.flush_used_days()?;
        self.write(|tx| {
            sessions::prune(tx, now)?;
            invitations::prune(tx, now)?;
            looks::prune(tx, now)
        })
    }

    /// One write, all or nothing, durable when it returns.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        // A panic while the lock was held left no half transaction: dropping one rolls it back.
        let mut db = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let db = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(&db)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("city", &self.inner.city).finish_non_exhaustive()
    }
}

/// SQLite gives its side files (`-wal`, `-shm`) the permissions of the main file, so this one decides for all.
fn make_private_file(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    // What is erased is overwritten with zeros in the file, not just unlinked.
    db.pragma_update(None, "secure_delete", true)?;
    Ok(db)
}

/// A file belongs to one city for good: its links and tokens name it.
fn settle_city(db: &Connection, city: AreaCode) -> Result<()> {
    let mine = city.to_string().into_bytes();
    db.execute("INSERT INTO meta (name, value) VALUES ('city', ?1) ON CONFLICT DO NOTHING", [&mine])?;
    let found: Vec<u8> = db.query_row("SELECT value FROM meta WHERE name = 'city'", [], |row| row.get(0))?;
    if found == mine { Ok(()) } else { Err(Refusal::WrongCity {}.into()) }
}

/// Refuses an id that is not a person's here, or whose person was erased.
fn check_person(db: &Connection, id: PersonId) -> Result<()> {
    let sql = "SELECT 1 FROM people WHERE id = ?1 AND erased_us IS NULL";
    let found = db.prepare_cached(sql)?.query_row([id_bytes(id)], |_| Ok(())).optional()?;
    found.ok_or_else(|| Refusal::UnknownPerson {}.into())
}

/// A person's id as it is stored.
const fn id_bytes(id: PersonId) -> [u8; 16] {
    *id.0.as_bytes()
}

/// A person's id from column `index`.
fn id_from(row: &Row<'_>, index: usize) -> rusqlite::Result<PersonId> {
    row.get(index).map(|bytes| PersonId(Uuid::from_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::test_city::TestCity;
    use super::*;

    #[test]
    fn a_directory_opens_again_and_is_one_citys() {
        let city = TestCity::new();
        let path = city.dir.path().join(FILE_NAME);
        let again = Directory::open(&path, "1404".parse().unwrap()).unwrap();
        assert_eq!(again.people(&[city.someone]).unwrap().len(), 1);
        let other = Directory::open(&path, "1401".parse().unwrap());
        assert!(matches!(other, Err(DirectoryError::Refused(Refusal::WrongCity {}))));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let city = TestCity::new();
        city.directory.backup_to(&city.dir.path().join("copy.sqlite")).unwrap();
        for entry in fs::read_dir(city.dir.path()).unwrap().map(|entry| entry.unwrap()) {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?} is open to others", entry.file_name());
        }
    }

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

    #[test]
    fn a_full_disk_is_unavailable_and_reading_goes_on() {
        let city = TestCity::new();
        let full = |on: bool| {
            let db = city.directory.inner.writer.lock().unwrap();
            let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
            let most = if on { pages } else { 1_000_000 };
            db.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(())).unwrap();
        };
        full(true);
        let many: Vec<_> = (100..2_000).map(TestCity::entry).collect();
        let refused = city.directory.upsert_people(&many).unwrap_err();
        assert!(matches!(refused, DirectoryError::Unavailable(_)), "{refused:?}");
        assert_eq!(refused.refusal(), Refusal::DirectoryUnavailable {});
        assert_eq!(city.directory.people(&[city.someone]).unwrap().len(), 1);
        assert!(city.directory.people(&[many[0].id]).unwrap().is_empty(), "all or nothing");
        full(false);
        city.directory.upsert_people(&many).unwrap();
    }

    #[tokio::test]
    async fn blocking_work_runs_beside_the_async_threads() {
        let city = TestCity::new();
        let someone = city.someone;
        let found = city.directory.run(move |directory| directory.people(&[someone])).await.unwrap();
        assert_eq!(found[0].id, someone);
    }
}
