//! Two versions of a flow side by side: which, what differs, where to look.
//!
//! The one idea: the open flow is the later version; the earlier one is what was saved, a state of the undo list, or
//! another file. Both are shown under one zoom and moved together; a difference that is gone to brings its step into
//! the middle on both sides. The two stand there at once; what differs is a job's to find. Deliberately not here:
//! finding differences (`report::diff`), drawing, reading files.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    App, Document, DocumentId, Request,
    files::{Page, Task},
    jobs::{self, Kind, Work},
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
    /// Stop working out what differs.
    Cancel,
    /// Work it out after all.
    Again,
}

/// The state of the page.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The open flow.
    pub document: DocumentId,
    /// What it is compared with.
    pub source: Source,
    /// The earlier version and the later one.
    pub flows: [Arc<Flow>; 2],
    /// What differs; `None` until that is worked out.
    pub made: Option<Arc<Compared>>,
    /// Canvas points in the middle of each canvas; worked out by whoever knows their size where `is_fitted` is not set.
    pub centers: [(f32, f32); 2],
    /// Points per canvas unit.
    pub zoom: f32,
    /// Whether the view was set for these versions.
    pub is_fitted: bool,
    /// The difference that was gone to.
    pub chosen: Option<usize>,
    /// Tells these versions from those before.
    pub stamp: u64,
    revision: u64,
    /// The job that works for these versions.
    job: Option<u64>,
}

/// Two versions, compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compared {
    /// What differs.
    pub comparison: Comparison,
    /// What became of the steps of the earlier and of the later version.
    pub signs: [BTreeMap<NodeId, Sign>; 2],
}

impl Compared {
    /// Compares them; `None` where `keeps_on`, which is told how much is done, 0..=1, says to stop.
    pub(super) fn new([before, after]: [&Flow; 2], keeps_on: &mut dyn FnMut(f32) -> bool) -> Option<Self> {
        let comparison = diff::compare_while(before, after, keeps_on)?;
        let (earlier, later) = comparison.signs();
        Some(Self { comparison, signs: [earlier, later] })
    }
}

/// How far the comparison is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Standing<'a> {
    /// It is made.
    Made(&'a Compared),
    /// So much of it is done, 0..=1, where that is known.
    UnderWay(Option<f32>),
    /// The user cancelled it.
    Cancelled,
}

impl Compare {
    /// What the earlier version is called: "As saved".
    pub fn title(&self, document: &Document) -> String {
        match &self.source {
            Source::Saved => "As saved".to_owned(),
            Source::Past(steps) => {
                let label = document.history.undo_labels().nth(steps.saturating_sub(1)).unwrap_or("");
                format!("Before \u{201c}{label}\u{201d}")
            }
            Source::File { name, .. } => name.clone(),
        }
    }

