//! What an export wants of an account, taken apart: names to look up, mails to upload, flows to create.
//!
//! The one idea: the folder that people get is also what the push reads (`ids.json` says which body goes where, and at
//! which places each placeholder stands), so that both say the same.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Error, api_of, picture::Picture};
use crate::{
    base::hash::version_hash,
    flow::{Flow, Target, Workspace},
    platforms::{Export, images},
};

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sort {
    /// A sort of event in Klaviyo.
    Metric,
    /// A custom event in HubSpot.
    Event,
    /// The token of an event's property in HubSpot.
    EventProperty,
    /// A contact's property in HubSpot.
    Property,
    /// A list.
    List,
    /// A segment in Klaviyo.
    Segment,
    /// A user of the account.
    User,
    /// A secret of a called address.
    Secret,
    /// A form of the account, by its id.
    Form,
    /// An address that mails are from.
    Sender,
    /// A picture of a mail.
    Image,
    /// A mail in Klaviyo.
    Template,
    /// A mail in HubSpot.
    Email,
    /// The flow.
    Flow,
}

impl Sort {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("metric", Self::Metric),
        ("event", Self::Event),
        ("event-property", Self::EventProperty),
        ("property", Self::Property),
        ("list", Self::List),
        ("segment", Self::Segment),
        ("user", Self::User),
        ("secret", Self::Secret),
        ("form", Self::Form),
        ("sender", Self::Sender),
        ("image", Self::Image),
        ("template", Self::Template),
        ("email", Self::Email),
        ("flow", Self::Flow),
    ];

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Metric => "Metric",
            Self::Event => "Event",
            Self::EventProperty => "Event property",
            Self::Property => "Property",
            Self::List => "List",
            Self::Segment => "Segment",
            Self::User => "User",
            Self::Secret => "Secret",
            Self::Form => "Form",
            Self::Sender => "Sender",
            Self::Image => "Picture",
            Self::Template => "Template",
            Self::Email => "E-mail",
            Self::Flow => "Flow",
        }
    }

    /// Whether it is ours and has a body.
    pub fn is_upload(self) -> bool {
        matches!(self, Self::Template | Self::Email)
    }
}

/// One thing that the flow needs.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Names it: `metric:Placed Order`, `template:mail-1-a`, `flow:flow.json`.
    pub key: String,
    /// What it is.
    pub sort: Sort,
    /// Its name in the account.
    pub name: String,
    /// The file with its body; empty where it has none.
    pub file: String,
    /// Its body; null where it has none.
    pub body: Json,
    /// Hash of the body as exported.
    pub hash: String,
    /// Where its id stands: file and pointer.
    pub used: Vec<(String, String)>,
    /// What stands there instead.
    pub placeholder: String,
    /// Of a picture: what is uploaded, or why it cannot be; nothing before the account was looked at.
    pub(in crate::platforms) picture: Option<Result<Picture, String>>,
}

impl Item {
    /// Something that the account knows by a name, without a body.
    pub(super) fn named(sort: Sort, key: String, name: String) -> Self {
        Self {
            key,
            sort,
            name,
            file: String::new(),
            body: Json::Null,
            hash: String::new(),
            used: Vec::new(),
            placeholder: String::new(),
            picture: None,
        }
    }
}

/// A whole push, before anybody looked at the account.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// For whom.
    pub target: Target,
    /// Id of the flow.
    pub flow: String,
    /// In the order of work: names, mails, flows.
    pub items: Vec<Item>,
}

