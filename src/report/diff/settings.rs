//! Settings of the whole flow, and of a step by the labels of its kind.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{json, texts};
use crate::{
    flow::{Flow, Workspace},
    kinds::Spec,
    report::words,
};

/// Settings of the flow by the rule that people know them by.
const RULES: [(&str, &str); 7] = [
    ("reentry", "Entering again"),
    ("reentry_key", "Entering again"),
    ("exit_when", "Leaves early"),
    ("goal_when", "Goal"),
    ("trigger_latest_age", "Late triggers"),
    ("consent", "Consent"),
    ("quiet_hours", "Quiet hours"),
];

/// What differs in the settings of the whole.
pub(super) fn of_flow(before: &Flow, after: &Flow) -> Vec<String> {
    let (old, new) = (json(&before.settings()), json(&after.settings()));
    let nothing = Workspace::default();
    let (old_rules, new_rules) = (words::rules(before, &nothing), words::rules(after, &nothing));
    let mut out = Vec::new();
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for (key, title) in RULES {
        if old.get(key) == new.get(key) || !said.insert(title) {
            continue;
        }
        let of = |rules: &[words::Rule]| rules.iter().find(|rule| rule.title == title).map(|rule| rule.text.clone());
        let show = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        out.push(format!("{title}: {} \u{2192} {}", show(of(&old_rules)), show(of(&new_rules))));
    }
    let is_rule = |key: &str| RULES.iter().any(|(known, _)| *known == key);
    let rest = by_keys(&old, &new, &|key| (!is_rule(key)).then(|| label_of(key)));
    out.extend(rest);
    out
}

fn label_of(key: &str) -> String {
    match key {
        "tracking" => "added to links:".to_owned(),
        "constants" => "constant".to_owned(),
        "enrol_current" => "lets in contacts for whom the trigger holds already:".to_owned(),
        "pass_limit" => "most arrivals at one step".to_owned(),
        "caps" => "caps of the flow".to_owned(),
        "kept" => "what an import kept".to_owned(),
        other => other.replace('_', " "),
    }
}

/// What differs between two objects, key by key; `label` says what a key is called, or that it is not looked at.
pub(super) fn by_keys(before: &Value, after: &Value, label: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().map_or_else(Vec::new, |map| map.keys().cloned().collect()) };
    let all: BTreeSet<String> = keys(before).into_iter().chain(keys(after)).collect();
    let mut out = Vec::new();
    for key in all {
        let (old, new) = (before.get(&key).unwrap_or(&Value::Null), after.get(&key).unwrap_or(&Value::Null));
        let Some(label) = label(&key).filter(|_| old != new) else { continue };
        // Named values one by one: constants, parameters of links.
        let is_map = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
        if ["tracking", "constants", "headers"].contains(&key.as_str()) && (is_map(old) || is_map(new)) {
            out.extend(by_keys(old, new, &|name| Some(format!("{label} {name}"))));
        } else {
            out.push(change(&label, old, new));
        }
    }
    out
}

/// "cooldown none → 24 h".
pub(super) fn change(label: &str, before: &Value, after: &Value) -> String {
    match (before, after) {
        (Value::String(old), Value::String(new)) if old.len() + new.len() > 60 => {
            format!("{label}: {}", texts::change(old, new))
        }
        // Parts that are the same say nothing.
        (Value::Object(old), Value::Object(new)) if old.len() > 1 && old.keys().eq(new.keys()) => {
            let parts = old.iter().zip(new.values()).filter(|((_, old), new)| old != new);
            let parts = parts.map(|((key, old), new)| change(&key.replace('_', " "), old, new));
            format!("{label}: {}", parts.collect::<Vec<_>>().join(", "))
        }
        _ => format!("{label} {} \u{2192} {}", shown(before), shown(after)),
    }
}

/// A value in words.
pub(super) fn shown(value: &Value) -> String {
    let all = match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), crate::audience::print_number),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            let parts = map.iter().map(|(key, value)| format!("{} {}", key.replace('_', " "), shown(value)));
            parts.collect::<Vec<_>>().join(" ")
        }
    };
    texts::cut(&all)
}

/// What differs between the settings of two steps of a kind, by the kind's own labels.
pub(super) fn of_kind(spec: &Spec, before: &Value, after: &Value, skip: &[&str]) -> Vec<String> {
    by_keys(before, after, &|key| {
        if skip.contains(&key) {
            return None;
        }
        let label = spec.fields.iter().find(|field| field.name == key).map_or(key, |field| field.label);
        let mut chars = label.chars();
        let first = chars.next()?;
        // "SMS", "URL" stay as they are.
        let is_word = chars.clone().next().is_none_or(char::is_lowercase);
        Some(if is_word { first.to_lowercase().chain(chars).collect() } else { label.to_owned() }.replace('_', " "))
    })
}
