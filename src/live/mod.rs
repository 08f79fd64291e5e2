//! L3: what phones and consoles hear, live.

use crate::city::City;
use crate::domain::event::Record;

/// Is told of each record right after the city took it in, while the city stands just there: what follows by rule (which calls an
/// order made, say) can be read off it. At the start it is told of the last records, so that phones can resume.
pub trait Publisher: Send {
    /// Tells those whom it concerns. Must not block: the city's write lock is held.
    fn publish(&mut self, city: &City, record: &Record);
}

impl Publisher for () {
    fn publish(&mut self, _: &City, _: &Record) {}
}
