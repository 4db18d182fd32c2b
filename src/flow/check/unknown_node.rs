//! `names/unknown-step`

use std::collections::BTreeSet;

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::condition::Reference,
    base::{Severity, nearest},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "names/unknown-step",
        severity: Severity::Error,
        title: "A response to a step that does not exist",
        what: "A condition asks for a response to a step that the flow does not have, or that sends nothing.",
        why: "Nobody can open or click what is never sent, so the condition is never true.",
        example: "opened \"mial-1\"",
        fix: "Name a step that sends a message.",
        source: "DESIGN 3 (conditions)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    // A step that cannot be read may be a message.
    let known: BTreeSet<&str> = cx
        .flow
        .nodes
        .iter()
        .filter(|node| node.settings().is_none_or(|settings| settings.message().is_some()))
        .map(|node| node.id.as_str())
        .collect();
    for written in cx.conditions() {
        for (place, reference) in written.references() {
            let Reference::Node(id) = reference else { continue };
            if known.contains(id.as_str()) {
                continue;
            }
            let message = if cx.index.idx(id).is_some() {
                format!("The step `{id}` sends no message that could be responded to")
            } else {
                format!("There is no step `{id}`")
            };
            out.push(CHECK.spec.at(place, message).hint(nearest::hint(id.as_str(), known.iter().copied())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let parts = |id: &str| {
            on(&format!(
                r#"nodes: [(id: "mail-1", kind: "email", settings: (message: "m")), (id: "c", kind: "condition", settings: (condition: "opened \"{id}\""))]"#
            ))
        };
        parts("mial-1").check(&CHECK, &["step c, condition"]);
        parts("c").check(&CHECK, &["step c, condition"]);
        parts("mail-1").silent(&CHECK);
    }
}
