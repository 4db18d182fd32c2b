//! Where a flow and its workspace file use a merge tag, segment, score model, sender, list, constant, event or pool.
//!
//! The one idea: names are found in the words of the file by the same readers that give them their meaning (templates,
//! conditions), each with its place, so that what counts uses and what renames ([`super::rename`]) cannot differ.

use std::{collections::BTreeMap, ops::Range};

use smol_str::SmolStr;

use super::{
    ops::{
        ron_text::{Literal, literals},
        templates::{self, TagText},
    },
    search::Spot,
};
use crate::{
    audience::{
        ConditionText, Path,
        condition::{Reference, Root},
    },
    base::NodeId,
    flow::{Flow, MessageSection, Node},
};

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Thing {
    /// A merge tag of the flow.
    Field,
    /// A segment of the workspace.
    Segment,
    /// A score model.
    Score,
    /// A sender.
    Sender,
    /// A list.
    List,
    /// A constant of the flow.
    Constant,
    /// A metric.
    Event,
    /// A pool of codes.
    Pool,
}

impl Thing {
    /// What people call one of them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Field => "merge tag",
            Self::Segment => "segment",
            Self::Score => "score model",
            Self::Sender => "sender",
            Self::List => "list",
            Self::Constant => "constant",
            Self::Event => "event",
            Self::Pool => "code pool",
        }
    }
}

/// A place that uses a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    /// Where.
    pub spot: Spot,
    /// What people call that: the step's or message's title, a field's name.
    pub title: String,
    /// How often in that place.
    pub count: usize,
}

/// Every place of the flow that uses a name, in the order of the file.
pub fn uses(flow: &Flow, thing: Thing, name: &str) -> Vec<Use> {
    let mut out = Vec::new();
    if thing == Thing::Field {
        let mut known = templates::field_names(flow);
        known.insert(name);
        let count = |text: &TagText| text.names(&known).iter().filter(|(found, _)| found == name).count();
        for (spot, title, text) in tag_texts(flow) {
            let count = count(&text);
            if count > 0 {
                out.push(Use { spot, title, count });
            }
        }
        return out;
    }
    for node in &flow.nodes {
        for (literal, parts) in in_node(node, thing, name) {
            let spot = Spot::Step { id: node.id.clone(), part: literal.path };
            out.push(Use { spot, title: node.title().to_owned(), count: parts.len() });
        }
    }
    for field in &flow.fields {
        let Some(declared) = field.value() else { continue };
        let count = in_field(field.raw(), thing, name).len();
        if count > 0 {
            out.push(Use { spot: Spot::Field(declared.name.clone()), title: declared.title().to_owned(), count: 1 });
        }
    }
    for (literal, parts) in in_settings(flow, thing, name) {
        out.push(Use { spot: Spot::Settings(literal.path), title: "Flow".to_owned(), count: parts.len() });
    }
    out
}

/// Bytes of the RON around it that write a name; `None` where it is written in another way than letter by letter.
pub(super) type Part = Option<Range<usize>>;

/// Texts that use a name, each with the places of the name.
pub(super) type Found = Vec<(Literal, Vec<Part>)>;

/// Texts of a step's settings that use a name.
pub(super) fn in_node(node: &Node, thing: Thing, name: &str) -> Found {
    let conditions = node.settings().map(|s| s.conditions()).unwrap_or_default();
    let is_condition = |literal: &Literal| conditions.iter().any(|(path, _)| *path == literal.path);
    in_ron(node.settings.raw(), &node.kind, &is_condition, thing, name)
}

/// Texts of the flow's settings that use a name.
pub(super) fn in_settings(flow: &Flow, thing: Thing, name: &str) -> Found {
    let settings = flow.settings();
    let conditions = settings.conditions();
    let is_condition = |literal: &Literal| conditions.iter().any(|(path, _)| *path == literal.path);
    in_ron(flow.settings.raw(), "flow", &is_condition, thing, name)
}

/// Texts of a merge tag's declaration that use a name.
pub(super) fn in_field(raw: &str, thing: Thing, name: &str) -> Found {
    let is_it = |literal: &Literal| match (thing, literal.path.as_str(), literal.owner.as_str()) {
        (Thing::Event, "source.event", _) | (Thing::Pool, "source.pool", _) => true,
        (Thing::Event, "source", owner) => matches!(owner, "hours_since" | "days_since"),
        (Thing::Constant, "source", owner) => owner == "constant",
        _ => false,
    };
    let texts = literals(raw).into_iter().filter(|literal| !literal.is_key && literal.value == name && is_it(literal));
    texts.map(|literal| (literal.clone(), vec![Some(literal.part(0..literal.value.len()))])).collect()
}

