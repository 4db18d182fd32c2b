//! Action: calls an address.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    base::{Diagnostic, Place, Span},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// The settings. Ports: [`DONE`], [`FAILED`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Webhook {
    /// An https address.
    pub url: String,
    /// The body, a JSON text in which merge tags are filled in; the contact and the trigger event where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Headers; secrets stay out of flows, name them `${NAME}` and give them to the engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Given up after this long, port `failed`. Default 24 h.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
}

fn default_timeout() -> Span {
    Span::hours(24)
}

/// Port: answered with success.
pub const DONE: &str = "done";
/// Port: refused, or no answer in time.
pub const FAILED: &str = "failed";

impl Webhook {
    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        if !self.url.starts_with("https://") && !self.url.starts_with("http://127.0.0.1") {
            out.push(
                Diagnostic::error(
                    "webhook/address",
                    place.clone().with_field("url"),
                    "The address does not begin with https://",
                )
                .hint("Write the whole address, with https://"),
            );
        }
    }
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "webhook",
    title: "Webhook",
    group: Group::Action,
    icon: "webhook",
    search: &["http", "api", "call", "post", "crm"],
    ports: &[DONE, FAILED],
    docs: Docs {
        what: "Posts to an address and goes one of two ways, by the answer.",
        why: "What other systems need to know should not wait for an export.",
        source: "SEMANTICS R29",
    },
    fields: &[
        field("url", "Address", "Begins with https://.", Editor::Text),
        field("body", "Body", "JSON with merge tags; contact and event where empty.", Editor::LongText).or(""),
        field(
            "headers",
            "Headers",
            "Names and values; secrets as ${NAME}.",
            Editor::Map { key: "Header", typed: false },
        )
        .or(""),
        field("timeout", "Give up after", "Default 24 h.", Editor::Span).or("24 h"),
    ],
    example: r#"(url: "https://example.com/hook")"#,
};
