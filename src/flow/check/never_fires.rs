//! `trigger/never-fires`

use super::{Check, CheckSpec, Context, Finding};
use crate::{base::Severity, kinds::Alternative};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "trigger/never-fires",
        severity: Severity::Error,
        title: "A trigger that never fires, or for everybody",
        what: "An engagement or score has a threshold of 0 or less, a span of an engagement or of inactivity is nothing, \
               or inactivity names no event.",
        why: "Such triggers fire on the way up: before below the threshold, after at or above it. Nobody is ever below 0.",
        example: "engagement(event: \"Viewed Product\", at_least: 0, within: \"7 days\")",
        fix: "Give it a threshold above 0, a span above nothing, and events that count.",
        source: "SEMANTICS R10",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (place, alternative) in cx.alternatives() {
        let why = match alternative {
            Alternative::Engagement(t) if t.at_least.is_nan() || t.at_least <= 0.0 => {
                "The engagement has no threshold above 0"
            }
            Alternative::Engagement(t) if t.within.about_millis() <= 0 => {
                "The engagement has no time in which events count"
            }
            Alternative::Score(t) if t.threshold.is_nan() || t.threshold <= 0.0 => "The score has no threshold above 0",
            Alternative::Inactivity(t) if t.after.about_millis() <= 0 => "The inactivity has no time to last",
            Alternative::Inactivity(t) if t.events.is_empty() => "The inactivity names no event that would end it",
            _ => continue,
        };
        out.push(CHECK.spec.at(place, why).hint("Give it a value above 0, and events that count"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let trigger = |any: &str| on(&format!(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [{any}]))]"#));
        for any in [
            r#"engagement(event: "A", at_least: 0, within: "7 days")"#,
            r#"engagement(event: "A", at_least: 3, within: "0 days")"#,
            r#"score(model: "m", threshold: -5)"#,
            r#"inactivity(events: ["A"], after: "0 days")"#,
            r#"inactivity(events: [], after: "1 day")"#,
        ] {
            trigger(any).check(&CHECK, &["step t, any.0"]);
        }
        trigger(r#"engagement(event: "A", at_least: 0.5, within: "7 days"), score(model: "m", threshold: 5), inactivity(events: ["A"], after: "1 day")"#)
            .silent(&CHECK);
    }
}
