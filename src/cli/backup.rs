//! `muster backup` and `muster restore`: copies of journal and directory, taken while the server goes on, and brought back.
//!
//! The directory is copied after the journal: whoever an event names is in the copy, unless erased in between.

use std::path::PathBuf;

use anyhow::bail;

use crate::config::Config;
use crate::directory::Directory;
use crate::journal;

use super::data_dir::DataDir;
use super::progress;

/// Takes a copy.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// 目标文件夹 Folder for the copy; it must not have one yet
    to: PathBuf,
}

/// Brings a copy back.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// 备份文件夹 Folder that `muster backup` wrote
    from: PathBuf,
}

impl Backup {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let data = DataDir::of(config)?;
        // Said before anything is made: without a journal there is nothing to copy.
        data.reader()?;
        let copy = DataDir::at(&self.to, data.city());
        copy.make()?;
        let report = progress::during("备份 copying", || -> anyhow::Result<_> {
            let report = journal::backup(&data.journal_path(), &copy.journal_path())?;
            data.open_directory()?.backup_to(&copy.directory_path())?;
            Ok(report)
        })?;
        if data.is_demo() {
            copy.mark_demo()?;
        }
        eprintln!("已备份 {0} 条记录到 {1}。 Copied {0} records to {1}.", report.good, self.to.display());
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }
}

impl Restore {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let data = DataDir::of(config)?;
        let copy = DataDir::at(&self.from, data.city());
        copy.reader()?;
        let _lock = data.lock()?;
        if data.journal_path().try_exists()? || data.directory_path().try_exists()? {
            bail!(
                "数据目录 {0} 已有数据，不能覆盖。 The data directory {0} holds data already; nothing was changed.",
                data.path().display()
            );
        }
        // The directory first: only a journal makes a folder one that holds a city.
        Directory::open(&copy.directory_path(), copy.city())?.backup_to(&data.directory_path())?;
        if copy.is_demo() {
            data.mark_demo()?;
        }
        let report =
            progress::during("恢复 bringing back", || journal::restore(&copy.journal_path(), &data.journal_path()))?;
        eprintln!("已恢复 {0} 条记录到 {1}。 Brought {0} records back to {1}.", report.good, data.path().display());
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }
}
