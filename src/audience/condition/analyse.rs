//! What can be said of a condition without any contact: whether it is always or never true, what it uses, and its
//! normal forms for platforms that know only "groups of groups".
//!
//! The one idea: negations move down to the single facts (`not (a or b > 1)` is `not a and b <= 1`), which changes
//! nothing even where values are missing; everything else is read off that form. Deliberately not here: texts for
//! people; checks and exporters have their own.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::{
    Book, CompareOp, Condition, EventQuery, EventWindow, Measure, Operand, Path, Root, Truth,
    compare::{View, compare, order},
};
use crate::{audience::Value, base::Zone};

/// How many groups `always` looks at before it settles for less.
const MAX_GROUPS: usize = 256;
/// In groups of more facts than this, no two are held against each other.
const MAX_FACTS: usize = 128;

/// Visits a condition and all conditions inside it, filters of events included, outer before inner.
pub fn walk(condition: &Condition, visit: &mut dyn FnMut(&Condition)) {
    visit(condition);
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| walk(part, visit)),
        Condition::Not(inner) => walk(inner, visit),
        Condition::Events(EventQuery { filter: Some(filter), .. }) => walk(filter, visit),
        _ => {}
    }
}

/// Visits all paths of a condition, those in filters and measures included.
pub fn walk_paths(condition: &Condition, visit: &mut dyn FnMut(&Path)) {
    walk(condition, &mut |inner| match inner {
        Condition::Compare { left, right, .. } => {
            visit(left);
            if let Operand::Path(right) = right {
                visit(right);
            }
        }
        Condition::IsSet(path) => visit(path),
        Condition::Events(EventQuery { measure: Measure::Sum(path) | Measure::Max(path), .. }) => visit(path),
        _ => {}
    });
}

/// Whether it looks at `trigger.…`, which only entries with an event have (SEMANTICS R12).
pub fn uses_trigger_event(condition: &Condition) -> bool {
    let mut found = false;
    walk_paths(condition, &mut |path| found |= path.root == Root::Trigger);
    found
}

/// Whether it depends on the contact's local time or on a share, itself or through segments and scores; segment
/// triggers may not (SEMANTICS R5).
pub fn uses_local_time_or_share(condition: &Condition, book: &Book<'_>) -> bool {
    fn look(condition: &Condition, book: &Book<'_>, seen: &mut BTreeSet<(bool, SmolStr)>) -> bool {
        let (mut found, mut names) = (false, Vec::new());
        walk(condition, &mut |inner| match inner {
            Condition::LocalTime(_) | Condition::Share { .. } => found = true,
            Condition::InSegment(name) => names.push((false, name.clone())),
            Condition::Score { model, .. } => names.push((true, model.clone())),
            _ => {}
        });
        // The names seen bound the depth: each segment and score is looked into once, 64 levels down at most.
        found
            || names.into_iter().any(|(is_score, name)| {
                if seen.len() > 1_000 || !seen.insert((is_score, name.clone())) {
                    return false;
                }
                if is_score {
                    let signals = book.scores.get(&name).map_or(&[] as &[_], |model| &model.signals);
                    signals.iter().filter_map(|s| s.filter.as_ref()).any(|text| look(text.condition(), book, seen))
                } else {
                    book.segments.get(&name).is_some_and(|text| look(text.condition(), book, seen))
                }
            })
    }
    look(condition, book, &mut BTreeSet::new())
}

/// Whether a condition is always true (it never fails, whoever the contact is, as long as the values it needs are
/// there) or never true. `None` where it depends, or where that cannot be seen.
///
/// Seen are: fixed parts, shares of 0 and 100 %, a fact and its opposite, comparisons that shut each other out
/// (`x > 5 and x < 3`), counts that cannot be, windows that never open.
pub fn always(condition: &Condition) -> Option<bool> {
    let impossible = |negated| {
        groups(&spread(condition, negated), MAX_GROUPS, true).map(|groups| groups.iter().all(|g| is_impossible(g)))
    };
    match (impossible(false), impossible(true)) {
        (Some(true), _) => return Some(false),
        (_, Some(true)) => return Some(true),
        (Some(false), Some(false)) => return None,
        _ => {}
    }
    match condition {
        Condition::Not(inner) => always(inner).map(|yes| !yes),
        Condition::All(parts) | Condition::Any(parts) => {
            let decides = matches!(condition, Condition::Any(_));
            let mut all = true;
            for part in parts {
                match always(part) {
                    Some(yes) if yes == decides => return Some(decides),
                    Some(_) => {}
                    None => all = false,
                }
            }
            all.then_some(!decides)
        }
        _ => None,
    }
}

