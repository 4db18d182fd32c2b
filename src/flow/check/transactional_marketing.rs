//! `consent/transactional-marketing`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::{Alternative, Settings, logic::wait_for_event::HAPPENED},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "consent/transactional-marketing",
        severity: Severity::Hint,
        title: "A transactional mail in a marketing flow",
        what: "A mail is marked as transactional in a flow that begins with something the contact did not ask an answer \
               to (a cart left, a score, a segment, a date, silence), and not behind an event that it waited for.",
        why: "The mark takes the mail out of consent, caps and cooldowns. It is for answers to what somebody asked for, \
              such as an order confirmation.",
        example: "transactional: true in an abandoned-cart flow",
        fix: "Take the mark away, unless the mail answers something the contact asked for.",
        source: "Regulation (EU) 2016/679, recital 47; 16 CFR 316.3",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let asked_for = cx.alternatives().any(|(_, a)| matches!(a, Alternative::Event(_) | Alternative::List(_)));
    if asked_for || cx.alternatives().next().is_none() {
        return;
    }
    // Behind an event that was waited for, the mail may be the answer to it.
    let mut answers = vec![false; cx.flow.nodes.len()];
    let mut open: Vec<usize> = Vec::new();
    for (idx, _, _) in cx.steps().filter(|(_, _, settings)| matches!(settings, Settings::WaitForEvent(_))) {
        open.extend(cx.index.out(idx).iter().filter(|(port, _)| **port == HAPPENED).map(|(_, to)| *to));
    }
    while let Some(idx) = open.pop() {
        if !std::mem::replace(&mut answers[idx], true) {
            open.extend(cx.index.out(idx).iter().map(|(_, to)| *to));
        }
    }
    for sending in cx.sendings().filter(|sending| sending.is_transactional() && !answers[sending.idx]) {
        let message = format!("`{}` is marked as transactional, but the contact asked for nothing", sending.node.id);
        out.push(
            CHECK
                .spec
                .at(Place::node(&sending.node.id).with_field("transactional"), message)
                .hint("Take the mark away, unless the mail answers something the contact asked for")
                .fix(
                    "Take the mark away",
                    vec![Edit::SetField { id: sending.node.id.clone(), field: "transactional".into(), value: None }],
                ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |any: &str, settings: &str| {
            on(&format!(
                r#"nodes: [(id: "t", kind: "trigger", settings: (any: [{any}])), (id: "a", kind: "email", settings: (message: "m" {settings}))]"#
            ))
        };
        let left = r#"abandonment(start: "A", after: "1 h")"#;
        flow(left, ", transactional: true").mends(&CHECK, &["step a, transactional"]);
        flow(left, "").silent(&CHECK);
        on(&format!(
            r#"nodes: [(id: "t", kind: "trigger", settings: (any: [{left}])), (id: "w", kind: "wait_for_event", settings: (event: "Booked", timeout: "1 day")), (id: "a", kind: "email", settings: (message: "m", transactional: true))], edges: [(from: "w", port: "happened", to: "a")]"#
        ))
        .silent(&CHECK);
        flow(r#"event(event: "Placed Order")"#, ", transactional: true").silent(&CHECK);
    }
}
