//! `graph/unreachable-node`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/unreachable-node",
        severity: Severity::Warning,
        title: "Unreachable step",
        what: "No way leads from the trigger to the step.",
        why: "Nobody ever comes here: a mail that was meant to leave does not.",
        example: "A mail whose incoming edge was lost when the step before it was deleted.",
        fix: "Draw an edge to it, or delete it.",
        source: "DESIGN 2 (journey), STYLE 7",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if cx.flow.trigger().is_none() {
        return;
    }
    for (idx, node) in cx.flow.nodes.iter().enumerate() {
        if cx.reachable[idx] || matches!(node.kind.as_str(), "note" | "trigger") {
            continue;
        }
        let finding = CHECK.spec.at(Place::node(&node.id), format!("No way leads from the trigger to `{}`", node.id));
        out.push(
            finding
                .hint("Draw an edge to it, or delete it")
                .fix("Delete the step", vec![Edit::RemoveNode(node.id.clone())]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let nodes = r#"nodes: [(id: "t", kind: "trigger"), (id: "x", kind: "goal"), (id: "y", kind: "exit"), (id: "n", kind: "note")]"#;
        on(nodes).mends(&CHECK, &["step x", "step y"]);
        on(&format!(r#"{nodes}, edges: [(from: "x", to: "y")]"#)).mends(&CHECK, &["step x", "step y"]);
        on(&format!(r#"{nodes}, edges: [(from: "t", to: "x"), (from: "x", to: "y")]"#)).silent(&CHECK);
    }
}
