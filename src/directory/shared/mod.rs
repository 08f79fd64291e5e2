//! The directory of several nodes: each has all of it in a file of its own, and Redis says what changed, in which order.
//!
//! In Redis there are the rows, sealed ([`seal`]), in one hash, and a stream that names which changed (`commit.lua`): erased is erased,
//! and nothing grows with what was. A node writes where it knows all that the others wrote; else it reads that first (`changes.lua`)
//! and does its work again ([`Directory::write`](super::Directory)). A node that missed more than the stream names reads all.

pub(super) mod rows;
mod seal;

use std::collections::HashSet;

use redis::Script;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use uuid::Uuid;

use crate::domain::refusal::Refusal;
use crate::redis_link::{Failure, Link, OpenRedisError, RedisOptions, key_of, watch};

use super::Result;
use super::changes::{self, Touched};
use super::error::DirectoryError;
use super::tables::{RowKey, TABLES};

use seal::Seal;
pub use seal::{BadKey, SealingKey};

/// Rows that one write may change. More would hold up the server's other work for longer than a second.
const ROWS_MAX: usize = 500_000;
/// Rows of one write that the stream names; after a larger one the others read all.
const NAMED_MAX: usize = 2_000;
/// Rows that are told at once; a node that missed more reads all.
const TOLD_MAX: usize = 5_000;
/// Changes that the stream keeps.
const CHANGES_KEPT: usize = 100_000;
/// Rows asked for at once when all are read.
const PAGE: usize = 2_000;
/// How often reading all is begun anew, where so much is written meanwhile.
const WHOLE_MAX: usize = 5;

/// Where a directory is that several nodes share.
#[derive(Debug, Clone)]
pub struct SharedOptions {
    /// Which Redis, and whose city.
    pub redis: RedisOptions,
    /// What the rows are sealed with there.
    pub key: SealingKey,
}

/// This node's end of what all share.
pub(super) struct Shared {
    link: Link,
    seal: Seal,
    commit: Script,
    changes: Script,
    rows: String,
    log: String,
    meta: String,
}

/// What came of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proposed {
    /// It is kept there; here it is to be kept, too.
    Kept,
    /// Others wrote something that is not known here.
    Behind,
    /// Nothing was changed: whether others wrote something is not known.
    Nothing,
}

/// How much of what all share is known: how many changes, and the name of the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    version: u64,
    name: String,
}

/// What `changes.lua` gives.
type Changes = (String, u64, String, Vec<(String, Option<Vec<u8>>)>);

impl Shared {
    pub(super) fn open(options: &SharedOptions) -> Result<Self> {
        let SharedOptions { redis, key } = options;
        let link = Link::open(redis).map_err(not_opened)?;
        let of = |what| key_of(redis.city, what);
        Ok(Self {
            link,
            seal: Seal::new(key, redis.city),
            commit: Script::new(include_str!("commit.lua")),
            changes: Script::new(include_str!("changes.lua")),
            rows: of("directory"),
            log: of("directory:changes"),
            meta: of("meta"),
        })
    }

    /// Has `heard` called whenever others may have written, until this is gone.
    pub(super) fn watch(&self, heard: watch::Heard) {
        watch::start(self.link.source(), self.log.clone(), self.link.alive(), heard);
    }

    // INVARIANT: what is acknowledged is durable: it is in Redis, and with its replicas, before it is kept here.
    /// Proposes what the transaction changed.
    pub(super) fn propose(&mut self, tx: &Transaction<'_>) -> Result<Proposed> {
        let changed = changes::rows(tx)?;
        if changed.is_empty() {
            return Ok(Proposed::Nothing);
        }
        if changed.len() > ROWS_MAX {
            return Err(Refusal::BadCount { field: "rows", max: ROWS_MAX }.into());
        }
        let seen = place(tx)?;
        let next = Place { version: seen.version + 1, name: Uuid::now_v7().to_string() };
        self.link.stand().map_err(|why| failed(&why))?;
        let mut call = self.commit.prepare_invoke();
        call.key(&self.rows).key(&self.log).key(&self.meta);
        let meta = self.link.meta();
        call.arg(meta.epoch).arg(&meta.run).arg(seen.version).arg(&seen.name).arg(&next.name);
        call.arg(CHANGES_KEPT).arg(u8::from(changed.len() <= NAMED_MAX));
        for key in &changed {
            let name = key.to_string();
            let row = rows::read(tx, key)?.map_or_else(|| Ok(Vec::new()), |row| self.seal.seal(&name, &row))?;
            call.arg(name).arg(row);
        }
        let outcome: String = self.link.with(|connection| call.invoke(connection)).map_err(|why| failed(&why))?;
        match outcome.as_str() {
            "done" => {}
            "behind" => return Ok(Proposed::Behind),
            _ => return Err(self.left_behind()),
        }
        self.link.wait_for_replicas().map_err(|why| DirectoryError::OutcomeUnknown(why.to_string().into()))?;
        // What all share has it; this node reads it there where it could not keep it.
        stand_at(tx, &next).map_err(|error| DirectoryError::OutcomeUnknown(error.into()))?;
        Ok(Proposed::Kept)
    }

