//! What is done about files: one function per question that a user could have about their work.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Act, Choice, Dialog, Page, PathDialog, Purpose, ReadOnly, Task, Told, WorkspaceFile, changed, publish,
    samples::{self, Sample, Template},
};
use crate::{
    app::{Answer, App, DocumentId, Home, Request, Screen, compare, document::Document, jobs, journal::WorkspaceDraft},
    base::Instant,
    flow::file::Loaded,
};

/// How the name of a flow file ends.
const ENDING: &str = ".flow.ron";

/// Name of the workspace file.
const WORKSPACE_FILE: &str = "flowloom.ron";

/// What our own dialog says before a file is written over.
const THERE: &str = "There is a file of that name; choose again to write over it";

fn task(task: Task) -> Vec<Request> {
    vec![Request::Files(task)]
}

/// Does what a panel asks for.
pub fn apply(app: &mut App, act: Act, now: Instant) -> Vec<Request> {
    match act {
        Act::Tick => {}
        Act::Focused => {
            let files = app.documents.iter().filter_map(|document| Some((document.id, document.path.clone()?)));
            let files: Vec<(DocumentId, PathBuf)> = files.collect();
            let mut folders: BTreeMap<PathBuf, Vec<(DocumentId, PathBuf)>> = BTreeMap::new();
            for document in &app.documents {
                if let (Some(folder), Some(path)) = (&document.home.folder, &document.path) {
                    folders.entry(folder.clone()).or_default().push((document.id, path.clone()));
                }
            }
            if !files.is_empty() {
                return task(Task::Look { files, folders });
            }
        }
        Act::Close(id) => return close(app, id),
        Act::Quit => return quit(app),
        Act::Choose(choice) => return choose(app, choice, now),
        Act::Undo(steps) => history(app, steps, true, now),
        Act::Redo(steps) => history(app, steps, false, now),
        Act::Show(Some(Page::Publish)) => publish::open(app),
        Act::Show(Some(Page::Compare)) => compare::open(app),
        Act::Show(Some(Page::SendTest)) => crate::app::mails::send::open(app),
        Act::Show(page) => app.files.page = page,
        Act::OpenSample(sample) => return open_sample(app, sample, now),
        Act::NewFrom(template) => return new_from(app, template, now),
        Act::ForgetRecent(path) => app.preferences.forget(&path.display().to_string()),
        Act::Restore(id) => return task(Task::Restore(id)),
        Act::DropDraft(id) => {
            app.files.drafts.retain(|draft| draft.id != id);
            return task(Task::DropDraft(id));
        }
        Act::Dropped(path) => return dropped(app, path, now),
        Act::Publish(act) => return publish::act(app, act, now),
        Act::Compare(act) => return compare::act(app, act),
        #[cfg(feature = "push")]
        Act::Push(act) => return super::push::act(app, act, now),
        #[cfg(feature = "push")]
        Act::Account(act) => return super::account::act(app, act, now),
        Act::ShowFolder(folder) => return task(Task::ShowFolder(folder)),
        Act::Prefer(preferences) => {
            app.theme = preferences.theme;
            app.preferences = *preferences;
        }
        Act::CancelJob(document, kind) => jobs::cancel(app, document, kind),
        Act::RunAgain(document, kind) => jobs::run_again(app, document, kind),
        Act::HideJob(document, kind) => jobs::hide(app, document, kind),
    }
    Vec::new()
}

/// Goes so many steps of the shown document back, or forth.
pub fn history(app: &mut App, steps: usize, back: bool, now: Instant) {
    for _ in 0..steps {
        let Some(document) = app.document_mut() else { return };
        let label = if back { document.history.undo() } else { document.history.redo() };
        document.settle();
        let (Some(label), id) = (label, document.id) else { return };
        crate::app::pages::follow(app, id, &label, back, now);
    }
}

fn open_sample(app: &mut App, sample: &'static Sample, now: Instant) -> Vec<Request> {
    match samples::read(sample.workspace, sample.flow) {
        Ok(loaded) => {
            task(Task::OpenSample { workspace: sample.workspace, flow: sample.flow, loaded: Box::new(loaded) })
        }
        Err(fault) => {
            app.tell(fault, true, now);
            Vec::new()
        }
    }
}

