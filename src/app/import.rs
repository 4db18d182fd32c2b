//! What becomes of an import: cards that are laid out, a workspace that knows what the flow needs, a report to read.
//!
//! The one idea: a workspace file is added to and never rewritten; what it has already stays as it is, letter by
//! letter.
//! Deliberately not here: reading the platform's JSON ([`crate::platforms::import`]) and files.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc};

use serde_json::{Value as Json, json};

use super::{
    App, Document, DocumentId, Home, Request,
    files::Dialog,
    ops::{
        layout::{Flowing, layout},
        ron_text::appended,
    },
};
use crate::{
    base::{Diagnostic, Instant, Place, Severity},
    flow::{
        Flow, Target, Workspace,
        edit::apply_all,
        file::{
            self,
            raw::{RawStruct, offset_in, set_field},
        },
    },
    kinds::ron_options,
    platforms::import::{Given, Imported, Remark, RemarkKind, Template, import, known_names},
};

/// A workspace file with what an import needs of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Added {
    /// The new text.
    pub text: String,
    /// What was added, for people: `event "Started Checkout"`.
    pub what: Vec<String>,
}

/// The flow with its cards in places.
pub fn placed(flow: &Flow) -> Flow {
    let edits = layout(flow, &std::collections::BTreeSet::new(), Flowing::Down);
    // Moves of cards that are there cannot fail; if one did, the cards would lie on each other and nothing else.
    apply_all(flow, &edits).unwrap_or_else(|_| flow.clone())
}

/// A workspace file for flows that have none: no caps and no quiet hours, since the platform had none of ours.
pub fn new_workspace(name: &str) -> String {
    let name = ron_options().to_string(name).unwrap_or_else(|_| "\"\"".into());
    format!(
        "(\n    version: 1,\n    name: {name},\n    // The rules of the platform were its own; these are Flowloom's, for all flows of this folder.\n    caps: [],\n)\n"
    )
}

/// A workspace file with what `adds` has and `there` lacks; `None` where nothing is lacking.
///
/// Errors: a sentence, where the file cannot be added to.
pub fn with_additions(text: &str, there: &Workspace, adds: &Workspace) -> Result<Option<Added>, String> {
    let mut out = Added { text: text.to_owned(), what: Vec::new() };
    let ron = |value: &dyn erased::Ron| value.ron();
    let events: Vec<_> = adds.events.iter().filter(|event| there.event(&event.name).is_none()).collect();
    rows(&mut out, "events", &events.iter().map(|event| ron(*event)).collect::<Vec<_>>())?;
    out.what.extend(events.iter().map(|event| format!("event \u{201c}{}\u{201d}", event.name)));
    let lists: Vec<_> = adds.lists.iter().filter(|list| !there.lists.contains(list)).collect();
    rows(&mut out, "lists", &lists.iter().map(|list| ron(*list)).collect::<Vec<_>>())?;
    out.what.extend(lists.iter().map(|list| format!("list \u{201c}{list}\u{201d}")));
    let senders: Vec<_> = adds.senders.iter().filter(|sender| there.sender(&sender.id).is_none()).collect();
    rows(&mut out, "senders", &senders.iter().map(|sender| ron(*sender)).collect::<Vec<_>>())?;
    out.what.extend(senders.iter().map(|sender| format!("sender \u{201c}{}\u{201d}", sender.id)));
    let pools: Vec<_> =
        adds.code_pools.iter().filter(|pool| !there.code_pools.iter().any(|known| known.name == pool.name)).collect();
    rows(&mut out, "code_pools", &pools.iter().map(|pool| ron(*pool)).collect::<Vec<_>>())?;
    out.what.extend(pools.iter().map(|pool| format!("code pool \u{201c}{}\u{201d}", pool.name)));
    let segments: Vec<_> = adds.segments.iter().filter(|(name, _)| !there.segments.contains_key(*name)).collect();
    let entries: Vec<String> = segments.iter().map(|(name, text)| format!("{}: {}", ron(*name), ron(*text))).collect();
    out.text = with_entries(&out.text, "segments", &entries, MAP)?;
    out.what.extend(segments.iter().map(|(name, _)| format!("segment \u{201c}{name}\u{201d}")));
    let properties: Vec<_> = adds.properties.iter().filter(|(name, _)| !there.properties.contains_key(*name)).collect();
    let entries: Vec<String> =
        properties.iter().map(|(name, kind)| format!("{}: {}", ron(*name), ron(*kind))).collect();
    out.text = with_entries(&out.text, "properties", &entries, MAP)?;
    out.what.extend(properties.iter().map(|(name, _)| format!("property \u{201c}{name}\u{201d}")));
    for (platform, known, new) in
        [("klaviyo", &there.klaviyo.ids, &adds.klaviyo.ids), ("hubspot", &there.hubspot.ids, &adds.hubspot.ids)]
    {
        let ids: Vec<_> = new.iter().filter(|(key, _)| !known.contains_key(*key)).collect();
        if ids.is_empty() {
            continue;
        }
        let entries: Vec<String> = ids.iter().map(|(key, id)| format!("{}: {}", ron(*key), ron(*id))).collect();
        let parsed = RawStruct::parse(&out.text).map_err(|error| error.to_string())?;
        let own = with_entries(parsed.get(platform).unwrap_or("()"), "ids", &entries, MAP)?;
        // A new part stands one level deeper than where it was written.
        let own = if parsed.get(platform).is_none() { own.replace('\n', "\n    ") } else { own };
        out.text = put(&out.text, platform, &own)?;
        out.what.extend(ids.iter().map(|(key, _)| format!("id of {}", key.replacen(':', " \u{201c}", 1) + "\u{201d}")));
    }
    Ok((!out.what.is_empty()).then_some(out))
}

