//! How the benches of whole waits measure: rounds after one that nobody counts, and their median.

use std::time::{Duration, Instant as Clock};

/// Does some work so many times and once more before; the median in seconds.
pub fn median_secs(num_rounds: usize, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..=num_rounds)
        .map(|_| {
            let begun = Clock::now();
            work();
            begun.elapsed()
        })
        .skip(1)
        .collect();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// The same, printed under its title.
pub fn print(num_rounds: usize, title: &str, work: impl FnMut()) {
    println!("  {title}\n    {:.3} s\n", median_secs(num_rounds, work));
}
