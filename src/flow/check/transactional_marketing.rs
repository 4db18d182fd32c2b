//! `consent/transactional-marketing`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::Alternative,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "consent/transactional-marketing",
        severity: Severity::Hint,
        title: "A transactional mail in a marketing flow",
        what: "A mail is marked as transactional in a flow that begins with something the contact did not ask an answer \
               to: a cart left, a score, a segment, a date, silence.",
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
    for sending in cx.sendings().filter(|sending| sending.is_transactional()) {
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
        flow(r#"event(event: "Placed Order")"#, ", transactional: true").silent(&CHECK);
    }
}
