//! Workflows of HubSpot, read and written again: the same JSON up to what is named here, and the same meaning.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use flowloom::{
    audience::{Audience, AudienceSources, Source},
    base::{Diagnostic, Instant, Severity},
    content::{Body, Book, Dialect, Field, Part, Scope, export_variant, from_hubl, transpile},
    flow::{
        Flow, FlowSettings, Target, Workspace,
        check::{self, Surroundings},
        file,
    },
    journey::FlowSet,
    kinds::Settings,
    platforms::{
        self,
        import::{Given, Imported, RemarkKind, Template, import},
    },
    simulate,
    testing::Rng,
};
use serde_json::{Value as Json, json};

use crate::normal::{Form, differences, normal};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("tests/fixtures/platforms/hubspot/import")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn fixture(name: &str) -> Json {
    serde_json::from_str(&text(&folder().join(name))).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn names() -> BTreeMap<String, String> {
    let pairs = [
        ("list:42", "VIP"),
        ("event:6-7777", "Subscribed"),
        ("user:501", "sales@shop.example"),
        ("email:55", "We miss you"),
    ];
    pairs.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()
}

fn templates() -> BTreeMap<String, Template> {
    let welcome = Template {
        name: "Welcome".into(),
        html: "<p>Hi {{ personalization_token('contact.firstname', 'there') }}</p><a href=\"{{ unsubscribe_link_all }}\">x</a>".into(),
        text: None,
        subject: Some("Hello {{ contact.firstname }}".into()),
        preheader: None,
    };
    let hard = Template {
        name: "Hard".into(),
        html: "<p>{{ contact.plan|title }} {% module 'x' path='/y' %}</p>".into(),
        ..Template::default()
    };
    BTreeMap::from([("123456789".to_owned(), welcome), ("55".to_owned(), hard)])
}

fn read(json: &str) -> Result<Vec<Imported>, Vec<Diagnostic>> {
    let (templates, names) = (templates(), names());
    import(Target::Hubspot, &Given { json, templates: &templates, names: &names })
}

fn read_fixture(name: &str) -> Vec<Imported> {
    read(&text(&folder().join(name))).unwrap_or_else(|e| panic!("{name}: {e:#?}"))
}

/// The bodies that a flow is exported as.
fn written(flow: &Flow, workspace: &Workspace) -> Vec<Json> {
    let export =
        platforms::export(Target::Hubspot, flow, workspace).unwrap_or_else(|e| panic!("{}: {e:#?}", flow.name));
    // What HubSpot gave us is not refused on its way back.
    let errors: Vec<_> = export.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", flow.name);
    let is_flow = |name: &str| name.starts_with("flow") && name.ends_with(".json");
    let files = export.files.iter().filter(|(name, _)| is_flow(name));
    files.map(|(name, bytes)| serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{name}: {e}"))).collect()
}

/// How HubSpot writes a workflow: what only an answer holds, and the switch, which an export never turns on
/// (references, HubSpot 2, 16.7); what it fills in where it is left out (2 and 12.4); old forms of splits.
const FORM: Form = Form {
    start: "startActionId",
    ids: &["actionId"],
    of_answers: &[
        "id",
        "createdAt",
        "updatedAt",
        "revisionId",
        "nextAvailableActionId",
        "crmObjectCreationStatus",
        "isEnabled",
    ],
    links: |action| {
        let mut out = Vec::new();
        links_of(action, &mut out);
        out
    },
    rename: |action, places| {
        let branches = action.get_mut("testBranches").and_then(Json::as_array_mut).into_iter().flatten();
        for branch in branches.filter(|branch| branch.get("nextActionId").is_some()) {
            *branch = json!({"connection": branch.clone()});
        }
        rename(action, places);
    },
    fills: |key| key == "filterBranchOperator" || key == "enrollmentCriteria",
    is_nothing: |json| match json {
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Bool(yes) => !yes,
        Json::Null => true,
        _ => false,
    },
};

fn links_of(json: &Json, out: &mut Vec<String>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| links_of(item, out)),
        Json::Object(map) => {
            // In the order of the schema, whatever order the keys have.
            for key in ["connection", "listBranches", "staticBranches", "testBranches", "defaultBranch"] {
                map.get(key).into_iter().for_each(|value| links_of(value, out));
            }
            out.extend(map.get("nextActionId").and_then(Json::as_str).map(str::to_owned));
        }
        _ => {}
    }
}

