//! Loads an audience from JSON Lines and CSV, and writes it as JSON Lines.
//!
//! The one idea: reading goes on. A bad line is a finding with file, line and column and what to do; the rest of the
//! file is still used. Files are streamed, lines over 1 MB are refused, and each file gives at most fifty findings of
//! a severity. Deliberately not here: opening files; callers hand over readers and the names people know them by.

pub(crate) mod fields;
pub(crate) mod findings;
mod guess;
mod json;
pub(crate) mod lines;
mod mapping;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::BufRead,
};

use self::{
    findings::{At, Fault, Findings, MOST_FINDINGS, Tally, counted, shorten},
    rows::RawEvent,
};
pub use self::{
    mapping::{Column, FileKind, Mapping, Role},
    write::{contacts_to_jsonl, events_to_jsonl, responses_to_jsonl},
};
use super::{Audience, Contact, Event, Response, ResponseKind};
use crate::base::{ContactId, Diagnostic, EventId, Severity, hash, nearest};

/// How a file is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One JSON object per line.
    JsonLines,
    /// A table with a header; `,`, `;` or tab between cells.
    Csv,
}

impl Format {
    /// By the end of a file's name, letters in any case; `None` where it says nothing.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// A file to read.
pub struct Source<'a> {
    name: String,
    format: Option<Format>,
    input: Box<dyn BufRead + 'a>,
}

impl<'a> Source<'a> {
    /// `name` is how messages call the file. The format follows from its end, else from its first byte.
    pub fn new(name: impl Into<String>, input: impl BufRead + 'a) -> Self {
        let name = name.into();
        Self { format: Format::of_name(&name), name, input: Box::new(input) }
    }

    /// The same with a format that does not depend on the name.
    #[must_use]
    pub fn with_format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    fn settle_format(&mut self) -> Format {
        self.format.unwrap_or_else(|| {
            // A reader that fails here fails again where it is read, and is reported there.
            let first = self.input.fill_buf().unwrap_or(&[]);
            let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
            if matches!(text.first(), Some(b'{' | b'[')) { Format::JsonLines } else { Format::Csv }
        })
    }
}

/// The files of an audience; each may be missing.
#[derive(Default)]
pub struct AudienceSources<'a> {
    /// Without contacts, those named by the events and responses are made up with nothing but an id.
    pub contacts: Option<Source<'a>>,
    /// What happened.
    pub events: Option<Source<'a>>,
    /// Fixed responses.
    pub responses: Option<Source<'a>>,
    /// What the caller saved; without it the columns of CSV files are guessed.
    pub mapping: Option<Mapping>,
}

/// What loading gave.
#[derive(Debug)]
pub struct Loaded {
    /// The audience, without what could not be read.
    pub audience: Audience,
    /// How the columns of CSV files were read: to be shown, and saved as `audience/mapping.ron`.
    pub mapping: Mapping,
    /// Findings, file by file in line order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Audience {
    /// Loads an audience; see [`load`] for the mapping that was used.
    pub fn load(sources: AudienceSources<'_>) -> (Self, Vec<Diagnostic>) {
        let loaded = load(sources);
        (loaded.audience, loaded.diagnostics)
    }
}

/// Loads an audience: contacts in id order, events in (accepted, file order), responses in file order.
///
/// Of contacts with the same id, and events of a contact with the same id, the first in the file is kept. Events and
/// responses may name their contact by id or by e-mail address; those of unknown contacts are left out. An event
/// without an id gets one from its contact, name, time and properties, so that a second load gives the same.
pub fn load(sources: AudienceSources<'_>) -> Loaded {
    let mut mapping = sources.mapping.unwrap_or_default();
    let mut diagnostics = Vec::new();
    let has_contacts = sources.contacts.is_some();
    let mut contacts = Vec::new();
    if let Some(source) = sources.contacts {
        let mut findings = Findings::new(&source.name);
        contacts = read_contacts(source, &mut mapping, &mut findings);
        diagnostics.extend(findings.finish());
    }
    let mut people = People::new(&contacts, has_contacts);
    let mut events = Vec::new();
    if let Some(source) = sources.events {
        let mut findings = Findings::new(&source.name);
        events = read_events(source, &mut mapping, &mut people, &mut findings);
        diagnostics.extend(findings.finish());
    }
    let mut responses = Vec::new();
    if let Some(source) = sources.responses {
        let mut findings = Findings::new(&source.name);
        responses = read_responses(source, &mut mapping, &mut people, &mut findings);
        diagnostics.extend(findings.finish());
    }
    let made_up: Vec<Contact> = people.made_up.into_keys().map(Contact::new).collect();
    contacts.extend(made_up);
    contacts.sort_by(|a, b| a.id.cmp(&b.id));
    events.sort_by_key(|event| event.accepted);
    Loaded { audience: Audience { contacts, events, responses }, mapping, diagnostics }
}