/// Texts of the workspace file that use a name; not where it is declared.
pub(super) fn in_workspace(source: &str, thing: Thing, name: &str) -> Found {
    let is_condition = |literal: &Literal| {
        literal.path.starts_with("segments.")
            || (literal.path.starts_with("scores.") && literal.path.ends_with(".filter"))
    };
    let is_name = |literal: &Literal| match thing {
        Thing::Segment => literal.path.starts_with("caps.") && literal.path.ends_with(".segment"),
        Thing::Event => literal.path.starts_with("scores.") && literal.path.ends_with(".event"),
        _ => false,
    };
    let mut out = Vec::new();
    for literal in literals(source).into_iter().filter(|literal| !literal.is_key) {
        let parts = if is_condition(&literal) {
            in_condition(&literal, thing, name)
        } else if literal.value == name && is_name(&literal) {
            vec![Some(literal.part(0..literal.value.len()))]
        } else {
            continue;
        };
        if !parts.is_empty() {
            out.push((literal, parts));
        }
    }
    out
}

fn in_ron(raw: &str, kind: &str, is_condition: &dyn Fn(&Literal) -> bool, thing: Thing, name: &str) -> Found {
    let mut out = Vec::new();
    for literal in literals(raw).into_iter().filter(|literal| !literal.is_key) {
        let parts = if is_condition(&literal) {
            in_condition(&literal, thing, name)
        } else {
            in_setting(kind, &literal, thing, name).into_iter().collect()
        };
        if !parts.is_empty() {
            out.push((literal, parts));
        }
    }
    out
}

/// Every place that uses each merge tag, declared or not, in the order of the file: of all of them in one pass.
pub fn uses_of_tags(flow: &Flow) -> BTreeMap<SmolStr, Vec<Use>> {
    let known = templates::field_names(flow);
    let mut out: BTreeMap<SmolStr, Vec<Use>> = BTreeMap::new();
    for (spot, title, text) in tag_texts(flow) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (name, _) in text.names(&known) {
            *counts.entry(name).or_default() += 1;
        }
        for (name, count) in counts {
            let found = Use { spot: spot.clone(), title: title.clone(), count };
            out.entry(SmolStr::new(name)).or_default().push(found);
        }
    }
    out
}

/// Places in a condition that write a name.
fn in_condition(literal: &Literal, thing: Thing, name: &str) -> Vec<Part> {
    let text = &literal.value;
    let condition = ConditionText::new(text);
    let is_it = |reference: &Reference| match (reference, thing) {
        (Reference::Segment(n), Thing::Segment)
        | (Reference::Score(n), Thing::Score)
        | (Reference::List(n), Thing::List)
        | (Reference::Metric(n), Thing::Event) => n == name,
        (Reference::Path(path), Thing::Constant) => names_constant(path, name),
        _ => false,
    };
    let found = condition.parsed().references.iter().filter(|(reference, _)| is_it(reference));
    found
        .map(|(reference, range)| {
            let range = match reference {
                Reference::Path(_) => constant_in(text, range.start..range.end, name)?,
                // The name stands in quotes.
                _ => range.start + 1..range.end.saturating_sub(1),
            };
            (text.get(range.clone()) == Some(name)).then(|| literal.part(range))
        })
        .collect()
}

fn names_constant(path: &Path, name: &str) -> bool {
    path.root == Root::Constant && path.steps.first().is_some_and(|step| step == name)
}

/// The name within a path such as `constant.name`, which stands at `whole` of a text.
fn constant_in(text: &str, whole: Range<usize>, name: &str) -> Option<Range<usize>> {
    let after = whole.start + Root::Constant.name().len();
    let at = after + text.get(after..whole.end)?.find(name)?;
    Some(at..at + name.len())
}

/// The place of a name in a setting that is no condition.
fn in_setting(kind: &str, literal: &Literal, thing: Thing, name: &str) -> Option<Part> {
    // Of `add.0` the name is `add`.
    let setting = literal.path.rsplit('.').find(|step| !step.bytes().all(|b| b.is_ascii_digit())).unwrap_or("");
    let value = literal.value.as_str();
    let is_used = match thing {
        Thing::Field | Thing::Pool => false,
        Thing::Segment => setting == "segment",
        Thing::Score => kind == "trigger" && setting == "model",
        Thing::Sender => setting == "sender",
        Thing::List => {
            (kind == "trigger" && setting == "list") || (kind == "list_update" && matches!(setting, "add" | "remove"))
        }
        Thing::Event => {
            matches!(kind, "trigger" | "wait_for_event") && matches!(setting, "event" | "start" | "events" | "unless")
        }
        Thing::Constant => {
            let path = Path::parse(value).ok().filter(|path| names_constant(path, name));
            return path.map(|_| constant_in(value, 0..value.len(), name).map(|range| literal.part(range)));
        }
    };
    (is_used && value == name).then(|| Some(literal.part(0..value.len())))
}

