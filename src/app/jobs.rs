//! Long work as values: what is asked, how far it is, and what came of it. Whoever runs a job owns the thread.
//!
//! The one idea: whoever asks and whoever works share a [`Progress`]: the one cancels, the other says how far it is and
//! stops when told. A job that is superseded is cancelled, the next one begins when it has answered, so there is never
//! more than one of a kind for a document; one that nobody waits for any more ([`Running`] is dropped) is cancelled,
//! too, and its answer ignored. What the user cancels stays undone until the document changes or they ask again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use super::{
    App, Document,
    compare::Compared,
    document::{DocumentId, Window},
    files::Page,
    mails::{
        self, Pane, PictureKey,
        lab::{self, Lab},
        pictures::{Drawn, PictureJob},
        send::TestJob,
    },
    matrix::sheet::{self, Sheet},
    preview::{self, PreviewKey},
    project::Home,
    stage,
    what_if::{self, Change, WhatIf},
};
use crate::{
    base::{ContactId, Instant, NodeId},
    flow::{Finding, Flow, check},
    journey::FlowSet,
    platforms,
    simulate::{self, Options, Report},
};

/// A job shorter than this is in no tray, in milliseconds. Source: assumption, what people take for at once.
const SHOWN_AFTER_MILLIS: i64 = 400;
/// The tray is drawn this often while it shows something, in milliseconds.
const REDRAW_MILLIS: i64 = 100;
/// Flows of so many steps are checked in no time; their checks are not cancelled, so that findings follow a drag.
const QUICK_TO_CHECK: usize = 400;

/// How far a job is, and whether it is to stop. Shared by whoever asked and whoever works.
#[derive(Debug, Default)]
pub struct Progress {
    /// Thousandths done, and one; 0 where it is not known.
    done: AtomicU32,
    is_cancelled: AtomicBool,
}

impl Progress {
    /// Says how much is done, 0..=1; whether to go on.
    pub fn keeps_on(&self, share: f32) -> bool {
        self.done.store(1 + (share.clamp(0.0, 1.0) * 1_000.0) as u32, Ordering::Relaxed);
        !self.is_cancelled()
    }

    /// How much is done, 0..=1; `None` where that is not known.
    pub fn share(&self) -> Option<f32> {
        let done = self.done.load(Ordering::Relaxed);
        done.checked_sub(1).map(|done| done as f32 / 1_000.0)
    }

    /// The flag by which it is asked to stop, for work that looks by itself.
    pub fn stop(&self) -> &AtomicBool {
        &self.is_cancelled
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

/// Sorts of jobs; of each one at most is under way for a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Running the checks.
    Check,
    /// Replaying the audience.
    Replay,
    /// Replaying one contact twice.
    WhatIf,
    /// Looking for another mail.
    Seek,
    /// Rendering a mail.
    Preview,
    /// Rendering the one beside it.
    OtherPreview,
    /// Drawing a mail.
    Picture,
    /// Every message for every contact.
    Matrix,
    /// The subjects of a message for every contact.
    Lab,
    /// Looking at an account, or setting a flow up in it.
    Push,
    /// Making an export.
    Export,
    /// Making a file for a client.
    Client,
    /// Sending a mail to the user.
    SendTest,
    /// Finding what differs between two versions.
    Compare,
}

impl Kind {
    /// What the tray calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Check => "Checking the flow",
            Self::Replay => "Replaying the audience",
            Self::WhatIf => "Replaying one contact",
            Self::Seek => "Comparing mails",
            Self::Preview | Self::OtherPreview => "Rendering the mail",
            Self::Picture => "Drawing the mail",
            Self::Matrix => "Making every mail",
            Self::Lab => "Comparing subjects",
            Self::Push => "Talking to the account",
            Self::Export => "Making the export",
            Self::Client => "Making the file for the client",
            Self::SendTest => "Sending a test mail",
            Self::Compare => "Comparing two versions",
        }
    }
}

