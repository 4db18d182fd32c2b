//! What becomes of an import: cards that are laid out, a workspace that knows what the flow needs, a report to read.
//!
//! The one idea: a workspace file is added to and never rewritten; what it has already stays as it is, letter by letter.
//! Deliberately not here: reading the platform's JSON ([`crate::platforms::import`]) and files.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value as Json, json};

use super::{
    inspector::raw,
    ops::layout::{Flowing, layout},
};
use crate::{
    flow::{Flow, Target, Workspace, edit::apply_all, file::raw::set_field},
    kinds::ron_options,
    platforms::import::{Imported, Remark, RemarkKind, Template},
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
    let segments: Vec<_> = adds.segments.iter().filter(|(name, _)| !there.segments.contains_key(*name)).collect();
    if !segments.is_empty() {
        let mut all = there.segments.clone();
        all.extend(segments.iter().map(|(name, text)| ((*name).clone(), (*text).clone())));
        out.text = set_field(&out.text, "segments", Some(&ron(&all)))?;
        out.what.extend(segments.iter().map(|(name, _)| format!("segment \u{201c}{name}\u{201d}")));
    }
    let properties: Vec<_> = adds.properties.iter().filter(|(name, _)| !there.properties.contains_key(*name)).collect();
    if !properties.is_empty() {
        let mut all = there.properties.clone();
        all.extend(properties.iter().map(|(name, kind)| ((*name).clone(), **kind)));
        out.text = set_field(&out.text, "properties", Some(&ron(&all)))?;
        out.what.extend(properties.iter().map(|(name, _)| format!("property \u{201c}{name}\u{201d}")));
    }
    for (platform, known, new) in
        [("klaviyo", &there.klaviyo.ids, &adds.klaviyo.ids), ("hubspot", &there.hubspot.ids, &adds.hubspot.ids)]
    {
        let ids: Vec<_> = new.iter().filter(|(key, _)| !known.contains_key(*key)).collect();
        if ids.is_empty() {
            continue;
        }
        let mut all = known.clone();
        all.extend(ids.iter().map(|(key, id)| ((*key).clone(), (*id).clone())));
        let route = raw::Route::field(platform).then(raw::Step::Field("ids".into()));
        out.text = raw::set(&out.text, &route.0, Some(&ron(&all)))?;
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
            // Parts of a workspace are plain trees, which RON can always write.
            crate::kinds::ron_options().to_string(self).unwrap_or_default()
        }
    }
}

fn rows(out: &mut Added, field: &str, new: &[String]) -> Result<(), String> {
    if new.is_empty() {
        return Ok(());
    }
    let parsed = crate::flow::file::raw::RawStruct::parse(&out.text).map_err(|error| error.to_string())?;
    let mut all: Vec<String> = match parsed.get(field) {
        Some(list) => raw::rows(list)?.into_iter().map(str::to_owned).collect(),
        None => Vec::new(),
    };
    all.extend(new.iter().cloned());
    out.text = set_field(&out.text, field, Some(&raw::list(&all)))?;
    Ok(())
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
        out.segments.extend(adds.segments.clone());
        out.properties.extend(adds.properties.clone());
        out.klaviyo.ids.extend(adds.klaviyo.ids.clone());
        out.hubspot.ids.extend(adds.hubspot.ids.clone());
    }
    out
}

/// A template as a platform answered it, by the ids and names that flows know it by. `stem` names the file it came from.
pub fn template(json: &Json, stem: &str) -> Option<(Vec<String>, Template)> {
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

/// The names under which flows ask for the template of a file.
pub fn names_of(stem: &str) -> [String; 3] {
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
        let text = "(\n    version: 1, // kept\n    name: \"W\",\n    events: [(name: \"Old\", moment: cart)], // here too\n    klaviyo: (revision: \"2026-01-15\"),\n)\n";
        let there = read_workspace(text).expect("reads").0;
        let added = with_additions(text, &there, &adds()).expect("adds").expect("something");
        let now = read_workspace(&added.text).unwrap_or_else(|e| panic!("{e:?}\n{}", added.text)).0;
        assert!(added.text.contains("version: 1, // kept") && added.text.contains("(name: \"Old\", moment: cart)"));
        assert_eq!(now.events.len(), 2);
        assert_eq!((now.klaviyo.revision.as_str(), now.klaviyo.ids.len()), ("2026-01-15", 1));
        assert_eq!((now.lists.len(), now.senders.len(), now.properties.len()), (1, 1, 1));
        assert_eq!(added.what.len(), 5, "{:?}", added.what);
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
