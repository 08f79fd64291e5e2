//! The thread that drives the engine: it alone owns the journal, decides under the city's read lock, and takes in what is durable
//! under its write lock.
//!
//! Commands that come while the disk syncs are the next round. A thread, not a task, because an append blocks.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::Span;
use uuid::Uuid;

use crate::city::City;
use crate::domain::actor::Actor;
use crate::domain::command::Order;
use crate::domain::event::Record;
use crate::domain::ids::CommandId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::engine::ports::{Journal, JournalError, Publisher};
use crate::engine::{Answer, Engine, Round, Ticket, Tickets, timers};

use super::INBOX_MAX;
use super::clock::Clock;
use super::stats::Stats;

/// How long the driver sleeps at most before it looks at its timers.
const TICK: Duration = Duration::from_millis(200);

/// What the driver is told.
pub(super) enum Input {
    /// A command, and who waits for its answer.
    Order(Box<Order>, Waiting),
    /// Look at the timers now, and say when they have settled.
    Tick(oneshot::Sender<()>),
    /// Finish what waits, then end.
    Stop,
}

/// Who waits for an answer.
pub(super) struct Waiting {
    /// Where it goes. Whoever gave the command may have gone; what was done stays done, and a repeat of the id tells.
    pub(super) reply: oneshot::Sender<Answer>,
    /// The command's id and kind, for every line that is logged on its way.
    pub(super) span: Span,
}

impl Waiting {
    fn answer(self, answer: Answer) {
        self.span.in_scope(|| match &answer {
            Ok(done) => tracing::debug!(position = done.position, repeated = done.repeated, "done"),
            Err(refusal) => tracing::debug!(code = refusal.code(), "refused"),
        });
        drop(self.reply.send(answer));
    }
}

/// All that the driver owns.
pub(super) struct Driver {
    pub(super) engine: Engine,
    pub(super) journal: Box<dyn Journal>,
    pub(super) publisher: Box<dyn Publisher>,
    pub(super) city: Arc<RwLock<City>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: Arc<Stats>,
    pub(super) inbox: Receiver<Input>,
    waiting: HashMap<Ticket, Waiting>,
    settled: Vec<oneshot::Sender<()>>,
    /// Whether the timers were looked at since the last of `settled` asked.
    looked: bool,
    /// Orders of the clock that wait: as long as there are any, no others are given, or a slow disk would fill the queue with repeats.
    own_waiting: usize,
    stopping: bool,
    /// The journal says that it is damaged: only a fresh start can tell what is true.
    fatal: Option<JournalError>,
    /// Orders that the clock gives count up their own ids.
    own_orders: u64,
}

impl Driver {
    pub(super) fn new(
        engine: Engine,
        journal: Box<dyn Journal>,
        publisher: Box<dyn Publisher>,
        city: Arc<RwLock<City>>,
        clock: Arc<dyn Clock>,
        stats: Arc<Stats>,
        inbox: Receiver<Input>,
    ) -> Self {
        Self {
            engine,
            journal,
            publisher,
            city,
            clock,
            stats,
            inbox,
            waiting: HashMap::new(),
            settled: Vec::new(),
            looked: false,
            own_waiting: 0,
            stopping: false,
            fatal: None,
            own_orders: 0,
        }
    }

    /// Runs until told to stop, or until every sender is gone.
    ///
    /// # Errors
    /// When the journal is damaged; whoever waits was refused, and nothing is decided any more.
    pub(super) fn run(mut self) -> Result<(), JournalError> {
        let mut timers_at = Instant::now();
        while self.fatal.is_none() && (!self.stopping || self.engine.waiting() > 0) {
            if self.engine.waiting() == 0 && self.settled.is_empty() && !self.wait(timers_at) {
                break;
            }
            self.drain();
            if Instant::now() >= timers_at || !self.settled.is_empty() {
                timers_at = Instant::now() + TICK;
                self.probe();
                self.give_own_orders();
            }
            Stats::set(&self.stats.waiting, self.engine.waiting());
            self.round();
            if self.looked && self.engine.waiting() == 0 {
                // Those who asked for a tick are told once all that was due is done.
                for settled in self.settled.drain(..) {
                    // Who asked may have gone; nothing hangs on being told.
                    let _ = settled.send(());
                }
            }
        }
        self.end()
    }

    /// Refuses what was not decided, where the end is not one that was asked for.
    fn end(&mut self) -> Result<(), JournalError> {
        let Some(error) = self.fatal.take() else { return Ok(()) };
        for (_, waiting) in self.waiting.drain() {
            waiting.answer(Err(Refusal::JournalUnavailable {}));
        }
        Err(error)
    }

