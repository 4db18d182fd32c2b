//! What stands where in a source of HTML or MJML: for an editor's colours, and for what may be completed at a place.
//!
//! The one idea: one pass from left to right that never fails; what is half-typed is coloured as what it would become.
//! Deliberately not here: colours, and whether the source is right (that is the template's and the layout's to say).

use std::ops::Range;

/// What a part of a source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    /// Words that are read.
    Text,
    /// `<`, `>`, and the name of an element.
    Tag,
    /// Name of an attribute, or of a property in a style sheet.
    Attribute,
    /// Value of an attribute.
    Value,
    /// `<!-- … -->`, `{# … #}`, `/* … */`.
    Comment,
    /// `{{ … }}`, and `{name}` with one brace.
    Merge,
    /// `{% … %}`.
    Logic,
    /// Inside a style sheet or script.
    Style,
}

/// The parts of a source, in order, without gaps; each as long as it can be.
pub fn highlight(source: &str) -> Vec<(Range<usize>, Token)> {
    let mut scan = Scan { source, at: 0, spans: Vec::new() };
    scan.all();
    scan.spans
}

/// What of a merge tag stands before a place, where a name may be completed there: the offset at which the name
/// begins, and what is typed of it. `None` outside of tags.
pub fn half_typed_name(source: &str, at: usize) -> Option<(usize, &str)> {
    let before = source.get(..at)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let begin = before.char_indices().rev().take_while(|(_, c)| is_name(*c)).last().map_or(at, |(at, _)| at);
    let name = before.get(begin..)?;
    let head = before.get(..begin)?;
    if head.ends_with('{') && !head.ends_with("{{") {
        return Some((begin, name)).filter(|_| !name.starts_with(|c: char| c.is_ascii_digit()));
    }
    // Inside `{{ … }}` or `{% … %}`: the last delimiter before is one that opens.
    let opens = head.rfind("{{").max(head.rfind("{%"))?;
    let inside = head.get(opens + 2..)?;
    let is_open = !inside.contains("}}") && !inside.contains("%}");
    let in_string = inside.matches('\'').count() % 2 == 1 || inside.matches('"').count() % 2 == 1;
    let after_bar = inside.trim_end().ends_with('|');
    (is_open && !in_string && !after_bar).then_some((begin, name))
}

