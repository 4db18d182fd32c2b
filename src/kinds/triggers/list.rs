//! Trigger: added to a list.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::kinds::spec::{Docs, Editor, Group, Spec, field};

/// Added to a list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ListTrigger {
    /// The list's name.
    pub list: SmolStr,
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "list",
    title: "Added to list",
    group: Group::Trigger,
    icon: "list-plus",
    search: &["newsletter", "signup", "subscribe", "joined"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when they are added to a list they were not on.",
        why: "The first mails after a sign-up are the most read ones.",
        source: "DESIGN 3",
    },
    fields: &[field("list", "List", "The list's name.", Editor::Name("list"))],
    example: r#"(list: "Newsletter")"#,
};
