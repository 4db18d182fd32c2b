//! `graph/no-steps`

use super::{Check, CheckSpec, Context, Finding};
use crate::base::{Place, Severity};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/no-steps",
        severity: Severity::Warning,
        title: "A flow that does nothing",
        what: "The flow has no step that sends, writes, calls or tells anything.",
        why: "Contacts enter, and nothing happens to them.",
        example: "A trigger, a delay and an exit; or notes only.",
        fix: "Add a step that acts, such as an e-mail.",
        source: "DESIGN 3 (actions)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    // An unknown kind may act; a goal is counted.
    let acts = |kind: &str| {
        !matches!(
            kind,
            "trigger" | "delay" | "wait_for_event" | "condition" | "branch" | "split" | "cap" | "exit" | "note"
        )
    };
    if !cx.flow.nodes.iter().any(|node| acts(&node.kind)) {
        let message = if cx.flow.nodes.iter().all(|node| node.kind == "note") {
            "The flow has no steps yet"
        } else {
            "The flow has no step that sends, writes or tells anything"
        };
        out.push(CHECK.spec.at(Place::default(), message).hint("Add an action, such as an e-mail"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on("").check(&CHECK, &[""]);
        on(r#"nodes: [(id: "n", kind: "note")]"#).check(&CHECK, &[""]);
        on(r#"nodes: [(id: "t", kind: "trigger"), (id: "x", kind: "exit")]"#).check(&CHECK, &[""]);
        on(r#"nodes: [(id: "t", kind: "trigger"), (id: "l", kind: "list_update")]"#).silent(&CHECK);
    }
}
