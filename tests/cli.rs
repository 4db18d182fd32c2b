//! The program on sample flows and on bad input, in fresh folders: output and exit code.
//!
//! Guards the contract of the command line: scripts rely on exit codes, JSON shapes and on nothing being overwritten.

#![expect(clippy::disallowed_methods, reason = "bounds on real time: a hang must fail")]

#[cfg(feature = "engine")]
mod engine;
mod import;
mod send;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::tidy::root;

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Runs the program in a folder.
pub fn run_in(folder: &Path, args: &[&str]) -> Said {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_flowloom"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let said = Said {
        code: status.code(),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    };
    assert!(!said.err.contains("panicked"), "{args:?}: {said:?}");
    assert!(said.code.is_some(), "{args:?} was killed: {said:?}");
    said
}

/// A fresh folder with a copy of the samples.
fn samples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root().join("sample_flows"), &folder.path().join("sample_flows"));
    folder
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copies");
        }
    }
}

#[track_caller]
fn check(folder: &Path, args: &[&str], code: i32, wanted: &[&str]) -> Said {
    let said = run_in(folder, args);
    assert_eq!(said.code, Some(code), "{args:?}: {said:?}");
    for text in wanted {
        assert!(said.out.contains(text) || said.err.contains(text), "{text:?} after {args:?}: {said:?}");
    }
    said
}

const WATCH: &str = "sample_flows/watch-shop/watch-shop.flow.ron";

/// A contact that gets mail 1 of the watch flow, with the instant.
fn mailed(folder: &Path) -> (String, String) {
    let report = check(folder, &["simulate", WATCH, "--format", "json"], 0, &[]).json();
    let rows = report["messages"].as_array().expect("rows");
    let row =
        rows.iter().find(|row| row["outcome"] == "sent" && row["node"] == "mail-1").expect("somebody gets mail 1");
    let text = |key: &str| row[key].as_str().expect("text").to_owned();
    (text("contact"), text("at"))
}

#[test]
fn samples_are_clean_and_play() {
    let folder = samples();
    let mut flows: Vec<PathBuf> = Vec::new();
    for workspace in fs::read_dir(folder.path().join("sample_flows")).expect("lists") {
        let workspace = workspace.expect("an entry").path();
        if !workspace.is_dir() {
            continue;
        }
        let said =
            check(folder.path(), &["check", &workspace.display().to_string(), "--format", "json"], 0, &[]).json();
        assert_eq!(said["schema"], "flowloom/check/1");
        for file in said["files"].as_array().expect("files") {
            let found = file["diagnostics"].as_array().expect("diagnostics");
            let bad: Vec<_> = found.iter().filter(|found| found["severity"] != "hint").collect();
            assert!(bad.is_empty(), "{}: {bad:#?}", file["path"]);
        }
        let said =
            check(folder.path(), &["simulate", &workspace.display().to_string(), "--format", "json"], 0, &[]).json();
        assert_eq!(said["schema"], "flowloom/simulate/1");
        for (flow, of_flow) in said["flows"].as_object().expect("flows") {
            assert!(of_flow["nodes"].as_object().is_some_and(|nodes| !nodes.is_empty()), "{flow}");
        }
        let entries = fs::read_dir(&workspace).expect("lists").map(|entry| entry.expect("an entry").path());
        flows.extend(entries.filter(|path| path.display().to_string().ends_with(".flow.ron")));
    }
    assert!(flows.len() >= 9, "{flows:?}");
    for flow in &flows {
        for target in ["klaviyo", "hubspot", "engine"] {
            let out = folder.path().join(target).join(flow.file_name().expect("a name"));
            let args = [
                "export",
                &flow.display().to_string(),
                "--to",
                target,
                "--out",
                &out.display().to_string(),
                "--format",
                "json",
            ];
            let said = check(folder.path(), &args, 0, &[]).json();
            assert_eq!(said["schema"], "flowloom/export/1");
            assert!(said["files"].as_array().is_some_and(|files| !files.is_empty()), "{said}");
        }
    }
}

