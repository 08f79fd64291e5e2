//! Cursor pages: every list has a named limit, and says where to go on.
//!
//! What a page costs: alerts and incidents walk the journal's order and look at [`LOOKED_AT_MAX`] at most; compounds walk the spans of
//! codes that the caller sees (a search by text looks at all of these); help and dispatches walk what is open; households are those
//! of one compound; an alert's unacknowledged compounds, by people, are sorted anew, over the compounds of one alert. Accounts come
//! by login from the directory: for an administrator of a small area a page may read past all others.

use std::fmt::Display;

use serde::Serialize;
use utoipa::ToSchema;

use crate::server::extract::PAGE_MAX;

/// Entries of a page when the caller does not say.
pub const PAGE_DEFAULT: usize = 100;

/// Entries of a filtered list that one request looks at: what it costs at most.
pub const LOOKED_AT_MAX: usize = 5_000;

/// Some entries of a list, and where to go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PageOf<T> {
    /// The entries, at most as many as were asked for.
    pub items: Vec<T>,
    /// To be given as `after` to go on; `null` at the end.
    pub next: Option<String>,
}

impl<T> PageOf<T> {
    /// Fills a page from what comes in order, each with its cursor.
    pub fn fill<C: Display>(limit: Option<usize>, entries: impl Iterator<Item = (C, T)>) -> Self {
        Self::sift(limit, entries.map(|(cursor, item)| (cursor, Some(item))))
    }

    /// Fills a page from what comes in order, each with its cursor; `None` is what was looked at and not wanted. At most
    /// [`LOOKED_AT_MAX`] are looked at, so a page may be short or even empty while there is more: `next` says where to go on.
    pub fn sift<C: Display>(limit: Option<usize>, entries: impl Iterator<Item = (C, Option<T>)>) -> Self {
        let limit = limit_of(limit);
        let (mut items, mut last, mut next) = (Vec::new(), None, None);
        for (looked_at, (cursor, item)) in entries.enumerate() {
            // Past a full page one more is looked for, so that a last page is known to be the last.
            if looked_at == LOOKED_AT_MAX || (items.len() == limit && item.is_some()) {
                next = last;
                break;
            }
            items.extend(item);
            last = Some(cursor);
        }
        Self { items, next: next.map(|cursor| cursor.to_string()) }
    }
}

/// How many entries to give.
pub fn limit_of(asked: Option<usize>) -> usize {
    asked.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_on_one_another_without_gap_or_double() {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let from = after.as_ref().map_or(0, |text: &String| text.parse::<u32>().unwrap() + 1);
            let page = PageOf::fill(Some(4), (from..10).map(|n| (n, n)));
            assert!(page.items.len() <= 4);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert_eq!(PageOf::fill(Some(5), (0..5).map(|n| (n, n))).next, None, "a full last page is the last");
    }

    #[test]
    fn a_search_for_little_among_much_goes_on_where_it_stopped() {
        let rare = |from: usize| (from..12_000).map(|n| (n, (n % 6_000 == 5_999).then_some(n)));
        let (mut seen, mut pages, mut from) = (Vec::new(), 0, 0);
        loop {
            let page = PageOf::sift(Some(1), rare(from));
            (seen, pages) = ([seen, page.items].concat(), pages + 1);
            match page.next {
                Some(last) => from = last.parse::<usize>().unwrap() + 1,
                None => break,
            }
        }
        assert_eq!((seen, pages), (vec![5_999, 11_999], 3));
    }
}
