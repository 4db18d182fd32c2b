//! What if: one contact with a changed property, with an event less or more, or at another time; and what it changes.
//!
//! The one idea: the changes make another audience of that one contact, which is replayed beside the real one; the two
//! traces are compared step by step. Deliberately not here: changing the real audience.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use smol_str::SmolStr;

use super::{
    project::Home,
    stage, timeline,
    when::{self, Wall},
};
use crate::{
    audience::{Audience, Channel, ConsentStatus, Contact, Event, Value},
    base::{ContactId, EventId, Instant, NodeId, Span, Zone},
    flow::Flow,
    journey::{Decision, FlowSet, What},
    kinds::runtime::Outcome,
    simulate::{self, Options},
};

/// One change of the chosen contact.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A property (or `zone`, `email`, `language`) has another value; none takes it away.
    Property {
        /// Its name.
        name: SmolStr,
        /// What it is instead.
        value: Option<Value>,
    },
    /// Another consent.
    Consent {
        /// On which channel.
        channel: Channel,
        /// What instead.
        status: ConsentStatus,
    },
    /// An event did not happen.
    Drop(EventId),
    /// An event happened earlier or later.
    Shift {
        /// Which.
        id: EventId,
        /// By so much.
        by: Span,
    },
    /// Another event happened, with the properties of the newest of its name.
    Add {
        /// The metric.
        name: SmolStr,
        /// When.
        at: Instant,
    },
}

impl Change {
    /// Two changes of the same thing; the newer one takes the place of the older.
    pub fn replaces(&self, older: &Self) -> bool {
        match (self, older) {
            (Self::Property { name: a, .. }, Self::Property { name: b, .. }) => a == b,
            (Self::Consent { channel: a, .. }, Self::Consent { channel: b, .. }) => a == b,
            (Self::Drop(a) | Self::Shift { id: a, .. }, Self::Drop(b) | Self::Shift { id: b, .. }) => a == b,
            _ => false,
        }
    }

    /// What the list of changes says.
    pub fn sentence(&self, home: &Home, contact: &ContactId) -> String {
        let zone = when::zone_of(home, Some(contact));
        let event = |id: &EventId| {
            let found = home.audience.events.iter().find(|e| e.contact == *contact && e.id == *id);
            found.map_or_else(
                || format!("event {id}"),
                |e| format!("\u{201c}{}\u{201d} of {}", e.name, when::day_time(e.accepted, &zone)),
            )
        };
        match self {
            Self::Property { name, value: Some(value) } => format!("{name} is {value}"),
            Self::Property { name, value: None } => format!("{name} is missing"),
            Self::Consent { channel, status } => format!("{} consent is {}", channel.name(), status.name()),
            Self::Drop(id) => format!("{} never happened", event(id)),
            Self::Shift { id, by } if by.about_millis() < 0 => format!("{} {} earlier", event(id), by.negated()),
            Self::Shift { id, by } => format!("{} {by} later", event(id)),
            Self::Add { name, at } => format!("\u{201c}{name}\u{201d} on {}", when::day_time(*at, &zone)),
        }
    }
}

/// The audience of one contact, with changes.
///
/// Errors: the contact or an event is gone.
pub fn altered(audience: &Audience, contact: &ContactId, changes: &[Change]) -> Result<Audience, String> {
    let found = audience.contacts.iter().find(|c| c.id == *contact).ok_or("This contact is gone")?;
    let mut out = Audience {
        contacts: vec![found.clone()],
        events: audience.events.iter().filter(|event| event.contact == *contact).cloned().collect(),
        responses: audience.responses.iter().filter(|response| response.contact == *contact).cloned().collect(),
    };
    for (n, change) in changes.iter().enumerate() {
        match change {
            Change::Property { name, value } => set(&mut out.contacts[0], name, value.clone()),
            Change::Consent { channel, status } => out.contacts[0].consent.set(*channel, *status),
            Change::Drop(id) => out.events.retain(|event| event.id != *id),
            Change::Shift { id, by } => {
                let zone = own_zone(&out.contacts[0]);
                for event in out.events.iter_mut().filter(|event| event.id == *id) {
                    event.happened = by.after(event.happened, &zone);
                    event.accepted = by.after(event.accepted, &zone);
                }
            }
            Change::Add { name, at } => {
                let like = audience.events.iter().rev().find(|e| e.contact == *contact && e.name == *name);
                let like = like.or_else(|| audience.events.iter().rev().find(|event| event.name == *name));
                out.events.push(Event {
                    id: EventId::new(format!("what-if-{n}")),
                    contact: contact.clone(),
                    name: name.clone(),
                    happened: *at,
                    accepted: *at,
                    properties: like.map(|event| event.properties.clone()).unwrap_or_default(),
                });
            }
        }
    }
    out.events.sort_by_key(|event| event.accepted);
    Ok(out)
}

