//! Files as the editor sees them: opening, saving, closing, drafts, the gallery. What is decided, never what is done.
//!
//! The one idea: every answer of the disk comes back as [`Told`], everything asked of it leaves as a [`Task`], and what
//! only the user can decide waits in a [`Dialog`]. So each way in which work could be lost (closing, quitting, a file
//! that somebody else changed, a crash) is a few lines here and a test without a window. Deliberately not here: paths
//! being opened, dialogs being drawn, clocks.

#[cfg(feature = "push")]
pub mod account;
mod acts;
mod changed;
mod drafts;
pub mod publish;
#[cfg(feature = "push")]
pub mod push;
pub mod samples;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

pub use self::{
    acts::{apply, opened, path_given, revert, save, saved, settle, take, with_ending},
    changed::share,
    drafts::{after, wake_at},
    publish::{Publish, PublishAct},
};
use super::{
    DocumentId, Home,
    client::ClientFormat,
    compare::{self, Compare},
    jobs::{Kind, Progress},
    journal::WorkspaceDraft,
    preferences::Preferences,
};
use crate::{
    base::{Diagnostic, Instant},
    flow::{
        Flow, Target, Workspace,
        file::Loaded,
        merge::{Conflict, Side},
    },
    platforms::Export,
};

/// Why a document cannot be saved to its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadOnly {
    /// The file was written by a newer version.
    Newer,
    /// Another window has it open.
    OpenElsewhere,
    /// File or folder are protected.
    Protected,
}

impl ReadOnly {
    /// In words, as a tooltip says it.
    pub fn why(self) -> &'static str {
        match self {
            Self::Newer => "The file comes from a newer version of Flowloom",
            Self::OpenElsewhere => "Another window has this file open; close it there, or save under another name",
            Self::Protected => "The file or its folder is write-protected; save under another name",
        }
    }
}

/// What a document knows about its file and its draft.
#[derive(Clone, Debug, Default)]
pub struct OnDisk {
    /// Why it cannot be saved to its file.
    pub read_only: Option<ReadOnly>,
    /// The file was there and is gone.
    pub gone: bool,
    /// The user knows that saving drops comments.
    pub comments_agreed: bool,
    /// The sample workspace it came from; written beside it by a first save.
    pub sample: Option<&'static str>,
    /// What an imported flow needs of its workspace, until that has it.
    pub(in crate::app) needs: Option<Arc<Workspace>>,
    /// It was saved to a new place, and that question waits for what stands around it there.
    pub(in crate::app) asks_needs: bool,
    /// Somebody else's version of the file waits for an answer; saving asks again.
    pub(in crate::app) is_unanswered: bool,
    /// What the file held when the work began is not known: nothing can be merged, only asked about.
    pub(in crate::app) is_base_lost: bool,
    /// The workspace's text as this document shared it last with others of its workspace; `None` before the first time.
    pub(in crate::app) shared: Option<Arc<str>>,
    /// The text of the workspace file that is being written.
    pub(in crate::app) saving_aside: Option<Arc<str>>,
    pub(super) draft: drafts::Debounce,
}

/// The workspace file, written together with a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkspaceFile {
    /// Its path.
    pub path: PathBuf,
    /// Its new text.
    pub text: String,
    /// What stood in it before; where something else stands there now, nothing is written.
    pub before: String,
}

/// Unsaved work of an earlier run, offered back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Names it in the journal.
    pub id: String,
    /// The flow's name.
    pub name: String,
    /// Its file; none where it was never saved.
    pub path: Option<PathBuf>,
    /// When it was written.
    pub at: Instant,
}

/// What a draft is made of; the text is worked out where it is written.
#[derive(Clone, Debug)]
pub struct DraftWork {
    /// Its file.
    pub path: Option<PathBuf>,
    /// The sample workspace it came from.
    pub sample: Option<&'static str>,
    /// When.
    pub at: Instant,
    /// Revision of the document.
    pub revision: u64,
    /// The flow.
    pub flow: Flow,
    /// The workspace file, where it was edited and not saved.
    pub workspace: Option<WorkspaceDraft>,
}

