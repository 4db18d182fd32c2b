//! `flowloom import`: files, workspace, report, refusals.

use std::{fs, io::Write as _};

use super::{WATCH, check, root, samples};

fn fixture(name: &str) -> String {
    root().join("tests/fixtures/platforms/klaviyo/import").join(name).display().to_string()
}

#[test]
fn a_flow_of_klaviyo_becomes_a_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let (json, names) = (fixture("answer.json"), fixture("names.json"));
    let args = ["import", &json, "--from", "klaviyo", "--out", "shop", "--names", &names, "--report", "report.json"];
    let said = check(
        folder.path(),
        &args,
        0,
        &["flowloom.ron is made", "Started Checkout", "11 understood", "kept step 1000"],
    );
    assert!(said.out.contains("/data/attributes/definition/actions/0"), "{}", said.out);
    let flow = folder.path().join("shop/abandoned-cart-b-2026-b.flow.ron");
    assert!(flow.is_file(), "{said:?}");
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("report.json")).expect("a report")).expect("JSON");
    assert_eq!(report["schema"], "flowloom/import/1");
    assert!(report["flows"][0]["remarks"].as_array().is_some_and(|remarks| remarks.len() > 10));
    // What is there is not written over, and the workspace is not added to twice.
    check(folder.path(), &args, 1, &["is there already", "--force"]);
    let before = fs::read_to_string(folder.path().join("shop/flowloom.ron")).expect("a workspace");
    let again =
        ["import", &json, "--from", "klaviyo", "--out", "shop", "--names", &names, "--force", "--format", "json"];
    let said = check(folder.path(), &again, 0, &[]).json();
    assert_eq!(said["added_to_workspace"], serde_json::json!([]));
    assert_eq!(fs::read_to_string(folder.path().join("shop/flowloom.ron")).expect("a workspace"), before);
    // It is a flow like any other.
    check(folder.path(), &["export", "shop", "--to", "mermaid", "--out", "flow.mmd"], 0, &[]);
}

#[test]
fn our_own_export_is_read_with_its_templates() {
    let folder = samples();
    check(folder.path(), &["export", WATCH, "--to", "klaviyo", "--out", "k"], 0, &[]);
    let said = check(
        folder.path(),
        &["import", "k/flow.json", "--from", "klaviyo", "--out", "x.flow.ron"],
        0,
        &["A lone flow"],
    );
    assert!(!said.out.contains("no template"), "{}", said.out);
    // With the senders and pools that it needs it is whole.
    check(folder.path(), &["import", "k/flow.json", "--from", "klaviyo", "--out", "shop"], 0, &[]);
    check(folder.path(), &["export", "shop", "--to", "klaviyo", "--out", "k2"], 0, &[]);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::File::create(folder.path().join("bad.json")).expect("creates").write_all(b"{\"data\": [").expect("writes");
    let bad = ["import", "bad.json", "--from", "klaviyo", "--out", "x"];
    check(folder.path(), &bad, 2, &["no JSON at line 1", "import/json"]);
    check(folder.path(), &["import", "none.json", "--from", "hubspot", "--out", "x"], 2, &["none.json"]);
    check(
        folder.path(),
        &["import", &fixture("list.json"), "--from", "klaviyo", "--out", "x.flow.ron"],
        2,
        &["2 flows", "folder"],
    );
    let names = ["import", &fixture("list.json"), "--from", "klaviyo", "--out", "x", "--names", "bad.json"];
    check(folder.path(), &names, 2, &["no list of names"]);
    assert!(!folder.path().join("x").exists());
}
