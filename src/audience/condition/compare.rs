//! How two values compare (SEMANTICS R5): to three values, without copying either side.
//!
//! Values compare where their types do: numbers, money of one currency, money with numbers (in main units), texts
//! letter by letter, dates, instants, and a date with an instant by the date in the contact's zone. All else is
//! unknown, so that a property of the wrong type never lets anybody in.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::{CompareOp, Truth};
use crate::{
    audience::{Money, Properties, Value},
    base::{Instant, Zone},
};

/// A value looked at, not owned.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    Text(&'a str),
    Number(f64),
    Money(Money),
    Bool(bool),
    Date(Date),
    Instant(Instant),
    List(&'a [Value]),
    Object(&'a Properties),
}

impl<'a> From<&'a Value> for View<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text),
            Value::Number(n) => Self::Number(*n),
            Value::Money(money) => Self::Money(*money),
            Value::Bool(yes) => Self::Bool(*yes),
            Value::Date(date) => Self::Date(*date),
            Value::Instant(at) => Self::Instant(*at),
            Value::List(items) => Self::List(items),
            Value::Object(map) => Self::Object(map),
        }
    }
}

impl View<'_> {
    /// Whether it counts as set: not an empty text or list.
    pub fn is_set(self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            _ => true,
        }
    }
}

/// Order of two values; `None` where their types do not compare. Yes/no, lists and objects have no order.
pub(super) fn order(left: View<'_>, right: View<'_>, zone: &Zone) -> Option<Ordering> {
    match (left, right) {
        (View::Text(a), View::Text(b)) => Some(a.cmp(b)),
        (View::Number(a), View::Number(b)) => a.partial_cmp(&b),
        (View::Money(a), View::Money(b)) => (a.currency == b.currency).then(|| a.minor.cmp(&b.minor)),
        (View::Money(a), View::Number(b)) => a.to_number().partial_cmp(&b),
        (View::Number(a), View::Money(b)) => a.partial_cmp(&b.to_number()),
        (View::Date(a), View::Date(b)) => Some(a.cmp(&b)),
        (View::Instant(a), View::Instant(b)) => Some(a.cmp(&b)),
        (View::Date(a), View::Instant(b)) => Some(a.cmp(&zone.local(b).date())),
        (View::Instant(a), View::Date(b)) => Some(zone.local(a).date().cmp(&b)),
        _ => None,
    }
}

fn equal(left: View<'_>, right: View<'_>, zone: &Zone) -> Truth {
    match (left, right) {
        (View::Bool(a), View::Bool(b)) => (a == b).into(),
        (View::List(a), View::List(b)) => (a == b).into(),
        (View::Object(a), View::Object(b)) => (a == b).into(),
        _ => order(left, right, zone).map_or(Truth::Unknown, |order| order.is_eq().into()),
    }
}

/// Whether one of the items equals the value; unknown where none of them even compares with it.
fn has(items: &[Value], value: View<'_>, zone: &Zone) -> Truth {
    let mut compared = items.is_empty();
    for item in items {
        match equal(item.into(), value, zone) {
            Truth::Yes => return Truth::Yes,
            Truth::No => compared = true,
            Truth::Unknown => {}
        }
    }
    if compared { Truth::No } else { Truth::Unknown }
}

/// Compares two values that are there; dates meet instants in `zone`.
pub(super) fn compare(left: View<'_>, op: CompareOp, right: View<'_>, zone: &Zone) -> Truth {
    match op {
        CompareOp::Eq => equal(left, right, zone),
        CompareOp::Ne => equal(left, right, zone).not(),
        CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
            order(left, right, zone).and_then(|order| op.holds(order)).map_or(Truth::Unknown, Truth::from)
        }
        CompareOp::In | CompareOp::NotIn => {
            let View::List(items) = right else { return Truth::Unknown };
            let found = has(items, left, zone);
            if op == CompareOp::In { found } else { found.not() }
        }
        CompareOp::Contains => match (left, right) {
            (View::Text(a), View::Text(b)) => a.contains(b).into(),
            (View::List(items), right) => has(items, right, zone),
            _ => Truth::Unknown,
        },
        CompareOp::StartsWith => match (left, right) {
            (View::Text(a), View::Text(b)) => a.starts_with(b).into(),
            _ => Truth::Unknown,
        },
        CompareOp::EndsWith => match (left, right) {
            (View::Text(a), View::Text(b)) => a.ends_with(b).into(),
            _ => Truth::Unknown,
        },
    }
}

/// Compares two numbers.
pub(super) fn compare_numbers(left: f64, op: CompareOp, right: f64) -> Truth {
    left.partial_cmp(&right).and_then(|order| op.holds(order)).map_or(Truth::Unknown, Truth::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::condition::{Condition, Operand, parse};

    /// The two sides of `contact.x OP value`, given as texts of conditions' literals.
    fn check(left: &str, op: &str, right: &str, expected: Truth) {
        let value = |text: &str| match parse(&format!("contact.x = {text}")).condition {
            Condition::Compare { right: Operand::Value(value), .. } => value,
            other => panic!("{text} is no literal: {other:?}"),
        };
        let Condition::Compare { op: parsed, .. } = parse(&format!("contact.x {op} [1]")).condition else {
            panic!("{op} is no operator")
        };
        let zone = Zone::named("Asia/Tokyo").expect("in the zone data");
        let (left_value, right_value) = (value(left), value(right));
        let truth = compare((&left_value).into(), parsed, (&right_value).into(), &zone);
        assert_eq!(truth, expected, "{left} {op} {right}");
    }

    #[test]
    fn values_compare_where_their_types_do() {
        use Truth::{No, Unknown, Yes};
        for (left, op, right, expected) in [
            ("5", ">", "3", Yes),
            ("5", "=", "\"5\"", Unknown),
            ("\"a\"", "=", "\"A\"", No),
            ("\"a\"", "<", "\"b\"", Yes),
            ("129.50 EUR", "=", "129.5", Yes),
            ("129.5", "<", "129.51 EUR", Yes),
            ("5 EUR", "=", "5 USD", Unknown),
            ("5 EUR", "!=", "5 USD", Unknown),
            ("5.00 EUR", ">=", "4.99 EUR", Yes),
            ("true", "=", "true", Yes),
            ("true", ">", "false", Unknown),
            ("2026-11-23", "<", "2026-11-24", Yes),
            // 16:00 UTC is the next day in Tokyo
            ("2026-11-23T16:00:00Z", "=", "2026-11-24", Yes),
            ("2026-11-23", "<", "2026-11-23T16:00:00Z", Yes),
            ("\"b\"", "in", "[\"a\", \"b\"]", Yes),
            ("\"c\"", "not in", "[\"a\", \"b\"]", Yes),
            ("5", "in", "[\"a\", \"b\"]", Unknown),
            ("5", "not in", "[\"a\", 4]", Yes),
            ("5", "in", "[]", No),
            ("[1, 2]", "contains", "2", Yes),
            ("[1, 2]", "=", "[1, 2]", Yes),
            ("\"abc\"", "contains", "\"bc\"", Yes),
            ("\"abc\"", "starts with", "\"b\"", No),
            ("\"abc\"", "ends with", "\"bc\"", Yes),
            ("5", "contains", "5", Unknown),
        ] {
            check(left, op, right, expected);
        }
    }
}
