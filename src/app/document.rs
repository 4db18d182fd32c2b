//! An open flow: the document in its history, the view of it, and what is derived from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use smol_str::SmolStr;

use super::{
    jobs::{GivenUp, Job, Kind, Previewed, Running, Work},
    mails::{self, MailView, Pane, Pictures, lab::Lab},
    matrix::sheet::{self, Look, Sheet},
    pages::PageKind,
    preview::{self, PreviewKey},
    project::Home,
    timeline::Scope,
    what_if::{Change, WhatIf},
    when::Manner,
};
use crate::{
    base::{ContactId, EventId, Instant, NodeId},
    flow::{
        Edit, EditError, Finding, Flow, History, Workspace,
        file::{self, Loaded, raw::RawStruct},
    },
    simulate::Report,
};

/// Names an open document; never reused in one run of the studio.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DocumentId(pub u64);

/// Which panel stands below the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Panel {
    /// Findings of the checks.
    #[default]
    Problems,
    /// The mail of the selected step, for the chosen contact.
    Preview,
    /// What happens to the chosen contact, and when.
    Timeline,
    /// What would be otherwise with another property or event.
    WhatIf,
    /// What the replay of the whole audience counted.
    Counts,
    /// All steps as a tree.
    Outline,
}

/// What stands left of the canvas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Side {
    /// Kinds of steps to draw with.
    #[default]
    Palette,
    /// All steps as a tree.
    Outline,
}

/// What is painted over cards and edges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overlays {
    /// Findings.
    pub problems: bool,
    /// The way of the chosen contact.
    pub path: bool,
    /// Their way with the changes of the what-if panel, beside the other one.
    pub what_if: bool,
    /// Where they stand when the clock of the time line stands somewhere.
    pub person: bool,
    /// Counts of the replay.
    pub counts: bool,
    /// Who stands where in the engine that runs the flow.
    pub live: bool,
}

impl Default for Overlays {
    fn default() -> Self {
        Self { problems: true, path: true, what_if: true, person: true, counts: true, live: true }
    }
}

/// What is searched for in a flow, and what was found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Search {
    /// The bar is open.
    pub is_open: bool,
    /// What was typed.
    pub query: String,
    /// What was found.
    pub hits: Vec<super::search::Hit>,
    /// Which of them is shown.
    pub current: Option<usize>,
}

/// The view of a document: never saved with it, never rewound by undo.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    /// Selected steps.
    pub selection: BTreeSet<NodeId>,
    /// The selected edge: where it begins and by which port.
    pub edge: Option<(NodeId, SmolStr)>,
    /// Canvas point in the middle of the window.
    pub center_in_canvas: (f32, f32),
    /// Points on the screen per canvas unit, 0.05..=3.
    pub zoom: f32,
    /// Fit the flow into the window as soon as its size is known.
    pub fit_wanted: bool,
    /// Fit the selection into the window.
    pub fit_selection_wanted: bool,
    /// Open the list of kinds behind the selected step.
    pub insert_wanted: bool,
    /// The panel below the canvas; `None` when folded.
    pub panel: Option<Panel>,
    /// The page that stands in the place of the canvas.
    pub page: Option<PageKind>,
    /// The chosen row of each page, by name.
    pub page_rows: BTreeMap<PageKind, SmolStr>,
    /// The panel left of the canvas.
    pub side: Side,
    /// The sample contact of previews, path and time line.
    pub contact: Option<ContactId>,
    /// The event that is taken to have let them in; the newest that fits where left out.
    pub event: Option<EventId>,
    /// The instant of previews; the newest of the audience where left out.
    pub at: Option<Instant>,
    /// Where the clock of the time line stands; path, trace and mail follow it.
    pub clock: Option<Instant>,
    /// Whether it runs.
    pub playing: bool,
    /// Which part of the contact's history the time line shows.
    pub scope: Scope,
    /// The replay goes from and until these; the audience's own where left out.
    pub window: Window,
    /// What is otherwise with the chosen contact in the what-if panel.
    pub changes: Vec<Change>,
    /// How mails are looked at.
    pub mail: MailView,
    /// What is looked at in the matrix.
    pub matrix: Look,
    /// What is painted over the flow.
    pub overlays: Overlays,
    /// Frames that are folded: notes with a size.
    pub folded: BTreeSet<NodeId>,
    /// What is searched for.
    pub search: Search,
    /// Bookmarks 1 to 9: a step each.
    pub bookmarks: BTreeMap<u8, NodeId>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            selection: BTreeSet::new(),
            edge: None,
            center_in_canvas: (0.0, 0.0),
            zoom: 1.0,
            fit_wanted: true,
            fit_selection_wanted: false,
            insert_wanted: false,
            panel: Some(Panel::Problems),
            page: None,
            page_rows: BTreeMap::new(),
            side: Side::Palette,
            contact: None,
            event: None,
            at: None,
            clock: None,
            playing: false,
            scope: Scope::default(),
            window: (None, None),
            changes: Vec::new(),
            mail: MailView::default(),
            matrix: Look::default(),
            overlays: Overlays::default(),
            folded: BTreeSet::new(),
            search: Search::default(),
            bookmarks: BTreeMap::new(),
        }
    }
}

