//! Brackets and comments of a RON text, found without parsing it: for what must be known before RON sees the text.

use crate::base::{Diagnostic, Place, TextRange, text};

/// Nesting is bounded before RON sees the text, so that a hostile file cannot exhaust the stack.
pub(super) fn bound_depth(source: &str) -> Result<(), Diagnostic> {
    const MOST_DEPTH: usize = 64;
    let mut depth = 0_usize;
    for (at, kind) in lex(source) {
        match kind {
            Lexeme::Open => {
                depth += 1;
                if depth > MOST_DEPTH {
                    let (line, column) = text::line_and_column(source, at);
                    return Err(Diagnostic::error(
                        "file/unreadable",
                        Place::default().with_range(TextRange::new(at, at + 1)),
                        format!("Nested deeper than {MOST_DEPTH} levels at line {line}, column {column}"),
                    )
                    .hint("No flow needs that; is the file damaged?"));
                }
            }
            Lexeme::Close => depth = depth.saturating_sub(1),
            Lexeme::Comment | Lexeme::LongString => {}
        }
    }
    Ok(())
}

/// What stands at a place.
#[derive(PartialEq)]
pub(super) enum Lexeme {
    /// An opening bracket.
    Open,
    /// A closing one.
    Close,
    /// The beginning of a comment.
    Comment,
    /// A string that goes over several lines.
    LongString,
}

/// Brackets and comments outside strings, with their places. Knows just enough of RON for that.
pub(super) fn lex(source: &str) -> Vec<(usize, Lexeme)> {
    let bytes = source.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' => out.push((at, Lexeme::Open)),
            b')' | b']' | b'}' => out.push((at, Lexeme::Close)),
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if bytes[start..at.min(bytes.len())].contains(&b'\n') {
                    out.push((start, Lexeme::LongString));
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
                        out.push((at, Lexeme::LongString));
                    }
                    at = end + hashes;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                out.push((at, Lexeme::Comment));
                at = source[at..].find('\n').map_or(bytes.len(), |n| at + n);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                out.push((at, Lexeme::Comment));
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
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    out
}

fn is_word_before(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

/// Where the comments outside strings begin.
pub(super) fn comments(source: &str) -> Vec<usize> {
    lex(source).into_iter().filter(|(_, kind)| *kind == Lexeme::Comment).map(|(at, _)| at).collect()
}
