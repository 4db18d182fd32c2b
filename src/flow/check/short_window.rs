//! `time/short-window`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "time/short-window",
        severity: Severity::Warning,
        title: "A window of a few minutes",
        what: "The window into which a delay leads is open for less than 10 minutes.",
        why: "All waiting contacts are let go in the same few minutes, and who is a little late waits for another day.",
        example: "window: (from: \"09:00\", until: \"09:01\")",
        fix: "Open it for longer, or write until(time: \"09:00\") if a time is meant.",
        source: "SEMANTICS R25 (jitter of up to 10 min)",
    },
    run,
};

const LEAST_MINUTES: i32 = 10;

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps() {
        let Settings::Delay(delay) = settings else { continue };
        let Some(window) = delay.window else { continue };
        let minutes = (window.until.minutes() - window.from.minutes()).rem_euclid(24 * 60);
        if (1..LEAST_MINUTES).contains(&minutes) {
            let place = Place::node(&node.id).with_field("window");
            let message = format!("The window of `{}` is open for {minutes} min a day", node.id);
            out.push(
                CHECK.spec.at(place, message).hint("Open it for longer, or write until(time: …) if a time is meant"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let delay = |from: &str, until: &str| {
            on(&format!(
                r#"nodes: [(id: "d", kind: "delay", settings: (wait: for("1 h"), window: (from: "{from}", until: "{until}")))]"#
            ))
        };
        delay("09:00", "09:01").check(&CHECK, &["step d, window"]);
        delay("23:58", "00:03").check(&CHECK, &["step d, window"]);
        delay("09:00", "09:10").silent(&CHECK);
        delay("21:00", "08:00").silent(&CHECK);
        delay("09:00", "09:00").silent(&CHECK);
    }
}
