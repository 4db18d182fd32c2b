//! Two versions of a flow side by side: which, what differs, where to look.
//!
//! The one idea: the open flow is the later version; the earlier one is what was saved, a state of the undo list, or
//! another file. Both are shown under one zoom and moved together; a difference that is gone to brings its step into
//! the middle on both sides. Deliberately not here: finding differences (`report::diff`), drawing, reading files.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    App, DocumentId, Request,
    files::{Page, Task},
};
use crate::{
    base::{Instant, NodeId},
    flow::{Flow, file::Loaded},
    report::diff::{self, Comparison, Sign},
};

/// Zoom of both canvases, points per canvas unit.
const ZOOMS: std::ops::RangeInclusive<f32> = 0.05..=3.0;

/// Zoom at which a difference is looked at, at least.
const CLOSE_ZOOM: f32 = 0.6;

/// The earlier version.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Source {
    /// The flow as it was saved.
    #[default]
    Saved,
    /// Before so many steps of the undo list (from 1, the last one first).
    Past(usize),
    /// Another file.
    File {
        /// What people know it by.
        name: String,
        /// What is in it.
        flow: Arc<Flow>,
    },
}

/// What the page asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Another earlier version.
    With(Source),
    /// Ask for a file.
    AskFile,
    /// Both canvases: the point in the middle of each, and the zoom.
    View {
        /// Canvas points, the earlier version's first.
        centers: [(f32, f32); 2],
        /// Points per canvas unit.
        zoom: f32,
    },
    /// Go to a difference, by its place in the list.
    GoTo(usize),
    /// Show all of both again.
    Fit,
}

/// The state of the page.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The open flow.
    pub document: DocumentId,
    /// What it is compared with.
    pub source: Source,
    /// The earlier version.
    pub before: Arc<Flow>,
    /// What differs.
    pub comparison: Arc<Comparison>,
    /// What became of the steps of the earlier and of the later version.
    pub signs: [BTreeMap<NodeId, Sign>; 2],
    /// Canvas points in the middle of each canvas; worked out by whoever knows their size where `is_fitted` is not set.
    pub centers: [(f32, f32); 2],
    /// Points per canvas unit.
    pub zoom: f32,
    /// Whether the view was set for these versions.
    pub is_fitted: bool,
    /// The difference that was gone to.
    pub chosen: Option<usize>,
    /// Tells this comparison from those before.
    pub stamp: u64,
    revision: u64,
}

impl Compare {
    /// What the earlier version is called: "As saved".
    pub fn title(&self, document: &super::Document) -> String {
        match &self.source {
            Source::Saved => "As saved".to_owned(),
            Source::Past(steps) => {
                let label = document.history.undo_labels().nth(steps.saturating_sub(1)).unwrap_or("");
                format!("Before \u{201c}{label}\u{201d}")
            }
            Source::File { name, .. } => name.clone(),
        }
    }
}

/// Opens the page for the active flow, with what was saved; where nothing was changed since, with what was before the
/// last step, if there is one.
pub fn open(app: &mut App) {
    let Some(document) = app.document() else { return };
    let is_same = document.history.is_flow_clean() && document.history.undo_labels().next().is_some();
    let source = if is_same { Source::Past(1) } else { Source::Saved };
    let id = document.id;
    app.files.page = Some(Page::Compare);
    compare(app, id, source);
}

/// Compares a flow with a version of it.
fn compare(app: &mut App, id: DocumentId, source: Source) {
    let Some(document) = app.documents.iter().find(|document| document.id == id) else { return };
    let before = match &source {
        Source::Saved => Arc::new(document.history.saved().clone()),
        Source::Past(steps) => match document.history.before(*steps) {
            Some(flow) => Arc::new(flow.clone()),
            None => Arc::new(document.history.saved().clone()),
        },
        Source::File { flow, .. } => Arc::clone(flow),
    };
    let comparison = Arc::new(diff::compare(&before, document.flow()));
    let (earlier, later) = comparison.signs();
    let stamp = app.files.compare.as_ref().map_or(0, |compare| compare.stamp) + 1;
    app.files.compare = Some(Compare {
        document: id,
        source,
        before,
        comparison,
        signs: [earlier, later],
        centers: [(0.0, 0.0); 2],
        zoom: 1.0,
        is_fitted: false,
        chosen: None,
        stamp,
        revision: document.history.revision(),
    });
}

/// Does what the page asks for.
pub fn act(app: &mut App, act: Act) -> Vec<Request> {
    let Some(compare) = &mut app.files.compare else { return Vec::new() };
    match act {
        Act::With(source) => {
            let id = compare.document;
            self::compare(app, id, source);
        }
        Act::AskFile => return vec![Request::Files(Task::AskCompare)],
        Act::View { centers, zoom } => {
            let is_finite = centers.iter().all(|(x, y)| x.is_finite() && y.is_finite()) && zoom.is_finite();
            if is_finite {
                compare.centers = centers;
                compare.zoom = zoom.clamp(*ZOOMS.start(), *ZOOMS.end());
                compare.is_fitted = true;
            }
        }
        Act::Fit => compare.is_fitted = false,
        Act::GoTo(n) => go_to(app, n),
    }
    Vec::new()
}

