//! Texts with places: `"shopify/{topic}"`, `"{line_items.*.title}"`, `"{total_price|money:currency}"`.
//!
//! In braces: a path into the item (names and list places with dots, `*` for every one of a list), `topic`,
//! `header:NAME`; after `|` what becomes of it: `number`, `text`, `lower`, `count`, `sum`, `first`, `money:PATH` (with
//! the currency from there). A brace itself is written twice.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::{Map, Value as Json, json};

/// Most steps of a path; bounds the work per value. Source: assumption.
const MOST_STEPS: usize = 16;
/// Most values that one path may find with `*`. Source: assumption.
const MOST_FOUND: usize = 10_000;

/// What templates are filled from.
pub struct Given<'a> {
    /// The item.
    pub body: &'a Json,
    /// Headers by name in small letters.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// What the topic's header says; empty without one.
    pub topic: &'a str,
}

/// Where something lies: `data.attributes.time`, `line_items.*.title`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads a path.
    ///
    /// Errors: it is empty, has an empty step or too many.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps: Vec<String> = text.split('.').map(|step| step.trim().to_owned()).collect();
        if steps.iter().any(String::is_empty) || steps.len() > MOST_STEPS {
            return Err(format!("`{text}` is not a path; write names with dots between, such as customer.email"));
        }
        Ok(Self(steps))
    }

    /// Everything that lies there; null is nothing.
    pub fn find_all<'a>(&self, body: &'a Json) -> Vec<&'a Json> {
        let mut found = vec![body];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in found {
                match value {
                    Json::Object(map) if step == "*" => next.extend(map.values()),
                    Json::Array(list) if step == "*" => next.extend(list),
                    Json::Object(map) => next.extend(map.get(step)),
                    Json::Array(list) => next.extend(step.parse::<usize>().ok().and_then(|idx| list.get(idx))),
                    _ => {}
                }
                if next.len() > MOST_FOUND {
                    next.truncate(MOST_FOUND);
                    break;
                }
            }
            found = next;
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// Whether something lies there that is neither null, an empty text, list or object, nor `false`.
    pub fn is_filled(&self, body: &Json) -> bool {
        self.find_all(body).iter().any(|value| match value {
            Json::Bool(yes) => *yes,
            Json::String(text) => !text.trim().is_empty(),
            Json::Array(list) => !list.is_empty(),
            Json::Object(map) => !map.is_empty(),
            _ => true,
        })
    }

    /// What lies there as one value: a list where the path has a `*`.
    fn value(&self, body: &Json) -> Option<Json> {
        let found = self.find_all(body);
        if self.0.iter().any(|step| step == "*") {
            return (!found.is_empty()).then(|| Json::Array(found.into_iter().cloned().collect()));
        }
        found.first().map(|value| (*value).clone())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Where a place takes its value from.
#[derive(Clone, Debug, PartialEq)]
enum From {
    Path(Path),
    Header(String),
    Topic,
}

/// What becomes of the value.
#[derive(Clone, Debug, PartialEq)]
enum Filter {
    Number,
    Text,
    Lower,
    Count,
    Sum,
    First,
    Money(Path),
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Place(From, Vec<Filter>),
}

/// One text with places.
#[derive(Clone, Debug, PartialEq)]
struct Template {
    source: String,
    parts: Vec<Part>,
}

/// Texts with places: the first that is filled counts. Written as one text or as a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Templates(Vec<Template>);

impl Templates {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first that is filled, as a value of its own type.
    pub fn value(&self, given: &Given<'_>) -> Option<Json> {
        self.0.iter().find_map(|template| template.value(given))
    }

    /// The first that is filled, as a text.
    pub fn text(&self, given: &Given<'_>) -> Option<String> {
        self.0.iter().find_map(|template| template.value(given).as_ref().and_then(text_of))
    }
}

impl fmt::Display for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|template| format!("`{}`", template.source)).collect();
        f.write_str(&all.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Templates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Templates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text such as \"{customer.email}\", or a list of them")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Templates, E> {
                Template::parse(text).map(|template| Templates(vec![template])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Templates, A::Error> {
                let mut out = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    out.push(Template::parse(&text).map_err(A::Error::custom)?);
                }
                Ok(Templates(out))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

impl Template {
    fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            text += &rest[..at];
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                text += brace;
                rest = after;
                continue;
            }
            let end = rest.find('}').filter(|_| brace == "{");
            let Some(end) = end else {
                return Err(format!(
                    "`{source}`: a brace is not closed or not opened; one in the text is written twice"
                ));
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(place(&rest[..end]).map_err(|why| format!("`{source}`: {why}"))?);
            rest = &rest[end + 1..];
        }
        text += rest;
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if parts.is_empty() {
            return Err("an empty text; write a place such as \"{email}\", or leave it out".to_owned());
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The value; nothing where a place is not filled.
    fn value(&self, given: &Given<'_>) -> Option<Json> {
        if let [Part::Place(from, filters)] = self.parts.as_slice() {
            return filled(from, filters, given);
        }
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out += text,
                Part::Place(from, filters) => out += &filled(from, filters, given).as_ref().and_then(text_of)?,
            }
        }
        Some(Json::String(out))
    }
}

