//! The hashes that stand in for chance (SEMANTICS R3, R19, R25) and that name versions (R4).
//!
//! No generator anywhere in the core: every "random" choice is a hash of a salt and an id, so editing one
//! branch leaves other contacts' luck alone. What these functions return is frozen by tests.

use xxhash_rust::{xxh3::xxh3_128, xxh64::Xxh64};

use super::id::VersionHash;

/// XXH64 (seed 0) of `salt`, a zero byte, and `id`. The zero byte keeps ("ab", "c") and ("a", "bc") apart.
pub fn chance(salt: &str, id: &str) -> u64 {
    let mut hash = Xxh64::new(0);
    hash.update(salt.as_bytes());
    hash.update(&[0]);
    hash.update(id.as_bytes());
    hash.digest()
}

/// Slot of a contact in a split or share: 0..10,000, in hundredths of a percent (SEMANTICS R19).
pub fn slot(salt: &str, id: &str) -> u32 {
    (chance(salt, id) % 10_000) as u32
}

/// Jitter is shorter than this. Source: SEMANTICS R25, 10 min.
pub const MOST_JITTER_MILLIS: i64 = 600_000;

/// Jitter in 0..600,000 ms (SEMANTICS R25: XXH64(salt, send key) mod 10 min).
pub fn jitter_millis(salt: &str, send_key: &str) -> i64 {
    (chance(salt, send_key) % MOST_JITTER_MILLIS as u64) as i64
}

/// The name of a flow version: XXH3-128 of its canonical bytes.
///
/// Not proof against forgery, and need not be: a version is made and read on the same side.
pub fn version_hash(canonical: &[u8]) -> VersionHash {
    VersionHash(xxh3_128(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a change here would re-deal every split of every running flow.
    #[test]
    fn chance_is_frozen() {
        assert_eq!(chance("", ""), 0xe934_a84a_db05_2768);
        assert_eq!(slot("split-1", "ada"), slot("split-1", "ada"));
        assert_ne!(chance("ab", "c"), chance("a", "bc"));
    }

    #[test]
    fn slots_are_even() {
        let low = (0..20_000).filter(|n| slot("s", &n.to_string()) < 5_000).count();
        assert!((9_700..10_300).contains(&low), "{low} of 20,000 in the lower half");
    }
}
