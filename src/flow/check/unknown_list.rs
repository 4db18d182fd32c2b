//! `names/unknown-list`

use super::{
    Check, CheckSpec, Context, Finding, Workspace, WorkspaceCheck,
    context::{Written, workspace_conditions},
    ron_of,
};
use crate::{
    audience::condition::Reference,
    base::{Place, Severity, nearest},
    flow::Edit,
    kinds::{Alternative, Settings},
};

const SPEC: CheckSpec = CheckSpec {
    code: "names/unknown-list",
    severity: Severity::Warning,
    title: "A list that is not declared",
    what: "A trigger, condition or list step names a list that the workspace does not declare. Where it declares none, \
           every name is taken as it is.",
    why: "Nobody is on a list with a misspelt name, and contacts put on it are looked for elsewhere.",
    example: "on list \"Newslettr\"",
    fix: "Correct the name, or add the list to the workspace's lists.",
    source: "DESIGN 3 (workspace)",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run };
pub(super) const WORKSPACE: WorkspaceCheck = WorkspaceCheck {
    spec: SPEC,
    run: |workspace, out| in_conditions(workspace, &workspace_conditions(workspace), out),
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (place, alternative) in cx.alternatives() {
        if let Alternative::List(trigger) = alternative {
            out.extend(unknown(cx.workspace, place, &trigger.list));
        }
    }
    for (_, node, settings) in cx.steps() {
        let Settings::ListUpdate(update) = settings else { continue };
        for (field, lists) in [("add", &update.add), ("remove", &update.remove)] {
            for list in lists {
                let place = Place::node(&node.id).with_field(field);
                let Some(finding) = unknown(cx.workspace, place, list) else { continue };
                let Some(near) = nearest::nearest(list, known(cx.workspace)) else {
                    out.push(finding);
                    continue;
                };
                let renamed: Vec<&str> = lists.iter().map(|l| if l == list { near } else { l.as_str() }).collect();
                out.push(finding.fix(
                    format!("Write \u{201c}{near}\u{201d}"),
                    vec![Edit::SetField { id: node.id.clone(), field: field.into(), value: ron_of(&renamed) }],
                ));
            }
        }
    }
    in_conditions(cx.workspace, cx.conditions(), out);
}

fn in_conditions(workspace: &Workspace, conditions: &[Written<'_>], out: &mut Vec<Finding>) {
    for written in conditions {
        for (place, reference) in written.references() {
            if let Reference::List(list) = reference {
                out.extend(unknown(workspace, place, list));
            }
        }
    }
}

fn known(workspace: &Workspace) -> impl Iterator<Item = &str> {
    workspace.lists.iter().map(|list| list.as_str())
}

fn unknown(workspace: &Workspace, place: Place, list: &str) -> Option<Finding> {
    if workspace.lists.is_empty() || workspace.lists.iter().any(|known| known == list) {
        return None;
    }
    let message = format!("The workspace has no list \u{201c}{list}\u{201d}");
    Some(SPEC.at(place, message).hint(nearest::hint(list, known(workspace))))
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{check_places, on},
        *,
    };

    #[test]
    fn fixtures() {
        let lists = r#"lists: ["Newsletter", "VIP"]"#;
        let parts = r#"settings: (exit_when: "on list \"Newslettr\""), nodes: [(id: "t", kind: "trigger", settings: (any: [list(list: "Friends")])), (id: "l", kind: "list_update", settings: (add: ["Newsleter", "VIP"], remove: ["VIP"]))]"#;
        on(parts).within(lists).check(&CHECK, &["settings.exit_when", "step l, add", "step t, any.0"]);
        on(parts).silent(&CHECK);
        on(r#"nodes: [(id: "l", kind: "list_update", settings: (add: ["VIP"]))]"#).within(lists).silent(&CHECK);
        check_places(&WORKSPACE, &format!(r#"{lists}, segments: {{"A": "on list \"vip club\""}}"#), &["segments.A"]);
    }
}
