//! The lints that the schema cannot do, over a produced (or pasted) create-flow body.
//!
//! Source: references, Klaviyo 9, numbers 1 to 13; each message begins with the JSON pointer it is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::{
    base::{Diagnostic, Place, Severity},
    platforms::kept::KeptPlaces,
};

struct Found<'k> {
    all: Vec<Diagnostic>,
    kept: &'k KeptPlaces,
}

impl Found<'_> {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        pointer: &str,
        message: impl std::fmt::Display,
        hint: &str,
    ) {
        let found = Diagnostic::new(severity, code, Place::default(), format!("{pointer}: {message}")).hint(hint);
        self.all.push(self.kept.judge(pointer, found));
    }

    fn error(&mut self, code: &'static str, pointer: &str, message: impl std::fmt::Display) {
        self.add(Severity::Error, code, pointer, message, REFUSED);
    }

    /// A fault of the graph, which is ours whatever its steps hold.
    fn graph(&mut self, code: &'static str, pointer: &str, message: impl std::fmt::Display) {
        self.all.push(Diagnostic::error(code, Place::default(), format!("{pointer}: {message}")).hint(REFUSED));
    }
}

const REFUSED: &str = "Klaviyo would refuse or misread this body";

/// What is wrong with a create-flow body beyond what the schema says.
pub fn lint(body: &Json, revision: &str) -> Vec<Diagnostic> {
    lint_kept(body, revision, &KeptPlaces::default())
}

/// The same, where some places hold what an import kept.
pub(super) fn lint_kept(body: &Json, revision: &str, kept: &KeptPlaces) -> Vec<Diagnostic> {
    let mut found = Found { all: Vec::new(), kept };
    let root = "/data/attributes/definition";
    let Some(definition) = body.pointer(root) else {
        found.error("klaviyo/lint-shape", root, "the definition is missing");
        return found.all;
    };
    let empty = Vec::new();
    let triggers = definition["triggers"].as_array().unwrap_or(&empty);
    let actions = definition["actions"].as_array().unwrap_or(&empty);
    let trigger = triggers.first().unwrap_or(&Json::Null);
    let kind = trigger["type"].as_str().unwrap_or_default();
    // 1
    if triggers.len() != 1 {
        found.error(
            "klaviyo/lint-trigger",
            &format!("{root}/triggers"),
            format!("{} triggers where exactly one is taken", triggers.len()),
        );
    }
    if matches!(kind, "metric" | "list" | "segment") && trigger["id"].as_str().unwrap_or_default().is_empty() {
        found.error("klaviyo/lint-trigger", &format!("{root}/triggers/0"), "the trigger has no id");
    }
    graph(definition, actions, root, &mut found);
    for (n, action) in actions.iter().enumerate() {
        let at = format!("{root}/actions/{n}");
        check_action(action, &at, trigger, kind, &mut found);
    }
    let day = revision.get(..10).unwrap_or(revision);
    filters(definition, root, root, (trigger["id"].as_str(), has_event(kind)), day, &mut found);
    // 13
    if revision.len() < 10 || revision.get(4..5) != Some("-") {
        found.error("klaviyo/lint-revision", "", format!("`{revision}` is not a revision"));
    }
    let newest = [
        ("multi-branch-split", "2026-01-15"),
        ("content-experiment", "2025-10-15"),
        ("send-whatsapp", "2025-10-15"),
        ("action-output-split", "2025-10-15"),
    ];
    for (n, action) in actions.iter().enumerate() {
        let since = newest.iter().find(|(kind, _)| action["type"] == *kind);
        if let Some((kind, since)) = since.filter(|(_, since)| revision.get(..10).unwrap_or(revision) < *since) {
            found.error(
                "klaviyo/lint-revision",
                &format!("{root}/actions/{n}/type"),
                format!("`{kind}` needs revision {since} or later, the body is for {revision}"),
            );
        }
    }
    if !definition["reentry_criteria"].is_null() && revision.get(..10).unwrap_or(revision) < "2026-01-15" {
        found.error(
            "klaviyo/lint-revision",
            &format!("{root}/reentry_criteria"),
            format!("re-entry criteria need revision 2026-01-15 or later, the body is for {revision}"),
        );
    }
    found.all
}

