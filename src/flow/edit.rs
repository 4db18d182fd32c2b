//! Edits as plain values: applying one succeeds whole, or changes nothing and says why.
//!
//! Paste, layout, quick fixes and merges are lists of the same edits ([`apply_all`] is all or nothing).

use std::{fmt, sync::Arc};

use smol_str::SmolStr;

use super::{
    file,
    graph::{Edge, Flow, MessageSection, Node, Section},
};
use crate::{
    base::{MessageId, NodeId, id::is_wellformed},
    content::{Field, Message},
    kinds::Settings,
};

/// One change of a flow.
#[derive(Clone, PartialEq, Debug)]
pub enum Edit {
    /// Adds a node.
    AddNode(Box<Node>),
    /// Removes a node and its edges.
    RemoveNode(NodeId),
    /// Moves a node.
    MoveNode {
        /// Which.
        id: NodeId,
        /// Where to, in canvas units.
        pos: (f32, f32),
    },
    /// Draws an edge; the port must be free.
    Connect(Edge),
    /// Takes an edge away.
    Disconnect {
        /// Where it begins.
        from: NodeId,
        /// By which port.
        port: SmolStr,
    },
    /// Changes a node's title.
    SetTitle {
        /// Which.
        id: NodeId,
        /// The new title.
        title: String,
    },
    /// Changes a node's note.
    SetNote {
        /// Which.
        id: NodeId,
        /// The new note.
        note: String,
    },
    /// Mutes or unmutes a node.
    SetMuted {
        /// Which.
        id: NodeId,
        /// Whether.
        muted: bool,
    },
    /// Replaces one setting of a node, or adds it; everything else in the settings stays as written.
    SetField {
        /// Which node.
        id: NodeId,
        /// Name of the setting.
        field: SmolStr,
        /// Its value as RON; `None` takes it out.
        value: Option<String>,
    },
    /// Replaces all settings of a node, and its kind if given.
    SetSettings {
        /// Which node.
        id: NodeId,
        /// The new kind.
        kind: Option<SmolStr>,
        /// The settings as RON.
        ron: String,
    },
    /// Replaces one setting of the flow, or adds it.
    SetFlowField {
        /// Name of the setting.
        field: SmolStr,
        /// Its value as RON; `None` takes it out.
        value: Option<String>,
    },
    /// Renames the flow.
    SetName(String),
    /// Adds or replaces a message.
    SetMessage(Box<Message>),
    /// Adds or replaces a message by its text, which is kept letter by letter; it may be one that cannot be read.
    SetMessageText {
        /// Its id, which the text must have too where it can be read.
        id: MessageId,
        /// The message as RON.
        ron: String,
    },
    /// Removes a message.
    RemoveMessage(MessageId),
    /// Adds or replaces a field.
    SetMergeField(Box<Field>),
    /// Adds or replaces a field by its text, which is kept letter by letter.
    SetMergeFieldText {
        /// The field that it takes the place of, under its old name; `None` adds one.
        name: Option<SmolStr>,
        /// The field as RON.
        ron: String,
    },
    /// Removes a field.
    RemoveMergeField(SmolStr),
}

/// Why an edit was refused; the flow is as before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EditError {
    /// There is no such node.
    NoNode(NodeId),
    /// There is no such message.
    NoMessage(MessageId),
    /// There is no such field.
    NoField(SmolStr),
    /// The id is taken or not well formed.
    BadId(String),
    /// The node has no such port.
    NoPort(NodeId, SmolStr),
    /// The port leads somewhere already, or to nowhere where an edge was to be removed.
    Port(NodeId, SmolStr),
    /// The edge would lead into a trigger or note, or from a node to itself.
    BadTarget(NodeId),
    /// The value cannot be read.
    BadValue(String),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode(id) => write!(f, "there is no step `{id}`"),
            Self::NoMessage(id) => write!(f, "there is no message `{id}`"),
            Self::NoField(name) => write!(f, "there is no field `{name}`"),
            Self::BadId(id) => write!(f, "`{id}` cannot be an id here: it is taken or not well formed"),
            Self::NoPort(id, port) => write!(f, "step `{id}` has no port `{port}`"),
            Self::Port(id, port) => write!(f, "the port `{port}` of step `{id}` is not free for this"),
            Self::BadTarget(id) => write!(f, "no edge can lead into `{id}` from there"),
            Self::BadValue(why) => write!(f, "the value cannot be read: {why}"),
        }
    }
}

impl std::error::Error for EditError {}

