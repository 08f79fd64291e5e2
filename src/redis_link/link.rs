//! The connection to Redis: made when it is needed, given up when it broke off.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue, RedisError, RedisResult};
use sha1_smol::Sha1;

use super::source::Source;
use super::{AcknowledgeAfter, RedisOptions, key_of};

/// How soon it is tried again to connect, where nobody was reached.
const CONNECT_EVERY: Duration = Duration::from_millis(100);
/// The form of what is kept; a later one is refused.
const FORM: u32 = 1;

/// Why what a city keeps in Redis was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenRedisError {
    /// The address is none, or nobody answers there.
    #[error("Redis cannot be reached: {0}")]
    NotReached(#[from] RedisError),
    /// It did not answer, or refused.
    #[error("Redis did not do what it was asked: {0}")]
    NotAnswered(String),
    /// A replica answers: it takes no records.
    #[error("this Redis is a replica, not the primary")]
    Replica,
    /// No city was ever laid out there, under this code.
    #[error("Redis holds nothing of the city {0}: lay it out with `muster init`")]
    NotLaidOut(String),
    /// There was a journal, and nothing is there any more.
    #[error(
        "Redis holds no journal any more: it lost its data. Bring a copy back, or start Muster anew to begin an empty city"
    )]
    Lost,
    /// Whoever answers is behind who was there before.
    #[error("this Redis is in epoch {found}, which was over when epoch {known} began")]
    Superseded {
        /// Its epoch.
        found: u64,
        /// The latest that was seen.
        known: u64,
    },
    /// It is kept in a form of a later Muster.
    #[error("the journal has form {found}, this Muster knows up to {FORM}")]
    LaterForm {
        /// Which form it has.
        found: u32,
    },
    /// What is kept under the city's name is something else.
    #[error("what is kept under {0} is no journal of this city")]
    NotAJournal(String),
}

/// Why something that was asked of Redis was not answered.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was not asked: nobody is there who could be.
    NotReached(String),
    /// It refused: nothing was done.
    Refused(RedisError),
    /// It was asked, and then nothing was heard.
    BrokeOff(RedisError),
    /// What was written is written, but not where it is safe.
    TooFewReplicas(String),
}

impl Failure {
    /// Whether what was to be written may be written all the same.
    pub(crate) const fn leaves_open(&self) -> bool {
        matches!(self, Self::BrokeOff(_) | Self::TooFewReplicas(_))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotReached(why) | Self::TooFewReplicas(why) => f.write_str(why),
            Self::Refused(error) | Self::BrokeOff(error) => error.fmt(f),
        }
    }
}

impl From<Failure> for OpenRedisError {
    fn from(failure: Failure) -> Self {
        Self::NotAnswered(failure.to_string())
    }
}

/// What Redis says whose city it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    city: String,
    /// Names the journal for ever.
    pub(crate) name: String,
    /// Raised whenever another server holds the journal than before.
    pub(crate) epoch: u64,
    /// Which run of a server began it: two servers that took over from the same one count alike.
    pub(crate) run: String,
}

impl Meta {
    /// The link before the first record.
    pub(crate) fn genesis(&self) -> String {
        Sha1::from(format!("muster journal {} of {}", self.name, self.city)).digest().to_string()
    }

    /// Names the journal and its epoch, for those who resume.
    pub(crate) fn epoch_name(&self) -> String {
        let run: String = self.run.chars().take(8).collect();
        format!("{}-{}-{run}", self.name, self.epoch)
    }
}

/// A connection that comes and goes.
pub(crate) struct Link {
    source: Source,
    timeout: Duration,
    acknowledge_after: AcknowledgeAfter,
    /// The key of what says whose city it is.
    meta_key: String,
    city: String,
    connection: Option<Connection>,
    /// What Redis said when it was connected to last; before that, nothing.
    meta: Meta,
    /// The connection is new: what was read from the one before may not be there.
    is_fresh: bool,
    /// When nobody was reached last.
    not_reached: Option<Instant>,
    /// Whoever works for this link ends when it is gone.
    alive: Arc<()>,
}

impl Link {
    /// Connects to a city that was laid out there.
    pub(crate) fn open(options: &RedisOptions) -> Result<Self, OpenRedisError> {
        Self::connected(options, "")
    }

    /// Lays a city out there, unless it is there already, and connects to it.
    pub(crate) fn lay_out(options: &RedisOptions) -> Result<Self, OpenRedisError> {
        Self::connected(options, &uuid::Uuid::now_v7().to_string())
    }

    fn connected(options: &RedisOptions, name: &str) -> Result<Self, OpenRedisError> {
        let mut link = Self {
            source: Source::parse(&options.url, &key_of(options.city, "meta"))?,
            timeout: options.timeout,
            acknowledge_after: options.acknowledge_after,
            meta_key: key_of(options.city, "meta"),
            city: options.city.to_string(),
            connection: None,
            meta: Meta::default(),
            is_fresh: false,
            not_reached: None,
            alive: Arc::default(),
        };
        link.connect(name)?;
        Ok(link)
    }

