//! L0: the rules. One file a noun: its types, what may happen to it (decide) and what follows when it has (evolve).
//!
//! Nothing here does IO, reads a clock or makes an id: time, ids and what other nouns know are handed in.
//! Words are those of the glossary in `ARCHITECTURE.md`; start at [`command`] and [`event`].

pub mod actor;
pub mod aid;
pub mod alert;
pub mod alert_content;
pub mod area;
pub mod cap_words;
pub mod command;
pub mod compound;
pub mod curve;
pub mod datum;
pub mod duty;
pub mod event;
pub mod exercise_mark;
pub mod geometry;
pub mod hazard;
pub mod help;
pub mod household;
pub mod ids;
pub mod incident;
pub mod lint;
pub mod plan;
pub mod policy;
pub mod post;
pub mod receipt;
pub mod refusal;
mod rings;
pub mod roll_call;
pub mod succession;
pub mod target;
pub(crate) mod text;
pub(crate) mod text_form;
pub mod time;
