//! The most messages that one contact gets in a day: a limit that no setting removes here, and that no platform has
//! (SEMANTICS R28).
//!
//! The one idea: it is said once, and only of a flow that could pass the limit by itself, whether in one pass or by
//! letting the same contact in again and again. Messages under a cap that is at least as tight do not count; what
//! becomes of the cap is said where the cap is.

use super::{
    Notes,
    plan::{Plan, Step},
};
use crate::{
    audience::Channel,
    base::Place,
    flow::{Reentry, Target, Workspace},
    kinds::{Alternative, Anchor, CapRule, Limit, MOST_IN_24_H, Settings, Wait},
};

/// The span that the limit is about, in milliseconds.
const DAY: i64 = 24 * 3_600_000;

/// Notes that a flow could send more in a day than Flowloom lets through.
pub(super) fn limit(target: Target, plan: &Plan<'_>, workspace: &Workspace, notes: &mut Notes) {
    let times = Times::of(plan);
    let in_a_pass = most_in_a_day(plan, workspace, &times);
    if in_a_pass == 0 {
        return;
    }
    let passes = passes_a_day(plan, workspace, &times);
    let how = match passes {
        _ if in_a_pass > MOST_IN_24_H => format!("one pass sends up to {in_a_pass}"),
        None => format!("{in_a_pass} in each pass, as often as somebody enters"),
        Some(passes) if in_a_pass.saturating_mul(passes) > MOST_IN_24_H => {
            format!("{in_a_pass} in each of up to {passes} passes")
        }
        Some(_) => return,
    };
    let (code, remedy) = match target {
        Target::Klaviyo => ("klaviyo/daily-limit", "Give the flow a cap or a cooldown for entering again"),
        Target::Hubspot => (
            "hubspot/daily-limit",
            "Let contacts enter less often, or turn on the account's e-mail frequency safeguard (Marketing Hub Enterprise)",
        ),
        Target::Engine => return,
    };
    let message = format!(
        "{} does not hold back messages after {MOST_IN_24_H} to one contact in 24 h, as Flowloom does, and this flow can send more: {how}",
        target.title()
    );
    notes.approximate(code, Place::default(), message, remedy);
}

/// Whether a cap holds for every contact that is at least as tight as the limit.
fn is_capped(plan: &Plan<'_>, workspace: &Workspace, channel: Channel) -> bool {
    let is_tight = |cap: &&CapRule| {
        matches!(cap.limit, Limit::AtMost(most) if most as usize <= MOST_IN_24_H) && cap.within.about_millis() >= DAY
    };
    [&plan.settings.caps, &workspace.caps].into_iter().any(|caps| {
        let own: Vec<&CapRule> = caps.iter().filter(|cap| cap.channel == channel).collect();
        own.iter().any(|cap| cap.segment.is_none()) && own.iter().all(is_tight)
    })
}

/// Whether a step sends a message that only the limit could hold back.
fn counts(step: &Step<'_>, capped: &dyn Fn(Channel) -> bool) -> bool {
    match step.settings {
        Settings::Email(email) => email.transactional || !capped(Channel::Email),
        Settings::Sms(_) => !capped(Channel::Sms),
        _ => false,
    }
}

/// The shortest wait in each step, and the latest arrival at it, in milliseconds after the entry.
struct Times {
    waits: Vec<i64>,
}

impl Times {
    fn of(plan: &Plan<'_>) -> Self {
        let mut latest = vec![0_i64; plan.steps.len()];
        let mut waits = vec![0_i64; plan.steps.len()];
        for (at, step) in plan.steps.iter().enumerate() {
            let mut left = latest[at];
            match step.settings {
                Settings::Delay(delay) => match &delay.wait {
                    Wait::For(span) => {
                        let span = span.about_millis().max(0);
                        waits[at] = if delay.after == Anchor::Entry { (span - left).max(0) } else { span };
                        left = left.saturating_add(waits[at]);
                    }
                    // A time of day or a date may be a moment away.
                    Wait::Until { .. } => left = left.saturating_add(7 * DAY),
                    Wait::Date { .. } => {}
                },
                Settings::WaitForEvent(wait) => left = left.saturating_add(wait.timeout.about_millis().max(0)),
                _ => {}
            }
            for to in step.next.iter().filter_map(|(_, to)| *to) {
                latest[to] = latest[to].max(left);
            }
        }
        Self { waits }
    }
}

