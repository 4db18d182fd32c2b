//! Copy, paste and duplicate: steps as text that can be mailed.
//!
//! The text is RON, an envelope of parts as a flow file has them:
//!
//! ```text
//! (
//!     flowloom: "clip/1",
//!     fields: [ … ],     declarations of the merge tags that the steps and their messages use
//!     nodes: [ … ],      the steps, settings as written
//!     edges: [ … ],      edges between them
//!     messages: [ … ],   the messages that they send, as written
//! )
//! ```
//!
//! A whole flow file is read as well. Pasting gives new ids where they are taken, and what names a pasted step follows.
//! Deliberately not here: what else a step stands on (segments, constants, lists); the checks say what is missing.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{
    ron_text::{literals, spliced},
    templates,
};
use crate::{
    audience::{ConditionText, condition::Reference},
    base::{Diagnostic, MessageId, NodeId, hash, id::is_wellformed},
    flow::{
        Edge, Edit, Flow, Node, Section,
        file::{self, raw::RawStruct},
    },
    kinds::Settings,
};

/// What the envelope says it is.
pub const ENVELOPE: &str = "clip/1";

/// Largest text that is pasted, in bytes. Source: assumption, as much as a flow of 5,000 steps needs twice over.
const MOST_BYTES: usize = 8 << 20;

/// What a paste would do.
#[derive(Clone, PartialEq, Debug)]
pub struct Pasted {
    /// The edits, one step of the history.
    pub edits: Vec<Edit>,
    /// Ids of the new steps, to be selected.
    pub ids: Vec<NodeId>,
    /// Merge tags that the flow declares otherwise; its own declaration stays.
    pub clashes: Vec<SmolStr>,
    /// What could not come along, in sentences.
    pub left_out: Vec<String>,
}

/// The selected steps as text, with the edges between them and the messages and merge tags they use.
pub fn copy(flow: &Flow, selection: &BTreeSet<NodeId>) -> String {
    let text = file::write(&part_of(flow, selection));
    let body = text.split_once("    settings: (),\n").map_or(text.as_str(), |(_, body)| body);
    format!("(\n    flowloom: \"{ENVELOPE}\",\n{body}")
}

/// The selected steps as a flow of their own.
fn part_of(flow: &Flow, selection: &BTreeSet<NodeId>) -> Flow {
    let mut part = Flow::new("clip", "");
    part.nodes = flow.nodes.iter().filter(|node| selection.contains(&node.id)).cloned().collect();
    let inside = |edge: &&Edge| selection.contains(&edge.from) && selection.contains(&edge.to);
    part.edges = flow.edges.iter().filter(inside).cloned().collect();
    keep_what_is_used(flow, &mut part);
    part
}

fn keep_what_is_used(flow: &Flow, part: &mut Flow) {
    let sent: BTreeSet<MessageId> = part.nodes.iter().filter_map(|node| sent_message(node)).collect();
    part.messages = flow.messages.iter().filter(|message| sent.contains(&message.id)).cloned().collect();
    let messages: Vec<_> = part.messages.iter().map(|m| &**m).collect();
    let nodes: Vec<_> = part.nodes.iter().map(|n| &**n).collect();
    let used = templates::used_fields(flow, &messages, &nodes);
    let is_used = |name: &SmolStr| used.contains(name.as_str());
    part.fields = flow.fields.iter().filter(|f| f.value().is_some_and(|f| is_used(&f.name))).cloned().collect();
}

/// The message of a step, also of one whose other settings cannot be read.
fn sent_message(node: &Node) -> Option<MessageId> {
    if !matches!(node.kind.as_str(), "email" | "sms") {
        return None;
    }
    literals(node.settings.raw()).into_iter().find(|l| l.path == "message").map(|l| MessageId::new(l.value))
}

/// What pasting a text would do; the middle of the steps comes to `at`, or stays where it was.
///
/// Errors: the text is no copy of steps; a sentence that says what and where.
pub fn paste(flow: &Flow, text: &str, at: Option<(f32, f32)>) -> Result<Pasted, String> {
    let clip = read(text)?;
    if clip.nodes.is_empty() {
        return Err("There are no steps in what was copied".to_owned());
    }
    let by = match (at, middle(&clip)) {
        (Some(at), middle) => (at.0 - middle.0, at.1 - middle.1),
        (None, _) => beside(flow, &clip),
    };
    place(flow, &clip, by)
}

