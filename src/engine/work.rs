//! What callers ask of the engine's writer, and what they get back.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::{Contact, Properties},
    base::{ContactId, EventId, FlowId, Instant, JourneyId, NodeId, SendKey},
    flow::{Flow, Workspace},
    journey::{ContactState, IntentWhat, Version},
    kinds::runtime::{Change, Outcome, Reason},
};

/// An event on its way in. The engine stamps when it was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Its id; a second one with the same id within 30 days is a duplicate (SEMANTICS R2).
    pub id: EventId,
    /// Whose. A contact that is not known yet is made, without consent.
    pub contact: ContactId,
    /// The metric.
    pub name: SmolStr,
    /// When it happened; when it is accepted where left out.
    pub happened: Option<Instant>,
    /// What came with it.
    pub properties: Properties,
    /// What the same request says of the contact; taken just before the event.
    pub change: Option<Change>,
}

/// A contact on its way in: made, or changed to what is given. What is left out stays as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct NewContact {
    /// Which contact.
    pub id: ContactId,
    /// What is given.
    pub change: Change,
}

/// A contact with a past that lets nobody in: for taking over an audience before flows run for it.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The whole profile.
    pub contact: Contact,
    /// What happened before, in any order; `accepted` as recorded.
    pub events: Vec<crate::audience::Event>,
    /// Never to be written to (SEMANTICS R22).
    pub suppressed: bool,
}

/// Where items came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Way {
    /// `POST /v1/events`.
    Events,
    /// `POST /v1/contacts`.
    Contacts,
    /// `POST /v1/histories`.
    Histories,
    /// Webhooks of others.
    Hooks,
    /// Pages of recipients: unsubscribes, opens, clicks.
    Pages,
    /// Files: the watched folder.
    Files,
}

impl Way {
    /// All.
    pub const ALL: [Self; 6] = [Self::Events, Self::Contacts, Self::Histories, Self::Hooks, Self::Pages, Self::Files];

    /// The word in metrics and status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Contacts => "contacts",
            Self::Histories => "histories",
            Self::Hooks => "hooks",
            Self::Pages => "pages",
            Self::Files => "files",
        }
    }
}

/// What a decision came from, for its latency (SEMANTICS R2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// An event, by the way it came in: from happened to decided.
    Event(Way),
    /// A timer: from due to decided.
    Timer,
    /// A hand-over: from when it was due by the flow's own rules to handed over.
    HandOver,
}

impl Source {
    /// All by which decisions come.
    pub const ALL: [Self; 6] = [
        Self::Event(Way::Events),
        Self::Event(Way::Hooks),
        Self::Event(Way::Pages),
        Self::Event(Way::Files),
        Self::Timer,
        Self::HandOver,
    ];
    /// Over every [`Self::index`].
    pub const NUM: usize = Way::ALL.len() + 2;

    /// Its place in tables.
    pub fn index(self) -> usize {
        match self {
            Self::Event(way) => way as usize,
            Self::Timer => Way::ALL.len(),
            Self::HandOver => Way::ALL.len() + 1,
        }
    }

    /// The word in metrics and status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event(way) => way.name(),
            Self::Timer => "timers",
            Self::HandOver => "hand_overs",
        }
    }
}

/// What became of one item of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Answer {
    /// Durable and decided.
    Accepted,
    /// Its id is known; nothing changed.
    Duplicate,
    /// Not taken.
    Refused {
        /// Why.
        error: String,
        /// What to do.
        hint: String,
    },
}

/// Why a request was not taken at all. Nothing of it was stored; the same request may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Too much waits to be written: come back after so many seconds.
    Full {
        /// Seconds.
        retry_after: u32,
    },
    /// The store cannot be written to now (a full disk, a failing one); the text is for people.
    Store(String),
    /// The engine is stopping.
    Stopping,
}

