//! `exit/no-unless`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::Severity,
    flow::{Edit, Moment},
    kinds::{Alternative, EventMatch, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "exit/no-unless",
        severity: Severity::Warning,
        title: "Left behind, whatever happened then",
        what: "An abandonment trigger names no event that calls it off, and the flow has neither an exit nor a goal \
               condition.",
        why: "Who has bought in the meantime is told that the cart is waiting.",
        example: "abandonment(start: \"Cart Updated\", after: \"6 h\")",
        fix: "Name the purchase: unless: [(event: \"Placed Order\")].",
        source: "SEMANTICS R9, R15, R22",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if cx.settings.exit_when.is_some() || cx.settings.goal_when.is_some() {
        return;
    }
    let Some((node, trigger)) = cx.trigger() else { return };
    for (n, (place, alternative)) in cx.alternatives().enumerate() {
        let Alternative::Abandonment(abandonment) = alternative else { continue };
        if !abandonment.unless.is_empty() {
            continue;
        }
        let message =
            format!("Nothing calls off the wait after \u{201c}{}\u{201d}, not even a purchase", abandonment.start);
        let finding =
            CHECK.spec.at(place, message).hint("Name the event that does: unless: [(event: \"Placed Order\")]");
        let purchase = cx.workspace.events.iter().find(|event| event.moment == Moment::Purchase);
        out.push(match purchase {
            Some(purchase) => {
                let mut mended = trigger.clone();
                if let Some(Alternative::Abandonment(a)) = mended.any.get_mut(n) {
                    a.unless.push(EventMatch { event: purchase.name.clone(), filter: None });
                }
                let ron = Settings::Trigger(mended).to_ron();
                finding.fix(
                    format!("Call it off by \u{201c}{}\u{201d}", purchase.name),
                    vec![Edit::SetSettings { id: node.id.clone(), kind: None, ron }],
                )
            }
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |settings: &str, unless: &str| {
            on(&format!(
                r#"settings: ({settings}), nodes: [(id: "t", kind: "trigger", settings: (any: [list(list: "L"), abandonment(start: "A", {unless} after: "1 h")]))]"#
            ))
        };
        flow("", "").check(&CHECK, &["step t, any.1"]);
        flow("", "")
            .within(r#"events: [(name: "A"), (name: "Paid", moment: purchase)]"#)
            .mends(&CHECK, &["step t, any.1"]);
        flow("", r#"unless: [(event: "B")],"#).silent(&CHECK);
        flow(r#"exit_when: "did \"B\" since entry""#, "").silent(&CHECK);
    }
}
