//! Flows of Klaviyo, read and written again: the same JSON up to what is named here, and the same meaning.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use flowloom::{
    audience::{Audience, AudienceSources, Source},
    base::Severity,
    flow::{
        MessageSection, Node, Section, Target,
        check::{self, Surroundings},
        file,
    },
    journey::FlowSet,
    kinds::Settings,
    platforms::{
        self,
        import::{Given, Imported, RemarkKind, Template, import, known_names},
    },
    simulate::{self, Options},
};
use serde_json::{Value as Json, json};

use crate::normal::{Form, differences, id_text, normal};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/platforms/klaviyo/import")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn names() -> BTreeMap<String, String> {
    serde_json::from_str(&text("names.json")).expect("names")
}

fn templates() -> BTreeMap<String, Template> {
    let html = |html: &str| Template { html: html.into(), ..Template::default() };
    BTreeMap::from([
        (
            "TmPl01".to_owned(),
            html(
                "<p>Hi {{ first_name|default:'there' }}, {% currency_format event|lookup:'$value' %}</p>{% unsubscribe %}",
            ),
        ),
        ("TmPl02".to_owned(), html("<p>{{ event.extra.checkout_url|title }}</p>{% unsubscribe_link %}")),
        ("T52".to_owned(), html("<p>{% for item in event.extra.items|slice:':2' %}{{ item.name }}{% endfor %}</p>")),
    ])
}

fn read(json: &str) -> Result<Vec<Imported>, Vec<flowloom::base::Diagnostic>> {
    let (templates, names) = (templates(), names());
    import(Target::Klaviyo, &Given { json, templates: &templates, names: &names })
}

/// The definition that an imported flow is exported as.
fn written(imported: &Imported) -> Json {
    let export = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace)
        .unwrap_or_else(|e| panic!("{}: {e:#?}", imported.flow.name));
    // What Klaviyo gave us is not refused on its way back.
    let errors: Vec<_> = export.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", imported.flow.name);
    let body: Json = serde_json::from_slice(export.file("flow.json").expect("a flow")).expect("JSON");
    body["data"]["attributes"]["definition"].clone()
}

/// How Klaviyo writes a flow. Source of what only an answer holds: references, klaviyo, section 14, step 6.
const FORM: Form = Form {
    start: "entry_action_id",
    ids: &["temporary_id", "id"],
    of_answers: &["name", "definition_version"],
    links: |action| {
        let links = action["links"].as_object().into_iter().flatten().map(|(_, to)| to);
        let branches = action["data"]["branches"].as_array().into_iter().flatten().map(|b| &b["links"]["next"]);
        links.chain(branches).filter_map(id_text).collect()
    },
    rename: |action, places| {
        let place = |json: &mut Json| {
            if let Some(to) = id_text(json).and_then(|to| places.get(&to)) {
                *json = json!(to);
            }
        };
        if let Some(links) = action.get_mut("links").and_then(Json::as_object_mut) {
            links.values_mut().for_each(place);
        }
        if let Some(branches) = action.pointer_mut("/data/branches").and_then(Json::as_array_mut) {
            branches.iter_mut().filter_map(|b| b.get_mut("links")?.get_mut("next")).for_each(place);
        }
        test_of(action);
        without_state(action);
    },
    fills: |_| false,
    is_nothing,
};

fn is_nothing(json: &Json) -> bool {
    json.is_null() || json.as_object().is_some_and(|map| map.values().all(is_nothing))
}

/// Names inside a test: its parts by their place, shares by the same.
fn test_of(action: &mut Json) {
    let Some(data) = action.get_mut("data").and_then(Json::as_object_mut) else { return };
    let name = |action: &mut Json, name: String| -> Option<String> {
        let map = action.as_object_mut()?;
        let old = map.remove("id").or_else(|| map.get("temporary_id").cloned());
        map.insert("temporary_id".into(), json!(name));
        old?.as_str().map(str::to_owned)
    };
    if let Some(main) = data.get_mut("main_action") {
        name(main, "main".into());
    }
    let Some(experiment) = data.get_mut("current_experiment").and_then(Json::as_object_mut) else { return };
    experiment.remove("id");
    let mut shares = BTreeMap::new();
    for (n, variation) in
        experiment.get_mut("variations").and_then(Json::as_array_mut).into_iter().flatten().enumerate()
    {
        if let Some(old) = name(variation, format!("v{n}")) {
            shares.insert(old, format!("v{n}"));
        }
    }
    if let Some(Json::Object(allocations)) = experiment.get_mut("allocations") {
        *allocations = std::mem::take(allocations)
            .into_iter()
            .map(|(id, share)| (shares.get(&id).cloned().unwrap_or(id), share))
            .collect();
    }
}

/// Takes out the state of an answer, wherever it stands: how far a test is, ids of messages.
fn without_state(json: &mut Json) {
    match json {
        Json::Object(map) => {
            map.retain(|key, _| !["experiment_status", "started", "definition_version"].contains(&key.as_str()));
            if let Some(Json::Object(message)) = map.get_mut("message") {
                message.remove("id");
            }
            map.values_mut().for_each(without_state);
        }
        Json::Array(items) => items.iter_mut().for_each(without_state),
        _ => {}
    }
}

fn definition_of(json: &Json) -> &Json {
    ["/data/attributes/definition", "/definition"].iter().find_map(|at| json.pointer(at)).unwrap_or(json)
}

