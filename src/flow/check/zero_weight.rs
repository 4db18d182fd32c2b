//! `split/zero-weight`

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "split/zero-weight",
        severity: Severity::Warning,
        title: "An arm that nobody is dealt to",
        what: "An arm of a split has the weight 0.",
        why: "Everything behind it is drawn and never used; a finished test is better decided in the open.",
        example: "arms: [(name: \"a\", weight: 100), (name: \"b\", weight: 0)]",
        fix: "Give it a weight, or take it out.",
        source: "SEMANTICS R19",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps() {
        let Settings::Split(split) = settings else { continue };
        for (n, arm) in split.arms.iter().enumerate().filter(|(_, arm)| arm.weight == 0.0) {
            let message = format!("Nobody is dealt to the arm `{}` of `{}`", arm.name, node.id);
            let place = Place::node(&node.id).with_field(format!("arms.{n}"));
            let finding = CHECK.spec.at(place, message).hint("Give it a weight, or take it out");
            let rest: Vec<_> = split.arms.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, arm)| arm).collect();
            out.push(if rest.len() < 2 {
                finding
            } else {
                finding.fix(
                    "Take the arm out",
                    vec![Edit::SetField { id: node.id.clone(), field: "arms".into(), value: ron_of(&rest) }],
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    fn split(weights: &[u32]) -> super::super::fixture::Fixture {
        let arms: Vec<String> =
            weights.iter().enumerate().map(|(n, w)| format!("(name: \"arm-{n}\", weight: {w})")).collect();
        on(&format!("nodes: [(id: \"s\", kind: \"split\", settings: (salt: \"x\", arms: [{}]))]", arms.join(", ")))
    }

    #[test]
    fn fixtures() {
        split(&[50, 0, 50]).mends(&CHECK, &["step s, arms.1"]);
        split(&[100, 0]).check(&CHECK, &["step s, arms.1"]);
        split(&[99, 1]).silent(&CHECK);
    }
}
