//! Bringing two versions of a flow together that began as one: somebody else wrote the file while it was open.
//!
//! The one idea: the parts that an edit changes (a step's name, one of its settings, an edge, a message) are compared
//! one by one with what both began from. What one side alone changed is taken, what both changed alike is no question,
//! and the rest is a [`Conflict`] that says both sides in words; [`merge`] with a choice for each gives the flow. Where
//! both moved a step the own place stays, which is nobody's work lost. Deliberately not here: asking.

mod texts;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use smol_str::SmolStr;

use self::texts::{Merger, name_of, order, shown};
use super::{
    file,
    graph::{Edge, Flow, MessageSection, Node, Section},
    settings::FlowSettings,
};
use crate::{
    base::{MessageId, NodeId},
    content::{Field, Message},
    kinds::{Settings, SettingsError, ron_options},
};

/// Whose version of a part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// What stands in the editor.
    Mine,
    /// What stands in the file.
    Theirs,
}

/// What sort of thing a part belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// The flow itself: its name, its settings.
    Flow,
    /// A step.
    Step,
    /// An edge.
    Edge,
    /// A message.
    Message,
    /// A merge tag.
    Field,
    /// The workspace file.
    Workspace,
}

/// A part of a flow or workspace that can be changed by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part {
    /// Of what.
    pub sort: Sort,
    /// Its id or name; for an edge where it begins; empty for the flow and the workspace.
    pub of: SmolStr,
    /// Which part of it, as `settings.for`; for an edge its port; empty for all of it.
    pub key: SmolStr,
}

impl Part {
    fn new(sort: Sort, of: impl Into<SmolStr>, key: impl Into<SmolStr>) -> Self {
        Self { sort, of: of.into(), key: key.into() }
    }

    fn inside(&self, key: &str) -> Self {
        let key = if self.key.is_empty() { SmolStr::new(key) } else { SmolStr::new(format!("{}.{key}", self.key)) };
        Self { sort: self.sort, of: self.of.clone(), key }
    }
}

/// Something that both sides changed, each in another way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// What.
    pub part: Part,
    /// The same for people: "Step “Wait a day”, `for`".
    pub about: String,
    /// What stands in the editor.
    pub mine: String,
    /// What stands in the file.
    pub theirs: String,
}

/// Two versions brought together.
#[derive(Debug)]
pub struct Merged<T> {
    /// The result, with the chosen side of each conflict; the own one where nothing was chosen.
    pub value: T,
    /// What both sides changed, in order.
    pub conflicts: Vec<Conflict>,
    /// What the file changed and was taken.
    pub taken: BTreeSet<Part>,
    /// What of both could not be kept, in words.
    pub left_out: Vec<String>,
}

impl<T> Merged<T> {
    /// What was taken, counted: "2 steps and 1 message"; empty where nothing was.
    pub fn summary(&self) -> String {
        let mut things: BTreeMap<Sort, BTreeSet<&str>> = BTreeMap::new();
        for part in &self.taken {
            let is_whole = matches!(part.sort, Sort::Flow | Sort::Workspace | Sort::Edge);
            let names = things.entry(part.sort).or_default();
            names.insert(if is_whole && part.sort != Sort::Edge { &part.key } else { &part.of });
        }
        let words: Vec<String> = things
            .iter()
            .map(|(sort, names)| {
                let word = match sort {
                    Sort::Flow | Sort::Workspace => "setting",
                    Sort::Step => "step",
                    Sort::Edge => "edge",
                    Sort::Message => "message",
                    Sort::Field => "merge tag",
                };
                let count = if *sort == Sort::Edge {
                    self.taken.iter().filter(|part| part.sort == Sort::Edge).count()
                } else {
                    names.len()
                };
                format!("{count} {word}{}", if count == 1 { "" } else { "s" })
            })
            .collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            Some((last, _)) => last.clone(),
            None => String::new(),
        }
    }
}

