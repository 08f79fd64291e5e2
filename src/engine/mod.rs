//! L2: the way of a command, without IO. Commands wait in a queue, are decided together in rounds, and are answered only when
//! their events are durable.
//!
//! A driver (`runtime`) owns the clock, the journal and the city's lock, and calls four things in turn:
//! [`Engine::submit`] takes a command in; [`Engine::next_round`] decides those that touch different things on the city as it
//! stands; [`Engine::take_in`] takes what the journal made durable into the city, whichever node wrote it; [`Engine::settle`] gives
//! back the answers. [`timers`] says which orders the clock itself gives.

pub mod idempotency;
pub mod ports;
pub mod queue;
pub mod rounds;
pub mod timers;

pub use queue::{Accepted, Answer, Engine, InHand, Limits, Refused, Round, Ticket};
