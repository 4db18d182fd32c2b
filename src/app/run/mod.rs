//! The engine as the studio sees it: whether one runs for the workspace, who stands where, what is asked of it.
//!
//! The one idea: an engine is a folder. The studio looks at one folder at a time (that of the shown flow), and what it
//! shows is what that folder's engine, or its file, said last; whether the studio or a terminal started the engine
//! makes no difference. What changes anything waits as a [`Question`] until it is confirmed. Deliberately not here:
//! processes, sockets, files (`gui/requests/run`), passwords (the engine takes them from its environment).

mod acts;
pub mod mail;
pub mod options;
#[cfg(test)]
mod tests;
pub mod words;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    sync::Arc,
};

pub use self::acts::{Act, apply, quits, settle, take};
use self::{mail::SentMail, options::Options};
use super::{App, Command, Document, DocumentId, pages::PageKind};
use crate::{
    base::{ContactId, FlowId, JourneyId, NodeId, Severity},
    engine::{
        status::{ContactView, FlowStatus, Found, HeldRow, Status},
        work::{Done, Order, Refusal},
    },
    flow::Target,
    platforms::only_elsewhere,
};

/// The engine's folder in the workspace's. It keeps itself out of git by a `.gitignore` of its own.
pub const FOLDER: &str = ".flowloom-engine";
/// Where an engine listens where nothing else is said. Source: `flowloom run`.
pub const LISTEN: &str = "127.0.0.1:7171";
/// Held rows that are shown. Source: assumption, more than anybody works through by hand.
pub const MOST_HELD: usize = 200;
/// Contacts that a search shows.
pub const MOST_FOUND: usize = 50;
/// Lines of the log that are kept, the newest.
pub const MOST_LINES: usize = 500;
/// Fastest time. Source: `flowloom run`.
const MOST_TIME_SCALE: f64 = 1_000_000.0;

/// How an engine is started; as typed.
#[derive(Clone, PartialEq, Debug)]
pub struct Form {
    /// Its folder.
    pub data: String,
    /// All flows of the workspace, not only the shown one.
    pub all_flows: bool,
    /// How mails leave: empty for a folder among the engine's data, the path of another, or `smtp://…`.
    pub mail: String,
    /// What the links of mails begin with, where people get them: `https://mail.shop.example`.
    pub public: String,
    /// Address and port for events.
    pub listen: String,
    /// How many times as fast time passes.
    pub time_scale: String,
    /// What else it is started with.
    pub options: Options,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            data: String::new(),
            all_flows: false,
            mail: String::new(),
            public: String::new(),
            listen: LISTEN.to_owned(),
            time_scale: "1".to_owned(),
            options: Options::default(),
        }
    }
}

/// What is started.
#[derive(Clone, PartialEq, Debug)]
pub struct StartJob {
    /// Its folder.
    pub data: PathBuf,
    /// Flow files, or the workspace's folder.
    pub flow: PathBuf,
    /// How mails leave, where not into the folder's own.
    pub mail: Option<String>,
    /// What the links of mails begin with.
    pub public: Option<String>,
    /// Address and port.
    pub listen: String,
    /// How many times as fast time passes.
    pub time_scale: f64,
    /// What else it is started with.
    pub options: Options,
}

/// Whether an engine runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// None runs.
    Resting,
    /// It was started, and does not answer yet.
    Starting,
    /// It answers.
    Running,
    /// It was told to stop, and finishes what is on its way.
    Stopping,
}

/// Something that went wrong, with a way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What.
    pub error: String,
    /// What to do.
    pub hint: String,
    /// The flow has errors: its problems are the way out.
    pub is_of_flow: bool,
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self { error: refusal.error, hint: refusal.hint, is_of_flow: false }
    }
}

/// What of the engine the page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Part {
    /// Flow, steps, numbers.
    #[default]
    Overview,
    /// Contacts.
    People,
    /// What waits for somebody.
    Held,
    /// What the engine says.
    Log,
}

/// A mail as it was sent, or why it cannot be shown.
pub type Opened = Result<Arc<SentMail>, String>;

/// Contacts that are looked at.
#[derive(Debug, Default)]
pub struct People {
    /// What is searched for.
    pub typed: String,
    /// Who was found; `None` until somebody looked.
    pub found: Option<Result<Vec<Found>, Refusal>>,
    /// Who is looked at.
    pub chosen: Option<ContactId>,
    /// What is known of them.
    pub view: Option<Result<Box<ContactView>, Refusal>>,
    /// The mail of theirs that is looked at: its key, and it.
    pub mail: Option<(String, Option<Opened>)>,
}

/// Where journeys of older versions would go: from which step, to which (`None`: they end), how many.
pub type Plan = Vec<(NodeId, Option<NodeId>, u64)>;

