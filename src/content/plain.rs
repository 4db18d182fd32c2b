//! HTML to readable text: links as `words (address)`, no lines for layout tables, no hidden preheader.

use memchr::{memchr, memchr2_iter};

use super::mjml::depth;

/// Deepest nesting the converter is given. Source: assumption; real mails stay below 60.
const MAX_DEPTH: usize = 400;

/// The text of an HTML mail (tags as words, not as braces). Never fails: what cannot be laid out is stripped.
pub(super) fn text_of(html: &str) -> String {
    let html = visible(html);
    let laid_out = if depth(&html) <= MAX_DEPTH {
        // It panics on some tables whose cells reach over rows that do not fit (`RenderTable::new` of html2text
        // 0.17.4).
        let convert = || {
            html2text::config::with_decorator(Words::default())
                .raw_mode(true)
                .no_table_borders()
                .allow_width_overflow()
                .string_from_read(html.as_bytes(), 10_000)
        };
        std::panic::catch_unwind(convert).ok().and_then(Result::ok)
    } else {
        None
    };
    tidy(&laid_out.unwrap_or_else(|| strip(&html)))
}

/// Without `<head>`, `<style>`, `<script>`, comments, and elements that are not shown.
pub(super) fn visible(html: &str) -> String {
    const UNSEEN: [&str; 4] = ["style", "script", "head", "title"];
    const HIDEABLE: [&str; 6] = ["div", "span", "p", "td", "tr", "table"];
    let mut out = String::with_capacity(html.len());
    // What is shown is copied in one piece up to the next thing that is not.
    let (mut shown_from, mut at) = (0, 0);
    while let Some(step) = memchr(b'<', &html.as_bytes()[at..]) {
        let here = at + step;
        let rest = &html[here..];
        if rest.starts_with("<!--") {
            out.push_str(&html[shown_from..here]);
            at = here + rest.find("-->").map_or(rest.len(), |n| n + 3);
            shown_from = at;
            continue;
        }
        let name = name_at(&rest[1..]);
        let is_one_of = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
        let ends = rest.len() > 1 + name.len();
        let end = memchr(b'>', rest.as_bytes()).map_or(rest.len(), |n| n + 1);
        if (ends && is_one_of(&UNSEEN)) || (is_one_of(&HIDEABLE) && hides(&rest[..end])) {
            out.push_str(&html[shown_from..here]);
            at = here + skip_element(rest, name);
            shown_from = at;
            continue;
        }
        at = here + end;
    }
    out.push_str(&html[shown_from..]);
    out
}

/// The letters and digits at the start of a text.
fn name_at(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_alphanumeric).count()]
}

/// Whether a tag says `display: none`, white space and case set aside.
fn hides(tag: &str) -> bool {
    const WANTED: &[u8] = b"display:none";
    let bytes = tag.as_bytes();
    let is_said_at = |at: usize| {
        let mut letters = bytes[at..].iter().filter(|b| !b.is_ascii_whitespace()).map(u8::to_ascii_lowercase);
        WANTED.iter().all(|wanted| letters.next() == Some(*wanted))
    };
    memchr2_iter(b'd', b'D', bytes).any(is_said_at)
}

/// Length of the element of that name at the start of `rest`, elements of the same name inside counted.
fn skip_element(rest: &str, name: &str) -> usize {
    let begins = |at: usize| {
        rest.as_bytes().get(at..at + name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(step) = memchr(b'<', &rest.as_bytes()[at..]) {
        let here = at + step;
        if rest[here..].starts_with("</") && begins(here + 2) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return rest[here..].find('>').map_or(rest.len(), |n| here + n + 1);
            }
        } else if begins(here + 1) {
            depth += 1;
        }
        at = here + 1;
    }
    rest.len()
}

fn strip(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// No white space at line ends, no more than one empty line, none at either end.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200c}' | '\u{34f}' | '\u{feff}'));
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

/// Prints links and pictures as words.
#[derive(Clone, Debug, Default)]
struct Words {
    /// Addresses of the links that are open.
    links: Vec<String>,
}

impl html2text::render::TextDecorator for Words {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.links.push(url.to_owned());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        match self.links.pop() {
            Some(url) if !url.is_empty() && !url.starts_with('#') => format!(" ({url})"),
            _ => String::new(),
        }
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".into()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".into()
    }

    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        self.clone()
    }

    fn finalise(&mut self, _urls: Vec<String>) -> Vec<html2text::render::TaggedLine<()>> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(text_of(html), expected, "{html}");
    }

    #[test]
    fn readable() {
        check("<p>Hi <b>Ada</b> &amp; co</p><p>Bye</p>", "Hi Ada & co\n\nBye");
        check("<a href=\"https://x.example/a\">Shop</a> now", "Shop (https://x.example/a) now");
        check("<table><tr><td>One</td></tr><tr><td>Two</td></tr></table>", "One\nTwo");
        check("<ul><li>a</li><li>b</li></ul>", "- a\n- b");
        check("<img src=\"x.png\" alt=\"A watch\">", "A watch");
    }

    #[test]
    fn hidden_parts_are_left_out() {
        check(
            "<head><title>T</title><style>p{}</style></head><body><!-- c --><div style=\"display: none; max-height:0\">pre<div>x</div></div><p>Seen</p></body>",
            "Seen",
        );
    }

    #[test]
    fn broken_input_still_gives_text() {
        check("", "");
        check("<p>open <b>ended", "open ended");
        for odd in
            ["<tr><td colspan=0>a</td><td>b</td></tr>", "<tr><td rowspan=9>a</td></tr><tr><td rowspan=0>b</td></tr>"]
        {
            let text = text_of(&format!("<table>{odd}</table>"));
            assert!(text.contains('a') && text.contains('b'), "{odd}: {text}");
        }
        let deep = format!("{}x", "<div>".repeat(50_000));
        assert_eq!(text_of(&deep), "x");
    }
}
