//! What is remembered of one contact: facts, armed triggers, journeys, sends, timers (SEMANTICS R0).

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::flowset::{FlowSet, Version};
use crate::{
    audience::{Channel, Contact, Event, EventLog, Facts, condition::EntryFacts},
    base::{FlowId, Instant, JourneyId, MessageId, NodeId, SendKey, Span, VersionHash, Zone, hash},
    kinds::{Cooldown, runtime::Reason},
};

/// The actor. One writer at a time; drivers store it between inputs.
#[derive(Clone, Debug)]
pub struct ContactState {
    /// The latest instant it has seen.
    pub now: Instant,
    /// The profile.
    pub contact: Contact,
    /// The history.
    pub log: EventLog,
    /// Never to be written to, wherever.
    pub suppressed: bool,
    /// Addresses that take no mail, in lower case, the latest last; the person may have another one (SEMANTICS R22).
    pub bounced: Vec<SmolStr>,
    /// Live flows, in flow order.
    pub(super) live: Vec<Live>,
    pub(super) triggers: BTreeMap<TriggerKey, TriggerState>,
    /// The day on the contact's wall on which a date last fired.
    pub(super) fired: BTreeMap<TriggerKey, jiff::civil::Date>,
    /// Journeys in the order of entry; ended ones stay while a conversion may be credited to them.
    pub journeys: Vec<Journey>,
    /// Earlier entries, for each flow that ever let the contact in.
    pub(super) past: Vec<(FlowId, Past)>,
    /// Messages intended, oldest first; they count for caps, cooldowns and breakers.
    pub sends: Vec<Send>,
    /// Latest first, so that the next one is at the end.
    pub(super) timers: Vec<Timer>,
    pub(super) seq: u64,
    /// When a timer decided something last.
    pub(super) decided: Instant,
    pub(super) winners: BTreeMap<(FlowId, NodeId), SmolStr>,
    /// Messages that were due until then are held: the state was brought back from a copy (SEMANTICS R26).
    pub(super) restored: Option<Instant>,
    pub(super) zone: Option<Zone>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Live {
    pub flow: FlowId,
    pub version: VersionHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub draining: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pause {
    pub since: Instant,
    pub freeze: bool,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct TriggerKey {
    pub flow: FlowId,
    pub alternative: usize,
    pub key: SmolStr,
    /// Tells clocks of one key apart where each A adds one.
    pub nth: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TriggerState {
    /// A clock runs; the event that armed it.
    Armed(Option<Arc<Event>>),
    /// What a watched condition was.
    Was(bool),
}

/// Earlier entries into a flow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Past {
    pub entries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_entry: Option<Instant>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub keys: std::collections::BTreeSet<SmolStr>,
}

/// One contact's way through one flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Journey {
    /// Fixed at entry.
    pub id: JourneyId,
    /// The flow.
    pub flow: FlowId,
    /// The version it entered with.
    pub version: VersionHash,
    /// Which alternative let it in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alternative: usize,
    /// The event of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Arc<Event>>,
    /// When it began.
    pub entered: Instant,
    /// The re-entry key's value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: SmolStr,
    /// Place of the node it stands at.
    pub node: usize,
    /// What it waits for there.
    pub waiting: Waiting,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Instant, End)>,
    /// Whether it converted, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted: Option<Instant>,
    pub(super) arrived: Instant,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) shift_millis: i64,
    /// By how much the end of its wait was moved since it arrived, besides what moved `arrived`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) moved_millis: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) passes: Vec<(usize, u32)>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) arms: Vec<(usize, usize)>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) skip_messages: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) hops: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_message: Option<Instant>,
    /// When the message step was reached, for its age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Instant>,
}

/// What a journey waits for at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Nothing: it is on its way or has ended.
    No,
    /// An instant.
    Until(Instant),
    /// An event, or an instant.
    Event(Instant),
    /// Another try to send.
    Retry(Instant),
    /// The answer to a call, or an instant.
    Answer(Instant),
    /// Somebody who looks at it.
    Held(Reason),
}

/// How a journey ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// At the end of a path.
    Completed,
    /// At an exit node, with its reason.
    ExitNode(SmolStr),
    /// The goal was reached.
    Goal,
    /// The exit condition held, or the trigger's own exit.
    Exit,
    /// Required consent was lost.
    Consent,
    /// A message's conflict rule, or a past date, said leave.
    Left(Reason),
    /// A new journey took its place.
    Restarted,
    /// By hand, or its node is gone in a new version.
    Removed,
    /// Came to one node too often.
    PassLimit,
}