fn new_from(app: &mut App, template: &'static Template, now: Instant) -> Vec<Request> {
    match (samples::from_template(template), template.sample) {
        (Ok(loaded), Some((workspace, flow))) => task(Task::OpenSample { workspace, flow, loaded: Box::new(loaded) }),
        (Ok(loaded), None) => app.open(None, loaded, Arc::default()),
        (Err(fault), _) => {
            app.tell(fault, true, now);
            Vec::new()
        }
    }
}

fn close(app: &mut App, id: DocumentId) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    document.history.commit();
    let is_lost = !document.history.is_flow_clean() || document.on_disk.gone || document.path.is_none();
    if document.is_unsaved() && (is_lost || !changed::is_held_elsewhere(app, id)) {
        app.files.dialogs.push(Dialog::Unsaved { documents: vec![id], quits: false });
        return Vec::new();
    }
    close_now(app, id)
}

fn close_now(app: &mut App, id: DocumentId) -> Vec<Request> {
    let Some(at) = app.documents.iter().position(|document| document.id == id) else { return Vec::new() };
    let mut document = app.documents.remove(at);
    let forget = document.draft_is_settled();
    if app.active_idx > at || app.active_idx >= app.documents.len() {
        app.active_idx = app.active_idx.saturating_sub(1);
    }
    if app.documents.is_empty() {
        app.screen = Screen::Gallery;
        app.files.page = None;
    }
    let documents = &app.documents;
    let is_other = |dialog: &Dialog| match dialog {
        Dialog::Comments { document, .. } | Dialog::Changed { document, .. } | Dialog::Needs { document, .. } => {
            *document != id
        }
        Dialog::WorkspaceChanged { folder, .. } => {
            documents.iter().any(|document| document.home.folder.as_ref() == Some(folder))
        }
        _ => true,
    };
    app.files.dialogs.retain(is_other);
    forget.into_iter().chain([Task::Unlock { document: id }]).map(Request::Files).collect()
}

fn quit(app: &mut App) -> Vec<Request> {
    if app.files.leaving {
        return vec![Request::Quit];
    }
    let asks = |dialog: &Dialog| matches!(dialog, Dialog::Unsaved { quits: true, .. });
    app.documents.iter_mut().for_each(|document| document.history.commit());
    let documents: Vec<DocumentId> = app.documents.iter().filter(|d| d.is_unsaved()).map(|d| d.id).collect();
    if documents.is_empty() {
        #[cfg(feature = "engine")]
        if app.run.has_started() {
            if !app.files.dialogs.iter().any(|dialog| matches!(dialog, Dialog::EngineRuns)) {
                app.files.dialogs.insert(0, Dialog::EngineRuns);
            }
            return Vec::new();
        }
        app.files.leaving = true;
        return vec![Request::Quit];
    }
    if !app.files.dialogs.iter().any(asks) {
        app.files.dialogs.insert(0, Dialog::Unsaved { documents, quits: true });
    }
    Vec::new()
}

/// Saves a document; `ask` for another path.
pub fn save(app: &mut App, id: DocumentId, ask: bool) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    document.history.commit();
    match &document.path {
        Some(path) if !ask => {
            let path = path.clone();
            save_to(app, id, path, false)
        }
        _ => vec![Request::AskSave { document: id, suggested: suggested(document) }],
    }
}

fn suggested(document: &Document) -> String {
    let known = document.path.as_ref().and_then(|path| path.file_name());
    known.map_or_else(|| format!("{}{ENDING}", document.flow().id), |name| name.to_string_lossy().into_owned())
}

