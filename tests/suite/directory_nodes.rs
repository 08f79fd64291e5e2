//! The directory that several nodes share, on a real Redis: whatever one node wrote holds on all, and Redis can read none of it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Barrier, Mutex};
use std::thread;

use muster::directory::accounts::NewAccount;
use muster::directory::looks::{Look, LookedAt};
use muster::directory::passwords::{Password, PasswordHash};
use muster::directory::people::PersonEntry;
use muster::directory::sessions::SessionKind;
use muster::directory::shared::SharedOptions;
use muster::directory::sign_in::SignIn;
use muster::directory::{Directory, DirectoryError};
use muster::domain::actor::{Grant, Role};
use muster::domain::ids::PersonId;
use muster::domain::refusal::Refusal;
use muster::domain::time::Timestamp;
use muster::journal::RedisJournal;
use muster::redis_link::RedisOptions;
use tempfile::TempDir;
use uuid::Uuid;

use crate::redis_server::{RedisServer, eventually};

const NOW: Timestamp = Timestamp(1_795_500_000_000_000);

/// A server with a city laid out in it, and a folder for the nodes' files.
struct City {
    server: RedisServer,
    folder: TempDir,
}

impl City {
    fn new() -> Self {
        let (server, folder) = (RedisServer::start(), TempDir::new().unwrap());
        drop(RedisJournal::lay_out(redis(&server)).unwrap());
        Self { server, folder }
    }

    fn node(&self, name: &str) -> Directory {
        open(&self.folder.path().join(name), &self.server).unwrap()
    }

    fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        command.query(&mut redis::Client::open(self.server.url()).unwrap().get_connection().unwrap()).unwrap()
    }
}

fn redis(server: &RedisServer) -> RedisOptions {
    RedisOptions::new(server.url(), "1404".parse().unwrap())
}

fn open(path: &Path, server: &RedisServer) -> Result<Directory, DirectoryError> {
    Directory::open_shared(path, &SharedOptions { redis: redis(server), key: "5a".repeat(32).parse().unwrap() })
}

