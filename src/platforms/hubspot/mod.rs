//! HubSpot.
use super::{Export, Platform};
use crate::{base::Diagnostic, flow::{Flow, Workspace}};
/// The platform.
pub struct Hubspot;
impl Platform for Hubspot {
    fn export(&self, _: &Flow, _: &Workspace) -> Result<Export, Vec<Diagnostic>> { Err(Vec::new()) }
}
