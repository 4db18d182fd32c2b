//! When messages arrive, measured from the entry: by a replay of the sample contacts.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Material,
    parts::{percent, step_link},
    table,
};
use crate::{
    audience::Audience,
    base::{JourneyId, NodeId},
    flow::{Flow, Workspace},
    journey::{FlowSet, What},
    kinds::runtime::Outcome,
    report::order,
    simulate::{Options, replay},
};

/// What a replay says of one step that sends. Times are milliseconds after the entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timing {
    /// Messages that were sent.
    pub sent: usize,
    /// Messages that were not: skipped, refused, held.
    pub not_sent: usize,
    /// The soonest.
    pub earliest: i64,
    /// The middle one: half were sooner.
    pub typical: i64,
    /// The latest.
    pub latest: i64,
}

/// Entries in a replay of the audience, and what became of each step's messages.
pub fn timing(
    flow: &Flow,
    neighbours: &[Flow],
    workspace: &Workspace,
    audience: &Audience,
) -> (usize, BTreeMap<NodeId, Timing>) {
    let mut flows = vec![flow.clone()];
    flows.extend(neighbours.iter().filter(|other| other.id != flow.id).cloned());
    let report = replay(&FlowSet::new(workspace, &flows), audience, &Options::default());
    let mut waits: BTreeMap<NodeId, (Vec<i64>, usize)> = BTreeMap::new();
    let mut num_entries = 0;
    for trace in report.traces.values() {
        let mut entered: BTreeMap<&JourneyId, crate::base::Instant> = BTreeMap::new();
        for decision in trace.iter().filter(|decision| decision.flow.as_ref() == Some(&flow.id)) {
            let Some(journey) = &decision.journey else { continue };
            match &decision.what {
                What::Entered { .. } => {
                    num_entries += 1;
                    entered.insert(journey, decision.at);
                }
                What::Outcome { outcome, .. } => {
                    let (Some(node), Some(entry)) = (&decision.node, entered.get(journey)) else { continue };
                    let (sent, not_sent) = waits.entry(node.clone()).or_default();
                    if *outcome == Outcome::Sent { sent.push(decision.at.since(*entry)) } else { *not_sent += 1 }
                }
                _ => {}
            }
        }
    }
    let timings = waits.into_iter().map(|(node, (mut sent, not_sent))| {
        sent.sort_unstable();
        let at = |n: usize| sent.get(n).copied().unwrap_or(0);
        let timing = Timing {
            sent: sent.len(),
            not_sent,
            earliest: at(0),
            typical: at(sent.len() / 2),
            latest: at(sent.len().saturating_sub(1)),
        };
        (node, timing)
    });
    (num_entries, timings.collect())
}

/// "at once", "4 h", "1 day 4 h": the two largest units.
fn length(millis: i64) -> String {
    const MINUTE: i64 = 60_000;
    let minutes = (millis + MINUTE / 2).div_euclid(MINUTE);
    let (days, hours, minutes) = (minutes / 1_440, minutes % 1_440 / 60, minutes % 60);
    let day = |n: i64| format!("{n} {}", if n == 1 { "day" } else { "days" });
    match (days, hours, minutes) {
        (0, 0, 0) => "at once".to_owned(),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => day(d),
        (d, h, _) => format!("{} {h} h", day(d)),
    }
}

pub(super) fn section(material: &Material<'_>, out: &mut String) {
    let Material { flow, workspace, audience, neighbours, .. } = material;
    if audience.contacts.is_empty() || audience.events.is_empty() {
        out.push_str("<p class=\"muted\">There are no sample contacts to measure it with.</p>");
        return;
    }
    let (entries, timings) = timing(flow, neighbours, workspace, audience);
    let _ = write!(
        out,
        "<p class=\"intro\">Measured by playing {} sample contacts through the flow: {} entries. Times count from the \
         moment a contact enters; purchases, limits and quiet hours are taken into account.</p>",
        audience.contacts.len(),
        entries
    );
    let numbers = order::numbers(flow);
    let mut rows = Vec::new();
    for node in order::reading_order(flow).into_iter().map(|n| &flow.nodes[n]) {
        if node.settings().and_then(|settings| settings.message()).is_none() {
            continue;
        }
        let timing = timings.get(&node.id).cloned().unwrap_or_default();
        let time = |millis: i64| if timing.sent == 0 { "&ndash;".to_owned() } else { length(millis) };
        rows.push(vec![
            step_link(flow, &numbers, &node.id),
            format!("{} <span class=\"muted\">{}</span>", timing.sent, percent(timing.sent as f64, entries as f64)),
            timing.not_sent.to_string(),
            time(timing.earliest),
            time(timing.typical),
            time(timing.latest),
        ]);
    }
    if rows.is_empty() {
        out.push_str("<p class=\"muted\">The flow sends nothing.</p>");
        return;
    }
    table(out, "", &["Message", "#Sent", "#Held back", "#Earliest", "#Typical", "#Latest"], &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        let check = |millis: i64, expected: &str| assert_eq!(length(millis), expected);
        check(0, "at once");
        check(29_000, "at once");
        check(60_000, "1 min");
        check(14_400_000, "4 h");
        check(14_400_000 + 90_000, "4 h 2 min");
        check(86_400_000, "1 day");
        check(2 * 86_400_000 + 3_600_000, "2 days 1 h");
    }
}
