//! The generator's only source of chance: a seeded stream, the same on every machine.
//!
//! Only +, −, ×, ÷ and √ are used on it (IEEE 754 says what they give, to the last bit), never sin, cos or ln, which
//! differ from library to library: so a seed names one city everywhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use uuid::Uuid;

use super::plane::Xy;

/// Throws of a seeded stream.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Even in 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        // 53 bits: what an f64 can hold.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Even in `low` to `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// Even in `0..count`; 0 when `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        // Multiply and shift: the bias is under 2^-32 for any count that a city has.
        let product = u128::from(self.0.next_u64()) * count as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// Even in `low..=high`.
    pub fn range(&mut self, low: u8, high: u8) -> u8 {
        low + u8::try_from(self.below(usize::from(high - low) + 1)).unwrap_or(0)
    }

    /// True in `percent` of 100 throws.
    pub fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none; the generator's lists are constants.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Which of the weights, in proportion to them.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|weight| {
                let here = left < *weight;
                left = left.saturating_sub(*weight);
                here
            })
            .unwrap_or(0)
    }

    /// Even in the disc of radius 1.
    pub fn in_disc(&mut self) -> Xy {
        loop {
            let at = Xy { x: self.between(-1.0, 1.0), y: self.between(-1.0, 1.0) };
            if at.x * at.x + at.y * at.y <= 1.0 {
                return at;
            }
        }
    }

    /// An id of version 4.
    pub fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_stay_in_their_bounds_and_spread() {
        let mut dice = Dice::new(1);
        let mut seen = [0; 7];
        for _ in 0..7_000 {
            seen[dice.below(7)] += 1;
            assert!((5..=8).contains(&dice.range(5, 8)));
            assert!((0.0..1.0).contains(&dice.unit()));
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
        let heavy = (0..1_000).filter(|_| dice.weighted(&[0, 9, 1]) == 1).count();
        assert!((850..950).contains(&heavy), "{heavy}");
    }

    #[test]
    fn a_seed_gives_the_same_throws_everywhere() {
        let mut dice = Dice::new(1404);
        let first = dice.uuid();
        assert_eq!(first.get_version_num(), 4);
        assert_eq!(Dice::new(1404).uuid(), first);
        assert_ne!(Dice::new(1405).uuid(), first);
    }
}
