//! Trigger: event A, then no event B for a time.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{EVENT_MATCHES, EventMatch};
use crate::{
    audience::ConditionText,
    base::{Instant, Span, Zone},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// Event A, then no event B for a time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Abandonment {
    /// A: arms the clock.
    pub start: SmolStr,
    /// Which A count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
    /// B: any of them disarms, and ends a journey that has begun (SEMANTICS R9, R15).
    #[serde(default)]
    pub unless: Vec<EventMatch>,
    /// How long after A happened.
    pub after: Span,
    /// What another A of the same key does.
    #[serde(default)]
    pub again: Again,
    /// At least so long after A was accepted, for the B that is still on its way. Default 60 s (SEMANTICS R9).
    #[serde(default = "default_grace")]
    pub grace: Span,
}

fn default_grace() -> Span {
    Span::seconds(60)
}

/// What another A of the same key does to the armed clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Starts it anew.
    #[default]
    Restart,
    /// Leaves it alone.
    Keep,
    /// Arms a second one.
    Add,
}

impl Abandonment {
    /// When the clock of an A runs out (SEMANTICS R9): max(happened + T, accepted + grace).
    pub fn due(&self, happened: Instant, accepted: Instant, zone: &Zone) -> Instant {
        self.after.after(happened, zone).max(self.grace.after(accepted, zone))
    }
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "abandonment",
    title: "Abandonment",
    group: Group::Trigger,
    icon: "cart-off",
    search: &["cart", "checkout", "left", "expired", "untouched", "exit"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when an event happened and none of the others followed for a time.",
        why: "A cart untouched for hours is the strongest sign of interest that has not become a purchase.",
        source: "SEMANTICS R9, R15",
    },
    fields: &[
        field("start", "After", "The event that starts the clock.", Editor::Event),
        field("filter", "Only if", "Which of them count.", Editor::Condition).or(""),
        field(
            "unless",
            "Unless",
            "Events that stop the clock, and end a journey that has begun.",
            Editor::List(&EVENT_MATCHES),
        )
        .or(""),
        field("after", "For", "How long nothing must follow, from the moment the first event happened.", Editor::Span),
        field(
            "again",
            "Another one",
            "Restarts the clock, keeps it, or adds a second.",
            Editor::Choice(&["restart", "keep", "add"]),
        )
        .or("restart"),
        field(
            "grace",
            "Grace",
            "At least so long after the event arrived, for events still on their way. Default 1 min.",
            Editor::Span,
        )
        .or("60 s"),
    ],
    example: r#"(start: "Cart Updated", unless: [(event: "Placed Order")], after: "6 h")"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_event_gets_its_grace() {
        let trigger: Abandonment = ron::from_str(SPEC.example).expect("example loads");
        let at = |text: &str| Instant::parse(text).expect("written right");
        let utc = Zone::utc();
        let happened = at("2026-11-23T00:00:00Z");
        assert_eq!(trigger.due(happened, happened, &utc), at("2026-11-23T06:00:00Z"));
        assert_eq!(trigger.due(happened, at("2026-11-23T07:00:00Z"), &utc), at("2026-11-23T07:01:00Z"));
    }
}
