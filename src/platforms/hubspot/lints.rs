//! What passes HubSpot's schema and is still wrong, over a create-workflow body.
//!
//! Source: references, HubSpot 12, number 6, and 4, 5.4 and 6; each message begins with the JSON pointer it is about.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::{
    base::{Diagnostic, Place, Severity},
    platforms::kept::KeptPlaces,
};

/// What is wrong with a create-workflow body beyond what the schema says.
pub fn lint(body: &Json) -> Vec<Diagnostic> {
    lint_kept(body, &KeptPlaces::default())
}

/// The same, where some places hold what an import kept.
pub(super) fn lint_kept(body: &Json, kept: &KeptPlaces) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut say = |severity: Severity, code: &'static str, at: &str, message: String| {
        // Ids and links are ours, whatever a step holds.
        let is_graph = GRAPH.contains(&code);
        let fault = Diagnostic::new(severity, code, Place::default(), format!("{at}: {message}")).hint(REFUSED);
        found.push(if is_graph { fault } else { kept.judge(at, fault) });
    };
    let mut unknown = Vec::new();
    let mut error = |code: &'static str, at: &str, message: String| say(Severity::Error, code, at, message);
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
            error("hubspot/lint-output", &at, format!("reads the output of `{id}`, which does not exist"));
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
                {
                    match operators(kind) {
                        Some(known) if known.contains(&operator) => {}
                        Some(_) => error("hubspot/lint-operator", &at, format!("{kind} has no operator {operator}")),
                        None => {
                            unknown.push((at.clone(), format!("{kind} is no type of comparison that is known here")))
                        }
                    }
                }
                let above = if kind.is_empty() { above } else { kind };
                stack.extend(map.iter().map(|(key, item)| (format!("{at}/{key}"), item, above)));
            }
            _ => {}
        }
    }
    for (at, message) in unknown {
        say(Severity::Warning, "hubspot/lint-operator", &at, message);
    }
    found
}

const REFUSED: &str = "HubSpot would refuse or misread this body";

/// Faults of the graph.
const GRAPH: [&str; 5] =
    ["hubspot/lint-id", "hubspot/lint-link", "hubspot/lint-start", "hubspot/lint-cycle", "hubspot/lint-unreachable"];

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

