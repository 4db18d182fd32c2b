//! What kinds and `journey` say to each other: inputs, entries, what a step asks for, outcomes.
//!
//! Everything is data with its instant inside; nothing here asks a clock.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::{Channel, ConsentStatus, Event, Value},
    base::{FlowId, Instant, JourneyId, NodeId, SendKey, VersionHash},
};

/// What a driver feeds to a contact (SEMANTICS R0), stamped where it was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Something happened; accepted at `event.accepted`.
    Event(Arc<Event>),
    /// The profile changed.
    Profile {
        /// Accepted at.
        at: Instant,
        /// How.
        change: Change,
    },
    /// Time passed. Late, early or doubled wakes do no harm.
    Wake {
        /// Now.
        at: Instant,
    },
    /// What became of an intent.
    Delivered {
        /// Known at.
        at: Instant,
        /// Of which send.
        key: SendKey,
        /// What.
        result: Delivery,
    },
    /// A word from outside the contact.
    Control {
        /// Given at.
        at: Instant,
        /// What.
        control: Control,
    },
}

impl Input {
    /// Its instant of acceptance.
    pub fn at(&self) -> Instant {
        match self {
            Self::Event(event) => event.accepted,
            Self::Profile { at, .. } | Self::Wake { at } | Self::Delivered { at, .. } | Self::Control { at, .. } => *at,
        }
    }
}

/// A change of the profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Properties and what they become; `None` removes.
    pub set: Vec<(SmolStr, Option<Value>)>,
    /// Consent per channel.
    pub consent: Vec<(Channel, ConsentStatus)>,
    /// What it says of consent lifts no "no": whoever unsubscribed stays so. Another system's copy of a yes is older
    /// than what the person said here, for all that is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keeps_no: bool,
    /// Lists joined.
    pub lists_add: Vec<SmolStr>,
    /// Lists left.
    pub lists_remove: Vec<SmolStr>,
    /// A new e-mail address.
    pub email: Option<SmolStr>,
    /// A new phone number.
    pub phone: Option<SmolStr>,
    /// A new zone.
    pub zone: Option<SmolStr>,
    /// A new language.
    pub language: Option<SmolStr>,
    /// Never to be written to, or again; again at the address they have, too.
    pub suppressed: Option<bool>,
    /// Addresses that are found to take no mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bounced: Vec<SmolStr>,
}

impl Change {
    /// The same, with what it says of consent only where nobody said no.
    pub fn keeping_no(mut self) -> Self {
        self.keeps_no = self.consent.iter().any(|(_, status)| *status != ConsentStatus::Unsubscribed);
        self
    }
}

/// A word from outside the contact (SEMANTICS R0, R4, R6, R30).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// This version of the flow is live from now on.
    Adopt {
        /// The flow.
        flow: FlowId,
        /// Its version.
        version: VersionHash,
    },
    /// Holds messages while waits go on, or freezes waits too; calls and alerts are made, and answers heard.
    Pause {
        /// The flow.
        flow: FlowId,
        /// Waits stand still too.
        freeze: bool,
    },
    /// Ends a pause or a breaker.
    Resume {
        /// The flow.
        flow: FlowId,
    },
    /// Lets nobody in any more; journeys go on.
    Drain {
        /// The flow.
        flow: FlowId,
    },
    /// Moves journeys of older versions to this one; nodes that are gone need a mapping or end their journeys.
    Migrate {
        /// The flow.
        flow: FlowId,
        /// To this version.
        version: VersionHash,
        /// From old node to new node.
        mapping: Vec<(NodeId, NodeId)>,
    },
    /// Puts a journey at a node.
    Move {
        /// The journey.
        journey: JourneyId,
        /// The node.
        node: NodeId,
    },
    /// Ends a journey.
    End {
        /// The journey.
        journey: JourneyId,
    },
    /// Tries a held step or send again.
    Retry {
        /// The journey.
        journey: JourneyId,
        /// Of the journey only this; all that it has held where none is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<SendKey>,
    },
    /// A person says that an *unknown* send did not leave: it is intended again (SEMANTICS R21).
    Resend {
        /// The send.
        key: SendKey,
    },
    /// A person says that an *unknown* send did leave: it counts as sent (SEMANTICS R21, R23).
    MarkSent {
        /// The send.
        key: SendKey,
        /// When it was handed over, as far as that is known: not later than it was found to be unknown.
        at: Instant,
    },
    /// Forgets the person.
    Forget,
    /// A split has a winner: contacts without an arm get this one.
    Winner {
        /// The flow.
        flow: FlowId,
        /// The split.
        node: NodeId,
        /// The arm.
        arm: SmolStr,
    },
    /// The engine's data were brought back from a copy: what was due until then is held and shown, not done, for it may
    /// have been done already (SEMANTICS R26).
    Restored {
        /// Until.
        until: Instant,
    },
    /// The zones' rules are others now (new zone data): waits for a time on the wall keep the wall time (SEMANTICS
    /// R17).
    Zones,
    /// The flow paused itself (SEMANTICS R28).
    Breaker {
        /// The flow.
        flow: FlowId,
        /// Why, for people.
        why: String,
    },
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Handed over; of a webhook: answered with success.
    Sent,
    /// `may_hand_over` stopped it.
    Skipped(Reason),
    /// The transport refused it; of a webhook: failed.
    Refused(Reason),
    /// Held back, to be looked at.
    Held(Reason),
    /// Handed over, and no answer came (SEMANTICS R21): shown, never sent again by itself.
    Unknown,
    /// `may_hand_over` said later.
    Deferred {
        /// Tried again at.
        until: Instant,
    },
}

