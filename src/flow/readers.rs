//! Sample contacts as readers of a flow's mails: what had happened to them, by which event they came in, which codes
//! they get, and who of them probably gets the longest mail.
//!
//! The one idea: the preview, the matrix and the check of clipping take the same facts of a contact, so they are
//! gathered here. Deliberately not here: rendering, and who really enters (`journey`).

use std::{cell::OnceCell, collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::{Flow, FlowSettings, Workspace};
use crate::{
    audience::{Audience, Contact, Event, EventLog, Value},
    base::{ContactId, Instant, NodeId, Zone, hash},
    content::{Field, FieldSource, FieldValues, Links, Message, PreparedMessage, Readers, ResolveContext, Variant},
    kinds::{Alternative, Settings},
};

/// What is known of a contact at an instant.
#[derive(Debug, Default)]
pub struct History {
    /// Their events as conditions and fields see them.
    pub log: EventLog,
    /// The same, in the order of acceptance, each id once.
    pub events: Vec<Arc<Event>>,
}

impl History {
    /// What had been accepted of a contact at an instant.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>, contact: &ContactId, at: Instant) -> Self {
        let mut history = Self::default();
        for event in events.into_iter().filter(|e| e.contact == *contact && e.accepted <= at) {
            let event = Arc::new(event.clone());
            if history.log.record(Arc::clone(&event)) {
                history.events.push(event);
            }
        }
        history
    }
}

/// The newest of these metrics among events.
pub fn newest_of<'a>(metrics: &[SmolStr], events: &'a [Arc<Event>]) -> Option<&'a Arc<Event>> {
    let listened = events.iter().filter(|event| metrics.contains(&event.name));
    listened.max_by_key(|event| (event.happened, event.accepted, &event.id))
}

/// The metrics that a flow's trigger listens to: of all alternatives, or of one.
pub fn metrics(flow: &Flow, workspace: &Workspace, alternative: Option<usize>) -> Vec<SmolStr> {
    let Some(Settings::Trigger(trigger)) = flow.trigger().and_then(|node| node.settings()) else {
        return Vec::new();
    };
    let mut metrics: Vec<SmolStr> = Vec::new();
    let wanted = trigger.any.iter().enumerate().filter(|(n, _)| alternative.is_none_or(|wanted| wanted == *n));
    for (_, alternative) in wanted {
        match alternative {
            Alternative::Event(t) => metrics.push(t.event.clone()),
            Alternative::Abandonment(t) => metrics.push(t.start.clone()),
            Alternative::Engagement(t) => metrics.push(t.event.clone()),
            Alternative::Score(t) => {
                let model = workspace.scores.iter().find(|model| model.name == t.model);
                metrics.extend(model.into_iter().flat_map(|model| &model.signals).map(|signal| signal.event.clone()));
            }
            Alternative::Segment(_)
            | Alternative::List(_)
            | Alternative::Date(_)
            | Alternative::Inactivity(_)
            | Alternative::Foreign(_) => {}
        }
    }
    metrics
}

/// A code of each pool to look at: the shared one, or one of the pool, for a contact always the same. Which one a
/// contact gets is decided by the order of sends, in a replay or in the engine.
pub fn codes(workspace: &Workspace, contact: &ContactId) -> BTreeMap<SmolStr, SmolStr> {
    let one = |pool: &super::CodePool| {
        let at = hash::chance(&pool.name, contact.as_str()).checked_rem(pool.codes.len() as u64);
        pool.shared.clone().or_else(|| pool.codes.get(usize::try_from(at?).ok()?).cloned())
    };
    workspace.code_pools.iter().filter_map(|pool| Some((pool.name.clone(), one(pool)?))).collect()
}

/// Mails that are rendered to find the longest of a variant. Three, since a guess by the length of values can be wrong
/// where a "show if" hides what is long; all contacts would take seconds, and the checks run with each edit.
const MOST_MADE: usize = 3;
/// What an item of a list brings with it besides its own text, in bytes: the row that a loop draws around it. Source:
/// a row of the products block has 900 to 1,300.
const ITEM_BYTES: usize = 1_024;

