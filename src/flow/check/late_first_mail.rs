//! `timing/late-first-message`

use super::{Check, CheckSpec, Context, Finding, ron_of, times::HOUR_MILLIS};
use crate::{
    base::{Place, Severity, Span},
    flow::Edit,
    kinds::{Alternative, Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "timing/late-first-message",
        severity: Severity::Warning,
        title: "The first message comes after the intent has gone",
        what: "The flow begins with a sign of intent (a cart, a checkout, a page left), but even on the quickest way its \
               first message leaves more than 4 h after the entry.",
        why: "The wish to buy fades within hours; a reminder on the next day competes with what was bought elsewhere.",
        example: "abandonment(start: \"Cart Updated\", …), then a delay of 1 day, then the first mail",
        fix: "Shorten the wait before the first message to 4 h or less.",
        source: "references, source (delays: the first mail within 1 to 4 hours of the intent)",
    },
    run,
};

/// Source: references, source: the first mail within 1 to 4 hours.
const LATEST_MILLIS: i64 = 4 * HOUR_MILLIS;

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let is_intent = |metric: &str| cx.workspace.event(metric).is_some_and(|event| event.moment.is_intent());
    let intent = cx.alternatives().any(|(_, alternative)| match alternative {
        Alternative::Abandonment(_) => true,
        Alternative::Event(t) => is_intent(&t.event),
        Alternative::Engagement(t) => is_intent(&t.event),
        _ => false,
    });
    if !intent {
        return;
    }
    let times = cx.times();
    let arrivals = cx.sendings().filter_map(|sending| Some((times.earliest[sending.idx]?, sending.idx)));
    let Some((at, first)) = arrivals.min() else { return };
    if at <= LATEST_MILLIS {
        return;
    }
    let node = &cx.flow.nodes[first];
    let message = format!("The first message, `{}`, leaves {} after the entry at the earliest", node.id, about(at));
    let finding = CHECK.spec.at(Place::node(&node.id), message).hint("Shorten the wait before it to 4 h or less");
    out.push(match shortened(cx, first, at) {
        Some((label, edit)) => finding.fix(label, vec![edit]),
        None => finding,
    });
}

/// The longest delay on the quickest way, cut so that the whole way takes 4 h.
fn shortened(cx: &Context<'_>, first: usize, at: i64) -> Option<(String, Edit)> {
    let times = cx.times();
    let mut longest: Option<(i64, usize)> = None;
    let mut idx = first;
    while let Some(from) = times.quickest_from[idx] {
        let spent = times.earliest[idx]? - times.earliest[from]?;
        if spent > longest.map_or(0, |(most, _)| most) {
            longest = Some((spent, from));
        }
        idx = from;
    }
    let (spent, idx) = longest?;
    let node = &cx.flow.nodes[idx];
    let Some(Settings::Delay(delay)) = node.settings() else { return None };
    let Wait::For(_) = delay.wait else { return None };
    let rest = at - spent;
    let shorter = Span {
        months: 0,
        days: 0,
        millis: if delay.after == crate::kinds::Anchor::Entry { LATEST_MILLIS } else { LATEST_MILLIS - rest },
    };
    if shorter.millis < 60_000 || rest > LATEST_MILLIS {
        return None;
    }
    let value = ron_of(&Wait::For(shorter))?;
    Some((
        format!("Wait {shorter} in `{}`", node.id),
        Edit::SetField { id: node.id.clone(), field: "wait".into(), value: Some(value) },
    ))
}

fn about(millis: i64) -> String {
    Span { months: 0, days: 0, millis: millis / 60_000 * 60_000 }.to_string()
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{Fixture, on},
        *,
    };

    fn flow(trigger: &str, delays: [&str; 2]) -> Fixture {
        on(&format!(
            r#"nodes: [(id: "t", kind: "trigger", settings: (any: [{trigger}])), (id: "d", kind: "delay", settings: ({})), (id: "e", kind: "delay", settings: ({})), (id: "a", kind: "email", settings: (message: "m"))],
            edges: [(from: "t", to: "d"), (from: "d", to: "e"), (from: "e", to: "a")]"#,
            delays[0], delays[1]
        ))
        .within(r#"events: [(name: "Cart", moment: cart), (name: "Seen", moment: product)]"#)
    }

    #[test]
    fn fixtures() {
        let left = r#"abandonment(start: "Seen", after: "1 h")"#;
        let short = r#"wait: for("30 min")"#;
        flow(left, [short, r#"wait: for("1 day")"#]).mends(&CHECK, &["step a"]);
        flow(left, [short, r#"wait: for("6 h"), after: entry"#]).mends(&CHECK, &["step a"]);
        flow(r#"event(event: "Cart")"#, [short, r#"wait: for("4 h")"#]).mends(&CHECK, &["step a"]);
        flow(left, [r#"wait: for("5 h")"#, r#"wait: for("5 h")"#]).check(&CHECK, &["step a"]);
        flow(left, [short, r#"wait: for("210 min")"#]).silent(&CHECK);
        flow(left, [short, r#"wait: until(time: "09:00")"#]).silent(&CHECK);
        flow(r#"event(event: "Seen")"#, [short, r#"wait: for("1 day")"#]).silent(&CHECK);
        flow(r#"list(list: "A")"#, [short, r#"wait: for("1 day")"#]).silent(&CHECK);
    }
}
