//! Flows of Klaviyo as flows of ours: the inverse of the export beside it.
//!
//! The one idea: each action becomes one step in words of the flow where every word of it is known, else a locked step
//! that keeps its JSON. Then the flow is exported once, and what that writes in another form is kept beside it
//! ([`super::keep`]), so that the same JSON goes back until somebody edits it. Deliberately not here: asking the
//! account for names and templates; callers give both.

mod actions;
mod document;
mod filters;
mod messages;
mod names;
#[cfg(test)]
mod tests;
mod trigger;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use self::{
    document::{Document, documents, error},
    names::{Names, id_of},
};
use super::keep;
use crate::{
    base::{Diagnostic, FlowId, NodeId, id::is_wellformed},
    content::Book,
    flow::{Edge, Flow, FlowSettings, MessageSection, Node, Section, Target},
    kinds::{Foreign, NEXT, Settings, ron_options},
    platforms::import::{Given, Imported, Remark, RemarkKind, Taken},
};

/// Most actions of one flow. Source: assumption; Klaviyo's own preview stops at 500.
const MOST_ACTIONS: usize = 20_000;

/// Reads what Klaviyo wrote.
///
/// Errors: no JSON, or no flow in it. Where some flows can be read and others not, those that can are given, and the
/// first of them says what became of the others.
pub(in crate::platforms) fn import(given: &Given<'_>) -> Result<Vec<Imported>, Vec<Diagnostic>> {
    let text = given.json.strip_prefix('\u{feff}').unwrap_or(given.json);
    let json: Json = serde_json::from_str(text).map_err(|fault| {
        let why = format!("this is no JSON at line {}, column {}: {fault}", fault.line(), fault.column());
        vec![error("import/json", "", why).hint("Give the text as Klaviyo's API answered it, whole")]
    })?;
    let (found, mut errors) = documents(&json);
    let mut taken = BTreeSet::new();
    let mut out = Vec::new();
    for document in &found {
        match Reader::new(given).flow(document, &mut taken) {
            Ok(imported) => out.push(imported),
            Err(fault) => errors.push(fault),
        }
    }
    let Some(first) = out.first_mut() else { return Err(errors) };
    first.report.extend(errors.into_iter().map(|fault| Remark {
        kind: RemarkKind::Lost,
        code: "import/not-a-flow",
        pointer: String::new(),
        node: None,
        message: fault.message,
        remedy: fault.hint,
    }));
    Ok(out)
}

/// An action as it came, and the step it became.
struct Original<'a> {
    node: NodeId,
    json: &'a Json,
    pointer: String,
}

/// What an action became.
struct Made {
    settings: Settings,
    title: String,
    /// Ports and where each leads, by the action's id.
    ways: Vec<(String, Option<Link>)>,
}

/// A link of an action.
struct Link {
    to: String,
    /// In the action.
    pointer: String,
}

