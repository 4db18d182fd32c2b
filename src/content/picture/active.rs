//! Rule 5: nothing that runs, embeds or asks for something from elsewhere.
//!
//! No mail client runs it either, so the picture loses nothing. The second line of defence is that the renderer's
//! network gives no answer at all. Deliberately not here: images (`images`) and style sheets (`css`).

use super::dom::{Dom, Id};

/// Elements that go with all that is in them.
const GONE: [&str; 22] = [
    "script", "iframe", "object", "embed", "applet", "link", "base", "meta", "title", "template", "frame", "frameset",
    "noframes", "noembed", "audio", "canvas", "source", "track", "param", "bgsound", "dialog", "portal",
];
/// Elements that stand for what is in them.
const PLAIN: [(&str, &str); 5] =
    [("video", "span"), ("picture", "span"), ("xmp", "pre"), ("plaintext", "pre"), ("listing", "pre")];
/// Most columns and rows that one cell may take; more is a mistake, and the renderer counts them one by one.
const MAX_SPAN: u32 = 100;
/// Most columns that all cells of a mail take beyond one each; the renderer counts the columns of a table in 16 bits.
const MAX_SPANS: u32 = 10_000;

/// A width or height beyond this is a mistake, and the renderer would work on all of it.
const MOST_LENGTH: f32 = 20_000.0;

/// Takes it out. Returns the number of drawings (SVG, MathML) that went, too.
pub(super) fn strip(dom: &mut Dom) -> usize {
    let (mut drawings, mut spans_left) = (0, MAX_SPANS);
    for id in dom.in_order() {
        let Some(element) = dom.element(id) else { continue };
        if element.is_foreign() {
            drawings += usize::from(element.name == "svg" || element.name == "math");
            dom.remove(id);
        } else if GONE.contains(&element.name.as_str()) || !is_name(&element.name) {
            dom.remove(id);
        } else {
            if let Some((_, name)) = PLAIN.iter().find(|(name, _)| *name == element.name) {
                dom.rename(id, name);
            }
            attributes(dom, id, &mut spans_left);
        }
    }
    drawings
}

fn attributes(dom: &mut Dom, id: Id, spans_left: &mut u32) {
    let Some(element) = dom.element_mut(id) else { return };
    element.attrs.retain(|(name, _)| {
        is_name(name)
            && !name.starts_with("on")
            && !name.starts_with("xmlns")
            && !matches!(name.as_str(), "srcset" | "sizes" | "srcdoc" | "ping" | "autofocus" | "popover" | "data-fl")
    });
    for length in ["width", "height", "cellpadding", "cellspacing", "border", "hspace", "vspace", "size"] {
        let value = element.attr(length).map(str::trim);
        let is_huge = value.is_some_and(|value| {
            let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
            number.parse::<f32>().is_ok_and(|number| number.abs() > MOST_LENGTH)
        });
        if is_huge {
            element.remove(length);
        }
    }
    for span in ["colspan", "rowspan", "span"] {
        if let Some(value) = element.attr(span) {
            let mut number = value.trim().parse::<u32>().unwrap_or(1).clamp(1, MAX_SPAN);
            if span != "rowspan" {
                number = number.min(*spans_left + 1);
                *spans_left -= number - 1;
            }
            element.set(span, number.to_string());
        }
    }
}

/// A name that can be written into HTML as it is.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let mut dom = Dom::parse(body).unwrap_or_else(|e| panic!("{e}"));
        strip(&mut dom);
        let written = dom.write();
        let inside = written.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>"));
        assert_eq!(inside.map(|(inside, _)| inside), Some(expected));
    }

    #[test]
    fn what_runs_or_asks_is_gone() {
        check("a<script>alert(1)</script>b<iframe src=x></iframe>c<object data=x>d</object><embed src=x>", "abc");
        check("<p onclick=x style='color:red'>a<link rel=stylesheet href=x></p>", "<p style=\"color:red\">a</p>");
        check("<svg><script>x</script><text>t</text></svg>a<math><mi>x</math>", "a");
    }

    #[test]
    fn what_is_inside_stays_where_it_may() {
        check("<video src=x><a href=y>Watch</a></video>", "<span src=\"x\"><a href=\"y\">Watch</a></span>");
        check("<p>a</p><noscript>seen</noscript>", "<p>a</p><noscript>seen</noscript>");
    }

    #[test]
    fn spans_are_bounded() {
        check(
            "<table><tr><td colspan=65000 rowspan=x>a",
            "<table><tbody><tr><td colspan=\"100\" rowspan=\"1\">a</td></tr></tbody></table>",
        );
        check(
            "<table><col span=9999><tr><td>a",
            "<table><colgroup><col span=\"100\"></colgroup><tbody><tr><td>a</td></tr></tbody></table>",
        );
        let mut dom =
            Dom::parse(&format!("<table><tr>{}", "<td colspan=100>x".repeat(700))).unwrap_or_else(|e| panic!("{e}"));
        strip(&mut dom);
        let columns: u32 = dom
            .nodes
            .iter()
            .filter_map(|node| match &node.data {
                crate::content::picture::dom::Data::Element(cell) => cell.attr("colspan")?.parse::<u32>().ok(),
                _ => None,
            })
            .sum();
        assert_eq!(columns, 700 + MAX_SPANS);
    }
}