#[test]
fn simulate_says_what_scripts_read() {
    let folder = samples();
    let report = check(folder.path(), &["simulate", WATCH, "--format", "json"], 0, &[]).json();
    for key in ["contacts", "entered", "messages", "flows"] {
        assert!(report.get(key).is_some(), "{key}");
    }
    for row in report["messages"].as_array().expect("rows") {
        for key in ["contact", "flow", "node", "variant", "at", "outcome", "reason"] {
            assert!(row[key].is_string(), "{key}: {row}");
        }
        let outcome = row["outcome"].as_str().expect("text");
        assert!(["sent", "skipped", "refused", "held", "unknown"].contains(&outcome), "{row}");
        assert!(row["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{row}");
    }
    let again = run_in(folder.path(), &["simulate", WATCH, "--format", "json"]);
    assert_eq!(again.json(), report, "a replay is deterministic");
    let (contact, _) = mailed(folder.path());
    check(folder.path(), &["simulate", WATCH, "--trace", &contact], 0, &["entered by trigger", "mail-1"]);
    let one = check(folder.path(), &["simulate", WATCH, "--contact", &contact, "--format", "json"], 0, &[]).json();
    assert_eq!(one["contacts"], 1);
    check(folder.path(), &["simulate", WATCH, "--trace", "nobody-at-all"], 2, &["no contact `nobody-at-all`"]);
    check(folder.path(), &["simulate", WATCH, "--from", "soon"], 2, &["is not an instant"]);
}

/// Without an event there is no time to play at; it used to be January 1970.
#[test]
fn a_replay_needs_a_time() {
    let folder = samples();
    for name in ["events.jsonl", "responses.jsonl"] {
        fs::remove_file(folder.path().join("sample_flows/watch-shop/audience").join(name)).expect("removes");
    }
    check(folder.path(), &["simulate", WATCH], 2, &["no events to take the time from", "--from"]);
    check(folder.path(), &["simulate", WATCH, "--from", "2026-10-01T00:00:00Z"], 0, &["no entries"]);
}

#[test]
fn an_edit_with_a_text_editor_shows_everywhere() {
    let folder = samples();
    let path = folder.path().join(WATCH);
    let text = fs::read_to_string(&path).expect("reads");
    let sent_at = |node: &str| -> Vec<String> {
        let report = check(folder.path(), &["simulate", WATCH, "--format", "json"], 0, &[]).json();
        let rows = report["messages"].as_array().expect("rows").clone();
        let rows = rows.iter().filter(|row| row["node"] == node && row["outcome"] == "sent");
        rows.map(|row| row["at"].as_str().expect("text").to_owned()).collect()
    };
    let before = sent_at("mail-2");
    assert!(!before.is_empty());
    assert!(text.contains("for(\"4 h\")"), "{text}");
    fs::write(&path, text.replace("for(\"4 h\")", "for(\"5 h\")")).expect("writes");
    assert_ne!(sent_at("mail-2"), before, "the delay counts");
    fs::write(&path, text.replace("for(\"4 h\")", "for(\"-4 h\")")).expect("writes");
    check(folder.path(), &["check", WATCH], 1, &["delay/negative", "wait-4h", "^"]);
    let out = folder.path().join("out").display().to_string();
    check(
        folder.path(),
        &["export", WATCH, "--to", "klaviyo", "--out", &out],
        1,
        &["is not exported while it has errors"],
    );
    assert!(!folder.path().join("out").exists(), "a refusal writes nothing");
}

/// What is past is judged by the newest event, so `check` must know the audience.
#[test]
fn the_audience_stands_in_for_a_clock() {
    let folder = samples();
    let path = folder.path().join(WATCH);
    let text = fs::read_to_string(&path).expect("reads");
    let dated = text.replace("event.item_count > 0", "event.item_count > 0 and event.happened < 2020-01-01");
    assert_ne!(dated, text);
    fs::write(&path, dated).expect("writes");
    check(folder.path(), &["check", WATCH], 0, &["time/past-date"]);
    check(folder.path(), &["check", WATCH, "--audience", "nowhere"], 2, &["nowhere is not a folder"]);
    // A damaged audience is said, and the flow is looked at without it.
    fs::write(folder.path().join("sample_flows/watch-shop/audience/events.jsonl"), "{").expect("writes");
    let said = check(folder.path(), &["check", WATCH], 0, &["line 1", "left out of this check"]);
    assert!(!said.out.contains("time/past-date"), "{said:?}");
    check(folder.path(), &["check", WATCH, "--audience", "sample_flows/watch-shop/audience"], 2, &["line 1"]);
}

#[test]
fn a_copy_with_the_same_id_is_found() {
    let folder = samples();
    fs::copy(folder.path().join(WATCH), folder.path().join("sample_flows/watch-shop/copy.flow.ron")).expect("copies");
    check(folder.path(), &["check", "sample_flows/watch-shop"], 1, &["workspace/duplicate-flow", "`watch-shop`"]);
    check(folder.path(), &["check", WATCH], 1, &["workspace/duplicate-flow"]);
}

#[test]
fn an_engine_takes_one_file() {
    let folder = samples();
    let args = ["export", WATCH, "--to", "engine", "--out", "pinned.json", "--format", "json"];
    let said = check(folder.path(), &args, 0, &[]).json();
    assert_eq!((&said["out"], &said["files"]), (&"pinned.json".into(), &serde_json::json!(["flow.json"])));
    let text = fs::read_to_string(folder.path().join("pinned.json")).expect("reads");
    let pinned: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(pinned["schema"], "flowloom/pinned/1");
    // The engine puts them on the links when it makes the mails.
    assert_eq!(pinned["flow"]["settings"]["tracking"]["utm_source"], "flowloom");
    check(folder.path(), &args, 1, &["pinned.json is there already"]);
    check(folder.path(), &["export", WATCH, "--to", "engine", "--out", "v"], 0, &["losses.json"]);
    assert_eq!(fs::read_to_string(folder.path().join("v/flow.json")).expect("reads"), text);
    let args = ["export", WATCH, "--to", "klaviyo", "--out", "k.json"];
    check(folder.path(), &args, 2, &["has several files"]);
}

/// An export for a client is a folder with samples of its mails, or the same as one ZIP, always with the same bytes.
#[test]
fn an_export_is_a_folder_or_one_zip() {
    let folder = samples();
    for target in ["klaviyo", "hubspot"] {
        let said =
            check(folder.path(), &["export", WATCH, "--to", target, "--out", target, "--format", "json"], 0, &[]);
        let said = said.json();
        let files: Vec<&str> = said["files"].as_array().expect("files").iter().filter_map(Value::as_str).collect();
        for whom in ["filled", "typical", "emptiest"] {
            assert!(files.contains(&format!("sample/mail-1-a-{whom}.html").as_str()), "{files:?}");
        }
        for path in &files {
            assert!(folder.path().join(target).join(path).is_file(), "{path}");
        }
        let (one, two) = (format!("{target}.zip"), format!("{target}-again"));
        check(folder.path(), &["export", WATCH, "--to", target, "--out", &one], 0, &["files for"]);
        check(folder.path(), &["export", WATCH, "--to", target, "--out", &two, "--zip"], 0, &[]);
        let bytes = |name: &str| fs::read(folder.path().join(name)).expect("reads");
        assert!(bytes(&one).starts_with(b"PK") && bytes(&one) == bytes(&two));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes(&one))).expect("a ZIP");
        assert_eq!(archive.len(), files.len());
        for path in &files {
            let mut inside = Vec::new();
            let mut entry = archive.by_name(&format!("watch-shop-{target}/{path}")).expect("is there");
            std::io::copy(&mut entry, &mut inside).expect("reads");
            assert_eq!(inside, bytes(&format!("{target}/{path}")), "{path}");
        }
        check(folder.path(), &["export", WATCH, "--to", target, "--out", &one], 1, &["is there already", "--force"]);
    }
}