    /// How far it is.
    pub fn standing(&self, document: &Document) -> Standing<'_> {
        let running = document.derived.jobs.iter().find(|running| running.kind == Kind::Compare);
        match &self.made {
            Some(made) => Standing::Made(made),
            None if document.is_given_up(Kind::Compare) || running.is_some_and(|running| running.is_given_up) => {
                Standing::Cancelled
            }
            // One for versions that are shown no more says nothing about these.
            None => {
                let ours = running.filter(|running| Some(running.id) == self.job);
                Standing::UnderWay(ours.and_then(|running| running.progress.share()))
            }
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

/// Lays a flow beside a version of it; what differs is worked out by a job.
fn compare(app: &mut App, id: DocumentId, source: Source) {
    let Some(document) = app.documents.iter_mut().find(|document| document.id == id) else { return };
    // Whoever chooses a version wants to see what differs.
    document.derived.given_up.retain(|given_up| given_up.kind != Kind::Compare);
    let before = match &source {
        Source::Saved => Arc::new(document.history.saved().clone()),
        Source::Past(steps) => match document.history.before(*steps) {
            Some(flow) => Arc::new(flow.clone()),
            None => Arc::new(document.history.saved().clone()),
        },
        Source::File { flow, .. } => Arc::clone(flow),
    };
    let stamp = app.files.compare.as_ref().map_or(0, |compare| compare.stamp) + 1;
    app.files.compare = Some(Compare {
        document: id,
        source,
        flows: [before, Arc::new(document.flow().clone())],
        made: None,
        centers: [(0.0, 0.0); 2],
        zoom: 1.0,
        is_fitted: false,
        chosen: None,
        stamp,
        revision: document.history.revision(),
        job: None,
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
        Act::Cancel => {
            let id = compare.document;
            jobs::cancel(app, id, Kind::Compare);
        }
        Act::Again => {
            let id = compare.document;
            jobs::run_again(app, id, Kind::Compare);
        }
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
    let Some(made) = &compare.made else { return };
    let Some(difference) = made.comparison.differences.get(n) else { return };
    compare.chosen = Some(n);
    let [before, after] = &compare.flows;
    let matching = &made.comparison.matching;
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
    for ((center, id), flow) in compare.centers.iter_mut().zip(&pair).zip(&compare.flows) {
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

/// Follows the flow, which may have changed under the page; the job for what differs, where one is wanted.
///
/// One is under way at most: one for versions that are shown no more is cancelled, and the next begins when it has
/// answered.
pub fn settle(app: &mut App) -> Option<Request> {
    let now = app.now;
    let shown = app.files.compare.as_ref()?;
    let (id, source, revision) = (shown.document, shown.source.clone(), shown.revision);
    let is_open = app.files.page == Some(Page::Compare);
    match app.by_id(id).map(|document| document.history.revision()) {
        None => {
            app.files.compare = None;
            return None;
        }
        Some(now) if now != revision && is_open => compare(app, id, source),
        Some(_) => {}
    }
    let shown = app.files.compare.as_mut()?;
    let document = app.documents.iter_mut().find(|document| document.id == id)?;
    if let Some(running) = document.derived.jobs.iter().find(|running| running.kind == Kind::Compare) {
        if !is_open || Some(running.id) != shown.job {
            running.progress.cancel();
        }
        return None;
    }
    if !is_open || shown.made.is_some() || document.is_given_up(Kind::Compare) {
        return None;
    }
    let job = document.begin(Work::Compare(shown.flows.clone()), now);
    shown.job = Some(job.id);
    Some(Request::Start(job))
}

/// What a job found.
pub(super) fn made(app: &mut App, document: DocumentId, job: u64, made: Arc<Compared>) {
    let shown = app.files.compare.as_mut();
    if let Some(shown) = shown.filter(|shown| shown.document == document && shown.job == Some(job)) {
        shown.made = Some(made);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Answer, Command, CommandId, Job, files, fixture},
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
        fixture::run(app, Command::Files(files::Act::Compare(act)))
    }

    fn lines(app: &App) -> Vec<String> {
        let made = shown(app).made.as_ref().expect("is made");
        made.comparison.differences.iter().map(diff::Difference::words).collect()
    }

    fn shown(app: &App) -> &Compare {
        app.files.compare.as_ref().expect("is open")
    }

    fn standing(app: &App) -> Standing<'_> {
        shown(app).standing(fixture::document(app))
    }

    #[test]
    fn what_was_saved_is_the_first_choice() {
        let mut app = studio();
        fixture::run(&mut app, CommandId::CompareWith);
        assert_eq!(app.files.page, Some(Page::Compare));
        let found = lines(&app);
        assert!(matches!(&found[..], [one] if one.starts_with("Another name: was called")), "{found:?}");
        run(&mut app, Act::GoTo(0));
        let compare = shown(&app);
        let pos = fixture::document(&app).flow().nodes[1].pos;
        assert_eq!((compare.centers, compare.chosen, compare.is_fitted), ([pos, pos], Some(0), true));
    }

    #[test]
    fn other_versions_can_be_chosen() {
        let mut app = studio();
        fixture::run(&mut app, CommandId::CompareWith);
        run(&mut app, Act::With(Source::Past(1)));
        assert_eq!(lines(&app).len(), 1);
        assert!(matches!(run(&mut app, Act::AskFile)[..], [Request::Files(Task::AskCompare)]));
        let loaded = crate::flow::file::read(r#"(version: 2, id: "o", name: "Other")"#).expect("reads");
        let told = files::Told::ToCompare { name: "other.flow.ron".to_owned(), loaded: Ok(Box::new(loaded)) };
        fixture::run(&mut app, Command::Answer(told.into()));
        let compare = shown(&app);
        assert_eq!(compare.title(fixture::document(&app)), "other.flow.ron");
        let signs = &compare.made.as_ref().expect("is made").signs[1];
        assert!(signs.values().all(|sign| *sign == Sign::Added) && !signs.is_empty());
        take(&mut app, "x".to_owned(), Err("No such file".to_owned()), Instant::from_millis(0));
        assert!(app.toasts.iter().any(|toast| toast.text.contains("No such file")));
    }

    #[test]
    fn the_page_follows_the_flow() {
        let mut app = studio();
        fixture::run(&mut app, CommandId::CompareWith);
        fixture::run(&mut app, CommandId::Undo);
        assert_eq!(lines(&app), Vec::<String>::new());
        run(&mut app, Act::View { centers: [(f32::NAN, 0.0); 2], zoom: 1.0 });
        assert!(!shown(&app).is_fitted, "a view that is none is not taken");
    }

    /// Applies a command; the comparisons that begin wait.
    fn begin(app: &mut App, command: impl Into<Command>) -> Vec<Job> {
        let requests = app.apply(command.into(), fixture::now()).into_iter();
        let jobs = requests.filter_map(|request| match request {
            Request::Start(job) if job.work.kind() == Kind::Compare => Some(job),
            _ => None,
        });
        jobs.collect()
    }

    fn answer(app: &mut App, job: Job) -> Vec<Job> {
        begin(app, Command::Answer(Answer::Done(job.run())))
    }

    fn act(act: Act) -> Command {
        Command::Files(files::Act::Compare(act))
    }

    #[test]
    fn what_differs_is_found_off_the_frame() {
        let mut app = studio();
        let mut jobs = begin(&mut app, CommandId::CompareWith);
        assert_eq!((jobs.len(), standing(&app)), (1, Standing::UnderWay(None)));
        assert!(!shown(&app).flows[1].nodes.is_empty(), "both stand there meanwhile");
        assert!(jobs[0].progress.keeps_on(0.5));
        assert_eq!(standing(&app), Standing::UnderWay(Some(0.5)));
        assert!(begin(&mut app, act(Act::GoTo(0))).is_empty() && shown(&app).chosen.is_none());
        assert!(answer(&mut app, jobs.remove(0)).is_empty());
        assert!(matches!(standing(&app), Standing::Made(made) if made.comparison.differences.len() == 1));
    }

    #[test]
    fn a_comparison_that_is_superseded_is_cancelled_and_its_answer_not_taken() {
        let mut app = studio();
        let first = begin(&mut app, CommandId::CompareWith).remove(0);
        assert!(begin(&mut app, act(Act::With(Source::Past(1)))).is_empty(), "one at a time");
        assert!(first.progress.is_cancelled());
        let second = answer(&mut app, first).remove(0);
        assert_eq!(standing(&app), Standing::UnderWay(None));
        // What it is about goes back to what was saved, while it runs.
        assert!(begin(&mut app, CommandId::Undo).is_empty() && second.progress.is_cancelled());
        let third = answer(&mut app, second).remove(0);
        assert!(answer(&mut app, third).is_empty());
        assert_eq!(lines(&app), Vec::<String>::new());
        assert!(app.toasts.is_empty(), "nobody is told of it");
        // Nobody waits for one whose page is closed.
        let fourth = begin(&mut app, act(Act::With(Source::Saved))).remove(0);
        begin(&mut app, Command::Files(files::Act::Show(None)));
        assert!(fourth.progress.is_cancelled() && answer(&mut app, fourth).is_empty());
        assert_eq!(begin(&mut app, CommandId::CompareWith).len(), 1);
    }

    #[test]
    fn a_comparison_is_cancelled_and_asked_for_again() {
        let mut app = studio();
        let job = begin(&mut app, CommandId::CompareWith).remove(0);
        begin(&mut app, act(Act::Cancel));
        assert_eq!(standing(&app), Standing::Cancelled);
        assert!(answer(&mut app, job).is_empty());
        assert_eq!(standing(&app), Standing::Cancelled);
        let again = begin(&mut app, act(Act::Again)).remove(0);
        begin(&mut app, act(Act::Cancel));
        answer(&mut app, again);
        // From the tray, with the page closed meanwhile.
        begin(&mut app, Command::Files(files::Act::Show(None)));
        let id = fixture::document(&app).id;
        let rows = jobs::tray(&app, fixture::now());
        assert!(rows.iter().any(|row| row.kind == Kind::Compare && row.is_cancelled));
        let again = begin(&mut app, Command::Files(files::Act::RunAgain(id, Kind::Compare))).remove(0);
        answer(&mut app, again);
        assert_eq!((app.files.page, lines(&app).len()), (Some(Page::Compare), 1));
        // Other surroundings drop what is under way: it begins anew.
        let lost = begin(&mut app, act(Act::With(Source::Saved))).remove(0);
        let home = Arc::clone(&app.documents[0].home);
        app.documents[0].set_home(home);
        assert!(lost.progress.is_cancelled());
        let anew = answer(&mut app, lost).remove(0);
        answer(&mut app, anew);
        assert_eq!(lines(&app).len(), 1);
    }
}
