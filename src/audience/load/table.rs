//! CSV as a stream of rows: separator found, records bounded, broken ones named and passed over.
//!
//! The one idea: [`Records`] stands between the file and the `csv` crate and lets only whole, bounded, clean records
//! through. It follows quotes by the same rule as the crate, so each record it lets through comes out as one row, and
//! the line numbers it notes match. Deliberately not here: what the columns mean.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, BufRead, Read},
    rc::Rc,
};

use csv::StringRecord;

use super::{
    findings::{At, Fault, Findings, counted},
    lines::{Line, Lines, MOST_LINE_BYTES, as_text, not_text, too_long, unreadable},
};
use crate::base::TextRange;

/// Most columns of a table. Source: assumption; the widest platform export has some hundreds.
const MOST_COLUMNS: usize = 2_000;
/// After so many quotes that never close, the file is given up: each one costs a second look at up to 1 MB.
const MOST_OPEN_QUOTES: usize = 50;

/// A row with its place.
pub(super) struct Row {
    pub at: At,
    pub cells: StringRecord,
}

/// A table whose header has been read.
pub(super) struct Table<R: BufRead> {
    pub headers: Vec<String>,
    /// `,`, `;` or tab.
    pub separator: u8,
    reader: csv::Reader<Records<R>>,
    shared: Rc<RefCell<Shared>>,
}

#[derive(Default)]
struct Shared {
    starts: VecDeque<At>,
    faults: Vec<(At, Fault)>,
}

impl<R: BufRead> Table<R> {
    /// Reads the header. `None`, with a finding, where there is none or the file is no table.
    pub fn open(input: R, findings: &mut Findings) -> Option<Self> {
        let mut lines = Lines::new(input);
        let mut separator = None;
        let first = loop {
            let line = lines.next_or_say(findings)?;
            if let Some(fault) = not_text(&line.bytes) {
                findings.error(&At::default(), fault);
                return None;
            }
            if line.too_long {
                findings.error(&line.at(), too_long());
                return None;
            }
            let trimmed = line.bytes.trim_ascii();
            // Spreadsheets write `sep=;` as a first line for themselves.
            if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark] = trimmed {
                separator = Some(*mark);
            } else if !trimmed.is_empty() {
                break line;
            }
        };
        let body = first.bytes.strip_suffix(b"\r").unwrap_or(&first.bytes);
        if body.contains(&b'\r') && !body.contains(&b'"') {
            findings.error(
                &first.at(),
                Fault::new(
                    "audience/bad-line-ends",
                    "the lines end in a carriage return alone",
                    "Save the file with line ends LF or CRLF",
                ),
            );
            return None;
        }
        let separator = separator.filter(|mark| matches!(mark, b',' | b';' | b'\t')).unwrap_or(separator_of(body));
        let shared = Rc::new(RefCell::new(Shared::default()));
        let records = Records {
            lines,
            again: VecDeque::from([first]),
            separator,
            shared: Rc::clone(&shared),
            out: Vec::new(),
            out_at: 0,
            num_open_quotes: 0,
            finished: false,
        };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .terminator(csv::Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(records);
        let mut table = Self { headers: Vec::new(), separator, reader, shared };
        let header = table.next_record(findings)?;
        if header.cells.len() > MOST_COLUMNS {
            findings.error(
                &header.at,
                Fault::new(
                    "audience/too-many-columns",
                    format!("the header has {} columns, more than {MOST_COLUMNS}", header.cells.len()),
                    "Check that the line ends were not lost, and export fewer columns",
                ),
            );
            return None;
        }
        table.headers = header.cells.iter().map(|cell| cell.trim().to_owned()).collect();
        Some(table)
    }

