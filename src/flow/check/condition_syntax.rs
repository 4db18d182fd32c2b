//! `condition/syntax`

use super::{
    Check, CheckSpec, Finding, WorkspaceCheck,
    context::{Written, workspace_conditions},
};
use crate::base::Severity;

const SPEC: CheckSpec = CheckSpec {
    code: "condition/syntax",
    severity: Severity::Error,
    title: "A condition that cannot be read",
    what: "The text of a condition has a mistake at the place that is marked. The part around it counts as never true.",
    why: "A condition that was not understood would decide by accident.",
    example: "contact.lifetime_value > ",
    fix: "Mend the text: contact.lifetime_value > 500.",
    source: "DESIGN 3 (conditions)",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run: |cx, out| of(cx.conditions(), out) };
pub(super) const WORKSPACE: WorkspaceCheck =
    WorkspaceCheck { spec: SPEC, run: |workspace, out| of(&workspace_conditions(workspace), out) };

fn of(conditions: &[Written<'_>], out: &mut Vec<Finding>) {
    for written in conditions {
        for error in &written.condition.parsed().errors {
            let message = error.message.trim_end_matches('.').to_owned();
            out.push(SPEC.at(written.at(error.range), message).hint(error.hint.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{check_places, on},
        *,
    };

    #[test]
    fn fixtures() {
        on(r#"settings: (exit_when: "did"), nodes: [(id: "c", kind: "condition", settings: (condition: "contact.x > "))]"#)
            .check(&CHECK, &["settings.exit_when", "step c, condition"]);
        on(r#"nodes: [(id: "c", kind: "condition", settings: (condition: "contact.x > 3"))]"#).silent(&CHECK);
        check_places(&WORKSPACE, r#"segments: {"A": "contact.x >>", "B": "contact.x > 3"}"#, &["segments.A"]);
    }
}
