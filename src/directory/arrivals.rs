//! People of an import whose command is not done yet: written before the journal says that they exist, so that nobody in it is
//! without a name, and marked, so that they go again when the city says no or the process dies in between.
//!
//! All or nothing over two files: [`Directory::arrive`], then the command, then [`Directory::stay`] or [`Directory::turn_away`].
//! Whoever is still marked at a start is judged by what the journal says (`import::settle_arrivals`); where several nodes serve the
//! city, whoever is marked for longer than an import takes.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tokio::sync::MutexGuard;

use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::people::{PEOPLE_BATCH_MAX, PersonEntry};
use super::{Directory, Result, id_bytes, id_from};

impl Directory {
    /// The right to let people arrive: one import at a time, or a repeat that is refused would turn away those of the first.
    pub async fn arrivals_turn(&self) -> MutexGuard<'_, ()> {
        self.inner.arrivals.lock().await
    }

    /// Writes people of a command that is not done yet, in one transaction: all or none. Who is there already under the same id, as
    /// after an attempt that was cut short, is left as they are. The answer is who is marked as arriving. Blocks.
    ///
    /// # Errors
    /// Refused when an entry is not usable, its person was erased, or its id has another name or phone: the command's id was used
    /// for another file; unavailable or broken.
    pub fn arrive(&self, entries: &[PersonEntry], now: Timestamp) -> Result<Vec<PersonId>> {
        if entries.len() > PEOPLE_BATCH_MAX {
            return Err(Refusal::BadCount { field: "people", max: PEOPLE_BATCH_MAX }.into());
        }
        entries.iter().try_for_each(PersonEntry::check)?;
        self.write(|tx| {
            entries.iter().try_for_each(|entry| arrive_one(tx, entry, now))?;
            let mut is_marked = tx.prepare_cached("SELECT 1 FROM arrivals WHERE person_id = ?1")?;
            let mut marked = Vec::new();
            for entry in entries {
                if is_marked.exists([id_bytes(entry.id)])? {
                    marked.push(entry.id);
                }
            }
            Ok(marked)
        })
    }

    /// They are in the city now: their marks go. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken; then they stay marked.
    pub fn stay(&self, people: &[PersonId]) -> Result<()> {
        self.write(|tx| {
            let mut unmark = tx.prepare_cached("DELETE FROM arrivals WHERE person_id = ?1")?;
            people.iter().try_for_each(|id| Ok(unmark.execute([id_bytes(*id)]).map(drop)?))
        })
    }

    /// The city does not have them: those who are marked go as if they had never come, and their ids may be used again. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken; then they stay marked.
    pub fn turn_away(&self, people: &[PersonId]) -> Result<()> {
        if people.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let mut unmark = tx.prepare_cached("DELETE FROM arrivals WHERE person_id = ?1")?;
            let mut remove = tx.prepare_cached("DELETE FROM people WHERE id = ?1")?;
            for id in people.iter().map(|id| id_bytes(*id)) {
                if unmark.execute([id])? == 1 {
                    remove.execute([id])?;
                }
            }
            Ok(())
        })?;
        self.writer().fold_write_ahead_log()
    }

    /// Who is marked as arriving since `upto` or longer. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn arriving(&self, upto: Timestamp) -> Result<Vec<PersonId>> {
        self.read(|db| {
            let mut find = db.prepare_cached("SELECT person_id FROM arrivals WHERE since_us <= ?1")?;
            let people = find.query_map([upto.0], |row| id_from(row, 0))?.collect::<rusqlite::Result<_>>()?;
            Ok(people)
        })
    }
}

/// Writes and marks a person, unless they are there already as they are to be.
fn arrive_one(tx: &Transaction<'_>, entry: &PersonEntry, now: Timestamp) -> Result<()> {
    let id = id_bytes(entry.id);
    let there = tx
        .prepare_cached("SELECT name = ?2 AND phone IS ?3, erased_us IS NOT NULL FROM people WHERE id = ?1")?
        .query_row(params![id, entry.name, entry.phone], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match there {
        Some((_, true)) => Err(Refusal::PersonErased {}.into()),
        Some((false, false)) => Err(Refusal::CommandIdReused {}.into()),
        Some((true, false)) => Ok(()),
        None => {
            tx.prepare_cached("INSERT INTO people (id, name, phone, note) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![id, entry.name, entry.phone, entry.note])?;
            tx.prepare_cached("INSERT INTO arrivals (person_id, since_us) VALUES (?1, ?2)")?
                .execute(params![id, now.0])?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_city::{NOW, TestCity};
    use super::*;

    #[test]
    fn who_is_turned_away_was_never_here_and_may_come_again() {
        let city = TestCity::new();
        let (new, directory) = (TestCity::entry(2), &city.directory);
        assert_eq!(directory.arrive(std::slice::from_ref(&new), NOW).unwrap(), [new.id]);
        assert_eq!(
            (directory.person(new.id).unwrap(), directory.arriving(NOW).unwrap()),
            (Some(new.clone()), vec![new.id])
        );
        directory.turn_away(&[new.id]).unwrap();
        assert_eq!((directory.person(new.id).unwrap(), directory.arriving(NOW).unwrap()), (None, vec![]));
        for file in std::fs::read_dir(city.dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = std::fs::read(&file).unwrap();
            let name = new.name.as_bytes();
            assert!(!bytes.windows(name.len()).any(|window| window == name), "{} has it still", file.display());
        }
        assert_eq!(directory.arrive(std::slice::from_ref(&new), NOW).unwrap(), [new.id]);
        directory.stay(&[new.id]).unwrap();
        assert_eq!((directory.person(new.id).unwrap(), directory.arriving(NOW).unwrap()), (Some(new.clone()), vec![]));
        directory.turn_away(&[new.id]).unwrap();
        assert_eq!(directory.person(new.id).unwrap(), Some(new), "who stays is not turned away any more");
    }

    #[test]
    fn a_repeat_finds_them_there_and_another_name_under_their_id_changes_nothing() {
        let city = TestCity::new();
        let (first, second) = (TestCity::entry(2), TestCity::entry(3));
        city.directory.arrive(std::slice::from_ref(&first), NOW).unwrap();
        assert_eq!(city.directory.arrive(&[first.clone(), second.clone()], NOW).unwrap(), [first.id, second.id]);
        city.directory.stay(&[first.id]).unwrap();
        assert_eq!(city.directory.arrive(&[first.clone(), second.clone()], NOW).unwrap(), [second.id]);
        let other = PersonEntry { name: "别人".into(), ..first.clone() };
        let refused = city.directory.arrive(&[TestCity::entry(4), other], NOW).unwrap_err();
        assert_eq!(refused.refusal(), Refusal::CommandIdReused {});
        assert_eq!(city.directory.person(first.id).unwrap(), Some(first));
        assert_eq!(city.directory.person(TestCity::id(4)).unwrap(), None, "all or none");
    }

    #[test]
    fn who_was_erased_does_not_come_back() {
        let city = TestCity::new();
        city.directory.erase_person(city.someone, NOW).unwrap();
        let refused = city.directory.arrive(&[TestCity::entry(1)], NOW).unwrap_err();
        assert_eq!(refused.refusal(), Refusal::PersonErased {});
    }
}
