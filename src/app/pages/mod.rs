//! Pages that fill the middle of the window instead of the canvas: tables of what a flow and its workspace declare.
//!
//! The one idea: a page is a list of rows ready to draw and a form of the chosen row; what a hand does to them is an
//! [`Act`], which becomes edits of the flow's history like any other. Deliberately not here: anything drawn,
//! half-typed texts, searching being typed.

pub mod constants;
pub mod people;
pub mod rows;
pub mod shared;
pub mod tags;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use smol_str::SmolStr;

use super::{App, DocumentId, Home, Request, document::Document, fields_use::Thing, files, rename};
use crate::{base::Instant, flow::file::Loaded};

/// Which page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PageKind {
    /// The mail of the selected step.
    Mails,
    /// Every message for every contact.
    Matrix,
    /// Settings of the flow, and of the workspace.
    Flow,
    /// Merge tags of the flow.
    Tags,
    /// Constants of the flow.
    Constants,
    /// Segments of the workspace.
    Segments,
    /// Score models of the workspace.
    Scores,
    /// The catalogue of events of the workspace.
    Events,
    /// Lists of the workspace.
    Lists,
    /// Senders of the workspace.
    Senders,
    /// Pools of codes of the workspace.
    Pools,
    /// The sample contacts.
    Audience,
    /// The engine that runs the flow.
    Run,
}

impl PageKind {
    /// All, in the order of their tabs.
    pub const ALL: [Self; 13] = [
        Self::Mails,
        Self::Matrix,
        Self::Flow,
        Self::Tags,
        Self::Constants,
        Self::Segments,
        Self::Scores,
        Self::Events,
        Self::Lists,
        Self::Senders,
        Self::Pools,
        Self::Audience,
        Self::Run,
    ];

    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Mails => "Mails",
            Self::Matrix => "Matrix",
            Self::Flow => "Flow settings",
            Self::Tags => "Merge tags",
            Self::Constants => "Constants",
            Self::Segments => "Segments",
            Self::Scores => "Score models",
            Self::Events => "Events",
            Self::Lists => "Lists",
            Self::Senders => "Senders",
            Self::Pools => "Code pools",
            Self::Audience => "Audience",
            Self::Run => "Run",
        }
    }

    /// What its rows are, where they can be named anew.
    pub fn thing(self) -> Option<Thing> {
        Some(match self {
            Self::Mails | Self::Matrix | Self::Flow | Self::Audience | Self::Run => return None,
            Self::Tags => Thing::Field,
            Self::Constants => Thing::Constant,
            Self::Segments => Thing::Segment,
            Self::Scores => Thing::Score,
            Self::Events => Thing::Event,
            Self::Lists => Thing::List,
            Self::Senders => Thing::Sender,
            Self::Pools => Thing::Pool,
        })
    }

    /// What people call one of its rows.
    pub fn word(self) -> &'static str {
        self.thing().map_or("contact", Thing::word)
    }

    /// What stands where there are no rows: what they are good for.
    pub fn when_empty(self) -> &'static str {
        match self {
            Self::Tags => "No merge tags yet: a merge tag puts a value into mails, such as the name of who gets it",
            Self::Constants => {
                "No constants yet: a constant names a value that conditions and mails use, such as a threshold"
            }
            Self::Segments => "No segments yet: a segment names a group of contacts by a condition",
            Self::Scores => "No score models yet: a score model adds points for what contacts do",
            Self::Events => {
                "No events yet: the catalogue says what can happen to contacts and what platforms call it, so that \
                 misspelt names are found"
            }
            Self::Lists => "No lists yet: contacts are put on a list, and a list can let them into a flow",
            Self::Senders => "No senders yet: a sender is the name and address that mails come from",
            Self::Pools => "No code pools yet: a pool holds discount codes, and a merge tag gives one away",
            Self::Mails | Self::Matrix | Self::Flow | Self::Audience | Self::Run => "",
        }
    }
}

