//! The thread that drives the engine: it alone owns the journal, decides under the city's read lock, and takes in what is durable
//! under its write lock.
//!
//! Commands that come while the disk syncs are the next round. A thread, not a task, because an append blocks.

mod contact;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
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
use crate::engine::{Answer, Engine, Refused, Round, Ticket, timers};

use super::INBOX_MAX;
use super::clock::Clock;
use super::stats::Stats;

use contact::Contact;

/// How long the driver sleeps at most before it looks at its timers.
const TICK: Duration = Duration::from_millis(200);

/// What the driver is told.
pub(super) enum Input {
    /// A command, and who waits for its answer.
    Order(Box<Order>, Waiting),
    /// Look at the timers now, and say when they have settled.
    Tick(oneshot::Sender<()>),
    /// Other nodes may have written: wakes the driver, which finds out from [`Driver::news`].
    News,
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

/// What the driver shares with whoever holds the city's handle.
pub(super) struct Shared {
    pub(super) city: Arc<RwLock<City>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: Arc<Stats>,
    /// The journal's epoch, for all who ask.
    pub(super) journal_epoch: Arc<RwLock<Arc<str>>>,
}

/// What this node knows to be durable, whoever wrote it.
#[derive(Default)]
struct Confirmed {
    /// Up to this record.
    upto: u64,
    /// The journal was asked in this turn, and did not confirm it.
    failed: bool,
}

/// All that the driver owns.
pub(super) struct Driver {
    engine: Engine,
    journal: Box<dyn Journal>,
    publisher: Box<dyn Publisher>,
    shared: Shared,
    inbox: Receiver<Input>,
    /// Up to which record other nodes may have written, as far as was heard since the journal was last read.
    news: Arc<AtomicU64>,
    confirmed: Confirmed,
    contact: Contact,
    /// Those who repeated a command that was done before, and its first answer.
    repeats: Vec<(Waiting, Answer)>,
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
    own_orders: u32,
    /// Tells this node's from another's, which gives the same orders at the same time.
    node: u32,
}

/// A number that hardly any other process has.
fn drawn_by_lot() -> u32 {
    let [.., a, b, c, d] = Uuid::now_v7().into_bytes();
    u32::from_be_bytes([a, b, c, d])
}

impl Driver {
    pub(super) fn new(
        engine: Engine,
        journal: Box<dyn Journal>,
        publisher: Box<dyn Publisher>,
        shared: Shared,
        inbox: Receiver<Input>,
        news: Arc<AtomicU64>,
    ) -> Self {
        let contact = Contact::at(shared.clock.now());
        Self {
            contact,
            engine,
            journal,
            publisher,
            shared,
            inbox,
            news,
            confirmed: Confirmed::default(),
            repeats: Vec::new(),
            waiting: HashMap::new(),
            settled: Vec::new(),
            looked: false,
            own_waiting: 0,
            stopping: false,
            fatal: None,
            own_orders: 0,
            node: drawn_by_lot(),
        }
    }

    /// Runs until told to stop, or until every sender is gone.
    ///
    /// # Errors
    /// When the journal is damaged; whoever waits was refused, and nothing is decided any more.
    pub(super) fn run(mut self) -> Result<(), JournalError> {
        let mut timers_at = Instant::now();
        while self.goes_on() {
            if self.engine.waiting() == 0 && self.settled.is_empty() && !self.wait(timers_at) {
                break;
            }
            let is_time = Instant::now() >= timers_at;
            if is_time {
                timers_at = Instant::now() + TICK;
            }
            self.turn(is_time);
        }
        self.end()
    }

    /// Whether it was not told to stop, or has not done all that came before, and the journal can be told from another.
    pub(super) fn goes_on(&self) -> bool {
        self.fatal.is_none() && (!self.stopping || self.engine.waiting() > 0)
    }

    /// Takes in what came, looks at the timers where it is time or somebody asked, and decides a round.
    pub(super) fn turn(&mut self, is_time: bool) {
        self.confirmed.failed = false;
        self.drain();
        self.answer_repeats();
        self.hear_news();
        if is_time || !self.settled.is_empty() {
            self.ask();
            self.probe();
            self.read_anew();
            self.give_own_orders();
        }
        Stats::set(&self.shared.stats.waiting, self.engine.waiting());
        self.round();
        if self.looked && self.engine.waiting() == 0 {
            // Those who asked for a tick are told once all that was due is done.
            for settled in self.settled.drain(..) {
                // Who asked may have gone; nothing hangs on being told.
                let _ = settled.send(());
            }
        }
    }

