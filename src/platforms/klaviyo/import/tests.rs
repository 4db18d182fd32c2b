//! Filters both ways: what the export asks is read as the same question.

use super::{
    filters::{self, Asker},
    names::Names,
};
use crate::{
    audience::{Condition, ConditionText, condition::Root},
    base::Place,
    flow::{FlowSettings, Workspace},
    platforms::{Notes, klaviyo::filters as export, normal},
};

fn json_of(condition: &Condition) -> serde_json::Value {
    let workspace = Workspace::default();
    let asker = export::Asker {
        names: normal::Names::new(&workspace, &FlowSettings::default()),
        workspace: &workspace,
        metric_id: Some("METRIC:M".into()),
    };
    asker.ask(condition, &Place::default(), &mut Notes::default()).filter()
}

/// A condition of ours, and what it is after a way to Klaviyo's JSON and back; `=` for the same.
#[track_caller]
fn check(text: &str, expected: &str) {
    let condition = ConditionText::new(text);
    assert!(condition.parsed().errors.is_empty(), "{text}: {:?}", condition.parsed().errors);
    let json = json_of(condition.condition());
    let given = std::collections::BTreeMap::new();
    let mut names = Names::new(&given);
    let mut asker = Asker { names: &mut names, root: Root::Trigger, salt: "s" };
    let groups = asker.groups(&json).unwrap_or_else(|why| panic!("{text}: {why:?}\n{json}"));
    let back = filters::all(groups.into_iter().map(filters::any).collect());
    let shown = filters::text(&back).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!(shown.text(), if expected == "=" { text } else { expected });
    assert_eq!(json_of(&back), json, "{text}");
}

#[test]
fn conditions_come_back() {
    for same in [
        "contact.first_name = \"Ada\"",
        "contact[\"Favourite colour\"] != \"it's \\\"blue\\\"\"",
        "contact.city in [\"Ulm\", \"Bonn\"] and contact.lifetime_value > 500",
        "contact.phone is set or contact.zone is not set",
        "contact.vip = true",
        "not (contact.plan contains \"gold\")",
        "not (contact.plan starts with \"gold\") or contact.plan ends with \"x\"",
        "contact.birthday = 2026-04-01",
        "contact.birthday < 2026-04-01 or contact.birthday > 2026-05-01",
        "contact.seen >= now - 10 days and contact.seen <= now",
        "contact.due >= now and contact.due <= now + 3 days",
        "contact.plan = \"x\" or contact.due >= now and contact.due <= now + 3 days",
        "trigger.due >= now and trigger.due <= now + 3 days",
        "contact[\"a\\\\'b\\\\\\\\\"] = \"x\"",
        "contact.seen < now - 12 h",
        "did \"Placed Order\" at least 2 times in the last 30 days",
        "did \"Placed Order\" since entry",
        "did \"Placed Order\" where (event.amount > 50 and event.shop = \"web\") at least 3 times",
        "on list \"Newsletter\" and not (on list \"Staff\")",
        "email consent is subscribed",
        "sms consent is unsubscribed",
        "trigger.item_count > 2",
        "trigger.$value >= 10.5 and trigger.kind is set",
        "opened any message in the last 3 days",
    ] {
        check(same, "=");
    }
    // Klaviyo's "in the last" has two ends.
    check("contact.seen > now - 10 days", "contact.seen >= now - 10 days and contact.seen <= now");
    check("contact.due < now + 3 days", "contact.due >= now and contact.due <= now + 3 days");
    check("never did \"Placed Order\"", "did \"Placed Order\" fewer than 1 time");
    check("true", "true");
    check("false", "false");
    // What Klaviyo cannot ask is a property there, which says what it stands for.
    check("score \"loyalty\" > 5", "=");
    check("contact.a = contact.b", "=");
    check("did \"A\" exactly 2 times in the last 3 days and score \"it's\" > 5", "=");
    check("local time from 09:00 to 17:00", "=");
}

#[track_caller]
fn check_refused(json: &str, pointer: &str, why: &str) {
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let given = std::collections::BTreeMap::new();
    let mut names = Names::new(&given);
    let refused = Asker { names: &mut names, root: Root::Trigger, salt: "s" }.groups(&json).expect_err("refused");
    assert_eq!(refused.pointer, pointer);
    assert!(refused.why.contains(why), "{}", refused.why);
}

#[test]
fn what_has_no_words_is_refused_with_its_place() {
    let one = |condition: &str| format!(r#"{{"condition_groups": [{{"conditions": [{condition}]}}]}}"#);
    let at = "/condition_groups/0/conditions/0";
    check_refused("7", "", "condition_groups");
    check_refused(r#"{"condition_groups": [3]}"#, "/condition_groups/0", "conditions");
    check_refused(&one("3"), at, "object");
    check_refused(&one("{}"), at, "no type");
    check_refused(&one(r#"{"type": "profile-region"}"#), at, "`profile-region`");
    check_refused(
        &one(
            r#"{"type": "profile-property", "property": "email", "filter": {"type": "string", "operator": "regex", "value": "x"}}"#,
        ),
        at,
        "`regex`",
    );
    check_refused(
        &one(
            r#"{"type": "profile-property", "property": "email", "filter": {"type": "date", "operator": "anniversary"}}"#,
        ),
        at,
        "`anniversary`",
    );
    check_refused(
        &one(
            r#"{"type": "profile-metric", "metric_id": "M", "measurement": "count", "measurement_filter": {"operator": "equals", "value": "x"}}"#,
        ),
        at,
        "count",
    );
    check_refused(
        &one(r#"{"type": "profile-group-membership", "is_member": true, "group_ids": [], "timeframe_filter": null}"#),
        at,
        "no list",
    );
    check_refused(&one(r#"{"type": "profile-sample", "percentage": 100}"#), at, "1 to 99");
}
