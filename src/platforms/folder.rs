//! What lies beside the bodies in every export: `ids.json`, `losses.json` and a `README.md` for the client.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::{Loss, LossKind, Sample, Unresolved, json_bytes};
use crate::flow::{Flow, Target, Workspace};

/// One call that an import makes.
pub(super) struct Request {
    pub file: String,
    pub method: &'static str,
    pub path: String,
    /// What it does, for people.
    pub what: String,
}

/// What the pages say about an export.
pub(super) struct About<'a> {
    pub target: Target,
    /// Version of the API that the bodies are made for.
    pub version: (&'static str, String),
    pub flow: &'a Flow,
    pub workspace: &'a Workspace,
    /// In the order in which they must be made.
    pub requests: Vec<Request>,
    /// Steps for people, after the ids are filled in.
    pub order: Vec<String>,
}

pub(super) fn add(
    files: &mut BTreeMap<String, Vec<u8>>,
    about: &About<'_>,
    losses: &[Loss],
    unresolved: &[Unresolved],
) {
    let (version_name, version) = &about.version;
    let target = about.target.name();
    let used: Vec<Value> = unresolved
        .iter()
        .zip(places(files, unresolved))
        .map(|(u, places)| json!({"key": u.key, "placeholder": u.placeholder, "how": u.how, "used": places}))
        .collect();
    let requests: Vec<Value> = about
        .requests
        .iter()
        .map(|r| json!({"file": r.file, "method": r.method, "path": r.path, "what": r.what}))
        .collect();
    let ids = json!({
        "schema": "flowloom/ids/1", "target": target, "flow": about.flow.id, *version_name: version,
        "requests": requests, "unresolved": used,
    });
    let lost = json!({"schema": "flowloom/losses/1", "target": target, "flow": about.flow.id, "losses": losses});
    let readme = readme(about, losses, unresolved);
    files.insert("ids.json".into(), json_bytes(&ids));
    files.insert("losses.json".into(), json_bytes(&lost));
    files.insert(README.into(), readme.into_bytes());
}

/// Mails as people get them: a text and, of an e-mail, its HTML for each, and a list of them.
pub(super) fn add_samples(files: &mut Vec<(String, Vec<u8>)>, samples: Vec<Sample>) {
    if samples.is_empty() {
        return;
    }
    let mut list = Vec::new();
    for sample in samples {
        let name = format!("sample/{}-{}-{}", sample.message, sample.variant, sample.whom);
        let mut text = format!("Contact: {}\n", sample.contact);
        let mut names = vec![format!("{name}.txt")];
        if !sample.html.is_empty() {
            let _ = writeln!(text, "Subject: {}\nPreheader: {}", sample.subject, sample.preheader);
            names.push(format!("{name}.html"));
            files.push((format!("{name}.html"), sample.html.into_bytes()));
        }
        let _ = writeln!(text, "\n{}", sample.text.trim_end());
        files.push((format!("{name}.txt"), text.into_bytes()));
        list.push(json!({
            "message": sample.message, "variant": sample.variant, "whom": sample.whom, "contact": sample.contact,
            "subject": sample.subject, "files": names,
        }));
    }
    files.push(("sample/index.json".into(), json_bytes(&json!({"schema": "flowloom/samples/1", "mails": list}))));
    let line = "- `sample/`: each mail as three people of the sample audience get it (the best filled, a typical one, \
        the emptiest), to compare with\n";
    if let Some((_, page)) = files.iter_mut().find(|(path, _)| path == README) {
        let text = String::from_utf8_lossy(page).replacen(IDS_LINE, &format!("{line}{IDS_LINE}"), 1);
        *page = text.into_bytes();
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
}

const README: &str = "README.md";
/// What the list of files on the page ends with.
const IDS_LINE: &str = "- `ids.json`: what has to be filled in";

/// Texts longer than this are mails, in which only pictures have placeholders.
const LONGEST_ID: usize = 2_000;

/// Where each placeholder stands: `flow.json#/data/attributes/…`.
fn places(files: &BTreeMap<String, Vec<u8>>, unresolved: &[Unresolved]) -> Vec<Vec<String>> {
    let mut out = vec![Vec::new(); unresolved.len()];
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { continue };
        let mut stack = vec![(String::new(), &value)];
        while let Some((path, value)) = stack.pop() {
            match value {
                Value::String(text) => {
                    for (found, wanted) in out.iter_mut().zip(unresolved) {
                        let in_mail = text.len() > LONGEST_ID || text.contains('<');
                        let is_there = match wanted.key.starts_with("image:") {
                            true => in_mail && text.contains(&wanted.placeholder),
                            false => text.len() <= LONGEST_ID && stands_in(text, &wanted.placeholder),
                        };
                        if is_there {
                            found.push(format!("{name}#{path}"));
                        }
                    }
                }
                Value::Array(items) => {
                    stack.extend(items.iter().enumerate().rev().map(|(n, item)| (format!("{path}/{n}"), item)));
                }
                Value::Object(map) => {
                    let key = |key: &str| key.replace('~', "~0").replace('/', "~1");
                    let mut parts: Vec<_> =
                        map.iter().map(|(name, item)| (format!("{path}/{}", key(name)), item)).collect();
                    parts.reverse();
                    stack.extend(parts);
                }
                _ => {}
            }
        }
    }
    out
}

