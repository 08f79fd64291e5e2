//! The tables of `directory.sqlite`, and how an older file is lifted to them.
//!
//! A migration that was released is never edited: add the next one. People are their UUID's 16 bytes, times are
//! microseconds, tokens are there as SHA-256 only.

use rusqlite::{Connection, TransactionBehavior};

use super::error::DirectoryError;

/// Each brings the file from version *index* to *index + 1*.
const MIGRATIONS: &[&str] = &[FIRST, ARRIVALS, ARRIVALS_SINCE];
/// The version of the tables that this Muster writes.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

const FIRST: &str = "CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE people (
        id        BLOB PRIMARY KEY CHECK (length(id) = 16),
        name      TEXT NOT NULL,
        phone     TEXT,
        note      TEXT,
        erased_us INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE accounts (
        person_id     BLOB PRIMARY KEY REFERENCES people (id),
        login         TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL,
        disabled      INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
        created_us    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE grants (
        person_id BLOB NOT NULL REFERENCES accounts (person_id) ON DELETE CASCADE,
        role      TEXT NOT NULL,
        area      TEXT NOT NULL,
        PRIMARY KEY (person_id, role, area)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sessions (
        token_hash    BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
        person_id     BLOB NOT NULL REFERENCES people (id),
        kind          TEXT NOT NULL CHECK (kind IN ('cookie', 'bearer')),
        created_us    INTEGER NOT NULL,
        expires_us    INTEGER NOT NULL,
        last_used_day INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_person ON sessions (person_id);
    CREATE INDEX sessions_by_expiry ON sessions (expires_us);

    CREATE TABLE invitations (
        token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
        person_id  BLOB NOT NULL REFERENCES people (id),
        expires_us INTEGER NOT NULL,
        used_us    INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX invitations_by_person ON invitations (person_id);
    CREATE INDEX invitations_by_expiry ON invitations (expires_us);

    CREATE TABLE looks (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        at_us    INTEGER NOT NULL,
        by_id    BLOB NOT NULL,
        compound INTEGER,
        person   BLOB,
        why      TEXT NOT NULL,
        CHECK ((compound IS NULL) <> (person IS NULL))
    ) STRICT;
    CREATE INDEX looks_by_compound ON looks (compound) WHERE compound IS NOT NULL;";

/// People of an import that is not done yet.
const ARRIVALS: &str = "CREATE TABLE arrivals (
        person_id BLOB PRIMARY KEY REFERENCES people (id)
    ) STRICT, WITHOUT ROWID;";

/// Since when: an import of another node may still be under way.
const ARRIVALS_SINCE: &str = "ALTER TABLE arrivals ADD COLUMN since_us INTEGER NOT NULL DEFAULT 0;";

/// Brings the file to the newest version, one transaction a step. A file of a newer Muster is left alone and refused.
pub(super) fn migrate(db: &mut Connection) -> Result<(), DirectoryError> {
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let newest = i64::from(VERSION);
    let done = usize::try_from(found).ok().filter(|_| found <= newest).ok_or_else(|| {
        DirectoryError::Broken(
            format!("directory.sqlite has schema version {found}; this Muster knows up to {newest}").into(),
        )
    })?;
    for (migration, version) in MIGRATIONS.iter().zip(1_i64..).skip(done) {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing_and_a_newer_file_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        db.execute("INSERT INTO meta VALUES ('x', x'01')", []).unwrap();
        migrate(&mut db).unwrap();
        let rows: i64 = db.query_row("SELECT count(*) FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        db.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut db), Err(DirectoryError::Broken(_))));
    }
}
