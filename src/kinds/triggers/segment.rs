//! Trigger: a condition becomes true (or false) for a contact.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::Condition,
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// A segment entered or left.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SegmentTrigger {
    /// Name of the workspace's segment.
    pub segment: SmolStr,
    /// Fires when the contact leaves it instead.
    #[serde(default)]
    pub leaves: bool,
}

impl SegmentTrigger {
    /// What is watched.
    pub fn condition(&self) -> Condition {
        let inside = Condition::InSegment(self.segment.clone());
        if self.leaves { Condition::Not(Box::new(inside)) } else { inside }
    }
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "segment",
    title: "Segment",
    group: Group::Trigger,
    icon: "users",
    search: &["condition", "becomes", "enters", "leaves", "audience"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when they enter a segment, or leave it.",
        why: "Some moments are not one event but a state that is reached.",
        source: "SEMANTICS R5, R10",
    },
    fields: &[
        field(
            "segment",
            "Segment",
            "One of the workspace's segments, without local time and random share.",
            Editor::Name("segment"),
        ),
        field("leaves", "When leaving", "Fires on the way out instead.", Editor::Switch).or("false"),
    ],
    example: r#"(segment: "VIP")"#,
};
