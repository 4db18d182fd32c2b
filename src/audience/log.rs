//! A contact's history: a bounded log of events by metric, and counts that outlive it (SEMANTICS R5).

use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::contact::Event;
use crate::base::{EventId, Instant};

/// How long an event stays in the log, in milliseconds: 400 days. Source: SEMANTICS R5.
pub const LOG_MILLIS: i64 = 400 * 24 * 3_600_000;
/// How many events of one contact the log keeps. Source: SEMANTICS R5.
pub const LOG_EVENTS: usize = 10_000;
/// How long an event id is remembered to ignore a second arrival, in milliseconds: 30 days. Source: SEMANTICS R2.
pub const SEEN_MILLIS: i64 = 30 * 24 * 3_600_000;

/// Up to so many metrics are looked through one by one. Source: assumption.
const FEW_METRICS: usize = 8;

/// Events of one contact, per metric in (happened, id) order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventLog {
    /// By name.
    metrics: Vec<Metric>,
    seen: BTreeMap<EventId, Instant>,
    num_events: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Metric {
    name: SmolStr,
    events: Vec<Arc<Event>>,
    forgotten: u64,
    last: Option<Instant>,
}

impl EventLog {
    /// An empty log that remembers what was dropped: per metric how many, and when the last one happened.
    pub fn after(forgotten: impl IntoIterator<Item = (SmolStr, u64, Instant)>) -> Self {
        let mut log = Self::default();
        for (name, forgotten, last) in forgotten {
            let place = log.metrics.partition_point(|metric| metric.name < name);
            log.metrics.insert(place, Metric { name, events: Vec::new(), forgotten, last: Some(last) });
        }
        log
    }

    /// Adds an event; false where its id has been known for at most 30 days, and then nothing changes.
    pub fn record(&mut self, event: Arc<Event>) -> bool {
        let now = event.accepted;
        if self.knows(&event.id, now) {
            return false;
        }
        self.seen.insert(event.id.clone(), now);
        if self.seen.len() > 64 && self.seen.len().is_power_of_two() {
            self.seen.retain(|_, at| now.since(*at) <= SEEN_MILLIS);
        }
        let place = self.metrics.binary_search_by(|metric| metric.name.cmp(&event.name)).unwrap_or_else(|place| {
            self.metrics.insert(place, Metric { name: event.name.clone(), ..Metric::default() });
            place
        });
        let metric = &mut self.metrics[place];
        metric.last = metric.last.max(Some(event.happened));
        let at = metric.events.partition_point(|e| (e.happened, &e.id) < (event.happened, &event.id));
        metric.events.insert(at, event);
        self.num_events += 1;
        if self.num_events > LOG_EVENTS {
            self.forget(now);
        }
        true
    }

    /// Drops what is older than 400 days, then the oldest tenth where the log is still full; the counts stay.
    fn forget(&mut self, now: Instant) {
        let mut cut = now.plus_millis(-LOG_MILLIS);
        let mut all: Vec<Instant> = self.metrics.iter().flat_map(|m| m.events.iter().map(|e| e.happened)).collect();
        if all.iter().filter(|at| **at >= cut).count() > LOG_EVENTS * 9 / 10 {
            all.sort_unstable();
            cut = cut.max(all[all.len() - LOG_EVENTS * 9 / 10]);
        }
        for metric in &mut self.metrics {
            let gone = metric.events.partition_point(|e| e.happened < cut);
            metric.events.drain(..gone);
            metric.forgotten += gone as u64;
            self.num_events -= gone;
        }
    }

    /// Whether an event of that id would be ignored now (SEMANTICS R2).
    pub fn knows(&self, id: &EventId, now: Instant) -> bool {
        self.seen.get(id).is_some_and(|at| now.since(*at) <= SEEN_MILLIS)
    }

    fn metric(&self, name: &str) -> Option<&Metric> {
        // A handful as a rule: telling names apart is quicker than putting them in order.
        if self.metrics.len() <= FEW_METRICS {
            return self.metrics.iter().find(|metric| metric.name == name);
        }
        let place = self.metrics.binary_search_by(|metric| metric.name.as_str().cmp(name)).ok()?;
        self.metrics.get(place)
    }

    /// Events of a metric, oldest first.
    pub fn of(&self, metric: &str) -> &[Arc<Event>] {
        self.metric(metric).map_or(&[], |m| m.events.as_slice())
    }

    /// Events of a metric that happened in `from..=until`.
    pub fn between(&self, metric: &str, from: Instant, until: Instant) -> &[Arc<Event>] {
        let events = self.of(metric);
        let start = events.partition_point(|e| e.happened < from);
        let end = events.partition_point(|e| e.happened <= until);
        &events[start..end.max(start)]
    }

    /// How many events of a metric were dropped from the log.
    pub fn forgotten(&self, metric: &str) -> u64 {
        self.metric(metric).map_or(0, |m| m.forgotten)
    }

    /// When the last event of a metric happened, forgotten ones included.
    pub fn last(&self, metric: &str) -> Option<Instant> {
        self.metric(metric).and_then(|m| m.last)
    }

    /// All events, by metric and time.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.metrics.iter().flat_map(|m| m.events.iter())
    }

    /// Number of events in the log.
    pub fn len(&self) -> usize {
        self.num_events
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.num_events == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Properties;

    fn event(id: &str, millis: i64) -> Arc<Event> {
        let at = Instant::from_millis(millis);
        Arc::new(Event {
            id: id.into(),
            contact: "ada".into(),
            name: "Viewed".into(),
            happened: at,
            accepted: at,
            properties: Properties::new(),
        })
    }

    #[test]
    fn sorts_and_ignores_doubles() {
        let mut log = EventLog::default();
        assert!(log.record(event("b", 20)));
        assert!(log.record(event("a", 10)));
        assert!(!log.record(event("a", 30)));
        let ids: Vec<&str> = log.of("Viewed").iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(log.between("Viewed", Instant::from_millis(11), Instant::from_millis(20)).len(), 1);
    }

    #[test]
    fn stays_bounded_and_keeps_counts() {
        let mut log = EventLog::default();
        for n in 0..25_000 {
            log.record(event(&n.to_string(), n));
        }
        assert!(log.len() <= LOG_EVENTS);
        assert_eq!(log.of("Viewed").len() as u64 + log.forgotten("Viewed"), 25_000);
        assert_eq!(log.last("Viewed"), Some(Instant::from_millis(24_999)));
    }
}
