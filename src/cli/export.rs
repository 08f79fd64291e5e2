//! `muster export`: the city or its log as JSON lines, GeoJSON or CSV. Reads beside a server that runs; holds no names and no phones,
//! since the journal has none.
//!
//! [`rows`] says what a row of each table is; here is what is asked for and where it goes.

mod rows;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};

use crate::city::City;
use crate::config::Config;

use super::progress;
use super::store::Store;

/// Tells spreadsheets that the text is UTF-8; without it Excel in China reads it as GBK.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// 全城 Everything that is registered, as JSON lines that say their kind; as GeoJSON its compounds
    City,
    /// 小区 Compounds
    Compounds,
    /// 岗位 Posts and their claims, by person id
    Posts,
    /// 预案 Plans, every version
    Plans,
    /// 日志 The log, record by record
    Log,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line
    Jsonl,
    /// GeoJSON, WGS-84
    Geojson,
    /// CSV with a byte order mark, for spreadsheets
    Csv,
}

/// Writes a file.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// 导出内容 What to write
    #[arg(long, value_enum)]
    what: What,
    /// 格式 How to write it
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// 目标文件 File to write; it must not be there yet
    to: PathBuf,
}

impl Export {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        match (self.what, self.format) {
            (What::Posts | What::Plans | What::Log, Format::Geojson) => {
                bail!("该内容没有位置，不能导出为 GeoJSON。 Only the city and its compounds have places for GeoJSON.")
            }
            (What::City, Format::Csv) => {
                bail!("全城含多张表，请分别导出。 The city is several tables: export compounds, posts and plans each.")
            }
            _ => {}
        }
        let store = Store::of(config)?;
        store.reader()?;
        let partial = self.to.with_added_extension("partial");
        if self.to.try_exists()? {
            bail!("{0} 已存在。 {0} is there already.", self.to.display());
        }
        let written = progress::during("导出 exporting", || self.write(&store, &partial));
        if written.is_err() {
            // What failed is said already; that this is left over as well helps nobody.
            let _ = std::fs::remove_file(&partial);
        }
        let rows = written?;
        std::fs::rename(&partial, &self.to)?;
        eprintln!("已导出 {rows} 行 wrote {rows} rows: {}", self.to.display());
        Ok(())
    }

    fn write(&self, store: &Store, path: &Path) -> anyhow::Result<usize> {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        let mut out = BufWriter::new(file);
        let rows = match (self.what, self.format) {
            (What::Log, Format::Csv) => log_csv(store, &mut out)?,
            (What::Log, _) => log_json(store, &mut out)?,
            (what, Format::Jsonl) => json_lines(&store.replay()?, what, &mut out)?,
            (_, Format::Geojson) => geojson(&store.replay()?, &mut out)?,
            (What::Posts, Format::Csv) => csv(&mut out, rows::posts(&store.replay()?))?,
            (What::Plans, Format::Csv) => csv(&mut out, rows::plans(&store.replay()?))?,
            (What::Compounds | What::City, Format::Csv) => csv(&mut out, rows::compounds(&store.replay()?))?,
        };
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(rows)
    }
}

fn line(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

fn json_lines(city: &City, what: What, out: &mut impl Write) -> anyhow::Result<usize> {
    let values: Box<dyn Iterator<Item = Value>> = match what {
        What::Compounds => Box::new(rows::compound_values(city)),
        What::Posts => Box::new(rows::post_values(city)),
        What::Plans => Box::new(rows::plan_values(city)),
        What::City | What::Log => Box::new(rows::city_values(city)),
    };
    let mut count = 0;
    for value in values {
        line(out, &value)?;
        count += 1;
    }
    Ok(count)
}

/// One feature a line, so that a large city is not held as one value.
fn geojson(city: &City, out: &mut impl Write) -> anyhow::Result<usize> {
    out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
    let mut count = 0;
    for feature in rows::features(city) {
        out.write_all(if count == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &feature)?;
        count += 1;
    }
    out.write_all(b"\n]}\n")?;
    Ok(count)
}

fn csv<R: Serialize>(out: &mut impl Write, rows: impl Iterator<Item = R>) -> anyhow::Result<usize> {
    out.write_all(BYTE_ORDER_MARK)?;
    let mut table = ::csv::Writer::from_writer(out);
    let mut count = 0;
    for row in rows {
        table.serialize(row)?;
        count += 1;
    }
    table.flush()?;
    Ok(count)
}

fn log_json(store: &Store, out: &mut impl Write) -> anyhow::Result<usize> {
    each_record(store, |record| {
        let entry = &record.entry;
        let at = rows::time(entry.at);
        line(
            out,
            &json!({"position": record.position, "at": at, "id": entry.id, "giver": entry.giver, "events": entry.events}),
        )
    })
}

fn log_csv(store: &Store, out: &mut impl Write) -> anyhow::Result<usize> {
    out.write_all(BYTE_ORDER_MARK)?;
    let mut table = ::csv::Writer::from_writer(out);
    let count = each_record(store, |record| Ok(table.serialize(rows::log_row(record))?))?;
    table.flush()?;
    Ok(count)
}

/// Hands on each record of the log until one cannot be written.
fn each_record(
    store: &Store,
    mut write: impl FnMut(&crate::domain::event::Record) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let (mut count, mut failed) = (0, None);
    store.reader()?.for_each_after(0, |record| match write(&record) {
        Ok(()) => {
            count += 1;
            ControlFlow::Continue(())
        }
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(count), Err)
}
