//! What an import kept of Klaviyo's JSON, how it is found, and when it still counts.
//!
//! The one idea: an imported flow is exported once, and what that writes differently from the original is kept as a
//! patch, each value beside the one it stands in place of. As long as the exporter still writes that value the original
//! goes back; once an edit makes it write another, the edit counts, and a loss says so. What the exporter does not
//! write at all always goes back. Kept patches lie in the flow's settings ([`KeptJson`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;

use crate::{
    base::NodeId,
    content::Origin,
    flow::{Flow, FlowSettings, KeptJson, Reentry},
    kinds::{Alternative, Settings},
    platforms::kept::{self, KeptPlaces, Leeway, merge},
};

/// Keys that name things inside one body; exports give their own.
const IDS: [&str; 3] = ["id", "temporary_id", "links"];

/// What to keep so that `exported` becomes `original` again; `None` where both say the same. A missing key and null are
/// the same.
pub(super) fn difference(original: &Json, exported: &Json, node: Option<NodeId>) -> Option<KeptJson> {
    let (mut patch, mut was) = (Map::new(), Map::new());
    // Links inside a split are the flow's, whatever else is kept of it; both sides are compared with open ones.
    let (original, exported) = (with_open_branches(original), with_open_branches(exported));
    if let (Json::Object(original), Json::Object(exported)) = (&original, &exported) {
        compare(original, exported, true, &mut patch, &mut was);
    }
    if patch.is_empty() {
        return None;
    }
    let kept = json!({"keep": patch, "instead_of": was});
    Some(KeptJson { origin: Origin::Klaviyo, node, patch: kept.to_string() })
}

fn with_open_branches(action: &Json) -> Json {
    let mut out = action.clone();
    if let Some(Json::Array(branches)) = out.pointer_mut("/data/branches") {
        for branch in branches.iter_mut().filter_map(Json::as_object_mut) {
            branch.insert("links".into(), json!({"next": null}));
        }
    }
    out
}

fn compare(
    original: &Map<String, Json>,
    exported: &Map<String, Json>,
    at_top: bool,
    patch: &mut Map<String, Json>,
    was: &mut Map<String, Json>,
) {
    let is_id = |key: &str| at_top && IDS.contains(&key);
    for (key, value) in original.iter().filter(|(key, _)| !is_id(key)) {
        match (value, exported.get(key)) {
            (value, None | Some(Json::Null)) => {
                if !value.is_null() {
                    patch.insert(key.clone(), value.clone());
                    // A null that the exporter writes is a word of its own.
                    if exported.contains_key(key) {
                        was.insert(key.clone(), Json::Null);
                    }
                }
            }
            (Json::Object(value), Some(Json::Object(written))) => {
                let (mut inner, mut inner_was) = (Map::new(), Map::new());
                compare(value, written, false, &mut inner, &mut inner_was);
                if !inner.is_empty() {
                    patch.insert(key.clone(), Json::Object(inner));
                    was.insert(key.clone(), Json::Object(inner_was));
                }
            }
            (value, Some(written)) if same(value, written) => {}
            (value, Some(written)) => {
                patch.insert(key.clone(), value.clone());
                was.insert(key.clone(), written.clone());
            }
        }
    }
    for (key, written) in exported.iter().filter(|(key, _)| !is_id(key)) {
        if !written.is_null() && !original.contains_key(key) {
            patch.insert(key.clone(), Json::Null);
            was.insert(key.clone(), written.clone());
        }
    }
}

/// Whether two values say the same: 1 and 1.0 do, a missing key and null do.
pub(super) fn same(a: &Json, b: &Json) -> bool {
    kept::same(a, b, Leeway { fills: |_, written| written.is_null(), drops: Json::is_null })
}

/// The re-entry criteria as they came, for as long as the flow has this rule.
pub(super) fn of_reentry(criteria: &Json, rule: &Reentry) -> KeptJson {
    let kept = json!({"keep": {"reentry_criteria": criteria}, "instead_of": {}, "rule": rule});
    KeptJson { origin: Origin::Klaviyo, node: None, patch: kept.to_string() }
}