fn rename(json: &mut Json, renamed: &BTreeMap<String, String>) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Json::String(id) if key == "actionId" || key == "nextActionId" => {
                        *id = renamed.get(id).cloned().unwrap_or_else(|| format!("gone {id}"));
                    }
                    other => rename(other, renamed),
                }
            }
        }
        Json::String(text) => {
            for (id, name) in renamed {
                *text = text.replace(&format!("action_output_{id}."), &format!("action_output_{name}."));
            }
        }
        _ => {}
    }
}

#[track_caller]
fn check_same(what: &str, read: &Json, written: &Json) {
    let out = differences(&normal(read, &FORM), &normal(written, &FORM), &FORM);
    assert!(out.is_empty(), "{what}\n{}", out.join("\n"));
}

/// The flow and its workspace as files, and read again: what is exported must survive that.
fn through_files(imported: &Imported) -> (Flow, Workspace) {
    let source = file::write(&imported.flow);
    let loaded = file::read(&source).unwrap_or_else(|d| panic!("{}\n{source}", d.message));
    assert!(loaded.notes.is_empty(), "{:?}\n{source}", loaded.notes);
    assert_eq!(file::write(&loaded.flow), source);
    assert_eq!(loaded.flow.canonical(), imported.flow.canonical());
    (loaded.flow, imported.workspace.clone())
}

#[test]
fn what_was_read_is_written() {
    for name in ["welcome.json", "everything.json", "list-based.json", "birthday.json"] {
        let all = read_fixture(name);
        let [imported] = all.as_slice() else { panic!("{name}: one flow") };
        let (flow, workspace) = through_files(imported);
        let bodies = written(&flow, &workspace);
        assert_eq!(bodies.len(), 1, "{name}");
        check_same(name, &fixture(name), &bodies[0]);
    }
    let batch = fixture("batch.json");
    let all = read_fixture("batch.json");
    assert_eq!(all.len(), 3);
    for (imported, body) in all.iter().zip(batch["results"].as_array().expect("results")) {
        let (flow, workspace) = through_files(imported);
        check_same(&flow.name, body, &written(&flow, &workspace)[0]);
    }
    assert!(
        all[0].report.iter().any(|r| r.pointer == "/results/3" && r.kind == RemarkKind::Lost),
        "{:#?}",
        all[0].report
    );
}

/// What became of each action, so that a reader that keeps everything cannot pass for one that understands.
#[test]
fn kinds_and_remarks() {
    let from_today: Vec<_> =
        read_fixture("list-based.json")[0].report.iter().filter(|r| r.code == "hubspot/from-today").cloned().collect();
    assert_eq!(from_today.len(), 1, "{from_today:#?}");
    assert!(fixture("list-based.json").pointer(&from_today[0].pointer).is_some(), "{from_today:#?}");
    let all = read_fixture("everything.json");
    let kinds: Vec<String> = all[0].flow.nodes.iter().map(|node| format!("{} {}", node.id, node.kind)).collect();
    let expected = "start trigger, a10 wait_for_event, a12 delay, a14 delay, a15 delay, a16 delay, a17 foreign, a18 branch, \
        a19 update_contact, a20 update_contact, a21 update_contact, a22 foreign, a23 internal_alert, a24 foreign, \
        a25 webhook, a26 foreign, a27 foreign, a28 foreign, a29 foreign, a30 foreign, a31 list_update, a32 split, \
        a33 email, a34 foreign, a35 cap, a36 wait_for_event, a37 foreign, a38 foreign, a13 delay";
    assert_eq!(kinds.join(", "), expected);
    let of = |kind: RemarkKind| all[0].report.iter().filter(move |remark| remark.kind == kind);
    assert!(of(RemarkKind::Kept).count() >= 10 && of(RemarkKind::Guessed).count() >= 5);
    for remark in &all[0].report {
        assert!(!remark.message.is_empty() && !remark.message.ends_with('.'), "{remark:?}");
        assert!(
            remark.pointer.is_empty()
                || fixture("everything.json").pointer(&remark.pointer).is_some()
                || remark.kind != RemarkKind::Kept,
            "{remark:?}"
        );
        let needs = matches!(remark.kind, RemarkKind::Kept | RemarkKind::Lost);
        assert!(!needs || !remark.remedy.is_empty(), "{remark:?}");
        assert!(remark.node.as_ref().is_none_or(|id| all[0].flow.node(id.as_str()).is_some()), "{remark:?}");
    }
    let welcome = &read_fixture("welcome.json")[0];
    let settings = welcome.flow.settings();
    let kept: Vec<&str> =
        settings.kept.iter().filter_map(|kept| kept.node.as_ref()).map(|node| node.as_str()).collect();
    assert_eq!(kept, ["a3"], "only the branch says more than its step: a name that is no port");
    assert_eq!(welcome.workspace.hubspot.ids.get("list:VIP").map(String::as_str), Some("42"));
    assert_eq!(welcome.workspace.hubspot.ids.get("email:mail-123456789-a").map(String::as_str), Some("123456789"));
    let Some(Settings::Branch(branch)) = welcome.flow.node("a3").and_then(|node| node.settings()) else {
        panic!("a branch")
    };
    assert_eq!(branch.arms[0].condition.text(), "contact.lifecyclestage = \"customer\"");
    assert_eq!(
        branch.arms[1].condition.text(),
        "on list \"VIP\" and did \"$clicked\" in the last 2 weeks or contact.amount > 100"
    );
    let message = welcome.flow.message("mail-123456789").expect("a message");
    assert_eq!(message.title(), "Welcome");
    assert_eq!(message.variants[0].subject, "Hello {{ first_name }}");
    assert!(message.variants[0].kept.is_empty(), "{:?}", message.variants[0].kept);
}

