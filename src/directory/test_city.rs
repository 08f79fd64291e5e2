//! A small directory for the tests of this module: one city, one person, a fresh folder.

use tempfile::TempDir;
use uuid::Uuid;

use crate::domain::ids::PersonId;
use crate::domain::time::Timestamp;

use super::Directory;
use super::people::PersonEntry;

/// A working day in November 2026.
pub(super) const NOW: Timestamp = Timestamp(1_795_500_000_000_000);

pub(super) struct TestCity {
    pub(super) dir: TempDir,
    pub(super) directory: Directory,
    pub(super) someone: PersonId,
}

impl TestCity {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let directory = Directory::open(&dir.path().join(super::FILE_NAME), "1404".parse().unwrap()).unwrap();
        directory.upsert_people(&[Self::entry(1)]).unwrap();
        Self { dir, directory, someone: Self::id(1) }
    }

    pub(super) fn id(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    pub(super) fn entry(n: u128) -> PersonEntry {
        PersonEntry {
            id: Self::id(n),
            name: format!("张某{n}"),
            phone: Some(format!("1380000{n:04}")),
            note: Some("合成数据".into()),
        }
    }
}