/// Applies edits in order, all or nothing.
///
/// Errors: the first refusal, with the place of its edit in the list; the flow is as before.
pub fn apply_all(flow: &Flow, edits: &[Edit]) -> Result<Flow, (usize, EditError)> {
    let mut next = flow.clone();
    if edits.iter().all(|edit| matches!(edit, Edit::MoveNode { .. })) {
        next.move_all(edits)?;
        return Ok(next);
    }
    for (n, edit) in edits.iter().enumerate() {
        next.apply_here(edit).map_err(|error| (n, error))?;
    }
    Ok(next)
}

impl Flow {
    /// The flow after one edit.
    ///
    /// Errors: why it cannot be done.
    pub fn apply(&self, edit: &Edit) -> Result<Self, EditError> {
        let mut flow = self.clone();
        flow.apply_here(edit)?;
        Ok(flow)
    }

    /// Many moves in one pass: a layout of thousands of steps would else look for each of them from the first on.
    fn move_all(&mut self, edits: &[Edit]) -> Result<(), (usize, EditError)> {
        let mut places = std::collections::HashMap::with_capacity(self.nodes.len());
        for (n, node) in self.nodes.iter().enumerate() {
            places.entry(node.id.clone()).or_insert(n);
        }
        for (n, edit) in edits.iter().enumerate() {
            let Edit::MoveNode { id, pos } = edit else { continue };
            if !pos.0.is_finite() || !pos.1.is_finite() {
                return Err((n, EditError::BadValue("a position must be finite".to_owned())));
            }
            let at = *places.get(id).ok_or_else(|| (n, EditError::NoNode(id.clone())))?;
            Arc::make_mut(&mut self.nodes[at]).pos = *pos;
        }
        Ok(())
    }

    /// Applies one edit in place; after a refusal the flow is to be thrown away.
    fn apply_here(&mut self, edit: &Edit) -> Result<(), EditError> {
        let flow = self;
        match edit {
            Edit::AddNode(node) => {
                if flow.node(node.id.as_str()).is_some() || !is_wellformed(node.id.as_str()) {
                    return Err(EditError::BadId(node.id.to_string()));
                }
                flow.nodes.push(Arc::new((**node).clone()));
            }
            Edit::RemoveNode(id) => {
                flow.position(id)?;
                flow.nodes.retain(|node| node.id != *id);
                flow.edges.retain(|edge| edge.from != *id && edge.to != *id);
            }
            Edit::MoveNode { id, pos } => {
                if !pos.0.is_finite() || !pos.1.is_finite() {
                    return Err(EditError::BadValue("a position must be finite".to_owned()));
                }
                flow.node_mut(id)?.pos = *pos;
            }
            Edit::Connect(edge) => {
                let from = flow.position(&edge.from)?;
                let to = flow.position(&edge.to)?;
                // A step that cannot be read may have any ports; its edges are kept as they are.
                let node = &flow.nodes[from];
                if node.settings().is_some() && !node.ports().iter().any(|port| port.name == edge.port) {
                    return Err(EditError::NoPort(edge.from.clone(), edge.port.clone()));
                }
                if flow.target(edge.from.as_str(), &edge.port).is_some() {
                    return Err(EditError::Port(edge.from.clone(), edge.port.clone()));
                }
                if from == to || matches!(flow.nodes[to].kind.as_str(), "trigger" | "note") {
                    return Err(EditError::BadTarget(edge.to.clone()));
                }
                flow.edges.push(edge.clone());
            }
            Edit::Disconnect { from, port } => {
                let before = flow.edges.len();
                flow.edges.retain(|edge| !(edge.from == *from && edge.port == *port));
                if flow.edges.len() == before {
                    return Err(EditError::Port(from.clone(), port.clone()));
                }
            }
            Edit::SetTitle { id, title } => flow.node_mut(id)?.title.clone_from(title),
            Edit::SetNote { id, note } => flow.node_mut(id)?.note.clone_from(note),
            Edit::SetMuted { id, muted } => flow.node_mut(id)?.muted = *muted,
            Edit::SetField { id, field, value } => {
                let node = &flow.nodes[flow.position(id)?];
                let ron =
                    file::raw::set_field(node.settings.raw(), field, value.as_deref()).map_err(EditError::BadValue)?;
                flow.set_settings(id, None, &ron)?;
            }
            Edit::SetSettings { id, kind, ron } => flow.set_settings(id, kind.clone(), ron)?,
            Edit::SetFlowField { field, value } => {
                let ron =
                    file::raw::set_field(flow.settings.raw(), field, value.as_deref()).map_err(EditError::BadValue)?;
                let settings =
                    file::read_flow_settings(&ron).map_err(|e| EditError::BadValue(file::settings_message(&e)))?;
                flow.settings = Arc::new(Section::new(ron, Ok(settings), 0));
            }
            Edit::SetName(name) => flow.name.clone_from(name),
            Edit::SetMessage(message) => {
                if !is_wellformed(message.id.as_str()) {
                    return Err(EditError::BadId(message.id.to_string()));
                }
                let ron = message.to_ron().map_err(|e| EditError::BadValue(e.to_string()))?;
                let section = Arc::new(MessageSection {
                    id: message.id.clone(),
                    section: Section::new(ron, Ok((**message).clone()), 0),
                });
                match flow.messages.iter_mut().find(|m| m.id == message.id) {
                    Some(old) => *old = section,
                    None => flow.messages.push(section),
                }
            }
            Edit::SetMessageText { id, ron } => {
                let section = message_section(id, ron)?;
                match flow.messages.iter_mut().find(|m| m.id == *id) {
                    Some(old) => *old = section,
                    None => flow.messages.push(section),
                }
            }
            Edit::RemoveMessage(id) => {
                if !flow.messages.iter().any(|m| m.id == *id) {
                    return Err(EditError::NoMessage(id.clone()));
                }
                flow.messages.retain(|m| m.id != *id);
            }
            Edit::SetMergeField(field) => {
                if !is_wellformed(&field.name) {
                    return Err(EditError::BadId(field.name.to_string()));
                }
                let ron =
                    crate::kinds::ron_options().to_string(&**field).map_err(|e| EditError::BadValue(e.to_string()))?;
                let section = Arc::new(Section::new(ron, Ok((**field).clone()), 0));
                match flow.fields.iter_mut().find(|f| f.value().is_some_and(|f| f.name == field.name)) {
                    Some(old) => *old = section,
                    None => flow.fields.push(section),
                }
            }
            Edit::SetMergeFieldText { name, ron } => flow.set_field_text(name.as_ref(), ron)?,
            Edit::RemoveMergeField(name) => {
                let before = flow.fields.len();
                flow.fields.retain(|f| f.value().is_none_or(|f| f.name != *name));
                if flow.fields.len() == before {
                    return Err(EditError::NoField(name.clone()));
                }
            }
        }
        Ok(())
    }

