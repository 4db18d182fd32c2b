//! Weighted points per behaviour, each with its own filter and half-life, layered up (DESIGN 3).
//!
//! The one idea: points are whole millionths and fade by a table of whole numbers, so that a score is the same to
//! the last digit on every machine (SEMANTICS R3). Deliberately not here: thresholds and edges (triggers own them).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    condition::{Book, CompareOp, Compiler, ConditionText, Facts, Node, Truth, next_change},
    contact::Event,
};
use crate::base::{Instant, Span};

/// A score model of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreModel {
    /// Its name, unique in the workspace.
    pub name: SmolStr,
    /// What adds points.
    pub signals: Vec<Signal>,
}

/// One behaviour that adds points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The metric.
    pub event: SmolStr,
    /// Which events of it count; `event.…` is the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
    /// Points for each such event, -1,000,000..=1,000,000.
    pub points: f64,
    /// After this long an event is worth half; without it points never fade. Exact spans or days (of 24 h) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life: Option<Span>,
    /// The most points this signal gives; no limit where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

/// Points are added in millionths, so that ten times 0.1 is 1.
const MICRO: f64 = 1_000_000.0;
/// A half-life is cut into this many steps; between two of them the curve is straight (error below 1 part in
/// 1,000,000, and every whole half-life is exact).
const STEPS: i64 = 256;
/// Bits after the point in the table of decay.
const BITS: u32 = 32;
/// After so many half-lives nothing is left of the largest score a log can give (10,000 events of 1,000,000 points).
const LAST_HALF_LIFE: i64 = 60;
/// How often a search for a crossing may look at the score.
const MAX_LOOKS: usize = 600;

/// 2^(-k/256) for k in 0..=256, with 32 bits after the point, from integer square roots alone, so that every
/// machine fades alike (SEMANTICS R3).
static DECAY: [u64; STEPS as usize + 1] = decay_table();

const fn decay_table() -> [u64; STEPS as usize + 1] {
    // roots[n] = 2^(-1/2^(n+1)) with 62 bits after the point; each is the square root of the one before.
    let mut roots = [0_u128; 8];
    let mut root: u128 = 1 << 61;
    let mut n = 0;
    while n < 8 {
        root = (root << 62).isqrt();
        roots[n] = root;
        n += 1;
    }
    let mut table = [0_u64; STEPS as usize + 1];
    let mut k = 0;
    while k < STEPS as usize {
        let mut product: u128 = 1 << 62;
        let mut bit = 0;
        while bit < 8 {
            if k & (128 >> bit) != 0 {
                product = (product * roots[bit]) >> 62;
            }
            bit += 1;
        }
        table[k] = ((product + (1 << (61 - BITS))) >> (62 - BITS)) as u64;
        k += 1;
    }
    table[STEPS as usize] = 1 << (BITS - 1);
    table
}

/// What is left of `micro` points after `age` milliseconds, rounded towards nothing; it only ever shrinks.
fn faded(micro: i64, age: i64, half_life: Option<i64>) -> i64 {
    let Some(half_life) = half_life else { return micro };
    let age = age.max(0);
    let halves = age / half_life;
    if halves > LAST_HALF_LIFE {
        return 0;
    }
    let within = i128::from(age % half_life) * i128::from(STEPS);
    let half_life = i128::from(half_life);
    let step = (within / half_life) as usize;
    let (here, next) = (i128::from(DECAY[step]), i128::from(DECAY[step + 1]));
    let factor = here - (here - next) * (within % half_life) / half_life;
    (i128::from(micro) * factor / (1_i128 << (BITS as i64 + halves))) as i64
}

/// A score model ready to be asked: filters compiled, points and half-lives as whole numbers.
#[derive(Clone, Debug)]
pub struct CompiledScore {
    signals: Vec<CompiledSignal>,
}

#[derive(Clone, Debug)]
struct CompiledSignal {
    metric: SmolStr,
    filter: Option<Node>,
    timeless_filter: bool,
    micro: i64,
    half_life: Option<i64>,
    at_most: Option<i64>,
}

