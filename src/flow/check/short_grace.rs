//! `trigger/shorter-than-grace`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::Severity,
    flow::Edit,
    kinds::{Alternative, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "trigger/shorter-than-grace",
        severity: Severity::Warning,
        title: "Left behind before it can be known",
        what: "An abandonment waits for less than its grace, the time that an event on its way is given to arrive.",
        why: "It is the grace that counts then, not the time that is written; events that arrive late would be taken for \
              events that never came.",
        example: "abandonment(start: \"Cart Updated\", after: \"30 s\")",
        fix: "Wait for longer than the grace, which is 60 s where it is left out.",
        source: "SEMANTICS R9",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some((node, trigger)) = cx.trigger() else { return };
    for (n, (place, alternative)) in cx.alternatives().enumerate() {
        let Alternative::Abandonment(abandonment) = alternative else { continue };
        if abandonment.after.about_millis() >= abandonment.grace.about_millis() {
            continue;
        }
        let grace = abandonment.grace;
        let message = format!("The wait of {} is shorter than the grace of {grace}", abandonment.after);
        let mut mended = trigger.clone();
        if let Some(Alternative::Abandonment(a)) = mended.any.get_mut(n) {
            a.after = grace;
        }
        let ron = Settings::Trigger(mended).to_ron();
        out.push(
            CHECK
                .spec
                .at(place, message)
                .hint("Wait for longer than the grace")
                .fix(format!("Wait for {grace}"), vec![Edit::SetSettings { id: node.id.clone(), kind: None, ron }]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let trigger = |times: &str| {
            on(&format!(r#"nodes: [(id: "t", kind: "trigger", settings: (any: [abandonment(start: "A", {times})]))]"#))
        };
        trigger(r#"after: "30 s""#).mends(&CHECK, &["step t, any.0"]);
        trigger(r#"after: "1 h", grace: "2 h""#).mends(&CHECK, &["step t, any.0"]);
        trigger(r#"after: "60 s""#).silent(&CHECK);
        trigger(r#"after: "6 h""#).silent(&CHECK);
    }
}
