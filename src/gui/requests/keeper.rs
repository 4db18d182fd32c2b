//! What the studio knows of the disk: which files it holds, what stood in them when they were read, where drafts lie.
//!
//! The one idea: one keeper, on one thread, does one task after the other, so that a save is never overtaken by an
//! older one. It has no window and no clock; tests drive it with a folder of their own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use crate::{
    app::{
        Answer, DocumentId, Home,
        files::{Draft, DraftWork, ReadOnly, Task, Theirs, Told, WorkspaceFile, samples},
        import::Beside,
        journal::{self, Record},
        pages::Neighbour,
        preferences::Preferences,
    },
    disk::{self, Drafts, FlowFile, Lock, NoLock},
    flow::file,
};

/// Flows of a folder that are opened at once. Source: assumption, more tabs than anyone finds anything in.
const MOST_OPENED: usize = 20;
/// Entries of a folder that our own dialog shows.
const MOST_LISTED: usize = 1_000;
/// A journal is begun anew from here on.
const MOST_JOURNAL_BYTES: u64 = journal::COMPACT_FROM_BYTES as u64;

/// A file as it was read or written last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    modified: Option<SystemTime>,
    num_bytes: u64,
    print: u64,
}

/// What tells whether the workspace file and the audience of a folder are as they were read.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Around {
    /// [`journal::fingerprint`] of the workspace file; none where there is none.
    workspace: Option<u64>,
    /// When the files of the audience were changed, and how long they are.
    audience: Vec<(PathBuf, Option<SystemTime>, u64)>,
}

impl Around {
    fn look(folder: &Path) -> Self {
        let workspace = disk::bytes(&folder.join(disk::WORKSPACE_FILE)).ok().map(|bytes| journal::fingerprint(&bytes));
        let entries = fs::read_dir(folder.join("audience")).into_iter().flatten().flatten();
        let mut audience: Vec<_> = entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((entry.path(), metadata.modified().ok(), metadata.len()))
            })
            .take(MOST_LISTED)
            .collect();
        audience.sort();
        Self { workspace, audience }
    }
}

/// See the file's opening words.
#[derive(Debug, Default)]
pub struct Keeper {
    settings: Option<PathBuf>,
    drafts: Option<Drafts>,
    seen: BTreeMap<PathBuf, Seen>,
    /// The files around the flows of a workspace as they were read last, by its folder.
    around: BTreeMap<PathBuf, Around>,
    locks: BTreeMap<DocumentId, Lock>,
    files: BTreeMap<DocumentId, PathBuf>,
    /// Drafts that were given back; they go once the work is in a journal of this run.
    given_back: Vec<String>,
    has_told_of_drafts: bool,
}

/// What lies beside the JSON of a flow.
fn beside(json: &Path) -> Beside {
    let (found, faults) = disk::templates(&disk::templates_beside(json));
    Beside {
        templates: found.into_iter().map(|source| (source.path, source.text)).collect(),
        faults: faults.iter().map(ToString::to_string).collect(),
    }
}

fn failed(error: impl std::fmt::Display) -> Vec<Answer> {
    vec![Answer::Failed(error.to_string())]
}

impl Keeper {
    /// A keeper with its own folders, and what the studio has to know at its start. `stamp` is the time of the start.
    pub fn start(own: Option<disk::OwnFolders>, stamp: i64) -> (Self, Vec<Answer>) {
        let mut keeper = Self::default();
        let mut words = Vec::new();
        let mut preferences = Preferences::default();
        if let Some(own) = own {
            let path = own.config.join("settings.ron");
            if path.is_file() {
                match disk::text(&path) {
                    Ok(source) => {
                        (preferences, words) = Preferences::read(&source.text);
                        if !words.is_empty() {
                            words.extend(keep_a_copy(&path, &source.text));
                        }
                    }
                    Err(error) => words.push(error.to_string()),
                }
            }
            keeper.settings = Some(path);
            match Drafts::open(own.state.join("drafts"), stamp) {
                Ok(drafts) => keeper.drafts = Some(drafts),
                Err(error) => words.push(format!("Drafts cannot be kept: {error}")),
            }
        }
        let drafts = keeper.left_over();
        let last = preferences.recent.first().map(PathBuf::from).filter(|path| path.is_file());
        let told = Told::Started { preferences: Box::new(preferences), words, drafts, last };
        (keeper, vec![told.into()])
    }