    /// The next row as wide as the header; empty rows are passed over, too long ones are findings.
    pub fn next_row(&mut self, findings: &mut Findings) -> Option<Row> {
        loop {
            let mut row = self.next_record(findings)?;
            if row.cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let (num_cells, width) = (row.cells.len(), self.headers.len());
            if num_cells > width && row.cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
                findings.error(
                    &row.at,
                    Fault::new(
                        "audience/ragged-row",
                        format!(
                            "the row has {}, the header has {width}; it is left out",
                            counted(num_cells, "cell", "cells")
                        ),
                        "Put cells that contain the separator or a line end into double quotes",
                    ),
                );
                continue;
            }
            if num_cells > width {
                row.cells.truncate(width);
            } else if num_cells < width {
                findings.warning(
                    &row.at,
                    Fault::new(
                        "audience/ragged-row",
                        format!(
                            "the row has {}, the header has {width}; the missing ones count as empty",
                            counted(num_cells, "cell", "cells")
                        ),
                        "Fill the row up with separators",
                    ),
                );
                for _ in num_cells..width {
                    row.cells.push_field("");
                }
            }
            return Some(row);
        }
    }

    fn next_record(&mut self, findings: &mut Findings) -> Option<Row> {
        let mut cells = StringRecord::new();
        let read = self.reader.read_record(&mut cells);
        let mut shared = self.shared.borrow_mut();
        for (at, fault) in shared.faults.drain(..) {
            findings.error(&at, fault);
        }
        match read {
            Ok(true) => Some(Row { at: shared.starts.pop_front().unwrap_or_default(), cells }),
            Ok(false) => None,
            Err(error) => {
                // Bytes were checked before, so only the reader below can fail.
                let at = shared.starts.pop_front().unwrap_or_default();
                let fault = match error.kind() {
                    csv::ErrorKind::Io(error) => unreadable(error),
                    _ => unreadable(&io::Error::other("a record is broken")),
                };
                findings.error(&at, fault);
                None
            }
        }
    }
}

/// The separator that stands most often in the header, outside quotes; a comma where there is none.
fn separator_of(header: &[u8]) -> u8 {
    let mut counts = [0_usize; 3];
    let marks = [b',', b';', b'\t'];
    let mut quoted = false;
    for byte in header {
        if *byte == b'"' {
            quoted = !quoted;
        } else if !quoted && let Some(idx) = marks.iter().position(|mark| mark == byte) {
            counts[idx] += 1;
        }
    }
    let mut best = 0;
    for idx in 1..marks.len() {
        if counts[idx] > counts[best] {
            best = idx;
        }
    }
    marks[best]
}

/// Whole records only, as bytes for the `csv` crate.
struct Records<R> {
    lines: Lines<R>,
    again: VecDeque<Line>,
    separator: u8,
    shared: Rc<RefCell<Shared>>,
    out: Vec<u8>,
    out_at: usize,
    num_open_quotes: usize,
    finished: bool,
}

/// Where in a record the scan stands; the rule of the `csv` crate: a quote opens a cell only as its first byte.
#[derive(Clone, Copy, PartialEq)]
enum Scan {
    CellStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

impl<R: BufRead> Records<R> {
    fn next_line(&mut self) -> io::Result<Option<Line>> {
        match self.again.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next_line(),
        }
    }

    fn say(&self, at: At, fault: Fault) {
        self.shared.borrow_mut().faults.push((at, fault));
    }

