//! Settings as rows ready to draw: label, help, unit, value, choices, error.

use std::collections::BTreeMap;

use ron::value::RawValue;

use super::{
    leaf,
    raw::{self, Route, Step},
};
use crate::{
    base::{Severity, TextRange, Weekdays, Window},
    flow::file::raw::RawStruct,
    kinds::{Case, CaseBody, Editor, FieldSpec, ListSpec, ron_options},
};

/// One row of a form.
#[derive(Clone, Debug)]
pub struct Row {
    /// The way to its value.
    pub route: Route,
    /// What the catalogue says of it.
    pub spec: FieldSpec,
    /// What edits it, with the value it has.
    pub input: Input,
    /// What was found at it, worst first.
    pub notes: Vec<Note>,
    /// Whether several selected steps have different values here; the input shows the first one's.
    pub differs: bool,
}

/// A finding at a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// How bad.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    /// Where in the field's text.
    pub range: Option<TextRange>,
}

/// What edits a value.
#[derive(Clone, Debug)]
pub enum Input {
    /// A text to type: one line, several, a number, a span, a name, a condition… as the spec's editor says.
    Text {
        /// What stands there; empty where it is left out.
        text: String,
        /// Whether it stands in the settings.
        is_there: bool,
    },
    /// Yes or no.
    Switch(bool),
    /// One of a closed list: name and label; the empty name is "none".
    Choice {
        /// The name that is chosen.
        chosen: String,
        /// Names and labels.
        options: Vec<(String, String)>,
    },
    /// A daily window, or none.
    Window(Option<Window>),
    /// Days of the week.
    Weekdays(Weekdays),
    /// Settings of its own.
    Group {
        /// Whether they are there.
        is_there: bool,
        /// Whether they may be left out.
        may_go: bool,
        /// The rows.
        rows: Vec<Row>,
    },
    /// One of several cases.
    OneOf {
        /// The name of the case; empty where left out and nothing stands for that.
        chosen: String,
        /// All cases.
        cases: &'static [Case],
        /// Rows of the chosen one.
        rows: Vec<Row>,
    },
    /// Rows of the same sort.
    List {
        /// One row of the form for each.
        items: Vec<Row>,
        /// What they are.
        list: &'static ListSpec,
    },
    /// Names with values.
    Map {
        /// What a name is called.
        key: &'static str,
        /// In the order of the file.
        pairs: Vec<(String, String)>,
        /// Whether values may be numbers, yes or no.
        typed: bool,
    },
    /// RON that does not fit the catalogue, and why.
    Raw {
        /// As written.
        text: String,
        /// Why it is shown like this.
        why: String,
    },
}

/// Rows of settings.
pub fn rows(specs: &'static [FieldSpec], settings: &str, route: &Route) -> Vec<Row> {
    let parsed = RawStruct::parse(settings).unwrap_or_default();
    specs.iter().map(|spec| row(*spec, parsed.get(spec.name), route.then(Step::Field(spec.name.into())))).collect()
}

/// The row of one value.
pub fn row(spec: FieldSpec, text: Option<&str>, route: Route) -> Row {
    let text = text.map(raw::bare).filter(|text| *text != "None");
    let input =
        input(&spec, text, &route).unwrap_or_else(|why| Input::Raw { text: text.unwrap_or_default().to_owned(), why });
    Row { route, spec, input, notes: Vec::new(), differs: false }
}

fn input(spec: &FieldSpec, text: Option<&str>, route: &Route) -> Result<Input, String> {
    let read = |error: ron::error::SpannedError| error.to_string();
    Ok(match spec.editor {
        Editor::Switch => {
            Input::Switch(ron_options().from_str(text.or(spec.left_out).unwrap_or("false")).map_err(read)?)
        }
        Editor::Choice(names) => {
            let mut options: Vec<(String, String)> =
                names.iter().map(|name| ((*name).to_owned(), title(name))).collect();
            if spec.left_out == Some("") {
                options.insert(0, (String::new(), "None".to_owned()));
            }
            // A name or, in some files, a text of the same letters.
            let chosen = text.map(|text| text.trim_matches('"').to_owned());
            let chosen = chosen.or(spec.left_out.map(str::to_owned)).unwrap_or_default();
            if !chosen.is_empty() && !options.iter().any(|(name, _)| *name == chosen) {
                options.push((chosen.clone(), chosen.clone()));
            }
            Input::Choice { chosen, options }
        }
        Editor::Window => Input::Window(text.map(|text| ron_options().from_str(text)).transpose().map_err(read)?),
        Editor::Weekdays => Input::Weekdays(
            text.map(|text| ron_options().from_str(text)).transpose().map_err(read)?.unwrap_or_default(),
        ),
        Editor::Group(specs) => {
            if let Some(text) = text {
                RawStruct::parse(text).map_err(|error| error.to_string())?;
            }
            Input::Group {
                is_there: text.is_some(),
                may_go: spec.left_out.is_some(),
                rows: text.map(|text| rows(specs, text, route)).unwrap_or_default(),
            }
        }
        Editor::OneOf(cases) => one_of(spec, cases, text, route)?,
        Editor::List(list) => {
            let items = text.map(raw::rows).transpose()?.unwrap_or_default();
            let item = |(at, text)| row(list.item, Some(text), route.then(Step::Row(at)));
            Input::List { items: items.into_iter().enumerate().map(item).collect(), list }
        }
        Editor::Map { key, typed } => {
            let pairs: BTreeMap<String, &RawValue> =
                text.map(|text| ron_options().from_str(text)).transpose().map_err(read)?.unwrap_or_default();
            let editor = if typed { Editor::Value } else { Editor::Text };
            let pairs = pairs.into_iter().map(|(key, value)| (key, leaf::shown(editor, value.get_ron()))).collect();
            Input::Map { key, pairs, typed }
        }
        editor => Input::Text {
            text: text.map(|text| leaf::shown(editor, text)).unwrap_or_default(),
            is_there: text.is_some(),
        },
    })
}

