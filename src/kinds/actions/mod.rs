//! Action kinds: what a flow does to the contact or the world.

pub mod email;
pub mod foreign;
pub mod internal_alert;
pub mod list_update;
pub mod sms;
pub mod update_contact;
pub mod webhook;

use serde::{Deserialize, Serialize};

use crate::{
    base::Span,
    kinds::spec::{Case, Editor, FieldSpec, ListSpec, bare, field, one},
};

/// How [`OnCap`] is edited.
pub const ON_CAP: &[Case] = &[
    bare("skip", "Skip the message"),
    one("wait", "Wait for room", &WAIT, "(\"6 h\")"),
    bare("leave", "Leave the flow"),
];

const WAIT: FieldSpec = field("wait", "At most", "Waits for room so long, then skips.", Editor::Span);

/// How a [`Cooldown`] is edited.
pub const COOLDOWN: &[FieldSpec] = &[
    field("lasts", "Lasts", "For so long nothing else of the channel.", Editor::Span),
    field(
        "from",
        "Holds off",
        "Messages of other flows (default), or all, this journey's next ones too.",
        Editor::Choice(&["other_flows", "all"]),
    )
    .or("other_flows"),
    field(
        "on_conflict",
        "What meets it",
        "Waits for its end (default), is skipped, or ends its journey.",
        Editor::Choice(&["wait", "skip", "leave"]),
    )
    .or("wait"),
];

/// How names of lists are edited.
pub const LIST_NAMES: ListSpec = ListSpec {
    one: "list",
    item: field("list", "List", "The list's name.", Editor::Name("list")),
    new: "\"Newsletter\"",
    ordered: false,
    percent: None,
};

/// What a message does when a cap has no room (SEMANTICS R23).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCap {
    /// The message is skipped, the journey goes on.
    #[default]
    Skip,
    /// Waits for room at most so long, then skips.
    Wait(Span),
    /// The journey ends.
    Leave,
}

/// A quiet time after a message (SEMANTICS R24).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cooldown {
    /// For so long after it nothing else of the channel.
    pub lasts: Span,
    /// Whose messages it holds off.
    #[serde(default)]
    pub from: CooldownFrom,
    /// What a message that meets it does.
    #[serde(default)]
    pub on_conflict: OnCooldown,
}

/// Whose messages a cooldown holds off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CooldownFrom {
    /// Other flows'.
    #[default]
    OtherFlows,
    /// All, the journey's own next messages too.
    All,
}

/// What a message that meets a cooldown does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCooldown {
    /// Waits for its end.
    #[default]
    Wait,
    /// Is skipped.
    Skip,
    /// Ends its journey.
    Leave,
}

/// Default of `send_latest_age`: 24 h (SEMANTICS R25).
pub const fn default_send_latest_age() -> Span {
    Span::hours(24)
}
