//! Action: writes properties of the contact.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::{Path, Value},
    kinds::spec::{Docs, Editor, FieldSpec, Group, ListSpec, Spec, bare, field, one},
};

/// The settings.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct UpdateContact {
    /// What is written, in order.
    #[serde(default)]
    pub set: Vec<Assignment>,
}

/// One property and what it becomes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// The property's name.
    pub property: SmolStr,
    /// What it becomes.
    pub to: To,
}

/// What a property becomes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// This value.
    Value(Value),
    /// Another value: `trigger.category`; nothing is written where that is missing.
    Copy(Path),
    /// The instant of the step.
    Now,
    /// The number in it plus this; a missing one counts as 0.
    Add(f64),
    /// Removed.
    Nothing,
}

const ASSIGNMENTS: ListSpec = ListSpec {
    one: "property",
    item: field(
        "property",
        "Property",
        "One property and what it becomes.",
        Editor::Group(&[
            field("property", "Property", "Its name.", Editor::Name("property")),
            field(
                "to",
                "Becomes",
                "A value, a copy, the time of the step, a higher number, or nothing.",
                Editor::OneOf(&[
                    one("value", "A value", &VALUE, "(\"yes\")"),
                    one("copy", "A copy of", &COPY, "(\"trigger.category\")"),
                    bare("now", "The time of the step"),
                    one("add", "Itself plus", &ADD, "(1)"),
                    bare("nothing", "Nothing: it is removed"),
                ]),
            ),
        ]),
    ),
    new: "(property: \"last_offer\", to: value(\"yes\"))",
    ordered: true,
    percent: None,
};

const VALUE: FieldSpec = field("value", "Value", "A text, a number, true or false.", Editor::Value);
const COPY: FieldSpec = field("copy", "From", "Nothing is written where that is missing.", Editor::Path);
const ADD: FieldSpec = field("add", "Plus", "A missing number counts as 0.", Editor::Number);

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "update_contact",
    title: "Update contact",
    group: Group::Action,
    icon: "user-pen",
    search: &["property", "profile", "set", "write", "field", "tag"],
    ports: &["next"],
    docs: Docs {
        what: "Writes, counts up or removes properties of the contact.",
        why: "What one flow learnt another can ask.",
        source: "SEMANTICS R11 (writes that trigger flows)",
    },
    fields: &[field("set", "Set", "Properties and what they become.", Editor::List(&ASSIGNMENTS)).or("")],
    example: r#"(set: [(property: "last_offer", to: value("free engraving"))])"#,
};
