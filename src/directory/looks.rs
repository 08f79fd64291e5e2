//! Looks: each time names and phones are shown to somebody, it is written down who looked, at what, when and why.
//!
//! The log has ids only. A look is written before the answer is given: who cannot be logged sees nothing.

use rusqlite::{Row, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::time::{MICROS_PER_S, Timestamp};

use super::people::check_text;
use super::{Directory, DirectoryError, Result, id_bytes, id_from};

/// Characters of a reason.
pub const WHY_MAX: usize = 200;
/// Looks on one page.
pub const LOOKS_PAGE_MAX: usize = 200;
/// Microseconds that a look is remembered: three years.
const REMEMBERED_US: i64 = 3 * 366 * 86_400 * MICROS_PER_S;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LookedAt {
    /// The people of a compound.
    Compound(CompoundId),
    /// One person.
    Person(PersonId),
}

/// One look, as it is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Who looked.
    pub by: PersonId,
    /// At what.
    pub at: LookedAt,
    /// Why, in their words or the page's name; no names or phones in it.
    pub why: String,
}

/// One look, as it was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LookView {
    /// Its number; later looks have larger ones.
    pub id: i64,
    /// When; microseconds since 1970.
    #[schema(value_type = i64)]
    pub when: Timestamp,
    /// Who looked.
    pub by: PersonId,
    /// At what.
    pub at: LookedAt,
    /// Why.
    pub why: String,
}

impl Directory {
    /// Writes a look down. Blocks.
    ///
    /// # Errors
    /// Refused when the reason is empty or too long; unavailable or broken: then nothing may be shown.
    pub fn log_look(&self, look: &Look, now: Timestamp) -> Result<()> {
        check_text("why", Some(&look.why), WHY_MAX)?;
        let (compound, person) = match look.at {
            LookedAt::Compound(compound) => (Some(number_of(compound)), None),
            LookedAt::Person(person) => (None, Some(id_bytes(person))),
        };
        self.write(|tx| {
            tx.prepare_cached("INSERT INTO looks (at_us, by_id, compound, person, why) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![now.0, id_bytes(look.by), compound, person, look.why])?;
            Ok(())
        })
    }

    /// Looks before the number `before` (or the latest), latest first, at most `limit` (and [`LOOKS_PAGE_MAX`]): all of them
    /// within the city, those at compounds in the area within a smaller one. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn looks(&self, within: AreaCode, before: Option<i64>, limit: usize) -> Result<Vec<LookView>> {
        let everywhere = within.level() == AreaLevel::City;
        let compounds = CompoundId::all_in(within);
        let limit = i64::try_from(limit.min(LOOKS_PAGE_MAX)).unwrap_or(0);
        self.read(|db| {
            let mut page = db.prepare_cached(
                "SELECT id, at_us, by_id, compound, person, why FROM looks
                 WHERE id < ?1 AND (?2 OR compound BETWEEN ?3 AND ?4) ORDER BY id DESC LIMIT ?5",
            )?;
            let (first, last) = (number_of(*compounds.start()), number_of(*compounds.end()));
            let mut rows = page.query(params![before.unwrap_or(i64::MAX), everywhere, first, last, limit])?;
            let mut looks = Vec::new();
            while let Some(row) = rows.next()? {
                looks.push(view_from(row)?);
            }
            Ok(looks)
        })
    }
}

fn view_from(row: &Row<'_>) -> Result<LookView> {
    let at = match (row.get::<_, Option<i64>>(3)?, row.get::<_, Option<[u8; 16]>>(4)?) {
        (Some(compound), _) => compound.to_string().parse().ok().map(LookedAt::Compound),
        (None, person) => person.map(|bytes| LookedAt::Person(PersonId(Uuid::from_bytes(bytes)))),
    };
    let at = at.ok_or_else(|| DirectoryError::Broken("a look cannot be read".into()))?;
    Ok(LookView { id: row.get(0)?, when: Timestamp(row.get(1)?), by: id_from(row, 2)?, at, why: row.get(5)? })
}

/// A compound's 15 digits as SQLite takes them.
fn number_of(compound: CompoundId) -> i64 {
    compound.number().cast_signed()
}

/// What is too old to be asked for goes.
pub(super) fn prune(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    // Numbers follow time, so the oldest stand first; only those are visited.
    tx.execute(
        "DELETE FROM looks WHERE id < (SELECT coalesce(min(id), 0) FROM looks WHERE at_us > ?1)",
        [now.0.saturating_sub(REMEMBERED_US)],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::test_city::{NOW, TestCity};
    use super::*;
    use crate::domain::refusal::Refusal;

    fn look(at: LookedAt) -> Look {
        Look { by: TestCity::id(5), at, why: "查看联系电话".into() }
    }

    fn at_compound(text: &str) -> Look {
        look(LookedAt::Compound(text.parse().unwrap()))
    }

    fn area(text: &str) -> AreaCode {
        text.parse().unwrap()
    }

    #[test]
    fn looks_are_paged_latest_first() {
        let city = TestCity::new();
        let looks =
            [at_compound("140403001001001"), look(LookedAt::Person(city.someone)), at_compound("140404001001001")];
        for (s, one) in (0..).zip(&looks) {
            city.directory.log_look(one, NOW.plus_s(s)).unwrap();
        }
        let page = city.directory.looks(area("1404"), None, 2).unwrap();
        assert_eq!(page.iter().map(|view| view.at).collect::<Vec<_>>(), [looks[2].at, looks[1].at]);
        assert_eq!((page[0].when, page[0].by, page[0].why.as_str()), (NOW.plus_s(2), TestCity::id(5), "查看联系电话"));
        let rest = city.directory.looks(area("1404"), Some(page[1].id), 2).unwrap();
        assert_eq!(rest.iter().map(|view| view.at).collect::<Vec<_>>(), [looks[0].at]);
        let county = city.directory.looks(area("140403"), None, 9).unwrap();
        assert_eq!(county.iter().map(|view| view.at).collect::<Vec<_>>(), [looks[0].at], "no more than the area's");
    }

    #[test]
    fn a_look_without_a_reason_is_refused() {
        let city = TestCity::new();
        let refused =
            city.directory.log_look(&Look { why: " ".into(), ..at_compound("140403001001001") }, NOW).unwrap_err();
        assert_eq!(refused.refusal(), Refusal::BadText { field: "why", max: WHY_MAX });
        assert!(city.directory.looks(area("1404"), None, 9).unwrap().is_empty());
    }

    #[test]
    fn old_looks_go_and_the_log_outlives_the_erased() {
        let city = TestCity::new();
        city.directory.log_look(&look(LookedAt::Person(city.someone)), NOW).unwrap();
        let later = Timestamp(NOW.0 + REMEMBERED_US);
        city.directory.log_look(&at_compound("140403001001001"), later).unwrap();
        city.directory.erase_person(city.someone, NOW).unwrap();
        city.directory.housekeeping(Timestamp(later.0 - 1)).unwrap();
        assert_eq!(city.directory.looks(area("1404"), None, 9).unwrap().len(), 2);
        city.directory.housekeeping(later).unwrap();
        assert_eq!(city.directory.looks(area("1404"), None, 9).unwrap().len(), 1);
    }
}