impl End {
    /// The word in traces.
    pub fn name(&self) -> &str {
        match self {
            Self::Completed => "completed",
            Self::ExitNode(reason) if reason.is_empty() => "exit_node",
            Self::ExitNode(reason) => reason,
            Self::Goal => "goal",
            Self::Exit => "exit",
            Self::Consent => "no_consent",
            Self::Left(reason) => reason.name(),
            Self::Restarted => "restarted",
            Self::Removed => "removed",
            Self::PassLimit => "pass_limit",
        }
    }

    /// Why an intent of the ended journey must not leave any more; `None` where it may.
    pub(super) fn stops_sends(&self) -> Option<Reason> {
        match self {
            Self::Completed | Self::ExitNode(_) | Self::Left(_) | Self::PassLimit => None,
            Self::Goal => Some(Reason::Goal),
            Self::Exit => Some(Reason::Exit),
            Self::Consent => Some(Reason::NoConsent),
            Self::Restarted | Self::Removed => Some(Reason::NotInFlow),
        }
    }
}

/// A message that was intended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Send {
    /// Its key.
    pub key: SendKey,
    /// Of which flow.
    pub flow: FlowId,
    /// On which channel.
    pub channel: Channel,
    /// Where its place in the windows stands.
    pub at: Instant,
    /// When its step was reached; its age counts from here.
    pub since: Instant,
    /// What became of it so far.
    pub status: Status,
    /// The message and variant.
    pub message: (MessageId, SmolStr),
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) transactional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cooldown: Option<Cooldown>,
    pub(super) latest_age: Span,
    /// How late its driver was with it so far, in milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) late_millis: i64,
    pub(super) node: usize,
    /// The version whose message it is.
    pub version: VersionHash,
}

/// What became of a send so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Intended, not known to be handed over.
    Pending,
    /// Handed over.
    Sent,
    /// May have left; counts as sent.
    Unknown,
    /// Held at the hand-over, until resumed.
    Held(Reason),
    /// Its place is free again.
    Released,
}