/// The most messages of one pass in 24 h; more than one over the limit is not counted on.
fn most_in_a_day(plan: &Plan<'_>, workspace: &Workspace, times: &Times) -> usize {
    let capped = |channel| is_capped(plan, workspace, channel);
    // By count: the least time since the first of so many messages on arrival at a step.
    const NEVER: i64 = i64::MAX;
    let mut arrived = vec![[NEVER; MOST_IN_24_H + 2]; plan.steps.len()];
    let mut most = 0;
    for (at, step) in plan.steps.iter().enumerate() {
        let mut here = arrived[at];
        if counts(step, &capped) {
            for count in (1..MOST_IN_24_H + 1).rev() {
                here[count + 1] = here[count + 1].min(here[count]);
            }
            here[1] = 0;
        }
        for (count, since) in here.iter_mut().enumerate().skip(1).filter(|(_, since)| **since != NEVER) {
            most = most.max(count);
            *since = since.saturating_add(times.waits[at]);
            if *since >= DAY {
                *since = NEVER;
            }
        }
        for to in step.next.iter().filter_map(|(_, to)| *to) {
            for (known, new) in arrived[to].iter_mut().zip(here) {
                *known = (*known).min(new);
            }
        }
    }
    most
}

/// How often one contact can pass in 24 h; `None` where nothing but what they do limits it.
fn passes_a_day(plan: &Plan<'_>, workspace: &Workspace, times: &Times) -> Option<usize> {
    // How far apart two entries are at least, by what lets contacts in.
    let trigger = plan.flow.trigger().and_then(|node| node.settings());
    let Some(Settings::Trigger(trigger)) = trigger else { return Some(1) };
    let apart = trigger.any.iter().map(|alternative| match alternative {
        Alternative::Event(_) | Alternative::Engagement(_) => 0,
        Alternative::Abandonment(t) => t.after.about_millis().max(0),
        // Somebody has to leave a list or a segment first, and dates and silences come once a day at most.
        Alternative::List(_)
        | Alternative::Segment(_)
        | Alternative::Score(_)
        | Alternative::Date(_)
        | Alternative::Inactivity(_)
        | Alternative::Foreign(_) => DAY,
    });
    let apart = apart.min().unwrap_or(DAY);
    let apart = match &plan.settings.reentry {
        Reentry::Once => return Some(1),
        Reentry::Cooldown(span) => apart.max(span.about_millis()),
        Reentry::AfterExit => apart.max(shortest(plan, workspace, times)),
        Reentry::PerKey | Reentry::Restart => apart,
    };
    if apart >= DAY {
        return Some(1);
    }
    // Both ends of the day count.
    (apart > 0).then(|| usize::try_from(DAY / apart).unwrap_or(usize::MAX).saturating_add(1))
}