/// What a page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Show a page, or the canvas again.
    Show(Option<PageKind>),
    /// Choose a row of a page by name, or none.
    Choose(PageKind, Option<SmolStr>),
    /// The workspace file becomes this text.
    Workspace {
        /// What the undo list says.
        label: String,
        /// The text.
        text: String,
        /// Joins typing in one field to one step.
        merge: Option<String>,
    },
    /// Begin a row of a page, and choose it.
    Add(PageKind),
    /// Take a row out.
    Remove(PageKind, SmolStr),
    /// Rename a row and all its uses, also in the other open flows of the workspace.
    Rename {
        /// Of which page.
        page: PageKind,
        /// As it is called.
        from: SmolStr,
        /// As it will be.
        to: SmolStr,
    },
    /// Open flows of the workspace by their ids, behind the one that is shown.
    OpenNeighbours(Vec<SmolStr>),
}

/// A flow of the workspace that was asked for by [`Act::OpenNeighbours`].
#[derive(Debug)]
pub struct Neighbour {
    /// Its file.
    pub path: PathBuf,
    /// What is in it.
    pub loaded: Box<Loaded>,
    /// What stands around it.
    pub home: Arc<Home>,
}

/// A rename that went through several documents, each with a step of this label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Together {
    label: String,
    documents: Vec<DocumentId>,
}

impl From<Act> for super::Command {
    fn from(act: Act) -> Self {
        Self::Page(act)
    }
}

/// Does it; called by [`App::apply`] alone.
pub(super) fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    let done = match act {
        Act::Rename { page, from, to } => rename_all(app, page, &from, &to, now),
        Act::OpenNeighbours(flows) => return open_neighbours(app, flows),
        act => {
            let Some(document) = app.document_mut() else { return Vec::new() };
            on_document(document, act, now)
        }
    };
    match done {
        Ok(requests) => requests,
        Err(refused) => {
            app.tell(refused, true, now);
            Vec::new()
        }
    }
}

/// Shows a page; that of mails begins with the selected step's, or the flow's first.
pub(super) fn show(document: &mut Document, page: PageKind) {
    match page {
        PageKind::Mails => super::mails::open_any(document),
        page => document.view.page = Some(page),
    }
}

fn on_document(document: &mut Document, act: Act, now: Instant) -> Result<Vec<Request>, String> {
    match act {
        Act::Show(Some(page)) => show(document, page),
        Act::Show(None) => document.view.page = None,
        Act::Choose(page, name) => choose(document, page, name),
        Act::Workspace { label, text, merge } => {
            document.edit_workspace(&label, &text, merge.as_deref().map(|key| (key, now)))?;
        }
        Act::Add(page) => {
            let name = match page {
                PageKind::Tags => do_ready(document, tags::add(document.flow())?)?,
                PageKind::Constants => do_ready(document, constants::add(document.flow())?)?,
                _ => {
                    let (name, text) = shared::add(document, page)?;
                    document.edit_workspace(&format!("Add {}", page.word()), &text, None)?;
                    name
                }
            };
            choose(document, page, Some(name));
            return Ok(vec![Request::Focus(NAME_FIELD)]);
        }
        Act::Remove(page, name) => {
            let next = neighbour(document, page, &name);
            match page {
                PageKind::Tags => _ = do_ready(document, (name.clone(), tags::remove(document.flow(), &name)?))?,
                PageKind::Constants => {
                    _ = do_ready(document, (name.clone(), constants::remove(document.flow(), &name)?))?;
                }
                _ => {
                    let text = shared::remove(document, page, &name)?;
                    document.edit_workspace(&format!("Remove {} {name}", page.word()), &text, None)?;
                }
            }
            choose(document, page, next);
        }
        Act::Rename { .. } | Act::OpenNeighbours(_) => {}
    }
    Ok(Vec::new())
}

/// The field in which the name of the chosen row is typed.
pub const NAME_FIELD: &str = "Name of the row";

fn do_ready(document: &mut Document, (name, ready): (SmolStr, super::inspector::Ready)) -> Result<SmolStr, String> {
    document.edit(&ready.label, &ready.edits, None).map_err(|error| error.to_string())?;
    Ok(name)
}