struct Reader<'a> {
    given: &'a Given<'a>,
    names: Names<'a>,
    book: Book,
    report: Vec<Remark>,
    settings: FlowSettings,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    messages: Vec<crate::content::Message>,
    originals: Vec<Original<'a>>,
    /// Messages of our own exports, by the JSON they came from.
    copies: BTreeMap<String, crate::base::MessageId>,
    taken: Taken,
    taken_messages: Taken,
    /// Senders by address, name and address for answers.
    senders: BTreeMap<(String, String, Option<String>), SmolStr>,
    taken_senders: Taken,
    /// Ids of which it was said that nobody knows their name: `kind:id`.
    unknown: BTreeSet<String>,
    /// The property of a date trigger.
    date: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(given: &'a Given<'a>) -> Self {
        Self {
            given,
            names: Names::new(given.names),
            book: Book::default(),
            report: Vec::new(),
            settings: FlowSettings { target: Some(Target::Klaviyo), consent: Vec::new(), ..FlowSettings::default() },
            nodes: Vec::new(),
            edges: Vec::new(),
            messages: Vec::new(),
            originals: Vec::new(),
            copies: BTreeMap::new(),
            taken: Taken::of(&["trigger"]),
            taken_messages: Taken::default(),
            senders: BTreeMap::new(),
            // Ids of the workspace's other senders stay theirs.
            taken_senders: Taken::of(
                &given
                    .names
                    .iter()
                    .filter(|(key, _)| key.starts_with("sender:"))
                    .map(|(_, id)| id.as_str())
                    .collect::<Vec<_>>(),
            ),
            unknown: BTreeSet::new(),
            date: None,
        }
    }

    fn say(
        &mut self,
        kind: RemarkKind,
        code: &'static str,
        pointer: &str,
        node: Option<&NodeId>,
        message: impl Into<String>,
        remedy: &str,
    ) {
        self.report.push(Remark {
            kind,
            code,
            pointer: pointer.to_owned(),
            node: node.cloned(),
            message: message.into(),
            remedy: remedy.to_owned(),
        });
    }

    fn flow(mut self, document: &'a Document<'a>, taken: &mut BTreeSet<String>) -> Result<Imported, Diagnostic> {
        let at = document.pointer.as_str();
        let definition = document.definition;
        let name = document.name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("Imported flow");
        let actions = match definition.get("actions") {
            None | Some(Json::Null) => &[],
            Some(Json::Array(actions)) => actions.as_slice(),
            Some(_) => {
                return Err(error("import/shape", &format!("{at}/actions"), "the actions are no list".into())
                    .hint("Give the definition as Klaviyo answered it"));
            }
        };
        if actions.len() > MOST_ACTIONS {
            let why = format!("this flow has {} actions; at most {MOST_ACTIONS} are read", actions.len());
            return Err(error("import/too-many", &format!("{at}/actions"), why).hint("Split the flow"));
        }
        let ids = self.ids(actions, at);
        self.trigger(definition, at)?;
        self.whole_flow(definition, at);
        let by_id = self.by_id(&ids);
        for (n, (action, id)) in actions.iter().zip(&ids).enumerate() {
            let Some((node, _)) = id else { continue };
            self.step(action, node.clone(), format!("{at}/actions/{n}"), &by_id);
        }
        self.entry(definition, &ids, &by_id, at);
        self.shared_settings();
        if !document.around.is_empty() {
            let keys = document.around.join("`, `");
            let pointer = at.strip_suffix("/definition").unwrap_or(at).to_owned();
            self.say(
                RemarkKind::Lost,
                "import/account-state",
                &pointer,
                None,
                format!("What only the account knows is not taken over: `{keys}`"),
                "",
            );
        }
        let flow = self.finish(name, taken);
        Ok(verify::verified(flow, document))
    }

    /// A node id for each action, with the action's own id; none for what is no action.
    fn ids(&mut self, actions: &[Json], at: &str) -> Vec<Option<(NodeId, String)>> {
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for (n, action) in actions.iter().enumerate() {
            let pointer = format!("{at}/actions/{n}");
            if !action.is_object() {
                let shown: String = action.to_string().chars().take(200).collect();
                self.say(
                    RemarkKind::Lost,
                    "import/shape",
                    &pointer,
                    None,
                    format!("This is no action and is left out: {shown}"),
                    "Look at the flow in Klaviyo",
                );
                out.push(None);
                continue;
            }
            let own = id_of(action.get("temporary_id")).or_else(|| id_of(action.get("id")));
            let own = own.unwrap_or_else(|| format!("action-{}", n + 1));
            let node = self.free_id(&own);
            if !seen.insert(own.clone()) {
                self.say(
                    RemarkKind::Guessed,
                    "import/duplicate-id",
                    &pointer,
                    Some(&node),
                    format!("Two actions have the id `{own}`; links are taken to mean the first"),
                    "Look at where the links lead",
                );
            }
            out.push(Some((node, own)));
        }
        out
    }

    fn free_id(&mut self, wanted: &str) -> NodeId {
        let base = if is_wellformed(wanted) { wanted.to_owned() } else { keep::port_name(wanted) };
        let short: String = base.chars().take(55).collect();
        let base = if is_wellformed(&base) { base } else { format!("{short}-2") };
        NodeId::new(self.taken.free(&base, |n| format!("{short}-{n}")))
    }

    fn by_id(&self, ids: &[Option<(NodeId, String)>]) -> BTreeMap<String, NodeId> {
        let mut out = BTreeMap::new();
        for (node, own) in ids.iter().flatten() {
            out.entry(own.clone()).or_insert_with(|| node.clone());
        }
        out
    }

    /// One action as a step with its edges.
    fn step(&mut self, action: &'a Json, node: NodeId, pointer: String, by_id: &BTreeMap<String, NodeId>) {
        let kind = action.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
        let made = match self.action(action, &kind, &node, &pointer) {
            Ok(made) => {
                let remark = format!("`{kind}` is the step \u{201c}{}\u{201d}", made.settings.spec().title);
                self.say(RemarkKind::Understood, "import/understood", &pointer, Some(&node), remark, "");
                made
            }
            Err(why) => {
                let shown = if kind.is_empty() { "(no type)".to_owned() } else { kind.clone() };
                self.say(
                    RemarkKind::Kept,
                    "import/kept-action",
                    &format!("{pointer}{}", why.pointer),
                    Some(&node),
                    format!("`{shown}` stays Klaviyo's own step, which contacts pass here: {}", why.why),
                    "Leave it when the flow goes back there; otherwise draw what it does with other steps",
                );
                locked(action, shown)
            }
        };
        let branching = made.ways.len() > 1 && !matches!(made.settings, Settings::Webhook(_));
        for (port, link) in made.ways {
            let target = link.as_ref().and_then(|link| by_id.get(&link.to)).cloned();
            if let (Some(link), None) = (&link, &target) {
                self.say(
                    RemarkKind::Lost,
                    "import/dangling-link",
                    &format!("{pointer}{}", link.pointer),
                    Some(&node),
                    format!("The link leads to `{}`, which does not exist, so the path ends here", link.to),
                    "Draw the edge to the step that was meant",
                );
            }
            match target {
                Some(target) => self.edges.push(Edge { from: node.clone(), port: port.into(), to: target }),
                None if branching => {
                    let exit = self.free_id(&format!("{node}-end"));
                    self.edges.push(Edge { from: node.clone(), port: port.into(), to: exit.clone() });
                    self.nodes.push(Node::new(exit, "exit", "()"));
                }
                None => {}
            }
        }
        let mut made_node = Node::new(node.clone(), made.settings.spec().name, &made.settings.to_ron());
        made_node.title = made.title;
        self.nodes.push(made_node);
        self.originals.push(Original { node, json: action, pointer });
    }

    /// The edge from the trigger to where contacts begin.
    fn entry(
        &mut self,
        definition: &Map<String, Json>,
        ids: &[Option<(NodeId, String)>],
        by_id: &BTreeMap<String, NodeId>,
        at: &str,
    ) {
        let pointer = format!("{at}/entry_action_id");
        let named = id_of(definition.get("entry_action_id"));
        let mut first = named.as_ref().and_then(|id| by_id.get(id)).cloned();
        if first.is_none() && ids.iter().any(Option::is_some) {
            // Where the flow begins is the one step that none leads to.
            let led_to: BTreeSet<&NodeId> = self.edges.iter().map(|edge| &edge.to).collect();
            let mut starts = ids.iter().flatten().filter(|(node, _)| !led_to.contains(node));
            let guess = starts.next().filter(|_| starts.next().is_none()).map(|(node, _)| node.clone());
            let missing = match &named {
                Some(id) => format!("The flow begins at `{id}`, which does not exist"),
                None => "The flow does not say where it begins".to_owned(),
            };
            match guess {
                Some(node) => {
                    let message = format!("{missing}; `{node}` is taken, the only step that none leads to");
                    self.say(
                        RemarkKind::Guessed,
                        "import/no-entry",
                        &pointer,
                        Some(&node),
                        message,
                        "Look at the first step",
                    );
                    first = Some(node);
                }
                None => {
                    let message = format!("{missing}, so the trigger leads nowhere");
                    self.say(
                        RemarkKind::Lost,
                        "import/no-entry",
                        &pointer,
                        None,
                        message,
                        "Draw an edge from the trigger to the first step",
                    );
                }
            }
        }
        if let Some(first) = first {
            self.edges.push(Edge::new("trigger", NEXT, first));
        }
    }

    fn finish(mut self, name: &str, taken: &mut BTreeSet<String>) -> verify::Draft<'a> {
        let mut base = keep::port_name(&name.to_lowercase());
        base.truncate(50);
        let mut id = base.clone();
        let mut n = 2;
        while !taken.insert(id.clone()) {
            id = format!("{base}-{n}");
            n += 1;
        }
        let mut flow = Flow::new(FlowId::new(id), name);
        for found in self.book.found() {
            if let (crate::content::FieldSource::Constant(name), Some(value)) = (&found.field.source, &found.constant) {
                self.settings.constants.insert(name.clone(), value.clone());
            }
            // Fields are plain trees, which RON can always write.
            let ron = ron_options().to_string(&found.field).unwrap_or_default();
            flow.fields.push(std::sync::Arc::new(Section::new(ron, Ok(found.field.clone()), 0)));
        }
        self.names.workspace.lists.sort();
        flow.nodes = self.nodes.into_iter().map(std::sync::Arc::new).collect();
        flow.edges = self.edges;
        flow.messages = self.messages.into_iter().map(section).collect();
        set_settings(&mut flow, self.settings);
        verify::Draft { flow, workspace: self.names.workspace, report: self.report, originals: self.originals }
    }
}

/// A message as a flow holds it.
fn section(message: crate::content::Message) -> std::sync::Arc<MessageSection> {
    let ron = message.to_ron().unwrap_or_default();
    std::sync::Arc::new(MessageSection { id: message.id.clone(), section: Section::new(ron, Ok(message), 0) })
}

fn set_settings(flow: &mut Flow, settings: FlowSettings) {
    let ron =
        ron_options().to_string_pretty(&settings, ron::ser::PrettyConfig::new().depth_limit(3)).unwrap_or_default();
    flow.settings = std::sync::Arc::new(Section::new(ron, Ok(settings), 0));
}

/// A step that keeps its JSON.
fn locked(action: &Json, kind: String) -> Made {
    let ways = keep::ways_out(action);
    let ports = ways.iter().map(|(name, _)| name.clone()).collect();
    let foreign = Foreign { origin: crate::content::Origin::Klaviyo, action: kind, ports, json: action.to_string() };
    let ways = ways
        .into_iter()
        .map(|(name, pointer)| {
            let to = id_of(action.pointer(&pointer));
            (name.to_string(), to.map(|to| Link { to, pointer }))
        })
        .collect();
    Made { settings: Settings::Foreign(foreign), title: String::new(), ways }
}