struct Scan<'a> {
    source: &'a str,
    at: usize,
    spans: Vec<(Range<usize>, Token)>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or("")
    }

    /// The next bytes up to `end` are a token; joins what follows on its like.
    fn push(&mut self, end: usize, token: Token) {
        let end = end.min(self.source.len());
        if end <= self.at {
            return;
        }
        match self.spans.last_mut() {
            Some((range, last)) if *last == token && range.end == self.at => range.end = end,
            _ => self.spans.push((self.at..end, token)),
        }
        self.at = end;
    }

    /// Up to and with `end`, or all that is left.
    fn until(&mut self, end: &str, skip: usize, token: Token) {
        let found = self.rest().get(skip..).and_then(|rest| rest.find(end));
        let to = found.map_or(self.source.len(), |found| self.at + skip + found + end.len());
        self.push(to, token);
    }

    /// A template tag that begins here.
    fn template(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with("{{") {
            self.until("}}", 2, Token::Merge);
        } else if rest.starts_with("{%") {
            self.until("%}", 2, Token::Logic);
        } else if rest.starts_with("{#") {
            self.until("#}", 2, Token::Comment);
        } else if let Some(len) = single_brace(rest) {
            self.push(self.at + len, Token::Merge);
        } else {
            return false;
        }
        true
    }

    fn one(&mut self, token: Token) {
        let len = self.rest().chars().next().map_or(1, char::len_utf8);
        self.push(self.at + len, token);
    }

    fn all(&mut self) {
        while self.at < self.source.len() {
            let rest = self.rest();
            if self.template() {
            } else if rest.starts_with("<!--") {
                self.until("-->", 4, Token::Comment);
            } else if rest.starts_with("<!") || rest.starts_with("<?") {
                self.until(">", 2, Token::Comment);
            } else if is_tag(rest) {
                self.tag();
            } else {
                self.text(Token::Text);
            }
        }
    }

    /// Plain words up to the next thing that begins with `<` or `{`.
    fn text(&mut self, token: Token) {
        self.one(token);
        let to = self.rest().find(['<', '{']).map_or(self.source.len(), |found| self.at + found);
        self.push(to, token);
    }

    fn tag(&mut self) {
        let from = self.at;
        // "</" ends no name of its own.
        let skip = if self.rest().starts_with("</") { 2 } else { 1 };
        let name = self.rest().bytes().skip(skip).take_while(|b| !b.is_ascii_whitespace() && !b"/>{".contains(b));
        let name_len = skip + name.count();
        self.push(self.at + name_len, Token::Tag);
        let name = self.source.get(from + 1..self.at).unwrap_or("").to_ascii_lowercase();
        let mut after_equals = false;
        while self.at < self.source.len() {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else { return };
            match first {
                '>' => {
                    self.one(Token::Tag);
                    break;
                }
                // Somebody forgot the end of the tag.
                '<' if is_tag(rest) => return,
                '"' | '\'' if after_equals => {
                    self.quoted(first);
                    after_equals = false;
                }
                '=' => {
                    self.one(Token::Tag);
                    after_equals = true;
                }
                '{' if self.template() => after_equals = false,
                c if c.is_whitespace() || c == '/' => self.one(Token::Tag),
                _ => {
                    let stop = |c: char| c.is_whitespace() || "=>/{\"'".contains(c);
                    let len = rest.char_indices().skip(1).find(|(_, c)| stop(*c)).map_or(rest.len(), |(at, _)| at);
                    self.push(self.at + len, if after_equals { Token::Value } else { Token::Attribute });
                    after_equals = false;
                }
            }
        }
        let closes_itself = self.source.get(from..self.at).is_some_and(|tag| tag.ends_with("/>"));
        if matches!(name.as_str(), "style" | "mj-style" | "script") && !closes_itself {
            self.style(&name);
        }
    }

    /// An attribute's value, with the merge tags in it.
    fn quoted(&mut self, quote: char) {
        self.one(Token::Value);
        while self.at < self.source.len() {
            if self.rest().starts_with(quote) {
                self.one(Token::Value);
                return;
            }
            if !self.template() {
                self.one(Token::Value);
            }
        }
    }

    /// What stands in `<style>`, up to its end: single braces are no tags there.
    fn style(&mut self, name: &str) {
        let rest = self.rest();
        let ends = |at: &usize| {
            let here = rest.get(at + 2..at + 2 + name.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(name))
        };
        let to = rest.match_indices("</").map(|(at, _)| at).find(ends).map_or(self.source.len(), |at| self.at + at);
        while self.at < to {
            let rest = self.source.get(self.at..to).unwrap_or("");
            if rest.starts_with("/*") {
                let len = rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |found| found + 4);
                self.push(self.at + len, Token::Comment);
            } else if rest.starts_with("{{") || rest.starts_with("{%") || rest.starts_with("{#") {
                self.template();
            } else {
                let property = |c: char| c.is_ascii_alphanumeric() || c == '-';
                let len = rest.find(|c: char| !property(c)).unwrap_or(rest.len());
                if len == 0 {
                    self.one(Token::Style);
                } else {
                    let after = rest.get(len..).unwrap_or("").trim_start();
                    let is_property = after.starts_with(':') && !self.opens_block(to);
                    self.push(self.at + len, if is_property { Token::Attribute } else { Token::Style });
                }
            }
        }
    }

    /// Whether what stands here is a selector such as `a:hover {`, not a property.
    fn opens_block(&self, to: usize) -> bool {
        // Nobody writes a longer selector; the bound keeps the pass linear.
        let rest = self.source.as_bytes().get(self.at..to.min(self.at + 500)).unwrap_or(&[]);
        rest.iter().find(|byte| b"{;}".contains(byte)) == Some(&b'{')
    }
}

/// Whether an element begins or ends here; a lone `<` is a word.
fn is_tag(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('<')
        && match chars.next() {
            Some('/') => chars.next().is_some_and(|c| c.is_ascii_alphabetic()),
            Some(c) => c.is_ascii_alphabetic(),
            None => false,
        }
}