/// A flow that was imported checks without errors, and goes to the other platform with what is lost said.
#[test]
fn imported_flows_are_flows() {
    for name in ["welcome.json", "everything.json", "list-based.json", "birthday.json", "batch.json"] {
        for imported in read_fixture(name) {
            assert_eq!(imported.flow.settings().target, Some(Target::Hubspot), "{name}");
            let surroundings = Surroundings { workspace: &imported.workspace, other_flows: &[], audience: None };
            let found = check::check(&imported.flow, &surroundings);
            let found = found.iter().map(|finding| &finding.diagnostic);
            let errors: Vec<&Diagnostic> = found.filter(|d| d.severity == Severity::Error).collect();
            let allowed = ["message/", "graph/", "mail/", "consent/", "trigger/"];
            let wrong: Vec<_> =
                errors.iter().filter(|d| !allowed.iter().any(|area| d.code.starts_with(area))).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:#?}");
            if let Ok(export) = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace) {
                let codes: BTreeMap<&str, usize> = export.losses.iter().fold(BTreeMap::new(), |mut all, loss| {
                    *all.entry(loss.code).or_default() += 1;
                    all
                });
                let foreign = imported.flow.nodes.iter().filter(|node| node.kind == "foreign").count();
                let lost = export.losses.iter().filter(|loss| loss.code == "klaviyo/foreign").count();
                // A path that ends before a locked step does not reach it.
                let ends = codes.contains_key("klaviyo/date-wait");
                assert!(ends || lost >= foreign, "{name}: {foreign} locked steps, {lost} losses: {codes:?}");
                let kept = imported.flow.settings().kept.len();
                let told = export.losses.iter().filter(|loss| loss.code == "klaviyo/kept-elsewhere").count();
                assert!(kept == 0 || told > 0, "{name}");
            }
        }
    }
}

/// A locked step goes back as it was, its links follow the drawing, and another platform says that it cannot have it.
#[test]
fn locked_steps_go_back() {
    let code = json!({"type": "CUSTOM_CODE", "actionId": "77", "runtime": "NODE20X", "sourceCode": "x", "inputFields": [],
        "outputFields": [], "secretNames": [], "connection": {"edgeType": "STANDARD", "nextActionId": "78"}});
    let mail = json!({"type": "SINGLE_CONNECTION", "actionId": "78", "actionTypeId": "0-4", "actionTypeVersion": 0, "fields": {"content_id": "123456789"}});
    let body = json!({"type": "CONTACT_FLOW", "flowType": "WORKFLOW", "objectTypeId": "0-1", "name": "Code", "actions": [mail, code], "startActionId": "77",
        "enrollmentCriteria": {"type": "MANUAL", "shouldReEnroll": false}});
    let imported = read(&body.to_string()).expect("a flow").remove(0);
    check_same("as it was", &body, &written(&imported.flow, &imported.workspace)[0]);
    let cut = flowloom::flow::Edit::Disconnect { from: "a77".into(), port: "next".into() };
    let flow = imported.flow.apply(&cut).expect("an edit");
    let actions = written(&flow, &imported.workspace)[0]["actions"].clone();
    assert_eq!(actions.as_array().map(Vec::len), Some(1));
    assert_eq!(actions[0].get("connection"), None);
    let export = platforms::export(Target::Klaviyo, &imported.flow, &imported.workspace).expect("exports");
    assert!(export.losses.iter().any(|loss| loss.code == "klaviyo/foreign"), "{:#?}", export.losses);
}

