//! How long to wait after a failure: exponential with full jitter, from a seed, so that a test sees the same waits.

use std::time::Duration;

/// A pseudo-random number in `0..=bound`, the same for the same seed.
fn draw(seed: u64, bound: u64) -> u64 {
    // One round of SplitMix64.
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    bound.checked_add(1).map_or(z, |span| z % span)
}

/// A seed of its own for each thing that waits.
pub(crate) fn seed(base: u64, name: &str, count: u64) -> u64 {
    let hash = blake3::hash(name.as_bytes());
    let head = hash.as_bytes().first_chunk::<8>().map_or(0, |head| u64::from_le_bytes(*head));
    base ^ head ^ count.rotate_left(32)
}

/// Between nothing and `first` doubled with each failure before, at most `most`.
pub(crate) fn full_jitter(first: Duration, most: Duration, failures: u32, seed: u64) -> Duration {
    let reach = doubled(first, most, failures);
    let millis = u64::try_from(reach.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(draw(seed, millis))
}

/// `first` doubled with each failure before, at most `most`; no jitter.
pub(crate) fn doubled(first: Duration, most: Duration, failures: u32) -> Duration {
    2_u32.checked_pow(failures).and_then(|times| first.checked_mul(times)).unwrap_or(most).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_up_to_its_cap() {
        let (first, most) = (Duration::from_secs(900), Duration::from_secs(21_600));
        let waits: Vec<u64> = (0..8).map(|n| doubled(first, most, n).as_secs()).collect();
        assert_eq!(waits, [900, 1800, 3600, 7200, 14_400, 21_600, 21_600, 21_600]);
        assert_eq!(doubled(first, most, u32::MAX), most);
    }

    #[test]
    fn waits_differ_between_seeds_and_agree_for_one() {
        let wait = |seed| full_jitter(Duration::from_secs(1), Duration::from_secs(60), 5, seed);
        assert_eq!(wait(1), wait(1));
        let distinct: std::collections::BTreeSet<_> = (0..100).map(wait).collect();
        assert!(distinct.len() > 90);
        assert_ne!(seed(1, "a", 0), seed(1, "b", 0));
        assert_ne!(seed(1, "a", 0), seed(1, "a", 1));
    }

    proptest! {
        #[test]
        fn never_beyond_the_cap(failures: u32, seed: u64, most in 0_u64..100_000) {
            let most = Duration::from_millis(most);
            prop_assert!(full_jitter(Duration::from_secs(1), most, failures, seed) <= most);
        }
    }
}
