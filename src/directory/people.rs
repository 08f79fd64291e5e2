//! People: their names and phones, and how they are erased.

use std::collections::HashSet;
use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::{Directory, Result, id_bytes, id_from};

/// People that one call may write.
pub const PEOPLE_BATCH_MAX: usize = 1_000_000;
/// Characters of a name.
pub const NAME_MAX: usize = 64;
/// Characters of a phone number.
pub const PHONE_MAX: usize = 32;
/// Characters of a note.
pub const NOTE_MAX: usize = 200;
/// People that one search gives at most.
pub const FOUND_MAX: usize = 200;

/// What is known of a person. `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonEntry {
    /// Who, as the journal knows them.
    pub id: PersonId,
    /// What they are called.
    pub name: String,
    /// How they are rung up, as it was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What else helps to reach them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl PersonEntry {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        check_text("name", Some(&self.name), NAME_MAX)?;
        check_text("phone", self.phone.as_deref(), PHONE_MAX)?;
        check_text("note", self.note.as_deref(), NOTE_MAX)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: id_from(row, 0)?, name: row.get(1)?, phone: row.get(2)?, note: row.get(3)? })
    }
}

impl fmt::Debug for PersonEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonEntry").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is there must say something, within `max` characters and without control characters.
pub(super) fn check_text(field: &'static str, text: Option<&str>, max: usize) -> Result<(), Refusal> {
    let fits = |text: &str| {
        !text.trim().is_empty() && text.chars().take(max + 1).count() <= max && !text.chars().any(char::is_control)
    };
    if text.is_none_or(fits) { Ok(()) } else { Err(Refusal::BadText { field, max }) }
}

const PERSON_SQL: &str = "SELECT id, name, phone, note FROM people WHERE erased_us IS NULL";

impl Directory {
    /// Writes people, new or known, in one transaction: all or none. Blocks.
    ///
    /// # Errors
    /// Refused when an entry is not usable or its person was erased; unavailable or broken.
    pub fn upsert_people(&self, entries: &[PersonEntry]) -> Result<()> {
        if entries.len() > PEOPLE_BATCH_MAX {
            return Err(Refusal::BadCount { field: "people", max: PEOPLE_BATCH_MAX }.into());
        }
        entries.iter().try_for_each(PersonEntry::check)?;
        self.write(|tx| entries.iter().try_for_each(|entry| upsert(tx, entry)))
    }

