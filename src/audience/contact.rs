//! A person, and what happens to them.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::value::{Properties, Value};
use crate::base::{ContactId, EventId, FlowId, Instant, NodeId, Span};

/// A way to reach a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    #[default]
    Email,
    /// Text message.
    Sms,
}

impl Channel {
    /// As written in files: `email`, `sms`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// What a person allowed on one channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Said yes.
    Subscribed,
    /// Never asked, or no answer.
    #[default]
    Unknown,
    /// Said no.
    Unsubscribed,
}

impl ConsentStatus {
    /// As written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Unknown => "unknown",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// Consent per channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Consent {
    /// Marketing by e-mail.
    pub email: ConsentStatus,
    /// Marketing by text message.
    pub sms: ConsentStatus,
}

impl Consent {
    /// The status on a channel.
    pub fn on(&self, channel: Channel) -> ConsentStatus {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
        }
    }

    /// Sets the status on a channel.
    pub fn set(&mut self, channel: Channel, status: ConsentStatus) {
        match channel {
            Channel::Email => self.email = status,
            Channel::Sms => self.sms = status,
        }
    }
}

/// A person. Names and everything else the business knows are `properties` (`first_name`, `lifetime_value`, ...).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// Unique in the audience.
    pub id: ContactId,
    /// E-mail address; without one no e-mail can leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<SmolStr>,
    /// Phone number for text messages, E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<SmolStr>,
    /// Everything else.
    #[serde(default)]
    pub properties: Properties,
    /// Consent per channel.
    #[serde(default)]
    pub consent: Consent,
    /// IANA zone; without one the workspace's counts (SEMANTICS R17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<SmolStr>,
    /// BCP 47 tag, such as `de` or `en-GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<SmolStr>,
    /// Names of the lists the contact is on.
    #[serde(default)]
    pub lists: BTreeSet<SmolStr>,
    /// Creation or import; the start of inactivity where nothing ever happened (SEMANTICS R10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Instant>,
}

impl Contact {
    /// A contact with nothing but an id.
    pub fn new(id: impl Into<ContactId>) -> Self {
        Self {
            id: id.into(),
            email: None,
            phone: None,
            properties: Properties::new(),
            consent: Consent::default(),
            zone: None,
            language: None,
            lists: BTreeSet::new(),
            created_at: None,
        }
    }

    /// The value under a path: `email`, `phone`, `zone`, `language`, `created_at`, `id` are built in, all else are
    /// properties. `None` where it is missing.
    pub fn value<S: AsRef<str>>(&self, steps: &[S]) -> Option<Value> {
        let (first, rest) = steps.split_first()?;
        if rest.is_empty() {
            let text = |t: &Option<SmolStr>| t.clone().map(Value::Text);
            match first.as_ref() {
                "id" => return Some(Value::text(self.id.as_str())),
                "email" => return text(&self.email),
                "phone" => return text(&self.phone),
                "zone" => return text(&self.zone),
                "language" => return text(&self.language),
                "created_at" => return self.created_at.map(Value::Instant),
                _ => {}
            }
        }
        self.properties.get(first.as_ref())?.at(rest).cloned()
    }

    /// The property under a path, without the built-in names; cheap.
    pub fn property<S: AsRef<str>>(&self, steps: &[S]) -> Option<&Value> {
        let (first, rest) = steps.split_first()?;
        self.properties.get(first.as_ref())?.at(rest)
    }
}

/// Something a contact did or that happened to them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Unique for the contact.
    pub id: EventId,
    /// Who.
    pub contact: ContactId,
    /// The metric: `Started Checkout`. Names that begin with `$` are reserved (see [`ResponseKind::event_name`]).
    pub name: SmolStr,
    /// When it happened.
    pub happened: Instant,
    /// When it arrived here; never before it happened in good data, but see SEMANTICS R2.
    pub accepted: Instant,
    /// What came with it.
    #[serde(default)]
    pub properties: Properties,
}

impl Event {
    /// The value under a path; `id`, `name`, `happened` are built in where no property has that name.
    pub fn value<S: AsRef<str>>(&self, steps: &[S]) -> Option<Value> {
        if let Some(value) = self.property(steps) {
            return Some(value.clone());
        }
        match steps {
            [one] => match one.as_ref() {
                "id" => Some(Value::text(self.id.as_str())),
                "name" => Some(Value::Text(self.name.clone())),
                "happened" => Some(Value::Instant(self.happened)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The property under a path; cheap.
    pub fn property<S: AsRef<str>>(&self, steps: &[S]) -> Option<&Value> {
        let (first, rest) = steps.split_first()?;
        self.properties.get(first.as_ref())?.at(rest)
    }
}

/// What a contact does with a message that reached them. Each arrives as an event with a reserved name and the
/// properties `flow`, `node`, `message`, `variant`, `journey`, `send_key`, and `link` for a click (SEMANTICS R0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseKind {
    /// Opened it.
    Opened,
    /// Clicked a link in it.
    Clicked,
    /// Answered it.
    Replied,
    /// It came back.
    Bounced,
    /// Said no more.
    Unsubscribed,
    /// Called it spam.
    Complained,
}

impl ResponseKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Opened, Self::Clicked, Self::Replied, Self::Bounced, Self::Unsubscribed, Self::Complained];

    /// The word in conditions and files: `opened`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Replied => "replied",
            Self::Bounced => "bounced",
            Self::Unsubscribed => "unsubscribed",
            Self::Complained => "complained",
        }
    }

    /// The reserved event name: `$opened`.
    pub fn event_name(self) -> &'static str {
        match self {
            Self::Opened => "$opened",
            Self::Clicked => "$clicked",
            Self::Replied => "$replied",
            Self::Bounced => "$bounced",
            Self::Unsubscribed => "$unsubscribed",
            Self::Complained => "$complained",
        }
    }
}

impl fmt::Display for ResponseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fixed response of the sample audience: "opens mail-1 after 2 h". A replay turns it into an event after the
/// hand-over of that message; where the message never leaves, nothing happens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Response {
    /// Who responds.
    pub contact: ContactId,
    /// Only in this flow; in any where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// The message node responded to.
    pub node: NodeId,
    /// What they do.
    pub response: ResponseKind,
    /// How long after the hand-over.
    pub after: Span,
    /// The link they click.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<SmolStr>,
}