/// A job that somebody waits for.
#[derive(Debug)]
pub struct Running {
    /// Names it among those of its document.
    pub id: u64,
    /// What sort of job.
    pub kind: Kind,
    /// Of which revision.
    pub revision: u64,
    /// When it began.
    pub since: Instant,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// The user cancelled it.
    pub is_given_up: bool,
    /// The span of a replay; whose mail is compared.
    pub(super) window: Window,
    pub(super) from: Option<ContactId>,
    /// Whose subjects are compared.
    pub(super) node: Option<NodeId>,
    /// The mail of a preview.
    pub(super) key: Option<PreviewKey>,
}

impl Running {
    pub(super) fn new(id: u64, kind: Kind, revision: u64, since: Instant) -> Self {
        let progress = Arc::default();
        let (from, node, key) = (None, None, None);
        Self { id, kind, revision, since, progress, is_given_up: false, window: (None, None), from, node, key }
    }

    /// The user does not want it.
    pub(super) fn give_up(&mut self) {
        self.is_given_up = true;
        self.progress.cancel();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// What the user cancelled and has not asked for again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenUp {
    /// What sort of job.
    pub kind: Kind,
    /// Of which revision.
    pub revision: u64,
    /// The tray shows it no more.
    pub is_hidden: bool,
    /// The mail, if it was to be rendered.
    pub(super) key: Option<PreviewKey>,
}

/// Work with who asked for it.
#[derive(Debug)]
pub struct Job {
    /// For which document.
    pub document: DocumentId,
    /// Names it among those of its document.
    pub id: u64,
    /// Of which revision.
    pub revision: u64,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// What to do.
    pub work: Work,
}

/// What came of a job.
#[derive(Debug)]
pub struct Done {
    /// For which document.
    pub document: DocumentId,
    /// The job's name.
    pub id: u64,
    /// Of which revision.
    pub revision: u64,
    /// The outcome; `None` where it was cancelled.
    pub result: Option<JobDone>,
}

/// Work that would hold up a frame.
#[derive(Debug)]
pub enum Work {
    /// Run the checks.
    Check {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
    },
    /// Replay the audience.
    Replay {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// From and until.
        window: Window,
    },
    /// Replay one contact without and with changes.
    WhatIf {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// Who.
        contact: ContactId,
        /// What is otherwise.
        changes: Vec<Change>,
    },
    /// Look for the next contact who gets another mail.
    Seek {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// When the mails leave.
        report: Option<Arc<Report>>,
        /// Which step's mail.
        node: NodeId,
        /// Other than theirs, and after them.
        from: ContactId,
    },
    /// Render a mail.
    Preview {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// Which mail, for whom.
        key: PreviewKey,
        /// Where it is shown.
        pane: Pane,
    },
    /// Make every message for every contact.
    Matrix {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
    },
    /// Make the subjects of a message for every contact.
    Lab {
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// The step that sends it.
        node: NodeId,
    },
    /// Draw a mail; by [`Hands::draw`], because it needs images.
    Picture(Box<PictureJob>),
    /// Find what differs between an earlier version and a later one.
    Compare([Arc<Flow>; 2]),
    /// Send a mail to the user; by [`Hands::send`], because it needs a network.
    SendTest(Box<TestJob>),
}

/// A mail, or why there is none.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// What was asked.
    pub key: PreviewKey,
    /// The mail.
    pub result: Result<Arc<stage::Made>, String>,
}

/// The outcome of a job that was not cancelled.
#[derive(Debug)]
pub enum JobDone {
    /// Findings, worst first.
    Checked(Arc<Vec<Finding>>),
    /// A replay.
    Replayed {
        /// From and until.
        window: Window,
        /// What happened.
        report: Arc<Report>,
    },
    /// Both ways of a contact, or why there are none.
    WhatIf(Result<Arc<WhatIf>, String>),
    /// Somebody who gets another mail.
    Sought {
        /// Other than theirs.
        from: ContactId,
        /// Who, and what differs.
        result: Result<Option<(ContactId, String)>, String>,
    },
    /// A mail.
    Previewed(Previewed, Pane),
    /// Every message for every contact.
    Matrix(Arc<Sheet>),
    /// The subjects of a step's message, or why there are none.
    Lab(NodeId, Result<Arc<Lab>, String>),
    /// A picture of a mail.
    Pictured {
        /// What was wanted.
        key: PictureKey,
        /// The picture, or why there is none.
        drawn: Drawn,
    },
    /// What differs between two versions.
    Compared(Arc<Compared>),
    /// A test was sent: what was done, or why not and what to do.
    Tested(Result<String, String>),
}

