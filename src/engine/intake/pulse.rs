//! How the engine is doing, as numbers in memory: for `/metrics` (Prometheus' text format) and for the status.
//!
//! The one idea: whoever does something adds to an atomic, and whoever looks reads; nobody waits. All counts of
//! `/metrics` begin at the start of the process. The status tells how late decisions of the last hour were: an import
//! of old events is news for as long.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use smol_str::SmolStr;
use tokio::time::Instant;

pub use crate::engine::work::{Source, Way};
use crate::{
    engine::status::{LATE_MILLIS, Latency},
    kinds::runtime::Outcome,
};

/// Upper ends of the classes of latency, in milliseconds; the last class is open. Source: assumption; about three
/// classes per factor of ten, with the limits of 50 ms and 10 s that are looked at among them.
const LATENCY_ENDS: [u64; 16] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, LATE_MILLIS, 60_000, 600_000, 3_600_000];
/// Upper ends of the classes of batch sizes.
const BATCH_ENDS: [u64; 7] = [1, 5, 10, 50, 100, 500, 1_000];

/// What became of items of one way.
#[derive(Debug, Default)]
struct Items {
    accepted: AtomicU64,
    duplicate: AtomicU64,
    refused: AtomicU64,
    ignored: AtomicU64,
}

/// What was said to a request, by the hundreds of its status.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
const OUTCOMES: [Outcome; 5] = [Outcome::Sent, Outcome::Skipped, Outcome::Refused, Outcome::Held, Outcome::Unknown];

#[derive(Debug)]
struct Histogram<const N: usize> {
    ends: [u64; N],
    counts: [AtomicU64; N],
    over: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    fn new(ends: [u64; N]) -> Self {
        let zero = || AtomicU64::new(0);
        Self { ends, counts: std::array::from_fn(|_| zero()), over: zero(), sum: zero(), max: zero() }
    }

    fn add(&self, value: u64) {
        let class = self.ends.partition_point(|end| *end < value);
        self.counts.get(class).unwrap_or(&self.over).fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
        self.max.fetch_max(value, Relaxed);
    }

    fn add_all(&self, other: &Self) {
        for (count, more) in self.counts.iter().chain([&self.over]).zip(other.counts()) {
            count.fetch_add(more, Relaxed);
        }
        self.sum.fetch_add(other.sum.load(Relaxed), Relaxed);
        self.max.fetch_max(other.max.load(Relaxed), Relaxed);
    }

    /// Counts by class, the open one last.
    fn counts(&self) -> Vec<u64> {
        self.counts.iter().chain([&self.over]).map(|count| count.load(Relaxed)).collect()
    }

    /// The upper end of the class in which the share lies; the largest value for the open class.
    fn quantile(&self, per_hundred: u64) -> u64 {
        let counts = self.counts();
        let wanted = (counts.iter().sum::<u64>() * per_hundred).div_ceil(100);
        let mut seen = 0;
        let max = self.max.load(Relaxed);
        for (count, end) in counts.iter().zip(&self.ends) {
            seen += count;
            if seen >= wanted {
                return (*end).min(max);
            }
        }
        max
    }
}

/// The last hour is known in so many parts; the oldest goes as a whole.
const PARTS: usize = 6;
/// How long a part is.
const PART: Duration = Duration::from_secs(600);

/// Lateness by source in some minutes of the machine's time.
#[derive(Debug)]
struct Part {
    /// The number of the part since the start.
    number: u64,
    latency: [Histogram<16>; Source::NUM],
    late: [AtomicU64; Source::NUM],
}

impl Part {
    fn new(number: u64) -> Self {
        Self { number, latency: std::array::from_fn(|_| Histogram::new(LATENCY_ENDS)), late: Default::default() }
    }
}

/// Lateness in the last hour. Only the writer adds to it, so that it waits for nobody but those who look.
#[derive(Debug, Default)]
struct LastHour(Vec<Part>);

impl LastHour {
    /// The part that an instant since the start falls into; what is older than an hour is forgotten.
    fn part(&mut self, since_start: Duration) -> Option<&Part> {
        let number = since_start.as_secs() / PART.as_secs();
        self.0.retain(|part| part.number + PARTS as u64 > number);
        if self.0.last().is_none_or(|part| part.number < number) {
            self.0.push(Part::new(number));
        }
        self.0.last()
    }

