//! Every sample mail as a picture: no lost words, plausible heights, the same bytes twice.
//!
//! With `FLOWLOOM_PICTURES=DIR` the pictures are written there, each with the HTML it was drawn from;
//! `tests/pictures/compare.py` holds them against a browser.

mod damage;
mod mails;

use std::{env, fs, path::PathBuf, thread};

use flowloom::content::picture::{Blitz, Picture, Request, STACK_BYTES, Scheme, draw, png};

use mails::Mail;

/// A picture on a thread with the stack that it needs.
fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).expect("a thread");
        thread.join().expect("no panic")
    })
}

fn picture(blitz: &Blitz, mail: &Mail, width_px: u32, scheme: Scheme) -> Picture {
    let request =
        Request { html: &mail.html, width_px, scale: 1.0, scheme, image_base: &mail.image_base, images: &mail.folder };
    draw(blitz, &request).unwrap_or_else(|e| panic!("{}: {e}", mail.name))
}

#[test]
fn sample_mails_are_drawn_whole() {
    let mails = mails::all();
    assert!(mails.len() >= 20, "{} mails", mails.len());
    let out = env::var_os("FLOWLOOM_PICTURES").map(PathBuf::from);
    on_thread(|| {
        let blitz = Blitz::new();
        for mail in &mails {
            for width_px in [600, 375] {
                for scheme in [Scheme::Light, Scheme::Dark] {
                    let drawn = picture(&blitz, mail, width_px, scheme);
                    let place = format!("{} at {width_px}, {scheme:?}", mail.name);
                    assert_eq!(drawn.lost_words, Vec::<String>::new(), "{place}");
                    assert_eq!(drawn.width, width_px, "{place}");
                    assert!((300..6_000).contains(&drawn.height), "{place}: {} pixels tall", drawn.height);
                    assert_eq!(drawn.rgba.len(), (drawn.width * drawn.height * 4) as usize, "{place}");
                    assert!(drawn.links.iter().any(|link| !link.href.is_empty()), "{place}");
                    assert!(is_drawn(&drawn), "{place}: hardly anything is on it");
                    if let Some(out) = &out {
                        let dark = if scheme == Scheme::Dark { "-dark" } else { "" };
                        fs::create_dir_all(out).expect("a folder");
                        let file = out.join(format!("{}-{width_px}{dark}.png", mail.name));
                        fs::write(file, png(&drawn).expect("a PNG")).expect("written");
                        fs::write(out.join(format!("{}.html", mail.name)), with_files(mail)).expect("written");
                        eprintln!("{place}: {} px, {:?} {:?}", drawn.height, drawn.notes, drawn.missing_images);
                    }
                }
            }
        }
    });
}

/// The mail with the addresses of its images on this machine, so that a browser without a network shows them.
fn with_files(mail: &Mail) -> String {
    let images = mail.folder.0.join("images").display().to_string();
    let base = mail.image_base.trim_end_matches('/');
    if base.is_empty() { mail.html.clone() } else { mail.html.replace(base, &format!("file://{images}")) }
}

/// At least one pixel in a hundred differs from the one to its left: text makes many edges, a blank page none.
fn is_drawn(picture: &Picture) -> bool {
    let pixels = picture.rgba.as_chunks::<4>().0;
    let edges = pixels.windows(2).filter(|pair| pair[0] != pair[1]).count();
    edges * 100 > pixels.len()
}

#[test]
fn the_same_mail_gives_the_same_bytes() {
    let mails = mails::all();
    let mail = &mails[0];
    let bytes = || on_thread(|| png(&picture(&Blitz::new(), mail, 600, Scheme::Light)).expect("a PNG"));
    assert_eq!(bytes(), bytes());
}