/// Values as RON; apart, since a trait object of serde's own cannot be written.
mod erased {
    pub(super) trait Ron {
        fn ron(&self) -> String;
    }

    impl<T: serde::Serialize> Ron for T {
        fn ron(&self) -> String {
            let one_line = ron::ser::PrettyConfig::new().compact_structs(true).compact_arrays(true).compact_maps(true);
            // Parts of a workspace are plain trees, which RON can always write.
            crate::kinds::ron_options().to_string_pretty(self, one_line).unwrap_or_default()
        }
    }
}

/// An empty list and an empty map.
const LIST: &str = "[]";
const MAP: &str = "{}";

fn rows(out: &mut Added, field: &str, new: &[String]) -> Result<(), String> {
    out.text = with_entries(&out.text, field, new, LIST)?;
    Ok(())
}

/// A RON struct whose list or map `field` has further entries; `empty` is what it is where it is not there.
fn with_entries(ron: &str, field: &str, new: &[String], empty: &str) -> Result<String, String> {
    if new.is_empty() {
        return Ok(ron.to_owned());
    }
    let parsed = RawStruct::parse(ron).map_err(|error| error.to_string())?;
    let whole = appended(parsed.get(field).unwrap_or(empty), new);
    put(ron, field, &whole.ok_or_else(|| format!("`{field}` has a shape that cannot be added to"))?)
}

/// A RON struct with another value of a key, every letter around it as it was, comments too.
fn put(ron: &str, field: &str, value: &str) -> Result<String, String> {
    let parsed = RawStruct::parse(ron).map_err(|error| error.to_string())?;
    if let Some(old) = parsed.get(field) {
        let at = offset_in(ron, old);
        return Ok(format!("{}{value}{}", &ron[..at], &ron[at + old.len()..]));
    }
    match parsed.0.last() {
        Some((_, last)) => {
            let end = offset_in(ron, last) + last.len();
            Ok(format!("{},\n    {field}: {value}{}", &ron[..end], &ron[end..]))
        }
        None => set_field(ron, field, Some(value)),
    }
}

