//! What a hand does to a row, and the settings after it.

use std::collections::BTreeSet;

use super::{
    leaf,
    raw::{self, Route, Step},
};
use crate::{
    audience::print_number,
    base::{Weekdays, Window, id::is_wellformed},
    flow::file::raw::RawStruct,
    kinds::{Case, CaseBody, Editor, FieldSpec, ListSpec, ron_options},
};

/// What is done to a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Typed, in a row with a text.
    Text(String),
    /// Switched.
    Switch(bool),
    /// Chosen: a name of a closed list, or a case. The empty name takes it out.
    Pick(String),
    /// A daily window set, or taken out.
    Window(Option<Window>),
    /// Days of the week.
    Weekdays(Weekdays),
    /// Settings of their own are begun, or taken out.
    There(bool),
    /// A row is added to a list; of cases, this one.
    Add(String),
    /// A row is taken out of the list.
    Remove(usize),
    /// A row moves to another place.
    Move(usize, usize),
    /// All pairs of a map.
    Pairs(Vec<(String, String)>),
    /// RON as it is.
    Raw(String),
}

impl Change {
    /// Whether it is one of many small ones that make one step of the history.
    pub fn is_typing(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Raw(_) | Self::Pairs(_))
    }
}

/// The spec that the catalogue has for a route.
pub fn spec_at(specs: &'static [FieldSpec], route: &[Step]) -> Option<FieldSpec> {
    let (Step::Field(name), rest) = route.split_first()? else { return None };
    let spec = specs.iter().find(|spec| spec.name == name)?;
    below(*spec, rest)
}

/// The spec of what stands inside a value.
pub fn below(spec: FieldSpec, route: &[Step]) -> Option<FieldSpec> {
    let Some((first, rest)) = route.split_first() else { return Some(spec) };
    match (first, spec.editor) {
        (Step::Field(_), Editor::Group(specs)) => spec_at(specs, route),
        (Step::Row(_), Editor::List(list)) => below(list.item, rest),
        (Step::Case(name), Editor::OneOf(cases)) => match cases.iter().find(|case| case.name == name)?.body {
            CaseBody::Nothing => None,
            CaseBody::One(spec) => below(*spec, rest),
            CaseBody::Fields(specs) => spec_at(specs, rest),
        },
        _ => None,
    }
}

/// The settings after a change at a route of known spec.
///
/// Errors: a sentence for the field.
pub fn changed(settings: &str, spec: &FieldSpec, route: &Route, change: &Change) -> Result<String, String> {
    let value = value(settings, spec, route, change)?;
    let settings = raw::set(settings, &route.0, value.as_deref())?;
    balance(settings, route)
}

/// The new RON at the route; `None` takes it out.
fn value(settings: &str, spec: &FieldSpec, route: &Route, change: &Change) -> Result<Option<String>, String> {
    let old = raw::get(settings, &route.0).map(raw::bare);
    let may_go = spec.left_out.is_some();
    let gone = || if may_go { Ok(None) } else { Err(format!("{} must be there", spec.label)) };
    match (spec.editor, change) {
        (_, Change::Raw(ron)) => Ok(Some(ron.clone()).filter(|ron| !ron.trim().is_empty())),
        (Editor::Switch, Change::Switch(on)) => {
            let is_default = spec.left_out == Some(if *on { "true" } else { "false" });
            Ok(if is_default { None } else { Some(on.to_string()) })
        }
        (Editor::Choice(_), Change::Pick(name)) => {
            if name.is_empty() || spec.left_out == Some(name) {
                return gone();
            }
            // Where files hold a text rather than a name, as colours are, it stays one.
            let is_text = old.is_some_and(|old| old.starts_with('"')) || spec.name == "color";
            Ok(Some(if is_text { leaf::text_ron(name) } else { name.clone() }))
        }
        (Editor::OneOf(cases), Change::Pick(name)) => {
            if name.is_empty() || spec.left_out == Some(name) {
                return gone();
            }
            pick(cases, name, old).map(Some)
        }
        (Editor::Window, Change::Window(None)) => gone(),
        (Editor::Window, Change::Window(Some(window))) => {
            let days = if window.weekdays == Weekdays::ALL {
                String::new()
            } else {
                format!(", weekdays: {}", weekdays_ron(window.weekdays))
            };
            Ok(Some(format!("(from: \"{}\", until: \"{}\"{days})", window.from, window.until)))
        }
        (Editor::Weekdays, Change::Weekdays(days)) => {
            Ok(if may_go && *days == Weekdays::ALL { None } else { Some(weekdays_ron(*days)) })
        }
        (Editor::Group(_), Change::There(false)) => gone(),
        (Editor::Group(specs), Change::There(true)) => Ok(Some(example(specs))),
        (Editor::List(list), change) => rows(list, old.unwrap_or("[]"), change, spec.left_out == Some("")),
        (Editor::Map { typed, .. }, Change::Pairs(pairs)) => pairs_ron(pairs, typed, may_go),
        (_, Change::Text(text)) => {
            if spec.name == "name" && route.last_row().is_some() {
                check_name(settings, route, text.trim())?;
            }
            leaf::ron(spec, text)
        }
        (_, change) => Err(format!("{change:?} does not fit {}", spec.label)),
    }
}

