//! Pages that fill the middle of the window instead of the canvas: tables of what a flow and its workspace declare.
//!
//! The one idea: a page is a list of rows ready to draw and a form of the chosen row; what a hand does to them is an
//! [`Act`], which becomes edits of the flow's history like any other. Deliberately not here: anything drawn,
//! half-typed texts, searching being typed.

pub mod people;
pub mod shared;
pub mod tags;

use smol_str::SmolStr;

use super::{App, Request, document::Document};
use crate::base::Instant;

/// Which page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PageKind {
    /// The mail of the selected step.
    Mails,
    /// Merge tags of the flow.
    Tags,
    /// Segments of the workspace.
    Segments,
    /// Score models of the workspace.
    Scores,
    /// The sample contacts.
    Audience,
}

impl PageKind {
    /// All, in the order of their tabs.
    pub const ALL: [Self; 5] = [Self::Mails, Self::Tags, Self::Segments, Self::Scores, Self::Audience];

    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Mails => "Mails",
            Self::Tags => "Merge tags",
            Self::Segments => "Segments",
            Self::Scores => "Score models",
            Self::Audience => "Audience",
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
    /// Declare a merge tag and choose it.
    AddTag,
    /// Take a merge tag out of the flow.
    RemoveTag(SmolStr),
    /// Rename a merge tag and all its uses.
    RenameTag {
        /// As it is called.
        from: SmolStr,
        /// As it will be.
        to: SmolStr,
    },
    /// The workspace file becomes this text.
    Workspace {
        /// What the undo list says.
        label: String,
        /// The text.
        text: String,
        /// Joins typing in one field to one step.
        merge: Option<String>,
    },
    /// Begin a segment or a score model, and choose it.
    Add(PageKind),
    /// Take a segment or a score model out.
    Remove(PageKind, SmolStr),
    /// Rename a segment or a score model that nothing uses.
    Rename {
        /// Which of them.
        page: PageKind,
        /// As it is called.
        from: SmolStr,
        /// As it will be.
        to: SmolStr,
    },
}

impl From<Act> for super::Command {
    fn from(act: Act) -> Self {
        Self::Page(act)
    }
}

/// Does it; called by [`App::apply`] alone.
pub(super) fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    let Some(document) = app.document_mut() else { return Vec::new() };
    match on_document(document, act, now) {
        Ok(requests) => requests,
        Err(refused) => {
            app.tell(refused, true, now);
            Vec::new()
        }
    }
}

fn on_document(document: &mut Document, act: Act, now: Instant) -> Result<Vec<Request>, String> {
    match act {
        Act::Show(page) => document.view.page = page,
        Act::Choose(page, name) => choose(document, page, name),
        Act::AddTag => {
            let (name, ready) = tags::add(document.flow())?;
            document.edit(&ready.label, &ready.edits, None).map_err(|error| error.to_string())?;
            choose(document, PageKind::Tags, Some(name));
            return Ok(vec![Request::Focus("Merge tag name")]);
        }
        Act::RemoveTag(name) => {
            let next = tags::neighbour(document.flow(), &name);
            let ready = tags::remove(document.flow(), &name)?;
            document.edit(&ready.label, &ready.edits, None).map_err(|error| error.to_string())?;
            choose(document, PageKind::Tags, next);
        }
        Act::RenameTag { from, to } => {
            let ready = tags::rename(document.flow(), &from, &to)?;
            document.edit(&ready.label, &ready.edits, None).map_err(|error| error.to_string())?;
            if document.view.page_rows.get(&PageKind::Tags) == Some(&from) {
                choose(document, PageKind::Tags, Some(to));
            }
        }
        Act::Workspace { label, text, merge } => {
            document.edit_workspace(&label, &text, merge.as_deref().map(|key| (key, now)))?;
        }
        Act::Add(page) => {
            let (name, text) = shared::add(document, page)?;
            document.edit_workspace(&format!("Add {}", shared::word(page)), &text, None)?;
            choose(document, page, Some(name));
        }
        Act::Remove(page, name) => {
            let text = shared::remove(document, page, &name)?;
            document.edit_workspace(&format!("Remove {} {name}", shared::word(page)), &text, None)?;
            choose(document, page, None);
        }
        Act::Rename { page, from, to } => {
            let text = shared::rename(document, page, &from, &to)?;
            document.edit_workspace(&format!("Rename {} {from} to {to}", shared::word(page)), &text, None)?;
            if document.view.page_rows.get(&page) == Some(&from) {
                choose(document, page, Some(to));
            }
        }
    }
    Ok(Vec::new())
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