/// Length of `{name}` here: the braces hold a dotted name and nothing else.
fn single_brace(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('{')?;
    let len = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))?;
    let is_name = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_name && inner.as_bytes().get(len) == Some(&b'}')).then_some(len + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    /// Each token as its letter before its text: `[T<b>]`.
    fn check(source: &str, expected: &str) {
        let spans = highlight(source);
        let letter = |token: Token| match token {
            Token::Text => 'x',
            Token::Tag => 'T',
            Token::Attribute => 'A',
            Token::Value => 'V',
            Token::Comment => 'C',
            Token::Merge => 'M',
            Token::Logic => 'L',
            Token::Style => 'S',
        };
        let said: String =
            spans.into_iter().map(|(range, token)| format!("[{}{}]", letter(token), &source[range])).collect();
        assert_eq!(said, expected, "{source}");
    }

    #[test]
    fn elements_attributes_and_tags_have_their_colours() {
        check("Hi {first_name}!", "[xHi ][M{first_name}][x!]");
        check("{{ a|upper }}", "[M{{ a|upper }}]");
        check("{% if a %}x{% endif %}", "[L{% if a %}][xx][L{% endif %}]");
        check(
            r#"<a href="https://x/{id}" class=big>go</a>"#,
            r#"[T<a ][Ahref][T=][V"https://x/][M{id}][V"][T ][Aclass][T=][Vbig][T>][xgo][T</a>]"#,
        );
        check("<!-- <b> --><br/>", "[C<!-- <b> -->][T<br/>]");
        check("1 < 2 and {not a tag}", "[x1 < 2 and {not a tag}]");
        check(
            "<style>p{color:red} a:hover{x:y}/* n */</style>",
            "[T<style>][Sp{][Acolor][S:red} a:hover{][Ax][S:y}][C/* n */][T</style>]",
        );
    }

    #[test]
    fn what_is_half_typed_is_coloured_to_the_end() {
        check("a {{ fir", "[xa ][M{{ fir]");
        check("<a href=\"x", "[T<a ][Ahref][T=][V\"x]");
        check("<a <b>", "[T<a <b>]");
        check("<style>p{", "[T<style>][Sp{]");
        check("", "");
    }

    #[test]
    fn any_text_is_covered_without_gaps() {
        const PIECES: &[&str] = &[
            "<",
            ">",
            "</",
            "style",
            "<style>",
            "</style>",
            "{",
            "}",
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "\"",
            "'",
            "=",
            "ü",
            "🎁",
            " ",
            "a",
            "/*",
            "*/",
            "<!--",
            "-->",
            "/",
            ":",
            ";",
            "{a}",
            "<mj-text>",
        ];
        for seed in 0..3_000 {
            let mut rng = Rng::new(seed);
            let source: String =
                (0..rng.below(24)).filter_map(|_| rng.pick(PIECES).copied()).collect::<Vec<_>>().concat();
            let mut at = 0;
            for (range, _) in highlight(&source) {
                assert_eq!(range.start, at, "seed {seed}: {source}");
                assert!(source.get(range.clone()).is_some_and(|part| !part.is_empty()), "seed {seed}: {source}");
                at = range.end;
            }
            assert_eq!(at, source.len(), "seed {seed}: {source}");
            for at in 0..=source.len() {
                let _ = half_typed_name(&source, at);
            }
        }
    }

    #[test]
    fn a_name_is_completed_inside_of_tags_only() {
        let check = |marked: &str, expected: Option<&str>| {
            let at = marked.find('|').expect("a place");
            let source = marked.replacen('|', "", 1);
            assert_eq!(half_typed_name(&source, at).map(|(_, name)| name), expected, "{marked}");
        };
        check("Hi {fir|", Some("fir"));
        check("Hi {|", Some(""));
        check("Hi {{ fir|", Some("fir"));
        check("Hi {{ a }} fir|", None);
        check("{% if cart_v|", Some("cart_v"));
        check("{% if x %}cart_v|", None);
        check("Hi fir|", None);
        check("{{ a or 'fi|", None);
    }
}
