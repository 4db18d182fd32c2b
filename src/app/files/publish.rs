//! The page for handing a flow over: for whom, what is lost there, what stands in the way, where it was written.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use super::{Page, Task, TextFile, Told};
use crate::{
    app::{
        App, DocumentId, Panel, Request,
        client::ClientFormat,
        document::Document,
        jobs::{Kind, Running},
        problems, when,
    },
    base::{Diagnostic, Instant, Place, Severity},
    flow::Target,
    platforms::{Export, Loss, LossKind},
};

/// Whom a flow can be handed to besides a client.
pub const TARGETS: &[(&str, Target, &str)] = &[
    ("Klaviyo", Target::Klaviyo, "Flow, mails and templates as Klaviyo takes them"),
    ("HubSpot", Target::Hubspot, "Workflow and mails as HubSpot takes them"),
    ("Engine", Target::Engine, "A pinned version for the engine that ships with Flowloom"),
];

/// The state of the page.
#[derive(Debug)]
pub struct Publish {
    /// What is handed over.
    pub document: DocumentId,
    /// For whom.
    pub target: Target,
    /// Whether it is written as one ZIP.
    pub zip: bool,
    /// For a client, instead of a target.
    pub client: Option<ClientFormat>,
    /// What was made last.
    pub made: Option<Made>,
    /// Where it was written.
    pub written: Option<PathBuf>,
    /// A chosen folder that has something in it.
    pub not_empty: Option<PathBuf>,
    under_way: Option<(Running, Target)>,
    /// The client's file that is being made.
    client_under_way: Option<(Running, ClientFormat)>,
    /// The user cancelled this one; hidden in the tray.
    given_up: Option<(u64, Target, bool)>,
    num_jobs: u64,
}

/// An export that was made, or what stood in its way.
#[derive(Debug)]
pub struct Made {
    /// Of which revision of the document.
    pub revision: u64,
    /// For whom.
    pub target: Target,
    /// The export.
    pub result: Result<Arc<Export>, Vec<Diagnostic>>,
}

/// What the page asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublishAct {
    /// Another target.
    Target(Target),
    /// Something for a client.
    Client(ClientFormat),
    /// Make what was chosen for the client, then ask where to write it.
    MakeForClient,
    /// As one ZIP, or as a folder.
    Zip(bool),
    /// Ask for a folder.
    Choose,
    /// Write here, also over what is there.
    Into {
        /// The folder.
        folder: PathBuf,
        /// Also where it holds something.
        force: bool,
    },
    /// Show what was written in the file manager.
    ShowFolder,
    /// Close the page, show the problems.
    ShowProblems,
}

/// What is lost, by how much of it is kept.
#[derive(Debug, Default)]
pub struct Groups<'a> {
    /// Steps with no loss.
    pub exact: Vec<&'a str>,
    /// What differs.
    pub approximate: Vec<(String, &'a Loss)>,
    /// What the target has nothing for.
    pub not_possible: Vec<(String, &'a Loss)>,
}

/// The losses of an export, each with what its place is called.
pub fn groups<'a>(document: &'a Document, export: &'a Export) -> Groups<'a> {
    let flow = document.flow();
    let mut out = Groups::default();
    let mut touched = BTreeSet::new();
    for loss in &export.losses {
        let step = problems::step_of(flow, &loss.place);
        let place = place_of(document, &loss.place);
        touched.extend(step);
        match loss.kind {
            LossKind::Approximate => out.approximate.push((place, loss)),
            LossKind::NotPossible => out.not_possible.push((place, loss)),
        }
    }
    let steps = flow.nodes.iter().filter(|node| node.kind != "note" && !touched.contains(&node.id));
    out.exact = steps.map(|node| node.title()).collect();
    out
}

/// What a place is called: the step's title, else the part of the flow.
pub fn place_of(document: &Document, place: &Place) -> String {
    let flow = document.flow();
    let node = problems::step_of(flow, place).and_then(|id| flow.node(id.as_str()));
    node.map_or_else(|| problems::elsewhere(flow, place), |node| node.title().to_owned())
}

/// How many errors stand in the way.
pub fn num_errors(document: &Document, publish: &Publish) -> usize {
    let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
    let checks = document.derived.findings.iter().flat_map(|stamped| stamped.value.iter());
    let by_checks = checks.map(|finding| &finding.diagnostic).filter(is_error).count();
    let by_target = match publish.made.as_ref().map(|made| &made.result) {
        Some(Err(found)) => found.iter().filter(is_error).count(),
        Some(Ok(export)) => export.diagnostics.iter().filter(is_error).count(),
        None => 0,
    };
    // What the checks found, the export found as well.
    by_checks.max(by_target)
}

/// The export that may be written now, if there is one.
///
/// Errors: why there is none, in words for a tooltip.
pub fn ready<'a>(document: &Document, publish: &'a Publish) -> Result<&'a Arc<Export>, &'static str> {
    if num_errors(document, publish) > 0 {
        return Err("The flow has errors");
    }
    match &publish.made {
        Some(Made { revision, target, result: Ok(export) })
            if *revision == document.history.revision() && *target == publish.target =>
        {
            Ok(export)
        }
        Some(Made { result: Err(_), .. }) => Err("The flow has errors"),
        _ if publish.given_up.is_some() => Err("The export was cancelled; the tray makes it again"),
        _ => Err("The export is being made"),
    }
}

