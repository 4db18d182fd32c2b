//! The texts inside a piece of RON, each with the way to it and its place, so that a part of one can be replaced and
//! all else stays letter by letter.
//!
//! The one idea: what is written in a file is the truth, comments and unknown content included, so ids and names are
//! changed in the text and never by printing a value anew. Deliberately not here: what the texts mean.

use std::ops::Range;

/// A text in RON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Literal {
    /// Names and places in lists that lead to it, with dots: `any.0.filter`, `variants.1.body.3.text`. Names of enum
    /// variants are no part of it.
    pub path: String,
    /// The word before the innermost parentheses around it: `products` in `products(items: "cart")`; may be empty.
    pub owner: String,
    /// Whether it is the key of a map.
    pub is_key: bool,
    /// What it says.
    pub value: String,
    /// The literal with its quotes, in bytes of the RON.
    pub range: Range<usize>,
    /// Byte of the RON for each byte of `value`, and for its end.
    places: Vec<usize>,
}

impl Literal {
    /// Bytes of the RON that write a part of the value.
    pub fn part(&self, part: Range<usize>) -> Range<usize> {
        let last = self.places.last().copied().unwrap_or(self.range.end);
        let at = |n: usize| self.places.get(n).copied().unwrap_or(last);
        at(part.start)..at(part.end)
    }

    /// The last name of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or("")
    }
}

/// A RON text with parts replaced. Parts that overlap an earlier one are left out.
pub fn spliced(ron: &str, mut parts: Vec<(Range<usize>, String)>) -> String {
    parts.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(ron.len() + 64);
    let mut done = 0;
    for (range, text) in parts {
        if let Some(before) = ron.get(done..range.start) {
            out.push_str(before);
            out.push_str(&text);
            done = range.end;
        }
    }
    out.push_str(ron.get(done..).unwrap_or(""));
    out
}

/// A list or a map with further entries behind its own; what stands in it stays letter by letter, comments too.
///
/// `None` where the text is neither.
pub fn appended(ron: &str, entries: &[String]) -> Option<String> {
    let mut walker =
        Walker { ron, at: 0, path: String::new(), word: String::new(), frames: Vec::new(), out: Vec::new() };
    // Where the last thing ends that is neither white space nor comment, and whether it asks for no comma.
    let (mut end, mut is_open) = (0, true);
    let close = loop {
        let (at, depth) = (walker.at, walker.frames.len());
        walker.step()?;
        let c = ron.get(at..)?.chars().next()?;
        if depth == 1 && walker.frames.is_empty() {
            break at;
        }
        if c.is_whitespace() || c == '/' {
            continue;
        }
        if depth == 0 && c != '[' && c != '{' {
            return None;
        }
        (end, is_open) = (walker.at, depth == 0 || (depth == 1 && c == ','));
    };
    let comma = if is_open { "" } else { "," };
    let (before, between) = (ron.get(..end)?, ron.get(end..close)?.trim_end());
    let rows: String = entries.iter().map(|entry| format!("        {entry},\n")).collect();
    Some(format!("{before}{comma}{between}\n{rows}    {}", ron.get(close..)?))
}

/// Every text in a piece of RON, in order. Stops where the text is no RON.
pub fn literals(ron: &str) -> Vec<Literal> {
    let mut walker =
        Walker { ron, at: 0, path: String::new(), word: String::new(), frames: Vec::new(), out: Vec::new() };
    while walker.step().is_some() {}
    walker.out
}

struct Frame {
    open: char,
    /// Length of the path outside it.
    outside: usize,
    /// Place in a list.
    idx: usize,
    /// Whether a map waits for a key.
    wants_key: bool,
    owner: String,
}

struct Walker<'a> {
    ron: &'a str,
    at: usize,
    path: String,
    /// The last word, if nothing came after it.
    word: String,
    frames: Vec<Frame>,
    out: Vec<Literal>,
}

