//! Trigger: weighted points cross a threshold.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::{Condition, condition::CompareOp},
    kinds::spec::{Docs, Editor, Group, Spec, field},
};

/// A score reaches a threshold.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScoreTrigger {
    /// Name of the workspace's score model.
    pub model: SmolStr,
    /// Fires on the edge: before < threshold ≤ after; again only once it was below (SEMANTICS R10).
    pub threshold: f64,
}

impl ScoreTrigger {
    /// What is watched.
    pub fn condition(&self) -> Condition {
        Condition::Score { model: self.model.clone(), op: CompareOp::Ge, points: self.threshold }
    }
}

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "score",
    title: "Score",
    group: Group::Trigger,
    icon: "gauge",
    search: &["points", "weighted", "intent", "threshold", "signals", "layer"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when a score model's points reach a threshold.",
        why: "Several weak signals layer up to a strong one.",
        source: "SEMANTICS R10",
    },
    fields: &[
        field("model", "Score model", "One of the workspace's score models.", Editor::Name("score")),
        field("threshold", "Reaches", "Points; fires on the way up, again only after it was below.", Editor::Number),
    ],
    example: r#"(model: "intent", threshold: 50)"#,
};
