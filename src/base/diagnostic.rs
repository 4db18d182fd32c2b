//! What is said about a fault in what the user wrote: code, severity, place, message, hint.
//!
//! Faults are collected, never thrown: a broken flow still opens, draws and simulates as far as it makes sense.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::TextRange;

/// How bad it is. Errors stop an export and give exit code 1; warnings and hints do not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The flow will not do what it says, or cannot run.
    Error,
    /// Probably not what was meant.
    Warning,
    /// Worth knowing.
    Hint,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        })
    }
}

/// Where it is. Every part is optional; what is there goes from the large to the small.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Path as the user gave it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Id of a node.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    /// An edge, as `node.port`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub edge: Option<String>,
    /// Id of a message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// A setting or part inside it, with dots: `any.0.filter`, `subject`, `body.3.show_if`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Bytes inside that field's text, or inside the file where no smaller part is named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub range: Option<TextRange>,
}

impl Place {
    /// A whole file.
    pub fn file(path: impl Into<String>) -> Self {
        Self { file: Some(path.into()), ..Self::default() }
    }

    /// A node.
    pub fn node(id: impl fmt::Display) -> Self {
        Self { node: Some(id.to_string()), ..Self::default() }
    }

    /// The edge that leaves a node by a port.
    pub fn edge(node: impl fmt::Display, port: impl fmt::Display) -> Self {
        Self { node: Some(node.to_string()), edge: Some(format!("{node}.{port}")), ..Self::default() }
    }

    /// A message.
    pub fn message(id: impl fmt::Display) -> Self {
        Self { message: Some(id.to_string()), ..Self::default() }
    }

    /// The same place with a field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same place with a range.
    #[must_use]
    pub fn with_range(mut self, range: TextRange) -> Self {
        self.range = Some(range);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (&self.edge, &self.node) {
            (Some(edge), _) => parts.push(format!("edge {edge}")),
            (None, Some(node)) => parts.push(format!("step {node}")),
            (None, None) => {}
        }
        if let Some(message) = &self.message {
            parts.push(format!("message {message}"));
        }
        if let Some(field) = &self.field {
            parts.push(field.clone());
        }
        f.write_str(&parts.join(", "))
    }
}

/// One finding. Fixes made of edits live with the checks in `flow`, since this room knows no edits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Area and name, kebab-case: `graph/unreachable-node`. A published code keeps its meaning.
    pub code: std::borrow::Cow<'static, str>,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do, one sentence; empty where the message says it all.
    pub hint: String,
}

impl Diagnostic {
    /// A diagnostic without a hint.
    pub fn new(severity: Severity, code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { code: code.into(), severity, place, message: message.into(), hint: String::new() }
    }

    /// An error.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}