fn save_to(app: &mut App, id: DocumentId, path: PathBuf, force: bool) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    let dropped = document.notes().iter().find(|note| note.code == "file/comments").map(|note| note.message.clone());
    let is_own = document.path.as_ref() == Some(&path);
    if let Some(message) = dropped
        && is_own
        && !document.on_disk.comments_agreed
        && !document.history.is_clean()
    {
        app.files.dialogs.push(Dialog::Comments { document: id, message });
        return Vec::new();
    }
    if document.on_disk.is_unanswered && is_own && !force {
        return task(Task::Compare { document: id, path });
    }
    let mut beside = document.on_disk.sample.map(samples::beside).unwrap_or_default();
    let mut workspace = None;
    if !document.history.is_aside_clean() {
        let aside = Arc::clone(document.history.aside());
        match &document.home.folder {
            Some(folder) => {
                let (text, before) = (aside.to_string(), document.history.saved_aside().to_string());
                workspace = Some(WorkspaceFile { path: folder.join(WORKSPACE_FILE), text, before });
            }
            // A sample's, or one that was begun here: it is written where there is none.
            None => {
                beside.retain(|(name, _)| name != WORKSPACE_FILE);
                beside.push((WORKSPACE_FILE.to_owned(), aside.as_bytes().to_vec()));
            }
        }
        document.on_disk.saving_aside = Some(aside);
    }
    let (text, revision) = (document.text(), document.history.revision());
    task(Task::Save { document: id, path, text, revision, force, beside, workspace })
}

