//! Pictures of mails: `cargo bench --bench pictures`. Goal: a median of at most 30 ms for the sample mails at 600 px,
//! fonts loaded.
//!
//! `cargo bench --bench pictures -- mutated 100000 [SEED]` draws so many damaged mails instead and says how many were
//! whole, refused, and slowest; a panic that escapes or a hang stops it with the case. Deliberately not here: an
//! assertion on time, which a loaded machine would break.

#![allow(clippy::disallowed_methods, reason = "measuring is the one thing that needs a clock")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot run should say so at once")]

#[path = "../tests/pictures/mails.rs"]
mod mails;

use std::{
    thread,
    time::{Duration, Instant as Clock},
};

use flowloom::{
    content::picture::{Blitz, Error, NoImages, Request, STACK_BYTES, Scheme, draw},
    testing::mutate_html,
};

/// Rounds for each mail.
const NUM_ROUNDS: usize = 15;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let number = |at: usize, otherwise: u64| args.get(at).map_or(otherwise, |n| n.parse().expect("a number"));
    let mutated = args.first().is_some_and(|arg| arg == "mutated");
    let (cases, seed) = (number(1, 100_000), number(2, 0));
    let work = move || if mutated { damaged(cases, seed) } else { samples() };
    thread::Builder::new().stack_size(STACK_BYTES).spawn(work).expect("a thread").join().expect("no panic");
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

fn damaged(cases: u64, seed: u64) {
    let blitz = Blitz::new();
    let mails = mails::all();
    let (mut whole, mut refused, mut slowest) = (0_u64, 0_u64, (Duration::ZERO, 0));
    for case in seed..seed + cases {
        let html = mutate_html(&mails[case as usize % mails.len()].html, case);
        let width_px = if case % 2 == 0 { 600 } else { 375 };
        let request =
            Request { html: &html, width_px, scale: 1.0, scheme: Scheme::Light, image_base: "", images: &NoImages };
        let started = Clock::now();
        match draw(&blitz, &request) {
            Ok(picture) => whole += u64::from(picture.lost_words.is_empty()),
            Err(Error::Crashed(why)) => println!("case {case}: {why}"),
            Err(_) => refused += 1,
        }
        slowest = slowest.max((started.elapsed(), case));
        if started.elapsed() > Duration::from_secs(1) {
            println!("case {case}: {:?}", started.elapsed());
        }
    }
    println!("{cases} damaged mails: {whole} whole, {refused} refused, slowest {:?} (case {})", slowest.0, slowest.1);
}
