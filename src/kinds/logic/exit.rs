//! Logic: ends the journey.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::kinds::spec::{Docs, Editor, Group, Spec, field};

/// The settings.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Exit {
    /// Why, for reports.
    #[serde(default)]
    pub reason: SmolStr,
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "exit",
    title: "Exit",
    group: Group::Logic,
    icon: "log-out",
    search: &["end", "stop", "leave"],
    ports: &[],
    docs: Docs {
        what: "Ends the journey with a reason.",
        why: "A path that ends on purpose reads better than one that stops.",
        source: "DESIGN 3",
    },
    fields: &[field("reason", "Reason", "For reports, such as \u{201c}bought\u{201d}.", Editor::Text).or("")],
    example: r#"(reason: "bought")"#,
};