/// The condition as "at least one of these groups, of which all hold": its disjunctive normal form.
///
/// No group means never, an empty group means always. The facts are single conditions or `Not` of one. `None` where
/// it would have more than `limit` groups, or more than 64 facts for each of those.
pub fn to_dnf(condition: &Condition, limit: usize) -> Option<Vec<Vec<Condition>>> {
    groups(&spread(condition, false), limit, true)
}

/// The condition as "all of these groups, of each of which at least one holds": its conjunctive normal form.
///
/// No group means always, an empty group means never. Else as [`to_dnf`].
pub fn to_cnf(condition: &Condition, limit: usize) -> Option<Vec<Vec<Condition>>> {
    groups(&spread(condition, false), limit, false)
}

/// The opposite, with negations moved down to the single facts; unknown where this one is.
pub fn negation(condition: &Condition) -> Condition {
    fn gather(spread: Spread) -> Condition {
        match spread {
            Spread::Fact(fact) => fact,
            Spread::Group { all, parts } => {
                let parts = parts.into_iter().map(gather).collect();
                if all { Condition::All(parts) } else { Condition::Any(parts) }
            }
        }
    }
    gather(spread(condition, true))
}

/// A condition whose negations are all at single facts.
enum Spread {
    Fact(Condition),
    Group { all: bool, parts: Vec<Spread> },
}

fn spread(condition: &Condition, negated: bool) -> Spread {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => Spread::Group {
            all: matches!(condition, Condition::All(_)) != negated,
            parts: parts.iter().map(|part| spread(part, negated)).collect(),
        },
        Condition::Not(inner) => spread(inner, !negated),
        fact => Spread::Fact(if negated { opposite(fact) } else { fact.clone() }),
    }
}

/// The opposite of a single fact: the opposite operator where there is one, for then a missing value leaves both
/// unknown; else `Not`.
fn opposite(fact: &Condition) -> Condition {
    let turned = match fact {
        Condition::Always(yes) => Some(Condition::Always(!yes)),
        Condition::Compare { left, op, right } => {
            op.negated().map(|op| Condition::Compare { left: left.clone(), op, right: right.clone() })
        }
        Condition::Events(query) => {
            let turned = match (&query.measure, query.op, query.value) {
                // As people write it: the opposite of "did" is "never did", and the other way round.
                (Measure::Count, CompareOp::Ge, 1.0) | (Measure::Count, CompareOp::Gt | CompareOp::Ne, 0.0) => {
                    Some((CompareOp::Eq, 0.0))
                }
                (Measure::Count, CompareOp::Eq | CompareOp::Le, 0.0) | (Measure::Count, CompareOp::Lt, 1.0) => {
                    Some((CompareOp::Ge, 1.0))
                }
                (_, op, value) => op_of_numbers(op).and_then(CompareOp::negated).map(|op| (op, value)),
            };
            turned.map(|(op, value)| Condition::Events(EventQuery { op, value, ..query.clone() }))
        }
        Condition::Score { model, op, points } => op_of_numbers(*op)
            .and_then(CompareOp::negated)
            .map(|op| Condition::Score { model: model.clone(), op, points: *points }),
        _ => None,
    };
    turned.unwrap_or_else(|| Condition::Not(Box::new(fact.clone())))
}

fn op_of_numbers(op: CompareOp) -> Option<CompareOp> {
    op.holds(std::cmp::Ordering::Equal).map(|_| op)
}

