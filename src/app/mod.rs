//! The editor without a window: state, commands, jobs.
//!
//! The one idea: panels read an [`App`] and push [`Command`]s; [`App::apply`] is the one place where state changes,
//! and it gives back [`Request`]s for the world outside (dialogs, files, threads), whose answers return as commands.
//! Three sorts of state, never mixed: the *document* (in its [`History`](crate::flow::History), saved, undoable), the
//! *view* (selection, pan, zoom: never rewound) and what is *derived* (findings, replays, previews: stamped with the
//! revision they came from). Deliberately not here: egui, dialogs, files, clocks, threads.

pub mod act;
pub mod card;
pub mod client;
pub mod command;
pub mod compare;
pub mod counts;
mod document;
pub mod fields_use;
pub mod files;
#[cfg(test)]
pub mod fixture;
pub mod hand_over;
pub mod import;
pub mod inspector;
pub mod jobs;
pub mod journal;
pub mod mails;
pub mod matrix;
pub mod ops;
pub mod outline;
pub mod overlay;
pub mod pages;
pub mod preferences;
pub mod preview;
pub mod problems;
mod project;
pub mod rename;
#[cfg(feature = "engine")]
pub mod run;
pub mod search;
pub mod stage;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod what_if;
pub mod when;

use std::{path::PathBuf, sync::Arc};

pub use command::{Command, CommandId, Unavailable};
pub use document::{Derived, Document, DocumentId, Overlays, Panel, Search, Side, Stamped, View, Window};
pub use jobs::{Done, Job, JobDone};
pub use project::Home;

use crate::{
    base::Instant,
    flow::{Flow, file::Loaded},
};

/// What fills the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Screen {
    /// Samples, recent files, templates.
    #[default]
    Gallery,
    /// The canvas of the active document.
    Editor,
}

/// Light, dark, or as the system says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A short word to the user that goes away by itself and never takes the focus.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// Whether it tells of a failure; those stay until dismissed.
    pub is_error: bool,
    /// When it appeared.
    pub since: Instant,
}

/// Something the world outside has to do; the answer comes back as [`Command::Answer`].
#[derive(Debug)]
pub enum Request {
    /// Ask which flow to open.
    AskOpen,
    /// Ask where to save a document.
    AskSave {
        /// Which.
        document: DocumentId,
        /// A name to begin with.
        suggested: String,
    },
    /// Read a flow with its workspace.
    Read(PathBuf),
    /// Do this off the frame.
    Start(Job),
    /// Put a text on the clipboard.
    CopyText(String),
    /// Give the keyboard to the field of this name.
    Focus(&'static str),
    /// Read the clipboard; the text comes back as a paste of the window.
    AskPaste,
    /// Show a page in the browser.
    OpenInBrowser {
        /// Name of the file it is put into.
        name: String,
        /// The page.
        html: String,
    },
    /// Something about files.
    Files(files::Task),
    /// Something about an engine.
    #[cfg(feature = "engine")]
    Engine(Box<run::Task>),
    /// Close the window.
    Quit,
}

/// What came back from outside.
#[derive(Debug)]
pub enum Answer {
    /// A flow was read.
    Opened {
        /// Where from; none for one that has no file yet.
        path: Option<PathBuf>,
        /// The file.
        loaded: Box<Loaded>,
        /// What stands around it.
        home: Arc<Home>,
    },
    /// A dialog named a path for a document.
    SavePath {
        /// Which document.
        document: DocumentId,
        /// Where to.
        path: PathBuf,
    },
    /// A document is on disk.
    Saved {
        /// Which.
        document: DocumentId,
        /// Where.
        path: PathBuf,
        /// The revision that was written.
        revision: u64,
    },
    /// A job is done.
    Done(Done),
    /// Something about files.
    Files(files::Told),
    /// Something about an engine.
    #[cfg(feature = "engine")]
    Engine(Box<run::Told>),
    /// Something failed; said to the user.
    Failed(String),
    /// Something worked; said to the user.
    Told(String),
}

/// The state of the studio.
#[derive(Debug, Default)]
pub struct App {
    /// Open flows, in the order of the tabs.
    pub documents: Vec<Document>,
    /// Place of the active one.
    pub active_idx: usize,
    /// What fills the window.
    pub screen: Screen,
    /// The chosen theme.
    pub theme: Theme,
    /// What [`Theme::System`] comes to now; the window knows.
    pub system_is_dark: bool,
    /// What is told.
    pub toasts: Vec<Toast>,
    /// Whether the list of all commands is open.
    pub palette_open: bool,
    /// Files, drafts, what waits for an answer.
    pub files: files::Files,
    /// The dialog that sends a mail to the user.
    pub send_test: Option<mails::send::SendTest>,
    /// The user's settings.
    pub preferences: preferences::Preferences,
    /// The engine of the shown flow.
    #[cfg(feature = "engine")]
    pub run: run::Run,
    /// Renames that went through several documents.
    together: Vec<pages::Together>,
    next_document: u64,
    /// When the command that is applied came.
    now: Instant,
}

impl App {
    /// A studio with nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// The active document.
    pub fn document(&self) -> Option<&Document> {
        (self.screen == Screen::Editor).then(|| self.documents.get(self.active_idx)).flatten()
    }

