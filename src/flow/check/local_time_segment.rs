//! `trigger/local-time-segment`

use super::{
    Check, CheckSpec, Context, Finding,
    context::{parts, parts_with_segments},
};
use crate::{
    audience::Condition,
    base::{Place, Severity},
    kinds::Alternative,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "trigger/local-time-segment",
        severity: Severity::Error,
        title: "A segment trigger that turns with the clock",
        what: "A segment that lets contacts in asks for the local time or for a random share, itself or through another \
               segment.",
        why: "Contacts would enter and leave the segment every day by the clock, and each time count as having just \
              entered; a share changes with its salt, not with anything the contact did.",
        example: "segments: {\"Morning readers\": \"local time from 06:00 to 10:00\"} and segment(segment: \"Morning readers\")",
        fix: "Trigger by what the contact did, and ask for the time or share in a condition or delay of the flow.",
        source: "SEMANTICS R5",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (place, alternative) in cx.alternatives() {
        let condition = match alternative {
            Alternative::Segment(t) => t.condition(),
            Alternative::Score(t) => t.condition(),
            _ => continue,
        };
        if let Some(finding) = turning(cx, place, &condition) {
            out.push(finding);
        }
    }
}

fn turning(cx: &Context<'_>, place: Place, condition: &Condition) -> Option<Finding> {
    let sort = |part: &Condition| match part {
        Condition::LocalTime(_) => Some("the local time"),
        Condition::Share { .. } => Some("a random share"),
        _ => None,
    };
    let all = parts_with_segments(condition, cx.workspace);
    let direct = all.iter().find_map(|part| sort(part));
    let by_score = || {
        let models = all.iter().filter_map(|part| match part {
            Condition::Score { model, .. } => cx.workspace.scores.iter().find(|known| known.name == *model),
            _ => None,
        });
        let filters = models.flat_map(|model| model.signals.iter().filter_map(|signal| signal.filter.as_ref()));
        filters.flat_map(|filter| parts(filter.condition())).find_map(sort)
    };
    let what = direct.or_else(by_score)?;
    let message = format!("What lets contacts in asks for {what}, which turns without anything they do");
    Some(CHECK.spec.at(place, message).hint("Ask for it in a condition or delay of the flow instead"))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let workspace = r#"segments: {
            "Morning": "local time from 06:00 to 10:00", "Via": "contact.x > 3 or not (in segment \"Morning\")",
            "Some": "random share 10% salt \"a\"", "Fine": "contact.x > 3", "Loop": "in segment \"Loop\" and contact.x > 3"}"#;
        let flow = |name: &str| {
            on(&format!(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [segment(segment: "{name}")]))]"#))
                .within(workspace)
        };
        for name in ["Morning", "Via"] {
            flow(name).check(&CHECK, &["step t, any.0"]);
        }
        for name in ["Fine", "Loop", "Unknown"] {
            flow(name).silent(&CHECK);
        }
    }
}
