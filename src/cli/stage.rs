//! What `preview`, `matrix` and `tour` share: one contact, one message, one instant, one mail.
//!
//! The one idea: the mail is [`app::stage`]'s, the same as in the window; what stands here is loading, and saying what
//! a path, a name or a date on the command line lacks. Deliberately not here: printing.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{Failure, Places, Streams, load};
use crate::{
    app::stage::{self, History},
    audience::{Audience, Channel, Contact, Event},
    base::{Diagnostic, Instant, Severity, nearest},
    content::{Message, PreparedMessage, Variant},
    disk::{FlowFile, Home},
    flow::Node,
    kinds::Settings,
};

pub use stage::Made;

/// Which mail: the arguments that commands about one mail share.
#[derive(Args, Debug)]
pub struct Which {
    /// The flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// The step that sends it, or the message
    #[arg(long, value_name = "NODE")]
    message: String,
    /// The variant [default: the one that the contact is dealt]
    #[arg(long)]
    variant: Option<String>,
    /// The contact as whom it is made
    #[arg(long, value_name = "ID")]
    contact: String,
    /// The event that let them in [default: their newest that the trigger listens to]
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// When they get it [default: the newest event of the audience]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
}

impl Which {
    /// Loads what it names.
    ///
    /// Errors: as [`Stage::new`].
    pub fn stage(&self, places: &Places, streams: &mut Streams) -> Result<Stage, Failure> {
        Stage::new(&self.flow, self.at, places, streams)
    }
}

/// A mail that was asked for.
pub struct One<'a> {
    /// The step that sends it.
    pub node: &'a Arc<Node>,
    /// Its message.
    pub message: &'a Message,
    /// Who gets it.
    pub contact: &'a Contact,
    /// The mail.
    pub made: Made,
}

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
    inner: stage::Stage,
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
        let inner = stage::Stage::new(file.flow(), &home.workspace);
        Ok(Self { home, file, audience, at, inner })
    }

    /// The mail that the arguments ask for.
    ///
    /// Errors: what they name that is not there; content that cannot be made into a mail.
    pub fn one(&self, which: &Which) -> Result<One<'_>, Failure> {
        let (node, message) = self.sending(&which.message)?;
        let contact = self.contact(&which.contact)?;
        let variant = self.variant(node, message, which.variant.as_deref(), contact)?;
        let made = self.make(node, message, variant, contact, which.event.as_deref())?;
        Ok(One { node, message, contact, made })
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
        let flow = self.file.flow();
        flow.nodes.iter().filter_map(|node| Some((node, stage::message_of(flow, node)?)))
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
        self.inner.dealt(node, message, contact).ok_or_else(|| {
            Failure::unusable(format!("Message `{}` has no content", message.id), "Write a subject and a body")
        })
    }

    /// The mail of a step for a contact.
    ///
    /// Errors: an event that is not the contact's, or content that cannot be made into a mail.
    pub fn make(
        &self,
        node: &Node,
        message: &Message,
        variant: &Variant,
        contact: &Contact,
        event: Option<&str>,
    ) -> Result<Made, Failure> {
        let prepared = self.prepare(node, message, variant)?;
        self.render(&prepared, message, variant, contact, event)
    }

    /// Makes a variant ready for any number of contacts.
    ///
    /// Errors: what is wrong with its content.
    pub fn prepare(&self, node: &Node, message: &Message, variant: &Variant) -> Result<PreparedMessage, Failure> {
        self.inner.prepare(node, message, variant).map_err(|found| {
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
        let history = History::of(&self.audience.events, &contact.id, self.at);
        let event = match event {
            Some(id) => Some(self.event(id, contact, &history.events)?),
            None => self.inner.likely_entry(&history),
        };
        let made = self.inner.render((prepared, message, variant), contact, &history, event, self.at);
        made.map_err(|found| self.failure(&found))
    }

    fn failure(&self, found: &Diagnostic) -> Failure {
        Failure { exit_code: 1, text: super::show::diagnostic(found, load::context(&self.file)).trim_end().to_owned() }
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
}

/// Whether the message is an e-mail.
pub fn is_email(message: &Message) -> bool {
    message.channel == Channel::Email
}
