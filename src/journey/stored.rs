//! A contact's state as text, for drivers that keep it between inputs.
//!
//! JSON, so that people can look into a store with its own tools; what is usual is left out. The history is not in it:
//! it lies in rows beside the state (SEMANTICS R5), and is handed back in the order of acceptance. A text has a
//! version; older ones are migrated where they are read.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use super::state::{ContactState, Journey, Live, Past, Send, Timer, TriggerKey, TriggerState};
use crate::{
    audience::{Contact, Event, EventLog},
    base::{FlowId, Instant, NodeId, Zone},
};

/// The version of the text that this build writes.
const VERSION: u32 = 1;

/// Generic over how the parts are held, so that one list of names serves both ways.
#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    now: Instant,
    contact: &'a Contact,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    suppressed: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    bounced: &'a [SmolStr],
    live: &'a [Live],
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "pairs")]
    triggers: &'a BTreeMap<TriggerKey, TriggerState>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fired: Vec<(&'a TriggerKey, String)>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    journeys: &'a [Journey],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    past: &'a [(FlowId, Past)],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    sends: &'a [Send],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    timers: &'a [Timer],
    seq: u64,
    decided: Instant,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "pairs")]
    winners: &'a BTreeMap<(FlowId, NodeId), SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<Instant>,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    now: Instant,
    contact: Contact,
    #[serde(default)]
    suppressed: bool,
    #[serde(default)]
    bounced: Vec<SmolStr>,
    #[serde(default)]
    live: Vec<Live>,
    #[serde(default)]
    triggers: Vec<(TriggerKey, TriggerState)>,
    #[serde(default)]
    fired: Vec<(TriggerKey, String)>,
    #[serde(default)]
    journeys: Vec<Journey>,
    #[serde(default)]
    past: Vec<(FlowId, Past)>,
    #[serde(default)]
    sends: Vec<Send>,
    #[serde(default)]
    timers: Vec<Timer>,
    #[serde(default)]
    seq: u64,
    decided: Instant,
    #[serde(default)]
    winners: Vec<((FlowId, NodeId), SmolStr)>,
    #[serde(default)]
    restored: Option<Instant>,
}

/// A map whose keys are no texts, as a list of pairs.
pub(super) fn pairs<K: Serialize, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map)
}

/// The map of a list of pairs.
pub(super) fn from_pairs<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
}

impl ContactState {
    /// The state as text, without the history.
    ///
    /// Errors: none in practice; the writer of JSON says so by its type.
    pub fn to_stored(&self) -> Result<String, String> {
        let written = Written {
            v: VERSION,
            now: self.now,
            contact: &self.contact,
            suppressed: self.suppressed,
            bounced: &self.bounced,
            live: &self.live,
            triggers: &self.triggers,
            fired: self.fired.iter().map(|(key, day)| (key, day.to_string())).collect(),
            journeys: &self.journeys,
            past: &self.past,
            sends: &self.sends,
            timers: &self.timers,
            seq: self.seq,
            decided: self.decided,
            winners: &self.winners,
            restored: self.restored,
        };
        serde_json::to_string(&written).map_err(|error| format!("the state cannot be written: {error}"))
    }

    /// The state of a text, with its history.
    ///
    /// Errors: a sentence, for a text of a newer build and for one that is damaged.
    pub fn from_stored(text: &str, log: EventLog) -> Result<Self, String> {
        let read: Read = serde_json::from_str(text).map_err(|error| format!("the state cannot be read: {error}"))?;
        if read.v > VERSION {
            return Err(format!("the state has version {}, this build reads up to {VERSION}", read.v));
        }
        let mut fired = BTreeMap::new();
        for (key, day) in read.fired {
            fired.insert(key, day.parse().map_err(|error| format!("`{day}` is no date: {error}"))?);
        }
        let zone = read.contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
        Ok(Self {
            now: read.now,
            contact: read.contact,
            log,
            suppressed: read.suppressed,
            bounced: read.bounced,
            live: read.live,
            triggers: read.triggers.into_iter().collect(),
            fired,
            journeys: read.journeys,
            past: read.past,
            sends: read.sends,
            timers: read.timers,
            seq: read.seq,
            decided: read.decided,
            winners: read.winners.into_iter().collect(),
            restored: read.restored,
            zone,
        })
    }
}

/// What a log remembers of events that are dropped: name, how many, when the last one happened.
pub type Forgotten = Vec<(SmolStr, u64, Instant)>;

/// The history of rows, in the order of acceptance, on top of what was dropped before.
pub fn recall(forgotten: Forgotten, events: impl IntoIterator<Item = Arc<Event>>) -> EventLog {
    let mut log = EventLog::after(forgotten);
    for event in events {
        log.record(super::taken(event));
    }
    log
}
