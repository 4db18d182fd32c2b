//! The proof of an import: the flow is exported, and what that writes in another form is kept beside it.
//!
//! A step that the export would leave out, or write as another kind of action, is locked instead, so that its JSON goes
//! back as it came.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::{
    Original,
    document::Document,
    keep, locked,
    names::{id_of, placeholder},
    set_settings,
};
use crate::{
    base::NodeId,
    flow::{Edge, Flow, KeptJson, Node, Workspace},
    platforms::{
        import::{Imported, Remark, RemarkKind},
        klaviyo::definition,
    },
};

/// A flow that was read and not yet proven.
pub(super) struct Draft<'a> {
    pub flow: Flow,
    pub workspace: Workspace,
    pub report: Vec<Remark>,
    pub originals: Vec<Original<'a>>,
}

/// Most times that steps are locked because of others. Source: assumption; none of the samples needs more than two.
const MOST_ROUNDS: usize = 3;

/// Says that an import was not proven, or not as a whole.
fn unproven(document: &Document<'_>, message: String, remedy: &str) -> Remark {
    Remark {
        kind: RemarkKind::Guessed,
        code: "import/unproven",
        pointer: document.pointer.clone(),
        node: None,
        message,
        remedy: remedy.to_owned(),
    }
}

/// The import, with what must be kept so that its export is the same JSON.
pub(super) fn verified(draft: Draft<'_>, document: &Document<'_>) -> Imported {
    let Draft { mut flow, workspace, mut report, originals } = draft;
    // Locking steps may change what is exported of others, but each round locks at least one.
    let mut round = 0;
    let exported = loop {
        let Some(exported) = definition(&flow, &workspace) else { break None };
        let written = actions_of(&exported);
        let reached = reached(&flow);
        let foreign = foreign(&flow);
        let lost: BTreeSet<NodeId> = originals
            .iter()
            .filter(|original| reached.contains(original.node.as_str()))
            .filter(|original| !foreign.contains(original.node.as_str()))
            .filter(|o| written.get(o.node.as_str()).is_none_or(|action| action.get("type") != o.json.get("type")))
            .map(|original| original.node.clone())
            .collect();
        round += 1;
        if lost.is_empty() {
            break Some(exported);
        }
        if round > MOST_ROUNDS {
            let named: Vec<String> = lost.iter().take(5).map(|node| format!("`{node}`")).collect();
            let message = format!(
                "{} steps may go back as something else, though others were locked {MOST_ROUNDS} times over for it: {}",
                lost.len(),
                named.join(", ")
            );
            report.push(unproven(document, message, "Compare these steps with Klaviyo before the flow goes back"));
            break Some(exported);
        }
        lock(&mut flow, &originals, &lost);
        for remark in &mut report {
            let is_locked = remark.node.as_ref().is_some_and(|node| lost.contains(node));
            if is_locked && remark.kind == RemarkKind::Understood {
                remark.kind = RemarkKind::Kept;
                remark.code = "import/kept-action";
                remark.message =
                    "The step would go back as something else, so it stays Klaviyo's own, which contacts pass here"
                        .into();
                remark.remedy =
                    "Leave it when the flow goes back there; otherwise draw what it does with other steps".into();
            }
        }
    };
    let Some(exported) = exported else {
        let message = "The flow cannot be exported as it is, so it was not compared with what came";
        report.push(unproven(document, message.into(), "Run `flowloom check` on it"));
        return Imported { flow, workspace, report };
    };
    let mut kept = Vec::new();
    let written = actions_of(&exported);
    let foreign = foreign(&flow);
    for original in originals.iter().filter(|original| !foreign.contains(original.node.as_str())) {
        let Some(action) = written.get(original.node.as_str()) else { continue };
        let as_posted = as_posted(original, action);
        if let Some(patch) = keep::difference(&as_posted, action, Some(original.node.clone())) {
            say_kept(&patch, &original.pointer, &mut report);
            kept.push(patch);
        }
    }
    let ours: Map<String, Json> = without(&exported, &["actions", "entry_action_id"]);
    let theirs: Map<String, Json> =
        without(&Json::Object(document.definition.clone()), &["actions", "entry_action_id", "name"]);
    let (mut ours, mut theirs) = (ours, theirs);
    // The longest way through the flow is in what is exported of a rule, so the form that came stands for the rule
    // alone.
    let (written, came) = (ours.remove("reentry_criteria"), theirs.remove("reentry_criteria"));
    let came = came.unwrap_or_default();
    if !keep::same(&came, &written.unwrap_or_default()) {
        let patch = keep::of_reentry(&came, &flow.settings().reentry);
        say_kept(&patch, &document.pointer, &mut report);
        kept.push(patch);
    }
    if let Some(patch) = keep::difference(&Json::Object(theirs), &Json::Object(ours), None) {
        say_kept(&patch, &document.pointer, &mut report);
        kept.push(patch);
    }
    if !kept.is_empty() {
        let mut settings = flow.settings();
        settings.kept = kept;
        set_settings(&mut flow, settings);
    }
    Imported { flow, workspace, report }
}

fn actions_of(definition: &Json) -> BTreeMap<&str, &Json> {
    let actions = definition.get("actions").and_then(Json::as_array).into_iter().flatten();
    actions.filter_map(|action| Some((action.get("temporary_id")?.as_str()?, action))).collect()
}

/// Steps that contacts can get to.
fn reached(flow: &Flow) -> BTreeSet<&str> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in &flow.edges {
        next.entry(edge.from.as_str()).or_default().push(edge.to.as_str());
    }
    let mut seen = BTreeSet::new();
    let mut stack = vec!["trigger"];
    while let Some(at) = stack.pop() {
        if seen.insert(at) {
            stack.extend(next.get(at).into_iter().flatten());
        }
    }
    seen
}

