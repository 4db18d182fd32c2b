//! What a kind says about itself: the data behind palette, inspector, search, `flowloom kinds` and the reference page.

use serde::Serialize;

/// Where a kind stands in the palette.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Lets contacts in; an alternative of the trigger node.
    Trigger,
    /// Decides where a journey goes and when.
    Logic,
    /// Does something to the contact or the world.
    Action,
}

/// A named way out of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Port {
    /// Name in files: `next`, `yes`, an arm's name.
    pub name: smol_str::SmolStr,
    /// What people read.
    pub title: String,
}

impl Port {
    /// A port.
    pub fn new(name: impl AsRef<str>, title: impl Into<String>) -> Self {
        Self { name: smol_str::SmolStr::new(name), title: title.into() }
    }

    /// The one way out of a node that does not branch.
    pub fn next() -> Self {
        Self::new(NEXT, "Next")
    }
}

/// Name of the only port of a node that does not branch; left out in files.
pub const NEXT: &str = "next";

/// One kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spec {
    /// Name in files, kebab-case.
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// Where it stands.
    pub group: Group,
    /// Name of its icon in `assets/icons`.
    pub icon: &'static str,
    /// More words that find it.
    pub search: &'static [&'static str],
    /// The ports, for people; arms are named in the settings.
    pub ports: &'static [&'static str],
    /// Its page.
    pub docs: Docs,
    /// Its settings.
    pub fields: &'static [FieldSpec],
    /// Settings that load, as RON, to begin with.
    pub example: &'static str,
}

/// The fixed headings of a reference page.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Docs {
    /// What it does, one or two sentences.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The rule or page it follows.
    pub source: &'static str,
}

/// One setting, as the inspector shows it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FieldSpec {
    /// Name in files.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// One sentence of help, with unit, range and default.
    pub help: &'static str,
    /// What edits it.
    pub editor: Editor,
}

/// Sort of editor for a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Editor {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// A number.
    Number,
    /// Yes or no.
    Switch,
    /// One of a closed list.
    Choice(&'static [&'static str]),
    /// A span.
    Span,
    /// A time of day.
    Time,
    /// A daily window.
    Window,
    /// A condition.
    Condition,
    /// A path to a value.
    Path,
    /// An event of the catalogue.
    Event,
    /// Events with filters.
    Events,
    /// A segment, score model, list, sender or message by name.
    Name(&'static str),
    /// Rows (arms, alternatives, values to set).
    Rows,
}

/// Shorthand for the tables of the kinds.
pub const fn field(name: &'static str, label: &'static str, help: &'static str, editor: Editor) -> FieldSpec {
    FieldSpec { name, label, help, editor }
}
