//! Whole pictures: the traps of the reference, limits, links, images.

mod fuzz;

use std::{fmt::Write as _, sync::OnceLock, thread};

use super::*;

/// Draws on a thread with the stack that it needs.
pub(super) fn drawn(
    html: &str,
    width_px: u32,
    scheme: Scheme,
    images: &(dyn ImageSource + Sync),
) -> Result<Picture, Error> {
    static BLITZ: OnceLock<Fonts> = OnceLock::new();
    struct Fonts(std::sync::Mutex<Blitz>);
    let blitz = BLITZ.get_or_init(|| Fonts(std::sync::Mutex::new(Blitz::new())));
    thread::scope(|scope| {
        let work = || {
            let blitz = blitz.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let request =
                Request { html, width_px, scale: 1.0, scheme, image_base: "https://cdn.example/mail/", images };
            draw(&*blitz, &request)
        };
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.unwrap_or_else(|e| panic!("{e}")).join().unwrap_or_else(|_| panic!("a panic escaped"))
    })
}

fn light(html: &str, width_px: u32) -> Picture {
    drawn(html, width_px, Scheme::Light, &NoImages).unwrap_or_else(|e| panic!("{html:.200}: {e}"))
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = ((y * picture.width + x) * 4) as usize;
    [picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]]
}

/// Draws a mail and says that no word is lost and how tall it is.
#[track_caller]
fn check_whole(html: &str, width_px: u32, heights: std::ops::Range<u32>) {
    let picture = light(html, width_px);
    assert_eq!(picture.lost_words, Vec::<String>::new(), "{html:.300}");
    assert!(heights.contains(&picture.height), "{} is not in {heights:?}: {html:.300}", picture.height);
}

#[test]
fn an_xhtml_doctype_with_unclosed_tags_loses_nothing() {
    let doctype = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \
                   \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">";
    for head in ["", doctype, "<?xml version=\"1.0\"?>", "\u{feff}<?xml version='1.0'?>"] {
        let html = format!(
            "{head}<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><div>one<br>two<br>three<img src=x.png width=10 \
             height=10>four<p>five</div></body></html>"
        );
        check_whole(&html, 600, 80..200);
    }
}

#[test]
fn cells_that_stack_are_below_each_other_and_not_lost() {
    let html = "<style>@media (max-width:480px){.col{display:block!important;width:100%!important}}</style>\
                <table width=600 cellpadding=0 cellspacing=0><tr><td class=col width=300>Left column</td>\
                <td class=col width=300>Right column</td></tr></table>";
    check_whole(html, 600, 20..50);
    check_whole(html, 375, 45..80);
    // One cell of three: it stays a column.
    let html = "<style>@media (max-width:480px){.col{display:block}}</style><table><tr><td>A</td>\
                <td class=col>B</td><td>C</td></tr></table>";
    check_whole(html, 375, 20..50);
    let whole = "<style>@media (max-width:480px){table,tbody,tr,td{display:block}}</style>\
                 <table><tr><td>A</td><td>B</td></tr><tr><td>C</td></tr></table>";
    check_whole(whole, 375, 60..100);
}

#[test]
fn a_block_row_among_others_is_not_lost() {
    let html = "<table><tr style='display:block'><td>A</td><td>B</td></tr><tr><td>C</td></tr></table>";
    check_whole(html, 600, 40..90);
}

#[test]
fn fixed_widths_fit_a_phone() {
    let html = "<table width=600 style='width:600px'><tr><td style='width:600px'>A line of text that has to be broken \
                into several lines where it is to fit a telephone, which it is.</td></tr></table>";
    let picture = light(html, 375);
    assert!(!picture.notes.iter().any(|note| note.contains("wide")), "{:?}", picture.notes);
    assert!(picture.height > 60, "{}", picture.height);
}

#[test]
fn deep_tables_and_percentage_heights_are_drawn() {
    let deep = format!("{}deep{}", "<table><tr><td>".repeat(20), "</td></tr></table>".repeat(20));
    check_whole(&deep, 375, 20..300);
    let tall = "<body style='height:100%'><table height='100%' width='100%'><tr><td>in the middle</td></tr></table>";
    check_whole(tall, 600, 20..800);
}

#[test]
fn there_may_be_little_to_draw() {
    for html in [
        "",
        " ",
        "<!-- nothing -->",
        "<html></html>",
        "<head><title>T</title></head>",
        "\0",
        "text",
        "</p>",
        "<frameset>",
    ] {
        let picture = light(html, 600);
        assert!(picture.height >= 1 && picture.lost_words.is_empty(), "{html:?}: {:?}", picture.lost_words);
    }
}

