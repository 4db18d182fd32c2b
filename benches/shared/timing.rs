//! How the benches of whole waits measure: rounds after one that nobody counts, and their median.

use std::time::{Duration, Instant as Clock};

/// Does some work so many times and once more before, and prints the median in seconds under its title.
pub fn print(num_rounds: usize, title: &str, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..=num_rounds)
        .map(|_| {
            let begun = Clock::now();
            work();
            begun.elapsed()
        })
        .skip(1)
        .collect();
    times.sort_unstable();
    println!("  {title}\n    {:.3} s\n", times[times.len() / 2].as_secs_f64());
}