/// Groups of facts: of groups that each need all (`outer_any`, the disjunctive form), or that each need one.
fn groups(spread: &Spread, limit: usize, outer_any: bool) -> Option<Vec<Vec<Condition>>> {
    match spread {
        Spread::Fact(Condition::Always(yes)) => Some(if *yes == outer_any { vec![Vec::new()] } else { Vec::new() }),
        Spread::Fact(fact) => (limit > 0).then(|| vec![vec![fact.clone()]]),
        Spread::Group { all, parts } if *all != outer_any => {
            let mut sum: Vec<Vec<Condition>> = Vec::new();
            for part in parts {
                for group in groups(part, limit, outer_any)? {
                    if group.is_empty() {
                        return Some(vec![group]);
                    }
                    if sum.len() > MAX_FACTS || !sum.contains(&group) {
                        sum.push(group);
                    }
                }
                fits(&sum, limit)?;
            }
            Some(sum)
        }
        Spread::Group { parts, .. } => {
            let mut product: Vec<Vec<Condition>> = vec![Vec::new()];
            for part in parts {
                let factor = groups(part, limit, outer_any)?;
                if let [only] = factor.as_slice() {
                    product.iter_mut().for_each(|group| add_facts(group, only));
                } else {
                    if product.len().saturating_mul(factor.len()) > limit.max(1).saturating_mul(4) {
                        return None;
                    }
                    let mut next: Vec<Vec<Condition>> = Vec::with_capacity(product.len() * factor.len());
                    for group in &product {
                        for more in &factor {
                            let mut group = group.clone();
                            add_facts(&mut group, more);
                            if next.len() > MAX_FACTS || !next.contains(&group) {
                                next.push(group);
                            }
                        }
                    }
                    product = next;
                }
                fits(&product, limit)?;
            }
            Some(product)
        }
    }
}

fn fits(groups: &[Vec<Condition>], limit: usize) -> Option<()> {
    let facts: usize = groups.iter().map(Vec::len).sum();
    (groups.len() <= limit.max(1) && facts <= limit.max(64).saturating_mul(64)).then_some(())
}

fn add_facts(group: &mut Vec<Condition>, more: &[Condition]) {
    for fact in more {
        if group.len() > MAX_FACTS || !group.contains(fact) {
            group.push(fact.clone());
        }
    }
}

// --- what cannot be ---

/// Whether the facts of a group can never all hold.
fn is_impossible(group: &[Condition]) -> bool {
    if group.iter().any(never) {
        return true;
    }
    if group.len() > MAX_FACTS {
        return false;
    }
    group.iter().enumerate().any(|(idx, a)| group[idx + 1..].iter().any(|b| excludes(a, b) || excludes(b, a)))
}

/// Whether a single fact can never hold.
fn never(fact: &Condition) -> bool {
    match fact {
        Condition::Always(yes) => !yes,
        Condition::Compare { left, op, right } => match right {
            Operand::Path(right) => {
                left == right && matches!(op, CompareOp::Ne | CompareOp::Lt | CompareOp::Gt | CompareOp::NotIn)
            }
            Operand::Value(value) => match op {
                CompareOp::In => matches!(value, Value::List(items) if items.is_empty()),
                CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                    matches!(value, Value::Bool(_) | Value::List(_) | Value::Object(_))
                }
                CompareOp::StartsWith | CompareOp::EndsWith => !matches!(value, Value::Text(_)),
                _ => false,
            },
            Operand::Now(_) => {
                matches!(op, CompareOp::In | CompareOp::NotIn | CompareOp::StartsWith | CompareOp::EndsWith)
            }
        },
        Condition::Events(query) => {
            let EventQuery { filter, measure, window, op, value, .. } = query;
            let shut = matches!(window, EventWindow::Last(span) if span.is_zero() || span.months < 0 || span.days < 0 || span.millis < 0);
            if shut || filter.as_ref().is_some_and(|filter| always(filter) == Some(false)) {
                let none = 0.0_f64.partial_cmp(value).and_then(|order| op.holds(order));
                return matches!(measure, Measure::Max(_)) || none != Some(true);
            }
            op_of_numbers(*op).is_none()
                || matches!(measure, Measure::Count)
                    && (most(*op, *value) < 0.0 || *op == CompareOp::Eq && value.fract() != 0.0)
        }
        Condition::Score { op, .. } => op_of_numbers(*op).is_none(),
        Condition::LocalTime(window) => window.from == window.until || window.weekdays.is_empty(),
        Condition::Share { share, .. } => *share == 0,
        Condition::Not(inner) => matches!(&**inner, Condition::Share { share, .. } if *share >= 10_000),
        _ => false,
    }
}

