//! HTML as a run of tags and texts, read once and without copying.
//!
//! The one idea: lints need tags with their attributes, texts and style sheets in order, and nothing else; whatever is
//! broken is still read in some way, in one pass. Comments, and with them what only old programs read, are left out.

use std::borrow::Cow;

use memchr::memchr;

/// One piece of a mail.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// A start tag.
    Open(Tag<'a>),
    /// An end tag, its name.
    Close(&'a str),
    /// Words between tags, entities as written.
    Text(&'a str),
    /// What stands in a `<style>`.
    Sheet(&'a str),
}

/// A start tag.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub name: &'a str,
    pub attributes: Vec<(&'a str, &'a str)>,
    /// `<br />`
    pub closed: bool,
}

impl<'a> Tag<'a> {
    /// The value of an attribute as written; empty for one without.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Goes over the pieces of an HTML source.
pub(crate) struct Pieces<'a> {
    html: &'a str,
    at: usize,
    /// The element whose text is not HTML: `style`, `script`, `title`.
    inside: Option<&'a str>,
}

impl<'a> Pieces<'a> {
    pub fn of(html: &'a str) -> Self {
        Self { html, at: 0, inside: None }
    }

    fn skip_to(&mut self, end: &str) {
        self.at = self.html[self.at..].find(end).map_or(self.html.len(), |n| self.at + n + end.len());
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            let html = self.html;
            let rest = &html[self.at..];
            if rest.is_empty() {
                return None;
            }
            if let Some(name) = self.inside.take() {
                let end = end_of(rest, name);
                self.at += end;
                if name.eq_ignore_ascii_case("style") {
                    return Some(Piece::Sheet(&rest[..end]));
                }
                continue;
            }
            if !rest.starts_with('<') {
                let end = memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
                self.at += end;
                return Some(Piece::Text(&rest[..end]));
            }
            if rest.starts_with("<!--") {
                self.skip_to("-->");
                continue;
            }
            if rest.starts_with("<!") || rest.starts_with("<?") {
                self.skip_to(">");
                continue;
            }
            let closing = rest.starts_with("</");
            let start = if closing { 2 } else { 1 };
            let length = rest[start..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b':').count();
            if length == 0 || !rest.as_bytes()[start].is_ascii_alphabetic() {
                // A `<` on its own is a word.
                let end = rest[1..].find('<').map_or(rest.len(), |n| n + 1);
                self.at += end;
                return Some(Piece::Text(&rest[..end]));
            }
            let name = &rest[start..start + length];
            if closing {
                self.skip_to(">");
                return Some(Piece::Close(name));
            }
            let mut tag = Tag { name, attributes: Vec::new(), closed: false };
            let used = attributes(&rest[start + length..], &mut tag);
            self.at += start + length + used;
            if ["style", "script", "title"].iter().any(|other| tag.is(other)) && !tag.closed {
                self.inside = Some(name);
            }
            return Some(Piece::Open(tag));
        }
    }
}

/// Where the end tag of that name begins.
fn end_of(text: &str, name: &str) -> usize {
    let mut at = 0;
    while let Some(step) = text[at..].find("</") {
        let here = at + step;
        let word = text.as_bytes().get(here + 2..here + 2 + name.len());
        if word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes())) {
            return here;
        }
        at = here + 2;
    }
    text.len()
}

/// Reads attributes up to and including `>`; how many bytes that were.
fn attributes<'a>(text: &'a str, tag: &mut Tag<'a>) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'>' => return at + 1,
            b'/' => {
                tag.closed = bytes.get(at + 1) == Some(&b'>');
                at += 1;
                continue;
            }
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let start = at;
        at += 1;
        while at < bytes.len() && !bytes[at].is_ascii_whitespace() && !matches!(bytes[at], b'=' | b'>' | b'/') {
            at += 1;
        }
        let key = &text[start..at];
        let mut ahead = at;
        while ahead < bytes.len() && bytes[ahead].is_ascii_whitespace() {
            ahead += 1;
        }
        let mut value = "";
        if bytes.get(ahead) == Some(&b'=') {
            at = ahead + 1;
            while at < bytes.len() && bytes[at].is_ascii_whitespace() {
                at += 1;
            }
            match bytes.get(at) {
                Some(quote @ (b'"' | b'\'')) => {
                    let inside = &text[at + 1..];
                    let end = memchr(*quote, inside.as_bytes()).unwrap_or(inside.len());
                    value = &inside[..end];
                    at = (at + end + 2).min(bytes.len());
                }
                _ => {
                    let begin = at;
                    while at < bytes.len() && !bytes[at].is_ascii_whitespace() && bytes[at] != b'>' {
                        at += 1;
                    }
                    value = &text[begin..at];
                }
            }
        }
        tag.attributes.push((key, value));
    }
    bytes.len()
}

/// An attribute or text with the entities that we and most writers use put back.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = text.to_owned();
    for (entity, plain) in [
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        if out.contains(entity) {
            out = out.replace(entity, plain);
        }
    }
    Cow::Owned(out)
}

/// Whether a text has letters or digits, entities set aside.
pub(super) fn has_words(text: &str) -> bool {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '&' {
            let end = rest.bytes().take(12).position(|b| b == b';');
            rest = end.map_or(&rest[1..], |end| &rest[end + 1..]);
            continue;
        }
        if c.is_alphanumeric() {
            return true;
        }
        rest = &rest[c.len_utf8()..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        let pieces: Vec<String> = Pieces::of(html)
            .map(|piece| match piece {
                Piece::Open(tag) => {
                    let attributes: Vec<String> =
                        tag.attributes.iter().map(|(key, value)| format!(" {key}={value}")).collect();
                    format!("<{}{}{}>", tag.name, attributes.concat(), if tag.closed { "/" } else { "" })
                }
                Piece::Close(name) => format!("</{name}>"),
                Piece::Text(text) => format!("`{text}`"),
                Piece::Sheet(css) => format!("[{css}]"),
            })
            .collect();
        assert_eq!(pieces.join(""), expected, "{html}");
    }

    #[test]
    fn pieces() {
        check("<p class=a>Hi <b>Ada</b></p>", "<p class=a>`Hi `<b>`Ada`</b></p>");
        check("<img src='a.png' alt = \"x > y\" hidden/><br />", "<img src=a.png alt=x > y hidden=/><br/>");
        check("<!doctype html><!--[if mso]><b>x</b><![endif]-->y", "`y`");
        check("<!--[if !mso]><!--><i>z</i><!--<![endif]-->", "<i>`z`</i>");
        check(
            "<STYLE>p{a:b}</style><script>1<2</script><title>T</title>",
            "<STYLE>[p{a:b}]</style><script></script><title></title>",
        );
        check("1 < 2 and <3", "`1 ``< 2 and ``<3`");
        check("<a href='open", "<a href=open>");
        check("</p", "</p>");
    }

    #[test]
    fn words() {
        assert!(!has_words("&nbsp; &zwnj;&#847; -") && has_words("a") && has_words("&amp; b") && has_words("5 & 6"));
        assert_eq!(unescaped("a&amp;b=&#x27;"), "a&b='");
    }
}
