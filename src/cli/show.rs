//! How diagnostics look to people: code, place, sentence, source line with a caret, hint.

use std::fmt::Write as _;

use crate::{
    base::{Diagnostic, TextRange, text},
    cli::locate::{self, Parts},
};

/// Text without control characters (line breaks and tabs stay), so that a hostile file cannot steer a terminal.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if (c.is_control() && c != '\n' && c != '\t') || is_invisible(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Direction overrides, which can make a line read as another one. Source: Unicode UAX #9, explicit formatting.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a diagnostic talks about, as far as it was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Path as the user gave it.
    pub path: &'a str,
    /// The file's text.
    pub source: &'a str,
    /// What its parts are.
    pub parts: Parts<'a>,
}

/// One diagnostic as lines for a terminal, with a line break at the end.
pub fn diagnostic(diagnostic: &Diagnostic, context: Context<'_>) -> String {
    let mut out = format!("{}[{}] ", diagnostic.severity, diagnostic.code);
    let found = locate::in_source(&diagnostic.place, context.source, context.parts);
    let path = diagnostic.place.file.as_deref().unwrap_or(context.path);
    // Loaders of audiences say file, line and column in the message itself.
    if !diagnostic.message.starts_with(path) || path.is_empty() {
        out.push_str(&clean(path));
        if let Some(range) = found {
            let (line, column) = text::line_and_column(context.source, range.start);
            let _ = write!(out, ":{line}:{column}");
        }
        let place = diagnostic.place.to_string();
        let _ = write!(out, ": {}{}", clean(&place), if place.is_empty() { "" } else { ": " });
    }
    let _ = writeln!(out, "{}", clean(&diagnostic.message));
    if let Some(range) = found {
        out.push_str(&excerpt(context.source, range));
    }
    if !diagnostic.hint.is_empty() {
        let _ = writeln!(out, "  hint: {}", clean(&diagnostic.hint));
    }
    out
}

/// The source line with its number and the range underlined.
fn excerpt(source: &str, range: TextRange) -> String {
    let (line, _) = text::line_and_column(source, range.start);
    let underlined = text::underline(source, range);
    let mut out = String::new();
    let mut margin = format!("{line:>5} | ");
    for row in underlined.lines() {
        let _ = writeln!(out, "{margin}{}", clean(row));
        margin = "      | ".to_owned();
    }
    out
}

/// `1 error`, `2 errors`, `no errors`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Place;

    #[test]
    fn shows_line_and_caret() {
        let found =
            Diagnostic::error("a/b", Place::default().with_range(TextRange::new(4, 7)), "Bad word").hint("Mend it");
        let context = Context { path: "x.ron", source: "one\ntwo\n", ..Context::default() };
        assert_eq!(
            diagnostic(&found, context),
            "error[a/b] x.ron:2:1: Bad word\n    2 | two\n      | ^^^\n  hint: Mend it\n"
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\nd"), "a\u{fffd}[31mb\u{fffd}c\nd");
    }
}