/// A large flow that is wrong everywhere answers, and says how much it holds back.
#[test]
fn many_findings_do_not_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    const NUM: usize = 80;
    let arms: Vec<String> = (0..NUM).map(|n| format!("(name: \"x{n}\", condition: \"contact.a > {n}\")")).collect();
    let arms = arms.join(", ");
    let nodes: Vec<String> =
        (0..NUM).map(|n| format!("(id: \"c{n}\", kind: \"branch\", settings: (arms: [{arms}]))")).collect();
    let edges: Vec<String> = (0..NUM)
        .flat_map(|n| (0..NUM).map(move |to| format!("(from: \"c{n}\", port: \"x{to}\", to: \"c{to}\")")))
        .collect();
    let text =
        format!("(version: 2, id: \"m\", name: \"M\", nodes: [{}], edges: [{}])", nodes.join(", "), edges.join(", "));
    fs::write(folder.path().join("m.flow.ron"), text).expect("writes");
    let begun = Instant::now();
    let said = check(folder.path(), &["check", "m.flow.ron"], 1, &["more of graph/cycle-without-wait"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert!(said.out.len() < 200_000, "{} bytes", said.out.len());
}

#[test]
fn a_mail_in_every_format() {
    let folder = samples();
    let (contact, at) = mailed(folder.path());
    let preview = |format: &str| {
        let args = ["preview", WATCH, "--message", "mail-1", "--contact", &contact, "--at", &at, "--format", format];
        check(folder.path(), &args, 0, &[])
    };
    let said = preview("json").json();
    assert_eq!(said["schema"], "flowloom/preview/1");
    for key in ["subject", "preheader", "html", "text"] {
        assert!(said[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
    for tag in said["tags"].as_array().expect("tags") {
        assert!(["value", "fallback", "missing"].contains(&tag["state"].as_str().expect("text")), "{tag}");
    }
    assert!(said["lints"].is_array());
    let html = preview("html").out;
    assert!(html.contains("<html") && !html.contains("{{"), "{html}");
    assert!(preview("text").out.contains("Subject:"));
    let eml = preview("eml").out;
    assert!(eml.contains("multipart/alternative") && eml.contains("text/html"), "{eml}");
    assert_eq!(preview("eml").out, eml, "the same mail gives the same bytes");
    let args = ["preview", WATCH, "--message", "mail-9", "--contact", &contact];
    check(folder.path(), &args, 2, &["`mail-9`", "hint"]);
    check(
        folder.path(),
        &["preview", WATCH, "--message", "mail-1", "--contact", "nobody-at-all"],
        2,
        &["nobody-at-all"],
    );
    let args = ["preview", WATCH, "--message", "mail-1", "--contact", &contact, "--event", "no-such-event"];
    check(folder.path(), &args, 2, &["no-such-event"]);
}

#[test]
fn matrix_has_a_row_for_every_message_and_contact() {
    let folder = samples();
    let said = check(folder.path(), &["matrix", WATCH], 0, &[]).json();
    assert_eq!(said["schema"], "flowloom/matrix/1");
    let rows = said["rows"].as_array().expect("rows");
    let contacts = check(folder.path(), &["simulate", WATCH, "--format", "json"], 0, &[]).json()["contacts"].as_u64();
    assert!(rows.len() as u64 >= 3 * contacts.expect("a number"), "{} rows", rows.len());
    // The list behind the products is a tag like the others.
    let lists = rows.iter().flat_map(|row| row["tags"].as_array().expect("tags"));
    let lists: Vec<&str> =
        lists.filter(|tag| tag["name"] == "cart_items").map(|tag| tag["value"].as_str().expect("a text")).collect();
    assert!(lists.iter().any(|value| value.ends_with(" item") || value.ends_with(" items")), "{lists:?}");
    assert_eq!(said["summary"].as_array().expect("messages").len(), 3);
    let blocks = rows.iter().flat_map(|row| row["blocks"].as_array().expect("blocks"));
    assert!(blocks.clone().any(|block| block["shown"] == true) && blocks.clone().any(|block| block["shown"] == false));
    let args = ["matrix", WATCH, "--format", "html", "--out", "matrix.html"];
    check(folder.path(), &args, 0, &[]);
    let page = fs::read_to_string(folder.path().join("matrix.html")).expect("written");
    assert!(page.contains("<h1>Watch left in the cart</h1>") && !page.contains("<script"), "{page}");
    check(folder.path(), &args, 1, &["--force"]);
}

/// Links carry the flow's parameters in the mail that is read, and not in a template that a platform adds its own to.
#[test]
fn links_are_tracked_once() {
    let folder = samples();
    let (contact, _) = mailed(folder.path());
    let args = ["preview", WATCH, "--message", "mail-1", "--contact", &contact, "--format", "json"];
    let mail = check(folder.path(), &args, 0, &[]).json();
    let text = |name: &str| mail[name].as_str().expect("a text").to_owned();
    let query = "utm_campaign=watch-cart&utm_medium=email&utm_source=flowloom";
    assert!(text("text").contains(query), "{}", text("text"));
    assert!(text("html").contains(&query.replace('&', "&amp;")), "{}", text("html"));
    assert!(!text("html").contains("unsubscribe?"), "{}", text("html"));
    for target in ["klaviyo", "hubspot"] {
        check(folder.path(), &["export", WATCH, "--to", target, "--out", target], 0, &[]);
        let mails = if target == "klaviyo" { "templates" } else { "emails" };
        for file in fs::read_dir(folder.path().join(target).join(mails)).expect("is there") {
            let text = fs::read_to_string(file.expect("a file").path()).expect("reads");
            assert!(!text.contains("utm_"), "{text}");
        }
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let folder = samples();
    let (contact, _) = mailed(folder.path());
    fs::write(folder.path().join("mail.html"), "mine").expect("writes");
    let mut args =
        vec!["preview", WATCH, "--message", "mail-1", "--contact", &contact, "--format", "html", "--out", "mail.html"];
    check(folder.path(), &args, 1, &["mail.html is there already", "--force"]);
    assert_eq!(fs::read_to_string(folder.path().join("mail.html")).expect("reads"), "mine");
    args.push("--force");
    check(folder.path(), &args, 0, &[]);
    fs::create_dir(folder.path().join("out")).expect("creates");
    fs::write(folder.path().join("out/mine.txt"), "mine").expect("writes");
    check(folder.path(), &["export", WATCH, "--to", "klaviyo", "--out", "out"], 1, &["out is not empty"]);
    assert_eq!(fs::read_dir(folder.path().join("out")).expect("lists").count(), 1);
    check(folder.path(), &["tour", "--out", "out"], 1, &["no tour made it"]);
    assert_eq!(fs::read_to_string(folder.path().join("out/mine.txt")).expect("reads"), "mine");
}

#[test]
fn the_tour_works_from_anywhere_and_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        check(folder.path(), &[], 0, &["$ flowloom check", "$ flowloom simulate", "$ flowloom export"]);
    }
    let tour = folder.path().join("flowloom-tour");
    for target in ["klaviyo", "hubspot"] {
        let files = ["ids.json", "losses.json", "README.md"];
        assert!(files.iter().all(|file| tour.join(target).join(file).is_file()), "{target}");
    }
    let contacts = fs::read_dir(tour.join("mails")).expect("lists").count();
    assert_eq!(contacts, 3);
}

#[test]
fn catalogues_and_shell_helpers() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = check(folder.path(), &["kinds", "--format", "json"], 0, &[]).json();
    assert_eq!(said["schema"], "flowloom/kinds/1");
    assert!(said["kinds"].as_array().is_some_and(|kinds| kinds.len() >= 24));
    check(folder.path(), &["kinds", "split"], 0, &["Settings", "Example"]);
    check(folder.path(), &["kinds", "splt"], 2, &["no kind `splt`", "split"]);
    let codes = check(folder.path(), &["explain", "--format", "json"], 0, &[]).json();
    for code in codes["codes"].as_array().expect("codes") {
        let code = code["code"].as_str().expect("text");
        check(folder.path(), &["explain", code], 0, &["Why it matters", "Source"]);
    }
    check(folder.path(), &["explain", "graph/unreachable-nod"], 2, &["graph/unreachable-node"]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(check(folder.path(), &["completions", shell], 0, &[]).out.contains("simulate"), "{shell}");
    }
    assert!(check(folder.path(), &["man"], 0, &[]).out.starts_with(".ie"), "roff");
    check(folder.path(), &["--version"], 0, &["flowloom 0."]);
    check(folder.path(), &["--help"], 0, &["Exit codes"]);
    check(folder.path(), &["frobnicate"], 2, &["frobnicate"]);
    check(folder.path(), &["check"], 2, &["FLOW"]);
}

#[test]
fn diff_finds_the_edit() {
    let folder = samples();
    let text = fs::read_to_string(folder.path().join(WATCH)).expect("reads");
    fs::write(folder.path().join("b.flow.ron"), text.replace("for(\"4 h\")", "for(\"5 h\")")).expect("writes");
    let said = check(folder.path(), &["diff", WATCH, "b.flow.ron", "--format", "json"], 0, &[]).json();
    assert_eq!(said["changes"].as_array().map(Vec::len), Some(1), "{said}");
    let words = "Four hours after entry: wait until 4 h \u{2192} 5 h after the entry";
    assert_eq!(said["differences"][0]["words"], words, "{said}");
    check(folder.path(), &["diff", WATCH, "b.flow.ron"], 0, &[&format!("~ {words}")]);
    check(folder.path(), &["diff", WATCH, WATCH], 0, &["No difference"]);
}

/// What a client gets: every format of every sample, nothing written over, the same bytes each time.
#[test]
fn clients_get_pictures_and_a_document() {
    let folder = samples();
    let here = folder.path();
    for (to, start) in [("svg", "<svg "), ("pdf", "%PDF-1."), ("html", "<!doctype html>"), ("mermaid", "flowchart TD")]
    {
        let export = ["export", WATCH, "--to", to, "--out", to, "--date", "2026-11-26"];
        check(here, &export, 0, &["version "]);
        let bytes = fs::read(here.join(to)).expect("reads");
        assert!(bytes.starts_with(start.as_bytes()), "{to}");
        check(here, &export, 1, &["is there already"]);
        check(here, &[&export[..], &["--force", "--format", "json"]].concat(), 0, &["flowloom/export/1"]);
        assert_eq!(bytes, fs::read(here.join(to)).expect("reads"), "{to}: the same bytes");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&here.display().to_string()), "{to}: no path of the machine");
        assert!(["pdf", "mermaid"].contains(&to) || text.contains("26 November 2026"), "{to}");
    }
    if cfg!(feature = "picture") {
        check(here, &["export", WATCH, "--to", "png", "--out", "a.png", "--scale", "0.5"], 0, &[]);
        assert!(fs::read(here.join("a.png")).expect("reads").starts_with(b"\x89PNG"));
    } else {
        check(here, &["export", WATCH, "--to", "png", "--out", "a.png"], 1, &["draws no pixels"]);
    }
    check(here, &["export", WATCH, "--to", "pdf", "--out", "a3.pdf", "--paper", "a3-landscape"], 0, &[]);
    check(here, &["export", WATCH, "--to", "svg", "--out", "x.svg", "--date", "tomorrow"], 2, &["is not a date"]);
    check(
        here,
        &["export", WATCH, "--to", "html", "--out", "x.html", "--contact", "nobody-at-all"],
        2,
        &["no contact `nobody-at-all`"],
    );
    check(here, &["export", WATCH, "--to", "png", "--out", "x.png", "--scale", "99"], 2, &["0.1 to 8"]);
    let (contact, _) = mailed(here);
    check(here, &["export", WATCH, "--to", "html", "--out", "one.html", "--contact", &contact], 0, &[]);
    let html = fs::read_to_string(here.join("one.html")).expect("reads");
    assert!(!html.contains("Least is known"));
}

