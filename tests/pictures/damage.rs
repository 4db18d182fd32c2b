//! Damaged and hostile mails: no panic, bounded time and memory.
//!
//! The normal run draws 2,000 damaged mails, small; `src/content/picture/tests/fuzz.rs` takes as many through all but
//! the drawing. The long run is the ignored test below: 100,000 over the sample mails, too.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use flowloom::{
    content::picture::{Blitz, Error, NoImages, Request, Scheme, draw},
    testing::mutate_html,
};

use super::{mails, on_thread};

/// Mails that the damage is done to: the traps of the renderer, and a table mail as builders write them.
const SEEDS: [&str; 2] =
    [include_str!("../fixtures/picture/traps.html"), include_str!("../fixtures/picture/newsletter.html")];
/// Cases of the normal run and of the long one. Source: issue 4. Without optimisation one takes 5 ms of a processor.
const CASES: u64 = 2_000;
const MANY_CASES: u64 = 100_000;
/// Longest time for one: whether it ends at all, on a loaded machine without optimisation. That it ends soon is said by
/// counts (`content::picture::work`), not by a clock.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest time for one in the long run, which is for an optimised build on a machine of its own.
const LIMIT_OF_MANY: Duration = if cfg!(debug_assertions) { LIMIT } else { Duration::from_secs(1) };
/// Most memory for one, in megabytes above what was there: the largest picture at this size has 48, the renderer takes
/// a second copy, and the rest is its strips.
const MOST_MB: u64 = 600;

#[test]
fn damaged_mails_are_drawn_or_refused() {
    let seeds: Vec<String> = SEEDS.iter().map(|seed| (*seed).to_owned()).collect();
    check(&seeds, 0..CASES, LIMIT);
}

/// The long run, best with `--release`. `FLOWLOOM_CASES=5000..6000` draws a part of it, as a case's number is its seed:
/// so a run is gone on with, shared out, or one case looked into. Best under a limit of memory, too
/// (`ulimit -v 4000000`).
#[test]
#[ignore = "takes an hour"]
fn many_damaged_mails_are_drawn_or_refused() {
    let wanted = env::var("FLOWLOOM_CASES").ok();
    let range = wanted.as_deref().map_or(Some(0..MANY_CASES), |text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let range = range.unwrap_or_else(|| panic!("FLOWLOOM_CASES is like 5000..6000, not {wanted:?}"));
    let mut seeds: Vec<String> = SEEDS.iter().map(|seed| (*seed).to_owned()).collect();
    seeds.extend(mails::all().into_iter().map(|mail| mail.html));
    eprintln!("cases {} to {} over {} mails", range.start, range.end, seeds.len());
    check(&seeds, range, LIMIT_OF_MANY);
}

fn check(seeds: &[String], cases: std::ops::Range<u64>, limit: Duration) {
    on_thread(|| {
        let blitz = Blitz::new();
        let (mut whole, mut slowest, mut largest) = (0, (Duration::ZERO, 0), (0, 0));
        for case in cases.clone() {
            let html = mutate_html(&seeds[case as usize % seeds.len()], case);
            let request = Request {
                html: &html,
                width_px: if case % 4 < 2 { 600 } else { 375 },
                // Small, so that more of the time goes into reading and layout, where the damage is.
                scale: 0.5,
                scheme: if case % 8 < 4 { Scheme::Light } else { Scheme::Dark },
                image_base: "",
                images: &NoImages,
            };
            let before = Peak::start();
            let started = Instant::now();
            match draw(&blitz, &request) {
                Ok(picture) => whole += usize::from(picture.lost_words.is_empty()),
                Err(error) => assert!(!matches!(error, Error::Crashed(_)), "case {case}: {error}\n{html}"),
            }
            slowest = slowest.max((started.elapsed(), case));
            largest = largest.max((before.grown_mb(), case));
            assert!(slowest.0 < limit, "case {case} took {:?}\n{html}", slowest.0);
            assert!(largest.0 < MOST_MB, "case {case} took {} MB\n{html}", largest.0);
            if (case + 1).is_multiple_of(1_000) {
                eprintln!("up to case {case}: slowest {slowest:?}, largest {largest:?} MB");
            }
        }
        let count = cases.end - cases.start;
        eprintln!(
            "{whole} of {count} whole; the slowest (time, case): {slowest:?}; the largest (MB, case): {largest:?}"
        );
        assert!(whole as u64 * 2 > count, "only {whole} of {count} without lost words");
    });
}

/// How much memory a piece of work takes at most. Where the system does not say, nothing.
struct Peak {
    before_mb: u64,
}

impl Peak {
    fn start() -> Self {
        // Linux: 5 resets the peak. Source: proc_pid_clear_refs(5).
        let _ = fs::write("/proc/self/clear_refs", "5");
        Self { before_mb: Self::now_mb() }
    }

    fn grown_mb(&self) -> u64 {
        Self::now_mb().saturating_sub(self.before_mb)
    }

    fn now_mb() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
    }
}