#[track_caller]
fn check_same(original: &Json, imported: &Imported) {
    let found = differences(&normal(original, &FORM), &normal(&written(imported), &FORM), &FORM);
    let kept = imported.flow.settings().kept;
    assert!(found.is_empty(), "{}\n{}\nkept {kept:#?}", imported.flow.name, found.join("\n"));
    // As a file the flow is the same flow.
    let saved = file::write(&imported.flow);
    let again = file::read(&saved).unwrap_or_else(|e| panic!("{e:?}\n{saved}"));
    assert!(again.notes.is_empty(), "{:?}", again.notes);
    assert_eq!(again.flow.canonical(), imported.flow.canonical());
    assert!(again.flow.invariants().is_empty(), "{:#?}", again.flow.invariants());
    for node in &again.flow.nodes {
        assert!(node.settings().is_some(), "{}: {:?}", node.id, node.settings.error());
    }
    assert!(again.flow.settings.error().is_none(), "{:?}", again.flow.settings.error());
}

/// A fixture: its steps as `id kind`, then the remarks with how often each stands there.
fn story(name: &str) -> String {
    let source = text(name);
    let json: Json = serde_json::from_str(&source).expect("JSON");
    let imported = read(&source).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
    let [imported] = imported.as_slice() else { panic!("{name}: {} flows", imported.len()) };
    check_same(definition_of(&json), imported);
    let steps: Vec<String> = imported
        .flow
        .nodes
        .iter()
        .filter(|node| node.kind != "exit")
        .map(|node| format!("{} {}", node.id, node.kind))
        .collect();
    let mut counts: BTreeMap<(RemarkKind, &str), usize> = BTreeMap::new();
    for remark in &imported.report {
        *counts.entry((remark.kind, remark.code.trim_start_matches("import/"))).or_default() += 1;
        // What is missing is pointed at, in what is there.
        let parent = remark.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let known = [remark.pointer.as_str(), parent, parent.rsplit_once('/').map_or("", |(parent, _)| parent)];
        assert!(known.iter().any(|at| json.pointer(at).is_some()), "{name}: {remark:?} points at nothing");
    }
    let remarks: Vec<String> = counts.iter().map(|((kind, code), n)| format!("{} {code} {n}", kind.title())).collect();
    format!("{name}: {}\n  {}\n", steps.join(", "), remarks.join(", "))
}

#[test]
fn fixtures_come_back_as_they_were() {
    let stories: String =
        ["answer.json", "old-revision.json", "unknown.json", "branches.json", "test.json", "date.json", "status.json"]
            .map(story)
            .concat();
    assert_eq!(stories, STORIES, "{stories}");
}

const STORIES: &str = "\
answer.json: trigger trigger, 1000 delay, 1001 condition, 1002 email, 1003 email, 1004 condition, 1005 update_contact, 1006 list_update, 1007 webhook, 1008 internal_alert
  understood understood 11, kept kept-filter 1, kept kept-json 9, kept kept-template 1, guessed guessed 2, guessed manual 1, lost account-state 1, lost no-template 1
old-revision.json: trigger trigger, hello email, wait delay, old foreign, sms sms, end-mail email
  understood understood 6, kept kept-action 1, kept kept-json 6, kept kept-template 1, lost no-template 2
unknown.json: trigger trigger, 1 foreign, 2 foreign, 3 foreign, 4 foreign, 5 foreign, 6 foreign, 7 foreign, 8 foreign, 9 foreign, 10 foreign, 11 foreign
  kept kept-action 11, kept kept-trigger 1, guessed guessed 1
branches.json: trigger trigger, b branch, m1 delay, m2 delay, half split, cap cap, all condition, zero delay
  understood understood 8, kept kept-json 4
test.json: trigger trigger, 50 email, 60 foreign
  understood understood 2, kept kept-action 1, kept kept-json 2, guessed unknown-segment 1, lost no-template 1
date.json: trigger trigger, c delay, d foreign, e delay
  understood understood 5, kept kept-action 1, kept kept-json 3
status.json: trigger trigger, 1 foreign, 2 email, 3 email, 4 foreign, 5 foreign, 6 foreign, 7 foreign
  understood understood 3, kept kept-action 5, kept kept-json 1, guessed guessed 1, guessed manual 1
";