/// Brings `mine` and `theirs` together, which both began as `base`.
///
/// The result has no edges from or to steps that are gone, and none of ports that are gone, if `mine` and `theirs` have
/// none. `choices` says whose side counts in a conflict; the own one where it says nothing.
pub fn merge(base: &Flow, mine: &Flow, theirs: &Flow, choices: &BTreeMap<Part, Side>) -> Merged<Flow> {
    let plain = |flow: &Flow| Merged {
        value: flow.clone(),
        conflicts: Vec::new(),
        taken: BTreeSet::new(),
        left_out: Vec::new(),
    };
    if theirs == base || mine == theirs {
        return plain(mine);
    }
    let theirs = &apart(base, mine, theirs);
    let mut merger = Merger { choices: Some(choices), ..Merger::default() };
    let flow = if mine == base {
        // All of it is taken; what follows only counts.
        let _ = whole(&mut merger, base, mine, theirs);
        theirs.clone()
    } else {
        whole(&mut merger, base, mine, theirs)
    };
    let mut conflicts = merger.conflicts;
    for conflict in &mut conflicts {
        conflict.about = about(&conflict.part, [mine, theirs, base]);
    }
    Merged { value: flow, conflicts, taken: merger.taken, left_out: merger.left_out }
}

/// Brings two texts of a workspace file together.
pub fn merge_workspace(base: &str, mine: &str, theirs: &str, choices: &BTreeMap<Part, Side>) -> Merged<String> {
    let part = Part::new(Sort::Workspace, "", "");
    let mut merger = Merger { choices: Some(choices), ..Merger::default() };
    let mut text = merger.text(&part, 0, [Some(base), Some(mine), Some(theirs)]).unwrap_or_default();
    let reads = |text: &str| text.is_empty() || file::read_workspace(text).is_ok();
    if !reads(&text) && (reads(mine) || reads(theirs)) {
        // Both are right, and together they are not.
        merger = Merger { choices: Some(choices), ..Merger::default() };
        let side = merger.conflict(&part, "as edited here".to_owned(), "as in the file".to_owned());
        text = if side == Side::Mine { mine } else { theirs }.to_owned();
    }
    let mut conflicts = merger.conflicts;
    for conflict in &mut conflicts {
        conflict.about = about(&conflict.part, []);
    }
    Merged { value: text, conflicts, taken: merger.taken, left_out: merger.left_out }
}

/// What a part is called.
fn about<const N: usize>(part: &Part, flows: [&Flow; N]) -> String {
    let step = |id: &str| {
        let node = flows.iter().find_map(|flow| flow.node(id));
        node.map_or_else(|| format!("`{id}`"), |node| format!("\u{201c}{}\u{201d}", node.title()))
    };
    let key = part.key.strip_prefix("settings.").unwrap_or(&part.key);
    let of_it = match key {
        "" => String::new(),
        "title" => ", its name".to_owned(),
        "note" => ", its remark".to_owned(),
        "muted" => ", whether it is muted".to_owned(),
        "settings" => ", its settings".to_owned(),
        key => format!(", `{key}`"),
    };
    match part.sort {
        Sort::Flow if key == "name" => "The name of the flow".to_owned(),
        Sort::Flow => format!("The flow{of_it}"),
        Sort::Step => format!("Step {}{of_it}", step(&part.of)),
        Sort::Edge if key == crate::kinds::NEXT => format!("The way on from {}", step(&part.of)),
        Sort::Edge => format!("The way on from {} by `{key}`", step(&part.of)),
        Sort::Message => format!("Message `{}`{of_it}", part.of),
        Sort::Field => format!("Merge tag `{}`{of_it}", part.of),
        Sort::Workspace => format!("The workspace{of_it}"),
    }
}

