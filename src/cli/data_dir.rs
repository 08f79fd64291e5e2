//! What lies in the data directory, and who may write there: one process at a time.
//!
//! `journal.sqlite` (what happened), `directory.sqlite` (names, phones, accounts), `demo` (only where a demo city was laid out),
//! `demo.half` (while a large one is laid out in parts), `muster.lock` (held by the process that writes the journal; the lock ends with
//! the process, however it ends).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::directory::{self, Directory};
use crate::domain::area::AreaCode;
use crate::journal::{SqliteJournal, SqliteOptions, SqliteReader};

/// The journal's file.
pub const JOURNAL_FILE: &str = "journal.sqlite";
const LOCK_FILE: &str = "muster.lock";
const DEMO_FILE: &str = "demo";
const DEMO_HALF_FILE: &str = "demo.half";
const DEMO_NOTE: &str = "演示数据，口令公开。只能在本机地址上提供服务。\n\
    Demonstration data with a published password: served on a loopback address only.\n";

/// A folder with a city in it.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    city: AreaCode,
}

/// Held by the one process that writes.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDir {
    /// Where the configuration says.
    ///
    /// # Errors
    /// When the city's code is none; [`Config::load`] has checked it.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        let city = config.city.code.parse().context("city.code")?;
        Ok(Self { path: config.storage.data_dir.clone(), city })
    }

    /// A folder elsewhere, such as a copy.
    pub fn at(path: &Path, city: AreaCode) -> Self {
        Self { path: path.to_owned(), city }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose data it is.
    pub const fn city(&self) -> AreaCode {
        self.city
    }

    /// The journal's file.
    pub fn journal_path(&self) -> PathBuf {
        self.path.join(JOURNAL_FILE)
    }

    /// The directory's file.
    pub fn directory_path(&self) -> PathBuf {
        self.path.join(directory::FILE_NAME)
    }

    /// Makes the folder where there is none, for this user alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> anyhow::Result<()> {
        let mut folder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.recursive(true).create(&self.path).with_context(|| self.unusable())
    }

    fn unusable(&self) -> String {
        format!("数据目录 {0} 不可写 the data directory {0} cannot be written", self.path.display())
    }

    /// Makes the folder where there is none, and keeps every other writer out.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be made.
    pub fn lock(&self) -> anyhow::Result<DataDirLock> {
        self.make()?;
        let path = self.path.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.with_context(|| self.unusable())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "数据目录 {0} 正被另一个 muster 进程使用。 Another muster process uses the data directory {0}.",
                self.path.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| path.display().to_string()),
        }
        // For people who look who holds it; nothing reads it.
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(DataDirLock { _file: file })
    }

    /// Opens the journal to write, which needs the lock.
    ///
    /// # Errors
    /// When it cannot be opened or is another city's.
    pub fn open_journal(&self, _lock: &DataDirLock) -> anyhow::Result<SqliteJournal> {
        let path = self.journal_path();
        let journal = SqliteJournal::open(&path, SqliteOptions { city: self.city });
        journal.with_context(|| path.display().to_string())
    }

    /// Opens the directory; several processes may.
    ///
    /// # Errors
    /// When it cannot be opened or is another city's.
    pub fn open_directory(&self) -> anyhow::Result<Directory> {
        let path = self.directory_path();
        Directory::open(&path, self.city).with_context(|| path.display().to_string())
    }

    /// Reads the journal beside its writer.
    ///
    /// # Errors
    /// When there is none.
    pub fn reader(&self) -> anyhow::Result<SqliteReader> {
        let path = self.journal_path();
        check_journal(&path)?;
        Ok(SqliteReader::new(&path))
    }

    /// Whether a demo city was laid out here.
    pub fn is_demo(&self) -> bool {
        self.path.join(DEMO_FILE).exists()
    }

    /// Notes, before the first demo account is made, that a demo city is laid out here.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark_demo(&self) -> anyhow::Result<()> {
        self.note(DEMO_FILE)
    }

    /// Whether the demo city was only half laid out.
    pub fn is_demo_half(&self) -> bool {
        self.path.join(DEMO_HALF_FILE).exists()
    }

    /// Notes that from now on the demo city is only half laid out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark_demo_half(&self) -> anyhow::Result<()> {
        self.note(DEMO_HALF_FILE)
    }

    /// Notes that all of it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mark_demo_whole(&self) -> anyhow::Result<()> {
        let path = self.path.join(DEMO_HALF_FILE);
        fs::remove_file(&path).with_context(|| path.display().to_string())
    }

    fn note(&self, name: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        fs::write(&path, DEMO_NOTE).with_context(|| path.display().to_string())
    }
}

/// Whether there is a journal to read.
///
/// # Errors
/// When there is none.
pub fn check_journal(path: &Path) -> anyhow::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    bail!("没有日志文件 {0}。 There is no journal at {0}.", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_dir(path: &Path) -> DataDir {
        DataDir::at(&path.join("data"), "1404".parse().unwrap())
    }

    #[test]
    fn one_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let data = data_dir(folder.path());
        let lock = data.lock().unwrap();
        let error = data.lock().unwrap_err().to_string();
        assert!(error.contains("Another muster process"), "{error}");
        drop(lock);
        data.lock().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look_in() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = data_dir(folder.path());
        let _lock = data.lock().unwrap();
        assert_eq!(fs::metadata(data.path()).unwrap().permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_demo_is_marked_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let data = data_dir(folder.path());
        let _lock = data.lock().unwrap();
        assert!(!data.is_demo());
        data.mark_demo().unwrap();
        assert!(data.is_demo() && !data.is_demo_half());
        data.mark_demo_half().unwrap();
        assert!(data.is_demo_half());
        data.mark_demo_whole().unwrap();
        assert!(data.is_demo() && !data.is_demo_half());
    }

    #[test]
    fn a_journal_that_is_not_there_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = data_dir(folder.path()).reader().unwrap_err().to_string();
        assert!(error.contains(JOURNAL_FILE), "{error}");
    }
}
