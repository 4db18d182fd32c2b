//! What people answer to messages: of which message, and whether it counts over the population (SEMANTICS R0, R6).

use std::sync::Arc;

use smol_str::SmolStr;

use super::state::ContactState;
use crate::{
    audience::{Event, ResponseKind, Value},
    base::{FlowId, JourneyId, SendKey},
};

/// An answer to a message as it is taken: what it does not say of its message is filled in from its send key, so that
/// conditions and counts know it. Who feeds inputs keeps it so; anything else stays as it is.
pub fn answering(contact: &ContactState, mut event: Arc<Event>) -> Arc<Event> {
    if kind_of(&event).is_none() {
        return event;
    }
    let Some(key) = text(&event, "send_key").and_then(SendKey::parse) else { return event };
    let send = contact.send(&key);
    // Of a send that the state does not hold any more its key says the flow: journeys are named contact/flow/n.
    let of_journey = || {
        let own = key.journey.as_str().strip_prefix(contact.contact.id.as_str())?.strip_prefix('/')?;
        own.split_once('/').map(|(flow, _)| flow)
    };
    let Some(flow) = send.map(|send| send.flow.as_str()).or_else(of_journey) else { return event };
    let message = send.map(|send| (send.message.0.as_str(), send.message.1.as_str()));
    let said = [
        ("flow", Some(flow)),
        ("journey", Some(key.journey.as_str())),
        ("node", Some(key.node.as_str())),
        ("message", message.map(|(message, _)| message)),
        ("variant", message.map(|(_, variant)| variant)),
    ];
    for (name, value) in said {
        if let Some(value) = value.filter(|_| !event.properties.contains_key(name)) {
            Arc::make_mut(&mut event).properties.insert(SmolStr::new_static(name), Value::text(value));
        }
    }
    event
}

/// An answer that counts over the population, before its contact hears it: of whose flow and journey, and what it is
/// (SEMANTICS R6, R28). `event` is as [`answering`] gives it.
///
/// Whoever leaves a flow, or complains of it, is one person, however often the button is pressed: the log knows of the
/// first time. A log that has dropped it (400 days, 10,000 events) counts them once more.
pub fn counted(contact: &ContactState, event: &Event) -> Option<(FlowId, JourneyId, ResponseKind)> {
    let kind = kind_of(event)?;
    let (flow, journey) = (text(event, "flow")?, text(event, "journey")?);
    let is_known = match kind {
        ResponseKind::Unsubscribed | ResponseKind::Complained => {
            contact.log.of(&event.name).iter().any(|earlier| text(earlier, "flow") == Some(flow))
        }
        // Of these each journey counts once, by itself.
        ResponseKind::Opened | ResponseKind::Clicked => false,
        // Nobody counts these.
        ResponseKind::Replied | ResponseKind::Bounced => true,
    };
    (!is_known).then(|| (FlowId::new(flow), JourneyId::new(journey), kind))
}

/// Which answer it is, where it is one.
fn kind_of(event: &Event) -> Option<ResponseKind> {
    // Most events are none.
    let is_reserved = event.name.starts_with('$');
    ResponseKind::ALL.into_iter().find(|kind| is_reserved && kind.event_name() == event.name)
}

fn text<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event.property(&[name]).and_then(Value::as_text)
}
