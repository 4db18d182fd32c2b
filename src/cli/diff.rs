//! `flowloom diff`: what differs between two flows, by step, edge, message, field and setting.
//!
//! The one idea: steps are matched by their ids, which are never reused, so that moving a line in the file or a card on
//! the canvas is no difference. Deliberately not here: comparing what the flows do; that is `simulate`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Done, Format, Outcome, Places, Streams, show};
use crate::{disk, flow::Flow};

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
    match args.format {
        Format::Json => streams.say_json(&serde_json::json!({
            "schema": "flowloom/diff/1",
            "before": before.source.shown,
            "after": after.source.shown,
            "changes": changes,
        })),
        Format::Text if changes.is_empty() => streams.say("No difference\n"),
        Format::Text => changes.iter().for_each(|change| streams.say(&in_words(change))),
    }
    Ok(Done::Well)
}

fn in_words(change: &Change) -> String {
    let Change { what, id, before, after } = change;
    let text = match (before, after) {
        (None, Some(after)) => format!("+ {what} {id}: {after}\n"),
        (Some(before), None) => format!("- {what} {id}: {before}\n"),
        (Some(before), Some(after)) => format!("~ {what} {id}\n    - {before}\n    + {after}\n"),
        (None, None) => String::new(),
    };
    show::clean(&text)
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
        let found: Vec<String> = compare(&before, &after).iter().map(in_words).collect();
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found[0].starts_with("~ step a\n"), "{found:#?}");
        assert!(found[1].starts_with("- step b"), "{found:#?}");
        assert!(found[2].starts_with("- edge a.next: b"), "{found:#?}");
        assert!(found[3].starts_with("+ step c"), "{found:#?}");
        assert_eq!(compare(&before, &before), []);
    }
}
