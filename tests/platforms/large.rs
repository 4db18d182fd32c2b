//! Flows of thousands of steps, read from both platforms: twice as many take about twice as long.

use std::{collections::BTreeMap, time::Instant};

use flowloom::{
    flow::Target,
    platforms::{
        self,
        import::{Given, Template, import},
    },
};
use serde_json::{Value as Json, json};

/// A flow of Klaviyo in one long line, with whatever is looked up by name: ids that stand twice, mails that are all
/// called the same, a sender for each, steps that nothing here knows, ways that end, metrics without a name.
fn klaviyo(num: usize) -> Json {
    let filter = |n: usize| {
        json!({"condition_groups": [{"conditions": [{"type": "profile-metric", "metric_id": format!("M{n}"), "measurement": "count",
            "measurement_filter": {"type": "numeric", "operator": "greater-than", "value": 0},
            "timeframe_filter": {"type": "date", "operator": "alltime"}}]}]})
    };
    let action = |n: usize| {
        let next = if n + 1 == num { Json::Null } else { json!((n + 1).to_string()) };
        let (kind, links, data) = match n % 8 {
            0 | 1 => (
                "send-email",
                json!({"next": next}),
                json!({"message": {"name": "Mail", "subject_line": "S", "template_id": "T", "from_email": format!("s{n}@x.example"),
                    "from_label": "Shop", "smart_sending_enabled": n.is_multiple_of(3)}}),
            ),
            2 => (
                "conditional-split",
                json!({"next_if_true": next, "next_if_false": null}),
                json!({"profile_filter": filter(n)}),
            ),
            3 => ("teleport", json!({"next": next}), json!({"to": n})),
            4 => (
                "list-update",
                json!({"next": next}),
                json!({"list_id": format!("L{n}"), "on_execution": true, "name": "x"}),
            ),
            _ => ("time-delay", json!({"next": next}), json!({"unit": "hours", "value": 0, "timezone": "profile"})),
        };
        json!({"id": n.to_string(), "type": kind, "links": links, "data": data})
    };
    let mut actions: Vec<Json> = (0..num).map(action).collect();
    // Half as many again that nothing leads to, all of one id.
    actions.extend((0..num / 2).map(
        |_| json!({"id": "0", "type": "time-delay", "links": {"next": null}, "data": {"unit": "days", "value": 1}}),
    ));
    json!({"name": "Large", "definition": {"triggers": [{"type": "metric", "id": "M", "trigger_filter": null}],
        "profile_filter": null, "entry_action_id": "0", "actions": actions}})
}

/// The same of HubSpot.
fn hubspot(num: usize) -> Json {
    let action = |n: usize| {
        let link = json!({"edgeType": "STANDARD", "nextActionId": (n + 1).to_string()});
        let single = |kind: &str, fields: Json| json!({"type": "SINGLE_CONNECTION", "actionId": n.to_string(), "actionTypeId": kind, "actionTypeVersion": 0, "fields": fields, "connection": link});
        match n % 8 {
            0 | 1 => single("0-4", json!({"content_id": n.to_string()})),
            2 => {
                let filter = json!({"filterType": "IN_LIST", "listId": n.to_string(), "operator": "IN_LIST"});
                let all = json!({"filterBranchType": "AND", "filterBranchOperator": "AND", "filters": [filter], "filterBranches": []});
                let any = json!({"filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [], "filterBranches": [all]});
                json!({"type": "LIST_BRANCH", "actionId": n.to_string(), "defaultBranchName": "No",
                    "listBranches": [{"branchName": "Yes", "filterBranch": any, "connection": link}]})
            }
            3 => single("0-999", json!({"what": n})),
            4 => single(
                "0-5",
                json!({"property_name": format!("p{n}"), "value": {"type": "STATIC_VALUE", "staticValue": "x"}, "more": 1}),
            ),
            _ => single("0-1", json!({"delta": "2", "time_unit": "HOURS"})),
        }
    };
    let mut actions: Vec<Json> = (0..num).map(action).collect();
    actions.extend((0..num / 2).map(|_| {
        json!({"type": "SINGLE_CONNECTION", "actionId": "0", "actionTypeId": "0-1", "actionTypeVersion": 0, "fields": {"delta": "2", "time_unit": "DAYS"}})
    }));
    json!({"type": "CONTACT_FLOW", "name": "Large", "startActionId": "0", "actions": actions,
        "enrollmentCriteria": {"type": "MANUAL", "shouldReEnroll": false}})
}

/// Seconds of an import, and of the export after it.
fn took(target: Target, json: &Json, num: usize) -> (f64, f64) {
    let (text, names) = (json.to_string(), BTreeMap::new());
    let html = |n: usize| Template {
        name: "Mail".into(),
        html: format!("<p>{n}</p>{{% unsubscribe %}}"),
        ..Template::default()
    };
    let templates: BTreeMap<String, Template> =
        (0..num).map(|n| (n.to_string(), html(n))).chain([("T".to_owned(), html(0))]).collect();
    let begin = Instant::now();
    let imported =
        import(target, &Given { json: &text, templates: &templates, names: &names }).expect("a flow").remove(0);
    let reading = begin.elapsed().as_secs_f64();
    assert!(imported.flow.nodes.len() > num, "{}", imported.flow.nodes.len());
    let begin = Instant::now();
    let export = platforms::export(target, &imported.flow, &imported.workspace).expect("exports");
    assert!(export.file("flow.json").is_some());
    (reading, begin.elapsed().as_secs_f64())
}

/// The limits are for a busy machine without optimisation; work that grows with the square takes minutes.
#[test]
fn thousands_of_steps_are_read() {
    for (target, make) in [(Target::Klaviyo, klaviyo as fn(usize) -> Json), (Target::Hubspot, hubspot)] {
        let (half, whole) = (took(target, &make(2_500), 2_500), took(target, &make(5_000), 5_000));
        let ratio = (whole.0 / half.0, whole.1 / half.1);
        println!("{target:?}: 2,500 in {half:.2?} s, 5,000 in {whole:.2?} s, {ratio:.1?} times (read, written)");
        assert!(whole.0 < 20.0 && whole.1 < 20.0, "{target:?}: {whole:?}");
    }
}
