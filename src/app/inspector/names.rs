//! Names to choose from: events, segments, score models, lists, senders, messages, properties, paths.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::{
    app::Document,
    audience::{Value, ValueType},
    kinds::Editor,
};

/// A name to choose, and a word about it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Choice {
    /// What is written.
    pub name: String,
    /// A word about it; may be empty.
    pub about: String,
}

fn choice(name: impl Into<String>, about: impl Into<String>) -> Choice {
    Choice { name: name.into(), about: about.into() }
}

/// What can be chosen for an editor. Looks through the audience: ask when a list is opened, not each frame.
pub fn options(document: &Document, editor: Editor) -> Vec<Choice> {
    match editor {
        Editor::Event => events(document),
        Editor::Path => paths(document),
        Editor::Name(what) => named(document, what),
        _ => Vec::new(),
    }
}

/// The word about a chosen name, where it says more than the name: a sender's address, a message's subject.
pub fn about(document: &Document, what: &str, name: &str) -> Option<String> {
    match what {
        "sender" => document.home.workspace.sender(name).map(|s| format!("{} \u{b7} {}", s.name, s.email)),
        "message" => document.flow().message(name).map(|message| message.title().to_owned()),
        _ => None,
    }
}

fn named(document: &Document, what: &str) -> Vec<Choice> {
    let workspace = &document.home.workspace;
    match what {
        "segment" => {
            workspace.segments.iter().map(|(name, c)| choice(name.as_str(), c.condition().sentence())).collect()
        }
        "score" => workspace
            .scores
            .iter()
            .map(|model| choice(model.name.as_str(), format!("{} signals", model.signals.len())))
            .collect(),
        "list" => {
            let mut lists: BTreeSet<&SmolStr> = workspace.lists.iter().collect();
            lists.extend(document.home.audience.contacts.iter().flat_map(|contact| &contact.lists));
            lists.into_iter().map(|list| choice(list.as_str(), "")).collect()
        }
        "sender" => workspace
            .senders
            .iter()
            .map(|sender| choice(sender.id.as_str(), format!("{} \u{b7} {}", sender.name, sender.email)))
            .collect(),
        "message" => {
            let messages = document.flow().messages.iter();
            messages
                .map(|m| {
                    let subject = m.section.value().and_then(|m| m.variants.first()).map(|v| v.subject.clone());
                    choice(m.id.as_str(), subject.unwrap_or_default())
                })
                .collect()
        }
        "step" => {
            let sends = |node: &&std::sync::Arc<crate::flow::Node>| {
                node.settings().is_some_and(|settings| settings.message().is_some())
            };
            document.flow().nodes.iter().filter(sends).map(|node| choice(node.id.as_str(), node.title())).collect()
        }
        "list field" => super::message::fields_of(document.flow(), &[ValueType::List]),
        "number field" => super::message::fields_of(document.flow(), &[ValueType::Number]),
        "date field" => super::message::fields_of(document.flow(), &[ValueType::Date, ValueType::Instant]),
        "event property" => event_properties(document).into_iter().map(|(name, about)| choice(name, about)).collect(),
        "constant" => {
            let constants = document.flow().settings().constants;
            constants.into_iter().map(|(name, value)| choice(name.as_str(), shown(&value))).collect()
        }
        "pool" => {
            let pools = workspace.code_pools.iter();
            pools
                .map(|pool| {
                    let about = pool.shared.as_ref().map_or_else(
                        || format!("{} codes", pool.codes.len()),
                        |shared| format!("{shared} for everybody"),
                    );
                    choice(pool.name.as_str(), about)
                })
                .collect()
        }
        "property" => properties(document).into_iter().map(|(name, about)| choice(name, about)).collect(),
        _ => Vec::new(),
    }
}

/// Events of the catalogue, then those that only the audience has.
fn events(document: &Document) -> Vec<Choice> {
    let workspace = &document.home.workspace;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &document.home.audience.events {
        *counts.entry(event.name.as_str()).or_default() += 1;
    }
    let about = |name: &str| counts.get(name).map_or(String::new(), |n| format!("{n} in the audience"));
    let known = workspace.events.iter().map(|event| choice(event.name.as_str(), about(&event.name)));
    let others = counts.keys().filter(|name| workspace.event(name).is_none()).map(|name| choice(*name, about(name)));
    known.chain(others).collect()
}

/// Properties of contacts with their types.
fn properties(document: &Document) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for contact in &document.home.audience.contacts {
        for (name, value) in &contact.properties {
            if !out.contains_key(name.as_str()) {
                out.insert(name.to_string(), value.value_type().title().to_owned());
            }
        }
    }
    for (name, kind) in &document.home.workspace.properties {
        out.insert(name.to_string(), kind.title().to_owned());
    }
    out
}

/// Paths to values: of the contact, of events, constants of the flow.
fn paths(document: &Document) -> Vec<Choice> {
    let mut out: BTreeSet<Choice> = BTreeSet::new();
    for (name, about) in properties(document) {
        out.insert(choice(format!("contact.{name}"), about));
    }
    for name in ["email", "phone", "language", "zone", "created_at"] {
        out.insert(choice(format!("contact.{name}"), "of every contact"));
    }
    for (name, about) in event_properties(document) {
        out.insert(choice(format!("trigger.{name}"), about.clone()));
        out.insert(choice(format!("event.{name}"), about));
    }
    for (name, value) in document.flow().settings().constants {
        out.insert(choice(format!("constant.{name}"), shown(&value)));
    }
    out.into_iter().collect()
}

/// Properties of events with their types.
fn event_properties(document: &Document) -> BTreeMap<String, String> {
    let mut of_events: BTreeMap<String, String> = BTreeMap::new();
    for event in &document.home.workspace.events {
        for (name, kind) in &event.properties {
            of_events.insert(name.to_string(), kind.title().to_owned());
        }
    }
    // A few of each kind say it all: every event of the audience would be thousands.
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &document.home.audience.events {
        let count = seen.entry(event.name.as_str()).or_default();
        *count += 1;
        if *count > 20 {
            continue;
        }
        for (name, value) in &event.properties {
            of_events.entry(name.to_string()).or_insert_with(|| value.value_type().title().to_owned());
        }
    }
    of_events
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 24 { format!("{}…", text.chars().take(23).collect::<String>()) } else { text }
}

/// Choices that a typed word finds, best first, at most so many.
pub fn found<'a>(choices: &'a [Choice], typed: &str, most: usize) -> Vec<&'a Choice> {
    let typed = typed.trim().to_lowercase();
    let rank = |choice: &Choice| {
        let name = choice.name.to_lowercase();
        if typed.is_empty() || name == typed || name.starts_with(&typed) {
            Some(0)
        } else if name.contains(&typed) {
            Some(1)
        } else if choice.about.to_lowercase().contains(&typed) {
            Some(2)
        } else {
            None
        }
    };
    let mut hits: Vec<(usize, &Choice)> = choices.iter().filter_map(|choice| Some((rank(choice)?, choice))).collect();
    hits.sort_by_key(|(rank, _)| *rank);
    hits.into_iter().take(most).map(|(_, choice)| choice).collect()
}