/// The shortest pass that sends a message which counts, in milliseconds.
fn shortest(plan: &Plan<'_>, workspace: &Workspace, times: &Times) -> i64 {
    let capped = |channel| is_capped(plan, workspace, channel);
    const NEVER: i64 = i64::MAX;
    let num = plan.steps.len();
    let (mut before, mut after) = (vec![NEVER; num], vec![NEVER; num]);
    if let Some(first) = plan.first {
        before[first] = 0;
    }
    let mut out = NEVER;
    for (at, step) in plan.steps.iter().enumerate() {
        if counts(step, &capped) {
            after[at] = after[at].min(before[at]);
        }
        let (quiet, told) = (before[at].saturating_add(times.waits[at]), after[at].saturating_add(times.waits[at]));
        if step.next.is_empty() || step.next.iter().any(|(_, to)| to.is_none()) {
            out = out.min(told);
        }
        for to in step.next.iter().filter_map(|(_, to)| *to) {
            before[to] = before[to].min(quiet);
            after[to] = after[to].min(told);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::file;

    /// What is said of a flow of these steps (`mail`, `sms`, `receipt` for a transactional mail, else a wait), in a
    /// workspace with these caps.
    #[track_caller]
    fn check(trigger: &str, reentry: &str, steps: &str, caps: &str, expected: &str) {
        let (mut nodes, mut edges, mut last) = (String::new(), String::new(), "start".to_owned());
        for (n, step) in steps.split(", ").enumerate() {
            let (kind, settings) = match step {
                "mail" => ("email", r#"(message: "m")"#.to_owned()),
                "receipt" => ("email", r#"(message: "m", transactional: true)"#.to_owned()),
                "sms" => ("sms", r#"(message: "s")"#.to_owned()),
                wait => ("delay", format!("(wait: for(\"{wait}\"))")),
            };
            nodes += &format!("(id: \"n{n}\", kind: \"{kind}\", settings: {settings}),");
            edges += &format!("(from: \"{last}\", to: \"n{n}\"),");
            last = format!("n{n}");
        }
        let source = format!(
            r#"(version: 2, id: "f", name: "F", settings: (reentry: {reentry}), nodes: [(id: "start", kind: "trigger", settings: (any: [{trigger}])), {nodes}], edges: [{edges}], messages: [])"#
        );
        let flow = file::read(&source).unwrap_or_else(|d| panic!("{}\n{source}", d.message)).flow;
        let workspace = file::read_workspace(&format!("(version: 1, caps: [{caps}])")).expect("a workspace").0;
        let mut notes = Notes::default();
        limit(Target::Klaviyo, &Plan::new(&flow), &workspace, &mut notes);
        let said = notes.losses.iter().map(|loss| loss.message.rsplit(": ").next().unwrap_or_default().to_owned());
        assert_eq!(said.collect::<Vec<_>>().join(" / "), expected, "{trigger} {reentry} {steps} [{caps}]");
    }

    #[test]
    fn only_flows_that_can_pass_the_limit_are_told() {
        let event = r#"event(event: "A")"#;
        // One pass.
        check(event, "once", "mail, mail, mail", "", "");
        check(event, "once", &["mail"; 11].join(", "), "", "one pass sends up to 11");
        check(event, "once", &["mail"; 11].join(", 2 h, "), "", "one pass sends up to 11");
        check(event, "once", &["mail"; 14].join(", 3 h, "), "", "");
        check(event, "once", &["mail"; 11].join(", "), r#"(limit: at_most(3), within: "48 h")"#, "");
        check(
            event,
            "once",
            &["receipt"; 11].join(", "),
            r#"(limit: at_most(3), within: "48 h")"#,
            "one pass sends up to 11",
        );
        check(
            event,
            "once",
            &["sms"; 11].join(", "),
            r#"(limit: at_most(3), within: "48 h")"#,
            "one pass sends up to 11",
        );
        check(
            event,
            "once",
            &["mail"; 11].join(", "),
            r#"(limit: at_most(3), within: "2 h")"#,
            "one pass sends up to 11",
        );
        check(
            event,
            "once",
            &["mail"; 11].join(", "),
            r#"(limit: none, segment: "VIP"), (limit: at_most(3), within: "48 h")"#,
            "one pass sends up to 11",
        );
        // Many passes.
        check(event, "after_exit", "mail", "", "1 in each pass, as often as somebody enters");
        check(event, "per_key", "mail, 1 day, mail", "", "1 in each pass, as often as somebody enters");
        check(event, "after_exit", "mail, 4 h, mail, 8 h, mail", "", "");
        check(event, "after_exit", "mail, 1 h, mail", "", "2 in each of up to 25 passes");
        check(event, r#"cooldown("2 days")"#, "mail", "", "");
        check(event, r#"cooldown("1 h")"#, "mail", "", "1 in each of up to 25 passes");
        check(event, "after_exit", "mail", r#"(limit: at_most(3), within: "48 h")"#, "");
        check(r#"list(list: "L")"#, "after_exit", "mail", "", "");
        check(r#"abandonment(start: "A", after: "6 h")"#, "after_exit", "mail", "", "");
        check(event, "after_exit", "1 h", "", "");
    }
}
