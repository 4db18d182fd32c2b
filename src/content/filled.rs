//! A text outside of a message with its tags filled in: the body, address and headers of a call, an alert to the team.
//!
//! The one idea: values are written as the place needs it ([`Escape`]), so that nobody's data can leave the text it
//! stands in: no quotation mark ends a JSON text, no slash or `?` changes an address. Deliberately not here: secrets.

use minijinja::{AutoEscape, Environment};

use super::{
    Field, FieldValues,
    render::{environment, leftover, take_marks},
    template::{
        self,
        lower::{LIST, Printed},
    },
    tracking::encoded,
};
use crate::base::{Diagnostic, Place, Severity};

/// How values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Escape {
    /// As they are.
    Plain,
    /// For a query or a path: `%20`.
    Address,
    /// For JSON: inside of quotation marks as part of that text; outside, numbers, `true`, `false` and lists as such,
    /// and all else as a text of its own, with quotation marks.
    Json,
}

/// A text that is ready to be filled in.
#[derive(Debug)]
pub struct FilledText {
    env: Environment<'static>,
    escape: Escape,
}

/// A filled text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// Names of tags with neither value nor fallback, sorted, each once.
    pub missing: Vec<String>,
    /// The first thing that looks like a tag and was not replaced; not looked for in JSON, where braces are at home.
    pub leftover: Option<String>,
}

/// The name of the one template. Its ending says nothing to the engine.
const TEXT: &str = "text";
/// Opens and closes a value in a JSON text that is not finished yet. Private-use characters; [`json_of`] writes those
/// of data as escapes.
const OPEN: char = '\u{E002}';
const CLOSE: char = '\u{E003}';

impl FilledText {
    /// Reads and compiles a text.
    ///
    /// Errors: what is wrong with it, in words.
    pub fn new(source: &str, fields: &[Field], escape: Escape) -> Result<Self, String> {
        let mut found: Vec<Diagnostic> = Vec::new();
        let read = template::read(source, fields, &[], &Place::default(), &mut found);
        let Some(read) = read else {
            let fault = found.into_iter().find(|found| found.severity == Severity::Error);
            return Err(fault.map_or_else(|| "The text cannot be read".to_owned(), |fault| fault.message));
        };
        let mut env = environment();
        env.set_auto_escape_callback(|_| AutoEscape::None);
        if escape != Escape::Plain {
            env.set_formatter(move |out, _, value| {
                if value.is_undefined() || value.is_none() {
                    return Ok(());
                }
                if escape == Escape::Json {
                    return Ok(write!(out, "{OPEN}{}{CLOSE}", json_of(value))?);
                }
                let text = value.to_string();
                // A missing tag's mark is found again only as it is.
                let is_mark = text.starts_with(template::lower::MISSING_OPEN);
                Ok(out.write_str(&if is_mark { text } else { encoded(&text) })?)
            });
        }
        let lowered = template::lower::lower(&read.nodes, fields, &mut Printed::new());
        env.add_template_owned(TEXT, lowered).map_err(|error| format!("The text cannot be put together: {error}"))?;
        Ok(Self { env, escape })
    }

    /// The text for one contact.
    ///
    /// Errors: too many steps, or a value that a filter cannot take.
    pub fn fill(&self, values: &FieldValues) -> Result<Filled, String> {
        let made = self.env.get_template(TEXT).and_then(|template| template.render(values.context.clone()));
        let text = made.map_err(|error| {
            format!("The text cannot be filled in: {}", error.detail().unwrap_or("it takes too many steps"))
        })?;
        let mut missing = Vec::new();
        let text = take_marks(text, &mut missing);
        let text = if self.escape == Escape::Json { finished_json(&text) } else { text };
        missing.retain(|name| !name.starts_with(LIST));
        missing.sort_unstable();
        missing.dedup();
        let leftover = if self.escape == Escape::Json { None } else { leftover(&text) };
        Ok(Filled { text, missing, leftover })
    }
}

/// A value as JSON, without our marks.
fn json_of(value: &minijinja::Value) -> String {
    let json = match value.as_str() {
        Some(text) => serde_json::to_string(text),
        None => serde_json::to_string(value),
    };
    json.unwrap_or_else(|_| "null".to_owned()).replace(OPEN, "\\ue002").replace(CLOSE, "\\ue003")
}

