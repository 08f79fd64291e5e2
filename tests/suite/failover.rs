//! What outlasts the loss of a Redis primary, setting by setting: real servers, real Sentinels.

use std::time::Duration;

use muster::domain::command::Key;
use muster::engine::ports::{Journal, JournalError, Proposal};
use muster::journal::RedisJournal;
use muster::redis_link::{AcknowledgeAfter, RedisOptions};
use muster::testing::append;

use crate::journal_contract::{entries, records};
use crate::redis_server::{Watched, eventually};

fn open(watched: &Watched, acknowledge_after: AcknowledgeAfter) -> RedisJournal {
    let timeout = Duration::from_millis(500);
    let options = RedisOptions::new(watched.url(), "1404".parse().unwrap());
    RedisJournal::lay_out(RedisOptions { acknowledge_after, timeout, ..options }).unwrap()
}

/// The `n`th entry, on its way.
fn proposal(n: u64) -> Vec<Proposal> {
    entries(n..=n).into_iter().map(|entry| Proposal { key: Key::City, entry }).collect()
}

/// Appends until it is acknowledged, as whoever repeats a command does.
fn append_in_the_end(journal: &mut RedisJournal, mut seen: u64, n: u64) -> u64 {
    let mut found = None;
    eventually("an append is acknowledged", || {
        let Ok(appended) = journal.append(seen, proposal(n)) else { return false };
        seen = appended.records.last().map_or(seen, |record| record.position);
        found = appended.records.iter().find(|record| record.entry == entries(n..=n)[0]).map(|record| record.position);
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn what_a_replica_has_outlasts_the_primary_and_no_node_has_to_be_started_again() {
    let mut watched = Watched::start();
    let [mut one, mut other] = [(); 2].map(|()| open(&watched, AcknowledgeAfter::Replicas(1)));
    append(&mut one, entries(1..=20)).unwrap();
    assert_eq!(other.read_after(0, 100).unwrap(), records(1..=20));
    let before = one.epoch().to_owned();
    watched.primary.kill();
    watched.wait_for_failover();
    // There is no replica any more: what is written now is not acknowledged, but it is there.
    let no_replica =
        |why: &JournalError| matches!(why, JournalError::OutcomeUnknown(why) if why.contains("0 of 1 replicas"));
    eventually("the new primary answers", || one.append(20, proposal(21)).is_err_and(|why| no_replica(&why)));
    let mut found = Vec::new();
    eventually("the other node reads on", || {
        other.read_after(20, 100).is_ok_and(|read| {
            found = read;
            !found.is_empty()
        })
    });
    assert_eq!(found, records(21..=21));
    assert_eq!(one.epoch(), other.epoch());
    assert_ne!(one.epoch(), before, "another server, another epoch");
    watched.primary.start_again();
    watched.wait_until_the_old_primary_follows();
    assert_eq!(append_in_the_end(&mut other, 21, 22), 22);
    assert_eq!(one.read_after(20, 100).unwrap(), records(21..=22));
}

#[test]
fn a_frozen_primary_that_thaws_gets_nothing_acknowledged() {
    let mut watched = Watched::start();
    let mut node = open(&watched, AcknowledgeAfter::Replicas(1));
    append(&mut node, entries(1..=5)).unwrap();
    watched.primary.freeze();
    let doubtful = node.append(5, proposal(6));
    assert!(matches!(doubtful, Err(JournalError::OutcomeUnknown(_))), "{doubtful:?}");
    watched.wait_for_failover();
    let mut other = open(&watched, AcknowledgeAfter::Replicas(1));
    assert_eq!(other.read_after(0, 100).unwrap(), records(1..=5));
    watched.primary.thaw();
    // What had reached the old primary is written there, by nobody's leave, and gone when it follows the new one.
    watched.wait_until_the_old_primary_follows();
    assert_eq!(append_in_the_end(&mut other, 5, 7), 6, "its place is free");
    assert_eq!(append_in_the_end(&mut node, 5, 6), 7, "repeated, it is done once");
    assert_eq!(other.read_after(5, 100).unwrap(), node.read_after(5, 100).unwrap());
    assert_eq!(node.last_position().unwrap(), 7);
}

#[test]
fn with_the_primary_alone_a_failover_loses_what_no_replica_had_and_every_node_finds_out() {
    let mut watched = Watched::start();
    let [mut writer, mut reader] = [(); 2].map(|()| open(&watched, AcknowledgeAfter::Primary));
    append(&mut writer, entries(1..=5)).unwrap();
    watched.primary.wait_for_replica();
    watched.cut_off_replica();
    assert_eq!(append(&mut writer, entries(6..=8)).unwrap(), records(6..=8), "acknowledged, by this setting");
    assert_eq!(reader.read_after(0, 100).unwrap(), records(1..=8));
    watched.primary.kill();
    watched.replica.thaw();
    watched.wait_for_failover();
    for node in [&mut writer, &mut reader] {
        let mut said = None;
        for _ in 0..3 {
            said = Some(node.read_after(8, 100));
            if matches!(said, Some(Err(JournalError::Forked(_)))) {
                break;
            }
        }
        assert!(
            matches!(said, Some(Err(JournalError::Forked(_)))),
            "the first attempt finds the connection broken: {said:?}"
        );
        let again = node.append(8, proposal(9));
        assert!(matches!(again, Err(JournalError::Forked(_))), "until it has read anew: {again:?}");
        node.rewind().unwrap();
        assert_eq!(node.read_after(0, 100).unwrap(), records(1..=5));
    }
    assert_eq!(writer.epoch(), reader.epoch());
    assert_eq!(append_in_the_end(&mut writer, 5, 6), 6);
}
