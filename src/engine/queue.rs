//! The queue, the round in hand, and the answers.

use std::collections::{HashSet, VecDeque};

use crate::city::City;
use crate::domain::actor::Giver;
use crate::domain::command::Order;
use crate::domain::event::{Entry, Record};
use crate::domain::ids::CommandId;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;

use super::idempotency::Idempotency;
use super::rounds::{Claims, Fit};

/// Names a command that waits, for its driver.
pub type Ticket = u64;

/// A command was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Position of its record.
    pub position: u64,
    /// Whether it had been done before: this is the first answer again.
    pub repeated: bool,
}

/// What the giver of a command hears.
pub type Answer = Result<Accepted, Refusal>;

/// Bounds of the engine.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commands that may wait; more are refused as overloaded.
    pub queue_max: usize,
    /// Commands decided in one round.
    pub round_max: usize,
    /// Commands remembered for repeats.
    pub idempotency_window: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue_max: 50_000, round_max: 1_024, idempotency_window: 1_000_000 }
    }
}

/// A round that was decided and is to be made durable.
#[derive(Debug)]
pub struct Round {
    /// What to append, as a whole.
    pub entries: Vec<Entry>,
    /// Whose command each entry is.
    tickets: Vec<Ticket>,
}

/// What came of [`Engine::next_round`].
#[derive(Debug, Default)]
pub struct Decided {
    /// To be appended; `None` when every command was refused or known.
    pub round: Option<Round>,
    /// Answers that need no append.
    pub answers: Vec<(Ticket, Answer)>,
}

/// The engine. One round is in hand at a time.
#[derive(Debug)]
pub struct Engine {
    queue: VecDeque<(Ticket, Order)>,
    idempotency: Idempotency,
    policy: Policy,
    limits: Limits,
    next_ticket: Ticket,
}

impl Engine {
    /// An engine with nothing to do.
    pub fn new(policy: Policy, limits: Limits) -> Self {
        let idempotency = Idempotency::new(limits.idempotency_window);
        Self { queue: VecDeque::new(), idempotency, policy, limits, next_ticket: 0 }
    }

    /// Takes a record of the journal in at the start.
    pub fn replay(&mut self, city: &mut City, record: &Record) {
        city.evolve(record);
        self.idempotency.replay(record);
    }

    /// Queues a command, or answers at once: it was done before, or too many wait.
    ///
    /// # Errors
    /// The answer, when there is no need to wait for it.
    pub fn submit(&mut self, order: Order) -> Result<Ticket, Answer> {
        if let Some(answer) = self.idempotency.seen(order.actor.giver, order.id, order.digest) {
            return Err(answer);
        }
        if self.queue.len() >= self.limits.queue_max {
            return Err(Err(Refusal::Overloaded {}));
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.queue.push_back((ticket, order));
        Ok(ticket)
    }

    /// How many commands wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Decides the next round on the city as it stands.
    pub fn next_round(&mut self, city: &City) -> Decided {
        let mut decided = Decided::default();
        let (mut entries, mut tickets) = (Vec::new(), Vec::new());
        for (ticket, order) in self.pick() {
            // The same id may have been answered while this one waited.
            if let Some(answer) = self.idempotency.seen(order.actor.giver, order.id, order.digest) {
                decided.answers.push((ticket, answer));
                continue;
            }
            match city.decide(&order, &self.policy) {
                Ok(events) => {
                    let Order { id, actor, at, digest, .. } = order;
                    entries.push(Entry { at, id, giver: actor.giver, digest, events });
                    tickets.push(ticket);
                }
                Err(refusal) => {
                    let answer = Err(refusal);
                    self.idempotency.remember(order.actor.giver, order.id, order.digest, answer.clone());
                    decided.answers.push((ticket, answer));
                }
            }
        }
        decided.round = (!entries.is_empty()).then_some(Round { entries, tickets });
        decided
    }

    /// Takes from the queue what fits one round; the rest keeps its order.
    fn pick(&mut self) -> Vec<(Ticket, Order)> {
        let mut claims = Claims::default();
        let mut ids: HashSet<(Giver, CommandId)> = HashSet::new();
        let mut picked = Vec::new();
        let mut later = VecDeque::new();
        while let Some((ticket, order)) = self.queue.pop_front() {
            let key = order.command.touches(&order.actor);
            // A repeat of a command in this round waits for its answer.
            let repeat = !ids.insert((order.actor.giver, order.id));
            let fit = if repeat { Fit::Later } else { claims.claim(key) };
            match fit {
                Fit::In => picked.push((ticket, order)),
                Fit::Later => later.push_back((ticket, order)),
                Fit::Closed => {
                    later.push_back((ticket, order));
                    break;
                }
            }
            if picked.len() >= self.limits.round_max {
                break;
            }
        }
        later.append(&mut self.queue);
        self.queue = later;
        picked
    }

    // INVARIANT: nothing is acknowledged before it is durable.
    /// Takes a round that is durable into the city, record by record, and answers. `seen` is told of each record right after the
    /// city took it in, while the city stands just there.
    ///
    /// # Panics
    /// When there are more or fewer records than entries were given to the journal: its contract is broken.
    pub fn commit(
        &mut self,
        city: &mut City,
        tickets: &Tickets,
        records: &[Record],
        mut seen: impl FnMut(&City, &Record),
    ) -> Vec<(Ticket, Answer)> {
        assert_eq!(tickets.0.len(), records.len(), "the journal gives back one record for each entry");
        let mut answers = Vec::with_capacity(records.len());
        for (ticket, record) in tickets.0.iter().zip(records) {
            self.replay(city, record);
            seen(city, record);
            answers.push((*ticket, Ok(Accepted { position: record.position, repeated: false })));
        }
        answers
    }

    /// The round could not be made durable: nothing of it happened.
    pub fn fail(&self, tickets: &Tickets) -> Vec<(Ticket, Answer)> {
        tickets.0.iter().map(|ticket| (*ticket, Err(Refusal::JournalUnavailable {}))).collect()
    }
}

/// Whose commands a round carries; kept by the driver while the journal writes.
#[derive(Debug)]
pub struct Tickets(Vec<Ticket>);

impl Round {
    /// Splits what the journal gets from what the driver keeps.
    pub fn split(self) -> (Vec<Entry>, Tickets) {
        (self.entries, Tickets(self.tickets))
    }
}
