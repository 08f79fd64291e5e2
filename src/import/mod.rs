//! L3: files of real data become entries of the register. Pure over bytes, except [`mod@take_in`], which carries them out.
//!
//! A file is read once into a [`Draft`] ([`areas`], [`compounds`], [`people`], [`posts`], [`plans`]), the draft is held against the city
//! ([`Draft::settle`]), and what comes of it is one [`Ready`]: a batch for `Command::Import`, people for the directory, and a
//! [`Report`] that names every bad row with its line. All or nothing: a file with one bad row changes nothing.
//!
//! Somebody entered singly goes the same way as the people of a file: [`mod@enter`].
//!
//! Coordinates say their datum, always: nothing here guesses one. Text is UTF-8. [`table`] reads CSV, [`shapes`] WKT and corners,
//! [`json_lines`] finds the line of an entry in JSON.

mod areas;
mod compounds;
pub mod difference;
pub mod enter;
mod json_lines;
mod people;
mod plans;
mod posts;
pub mod report;
mod shapes;
mod table;
pub mod take_in;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::City;
use crate::city::decide::Section;
use crate::directory::people::PersonEntry;
use crate::domain::actor::Actor;
use crate::domain::command::Batch;
use crate::domain::compound::CompoundId;
use crate::domain::datum::Datum;
use crate::domain::ids::PersonId;

pub use difference::Difference;
pub use enter::{Entry, Part, enter};
pub use report::{Report, RowFault};
pub use take_in::{settle_arrivals, take_in};

use report::Faults;

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Areas of the administrative tree: CSV.
    Areas,
    /// Compounds: GeoJSON, or CSV with outlines in WKT or places with a radius.
    Compounds,
    /// Commanders, deputies and post-holders: CSV.
    People,
    /// Posts: CSV.
    Posts,
    /// Plans: CSV, or a JSON array of plans.
    Plans,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Areas, Self::Compounds, Self::People, Self::Posts, Self::Plans];

    /// Whether the file has coordinates, so that its datum must be said.
    pub const fn needs_datum(self) -> bool {
        matches!(self, Self::Compounds)
    }
}

/// A file as it came.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// What it is about.
    pub kind: Kind,
    /// What it says; JSON when it begins with `{` or `[`, else CSV.
    pub bytes: &'a [u8],
    /// On which grid its coordinates were read; mandatory where it has any.
    pub datum: Option<Datum>,
    /// Rows that are read, at most.
    pub rows_max: usize,
}

/// Where an entry of the batch stands in the file.
type Lines = HashMap<(Section, usize), usize>;

/// A file that was read, not yet held against the city.
#[derive(Debug)]
pub struct Draft {
    kind: Kind,
    rows: usize,
    ignored: Vec<String>,
    faults: Faults,
    batch: Batch,
    lines: Lines,
    people: Vec<people::Row>,
}

/// What a file comes to. It may be carried out only when its report has no faults.
#[derive(Debug)]
pub struct Ready {
    /// For `Command::Import`.
    pub batch: Batch,
    /// People who are not in the directory yet; to be written first.
    pub people: Vec<PersonEntry>,
    /// What is said of it.
    pub report: Report,
}

impl Draft {
    /// Reads a file. Whatever is wrong with it stands in the report that [`Draft::settle`] makes.
    pub fn read(file: File<'_>) -> Self {
        let mut draft = Self {
            kind: file.kind,
            rows: 0,
            ignored: Vec::new(),
            faults: Faults::default(),
            batch: Batch::default(),
            lines: Lines::new(),
            people: Vec::new(),
        };
        let Some(text) = table::text_of(file.bytes, &mut draft.faults) else { return draft };
        let is_json = text.trim_start().starts_with(['{', '[']);
        match (file.kind, is_json, file.datum) {
            (Kind::Compounds, _, None) => draft.faults.add(RowFault::no_datum()),
            (Kind::Compounds, true, Some(datum)) => compounds::read_geojson(&mut draft, text, datum, file.rows_max),
            (Kind::Compounds, false, Some(datum)) => compounds::read_csv(&mut draft, text, datum, file.rows_max),
            (Kind::Plans, true, _) => plans::read_json(&mut draft, text, file.rows_max),
            (Kind::Plans, false, _) => plans::read_csv(&mut draft, text, file.rows_max),
            (Kind::People, false, _) => people::read_csv(&mut draft, text, file.rows_max),
            (Kind::Posts, false, _) => posts::read_csv(&mut draft, text, file.rows_max),
            (Kind::Areas, false, _) => areas::read_csv(&mut draft, text, file.rows_max),
            (Kind::Areas | Kind::People | Kind::Posts, true, _) => draft.faults.add(RowFault::not_csv()),
        }
        draft
    }

    /// Compounds whose people the file names: those of them who are known already are recognised by name and phone.
    pub fn compounds_with_people(&self) -> Vec<CompoundId> {
        let mut compounds: Vec<_> = self.people.iter().map(|row| row.compound).collect();
        compounds.sort_unstable();
        compounds.dedup();
        compounds
    }

    /// Holds the draft against the city: who the people are (`known` are those already in the directory for these compounds, others
    /// get a `fresh` id), and which entries this actor may not enter or do not fit.
    pub fn settle(
        mut self,
        city: &City,
        actor: &Actor,
        known: &[PersonEntry],
        fresh: &mut dyn FnMut() -> PersonId,
    ) -> Ready {
        let people = people::settle(&mut self, city, known, fresh);
        // Entries of a file that is not whole say nothing of its other rows; its own faults come first and alone.
        if self.faults.is_empty() {
            for fault in city.faults(actor, &self.batch) {
                let line = self.lines.get(&(fault.section, fault.index)).copied();
                self.faults.add(RowFault::refused(line, None, fault.refusal));
            }
        }
        let is_good = self.faults.is_empty();
        let report = Report {
            accepted: if is_good { self.rows } else { 0 },
            difference: if is_good { Difference::of(city, &self.batch) } else { Difference::default() },
            new_people: people.len(),
            ..Report::new(self.kind, self.rows, self.ignored, self.faults)
        };
        Ready { batch: self.batch, people, report }
    }
}
