//! L3: what keeps the core going. [`Muster`] is the handle that everybody outside holds: read the city, give an order.
//!
//! [`driver`] is the thread that decides, appends and takes in; [`reading`] is how the city is read meanwhile; [`clock`] is the only
//! reader of a clock.

pub mod clock;
mod driver;
mod reading;
pub mod stats;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::city::City;
use crate::domain::actor::Actor;
use crate::domain::command::{Command, Order};
use crate::domain::event::Record;
use crate::domain::ids::CommandId;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::engine::ports::{Journal, JournalError, Publisher, Wake};
use crate::engine::{Answer, Engine, Limits};

pub use reading::Reading;

use clock::Clock;
use driver::{Driver, Input, Shared, Waiting};
use stats::Stats;

/// Commands on their way to the driver; more are refused as overloaded.
const INBOX_MAX: usize = 16_384;
/// Records read at once when the journal is taken in at the start.
const REPLAY_CHUNK: usize = 10_000;

/// What a city is started with.
pub struct Parts {
    /// Where events are made durable.
    pub journal: Box<dyn Journal>,
    /// Who is told of each record.
    pub publisher: Box<dyn Publisher>,
    /// Who knows the time.
    pub clock: Arc<dyn Clock>,
    /// What the rules depend on.
    pub policy: Policy,
    /// Bounds of the engine.
    pub limits: Limits,
    /// Of how many of the last records the publisher is told at the start, so that phones can resume.
    pub history: u64,
}

/// Why the driver ended before it was told to. What is true can be told only by a start that reads the journal anew.
#[derive(Debug, thiserror::Error)]
pub enum DriverDied {
    /// The code is wrong; where, the panic said.
    #[error("the driver panicked")]
    Panicked,
    /// The journal is not what it should be.
    #[error(transparent)]
    Journal(JournalError),
}

/// The running city. Cheap to clone.
#[derive(Clone)]
pub struct Muster(Arc<Inner>);

struct Inner {
    city: Arc<RwLock<City>>,
    clock: Arc<dyn Clock>,
    stats: Arc<Stats>,
    policy: Policy,
    journal_epoch: Arc<RwLock<Arc<str>>>,
    inbox: Arc<SyncSender<Input>>,
    driver: Mutex<Option<JoinHandle<Result<(), JournalError>>>>,
}

impl Muster {
    /// Takes the whole journal in, then starts the driver.
    ///
    /// # Errors
    /// When the journal cannot be read to its end.
    pub fn start(parts: Parts) -> Result<Self, JournalError> {
        let (muster, driver) = Self::prepare(parts)?;
        let thread = std::thread::Builder::new().name("muster-driver".to_owned()).spawn(|| driver.run());
        let thread = thread.map_err(|error| JournalError::Unavailable(error.to_string()))?;
        *muster.0.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(muster)
    }

    /// The same, with a driver that is turned by hand: a simulation has one thread, and its own time.
    ///
    /// # Errors
    /// When the journal cannot be read to its end.
    #[cfg(feature = "testing")]
    pub fn by_hand(parts: Parts) -> Result<(Self, ByHand), JournalError> {
        Self::prepare(parts).map(|(muster, driver)| (muster, ByHand(driver)))
    }

    fn prepare(parts: Parts) -> Result<(Self, Driver), JournalError> {
        let Parts { mut journal, mut publisher, clock, policy, limits, history } = parts;
        let mut engine = Engine::new(policy.clone(), limits);
        let mut city = City::default();
        let last = journal.last_position()?;
        read_all(&mut *journal, &mut engine, &mut city, |city, record| {
            if record.position + history > last {
                publisher.publish(city, record);
            }
        })?;
        let journal_epoch = Arc::new(RwLock::new(Arc::from(journal.epoch())));
        let city = Arc::new(RwLock::new(city));
        let stats = Arc::new(Stats::default());
        let (inbox, commands) = sync_channel(INBOX_MAX);
        let inbox = Arc::new(inbox);
        // What was written between the reading above and the watch is news, too.
        let news = Arc::new(AtomicU64::new(u64::MAX));
        journal.watch(waker(&inbox, &news));
        let shared = Shared {
            city: city.clone(),
            clock: clock.clone(),
            stats: stats.clone(),
            journal_epoch: journal_epoch.clone(),
        };
        let driver = Driver::new(engine, journal, publisher, shared, commands, news);
        let inner = Inner { city, clock, stats, policy, journal_epoch, inbox, driver: Mutex::new(None) };
        Ok((Self(Arc::new(inner)), driver))
    }

