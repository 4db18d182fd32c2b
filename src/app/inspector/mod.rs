//! What is selected, as forms: rows with values, and the edits that a changed value makes.
//!
//! The one idea: rows follow from the catalogue of kinds and the RON of the settings as written; a change names a row
//! by its [`Route`] and becomes edits of that one place, so that everything else stays letter by letter. A value that
//! cannot be is refused with a sentence for its field and never reaches the flow. Deliberately not here: half-typed
//! texts (the window keeps them), and anything drawn.

pub mod blocks;
pub mod change;
pub mod condition;
pub mod edge;
pub mod flow_fields;
pub mod footer;
pub mod leaf;
pub mod message;
pub mod names;
pub mod offers;
pub mod raw;
pub mod rows;

pub use self::{
    change::Change,
    raw::{Route, Step},
    rows::{Input, Note, Row},
};

use smol_str::SmolStr;

use super::{Document, card};
use crate::{
    base::NodeId,
    flow::{Edge, Edit, Flow, Node, edit::apply_all, file},
    kinds::{FieldSpec, SettingsError, Spec},
};

/// What a form is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    /// Settings of steps of one kind.
    Nodes(Vec<NodeId>),
    /// Settings of the flow.
    Flow,
}

/// Settings of steps as a form.
#[derive(Clone, Debug)]
pub struct Form {
    /// What it is about.
    pub target: Target,
    /// The kind of the steps; none for the flow and for kinds that are not known.
    pub spec: Option<&'static Spec>,
    /// The rows; none where the settings cannot be read.
    pub rows: Vec<Row>,
    /// Settings that cannot be read.
    pub unreadable: Option<Unreadable>,
}

/// Settings that cannot be read: the text, why, and in which line of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// As written.
    pub text: String,
    /// Why.
    pub why: String,
    /// Line in it, from 1; none where the kind is not known.
    pub line: Option<usize>,
}

/// Edits, ready to be pushed as a command.
#[derive(Clone, PartialEq, Debug)]
pub struct Ready {
    /// What the undo list says.
    pub label: String,
    /// The edits.
    pub edits: Vec<Edit>,
    /// Joins typing in one field.
    pub merge: Option<String>,
    /// The text of the workspace file, where that is what changes.
    pub workspace: Option<String>,
}

impl Ready {
    /// As a command.
    pub fn command(self) -> super::Command {
        if let Some(text) = self.workspace {
            return super::pages::Act::Workspace { label: self.label, text, merge: self.merge }.into();
        }
        super::Command::Edit { label: self.label, edits: self.edits, merge: self.merge }
    }
}

/// The form of the selected steps: of one step its settings, of several of one kind what they have in common.
pub fn form(document: &Document) -> Option<Form> {
    let flow = document.flow();
    let nodes: Vec<&Node> =
        flow.nodes.iter().filter(|node| document.view.selection.contains(&node.id)).map(|n| &**n).collect();
    let (first, others) = nodes.split_first()?;
    if others.iter().any(|node| node.kind != first.kind) {
        return None;
    }
    let target = Target::Nodes(nodes.iter().map(|node| node.id.clone()).collect());
    let spec = card::spec(&first.kind);
    let unreadable = nodes.iter().find_map(|node| Some(unreadable(node.settings.raw(), node.settings.error()?)));
    let mut form = Form { target, spec, rows: Vec::new(), unreadable };
    let Some(spec) = spec.filter(|_| form.unreadable.is_none()) else { return Some(form) };
    form.rows = rows::rows(spec.fields, first.settings.raw(), &Route::default());
    for row in &mut form.rows {
        let own = raw::get(first.settings.raw(), &row.route.0).map(raw::bare);
        row.differs = others.iter().any(|node| raw::get(node.settings.raw(), &row.route.0).map(raw::bare) != own);
    }
    if others.is_empty() {
        for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
            let place = &finding.diagnostic.place;
            if place.node.as_deref() == Some(first.id.as_str())
                && let Some(field) = &place.field
            {
                rows::annotate(&mut form.rows, field, &note(&finding.diagnostic));
            }
        }
    }
    Some(form)
}

/// The form of the flow's settings.
pub fn flow_form(document: &Document) -> Form {
    let section = &document.flow().settings;
    let unreadable = section.error().map(|error| unreadable(section.raw(), error));
    let mut rows = if unreadable.is_some() {
        Vec::new()
    } else {
        rows::rows(flow_fields::FIELDS, &flow_settings(document.flow()), &Route::default())
    };
    for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
        let place = &finding.diagnostic.place;
        if place.node.is_none()
            && place.message.is_none()
            && let Some(field) = &place.field
        {
            let field = field.strip_prefix("settings.").unwrap_or(field);
            rows::annotate(&mut rows, field, &note(&finding.diagnostic));
        }
    }
    Form { target: Target::Flow, spec: None, rows, unreadable }
}

/// The flow's settings with what the consent list means where it is left out: an empty list means nobody is asked.
fn flow_settings(flow: &Flow) -> String {
    let raw = flow.settings.raw();
    if raw::get(raw, &Route::field("consent").0).is_some() {
        return raw.to_owned();
    }
    file::raw::set_field(raw, "consent", Some("[subscribed(email)]")).unwrap_or_else(|_| raw.to_owned())
}

fn unreadable(text: &str, error: &SettingsError) -> Unreadable {
    let line = match error {
        SettingsError::UnknownKind => None,
        SettingsError::Unreadable { line_column, .. } => Some(line_column.0),
    };
    Unreadable { text: text.to_owned(), why: capital(&file::settings_message(error)), line }
}

