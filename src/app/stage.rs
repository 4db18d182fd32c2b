//! One contact, one message, one instant, one mail: for the preview panel and for the command line.
//!
//! The one idea: a mail is worked out from the same facts as in a replay: the contact's history up to the instant, the
//! event that let them in, the variant they are dealt. Deliberately not here: printing, and loading files.

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::{preview::PreviewKey, project::Home, when};
use crate::{
    audience::{Contact, Event, Value},
    base::{ContactId, Diagnostic, EventId, Instant, Zone},
    content::{Field, FieldValues, Links, Message, PreparedMessage, RenderedMail, ResolveContext, Variant, lint},
    flow::{Flow, Node, Workspace, readers::newest_of},
    journey::FlowSet,
    kinds::Settings,
};

pub use crate::flow::readers::{History, codes, metrics};

/// A mail for one contact, and how it came about.
#[derive(Debug)]
pub struct Made {
    /// The mail.
    pub mail: RenderedMail,
    /// The variant.
    pub variant: SmolStr,
    /// The event that is taken to have let the contact in.
    pub event: Option<Arc<Event>>,
    /// When it is read.
    pub at: Instant,
    /// What preparing and reading it found.
    pub lints: Vec<Diagnostic>,
}

/// What all mails of a flow share, made ready once.
pub struct Stage {
    flow: Flow,
    workspace: Workspace,
    fields: Vec<Field>,
    constants: BTreeMap<SmolStr, Value>,
    flows: FlowSet,
}

impl Stage {
    /// Makes a flow ready.
    pub fn new(flow: &Flow, workspace: &Workspace) -> Self {
        Self {
            fields: flow.fields().cloned().collect(),
            constants: flow.settings().constants,
            flows: FlowSet::new(workspace, std::slice::from_ref(flow)),
            flow: flow.clone(),
            workspace: workspace.clone(),
        }
    }

    /// The variant that a contact is dealt; the same as in a replay. `None` where the message has no content.
    pub fn dealt<'a>(&self, node: &Node, message: &'a Message, contact: &Contact) -> Option<&'a Variant> {
        let salt = match node.settings() {
            Some(Settings::Email(email)) => email.salt.clone(),
            Some(Settings::Sms(sms)) => sms.salt.clone(),
            _ => None,
        };
        let salt = salt.unwrap_or_else(|| SmolStr::new(node.id.as_str()));
        let version = self.flows.live_version(&self.flow.id);
        let run = version.and_then(|version| version.nodes.get(version.place_of(&node.id)?)?.message.clone());
        let dealt = run.map_or(0, |run| run.variant_of(&salt, contact));
        message.variants.get(dealt).or(message.variants.first())
    }

    /// Makes a variant ready for any number of contacts, its links with the flow's parameters.
    ///
    /// Errors: everything that is wrong with its content.
    pub fn prepare(
        &self,
        node: &Node,
        message: &Message,
        variant: &Variant,
    ) -> Result<PreparedMessage, Vec<Diagnostic>> {
        let prepared = PreparedMessage::new(message, variant, &self.fields, &self.workspace.brand)?;
        Ok(prepared.with_tracking(&self.flow.settings().tracking, &self.fields, &self.flow.id, &node.id))
    }

    /// The mail of a variant for a contact.
    ///
    /// Errors: values that cannot be rendered.
    pub fn render(
        &self,
        (prepared, message, variant): (&PreparedMessage, &Message, &Variant),
        contact: &Contact,
        history: &History,
        event: Option<Arc<Event>>,
        at: Instant,
    ) -> Result<Made, Diagnostic> {
        let values = self.values(contact, history, event.as_deref(), at);
        let mail = prepared.render(&values)?;
        let mut lints = prepared.findings().to_vec();
        lints.extend(lint(message, variant, &mail));
        Ok(Made { mail, variant: SmolStr::new(&variant.id), event, at, lints })
    }

    /// What the flow's fields are for a contact.
    pub fn values(&self, contact: &Contact, history: &History, event: Option<&Event>, at: Instant) -> FieldValues {
        let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        let zone = zone.unwrap_or_else(|| self.workspace.default_zone());
        let context = ResolveContext {
            now: at,
            zone: &zone,
            contact,
            log: &history.log,
            trigger: event,
            constants: &self.constants,
            codes: &codes(&self.workspace, &contact.id),
            links: &Links::placeholders(),
            currency: self.workspace.brand.default_currency(),
        };
        FieldValues::resolve(&self.fields, &context)
    }

    /// The flow's fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The newest event of a history that the trigger listens to; whether its filter holds is the replay's to say.
    pub fn likely_entry(&self, history: &History) -> Option<Arc<Event>> {
        let metrics = metrics(&self.flow, &self.workspace, None);
        newest_of(&metrics, &history.events).cloned()
    }
}

