//! `names/unknown-score`

use super::{
    Check, CheckSpec, Context, Finding, Workspace, WorkspaceCheck,
    context::{Written, workspace_conditions},
};
use crate::{
    audience::condition::Reference,
    base::{Place, Severity, nearest},
    kinds::Alternative,
};

const SPEC: CheckSpec = CheckSpec {
    code: "names/unknown-score",
    severity: Severity::Error,
    title: "A score model that does not exist",
    what: "A trigger or condition names a score model that the workspace does not have.",
    why: "Nobody has points in it, so the threshold is never reached.",
    example: "score \"intnet\" >= 50",
    fix: "Correct the name, or write the model into the workspace.",
    source: "DESIGN 3 (score)",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run };
pub(super) const WORKSPACE: WorkspaceCheck = WorkspaceCheck {
    spec: SPEC,
    run: |workspace, out| in_conditions(workspace, &workspace_conditions(workspace), out),
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (place, alternative) in cx.alternatives() {
        if let Alternative::Score(trigger) = alternative {
            out.extend(unknown(cx.workspace, place, &trigger.model));
        }
    }
    in_conditions(cx.workspace, cx.conditions(), out);
}

fn in_conditions(workspace: &Workspace, conditions: &[Written<'_>], out: &mut Vec<Finding>) {
    for written in conditions {
        for (place, reference) in written.references() {
            if let Reference::Score(model) = reference {
                out.extend(unknown(workspace, place, model));
            }
        }
    }
}

fn unknown(workspace: &Workspace, place: Place, model: &str) -> Option<Finding> {
    let known = || workspace.scores.iter().map(|model| model.name.as_str());
    if known().any(|name| name == model) {
        return None;
    }
    let message = format!("The workspace has no score model \u{201c}{model}\u{201d}");
    Some(SPEC.at(place, message).hint(nearest::hint(model, known())))
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{check_places, on},
        *,
    };

    #[test]
    fn fixtures() {
        let parts = r#"settings: (exit_when: "score \"intnet\" < 5"), nodes: [(id: "t", kind: "trigger", settings: (any: [score(model: "intent", threshold: 5)]))]"#;
        on(parts).check(&CHECK, &["settings.exit_when", "step t, any.0"]);
        on(parts).within(r#"scores: [(name: "intent", signals: [])]"#).check(&CHECK, &["settings.exit_when"]);
        on(&parts.replace("intnet", "intent")).within(r#"scores: [(name: "intent", signals: [])]"#).silent(&CHECK);
        check_places(&WORKSPACE, r#"segments: {"A": "score \"x\" > 3"}"#, &["segments.A"]);
    }
}
