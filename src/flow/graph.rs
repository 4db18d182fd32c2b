//! The document: one record per node, edges as values, no parallel maps to keep in step.
//!
//! Unchanged parts are shared between versions (`Arc`), so a snapshot for undo costs pointers.

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::settings::FlowSettings;
use crate::{
    base::{Diagnostic, FlowId, MessageId, NodeId, Place, nearest},
    content::{Field, Message},
    kinds::{NEXT, Port, Settings, SettingsError},
};

/// A part of a file: its text as written, and what it means, if it can be read.
///
/// The text is the truth: what is not understood is kept in it and written back letter by letter.
#[derive(Clone, Debug)]
pub struct Section<T> {
    raw: Arc<str>,
    value: Result<T, SettingsError>,
    /// Where the text began in the file it was read from, in bytes; for messages about faults.
    pub offset: usize,
}

impl<T> Section<T> {
    /// From a text and its reading.
    pub fn new(raw: impl Into<Arc<str>>, value: Result<T, SettingsError>, offset: usize) -> Self {
        Self { raw: raw.into(), value, offset }
    }

    /// The text as written.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// What it means.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref().ok()
    }

    /// Why it could not be read.
    pub fn error(&self) -> Option<&SettingsError> {
        self.value.as_ref().err()
    }
}

impl<T> PartialEq for Section<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

/// A step of a flow.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Unique in the flow, never reused.
    pub id: NodeId,
    /// Name of its kind; may be unknown.
    pub kind: SmolStr,
    /// What people read; the kind's title where empty.
    pub title: String,
    /// A remark.
    pub note: String,
    /// Centre of its card, in canvas units.
    pub pos: (f32, f32),
    /// Passed through by its one port at once (SEMANTICS R20).
    pub muted: bool,
    /// Its settings.
    pub settings: Section<Settings>,
    /// Keys of the envelope that this version does not know.
    pub extra: Vec<(SmolStr, Arc<str>)>,
}

impl Node {
    /// A node of a kind, with settings as RON.
    pub fn new(id: impl Into<NodeId>, kind: &str, settings: &str) -> Self {
        Self {
            id: id.into(),
            kind: SmolStr::new(kind),
            title: String::new(),
            note: String::new(),
            pos: (0.0, 0.0),
            muted: false,
            settings: Section::new(settings, Settings::read(kind, settings), 0),
            extra: Vec::new(),
        }
    }

    /// Its settings, if they can be read.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.value()
    }

    /// Its ports; a node that cannot be read has the ordinary one, so that it stays wired.
    pub fn ports(&self) -> Vec<Port> {
        self.settings().map_or_else(|| vec![Port::next()], Settings::ports)
    }

    /// What people read.
    pub fn title(&self) -> &str {
        if !self.title.is_empty() {
            return &self.title;
        }
        self.settings().map_or(self.kind.as_str(), |s| s.spec().title)
    }
}

/// From a node by a port to a node. A port has at most one edge.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Edge {
    /// Where it begins.
    pub from: NodeId,
    /// By which port.
    pub port: SmolStr,
    /// Where it ends.
    pub to: NodeId,
}

impl Edge {
    /// An edge.
    pub fn new(from: impl Into<NodeId>, port: &str, to: impl Into<NodeId>) -> Self {
        Self { from: from.into(), port: SmolStr::new(port), to: to.into() }
    }
}

/// A flow as drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Flow {
    /// Unique in the workspace; also the beginning of the file's name.
    pub id: FlowId,
    /// What people read.
    pub name: String,
    /// Settings of the whole.
    pub settings: Arc<Section<FlowSettings>>,
    /// Declared merge tags.
    pub fields: Vec<Arc<Section<Field>>>,
    /// Steps in a stable order.
    pub nodes: Vec<Arc<Node>>,
    /// Edges in a stable order.
    pub edges: Vec<Edge>,
    /// Messages.
    pub messages: Vec<Arc<MessageSection>>,
    /// Parts that this version does not know.
    pub extra: Vec<(SmolStr, Arc<str>)>,
}

/// A message of a file, with its id also where the rest cannot be read.
#[derive(Clone, PartialEq, Debug)]
pub struct MessageSection {
    /// Its id.
    pub id: MessageId,
    /// The rest.
    pub section: Section<Message>,
}