/// Name and address that a step's mail comes from; the flow's sender, else the workspace's first.
pub fn sender(flow: &Flow, workspace: &Workspace, node: Option<&Node>) -> Option<crate::flow::Sender> {
    let own = match node.and_then(|node| node.settings()) {
        Some(Settings::Email(email)) => email.sender.clone(),
        _ => None,
    };
    let id = own.or_else(|| flow.settings().sender);
    id.as_deref().and_then(|id| workspace.sender(id)).or(workspace.senders.first()).cloned()
}

/// The message of a step that sends, as far as it can be read.
pub fn message_of<'a>(flow: &'a Flow, node: &Node) -> Option<&'a Message> {
    let (id, _) = node.settings()?.message()?;
    flow.message(id.as_str())
}

/// The contact of an id.
pub fn contact<'a>(home: &'a Home, id: &ContactId) -> Option<&'a Contact> {
    let contacts = &home.audience.contacts;
    // They stand in order of their ids where a loader made them.
    let found = contacts.binary_search_by(|contact| contact.id.cmp(id)).ok().map(|at| &contacts[at]);
    found.or_else(|| contacts.iter().find(|contact| contact.id == *id))
}

/// What a contact is called: first and last name, else the id.
pub fn name(contact: &Contact) -> String {
    let part = |name: &str| contact.properties.get(name).and_then(Value::as_text).unwrap_or("").trim().to_owned();
    let (first, last) = (part("first_name"), part("last_name"));
    let both = [first, last].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match (both.is_empty(), part("name")) {
        (false, _) => both,
        (true, name) if !name.is_empty() => name,
        _ => contact.id.to_string(),
    }
}

/// A row of the list of contacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Who.
    pub id: ContactId,
    /// What people read.
    pub name: String,
    /// Address and zone.
    pub detail: String,
}

/// The contacts that a search finds, in the order of the audience: every word stands in name, id or address.
pub fn people(home: &Home, query: &str) -> Vec<Person> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut found = Vec::new();
    for contact in &home.audience.contacts {
        let name = name(contact);
        let email = contact.email.as_deref().unwrap_or("");
        let all = format!("{} {} {}", name.to_lowercase(), contact.id.as_str().to_lowercase(), email.to_lowercase());
        if words.iter().all(|word| all.contains(word.as_str())) {
            let zone = contact.zone.as_deref().map(|zone| zone.rsplit('/').next().unwrap_or(zone).replace('_', " "));
            let parts = [Some(email.to_owned()).filter(|email| !email.is_empty()), zone];
            let detail = parts.into_iter().flatten().collect::<Vec<_>>().join(" \u{b7} ");
            found.push(Person { id: contact.id.clone(), name, detail });
        }
    }
    found
}

/// An event that could have let the contact in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    /// Its id.
    pub id: EventId,
    /// Its metric.
    pub name: SmolStr,
    /// When it happened, on the contact's wall.
    pub when: String,
    /// What tells it from others: the re-entry key and a few values.
    pub detail: String,
}

