//! L3: the journals behind the engine's [`Journal`](crate::engine::ports::Journal) port, and the form in which records are kept.
//!
//! Nothing here knows a rule of the city, reads a clock, or holds a name or a phone. [`record`] is the stored form: versioned JSON,
//! chained by hashes. [`sqlite`] is the embedded default: one file, one writer; [`reader`] pages through it while the writer goes
//! on; [`mod@verify`] walks its chain; [`mod@backup`] copies it while it is live and brings a copy back. [`mod@redis`] is for several
//! nodes that command one city. [`memory`] is for tests and rehearsals without a disk.

pub mod backup;
mod file;
pub mod memory;
pub mod reader;
pub mod record;
pub mod redis;
pub mod sqlite;
pub mod verify;

pub use backup::{backup, restore};
pub use file::OpenError;
pub use memory::MemoryJournal;
pub use reader::{JournalReader, ReadError, SqliteReader};
pub use redis::{RedisJournal, RedisReader};
pub use sqlite::{SqliteJournal, SqliteOptions};
pub use verify::{Report, verify};
