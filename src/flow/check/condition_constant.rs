//! `condition/constant`

use std::{cell::RefCell, cmp::Ordering, collections::BTreeMap};

use smol_str::SmolStr;

use super::{
    Check, CheckSpec, Context, Finding, Workspace, WorkspaceCheck,
    context::{Written, workspace_conditions},
};
use crate::{
    audience::{
        Condition, Path, Value,
        condition::{CompareOp, Measure, Operand, Root},
    },
    base::Severity,
    flow::Edit,
};

const SPEC: CheckSpec = CheckSpec {
    code: "condition/constant",
    severity: Severity::Warning,
    title: "A condition that is always true, or never",
    what: "Whatever is known of a contact, the condition comes out the same: its parts contradict each other, compare \
           constants, or leave nothing to ask.",
    why: "One of its ways is never taken, or the filter filters nothing; as a rule a sign or a number was mistyped.",
    example: "contact.lifetime_value > 500 and contact.lifetime_value < 100",
    fix: "Correct the comparison, or take the condition out.",
    source: "SEMANTICS R5 (three values; unknown counts as no)",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run };
pub(super) const WORKSPACE: WorkspaceCheck = WorkspaceCheck { spec: SPEC, run: run_workspace };

/// Most segments that are followed; each may stand on another, and each level takes some of our stack.
const MOST_SEGMENTS: usize = 16;
/// Most parts of one group that are compared with each other, which takes the square of it.
const MOST_PARTS: usize = 64;

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let constants = |name: &str| cx.settings.constants.get(name);
    let of = Folding { constants: &constants, workspace: cx.workspace, segments: RefCell::default() };
    for written in cx.conditions() {
        let Some((holds, finding)) = finding(&of, written) else { continue };
        let place = written.place();
        let fix = match (&written.step, place.field.as_deref()) {
            (None, Some(field)) if !holds => {
                field.strip_prefix("settings.").map(|field| Edit::SetFlowField { field: field.into(), value: None })
            }
            (Some((node, field)), _) if holds && field == "filter" => {
                Some(Edit::SetField { id: node.id.clone(), field: "filter".into(), value: None })
            }
            _ => None,
        };
        out.push(match fix {
            Some(edit) => finding.fix("Take it out", vec![edit]),
            None => finding,
        });
    }
}

fn run_workspace(workspace: &Workspace, out: &mut Vec<Finding>) {
    let of = Folding { constants: &|_| None, workspace, segments: RefCell::default() };
    out.extend(workspace_conditions(workspace).iter().filter_map(|written| Some(finding(&of, written)?.1)));
}

fn finding(of: &Folding<'_>, written: &Written<'_>) -> Option<(bool, Finding)> {
    if !written.condition.parsed().errors.is_empty() {
        return None;
    }
    let holds = of.truth(written.condition.condition())?;
    let message = if holds { "The condition is always true" } else { "The condition is never true" };
    let hint = if holds {
        "Take it out, or ask something that can be false"
    } else {
        "Look for a sign or number that was mistyped"
    };
    Some((holds, SPEC.at(written.place(), message).hint(hint)))
}

struct Folding<'a> {
    constants: &'a dyn Fn(&str) -> Option<&'a Value>,
    workspace: &'a Workspace,
    /// Answers for segments, each worked out once; one that stands on itself has none.
    segments: RefCell<BTreeMap<SmolStr, Option<bool>>>,
}

