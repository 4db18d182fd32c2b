//! `cap/over-on-a-path`

use super::{Check, CheckSpec, Context, Finding, times::Times};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    kinds::{CapRule, Limit, Scope, Settings, logic::cap},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "cap/over-on-a-path",
        severity: Severity::Warning,
        title: "More messages on a way than the cap allows",
        what: "On some way through the flow more messages can leave within the cap's window than the cap allows, going by \
               the least time that delays and waits take. Rows for a segment are not counted: they are meant to be met.",
        why: "The flow alone fills the cap, so its last messages are skipped for everybody who takes that way.",
        example: "Four mails on one day, and a cap of 3 in 48 h.",
        fix: "Put more time between the messages, take one out, or ask a cap step before the last.",
        source: "SEMANTICS R23",
    },
    run,
};

/// Largest limit that is looked at: beyond it the breaker stops a contact's messages first. Source: SEMANTICS R28.
const MOST: u32 = 20;

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for channel in [Channel::Email, Channel::Sms] {
        if cx.sendings().filter(|sending| sending.channel == channel).count() == 0 {
            continue;
        }
        for (scope, rules) in [(Scope::Workspace, &cx.workspace.caps), (Scope::Flow, &cx.settings.caps)] {
            // The flow's own rows may also count the workspace.
            let rows = rules.iter().filter(|rule| rule.channel == channel && rule.segment.is_none());
            if let Some(rule) = rows.into_iter().next() {
                over(cx, rule, scope, out);
            }
        }
    }
}

/// How soon after the first of n messages the next one can be at hand: one search for each n, each from the steps
/// that the one before it reached. Loops are followed, since each round of one takes at least a minute.
fn over(cx: &Context<'_>, rule: &CapRule, scope: Scope, out: &mut Vec<Finding>) {
    let Limit::AtMost(limit) = rule.limit else { return };
    if limit == 0 || limit > MOST.min(cx.settings.pass_limit.saturating_mul(cx.flow.nodes.len() as u32)) {
        return;
    }
    let window = rule.within.about_millis();
    let times: &Times = cx.times();
    let mut counted = vec![false; cx.flow.nodes.len()];
    for sending in cx.sendings() {
        counted[sending.idx] =
            sending.channel == rule.channel && !sending.is_transactional() && cx.reachable[sending.idx];
    }
    // Who leaves a cap step by `under` has had fewer messages than its limit.
    let passes = |most: u32| {
        move |idx: usize, port: &str| match cx.flow.nodes[idx].settings() {
            Some(Settings::Cap(step))
                if port == cap::UNDER && step.channel == rule.channel && step.segment.is_none() =>
            {
                match step.limit {
                    Limit::AtMost(n) => most < n || step.within.about_millis() < window,
                    Limit::None => true,
                }
            }
            _ => true,
        }
    };
    let mut left: Vec<(usize, i64)> =
        counted.iter().enumerate().filter(|(_, counted)| **counted).map(|(idx, _)| (idx, 0)).collect();
    for num_sent in 1..=limit {
        let arrivals = times.arrivals(&cx.index, &left, window, |idx| counted[idx], passes(num_sent));
        left =
            arrivals.iter().enumerate().filter_map(|(idx, at)| Some((idx, (*at).filter(|_| counted[idx])?))).collect();
        if left.is_empty() {
            return;
        }
    }
    let Some((idx, _)) = left.first() else { return };
    let node = &cx.flow.nodes[*idx];
    let whose = if scope == Scope::Flow { "the flow's cap" } else { "the cap" };
    let word = if rule.channel == Channel::Email { "e-mails" } else { "text messages" };
    let message = format!(
        "On some way `{}` is the {} of {word} within {}, but {whose} allows {limit}",
        node.id,
        ordinal(limit + 1),
        rule.within
    );
    out.push(
        CHECK
            .spec
            .at(Place::node(&node.id), message)
            .hint("Put more time between the messages, take one out, or ask a cap step before this one"),
    );
}

fn ordinal(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{Fixture, on},
        *,
    };

    /// A line of steps after a trigger: `m` is a mail, `s` a text message, everything else the settings of a delay.
    fn line(steps: &[&str], more: &str) -> Fixture {
        let mut nodes = vec![r#"(id: "t", kind: "trigger", settings: (any: [list(list: "A")]))"#.to_owned()];
        let mut edges = Vec::new();
        let mut last = "t".to_owned();
        for (n, step) in steps.iter().enumerate() {
            let id = format!("n{n}");
            nodes.push(match *step {
                "m" => format!(r#"(id: "{id}", kind: "email", settings: (message: "m"))"#),
                "s" => format!(r#"(id: "{id}", kind: "sms", settings: (message: "s"))"#),
                "T" => format!(r#"(id: "{id}", kind: "email", settings: (message: "m", transactional: true))"#),
                "cap" => format!(r#"(id: "{id}", kind: "cap", settings: (limit: at_most(3)))"#),
                delay => format!(r#"(id: "{id}", kind: "delay", settings: ({delay}))"#),
            });
            edges.push(format!(r#"(from: "{last}", to: "{id}")"#));
            last = id;
        }
        let edges = edges.join(", ");
        let mut text = format!("nodes: [{}], edges: [{edges}{more}]", nodes.join(", "));
        for (n, step) in steps.iter().enumerate() {
            if *step == "cap" {
                text = text.replace(&format!(r#"(from: "n{n}", "#), &format!(r#"(from: "n{n}", port: "under", "#));
            }
        }
        on(&text)
    }

    #[test]
    fn fixtures() {
        let day = r#"wait: for("24 h")"#;
        line(&["m", "m", "m", "m"], "").check(&CHECK, &["step n3"]);
        line(&["m", "m", "m"], "").silent(&CHECK);
        line(&["m", day, "m", "m", day, "m"], "").silent(&CHECK);
        line(&["m", day, "m", "m", r#"wait: for("23 h")"#, "m"], "").check(&CHECK, &["step n5"]);
        line(&["m", "T", "m", "s", "m"], "").silent(&CHECK);
        line(&["m", "m", "m", "cap", "m"], "").silent(&CHECK);
        // The window is rolling: the first three lie far before.
        line(&["m", "m", "m", r#"wait: for("3 days")"#, "m", "m", "m", "m"], "").check(&CHECK, &["step n7"]);
    }

    #[test]
    fn delays_from_the_entry() {
        let at = |hours: u32| format!(r#"wait: for("{hours} h"), after: entry"#);
        line(&["m", &at(24), "m", &at(48), "m", &at(72), "m"], "").silent(&CHECK);
        line(&["m", &at(4), "m", &at(12), "m", &at(47), "m"], "").check(&CHECK, &["step n6"]);
    }

    #[test]
    fn loops_and_other_caps() {
        let back = r#", (from: "n1", to: "n0")"#;
        line(&["m", r#"wait: for("12 h")"#], back).check(&CHECK, &["step n0"]);
        line(&["m", r#"wait: for("16 h")"#], back).silent(&CHECK);
        line(&["m", "m"], "").within("caps: [(limit: at_most(1), segment: \"x\"), (limit: none)]").silent(&CHECK);
        line(&["m", "m"], "").within("caps: [(limit: at_most(1))]").check(&CHECK, &["step n1"]);
        line(&["s", "s"], "").within("caps: [(limit: at_most(1), channel: sms)]").check(&CHECK, &["step n1"]);
    }
}
