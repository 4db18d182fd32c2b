//! `timing/beyond-conversion-window`

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    base::{Place, Severity, Span},
    flow::Edit,
    kinds::{Settings, logic::delay::Wait},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "timing/beyond-conversion-window",
        severity: Severity::Hint,
        title: "A wait longer than the conversion window",
        what: "The flow has a goal condition, and after a message a delay lasts longer than the time in which a conversion is \
               credited to it.",
        why: "Who converts late in that wait ends the flow as converted, but no message gets the credit.",
        example: "conversion_window: \"48 h\" and a delay of 7 days between two mails",
        fix: "Widen the conversion window, if such a purchase should still count for the mail.",
        source: "SEMANTICS R15",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    if cx.settings.goal_when.is_none() || !cx.sendings().any(|sending| cx.reachable[sending.idx]) {
        return;
    }
    let window = cx.settings.conversion_window;
    // Steps behind a message: once forwards from all of them.
    let mut behind = vec![false; cx.flow.nodes.len()];
    let mut open: Vec<usize> = cx.sendings().map(|sending| sending.idx).collect();
    while let Some(idx) = open.pop() {
        for (_, to) in cx.index.out(idx) {
            if !std::mem::replace(&mut behind[*to], true) {
                open.push(*to);
            }
        }
    }
    let span = |settings: &Settings| match settings {
        Settings::Delay(delay) => match delay.wait {
            Wait::For(span) if delay.after == crate::kinds::Anchor::Previous => Some(span),
            _ => None,
        },
        _ => None,
    };
    // One remark for the flow: the longest of its waits.
    let waits = cx.steps().filter(|(idx, node, _)| behind[*idx] && !node.muted);
    let longest: Option<(i64, Span, _)> = waits
        .filter_map(|(_, node, settings)| span(settings).map(|span| (span.about_millis(), span, node)))
        .filter(|(millis, _, _)| *millis > window.about_millis())
        .max_by_key(|(millis, _, _)| *millis);
    let Some((_, span, node)) = longest else { return };
    let message = format!("`{}` waits {span} after a message, but conversions are credited for {window}", node.id);
    let finding =
        CHECK.spec.at(Place::node(&node.id), message).hint("Widen the conversion window, if they should count");
    out.push(match ron_of(&span) {
        Some(value) => finding.fix(
            format!("Credit conversions for {span}"),
            vec![Edit::SetFlowField { field: "conversion_window".into(), value: Some(value) }],
        ),
        None => finding,
    });
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |settings: &str, span: &str| {
            on(&format!(
                r#"settings: ({settings}), nodes: [(id: "t", kind: "trigger"), (id: "c", kind: "delay", settings: (wait: for("90 days"))), (id: "a", kind: "email", settings: (message: "m")), (id: "d", kind: "delay", settings: (wait: for("{span}")))], edges: [(from: "t", to: "c"), (from: "c", to: "a"), (from: "a", to: "d")]"#
            ))
        };
        let goal = r#"goal_when: "did \"A\" since entry""#;
        flow(goal, "7 days").mends(&CHECK, &["step d"]);
        flow(goal, "2 days").silent(&CHECK);
        flow("", "7 days").silent(&CHECK);
        flow(&format!("{goal}, conversion_window: \"7 days\""), "7 days").silent(&CHECK);
    }
}
