//! Moving dates with two ends: "after so long ago, and not after now" is one filter of Klaviyo, "in the last".
//!
//! Multiplied out, the two ends stand in groups of their own; they are put together again wherever two groups say the
//! same but for them.

use serde_json::{Value as Json, json};

use super::words::window_units;
use crate::{
    audience::{
        Condition, Path,
        condition::{CompareOp, Operand},
    },
    base::{Place, Span},
    platforms::{Notes, normal::Literal},
};

/// So far that it is no bound. Source: assumption; no date of a profile lies further from now.
pub(super) const CENTURY_IN_WEEKS: i64 = 5_200;

/// One end of a moving range.
#[derive(Clone, Copy)]
enum End {
    /// Not before now, moved by a span.
    From(Span),
    /// Not after it.
    To(Span),
}

fn end(literal: &Literal) -> Option<(&Path, End)> {
    let Condition::Compare { left, op, right: Operand::Now(span) } = &literal.atom else { return None };
    match if literal.negated { op.negated() } else { Some(*op) }? {
        CompareOp::Gt | CompareOp::Ge => Some((left, End::From(*span))),
        CompareOp::Lt | CompareOp::Le => Some((left, End::To(*span))),
        _ => None,
    }
}

/// The range of two ends around now, of which one is now.
fn range(from: Span, to: Span) -> Option<(&'static str, Span)> {
    match (from.about_millis(), to.about_millis()) {
        (from_millis, 0) if from_millis < 0 => Some(("in-the-last", from.negated())),
        (0, to_millis) if to_millis > 0 => Some(("in-the-next", to)),
        _ => None,
    }
}

/// The filter for two ends that [`joined`] put together; `None` for other conditions.
pub(super) fn filter<'p>(parts: &'p [Condition], place: &Place, notes: &mut Notes) -> Option<(&'p Path, Json)> {
    let (path, operator, span) = both(parts)?;
    let (quantity, unit) = window_units(span, place, notes);
    Some((path, json!({"type": "date", "operator": operator, "unit": unit, "quantity": quantity})))
}

/// What a pair of ends is about.
pub(super) fn both(parts: &[Condition]) -> Option<(&Path, &'static str, Span)> {
    let [
        Condition::Compare { left, right: Operand::Now(from), .. },
        Condition::Compare { left: other, right: Operand::Now(to), .. },
    ] = parts
    else {
        return None;
    };
    let (operator, span) = range(*from, *to).filter(|_| left == other)?;
    Some((left, operator, span))
}

/// Groups joined by AND, of which those that differ in the two ends of one range only are one.
pub(super) fn joined(mut groups: Vec<Vec<Literal>>) -> Vec<Vec<Literal>> {
    // Each round has one group less.
    while let Some((one, other, whole)) = pair(&groups) {
        let second = groups.remove(other);
        let first = &mut groups[one];
        first.retain(|literal| second.contains(literal));
        first.push(whole);
    }
    groups
}

/// Two groups to put together, and what stands for their ends.
fn pair(groups: &[Vec<Literal>]) -> Option<(usize, usize, Literal)> {
    for (one, first) in groups.iter().enumerate() {
        for (other, second) in groups.iter().enumerate().skip(one + 1).filter(|(_, g)| g.len() == first.len()) {
            let only = |these: &[Literal], those: &[Literal]| -> Option<Literal> {
                let mut rest = these.iter().filter(|literal| !those.contains(literal));
                rest.next().filter(|_| rest.next().is_none()).cloned()
            };
            let (Some(a), Some(b)) = (only(first, second), only(second, first)) else { continue };
            let (Some((path, a_end)), Some((other_path, b_end))) = (end(&a), end(&b)) else { continue };
            let (from, to) = match (a_end, b_end) {
                (End::From(from), End::To(to)) | (End::To(to), End::From(from)) => (from, to),
                _ => continue,
            };
            if path != other_path || range(from, to).is_none() {
                continue;
            }
            let part = |op, span| Condition::Compare { left: path.clone(), op, right: Operand::Now(span) };
            let parts = vec![part(CompareOp::Ge, from), part(CompareOp::Le, to)];
            return Some((one, other, Literal { atom: Condition::All(parts), negated: false }));
        }
    }
    None
}