impl Walker<'_> {
    fn step(&mut self) -> Option<()> {
        let rest = self.ron.get(self.at..)?;
        let c = rest.chars().next()?;
        match c {
            _ if c.is_whitespace() => self.at += c.len_utf8(),
            '/' if rest.starts_with("//") => self.at += rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => self.at += comment_len(rest),
            '"' => {
                let (value, places, length) = quoted(rest, self.at)?;
                self.push(value, places, length);
            }
            'r' if raw_len(rest).is_some() => {
                let (hashes, length) = raw_len(rest)?;
                let inner = hashes + 2..length - hashes - 1;
                let value = rest.get(inner.clone())?.to_owned();
                let places = (self.at + inner.start..=self.at + inner.end).collect();
                self.push(value, places, length);
            }
            '\'' => {
                let inside = rest.get(1..)?;
                let skip = if inside.starts_with('\\') { 2 } else { 0 };
                self.at += 1 + skip + inside.get(skip..)?.find('\'')? + 1;
            }
            '(' | '[' | '{' => {
                let owner = std::mem::take(&mut self.word);
                self.frames.push(Frame { open: c, outside: self.path.len(), idx: 0, wants_key: c == '{', owner });
                self.at += 1;
                if c == '[' {
                    self.join("0");
                }
            }
            ')' | ']' | '}' => {
                let frame = self.frames.pop()?;
                self.path.truncate(frame.outside);
                self.word.clear();
                self.at += 1;
            }
            ',' => {
                self.word.clear();
                self.at += 1;
                if let Some(frame) = self.frames.last_mut() {
                    self.path.truncate(frame.outside);
                    frame.idx += 1;
                    frame.wants_key = frame.open == '{';
                    if frame.open == '[' {
                        let idx = frame.idx.to_string();
                        self.join(&idx);
                    }
                }
            }
            ':' => {
                self.at += 1;
                let key = std::mem::take(&mut self.word);
                if let Some(frame) = self.frames.last_mut() {
                    self.path.truncate(frame.outside);
                    frame.wants_key = false;
                    self.join(&key);
                }
            }
            _ => {
                let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-' | '#');
                let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()).max(c.len_utf8());
                self.word = rest[..length].trim_start_matches("r#").to_owned();
                self.at += length;
            }
        }
        Some(())
    }

    fn join(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    fn push(&mut self, value: String, places: Vec<usize>, length: usize) {
        let is_key = self.frames.last().is_some_and(|frame| frame.wants_key);
        self.word = if is_key { value.clone() } else { String::new() };
        let owner =
            self.frames.iter().rev().find(|frame| frame.open == '(').map_or("", |frame| &frame.owner).to_owned();
        let range = self.at..self.at + length;
        self.at += length;
        self.out.push(Literal { path: self.path.clone(), owner, is_key, value, range, places });
    }
}

fn comment_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Number of `#` and length of a raw string at the start of `rest`.
fn raw_len(rest: &str) -> Option<(usize, usize)> {
    let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
    let inner = rest.get(1 + hashes..)?.strip_prefix('"')?;
    let end = inner.find(&format!("\"{}", "#".repeat(hashes)))?;
    Some((hashes, 2 + hashes + end + 1 + hashes))
}

