//! `timing/already-over`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::{Anchor, Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "timing/already-over",
        severity: Severity::Warning,
        title: "A delay that is over before it begins",
        what: "A delay counts from the entry, but even the quickest way to it takes as long as it lasts.",
        why: "Nobody waits there: the message behind it follows the one before it at once.",
        example: "wait: for(\"12 h\"), after: entry, and behind it wait: for(\"4 h\"), after: entry",
        fix: "Count it from the previous step, or make it longer.",
        source: "SEMANTICS R16",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (idx, node, settings) in cx.steps() {
        let Settings::Delay(delay) = settings else { continue };
        let (Wait::For(span), Anchor::Entry, false) = (&delay.wait, delay.after, node.muted) else { continue };
        let Some(at) = cx.times().earliest[idx] else { continue };
        if at == 0 || span.about_millis() > at {
            continue;
        }
        let message = format!("`{}` lasts {span} from the entry, but nobody is there sooner", node.id);
        out.push(
            CHECK
                .spec
                .at(Place::node(&node.id).with_field("after"), message)
                .hint("Count it from the previous step, or make it longer")
                .fix(
                    "Count it from the previous step",
                    vec![Edit::SetField {
                        id: node.id.clone(),
                        field: "after".into(),
                        value: Some("previous".to_owned()),
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
        let flow = |first: &str, second: &str| {
            on(&format!(
                r#"nodes: [(id: "t", kind: "trigger"), (id: "a", kind: "delay", settings: ({first})), (id: "b", kind: "delay", settings: ({second}))], edges: [(from: "t", to: "a"), (from: "a", to: "b")]"#
            ))
        };
        let (four, twelve) = (r#"wait: for("4 h"), after: entry"#, r#"wait: for("12 h"), after: entry"#);
        flow(twelve, four).mends(&CHECK, &["step b, after"]);
        flow(r#"wait: for("4 h")"#, four).mends(&CHECK, &["step b, after"]);
        flow(four, twelve).silent(&CHECK);
        flow(twelve, r#"wait: for("4 h")"#).silent(&CHECK);
    }
}