/// The fewest events a count can have.
fn fewest(op: CompareOp, value: f64) -> f64 {
    match op {
        CompareOp::Ge => value.ceil(),
        CompareOp::Gt => value.floor() + 1.0,
        CompareOp::Eq => value,
        _ => 0.0,
    }
}

/// The most events a count can have.
fn most(op: CompareOp, value: f64) -> f64 {
    match op {
        CompareOp::Le => value.floor(),
        CompareOp::Lt => value.ceil() - 1.0,
        CompareOp::Eq => value,
        _ => f64::INFINITY,
    }
}

/// Whether two facts can never both hold; asked both ways round.
fn excludes(a: &Condition, b: &Condition) -> bool {
    match (a, b) {
        (Condition::Compare { left, op, right }, Condition::Compare { left: left2, op: op2, right: right2 }) => {
            if left != left2 {
                // a < b and b < a
                return matches!((right, right2), (Operand::Path(r), Operand::Path(r2)) if r == left2 && r2 == left)
                    && sides(*op).zip(sides(*op2).map(mirrored)).is_some_and(|(one, two)| one & two == 0);
            }
            match (right, right2) {
                (Operand::Value(one), Operand::Value(two)) => values_exclude(*op, one, *op2, two),
                (one, two) => one == two && sides(*op).zip(sides(*op2)).is_some_and(|(one, two)| one & two == 0),
            }
        }
        (Condition::Compare { left, op, right }, Condition::Not(not)) => {
            matches!(&**not, Condition::IsSet(path) if path == left) && needs_set(*op, right)
                || matches!(&**not, b if a == b)
        }
        (Condition::Events(one), Condition::Events(two)) => events_exclude(one, two),
        (Condition::Score { model, op, points }, Condition::Score { model: model2, op: op2, points: points2 }) => {
            model == model2 && numbers_exclude(*op, *points, *op2, *points2)
        }
        (Condition::Consent { channel, status }, Condition::Consent { channel: channel2, status: status2 }) => {
            channel == channel2 && status != status2
        }
        (Condition::Share { share, salt }, Condition::Not(not)) => {
            matches!(&**not, Condition::Share { share: share2, salt: salt2 } if salt == salt2 && share2 >= share)
        }
        (a, Condition::Not(not)) => **not == *a,
        _ => false,
    }
}

/// The orders of two sides under which an operator holds: 1 less, 2 equal, 4 greater.
fn sides(op: CompareOp) -> Option<u8> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let holds = |order, bit| op.holds(order).map(|yes| if yes { bit } else { 0 });
    Some(holds(Less, 1)? | holds(Equal, 2)? | holds(Greater, 4)?)
}

fn mirrored(sides: u8) -> u8 {
    (sides & 1) << 2 | sides & 2 | sides >> 2
}

/// Whether a comparison can only hold for a value that counts as set (texts and lists may be there and empty).
fn needs_set(op: CompareOp, right: &Operand) -> bool {
    match right {
        Operand::Now(_) => op != CompareOp::Contains,
        Operand::Path(_) => false,
        Operand::Value(Value::Text(text)) => {
            !text.is_empty()
                && matches!(
                    op,
                    CompareOp::Eq
                        | CompareOp::Contains
                        | CompareOp::StartsWith
                        | CompareOp::EndsWith
                        | CompareOp::Gt
                        | CompareOp::Ge
                )
        }
        Operand::Value(Value::List(_) | Value::Object(_)) => false,
        Operand::Value(_) => !matches!(op, CompareOp::In | CompareOp::NotIn),
    }
}

