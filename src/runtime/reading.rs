//! Reading the city: as many at once as like to, for as short as they can, since the driver waits for all of them.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::city::City;

/// The city as it stands. Let it go before anything is waited for.
pub struct Reading<'a> {
    held: RwLockReadGuard<'a, City>,
    of: &'a RwLock<City>,
}

thread_local! {
    /// Which cities this thread reads, by address; kept in debug builds alone.
    static READ_HERE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn address(city: &RwLock<City>) -> usize {
    std::ptr::from_ref(city).addr()
}

impl<'a> Reading<'a> {
    // INVARIANT: nobody reads the city twice at once. Where the driver asks for it in between, both would wait for ever.
    pub(super) fn of(city: &'a RwLock<City>) -> Self {
        if cfg!(debug_assertions) {
            READ_HERE.with_borrow_mut(|read| {
                assert!(!read.contains(&address(city)), "this thread reads the city already");
                read.push(address(city));
            });
        }
        // Poisoned, it is as the driver left it when it died: the process ends, and until then it can be looked at.
        Self { held: city.read().unwrap_or_else(PoisonError::into_inner), of: city }
    }
}

impl Deref for Reading<'_> {
    type Target = City;

    fn deref(&self) -> &City {
        &self.held
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            READ_HERE.with_borrow_mut(|read| read.retain(|other| *other != address(self.of)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other_is_fine_and_two_cities_are_two() {
        let (one, two) = (RwLock::new(City::default()), RwLock::new(City::default()));
        drop(Reading::of(&one));
        let both = (Reading::of(&one), Reading::of(&two));
        assert_eq!(both.0.position(), both.1.position());
    }

    #[test]
    #[should_panic(expected = "reads the city already")]
    fn twice_at_once_is_caught_before_it_can_hang() {
        let city = RwLock::new(City::default());
        let _first = Reading::of(&city);
        let _second = Reading::of(&city);
    }
}
