//! Damaged mails: no panic, bounded time. The bench `pictures` runs more cases over the sample mails.

use std::time::{Duration, Instant};

use flowloom::{
    content::picture::{Blitz, Error, NoImages, Request, Scheme, draw},
    testing::mutate_html,
};

use super::on_thread;

/// Mails that the damage is done to: the traps of the renderer, and a table mail as builders write them.
const SEEDS: [&str; 2] =
    [include_str!("../fixtures/picture/traps.html"), include_str!("../fixtures/picture/newsletter.html")];
/// Cases of the normal run, and of the long one.
const CASES: u64 = 300;
const MANY_CASES: u64 = 2_000;
/// Longest time for one. A second is the goal; a loaded machine and code without optimisation get more.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn damaged_mails_are_drawn_or_refused() {
    check(CASES);
}

/// Best under a limit of memory, so that a case without bounds is a failure: `ulimit -v 3000000`.
#[test]
#[ignore = "takes over a minute without optimisation"]
fn many_damaged_mails_are_drawn_or_refused() {
    check(MANY_CASES);
}

fn check(cases: u64) {
    on_thread(|| {
        let blitz = Blitz::new();
        let (mut whole, mut slowest) = (0, (Duration::ZERO, 0));
        for case in 0..cases {
            let html = mutate_html(SEEDS[case as usize % SEEDS.len()], case);
            let request = Request {
                html: &html,
                width_px: if case % 4 < 2 { 600 } else { 375 },
                scale: 1.0,
                scheme: if case % 8 < 4 { Scheme::Light } else { Scheme::Dark },
                image_base: "",
                images: &NoImages,
            };
            let started = Instant::now();
            match draw(&blitz, &request) {
                Ok(picture) => whole += usize::from(picture.lost_words.is_empty()),
                Err(error) => assert!(!matches!(error, Error::Crashed(_)), "case {case}: {error}\n{html}"),
            }
            slowest = slowest.max((started.elapsed(), case));
            assert!(slowest.0 < LIMIT, "case {case} took {:?}\n{html}", slowest.0);
        }
        eprintln!("{whole} of {cases} whole; the slowest, case {}, took {:?}", slowest.1, slowest.0);
        assert!(whole > cases as usize / 2, "only {whole} of {cases} without lost words");
    });
}
