//! Rows of a CSV file become contacts, events and responses by the mapping.
//!
//! The one idea: the first rows are looked at, the plan of columns is settled (what the mapping says, and a guess for
//! the rest), and then every row goes through that plan. What many cells of a column have in common is said once.

use std::{collections::VecDeque, io::BufRead};

use smol_str::SmolStr;

use super::{
    fields,
    findings::{At, Fault, Findings, Tally, counted, shorten},
    guess::{self, MOST_GUESS_ROWS},
    lines::MOST_LINE_BYTES,
    mapping::{Column, FileKind, Mapping, Role},
    table::{Row, Table},
};
use crate::{
    audience::{
        Channel, ConsentStatus, Contact, Currency, Event, Properties, Response, ResponseKind, Value, ValueType,
    },
    base::{EventId, FlowId, NodeId, Severity, Span, nearest},
};

/// An event whose id and contact are still as the file had them.
pub(super) struct RawEvent {
    pub event: Event,
    pub has_id: bool,
}

/// Settled columns, and what is counted while rows go through them.
pub(super) struct Plan {
    columns: Vec<Column>,
    decimal_comma: bool,
    currency: Option<Currency>,
    misfits: Vec<Tally>,
    suspicious: Vec<Tally>,
}

/// Reads a table and hands out its rows. `mapping` leaves with the columns as they were used.
pub(super) fn read<R: BufRead>(
    input: R,
    kind: FileKind,
    mapping: &mut Mapping,
    findings: &mut Findings,
    mut each: impl FnMut(&mut Plan, &Row, &mut Findings),
) {
    let Some(mut table) = Table::open(input, findings) else { return };
    let mut first_rows = VecDeque::new();
    let mut num_bytes = 0;
    while first_rows.len() < MOST_GUESS_ROWS && num_bytes < MOST_LINE_BYTES {
        let Some(row) = table.next_row(findings) else { break };
        num_bytes += row.cells.as_slice().len();
        first_rows.push_back(row);
    }
    let Some(mut plan) = Plan::settle(kind, &table.headers, table.separator, &first_rows, mapping, findings) else {
        return;
    };
    while let Some(row) = first_rows.pop_front().or_else(|| table.next_row(findings)) {
        each(&mut plan, &row, findings);
    }
    plan.finish(findings);
}

