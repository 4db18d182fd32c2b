//! Logic: yes or no.

use serde::{Deserialize, Serialize};

use crate::{
    audience::ConditionText,
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// The settings. Ports: [`YES`], [`NO`]; unknown goes to no.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ConditionNode {
    /// What is asked.
    pub condition: ConditionText,
}

/// Port: it holds.
pub const YES: &str = "yes";
/// Port: it does not, or data are missing.
pub const NO: &str = "no";

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "condition",
    title: "Condition",
    group: Group::Logic,
    icon: "git-branch",
    search: &["if", "yes", "no", "split", "check", "filter"],
    ports: &[YES, NO],
    docs: Docs {
        what: "Sends a journey one of two ways, by a condition over the contact, the trigger event and the history.",
        why: "One question at the right place saves a flow of its own.",
        source: "SEMANTICS R5 (missing data count as no)",
    },
    fields: &[field("condition", "Condition", "Asked once, on arrival.", Editor::Condition)],
    example: r#"(condition: "contact.lifetime_value > 500")"#,
};