/// What was kept goes back until the step says something else; what the flow has no word for always does.
#[test]
fn edits_count_more_than_what_was_kept() {
    let mut imported = read(&text("answer.json")).expect("flows").remove(0);
    let of = |imported: &Imported, id: &str| {
        let definition = written(imported);
        let actions = definition["actions"].as_array().expect("actions").clone();
        actions.into_iter().find(|action| action["temporary_id"] == id).expect("the action")
    };
    assert_eq!(of(&imported, "1000")["data"]["timezone"], "US/Eastern");
    assert_eq!(
        of(&imported, "1002")["data"]["message"]["subject_line"],
        "{{ first_name|default:'Friend' }}, your cart waits"
    );
    let flow = &mut imported.flow;
    for node in &mut flow.nodes {
        if node.id.as_str() == "1000" {
            *node = Arc::new(Node::new("1000", "delay", "(wait: for(\"5 h\"))"));
        }
    }
    for message in &mut flow.messages {
        let mut changed = message.section.value().expect("a message").clone();
        changed.variants[0].subject = "Something else".into();
        if changed.title() == "Cart VIP" {
            let ron = changed.to_ron().expect("writes");
            *message = Arc::new(MessageSection { id: changed.id.clone(), section: Section::new(ron, Ok(changed), 0) });
        }
    }
    let delay = of(&imported, "1000");
    assert_eq!(delay["data"], json!({"unit": "hours", "value": 5, "timezone": "US/Eastern"}));
    let mail = of(&imported, "1002");
    assert_eq!(mail["data"]["message"]["subject_line"], "Something else");
    assert_eq!(mail["data"]["message"]["bcc_email"], "log@example.com");
    assert_eq!(mail["data"]["message"]["smart_sending_enabled"], true);
    let export = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace).expect("exports");
    assert!(
        export.losses.iter().any(|loss| loss.code == "klaviyo/kept" && loss.message.contains("subject_line")),
        "{:#?}",
        export.losses
    );
    // Elsewhere, what only Klaviyo knows is a loss.
    let hubspot = platforms::export(Target::Hubspot, &imported.flow, &imported.workspace).expect("exports");
    assert!(hubspot.losses.iter().any(|loss| loss.code == "hubspot/foreign-template"), "{:#?}", hubspot.losses);
    let unknown = read(&text("unknown.json")).expect("flows").remove(0);
    let hubspot = platforms::export(Target::Hubspot, &unknown.flow, &unknown.workspace).expect("exports");
    assert!(hubspot.losses.iter().filter(|loss| loss.code == "hubspot/foreign").count() > 5, "{:#?}", hubspot.losses);
}

/// What is switched off in Klaviyo is no mail here either, and goes back switched off; what a person lets go is said.
#[test]
fn what_is_switched_off_sends_nothing() {
    let imported = read(&text("status.json")).expect("flows").remove(0);
    let sending: Vec<&str> =
        imported.flow.nodes.iter().filter(|node| node.kind != "foreign").map(|node| node.id.as_str()).collect();
    assert_eq!(sending, ["trigger", "2", "3"]);
    let manual: Vec<&str> =
        imported.report.iter().filter(|r| r.code == "import/manual").map(|r| r.pointer.as_str()).collect();
    assert_eq!(manual, ["/definition/actions/1/data/status"]);
    let definition = written(&imported);
    // Smart Sending is the step's own setting.
    for (id, on) in [("2", true), ("3", false)] {
        let Some(Settings::Email(email)) = imported.flow.node(id).and_then(|node| node.settings()) else {
            panic!("{id}")
        };
        assert_eq!(email.smart_sending, on, "{id}");
        let edit = flowloom::flow::Edit::SetField {
            id: id.into(),
            field: "smart_sending".into(),
            value: Some((!on).to_string()),
        };
        let edited = Imported { flow: imported.flow.apply(&edit).expect("an edit"), ..imported.clone() };
        let at = id.parse::<usize>().expect("a number") - 1;
        assert_eq!(written(&edited)["actions"][at]["data"]["message"]["smart_sending_enabled"], !on);
        let export = platforms::export(Target::Klaviyo, &edited.flow, &edited.workspace).expect("exports");
        let said =
            |loss: &platforms::Loss| loss.code == "klaviyo/smart-sending" && loss.place.node.as_deref() == Some(id);
        assert_eq!(export.losses.iter().any(said), !on);
    }
    let status = |n: usize| definition["actions"][n]["data"]["status"].as_str().unwrap_or_default().to_owned();
    assert_eq!([0, 1, 2, 3].map(status), ["disabled", "manual", "draft", "disabled"]);
}

/// Nothing is cut off in silence.
#[test]
fn too_much_is_kept_or_said() {
    let trigger = r#"{"type": "metric", "id": "M", "trigger_filter": null}"#;
    check_refused(
        &format!(r#"{{"triggers": [{}], "actions": []}}"#, vec![trigger; 101].join(",")),
        "import/too-many",
        "101",
    );
    let filter = json!({"property": "x", "filter": {"type": "string", "operator": "equals", "value": "y"}});
    let condition = |filters: usize| {
        json!({"type": "profile-metric", "metric_id": "M", "measurement": "count",
            "measurement_filter": {"type": "numeric", "operator": "greater-than", "value": 0},
            "timeframe_filter": {"type": "date", "operator": "alltime"}, "metric_filters": vec![filter.clone(); filters]})
    };
    let group = json!({"conditions": [condition(1)]});
    let flow = |filters: usize, groups: usize| {
        json!({"triggers": [{"type": "metric", "id": "M", "trigger_filter": null}],
            "profile_filter": {"condition_groups": vec![group.clone(); groups]}, "entry_action_id": "1", "actions": [
            {"id": "1", "type": "conditional-split", "links": {"next_if_true": null, "next_if_false": null},
                "data": {"profile_filter": {"condition_groups": [{"conditions": [condition(filters)]}]}}}]})
    };
    let kept = |json: &Json, code: &str| {
        let imported = read(&json.to_string()).expect("a flow").remove(0);
        check_same(json, &imported);
        imported.report.iter().filter(|r| r.code == code && r.kind == RemarkKind::Kept).count()
    };
    assert_eq!((kept(&flow(3, 1), "import/kept-action"), kept(&flow(401, 1), "import/kept-action")), (0, 1));
    assert_eq!((kept(&flow(1, 3), "import/kept-filter"), kept(&flow(1, 401), "import/kept-filter")), (0, 1));
}

/// What we write is judged as ever, also in a flow that holds what Klaviyo said.
#[test]
fn faults_of_ours_stay_errors() {
    let check = |name: &str, errors: &[&str], warnings: usize| {
        let mut imported = read(&text(name)).expect("flows").remove(0);
        // What is newer than this revision is refused.
        imported.workspace.klaviyo.revision = "2025-01-15".into();
        let export = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace).expect("exports");
        let of = |severity| export.diagnostics.iter().filter(move |d| d.severity == severity);
        let found: Vec<&str> = of(Severity::Error).map(|d| d.message.split(": ").nth(1).unwrap_or_default()).collect();
        let root = "/data/attributes/definition";
        let found: Vec<&str> = found.iter().map(|at| at.trim_start_matches(root)).collect();
        assert_eq!(found, errors, "{name}: {:#?}", export.diagnostics);
        let mild = of(Severity::Warning).filter(|d| d.code == "klaviyo/lint-revision").count();
        assert_eq!(mild, warnings, "{name}: {:#?}", export.diagnostics);
    };
    check("branches.json", &["/actions/0/type", "/reentry_criteria"], 0);
    check("unknown.json", &["/reentry_criteria"], 3);
}