    fn document_mut(&mut self) -> Option<&mut Document> {
        if self.screen == Screen::Editor { self.documents.get_mut(self.active_idx) } else { None }
    }

    fn by_id(&mut self, id: DocumentId) -> Option<&mut Document> {
        self.documents.iter_mut().find(|document| document.id == id)
    }

    /// Puts a document on the screen.
    pub fn open(&mut self, path: Option<PathBuf>, loaded: Loaded, home: Arc<Home>) -> Vec<Request> {
        let same = |document: &Document| path.is_some() && document.path == path;
        if let Some(at) = self.documents.iter().position(same) {
            self.active_idx = at;
            self.screen = Screen::Editor;
            return Vec::new();
        }
        self.next_document += 1;
        let document = Document::new(DocumentId(self.next_document), path, loaded, home);
        self.documents.push(document);
        self.active_idx = self.documents.len() - 1;
        self.screen = Screen::Editor;
        let mut requests = files::opened(self);
        requests.extend(self.derive());
        requests
    }

    /// Applies a command: the one place where state changes.
    ///
    /// `now` is the wall clock's word: it joins typing to one step and dates toasts, nothing else.
    pub fn apply(&mut self, command: Command, now: Instant) -> Vec<Request> {
        self.now = now;
        let mut requests = command::apply(self, command, now);
        files::share(self, now);
        requests.extend(self.derive());
        requests.extend(files::after(self, now));
        requests.extend(files::settle(self));
        #[cfg(feature = "engine")]
        requests.extend(run::settle(self));
        requests
    }

    /// Says something to the user.
    pub fn tell(&mut self, text: impl Into<String>, is_error: bool, now: Instant) {
        let text = text.into();
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push(Toast { text, is_error, since: now });
    }

    /// Jobs for what is derived from a document that has moved on.
    fn derive(&mut self) -> Vec<Request> {
        let manner = when::Manner::of(&self.preferences);
        self.documents.iter_mut().for_each(|document| document.set_manner(&manner));
        let now = self.now;
        #[cfg(feature = "engine")]
        let sent = self.run.shown_mail().map(Arc::clone);
        let Some(document) = self.document_mut() else { return Vec::new() };
        let jobs = document.wanted_jobs(now).into_iter();
        #[cfg(feature = "engine")]
        let jobs = {
            let picture = sent.and_then(|sent| sent.picture_wanted(document));
            jobs.chain(picture.map(|work| document.begin(work, now)))
        };
        jobs.map(Request::Start).collect()
    }
}

/// An empty flow as a file that was never saved.
///
/// # Panics
///
/// Never: the text is fixed and a test reads it.
pub fn new_flow(id: &str, name: &str) -> Loaded {
    let text = crate::flow::file::write(&Flow::new(id, name));
    crate::flow::file::read(&text).unwrap_or_else(|found| unreachable!("our own text is read: {}", found.message))
}
