//! What a transaction changed, told by the file itself: triggers of the connection that writes note each row, whoever changed it.
//!
//! One place, so that no verb can forget to say it: sessions known by heart are forgotten and sockets closed for what is noted here,
//! and what several nodes share is sent to the others ([`super::shared`]).

use std::collections::HashSet;

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use uuid::Uuid;

use crate::domain::ids::PersonId;

use super::Result;
use super::tables::{RowKey, TABLES, Table, Unseats};

/// Notes rows: the number of their table, up to three values of their key, whom they concern, and whether that person's sockets are to
/// prove anew who they are.
const CHANGED: &str = "CREATE TEMP TABLE changed (tbl INTEGER NOT NULL, k0, k1, k2, person, unseats INTEGER NOT NULL)";
/// Values that a key may have.
const KEY_MAX: usize = 3;

/// Whose sessions a transaction touched.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// What is known by heart of their sessions may be wrong now.
    pub(super) people: HashSet<PersonId>,
    /// Of them, those who may do less or more than before, or nothing any more.
    pub(super) unseated: Vec<PersonId>,
    /// Names or phones were changed, or removed.
    pub(super) names: bool,
}

impl Touched {
    /// Adds what another transaction touched.
    pub(super) fn add(&mut self, other: Self) {
        self.people.extend(other.people);
        self.unseated.extend(other.unseated);
        self.names |= other.names;
    }
}

/// Has this connection note what it changes.
pub(super) fn note(db: &Connection) -> Result<()> {
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.execute_batch(CHANGED)?;
    for (number, table) in TABLES.iter().enumerate() {
        for (event, row) in [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")] {
            db.execute_batch(&trigger(number, table, event, row))?;
        }
    }
    Ok(())
}

fn trigger(number: usize, table: &Table, event: &str, row: &str) -> String {
    let Table { name, of, .. } = table;
    let columns = table.key_columns();
    let key = |at: usize| columns.get(at).map_or_else(|| "NULL".to_owned(), |column| format!("{row}.{column}"));
    let (person, unseats) = match of {
        Some((column, Unseats::Always)) => (format!("{row}.{column}"), true),
        Some((column, Unseats::WhenGone)) => (format!("{row}.{column}"), event == "DELETE"),
        None => ("NULL".to_owned(), false),
    };
    format!(
        "CREATE TEMP TRIGGER note_{event}_{name} AFTER {event} ON main.{name} BEGIN
         INSERT INTO changed VALUES ({number}, {}, {}, {}, {person}, {unseats}); END",
        key(0),
        key(1),
        key(2)
    )
}

/// Begins a transaction in which nothing was changed yet.
pub(super) fn begin(db: &mut Connection) -> Result<Transaction<'_>> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("DELETE FROM temp.changed", [])?;
    Ok(tx)
}

/// Whom the transaction concerns.
pub(super) fn touched(tx: &Transaction<'_>) -> Result<Touched> {
    let sql = "SELECT person, max(unseats) FROM temp.changed WHERE person IS NOT NULL GROUP BY person";
    let mut find = tx.prepare_cached(sql)?;
    let mut rows = find.query([])?;
    let people = TABLES.iter().position(|table| table.name == "people").and_then(|at| i64::try_from(at).ok());
    let names = tx.prepare_cached("SELECT 1 FROM temp.changed WHERE tbl = ?1")?.exists([people])?;
    let mut touched = Touched { names, ..Touched::default() };
    while let Some(row) = rows.next()? {
        let person = PersonId(Uuid::from_bytes(row.get(0)?));
        touched.people.insert(person);
        if row.get(1)? {
            touched.unseated.push(person);
        }
    }
    Ok(touched)
}

/// Whether the transaction changed anything.
pub(super) fn has_any(tx: &Transaction<'_>) -> Result<bool> {
    Ok(tx.prepare_cached("SELECT 1 FROM temp.changed LIMIT 1")?.exists([])?)
}

/// Which rows the transaction changed, each once.
pub(super) fn rows(tx: &Transaction<'_>) -> Result<Vec<RowKey>> {
    let mut find = tx.prepare_cached("SELECT DISTINCT tbl, k0, k1, k2 FROM temp.changed")?;
    let mut found = find.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        // INVARIANT: the triggers above number the tables.
        let Some(table) = usize::try_from(row.get::<_, i64>(0)?).ok().and_then(|at| TABLES.get(at)) else { continue };
        let values: rusqlite::Result<Vec<Value>> = (1..=table.key.len().min(KEY_MAX)).map(|at| row.get(at)).collect();
        rows.push(RowKey { table, values: values? });
    }
    Ok(rows)
}
