//! The same command twice is done once: who repeats an id gets the first answer.
//!
//! Accepted commands are remembered across restarts, since the journal carries their ids. Refused ones changed nothing; they are
//! remembered while the process runs. The memory is a window of the last commands, oldest out first.

use std::collections::{HashMap, VecDeque};

use crate::domain::actor::Giver;
use crate::domain::event::Record;
use crate::domain::ids::CommandId;
use crate::domain::refusal::Refusal;

use super::queue::{Accepted, Answer};

/// What is known of a command id. Refusals are rare and large: they live elsewhere, so that a million check-ins stay small.
#[derive(Debug)]
struct Known {
    digest: u64,
    answer: Result<u64, Box<Refusal>>,
}

/// The last commands and their answers.
#[derive(Debug)]
pub struct Idempotency {
    known: HashMap<(Giver, CommandId), Known>,
    order: VecDeque<(Giver, CommandId)>,
    window: usize,
}

impl Idempotency {
    /// Remembers at most `window` commands.
    pub fn new(window: usize) -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), window }
    }

    /// The first answer, when the command was seen; a refusal when its id was used for another content.
    pub fn seen(&self, giver: Giver, id: CommandId, digest: u64) -> Option<Answer> {
        let known = self.known.get(&(giver, id))?;
        if known.digest != digest {
            return Some(Err(Refusal::CommandIdReused {}));
        }
        Some(match &known.answer {
            Ok(position) => Ok(Accepted { position: *position, repeated: true }),
            Err(refusal) => Err((**refusal).clone()),
        })
    }

    /// Remembers an answer.
    pub fn remember(&mut self, giver: Giver, id: CommandId, digest: u64, answer: Answer) {
        let key = (giver, id);
        let answer = answer.map(|accepted| accepted.position).map_err(Box::new);
        if self.known.insert(key, Known { digest, answer }).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.window
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Remembers a command that the journal says was done.
    pub fn replay(&mut self, record: &Record) {
        let entry = &record.entry;
        self.remember(entry.giver, entry.id, entry.digest, Ok(Accepted { position: record.position, repeated: false }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> CommandId {
        CommandId(Uuid::from_u128(n))
    }

    #[test]
    fn a_repeat_gets_the_first_answer_and_another_content_is_refused() {
        let mut seen = Idempotency::new(10);
        seen.remember(Giver::System, id(1), 7, Ok(Accepted { position: 3, repeated: false }));
        assert_eq!(seen.seen(Giver::System, id(1), 7), Some(Ok(Accepted { position: 3, repeated: true })));
        assert_eq!(seen.seen(Giver::System, id(1), 8), Some(Err(Refusal::CommandIdReused {})));
        assert_eq!(seen.seen(Giver::System, id(2), 7), None);
    }

    #[test]
    fn the_window_is_bounded() {
        let mut seen = Idempotency::new(2);
        for n in 1..=3 {
            seen.remember(Giver::System, id(n), 0, Ok(Accepted { position: 1, repeated: false }));
        }
        assert!(seen.seen(Giver::System, id(1), 0).is_none());
        assert!(seen.seen(Giver::System, id(3), 0).is_some());
    }
}
