//! What every journal must do, run over each implementation; then what only the one on disk can be asked.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

use muster::domain::actor::Giver;
use muster::domain::event::{Entry, Event, Record};
use muster::domain::ids::{AlertId, CommandId, PersonId};
use muster::domain::time::Timestamp;
use muster::engine::ports::{Journal, JournalError};
use muster::journal::{
    JournalReader, MemoryJournal, OpenError, SqliteJournal, SqliteOptions, SqliteReader, backup, restore, verify,
};
use muster::testing::{Faults, FaultyJournal, append};
use tempfile::TempDir;
use uuid::Uuid;

use crate::journal_nodes::redis_journal;
use crate::redis_server::RedisServer;

/// The `n`th entry: each another.
fn entry(n: u64) -> Entry {
    let (alert, person) = (AlertId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(n.into())));
    let event = Event::Acknowledged { alert, person, compounds: vec!["140403001001001".parse().unwrap()] };
    let (at, id) = (Timestamp(1_783_850_400_000_000), CommandId(Uuid::from_u128(n.into())));
    Entry { at, id, giver: Giver::System, digest: n.wrapping_mul(0x9E37_79B9_7F4A_7C15), events: vec![event] }
}

pub(crate) fn entries(numbers: RangeInclusive<u64>) -> Vec<Entry> {
    numbers.map(entry).collect()
}

/// The records of a journal into which entries 1, 2, 3 … were written.
pub(crate) fn records(numbers: RangeInclusive<u64>) -> Vec<Record> {
    numbers.map(|position| Record { position, entry: entry(position) }).collect()
}

pub(crate) fn options() -> SqliteOptions {
    SqliteOptions::new("1404".parse().unwrap())
}

/// Times that a journal is tried again which was let go a moment ago.
const TRIES: usize = 1_000_000;

/// Opens a journal that nobody holds any more. A program that another test starts at this moment inherits the lock for the blink
/// between fork and exec, where all tests share one process.
fn open_again(path: &Path, options: SqliteOptions) -> Result<SqliteJournal, OpenError> {
    let tries = std::iter::repeat_with(|| SqliteJournal::open(path, options)).take(TRIES);
    let mut tries = tries.inspect(|_| std::thread::yield_now());
    tries.find(|opened| !matches!(opened, Err(OpenError::InUse))).unwrap_or(Err(OpenError::InUse))
}

fn open(folder: &TempDir) -> SqliteJournal {
    open_again(&folder.path().join("journal.sqlite"), options()).unwrap()
}

/// What somebody with another tool does to the file.
fn sql(path: &Path, statement: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(statement).unwrap();
}

fn each_journal(check: impl Fn(&mut dyn Journal)) {
    check(&mut MemoryJournal::new("epoch"));
    let folder = TempDir::new().unwrap();
    check(&mut open(&folder));
    let folder = TempDir::new().unwrap();
    check(&mut FaultyJournal::new(open(&folder), Faults::default()));
    let server = RedisServer::start();
    check(&mut redis_journal(&server));
}

#[test]
fn records_come_back_in_order_without_a_gap() {
    each_journal(|journal| {
        assert_eq!(journal.last_position().unwrap(), 0);
        assert_eq!(journal.read_after(0, 10).unwrap(), []);
        assert_eq!(append(journal, entries(1..=3)).unwrap(), records(1..=3));
        assert_eq!(append(journal, entries(4..=4)).unwrap(), records(4..=4));
        assert_eq!(journal.last_position().unwrap(), 4);
        assert_eq!(journal.read_after(0, 10).unwrap(), records(1..=4));
    });
}

#[test]
fn pages_are_cut_where_asked() {
    each_journal(|journal| {
        append(journal, entries(1..=9)).unwrap();
        assert_eq!(journal.read_after(0, 4).unwrap(), records(1..=4));
        assert_eq!(journal.read_after(4, 4).unwrap(), records(5..=8));
        assert_eq!(journal.read_after(8, 4).unwrap(), records(9..=9));
        for beyond in [9, 10, u64::MAX] {
            assert_eq!(journal.read_after(beyond, 4).unwrap(), []);
        }
        assert_eq!(journal.read_after(3, 0).unwrap(), []);
        assert_eq!(journal.read_after(0, usize::MAX).unwrap(), records(1..=9));
    });
}