fn read_contacts(mut source: Source<'_>, mapping: &mut Mapping, findings: &mut Findings) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = Vec::new();
    let mut lines_by_id: HashMap<ContactId, u64> = HashMap::new();
    let mut take = |contact: Option<Contact>, at: &At, findings: &mut Findings| {
        let Some(contact) = contact else { return };
        if let Some(first) = lines_by_id.get(&contact.id) {
            let message = format!(
                "the contact `{}` was on line {first} already; the first one is kept",
                shorten(contact.id.as_str(), 40)
            );
            findings.error(
                at,
                Fault::new("audience/duplicate-contact", message, "Take one of the two out, or give it another id"),
            );
            return;
        }
        lines_by_id.insert(contact.id.clone(), at.line_number);
        contacts.push(contact);
    };
    match source.settle_format() {
        Format::JsonLines => json::read(source.input, findings, |object, unknown_keys, findings| {
            take(object.contact(unknown_keys, findings), &object.at, findings);
        }),
        Format::Csv => rows::read(source.input, FileKind::Contacts, mapping, findings, |plan, row, findings| {
            take(plan.contact(row, findings), &row.at, findings);
        }),
    }
    contacts
}

fn read_events(
    mut source: Source<'_>,
    mapping: &mut Mapping,
    people: &mut People<'_>,
    findings: &mut Findings,
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    // Place among `events`.
    let mut seen: HashMap<(ContactId, EventId), usize> = HashMap::new();
    let (mut unknown, mut doubled, mut early, mut reserved) =
        (Unknown::default(), Tally::default(), Tally::default(), Tally::default());
    let mut take = |raw: Option<RawEvent>, at: &At| {
        let Some(RawEvent { mut event, has_id }) = raw else { return };
        let Some(contact) = people.find(&event.contact) else {
            unknown.add(&event.contact, at);
            return;
        };
        event.contact = contact;
        if !has_id {
            event.id = made_id(&event);
        }
        if let Some(first) = seen.get(&(event.contact.clone(), event.id.clone())).and_then(|at| events.get(*at)) {
            // The same delivered twice is the daily bread of webhooks (SEMANTICS R2); another one of that id is lost.
            let is_redelivery =
                first.name == event.name && first.happened == event.happened && first.properties == event.properties;
            if !is_redelivery {
                doubled.add(at, event.id.as_str());
            }
            return;
        }
        seen.insert((event.contact.clone(), event.id.clone()), events.len());
        if event.happened.since(event.accepted) > MOST_EARLY_MILLIS {
            early.add(at, event.id.as_str());
        }
        if event.name.starts_with('$') && !ResponseKind::ALL.iter().any(|kind| kind.event_name() == event.name) {
            reserved.add(at, &event.name);
        }
        events.push(event);
    };
    match source.settle_format() {
        Format::JsonLines => json::read(source.input, findings, |object, unknown_keys, findings| {
            take(object.event(unknown_keys, findings), &object.at);
        }),
        Format::Csv => rows::read(source.input, FileKind::Events, mapping, findings, |plan, row, findings| {
            take(plan.event(row, findings), &row.at);
        }),
    }
    unknown.finish("event", people, findings);
    for (tally, code, one, many, rest, hint) in [
        (
            &doubled,
            "audience/duplicate-event",
            "event has",
            "events have",
            "an id that another event of the contact had before; the first one is kept",
            "Give every event an id of its own",
        ),
        (
            &early,
            "audience/accepted-early",
            "event was",
            "events were",
            "accepted more than 5 min before it happened",
            "Check the clocks, or whether the two columns are swapped",
        ),
        (
            &reserved,
            "audience/reserved-name",
            "event has",
            "events have",
            "a name that begins with `$`, which is kept for responses",
            "Rename it",
        ),
    ] {
        if tally.count > 0 {
            let message = format!("{} {rest} (first here: `{}`)", counted(tally.count, one, many), tally.example);
            findings.warning(&tally.first, Fault::new(code, message, hint));
        }
    }
    events
}

/// How much earlier than it happened an event may be accepted. Source: SEMANTICS R2, clocks that differ.
const MOST_EARLY_MILLIS: i64 = 5 * 60_000;