/// The events of a contact that the trigger listens to, newest first.
pub fn entries(flow: &Flow, home: &Home, contact: &ContactId) -> Vec<EntryRow> {
    let metrics = metrics(flow, &home.workspace, None);
    let zone = when::zone_of(home, Some(contact));
    let key = flow.settings().reentry_key;
    let key = key.and_then(|key| key.to_string().strip_prefix("event.").map(str::to_owned));
    let own = home.audience.events.iter().filter(|e| e.contact == *contact && metrics.contains(&e.name));
    let mut own: Vec<&Event> = own.collect();
    own.sort_by(|a, b| (b.happened, &b.id).cmp(&(a.happened, &a.id)));
    own.dedup_by(|a, b| a.id == b.id);
    own.into_iter()
        .map(|event| EntryRow {
            id: event.id.clone(),
            name: event.name.clone(),
            when: when::day_time(event.happened, &zone),
            detail: key_values(event, key.as_deref()),
        })
        .collect()
}

/// A few values of an event, the re-entry key first: "cart_id mw-ada-4, cart_value 299".
pub fn key_values(event: &Event, key: Option<&str>) -> String {
    let short = |value: &Value| match value {
        Value::List(_) | Value::Object(_) | Value::Instant(_) => None,
        other => Some(other.to_string()).filter(|text| !text.is_empty() && text.len() <= 32 && !text.contains("://")),
    };
    let first = key.and_then(|key| Some((key.to_owned(), short(event.properties.get(key)?)?)));
    let others = event.properties.iter().filter(|(name, _)| Some(name.as_str()) != key);
    let others = others.filter_map(|(name, value)| Some((name.to_string(), short(value)?)));
    let parts = first.into_iter().chain(others).take(3);
    parts.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// The mail that a preview asks for.
///
/// Errors: a sentence that says what is missing.
pub fn preview(flow: &Flow, home: &Home, key: &PreviewKey) -> Result<Made, String> {
    let (Some(node), Some(id)) = (&key.node, &key.contact) else {
        return Err("Choose a step that sends, and a contact".to_owned());
    };
    let node = flow.node(node.as_str()).ok_or("This step is gone")?;
    let message = message_of(flow, node).ok_or("The message of this step is missing or cannot be read")?;
    let contact = contact(home, id).ok_or("This contact is gone")?;
    let stage = Stage::new(flow, &home.workspace);
    // A version that was chosen and is gone gives way to the one that is dealt.
    let chosen = key.variant.as_deref().and_then(|id| message.variants.iter().find(|variant| variant.id == id));
    let variant = chosen.or_else(|| stage.dealt(node, message, contact)).ok_or("The message has no content yet")?;
    let lines = |found: Vec<Diagnostic>| found.into_iter().map(|d| d.message).collect::<Vec<_>>().join("\n");
    let prepared = stage.prepare(node, message, variant).map_err(lines)?;
    let at = key.at.or_else(|| newest(home)).unwrap_or(Instant::from_millis(0));
    let history = History::of(&home.audience.events, id, at);
    let event = match &key.event {
        Some(id) => history.events.iter().find(|event| event.id == *id).cloned(),
        None => stage.likely_entry(&history),
    };
    stage.render((&prepared, message, variant), contact, &history, event, at).map_err(|found| found.message)
}

/// What the fields of a flow are for a contact at the newest instant of the audience, by the newest event that could
/// have let them in.
pub fn values(flow: &Flow, home: &Home, id: &ContactId) -> Option<FieldValues> {
    let contact = contact(home, id)?;
    let at = newest(home).unwrap_or(Instant::from_millis(0));
    let history = History::of(&home.audience.events, id, at);
    let metrics = metrics(flow, &home.workspace, None);
    let fields: Vec<Field> = flow.fields().cloned().collect();
    let context = ResolveContext {
        now: at,
        zone: &when::zone(home, Some(contact)),
        contact,
        log: &history.log,
        trigger: newest_of(&metrics, &history.events).map(|event| &**event),
        constants: &flow.settings().constants,
        codes: &codes(&home.workspace, id),
        links: &Links::placeholders(),
        currency: home.workspace.brand.default_currency(),
    };
    Some(FieldValues::resolve(&fields, &context))
}

/// When the newest event of the audience was accepted.
pub fn newest(home: &Home) -> Option<Instant> {
    home.audience.events.iter().map(|event| event.accepted).max()
}
