//! Logic: asks whether the contact has room for another message; it reads and never counts itself.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::Channel,
    base::{Diagnostic, Place, Span},
    kinds::spec::{Docs, Editor, FieldSpec, Group, Spec, bare, field, one},
};

/// Most messages per contact in 24 h, transactional included; no setting removes it. Source: SEMANTICS R28.
pub const MOST_IN_24_H: usize = 10;

/// The most messages in a window (SEMANTICS R23).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CapRule {
    /// How many.
    pub limit: Limit,
    /// In an exact rolling window of this length, (now − window, now].
    #[serde(default = "default_within")]
    pub within: Span,
    /// On this channel.
    #[serde(default)]
    pub channel: Channel,
    /// Counting the messages of the whole workspace, or of this flow only.
    #[serde(default)]
    pub scope: Scope,
    /// For contacts of this segment only; the first row that matches counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SmolStr>,
}

fn default_within() -> Span {
    Span::hours(48)
}

/// How many messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// No limit; its own value, so that it is never an accident.
    None,
    /// At most so many.
    AtMost(u32),
}

/// Whose messages count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All flows'.
    #[default]
    Workspace,
    /// This flow's.
    Flow,
}

impl Default for CapRule {
    /// 3 e-mails in 48 h over the workspace. Source: DESIGN 3, SEMANTICS R23.
    fn default() -> Self {
        Self {
            limit: Limit::AtMost(3),
            within: default_within(),
            channel: Channel::Email,
            scope: Scope::Workspace,
            segment: None,
        }
    }
}

/// Port: there is room.
pub const UNDER: &str = "under";
/// Port: there is not.
pub const CAPPED: &str = "capped";

impl CapRule {
    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        if self.within.about_millis() <= 0 {
            out.push(
                Diagnostic::error("cap/no-window", place.clone().with_field("within"), "The cap has no window")
                    .hint("Give it a span such as \"48 h\""),
            );
        }
    }

    /// One line for a card.
    pub fn summary(&self) -> String {
        match self.limit {
            Limit::None => "no limit".to_owned(),
            Limit::AtMost(n) => {
                format!("{n} {} in {}", if self.channel == Channel::Email { "e-mails" } else { "SMS" }, self.within)
            }
        }
    }
}

const AT_MOST: FieldSpec = field("at_most", "Messages", "In any window of the length below.", Editor::Number)
    .unit("messages")
    .range(0.0, 4_294_967_295.0);

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "cap",
    title: "Cap",
    group: Group::Logic,
    icon: "shield",
    search: &["frequency", "limit", "fatigue", "most", "messages"],
    ports: &[UNDER, CAPPED],
    docs: Docs {
        what: "Asks whether the contact got fewer messages than a number in a rolling window, and goes one of two ways.",
        why: "More than three mails in two days tires people; what they get instead is worth a decision.",
        source: "SEMANTICS R23",
    },
    fields: &[
        field(
            "limit",
            "At most",
            "So many messages, or no limit.",
            Editor::OneOf(&[one("at_most", "A number", &AT_MOST, "(3)"), bare("none", "No limit")]),
        ),
        field("within", "Within", "Length of the exact rolling window. Default 48 h.", Editor::Span).or("48 h"),
        field("channel", "Channel", "E-mail or SMS.", Editor::Choice(&["email", "sms"])).or("email"),
        field(
            "scope",
            "Counting",
            "All flows' messages (default) or this flow's.",
            Editor::Choice(&["workspace", "flow"]),
        )
        .or("workspace"),
        field("segment", "For segment", "Everybody where empty.", Editor::Name("segment")).or(""),
    ],
    example: r#"(limit: at_most(3), within: "48 h")"#,
};
