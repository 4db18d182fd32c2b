//! Long work as values: what is asked, and what came of it. Whoever runs a job owns the thread.

use std::sync::Arc;

use super::{
    document::{DocumentId, Window},
    mails::{
        Pane, PictureKey,
        pictures::{Drawn, PictureJob},
    },
    preview::{self, PreviewKey},
    project::Home,
    stage,
    what_if::{self, Change, WhatIf},
};
use crate::{
    base::{ContactId, NodeId},
    flow::{Finding, Flow, check},
    journey::FlowSet,
    platforms,
    simulate::{self, Options, Report},
};

/// Work that would hold up a frame.
#[derive(Debug)]
pub enum Job {
    /// Run the checks.
    Check {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
    },
    /// Replay the audience.
    Replay {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// From and until.
        window: Window,
    },
    /// Replay one contact without and with changes.
    WhatIf {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
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
        /// For which document.
        document: DocumentId,
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
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The flow.
        flow: Box<Flow>,
        /// Its surroundings.
        home: Arc<Home>,
        /// Which mail, for whom.
        key: PreviewKey,
        /// Where it is shown.
        pane: Pane,
    },
    /// Draw a mail; by [`PictureJob::draw`], because it needs images.
    Picture(Box<PictureJob>),
}

/// A mail, or why there is none.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// What was asked.
    pub key: PreviewKey,
    /// The mail.
    pub result: Result<Arc<stage::Made>, String>,
}

/// What came of a job.
#[derive(Debug)]
pub enum JobDone {
    /// Findings.
    Checked {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The findings, worst first.
        findings: Arc<Vec<Finding>>,
    },
    /// A replay.
    Replayed {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// From and until.
        window: Window,
        /// What happened.
        report: Arc<Report>,
    },
    /// Both ways of a contact.
    WhatIf {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The ways, or why there are none.
        result: Result<Arc<WhatIf>, String>,
    },
    /// Somebody who gets another mail.
    Sought {
        /// For which document.
        document: DocumentId,
        /// Other than theirs.
        from: ContactId,
        /// Who, and what differs.
        result: Result<Option<(ContactId, String)>, String>,
    },
    /// A mail.
    Previewed {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The mail.
        previewed: Previewed,
        /// Where it is shown.
        pane: Pane,
    },
    /// A picture of a mail.
    Pictured {
        /// For which document.
        document: DocumentId,
        /// What was wanted.
        key: PictureKey,
        /// The picture, or why there is none.
        drawn: Drawn,
    },
}

impl Job {
    /// What the tray calls it.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Check { .. } => "Checking",
            Self::Replay { .. } => "Replaying the audience",
            Self::Preview { .. } => "Rendering the mail",
            Self::Picture(_) => "Drawing the mail",
            Self::WhatIf { .. } => "Replaying one contact",
            Self::Seek { .. } => "Comparing mails",
        }
    }

    /// Does it, on the calling thread.
    pub fn run(self) -> JobDone {
        match self {
            Self::Check { document, revision, flow, home } => {
                JobDone::Checked { document, revision, findings: Arc::new(findings(&flow, &home)) }
            }
            Self::Replay { document, revision, flow, home, window } => {
                let flows = FlowSet::new(&home.workspace, std::slice::from_ref(&*flow));
                let options = Options { from: window.0, until: window.1, ..Options::default() };
                let report = simulate::replay(&flows, &home.audience, &options);
                JobDone::Replayed { document, revision, window, report: Arc::new(report) }
            }
            Self::WhatIf { document, revision, flow, home, contact, changes } => {
                JobDone::WhatIf { document, revision, result: what_if::what_if(&flow, &home, &contact, &changes) }
            }
            Self::Seek { document, flow, home, report, node, from } => {
                let result = preview::next_differing(&flow, &home, report.as_deref(), &node, &from);
                JobDone::Sought { document, from, result }
            }
            Self::Preview { document, revision, flow, home, key, pane } => {
                let result = stage::preview(&flow, &home, &key).map(Arc::new);
                JobDone::Previewed { document, revision, previewed: Previewed { key, result }, pane }
            }
            #[cfg(feature = "picture")]
            Self::Picture(job) => job.done(&crate::content::picture::NoImages),
            #[cfg(not(feature = "picture"))]
            Self::Picture(job) => job.undone(),
        }
    }
}

/// What the checks find, and what the target that the flow is going to cannot do; worst first.
fn findings(flow: &Flow, home: &Home) -> Vec<Finding> {
    let mut found = check::check(flow, &home.around());
    if let Some(target) = flow.settings().target {
        // What keeps a flow from being exported at all is found by the checks too, under their own names.
        let losses = platforms::losses(target, flow, &home.workspace).into_iter();
        found.extend(losses.filter(|loss| !loss.code.starts_with("export/")).map(Finding::from));
        found.sort_by_key(|finding| finding.diagnostic.severity);
    }
    found
}