/// A path that a dialog gave for a document.
fn save_as(app: &mut App, id: DocumentId, path: PathBuf) -> Vec<Request> {
    let other = app.documents.iter().find(|document| document.id != id && document.path.as_ref() == Some(&path));
    if let Some(other) = other {
        let fault = format!("{} is open in another tab as {}", path.display(), other.title());
        app.tell(fault, true, Instant::from_millis(0));
        return Vec::new();
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // The dialogs of some systems take away or leave out the ending.
    let path = if name.ends_with(".ron") { path } else { path.with_file_name(format!("{name}{ENDING}")) };
    // The dialog has asked whether a file there is to be written over.
    save_to(app, id, path, true)
}

/// Goes on with closing once a document is saved.
fn go_on(app: &mut App, saved: DocumentId) -> Vec<Request> {
    let Some((waiting, quits)) = &mut app.files.closing else { return Vec::new() };
    if !waiting.contains(&saved) {
        return Vec::new();
    }
    waiting.retain(|id| *id != saved);
    let (is_last, quits) = (waiting.is_empty(), *quits);
    let mut requests = if quits { Vec::new() } else { close_now(app, saved) };
    if is_last {
        app.files.closing = None;
        if quits {
            requests.extend(quit(app));
        }
    }
    requests
}

fn choose(app: &mut App, choice: Choice, now: Instant) -> Vec<Request> {
    if app.files.dialogs.is_empty() {
        return Vec::new();
    }
    // Walking through folders and a path that is wrong leave the dialog open.
    if let Choice::Folder(folder) = choice {
        return task(Task::List(folder));
    }
    if let Choice::Side { at, side } = choice {
        if let Some(Dialog::Changed { conflicts, .. } | Dialog::WorkspaceChanged { conflicts, .. }) =
            app.files.dialogs.first_mut()
        {
            let all = conflicts.iter_mut().enumerate().filter(|(n, _)| at.is_none_or(|at| at == *n));
            all.for_each(|(_, (_, chosen))| *chosen = side);
        }
        return Vec::new();
    }
    let dialog = app.files.dialogs.remove(0);
    match (dialog, choice) {
        (Dialog::Unsaved { documents, quits }, Choice::Save) => {
            app.files.closing = Some((documents.clone(), quits));
            documents.into_iter().flat_map(|id| save(app, id, false)).collect()
        }
        (Dialog::Unsaved { documents, quits }, Choice::Discard) => {
            let mut requests: Vec<Request> = documents.into_iter().flat_map(|id| close_now(app, id)).collect();
            if quits {
                requests.extend(quit(app));
            }
            requests
        }
        #[cfg(feature = "engine")]
        (Dialog::EngineRuns, Choice::Discard) => {
            crate::app::run::quits(app, false);
            quit(app)
        }
        // The window closes when the engine has ended.
        #[cfg(feature = "engine")]
        (Dialog::EngineRuns, Choice::StopEngine) => crate::app::run::quits(app, true),
        (Dialog::Comments { document, .. }, Choice::Save) => {
            if let Some(document) = app.by_id(document) {
                document.on_disk.comments_agreed = true;
            }
            save(app, document, false)
        }
        (Dialog::Comments { document, .. } | Dialog::Changed { document, .. }, Choice::SaveAs) => {
            save(app, document, true)
        }
        (Dialog::Changed { document, theirs, while_saving, conflicts }, Choice::Merge) if !conflicts.is_empty() => {
            changed::merge_chosen(app, document, theirs, while_saving, &conflicts, now)
        }
        (Dialog::WorkspaceChanged { folder, theirs, conflicts }, Choice::Merge) => {
            changed::merge_workspace_chosen(app, &folder, &theirs, &conflicts, now);
            Vec::new()
        }
        (Dialog::Changed { document, theirs, while_saving: true, .. }, Choice::KeepMine) => {
            changed::keep_mine(app, document, theirs);
            let path = app.by_id(document).and_then(|document| document.path.clone());
            path.map(|path| save_to(app, document, path, true)).unwrap_or_default()
        }
        (Dialog::Changed { document, theirs, .. }, Choice::TakeTheirs) => {
            app.files.closing = None;
            changed::take_theirs(app, document, theirs, now)
        }
        (Dialog::Needs { document, .. }, choice @ (Choice::Save | Choice::Discard)) => {
            needs_answered(app, document, choice == Choice::Save, now)
        }
        (Dialog::Path(dialog), Choice::Path(text)) => path_chosen(app, dialog, &text),
        (Dialog::Table { path, folder }, Choice::Table(what)) => task(Task::CopyTable { from: path, folder, what }),
        (Dialog::Changed { document, theirs, .. }, Choice::KeepMine) => {
            changed::keep_mine(app, document, theirs);
            app.tell("Your version stays; Save writes over the changed file", false, now);
            Vec::new()
        }
        _ => {
            app.files.closing = None;
            Vec::new()
        }
    }
}

fn path_chosen(app: &mut App, mut dialog: PathDialog, text: &str) -> Vec<Request> {
    let text = text.trim();
    let path = if Path::new(text).is_absolute() { PathBuf::from(text) } else { dialog.folder.join(text) };
    if text.is_empty() {
        dialog.fault = "Type a path or choose below".to_owned();
        app.files.dialogs.insert(0, Dialog::Path(dialog));
        return Vec::new();
    }
    let path = match &dialog.purpose {
        Purpose::Text(file) => with_ending(path, file.ending),
        _ => path,
    };
    if matches!(dialog.purpose, Purpose::Save { .. } | Purpose::Text(_)) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_here = path.parent() == Some(&*dialog.folder);
        if is_here && dialog.entries.iter().any(|(entry, _)| *entry == name) && dialog.fault != THERE {
            THERE.clone_into(&mut dialog.fault);
            text.clone_into(&mut dialog.text);
            app.files.dialogs.insert(0, Dialog::Path(dialog));
            return Vec::new();
        }
    }
    match dialog.purpose {
        Purpose::Open => task(Task::OpenAny(path)),
        Purpose::Save { document } => save_as(app, document, path),
        Purpose::Export => into_folder(app, path),
        Purpose::Text(file) => task(Task::WriteText { path, file }),
        Purpose::Compare => task(Task::ReadToCompare(path)),
        Purpose::Import => task(Task::ReadJson(path)),
    }
}

/// Whether the workspace of an imported flow gets what the flow needs; then what waited for the answer goes on.
fn needs_answered(app: &mut App, id: DocumentId, adds: bool, now: Instant) -> Vec<Request> {
    let Some(document) = app.by_id(id) else { return Vec::new() };
    if !adds {
        return go_on(app, id);
    }
    match crate::app::import::add(document) {
        Ok(()) => save(app, id, false),
        Err(why) => {
            app.files.closing = None;
            app.tell(format!("The workspace was not added to: {why}"), true, now);
            Vec::new()
        }
    }
}

