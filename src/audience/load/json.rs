//! JSON Lines: one object per line, with fixed names.
//!
//! Contact:
//! `{"id","email","phone","zone","language","created_at","consent":{"email","sms"},"lists":[],"properties":{}}`,
//! event: `{"id","contact","name","happened","accepted","properties":{}}`,
//! response: `{"contact","flow"?,"node","response","after","link"?}`. Other keys of a contact or event become
//! properties; a key that looks like a misspelt one is said.

use std::{collections::BTreeMap, io::BufRead};

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::{
    fields,
    findings::{At, Fault, Findings, Tally, counted, shorten},
    lines::{Lines, as_text, not_text, too_long},
    rows::{RawEvent, response_kind, span},
};
use crate::{
    audience::{Channel, Contact, Event, Properties, Response, Value},
    base::{EventId, FlowId, NodeId, nearest},
};

const CONTACT_KEYS: &[&str] =
    &["id", "email", "phone", "zone", "language", "created_at", "consent", "lists", "properties"];
const EVENT_KEYS: &[&str] = &["id", "contact", "name", "happened", "accepted", "properties"];
const RESPONSE_KEYS: &[&str] = &["contact", "flow", "node", "response", "after", "link"];
/// Of so many different unknown keys the spelling is looked at. Source: assumption; bounds the work per file.
const MOST_UNKNOWN_KEYS: usize = 200;

/// A line that holds an object.
pub(super) struct Object<'a> {
    pub at: At,
    text: &'a str,
    map: Map<String, Json>,
}

/// Keys that are none of the fixed ones, counted over the file.
#[derive(Default)]
pub(super) struct UnknownKeys(BTreeMap<String, Tally>);