impl Flow {
    /// A flow with nothing in it.
    pub fn new(id: impl Into<FlowId>, name: &str) -> Self {
        Self {
            id: id.into(),
            name: name.to_owned(),
            settings: Arc::new(Section::new("()", Ok(FlowSettings::default()), 0)),
            fields: Vec::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
            messages: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// Its settings; the defaults where they cannot be read (which `check` reports).
    pub fn settings(&self) -> FlowSettings {
        self.settings.value().cloned().unwrap_or_default()
    }

    /// The node of that id.
    pub fn node(&self, id: &str) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| node.id.as_str() == id)
    }

    /// The trigger node, the first if there are several.
    pub fn trigger(&self) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|node| node.kind == "trigger")
    }

    /// Where the edge of a port leads.
    pub fn target(&self, from: &str, port: &str) -> Option<&NodeId> {
        self.edges.iter().find(|edge| edge.from.as_str() == from && edge.port == port).map(|edge| &edge.to)
    }

    /// The message of that id, if it can be read.
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|m| m.id.as_str() == id).and_then(|m| m.section.value())
    }

    /// The fields that can be read.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter_map(|field| field.value())
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields().find(|field| field.name == name)
    }

    /// Look-up tables for algorithms over the whole graph.
    pub fn index(&self) -> Index<'_> {
        Index::new(self)
    }

    /// Every violated invariant of the document: what no edit may bring about and no file may hold.
    pub fn invariants(&self) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
        for node in &self.nodes {
            let count = ids.entry(node.id.as_str()).or_default();
            *count += 1;
            if *count == 2 {
                out.push(
                    Diagnostic::error(
                        "graph/duplicate-id",
                        Place::node(&node.id),
                        format!("Two steps have the id `{}`", node.id),
                    )
                    .hint("Give one of them another id, and its edges too"),
                );
            }
            if !crate::base::id::is_wellformed(node.id.as_str()) {
                out.push(
                    Diagnostic::error(
                        "graph/bad-id",
                        Place::node(&node.id),
                        format!("`{}` cannot be the id of a step", node.id),
                    )
                    .hint("Use 1 to 64 letters, digits, - _ or ."),
                );
            }
        }
        let index = self.index();
        let mut taken = std::collections::BTreeSet::new();
        for edge in &self.edges {
            let place = || Place::edge(&edge.from, &edge.port);
            for (end, id) in [("begins", &edge.from), ("ends", &edge.to)] {
                if index.idx(id).is_none() {
                    out.push(
                        Diagnostic::error(
                            "graph/dangling-edge",
                            place(),
                            format!("An edge {end} at `{id}`, which does not exist"),
                        )
                        .hint(nearest::hint(id.as_str(), self.nodes.iter().map(|n| n.id.as_str()))),
                    );
                }
            }
            if let Some(node) = index.node(&edge.from) {
                let ports = node.ports();
                if node.settings().is_some() && !ports.iter().any(|port| port.name == edge.port) {
                    out.push(
                        Diagnostic::error(
                            "graph/unknown-port",
                            place(),
                            format!("Step `{}` has no port `{}`", edge.from, edge.port),
                        )
                        .hint(nearest::hint(&edge.port, ports.iter().map(|p| p.name.as_str()))),
                    );
                }
            }
            if index.node(&edge.to).is_some_and(|node| node.kind == "trigger" || node.kind == "note") {
                out.push(
                    Diagnostic::error(
                        "graph/edge-into-start",
                        place(),
                        format!("An edge leads into `{}`, which has no way in", edge.to),
                    )
                    .hint("Lead it to the step after the trigger"),
                );
            }
            if !taken.insert((&edge.from, &edge.port)) {
                out.push(
                    Diagnostic::error(
                        "graph/port-twice",
                        place(),
                        format!("Two edges leave `{}` by the port `{}`", edge.from, edge.port),
                    )
                    .hint("Keep one of them; a branch or split can lead two ways"),
                );
            }
        }
        let mut messages = std::collections::BTreeSet::new();
        for message in &self.messages {
            if !messages.insert(&message.id) {
                out.push(Diagnostic::error(
                    "graph/duplicate-message",
                    Place::message(&message.id),
                    format!("Two messages have the id `{}`", message.id),
                ));
            }
        }
        let mut fields = std::collections::BTreeSet::new();
        for field in self.fields() {
            if !fields.insert(&field.name) {
                out.push(Diagnostic::error(
                    "graph/duplicate-field",
                    Place::default().with_field(format!("fields.{}", field.name)),
                    format!("Two fields have the name `{}`", field.name),
                ));
            }
        }
        out
    }

    /// What matters to execution, as canonical bytes: positions, titles, notes and the order of the file left out.
    pub fn canonical(&self) -> Vec<u8> {
        let mut nodes: Vec<serde_json::Value> = Vec::new();
        for node in &self.nodes {
            if node.kind == "note" {
                continue;
            }
            let settings = match node.settings() {
                Some(settings) => serde_json::to_value(settings).unwrap_or_default(),
                None => serde_json::Value::String(node.settings.raw().to_owned()),
            };
            nodes
                .push(serde_json::json!({"id": node.id, "kind": node.kind, "muted": node.muted, "settings": settings}));
        }
        nodes.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
        let mut edges: Vec<[&str; 3]> = self.edges.iter().map(|e| [e.from.as_str(), &e.port, e.to.as_str()]).collect();
        edges.sort_unstable();
        let mut messages: Vec<(&MessageId, serde_json::Value)> = self
            .messages
            .iter()
            .map(|m| {
                let value = m.section.value().and_then(|m| serde_json::to_value(m).ok());
                (&m.id, value.unwrap_or_else(|| serde_json::Value::String(m.section.raw().to_owned())))
            })
            .collect();
        messages.sort_by(|a, b| a.0.cmp(b.0));
        let mut fields: Vec<&Field> = self.fields().collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let value = serde_json::json!({
            "id": self.id, "settings": self.settings(), "fields": fields, "nodes": nodes, "edges": edges,
            "messages": messages,
        });
        serde_json::to_vec(&value).unwrap_or_default()
    }
}