/// A path whose name ends in this, where it has no ending.
pub fn with_ending(path: PathBuf, ending: &str) -> PathBuf {
    if path.extension().is_some() { path } else { path.with_extension(ending) }
}

fn into_folder(app: &mut App, folder: PathBuf) -> Vec<Request> {
    publish::act(app, publish::PublishAct::Into { folder, force: false }, Instant::from_millis(0))
}

fn dropped(app: &mut App, path: PathBuf, now: Instant) -> Vec<Request> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "csv" | "tsv" | "jsonl" => {
            let folder = app.document().and_then(|document| document.home.folder.clone());
            match folder {
                Some(folder) => app.files.dialogs.push(Dialog::Table { path, folder: folder.join("audience") }),
                None => app.tell(
                    "A table belongs to the audience of a workspace: open or save a flow in a workspace folder first",
                    true,
                    now,
                ),
            }
            Vec::new()
        }
        "json" => task(Task::ReadJson(path)),
        "ron" | "" => task(Task::OpenAny(path)),
        // A folder may have a dot in its name; whoever opens it will see.
        _ if !matches!(ending, "html" | "png" | "jpg" | "jpeg" | "pdf" | "txt" | "zip" | "eml" | "md") => {
            task(Task::OpenAny(path))
        }
        _ => {
            app.tell(format!("{name} is no flow, workspace folder or table of contacts"), true, now);
            Vec::new()
        }
    }
}