/// Links of an action: name for people, target.
fn links(action: &Json) -> Vec<(String, Option<&str>)> {
    let mut out = Vec::new();
    if let Some(map) = action["links"].as_object() {
        out.extend(map.iter().map(|(name, to)| (name.clone(), to.as_str())));
    }
    if let Some(branches) = action["data"]["branches"].as_array() {
        let each = branches.iter().enumerate();
        out.extend(each.map(|(n, b)| (format!("branches/{n}"), b["links"]["next"].as_str())));
    }
    out
}

/// 2, 3, 4
fn graph(definition: &Json, actions: &[Json], root: &str, found: &mut Found<'_>) {
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for (n, action) in actions.iter().enumerate() {
        let at = format!("{root}/actions/{n}");
        match action["temporary_id"].as_str() {
            Some(id) => {
                by_id.insert(id, n);
                if !all.insert(id) {
                    found.graph("klaviyo/lint-id", &at, format!("the temporary id `{id}` is taken"));
                }
            }
            None => found.graph("klaviyo/lint-id", &at, "an action without temporary id"),
        }
        let inner = std::iter::once(&action["data"]["main_action"])
            .chain(action["data"]["current_experiment"]["variations"].as_array().into_iter().flatten())
            .filter(|a| a.is_object());
        for inner in inner {
            if inner["temporary_id"].as_str().is_none_or(|id| !all.insert(id)) {
                found.error("klaviyo/lint-id", &at, "an action inside a test has no temporary id of its own");
            }
        }
        for (path, forbidden) in [
            ("/id", "id"),
            ("/data/experiment_status", "experiment_status"),
            ("/data/current_experiment/started", "started"),
            ("/data/current_experiment/id", "id"),
            ("/data/message/id", "id"),
        ] {
            if action.pointer(path).is_some() {
                found.error("klaviyo/lint-id", &at, format!("`{forbidden}` is not taken on create"));
            }
        }
    }
    let entry = definition["entry_action_id"].as_str();
    let start = entry.and_then(|id| by_id.get(id).copied());
    if start.is_none() && (entry.is_some() || !actions.is_empty()) {
        found.graph("klaviyo/lint-link", &format!("{root}/entry_action_id"), "names no action");
    }
    let targets: Vec<Vec<usize>> = actions
        .iter()
        .enumerate()
        .map(|(n, action)| {
            let mut out = Vec::new();
            for (name, to) in links(action) {
                let Some(to) = to else { continue };
                match by_id.get(to) {
                    Some(to) => out.push(*to),
                    None => found.graph(
                        "klaviyo/lint-link",
                        &format!("{root}/actions/{n}"),
                        format!("the link {name} leads to `{to}`, which does not exist"),
                    ),
                }
            }
            out
        })
        .collect();
    // Reachable, and no loop: white, grey, black.
    let mut colour = vec![0_u8; actions.len()];
    let mut finished = Vec::new();
    let mut stack: Vec<(usize, usize)> = start.map(|at| (at, 0)).into_iter().collect();
    if let Some(at) = start {
        colour[at] = 1;
    }
    while let Some((at, next)) = stack.pop() {
        let Some(&to) = targets[at].get(next) else {
            colour[at] = 2;
            finished.push(at);
            continue;
        };
        stack.push((at, next + 1));
        match colour[to] {
            0 => {
                colour[to] = 1;
                stack.push((to, 0));
            }
            1 => found.graph("klaviyo/lint-cycle", &format!("{root}/actions/{at}"), "a link closes a loop"),
            _ => {}
        }
    }
    for (n, colour) in colour.iter().enumerate() {
        if *colour == 0 {
            found.graph("klaviyo/lint-unreachable", &format!("{root}/actions/{n}"), "nothing leads here");
        }
    }
    joins(actions, &targets, &finished, root, found);
}

