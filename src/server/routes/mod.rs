//! Handlers, one file a noun, each beside the shapes that only the API has.
#![expect(
    clippy::missing_errors_doc,
    reason = "a handler's documentation is the API's own text, and `openapi` says how every operation fails"
)]

pub mod accounts;
pub mod aid;
pub mod alert_progress;
pub mod alert_reads;
pub mod alerts;
pub mod areas;
pub mod cancel;
pub mod compounds;
pub mod docs;
pub mod duty;
pub mod help;
pub mod imports;
pub mod incidents;
pub mod links;
pub mod log;
pub mod making;
pub mod map;
pub mod me;
pub mod operate;
pub mod paging;
pub mod people;
pub mod plans;
pub mod posts;
pub mod replay;
pub mod roll;
pub mod session;
pub mod succession;
pub mod targets;
pub mod templates;
pub mod tiles;
