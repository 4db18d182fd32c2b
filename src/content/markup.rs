//! The light markup of text blocks, as HTML and as plain text; escaping; tags set aside while text is worked on.
//!
//! The one idea: merge tags are taken out before anything else looks at a text and put back at the end, so that
//! neither markup nor escaping nor MJML ever sees a quote or `<` of a template.

use std::fmt::Write as _;

use crate::base::OffsetMap;

/// Tags taken out of a text; each is stood in for by a word of letters and digits, which survives HTML, addresses
/// and attributes.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pieces: Vec<String>,
}

const OPEN: &str = "fLtG";
const CLOSE: &str = "gTlF";

impl Tokens {
    /// Sets a piece aside; the word that stands for it.
    pub fn put(&mut self, piece: impl Into<String>) -> String {
        self.pieces.push(piece.into());
        format!("{OPEN}{}{CLOSE}", self.pieces.len() - 1)
    }

    /// Takes every tag (`{{ }}`, `{% %}`, `{# #}`; of `raw` the whole) out of a text in the long form.
    pub fn take_tags(&mut self, text: &str) -> String {
        self.take_tags_noting(text, &mut OffsetMap::default())
    }

    /// The same, with the way back to the text.
    pub fn take_tags_noting(&mut self, text: &str, map: &mut OffsetMap) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let close = match rest.as_bytes().get(at + 1) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#') => "#}",
                _ => {
                    out.push_str(&rest[..=at]);
                    rest = &rest[at + 1..];
                    continue;
                }
            };
            let tag = &rest[at..];
            let mut end = tag[2..].find(close).map_or(tag.len(), |n| n + 4);
            if tag[2..end].trim_start_matches(['-', '+']).trim_start().starts_with("raw")
                && let Some(raw) = tag.find("endraw")
            {
                end = tag[raw..].find("%}").map_or(tag.len(), |n| raw + n + 2);
            }
            out.push_str(&rest[..at]);
            map.push(out.len(), text.len() - tag.len());
            let word = self.put(&tag[..end]);
            out.push_str(&word);
            rest = &tag[end..];
            map.push(out.len(), text.len() - rest.len());
        }
        out.push_str(rest);
        out
    }

    /// Puts all pieces back; pieces may hold words of others.
    pub fn restore(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() * 2);
        self.restore_into(text, self.pieces.len(), &mut out, 0);
        out
    }

    /// `below` bounds what a piece may refer to: only pieces set aside before it, so that nothing goes in circles.
    fn restore_into(&self, text: &str, below: usize, out: &mut String, depth: usize) {
        let mut rest = text;
        while let Some(at) = rest.find(OPEN) {
            let word = &rest[at + OPEN.len()..];
            let digits = word.bytes().take_while(u8::is_ascii_digit).take(7).count();
            let piece = word[..digits].parse::<usize>().ok().filter(|n| *n < below && depth < 8);
            match piece.and_then(|n| Some((n, self.pieces.get(n)?))) {
                Some((n, piece)) if word[digits..].starts_with(CLOSE) => {
                    out.push_str(&rest[..at]);
                    self.restore_into(piece, n, out, depth + 1);
                    rest = &word[digits + CLOSE.len()..];
                }
                _ => {
                    out.push_str(&rest[..at + OPEN.len()]);
                    rest = word;
                }
            }
        }
        out.push_str(rest);
    }

    /// Whether a text is nothing but words for statements (`{% … %}`) and white space.
    fn is_statements(&self, text: &str) -> bool {
        let mut rest = text.trim();
        if rest.is_empty() {
            return false;
        }
        while !rest.is_empty() {
            let Some(word) = rest.strip_prefix(OPEN) else { return false };
            let digits = word.bytes().take_while(u8::is_ascii_digit).take(7).count();
            let statement =
                word[..digits].parse::<usize>().ok().and_then(|n| self.pieces.get(n)).is_some_and(|piece| {
                    (piece.starts_with("{%") && !piece.contains("endraw")) || piece.starts_with("{#")
                });
            let Some(after) = word[digits..].strip_prefix(CLOSE) else { return false };
            if !statement {
                return false;
            }
            rest = after.trim_start();
        }
        true
    }
}

/// Escapes for HTML text and attributes, as Django does.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    escape_into(text, &mut out);
    out
}

