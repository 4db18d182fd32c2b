//! `list/add-and-remove`

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "list/add-and-remove",
        severity: Severity::Warning,
        title: "A step that puts on a list and takes off again",
        what: "A list step names the same list under `add` and under `remove`, or names none at all.",
        why: "One of the two undoes the other, and which comes first differs between platforms.",
        example: "(add: [\"Engaged\"], remove: [\"Engaged\"])",
        fix: "Name the list on one side only.",
        source: "DESIGN 3 (list add/remove)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps() {
        let Settings::ListUpdate(update) = settings else { continue };
        if update.add.is_empty() && update.remove.is_empty() {
            let message = format!("`{}` names no list, so it does nothing", node.id);
            out.push(CHECK.spec.at(Place::node(&node.id), message).hint("Name a list under `add` or `remove`"));
        }
        let Some(list) = update.add.iter().find(|list| update.remove.contains(list)) else { continue };
        let rest: Vec<&str> = update.remove.iter().filter(|l| !update.add.contains(l)).map(|l| l.as_str()).collect();
        let message = format!("`{}` puts the contact on \u{201c}{list}\u{201d} and takes them off it", node.id);
        out.push(
            CHECK
                .spec
                .at(Place::node(&node.id).with_field("remove"), message)
                .hint("Name the list on one side only")
                .fix(
                    "Only put them on it",
                    vec![Edit::SetField { id: node.id.clone(), field: "remove".into(), value: ron_of(&rest) }],
                ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let step = |settings: &str| on(&format!(r#"nodes: [(id: "l", kind: "list_update", settings: ({settings}))]"#));
        step(r#"add: ["A", "B"], remove: ["B", "C"]"#).mends(&CHECK, &["step l, remove"]);
        step("").check(&CHECK, &["step l"]);
        step(r#"add: ["A"], remove: ["B"]"#).silent(&CHECK);
    }
}