fn one_of(spec: &FieldSpec, cases: &'static [Case], text: Option<&str>, route: &Route) -> Result<Input, String> {
    let Some(text) = text.or(spec.left_out.filter(|name| !name.is_empty())) else {
        return Ok(Input::OneOf { chosen: String::new(), cases, rows: Vec::new() });
    };
    let (name, body) = raw::case(text).ok_or_else(|| "This is no case of it".to_owned())?;
    let case = cases.iter().find(|case| case.name == name).ok_or_else(|| format!("`{name}` is not known here"))?;
    let route = route.then(Step::Case(name.into()));
    let rows = match case.body {
        CaseBody::Nothing => Vec::new(),
        CaseBody::One(spec) => vec![row(*spec, Some(raw::inside(body)), route)],
        CaseBody::Fields(specs) => {
            RawStruct::parse(body).map_err(|error| error.to_string())?;
            rows(specs, body, &route)
        }
    };
    Ok(Input::OneOf { chosen: name.to_owned(), cases, rows })
}

impl Row {
    /// The rows inside it.
    pub fn inner(&self) -> &[Row] {
        match &self.input {
            Input::Group { rows, .. } | Input::OneOf { rows, .. } => rows,
            Input::List { items, .. } => items,
            _ => &[],
        }
    }

    fn inner_mut(&mut self) -> &mut [Row] {
        match &mut self.input {
            Input::Group { rows, .. } | Input::OneOf { rows, .. } => rows,
            Input::List { items, .. } => items,
            _ => &mut [],
        }
    }

    /// Findings at the rows inside it, however deep.
    pub fn all_notes(&self) -> Vec<&Note> {
        self.inner().iter().flat_map(|row| row.notes.iter().chain(row.all_notes())).collect()
    }

    /// The value as a text, of what is typed, chosen or switched.
    pub fn text(&self) -> String {
        match &self.input {
            Input::Text { text, .. } | Input::Raw { text, .. } => text.clone(),
            Input::Switch(on) => on.to_string(),
            Input::Choice { chosen, .. } | Input::OneOf { chosen, .. } => chosen.clone(),
            _ => String::new(),
        }
    }

    /// The row at a route, this one or one inside.
    pub fn find(&self, route: &Route) -> Option<&Self> {
        if self.route == *route {
            return Some(self);
        }
        self.inner().iter().find_map(|row| row.find(route))
    }

    /// What one of a list is called in its header: its name, else what and which.
    pub fn heading(&self, one: &str, at: usize) -> String {
        match &self.input {
            Input::OneOf { chosen, cases, .. } => {
                cases.iter().find(|case| case.name == chosen).map_or_else(|| chosen.clone(), |c| c.label.to_owned())
            }
            _ => format!("{} {}", title(one), at + 1),
        }
    }
}

/// Puts findings at the rows whose place they name; what names a part of a row goes to the row.
///
/// Returns the places that no row took.
pub fn annotate(rows: &mut [Row], place: &str, note: &Note) -> bool {
    for row in rows {
        let own = row.route.place();
        let is_inside = own.is_empty() || place.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('.'));
        if place != own && !is_inside {
            continue;
        }
        if annotate(row.inner_mut(), place, note) {
            return true;
        }
        if !row.notes.contains(note) {
            row.notes.push(note.clone());
        }
        return true;
    }
    false
}

/// `other_flows` as people read it: "Other flows".
pub fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    match words.as_str() {
        "email" => return "E-mail".to_owned(),
        "sms" => return "SMS".to_owned(),
        _ => {}
    }
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
