//! The remarks of one import, in the order in which the JSON was read.

use super::spot::Unread;
use crate::{
    base::NodeId,
    platforms::import::{Remark, RemarkKind},
};

/// What is written back unchanged, in the report's words.
pub(super) const GOES_BACK: &str =
    "It is written back to HubSpot unchanged; on another platform do by hand what it does";
/// The same for what stands until its step is edited.
pub(super) const UNTIL_EDITED: &str =
    "It is written back to HubSpot for as long as the step is not edited; on another platform it is missing";

/// Most remarks of one flow, so that a hostile file cannot fill the memory. Source: assumption.
const MOST: usize = 20_000;

/// The report as it grows.
#[derive(Default)]
pub(super) struct Report {
    pub remarks: Vec<Remark>,
}

impl Report {
    pub fn add(
        &mut self,
        kind: RemarkKind,
        code: &'static str,
        at: &str,
        node: Option<&NodeId>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.remarks.len() < MOST {
            let (message, remedy) = (message.into(), remedy.into());
            self.remarks.push(Remark { kind, code, pointer: at.to_owned(), node: node.cloned(), message, remedy });
        }
    }

    pub fn understood(&mut self, code: &'static str, at: &str, node: Option<&NodeId>, message: impl Into<String>) {
        self.add(RemarkKind::Understood, code, at, node, message, "");
    }

    pub fn guessed(
        &mut self,
        code: &'static str,
        at: &str,
        node: Option<&NodeId>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(RemarkKind::Guessed, code, at, node, message, remedy);
    }

    pub fn lost(
        &mut self,
        code: &'static str,
        at: &str,
        node: Option<&NodeId>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(RemarkKind::Lost, code, at, node, message, remedy);
    }

    /// A part that was not understood and goes back as it was.
    pub fn kept(&mut self, code: &'static str, node: Option<&NodeId>, what: &str, unread: &Unread) {
        self.add(RemarkKind::Kept, code, &unread.at, node, format!("{what}: {}", unread.why), GOES_BACK);
    }
}
