//! What every journal must do that several nodes write; then what only Redis can be asked.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use muster::domain::command::Key;
use muster::engine::ports::{Appended, Journal, JournalError, Proposal};
use muster::journal::redis::packs::{Packer, Packing};
use muster::journal::{JournalReader, MemoryJournal, RedisJournal, RedisReader};
use muster::redis_link::{AcknowledgeAfter, OpenRedisError, RedisOptions};
use muster::testing::append;

use crate::journal_contract::{entries, records};
use crate::redis_server::{RedisServer, eventually};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

fn options(url: String) -> RedisOptions {
    RedisOptions::new(url, "1404".parse().unwrap())
}

/// A journal in an empty Redis.
pub(crate) fn redis_journal(server: &RedisServer) -> RedisJournal {
    RedisJournal::lay_out(options(server.url())).unwrap()
}

/// Two nodes on each kind of journal.
fn each_pair(check: impl Fn(&mut dyn Journal, &mut dyn Journal)) {
    let mut one = MemoryJournal::new("epoch");
    let mut other = one.beside(1);
    check(&mut one, &mut other);
    let server = RedisServer::start();
    check(&mut redis_journal(&server), &mut redis_journal(&server));
}

fn call(compound: &str) -> Key {
    Key::Call(compound.parse().unwrap())
}

const HERE: &str = "140403001001001";
const THERE: &str = "140403001001002";

/// The `n`th entry, which touches something.
fn touching(key: Key, n: u64) -> Vec<Proposal> {
    entries(n..=n).into_iter().map(|entry| Proposal { key, entry }).collect()
}

fn kept(appended: &Appended) -> Vec<u64> {
    appended.records.iter().map(|record| record.position).collect()
}

#[test]
fn what_others_wrote_comes_with_an_append_and_before_it() {
    each_pair(|one, other| {
        append(one, entries(1..=3)).unwrap();
        let appended = other.append(0, touching(call(HERE), 4)).unwrap();
        assert_eq!((appended.positions, appended.records), (vec![None], records(1..=3)), "it has to know them first");
        let appended = other.append(3, touching(call(HERE), 4)).unwrap();
        assert_eq!((appended.positions, appended.records), (vec![Some(4)], records(4..=4)));
        let appended = one.append(3, touching(call(THERE), 5)).unwrap();
        assert_eq!((appended.positions, appended.records), (vec![Some(5)], records(4..=5)));
        assert_eq!(other.read_after(4, 10).unwrap(), records(5..=5));
    });
}

#[test]
fn what_touches_the_same_as_anothers_record_is_not_kept() {
    each_pair(|one, other| {
        one.append(0, touching(call(HERE), 1)).unwrap();
        let both = [touching(call(HERE), 9), touching(call(THERE), 2)].concat();
        let appended = other.append(0, both).unwrap();
        assert_eq!((appended.positions.clone(), kept(&appended)), (vec![None, Some(2)], vec![1, 2]));
        let again = other.append(2, touching(call(HERE), 3)).unwrap();
        assert_eq!(again.positions, [Some(3)], "decided on the city as it stands now");
        assert_eq!(one.read_after(0, 10).unwrap(), records(1..=3));
    });
}

#[test]
fn what_touches_the_city_is_kept_only_where_nobody_wrote_and_stops_all_else() {
    each_pair(|one, other| {
        one.append(0, touching(call(HERE), 1)).unwrap();
        assert_eq!(other.append(0, touching(Key::City, 9)).unwrap().positions, [None]);
        assert_eq!(other.append(1, touching(Key::City, 2)).unwrap().positions, [Some(2)]);
        assert_eq!(one.append(1, touching(call(THERE), 9)).unwrap().positions, [None]);
        assert_eq!(one.append(2, touching(call(THERE), 3)).unwrap().positions, [Some(3)]);
    });
}

