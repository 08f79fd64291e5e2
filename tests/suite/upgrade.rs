//! A node beside a later one: what it does not know ends it with a message, before it does harm, and it does not start again.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::process::{self, Server};
use crate::redis_server::{RedisServer, eventually};

/// What a later Muster wrote.
fn append(redis: &RedisServer, body: &str) -> u64 {
    let script = "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
        local position = tonumber(string.match(last[1], '^%d+')) + 1
        local link = redis.sha1hex(last[2][6] .. position .. '-0' .. ARGV[1])
        redis.call('XADD', KEYS[1], position .. '-0', 'key', 'city', 'command', 'later', 'link', link, 'body', ARGV[1])
        return position";
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    redis::cmd("EVAL").arg(script).arg(1).arg("{muster:1404}:journal").arg(body).query(&mut connection).unwrap()
}

fn length(redis: &RedisServer) -> u64 {
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    redis::cmd("XLEN").arg("{muster:1404}:journal").query(&mut connection).unwrap()
}

/// Starts a node, and waits until it says that it serves, or has ended; whether it serves.
fn start(data: &Path, redis: &RedisServer) -> (Child, bool) {
    let mut node = process::node(data, &redis.url());
    let mut node = node.arg("serve").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(node.stdout.take().unwrap()).lines().map_while(Result::ok);
    let serves = said.any(|line| line.contains("http://"));
    // Whoever reads it no more would have it end at its next word.
    std::thread::spawn(move || said.for_each(drop));
    (node, serves)
}

/// Why it ended, which it must within a moment.
fn end_of(mut node: Child) -> String {
    eventually("the node ends", || node.try_wait().unwrap().is_some());
    assert!(!node.wait().unwrap().success());
    let mut said = String::new();
    node.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_later_muster_wrote_ends_a_node_before_it_does_harm() {
    let unknown = json!({"v": 1, "at": 0, "id": "00000000-0000-0000-0000-000000000001", "giver": "system",
        "digest": "0000000000000000", "events": [{"later_event": {}}]});
    // The version stands first.
    let unknown = format!(
        "{{\"v\":1,{}",
        unknown.to_string().replacen('{', "", 1).replace("\"v\":1,", "").replace(",\"v\":1", "")
    );
    for (body, why) in
        [(r#"{"v":2,"at":0}"#.to_owned(), "written in version 2 by a later Muster"), (unknown, "later_event")]
    {
        let (redis, folder) = (RedisServer::start(), TempDir::new().unwrap());
        // Lays the city out, and leaves it to the other.
        assert_eq!(Server::start_node(&folder.path().join("first"), &redis.url(), true).stop(), Some(0));
        let data = folder.path().join("node");
        let (node, serves) = start(&data, &redis);
        assert!(serves);
        let position = append(&redis, &body);
        let said = end_of(node);
        assert!(said.contains(why) && said.contains(&format!("position {position}")), "{said}");
        let (node, serves) = start(&data, &redis);
        assert!(!serves, "it does not start again");
        let said = end_of(node);
        assert!(said.contains(why), "{said}");
        assert_eq!(length(&redis), position, "nothing was written after what it could not read");
    }
}
