//! Where the primary is: at an address, where Sentinels say, or at whichever server of a Cluster holds the city's slot.

use std::time::Duration;

use redis::{Client, Connection, ErrorKind, RedisError, RedisResult};

/// How the address of Sentinels begins: `redis+sentinel://[user:password@]host:port,host:port/NAME[/DB]`.
const SENTINEL_SCHEME: &str = "redis+sentinel://";
/// How the address of a Cluster begins: `redis+cluster://[user:password@]host:port,host:port`. All of a city lies in one slot.
const CLUSTER_SCHEME: &str = "redis+cluster://";
/// The port of a Sentinel whose address names none.
const SENTINEL_PORT: u16 = 26_379;

/// Where the primary is. Cheap to clone.
///
/// The redis crate has a Sentinel client of its own; it connects to them without a limit of time, and one that is frozen would hold up
/// the driver.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Always there.
    Address(Client),
    /// Wherever one of them says.
    Sentinels {
        /// Asked in turn.
        sentinels: Vec<Client>,
        /// By which name they know the primary.
        name: String,
        /// How the primary is signed in to: `user:password@`, or nothing.
        user: String,
        /// `/DB`, or nothing.
        database: String,
    },
    /// At whichever of a Cluster's servers holds the slot.
    Cluster {
        /// Asked in turn.
        seeds: Vec<Client>,
        /// How the others are signed in to: `user:password@`, or nothing.
        user: String,
        /// A key of the slot.
        key: String,
    },
}

impl Source {
    /// From an address; `key` is one of those that are kept there.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn parse(url: &str, key: &str) -> RedisResult<Self> {
        if let Some(rest) = url.strip_prefix(CLUSTER_SCHEME) {
            let (user, hosts) = rest.trim_end_matches('/').rsplit_once('@').unwrap_or(("", rest.trim_end_matches('/')));
            let user = if user.is_empty() { String::new() } else { format!("{user}@") };
            let seed = |host: &str| Client::open(format!("redis://{user}{host}/"));
            let seeds = hosts.split(',').map(seed).collect::<RedisResult<_>>()?;
            return Ok(Self::Cluster { seeds, user, key: key.to_owned() });
        }
        let Some(rest) = url.strip_prefix(SENTINEL_SCHEME) else { return Client::open(url).map(Self::Address) };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, database) = path.split_once('/').unwrap_or((path, ""));
        if name.is_empty() {
            return Err(RedisError::from((ErrorKind::InvalidClientConfig, "the address names no primary")));
        }
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let sentinel = |host: &str| {
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            Client::open(if has_port { format!("redis://{host}") } else { format!("redis://{host}:{SENTINEL_PORT}") })
        };
        Ok(Self::Sentinels {
            sentinels: hosts.split(',').map(sentinel).collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            user: if user.is_empty() { String::new() } else { format!("{user}@") },
            database: if database.is_empty() { String::new() } else { format!("/{database}") },
        })
    }

    /// Connects to whoever is the primary now. No step takes longer than `within`.
    ///
    /// # Errors
    /// When nobody is reached, or nobody knows.
    pub(crate) fn connect(&self, within: Duration) -> RedisResult<Connection> {
        match self {
            Self::Address(client) => connect(client, within),
            Self::Sentinels { sentinels, name, user, database } => primary_by(sentinels, within, |sentinel| {
                let (host, port) = ask(sentinel, name, within)?;
                Client::open(format!("redis://{user}{host}:{port}{database}"))
            }),
            Self::Cluster { seeds, user, key } => primary_by(seeds, within, |seed| {
                let (host, port) = holder(seed, key, within)?;
                Client::open(format!("redis://{user}{host}:{port}/"))
            }),
        }
    }
}

/// Connects to the primary that the first of them knows who knows one: one that was cut off may name a server that is gone, or no primary
/// any more, and the next may know better.
fn primary_by(
    asked: &[Client],
    within: Duration,
    told: impl Fn(&Client) -> RedisResult<Client>,
) -> RedisResult<Connection> {
    let mut last = RedisError::from((ErrorKind::InvalidClientConfig, "the address names nobody to ask"));
    for one in asked {
        let found = told(one).and_then(|client| {
            let mut connection = connect(&client, within)?;
            check_primary(&mut connection)?;
            Ok(connection)
        });
        match found {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Which server of a Cluster holds the slot of a key, as one of them says.
fn holder(seed: &Client, key: &str, within: Duration) -> RedisResult<(String, u16)> {
    let mut connection = connect(seed, within)?;
    let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(key).query(&mut connection)?;
    let shards: Vec<redis::Value> = redis::cmd("CLUSTER").arg("SLOTS").query(&mut connection)?;
    let holds = |shard: &redis::Value| {
        let parts = shard.as_sequence()?;
        let number = |at: usize| redis::from_redis_value::<u16>(parts.get(at)?.clone()).ok();
        let primary = parts.get(2)?.as_sequence()?;
        let host: String = redis::from_redis_value(primary.first()?.clone()).ok()?;
        let port: u16 = redis::from_redis_value(primary.get(1)?.clone()).ok()?;
        (number(0)?..=number(1)?).contains(&slot).then_some((host, port))
    };
    let found = shards.iter().find_map(holds);
    found.ok_or_else(|| {
        RedisError::from((ErrorKind::InvalidClientConfig, "no server of the Cluster holds the city's slot"))
    })
}

/// Whether this is an address of Redis, of Sentinels, or of a Cluster.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(url: &str) -> RedisResult<()> {
    Source::parse(url, "").map(drop)
}

fn connect(client: &Client, within: Duration) -> RedisResult<Connection> {
    let connection = client.get_connection_with_timeout(within)?;
    connection.set_read_timeout(Some(within))?;
    connection.set_write_timeout(Some(within))?;
    Ok(connection)
}

fn check_primary(connection: &mut Connection) -> RedisResult<()> {
    let role: redis::Value = redis::cmd("ROLE").query(connection)?;
    let name = role.as_sequence().and_then(|parts| redis::from_redis_value::<String>(parts.first()?.clone()).ok());
    if name.as_deref() == Some("master") {
        Ok(())
    } else {
        Err((ErrorKind::Client, "it is no primary any more").into())
    }
}

/// Where a Sentinel says that the primary is.
fn ask(sentinel: &Client, name: &str, within: Duration) -> RedisResult<(String, u16)> {
    let mut connection = connect(sentinel, within)?;
    let found: Option<(String, u16)> =
        redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name).query(&mut connection)?;
    found.ok_or_else(|| RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, "no primary has this name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_a_server_or_of_sentinels() {
        assert!(matches!(Source::parse("redis://127.0.0.1:6379/2", ""), Ok(Source::Address(_))));
        let found = Source::parse("redis+sentinel://:secret@10.0.0.1:5000,10.0.0.2/muster/3", "").unwrap();
        let Source::Sentinels { sentinels, name, user, database } = found else { panic!("{found:?}") };
        let addresses: Vec<_> = sentinels.iter().map(|one| one.get_connection_info().addr().to_string()).collect();
        assert_eq!(addresses, ["10.0.0.1:5000", "10.0.0.2:26379"]);
        assert_eq!((name.as_str(), user.as_str(), database.as_str()), ("muster", ":secret@", "/3"));
        for none in ["redis+sentinel://10.0.0.1", "redis+sentinel:///muster", "http://10.0.0.1", ""] {
            assert!(Source::parse(none, "").is_err(), "{none}");
        }
    }
}
