//! `timing/quiet-hours-eat-deadline`

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    base::{Place, Severity, Span, Window},
    flow::Edit,
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "timing/quiet-hours-eat-deadline",
        severity: Severity::Warning,
        title: "Quiet hours that eat a deadline",
        what: "A message may be late by less than the quiet hours last (with up to 10 min of jitter), or a wait for an \
               event times out within them.",
        why: "A message held back in the evening is too late by the morning and never leaves; a wait that begins at night \
               is over before anybody is awake to act.",
        example: "quiet_hours: (from: \"21:00\", until: \"08:00\") and send_latest_age: \"6 h\"",
        fix: "Let the message be late for longer than the quiet hours, or wait longer.",
        source: "SEMANTICS R25",
    },
    run,
};

/// Jitter after quiet hours. Source: SEMANTICS R25.
const JITTER_MILLIS: i64 = 10 * 60_000;

/// How long a window is open, in milliseconds.
fn length(window: Window) -> i64 {
    let minutes = i64::from(window.until.minutes() - window.from.minutes()).rem_euclid(24 * 60);
    minutes * 60_000
}

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(window) = cx.settings.quiet_hours.or(cx.workspace.quiet_hours) else { return };
    let quiet = length(window);
    if quiet == 0 {
        return;
    }
    for (_, node, settings) in cx.steps().filter(|(_, node, _)| !node.muted) {
        let age = match settings {
            Settings::Email(email) => email.send_latest_age,
            Settings::Sms(sms) => sms.send_latest_age,
            Settings::WaitForEvent(wait) => {
                if wait.timeout.about_millis() > 0 && wait.timeout.about_millis() < quiet {
                    let message =
                        format!("`{}` waits {}, which the quiet hours ({window}) can cover", node.id, wait.timeout);
                    let place = Place::node(&node.id).with_field("timeout");
                    let finding = CHECK.spec.at(place, message).severity(Severity::Hint);
                    out.push(
                        finding.hint("Wait longer than the quiet hours last, if the contact should be awake to act"),
                    );
                }
                continue;
            }
            _ => continue,
        };
        if age.about_millis() >= quiet + JITTER_MILLIS {
            continue;
        }
        let message =
            format!("`{}` may be late by {age}, but the quiet hours ({window}) can hold it back for longer", node.id);
        let longer = Span::hours((quiet + JITTER_MILLIS).div_euclid(3_600_000) + 1);
        out.push(
            CHECK
                .spec
                .at(Place::node(&node.id).with_field("send_latest_age"), message)
                .hint("Let it be late for longer than the quiet hours, or it never leaves in the evening")
                .fix(
                    format!("Let it be late by {longer}"),
                    vec![Edit::SetField {
                        id: node.id.clone(),
                        field: "send_latest_age".into(),
                        value: ron_of(&longer),
                    }],
                ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let night = r#"settings: (quiet_hours: (from: "21:00", until: "08:00"))"#;
        let mail = |age: &str| {
            format!(r#"nodes: [(id: "a", kind: "email", settings: (message: "m", send_latest_age: "{age}"))]"#)
        };
        on(&format!("{night}, {}", mail("6 h"))).mends(&CHECK, &["step a, send_latest_age"]);
        on(&format!("{night}, {}", mail("11 h"))).mends(&CHECK, &["step a, send_latest_age"]);
        on(&format!("{night}, {}", mail("12 h"))).silent(&CHECK);
        on(&mail("6 h")).silent(&CHECK);
        on(&mail("6 h"))
            .within(r#"quiet_hours: (from: "22:00", until: "07:00")"#)
            .mends(&CHECK, &["step a, send_latest_age"]);
        on(&mail("6 h")).within(r#"quiet_hours: (from: "12:00", until: "14:00")"#).silent(&CHECK);
        on(&format!(r#"{night}, nodes: [(id: "w", kind: "wait_for_event", settings: (event: "A", timeout: "2 h")), (id: "v", kind: "wait_for_event", settings: (event: "A", timeout: "1 day"))]"#))
            .check(&CHECK, &["step w, timeout"]);
    }
}
