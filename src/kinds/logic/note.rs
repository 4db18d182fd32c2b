//! Logic: text and frame on the canvas; no ports, no meaning.

use serde::{Deserialize, Serialize};

use crate::kinds::spec::{Docs, Editor, Group, Spec, field};

/// The settings.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Note {
    /// The text.
    #[serde(default)]
    pub text: String,
    /// Width and height in canvas units; a plain note where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<(f32, f32)>,
    /// Colour name of the theme.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub color: String,
}

/// Colours that a note may have: the families of steps.
pub const COLORS: &[&str] = &["amber", "violet", "blue", "pink", "green", "teal", "indigo", "grey"];

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "note",
    title: "Note",
    group: Group::Logic,
    icon: "sticky-note",
    search: &["comment", "frame", "text", "label"],
    ports: &[],
    docs: Docs {
        what: "Text, or a frame around steps; it does nothing.",
        why: "The reason for a delay is forgotten sooner than the delay.",
        source: "DESIGN 3",
    },
    fields: &[
        field("text", "Text", "Shown on the canvas and in the client document.", Editor::LongText).or(""),
        field("color", "Colour", "One of the theme's.", Editor::Choice(COLORS)).or(""),
    ],
    example: r#"(text: "Agreed with the shop on 3 March")"#,
};