/// A new group: what must be in it, with something to begin with.
pub fn example(specs: &[FieldSpec]) -> String {
    let rows: Vec<String> = specs
        .iter()
        .filter(|spec| spec.left_out.is_none())
        .map(|spec| {
            let value = match spec.editor {
                Editor::Span => "\"24 h\"".to_owned(),
                Editor::Number => "100".to_owned(),
                Editor::Switch => "false".to_owned(),
                Editor::Time => "\"09:00\"".to_owned(),
                Editor::Choice(names) => names.first().map_or_else(|| "\"\"".to_owned(), |name| (*name).to_owned()),
                Editor::OneOf(cases) => cases.first().map(|c| format!("{}{}", c.name, c.new)).unwrap_or_default(),
                Editor::List(_) => "[]".to_owned(),
                Editor::Group(specs) => example(specs),
                _ => "\"\"".to_owned(),
            };
            format!("{}: {value}", spec.name)
        })
        .collect();
    format!("({})", rows.join(", "))
}

/// Another case, with the settings that both have.
fn pick(cases: &[Case], name: &str, old: Option<&str>) -> Result<String, String> {
    let case = cases.iter().find(|case| case.name == name).ok_or_else(|| format!("There is no `{name}`"))?;
    let mut body = case.new.to_owned();
    let before = old.and_then(raw::case);
    if before.is_some_and(|(there, _)| there == name) {
        return Ok(old.unwrap_or_default().to_owned());
    }
    if let (CaseBody::Fields(specs), Some((there, from))) = (case.body, before)
        && let Some(CaseBody::Fields(had)) = cases.iter().find(|case| case.name == there).map(|case| case.body)
        && let Ok(from) = RawStruct::parse(from)
    {
        for spec in specs {
            let same = had.iter().any(|h| h.name == spec.name && same_sort(h.editor, spec.editor));
            if let (true, Some(value)) = (same, from.get(spec.name)) {
                body = crate::flow::file::raw::set_field(&body, spec.name, Some(value))?;
            }
        }
    }
    Ok(format!("{name}{body}"))
}

fn same_sort(a: Editor, b: Editor) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

fn weekdays_ron(days: Weekdays) -> String {
    let names: Vec<String> = days.iter().map(|day| format!("{day:?}").to_lowercase()).collect();
    format!("[{}]", names.join(", "))
}

