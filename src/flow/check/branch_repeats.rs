//! `branch/never-taken`

use std::collections::BTreeMap;

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::Condition,
    base::{Place, Severity},
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "branch/never-taken",
        severity: Severity::Warning,
        title: "An arm that is never taken",
        what: "An arm of a branch asks the same as an arm before it, or comes after one that always holds; or the branch \
               has no arms at all.",
        why: "The first arm that holds wins, so nobody ever comes to the second.",
        example: "arms: [(name: \"vip\", condition: \"contact.x > 500\"), (name: \"rich\", condition: \"contact.x > 500\")]",
        fix: "Correct its condition, or take the arm out.",
        source: "DESIGN 3 (branch)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps() {
        let Settings::Branch(branch) = settings else { continue };
        if branch.arms.is_empty() {
            let message = format!("The branch `{}` has no arms, so everybody leaves by `else`", node.id);
            out.push(CHECK.spec.at(Place::node(&node.id).with_field("arms"), message).hint("Add an arm"));
        }
        let mut asked: BTreeMap<String, &str> = BTreeMap::new();
        let mut always: Option<&str> = None;
        for (n, arm) in branch.arms.iter().enumerate() {
            if !arm.condition.parsed().errors.is_empty() {
                continue;
            }
            let condition = arm.condition.condition();
            let before = always
                .map(|name| (name, "always holds"))
                .or_else(|| asked.get(&condition.to_string()).map(|name| (*name, "asks the same")));
            if let Some((name, why)) = before {
                let message =
                    format!("The arm `{}` of `{}` is never taken: `{name}` before it {why}", arm.name, node.id);
                let place = Place::node(&node.id).with_field(format!("arms.{n}.condition"));
                out.push(CHECK.spec.at(place, message).hint("Correct its condition, or take the arm out"));
            }
            if *condition == Condition::Always(true) {
                always.get_or_insert(&arm.name);
            }
            asked.entry(condition.to_string()).or_insert(&arm.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let arms = |conditions: &[&str]| {
            let arms: Vec<String> = conditions
                .iter()
                .enumerate()
                .map(|(n, c)| format!("(name: \"arm-{n}\", condition: \"{c}\")"))
                .collect();
            on(&format!("nodes: [(id: \"b\", kind: \"branch\", settings: (arms: [{}]))]", arms.join(", ")))
        };
        arms(&["contact.x > 5", "contact.x>5"]).check(&CHECK, &["step b, arms.1.condition"]);
        arms(&["true", "contact.x > 5"]).check(&CHECK, &["step b, arms.1.condition"]);
        arms(&[]).check(&CHECK, &["step b, arms"]);
        arms(&["contact.x > 5", "contact.x > 3", "true"]).silent(&CHECK);
        arms(&["contact.x >", "contact.x >"]).silent(&CHECK);
    }
}
