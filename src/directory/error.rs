//! Why the directory did not do what it was asked.
//!
//! Which type where: functions of this module return [`DirectoryError`]; what the giver can act on is a [`Refusal`] inside
//! it. The edge answers with [`DirectoryError::refusal`] and logs the rest, once. No message here carries a name, a phone
//! or a token: causes come from SQLite and the operating system, which are never shown values.

use std::error::Error;

use rusqlite::ErrorCode;

use crate::domain::refusal::Refusal;

/// What lies underneath.
type Cause = Box<dyn Error + Send + Sync>;

/// Why the directory did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The asker can act on it; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Disk full, locked or failing: nothing was changed, and trying again may help.
    #[error("the directory cannot be used now")]
    Unavailable(#[source] Cause),
    /// It was asked of the server that several nodes share, and nobody can say whether it was done.
    #[error("the directory did not say whether it was done")]
    OutcomeUnknown(#[source] Cause),
    /// The file is damaged or not ours, or the code is wrong: trying again does not help.
    #[error("the directory is broken")]
    Broken(#[source] Cause),
}

impl DirectoryError {
    /// What the asker is told.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::OutcomeUnknown(_) => Refusal::OutcomeUnknown {},
            Self::Unavailable(_) | Self::Broken(_) => Refusal::DirectoryUnavailable {},
        }
    }
}

impl From<rusqlite::Error> for DirectoryError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied,
            ) => Self::Unavailable(error.into()),
            _ => Self::Broken(error.into()),
        }
    }
}

impl From<std::io::Error> for DirectoryError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<getrandom::Error> for DirectoryError {
    fn from(error: getrandom::Error) -> Self {
        Self::Unavailable(error.into())
    }
}
