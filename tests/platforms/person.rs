//! One person as a platform knows them: what they did, what is kept of them, what they are sent.
//!
//! The one idea: a platform learns of the world through events alone, so both interpreters share this record and differ
//! only in the program they run over it. Times are milliseconds since 1970.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flowloom::{
    audience::{Audience, Channel, ConsentStatus, Contact, Event, EventLog, Facts, Response, ResponseKind, Value},
    base::{Instant, Zone},
    flow::Workspace,
};
use jiff::civil::{Date, DateTime, Time};

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Names under which both interpreters keep what a platform notes itself.
pub const RECEIVED: [(Channel, &str); 2] = [(Channel::Email, "Received Email"), (Channel::Sms, "Received SMS")];

/// The name under which an answer to a mail is kept.
pub fn answer_name(response: ResponseKind) -> &'static str {
    match response {
        ResponseKind::Opened => "Opened Email",
        ResponseKind::Clicked => "Clicked Email",
        ResponseKind::Replied => "Replied to Email",
        ResponseKind::Bounced => "Bounced Email",
        ResponseKind::Unsubscribed => "Unsubscribed",
        ResponseKind::Complained => "Marked Email as Spam",
    }
}

/// A mail that left.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mail {
    pub message: String,
    pub at: i64,
}

pub struct Person<'a> {
    pub workspace: &'a Workspace,
    pub contact: Contact,
    pub zone: Zone,
    /// In the order in which the platform learnt of them.
    pub history: Vec<Arc<Event>>,
    /// The same for the product's own conditions: segments that a client builds from their text.
    pub log: EventLog,
    /// Still to come, soonest last.
    coming: Vec<Arc<Event>>,
    responses: Vec<&'a Response>,
    pub mails: Vec<Mail>,
}

impl<'a> Person<'a> {
    pub fn new(workspace: &'a Workspace, audience: &'a Audience, contact: &Contact) -> Self {
        let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        let mut seen = BTreeSet::new();
        let own = audience.events.iter().filter(|event| event.contact == contact.id);
        let mut coming: Vec<Arc<Event>> = own.filter(|event| seen.insert(&event.id)).cloned().map(Arc::new).collect();
        coming.sort_by(|a, b| order(b).cmp(&order(a)));
        Self {
            workspace,
            contact: contact.clone(),
            zone: zone.unwrap_or_else(|| workspace.default_zone()),
            history: Vec::new(),
            log: EventLog::default(),
            coming,
            responses: audience.responses.iter().filter(|response| response.contact == contact.id).collect(),
            mails: Vec::new(),
        }
    }

    /// When the next event arrives.
    pub fn next_event(&self) -> Option<i64> {
        self.coming.last().map(|event| event.accepted.as_millis())
    }

    /// Learns of the next event.
    pub fn learn(&mut self) -> Option<Arc<Event>> {
        let event = self.coming.pop()?;
        self.note(Arc::clone(&event));
        if event.name == answer_name(ResponseKind::Unsubscribed) {
            self.contact.consent.set(Channel::Email, ConsentStatus::Unsubscribed);
        }
        Some(event)
    }

    fn note(&mut self, event: Arc<Event>) {
        self.log.record(Arc::clone(&event));
        self.history.push(event);
    }

    /// Sends a message of a step: it is noted, and answered as the audience says.
    pub fn send(&mut self, node: &str, message: &str, channel: Channel, at: i64) {
        self.mails.push(Mail { message: message.to_owned(), at });
        let (_, name) = RECEIVED.into_iter().find(|(of, _)| *of == channel).expect("both channels");
        let number = self.mails.len();
        let event = |id: String, name: &str, at: i64| {
            let at = Instant::from_millis(at);
            let contact = self.contact.id.clone();
            Arc::new(Event {
                id: id.as_str().into(),
                contact,
                name: name.into(),
                happened: at,
                accepted: at,
                properties: Default::default(),
            })
        };
        let mut answers = Vec::new();
        for (n, response) in self.responses.iter().enumerate().filter(|(_, response)| response.node.as_str() == node) {
            let when = response.after.after(Instant::from_millis(at), &self.zone).as_millis();
            answers.push(event(format!("answer:{number}:{n}"), answer_name(response.response), when));
        }
        self.note(event(format!("sent:{number}"), name, at));
        for answer in answers {
            let place = self.coming.partition_point(|other| order(other) > order(&answer));
            self.coming.insert(place, answer);
        }
    }

