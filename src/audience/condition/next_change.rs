//! When time alone may change a condition: events leaving or entering windows, wall-time windows, dates turning,
//! scores fading.
//!
//! The one idea: most changes come when a moving point (`now - 7 days`, the wall clock) passes fixed marks. Where
//! the point moves evenly the passing is computed; where clocks change or months have different lengths, it is
//! searched for to the millisecond. Answers may be too early, never too late.

use super::{
    CompareOp, EventWindow, Facts, Truth,
    compare::{View, compare_numbers},
    compile::{CompiledMeasure, Node, Query, ResponseQuery, Right, Source, in_window},
};
use crate::{
    audience::Event,
    base::{Instant, Span, Window, Zone},
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The next instant strictly after `facts.now` at which the value may change; never too late.
pub(in crate::audience) fn of(node: &Node, facts: &Facts<'_>) -> Option<Instant> {
    match node {
        Node::All(parts) => of_group(parts, facts, Truth::No),
        Node::Any(parts) => of_group(parts, facts, Truth::Yes),
        Node::Not(inner) => of(inner, facts),
        Node::Compare(left, op, Right::Now(span)) => of_now(left, *op, *span, facts),
        Node::Events(query) => of_query(query, facts),
        Node::Response(query) => of_response(query, facts),
        Node::Score(score, op, points) => score.next_crossing(facts, *op, *points),
        Node::LocalTime(window) => of_window(window, facts),
        Node::Compare(_, _, Right::Source(_))
        | Node::Always(_)
        | Node::Unknown
        | Node::IsSet(_)
        | Node::InList(_)
        | Node::Consent(..)
        | Node::Share(..) => None,
    }
}

/// A group keeps its value while one part decides it alone; else the first part to change may change it.
fn of_group(parts: &[Node], facts: &Facts<'_>, decides: Truth) -> Option<Instant> {
    let mut first: Option<Instant> = None;
    let mut decided_until: Option<Instant> = None;
    for part in parts {
        let change = of(part, facts);
        if part.eval(facts) == decides {
            match change {
                None => return None,
                Some(at) => decided_until = decided_until.max(Some(at)),
            }
        }
        first = sooner(first, change);
    }
    decided_until.or(first)
}

fn sooner(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    [a, b].into_iter().flatten().min()
}

// --- events ---

/// The first event after now that may count: it enters when it has happened.
fn entering(facts: &Facts<'_>, metric: &str, counts: impl Fn(&Event) -> bool) -> Option<Instant> {
    let coming = facts.log.between(metric, facts.now.plus_millis(1), Instant::MAX);
    coming.iter().find(|event| counts(event)).map(|event| event.happened)
}

fn of_query(query: &Query, facts: &Facts<'_>) -> Option<Instant> {
    let events = in_window(facts, &query.metric, query.window)?;
    // What a filter that depends on time says may change under way: then every event may count.
    let may_count = |event: &Event| !query.timeless_filter || query.counts(facts, event);
    let measured = |event: &Event| match &query.measure {
        CompiledMeasure::Count => may_count(event),
        CompiledMeasure::Sum(_) | CompiledMeasure::Max(_) => query.number(event).is_some() && may_count(event),
    };
    let mut next = entering(facts, &query.metric, measured);
    if let (Some(filter), false) = (&query.filter, query.timeless_filter) {
        for event in events {
            next = sooner(next, of(filter, &Facts { event: Some(event), ..*facts }));
        }
    }
    let EventWindow::Last(span) = query.window else { return next };
    if !span.is_exact() {
        return sooner(next, leaving_calendar(facts, &query.metric, span, measured));
    }
    let mut counting = events.iter().filter(|event| measured(event));
    let leaves = |event: &Event| event.happened.plus_millis(span.millis);
    if matches!(query.measure, CompiledMeasure::Count) && query.timeless_filter {
        // The oldest leaves first; find the one whose leaving turns the comparison.
        let total = if query.filter.is_none() { events.len() } else { counting.clone().count() };
        let now = compare_numbers(total as f64, query.op, query.value);
        let turns = (0..total).rev().zip(counting);
        let turn = turns.map(|(left, event)| (compare_numbers(left as f64, query.op, query.value), event));
        return sooner(next, turn.into_iter().find(|(then, _)| *then != now).map(|(_, event)| leaves(event)));
    }
    sooner(next, counting.next().map(|event| leaves(event)))
}

fn of_response(query: &ResponseQuery, facts: &Facts<'_>) -> Option<Instant> {
    let metric = query.response.event_name();
    let events = in_window(facts, metric, query.window)?;
    let counts = |event: &Event| query.counts(facts, event);
    let mut last = events.iter().rev().filter(|event| counts(event));
    match query.window {
        EventWindow::Ever | EventWindow::SinceEntry => {
            if last.next().is_some() {
                None
            } else {
                entering(facts, metric, counts)
            }
        }
        EventWindow::Last(span) if span.is_exact() => match last.next() {
            // It holds until the last one leaves; one that enters before that only prolongs it.
            Some(event) => Some(event.happened.plus_millis(span.millis)),
            None => entering(facts, metric, counts),
        },
        EventWindow::Last(span) => {
            sooner(entering(facts, metric, counts), leaving_calendar(facts, metric, span, counts))
        }
    }
}

/// When the start of a window of calendar days or months passes an event, forwards or, as months go, backwards.
fn leaving_calendar(facts: &Facts<'_>, metric: &str, span: Span, counts: impl Fn(&Event) -> bool) -> Option<Instant> {
    let start = |now: Instant| span.before(now, facts.zone).as_millis();
    let from = Instant::from_millis(start(facts.now)).plus_millis(-slack(span));
    let events = facts.log.between(metric, from, facts.now);
    let marks = events.iter().filter(|event| counts(event)).map(|event| event.happened.as_millis()).collect();
    Passing { marks, chunk: CLOSE, slack: slack(span), point: start }.next(facts.now)
}

// --- dates and instants against now ---

fn of_now(left: &Source, op: CompareOp, span: Span, facts: &Facts<'_>) -> Option<Instant> {
    let value = left.get(facts)?;
    let elements: Vec<View<'_>> = match (value, op) {
        (View::List(items), CompareOp::Contains) => items.iter().map(View::from).collect(),
        (_, CompareOp::Eq | CompareOp::Ne | CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge) => {
            vec![value]
        }
        _ => return None,
    };
    let mut next = None;
    for element in elements {
        next = sooner(
            next,
            match element {
                View::Instant(at) => passing_instant(at, span, facts),
                View::Date(date) => passing_date(date, span, facts),
                _ => None,
            },
        );
    }
    next
}