    /// What is known of one person; `None` when nothing is, or not any more. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn person(&self, id: PersonId) -> Result<Option<PersonEntry>> {
        self.read(|db| one(db, id))
    }

    /// What is known of several, in the order asked; who is unknown or erased is left out. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn people(&self, ids: &[PersonId]) -> Result<Vec<PersonEntry>> {
        self.read(|db| ids.iter().filter_map(|id| one(db, *id).transpose()).collect())
    }

    /// Those of `within` whose name contains `part`, at most [`FOUND_MAX`], in no promised order. Whom the asker may see is
    /// theirs to say: nobody outside `within` is found. Blocks.
    ///
    /// # Errors
    /// Refused when `part` is empty or longer than a name; unavailable or broken.
    pub fn search_people(&self, part: &str, within: &HashSet<PersonId>) -> Result<Vec<PersonEntry>> {
        check_text("name", Some(part), NAME_MAX)?;
        self.read(|db| {
            let mut find = db.prepare_cached(&format!("{PERSON_SQL} AND instr(name, ?1) > 0"))?;
            let mut found = Vec::new();
            for person in find.query_map([part.trim()], PersonEntry::from_row)? {
                let person = person?;
                if within.contains(&person.id) {
                    found.push(person);
                }
                if found.len() == FOUND_MAX {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Erases a person: name, phone and note are overwritten in the file, and their account, sessions and invitations are gone.
    /// The id stays and cannot be given a name again. The log of looks keeps the id. Erasing twice is erasing once. Blocks.
    ///
    /// # Errors
    /// [`Refusal::UnknownPerson`]; unavailable or broken.
    pub fn erase_person(&self, id: PersonId, now: Timestamp) -> Result<()> {
        self.write(|tx| {
            let erased = tx.execute(
                "UPDATE people SET name = '', phone = NULL, note = NULL, erased_us = coalesce(erased_us, ?2) WHERE id = ?1",
                params![id_bytes(id), now.0],
            )?;
            if erased == 0 {
                return Err(Refusal::UnknownPerson {}.into());
            }
            for table in ["sessions", "invitations", "accounts"] {
                tx.execute(&format!("DELETE FROM {table} WHERE person_id = ?1"), [id_bytes(id)])?;
            }
            Ok(())
        })?;
        self.writer().fold_write_ahead_log()
    }
}

/// Writes a person, new or known.
pub(super) fn upsert(tx: &Transaction<'_>, entry: &PersonEntry) -> Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO people (id, name, phone, note) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET name = ?2, phone = ?3, note = ?4 WHERE erased_us IS NULL",
    )?;
    let written = upsert.execute(params![id_bytes(entry.id), entry.name, entry.phone, entry.note])?;
    if written == 0 { Err(Refusal::PersonErased {}.into()) } else { Ok(()) }
}

fn one(db: &Connection, id: PersonId) -> Result<Option<PersonEntry>> {
    let mut find = db.prepare_cached(&format!("{PERSON_SQL} AND id = ?1"))?;
    Ok(find.query_row([id_bytes(id)], PersonEntry::from_row).optional()?)
}

#[cfg(test)]
mod tests {
    use super::super::test_city::{NOW, TestCity};
    use super::*;
    use crate::directory::DirectoryError;

    #[test]
    fn people_are_written_changed_and_read_in_the_order_asked() {
        let city = TestCity::new();
        let mut entry = TestCity::entry(2);
        city.directory.upsert_people(&[entry.clone(), TestCity::entry(3)]).unwrap();
        entry.phone = None;
        city.directory.upsert_people(std::slice::from_ref(&entry)).unwrap();
        assert_eq!(city.directory.person(entry.id).unwrap(), Some(entry.clone()));
        let found = city.directory.people(&[TestCity::id(3), TestCity::id(9), entry.id]).unwrap();
        assert_eq!(found, [TestCity::entry(3), entry]);
    }

    #[test]
    fn one_bad_entry_refuses_them_all() {
        let city = TestCity::new();
        for (field, bad) in [
            ("name", PersonEntry { name: " ".into(), ..TestCity::entry(3) }),
            ("name", PersonEntry { name: "长".repeat(NAME_MAX + 1), ..TestCity::entry(3) }),
            ("phone", PersonEntry { phone: Some("1\n2".into()), ..TestCity::entry(3) }),
            ("note", PersonEntry { note: Some(String::new()), ..TestCity::entry(3) }),
        ] {
            let refused = city.directory.upsert_people(&[TestCity::entry(2), bad]).unwrap_err().refusal();
            assert!(matches!(refused, Refusal::BadText { field: named, .. } if named == field), "{refused:?}");
        }
        assert_eq!(city.directory.person(TestCity::id(2)).unwrap(), None);
    }

    #[test]
    fn a_search_finds_nobody_outside_the_set() {
        let city = TestCity::new();
        city.directory.upsert_people(&[TestCity::entry(12), TestCity::entry(13)]).unwrap();
        let within = HashSet::from([TestCity::id(1), TestCity::id(12)]);
        let search = |part: &str| {
            let mut ids: Vec<_> = city.directory.search_people(part, &within).unwrap().iter().map(|p| p.id).collect();
            ids.sort();
            ids
        };
        assert_eq!(search("张某"), [TestCity::id(1), TestCity::id(12)]);
        assert_eq!(search("某12"), [TestCity::id(12)]);
        assert_eq!(search("某13"), []);
        assert_eq!(search("%"), [], "a search is no pattern");
        assert!(city.directory.search_people("", &within).is_err());
    }

    #[test]
    fn an_erased_person_is_gone_from_the_file_and_stays_gone() {
        let city = TestCity::new();
        let secret =
            PersonEntry { name: "独一无二之名".into(), phone: Some("13999998888".into()), ..TestCity::entry(7) };
        city.directory.upsert_people(std::slice::from_ref(&secret)).unwrap();
        city.directory.erase_person(secret.id, NOW).unwrap();
        city.directory.erase_person(secret.id, NOW).unwrap();

        assert_eq!(city.directory.person(secret.id).unwrap(), None);
        assert_eq!(city.directory.search_people("独一", &HashSet::from([secret.id])).unwrap(), []);
        let refused = city.directory.upsert_people(&[TestCity::entry(8), secret.clone()]).unwrap_err();
        assert_eq!(refused.refusal(), Refusal::PersonErased {});
        assert_eq!(city.directory.person(TestCity::id(8)).unwrap(), None);
        for file in std::fs::read_dir(city.dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = std::fs::read(&file).unwrap();
            for trace in [secret.name.as_bytes(), b"13999998888"] {
                assert!(!bytes.windows(trace.len()).any(|window| window == trace), "{} has it still", file.display());
            }
        }
    }

    #[test]
    fn erasing_nobody_is_said() {
        let refused = TestCity::new().directory.erase_person(TestCity::id(99), NOW).unwrap_err();
        assert!(matches!(refused, DirectoryError::Refused(Refusal::UnknownPerson {})));
    }

    #[test]
    fn debug_shows_no_name_and_no_phone() {
        let shown = format!("{:?}", TestCity::entry(1));
        assert!(!shown.contains("张") && !shown.contains("138"), "{shown}");
    }
}
