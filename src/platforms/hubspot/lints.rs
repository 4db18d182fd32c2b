//! What passes HubSpot's schema and is still wrong, over a create-workflow body.
//!
//! Source: references, HubSpot 12, number 6, and 4, 5.4 and 6; each message begins with the JSON pointer it is about.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::base::{Diagnostic, Place};

/// What is wrong with a create-workflow body beyond what the schema says.
pub fn lint(body: &Json) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut error = |code: &'static str, at: &str, message: String| {
        found.push(
            Diagnostic::error(code, Place::default(), format!("{at}: {message}"))
                .hint("HubSpot would refuse or misread this body"),
        );
    };
    if body["type"] == "CONTACT_FLOW" && body["objectTypeId"] != "0-1" {
        error("hubspot/lint-object", "/objectTypeId", "a contact workflow is about object 0-1".into());
    }
    if body.get("nextAvailableActionId").is_some() {
        error("hubspot/lint-key", "/nextAvailableActionId", "is in answers only".into());
    }
    let empty = Vec::new();
    let actions = body["actions"].as_array().unwrap_or(&empty);
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    for (n, action) in actions.iter().enumerate() {
        let id = action["actionId"].as_str().unwrap_or_default();
        if id.is_empty() || by_id.insert(id, n).is_some() {
            error("hubspot/lint-id", &format!("/actions/{n}"), format!("the action id `{id}` is empty or taken"));
        }
    }
    let mut outs: Vec<Vec<usize>> = Vec::new();
    for (n, action) in actions.iter().enumerate() {
        let at = format!("/actions/{n}");
        let mut here = Vec::new();
        for (name, connection) in connections(action) {
            match connection["nextActionId"].as_str().and_then(|id| by_id.get(id)) {
                Some(to) => here.push(*to),
                None => error("hubspot/lint-link", &at, format!("{name} leads to no action")),
            }
        }
        outs.push(here);
        match action["type"].as_str().unwrap_or_default() {
            "AB_TEST_BRANCH" => {
                let arms = action["testBranches"].as_array().unwrap_or(&empty);
                let given: Vec<i64> = arms.iter().filter_map(|arm| arm["percentage"].as_i64()).collect();
                if !(given.is_empty() || given.len() == arms.len() && given.iter().sum::<i64>() == 100) {
                    error(
                        "hubspot/lint-split",
                        &at,
                        format!("the shares {given:?} do not add up to 100 over all arms"),
                    );
                }
                if arms.iter().any(|arm| arm.get("connection").is_none()) {
                    error("hubspot/lint-split", &at, "an arm of an A/B split leads nowhere".into());
                }
            }
            "LIST_BRANCH" if action["listBranches"].as_array().map_or(0, Vec::len) > 20 => {
                error("hubspot/lint-branch", &at, "more than 20 arms".into());
            }
            "STATIC_BRANCH" if action["staticBranches"].as_array().map_or(0, Vec::len) > 250 => {
                error("hubspot/lint-branch", &at, "more than 250 arms".into());
            }
            _ => {}
        }
        if let Some(id) = action.pointer("/inputValue/actionId").and_then(Json::as_str)
            && !by_id.contains_key(id)
        {
            error("hubspot/lint-link", &at, format!("reads the output of `{id}`, which does not exist"));
        }
    }
    let start = body["startActionId"].as_str().and_then(|id| by_id.get(id).copied());
    if start.is_none() && !actions.is_empty() {
        error("hubspot/lint-start", "/startActionId", "names no action".into());
    }
    let mut colour = vec![0_u8; actions.len()];
    let mut stack: Vec<(usize, usize)> = start.map(|at| (at, 0)).into_iter().collect();
    if let Some(at) = start {
        colour[at] = 1;
    }
    while let Some((at, next)) = stack.pop() {
        let Some(&to) = outs[at].get(next) else {
            colour[at] = 2;
            continue;
        };
        stack.push((at, next + 1));
        match colour[to] {
            0 => {
                colour[to] = 1;
                stack.push((to, 0));
            }
            1 => error("hubspot/lint-cycle", &format!("/actions/{at}"), "a connection closes a loop".into()),
            _ => {}
        }
    }
    for (n, colour) in colour.iter().enumerate().filter(|(_, c)| **c == 0) {
        let _ = colour;
        error("hubspot/lint-unreachable", &format!("/actions/{n}"), "nothing leads here".into());
    }
    let mut stack = vec![(String::new(), body, "")];
    while let Some((at, value, above)) = stack.pop() {
        match value {
            Json::Array(items) => {
                stack.extend(items.iter().enumerate().map(|(n, item)| (format!("{at}/{n}"), item, above)))
            }
            Json::Object(map) => {
                let kind = map.get("filterBranchType").and_then(Json::as_str).unwrap_or_default();
                let filters = map.get("filters").and_then(Json::as_array).map_or(0, Vec::len);
                if kind == "OR" && filters > 0 {
                    error("hubspot/lint-filter", &at, "filters directly under OR".into());
                }
                if kind == "UNIFIED_EVENTS" && above == "UNIFIED_EVENTS" {
                    error("hubspot/lint-filter", &at, "events inside events".into());
                }
                if kind == "OR" && map.get("filterBranches").and_then(Json::as_array).is_none_or(Vec::is_empty) {
                    error("hubspot/lint-filter", &at, "an OR without children".into());
                }
                if let (Some(kind), Some(operator)) =
                    (map.get("operationType").and_then(Json::as_str), map.get("operator").and_then(Json::as_str))
                    && !operators(kind).contains(&operator)
                {
                    error("hubspot/lint-operator", &at, format!("{kind} has no operator {operator}"));
                }
                let above = if kind.is_empty() { above } else { kind };
                stack.extend(map.iter().map(|(key, item)| (format!("{at}/{key}"), item, above)));
            }
            _ => {}
        }
    }
    found
}

