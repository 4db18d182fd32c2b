//! From a claimed send to its hand-over: rendering, transports, rates, back-off, links back to the engine.

use crate::{
    base::{ContactId, SendKey},
    engine::work::Handed,
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

/// What a transport gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// A mail, as a server or a file takes it.
    Mail {
        /// Sender's address of the envelope.
        from: String,
        /// Recipient's address of the envelope.
        to: String,
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

/// A way out of the house. Called from sender threads; may block, never panics.
pub trait Transport: Send + Sync {
    /// Hands it over, once.
    fn hand_over(&self, outgoing: &Outgoing) -> Handed;

    /// After a crash: whether a send that was *handing over* has left. `None` where the transport cannot tell, which
    /// makes it *unknown*; a folder can.
    fn has_left(&self, _key: &SendKey) -> Option<bool> {
        None
    }
}
