//! L3: what happens, on its way to phones and consoles, and what they say on the way back.
//!
//! A record becomes notices (`city::audience`), a notice becomes bytes once ([`frame`]), and these bytes are shared by all who get it.
//! [`hub`] knows who is connected ([`seats`]) and leaves frames in the [`inbox`] of the [`shard`] that owns their sockets; shards write
//! them, read what clients say ([`protocol`]) and answer. [`mod@upgrade`] brings sockets to them. [`resume`] keeps the last events for those
//! who come back; [`map`] conflates what changes on the map; [`receipts`] gathers what phones report. [`codes`] says why a socket was
//! closed, [`limits`] bounds everything. Who may see what is never decided here.

pub mod codes;
pub mod frame;
pub mod hub;
pub mod inbox;
pub mod limits;
pub mod map;
pub mod protocol;
pub mod receipts;
pub mod resume;
mod seats;
mod shard;
pub mod upgrade;

use std::io;

use crate::runtime::Muster;

pub use codes::Code;
pub use hub::Hub;
pub use limits::LiveLimits;
pub use seats::Place;
pub use upgrade::{LiveIdentity, NoHandshake, Upgrade};

/// What connections stand on. Cheap to clone.
#[derive(Clone)]
pub struct LiveParts {
    /// Who hears what.
    pub hub: Hub,
    /// The running city.
    pub muster: Muster,
}

impl LiveParts {
    /// Starts what the live part does by itself: its shards, gathering receipts and flushing the map. Called once, inside the runtime.
    ///
    /// # Errors
    /// When the system gives no thread or no poll.
    pub fn start(hub: Hub, muster: Muster) -> io::Result<Self> {
        shard::start(&hub, &muster)?;
        tokio::spawn(hub.clone().drive_receipts(muster.clone()));
        tokio::spawn(hub.clone().drive_map(muster.clone()));
        Ok(Self { hub, muster })
    }
}