fn connections(action: &Json) -> Vec<(String, &Json)> {
    let mut out = Vec::new();
    for key in ["connection", "defaultBranch"] {
        out.extend(action.get(key).map(|c| (key.to_owned(), c)));
    }
    for key in ["listBranches", "staticBranches", "testBranches"] {
        for (n, arm) in action[key].as_array().into_iter().flatten().enumerate() {
            out.extend(arm.get("connection").map(|c| (format!("{key}/{n}"), c)));
        }
    }
    out
}

/// Operators of an operation type. Source: references, HubSpot 6.2; a wrong pair passes the schema and is refused.
fn operators(kind: &str) -> &'static [&'static str] {
    match kind {
        "STRING" | "COMPARATIVE_STRING" => {
            &["IS_EQUAL_TO", "IS_NOT_EQUAL_TO", "CONTAINS", "DOES_NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH"]
        }
        "MULTISTRING" => &[
            "IS_EQUAL_TO",
            "IS_NOT_EQUAL_TO",
            "CONTAINS",
            "DOES_NOT_CONTAIN",
            "STARTS_WITH",
            "ENDS_WITH",
            "CONTAINS_EXACTLY",
            "DOES_NOT_CONTAIN_EXACTLY",
        ],
        "NUMBER" => &[
            "IS_EQUAL_TO",
            "IS_NOT_EQUAL_TO",
            "IS_GREATER_THAN",
            "IS_GREATER_THAN_OR_EQUAL_TO",
            "IS_LESS_THAN",
            "IS_LESS_THAN_OR_EQUAL_TO",
        ],
        "BOOL" => &["IS_EQUAL_TO", "IS_NOT_EQUAL_TO"],
        "ENUMERATION" => {
            &["IS_ANY_OF", "IS_NONE_OF", "IS_EXACTLY", "IS_NOT_EXACTLY", "CONTAINS_ALL", "DOES_NOT_CONTAIN_ALL"]
        }
        "ALL_PROPERTY" => &["IS_KNOWN", "IS_UNKNOWN"],
        "DATETIME" | "TIME_POINT" | "COMPARATIVE_DATE" => &["IS_BEFORE", "IS_AFTER"],
        "TIME_RANGED" => &["IS_BETWEEN", "IS_NOT_BETWEEN"],
        _ => &[],
    }
}
