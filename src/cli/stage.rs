//! What `preview`, `matrix` and `tour` share: one contact, one message, one instant, one mail.
//!
//! The one idea: a mail is worked out from the same facts as in a replay: the contact's history up to the instant, the
//! event that let them in, the variant they are dealt. Deliberately not here: printing.

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::{Failure, Places, Streams, load};
use crate::{
    audience::{Audience, Channel, Contact, Event, EventLog, Value},
    base::{Diagnostic, Instant, Severity, Zone, nearest},
    content::{Field, FieldValues, Links, Message, PreparedMessage, RenderedMail, ResolveContext, Variant, lint},
    disk::{FlowFile, Home},
    flow::{Node, Workspace},
    journey::FlowSet,
    kinds::{Alternative, Settings},
};

/// A flow with everything that its mails need.
pub struct Stage {
    /// The workspace.
    pub home: Home,
    /// The flow.
    pub file: FlowFile,
    /// The people.
    pub audience: Audience,
    /// The instant of the mails.
    pub at: Instant,
    fields: Vec<Field>,
    constants: BTreeMap<SmolStr, Value>,
    flows: FlowSet,
}

/// A mail for one contact, and how it came about.
pub struct Made {
    /// The mail.
    pub mail: RenderedMail,
    /// The variant.
    pub variant: SmolStr,
    /// The event that is taken to have let the contact in.
    pub event: Option<Arc<Event>>,
    /// What preparing and reading it found.
    pub lints: Vec<Diagnostic>,
}

impl Stage {
    /// Loads flow, workspace and audience. Without `at` it is the newest event of the audience: never the clock.
    ///
    /// Errors: what cannot be read; no instant where there are no events.
    pub fn new(
        path: &std::path::Path,
        at: Option<Instant>,
        places: &Places,
        streams: &mut Streams,
    ) -> Result<Self, Failure> {
        let (home, file) = load::one(path, places)?;
        let audience = load::audience(&home, places, streams)?;
        if audience.contacts.is_empty() {
            return Err(Failure::unusable(
                "There are no contacts to show the mail for",
                "Put contacts.jsonl or contacts.csv into audience/ in the workspace, or name a folder with --audience",
            ));
        }
        let newest = audience.events.iter().map(|event| event.accepted).max();
        let at = at.or(newest).ok_or_else(|| {
            Failure::unusable("The audience has no events to take the time from", "Say it: --at 2026-11-23T09:00:00Z")
        })?;
        let fields = file.flow().fields().cloned().collect();
        let constants = file.flow().settings().constants;
        let flows = FlowSet::new(&home.workspace, std::slice::from_ref(file.flow()));
        Ok(Self { home, file, audience, at, fields, constants, flows })
    }

    /// The contact of that id.
    pub fn contact(&self, id: &str) -> Result<&Contact, Failure> {
        self.audience.contacts.iter().find(|contact| contact.id.as_str() == id).ok_or_else(|| {
            let near = nearest::hint(id, self.audience.contacts.iter().map(|contact| contact.id.as_str()));
            let hint = if near.is_empty() {
                format!(
                    "The audience has {} contacts; the first is {}",
                    self.audience.contacts.len(),
                    self.audience.contacts[0].id
                )
            } else {
                near
            };
            Failure::unusable(format!("There is no contact `{id}` in the audience"), hint)
        })
    }

    /// Steps that send, in the order of the file, with their messages as far as they can be read.
    pub fn sendings(&self) -> impl Iterator<Item = (&Arc<Node>, &Message)> {
        self.file.flow().nodes.iter().filter_map(|node| {
            let (message, _) = node.settings()?.message()?;
            Some((node, self.file.flow().message(message.as_str())?))
        })
    }