/// Gives back what an import kept for a step, or for the whole definition without one. The answer names the keys that
/// no longer go back, since somebody edited what they stood for.
pub(super) fn give_back(settings: &FlowSettings, node: Option<&str>, json: &mut Json) -> Vec<String> {
    let mut over = Vec::new();
    let own = settings
        .kept
        .iter()
        .filter(|kept| kept.origin == Origin::Klaviyo && kept.node.as_ref().map(crate::base::NodeId::as_str) == node);
    for kept in own {
        let Ok(patch @ Json::Object(_)) = serde_json::from_str::<Json>(&kept.patch) else { continue };
        let is_current = patch.get("rule").is_none_or(|rule| *rule == json!(settings.reentry));
        match (patch.get("keep"), patch.get("instead_of")) {
            _ if !is_current => over.push("/reentry_criteria".into()),
            (Some(Json::Object(keep)), Some(Json::Object(was))) => apply(json, keep, was, "", &mut over),
            // A plain merge patch, written by hand.
            _ => merge(json, &patch),
        }
    }
    over
}

fn apply(target: &mut Json, keep: &Map<String, Json>, was: &Map<String, Json>, pointer: &str, over: &mut Vec<String>) {
    let Json::Object(target) = target else { return };
    for (key, value) in keep {
        let here = format!("{pointer}/{key}");
        if let (Json::Object(value), Some(Json::Object(inner_was)), Some(inner @ Json::Object(_))) =
            (value, was.get(key), target.get_mut(key))
        {
            apply(inner, value, inner_was, &here, over);
            continue;
        }
        let written = target.get(key).unwrap_or(&Json::Null);
        match was.get(key) {
            Some(was) if !same(was, written) => over.push(here),
            _ if value.is_null() && target.get(key).is_some_and(|_| is_word(key)) => {
                target.insert(key.clone(), Json::Null);
            }
            _ if value.is_null() => {
                target.remove(key);
            }
            _ => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Where in a definition stands what an import kept: locked steps, triggers of Klaviyo's own, and values that went
/// back. `root` is where the definition stands in its body.
pub(super) fn places(flow: &Flow, settings: &FlowSettings, definition: &Json, root: &str) -> KeptPlaces {
    let mut by_node: BTreeMap<Option<&str>, Vec<Json>> = BTreeMap::new();
    for kept in settings.kept.iter().filter(|kept| kept.origin == Origin::Klaviyo) {
        let patch = serde_json::from_str::<Json>(&kept.patch).unwrap_or_default();
        let patch = patch.get("keep").cloned().unwrap_or(patch);
        by_node.entry(kept.node.as_ref().map(NodeId::as_str)).or_default().push(patch);
    }
    let foreign: BTreeSet<&str> = flow
        .nodes
        .iter()
        .filter(|node| matches!(node.settings(), Some(Settings::Foreign(f)) if f.origin == Origin::Klaviyo))
        .map(|node| node.id.as_str())
        .collect();
    let mut out = BTreeSet::new();
    for patch in by_node.get(&None).into_iter().flatten() {
        given_back(patch, definition, root, &mut out);
    }
    let is_kept_trigger = |trigger: &Json| {
        let Some(Settings::Trigger(own)) = flow.trigger().and_then(|node| node.settings()) else { return false };
        own.any.iter().any(|alternative| match alternative {
            Alternative::Foreign(f) if f.origin == Origin::Klaviyo => {
                serde_json::from_str::<Json>(&f.json).is_ok_and(|json| same(&json, trigger))
            }
            _ => false,
        })
    };
    if definition.pointer("/triggers/0").is_some_and(is_kept_trigger) {
        out.insert(format!("{root}/triggers/0"));
    }
    for (n, action) in definition["actions"].as_array().into_iter().flatten().enumerate() {
        // Copies of a step are `id:2`.
        let id = action["temporary_id"].as_str().unwrap_or_default();
        let id = id.split_once(':').map_or(id, |(step, _)| step);
        let here = format!("{root}/actions/{n}");
        if foreign.contains(id) {
            out.insert(here);
            continue;
        }
        for patch in by_node.get(&Some(id)).into_iter().flatten() {
            given_back(patch, action, &here, &mut out);
        }
    }
    KeptPlaces(out)
}

/// The places of a patch that stand in what was written.
fn given_back(patch: &Json, written: &Json, at: &str, out: &mut BTreeSet<String>) {
    let Json::Object(patch) = patch else { return };
    for (key, value) in patch {
        let here = format!("{at}/{}", escaped(key));
        let there = written.get(key).unwrap_or(&Json::Null);
        if same(value, there) {
            out.insert(here);
        } else {
            given_back(value, there, &here, out);
        }
    }
}

/// Keys that older revisions require, so that null is written and not nothing. Source: references, klaviyo, section
/// 5.1.
fn is_word(key: &str) -> bool {
    const WORDS: [&str; 11] = [
        "from_email",
        "from_label",
        "reply_to_email",
        "cc_email",
        "bcc_email",
        "subject_line",
        "preview_text",
        "profile_filter",
        "trigger_filter",
        "branch_filter",
        "entry_action_id",
    ];
    WORDS.contains(&key)
}

/// The ways out of an action: names of ports, and where each link stands in its JSON.
pub(in crate::platforms) fn ways_out(action: &Json) -> Vec<(SmolStr, String)> {
    fn add(out: &mut Vec<(SmolStr, String)>, wanted: &str, pointer: String) {
        let base = port_name(wanted);
        let mut name = base.clone();
        let mut n = 2;
        while out.iter().any(|(taken, _)| *taken == name) {
            name = format!("{base}-{n}");
            n += 1;
        }
        out.push((name.into(), pointer));
    }
    let mut out: Vec<(SmolStr, String)> = Vec::new();
    if let Some(Json::Object(links)) = action.get("links") {
        let known = ["next", "next_if_true", "next_if_false"];
        let others = links.keys().map(String::as_str).filter(|key| !known.contains(key));
        for key in known.into_iter().filter(|key| links.contains_key(*key)).chain(others) {
            let name = match key {
                "next_if_true" => "yes",
                "next_if_false" => "no",
                other => other,
            };
            add(&mut out, name, format!("/links/{}", escaped(key)));
        }
    }
    if let Some(Json::Array(branches)) = action.pointer("/data/branches") {
        for (n, branch) in branches.iter().enumerate() {
            let named = ["name", "branch_id"].iter().find_map(|key| branch.get(*key).and_then(Json::as_str));
            let fallback = format!("branch-{}", n + 1);
            let name =
                if branch.get("is_else") == Some(&Json::Bool(true)) { "else" } else { named.unwrap_or(&fallback) };
            add(&mut out, name, format!("/data/branches/{n}/links/next"));
        }
    }
    if out.is_empty() {
        add(&mut out, "next", "/links/next".into());
    }
    out
}

/// A name as a port: letters, digits, `-` and `_`.
pub(in crate::platforms) fn port_name(wanted: &str) -> String {
    let mut out = String::new();
    for c in wanted.trim().chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(50);
    let out = out.trim_end_matches('-').trim_start_matches('_');
    if out.is_empty() { "arm".to_owned() } else { out.to_owned() }
}

/// A key inside a JSON pointer. Source: RFC 6901, section 3.
pub(in crate::platforms) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// An action as it may be posted: its links open, real ids as temporary ones, without what only an answer holds.
/// Source: references, klaviyo, section 14, step 6.
pub(super) fn to_create_form(action: &Json) -> Json {
    let mut out = action.clone();
    let ways = ways_out(&out);
    if let Json::Object(map) = &mut out {
        map.remove("id");
        map.remove("temporary_id");
        clean_data(map.get_mut("data"));
        if ways.iter().any(|(_, pointer)| pointer == "/links/next") && !map.get("links").is_some_and(Json::is_object) {
            map.insert("links".into(), json!({"next": null}));
        }
        if let Some(Json::Array(branches)) = map.get_mut("data").and_then(|data| data.get_mut("branches")) {
            for branch in branches.iter_mut().filter_map(Json::as_object_mut) {
                branch.insert("links".into(), json!({"next": null}));
            }
        }
    }
    for (_, pointer) in ways {
        if let Some(link) = out.pointer_mut(&pointer) {
            *link = Json::Null;
        }
    }
    out
}

fn clean_data(data: Option<&mut Json>) {
    let Some(Json::Object(data)) = data else { return };
    data.remove("experiment_status");
    if let Some(Json::Object(message)) = data.get_mut("message") {
        message.remove("id");
    }
    if let Some(main) = data.get_mut("main_action") {
        clean_nested(main);
    }
    if let Some(Json::Object(experiment)) = data.get_mut("current_experiment") {
        for read_only in ["id", "started"] {
            experiment.remove(read_only);
        }
        if let Some(Json::Array(variations)) = experiment.get_mut("variations") {
            variations.iter_mut().for_each(clean_nested);
        }
    }
}

/// An action inside another: it keeps its id as a temporary one, since shares are dealt by it.
fn clean_nested(action: &mut Json) {
    let Json::Object(action) = action else { return };
    if let Some(id) = action.remove("id").filter(|id| !id.is_null()) {
        action.insert("temporary_id".into(), id);
    }
    if let Some(Json::Object(message)) = action.get_mut("data").and_then(|data| data.get_mut("message")) {
        message.remove("id");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(original: &Json, exported: &Json) -> FlowSettings {
        FlowSettings {
            kept: difference(original, exported, Some("a".into())).into_iter().collect(),
            ..FlowSettings::default()
        }
    }

    #[track_caller]
    fn check(original: &Json, exported: &Json, edited: &Json, expected: &Json, over: &[&str]) {
        let settings = settings(original, exported);
        let mut json = exported.clone();
        assert!(give_back(&settings, Some("a"), &mut json).is_empty());
        assert!(same(&json, original), "{json}");
        let mut json = edited.clone();
        assert_eq!(give_back(&settings, Some("a"), &mut json), over);
        assert_eq!(&json, expected);
    }

    #[test]
    fn what_was_kept_goes_back_until_it_is_edited() {
        check(
            &json!({"data": {"value": 4, "x": {"deep": [1, null]}, "cc": "a@b.example"}}),
            &json!({"data": {"value": 1.0, "cc": null, "extra": true}}),
            &json!({"data": {"value": 2, "cc": null, "extra": true}}),
            &json!({"data": {"value": 2, "cc": "a@b.example", "x": {"deep": [1, null]}}}),
            &["/data/value"],
        );
        assert_eq!(difference(&json!({"a": 1, "id": "7"}), &json!({"a": 1.0, "b": null}), None), None);
        let mut json = json!({"a": 1});
        assert!(give_back(&settings(&json!({"a": 2}), &json!({"a": 1})), None, &mut json).is_empty());
        assert_eq!(json, json!({"a": 1}), "of another step");
    }

    #[test]
    fn ways_out_have_names() {
        let names =
            |json: Json| ways_out(&json).iter().map(|(name, at)| format!("{name} {at}")).collect::<Vec<_>>().join(", ");
        assert_eq!(names(json!({"links": {"next": "1"}})), "next /links/next");
        assert_eq!(
            names(json!({"links": {"next_if_false": null, "next_if_true": "2"}})),
            "yes /links/next_if_true, no /links/next_if_false"
        );
        assert_eq!(
            names(
                json!({"links": null, "data": {"branches": [{"name": "Big spenders!"}, {"name": "Big spenders"}, {"is_else": true}]}})
            ),
            "Big-spenders /data/branches/0/links/next, Big-spenders-2 /data/branches/1/links/next, else /data/branches/2/links/next"
        );
        assert_eq!(names(json!({})), "next /links/next");
        assert_eq!(names(json!({"links": {"a/b": "1"}})), "a-b /links/a~1b");
    }

    #[test]
    fn answers_become_bodies() {
        let answer = json!({"id": "7", "type": "ab-test", "links": {"next": "8"}, "data": {
            "experiment_status": "live", "main_action": {"id": "9", "data": {"message": {"id": "m"}}},
            "current_experiment": {"id": "e", "started": "x", "variations": [{"id": "10"}], "allocations": {"10": 0.5}}}});
        let expected = json!({"type": "ab-test", "links": {"next": null}, "data": {
            "main_action": {"temporary_id": "9", "data": {"message": {}}},
            "current_experiment": {"variations": [{"temporary_id": "10"}], "allocations": {"10": 0.5}}}});
        assert_eq!(to_create_form(&answer), expected);
    }
}