/// What became of a send (SEMANTICS R21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Handed over.
    Sent,
    /// Not sent, and the journey went on.
    Skipped,
    /// Refused by the transport.
    Refused,
    /// Waits for somebody to look.
    Held,
    /// May have left.
    Unknown,
}

impl Outcome {
    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

/// Why (SEMANTICS R21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing spoke against it.
    Ok,
    /// The journey was ended by hand or by a new one.
    NotInFlow,
    /// The goal was reached.
    Goal,
    /// The exit condition holds.
    Exit,
    /// No consent, or no address.
    NoConsent,
    /// On the suppression list.
    Suppressed,
    /// Quiet hours.
    QuietHours,
    /// No room under a cap.
    Capped,
    /// In another message's quiet time.
    Cooldown,
    /// A merge tag has neither value nor fallback.
    Incomplete,
    /// There is nothing in it.
    Empty,
    /// Too late.
    TooLate,
    /// The flow is paused.
    Paused,
    /// A breaker stopped it.
    Breaker,
    /// The step cannot be done.
    Fault,
    /// The transport said no.
    Rejected,
    /// The transport did not say.
    NoAnswer,
}

impl Reason {
    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotInFlow => "not_in_flow",
            Self::Goal => "goal",
            Self::Exit => "exit",
            Self::NoConsent => "no_consent",
            Self::Suppressed => "suppressed",
            Self::QuietHours => "quiet_hours",
            Self::Capped => "capped",
            Self::Cooldown => "cooldown",
            Self::Incomplete => "incomplete",
            Self::Empty => "empty",
            Self::TooLate => "too_late",
            Self::Paused => "paused",
            Self::Breaker => "breaker",
            Self::Fault => "fault",
            Self::Rejected => "rejected",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// What lets a contact in.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which alternative of the trigger, from 0.
    pub alternative: usize,
    /// The event of the entry, if there is one (SEMANTICS R12).
    pub event: Option<Arc<Event>>,
    /// The re-entry key's value; empty without one.
    pub key: SmolStr,
    /// How many flows' writes led here (SEMANTICS R11).
    pub hops: u32,
}

/// What a step asks of `journey`.
#[derive(Clone, Debug, PartialEq)]
pub enum StepResult {
    /// Leave by the port of this place in the node's ports.
    Leave(usize),
    /// Wait until then, and leave by the first port.
    Sleep(Instant),
    /// Wait for the node's event, at most until then.
    Listen(Instant),
    /// The date is past.
    Past(super::logic::delay::Past),
    /// Send the node's message.
    Send,
    /// Call the node's address and wait for the answer, at most until then.
    Call(Instant),
    /// Tell the team, and go on.
    Alert,
    /// Write to the contact, and go on.
    Write(Change),
    /// Record the goal, and go on.
    Goal(SmolStr),
    /// End the journey.
    End(SmolStr),
}
