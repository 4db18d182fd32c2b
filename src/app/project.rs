//! What stands around a flow: its workspace, the other flows, the audience.

use std::{path::PathBuf, sync::Arc};

use super::when::Manner;
use crate::{
    audience::Audience,
    base::Diagnostic,
    flow::{Flow, Surroundings, Workspace, file::raw::RawStruct},
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
    /// How the user wants numbers and dates written.
    pub manner: Manner,
}

impl Home {
    /// What checks look at besides the flow.
    pub fn around(&self) -> Surroundings<'_> {
        let audience = (!self.audience.contacts.is_empty()).then_some(&*self.audience);
        Surroundings { workspace: &self.workspace, other_flows: &self.other_flows, audience }
    }

    /// The same as the user wants it said: a workspace that names no zone is in the user's.
    #[must_use]
    pub fn said(mut self, manner: &Manner) -> Self {
        let names_zone = RawStruct::parse(&self.source).is_ok_and(|keys| keys.get("zone").is_some());
        if !names_zone {
            self.workspace.zone = manner.zone.clone().unwrap_or_else(|| Workspace::default().zone);
        }
        self.manner = manner.clone();
        self
    }
}
