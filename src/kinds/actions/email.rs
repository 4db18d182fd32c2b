//! Action: an e-mail.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{COOLDOWN, Cooldown, ON_CAP, OnCap, default_send_latest_age};
use crate::{
    base::{MessageId, Span},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// The settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Email {
    /// The message of the flow.
    pub message: MessageId,
    /// Sender of the workspace; the flow's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<SmolStr>,
    /// An answer to something the contact asked for (an order confirmation): needs no consent, exempt from caps and
    /// cooldowns.
    #[serde(default)]
    pub transactional: bool,
    /// Quiet time after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// When a cap has no room.
    #[serde(default)]
    pub on_cap: OnCap,
    /// Deferred or late for longer than this it does not leave. Default 24 h (SEMANTICS R25, R26).
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
    name: "email",
    title: "E-mail",
    group: Group::Action,
    icon: "mail",
    search: &["mail", "message", "send", "newsletter"],
    ports: &["next"],
    docs: Docs {
        what: "Sends one e-mail, after consent, caps, cooldowns, quiet hours and completeness have been tested, twice.",
        why: "The wrong mail at the wrong time costs more than none.",
        source: "SEMANTICS R21 to R28",
    },
    fields: &[
        field("message", "Message", "Subject, preheader, body and variants.", Editor::Name("message")),
        field("sender", "Sender", "One of the workspace's senders; the flow's where empty.", Editor::Name("sender"))
            .or(""),
        field(
            "transactional",
            "Transactional",
            "Needs no marketing consent, exempt from caps and cooldowns.",
            Editor::Switch,
        )
        .or("false"),
        field(
            "cooldown",
            "Quiet time after it",
            "For so long nothing else of the channel, from other flows or from all.",
            Editor::Group(COOLDOWN),
        )
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
    example: r#"(message: "mail-1")"#,
};
