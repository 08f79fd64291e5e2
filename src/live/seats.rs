//! The seats of one shard, as the hub knows them: who sits where, and what each heard last.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::domain::actor::{Actor, Grant};
use crate::domain::area::AreaCode;
use crate::domain::ids::PersonId;

use super::frame::Cursor;
use super::hub::ConnectionId;
use super::inbox::Seat;

/// Where a connection sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// In which shard, from 0.
    pub shard: usize,
    /// On which of its seats.
    pub seat: Seat,
}

/// What of the map a connection watches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MapWatch {
    /// Areas, none inside another.
    pub(super) areas: Vec<AreaCode>,
    /// Changes up to this position were left for it.
    pub(super) position: u64,
}

/// Who sits on a seat.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) id: ConnectionId,
    pub(super) person: Option<PersonId>,
    pub(super) grants: Box<[Grant]>,
    /// The last event left for it: none twice.
    last: Cursor,
    /// What it watches, and whether it has taken what was left of that.
    pub(super) watch: Option<(MapWatch, Arc<AtomicBool>)>,
}

impl Connected {
    pub(super) fn new(id: ConnectionId, actor: &Actor, last: Cursor) -> Self {
        Self { id, person: actor.person_id(), grants: actor.grants.clone().into(), last, watch: None }
    }

    // INVARIANT: a connection gets each notice at most once, however many reasons it has to hear it.
    /// Whether it has not heard of this yet; from now on it has.
    pub(super) fn is_new_to(&mut self, cursor: Cursor) -> bool {
        let new = self.last < cursor;
        self.last = self.last.max(cursor);
        new
    }
}

/// The seats of a shard. A seat that was left is given to the next who comes.
#[derive(Debug, Default)]
pub(super) struct Seats {
    all: Vec<Option<Connected>>,
    free: Vec<Seat>,
}

impl Seats {
    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.all.len() - self.free.len()
    }

    pub(super) fn at(&self, seat: Seat) -> Option<&Connected> {
        self.all.get(seat as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, seat: Seat) -> Option<&mut Connected> {
        self.all.get_mut(seat as usize)?.as_mut()
    }

    pub(super) fn take(&mut self, connected: Connected) -> Seat {
        if let Some(seat) = self.free.pop() {
            self.all[seat as usize] = Some(connected);
            return seat;
        }
        self.all.push(Some(connected));
        // INVARIANT: `live.connections_max` is checked before, far below 2^32.
        u32::try_from(self.all.len() - 1).unwrap_or(Seat::MAX)
    }

    pub(super) fn free(&mut self, seat: Seat) -> Option<Connected> {
        let gone = self.all.get_mut(seat as usize)?.take()?;
        self.free.push(seat);
        Some(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(id: ConnectionId) -> Connected {
        Connected::new(id, &Actor::system(), Cursor::default())
    }

    #[test]
    fn a_seat_that_was_left_is_given_to_the_next() {
        let mut seats = Seats::default();
        assert_eq!([seats.take(somebody(1)), seats.take(somebody(2))], [0, 1]);
        assert_eq!(seats.free(0).map(|gone| gone.id), Some(1));
        assert!(seats.free(0).is_none() && seats.at(0).is_none());
        assert_eq!((seats.taken(), seats.take(somebody(3)), seats.taken()), (1, 0, 2));
        assert_eq!(seats.at(0).map(|connected| connected.id), Some(3));
    }

    #[test]
    fn nothing_is_heard_twice() {
        let mut connected = somebody(1);
        let at = |position, part| Cursor { position, part };
        assert!(connected.is_new_to(at(1, 1)) && !connected.is_new_to(at(1, 1)));
        assert!(connected.is_new_to(at(1, 2)) && !connected.is_new_to(at(1, 1)) && connected.is_new_to(at(2, 1)));
    }
}
