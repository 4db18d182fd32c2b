//! Lines of a file, one at a time and never longer than a bound.
//!
//! The one idea: a reader hands out bytes as they come, so a file of any size needs the memory of one line; a line
//! over the bound is passed over without being kept. Byte order marks and line ends never reach the caller.

use std::io::{self, BufRead};

use super::findings::{At, Fault, Findings};
use crate::base::TextRange;

/// Longest line (and longest CSV record) that is read, in bytes. Source: assumption; a contact with a thousand
/// properties stays under a tenth of it.
pub(crate) const MOST_LINE_BYTES: usize = 1 << 20;

/// One line without its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// From 1.
    pub number: u64,
    /// Byte of its first character in the file.
    pub offset: u64,
    /// What it holds; empty where it was too long.
    pub bytes: Vec<u8>,
    /// Longer than [`MOST_LINE_BYTES`].
    pub too_long: bool,
    /// Ended by a line end rather than by the end of the file.
    pub ended: bool,
}

impl Line {
    pub fn at(&self) -> At {
        let start = self.offset as usize;
        let range = TextRange::new(start, start.saturating_add(self.bytes.len()));
        At { line_number: self.number, range: Some(range), ..At::default() }
    }
}

/// Hands out the lines of a reader.
pub(crate) struct Lines<R> {
    input: R,
    next_number: u64,
    offset: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Self { input, next_number: 1, offset: 0 }
    }

    /// The next line with `\n` cut off, and `\r` left where it is; `None` at the end of the file.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Line { number: self.next_number, offset: self.offset, ..Line::default() };
        let mut read_any = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            read_any = true;
            let end = chunk.iter().position(|b| *b == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            if !line.too_long {
                if line.bytes.len() + part.len() > MOST_LINE_BYTES {
                    line.too_long = true;
                    line.bytes = Vec::new();
                } else {
                    line.bytes.extend_from_slice(part);
                }
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            self.offset += used as u64;
            if end.is_some() {
                line.ended = true;
                break;
            }
        }
        if !read_any {
            return Ok(None);
        }
        if line.number == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
            line.bytes.drain(..3);
            line.offset += 3;
        }
        self.next_number += 1;
        Ok(Some(line))
    }

    /// The next line, or `None` at the end and, said as a finding, where reading fails.
    pub fn next_or_say(&mut self, findings: &mut Findings) -> Option<Line> {
        match self.next_line() {
            Ok(line) => line,
            Err(error) => {
                findings.error(&At { line_number: self.next_number, ..At::default() }, unreadable(&error));
                None
            }
        }
    }
}

/// The fault of a reader that gave up.
pub(crate) fn unreadable(error: &io::Error) -> Fault {
    Fault::new(
        "audience/unreadable",
        format!("the file could not be read on: {error}"),
        "What was read up to here is used; check the disk or copy the file again",
    )
}

/// The fault of a line that is longer than the bound.
pub(crate) fn too_long() -> Fault {
    Fault::new(
        "audience/line-too-long",
        "the line is longer than 1 MB and is left out",
        "Write one record per line; check that the line ends were not lost",
    )
}

/// The text of a line, or the fault in its bytes with the column (in characters, from 1).
pub(crate) fn as_text(bytes: &[u8]) -> Result<&str, (usize, Fault)> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or("");
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or(0);
            return Err((
                good.chars().count() + 1,
                Fault::new(
                    "audience/not-utf8",
                    format!("the byte {byte:#04x} is not UTF-8; the line is left out"),
                    "Save the file again as UTF-8 (in spreadsheets: \"CSV UTF-8\")",
                ),
            ));
        }
    };
    match text.find('\0') {
        None => Ok(text),
        Some(at) => Err((
            text[..at].chars().count() + 1,
            Fault::new(
                "audience/nul-byte",
                "there is a NUL byte; the line is left out",
                "Export the file again; it was damaged, or it is not a text file",
            ),
        )),
    }
}

/// A fault that makes the whole file unfit, seen in its first bytes: UTF-16, or a file that is no text at all.
pub(crate) fn not_text(first_line: &[u8]) -> Option<Fault> {
    let starts = |magic: &[u8]| first_line.starts_with(magic);
    if starts(b"\xff\xfe") || starts(b"\xfe\xff") {
        return Some(Fault::new(
            "audience/not-utf8",
            "the file is UTF-16",
            "Save it again as UTF-8 (in spreadsheets: \"CSV UTF-8\")",
        ));
    }
    if starts(b"PK\x03\x04") {
        return Some(Fault::new(
            "audience/not-text",
            "the file is a ZIP archive or a spreadsheet workbook, not text",
            "Unpack it, or export the sheet as CSV in UTF-8",
        ));
    }
    if starts(b"\x1f\x8b") {
        return Some(Fault::new("audience/not-text", "the file is compressed (gzip)", "Unpack it first"));
    }
    None
}