fn pairs_ron(pairs: &[(String, String)], typed: bool, may_go: bool) -> Result<Option<String>, String> {
    if pairs.is_empty() && may_go {
        return Ok(None);
    }
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (key, value) in pairs {
        let key = key.trim();
        if key.is_empty() {
            return Err("Every row needs a name".to_owned());
        }
        if !seen.insert(key) {
            return Err(format!("`{key}` is there twice"));
        }
        let value = if typed { leaf::typed_ron(value) } else { leaf::text_ron(value) };
        out.push(format!("{}: {value}", leaf::text_ron(key)));
    }
    Ok(Some(format!("{{{}}}", out.join(", "))))
}

fn rows(list: &ListSpec, old: &str, change: &Change, may_go: bool) -> Result<Option<String>, String> {
    let mut rows: Vec<String> = raw::rows(old)?.into_iter().map(str::to_owned).collect();
    match change {
        Change::Add(name) => {
            let new = match list.item.editor {
                Editor::OneOf(cases) => {
                    let case = cases.iter().find(|case| case.name == name).or(cases.first());
                    case.map(|case| format!("{}{}", case.name, case.new)).unwrap_or_default()
                }
                _ => list.new.to_owned(),
            };
            rows.push(fresh_name(&rows, &new)?);
        }
        Change::Remove(at) => {
            if *at >= rows.len() {
                return Err("This row is gone".to_owned());
            }
            rows.remove(*at);
        }
        Change::Move(from, to) => {
            if *from >= rows.len() || *to >= rows.len() {
                return Err("There is no such place".to_owned());
            }
            let row = rows.remove(*from);
            rows.insert(*to, row);
        }
        change => return Err(format!("{change:?} does not fit a list")),
    }
    Ok(if rows.is_empty() && may_go { None } else { Some(raw::list(&rows)) })
}

/// A new row with a name that no other row has: `arm-3`, or for the first letters of the alphabet the next one.
fn fresh_name(rows: &[String], new: &str) -> Result<String, String> {
    let name =
        |row: &str| RawStruct::parse(row).ok().and_then(|row| ron_options().from_str::<String>(row.get("name")?).ok());
    let Some(stem) = name(new) else { return Ok(new.to_owned()) };
    let taken: BTreeSet<String> = rows.iter().filter_map(|row| name(row)).collect();
    let letters = taken.iter().all(|name| name.len() == 1 && name.bytes().all(|b| b.is_ascii_lowercase()));
    let letter = ('a'..='z').map(String::from).find(|letter| !taken.contains(letter)).filter(|_| letters);
    let mut n = rows.len() + 1;
    while taken.contains(&format!("{stem}-{n}")) {
        n += 1;
    }
    let fresh = letter.unwrap_or_else(|| format!("{stem}-{n}"));
    crate::flow::file::raw::set_field(new, "name", Some(&leaf::text_ron(&fresh)))
}

/// A row's name is a way out of the step: well formed, and no other row's.
fn check_name(settings: &str, route: &Route, name: &str) -> Result<(), String> {
    if !is_wellformed(name) {
        return Err("Use 1 to 64 letters, digits, - or _".to_owned());
    }
    let Some((list, own)) = route.last_row() else { return Ok(()) };
    let rows = raw::get(settings, &list.0).map(raw::rows).transpose()?.unwrap_or_default();
    let is_taken = rows.iter().enumerate().any(|(at, row)| {
        at != own
            && RawStruct::parse(row)
                .ok()
                .and_then(|row| ron_options().from_str::<String>(row.get("name")?).ok())
                .is_some_and(|other| other == name)
    });
    if is_taken || matches!(name, "else") { Err(format!("The name `{name}` is taken")) } else { Ok(()) }
}