/// The replacement of a byte that may not stand in HTML text or attributes.
pub(super) fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#x27;"),
        _ => None,
    }
}

fn escape_into(text: &str, out: &mut String) {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(entity) = entity(byte) {
            out.push_str(&text[start..at]);
            out.push_str(entity);
            start = at + 1;
        }
    }
    out.push_str(&text[start..]);
}

/// A text without markup (a heading, a button), tags kept, as HTML.
pub(super) fn escape_around_tags(expanded: &str) -> String {
    let mut tokens = Tokens::default();
    let text = tokens.take_tags(expanded);
    tokens.restore(&escape(&text))
}

/// Colours that markup needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    /// Of links.
    pub link: &'a str,
}

/// Paragraphs, lists, bold, italic and links as HTML.
pub(super) fn to_html(expanded: &str, look: Look<'_>) -> String {
    let mut tokens = Tokens::default();
    let text = tokens.take_tags(&expanded.replace("\r\n", "\n"));
    let mut out = String::new();
    let parts = paragraphs(&text);
    let last = parts.iter().rposition(|part| !tokens.is_statements(part)).unwrap_or(0);
    for (n, part) in parts.iter().enumerate() {
        if tokens.is_statements(part) {
            out.push_str(part.trim());
            continue;
        }
        let margin = if n == last { "0" } else { "0 0 16px" };
        if let Some(items) = list_items(part) {
            let _ = write!(out, "<ul style=\"margin:{margin};padding-left:22px;\">");
            for item in items {
                let _ = write!(out, "<li style=\"margin:0 0 6px;\">{}</li>", inline(item, Some(look)));
            }
            out.push_str("</ul>");
        } else {
            let lines: Vec<String> = part.lines().map(|line| inline(line, Some(look))).collect();
            let _ = write!(out, "<p style=\"margin:{margin};\">{}</p>", lines.join("<br />"));
        }
    }
    tokens.restore(&out)
}

/// The same as plain text: links as `words (address)`.
pub(super) fn to_text(expanded: &str) -> String {
    let mut tokens = Tokens::default();
    let text = tokens.take_tags(&expanded.replace("\r\n", "\n"));
    let parts: Vec<String> = paragraphs(&text)
        .iter()
        .map(|part| {
            let lines: Vec<String> = part.lines().map(|line| inline(line, None)).collect();
            lines.join("\n")
        })
        .collect();
    tokens.restore(&parts.join("\n\n"))
}

fn paragraphs(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            parts.push(&text[start..at]);
            start = at + line.len();
        }
        at += line.len();
    }
    parts.push(&text[start.min(text.len())..]);
    parts.retain(|part| !part.trim().is_empty());
    parts.into_iter().map(str::trim).collect()
}

fn list_items(part: &str) -> Option<Vec<&str>> {
    part.lines().map(|line| line.trim_start().strip_prefix("- ")).collect()
}

/// Bold, italic and links in one line. Without a look: plain text.
fn inline(line: &str, look: Option<Look<'_>>) -> String {
    let mut out = String::new();
    let mut rest = line;
    // Each step consumes at least one byte, and looks ahead within one line only.
    while let Some(at) = rest.find(['*', '[', '\\']) {
        push(&rest[..at], look, &mut out);
        let here = &rest[at..];
        if let Some(escaped) = here.strip_prefix('\\') {
            let taken = escaped.starts_with(['*', '[', '\\', ']']);
            push(if taken { &escaped[..1] } else { "\\" }, look, &mut out);
            rest = if taken { &escaped[1..] } else { escaped };
        } else if let Some((words, after)) = between(here, "**") {
            match look {
                Some(_) => {
                    let _ = write!(out, "<strong>{}</strong>", plain_inline(words, look));
                }
                None => push(words, look, &mut out),
            }
            rest = after;
        } else if let Some((words, after)) = between(here, "*") {
            match look {
                Some(_) => {
                    let _ = write!(out, "<em>{}</em>", plain_inline(words, look));
                }
                None => push(words, look, &mut out),
            }
            rest = after;
        } else if let Some((words, href, after)) = link(here) {
            match look {
                Some(look) => {
                    let _ = write!(
                        out,
                        "<a href=\"{}\" style=\"color:{};text-decoration:underline;\">{}</a>",
                        escape(href),
                        escape(look.link),
                        plain_inline(words, Some(look))
                    );
                }
                None if words == href => out.push_str(href),
                None => {
                    let _ = write!(out, "{words} ({href})");
                }
            }
            rest = after;
        } else {
            let length = here.chars().next().map_or(1, char::len_utf8);
            push(&here[..length], look, &mut out);
            rest = &here[length..];
        }
    }
    push(rest, look, &mut out);
    out
}

