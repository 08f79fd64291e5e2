//! Posts of compounds from CSV: one row a post. The rows of a compound replace its earlier list; claims on posts that stay are kept.

use std::collections::HashMap;

use crate::city::decide::Section;
use crate::domain::command::CompoundPosts;
use crate::domain::compound::CompoundId;
use crate::domain::post::Post;

use super::Draft;
use super::report::{Faults, Wanted};
use super::table::{self, COMPOUND_CODE, Column, Row, optional, required};

const COLUMNS: &[Column] = &[
    required("compound", "小区编码"),
    required("no", "岗位号"),
    required("kind", "岗位类型"),
    optional("headcount", "人数"),
];

const NO: Wanted<'static> = ("1 至 999", "1 to 999");

/// Reads a table.
pub(super) fn read_csv(draft: &mut Draft, text: &str, rows_max: usize) {
    let table = table::read(draft, text, COLUMNS, rows_max);
    let mut at_of: HashMap<CompoundId, usize> = HashMap::new();
    for row in table.rows() {
        let Some((compound, post)) = post_of(&row, &mut draft.faults) else { continue };
        let posts = &mut draft.batch.posts;
        let at = *at_of.entry(compound).or_insert_with(|| {
            draft.lines.insert((Section::Posts, posts.len()), row.line());
            posts.push(CompoundPosts { compound, posts: Vec::new() });
            posts.len() - 1
        });
        if posts[at].posts.iter().any(|other| other.no == post.no) {
            draft.faults.add(row.bad("no", &post.no.to_string(), table::IN_A_COMPOUND_ONCE));
        }
        posts[at].posts.push(post);
    }
}

fn post_of(row: &Row<'_>, faults: &mut Faults) -> Option<(CompoundId, Post)> {
    let compound = row.value("compound", COMPOUND_CODE, faults);
    let no = row.value("no", NO, faults).filter(|no| in_range(row, *no, faults));
    let kind = row.required("kind", faults).map(str::to_owned);
    let headcount = row.value_or("headcount", ("1 至 50", "1 to 50"), 1, faults);
    Some((compound?, Post { no: no?, kind: kind?, headcount: headcount? }))
}

fn in_range(row: &Row<'_>, no: u16, faults: &mut Faults) -> bool {
    let fits = (1..=999).contains(&no);
    if !fits {
        faults.add(row.bad("no", &no.to_string(), NO));
    }
    fits
}
