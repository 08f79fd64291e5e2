//! Which of the commands that wait are decided together: those that touch different things, in the order in which they came.
//!
//! A command that has to wait holds back every later command that touches the same: none is overtaken.

use std::collections::HashSet;

use crate::domain::command::Key;

/// What a round has claimed so far, and what commands that wait for the next one have.
#[derive(Debug, Default)]
pub struct Claims {
    taken: HashSet<Key>,
    /// A command that takes the whole city is in the round, or waits for the next: nothing more fits.
    closed: bool,
}

/// Whether a command fits the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is in.
    In,
    /// It waits for the next round; later ones may still fit.
    Later,
    /// It waits, and so does everything after it.
    Closed,
}

impl Claims {
    /// Claims `key` for the next command in the queue.
    pub fn claim(&mut self, key: Key) -> Fit {
        if self.closed {
            return Fit::Closed;
        }
        if key == Key::City {
            // INVARIANT: a command on the whole city is decided alone, after all before it and before all after it.
            self.closed = true;
            return if self.taken.is_empty() { Fit::In } else { Fit::Closed };
        }
        if self.taken.insert(key) { Fit::In } else { Fit::Later }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::compound::CompoundId;
    use crate::domain::ids::{AlertId, PersonId};
    use uuid::Uuid;

    fn call(compound: &str) -> Key {
        Key::Call(compound.parse::<CompoundId>().unwrap())
    }

    #[test]
    fn different_things_share_a_round_and_the_same_waits() {
        let mut claims = Claims::default();
        let receipt = Key::Receipt(AlertId(Uuid::nil()), PersonId(Uuid::nil()));
        assert_eq!(claims.claim(call("140403001001001")), Fit::In);
        assert_eq!(claims.claim(receipt), Fit::In);
        assert_eq!(claims.claim(call("140403001001001")), Fit::Later);
        assert_eq!(claims.claim(call("140403001001002")), Fit::In);
    }

    #[test]
    fn a_command_on_the_city_is_alone_and_is_not_overtaken() {
        let mut claims = Claims::default();
        assert_eq!(claims.claim(call("140403001001001")), Fit::In);
        assert_eq!(claims.claim(Key::City), Fit::Closed);
        assert_eq!(claims.claim(call("140403001001002")), Fit::Closed);
        let mut claims = Claims::default();
        assert_eq!(claims.claim(Key::City), Fit::In);
        assert_eq!(claims.claim(call("140403001001002")), Fit::Closed);
    }
}