fn passing_instant(at: Instant, span: Span, facts: &Facts<'_>) -> Option<Instant> {
    // Equal at the mark, later from one millisecond after it.
    let marks = vec![at.as_millis(), at.as_millis() + 1];
    if span.is_exact() {
        let turns = marks.into_iter().map(|mark| Instant::from_millis(mark.saturating_sub(span.millis)));
        return turns.filter(|turn| *turn > facts.now).min();
    }
    let point = |now: Instant| span.after(now, facts.zone).as_millis();
    Passing { marks, chunk: CLOSE, slack: slack(span), point }.next(facts.now)
}

fn passing_date(date: jiff::civil::Date, span: Span, facts: &Facts<'_>) -> Option<Instant> {
    let mut marks = vec![wall_millis(date.to_datetime(jiff::civil::Time::midnight()))];
    marks.extend(date.tomorrow().ok().map(|next| wall_millis(next.to_datetime(jiff::civil::Time::midnight()))));
    let point = |now: Instant| wall_millis(facts.zone.local(span.after(now, facts.zone)));
    let chunk = if span.is_exact() { WIDE } else { CLOSE };
    Passing { marks, chunk, slack: slack(span), point }.next(facts.now)
}

// --- wall time ---

fn of_window(window: &Window, facts: &Facts<'_>) -> Option<Instant> {
    if window.from == window.until || window.weekdays.is_empty() {
        return None;
    }
    let zone: &Zone = facts.zone;
    let today = zone.local(facts.now).date();
    // A window that opens once a week turns within eight days.
    let mut marks = Vec::new();
    let mut date = today.yesterday().unwrap_or(today);
    for _ in 0..11 {
        marks.extend([window.from, window.until].map(|time| wall_millis(date.to_datetime(time.0))));
        match date.tomorrow() {
            Ok(next) => date = next,
            Err(_) => break,
        }
    }
    marks.sort_unstable();
    let passing = Passing { marks, chunk: WIDE, slack: DAY + 2 * HOUR, point: |now| wall_millis(zone.local(now)) };
    let (inside, end) = (window.contains(facts.now, zone), facts.now.plus_millis(8 * DAY));
    let mut at = facts.now;
    for _ in 0..64 {
        match passing.scan(at, end) {
            Some(next) if window.contains(next, zone) != inside => return Some(next),
            Some(next) => at = next,
            None => return (end > facts.now).then_some(end),
        }
    }
    Some(at)
}