/// Whether a text is the placeholder, or holds it as a word of its own (`Bearer SECRET:KEY`).
fn stands_in(text: &str, placeholder: &str) -> bool {
    text == placeholder || text.ends_with(placeholder) && text[..text.len() - placeholder.len()].ends_with(' ')
}

fn readme(about: &About<'_>, losses: &[Loss], unresolved: &[Unresolved]) -> String {
    let mut out = String::new();
    let title = about.target.title();
    let name = plain(&about.flow.name);
    let _ = writeln!(out, "# {name}: for {title}\n");
    let whose =
        if about.workspace.name.is_empty() { String::new() } else { format!(" of {}", plain(&about.workspace.name)) };
    let _ = writeln!(
        out,
        "This folder holds the flow \u{201c}{name}\u{201d}{whose}, ready to be set up in {title}. \
         It was made for {} {}; nothing in it contains a key or a password.\n",
        about.version.0, about.version.1
    );
    let _ = writeln!(out, "## What is where\n");
    for request in &about.requests {
        let _ = writeln!(out, "- `{}`: {} (`{} {}`)", request.file, request.what, request.method, request.path);
    }
    let _ = writeln!(out, "{IDS_LINE}, and where it stands");
    let _ = writeln!(out, "- `losses.json`: the same list of differences as below, for programs\n");
    let _ = writeln!(out, "## Steps\n");
    let mut number = 0;
    let mut step = |out: &mut String, text: &str| {
        number += 1;
        let _ = writeln!(out, "{number}. {text}");
    };
    if !unresolved.is_empty() {
        step(
            &mut out,
            "Fill in the ids listed below: replace each placeholder in the files by the id from your account.",
        );
    }
    for text in &about.order {
        step(&mut out, text);
    }
    out.push('\n');
    if unresolved.is_empty() {
        let _ = writeln!(out, "## Ids\n\nNothing is left to fill in.\n");
    } else {
        let _ = writeln!(
            out,
            "## Ids to fill in\n\n| what | stands in the files as | where to find it |\n| --- | --- | --- |"
        );
        for u in unresolved {
            let _ = writeln!(out, "| {} | `{}` | {} |", cell(&u.key), cell(&u.placeholder), cell(&u.how));
        }
        out.push('\n');
    }
    let (lost, near): (Vec<&Loss>, Vec<&Loss>) = losses.iter().partition(|l| l.kind == LossKind::NotPossible);
    let _ = writeln!(out, "## What differs\n");
    if losses.is_empty() {
        let _ = writeln!(out, "Nothing: {title} does all of it as drawn.");
        return out;
    }
    for (heading, list) in [("Not possible", lost), ("Approximate", near)] {
        if list.is_empty() {
            continue;
        }
        let _ = writeln!(out, "### {heading}\n");
        for loss in list {
            let place = loss.place.to_string();
            let place = if place.is_empty() { "flow".to_owned() } else { place };
            let _ =
                writeln!(out, "- **{}**: {}. {}", plain(&place), plain(&loss.message), sentence(&plain(&loss.remedy)));
        }
        out.push('\n');
    }
    out
}

fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Text of the user inside Markdown: one line, nothing that would be read as markup or HTML.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '*' | '_' | '[' | ']' | '`' | '#' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('`', "'").replace('<', "&lt;")
}