    /// Fills `out` with the next good record; false at the end.
    fn fetch(&mut self) -> io::Result<bool> {
        loop {
            if self.finished {
                return Ok(false);
            }
            let Some(first) = self.next_line()? else { return Ok(false) };
            if first.too_long {
                self.say(first.at(), too_long());
                continue;
            }
            let mut at = first.at();
            let mut record = first.bytes;
            let mut rest: Vec<Line> = Vec::new();
            let Scanned { mut scan, opened: mut open_column, after_quote } =
                scan_line(Scan::CellStart, self.separator, &record);
            let mut stray = after_quote.map(|column| at.column(column));
            let open_line_number = first.number;
            let mut closed = scan != Scan::Quoted;
            while !closed {
                let Some(line) = self.next_line()? else { break };
                if line.too_long || record.len() + line.bytes.len() >= MOST_LINE_BYTES {
                    rest.push(line);
                    break;
                }
                record.push(b'\n');
                record.extend_from_slice(&line.bytes);
                let scanned = scan_line(Scan::Quoted, self.separator, &line.bytes);
                scan = scanned.scan;
                open_column = scanned.opened.or(open_column);
                stray = stray.or_else(|| scanned.after_quote.map(|column| line.at().column(column)));
                rest.push(line);
                closed = scan != Scan::Quoted;
            }
            if !closed {
                self.num_open_quotes += 1;
                let whole = if self.num_open_quotes >= MOST_OPEN_QUOTES {
                    self.finished = true;
                    "; too many of these, reading stops here"
                } else {
                    "; the line is left out"
                };
                let message = format!("a quote is opened in the record that begins here and is never closed{whole}");
                at.column_number = open_column.filter(|_| open_line_number == at.line_number);
                self.say(
                    at,
                    Fault::new(
                        "audience/open-quote",
                        message,
                        "Close the cell with a double quote; write a quote inside a cell as two",
                    ),
                );
                // The lines after the first are looked at again: most likely they are good records.
                for line in rest.into_iter().rev() {
                    self.again.push_front(line);
                }
                continue;
            }
            // What such a cell was to say is a guess, and two readers guess differently.
            if let Some(at) = stray {
                self.say(
                    at,
                    Fault::new(
                        "audience/stray-quote",
                        "text follows the quote that closes a cell; the record is left out",
                        "Write a quote inside a quoted cell as two: \"5\"\" screen\"",
                    ),
                );
                continue;
            }
            if record.last() == Some(&b'\r') {
                record.pop();
            }
            if record.is_empty() {
                continue;
            }
            if let Some(range) = &mut at.range {
                *range = TextRange::new(range.start, range.start.saturating_add(record.len()));
            }
            if let Err((column_number, fault)) = as_text(&record) {
                let at = if rest.is_empty() { at.column(column_number) } else { at };
                self.say(at, fault);
                continue;
            }
            record.push(b'\n');
            self.out = record;
            self.out_at = 0;
            self.shared.borrow_mut().starts.push_back(at);
            return Ok(true);
        }
    }
}

/// What a look at a line found; columns in bytes, from 1.
struct Scanned {
    /// The state after it.
    scan: Scan,
    /// The last quote that opened a cell.
    opened: Option<usize>,
    /// The first text after a quote that closed one.
    after_quote: Option<usize>,
}

fn scan_line(start: Scan, separator: u8, bytes: &[u8]) -> Scanned {
    let mut out = Scanned { scan: start, opened: None, after_quote: None };
    for (idx, byte) in bytes.iter().enumerate() {
        out.scan = match (out.scan, *byte) {
            (Scan::CellStart, b'"') => {
                out.opened = Some(idx + 1);
                Scan::Quoted
            }
            (Scan::Quoted, b'"') => Scan::QuoteInQuoted,
            (Scan::QuoteInQuoted, b'"') | (Scan::Quoted, _) => Scan::Quoted,
            (_, byte) if byte == separator => Scan::CellStart,
            (Scan::QuoteInQuoted, b'\r') if idx + 1 == bytes.len() => Scan::QuoteInQuoted,
            (Scan::QuoteInQuoted, _) => {
                out.after_quote.get_or_insert(idx + 1);
                Scan::Bare
            }
            _ => Scan::Bare,
        };
    }
    out
}

