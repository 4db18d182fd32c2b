//! What is said about one file: at most fifty findings of each severity, then how many more there were.
//!
//! The one idea: a broken file of a million lines must not become a million messages, and warnings must not push
//! errors out. Findings leave in line order, whatever order they were made in.

use crate::base::{Diagnostic, Place, Severity, TextRange};

/// How many findings of one severity are kept per file. Source: assumption; more than a person reads at once.
pub(crate) const MOST_FINDINGS: usize = 50;

/// Where in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct At {
    /// From 1; 0 stands for the file as a whole.
    pub line_number: u64,
    /// From 1; characters in JSON Lines, cells in CSV.
    pub column_number: Option<usize>,
    /// Name of the CSV column.
    pub header: Option<String>,
    /// Bytes of the line in the file.
    pub range: Option<TextRange>,
}

impl At {
    pub fn column(&self, column_number: usize) -> Self {
        Self { column_number: Some(column_number), header: None, ..self.clone() }
    }

    pub fn cell(&self, column_idx: usize, header: &str) -> Self {
        Self { column_number: Some(column_idx + 1), header: Some(shorten(header, 40)), ..self.clone() }
    }
}

/// Why a value cannot be taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub code: &'static str,
    pub message: String,
    pub hint: String,
}

impl Fault {
    pub fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }
}

/// The findings of one file.
#[derive(Debug)]
pub(crate) struct Findings {
    file: String,
    kept: Vec<(u64, Diagnostic)>,
    num_by_severity: [usize; 3],
}

impl Findings {
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), kept: Vec::new(), num_by_severity: [0; 3] }
    }

    pub fn error(&mut self, at: &At, fault: Fault) {
        self.add(Severity::Error, at, fault);
    }

    pub fn warning(&mut self, at: &At, fault: Fault) {
        self.add(Severity::Warning, at, fault);
    }

    pub fn hint(&mut self, at: &At, fault: Fault) {
        self.add(Severity::Hint, at, fault);
    }

    pub fn add(&mut self, severity: Severity, at: &At, fault: Fault) {
        let num = &mut self.num_by_severity[severity as usize];
        *num += 1;
        if *num > MOST_FINDINGS {
            return;
        }
        let mut place = Place::file(&self.file);
        place.range = at.range;
        let mut head = self.file.clone();
        if at.line_number > 0 {
            head += &format!(", line {}", at.line_number);
        }
        if let Some(column_number) = at.column_number {
            head += &format!(", column {column_number}");
        }
        if let Some(header) = &at.header {
            head += &format!(" `{header}`");
            place.field = Some(header.clone());
        }
        let diagnostic =
            Diagnostic::new(severity, fault.code, place, format!("{head}: {}", fault.message)).hint(fault.hint);
        self.kept.push((at.line_number, diagnostic));
    }

    /// How many findings of a severity another one of them would still be shown.
    pub fn has_room(&self, severity: Severity) -> bool {
        self.num_by_severity[severity as usize] < MOST_FINDINGS
    }

    /// The findings in line order; those about the whole file come first, "and n more" last.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|(line_number, _)| *line_number);
        let mut all: Vec<Diagnostic> = self.kept.into_iter().map(|(_, diagnostic)| diagnostic).collect();
        for (severity, one, many) in [
            (Severity::Error, "error", "errors"),
            (Severity::Warning, "warning", "warnings"),
            (Severity::Hint, "hint", "hints"),
        ] {
            let more = self.num_by_severity[severity as usize].saturating_sub(MOST_FINDINGS);
            if more > 0 {
                let word = if more == 1 { one } else { many };
                let message = format!("{}: and {more} more {word}", self.file);
                all.push(
                    Diagnostic::new(severity, "audience/more-findings", Place::file(&self.file), message)
                        .hint("Repair what is listed, then load the file again"),
                );
            }
        }
        all
    }
}

/// Something that may happen on many lines and is said once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// How often.
    pub count: usize,
    /// Where first.
    pub first: At,
    /// What was there first.
    pub example: String,
}

impl Tally {
    pub fn add(&mut self, at: &At, example: &str) {
        if self.count == 0 {
            self.first = at.clone();
            self.example = shorten(example, 40);
        }
        self.count += 1;
    }
}

/// `1 event`, `3 events`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The first characters of a text from a file, fit for a message: no control characters, "…" where cut.
pub(crate) fn shorten(text: &str, most_chars: usize) -> String {
    let mut shown: String =
        text.chars().take(most_chars).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most_chars).is_some() {
        shown.push('…');
    }
    shown
}
