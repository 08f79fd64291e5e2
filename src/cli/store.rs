//! Where a city is kept: in files of the data directory, or in a Redis that several nodes share. The verbs ask here, and need not know.
//!
//! In Redis there are journal, directory and what is said of the city as a whole ([`redis_link::mark`]); in the data directory of a
//! node there is only its copy of the directory, which may be removed.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Context as _;

use crate::city::City;
use crate::config::Config;
use crate::directory::Directory;
use crate::directory::shared::SharedOptions;
use crate::domain::area::AreaCode;
use crate::domain::time::Timestamp;
use crate::engine::ports::Journal;
use crate::journal::{JournalReader, RedisJournal, RedisReader, SqliteReader};
use crate::redis_link;

use super::data_dir::{DataDir, DataDirLock};
use super::serve::long_before;

/// A node's copy of the shared directory.
const NODE_COPY: &str = "directory-of-node.sqlite";
/// That of a verb at the shell, beside the node's: it goes when the verb is done.
const SHELL_COPY: &str = "directory-of-shell";
/// A city that was laid out for demonstration.
const DEMO: &str = "demo";
/// A city of which only a part is there yet.
const HALF: &str = "half";

/// Where a city is kept.
#[derive(Debug, Clone)]
pub struct Store {
    data: DataDir,
    shared: Option<SharedOptions>,
}

/// In files.
impl From<DataDir> for Store {
    fn from(data: DataDir) -> Self {
        Self { data, shared: None }
    }
}

impl Store {
    /// Where the configuration says.
    ///
    /// # Errors
    /// When it is not a valid one; [`Config::load`] has checked it.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { data: DataDir::of(config)?, shared: config.shared()? })
    }

    /// The folder of this process.
    pub const fn data(&self) -> &DataDir {
        &self.data
    }

    /// Whose data it is.
    pub const fn city(&self) -> AreaCode {
        self.data.city()
    }

    /// The Redis that several nodes share; `None` where the city is in files.
    pub const fn shared(&self) -> Option<&SharedOptions> {
        self.shared.as_ref()
    }

    /// For people: where it is, without any password.
    pub fn place(&self) -> String {
        match &self.shared {
            None => self.data.path().display().to_string(),
            Some(_) => format!("Redis (journal.url), {}", self.data.path().display()),
        }
    }

    /// Makes room for a city where there is none: in Redis nothing is begun unasked.
    ///
    /// # Errors
    /// When Redis cannot be reached, or holds something else.
    pub fn lay_out(&self) -> anyhow::Result<()> {
        match &self.shared {
            None => Ok(()),
            Some(shared) => redis_link::lay_out(&shared.redis).context("journal.url"),
        }
    }

    /// Keeps every other process out that would write the same files. Verbs at the shell that share a Redis are nodes like any other.
    ///
    /// # Errors
    /// When another process holds it.
    pub fn lock_for_verb(&self) -> anyhow::Result<Option<DataDirLock>> {
        if self.shared.is_none() { self.data.lock().map(Some) } else { self.data.make().map(|()| None) }
    }

    /// Opens the journal to write; in files that needs the lock.
    ///
    /// # Errors
    /// When it cannot be opened, or is another city's.
    pub fn open_journal(&self, lock: Option<&DataDirLock>) -> anyhow::Result<Box<dyn Journal>> {
        match (&self.shared, lock) {
            (Some(shared), _) => Ok(Box::new(RedisJournal::open(shared.redis.clone()).context("journal.url")?)),
            (None, Some(lock)) => Ok(Box::new(self.data.open_journal(lock)?)),
            // INVARIANT: one process writes a journal's file.
            (None, None) => anyhow::bail!("the data directory is not locked"),
        }
    }

    /// The directory as a node that serves uses it.
    ///
    /// # Errors
    /// When it cannot be opened, or is another city's.
    pub fn open_directory_of_node(&self) -> anyhow::Result<Directory> {
        let Some(shared) = &self.shared else { return self.data.open_directory() };
        self.data.make()?;
        let path = self.data.path().join(NODE_COPY);
        Directory::open_shared(&path, shared).with_context(|| path.display().to_string())
    }

    /// The directory as a verb at the shell uses it, beside a node that may be serving.
    ///
    /// # Errors
    /// When it cannot be opened, or is another city's.
    pub fn open_directory(&self) -> anyhow::Result<Directory> {
        let Some(shared) = &self.shared else { return self.data.open_directory() };
        self.data.make()?;
        let path = self.data.path().join(format!("{SHELL_COPY}-{}.sqlite", std::process::id()));
        Directory::open_shared_for_now(&path, shared).with_context(|| path.display().to_string())
    }

    /// Whoever arrived until then belongs to an import that was cut short: of one node at once, of several once no other node's can
    /// still be under way.
    pub fn arrived_before(&self, now: Timestamp) -> Timestamp {
        if self.shared.is_none() { now } else { long_before(now) }
    }

    /// Reads the journal beside whoever writes it.
    ///
    /// # Errors
    /// When there is none.
    pub fn reader(&self) -> anyhow::Result<Arc<dyn JournalReader>> {
        match &self.shared {
            None => self.data.reader().map(|reader: SqliteReader| Arc::new(reader) as Arc<dyn JournalReader>),
            Some(shared) => Ok(Arc::new(RedisReader::new(shared.redis.clone()))),
        }
    }

    /// The city as the journal tells it now.
    ///
    /// # Errors
    /// When the journal cannot be read, or is damaged.
    pub fn replay(&self) -> anyhow::Result<City> {
        let mut city = City::default();
        self.reader()?.for_each_after(0, |record| {
            city.evolve(&record);
            ControlFlow::Continue(())
        })?;
        Ok(city)
    }

    /// Whether a demo city was laid out here.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub fn is_demo(&self) -> anyhow::Result<bool> {
        self.is_marked(DEMO, DataDir::is_demo)
    }

    /// Notes, before the first demo account is made, that a demo city is laid out here.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark_demo(&self) -> anyhow::Result<()> {
        self.mark(DEMO, true, DataDir::mark_demo)
    }

    /// Whether only a part of the city is there.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub fn is_half(&self) -> anyhow::Result<bool> {
        self.is_marked(HALF, DataDir::is_demo_half)
    }

    /// Notes that from now on only a part of the city is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark_half(&self) -> anyhow::Result<()> {
        self.mark(HALF, true, DataDir::mark_demo_half)
    }

    /// Notes that all of it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark_whole(&self) -> anyhow::Result<()> {
        self.mark(HALF, false, DataDir::mark_demo_whole)
    }

    fn is_marked(&self, mark: &str, in_files: impl FnOnce(&DataDir) -> bool) -> anyhow::Result<bool> {
        match &self.shared {
            None => Ok(in_files(&self.data)),
            Some(shared) => redis_link::is_marked(&shared.redis, mark).context("journal.url"),
        }
    }

    fn mark(
        &self,
        mark: &str,
        holds: bool,
        in_files: impl FnOnce(&DataDir) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match &self.shared {
            None => in_files(&self.data),
            Some(shared) => redis_link::mark(&shared.redis, mark, holds).context("journal.url"),
        }
    }
}