/// A wall time as milliseconds, as if there were no zones.
fn wall_millis(wall: jiff::civil::DateTime) -> i64 {
    jiff::tz::TimeZone::UTC
        .to_timestamp(wall)
        .map_or_else(|_| if wall.year() < 0 { i64::MIN / 4 } else { i64::MAX / 4 }, jiff::Timestamp::as_millisecond)
}

// --- a moving point and fixed marks ---

/// How far a moving point may stray from an even pace: clocks that change, the date line, the lengths of months.
fn slack(span: Span) -> i64 {
    if span.months == 0 { DAY + 2 * HOUR } else { 7 * DAY }
}

/// Steps in milliseconds in which a point is followed. Powers of two, so that no step, however often halved, is a
/// whole number of minutes, by which clocks jump: a jump can never look like standing still.
const WIDE: i64 = 1 << 24;
/// As [`WIDE`], shorter than the shortest time between two jumps that could undo each other.
const CLOSE: i64 = 1 << 20;

/// A point that moves with now, mostly at its pace, and marks that it passes.
struct Passing<F> {
    /// In order.
    marks: Vec<i64>,
    chunk: i64,
    slack: i64,
    point: F,
}

impl<F: Fn(Instant) -> i64> Passing<F> {
    /// How many marks lie at or before a place.
    fn passed(&self, point: i64) -> usize {
        self.marks.partition_point(|mark| *mark <= point)
    }

    /// The next instant at which the number of passed marks may change; never too late.
    fn next(&self, now: Instant) -> Option<Instant> {
        let point = (self.point)(now);
        let passed = self.passed(point);
        let ahead = self.marks.get(passed).map(|mark| mark.saturating_sub(point));
        // Jumps back may undo a passing that is not longer ago than the slack.
        let behind = passed.checked_sub(1).and_then(|idx| self.marks.get(idx)).map(|mark| point.saturating_sub(*mark));
        if behind.is_none_or(|behind| behind > self.slack) {
            let ahead = ahead?;
            if ahead > 2 * self.slack {
                let early = now.plus_millis(ahead.saturating_sub(self.slack));
                return (early > now).then_some(early);
            }
        }
        let end = now.plus_millis(2 * self.slack);
        self.scan(now, end).or_else(|| (ahead.is_some() && end > now).then_some(end))
    }

    /// The first instant in `now < t <= end` at which the number of passed marks is not what it was just before.
    fn scan(&self, now: Instant, end: Instant) -> Option<Instant> {
        let (mut from, mut start) = (now, (self.point)(now));
        while from < end {
            let until = from.plus_millis(self.chunk).min(end);
            let there = (self.point)(until);
            if let Some(at) = self.within(from, start, until, there) {
                return Some(at);
            }
            (from, start) = (until, there);
        }
        None
    }