impl Folding<'_> {
    /// `Some(false)`: it never certainly holds. `Some(true)`: it always does. Depth is bounded by the parser's
    /// bound on each text.
    fn truth(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Always(yes) => Some(*yes),
            Condition::All(parts) => {
                let all: Vec<Option<bool>> = parts.iter().map(|part| self.truth(part)).collect();
                if all.contains(&Some(false)) || self.contradict(parts) {
                    Some(false)
                } else {
                    all.iter().all(|truth| *truth == Some(true)).then_some(true)
                }
            }
            Condition::Any(parts) => {
                let all: Vec<Option<bool>> = parts.iter().map(|part| self.truth(part)).collect();
                if all.contains(&Some(true)) {
                    Some(true)
                } else {
                    all.iter().all(|truth| *truth == Some(false)).then_some(false)
                }
            }
            // Of a part that is never certainly true, the opposite need not be certain.
            Condition::Not(part) => match &**part {
                Condition::Always(yes) => Some(!yes),
                part => self.truth(part).filter(|holds| *holds || self.is_total(part)).map(|holds| !holds),
            },
            Condition::Compare { left, op, right } => self.comparison(left, *op, right),
            Condition::Events(query) if matches!(query.measure, Measure::Count) => {
                let never_fewer = match query.op {
                    CompareOp::Ge => query.value <= 0.0,
                    CompareOp::Gt => query.value < 0.0,
                    _ => false,
                };
                let never = match query.op {
                    CompareOp::Lt => query.value <= 0.0,
                    CompareOp::Le | CompareOp::Eq => query.value < 0.0,
                    _ => false,
                };
                never_fewer.then_some(true).or(never.then_some(false))
            }
            Condition::Share { share, .. } => match share {
                0 => Some(false),
                10_000.. => Some(true),
                _ => None,
            },
            Condition::InSegment(name) => {
                if let Some(known) = self.segments.borrow().get(name) {
                    return *known;
                }
                if self.segments.borrow().len() >= MOST_SEGMENTS {
                    return None;
                }
                self.segments.borrow_mut().insert(name.clone(), None);
                let segment = self.workspace.segments.get(name)?;
                let truth = segment.parsed().errors.is_empty().then(|| self.truth(segment.condition())).flatten();
                self.segments.borrow_mut().insert(name.clone(), truth);
                truth
            }
            _ => None,
        }
    }

    /// Whether a condition has an answer for everybody, so that "never true" means "false".
    fn is_total(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Events(query) => matches!(query.measure, Measure::Count),
            Condition::Share { .. } | Condition::Always(_) => true,
            Condition::Compare { left, right, .. } => {
                left.root == Root::Constant && !matches!(right, Operand::Path(path) if path.root != Root::Constant)
            }
            _ => false,
        }
    }

    fn constant(&self, path: &Path) -> Option<&Value> {
        match (path.root, path.steps.split_first()) {
            (Root::Constant, Some((name, rest))) => (self.constants)(name)?.at(rest),
            _ => None,
        }
    }

    fn comparison(&self, left: &Path, op: CompareOp, right: &Operand) -> Option<bool> {
        if let (CompareOp::In | CompareOp::NotIn, Operand::Value(Value::List(list))) = (op, right)
            && list.is_empty()
        {
            return (op == CompareOp::In).then_some(false);
        }
        if matches!(right, Operand::Path(path) if path == left)
            && matches!(op, CompareOp::Ne | CompareOp::Lt | CompareOp::Gt)
        {
            return Some(false);
        }
        let left = self.constant(left)?;
        op.holds(order(left, self.literal(right)?)?)
    }

    fn literal<'v>(&'v self, operand: &'v Operand) -> Option<&'v Value> {
        match operand {
            Operand::Value(value) => Some(value),
            Operand::Path(path) => self.constant(path),
            Operand::Now(_) => None,
        }
    }

    /// Whether parts that must all hold leave no value: numbers between two bounds, or a value that is two.
    fn contradict(&self, parts: &[Condition]) -> bool {
        let parts = &parts[..parts.len().min(MOST_PARTS)];
        parts.iter().enumerate().any(|(n, a)| parts[n + 1..].iter().any(|b| self.exclude(a, b)))
    }

    fn exclude(&self, a: &Condition, b: &Condition) -> bool {
        match (a, b) {
            (Condition::Not(inner), other) | (other, Condition::Not(inner)) if **inner == *other => true,
            (
                Condition::Compare { left: la, op: oa, right: ra },
                Condition::Compare { left: lb, op: ob, right: rb },
            ) => {
                let (Some(va), Some(vb)) = (self.literal(ra), self.literal(rb)) else { return false };
                la == lb && disjoint((*oa, va), (*ob, vb))
            }
            _ => false,
        }
    }
}

