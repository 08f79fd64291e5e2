//! The tables of `directory.sqlite` as data: what a row's key is and whom it concerns, so that what changed can be told without
//! knowing who changed it.

use std::fmt;

use rusqlite::types::Value;

/// How a column of a key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blob,
    Number,
    /// Without spaces.
    Word,
}

/// When a change of a row makes its person's sockets prove anew who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseats {
    WhenGone,
    Always,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Its columns, those of the key first; a later version may only append to them.
    pub(super) columns: &'static [&'static str],
    /// How those of the key are kept.
    pub(super) key: &'static [Kind],
    /// The column that says whose sessions know it by heart, and when their sockets are to be closed.
    pub(super) of: Option<(&'static str, Unseats)>,
}

/// All of them, in the order in which rows refer to each other.
pub(super) const TABLES: &[Table] = &[
    Table { name: "meta", columns: &["name", "value"], key: &[Kind::Word], of: None },
    Table { name: "people", columns: &["id", "name", "phone", "note", "erased_us"], key: &[Kind::Blob], of: None },
    Table {
        name: "accounts",
        columns: &["person_id", "login", "password_hash", "disabled", "created_us"],
        key: &[Kind::Blob],
        of: Some(("person_id", Unseats::Always)),
    },
    Table {
        name: "grants",
        columns: &["person_id", "role", "area"],
        key: &[Kind::Blob, Kind::Word, Kind::Word],
        of: Some(("person_id", Unseats::Always)),
    },
    Table {
        name: "sessions",
        columns: &["token_hash", "person_id", "kind", "created_us", "expires_us", "last_used_day"],
        key: &[Kind::Blob],
        of: Some(("person_id", Unseats::WhenGone)),
    },
    Table {
        name: "invitations",
        columns: &["token_hash", "person_id", "expires_us", "used_us"],
        key: &[Kind::Blob],
        of: None,
    },
    Table {
        name: "looks",
        columns: &["id", "at_us", "by_id", "compound", "person", "why"],
        key: &[Kind::Number],
        of: None,
    },
    Table { name: "arrivals", columns: &["person_id", "since_us"], key: &[Kind::Blob], of: None },
];

impl Table {
    /// The columns of the key.
    pub(super) fn key_columns(&self) -> &'static [&'static str] {
        self.columns.get(..self.key.len()).unwrap_or_default()
    }
}

/// Which row: its table and the values of its key. In words it names nobody: ids, hashes, roles and areas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowKey {
    pub(super) table: &'static Table,
    pub(super) values: Vec<Value>,
}

impl RowKey {
    /// From its words; `None` where it is no row's that is known here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let name = words.next()?;
        let table = TABLES.iter().find(|table| table.name == name)?;
        let values: Option<Vec<Value>> = table.key.iter().map(|kind| value_of(words.next()?, *kind)).collect();
        let values = values.filter(|_| words.next().is_none())?;
        Some(Self { table, values })
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table.name)?;
        for value in &self.values {
            match value {
                Value::Blob(bytes) => {
                    f.write_str(" ")?;
                    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                }
                Value::Integer(number) => write!(f, " {number}")?,
                Value::Text(word) => write!(f, " {word}")?,
                Value::Null | Value::Real(_) => f.write_str(" ?")?,
            }
        }
        Ok(())
    }
}

fn value_of(word: &str, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Word => Value::Text(word.to_owned()),
        Kind::Number => Value::Integer(word.parse().ok()?),
        Kind::Blob => {
            let digit =
                |at: usize| char::from(*word.as_bytes().get(at)?).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let bytes: Option<Vec<u8>> =
                (0..word.len()).step_by(2).map(|at| Some((digit(at)? << 4) | digit(at + 1)?)).collect();
            Value::Blob(bytes?)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rusqlite::Connection;

    use super::super::schema;
    use super::*;

    /// A column that is forgotten here would reach no other node.
    #[test]
    fn the_tables_are_those_of_the_file() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::migrate(&mut db).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut names = db.prepare(sql).unwrap();
        let names: BTreeSet<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(names, TABLES.iter().map(|table| table.name.to_owned()).collect());
        for table in TABLES {
            let mut columns = db.prepare("SELECT name, pk FROM pragma_table_info(?1)").unwrap();
            let found: Vec<(String, i64)> = columns
                .query_map([table.name], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert_eq!(found.iter().map(|(name, _)| name).collect::<Vec<_>>(), table.columns, "{}", table.name);
            let key: Vec<_> = found.iter().filter(|(_, pk)| *pk > 0).map(|(name, _)| name.as_str()).collect();
            assert_eq!(key, table.key_columns(), "{}", table.name);
        }
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for text in ["meta link_key", "people 00ff10", "grants 01 observer 140403", "looks 17"] {
            assert_eq!(RowKey::parse(text).unwrap().to_string(), text);
        }
        for none in ["", "people", "people 0", "people xx", "people 00 00", "looks a", "sqlite_schema 1", "meta"] {
            assert_eq!(RowKey::parse(none), None, "{none}");
        }
    }
}