impl Send {
    /// Whether it counts for caps, cooldowns and breakers.
    pub(super) fn counts(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Sent | Status::Unknown)
    }

    /// Whether it has left, as far as anybody knows.
    pub(super) fn may_have_left(&self) -> bool {
        matches!(self.status, Status::Sent | Status::Unknown)
    }

    /// Whether its place is taken at `now`. One that moved ahead by its jitter because its driver was late keeps the
    /// place meanwhile: it may be on its way over a slow line (SEMANTICS R23, R26).
    pub(super) fn holds_at(&self, now: Instant) -> bool {
        self.at <= now || self.late_millis > 0 && self.at.since(now) <= hash::MOST_JITTER_MILLIS
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Timer {
    pub due: Instant,
    pub seq: u64,
    pub what: TimerWhat,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimerWhat {
    /// An armed trigger.
    Trigger(TriggerKey),
    /// A watched condition may change by time.
    Watch(FlowId, usize),
    /// The journey's wait ends, or it tries again.
    Step(JourneyId),
    /// The journey's goal or exit condition may change by time.
    Recheck(JourneyId),
}

/// Addresses of one contact that are remembered as bounced. Source: assumption.
const MOST_BOUNCED: usize = 20;

/// An address as addresses are compared.
fn address(email: &str) -> SmolStr {
    SmolStr::new(email.trim().to_lowercase())
}

/// What is usual is left out of stored states.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ContactState {
    /// A contact of whom nothing has been seen.
    pub fn new(contact: Contact) -> Self {
        let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        Self {
            now: Instant::MIN,
            contact,
            log: EventLog::default(),
            suppressed: false,
            bounced: Vec::new(),
            live: Vec::new(),
            triggers: BTreeMap::new(),
            fired: BTreeMap::new(),
            journeys: Vec::new(),
            past: Vec::new(),
            sends: Vec::new(),
            timers: Vec::new(),
            seq: 0,
            decided: Instant::MIN,
            winners: BTreeMap::new(),
            restored: None,
            zone,
        }
    }

    /// Whether no mail goes to the contact as it is: not to the person, or not to the address.
    pub fn is_suppressed(&self) -> bool {
        self.suppressed || self.is_bounced()
    }

    /// Whether the address it has takes no mail.
    pub fn is_bounced(&self) -> bool {
        self.contact.email.as_deref().is_some_and(|email| self.bounced.contains(&address(email)))
    }

    /// An address takes no mail.
    pub(super) fn bounce(&mut self, email: &str) {
        let email = address(email);
        self.bounced.retain(|known| *known != email);
        self.bounced.push(email);
        if self.bounced.len() > MOST_BOUNCED {
            self.bounced.remove(0);
        }
    }

    /// Whoever was not to be written to is, at the address they have.
    pub(super) fn lift(&mut self) {
        self.suppressed = false;
        let own = self.contact.email.as_deref().map(address);
        self.bounced.retain(|email| Some(email) != own.as_ref());
    }

    /// When it wants to be woken.
    pub fn next_wake(&self) -> Option<Instant> {
        self.timers.last().map(|timer| timer.due)
    }

    /// Its zone, or the workspace's.
    pub fn zone<'a>(&'a self, flows: &'a FlowSet) -> &'a Zone {
        self.zone.as_ref().unwrap_or(&flows.zone)
    }

    /// The journey of that id.
    pub fn journey(&self, id: &JourneyId) -> Option<&Journey> {
        self.journeys.iter().find(|journey| journey.id == *id)
    }

    /// The send of that key.
    pub fn send(&self, key: &SendKey) -> Option<&Send> {
        self.sends.iter().rev().find(|send| send.key == *key)
    }

    /// What conditions may look at.
    pub(super) fn facts<'a>(&'a self, flows: &'a FlowSet, now: Instant, entry: Option<EntryFacts<'a>>) -> Facts<'a> {
        Facts { now, zone: self.zone(flows), contact: &self.contact, log: &self.log, entry, event: None }
    }

    /// Earlier entries into a flow, if there were any.
    pub(super) fn past_of(&self, flow: &FlowId) -> Option<&Past> {
        self.past.iter().find(|(of, _)| of == flow).map(|(_, past)| past)
    }

    /// Earlier entries into a flow, to add one.
    pub(super) fn past_of_mut(&mut self, flow: &FlowId) -> &mut Past {
        let n = self.past.iter().position(|(of, _)| of == flow).unwrap_or_else(|| {
            self.past.push((flow.clone(), Past::default()));
            self.past.len() - 1
        });
        &mut self.past[n].1
    }

    pub(super) fn arm(&mut self, due: Instant, what: TimerWhat) {
        self.seq += 1;
        let seq = self.seq;
        let at = self.timers.partition_point(|timer| (timer.due, timer.seq) > (due, seq));
        self.timers.insert(at, Timer { due, seq, what });
    }

    pub(super) fn disarm(&mut self, what: &TimerWhat) {
        self.timers.retain(|timer| timer.what != *what);
    }

    /// When a timer is due, where it is armed.
    pub(super) fn due_of(&self, what: &TimerWhat) -> Option<Instant> {
        self.timers.iter().find(|timer| timer.what == *what).map(|timer| timer.due)
    }

    pub(super) fn live_of(&self, flow: &FlowId) -> Option<&Live> {
        self.live.iter().find(|live| live.flow == *flow)
    }
}

impl Journey {
    /// What conditions see of the entry.
    pub fn entry(&self) -> EntryFacts<'_> {
        EntryFacts { journey: &self.id, at: self.entered, event: self.event.as_deref() }
    }

    /// Whether it is still under way.
    pub fn is_active(&self) -> bool {
        self.ended.is_none()
    }

    /// The id of the node it stands at.
    pub fn node_id<'a>(&self, version: &'a Version) -> Option<&'a NodeId> {
        version.nodes.get(self.node).map(|node| &node.id)
    }

    /// The key of the step that it stands at. Of a step to which somebody moved it, the first time is meant.
    pub fn key_at(&self, version: &Version) -> Option<SendKey> {
        let node = self.node_id(version)?.clone();
        Some(SendKey { journey: self.id.clone(), node, pass: self.pass(self.node).max(1) })
    }

    pub(super) fn count_pass(&mut self, node: usize) -> u32 {
        match self.passes.iter_mut().find(|(n, _)| *n == node) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.passes.push((node, 1));
                1
            }
        }
    }

    /// How often it has come to a node, by the node's place; 0 where it never has.
    pub fn pass(&self, node: usize) -> u32 {
        self.passes.iter().find(|(n, _)| *n == node).map_or(0, |(_, count)| *count)
    }
}
