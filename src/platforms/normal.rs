//! Conditions in the forms that platforms take: an AND of ORs for Klaviyo, an OR of ANDs for HubSpot.
//!
//! First a condition is made plain: constants filled in, segments of the workspace written out, lists of numbers
//! spelt. Then "not" sinks to the leaves, and the tree is multiplied out up to a limit.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{
    audience::{
        Condition, Path, Value,
        condition::{CompareOp, EventQuery, Operand, Root},
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
                Some(text) if depth > 0 && text.parsed().errors.is_empty() => self.plain_at(text.condition(), depth - 1),
                _ => condition.clone(),
            },
            Condition::Compare { left, op, right } => self.plain_compare(left, *op, right),
            Condition::Events(query) => Condition::Events(EventQuery {
                filter: query.filter.as_ref().map(|f| Box::new(self.plain_at(f, depth))),
                ..query.clone()
            }),
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
            let parts = items.iter().map(|item| Condition::Compare { left: left.clone(), op: each, right: Operand::Value(item.clone()) });
            return if op == CompareOp::In { Condition::Any(parts.collect()) } else { Condition::All(parts.collect()) };
        }
        Condition::Compare { left: left.clone(), op, right }
    }

    /// AND of ORs; `None` beyond [`LIMIT`].
    pub fn cnf(&self, condition: &Condition) -> Option<Vec<Vec<Literal>>> {
        multiply(&self.plain(condition), false, true)
    }

    /// OR of ANDs; `None` beyond [`LIMIT`].
    pub fn dnf(&self, condition: &Condition) -> Option<Vec<Vec<Literal>>> {
        multiply(&self.plain(condition), false, false)
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
        CompareOp::In | CompareOp::NotIn | CompareOp::Contains | CompareOp::StartsWith | CompareOp::EndsWith => return None,
    })
}

/// Multiplies out: with `outer_all` an AND of ORs, else an OR of ANDs.
fn multiply(condition: &Condition, negated: bool, outer_all: bool) -> Option<Vec<Vec<Literal>>> {
    let (parts, is_all) = match condition {
        Condition::Not(inner) => return multiply(inner, !negated, outer_all),
        Condition::Always(yes) => {
            let yes = *yes != negated;
            // An AND of nothing is true, an AND of one empty OR is false; the other way round for OR of ANDs.
            return Some(if yes == outer_all { Vec::new() } else { vec![Vec::new()] });
        }
        Condition::All(parts) => (parts, !negated),
        Condition::Any(parts) => (parts, negated),
        atom => return Some(vec![vec![Literal { atom: atom.clone(), negated }]]),
    };
    let mut lists = Vec::with_capacity(parts.len());
    for part in parts {
        lists.push(multiply(part, negated, outer_all)?);
    }
    let mut out: Vec<Vec<Literal>>;
    if is_all == outer_all {
        out = Vec::new();
        for group in lists.into_iter().flatten() {
            if !out.contains(&group) {
                out.push(group);
            }
        }
    } else {
        out = vec![Vec::new()];
        for list in lists {
            let mut next = Vec::with_capacity(out.len() * list.len());
            for a in &out {
                for b in &list {
                    let mut joined = a.clone();
                    joined.extend(b.iter().filter(|l| !a.contains(l)).cloned());
                    next.push(joined);
                }
            }
            if next.len() > LIMIT {
                return None;
            }
            out = next;
        }
    }
    (out.len() <= LIMIT).then_some(out)
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