/// What some jobs need and nothing in this room has: images, a network.
pub trait Hands {
    /// Draws a mail.
    fn draw(&self, job: &PictureJob) -> Drawn;
    /// Sends a mail.
    fn send(&self, job: &TestJob) -> Result<String, String>;
}

/// No images and no network: for tests, and for windows that are pictures.
pub struct NoHands;

impl Hands for NoHands {
    fn draw(&self, job: &PictureJob) -> Drawn {
        job.draw_without_images()
    }

    fn send(&self, _job: &TestJob) -> Result<String, String> {
        Err("This window sends nothing".to_owned())
    }
}

impl Work {
    /// What sort of job it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Check { .. } => Kind::Check,
            Self::Replay { .. } => Kind::Replay,
            Self::Preview { pane: Pane::First, .. } => Kind::Preview,
            Self::Preview { pane: Pane::Other, .. } => Kind::OtherPreview,
            Self::Picture(_) => Kind::Picture,
            Self::WhatIf { .. } => Kind::WhatIf,
            Self::Seek { .. } => Kind::Seek,
            Self::Matrix { .. } => Kind::Matrix,
            Self::Lab { .. } => Kind::Lab,
            Self::SendTest(_) => Kind::SendTest,
            Self::Compare(_) => Kind::Compare,
        }
    }

    fn run(self, keeps_on: &mut dyn FnMut(f32) -> bool) -> Option<JobDone> {
        Some(match self {
            Self::Check { flow, home } => JobDone::Checked(Arc::new(findings(&flow, &home, keeps_on)?)),
            Self::Replay { flow, home, window } => {
                let flows = FlowSet::new(&home.workspace, std::slice::from_ref(&*flow));
                let options = Options { from: window.0, until: window.1, ..Options::default() };
                let report = simulate::replay_while(&flows, &home.audience, &options, keeps_on)?;
                JobDone::Replayed { window, report: Arc::new(report) }
            }
            Self::WhatIf { flow, home, contact, changes } => {
                JobDone::WhatIf(what_if::what_if(&flow, &home, &contact, &changes, keeps_on))
            }
            Self::Seek { flow, home, report, node, from } => {
                let result = preview::next_differing(&flow, &home, report.as_deref(), &node, &from, keeps_on);
                JobDone::Sought { from, result }
            }
            Self::Preview { flow, home, key, pane } => {
                let result = stage::preview(&flow, &home, &key).map(Arc::new);
                JobDone::Previewed(Previewed { key, result }, pane)
            }
            Self::Matrix { flow, home } => JobDone::Matrix(Arc::new(sheet::make(&flow, &home, keeps_on)?)),
            Self::Lab { flow, home, node } => match lab::lab(&flow, &home, &node, keeps_on) {
                Ok(made) => JobDone::Lab(node, Ok(Arc::new(made?))),
                Err(why) => JobDone::Lab(node, Err(why)),
            },
            Self::Compare([before, after]) => JobDone::Compared(Arc::new(Compared::new([&before, &after], keeps_on)?)),
            // Somebody's hands have done them.
            Self::Picture(_) | Self::SendTest(_) => return None,
        })
    }
}

impl Job {
    /// What its thread is called.
    pub fn title(&self) -> &'static str {
        self.work.kind().title()
    }

    /// Does it, on the calling thread; without images and a network.
    pub fn run(self) -> Done {
        self.run_with(&NoHands)
    }

    /// Does it, on the calling thread, with what the caller has.
    pub fn run_with(self, hands: &dyn Hands) -> Done {
        let Self { document, id, revision, progress, work } = self;
        let result = match work {
            _ if progress.is_cancelled() => None,
            Work::Picture(job) => Some(JobDone::Pictured { key: job.key, drawn: hands.draw(&job) }),
            // What has left is told even where it was cancelled meanwhile.
            Work::SendTest(job) => {
                let result = Some(JobDone::Tested(hands.send(&job)));
                return Done { document, id, revision, result };
            }
            work => work.run(&mut |share| progress.keeps_on(share)),
        };
        // What stopped half-way has a result, too, and it is none.
        Done { document, id, revision, result: result.filter(|_| !progress.is_cancelled()) }
    }
}

