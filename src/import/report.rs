//! What is said of a file: how many rows, and each bad one with its line and reason.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::refusal::Refusal;

use super::{Difference, Kind};

/// Faults that a report lists; more are counted.
pub const FAULTS_MAX: usize = 1_000;
/// Characters of a cell that are shown back.
const QUOTE_MAX: usize = 60;

/// What came of a file, or what would come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// What the file is about.
    pub kind: Kind,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// Rows or features that were read.
    pub rows: usize,
    /// Rows that were (or would be) taken in: all, or none.
    pub accepted: usize,
    /// What they change (or would); all zero for a file with faults.
    pub difference: Difference,
    /// People who are (or would be) new in the directory.
    pub new_people: usize,
    /// Columns or properties that mean nothing here and were left out.
    pub ignored: Vec<String>,
    /// Every fault, by line; at most 1,000.
    pub faults: Vec<RowFault>,
    /// Faults beyond those listed.
    pub further_faults: usize,
    /// Position in the journal, once it is taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

impl Report {
    /// Nothing taken in yet.
    pub(super) fn new(kind: Kind, rows: usize, ignored: Vec<String>, faults: Faults) -> Self {
        let Faults { mut listed, further } = faults;
        listed.sort_by_key(|fault| fault.line);
        Self {
            kind,
            dry_run: false,
            rows,
            accepted: 0,
            difference: Difference::default(),
            new_people: 0,
            ignored,
            faults: listed,
            further_faults: further,
            position: None,
        }
    }

    /// Whether the file can be taken in.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A column by its name and by its Chinese one.
pub(super) type Called = (&'static str, &'static str);
/// What a cell must say, in Chinese and English.
pub(super) type Wanted<'a> = (&'a str, &'a str);

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportFault)]
pub struct RowFault {
    /// In which line of the file, from 1; absent when it concerns the whole file.
    pub line: Option<usize>,
    /// In which column or property.
    pub field: Option<String>,
    /// Stable: what programs look at.
    pub code: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl RowFault {
    pub(super) fn new(line: Option<usize>, field: Option<&str>, code: &str, zh: String, en: String) -> Self {
        Self { line, field: field.map(str::to_owned), code: code.to_owned(), zh, en }
    }

    /// What the rules say of a row.
    #[expect(clippy::needless_pass_by_value, reason = "it ends here")]
    pub(super) fn refused(line: Option<usize>, field: Option<&str>, refusal: Refusal) -> Self {
        Self::new(line, field, refusal.code(), refusal.zh(), refusal.en())
    }

    pub(super) fn no_datum() -> Self {
        let zh = "必须说明坐标系（datum）：wgs84（含 CGCS2000）、gcj02（高德、腾讯）或 bd09（百度）。".to_owned();
        let en = "The datum must be said: wgs84 (also CGCS2000), gcj02 or bd09.".to_owned();
        Self::new(None, Some("datum"), "datum_missing", zh, en)
    }

    pub(super) fn not_csv() -> Self {
        let (zh, en) = ("此类文件须为 CSV。".to_owned(), "This kind of file must be CSV.".to_owned());
        Self::new(None, None, "not_csv", zh, en)
    }

    pub(super) fn not_json(line: usize, why: &str) -> Self {
        let (zh, en) = (format!("JSON 有误：{why}"), format!("The JSON is not right: {why}"));
        Self::new(Some(line), None, "malformed_json", zh, en)
    }

    pub(super) fn too_many_rows(max: usize) -> Self {
        let (zh, en) = (format!("文件超过 {max} 行，请分批导入。"), format!("More than {max} rows: split the file."));
        Self::new(None, None, "too_many_rows", zh, en)
    }

    pub(super) fn no_rows() -> Self {
        let (zh, en) = ("文件中没有数据行。".to_owned(), "The file has no rows.".to_owned());
        Self::new(None, None, "no_rows", zh, en)
    }

    /// A cell that must say something, in the column that is called so.
    pub(super) fn missing(line: usize, (field, called_zh): Called) -> Self {
        let (zh, en) = (format!("缺少“{called_zh}”。"), format!("{field} is missing."));
        Self::new(Some(line), Some(field), "value_missing", zh, en)
    }

    pub(super) fn no_column(field: &str, also: &str) -> Self {
        let zh = format!("缺少列 {field}（或 {also}）。");
        let en = format!("The column {field} (or {also}) is missing.");
        Self::new(Some(1), Some(field), "column_missing", zh, en)
    }

    /// A cell that says something else than what is wanted there.
    pub(super) fn bad_value(line: usize, (field, called_zh): Called, given: &str, wanted: Wanted<'_>) -> Self {
        let given: String = given.chars().filter(|c| !c.is_control()).take(QUOTE_MAX).collect();
        let zh = format!("“{called_zh}”的值“{given}”有误，应为：{}。", wanted.0);
        let en = format!("{field} is {given:?}; it must be {}.", wanted.1);
        Self::new(Some(line), Some(field), "bad_value", zh, en)
    }
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults {
    listed: Vec<RowFault>,
    further: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: RowFault) {
        if self.listed.len() < FAULTS_MAX {
            self.listed.push(fault);
        } else {
            self.further += 1;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}
