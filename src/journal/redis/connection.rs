//! The connection to Redis: made when it is needed, given up when it broke off.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use redis::{Connection, RedisError, RedisResult};
use sha1_smol::Sha1;

use crate::engine::ports::JournalError;

use super::source::Source;
use super::{Names, RedisOptions};

/// How soon it is tried again to connect, where nobody was reached.
const CONNECT_EVERY: Duration = Duration::from_millis(100);
/// The form of what is kept; a later one is refused.
const FORM: u32 = 1;

/// Why a journal in Redis was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenRedisError {
    /// The address is none, or nobody answers there.
    #[error("Redis cannot be reached: {0}")]
    NotReached(#[from] RedisError),
    /// A replica answers: it takes no records.
    #[error("this Redis is a replica, not the primary")]
    Replica,
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
pub(super) enum Failure {
    /// It was not asked: nobody is there who could be.
    NotReached(String),
    /// It refused: nothing was done.
    Refused(RedisError),
    /// It was asked, and then nothing was heard.
    BrokeOff(RedisError),
}

impl Failure {
    /// Of something that changes nothing.
    pub(super) fn of_reading(self) -> JournalError {
        JournalError::Unavailable(match self {
            Self::NotReached(why) => why,
            Self::Refused(error) | Self::BrokeOff(error) => error.to_string(),
        })
    }

    /// Of an append.
    pub(super) fn of_writing(self) -> JournalError {
        match self {
            Self::BrokeOff(error) => JournalError::OutcomeUnknown(error.to_string()),
            other => other.of_reading(),
        }
    }
}

/// What Redis says whose journal it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Meta {
    city: String,
    /// Names the journal for ever.
    pub(super) name: String,
    /// Raised whenever another server holds the journal than before.
    pub(super) epoch: u64,
    /// Which run of a server began it: two servers that took over from the same one count alike.
    pub(super) run: String,
}

impl Meta {
    /// The link before the first record.
    pub(super) fn genesis(&self) -> String {
        Sha1::from(format!("muster journal {} of {}", self.name, self.city)).digest().to_string()
    }

    /// Names the journal and its epoch, for those who resume.
    pub(super) fn epoch_name(&self) -> String {
        let run: String = self.run.chars().take(8).collect();
        format!("{}-{}-{run}", self.name, self.epoch)
    }
}

/// A connection that comes and goes.
pub(super) struct Link {
    source: Source,
    timeout: Duration,
    names: Names,
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
    /// Connects for the first time.
    pub(super) fn open(options: &RedisOptions, names: Names) -> Result<Self, OpenRedisError> {
        let source = Source::parse(&options.url)?;
        let (timeout, city) = (options.timeout, options.city.to_string());
        let mut link = Self {
            source,
            timeout,
            names,
            city,
            connection: None,
            meta: Meta::default(),
            is_fresh: false,
            not_reached: None,
            alive: Arc::default(),
        };
        link.connect()?;
        Ok(link)
    }

    /// What Redis said when it was connected to last.
    pub(super) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Connects where there is no connection.
    pub(super) fn stand(&mut self) -> Result<(), Failure> {
        if self.connection.is_some() {
            return Ok(());
        }
        // Each attempt may take its whole time: not everybody who waits makes one.
        if self.not_reached.is_some_and(|at| at.elapsed() < CONNECT_EVERY) {
            return Err(Failure::NotReached("Redis was not reached a moment ago".to_owned()));
        }
        self.connect().map_err(|error| {
            self.not_reached = Some(Instant::now());
            Failure::NotReached(error.to_string())
        })
    }

    /// Whether nobody has looked yet what is there on this connection.
    pub(super) const fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// What is there is what was there before.
    pub(super) const fn was_looked_at(&mut self) {
        self.is_fresh = false;
    }

    /// Gives the connection up: the next finds out whose turn it is.
    pub(super) fn give_up(&mut self) {
        self.connection = None;
    }

    /// Where the primary is.
    pub(super) fn source(&self) -> Source {
        self.source.clone()
    }

    /// Gone once the link is.
    pub(super) fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }

    /// Does something on the connection, which is made anew where it broke off.
    pub(super) fn with<T>(&mut self, what: impl FnOnce(&mut Connection) -> RedisResult<T>) -> Result<T, Failure> {
        self.stand()?;
        let Some(connection) = &mut self.connection else {
            return Err(Failure::NotReached("there is no connection".to_owned()));
        };
        what(connection).map_err(|error| match error.code() {
            // Whoever is no primary (any more) is not asked again: the next connection finds out who is.
            Some("READONLY") => {
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

    /// Connects to the primary, and begins an epoch where it is another than before.
    fn connect(&mut self) -> Result<(), OpenRedisError> {
        let mut connection = self.source.connect(self.timeout)?;
        let is_first = self.meta == Meta::default();
        let info: String = redis::cmd("INFO").query(&mut connection)?;
        let of = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        if of("role:") != "master" {
            return Err(OpenRedisError::Replica);
        }
        let mut enter = redis::cmd("EVAL");
        enter.arg(include_str!("enter.lua")).arg(1).arg(&self.names.meta);
        // A journal is laid out where one is opened, never where one was lost.
        let name = if is_first { uuid::Uuid::now_v7().to_string() } else { String::new() };
        enter.arg(FORM).arg(&self.city).arg(of("run_id:")).arg(name);
        let found: [Option<String>; 5] = enter.query(&mut connection)?;
        if !is_first && found.iter().all(Option::is_none) {
            return Err(OpenRedisError::Lost);
        }
        let not_ours = || OpenRedisError::NotAJournal(self.names.meta.clone());
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