    /// What Redis said when it was connected to last.
    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Connects where there is no connection.
    pub(crate) fn stand(&mut self) -> Result<(), Failure> {
        if self.connection.is_some() {
            return Ok(());
        }
        // Each attempt may take its whole time: not everybody who waits makes one.
        if self.not_reached.is_some_and(|at| at.elapsed() < CONNECT_EVERY) {
            return Err(Failure::NotReached("Redis was not reached a moment ago".to_owned()));
        }
        self.connect("").map_err(|error| {
            self.not_reached = Some(Instant::now());
            Failure::NotReached(error.to_string())
        })
    }

    /// Whether nobody has looked yet what is there on this connection.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// What is there is what was there before.
    pub(crate) const fn was_looked_at(&mut self) {
        self.is_fresh = false;
    }

    /// Gives the connection up: the next finds out whose turn it is.
    pub(crate) fn give_up(&mut self) {
        self.connection = None;
    }

    /// Where the primary is.
    pub(crate) fn source(&self) -> Source {
        self.source.clone()
    }

    /// Gone once the link is.
    pub(crate) fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }

    /// Does something on the connection, which is made anew where it broke off.
    pub(crate) fn with<T>(&mut self, what: impl FnOnce(&mut Connection) -> RedisResult<T>) -> Result<T, Failure> {
        self.stand()?;
        let Some(connection) = &mut self.connection else {
            return Err(Failure::NotReached("there is no connection".to_owned()));
        };
        what(connection).map_err(|error| match error.code() {
            // Whoever is no primary (any more) is not asked again: the next connection finds out who is.
            Some("READONLY" | "MOVED" | "CLUSTERDOWN") => {
                self.connection = None;
                Failure::Refused(error)
            }
            Some(_) => Failure::Refused(error),
            None => {
                self.connection = None;
                Failure::BrokeOff(error)
            }
        })
    }

    /// Asks something on the connection.
    pub(crate) fn ask<T: FromRedisValue>(&mut self, command: &redis::Cmd) -> Result<T, Failure> {
        self.with(|connection| command.query(connection))
    }

    /// Waits until as many replicas as were asked for have all that was written on this connection.
    pub(crate) fn wait_for_replicas(&mut self) -> Result<(), Failure> {
        let AcknowledgeAfter::Replicas(wanted) = self.acknowledge_after else { return Ok(()) };
        let within = self.timeout.as_millis() / 2;
        let mut command = redis::cmd("WAIT");
        command.arg(wanted).arg(within.to_string());
        let have: u8 = self.ask(&command)?;
        if have >= wanted {
            return Ok(());
        }
        // It may be a primary that others have left.
        self.give_up();
        Err(Failure::TooFewReplicas(format!("{have} of {wanted} replicas have it after {within} ms")))
    }

    /// Connects to the primary, and begins an epoch where it is another than before. Under `name`, where it is not empty, a city is
    /// laid out where there is none.
    fn connect(&mut self, name: &str) -> Result<(), OpenRedisError> {
        let mut connection = self.source.connect(self.timeout)?;
        let is_first = self.meta == Meta::default();
        let info: String = redis::cmd("INFO").query(&mut connection)?;
        let of = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        if of("role:") != "master" {
            return Err(OpenRedisError::Replica);
        }
        let mut enter = redis::cmd("EVAL");
        enter.arg(include_str!("enter.lua")).arg(1).arg(&self.meta_key);
        enter.arg(FORM).arg(&self.city).arg(of("run_id:")).arg(name);
        let found: [Option<String>; 5] = enter.query(&mut connection)?;
        if found.iter().all(Option::is_none) {
            return Err(if is_first { OpenRedisError::NotLaidOut(self.city.clone()) } else { OpenRedisError::Lost });
        }
        let not_ours = || OpenRedisError::NotAJournal(self.meta_key.clone());
        let [Some(form), Some(city), Some(name), Some(epoch), Some(run)] = found else { return Err(not_ours()) };
        let (Ok(form), Ok(epoch)) = (form.parse::<u32>(), epoch.parse::<u64>()) else { return Err(not_ours()) };
        if form > FORM {
            return Err(OpenRedisError::LaterForm { found: form });
        }
        if city != self.city {
            return Err(not_ours());
        }
        if epoch < self.meta.epoch {
            return Err(OpenRedisError::Superseded { found: epoch, known: self.meta.epoch });
        }
        self.meta = Meta { city, name, epoch, run };
        (self.connection, self.is_fresh, self.not_reached) = (Some(connection), true, None);
        Ok(())
    }
}
