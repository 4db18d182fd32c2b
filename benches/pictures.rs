//! Pictures of mails: `cargo bench --bench pictures`. Goal: a median of at most 30 ms for the sample mails at 600 px,
//! fonts loaded.
//!
//! Damaged mails are drawn by an ignored test (`tests/pictures/damage.rs`). Deliberately not here: an assertion on
//! time, which a loaded machine would break.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

#[path = "../tests/pictures/mails.rs"]
mod mails;

use std::{
    thread,
    time::{Duration, Instant as Clock},
};

use flowloom::content::picture::{Blitz, Request, STACK_BYTES, Scheme, draw};

/// Rounds for each mail.
const NUM_ROUNDS: usize = 15;

fn main() {
    thread::Builder::new().stack_size(STACK_BYTES).spawn(samples).expect("a thread").join().expect("no panic");
}

fn samples() {
    let started = Clock::now();
    let blitz = Blitz::new();
    println!("fonts: {:.1} ms\n", started.elapsed().as_secs_f64() * 1e3);
    println!("{:<36} {:>9} {:>9}", "median ms", "600 px", "375 px");
    let mut all = Vec::new();
    for mail in mails::all() {
        let medians = [600, 375].map(|width_px| {
            let request = Request {
                html: &mail.html,
                width_px,
                scale: 1.0,
                scheme: Scheme::Light,
                image_base: &mail.image_base,
                images: &mail.folder,
            };
            let mut times: Vec<Duration> = (0..NUM_ROUNDS)
                .map(|_| {
                    let started = Clock::now();
                    draw(&blitz, &request).expect("a picture");
                    started.elapsed()
                })
                .collect();
            times.sort();
            times[NUM_ROUNDS / 2].as_secs_f64() * 1e3
        });
        println!("{:<36} {:>9.1} {:>9.1}", mail.name, medians[0], medians[1]);
        all.push(medians[0]);
    }
    all.sort_by(f64::total_cmp);
    println!("\nmedian of {} mails at 600 px: {:.1} ms (goal: 30 ms)", all.len(), all[all.len() / 2]);
}
