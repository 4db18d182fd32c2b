//! `time/empty-window`

use super::{Check, CheckSpec, Context, Finding, context::local_windows};
use crate::{
    base::{Place, Severity},
    flow::Edit,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "time/empty-window",
        severity: Severity::Error,
        title: "A window that never opens",
        what: "A daily window opens and closes at the same time: of a delay, of quiet hours, or of a local-time condition.",
        why: "It could mean the whole day or no time at all, and systems differ in which; here it is refused.",
        example: "quiet_hours: (from: \"08:00\", until: \"08:00\")",
        fix: "Give it two different times, or leave it out. A window may pass midnight: 21:00 to 08:00.",
        source: "SEMANTICS R17",
    },
    run,
};

/// A delay's own window is seen by its kind, under the same code.
fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if let Some(window) = cx.settings.quiet_hours
        && window.from == window.until
    {
        let place = Place::default().with_field("settings.quiet_hours");
        out.push(
            CHECK
                .spec
                .at(place, format!("The quiet hours begin and end at {}", window.from))
                .hint("Give them two different times; they may pass midnight")
                .fix(
                    "Leave the quiet hours out",
                    vec![Edit::SetFlowField { field: "quiet_hours".into(), value: None }],
                ),
        );
    }
    for written in cx.conditions() {
        for window in local_windows(written.condition.condition()) {
            if window.from == window.until {
                let message = format!("The window of the local time opens and closes at {}", window.from);
                out.push(CHECK.spec.at(written.place(), message).hint("Give it two different times"));
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        on(r#"settings: (quiet_hours: (from: "08:00", until: "08:00"))"#).mends(&CHECK, &["settings.quiet_hours"]);
        on(r#"settings: (quiet_hours: (from: "21:00", until: "08:00"))"#).silent(&CHECK);
        let delay = r#"nodes: [(id: "d", kind: "delay", settings: (wait: for("1 h"), window: (from: "09:00", until: "09:00")))]"#;
        on(delay).check(&CHECK, &["step d, window"]);
    }
}