    fn add(&mut self, source: Source, millis: u64, since_start: Duration) {
        let Some(part) = self.part(since_start) else { return };
        part.latency[source.index()].add(millis);
        if millis > LATE_MILLIS {
            part.late[source.index()].fetch_add(1, Relaxed);
        }
    }

    fn latency(&mut self, source: Source, since_start: Duration) -> Latency {
        self.part(since_start);
        let all = Histogram::new(LATENCY_ENDS);
        self.0.iter().for_each(|part| all.add_all(&part.latency[source.index()]));
        Latency {
            count: all.counts().iter().sum(),
            p50: all.quantile(50),
            p99: all.quantile(99),
            max: all.max.load(Relaxed),
            over_10_s: self.0.iter().map(|part| part.late[source.index()].load(Relaxed)).sum(),
        }
    }
}

/// The numbers; shared by all parts of the engine.
#[derive(Debug)]
pub struct Pulse {
    items: [Items; 6],
    requests: [AtomicU64; 4],
    denied: AtomicU64,
    busy: AtomicU64,
    batches: Histogram<7>,
    sends: [AtomicU64; 5],
    latency: [Histogram<16>; Source::NUM],
    late: [AtomicU64; Source::NUM],
    /// When this began.
    start: Instant,
    last_hour: Mutex<LastHour>,
    connections: AtomicU64,
    lost_responses: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            items: Default::default(),
            requests: Default::default(),
            denied: zero(),
            busy: zero(),
            batches: Histogram::new(BATCH_ENDS),
            sends: Default::default(),
            latency: std::array::from_fn(|_| Histogram::new(LATENCY_ENDS)),
            late: Default::default(),
            start: Instant::now(),
            last_hour: Mutex::default(),
            connections: zero(),
            lost_responses: zero(),
        }
    }
}

impl Pulse {
    /// Items were answered.
    pub fn items(&self, way: Way, accepted: u64, duplicate: u64, refused: u64) {
        let items = &self.items[way as usize];
        items.accepted.fetch_add(accepted, Relaxed);
        items.duplicate.fetch_add(duplicate, Relaxed);
        items.refused.fetch_add(refused, Relaxed);
    }

    /// How many items of a way were refused.
    #[cfg(test)]
    pub fn refused_items(&self, way: Way) -> u64 {
        self.items[way as usize].refused.load(Relaxed)
    }

    /// An item was understood and is of no use here (a webhook's topic that no rule asks for).
    pub fn ignored(&self, way: Way) {
        self.items[way as usize].ignored.fetch_add(1, Relaxed);
    }

