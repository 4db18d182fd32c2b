//! Imports in the small: conditions, enrolment, steps; whole documents are in `tests/import/`.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::{
    audience::condition::parse,
    base::Span,
    flow::FlowSettings,
    platforms::{hubspot::filters::Asker, normal},
};

/// A condition asked as HubSpot asks, read back, and asked again: what it was read as.
fn there_and_back(text: &str) -> (String, Json, Json) {
    let source = r#"(version: 1, properties: {"born": date}, events: [(name: "B", hubspot: "4-7")])"#;
    let workspace = crate::flow::file::read_workspace(source).expect("a workspace").0;
    let parsed = parse(text);
    assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
    let ask = |condition: &Condition, workspace: &crate::flow::Workspace| {
        let asker = Asker {
            names: normal::Names::new(workspace, &FlowSettings::default()),
            workspace,
            longest: Span::hours(12),
            copies: std::cell::RefCell::default(),
            named: BTreeMap::new(),
            own: std::collections::BTreeSet::new(),
        };
        asker.ask(condition, &Place::default(), &mut Notes::default())
    };
    let first = ask(&parsed.condition, &workspace);
    let given = BTreeMap::from([("event:4-7".to_owned(), "B".to_owned())]);
    let mut names = Names::new(&given);
    let read = filters::condition(&Spot::new(&first, ""), &mut names).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let again = ask(&read, &names.workspace);
    (read.to_string(), first, again)
}

