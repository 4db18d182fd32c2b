//! Action: puts the contact on lists, or takes them off.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::LIST_NAMES;
use crate::kinds::spec::{Docs, Editor, Group, Spec, field};

/// The settings.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ListUpdate {
    /// Put on these.
    #[serde(default)]
    pub add: Vec<SmolStr>,
    /// Taken off these.
    #[serde(default)]
    pub remove: Vec<SmolStr>,
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "list_update",
    title: "Lists",
    group: Group::Action,
    icon: "list",
    search: &["add", "remove", "newsletter", "static list"],
    ports: &["next"],
    docs: Docs {
        what: "Puts the contact on lists, or takes them off.",
        why: "Lists are how platforms and people share who is meant.",
        source: "SEMANTICS R11 (writes that trigger flows)",
    },
    fields: &[
        field("add", "Add to", "Names of lists.", Editor::List(&LIST_NAMES)).or(""),
        field("remove", "Remove from", "Names of lists.", Editor::List(&LIST_NAMES)).or(""),
    ],
    example: r#"(add: ["Engaged"])"#,
};