/// Somebody else's version of an open file.
#[derive(Debug)]
pub struct Theirs {
    /// The file as it is now.
    pub loaded: Box<Loaded>,
    /// What stands around it.
    pub home: Arc<Home>,
}

/// What a path is wanted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Open a flow.
    Open,
    /// Save a document.
    Save {
        /// Which.
        document: DocumentId,
    },
    /// A folder for an export.
    Export,
    /// Write a text that was made.
    Text(TextFile),
    /// A flow to compare with.
    Compare,
    /// The JSON of a platform.
    Import,
}

/// A text that is written where the user says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextFile {
    /// What people call it: `matrix`.
    pub what: &'static str,
    /// How its name ends: `html`.
    pub ending: &'static str,
    /// What is in it.
    pub bytes: Arc<[u8]>,
}

/// Our own dialog for paths, where the system has none.
#[derive(Clone, Debug)]
pub struct PathDialog {
    /// What for.
    pub purpose: Purpose,
    /// What stands in the field.
    pub text: String,
    /// The folder whose entries are shown.
    pub folder: PathBuf,
    /// Its entries: name, and whether it is a folder.
    pub entries: Vec<(String, bool)>,
    /// What is wrong with the last choice; empty where nothing is.
    pub fault: String,
}

/// Something that only the user can decide.
#[derive(Debug)]
pub enum Dialog {
    /// Documents with unsaved changes are about to be closed.
    Unsaved {
        /// Which.
        documents: Vec<DocumentId>,
        /// The window closes after them.
        quits: bool,
    },
    /// A first save would drop comments.
    Comments {
        /// Of which document.
        document: DocumentId,
        /// What reading the file said about them.
        message: String,
    },
    /// The file changed, and so did the document.
    Changed {
        /// Which document.
        document: DocumentId,
        /// The file as it is now.
        theirs: Theirs,
        /// The user was saving.
        while_saving: bool,
        /// What both changed, with the chosen side; empty where the two cannot be brought together.
        conflicts: Vec<(Conflict, Side)>,
    },
    /// The workspace file changed, and so did the workspace.
    WorkspaceChanged {
        /// The workspace's folder.
        folder: PathBuf,
        /// Its text as it is on the disk.
        theirs: String,
        /// What both changed, with the chosen side.
        conflicts: Vec<(Conflict, Side)>,
    },
    /// A flow that was imported has been saved: its workspace lacks what it needs.
    Needs {
        /// Which document.
        document: DocumentId,
        /// Its workspace; `None` where there is none yet.
        folder: Option<PathBuf>,
        /// What would be added: `event "Started Checkout"`.
        what: Vec<String>,
    },
    /// The window closes, and an engine that it started runs.
    #[cfg(feature = "engine")]
    EngineRuns,
    /// A path is wanted.
    Path(PathDialog),
    /// A table was dropped: what it is.
    Table {
        /// The file.
        path: PathBuf,
        /// The audience folder it would be copied into.
        folder: PathBuf,
    },
}

/// What the user answers to a [`Dialog`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Save, and go on with what was asked.
    Save,
    /// Go on without saving.
    Discard,
    /// Leave everything as it is.
    Cancel,
    /// Keep the document, write over the file.
    KeepMine,
    /// Take the file; the document's state stays in the undo list.
    TakeTheirs,
    /// Whose side counts in a conflict, or in all of them; the dialog stays.
    Side {
        /// Place of the conflict; all where left out.
        at: Option<usize>,
        /// Whose.
        side: Side,
    },
    /// Bring both together with the chosen sides.
    Merge,
    /// Save under another name.
    SaveAs,
    /// This path.
    Path(String),
    /// Show this folder.
    Folder(PathBuf),
    /// Copy the table in under this name: `contacts`, `events` or `responses`.
    Table(&'static str),
    /// Stop the engine, then close the window.
    StopEngine,
}

/// A page over the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// Hand the flow over.
    Publish,
    /// Two versions side by side.
    Compare,
    /// Set the flow up in an account.
    #[cfg(feature = "push")]
    Push,
    /// Fetch a flow from an account.
    #[cfg(feature = "push")]
    Account,
    /// Send a mail to the user.
    SendTest,
    /// Preferences.
    Settings,
    /// Every key.
    Shortcuts,
}

