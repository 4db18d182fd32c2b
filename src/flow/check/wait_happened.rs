//! `wait/already-happened`

use std::collections::BTreeMap;

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::{LookBack, Settings, logic::wait_for_event},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "wait/already-happened",
        severity: Severity::Warning,
        title: "A wait for what has already happened",
        what: "A wait counts everything since the entry event, and waits for the event that let the contact in, or for \
               one that a wait before it has already seen on the way here.",
        why: "What has happened already lets the contact through at once: nobody waits.",
        example: "event(event: \"Viewed Product\") and later a wait for \"Viewed Product\" with look_back: entry",
        fix: "Count from the arrival: look_back: now.",
        source: "SEMANTICS R14",
    },
    run,
};

/// Most different questions that waits of one flow are followed for; each is one walk over the flow.
const MOST_GROUPS: usize = 64;

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let entry = cx.entry_metrics();
    // The same question asked twice: metric and filter as written.
    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (idx, node, settings) in cx.steps() {
        let Settings::WaitForEvent(wait) = settings else { continue };
        if node.muted {
            continue;
        }
        let filter = wait.filter.as_ref().map_or("", |filter| filter.text());
        groups.entry((&wait.event, filter)).or_default().push(idx);
    }
    let mut found: Vec<(usize, String)> = Vec::new();
    for ((event, filter), waits) in &groups {
        if filter.is_empty() && entry.contains(event) {
            found.extend(waits.iter().map(|idx| (*idx, "which let the contact in".to_owned())));
        }
    }
    for ((_, _), waits) in groups.iter().filter(|(_, waits)| waits.len() > 1).take(MOST_GROUPS) {
        let mut seen = vec![false; cx.flow.nodes.len()];
        let mut open = Vec::new();
        for idx in waits {
            open.extend(
                cx.index.out(*idx).iter().filter(|(port, _)| **port == wait_for_event::HAPPENED).map(|(_, to)| *to),
            );
        }
        while let Some(idx) = open.pop() {
            if !std::mem::replace(&mut seen[idx], true) {
                open.extend(cx.index.out(idx).iter().map(|(_, to)| *to));
            }
        }
        found.extend(
            waits.iter().filter(|idx| seen[**idx]).map(|idx| (*idx, "which a wait before it has seen".to_owned())),
        );
    }
    found.sort_unstable();
    found.dedup_by_key(|(idx, _)| *idx);
    for (idx, why) in found {
        let node = &cx.flow.nodes[idx];
        let Some(Settings::WaitForEvent(wait)) = node.settings() else { continue };
        if wait.look_back != LookBack::Entry {
            continue;
        }
        let message =
            format!("`{}` waits for \u{201c}{}\u{201d}, {why}, and counts from the entry on", node.id, wait.event);
        out.push(
            CHECK
                .spec
                .at(Place::node(&node.id).with_field("look_back"), message)
                .hint("Count from the arrival on, or say by a filter which event is meant")
                .fix(
                    "Count from the arrival on",
                    vec![Edit::SetField {
                        id: node.id.clone(),
                        field: "look_back".into(),
                        value: Some("now".to_owned()),
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
        let flow = |first: &str, second: &str, port: &str| {
            on(&format!(
                r#"nodes: [(id: "t", kind: "trigger", settings: (any: [event(event: "A")])), (id: "v", kind: "wait_for_event", settings: (event: {first}, timeout: "1 day")), (id: "w", kind: "wait_for_event", settings: (event: {second}, timeout: "1 day"))],
                edges: [(from: "t", to: "v"), (from: "v", port: "{port}", to: "w")]"#
            ))
        };
        flow(r#""A""#, r#""B""#, "happened").mends(&CHECK, &["step v, look_back"]);
        flow(r#""B""#, r#""B""#, "happened").mends(&CHECK, &["step w, look_back"]);
        flow(r#""B""#, r#""B""#, "timed_out").silent(&CHECK);
        flow(r#""B""#, r#""B", filter: "event.x > 3""#, "happened").silent(&CHECK);
        flow(r#""B""#, r#""B", look_back: now"#, "happened").silent(&CHECK);
        flow(r#""A", filter: "event.x != trigger.x""#, r#""C""#, "happened").silent(&CHECK);
    }
}
