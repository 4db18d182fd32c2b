//! A condition as rows to build with: groups, and one form for each single condition.
//!
//! The text is the truth: rows come from the tree that was read from it, and a turn of a row makes a new tree, which is
//! printed. A group of one part is that part, so a new group begins with two.

mod parts;

use self::parts::{part_changed, parts};
use super::{Change, Row, raw::Step};
use crate::audience::{Condition, condition::parse};

/// Sorts of single conditions: name, label, and one to begin with.
pub const SORTS: &[(&str, &str, &str)] = &[
    ("compare", "A property compares", "contact.language = \"en\""),
    ("did", "Did an event", "did \"Placed Order\" in the last 30 days"),
    ("segment", "In a segment", "in segment \"VIP\""),
    ("list", "On a list", "on list \"Newsletter\""),
    ("consent", "Consent", "email consent is subscribed"),
    ("response", "Response to a message", "opened any message"),
    ("score", "Score", "score \"intent\" >= 50"),
    ("time", "Local time", "local time from 09:00 to 18:00"),
    ("share", "Random share", "share 50 % salt \"test\""),
];

/// One line of the builder.
#[derive(Clone, Debug)]
pub struct Line {
    /// Places from the root on.
    pub at: Vec<usize>,
    /// Whether it stands for its opposite.
    pub negated: bool,
    /// What it is.
    pub what: What,
}

/// What a line is.
#[derive(Clone, Debug)]
pub enum What {
    /// A group: all of its parts, or at least one.
    Group {
        /// All, not any.
        all: bool,
        /// How many parts.
        parts: usize,
    },
    /// A single condition.
    Single {
        /// Its sort, of [`SORTS`].
        sort: &'static str,
        /// What it asks, in words.
        sentence: String,
        /// Its parts.
        rows: Vec<Row>,
    },
}

/// What is done to a line.
#[derive(Clone, PartialEq, Debug)]
pub enum Turn {
    /// A group asks for all or for any of its parts, or for the opposite.
    Group {
        /// All, not any.
        all: bool,
        /// The opposite of it.
        negated: bool,
    },
    /// It stands for its opposite, or not.
    Negate(bool),
    /// It becomes another sort.
    Sort(String),
    /// A part of it changes.
    Part(String, Change),
    /// A condition of a sort is added to a group, or beside a single one.
    Add(String),
    /// A group is added to a group, or beside a single one.
    AddGroup,
    /// It goes.
    Remove,
}

/// The tree of a text, where it can be read whole; `None` where the builder would lose something.
pub fn tree(text: &str) -> Option<Condition> {
    if text.trim().is_empty() {
        return Some(Condition::All(Vec::new()));
    }
    let parsed = parse(text);
    parsed.errors.is_empty().then_some(parsed.condition)
}

/// The text of a tree; nothing for an empty one.
pub fn text(condition: &Condition) -> String {
    match condition {
        Condition::All(parts) if parts.is_empty() => String::new(),
        condition => condition.to_string(),
    }
}

/// The lines of a tree, from the top. The root is shown as a group even where it is a single condition.
pub fn lines(root: &Condition) -> Vec<Line> {
    let mut out = Vec::new();
    if !matches!(bare(root).1, Condition::All(_) | Condition::Any(_)) {
        out.push(Line { at: Vec::new(), negated: false, what: What::Group { all: true, parts: 1 } });
        push(root, vec![0], &mut out);
    } else {
        push(root, Vec::new(), &mut out);
    }
    out
}

fn push(condition: &Condition, at: Vec<usize>, out: &mut Vec<Line>) {
    let (negated, inner) = bare(condition);
    match inner {
        Condition::All(parts) | Condition::Any(parts) => {
            let all = matches!(inner, Condition::All(_));
            out.push(Line { at: at.clone(), negated, what: What::Group { all, parts: parts.len() } });
            for (idx, part) in parts.iter().enumerate() {
                let mut at = at.clone();
                at.push(idx);
                push(part, at, out);
            }
        }
        single => {
            let what = What::Single { sort: sort(single), sentence: single.sentence(), rows: parts(single) };
            out.push(Line { at, negated, what });
        }
    }
}

