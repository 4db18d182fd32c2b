//! Conditions in the forms that platforms take: an AND of ORs for Klaviyo, an OR of ANDs for HubSpot.
//!
//! Before that a condition is made plain: constants filled in, segments of the workspace written out, lists of numbers
//! spelt, "or" inside an event's filter taken apart where the count allows it.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{
    audience::{
        Condition, Path, Value,
        condition::{CompareOp, EventQuery, Measure, Operand, Root, to_cnf, to_dnf},
    },
    flow::{FlowSettings, Workspace},
};

/// One leaf, straight or denied.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Literal {
    pub atom: Condition,
    pub negated: bool,
}

impl Literal {
    /// The leaf as a condition again, for texts.
    pub fn to_condition(&self) -> Condition {
        if self.negated { Condition::Not(Box::new(self.atom.clone())) } else { self.atom.clone() }
    }
}

/// How many groups or terms a condition may have when multiplied out; beyond it the condition as a whole is a loss.
pub(super) const LIMIT: usize = 64;
/// How deep segments may name segments. Source: assumption; real ones are two or three deep.
const DEPTH: usize = 24;

/// Constants, segments and event properties of a flow.
pub(super) struct Names<'a> {
    workspace: &'a Workspace,
    constants: BTreeMap<SmolStr, Value>,
}

impl<'a> Names<'a> {
    pub fn new(workspace: &'a Workspace, settings: &FlowSettings) -> Self {
        Self { workspace, constants: settings.constants.clone() }
    }

    /// The condition made plain.
    pub fn plain(&self, condition: &Condition) -> Condition {
        self.plain_at(condition, DEPTH)
    }

    fn plain_at(&self, condition: &Condition, depth: usize) -> Condition {
        match condition {
            Condition::All(parts) => Condition::All(parts.iter().map(|p| self.plain_at(p, depth)).collect()),
            Condition::Any(parts) => Condition::Any(parts.iter().map(|p| self.plain_at(p, depth)).collect()),
            Condition::Not(inner) => Condition::Not(Box::new(self.plain_at(inner, depth))),
            Condition::InSegment(name) => match self.workspace.segments.get(name) {
                Some(text) if depth > 0 && text.parsed().errors.is_empty() => {
                    self.plain_at(text.condition(), depth - 1)
                }
                _ => condition.clone(),
            },
            Condition::Compare { left, op, right } => self.plain_compare(left, *op, right),
            Condition::Events(query) => self.plain_events(query, depth),
            Condition::Always(_)
            | Condition::IsSet(_)
            | Condition::InList(_)
            | Condition::Consent { .. }
            | Condition::Response { .. }
            | Condition::Score { .. }
            | Condition::LocalTime(_)
            | Condition::Share { .. } => condition.clone(),
        }
    }

    /// "Did A or B at all" is "did A, or did B", and "did neither" is both of them not: the two counts that can be
    /// taken apart. Platforms join filters on one event by AND only.
    fn plain_events(&self, query: &EventQuery, depth: usize) -> Condition {
        let filter = query.filter.as_ref().map(|f| self.plain_at(f, depth));
        let is_count = query.measure == Measure::Count;
        let some =
            is_count && matches!((query.op, query.value), (CompareOp::Ge, 1.0) | (CompareOp::Gt | CompareOp::Ne, 0.0));
        let none =
            is_count && matches!((query.op, query.value), (CompareOp::Lt, 1.0) | (CompareOp::Le | CompareOp::Eq, 0.0));
        let one =
            |filter: Option<Condition>| Condition::Events(EventQuery { filter: filter.map(Box::new), ..query.clone() });
        match filter.as_ref().filter(|_| some || none).and_then(|f| to_dnf(f, LIMIT)) {
            Some(cases) if cases.len() > 1 => {
                let parts = cases.into_iter().map(|case| one(Some(Condition::All(case)))).collect();
                if some { Condition::Any(parts) } else { Condition::All(parts) }
            }
            _ => one(filter),
        }
    }

    fn constant(&self, path: &Path) -> Option<&Value> {
        let (first, rest) = path.steps.split_first()?;
        (path.root == Root::Constant).then(|| self.constants.get(first)?.at(rest)).flatten()
    }

