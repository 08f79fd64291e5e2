//! The queue, the round in hand, and the answers.

use std::collections::{HashSet, VecDeque};

use crate::city::City;
use crate::domain::actor::Giver;
use crate::domain::command::{Key, Order};
use crate::domain::event::{Entry, Record};
use crate::domain::ids::CommandId;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;

use super::idempotency::Idempotency;
use super::ports::{JournalError, Proposal};
use super::rounds::{Claims, Fit};

/// How often a command is decided again because another node was faster, before its giver is asked to try later.
const AGAIN_MAX: u32 = 100;

/// Names a command that waits, for its driver.
pub type Ticket = u64;

/// A command that waits.
#[derive(Debug)]
struct Queued {
    ticket: Ticket,
    order: Order,
    /// How often it was decided in vain.
    again: u32,
    /// A refusal stands once the city has come to this record: what was written before the command came is no reason to refuse it.
    stands_from: Option<u64>,
}

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
    /// Position of the record after which it was decided.
    pub seen: u64,
    /// What to append.
    pub proposals: Vec<Proposal>,
    /// Whose they are.
    pub in_hand: InHand,
}

/// The commands of a round, in its order: kept by the driver while the journal writes.
#[derive(Debug)]
pub struct InHand(Vec<Queued>);

/// What came of [`Engine::next_round`].
#[derive(Debug, Default)]
pub struct Decided {
    /// To be appended; `None` when every command was refused or known.
    pub round: Option<Round>,
    /// Answers that need no append: the first one again.
    pub answers: Vec<(Ticket, Answer)>,
    /// Those that are refused as far as this node knows: see [`Engine::refuse`] and [`Engine::decide_again`].
    pub refused: Refused,
    /// Those that are refused on all that the journal had when they were refused before: that stands, where it is durable.
    pub stands: Refused,
}

/// Commands that are refused, on the city as one node knows it.
#[derive(Debug, Default)]
pub struct Refused(Vec<(Queued, Refusal)>);

impl Refused {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The engine. One round is in hand at a time.
#[derive(Debug)]
pub struct Engine {
    queue: VecDeque<Queued>,
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
        self.queue.push_back(Queued { ticket, order, again: 0, stands_from: None });
        Ok(ticket)
    }

    /// How many commands wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Decides the next round on the city as it stands.
    pub fn next_round(&mut self, city: &City) -> Decided {
        let mut decided = Decided::default();
        let (mut proposals, mut in_hand) = (Vec::new(), Vec::new());
        for (key, queued) in self.pick() {
            let Order { id, ref actor, at, digest, .. } = queued.order;
            // The same id may have been answered while this one waited.
            if let Some(answer) = self.idempotency.seen(actor.giver, id, digest) {
                decided.answers.push((queued.ticket, answer));
                continue;
            }
            match city.decide(&queued.order, &self.policy) {
                Ok(events) => {
                    let entry = Entry { at, id, giver: actor.giver, digest, events };
                    proposals.push(Proposal { key, entry });
                    in_hand.push(queued);
                }
                Err(refusal) if queued.stands_from.is_some_and(|from| from <= city.position()) => {
                    decided.stands.0.push((queued, refusal));
                }
                Err(refusal) => decided.refused.0.push((queued, refusal)),
            }
        }
        let round = Round { seen: city.position(), proposals, in_hand: InHand(in_hand) };
        decided.round = (!round.proposals.is_empty()).then_some(round);
        decided
    }