/// A condition without the "not" around it.
fn bare(condition: &Condition) -> (bool, &Condition) {
    match condition {
        Condition::Not(inner) => {
            let (negated, inner) = bare(inner);
            (!negated, inner)
        }
        other => (false, other),
    }
}

fn wrap(negated: bool, condition: Condition) -> Condition {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

/// The tree after a turn of a line.
///
/// Errors: a sentence for the part.
pub fn turned(root: &Condition, at: &[usize], turn: &Turn) -> Result<Condition, String> {
    // The root as a group, as it is shown.
    let root = match bare(root).1 {
        Condition::All(_) | Condition::Any(_) => root.clone(),
        _ => Condition::All(vec![root.clone()]),
    };
    let turned = change(&root, at, turn)?.unwrap_or(Condition::All(Vec::new()));
    Ok(match turned {
        Condition::All(mut parts) if parts.len() == 1 => parts.remove(0),
        other => other,
    })
}

fn change(here: &Condition, at: &[usize], turn: &Turn) -> Result<Option<Condition>, String> {
    let (negated, inner) = bare(here);
    if let Some((first, rest)) = at.split_first() {
        let (Condition::All(parts) | Condition::Any(parts)) = inner else {
            return Err("This part is gone".to_owned());
        };
        let mut parts = parts.clone();
        let part = parts.get(*first).ok_or("This part is gone")?;
        match change(part, rest, turn)? {
            Some(new) => parts[*first] = new,
            None => {
                parts.remove(*first);
            }
        }
        let all = matches!(inner, Condition::All(_));
        return Ok(if parts.is_empty() { None } else { Some(wrap(negated, group(all, parts))) });
    }
    let begun = |name: &str| -> Result<Condition, String> {
        let (_, _, text) = SORTS.iter().find(|(n, ..)| *n == name).ok_or("There is no such condition")?;
        Ok(parse(text).condition)
    };
    Ok(Some(match turn {
        Turn::Remove => return Ok(None),
        Turn::Negate(on) => wrap(*on, inner.clone()),
        Turn::Group { all, negated } => match inner {
            Condition::All(parts) | Condition::Any(parts) => wrap(*negated, group(*all, parts.clone())),
            single => wrap(*negated, single.clone()),
        },
        Turn::Sort(name) => wrap(negated, begun(name)?),
        Turn::Part(key, change) => wrap(negated, part_changed(inner, key, change)?),
        Turn::Add(_) | Turn::AddGroup => {
            let new = match turn {
                Turn::Add(name) => begun(name)?,
                _ => Condition::Any(vec![begun("compare")?, begun("did")?]),
            };
            match inner {
                Condition::All(parts) | Condition::Any(parts) => {
                    let parts = parts.iter().cloned().chain([new]).collect();
                    wrap(negated, group(matches!(inner, Condition::All(_)), parts))
                }
                single => Condition::All(vec![wrap(negated, single.clone()), new]),
            }
        }
    }))
}

fn group(all: bool, parts: Vec<Condition>) -> Condition {
    if all { Condition::All(parts) } else { Condition::Any(parts) }
}

/// The sort of a single condition; constants have none of their own.
fn sort(condition: &Condition) -> &'static str {
    match condition {
        Condition::Compare { .. } | Condition::IsSet(_) => "compare",
        Condition::Events(_) => "did",
        Condition::InSegment(_) => "segment",
        Condition::InList(_) => "list",
        Condition::Consent { .. } => "consent",
        Condition::Response { .. } => "response",
        Condition::Score { .. } => "score",
        Condition::LocalTime(_) => "time",
        Condition::Share { .. } => "share",
        Condition::Always(_) | Condition::All(_) | Condition::Any(_) | Condition::Not(_) => "",
    }
}

