//! `graph/no-trigger`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::{Edit, Node},
    kinds::{Alternative, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "graph/no-trigger",
        severity: Severity::Error,
        title: "No trigger",
        what: "The flow has no trigger step, or one without any alternative, so that nobody ever enters it.",
        why: "A flow that nobody enters sends nothing, and looks in every report like one that went wrong.",
        example: "nodes: [(id: \"mail-1\", kind: \"email\", settings: (message: \"mail-1\"))]",
        fix: "Add a trigger and say what lets a contact in, such as event(event: \"Started Checkout\").",
        source: "SEMANTICS R7",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let steps = cx.flow.nodes.iter().filter(|node| node.kind != "note").count();
    match cx.flow.trigger() {
        None if steps > 0 => {
            let finding = CHECK.spec.at(Place::default(), "The flow has no trigger, so nobody enters it");
            let finding = finding.hint("Add a trigger step and say what lets a contact in");
            // What lets contacts in is the user's to say; the nearest guess is the catalogue's first event.
            out.push(match cx.workspace.events.first() {
                Some(event) => {
                    let name = ron::to_string(event.name.as_str()).unwrap_or_default();
                    let id = cx.flow.fresh_id("trigger");
                    let node = Node::new(id, "trigger", &format!("(any: [event(event: {name})])"));
                    finding.fix(
                        format!("Add a trigger on \u{201c}{}\u{201d}", event.name),
                        vec![Edit::AddNode(Box::new(node))],
                    )
                }
                None => finding,
            });
        }
        None => {}
        Some(node) => {
            let empty = match node.settings() {
                Some(Settings::Trigger(trigger)) => {
                    trigger.any.is_empty()
                        || trigger.any.iter().all(|a| matches!(a, Alternative::Inactivity(t) if t.events.is_empty()))
                }
                _ => false,
            };
            if empty {
                let place = Place::node(&node.id).with_field("any");
                let finding = CHECK.spec.at(place, "The trigger has nothing that lets a contact in");
                out.push(finding.hint("Add an alternative, such as event(event: \"Started Checkout\")"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let mail = r#"nodes: [(id: "x", kind: "exit")]"#;
        on(mail).check(&CHECK, &[""]);
        on(mail).within(r#"events: [(name: "Placed \"Order\"")]"#).mends(&CHECK, &[""]);
        on(r#"nodes: [(id: "t", kind: "trigger")]"#).check(&CHECK, &["step t, any"]);
        on(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [inactivity(events: [], after: "1 day")]))]"#)
            .check(&CHECK, &["step t, any"]);
        on(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [list(list: "A")]))]"#).silent(&CHECK);
        on("").silent(&CHECK);
    }
}
