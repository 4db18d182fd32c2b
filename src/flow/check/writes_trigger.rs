//! `write/starts-a-flow`

use std::collections::BTreeSet;

use super::{Check, CheckSpec, Context, Finding, context::parts_with_segments};
use crate::{
    audience::{
        Condition, Path,
        condition::{Operand, Root},
    },
    base::{Place, Severity},
    flow::{Flow, Workspace},
    kinds::{Alternative, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "write/starts-a-flow",
        severity: Severity::Hint,
        title: "A write that lets the contact into a flow",
        what: "A step writes a property or list that another flow's trigger looks at, or that this flow's own does.",
        why: "Chains of flows are easily forgotten: the contact gets the other flow's messages too. Into the flow that \
              wrote it, a write never leads.",
        example: "list_update(add: [\"Engaged\"]) and a flow that begins with list(list: \"Engaged\")",
        fix: "Look at both flows together; nothing to do where it is meant.",
        source: "SEMANTICS R11",
    },
    run,
};

/// What the triggers of a flow look at.
struct Watched<'a> {
    lists: BTreeSet<&'a str>,
    properties: BTreeSet<&'a str>,
}

fn watched<'a>(flow: &'a Flow, workspace: &'a Workspace) -> Watched<'a> {
    let mut watched = Watched { lists: BTreeSet::new(), properties: BTreeSet::new() };
    let Some(Settings::Trigger(trigger)) = flow.trigger().and_then(|node| node.settings()) else { return watched };
    for alternative in &trigger.any {
        match alternative {
            Alternative::List(t) => {
                watched.lists.insert(&t.list);
            }
            Alternative::Date(t) => watched.properties.extend(contact_property(&t.property)),
            Alternative::Segment(t) => {
                let Some(segment) = workspace.segments.get(&t.segment) else { continue };
                for part in parts_with_segments(segment.condition(), workspace) {
                    match part {
                        Condition::InList(list) => {
                            watched.lists.insert(list);
                        }
                        Condition::IsSet(path) => watched.properties.extend(contact_property(path)),
                        Condition::Compare { left, right, .. } => {
                            watched.properties.extend(contact_property(left));
                            if let Operand::Path(right) = right {
                                watched.properties.extend(contact_property(right));
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    watched
}

fn contact_property(path: &Path) -> Option<&str> {
    if path.root == Root::Contact { path.steps.first().map(|name| name.as_str()) } else { None }
}

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let writes = |settings: &Settings| matches!(settings, Settings::ListUpdate(_) | Settings::UpdateContact(_));
    if !cx.steps().any(|(_, _, settings)| writes(settings)) {
        return;
    }
    let others = cx.around.other_flows.iter().filter(|flow| flow.id != cx.flow.id);
    let flows: Vec<(&Flow, Watched<'_>)> =
        std::iter::once(cx.flow).chain(others).map(|flow| (flow, watched(flow, cx.workspace))).collect();
    for (_, node, settings) in cx.steps() {
        for (flow, watched) in &flows {
            let what = match settings {
                Settings::ListUpdate(update) => {
                    let list =
                        update.add.iter().chain(&update.remove).find(|list| watched.lists.contains(list.as_str()));
                    list.map(|list| format!("the list \u{201c}{list}\u{201d}"))
                }
                Settings::UpdateContact(update) => {
                    let property = update.set.iter().find(|a| watched.properties.contains(a.property.as_str()));
                    property.map(|a| format!("the property `{}`", a.property))
                }
                _ => None,
            };
            let Some(what) = what else { continue };
            let own = flow.id == cx.flow.id;
            let message = if own {
                format!(
                    "`{}` writes {what}, which this flow's own trigger looks at; it never lets the contact in again",
                    node.id
                )
            } else {
                format!("`{}` writes {what}, which can let the contact into the flow `{}`", node.id, flow.id)
            };
            let hint = if own { "Restart by an event, if that is meant" } else { "Look at both flows together" };
            out.push(CHECK.spec.at(Place::node(&node.id), message).hint(hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let list = r#"nodes: [(id: "l", kind: "list_update", settings: (add: ["Engaged"]))]"#;
        let on_list = r#"nodes: [(id: "t", kind: "trigger", settings: (any: [list(list: "Engaged")]))]"#;
        on(list).beside("g", on_list).check(&CHECK, &["step l"]);
        on(list).beside("g", &on_list.replace("Engaged", "Other")).silent(&CHECK);
        let write = r#"nodes: [(id: "t", kind: "trigger", settings: (any: [segment(segment: "VIP")])), (id: "u", kind: "update_contact", settings: (set: [(property: "tier", to: value("gold"))]))]"#;
        let segments = |property: &str| {
            format!(r#"segments: {{"VIP": "in segment \"Gold\"", "Gold": "contact.{property} = \"gold\""}}"#)
        };
        on(write).within(&segments("tier")).check(&CHECK, &["step u"]);
        on(write).within(&segments("x")).silent(&CHECK);
        on(write)
            .within(&segments("x"))
            .beside("g", r#"nodes: [(id: "t", kind: "trigger", settings: (any: [date(property: "contact.tier")]))]"#)
            .check(&CHECK, &["step u"]);
    }
}