/// A value, and the revision of the document that it was made from.
#[derive(Clone, Debug)]
pub struct Stamped<T> {
    /// The value; shown as stale where the document has moved on.
    pub value: T,
    /// Of this revision.
    pub revision: u64,
}

/// What is derived from the document; `None` until first made.
#[derive(Debug, Default)]
pub struct Derived {
    /// What the checks found.
    pub findings: Option<Stamped<Arc<Vec<Finding>>>>,
    /// The replay of the audience.
    pub replay: Option<Stamped<Arc<Report>>>,
    /// The mail of the selected step for the chosen contact, with what it was asked for.
    pub preview: Option<Stamped<Previewed>>,
    /// The mail that stands beside it.
    pub other: Option<Stamped<Previewed>>,
    /// Pictures of mails.
    pub pictures: Pictures,
    /// Every message for every contact, once its page was open.
    pub matrix: Option<Stamped<Arc<Sheet>>>,
    /// The subjects of a step's message, once they were looked at, or why there are none.
    pub lab: Option<Stamped<LabOf>>,
    /// Both ways of the contact whose changes are looked at.
    pub what_if: Option<Stamped<Result<Arc<WhatIf>, String>>>,
    /// The next contact with another mail is looked for.
    pub seek_wanted: bool,
    /// What is under way.
    pub(super) jobs: Vec<Running>,
    /// What the user cancelled.
    pub(super) given_up: Vec<GivenUp>,
    /// The span that the replay was made for.
    pub(super) replay_window: Window,
    /// Whose changes the what-if was made for, or is being made for.
    pub(super) what_if_of: Option<(ContactId, Vec<Change>)>,
}

/// A step, and the subjects of its message, or why there are none.
pub type LabOf = (NodeId, Result<Arc<Lab>, String>);

/// From and until.
pub type Window = (Option<Instant>, Option<Instant>);

/// An open flow.
#[derive(Debug)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Its file; `None` until first saved.
    pub path: Option<PathBuf>,
    /// The document with its past and future.
    pub history: History,
    /// What stands around it.
    pub home: Arc<Home>,
    /// The view of it.
    pub view: View,
    /// What is derived from it.
    pub derived: Derived,
    /// Its file and its draft.
    pub on_disk: super::files::OnDisk,
    /// Jobs begun so far; each has a number of its own.
    pub(super) num_jobs: u64,
    loaded: Loaded,
    /// What reading the file and its workspace noticed, as problems.
    noticed: Vec<Finding>,
}

