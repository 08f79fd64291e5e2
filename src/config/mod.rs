//! What a city's operators may change, each file parsed once into valid types at the start.
//!
//! Parsing is pure (text in, values or a named error out) and knows nothing of servers. See [`catalogue`] for posts and plans.

pub mod catalogue;