/// Locked steps.
fn foreign(flow: &Flow) -> BTreeSet<SmolStr> {
    flow.nodes.iter().filter(|node| node.kind == "foreign").map(|node| SmolStr::new(node.id.as_str())).collect()
}

/// Turns steps into locked ones, with edges where their links lead.
fn lock(flow: &mut Flow, originals: &[Original<'_>], lost: &BTreeSet<NodeId>) {
    let mut old: BTreeMap<NodeId, BTreeMap<String, NodeId>> = BTreeMap::new();
    for edge in flow.edges.iter().filter(|edge| lost.contains(&edge.from)) {
        old.entry(edge.from.clone()).or_default().insert(edge.port.to_string(), edge.to.clone());
    }
    flow.edges.retain(|edge| !lost.contains(&edge.from));
    let places: BTreeMap<NodeId, usize> = flow
        .nodes
        .iter()
        .enumerate()
        .map(|(n, node)| (node.id.clone(), n))
        .filter(|(id, _)| lost.contains(id))
        .collect();
    for original in originals.iter().filter(|original| lost.contains(&original.node)) {
        let Some(node) = places.get(&original.node).and_then(|n| flow.nodes.get_mut(*n)) else { continue };
        let kind = original.json.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
        let made = locked(original.json, kind);
        let old = old.remove(&original.node).unwrap_or_default();
        // The ways out keep their order; only their names may be others.
        let targets: Vec<Option<NodeId>> =
            node.ports().iter().map(|port| old.get(port.name.as_str()).cloned()).collect();
        let mut locked = Node::new(original.node.clone(), "foreign", &made.settings.to_ron());
        locked.title = node.title.clone();
        *node = Arc::new(locked);
        for ((port, _), target) in made.ways.iter().zip(targets) {
            if let Some(to) = target {
                flow.edges.push(Edge::new(original.node.clone(), port, to));
            }
        }
    }
}

/// The original in the form of a create body, its parts named as the export names them.
fn as_posted(original: &Original<'_>, exported: &Json) -> Json {
    let mut out = keep::to_create_form(original.json);
    placeholders(&mut out, exported);
    if out.get("type").and_then(Json::as_str) != Some("ab-test") {
        return out;
    }
    let variations = out.pointer("/data/current_experiment/variations").and_then(Json::as_array).map_or(0, Vec::len);
    let written = exported.pointer("/data/current_experiment/variations").and_then(Json::as_array).map_or(0, Vec::len);
    if variations != written {
        return out;
    }
    let name_of = |at: &str| exported.pointer(&format!("{at}/temporary_id")).cloned().unwrap_or_default();
    if let Some(Json::Object(action)) = out.pointer_mut("/data/main_action") {
        action.insert("temporary_id".into(), name_of("/data/main_action"));
    }
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    if let Some(Json::Array(list)) = out.pointer_mut("/data/current_experiment/variations") {
        for (n, variation) in list.iter_mut().enumerate() {
            let Json::Object(variation) = variation else { continue };
            let id = name_of(&format!("/data/current_experiment/variations/{n}"));
            if let (Some(old), Some(new)) = (id_of(variation.get("temporary_id")), id.as_str()) {
                renamed.insert(old, new.to_owned());
            }
            variation.insert("temporary_id".into(), id);
        }
    }
    if let Some(Json::Object(shares)) = out.pointer_mut("/data/current_experiment/allocations") {
        let old = std::mem::take(shares);
        for (id, share) in old {
            shares.insert(renamed.get(&id).cloned().unwrap_or(id), share);
        }
    }
    out
}

/// Where the original has a placeholder of ours for a template, what the export has there: it names our own message.
fn placeholders(original: &mut Json, exported: &Json) {
    match (original, exported) {
        (Json::Object(original), Json::Object(exported)) => {
            for (key, value) in original {
                let Some(written) = exported.get(key) else { continue };
                let is_ours = value.as_str().is_some_and(|id| placeholder("template", id).is_some());
                if key == "template_id" && is_ours && written.is_string() {
                    *value = written.clone();
                } else {
                    placeholders(value, written);
                }
            }
        }
        (Json::Array(original), Json::Array(exported)) => {
            original.iter_mut().zip(exported).for_each(|(value, written)| placeholders(value, written));
        }
        _ => {}
    }
}

fn without(json: &Json, keys: &[&str]) -> Map<String, Json> {
    let mut map = json.as_object().cloned().unwrap_or_default();
    map.retain(|key, _| !keys.contains(&key.as_str()));
    map
}

/// Says what is kept: the keys, not their values.
fn say_kept(patch: &KeptJson, pointer: &str, report: &mut Vec<Remark>) {
    let json: Json = serde_json::from_str(&patch.patch).unwrap_or_default();
    let mut keys = Vec::new();
    let mut stack = vec![(String::new(), json.get("keep"))];
    while let Some((path, json)) = stack.pop() {
        match json {
            Some(Json::Object(map)) if !map.is_empty() && path.matches('.').count() < 3 => {
                stack.extend(map.iter().rev().map(|(key, value)| {
                    (if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, Some(value))
                }));
            }
            _ => keys.push(path),
        }
    }
    let more = keys.len().saturating_sub(8);
    keys.truncate(8);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    report.push(Remark {
        kind: RemarkKind::Kept,
        code: "import/kept-json",
        pointer: pointer.to_owned(),
        node: patch.node.clone(),
        message: format!("Goes back as it came, and is not shown here: `{}`{more}", keys.join("`, `")),
        remedy: String::new(),
    });
}