fn push(text: &str, look: Option<Look<'_>>, out: &mut String) {
    if look.is_some() { escape_into(text, out) } else { out.push_str(text) }
}

fn plain_inline(words: &str, look: Option<Look<'_>>) -> String {
    let mut out = String::new();
    push(words, look, &mut out);
    out
}

/// The words between a mark at the start of `text` and the next one, and what follows.
fn between<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let inside = text.strip_prefix(mark)?;
    let end = inside.find(mark)?;
    let words = &inside[..end];
    let tight = !words.is_empty() && !words.starts_with(char::is_whitespace) && !words.ends_with(char::is_whitespace);
    tight.then(|| (words, &inside[end + mark.len()..]))
}

fn link(text: &str) -> Option<(&str, &str, &str)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find("](")?;
    let words = &inside[..end];
    let target = &inside[end + 2..];
    let close = target.find(')')?;
    let href = target[..close].trim();
    (!words.is_empty() && !words.contains('[') && !href.contains(char::is_whitespace))
        .then(|| (words, href, &target[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, html: &str, text: &str) {
        assert_eq!(to_html(source, Look { link: "red" }), html, "{source}");
        assert_eq!(to_text(source), text, "{source}");
    }

    #[test]
    fn markup() {
        check("a < b & \"c\"", "<p style=\"margin:0;\">a &lt; b &amp; &quot;c&quot;</p>", "a < b & \"c\"");
        check("a\nb\n\nc", "<p style=\"margin:0 0 16px;\">a<br />b</p><p style=\"margin:0;\">c</p>", "a\nb\n\nc");
        check(
            "**b** *i* 2 * 3 * 4",
            "<p style=\"margin:0;\"><strong>b</strong> <em>i</em> 2 * 3 * 4</p>",
            "b i 2 * 3 * 4",
        );
        check(
            "[shop](https://x.example/?a=1&b=2)",
            "<p style=\"margin:0;\"><a href=\"https://x.example/?a=1&amp;b=2\" style=\"color:red;text-decoration:underline;\">shop</a></p>",
            "shop (https://x.example/?a=1&b=2)",
        );
        check(
            "- a\n- b",
            "<ul style=\"margin:0;padding-left:22px;\"><li style=\"margin:0 0 6px;\">a</li><li style=\"margin:0 0 6px;\">b</li></ul>",
            "- a\n- b",
        );
        check(r"\*a\* [x]", "<p style=\"margin:0;\">*a* [x]</p>", "*a* [x]");
    }

    #[test]
    fn tags_pass_through() {
        check(
            "Hi {{ a|default('<*x*>', true) }}, [go]({{ url }}?n={{ n }})",
            "<p style=\"margin:0;\">Hi {{ a|default('<*x*>', true) }}, <a href=\"{{ url }}?n={{ n }}\" style=\"color:red;text-decoration:underline;\">go</a></p>",
            "Hi {{ a|default('<*x*>', true) }}, go ({{ url }}?n={{ n }})",
        );
        check(
            "{% if a < b %}\n\nyes\n\n{% endif %}",
            "{% if a < b %}<p style=\"margin:0;\">yes</p>{% endif %}",
            "{% if a < b %}\n\nyes\n\n{% endif %}",
        );
        check(
            "{% raw %}{{ *x* }}{% endraw %}",
            "<p style=\"margin:0;\">{% raw %}{{ *x* }}{% endraw %}</p>",
            "{% raw %}{{ *x* }}{% endraw %}",
        );
    }

    #[test]
    fn words_of_others_stay() {
        let tokens = Tokens::default();
        for text in ["fLtG0gTlF", "fLtG", "fLtG99999999999999999999gTlF"] {
            assert_eq!(tokens.restore(text), text);
        }
    }
}
