//! Areas of the administrative tree from CSV: one row an area. A name is corrected by taking its row in again; no area is ever taken
//! away, since compounds lie in it by their codes.
//!
//! Codes come as the statistics bureau writes them, too: a wider area in 12 digits with zeros at the end (`140403001000` is the
//! street 140403001).

use std::collections::HashSet;

use crate::city::decide::Section;
use crate::domain::area::{Area, AreaCode};

use super::Draft;
use super::report::{Faults, Wanted};
use super::table::{self, Column, Row, optional, required};

const COLUMNS: &[Column] = &[required("code", "区划代码"), required("name", "名称"), optional("parent", "上级代码")];

const CODE: Wanted<'static> = ("4、6、9 或 12 位区划代码", "an area code of 4, 6, 9 or 12 digits");

/// Zeros at the end of a code that stand for "all of the wider area", by the digits of the code that they end.
const PADDING: [(usize, &str); 3] = [(12, "000"), (9, "000"), (6, "00")];

/// Reads a table.
pub(super) fn read_csv(draft: &mut Draft, text: &str, rows_max: usize) {
    let table = table::read(draft, text, COLUMNS, rows_max);
    let mut seen = HashSet::new();
    for row in table.rows() {
        let Some(area) = area_of(&row, &mut draft.faults) else { continue };
        if !seen.insert(area.code) {
            draft.faults.add(row.bad("code", &area.code.to_string(), ("文件中只出现一次", "in the file once")));
        }
        draft.lines.insert((Section::Areas, draft.batch.areas.len()), row.line());
        draft.batch.areas.push(area);
    }
}

fn area_of(row: &Row<'_>, faults: &mut Faults) -> Option<Area> {
    let code = code_of(row, "code", faults);
    let name = row.required("name", faults).map(str::to_owned);
    let code = code?;
    // Who contains whom is read off the digits; a file that says otherwise has a wrong code somewhere.
    if row.text("parent").is_some() {
        let parent = code_of(row, "parent", faults)?;
        if code.parent() != Some(parent) {
            let wanted = code.parent().map(|parent| parent.to_string());
            let wanted =
                wanted.as_deref().map_or(("空（城市没有上级）", "empty for a city"), |code| (code, code));
            faults.add(row.bad("parent", &parent.to_string(), wanted));
            return None;
        }
    }
    Some(Area { code, name: name? })
}

fn code_of(row: &Row<'_>, column: &'static str, faults: &mut Faults) -> Option<AreaCode> {
    let text = row.required(column, faults)?;
    let code = unpadded(text).parse().ok();
    if code.is_none() {
        faults.add(row.bad(column, text, CODE));
    }
    code
}

/// `140403001000` → `140403001`, `140403000000` → `140403`, `140400` → `1404`.
fn unpadded(text: &str) -> &str {
    PADDING.iter().fold(text, |text, (digits, zeros)| match text.strip_suffix(zeros) {
        Some(wider) if text.len() == *digits => wider,
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_short_or_filled_up_with_zeros() {
        for (given, meant) in [
            ("140403001001", "140403001001"),
            ("140403001000", "140403001"),
            ("140403000000", "140403"),
            ("140400000000", "1404"),
            ("140400", "1404"),
            ("140403001", "140403001"),
            ("1404", "1404"),
        ] {
            assert_eq!(unpadded(given), meant, "{given}");
        }
    }
}
