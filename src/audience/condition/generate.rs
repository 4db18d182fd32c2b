//! Conditions, contacts and logs for property tests.

use std::sync::Arc;

use proptest::prelude::*;
use smol_str::SmolStr;

use super::{CompareOp, Condition, EventQuery, EventWindow, Measure, Operand, Path, Root};
use crate::{
    audience::{Channel, ConsentStatus, Contact, Currency, Event, EventLog, Money, Properties, ResponseKind, Value},
    base::{Instant, NodeId, Span, TimeOfDay, Weekday, Window, Zone},
};

/// 2026-03-20T12:00:00Z, some days before clocks change in Europe.
pub(crate) const START: i64 = 1_774_008_000_000;
const HOUR: i64 = 3_600_000;

pub(crate) fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        (1_i64..200).prop_map(Span::hours),
        (1_i64..5_000_000_000).prop_map(|millis| Span { months: 0, days: 0, millis }),
        (1_i32..40).prop_map(Span::days),
        (1_i32..14).prop_map(|months| Span { months, days: 0, millis: 0 }),
        (1_i32..3, 0_i32..9, 0_i64..50).prop_map(|(months, days, hours)| Span { months, days, millis: hours * HOUR }),
    ]
}

fn name() -> impl Strategy<Value = SmolStr> {
    prop_oneof![Just("X"), Just("Placed Order"), Just("a\"b\\c\n"), Just("äöü 😀"), Just("vip")].prop_map(SmolStr::new)
}

fn path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 4 => Just("at"), 1 => Just("0"), 1 => Just("first-name"), 1 => Just("Favourite colour"),
        1 => Just("-x"), 1 => Just(""), 1 => Just("ä\"]"),
    ];
    let root = prop_oneof![3 => Just(Root::Contact), 1 => Just(Root::Trigger), 2 => Just(Root::Event), 1 => Just(Root::Constant)];
    (root, prop::collection::vec(step.prop_map(SmolStr::new), 1..3)).prop_map(|(root, steps)| Path { root, steps })
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => prop_oneof![Just("x"), Just(""), Just("it's \"ä\"\t\u{7}"), Just("2026-11-23")].prop_map(Value::text),
        3 => (-3_i32..4).prop_map(|n| Value::Number(n.into())),
        1 => (-1e12..1e12).prop_map(Value::Number),
        1 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::Number),
        2 => (-10_000_i64..10_000, prop_oneof![Just("EUR"), Just("USD"), Just("JPY"), Just("KWD")]).prop_map(|(minor, code)| {
            Value::Money(Money { minor, currency: Currency::parse(code).expect("a code") })
        }),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => (-20_i64..40).prop_map(|days| Value::Date(Zone::utc().local(Instant::from_millis(START + days * 24 * HOUR)).date())),
        2 => (-20 * 24 * HOUR..40 * 24 * HOUR).prop_map(|millis| Value::Instant(Instant::from_millis(START + millis))),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            1 => prop::collection::btree_map(name(), inner, 0..2).prop_map(Value::Object),
        ]
    })
}

fn op() -> impl Strategy<Value = CompareOp> {
    use CompareOp::{Contains, EndsWith, Eq, Ge, Gt, In, Le, Lt, Ne, NotIn, StartsWith};
    prop::sample::select(vec![Eq, Ne, Lt, Le, Gt, Ge, In, NotIn, Contains, StartsWith, EndsWith])
}

fn number_op() -> impl Strategy<Value = CompareOp> {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    prop::sample::select(vec![Eq, Ne, Lt, Le, Gt, Ge])
}

fn window() -> impl Strategy<Value = EventWindow> {
    prop_oneof![1 => Just(EventWindow::Ever), 1 => Just(EventWindow::SinceEntry), 3 => span().prop_map(EventWindow::Last)]
}

fn wall_window() -> impl Strategy<Value = Window> {
    let time = || {
        (0_i8..24, prop_oneof![Just(0_i8), Just(30), Just(59)]).prop_map(|(h, m)| TimeOfDay::new(h, m).expect("a time"))
    };
    (time(), time(), prop::collection::vec(prop::sample::select(Weekday::ALL.to_vec()), 0..8))
        .prop_map(|(from, until, weekdays)| Window { from, until, weekdays: weekdays.into_iter().collect() })
}

fn moved_now() -> impl Strategy<Value = Operand> {
    prop_oneof![Just(Span::ZERO), span(), span().prop_map(Span::negated)].prop_map(Operand::Now)
}