/// What the checks find, and what the target that the flow is going to cannot do; worst first.
fn findings(flow: &Flow, home: &Home, keeps_on: &mut dyn FnMut(f32) -> bool) -> Option<Vec<Finding>> {
    let mut found = check::check_while(flow, &home.around(), keeps_on)?;
    if let Some(target) = flow.settings().target {
        // What keeps a flow from being exported at all is found by the checks too, under their own names.
        let losses = platforms::losses(target, flow, &home.workspace, home.around().audience).into_iter();
        found.extend(losses.filter(|loss| !loss.code.starts_with("export/")).map(Finding::from));
        found.sort_by_key(|finding| finding.diagnostic.severity);
    }
    Some(found)
}

impl Document {
    /// Cancels what is under way and would be old when it is done.
    pub(super) fn cancel_superseded(&mut self) {
        let revision = self.history.revision();
        let is_quick = self.flow().nodes.len() <= QUICK_TO_CHECK;
        let changes = (!self.view.changes.is_empty()).then_some(&self.view.changes);
        let of = self.view.contact.clone().zip(changes.cloned());
        for running in &self.derived.jobs {
            let is_old = running.revision != revision;
            let is_superseded = match running.kind {
                Kind::Check => is_old && !is_quick,
                Kind::Replay => is_old || running.window != self.view.window,
                Kind::WhatIf => is_old || self.derived.what_if_of != of,
                Kind::Seek => running.from != self.view.contact,
                Kind::Matrix => is_old || !sheet::is_shown(self),
                Kind::Lab => is_old || mails::lab_node(self) != running.node,
                // A moment's work, and better an old mail than none.
                Kind::Preview | Kind::OtherPreview | Kind::Export | Kind::Client => false,
                // A layout cannot be interrupted; what is drawn is kept for the next look.
                Kind::Picture => false,
                // It is the mail that was shown when it was asked for.
                Kind::SendTest => false,
                // Its page says when nobody waits for it.
                Kind::Compare => false,
                // What is being set up in an account is what was confirmed.
                Kind::Push => false,
            };
            if is_superseded {
                running.progress.cancel();
            }
        }
    }

    pub(super) fn is_under_way(&self, kind: Kind) -> bool {
        self.derived.jobs.iter().any(|running| running.kind == kind)
    }

    /// Whether the user cancelled that for the document as it is, and has not asked for it again.
    pub fn has_given_up(&self, kind: Kind) -> bool {
        self.is_given_up(kind)
    }

    /// Whether the user cancelled that for the document as it is.
    pub(super) fn is_given_up(&self, kind: Kind) -> bool {
        let revision = self.history.revision();
        let mut given_up = self.derived.given_up.iter().filter(|given_up| given_up.revision == revision);
        given_up
            .any(|given_up| given_up.kind == kind && given_up.key.as_ref().is_none_or(|key| *key == self.preview_key()))
    }

    /// Notes that a job begins.
    pub(super) fn begin(&mut self, work: Work, now: Instant) -> Job {
        self.num_jobs += 1;
        let (id, revision) = (self.num_jobs, self.history.revision());
        let mut running = Running::new(id, work.kind(), revision, now);
        match &work {
            Work::Replay { window, .. } => running.window = *window,
            Work::Seek { from, .. } => running.from = Some(from.clone()),
            Work::Lab { node, .. } => running.node = Some(node.clone()),
            Work::Preview { key, .. } => running.key = Some(key.clone()),
            _ => {}
        }
        let progress = Arc::clone(&running.progress);
        self.derived.jobs.push(running);
        Job { document: self.id, id, revision, progress, work }
    }
}