    /// A step that sends, by its id or by its message's.
    ///
    /// Errors: there is none; its message is missing or cannot be read.
    pub fn sending(&self, id: &str) -> Result<(&Arc<Node>, &Message), Failure> {
        let flow = self.file.flow();
        let sends = |node: &&Arc<Node>| node.settings().is_some_and(|settings| settings.message().is_some());
        let by_message = |node: &&Arc<Node>| {
            node.settings().and_then(Settings::message).is_some_and(|(message, _)| message.as_str() == id)
        };
        let node = flow
            .nodes
            .iter()
            .filter(sends)
            .find(|node| node.id.as_str() == id)
            .or_else(|| flow.nodes.iter().find(by_message));
        let Some(node) = node else {
            let names: Vec<&str> = flow.nodes.iter().filter(sends).map(|node| node.id.as_str()).collect();
            let near = nearest::hint(id, names.iter().copied());
            let hint = match (near.is_empty(), names.is_empty()) {
                (false, _) => near,
                (true, true) => "No step of this flow sends anything".to_owned(),
                (true, false) => format!("Steps that send: {}", names.join(", ")),
            };
            return Err(Failure::unusable(format!("No step or message `{id}` sends anything in this flow"), hint));
        };
        self.sendings().find(|(sending, _)| sending.id == node.id).ok_or_else(|| {
            Failure::unusable(
                format!("The message of step `{}` is missing or cannot be read", node.id),
                format!("See what is wrong with: flowloom check {}", self.file.source.shown),
            )
        })
    }

