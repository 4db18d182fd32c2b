//! What is seen of a running engine, as JSON objects with a `schema` key: fields are added, never renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::work::Standing;
use crate::{
    audience::Contact,
    base::{ContactId, FlowId, Instant, JourneyId, NodeId},
    kinds::runtime::Reason,
};

/// The whole engine: `flowloom/status/1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Always `flowloom/status/1`.
    pub schema: SmolStr,
    /// When this was looked at, on the engine's clock.
    pub now: Instant,
    /// Contacts known.
    pub contacts: u64,
    /// Flows, in id order.
    pub flows: Vec<FlowStatus>,
    /// Outbox rows by where they stand: `due`, `claimed`, `handing_over`, `sent`, `skipped`, ….
    pub outbox: BTreeMap<SmolStr, u64>,
    /// Contacts that wait to be woken.
    pub waiting: u64,
    /// The soonest wake.
    pub next_wake: Option<Instant>,
    /// Per source (`events`, `timers`, `hand_overs`): how late decisions were since the start, in milliseconds.
    pub latency: BTreeMap<SmolStr, Latency>,
    /// What people should look at, in words; empty where all is well.
    pub warnings: Vec<String>,
    /// Requests that could not be understood and lie in `DIR/aside` (SEMANTICS R31); filled by intake.
    #[serde(default)]
    pub aside: u64,
    /// How many times as fast time passes, where it does: every span here is on the engine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_scale: Option<f64>,
}

/// How late decisions were, in milliseconds (SEMANTICS R2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Half were quicker.
    pub p50: u64,
    /// One in a hundred was slower.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
    /// How many were over 10 s (SEMANTICS R2).
    pub over_10_s: u64,
}

/// One flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowStatus {
    /// Its id.
    pub id: SmolStr,
    /// What people read.
    pub name: String,
    /// The live version; 32 hexadecimal digits.
    pub version: String,
    /// `live`, `paused`, `frozen`, `breaker`, `draining`.
    pub state: SmolStr,
    /// Why, where it paused itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Entries so far.
    pub entered: u64,
    /// Journeys under way.
    pub under_way: u64,
    /// Older versions with journeys under way: version and how many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub older: BTreeMap<String, u64>,
    /// Nodes that anybody came to.
    pub nodes: BTreeMap<NodeId, NodeStatus>,
}

/// One node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// People who stand there now.
    pub here: i64,
    /// Of these, held.
    pub held: i64,
    /// Arrivals so far.
    pub entered: u64,
    /// Departures so far.
    pub left: u64,
    /// Arrivals in the last whole minute.
    pub per_minute: u64,
    /// Messages sent so far.
    pub sent: u64,
    /// Messages skipped or refused so far.
    pub not_sent: u64,
}

/// One contact: `flowloom/contact/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContactView {
    /// Always `flowloom/contact/1`.
    pub schema: SmolStr,
    /// The profile.
    pub contact: Contact,
    /// Never to be written to.
    pub suppressed: bool,
    /// Journeys: those under way, and ended ones that are still remembered.
    pub journeys: Vec<JourneyView>,
    /// Messages, oldest first.
    pub sends: Vec<SendView>,
    /// Every decision that is kept, oldest first, one line each as in the simulator.
    pub trace: Vec<String>,
    /// What people did to it by hand: when, who, what.
    pub audit: Vec<(Instant, String, String)>,
    /// When it wants to be woken.
    pub next_wake: Option<Instant>,
}

/// A journey of a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JourneyView {
    /// Its id.
    pub id: JourneyId,
    /// The flow.
    pub flow: FlowId,
    /// The version it walks.
    pub version: String,
    /// When it began.
    pub entered: Instant,
    /// The node it stands at, where it is under way.
    pub node: Option<NodeId>,
    /// What it waits for, in words.
    pub waiting: String,
    /// How it ended.
    pub ended: Option<(Instant, String)>,
}

/// A message of a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendView {
    /// The send key as text.
    pub key: String,
    /// The flow.
    pub flow: FlowId,
    /// The node.
    pub node: NodeId,
    /// Where it stands.
    pub standing: Standing,
    /// Why.
    pub reason: Option<Reason>,
    /// What the other side said; for people.
    pub detail: String,
    /// Not before; or when it was settled.
    pub at: Instant,
    /// Whether the mail as sent is kept.
    pub has_mail: bool,
}

/// Something that waits for a person to look at it: `flowloom/held/1` has a list of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldRow {
    /// Whose.
    pub contact: ContactId,
    /// Of which flow.
    pub flow: FlowId,
    /// At which node.
    pub node: NodeId,
    /// `held` (a step or a send) or `unknown` (a send that may have left).
    pub what: SmolStr,
    /// What to name in `retry`: a send key as text, also for held steps.
    pub key: String,
    /// Why.
    pub reason: Reason,
    /// For people.
    pub detail: String,
    /// Since.
    pub since: Instant,
}

/// A contact that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its id.
    pub id: ContactId,
    /// Its address.
    pub email: Option<SmolStr>,
}
