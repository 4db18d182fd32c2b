//! What is seen of a running engine, as JSON objects with a `schema` key: fields are added, never renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{store::MoveRow, work::Standing};
use crate::{
    audience::{Contact, Event},
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
    /// Per source (`events` of the API, of `hooks`, `pages` and `files`, `timers`, `hand_overs`): how late decisions
    /// were in the last hour, in milliseconds.
    pub latency: BTreeMap<SmolStr, Latency>,
    /// What people should look at, in words; empty where all is well.
    pub warnings: Vec<String>,
    /// Requests that could not be understood and lie in `DIR/aside` (SEMANTICS R31); filled by intake.
    #[serde(default)]
    pub aside: u64,
    /// Contacts that cannot be read: nothing is decided and sent for them.
    #[serde(default)]
    pub damaged: u64,
    /// The first of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged_contacts: Vec<DamagedContact>,
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

/// Over this a decision was late, in milliseconds. Source: SEMANTICS R2.
pub const LATE_MILLIS: u64 = 10_000;

impl Latency {
    /// What people should know of it, where it was late. `scale` is how many times as fast time passes: there,
    /// a moment seems long, and single ones are no news.
    pub fn warning(&self, source: &str, scale: f64) -> Option<String> {
        let what = match source {
            "events" => "Events",
            "hooks" => "Events of webhooks",
            "pages" => "Clicks and opens",
            "files" => "Events of files",
            "timers" => "Timers",
            _ => "Hand-overs",
        };
        let seconds = |millis: u64| (millis as f64 / scale.max(1.0) / 100.0).round() / 10.0;
        if self.p99 as f64 / scale.max(1.0) > LATE_MILLIS as f64 {
            return Some(format!("{what} are late: one in a hundred by more than {} s", seconds(self.p99)));
        }
        let times = if self.over_10_s == 1 { "time" } else { "times" };
        (self.over_10_s > 0 && scale <= 1.0).then(|| {
            let most = seconds(self.max);
            format!("{what} were more than 10 s late {} {times} in the last hour, at most {most} s", self.over_10_s)
        })
    }
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
    /// Messages, calls and alerts of it that are held at their hand-over; their journeys have gone on, mostly.
    #[serde(default)]
    pub held_sends: i64,
    /// Those that may have left: nobody knows.
    #[serde(default)]
    pub unknown_sends: i64,
}

impl NodeStatus {
    /// People and sends of it that wait for somebody to look at them.
    pub fn open(&self) -> i64 {
        self.held + self.held_sends + self.unknown_sends
    }
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
    /// The address it has takes no mail: another one would, and texts still leave.
    #[serde(default)]
    pub bounced: bool,
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

/// Everything that is known of a person (GDPR, articles 15 and 20): `flowloom/export/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// Always `flowloom/export/1`.
    pub schema: SmolStr,
    /// The person, with the whole trace.
    pub contact: ContactView,
    /// What was said of their profile, oldest first: the whole at first, then each change.
    pub profile: Vec<ProfileView>,
    /// Codes that were given to them, by pool.
    pub codes: Vec<CodeView>,
    /// Their events, oldest first.
    pub events: Vec<Event>,
    /// Their mails as they left, oldest first.
    pub mails: Vec<MailView>,
}

/// A mail as it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailView {
    /// Its send key.
    pub key: String,
    /// The whole mail (RFC 5322).
    pub eml: String,
}

/// A code that was given to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    /// The pool it was taken from.
    pub pool: String,
    /// The code.
    pub code: String,
}

/// A profile, or a change of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileView {
    /// When it was taken.
    pub at: Instant,
    /// As it stands in the store.
    pub profile: serde_json::Value,
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

/// What somebody did by hand: `flowloom/audit/1` has a list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When.
    pub at: Instant,
    /// With whom; `None` where it was told to a flow or to the engine.
    pub contact: Option<ContactId>,
    /// By whom, as far as they said.
    pub who: String,
    /// What was done.
    pub what: String,
}

/// A contact that cannot be read. It is left in peace until the store is brought back, or the contact forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedContact {
    /// Which.
    pub contact: ContactId,
    /// Why.
    pub why: String,
    /// Since when that is known.
    pub since: Instant,
}

/// What helps where contacts cannot be read.
pub const MEND_DAMAGED: &str =
    "Stop the engine and bring back the last backup (flowloom restore FILE), or forget them (flowloom forget ID)";

/// Where journeys would go: `flowloom/migrate/1` has a list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveView {
    /// Where they stand.
    pub from: NodeId,
    /// Where they would stand in the live version; they would end where there is none.
    pub to: Option<NodeId>,
    /// How many.
    pub journeys: u64,
}

impl From<MoveRow> for MoveView {
    fn from((from, to, journeys): MoveRow) -> Self {
        Self { from, to, journeys }
    }
}

/// A contact that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its id.
    pub id: ContactId,
    /// Its address.
    pub email: Option<SmolStr>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(p99: u64, over_10_s: u64, scale: f64, expected: Option<&str>) {
        let latency = Latency { count: 9, p50: 1, p99, max: p99.max(12_340), over_10_s };
        assert_eq!(latency.warning("timers", scale).as_deref(), expected);
    }

    #[test]
    fn what_is_late_is_said() {
        check(900, 0, 1.0, None);
        check(12_340, 3, 1.0, Some("Timers are late: one in a hundred by more than 12.3 s"));
        check(900, 1, 1.0, Some("Timers were more than 10 s late 1 time in the last hour, at most 12.3 s"));
        // A moment, where an hour is a second.
        check(36_000, 3, 3_600.0, None);
    }
}
