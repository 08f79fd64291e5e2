//! The thread that drives the engine: it alone owns the journal, decides under the city's read lock, and takes in what is durable
//! under its write lock.
//!
//! Commands that come while the disk syncs are the next round. A thread, not a task, because an append blocks.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::Span;
use uuid::Uuid;

use crate::city::City;
use crate::domain::actor::Actor;
use crate::domain::command::Order;
use crate::domain::ids::CommandId;
use crate::domain::time::Timestamp;
use crate::engine::ports::{Journal, Publisher};
use crate::engine::{Answer, Engine, Round, Ticket, timers};

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
    stopping: bool,
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
        let (waiting, settled) = (HashMap::new(), Vec::new());
        Self { engine, journal, publisher, city, clock, stats, inbox, waiting, settled, stopping: false, own_orders: 0 }
    }

    /// Runs until told to stop, or until every sender is gone.
    pub(super) fn run(mut self) {
        let mut timers_at = Instant::now();
        while !self.stopping || self.engine.waiting() > 0 {
            if self.engine.waiting() == 0 && !self.wait(timers_at) {
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
            if self.engine.waiting() == 0 {
                // Those who asked for a tick are told once all that was due is done.
                for settled in self.settled.drain(..) {
                    // Who asked may have gone; nothing hangs on being told.
                    let _ = settled.send(());
                }
            }
        }
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

    fn drain(&mut self) {
        while let Ok(input) = self.inbox.try_recv() {
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
            Input::Tick(settled) => self.settled.push(settled),
            Input::Stop => self.stopping = true,
        }
    }

    /// While the journal fails: tries whether it works again, so that whoever asks `/readyz` need not wait for a command to tell.
    fn probe(&mut self) {
        if !self.stats.is_ready() && self.journal.probe().is_ok() {
            tracing::info!("the journal can be written again");
            self.stats.journal_failing.store(false, Ordering::Relaxed);
        }
    }

    /// Orders that the clock gives; their answers interest nobody.
    fn give_own_orders(&mut self) {
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
                let mut city = self.city.write().unwrap_or_else(PoisonError::into_inner);
                let publisher = &mut self.publisher;
                self.engine.commit(&mut city, &tickets, &records, |city, record| publisher.publish(city, record))
            }
            Err(error) => {
                Stats::count(&self.stats.failures, 1);
                tracing::error!(%error, "the round is refused: it could not be made durable");
                self.engine.fail(&tickets)
            }
        };
        self.answer(answers);
    }

    fn answer(&mut self, answers: Vec<(Ticket, Answer)>) {
        for (ticket, answer) in answers {
            Stats::count(if answer.is_ok() { &self.stats.accepted } else { &self.stats.refused }, 1);
            if let Some(waiting) = self.waiting.remove(&ticket) {
                waiting.answer(answer);
            }
        }
    }
}
