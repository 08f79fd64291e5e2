//! Filling in blanks: `{name}` in a text, once, and the words for a time.

use std::collections::{BTreeMap, BTreeSet};

use super::{VALUE_MAX, Values};
use crate::domain::cap_words::Language;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// Blanks that the program fills in itself.
pub(super) const GIVEN: [&str; 3] = ["event", "time", "until"];

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A text in pieces: what stands before each blank, the blank's name; at last what stands after them all.
fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest.take()?;
        let blank = here.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)));
        Some(match blank {
            Some((before, (name, after))) => {
                rest = Some(after);
                (before, Some(name))
            }
            None => (here, None),
        })
    })
}

/// The names of the blanks in a text.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|(_, name)| name)
}

/// Values for blanks, and the names that were looked for in vain.
pub(super) struct Blanks<'a> {
    values: &'a Values,
    language: Language,
    given: BTreeMap<&'static str, String>,
    missing: BTreeSet<String>,
}

impl<'a> Blanks<'a> {
    /// # Errors
    /// [`Refusal::BadText`] for a value that is too long.
    pub(super) fn new(values: &'a Values) -> Result<Self, Refusal> {
        if values.values().flat_map(BTreeMap::values).any(|value| value.chars().count() > VALUE_MAX) {
            return Err(Refusal::BadText { field: "values", max: VALUE_MAX });
        }
        Ok(Self { values, language: Language::ZhCn, given: BTreeMap::new(), missing: BTreeSet::new() })
    }

    /// What follows is in that language, with these values of the program's own.
    pub(super) fn turn_to(&mut self, language: Language, given: [(&'static str, String); GIVEN.len()]) {
        self.language = language;
        self.given = given.into();
    }

    /// The text with its blanks filled in. A value is taken as it is: a blank in it stays one.
    pub(super) fn fill(&mut self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        for (before, name) in pieces(text) {
            filled.push_str(before);
            if let Some(name) = name {
                match self.value(name) {
                    Some(value) => filled.push_str(value),
                    None => drop(self.missing.insert(name.to_owned())),
                }
            }
        }
        filled
    }

    fn value(&self, name: &str) -> Option<&str> {
        let of = |language| self.values.get(&language).and_then(|values| values.get(name));
        let author = [self.language, Language::ZhCn].into_iter().filter_map(of).map(|value| value.trim());
        self.given.get(name).map(String::as_str).or_else(|| author.into_iter().find(|value| !value.is_empty()))
    }

    /// # Errors
    /// [`Refusal::AlertIncomplete`] names every blank that had no value.
    pub(super) fn require_all_given(&self) -> Result<(), Refusal> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.missing.iter().map(|name| format!("{{{name}}}")).collect();
        Err(Refusal::AlertIncomplete { missing: names.join(", ") })
    }
}

/// The time as people there say it, with its date: 7月12日20时30分, 20:30 on 12 July.
///
/// # Errors
/// [`Refusal::BadAlert`] for a time out of any calendar.
pub(super) fn time_words(at: Timestamp, utc_offset_min: i32, language: Language) -> Result<String, Refusal> {
    let civil = || {
        let offset = jiff::tz::Offset::from_seconds(utc_offset_min.checked_mul(60)?).ok()?;
        Some(offset.to_datetime(jiff::Timestamp::from_microsecond(at.0).ok()?))
    };
    let time =
        civil().ok_or_else(|| Refusal::BadAlert { why: "时间超出范围 (a time is out of range)".into() })?;
    Ok(match (language, time.minute()) {
        (Language::ZhCn, 0) => format!("{}月{}日{}时", time.month(), time.day(), time.hour()),
        (Language::ZhCn, minute) => format!("{}月{}日{}时{minute}分", time.month(), time.day(), time.hour()),
        (Language::EnUs, minute) => {
            let month = usize::try_from(time.month() - 1).ok().and_then(|month| MONTHS_EN.get(month)).unwrap_or(&"");
            format!("{:02}:{minute:02} on {} {month}", time.hour(), time.day())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_found_and_stray_braces_are_left() {
        assert_eq!(names("{a}与{b}{c").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(names("没有").count(), 0);
        assert_eq!(pieces("x{a}y").collect::<Vec<_>>(), [("x", Some("a")), ("y", None)]);
    }

    #[test]
    fn times_have_their_date_in_the_citys_clock() {
        let at = Timestamp(1_783_859_400_000_000);
        assert_eq!(time_words(at, 480, Language::ZhCn).unwrap(), "7月12日20时30分");
        assert_eq!(time_words(at.plus_s(12_600), 480, Language::EnUs).unwrap(), "00:00 on 13 July");
        assert_eq!(time_words(at.plus_s(12_600), 480, Language::ZhCn).unwrap(), "7月13日0时");
        assert!(time_words(Timestamp(i64::MAX), 480, Language::ZhCn).is_err());
    }
}
