//! Brackets, commas, strings and comments of a RON text, found without parsing it: for what must be known before RON
//! sees the text, and for finding its parts afterwards.

use std::ops::Range;

use crate::base::{Diagnostic, Place, TextRange, text};

/// Nesting is bounded before RON sees the text, so that a hostile file cannot exhaust the stack.
pub(super) fn bound_depth(source: &str) -> Result<(), Diagnostic> {
    const MOST_DEPTH: usize = 64;
    let mut depth = 0_usize;
    let mut too_deep = None;
    lex(source, |range, kind| match kind {
        Lexeme::Open => {
            depth += 1;
            if depth > MOST_DEPTH && too_deep.is_none() {
                too_deep = Some(range.start);
            }
        }
        Lexeme::Close => depth = depth.saturating_sub(1),
        Lexeme::Comma | Lexeme::Colon | Lexeme::Comment | Lexeme::LongString => {}
    });
    let Some(at) = too_deep else { return Ok(()) };
    let (line, column) = text::line_and_column(source, at);
    Err(Diagnostic::error(
        "file/unreadable",
        Place::default().with_range(TextRange::new(at, at + 1)),
        format!("Nested deeper than {MOST_DEPTH} levels at line {line}, column {column}"),
    )
    .hint("No flow needs that; is the file damaged?"))
}

/// What the brackets, commas and comments outside strings say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lexeme {
    /// An opening bracket.
    Open,
    /// A closing one.
    Close,
    /// Between two parts.
    Comma,
    /// Between a key and its value.
    Colon,
    /// A comment of one line or of several.
    Comment,
    /// A string that goes over several lines.
    LongString,
}

/// Finds them, in order, with their places. Knows just enough of RON for that.
pub(super) fn lex(source: &str, mut found: impl FnMut(Range<usize>, Lexeme)) {
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' => found(at..at + 1, Lexeme::Open),
            b')' | b']' | b'}' => found(at..at + 1, Lexeme::Close),
            b',' => found(at..at + 1, Lexeme::Comma),
            b':' => found(at..at + 1, Lexeme::Colon),
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if bytes[start..at.min(bytes.len())].contains(&b'\n') {
                    found(start..at.min(bytes.len()), Lexeme::LongString);
                }
            }
            b'\'' => {
                // A character: 'x' or '\n'; anything else is RON's to complain about.
                if bytes.get(at + 1) == Some(&b'\\') {
                    at += 3;
                } else if let Some(end) = source[at + 1..].char_indices().nth(1).map(|(n, _)| at + 1 + n)
                    && bytes.get(end) == Some(&b'\'')
                {
                    at = end;
                }
            }
            b'r' if matches!(bytes.get(at + 1), Some(b'"' | b'#')) && !is_word_before(bytes, at) => {
                let hashes = bytes[at + 1..].iter().take_while(|b| **b == b'#').count();
                if bytes.get(at + 1 + hashes) == Some(&b'"') {
                    let close = format!("\"{}", "#".repeat(hashes));
                    let start = at + 2 + hashes;
                    let end = source.get(start..).and_then(|rest| rest.find(&close)).map_or(bytes.len(), |n| start + n);
                    if bytes[start..end].contains(&b'\n') {
                        found(at..end, Lexeme::LongString);
                    }
                    at = end + hashes;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let start = at;
                at = source[at..].find('\n').map_or(bytes.len(), |n| at + n);
                found(start..at, Lexeme::Comment);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let start = at;
                let mut depth = 0_usize;
                while at < bytes.len() {
                    match (bytes[at], bytes.get(at + 1)) {
                        (b'/', Some(b'*')) => {
                            depth += 1;
                            at += 2;
                        }
                        (b'*', Some(b'/')) => {
                            depth -= 1;
                            at += 2;
                            if depth == 0 {
                                break;
                            }
                        }
                        _ => at += 1,
                    }
                }
                found(start..at, Lexeme::Comment);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

fn is_word_before(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

/// Whether a text has nothing but white space and comments.
pub(super) fn is_blank(text: &str) -> bool {
    let mut blank = true;
    let mut until = 0;
    lex(text, |range, kind| {
        blank &= kind == Lexeme::Comment && text[until..range.start].trim().is_empty();
        until = range.end;
    });
    blank && text[until..].trim().is_empty()
}

/// Where the comments outside strings begin.
pub(super) fn comments(source: &str) -> Vec<usize> {
    let mut out = Vec::new();
    lex(source, |range, kind| {
        if kind == Lexeme::Comment {
            out.push(range.start);
        }
    });
    out
}