/// A word from outside to flows and contacts; each leaves an audit line with who gave it.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// This version of the flow is live from now on. Whoever is in a segment already, say, does not enter: what is so
    /// is recorded, and changes count (SEMANTICS R0).
    Publish {
        /// The flow.
        flow: Box<Flow>,
        /// The workspace it belongs to; replaces what is read live (caps, senders, suppression, pools).
        workspace: Box<Workspace>,
    },
    /// Holds messages; waits go on, or freeze too (SEMANTICS R30). Calls and alerts are made all the same.
    Pause {
        /// The flow.
        flow: FlowId,
        /// Whether waits stand still.
        freeze: bool,
    },
    /// Ends a pause or a breaker.
    Resume {
        /// The flow.
        flow: FlowId,
    },
    /// Lets nobody in any more.
    Drain {
        /// The flow.
        flow: FlowId,
    },
    /// Moves journeys of older versions to the live one (SEMANTICS R4).
    Migrate {
        /// The flow.
        flow: FlowId,
        /// From old node to new node.
        mapping: Vec<(NodeId, NodeId)>,
    },
    /// Puts a journey at a node.
    Move {
        /// Whose.
        contact: ContactId,
        /// Which journey.
        journey: JourneyId,
        /// Where to.
        node: NodeId,
    },
    /// Ends a journey.
    End {
        /// Whose.
        contact: ContactId,
        /// Which journey.
        journey: JourneyId,
    },
    /// Tries what is held in a journey again; a send that is *unknown* is sent once more only by `resend`.
    Retry {
        /// The send, or any send key of the journey.
        key: SendKey,
        /// Take an unknown send as not sent, and send it again. People decide that, never the engine.
        resend: bool,
    },
    /// Takes a send that is *unknown* as sent: somebody found out that it left.
    MarkSent {
        /// The send.
        key: SendKey,
    },
    /// Forgets a person: history, journeys, mails; the id stays suppressed.
    Forget {
        /// Whom.
        contact: ContactId,
    },
    /// The engine's own: nothing of a forgotten person lies in files any more, and the note that says by what they are
    /// known goes. Nobody else gives it.
    Erased {
        /// Whom.
        contact: ContactId,
    },
    /// Adds addresses to the suppression list, or takes them off; then whoever has one of them may be written to again,
    /// but for those who complained or were forgotten.
    Suppress {
        /// Addresses, in any case.
        addresses: Vec<String>,
        /// Takes them off instead.
        lift: bool,
    },
    /// Drops what is older than so many days: traces and events beyond every look-back (SEMANTICS R5: 400 days).
    Prune {
        /// Days, at least 30: so long an event that comes again is known (SEMANTICS R2).
        days: u32,
    },
}

/// What became of an order, for people; one line.
pub type Done = Result<String, Refusal>;

/// An order that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub error: String,
    /// What to do.
    pub hint: String,
}

impl Refusal {
    /// Puts one together.
    pub fn new(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into() }
    }
}

/// A send that is claimed: everything that rendering needs, as it was when the writer claimed it.
#[derive(Clone, Debug)]
pub struct Job {
    /// The send.
    pub key: SendKey,
    /// Of which flow.
    pub flow: FlowId,
    /// Which attempt, from 1: names the claim.
    pub attempt: u32,
    /// What is to be done.
    pub what: IntentWhat,
    /// The contact: profile, history, journeys.
    pub contact: Arc<ContactState>,
    /// The version that the journey walks.
    pub version: Arc<Version>,
    /// What is read live: senders, brand, pools.
    pub workspace: Arc<Workspace>,
    /// Codes given to this send, by pool.
    pub codes: BTreeMap<SmolStr, SmolStr>,
    /// The instant of the mail.
    pub now: Instant,
}

/// The answer to "may this claimed send go to its transport now?", after a commit that says *handing over*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Hand it over now, and settle it whatever happens.
    Go,
    /// Not any more: it was settled, deferred or claimed anew. Do nothing.
    No,
}

/// What a transport says of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// Taken.
    Done,
    /// Not taken, surely; try again after a while (a 4xx, no connection).
    Later {
        /// What was said.
        detail: String,
        /// Not before so many milliseconds from now, where the other side says so.
        after_millis: Option<u64>,
    },
    /// The same, and it is this side's fault (a relay that refuses us, a sender it does not know, a login): nobody's
    /// address is blamed, and who looks at the engine is told.
    Ours {
        /// What was said, and the way out.
        detail: String,
        /// As in [`Self::Later`].
        after_millis: Option<u64>,
    },
    /// Nobody tried: there was no place for it. To be claimed again as the same attempt.
    NotYet {
        /// For whom it waits.
        detail: String,
        /// Not before so many milliseconds from now.
        after_millis: u64,
    },
    /// Not taken, and never will be (a 5xx).
    No {
        /// What was said.
        detail: String,
        /// The address does not exist: no mail goes there any more.
        bad_address: bool,
    },
    /// May have been taken: the connection broke after everything was said (SEMANTICS R21).
    Unknown {
        /// What happened.
        detail: String,
    },
    /// It cannot be handed over as it is (a mail without a sender, a body that is no JSON): shown, until resumed.
    Held {
        /// Why.
        reason: Reason,
        /// For people.
        detail: String,
    },
}

/// Where an outbox row stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Waits for its time, or for another try.
    Due,
    /// A sender has it; may be taken over.
    Claimed,
    /// On its way; may not be taken over.
    HandingOver,
    /// Settled.
    Settled(Outcome),
}