    fn within(&self, from: Instant, start: i64, until: Instant, there: i64) -> Option<Instant> {
        let (millis, moved) = (until.since(from), there.saturating_sub(start));
        if moved == millis {
            let mark = self.marks.get(self.passed(start)).filter(|mark| **mark <= there)?;
            return Some(from.plus_millis(mark - start));
        }
        if moved == 0 && millis < self.chunk.min(HOUR / 4) {
            return None;
        }
        if millis <= 1 {
            return (self.passed(start) != self.passed(there)).then_some(until);
        }
        let middle = from.plus_millis(millis / 2);
        let halfway = (self.point)(middle);
        self.within(from, start, middle, halfway).or_else(|| self.within(middle, halfway, until, there))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{prelude::*, test_runner::RngSeed};
    use smol_str::SmolStr;

    use super::super::{Book, Compiled, ConditionText, EntryFacts, Truth, generate, parse};
    use super::*;
    use crate::{
        audience::{Contact, EventLog, Properties, ScoreModel, Value},
        base::JourneyId,
    };

    struct Shelf {
        segments: BTreeMap<SmolStr, ConditionText>,
        scores: BTreeMap<SmolStr, ScoreModel>,
        constants: BTreeMap<SmolStr, Value>,
    }

    impl Shelf {
        fn new() -> Self {
            let segment = |name: &str, text: &str| (SmolStr::new(name), ConditionText::new(text));
            let scores: Vec<ScoreModel> = serde_json::from_str(
                r#"[
                    {"name": "intent", "signals": [
                        {"event": "X", "points": 10, "half_life": "7 days"},
                        {"event": "Placed Order", "points": 20.5, "half_life": "36 h", "at_most": 30}
                    ]},
                    {"name": "mixed", "signals": [
                        {"event": "X", "points": 10, "half_life": "3 days", "filter": "event.a > 0"},
                        {"event": "X", "points": -7, "half_life": "20 h"},
                        {"event": "Placed Order", "points": 3}
                    ]}
                ]"#,
            )
            .expect("models");
            Self {
                segments: [
                    segment("vip", "on list \"vip\" and did \"X\" in the last 3 days"),
                    segment("X", "in segment \"X\" or did \"X\" at least 2 times in the last 1 month"),
                ]
                .into(),
                scores: scores.into_iter().map(|model| (model.name.clone(), model)).collect(),
                constants: [(SmolStr::new("a"), Value::Number(1.0))].into(),
            }
        }

        fn book(&self) -> Book<'_> {
            Book { segments: &self.segments, scores: &self.scores, constants: &self.constants }
        }
    }

    fn at(text: &str) -> Instant {
        Instant::parse(text).expect("written right")
    }

    /// The next change of a condition over events `X` that happened at the given instants.
    fn check(text: &str, zone: &str, events: &[&str], now: &str, expected: Option<&str>) {
        let parsed = parse(text);
        assert_eq!(parsed.errors, [], "{text}");
        let mut log = EventLog::default();
        for (n, happened) in events.iter().enumerate() {
            log.record(generate::event(&n.to_string(), "X", at(happened), Properties::new()));
        }
        let mut contact = Contact::new("ada");
        contact.properties.insert("day".into(), Value::from_plain_text("2026-03-29"));
        contact.properties.insert("when".into(), Value::from_plain_text("2026-03-29T12:00:00Z"));
        let zone = Zone::named(zone).expect("in the zone data");
        let shelf = Shelf::new();
        let facts = Facts { now: at(now), zone: &zone, contact: &contact, log: &log, entry: None, event: None };
        let next = Compiled::new(&parsed.condition, &shelf.book()).next_change(&facts);
        assert_eq!(next.map(|at| at.to_string()).as_deref(), expected, "{text} at {now}");
    }

    #[test]
    fn changes_are_exact_where_they_are_near() {
        let ten = "2026-03-20T10:00:00Z";
        check("did \"X\" in the last 24 h", "UTC", &[ten], "2026-03-20T12:00:00Z", Some("2026-03-21T10:00:00Z"));
        check("did \"X\" in the last 24 h", "UTC", &[ten], "2026-03-22T12:00:00Z", None);
        check("did \"X\"", "UTC", &[ten], "2026-03-22T12:00:00Z", None);
        // Clocks go forward on the 29th: a calendar day has 23 hours
        check(
            "did \"X\" in the last 1 day",
            "Europe/Berlin",
            &["2026-03-28T10:00:00Z"],
            "2026-03-28T12:00:00Z",
            Some("2026-03-29T09:00:00Z"),
        );
        let three = ["2026-03-20T10:00:00Z", "2026-03-20T11:00:00Z", "2026-03-20T12:00:00Z"];
        check(
            "did \"X\" at least 2 times in the last 24 h",
            "UTC",
            &three,
            "2026-03-20T13:00:00Z",
            Some("2026-03-21T11:00:00Z"),
        );
        check("did \"X\" at least 9 times in the last 24 h", "UTC", &three, "2026-03-20T13:00:00Z", None);
        check("did \"X\" at least 3 times", "UTC", &three, "2026-03-20T11:58:00Z", Some("2026-03-20T12:00:00Z"));
        check("contact.day = now", "Europe/Berlin", &[], "2026-03-28T12:00:00Z", Some("2026-03-28T23:00:00Z"));
        check("contact.day < now", "America/Los_Angeles", &[], "2026-03-29T12:00:00Z", Some("2026-03-30T07:00:00Z"));
        check("contact.when < now", "UTC", &[], "2026-03-29T11:00:00Z", Some("2026-03-29T12:00:00Z"));
        check("contact.when < now", "UTC", &[], "2026-03-29T12:00:00.001Z", None);
        check("contact.when <= now - 2 h", "UTC", &[], "2026-03-29T13:00:00Z", Some("2026-03-29T14:00:00Z"));
        check(
            "local time from 09:00 to 17:00",
            "Europe/Berlin",
            &[],
            "2026-03-28T20:00:00Z",
            Some("2026-03-29T07:00:00Z"),
        );
        check(
            "local time from 09:00 to 17:00 on fri",
            "Europe/Berlin",
            &[],
            "2026-03-21T20:00:00Z",
            Some("2026-03-27T08:00:00Z"),
        );
        check("local time from 09:00 to 09:00", "UTC", &[], "2026-03-28T20:00:00Z", None);
        // Open until 02:30, which comes twice on 25 October: it closes, and opens again when the clock goes back
        check(
            "local time from 01:00 to 02:30",
            "Europe/Berlin",
            &[],
            "2026-10-25T00:10:00Z",
            Some("2026-10-25T00:30:00Z"),
        );
        check(
            "local time from 01:00 to 02:30",
            "Europe/Berlin",
            &[],
            "2026-10-25T00:40:00Z",
            Some("2026-10-25T01:00:00Z"),
        );
        check("share 20 % salt \"a\" or contact.a = 1", "UTC", &[ten], "2026-03-28T20:00:00Z", None);
        // False until both turn
        check(
            "contact.when < now and contact.when < now - 1 h",
            "UTC",
            &[],
            "2026-03-29T11:00:00Z",
            Some("2026-03-29T13:00:00Z"),
        );
    }

    fn zone() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "Australia/Lord_Howe",
            "America/Asuncion",
            "America/New_York",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default() })]

        #[test]
        fn nothing_changes_before_the_next_change(
            condition in generate::condition(),
            contact in generate::contact(),
            log in generate::log(),
            (zone, moved) in (zone(), prop_oneof![Just(0), -2 * DAY..12 * DAY, 200 * DAY..240 * DAY]),
            (entry, since) in (0_u8..3, -3 * DAY..1),
        ) {
            let shelf = Shelf::new();
            let compiled = Compiled::new(&condition, &shelf.book());
            let zone = Zone::named(zone).expect("in the zone data");
            let journey = JourneyId::new("j-1");
            let now = Instant::from_millis(generate::START + moved);
            let event = log.of("X").first().cloned();
            let entry = (entry > 0).then(|| EntryFacts { journey: &journey, at: now.plus_millis(since), event: event.as_deref().filter(|_| entry > 1) });
            let facts = Facts { now, zone: &zone, contact: &contact, log: &log, entry, event: None };
            let before = compiled.eval(&facts);
            let next = compiled.next_change(&facts);
            prop_assert!(next.is_none_or(|next| next > now), "{} at {}: {:?}", condition, now, next);
            let end = next.unwrap_or(now.plus_millis(500 * DAY));
            let length = end.since(now);
            let mut samples = vec![1, 1_000, 60_000, HOUR, DAY, 31 * DAY, 366 * DAY, length - 1, length - 1_000, length - 60_000, length - HOUR];
            samples.extend((1..60).map(|n| length / 60 * n));
            for sample in samples {
                if sample < 1 || sample >= length {
                    continue;
                }
                let then = Facts { now: now.plus_millis(sample), ..facts };
                prop_assert_eq!(compiled.eval(&then), before, "{} in {:?}: from {} nothing until {:?}, but it turned by {}", condition, zone, now, next, then.now);
            }
        }
    }

    #[test]
    fn three_values() {
        let shelf = Shelf::new();
        let (zone, contact, log) = (Zone::utc(), Contact::new("ada"), EventLog::default());
        let facts = Facts {
            now: at("2026-03-20T10:00:00Z"),
            zone: &zone,
            contact: &contact,
            log: &log,
            entry: None,
            event: None,
        };
        for (text, expected) in [
            ("contact.a = 1", Truth::Unknown),
            ("not (contact.a = 1)", Truth::Unknown),
            ("contact.a = 1 and false", Truth::No),
            ("contact.a = 1 or true", Truth::Yes),
            ("contact.a is set", Truth::No),
            ("contact.id = \"ada\"", Truth::Yes),
            ("constant.a = 1", Truth::Yes),
            ("constant.b = 1", Truth::Unknown),
            ("trigger.a = 1", Truth::Unknown),
            ("did \"X\"", Truth::No),
            ("did \"X\" since entry", Truth::Unknown),
            ("opened any message", Truth::Unknown),
            ("sum of event.a over \"X\" = 0", Truth::Yes),
            ("max of event.a over \"X\" < 1", Truth::Unknown),
            ("in segment \"nobody\"", Truth::Unknown),
            ("in segment \"X\"", Truth::Unknown),
            ("score \"intent\" = 0", Truth::Yes),
            ("share 100 % salt \"a\"", Truth::Yes),
            ("share 0 % salt \"a\"", Truth::No),
            ("email consent is unknown", Truth::Yes),
        ] {
            let parsed = parse(text);
            assert_eq!(parsed.errors, [], "{text}");
            assert_eq!(Compiled::new(&parsed.condition, &shelf.book()).eval(&facts), expected, "{text}");
        }
        let broken = ConditionText::new("not (contact.a = )");
        assert_eq!(Compiled::of_text(&broken, &shelf.book()).eval(&facts), Truth::Unknown);
    }

    /// Ten levels of segments that each name the next ten times would be 10^10 nodes.
    #[test]
    fn folding_is_bounded() {
        let mut shelf = Shelf::new();
        for n in 0..12 {
            let next = format!("in segment \"s{}\"", n + 1);
            shelf.segments.insert(format!("s{n}").into(), ConditionText::new(vec![next; 10].join(" or ")));
        }
        let (zone, contact, log) = (Zone::utc(), Contact::new("ada"), EventLog::default());
        let facts = Facts {
            now: at("2026-03-20T10:00:00Z"),
            zone: &zone,
            contact: &contact,
            log: &log,
            entry: None,
            event: None,
        };
        let compiled = Compiled::new(&parse("in segment \"s0\"").condition, &shelf.book());
        assert_eq!(compiled.eval(&facts), Truth::Unknown);
    }

    #[test]
    fn events_are_counted_by_when_they_happened() {
        let shelf = Shelf::new();
        let mut log = EventLog::default();
        let number = |n: f64| {
            Properties::from([
                ("a".into(), Value::Number(n)),
                ("node".into(), Value::text("mail-1")),
                ("journey".into(), Value::text("j")),
                ("link".into(), Value::text("https://x.example/sale?a=1")),
            ])
        };
        for (id, name, happened, a) in [
            ("1", "X", "2026-03-20T08:00:00Z", 0.5),
            ("2", "X", "2026-03-20T10:00:00Z", 2.0),
            ("3", "X", "2026-03-20T10:00:00Z", 3.0),
            ("4", "X", "2026-03-20T11:00:00Z", 4.0),
            ("5", "X", "2026-03-20T12:02:00Z", 5.0),
            ("6", "$clicked", "2026-03-20T11:00:00Z", 0.0),
        ] {
            log.record(generate::event(id, name, at(happened), number(a)));
        }
        let (zone, contact, journey) = (Zone::utc(), Contact::new("ada"), JourneyId::new("j"));
        let entry_event = log.of("X")[1].clone();
        let entry = EntryFacts { journey: &journey, at: at("2026-03-20T10:30:00Z"), event: Some(&entry_event) };
        let facts = Facts {
            now: at("2026-03-20T12:00:00Z"),
            zone: &zone,
            contact: &contact,
            log: &log,
            entry: Some(entry),
            event: None,
        };
        for (text, expected) in [
            ("did \"X\" exactly 4 times", Truth::Yes),
            ("did \"X\" exactly 2 times since entry", Truth::Yes),
            ("did \"X\" where (event.a > 0) exactly 2 times since entry", Truth::Yes),
            ("did \"X\" where (event.a > trigger.a) exactly 2 times since entry", Truth::Yes),
            ("did \"X\" where (event.nothing > 0)", Truth::No),
            ("did \"X\" exactly 1 time in the last 2 h", Truth::Yes),
            ("did \"X\" exactly 3 times in the last 121 min", Truth::Yes),
            ("sum of event.a over \"X\" = 9.5", Truth::Yes),
            ("max of event.a over \"X\" = 4", Truth::Yes),
            ("max of event.a over \"X\" where (event.a > 7) = 4", Truth::Unknown),
            ("clicked \"mail-1\"", Truth::Yes),
            ("clicked \"mail-2\"", Truth::No),
            ("clicked any message link \"x.example/sale\"", Truth::Yes),
            ("clicked any message link \"/other\"", Truth::No),
            ("clicked any message in the last 1 h", Truth::No),
            ("opened any message", Truth::No),
        ] {
            let parsed = parse(text);
            assert_eq!(parsed.errors, [], "{text}");
            assert_eq!(Compiled::new(&parsed.condition, &shelf.book()).eval(&facts), expected, "{text}");
        }
    }
}
