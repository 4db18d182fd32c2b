//! From a diagnostic's place (node, message, dotted field, range in the field's text) to bytes of the file.
//!
//! The one idea: the parts of a flow know where their raw text began, and a dotted field is followed through that raw
//! text by RON itself. What cannot be followed gives the nearest larger part, never a wrong line.

use std::collections::BTreeMap;

use ron::value::RawValue;

use crate::{
    base::{Place, TextRange},
    flow::{
        Flow,
        file::raw::{RawStruct, offset_in},
    },
    kinds::ron_options,
};

/// What is known of the parts of a file.
#[derive(Clone, Copy, Debug, Default)]
pub enum Parts<'a> {
    /// Nothing, or positions that are not positions in this text.
    #[default]
    Unknown,
    /// Those of a flow that was read from it.
    Flow(&'a Flow),
    /// A field is followed from the top: a workspace.
    Whole,
}

/// Where in `source` a place is; `None` where it is the whole file or its parts are not known.
pub fn in_source(place: &Place, source: &str, parts: Parts<'_>) -> Option<TextRange> {
    let whole = place.node.is_none() && place.message.is_none() && place.field.is_none();
    if whole {
        return place.range.filter(|range| range.start <= source.len() && !source.is_empty());
    }
    let field = place.field.as_deref().unwrap_or("");
    let flow = match parts {
        Parts::Unknown => return None,
        Parts::Whole => return in_part(source, source, field, place.range),
        Parts::Flow(flow) => flow,
    };
    let (section, field) = if let Some(id) = &place.message {
        let section = flow.messages.iter().find(|m| m.id.as_str() == id)?;
        (part(source, section.section.offset, section.section.raw())?, field)
    } else if let Some(id) = &place.node {
        let node = flow.node(id)?;
        let settings = part(source, node.settings.offset, node.settings.raw());
        let Some(settings) = settings.filter(|_| !field.is_empty()) else {
            return node_id(source, id);
        };
        (settings, field)
    } else if let Some(rest) = field.strip_prefix("settings.") {
        (part(source, flow.settings.offset, flow.settings.raw())?, rest)
    } else if let Some(rest) = field.strip_prefix("fields.") {
        let (name, rest) = rest.split_once('.').unwrap_or((rest, ""));
        let section = flow.fields.iter().find(|f| f.value().is_some_and(|f| f.name == name))?;
        (part(source, section.offset, section.raw())?, rest)
    } else {
        return None;
    };
    in_part(source, section, field, place.range)
}

fn in_part(source: &str, section: &str, field: &str, range: Option<TextRange>) -> Option<TextRange> {
    let (found, exact) = follow(section, field);
    let start = offset_in(source, found);
    let first_line = found.lines().next().unwrap_or("").trim_end().len();
    let shown = TextRange::new(start, start + first_line.max(1));
    match range {
        Some(range) if exact => Some(inside_literal(found, range).map_or(shown, |range| range.offset(start))),
        _ => Some(shown),
    }
}

/// A part of the source, if its text is really there.
fn part<'a>(source: &'a str, offset: usize, raw: &str) -> Option<&'a str> {
    source.get(offset..offset.checked_add(raw.len())?).filter(|text| *text == raw)
}

/// Where a node says its id.
fn node_id(source: &str, id: &str) -> Option<TextRange> {
    let quoted = format!("\"{id}\"");
    let mut from = 0;
    while let Some(at) = source[from..].find(&quoted).map(|n| from + n) {
        if source[..at].trim_end().ends_with("id:") {
            return Some(TextRange::new(at, at + quoted.len()));
        }
        from = at + quoted.len();
    }
    None
}

/// Follows a dotted field through raw RON; the text of the deepest part reached, and whether that was all the way.
fn follow<'a>(raw: &'a str, field: &str) -> (&'a str, bool) {
    let mut here = raw.trim();
    for step in field.split('.').filter(|step| !step.is_empty()) {
        let Some(next) = child(here, step) else { return (here, false) };
        here = next;
    }
    (here, true)
}

