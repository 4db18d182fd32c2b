//! The single-brace shorthand: `{cart_value}` for `{{ cart_value }}`, and the rule form of conditions.
//!
//! The one idea: a brace pair is a tag only where its whole content is a known name; all other braces (CSS, JSON,
//! prose) pass through untouched. A map leads every position of the result back to the source as written.

use std::collections::BTreeSet;

use crate::base::{OffsetMap, TextRange};

/// A text with tags in the long form, and the way back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expanded {
    /// The text in which every tag is `{{ … }}` or `{% … %}`.
    pub text: String,
    map: OffsetMap,
    /// `{name}` with names that are not known: left as they are.
    pub loose: Vec<(String, TextRange)>,
    /// The first tag that is longer than [`MAX_TAG`].
    pub too_long: Option<TextRange>,
    /// The first tag that runs on into what is surely not its own: its first line.
    pub unclosed: Option<TextRange>,
    /// How many `elif` there are.
    pub num_elifs: usize,
}

/// Longest tag in bytes, delimiters included. Source: assumption; bounds the depth of a parsed expression.
pub(super) const MAX_TAG: usize = 1_000;

impl Expanded {
    /// The source position of a position in the expanded text.
    pub fn source_offset(&self, offset: usize) -> usize {
        self.map.source_offset(offset)
    }

    /// The source range of a range in the expanded text.
    pub fn source_range(&self, range: TextRange) -> TextRange {
        // The engine counts bytes and may stop inside a character, or one past the end.
        let mut start = range.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = range.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        TextRange::new(self.source_offset(start), self.source_offset(end))
    }

    fn push(&mut self, piece: &str, source_start: usize) {
        self.map.push(self.text.len(), source_start);
        self.text.push_str(piece);
    }
}

/// Whether a text is a dotted name: `cart_value`, `product.name`, `items.0.name`.
pub(super) fn is_dotted_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.split('.').all(|step| !step.is_empty() && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// Writes every known `{name}` in the long form. `known` answers for the first step of a dotted name.
pub(super) fn expand(source: &str, known: &dyn Fn(&str) -> bool) -> Expanded {
    let mut out = Expanded { text: String::with_capacity(source.len() + 64), ..Expanded::default() };
    let mut locals: BTreeSet<&str> = BTreeSet::new();
    // Start of what has not been copied yet.
    let mut pending = 0;
    let mut at = 0;
    while let Some(step) = source[at..].find(['{', '<']) {
        let here = at + step;
        let rest = &source[here..];
        if rest.starts_with('<') {
            at = here + skip_raw_element(rest).unwrap_or(1);
            continue;
        }
        let close = match rest.as_bytes().get(1) {
            Some(b'{') => Some("}}"),
            Some(b'%') => Some("%}"),
            Some(b'#') => Some("#}"),
            _ => None,
        };
        if let Some(close) = close {
            let length = rest[2..].find(close).map_or(rest.len(), |n| n + 4);
            let tag = &rest[..length];
            if length > MAX_TAG && close != "#}" {
                // Nobody writes a tag of that length over several lines, or with another tag inside: its end is
                // missing, and the writer is most likely at its first line just now.
                let line = tag.find(['\n', '\r']);
                if line.is_some() || tag[2..].contains("{{") || tag[2..].contains("{%") {
                    let end = line.or_else(|| tag[2..].find(['{', '<']).map(|n| n + 2)).unwrap_or(length);
                    out.unclosed.get_or_insert(TextRange::new(here, here + end));
                } else {
                    out.too_long.get_or_insert(TextRange::new(here, here + length));
                }
            }
            let mut words = tag.trim_start_matches(['{', '%', '-', '+']).split_whitespace();
            let mut skip = length;
            if close == "%}" {
                match (words.next(), words.next()) {
                    (Some("for"), Some(name)) => {
                        locals.insert(name);
                    }
                    (Some("elif"), _) => out.num_elifs += 1,
                    (Some("raw" | "raw%}" | "raw-%}"), _) => {
                        skip = rest.find("endraw").map_or(rest.len(), |n| n + "endraw".len());
                    }
                    _ => {}
                }
            }
            at = here + skip;
            continue;
        }
        // At most as far as a name may be long, so that many open braces stay cheap.
        let window = rest.as_bytes().iter().take(210).position(|b| *b == b'}');
        match window.map(|end| &rest[1..end]) {
            Some(name) if is_dotted_name(name) => {
                let root = name.split('.').next().unwrap_or(name);
                let after = here + name.len() + 2;
                if known(root) || locals.contains(root) {
                    out.push(&source[pending..here], pending);
                    out.push("{{ ", here);
                    out.push(name, here + 1);
                    out.push(" }}", after - 1);
                    pending = after;
                } else {
                    out.loose.push((name.to_owned(), TextRange::new(here, after)));
                }
                at = after;
            }
            _ => at = here + 1,
        }
    }
    out.push(&source[pending..], pending);
    out
}

/// Length of a `<style>` or `<script>` element at the start of `rest`, which must begin with `<`.
fn skip_raw_element(rest: &str) -> Option<usize> {
    let starts = |name: &str| rest.get(1..=name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name));
    let name = ["style", "script"].into_iter().find(|name| starts(name))?;
    let lower_end = format!("</{name}");
    let bytes = rest.as_bytes();
    let mut from = 0;
    while let Some(step) = rest[from..].find("</") {
        let here = from + step;
        if bytes.len() >= here + lower_end.len()
            && bytes[here..here + lower_end.len()].eq_ignore_ascii_case(lower_end.as_bytes())
        {
            return Some(here + lower_end.len());
        }
        from = here + 2;
    }
    Some(rest.len())
}

