//! In place of a hub's shards: takes what is left for them, and sorts it by seat. No sockets, no threads.

use std::collections::{HashMap, HashSet};

use crate::live::frame::Frame;
use crate::live::inbox::Mail;
use crate::live::{Code, Hub, Place};

/// What was left for each seat, and not taken yet.
pub struct Desk {
    hub: Hub,
    waiting: HashMap<Place, Vec<Frame>>,
    closed: HashMap<Place, Code>,
    /// Who came, and was not replaced.
    here: HashSet<Place>,
}

impl Desk {
    /// The desk of a hub that has no shards running.
    pub fn of(hub: &Hub) -> Self {
        Self { hub: hub.clone(), waiting: HashMap::new(), closed: HashMap::new(), here: HashSet::new() }
    }

    /// Takes what was left for a seat: events, and the map's changes.
    pub fn take(&mut self, place: Place) -> Vec<Frame> {
        self.sort();
        self.waiting.remove(&place).unwrap_or_default()
    }

    /// Why the connection on a seat is to be closed.
    pub fn close_code(&mut self, place: Place) -> Option<Code> {
        self.sort();
        self.closed.get(&place).copied()
    }

    fn sort(&mut self) {
        let hub = self.hub.clone();
        for (shard, inbox) in hub.inboxes().iter().enumerate() {
            for mail in inbox.take() {
                self.put(shard, mail);
            }
        }
    }

    fn put(&mut self, shard: usize, mail: Mail) {
        let place = |seat| Place { shard, seat };
        match mail {
            // What was left for whoever sat there before is nobody's any more.
            Mail::Came(seat, _) => {
                self.waiting.remove(&place(seat));
                self.closed.remove(&place(seat));
                self.here.insert(place(seat));
            }
            Mail::Event(event, seats) => {
                for seat in seats {
                    self.waiting.entry(place(seat)).or_default().push(event.frame().clone());
                }
            }
            Mail::Map(seat, _, frames) => self.waiting.entry(place(seat)).or_default().extend_from_slice(&frames),
            Mail::Close(seat, _, code) => drop(self.closed.insert(place(seat), code)),
            Mail::CloseAll(code) => self.closed.extend(self.here.iter().map(|place| (*place, code))),
            Mail::Say(_) | Mail::Begin(_) | Mail::Answer(..) => {}
        }
    }
}
