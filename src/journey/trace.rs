//! What was decided, and why: also why a mail was not sent. The same bytes from every driver (SEMANTICS R3).

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    audience::Channel,
    base::{EventId, FlowId, Instant, JourneyId, MessageId, NodeId, SendKey},
    kinds::runtime::{Outcome, Reason},
};

/// What `advance` asks its driver to do, and what it decided.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// To be done, in order.
    pub intents: Vec<Intent>,
    /// What was decided, in order.
    pub trace: Vec<Decision>,
    /// When the contact wants to be woken; replaces any earlier wish.
    pub wake: Option<Instant>,
}

/// Something to be done in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Its key.
    pub key: SendKey,
    /// Of which flow.
    pub flow: FlowId,
    /// Not before this.
    pub at: Instant,
    /// What.
    pub what: IntentWhat,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentWhat {
    /// Send a message, after [`super::may_hand_over`] said go.
    Message {
        /// On which channel.
        channel: Channel,
        /// Which message.
        message: MessageId,
        /// Which variant of it.
        variant: SmolStr,
    },
    /// Call the node's address; answered by `Delivered`.
    Webhook,
    /// Tell the team.
    Alert,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at: Instant,
    /// Of which flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// Of which journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journey: Option<JourneyId>,
    /// At which node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Nth arrival there, from 1; 0 where there is no node.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pass: u32,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// An input changes nothing.
    Ignored {
        /// Why.
        why: SmolStr,
        /// The event.
        event: EventId,
    },
    /// An event that changes something happened before a timer's decision, which stands (SEMANTICS R2).
    Late {
        /// The event.
        event: EventId,
        /// When it happened.
        happened: Instant,
        /// When a timer decided last.
        decided: Instant,
    },
    /// A trigger's clock runs.
    Armed {
        /// Which alternative.
        alternative: usize,
        /// Until.
        due: Instant,
    },
    /// A trigger's clock was stopped.
    Disarmed {
        /// Which alternative.
        alternative: usize,
        /// By what.
        why: SmolStr,
    },
    /// A journey began.
    Entered {
        /// By which alternative.
        alternative: usize,
        /// With this re-entry key.
        key: SmolStr,
    },
    /// A trigger fired, and nobody came in.
    NotEntered {
        /// By which alternative.
        alternative: usize,
        /// Why.
        why: SmolStr,
    },
    /// Came to a node.
    Arrived,
    /// Left a node.
    Left {
        /// By this port.
        port: SmolStr,
    },
    /// Waits.
    Waiting {
        /// At most until.
        until: Instant,
    },
    /// A message passed every test and goes to its transport.
    Go {
        /// Which message.
        message: MessageId,
        /// Which variant.
        variant: SmolStr,
    },
    /// A message is tried again later.
    Deferred {
        /// When.
        until: Instant,
        /// Why.
        reason: Reason,
    },
    /// What became of a message.
    Outcome {
        /// What.
        outcome: Outcome,
        /// Why.
        reason: Reason,
        /// Which variant.
        variant: SmolStr,
        /// More, for people; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// The journey is held at its node.
    Held {
        /// Why.
        reason: Reason,
        /// More, for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// The journey's later dues moved, so that no gap shrinks (SEMANTICS R26).
    Moved {
        /// By so much.
        millis: i64,
    },
    /// A goal node was passed.
    Goal {
        /// Its name.
        name: SmolStr,
    },
    /// The flow's goal was reached.
    Converted {
        /// The message it is credited to.
        #[serde(skip_serializing_if = "Option::is_none")]
        credited_to: Option<SendKey>,
        /// When the conversion happened.
        happened: Instant,
    },
    /// The contact was written to.
    Wrote {
        /// Properties and lists.
        names: Vec<SmolStr>,
    },
    /// The journey ended.
    Ended {
        /// How.
        how: SmolStr,
    },
    /// A word from outside was taken.
    Controlled {
        /// Which.
        control: SmolStr,
    },
}

impl fmt::Display for Decision {
    /// One line: instant, flow, node and pass, what, why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)?;
        if let Some(journey) = &self.journey {
            write!(f, "  {journey}")?;
        } else if let Some(flow) = &self.flow {
            write!(f, "  {flow}")?;
        }
        if let Some(node) = &self.node {
            write!(f, "  {node}")?;
            if self.pass > 1 {
                write!(f, "#{}", self.pass)?;
            }
        }
        f.write_str("  ")?;
        match &self.what {
            What::Ignored { why, event } => write!(f, "ignored event {event}: {why}"),
            What::Late { event, happened, decided } => {
                write!(f, "late event {event} happened at {happened}, a timer had decided at {decided}")
            }
            What::Armed { alternative, due } => write!(f, "trigger {} armed until {due}", alternative + 1),
            What::Disarmed { alternative, why } => write!(f, "trigger {} disarmed: {why}", alternative + 1),
            What::Entered { alternative, key } if key.is_empty() => write!(f, "entered by trigger {}", alternative + 1),
            What::Entered { alternative, key } => write!(f, "entered by trigger {} with key {key}", alternative + 1),
            What::NotEntered { alternative, why } => write!(f, "not entered by trigger {}: {why}", alternative + 1),
            What::Arrived => f.write_str("arrived"),
            What::Left { port } => write!(f, "left by {port}"),
            What::Waiting { until } => write!(f, "waits until {until}"),
            What::Go { message, variant } => write!(f, "go: message {message}, variant {variant}"),
            What::Deferred { until, reason } => write!(f, "deferred until {until}: {}", reason.name()),
            What::Outcome { outcome, reason, detail, .. } => {
                write!(f, "{}: {}", outcome.name(), reason.name())?;
                if detail.is_empty() { Ok(()) } else { write!(f, " ({detail})") }
            }
            What::Held { reason, detail } if detail.is_empty() => write!(f, "held: {}", reason.name()),
            What::Held { reason, detail } => write!(f, "held: {} ({detail})", reason.name()),
            What::Moved { millis } => {
                write!(f, "later dues move by {}", crate::base::Span { millis: *millis, ..Default::default() })
            }
            What::Goal { name } => write!(f, "goal: {name}"),
            What::Converted { credited_to: Some(key), happened } => {
                write!(f, "converted at {happened}, credited to {key}")
            }
            What::Converted { credited_to: None, happened } => {
                write!(f, "converted at {happened}, credited to no message")
            }
            What::Wrote { names } => write!(f, "wrote {}", names.join(", ")),
            What::Ended { how } => write!(f, "ended: {how}"),
            What::Controlled { control } => write!(f, "control: {control}"),
        }
    }
}
