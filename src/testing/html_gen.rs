//! Damaged HTML mails.

use super::Rng;

/// What gets into a mail by accident or on purpose; some of it is expensive for a browser.
const PIECES: [&str; 46] = [
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<td style=\"display:block\">",
    "<tr style=\"display:block\">",
    "<table style=\"display:inline\">",
    "<td rowspan=60000 colspan=60000>",
    "<table width=99999999>",
    "<img width=99999999 height=99999999>",
    "<div style=\"width:1e30px;height:1e30px\">",
    "<div style=\"position:absolute;top:1e9px;left:-1e9px\">",
    "<div style=\"position:fixed;bottom:0\">",
    "<p style=\"font-size:100000px\">",
    "<p style=\"letter-spacing:1e20px;line-height:1e20\">",
    "<p style=\"margin:-9999999px\">",
    "<div style=\"float:left\">",
    "<div style=\"display:grid;grid-template-columns:repeat(1000,1fr)\">",
    "<div style=\"display:flex;flex-wrap:wrap\">",
    "<div style=\"display:table-cell\">",
    "<div style=\"display:contents\">",
    "<div style=\"transform:scale(1e9)\">",
    "<div style=\"filter:blur(1000px);box-shadow:0 0 9999px 9999px red\">",
    "<div style=\"columns:1000\">",
    "<div style=\"border:99999px dashed red;border-radius:1e9px\">",
    "<style>*{display:block!important}</style>",
    "<style>td,tr,table{display:inline-block}</style>",
    "<style>@media (max-width:",
    "<style>*::before{content:\"x\"}</style>",
    "<style>:root{--a:var(--b);--b:var(--a)}*{width:calc(100% * 1e30)}</style>",
    "<!--[if mso]>",
    "<![endif]-->",
    "<svg><foreignObject><p>",
    "<math><mi>",
    "<select><option>",
    "<textarea>",
    "<button><button>",
    "<ol start=999999999><li>",
    "<details><summary>",
    "<a href=\"x\"><a href=\"y\">",
    "\u{202e}\u{200f}\u{0}\u{fffd}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "&#x110000;&#0;&nbsp;&zwj;",
    "\"'`<=>",
    "<",
];

/// A copy with one to eight accidents; the same seed gives the same one.
pub fn mutate_html(source: &str, seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let mut text: Vec<char> = source.chars().collect();
    for _ in 0..=rng.below(8) {
        let from = rng.below(text.len());
        let to = (from + rng.below(80)).min(text.len());
        match rng.below(6) {
            0 => drop(text.drain(from..to)),
            1 => {
                let copy = text[from..to].repeat(1 + rng.below(4));
                text.splice(from..from, copy);
            }
            2 => text.truncate(from.max(40)),
            3 => {
                // A digit becomes many.
                if let Some(at) = text[from..].iter().position(char::is_ascii_digit) {
                    text.splice(from + at..from + at, "9".repeat(1 + rng.below(12)).chars());
                }
            }
            _ => {
                let piece = rng.pick(&PIECES).copied().unwrap_or("");
                let times = if rng.percent(10) { 1 + rng.below(60) } else { 1 };
                text.splice(from..from, piece.repeat(times).chars());
            }
        }
        text.truncate(200_000);
    }
    text.into_iter().collect()
}