#[test]
fn a_command_that_was_given_to_two_nodes_is_kept_once() {
    each_pair(|one, other| {
        one.append(0, touching(call(HERE), 1)).unwrap();
        let repeat = other.append(0, touching(call(THERE), 1)).unwrap();
        assert_eq!((repeat.positions, repeat.records), (vec![None], records(1..=1)));
    });
}

#[test]
fn a_node_is_woken_by_what_others_write() {
    each_pair(|one, other| {
        let (wake, woken) = channel();
        let wake = Mutex::new(wake);
        one.watch(Box::new(move |_| {
            // Whoever listened may have gone.
            let _ = wake.lock().unwrap().send(());
        }));
        append(other, entries(1..=2)).unwrap();
        let mut seen = Vec::new();
        while seen.len() < 2 {
            woken.recv_timeout(PATIENCE).unwrap();
            seen.extend(one.read_after(seen.len() as u64, 10).unwrap());
        }
        assert_eq!(seen, records(1..=2));
    });
}

#[test]
fn two_nodes_that_write_as_fast_as_they_can_agree_on_one_order() {
    const EACH: u64 = 200;
    each_pair(|one, other| {
        let write = |journal: &mut dyn Journal, from: u64| {
            let (mut seen, mut order) = (0, Vec::new());
            for n in from..from + EACH {
                // Every tenth touches the whole city, and gets its turn all the same.
                let key = if n % 10 == 0 { Key::City } else { call(HERE) };
                let mut tries = 0;
                loop {
                    let appended = journal.append(seen, touching(key, n)).unwrap();
                    seen = appended.records.last().map_or(seen, |record| record.position);
                    order.extend(appended.records);
                    tries += 1;
                    assert!(tries < 1_000, "{n} had no turn");
                    if appended.positions != [None] {
                        break;
                    }
                }
            }
            order
        };
        let (mine, yours) = std::thread::scope(|scope| {
            let yours = scope.spawn(|| write(other, 1_000_000));
            (write(one, 1), yours.join().unwrap())
        });
        let all = one.read_after(0, usize::MAX).unwrap();
        assert_eq!(all.len() as u64, 2 * EACH);
        assert!(all.starts_with(&mine) && all.starts_with(&yours));
    });
}

#[test]
fn a_node_far_behind_reads_before_it_writes() {
    let server = RedisServer::start();
    let url = server.url();
    let [mut one, mut other] = [(); 2].map(|()| RedisJournal::lay_out(options(url.clone())).unwrap());
    append(&mut one, entries(1..=2_500)).unwrap();
    let (mut seen, mut rounds) = (0, 0);
    while seen < 2_500 {
        let appended = other.append(seen, touching(call(HERE), 9_999)).unwrap();
        assert_eq!(appended.positions, [None]);
        seen = appended.records.last().unwrap().position;
        rounds += 1;
    }
    assert!(rounds > 1);
    assert_eq!(other.append(seen, touching(call(HERE), 9_999)).unwrap().positions, [Some(2_501)]);
}

#[test]
fn what_was_acknowledged_outlasts_a_server_that_is_killed_and_the_epoch_is_another() {
    let mut server = RedisServer::start();
    let open = |server: &RedisServer| RedisJournal::lay_out(options(server.url())).unwrap();
    let mut journal = open(&server);
    append(&mut journal, entries(1..=5)).unwrap();
    server.kill();
    assert!(journal.append(5, touching(Key::City, 6)).is_err(), "the connection broke off");
    let refused = journal.append(5, touching(Key::City, 6));
    assert!(matches!(refused, Err(JournalError::Unavailable(_))), "nobody is there: {refused:?}");
    assert!(journal.probe().is_err());
    server.start_again();
    let mut again = open(&server);
    assert_eq!(again.read_after(0, 10).unwrap(), records(1..=5));
    assert_ne!(again.epoch(), journal.epoch(), "what phones know of the server before is worth nothing");
    assert_eq!(append(&mut again, entries(6..=6)).unwrap(), records(6..=6));
    let mut appended = None;
    eventually("a node that found nobody tries again", || {
        appended = journal.append(5, touching(call(HERE), 7)).ok();
        appended.is_some()
    });
    let appended = appended.unwrap();
    assert_eq!(
        (appended.positions, appended.records),
        (vec![None], records(6..=6)),
        "it knows all up to 5, and goes on"
    );
    assert_eq!(again.epoch(), journal.epoch());
}

