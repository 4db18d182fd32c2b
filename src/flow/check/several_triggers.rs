//! `graph/several-triggers`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::{Settings, Trigger},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/several-triggers",
        severity: Severity::Error,
        title: "Several triggers",
        what: "The flow has more than one trigger step. Only the first one counts.",
        why: "One flow has one way in, so that one key and one re-entry rule hold for all its entries.",
        example: "Two steps of the kind trigger, one for an expired checkout and one for an untouched cart.",
        fix: "Write both as alternatives of one trigger: any: [event(…), abandonment(…)].",
        source: "SEMANTICS R7",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut triggers = cx.flow.nodes.iter().filter(|node| node.kind == "trigger");
    let Some(first) = triggers.next() else { return };
    for node in triggers {
        let message = format!("`{}` is a second trigger beside `{}` and lets nobody in", node.id, first.id);
        let finding = CHECK.spec.at(Place::node(&node.id), message);
        let finding = finding.hint(format!("Make it an alternative of `{}`", first.id));
        out.push(match (first.settings(), node.settings()) {
            (Some(Settings::Trigger(one)), Some(Settings::Trigger(two))) => {
                let merged = Trigger { any: one.any.iter().chain(&two.any).cloned().collect() };
                let ron = Settings::Trigger(merged).to_ron();
                finding.fix(
                    format!("Merge it into `{}`", first.id),
                    vec![
                        Edit::SetSettings { id: first.id.clone(), kind: None, ron },
                        Edit::RemoveNode(node.id.clone()),
                    ],
                )
            }
            _ => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"nodes: [(id: "a", kind: "trigger", settings: (any: [list(list: "A")])), (id: "b", kind: "trigger", settings: (any: [list(list: "B")])), (id: "c", kind: "trigger")]"#)
            .mends(&CHECK, &["step b", "step c"]);
        on(r#"nodes: [(id: "a", kind: "trigger", settings: (any: [list(list: "A"), list(list: "B")]))]"#)
            .silent(&CHECK);
    }
}
