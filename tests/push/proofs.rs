//! What a server has seen, as bodies that the platforms' own documents speak of.

use std::collections::BTreeSet;

use flowloom::flow::Target;
use serde_json::{Value as Json, json};

use super::server::{Seen, Server};

/// Bodies with the place in the official documents, where those have it.
pub fn provable(target: Target, server: &Server) -> Vec<(Target, &'static str, &'static str, Json)> {
    let known: &[(&str, &str)] = match target {
        Target::Klaviyo => &[("post", "/api/flows"), ("post", "/api/templates"), ("post", "/api/events")],
        _ => &[
            ("post", "/automation/v4/flows"),
            ("put", "/automation/v4/flows/{flowId}"),
            ("post", "/marketing/v3/emails"),
        ],
    };
    let mut out = Vec::new();
    for seen in server.state().seen.iter().filter(|seen| !seen.body.is_null()) {
        let is_post = seen.method.eq_ignore_ascii_case("post");
        if is_post && (seen.path.starts_with("/crm/v3/properties/") || seen.path == "/events/v3/event-definitions") {
            assert_eq!(crate::schema_proofs::fault_of_definition(&seen.path, &seen.body), None, "{}", seen.path);
        }
        out.extend(as_created(target, seen));
        for (method, path) in known {
            let (start, has_id) = path.split_once("/{").map_or((*path, false), |(start, _)| (start, true));
            let fits = if has_id { seen.path.starts_with(start) } else { seen.path == start };
            if fits && seen.method.eq_ignore_ascii_case(method) {
                out.push((target, *method, *path, seen.body.clone()));
            }
        }
    }
    out
}

/// A change as what would make the same: the cuts have no schema of their own for changes, but a template, an action
/// and an e-mail are the same things in both. What only a change of Klaviyo's has is held against the reference here:
/// `data` with type, id and attributes, the id that of the address.
fn as_created(target: Target, seen: &Seen) -> Option<(Target, &'static str, &'static str, Json)> {
    if !seen.method.eq_ignore_ascii_case("patch") {
        return None;
    }
    if target == Target::Hubspot {
        // An e-mail is changed by what makes one, but for its state.
        assert!(seen.path.starts_with("/marketing/v3/emails/") && seen.body.get("state").is_none(), "{}", seen.path);
        return Some((target, "post", "/marketing/v3/emails", seen.body.clone()));
    }
    let (what, id) = seen.path.trim_start_matches("/api/").split_once('/').expect("what is changed, and its id");
    let data = seen.body["data"].as_object().expect("data");
    let keys: BTreeSet<&str> = data.keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["attributes", "id", "type"]), "{}", seen.body);
    assert_eq!((seen.body.as_object().map(serde_json::Map::len), data["id"].as_str()), (Some(1), Some(id)));
    let attributes = &data["attributes"];
    let names: Vec<&str> = attributes.as_object().expect("attributes").keys().map(String::as_str).collect();
    match what {
        "templates" => {
            assert!(
                data["type"] == "template" && names.iter().all(|n| ["html", "name", "text"].contains(n)),
                "{names:?}"
            );
            let mut attributes = attributes.clone();
            attributes["editor_type"] = json!("CODE");
            Some((target, "post", "/api/templates", json!({"data": {"type": "template", "attributes": attributes}})))
        }
        "flow-actions" => {
            assert!(data["type"] == "flow-action" && names == ["definition"], "{names:?}");
            let mut action = attributes["definition"].clone();
            let map = action.as_object_mut().expect("an action");
            assert_eq!(map.remove("id").as_ref().and_then(Json::as_str), Some(id), "the action names itself");
            map.insert("temporary_id".into(), json!(id));
            as_new(&mut map["data"]);
            let definition = json!({"triggers": [{"type": "metric", "id": "M", "trigger_filter": null}], "profile_filter": null,
                "entry_action_id": id, "actions": [action]});
            let flow =
                json!({"data": {"type": "flow", "attributes": {"name": "One action", "definition": definition}}});
            Some((target, "post", "/api/flows", flow))
        }
        other => panic!("what schema has a change of {other}?"),
    }
}

/// What is inside a test as it would be made: real ids as temporary ones, without what Klaviyo adds.
fn as_new(data: &mut Json) {
    let Some(map) = data.as_object_mut() else { return };
    map.remove("experiment_status");
    if let Some(experiment) = map.get_mut("current_experiment").and_then(Json::as_object_mut) {
        experiment.retain(|key, _| !["id", "started"].contains(&key.as_str()));
    }
    let main = map.remove("main_action");
    let variations = map.get_mut("current_experiment").and_then(|e| e.get_mut("variations")?.as_array_mut());
    let mut parts: Vec<Json> = main.iter().cloned().collect();
    let num_variations = variations.as_ref().map_or(0, |list| list.len());
    parts.extend(variations.iter().flat_map(|list| list.iter().cloned()));
    for part in &mut parts {
        let part = part.as_object_mut().expect("an action");
        if let Some(id) = part.remove("id") {
            part.insert("temporary_id".into(), id);
        }
        if let Some(message) = part.get_mut("data").and_then(|data| data.get_mut("message")?.as_object_mut()) {
            message.remove("id");
        }
    }
    let rest = parts.split_off(parts.len() - num_variations);
    if let Some(list) = variations {
        *list = rest;
    }
    if let Some(main) = parts.pop() {
        map.insert("main_action".into(), main);
    }
}
