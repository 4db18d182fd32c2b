//! Long work as values: what is asked, and what came of it. Whoever runs a job owns the thread.

use std::sync::Arc;

use super::{
    document::{DocumentId, PreviewKey},
    project::Home,
    stage,
};
use crate::{
    flow::{Finding, Flow, check},
    journey::FlowSet,
    simulate::{self, Report},
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
    },
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
        /// What happened.
        report: Arc<Report>,
    },
    /// A mail.
    Previewed {
        /// For which document.
        document: DocumentId,
        /// Of which revision.
        revision: u64,
        /// The mail.
        previewed: Previewed,
    },
}

impl Job {
    /// What the tray calls it.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Check { .. } => "Checking",
            Self::Replay { .. } => "Replaying the audience",
            Self::Preview { .. } => "Rendering the mail",
        }
    }

    /// Does it, on the calling thread.
    pub fn run(self) -> JobDone {
        match self {
            Self::Check { document, revision, flow, home } => {
                JobDone::Checked { document, revision, findings: Arc::new(check::check(&flow, &home.around())) }
            }
            Self::Replay { document, revision, flow, home } => {
                let flows = FlowSet::new(&home.workspace, std::slice::from_ref(&*flow));
                let report = simulate::replay(&flows, &home.audience, &simulate::Options::default());
                JobDone::Replayed { document, revision, report: Arc::new(report) }
            }
            Self::Preview { document, revision, flow, home, key } => {
                let result = stage::preview(&flow, &home, &key).map(Arc::new);
                JobDone::Previewed { document, revision, previewed: Previewed { key, result } }
            }
        }
    }
}
