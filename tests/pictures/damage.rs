//! Damaged and hostile mails: no panic, bounded time. The bench `pictures` runs more cases over the sample mails.

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
/// Longest time for one: whether it ends at all, on a loaded machine without optimisation. That it ends soon is said by
/// counts (`content::picture::work`), not by a clock; measured on 2026-11-26, the slowest of 2,000 took 0.8 s.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn damaged_mails_are_drawn_or_refused() {
    check(CASES);
}

/// Best under a limit of memory, so that a case without bounds is a failure: `ulimit -v 2000000`. Measured on
/// 2026-11-26 in two processes of 1,000 cases: 281 MB of addresses each, about 125 MB of memory.
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

/// What once took seconds, gigabytes or a panic, each with what is said instead of a picture.
#[test]
fn hostile_mails_are_drawn_or_refused_for_their_reason() {
    let many = |piece: &str, times: usize| piece.repeat(times);
    let tall = "height:20000px;width:600px;position:absolute";
    let dots = "width:20000px;height:20000px;border:1px dotted red";
    let cases = [
        // Drawn: calmed or clamped.
        (format!("<p style='text-decoration:dotted underline;letter-spacing:20000px'>{}", many("word", 500)), ""),
        ("<p style='text-decoration:wavy underline 0px;letter-spacing:1e20px'>words".to_owned(), ""),
        (format!("<p>e{}", many("\u{301}", 50_000)), ""),
        (many("<div style='filter:blur(900px);height:20000px'>", 50), ""),
        (many("<div style='mask:linear-gradient(red,blue);height:20000px'>", 100), ""),
        (format!("<table><tr>{}", many("<td colspan=100>x", 700)), ""),
        (format!("<table>{}<tr><td>x", many("<col span=60000>", 100)), ""),
        (
            "<div style='height:2000px;background:linear-gradient(red,blue) space;background-size:1px 1px'>x"
                .to_owned(),
            "",
        ),
        (format!("<style>*::before{{content:'{}'}}</style>{}", many("x", 5_000), many("<p>x", 500)), ""),
        ("<p>the word xhtml in the first line<br>is no XHTML".to_owned(), ""),
        // Refused.
        (many(&format!("<div style='{dots}'>x</div>"), 200), "dots and dashes"),
        ("<div style='width:calc(1000*1000*1000*1000px);border:1px dotted'>x".to_owned(), "dots and dashes"),
        (many(&format!("<div style='{tall};background:radial-gradient(red,blue)'>x</div>"), 200), "over each other"),
        (many(&format!("<div style='{tall};box-shadow:0 0 999px 999px red'>x</div>"), 200), "over each other"),
        (many(&format!("<div style='{tall};opacity:.9;background:red'>x</div>"), 200), "over each other"),
        (many("word ", 60_000), "characters of text"),
        (format!("<style>{}</style>{}", many("* ~ * + [a]{color:red}", 500), many("<p>x", 3_000)), "style rules"),
    ];
    on_thread(|| {
        let blitz = Blitz::new();
        for (html, refused) in &cases {
            let request =
                Request { html, width_px: 600, scale: 1.0, scheme: Scheme::Light, image_base: "", images: &NoImages };
            let said = draw(&blitz, &request).err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(said.is_empty(), refused.is_empty(), "{said}: {html:.200}");
            assert!(said.contains(refused), "{said}: {html:.200}");
        }
    });
}
