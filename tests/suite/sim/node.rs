//! A node: the real driver, turned by hand, and somebody who listens to all that it tells.

use std::sync::{Arc, Mutex, PoisonError};

use muster::city::City;
use muster::domain::event::Record;
use muster::domain::policy::Policy;
use muster::engine::Limits;
use muster::engine::ports::Publisher;
use muster::live::Hub;
use muster::runtime::{ByHand, Muster, Parts};
use muster::testing::clock::SimClock;
use muster::testing::desk::Desk;

use super::journal::Server;
use super::phones;

/// One node.
pub(super) struct Node {
    /// Which.
    pub(super) number: usize,
    pub(super) muster: Muster,
    /// Where phones are connected.
    pub(super) hub: Hub,
    /// What it says to them.
    pub(super) desk: Desk,
    driver: ByHand,
    clock: Arc<SimClock>,
    told: Told,
}

/// What a node told since it was started, or since it said that all was to be loaded anew.
#[derive(Clone)]
pub(super) struct Told(Arc<Mutex<(u64, Vec<Record>)>>, Hub);

impl Told {
    /// After which position it began, and the records.
    pub(super) fn all(&self) -> (u64, Vec<Record>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Publisher for Told {
    fn publish(&mut self, city: &City, record: &Record) {
        assert_eq!(city.position(), record.position, "a record is told while the city stands just there");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(record.clone());
        self.1.publish(city, record);
    }

    fn announce(&mut self, position: u64) {
        self.1.announce(position);
    }

    fn begin_anew(&mut self, position: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (position, Vec::new());
        self.1.begin_anew(position);
    }
}

impl Node {
    /// Starts, where the journal is reached.
    pub(super) fn start(server: &Server, n: usize, time_s: u32) -> Option<Self> {
        let clock = Arc::new(SimClock::default());
        clock.forward_s(time_s);
        let hub = phones::hub();
        let told = Told(Arc::default(), hub.clone());
        let parts = Parts {
            journal: Box::new(server.end(n)),
            publisher: Box::new(told.clone()),
            clock: clock.clone(),
            policy: Policy::default(),
            limits: Limits::default(),
            history: 1 << 40,
        };
        let (muster, driver) = Muster::by_hand(parts).ok()?;
        // What it was told of at the start is not what it told.
        *told.0.lock().unwrap_or_else(PoisonError::into_inner) = (muster.city().position(), Vec::new());
        Some(Self { number: n, muster, desk: Desk::of(&hub), hub, driver, clock, told })
    }

    /// Time passes, and the driver has its turn; false when it has ended.
    pub(super) fn turn(&mut self, seconds: u32, is_time: bool) -> bool {
        self.clock.forward_s(seconds);
        self.driver.turn(is_time).unwrap_or_else(|error| panic!("nothing here damages a journal: {error}"))
    }

    /// What it told.
    pub(super) fn told(&self) -> (u64, Vec<Record>) {
        self.told.all()
    }
}
