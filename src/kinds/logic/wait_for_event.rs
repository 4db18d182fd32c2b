//! Logic: wait for an event, at most so long.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::ConditionText,
    base::{Diagnostic, Place, Span},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// The settings. Ports: [`HAPPENED`], [`TIMED_OUT`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WaitForEvent {
    /// The metric.
    pub event: SmolStr,
    /// Which of them count; may compare with the entry: `event.cart_id = trigger.cart_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
    /// At most so long.
    pub timeout: Span,
    /// What has happened since then counts too.
    #[serde(default)]
    pub look_back: LookBack,
}

/// From when an event counts (SEMANTICS R14).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookBack {
    /// Since the entry event happened.
    #[default]
    Entry,
    /// Since the previous message of the journey.
    PreviousMessage,
    /// From the arrival on.
    Now,
}

/// Port: the event came.
pub const HAPPENED: &str = "happened";
/// Port: it did not.
pub const TIMED_OUT: &str = "timed_out";

impl WaitForEvent {
    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        if self.timeout.about_millis() <= 0 {
            out.push(
                Diagnostic::error(
                    "wait/no-time",
                    place.clone().with_field("timeout"),
                    "The wait has no time to wait in",
                )
                .hint("Give it a span such as \"2 days\""),
            );
        }
    }
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "wait_for_event",
    title: "Wait for event",
    group: Group::Logic,
    icon: "hourglass",
    search: &["until", "happens", "timeout", "purchase", "click"],
    ports: &[HAPPENED, TIMED_OUT],
    docs: Docs {
        what: "Holds a journey until an event happens, at most so long; what happened already counts back to the entry.",
        why: "Whoever has acted needs the next step at once, whoever has not needs a reminder.",
        source: "SEMANTICS R13, R14",
    },
    fields: &[
        field("event", "Event", "The event waited for.", Editor::Event),
        field("filter", "Only if", "Which of them count; may compare with the entry event.", Editor::Condition).or(""),
        field("timeout", "At most", "Then the journey leaves by \u{201c}timed out\u{201d}.", Editor::Span),
        field(
            "look_back",
            "Counts since",
            "The entry (default), the previous message, or the arrival.",
            Editor::Choice(&["entry", "previous_message", "now"]),
        )
        .or("entry"),
    ],
    example: r#"(event: "Placed Order", filter: "event.cart_id = trigger.cart_id", timeout: "12 h")"#,
};