/// Both sides add steps, and ids are made from a kind and a number: two different ones may have the same. Those of the
/// file get other ids then, unless something in it names them.
fn apart(base: &Flow, mine: &Flow, theirs: &Flow) -> Flow {
    let mut out = theirs.clone();
    let old: BTreeSet<&NodeId> = base.nodes.iter().map(|node| &node.id).collect();
    let own: BTreeMap<&NodeId, &Arc<Node>> = mine.nodes.iter().map(|node| (&node.id, node)).collect();
    let clashes = theirs.nodes.iter().filter(|node| !old.contains(&node.id));
    let clashes: Vec<&Arc<Node>> = clashes.filter(|node| own.get(&node.id).is_some_and(|own| own != node)).collect();
    let mut taken: BTreeSet<NodeId> = old.iter().chain(own.keys()).map(|id| (*id).clone()).collect();
    taken.extend(theirs.nodes.iter().map(|node| node.id.clone()));
    for node in clashes {
        let id = node.id.as_str();
        let quoted = format!("\"{id}\"");
        let texts = theirs.nodes.iter().map(|node| node.settings.raw());
        let mut texts = texts.chain(theirs.messages.iter().map(|message| message.section.raw()));
        if texts.any(|text| text.contains(&quoted) || text.contains(&format!("{id}."))) {
            continue;
        }
        let stem = node.kind.replace('_', "-");
        // The numbers up to here cannot all be taken.
        let fresh = (1..=taken.len() + 1).map(|n| NodeId::new(format!("{stem}-{n}")));
        let Some(fresh) = fresh.into_iter().find(|id| !taken.contains(id)) else { continue };
        taken.insert(fresh.clone());
        for other in out.nodes.iter_mut().filter(|other| other.id == node.id) {
            Arc::make_mut(other).id = fresh.clone();
        }
        for edge in &mut out.edges {
            for end in [&mut edge.from, &mut edge.to] {
                if *end == node.id {
                    *end = fresh.clone();
                }
            }
        }
    }
    out
}

fn whole(merger: &mut Merger<'_>, base: &Flow, mine: &Flow, theirs: &Flow) -> Flow {
    let part = |key: &str| Part::new(Sort::Flow, "", key);
    let three = [base, mine, theirs];
    let mut out = mine.clone();
    out.id = merger.value(&part("id"), three.map(|flow| &flow.id), ToString::to_string).clone();
    merger.value(&part("name"), three.map(|flow| flow.name.as_str()), quoted).clone_into(&mut out.name);
    out.settings = settings(merger, three);
    out.extra = extra(merger, &part(""), three.map(|flow| &flow.extra));
    out.nodes = nodes(merger, three);
    out.messages = messages(merger, three, &out.nodes);
    out.fields = fields(merger, three);
    out.edges = edges(merger, three, &out);
    out
}

fn settings(merger: &mut Merger<'_>, three: [&Flow; 3]) -> Arc<Section<FlowSettings>> {
    let part = Part::new(Sort::Flow, "", "settings");
    let raw = raw(merger, &part, three.map(|flow| flow.settings.raw()), |raw| file::read_flow_settings(raw).is_ok());
    let same = three.iter().find(|flow| flow.settings.raw() == raw);
    same.map_or_else(
        || Arc::new(Section::new(raw.as_str(), file::read_flow_settings(&raw), 0)),
        |flow| Arc::clone(&flow.settings),
    )
}

/// Merges a text by its keys where the result can be read, else as a whole.
fn raw(merger: &mut Merger<'_>, part: &Part, three: [&str; 3], reads: impl Fn(&str) -> bool) -> String {
    let [_, mine, theirs] = three;
    let (num_conflicts, taken) = (merger.conflicts.len(), merger.taken.clone());
    let text = merger.text(part, 0, three.map(Some)).unwrap_or_default();
    if reads(&text) || !(reads(mine) && reads(theirs)) {
        return text;
    }
    merger.conflicts.truncate(num_conflicts);
    merger.taken = taken;
    merger.value(part, three, |text| shown(Some(text))).to_owned()
}

fn extra(merger: &mut Merger<'_>, part: &Part, three: [&Vec<(SmolStr, Arc<str>)>; 3]) -> Vec<(SmolStr, Arc<str>)> {
    let [base, mine, theirs] = three;
    let names = |all: &[(SmolStr, Arc<str>)]| -> Vec<SmolStr> { all.iter().map(|(key, _)| key.clone()).collect() };
    let get = |all: &'_ [(SmolStr, Arc<str>)], key: &str| -> Option<String> {
        all.iter().find(|(known, _)| known == key).map(|(_, raw)| raw.to_string())
    };
    let mut values: BTreeMap<SmolStr, String> = BTreeMap::new();
    for key in names(mine).into_iter().chain(names(theirs)) {
        if values.contains_key(&key) || (get(mine, &key).is_none() && get(base, &key) == get(theirs, &key)) {
            continue;
        }
        let texts = [base, mine, theirs].map(|all| get(all, &key));
        let text = merger.text(&part.inside(&key), 0, texts.each_ref().map(Option::as_deref));
        values.extend(text.map(|text| (key, text)));
    }
    let order = order(&names(base), &names(mine), &names(theirs), |key| values.contains_key(key));
    order.into_iter().filter_map(|key| values.get(&key).map(|raw| (key.clone(), Arc::from(raw.as_str())))).collect()
}

