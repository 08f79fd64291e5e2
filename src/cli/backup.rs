//! `muster backup` and `muster restore`: copies of journal and directory, taken while the server goes on, and brought back.
//!
//! The directory is copied after the journal: whoever an event names is in the copy, unless erased in between.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::directory::{self, Directory};
use crate::journal;

use super::data_dir::{DataDir, JOURNAL_FILE};
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
        let mut folder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.recursive(true).create(&self.to).with_context(|| self.to.display().to_string())?;
        let report = progress::during("备份 copying", || -> anyhow::Result<_> {
            let report = journal::backup(&data.journal_path(), &self.to.join(JOURNAL_FILE))?;
            data.open_directory()?.backup_to(&self.to.join(directory::FILE_NAME))?;
            Ok(report)
        })?;
        if data.is_demo() {
            DataDir::at(&self.to, data.city()).mark_demo()?;
        }
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
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }
}