    /// An id that no node has yet: the kind's name and a number.
    pub fn fresh_id(&self, kind: &str) -> NodeId {
        let stem = kind.replace('_', "-");
        let mut n = self.nodes.len() + 1;
        loop {
            let id = NodeId::new(format!("{stem}-{n}"));
            if self.node(id.as_str()).is_none() {
                return id;
            }
            n += 1;
        }
    }

    fn set_field_text(&mut self, name: Option<&SmolStr>, ron: &str) -> Result<(), EditError> {
        let field: Field =
            crate::kinds::ron_options().from_str(ron).map_err(|e| EditError::BadValue(e.code.to_string()))?;
        let is_other = name != Some(&field.name);
        if !is_wellformed(&field.name) || (is_other && self.field(&field.name).is_some()) {
            return Err(EditError::BadId(field.name.to_string()));
        }
        let section = Arc::new(Section::new(ron, Ok(field), 0));
        match name {
            None => self.fields.push(section),
            Some(name) => {
                let old = self.fields.iter_mut().find(|f| f.value().is_some_and(|f| f.name == *name));
                *old.ok_or_else(|| EditError::NoField(name.clone()))? = section;
            }
        }
        Ok(())
    }

    fn position(&self, id: &NodeId) -> Result<usize, EditError> {
        self.nodes.iter().position(|node| node.id == *id).ok_or_else(|| EditError::NoNode(id.clone()))
    }

    fn node_mut(&mut self, id: &NodeId) -> Result<&mut Node, EditError> {
        let at = self.position(id)?;
        Ok(Arc::make_mut(&mut self.nodes[at]))
    }