/// Things by what they are called; a second of the same name counts by itself.
fn keyed<'a, T>(items: &'a [T], name: impl Fn(&T) -> SmolStr) -> Vec<((SmolStr, usize), &'a T)> {
    let mut seen: BTreeMap<SmolStr, usize> = BTreeMap::new();
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let name = name(item);
        let count = seen.entry(name.clone()).or_default();
        out.push(((name, *count), item));
        *count += 1;
    }
    out
}

/// Merges lists of things with names: what was added or taken away by one side, and by `both` what is on both.
fn list<T: PartialEq + Clone>(
    merger: &mut Merger<'_>,
    sort: Sort,
    three: [&[T]; 3],
    name: impl Fn(&T) -> SmolStr,
    holds_on: impl Fn(Side, &T) -> bool,
    mut both: impl FnMut(&mut Merger<'_>, [&T; 3]) -> T,
) -> Vec<T> {
    type Key = (SmolStr, usize);
    let rows = three.map(|items| keyed(items, &name));
    let [base, mine, theirs] = rows.each_ref().map(|rows| rows.iter().map(|(key, item)| (key, *item)));
    let [base, mine, theirs]: [BTreeMap<&Key, &T>; 3] = [base.collect(), mine.collect(), theirs.collect()];
    let mut kept: BTreeMap<&Key, T> = BTreeMap::new();
    let all: BTreeSet<&Key> = mine.keys().chain(theirs.keys()).copied().collect();
    for key in all {
        let part = Part::new(sort, key.0.clone(), "");
        let gone = || "removed".to_owned();
        let item = match (base.get(key), mine.get(key), theirs.get(key)) {
            (_, Some(mine), Some(theirs)) if mine == theirs => Some((*mine).clone()),
            (Some(base), Some(mine), Some(theirs)) => Some(both(merger, [base, mine, theirs])),
            (None, Some(mine), Some(theirs)) => {
                let side = merger.conflict(&part, "added here".to_owned(), "added in the file too".to_owned());
                Some(if side == Side::Mine { (*mine).clone() } else { (*theirs).clone() })
            }
            (None, Some(mine), None) => Some((*mine).clone()),
            (None, None, Some(theirs)) => {
                merger.taken.insert(part);
                Some((*theirs).clone())
            }
            (Some(base), Some(mine), None) if base == mine && !holds_on(Side::Mine, mine) => {
                merger.taken.insert(part);
                None
            }
            (Some(_), Some(mine), None) => {
                let side = merger.conflict(&part, "changed or used anew".to_owned(), gone());
                (side == Side::Mine).then(|| (*mine).clone())
            }
            (Some(base), None, Some(theirs)) if base == theirs && !holds_on(Side::Theirs, theirs) => None,
            (Some(_), None, Some(theirs)) => {
                let side = merger.conflict(&part, gone(), "changed or used anew".to_owned());
                (side == Side::Theirs).then(|| (*theirs).clone())
            }
            (_, None, None) => None,
        };
        kept.extend(item.map(|item| (key, item)));
    }
    let [base, mine, theirs] = rows.each_ref().map(|rows| rows.iter().map(|(key, _)| key).collect::<Vec<_>>());
    let order = order(&base, &mine, &theirs, |key| kept.contains_key(key));
    order.into_iter().filter_map(|key| kept.remove(key)).collect()
}

fn nodes(merger: &mut Merger<'_>, three: [&Flow; 3]) -> Vec<Arc<Node>> {
    let [base, mine, theirs] = three;
    // Steps that one side drew an edge to or from since.
    let old: BTreeSet<&Edge> = base.edges.iter().collect();
    let drawn = |flow: &Flow| -> BTreeSet<NodeId> {
        let fresh = flow.edges.iter().filter(|edge| !old.contains(edge));
        fresh.flat_map(|edge| [edge.from.clone(), edge.to.clone()]).collect()
    };
    let (by_me, by_them) = (drawn(mine), drawn(theirs));
    let holds_on = |side: Side, node: &Arc<Node>| match side {
        Side::Mine => by_me.contains(&node.id),
        Side::Theirs => by_them.contains(&node.id),
    };
    let lists = three.map(|flow| flow.nodes.as_slice());
    list(
        merger,
        Sort::Step,
        lists,
        |node| SmolStr::new(node.id.as_str()),
        holds_on,
        |merger, three| Arc::new(node(merger, three.map(|node| &**node))),
    )
}

fn node(merger: &mut Merger<'_>, three: [&Node; 3]) -> Node {
    let [base, mine, theirs] = three;
    let part = |key: &str| Part::new(Sort::Step, mine.id.as_str(), key);
    let mut out = mine.clone();
    merger.value(&part("title"), three.map(|node| node.title.as_str()), quoted).clone_into(&mut out.title);
    merger.value(&part("note"), three.map(|node| node.note.as_str()), quoted).clone_into(&mut out.note);
    let muted = |muted: &bool| if *muted { "muted" } else { "not muted" }.to_owned();
    out.muted = *merger.value(&part("muted"), three.map(|node| &node.muted), muted);
    if mine.pos == base.pos && theirs.pos != base.pos {
        merger.taken.insert(part("pos"));
        out.pos = theirs.pos;
    }
    if base.kind == mine.kind && mine.kind == theirs.kind {
        let reads = |raw: &str| Settings::read(&mine.kind, raw).is_ok();
        let raw = raw(merger, &part("settings"), three.map(|node| node.settings.raw()), reads);
        if raw != mine.settings.raw() {
            out.settings = Section::new(raw.as_str(), Settings::read(&mine.kind, &raw), 0);
        }
    } else {
        let both = |node: &Node| (node.kind.clone(), node.settings.raw().to_owned());
        let (base, own, other) = (both(base), both(mine), both(theirs));
        let show = |both: &(SmolStr, String)| shown(Some(&format!("{} {}", both.0, both.1)));
        let (kind, raw) = merger.value(&part("kind"), [&base, &own, &other], show).clone();
        out.settings = Section::new(raw.as_str(), Settings::read(&kind, &raw), 0);
        out.kind = kind;
    }
    out.extra = extra(merger, &part(""), three.map(|node| &node.extra));
    out
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { format!("\u{201c}{}\u{201d}", shown(Some(text))) }
}

fn messages(merger: &mut Merger<'_>, three: [&Flow; 3], nodes: &[Arc<Node>]) -> Vec<Arc<MessageSection>> {
    let used = |nodes: &[Arc<Node>]| -> BTreeSet<MessageId> {
        nodes.iter().filter_map(|node| Some(node.settings()?.message()?.0.clone())).collect()
    };
    let [used, by_me, by_them] = [nodes, &three[1].nodes, &three[2].nodes].map(used);
    // Whoever removed it has no step that needs it; the merged flow may have one.
    let holds_on = |side: Side, message: &Arc<MessageSection>| match side {
        Side::Mine => used.contains(&message.id) && !by_them.contains(&message.id),
        Side::Theirs => used.contains(&message.id) && !by_me.contains(&message.id),
    };
    let lists = three.map(|flow| flow.messages.as_slice());
    list(
        merger,
        Sort::Message,
        lists,
        |message| SmolStr::new(message.id.as_str()),
        holds_on,
        |merger, three| {
            let part = Part::new(Sort::Message, three[1].id.as_str(), "");
            let read = |raw: &str| Message::from_ron(raw);
            let raw = raw(merger, &part, three.map(|message| message.section.raw()), |raw| read(raw).is_ok());
            let value = read(&raw).map_err(|error| unreadable(&error));
            Arc::new(MessageSection { id: three[1].id.clone(), section: Section::new(raw.as_str(), value, 0) })
        },
    )
}

fn unreadable(error: &ron::error::SpannedError) -> SettingsError {
    SettingsError::Unreadable {
        message: error.code.to_string(),
        line_column: (error.span.start.line, error.span.start.col),
    }
}

fn fields(merger: &mut Merger<'_>, three: [&Flow; 3]) -> Vec<Arc<Section<Field>>> {
    let name = |field: &Arc<Section<Field>>| name_of(field.raw()).unwrap_or_else(|| SmolStr::new(field.raw()));
    let lists = three.map(|flow| flow.fields.as_slice());
    list(
        merger,
        Sort::Field,
        lists,
        name,
        |_, _| false,
        |merger, three| {
            let part = Part::new(Sort::Field, name(three[1]), "");
            let read = |raw: &str| ron_options().from_str::<Field>(raw);
            let raw = raw(merger, &part, three.map(|field| field.raw()), |raw| read(raw).is_ok());
            Arc::new(Section::new(raw.as_str(), read(&raw).map_err(|error| unreadable(&error)), 0))
        },
    )
}

fn edges(merger: &mut Merger<'_>, three: [&Flow; 3], merged: &Flow) -> Vec<Edge> {
    type Key = (SmolStr, SmolStr, usize);
    let keys = |flow: &Flow| -> Vec<(Key, NodeId)> {
        let mut seen: BTreeMap<(SmolStr, SmolStr), usize> = BTreeMap::new();
        let mut out = Vec::with_capacity(flow.edges.len());
        for edge in &flow.edges {
            let (from, port) = (SmolStr::new(edge.from.as_str()), edge.port.clone());
            let count = seen.entry((from.clone(), port.clone())).or_default();
            out.push(((from, port, *count), edge.to.clone()));
            *count += 1;
        }
        out
    };
    let rows = three.map(keys);
    let index = merged.index();
    let there = |id: &NodeId| index.idx(id).is_some();
    let maps = rows.each_ref().map(|rows| rows.iter().map(|(key, to)| (key, to)).collect::<BTreeMap<_, _>>());
    let [base, mine, theirs] = &maps;
    let title = |id: &NodeId| {
        let node = three.iter().find_map(|flow| flow.node(id.as_str()));
        node.map_or_else(|| id.to_string(), |node| node.title().to_owned())
    };
    let mut kept: BTreeMap<&Key, NodeId> = BTreeMap::new();
    let all: BTreeSet<&Key> = mine.keys().chain(theirs.keys()).copied().collect();
    for key in all {
        let from = NodeId::new(key.0.as_str());
        if !there(&from) {
            continue;
        }
        let part = Part::new(Sort::Edge, key.0.clone(), key.1.clone());
        let get = |map: &BTreeMap<&Key, &NodeId>| map.get(key).map(|to| (*to).clone());
        let (old, own, other) = (get(base), get(mine), get(theirs));
        // A side whose end is gone has nothing to say: the step was taken away with the user's leave.
        let lives = |to: &Option<NodeId>| to.as_ref().is_none_or(there);
        let to = if own != other && other != old && own != old && (!lives(&own) || !lives(&other)) {
            if lives(&own) { own.clone() } else { other.clone() }
        } else {
            let show = |to: &Option<NodeId>| match to {
                Some(to) => format!("to \u{201c}{}\u{201d}", title(to)),
                None => "removed".to_owned(),
            };
            merger.value(&part, [&old, &own, &other], show).clone()
        };
        let Some(to) = to.filter(|to| there(to)) else { continue };
        let node = index.node(&from);
        let has_port =
            node.is_none_or(|node| node.settings().is_none() || node.ports().iter().any(|port| port.name == key.1));
        let is_start = index.node(&to).is_some_and(|node| matches!(node.kind.as_str(), "trigger" | "note"));
        if has_port && !is_start {
            kept.insert(key, to);
        } else {
            merger.taken.remove(&part);
            merger.left_out.push(format!("the way from {} to {}", title(&from), title(&to)));
        }
    }
    let names = rows.each_ref().map(|rows| rows.iter().map(|(key, _)| key).collect::<Vec<_>>());
    let order = order(&names[0], &names[1], &names[2], |key| kept.contains_key(key));
    let edge = |key: &Key, to: NodeId| Edge { from: NodeId::new(key.0.as_str()), port: key.1.clone(), to };
    order.into_iter().filter_map(|key| kept.remove(key).map(|to| edge(key, to))).collect()
}

#[cfg(test)]
mod tests;