impl Draft {
    /// Takes an export apart.
    ///
    /// Errors: the target is the engine; an export whose `ids.json` is not ours.
    pub fn new(target: Target, export: &Export, flow: &Flow, workspace: &Workspace) -> Result<Self, Error> {
        let json = |file: &str| -> Option<Json> { serde_json::from_slice(export.file(file)?).ok() };
        let ids = json("ids.json").filter(|_| target != Target::Engine).ok_or_else(|| {
            Error::refused(
                "Only flows for Klaviyo and HubSpot are pushed",
                "Publish to an engine with `flowloom publish`",
            )
        })?;
        let mut items = Vec::new();
        let mut used: BTreeMap<String, Upload> = BTreeMap::new();
        for entry in ids["unresolved"].as_array().into_iter().flatten() {
            let (Some(key), Some(placeholder)) = (entry["key"].as_str(), entry["placeholder"].as_str()) else {
                continue;
            };
            let places =
                entry["used"].as_array().into_iter().flatten().filter_map(|place| place.as_str()?.split_once('#'));
            let places: Vec<_> = places.map(|(file, at)| (file.to_owned(), at.to_owned())).collect();
            let Some((sort, name)) = key.split_once(':') else { continue };
            let Some((_, sort)) = Sort::NAMES.iter().find(|(word, _)| *word == sort) else { continue };
            if sort.is_upload() {
                used.insert(format!("{name}.json"), (key.to_owned(), placeholder.to_owned(), places));
                continue;
            }
            items.push(Item {
                key: key.to_owned(),
                sort: *sort,
                name: name_of(*sort, name, workspace),
                file: String::new(),
                body: Json::Null,
                hash: String::new(),
                used: places,
                placeholder: placeholder.to_owned(),
                picture: None,
            });
        }
        items.sort_by(|a, b| (a.sort, &a.key).cmp(&(b.sort, &b.key)));
        for request in ids["requests"].as_array().into_iter().flatten() {
            let Some(file) = request["file"].as_str() else { continue };
            let Some((body, bytes)) = json(file).zip(export.file(file)) else { continue };
            let short = file.rsplit('/').next().unwrap_or(file);
            // A body that makes a name belongs to that name.
            let made = match file.split('/').next() {
                Some("properties") => Some(format!("property:{}", body["name"].as_str().unwrap_or(""))),
                Some("events") => Some(format!("event:{}", body["label"].as_str().unwrap_or(""))),
                _ => None,
            };
            if let Some(key) = made {
                if let Some(item) = items.iter_mut().find(|item: &&mut Item| item.key == key) {
                    item.body = body;
                }
                continue;
            }
            let (sort, known) = match file.split('/').next() {
                Some("templates") => (Sort::Template, used.remove(short)),
                Some("emails") => (Sort::Email, used.remove(short)),
                _ => (Sort::Flow, None),
            };
            // A mail that came from the account is known there by an id. What is pushed is what the flow says now: it
            // is uploaded as a mail of its own, and nothing over what the account has, where others may use it.
            let known = known.or_else(|| {
                let (word, ids) = match sort {
                    Sort::Template => ("template", &workspace.klaviyo.ids),
                    Sort::Email => ("email", &workspace.hubspot.ids),
                    _ => return None,
                };
                let key = format!("{word}:{}", short.strip_suffix(".json").unwrap_or(short));
                let id = ids.get(&key)?;
                let mut places = Vec::new();
                for (file, body) in export.files.iter().filter(|(file, _)| !file.contains('/')) {
                    if let Ok(json) = serde_json::from_slice(body) {
                        mails_under(&json, id, &mut String::new(), &mut |at| places.push((file.clone(), at)));
                    }
                }
                Some((key, id.clone(), places))
            });
            let (key, placeholder, used) = known.unwrap_or_else(|| {
                let word = if sort == Sort::Flow { "flow" } else { "upload" };
                (format!("{word}:{short}"), String::new(), Vec::new())
            });
            let name = match target {
                Target::Klaviyo => &body["data"]["attributes"]["name"],
                Target::Hubspot | Target::Engine => &body["name"],
            };
            items.push(Item {
                key,
                sort,
                name: name.as_str().unwrap_or("").to_owned(),
                file: file.to_owned(),
                hash: hash(bytes),
                used,
                placeholder,
                body,
                picture: None,
            });
        }
        add_named(target, &mut items);
        // Mails after names and before flows, each in the export's order.
        items.sort_by_key(|item| match item.sort {
            Sort::Flow => 2,
            sort if sort.is_upload() => 1,
            _ => 0,
        });
        Ok(Self { target, flow: flow.id.to_string(), items })
    }