/// A template that is not in the mail language goes back as it came, until the mail is edited.
#[test]
fn templates_go_back_as_they_came() {
    let imported = read(&text("answer.json")).expect("flows").remove(0);
    let export = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace).expect("exports");
    let html = export.file("templates/cart-a.html").expect("the mail");
    assert_eq!(String::from_utf8_lossy(html), templates()["TmPl02"].html);
}

/// What the workspace has already is known again by its name in Klaviyo, and no second one is made.
#[test]
fn our_own_exports_make_no_doubles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows/watch-shop");
    let read_file = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (mut workspace, _) = file::read_workspace(&read_file("flowloom.ron")).expect("workspace");
    let flow = file::read(&read_file("watch-shop.flow.ron")).expect("flow").flow;
    for pool in &mut workspace.code_pools {
        pool.klaviyo = Some(format!("Coupon {}", pool.name));
    }
    for event in &mut workspace.events {
        event.klaviyo = Some(format!("Shop: {}", event.name));
    }
    assert!(!workspace.code_pools.is_empty() && !workspace.senders.is_empty());
    let export = platforms::export(Target::Klaviyo, &flow, &workspace).expect("exports");
    let json = String::from_utf8_lossy(export.file("flow.json").expect("a flow")).into_owned();
    let html = |name: &str| export.file(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let templates: BTreeMap<String, Template> = export
        .files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("templates/")?.strip_suffix(".html"))
        .map(|name| (name.to_owned(), html(&format!("templates/{name}.html")).unwrap_or_default()))
        .map(|(name, html)| (name, Template { html, ..Template::default() }))
        .collect();
    let names = known_names(Target::Klaviyo, &workspace, &BTreeMap::new());
    let given = Given { json: &json, templates: &templates, names: &names };
    let one = import(Target::Klaviyo, &given).expect("flows").remove(0);
    let ids = |senders: &[flowloom::flow::Sender]| senders.iter().map(|s| s.id.to_string()).collect::<Vec<_>>();
    assert!(!one.workspace.senders.is_empty());
    assert!(
        one.workspace.senders.iter().all(|sender| workspace.senders.contains(sender)),
        "{:?}",
        ids(&one.workspace.senders)
    );
    assert!(!one.workspace.code_pools.is_empty());
    for pool in &one.workspace.code_pools {
        assert!(workspace.code_pools.iter().any(|own| own.name == pool.name), "{}", pool.name);
    }
    for event in &one.workspace.events {
        assert!(workspace.event(&event.name).is_some(), "{}", event.name);
    }
    assert!(one.workspace.lists.iter().all(|list| workspace.lists.contains(list)), "{:?}", one.workspace.lists);
    // What is kept as JSON is Klaviyo's.
    let text = file::write(&one.flow);
    let text: String = text.lines().filter(|line| !line.trim_start().starts_with("patch: ")).collect();
    assert!(!text.contains("Coupon ") && !text.contains("Shop: "), "{text}");
    // Another sender that would get the same id gets one of its own.
    let other = json.replace(&workspace.senders[0].email, "other@shop.example");
    let given = Given { json: &other, ..given };
    let one = import(Target::Klaviyo, &given).expect("flows").remove(0);
    assert!(one.workspace.senders.iter().all(|sender| !workspace.senders.iter().any(|own| own.id == sender.id)));
}

/// Forms are named by their ids in conditions; what the account calls them stands beside.
#[test]
fn forms_have_their_names_beside() {
    let json = json!({"data": {"attributes": {"name": "F", "definition": {
        "entry_action_id": null, "actions": [], "reentry_criteria": {"duration": 0, "unit": "alltime"},
        "triggers": [{"type": "list", "id": "LIST:News"}],
        "profile_filter": {"condition_groups": [{"conditions": [{"type": "profile-marketing-consent", "consent": {
            "channel": "email", "can_receive_marketing": true, "consent_status": {"subscription": "subscribed",
            "filters": [{"method": "form", "filter": {"type": "list", "operator": "contains-any", "value": ["FoRm01"]}}]}}}]}]},
    }}}})
    .to_string();
    let names =
        BTreeMap::from([("form:FoRm01".to_owned(), "Newsletter".to_owned()), ("form:x".to_owned(), "X".to_owned())]);
    let given = Given { json: &json, templates: &BTreeMap::new(), names: &names };
    let one = import(Target::Klaviyo, &given).expect("flows").remove(0);
    let notes: Vec<&str> =
        one.flow.nodes.iter().map(|node| node.note.as_str()).filter(|note| !note.is_empty()).collect();
    assert_eq!(notes, ["The form `FoRm01` is \u{201c}Newsletter\u{201d}"], "{}", file::write(&one.flow));
    assert_eq!(one.report.iter().filter(|remark| remark.code == "import/form").count(), 1);
}

