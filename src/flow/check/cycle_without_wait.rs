//! `graph/cycle-without-wait`

use super::{
    Check, CheckSpec, Context, Finding,
    times::{MINUTE_MILLIS, own_wait},
};
use crate::{
    base::{Place, Severity},
    flow::{Edge, Edit, Node},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/cycle-without-wait",
        severity: Severity::Error,
        title: "Loop without a wait",
        what: "A loop can be gone round without a wait of at least one minute. A wait until a time of day does not count: \
               who arrives at that time leaves at once; nor does one that counts from the entry.",
        why: "A journey would go round at full speed until the pass limit stops it, with a mail each time.",
        example: "mail-1 → condition → (no) mail-1, with no delay on the way back.",
        fix: "Put a delay into the loop: wait: for(\"1 day\").",
        source: "SEMANTICS R20",
    },
    run,
};

/// Edges back to a step that is still open in a depth-first walk: without them there is no loop. Only edges that can
/// be passed within a minute are walked, and the walk keeps its own stack, so that long flows cannot exhaust ours.
fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let nodes = &cx.flow.nodes;
    let mut seen = vec![Seen::No; nodes.len()];
    for start in 0..nodes.len() {
        if seen[start] != Seen::No {
            continue;
        }
        seen[start] = Seen::Open;
        let mut stack = vec![(start, 0)];
        while let Some((idx, next)) = stack.last_mut() {
            let idx = *idx;
            let Some((port, to)) = cx.index.out(idx).get(*next) else {
                seen[idx] = Seen::Done;
                stack.pop();
                continue;
            };
            *next += 1;
            if own_wait(&nodes[idx], port) >= MINUTE_MILLIS {
                continue;
            }
            match seen[*to] {
                Seen::No => {
                    seen[*to] = Seen::Open;
                    stack.push((*to, 0));
                }
                Seen::Open => out.push(finding(cx, &nodes[idx], port, &nodes[*to])),
                Seen::Done => {}
            }
        }
    }
}

fn finding(cx: &Context<'_>, from: &Node, port: &str, to: &Node) -> Finding {
    let message =
        format!("The way back from `{}` to `{}` closes a loop that can be gone round within a minute", from.id, to.id);
    let finding = CHECK.spec.at(Place::edge(&from.id, port), message);
    let finding = finding.hint("Put a delay of at least one minute into the loop");
    let delay_id = cx.flow.fresh_id("delay");
    let mut delay = Node::new(delay_id.clone(), "delay", "(wait: for(\"1 day\"))");
    delay.pos = ((from.pos.0 + to.pos.0) / 2.0 + 160.0, (from.pos.1 + to.pos.1) / 2.0);
    finding.fix(
        "Put a delay of one day on the way back",
        vec![
            Edit::Disconnect { from: from.id.clone(), port: port.into() },
            Edit::AddNode(Box::new(delay)),
            Edit::Connect(Edge { from: from.id.clone(), port: port.into(), to: delay_id.clone() }),
            Edit::Connect(Edge::new(delay_id, crate::kinds::NEXT, to.id.clone())),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |delay: &str| {
            on(&format!(
                r#"nodes: [(id: "t", kind: "trigger"), (id: "a", kind: "goal"), (id: "b", kind: "condition", settings: (condition: "contact.x > 1")), (id: "d", kind: "delay", {delay})],
                edges: [(from: "t", to: "a"), (from: "a", to: "b"), (from: "b", port: "no", to: "d"), (from: "d", to: "a")]"#
            ))
        };
        flow(r#"settings: (wait: for("30 s"))"#).mends(&CHECK, &["edge d.next"]);
        flow(r#"settings: (wait: for("1 day"), after: entry)"#).mends(&CHECK, &["edge d.next"]);
        flow(r#"settings: (wait: until(time: "09:00"))"#).mends(&CHECK, &["edge d.next"]);
        flow(r#"muted: true, settings: (wait: for("1 day"))"#).mends(&CHECK, &["edge d.next"]);
        flow(r#"settings: (wait: for("1 min"))"#).silent(&CHECK);
        // A wait is one only where it times out.
        let wait = r#"nodes: [(id: "w", kind: "wait_for_event", settings: (event: "A", timeout: "1 day")), (id: "g", kind: "goal")], edges: [(from: "g", to: "w"), (from: "w", port: "PORT", to: "g")]"#;
        on(&wait.replace("PORT", "timed_out")).silent(&CHECK);
        on(&wait.replace("PORT", "happened")).mends(&CHECK, &["edge g.next"]);
    }
}