#[test]
fn appending_nothing_changes_nothing() {
    each_journal(|journal| {
        assert_eq!(append(journal, Vec::new()).unwrap(), []);
        append(journal, entries(1..=2)).unwrap();
        assert_eq!(append(journal, Vec::new()).unwrap(), []);
        assert_eq!(journal.last_position().unwrap(), 2);
    });
}

#[test]
fn the_epoch_stays() {
    each_journal(|journal| {
        let epoch = journal.epoch().to_owned();
        assert!(!epoch.is_empty());
        append(journal, entries(1..=2)).unwrap();
        assert_eq!(journal.epoch(), epoch);
    });
}

#[test]
fn on_a_full_disk_appends_are_refused_and_reads_go_on() {
    let (faults, folder) = (Faults::default(), TempDir::new().unwrap());
    let mut journal = FaultyJournal::new(open(&folder), faults.clone());
    append(&mut journal, entries(1..=2)).unwrap();
    faults.fill_disk();
    assert!(matches!(append(&mut journal, entries(3..=4)), Err(JournalError::Unavailable(_))));
    assert_eq!((faults.refused(), journal.last_position().unwrap()), (1, 2));
    assert_eq!(journal.read_after(0, 10).unwrap(), records(1..=2));
    faults.heal();
    assert_eq!(append(&mut journal, entries(3..=3)).unwrap(), records(3..=3));
}

#[test]
fn what_was_appended_is_there_when_it_is_opened_again() {
    let folder = TempDir::new().unwrap();
    let mut journal = open(&folder);
    let epoch = journal.epoch().to_owned();
    append(&mut journal, entries(1..=5)).unwrap();
    drop(journal);
    let mut journal = open(&folder);
    assert_eq!(journal.epoch(), epoch);
    assert_eq!(append(&mut journal, entries(6..=7)).unwrap(), records(6..=7));
    assert_eq!(journal.read_after(0, 100).unwrap(), records(1..=7));
}

#[test]
fn two_journals_have_two_epochs() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    assert_ne!(open(&a).epoch(), open(&b).epoch());
}

#[test]
fn a_journal_has_one_writer() {
    let folder = TempDir::new().unwrap();
    let journal = open(&folder);
    let second = SqliteJournal::open(&folder.path().join("journal.sqlite"), options());
    assert!(matches!(second, Err(OpenError::InUse)));
    drop(journal);
    open(&folder);
}

#[test]
fn the_journal_of_another_city_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    append(&mut open(&folder), entries(1..=1)).unwrap();
    let other = SqliteOptions::new("1405".parse().unwrap());
    let refused = open_again(&folder.path().join("journal.sqlite"), other).unwrap_err();
    assert!(matches!(refused, OpenError::OtherCity { .. }));
    assert_eq!(refused.to_string(), "this is the journal of 1404, not of 1405");
}