/// What the ZIP of an export is called: `watch-shop-klaviyo.zip`.
pub fn zip_name(document: &Document, target: Target) -> String {
    format!("{}-{}.zip", document.flow().id, target.name())
}

impl Publish {
    /// The export that is being made.
    pub fn running(&self) -> Option<&Running> {
        self.under_way.as_ref().map(|(running, _)| running)
    }

    /// The client's file that is being made.
    pub fn running_for_client(&self) -> Option<&Running> {
        self.client_under_way.as_ref().map(|(running, _)| running)
    }

    /// Whether the user cancelled it and the tray is to say so.
    pub fn is_given_up(&self) -> bool {
        self.given_up.is_some_and(|(.., is_hidden)| !is_hidden)
    }

    fn new(document: DocumentId) -> Self {
        Self {
            document,
            target: Target::Klaviyo,
            zip: false,
            client: None,
            made: None,
            written: None,
            not_empty: None,
            under_way: None,
            client_under_way: None,
            given_up: None,
            num_jobs: 0,
        }
    }
}

/// Opens the page for the active document.
pub fn open(app: &mut App) {
    if let Some(id) = app.document().map(|document| document.id) {
        let known = app.files.publish.take().filter(|publish| publish.document == id);
        let mut publish = known.unwrap_or_else(|| Publish::new(id));
        publish.written = None;
        publish.not_empty = None;
        app.files.publish = Some(publish);
        app.files.page = Some(Page::Publish);
    }
}

/// Does what the page asks for.
pub fn act(app: &mut App, act: PublishAct, now: Instant) -> Vec<Request> {
    let Some(publish) = &mut app.files.publish else { return Vec::new() };
    match act {
        PublishAct::Target(target) => {
            publish.target = target;
            publish.client = None;
            publish.written = None;
            publish.not_empty = None;
        }
        PublishAct::Zip(zip) => {
            publish.zip = zip;
            publish.written = None;
            publish.not_empty = None;
        }
        PublishAct::Client(format) => publish.client = Some(format),
        PublishAct::MakeForClient => return make_for_client(app, now),
        PublishAct::Choose => return vec![Request::Files(Task::AskFolder)],
        PublishAct::Into { folder, force } => {
            publish.not_empty = None;
            let id = publish.document;
            let Some(document) = app.documents.iter().find(|document| document.id == id) else { return Vec::new() };
            let Some(publish) = &app.files.publish else { return Vec::new() };
            match ready(document, publish) {
                Ok(export) => {
                    let files = Arc::clone(export);
                    let zip = publish.zip.then(|| zip_name(document, publish.target));
                    return vec![Request::Files(Task::WriteFolder { folder, files, zip, force })];
                }
                Err(why) => app.tell(why, true, now),
            }
        }
        PublishAct::ShowFolder => {
            if let Some(folder) = publish.written.clone() {
                return vec![Request::Files(Task::ShowFolder(folder))];
            }
        }
        PublishAct::ShowProblems => {
            app.files.page = None;
            if let Some(document) = app.document_mut() {
                document.view.panel = Some(Panel::Problems);
            }
        }
    }
    Vec::new()
}

/// Begins the client's file that was chosen; one at a time.
fn make_for_client(app: &mut App, now: Instant) -> Vec<Request> {
    let Some(publish) = &mut app.files.publish else { return Vec::new() };
    let (id, Some(format), None) = (publish.document, publish.client, publish.running_for_client()) else {
        return Vec::new();
    };
    let Some(document) = app.documents.iter().find(|document| document.id == id) else { return Vec::new() };
    publish.num_jobs += 1;
    let job = publish.num_jobs;
    let running = Running::new(job, Kind::Client, document.history.revision(), now);
    let progress = Arc::clone(&running.progress);
    publish.client_under_way = Some((running, format));
    let home = Arc::clone(&document.home);
    let date = when::date(now, &when::zone(&home, None));
    let flow = Box::new(document.flow().clone());
    vec![Request::Files(Task::Client { document: id, id: job, format, date, progress, flow, home })]
}