/// What duplicating the selected steps would do, moved by so many canvas units.
///
/// Errors: nothing of the selection can be doubled.
pub fn duplicate(flow: &Flow, selection: &BTreeSet<NodeId>, by: (f32, f32)) -> Result<Pasted, String> {
    let part = part_of(flow, selection);
    if part.nodes.is_empty() {
        return Err("No step is selected".to_owned());
    }
    place(flow, &part, by)
}

/// The steps of a text as a flow of their own.
fn read(text: &str) -> Result<Flow, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("What was copied has more than {} MB", MOST_BYTES >> 20));
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let said = |fault: Diagnostic| format!("What was copied are no steps: {}", fault.message);
    let keys = RawStruct::parse(text).map_err(|error| said(file::spanned(text, &error)))?;
    let loaded = match keys.get("flowloom") {
        None if keys.get("version").is_some() => file::read(text).map_err(said)?,
        None => return Err("What was copied are no steps: `flowloom` and `version` are missing".to_owned()),
        Some(envelope) if envelope.trim_matches('"') != ENVELOPE => {
            return Err(format!("What was copied is {envelope}, this build reads \"{ENVELOPE}\""));
        }
        // On the line of the first parenthesis, so that line numbers in messages stay true.
        Some(_) => {
            let inside = text.strip_prefix('(').ok_or("What was copied does not begin with a parenthesis")?;
            let version = file::FLOW_VERSION;
            file::read(&format!("(version: {version}, id: \"clip\", name: \"\", {inside}")).map_err(said)?
        }
    };
    if loaded.read_only {
        return Err("What was copied comes from a newer version".to_owned());
    }
    let mut clip = loaded.flow;
    if let Some(fault) = clip.invariants().first() {
        return Err(format!("What was copied does not fit together: {}", fault.message));
    }
    let whole = clip.clone();
    keep_what_is_used(&whole, &mut clip);
    Ok(clip)
}

fn middle(flow: &Flow) -> (f32, f32) {
    let span = |of: fn(&Node) -> f32| {
        let low = flow.nodes.iter().map(|node| of(node)).fold(f32::INFINITY, f32::min);
        let high = flow.nodes.iter().map(|node| of(node)).fold(f32::NEG_INFINITY, f32::max);
        ((low + high) / 2.0).round()
    };
    (span(|node| node.pos.0), span(|node| node.pos.1))
}

/// Canvas units from one copy to the next, where copies would lie on each other.
const STEP_ASIDE: f32 = 32.0;

fn beside(flow: &Flow, clip: &Flow) -> (f32, f32) {
    let mut by = 0.0;
    let lies_on = |by: f32| {
        let near = |a: &Node, b: &Node| (a.pos.0 + by - b.pos.0).abs() < 1.0 && (a.pos.1 + by - b.pos.1).abs() < 1.0;
        clip.nodes.iter().any(|a| flow.nodes.iter().any(|b| near(a, b)))
    };
    while by < STEP_ASIDE * 50.0 && lies_on(by) {
        by += STEP_ASIDE;
    }
    (by, by)
}

/// Names that are taken, and new ones beside them.
struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// The name itself if it is free, else its stem with the next free number.
    fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        if !is_wellformed(wanted) || self.taken.contains(wanted) {
            let stem = wanted.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
            let stem = if is_wellformed(stem) { &stem[..stem.len().min(56)] } else { "step" };
            let mut n = 2;
            name = format!("{stem}-{n}");
            while self.taken.contains(&name) {
                n += 1;
                name = format!("{stem}-{n}");
            }
        }
        self.taken.insert(name.clone());
        name
    }
}

