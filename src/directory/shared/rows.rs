//! Rows as they travel: read from the file, written to it, and in words in between.
//!
//! `[version, [values in the order of the columns]]`, a blob as `{"b":"base64"}`. A version has more columns than those before, never
//! others: a row of an older one leaves the newer columns as they are by default.

use base64ct::{Base64Unpadded, Encoding};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, ToSql, Transaction, params_from_iter};
use serde::{Deserialize, Serialize};

use super::super::error::DirectoryError;
use super::super::tables::{RowKey, Table};
use super::super::{Result, schema};

/// A value in words.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Word {
    Number(i64),
    Text(String),
    Blob { b: String },
    Nothing,
}

impl Word {
    fn of(value: Value) -> Result<Self> {
        Ok(match value {
            Value::Null => Self::Nothing,
            Value::Integer(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob { b: Base64Unpadded::encode_string(&bytes) },
            Value::Real(_) => return Err(unreadable("no column holds fractions")),
        })
    }

    fn value(self) -> Result<Value> {
        Ok(match self {
            Self::Nothing => Value::Null,
            Self::Number(number) => Value::Integer(number),
            Self::Text(text) => Value::Text(text),
            Self::Blob { b } => {
                Value::Blob(Base64Unpadded::decode_vec(&b).map_err(|_| unreadable("a blob is no base64"))?)
            }
        })
    }
}

/// The row as it is in the file, in words; `None` where it is gone.
pub(in crate::directory) fn read(db: &Connection, key: &RowKey) -> Result<Option<Vec<u8>>> {
    let Table { name, columns, .. } = key.table;
    let sql = format!("SELECT {} FROM {name} WHERE {}", columns.join(", "), where_key(key.table));
    let mut find = db.prepare_cached(&sql)?;
    let row = find.query_row(params_from_iter(&key.values), |row| {
        (0..columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()
    });
    let Some(values) = row.optional()? else { return Ok(None) };
    let words = values.into_iter().map(Word::of).collect::<Result<Vec<Word>>>()?;
    serde_json::to_vec(&(schema::VERSION, words)).map(Some).map_err(|error| DirectoryError::Broken(error.into()))
}

/// Writes the row as it is told in words, unless it is so already.
pub(in crate::directory) fn write(tx: &Transaction<'_>, key: &RowKey, words: &[u8]) -> Result<()> {
    let (version, words): (u32, Vec<Word>) = serde_json::from_slice(words).map_err(|_| unreadable("it is no row"))?;
    if version > schema::VERSION {
        return Err(unreadable(&format!(
            "a later Muster wrote it (version {version}, this one knows up to {})",
            schema::VERSION
        )));
    }
    let Table { name, columns, key: keys, .. } = key.table;
    let columns = columns.get(..words.len()).ok_or_else(|| unreadable("it has too many columns"))?;
    let rest = columns.get(keys.len()..).ok_or_else(|| unreadable("it has too few columns"))?;
    let values = words.into_iter().map(Word::value).collect::<Result<Vec<Value>>>()?;
    if !values.starts_with(&key.values) {
        return Err(unreadable("it stands under another row's key"));
    }
    let slots: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
    let set: Vec<String> = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let differs: Vec<String> = rest.iter().map(|column| format!("{name}.{column} IS NOT excluded.{column}")).collect();
    let conflict = if rest.is_empty() {
        "DO NOTHING".to_owned()
    } else {
        format!("DO UPDATE SET {} WHERE {}", set.join(", "), differs.join(" OR "))
    };
    let key_columns = key.table.key_columns().join(", ");
    let sql = format!(
        "INSERT INTO {name} ({}) VALUES ({}) ON CONFLICT ({key_columns}) {conflict}",
        columns.join(", "),
        slots.join(", ")
    );
    tx.prepare_cached(&sql)?.execute(params_from_iter(values.iter().map(|value| value as &dyn ToSql)))?;
    Ok(())
}

/// Removes the row.
pub(in crate::directory) fn remove(tx: &Transaction<'_>, key: &RowKey) -> Result<()> {
    let sql = format!("DELETE FROM {} WHERE {}", key.table.name, where_key(key.table));
    tx.prepare_cached(&sql)?.execute(params_from_iter(&key.values))?;
    Ok(())
}

/// The keys of all rows of a table.
pub(in crate::directory) fn keys(db: &Connection, table: &'static Table) -> Result<Vec<RowKey>> {
    let columns = table.key_columns();
    let mut find = db.prepare_cached(&format!("SELECT {} FROM {}", columns.join(", "), table.name))?;
    let keys = find.query_map([], |row| {
        let values: rusqlite::Result<Vec<Value>> = (0..columns.len()).map(|at| row.get(at)).collect();
        Ok(RowKey { table, values: values? })
    })?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

fn where_key(table: &Table) -> String {
    let equal: Vec<String> = (1..).zip(table.key_columns()).map(|(n, column)| format!("{column} = ?{n}")).collect();
    equal.join(" AND ")
}

fn unreadable(why: &str) -> DirectoryError {
    DirectoryError::Broken(format!("a row of the directory in Redis cannot be taken in: {why}").into())
}

#[cfg(test)]
mod tests {
    use super::super::super::test_city::{NOW, TestCity};
    use super::*;

    #[test]
    fn a_row_travels_as_it_is_and_what_is_not_known_is_refused() {
        let (from, to) = (TestCity::new(), TestCity::new());
        let key = RowKey::parse(&format!("people {}", to.someone.0.simple())).unwrap();
        from.directory.erase_person(from.someone, NOW).unwrap();
        let row = from.directory.read(|db| read(db, &key)).unwrap().unwrap();
        to.directory.write(|tx| write(tx, &key, &row)).unwrap();
        assert_eq!(to.directory.read(|db| read(db, &key)).unwrap(), Some(row.clone()));

        let text = String::from_utf8(row).unwrap();
        let versions = text.replacen(&format!("[{}", schema::VERSION), "[99", 1);
        for (other, why) in [
            (versions, "a later Muster wrote it (version 99"),
            (text.replacen("\"\"", "\"\",1", 1).replace("null]", "null,null,null,null]"), "it has too many columns"),
            ("[1,[]]".to_owned(), "it has too few columns"),
            ("[1,[{\"b\":\"AAAA\"},\"x\"]]".to_owned(), "it stands under another row's key"),
            ("{}".to_owned(), "it is no row"),
        ] {
            let refused = to.directory.write(|tx| write(tx, &key, other.as_bytes())).unwrap_err();
            let said = std::error::Error::source(&refused).unwrap().to_string();
            assert!(said.contains(why), "{other}: {said}");
        }
    }
}
