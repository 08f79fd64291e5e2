//! The scenarios: what happens to the server, and what is found. Each is bounded in count and time, and ends by itself.

pub mod alert_storm;
pub mod duty_switch;
pub mod growth;
pub mod node_storm;
pub mod reconnect_storm;
pub mod roll_call;
pub mod slow_readers;
pub mod stage;
