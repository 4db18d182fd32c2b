//! Places inside a RON text, so that one value is changed and all else stays as written.
//!
//! A path goes from settings to a value: `any`, 0, `abandonment`, `after`. Each step is looked up in the text itself,
//! not in a value made from it: what this version does not know comes through untouched.

use std::fmt;

use ron::value::RawValue;
use smol_str::SmolStr;

use crate::{
    flow::file::raw::{RawStruct, offset_in, set_field},
    kinds::ron_options,
};

/// A step of a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// A setting by name.
    Field(SmolStr),
    /// A row by place.
    Row(usize),
    /// What a case holds: `("4 h")` of `for("4 h")`.
    Case(SmolStr),
}

/// The way to a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Route(pub Vec<Step>);

impl Route {
    /// A setting of the whole.
    pub fn field(name: impl AsRef<str>) -> Self {
        Self::default().then(Step::Field(SmolStr::new(name)))
    }

    /// One step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// As places of diagnostics write it: without the names of cases, `any.0.filter`.
    pub fn place(&self) -> String {
        let steps = self.0.iter().filter(|step| !matches!(step, Step::Case(_)));
        steps.map(ToString::to_string).collect::<Vec<_>>().join(".")
    }

    /// The name of the setting it begins with.
    pub fn top(&self) -> &str {
        match self.0.first() {
            Some(Step::Field(name) | Step::Case(name)) => name,
            _ => "",
        }
    }

    /// The place of the row it ends in or goes through last, with the way to the list.
    pub fn last_row(&self) -> Option<(Self, usize)> {
        let at = self.0.iter().rposition(|step| matches!(step, Step::Row(_)))?;
        let Step::Row(row) = self.0[at] else { return None };
        Some((Self(self.0[..at].to_vec()), row))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Row(at) => write!(f, "{at}"),
            Self::Case(name) => write!(f, "<{name}>"),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&steps.join("."))
    }
}

/// A value without the comments in front of it.
fn skip_comments(raw: &str) -> &str {
    let mut rest = raw.trim();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map(|end| &comment[end + 2..])
        } else if let Some(comment) = rest.strip_prefix("//") {
            comment.find('\n').map(|end| &comment[end + 1..])
        } else {
            None
        };
        match after {
            Some(after) => rest = after.trim_start(),
            None => return rest,
        }
    }
}

/// A value without comments in front of it and the `Some(…)` around it, which files may write and need not.
pub fn bare(raw: &str) -> &str {
    let raw = skip_comments(raw);
    match raw.strip_prefix("Some").map(str::trim_start).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')) {
        Some(inner) => inner.trim(),
        None => raw,
    }
}

/// The name of a case, and what stands behind it, with its parentheses: `until`, `(time: "09:00")`.
pub fn case(raw: &str) -> Option<(&str, &str)> {
    let raw = bare(raw);
    let end = raw.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(raw.len());
    let (name, rest) = raw.split_at(end);
    let rest = rest.trim();
    let fits = !name.is_empty() && (rest.is_empty() || (rest.starts_with('(') && rest.ends_with(')')));
    fits.then_some((name, rest))
}

/// What stands in the parentheses of a case of one value.
pub fn inside(body: &str) -> &str {
    let body = body.trim();
    let inner = body.strip_prefix('(').and_then(|b| b.strip_suffix(')')).unwrap_or(body).trim();
    inner.strip_suffix(',').unwrap_or(inner).trim()
}

/// The rows of a list, as written.
pub fn rows(raw: &str) -> Result<Vec<&str>, String> {
    let rows: Vec<&RawValue> = ron_options().from_str(bare(raw)).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|row| skip_comments(row.get_ron())).collect())
}

/// A list of rows: on one line where it is short.
pub fn list(rows: &[String]) -> String {
    let one_line = format!("[{}]", rows.join(", "));
    if one_line.len() <= 100 && !one_line.contains('\n') && !one_line.contains("//") {
        return one_line;
    }
    let rows: String = rows.iter().map(|row| format!("    {row},\n")).collect();
    format!("[\n{rows}]")
}

/// The settings of a group, or of a case with settings: its parentheses.
fn group(raw: &str) -> &str {
    let raw = bare(raw);
    if raw.starts_with('(') { raw } else { case(raw).map_or(raw, |(_, body)| body) }
}

/// The text at a route.
pub fn get<'a>(raw: &'a str, route: &[Step]) -> Option<&'a str> {
    let Some((first, rest)) = route.split_first() else { return Some(raw.trim()) };
    let inner = match first {
        Step::Field(name) => RawStruct::parse(group(raw)).ok()?.get(name)?,
        Step::Row(at) => rows(raw).ok()?.get(*at).copied()?,
        Step::Case(name) => {
            let (there, body) = case(raw)?;
            if there != name {
                return None;
            }
            // Settings keep their parentheses, one value loses them.
            if matches!(rest.first(), Some(Step::Field(_))) { body } else { inside(body) }
        }
    };
    get(inner, rest)
}