/// A finding as a note at a field.
pub fn note(found: &crate::base::Diagnostic) -> Note {
    Note {
        severity: found.severity,
        message: found.message.clone(),
        hint: found.hint.clone(),
        range: found.place.range,
    }
}

/// The edits of a change.
///
/// Errors: a sentence for the field; nothing is to be done then.
pub fn edit(flow: &Flow, target: &Target, route: &Route, change: &Change) -> Result<Ready, String> {
    let (label, edits) = match target {
        Target::Flow => {
            let spec = change::spec_at(flow_fields::FIELDS, &route.0).ok_or("This setting is not known")?;
            let settings = change::changed(&flow_settings(flow), &spec, route, change)?;
            let field = SmolStr::new(route.top());
            let value = raw::get(&settings, &Route::field(&field).0).map(str::to_owned);
            (label(&spec, flow_fields::FIELDS, route), vec![Edit::SetFlowField { field, value }])
        }
        Target::Nodes(ids) => {
            let mut edits = Vec::new();
            let mut name = String::new();
            for id in ids {
                let node = flow.node(id.as_str()).ok_or("The step is gone")?;
                let fields: &'static [FieldSpec] = card::spec(&node.kind).ok_or("This kind is not known")?.fields;
                let spec = change::spec_at(fields, &route.0).ok_or("This setting is not known")?;
                let settings = change::changed(node.settings.raw(), &spec, route, change)?;
                let field = SmolStr::new(route.top());
                let value = raw::get(&settings, &Route::field(&field).0).map(str::to_owned);
                edits.push(Edit::SetField { id: id.clone(), field, value });
                edits.extend(renamed_port(flow, node, &settings));
                name = label(&spec, fields, route);
            }
            (name, edits)
        }
    };
    tried(flow, &edits)?;
    let merge = change.is_typing().then(|| format!("{target:?} {route}"));
    Ok(Ready { label, edits, merge, workspace: None })
}

/// The edits that replace settings which cannot be read.
///
/// Errors: why they still cannot.
pub fn edit_raw(flow: &Flow, target: &Target, text: &str) -> Result<Ready, String> {
    let edits = match target {
        Target::Nodes(ids) => {
            ids.iter().map(|id| Edit::SetSettings { id: id.clone(), kind: None, ron: text.to_owned() }).collect()
        }
        // One of its fields set to itself is refused where the whole cannot be read, so each is set on its own.
        Target::Flow => {
            let parsed = file::raw::RawStruct::parse(text).map_err(|error| error.to_string())?;
            parsed
                .0
                .iter()
                .map(|(key, value)| Edit::SetFlowField { field: key.clone(), value: Some((*value).to_owned()) })
                .collect::<Vec<_>>()
        }
    };
    tried(flow, &edits)?;
    Ok(Ready { label: "Change settings".to_owned(), edits, merge: Some(format!("{target:?} raw")), workspace: None })
}

/// The label of a change in the undo list: by the setting of the step that it is in.
fn label(spec: &FieldSpec, fields: &[FieldSpec], route: &Route) -> String {
    let top = fields.iter().find(|field| field.name == route.top()).map_or(spec.label, |field| field.label);
    if top == spec.label {
        format!("Change \u{201c}{top}\u{201d}")
    } else {
        format!("Change \u{201c}{top}\u{201d}: {}", spec.label.to_lowercase())
    }
}

/// Whether the flow takes the edits; a sentence where it does not.
pub(in crate::app) fn tried(flow: &Flow, edits: &[Edit]) -> Result<(), String> {
    apply_all(flow, edits).map(|_| ()).map_err(|(_, error)| match error {
        crate::flow::EditError::BadValue(why) => capital(&why),
        other => capital(&other.to_string()),
    })
}

/// A way out that got another name keeps its edge.
fn renamed_port(flow: &Flow, node: &Node, settings: &str) -> Option<Edit> {
    let before = node.ports();
    let after = Node::new(node.id.clone(), &node.kind, settings).ports();
    if before.len() != after.len() {
        return None;
    }
    let mut changed = before.iter().zip(&after).filter(|(old, new)| old.name != new.name);
    let (old, new) = changed.next()?;
    if changed.next().is_some() {
        return None;
    }
    let to = flow.target(node.id.as_str(), &old.name)?.clone();
    Some(Edit::Connect(Edge { from: node.id.clone(), port: new.name.clone(), to }))
}

/// A sentence with a capital letter.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The edit that renames a step.
pub fn rename(node: &Node, title: &str) -> Ready {
    Ready {
        label: "Rename step".to_owned(),
        edits: vec![Edit::SetTitle { id: node.id.clone(), title: title.to_owned() }],
        merge: Some(format!("title {}", node.id)),
        workspace: None,
    }
}

/// The edit of a step's note.
pub fn annotate_step(node: &Node, note: &str) -> Ready {
    Ready {
        label: "Note on step".to_owned(),
        edits: vec![Edit::SetNote { id: node.id.clone(), note: note.to_owned() }],
        merge: Some(format!("note {}", node.id)),
        workspace: None,
    }
}

/// The edit that renames the flow.
pub fn rename_flow(name: &str) -> Ready {
    Ready {
        label: "Rename flow".to_owned(),
        edits: vec![Edit::SetName(name.to_owned())],
        merge: Some("flow name".to_owned()),
        workspace: None,
    }
}

#[cfg(test)]
mod tests;
