//! The journal's server, what may be wrong between it and a node, and a node's end of it.

use std::sync::{Arc, Mutex, PoisonError};

use muster::domain::event::Record;
use muster::engine::ports::{Appended, Journal, JournalError, Proposal, Wake};
use muster::journal::MemoryJournal;

use crate::scenarios::random_day::Dice;

use super::NODES;

/// What happens to the next append of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Fault {
    #[default]
    None,
    /// The server is not reached at all, until somebody mends it.
    CutOff,
    /// It is kept, and the answer lost.
    AnswerLost,
    /// It is lost on its way.
    AskLost,
    /// It lies somewhere on its way, and may arrive much later.
    Late,
    /// The server keeps it, but no replica does: it is not acknowledged, and a failover loses it.
    NotReplicated,
}

/// An append on its way: from an end that knew no more than this.
struct Late {
    end: MemoryJournal,
    seen: u64,
    proposals: Vec<Proposal>,
}

#[derive(Default)]
struct State {
    faults: [Fault; NODES],
    late: Vec<Late>,
    /// Up to here a replica has it all.
    replicated: u64,
    failovers: u64,
    conflicts: u64,
    forks: u64,
}

/// The server and its network. Cheap to clone.
#[derive(Clone)]
pub(super) struct Server {
    log: MemoryJournal,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self { log: MemoryJournal::new("sim"), state: Arc::default() }
    }

    fn with<R>(&self, what: impl FnOnce(&mut State) -> R) -> R {
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A node's end.
    pub(super) fn end(&self, node: usize) -> SimJournal {
        SimJournal { inner: self.log.beside(node), server: self.clone(), node }
    }

    /// All that it holds.
    pub(super) fn records(&self) -> Vec<Record> {
        self.log.beside(NODES).read_after(0, usize::MAX).unwrap()
    }

    pub(super) fn last_position(&self) -> u64 {
        self.log.clone().last_position().unwrap()
    }

    pub(super) fn cut_off(&self, node: usize) {
        self.with(|state| state.faults[node] = Fault::CutOff);
    }

    pub(super) fn reconnect(&self, node: usize) {
        self.with(|state| state.faults[node] = Fault::None);
    }

    /// Whether something goes wrong with the next append of a node that is not cut off.
    pub(super) fn roll_fault(&self, node: usize, with_faults: bool, dice: &mut Dice) {
        let fault = match dice.roll(20) {
            0 => Fault::AnswerLost,
            1 => Fault::AskLost,
            2 => Fault::Late,
            3 => Fault::NotReplicated,
            _ => Fault::None,
        };
        self.with(|state| {
            if state.faults[node] != Fault::CutOff {
                state.faults[node] = if with_faults { fault } else { Fault::None };
            }
        });
    }

    /// Whether it keeps anything that no replica has.
    pub(super) fn is_ahead(&self) -> bool {
        self.with(|state| state.replicated) < self.last_position()
    }

    /// Another server takes over, which has what replicas had.
    pub(super) fn fail_over(&self) {
        let replicated = self.with(|state| {
            state.failovers += 1;
            state.replicated
        });
        self.log.lose_after(replicated);
    }

    /// Some of what lies on its way arrives.
    pub(super) fn let_late_ones_through(&self, dice: &mut Dice) {
        let arrived: Vec<Late> = self.with(|state| {
            let (arrived, late) = std::mem::take(&mut state.late).into_iter().partition(|_| dice.roll(4) == 0);
            state.late = late;
            arrived
        });
        for Late { mut end, seen, proposals } in arrived {
            // Whoever asked has long given up on the answer, whatever it is.
            drop(end.append(seen, proposals));
        }
    }

    /// Nothing is wrong any more, and nothing lies on its way.
    pub(super) fn heal(&self) {
        self.with(|state| {
            state.faults = [Fault::None; NODES];
            state.late.clear();
        });
    }

    /// What happened, and how often.
    pub(super) fn happened(&self) -> [(&'static str, u64); 3] {
        self.with(|state| [("failovers", state.failovers), ("conflicts", state.conflicts), ("forks", state.forks)])
    }
}

/// A node's end of the journal.
pub(super) struct SimJournal {
    inner: MemoryJournal,
    server: Server,
    node: usize,
}

impl SimJournal {
    fn reach(&self) -> Result<Fault, JournalError> {
        match self.server.with(|state| state.faults[self.node]) {
            Fault::CutOff => Err(JournalError::Unavailable("cut off".to_owned())),
            fault => Ok(fault),
        }
    }

    fn count_forks<T>(&self, outcome: Result<T, JournalError>) -> Result<T, JournalError> {
        if matches!(outcome, Err(JournalError::Forked(_))) {
            self.server.with(|state| state.forks += 1);
        }
        outcome
    }
}

impl Journal for SimJournal {
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        let unknown = || Err(JournalError::OutcomeUnknown("no answer".to_owned()));
        let fault = self.reach()?;
        match fault {
            Fault::AskLost => return unknown(),
            Fault::Late => {
                let end = self.inner.clone();
                self.server.with(|state| state.late.push(Late { end, seen, proposals }));
                return unknown();
            }
            _ => {}
        }
        // An answer that is lost tells the end nothing.
        let before = self.inner.clone();
        let appended = self.inner.append(seen, proposals);
        let appended = self.count_forks(appended)?;
        let last = self.server.last_position();
        self.server.with(|state| {
            state.conflicts += appended.positions.iter().filter(|position| position.is_none()).count() as u64;
            if fault != Fault::NotReplicated {
                state.replicated = last;
            }
        });
        if fault == Fault::None {
            return Ok(appended);
        }
        self.inner = before;
        unknown()
    }

    fn confirm(&mut self) -> Result<(), JournalError> {
        let fault = self.reach()?;
        let confirmed = self.inner.confirm();
        self.count_forks(confirmed)?;
        if fault != Fault::None {
            return Err(JournalError::OutcomeUnknown("no answer".to_owned()));
        }
        let last = self.server.last_position();
        self.server.with(|state| state.replicated = last);
        Ok(())
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.reach()?;
        let read = self.inner.read_after(position, limit);
        self.count_forks(read)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        self.reach()?;
        self.inner.last_position()
    }

    fn watch(&mut self, wake: Wake) {
        self.inner.watch(wake);
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        self.reach().map(drop)
    }

    fn rewind(&mut self) -> Result<(), JournalError> {
        self.reach()?;
        self.inner.rewind()
    }

    fn epoch(&self) -> &str {
        self.inner.epoch()
    }
}
