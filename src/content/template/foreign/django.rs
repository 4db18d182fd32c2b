//! Django's grammar: tags, values with filters, conditions. What a name or filter means is not decided here.
//!
//! Source: Django's documentation, "The Django template language"; references, klaviyo, section 12.

use crate::{
    base::TextRange,
    content::template::tree::{Const, Op, Step},
};

/// A piece of a Django text, in its order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// Text, and what stood in `{% verbatim %}`.
    Raw(&'a str),
    /// `{{ … }}`
    Print { inside: &'a str, range: TextRange },
    /// `{% word rest %}`
    Tag { word: &'a str, rest: &'a str, inside: &'a str, range: TextRange },
}

/// The pieces of a text. Comments are gone; a tag that is never closed is text, as Django has it.
pub(super) fn piece_list(source: &str) -> Vec<Piece<'_>> {
    pieces(source, "verbatim", "endverbatim")
}

/// The same for a language that has other words around text which is not read.
pub(super) fn pieces<'a>(source: &'a str, raw: &str, end_raw: &'static str) -> Vec<Piece<'a>> {
    let mut out = Vec::new();
    let mut text_start = 0;
    let mut at = 0;
    // Delimiters that do not come again, so that many open ones stay cheap.
    let mut gone: Vec<&str> = Vec::new();
    while let Some(step) = source[at..].find('{') {
        let start = at + step;
        let close = match source.as_bytes().get(start + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = start + 1;
                continue;
            }
        };
        let length = if gone.contains(&close) { None } else { source[start + 2..].find(close) };
        let Some(length) = length else {
            gone.push(close);
            at = start + 2;
            continue;
        };
        let end = start + 2 + length + 2;
        let inside = source[start + 2..end - 2].trim();
        if text_start < start {
            out.push(Piece::Raw(&source[text_start..start]));
        }
        at = end;
        text_start = end;
        let range = TextRange::new(start, end);
        match close {
            "}}" => out.push(Piece::Print { inside, range }),
            "%}" => {
                let (word, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
                let rest = rest.trim();
                let until = match word {
                    word if word == raw => Some(end_raw),
                    "comment" => Some("endcomment"),
                    _ => None,
                };
                match until {
                    None => out.push(Piece::Tag { word, rest, inside, range }),
                    Some(until) => {
                        let (body_end, after) = closing(source, end, until, rest);
                        if word == raw && end < body_end {
                            out.push(Piece::Raw(&source[end..body_end]));
                        }
                        at = after;
                        text_start = after;
                    }
                }
            }
            _ => {}
        }
    }
    if text_start < source.len() {
        out.push(Piece::Raw(&source[text_start..]));
    }
    out
}

/// Where the body of a block that is not read ends, and where the text goes on; `name` as in `{% verbatim x %}`.
fn closing(source: &str, from: usize, word: &str, name: &str) -> (usize, usize) {
    let mut at = from;
    while let Some(step) = source[at..].find("{%") {
        let start = at + step;
        // `{%}` opens a tag and does not close it.
        let Some(length) = source[start + 2..].find("%}") else { break };
        let end = start + 2 + length;
        let inside = source[start + 2..end].trim();
        let (found, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        if found == word && (word == "endcomment" || rest.trim() == name) {
            return (start, end + 2);
        }
        at = start + 2;
    }
    (source.len(), source.len())
}

/// What a value begins with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Base {
    Const(Const),
    /// `None`
    Nothing,
    /// Names, indices and keys of `lookup`; the first is the root.
    Path(Vec<Step>),
}

/// A value with its filters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piped<'a> {
    pub base: Base,
    /// The base as it is written, `lookup` included: `person|lookup:'Plan'`.
    pub written: &'a str,
    /// Name and argument.
    pub filters: Vec<(&'a str, Option<Argument>)>,
}

/// What a filter is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    Const(Const),
    /// Another variable.
    Variable,
}

/// Longest chain of steps or filters. Source: assumption; far over what templates have.
const MAX_CHAIN: usize = 40;