fn leaf() -> impl Strategy<Value = Condition> {
    prop_oneof![
        1 => any::<bool>().prop_map(Condition::Always),
        6 => (path(), op(), prop_oneof![3 => value().prop_map(Operand::Value), 1 => path().prop_map(Operand::Path)])
            .prop_map(|(left, op, right)| Condition::Compare { left, op, right }),
        3 => (path(), number_op(), moved_now()).prop_map(|(left, op, right)| Condition::Compare { left, op, right }),
        2 => path().prop_map(Condition::IsSet),
        1 => name().prop_map(Condition::InList),
        1 => name().prop_map(Condition::InSegment),
        1 => (prop_oneof![Just(Channel::Email), Just(Channel::Sms)],
              prop_oneof![Just(ConsentStatus::Subscribed), Just(ConsentStatus::Unknown), Just(ConsentStatus::Unsubscribed)])
            .prop_map(|(channel, status)| Condition::Consent { channel, status }),
        2 => (prop::sample::select(ResponseKind::ALL.to_vec()), prop::option::of(name()), prop::option::of(name()), window())
            .prop_map(|(response, node, link, window)| Condition::Response {
                response,
                node: node.map(NodeId::new),
                link: link.filter(|_| response == ResponseKind::Clicked),
                window,
            }),
        2 => (prop_oneof![Just("intent"), Just("mixed"), Just("none")], number_op(), prop_oneof![(-30_i32..60).prop_map(f64::from), -9.0..50.0])
            .prop_map(|(model, op, points)| Condition::Score { model: model.into(), op, points }),
        2 => wall_window().prop_map(Condition::LocalTime),
        1 => (0_u32..=10_000, name()).prop_map(|(share, salt)| Condition::Share { share, salt }),
    ]
}

fn query(filter: impl Strategy<Value = Option<Box<Condition>>>) -> impl Strategy<Value = Condition> {
    let measure = prop_oneof![
        3 => Just(Measure::Count),
        1 => Just(Measure::Sum(Path { root: Root::Event, steps: vec!["a".into()] })),
        1 => Just(Measure::Max(Path { root: Root::Event, steps: vec!["a".into()] })),
    ];
    let value = prop_oneof![4 => (0_i32..5).prop_map(f64::from), 1 => -5.0..5.0];
    let metric = prop_oneof![3 => Just("X"), 1 => Just("Placed Order"), 1 => Just("ä \"b\"")].prop_map(SmolStr::new);
    (metric, filter, measure, window(), number_op(), value).prop_map(|(metric, filter, measure, window, op, value)| {
        Condition::Events(EventQuery { metric, filter, measure, window, op, value })
    })
}

/// Conditions of all sorts, a few levels deep.
pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![2 => leaf(), 2 => query(Just(None))].prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            1 => inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            2 => query(prop::option::of(inner.prop_map(Box::new))),
        ]
    })
}

/// A contact with some of the properties that generated conditions ask for.
pub(crate) fn contact() -> impl Strategy<Value = Contact> {
    (prop::option::of(value()), prop::option::of(value()), prop::option::of(value())).prop_map(|(a, b, at)| {
        let mut contact = Contact::new("ada");
        for (name, value) in [("a", a), ("b", b), ("at", at)] {
            if let Some(value) = value {
                contact.properties.insert(name.into(), value);
            }
        }
        contact.lists.insert("vip".into());
        contact
    })
}

pub(crate) fn event(id: &str, name: &str, happened: Instant, properties: Properties) -> Arc<Event> {
    let accepted = happened;
    Arc::new(Event { id: id.into(), contact: "ada".into(), name: name.into(), happened, accepted, properties })
}

/// Up to fifteen events around [`START`], some up to five minutes in its future.
pub(crate) fn log() -> impl Strategy<Value = EventLog> {
    let name = prop_oneof![4 => Just("X"), 1 => Just("Placed Order"), 1 => Just("$opened"), 1 => Just("$clicked")];
    let when = prop_oneof![3 => -45 * 24 * HOUR..0, 1 => -3 * HOUR..300_000, 1 => Just(0)];
    let properties = (prop::option::of(value()), prop::option::of((-3_i32..4).prop_map(|n| Value::Number(n.into()))));
    prop::collection::vec((name, when, properties), 0..15).prop_map(|events| {
        let mut log = EventLog::default();
        for (n, (name, when, (b, a))) in events.into_iter().enumerate() {
            let mut map = Properties::new();
            for (name, value) in
                [("a", a), ("b", b), ("journey", Some(Value::text("j-1"))), ("node", Some(Value::text("vip")))]
            {
                if let Some(value) = value {
                    map.insert(name.into(), value);
                }
            }
            log.record(event(&n.to_string(), name, Instant::from_millis(START + when), map));
        }
        log
    })
}
