//! What somebody else did to files that are open, and what one tab does to the workspace of another.
//!
//! The one idea: of each file there is what was read (the base), what stands in the editor and what stands on the disk,
//! and [`flow::merge`](crate::flow::merge) brings the three together; only what both changed is asked about.
//!
//! The workspace file belongs to all documents of its folder. Each keeps its text in its own history, so that it can be
//! undone there, and after every command the text of the one that changed is given to the others as a step
//! ([`share`]): while it is unsaved there is one text, in every tab, an undo in any of them takes the newest change of
//! the workspace back for all, and saving any of them saves it. Deliberately not here: reading and writing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Dialog, ReadOnly, Task, Theirs, acts::save};
use crate::{
    app::{App, Derived, DocumentId, Home, Request, document::Document, journal::WorkspaceDraft},
    base::Instant,
    flow::{
        Flow,
        merge::{Conflict, Merged, Part, Side, merge, merge_workspace},
    },
};

/// What stands in the undo list where the file took the document's place.
const TAKEN: &str = "Read the changed file";
/// What stands there where both were brought together.
const MERGED: &str = "Merge the changed file";
/// The same of the workspace.
const MERGED_WORKSPACE: &str = "Merge the changed workspace";
/// Typing in the workspace of another tab is one step here, too.
const SHARED_KEY: &str = "workspace of another tab";

fn sides(conflicts: &[(Conflict, Side)]) -> BTreeMap<Part, Side> {
    conflicts.iter().map(|(conflict, side)| (conflict.part.clone(), *side)).collect()
}

fn to_ask(conflicts: Vec<Conflict>) -> Vec<(Conflict, Side)> {
    conflicts.into_iter().map(|conflict| (conflict, Side::Mine)).collect()
}

/// What a merge did, in words; also what could not be kept.
fn say<T>(app: &mut App, of: &str, merged: &Merged<T>, now: Instant) {
    let summary = merged.summary();
    let text = match summary.as_str() {
        "" => format!("{of} changed on the disk; nothing of yours is touched by it"),
        one if one.starts_with("1 ") && !one.contains(" and ") => format!("{of}: {one} changed outside was merged"),
        many => format!("{of}: {many} changed outside were merged"),
    };
    app.tell(text, false, now);
    if !merged.left_out.is_empty() {
        let text = format!("{of}: not kept, since a step or its port is gone: {}", merged.left_out.join(", "));
        app.tell(text, true, now);
    }
}

/// The file of a document is not what was read.
pub(super) fn flow_changed(
    app: &mut App,
    id: DocumentId,
    theirs: Theirs,
    while_saving: bool,
    now: Instant,
) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    document.history.commit();
    document.on_disk.gone = false;
    let title = document.title().to_owned();
    let can_merge = !theirs.loaded.read_only && !document.on_disk.is_base_lost;
    if document.history.is_flow_clean() && can_merge {
        app.tell(format!("{title} changed on the disk and was read again"), false, now);
        let mut requests = take_theirs(app, id, theirs, now);
        if while_saving {
            // The workspace beside it was to be saved.
            requests.extend(save(app, id, false));
        }
        return requests;
    }
    let history = &document.history;
    let merged = can_merge.then(|| merge(history.saved(), history.flow(), &theirs.loaded.flow, &BTreeMap::new()));
    match merged {
        Some(merged) if merged.conflicts.is_empty() => {
            say(app, &title, &merged, now);
            bring_together(app, id, theirs, merged.value, while_saving, now)
        }
        merged => {
            document.on_disk.is_unanswered = true;
            let conflicts = merged.map(|merged| to_ask(merged.conflicts)).unwrap_or_default();
            let same = |dialog: &Dialog| matches!(dialog, Dialog::Changed { document, .. } if *document == id);
            app.files.dialogs.retain(|dialog| !same(dialog));
            app.files.dialogs.push(Dialog::Changed { document: id, theirs, while_saving, conflicts });
            Vec::new()
        }
    }
}

fn bring_together(
    app: &mut App,
    id: DocumentId,
    theirs: Theirs,
    flow: Flow,
    while_saving: bool,
    now: Instant,
) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    document.merge(*theirs.loaded, flow, MERGED);
    document.on_disk.is_unanswered = false;
    let mut requests: Vec<Request> = forget_if_clean(document).into_iter().map(Request::Files).collect();
    around(app, vec![(id, theirs.home)], now);
    if while_saving {
        requests.extend(save(app, id, false));
    }
    requests
}

/// The draft is needed no more where nothing is unsaved.
fn forget_if_clean(document: &mut Document) -> Option<Task> {
    if document.history.is_clean() { document.draft_is_settled() } else { None }
}