fn own_zone(contact: &Contact) -> Zone {
    contact.zone.as_deref().and_then(|name| Zone::named(name).ok()).unwrap_or_else(Zone::utc)
}

fn set(contact: &mut Contact, name: &SmolStr, value: Option<Value>) {
    let text = value.as_ref().map(|value| SmolStr::new(value.to_string()));
    match name.as_str() {
        "zone" => contact.zone = text,
        "email" => contact.email = text,
        "phone" => contact.phone = text,
        "language" => contact.language = text,
        _ => match value {
            Some(value) => _ = contact.properties.insert(name.clone(), value),
            None => _ = contact.properties.remove(name),
        },
    }
}

/// A value as somebody types it for a property that had another one: of its sort where it can be read as such.
pub fn typed(text: &str, old: Option<&Value>) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let same = old.and_then(|old| Value::parse_as(text, old.value_type(), None));
    Some(same.unwrap_or_else(|| Value::from_plain_text(text)))
}

/// Something that is otherwise with the changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// When, in the old or else the new way.
    pub at: Instant,
    /// The step, where there is one.
    pub node: Option<NodeId>,
    /// What it is about: the step's title, "Entry", "End".
    pub title: String,
    /// What happened; empty where nothing did.
    pub old: String,
    /// What happens with the changes; empty where nothing does.
    pub new: String,
}

/// Both ways of a contact.
#[derive(Clone, PartialEq, Debug)]
pub struct WhatIf {
    /// Whose.
    pub contact: ContactId,
    /// With which changes.
    pub changes: Vec<Change>,
    /// Decisions without them.
    pub old: Vec<Decision>,
    /// Decisions with them.
    pub new: Vec<Decision>,
    /// What differs, in the order of time.
    pub differences: Vec<Difference>,
}

/// Replays one contact without and with changes.
///
/// Both are replayed alone, so that rules over the population see the same in both. `keeps_on` is told how much is done
/// (0..=1) and ends it by saying no. Errors: the contact is gone; it was ended.
pub fn what_if(
    flow: &Flow,
    home: &Home,
    contact: &ContactId,
    changes: &[Change],
    keeps_on: &mut dyn FnMut(f32) -> bool,
) -> Result<Arc<WhatIf>, String> {
    let flows = FlowSet::new(&home.workspace, std::slice::from_ref(flow));
    let first = home.audience.events.iter().map(|event| event.accepted).min();
    let last = home.audience.events.iter().map(|event| event.accepted).max();
    let mut play = |changes: &[Change], begin: f32| -> Result<Vec<Decision>, String> {
        let audience = altered(&home.audience, contact, changes)?;
        let own_first = audience.events.first().map(|event| event.accepted);
        let own_last = audience.events.last().map(|event| event.accepted);
        let from = [first, own_first].into_iter().flatten().min().map(|at| at.plus_millis(-1));
        let until = [last, own_last].into_iter().flatten().max().map(|at| at.plus_millis(30 * 86_400_000));
        let options = Options { from, until, ..Options::default() };
        let mut half = |share: f32| keeps_on(begin + share / 2.0);
        let report = simulate::replay_while(&flows, &audience, &options, &mut half);
        let mut report = report.ok_or("It was cancelled")?;
        let trace = report.traces.remove(contact).unwrap_or_default();
        Ok(trace.into_iter().filter(|decision| decision.flow.as_ref() == Some(&flow.id)).collect())
    };
    let (old, new) = (play(&[], 0.0)?, play(changes, 0.5)?);
    let zone = when::zone(home, stage::contact(home, contact));
    let differences = differences(flow, &zone, &old, &new);
    Ok(Arc::new(WhatIf { contact: contact.clone(), changes: changes.to_vec(), old, new, differences }))
}

/// What a decision is about, the same in both ways: which entry (by key), which step, which pass.
type Key = (SmolStr, usize, Option<NodeId>, u32, u8);

