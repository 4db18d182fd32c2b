//! Another kind in a step's place, keeping what fits: title, note, place, edges, settings of the same name.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::basic::fresh_message;
use crate::{
    app::card::{self, Family},
    audience::Channel,
    base::{MessageId, NodeId},
    content::{Block, Body, Message, Variant},
    flow::{
        Edge, Edit, Flow, Node,
        file::raw::{RawStruct, set_field},
    },
    kinds::{Port, Settings, Wait, ron_options},
};

/// Edits that make a step another kind. Edges keep their port by name, else by its place among the ports; those that
/// have no port any more go. Settings of the same name stay where the new kind can read them.
///
/// Errors: a sentence that says why not.
pub fn replace_kind(flow: &Flow, id: &NodeId, kind: &str) -> Result<Vec<Edit>, String> {
    let node = flow.node(id.as_str()).ok_or_else(|| format!("There is no step `{id}`"))?;
    let spec = card::spec(kind).ok_or_else(|| format!("No kind of step is called `{kind}`"))?;
    if node.kind == kind {
        return Ok(Vec::new());
    }
    let becomes_trigger = card::family(kind) == Family::Trigger;
    match (node.kind == "trigger", becomes_trigger) {
        (true, true) => {
            let ron = format!("(any: [{kind}{}])", spec.example);
            return Ok(vec![Edit::SetSettings { id: id.clone(), kind: None, ron }]);
        }
        (true, false) => return Err("The trigger lets contacts in; another kind of step cannot".to_owned()),
        (false, true) => return Err("A step cannot become the trigger: add one, or an alternative to it".to_owned()),
        (false, false) => {}
    }
    let mut edits = Vec::new();
    let mut ron = carried(node, kind, spec.example);
    let new = Settings::read(kind, &ron).map_err(|_| format!("The settings of `{kind}` cannot be read"))?;
    if let Some((_, channel)) = new.message() {
        let (message, more) = message_for(flow, node, channel);
        ron = set_field(&ron, "message", Some(&format!("{:?}", message.as_str())))?;
        edits.extend(more);
    } else if let Some(sent) = sent(node).filter(|sent| is_sent_by_it_alone(flow, id, sent)) {
        edits.push(Edit::RemoveMessage(sent));
    }
    let new_ports = new.ports();
    let wires = rewired(flow, node, kind, &new_ports);
    for (edge, _) in wires.iter().filter(|(edge, port)| *port != edge.port) {
        edits.push(Edit::Disconnect { from: id.clone(), port: edge.port.clone() });
    }
    edits.push(Edit::SetSettings { id: id.clone(), kind: Some(SmolStr::new(kind)), ron });
    for (edge, port) in wires.into_iter().filter(|(edge, port)| *port != edge.port && edge.to != edge.from) {
        edits.push(Edit::Connect(Edge { from: id.clone(), port, to: edge.to.clone() }));
    }
    if node.muted && new_ports.len() != 1 {
        edits.push(Edit::SetMuted { id: id.clone(), muted: false });
    }
    Ok(edits)
}

/// The new kind's first settings, with what the old ones say.
fn carried(node: &Node, kind: &str, example: &str) -> String {
    let mut ron = example.to_owned();
    let mut set = |field: &str, value: &str| {
        if let Ok(next) = set_field(&ron, field, Some(value))
            && Settings::read(kind, &next).is_ok()
        {
            ron = next;
        }
    };
    if kind == "split" {
        // A word that no other split has: steps' ids are never reused.
        set("salt", &format!("{:?}", node.id.as_str()));
    }
    let Ok(old) = RawStruct::parse(node.settings.raw()) else { return ron };
    let known: BTreeSet<&str> = card::spec(kind).into_iter().flat_map(|spec| spec.fields).map(|f| f.name).collect();
    for (name, raw) in &old.0 {
        // Arms of a branch are no arms of a split, and a split keeps its own salt.
        if known.contains(name.as_str()) && !matches!(name.as_str(), "message" | "salt") {
            set(name, raw);
        }
    }
    match (node.settings(), kind) {
        (Some(Settings::Condition(_)), "branch") => {
            if let Some(condition) = old.get("condition") {
                set("arms", &format!("[(name: \"yes\", condition: {condition})]"));
            }
        }
        (Some(Settings::Branch(branch)), "condition") => {
            if let Some(text) = branch.arms.first().and_then(|arm| ron_options().to_string(arm.condition.text()).ok()) {
                set("condition", &text);
            }
        }
        (Some(Settings::Branch(branch)), "split") => {
            // The names stay, and the edges with them; the shares are even.
            let names: Vec<&str> = branch.arms.iter().map(|arm| arm.name.as_str()).chain(["else"]).collect();
            let share = 100 / names.len();
            let first = 100 - share * (names.len() - 1);
            let weight = |n: usize| if n == 0 { first } else { share };
            let arms: Vec<String> =
                names.iter().enumerate().map(|(n, name)| format!("(name: {name:?}, weight: {})", weight(n))).collect();
            set("arms", &format!("[{}]", arms.join(", ")));
        }
        (Some(Settings::Delay(delay)), "wait_for_event") => {
            if let Wait::For(span) = &delay.wait {
                set("timeout", &format!("\"{span}\""));
            }
        }
        (Some(Settings::WaitForEvent(wait)), "delay") => set("wait", &format!("for(\"{}\")", wait.timeout)),
        _ => {}
    }
    ron
}