/// Look-up tables over a flow: node by id, edges out and in, by position in `flow.nodes`.
#[derive(Debug)]
pub struct Index<'a> {
    flow: &'a Flow,
    by_id: std::collections::HashMap<&'a str, usize>,
    out: Vec<Vec<(&'a SmolStr, usize)>>,
    into: Vec<Vec<(usize, &'a SmolStr)>>,
}

impl<'a> Index<'a> {
    fn new(flow: &'a Flow) -> Self {
        let by_id: std::collections::HashMap<&str, usize> =
            flow.nodes.iter().enumerate().map(|(n, node)| (node.id.as_str(), n)).collect();
        let mut out = vec![Vec::new(); flow.nodes.len()];
        let mut into = vec![Vec::new(); flow.nodes.len()];
        for edge in &flow.edges {
            if let (Some(&from), Some(&to)) = (by_id.get(edge.from.as_str()), by_id.get(edge.to.as_str())) {
                out[from].push((&edge.port, to));
                into[to].push((from, &edge.port));
            }
        }
        Self { flow, by_id, out, into }
    }

    /// The flow.
    pub fn flow(&self) -> &'a Flow {
        self.flow
    }

    /// Place of a node in the list.
    pub fn idx(&self, id: &NodeId) -> Option<usize> {
        self.by_id.get(id.as_str()).copied()
    }

    /// The node of that id.
    pub fn node(&self, id: &NodeId) -> Option<&'a Arc<Node>> {
        self.idx(id).map(|n| &self.flow.nodes[n])
    }

    /// Edges out of a node: port and target.
    pub fn out(&self, idx: usize) -> &[(&'a SmolStr, usize)] {
        &self.out[idx]
    }

    /// Edges into a node: source and port.
    pub fn into(&self, idx: usize) -> &[(usize, &'a SmolStr)] {
        &self.into[idx]
    }

    /// Which nodes the trigger reaches.
    pub fn reachable(&self) -> Vec<bool> {
        let mut seen = vec![false; self.flow.nodes.len()];
        let mut stack: Vec<usize> = self
            .flow
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.kind == "trigger")
            .map(|(n, _)| n)
            .take(1)
            .collect();
        while let Some(idx) = stack.pop() {
            if !std::mem::replace(&mut seen[idx], true) {
                stack.extend(self.out[idx].iter().map(|(_, to)| *to));
            }
        }
        seen
    }
}

/// The name of the port that a file may leave out.
pub fn is_plain_port(port: &str) -> bool {
    port == NEXT
}
