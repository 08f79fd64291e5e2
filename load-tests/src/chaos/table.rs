//! What a run of faults found, as a table for README.

use serde::Serialize;

/// What came of one kind of fault.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub fault: String,
    pub times: usize,
    /// Commands that were answered "done".
    pub acknowledged: usize,
    /// Of them those that do not stand where the answer said.
    pub lost: usize,
    /// Of them those that stand there twice.
    pub doubled: usize,
    /// How often one was given again because no answer came, or "not now", or "nobody knows".
    pub again: usize,
    /// The longest time without any answer.
    pub pause_s: f64,
    pub alerts: usize,
    pub phones: usize,
    /// Alerts that a phone never came to know.
    pub missed: usize,
    pub heard_twice: usize,
    /// How often a phone had to load anew.
    pub reloads: usize,
    /// Whether all nodes show the same map.
    pub same_city: bool,
}

impl Row {
    /// Whether all that is promised was kept.
    pub fn is_kept(&self) -> bool {
        self.lost + self.doubled + self.missed + self.heard_twice == 0 && self.same_city && self.acknowledged > 0
    }
}

/// For README.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| fault | times | commands done | lost | twice | given again | longest pause, s | alerts × phones | missed | twice | loads anew | \
         all nodes alike |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n",
    );
    text.extend(rows.iter().map(|row| line(row) + "\n"));
    text
}

/// One line of it.
pub fn line(row: &Row) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} | {:.1} | {} × {} | {} | {} | {} | {} |",
        row.fault,
        row.times,
        row.acknowledged,
        row.lost,
        row.doubled,
        row.again,
        row.pause_s,
        row.alerts,
        row.phones,
        row.missed,
        row.heard_twice,
        row.reloads,
        if row.same_city { "yes" } else { "NO" }
    )
}