/// A mail that is more than our language says goes back letter by letter, until somebody edits it.
#[test]
fn kept_mails_go_back() {
    let imported = read_fixture("list-based.json").remove(0);
    let source = &templates()["55"].html;
    let html = |flow: &Flow| {
        let export = platforms::export(Target::Hubspot, flow, &imported.workspace).expect("exports");
        String::from_utf8(export.file("emails/mail-55-a.html").expect("a mail").to_vec()).expect("a text")
    };
    assert_eq!(&html(&imported.flow), source);
    let mut message = imported.flow.message("mail-55").expect("a message").clone();
    assert_eq!(message.title(), "We miss you");
    assert_eq!(
        message.variants[0].body,
        Body::Html("<p>{{ plan }} ⟨module &#x27;x&#x27; path=&#x27;/y&#x27;⟩</p>".into())
    );
    message.variants[0].body = Body::Html("<p>{{ plan }}</p>".into());
    let flow = imported.flow.apply(&flowloom::flow::Edit::SetMessage(Box::new(message))).expect("an edit");
    assert!(html(&flow).contains("<p>{{ contact.plan }}</p>"), "{}", html(&flow));
}

/// Without their content e-mails go back by their ids, and no empty one is made.
#[test]
fn emails_that_were_not_given_go_back_by_their_ids() {
    let (json, names, none) = (text(&folder().join("list-based.json")), names(), BTreeMap::new());
    let given = Given { json: &json, templates: &none, names: &names };
    let mut imported = import(Target::Hubspot, &given).expect("flows").remove(0);
    imported.workspace.hubspot.ids.retain(|key, _| !key.starts_with("email:"));
    let flow = file::read(&file::write(&imported.flow)).expect("reads").flow;
    let around = Surroundings { workspace: &imported.workspace, other_flows: &[], audience: None };
    let findings = check::check(&flow, &around);
    let empty: Vec<_> = findings.iter().filter(|found| found.diagnostic.code == "message/empty").collect();
    assert!(
        !empty.is_empty() && empty.iter().all(|found| found.diagnostic.severity == Severity::Warning),
        "{empty:#?}"
    );
    let export = platforms::export(Target::Hubspot, &flow, &imported.workspace).unwrap_or_else(|e| panic!("{e:#?}"));
    let all: String = export.files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(all.contains("\"content_id\": \"55\""), "{all}");
    assert!(export.files.iter().all(|(path, _)| !path.starts_with("emails/")));
    let found = platforms::export(Target::Klaviyo, &flow, &imported.workspace).expect_err("an empty mail goes nowhere");
    assert!(found.iter().any(|found| found.code == "export/only-elsewhere"), "{found:#?}");
}

/// A large workflow is read in a moment: 500 actions, 50 e-mails. The bound is for a busy machine without optimisation.
#[test]
fn large_workflows_are_read_fast() {
    let single = |n: usize| {
        let (kind, fields) = match n % 10 {
            0 => ("0-4", json!({"content_id": n.to_string()})),
            1..5 => (
                "0-5",
                json!({"property_name": format!("p{n}"), "value": {"type": "STATIC_VALUE", "staticValue": "x"}}),
            ),
            _ => ("0-1", json!({"delta": "2", "time_unit": "HOURS"})),
        };
        json!({"type": "SINGLE_CONNECTION", "actionId": n.to_string(), "actionTypeId": kind, "actionTypeVersion": 0,
            "fields": fields, "connection": {"edgeType": "STANDARD", "nextActionId": (n + 1).to_string()}})
    };
    let body = json!({"type": "CONTACT_FLOW", "name": "Large", "startActionId": "1", "actions": (1..=500).map(single).collect::<Vec<_>>(),
        "enrollmentCriteria": {"type": "MANUAL", "shouldReEnroll": false}});
    let text = body.to_string();
    let begin = std::time::Instant::now();
    let imported = read(&text).expect("a flow").remove(0);
    let took = begin.elapsed();
    assert_eq!(imported.flow.nodes.len(), 501);
    println!("500 actions in {took:?}");
    assert!(took.as_secs() < 10, "{took:?}");
}