    /// The variant of that id, else the one that the contact is dealt.
    pub fn variant<'a>(
        &self,
        node: &Node,
        message: &'a Message,
        variant: Option<&str>,
        contact: &Contact,
    ) -> Result<&'a Variant, Failure> {
        if let Some(id) = variant {
            return message.variant(id).ok_or_else(|| {
                let ids: Vec<&str> = message.variants.iter().map(|variant| variant.id.as_str()).collect();
                Failure::unusable(
                    format!("Message `{}` has no variant `{id}`", message.id),
                    format!("It has: {}", ids.join(", ")),
                )
            });
        }
        let salt = match node.settings() {
            Some(Settings::Email(email)) => email.salt.clone(),
            Some(Settings::Sms(sms)) => sms.salt.clone(),
            _ => None,
        };
        let salt = salt.unwrap_or_else(|| SmolStr::new(node.id.as_str()));
        let version = self.flows.live_version(&self.file.flow().id);
        let run = version.and_then(|version| version.nodes.get(version.place_of(&node.id)?)?.message.clone());
        let dealt = run.map_or(0, |run| run.variant_of(&salt, contact.id.as_str()));
        message.variants.get(dealt).or(message.variants.first()).ok_or_else(|| {
            Failure::unusable(format!("Message `{}` has no content", message.id), "Write a subject and a body")
        })
    }

    /// The mail of a step for a contact.
    ///
    /// Errors: an event that is not the contact's, or content that cannot be made into a mail.
    pub fn make(
        &self,
        message: &Message,
        variant: &Variant,
        contact: &Contact,
        event: Option<&str>,
    ) -> Result<Made, Failure> {
        let prepared = self.prepare(message, variant)?;
        self.render(&prepared, message, variant, contact, event)
    }

    /// Makes a variant ready for any number of contacts.
    ///
    /// Errors: what is wrong with its content.
    pub fn prepare(&self, message: &Message, variant: &Variant) -> Result<PreparedMessage, Failure> {
        PreparedMessage::new(message, variant, &self.fields, &self.home.workspace.brand).map_err(|found| {
            let errors = found.iter().filter(|found| found.severity == Severity::Error);
            let lines: String = errors.map(|found| super::show::diagnostic(found, load::context(&self.file))).collect();
            Failure { exit_code: 1, text: lines.trim_end().to_owned() }
        })
    }

    /// The mail of a variant for a contact.
    ///
    /// Errors: an event that is not the contact's, or values that cannot be rendered.
    pub fn render(
        &self,
        prepared: &PreparedMessage,
        message: &Message,
        variant: &Variant,
        contact: &Contact,
        event: Option<&str>,
    ) -> Result<Made, Failure> {
        let mut log = EventLog::default();
        let mut events: Vec<Arc<Event>> = Vec::new();
        for event in self.audience.events.iter().filter(|e| e.contact == contact.id && e.accepted <= self.at) {
            let event = Arc::new(event.clone());
            if log.record(Arc::clone(&event)) {
                events.push(event);
            }
        }
        let event = match event {
            Some(id) => Some(self.event(id, contact, &events)?),
            None => self.likely_entry(&events),
        };
        let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        let zone = zone.unwrap_or_else(|| self.home.workspace.default_zone());
        let context = ResolveContext {
            now: self.at,
            zone: &zone,
            contact,
            log: &log,
            trigger: event.as_deref(),
            constants: &self.constants,
            codes: &codes(&self.home.workspace),
            links: &Links::placeholders(),
            currency: self.home.workspace.brand.default_currency(),
        };
        let values = FieldValues::resolve(&self.fields, &context);
        let mail = prepared.render(&values).map_err(|found| Failure {
            exit_code: 1,
            text: super::show::diagnostic(&found, load::context(&self.file)).trim_end().to_owned(),
        })?;
        let mut lints = prepared.findings().to_vec();
        lints.extend(lint(message, variant, &mail));
        Ok(Made { mail, variant: SmolStr::new(&variant.id), event, lints })
    }

    fn event(&self, id: &str, contact: &Contact, events: &[Arc<Event>]) -> Result<Arc<Event>, Failure> {
        if let Some(event) = events.iter().find(|event| event.id.as_str() == id) {
            return Ok(Arc::clone(event));
        }
        let later = self.audience.events.iter().find(|event| event.contact == contact.id && event.id.as_str() == id);
        Err(match later {
            Some(event) => Failure::unusable(
                format!("Event `{id}` arrived at {}, after {}", event.accepted, self.at),
                format!("Look from then on: --at {}", event.accepted),
            ),
            None => Failure::unusable(
                format!("Contact `{}` has no event `{id}`", contact.id),
                nearest::hint(id, events.iter().map(|event| event.id.as_str())),
            ),
        })
    }

    /// The newest event that the trigger listens to; whether its filter holds is the replay's to say.
    fn likely_entry(&self, events: &[Arc<Event>]) -> Option<Arc<Event>> {
        let Some(Settings::Trigger(trigger)) = self.file.flow().trigger().and_then(|node| node.settings()) else {
            return None;
        };
        let mut metrics: Vec<&str> = Vec::new();
        for alternative in &trigger.any {
            match alternative {
                Alternative::Event(t) => metrics.push(&t.event),
                Alternative::Abandonment(t) => metrics.push(&t.start),
                Alternative::Engagement(t) => metrics.push(&t.event),
                Alternative::Score(t) => {
                    let model = self.home.workspace.scores.iter().find(|model| model.name == t.model);
                    metrics
                        .extend(model.into_iter().flat_map(|model| &model.signals).map(|signal| signal.event.as_str()));
                }
                Alternative::Segment(_) | Alternative::List(_) | Alternative::Date(_) | Alternative::Inactivity(_) => {}
            }
        }
        let listened = events.iter().filter(|event| metrics.contains(&event.name.as_str()));
        listened.max_by_key(|event| (event.happened, event.accepted, &event.id)).cloned()
    }
}

/// One code of each pool: the shared one, or the first.
fn codes(workspace: &Workspace) -> BTreeMap<SmolStr, SmolStr> {
    let pools = workspace.code_pools.iter();
    pools
        .filter_map(|pool| Some((pool.name.clone(), pool.shared.clone().or_else(|| pool.codes.first().cloned())?)))
        .collect()
}

/// Whether the message is an e-mail.
pub fn is_email(message: &Message) -> bool {
    message.channel == Channel::Email
}
