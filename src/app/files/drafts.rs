//! When a draft is written: a second after the last change, ten seconds after the first one that is not in the journal.

use super::{DraftWork, Task};
use crate::{
    app::{App, Request, document::Document, journal::WorkspaceDraft},
    base::Instant,
};

/// A pause in work after which it is written down. Source: assumption, longer than between two keys.
const PAUSE_MILLIS: i64 = 1_000;
/// Work without a pause is written down this often. Source: assumption, as much as anyone does again without anger.
const MOST_MILLIS: i64 = 10_000;

/// What is known of a document's draft.
#[derive(Clone, Debug, Default)]
pub struct Debounce {
    seen_revision: u64,
    last_change: Option<Instant>,
    first_change: Option<Instant>,
    /// There is one in the journal.
    pub(in crate::app) is_written: bool,
}

impl Debounce {
    fn due_at(&self) -> Option<Instant> {
        let (last, first) = (self.last_change?, self.first_change?);
        let after = |at: Instant, millis: i64| Instant::from_millis(at.as_millis() + millis);
        Some(after(last, PAUSE_MILLIS).min(after(first, MOST_MILLIS)))
    }

    /// There is something to write down that no change of the document has made.
    pub(in crate::app) fn begin(&mut self, now: Instant) {
        self.last_change = Some(now);
        self.first_change.get_or_insert(now);
    }

    fn settle(&mut self) {
        self.last_change = None;
        self.first_change = None;
    }
}

/// When the studio wants to be woken, if at all.
pub fn wake_at(app: &App) -> Option<Instant> {
    app.documents.iter().filter_map(|document| document.on_disk.draft.due_at()).min()
}

/// After every command: notes what changed, and writes what is due.
pub fn after(app: &mut App, now: Instant) -> Vec<Request> {
    let tasks = app.documents.iter_mut().filter_map(|document| task(document, now));
    tasks.map(Request::Files).collect()
}

fn task(document: &mut Document, now: Instant) -> Option<Task> {
    let revision = document.history.revision();
    let draft = &mut document.on_disk.draft;
    if draft.seen_revision != revision {
        draft.seen_revision = revision;
        draft.last_change = Some(now);
        draft.first_change.get_or_insert(now);
        if !document.is_unsaved() {
            return document.draft_is_settled();
        }
    }
    let draft = &mut document.on_disk.draft;
    if draft.due_at().is_some_and(|due| due <= now) {
        draft.settle();
        if !document.is_unsaved() {
            return document.draft_is_settled();
        }
        document.on_disk.draft.is_written = true;
        let work = DraftWork {
            path: document.path.clone(),
            sample: document.on_disk.sample,
            revision,
            at: now,
            flow: document.flow().clone(),
            workspace: workspace(document),
        };
        return Some(Task::Journal { document: document.id, work: Box::new(work) });
    }
    None
}

/// The workspace file, where it is on no disk.
fn workspace(document: &Document) -> Option<WorkspaceDraft> {
    let is_new_import = document.path.is_none() && document.on_disk.needs.is_some();
    let before = if is_new_import { "" } else { document.history.saved_aside() };
    let text = document.history.aside();
    (**text != *before).then(|| WorkspaceDraft { text: text.to_string(), before: before.to_owned() })
}

impl Document {
    /// There is nothing unsaved any more: a draft that was written is taken away.
    pub(in crate::app) fn draft_is_settled(&mut self) -> Option<Task> {
        let draft = &mut self.on_disk.draft;
        draft.settle();
        std::mem::take(&mut draft.is_written).then_some(Task::Forget { document: self.id })
    }
}
