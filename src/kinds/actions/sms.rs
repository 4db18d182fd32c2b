//! Action: a text message.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{COOLDOWN, Cooldown, ON_CAP, OnCap, default_send_latest_age};
use crate::{
    base::{MessageId, Span},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// The settings. Leaves only to contacts whose SMS consent is `subscribed`, transactional or not.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sms {
    /// The message of the flow.
    pub message: MessageId,
    /// Quiet time after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// When a cap has no room.
    #[serde(default)]
    pub on_cap: OnCap,
    /// Deferred or late for longer than this it does not leave. Default 24 h.
    #[serde(default = "default_send_latest_age")]
    pub send_latest_age: Span,
    /// Salt that deals contacts to variants; the node's id where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<SmolStr>,
    /// Klaviyo's own rule on top: the message is skipped where the contact got one of the channel within the account's
    /// window (16 h for e-mails, 24 h for SMS). Counts in Klaviyo alone, not here and not elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smart_sending: bool,
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "sms",
    title: "SMS",
    group: Group::Action,
    icon: "smartphone",
    search: &["text message", "phone", "mobile"],
    ports: &["next"],
    docs: Docs {
        what: "Sends one text message to contacts who opted in.",
        why: "Read within minutes, and resented within seconds where nobody asked.",
        source: "SEMANTICS R21 to R28",
    },
    fields: &[
        field("message", "Message", "The text and its variants.", Editor::Name("message")),
        field("cooldown", "Quiet time after it", "For so long nothing else of the channel.", Editor::Group(COOLDOWN))
            .or(""),
        field(
            "on_cap",
            "When capped",
            "Skip (default), wait at most so long, or leave the flow.",
            Editor::OneOf(ON_CAP),
        )
        .or("skip"),
        field(
            "send_latest_age",
            "Not later than",
            "Late by more than this it does not leave. Default 24 h.",
            Editor::Span,
        )
        .or("24 h"),
        field("salt", "Salt", "Deals contacts to variants; the step's id where empty.", Editor::Text).or(""),
        field(
            "smart_sending",
            "Smart Sending (Klaviyo)",
            "Klaviyo also skips it for whoever got a message within the account's window. In Klaviyo alone.",
            Editor::Switch,
        )
        .or("false"),
    ],
    example: r#"(message: "sms-1")"#,
};
