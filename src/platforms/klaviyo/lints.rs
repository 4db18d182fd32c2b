//! The lints that the schema cannot do, over a produced (or pasted) create-flow body.
//!
//! Source: references, Klaviyo 9, numbers 1 to 13; each message begins with the JSON pointer it is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::base::{Diagnostic, Place, Severity};

struct Found(Vec<Diagnostic>);

impl Found {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        pointer: &str,
        message: impl std::fmt::Display,
        hint: &str,
    ) {
        self.0.push(Diagnostic::new(severity, code, Place::default(), format!("{pointer}: {message}")).hint(hint));
    }

    fn error(&mut self, code: &'static str, pointer: &str, message: impl std::fmt::Display) {
        self.add(Severity::Error, code, pointer, message, "Klaviyo would refuse or misread this body");
    }
}

/// What is wrong with a create-flow body beyond what the schema says.
pub fn lint(body: &Json, revision: &str) -> Vec<Diagnostic> {
    let mut found = Found(Vec::new());
    let root = "/data/attributes/definition";
    let Some(definition) = body.pointer(root) else {
        found.error("klaviyo/lint-shape", root, "the definition is missing");
        return found.0;
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
    let has_event = matches!(kind, "metric" | "price-drop" | "low-inventory");
    graph(definition, actions, root, &mut found);
    for (n, action) in actions.iter().enumerate() {
        let at = format!("{root}/actions/{n}");
        check_action(action, &at, trigger, kind, &mut found);
    }
    filters(definition, root, root, trigger["id"].as_str(), has_event, &mut found);
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
                &format!("{root}/actions/{n}"),
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
    found.0
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
fn graph(definition: &Json, actions: &[Json], root: &str, found: &mut Found) {
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for (n, action) in actions.iter().enumerate() {
        let at = format!("{root}/actions/{n}");
        match action["temporary_id"].as_str() {
            Some(id) => {
                by_id.insert(id, n);
                if !all.insert(id) {
                    found.error("klaviyo/lint-id", &at, format!("the temporary id `{id}` is taken"));
                }
            }
            None => found.error("klaviyo/lint-id", &at, "an action without temporary id"),
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
        found.error("klaviyo/lint-link", &format!("{root}/entry_action_id"), "names no action");
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
                    None => found.error(
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
    let mut stack: Vec<(usize, usize)> = start.map(|at| (at, 0)).into_iter().collect();
    if let Some(at) = start {
        colour[at] = 1;
    }
    while let Some((at, next)) = stack.pop() {
        let Some(&to) = targets[at].get(next) else {
            colour[at] = 2;
            continue;
        };
        stack.push((at, next + 1));
        match colour[to] {
            0 => {
                colour[to] = 1;
                stack.push((to, 0));
            }
            1 => found.error("klaviyo/lint-cycle", &format!("{root}/actions/{at}"), "a link closes a loop"),
            _ => {}
        }
    }
    for (n, colour) in colour.iter().enumerate() {
        if *colour == 0 {
            found.error("klaviyo/lint-unreachable", &format!("{root}/actions/{n}"), "nothing leads here");
        }
    }
    joins(actions, &targets, root, found);
}

/// A join is fine where both links come from the YES and the NO path of one split, inner splits closed before.
fn joins(actions: &[Json], targets: &[Vec<usize>], root: &str, found: &mut Found) {
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); actions.len()];
    for (at, list) in targets.iter().enumerate() {
        for to in list {
            parents[*to].push(at);
        }
    }
    for (at, from) in parents.iter().enumerate().filter(|(_, from)| from.len() > 1) {
        let pointer = format!("{root}/actions/{at}");
        let open = |mut node: usize| {
            // Walks up to the split whose path this is, over joins that are closed already.
            for _ in 0..actions.len() {
                if targets[node].len() > 1 || actions[node]["links"].get("next_if_true").is_some() {
                    return Some(node);
                }
                let ups = &parents[node];
                node = match ups.as_slice() {
                    [] => return None,
                    [one] => *one,
                    [one, ..] => *one,
                };
            }
            None
        };
        let is_split = |node: &Option<usize>| node.is_some_and(|n| actions[n]["type"] != "multi-branch-split");
        let above: Vec<Option<usize>> = from.iter().map(|p| open(*p)).collect();
        // Steps over inner splits that are joined themselves are accepted by their own join.
        if from.len() > 2 || above.iter().any(|a| !is_split(a)) {
            found.add(
                Severity::Warning,
                "klaviyo/lint-join",
                &pointer,
                "paths meet here in a way that the editor may not show",
                "Copy the steps after it into each path",
            );
        }
    }
}

fn check_action(action: &Json, at: &str, trigger: &Json, kind: &str, found: &mut Found) {
    let data = &action["data"];
    match action["type"].as_str().unwrap_or_default() {
        "trigger-split" => {
            // 1, 7
            if data["trigger_id"] != trigger["id"] || data["trigger_type"] != kind {
                found.error("klaviyo/lint-trigger", at, "the split asks another trigger than the flow's");
            }
            if !matches!(kind, "metric" | "price-drop" | "low-inventory") {
                found.error("klaviyo/lint-event", at, format!("a {kind} trigger has no event to ask"));
            }
        }
        // 5
        "time-delay" => {
            let until = !data["delay_until_time"].is_null() || !data["delay_until_weekdays"].is_null();
            if until && data["unit"] != "days" {
                found.error("klaviyo/lint-delay", at, "a time of day or weekday is taken with days only");
            }
            if data["value"].as_i64().unwrap_or(0) < 1 {
                found.error("klaviyo/lint-delay", at, "a delay below one");
            }
        }
        "send-email" => email(&data["message"], at, kind, found),
        "send-sms" => event_tags(&data["message"]["body"], at, kind, found),
        "ab-test" => {
            // 10
            let variations = data["current_experiment"]["variations"].as_array().map_or(0, Vec::len);
            if variations < 2 {
                found.error("klaviyo/lint-test", at, "a test with fewer than two variations");
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
            let branches = data["branches"].as_array().unwrap_or(&empty);
            let ids: BTreeSet<Option<&str>> = branches.iter().map(|b| b["branch_id"].as_str()).collect();
            let elses = branches.iter().filter(|b| b["is_else"] == true).count();
            if elses != 1 || branches.last().is_none_or(|b| b["is_else"] != true) {
                found.error("klaviyo/lint-branch", at, "\u{201c}everyone else\u{201d} must be there once, and last");
            }
            if branches.len() > 20 || ids.len() != branches.len() {
                found.error("klaviyo/lint-branch", at, "more than 20 paths, or two with one id");
            }
        }
        _ => {}
    }
}

/// 6, 11
fn email(message: &Json, at: &str, kind: &str, found: &mut Found) {
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

fn event_tags(text: &Json, at: &str, kind: &str, found: &mut Found) {
    let text = text.as_str().unwrap_or_default();
    if (text.contains("event.") || text.contains("event|"))
        && text.contains("{{")
        && !matches!(kind, "metric" | "price-drop" | "low-inventory")
    {
        found.add(
            Severity::Warning,
            "klaviyo/lint-event-tag",
            at,
            format!("event tags stay empty in a flow with a {kind} trigger"),
            "Use a property of the profile, or start the flow by an event",
        );
    }
}

/// 7, 8, 9, 10 in every filter, wherever it stands.
fn filters(value: &Json, at: &str, root: &str, metric: Option<&str>, has_event: bool, found: &mut Found) {
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
                    _ => {}
                }
                stack.extend(map.iter().map(|(key, item)| (format!("{at}/{key}"), item)));
            }
            _ => {}
        }
    }
}