fn child<'a>(raw: &'a str, step: &str) -> Option<&'a str> {
    // The word of an enum variant stands before its parentheses: `event(event: "…")`.
    let word = raw.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(raw.len());
    let inner = raw[word..].trim_start();
    if step.bytes().all(|b| b.is_ascii_digit()) {
        let list = if inner.starts_with('(') { inner.get(1..inner.len() - 1)?.trim() } else { inner };
        let items: Vec<&RawValue> = ron_options().from_str(list).ok()?;
        return items.get(step.parse::<usize>().ok()?).map(|item| item.get_ron().trim());
    }
    if let Ok(keys) = RawStruct::parse(inner)
        && let Some(value) = keys.get(step)
    {
        return Some(value);
    }
    if inner.starts_with('{')
        && let Ok(map) = ron_options().from_str::<BTreeMap<String, &RawValue>>(inner)
        && let Some(value) = map.get(step)
    {
        return Some(value.get_ron().trim());
    }
    (step == raw[..word].trim()).then_some(inner)
}

/// A range in a string's value as a range in its literal; `None` where the text is no string literal.
fn inside_literal(literal: &str, range: TextRange) -> Option<TextRange> {
    if let Some(hashes) = literal.strip_prefix('r').map(|rest| rest.bytes().take_while(|b| *b == b'#').count()) {
        let start = 2 + hashes;
        return (literal.as_bytes().get(start - 1) == Some(&b'"') && start + range.end <= literal.len())
            .then(|| range.offset(start));
    }
    let body = literal.strip_prefix('"')?;
    let mut at_in_value = 0;
    let mut start = None;
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if start.is_none() && at_in_value >= range.start {
            start = Some(at + 1);
        }
        if at_in_value >= range.end.max(range.start + 1) || c == '"' {
            return Some(TextRange::new(start.unwrap_or(at + 1), at + 1));
        }
        at_in_value += match c {
            '\\' => match chars.next()?.1 {
                'x' => {
                    chars.nth(1)?;
                    1
                }
                'u' => {
                    let digits: String = chars.by_ref().skip(1).map(|(_, c)| c).take_while(|c| *c != '}').collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?.len_utf8()
                }
                _ => 1,
            },
            c => c.len_utf8(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::file;

    const SOURCE: &str = r#"(version: 2, id: "f", name: "F",
 settings: (sender: "shop"),
 nodes: [
  (id: "start", kind: "trigger", settings: (any: [event(event: "A", filter: "event.x = \"y\" and z")])),
 ],
 messages: [(id: "m", subject: "Hi {name}", body: blocks([text(text: "a"), text(text: r"b{c}")]))])"#;

    #[track_caller]
    fn check(place: Place, expected: &str) {
        let flow = file::read(SOURCE).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let found = in_source(&place, SOURCE, Parts::Flow(&flow)).map(|range| range.slice(SOURCE));
        assert_eq!(found.unwrap_or("nowhere"), expected, "{place:?}");
    }

    #[test]
    fn follows_fields_into_the_file() {
        check(Place::node("start"), "\"start\"");
        check(Place::node("start").with_field("any.0.event"), "\"A\"");
        let filter = Place::node("start").with_field("any.0.filter");
        check(filter.clone().with_range(TextRange::new(0, 7)), "event.x");
        check(filter.clone().with_range(TextRange::new(10, 13)), r#"\"y\""#);
        check(filter.with_range(TextRange::new(18, 19)), "z");
        check(Place::message("m").with_field("subject").with_range(TextRange::new(3, 9)), "{name}");
        check(Place::message("m").with_field("body.1.text").with_range(TextRange::new(1, 4)), "{c}");
        check(Place::default().with_field("settings.sender"), "\"shop\"");
        check(Place::default(), "nowhere");
        check(Place::node("gone"), "nowhere");
    }

    #[test]
    fn follows_fields_of_a_workspace() {
        let source = "(version: 1, segments: {\n \"VIP\": \"contact.x > 5\",\n}, caps: [(limit: at_most(3))])";
        for (field, expected) in [("segments.VIP", "\"contact.x > 5\""), ("caps.0.limit", "at_most(3)")] {
            let place = Place::default().with_field(field);
            assert_eq!(in_source(&place, source, Parts::Whole).map(|r| r.slice(source)), Some(expected), "{field}");
        }
    }
}
