//! Cursor pages: every list has a named limit, and says where to go on.

use std::fmt::Display;

use serde::Serialize;
use utoipa::ToSchema;

use crate::server::extract::PAGE_MAX;

/// Entries of a page when the caller does not say.
pub const PAGE_DEFAULT: usize = 100;

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
    pub fn fill<C: Display>(limit: Option<usize>, mut entries: impl Iterator<Item = (C, T)>) -> Self {
        let limit = limit_of(limit);
        let mut items = Vec::new();
        let mut last = None;
        for (cursor, item) in entries.by_ref().take(limit) {
            items.push(item);
            last = Some(cursor);
        }
        // One more is looked for only when the page is full: a short page is the last.
        let next = last.filter(|_| items.len() == limit && entries.next().is_some());
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
}