    /// Takes in what others wrote; `None` where that is nothing.
    pub(super) fn catch_up(&mut self, db: &mut Connection) -> Result<Option<Touched>> {
        let tx = changes::begin(db)?;
        // Rows come in no order.
        tx.pragma_update(None, "defer_foreign_keys", true)?;
        let was = place(&tx)?;
        let mut seen = was.clone();
        for _ in 0..WHOLE_MAX {
            let (what, version, name, changed) = self.changes_since(&seen)?;
            let now = Place { version, name };
            match what.as_str() {
                "same" if now == was => return Ok(None),
                "same" | "rows" => {
                    self.take_in(&tx, changed)?;
                    stand_at(&tx, &now)?;
                    let touched = changes::touched(&tx)?;
                    tx.commit()?;
                    return Ok(Some(touched));
                }
                // What is written while it is read comes after it.
                _ => self.read_all(&tx)?,
            }
            seen = now;
        }
        Err(DirectoryError::Unavailable("others write more than can be read".into()))
    }

    /// The server is another than the one that was connected to: the next connection finds out.
    fn left_behind(&mut self) -> DirectoryError {
        self.link.give_up();
        DirectoryError::Unavailable("Redis began another epoch".into())
    }

    /// Asked once more on a connection of its own where the one there is broke off, as it does at a failover.
    fn changes_since(&mut self, seen: &Place) -> Result<Changes> {
        self.ask_changes(seen).or_else(|_| self.ask_changes(seen))
    }

    fn ask_changes(&mut self, seen: &Place) -> Result<Changes> {
        self.link.stand().map_err(|why| not_read(&why))?;
        let mut call = self.changes.prepare_invoke();
        call.key(&self.rows).key(&self.log).key(&self.meta);
        let meta = self.link.meta();
        call.arg(meta.epoch).arg(&meta.run).arg(seen.version).arg(&seen.name).arg(TOLD_MAX);
        let changes: Changes = self.link.with(|connection| call.invoke(connection)).map_err(|why| not_read(&why))?;
        if changes.0 == "other_epoch" {
            return Err(self.left_behind());
        }
        Ok(changes)
    }

    fn take_in(&self, tx: &Transaction<'_>, changed: Vec<(String, Option<Vec<u8>>)>) -> Result<()> {
        // Those that are gone go first: what is unique may be another's now.
        let (gone, here): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, row)| row.is_none());
        for (name, row) in gone.into_iter().chain(here) {
            let key = key_of_row(&name)?;
            match row {
                None => rows::remove(tx, &key)?,
                Some(sealed) => rows::write(tx, &key, &self.seal.open(&name, &sealed)?)?,
            }
        }
        Ok(())
    }

    /// Makes the file what Redis holds, row by row: what is the same stays untouched.
    fn read_all(&mut self, tx: &Transaction<'_>) -> Result<()> {
        // What is gone goes first: what is unique may be another's now.
        let mut names = redis::cmd("HKEYS");
        let found: HashSet<String> = self.link.ask(names.arg(&self.rows)).map_err(|why| not_read(&why))?;
        for key in TABLES.iter().rev().map(|table| rows::keys(tx, table)).collect::<Result<Vec<_>>>()?.concat() {
            if !found.contains(&key.to_string()) {
                rows::remove(tx, &key)?;
            }
        }
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(&self.rows).arg(cursor).arg("COUNT").arg(PAGE);
            let page: Vec<(String, Vec<u8>)>;
            (cursor, page) = self.link.ask(&scan).map_err(|why| not_read(&why))?;
            self.take_in(tx, page.into_iter().map(|(name, row)| (name, Some(row))).collect())?;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

/// Prepares a file that follows what all share.
pub(super) fn prepare(db: &Connection) -> Result<()> {
    db.execute_batch("CREATE TABLE IF NOT EXISTS replica (version INTEGER NOT NULL, name TEXT NOT NULL) STRICT")?;
    // What a power cut takes of it is read again.
    Ok(db.pragma_update(None, "synchronous", "NORMAL")?)
}

/// A copy follows nobody: it stands by itself.
pub(super) fn let_go(copy: &Connection) -> Result<()> {
    Ok(copy.execute_batch("DROP TABLE IF EXISTS replica")?)
}

fn place(db: &Connection) -> Result<Place> {
    let mut find = db.prepare_cached("SELECT version, name FROM replica")?;
    let found =
        find.query_row([], |row| Ok(Place { version: row.get::<_, i64>(0)?.cast_unsigned(), name: row.get(1)? }));
    let found = found.optional()?;
    Ok(found.unwrap_or_default())
}

fn stand_at(tx: &Transaction<'_>, place: &Place) -> Result<()> {
    tx.execute("DELETE FROM replica", [])?;
    tx.execute("INSERT INTO replica (version, name) VALUES (?1, ?2)", (place.version.cast_signed(), &place.name))?;
    Ok(())
}

fn key_of_row(name: &str) -> Result<RowKey> {
    let unknown = || {
        DirectoryError::Broken(
            format!("Redis holds a row that is not known here ({name}): a later Muster wrote it").into(),
        )
    };
    RowKey::parse(name).ok_or_else(unknown)
}

fn not_opened(error: OpenRedisError) -> DirectoryError {
    match error {
        OpenRedisError::NotReached(_) | OpenRedisError::NotAnswered(_) | OpenRedisError::Replica => {
            DirectoryError::Unavailable(error.into())
        }
        _ => DirectoryError::Broken(error.into()),
    }
}

/// Of something that changes nothing.
fn not_read(why: &Failure) -> DirectoryError {
    DirectoryError::Unavailable(why.to_string().into())
}

fn failed(why: &Failure) -> DirectoryError {
    if why.leaves_open() { DirectoryError::OutcomeUnknown(why.to_string().into()) } else { not_read(why) }
}