fn id(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn entry(n: u128) -> PersonEntry {
    PersonEntry { id: id(n), name: format!("张某{n}"), phone: Some(format!("1380000{n:04}")), note: None }
}

fn account(n: u128) -> NewAccount {
    let login = format!("one.{n}").parse().unwrap();
    NewAccount {
        login,
        person: id(n),
        hash: PasswordHash::of(&Password::parse("correct horse").unwrap()).unwrap(),
        grants: vec![],
    }
}

fn observer() -> Grant {
    Grant { role: Role::Observer, area: "1404".parse().unwrap() }
}

#[tokio::test]
async fn what_one_node_wrote_holds_on_the_other() {
    let city = City::new();
    let [one, other] = ["one", "other"].map(|name| city.node(name));
    one.upsert_people(&[entry(1), entry(2)]).unwrap();
    one.create_with_hash(&[account(1)], NOW).unwrap();
    let token = one.create_session(id(1), SessionKind::Bearer, NOW).unwrap();
    // The phone that signed in at one node opens its socket at the other, at once.
    assert_eq!(other.session(token.expose(), NOW).await.unwrap().person, id(1));
    assert_eq!(other.people(&[id(1), id(2)]).unwrap(), [entry(1), entry(2)]);

    other.grant(id(1), observer()).unwrap();
    eventually("the grant is known", || one.account(id(1)).unwrap().unwrap().grants == [observer()]);
    let invitation = one.invite(&[id(2)], NOW).unwrap().remove(0);
    assert_eq!(other.redeem(invitation.expose(), NOW).unwrap().1.person, id(2));
    assert_eq!(one.redeem(invitation.expose(), NOW).unwrap_err().refusal(), Refusal::InvitationUsed {});
    let household = "140403001001001/3-2-502".parse().unwrap();
    let link = one.sign_link(household, NOW.plus_s(60)).unwrap();
    assert_eq!(other.verify_link(&link, NOW).unwrap().household, household, "one key signs the links of all nodes");
}

/// How somebody loses a right, or gets one.
type Way = fn(&Directory, PersonId, &str);

#[test]
fn who_loses_a_right_on_one_node_loses_it_on_the_other() {
    let city = City::new();
    let [one, other] = ["one", "other"].map(|name| city.node(name));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let unseated = std::sync::Arc::new(Mutex::new(HashSet::new()));
    let told = unseated.clone();
    other.on_unseated(move |people| told.lock().unwrap().extend(people.iter().copied()));

    let ways: [(&str, Way); 5] = [
        ("revoked", |one, _, token| one.revoke_session(token).unwrap()),
        ("all revoked", |one, person, _| assert_eq!(one.revoke_sessions_of(person).unwrap(), 1)),
        ("granted", |one, person, _| one.grant(person, observer()).unwrap()),
        ("disabled", |one, person, _| one.set_disabled(person, true).unwrap()),
        ("erased", |one, person, _| one.erase_person(person, NOW).unwrap()),
    ];
    for (n, (how, end)) in (1..).zip(ways) {
        one.upsert_people(&[entry(n)]).unwrap();
        one.create_with_hash(&[account(n)], NOW).unwrap();
        other.catch_up().unwrap();
        let token = one.create_session(id(n), SessionKind::Bearer, NOW).unwrap();
        let session = || runtime.block_on(other.session(token.expose(), NOW)).map_err(|error| error.refusal());
        assert_eq!(session().unwrap().grants.len(), 0);
        unseated.lock().unwrap().clear();
        end(&one, id(n), token.expose());
        eventually(how, || {
            unseated.lock().unwrap().contains(&id(n))
                && match session() {
                    Ok(session) => how == "granted" && *session.grants == [observer()],
                    Err(refusal) => how != "granted" && refusal == Refusal::NotSignedIn {},
                }
        });
    }
}

#[test]
fn of_many_who_try_at_several_nodes_one_gets_it_and_nothing_is_lost() {
    const EACH: u128 = 20;
    let city = City::new();
    let nodes = ["one", "two", "three"].map(|name| city.node(name));
    nodes[0].upsert_people(&[entry(1)]).unwrap();
    let invitation = nodes[0].invite(&[id(1)], NOW).unwrap().remove(0);
    let at_once = Barrier::new(nodes.len());
    let redeemed: usize = thread::scope(|scope| {
        let (at_once, invitation) = (&at_once, &invitation);
        let nodes: Vec<_> = (0..)
            .zip(&nodes)
            .map(|(nth, node)| {
                scope.spawn(move || {
                    at_once.wait();
                    let redeemed = node.redeem(invitation.expose(), NOW);
                    for n in 0..EACH {
                        node.upsert_people(&[entry(100 + nth * EACH + n)]).unwrap();
                        node.log_look(&Look { by: id(1), at: LookedAt::Person(id(n)), why: "点名".into() }, NOW)
                            .unwrap();
                    }
                    match redeemed {
                        Ok(_) => 1,
                        Err(error) => {
                            assert_eq!(error.refusal(), Refusal::InvitationUsed {});
                            0
                        }
                    }
                })
            })
            .collect();
        nodes.into_iter().map(|node| node.join().unwrap()).sum()
    });
    assert_eq!(redeemed, 1);
    let late = city.node("late");
    for node in nodes.iter().chain([&late]) {
        node.catch_up().unwrap();
        assert_eq!(node.people(&(0..200).map(id).collect::<Vec<_>>()).unwrap().len(), 61);
        let looks = node.looks("1404".parse().unwrap(), None, 200).unwrap();
        let numbers: HashSet<i64> = looks.iter().map(|look| look.id).collect();
        assert_eq!((looks.len(), numbers.len()), (60, 60), "each look is there once, under a number of its own");
    }
}

#[test]
fn a_node_that_was_away_catches_up_by_what_changed_or_by_all() {
    let city = City::new();
    let (one, away) = (city.node("one"), city.node("away"));
    one.upsert_people(&[entry(1), entry(2)]).unwrap();
    away.catch_up().unwrap();
    drop(away);
    one.erase_person(id(2), NOW).unwrap();
    one.upsert_people(&[entry(3)]).unwrap();
    let back = city.node("away");
    assert_eq!(back.people(&[id(1), id(2), id(3)]).unwrap(), [entry(1), entry(3)]);
    // More than the stream names: everybody reads all.
    let many: Vec<_> = (10..5_000).map(entry).collect();
    one.upsert_people(&many).unwrap();
    eventually("all are known", || back.person(id(4_999)).unwrap().is_some());
    drop(back);
    // And as little as that where the stream was cut behind it.
    one.erase_person(id(3), NOW).unwrap();
    let _: u64 = city.ask(redis::cmd("XTRIM").arg("{muster:1404}:directory:changes").arg("MAXLEN").arg(1));
    one.upsert_people(&[entry(2_000_000)]).unwrap();
    let _: u64 = city.ask(redis::cmd("XTRIM").arg("{muster:1404}:directory:changes").arg("MAXLEN").arg(1));
    let back = city.node("away");
    let left = back.people(&[id(1), id(3), id(10), id(4_999), id(2_000_000)]).unwrap();
    assert_eq!(left, [entry(1), entry(10), entry(4_999), entry(2_000_000)]);
    back.upsert_people(&[entry(4)]).unwrap();
    eventually("and it may write", || one.person(id(4)).unwrap().is_some());
}

#[test]
fn what_a_failover_lost_is_lost_on_every_node_alike() {
    let city = City::new();
    let one = city.node("one");
    one.upsert_people(&[entry(1)]).unwrap();
    let replica = city.server.replica();
    let mut connection = redis::Client::open(replica.url()).unwrap().get_connection().unwrap();
    let _: () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query(&mut connection).unwrap();
    // The old primary takes what the new one never hears of; the new one takes something else.
    one.upsert_people(&[entry(2)]).unwrap();
    drop(one);
    let elsewhere = open(&city.folder.path().join("other"), &replica).unwrap();
    elsewhere.upsert_people(&[entry(3)]).unwrap();
    let one = open(&city.folder.path().join("one"), &replica).unwrap();
    assert_eq!(one.people(&[id(1), id(2), id(3)]).unwrap(), [entry(1), entry(3)]);
}

#[test]
fn redis_holds_no_name_no_phone_and_no_login() {
    let city = City::new();
    let one = city.node("one");
    let secret = PersonEntry { name: "独一无二之名".into(), phone: Some("13999998888".into()), ..entry(7) };
    one.upsert_people(std::slice::from_ref(&secret)).unwrap();
    one.create_with_hash(&[account(7)], NOW).unwrap();
    let mut held = Vec::new();
    for key in city.ask::<Vec<String>>(redis::cmd("KEYS").arg("*")) {
        held.extend(city.ask::<Vec<u8>>(redis::cmd("DUMP").arg(&key)));
        held.extend(key.into_bytes());
    }
    let rows: Vec<Vec<u8>> = city.ask(redis::cmd("HGETALL").arg("{muster:1404}:directory"));
    held.extend(rows.concat());
    assert!(held.windows(6).any(|window| window == b"people"), "keys are to be read");
    for trace in [secret.name.as_bytes(), b"13999998888", b"one.7", b"argon2"] {
        assert!(
            !held.windows(trace.len()).any(|window| window == trace),
            "{} stands there",
            String::from_utf8_lossy(trace)
        );
    }
    one.erase_person(id(7), NOW).unwrap();
    let left: Vec<String> = city.ask(redis::cmd("HKEYS").arg("{muster:1404}:directory"));
    assert_eq!(left.iter().filter(|key| key.starts_with("accounts")).count(), 0, "{left:?}");

    let other_key = SharedOptions { redis: redis(&city.server), key: "a5".repeat(32).parse().unwrap() };
    let refused = Directory::open_shared(&city.folder.path().join("other"), &other_key).err().unwrap();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("another journal.directory_key"), "{why}");
}

