//! `names/unknown-segment`

use super::{
    Check, CheckSpec, Context, Finding, Workspace, WorkspaceCheck,
    context::{Written, workspace_conditions},
    ron_of,
};
use crate::{
    audience::condition::Reference,
    base::{Place, Severity, nearest},
    flow::Edit,
    kinds::{Alternative, CapRule, Settings},
};

const SPEC: CheckSpec = CheckSpec {
    code: "names/unknown-segment",
    severity: Severity::Error,
    title: "A segment that does not exist",
    what: "A trigger, condition or cap names a segment that the workspace does not have.",
    why: "Whether somebody is in it is never known, which counts as no.",
    example: "in segment \"VPI\"",
    fix: "Correct the name, or write the segment's condition into the workspace.",
    source: "DESIGN 3 (workspace), SEMANTICS R5",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run };
pub(super) const WORKSPACE: WorkspaceCheck = WorkspaceCheck { spec: SPEC, run: run_workspace };

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (place, alternative) in cx.alternatives() {
        if let Alternative::Segment(trigger) = alternative {
            out.extend(unknown(cx.workspace, place, &trigger.segment));
        }
    }
    for (_, node, settings) in cx.steps() {
        let Settings::Cap(CapRule { segment: Some(segment), .. }) = settings else { continue };
        let Some(finding) = unknown(cx.workspace, Place::node(&node.id).with_field("segment"), segment) else {
            continue;
        };
        let near = nearest::nearest(segment, cx.workspace.segments.keys().map(|s| s.as_str()));
        out.push(match near.and_then(|near| Some((near, ron_of(near)?))) {
            Some((near, value)) => finding.fix(
                format!("Write \u{201c}{near}\u{201d}"),
                vec![Edit::SetField { id: node.id.clone(), field: "segment".into(), value: Some(value) }],
            ),
            None => finding,
        });
    }
    in_caps(cx.workspace, "settings.caps", &cx.settings.caps, out);
    in_conditions(cx.workspace, cx.conditions(), out);
}

fn run_workspace(workspace: &Workspace, out: &mut Vec<Finding>) {
    in_caps(workspace, "caps", &workspace.caps, out);
    in_conditions(workspace, &workspace_conditions(workspace), out);
}

fn in_caps(workspace: &Workspace, field: &str, caps: &[CapRule], out: &mut Vec<Finding>) {
    for (n, cap) in caps.iter().enumerate() {
        if let Some(segment) = &cap.segment {
            out.extend(unknown(workspace, Place::default().with_field(format!("{field}.{n}.segment")), segment));
        }
    }
}

fn in_conditions(workspace: &Workspace, conditions: &[Written<'_>], out: &mut Vec<Finding>) {
    for written in conditions {
        for (place, reference) in written.references() {
            if let Reference::Segment(segment) = reference {
                out.extend(unknown(workspace, place, segment));
            }
        }
    }
}

fn unknown(workspace: &Workspace, place: Place, segment: &str) -> Option<Finding> {
    if workspace.segments.contains_key(segment) {
        return None;
    }
    let hint = nearest::hint(segment, workspace.segments.keys().map(|name| name.as_str()));
    Some(SPEC.at(place, format!("The workspace has no segment \u{201c}{segment}\u{201d}")).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{check_places, on},
        *,
    };

    #[test]
    fn fixtures() {
        let vip = r#"segments: {"VIP": "contact.x > 500"}"#;
        let parts = |name: &str| {
            on(&format!(
                r#"settings: (exit_when: "in segment \"{name}\"", caps: [(limit: at_most(1), segment: "{name}")]), nodes: [(id: "t", kind: "trigger", settings: (any: [segment(segment: "{name}")])), (id: "c", kind: "cap", settings: (limit: at_most(1), segment: "{name}"))]"#
            ))
            .within(vip)
        };
        parts("VPI")
            .check(&CHECK, &["settings.caps.0.segment", "settings.exit_when", "step c, segment", "step t, any.0"]);
        parts("VIP").silent(&CHECK);
        check_places(
            &WORKSPACE,
            r#"segments: {"A": "not (in segment \"B\")"}, caps: [(limit: at_most(1), segment: "C")]"#,
            &["caps.0.segment", "segments.A"],
        );
        check_places(&WORKSPACE, vip, &[]);
    }
}