#[test]
fn of_an_append_that_is_not_answered_nobody_says_that_it_was_not_kept() {
    let server = RedisServer::start();
    let options = RedisOptions { timeout: Duration::from_millis(300), ..options(server.url()) };
    let mut journal = RedisJournal::lay_out(options.clone()).unwrap();
    append(&mut journal, entries(1..=1)).unwrap();
    server.freeze();
    let doubtful = journal.append(1, touching(call(HERE), 2));
    server.thaw();
    assert!(matches!(doubtful, Err(JournalError::OutcomeUnknown(_))), "{doubtful:?}");
    // It was on its way, and is kept when the server goes on: the giver who repeats it finds it done.
    let mut other = RedisJournal::lay_out(options).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while other.last_position().unwrap() < 2 {
        assert!(std::time::Instant::now() < until, "the server read what had reached it");
    }
    let repeat = journal.append(1, touching(call(HERE), 2)).unwrap();
    assert_eq!((repeat.positions, repeat.records), (vec![None], records(2..=2)));
}

#[test]
fn an_append_that_no_replica_has_is_not_acknowledged() {
    let server = RedisServer::start();
    let url = server.url();
    let acknowledge_after = AcknowledgeAfter::Replicas(1);
    let timeout = Duration::from_millis(200);
    let mut journal = RedisJournal::lay_out(RedisOptions { acknowledge_after, timeout, ..options(url) }).unwrap();
    let unknown = append(&mut journal, entries(1..=1));
    assert!(
        matches!(&unknown, Err(JournalError::OutcomeUnknown(why)) if why.contains("0 of 1 replicas")),
        "{unknown:?}"
    );
}

#[test]
fn a_node_that_decided_on_what_is_not_there_writes_nothing() {
    let server = RedisServer::start();
    let url = server.url();
    let [mut one, mut other] = [(); 2].map(|()| RedisJournal::lay_out(options(url.clone())).unwrap());
    append(&mut one, entries(1..=3)).unwrap();
    assert_eq!(other.read_after(0, 10).unwrap(), records(1..=3));
    let mut connection = redis::Client::open(url.clone()).unwrap().get_connection().unwrap();
    let _: u64 = redis::cmd("XDEL").arg("{muster:1404}:journal").arg("3-0").query(&mut connection).unwrap();
    let forked = other.append(3, touching(call(HERE), 4));
    assert!(matches!(forked, Err(JournalError::Forked(_))), "{forked:?}");
    assert!(matches!(one.append(3, touching(call(HERE), 4)), Err(JournalError::Forked(_))));
    other.rewind().unwrap();
    assert_eq!(other.read_after(0, 10).unwrap(), records(1..=2));
    // Redis takes no id again that it has deleted: a server that takes over lacks it from the start.
    assert_eq!(RedisJournal::lay_out(options(url)).unwrap().last_position().unwrap(), 2);
}

#[test]
fn a_missing_record_is_named() {
    let server = RedisServer::start();
    let url = server.url();
    let mut journal = RedisJournal::lay_out(options(url.clone())).unwrap();
    append(&mut journal, entries(1..=5)).unwrap();
    let mut connection = redis::Client::open(url.clone()).unwrap().get_connection().unwrap();
    let _: u64 = redis::cmd("XDEL").arg("{muster:1404}:journal").arg("4-0").query(&mut connection).unwrap();
    let mut other = RedisJournal::lay_out(options(url)).unwrap();
    let damaged = other.read_after(0, 10);
    assert!(matches!(&damaged, Err(JournalError::Damaged { position: 4, why }) if why.contains("5-0")), "{damaged:?}");
}