/// The workspace file for flows that need `needs`: the one that is there with additions, or a new one of this name
/// where `there` is empty. `None` where nothing is lacking.
///
/// Errors: a sentence, where the file cannot be read or added to.
pub fn workspace_for(there: &str, name: &str, needs: &Workspace) -> Result<Option<Added>, String> {
    let is_new = there.is_empty();
    let text = if is_new { new_workspace(name) } else { there.to_owned() };
    let (known, _) = file::read_workspace(&text).map_err(|found| found.message)?;
    let added = with_additions(&text, &known, needs)?;
    if let Some(added) = &added {
        file::read_workspace(&added.text).map_err(|found| found.message)?;
    }
    Ok(added.or_else(|| is_new.then_some(Added { text, what: Vec::new() })))
}

/// All that several flows need, as one.
pub fn needs(imported: &[Imported]) -> Workspace {
    let mut out = Workspace { caps: Vec::new(), ..Workspace::default() };
    for one in imported {
        let adds = &one.workspace;
        for event in &adds.events {
            if out.event(&event.name).is_none() {
                out.events.push(event.clone());
            }
        }
        out.lists.extend(adds.lists.iter().filter(|list| !out.lists.contains(list)).cloned().collect::<Vec<_>>());
        for sender in &adds.senders {
            if out.sender(&sender.id).is_none() {
                out.senders.push(sender.clone());
            }
        }
        for pool in &adds.code_pools {
            if !out.code_pools.iter().any(|known| known.name == pool.name) {
                out.code_pools.push(pool.clone());
            }
        }
        out.segments.extend(adds.segments.clone());
        out.properties.extend(adds.properties.clone());
        out.klaviyo.ids.extend(adds.klaviyo.ids.clone());
        out.hubspot.ids.extend(adds.hubspot.ids.clone());
    }
    out
}

/// A template as a platform answered it, by the ids and names that flows know it by. `stem` names the file it came
/// from.
fn template(json: &Json, stem: &str) -> Option<(Vec<String>, Template)> {
    let inner = json.pointer("/data/attributes").or_else(|| json.get("attributes")).unwrap_or(json);
    let word = |keys: &[&str]| keys.iter().find_map(|key| inner.pointer(key)?.as_str()).map(str::to_owned);
    let html = word(&["/html"]).or_else(|| longest_html(inner))?;
    let template = Template {
        name: word(&["/name"]).unwrap_or_default(),
        html,
        text: word(&["/text", "/content/plainTextVersion"]),
        subject: word(&["/subject"]),
        preheader: word(&["/content/widgets/preview_text/body/value", "/previewText"]),
    };
    let id = ["/data/id", "/id", "/contentId"].iter().find_map(|at| json.pointer(at));
    let id = id.and_then(|id| id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|n| n.to_string())));
    Some((id.into_iter().chain(names_of(stem)).collect(), template))
}

/// Templates by the ids and names that flows know them by, from files with their texts: NAME.json as the platform's API
/// answers, or NAME.html and NAME.txt. HTML and text count more than an answer. Beside them, a sentence for each file
/// that is no JSON though its name says so; the others are read all the same.
pub fn templates(files: &[(PathBuf, String)]) -> (BTreeMap<String, Template>, Vec<String>) {
    let mut out: BTreeMap<String, Template> = BTreeMap::new();
    let mut faults = Vec::new();
    for (path, text) in files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "json" => match serde_json::from_str(text) {
                Ok(json) => {
                    if let Some((ids, template)) = template(&json, &stem) {
                        for id in ids {
                            merge(out.entry(id).or_default(), &template);
                        }
                    }
                }
                Err(error) => faults.push(format!("{} is no JSON: {error}", path.display())),
            },
            "html" | "htm" => {
                for id in names_of(&stem) {
                    out.entry(id).or_default().html.clone_from(text);
                }
            }
            "txt" => {
                for id in names_of(&stem) {
                    out.entry(id).or_default().text.get_or_insert_with(|| text.clone());
                }
            }
            _ => {}
        }
    }
    (out, faults)
}