fn place(flow: &Flow, clip: &Flow, by: (f32, f32)) -> Result<Pasted, String> {
    let mut pasted = Pasted { edits: Vec::new(), ids: Vec::new(), clashes: Vec::new(), left_out: Vec::new() };
    let mut has_trigger = flow.trigger().is_some();
    let mut nodes = Vec::new();
    for node in &clip.nodes {
        if node.kind == "trigger" && std::mem::replace(&mut has_trigger, true) {
            pasted.left_out.push(format!("\u{201c}{}\u{201d}: a flow has one trigger", node.title()));
        } else {
            nodes.push(node);
        }
    }
    if nodes.is_empty() {
        return Err("A flow has one trigger: add an alternative to it instead".to_owned());
    }

    let mut names = Names { taken: flow.messages.iter().map(|m| m.id.to_string()).collect() };
    let mut messages: BTreeMap<MessageId, MessageId> = BTreeMap::new();
    for message in &clip.messages {
        let raw = message.section.raw();
        let Some(id) = literals(raw).into_iter().find(|l| l.path == "id") else {
            pasted.left_out.push(format!("Message `{}`: it has no id of its own", message.id));
            continue;
        };
        let new = MessageId::new(names.fresh(message.id.as_str()));
        let ron = if new == message.id {
            raw.to_owned()
        } else {
            spliced(raw, vec![(id.range, format!("{:?}", new.as_str()))])
        };
        pasted.edits.push(Edit::SetMessageText { id: new.clone(), ron });
        messages.insert(message.id.clone(), new);
    }

    for section in &clip.fields {
        let Some(field) = section.value() else { continue };
        match flow.field(&field.name) {
            Some(there) if there == field => {}
            Some(_) => pasted.clashes.push(field.name.clone()),
            None => pasted.edits.push(Edit::SetMergeFieldText { name: None, ron: section.raw().to_owned() }),
        }
    }

    let mut names = Names { taken: flow.nodes.iter().map(|node| node.id.to_string()).collect() };
    let ids: BTreeMap<NodeId, NodeId> =
        nodes.iter().map(|node| (node.id.clone(), NodeId::new(names.fresh(node.id.as_str())))).collect();
    let new_id = |id: &NodeId| ids.get(id).cloned();
    for node in &nodes {
        let Some(id) = new_id(&node.id) else { continue };
        let mut new = Node::clone(node);
        new.pos = (node.pos.0 + by.0, node.pos.1 + by.1);
        let ron = renamed_settings(flow, node, &id, &ids, &messages);
        new.settings = Section::new(ron.as_str(), Settings::read(&new.kind, &ron), 0);
        new.id = id.clone();
        pasted.ids.push(id);
        pasted.edits.push(Edit::AddNode(Box::new(new)));
    }
    for edge in &clip.edges {
        let (Some(from), Some(to)) = (new_id(&edge.from), new_id(&edge.to)) else { continue };
        if from == to {
            pasted.left_out.push(format!("The edge from `{from}` to itself"));
            continue;
        }
        pasted.edits.push(Edit::Connect(Edge { from, port: edge.port.clone(), to }));
    }
    Ok(pasted)
}

/// A step's settings as written, with the new names of the message it sends and of steps that conditions ask for, and
/// a salt of its own (SEMANTICS R19).
fn renamed_settings(
    flow: &Flow,
    node: &Node,
    id: &NodeId,
    ids: &BTreeMap<NodeId, NodeId>,
    messages: &BTreeMap<MessageId, MessageId>,
) -> String {
    let raw = node.settings.raw();
    let sends = matches!(node.kind.as_str(), "email" | "sms");
    let is_dealt = sends || node.kind == "split";
    let conditions: BTreeSet<String> =
        node.settings().map(|s| s.conditions().into_iter().map(|(path, _)| path).collect()).unwrap_or_default();
    let mut parts = Vec::new();
    for literal in literals(raw).into_iter().filter(|literal| !literal.is_key) {
        if sends && literal.path == "message" {
            if let Some(new) = messages.get(literal.value.as_str()).filter(|new| new.as_str() != literal.value) {
                parts.push((literal.range, format!("{:?}", new.as_str())));
            }
        } else if is_dealt && literal.path == "salt" {
            parts.push((literal.range, format!("{:?}", fresh_salt(flow, id, &literal.value))));
        } else if conditions.contains(&literal.path) {
            for (reference, range) in &ConditionText::new(&literal.value).parsed().references {
                let Reference::Node(old) = reference else { continue };
                let Some(new) = ids.get(old).filter(|new| *new != old) else { continue };
                let Some(at) = range.slice(&literal.value).find(old.as_str()) else { continue };
                let start = range.start + at;
                parts.push((literal.part(start..start + old.as_str().len()), new.to_string()));
            }
        }
    }
    if parts.is_empty() { raw.to_owned() } else { spliced(raw, parts) }
}