#[test]
fn what_is_no_journal_of_this_city_is_refused_by_name() {
    let server = RedisServer::start();
    let url = server.url();
    let mut connection = redis::Client::open(url.clone()).unwrap().get_connection().unwrap();
    let meta = "{muster:1404}:meta";
    let _: () = redis::cmd("HSET").arg(meta).arg("form").arg(1).arg("city").arg("1405").query(&mut connection).unwrap();
    let refused = RedisJournal::lay_out(options(url.clone())).err().unwrap();
    assert!(matches!(refused, OpenRedisError::NotAJournal(_)), "{refused}");
    let _: () = redis::cmd("DEL").arg(meta).query(&mut connection).unwrap();
    let refused = RedisJournal::open(options(url.clone())).err().unwrap();
    assert!(matches!(refused, OpenRedisError::NotLaidOut(_)), "nothing is laid out unasked: {refused}");
    drop(RedisJournal::lay_out(options(url.clone())).unwrap());
    drop(RedisJournal::open(options(url.clone())).unwrap());
    let _: () = redis::cmd("HSET").arg(meta).arg("form").arg(2).query(&mut connection).unwrap();
    let refused = RedisJournal::lay_out(options(url)).err().unwrap();
    assert!(matches!(refused, OpenRedisError::LaterForm { found: 2 }), "{refused}");
}

#[test]
fn a_server_that_may_forget_is_warned_about_by_name() {
    let mut server = RedisServer::start();
    assert_eq!(RedisJournal::lay_out(options(server.url())).unwrap().sync_warning(), None);
    for (name, value, said) in [
        ("appendfsync", "everysec", "appendfsync everysec"),
        ("appendonly", "no", "appendonly no"),
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy allkeys-lru"),
    ] {
        let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        let _: () = redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query(&mut connection).unwrap();
        let warning = RedisJournal::lay_out(options(server.url())).unwrap().sync_warning().unwrap();
        assert!(warning.contains(said), "{warning}");
    }
    server.kill();
}

#[test]
fn a_cluster_is_asked_who_holds_the_citys_slot() {
    let servers = RedisServer::cluster();
    // Whichever is asked first: one of them does not hold it.
    for (n, order) in [[0, 1], [1, 0]].into_iter().enumerate() {
        let hosts = order.map(|n: usize| servers[n].address()).join(",");
        let mut journal = RedisJournal::lay_out(options(format!("redis+cluster://{hosts}"))).unwrap();
        let (first, last) = (n as u64 * 3 + 1, n as u64 * 3 + 3);
        assert_eq!(journal.read_after(0, 10).unwrap(), records(1..=first - 1));
        append(&mut journal, entries(first..=last)).unwrap();
    }
}

#[test]
fn a_server_that_lost_everything_is_not_taken_for_an_empty_city() {
    let mut server = RedisServer::start();
    let mut journal = RedisJournal::lay_out(options(server.url())).unwrap();
    append(&mut journal, entries(1..=5)).unwrap();
    let connect = |server: &RedisServer| redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let _: () = redis::cmd("FLUSHALL").query(&mut connect(&server)).unwrap();
    server.kill();
    server.start_again();
    for _ in 0..3 {
        assert!(journal.append(5, touching(call(HERE), 6)).is_err());
    }
    let left: u64 = redis::cmd("DBSIZE").query(&mut connect(&server)).unwrap();
    assert_eq!(left, 0, "nothing was laid out there");
}

/// Small enough that a test has several packs.
const SMALL: Packing = Packing { kept: 20, records: 30, bytes: 1 << 20 };

/// A journal of so many records whose old ones were put away, and where it is.
fn packed(count: u64) -> (RedisServer, RedisJournal) {
    let server = RedisServer::start();
    let mut journal = redis_journal(&server);
    append(&mut journal, entries(1..=count)).unwrap();
    let mut packer = Packer::open(&options(server.url()), SMALL).unwrap();
    while packer.pack().unwrap() {}
    (server, journal)
}