/// What differs between two traces, in the order of time.
pub fn differences(flow: &Flow, zone: &Wall, old: &[Decision], new: &[Decision]) -> Vec<Difference> {
    let (old, new) = (facts(flow, zone, old), facts(flow, zone, new));
    let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
    let mut out = Vec::new();
    for key in keys {
        let (a, b) = (old.get(key), new.get(key));
        if a.map(|fact| &fact.1) == b.map(|fact| &fact.1) {
            continue;
        }
        let Some(at) = a.or(b).map(|fact| fact.0) else { continue };
        let title = match (&key.2, key.4) {
            (Some(id), _) => flow.node(id.as_str()).map_or_else(|| id.to_string(), |node| node.title().to_owned()),
            (None, 0) => "Entry".to_owned(),
            (None, _) => "End".to_owned(),
        };
        let said = |fact: Option<&(Instant, String)>| fact.map(|fact| fact.1.clone()).unwrap_or_default();
        out.push(Difference { at, node: key.2.clone(), title, old: said(a), new: said(b) });
    }
    out.sort_by(|a, b| (a.at, &a.node).cmp(&(b.at, &b.node)));
    out
}

/// One fact per thing that a trace decides: when, and in words.
fn facts(flow: &Flow, zone: &Wall, trace: &[Decision]) -> BTreeMap<Key, (Instant, String)> {
    let mut keys: BTreeMap<&crate::base::JourneyId, (SmolStr, usize)> = BTreeMap::new();
    let mut entries: BTreeMap<SmolStr, usize> = BTreeMap::new();
    let mut out: BTreeMap<Key, (Instant, String)> = BTreeMap::new();
    for decision in trace {
        let Some(journey) = &decision.journey else { continue };
        let when = when::day_time(decision.at, zone);
        if let What::Entered { key, .. } = &decision.what {
            let n = entries.entry(key.clone()).or_default();
            keys.insert(journey, (key.clone(), *n));
            *n += 1;
            let (key, n) = &keys[journey];
            out.insert((key.clone(), *n, None, 0, 0), (decision.at, format!("enters {when}")));
            continue;
        }
        let Some((entry, n)) = keys.get(journey) else { continue };
        let ports = |id: &NodeId| flow.node(id.as_str()).map(|node| node.ports()).unwrap_or_default();
        let (sort, node, text) = match (&decision.what, &decision.node) {
            (What::Outcome { outcome: Outcome::Sent, variant, .. }, Some(node)) => {
                let message = flow.node(node.as_str()).and_then(|node| stage::message_of(flow, node));
                let several = message.is_some_and(|message| message.variants.len() > 1);
                (
                    1,
                    Some(node),
                    if several { format!("sent {when}, variant {variant}") } else { format!("sent {when}") },
                )
            }
            (What::Outcome { outcome, reason, .. }, Some(node)) => {
                (1, Some(node), format!("{}: {}", timeline::became(*outcome), timeline::said(*reason)))
            }
            (What::Waiting { until }, Some(node)) => {
                (1, Some(node), format!("waits until {}", when::day_time(*until, zone)))
            }
            (What::Left { port }, Some(node)) if ports(node).len() > 1 => {
                let word = ports(node).into_iter().find(|p| p.name == *port).map_or(port.to_string(), |p| p.title);
                (2, Some(node), format!("goes on by {word}"))
            }
            (What::Held { reason, .. }, Some(node)) => (1, Some(node), format!("held: {}", timeline::said(*reason))),
            (What::Converted { .. }, _) => (4, None, format!("reaches the goal {when}")),
            (What::Ended { how }, _) => (3, None, format!("{how}, {when}")),
            _ => continue,
        };
        let key: Key = (entry.clone(), *n, node.cloned(), if node.is_some() { decision.pass } else { 0 }, sort);
        out.insert(key, (decision.at, text));
    }
    out
}

/// Names of properties that can be changed, with their values: what the contact has, and what the flow's people have.
pub fn properties(home: &Home, contact: &ContactId) -> Vec<(SmolStr, Option<Value>)> {
    let Some(own) = stage::contact(home, contact) else { return Vec::new() };
    let mut out: BTreeMap<SmolStr, Option<Value>> =
        own.properties.iter().map(|(name, value)| (SmolStr::new(name), Some(value.clone()))).collect();
    for name in home.workspace.properties.keys() {
        out.entry(SmolStr::new(name)).or_insert(None);
    }
    let zone = own.zone.as_ref().map(|zone| Value::Text(zone.clone()));
    out.insert("zone".into(), zone);
    out.insert("email".into(), own.email.as_ref().map(|email| Value::Text(email.clone())));
    out.into_iter().collect()
}