/// What an answer says of a template; HTML and text of files beside it stand.
fn merge(there: &mut Template, new: &Template) {
    if there.html.is_empty() {
        there.html.clone_from(&new.html);
    }
    if there.text.is_none() {
        there.text.clone_from(&new.text);
    }
    there.name.clone_from(&new.name);
    there.subject.clone_from(&new.subject);
    there.preheader.clone_from(&new.preheader);
}

/// The names under which flows ask for the template of a file.
fn names_of(stem: &str) -> [String; 3] {
    [stem.to_owned(), format!("TEMPLATE:{stem}"), format!("EMAIL:{stem}")]
}

/// The longest text under a key `html`, which is the mail among the modules of a HubSpot e-mail.
fn longest_html(json: &Json) -> Option<String> {
    let mut best: Option<&str> = None;
    let mut stack = vec![json];
    while let Some(json) = stack.pop() {
        match json {
            Json::Object(map) => {
                for (key, value) in map {
                    match value {
                        Json::String(text) if key == "html" && best.is_none_or(|best| best.len() < text.len()) => {
                            best = Some(text);
                        }
                        value => stack.push(value),
                    }
                }
            }
            Json::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    best.map(str::to_owned)
}

/// How many remarks of each kind, in words: `11 understood, 3 kept`.
pub fn counts(report: &[Remark]) -> String {
    let mut counts: BTreeMap<RemarkKind, usize> = BTreeMap::new();
    for remark in report {
        *counts.entry(remark.kind).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(kind, n)| format!("{n} {}", kind.title())).collect();
    if words.is_empty() { "nothing to remark".to_owned() } else { words.join(", ") }
}

/// The report of one flow for people: what was not simply understood, each with its place.
pub fn report_text(imported: &Imported) -> String {
    let flow = &imported.flow;
    let mut out = format!("{} ({} steps): {}\n", flow.name, flow.nodes.len(), counts(&imported.report));
    for remark in imported.report.iter().filter(|remark| remark.kind != RemarkKind::Understood) {
        let place = match &remark.node {
            Some(node) => format!("step {node}"),
            None => "flow".to_owned(),
        };
        let at = if remark.pointer.is_empty() { String::new() } else { format!(" at {}", remark.pointer) };
        let _ = writeln!(out, "  {} {place}{at}: {}", remark.kind.title(), remark.message);
        if !remark.remedy.is_empty() {
            let _ = writeln!(out, "    {}", remark.remedy);
        }
    }
    out
}

/// The report for programs. `files` are where the flows were written.
pub fn report_json(target: Target, imported: &[Imported], files: &[String], added: &[String]) -> Json {
    let flows: Vec<Json> = imported
        .iter()
        .zip(files)
        .map(|(one, file)| {
            json!({
                "id": one.flow.id, "name": one.flow.name, "file": file, "steps": one.flow.nodes.len(),
                "remarks": one.report,
            })
        })
        .collect();
    json!({"schema": "flowloom/import/1", "from": target.name(), "flows": flows, "added_to_workspace": added})
}

/// Whether a text is JSON of a platform, such as a flow that was copied out of an answer.
pub fn is_platform_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str(text).is_ok_and(|json: Json| platform_of(&json).is_some())
}

/// Most tabs that one import opens. Source: assumption; more is an account, which `flowloom import` writes as files.
const MOST_TABS: usize = 12;

/// Opens the flows of a platform's JSON, each in a tab of its own; what was kept, guessed and lost stands among its
/// problems. `templates` lie beside it.
///
/// Errors: a sentence, where there is no flow in it.
pub fn open(app: &mut App, text: &str, beside: &Beside, now: Instant) -> Result<Vec<Request>, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("This is no JSON: {error}"))?;
    let target = platform_of(&json).ok_or("This JSON is no flow of Klaviyo or HubSpot")?;
    let (templates, faults) = templates(&beside.templates);
    let opened = open_given(app, target, text, &templates, &BTreeMap::new(), &[], now)?;
    for fault in beside.faults.iter().chain(&faults) {
        app.tell(fault.clone(), true, now);
    }
    Ok(opened)
}

