//! Trigger: nothing of a kind for a time.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    base::Span,
    kinds::spec::{Docs, Editor, Group, ListSpec, Spec, field},
};

/// Nothing of a kind for a time (win-back).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Inactivity {
    /// Any of these counts as activity; at least one.
    pub events: Vec<SmolStr>,
    /// How long after the last of them, else after creation or import; once per spell (SEMANTICS R10).
    pub after: Span,
}

const NAMES_OF_EVENTS: ListSpec = ListSpec {
    one: "event",
    item: field("event", "Event", "It counts as activity.", Editor::Event),
    new: "\"Placed Order\"",
    ordered: false,
    percent: None,
};

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "inactivity",
    title: "Inactivity",
    group: Group::Trigger,
    icon: "moon",
    search: &["win-back", "lapsed", "silent", "dormant", "nothing"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when none of some events happened for a time; once per spell of silence.",
        why: "Winning somebody back is cheaper than finding somebody new.",
        source: "SEMANTICS R10",
    },
    fields: &[
        field("events", "None of", "Events that count as activity.", Editor::List(&NAMES_OF_EVENTS)),
        field("after", "For", "How long after the last of them, or after the contact was created.", Editor::Span),
    ],
    example: r#"(events: ["Placed Order", "Visited Site"], after: "60 days")"#,
};