/// Brings the step of a difference into the middle on both sides; where it is on one only, the other side shows where
/// it would be: the step that comes before it.
fn go_to(app: &mut App, n: usize) {
    let Some(compare) = &mut app.files.compare else { return };
    let id = compare.document;
    let Some(document) = app.documents.iter().find(|document| document.id == id) else { return };
    let Some(difference) = compare.comparison.differences.get(n) else { return };
    compare.chosen = Some(n);
    let (before, after) = (&compare.before, document.flow());
    let matching = &compare.comparison.matching;
    let beside = |flow: &Flow, id: &NodeId| {
        let from = flow.edges.iter().find(|edge| edge.to == *id).map(|edge| edge.from.clone());
        from.or_else(|| flow.edges.iter().find(|edge| edge.from == *id).map(|edge| edge.to.clone()))
    };
    let pair = match (&difference.before, &difference.after) {
        (Some(old), Some(new)) => [Some(old.clone()), Some(new.clone())],
        (Some(old), None) => {
            let near = beside(before, old).and_then(|near| matching.later(&near).cloned());
            [Some(old.clone()), near]
        }
        (None, Some(new)) => {
            let near = beside(after, new).and_then(|near| matching.earlier(&near).cloned());
            [near, Some(new.clone())]
        }
        (None, None) => [None, None],
    };
    for ((center, id), flow) in compare.centers.iter_mut().zip(&pair).zip([&**before, after]) {
        if let Some(node) = id.as_ref().and_then(|id| flow.node(id.as_str())) {
            *center = node.pos;
        }
    }
    if pair.iter().any(Option::is_some) {
        compare.zoom = compare.zoom.max(CLOSE_ZOOM);
        compare.is_fitted = true;
    }
}

/// A file that was asked for.
pub fn take(app: &mut App, name: String, loaded: Result<Loaded, String>, now: Instant) {
    let Some(id) = app.files.compare.as_ref().map(|compare| compare.document) else { return };
    match loaded {
        Ok(loaded) => compare(app, id, Source::File { name, flow: Arc::new(loaded.flow) }),
        Err(why) => app.tell(why, true, now),
    }
}

/// Follows the flow, which may have changed under the page.
pub fn settle(app: &mut App) {
    let Some(shown) = app.files.compare.as_ref() else { return };
    let (id, source, revision) = (shown.document, shown.source.clone(), shown.revision);
    let now = app.documents.iter().find(|document| document.id == id).map(|document| document.history.revision());
    match now {
        None => app.files.compare = None,
        Some(now) if now != revision && app.files.page == Some(Page::Compare) => compare(app, id, source),
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Command, CommandId, files, fixture},
        flow::Edit,
    };

    fn studio() -> App {
        let mut app = fixture::open(fixture::text());
        let id = fixture::document(&app).flow().nodes[1].id.clone();
        let edit = Edit::SetTitle { id, title: "Another name".to_owned() };
        let document = app.document_mut().expect("open");
        document.edit("Rename", &[edit], None).expect("is done");
        app
    }

    fn run(app: &mut App, act: Act) -> Vec<Request> {
        app.apply(Command::Files(files::Act::Compare(act)), Instant::from_millis(0))
    }

    fn lines(app: &App) -> Vec<String> {
        let compare = app.files.compare.as_ref().expect("is open");
        compare.comparison.differences.iter().map(diff::Difference::words).collect()
    }

    #[test]
    fn what_was_saved_is_the_first_choice() {
        let mut app = studio();
        app.apply(CommandId::CompareWith.into(), Instant::from_millis(0));
        assert_eq!(app.files.page, Some(Page::Compare));
        let found = lines(&app);
        assert!(matches!(&found[..], [one] if one.starts_with("Another name: was called")), "{found:?}");
        run(&mut app, Act::GoTo(0));
        let compare = app.files.compare.as_ref().expect("is open");
        let pos = fixture::document(&app).flow().nodes[1].pos;
        assert_eq!((compare.centers, compare.chosen, compare.is_fitted), ([pos, pos], Some(0), true));
    }

    #[test]
    fn other_versions_can_be_chosen() {
        let mut app = studio();
        app.apply(CommandId::CompareWith.into(), Instant::from_millis(0));
        run(&mut app, Act::With(Source::Past(1)));
        assert_eq!(lines(&app).len(), 1);
        assert!(matches!(run(&mut app, Act::AskFile)[..], [Request::Files(Task::AskCompare)]));
        let loaded = crate::flow::file::read(r#"(version: 2, id: "o", name: "Other")"#).expect("reads");
        take(&mut app, "other.flow.ron".to_owned(), Ok(loaded), Instant::from_millis(0));
        let compare = app.files.compare.as_ref().expect("is open");
        assert_eq!(compare.title(fixture::document(&app)), "other.flow.ron");
        assert!(compare.signs[1].values().all(|sign| *sign == Sign::Added) && !compare.signs[1].is_empty());
        take(&mut app, "x".to_owned(), Err("No such file".to_owned()), Instant::from_millis(0));
        assert!(app.toasts.iter().any(|toast| toast.text.contains("No such file")));
    }

    #[test]
    fn the_page_follows_the_flow() {
        let mut app = studio();
        app.apply(CommandId::CompareWith.into(), Instant::from_millis(0));
        app.apply(CommandId::Undo.into(), Instant::from_millis(0));
        assert_eq!(lines(&app), Vec::<String>::new());
        run(&mut app, Act::View { centers: [(f32::NAN, 0.0); 2], zoom: 1.0 });
        assert!(!app.files.compare.as_ref().expect("is open").is_fitted, "a view that is none is not taken");
    }
}
