//! `graph/open-port`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::{Edge, Edit, Node},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/open-port",
        severity: Severity::Warning,
        title: "Open port of a branching step",
        what: "A step with several ways out has one that leads nowhere. A journey that takes it is complete.",
        why: "On a step with one way out that is how a flow ends; on one of several it is as a rule a forgotten edge.",
        example: "A condition whose `no` has no edge.",
        fix: "Lead the port on, or to an exit that says why the journey ends there.",
        source: "SEMANTICS R20",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (idx, node, settings) in cx.steps() {
        let num_edges = cx.index.out(idx).len();
        let ports = settings.ports();
        if ports.len() < 2 || num_edges >= ports.len() {
            continue;
        }
        for port in ports {
            if cx.index.out(idx).iter().any(|(taken, _)| **taken == port.name) {
                continue;
            }
            let message = format!("The port `{}` of `{}` leads nowhere", port.name, node.id);
            let exit_id = cx.flow.fresh_id("exit");
            let mut exit = Node::new(exit_id.clone(), "exit", "()");
            exit.pos = (node.pos.0, node.pos.1 + 160.0);
            out.push(
                CHECK
                    .spec
                    .at(Place::edge(&node.id, &port.name), message)
                    .hint("Lead it on, or to an exit that says why the journey ends there")
                    .fix(
                        "Lead it to an exit",
                        vec![
                            Edit::AddNode(Box::new(exit)),
                            Edit::Connect(Edge { from: node.id.clone(), port: port.name, to: exit_id }),
                        ],
                    ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let nodes = r#"nodes: [(id: "t", kind: "trigger"), (id: "w", kind: "wait_for_event", settings: (event: "A", timeout: "1 day")), (id: "x", kind: "exit")]"#;
        on(&format!(r#"{nodes}, edges: [(from: "t", to: "w"), (from: "w", port: "happened", to: "x")]"#))
            .mends(&CHECK, &["edge w.timed_out"]);
        on(&format!(r#"{nodes}, edges: [(from: "t", to: "w")]"#))
            .mends(&CHECK, &["edge w.happened", "edge w.timed_out"]);
        on(&format!(
            r#"{nodes}, edges: [(from: "w", port: "timed_out", to: "x"), (from: "w", port: "happened", to: "x")]"#
        ))
        .silent(&CHECK);
        on(r#"nodes: [(id: "t", kind: "trigger")]"#).silent(&CHECK);
    }
}