    /// A request was answered with this status.
    pub fn answered(&self, status: u16) {
        if let Some(count) = self.requests.get(usize::from(status / 100).wrapping_sub(2)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// A request showed no or a wrong key.
    pub fn denied(&self) {
        self.denied.fetch_add(1, Relaxed);
    }

    /// A request was sent away because the writer could not take it.
    pub fn busy(&self) {
        self.busy.fetch_add(1, Relaxed);
    }

    /// The writer committed a batch of so many items.
    pub fn batch(&self, items: u64) {
        self.batches.add(items);
    }

    /// A send was settled.
    pub fn send(&self, outcome: Outcome) {
        if let Some(at) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.sends[at].fetch_add(1, Relaxed);
        }
    }

    /// A decision was so late, in milliseconds of the engine's clock; over [`LATE_MILLIS`] is a warning in the log, as
    /// long as it is news: at the first, second, fourth, eighth, … one.
    pub fn latency(&self, source: Source, millis: u64) {
        self.latency_at(source, millis, self.start.elapsed());
    }

    fn latency_at(&self, source: Source, millis: u64, since_start: Duration) {
        self.last_hour.lock().unwrap_or_else(PoisonError::into_inner).add(source, millis, since_start);
        self.latency[source.index()].add(millis);
        if millis > LATE_MILLIS {
            let late = self.late[source.index()].fetch_add(1, Relaxed) + 1;
            if late.is_power_of_two() {
                tracing::warn!(source = source.name(), millis, late, "a decision came more than 10 s late");
            }
        }
    }

    /// An open or a click could not be kept: the writer was busy, and the reader of the mail does not wait.
    pub fn lost_response(&self) {
        self.lost_responses.fetch_add(1, Relaxed);
    }

    /// A connection was opened.
    pub fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// A connection was closed.
    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// Connections that are open.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// Lateness per source in the last hour; `p50` and `p99` are upper ends of classes.
    pub fn latencies(&self) -> BTreeMap<SmolStr, Latency> {
        self.latencies_at(self.start.elapsed())
    }

    fn latencies_at(&self, since_start: Duration) -> BTreeMap<SmolStr, Latency> {
        let mut last_hour = self.last_hour.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |source: Source| (SmolStr::new_static(source.name()), last_hour.latency(source, since_start));
        Source::ALL.into_iter().map(of).collect()
    }

    /// Everything in Prometheus' text format, version 0.0.4. `waiting`: items in the writer's queue; `aside`: requests
    /// that lie aside.
    pub fn prometheus(&self, waiting: u64, aside: u64) -> String {
        let mut page = Page(String::with_capacity(8_192));
        page.head("flowloom_items_total", "counter", "Events, contacts and histories by way in and answer.");
        for way in Way::ALL {
            let items = &self.items[way as usize];
            for (status, count) in [
                ("accepted", &items.accepted),
                ("duplicate", &items.duplicate),
                ("refused", &items.refused),
                ("ignored", &items.ignored),
            ] {
                let labels = format!("way=\"{}\",status=\"{status}\"", way.name());
                page.line("flowloom_items_total", &labels, count.load(Relaxed));
            }
        }
        page.head("flowloom_requests_total", "counter", "Requests by status class.");
        for (class, count) in CLASSES.iter().zip(&self.requests) {
            page.line("flowloom_requests_total", &format!("class=\"{class}\""), count.load(Relaxed));
        }
        page.one("flowloom_denied_total", "counter", "Requests without a valid key.", self.denied.load(Relaxed));
        page.one("flowloom_busy_total", "counter", "Requests told to come back later.", self.busy.load(Relaxed));
        page.one(
            "flowloom_lost_responses_total",
            "counter",
            "Opens and clicks that could not be kept.",
            self.lost_responses.load(Relaxed),
        );
        page.one("flowloom_queue_items", "gauge", "Items that wait for the writer.", waiting);
        page.one("flowloom_connections", "gauge", "Open connections.", self.connections());
        page.one("flowloom_aside", "gauge", "Requests that could not be understood and lie aside.", aside);
        page.head("flowloom_batch_items", "histogram", "Items per commit.");
        page.histogram("flowloom_batch_items", "", &self.batches, 1);
        page.head("flowloom_sends_total", "counter", "Settled messages by outcome.");
        for (outcome, count) in OUTCOMES.iter().zip(&self.sends) {
            page.line("flowloom_sends_total", &format!("outcome=\"{}\"", outcome.name()), count.load(Relaxed));
        }
        page.head("flowloom_latency_seconds", "histogram", "How late decisions were, by source.");
        for source in Source::ALL {
            let labels = format!("source=\"{}\"", source.name());
            page.histogram("flowloom_latency_seconds", &labels, &self.latency[source.index()], 1_000);
        }
        page.head("flowloom_late_total", "counter", "Decisions more than 10 s late, by source.");
        for source in Source::ALL {
            let labels = format!("source=\"{}\"", source.name());
            page.line("flowloom_late_total", &labels, self.late[source.index()].load(Relaxed));
        }
        page.0
    }
}

/// The page in the making; writing to a string cannot fail.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: u64) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(name, "", value);
    }

    /// `per` of the values make one of the unit that is shown.
    fn histogram<const N: usize>(&mut self, name: &str, labels: &str, histogram: &Histogram<N>, per: u64) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut seen = 0;
        for (count, end) in histogram.counts().into_iter().zip(histogram.ends.iter().map(Some).chain([None])) {
            seen += count;
            let end = end.map_or_else(|| "+Inf".to_owned(), |end| shown(*end, per));
            self.line(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{end}\""), seen);
        }
        let sum = shown(histogram.sum.load(Relaxed), per);
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}_sum{braces} {sum}\n{name}_count{braces} {seen}");
    }
}