    /// The city as it stands. Do not hold it across an await: the driver waits for it.
    ///
    /// # Panics
    /// In a debug build, when this thread reads it already: that may hang.
    pub fn city(&self) -> Reading<'_> {
        Reading::of(&self.0.city)
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// What the rules depend on.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Names the journal, and the server that holds it where that may change: positions of another epoch mean nothing here.
    pub fn journal_epoch(&self) -> Arc<str> {
        self.0.journal_epoch.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the driver counts.
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// Gives an order; the answer comes when it is durable, or refused.
    ///
    /// # Errors
    /// Why it was refused; [`Refusal::Overloaded`] when too many wait, [`Refusal::JournalUnavailable`] when it cannot be written,
    /// [`Refusal::OutcomeUnknown`] when the driver ended before it answered: alone of all it may have been done.
    pub async fn order(&self, actor: Actor, id: CommandId, epoch: Option<u32>, command: Command) -> Answer {
        self.give(actor, id, epoch, command).await
    }

    /// The same, for those who give several: the order is given here and now, and only its answer is waited for. Orders of one giver
    /// are taken in the order in which they were given.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub fn give(
        &self,
        actor: Actor,
        id: CommandId,
        epoch: Option<u32>,
        command: Command,
    ) -> impl Future<Output = Answer> + Send + use<> {
        // What the command says is not logged: it may name people's misfortunes.
        let span = tracing::info_span!("order", %id, kind = command.name());
        let digest = digest(&command, epoch);
        let order = Box::new(Order { id, actor, at: self.now(), epoch, digest, command });
        let (reply, answer) = oneshot::channel();
        let given = self.0.inbox.try_send(Input::Order(order, Waiting { reply, span })).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Overloaded {},
            TrySendError::Disconnected(_) => Refusal::JournalUnavailable {},
        });
        async move {
            given?;
            answer.await.unwrap_or(Err(Refusal::OutcomeUnknown {}))
        }
    }

    /// Looks at the timers now; returns when all that was due is done. Tests move their clock, then call this.
    pub async fn tick(&self) {
        let (settled, done) = oneshot::channel();
        if self.0.inbox.try_send(Input::Tick(settled)).is_ok() {
            // An error means that the driver has ended: nothing is due any more.
            drop(done.await);
        }
    }

    /// Finishes what waits, and ends the driver. Later orders are refused.
    ///
    /// # Errors
    /// Why the driver had ended before it was told to. What was acknowledged is on disk all the same.
    pub fn stop(&self) -> Result<(), DriverDied> {
        // A full inbox is being worked off; a driver that is gone needs no stopping.
        drop(self.0.inbox.send(Input::Stop));
        let driver = self.0.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        match driver.map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(DriverDied::Journal(error)),
            Some(Err(_)) => Err(DriverDied::Panicked),
        }
    }

    /// Whether the driver still runs; when not, the process should end and be started again.
    pub fn is_running(&self) -> bool {
        let driver = self.0.driver.lock().unwrap_or_else(PoisonError::into_inner);
        driver.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

/// A driver that does nothing by itself.
#[cfg(feature = "testing")]
pub struct ByHand(Driver);

#[cfg(feature = "testing")]
impl ByHand {
    /// Does what a running driver does in one turn; `is_time` says whether it looks at its timers. False once it has ended.
    ///
    /// # Errors
    /// Why it ended before it was told to.
    pub fn turn(&mut self, is_time: bool) -> Result<bool, JournalError> {
        if self.0.goes_on() {
            self.0.turn(is_time);
        }
        if self.0.goes_on() { Ok(true) } else { self.0.end().map(|()| false) }
    }
}

/// Takes in all that the journal holds after the city's position.
fn read_all(
    journal: &mut dyn Journal,
    engine: &mut Engine,
    city: &mut City,
    mut told: impl FnMut(&City, &Record),
) -> Result<(), JournalError> {
    let last = journal.last_position()?;
    while city.position() < last {
        let records = journal.read_after(city.position(), REPLAY_CHUNK)?;
        if records.is_empty() {
            let why = format!("it ends here, but should go on to {last}");
            return Err(JournalError::Damaged { position: city.position(), why });
        }
        engine.take_in(city, &records, &mut told);
    }
    Ok(())
}

/// Wakes the driver when other nodes may have written. It does not keep alive who is gone.
fn waker(inbox: &Arc<SyncSender<Input>>, news: &Arc<AtomicU64>) -> Wake {
    let (inbox, news) = (Arc::downgrade(inbox), news.clone());
    Box::new(move |position| {
        // Who was woken and has not looked yet will look far enough.
        if news.fetch_max(position, Ordering::AcqRel) == 0
            && let Some(inbox) = inbox.upgrade()
        {
            // Full, the driver is awake and looks after each round.
            drop(inbox.try_send(Input::News));
        }
    })
}

/// Tells a repeat of a command from another one under the same id: 64 bits of the SHA-256 of its JSON.
fn digest(command: &Command, epoch: Option<u32>) -> u64 {
    let text = serde_json::to_vec(&(command, epoch)).unwrap_or_default();
    let hash: [u8; 32] = Sha256::digest(&text).into();
    u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use uuid::Uuid;

    use super::clock::SystemClock;
    use super::*;
    use crate::domain::hazard::Hazard;
    use crate::domain::ids::IncidentId;
    use crate::journal::memory::MemoryJournal;

    /// How long a test waits for what must come.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Looks at the city from another thread while it is told of a record, and says at which position it found it.
    struct Looker {
        city: Arc<OnceLock<Muster>>,
        found: Sender<Option<u64>>,
    }

    impl Publisher for Looker {
        fn publish(&mut self, _: &City, _: &Record) {
            let Some(muster) = self.city.get().cloned() else { return };
            let (look, looked) = channel();
            std::thread::spawn(move || look.send(muster.city().position()));
            self.found.send(looked.recv_timeout(PATIENCE).ok()).unwrap();
        }
    }

    #[tokio::test]
    async fn reading_goes_on_while_an_order_is_told() {
        let (city, (found, looks)) = (Arc::new(OnceLock::new()), channel());
        let parts = Parts {
            journal: Box::new(MemoryJournal::new("test")),
            publisher: Box::new(Looker { city: city.clone(), found }),
            clock: Arc::new(SystemClock),
            policy: Policy::default(),
            limits: Limits::default(),
            history: 0,
        };
        let muster = Muster::start(parts).unwrap();
        assert!(city.set(muster.clone()).is_ok());
        let id = IncidentId(Uuid::from_u128(1));
        let command = Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title: "演练".into() };
        let done = muster.order(Actor::system(), CommandId(id.0), None, command).await.unwrap();
        assert_eq!(looks.recv().unwrap(), Some(done.position), "durable and taken in, so it may be read");
        muster.stop().unwrap();
    }
}