impl Plan {
    fn settle(
        kind: FileKind,
        headers: &[String],
        separator: u8,
        rows: &VecDeque<Row>,
        mapping: &mut Mapping,
        findings: &mut Findings,
    ) -> Option<Self> {
        let decimal_comma = separator == b';';
        let header_texts: Vec<&str> = headers.iter().map(String::as_str).collect();
        let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.cells.iter().collect()).collect();
        let guessed = guess::columns(kind, &header_texts, &cells, decimal_comma);
        if kind == FileKind::Contacts {
            mapping.looks_like = guess::looks_like(&header_texts).map(str::to_owned);
        }
        let columns = combine(kind, guessed, mapping.columns(kind), &header_texts, findings);
        let has = |role: &Role| columns.iter().any(|column| column.role == *role);
        let missing: Vec<&str> = match kind {
            FileKind::Contacts if has(&Role::Id) || has(&Role::Email) || has(&Role::Phone) => Vec::new(),
            FileKind::Contacts => vec!["id"],
            FileKind::Events => [(Role::Contact, "contact"), (Role::Name, "name"), (Role::Happened, "happened")]
                .iter()
                .filter(|(role, _)| !has(role))
                .map(|(_, name)| *name)
                .collect(),
            FileKind::Responses => {
                [(Role::Contact, "contact"), (Role::Node, "node"), (Role::Response, "response"), (Role::After, "after")]
                    .iter()
                    .filter(|(role, _)| !has(role))
                    .map(|(_, name)| *name)
                    .collect()
            }
        };
        let at = At { line_number: 1, ..At::default() };
        for name in &missing {
            let shown: Vec<String> =
                headers.iter().take(12).map(|header| format!("`{}`", shorten(header, 30))).collect();
            let hint = nearest::nearest(name, header_texts.iter().copied()).map_or_else(
                || {
                    format!(
                        "The columns are {}; name one `{name}`, or say in mapping.ron which one it is",
                        shown.join(", ")
                    )
                },
                |near| {
                    format!("Did you mean `{}`? Name the column `{name}`, or say it in mapping.ron", shorten(near, 30))
                },
            );
            let what = if kind == FileKind::Contacts { "id, e-mail address or phone number" } else { name };
            let message = format!("the {} have no column for {what}", kind.title());
            findings.error(&at, Fault::new("audience/missing-column", message, hint));
        }
        let num_columns = columns.len();
        *mapping.columns_mut(kind) = columns.clone();
        missing.is_empty().then(|| Self {
            columns,
            decimal_comma,
            currency: mapping.default_currency(),
            misfits: vec![Tally::default(); num_columns],
            suspicious: vec![Tally::default(); num_columns],
        })
    }

    /// Says what was counted per column.
    fn finish(self, findings: &mut Findings) {
        for (idx, column) in self.columns.iter().enumerate() {
            let misfit = &self.misfits[idx];
            if misfit.count > 0 {
                let wanted = match &column.role {
                    Role::Property { value_type, .. } => value_type.title(),
                    _ => "JSON object",
                };
                let message = format!(
                    "{} not read as {wanted} (first here: `{}`), kept as text",
                    counted(misfit.count, "cell is", "cells are"),
                    misfit.example
                );
                findings.add(
                    Severity::Warning,
                    &misfit.first.cell(idx, &column.header),
                    Fault::new(
                        "audience/wrong-type",
                        message,
                        "Correct the cells, or give the column the type text in mapping.ron",
                    ),
                );
            }
            let suspicious = &self.suspicious[idx];
            if suspicious.count > 0 {
                let message = format!(
                    "{} like a formula (first here: `{}`), kept as text exactly",
                    counted(suspicious.count, "cell begins", "cells begin"),
                    suspicious.example
                );
                findings.hint(
                    &suspicious.first.cell(idx, &column.header),
                    Fault::new(
                        "audience/suspicious-cell",
                        message,
                        "Harmless here, but a spreadsheet may run it: look where it came from",
                    ),
                );
            }
        }
    }

    /// Puts a cell that is a property, or several, where it belongs.
    fn take_property(&mut self, row: &Row, idx: usize, cell: &str, properties: &mut Properties) {
        match &self.columns[idx].role {
            Role::Property { name, value_type } => {
                let value = fields::cell_value(cell, *value_type, self.currency, self.decimal_comma);
                if value.is_none() {
                    self.misfits[idx].add(&row.at, cell);
                }
                let value = value.unwrap_or_else(|| Value::text(cell));
                if value.value_type() == ValueType::Text && is_suspicious(cell) {
                    self.suspicious[idx].add(&row.at, cell);
                }
                properties.insert(name.clone(), value);
            }
            Role::Properties => match Value::parse_as(cell, ValueType::Object, None) {
                Some(Value::Object(map)) => {
                    for (name, value) in map {
                        properties.entry(name).or_insert(value);
                    }
                }
                _ => {
                    self.misfits[idx].add(&row.at, cell);
                    properties.insert(SmolStr::new_static("properties"), Value::text(cell));
                }
            },
            _ => {}
        }
    }

    fn cells<'r>(&self, row: &'r Row) -> Vec<(usize, Role, &'r str)> {
        self.columns
            .iter()
            .zip(row.cells.iter())
            .enumerate()
            .filter(|(_, (column, cell))| column.role != Role::Ignore && !cell.trim().is_empty())
            .map(|(idx, (column, cell))| (idx, column.role.clone(), cell))
            .collect()
    }

    fn at(&self, row: &Row, idx: usize) -> At {
        row.at.cell(idx, &self.columns[idx].header)
    }

    fn note_suspicious(&mut self, row: &Row, idx: usize, cell: &str) {
        if is_suspicious(cell) {
            self.suspicious[idx].add(&row.at, cell);
        }
    }

    /// A contact, or `None` with a finding where the row names none.
    pub fn contact(&mut self, row: &Row, findings: &mut Findings) -> Option<Contact> {
        let mut contact = Contact::new("");
        let mut id = None;
        for (idx, role, cell) in self.cells(row) {
            let read = match role {
                Role::Id => {
                    self.note_suspicious(row, idx, cell);
                    match fields::contact_id(cell) {
                        Ok(found) => id = Some(found),
                        Err(fault) => {
                            findings.error(&self.at(row, idx), fault);
                            return None;
                        }
                    }
                    Ok(())
                }
                Role::Email => fields::email(cell).map(|email| contact.email = Some(email)),
                Role::Phone => fields::phone(cell).map(|phone| contact.phone = Some(phone)),
                Role::Zone => fields::zone(cell).map(|zone| contact.zone = Some(zone)),
                Role::Language => fields::language(cell).map(|language| contact.language = Some(language)),
                Role::Created => fields::instant(cell).map(|at| contact.created_at = Some(at)),
                Role::Consent(channel) => {
                    fields::consent(cell).map(|status| state_consent(&mut contact, channel, status))
                }
                Role::OptOut(channel) => {
                    if fields::says_opted_out(cell) {
                        state_consent(&mut contact, channel, ConsentStatus::Unsubscribed);
                    }
                    Ok(())
                }
                Role::Lists => {
                    self.note_suspicious(row, idx, cell);
                    contact.lists.extend(fields::names_in(cell));
                    Ok(())
                }
                _ => {
                    self.take_property(row, idx, cell, &mut contact.properties);
                    Ok(())
                }
            };
            if let Err(fault) = read {
                findings.warning(&self.at(row, idx), fault);
            }
        }
        let stand_in = || contact.email.as_ref().or(contact.phone.as_ref()).map(|address| fields::stand_in(address));
        match id.or_else(stand_in) {
            Some(id) => {
                contact.id = id;
                Some(contact)
            }
            None => {
                findings.error(
                    &row.at,
                    Fault::new(
                        "audience/no-id",
                        "the contact has neither id nor e-mail address nor phone number; it is left out",
                        "Give every contact an id of its own",
                    ),
                );
                None
            }
        }
    }

    /// An event, or `None` with a finding where something it needs is missing.
    pub fn event(&mut self, row: &Row, findings: &mut Findings) -> Option<RawEvent> {
        let (mut id, mut contact, mut name, mut happened, mut accepted) = (None, None, None, None, None);
        let mut properties = Properties::new();
        for (idx, role, cell) in self.cells(row) {
            match role {
                Role::Id => {
                    self.note_suspicious(row, idx, cell);
                    id = Some(EventId::new(fields::without_text_mark(cell.trim())));
                }
                Role::Contact => contact = Some(fields::contact_id(cell).map_err(|fault| (idx, fault))),
                Role::Name => {
                    self.note_suspicious(row, idx, cell);
                    name = Some(SmolStr::new(cell.trim()));
                }
                Role::Happened => happened = Some(fields::instant(cell).map_err(|fault| (idx, fault))),
                Role::Accepted => match fields::instant(cell) {
                    Ok(at) => accepted = Some(at),
                    Err(fault) => findings.warning(&self.at(row, idx), fault),
                },
                _ => self.take_property(row, idx, cell, &mut properties),
            }
        }
        let contact = self.needed(row, Role::Contact, contact, findings);
        let name = self.needed(row, Role::Name, name.map(Ok), findings);
        let happened = self.needed(row, Role::Happened, happened, findings);
        let happened = happened?;
        let has_id = id.is_some();
        let event = Event {
            id: id.unwrap_or_else(|| EventId::new("")),
            contact: contact?,
            name: name?,
            happened,
            accepted: accepted.unwrap_or(happened),
            properties,
        };
        Some(RawEvent { event, has_id })
    }

    /// A response, or `None` with a finding.
    pub fn response(&mut self, row: &Row, findings: &mut Findings) -> Option<Response> {
        let (mut contact, mut flow, mut node, mut response, mut after, mut link) = (None, None, None, None, None, None);
        for (idx, role, cell) in self.cells(row) {
            let text = cell.trim();
            match role {
                Role::Contact => contact = Some(fields::contact_id(cell).map_err(|fault| (idx, fault))),
                Role::Flow => flow = Some(FlowId::new(text)),
                Role::Node => node = Some(Ok(NodeId::new(text))),
                Role::Response => response = Some(response_kind(text).map_err(|fault| (idx, fault))),
                Role::After => after = Some(span(text).map_err(|fault| (idx, fault))),
                Role::Link => link = Some(SmolStr::new(text)),
                _ => {}
            }
        }
        let contact = self.needed(row, Role::Contact, contact, findings);
        let node = self.needed(row, Role::Node, node, findings);
        let response = self.needed(row, Role::Response, response, findings);
        let after = self.needed(row, Role::After, after, findings);
        Some(Response { contact: contact?, flow, node: node?, response: response?, after: after?, link })
    }

    fn needed<T>(
        &self,
        row: &Row,
        role: Role,
        found: Option<Result<T, (usize, Fault)>>,
        findings: &mut Findings,
    ) -> Option<T> {
        match found {
            Some(Ok(value)) => Some(value),
            Some(Err((idx, fault))) => {
                findings.error(&self.at(row, idx), fault);
                None
            }
            None => {
                let idx = self.columns.iter().position(|column| column.role == role);
                let at = idx.map_or_else(|| row.at.clone(), |idx| self.at(row, idx));
                let message = format!("the cell for {} is empty; the row is left out", role.title());
                findings.error(&at, Fault::new("audience/missing-value", message, "Fill the cell"));
                None
            }
        }
    }
}