/// Whether no value compares so with both.
fn disjoint((op_a, a): (CompareOp, &Value), (op_b, b): (CompareOp, &Value)) -> bool {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    let Some(order) = order(a, b) else { return false };
    match (op_a, op_b) {
        (Eq, Eq) => order.is_ne(),
        (Eq, Ne) | (Ne, Eq) => order.is_eq(),
        (Eq, other) => other.holds(order) == Some(false),
        (other, Eq) => other.holds(order.reverse()) == Some(false),
        // x < a and x > b
        (Lt, Gt | Ge) | (Le, Gt) => order.is_le(),
        (Le, Ge) => order.is_lt(),
        (Gt | Ge, Lt) | (Gt, Le) => order.is_ge(),
        (Ge, Le) => order.is_gt(),
        _ => false,
    }
}

/// How two literals compare; `None` where they cannot be compared for sure (texts ignore case in some places).
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.to_lowercase(), b.to_lowercase());
            Some(a.cmp(&b))
        }
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Instant(a), Value::Instant(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{Fixture, check_places, on},
        *,
    };

    fn condition(text: &str) -> Fixture {
        let text = ron::to_string(text).expect("writes");
        on(&format!(
            r#"settings: (constants: {{"limit": 5}}), nodes: [(id: "c", kind: "condition", settings: (condition: {text}))]"#
        ))
        .within(r#"segments: {"Nobody": "contact.x > 5 and contact.x < 5", "Some": "contact.x > 5"}"#)
    }

    #[test]
    fn fixtures() {
        for text in [
            "true",
            "contact.x > 500 and contact.x < 100",
            "contact.x = \"a\" and contact.x = \"b\" and contact.y > 3",
            "contact.x > 5 and contact.x <= constant.limit",
            "contact.x = 3 and contact.x != 3",
            "contact.x = 3 and contact.x > 3",
            "constant.limit > 3",
            "constant.limit > 7 or contact.x > 3 and false",
            "did \"A\" at least 0 times ever",
            "contact.x in []",
            "in segment \"Nobody\"",
            "contact.x > contact.x",
            "contact.y > 1 and not (contact.y > 1)",
            "not (constant.limit > 3)",
        ] {
            condition(text).check(&CHECK, &["step c, condition"]);
        }
        for text in [
            "contact.x > 100 and contact.x < 500",
            "contact.x >= 5 and contact.x <= 5",
            "contact.x = \"a\" or contact.x = \"b\"",
            "contact.x > constant.limit",
            "constant.unknown > 3",
            "did \"A\" at least 1 times ever",
            "in segment \"Some\"",
            "not (contact.x > 5 and contact.x < 3)",
            "contact.x != 3 and contact.x != 4",
        ] {
            condition(text).silent(&CHECK);
        }
    }

    #[test]
    fn of_the_flow_and_of_waits() {
        on(r#"settings: (exit_when: "false", goal_when: "true")"#)
            .check(&CHECK, &["settings.exit_when", "settings.goal_when"]);
        on(r#"settings: (exit_when: "false")"#).mends(&CHECK, &["settings.exit_when"]);
        on(r#"nodes: [(id: "w", kind: "wait_for_event", settings: (event: "A", filter: "true", timeout: "1 day"))]"#)
            .mends(&CHECK, &["step w, filter"]);
        check_places(&WORKSPACE, r#"segments: {"A": "contact.x > 5 and contact.x < 5"}"#, &["segments.A"]);
    }
}