/// Weights of split arms come to 100 after every change: the one that was typed stays, the others share the rest.
fn balance(settings: String, route: &Route) -> Result<String, String> {
    let is_arms = matches!(route.0.first(), Some(Step::Field(name)) if name == "arms");
    if !is_arms {
        return Ok(settings);
    }
    let Some(there) = raw::get(&settings, &route.0[..1]) else { return Ok(settings) };
    let rows: Vec<String> = raw::rows(there)?.into_iter().map(str::to_owned).collect();
    let weight = |row: &String| {
        RawStruct::parse(row).ok().and_then(|row| ron_options().from_str::<f64>(row.get("weight")?).ok())
    };
    let Some(weights) = rows.iter().map(weight).collect::<Option<Vec<f64>>>() else { return Ok(settings) };
    let typed = match route.0.as_slice() {
        [_, Step::Row(at), Step::Field(name)] if name == "weight" => Some(*at),
        [_] => None,
        // A name or a switch changes no weight.
        _ => return Ok(settings),
    };
    let weights = scaled(&weights, typed);
    let mut settings = settings;
    for (at, weight) in weights.iter().enumerate() {
        let route = [route.0[0].clone(), Step::Row(at), Step::Field("weight".into())];
        settings = raw::set(&settings, &route, Some(&print_number(*weight)))?;
    }
    Ok(settings)
}

/// Weights in percent, two decimals, that come to 100. `kept` stays as it is where there is somebody to share the rest;
/// new arms, which begin with 0, get an equal share.
pub fn scaled(weights: &[f64], kept: Option<usize>) -> Vec<f64> {
    let count = weights.len();
    if count == 0 {
        return Vec::new();
    }
    // In hundredths of a percent, so that sums are exact.
    let mut cents: Vec<i64> = weights.iter().map(|w| (w.clamp(0.0, 1e6) * 100.0).round() as i64).collect();
    if kept.is_none()
        && let [others @ .., 0] = cents.as_slice()
        && others.iter().sum::<i64>() == 10_000
    {
        let share = 10_000 / count as i64;
        let shared = scaled_cents(others, 10_000 - share);
        cents = shared.into_iter().chain([share]).collect();
    }
    let total = 10_000 - kept.map_or(0, |at| cents[at].min(10_000));
    let others: Vec<i64> = cents.iter().enumerate().filter(|(at, _)| Some(*at) != kept).map(|(_, c)| *c).collect();
    let mut shared = scaled_cents(&others, total).into_iter();
    let out = (0..count)
        .map(|at| if Some(at) == kept && count > 1 { cents[at].min(10_000) } else { shared.next().unwrap_or(10_000) });
    out.map(|cents| cents as f64 / 100.0).collect()
}

/// Whole numbers in the same proportion that come to `total`; the largest remainders are rounded up.
fn scaled_cents(parts: &[i64], total: i64) -> Vec<i64> {
    let sum: i64 = parts.iter().sum();
    let count = parts.len() as i64;
    let share = |part: i64| if sum > 0 { (part * total / sum, part * total % sum) } else { (total / count, 0) };
    let shares: Vec<(i64, i64)> = parts.iter().map(|part| share(*part)).collect();
    let mut missing = total - shares.iter().map(|(whole, _)| whole).sum::<i64>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(shares[*at].1));
    let mut out: Vec<i64> = shares.into_iter().map(|(whole, _)| whole).collect();
    for at in order {
        if missing == 0 {
            break;
        }
        out[at] += 1;
        missing -= 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_to_100() {
        for (weights, kept, expected) in [
            (vec![50.0, 50.0], Some(0), vec![50.0, 50.0]),
            (vec![70.0, 50.0], Some(0), vec![70.0, 30.0]),
            (vec![60.0, 25.0, 25.0], Some(0), vec![60.0, 20.0, 20.0]),
            (vec![100.0, 25.0, 75.0], Some(0), vec![100.0, 0.0, 0.0]),
            (vec![40.0, 0.0, 0.0], Some(0), vec![40.0, 30.0, 30.0]),
            (vec![50.0, 50.0, 0.0], None, vec![33.34, 33.33, 33.33]),
            (vec![33.33, 33.34], None, vec![49.99, 50.01]),
            (vec![40.0], Some(0), vec![100.0]),
        ] {
            let got = scaled(&weights, kept);
            assert_eq!(got, expected, "{weights:?}");
            assert_eq!(got.iter().map(|w| (w * 100.0).round() as i64).sum::<i64>(), 10_000);
        }
    }
}