/// Something that is done only when it is confirmed.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    /// Make the flow on the screen the live version.
    Publish,
    /// Hold its messages.
    Pause {
        /// Let waits stand still, too.
        freeze: bool,
    },
    /// Let it go on; what is held of it is shown first (SEMANTICS R30).
    Resume {
        /// What is held; `None` until it is known.
        held: Option<Result<Vec<HeldRow>, Refusal>>,
    },
    /// Let nobody in any more.
    Drain,
    /// Move journeys to the live version.
    Migrate {
        /// From a step that is gone to one that is there.
        mapping: BTreeMap<NodeId, NodeId>,
        /// What would happen; `None` until it is known.
        plan: Option<Result<Plan, Refusal>>,
    },
    /// Put a journey at another step.
    Move {
        /// Whose.
        contact: ContactId,
        /// Which.
        journey: JourneyId,
        /// Where to.
        to: Option<NodeId>,
    },
    /// End a journey.
    End {
        /// Whose.
        contact: ContactId,
        /// Which.
        journey: JourneyId,
    },
    /// Send a mail again of which nobody knows whether it arrived.
    Resend {
        /// Whose.
        contact: ContactId,
        /// Its send key.
        key: String,
    },
    /// Take a mail as sent of which nobody knew whether it arrived.
    MarkSent {
        /// Whose.
        contact: ContactId,
        /// Its send key.
        key: String,
    },
    /// Forget somebody.
    Forget {
        /// Whom.
        contact: ContactId,
    },
    /// Stop the engine.
    Stop,
}

/// What is asked of the machine.
#[derive(Debug)]
pub enum Task {
    /// Look at this folder once a second, and at no other; at none.
    Watch(Option<PathBuf>),
    /// Start an engine.
    Start(StartJob),
    /// End the engine of a folder, and let it finish what is on its way.
    Stop(PathBuf),
    /// Ask the engine of the folder that is looked at.
    Ask {
        /// Of which folder.
        data: PathBuf,
        /// Tells it from those before.
        id: u64,
        /// What.
        ask: Ask,
    },
}

/// What is asked of an engine.
#[derive(Clone, Debug)]
pub enum Ask {
    /// An order.
    Order(Box<Order>),
    /// Contacts whose id or address begins with this.
    Search(String),
    /// A contact.
    Contact(ContactId),
    /// A mail as it was sent, by its key.
    Mail(String),
    /// What waits for somebody.
    Held,
    /// What of a flow waits for somebody.
    HeldOf(FlowId),
    /// Where journeys of older versions would go.
    Plan {
        /// Of which flow.
        flow: FlowId,
        /// From old step to new step.
        mapping: Vec<(NodeId, NodeId)>,
    },
}

/// What an engine answers.
#[derive(Debug)]
pub enum Answered {
    /// To an order.
    Order(Done),
    /// To a search.
    Search(Result<Vec<Found>, Refusal>),
    /// A contact; `None` where there is none of that id.
    Contact(Result<Option<Box<ContactView>>, Refusal>),
    /// A mail; `None` where it is not kept.
    Mail(String, Result<Option<Vec<u8>>, Refusal>),
    /// What waits for somebody.
    Held(Result<Vec<HeldRow>, Refusal>),
    /// What of a flow waits for somebody.
    HeldOf(FlowId, Result<Vec<HeldRow>, Refusal>),
    /// Where journeys would go.
    Plan(Result<Plan, Refusal>),
}

