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
    /// What it holds where it is left out, as it would be typed (`24 h`); empty for nothing at all. `None`: it must be
    /// there.
    pub left_out: Option<&'static str>,
    /// Unit of a number, behind the field.
    pub unit: &'static str,
    /// Least and most of a number.
    pub range: Option<(f64, f64)>,
}

impl FieldSpec {
    /// The same, which may be left out and then means this.
    #[must_use]
    pub const fn or(mut self, left_out: &'static str) -> Self {
        self.left_out = Some(left_out);
        self
    }

    /// The same with a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The same with a range.
    #[must_use]
    pub const fn range(mut self, least: f64, most: f64) -> Self {
        self.range = Some((least, most));
        self
    }
}

/// Sort of editor for a setting.
#[derive(Clone, Copy, Debug, Serialize)]
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
    /// Days of the week.
    Weekdays,
    /// A condition.
    Condition,
    /// A path to a value.
    Path,
    /// A value as conditions write it: text, number, yes or no.
    Value,
    /// An event of the catalogue.
    Event,
    /// A segment, score model, list, sender, message or property by name.
    Name(&'static str),
    /// Settings of their own in parentheses.
    Group(&'static [FieldSpec]),
    /// One of several cases, each with settings of its own.
    OneOf(&'static [Case]),
    /// Rows (arms, alternatives, values to set).
    List(&'static ListSpec),
    /// Names with values: what a name is, and whether the values are values of any type or texts.
    Map {
        /// What a name is called.
        key: &'static str,
        /// Whether values may be numbers, yes or no.
        typed: bool,
    },
}

/// A case of [`Editor::OneOf`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Case {
    /// Name in files.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// What it holds.
    pub body: CaseBody,
    /// What stands behind the name in a new one: `("4 h")`, or nothing.
    pub new: &'static str,
}

/// What a case holds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseBody {
    /// Nothing.
    Nothing,
    /// One value.
    One(&'static FieldSpec),
    /// Settings.
    Fields(&'static [FieldSpec]),
}

/// Rows of the same sort.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ListSpec {
    /// What one of them is called: `arm`.
    pub one: &'static str,
    /// What edits one.
    pub item: FieldSpec,
    /// A new one, as RON; of cases, each brings its own.
    pub new: &'static str,
    /// Whether their order means something.
    pub ordered: bool,
    /// The number in each that must come to 100 together.
    pub percent: Option<&'static str>,
}

/// Shorthand for the tables of the kinds: a setting that must be there.
pub const fn field(name: &'static str, label: &'static str, help: &'static str, editor: Editor) -> FieldSpec {
    FieldSpec { name, label, help, editor, left_out: None, unit: "", range: None }
}

/// A case without anything in it.
pub const fn bare(name: &'static str, label: &'static str) -> Case {
    Case { name, label, body: CaseBody::Nothing, new: "" }
}

/// A case of settings.
pub const fn case(name: &'static str, label: &'static str, fields: &'static [FieldSpec], new: &'static str) -> Case {
    Case { name, label, body: CaseBody::Fields(fields), new }
}

/// A case of one value.
pub const fn one(name: &'static str, label: &'static str, value: &'static FieldSpec, new: &'static str) -> Case {
    Case { name, label, body: CaseBody::One(value), new }
}