impl<R: BufRead> Read for Records<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.out_at == self.out.len() && !self.fetch()? {
            return Ok(0);
        }
        let part = &self.out[self.out_at..];
        let num_bytes = part.len().min(buffer.len());
        buffer[..num_bytes].copy_from_slice(&part[..num_bytes]);
        self.out_at += num_bytes;
        Ok(num_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `line: a|b`, then findings as `code @ line`.
    fn check(input: &[u8], expected: &[&str]) {
        let mut findings = Findings::new("t.csv");
        let mut shown = Vec::new();
        if let Some(mut table) = Table::open(input, &mut findings) {
            shown.push(format!("1: {}", table.headers.join("|")));
            while let Some(row) = table.next_row(&mut findings) {
                let cells: Vec<&str> = row.cells.iter().collect();
                shown.push(format!("{}: {}", row.at.line_number, cells.join("|")));
            }
        }
        shown.extend(findings.finish().into_iter().map(|d| {
            let head = d.message.split(": ").next().unwrap_or_default().to_owned();
            format!("{} @ {head}", d.code)
        }));
        assert_eq!(shown, expected, "{}", String::from_utf8_lossy(input));
    }

    #[test]
    fn separators_line_ends_and_marks() {
        check(b"a,b\n1,2\n", &["1: a|b", "2: 1|2"]);
        check(b"\xef\xbb\xbfa;b\r\n1;2\r\n\r\n3;4", &["1: a|b", "2: 1|2", "4: 3|4"]);
        check(b"a\tb\n1,5\t2\n", &["1: a|b", "2: 1,5|2"]);
        check(b"sep=;\r\na;b\r\n1;2\r\n", &["1: a|b", "3: 1|2"]);
        check(b"\"a;b\",c\n1,2\n", &["1: a;b|c", "2: 1|2"]);
    }

    #[test]
    fn quotes() {
        check(b"a,b\n\"x\ny\",2\n3,4\n", &["1: a|b", "2: x\ny|2", "4: 3|4"]);
        check(b"a,b\n\"say \"\"hi\"\"\",2\n", &["1: a|b", "2: say \"hi\"|2"]);
        check(b"a,b\n5\" screen,2\n", &["1: a|b", "2: 5\" screen|2"]);
        check(b"a,b\n\"x\"\r\n", &["1: a|b", "2: x|", "audience/ragged-row @ t.csv, line 2"]);
        check(b"a,b\r\n\"x\",\"y\"\r\n", &["1: a|b", "2: x|y"]);
    }

    #[test]
    fn text_after_a_closing_quote_is_not_guessed_at() {
        check(b"a,b\n1,\"5\" screen\"\n3,4\n", &["1: a|b", "3: 3|4", "audience/stray-quote @ t.csv, line 2, column 6"]);
        check(b"a,b\n1,\"x\ny\"z\n3,4\n", &["1: a|b", "4: 3|4", "audience/stray-quote @ t.csv, line 3, column 3"]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_one_line() {
        check(
            b"a,b\n1,2\n3,\"4\n5,6\n7,8\n",
            &["1: a|b", "2: 1|2", "4: 5|6", "5: 7|8", "audience/open-quote @ t.csv, line 3, column 3"],
        );
    }

    #[test]
    fn bad_bytes() {
        check(
            b"a,b\n1,\xff\n2,\0\n3,4\n",
            &[
                "1: a|b",
                "4: 3|4",
                "audience/not-utf8 @ t.csv, line 2, column 3",
                "audience/nul-byte @ t.csv, line 3, column 3",
            ],
        );
        check(b"\xff\xfea\0,\0b\0", &["audience/not-utf8 @ t.csv"]);
        check(b"a,b\r1,2\r", &["audience/bad-line-ends @ t.csv, line 1"]);
        check(b"", &[]);
    }

    #[test]
    fn too_many_cells_and_too_few() {
        check(
            b"a,b\n1,2,3\n4,5,\n6\n",
            &[
                "1: a|b",
                "3: 4|5",
                "4: 6|",
                "audience/ragged-row @ t.csv, line 2",
                "audience/ragged-row @ t.csv, line 4",
            ],
        );
    }

    #[test]
    fn a_long_line_is_passed_over() {
        let mut input = b"a,b\n1,2\n".to_vec();
        input.extend(std::iter::repeat_n(b'x', MOST_LINE_BYTES + 1));
        input.extend(b"\n3,4\n");
        let mut findings = Findings::new("t.csv");
        let mut table = Table::open(input.as_slice(), &mut findings).expect("a header");
        let lines: Vec<u64> =
            std::iter::from_fn(|| table.next_row(&mut findings).map(|row| row.at.line_number)).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!(findings.finish()[0].code, "audience/line-too-long");
    }
}