/// The row that is shown once one is gone: the next, else the one before.
fn neighbour(document: &Document, page: PageKind, name: &str) -> Option<SmolStr> {
    let names = rename::names(document.flow(), &document.home, page.thing()?);
    let at = names.iter().position(|other| other == name)?;
    names.get(at + 1).or_else(|| names.get(at.checked_sub(1)?)).cloned()
}

fn rename_all(app: &mut App, page: PageKind, from: &str, to: &str, now: Instant) -> Result<Vec<Request>, String> {
    let (Some(document), Some(thing)) = (app.document(), page.thing()) else { return Ok(Vec::new()) };
    let changes = rename::plan(app, document, thing, from, to).map_err(|refused| refused.why)?;
    let (label, to) = (rename::label(thing, from, to.trim()), SmolStr::new(to.trim()));
    let mut documents = Vec::new();
    for change in changes {
        let Some(document) = app.by_id(change.document) else { continue };
        let before = document.history.revision();
        document
            .edit_with_workspace(&label, &change.edits, change.workspace.as_deref())
            .map_err(|error| format!("In {}: {error}", document.title()))?;
        if document.history.revision() != before {
            documents.push(document.id);
        }
        if document.view.page_rows.get(&page).is_some_and(|row| row == from) {
            choose(document, page, Some(to.clone()));
        }
    }
    if documents.len() > 1 {
        let n = documents.len() - 1;
        let flows = if n == 1 { "another open flow".to_owned() } else { format!("{n} other open flows") };
        app.tell(format!("Renamed in {flows} as well; save all of them"), false, now);
        app.together.retain(|one| one.label != label);
        app.together.push(Together { label, documents });
    }
    Ok(Vec::new())
}

/// After a step was taken back or done again in one document: the others that a rename went through follow, and it is
/// said where one cannot.
pub(super) fn follow(app: &mut App, id: DocumentId, label: &str, back: bool, now: Instant) {
    let is_it = |one: &&Together| one.label == label && one.documents.contains(&id);
    let Some(others) = app.together.iter().find(is_it).map(|one| one.documents.clone()) else { return };
    let mut missed: Vec<String> = Vec::new();
    for other in others.into_iter().filter(|other| *other != id) {
        let Some(document) = app.by_id(other) else { continue };
        let history = &mut document.history;
        history.commit();
        let is_next = match back {
            true => history.undo_labels().next() == Some(label),
            false => history.redo_labels().next() == Some(label),
        };
        if !is_next {
            missed.push(format!("\u{201c}{}\u{201d}", document.title()));
            continue;
        }
        _ = if back { history.undo() } else { history.redo() };
        document.settle();
    }
    if !missed.is_empty() {
        let what = if back { "still has the new name" } else { "still has the old name" };
        app.tell(format!("{} was changed since and {what}", missed.join(", ")), true, now);
    }
}

fn open_neighbours(app: &App, flows: Vec<SmolStr>) -> Vec<Request> {
    let Some(document) = app.document() else { return Vec::new() };
    let Some(path) = document.path.clone() else { return Vec::new() };
    vec![Request::Files(files::Task::OpenNeighbours { path, flows })]
}

/// Flows that were asked for: they are opened behind the one that is shown.
pub(super) fn opened(app: &mut App, neighbours: Vec<Neighbour>) -> Vec<Request> {
    let shown = app.document().map(|document| document.id);
    let mut requests = Vec::new();
    for Neighbour { path, loaded, home } in neighbours {
        requests.extend(app.open(Some(path), *loaded, home));
    }
    if let Some(at) = app.documents.iter().position(|document| Some(document.id) == shown) {
        app.active_idx = at;
    }
    requests
}

fn choose(document: &mut Document, page: PageKind, name: Option<SmolStr>) {
    match name {
        Some(name) => document.view.page_rows.insert(page, name),
        None => document.view.page_rows.remove(&page),
    };
}

/// Whether a row is found by what is typed: every word stands in one of its texts.
pub fn is_found(typed: &str, texts: &[&str]) -> bool {
    typed
        .split_whitespace()
        .map(str::to_lowercase)
        .all(|word| texts.iter().any(|text| text.to_lowercase().contains(&word)))
}
