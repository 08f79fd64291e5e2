//! What a cut or garbled write-ahead log costs: only what lies behind the damage, and never the start.

use std::fs;
use std::path::{Path, PathBuf};

use muster::engine::ports::Journal;
use muster::journal::{SqliteJournal, verify};
use muster::testing::append;
use tempfile::TempDir;

use super::journal_contract::{entries, options, records};

/// Logs that are damaged, each another way.
const CASES: u64 = 80;
/// Appends in the log, of 1 to 6 records each.
const APPENDS: u64 = 40;
/// `SEED=n cargo test torn` plays another.
const SEED_DEFAULT: u64 = 1404;

/// A journal as a power cut leaves it, and how long its log was after each append.
struct Left {
    folder: TempDir,
    /// Bytes of the log, and the last position acknowledged when it was that long.
    synced: Vec<(u64, u64)>,
}

/// How a log is damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// All from here is gone.
    Cut(u64),
    /// So many bytes from here are something else.
    Garbled(u64, u64),
}

impl Damage {
    fn begins(self) -> u64 {
        match self {
            Self::Cut(at) | Self::Garbled(at, _) => at,
        }
    }

    fn apply(self, log: &mut Vec<u8>) {
        let index = |at: u64| usize::try_from(at).unwrap();
        match self {
            Self::Cut(at) => log.truncate(index(at)),
            Self::Garbled(at, bytes) => {
                let end = index(at + bytes).min(log.len());
                log[index(at)..end].iter_mut().for_each(|byte| *byte ^= 0x5A);
            }
        }
    }
}

/// `SplitMix64`: a seed gives the same cases everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn log_of(journal: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", journal.display()))
}

/// Appends, and copies the files away while the journal is open: nothing is tidied up, as in a power cut.
fn left_behind(dice: &mut Dice) -> Left {
    let (live, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = live.path().join("journal.sqlite");
    let mut journal = SqliteJournal::open(&path, options()).unwrap();
    let (mut synced, mut last) = (vec![(0, 0)], 0);
    for _ in 0..APPENDS {
        let until = last + 1 + dice.below(6);
        append(&mut journal, entries(last + 1..=until)).unwrap();
        last = until;
        synced.push((fs::metadata(log_of(&path)).unwrap().len(), last));
    }
    let copy = folder.path().join("journal.sqlite");
    fs::copy(&path, &copy).unwrap();
    fs::copy(log_of(&path), log_of(&copy)).unwrap();
    Left { folder, synced }
}

#[test]
fn a_damaged_log_costs_only_what_lies_behind_the_damage() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED_DEFAULT);
    println!("SEED={seed}");
    let mut dice = Dice(seed);
    let left = left_behind(&mut dice);
    let original = left.folder.path().join("journal.sqlite");
    let whole = fs::read(log_of(&original)).unwrap();
    let length = whole.len() as u64;
    let mut lost_something = 0;
    for case in 0..CASES {
        let at = dice.below(length);
        let damage = if case % 2 == 0 { Damage::Cut(at) } else { Damage::Garbled(at, 1 + dice.below(600)) };
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("journal.sqlite");
        let mut log = whole.clone();
        damage.apply(&mut log);
        fs::copy(&original, &path).unwrap();
        fs::write(log_of(&path), log).unwrap();

        let intact = left.synced.iter().filter(|(bytes, _)| *bytes <= damage.begins()).map(|(_, last)| *last);
        let expected = intact.max().unwrap_or(0);
        let mut journal = SqliteJournal::open(&path, options()).unwrap();
        let found = journal.last_position().unwrap();
        assert!(found >= expected, "{damage:?}: {found} records are left, {expected} were intact");
        assert_eq!(journal.read_after(0, usize::MAX).unwrap(), records(1..=found), "{damage:?}");
        // It goes on as if nothing had been.
        assert_eq!(append(&mut journal, entries(found + 1..=found + 1)).unwrap(), records(found + 1..=found + 1));
        assert!(verify(&path).unwrap().is_whole(), "{damage:?}");
        lost_something += u32::from(found < left.synced.last().unwrap().1);
    }
    assert!(lost_something > 50, "the damage did no damage: {lost_something}");
}