/// Without its templates a flow goes back with their ids, and no empty template goes over the client's.
#[test]
fn templates_that_were_not_given_go_back_by_their_ids() {
    let (json, names, none) = (text("answer.json"), names(), BTreeMap::new());
    let given = Given { json: &json, templates: &none, names: &names };
    let mut imported = import(Target::Klaviyo, &given).expect("flows").remove(0);
    // The workspace that the flow is saved into knows another message of these names.
    imported.workspace.klaviyo.ids.retain(|key, _| !key.starts_with("template:"));
    let saved = file::read(&file::write(&imported.flow)).expect("reads").flow;
    let findings =
        check::check(&saved, &Surroundings { workspace: &imported.workspace, other_flows: &[], audience: None });
    let empty: Vec<_> = findings.iter().filter(|found| found.diagnostic.code == "message/empty").collect();
    assert!(
        !empty.is_empty() && empty.iter().all(|found| found.diagnostic.severity == Severity::Warning),
        "{empty:#?}"
    );
    let export = platforms::export(Target::Klaviyo, &saved, &imported.workspace).unwrap_or_else(|e| panic!("{e:#?}"));
    let errors: Vec<_> = export.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let flow = String::from_utf8_lossy(export.file("flow.json").expect("a flow")).into_owned();
    for id in ["TmPl01", "TmPl02"] {
        assert!(flow.contains(&format!("\"template_id\": \"{id}\"")), "{flow}");
    }
    assert!(
        flow.contains("your cart waits") && flow.contains("Still yours"),
        "subject and preview text are the flow's: {flow}"
    );
    let mails: Vec<_> =
        export.files.iter().map(|(path, _)| path).filter(|path| path.starts_with("templates/")).collect();
    assert!(mails.iter().all(|path| path.contains("alert")), "{mails:?}");
    for target in [Target::Hubspot, Target::Engine] {
        let found = platforms::export(target, &saved, &imported.workspace).expect_err("an empty mail goes nowhere");
        assert!(found.iter().any(|found| found.code == "export/only-elsewhere"), "{found:#?}");
    }
}

/// A flow of which everything is exact: read back it mails the same people at the same instants.
#[test]
fn exact_flows_run_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows/watch-shop");
    let read_file = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (mut workspace, _) = file::read_workspace(&read_file("flowloom.ron")).expect("workspace");
    workspace.caps = Vec::new();
    workspace.quiet_hours = None;
    let (contacts, events) = (read_file("audience/contacts.jsonl"), read_file("audience/events.jsonl"));
    let (audience, _) = Audience::load(AudienceSources {
        contacts: Some(Source::new("contacts.jsonl", contacts.as_bytes())),
        events: Some(Source::new("events.jsonl", events.as_bytes())),
        responses: None,
        mapping: None,
    });
    let metrics: Vec<&str> = workspace.events.iter().map(|event| event.name.as_str()).collect();
    let (first, second) = (metrics[0], metrics[1]);
    let mail = |id: &str| {
        format!(
            "(id: \"{id}\", channel: email, subject: \"Hi {id}\", body: html(\"<p>x</p><p>{{unsubscribe_url}}</p>\"))"
        )
    };
    let flow = |trigger: &str, settings: &str, nodes: &str, edges: &str| {
        format!(
            "(version: 2, id: \"exact\", name: \"Exact\", settings: ({settings}), nodes: [(id: \"trigger\", kind: \"trigger\", settings: (any: [{trigger}])), {nodes}], edges: [{edges}], messages: [{}, {}])",
            mail("one"),
            mail("two")
        )
    };
    let e = |from: &str, port: &str, to: &str| format!("(from: \"{from}\", port: \"{port}\", to: \"{to}\")");
    let email =
        |id: &str, message: &str| format!("(id: \"{id}\", kind: \"email\", settings: (message: \"{message}\"))");
    let flows = [
        flow(
            &format!("event(event: \"{first}\")"),
            "reentry: cooldown(\"3 days\")",
            &format!(
                "{}, (id: \"d\", kind: \"delay\", settings: (wait: for(\"4 h\"))), (id: \"c\", kind: \"condition\", settings: (condition: \"did \\\"{second}\\\" at least 2 times in the last 7 days or contact.first_name is set\")), {}",
                email("m1", "one"),
                email("m2", "two")
            ),
            &[e("trigger", "next", "m1"), e("m1", "next", "d"), e("d", "next", "c"), e("c", "yes", "m2")].join(", "),
        ),
        flow(
            &format!("event(event: \"{second}\")"),
            &format!("reentry: once, exit_when: \"did \\\"{first}\\\" since entry\""),
            &format!(
                "(id: \"d\", kind: \"delay\", settings: (wait: for(\"1 day\"))), (id: \"b\", kind: \"branch\", settings: (arms: [(name: \"de\", condition: \"contact.country = \\\"DE\\\"\"), (name: \"many\", condition: \"did \\\"{second}\\\" at least 3 times\")])), {}, (id: \"u\", kind: \"update_contact\", settings: (set: [(property: \"stage\", to: value(\"seen\"))])), {}",
                email("m1", "one"),
                email("m2", "two")
            ),
            &[
                e("trigger", "next", "d"),
                e("d", "next", "b"),
                e("b", "de", "m1"),
                e("b", "many", "u"),
                e("u", "next", "m2"),
                e("b", "else", "m2"),
            ]
            .join(", "),
        ),
    ];
    for source in flows {
        let flow = file::read(&source).unwrap_or_else(|d| panic!("{d:?}\n{source}")).flow;
        let export = platforms::export(Target::Klaviyo, &flow, &workspace).expect("exports");
        let allowed = ["klaviyo/copied-tail"];
        let losses: Vec<&str> =
            export.losses.iter().map(|loss| loss.code).filter(|code| !allowed.contains(code)).collect();
        assert!(losses.is_empty(), "{:#?}", export.losses);
        let json = String::from_utf8(export.file("flow.json").expect("a flow").to_vec()).expect("text");
        // The workspace knows Klaviyo's names of its own events.
        let names = known_names(Target::Klaviyo, &workspace, &BTreeMap::new());
        let templates = templates_of(&export);
        let given = Given { json: &json, templates: &templates, names: &names };
        let mut imported = import(Target::Klaviyo, &given).expect("flows").remove(0);
        imported.flow.id = flow.id.clone();
        let play = |flow: &flowloom::flow::Flow| {
            let options = Options { from: None, until: None, ..Options::default() };
            let report = simulate::replay(&FlowSet::new(&workspace, std::slice::from_ref(flow)), &audience, &options);
            let rows = report.messages.into_iter().map(|row| {
                // A tail that was copied is one step of the original.
                let node = row.node.as_str();
                let node = node.split_once('-').map_or(node, |(node, _)| node).to_owned();
                (row.at, row.contact, node, row.outcome, row.reason)
            });
            rows.collect::<Vec<_>>()
        };
        let (ours, theirs) = (play(&flow), play(&imported.flow));
        assert!(ours.len() > 10, "{}", ours.len());
        let first = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        assert_eq!(first, None, "{}", file::write(&imported.flow));
        assert_eq!(ours.len(), theirs.len());
    }
}