fn shown(value: u64, per: u64) -> String {
    if per == 1 { value.to_string() } else { (value as f64 / per as f64).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_summed_up() {
        let pulse = Pulse::default();
        for millis in 1..=100 {
            pulse.latency(Source::Event(Way::Events), millis);
        }
        pulse.latency(Source::Event(Way::Events), 12_000);
        let found = pulse.latencies()["events"];
        assert_eq!((found.count, found.p50, found.max, found.over_10_s), (101, 100, 12_000, 1));
        assert_eq!(found.p99, 100);
        assert_eq!(pulse.latencies()["timers"], Latency::default());
        pulse.latency(Source::Event(Way::Hooks), 7);
        assert_eq!((pulse.latencies()["hooks"].max, pulse.latencies()["events"].count), (7, 101), "each way by itself");
    }

    /// No two sources share a place or a name.
    #[test]
    fn sources_are_told_apart() {
        let all = Source::ALL.into_iter();
        let places: std::collections::BTreeSet<_> = all.clone().map(Source::index).collect();
        let names: std::collections::BTreeSet<_> = all.map(Source::name).collect();
        assert_eq!((places.len(), names.len()), (Source::ALL.len(), Source::ALL.len()));
        assert!(places.iter().all(|place| *place < Source::NUM));
    }

    /// What was late is told for an hour, and counted for ever.
    #[test]
    fn lateness_is_news_for_an_hour() {
        let pulse = Pulse::default();
        let at = |minutes: u64| Duration::from_secs(minutes * 60);
        for _ in 0..500 {
            pulse.latency_at(Source::Event(Way::Events), 90_000_000, at(3));
        }
        for minute in 4..55 {
            pulse.latency_at(Source::Event(Way::Events), 3, at(minute));
        }
        let found = |minutes: u64| {
            let found = pulse.latencies_at(at(minutes))["events"];
            (found.count, found.p99, found.max, found.over_10_s)
        };
        assert_eq!(found(55), (551, 90_000_000, 90_000_000, 500));
        assert_eq!(found(59), (551, 90_000_000, 90_000_000, 500));
        assert_eq!(found(60), (45, 3, 3, 0), "the first ten minutes are forgotten");
        assert_eq!(found(60 * 24), (0, 0, 0, 0));
        assert_eq!(pulse.latencies_at(at(60 * 24))["timers"], Latency::default());
        let page = pulse.prometheus(0, 0);
        assert!(page.contains("flowloom_late_total{source=\"events\"} 500\n"), "{page}");
        assert!(page.contains("flowloom_latency_seconds_count{source=\"events\"} 551\n"), "{page}");
    }

    /// Every family has its two head lines and no series stands twice, as Prometheus asks.
    #[test]
    fn the_page_keeps_the_format() {
        let pulse = Pulse::default();
        pulse.items(Way::Hooks, 3, 1, 2);
        pulse.batch(700);
        pulse.latency(Source::Timer, 60_001);
        pulse.answered(202);
        pulse.answered(7);
        pulse.send(Outcome::Unknown);
        let page = pulse.prometheus(5, 1);
        let mut seen = std::collections::BTreeSet::new();
        let mut families = std::collections::BTreeSet::new();
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let mut words = rest.split(' ');
                let (what, name) = (words.next().expect("a word"), words.next().expect("a name"));
                assert!(what == "HELP" || what == "TYPE", "{line}");
                families.insert(name.to_owned());
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect("a value");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(seen.insert(series.to_owned()), "twice: {line}");
            let name = series.split('{').next().expect("a name");
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(families.contains(family), "{line} has no head");
        }
        assert!(page.contains("flowloom_items_total{way=\"hooks\",status=\"accepted\"} 3\n"));
        assert!(page.contains("flowloom_batch_items_bucket{le=\"1000\"} 1\n"));
        assert!(page.contains("flowloom_latency_seconds_bucket{source=\"timers\",le=\"600\"} 1\n"));
        assert!(page.contains("flowloom_latency_seconds_sum{source=\"timers\"} 60.001\n"));
        assert!(page.contains("flowloom_sends_total{outcome=\"unknown\"} 1\n"));
        assert!(page.contains("flowloom_queue_items 5\n"));
    }
}
