//! `exit/no-purchase-exit`

use std::collections::BTreeSet;

use super::{Check, CheckSpec, Context, Finding, context::parts_with_segments, ron_of};
use crate::{
    audience::Condition,
    base::{Place, Severity},
    flow::{Edit, Moment},
    kinds::{Alternative, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "exit/no-purchase-exit",
        severity: Severity::Hint,
        title: "A cart flow that a purchase does not end",
        what: "The flow begins with a cart or checkout event, the catalogue has a purchase event, and no exit, goal, wait \
               or `unless` of the flow names it.",
        why: "In a test of one such tool 107 of 133 cart mails went to people who had bought.",
        example: "event(event: \"Checkout Expired\") without goal_when",
        fix: "Write goal_when: did \"Placed Order\" since entry.",
        source: "SEMANTICS R15, R22",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let moment = |metric: &str| cx.workspace.event(metric).map(|event| event.moment);
    let of_cart = |metric: &&str| matches!(moment(metric), Some(Moment::Cart | Moment::Checkout));
    let Some(metric) = cx.entry_metrics().into_iter().find(of_cart) else { return };
    let purchases: BTreeSet<&str> = cx
        .workspace
        .events
        .iter()
        .filter(|event| event.moment == Moment::Purchase)
        .map(|event| event.name.as_str())
        .collect();
    let Some(purchase) = purchases.first() else { return };
    let asked = cx.conditions().iter().any(|written| {
        parts_with_segments(written.condition.condition(), cx.workspace)
            .into_iter()
            .any(|part| matches!(part, Condition::Events(query) if purchases.contains(query.metric.as_str())))
    });
    let waited =
        cx.steps().any(|(_, _, s)| matches!(s, Settings::WaitForEvent(w) if purchases.contains(w.event.as_str())));
    // Every alternative that begins with a cart must be called off, or journeys by it go on.
    let called_off = cx.alternatives().all(|(_, alternative)| match alternative {
        Alternative::Abandonment(t) => t.unless.iter().any(|m| purchases.contains(m.event.as_str())),
        Alternative::Event(t) => !of_cart(&t.event.as_str()),
        Alternative::Engagement(t) => !of_cart(&t.event.as_str()),
        _ => true,
    });
    if asked || waited || called_off || !cx.sendings().any(|sending| cx.reachable[sending.idx]) {
        return;
    }
    let condition = format!("did {} since entry", ron_of(purchase).unwrap_or_default());
    let field = if cx.settings.goal_when.is_none() { "goal_when" } else { "exit_when" };
    let free = cx.settings.goal_when.is_none() || cx.settings.exit_when.is_none();
    let message = format!("Who comes by \u{201c}{metric}\u{201d} is mailed on after \u{201c}{purchase}\u{201d}");
    let finding = CHECK.spec.at(Place::default().with_field("settings.goal_when"), message);
    let finding = finding.hint(format!("Write {field}: {condition}"));
    out.push(match ron_of(&condition).filter(|_| free) {
        Some(value) => finding.fix(
            format!("End the flow by \u{201c}{purchase}\u{201d}"),
            vec![Edit::SetFlowField { field: field.into(), value: Some(value) }],
        ),
        None => finding,
    });
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |settings: &str, any: &str| {
            on(&format!(
                r#"settings: ({settings}), nodes: [(id: "t", kind: "trigger", settings: (any: [{any}])), (id: "a", kind: "email", settings: (message: "m"))], edges: [(from: "t", to: "a")]"#
            ))
            .within(r#"events: [(name: "Cart", moment: cart), (name: "Seen", moment: product), (name: "Paid", moment: purchase)]"#)
        };
        flow("", r#"event(event: "Cart")"#).mends(&CHECK, &["settings.goal_when"]);
        flow(r#"goal_when: "did \"Seen\" since entry""#, r#"event(event: "Cart")"#)
            .mends(&CHECK, &["settings.goal_when"]);
        flow("", r#"event(event: "Cart"), abandonment(start: "Cart", unless: [(event: "Paid")], after: "1 h")"#)
            .mends(&CHECK, &["settings.goal_when"]);
        flow("", r#"abandonment(start: "Cart", unless: [(event: "Paid")], after: "1 h")"#).silent(&CHECK);
        flow(r#"exit_when: "did \"Paid\" since entry""#, r#"event(event: "Cart")"#).silent(&CHECK);
        flow("", r#"event(event: "Seen")"#).silent(&CHECK);
    }
}
