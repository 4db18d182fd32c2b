//! Action: a mail to the team.

use serde::{Deserialize, Serialize};

use crate::{
    base::{Diagnostic, Place},
    kinds::spec::{Docs, Editor, Group, ListSpec, Spec, field},
};

/// The settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InternalAlert {
    /// Addresses of colleagues.
    pub to: Vec<String>,
    /// Subject, with merge tags.
    pub subject: String,
    /// Text, with merge tags.
    #[serde(default)]
    pub text: String,
}

impl InternalAlert {
    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        if self.to.is_empty() || self.to.iter().any(|address| !address.contains('@')) {
            out.push(
                Diagnostic::error("alert/address", place.clone().with_field("to"), "The alert has no address to go to")
                    .hint("Name at least one e-mail address of the team"),
            );
        }
    }
}

const ADDRESSES: ListSpec = ListSpec {
    one: "address",
    item: field("address", "Address", "An e-mail address of the team.", Editor::Text),
    new: "\"team@example.com\"",
    ordered: false,
    percent: None,
};

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "internal_alert",
    title: "Internal alert",
    group: Group::Action,
    icon: "bell",
    search: &["notify", "team", "sales", "colleague"],
    ports: &["next"],
    docs: Docs {
        what: "Tells colleagues that a contact came here.",
        why: "Some moments deserve a person.",
        source: "DESIGN 3",
    },
    fields: &[
        field("to", "To", "Addresses of colleagues.", Editor::List(&ADDRESSES)),
        field("subject", "Subject", "With merge tags.", Editor::Text),
        field("text", "Text", "With merge tags.", Editor::LongText).or(""),
    ],
    example: r#"(to: ["sales@example.com"], subject: "A good customer left a premium item")"#,
};