/// A join is fine where both links come from the YES and the NO path of one split, inner splits closed before it
/// (references, Klaviyo 2). `finished` has every action after all that it leads to, without loops.
fn joins(actions: &[Json], targets: &[Vec<usize>], finished: &[usize], root: &str, found: &mut Found<'_>) {
    let mut num_parents = vec![0_usize; actions.len()];
    targets.iter().flatten().for_each(|to| num_parents[*to] += 1);
    // Where the two paths of a split meet again, if they do so soundly.
    let mut closes: Vec<Option<usize>> = vec![None; actions.len()];
    let by_id: BTreeMap<&str, usize> =
        actions.iter().enumerate().filter_map(|(n, action)| Some((action["temporary_id"].as_str()?, n))).collect();
    let link = |at: usize, key: &str| actions[at]["links"][key].as_str().and_then(|id| by_id.get(id).copied());
    let is_split = |at: usize| actions[at]["links"].get("next_if_true").is_some();
    for at in finished.iter().copied().filter(|at| is_split(*at)) {
        // The steps of one path, inner splits passed over where they are closed.
        let path = |key: &str| {
            let mut steps = Vec::new();
            let mut next = link(at, key);
            while let Some(here) = next.filter(|_| steps.len() < actions.len()) {
                steps.push(here);
                next = if is_split(here) { closes[here] } else { link(here, "next") };
            }
            steps
        };
        let (yes, no) = (path("next_if_true"), path("next_if_false"));
        let no: BTreeSet<usize> = no.into_iter().collect();
        closes[at] = yes.into_iter().find(|step| no.contains(step)).filter(|step| num_parents[*step] == 2);
    }
    let sound: BTreeSet<usize> = closes.into_iter().flatten().collect();
    for at in (0..actions.len()).filter(|at| num_parents[*at] > 1 && !sound.contains(at)) {
        found.add(
            Severity::Warning,
            "klaviyo/lint-join",
            &format!("{root}/actions/{at}"),
            "paths meet here in a way that the editor may not show",
            "Copy the steps after it into each path",
        );
    }
}

fn check_action(action: &Json, at: &str, trigger: &Json, kind: &str, found: &mut Found<'_>) {
    let data = &action["data"];
    match action["type"].as_str().unwrap_or_default() {
        "trigger-split" => {
            // 1, 7
            if data["trigger_id"] != trigger["id"] || data["trigger_type"] != kind {
                found.error(
                    "klaviyo/lint-trigger",
                    &format!("{at}/data/trigger_id"),
                    "the split asks another trigger than the flow's",
                );
            }
            if !has_event(kind) {
                found.error(
                    "klaviyo/lint-event",
                    &format!("{at}/data/trigger_type"),
                    format!("a {kind} trigger has no event to ask"),
                );
            }
        }
        // 5
        "time-delay" => {
            let until = !data["delay_until_time"].is_null() || !data["delay_until_weekdays"].is_null();
            if until && data["unit"] != "days" {
                found.error(
                    "klaviyo/lint-delay",
                    &format!("{at}/data/unit"),
                    "a time of day or weekday is taken with days only",
                );
            }
            if data["value"].as_i64().unwrap_or(0) < 1 {
                found.error("klaviyo/lint-delay", &format!("{at}/data/value"), "a delay below one");
            }
        }
        "send-email" => email(&data["message"], at, kind, found),
        "send-sms" | "send-webhook" => event_tags(&data["message"]["body"], at, kind, found),
        "send-internal-alert" => event_tags(&data["message"]["subject_line"], at, kind, found),
        "ab-test" => {
            // 10
            let variations = data["current_experiment"]["variations"].as_array().map_or(0, Vec::len);
            if variations < 2 {
                found.error(
                    "klaviyo/lint-test",
                    &format!("{at}/data/current_experiment"),
                    "a test with fewer than two variations",
                );
            }
            for inner in
                data["current_experiment"]["variations"].as_array().into_iter().flatten().chain([&data["main_action"]])
            {
                if inner["type"] == "send-email" {
                    email(&inner["data"]["message"], at, kind, found);
                }
            }
        }
        // 12
        "multi-branch-split" => {
            let empty = Vec::new();
            let branches_at = format!("{at}/data/branches");
            let branches = data["branches"].as_array().unwrap_or(&empty);
            let ids: BTreeSet<Option<&str>> = branches.iter().map(|b| b["branch_id"].as_str()).collect();
            let elses = branches.iter().filter(|b| b["is_else"] == true).count();
            if elses != 1 || branches.last().is_none_or(|b| b["is_else"] != true) {
                found.error(
                    "klaviyo/lint-branch",
                    &branches_at,
                    "\u{201c}everyone else\u{201d} must be there once, and last",
                );
            }
            if branches.len() > 20 || ids.len() != branches.len() {
                found.error("klaviyo/lint-branch", &branches_at, "more than 20 paths, or two with one id");
            }
        }
        _ => {}
    }
}