/// Operators of an operation type; `None` for a type that is not in the table. Source: references, HubSpot 6.2; a wrong
/// pair passes the schema and is refused.
fn operators(kind: &str) -> Option<&'static [&'static str]> {
    const NUMBERS: &[&str] = &[
        "IS_EQUAL_TO",
        "IS_NOT_EQUAL_TO",
        "IS_GREATER_THAN",
        "IS_GREATER_THAN_OR_EQUAL_TO",
        "IS_LESS_THAN",
        "IS_LESS_THAN_OR_EQUAL_TO",
        "HAS_EVER_BEEN_EQUAL_TO",
        "HAS_NEVER_BEEN_EQUAL_TO",
    ];
    Some(match kind {
        "STRING" => &[
            "IS_EQUAL_TO",
            "IS_NOT_EQUAL_TO",
            "CONTAINS",
            "DOES_NOT_CONTAIN",
            "STARTS_WITH",
            "ENDS_WITH",
            "HAS_EVER_BEEN_EQUAL_TO",
            "HAS_NEVER_BEEN_EQUAL_TO",
            "HAS_EVER_CONTAINED",
            "HAS_NEVER_CONTAINED",
        ],
        "COMPARATIVE_STRING" => {
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
        "NUMBER" => NUMBERS,
        "BOOL" => &["IS_EQUAL_TO", "IS_NOT_EQUAL_TO", "HAS_EVER_BEEN_EQUAL_TO", "HAS_NEVER_BEEN_EQUAL_TO"],
        "ENUMERATION" => &[
            "IS_ANY_OF",
            "IS_NONE_OF",
            "IS_EXACTLY",
            "IS_NOT_EXACTLY",
            "CONTAINS_ALL",
            "DOES_NOT_CONTAIN_ALL",
            "HAS_EVER_BEEN_ANY_OF",
            "HAS_NEVER_BEEN_ANY_OF",
            "HAS_EVER_BEEN_EXACTLY",
            "HAS_NEVER_BEEN_EXACTLY",
            "HAS_EVER_CONTAINED_ALL",
            "HAS_NEVER_CONTAINED_ALL",
        ],
        "ALL_PROPERTY" => &["IS_KNOWN", "IS_UNKNOWN", "IS_BLANK", "IS_NOT_BLANK"],
        // The two sources name them differently.
        "DATE" => &[
            "EQUAL",
            "BEFORE",
            "AFTER",
            "IS_LESS_THAN_X_DAYS_AGO",
            "IS_MORE_THAN_X_DAYS_AGO",
            "IS_LESS_THAN_X_DAYS_FROM_NOW",
            "IS_MORE_THAN_X_DAYS_FROM_NOW",
        ],
        "DATETIME" => &["IS_BEFORE", "IS_AFTER", "IS_EQUAL_TO", "IS_BEFORE_DATE", "IS_AFTER_DATE"],
        "ROLLING_DATE_RANGE" => &[
            "IS_LESS_THAN_X_DAYS_AGO",
            "IS_MORE_THAN_X_DAYS_AGO",
            "IS_LESS_THAN_X_DAYS_FROM_NOW",
            "IS_MORE_THAN_X_DAYS_FROM_NOW",
        ],
        "ROLLING_PROPERTY_UPDATED" => &["UPDATED_IN_LAST_X_DAYS", "NOT_UPDATED_IN_LAST_X_DAYS"],
        "CALENDAR_DATE" => &["IN_THIS_TIME_UNIT", "IN_THIS_TIME_UNIT_SO_FAR", "IN_NEXT_TIME_UNIT", "IN_LAST_TIME_UNIT"],
        "TIME_POINT" | "COMPARATIVE_DATE" | "COMPARATIVE_PROPERTY_UPDATED" => &["IS_BEFORE", "IS_AFTER"],
        "NUMBER_RANGED" | "RANGED_DATE" | "TIME_RANGED" => &["IS_BETWEEN", "IS_NOT_BETWEEN"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Code and severity of what is found in a body with one action and one filter, changed at a pointer.
    fn codes(change: impl FnOnce(&mut Json), kept: &[&str]) -> Vec<String> {
        let operation = json!({"operationType": "STRING", "operator": "CONTAINS", "value": "x", "includeObjectsWithNoValueSet": false});
        let filter = json!({"filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [], "filterBranches": [
            {"filterBranchType": "AND", "filterBranchOperator": "AND", "filterBranches": [],
                "filters": [{"filterType": "PROPERTY", "property": "p", "operation": operation}]}]});
        let mut body = json!({"type": "CONTACT_FLOW", "objectTypeId": "0-1", "startActionId": "1", "actions": [
            {"type": "LIST_BRANCH", "actionId": "1", "listBranches": [{"branchName": "A", "filterBranch": filter}]}]});
        change(&mut body);
        let kept = KeptPlaces(kept.iter().map(|at| (*at).to_owned()).collect());
        let found = lint_kept(&body, &kept);
        found.iter().map(|d| format!("{:?} {}", d.severity, d.code.trim_start_matches("hubspot/lint-"))).collect()
    }

    #[test]
    fn operators_are_those_of_the_table() {
        const AT: &str = "/actions/0/listBranches/0/filterBranch/filterBranches/0/filters/0/operation";
        let check = |kind: &str, operator: &str, expected: &[&str]| {
            let change = |body: &mut Json| {
                body.pointer_mut(AT).expect("an operation")["operationType"] = json!(kind);
                body.pointer_mut(AT).expect("an operation")["operator"] = json!(operator);
            };
            assert_eq!(codes(change, &[]), expected, "{kind} {operator}");
        };
        for (kind, operator) in [
            ("STRING", "HAS_EVER_CONTAINED"),
            ("NUMBER", "HAS_NEVER_BEEN_EQUAL_TO"),
            ("NUMBER_RANGED", "IS_BETWEEN"),
            ("BOOL", "HAS_EVER_BEEN_EQUAL_TO"),
            ("ENUMERATION", "HAS_NEVER_CONTAINED_ALL"),
            ("ALL_PROPERTY", "IS_NOT_BLANK"),
            ("DATE", "AFTER"),
            ("DATETIME", "IS_AFTER_DATE"),
            ("RANGED_DATE", "IS_NOT_BETWEEN"),
            ("ROLLING_DATE_RANGE", "IS_MORE_THAN_X_DAYS_FROM_NOW"),
            ("ROLLING_PROPERTY_UPDATED", "NOT_UPDATED_IN_LAST_X_DAYS"),
            ("CALENDAR_DATE", "IN_THIS_TIME_UNIT_SO_FAR"),
            ("TIME_POINT", "IS_BEFORE"),
            ("TIME_RANGED", "IS_BETWEEN"),
            ("COMPARATIVE_STRING", "ENDS_WITH"),
            ("COMPARATIVE_PROPERTY_UPDATED", "IS_AFTER"),
        ] {
            check(kind, operator, &[]);
        }
        check("ENUMERATION", "IS_NOT_EQUAL_TO", &["Error operator"]);
        check("TIME_POINT", "IS_EQUAL_TO", &["Error operator"]);
        check("COMPARATIVE_STRING", "HAS_EVER_CONTAINED", &["Error operator"]);
        check("OF_NEXT_YEAR", "ANY", &["Warning operator"]);
    }

    /// What HubSpot gave us is not refused; what we make of it is.
    #[test]
    fn kept_places_are_judged_mildly() {
        let wrong = |body: &mut Json| {
            let filter = &mut body["actions"][0]["listBranches"][0]["filterBranch"];
            filter["filterBranches"] = json!([]);
        };
        assert_eq!(codes(wrong, &[]), ["Error filter"]);
        assert_eq!(codes(wrong, &["/actions/0"]), ["Warning filter"]);
        assert_eq!(codes(wrong, &["/actions/1", "/goalFilterBranch"]), ["Error filter"]);
        let dangling = |body: &mut Json| body["actions"][0]["defaultBranch"] = json!({"nextActionId": "9"});
        assert_eq!(codes(dangling, &["/actions/0"]), ["Error link"]);
    }
}
