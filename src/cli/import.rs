//! `muster import`: a file of real data into a data directory that no server uses, or into a running server. The reading and the
//! checks are [`crate::import`]'s, the same as behind the API; here is where the file comes from and what is said of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use uuid::Uuid;

use crate::config::Config;
use crate::domain::datum::Datum;
use crate::import::{Draft, File, Kind, Report};

use super::offline::Offline;
use super::store::Store;
use super::{progress, small_runtime};

/// Where the bearer token for `--server` is: arguments can be seen by every process.
const ENV_TOKEN: &str = "MUSTER_TOKEN";

/// What the file is about.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// 区划 CSV
    Areas,
    /// 小区 GeoJSON or CSV
    Compounds,
    /// 人员 CSV
    People,
    /// 岗位 CSV
    Posts,
    /// 预案 CSV or JSON
    Plans,
}

impl What {
    const fn kind(self) -> (Kind, &'static str) {
        match self {
            Self::Areas => (Kind::Areas, "areas"),
            Self::Compounds => (Kind::Compounds, "compounds"),
            Self::People => (Kind::People, "people"),
            Self::Posts => (Kind::Posts, "posts"),
            Self::Plans => (Kind::Plans, "plans"),
        }
    }
}

/// Takes a file in.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// 内容 What the file is about
    #[arg(value_enum)]
    what: What,
    /// 文件 The file, UTF-8
    file: PathBuf,
    /// 坐标系 wgs84, gcj02 (高德) or bd09 (百度); mandatory where the file has coordinates
    #[arg(long, required_if_eq("what", "compounds"))]
    datum: Option<Datum>,
    /// 只检查 Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// 服务地址 A running server instead of the data directory; its bearer token is in `MUSTER_TOKEN`
    #[arg(long)]
    server: Option<String>,
}

impl Import {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let bytes = read(&self.file, config.import.body_limit_bytes)?;
        let report = match &self.server {
            Some(server) => progress::during("上传 sending", || small_runtime()?.block_on(self.send(server, bytes)))?,
            None => self.take(config, &bytes)?,
        };
        println!("{}", serde_json::to_string(&report)?);
        say_faults(&report);
        if report.is_good() {
            return Ok(());
        }
        bail!("文件有误，未导入任何内容。 The file has faults; nothing of it was taken in.")
    }

    fn take(&self, config: &Config, bytes: &[u8]) -> anyhow::Result<Report> {
        let (kind, _) = self.what.kind();
        let store = Store::of(config)?;
        store.reader().context("先用 muster init 初始化。 Prepare the city with `muster init` first")?;
        let offline = Offline::open(config, &store)?;
        let draft = Draft::read(File { kind, bytes, datum: self.datum, rows_max: config.import.rows_max });
        let report = offline.import(draft, self.dry_run)?;
        offline.close()?;
        Ok(report)
    }

    async fn send(&self, server: &str, bytes: Vec<u8>) -> anyhow::Result<Report> {
        let token = std::env::var(ENV_TOKEN).with_context(|| format!("需要令牌 a token is needed: {ENV_TOKEN}"))?;
        let (_, name) = self.what.kind();
        let datum = self.datum.map(|datum| format!("&datum={datum}")).unwrap_or_default();
        let server = server.trim_end_matches('/');
        let url = format!("{server}/api/v1/imports/{name}?dry_run={}{datum}", self.dry_run);
        let content_type =
            if bytes.first().is_some_and(|byte| b"{[".contains(byte)) { "application/json" } else { "text/csv" };
        let request =
            reqwest::Client::new().post(url).bearer_auth(token).header("Idempotency-Key", Uuid::now_v7().to_string());
        let answer = request.header("Content-Type", content_type).body(bytes).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        serde_json::from_str(&text).map_err(|_| anyhow::anyhow!("{status}: {text}"))
    }
}

fn read(path: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let name = || path.display().to_string();
    let bytes = fs::metadata(path).with_context(name)?.len();
    if usize::try_from(bytes).is_ok_and(|bytes| bytes <= bytes_max) {
        return fs::read(path).with_context(name);
    }
    bail!("{0} 超过 {bytes_max} 字节（import.body_limit_bytes）。 {0} has more than import.body_limit_bytes.", name())
}

/// Every bad row by its line, for people.
fn say_faults(report: &Report) {
    for fault in &report.faults {
        let line = fault.line.map_or_else(String::new, |line| format!("第 {line} 行 line {line}: "));
        eprintln!("  {line}{} {} ({})", fault.zh, fault.en, fault.code);
    }
    if report.further_faults > 0 {
        eprintln!("  另有 {0} 处错误 and {0} more", report.further_faults);
    }
}