    fn plain_compare(&self, left: &Path, op: CompareOp, right: &Operand) -> Condition {
        let right = match right {
            Operand::Path(path) => self.constant(path).map_or_else(|| right.clone(), |v| Operand::Value(v.clone())),
            other => other.clone(),
        };
        // `constant.threshold < contact.x` reads the other way round.
        if let (Some(value), Operand::Path(path)) = (self.constant(left), &right)
            && let Some(op) = mirrored(op)
        {
            return self.plain_compare(path, op, &Operand::Value(value.clone()));
        }
        if matches!(op, CompareOp::In | CompareOp::NotIn)
            && let Operand::Value(Value::List(items)) = &right
            && !items.iter().all(|item| matches!(item, Value::Text(_)))
        {
            let each = if op == CompareOp::In { CompareOp::Eq } else { CompareOp::Ne };
            let parts = items.iter().map(|item| Condition::Compare {
                left: left.clone(),
                op: each,
                right: Operand::Value(item.clone()),
            });
            return if op == CompareOp::In { Condition::Any(parts.collect()) } else { Condition::All(parts.collect()) };
        }
        Condition::Compare { left: left.clone(), op, right }
    }

    /// AND of ORs; `None` beyond [`LIMIT`].
    pub fn cnf(&self, condition: &Condition) -> Option<Vec<Vec<Literal>>> {
        literals(to_cnf(&self.plain(condition), LIMIT))
    }

    /// OR of ANDs; `None` beyond [`LIMIT`].
    pub fn dnf(&self, condition: &Condition) -> Option<Vec<Vec<Literal>>> {
        literals(to_dnf(&self.plain(condition), LIMIT))
    }
}

/// The operator seen from the other side.
fn mirrored(op: CompareOp) -> Option<CompareOp> {
    Some(match op {
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Ne => CompareOp::Ne,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Ge => CompareOp::Le,
        CompareOp::In | CompareOp::NotIn | CompareOp::Contains | CompareOp::StartsWith | CompareOp::EndsWith => {
            return None;
        }
    })
}

/// Groups of facts as literals.
fn literals(groups: Option<Vec<Vec<Condition>>>) -> Option<Vec<Vec<Literal>>> {
    let literal = |fact: Condition| match fact {
        Condition::Not(atom) => Literal { atom: *atom, negated: true },
        atom => Literal { atom, negated: false },
    };
    Some(groups?.into_iter().map(|group| group.into_iter().map(literal).collect()).collect())
}

/// A path as people write it.
pub(super) fn path_text(path: &Path) -> String {
    let root = match path.root {
        Root::Contact => "contact",
        Root::Trigger => "trigger",
        Root::Event => "event",
        Root::Constant => "constant",
    };
    let steps: Vec<&str> = path.steps.iter().map(SmolStr::as_str).collect();
    format!("{root}.{}", steps.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(name: &str) -> Condition {
        Condition::InList(name.into())
    }

    fn show(groups: Option<Vec<Vec<Literal>>>) -> String {
        let groups = groups.expect("within the limit");
        let literal = |l: &Literal| {
            let Condition::InList(name) = &l.atom else { panic!("a list") };
            format!("{}{name}", if l.negated { "!" } else { "" })
        };
        groups.iter().map(|g| g.iter().map(literal).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(" / ")
    }

    #[test]
    fn forms() {
        let workspace = Workspace::default();
        let names = Names::new(&workspace, &FlowSettings::default());
        let check = |condition: &Condition, cnf: &str, dnf: &str| {
            assert_eq!(show(names.cnf(condition)), cnf, "cnf");
            assert_eq!(show(names.dnf(condition)), dnf, "dnf");
        };
        let (a, b, c) = (leaf("a"), leaf("b"), leaf("c"));
        check(&a, "a", "a");
        check(&Condition::All(vec![a.clone(), Condition::Any(vec![b.clone(), c.clone()])]), "a / b c", "a b / a c");
        check(&Condition::Any(vec![a.clone(), Condition::All(vec![b.clone(), c.clone()])]), "a b / a c", "a / b c");
        let not = Condition::Not(Box::new(Condition::All(vec![a.clone(), Condition::Not(Box::new(b.clone()))])));
        check(&not, "!a b", "!a / b");
        check(&Condition::Always(true), "", "");
        assert_eq!(names.cnf(&Condition::Always(true)), Some(vec![]));
        assert_eq!(names.dnf(&Condition::Always(true)), Some(vec![vec![]]));
        assert_eq!(names.cnf(&Condition::Always(false)), Some(vec![vec![]]));
        assert_eq!(names.dnf(&Condition::All(vec![a, Condition::Always(false)])), Some(vec![]));
    }

    #[test]
    fn beyond_the_limit_is_none() {
        let workspace = Workspace::default();
        let names = Names::new(&workspace, &FlowSettings::default());
        let pairs: Vec<Condition> =
            (0..20).map(|n| Condition::Any(vec![leaf(&format!("a{n}")), leaf(&format!("b{n}"))])).collect();
        assert_eq!(names.dnf(&Condition::All(pairs.clone())), None);
        assert_eq!(names.cnf(&Condition::All(pairs)).map(|c| c.len()), Some(20));
    }
}