/// Writes the values between their marks as the place needs them.
fn finished_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            OPEN => {
                let (value, after) = rest.split_once(CLOSE).unwrap_or((rest, ""));
                rest = after;
                out.push_str(&if in_text { inside(value) } else { outside(value) });
                continue;
            }
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = c == '\\' && in_text && !escaped;
        out.push(c);
    }
    out
}

/// As part of a text.
fn inside(json: &str) -> String {
    let text = if json.starts_with('"') { json.to_owned() } else { serde_json::to_string(json).unwrap_or_default() };
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// On its own. Tags print texts; one that is a number or a truth value in JSON stands as that, since who writes a tag
/// without quotation marks means it so.
fn outside(json: &str) -> String {
    let inner = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let is_bare = |text: &&str| {
        matches!(*text, "true" | "false" | "null") || serde_json::from_str::<serde_json::Number>(text).is_ok()
    };
    inner.filter(is_bare).unwrap_or(json).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        audience::{Contact, EventLog, Value, ValueType},
        base::{Instant, Zone},
        content::{FieldSource, Links, ResolveContext},
    };

    fn fields() -> Vec<Field> {
        ["name", "count", "gone"]
            .map(|name| Field::new(name, ValueType::Text, FieldSource::Contact(name.into())))
            .into()
    }

    #[track_caller]
    fn check(escape: Escape, name: &str, source: &str, expected: &str) {
        let mut ada = Contact::new("ada");
        ada.properties.insert("name".into(), Value::text(name));
        ada.properties.insert("count".into(), Value::text("3"));
        let context = ResolveContext {
            now: Instant::default(),
            zone: &Zone::utc(),
            contact: &ada,
            log: &EventLog::default(),
            trigger: None,
            constants: &BTreeMap::new(),
            codes: &BTreeMap::new(),
            links: &Links::default(),
            currency: None,
        };
        let fields = fields();
        let values = FieldValues::resolve(&fields, &context);
        let said = match FilledText::new(source, &fields, escape).and_then(|text| text.fill(&values)) {
            Err(error) => error,
            Ok(filled) if !filled.missing.is_empty() => format!("missing {}", filled.missing.join(" ")),
            Ok(Filled { leftover: Some(left), .. }) => format!("left {left}"),
            Ok(filled) => filled.text,
        };
        assert_eq!(said, expected, "{source}");
        if escape == Escape::Json && said.starts_with('{') {
            serde_json::from_str::<serde_json::Value>(&said).expect("JSON");
        }
    }

    #[test]
    fn values_stay_where_they_stand() {
        check(Escape::Plain, "A & B", "Hello {name}, {{ count }}", "Hello A & B, 3");
        check(Escape::Plain, "A", "Hello {{ gone }}", "missing gone");
        check(Escape::Plain, "A", "Hello {nobody}", "left {nobody}");
        check(
            Escape::Address,
            "a/b?c=d é",
            "https://x.example/?n={name}",
            "https://x.example/?n=a%2Fb%3Fc%3Dd%20%C3%A9",
        );
        check(Escape::Address, "A", "https://x.example/{gone}", "missing gone");
        check(Escape::Json, r#"A"B\"#, r#"{"n": "Hi {name}!"}"#, r#"{"n": "Hi A\"B\\!"}"#);
        check(Escape::Json, "A\n", r#"{"n": {name}, "c": {count}}"#, r#"{"n": "A\n", "c": 3}"#);
        check(Escape::Json, "\u{E002}", r#"{"n": {"m": "{name}"}}"#, r#"{"n": {"m": "\ue002"}}"#);
        check(Escape::Json, "x", r#"{"q\"": "{name}"}"#, r#"{"q\"": "x"}"#);
        check(
            Escape::Json,
            "\",\"admin\":true,\"x\":\"",
            r#"{"n": "{name}"}"#,
            r#"{"n": "\",\"admin\":true,\"x\":\""}"#,
        );
        check(Escape::Json, "x", r#"{"n": "{gone}"}"#, "missing gone");
        check(Escape::Json, "x", r#"{"n": {% if name == "x" %}1{% else %}2{% endif %}}"#, r#"{"n": 1}"#);
    }
}