#[test]
fn a_file_of_something_else_is_refused_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let (text, other) = (folder.path().join("text.sqlite"), folder.path().join("other.sqlite"));
    std::fs::write(&text, "not a database, and longer than the hundred bytes of a header ".repeat(20)).unwrap();
    sql(&other, "CREATE TABLE t (x)");
    for path in [text, other] {
        let before = std::fs::read(&path).unwrap();
        let refused = open_again(&path, options());
        assert!(matches!(refused, Err(OpenError::NotAJournal(_))), "{refused:?}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_journal_of_a_later_muster_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder));
    let path = folder.path().join("journal.sqlite");
    sql(&path, "PRAGMA user_version = 2");
    assert!(matches!(open_again(&path, options()), Err(OpenError::LaterFormat { found: 2 })));
}

#[test]
fn pages_are_read_while_the_writer_goes_on() {
    let folder = TempDir::new().unwrap();
    let mut journal = open(&folder);
    let reader: &dyn JournalReader = &SqliteReader::new(&folder.path().join("journal.sqlite"));
    for n in 1..=20 {
        append(&mut journal, entries(n..=n)).unwrap();
        assert_eq!(reader.page_after(n - 1, 10).unwrap(), records(n..=n));
        assert_eq!(reader.last_position().unwrap(), n);
    }
    let mut seen = Vec::new();
    let take_three = |record: Record| {
        seen.push(record);
        if seen.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    reader.for_each_after(5, take_three).unwrap();
    assert_eq!(seen, records(6..=8));
}

#[test]
fn reading_what_is_not_there_makes_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal.sqlite");
    assert!(SqliteReader::new(&path).last_position().is_err());
    assert!(verify(&path).is_err());
    assert!(!path.exists());
}

#[test]
fn a_changed_a_missing_and_an_exchanged_record_are_named() {
    for (change, position, why) in [
        ("UPDATE records SET body = replace(body, '1404', '1405') WHERE position = 40", 40, "hash"),
        ("DELETE FROM records WHERE position = 40", 40, "missing; the next is 41"),
        ("DELETE FROM records WHERE position = 1", 1, "missing; the next is 2"),
        ("UPDATE records SET body = (SELECT body FROM records WHERE position = 41) WHERE position = 40", 40, "hash"),
        ("UPDATE meta SET value = 'x' WHERE key = 'chain'", 1, "hash"),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("journal.sqlite");
        append(&mut open(&folder), entries(1..=50)).unwrap();
        let report = verify(&path).unwrap();
        assert!(report.is_whole() && report.good == 50);
        sql(&path, change);
        let report = verify(&path).unwrap();
        let fault = report.fault.unwrap();
        assert_eq!((report.good, fault.position), (position - 1, position), "{change}");
        assert!(fault.why.contains(why), "{change}: {}", fault.why);
        let refused = open_again(&path, options());
        assert!(matches!(refused, Err(OpenError::Journal(JournalError::Damaged { position: p, .. })) if p == position));
    }
}

#[test]
fn a_backup_during_appends_is_a_whole_prefix() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("journal.sqlite");
    let mut journal = open(&folder);
    append(&mut journal, entries(1..=500)).unwrap();
    let copies: Vec<_> = (0..5).map(|i| folder.path().join(format!("copy-{i}.sqlite"))).collect();
    let mut appended = 500;
    std::thread::scope(|scope| {
        let (go, may_go) = std::sync::mpsc::channel();
        let copies = &copies;
        let live = &live;
        let copying = scope.spawn(move || {
            may_go.recv().unwrap();
            copies.iter().map(|to| backup(live, to).unwrap().good).collect::<Vec<_>>()
        });
        appended += 1;
        append(&mut journal, entries(appended..=appended)).unwrap();
        go.send(()).unwrap();
        while !copying.is_finished() {
            appended += 1;
            append(&mut journal, entries(appended..=appended)).unwrap();
        }
        let good = copying.join().unwrap();
        assert!(good.is_sorted() && good[0] > 500, "{good:?}");
    });
    for copy in &copies {
        let report = verify(copy).unwrap();
        assert!(report.is_whole() && report.good <= appended);
        let mut copy = SqliteJournal::open(copy, options()).unwrap();
        assert_eq!(copy.read_after(0, usize::MAX).unwrap(), records(1..=report.good));
        assert_eq!(copy.epoch(), journal.epoch());
    }
    assert_eq!(verify(&live).unwrap().good, appended);
}

#[test]
fn a_restored_journal_goes_on_under_a_new_epoch() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut journal = open(&folder);
    append(&mut journal, entries(1..=9)).unwrap();
    backup(&path("journal.sqlite"), &path("copy.sqlite")).unwrap();
    restore(&path("copy.sqlite"), &path("new.sqlite")).unwrap();
    let mut restored = SqliteJournal::open(&path("new.sqlite"), options()).unwrap();
    assert_eq!(restored.read_after(0, 100).unwrap(), records(1..=9));
    assert_ne!(restored.epoch(), journal.epoch());
    assert_eq!(append(&mut restored, entries(10..=10)).unwrap(), records(10..=10));
    assert!(verify(&path("new.sqlite")).unwrap().is_whole());
}

#[test]
fn copies_never_overwrite_and_damaged_ones_are_not_made() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    append(&mut open(&folder), entries(1..=9)).unwrap();
    std::fs::write(path("there"), "kept").unwrap();
    assert!(matches!(backup(&path("journal.sqlite"), &path("there")), Err(OpenError::Exists(_))));
    assert_eq!(std::fs::read(path("there")).unwrap(), b"kept");
    sql(&path("journal.sqlite"), "DELETE FROM records WHERE position = 4");
    let refused = restore(&path("journal.sqlite"), &path("new.sqlite"));
    assert!(matches!(refused, Err(OpenError::Journal(JournalError::Damaged { position: 4, .. }))));
    assert!(!path("new.sqlite").exists() && !path("new.sqlite.partial").exists());
}
