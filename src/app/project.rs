//! What stands around a flow: its workspace, the other flows, the audience.

use std::{path::PathBuf, sync::Arc};

use crate::{
    audience::Audience,
    base::Diagnostic,
    flow::{Flow, Surroundings, Workspace},
};

/// A workspace as the studio holds it. Shared by the documents of one folder.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// The folder; `None` for a lone flow.
    pub folder: Option<PathBuf>,
    /// Name of the sample workspace that it is while it has no folder; its images lie inside the program.
    pub sample: Option<&'static str>,
    /// `flowloom.ron` as written; empty where there is none.
    pub source: String,
    /// What is in it.
    pub workspace: Workspace,
    /// The sample contacts.
    pub audience: Arc<Audience>,
    /// The other flows of the folder, as on disk.
    pub other_flows: Vec<Flow>,
    /// What reading them found.
    pub notes: Vec<Diagnostic>,
}

impl Home {
    /// What checks look at besides the flow.
    pub fn around(&self) -> Surroundings<'_> {
        let audience = (!self.audience.contacts.is_empty()).then_some(&*self.audience);
        Surroundings { workspace: &self.workspace, other_flows: &self.other_flows, audience }
    }
}