/// Every text with tags, with its place and what people call that.
fn tag_texts(flow: &Flow) -> Vec<(Spot, String, TagText)> {
    let mut out = Vec::new();
    for message in &flow.messages {
        let title = message.section.value().map_or(message.id.as_str(), |m| m.title()).to_owned();
        let sent_by = sender_of(flow, message);
        for text in templates::of_message(message) {
            let part = text.literal.path.clone();
            let spot = Spot::Message { id: message.id.clone(), sent_by: sent_by.clone(), part };
            out.push((spot, title.clone(), text));
        }
    }
    for node in &flow.nodes {
        for text in templates::of_node(node) {
            let spot = Spot::Step { id: node.id.clone(), part: text.literal.path.clone() };
            out.push((spot, node.title().to_owned(), text));
        }
    }
    for text in templates::of_settings(flow) {
        out.push((Spot::Settings(text.literal.path.clone()), "Flow".to_owned(), text));
    }
    out
}

fn sender_of(flow: &Flow, message: &MessageSection) -> Option<NodeId> {
    let sends = |node: &&std::sync::Arc<crate::flow::Node>| {
        node.settings().and_then(|s| s.message()).is_some_and(|(id, _)| *id == message.id)
    };
    flow.nodes.iter().find(sends).map(|node| node.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::file;

    fn watch() -> Flow {
        let source = include_str!("../../sample_flows/watch-shop/watch-shop.flow.ron");
        file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    #[track_caller]
    fn check(flow: &Flow, thing: Thing, name: &str, expected: &[&str]) {
        let found = uses(flow, thing, name);
        let shown: Vec<String> = found
            .iter()
            .map(|found| {
                let place = match &found.spot {
                    Spot::Step { id, part } => format!("{id}/{part}"),
                    Spot::Message { id, part, .. } => format!("{id}/{part}"),
                    Spot::Field(name) => format!("field {name}"),
                    Spot::Settings(part) => format!("flow/{part}"),
                };
                if found.count == 1 { place } else { format!("{place} x{}", found.count) }
            })
            .collect();
        assert_eq!(shown, expected, "{name}");
    }

    #[test]
    fn uses_are_found() {
        let flow = watch();
        check(&flow, Thing::Field, "stock_left", &["mail-2/body.0.html", "mail-2/body.0.show_if x2"]);
        check(&flow, Thing::Field, "cart_items", &["mail-1/body.5.items", "mail-2/body.5.items"]);
        check(&flow, Thing::Event, "Placed Order", &["start/any.1.unless.0.event", "flow/goal_when"]);
        check(&flow, Thing::Event, "Checkout Expired", &["start/any.0.event"]);
        check(&flow, Thing::Sender, "shop", &["flow/sender"]);
        check(&flow, Thing::Constant, "threshold", &["field threshold"]);
        check(&flow, Thing::Pool, "watch15", &["field discount_code"]);
        check(&flow, Thing::Segment, "VIP", &[]);
        let text = r#"(version: 2, id: "f", name: "F", settings: (caps: [(limit: none, segment: "VIP")], exit_when: "in segment \"VIP\" or score \"s\" > 3 or contact.y > constant.n"),
            nodes: [
                (id: "l", kind: "list_update", settings: (add: ["News"], remove: ["Old"])),
                (id: "c", kind: "condition", settings: (condition: "on list \"News\" and contact.x > constant.n")),
                (id: "d", kind: "delay", settings: (wait: date(property: "constant.n"))),
                (id: "w", kind: "webhook", settings: (url: "https://x/{a}", headers: {"{a}": "{a}"})),
                (id: "t", kind: "trigger", settings: (any: [list(list: "News"), segment(segment: "VIP"), score(model: "s", threshold: 3), inactivity(events: ["E"], after: "1 day")])),
            ])"#;
        let flow = file::read(text).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        check(&flow, Thing::List, "News", &["l/add.0", "c/condition", "t/any.0.list"]);
        check(&flow, Thing::Segment, "VIP", &["t/any.1.segment", "flow/caps.0.segment", "flow/exit_when"]);
        check(&flow, Thing::Score, "s", &["t/any.2.model", "flow/exit_when"]);
        check(&flow, Thing::Constant, "n", &["c/condition", "d/wait.property", "flow/exit_when"]);
        check(&flow, Thing::Event, "E", &["t/any.3.events.0"]);
        check(&flow, Thing::Field, "a", &["w/url", "w/headers.{a}"]);
    }
}
