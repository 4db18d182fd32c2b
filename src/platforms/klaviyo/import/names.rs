//! Ids of an account as names, and what a workspace must know of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use smol_str::SmolStr;

use crate::flow::{EventType, Moment, Workspace};

/// Names by kind and id, and what was used of them.
pub(super) struct Names<'a> {
    given: &'a BTreeMap<String, String>,
    pub workspace: Workspace,
    /// Events and lists that the workspace has learnt of.
    events: BTreeSet<SmolStr>,
    lists: BTreeSet<SmolStr>,
}

impl<'a> Names<'a> {
    pub fn new(given: &'a BTreeMap<String, String>) -> Self {
        // What an import adds holds no rules of its own.
        let workspace = Workspace { caps: Vec::new(), ..Workspace::default() };
        Self { given, workspace, events: BTreeSet::new(), lists: BTreeSet::new() }
    }

    /// The name of a metric; the workspace learns of the event.
    pub fn metric(&mut self, id: &str) -> SmolStr {
        let name = self.name("metric", id);
        if !is_response(&name) && self.events.insert(name.clone()) {
            let moment = if is_purchase(&name) { Moment::Purchase } else { Moment::Other };
            let event =
                EventType { name: name.clone(), moment, properties: BTreeMap::new(), klaviyo: None, hubspot: None };
            self.workspace.events.push(event);
        }
        name
    }

    /// The name of a list or segment, and whether it is a segment.
    pub fn group(&mut self, id: &str) -> (SmolStr, bool) {
        let is_segment = id.starts_with("SEGMENT:")
            || (self.given.contains_key(&format!("segment:{id}")) && !self.given.contains_key(&format!("list:{id}")));
        if is_segment { (self.segment(id), true) } else { (self.list(id), false) }
    }

    /// The name of a list; the workspace learns of it.
    pub fn list(&mut self, id: &str) -> SmolStr {
        let name = self.name("list", id);
        if self.lists.insert(name.clone()) {
            self.workspace.lists.push(name.clone());
        }
        name
    }

    /// The name of a segment. What it asks is not in a flow, so it is not defined here.
    pub fn segment(&mut self, id: &str) -> SmolStr {
        self.name("segment", id)
    }

    /// Whether a name was given for an id, or is written in it.
    pub fn is_known(&self, kind: &str, id: &str) -> bool {
        self.given.contains_key(&format!("{kind}:{id}")) || placeholder(kind, id).is_some()
    }

    fn name(&mut self, kind: &str, id: &str) -> SmolStr {
        let given = self.given.get(&format!("{kind}:{id}")).map(|name| name.trim()).filter(|name| !name.is_empty());
        // What our own exports write where the account has to be asked.
        if let Some(name) = placeholder(kind, id) {
            return given.unwrap_or(name).into();
        }
        let mut name = given.unwrap_or(id).to_owned();
        // Names repeat across integrations, and here one name has one id.
        if self.workspace.klaviyo.ids.get(&format!("{kind}:{name}")).is_some_and(|other| other != id) {
            name = format!("{name} ({id})");
        }
        self.workspace.klaviyo.ids.insert(format!("{kind}:{name}"), id.to_owned());
        name.into()
    }
}

/// The name in `METRIC:Placed Order`.
pub(super) fn placeholder<'i>(kind: &str, id: &'i str) -> Option<&'i str> {
    let (head, name) = id.split_once(':')?;
    (head == kind.to_uppercase() && !name.trim().is_empty()).then_some(name)
}

/// An id, which is a text, or digits that somebody wrote without quotes.
pub(super) fn id_of(json: Option<&Json>) -> Option<String> {
    match json? {
        Json::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Klaviyo's own metrics of responses, which a journey here knows by itself.
fn is_response(metric: &str) -> bool {
    super::filters::response(metric).is_some() || metric == "Received Email" || metric == "Received SMS"
}

/// Whether a metric is a purchase, by its name: the metrics of the shop systems that Klaviyo integrates.
pub(super) fn is_purchase(metric: &str) -> bool {
    let lower = metric.to_lowercase();
    ["placed order", "ordered product", "purchase", "order placed", "order completed"].iter().any(|w| lower.contains(w))
}