/// What the mapping says, in the order of the file; columns it does not know are guessed.
fn combine(
    kind: FileKind,
    guessed: Vec<Column>,
    wanted: &[Column],
    headers: &[&str],
    findings: &mut Findings,
) -> Vec<Column> {
    let mut columns = guessed;
    let at = At { line_number: 1, ..At::default() };
    if !wanted.is_empty() {
        let mut used = vec![false; wanted.len()];
        let mut known = vec![false; columns.len()];
        for (idx, column) in columns.iter_mut().enumerate() {
            let found = wanted.iter().zip(&used).position(|(column, used)| !used && column.header == headers[idx]);
            if let Some(found) = found {
                used[found] = true;
                known[idx] = true;
                column.role = if wanted[found].role.fits(kind) { wanted[found].role.clone() } else { Role::Ignore };
            }
        }
        for idx in 0..columns.len() {
            if known[idx] {
                continue;
            }
            let role = columns[idx].role.clone();
            let is_taken =
                !role.may_repeat() && columns.iter().zip(&known).any(|(column, known)| *known && column.role == role);
            if is_taken {
                columns[idx].role = Role::Ignore;
            }
            let message = format!("the mapping does not know this column; taken as {}", columns[idx].role.title());
            let hint = "Save the mapping to keep it so, or correct it in mapping.ron";
            findings.hint(&at.cell(idx, headers[idx]), Fault::new("audience/new-column", message, hint));
        }
        for (column, _) in wanted.iter().zip(&used).filter(|(column, used)| !**used && column.role != Role::Ignore) {
            let hint = nearest::nearest(&column.header, headers.iter().copied()).map_or_else(
                || "Correct the header in mapping.ron, or take the line out".to_owned(),
                |near| format!("Did you mean `{}`?", shorten(near, 40)),
            );
            let message =
                format!("the mapping names a column `{}` that the file does not have", shorten(&column.header, 40));
            findings.warning(&at, Fault::new("audience/missing-column", message, hint));
        }
    }
    for idx in 1..columns.len() {
        let role = columns[idx].role.clone();
        if !role.may_repeat() && columns[..idx].iter().any(|column| column.role == role) {
            let message = format!("another column is {} already; this one is not read", role.title());
            findings.warning(
                &at.cell(idx, headers[idx]),
                Fault::new("audience/bad-mapping", message, "Give one of the two another role in mapping.ron"),
            );
            columns[idx].role = Role::Ignore;
        }
    }
    columns
}