fn sent(node: &Node) -> Option<MessageId> {
    node.settings().and_then(Settings::message).map(|(id, _)| id.clone())
}

fn is_sent_by_it_alone(flow: &Flow, id: &NodeId, message: &MessageId) -> bool {
    let mut others = flow.nodes.iter().filter(|node| node.id != *id);
    !others.any(|node| sent(node).as_ref() == Some(message)) && flow.messages.iter().any(|m| m.id == *message)
}

/// The message for a sending step: its old one where the channel is the same, else a new one with the old words.
fn message_for(flow: &Flow, node: &Node, channel: Channel) -> (MessageId, Vec<Edit>) {
    let old = sent(node).and_then(|id| flow.message(id.as_str()));
    if let Some(old) = old.filter(|old| old.channel == channel) {
        return (old.id.clone(), Vec::new());
    }
    let id = fresh_message(flow);
    let mut message = Message::new(id.as_str(), channel);
    let mut edits = Vec::new();
    if let Some(old) = old {
        message.name.clone_from(&old.name);
        message.variants = old.variants.iter().map(|variant| translated(variant, channel)).collect();
        if is_sent_by_it_alone(flow, &node.id, &old.id) {
            edits.push(Edit::RemoveMessage(old.id.clone()));
        }
    }
    edits.push(Edit::SetMessage(Box::new(message)));
    (id, edits)
}

/// A variant's words on another channel: of a mail the subject or the text of its own, of an SMS its text.
fn translated(variant: &Variant, channel: Channel) -> Variant {
    let mut out = Variant { id: variant.id.clone(), weight: variant.weight, ..Variant::default() };
    let words = variant.text.clone().filter(|text| !text.trim().is_empty());
    match channel {
        Channel::Sms => out.text = words.or_else(|| Some(variant.subject.clone()).filter(|s| !s.is_empty())),
        Channel::Email => {
            let block = |text| Block::Text {
                text,
                align: crate::content::Align::default(),
                on_phone: crate::content::OnPhone::default(),
                show_if: None,
            };
            out.body = Body::Blocks(words.into_iter().map(block).collect());
        }
    }
    out
}