/// Long work as the tray shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct TrayRow {
    /// Of which document.
    pub document: DocumentId,
    /// What.
    pub kind: Kind,
    /// "Replaying the audience", with the flow's name where several are open.
    pub title: String,
    /// How much is done, 0..=1; `None` where that is not known.
    pub share: Option<f32>,
    /// It was cancelled, and can be asked for again.
    pub is_cancelled: bool,
}

fn all_running(app: &App) -> impl Iterator<Item = (DocumentId, &Running)> {
    let of_documents =
        app.documents.iter().flat_map(|document| document.derived.jobs.iter().map(|running| (document.id, running)));
    let export = app.files.publish.iter().filter_map(|publish| Some((publish.document, publish.running()?)));
    let client = app.files.publish.iter().filter_map(|publish| Some((publish.document, publish.running_for_client()?)));
    let all = of_documents.chain(export).chain(client);
    #[cfg(feature = "push")]
    let all = all.chain(app.files.push.iter().filter_map(|push| Some((push.document, push.running()?))));
    all
}

/// What takes long now, and what was cancelled.
pub fn tray(app: &App, now: Instant) -> Vec<TrayRow> {
    let row = |document: DocumentId, kind: Kind, share, is_cancelled| {
        let of = app.documents.iter().find(|open| open.id == document).filter(|_| app.documents.len() > 1);
        let title = of.map_or_else(|| kind.title().to_owned(), |of| format!("{}: {}", kind.title(), of.title()));
        TrayRow { document, kind, title, share, is_cancelled }
    };
    let is_long = |running: &Running| now.since(running.since) >= SHOWN_AFTER_MILLIS && !running.is_given_up;
    let mut out: Vec<TrayRow> = all_running(app)
        .filter(|(_, running)| is_long(running))
        .map(|(document, running)| row(document, running.kind, running.progress.share(), false))
        .collect();
    for document in &app.documents {
        let given_up = document.derived.given_up.iter();
        let shown = given_up.filter(|given_up| !given_up.is_hidden && document.is_given_up(given_up.kind));
        out.extend(shown.map(|given_up| row(document.id, given_up.kind, None, true)));
    }
    if let Some(publish) = app.files.publish.as_ref().filter(|publish| publish.is_given_up()) {
        out.push(row(publish.document, Kind::Export, None, true));
    }
    out
}

/// In how many milliseconds the tray is to be drawn again; `None` where nothing is under way.
pub fn redraw_in_millis(app: &App, now: Instant) -> Option<i64> {
    let wait = |running: &Running| (SHOWN_AFTER_MILLIS - now.since(running.since)).max(REDRAW_MILLIS);
    all_running(app).map(|(_, running)| wait(running)).min()
}

/// The user does not want a job.
pub(super) fn cancel(app: &mut App, document: DocumentId, kind: Kind) {
    if kind == Kind::Export {
        return super::files::publish::give_up(app);
    }
    if kind == Kind::Client {
        return super::files::publish::give_up_client(app);
    }
    #[cfg(feature = "push")]
    if kind == Kind::Push {
        return super::files::push::give_up(app);
    }
    if let Some(document) = app.by_id(document) {
        document.derived.jobs.iter_mut().filter(|running| running.kind == kind).for_each(Running::give_up);
    }
}

/// The user wants what they cancelled after all.
pub(super) fn run_again(app: &mut App, id: DocumentId, kind: Kind) {
    if kind == Kind::Export {
        return super::files::publish::run_again(app);
    }
    if let Some(document) = app.by_id(id) {
        document.derived.given_up.retain(|given_up| given_up.kind != kind);
        document.derived.seek_wanted |= kind == Kind::Seek;
    }
    if kind == Kind::Compare && app.files.compare.as_ref().is_some_and(|compare| compare.document == id) {
        app.files.page = Some(Page::Compare);
    }
}

/// The tray is not to show what was cancelled.
pub(super) fn hide(app: &mut App, document: DocumentId, kind: Kind) {
    if kind == Kind::Export {
        return super::files::publish::hide(app);
    }
    if let Some(document) = app.by_id(document) {
        let given_up = document.derived.given_up.iter_mut();
        given_up.filter(|given_up| given_up.kind == kind).for_each(|given_up| given_up.is_hidden = true);
    }
}

#[cfg(test)]
mod tests;