/// An edit counts: what was kept of an edited step does not go back, and a loss says so.
#[test]
fn edits_count() {
    let imported = read_fixture("everything.json").remove(0);
    let edit = |id: &str, field: &str, value: &str| flowloom::flow::Edit::SetField {
        id: id.into(),
        field: field.into(),
        value: Some(value.into()),
    };
    let flow = imported.flow.apply(&edit("a12", "wait", r#"for("3 days")"#)).expect("an edit");
    let export = platforms::export(Target::Hubspot, &flow, &imported.workspace).expect("exports");
    let body: Json = serde_json::from_slice(export.file("flow.json").expect("a flow")).expect("JSON");
    let fields: Vec<&Json> = body["actions"].as_array().expect("actions").iter().map(|a| &a["fields"]).collect();
    assert!(fields.contains(&&json!({"delta": "3", "time_unit": "DAYS"})), "{fields:#?}");
    assert!(!fields.iter().any(|fields| fields["time_unit"] == "WEEKS"));
    assert!(export.losses.iter().any(|loss| loss.code == "hubspot/kept-dropped"));
    assert!(
        platforms::export(Target::Hubspot, &imported.flow, &imported.workspace)
            .expect("exports")
            .losses
            .iter()
            .all(|loss| loss.code != "hubspot/kept-dropped")
    );
}

#[test]
fn broken_workflows_are_read_as_far_as_possible() {
    let all = read_fixture("broken.json");
    let imported = &all[0];
    assert_eq!(imported.flow.invariants(), []);
    let found: BTreeSet<(&str, &str)> = imported.report.iter().map(|r| (r.code, r.pointer.as_str())).collect();
    for expected in [
        ("hubspot/no-start", "/startActionId"),
        ("hubspot/duplicate-id", "/actions/3/actionId"),
        ("hubspot/dangling", "/actions/3/connection"),
        ("hubspot/no-action", "/actions/5"),
        ("hubspot/no-action", "/actions/6"),
        ("hubspot/loop", "/actions/2"),
        ("hubspot/unreachable", "/actions/3"),
        ("hubspot/foreign-step", "/actions/7/listBranches"),
        ("hubspot/foreign-step", "/actions/8/fields"),
        ("hubspot/foreign-step", "/actions/4/fields/content_id"),
    ] {
        assert!(found.contains(&expected), "{expected:?}\n{found:#?}");
    }
    assert_eq!(written(&imported.flow, &imported.workspace).len(), 1);
    assert!(imported.flow.name.contains("<script>") && file::read(&file::write(&imported.flow)).is_ok());
}

// Our own export, read again.

fn samples() -> Vec<(PathBuf, Flow, Workspace)> {
    let entries = |folder: &Path| {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
        paths.sort();
        paths
    };
    let mut out = Vec::new();
    for folder in entries(&root().join("sample_flows")).into_iter().filter(|path| path.is_dir()) {
        let workspace = file::read_workspace(&text(&folder.join("flowloom.ron"))).expect("a workspace").0;
        for path in entries(&folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".flow.ron")) {
            out.push((path.clone(), file::read(&text(&path)).expect("a flow").flow, workspace.clone()));
        }
    }
    assert!(out.len() >= 10);
    out
}

#[test]
fn our_own_exports_come_back() {
    let (mut steps, mut locked) = (0, 0);
    for (path, flow, workspace) in samples() {
        for body in written(&flow, &workspace) {
            let all = read(&body.to_string()).unwrap_or_else(|e| panic!("{}: {e:#?}", path.display()));
            let imported = &all[0];
            steps += imported.flow.nodes.len();
            locked += imported.flow.nodes.iter().filter(|node| node.kind == "foreign").count();
            let again = written(&imported.flow, &imported.workspace);
            assert_eq!(again.len(), 1, "{}", path.display());
            check_same_but_mails(&path.display().to_string(), &body, &again[0]);
        }
    }
    // Waits for several events at once are all that an export of ours has no step for.
    assert!(locked * 20 <= steps, "{locked} of {steps} steps are locked");
}

/// The same up to the names of e-mails that are not there yet.
#[track_caller]
fn check_same_but_mails(what: &str, read: &Json, written: &Json) {
    fn mails(json: &mut Json, known: &mut BTreeMap<String, String>) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(|item| mails(item, known)),
            Json::Object(map) => {
                if let Some(Json::String(id)) = map.get_mut("content_id") {
                    let n = known.len();
                    *id = known.entry(id.clone()).or_insert_with(|| format!("mail {n}")).clone();
                }
                map.values_mut().for_each(|value| mails(value, known));
            }
            _ => {}
        }
    }
    let (mut read, mut written) = (normal(read, &FORM), normal(written, &FORM));
    mails(&mut read, &mut BTreeMap::new());
    mails(&mut written, &mut BTreeMap::new());
    let out = differences(&read, &written, &FORM);
    assert!(out.is_empty(), "{what}\n{}", out.join("\n"));
}