fn state_consent(contact: &mut Contact, channel: Channel, status: ConsentStatus) {
    let both = fields::stricter(contact.consent.on(channel), status);
    contact.consent.set(channel, both);
}

/// Whether a spreadsheet might run the cell as a formula. Source: OWASP, "CSV Injection".
fn is_suspicious(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
        && cell.trim() != "-"
        && !fields::is_phone_like(cell.trim())
        && cell.trim().replace(',', ".").parse::<f64>().is_err()
}

/// The kind of response, or a fault with the nearest word.
pub(super) fn response_kind(text: &str) -> Result<ResponseKind, Fault> {
    let word = text.to_ascii_lowercase();
    ResponseKind::ALL.into_iter().find(|kind| kind.name() == word).ok_or_else(|| {
        Fault::new(
            "audience/unknown-response",
            format!("`{}` is not a response; the line is left out", shorten(text, 40)),
            nearest::hint(text, ResponseKind::ALL.iter().map(|kind| kind.name())),
        )
    })
}

/// A span that does not go back.
pub(super) fn span(text: &str) -> Result<Span, Fault> {
    let span = Span::parse(text).map_err(|why| Fault::new("audience/bad-span", why, "The line is left out"))?;
    if span.about_millis() < 0 {
        return Err(Fault::new(
            "audience/bad-span",
            format!("`{}` goes back in time; the line is left out", shorten(text, 40)),
            "Write how long after the hand-over, such as 2 h",
        ));
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicious_cells() {
        for (cell, expected) in [
            ("=HYPERLINK(\"http://x\")", true),
            ("+cmd|' /C calc'!A0", true),
            ("@SUM(1)", true),
            ("\tx", true),
            ("-2+3", true),
            ("-12.50", false),
            ("-12,50", false),
            ("+49 30 123456", false),
            ("-", false),
            ("a=b", false),
        ] {
            assert_eq!(is_suspicious(cell), expected, "{cell:?}");
        }
    }
}