/// Metrics that an added event can have: those of the workspace and of the audience.
pub fn metrics(home: &Home) -> Vec<SmolStr> {
    let known = home.workspace.events.iter().map(|event| SmolStr::new(&event.name));
    let seen = home.audience.events.iter().map(|event| event.name.clone());
    known.chain(seen).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, act::Act, fixture};

    fn check(changes: Vec<Change>) -> Vec<String> {
        let mut app = fixture::studio();
        for change in changes {
            fixture::run(&mut app, Act::Change(change));
        }
        let made = fixture::document(&app).what_if().expect("both ways").clone();
        made.differences.iter().map(|d| format!("{}: {} → {}", d.title, d.old, d.new)).collect()
    }

    #[test]
    fn an_order_ends_the_journey() {
        let at = Instant::parse("2026-10-03T05:00:00Z").expect("an instant");
        let home = fixture::home();
        let cart = home.audience.events.iter().find(|e| {
            e.contact.as_str() == "ada" && e.properties.get("cart_id").and_then(Value::as_text) == Some("mw-ada-4")
        });
        assert!(cart.is_some());
        // An order carries the cart of the newest order of the contact, so the journey of another cart goes on.
        let found = check(vec![Change::Add { name: "Placed Order".into(), at }]);
        assert!(found.iter().all(|line| !line.contains("15 %")), "{found:?}");
    }

    #[test]
    fn without_consent_nobody_enters() {
        let found = check(vec![Change::Consent { channel: Channel::Email, status: ConsentStatus::Unsubscribed }]);
        assert!(found.iter().any(|line| line == "Entry: enters Sat 3 Oct 05:10 → "), "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("15 % for a quick decision: sent Sat 3 Oct 09:10 → ")));
    }

    #[test]
    fn a_shifted_cart_shifts_the_mails() {
        let home = fixture::home();
        let own = home.audience.events.iter().filter(|e| e.contact.as_str() == "ada" && e.name == "Cart Updated");
        let carts: Vec<EventId> = own.take(2).map(|event| event.id.clone()).collect();
        let by = Span::hours(2);
        let found = check(carts.into_iter().map(|id| Change::Shift { id, by }).collect());
        assert!(found.iter().any(|l| l == "Entry: enters Sat 3 Oct 05:10 → enters Sat 3 Oct 07:10"), "{found:?}");
    }

    #[test]
    fn nothing_changed_is_no_difference() {
        let same = Change::Property { name: "first_name".into(), value: Some(Value::text("Ada")) };
        assert_eq!(check(vec![same]), Vec::<String>::new());
    }

    #[test]
    fn changes_are_replaced_taken_back_and_forgotten_with_the_contact() {
        let mut app = fixture::studio();
        let set = |text: &str| Act::Change(Change::Property { name: "zone".into(), value: Some(Value::text(text)) });
        fixture::run(&mut app, set("Asia/Tokyo"));
        fixture::run(&mut app, set("America/New_York"));
        assert_eq!(fixture::document(&app).view.changes.len(), 1);
        let way = crate::app::overlay::way_what_if(fixture::document(&app)).expect("a way");
        assert!(way.nodes.contains("mail-1"));
        fixture::run(&mut app, Act::ResetWhatIf);
        assert!(crate::app::overlay::way_what_if(fixture::document(&app)).is_none());
        fixture::run(&mut app, set("Asia/Tokyo"));
        fixture::run(&mut app, Command::ChooseContact(Some("an".into())));
        assert!(fixture::document(&app).view.changes.is_empty());
    }

    #[test]
    fn the_real_audience_stays_as_it_is() {
        let home = fixture::home();
        let before = home.audience.clone();
        let drop = home.audience.events.iter().find(|e| e.contact.as_str() == "ada").map(|e| e.id.clone());
        let made = altered(&home.audience, &"ada".into(), &[Change::Drop(drop.expect("an event"))]).expect("altered");
        assert_eq!(home.audience, before);
        let own = before.events.iter().filter(|e| e.contact.as_str() == "ada").count();
        assert_eq!((made.contacts.len(), made.events.len()), (1, own - 1));
        assert!(altered(&home.audience, &"nobody".into(), &[]).is_err());
    }

    #[test]
    fn typed_values_keep_their_sort() {
        assert_eq!(typed("12", Some(&Value::Number(3.0))), Some(Value::Number(12.0)));
        assert_eq!(typed("12", Some(&Value::text("x"))), Some(Value::text("12")));
        assert_eq!(typed("  ", Some(&Value::text("x"))), None);
    }
}