    /// Events of a name after `since` (that instant included), one of them perhaps left out, in order of learning.
    pub fn did<'s>(
        &'s self,
        name: &'s str,
        since: i64,
        without: Option<&'s Event>,
    ) -> impl Iterator<Item = &'s Arc<Event>> + 's {
        self.history.iter().filter(move |event| {
            event.name == name
                && event.happened.as_millis() >= since
                && without.is_none_or(|other| other.id != event.id)
        })
    }

    /// Whether a segment of the workspace holds, and when that may change by itself.
    pub fn segment(&self, name: &str, now: i64) -> (bool, Option<i64>) {
        let Some(text) = self.workspace.segments.get(name) else { return (false, None) };
        let (scores, constants) = (self.workspace.scores_by_name(), BTreeMap::new());
        let book = self.workspace.book(&scores, &constants);
        let compiled = flowloom::audience::Compiled::of_text(text, &book);
        let facts = Facts {
            now: Instant::from_millis(now),
            zone: &self.zone,
            contact: &self.contact,
            log: &self.log,
            entry: None,
            event: None,
        };
        (compiled.eval(&facts).is_yes(), compiled.next_change(&facts).map(|at| at.as_millis()))
    }

    /// Whether mail may reach them at all: an address, not unsubscribed, not suppressed.
    pub fn is_reachable(&self, channel: Channel, only_subscribed: bool) -> bool {
        let address = match channel {
            Channel::Email => &self.contact.email,
            Channel::Sms => &self.contact.phone,
        };
        let suppressed =
            address.as_ref().is_some_and(|own| self.workspace.suppression.iter().any(|s| s.eq_ignore_ascii_case(own)));
        let allowed = match self.contact.consent.on(channel) {
            ConsentStatus::Subscribed => true,
            ConsentStatus::Unknown => !only_subscribed,
            ConsentStatus::Unsubscribed => false,
        };
        address.is_some() && !suppressed && allowed
    }
}

fn order(event: &Event) -> (Instant, Instant, &flowloom::base::EventId) {
    (event.accepted, event.happened, &event.id)
}

/// So many calendar days later on the wall, at the same time.
pub fn plus_days(at: i64, days: i64, zone: &Zone) -> i64 {
    zone.plus_calendar(Instant::from_millis(at), 0, i32::try_from(days).expect("few days")).as_millis()
}

/// The first instant from `at` on with this time on the wall, on one of these days (all where empty).
pub fn next_wall(at: i64, time: Time, days: &[String], zone: &Zone) -> i64 {
    let start = zone.local(Instant::from_millis(at));
    for ahead in 0..15 {
        let date = start.date().checked_add(jiff::Span::new().days(ahead)).expect("a date");
        let name = format!("{:?}", date.weekday()).to_lowercase();
        let local = DateTime::from_parts(date, time);
        if local >= start && (days.is_empty() || days.contains(&name)) {
            return zone.instant_of(local).as_millis();
        }
    }
    panic!("no such day: {days:?}")
}

/// An instant on the wall.
pub fn wall(date: Date, time: Time, zone: &Zone) -> i64 {
    zone.instant_of(DateTime::from_parts(date, time)).as_millis()
}

/// A value as an instant: dates at midnight UTC, as both platforms keep them.
pub fn as_millis(value: &Value) -> Option<i64> {
    match value {
        Value::Instant(at) => Some(at.as_millis()),
        Value::Date(date) => Some(wall(*date, Time::midnight(), &Zone::utc())),
        Value::Text(text) => Instant::parse(text).ok().map(Instant::as_millis),
        _ => None,
    }
}

/// A value as a date on the wall of a zone.
pub fn as_date(value: &Value, zone: &Zone) -> Option<Date> {
    match value {
        Value::Date(date) => Some(*date),
        Value::Instant(at) => Some(zone.local(*at).date()),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// A text as platforms compare it.
pub fn as_text(value: &Value) -> Option<String> {
    value.as_text().map(str::to_owned)
}