/// Every text of every sample mail: ours, HubSpot's, ours, and HubSpot's again, letter by letter.
#[test]
fn sample_mails_come_back() {
    let (mut texts, mut exact) = (0, 0);
    for (path, flow, workspace) in samples() {
        let fields: Vec<Field> = flow.fields().cloned().collect();
        let FlowSettings { constants, .. } = flow.settings();
        let scope = Scope { fields: &fields, constants: &constants };
        for message in flow.messages.iter().filter_map(|m| m.section.value()) {
            for variant in &message.variants {
                let Ok(mail) = export_variant(message, variant, &workspace.brand, Dialect::Hubspot, &scope) else {
                    panic!("{}: {}", path.display(), message.id)
                };
                let parts = [
                    (mail.subject, Part::Plain),
                    (mail.preheader, Part::Plain),
                    (mail.html, Part::Html),
                    (mail.text, Part::Plain),
                ];
                for (source, part) in parts {
                    let mut book = Book::default();
                    let read = from_hubl(&source, part, &mut book);
                    let what = format!("{}: {} {:?}", path.display(), message.id, read.kept);
                    assert!(read.is_exact(), "{what}");
                    let fields: Vec<Field> = book.found().iter().map(|found| found.field.clone()).collect();
                    let constants = BTreeMap::new();
                    let scope = Scope { fields: &fields, constants: &constants };
                    let place = flowloom::base::Place::default();
                    let back = transpile(&read.text, part, Dialect::Hubspot, &scope, &place);
                    let back = back.unwrap_or_else(|e| panic!("{what}\n{e:#?}")).text;
                    texts += 1;
                    exact += usize::from(back == source);
                    let apart = back
                        .bytes()
                        .zip(source.bytes())
                        .position(|(a, b)| a != b)
                        .unwrap_or(back.len().min(source.len()));
                    let around = |text: &str| {
                        text.chars()
                            .skip(text[..text.floor_char_boundary(apart)].chars().count().saturating_sub(40))
                            .take(120)
                            .collect::<String>()
                    };
                    assert!(back == source, "{what}\n  {}\n  {}", around(&source), around(&back));
                }
            }
        }
    }
    assert!(texts > 100 && exact == texts, "{exact} of {texts}");
}

// The same meaning.

/// Flows that HubSpot says exactly, whatever the export's notes on consent: who gets what when must stay the same.
const EXACT: &[&str] = &[
    r#"(version: 2, id: "f1", name: "F1", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Cart Updated", filter: "event.item_count > 1")])),
        (id: "wait", kind: "delay", settings: (wait: for("90 min"))),
        (id: "if", kind: "condition", settings: (condition: "contact.lifetime_value > 500 and did \"Viewed Product\" at least 2 times in the last 7 days")),
        (id: "m1", kind: "email", settings: (message: "m1")),
        (id: "day", kind: "delay", settings: (wait: for("1 day 4 h"))),
        (id: "m2", kind: "email", settings: (message: "m2")),
    ], edges: [(from: "start", to: "wait"), (from: "wait", to: "if"), (from: "if", port: "yes", to: "m1"), (from: "if", port: "no", to: "day"), (from: "m1", to: "day"), (from: "day", to: "m2")],
    messages: [(id: "m1", subject: "One", body: blocks([text(text: "Hello"), footer()])), (id: "m2", subject: "Two", body: blocks([text(text: "Hello"), footer()]))])"#,
    r#"(version: 2, id: "f2", name: "F2", settings: (reentry: once), nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "Checkout Expired"), event(event: "Viewed Product", filter: "event.device = \"mobile\"")])),
        (id: "set", kind: "update_contact", settings: (set: [(property: "seen", to: value("yes")), (property: "n", to: add(1))])),
        (id: "order", kind: "wait_for_event", settings: (event: "Placed Order", timeout: "6 h", look_back: now)),
        (id: "pick", kind: "branch", settings: (arms: [(name: "vip", condition: "contact.lifetime_value > 500"), (name: "seen", condition: "contact.seen = \"yes\" and contact.n >= 1")])),
        (id: "m1", kind: "email", settings: (message: "m1")),
        (id: "m2", kind: "email", settings: (message: "m2")),
        (id: "list", kind: "list_update", settings: (add: ["Newsletter"])),
        (id: "m3", kind: "email", settings: (message: "m3")),
    ], edges: [(from: "start", to: "set"), (from: "set", to: "order"), (from: "order", port: "happened", to: "pick"), (from: "order", port: "timed_out", to: "m3"), (from: "pick", port: "vip", to: "m1"), (from: "pick", port: "seen", to: "m2"), (from: "pick", port: "else", to: "list"), (from: "m1", to: "list"), (from: "list", to: "m3")],
    messages: [(id: "m1", subject: "One", body: blocks([text(text: "Hello"), footer()])), (id: "m2", subject: "Two", body: blocks([text(text: "Hello"), footer()])), (id: "m3", subject: "Three", body: blocks([text(text: "Hello"), footer()]))])"#,
];