impl CompiledScore {
    /// Compiles a model; names in filters are looked up in the book.
    pub fn new(model: &ScoreModel, book: &Book<'_>) -> Self {
        Self::with_compiler(model, &mut Compiler::new(book))
    }

    pub(super) fn with_compiler(model: &ScoreModel, compiler: &mut Compiler<'_>) -> Self {
        let signal = |signal: &Signal| {
            let filter = signal.filter.as_ref().map(|filter| compiler.text(filter));
            CompiledSignal {
                metric: signal.event.clone(),
                timeless_filter: filter.as_ref().is_none_or(Node::is_timeless),
                filter,
                micro: to_micro(signal.points.clamp(-1e6, 1e6)),
                half_life: signal.half_life.map(Span::about_millis).filter(|millis| *millis > 0),
                at_most: signal.at_most.map(to_micro),
            }
        };
        Self { signals: model.signals.iter().map(signal).collect() }
    }

    /// The points at `facts.now`, exact to a millionth. Events that happened later than now do not count yet.
    pub fn value(&self, facts: &Facts<'_>) -> f64 {
        self.micro(facts) as f64 / MICRO
    }

    /// The points that each signal gives at `facts.now`, in the order of the model; for explaining a score.
    pub fn parts(&self, facts: &Facts<'_>) -> Vec<f64> {
        self.signals.iter().map(|signal| signal.micro(facts) as f64 / MICRO).collect()
    }

    /// Compares the points at `facts.now`.
    pub fn compare(&self, facts: &Facts<'_>, op: CompareOp, points: f64) -> Truth {
        holds(self.micro(facts), op, to_micro(points))
    }

    /// The metrics whose events add points.
    pub fn metrics(&self) -> BTreeSet<SmolStr> {
        let mut metrics = BTreeSet::new();
        self.metrics_into(&mut metrics);
        metrics
    }

    pub(super) fn metrics_into(&self, metrics: &mut BTreeSet<SmolStr>) {
        for signal in &self.signals {
            metrics.insert(signal.metric.clone());
            if let Some(filter) = &signal.filter {
                filter.metrics(metrics);
            }
        }
    }

    fn micro(&self, facts: &Facts<'_>) -> i64 {
        self.signals.iter().fold(0, |sum, signal| sum.saturating_add(signal.micro(facts)))
    }

    /// The next instant strictly after `facts.now` at which fading alone, or an event that happened a little in the
    /// future, may turn the comparison; `None` if nothing does.
    ///
    /// It may be too early, and it is never too late but where points of both signs fade against each other so
    /// closely that the search is given up: then it is one minute on.
    pub fn next_crossing(&self, facts: &Facts<'_>, op: CompareOp, points: f64) -> Option<Instant> {
        let soon = facts.now.plus_millis(1);
        let mut next: Option<Instant> = None;
        let mut sooner = |at: Option<Instant>| next = [next, at].into_iter().flatten().min();
        let mut fading: Vec<(&CompiledSignal, Vec<(Instant, i64)>)> = Vec::new();
        let mut until = facts.now;
        for signal in &self.signals {
            sooner(facts.log.between(&signal.metric, soon, Instant::MAX).first().map(|event| event.happened));
            let past = facts.log.between(&signal.metric, Instant::MIN, facts.now);
            if let (Some(filter), false) = (&signal.filter, signal.timeless_filter) {
                for event in past {
                    sooner(next_change::of(filter, &Facts { event: Some(event), ..*facts }));
                }
            }
            let events = past.iter().filter(|event| signal.counts(facts, event));
            let events: Vec<(Instant, i64)> = events.map(|event| (event.happened, signal.micro)).collect();
            if let (Some(half_life), Some((last, _))) = (signal.half_life, events.last()) {
                until = until.max(last.plus_millis(half_life.saturating_mul(LAST_HALF_LIFE + 1)));
            }
            fading.push((signal, events));
        }
        let curve = Curve { fading, op, points: to_micro(points), looks: 0.into() };
        if until > facts.now {
            sooner(curve.first_turn(facts.now, until));
        }
        next
    }
}

impl CompiledSignal {
    fn counts(&self, facts: &Facts<'_>, event: &Event) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.eval(&Facts { event: Some(event), ..*facts }).is_yes())
    }