/// Reads the lines of a file and hands out the objects.
pub(super) fn read<R: BufRead>(
    input: R,
    findings: &mut Findings,
    mut each: impl FnMut(Object<'_>, &mut UnknownKeys, &mut Findings),
) {
    let mut lines = Lines::new(input);
    let mut unknown_keys = UnknownKeys::default();
    let mut is_first = true;
    while let Some(line) = lines.next_or_say(findings) {
        let at = line.at();
        if is_first && let Some(fault) = not_text(&line.bytes) {
            findings.error(&At::default(), fault);
            return;
        }
        if line.too_long {
            findings.error(&at, too_long());
            continue;
        }
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        let text = match as_text(&line.bytes) {
            Ok(text) => text,
            Err((column_number, fault)) => {
                findings.error(&at.column(column_number), fault);
                is_first = false;
                continue;
            }
        };
        let parsed = serde_json::from_str::<Json>(text);
        if is_first && let Some(fault) = other_layout(text, parsed.is_ok()) {
            findings.error(&at, fault);
            return;
        }
        is_first = false;
        match parsed {
            Ok(Json::Object(map)) => each(Object { at, text, map }, &mut unknown_keys, findings),
            Ok(other) => findings.error(
                &at.column(1),
                Fault::new(
                    "audience/not-an-object",
                    format!("the line holds {}, not an object", kind_of(&other)),
                    "Write one object in braces per line",
                ),
            ),
            Err(error) => {
                let (column_number, fault) = json_fault(&error, text, line.ended);
                findings.error(&at.column(column_number), fault);
            }
        }
    }
    unknown_keys.finish(findings);
}

/// JSON that is not laid out in lines, seen in its first line.
fn other_layout(text: &str, parses: bool) -> Option<Fault> {
    let trimmed = text.trim();
    if trimmed.starts_with('[') {
        return Some(Fault::new(
            "audience/not-json-lines",
            "the file is a JSON array",
            "Write one object per line, without brackets around and commas between them",
        ));
    }
    (!parses && trimmed == "{").then(|| {
        Fault::new(
            "audience/not-json-lines",
            "the objects are spread over several lines",
            "Write each object on one line",
        )
    })
}

fn json_fault(error: &serde_json::Error, text: &str, line_ended: bool) -> (usize, Fault) {
    let mut byte = error.column().saturating_sub(1).min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let column_number = text[..byte].chars().count() + 1;
    let said = error.to_string();
    let why = said.split(" at line ").next().unwrap_or("it cannot be read");
    let fault = if why.contains("recursion limit") {
        Fault::new(
            "audience/too-deep",
            "lists and objects lie more than 100 deep in each other; the line is left out",
            "Flatten the properties",
        )
    } else if error.is_eof() && !line_ended {
        Fault::new(
            "audience/bad-json",
            "the file ends in the middle of this line",
            "Export or copy the file again; it was cut off",
        )
    } else {
        Fault::new(
            "audience/bad-json",
            format!("not valid JSON: {why}; the line is left out"),
            "Write one complete object per line",
        )
    };
    (column_number, fault)
}

fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a yes/no value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

impl UnknownKeys {
    fn add(&mut self, key: &str, at: &At) {
        if self.0.len() < MOST_UNKNOWN_KEYS || self.0.contains_key(key) {
            self.0.entry(key.to_owned()).or_default().add(at, key);
        }
    }

    fn finish(self, findings: &mut Findings) {
        for (key, tally) in self.0 {
            let known = CONTACT_KEYS.iter().chain(EVENT_KEYS).chain(RESPONSE_KEYS).copied();
            if key.len() > 3
                && let Some(near) = nearest::nearest(&key, known)
            {
                let message = format!(
                    "the key `{}` is not one of ours ({})",
                    shorten(&key, 40),
                    counted(tally.count, "line", "lines")
                );
                let hint = format!("Did you mean `{near}`? As it stands it is a property, or unused");
                findings.warning(&tally.first, Fault::new("audience/unknown-key", message, hint));
            }
        }
    }
}

impl Object<'_> {
    /// Where a key stands in the line.
    fn at_key(&self, key: &str) -> At {
        let byte = self.text.find(&format!("\"{key}\"")).unwrap_or(0);
        self.at.column(self.text[..byte].chars().count() + 1)
    }

    fn wrong_type(&self, key: &str, wanted: &str, found: &Json, findings: &mut Findings) {
        let message = format!("`{key}` must be {wanted}, not {}", kind_of(found));
        findings.error(
            &self.at_key(key),
            Fault::new("audience/wrong-type", message, format!("Write {wanted}, or take the key out")),
        );
    }

    /// A text; numbers count as their digits, since ids often are numbers. Null and absence are the same.
    fn text_at(&self, key: &str, findings: &mut Findings) -> Option<String> {
        match self.map.get(key)? {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            other => {
                self.wrong_type(key, "a text", other, findings);
                None
            }
        }
    }

    fn field<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, Fault>, findings: &mut Findings) -> Option<T> {
        let text = self.text_at(key, findings).filter(|text| !text.trim().is_empty())?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(fault) => {
                findings.warning(&self.at_key(key), fault);
                None
            }
        }
    }

    fn needed<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, Fault>, findings: &mut Findings) -> Option<T> {
        let Some(found) = self.map.get(key) else {
            let message = format!("`{key}` is missing; the line is left out");
            let others = self.map.keys().map(String::as_str).take(200);
            let hint = nearest::nearest(key, others).map_or_else(
                || format!("Add \"{key}\" to the object"),
                |near| format!("Did you mean `{key}` where you wrote `{}`?", shorten(near, 40)),
            );
            findings.error(&self.at, Fault::new("audience/missing-value", message, hint));
            return None;
        };
        let text = match found {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            other => {
                self.wrong_type(key, "a text", other, findings);
                return None;
            }
        };
        match read(&text) {
            Ok(value) => Some(value),
            Err(fault) => {
                findings.error(&self.at_key(key), fault);
                None
            }
        }
    }

    /// `properties` and every key that is not in `known`; what is in `properties` counts more.
    fn properties(&self, known: &[&str], unknown_keys: &mut UnknownKeys, findings: &mut Findings) -> Properties {
        let mut properties = Properties::new();
        for (key, json) in self.map.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            unknown_keys.add(key, &self.at);
            if let Some(value) = Value::from_json(json) {
                properties.insert(SmolStr::new(key), value);
            }
        }
        match self.map.get("properties") {
            None | Some(Json::Null) => {}
            Some(Json::Object(map)) => {
                let read = map.iter().filter_map(|(key, json)| Some((SmolStr::new(key), Value::from_json(json)?)));
                properties.extend(read);
            }
            Some(other) => self.wrong_type("properties", "an object", other, findings),
        }
        properties
    }

    /// A contact, or `None` with a finding.
    pub fn contact(&self, unknown_keys: &mut UnknownKeys, findings: &mut Findings) -> Option<Contact> {
        let mut contact = Contact::new("");
        contact.email = self.field("email", fields::email, findings);
        contact.phone = self.field("phone", fields::phone, findings);
        contact.zone = self.field("zone", fields::zone, findings);
        contact.language = self.field("language", fields::language, findings);
        contact.created_at = self.field("created_at", fields::instant, findings);
        contact.properties = self.properties(CONTACT_KEYS, unknown_keys, findings);
        self.read_consent(&mut contact, findings);
        match self.map.get("lists") {
            None | Some(Json::Null) => {}
            Some(Json::String(names)) => contact.lists.extend(fields::names_in(names)),
            Some(Json::Array(names)) => {
                for name in names {
                    match name {
                        Json::String(name) if !name.trim().is_empty() => {
                            contact.lists.insert(SmolStr::new(name));
                        }
                        Json::String(_) => {}
                        other => self.wrong_type("lists", "a list of texts", other, findings),
                    }
                }
            }
            Some(other) => self.wrong_type("lists", "a list of texts", other, findings),
        }
        // Without an id the address stands in, as in CSV.
        contact.id = match (self.map.get("id"), &contact.email) {
            (None | Some(Json::Null), Some(email)) => fields::stand_in(email),
            _ => self.needed("id", fields::contact_id, findings)?,
        };
        Some(contact)
    }

    fn read_consent(&self, contact: &mut Contact, findings: &mut Findings) {
        let mut state = |channel: Channel, json: &Json, findings: &mut Findings| {
            let word = match json {
                Json::String(word) => word.as_str(),
                Json::Bool(true) => "yes",
                Json::Bool(false) => "no",
                Json::Null => "unknown",
                other => {
                    self.wrong_type("consent", "an object of words such as \"subscribed\"", other, findings);
                    return;
                }
            };
            match fields::consent(word) {
                Ok(status) => contact.consent.set(channel, status),
                Err(fault) => findings.warning(&self.at_key("consent"), fault),
            }
        };
        match self.map.get("consent") {
            None | Some(Json::Null) => {}
            Some(Json::Object(map)) => {
                for (channel_name, json) in map {
                    match channel_name.as_str() {
                        "email" => state(Channel::Email, json, findings),
                        "sms" => state(Channel::Sms, json, findings),
                        other => findings.warning(
                            &self.at_key("consent"),
                            Fault::new(
                                "audience/unknown-consent",
                                format!("`{}` is not a channel", shorten(other, 40)),
                                nearest::hint(other, ["email", "sms"]),
                            ),
                        ),
                    }
                }
            }
            Some(json) => state(Channel::Email, json, findings),
        }
    }

    /// An event, or `None` with a finding.
    pub fn event(&self, unknown_keys: &mut UnknownKeys, findings: &mut Findings) -> Option<RawEvent> {
        let contact = self.needed("contact", fields::contact_id, findings);
        let name = self.needed("name", filled("name"), findings);
        let happened = self.needed("happened", fields::instant, findings);
        let accepted = self.field("accepted", fields::instant, findings);
        let id = self.text_at("id", findings).filter(|id| !id.is_empty());
        let has_id = id.is_some();
        let happened = happened?;
        let event = Event {
            id: id.map_or_else(|| EventId::new(""), EventId::new),
            contact: contact?,
            name: name?,
            happened,
            accepted: accepted.unwrap_or(happened),
            properties: self.properties(EVENT_KEYS, unknown_keys, findings),
        };
        Some(RawEvent { event, has_id })
    }

    /// A response, or `None` with a finding.
    pub fn response(&self, unknown_keys: &mut UnknownKeys, findings: &mut Findings) -> Option<Response> {
        for key in self.map.keys().filter(|key| !RESPONSE_KEYS.contains(&key.as_str())) {
            unknown_keys.add(key, &self.at);
        }
        let contact = self.needed("contact", fields::contact_id, findings);
        let node = self.needed("node", filled("node"), findings);
        let response = self.needed("response", response_kind, findings);
        let after = self.needed("after", span, findings);
        Some(Response {
            contact: contact?,
            flow: self.text_at("flow", findings).filter(|flow| !flow.is_empty()).map(FlowId::new),
            node: NodeId::new(node?),
            response: response?,
            after: after?,
            link: self.text_at("link", findings).filter(|link| !link.is_empty()).map(SmolStr::new),
        })
    }
}

fn filled(key: &'static str) -> impl FnOnce(&str) -> Result<SmolStr, Fault> {
    move |text| {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            let message = format!("`{key}` is empty; the line is left out");
            return Err(Fault::new("audience/missing-value", message, "Fill it"));
        }
        Ok(SmolStr::new(trimmed))
    }
}
