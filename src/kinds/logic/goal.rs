//! Logic: records that the journey reached its aim, and goes on.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::kinds::spec::{Docs, Editor, Group, Spec, field};

/// The settings.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Goal {
    /// What was reached.
    #[serde(default)]
    pub name: SmolStr,
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "goal",
    title: "Goal",
    group: Group::Logic,
    icon: "target",
    search: &["conversion", "converted", "success", "aim"],
    ports: &["next"],
    docs: Docs {
        what: "Records that the journey reached a goal here, and goes on; the flow's goal condition ends it instead.",
        why: "What is not counted cannot be compared.",
        source: "SEMANTICS R15",
    },
    fields: &[field("name", "Goal", "A name for reports.", Editor::Text).or("")],
    example: r#"(name: "came back")"#,
};
