//! Trigger: an event.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::ConditionText,
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// An event, filtered by its properties and by the contact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EventTrigger {
    /// The metric.
    pub event: SmolStr,
    /// `event.…` and `trigger.…` are this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "event",
    title: "Event",
    group: Group::Trigger,
    icon: "bolt",
    search: &["metric", "behaviour", "happens", "checkout", "cart", "view"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when an event arrives that passes the filter.",
        why: "A mail that answers one small behaviour meets the intent while it is there.",
        source: "SEMANTICS R1, R2, R11",
    },
    fields: &[
        field("event", "Event", "The event's name in the catalogue.", Editor::Event),
        field(
            "filter",
            "Only if",
            "A condition over the event and the contact; all events where empty.",
            Editor::Condition,
        )
        .or(""),
    ],
    example: r#"(event: "Started Checkout", filter: "event.item_count > 1")"#,
};