/// Takes what the disk answers.
pub fn take(app: &mut App, told: Told, now: Instant) -> Vec<Request> {
    match told {
        Told::Started { preferences, words, drafts, last } => {
            app.theme = preferences.theme;
            app.files.preferred = (*preferences).clone();
            app.preferences = *preferences;
            app.files.drafts = drafts;
            let words = words.into_iter().chain(crate::app::command::keys::faults(&app.preferences));
            for word in words {
                app.tell(word, true, now);
            }
            let opens_last = std::mem::take(&mut app.files.opens_last);
            match last {
                _ if !app.files.drafts.is_empty() && !opens_last => {
                    app.tell("Unsaved work from last time waits in the gallery", false, now);
                }
                Some(path) if opens_last && app.files.drafts.is_empty() => return vec![Request::Read(path)],
                _ => {}
            }
        }
        Told::Locked { document, read_only } => {
            let Some(document) = app.by_id(document) else { return Vec::new() };
            let is_news = document.on_disk.read_only != read_only;
            document.on_disk.read_only = read_only;
            let title = document.title().to_owned();
            match read_only {
                Some(why) if is_news => app.tell(format!("{title} is read-only. {}", why.why()), false, now),
                None if is_news => app.tell(format!("{title} can be saved again"), false, now),
                _ => {}
            }
        }
        Told::Changed { document: id, theirs, while_saving } => {
            return changed::flow_changed(app, id, theirs, while_saving, now);
        }
        Told::Gone(id) => {
            let Some(document) = app.by_id(id) else { return Vec::new() };
            if !std::mem::replace(&mut document.on_disk.gone, true) {
                let title = document.title().to_owned();
                app.tell(format!("The file of {title} is gone; Save writes it again"), true, now);
            }
        }
        Told::Reread { document, theirs } => {
            let requests = changed::take_theirs(app, document, theirs, now);
            app.tell("Back at the file as it is on the disk; Undo brings your changes back", false, now);
            return requests;
        }
        Told::NotSaved { document, text } => {
            if let Some(document) = app.by_id(document) {
                document.on_disk.saving_aside = None;
            }
            if app.files.closing.as_ref().is_some_and(|(waiting, _)| waiting.contains(&document)) {
                app.files.closing = None;
            }
            app.tell(text, true, now);
        }
        Told::Home { document: id, home } => {
            if let Some(document) = app.by_id(id) {
                if document.home.folder != home.folder {
                    document.on_disk.shared = None;
                }
                let folder = home.folder.clone();
                document.set_home(home);
                folder.into_iter().for_each(|folder| changed::align(app, &folder));
                let asks = app.by_id(id).is_some_and(|document| std::mem::take(&mut document.on_disk.asks_needs));
                if !asks || !crate::app::import::ask(app, id, now) {
                    return go_on(app, id);
                }
            }
        }
        Told::Around { folder, homes } => {
            let name = changed::name(&folder);
            let is_said = app.toasts.len();
            let is_news = changed::around(app, homes, now);
            let waits = app
                .files
                .dialogs
                .iter()
                .any(|d| matches!(d, Dialog::WorkspaceChanged { folder: of, .. } if *of == folder));
            if app.toasts.len() == is_said && !waits {
                let what = if is_news { "" } else { ": its audience" };
                app.tell(format!("{name}{what} changed on the disk and was read again"), false, now);
            }
        }
        Told::WorkspaceGone(folder) => changed::workspace_gone(app, &folder, now),
        Told::Audience { folder, homes } => {
            for (id, home) in homes {
                if let Some(document) = app.by_id(id) {
                    document.set_home(home);
                }
            }
            app.tell(format!("The audience of {} was read again", folder.display()), false, now);
        }
        Told::Restored { id, path, sample, work, saved, file_changed, home, workspace } => {
            app.files.drafts.retain(|draft| draft.id != id);
            return restored(app, path, sample, *work, saved.map(|saved| *saved), file_changed, home, workspace, now);
        }
        Told::Sample { workspace, loaded, home } => {
            let requests = app.open(None, *loaded, home);
            if let Some(document) = app.document_mut() {
                document.on_disk.sample = Some(workspace);
            }
            return requests;
        }
        Told::Json { path, text, beside } => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            match crate::app::import::open(app, &text, &beside, now) {
                Ok(requests) => return requests,
                Err(why) => app.tell(format!("{name}: {why}"), true, now),
            }
        }
        Told::Neighbours(neighbours) => return crate::app::pages::opened(app, neighbours),
        Told::NoDialog { purpose, suggested, folder } => {
            let text = suggested;
            let dialog =
                PathDialog { purpose, text, folder: folder.clone(), entries: Vec::new(), fault: String::new() };
            app.files.dialogs.insert(0, Dialog::Path(dialog));
            return task(Task::List(folder));
        }
        Told::Listed { folder, entries } => {
            if let Some(Dialog::Path(dialog)) = app.files.dialogs.first_mut() {
                // What is there is asked about before it is written over, whatever its ending.
                let fits = |(name, is_folder): &(String, bool)| match &dialog.purpose {
                    _ if *is_folder => true,
                    Purpose::Text(_) => true,
                    purpose => name.ends_with(".json") == (*purpose == Purpose::Import),
                };
                let entries = entries.into_iter().filter(fits).collect();
                (dialog.folder, dialog.entries) = (folder, entries);
                dialog.fault = String::new();
            }
        }
        Told::Folder(folder) => return into_folder(app, folder),
        told @ (Told::Exported { .. } | Told::Written(_) | Told::NotEmpty(_)) => publish::take(app, told),
        Told::ToCompare { name, loaded } => compare::take(app, name, loaded.map(|loaded| *loaded), now),
        #[cfg(feature = "push")]
        Told::Push(told) => return super::push::take(app, told, now),
        #[cfg(feature = "push")]
        Told::Account(told) => return super::account::take(app, told, now),
        told @ Told::Client { .. } => return publish::take_client(app, told, now),
    }
    Vec::new()
}