    fn left_over(&self) -> Vec<Draft> {
        let Some(drafts) = &self.drafts else { return Vec::new() };
        let mut out = Vec::new();
        for id in drafts.left_over() {
            match drafts.read(&id).ok().and_then(|bytes| last_record(&bytes)) {
                Some(record) => {
                    let text = record.text.as_deref().unwrap_or("");
                    let flow = file::read(text).ok().map(|loaded| loaded.flow);
                    let name = flow.map(|flow| flow.name).filter(|name| !name.is_empty());
                    let name = name.unwrap_or_else(|| record.flow.to_string());
                    out.push(Draft { id, name, path: record.path.map(PathBuf::from), at: record.at });
                }
                // Nothing whole ever reached it.
                None => _ = drafts.remove(&id),
            }
        }
        out.sort_by_key(|draft| std::cmp::Reverse(draft.at));
        out
    }

    /// Reads a flow with what stands around it.
    pub fn read(&mut self, path: &Path) -> Answer {
        match self.theirs(path) {
            Ok(theirs) => Answer::Opened { path: Some(absolute(path)), loaded: theirs.loaded, home: theirs.home },
            Err(error) => Answer::Failed(error.to_string()),
        }
    }

    /// Flows of the workspace of a file, by their ids.
    fn neighbours(&mut self, path: &Path, flows: &[smol_str::SmolStr]) -> Vec<Answer> {
        let files = match disk::home(path, None) {
            Ok(place) => place.folder.map(|folder| disk::siblings(&folder)).transpose(),
            Err(error) => return failed(error.to_string()),
        };
        let files = match files {
            Ok(files) => files.unwrap_or_default(),
            Err(error) => return failed(error.to_string()),
        };
        let mut out = Vec::new();
        for file in files.iter().filter(|file| !disk::is_same(file, path)) {
            let is_wanted =
                disk::flow(file).is_ok_and(|found| flows.iter().any(|id| id.as_str() == found.loaded.flow.id.as_str()));
            if !is_wanted || out.len() == MOST_OPENED {
                continue;
            }
            if let Ok(Theirs { loaded, home }) = self.theirs(file) {
                out.push(Neighbour { path: absolute(file), loaded, home });
            }
        }
        vec![Told::Neighbours(out).into()]
    }

    fn theirs(&mut self, path: &Path) -> Result<Theirs, disk::Error> {
        let FlowFile { source, loaded } = disk::flow_even_newer(path)?;
        self.note(path, &source.text);
        let home = home(path)?;
        self.note_around(&home);
        Ok(Theirs { loaded: Box::new(loaded), home: Arc::new(home) })
    }

    /// A folder that is known already is looked at again before its documents are told something else.
    fn note_around(&mut self, home: &Home) {
        if let Some(folder) = &home.folder {
            self.around.entry(folder.clone()).or_insert_with(|| Around::look(folder));
        }
    }

    /// Whether the workspace file and the audience of a folder are still what was read.
    fn look_around(&mut self, folder: PathBuf, documents: Vec<(DocumentId, PathBuf)>) -> Vec<Answer> {
        let now = Around::look(&folder);
        let Some(known) = self.around.insert(folder.clone(), now.clone()) else { return Vec::new() };
        if known == now {
            return Vec::new();
        }
        if now.workspace.is_none() {
            return vec![Told::WorkspaceGone(folder).into()];
        }
        let mut homes = Vec::new();
        for (document, path) in documents {
            match home(&path) {
                Ok(home) => homes.push((document, Arc::new(home))),
                Err(error) => {
                    let text = format!("The workspace or its audience was changed and cannot be read now: {error}");
                    return vec![Answer::Failed(text)];
                }
            }
        }
        vec![Told::Around { folder, homes }.into()]
    }

    fn note(&mut self, path: &Path, text: &str) {
        self.seen.insert(absolute(path), seen(path, text));
    }

