//! Things in the order in which the journal made them, so that a page of them costs its own length.
//!
//! Their ids are made by clients, so the order of ids says nothing of time. What a thing is stands in [`super::state`].

use std::collections::HashMap;
use std::hash::Hash;

/// Keys in the order in which they came; none ever leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence<K: Eq + Hash> {
    in_order: Vec<K>,
    places: HashMap<K, usize>,
}

impl<K: Copy + Eq + Hash> Sequence<K> {
    /// Puts a key at the end; one that is there stays where it is.
    pub(super) fn push(&mut self, key: K) {
        let end = self.in_order.len();
        if *self.places.entry(key).or_insert(end) == end {
            self.in_order.push(key);
        }
    }

    /// The keys that came before `after` (all, when it is not given), the last first; `None` when `after` is not among them.
    pub fn newest_first(&self, after: Option<K>) -> Option<impl Iterator<Item = K> + '_> {
        let end = match after {
            Some(key) => *self.places.get(&key)?,
            None => self.in_order.len(),
        };
        Some(self.in_order[..end].iter().rev().copied())
    }
}

impl<K: Eq + Hash> Default for Sequence<K> {
    fn default() -> Self {
        Self { in_order: Vec::new(), places: HashMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_walk_back_from_the_last_that_came_whatever_the_keys_are() {
        let mut sequence = Sequence::default();
        for key in [7, 3, 9, 3, 1] {
            sequence.push(key);
        }
        let back = |after| sequence.newest_first(after).map(Iterator::collect::<Vec<_>>);
        assert_eq!(back(None), Some(vec![1, 9, 3, 7]));
        assert_eq!(back(Some(9)), Some(vec![3, 7]));
        assert_eq!(back(Some(7)), Some(Vec::new()));
        assert_eq!(back(Some(8)), None);
    }
}