/// Runs a bad flow through `check` and another command: exit code 2, the place named, soon.
#[track_caller]
fn check_bad(name: &str, bytes: &[u8], wanted: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), bytes).expect("writes");
    let begun = Instant::now();
    let mut all = vec![name];
    all.extend(wanted);
    check(folder.path(), &["check", name], 2, &all);
    check(folder.path(), &["export", name, "--to", "klaviyo", "--out", "out"], 2, &all);
    let said = check(folder.path(), &["check", name, "--format", "json"], 2, &[]).json();
    assert_eq!(said["files"][0]["diagnostics"][0]["severity"], "error", "{said}");
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());
    assert!(!folder.path().join("out").exists());
}

#[test]
fn bad_flows_are_refused_with_their_place() {
    let watch = fs::read_to_string(root().join(WATCH)).expect("reads");
    for part in [0, 1, 10, 100, watch.len() / 2, watch.len() - 3] {
        let mut end = part;
        while !watch.is_char_boundary(end) {
            end += 1;
        }
        check_bad("cut.flow.ron", &watch.as_bytes()[..end], &["ine ", "olumn "]);
    }
    check_bad("deep.flow.ron", "(".repeat(1_000_000).as_bytes(), &["Nested deeper", "ine 1"]);
    let deep = format!("(version: 2, id: \"f\", x: {}", "[".repeat(200_000));
    check_bad("list.flow.ron", deep.as_bytes(), &["Nested deeper"]);
    check_bad("nul.flow.ron", b"(version: 2,\n id: \"f\0\")", &["NUL", "line 2"]);
    check_bad("latin.flow.ron", b"(version: 2, name: \"\xfc\")", &["not UTF-8", "line 1, column 21"]);
    check_bad("newer.flow.ron", b"(version: 99, id: \"f\", name: \"F\")", &["version 99"]);
    check_bad("older.flow.ron", b"(version: 0, id: \"f\", name: \"F\")", &["version 0"]);
    check_bad("empty.flow.ron", b"", &["ine 1"]);
    check_bad("flow.json", b"{}", &["not a flow file"]);
    check_bad("twice.flow.ron", b"(version: 2, id: \"f\", id: \"g\")", &["twice"]);
}