/// What panels ask for.
#[derive(Debug)]
pub enum Act {
    /// Time has passed: drafts that are due are written.
    Tick,
    /// The window has the focus again: look whether files changed.
    Focused,
    /// Close a tab.
    Close(DocumentId),
    /// The window is asked to close.
    Quit,
    /// Answer the dialog in front.
    Choose(Choice),
    /// Several steps back.
    Undo(usize),
    /// Several steps forth.
    Redo(usize),
    /// Show a page, or none.
    Show(Option<Page>),
    /// Open a sample as a new flow.
    OpenSample(&'static samples::Sample),
    /// Begin a flow from a template.
    NewFrom(&'static samples::Template),
    /// Take a file off the list of recent ones.
    ForgetRecent(PathBuf),
    /// Give unsaved work back.
    Restore(String),
    /// Throw unsaved work away.
    DropDraft(String),
    /// Something was dropped onto the window.
    Dropped(PathBuf),
    /// The page for handing over.
    Publish(PublishAct),
    /// The page with two versions.
    Compare(compare::Act),
    /// The page for setting a flow up in an account.
    #[cfg(feature = "push")]
    Push(push::PushAct),
    /// The page for fetching a flow from an account.
    #[cfg(feature = "push")]
    Account(account::ImportAct),
    /// Show a folder in the system's file manager.
    ShowFolder(PathBuf),
    /// Other settings.
    Prefer(Box<Preferences>),
    /// Stop long work.
    CancelJob(DocumentId, Kind),
    /// Do what was cancelled after all.
    RunAgain(DocumentId, Kind),
    /// Speak no more of what was cancelled.
    HideJob(DocumentId, Kind),
}

/// What is asked of the disk; answers come back as [`Told`].
#[derive(Debug)]
pub enum Task {
    /// Keep other windows from writing this file, and watch it.
    Lock {
        /// The document.
        document: DocumentId,
        /// Its file.
        path: PathBuf,
    },
    /// Let go of the file.
    Unlock {
        /// The document.
        document: DocumentId,
    },
    /// Look whether these files changed.
    Look {
        /// Documents and their files.
        files: Vec<(DocumentId, PathBuf)>,
        /// Workspaces, each with its documents.
        folders: BTreeMap<PathBuf, Vec<(DocumentId, PathBuf)>>,
    },
    /// Ask again about a file that changed while the user was saving.
    Compare {
        /// The document.
        document: DocumentId,
        /// Its file.
        path: PathBuf,
    },
    /// Read the file again, whatever it holds.
    Reread {
        /// The document.
        document: DocumentId,
        /// Its file.
        path: PathBuf,
    },
    /// Write a document.
    Save {
        /// Which document.
        document: DocumentId,
        /// Where to.
        path: PathBuf,
        /// The text.
        text: String,
        /// The revision it is of.
        revision: u64,
        /// Also where the file changed since it was read.
        force: bool,
        /// Files of a sample's workspace, written where the folder has none.
        beside: Vec<(String, Vec<u8>)>,
        /// The workspace file, where it was edited.
        workspace: Option<WorkspaceFile>,
    },
    /// Write a draft.
    Journal {
        /// Of which document.
        document: DocumentId,
        /// What.
        work: Box<DraftWork>,
    },
    /// The document's draft is needed no more.
    Forget {
        /// Which document.
        document: DocumentId,
    },
    /// Read a draft of an earlier run.
    Restore(String),
    /// Remove a draft of an earlier run.
    DropDraft(String),
    /// Write the settings.
    Prefer(Box<Preferences>),
    /// Work out what stands around a sample's flow.
    OpenSample {
        /// Its workspace.
        workspace: &'static str,
        /// Its id in there.
        flow: &'static str,
        /// The file.
        loaded: Box<Loaded>,
    },
    /// Open what was dropped: a flow or a workspace folder.
    OpenAny(PathBuf),
    /// Read the JSON of a platform that was dropped.
    ReadJson(PathBuf),
    /// Read flows of a workspace by their ids.
    OpenNeighbours {
        /// A file of the workspace.
        path: PathBuf,
        /// Which.
        flows: Vec<smol_str::SmolStr>,
    },
    /// Ask for a folder.
    AskFolder,
    /// Ask where to write a text, and write it there.
    AskText {
        /// What.
        file: TextFile,
        /// A name to begin with.
        suggested: String,
    },
    /// Write a text, also over what is there: the dialog has asked.
    WriteText {
        /// Where to.
        path: PathBuf,
        /// What.
        file: TextFile,
    },
    /// The entries of a folder, for our own dialog.
    List(PathBuf),
    /// Copy a table into an audience.
    CopyTable {
        /// The file.
        from: PathBuf,
        /// The audience folder.
        folder: PathBuf,
        /// `contacts`, `events` or `responses`.
        what: &'static str,
    },
    /// Make an export.
    Export {
        /// Of which document.
        document: DocumentId,
        /// Tells it from those before.
        id: u64,
        /// Of which revision.
        revision: u64,
        /// For whom.
        target: Target,
        /// Whether it is still wanted.
        progress: Arc<Progress>,
        /// The flow.
        flow: Box<Flow>,
        /// What stands around it.
        home: Arc<Home>,
    },
    /// Ask for the JSON of a platform.
    AskImport,
    /// Ask for a file to compare with.
    AskCompare,
    /// Read a file to compare with.
    ReadToCompare(PathBuf),
    /// Make a file for a client.
    Client {
        /// Of which document.
        document: DocumentId,
        /// Tells it from those before.
        id: u64,
        /// Which.
        format: ClientFormat,
        /// The date in words.
        date: String,
        /// Whether it is still wanted, and how far it is.
        progress: Arc<Progress>,
        /// The flow.
        flow: Box<Flow>,
        /// What stands around it.
        home: Arc<Home>,
    },
    /// Write an export.
    WriteFolder {
        /// Where to.
        folder: PathBuf,
        /// Relative paths and bytes.
        files: Arc<Export>,
        /// As one ZIP of that name in the folder.
        zip: Option<String>,
        /// Also into a folder with something in it, or over a ZIP of that name.
        force: bool,
    },
    /// Show a folder in the system's file manager.
    ShowFolder(PathBuf),
    /// Look at an account, or change it.
    #[cfg(feature = "push")]
    Push(Box<push::PushTask>),
    /// List the flows of an account, or fetch one.
    #[cfg(feature = "push")]
    Account(Box<account::AccountTask>),
}

/// What the disk answers.
#[derive(Debug)]
pub enum Told {
    /// The studio begins.
    Started {
        /// The settings.
        preferences: Box<Preferences>,
        /// What could not be read in them.
        words: Vec<String>,
        /// Unsaved work.
        drafts: Vec<Draft>,
        /// The file that was open last, where it is still there.
        last: Option<PathBuf>,
    },
    /// A file is locked, or why it cannot be written.
    Locked {
        /// The document.
        document: DocumentId,
        /// Why it cannot be written.
        read_only: Option<ReadOnly>,
    },
    /// The file of a document is not what was read.
    Changed {
        /// The document.
        document: DocumentId,
        /// The file as it is now.
        theirs: Theirs,
        /// It was noticed while saving; nothing was written.
        while_saving: bool,
    },
    /// The file of a document is gone.
    Gone(DocumentId),
    /// The file as asked for by [`Task::Reread`].
    Reread {
        /// The document.
        document: DocumentId,
        /// The file.
        theirs: Theirs,
    },
    /// A document was not saved.
    NotSaved {
        /// Which.
        document: DocumentId,
        /// Why.
        text: String,
    },
    /// What stands around a document has changed: it was saved into another folder.
    Home {
        /// The document.
        document: DocumentId,
        /// The new surroundings.
        home: Arc<Home>,
    },
    /// Unsaved work of an earlier run.
    Restored {
        /// Its name in the journal.
        id: String,
        /// Its file.
        path: Option<PathBuf>,
        /// The sample workspace it came from.
        sample: Option<String>,
        /// The flow as it was.
        work: Box<Loaded>,
        /// The file as it is, where there is one.
        saved: Option<Box<Loaded>>,
        /// The file is not the one that the work began from.
        file_changed: bool,
        /// What stands around it.
        home: Arc<Home>,
        /// The workspace file as it was, where that was unsaved.
        workspace: Option<WorkspaceDraft>,
    },
    /// A sample with its surroundings.
    Sample {
        /// Its workspace.
        workspace: &'static str,
        /// The file.
        loaded: Box<Loaded>,
        /// What stands around it.
        home: Arc<Home>,
    },
    /// What [`Task::ReadJson`] asked for.
    Json {
        /// The file.
        path: PathBuf,
        /// What is in it.
        text: String,
        /// What lies beside it.
        beside: crate::app::import::Beside,
    },
    /// Flows as asked for by [`Task::OpenNeighbours`].
    Neighbours(Vec<super::pages::Neighbour>),
    /// The system has no dialog for paths; ours begins in this folder.
    NoDialog {
        /// What for.
        purpose: Purpose,
        /// A name to begin with.
        suggested: String,
        /// Where.
        folder: PathBuf,
    },
    /// Entries of a folder.
    Listed {
        /// Which.
        folder: PathBuf,
        /// Name, and whether it is a folder.
        entries: Vec<(String, bool)>,
    },
    /// An export was made, or what stands in its way.
    Exported {
        /// Of which document.
        document: DocumentId,
        /// Tells it from those before.
        id: u64,
        /// Of which revision.
        revision: u64,
        /// For whom.
        target: Target,
        /// The export.
        result: Result<Arc<Export>, Vec<Diagnostic>>,
    },
    /// A file to compare with, or why it cannot be read.
    ToCompare {
        /// What people know it by.
        name: String,
        /// What is in it.
        loaded: Result<Box<Loaded>, String>,
    },
    /// A file for a client was made.
    Client {
        /// Of which document.
        document: DocumentId,
        /// Tells it from those before.
        id: u64,
        /// Which.
        format: ClientFormat,
        /// Its bytes; `None` where it was cancelled. Errors: why there are none.
        result: Option<Result<Arc<[u8]>, String>>,
    },
    /// A folder for the export.
    Folder(PathBuf),
    /// What an account answered.
    #[cfg(feature = "push")]
    Push(push::PushTold),
    /// What an account has.
    #[cfg(feature = "push")]
    Account(account::AccountTold),
    /// An export is on the disk.
    Written(PathBuf),
    /// The folder has something in it, or a ZIP of that name.
    NotEmpty(PathBuf),
    /// The workspace file or the audience of a folder are not what was read.
    Around {
        /// The workspace.
        folder: PathBuf,
        /// The new surroundings of its documents.
        homes: Vec<(DocumentId, Arc<Home>)>,
    },
    /// The workspace file of a folder is gone.
    WorkspaceGone(PathBuf),
    /// The audience of a folder changed: documents of that workspace get it.
    Audience {
        /// The workspace.
        folder: PathBuf,
        /// Its new surroundings for each document.
        homes: Vec<(DocumentId, Arc<Home>)>,
    },
}

/// The studio's state about files.
#[derive(Debug, Default)]
pub struct Files {
    /// What waits for the user; the first is in front.
    pub dialogs: Vec<Dialog>,
    /// The page over the window.
    pub page: Option<Page>,
    /// Unsaved work of earlier runs.
    pub drafts: Vec<Draft>,
    /// The page for handing over.
    pub publish: Option<Publish>,
    /// The page with two versions.
    pub compare: Option<Compare>,
    /// The page for setting a flow up in an account.
    #[cfg(feature = "push")]
    pub push: Option<push::Push>,
    /// The page for fetching a flow from an account.
    #[cfg(feature = "push")]
    pub import: Option<account::Import>,
    /// The accounts that were used in this run.
    #[cfg(feature = "push")]
    pub(super) logins: BTreeMap<Target, account::Login>,
    /// Jobs with accounts begun so far; each has a number of its own.
    #[cfg(feature = "push")]
    pub(super) num_account_jobs: u64,
    /// Documents that are closed as soon as they are saved, and whether the window goes with the last.
    pub(super) closing: Option<(Vec<DocumentId>, bool)>,
    /// The studio begins with the flow that was open last, unless there is work to be given back.
    pub opens_last: bool,
    /// Everything is asked; the window may go.
    pub leaving: bool,
    /// The settings as they are on the disk.
    pub(super) preferred: Preferences,
}