    /// Takes from the queue what fits one round; the rest keeps its order.
    fn pick(&mut self) -> Vec<(Key, Queued)> {
        let mut claims = Claims::default();
        let mut ids: HashSet<(Giver, CommandId)> = HashSet::new();
        let mut picked = Vec::new();
        let mut later = VecDeque::new();
        while let Some(queued) = self.queue.pop_front() {
            let order = &queued.order;
            let key = order.command.touches(&order.actor);
            // A repeat of a command in this round waits for its answer.
            let repeat = !ids.insert((order.actor.giver, order.id));
            let fit = if repeat { Fit::Later } else { claims.claim(key) };
            match fit {
                Fit::In => picked.push((key, queued)),
                Fit::Later => later.push_back(queued),
                Fit::Closed => {
                    later.push_back(queued);
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

    /// Refuses for good what was refused on the city as the journal has it.
    pub fn refuse(&mut self, refused: Refused) -> Vec<(Ticket, Answer)> {
        let answer = |(queued, refusal): (Queued, Refusal)| {
            let Order { id, actor, digest, .. } = queued.order;
            let answer: Answer = Err(refusal);
            self.idempotency.remember(actor.giver, id, digest, answer.clone());
            (queued.ticket, answer)
        };
        refused.0.into_iter().map(answer).collect()
    }

    /// Has commands decided again, before all others, that were refused on a city which other nodes have moved on since, to `last` at
    /// least.
    pub fn decide_again(&mut self, refused: Refused, last: u64) {
        for (queued, _) in refused.0.into_iter().rev() {
            self.queue.push_front(Queued { stands_from: Some(last), ..queued });
        }
    }

    /// Takes records of the journal into the city, in their order, whichever node wrote them. `told` hears of each right after the city
    /// took it in, while the city stands just there.
    pub fn take_in(&mut self, city: &mut City, records: &[Record], mut told: impl FnMut(&City, &Record)) {
        for record in records {
            city.evolve(record);
            self.idempotency.replay(record);
            told(city, record);
        }
    }

    // INVARIANT: nothing is acknowledged before it is durable.
    /// Answers the commands of a round that was appended, once its records are taken in. Where another node was faster, they wait to
    /// be decided again, before all others.
    ///
    /// # Panics
    /// When there are more or fewer positions than proposals were given to the journal: its contract is broken.
    pub fn settle(&mut self, in_hand: InHand, positions: &[Option<u64>]) -> Vec<(Ticket, Answer)> {
        assert_eq!(in_hand.0.len(), positions.len(), "the journal says of each proposal what came of it");
        let mut answers = Vec::with_capacity(positions.len());
        for (queued, position) in in_hand.0.into_iter().zip(positions).rev() {
            match position {
                Some(position) => {
                    answers.push((queued.ticket, Ok(Accepted { position: *position, repeated: false })));
                }
                None if queued.again < AGAIN_MAX => {
                    self.queue.push_front(Queued { again: queued.again + 1, ..queued });
                }
                None => answers.push((queued.ticket, Err(Refusal::Overloaded {}))),
            }
        }
        answers.reverse();
        answers
    }

    /// Refuses all that waits: there is no city to decide on.
    pub fn refuse_all(&mut self) -> Vec<(Ticket, Answer)> {
        self.queue.drain(..).map(|queued| (queued.ticket, Err(Refusal::JournalUnavailable {}))).collect()
    }

    /// Forgets the journal that was taken in: another is, from its first record.
    pub fn begin_anew(&mut self) {
        self.idempotency = Idempotency::new(self.limits.idempotency_window);
    }

    /// Nobody can say on which city these were refused: it is not for this node to refuse them.
    pub fn put_off(&self, refused: Refused) -> Vec<(Ticket, Answer)> {
        refused.0.into_iter().map(|(queued, _)| (queued.ticket, Err(Refusal::JournalUnavailable {}))).collect()
    }

    /// The round could not be made durable: what its givers are told.
    pub fn fail(&self, in_hand: &InHand, error: &JournalError) -> Vec<(Ticket, Answer)> {
        let refusal = match error {
            JournalError::OutcomeUnknown(_) => Refusal::OutcomeUnknown {},
            JournalError::Unavailable(_) | JournalError::Forked(_) | JournalError::Damaged { .. } => {
                Refusal::JournalUnavailable {}
            }
        };
        in_hand.0.iter().map(|queued| (queued.ticket, Err(refusal.clone()))).collect()
    }
}
