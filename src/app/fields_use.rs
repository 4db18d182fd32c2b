//! Where a flow uses a merge tag, segment, score model, sender, list, constant or event; and renaming a merge tag with
//! all its uses.
//!
//! The one idea: names are found in the words of the file by the same readers that give them their meaning (templates,
//! conditions), and only their letters are exchanged. Deliberately not here: other flows of the workspace.

use std::{collections::BTreeMap, ops::Range};

use smol_str::SmolStr;

use super::{
    ops::{
        ron_text::{Literal, literals, spliced},
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
    content::RESERVED_LINKS,
    flow::{Edit, Flow, MessageSection, file::raw::RawStruct},
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
        let conditions = node.settings().map(|s| s.conditions()).unwrap_or_default();
        for literal in literals(node.settings.raw()).into_iter().filter(|literal| !literal.is_key) {
            let is_condition = conditions.iter().any(|(path, _)| *path == literal.path);
            let count = if is_condition {
                in_condition(&literal.value, thing, name)
            } else {
                usize::from(literal_names(&node.kind, &literal, thing) == Some(name))
            };
            if count > 0 {
                let spot = Spot::Step { id: node.id.clone(), part: literal.path };
                out.push(Use { spot, title: node.title().to_owned(), count });
            }
        }
    }
    for field in &flow.fields {
        let Some(declared) = field.value() else { continue };
        let source = &declared.source;
        let is_used = match thing {
            Thing::Event => source.event() == Some(name),
            Thing::Constant => matches!(source, crate::content::FieldSource::Constant(c) if c == name),
            _ => false,
        };
        if is_used {
            out.push(Use { spot: Spot::Field(declared.name.clone()), title: declared.title().to_owned(), count: 1 });
        }
    }
    let settings = flow.settings();
    let conditions = settings.conditions();
    for literal in literals(flow.settings.raw()).into_iter().filter(|literal| !literal.is_key) {
        let count = if conditions.iter().any(|(path, _)| *path == literal.path) {
            in_condition(&literal.value, thing, name)
        } else {
            usize::from(literal_names("flow", &literal, thing) == Some(name))
        };
        if count > 0 {
            out.push(Use { spot: Spot::Settings(literal.path), title: "Flow".to_owned(), count });
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

fn in_condition(text: &str, thing: Thing, name: &str) -> usize {
    let condition = ConditionText::new(text);
    let is_it = |reference: &Reference| match (reference, thing) {
        (Reference::Segment(n), Thing::Segment)
        | (Reference::Score(n), Thing::Score)
        | (Reference::List(n), Thing::List)
        | (Reference::Metric(n), Thing::Event) => n == name,
        (Reference::Path(path), Thing::Constant) => names_constant(path, name),
        _ => false,
    };
    condition.parsed().references.iter().filter(|(reference, _)| is_it(reference)).count()
}

fn names_constant(path: &Path, name: &str) -> bool {
    path.root == Root::Constant && path.steps.first().is_some_and(|step| step == name)
}

/// The name that a setting outside conditions uses.
fn literal_names<'a>(kind: &str, literal: &'a Literal, thing: Thing) -> Option<&'a str> {
    // Of `add.0` the name is `add`.
    let setting = literal.path.rsplit('.').find(|step| !step.bytes().all(|b| b.is_ascii_digit())).unwrap_or("");
    let value = literal.value.as_str();
    let is_used = match thing {
        Thing::Field => false,
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
            let path = Path::parse(value).ok().filter(|path| path.root == Root::Constant)?;
            let (name, _) = value.split_once('.').map(|(_, rest)| rest.split_once('.').unwrap_or((rest, "")))?;
            return names_constant(&path, name).then_some(name);
        }
    };
    is_used.then_some(value)
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

/// Edits that rename a merge tag: its declaration and every use, and not a letter more.
///
/// Errors: a sentence that says why the name cannot be given.
pub fn rename_field(flow: &Flow, old: &str, new: &str) -> Result<Vec<Edit>, String> {
    let declared = flow.fields.iter().find(|f| f.value().is_some_and(|f| f.name == old));
    let declared = declared.ok_or_else(|| format!("There is no merge tag `{old}`"))?;
    if old == new {
        return Ok(Vec::new());
    }
    let is_name = (1..=64).contains(&new.len())
        && new.starts_with(|c: char| c.is_ascii_alphabetic())
        && new.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(format!("`{new}` cannot name a merge tag: use letters, digits and _, a letter first"));
    }
    if RESERVED_LINKS.contains(&new) || ["loop", "true", "false", "and", "or", "not", "in", "is"].contains(&new) {
        return Err(format!("`{new}` has a meaning of its own in every mail"));
    }
    if flow.field(new).is_some() {
        return Err(format!("There is a merge tag `{new}` already"));
    }
    let mut known = templates::field_names(flow);
    known.insert(old);
    // A loop's own name would catch the tag inside it.
    let is_caught = |text: &str| {
        let words: Vec<&str> =
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
        words.windows(3).any(|w| w[0] == "for" && w[1] == new && w[2] == "in")
    };
    let parts_of = |texts: Vec<TagText>, what: &str| -> Result<Vec<(Range<usize>, String)>, String> {
        let mut parts = Vec::new();
        for text in texts {
            let ranges: Vec<Range<usize>> =
                text.names(&known).into_iter().filter(|(name, _)| name == old).map(|(_, range)| range).collect();
            if !ranges.is_empty() && is_caught(&text.literal.value) {
                return Err(format!("A loop of {what} calls its item `{new}`; rename that first"));
            }
            parts.extend(ranges.into_iter().map(|range| (range, new.to_owned())));
        }
        Ok(parts)
    };

    let mut edits = Vec::new();
    let raw = declared.raw();
    let name = literals(raw).into_iter().find(|l| l.path == "name").ok_or("The declaration has no name in quotes")?;
    let ron = spliced(raw, vec![(name.part(0..name.value.len()), new.to_owned())]);
    edits.push(Edit::SetMergeFieldText { name: Some(SmolStr::new(old)), ron });
    for message in &flow.messages {
        let parts = parts_of(templates::of_message(message), &format!("message `{}`", message.id))?;
        if !parts.is_empty() {
            edits.push(Edit::SetMessageText { id: message.id.clone(), ron: spliced(message.section.raw(), parts) });
        }
    }
    for node in &flow.nodes {
        let parts = parts_of(templates::of_node(node), &format!("step `{}`", node.id))?;
        if !parts.is_empty() {
            let ron = spliced(node.settings.raw(), parts);
            edits.push(Edit::SetSettings { id: node.id.clone(), kind: None, ron });
        }
    }
    let parts = parts_of(templates::of_settings(flow), "the settings")?;
    if !parts.is_empty() {
        let raw = spliced(flow.settings.raw(), parts);
        let keys = RawStruct::parse(&raw).map_err(|error| format!("The settings cannot be read: {error}"))?;
        let value = keys.get("tracking").map(str::to_owned);
        edits.push(Edit::SetFlowField { field: "tracking".into(), value });
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all, file},
        testing::flow_gen,
    };

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
        check(
            &flow,
            Thing::Field,
            "stock_left",
            &["mail-2/body.0.field", "mail-2/body.0.levels.0.text", "mail-2/body.0.levels.1.text"],
        );
        check(&flow, Thing::Field, "cart_items", &["mail-1/body.5.items", "mail-2/body.5.items"]);
        check(&flow, Thing::Event, "Placed Order", &["start/any.1.unless.0.event", "flow/goal_when"]);
        check(&flow, Thing::Event, "Checkout Expired", &["start/any.0.event"]);
        check(&flow, Thing::Sender, "shop", &["flow/sender"]);
        check(&flow, Thing::Constant, "threshold", &["field threshold"]);
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

    const FLOW: &str = r#"(version: 2, id: "f", name: "F", settings: (tracking: {"u": "{old}" /* k */}),
        fields: [(name: "old", /* kept */ source: contact("old"), fallback: "old")],
        nodes: [
            (id: "w", kind: "webhook", settings: (url: "https://x/old/{old}", body: "{\"old\": \"{old}\"}")),
            (id: "c", kind: "condition", settings: (condition: "contact.old = \"old\"")),
        ],
        messages: [(id: "old", subject: "{old} old {{ old }} {{old|upper}} {older}", /* {old} */ body: blocks([
            text(text: "{% for old in items %}{old}{% endfor %}{{ x.old }}{{ old.old }}", show_if: "old and x = 'old'"),
            products(items: "old", title: "old"), countdown(to: "{old}"), html(html: r"<style>{old}</style>{old}"),
        ]))])"#;

    #[test]
    fn a_rename_changes_uses_and_nothing_else() {
        let flow = file::read(FLOW).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let next = apply_all(&flow, &rename_field(&flow, "old", "fresh").expect("renames")).expect("applies");
        assert_eq!(next.fields[0].raw(), r#"(name: "fresh", /* kept */ source: contact("old"), fallback: "old")"#);
        assert_eq!(next.settings.raw(), r#"(tracking: {"u": "{fresh}" /* k */})"#);
        assert_eq!(next.nodes[0].settings.raw(), r#"(url: "https://x/old/{fresh}", body: "{\"old\": \"{fresh}\"}")"#);
        assert_eq!(next.nodes[1], flow.nodes[1]);
        assert_eq!(
            next.messages[0].section.raw(),
            r#"(id: "old", subject: "{fresh} old {{ fresh }} {{fresh|upper}} {older}", /* {old} */ body: blocks([
            text(text: "{% for old in items %}{old}{% endfor %}{{ x.old }}{{ fresh.old }}", show_if: "fresh and x = 'old'"),
            products(items: "fresh", title: "old"), countdown(to: "{fresh}"), html(html: r"<style>{old}</style>{fresh}"),
        ]))"#
        );
    }

    #[track_caller]
    fn check_refused(new: &str, expected: &str) {
        let error = rename_field(&watch(), "cart_value", new).expect_err(new);
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn names_that_cannot_be_given() {
        check_refused("first_name", "already");
        check_refused("view_url", "meaning of its own");
        check_refused("loop", "meaning of its own");
        check_refused("a b", "letters, digits");
        check_refused("1a", "letters, digits");
        check_refused("", "letters, digits");
        assert!(rename_field(&watch(), "nothing", "x").is_err());
        assert_eq!(rename_field(&watch(), "cart_value", "cart_value"), Ok(Vec::new()));
        let flow =
            file::read(&FLOW.replace("for old in", "for fresh in")).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        assert!(rename_field(&flow, "old", "fresh").is_err_and(|e| e.contains("loop")));
    }

    /// There and back again is the same flow, letter by letter; the uses move from one name to the other.
    #[test]
    fn renames_of_made_up_flows() {
        let flows = (0..120).map(|seed| flow_gen::flow(seed, 12)).chain([watch()]);
        for (seed, flow) in flows.enumerate() {
            let names: Vec<SmolStr> = flow.fields().map(|f| f.name.clone()).filter(|n| !n.contains('-')).collect();
            for name in names {
                let mut history = History::new(flow.clone());
                let edits = rename_field(&flow, &name, "zz_other").unwrap_or_else(|e| panic!("{seed}: {e}"));
                history.apply("Rename", &edits, None).unwrap_or_else(|e| panic!("{seed}: {e}"));
                let next = history.flow().clone();
                assert!(next.invariants().is_empty());
                assert_eq!(uses(&next, Thing::Field, "zz_other"), uses(&flow, Thing::Field, &name), "{seed} {name}");
                assert_eq!(uses(&next, Thing::Field, &name), [], "{seed} {name}");
                let back = rename_field(&next, "zz_other", &name).expect("back");
                assert_eq!(apply_all(&next, &back).expect("applies"), flow, "{seed} {name}");
                history.undo();
                assert_eq!(*history.flow(), flow);
            }
        }
    }
}