/// What once took seconds, gigabytes or a panic, each with what is said instead of a picture. That it takes little is
/// not left to a clock: what is refused says which count was too high, and what is drawn is below all of them.
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
        (
            format!(
                "<style>:root{{--a:'{}'}}p::before{{content:var(--a)}}</style>{}",
                many("x", 90),
                many("<p>x", 500)
            ),
            "",
        ),
        (format!("<style>{}color:red{}</style><p>x", many("p{", 2_000), many("}", 2_000)), ""),
        (format!("<div style='display:grid'>{}", many("<b style='grid-row:9000;grid-column:9000'>x</b>", 50)), ""),
        (many("<div style='background:linear-gradient(red,blue) fixed;height:9px'>x</div>", 3_000), ""),
        (
            format!(
                "<style>@keyframes a{{{}}}p{{animation:a 1s infinite}}</style>{}",
                (0..5_000).map(|n| format!("{}%{{left:{n}px}}", f64::from(n) / 100.0)).collect::<String>(),
                many("<p>x", 1_000)
            ),
            "",
        ),
        (format!("<p style='text-shadow:{}1px 1px red'>words", many("1px 1px 100px red,", 500)), ""),
        (format!("{}<table><tr><td>x", many("<div style='display:flex'>", 180)), ""),
        // Refused.
        (many(&format!("<div style='{dots}'>x</div>"), 200), "dots and dashes"),
        ("<div style='width:calc(1000*1000*1000*1000px);border:1px dotted'>x".to_owned(), "dots and dashes"),
        (many(&format!("<div style='{tall};background:radial-gradient(red,blue)'>x</div>"), 200), "over each other"),
        (many(&format!("<div style='{tall};box-shadow:0 0 999px 999px red'>x</div>"), 200), "over each other"),
        (many(&format!("<div style='{tall};opacity:.9;background:red'>x</div>"), 200), "over each other"),
        (many("word ", 60_000), "KB of text"),
        (many("🎉", 50_000), "KB of text"),
        // Twenty times 90 letters in front of each of 5,000 paragraphs; with 200 times it took over 4 GB.
        (
            format!(
                "<style>p::before{{content:{}}}</style>{}",
                many(&format!("'{}'", many("x", 90)), 20),
                many("<p>x", 5_000)
            ),
            "KB of text",
        ),
        (format!("<style>*::before,*::after{{content:'x'}}</style>{}", many("<b>x</b>", 9_000)), "more than 25000"),
        (format!("<style>{}b{{color:red}}</style><p>x", many(".a,", 100_000)), "selectors"),
        (
            format!(
                "<table border=1 style='border-collapse:collapse'><tr>{}{}",
                many("<td colspan=100>x", 100),
                many("<tr><td>x", 2_000)
            ),
            "a table of 2001 rows and 10000 columns",
        ),
        (format!("<table>{}", many("<tr><td rowspan=100 colspan=10>x", 400)), "a table of 400 rows and 1000 columns"),
        (
            format!(
                "<style>b{{display:table-cell}}i{{display:table-row}}</style><div style='display:table'><i>{}</i>{}",
                many("<b>x</b>", 3_000),
                many("<i><b>x</b></i>", 3_000)
            ),
            "a table of 3001 rows and 3000 columns",
        ),
        (many("<div style='box-shadow:0 0 5px red'>x</div>", 3_000), "over each other"),
        (many("<div style='float:left'>x</div>", 4_000), "4000 boxes that float"),
        (format!("{}{}", many("<u>", 190), many("x<br>", 8_000)), "lines under, over or through"),
        (format!("<p style='font-size:600px;line-height:0'>{}", many("W<br>", 8_000)), "over each other"),
        (many("<img alt=x width=20 height=20>", 9_000), "dots and dashes"),
        (format!("<style>{}</style>{}", many("* ~ * + [a]{color:red}", 500), many("<p>x", 3_000)), "style rules"),
    ];
    on_thread(|| {
        let blitz = Blitz::new();
        for (html, refused) in &cases {
            let request =
                Request { html, width_px: 600, scale: 1.0, scheme: Scheme::Light, image_base: "", images: &NoImages };
            let before = Peak::start();
            let said = draw(&blitz, &request).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(before.grown_mb() < MOST_MB, "{} MB: {html:.200}", before.grown_mb());
            assert_eq!(said.is_empty(), refused.is_empty(), "{said}: {html:.200}");
            assert!(said.contains(refused), "{said}: {html:.200}");
        }
    });
}

/// Draws the mails of a folder, to look into one: `FLOWLOOM_MAILS=DIR`.
#[test]
#[ignore = "draws the mails of a folder of yours"]
fn mails_of_a_folder() {
    let Some(folder) = env::var_os("FLOWLOOM_MAILS") else { return };
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "html"));
    files.sort();
    on_thread(|| {
        let blitz = Blitz::new();
        for file in files {
            let html = fs::read_to_string(&file).expect("a mail");
            let request = Request {
                html: &html,
                width_px: 600,
                scale: 1.0,
                scheme: Scheme::Light,
                image_base: "",
                images: &NoImages,
            };
            let before = Peak::start();
            let started = Instant::now();
            let said = match draw(&blitz, &request) {
                Ok(picture) => format!("{} px {:?}", picture.height, picture.notes),
                Err(error) => error.to_string(),
            };
            let took = started.elapsed();
            eprintln!("{:>7.2?} +{:>5} MB {}: {said:.160}", took, before.grown_mb(), file.display());
        }
    });
}