/// 6, 11
fn email(message: &Json, at: &str, kind: &str, found: &mut Found<'_>) {
    for (key, what) in [
        ("template_id", "template"),
        ("subject_line", "subject"),
        ("from_email", "sender address"),
        ("from_label", "sender name"),
        ("name", "name"),
    ] {
        if message[key].as_str().unwrap_or_default().is_empty() {
            found.add(
                Severity::Warning,
                "klaviyo/lint-email",
                at,
                format!("the message has no {what}"),
                if key.starts_with("from") {
                    "Name a sender in the workspace and choose it in the flow"
                } else {
                    "Fill it in"
                },
            );
        }
    }
    for key in ["subject_line", "preview_text"] {
        event_tags(&message[key], at, kind, found);
    }
}

/// 11, over the templates that lie beside a body whose trigger is `kind`: message and text of each.
pub fn lint_templates<'a>(templates: impl Iterator<Item = (&'a str, &'a str)>, kind: &str) -> Vec<Diagnostic> {
    let kept = KeptPlaces::default();
    let mut found = Found { all: Vec::new(), kept: &kept };
    if has_event(kind) {
        return found.all;
    }
    for (message, text) in templates {
        let before = found.all.len();
        event_tags(&Json::String(text.to_owned()), &format!("template of `{message}`"), kind, &mut found);
        found.all[before..].iter_mut().for_each(|diagnostic| diagnostic.place = Place::message(message));
    }
    found.all.dedup();
    found.all
}

/// Whether a trigger brings an event along.
fn has_event(kind: &str) -> bool {
    matches!(kind, "metric" | "price-drop" | "low-inventory")
}

/// Whether a template names the event inside a tag: `{{ event.x }}`, `{% if event|lookup:'x' %}`.
fn names_event(text: &str) -> bool {
    let inside = |open: &str, close: &str| {
        let tags = text.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0));
        tags.into_iter().any(|tag| {
            tag.match_indices("event").any(|(at, word)| {
                let before = tag[..at].chars().next_back();
                let after = tag[at + word.len()..].chars().next();
                before.is_none_or(|c| !(c.is_alphanumeric() || "_.'\"".contains(c))) && matches!(after, Some('.' | '|'))
            })
        })
    };
    inside("{{", "}}") || inside("{%", "%}")
}

fn event_tags(text: &Json, at: &str, kind: &str, found: &mut Found<'_>) {
    let text = text.as_str().unwrap_or_default();
    if !has_event(kind) && names_event(text) {
        found.add(
            Severity::Warning,
            "klaviyo/lint-event-tag",
            at,
            format!("event tags stay empty in a flow with a {kind} trigger"),
            "Use a property of the profile, or start the flow by an event",
        );
    }
}