/// The edges that stay, each with its new port.
fn rewired<'a>(flow: &'a Flow, node: &Node, kind: &str, ports: &[Port]) -> Vec<(&'a Edge, SmolStr)> {
    let old_ports = node.ports();
    let edges: Vec<&Edge> = flow.edges.iter().filter(|edge| edge.from == node.id).collect();
    let mut taken: BTreeSet<SmolStr> = BTreeSet::new();
    let mut out: Vec<(&Edge, SmolStr)> = Vec::new();
    let has = |name: &str| ports.iter().any(|port| port.name == name);
    for edge in edges.iter().filter(|edge| has(&edge.port)) {
        taken.insert(edge.port.clone());
        out.push((edge, edge.port.clone()));
    }
    // "Everyone else" and "no" are the same answer, wherever they stand; it comes before what stands at its place.
    let twin = |port: &str| match (port, kind) {
        ("no", "branch") => Some("else"),
        ("else", "condition") => Some("no"),
        _ => None,
    };
    let by_place = |port: &str| {
        let at = old_ports.iter().position(|old| old.name == port)?;
        ports.get(at).map(|port| port.name.as_str())
    };
    let (twins, others): (Vec<&Edge>, Vec<&Edge>) =
        edges.into_iter().filter(|edge| !has(&edge.port)).partition(|edge| twin(&edge.port).is_some());
    for edge in twins.into_iter().chain(others) {
        let port = twin(&edge.port).or_else(|| by_place(&edge.port));
        if let Some(port) = port.filter(|port| taken.insert(SmolStr::new(port))) {
            out.push((edge, SmolStr::new(port)));
        }
    }
    out.sort_by_key(|(_, port)| ports.iter().position(|p| p.name == *port));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all, file},
        kinds::CATALOGUE,
        testing::flow_gen,
    };

    const FLOW: &str = r#"(version: 2, id: "f", name: "F", nodes: [
        (id: "t", kind: "trigger", settings: (any: [])),
        (id: "c", kind: "condition", title: "Big?", note: "N", pos: (8, 16), settings: (condition: "contact.x > \"5\"")),
        (id: "d", kind: "delay", settings: (wait: for("2 days"))),
        (id: "m", kind: "email", settings: (message: "m-1", send_latest_age: "2 h", sender: "shop")),
        (id: "b", kind: "branch", settings: (arms: [(name: "a", condition: "true"), (name: "b", condition: "false")])),
        (id: "x", kind: "exit"), (id: "y", kind: "exit"), (id: "z", kind: "exit"),
    ], edges: [(from: "t", to: "c"), (from: "c", port: "yes", to: "x"), (from: "c", port: "no", to: "y"), (from: "d", to: "x"),
        (from: "m", to: "x"), (from: "b", port: "a", to: "x"), (from: "b", port: "b", to: "y"), (from: "b", port: "else", to: "z")],
    messages: [(id: "m-1", name: "First", subject: "Hi", body: blocks([text(text: "Long")]))])"#;

    fn flow() -> Flow {
        file::read(FLOW).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    #[track_caller]
    fn check(id: &str, kind: &str, settings: &str, wires: &str) -> Flow {
        let flow = flow();
        let edits = replace_kind(&flow, &id.into(), kind).unwrap_or_else(|e| panic!("{e}"));
        let next = apply_all(&flow, &edits).unwrap_or_else(|e| panic!("{e:?}"));
        let node = next.node(id).expect("stays");
        assert_eq!(node.settings.raw(), settings);
        let out = next.edges.iter().filter(|e| e.from.as_str() == id).map(|e| format!("{} {}", e.port, e.to));
        assert_eq!(out.collect::<Vec<_>>().join(", "), wires);
        assert!(next.invariants().is_empty());
        next
    }

    #[test]
    fn what_fits_is_kept() {
        check("c", "branch", r#"(arms: [(name: "yes", condition: "contact.x > \"5\"")])"#, "yes x, else y");
        check("b", "condition", r#"(condition: "true")"#, "yes x, no z");
        check(
            "d",
            "wait_for_event",
            r#"(event: "Placed Order", filter: "event.cart_id = trigger.cart_id", timeout: "2 days")"#,
            "happened x",
        );
        check(
            "c",
            "wait_for_event",
            r#"(event: "Placed Order", filter: "event.cart_id = trigger.cart_id", timeout: "12 h")"#,
            "happened x, timed_out y",
        );
        check(
            "b",
            "split",
            r#"(salt: "b", arms: [(name: "a", weight: 34), (name: "b", weight: 33), (name: "else", weight: 33)])"#,
            "a x, b y, else z",
        );
        check("d", "exit", r#"(reason: "bought")"#, "");
        let next = check("c", "cap", r#"(limit: at_most(3), within: "48 h")"#, "under x, capped y");
        let node = next.node("c").expect("stays");
        assert_eq!((node.title.as_str(), node.note.as_str(), node.pos), ("Big?", "N", (8.0, 16.0)));
    }

    #[test]
    fn a_mail_becomes_a_text_message_with_its_words() {
        let next = check("m", "sms", r#"(message: "mail-2", send_latest_age: "2 h")"#, "next x");
        assert_eq!(next.messages.len(), 1, "the mail that nobody sends any more goes with it");
        let message = next.message("mail-2").expect("there");
        assert_eq!((message.channel, message.name.as_deref()), (Channel::Sms, Some("First")));
        assert_eq!(message.variants[0].text.as_deref(), Some("Hi"));
        let next = check("d", "email", r#"(message: "mail-2")"#, "next x");
        assert_eq!(next.messages.len(), 2);
    }

    #[test]
    fn triggers_stay_triggers() {
        let flow = flow();
        assert!(replace_kind(&flow, &"t".into(), "delay").is_err());
        assert!(replace_kind(&flow, &"d".into(), "event").is_err());
        assert!(replace_kind(&flow, &"d".into(), "teleport").is_err());
        assert_eq!(replace_kind(&flow, &"d".into(), "delay"), Ok(Vec::new()));
        check("t", "list", r#"(any: [list(list: "Newsletter")])"#, "next c");
    }

    /// Every step of made-up flows as every kind: applies, keeps the invariants, is one step back.
    #[test]
    fn replacing_in_made_up_flows() {
        for seed in 0..25 {
            let flow = flow_gen::flow(seed, 12);
            for node in &flow.nodes {
                for spec in CATALOGUE {
                    let Ok(edits) = replace_kind(&flow, &node.id, spec.name) else { continue };
                    let mut history = History::new(flow.clone());
                    history
                        .apply("Replace", &edits, None)
                        .unwrap_or_else(|e| panic!("seed {seed} {} {}: {e}", node.id, spec.name));
                    let next = history.flow();
                    assert!(next.invariants().is_empty(), "seed {seed}: {:?}", next.invariants());
                    let new = next.node(node.id.as_str()).expect("stays");
                    assert_eq!((&new.title, &new.note, new.pos), (&node.title, &node.note, node.pos));
                    history.undo();
                    assert_eq!(*history.flow(), flow);
                }
            }
        }
    }
}
