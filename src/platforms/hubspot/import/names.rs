//! Ids and names: what an account calls things, what a flow calls them, and what must be remembered so that an export
//! finds the ids again.
//!
//! The one idea: a name for an id comes from the account where it is known, else from a placeholder of our own export
//! (`LIST:VIP`), else from HubSpot's published table, else the id itself is the name. Whatever is not a placeholder is
//! kept in the workspace's ids.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::{
    audience::{
        ValueType,
        condition::{Path, Root},
    },
    content::hubspot_contact_name,
    flow::{EventType, Workspace},
    platforms::{hubspot::filters::contact_property, import::Taken, slug},
};

/// Event types that every account has, and what they are called here; a name with `$` is one of our own for what
/// contacts do with messages. Source: references, HubSpot 3.2.
const EVENTS: &[(&str, &str)] = &[
    ("4-1639801", "Form submitted"),
    ("4-1639797", "Form viewed"),
    ("4-1639799", "Form interaction"),
    ("4-666440", "$opened"),
    ("4-666288", "$clicked"),
    ("4-665538", "$replied"),
    ("4-665536", "E-mail delivered"),
    ("4-667638", "E-mail sent"),
    ("4-5470331", "$bounced"),
    ("4-666289", "$unsubscribed"),
    ("4-1555804", "Call-to-action viewed"),
    ("4-1555805", "Call-to-action clicked"),
    ("4-1553675", "Ad interaction"),
    ("4-96000", "Page visited"),
    ("4-655002", "Property changed"),
    ("4-1463224", "Contact created"),
    ("4-1466013", "Workflow entered"),
    ("4-1466014", "Workflow left"),
    ("4-1753168", "Workflow goal reached"),
    ("4-1720599", "Meeting booked"),
    ("4-1733817", "Call started"),
    ("4-1741072", "Call ended"),
    ("4-1719453", "SMS sent"),
    ("4-1721168", "SMS delivered"),
    ("4-1722276", "SMS link clicked"),
    ("4-675783", "Media played"),
    ("4-68559", "Marketing event registered"),
    ("4-69072", "Marketing event cancelled"),
    ("4-1814177", "Playbook logged"),
];

/// Names while a flow is read, and what the workspace gains by them.
pub(super) struct Names<'a> {
    given: &'a BTreeMap<String, String>,
    pub workspace: Workspace,
    /// Names by `kind:id`.
    known: BTreeMap<String, SmolStr>,
    /// `kind:name` that are taken.
    taken: Taken,
    /// Events and lists that the workspace has learnt of.
    events: BTreeSet<SmolStr>,
    lists: BTreeSet<SmolStr>,
    /// Ids whose name nobody knew: `kind:id`.
    pub unnamed: BTreeSet<String>,
    /// Where whole days are counted from today, which are counted from now here.
    pub from_today: BTreeSet<String>,
}

impl<'a> Names<'a> {
    pub fn new(given: &'a BTreeMap<String, String>) -> Self {
        let mut workspace = Workspace::default();
        workspace.caps.clear();
        Self {
            given,
            workspace,
            known: BTreeMap::new(),
            taken: Taken::default(),
            events: BTreeSet::new(),
            lists: BTreeSet::new(),
            unnamed: BTreeSet::new(),
            from_today: BTreeSet::new(),
        }
    }

    /// What the account calls an id.
    pub fn given(&self, kind: &str, id: &str) -> Option<&'a str> {
        let name = self.given.get(&format!("{kind}:{id}")).map(|name| name.trim());
        name.filter(|name| !name.is_empty())
    }

    /// The name behind an id, once found the same for ever. Whether it is a placeholder of ours is the second value.
    fn name(&mut self, kind: &str, id: &str) -> (SmolStr, bool) {
        let key = format!("{kind}:{id}");
        let placeholder = id.strip_prefix(&format!("{}:", kind.to_uppercase())).filter(|name| !name.is_empty());
        if let Some(name) = self.known.get(&key) {
            return (name.clone(), placeholder.is_some());
        }
        let built_in = || EVENTS.iter().find(|(known, _)| kind == "event" && *known == id).map(|(_, name)| *name);
        let found = self.given(kind, id).or(placeholder).or_else(built_in);
        if found.is_none() {
            self.unnamed.insert(key.clone());
        }
        let wanted = clean(found.unwrap_or(id));
        // Two ids of one name stay two.
        let own = clean(id);
        let numbered = |n: usize| match n {
            2 => format!("{kind}:{wanted} ({own})"),
            n => format!("{kind}:{wanted} ({own}, {n})"),
        };
        let name = self.taken.free(&format!("{kind}:{wanted}"), numbered);
        let name = SmolStr::new(&name[kind.len() + 1..]);
        self.known.insert(key, name.clone());
        (name, placeholder.is_some())
    }

    /// Remembers what id a name has in the account.
    pub fn remember(&mut self, kind: &str, name: &str, id: &str) {
        self.workspace.hubspot.ids.insert(format!("{kind}:{name}"), id.to_owned());
    }

    /// The event behind an event type id.
    pub fn event(&mut self, type_id: &str) -> SmolStr {
        let (name, placeholder) = self.name("event", type_id);
        if self.events.insert(name.clone()) {
            let is_type_id = type_id.starts_with(|c: char| c.is_ascii_digit()) && type_id.contains('-');
            let hubspot = (!placeholder && is_type_id).then(|| type_id.to_owned());
            if !placeholder && !is_type_id {
                self.remember("event", &name, type_id);
            }
            let event = EventType {
                name: name.clone(),
                moment: crate::flow::Moment::default(),
                properties: BTreeMap::new(),
                klaviyo: None,
                hubspot,
            };
            self.workspace.events.push(event);
        }
        name
    }

    /// The list behind a list id.
    pub fn list(&mut self, id: &str) -> SmolStr {
        let (name, placeholder) = self.name("list", id);
        if self.lists.insert(name.clone()) {
            self.workspace.lists.push(name.clone());
            if !placeholder {
                self.remember("list", &name, id);
            }
        }
        name
    }

    /// The contact's property of that name in HubSpot; `None` where an export could not write it again.
    pub fn contact_path(&self, property: &str) -> Option<Path> {
        let name = hubspot_contact_name(property);
        (contact_property(name) == property).then(|| Path { root: Root::Contact, steps: vec![SmolStr::new(name)] })
    }

    /// The event's property of that name; `None` where an export could not write it again.
    pub fn event_path(&self, property: &str) -> Option<Path> {
        (slug(property) == property).then(|| Path { root: Root::Event, steps: vec![SmolStr::new(property)] })
    }

    /// What a filter tells of a property's type. `platform` is HubSpot's own word where an export needs it.
    pub fn note_type(&mut self, property: &str, platform: &str, root: Root, known: Option<ValueType>) {
        if !platform.is_empty() {
            self.remember("type", property, platform);
        }
        if let (Root::Contact, Some(known)) = (root, known) {
            let name = SmolStr::new(hubspot_contact_name(property));
            self.workspace.properties.entry(name).or_insert(known);
        }
    }

    /// Adds a property to the workspace, as text where nothing better is known.
    pub fn property(&mut self, name: &SmolStr) {
        self.workspace.properties.entry(name.clone()).or_default();
    }
}

/// A foreign text as a name: one line, at most 120 letters.
pub(super) fn clean(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect();
    line.trim().to_owned()
}