/// One line of 100 MB, in a flow (refused by its size) and just below that size (read, and refused).
#[test]
fn huge_lines_are_refused_soon() {
    let folder = tempfile::tempdir().expect("a folder");
    let begun = Instant::now();
    fs::write(folder.path().join("a.flow.ron"), vec![b'x'; 100 << 20]).expect("writes");
    check(folder.path(), &["check", "a.flow.ron"], 2, &["100 MB", "hint"]);
    fs::create_dir(folder.path().join("audience")).expect("creates");
    fs::write(folder.path().join("flowloom.ron"), "(version: 1)").expect("writes");
    fs::write(folder.path().join("b.flow.ron"), "(version: 2, id: \"b\", name: \"B\")").expect("writes");
    let mut line = b"{\"id\":\"".to_vec();
    line.resize(100 << 20, b'y');
    fs::write(folder.path().join("audience/contacts.jsonl"), line).expect("writes");
    check(folder.path(), &["simulate", "b.flow.ron"], 2, &["contacts.jsonl", "line 1"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "took {:?}", begun.elapsed());
}

#[test]
fn bad_places_have_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("empty")).expect("creates");
    check(folder.path(), &["check", "gone.flow.ron"], 2, &["gone.flow.ron", "no such file", "hint"]);
    check(folder.path(), &["check", "empty"], 2, &["no flow in this folder", "hint"]);
    fs::write(folder.path().join("a.flow.ron"), "(version: 2, id: \"a\", name: \"A\")").expect("writes");
    check(folder.path(), &["check", "a.flow.ron", "--workspace", "empty"], 2, &["flowloom.ron"]);
    check(folder.path(), &["simulate", "a.flow.ron", "--audience", "gone"], 2, &["not a folder"]);
    check(folder.path(), &["simulate", "a.flow.ron"], 2, &["no audience", "hint"]);
    fs::write(folder.path().join("flowloom.ron"), "(version: 1,\n zone: 5)").expect("writes");
    check(folder.path(), &["check", "a.flow.ron"], 2, &["flowloom.ron", "ine 2"]);
    fs::write(folder.path().join("flowloom.ron"), "(version: 9)").expect("writes");
    check(folder.path(), &["check", "a.flow.ron"], 2, &["version 9"]);
}