fn values_exclude(op: CompareOp, one: &Value, op2: CompareOp, two: &Value) -> bool {
    use CompareOp::{EndsWith, Eq, Ge, Gt, In, Le, Lt, StartsWith};
    let utc = Zone::utc();
    // Which day an instant lies in depends on the contact's zone.
    let zoned = |a: &Value, b: &Value| {
        matches!((a, b), (Value::Date(_), Value::Instant(_)) | (Value::Instant(_), Value::Date(_)))
    };
    match (op, op2) {
        (Eq, _) => {
            let mixed = match two {
                Value::List(items) => items.iter().any(|item| zoned(one, item)),
                two => zoned(one, two),
            };
            !mixed
                && match compare(one.into(), op2, two.into(), &utc) {
                    Truth::Yes => false,
                    Truth::No => true,
                    // A text is never equal to 5 and also "more than a".
                    Truth::Unknown => {
                        let plain = |v: &Value| matches!(v, Value::Text(_) | Value::Number(_) | Value::Bool(_));
                        plain(one) && plain(two)
                    }
                }
        }
        (In, _) => {
            matches!(one, Value::List(items) if items.iter().all(|item| values_exclude(Eq, item, op2, two)))
        }
        (Gt | Ge, Lt | Le) if !zoned(one, two) => match order(View::from(one), View::from(two), &utc) {
            Some(order) => order.is_gt() || order.is_eq() && !(op == Ge && op2 == Le),
            None => false,
        },
        (StartsWith, StartsWith) | (EndsWith, EndsWith) => match (one, two) {
            (Value::Text(a), Value::Text(b)) if op == StartsWith => {
                !a.starts_with(b.as_str()) && !b.starts_with(a.as_str())
            }
            (Value::Text(a), Value::Text(b)) => !a.ends_with(b.as_str()) && !b.ends_with(a.as_str()),
            _ => false,
        },
        _ => false,
    }
}

fn numbers_exclude(op: CompareOp, one: f64, op2: CompareOp, two: f64) -> bool {
    values_exclude(op, &Value::Number(one), op2, &Value::Number(two))
}

