//! From a claimed send to its hand-over: rendering, transports, rates, back-off, links back to the engine.
//!
//! The one idea: what is handed over is known to the byte before anybody is asked ([`render`]), the writer's word
//! ([`office::Desk::begin`]) is the last thing before the transport, and the transport says exactly what it knows:
//! taken, surely not taken, or unknown. An unknown is never handed over again by itself (SEMANTICS R21).
//!
//! | part | what stands in it |
//! | --- | --- |
//! | [`render`] | a job → what a transport gets; what cannot leave is held (R27) |
//! | [`office`] | the sender threads, their queue, one message's fault kept to itself (R29) |
//! | [`pace`] | how fast: per minute, per domain, slower where asked; when to try again |
//! | [`answers`] | what answers of mail servers mean, in one table |
//! | [`ways`] | which transport takes what; a folder alone calls nobody |
//! | [`folder`], [`smtp`], [`webhook`] | the transports |
//! | [`secrets`] | what stands for `${NAME}` in headers |
//! | [`links`] | signed links back to the engine: unsubscribe, preferences, view, opened, clicked |

pub mod answers;
pub mod folder;
pub mod links;
pub mod office;
pub mod pace;
pub mod render;
pub mod secrets;
pub mod smtp;
#[cfg(test)]
mod stage;
pub mod ways;
pub mod webhook;

use std::fmt;

use crate::{
    base::{ContactId, SendKey},
    engine::work::Handed,
    kinds::runtime::Reason,
};

/// Something ready for a transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The send.
    pub key: SendKey,
    /// Whose.
    pub contact: ContactId,
    /// What.
    pub payload: Payload,
}

impl Outgoing {
    /// What is kept as sent: a mail to the byte, a text message under a line that says to whom. Calls are not kept:
    /// their headers hold secrets.
    pub fn kept(&self) -> Option<Vec<u8>> {
        match &self.payload {
            Payload::Mail { bytes, .. } => Some(bytes.clone()),
            Payload::Text { to, body } => {
                Some(format!("To: {to}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n").into_bytes())
            }
            Payload::Call { .. } => None,
        }
    }
}

/// What a transport gets.
#[derive(Clone, PartialEq)]
pub enum Payload {
    /// A mail, as a server or a file takes it.
    Mail {
        /// Sender's address of the envelope.
        from: String,
        /// Recipients' addresses of the envelope: the contact, or the team.
        to: Vec<String>,
        /// RFC 5322.
        bytes: Vec<u8>,
    },
    /// A text message.
    Text {
        /// Phone number, E.164.
        to: String,
        /// The text.
        body: String,
    },
    /// A call of an address.
    Call {
        /// Where.
        url: String,
        /// Names and values; secrets filled in.
        headers: Vec<(String, String)>,
        /// JSON.
        body: String,
        /// How long the other side may take, in milliseconds.
        timeout_millis: u64,
    },
}

impl fmt::Debug for Payload {
    /// Without values of headers: secrets are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail { from, to, bytes } => write!(f, "Mail({from} to {}, {} bytes)", to.join(", "), bytes.len()),
            Self::Text { to, body } => write!(f, "Text({to}, {} bytes)", body.len()),
            Self::Call { url, headers, body, .. } => {
                let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
                write!(f, "Call({url}, headers {}, {} bytes)", names.join(", "), body.len())
            }
        }
    }
}

/// A way out of the house. Called from sender threads; may block, never panics.
pub trait Transport: Send + Sync {
    /// Hands it over, once.
    fn hand_over(&self, outgoing: &Outgoing) -> Handed;

    /// After a crash: whether a send that was *handing over* has left. `None` where the transport cannot tell, which
    /// makes it *unknown*; a folder can.
    fn has_left(&self, _key: &SendKey) -> Option<bool> {
        None
    }

    /// The engine stops: what is kept open is closed.
    fn close(&self) {}
}

/// Held as a fault of the step or of the way, with what to do.
pub(crate) fn fault(detail: impl Into<String>) -> Handed {
    Handed::Held { reason: Reason::Fault, detail: detail.into() }
}
