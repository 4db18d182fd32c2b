//! `graph/muted-branch`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/muted-branch",
        severity: Severity::Error,
        title: "A step that cannot be muted",
        what: "A trigger, or a step with no way out or with several, is muted.",
        why: "A muted step is passed through by its one port. With several, nothing says which one to take.",
        example: "(id: \"is-vip\", kind: \"condition\", muted: true, …)",
        fix: "Take the mark away; to switch a branch off, lead the step before it to the arm you want.",
        source: "SEMANTICS R20",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps().filter(|(_, node, _)| node.muted) {
        let num_ports = settings.ports().len();
        if num_ports == 1 && node.kind != "trigger" {
            continue;
        }
        let why = match num_ports {
            1 => "lets contacts in".to_owned(),
            0 => "has no way out".to_owned(),
            n => format!("has {n} ways out"),
        };
        out.push(
            CHECK
                .spec
                .at(Place::node(&node.id), format!("`{}` is muted, but it {why}", node.id))
                .hint("Take the mark away, and lead the step before it where it shall go")
                .fix("Unmute it", vec![Edit::SetMuted { id: node.id.clone(), muted: false }]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"nodes: [(id: "t", kind: "trigger", muted: true), (id: "x", kind: "exit", muted: true), (id: "c", kind: "cap", muted: true, settings: (limit: at_most(3)))]"#)
            .mends(&CHECK, &["step c", "step t", "step x"]);
        on(r#"nodes: [(id: "d", kind: "delay", muted: true, settings: (wait: for("1 h"))), (id: "g", kind: "goal", muted: true)]"#)
            .silent(&CHECK);
    }
}