    /// Refuses what was not decided, where the end is not one that was asked for.
    pub(super) fn end(&mut self) -> Result<(), JournalError> {
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
                Err(answer) => self.repeats.push((waiting, answer)),
            },
            Input::Tick(settled) => {
                self.settled.push(settled);
                self.looked = false;
            }
            Input::News => {}
            Input::Stop => self.stopping = true,
        }
    }

    /// Orders that the clock gives; their answers interest nobody.
    fn give_own_orders(&mut self) {
        if self.own_waiting > 0 || self.contact.forked {
            return;
        }
        self.looked = true;
        let now = self.shared.clock.now();
        let commands = timers::due(&self.shared.city.read().unwrap_or_else(PoisonError::into_inner), now);
        for command in commands {
            self.own_orders = self.own_orders.wrapping_add(1);
            let id = self.own_id(now);
            let digest = self.own_orders.into();
            let order = Order { id, actor: Actor::system(), at: now, epoch: None, digest, command };
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
        CommandId(Uuid::from_u128(time | u128::from(self.node) << 32 | u128::from(self.own_orders)))
    }

    /// Decides one round, makes it durable, takes it in, publishes and answers.
    fn round(&mut self) {
        if self.contact.forked {
            let refused = self.engine.refuse_all();
            return self.answer(refused);
        }
        let decided = self.engine.next_round(&self.shared.city.read().unwrap_or_else(PoisonError::into_inner));
        let answers = decided.answers.into_iter().map(|(ticket, answer)| (ticket, self.vouch(answer))).collect();
        self.answer(answers);
        if !decided.refused.is_empty() {
            self.refuse(decided.refused);
        }
        if !decided.stands.is_empty() {
            self.refuse_for_good(decided.stands);
        }
        if let Some(round) = decided.round {
            self.append(round);
        }
    }

    // INVARIANT: any node takes any command: what another did is no reason to refuse it, only that it was not heard of yet.
    /// Refuses, where this node knows all that the journal has, and that is durable: what a failover may take back is no reason either.
    /// Else they are decided again.
    fn refuse(&mut self, refused: Refused) {
        let seen = self.position();
        let answers = match self.journal.last_position() {
            Ok(last) if last > seen => {
                self.news.fetch_max(last, Ordering::AcqRel);
                return self.engine.decide_again(refused, last);
            }
            Ok(_) => return self.refuse_for_good(refused),
            Err(error) => {
                self.note_failure(error);
                self.engine.put_off(refused)
            }
        };
        self.answer(answers);
    }

    /// Refuses, where what it stands on is durable.
    fn refuse_for_good(&mut self, refused: Refused) {
        let is_durable = self.is_durable(self.position());
        let answers = if is_durable { self.engine.refuse(refused) } else { self.engine.put_off(refused) };
        self.answer(answers);
    }

    fn answer_repeats(&mut self) {
        for (waiting, answer) in std::mem::take(&mut self.repeats) {
            let answer = self.vouch(answer);
            waiting.answer(answer);
        }
    }

    // INVARIANT: nothing is acknowledged before it is durable, whichever node appended it.
    /// Whoever repeats a command that another node appended hears that it was done only where that is durable.
    fn vouch(&mut self, answer: Answer) -> Answer {
        match answer {
            Ok(accepted) if !self.is_durable(accepted.position) => Err(Refusal::OutcomeUnknown {}),
            answer => answer,
        }
    }

    /// Whether all records up to this one are durable, whoever appended them.
    fn is_durable(&mut self, position: u64) -> bool {
        if position <= self.confirmed.upto {
            return true;
        }
        // Asked once a turn: each may take its whole time to fail.
        if self.confirmed.failed {
            return false;
        }
        let last = self.position();
        match self.journal.confirm() {
            Ok(()) => {
                self.confirmed.upto = last;
                true
            }
            Err(error) => {
                self.note_failure(error);
                self.confirmed.failed = true;
                false
            }
        }
    }

    /// Where the city stands.
    fn position(&self) -> u64 {
        self.shared.city.read().unwrap_or_else(PoisonError::into_inner).position()
    }

    fn append(&mut self, round: Round) {
        let Round { seen, proposals, in_hand } = round;
        let began = Instant::now();
        let appended = self.journal.append(seen, proposals);
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Stats::count(&self.shared.stats.append_us, took_us);
        let answers = match appended {
            Ok(appended) => {
                self.shared.stats.journal_failing.store(false, Ordering::Relaxed);
                Stats::count(&self.shared.stats.rounds, 1);
                self.note_answer();
                self.note_epoch();
                self.take_in(&appended.records);
                self.go_on();
                if appended.positions.iter().any(Option::is_some) {
                    self.confirmed.upto = self.position();
                }
                self.engine.settle(in_hand, &appended.positions)
            }
            Err(error) => {
                let answers = self.engine.fail(&in_hand, &error);
                self.note_failure(error);
                answers
            }
        };
        self.answer(answers);
    }

    /// Takes in what the journal gave out, and tells of it. What takes long to tell is told under a read lock: nobody should have to wait for it
    /// who only wants to look.
    fn take_in(&mut self, records: &[Record]) {
        for run in records.chunk_by(|record, _| !record.entry.concerns_many()) {
            let Some(last) = run.last() else { continue };
            let mut city = self.shared.city.write().unwrap_or_else(PoisonError::into_inner);
            let publisher = &mut self.publisher;
            self.engine.take_in(&mut city, run, |city, record| {
                if record.position == last.position {
                    publisher.announce(record.position);
                } else {
                    publisher.publish(city, record);
                }
            });
            // Nobody else writes, so the city still stands just after that record.
            publisher.publish(&RwLockWriteGuard::downgrade(city), last);
        }
    }

    fn answer(&mut self, answers: Vec<(Ticket, Answer)>) {
        for (ticket, answer) in answers {
            Stats::count(if answer.is_ok() { &self.shared.stats.accepted } else { &self.shared.stats.refused }, 1);
            match self.waiting.remove(&ticket) {
                Some(waiting) => waiting.answer(answer),
                // Nobody waits for an order of the clock.
                None => self.own_waiting = self.own_waiting.saturating_sub(1),
            }
        }
    }
}