fn ask<T: redis::FromRedisValue>(server: &RedisServer, command: &redis::Cmd) -> T {
    command.query(&mut redis::Client::open(server.url()).unwrap().get_connection().unwrap()).unwrap()
}

#[test]
fn what_was_put_away_is_read_as_if_it_stood_in_the_stream() {
    let (server, mut journal) = packed(100);
    // Two packs of 30 are away; 40 are less than what is kept and another pack.
    let left: u64 = ask(&server, redis::cmd("XLEN").arg("{muster:1404}:journal"));
    assert_eq!(left, 40);
    let mut fresh = RedisJournal::open(options(server.url())).unwrap();
    assert_eq!(fresh.last_position().unwrap(), 100);
    for (after, limit) in
        [(0, 200), (0, 30), (1, 28), (1, 29), (1, 30), (29, 2), (30, 1), (30, 31), (59, 3), (60, 40), (99, 5)]
    {
        let end = (after + limit).min(100);
        assert_eq!(
            fresh.read_after(after, usize::try_from(limit).unwrap()).unwrap(),
            records(after + 1..=end),
            "{after} {limit}"
        );
    }
    assert_eq!(fresh.read_after(100, 5).unwrap(), []);
    assert!(fresh.verify().unwrap().is_whole());
    let reader: &dyn JournalReader = &RedisReader::new(options(server.url()));
    let mut seen = 0;
    reader
        .for_each_after(0, |record| {
            seen += 1;
            assert_eq!(record.position, seen);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, 100);
    // Whoever wrote them goes on, and so does a pack.
    assert_eq!(kept(&journal.append(100, touching(call(HERE), 101)).unwrap()), [101]);
    append(&mut journal, entries(102..=130)).unwrap();
    assert!(Packer::open(&options(server.url()), SMALL).unwrap().pack().unwrap());
    assert_eq!(fresh.read_after(0, 200).unwrap(), records(1..=130));
}

#[test]
fn a_node_that_lags_behind_what_was_put_away_reads_first_and_loses_nothing() {
    let (server, _) = packed(100);
    let mut late = RedisJournal::open(options(server.url())).unwrap();
    assert_eq!(late.read_after(0, 10).unwrap(), records(1..=10));
    let appended = late.append(10, touching(call(HERE), 101)).unwrap();
    assert_eq!((appended.positions, appended.records), (vec![None], records(11..=100)));
    assert_eq!(kept(&late.append(100, touching(call(HERE), 101)).unwrap()), [101]);
}

#[test]
fn one_of_several_nodes_puts_a_pack_away_and_a_spoilt_pack_is_named() {
    let (server, mut journal) = packed(60);
    append(&mut journal, entries(61..=90)).unwrap();
    let [mut one, mut other] = [(); 2].map(|()| Packer::open(&options(server.url()), SMALL).unwrap());
    assert!(one.pack().unwrap());
    assert!(!other.pack().unwrap());
    let key = "{muster:1404}:pack:31";
    let pack: Vec<u8> = ask(&server, redis::cmd("GET").arg(key));
    let mut spoilt = pack.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    for bad in [&spoilt[..], &pack[..50], b"", &[b"0".repeat(80), pack[80..].to_vec()].concat()] {
        let _: () = ask(&server, redis::cmd("SET").arg(key).arg(bad));
        let mut reader = RedisJournal::open(options(server.url())).unwrap();
        assert_eq!(reader.read_after(0, 30).unwrap(), records(1..=30));
        let damaged = reader.read_after(30, 10);
        assert!(matches!(&damaged, Err(JournalError::Damaged { position: 31, .. })), "{damaged:?}");
        assert_eq!(reader.verify().unwrap().fault.unwrap().position, 31);
    }
}