/// Takes a client's file and asks where to write it.
pub fn take_client(app: &mut App, told: Told, now: Instant) -> Vec<Request> {
    let Told::Client { document, id, format, result } = told else { return Vec::new() };
    let Some(publish) = &mut app.files.publish else { return Vec::new() };
    if document != publish.document || publish.running_for_client().is_none_or(|running| running.id != id) {
        return Vec::new();
    }
    publish.client_under_way = None;
    let name = app.documents.iter().find(|open| open.id == document).map(|open| open.flow().id.to_string());
    match (result, name) {
        (Some(Ok(bytes)), Some(name)) => {
            let file = TextFile { what: format.what(), ending: format.ending(), bytes };
            let suggested = format!("{name}.{}", format.ending());
            vec![Request::Files(Task::AskText { file, suggested })]
        }
        (Some(Err(why)), _) => {
            app.tell(why, true, now);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The user does not want the client's file that is being made.
pub(in crate::app) fn give_up_client(app: &mut App) {
    let now = app.now;
    if let Some((running, _)) = app.files.publish.as_mut().and_then(|publish| publish.client_under_way.take()) {
        running.progress.cancel();
        app.tell(format!("{} was cancelled", Kind::Client.title()), false, now);
    }
}

/// Takes what came back.
pub fn take(app: &mut App, told: Told) {
    let Some(publish) = &mut app.files.publish else { return };
    match told {
        Told::Exported { document, id, revision, target, result }
            if document == publish.document && publish.running().is_some_and(|running| running.id == id) =>
        {
            publish.under_way = None;
            publish.made = Some(Made { revision, target, result });
        }
        Told::Written(folder) => publish.written = Some(folder),
        Told::NotEmpty(folder) => publish.not_empty = Some(folder),
        _ => {}
    }
}

/// Asks for the export while the page is open and what it shows is old.
pub fn wanted(app: &mut App) -> Option<Request> {
    if app.files.page != Some(Page::Publish) {
        return None;
    }
    let publish = app.files.publish.as_mut()?;
    let id = publish.document;
    let document = app.documents.iter().find(|document| document.id == id)?;
    let stamp = (document.history.revision(), publish.target);
    publish.given_up = publish.given_up.filter(|(revision, target, _)| (*revision, *target) == stamp);
    // An export cannot be interrupted: what is superseded runs on, and what it answers is not taken.
    let is_old = |under_way: &(Running, Target)| (under_way.0.revision, under_way.1) != stamp;
    if publish.under_way.as_ref().is_some_and(is_old) {
        publish.under_way = None;
    }
    let is_made = publish.made.as_ref().is_some_and(|made| (made.revision, made.target) == stamp);
    if is_made || publish.under_way.is_some() || publish.given_up.is_some() {
        return None;
    }
    publish.num_jobs += 1;
    let running = Running::new(publish.num_jobs, Kind::Export, stamp.0, app.now);
    let progress = Arc::clone(&running.progress);
    let job = publish.num_jobs;
    publish.under_way = Some((running, stamp.1));
    Some(Request::Files(Task::Export {
        document: id,
        id: job,
        revision: stamp.0,
        target: stamp.1,
        progress,
        flow: Box::new(document.flow().clone()),
        home: Arc::clone(&document.home),
    }))
}

/// The user does not want the export that is being made.
pub(in crate::app) fn give_up(app: &mut App) {
    let now = app.now;
    if let Some(publish) = &mut app.files.publish
        && let Some((running, target)) = publish.under_way.take()
    {
        publish.given_up = Some((running.revision, target, false));
        app.tell(format!("{} was cancelled", Kind::Export.title()), false, now);
    }
}

/// The user wants it after all.
pub(in crate::app) fn run_again(app: &mut App) {
    if let Some(publish) = &mut app.files.publish {
        publish.given_up = None;
        app.files.page = Some(Page::Publish);
    }
}

/// The tray is not to speak of it.
pub(in crate::app) fn hide(app: &mut App) {
    if let Some((.., is_hidden)) = app.files.publish.as_mut().and_then(|publish| publish.given_up.as_mut()) {
        *is_hidden = true;
    }
}
