//! Names, phones, accounts: private, erasable, never in the journal.
//!
//! One SQLite file, `directory.sqlite`, apart from the journal, so that a person can be erased and an export of the journal
//! is no list of phone numbers. One noun a file; each adds its verbs to [`Directory`]. They block (SQLite, argon2): async
//! callers go through [`Directory::run`], or use the three verbs that are async already, [`Directory::sign_in`],
//! [`Directory::session`] and [`Passwords`]. Time is handed in; randomness comes from the operating system.
//!
//! All that is written goes through [`Directory::write`] and its [`writer`]; the file itself tells what that changed ([`changes`]). Where several nodes
//! serve the city, the file is this node's copy of what all share ([`shared`]).
//!
//! Never here: what a role may do (`city::authority`), HTTP, cookies, logging. Never in a log: names, phones, tokens.
//! Start at [`sign_in`], then [`sessions`].

pub mod accounts;
pub mod arrivals;
mod changes;
mod copies;
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
pub mod shared;
pub mod sign_in;
mod tables;
#[cfg(test)]
mod test_city;
pub mod token;
mod writer;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction};
use uuid::Uuid;

use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

pub use error::DirectoryError;
pub use passwords::Passwords;
pub use token::Token;

use changes::Touched;
use copies::remove_copy;
use limiter::AttemptLimiter;
use links::LinkKey;
use session_cache::SessionCache;
use shared::{Shared, SharedOptions};
use writer::Writer;

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
    is_shared: bool,
    /// What other nodes wrote cannot be read, and never will be: rights that they took away would hold here for ever.
    is_broken: AtomicBool,
    /// How often somebody who missed something began to catch up, and whether the last came through.
    misses: AtomicU64,
    missed: Mutex<bool>,
    writer: Mutex<Writer>,
    /// Reads have their own, so that a look-up does not wait for a write's fsync (WAL lets both go on).
    reader: Mutex<Connection>,
    cache: SessionCache,
    attempts: AttemptLimiter,
    passwords: Passwords,
    link_key: LinkKey,
    /// Held by the import whose people arrive; whoever gives up waiting (a request's time is over) leaves the line.
    arrivals: tokio::sync::Mutex<()>,
    /// Who closes the sockets of people who may do less or more than before.
    unseats: OnceLock<Unseat>,
    /// Its file goes with it.
    is_passing: bool,
}

/// What is told who has to prove anew who they are.
type Unseat = Box<dyn Fn(&[PersonId]) + Send + Sync>;

impl Directory {
    /// Opens the city's directory at `path`, or makes it, readable by this user alone. Blocks.
    ///
    /// # Errors
    /// [`Refusal::WrongCity`] when the file is another city's; unavailable or broken as the file is.
    pub fn open(path: &Path, city: AreaCode) -> Result<Self> {
        Self::open_with(path, city, None)
    }

    /// Opens the directory that several nodes share; the file at `path`, made where there is none, is this node's copy. Blocks.
    ///
    /// # Errors
    /// Unavailable when Redis cannot be reached; broken when what it holds cannot be read, or the city was not laid out there.
    pub fn open_shared(path: &Path, options: &SharedOptions) -> Result<Self> {
        let directory = Self::open_with(path, options.redis.city, Some(Shared::open(options)?))?;
        let weak = Arc::downgrade(&directory.inner);
        if let Some(shared) = &directory.writer().shared {
            shared.watch(Box::new(move |_| hear(&weak)));
        }
        Ok(directory)
    }

    /// The same for a moment: this copy is removed when nobody uses it any more. Nobody would keep it up to date, and who is erased
    /// elsewhere would stay in it.
    ///
    /// # Errors
    /// As [`Self::open_shared`].
    pub fn open_shared_for_now(path: &Path, options: &SharedOptions) -> Result<Self> {
        remove_copy(path);
        let mut directory = Self::open_with(path, options.redis.city, Some(Shared::open(options)?))?;
        if let Some(inner) = Arc::get_mut(&mut directory.inner) {
            inner.is_passing = true;
        }
        Ok(directory)
    }

