//! L3: what happens, on its way to phones and consoles, and what they say on the way back.
//!
//! A record becomes notices (`city::audience`), a notice becomes bytes once ([`frame`]), and these bytes are shared by all who get it.
//! [`hub`] knows who is connected and leaves frames in each connection's [`outbox`]; [`connection`] is the task that writes them,
//! reads what the client says ([`protocol`]) and answers. [`resume`] keeps the last events for those who come back; [`map`] conflates
//! what changes on the map; [`receipts`] gathers what phones report. [`codes`] says why a socket was closed, [`limits`] bounds
//! everything. Who may see what is never decided here.

pub mod codes;
pub mod connection;
pub mod frame;
pub mod hub;
pub mod limits;
pub mod map;
pub mod outbox;
pub mod protocol;
pub mod receipts;
pub mod resume;

pub use codes::Code;
pub use connection::{LiveIdentity, LiveParts, upgrade};
pub use hub::Hub;
pub use limits::LiveLimits;
