//! Generators for tests, benches and the samples; hidden from the documentation.
//!
//! The one idea: made-up input is a function of a spec and a seed, so that a failure is a seed and samples can be
//! made anew. Nothing else in the house uses this room.

pub mod audience_gen;
#[cfg(feature = "engine")]
pub mod engine;
pub mod flow_gen;
mod html_gen;
pub mod smtp;

pub use audience_gen::{AudienceSpec, generate};
pub use html_gen::mutate_html;

/// SplitMix64: a small generator whose numbers are the same on every machine, for ever.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014, figure 17.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// From any seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0..n; 0 where n is 0. The bias is below n / 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// low..=high; `low` where the range is empty.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap_or(0)) as i64
    }

    /// True in so many of 100 cases.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of the items; `None` where there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: the samples are made from these numbers. Source: the reference implementation with seed 0.
    #[test]
    fn the_numbers_are_frozen() {
        let mut rng = Rng::new(0);
        assert_eq!(rng.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn ranges_are_kept() {
        let mut rng = Rng::new(1);
        for _ in 0..1_000 {
            assert!((3..=7).contains(&rng.range(3, 7)));
        }
        assert_eq!((rng.below(0), rng.range(5, 4), rng.pick::<u8>(&[])), (0, 5, None));
    }
}
