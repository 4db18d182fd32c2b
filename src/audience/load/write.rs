//! Contacts, events and responses as JSON Lines, always the same bytes for the same values.
//!
//! The loaders read back what is written here, with one exception that comes from JSON: a text that is exactly a date
//! or an instant comes back as one.

use serde_json::{Map, Value as Json, json};

use crate::audience::{Contact, Event, Properties, Response};

/// One line per contact, keys in a fixed order, properties by name.
pub fn contacts_to_jsonl<'a>(contacts: impl IntoIterator<Item = &'a Contact>) -> String {
    lines(contacts.into_iter().map(|contact| {
        let mut map = Map::new();
        map.insert("id".into(), json!(contact.id.as_str()));
        let texts = [
            ("email", &contact.email),
            ("phone", &contact.phone),
            ("zone", &contact.zone),
            ("language", &contact.language),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                map.insert(key.into(), json!(text.as_str()));
            }
        }
        if let Some(at) = contact.created_at {
            map.insert("created_at".into(), json!(at.to_string()));
        }
        let consent = json!({"email": contact.consent.email.name(), "sms": contact.consent.sms.name()});
        map.insert("consent".into(), consent);
        if !contact.lists.is_empty() {
            map.insert("lists".into(), contact.lists.iter().map(|name| json!(name.as_str())).collect());
        }
        insert_properties(&mut map, &contact.properties);
        map
    }))
}

/// One line per event; `accepted` only where it differs from `happened`.
pub fn events_to_jsonl<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    lines(events.into_iter().map(|event| {
        let mut map = Map::new();
        map.insert("id".into(), json!(event.id.as_str()));
        map.insert("contact".into(), json!(event.contact.as_str()));
        map.insert("name".into(), json!(event.name.as_str()));
        map.insert("happened".into(), json!(event.happened.to_string()));
        if event.accepted != event.happened {
            map.insert("accepted".into(), json!(event.accepted.to_string()));
        }
        insert_properties(&mut map, &event.properties);
        map
    }))
}

/// One line per response.
pub fn responses_to_jsonl<'a>(responses: impl IntoIterator<Item = &'a Response>) -> String {
    lines(responses.into_iter().map(|response| {
        let mut map = Map::new();
        map.insert("contact".into(), json!(response.contact.as_str()));
        if let Some(flow) = &response.flow {
            map.insert("flow".into(), json!(flow.as_str()));
        }
        map.insert("node".into(), json!(response.node.as_str()));
        map.insert("response".into(), json!(response.response.name()));
        map.insert("after".into(), json!(response.after.to_string()));
        if let Some(link) = &response.link {
            map.insert("link".into(), json!(link.as_str()));
        }
        map
    }))
}

fn insert_properties(map: &mut Map<String, Json>, properties: &Properties) {
    if !properties.is_empty() {
        let object: Map<String, Json> =
            properties.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
        map.insert("properties".into(), Json::Object(object));
    }
}

fn lines(objects: impl Iterator<Item = Map<String, Json>>) -> String {
    let mut text = String::new();
    for object in objects {
        text += &Json::Object(object).to_string();
        text.push('\n');
    }
    text
}
