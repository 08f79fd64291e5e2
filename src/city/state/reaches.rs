//! How far an alert has got in each compound that it went to.

use crate::domain::compound::CompoundId;
use crate::domain::receipt::Reach;

/// The reach of one alert, compound by compound. An alert to a city has thousands, and each receipt looks one up: they stand side by
/// side in the order of the codes, found by their place in a short list of these.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reaches {
    /// Sorted, each once.
    compounds: Vec<CompoundId>,
    /// Of each in turn.
    reaches: Vec<Reach>,
}

impl Reaches {
    /// The reach in a compound; `None` where the alert did not go.
    pub fn get(&self, id: CompoundId) -> Option<&Reach> {
        self.reaches.get(self.place(id)?)
    }

    /// The same, to be changed.
    pub(in crate::city) fn get_mut(&mut self, id: CompoundId) -> Option<&mut Reach> {
        let place = self.place(id)?;
        self.reaches.get_mut(place)
    }

    /// Whether the alert went there.
    pub fn contains(&self, id: CompoundId) -> bool {
        self.place(id).is_some()
    }

    /// Each reach, in the order of the codes.
    pub fn values(&self) -> impl Iterator<Item = &Reach> {
        self.reaches.iter()
    }

    fn place(&self, id: CompoundId) -> Option<usize> {
        self.compounds.binary_search(&id).ok()
    }
}

impl FromIterator<(CompoundId, Reach)> for Reaches {
    fn from_iter<I: IntoIterator<Item = (CompoundId, Reach)>>(reaches: I) -> Self {
        let mut sorted: Vec<_> = reaches.into_iter().collect();
        // Targets come sorted, so this only looks.
        sorted.sort_by_key(|(id, _)| *id);
        sorted.dedup_by_key(|(id, _)| *id);
        let (compounds, reaches) = sorted.into_iter().unzip();
        Self { compounds, reaches }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_compound_is_found_whatever_the_order_and_however_often_it_was_named() {
        let id = |no: &str| no.parse::<CompoundId>().unwrap();
        let (first, second) = (id("140403001001001"), id("140403001001002"));
        let of = |passed_over| Reach { passed_over, ..Reach::default() };
        let reaches: Reaches = [(second, of(2)), (first, of(1)), (second, of(3))].into_iter().collect();
        assert_eq!(reaches.get(first).map(|reach| reach.passed_over), Some(1));
        assert_eq!(reaches.get(second).map(|reach| reach.passed_over), Some(2));
        assert!(!reaches.contains(id("140403001001003")));
        assert_eq!(reaches.values().count(), 2);
    }
}