/// What lies beside a flow's JSON.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Its templates, with their texts.
    pub templates: Vec<(PathBuf, String)>,
    /// Why some could not be read; a sentence each.
    pub faults: Vec<String>,
}

/// Opens a flow that was fetched from an account; what could not be had stands among its problems.
///
/// Errors: a sentence, where there is no flow in it.
#[cfg(feature = "push")]
pub fn open_fetched(
    app: &mut App,
    target: Target,
    fetched: crate::platforms::push::Fetched,
    now: Instant,
) -> Result<Vec<Request>, String> {
    open_given(app, target, &fetched.json, &fetched.templates, &fetched.names, &fetched.missing, now)
}

fn open_given(
    app: &mut App,
    target: Target,
    text: &str,
    templates: &BTreeMap<String, Template>,
    names: &BTreeMap<String, String>,
    missing: &[String],
    now: Instant,
) -> Result<Vec<Request>, String> {
    let known = app.document().map(|document| document.home.workspace.clone()).unwrap_or_default();
    let names = known_names(target, &known, names);
    let given = Given { json: text, templates, names: &names };
    let imported = import(target, &given).map_err(|errors| {
        errors.into_iter().next().map_or_else(|| "There is no flow in this JSON".to_owned(), |error| error.message)
    })?;
    let num_more = imported.len().saturating_sub(MOST_TABS);
    let mut requests = Vec::new();
    for one in imported.into_iter().take(MOST_TABS) {
        let text = file::write(&placed(&one.flow));
        let mut loaded = file::read(&text).map_err(|found| found.message)?;
        loaded.notes.extend(one.report.iter().filter_map(note));
        loaded.notes.extend(missing.iter().map(|what| {
            Diagnostic::new(Severity::Warning, "import/not-fetched", Place::default(), what.clone())
                .hint("Give the key the right to read it, and import the flow again")
        }));
        let said = format!("{}: {}. What to look at is among its problems", one.flow.name, counts(&one.report));
        let needs = needs(std::slice::from_ref(&one));
        requests.extend(app.open(None, loaded, Arc::new(home(&one.flow.name, &needs))));
        if let Some(document) = app.document_mut() {
            document.is_imported(needs, now);
        }
        app.tell(said, false, now);
    }
    if num_more > 0 {
        app.tell(
            format!("{num_more} more flows were not opened; `flowloom import` writes them all as files"),
            true,
            now,
        );
    }
    Ok(requests)
}

/// A workspace of its own for an imported flow, until it is saved into one.
fn home(name: &str, needs: &Workspace) -> Home {
    let added = workspace_for("", name, needs).ok().flatten();
    let read = added.and_then(|added| Some((file::read_workspace(&added.text).ok()?.0, added.text)));
    match read {
        Some((workspace, source)) => Home { source, workspace, ..Home::default() },
        // What was just written can be read; were it not so, the flow would know its events all the same.
        None => Home { workspace: needs.clone(), ..Home::default() },
    }
}

/// A flow that was imported has been saved, and this stands around it now: asks whether its workspace is to get what
/// the flow needs. Whether there is something to ask.
pub(in crate::app) fn ask(app: &mut App, id: DocumentId, now: Instant) -> bool {
    let Some(document) = app.by_id(id) else { return false };
    let Some(needs) = document.on_disk.needs.clone() else { return false };
    let name = document.title().to_owned();
    match workspace_for(&document.home.source, &name, &needs) {
        Ok(Some(Added { what, .. })) if !what.is_empty() => {
            let folder = document.home.folder.clone();
            app.files.dialogs.push(Dialog::Needs { document: id, folder, what });
            true
        }
        Ok(_) => {
            document.on_disk.needs = None;
            false
        }
        Err(why) => {
            app.tell(format!("The workspace of {name} was not added to: {why}"), true, now);
            false
        }
    }
}