#[test]
fn one_unreadable_file_wins_and_the_rest_is_still_checked() {
    let folder = samples();
    fs::write(folder.path().join("bad.flow.ron"), "(").expect("writes");
    check(folder.path(), &["check", "bad.flow.ron", WATCH], 2, &["watch-shop.flow.ron", "1 unreadable"]);
}

#[test]
fn bad_audiences_name_file_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
        fs::write(path, bytes).expect("writes");
    };
    put("flowloom.ron", b"(version: 1)");
    put("a.flow.ron", b"(version: 2, id: \"a\", name: \"A\")");
    put("audience/contacts.csv", b"id,email\n1,a@example.com\n2,\"b@example.com\n3,c@example.com\n");
    check(folder.path(), &["simulate", "a.flow.ron"], 2, &["contacts.csv", "line 3"]);
    put("audience/contacts.csv", b"id,email,city\n1,a@example.com,\"Bad\" Ems\n");
    check(folder.path(), &["simulate", "a.flow.ron"], 2, &["contacts.csv", "line 2, column 22", "as two"]);
    put("audience/contacts.csv", b"id,email\n1,a@example.com\n");
    put("audience/events.jsonl", b"{\"id\":\"e\",\n");
    check(folder.path(), &["simulate", "a.flow.ron"], 2, &["events.jsonl", "line 1"]);
    fs::remove_file(folder.path().join("audience/events.jsonl")).expect("removes");
    let args = ["simulate", "a.flow.ron", "--save-mapping", "--from", "2026-10-01T00:00:00Z"];
    check(folder.path(), &args, 0, &["mapping.ron"]);
    assert!(folder.path().join("audience/mapping.ron").is_file());
    put("audience/mapping.ron", b"(contacts: [(header: 5)])");
    check(folder.path(), &["simulate", "a.flow.ron"], 2, &["mapping.ron", "line 1"]);
}

#[test]
fn templates_that_loop_are_stopped() {
    let folder = samples();
    let (contact, at) = mailed(folder.path());
    let path = folder.path().join(WATCH);
    let text = fs::read_to_string(&path).expect("reads");
    let ten = "{% for a in cart_items %}".repeat(6) + "x" + &"{% endfor %}".repeat(6);
    let looping = text.replacen("preheader: \"", &format!("preheader: \"{ten}"), 1);
    assert_ne!(looping, text, "the sample has a preheader");
    fs::write(&path, looping).expect("writes");
    let begun = Instant::now();
    let said = run_in(folder.path(), &["preview", WATCH, "--message", "mail-1", "--contact", &contact, "--at", &at]);
    assert!(matches!(said.code, Some(0 | 1)), "{said:?}");
    let said = run_in(folder.path(), &["check", WATCH]);
    assert!(matches!(said.code, Some(0 | 1)), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());
}

/// `flowloom … | head`: the reader goes away, and nobody is bothered.
#[test]
fn a_closed_pipe_is_no_fault() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowloom"))
        .args(["kinds", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}