#[test]
fn a_preheader_is_hidden_and_not_lost() {
    check_whole(
        "<div style='display:none'>seen in the list</div><div style='max-height:0;overflow:hidden;opacity:0'>hidden \
         too</div><div style='font-size:0'><span style='font-size:14px'>visible</span></div>",
        600,
        20..60,
    );
}

#[test]
fn the_guard_names_words_without_a_place() {
    let html = "<p>here</p><p style='position:absolute;left:900px;top:0;width:50px'>beyond the edge</p>";
    let picture = light(html, 600);
    assert_eq!(picture.lost_words, ["beyond", "the", "edge"]);
}

#[test]
fn characters_without_a_glyph_are_told() {
    let picture = light("<p>Grüße, Ω, Привет, ✓, 🎉 and 中文</p>", 600);
    let note = picture.notes.iter().find(|note| note.contains("not in the fonts"));
    assert!(
        note.is_some_and(|note| note.contains("中") && !note.contains(['Ω', '🎉']) && !note.contains('П')),
        "{note:?}"
    );
}

/// No note speaks of boxes, and all of it leaves ink.
#[test]
fn emoji_are_drawn() {
    for text in ["🎉", "❤️ ❤ ♥ ☎ ⭐ ✅ ✔️", "🇩🇪 🏳️‍🌈", "👍🏽 👨‍👩‍👧 🤷🏾‍♀️", "1️⃣ #️⃣ ©️", "🫶 🪩 🥹", "a🎉b"]
    {
        for family in ["Arial", "Georgia", "'Courier New'", "'Segoe UI'", "'Segoe UI Emoji'"] {
            let html = format!("<p style=\"font:40px {family}\">{text}</p>");
            let picture = light(&html, 600);
            assert_eq!((picture.notes.as_slice(), picture.lost_words.as_slice()), (&[][..], &[][..]), "{html}");
            let ink = picture.rgba.as_chunks::<4>().0.iter().filter(|pixel| pixel[0] < 128).count();
            assert!(ink > 100, "{html}: {ink} dark pixels");
        }
    }
}

#[test]
fn dark_mode_is_the_mails_own() {
    let html = "<meta name='color-scheme' content='light dark'><style>body{background:#ffffff}\
                @media (prefers-color-scheme:dark){body{background:#102030}}</style><p>text</p>";
    let at = |scheme| {
        let picture = drawn(html, 600, scheme, &NoImages).unwrap_or_else(|e| panic!("{e}"));
        (pixel(&picture, 599, 1), picture.notes.len())
    };
    assert_eq!(at(Scheme::Light), ([255, 255, 255], 0));
    assert_eq!(at(Scheme::Dark), ([0x10, 0x20, 0x30], 0));
    let plain = drawn("<p>text</p>", 600, Scheme::Dark, &NoImages).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((pixel(&plain, 599, 1), plain.notes.len()), ([255, 255, 255], 1));
}

#[test]
fn links_are_where_they_are_drawn() {
    let html = "<body style='margin:0'><p style='margin:0;font-size:20px'>See <a href='https://a.example/?a=1&amp;b=2'>the \
                shop</a></p><a href='https://b.example' style='display:block;width:100px;height:40px'>B</a><a>none</a>";
    let links = light(html, 600).links;
    assert_eq!(links.len(), 2, "{links:?}");
    assert_eq!(links[0].href, "https://a.example/?a=1&b=2");
    assert!(links[0].rect[0] > 30.0 && links[0].rect[2] > 50.0, "{links:?}");
    assert_eq!(links[1].rect[2..], [100.0, 40.0]);
}

/// Gives one red pixel for every path that ends in `red.png`.
struct Red;

