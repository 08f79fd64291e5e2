//! `muster verify`: whether the journal still says what was written.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::directory::shared::SharedOptions;
use crate::journal::{self, RedisJournal, Report};

use super::data_dir::check_journal;
use super::progress;
use super::store::Store;

/// Walks the journal's hash chain.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// 日志文件 A journal or a copy of one; without it the city's own
    file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let store = Store::of(config)?;
        let report = progress::during("校验日志 verifying the journal", || match (self.file, store.shared()) {
            (None, Some(shared)) => in_redis(shared),
            (file, _) => in_file(&file.unwrap_or_else(|| store.data().journal_path())),
        })?;
        println!("{}", serde_json::to_string(&report)?);
        match report.fault {
            None => {
                eprintln!("日志完好，共 {0} 条记录。 The journal is whole: {0} records.", report.good);
                Ok(())
            }
            Some(fault) => bail!(
                "日志在第 {0} 条处损坏：{1}。 The journal is damaged at position {0}: {1}.",
                fault.position,
                fault.why
            ),
        }
    }
}

fn in_file(path: &Path) -> anyhow::Result<Report> {
    check_journal(path)?;
    journal::verify(path).with_context(|| path.display().to_string())
}

fn in_redis(shared: &SharedOptions) -> anyhow::Result<Report> {
    Ok(RedisJournal::open(shared.redis.clone()).context("journal.url")?.verify()?)
}