/// The contacts of an audience by how long their values are, for one message of a flow after the other.
pub struct Heaviest<'a> {
    flow: &'a Flow,
    workspace: &'a Workspace,
    settings: &'a FlowSettings,
    fields: &'a [Field],
    audience: &'a Audience,
    at: Instant,
    /// For each contact and each field, about how many bytes it prints.
    weights: Vec<Vec<usize>>,
    values: Vec<OnceCell<FieldValues>>,
    /// The step whose parameters stand behind links.
    node: Option<NodeId>,
}

impl<'a> Heaviest<'a> {
    /// Weighs everybody, in one pass over the audience and without rendering anything, at the newest instant in it.
    pub fn new(
        flow: &'a Flow,
        workspace: &'a Workspace,
        settings: &'a FlowSettings,
        fields: &'a [Field],
        audience: &'a Audience,
    ) -> Self {
        let at = audience.events.iter().map(|event| event.accepted).max().unwrap_or_default();
        let metrics = metrics(flow, workspace, None);
        let mut entries: BTreeMap<&ContactId, &Event> = BTreeMap::new();
        let mut last: BTreeMap<(&ContactId, &str), &Event> = BTreeMap::new();
        let reads = |event: &Event| fields.iter().any(|field| field.source.event() == Some(event.name.as_str()));
        for event in &audience.events {
            let is_newer = |known: &Event| (known.happened, known.accepted) < (event.happened, event.accepted);
            if metrics.contains(&event.name) && entries.get(&event.contact).is_none_or(|known| is_newer(known)) {
                entries.insert(&event.contact, event);
            }
            let key = (&event.contact, event.name.as_str());
            if reads(event) && last.get(&key).is_none_or(|known| is_newer(known)) {
                last.insert(key, event);
            }
        }
        let steps = |path: &str| path.split('.').map(SmolStr::new).collect::<Vec<_>>();
        let weights = audience.contacts.iter().map(|contact| {
            let weight = |field: &Field| {
                let value = match &field.source {
                    FieldSource::Contact(path) => contact.value(&steps(path)),
                    FieldSource::Trigger(path) => entries.get(&contact.id).and_then(|event| event.value(&steps(path))),
                    FieldSource::LastEvent { event, path } => {
                        last.get(&(&contact.id, event.as_str())).and_then(|event| event.value(&steps(path)))
                    }
                    // The same for everybody, or a number.
                    FieldSource::Computed(_) | FieldSource::Constant(_) | FieldSource::Code { .. } => None,
                };
                value.as_ref().map_or(0, weight_of)
            };
            fields.iter().map(weight).collect()
        });
        let weights: Vec<Vec<usize>> = weights.collect();
        let values = weights.iter().map(|_| OnceCell::new()).collect();
        Self { flow, workspace, settings, fields, audience, at, weights, values, node: None }
    }

    /// The same for a message that this step sends.
    #[must_use]
    pub fn of_step(mut self, node: Option<NodeId>) -> Self {
        self.node = node;
        self
    }

    fn values(&self, contact: &Contact) -> FieldValues {
        let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        let history = History::of(&self.audience.events, &contact.id, self.at);
        let metrics = metrics(self.flow, self.workspace, None);
        FieldValues::resolve(
            self.fields,
            &ResolveContext {
                now: self.at,
                zone: &zone.unwrap_or_else(|| self.workspace.default_zone()),
                contact,
                log: &history.log,
                trigger: newest_of(&metrics, &history.events).map(|event| &**event),
                constants: &self.settings.constants,
                codes: &codes(self.workspace, &contact.id),
                links: &Links::placeholders(),
                currency: self.workspace.brand.default_currency(),
            },
        )
    }
}