/// Reads `name.step|filter:'argument'`.
pub(super) fn piped(text: &str) -> Result<Piped<'_>, String> {
    let parts = split_outside_quotes(text, '|');
    if parts.len() > MAX_CHAIN {
        return Err(format!("it has more than {MAX_CHAIN} filters"));
    }
    let mut parts = parts.into_iter().peekable();
    let (_, first) = parts.next().unwrap_or((0, ""));
    let first = first.trim();
    let mut base = if first == "None" {
        Base::Nothing
    } else if let Some(constant) = constant(first) {
        Base::Const(constant)
    } else {
        let steps: Vec<&str> = first.split('.').collect();
        if steps.len() > MAX_CHAIN || steps.iter().any(|step| !is_name_or_number(step)) {
            return Err(format!("`{first}` is neither a name nor a value"));
        }
        Base::Path(steps.into_iter().map(step).collect())
    };
    let mut written = text.split('|').next().map_or(text, str::trim_end);
    let mut filters = Vec::new();
    for (at, part) in parts {
        let (name, argument) = match split_outside_quotes(part, ':').as_slice() {
            [(_, name)] => (name.trim(), None),
            [(_, name), (from, _), ..] => (name.trim(), Some(part[*from..].trim())),
            [] => ("", None),
        };
        let argument = match argument {
            None => None,
            Some(text) => Some(match constant(text) {
                Some(constant) => Argument::Const(constant),
                None if !text.is_empty() && text.split('.').all(is_name_or_number) => Argument::Variable,
                None => return Err(format!("`{text}` cannot be read as the argument of `{name}`")),
            }),
        };
        match (&mut base, name, &argument) {
            (Base::Path(steps), "lookup", Some(Argument::Const(key))) if filters.is_empty() => {
                steps.push(match key {
                    Const::Text(key) => step(key),
                    Const::Int(n) => Step::Index(*n),
                    _ => return Err("`lookup` takes a name".into()),
                });
                written = text[..at + part.len()].trim_end();
            }
            _ if name.is_empty() || !is_name_or_number(name) => return Err(format!("`{part}` is no filter")),
            _ => filters.push((name, argument)),
        }
    }
    Ok(Piped { base, written: written.trim_start(), filters })
}

fn step(text: &str) -> Step {
    match text.parse::<i64>() {
        Ok(n) if n >= 0 && !text.starts_with('+') => Step::Index(n),
        _ => Step::Name(text.to_owned()),
    }
}

fn is_name_or_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A text in quotes, a number, `True` or `False`.
fn constant(text: &str) -> Option<Const> {
    match text {
        "True" => return Some(Const::Bool(true)),
        "False" => return Some(Const::Bool(false)),
        _ => {}
    }
    let quote = text.chars().next()?;
    if matches!(quote, '\'' | '"') {
        let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
        return Some(Const::Text(unquoted(inside, quote)?));
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    if let Ok(n) = text.parse::<i64>() {
        return Some(Const::Int(n));
    }
    text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Const::Float)
}

/// The inside of a quoted text with its backslashes resolved; `None` where the quote ends in the middle.
fn unquoted(inside: &str, quote: char) -> Option<String> {
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next) if next == quote || next == '\\' => out.push(next),
                Some(next) => out.extend(['\\', next]),
                None => return None,
            },
            c if c == quote => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

/// The parts between separators that stand outside quotes, each with where it begins.
fn split_outside_quotes(text: &str, separator: char) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == separator => {
                out.push((start, &text[start..at]));
                start = at + c.len_utf8();
            }
            None => {}
        }
    }
    out.push((start, &text[start..]));
    out
}

/// Words of a tag: parts between blanks outside quotes, where a blank beside a `|` or `:` does not part.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (at, part) in split_outside_quotes(text, ' ') {
        if part.trim().is_empty() {
            continue;
        }
        let end = at + part.len();
        match out.last_mut() {
            Some((start, before)) if text[*start..*before].ends_with('|') || part.starts_with('|') => *before = end,
            _ => out.push((at, end)),
        }
    }
    out.into_iter().map(|(start, end)| &text[start..end]).collect()
}

/// A condition of `{% if %}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test<'a> {
    Value(Piped<'a>),
    Not(Box<Test<'a>>),
    And(Box<Test<'a>>, Box<Test<'a>>),
    Or(Box<Test<'a>>, Box<Test<'a>>),
    Compare(Op, Piped<'a>, Piped<'a>),
    NotIn(Piped<'a>, Piped<'a>),
}

/// Most words of one condition. Source: assumption; the language's own limit of a tag is 1,000 bytes.
const MAX_WORDS: usize = 400;

/// Reads a condition. Django has no parentheses; `or` binds least, then `and`, `not`, comparisons.
pub(super) fn test(text: &str) -> Result<Test<'_>, String> {
    let words = words(text);
    if words.len() > MAX_WORDS {
        return Err(format!("this condition has more than {MAX_WORDS} words"));
    }
    disjunction(&words)
}

fn disjunction<'a>(words: &[&'a str]) -> Result<Test<'a>, String> {
    let mut all: Option<Test<'a>> = None;
    for term in words.split(|word| *word == "or") {
        let mut parts: Option<Test<'a>> = None;
        for factor in term.split(|word| *word == "and") {
            let part = negation(factor)?;
            parts = Some(match parts {
                None => part,
                Some(before) => Test::And(Box::new(before), Box::new(part)),
            });
        }
        let part = parts.ok_or("a condition is missing")?;
        all = Some(match all {
            None => part,
            Some(before) => Test::Or(Box::new(before), Box::new(part)),
        });
    }
    all.ok_or_else(|| "a condition is missing".into())
}