#[expect(clippy::too_many_arguments, reason = "the parts of one answer")]
fn restored(
    app: &mut App,
    path: Option<PathBuf>,
    sample: Option<String>,
    work: Loaded,
    saved: Option<Loaded>,
    file_changed: bool,
    home: Arc<Home>,
    workspace: Option<WorkspaceDraft>,
    now: Instant,
) -> Vec<Request> {
    let flow = work.flow.clone();
    let has_file = saved.is_some();
    // What was never saved begins as an empty flow of that name, so that it counts as unsaved.
    let mut empty = crate::app::new_flow(flow.id.as_str(), &flow.name);
    empty.flow.settings = Arc::clone(&flow.settings);
    let mut requests = app.open(path, saved.unwrap_or(empty), home);
    if let Some(document) = app.document_mut() {
        document.on_disk.sample = sample.and_then(|name| samples::workspace(&name)).map(|workspace| workspace.name);
        document.on_disk.gone = document.path.is_some() && !has_file;
        document.on_disk.is_base_lost = file_changed;
        let id = document.id;
        changed::give_back(app, id, flow, workspace, now);
    }
    if file_changed {
        app.tell("The file was changed since this work was left; saving asks which one counts", false, now);
    }
    requests.extend(app.derive());
    requests
}

/// After every command: files that were opened are locked, settings that changed are written.
pub fn settle(app: &mut App) -> Vec<Request> {
    let compared = compare::settle(app);
    #[cfg(feature = "push")]
    super::account::settle(app);
    let mut requests: Vec<Request> = publish::wanted(app).into_iter().chain(compared).collect();
    app.preferences.theme = app.theme;
    if app.preferences != app.files.preferred {
        app.files.preferred = app.preferences.clone();
        requests.extend(task(Task::Prefer(Box::new(app.preferences.clone()))));
    }
    requests
}

/// A file was opened: it is watched, locked and remembered.
pub fn opened(app: &mut App) -> Vec<Request> {
    let Some(document) = app.documents.get_mut(app.active_idx) else { return Vec::new() };
    if document.is_from_newer() {
        document.on_disk.read_only = Some(ReadOnly::Newer);
    }
    if let Some(folder) = document.home.folder.clone() {
        let (id, home) = (document.id, Arc::clone(&document.home));
        let now = app.now;
        changed::around(app, vec![(id, home)], now);
        changed::align(app, &folder);
    }
    let Some(document) = app.documents.get(app.active_idx) else { return Vec::new() };
    let Some(path) = document.path.clone() else { return Vec::new() };
    let id = document.id;
    app.preferences.remember(&path.display().to_string());
    task(Task::Lock { document: id, path })
}

fn document_needs(app: &mut App, id: DocumentId) -> bool {
    app.by_id(id).is_some_and(|document| document.on_disk.needs.is_some())
}

/// A document is on the disk.
pub fn saved(app: &mut App, id: DocumentId, path: PathBuf, revision: u64) -> Vec<Request> {
    let mut requests = Vec::new();
    let Some(document) = app.by_id(id) else { return requests };
    let is_new = document.path.as_ref() != Some(&path);
    let workspace = document.on_disk.saving_aside.clone();
    document.saved(path.clone(), revision);
    document.on_disk.is_unanswered = false;
    document.on_disk.is_base_lost = false;
    document.on_disk.gone = false;
    document.on_disk.sample = None;
    if document.history.is_clean() {
        requests.extend(document.draft_is_settled().map(Request::Files));
    }
    if let Some(text) = workspace {
        requests.extend(changed::workspace_saved(app, id, &text).into_iter().map(Request::Files));
    }
    app.preferences.remember(&path.display().to_string());
    if is_new {
        requests.extend(task(Task::Lock { document: id, path }));
    }
    // One whose workspace may lack something is closed when that is settled.
    let asks = is_new && document_needs(app, id);
    if let Some(document) = app.by_id(id) {
        document.on_disk.asks_needs = asks;
    }
    if !asks {
        requests.extend(go_on(app, id));
    }
    requests
}

/// Goes back to the file.
pub fn revert(document: &Document) -> Vec<Request> {
    match &document.path {
        Some(path) => task(Task::Reread { document: document.id, path: path.clone() }),
        None => Vec::new(),
    }
}

/// The path from a dialog of the system.
pub fn path_given(app: &mut App, document: DocumentId, path: PathBuf) -> Vec<Request> {
    save_as(app, document, path)
}

impl From<Told> for Answer {
    fn from(told: Told) -> Self {
        Self::Files(told)
    }
}