    /// Edges of ports that are gone go with them, and those into a step that has no way in any more.
    fn set_settings(&mut self, id: &NodeId, kind: Option<SmolStr>, ron: &str) -> Result<(), EditError> {
        let at = self.position(id)?;
        let kind = kind.unwrap_or_else(|| self.nodes[at].kind.clone());
        let settings = Settings::read(&kind, ron).map_err(|e| EditError::BadValue(file::settings_message(&e)))?;
        let ports = settings.ports();
        let has_way_in = !matches!(kind.as_str(), "trigger" | "note");
        self.edges.retain(|edge| {
            (edge.from != *id || ports.iter().any(|port| port.name == edge.port)) && (edge.to != *id || has_way_in)
        });
        let node = Arc::make_mut(&mut self.nodes[at]);
        node.kind = kind;
        node.settings = Section::new(ron, Ok(settings), 0);
        Ok(())
    }
}

/// A message as written. Its text must be RON, else the file could not be read again.
fn message_section(id: &MessageId, ron: &str) -> Result<Arc<MessageSection>, EditError> {
    if !is_wellformed(id.as_str()) {
        return Err(EditError::BadId(id.to_string()));
    }
    ron::value::RawValue::from_ron(ron).map_err(|e| EditError::BadValue(e.to_string()))?;
    let value = Message::from_ron(ron).map_err(|error| crate::kinds::SettingsError::Unreadable {
        message: error.code.to_string(),
        line_column: (error.span.start.line, error.span.start.col),
    });
    if value.as_ref().is_ok_and(|message| message.id != *id) {
        return Err(EditError::BadValue(format!("the text is not of the message `{id}`")));
    }
    Ok(Arc::new(MessageSection { id: id.clone(), section: Section::new(ron, value, 0) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = r#"(version: 2, id: "f", name: "F",
        fields: [(name: "a", /* kept */ source: contact("a"))],
        nodes: [(id: "x", kind: "teleport"), (id: "y", kind: "exit"), (id: "z", kind: "exit")],
        messages: [(id: "m", subject: "S")])"#;

    fn flow() -> Flow {
        file::read(FLOW).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    #[test]
    fn messages_by_their_text() {
        let flow = flow();
        let set = |id: &str, ron: &str| flow.apply(&Edit::SetMessageText { id: id.into(), ron: ron.to_owned() });
        let text = "(id: \"m\", // why\n subject: \"T\")";
        let next = set("m", text).expect("applies");
        assert_eq!((next.messages.len(), next.messages[0].section.raw()), (1, text));
        let next = set("n", "(id: \"n\", later: Thing(3))").expect("unknown content is kept");
        assert!(next.messages[1].section.error().is_some());
        assert!(set("n", text).is_err(), "another id");
        assert!(set("n", "(id: ").is_err(), "no RON");
        assert!(set("a b", "(id: \"a b\")").is_err());
    }

    #[test]
    fn fields_by_their_text() {
        let flow = flow();
        let set = |name: Option<&str>, ron: &str| {
            flow.apply(&Edit::SetMergeFieldText { name: name.map(SmolStr::new), ron: ron.to_owned() })
        };
        let next = set(Some("a"), "(name: \"b\", /* kept */ source: contact(\"a\"))").expect("applies");
        assert_eq!(next.fields[0].raw(), "(name: \"b\", /* kept */ source: contact(\"a\"))");
        assert_eq!(set(None, "(name: \"b\", source: contact(\"b\"))").expect("applies").fields.len(), 2);
        assert_eq!(set(None, "(name: \"a\", source: contact(\"b\"))"), Err(EditError::BadId("a".into())));
        assert_eq!(set(Some("q"), "(name: \"b\", source: contact(\"b\"))"), Err(EditError::NoField("q".into())));
        assert!(set(None, "(name: \"b\")").is_err());
    }

    #[test]
    fn a_step_that_cannot_be_read_keeps_any_port() {
        let next = flow().apply(&Edit::Connect(Edge::new("x", "mars", "y"))).expect("applies");
        assert!(next.invariants().is_empty());
        assert!(next.apply(&Edit::Connect(Edge::new("x", "mars", "z"))).is_err(), "once");
    }

    #[test]
    fn moves_are_all_or_nothing() {
        let flow = flow();
        let to = |id: &str, x: f32| Edit::MoveNode { id: id.into(), pos: (x, 1.0) };
        let moved = apply_all(&flow, &[to("x", 1.0), to("y", 2.0), to("x", 3.0)]).expect("applies");
        assert_eq!((moved.nodes[0].pos, moved.nodes[1].pos), ((3.0, 1.0), (2.0, 1.0)));
        assert_eq!(apply_all(&flow, &[to("x", 1.0), to("q", 2.0)]), Err((1, EditError::NoNode("q".into()))));
        assert!(apply_all(&flow, &[to("x", f32::NAN)]).is_err());
    }
}