/// Several flows of one text; what cannot be read is said beside those that can.
#[test]
fn lists_of_flows() {
    let imported = read(&text("list.json")).expect("flows");
    let ids: Vec<&str> = imported.iter().map(|i| i.flow.id.as_str()).collect();
    assert_eq!(ids, ["same-name", "same-name-2"]);
    let lost: Vec<&str> =
        imported[0].report.iter().filter(|r| r.code == "import/not-a-flow").map(|r| r.message.as_str()).collect();
    assert_eq!(lost, ["At `/data/2/attributes`: this flow came without its definition"]);
    assert_eq!(imported[0].workspace.klaviyo.ids["metric:4711"], "4711");
    let json: Json = serde_json::from_str(&text("list.json")).expect("JSON");
    check_same(&json["data"][1]["attributes"]["definition"], &imported[1]);
    imported.iter().for_each(|imported| drop(written(imported)));
}

#[track_caller]
fn check_refused(json: &str, code: &str, words: &str) {
    let errors = read(json).expect_err(json);
    assert!(errors.iter().any(|e| e.code == code && e.message.contains(words)), "{json}: {errors:#?}");
    assert!(errors.iter().all(|e| !e.hint.is_empty()), "{errors:#?}");
}

#[test]
fn what_is_no_flow_is_refused_with_its_place() {
    check_refused("{", "import/json", "line 1, column 1");
    check_refused("", "import/json", "line 1");
    check_refused("[]", "import/no-flow", "the whole");
    check_refused(r#"{"data": {"attributes": {"name": "x"}}}"#, "import/no-flow", "`/data/attributes`");
    check_refused(r#"{"triggers": [], "actions": {"a": 1}}"#, "import/shape", "`/actions`");
    check_refused(r#"{"definition": 3}"#, "import/no-flow", "`/definition`");
    check_refused(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), "import/json", "recursion");
    check_refused(&" ".repeat((64 << 20) + 1), "import/too-large", "64");
    let many = format!(r#"{{"actions": [{}]}}"#, vec!["{}"; 20_001].join(","));
    check_refused(&many, "import/too-many", "20001");
}

/// One flow of small parts that is damaged in one way; the remark that says so.
#[track_caller]
fn check_remark(actions: &str, entry: &str, code: &str, pointer: &str) {
    let json = format!(
        r#"{{"triggers": [{{"type": "metric", "id": "M", "trigger_filter": null}}], "entry_action_id": {entry}, "actions": [{actions}]}}"#
    );
    let imported = read(&json).unwrap_or_else(|e| panic!("{json}: {e:#?}"));
    let report = &imported[0].report;
    assert!(report.iter().any(|r| r.code == code && r.pointer == pointer), "{json}: {report:#?}");
    assert!(imported[0].flow.invariants().is_empty(), "{:#?}", imported[0].flow.invariants());
    let _ = platforms::export(Target::Klaviyo, &imported[0].flow, &imported[0].workspace);
}

#[test]
fn broken_graphs_are_drawn_and_said() {
    let delay = |id: &str, next: &str| {
        format!(
            r#"{{"id": {id}, "type": "time-delay", "links": {{"next": {next}}}, "data": {{"value": 1, "unit": "days"}}}}"#
        )
    };
    check_remark(&delay("\"a\"", "\"zz\""), "\"a\"", "import/dangling-link", "/actions/0/links/next");
    check_remark(
        &format!("{}, {}", delay("\"a\"", "null"), delay("\"a\"", "null")),
        "\"a\"",
        "import/duplicate-id",
        "/actions/1",
    );
    check_remark(&delay("\"a\"", "null"), "null", "import/no-entry", "/entry_action_id");
    check_remark(&delay("\"a\"", "\"a\""), "\"x\"", "import/no-entry", "/entry_action_id");
    check_remark(&format!("7, {}", delay("1", "null")), "1", "import/shape", "/actions/0");
    // A way back is drawn as it is; the check of the flow finds the loop.
    check_remark(&format!("{}, {}", delay("1", "2"), delay("2", "1")), "1", "import/understood", "/actions/1");
    check_remark(
        r#"{"id": "trigger", "type": ["x"], "links": 4, "data": "no"}"#,
        "\"trigger\"",
        "import/kept-action",
        "/actions/0/type",
    );
    check_remark(
        r#"{"id": "<script>alert(1)</script>", "type": "send-email", "links": {"next": 9}, "data": {"message": {"name": "<b>{{ x }}</b>", "subject_line": 7}}}"#,
        "null",
        "import/dangling-link",
        "/actions/0/links/next",
    );
}

/// A sample workspace's flows, exported; each body with its templates.
fn sample_exports() -> Vec<(String, flowloom::flow::Flow, flowloom::flow::Workspace, platforms::Export)> {
    let mut out = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).expect("samples").map(|e| e.expect("entry").path()).collect();
    folders.sort();
    for folder in folders.into_iter().filter(|path| path.is_dir()) {
        let source = fs::read_to_string(folder.join("flowloom.ron")).expect("workspace");
        let (workspace, _) = file::read_workspace(&source).expect("workspace");
        let mut flows: Vec<PathBuf> =
            fs::read_dir(&folder).expect("folder").map(|e| e.expect("entry").path()).collect();
        flows.sort();
        for path in flows.into_iter().filter(|path| path.to_string_lossy().ends_with(".flow.ron")) {
            let flow = file::read(&fs::read_to_string(&path).expect("flow")).expect("flow").flow;
            let export = platforms::export(Target::Klaviyo, &flow, &workspace).expect("exports");
            out.push((path.display().to_string(), flow, workspace.clone(), export));
        }
    }
    out
}

/// Templates of an export folder, by the name that its bodies give them.
fn templates_of(export: &platforms::Export) -> BTreeMap<String, Template> {
    let files = export.files.iter().filter_map(|(path, bytes)| {
        let name = path.strip_prefix("templates/")?.strip_suffix(".json")?;
        let json: Json = serde_json::from_slice(bytes).ok()?;
        let word = |key: &str| json["data"]["attributes"][key].as_str().map(str::to_owned);
        let template = Template { html: word("html")?, text: word("text"), ..Template::default() };
        Some((name.to_owned(), template))
    });
    files.collect()
}

#[test]
fn our_own_exports_come_back() {
    let mut num_bodies = 0;
    let mut wrong = Vec::new();
    for (name, _, _, export) in sample_exports() {
        let templates = templates_of(&export);
        for (path, bytes) in export.files.iter().filter(|(path, _)| path.starts_with("flow") && path.ends_with(".json"))
        {
            let source = String::from_utf8(bytes.clone()).expect("text");
            let none = BTreeMap::new();
            let given = Given { json: &source, templates: &templates, names: &none };
            let imported = import(Target::Klaviyo, &given).unwrap_or_else(|e| panic!("{name}: {e:#?}"));
            let json: Json = serde_json::from_str(&source).expect("JSON");
            let (wanted, found) = (normal(definition_of(&json), &FORM), normal(&written(&imported[0]), &FORM));
            num_bodies += 1;
            wrong.extend(differences(&wanted, &found, &FORM).into_iter().map(|at| format!("{name} {path} {at}")));
            assert!(imported[0].flow.nodes.iter().all(|node| node.kind != "foreign"), "{name} {path}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(num_bodies >= 11, "{num_bodies}");
}

/// What Klaviyo's templates say is read as what they were made of: written again they are the same, letter by letter.
#[test]
fn templates_come_back_letter_by_letter() {
    use flowloom::{
        base::Place,
        content::{Book, Dialect, Part, Scope, from_klaviyo, transpile},
    };
    let mut num_texts = 0;
    let mut wrong: Vec<String> = Vec::new();
    for (name, _, _, export) in sample_exports() {
        let mut book = Book::default();
        let mut texts: Vec<(String, Part)> = Vec::new();
        for template in templates_of(&export).into_values() {
            texts.push((template.html, Part::Html));
            texts.extend(template.text.map(|text| (text, Part::Plain)));
        }
        let json: Json = serde_json::from_slice(export.file("flow.json").expect("flow")).expect("JSON");
        for action in json["data"]["attributes"]["definition"]["actions"].as_array().expect("actions") {
            let message = &action["data"]["message"];
            let lines = ["subject_line", "preview_text", "body"].iter().filter_map(|key| message[*key].as_str());
            texts.extend(lines.map(|line| (line.to_owned(), Part::Plain)));
        }
        let reads: Vec<_> = texts.iter().map(|(text, part)| from_klaviyo(text, *part, &mut book)).collect();
        let fields: Vec<_> = book.found().iter().map(|found| found.field.clone()).collect();
        let constants = BTreeMap::new();
        let scope = Scope { fields: &fields, constants: &constants };
        for ((text, part), read) in texts.iter().zip(reads) {
            num_texts += 1;
            // Which language a mail is in is asked in a form that only this exporter writes.
            if text.contains("person|lookup:'language'|default:''|lower") {
                assert!(!read.is_exact());
                continue;
            }
            assert!(read.is_exact(), "{name}: {:#?}\n{}", read.kept, read.text.len());
            let again = transpile(&read.text, *part, Dialect::Klaviyo, &scope, &Place::default());
            let again = again.unwrap_or_else(|e| panic!("{name}: {e:#?}\n{}", read.text)).text;
            let inner = text.strip_prefix("{% autoescape off %}").and_then(|t| t.strip_suffix("{% endautoescape %}"));
            let text = inner.unwrap_or(text);
            if text != again {
                let at = text.bytes().zip(again.bytes()).take_while(|(a, b)| a == b).count();
                let part = |text: &str| {
                    String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(120)..(at + 160).min(text.len())])
                        .into_owned()
                };
                wrong.push(format!("{name}:\n  was {}\n  is  {}", part(text), part(&again)));
            }
        }
    }
    assert!(num_texts > 60, "{num_texts}");
    assert!(wrong.is_empty(), "{} of {num_texts}\n{}", wrong.len(), wrong.join("\n"));
}

/// SplitMix64; see `fuzz`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).expect("fits")
    }
}

/// Every place in a JSON, as pointers.
fn pointers(json: &Json) -> Vec<String> {
    let mut out = Vec::new();
    let mut stack = vec![(String::new(), json)];
    while let Some((at, json)) = stack.pop() {
        match json {
            Json::Object(map) => stack.extend(
                map.iter().map(|(key, value)| (format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), value)),
            ),
            Json::Array(items) => stack.extend(items.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value))),
            _ => {}
        }
        out.push(at);
    }
    out
}