    /// Sleeps until something comes or the timers are due; false when nobody can send any more.
    fn wait(&mut self, timers_at: Instant) -> bool {
        match self.inbox.recv_timeout(timers_at.saturating_duration_since(Instant::now())) {
            Ok(input) => self.take(input),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// Takes in what waits, but no more than the inbox holds: whoever sends without end must not keep rounds from being decided.
    fn drain(&mut self) {
        for _ in 0..INBOX_MAX {
            let Ok(input) = self.inbox.try_recv() else { return };
            self.take(input);
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Order(order, waiting) => match self.engine.submit(*order) {
                Ok(ticket) => {
                    self.waiting.insert(ticket, waiting);
                }
                Err(answer) => waiting.answer(answer),
            },
            Input::Tick(settled) => {
                self.settled.push(settled);
                self.looked = false;
            }
            Input::Stop => self.stopping = true,
        }
    }

    /// While the journal fails: tries whether it works again, so that whoever asks `/readyz` need not wait for a command to tell.
    fn probe(&mut self) {
        if self.stats.is_ready() {
            return;
        }
        match self.journal.probe() {
            Ok(()) => {
                tracing::info!("the journal can be written again");
                self.stats.journal_failing.store(false, Ordering::Relaxed);
            }
            Err(error) => self.judge(error),
        }
    }

    /// Goes on after an error that may pass (it was logged when it came), ends after one that cannot.
    fn judge(&mut self, error: JournalError) {
        if matches!(error, JournalError::Damaged { .. }) {
            self.fatal = Some(error);
        }
    }

    /// Orders that the clock gives; their answers interest nobody.
    fn give_own_orders(&mut self) {
        if self.own_waiting > 0 {
            return;
        }
        self.looked = true;
        let now = self.clock.now();
        let commands = timers::due(&self.city.read().unwrap_or_else(PoisonError::into_inner), now);
        for command in commands {
            self.own_orders += 1;
            let id = self.own_id(now);
            let order = Order { id, actor: Actor::system(), at: now, epoch: None, digest: self.own_orders, command };
            if self.engine.submit(order).is_err() {
                // The queue is full: they are still due at the next tick.
                tracing::warn!("too many commands wait: the timers are put off");
                break;
            }
            self.own_waiting += 1;
        }
    }

    fn own_id(&self, now: Timestamp) -> CommandId {
        let time = u128::from(now.0.unsigned_abs()) << 64;
        CommandId(Uuid::from_u128(time | u128::from(self.own_orders)))
    }

    /// Decides one round, makes it durable, takes it in, publishes and answers.
    fn round(&mut self) {
        let decided = self.engine.next_round(&self.city.read().unwrap_or_else(PoisonError::into_inner));
        self.answer(decided.answers);
        if let Some(round) = decided.round {
            self.append(round);
        }
    }

    fn append(&mut self, round: Round) {
        let (entries, tickets) = round.split();
        let began = Instant::now();
        let appended = self.journal.append(entries);
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Stats::count(&self.stats.append_us, took_us);
        self.stats.journal_failing.store(appended.is_err(), Ordering::Relaxed);
        let answers = match appended {
            Ok(records) => {
                Stats::count(&self.stats.rounds, 1);
                self.take_in(&tickets, &records)
            }
            Err(error) => {
                Stats::count(&self.stats.failures, 1);
                tracing::error!(%error, "the round is refused: it could not be made durable");
                self.judge(error);
                self.engine.fail(&tickets)
            }
        };
        self.answer(answers);
    }

    /// Takes in what is durable, and tells of it. The last record is told under a read lock: what takes long to tell is alone in its
    /// round, and nobody should have to wait for it who only wants to look.
    fn take_in(&mut self, tickets: &Tickets, records: &[Record]) -> Vec<(Ticket, Answer)> {
        let Some(last) = records.last() else { return Vec::new() };
        let mut city = self.city.write().unwrap_or_else(PoisonError::into_inner);
        let publisher = &mut self.publisher;
        let answers = self.engine.commit(&mut city, tickets, records, |city, record| {
            if record.position == last.position {
                publisher.announce(record.position);
            } else {
                publisher.publish(city, record);
            }
        });
        // Nobody else writes, so the city still stands just after that record.
        publisher.publish(&RwLockWriteGuard::downgrade(city), last);
        answers
    }

    fn answer(&mut self, answers: Vec<(Ticket, Answer)>) {
        for (ticket, answer) in answers {
            Stats::count(if answer.is_ok() { &self.stats.accepted } else { &self.stats.refused }, 1);
            match self.waiting.remove(&ticket) {
                Some(waiting) => waiting.answer(answer),
                // Nobody waits for an order of the clock.
                None => self.own_waiting = self.own_waiting.saturating_sub(1),
            }
        }
    }
}