/// Contact, instant, message, outcome of each mail, in that order.
fn told(flow: &Flow, workspace: &Workspace, audience: &Audience) -> Vec<(String, Instant, String, String)> {
    let report =
        simulate::replay(&FlowSet::new(workspace, std::slice::from_ref(flow)), audience, &simulate::Options::default());
    let message = |node: &str| {
        let settings = flow.node(node).and_then(|node| node.settings());
        settings.and_then(Settings::message).map_or_else(String::new, |(message, _)| message.to_string())
    };
    let mut mails: Vec<_> = report
        .messages
        .iter()
        .map(|row| {
            (row.contact.to_string(), row.at, message(row.node.as_str()), format!("{:?} {:?}", row.outcome, row.reason))
        })
        .collect();
    mails.sort();
    mails
}

fn audience_of(folder: &Path) -> Audience {
    let (contacts, events) =
        (text(&folder.join("audience/contacts.jsonl")), text(&folder.join("audience/events.jsonl")));
    let (audience, found) = Audience::load(AudienceSources {
        contacts: Some(Source::new("contacts.jsonl", contacts.as_bytes())),
        events: Some(Source::new("events.jsonl", events.as_bytes())),
        responses: None,
        mapping: None,
    });
    assert!(found.is_empty(), "{found:#?}");
    audience
}

/// The e-mails of an export by the placeholders that stand for their ids.
fn mails_of(flow: &Flow, workspace: &Workspace) -> BTreeMap<String, Template> {
    let export = platforms::export(Target::Hubspot, flow, workspace).expect("exports");
    let mut out = BTreeMap::new();
    for (name, bytes) in &export.files {
        let Some(id) = name.strip_prefix("emails/").and_then(|name| name.strip_suffix(".json")) else { continue };
        let body: Json = serde_json::from_slice(bytes).expect("JSON");
        let html = body.pointer("/content/widgets/module-0-1-1/body/html").and_then(Json::as_str).expect("HTML");
        let subject = body["subject"].as_str().map(str::to_owned);
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        let template = Template { name, html: html.to_owned(), subject, ..Template::default() };
        out.insert(format!("EMAIL:{id}"), template);
    }
    out
}

#[test]
fn what_is_exact_means_the_same() {
    let folder = root().join("sample_flows/watch-shop");
    let workspace = file::read_workspace(&text(&folder.join("flowloom.ron"))).expect("a workspace").0;
    let audience = audience_of(&folder);
    for source in EXACT {
        let original = file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let bodies = written(&original, &workspace);
        assert_eq!(bodies.len(), 1, "{}", original.name);
        let templates = mails_of(&original, &workspace);
        let given = Given { json: &bodies[0].to_string(), templates: &templates, names: &BTreeMap::new() };
        let imported = import(Target::Hubspot, &given).expect("a flow").remove(0);
        check_same("again", &bodies[0], &written(&imported.flow, &imported.workspace)[0]);
        assert!(imported.flow.settings().kept.is_empty(), "{:#?}", imported.flow.settings().kept);
        // What HubSpot does not say: whom consent lets in.
        let value = r#"[subscribed(email)]"#.to_owned();
        let edit = flowloom::flow::Edit::SetFlowField { field: "consent".into(), value: Some(value) };
        let flow = imported.flow.apply(&edit).expect("an edit");
        let (before, after) = (told(&original, &workspace, &audience), told(&flow, &workspace, &audience));
        assert!(before.len() > 20, "{}: {} mails", original.name, before.len());
        let apart = before.iter().zip(&after).find(|(a, b)| a != b);
        assert_eq!(apart, None, "{}", original.name);
        assert_eq!(before.len(), after.len(), "{}", original.name);
    }
}

