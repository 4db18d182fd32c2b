//! `time/empty-window`

use super::{
    Check, CheckSpec, Context, Finding, Workspace, WorkspaceCheck,
    context::{Written, local_windows, workspace_conditions},
};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

const SPEC: CheckSpec = CheckSpec {
    code: "time/empty-window",
    severity: Severity::Error,
    title: "A window that never opens",
    what: "A daily window opens and closes at the same time: of a delay, of quiet hours, or of a local-time condition.",
    why: "It could mean the whole day or no time at all, and systems differ in which; here it is refused.",
    example: "quiet_hours: (from: \"08:00\", until: \"08:00\")",
    fix: "Give it two different times, or leave it out. A window may pass midnight: 21:00 to 08:00.",
    source: "SEMANTICS R17",
};

pub(super) const CHECK: Check = Check { spec: SPEC, run };
pub(super) const WORKSPACE: WorkspaceCheck = WorkspaceCheck { spec: SPEC, run: run_workspace };

/// A delay's own window is seen by its kind, under the same code.
fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if let Some(window) = cx.settings.quiet_hours
        && window.from == window.until
    {
        let place = Place::default().with_field("settings.quiet_hours");
        out.push(
            SPEC.at(place, format!("The quiet hours begin and end at {}", window.from))
                .hint("Give them two different times; they may pass midnight")
                .fix(
                    "Leave the quiet hours out",
                    vec![Edit::SetFlowField { field: "quiet_hours".into(), value: None }],
                ),
        );
    }
    in_conditions(cx.conditions(), out);
}

fn run_workspace(workspace: &Workspace, out: &mut Vec<Finding>) {
    if let Some(window) = workspace.quiet_hours
        && window.from == window.until
    {
        let message = format!("The quiet hours begin and end at {}", window.from);
        out.push(SPEC.at(Place::default().with_field("quiet_hours"), message).hint("Give them two different times"));
    }
    in_conditions(&workspace_conditions(workspace), out);
}

fn in_conditions(conditions: &[Written<'_>], out: &mut Vec<Finding>) {
    for written in conditions {
        if let Some(window) = local_windows(written.condition.condition()).find(|window| window.from == window.until) {
            let message = format!("The window of the local time opens and closes at {}", window.from);
            out.push(SPEC.at(written.place(), message).hint("Give it two different times"));
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
        on(r#"settings: (quiet_hours: (from: "08:00", until: "08:00"))"#).mends(&CHECK, &["settings.quiet_hours"]);
        on(r#"settings: (quiet_hours: (from: "21:00", until: "08:00"))"#).silent(&CHECK);
        let delay = r#"nodes: [(id: "d", kind: "delay", settings: (wait: for("1 h"), window: (from: "09:00", until: "09:00")))]"#;
        on(delay).check(&CHECK, &["step d, window"]);
        check_places(&WORKSPACE, r#"quiet_hours: (from: "08:00", until: "08:00")"#, &["quiet_hours"]);
        check_places(&WORKSPACE, r#"quiet_hours: (from: "21:00", until: "08:00")"#, &[]);
    }
}
