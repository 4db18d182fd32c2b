//! What must exist in the account before a workflow: contact properties and custom events, as request bodies.
//!
//! Source: references, HubSpot 9 and 10. HubSpot's own properties are left alone; a name of the account's that is not
//! known here is written too, since creating one that exists is refused and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{
    audience::ValueType,
    flow::Workspace,
    platforms::{Notes, Unresolved, folder::Request, json_bytes, slug},
};

/// Where properties of contacts are created. Source: references, HubSpot 1 and 10.
const PROPERTIES_PATH: &str = "/crm/v3/properties/contacts";
/// Where custom events are defined. Source: references, HubSpot 1 and 9.
const EVENTS_PATH: &str = "/events/v3/event-definitions";

/// Properties that every account has, besides those that begin with `hs_`. Source: the names that the flow's own
/// words become (`contact_property`), and what HubSpot's contact record shows by default.
const OWN: &[&str] = &[
    "address",
    "city",
    "company",
    "country",
    "createdate",
    "email",
    "firstname",
    "jobtitle",
    "lastname",
    "lifecyclestage",
    "mobilephone",
    "phone",
    "salutation",
    "state",
    "website",
    "zip",
];

/// Notes that a property must exist before the import, with its type where that is known.
pub(super) fn property(notes: &mut Notes, name: &str, kind: Option<ValueType>) {
    if OWN.contains(&name) || name.starts_with("hs_") {
        return;
    }
    let known = notes.properties.entry(name.to_owned()).or_insert(kind);
    // Whoever knows the type says it; two that differ are kept as text.
    match (*known, kind) {
        (None, Some(_)) => *known = kind,
        (Some(a), Some(b)) if a != b => *known = Some(ValueType::Text),
        _ => {}
    }
    let key = format!("property:{name}");
    let entry = notes.unresolved.entry(key.clone());
    entry.or_insert_with(|| Unresolved {
        key,
        placeholder: name.to_owned(),
        how: format!(
            "Contact property `{name}`: POST {PROPERTIES_PATH} with `properties/{name}.json` if it is missing; the name \
             stays as it is"
        ),
    });
}

/// Notes that a custom event must be defined; its name there.
pub(super) fn event(notes: &mut Notes, workspace: &Workspace, metric: &str) -> String {
    let named = workspace.event(metric).and_then(|event| event.hubspot.as_deref());
    // `pe123_viewed_page`: the account's number is HubSpot's to add.
    let own = named.and_then(|name| name.strip_prefix("pe")?.split_once('_')).map(|(_, name)| name.to_owned());
    let name = own.unwrap_or_else(|| slug(metric));
    notes.events.insert(metric.to_owned(), name.clone());
    name
}

/// The bodies, properties first.
pub(super) fn files(notes: &Notes, workspace: &Workspace, files: &mut BTreeMap<String, Vec<u8>>) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut add = |file: String, path: &str, what: String, body: Json| {
        files.insert(file.clone(), json_bytes(&body));
        requests.push(Request { file, method: "POST", path: path.into(), what });
    };
    for (name, kind) in &notes.properties {
        let (kind, field) = property_type(*kind);
        let mut body = json!({
            "name": name, "label": label(name), "type": kind, "fieldType": field, "groupName": "contactinformation",
        });
        if kind == "bool" {
            body["options"] = yes_and_no();
        }
        add(format!("properties/{name}.json"), PROPERTIES_PATH, format!("contact property `{name}`"), body);
    }
    for (metric, name) in &notes.events {
        let properties = workspace.event(metric).map(|event| &event.properties);
        let definitions: Vec<Json> =
            properties.into_iter().flatten().map(|(own, kind)| definition(own, *kind)).collect();
        let body = json!({
            "label": metric, "name": name, "primaryObject": "CONTACT", "includeDefaultProperties": true,
            "propertyDefinitions": definitions,
        });
        add(
            format!("events/{name}.json"),
            EVENTS_PATH,
            format!("custom event \u{201c}{metric}\u{201d} (Enterprise)"),
            body,
        );
    }
    requests
}

/// The options of a yes/no property; each has to say whether it is hidden.
fn yes_and_no() -> Json {
    json!([
        {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": false},
        {"label": "No", "value": "false", "displayOrder": 1, "hidden": false},
    ])
}

/// `type` and `fieldType` of a property.
fn property_type(kind: Option<ValueType>) -> (&'static str, &'static str) {
    match kind {
        Some(ValueType::Number | ValueType::Money) => ("number", "number"),
        Some(ValueType::Bool) => ("bool", "booleancheckbox"),
        Some(ValueType::Date) => ("date", "date"),
        Some(ValueType::Instant) => ("datetime", "date"),
        Some(ValueType::List | ValueType::Object) => ("string", "textarea"),
        Some(ValueType::Text) | None => ("string", "text"),
    }
}

/// A property of an event; there are four types of them.
fn definition(name: &str, kind: ValueType) -> Json {
    let word = match kind {
        ValueType::Number | ValueType::Money => "number",
        ValueType::Date | ValueType::Instant => "datetime",
        ValueType::Bool => "enumeration",
        ValueType::Text | ValueType::List | ValueType::Object => "string",
    };
    let mut out = json!({"name": slug(name), "label": label(name), "type": word});
    if kind == ValueType::Bool {
        out["options"] = yes_and_no();
    }
    out
}

/// `cart_value` as people read it: "Cart value".
fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_exist_is_written_with_its_type() {
        let source = r#"(version: 1, events: [(name: "Viewed Page", properties: {"Page Title": text, "seconds": number, "first": bool}, hubspot: "pe12_viewed_page")])"#;
        let workspace = crate::flow::file::read_workspace(source).expect("a workspace").0;
        let mut notes = Notes::default();
        property(&mut notes, "firstname", Some(ValueType::Text));
        property(&mut notes, "hs_language", None);
        property(&mut notes, "cart_value", None);
        property(&mut notes, "cart_value", Some(ValueType::Money));
        property(&mut notes, "seen", Some(ValueType::Instant));
        property(&mut notes, "seen", Some(ValueType::Number));
        property(&mut notes, "vip", Some(ValueType::Bool));
        assert_eq!(event(&mut notes, &workspace, "Viewed Page"), "viewed_page");
        event(&mut notes, &workspace, "24 h over");
        let mut out = BTreeMap::new();
        let requests = files(&notes, &workspace, &mut out);
        assert_eq!(requests.len(), out.len());
        let names: Vec<&str> = out.keys().map(String::as_str).collect();
        let expected = [
            "events/p_24_h_over.json",
            "events/viewed_page.json",
            "properties/cart_value.json",
            "properties/seen.json",
            "properties/vip.json",
        ];
        assert_eq!(names, expected);
        let body = |file: &str| serde_json::from_slice::<Json>(&out[file]).expect("JSON");
        assert_eq!(
            body("properties/cart_value.json"),
            json!({"name": "cart_value", "label": "Cart value", "type": "number", "fieldType": "number", "groupName": "contactinformation"})
        );
        assert_eq!(body("properties/seen.json")["type"], "string");
        assert_eq!(body("properties/vip.json")["options"][0]["value"], "true");
        let definitions = body("events/viewed_page.json")["propertyDefinitions"].clone();
        assert_eq!(definitions[0], json!({"name": "page_title", "label": "Page Title", "type": "string"}));
        assert_eq!(definitions[2]["type"], "number");
    }
}