fn place(inner: &str) -> Result<Part, String> {
    let mut words = inner.split('|').map(str::trim);
    let from = match words.next().unwrap_or("") {
        "topic" => From::Topic,
        word => match word.strip_prefix("header:") {
            Some(name) if !name.is_empty() => From::Header(name.to_ascii_lowercase()),
            Some(_) => return Err("`header:` needs a name".to_owned()),
            None => From::Path(Path::parse(word)?),
        },
    };
    let filters = words
        .map(|word| {
            Ok(match word {
                "number" => Filter::Number,
                "text" => Filter::Text,
                "lower" => Filter::Lower,
                "count" => Filter::Count,
                "sum" => Filter::Sum,
                "first" => Filter::First,
                _ => match word.strip_prefix("money:") {
                    Some(path) => Filter::Money(Path::parse(path)?),
                    None => {
                        let known = ["number", "text", "lower", "count", "sum", "first", "money:PATH"];
                        return Err(format!("`{word}` is not known here. {}", crate::base::nearest::hint(word, known)));
                    }
                },
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Part::Place(from, filters))
}

fn filled(from: &From, filters: &[Filter], given: &Given<'_>) -> Option<Json> {
    let mut value = match from {
        From::Path(path) => path.value(given.body),
        From::Header(name) => (given.header)(name).map(Json::String),
        From::Topic => Some(Json::String(given.topic.to_owned())),
    }?;
    for filter in filters {
        value = filtered(filter, value, given)?;
    }
    let empty = matches!(&value, Json::Null) || value.as_str().is_some_and(|text| text.trim().is_empty());
    (!empty).then_some(value)
}

fn filtered(filter: &Filter, value: Json, given: &Given<'_>) -> Option<Json> {
    Some(match filter {
        Filter::Number => json!(number_of(&value)?),
        Filter::Text => Json::String(text_of(&value)?),
        Filter::Lower => Json::String(text_of(&value)?.to_lowercase()),
        Filter::Count => json!(match &value {
            Json::Array(list) => list.len(),
            _ => 1,
        }),
        Filter::Sum => match &value {
            Json::Array(list) => json!(list.iter().filter_map(number_of).sum::<f64>()),
            one => json!(number_of(one)?),
        },
        Filter::First => match value {
            Json::Array(list) => list.into_iter().next()?,
            one => one,
        },
        Filter::Money(currency) => {
            let amount = number_of(&value)?;
            match currency.value(given.body).as_ref().and_then(text_of) {
                Some(code) => {
                    let mut money = Map::new();
                    money.insert("amount".into(), json!(amount));
                    money.insert("currency".into(), Json::String(code));
                    Json::Object(money)
                }
                None => json!(amount),
            }
        }
    })
}

fn number_of(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

/// Texts, numbers and yes/no as a text; lists and objects are none.
fn text_of(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Bool(yes) => yes.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: Json) {
        let body = json!({
            "id": 7, "email": "Ada@Example.com", "none": null, "empty": " ", "total": "129.50", "currency": "EUR",
            "items": [{"title": "Watch", "n": 1, "price": "99.00"}, {"title": "Strap", "n": 2, "price": "x"}], "ok": true,
        });
        let header = |name: &str| (name == "x-id").then(|| "h".to_owned());
        let given = Given { body: &body, header: &header, topic: "orders/create" };
        let found = Template::parse(template).unwrap_or_else(|why| panic!("{template}: {why}")).value(&given);
        assert_eq!(found.unwrap_or(Json::Null), expected, "{template}");
    }

    #[test]
    fn places_are_filled() {
        check("{id}", json!(7));
        check("order/{id}/{topic}/{header:X-Id}", json!("order/7/orders/create/h"));
        check("{email|lower}", json!("ada@example.com"));
        check("{none}", Json::Null);
        check("{empty}", Json::Null);
        check("a{missing.deep}", Json::Null);
        check("{items.*.title}", json!(["Watch", "Strap"]));
        check("{items.1.title}", json!("Strap"));
        check("{items|count}", json!(2));
        check("{items.*.n|sum}", json!(3.0));
        check("{items.*.title|first}", json!("Watch"));
        check("{items.9}", Json::Null);
        check("{total|number}", json!(129.5));
        check("{total|money:currency}", json!({"amount": 129.5, "currency": "EUR"}));
        check("{total|money:missing}", json!(129.5));
        check("{email|number}", Json::Null);
        check("{ok|text}", json!("true"));
        check("{{id}} {id}", json!("{id} 7"));
        check("constant", json!("constant"));
    }

    #[test]
    fn bad_texts_say_why() {
        for (template, expected) in [
            ("", "an empty text"),
            ("{id", "not closed"),
            ("id}", "not closed or not opened"),
            ("{}", "is not a path"),
            ("{a..b}", "is not a path"),
            ("{a|nmber}", "Did you mean `number`?"),
            ("{header:}", "needs a name"),
        ] {
            let found = Template::parse(template).expect_err(template);
            assert!(found.contains(expected), "{template}: {found}");
        }
    }
}
