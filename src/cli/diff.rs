//! `flowloom diff`: what differs between two flows, by step, edge, message, field and setting.
//!
//! The one idea: people get the differences in words (`report::diff`), by what they mean; programs get those and every
//! part whose text differs, matched by id. Deliberately not here: comparing what the flows do; that is `simulate`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Done, Format, Outcome, Places, Streams, show};
use crate::{
    disk,
    flow::Flow,
    report::diff::{self, Difference},
};

/// Show what differs between two flows
#[derive(Args, Debug)]
pub struct Arguments {
    /// The flow as it was
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The flow as it is
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Change {
    /// `step`, `edge`, `message`, `field`, `settings`, `name`.
    what: &'static str,
    /// Its id.
    id: String,
    /// As it was; absent where it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// As it is; absent where it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// Runs it.
pub fn run(args: &Arguments, _: &Places, streams: &mut Streams) -> Outcome {
    let before = disk::flow(&args.before)?;
    let after = disk::flow(&args.after)?;
    let changes = compare(before.flow(), after.flow());
    let differences = diff::compare(before.flow(), after.flow()).differences;
    match args.format {
        Format::Json => streams.say_json(&serde_json::json!({
            "schema": "flowloom/diff/1",
            "before": before.source.shown,
            "after": after.source.shown,
            "changes": changes,
            "differences": differences.iter().map(said).collect::<Vec<_>>(),
        })),
        Format::Text if differences.is_empty() => streams.say("No difference\n"),
        Format::Text => differences.iter().for_each(|one| {
            streams.say(&show::clean(&format!("{} {}\n", one.sign.letter(), one.words())));
        }),
    }
    Ok(Done::Well)
}

/// A difference as programs read it, with the line that people read.
fn said(one: &Difference) -> serde_json::Value {
    let mut value = serde_json::to_value(one).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.insert("words".to_owned(), one.words().into());
    }
    value
}

/// Named parts of a flow as one line each.
fn parts(flow: &Flow) -> Vec<(&'static str, String, String)> {
    let mut out =
        vec![("name", String::new(), flow.name.clone()), ("settings", String::new(), one_line(flow.settings.raw()))];
    for field in &flow.fields {
        let name = field.value().map_or_else(|| one_line(field.raw()), |field| field.name.to_string());
        out.push(("field", name, one_line(field.raw())));
    }
    for node in &flow.nodes {
        let muted = if node.muted { ", muted" } else { "" };
        out.push((
            "step",
            node.id.to_string(),
            format!("{}{muted} \u{201c}{}\u{201d} {}", node.kind, node.title(), one_line(node.settings.raw())),
        ));
    }
    for edge in &flow.edges {
        out.push(("edge", format!("{}.{}", edge.from, edge.port), edge.to.to_string()));
    }
    for message in &flow.messages {
        out.push(("message", message.id.to_string(), one_line(message.section.raw())));
    }
    out
}

fn one_line(raw: &str) -> String {
    raw.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn compare(before: &Flow, after: &Flow) -> Vec<Change> {
    let (old, new) = (parts(before), parts(after));
    let index =
        |parts: &[(&'static str, String, String)]| -> std::collections::BTreeMap<(&'static str, String), String> {
            parts.iter().map(|(what, id, text)| ((*what, id.clone()), text.clone())).collect()
        };
    let (old_by_id, new_by_id) = (index(&old), index(&new));
    let mut changes = Vec::new();
    for (what, id, text) in &old {
        let now = new_by_id.get(&(*what, id.clone()));
        if now != Some(text) {
            changes.push(Change { what, id: id.clone(), before: Some(text.clone()), after: now.cloned() });
        }
    }
    for (what, id, text) in &new {
        if !old_by_id.contains_key(&(*what, id.clone())) {
            changes.push(Change { what, id: id.clone(), before: None, after: Some(text.clone()) });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::file;

    fn flow(ron: &str) -> Flow {
        file::read(ron).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    #[test]
    fn differences_are_found_by_id() {
        let before = flow(
            r#"(version: 2, id: "f", name: "F", nodes: [(id: "a", kind: "delay", settings: (wait: for("4 h"))), (id: "b", kind: "exit")], edges: [(from: "a", to: "b")])"#,
        );
        let after = flow(
            r#"(version: 2, id: "f", name: "F", nodes: [(id: "c", kind: "exit"), (id: "a", kind: "delay", pos: (9, 9), settings: (wait: for("5 h")))])"#,
        );
        let found = compare(&before, &after);
        let found: Vec<String> = found
            .iter()
            .map(|one| format!("{} {} {}{}", one.what, one.id, one.before.is_some() as u8, one.after.is_some() as u8))
            .collect();
        assert_eq!(found, ["step a 11", "step b 10", "edge a.next 10", "step c 01"]);
        let words = diff::compare(&before, &after).differences;
        let first = said(&words[0]);
        assert_eq!(first["words"], "Delay: wait 4 h \u{2192} 5 h", "{first}");
        assert_eq!(compare(&before, &before), []);
    }
}