impl Readers for Heaviest<'_> {
    fn as_sent(&self, prepared: PreparedMessage) -> PreparedMessage {
        match &self.node {
            Some(node) => prepared.with_tracking(&self.settings.tracking, self.fields, &self.flow.id, node),
            None => prepared,
        }
    }

    /// At most `MOST_MADE` of those who may be dealt the variant by their language: with the longest values in the
    /// tags that it prints, the first of the audience among equals.
    fn longest(
        &self,
        message: &Message,
        variant: &Variant,
        prepared: &PreparedMessage,
    ) -> Vec<(ContactId, FieldValues)> {
        let printed = prepared.printed_tags();
        let is_printed = |field: &Field| {
            let root = |tag: &&str| tag.split('.').next() == Some(field.name.as_str());
            printed.iter().any(root)
        };
        let printed: Vec<usize> = (0..self.fields.len()).filter(|at| is_printed(&self.fields[*at])).collect();
        let people = self.audience.contacts.iter().enumerate();
        let mut people: Vec<(usize, usize)> = people
            .filter(|(_, contact)| Message::is_for(variant, message.language_for(contact.language.as_deref())))
            .map(|(at, _)| (printed.iter().map(|field| self.weights[at][*field]).sum(), at))
            .collect();
        people.sort_by_key(|(weight, at)| (std::cmp::Reverse(*weight), *at));
        people.truncate(MOST_MADE);
        let made = people.into_iter().map(|(_, at)| {
            let contact = &self.audience.contacts[at];
            (contact.id.clone(), self.values[at].get_or_init(|| self.values(contact)).clone())
        });
        made.collect()
    }
}

/// About how many bytes a value prints.
fn weight_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(|item| ITEM_BYTES + weight_of(item)).sum(),
        Value::Object(map) => map.values().map(weight_of).sum(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::Severity,
        flow::{Surroundings, check, file},
    };

    const FLOW: &str = r#"(version: 2, id: "f", name: "F",
        fields: [
            (name: "items", kind: list, source: trigger("items")),
            (name: "note", source: contact("note"), fallback: ""),
            (name: "unused", source: contact("unused"), fallback: ""),
        ],
        nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
            (id: "one", kind: "email", settings: (message: "m")),
        ],
        messages: [(id: "m", variants: [
            (id: "a", subject: "Hi", preheader: "P", body: html("<p>{note}</p>{% for i in items %}<p>{{ i }} and some words</p>{% endfor %}<a href='{unsubscribe_url}'>x</a>")),
            (id: "d", language: "de", subject: "Hi", preheader: "P", body: html("<p>{note}</p><a href='{unsubscribe_url}'>x</a>")),
        ])])"#;

    /// Contacts with so many items in their cart, bytes in their note, and bytes that no mail prints.
    fn audience(people: &[(&str, usize, usize, usize, &str)]) -> Audience {
        let at = Instant::parse("2026-11-23T09:00:00Z").expect("written right");
        let mut audience = Audience::default();
        for (id, items, note, unused, language) in people {
            let mut contact = Contact::new(*id);
            contact.language = Some(SmolStr::new(*language));
            contact.properties.insert("note".into(), Value::text("x".repeat(*note)));
            contact.properties.insert("unused".into(), Value::text("x".repeat(*unused)));
            audience.contacts.push(contact);
            audience.events.push(Event {
                id: (*id).into(),
                contact: (*id).into(),
                name: "Cart".into(),
                happened: at,
                accepted: at,
                properties: [("items".into(), Value::List(vec![Value::text("y"); *items]))].into_iter().collect(),
            });
        }
        audience
    }

    #[track_caller]
    fn check_length(people: &[(&str, usize, usize, usize, &str)], expected: &[&str]) {
        let flow = file::read(FLOW).expect("reads").flow;
        let (workspace, audience) = (Workspace::default(), audience(people));
        let around = Surroundings { workspace: &workspace, other_flows: &[], audience: Some(&audience) };
        let found = check(&flow, &around).into_iter().map(|finding| finding.diagnostic);
        let found = found.filter(|found| ["mail/too-large", "mail/large"].contains(&&*found.code));
        let said: Vec<String> = found
            .map(|found| format!("{} {} {}", found.severity == Severity::Error, found.place, found.message))
            .collect();
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn the_longest_mail_of_the_audience_decides() {
        check_length(&[("ada", 3, 10, 0, "en"), ("bob", 2, 20, 0, "de")], &[]);
        // Not the longest contact, but the one with the longest mail; and only where they get it.
        let people = [("ada", 3, 100_000, 0, "en"), ("bob", 1, 10, 900_000, "en"), ("ola", 900, 95_000, 0, "de")];
        check_length(
            &people,
            &["variants.a.body The HTML for contact `ada` has 9", "variants.d.body The HTML for contact `ola` has 9"],
        );
        check_length(
            &[("ada", 3, 110_000, 0, "en")],
            &["true message m, variants.a.body The HTML for contact `ada` has 10"],
        );
    }
}