/// The user has chosen a side for each conflict.
pub(super) fn merge_chosen(
    app: &mut App,
    id: DocumentId,
    theirs: Theirs,
    while_saving: bool,
    conflicts: &[(Conflict, Side)],
    now: Instant,
) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    document.history.commit();
    let (title, history) = (document.title().to_owned(), &document.history);
    let merged = merge(history.saved(), history.flow(), &theirs.loaded.flow, &sides(conflicts));
    say(app, &title, &merged, now);
    bring_together(app, id, theirs, merged.value, while_saving, now)
}

/// The file takes the document's place.
pub(super) fn take_theirs(app: &mut App, id: DocumentId, theirs: Theirs, now: Instant) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    let flow = theirs.loaded.flow.clone();
    document.merge(*theirs.loaded, flow, TAKEN);
    if document.is_from_newer() {
        document.on_disk.read_only = Some(ReadOnly::Newer);
    }
    document.on_disk.is_unanswered = false;
    document.on_disk.is_base_lost = false;
    let requests: Vec<Request> = forget_if_clean(document).into_iter().map(Request::Files).collect();
    around(app, vec![(id, theirs.home)], now);
    requests
}

/// The document stays as it is, whatever the file holds.
pub(super) fn keep_mine(app: &mut App, id: DocumentId, theirs: Theirs) {
    if let Some(document) = app.by_id(id) {
        document.on_disk.is_unanswered = false;
        if !theirs.loaded.read_only {
            let flow = document.flow().clone();
            document.merge(*theirs.loaded, flow, MERGED);
            document.on_disk.is_base_lost = false;
        }
    }
}

fn of_folder<'a>(app: &'a mut App, folder: &'a Path) -> impl Iterator<Item = &'a mut Document> {
    app.documents.iter_mut().filter(move |document| document.home.folder.as_deref() == Some(folder))
}

/// What stands around documents of one workspace was read anew; true where the workspace file held news.
pub(super) fn around(app: &mut App, homes: Vec<(DocumentId, Arc<Home>)>, now: Instant) -> bool {
    let Some((folder, theirs)) = homes.first().map(|(_, home)| (home.folder.clone(), home.source.clone())) else {
        return false;
    };
    let is_news = match &folder {
        Some(folder) => workspace_read(app, folder, &theirs, now),
        None => false,
    };
    for (id, home) in homes {
        if let Some(document) = app.by_id(id) {
            document.set_home(home);
        }
    }
    if let Some(folder) = folder {
        align(app, &folder);
    }
    is_news
}

/// The workspace file of a folder holds `theirs`.
fn workspace_read(app: &mut App, folder: &Path, theirs: &str, now: Instant) -> bool {
    if of_folder(app, folder).all(|document| **document.history.saved_aside() == *theirs) {
        return false;
    }
    let edited = of_folder(app, folder).find(|document| !document.history.is_aside_clean());
    let Some(edited) = edited.map(|document| &document.history) else {
        of_folder(app, folder).for_each(|document| {
            document.history.read_aside(theirs);
            document.settle();
            // No step of the history says that it is old.
            document.derived = Derived::default();
        });
        return true;
    };
    let merged = merge_workspace(edited.saved_aside(), edited.aside(), theirs, &BTreeMap::new());
    if merged.conflicts.is_empty() {
        say(app, &name(folder), &merged, now);
        workspace_is(app, folder, &merged.value, theirs);
    } else {
        let same = |dialog: &Dialog| matches!(dialog, Dialog::WorkspaceChanged { folder: of, .. } if of == folder);
        app.files.dialogs.retain(|dialog| !same(dialog));
        let (folder, theirs) = (folder.to_owned(), theirs.to_owned());
        app.files.dialogs.push(Dialog::WorkspaceChanged { folder, theirs, conflicts: to_ask(merged.conflicts) });
    }
    true
}

fn workspace_is(app: &mut App, folder: &Path, text: &str, saved: &str) {
    let saved: Arc<str> = saved.into();
    of_folder(app, folder).for_each(|document| {
        document.history.set_aside(MERGED_WORKSPACE, text, None);
        document.history.mark_aside_saved(Arc::clone(&saved));
        document.settle();
    });
}

/// The user has chosen a side for each conflict of the workspace.
pub(super) fn merge_workspace_chosen(
    app: &mut App,
    folder: &Path,
    theirs: &str,
    conflicts: &[(Conflict, Side)],
    now: Instant,
) {
    let Some(document) = of_folder(app, folder).next() else { return };
    let history = &document.history;
    let merged = merge_workspace(history.saved_aside(), history.aside(), theirs, &sides(conflicts));
    say(app, &name(folder), &merged, now);
    workspace_is(app, folder, &merged.value, theirs);
}

