//! Commanders, deputies and post-holders from CSV: one row a person and part. Who stands in several rows with the same name and
//! phone is one person.
//!
//! The commanders and deputies of a compound replace its line of succession, the holders of a post replace those it had.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::city::City;
use crate::city::decide::Section;
use crate::directory::people::{NAME_MAX, PHONE_MAX, PersonEntry};
use crate::domain::command::{Line, PostClaims};
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::post::PostKey;
use crate::domain::refusal::Refusal;

use super::Draft;
use super::report::{Faults, RowFault, Wanted};
use super::table::{self, COMPOUND_CODE, Column, optional, required};

const COLUMNS: &[Column] = &[
    required("compound", "小区编码"),
    required("role", "角色"),
    optional("order", "顺序"),
    optional("post", "岗位号"),
    optional("kind", "岗位类型"),
    required("name", "姓名"),
    required("phone", "电话"),
];

const ORDER: Wanted<'static> = ("1 为第一副指挥长，2 为其次", "1 for the first deputy, 2 for the next");

const ROLES: &[(&str, Role)] = &[
    ("commander", Role::Commander),
    ("指挥长", Role::Commander),
    ("deputy", Role::Deputy),
    ("副指挥长", Role::Deputy),
    ("post", Role::Post),
    ("岗位", Role::Post),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Commander,
    Deputy,
    Post,
}

/// Which part somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Rank in the line: 0 is the commander.
    Rank(u16),
    /// The post of that number.
    Post(u16),
    /// A post of that kind: the first that has room.
    Kind(String),
}

/// One row.
#[derive(Clone)]
pub(super) struct Row {
    line: usize,
    pub(super) compound: CompoundId,
    part: Part,
    name: String,
    phone: String,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("line", &self.line).finish_non_exhaustive()
    }
}

/// Reads a table.
pub(super) fn read_csv(draft: &mut Draft, text: &str, rows_max: usize) {
    let table = table::read(draft, text, COLUMNS, rows_max);
    let rows: Vec<Row> = table.rows().filter_map(|row| row_of(&row, &mut draft.faults)).collect();
    check_lines(&rows, &mut draft.faults);
    draft.people = rows;
}

fn row_of(row: &table::Row<'_>, faults: &mut Faults) -> Option<Row> {
    let compound = row.value("compound", COMPOUND_CODE, faults);
    let part = row.word("role", ROLES, faults).and_then(|role| part_of(row, role, faults));
    let name = text_of(row, "name", NAME_MAX, faults);
    let phone = text_of(row, "phone", PHONE_MAX, faults);
    Some(Row { line: row.line(), compound: compound?, part: part?, name: name?, phone: phone? })
}

fn part_of(row: &table::Row<'_>, role: Role, faults: &mut Faults) -> Option<Part> {
    match role {
        Role::Commander => Some(Part::Rank(0)),
        Role::Deputy => row.value("order", ORDER, faults).map(Part::Rank).filter(|part| {
            let fits = *part != Part::Rank(0);
            if !fits {
                faults.add(row.bad("order", "0", ORDER));
            }
            fits
        }),
        Role::Post if row.text("post").is_some() => {
            row.value("post", ("岗位号", "a number of a post"), faults).map(Part::Post)
        }
        Role::Post => row.text("kind").map(|kind| Part::Kind(kind.to_owned())).or_else(|| {
            faults.add(row.missing("post"));
            None
        }),
    }
}

fn text_of(row: &table::Row<'_>, field: &'static str, max: usize, faults: &mut Faults) -> Option<String> {
    let text = row.required(field, faults)?;
    if text.chars().count() > max || text.chars().any(char::is_control) {
        faults.add(RowFault::refused(Some(row.line()), Some(field), Refusal::BadText { field, max }));
        return None;
    }
    Some(text.to_owned())
}