impl ImageSource for Red {
    fn image(&self, path: &str) -> Result<Vec<u8>, ImageFault> {
        match path {
            "red.png" => Ok(red(1, 1)),
            "huge.png" => Err(ImageFault::TooLarge),
            "zip.svg" => Ok(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://x/'/></svg>".to_vec()),
            _ => Err(ImageFault::Missing),
        }
    }
}

fn red(width: u32, height: u32) -> Vec<u8> {
    let rgba = [255, 0, 0, 255].repeat((width * height) as usize);
    let picture = Picture {
        width,
        height,
        rgba,
        links: Vec::new(),
        remote_blocked: 0,
        missing_images: Vec::new(),
        lost_words: Vec::new(),
        notes: Vec::new(),
    };
    png(&picture).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn images_come_from_the_caller_and_from_nowhere_else() {
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, red(2, 2));
    for source in ["red.png", "https://cdn.example/mail/red.png", &format!("data:image/png;base64,{data}")] {
        let html = format!(
            "<body style='margin:0'><img src='{source}' width=100 height=50 style='display:block'>\
             <div style='width:100px;height:50px;background:url({source})'></div>"
        );
        let picture = drawn(&html, 600, Scheme::Light, &Red).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pixel(&picture, 50, 25), [255, 0, 0], "{source:.40}");
        assert_eq!(pixel(&picture, 50, 75), [255, 0, 0], "{source:.40} as background");
        assert_eq!((picture.remote_blocked, picture.missing_images.len()), (0, 0));
    }
    let html = "<img src='http://x/a.png' alt='A'><img src='//x/b.png'><img src='http://x/a.png'>\
                <div style='background:url(https://x/c.png)'>x</div><img src='../red.png'><img src='file:///red.png'>\
                <img src=huge.png><img src=zip.svg><link rel=stylesheet href=http://x/d.css>";
    let picture = drawn(html, 600, Scheme::Light, &Red).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(picture.remote_blocked, 3);
    let missing = picture.missing_images.join("; ");
    assert_eq!(
        missing,
        "../red.png: its address leads out of images/; file:///red.png: it is a file of this machine; \
         huge.png: it has more than 10 MB; zip.svg: SVG is not drawn"
    );
}

#[test]
fn a_large_image_keeps_its_size() {
    struct Wide;
    impl ImageSource for Wide {
        fn image(&self, _: &str) -> Result<Vec<u8>, ImageFault> {
            Ok(red(3_000, 30))
        }
    }
    let picture = drawn("<body style='margin:0'><img src=a.png style='display:block'>", 600, Scheme::Light, &Wide);
    let picture = picture.unwrap_or_else(|e| panic!("{e}"));
    assert!(picture.notes.iter().any(|note| note.contains("3000 pixels wide")), "{:?}", picture.notes);
}

#[test]
fn limits_are_said_and_not_felt() {
    let size = |width_px, scale| {
        let request = Request { html: "x", width_px, scale, scheme: Scheme::Light, image_base: "", images: &NoImages };
        draw(&Blitz::new(), &request).err()
    };
    assert!(matches!(size(319, 1.0), Some(Error::Size(_))));
    assert!(matches!(size(1_201, 1.0), Some(Error::Size(_))));
    assert!(matches!(size(600, f32::NAN), Some(Error::Size(_))));
    assert!(matches!(size(600, 9.0), Some(Error::Size(_))));
    let large = "x".repeat(MAX_HTML_BYTES + 1);
    assert_eq!(drawn(&large, 600, Scheme::Light, &NoImages), Err(Error::TooLarge(MAX_HTML_BYTES + 1)));
    let mut tall = String::new();
    for number in 0..1_000 {
        let _ = write!(tall, "<div style='height:100px'>{number}</div>");
    }
    let picture = light(&tall, 320);
    assert_eq!(picture.height, MAX_HEIGHT_PX);
    assert!(picture.notes.iter().any(|note| note.contains("tall")), "{:?}", picture.notes);
}

#[test]
fn the_deepest_mail_fits_the_stack() {
    for tag in ["div", "span", "b", "ul><li", "table><tr><td", "table align=left><tr><td", "center", "blockquote"] {
        let depth = dom::MAX_DEPTH / (1 + 3 * usize::from(tag.contains("td")) + usize::from(tag.contains("li"))) - 4;
        let html = format!("{}x", format!("<{tag}>").repeat(depth));
        let result = drawn(&html, 600, Scheme::Light, &NoImages);
        assert!(result.is_ok(), "{tag}: {:?}", result.err());
    }
}

#[test]
fn a_panic_becomes_an_error() {
    struct Broken;
    impl MailRenderer for Broken {
        fn render(&self, _: &Request<'_>) -> Result<Picture, Error> {
            std::panic::resume_unwind(Box::new("over-ripe"))
        }
    }
    let request =
        Request { html: "", width_px: 600, scale: 1.0, scheme: Scheme::Light, image_base: "", images: &NoImages };
    assert_eq!(draw(&Broken, &request), Err(Error::Crashed("over-ripe".into())));
}
