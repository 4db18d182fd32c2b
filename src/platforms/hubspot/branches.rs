//! Branches: if/then, on a value, and by the number of e-mails delivered.

use serde_json::{Value as Json, json};

use super::{
    body::{Body, To},
    filters::{and, events_branch, offset, or},
    links::Out,
};
use crate::{
    audience::{
        Condition, Path, Value,
        condition::{CompareOp, Operand},
    },
    base::Place,
    kinds::{Branch, Limit, logic::branch},
    platforms::plan::Step,
};

/// Most arms of an if/then branch. Source: knowledge base, "use if/then branches in workflows".
const MOST_ARMS: usize = 20;
/// Most arms of a branch on a value. Source: the same page.
const MOST_VALUES: usize = 250;

impl Body<'_, '_> {
    /// If/then: arms in order, first match wins. More than fit go on in the last branch.
    pub fn list_branch(&mut self, arms: Vec<(String, Json, To)>, default_name: &str, otherwise: To) -> To {
        let first = self.drafts.len();
        let chunks = arms.len().div_ceil(MOST_ARMS);
        let mut arms = arms.into_iter();
        for n in 0..chunks {
            let last = n + 1 == chunks;
            let mut branches = Vec::new();
            let mut outs = Vec::new();
            for (k, (name, filter, to)) in arms.by_ref().take(MOST_ARMS).enumerate() {
                branches.push(json!({"branchName": name, "filterBranch": filter}));
                outs.push((Out::List(k), to));
            }
            outs.push((Out::Default, if last { otherwise } else { To::Draft(first + n + 1) }));
            let name = if last { default_name } else { "More" };
            self.push(
                json!({"type": "LIST_BRANCH", "actionId": "", "listBranches": branches, "defaultBranchName": name}),
                outs,
            );
        }
        if chunks == 0 { otherwise } else { To::Draft(first) }
    }

    /// Arms that ask one property for one text each, as many as an if/then branch does not hold: a branch on its value.
    /// `None` where the arms are something else, or few enough.
    pub fn switch(&mut self, step: &Step<'_>, node: &Branch) -> Option<To> {
        let mut property: Option<Path> = None;
        let mut values: Vec<(String, To)> = Vec::new();
        for arm in &node.arms {
            let Condition::Compare { left, op: op @ (CompareOp::Eq | CompareOp::In), right: Operand::Value(value) } =
                self.asker.names.plain(arm.condition.condition())
            else {
                return None;
            };
            if *property.get_or_insert_with(|| left.clone()) != left {
                return None;
            }
            let texts: Option<Vec<&str>> = match (&value, op) {
                (Value::List(items), CompareOp::In) => items.iter().map(Value::as_text).collect(),
                (one, _) => one.as_text().map(|text| vec![text]),
            };
            for text in texts? {
                // The first arm that names a value has it.
                if values.iter().all(|(known, _)| known != text) {
                    values.push((text.to_owned(), self.to(step, &arm.name)));
                }
            }
        }
        if values.len() <= MOST_ARMS {
            return None;
        }
        let property = self.asker.property(&property?, self.notes).ok()?;
        let otherwise = self.to(step, branch::ELSE);
        let first = self.drafts.len();
        let chunks: Vec<&[(String, To)]> = values.chunks(MOST_VALUES).collect();
        for (n, chunk) in chunks.iter().enumerate() {
            let last = n + 1 == chunks.len();
            let branches: Vec<Json> = chunk.iter().map(|(value, _)| json!({"branchValue": value})).collect();
            let mut outs: Vec<(Out, To)> = chunk.iter().enumerate().map(|(k, (_, to))| (Out::Static(k), *to)).collect();
            outs.push((Out::Default, if last { otherwise } else { To::Draft(first + n + 1) }));
            let action = json!({"type": "STATIC_BRANCH", "actionId": "",
                "inputValue": {"type": "OBJECT_PROPERTY", "propertyName": property}, "staticBranches": branches,
                "defaultBranchName": if last { "Everyone else" } else { "More" }});
            self.push(action, outs);
        }
        Some(To::Draft(first))
    }

    /// "Got at least so many within so long", of the e-mails HubSpot delivered.
    pub fn capped(&mut self, rule: &crate::kinds::CapRule, place: &Place) -> Json {
        let Limit::AtMost(most) = rule.limit else { return or(Vec::new()) };
        let (amount, unit) = offset(rule.within, place, self.notes);
        let event = if rule.channel == crate::audience::Channel::Email { "4-665536" } else { "4-1721168" };
        let mut branch = events_branch(event, true, Vec::new());
        branch["pruningRefineBy"] = json!({"type": "RELATIVE_COMPARATIVE", "comparison": "AFTER",
            "timeOffset": {"amount": amount, "timeUnit": unit, "offsetDirection": "PAST"}});
        branch["coalescingRefineBy"] = json!({"type": "NUM_OCCURRENCES", "minOccurrences": most.max(1)});
        let mut out = or(vec![and(Vec::new(), vec![branch])]);
        if let Some(segment) = &rule.segment {
            // Only whoever is in the segment is capped: the segment's terms with the count added to each.
            let inside = self.asker.ask(&Condition::InSegment(segment.clone()), place, self.notes);
            let count = out["filterBranches"][0]["filterBranches"][0].clone();
            let mut inside = inside;
            if let Some(terms) = inside["filterBranches"].as_array_mut() {
                for term in terms {
                    if let Some(list) = term["filterBranches"].as_array_mut() {
                        list.push(count.clone());
                    }
                }
            }
            out = inside;
        }
        out
    }
}