    fn open_with(path: &Path, city: AreaCode, mut shared: Option<Shared>) -> Result<Self> {
        let city = city.at_level(AreaLevel::City).unwrap_or(city);
        make_private_file(path)?;
        let mut db = connect(path)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        schema::migrate(&mut db)?;
        changes::note(&db)?;
        if let Some(shared) = &mut shared {
            shared::prepare(&db)?;
            shared.catch_up(&mut db)?;
        }
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true)?;
        let mut writer = Writer { db, shared };
        let link_key = writer.write(&mut Touched::default(), |tx| {
            settle_city(tx, city)?;
            links::settle_key(tx)
        })?;
        let inner = Inner {
            city,
            path: path.to_owned(),
            is_shared: writer.shared.is_some(),
            is_broken: AtomicBool::new(false),
            misses: AtomicU64::new(0),
            missed: Mutex::new(false),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            cache: SessionCache::default(),
            attempts: AttemptLimiter::default(),
            passwords: Passwords::default(),
            link_key,
            arrivals: tokio::sync::Mutex::default(),
            unseats: OnceLock::new(),
            is_passing: false,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Has `unseat` told, from now on, of people who may do less or more than before, or nothing any more, whichever node changed it:
    /// their sockets are to be closed. Once; who asks later is not heard.
    pub fn on_unseated(&self, unseat: impl Fn(&[PersonId]) + Send + Sync + 'static) {
        // Nobody asks twice.
        let _ = self.inner.unseats.set(Box::new(unseat));
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

    /// What regular upkeep there is: notes on which day sessions were last used, and what has expired goes. Blocks.
    /// To be called every few minutes.
    ///
    /// # Errors
    /// Unavailable or broken; then nothing was done.
    pub fn housekeeping(&self, now: Timestamp) -> Result<()> {
        self.catch_up()?;
        self.flush_used_days()?;
        self.write(|tx| {
            sessions::prune(tx, now)?;
            invitations::prune(tx, now)?;
            looks::prune(tx, now)
        })
    }

    /// One write, all or nothing, durable when it returns. Where other nodes wrote meanwhile, `work` is done again.
    fn write<T>(&self, work: impl Fn(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut touched = Touched::default();
        let done = self.writer().write(&mut touched, work);
        self.inner.note(&touched);
        done
    }

    /// Takes in what other nodes wrote, where others do. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken; then the file is as it was.
    pub fn catch_up(&self) -> Result<()> {
        self.inner.catch_up()
    }

    /// Whether it can go on. Where not, the process has to end: what other nodes wrote cannot be read here.
    pub fn is_usable(&self) -> bool {
        !self.inner.is_broken.load(Ordering::Acquire)
    }

    /// Catches up for whoever missed something that another node may have written a moment ago. All who wait share one: nobody who shows
    /// made-up tokens keeps the others waiting.
    fn catch_up_once(&self) -> Result<()> {
        let Inner { misses, missed, .. } = &*self.inner;
        let before = misses.load(Ordering::Acquire);
        let mut came_through = missed.lock().unwrap_or_else(PoisonError::into_inner);
        // It began after this one came, and is done.
        if misses.load(Ordering::Acquire) > before {
            return if *came_through {
                Ok(())
            } else {
                Err(DirectoryError::Unavailable("Redis does not answer".into()))
            };
        }
        misses.fetch_add(1, Ordering::AcqRel);
        let caught_up = self.catch_up();
        *came_through = caught_up.is_ok();
        caught_up
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.inner.writer()
    }

    /// Whether other nodes write, too.
    pub fn is_shared(&self) -> bool {
        self.inner.is_shared
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let db = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(&db)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.is_passing {
            remove_copy(&self.path);
        }
    }
}

impl Inner {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic while the lock was held left no half transaction: dropping one rolls it back.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catch_up(&self) -> Result<()> {
        let mut writer = self.writer();
        let Some(touched) = writer.catch_up()? else { return Ok(()) };
        if touched.names {
            // Another node may have erased somebody.
            writer.fold_write_ahead_log()?;
        }
        drop(writer);
        self.note(&touched);
        Ok(())
    }

    // INVARIANT: whoever loses a right loses it at once: what is known by heart is forgotten after each commit.
    fn note(&self, Touched { people, unseated, .. }: &Touched) {
        self.cache.forget_people(people);
        if let Some(unseat) = self.unseats.get().filter(|_| !unseated.is_empty()) {
            unseat(unseated);
        }
    }
}

/// Another node wrote, or may have; false where that could not be read.
fn hear(directory: &Weak<Inner>) -> bool {
    let Some(directory) = directory.upgrade() else { return true };
    let Err(error) = directory.catch_up() else { return true };
    let why = std::error::Error::source(&error).map(ToString::to_string);
    if let DirectoryError::Broken(_) = error {
        tracing::error!(why, "what other nodes wrote into the directory cannot be read: this node must not go on");
        directory.is_broken.store(true, Ordering::Release);
    } else {
        tracing::warn!(why, "what other nodes wrote into the directory is not known here yet");
    }
    false
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
    use std::fs;

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
    fn a_full_disk_is_unavailable_and_reading_goes_on() {
        let city = TestCity::new();
        let full = |on: bool| {
            let db = &city.directory.writer().db;
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