    fn micro(&self, facts: &Facts<'_>) -> i64 {
        let events = facts.log.between(&self.metric, Instant::MIN, facts.now);
        let sum = events.iter().filter(|event| self.counts(facts, event)).fold(0_i64, |sum, event| {
            sum.saturating_add(faded(self.micro, facts.now.since(event.happened), self.half_life))
        });
        self.at_most.map_or(sum, |most| sum.min(most))
    }
}

fn to_micro(points: f64) -> i64 {
    // `as` saturates, and NaN becomes 0.
    (points * MICRO).round() as i64
}

fn holds(micro: i64, op: CompareOp, points: i64) -> Truth {
    op.holds(micro.cmp(&points)).map_or(Truth::Unknown, Truth::from)
}

/// A score over time while nothing happens: what rises it and what lowers it both only fade.
struct Curve<'s> {
    fading: Vec<(&'s CompiledSignal, Vec<(Instant, i64)>)>,
    op: CompareOp,
    points: i64,
    looks: std::cell::Cell<usize>,
}

impl Curve<'_> {
    /// Points above and below nothing at an instant; the first only falls over time, the second only rises.
    fn at(&self, at: Instant) -> (i64, i64) {
        self.looks.set(self.looks.get() + 1);
        let (mut above, mut below) = (0_i64, 0_i64);
        for (signal, events) in &self.fading {
            let sum = events.iter().fold(0_i64, |sum, (happened, micro)| {
                sum.saturating_add(faded(*micro, at.since(*happened), signal.half_life))
            });
            let sum = signal.at_most.map_or(sum, |most| sum.min(most));
            // A signal's points have one sign and fade; a limit below them keeps them level, which is as good.
            if signal.micro >= 0 { above = above.saturating_add(sum) } else { below = below.saturating_add(sum) }
        }
        (above, below)
    }

    fn first_turn(&self, from: Instant, until: Instant) -> Option<Instant> {
        let (start, end) = (self.at(from), self.at(until));
        let now = holds(start.0.saturating_add(start.1), self.op, self.points);
        self.search(from, start, until, end, now)
    }

    /// The first instant in `from < t <= until` at which the comparison is not `now`, which it is at `from`.
    fn search(&self, from: Instant, start: (i64, i64), until: Instant, end: (i64, i64), now: Truth) -> Option<Instant> {
        let (least, most) = (end.0.saturating_add(start.1), start.0.saturating_add(end.1));
        let same = |micro| holds(micro, self.op, self.points) == now;
        // Between two values that compare alike, all in between do, but for the one point of `=`.
        let around = least <= self.points && self.points <= most;
        if same(least) && same(most) && !(around && matches!(self.op, CompareOp::Eq | CompareOp::Ne) && least != most) {
            return None;
        }
        let millis = until.since(from);
        if millis <= 1 {
            return (!same(end.0.saturating_add(end.1))).then_some(until);
        }
        if self.looks.get() >= MAX_LOOKS {
            return Some(until.min(from.plus_millis(60_000)));
        }
        let middle = from.plus_millis(millis / 2);
        let halfway = self.at(middle);
        // The comparison may turn and turn back before the middle; the interval test above sees that.
        self.search(from, start, middle, halfway, now).or_else(|| {
            if same(halfway.0.saturating_add(halfway.1)) {
                self.search(middle, halfway, until, end, now)
            } else {
                Some(middle)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        audience::{Contact, EventLog, Properties, Value},
        base::Zone,
    };

    const HOUR: i64 = 3_600_000;

    /// The score of one model over events `(name, hours, a)`, asked at some hour, and when it crosses the threshold.
    fn check(signals: &str, events: &[(&str, i64, f64)], hour: f64, points: f64, turns: Option<(&str, f64, f64)>) {
        let model: ScoreModel =
            serde_json::from_str(&format!(r#"{{"name":"m","signals":{signals}}}"#)).expect("a model");
        let (segments, scores, constants) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let score = CompiledScore::new(&model, &Book { segments: &segments, scores: &scores, constants: &constants });
        let mut log = EventLog::default();
        for (n, (name, hours, a)) in events.iter().enumerate() {
            let at = Instant::from_millis(hours * HOUR);
            let properties = Properties::from([("a".into(), Value::Number(*a))]);
            log.record(Arc::new(Event {
                id: n.to_string().as_str().into(),
                contact: "ada".into(),
                name: (*name).into(),
                happened: at,
                accepted: at,
                properties,
            }));
        }
        let (zone, contact) = (Zone::utc(), Contact::new("ada"));
        let now = Instant::from_millis((hour * HOUR as f64) as i64);
        let facts = Facts { now, zone: &zone, contact: &contact, log: &log, entry: None, event: None };
        let value = score.value(&facts);
        assert!((value - points).abs() < 2e-6, "{signals} at {hour}: {value}, not {points}");
        if let Some((op, threshold, expected)) = turns {
            let op = if op == ">=" { CompareOp::Ge } else { CompareOp::Lt };
            let next =
                score.next_crossing(&facts, op, threshold).map_or(-1.0, |at| at.as_millis() as f64 / HOUR as f64);
            assert!((next - expected).abs() < 0.01, "{signals} {threshold}: turns at {next}, not {expected}");
        }
    }

    #[test]
    fn points_add_up_and_fade() {
        let flat = r#"[{"event":"X","points":0.1}]"#;
        check(flat, &[("X", 0, 0.0); 3], 5.0, 0.3, Some((">=", 0.2, -1.0)));
        let day = r#"[{"event":"X","points":10,"half_life":"24 h"}]"#;
        check(day, &[("X", 0, 0.0)], 0.0, 10.0, Some((">=", 5.0, 24.0)));
        check(day, &[("X", 0, 0.0)], 24.0, 5.0, None);
        check(day, &[("X", 0, 0.0)], 12.0, 7.071_068, None);
        check(day, &[("X", 0, 0.0)], 240.0, 0.009_766, None);
        check(day, &[("X", 0, 0.0)], 24.0 * 80.0, 0.0, None);
        // Events that are still to come enter by themselves
        check(day, &[("X", 0, 0.0), ("X", 48, 0.0)], 24.0, 5.0, Some((">=", 9.0, 48.0)));
        let capped = r#"[{"event":"X","points":10,"half_life":"1 day","at_most":15},{"event":"Y","points":1,"filter":"event.a > 2"}]"#;
        check(
            capped,
            &[("X", 0, 0.0), ("X", 0, 0.0), ("Y", 0, 3.0), ("Y", 0, 1.0)],
            0.0,
            16.0,
            Some((">=", 11.0, 24.0)),
        );
        let mixed = r#"[{"event":"X","points":10,"half_life":"48 h"},{"event":"Y","points":-10,"half_life":"24 h"}]"#;
        // 10·2^(-t/48) - 10·2^(-t/24) is 2.5 at its peak, at 48 h, and 1.875 at 96 h
        check(mixed, &[("X", 0, 0.0), ("Y", 0, 0.0)], 0.0, 0.0, Some((">=", 1.875, 19.93)));
        check(mixed, &[("X", 0, 0.0), ("Y", 0, 0.0)], 48.0, 2.5, Some((">=", 1.875, 96.0)));
        check(mixed, &[("X", 0, 0.0), ("Y", 0, 0.0)], 96.0, 1.875, None);
    }

    /// Frozen: other numbers would move the thresholds of every running flow.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the yardstick need not be exact on every machine")]
    fn the_table_is_frozen() {
        assert_eq!(DECAY[0], 1 << 32);
        assert_eq!(DECAY[256], 1 << 31);
        assert_eq!(DECAY[128], 3_037_000_500);
        assert_eq!(DECAY[64], 3_611_622_603);
        assert!(DECAY.windows(2).all(|pair| pair[0] > pair[1]));
        // Against the true curve
        for age in 0..1_000 {
            let exact = 1e6 * MICRO * (-f64::from(age) / 300.0).exp2();
            let ours = faded(1_000_000_000_000, age.into(), Some(300)) as f64;
            assert!((exact - ours).abs() < exact * 2e-6 + 1.0, "{age}: {ours}, not {exact}");
        }
    }
}