/// Each compound that has deputies has one commander, and each rank is there once.
fn check_lines(rows: &[Row], faults: &mut Faults) {
    let mut seen = HashSet::new();
    let mut first: BTreeMap<CompoundId, usize> = BTreeMap::new();
    for row in rows {
        let Part::Rank(rank) = row.part else { continue };
        first.entry(row.compound).or_insert(row.line);
        if !seen.insert((row.compound, rank)) {
            let field = if rank == 0 { ("role", "角色") } else { ("order", "顺序") };
            faults.add(RowFault::bad_value(row.line, field, &rank.to_string(), table::IN_A_COMPOUND_ONCE));
        }
    }
    for (compound, line) in first {
        if !seen.contains(&(compound, 0)) {
            let why = "no commander is named".to_owned();
            faults.add(RowFault::refused(Some(line), Some("role"), Refusal::BadLine { compound, why }));
        }
    }
}

/// Says who the rows are and fills the batch with lines and claims. The answer is who is new.
pub(super) fn settle(
    draft: &mut Draft,
    city: &City,
    known: &[PersonEntry],
    fresh: &mut dyn FnMut() -> PersonId,
) -> Vec<PersonEntry> {
    let rows = std::mem::take(&mut draft.people);
    let mut ids: HashMap<(String, String), PersonId> =
        known.iter().filter_map(|entry| Some(((entry.name.clone(), entry.phone.clone()?), entry.id))).collect();
    let mut new = Vec::new();
    let (mut lines, mut claims) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        let id = *ids.entry((row.name.clone(), row.phone.clone())).or_insert_with(|| {
            let id = fresh();
            new.push(PersonEntry { id, name: row.name.clone(), phone: Some(row.phone.clone()), note: None });
            id
        });
        match &row.part {
            Part::Rank(rank) => {
                let line = lines.entry(row.compound).or_insert((row.line, BTreeMap::new()));
                line.1.insert(*rank, id);
            }
            Part::Post(no) => claim(&mut claims, row, *no, id),
            Part::Kind(kind) => {
                if let Some(no) = place_of_kind(city, &claims, row.compound, kind) {
                    claim(&mut claims, row, no, id);
                } else {
                    let refusal = Refusal::UnknownPostKind { kind: kind.clone() };
                    draft.faults.add(RowFault::refused(Some(row.line), Some("kind"), refusal));
                }
            }
        }
    }
    fill(draft, lines, claims);
    new
}

/// The line on which a post is first named, and who holds it.
type Claims = BTreeMap<PostKey, (usize, Vec<PersonId>)>;

fn claim(claims: &mut Claims, row: &Row, no: u16, id: PersonId) {
    let post = PostKey { compound: row.compound, no };
    claims.entry(post).or_insert((row.line, Vec::new())).1.push(id);
}

/// The first post of that kind with room, or else the last one of that kind, whose bench grows.
fn place_of_kind(city: &City, claims: &Claims, compound: CompoundId, kind: &str) -> Option<u16> {
    let posts = city.compound(compound).ok()?.posts.iter().map(|state| &state.post);
    let of_kind: Vec<_> = posts.filter(|post| post.kind == kind).collect();
    let held = |no| claims.get(&PostKey { compound, no }).map_or(0, |(_, people)| people.len());
    let with_room = of_kind.iter().find(|post| held(post.no) < usize::from(post.headcount));
    with_room.or(of_kind.last()).map(|post| post.no)
}

fn fill(draft: &mut Draft, lines: BTreeMap<CompoundId, (usize, BTreeMap<u16, PersonId>)>, claims: Claims) {
    for (compound, (line, ranks)) in lines {
        draft.lines.insert((Section::Lines, draft.batch.lines.len()), line);
        draft.batch.lines.push(Line { compound, line: ranks.into_values().collect() });
    }
    for (post, (line, people)) in claims {
        draft.lines.insert((Section::Claims, draft.batch.claims.len()), line);
        draft.batch.claims.push(PostClaims { post, people });
    }
}
