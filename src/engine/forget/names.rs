//! Whether a text speaks of a person: by a whole address, or by their id where an id of a person stands.
//!
//! The one idea: an address is found wherever it stands, but only whole (`ada@x.example` is not in
//! `ada@x.example.org`); an id may be any text (`7`), so it counts only under a key that says whose it is.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use serde_json::Value as Json;

use super::Person;

/// By what a person is known, in the form that is compared.
pub struct Names {
    id: String,
    /// Lower case.
    addresses: Vec<String>,
}

/// Keys of JSON whose value is an id of a person, or an object that is one; compared without `_`, `-` and case.
const PEOPLE: [&str; 9] =
    ["contact", "customer", "person", "people", "profile", "recipient", "subscriber", "user", "member"];
/// Shorter ones are found in anything. Source: assumption; the shortest phone number with its area code.
const LEAST_PHONE_DIGITS: usize = 6;

impl Names {
    /// Of a person. An id that is an address is one.
    pub fn of(person: &Person) -> Self {
        let id = person.id.as_str().to_owned();
        let all = person.addresses.iter().map(String::as_str).chain(Some(id.as_str()).filter(|id| id.contains('@')));
        let low = all.map(|address| address.trim().to_lowercase());
        let is_one = |address: &String| {
            address.contains('@') || address.bytes().filter(u8::is_ascii_digit).count() >= LEAST_PHONE_DIGITS
        };
        Self { addresses: low.filter(is_one).collect(), id }
    }

    /// Whether one of their addresses stands in a text, whole.
    pub fn in_text(&self, text: &str) -> bool {
        let low = text.to_lowercase();
        let is_in = |text: &str| self.addresses.iter().any(|address| is_whole_in(text, address));
        is_in(&low) || low.contains('%') && is_in(&decoded(&low))
    }

    /// Whether JSON speaks of them.
    pub fn in_json(&self, json: &Json) -> bool {
        self.walk(json, "", false)
    }

    /// Whether bytes speak of them: as a text, and as JSON where they are that.
    pub fn in_bytes(&self, bytes: &[u8]) -> bool {
        // Most lines hold neither the id nor anything that stands for other letters: they need not be taken apart.
        let says_more = || memchr(b'\\', bytes).is_some() || memmem::find(bytes, self.id.as_bytes()).is_some();
        let is_in_json = || serde_json::from_slice(bytes).is_ok_and(|json| self.in_json(&json));
        self.in_text(&String::from_utf8_lossy(bytes)) || says_more() && is_in_json()
    }

    /// `key` is under what a value stands, `is_person` whether the object around it is a person.
    fn walk(&self, json: &Json, key: &str, is_person: bool) -> bool {
        let is_id = |text: &str| text == self.id && names_a_person(key, is_person);
        match json {
            Json::String(text) => self.in_text(text) || is_id(text.trim()),
            Json::Number(number) => is_id(&number.to_string()),
            Json::Array(items) => items.iter().any(|item| self.walk(item, key, is_person)),
            Json::Object(map) => {
                // `profile: {data: {id: …}}` as Klaviyo writes it.
                let is_person = is_people(key) || key == "data" && is_person;
                map.iter().any(|(name, value)| self.in_text(name) || self.walk(value, name, is_person))
            }
            Json::Null | Json::Bool(_) => false,
        }
    }
}

/// Keys as they are compared.
fn bare(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_people(key: &str) -> bool {
    PEOPLE.contains(&bare(key).as_str())
}

fn names_a_person(key: &str, is_person: bool) -> bool {
    let bare = bare(key);
    let of = bare.strip_suffix("id").unwrap_or(&bare);
    PEOPLE.contains(&of) || bare == "externalid" || is_person && bare == "id"
}

/// Both in lower case.
fn is_whole_in(text: &str, address: &str) -> bool {
    let is_phone = !address.contains('@');
    text.match_indices(address).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + address.len()..].chars();
        let next = after.next();
        if is_phone {
            return !before.is_some_and(|c| c.is_ascii_digit() || c == '+')
                && !next.is_some_and(|c| c.is_ascii_digit());
        }
        let is_longer_before = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-'));
        // A full stop ends a sentence, or goes on with the name of a host.
        let is_longer_after = match next {
            Some('.') => after.next().is_some_and(char::is_alphanumeric),
            Some(c) => c.is_alphanumeric() || matches!(c, '-' | '_' | '@'),
            None => false,
        };
        !is_longer_before && !is_longer_after
    })
}

/// A text with `%40` and the like as what they stand for, as forms send it.
fn decoded(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, text: &str, expected: bool) {
        let addresses = ["Ada@Shop.example".to_owned(), "+4917012345".to_owned(), "112".to_owned()].into();
        let person = Person { addresses, ..Person::new(id.into()) };
        assert_eq!(Names::of(&person).in_bytes(text.as_bytes()), expected, "{id}: {text}");
    }

    #[test]
    fn addresses_are_found_whole() {
        for text in [
            "ada@shop.example",
            "To: Ada <ADA@shop.example>, ben@shop.example",
            "She is ada@shop.example.",
            "'ada@shop.example'",
            "?email=ada%40shop.example&x=1",
            "?to=%3Cada%40shop.example%3E",
            r#"{"a": ["\u0061da@shop.example"]}"#,
            r#"{"ada@shop.example": 1}"#,
            "call +4917012345 now",
        ] {
            check("ada", text, true);
        }
        for text in [
            "nada@shop.example",
            "x.ada@shop.example",
            "x+ada@shop.example",
            "ada@shop.example.org",
            "ada@shop.examples",
            "ada@shop.example-two.org",
            "+491701234567",
            "112",
            "ada",
            "100%",
            "%4",
        ] {
            check("ada", text, false);
        }
    }

    #[test]
    fn ids_count_where_one_of_a_person_stands() {
        for (id, text) in [
            ("7", r#"{"contact": "7"}"#),
            ("7", r#"{"contact": 7}"#),
            ("7", r#"{"customer": {"id": 7}}"#),
            ("7", r#"{"customer_id": 7}"#),
            ("7", r#"[{"userId": " 7 "}]"#),
            ("7", r#"{"profile": {"data": {"id": "7"}}}"#),
            ("7", r#"{"properties": {"contacts": 1}, "external_id": "7"}"#),
            ("eve@shop.example", "x eve@shop.example x"),
        ] {
            check(id, text, true);
        }
        for (id, text) in [
            ("7", r#"{"quantity": 7, "id": "7", "name": "7", "data": {"id": 7}}"#),
            ("7", r#"{"customer": {"age": 7}, "contact": "77"}"#),
            ("ada", r#"{"order": {"id": "ada"}}"#),
        ] {
            check(id, text, false);
        }
    }
}
