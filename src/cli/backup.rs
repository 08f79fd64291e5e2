//! `muster backup` and `muster restore`: copies of journal and directory, taken while the server goes on, and brought back.
//!
//! The directory is copied after the journal: whoever an event names is in the copy, unless erased in between. A copy is a data directory,
//! wherever the city was kept: a copy of one node brought back into Redis is how a city moves to several nodes.

use std::path::PathBuf;

use crate::config::Config;
use crate::directory::Directory;
use crate::directory::shared::SharedOptions;
use crate::journal;

use super::data_dir::DataDir;
use super::progress;
use super::store::Store;

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
        let store = Store::of(config)?;
        // Said before anything is made: without a journal there is nothing to copy.
        store.reader()?.last_position()?;
        let copy = DataDir::at(&self.to, store.city());
        copy.make()?;
        let report = progress::during("备份 copying", || -> anyhow::Result<_> {
            let report = match store.shared() {
                None => journal::backup(&store.data().journal_path(), &copy.journal_path())?,
                Some(shared) => journal::redis::copy_out(shared.redis.clone(), &copy.journal_path())?,
            };
            store.open_directory()?.backup_to(&copy.directory_path())?;
            Ok(report)
        })?;
        if store.is_demo()? {
            copy.mark_demo()?;
        }
        eprintln!("已备份 {0} 条记录到 {1}。 Copied {0} records to {1}.", report.good, self.to.display());
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }
}

impl Restore {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let store = Store::of(config)?;
        let copy = DataDir::at(&self.from, store.city());
        copy.reader()?;
        let report = progress::during("恢复 bringing back", || match store.shared() {
            None => into_files(&store, &copy),
            Some(shared) => into_redis(&store, shared, &copy),
        })?;
        eprintln!("已恢复 {0} 条记录到 {1}。 Brought {0} records back to {1}.", report.good, store.place());
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }
}

fn into_files(store: &Store, copy: &DataDir) -> anyhow::Result<journal::Report> {
    let data = store.data();
    let _lock = data.lock()?;
    if data.journal_path().try_exists()? || data.directory_path().try_exists()? {
        return Err(not_empty(store));
    }
    // The directory first: only a journal makes a folder one that holds a city.
    Directory::open(&copy.directory_path(), copy.city())?.backup_to(&data.directory_path())?;
    if copy.is_demo() {
        data.mark_demo()?;
    }
    Ok(journal::restore(&copy.journal_path(), &data.journal_path())?)
}

/// The way from one node to several, too. Cut short, what is there is not served ([`super::demo_city::check_whole`]).
fn into_redis(store: &Store, shared: &SharedOptions, copy: &DataDir) -> anyhow::Result<journal::Report> {
    store.lay_out()?;
    let directory = store.open_directory()?;
    if store.reader()?.last_position()? > 0 || !directory.accounts(None, 1)?.is_empty() {
        return Err(not_empty(store));
    }
    store.mark_half()?;
    if copy.is_demo() {
        store.mark_demo()?;
    }
    directory.take_over(&copy.directory_path())?;
    let report = journal::redis::copy_in(shared.redis.clone(), &copy.journal_path())?;
    store.mark_whole()?;
    Ok(report)
}

fn not_empty(store: &Store) -> anyhow::Error {
    anyhow::anyhow!("{0} 已有数据，不能覆盖。 There are data already in {0}; nothing was changed.", store.place())
}