fn read_responses(
    mut source: Source<'_>,
    mapping: &mut Mapping,
    people: &mut People<'_>,
    findings: &mut Findings,
) -> Vec<Response> {
    let mut responses = Vec::new();
    let mut unknown = Unknown::default();
    let mut take = |response: Option<Response>, at: &At| {
        let Some(mut response) = response else { return };
        match people.find(&response.contact) {
            Some(contact) => {
                response.contact = contact;
                responses.push(response);
            }
            None => unknown.add(&response.contact, at),
        }
    };
    match source.settle_format() {
        Format::JsonLines => json::read(source.input, findings, |object, unknown_keys, findings| {
            take(object.response(unknown_keys, findings), &object.at);
        }),
        Format::Csv => rows::read(source.input, FileKind::Responses, mapping, findings, |plan, row, findings| {
            take(plan.response(row, findings), &row.at);
        }),
    }
    unknown.finish("response", people, findings);
    responses
}

/// The id of an event that came without one: from all that it says, so that a second load gives the same.
pub(crate) fn made_id(event: &Event) -> EventId {
    let mut said = format!("{}\0{}\0{}", event.contact, event.name, event.happened.as_millis());
    for (name, value) in &event.properties {
        said += &format!("\0{name}\0{}", value.to_json());
    }
    EventId::new(format!("e-{:016x}", hash::chance("event id", &said)))
}

/// Who is known, by id and by address.
struct People<'a> {
    contacts: &'a [Contact],
    ids: HashSet<&'a str>,
    by_email: Option<HashMap<String, &'a ContactId>>,
    closed: bool,
    made_up: BTreeMap<ContactId, ()>,
}

impl<'a> People<'a> {
    fn new(contacts: &'a [Contact], closed: bool) -> Self {
        let ids = contacts.iter().map(|contact| contact.id.as_str()).collect();
        Self { contacts, ids, by_email: None, closed, made_up: BTreeMap::new() }
    }

    fn find(&mut self, named: &ContactId) -> Option<ContactId> {
        if self.ids.contains(named.as_str()) {
            return Some(named.clone());
        }
        if !self.closed {
            self.made_up.insert(named.clone(), ());
            return Some(named.clone());
        }
        if !named.as_str().contains('@') {
            return None;
        }
        let by_email = self.by_email.get_or_insert_with(|| {
            let mut map = HashMap::new();
            for contact in self.contacts {
                if let Some(email) = &contact.email {
                    map.entry(email.to_lowercase()).or_insert(&contact.id);
                }
            }
            map
        });
        by_email.get(&named.as_str().to_lowercase()).map(|id| (*id).clone())
    }

    /// A known id that is spelt nearly the same; only so many are compared, so that a large file stays quick.
    fn nearest(&self, named: &ContactId) -> Option<&'a str> {
        const MOST_COMPARED: usize = 2_000;
        let len = named.as_str().len();
        let candidates = self.contacts.iter().map(|contact| contact.id.as_str());
        nearest::nearest(
            named.as_str(),
            candidates.filter(|id| id.len().abs_diff(len) <= (len / 3).max(1)).take(MOST_COMPARED),
        )
    }
}

/// Contacts that nobody knows, each with its lines.
#[derive(Default)]
struct Unknown {
    by_id: BTreeMap<ContactId, Tally>,
    others: Tally,
}

impl Unknown {
    fn add(&mut self, named: &ContactId, at: &At) {
        if self.by_id.len() < MOST_FINDINGS || self.by_id.contains_key(named) {
            self.by_id.entry(named.clone()).or_default().add(at, named.as_str());
        } else {
            self.others.add(at, named.as_str());
        }
    }

    fn finish(self, word: &str, people: &People<'_>, findings: &mut Findings) {
        for (named, tally) in &self.by_id {
            if !findings.has_room(Severity::Warning) {
                break;
            }
            let lines = counted(tally.count, word, &format!("{word}s"));
            let message = format!("no contact `{}`; {lines} left out", tally.example);
            let hint = people.nearest(named).map_or_else(
                || "Add the contact, or correct the id".to_owned(),
                |near| format!("Did you mean `{}`?", shorten(near, 40)),
            );
            findings.warning(&tally.first, Fault::new("audience/unknown-contact", message, hint));
        }
        if self.others.count > 0 {
            let lines = counted(self.others.count, word, &format!("{word}s"));
            let message = format!("no contact `{}` and others; {lines} more left out", self.others.example);
            findings.warning(
                &self.others.first,
                Fault::new("audience/unknown-contact", message, "Check that contacts and events belong together"),
            );
        }
    }
}