impl Document {
    /// Opens a file's content.
    pub fn new(id: DocumentId, path: Option<PathBuf>, loaded: Loaded, home: Arc<Home>) -> Self {
        let view =
            View { contact: home.audience.contacts.first().map(|contact| contact.id.clone()), ..View::default() };
        let mut history = History::new(loaded.flow.clone());
        history.read_aside(&home.source);
        let on_disk = super::files::OnDisk::default();
        let noticed = noticed(&loaded, &home);
        Self { id, path, history, home, view, derived: Derived::default(), on_disk, num_jobs: 0, loaded, noticed }
    }

    /// The flow.
    pub fn flow(&self) -> &Flow {
        self.history.flow()
    }

    /// Whether it may not be saved to its file; `on_disk` says why.
    pub fn is_read_only(&self) -> bool {
        self.on_disk.read_only.is_some()
    }

    /// Whether the file comes from a newer version.
    pub(super) fn is_from_newer(&self) -> bool {
        self.loaded.read_only
    }

    /// The file is as `loaded` now, and the document becomes `flow`, as a step that can be undone.
    pub(super) fn merge(&mut self, loaded: Loaded, flow: Flow, label: &str) {
        self.history.commit();
        self.history.rebase(label, flow, loaded.flow.clone());
        self.loaded = loaded;
        self.settle();
    }

    /// Other surroundings: what was derived with the old ones is worked out again.
    pub(super) fn set_home(&mut self, home: Arc<Home>) {
        self.history.read_aside(&home.source);
        self.home = home;
        // Jobs under way are cancelled with it, and what they answer is not taken.
        self.derived = Derived::default();
        self.noticed = noticed(&self.loaded, &self.home);
        self.settle_workspace();
        if !self.home.audience.contacts.iter().any(|contact| Some(&contact.id) == self.view.contact.as_ref()) {
            self.view.contact = self.home.audience.contacts.first().map(|contact| contact.id.clone());
            self.view.event = None;
        }
    }

    /// Numbers and times are said in another manner; what depends on the zone is worked out again.
    pub(super) fn set_manner(&mut self, manner: &Manner) {
        if self.home.manner == *manner {
            return;
        }
        let home = Home::clone(&self.home).said(manner);
        if home.workspace.zone != self.home.workspace.zone {
            self.derived = Derived::default();
        }
        // Its words hold dates.
        self.derived.what_if = None;
        self.home = Arc::new(home);
    }

    /// It was imported and is on no disk; its workspace lacks `needs` until it is saved with them.
    pub(super) fn is_imported(&mut self, needs: Workspace, now: Instant) {
        self.on_disk.needs = Some(Arc::new(needs));
        self.on_disk.draft.begin(now);
    }

    /// Whether it holds work that is on no disk.
    pub fn is_unsaved(&self) -> bool {
        let is_new_import = self.path.is_none() && self.on_disk.needs.is_some();
        !self.history.is_clean() || self.on_disk.gone || is_new_import
    }

    /// The text to save.
    pub fn text(&self) -> String {
        self.loaded.write(self.flow())
    }

    /// What reading the file found.
    pub fn notes(&self) -> &[crate::base::Diagnostic] {
        &self.loaded.notes
    }

    /// What reading the file and its workspace noticed and is still so: comments that a save drops, an older version,
    /// content that is not known.
    pub fn noticed(&self) -> impl Iterator<Item = &Finding> {
        self.noticed.iter().filter(|finding| {
            let place = &finding.diagnostic.place;
            let Some(id) = &place.node else { return true };
            let Some(node) = self.flow().node(id) else { return false };
            let has =
                |field: &String| RawStruct::parse(node.settings.raw()).is_ok_and(|keys| keys.get(field).is_some());
            place.field.as_ref().is_none_or(has)
        })
    }

    /// What people read on its tab.
    pub fn title(&self) -> &str {
        if self.flow().name.is_empty() { self.flow().id.as_str() } else { &self.flow().name }
    }