fn events_exclude(one: &EventQuery, two: &EventQuery) -> bool {
    if one.metric != two.metric || one.measure != two.measure {
        return false;
    }
    let same = one.filter == two.filter && one.window == two.window;
    if one.measure != Measure::Count {
        return same && numbers_exclude(one.op, one.value, two.op, two.value);
    }
    // What counts for the first also counts for the second.
    let within = (two.filter.is_none() || one.filter == two.filter)
        && match (one.window, two.window) {
            (_, EventWindow::Ever) => true,
            (EventWindow::Last(short), EventWindow::Last(long)) => {
                short == long || short.is_exact() && long.is_exact() && short.millis <= long.millis
            }
            (one, two) => one == two,
        };
    if within && fewest(one.op, one.value) > most(two.op, two.value) {
        return true;
    }
    let only = fewest(one.op, one.value).max(fewest(two.op, two.value));
    let single = only == most(one.op, one.value).min(most(two.op, two.value));
    same && (numbers_exclude(one.op, one.value, two.op, two.value)
        || single && [one, two].iter().any(|query| query.op == CompareOp::Ne && query.value == only))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{prelude::*, test_runner::RngSeed};

    use super::super::{Compiled, ConditionText, EntryFacts, Facts, generate, parse};
    use super::*;
    use crate::base::{Instant, JourneyId};

    fn read(text: &str) -> Condition {
        let parsed = parse(text);
        assert_eq!(parsed.errors, [], "{text}");
        parsed.condition
    }

    #[test]
    fn always_or_never() {
        for (text, expected) in [
            ("true", Some(true)),
            ("contact.x > 5 and contact.x < 3", Some(false)),
            ("contact.x > 5 and contact.x <= 5", Some(false)),
            ("contact.x >= 5 and contact.x <= 5", None),
            ("contact.x > 5 or contact.x <= 7", Some(true)),
            ("contact.x > 5 or not (contact.x > 5)", Some(true)),
            ("contact.x is set or contact.x is not set", Some(true)),
            ("contact.x = \"a\" and contact.x = \"b\"", Some(false)),
            ("contact.x = \"a\" and contact.x = 5", Some(false)),
            ("contact.x = \"a\" or contact.x = \"b\"", None),
            ("contact.x in [\"a\", \"b\"] and contact.x = \"c\"", Some(false)),
            ("contact.x in [\"a\", \"b\"] and contact.x in [\"b\"]", None),
            ("contact.x not in [\"a\"] and contact.x = \"a\"", Some(false)),
            ("contact.x in []", Some(false)),
            ("contact.x starts with \"a\" and contact.x starts with \"b\"", Some(false)),
            ("contact.x > 5.00 EUR and contact.x < 3", Some(false)),
            ("contact.x > 5.00 EUR and contact.x < 3.00 USD", None),
            ("contact.d > 2026-11-23 and contact.d < 2026-11-20", Some(false)),
            ("contact.d > 2026-11-23 and contact.d < 2026-11-23T10:00:00Z", None),
            ("contact.x = trigger.x and contact.x != trigger.x", Some(false)),
            ("contact.x < contact.y and contact.y < contact.x", Some(false)),
            ("contact.x < contact.x", Some(false)),
            ("contact.x = 5 and contact.x is not set", Some(false)),
            ("contact.x = \"\" and contact.x is not set", None),
            ("contact.x > true", Some(false)),
            ("share 0 % salt \"a\"", Some(false)),
            ("share 100 % salt \"a\"", Some(true)),
            ("share 20 % salt \"a\" and not share 30 % salt \"a\"", Some(false)),
            ("share 20 % salt \"a\" and not share 30 % salt \"b\"", None),
            ("did \"X\" at least 0 times", Some(true)),
            ("did \"X\" fewer than 0 times", Some(false)),
            ("did \"X\" exactly 1.5 times", Some(false)),
            ("did \"X\" and never did \"X\"", Some(false)),
            ("did \"X\" in the last 7 days and never did \"X\"", Some(false)),
            ("did \"X\" and never did \"X\" in the last 7 days", None),
            ("did \"X\" where (event.a = 1) at least 3 times and did \"X\" at most 2 times", Some(false)),
            ("did \"X\" more than 2 times and did \"X\" fewer than 3 times", Some(false)),
            ("did \"X\" where (event.a > 1 and event.a < 0)", Some(false)),
            ("did \"X\" or never did \"X\"", Some(true)),
            ("sum of event.a over \"X\" > 5 and sum of event.a over \"X\" < 3", Some(false)),
            ("score \"a\" > 5 and score \"a\" < 3", Some(false)),
            ("email consent is subscribed and email consent is unsubscribed", Some(false)),
            ("local time from 09:00 to 09:00", Some(false)),
            ("on list \"a\" and (on list \"b\" or not on list \"a\") and not on list \"b\"", Some(false)),
            ("contact.x = 1 and (contact.y = 2 or contact.y != 2)", None),
        ] {
            assert_eq!(always(&read(text)), expected, "{text}");
        }
    }

    #[test]
    fn large_conditions_are_still_looked_at() {
        let pairs: Vec<String> = (0..40).map(|n| format!("(contact.a{n} = 1 or contact.b{n} = 1)")).collect();
        let text = format!("{} and share 0 % salt \"a\"", pairs.join(" and "));
        assert_eq!(to_dnf(&read(&pairs.join(" and ")), 100), None);
        assert_eq!(always(&read(&text)), Some(false));
        assert_eq!(always(&read(&pairs.join(" and "))), None);
    }

    #[test]
    fn normal_forms() {
        let show = |groups: Option<Vec<Vec<Condition>>>| {
            let groups = groups.expect("small");
            groups
                .iter()
                .map(|g| g.iter().map(ToString::to_string).collect::<Vec<_>>().join(" & "))
                .collect::<Vec<_>>()
                .join(" | ")
        };
        for (text, dnf, cnf) in [
            ("true", "", ""),
            ("on list \"a\"", "on list \"a\"", "on list \"a\""),
            (
                "on list \"a\" and (on list \"b\" or on list \"c\")",
                "on list \"a\" & on list \"b\" | on list \"a\" & on list \"c\"",
                "on list \"a\" | on list \"b\" & on list \"c\"",
            ),
            (
                "not (on list \"a\" and contact.x > 1)",
                "not (on list \"a\") | contact.x <= 1",
                "not (on list \"a\") & contact.x <= 1",
            ),
            (
                "not (contact.x contains \"a\" or did \"X\")",
                "not (contact.x contains \"a\") & never did \"X\"",
                "not (contact.x contains \"a\") | never did \"X\"",
            ),
        ] {
            assert_eq!(show(to_dnf(&read(text), 10)), dnf, "{text}");
            assert_eq!(show(to_cnf(&read(text), 10)), cnf, "{text}");
        }
        assert_eq!(to_dnf(&read("false"), 10), Some(vec![]));
        assert_eq!(to_dnf(&read("true"), 10), Some(vec![vec![]]));
        assert_eq!(to_cnf(&read("false"), 10), Some(vec![vec![]]));
        assert_eq!(to_cnf(&read("true"), 10), Some(vec![]));
    }

    #[test]
    fn what_a_condition_uses() {
        let segments = BTreeMap::from([
            (SmolStr::new("office"), ConditionText::new("local time from 09:00 to 17:00")),
            (SmolStr::new("around"), ConditionText::new("in segment \"around\" or in segment \"office\"")),
            (SmolStr::new("plain"), ConditionText::new("contact.a = 1")),
        ]);
        let (scores, constants) = (BTreeMap::new(), BTreeMap::new());
        let book = Book { segments: &segments, scores: &scores, constants: &constants };
        for (text, local, trigger) in [
            ("contact.a = 1", false, false),
            ("contact.a = trigger.a", false, true),
            ("did \"X\" where (event.a = trigger.a)", false, true),
            ("not share 5 % salt \"a\"", true, false),
            ("in segment \"around\"", true, false),
            ("in segment \"plain\" and in segment \"nobody\"", false, false),
        ] {
            assert_eq!(uses_local_time_or_share(&read(text), &book), local, "{text}");
            assert_eq!(uses_trigger_event(&read(text)), trigger, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

        #[test]
        fn the_meaning_stays(condition in generate::condition(), contact in generate::contact(), log in generate::log(), inside: bool) {
            let (segments, scores, constants) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
            let book = Book { segments: &segments, scores: &scores, constants: &constants };
            let (zone, journey) = (Zone::utc(), JourneyId::new("j-1"));
            let now = Instant::from_millis(generate::START);
            let entry = inside.then(|| EntryFacts { journey: &journey, at: now.plus_millis(-86_400_000), event: None });
            let facts = Facts { now, zone: &zone, contact: &contact, log: &log, entry, event: None };
            let eval = |condition: &Condition| Compiled::new(condition, &book).eval(&facts);
            let truth = eval(&condition);
            prop_assert_eq!(eval(&condition.normal_form()), truth);
            prop_assert_eq!(eval(&negation(&condition)), truth.not());
            if let Some(dnf) = to_dnf(&condition, 100) {
                prop_assert_eq!(eval(&Condition::Any(dnf.into_iter().map(Condition::All).collect())), truth, "{}", condition);
            }
            if let Some(cnf) = to_cnf(&condition, 100) {
                prop_assert_eq!(eval(&Condition::All(cnf.into_iter().map(Condition::Any).collect())), truth, "{}", condition);
            }
            match always(&condition) {
                Some(true) => prop_assert_ne!(truth, Truth::No, "{}", condition),
                Some(false) => prop_assert_ne!(truth, Truth::Yes, "{}", condition),
                None => {}
            }
        }
    }
}
