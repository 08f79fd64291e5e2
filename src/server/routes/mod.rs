//! Handlers, one file a noun, each beside the shapes that only the API has.

pub mod docs;
pub mod operate;
pub mod session;