    /// The one selected step.
    pub fn selected(&self) -> Option<&NodeId> {
        if self.view.selection.len() == 1 { self.view.selection.first() } else { None }
    }

    /// Applies edits as one step of the history; what was selected and is gone is no longer selected.
    ///
    /// Errors: the refusal; nothing changed.
    pub fn edit(&mut self, label: &str, edits: &[Edit], merge: Option<(&str, Instant)>) -> Result<(), EditError> {
        self.history.apply(label, edits, merge)?;
        self.settle();
        Ok(())
    }

    /// Applies edits and, where there is one, another text of the workspace file, as one step of the history.
    ///
    /// Errors: the refusal; nothing changed.
    pub(super) fn edit_with_workspace(
        &mut self,
        label: &str,
        edits: &[Edit],
        workspace: Option<&str>,
    ) -> Result<(), EditError> {
        match workspace {
            Some(text) => self.history.apply_with_aside(label, edits, text)?,
            None => self.history.apply(label, edits, None)?,
        }
        self.settle();
        Ok(())
    }

    /// Puts another text of the workspace file beside the flow, as a step of the history.
    ///
    /// Errors: why it cannot be read; nothing changed.
    pub(super) fn edit_workspace(
        &mut self,
        label: &str,
        text: &str,
        merge: Option<(&str, Instant)>,
    ) -> Result<(), String> {
        file::read_workspace(text).map_err(|found| found.message)?;
        self.history.set_aside(label, text, merge);
        self.settle_workspace();
        Ok(())
    }

    /// The workspace is what the history says. What is derived is older than the history then, and worked out again.
    fn settle_workspace(&mut self) {
        let text = self.history.aside();
        if **text == *self.home.source {
            return;
        }
        let workspace =
            if text.is_empty() { Ok(Default::default()) } else { file::read_workspace(text).map(|(w, _)| w) };
        if let Ok(workspace) = workspace {
            let home = Home { source: text.to_string(), workspace, ..Home::clone(&self.home) };
            self.home = Arc::new(home.said(&self.home.manner));
        }
    }

    /// Forgets selected things that are gone.
    pub fn settle(&mut self) {
        self.settle_workspace();
        let flow = self.history.flow();
        if !self.view.selection.is_empty() {
            let there: BTreeSet<&NodeId> = flow.nodes.iter().map(|node| &node.id).collect();
            self.view.selection.retain(|id| there.contains(id));
        }
        if let Some((from, port)) = &self.view.edge
            && flow.target(from.as_str(), port).is_none()
        {
            self.view.edge = None;
        }
    }

    /// What the preview depends on: the selected step that sends, contact, event, instant.
    pub fn preview_key(&self) -> PreviewKey {
        preview::key(self)
    }

    /// Chooses the sample contact; clock, event and changes of the one before are forgotten.
    pub fn choose_contact(&mut self, contact: Option<ContactId>) {
        if self.view.contact == contact {
            return;
        }
        let view = &mut self.view;
        view.contact = contact;
        view.event = None;
        view.at = None;
        view.clock = None;
        view.playing = false;
        view.scope = Scope::default();
        view.changes.clear();
    }

    /// Both ways of the chosen contact, while there are changes and they are worked out.
    pub fn what_if(&self) -> Option<&WhatIf> {
        let made = self.derived.what_if.as_ref()?.value.as_ref().ok()?;
        let fits = !self.view.changes.is_empty() && self.view.contact.as_ref() == Some(&made.contact);
        fits.then_some(&**made)
    }