/// What the machine tells.
#[derive(Debug)]
pub enum Told {
    /// The engine of a folder answers.
    Running {
        /// The folder.
        data: PathBuf,
        /// Where it listens.
        address: String,
        /// Whether it says which process it is, so that it can be stopped from here.
        has_process: bool,
        /// What it says of itself.
        status: Box<Status>,
    },
    /// None runs in a folder.
    Resting {
        /// The folder.
        data: PathBuf,
        /// What its file says, where there is one.
        status: Option<Box<Status>>,
    },
    /// What it said.
    Log {
        /// The folder.
        data: PathBuf,
        /// Whole lines.
        lines: Vec<String>,
    },
    /// It could not be started.
    NotStarted {
        /// The folder.
        data: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// An engine that was started here has ended; `fault` where nobody asked it to.
    Ended {
        /// The folder.
        data: PathBuf,
        /// What it said last.
        fault: Option<String>,
    },
    /// It could not be stopped.
    NotStopped {
        /// The folder.
        data: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// An answer to [`Task::Ask`].
    Answered {
        /// The folder.
        data: PathBuf,
        /// Tells it from those before.
        id: u64,
        /// The answer.
        answer: Answered,
    },
}

/// The state of the engine that is looked at.
#[derive(Debug, Default)]
pub struct Run {
    /// How one is started.
    pub form: Form,
    /// Whether one runs.
    pub standing: Standing,
    /// Where it listens.
    pub address: String,
    /// Whether it can be stopped from here.
    pub can_stop: bool,
    /// What it said last; where none runs, what its file says.
    pub status: Option<Arc<Status>>,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// What it said, oldest first.
    pub log: VecDeque<String>,
    /// What the page shows.
    pub part: Part,
    /// Contacts that are looked at.
    pub people: People,
    /// What waits for somebody; `None` until somebody looked.
    pub held: Option<Result<Vec<HeldRow>, Refusal>>,
    /// What waits to be confirmed.
    pub question: Option<Question>,
    /// An order is on its way.
    pub is_ordering: bool,
    /// What the last order came to.
    pub said: Option<String>,
    /// The data folder that belongs to the shown flow, which the form begins with.
    base: Option<PathBuf>,
    /// The folder that is looked at.
    watched: Option<PathBuf>,
    /// Folders whose engine was started here and has not ended.
    started: BTreeSet<PathBuf>,
    /// The window closes once these have ended.
    closing: bool,
    /// Version of the flow on the screen: of which document, revision and surroundings.
    own: Option<(DocumentId, u64, std::sync::Weak<super::Home>, String)>,
    num_asked: u64,
    /// Numbers of the last search and of the last plan: older answers come too late.
    search_id: u64,
    plan_id: u64,
    /// Held rows, or a contact, have been asked for and not come.
    asks_held: bool,
    asks_contact: bool,
}

/// Why the engine cannot do anything for a flow now, in words for a tooltip.
///
/// Errors: what is missing.
pub fn can_start(document: &Document) -> Result<(), &'static str> {
    if document.path.is_none() {
        return Err("Save the flow first: the engine reads it from its file");
    }
    if document.is_unsaved() {
        return Err("Save the changes first: the engine reads the flow from its file");
    }
    Ok(())
}

/// How many errors the checks found in the flow as it is; `None` while they are at work.
pub fn errors(document: &Document) -> Option<usize> {
    let found = document.derived.findings.as_ref().filter(|found| found.revision == document.history.revision())?;
    let by_checks = found.value.iter().filter(|finding| finding.diagnostic.severity == Severity::Error).count();
    Some(by_checks + only_elsewhere(document.flow(), Target::Engine).len())
}

/// The folder of an engine for a flow: beside its workspace file, or beside the flow. `None` for one without a file.
pub fn folder_of(document: &Document) -> Option<PathBuf> {
    let path = document.path.as_ref()?;
    let folder = document.home.folder.clone().or_else(|| path.parent().map(PathBuf::from))?;
    Some(folder.join(FOLDER))
}

impl Run {
    /// The folder that is named in the form.
    pub fn data(&self) -> Option<PathBuf> {
        let named = self.form.data.trim();
        (!named.is_empty()).then(|| PathBuf::from(named))
    }

    /// Whether an engine runs that was started from this window.
    pub fn has_started(&self) -> bool {
        !self.started.is_empty()
    }

    /// What is known of a flow.
    pub fn flow(&self, document: &Document) -> Option<&FlowStatus> {
        if self.base.is_none() || self.base != folder_of(document) {
            return None;
        }
        self.status.as_ref()?.flows.iter().find(|flow| flow.id == document.flow().id.as_str())
    }

    /// Whether the version that runs is another than the one on the screen; `None` where that is not known.
    pub fn differs(&self, document: &Document) -> Option<bool> {
        let flow = self.flow(document)?;
        let (id, revision, _, version) = self.own.as_ref()?;
        (*id == document.id && *revision == document.history.revision()).then(|| flow.version != *version)
    }

    /// The mail that is looked at.
    pub fn shown_mail(&self) -> Option<&Arc<SentMail>> {
        self.people.mail.as_ref()?.1.as_ref()?.as_ref().ok()
    }
}

/// What is painted over the canvas.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// The flow as it runs; `None` where the engine does not run it.
    pub flow: Option<&'a FlowStatus>,
    /// The version on the screen is another.
    pub differs: bool,
}

/// What the canvas shows of a running engine; `None` where none runs, or nobody wants to see it.
pub fn live<'a>(app: &'a App, document: &Document) -> Option<Live<'a>> {
    let run = &app.run;
    let shows = document.view.overlays.live && run.standing == Standing::Running;
    if !shows || run.base.is_none() || run.base != folder_of(document) {
        return None;
    }
    Some(Live { flow: run.flow(document), differs: run.differs(document) == Some(true) })
}

/// Whether a document shows anything of an engine. On the canvas that is known only once somebody has looked: one that
/// rests is not looked at any more.
fn is_shown(document: &Document, standing: Standing) -> bool {
    match document.view.page {
        Some(page) => page == PageKind::Run,
        None => document.view.overlays.live && standing != Standing::Resting,
    }
}

impl From<Act> for Command {
    fn from(act: Act) -> Self {
        Self::Engine(act)
    }
}
