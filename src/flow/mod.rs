//! The document: workspace, graph, edits and history, checks, file format and its migrations.
//!
//! The one idea: a flow is a value. Edits make a new one, checks read one, files hold one.
//! Deliberately not here: opening files, clocks, threads, and what a flow does (`journey`).

pub mod card;
pub mod check;
pub mod edit;
pub mod file;
mod graph;
mod history;
pub mod merge;
pub mod readers;
mod settings;
mod workspace;

pub use check::{CheckSpec, Finding, Fix, Surroundings, check, check_workspace};
pub use edit::{Edit, EditError};
pub use graph::{Edge, Flow, Index, MessageSection, Node, Section, is_plain_port};
pub use history::History;
pub use settings::{FlowSettings, KeptJson, Reentry, RequiredConsent, Target};
pub use workspace::{
    CodePool, EventType, HubspotSettings, KlaviyoSettings, Moment, Sender, WORKSPACE_VERSION, Workspace,
};