    /// Jobs for what is derived from an older revision and not under way yet; what is under way and old is cancelled.
    pub(super) fn wanted_jobs(&mut self, now: Instant) -> Vec<Job> {
        self.cancel_superseded();
        let revision = self.history.revision();
        self.derived.given_up.retain(|given_up| given_up.revision == revision);
        let mut works = Vec::new();
        let is_free = |document: &Self, kind| !document.is_under_way(kind) && !document.is_given_up(kind);
        let parts = |document: &Self| (Box::new(document.flow().clone()), Arc::clone(&document.home));
        let checked = self.derived.findings.as_ref().map(|stamped| stamped.revision);
        if checked != Some(revision) && is_free(self, Kind::Check) {
            let (flow, home) = parts(self);
            works.push(Work::Check { flow, home });
        }
        let has_people = !self.home.audience.contacts.is_empty();
        let replayed = self.derived.replay.as_ref().filter(|_| self.derived.replay_window == self.view.window);
        if has_people && replayed.map(|s| s.revision) != Some(revision) && is_free(self, Kind::Replay) {
            let (flow, home) = parts(self);
            works.push(Work::Replay { flow, home, window: self.view.window });
        }
        let key = self.preview_key();
        let made = self.derived.preview.as_ref().is_some_and(|s| s.revision == revision && s.value.key == key);
        if key.node.is_some() && key.contact.is_some() && !made && is_free(self, Kind::Preview) {
            let (flow, home) = parts(self);
            works.push(Work::Preview { flow, home, key, pane: Pane::First });
        }
        works.extend(mails::wanted(self));
        works.extend(sheet::wanted(self));
        works.extend(self.wanted_what_if(revision));
        works.extend(self.wanted_seek());
        works.into_iter().map(|work| self.begin(work, now)).collect()
    }

    fn wanted_what_if(&mut self, revision: u64) -> Option<Work> {
        let contact = self.view.contact.clone()?;
        if self.view.changes.is_empty() || self.is_under_way(Kind::WhatIf) {
            return None;
        }
        let of = (contact.clone(), self.view.changes.clone());
        let made = self.derived.what_if.as_ref().is_some_and(|s| s.revision == revision);
        if (made || self.is_given_up(Kind::WhatIf)) && self.derived.what_if_of.as_ref() == Some(&of) {
            return None;
        }
        let changes = of.1.clone();
        self.derived.given_up.retain(|given_up| given_up.kind != Kind::WhatIf);
        self.derived.what_if_of = Some(of);
        let (flow, home) = (Box::new(self.flow().clone()), Arc::clone(&self.home));
        Some(Work::WhatIf { flow, home, contact, changes })
    }

    fn wanted_seek(&mut self) -> Option<Work> {
        if !self.derived.seek_wanted || self.is_under_way(Kind::Seek) {
            return None;
        }
        self.derived.seek_wanted = false;
        self.derived.given_up.retain(|given_up| given_up.kind != Kind::Seek);
        let PreviewKey { node, contact, .. } = self.preview_key();
        let (node, from) = (node?, contact?);
        let (flow, home) = (Box::new(self.flow().clone()), Arc::clone(&self.home));
        let report = self.derived.replay.as_ref().map(|stamped| Arc::clone(&stamped.value));
        Some(Work::Seek { flow, home, report, node, from })
    }

    /// Notes that its text of `revision` is on disk at `path`.
    pub(super) fn saved(&mut self, path: PathBuf, revision: u64) {
        self.path = Some(path);
        if let Ok(mut loaded) = crate::flow::file::read(&self.text()) {
            loaded.notes.clear();
            self.loaded = loaded;
            self.noticed = noticed(&self.loaded, &self.home);
        }
        if let Some(text) = self.on_disk.saving_aside.take() {
            self.history.mark_aside_saved(text);
        }
        if self.history.revision() == revision {
            self.history.mark_saved();
        }
    }
}

/// What reading noticed, as findings that nothing but saving mends.
fn noticed(loaded: &Loaded, home: &Home) -> Vec<Finding> {
    let notes = loaded.notes.iter().chain(&home.notes);
    notes.map(|note| Finding { diagnostic: note.clone(), fix: None }).collect()
}