    /// Does a task.
    pub fn perform(&mut self, task: Task) -> Vec<Answer> {
        match task {
            Task::Lock { document, path } => {
                let read_only = self.lock(document, &path);
                vec![Told::Locked { document, read_only }.into()]
            }
            Task::Unlock { document } => {
                self.locks.remove(&document);
                self.files.remove(&document);
                Vec::new()
            }
            Task::Look { files, folders } => {
                let mut out: Vec<Answer> = files.into_iter().flat_map(|(id, path)| self.look(id, &path)).collect();
                out.extend(folders.into_iter().flat_map(|(folder, documents)| self.look_around(folder, documents)));
                out
            }
            Task::Compare { document, path } => match self.theirs(&path) {
                Ok(theirs) => vec![Told::Changed { document, theirs, while_saving: true }.into()],
                Err(error) => vec![Told::NotSaved { document, text: error.to_string() }.into()],
            },
            Task::ReadToCompare(path) => {
                let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into());
                let loaded = disk::flow_even_newer(&path).map(|file| Box::new(file.loaded));
                vec![Told::ToCompare { name, loaded: loaded.map_err(|error| error.to_string()) }.into()]
            }
            Task::Reread { document, path } => match self.theirs(&path) {
                Ok(theirs) => vec![Told::Reread { document, theirs }.into()],
                Err(error) => failed(error),
            },
            Task::Save { document, path, text, revision, force, beside, workspace } => {
                if let Some(workspace) = &workspace
                    && let Err(text) = workspace_stands(workspace)
                {
                    let mut out: Vec<Answer> = vec![Told::NotSaved { document, text }.into()];
                    // What was changed is merged or asked about; then it can be saved.
                    if let (Some(folder), Ok(home)) = (workspace.path.parent(), home(&path)) {
                        let folder = folder.to_owned();
                        self.around.insert(folder.clone(), Around::look(&folder));
                        out.push(Told::Around { folder, homes: vec![(document, Arc::new(home))] }.into());
                    }
                    return out;
                }
                let mut out = self.save(document, &path, &text, revision, force, &beside);
                let is_saved = matches!(out.first(), Some(Answer::Saved { .. }));
                if let Some(workspace) = workspace.filter(|_| is_saved) {
                    match disk::file(&workspace.path, workspace.text.as_bytes(), true) {
                        Ok(()) => {
                            if let Some(known) = workspace.path.parent().and_then(|folder| self.around.get_mut(folder))
                            {
                                known.workspace = Some(journal::fingerprint(workspace.text.as_bytes()));
                            }
                            out.extend(self.others_of(document, &workspace.path));
                        }
                        Err(error) => out = vec![Told::NotSaved { document, text: error.to_string() }.into()],
                    }
                }
                out
            }
            Task::Journal { document, work } => self.journal(document, &work),
            Task::Forget { document } => {
                self.let_go();
                if let Some(drafts) = &self.drafts {
                    drafts.forget(document.0);
                }
                Vec::new()
            }
            Task::Restore(id) => self.restore(id),
            Task::DropDraft(id) => {
                let removed = self.drafts.as_ref().map_or(Ok(()), |drafts| drafts.remove(&id));
                removed.err().map(|error| Answer::Failed(format!("The draft stays: {error}"))).into_iter().collect()
            }
            Task::Prefer(preferences) => self.prefer(&preferences),
            Task::OpenNeighbours { path, flows } => self.neighbours(&path, &flows),
            Task::OpenAny(path) => match disk::flow_paths(&path) {
                Ok(paths) => paths.iter().take(MOST_OPENED).map(|path| self.read(path)).collect(),
                Err(error) => failed(error),
            },
            Task::ReadJson(path) => match disk::text(&path) {
                Ok(source) => vec![Told::Json { beside: beside(&path), path, text: source.text }.into()],
                Err(error) => failed(error),
            },
            Task::List(folder) => list(folder),
            Task::CopyTable { from, folder, what } => self.copy_table(&from, &folder, what),
            Task::WriteFolder { folder, files, zip, force } => {
                let files = disk::Files(files.files.clone());
                let written = match zip {
                    None => disk::folder(&folder, &files, force),
                    Some(name) => disk::zipped(name.trim_end_matches(".zip"), &files)
                        .and_then(|bytes| disk::file(&folder.join(name), &bytes, force)),
                };
                match written {
                    Ok(()) => vec![Told::Written(folder).into()],
                    Err(disk::Error::Taken { .. }) => vec![Told::NotEmpty(folder).into()],
                    Err(error) => failed(error),
                }
            }
            Task::WriteText { path, file } => match disk::file(&path, &file.bytes, true) {
                Ok(()) => vec![Answer::Told(format!("The {} is in {}", file.what, path.display()))],
                Err(error) => failed(error),
            },
            // These are not the keeper's.
            Task::OpenSample { .. }
            | Task::Export { .. }
            | Task::AskFolder
            | Task::AskText { .. }
            | Task::AskCompare
            | Task::AskImport
            | Task::Client { .. }
            | Task::ShowFolder(_) => Vec::new(),
            #[cfg(feature = "push")]
            Task::Push(_) | Task::Account(_) => Vec::new(),
        }
    }

    fn lock(&mut self, document: DocumentId, path: &Path) -> Option<ReadOnly> {
        self.files.insert(document, path.to_owned());
        self.locks.remove(&document);
        let is_protected = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly());
        match Lock::take(&disk::lock_path(path)) {
            Ok(lock) => {
                self.locks.insert(document, lock);
                is_protected.then_some(ReadOnly::Protected)
            }
            Err(NoLock::Held) => Some(ReadOnly::OpenElsewhere),
            Err(NoLock::Io(error)) => {
                let is_refused =
                    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
                (is_refused || is_protected).then_some(ReadOnly::Protected)
            }
        }
    }

    /// Whether a file is still what was read, and whether it may be written by now.
    fn look(&mut self, document: DocumentId, path: &Path) -> Vec<Answer> {
        let mut out: Vec<Answer> = Vec::new();
        if !self.locks.contains_key(&document) && path.exists() {
            let read_only = self.lock(document, path);
            out.push(Told::Locked { document, read_only }.into());
        }
        let Ok(metadata) = fs::metadata(path) else {
            out.push(Told::Gone(document).into());
            return out;
        };
        let known = self.seen.get(&absolute(path)).copied();
        let is_same = |seen: Seen| seen.modified == metadata.modified().ok() && seen.num_bytes == metadata.len();
        if known.is_some_and(is_same) {
            return out;
        }
        // Touched, perhaps not changed.
        if let Ok(source) = disk::text(path)
            && known.is_none_or(|seen| seen.print != journal::fingerprint(source.text.as_bytes()))
        {
            match self.theirs(path) {
                Ok(theirs) => out.push(Told::Changed { document, theirs, while_saving: false }.into()),
                Err(error) => out.push(Answer::Failed(format!("The file was changed and cannot be read now: {error}"))),
            }
            self.note(path, &source.text);
        }
        out
    }

    fn save(
        &mut self,
        document: DocumentId,
        path: &Path,
        text: &str,
        revision: u64,
        force: bool,
        beside: &[(String, Vec<u8>)],
    ) -> Vec<Answer> {
        let not_saved = |error: String| vec![Told::NotSaved { document, text: error }.into()];
        if !force && path.exists() {
            let there = disk::text(path).map(|source| journal::fingerprint(source.text.as_bytes()));
            let known = self.seen.get(&absolute(path)).map(|seen| seen.print);
            if there.as_ref().ok() != known.as_ref() {
                return match self.theirs(path) {
                    Ok(theirs) => vec![Told::Changed { document, theirs, while_saving: true }.into()],
                    Err(error) => not_saved(format!(
                        "The file was changed meanwhile and cannot be read; save under another name\n{error}"
                    )),
                };
            }
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        // A folder that was typed is wanted; one that cannot be made fails again below, with a word.
        let _ = fs::create_dir_all(folder);
        if let Err(error) = disk::file(path, text.as_bytes(), true) {
            return not_saved(error.to_string());
        }
        let mut out = Vec::new();
        let mut has_workspace_now = false;
        if !beside.is_empty() && !folder.join(disk::WORKSPACE_FILE).exists() {
            for (name, bytes) in beside {
                let target = folder.join(name);
                let made = target.parent().map_or(Ok(()), fs::create_dir_all);
                // What is there already is the user's.
                match made.map_err(|error| error.to_string()).map(|()| disk::file(&target, bytes, false)) {
                    Ok(Ok(())) => has_workspace_now |= name == disk::WORKSPACE_FILE,
                    Ok(Err(disk::Error::Taken { .. })) => {}
                    Ok(Err(error)) => out.push(Answer::Failed(error.to_string())),
                    Err(error) => out.push(Answer::Failed(error)),
                }
            }
        }
        self.note(path, text);
        let moved = self.files.get(&document).is_none_or(|known| known.parent() != path.parent());
        out.insert(0, Answer::Saved { document, path: path.to_owned(), revision });
        if moved || has_workspace_now {
            match home(path) {
                Ok(home) => {
                    self.note_around(&home);
                    out.push(Told::Home { document, home: Arc::new(home) }.into());
                }
                Err(error) => out.push(Answer::Failed(error.to_string())),
            }
        }
        self.let_go();
        out
    }

    /// New surroundings for the other documents of a workspace.
    fn others_of(&self, document: DocumentId, workspace: &Path) -> Vec<Answer> {
        let Some(folder) = workspace.parent().map(absolute) else { return Vec::new() };
        let others = self.files.iter().filter(|(id, path)| **id != document && absolute(path).starts_with(&folder));
        let homes = others.filter_map(|(id, path)| Some((*id, Arc::new(home(path).ok()?))));
        homes.map(|(document, home)| Told::Home { document, home }.into()).collect()
    }

    fn journal(&mut self, document: DocumentId, work: &DraftWork) -> Vec<Answer> {
        let Some(drafts) = &self.drafts else { return Vec::new() };
        let base = work.path.as_ref().and_then(|path| self.seen.get(path)).map(|seen| seen.print);
        let record = Record {
            flow: work.flow.id.clone(),
            path: work.path.as_ref().map(|path| path.display().to_string()),
            base,
            revision: work.revision,
            at: work.at,
            text: Some(file::write(&work.flow)),
            workspace: work.workspace.clone(),
        };
        let written = journal::encode(&record).and_then(|bytes| {
            let label = work.sample.unwrap_or("");
            drafts.append(document.0, label, &bytes, MOST_JOURNAL_BYTES).map_err(|error| error.to_string())
        });
        match written {
            Ok(()) => {
                self.let_go();
                Vec::new()
            }
            // Said once: it would come every few seconds.
            Err(_) if self.has_told_of_drafts => Vec::new(),
            Err(error) => {
                self.has_told_of_drafts = true;
                failed(format!("The draft cannot be kept, save often: {error}"))
            }
        }
    }

    fn let_go(&mut self) {
        if let Some(drafts) = &self.drafts {
            for id in self.given_back.drain(..) {
                // One that stays is offered once more.
                let _ = drafts.remove(&id);
            }
        }
    }

    fn restore(&mut self, id: String) -> Vec<Answer> {
        let bytes = self.drafts.as_ref().map(|drafts| drafts.read(&id));
        let record = match bytes {
            Some(Ok(bytes)) => last_record(&bytes),
            Some(Err(error)) => return failed(format!("The draft cannot be read: {error}")),
            None => None,
        };
        let Some(record) = record else { return failed("The draft is gone") };
        let work = match file::read(record.text.as_deref().unwrap_or("")) {
            Ok(work) => work,
            Err(found) => return failed(format!("The draft cannot be read: {}", found.message)),
        };
        let path = record.path.map(PathBuf::from);
        let sample = Some(Drafts::label(&id)).filter(|label| !label.is_empty()).map(str::to_owned);
        let saved = path.as_ref().and_then(|path| disk::flow_even_newer(path).ok());
        let mut file_changed = false;
        if let (Some(path), Some(saved)) = (&path, &saved) {
            self.note(path, &saved.source.text);
            if let (Some(base), Some(seen)) = (record.base, self.seen.get_mut(&absolute(path))) {
                file_changed = base != seen.print;
                // A save then finds another file than the work began from, and asks.
                seen.print = base;
            }
        }
        let around = match (&path, &sample) {
            (Some(path), _) => home(path).unwrap_or_default(),
            (None, Some(name)) => samples::home(name, work.flow.id.as_str()),
            (None, None) => Home::default(),
        };
        if path.is_some() {
            self.note_around(&around);
        }
        let workspace = record.workspace;
        self.given_back.push(id.clone());
        let saved = saved.map(|saved| Box::new(saved.loaded));
        let home = Arc::new(around);
        vec![Told::Restored { id, path, sample, work: Box::new(work), saved, file_changed, home, workspace }.into()]
    }

    fn prefer(&self, preferences: &Preferences) -> Vec<Answer> {
        let Some(path) = &self.settings else { return Vec::new() };
        let old =
            if path.is_file() { disk::text(path).map(|source| source.text).unwrap_or_default() } else { String::new() };
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| error.to_string());
        let written = made.and_then(|()| {
            disk::file(path, preferences.write(&old).as_bytes(), true).map_err(|error| error.to_string())
        });
        written.err().map(|error| Answer::Failed(format!("The settings were not kept: {error}"))).into_iter().collect()
    }

    fn copy_table(&mut self, from: &Path, folder: &Path, what: &str) -> Vec<Answer> {
        let ending = if from.extension().is_some_and(|ending| ending == "jsonl") { "jsonl" } else { "csv" };
        let taken = ["jsonl", "csv"].iter().map(|ending| folder.join(format!("{what}.{ending}"))).find(|p| p.exists());
        if let Some(taken) = taken {
            return failed(format!("{} is there already; move it away first", taken.display()));
        }
        let target = folder.join(format!("{what}.{ending}"));
        let copied = disk::bytes(from).map_err(disk::Error::from).and_then(|bytes| {
            // A folder that cannot be made fails again where the file is written, with a word.
            let _ = fs::create_dir_all(folder);
            disk::file(&target, &bytes, false)
        });
        if let Err(error) = copied {
            return failed(error);
        }
        // A table that cannot be read would keep the flows of this workspace from being opened.
        if let Err(error) = disk::audience(folder) {
            let _ = fs::remove_file(&target);
            return failed(format!("The table was not taken in:\n{error}"));
        }
        let Some(workspace) = folder.parent() else { return Vec::new() };
        let files = self.files.iter().filter(|(_, path)| path.starts_with(workspace));
        let homes = files.filter_map(|(id, path)| Some((*id, Arc::new(home(path).ok()?)))).collect();
        let key = if workspace.as_os_str().is_empty() { Path::new(".") } else { workspace };
        if let Some(known) = self.around.get_mut(key) {
            known.audience = Around::look(key).audience;
        }
        vec![Told::Audience { folder: workspace.to_owned(), homes }.into()]
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Whether the workspace file is still what the edited one began from.
fn workspace_stands(workspace: &WorkspaceFile) -> Result<(), String> {
    let there = if workspace.path.exists() {
        disk::text(&workspace.path).map(|source| source.text).map_err(|error| error.to_string())?
    } else {
        String::new()
    };
    if there == workspace.before || there == workspace.text {
        return Ok(());
    }
    Err(format!(
        "{} was changed by something else meanwhile; nothing was saved. Look at what was merged, then save again",
        workspace.path.display()
    ))
}

fn seen(path: &Path, text: &str) -> Seen {
    let metadata = fs::metadata(path).ok();
    Seen {
        modified: metadata.as_ref().and_then(|metadata| metadata.modified().ok()),
        num_bytes: metadata.map_or(0, |metadata| metadata.len()),
        print: journal::fingerprint(text.as_bytes()),
    }
}

/// A path that stays right when the program's folder changes, and that two ways of naming a file share.
fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn last_record(bytes: &[u8]) -> Option<Record> {
    journal::recover(bytes).into_iter().max_by_key(|record| (record.at, record.revision))
}

/// A settings file with faults is written anew with the next change; what the user wrote stays beside it.
fn keep_a_copy(path: &Path, text: &str) -> Option<String> {
    let copy = path.with_extension("bad.ron");
    match disk::file(&copy, text.as_bytes(), true) {
        Ok(()) => Some(format!("The settings file is kept as {}", copy.display())),
        Err(_) => None,
    }
}

fn list(folder: PathBuf) -> Vec<Answer> {
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) => return failed(format!("{} cannot be shown: {error}", folder.display())),
    };
    let mut out: Vec<(String, bool)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.path().is_dir();
            (!name.starts_with('.') && (is_folder || name.ends_with(".ron") || name.ends_with(".json")))
                .then_some((name, is_folder))
        })
        .take(MOST_LISTED)
        .collect();
    out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    vec![Told::Listed { folder: absolute(&folder), entries: out }.into()]
}

/// What stands around a flow.
fn home(path: &Path) -> Result<Home, disk::Error> {
    let place = disk::home(path, None)?;
    let found = disk::audience_folder(&place).map(|folder| disk::audience(&folder)).transpose()?;
    let other_flows = disk::neighbours(path, &place);
    let mut notes = place.notes;
    let audience = found.map(|found| {
        notes.extend(found.warnings);
        found.audience
    });
    Ok(Home {
        sample: None,
        folder: place.folder,
        source: place.source.map(|source| source.text).unwrap_or_default(),
        workspace: place.workspace,
        audience: Arc::new(audience.unwrap_or_default()),
        other_flows,
        notes,
        ..Home::default()
    })
}

#[cfg(test)]
mod tests;