/// The text with another value at a route, or without one.
///
/// Errors: a sentence, where the way cannot be gone or the result is no RON.
pub fn set(raw: &str, route: &[Step], value: Option<&str>) -> Result<String, String> {
    let Some((first, rest)) = route.split_first() else {
        return value.map(str::to_owned).ok_or_else(|| "it must be there".to_owned());
    };
    match first {
        Step::Field(name) => {
            let here = group(raw);
            let new = if rest.is_empty() {
                set_field(here, name, value)?
            } else {
                let parsed = RawStruct::parse(here).map_err(|error| error.to_string())?;
                let inner = set(parsed.get(name).unwrap_or("()"), rest, value)?;
                set_field(here, name, Some(&inner))?
            };
            Ok(splice(raw, here, &new))
        }
        Step::Row(at) => {
            let there = rows(raw)?;
            let row = there.get(*at).copied().ok_or_else(|| "this row is gone".to_owned())?;
            if rest.is_empty() && value.is_none() {
                let rest: Vec<String> =
                    there.iter().enumerate().filter(|(n, _)| n != at).map(|(_, row)| (*row).to_owned()).collect();
                return Ok(list(&rest));
            }
            Ok(splice(raw, row, &set(row, rest, value)?))
        }
        Step::Case(name) => {
            let (there, body) = case(raw).ok_or_else(|| "this is no case".to_owned())?;
            if there != name {
                return Err(format!("it is `{there}` by now"));
            }
            if matches!(rest.first(), Some(Step::Field(_))) {
                return Ok(format!("{name}{}", set(body, rest, value)?));
            }
            Ok(format!("{name}({})", set(inside(body), rest, value)?))
        }
    }
}

/// `whole` with `new` in the place of `part`, which is a piece of it.
fn splice(whole: &str, part: &str, new: &str) -> String {
    let start = offset_in(whole, part);
    format!("{}{new}{}", &whole[..start], &whole[start + part.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(text: &str) -> Vec<Step> {
        let step = |part: &str| match (part.parse(), part.strip_prefix('<')) {
            (Ok(at), _) => Step::Row(at),
            (_, Some(case)) => Step::Case(case.trim_end_matches('>').into()),
            _ => Step::Field(part.into()),
        };
        text.split('.').map(step).collect()
    }

    fn check(raw: &str, at: &str, old: Option<&str>, new: Option<&str>, expected: &str) {
        let at = route(at);
        assert_eq!(get(raw, &at), old, "{raw}");
        assert_eq!(set(raw, &at, new).as_deref(), Ok(expected), "{raw}");
    }

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        check(r#"(wait: for("4 h"))"#, "wait.<for>", Some(r#""4 h""#), Some(r#""1 day""#), r#"(wait: for("1 day"))"#);
        check(
            r#"(wait: until(time: "09:00", odd: 1))"#,
            "wait.<until>.time",
            Some(r#""09:00""#),
            Some(r#""10:00""#),
            r#"(wait: until(time: "10:00", odd: 1))"#,
        );
        check(
            r#"(any: [event(event: "A"), /* why */ list(list: "B")])"#,
            "any.1.<list>.list",
            Some(r#""B""#),
            Some(r#""C""#),
            r#"(any: [event(event: "A"), /* why */ list(list: "C")])"#,
        );
        check(r#"(add: ["a", "b"])"#, "add.0", Some(r#""a""#), None, r#"(add: ["b"])"#);
        check(r#"(m: "x")"#, "cooldown.lasts", None, Some(r#""2 h""#), r#"(m: "x", cooldown: (lasts: "2 h"))"#);
        check(r#"(a: Some((b: 1)))"#, "a.b", Some("1"), Some("2"), "(a: Some((b: 2)))");
        check(r#"heading(text: "x")"#, "<heading>.text", Some(r#""x""#), Some(r#""y""#), r#"heading(text: "y")"#);
    }

    #[test]
    fn ways_that_cannot_be_gone() {
        for (raw, at) in [("(a: 1)", "a.0"), ("(a: for(1))", "a.<until>"), ("(a: [1])", "a.3"), ("(a: ", "a")] {
            assert!(set(raw, &route(at), Some("1")).is_err(), "{raw}");
            assert_eq!(get(raw, &route(at)), None, "{raw}");
        }
        assert_eq!(Route(route("any.0.<event>.filter")).place(), "any.0.filter");
    }
}
