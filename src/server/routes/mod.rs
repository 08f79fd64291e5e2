//! Handlers, one file a noun, each beside the shapes that only the API has.

pub mod aid;
pub mod alert_reads;
pub mod alerts;
pub mod cancel;
pub mod docs;
pub mod duty;
pub mod help;
pub mod incidents;
pub mod log;
pub mod making;
pub mod map;
pub mod operate;
pub mod paging;
pub mod roll;
pub mod session;
pub mod targets;
pub mod templates;