/// Value, places and length of a string at the start of `rest`, which begins with a quote; `at` is its place.
fn quoted(rest: &str, at: usize) -> Option<(String, Vec<usize>, usize)> {
    let mut value = String::new();
    let mut places = Vec::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((n, c)) = chars.next() {
        let meant = match c {
            '"' => {
                places.push(at + n);
                return Some((value, places, n + 1));
            }
            '\\' => match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'x' => {
                    let digits: String = [chars.next()?.1, chars.next()?.1].iter().collect();
                    char::from(u8::from_str_radix(&digits, 16).ok()?)
                }
                'u' => {
                    let mut digits = String::new();
                    chars.next_if(|(_, c)| *c == '{')?;
                    while let Some((_, digit)) = chars.next_if(|(_, c)| *c != '}') {
                        digits.push(digit);
                        if digits.len() > 6 {
                            return None;
                        }
                    }
                    chars.next()?;
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                other => other,
            },
            c => c,
        };
        value.push(meant);
        places.extend(std::iter::repeat_n(at + n, meant.len_utf8()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::ron_options;

    #[track_caller]
    fn check(ron: &str, expected: &[(&str, &str, &str)]) {
        let found = literals(ron);
        let shown: Vec<_> = found.iter().map(|l| (l.path.as_str(), l.owner.as_str(), l.value.as_str())).collect();
        assert_eq!(shown, expected, "{ron}");
        for literal in &found {
            let text = &ron[literal.range.clone()];
            assert_eq!(ron_options().from_str::<String>(text).as_deref(), Ok(literal.value.as_str()), "{text}");
        }
    }

    #[test]
    fn texts_have_their_way() {
        check(
            r#"(salt: "s", arms: [(name: "a"), (name: "b")])"#,
            &[("salt", "", "s"), ("arms.0.name", "", "a"), ("arms.1.name", "", "b")],
        );
        check(
            r#"(any: [event(event: "E", filter: "x"), abandonment(unless: [(event: "P", filter: "y")])])"#,
            &[
                ("any.0.event", "event", "E"),
                ("any.0.filter", "event", "x"),
                ("any.1.unless.0.event", "", "P"),
                ("any.1.unless.0.filter", "", "y"),
            ],
        );
        check(
            r##"(id: "m", body: html(r#"a "b" c"#), /* "no" */ text: Some("t"), c: '"', d: "\"q\"\n\u{e9}\\") // "no""##,
            &[("id", "", "m"), ("body", "html", r#"a "b" c"#), ("text", "Some", "t"), ("d", "", "\"q\"\né\\")],
        );
        check(
            r#"(tracking: {"t": "{c}", "u": "x"}, z: 3)"#,
            &[("tracking", "", "t"), ("tracking.t", "", "{c}"), ("tracking", "", "u"), ("tracking.u", "", "x")],
        );
        check("(a: \"open", &[]);
        check("((((", &[]);
        check(")", &[]);
    }

    #[test]
    fn a_part_is_replaced_and_the_rest_kept() {
        let ron = "(a: /* why */ \"x \\\"mail-1\\\" é mail-1\", b: 2)";
        let found = literals(ron);
        let at = found[0].value.rfind("mail-1").expect("there");
        let part = found[0].part(at..at + 6);
        assert_eq!(&ron[part.clone()], "mail-1");
        assert_eq!(spliced(ron, vec![(part, "m".into())]), "(a: /* why */ \"x \\\"mail-1\\\" é m\", b: 2)");
        assert_eq!(spliced("abc", vec![(1..2, "X".into()), (1..2, "Y".into())]), "aXc");
    }

    #[test]
    fn entries_are_put_behind_the_others() {
        let check = |ron: &str, expected: Option<&str>| {
            assert_eq!(appended(ron, &["new".to_owned()]).as_deref(), expected, "{ron}");
        };
        check("[]", Some("[\n        new,\n    ]"));
        check("[a, b]", Some("[a, b,\n        new,\n    ]"));
        check("{\"a,]\": [1, (x: 2)], // c ]\n}", Some("{\"a,]\": [1, (x: 2)], // c ]\n        new,\n    }"));
        check("[a // last\n]", Some("[a, // last\n        new,\n    ]"));
        check("/* [ */ [ // none\n]", Some("/* [ */ [ // none\n        new,\n    ]"));
        check("(a)", None);
        check("[a", None);
        check("word", None);
    }

    #[test]
    fn any_text_is_survived() {
        let mut rng = crate::testing::Rng::new(5);
        let pieces =
            ["(", ")", "[", "]", "{", "}", "\"", "\\", "r#\"", "\"#", "a", ":", ",", "'", "/*", "*/", "//", "\n", "é"];
        for _ in 0..3_000 {
            let text: String = (0..rng.below(30)).filter_map(|_| rng.pick(&pieces).copied()).collect();
            for literal in literals(&text) {
                assert!(text.get(literal.range.clone()).is_some(), "{text}");
                assert!(text.get(literal.part(0..literal.value.len())).is_some(), "{text}");
            }
        }
    }
}