/// The name of a part's row.
pub fn key(row: &Row) -> String {
    match row.route.0.first() {
        Some(Step::Field(name)) => name.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{parts::IS_SET, *};
    use crate::app::inspector::Input;

    #[track_caller]
    fn check(before: &str, at: &[usize], turn: Turn, after: &str) {
        let tree = tree(before).expect("reads");
        let turned = turned(&tree, at, &turn).unwrap_or_else(|why| panic!("{before}: {why}"));
        assert_eq!(text(&turned), after, "{before}");
        assert!(super::tree(after).is_some(), "{after} reads");
    }

    fn typed(key: &str, text: &str) -> Turn {
        Turn::Part(key.to_owned(), Change::Text(text.to_owned()))
    }

    #[test]
    fn turns_make_texts() {
        check("", &[], Turn::Add("list".into()), r#"on list "Newsletter""#);
        check("contact.a = 1", &[], Turn::Add("list".into()), r#"contact.a = 1 and on list "Newsletter""#);
        check(
            "contact.a = 1 and contact.b = 2",
            &[],
            Turn::Group { all: false, negated: false },
            "contact.a = 1 or contact.b = 2",
        );
        check("contact.a = 1 and contact.b = 2", &[1], Turn::Remove, "contact.a = 1");
        check("contact.a = 1", &[0], Turn::Remove, "");
        check("contact.a = 1", &[0], Turn::Negate(true), "not (contact.a = 1)");
        check("not (contact.a = 1)", &[0], typed("right", "2"), "not (contact.a = 2)");
        check("contact.a = 1", &[0], typed("right", "blue sky"), r#"contact.a = "blue sky""#);
        check("contact.a = 1", &[0], typed("right", "now - 7 days"), "contact.a = now - 1 week");
        check("contact.a = 1", &[0], Turn::Part("op".into(), Change::Pick("in".into())), "contact.a in [1]");
        check(r#"contact.a in ["x"]"#, &[0], typed("right", "x, y"), r#"contact.a in ["x", "y"]"#);
        check("contact.a = 1", &[0], Turn::Part("op".into(), Change::Pick(IS_SET.into())), "contact.a is set");
        check("contact.a is set", &[0], Turn::Part("op".into(), Change::Pick("=".into())), r#"contact.a = """#);
        check(r#"did "A""#, &[0], typed("value", "3"), r#"did "A" at least 3 times"#);
        check(
            r#"did "A""#,
            &[0],
            Turn::Part("window".into(), Change::Pick("last".into())),
            r#"did "A" in the last 1 week"#,
        );
        check(r#"did "A" in the last 1 week"#, &[0], typed("span", "2 h"), r#"did "A" in the last 2 h"#);
        check(
            r#"did "A""#,
            &[0],
            Turn::Part("measure".into(), Change::Pick("sum".into())),
            r#"sum of event.value over "A" >= 1"#,
        );
        check(r#"did "A""#, &[0], typed("filter", "event.x = 1"), r#"did "A" where (event.x = 1)"#);
        check("opened any message", &[0], typed("node", "mail-1"), r#"opened "mail-1""#);
        check("share 50 % salt \"s\"", &[0], typed("share", "12.5"), "share 12.5 % salt \"s\"");
        check(
            "contact.a = 1 and (contact.b = 2 or contact.c = 3)",
            &[1, 0],
            Turn::Remove,
            "contact.a = 1 and contact.c = 3",
        );
        check(
            "contact.a = 1",
            &[],
            Turn::AddGroup,
            r#"contact.a = 1 and (contact.language = "en" or did "Placed Order" in the last 30 days)"#,
        );
    }

    #[test]
    fn mistakes_of_parts_are_said() {
        let tree = tree(r#"did "A" in the last 1 week"#).expect("reads");
        for (key, text) in [("span", "soon"), ("value", "many"), ("metric", " "), ("filter", "event.x >")] {
            assert!(turned(&tree, &[0], &typed(key, text)).is_err(), "{key}");
        }
    }

    #[test]
    fn every_sort_has_parts_and_every_part_shows_what_it_is() {
        for (name, _, text) in SORTS {
            let tree = tree(text).expect("reads");
            let lines = lines(&tree);
            let What::Single { sort, rows, sentence } = &lines[1].what else { panic!("{name}") };
            assert_eq!(sort, name);
            assert!(!rows.is_empty() && !sentence.is_empty(), "{name}");
            // What is shown can be set again and changes nothing.
            for row in rows {
                let change = match &row.input {
                    Input::Text { text, .. } => Change::Text(text.clone()),
                    Input::Choice { chosen, .. } => Change::Pick(chosen.clone()),
                    Input::Window(window) => Change::Window(*window),
                    other => panic!("{other:?}"),
                };
                let again =
                    turned(&tree, &[0], &Turn::Part(key(row), change)).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(again.normal_form(), tree.normal_form(), "{name} {}", key(row));
            }
        }
    }
}
