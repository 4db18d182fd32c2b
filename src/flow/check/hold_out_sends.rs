//! `split/hold-out-sends`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::{Edit, Index},
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "split/hold-out-sends",
        severity: Severity::Warning,
        title: "A hold-out arm that gets messages",
        what: "A way leads from the hold-out arm of a split to a message.",
        why: "The arm is there to measure what happens without the messages; with them it measures nothing.",
        example: "(name: \"control\", weight: 10, hold_out: true) led back to the step after the test",
        fix: "Lead the arm to an exit, or do not call it a hold-out.",
        source: "SEMANTICS R19, R6",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let has_hold_out =
        |settings: &Settings| matches!(settings, Settings::Split(s) if s.arms.iter().any(|arm| arm.hold_out));
    if !cx.steps().any(|(_, _, settings)| has_hold_out(settings)) {
        return;
    }
    // From which steps a message can be reached: once backwards for all arms.
    let mut sends = vec![false; cx.flow.nodes.len()];
    let mut open: Vec<usize> = cx.sendings().filter(|s| !s.is_transactional()).map(|s| s.idx).collect();
    while let Some(idx) = open.pop() {
        if !std::mem::replace(&mut sends[idx], true) {
            open.extend(Index::into(&cx.index, idx).iter().map(|(from, _)| *from));
        }
    }
    for (idx, node, settings) in cx.steps() {
        let Settings::Split(split) = settings else { continue };
        for arm in split.arms.iter().filter(|arm| arm.hold_out) {
            let Some((_, to)) = cx.index.out(idx).iter().find(|(port, _)| **port == arm.name) else { continue };
            if sends[*to] {
                let message = format!("The hold-out arm `{}` of `{}` leads to a message", arm.name, node.id);
                out.push(
                    CHECK
                        .spec
                        .at(Place::edge(&node.id, &arm.name), message)
                        .hint("Lead it to an exit, or do not call it a hold-out")
                        .fix(
                            "Take the edge away",
                            vec![Edit::Disconnect { from: node.id.clone(), port: arm.name.clone() }],
                        ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |edges: &str| {
            on(&format!(
                r#"nodes: [(id: "s", kind: "split", settings: (salt: "x", arms: [(name: "a", weight: 90), (name: "c", weight: 10, hold_out: true)])), (id: "g", kind: "goal"), (id: "m", kind: "email", settings: (message: "m"))], edges: [(from: "s", port: "a", to: "m"), {edges}]"#
            ))
        };
        flow(r#"(from: "s", port: "c", to: "g"), (from: "g", to: "m")"#).mends(&CHECK, &["edge s.c"]);
        flow(r#"(from: "s", port: "c", to: "g")"#).silent(&CHECK);
    }
}