/// Adds to the workspace of a flow what it needs, as a step that can be undone; the caller saves it.
///
/// Errors: a sentence, where the workspace cannot be added to; nothing changed.
pub(in crate::app) fn add(document: &mut Document) -> Result<(), String> {
    let Some(needs) = &document.on_disk.needs else { return Ok(()) };
    // It may have been edited since it was asked.
    let there = document.history.aside();
    if let Some(added) = workspace_for(there, document.title(), needs)? {
        document.edit_workspace("Add what the import needs", &added.text, None)?;
    }
    document.on_disk.needs = None;
    Ok(())
}

/// A remark as a finding; none for what was simply understood.
fn note(remark: &Remark) -> Option<Diagnostic> {
    let severity = match remark.kind {
        RemarkKind::Understood => return None,
        RemarkKind::Kept | RemarkKind::Guessed => Severity::Hint,
        RemarkKind::Lost => Severity::Warning,
    };
    let place = remark.node.as_ref().map_or_else(Place::default, Place::node);
    Some(Diagnostic::new(severity, remark.code, place, remark.message.clone()).hint(remark.remedy.clone()))
}

/// The name of the platform that a JSON comes from, by what only it writes; `None` where nothing tells.
pub fn platform_of(json: &Json) -> Option<Target> {
    const KLAVIYO: [&str; 4] = ["entry_action_id", "profile_filter", "reentry_criteria", "trigger_type"];
    const HUBSPOT: [&str; 5] =
        ["startActionId", "enrollmentCriteria", "flowType", "nextAvailableActionId", "actionTypeId"];
    let mut stack = vec![json];
    let mut num_left = 10_000_usize;
    while let Some(json) = stack.pop() {
        num_left = num_left.checked_sub(1)?;
        match json {
            Json::Object(map) => {
                if HUBSPOT.iter().any(|key| map.contains_key(*key)) {
                    return Some(Target::Hubspot);
                }
                if KLAVIYO.iter().any(|key| map.contains_key(*key)) {
                    return Some(Target::Klaviyo);
                }
                stack.extend(map.values());
            }
            Json::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{EventType, Moment, Sender, file::read_workspace};

    fn adds() -> Workspace {
        let event = |name: &str| EventType {
            name: name.into(),
            moment: Moment::Other,
            properties: BTreeMap::new(),
            klaviyo: None,
            hubspot: None,
        };
        let mut adds = Workspace { events: vec![event("Old"), event("New \"one\"")], ..Workspace::default() };
        adds.lists = vec!["L".into()];
        adds.senders = vec![Sender { id: "s".into(), name: "S".into(), email: "s@example.com".into(), reply_to: None }];
        adds.properties.insert("Tags".into(), crate::audience::ValueType::List);
        adds.klaviyo.ids.insert("metric:New \"one\"".into(), "Xy12".into());
        adds
    }

    #[test]
    fn a_workspace_is_added_to_and_not_rewritten() {
        let text = "(\n    version: 1, // kept\n    name: \"W\",\n    events: [(name: \"Old\", moment: cart), // mine\n    ], // here too\n    klaviyo: (revision: \"2026-01-15\"),\n)\n";
        let there = read_workspace(text).expect("reads").0;
        let added = with_additions(text, &there, &adds()).expect("adds").expect("something");
        let now = read_workspace(&added.text).unwrap_or_else(|e| panic!("{e:?}\n{}", added.text)).0;
        assert!(
            added.text.contains("version: 1, // kept") && added.text.contains("(name: \"Old\", moment: cart), // mine")
        );
        assert_eq!(now.events.len(), 2);
        assert_eq!((now.klaviyo.revision.as_str(), now.klaviyo.ids.len()), ("2026-01-15", 1));
        assert_eq!((now.lists.len(), now.senders.len(), now.properties.len()), (1, 1, 1));
        assert_eq!(added.what.len(), 5, "{:?}", added.what);
        assert!(
            added.text.contains("\n        (id: \"s\", name: \"S\", email: \"s@example.com\"),\n    ]"),
            "{}",
            added.text
        );
        assert_eq!(with_additions(&added.text, &now, &adds()), Ok(None), "the second time there is nothing to add");
    }

    #[test]
    fn a_new_workspace_has_no_rules() {
        let text = new_workspace("Shop \"x\"");
        let (workspace, notes) = read_workspace(&text).expect("reads");
        assert!(notes.is_empty() && workspace.caps.is_empty());
        let added = with_additions(&text, &workspace, &adds()).expect("adds").expect("something");
        assert_eq!(read_workspace(&added.text).expect("reads").0.name, "Shop \"x\"");
    }

    /// A flow that was pasted or dropped stands in a tab of its own, laid out, its report among the problems.
    #[test]
    fn pasted_json_becomes_a_tab() {
        let mut app = App::default();
        let text = include_str!("../../tests/fixtures/platforms/klaviyo/import/answer.json");
        assert!(is_platform_json(text) && !is_platform_json("{\"a\": 1}") && !is_platform_json("(version: 2)"));
        open(&mut app, text, &Beside::default(), Instant::from_millis(0)).expect("opens");
        let document = app.document().expect("open");
        assert_eq!((document.title(), document.path.clone()), ("Abandoned cart <b>2026</b>", None));
        let mut places: Vec<(i64, i64)> =
            document.flow().nodes.iter().map(|node| (node.pos.0 as i64, node.pos.1 as i64)).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), document.flow().nodes.len(), "no card lies on another");
        assert!(app.toasts.iter().any(|toast| toast.text.contains("12 understood")), "{:?}", app.toasts);
        let codes: Vec<&str> = document.notes().iter().map(|note| &*note.code).collect();
        assert!(codes.contains(&"import/no-template") && !codes.contains(&"import/understood"), "{codes:?}");
        assert_eq!(
            open(&mut app, "{\"a\": 1}", &Beside::default(), Instant::from_millis(0)).err().as_deref(),
            Some("This JSON is no flow of Klaviyo or HubSpot")
        );
    }

    #[test]
    fn platforms_are_told_apart() {
        let of = |text: &str| platform_of(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(of(r#"{"data": {"attributes": {"definition": {"entry_action_id": null}}}}"#), Some(Target::Klaviyo));
        assert_eq!(of(r#"{"results": [{"startActionId": "1", "actions": []}]}"#), Some(Target::Hubspot));
        assert_eq!(of(r#"{"a": [1, 2]}"#), None);
    }

    #[test]
    fn templates_are_found_in_answers() {
        let klaviyo = json!({"data": {"id": "T1", "attributes": {"name": "N", "html": "<p>", "text": "t"}}});
        let (ids, found) = template(&klaviyo, "x").expect("a template");
        assert_eq!(ids, ["T1", "x", "TEMPLATE:x", "EMAIL:x"]);
        assert_eq!((found.html.as_str(), found.text.as_deref()), ("<p>", Some("t")));
        let hubspot = json!({"id": 7, "subject": "S", "content": {"widgets": {"a": {"body": {"html": "<p>long</p>"}}, "b": {"body": {"html": "x"}}}}});
        let (ids, found) = template(&hubspot, "m").expect("a template");
        assert_eq!((ids[0].as_str(), found.html.as_str(), found.subject.as_deref()), ("7", "<p>long</p>", Some("S")));
        assert_eq!(template(&json!({"a": 1}), "x"), None);
    }
}