/// The workspace file of a folder is gone: its text counts as unsaved.
pub(super) fn workspace_gone(app: &mut App, folder: &Path, now: Instant) {
    let mut is_news = false;
    for document in of_folder(app, folder) {
        is_news |= !document.history.saved_aside().is_empty();
        document.history.mark_aside_saved("".into());
    }
    if is_news {
        let text = format!("The workspace file of {} is gone; Save writes it again", name(folder));
        app.tell(text, true, now);
    }
}

/// What people call a workspace.
pub(super) fn name(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    name.map_or_else(|| "The workspace".to_owned(), |name| format!("The workspace {name}"))
}

/// A document that came to a workspace takes the unsaved text of those that are there.
pub(super) fn align(app: &mut App, folder: &Path) {
    let edited = of_folder(app, folder).find(|document| !document.history.is_aside_clean());
    let Some(edited) = edited.map(|document| &document.history) else { return };
    let (text, saved) = (Arc::clone(edited.aside()), Arc::clone(edited.saved_aside()));
    for document in of_folder(app, folder).filter(|document| document.history.is_aside_clean()) {
        document.history.read_aside(&text);
        document.history.mark_aside_saved(Arc::clone(&saved));
        document.settle();
        document.derived = Derived::default();
    }
}

/// After every command: a workspace that was edited in one tab is the same in all of its tabs.
pub fn share(app: &mut App, now: Instant) {
    let mut changed: Vec<(DocumentId, PathBuf, Arc<str>, String)> = Vec::new();
    for document in &mut app.documents {
        let text = document.history.aside();
        let is_as_shared = document.on_disk.shared.as_ref().is_some_and(|shared| Arc::ptr_eq(shared, text));
        if is_as_shared {
            continue;
        }
        let before = document.on_disk.shared.replace(Arc::clone(text));
        if let (Some(before), Some(folder)) = (before, &document.home.folder)
            && before != *text
        {
            let label = format!("Workspace changed in {}", document.title());
            changed.push((document.id, folder.clone(), Arc::clone(text), label));
        }
    }
    for (id, folder, text, label) in changed {
        for document in
            of_folder(app, &folder).filter(|document| document.id != id && *document.history.aside() != text)
        {
            document.history.share_aside(&label, &text, Some((SHARED_KEY, now)));
            document.settle();
            document.on_disk.shared = Some(Arc::clone(document.history.aside()));
        }
    }
}

/// The workspace file of a document was written: it is as saved in all tabs of the workspace.
pub(super) fn workspace_saved(app: &mut App, id: DocumentId, text: &Arc<str>) -> Vec<Task> {
    let folder = app.by_id(id).and_then(|document| document.home.folder.clone());
    let Some(folder) = folder else { return Vec::new() };
    let others = of_folder(app, &folder).filter(|document| document.id != id);
    others
        .filter_map(|document| {
            document.history.mark_aside_saved(Arc::clone(text));
            forget_if_clean(document)
        })
        .collect()
}

/// Whether another tab of the same workspace holds its unsaved text, so that closing this one loses nothing of it.
pub(super) fn is_held_elsewhere(app: &App, id: DocumentId) -> bool {
    let Some(document) = app.documents.iter().find(|document| document.id == id) else { return false };
    let mut others = app.documents.iter().filter(|other| other.id != id && document.home.folder.is_some());
    others.any(|other| other.home.folder == document.home.folder && other.history.aside() == document.history.aside())
}

/// Puts the unsaved work of an earlier run into the document that was just opened for it.
pub(super) fn give_back(app: &mut App, id: DocumentId, flow: Flow, draft: Option<WorkspaceDraft>, now: Instant) {
    let Some(document) = app.by_id(id) else { return };
    let on_disk = document.home.source.clone();
    let folder = document.home.folder.clone();
    let mut text = draft.as_ref().map(|draft| draft.text.clone());
    if let Some(draft) = &draft
        && !document.history.is_aside_clean()
    {
        // Another tab of the workspace has unsaved work of its own; what it changed, too, stays one Undo away there.
        text = Some(merge_workspace(&draft.before, &draft.text, document.history.aside(), &BTreeMap::new()).value);
    }
    let aside = text.as_deref().zip(draft.as_ref().map(|draft| draft.before.as_str()));
    // What was there when it was opened is what the other tabs have.
    document.on_disk.shared = Some(Arc::clone(document.history.aside()));
    document.history.restore("Restore unsaved work", flow, aside);
    document.settle();
    share(app, now);
    if let (Some(folder), Some(draft)) = (folder, draft) {
        of_folder(app, &folder).for_each(|document| document.history.mark_aside_saved(draft.before.as_str().into()));
        workspace_read(app, &folder, &on_disk, now);
    }
}

#[cfg(test)]
mod tests;