/// 7, 8, 9, 10 and 13 in every filter, wherever it stands.
fn filters(
    value: &Json,
    at: &str,
    root: &str,
    (metric, has_event): (Option<&str>, bool),
    revision: &str,
    found: &mut Found<'_>,
) {
    let mut stack = vec![(at.to_owned(), value)];
    while let Some((at, value)) = stack.pop() {
        match value {
            Json::Array(items) => stack.extend(items.iter().enumerate().map(|(n, item)| (format!("{at}/{n}"), item))),
            Json::Object(map) => {
                match map.get("type").and_then(Json::as_str) {
                    Some("metric-property") => {
                        if !has_event {
                            found.error("klaviyo/lint-event", &at, "an event is asked in a flow without one");
                        }
                        if map.get("metric_id").and_then(Json::as_str) != metric {
                            found.error("klaviyo/lint-event", &at, "the event asked is not the trigger's");
                        }
                    }
                    Some("profile-not-in-flow") if !at.starts_with(&format!("{root}/profile_filter")) => {
                        found.error(
                            "klaviyo/lint-not-in-flow",
                            &at,
                            "\u{201c}not in flow\u{201d} is taken at the flow only",
                        );
                    }
                    Some("profile-sample") => {
                        let percent = map.get("percentage").and_then(Json::as_i64).unwrap_or(0);
                        if !(1..=99).contains(&percent) {
                            found.error("klaviyo/lint-sample", &at, format!("a sample of {percent} %"));
                        }
                    }
                    // 13
                    Some(kind @ ("profile-not-sent-email" | "profile-not-sent-sms" | "profile-not-sent-push"))
                        if revision < "2026-04-15" =>
                    {
                        found.error(
                            "klaviyo/lint-revision",
                            &at,
                            format!("`{kind}` needs revision 2026-04-15 or later, the body is for {revision}"),
                        );
                    }
                    _ => {}
                }
                stack.extend(map.iter().map(|(key, item)| (format!("{at}/{key}"), item)));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A body that passes, changed at a pointer; the codes that the lints then say.
    fn codes(change: impl FnOnce(&mut Json)) -> Vec<String> {
        let filter = |condition: Json| json!({"condition_groups": [{"conditions": [condition]}]});
        let message = json!({"name": "M", "from_email": "a@x.example", "from_label": "A", "subject_line": "S {{ event.x }}", "template_id": "T"});
        let event = json!({"type": "metric-property", "metric_id": "A", "field": "n", "filter": {"type": "numeric", "operator": "equals", "value": 1}});
        let sample = filter(json!({"type": "profile-sample", "percentage": 50}));
        let mut body = json!({"data": {"type": "flow", "attributes": {"name": "F", "definition": {
        "triggers": [{"type": "metric", "id": "A", "trigger_filter": null}], "profile_filter": null,
        "reentry_criteria": {"duration": 1, "unit": "day"}, "entry_action_id": "d",
        "actions": [
            {"temporary_id": "d", "type": "time-delay", "links": {"next": "s"}, "data": {"unit": "hours", "value": 4, "timezone": "profile"}},
            {"temporary_id": "s", "type": "conditional-split", "links": {"next_if_true": "m", "next_if_false": "t"}, "data": {"profile_filter": sample}},
            {"temporary_id": "m", "type": "send-email", "links": {"next": null}, "data": {"message": message}},
            {"temporary_id": "t", "type": "trigger-split", "links": {"next_if_true": "b", "next_if_false": "x"},
                "data": {"trigger_filter": filter(event), "trigger_id": "A", "trigger_type": "metric"}},
            {"temporary_id": "b", "type": "multi-branch-split", "links": null, "data": {"name": "B", "branches": [
                {"branch_id": "one", "order": 0, "is_else": false, "branch_filter": sample, "links": {"next": null}},
                {"branch_id": "else", "order": 1, "is_else": true, "branch_filter": null, "links": {"next": null}}]}},
            {"temporary_id": "x", "type": "ab-test", "links": {"next": null}, "data": {
                "main_action": {"temporary_id": "x0", "type": "send-email", "data": {"message": message}},
                "current_experiment": {"name": "E", "variations": [
                    {"temporary_id": "x1", "type": "send-email", "data": {"message": message}},
                    {"temporary_id": "x2", "type": "send-email", "data": {"message": message}}]}}}
        ]}}}});
        change(&mut body);
        let mut codes: Vec<String> = lint(&body, "2026-07-15").into_iter().map(|d| d.code.to_string()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Each of the 13 (references, Klaviyo 9) is heard, and a sound body says nothing.
    #[test]
    fn every_lint_is_heard() {
        const AT: &str = "/data/attributes/definition";
        assert_eq!(codes(|_| {}), [""; 0]);
        let check = |pointer: &str, value: Json, expected: &[&str]| {
            let shown = format!("{pointer} = {value}");
            let got =
                codes(|body| *body.pointer_mut(&format!("{AT}{pointer}")).unwrap_or_else(|| panic!("{shown}")) = value);
            let got: Vec<&str> = got.iter().map(|code| code.trim_start_matches("klaviyo/lint-")).collect();
            assert_eq!(got, expected, "{shown}");
        };
        let action = |n: usize| format!("/actions/{n}");
        check("/triggers", json!([]), &["event", "event-tag", "trigger"]);
        check("/triggers/0/id", json!(""), &["event", "trigger"]);
        check(&format!("{}/data/trigger_type", action(3)), json!("list"), &["trigger"]);
        check("/entry_action_id", json!("nobody"), &["link", "unreachable"]);
        check(&format!("{}/links/next", action(0)), json!("nobody"), &["link", "unreachable"]);
        check(&format!("{}/links/next", action(2)), json!("d"), &["cycle"]);
        check(&format!("{}/temporary_id", action(2)), json!("x1"), &["id", "link", "unreachable"]);
        check(
            &format!("{}/data/current_experiment", action(5)),
            json!({"started": null, "variations": []}),
            &["id", "test"],
        );
        check(&format!("{}/data/branches/0/links/next", action(4)), json!("m"), &["join"]);
        check(&format!("{}/data/value", action(0)), json!(0), &["delay"]);
        check(&format!("{}/data/timezone", action(0)), json!("profile"), &[]);
        check(
            &format!("{}/data", action(0)),
            json!({"unit": "hours", "value": 1, "delay_until_time": "09:00:00"}),
            &["delay"],
        );
        check(&format!("{}/data/message/template_id", action(2)), json!(null), &["email"]);
        check("/triggers/0/type", json!("list"), &["event", "event-tag", "trigger"]);
        check(
            &format!("{}/data/trigger_filter/condition_groups/0/conditions/0/metric_id", action(3)),
            json!("B"),
            &["event"],
        );
        let conditions = format!("{}/data/profile_filter/condition_groups/0/conditions/0", action(1));
        check(&conditions, json!({"type": "profile-not-in-flow"}), &["not-in-flow"]);
        check(&format!("{conditions}/percentage"), json!(100), &["sample"]);
        check(&format!("{}/data/branches/1/is_else", action(4)), json!(false), &["branch"]);
        check(&format!("{}/data/branches/1/branch_id", action(4)), json!("one"), &["branch"]);
        let old = |body: &Json| lint(body, "2025-10-15").iter().filter(|d| d.code == "klaviyo/lint-revision").count();
        let mut sound = Json::Null;
        codes(|body| sound = body.clone());
        assert_eq!(old(&sound), 2, "the split and the re-entry are newer");
    }

    #[test]
    fn templates_name_the_event_in_tags_only() {
        let check = |text: &str, expected: bool| assert_eq!(names_event(text), expected, "{text}");
        check("Hi {{ event.cart_id }}", true);
        check("{% for x in event.extra.items %}", true);
        check("{{ event|lookup:'$value' }}", true);
        check("Our event. {{ first_name }}", false);
        check("{{ person.event.x }} {{ 'event.' }}", false);
        let templates = [("m", "{{ event.x }}"), ("n", "{{ first_name }}")];
        assert_eq!(lint_templates(templates.into_iter(), "list").len(), 1);
        assert_eq!(lint_templates(templates.into_iter(), "metric").len(), 0);
    }
}