// Damage.

/// Seeded mutations of all fixtures: nothing panics, what is read is a flow, and all of it ends soon.
#[test]
fn damaged_workflows_are_read() {
    let mut seeds: Vec<Json> =
        ["welcome.json", "everything.json", "list-based.json", "birthday.json", "batch.json", "broken.json"]
            .iter()
            .map(|name| fixture(name))
            .collect();
    seeds.push(json!([seeds[0], seeds[3]]));
    let words = [
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!("x"),
        json!(-1),
        json!(1e300),
        json!(true),
        json!("4-666440"),
        json!("10"),
        json!({"edgeType": "GOTO", "nextActionId": "12"}),
        json!("LIST_BRANCH"),
        json!("0-29"),
        json!("\u{0}é\"\\"),
    ];
    let mut rng = Rng::new(20_261_126);
    let mut imported = 0;
    for round in 0..2_000 {
        let mut json = seeds[round % seeds.len()].clone();
        // A few neighbours of a large workflow at a time, so that thousands of rounds take seconds.
        if let Some(actions) = json.get_mut("actions").and_then(Json::as_array_mut).filter(|all| all.len() > 9) {
            let from = rng.below(actions.len() - 6);
            *actions = actions[from..from + 6].to_vec();
        }
        for _ in 0..1 + rng.below(4) {
            damage(&mut json, &mut rng, &words);
        }
        let mut text = json.to_string();
        if rng.percent(10) {
            let at = text.floor_char_boundary(rng.below(text.len().max(1)));
            text.truncate(at);
        }
        match read(&text) {
            Ok(all) => {
                for one in all {
                    imported += 1;
                    assert_eq!(one.flow.invariants(), [], "round {round}\n{text}");
                    if round % 200 == 0 {
                        let source = file::write(&one.flow);
                        assert!(file::read(&source).is_ok(), "round {round}\n{source}");
                        let _ = platforms::export(Target::Hubspot, &one.flow, &one.workspace);
                        let _ = platforms::export(Target::Klaviyo, &one.flow, &one.workspace);
                    }
                }
            }
            Err(errors) => assert!(errors.iter().all(|e| !e.message.is_empty() && !e.hint.is_empty()), "{errors:?}"),
        }
    }
    assert!(imported > 1_000, "{imported}");
}

/// Changes one place of a document, chosen by walking down at random.
fn damage(json: &mut Json, rng: &mut Rng, words: &[Json]) {
    let mut at = String::new();
    for _ in 0..12 {
        if rng.percent(12) {
            break;
        }
        let step = match json.pointer(&at) {
            Some(Json::Array(items)) if !items.is_empty() => rng.below(items.len()).to_string(),
            Some(Json::Object(map)) if !map.is_empty() => {
                let key = map.keys().nth(rng.below(map.len())).expect("a key");
                key.replace('~', "~0").replace('/', "~1")
            }
            _ => break,
        };
        at = format!("{at}/{step}");
    }
    let how = rng.below(10);
    let word = rng.pick(words).cloned().unwrap_or_default();
    match json.pointer_mut(&at) {
        Some(Json::Array(items)) if how < 4 && !items.is_empty() => match how {
            0 => drop(items.remove(0)),
            1 => items.push(items[0].clone()),
            2 => items.reverse(),
            _ => items.push(word),
        },
        Some(Json::Object(map)) if how < 3 && !map.is_empty() => {
            let key = map.keys().next().expect("a key").clone();
            map.remove(&key);
        }
        Some(place) => *place = word,
        None => {}
    }
}

/// What was kept goes back in bodies that HubSpot's own document takes.
#[test]
fn kept_bodies_pass_the_official_document() {
    let mut bodies = Vec::new();
    // `everything.json` holds what the document does not have.
    for name in ["welcome.json", "list-based.json", "birthday.json", "batch.json"] {
        for imported in read_fixture(name) {
            for body in written(&imported.flow, &imported.workspace) {
                bodies.push((Target::Hubspot, "post", "/automation/v4/flows", body));
            }
        }
    }
    crate::schema_proofs::prove("kept", &bodies);
}