#[test]
fn a_node_hears_of_what_was_written_while_its_connection_broke_off() {
    let mut city = City::new();
    let [one, other] = ["one", "other"].map(|name| city.node(name));
    one.upsert_people(&[entry(1)]).unwrap();
    one.create_with_hash(&[account(1)], NOW).unwrap();
    eventually("the other knows it", || other.account(id(1)).unwrap().is_some());
    city.server.kill();
    city.server.start_again();
    // Nothing else is written after it, and nobody asks the other for anything.
    eventually("it is written", || one.grant(id(1), observer()).is_ok());
    eventually("the other hears of it", || other.account(id(1)).unwrap().unwrap().grants == [observer()]);
}

#[test]
fn what_does_nothing_here_may_do_something_there() {
    let city = City::new();
    let one = city.node("one");
    one.upsert_people(&[entry(1)]).unwrap();
    one.create_with_hash(&[account(1)], NOW).unwrap();
    // One that hears nothing by itself, and is behind.
    let path = city.folder.path().join("behind");
    let options = SharedOptions { redis: redis(&city.server), key: "5a".repeat(32).parse().unwrap() };
    let behind = Directory::open_shared_for_now(&path, &options).unwrap();
    one.grant(id(1), observer()).unwrap();
    let token = one.create_session(id(1), SessionKind::Bearer, NOW).unwrap();
    assert_eq!(behind.account(id(1)).unwrap().unwrap().grants, []);
    behind.revoke_grant(id(1), observer()).unwrap();
    behind.revoke_session(token.expose()).unwrap();
    one.catch_up().unwrap();
    assert_eq!(one.account(id(1)).unwrap().unwrap().grants, []);
    assert_eq!(one.revoke_sessions_of(id(1)).unwrap(), 0);
    assert!(path.exists());
    drop(behind);
    let left: Vec<_> = std::fs::read_dir(city.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("behind")), "{left:?}");
}