/// A salt that no other step has: the same for the same paste, since nothing here draws lots.
fn fresh_salt(flow: &Flow, id: &NodeId, old: &str) -> String {
    let digits = hash::chance(&format!("{}/{}", flow.id, old), id.as_str());
    format!("{id}-{:06x}", digits & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all},
        testing::{Rng, flow_gen},
    };

    fn flow(body: &str) -> Flow {
        let text = format!("(version: 2, id: \"f\", name: \"F\", {body})");
        file::read(&text).unwrap_or_else(|d| panic!("{}\n{text}", d.message)).flow
    }

    fn all(flow: &Flow) -> BTreeSet<NodeId> {
        flow.nodes.iter().map(|node| node.id.clone()).collect()
    }

    const CART: &str = r#"
        fields: [(name: "first_name", source: contact("first_name")), (name: "unused", source: contact("x"))],
        nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Cart Updated")])),
            (id: "mail-1", kind: "email", later: Thing(1), settings: (message: "m-1", /* kept */ warp: 9)),
            (id: "ask", kind: "condition", settings: (condition: "opened \"mail-1\" and contact.x = \"mail-1\"")),
            (id: "deal", kind: "split", settings: (salt: "s", arms: [(name: "a", weight: 50), (name: "b", weight: 50)])),
            (id: "odd", kind: "teleport", settings: (to: mars)),
        ],
        edges: [(from: "start", to: "mail-1"), (from: "mail-1", to: "ask"), (from: "ask", port: "yes", to: "deal"),
            (from: "odd", port: "far", to: "deal")],
        messages: [(id: "m-1", subject: "Hi {first_name}" /* kept */), (id: "m-2", subject: "{unused}")]"#;

    #[test]
    fn a_copy_has_what_the_steps_use() {
        let text = copy(&flow(CART), &["mail-1".into(), "ask".into()].into());
        assert!(text.starts_with("(\n    flowloom: \"clip/1\",\n"), "{text}");
        for kept in
            ["later: Thing(1)", "/* kept */ warp: 9", "first_name", "\"m-1\"", "(from: \"mail-1\", to: \"ask\")"]
        {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        for left in ["unused", "m-2", "start", "version", "deal"] {
            assert!(!text.contains(left), "{left} in {text}");
        }
    }

    #[test]
    fn what_names_a_pasted_step_follows() {
        let flow = flow(CART);
        let pasted = paste(&flow, &copy(&flow, &all(&flow)), Some((800.0, 80.0))).expect("pastes");
        assert_eq!(pasted.ids.iter().map(NodeId::as_str).collect::<Vec<_>>(), ["mail-2", "ask-2", "deal-2", "odd-2"]);
        assert_eq!(pasted.left_out, ["\u{201c}Trigger\u{201d}: a flow has one trigger"]);
        assert_eq!(pasted.clashes, Vec::<SmolStr>::new());
        let next = apply_all(&flow, &pasted.edits).expect("applies");
        let raw = |id: &str| next.node(id).map(|n| n.settings.raw().to_owned()).unwrap_or_default();
        assert_eq!(raw("mail-2"), r#"(message: "m-3", /* kept */ warp: 9)"#);
        assert_eq!(raw("ask-2"), r#"(condition: "opened \"mail-2\" and contact.x = \"mail-1\"")"#);
        assert!(raw("deal-2").starts_with(r#"(salt: "deal-2-"#), "{}", raw("deal-2"));
        assert_eq!(next.messages[2].section.raw(), r#"(id: "m-3", subject: "Hi {first_name}" /* kept */)"#);
        assert_eq!(next.target("odd-2", "far").map(NodeId::as_str), Some("deal-2"));
        assert_eq!(next.fields.len(), 2, "the fields are the same");
        assert_eq!(next.target("ask", "yes").map(NodeId::as_str), Some("deal"), "the old edges stay");
    }

    #[test]
    fn clashes_of_fields_are_named() {
        let there = flow(r#"fields: [(name: "first_name", source: trigger("name"))]"#);
        let here = flow(CART);
        let pasted = paste(&there, &copy(&here, &all(&here)), None).expect("pastes");
        assert_eq!(pasted.clashes, ["first_name"]);
        let next = apply_all(&there, &pasted.edits).expect("applies");
        assert_eq!(next.fields, there.fields);
        assert_eq!(all(&next), all(&here), "free ids stay");
        let whole = paste(&Flow::new("e", "E"), &file::write(&here), None).expect("a flow file is pasted");
        assert_eq!((whole.ids.len(), whole.left_out.len()), (5, 0));
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let error = paste(&flow(CART), text, None).expect_err(text);
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn other_texts_are_refused_with_what_and_where() {
        check_refused("Dear all", "Line 1, column 1");
        check_refused("", "Line 1, column 1");
        check_refused("(a: 1)", "`flowloom` and `version` are missing");
        check_refused("(flowloom: \"clip/9\")", "\"clip/9\"");
        check_refused("(\nflowloom: \"clip/1\",\nnodes: [(id: 3)])", "Line 3, column 14");
        check_refused("(flowloom: \"clip/1\", nodes: [])", "no steps");
        check_refused(
            "(flowloom: \"clip/1\", nodes: [(id: \"a\", kind: \"exit\"), (id: \"a\", kind: \"exit\")])",
            "Two steps",
        );
        check_refused(&"(".repeat(9_000), "Line 1");
        let trigger = "(flowloom: \"clip/1\", nodes: [(id: \"a\", kind: \"trigger\", settings: (any: []))])";
        check_refused(trigger, "one trigger");
    }

    #[test]
    fn copies_step_aside() {
        let flow = flow(CART);
        let text = copy(&flow, &["mail-1".into()].into());
        let once = apply_all(&flow, &paste(&flow, &text, None).expect("pastes").edits).expect("applies");
        let twice = apply_all(&once, &paste(&once, &text, None).expect("pastes").edits).expect("applies");
        let positions = ["mail-2", "mail-3"].map(|id| twice.node(id).map(|n| n.pos));
        assert_eq!(positions, [Some((32.0, 32.0)), Some((64.0, 64.0))]);
    }

    /// Made-up flows: every paste applies, keeps the invariants and all that was there, and is one step back.
    #[test]
    fn pastes_apply_and_come_back() {
        for seed in 0..150 {
            let mut rng = Rng::new(seed);
            let here = flow_gen::flow(seed, 18);
            let there = if rng.percent(50) { here.clone() } else { flow_gen::flow(seed + 1_000, 9) };
            let selection: BTreeSet<NodeId> = all(&here).into_iter().filter(|_| rng.percent(50)).collect();
            let text = copy(&here, &selection);
            let pasted = match paste(&there, &text, rng.percent(50).then_some((100.0, 100.0))) {
                Ok(pasted) => pasted,
                Err(why) if selection.is_empty() || why.contains("trigger") => continue,
                Err(why) => panic!("seed {seed}: {why}\n{text}"),
            };
            let mut history = History::new(there.clone());
            history.apply("Paste", &pasted.edits, None).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
            let next = history.flow().clone();
            assert!(next.invariants().is_empty(), "seed {seed}: {:?}", next.invariants());
            assert_eq!(next.nodes[..there.nodes.len()], there.nodes, "seed {seed}");
            assert_eq!(next.messages[..there.messages.len()], there.messages, "seed {seed}");
            assert_eq!(next.fields[..there.fields.len()], there.fields, "seed {seed}");
            assert_eq!(next.nodes.len(), there.nodes.len() + pasted.ids.len());
            let salts: Vec<_> = next.nodes[there.nodes.len()..]
                .iter()
                .filter_map(|n| if let Some(Settings::Split(s)) = n.settings() { Some(&s.salt) } else { None })
                .collect();
            assert_eq!(salts.iter().collect::<BTreeSet<_>>().len(), salts.len(), "seed {seed}: one salt each");
            history.undo();
            assert_eq!(*history.flow(), there, "seed {seed}");
            let doubled = duplicate(&here, &selection, (40.0, 40.0));
            if let Ok(doubled) = doubled {
                let next = apply_all(&here, &doubled.edits).unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
                assert!(next.invariants().is_empty(), "seed {seed}");
            }
        }
    }

    /// What is pasted into an empty flow and copied again is the same text.
    #[test]
    fn copies_of_copies_are_the_same() {
        for seed in 0..40 {
            let here = flow_gen::flow(seed, 12);
            let text = copy(&here, &all(&here));
            let Ok(pasted) = paste(&Flow::new("e", "E"), &text, None) else { continue };
            if !pasted.left_out.is_empty() || text.contains("salt:") {
                continue;
            }
            let next = apply_all(&Flow::new("e", "E"), &pasted.edits).expect("applies");
            assert_eq!(copy(&next, &all(&next)), text, "seed {seed}");
        }
    }
}