fn negation<'a>(words: &[&'a str]) -> Result<Test<'a>, String> {
    let num_nots = words.iter().take_while(|word| **word == "not").count();
    let inner = comparison(&words[num_nots..])?;
    // Two negations are none.
    Ok(if num_nots % 2 == 1 { Test::Not(Box::new(inner)) } else { inner })
}

fn comparison<'a>(words: &[&'a str]) -> Result<Test<'a>, String> {
    let op = |word: &str| {
        Some(match word {
            "==" | "=" => Op::Eq,
            "!=" => Op::Ne,
            "<" => Op::Lt,
            "<=" => Op::Le,
            ">" => Op::Gt,
            ">=" => Op::Ge,
            "in" => Op::In,
            _ => return None,
        })
    };
    match words {
        [value] => Ok(Test::Value(piped(value)?)),
        [left, sign, right] => match op(sign) {
            Some(op) => Ok(Test::Compare(op, piped(left)?, piped(right)?)),
            None => Err(format!("`{sign}` is no comparison")),
        },
        [left, "not", "in", right] => Ok(Test::NotIn(piped(left)?, piped(right)?)),
        [] => Err("a value is missing".into()),
        _ => Err(format!("`{}` cannot be read as one comparison", words.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_pieces(source: &str, expected: &str) {
        let shown: Vec<String> = piece_list(source)
            .iter()
            .map(|piece| match piece {
                Piece::Raw(text) => format!("`{text}`"),
                Piece::Print { inside, range } => {
                    assert!(range.slice(source).contains(inside));
                    format!("<{inside}>")
                }
                Piece::Tag { word, rest, .. } => format!("[{word};{rest}]"),
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{source}");
    }

    #[test]
    fn texts_are_cut_at_tags() {
        check_pieces("a {{ b }} {% if  c == 'd' %}{# no #}e", "`a ` <b> ` ` [if;c == 'd'] `e`");
        check_pieces("{% verbatim %}{{ x }}{% endverbatim %}y", "`{{ x }}` `y`");
        check_pieces("{% verbatim q %}{% endverbatim %}{% endverbatim q %}", "`{% endverbatim %}`");
        check_pieces("{% comment \"why\" %}{{ x }}{% endcomment %}y", "`y`");
        check_pieces("{ {x} {{ open {% open", "`{ {x} {{ open {% open`");
        check_pieces("ü{{ä}}ü", "`ü` <ä> `ü`");
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = match piped(text) {
            Err(why) => why,
            Ok(piped) => {
                let filters: Vec<String> = piped.filters.iter().map(|(name, arg)| format!("{name} {arg:?}")).collect();
                format!("{:?} `{}` {}", piped.base, piped.written, filters.join(", "))
            }
        };
        assert!(shown.contains(expected), "{text}\n{shown}\n{expected}");
    }

    #[test]
    fn values() {
        check("a.b.0", r#"Path([Name("a"), Name("b"), Index(0)]) `a.b.0`"#);
        check(
            "person|lookup:'My | Plan'|default:\"x\"",
            r#"Path([Name("person"), Name("My | Plan")]) `person|lookup:'My | Plan'` default Some(Const(Text("x")))"#,
        );
        check("a | upper | slice:':3'", r#"`a` upper None, slice Some(Const(Text(":3")))"#);
        check("'it\\'s'", r#"Const(Text("it's"))"#);
        check("1.5", "Const(Float(1.5))");
        check("a|default:b.c", "default Some(Variable)");
        check("a + b", "is neither a name");
        check("a|default:'x", "cannot be read as the argument");
        check("", "is neither a name");
    }

    #[track_caller]
    fn check_test(text: &str, expected: &str) {
        fn show(test: &Test<'_>) -> String {
            match test {
                Test::Value(piped) => piped.written.to_owned(),
                Test::Not(of) => format!("!{}", show(of)),
                Test::And(a, b) => format!("({} & {})", show(a), show(b)),
                Test::Or(a, b) => format!("({} | {})", show(a), show(b)),
                Test::Compare(op, a, b) => format!("{} {} {}", a.written, op.sign(), b.written),
                Test::NotIn(a, b) => format!("{} !in {}", a.written, b.written),
            }
        }
        assert_eq!(test(text).as_ref().map_or_else(Clone::clone, show), expected, "{text}");
    }

    #[test]
    fn conditions() {
        check_test("a and not b or c == 'x y'", "((a & !b) | c == 'x y')");
        check_test("event|lookup:'Cart Total' == 0", "event|lookup:'Cart Total' == 0");
        check_test("a not in b", "a !in b");
        check_test("not not a", "a");
        check_test("(a or b)", "`(a` is neither a name nor a value");
        check_test("a and", "a value is missing");
        check_test("", "a value is missing");
    }
}