#[test]
fn a_login_that_is_anothers_now_is_read_with_all_the_rest() {
    let city = City::new();
    let (one, away) = (city.node("one"), city.node("away"));
    one.upsert_people(&[entry(1), entry(2)]).unwrap();
    one.create_with_hash(&[account(1)], NOW).unwrap();
    away.catch_up().unwrap();
    assert!(away.account(id(1)).unwrap().is_some());
    drop(away);
    one.erase_person(id(1), NOW).unwrap();
    one.create_with_hash(&[NewAccount { person: id(2), ..account(1) }], NOW).unwrap();
    let many: Vec<_> = (10..5_000).map(entry).collect();
    one.upsert_people(&many).unwrap();
    let back = city.node("away");
    assert_eq!(back.account(id(2)).unwrap().unwrap().login, "one.1");
}

#[test]
fn who_is_erased_at_one_node_is_gone_from_every_file() {
    let city = City::new();
    let [one, other] = ["one", "other"].map(|name| city.node(name));
    let secret = PersonEntry { name: "独一无二之名".into(), phone: Some("13999998888".into()), ..entry(7) };
    one.upsert_people(std::slice::from_ref(&secret)).unwrap();
    eventually("the other knows them", || other.person(id(7)).unwrap().is_some());
    one.erase_person(id(7), NOW).unwrap();
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        [secret.name.as_bytes(), b"13999998888"]
            .iter()
            .any(|trace| bytes.windows(trace.len()).any(|part| part == *trace))
    };
    eventually("no file has them", || {
        std::fs::read_dir(city.folder.path()).unwrap().all(|file| !holds(&file.unwrap().path()))
    });
    assert_eq!(other.person(id(7)).unwrap(), None);
}

#[test]
fn a_redis_that_was_emptied_takes_nobody_with_it() {
    let city = City::new();
    let one = city.node("one");
    one.upsert_people(&[entry(1)]).unwrap();
    let _: () = city.ask(&redis::cmd("FLUSHALL"));
    let refused = one.upsert_people(&[entry(2)]).unwrap_err();
    assert_eq!(refused.refusal(), Refusal::DirectoryUnavailable {});
    assert!(one.catch_up().is_err());
    assert_eq!(one.people(&[id(1), id(2)]).unwrap(), [entry(1)]);
}

#[tokio::test]
async fn while_redis_is_away_reading_goes_on_and_nothing_is_written() {
    let mut city = City::new();
    let one = city.node("one");
    one.upsert_people(&[entry(1)]).unwrap();
    one.create_with_hash(&[account(1)], NOW).unwrap();
    let token = one.create_session(id(1), SessionKind::Bearer, NOW).unwrap();
    city.server.kill();
    assert_eq!(one.session(token.expose(), NOW).await.unwrap().person, id(1));
    assert_eq!(one.people(&[id(1)]).unwrap(), [entry(1)]);
    for _ in 0..2 {
        let refused = one.upsert_people(&[entry(2)]).unwrap_err();
        assert!(
            matches!(refused.refusal(), Refusal::DirectoryUnavailable {} | Refusal::OutcomeUnknown {}),
            "{refused:?}"
        );
    }
    assert_eq!(one.upsert_people(&[entry(2)]).unwrap_err().refusal(), Refusal::DirectoryUnavailable {});
    assert_eq!(one.people(&[id(2)]).unwrap(), []);
    // Whoever signs in with the right password meanwhile, again and again, is not locked out for it.
    let attempt = || SignIn {
        login: "one.1".into(),
        password: "correct horse".into(),
        from: std::net::IpAddr::from([192, 0, 2, 1]),
        kind: SessionKind::Bearer,
    };
    for _ in 0..20 {
        let refused = one.sign_in(attempt(), NOW).await.unwrap_err().refusal();
        assert!(matches!(refused, Refusal::DirectoryUnavailable {} | Refusal::OutcomeUnknown {}), "{refused:?}");
    }
    city.server.start_again();
    eventually("it can be written again", || one.upsert_people(&[entry(3)]).is_ok());
    assert_eq!(city.node("other").people(&[id(1), id(3)]).unwrap(), [entry(1), entry(3)]);
    assert!(one.sign_in(attempt(), NOW).await.is_ok());
}

#[test]
fn a_city_that_was_not_laid_out_is_not_begun_unasked() {
    let (server, folder) = (RedisServer::start(), TempDir::new().unwrap());
    let refused = open(&folder.path().join("one"), &server).err().unwrap();
    assert!(matches!(&refused, DirectoryError::Broken(why) if why.to_string().contains("muster init")), "{refused:?}");
    let held: u64 =
        redis::cmd("DBSIZE").query(&mut redis::Client::open(server.url()).unwrap().get_connection().unwrap()).unwrap();
    assert_eq!(held, 0);
}
