//! Byte ranges in source texts, and their lines and columns for people.

use serde::{Deserialize, Serialize};

/// Half-open byte range `start..end` in a source text; serialised as `[start, end]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(from = "[usize; 2]", into = "[usize; 2]")]
pub struct TextRange {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl TextRange {
    /// A range; `end` is raised to `start` where it lies before it.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The same range moved right by `by` bytes.
    #[must_use]
    pub fn offset(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }

    /// The text it covers, clipped to character boundaries inside `source`.
    pub fn slice(self, source: &str) -> &str {
        source.get(self.start..self.end.min(source.len())).unwrap_or("")
    }
}

impl From<[usize; 2]> for TextRange {
    fn from([start, end]: [usize; 2]) -> Self {
        Self::new(start, end)
    }
}

impl From<TextRange> for [usize; 2] {
    fn from(range: TextRange) -> Self {
        [range.start, range.end]
    }
}

/// Line and column of a byte offset, both from 1; columns count characters.
pub fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let before = &source[..end];
    let line_number = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (line_number, before[line_start..].chars().count() + 1)
}

/// Byte offset of a line and column (both from 1, columns in characters), clipped to the text.
pub fn offset_of(source: &str, line_number: usize, column_number: usize) -> usize {
    let line_start = if line_number <= 1 {
        0
    } else {
        source.match_indices('\n').nth(line_number - 2).map_or(source.len(), |(at, _)| at + 1)
    };
    source[line_start..]
        .char_indices()
        .nth(column_number.saturating_sub(1))
        .map_or(source.len(), |(at, _)| line_start + at)
}

/// Leads positions of a text that was made from another back to that one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetMap {
    /// (offset in the text, offset in the source) where the distance between the two changes, ascending.
    steps: Vec<(usize, usize)>,
}

impl OffsetMap {
    /// From here on the text goes along with the source from there on.
    pub fn push(&mut self, in_text: usize, in_source: usize) {
        self.steps.push((in_text, in_source));
    }

    /// The source position of a position in the text.
    pub fn source_offset(&self, offset: usize) -> usize {
        let at = self.steps.partition_point(|(out, _)| *out <= offset);
        let Some((out, source)) = at.checked_sub(1).and_then(|at| self.steps.get(at)) else { return offset };
        let moved = source + (offset - out);
        // Inside what was put in, the next part's start is the nearest source position.
        self.steps.get(at).map_or(moved, |(_, next)| moved.min(*next))
    }
}

/// The source line around a range with the range underlined, as two lines for a terminal.
///
/// Lines over 160 characters are cut around the mark, so that a hostile file cannot flood the terminal.
pub fn underline(source: &str, range: TextRange) -> String {
    let (_, column_number) = line_and_column(source, range.start);
    let mut at = range.start.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let line_start = source[..at].rfind('\n').map_or(0, |n| n + 1);
    let line_end = source[at..].find('\n').map_or(source.len(), |n| at + n);
    let line = &source[line_start..line_end];
    let width = source.get(range.start..range.end.min(line_end)).map_or(1, |t| t.chars().count()).max(1);
    let skip = column_number.saturating_sub(80);
    let shown: String = line.chars().skip(skip).take(160).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let indent = " ".repeat(column_number - 1 - skip);
    format!("{shown}\n{indent}{}", "^".repeat(width.min(160usize.saturating_sub(indent.len()).max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns() {
        let text = "ab\nüx\n";
        for (offset, expected) in [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (2, 2)), (4, (2, 1)), (99, (3, 1))] {
            assert_eq!(line_and_column(text, offset), expected, "{offset}");
        }
        assert_eq!(offset_of(text, 2, 2), 5);
        assert_eq!(offset_of(text, 9, 9), text.len());
    }

    #[test]
    fn underlines_the_range() {
        assert_eq!(underline("one\ntwo three\n", TextRange::new(8, 13)), "two three\n    ^^^^^");
    }
}
