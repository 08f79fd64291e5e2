//! CSV: UTF-8 with or without a byte order mark, a header in Chinese or English, cells read into types with every fault kept.

use std::str::FromStr;

use csv::StringRecord;

use super::Draft;
use super::report::{Called, FAULTS_MAX, Faults, RowFault, Wanted};

/// A column: its name, and what else a header may call it.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) also: &'static str,
    pub(super) required: bool,
}

/// The code of a compound, as a file must have it.
pub(super) const COMPOUND_CODE: Wanted<'static> = ("15 位小区编码", "a compound code of 15 digits");

/// What may not be said twice of a compound.
pub(super) const IN_A_COMPOUND_ONCE: Wanted<'static> = ("一个小区内只出现一次", "in a compound once");

/// A column that must be there.
pub(super) const fn required(name: &'static str, also: &'static str) -> Column {
    Column { name, also, required: true }
}

/// A column that may be there.
pub(super) const fn optional(name: &'static str, also: &'static str) -> Column {
    Column { name, also, required: false }
}

/// The file as text, without a byte order mark. What is not UTF-8 is refused with how to convert it: guessing an encoding would
/// make wrong names of right ones.
pub(super) fn text_of<'a>(bytes: &'a [u8], faults: &mut Faults) -> Option<&'a str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            let how = "iconv -f GB18030 -t UTF-8";
            let zh = format!("文件不是 UTF-8 编码（可能是 GBK）。请另存为“CSV UTF-8”，或用 {how} 转换。");
            let en =
                format!("The file is not UTF-8 (GBK perhaps). Save it as \"CSV UTF-8\", or convert it with {how}.");
            faults.add(RowFault::new(Some(line), None, "not_utf8", zh, en));
            None
        }
    }
}

/// A file whose header was understood.
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<Cells>,
}

/// One row: the line on which it begins and a cell for each column; `None` where the file has no such column.
struct Cells {
    line: usize,
    cells: Vec<Option<String>>,
}

/// Reads the whole file. What is wrong with it as CSV goes into the draft's faults, columns that mean nothing are noted as ignored.
pub(super) fn read(draft: &mut Draft, text: &str, columns: &'static [Column], rows_max: usize) -> Table {
    let mut table = Table { columns, rows: Vec::new() };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let places = match reader.headers() {
        Ok(header) => places_of(draft, header, columns),
        Err(error) => return not_csv(draft, &error, table),
    };
    for record in reader.records() {
        if draft.rows == rows_max {
            draft.faults.add(RowFault::too_many_rows(rows_max));
            break;
        }
        draft.rows += 1;
        match record {
            Ok(record) => table.rows.push(cells_of(&record, &places)),
            Err(error) => draft.faults.add(malformed(&error)),
        }
    }
    if draft.rows == 0 {
        draft.faults.add(RowFault::no_rows());
    }
    table
}

fn not_csv(draft: &mut Draft, error: &csv::Error, table: Table) -> Table {
    draft.faults.add(malformed(error));
    table
}

fn malformed(error: &csv::Error) -> RowFault {
    let line = error.position().and_then(|at| usize::try_from(at.line()).ok());
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (format!("有 {len} 列，应为 {expected_len} 列"), format!("it has {len} cells instead of {expected_len}"))
        }
        _ => ("无法读取".to_owned(), "it cannot be read".to_owned()),
    };
    RowFault::new(
        line,
        None,
        "malformed_csv",
        format!("CSV 行有误：{}。", why.0),
        format!("A row is not right: {}.", why.1),
    )
}

/// Where each column stands in the file.
fn places_of(draft: &mut Draft, header: &StringRecord, columns: &'static [Column]) -> Vec<Option<usize>> {
    let is = |column: &Column, name: &str| name.eq_ignore_ascii_case(column.name) || name == column.also;
    for column in columns.iter().filter(|column| column.required) {
        if !header.iter().any(|name| is(column, name)) {
            draft.faults.add(RowFault::no_column(column.name, column.also));
        }
    }
    let unknown = header.iter().filter(|name| !columns.iter().any(|column| is(column, name)));
    draft.ignored = unknown.map(str::to_owned).take(FAULTS_MAX).collect();
    columns.iter().map(|column| header.iter().position(|name| is(column, name))).collect()
}

fn cells_of(record: &StringRecord, places: &[Option<usize>]) -> Cells {
    let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
    let cell = |place: &Option<usize>| place.and_then(|at| record.get(at)).map(str::to_owned);
    Cells { line, cells: places.iter().map(cell).collect() }
}

impl Table {
    /// The rows, in order; what is wrong with their cells goes into `faults`.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { columns: self.columns, cells })
    }
}

/// One row. Its readers note what is wrong in the faults given and answer `None`.
pub(super) struct Row<'a> {
    columns: &'static [Column],
    cells: &'a Cells,
}

impl Row<'_> {
    /// In which line of the file it begins, from 1.
    pub(super) fn line(&self) -> usize {
        self.cells.line
    }

    /// What a cell says; `None` where it is empty or there is no such column.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let at = self.columns.iter().position(|column| column.name == name)?;
        self.cells.cells.get(at)?.as_deref().filter(|text| !text.is_empty())
    }

    /// What a cell says that must say something.
    pub(super) fn required(&self, name: &'static str, faults: &mut Faults) -> Option<&str> {
        let text = self.text(name);
        // A column that is not there is said once, for the header.
        let has_column =
            self.columns.iter().position(|column| column.name == name).map(|at| self.cells.cells[at].is_some());
        if text.is_none() && has_column == Some(true) {
            faults.add(self.missing(name));
        }
        text
    }

    /// That a cell says nothing.
    pub(super) fn missing(&self, name: &'static str) -> RowFault {
        RowFault::missing(self.line(), self.called(name))
    }

    /// That a cell says something else than what is wanted.
    pub(super) fn bad(&self, name: &'static str, given: &str, wanted: Wanted<'_>) -> RowFault {
        RowFault::bad_value(self.line(), self.called(name), given, wanted)
    }

    fn called(&self, name: &'static str) -> Called {
        self.columns.iter().find(|column| column.name == name).map_or((name, name), |column| (name, column.also))
    }

    /// A cell as a value that must be there.
    pub(super) fn value<T: FromStr>(&self, name: &'static str, wanted: Wanted<'_>, faults: &mut Faults) -> Option<T> {
        let text = self.required(name, faults)?;
        self.parsed(name, text, wanted, faults)
    }

    /// A cell as a value, or `otherwise` where it is empty; `None` where it says something else.
    pub(super) fn value_or<T: FromStr>(
        &self,
        name: &'static str,
        wanted: Wanted<'_>,
        otherwise: T,
        faults: &mut Faults,
    ) -> Option<T> {
        self.text(name).map_or(Some(otherwise), |text| self.parsed(name, text, wanted, faults))
    }

    /// A cell as one of some words.
    pub(super) fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let text = self.required(name, faults)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            let wanted = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" / ");
            faults.add(self.bad(name, text, (&wanted, &wanted)));
        }
        found.map(|(_, value)| *value)
    }

    fn parsed<T: FromStr>(&self, name: &'static str, text: &str, wanted: Wanted<'_>, faults: &mut Faults) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            faults.add(self.bad(name, text, wanted));
        }
        value
    }
}