#[test]
fn conditions_come_back() {
    let check = |text: &str, expected: &str| {
        let (read, first, again) = there_and_back(text);
        assert_eq!(read, parse(expected).condition.to_string(), "{text}");
        assert!(keep::same(&first, &again), "{text}\n{first:#}\n{again:#}");
    };
    let same = |text: &str| check(text, text);
    same(r#"contact.first_name = "Ada""#);
    same(r#"contact.a > 1 and contact.b = 2 or contact.a > 1 and contact.c = 3"#);
    same(r#"contact.plan in ["a", "b"]"#);
    same(r#"contact.vip = true"#);
    same("contact.born < contact.renewal");
    same("contact.x is not set");
    same(r#"contact.x contains "a" and not (contact.y contains "b")"#);
    same(r#"did "B" at least 1 times"#.replace(" at least 1 times", "").as_str());
    same(r#"never did "A" in the last 30 days"#);
    same(r#"did "B" at least 3 times in the last 1 week"#);
    same(r#"did "B" at most 3 times"#);
    same(r#"did "B" exactly 2 times"#);
    check(r#"did "B" fewer than 3 times"#, r#"did "B" at most 2 times"#);
    check(r#"count of "B" != 2"#, r#"did "B" at most 1 time or did "B" at least 3 times"#);
    same(r#"did "B" where (event.n > 1 and event.m = "x")"#);
    check(r#"did "B" since entry"#, r#"did "B" in the last 12 h"#);
    same(r#"on list "L" and not (on list "M")"#);
    same("true");
    same("false");
    check("opened any message", r#"did "$opened" in the last 12 h"#);
    same("email consent is subscribed");
    check("contact.born < now - 7 days", "contact.born <= now - 7 days");
    same("contact.born = 2026-11-23");
    same("contact.born >= 2026-11-23");
    same("contact.born > 2026-11-23");
    check("score \"s\" >= 5", "contact.score_s >= 5");
}

#[test]
fn what_others_ask() {
    let given = BTreeMap::from([("list:42".to_owned(), "VIP".to_owned())]);
    let and = |filter: Json| json!({"filterBranchType": "OR", "filterBranches": [{"filterBranchType": "AND", "filters": [filter]}]});
    let check = |filter: Json, expected: &str| {
        let branch = and(filter);
        let mut names = Names::new(&given);
        let read = filters::condition(&Spot::new(&branch, ""), &mut names);
        let text = read.map_or_else(|e| format!("{}: {}", e.at, e.why), |condition| condition.to_string());
        assert_eq!(text, expected);
    };
    let property = |operation: Json| json!({"filterType": "PROPERTY", "property": "plan", "operation": operation});
    check(json!({"filterType": "IN_LIST", "listId": "42", "operator": "IN_LIST"}), r#"on list "VIP""#);
    check(json!({"filterType": "IN_LIST", "listId": 7, "operator": "NOT_IN_LIST"}), r#"not (on list "7")"#);
    check(
        property(
            json!({"operationType": "ENUMERATION", "operator": "IS_NONE_OF", "values": ["a", "b"], "includeObjectsWithNoValueSet": true}),
        ),
        r#"contact.plan not in ["a", "b"] or contact.plan is not set"#,
    );
    check(
        property(json!({"operationType": "NUMBER_RANGED", "operator": "IS_BETWEEN", "lowerBound": 1, "upperBound": 5})),
        "contact.plan >= 1 and contact.plan <= 5",
    );
    check(
        property(
            json!({"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_AGO", "numberOfDays": 3}),
        ),
        "contact.plan > now - 3 days and contact.plan <= now",
    );
    check(
        json!({"filterType": "FORM_SUBMISSION", "formId": "f-1", "operator": "NOT_FILLED_OUT"}),
        r#"never did "Form submitted" where (event.hs_form_id = "f-1")"#,
    );
    check(
        json!({"filterType": "SURVEY_MONKEY"}),
        "/filterBranches/0/filters/0: filters of type `SURVEY_MONKEY` are not understood",
    );
    check(
        property(json!({"operationType": "STRING", "operator": "HAS_EVER_CONTAINED", "value": "x"})),
        "/filterBranches/0/filters/0/operation: STRING `HAS_EVER_CONTAINED` is not understood",
    );
    check(
        json!({"filterType": "PROPERTY", "property": "first_name"}),
        "/filterBranches/0/filters/0/property: `first_name` is no name here",
    );
    let mut deep = json!({"filterBranchType": "AND", "filters": []});
    for _ in 0..40 {
        deep = json!({"filterBranchType": "OR", "filterBranches": [deep]});
    }
    assert!(filters::condition(&Spot::new(&deep, ""), &mut Names::new(&given)).is_err());
}

fn import_one(json: &Json) -> Imported {
    let (templates, names) = (BTreeMap::new(), BTreeMap::new());
    let given = Given { json: &json.to_string(), templates: &templates, names: &names };
    let mut all = import(&given).unwrap_or_else(|e| panic!("{e:#?}"));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn single(id: &str, type_id: &str, fields: Json, next: &str) -> Json {
    let mut action = json!({"type": "SINGLE_CONNECTION", "actionId": id, "actionTypeId": type_id, "actionTypeVersion": 0, "fields": fields});
    if !next.is_empty() {
        action["connection"] = json!({"edgeType": "STANDARD", "nextActionId": next});
    }
    action
}

/// Kinds and settings of the steps, as one line each.
fn shown(imported: &Imported) -> Vec<String> {
    imported
        .flow
        .nodes
        .iter()
        .skip(1)
        .map(|node| {
            let out = imported.flow.edges.iter().filter(|e| e.from == node.id).map(|e| format!("{}>{}", e.port, e.to));
            format!(
                "{} {} {}",
                node.id,
                node.settings().map_or_else(String::new, |s| format!("{}: {}", node.kind, s.summary())),
                out.collect::<Vec<_>>().join(" ")
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

#[test]
fn every_known_action() {
    let check = |type_id: &str, fields: Json, expected: &str| {
        let flow = json!({"type": "CONTACT_FLOW", "name": "F", "startActionId": "1", "actions": [single("1", type_id, fields, "")]});
        assert_eq!(shown(&import_one(&flow)), [expected], "{type_id}");
    };
    check("0-1", json!({"delta": "3", "time_unit": "DAYS"}), "a1 delay: 3 days");
    check("0-1", json!({"delta": 2, "time_unit": "WEEKS"}), "a1 delay: 2 weeks");
    check("0-1", json!({"delta": "x", "time_unit": "WEEKS"}), "a1 foreign: HubSpot only: 0-1");
    check("0-4", json!({"content_id": "77"}), "a1 email: mail-77");
    check("0-4", json!({"content_id": 77}), "a1 email: mail-77");
    check(
        "0-5",
        json!({"property_name": "x", "value": {"type": "STATIC_VALUE", "staticValue": "y"}}),
        "a1 update_contact: x",
    );
    check("0-63809083", json!({"listId": "9", "targetObject": "{{ enrolled_object }}"}), "a1 list_update: + 9");
    check("0-3", json!({"task": 1}), "a1 foreign: HubSpot only: 0-3");
    check("1-22", json!({}), "a1 foreign: HubSpot only: 1-22");
}

#[test]
fn waits_branches_and_jumps() {
    let wait = json!({"event_filter_branches": [{"filterBranchType": "UNIFIED_EVENTS", "filterBranchOperator": "AND", "eventTypeId": "4-666440", "operator": "HAS_COMPLETED", "filters": [], "filterBranches": []}], "expiration_minutes": "60"});
    let branch = json!({"type": "STATIC_BRANCH", "actionId": "2", "inputValue": {"type": "FIELD_DATA", "actionId": "1", "dataKey": "hs_event_criteria_met"},
        "staticBranches": [{"branchValue": "true", "connection": {"edgeType": "GOTO", "nextActionId": "3"}}], "defaultBranchName": "Timed out"});
    let flow = json!({"type": "CONTACT_FLOW", "name": "F", "startActionId": "1", "actions": [
        single("1", "0-29", wait, "2"), branch, single("3", "0-4", json!({"content_id": "1"}), "9")]});
    let imported = import_one(&flow);
    assert_eq!(shown(&imported), ["a1 wait_for_event: “$opened”, at most 1 h happened>a3", "a3 email: mail-1"]);
    let codes: Vec<&str> = imported.report.iter().map(|r| r.code).collect();
    assert!(codes.contains(&"hubspot/dangling") && codes.contains(&"hubspot/kept-action"), "{codes:?}");
    let export = super::super::workflows(&imported.flow, &imported.workspace, &mut Notes::default()).expect("exports");
    assert_eq!(export[0].body["actions"][1]["staticBranches"][0]["connection"]["edgeType"], "GOTO");
}

#[test]
fn bodies_that_are_none() {
    let check = |json: &str, expected: &str| {
        let (templates, names) = (BTreeMap::new(), BTreeMap::new());
        let errors = import(&Given { json, templates: &templates, names: &names }).expect_err("refused");
        assert!(errors[0].message.contains(expected), "{}", errors[0].message);
        assert!(!errors[0].hint.is_empty());
    };
    check("", "no JSON");
    check("{", "no JSON");
    check(&"[".repeat(5_000), "no JSON");
    check("3", "/: this is no workflow");
    check("[]", "no workflow in it");
    check(r#"{"results": [], "errors": [{"message": "gone"}]}"#, "gone");
    check(r#"{"results": [{"id": "1", "isEnabled": true, "objectTypeId": "0-1"}]}"#, "without its actions");
    check(r#"{"actions": {}}"#, "/actions: the actions are no list");
    check(r#"{"type": "PLATFORM_FLOW", "objectTypeId": "0-3", "actions": []}"#, "`0-3`");
    check(r#"{"type": "DRIP_DELAY", "actions": []}"#, "version 3");
    check(r#"{"data": {"attributes": {}}}"#, "Klaviyo");
}
