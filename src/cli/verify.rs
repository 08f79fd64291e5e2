//! `muster verify`: whether the journal still says what was written.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::journal;

use super::data_dir::{DataDir, check_journal};
use super::progress;

/// Walks the journal's hash chain.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// 日志文件 A journal or a copy of one; without it that of the data directory
    file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let path = self.file.map_or_else(|| DataDir::of(config).map(|data| data.journal_path()), Ok)?;
        check_journal(&path)?;
        let report = progress::during("校验日志 verifying the journal", || journal::verify(&path));
        let report = report.with_context(|| path.display().to_string())?;
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