/// Damage in one or a few places: another sort of value, a copy of another place, a key gone.
fn damaged(json: &Json, dice: &mut Dice) -> Json {
    let mut out = json.clone();
    for _ in 0..=dice.below(3) {
        let all = pointers(&out);
        let at = all[dice.below(all.len())].clone();
        let other = out.pointer(&all[dice.below(all.len())]).cloned().unwrap_or_default();
        let value = match dice.below(12) {
            0 => Json::Null,
            1 => json!(-1),
            2 => json!(1e300),
            3 => json!("\u{0}<b>{{ x }}{% if"),
            4 => json!(""),
            5 => json!([]),
            6 => json!({}),
            7 => json!(true),
            8 => json!("y".repeat(300)),
            9 => json!(18_446_744_073_709_551_615_u64),
            _ => other,
        };
        if dice.below(5) == 0
            && let Some((parent, key)) = at.rsplit_once('/')
            && let Some(Json::Object(map)) = out.pointer_mut(parent)
        {
            map.remove(key);
        } else if let Some(place) = out.pointer_mut(&at) {
            *place = value;
        }
    }
    out
}

/// Nothing that can be done to a flow's JSON makes the import panic or run away; what comes out can be saved.
#[test]
fn damaged_flows_never_panic() {
    let fixtures: Vec<Json> =
        ["answer.json", "old-revision.json", "unknown.json", "branches.json", "test.json", "date.json", "list.json"]
            .iter()
            .map(|name| serde_json::from_str(&text(name)).expect("JSON"))
            .collect();
    let one = |seed: u64| {
        let mut dice = Dice(seed);
        let json = damaged(&fixtures[dice.below(fixtures.len())], &mut dice);
        let mut source = json.to_string();
        if dice.below(6) == 0 {
            let mut at = dice.below(source.len());
            while !source.is_char_boundary(at) {
                at -= 1;
            }
            source.truncate(at);
        }
        let Ok(imported) = read(&source) else { return };
        for imported in imported {
            assert!(imported.flow.invariants().is_empty(), "seed {seed}: {:#?}\n{source}", imported.flow.invariants());
            if seed.is_multiple_of(10) {
                let saved = file::write(&imported.flow);
                let again = file::read(&saved).unwrap_or_else(|e| panic!("seed {seed}: {e:?}\n{saved}"));
                assert_eq!(again.flow.canonical(), imported.flow.canonical(), "seed {seed}");
            }
        }
    };
    const THREADS: u64 = 4;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let one = &one;
            scope.spawn(move || (0..2_000).filter(|seed| seed % THREADS == thread).for_each(one));
        }
    });
}

/// What was kept goes back in bodies that Klaviyo's own document takes.
#[test]
fn kept_bodies_pass_the_official_document() {
    let mut bodies = Vec::new();
    // The others hold what the document does not have: a type of an old revision, a key of the future, a number as id.
    for name in ["answer.json", "branches.json", "test.json", "status.json"] {
        for imported in read(&text(name)).expect("flows") {
            let export = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace).expect("exports");
            let body: Json = serde_json::from_slice(export.file("flow.json").expect("a flow")).expect("JSON");
            bodies.push((Target::Klaviyo, "post", "/api/flows", body));
        }
    }
    crate::schema_proofs::prove("kept", &bodies);
}