    /// The item of a key.
    pub fn item(&self, key: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.key == key)
    }

    /// A body with the ids that are known in place of their placeholders. `wanted` says which items to fill in.
    pub(super) fn filled(&self, item: &Item, ids: &BTreeMap<String, String>, wanted: impl Fn(Sort) -> bool) -> Json {
        let mut body = item.body.clone();
        for other in self.items.iter().filter(|other| wanted(other.sort)) {
            let Some(id) = ids.get(&other.key) else { continue };
            for (_, pointer) in other.used.iter().filter(|(file, _)| *file == item.file) {
                let Some(place) = body.pointer_mut(pointer) else { continue };
                let Some(text) = place.as_str() else { continue };
                if other.sort == Sort::Image {
                    *place = Json::String(images::filled(text, &other.placeholder, id));
                    continue;
                }
                // The placeholder may be a word of its own at the end: `Bearer SECRET:KEY`.
                let before = text.strip_suffix(&other.placeholder).unwrap_or("");
                *place = Json::String(format!("{before}{id}"));
            }
        }
        body
    }

    /// The mails that a flow holds.
    pub(super) fn mails_of<'a>(&'a self, flow: &'a Item) -> impl Iterator<Item = &'a Item> {
        let uses = |item: &&Item| item.sort.is_upload() && item.used.iter().any(|(file, _)| *file == flow.file);
        self.items.iter().filter(uses)
    }
}

/// Adds what the bodies name without a placeholder.
fn add_named(target: Target, items: &mut Vec<Item>) {
    let mut named: Vec<Item> = Vec::new();
    for item in items.iter().filter(|item| !item.file.is_empty()) {
        for (sort, name, pointer) in api_of(target).named_in(&item.body) {
            let place = (item.file.clone(), pointer);
            if let Some(known) = named.iter_mut().find(|known| known.sort == sort && known.name == name) {
                known.used.push(place);
                continue;
            }
            let word = Sort::NAMES.iter().find(|(_, known)| *known == sort).map_or("", |(word, _)| word);
            named.push(Item {
                key: format!("{word}:{name}"),
                sort,
                placeholder: name.clone(),
                name,
                file: String::new(),
                body: Json::Null,
                hash: String::new(),
                used: vec![place],
                picture: None,
            });
        }
    }
    items.extend(named);
}

/// Key of a mail, what stands for its id, and where: file and pointer.
type Upload = (String, String, Vec<(String, String)>);

/// Where a flow's JSON names a mail by this id.
fn mails_under(json: &Json, id: &str, at: &mut String, found: &mut dyn FnMut(String)) {
    let length = at.len();
    let mut under = |key: &str, child: &Json, at: &mut String| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        let is_mail = matches!(key, "template_id" | "content_id" | "email_content_id");
        if is_mail && child.as_str() == Some(id) {
            found(at.clone());
        } else {
            mails_under(child, id, at, found);
        }
        at.truncate(length);
    };
    match json {
        Json::Object(map) => map.iter().for_each(|(key, child)| under(key, child, at)),
        Json::Array(list) => list.iter().enumerate().for_each(|(n, child)| under(&n.to_string(), child, at)),
        _ => {}
    }
}

/// Hash of bytes, as records keep it.
pub(super) fn hash(bytes: &[u8]) -> String {
    version_hash(bytes).to_string()
}

/// What a thing is called in the account: the catalogue of the workspace knows HubSpot's names of events.
fn name_of(sort: Sort, name: &str, workspace: &Workspace) -> String {
    let known = workspace.event(name).and_then(|event| event.hubspot.clone());
    if sort == Sort::Event { known.unwrap_or_else(|| name.to_owned()) } else { name.to_owned() }
}