/// A condition in the template language from what people write: `{cart_value} > {threshold} AND {hours} < 24h`
/// becomes `cart_value > threshold and hours < 24`. A leading `If` is dropped, a lone `=` means `==`.
pub(super) fn expand_condition(source: &str) -> Expanded {
    let mut out = Expanded::default();
    let bytes = source.as_bytes();
    let mut quote: Option<u8> = None;
    let mut at = 0;
    out.map.push(0, 0);
    if source.len() > MAX_TAG {
        out.too_long = Some(TextRange::new(0, source.len()));
    }
    while at < bytes.len() {
        let byte = bytes[at];
        if let Some(open) = quote {
            if byte == b'\\' && at + 1 < bytes.len() && bytes[at + 1].is_ascii() {
                out.text.push_str(&source[at..at + 2]);
                at += 2;
                continue;
            }
            if byte == open {
                quote = None;
            }
        } else if byte == b'"' || byte == b'\'' {
            quote = Some(byte);
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            let word = &source[at..end];
            match word {
                "AND" | "OR" | "NOT" | "And" | "Or" | "Not" => out.text.push_str(&word.to_ascii_lowercase()),
                "If" | "IF" if out.text.trim().is_empty() => out.text.push_str("  "),
                _ => out.text.push_str(word),
            }
            at = end;
            continue;
        } else if byte.is_ascii_digit() {
            let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            out.text.push_str(&source[at..end]);
            at = end;
            if bytes.get(at) == Some(&b'h')
                && !bytes.get(at + 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
            {
                out.text.push(' ');
                at += 1;
            }
            continue;
        } else if byte == b'{' || byte == b'}' {
            out.text.push(' ');
            at += 1;
            continue;
        } else if byte == b'=' {
            let before = at.checked_sub(1).map(|n| bytes[n]);
            let alone = bytes.get(at + 1) != Some(&b'=') && !matches!(before, Some(b'=' | b'!' | b'<' | b'>'));
            out.text.push('=');
            at += 1;
            if alone {
                out.text.push('=');
                out.map.push(out.text.len(), at);
            }
            continue;
        } else if byte == b'<' && bytes.get(at + 1) == Some(&b'>') {
            out.text.push_str("!=");
            at += 2;
            continue;
        }
        let length = source[at..].chars().next().map_or(1, char::len_utf8);
        out.text.push_str(&source[at..at + length]);
        at += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        matches!(name, "name" | "cart" | "items")
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let expanded = expand(source, &known);
        assert_eq!(expanded.text, expected);
        assert_eq!(expanded.source_offset(expanded.text.len()), source.len());
    }

    #[test]
    fn known_names_become_tags() {
        check("Hi {name}!", "Hi {{ name }}!");
        check("{cart.items.0.name}", "{{ cart.items.0.name }}");
        check("{nope} {} { name } {name|upper}", "{nope} {} { name } {name|upper}");
        check("{{ name }} {% if name %}{name}{% endif %}", "{{ name }} {% if name %}{{ name }}{% endif %}");
        check("{% for i in items %}{i.name}{% endfor %}", "{% for i in items %}{{ i.name }}{% endfor %}");
        check("{# {name} #}{% raw %}{name}{% endraw %}", "{# {name} #}{% raw %}{name}{% endraw %}");
    }

    #[test]
    fn styles_and_scripts_pass_through() {
        check("<style>p{color:red} {name}</style>{name}", "<style>p{color:red} {name}</style>{{ name }}");
        check("<SCRIPT>{name}</Script>", "<SCRIPT>{name}</Script>");
        check("<style>{name}", "<style>{name}");
        check("p{color:red} ü{name}ü", "p{color:red} ü{{ name }}ü");
    }

    #[test]
    fn positions_lead_back() {
        let source = "a {name} b {name} c";
        let expanded = expand(source, &known);
        for (n, c) in expanded.text.char_indices() {
            if c.is_alphabetic() {
                assert_eq!(source[expanded.source_offset(n)..].chars().next(), Some(c), "{n}");
            }
        }
        let loose = expand("x {nmae} y", &known).loose;
        assert_eq!(loose, [("nmae".to_owned(), TextRange::new(2, 8))]);
    }

    #[test]
    fn rule_form() {
        for (source, expected) in [
            ("{cart} > {threshold} AND {hours} < 24h", "cart > threshold  and  hours  < 24 "),
            (
                "If {cart_value} > {threshold} AND {time_since_visit} < 24h",
                "cart_value > threshold and time_since_visit < 24",
            ),
            ("If a = 'x=AND h' or NOT b", "a == 'x=AND h' or not b"),
            ("a == 1 and b != 2 and c >= 3 and d <> 4", "a == 1 and b != 2 and c >= 3 and d != 4"),
        ] {
            let text = expand_condition(source).text;
            assert_eq!(text.split_whitespace().collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>());
        }
        let expanded = expand_condition("a = b");
        assert_eq!(expanded.text, "a == b");
        assert_eq!(expanded.source_offset(5), 4);
    }
}
