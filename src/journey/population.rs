//! What can only be decided over many contacts: winners of splits, breakers (SEMANTICS R6, R28).
//!
//! Drivers count as they go and close each hour of flow time here; the answers come back as stamped controls, in force
//! from the next hour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    flowset::FlowSet,
    stored::{from_pairs, pairs},
    trace::{Decision, What},
};
use crate::{
    audience::ResponseKind,
    base::{FlowId, Instant, JourneyId, NodeId},
    kinds::{
        logic::split::WinnerMetric,
        prepared::Prepared,
        runtime::{Control, Outcome},
    },
};

/// From so many sends on a breaker may act. Source: SEMANTICS R28.
pub const BREAKER_FROM_SENDS: u64 = 200;
/// Unsubscribes per send at which a flow pauses itself, in thousandths: 1 %. Source: SEMANTICS R28.
pub const MOST_UNSUBSCRIBES_PERMILLE: u64 = 10;
/// Complaints per send at which a flow pauses itself, in thousandths: 0.1 %. Source: SEMANTICS R28.
pub const MOST_COMPLAINTS_PERMILLE: u64 = 1;

/// Counts over all contacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    flows: BTreeMap<FlowId, FlowCounts>,
    #[serde(serialize_with = "pairs", deserialize_with = "from_pairs")]
    arms: BTreeMap<(FlowId, NodeId, SmolStr), ArmCounts>,
    #[serde(serialize_with = "pairs", deserialize_with = "from_pairs")]
    arm_of: ArmOf,
    decided: std::collections::BTreeSet<(FlowId, NodeId)>,
    tripped: std::collections::BTreeSet<FlowId>,
}

/// By which arm a journey left a split.
type ArmOf = BTreeMap<(JourneyId, NodeId), SmolStr>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct FlowCounts {
    sent: u64,
    unsubscribed: u64,
    complained: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ArmCounts {
    entries: u64,
    opened: std::collections::BTreeSet<JourneyId>,
    clicked: std::collections::BTreeSet<JourneyId>,
    converted: std::collections::BTreeSet<JourneyId>,
    first: Option<Instant>,
}

impl Counts {
    /// Whether [`Self::decision`] would count a decision: what a driver has to remember for its next start.
    pub fn counts(&self, flows: &FlowSet, decision: &Decision) -> bool {
        let (Some(flow), Some(journey)) = (&decision.flow, &decision.journey) else { return false };
        match &decision.what {
            What::Outcome { outcome: Outcome::Sent, .. } => true,
            What::Left { .. } => decision.node.as_ref().is_some_and(|node| self.is_raced(flows, flow, node)),
            What::Converted { .. } => arms_of(&self.arm_of, journey).next().is_some(),
            _ => false,
        }
    }

    /// Whether a node is a split whose winner is still to be found.
    fn is_raced(&self, flows: &FlowSet, flow: &FlowId, node: &NodeId) -> bool {
        flows
            .live_version(flow)
            .and_then(|v| v.nodes.get(v.place_of(node)?))
            .is_some_and(|n| matches!(&n.prepared, Prepared::Split(split, _) if split.winner.is_some()))
            && !self.decided.contains(&(flow.clone(), node.clone()))
    }

    /// Counts one decision.
    pub fn decision(&mut self, flows: &FlowSet, decision: &Decision) {
        let (Some(flow), Some(journey)) = (&decision.flow, &decision.journey) else { return };
        match &decision.what {
            What::Outcome { outcome: Outcome::Sent, .. } => self.flows.entry(flow.clone()).or_default().sent += 1,
            What::Left { port } => {
                let Some(node) = &decision.node else { return };
                if self.is_raced(flows, flow, node) {
                    let arm = self.arms.entry((flow.clone(), node.clone(), port.clone())).or_default();
                    arm.entries += 1;
                    arm.first.get_or_insert(decision.at);
                    self.arm_of.insert((journey.clone(), node.clone()), port.clone());
                }
            }
            What::Converted { .. } => self.count_arm(flow, journey, |arm| &mut arm.converted),
            _ => {}
        }
    }

    /// Counts a response to a message of a journey.
    pub fn response(&mut self, flow: &FlowId, journey: &JourneyId, response: ResponseKind) {
        let counts = self.flows.entry(flow.clone()).or_default();
        match response {
            ResponseKind::Unsubscribed => counts.unsubscribed += 1,
            ResponseKind::Complained => counts.complained += 1,
            ResponseKind::Opened => self.count_arm(flow, journey, |arm| &mut arm.opened),
            ResponseKind::Clicked => self.count_arm(flow, journey, |arm| &mut arm.clicked),
            ResponseKind::Replied | ResponseKind::Bounced => {}
        }
    }

    /// Somebody lets a flow go on that had paused itself: it is counted anew from here, and may pause itself again.
    pub fn resumed(&mut self, flow: &FlowId) {
        if self.tripped.remove(flow) {
            self.flows.remove(flow);
        }
    }

    fn count_arm(
        &mut self,
        flow: &FlowId,
        journey: &JourneyId,
        set: impl Fn(&mut ArmCounts) -> &mut std::collections::BTreeSet<JourneyId>,
    ) {
        for (node, arm) in arms_of(&self.arm_of, journey) {
            if let Some(counts) = self.arms.get_mut(&(flow.clone(), node.clone(), arm.clone())) {
                set(counts).insert(journey.clone());
            }
        }
    }
}

/// Splits that a journey has left, and by which arm.
fn arms_of<'a>(arm_of: &'a ArmOf, journey: &'a JourneyId) -> impl Iterator<Item = (&'a NodeId, &'a SmolStr)> {
    let of_it = arm_of.range((journey.clone(), NodeId::new(""))..).take_while(move |((of, _), _)| of == journey);
    of_it.map(|((_, node), arm)| (node, arm))
}

/// Whether a journey is one of a flow, by its id: `contact/flow/n`.
fn is_of(journey: &JourneyId, flow: &FlowId) -> bool {
    journey.as_str().rsplit('/').nth(1) == Some(flow.as_str())
}

/// Closes an hour of flow time: the winners that are certain now, the flows that must pause (SEMANTICS R6).
///
/// `hour` is its end; the controls are in force from then on. Each comes once. Whether a flow that somebody resumed
/// may pause itself again, the rules do not say; here it is left to that person.
pub fn close_hour(flows: &FlowSet, counts: &mut Counts, hour: Instant) -> Vec<Control> {
    let mut out = Vec::new();
    for (flow, of_flow) in &counts.flows {
        if of_flow.sent < BREAKER_FROM_SENDS || counts.tripped.contains(flow) {
            continue;
        }
        let over = |n: u64, permille: u64| n * 1_000 > of_flow.sent * permille;
        let why = if over(of_flow.complained, MOST_COMPLAINTS_PERMILLE) {
            Some(format!("{} complaints after {} messages, more than 0.1 %", of_flow.complained, of_flow.sent))
        } else if over(of_flow.unsubscribed, MOST_UNSUBSCRIBES_PERMILLE) {
            Some(format!("{} unsubscribed after {} messages, more than 1 %", of_flow.unsubscribed, of_flow.sent))
        } else {
            None
        };
        out.extend(why.map(|why| Control::Breaker { flow: flow.clone(), why }));
    }
    for control in &out {
        if let Control::Breaker { flow, .. } = control {
            counts.tripped.insert(flow.clone());
        }
    }
    for (flow, _) in flows.live() {
        let Some(version) = flows.live_version(flow) else { continue };
        for node in &version.nodes {
            let Prepared::Split(split, _) = &node.prepared else { continue };
            let Some(winner) = &split.winner else { continue };
            let id = (flow.clone(), node.id.clone());
            if counts.decided.contains(&id) {
                continue;
            }
            let of_arm = |name: &SmolStr| counts.arms.get(&(flow.clone(), node.id.clone(), name.clone()));
            let arms: Vec<(&SmolStr, &ArmCounts)> = split
                .arms
                .iter()
                .filter(|arm| !arm.hold_out)
                .filter_map(|arm| Some((&arm.name, of_arm(&arm.name)?)))
                .collect();
            let wanted = split.arms.iter().filter(|arm| !arm.hold_out).count();
            let first = arms.iter().filter_map(|(_, arm)| arm.first).min();
            let ripe = arms.len() == wanted
                && arms.iter().all(|(_, arm)| arm.entries >= u64::from(winner.after_entries))
                && first.is_some_and(|first| {
                    winner.after.is_none_or(|span| span.after(first, flows.default_zone()) <= hour)
                });
            if !ripe {
                continue;
            }
            let hits = |arm: &ArmCounts| match winner.metric {
                WinnerMetric::Opened => arm.opened.len(),
                WinnerMetric::Clicked => arm.clicked.len(),
                WinnerMetric::Converted => arm.converted.len(),
            } as u64;
            // Shares are compared crosswise, so that no division rounds; the first arm wins a draw.
            let mut best = arms[0];
            for arm in &arms[1..] {
                if hits(arm.1) * best.1.entries > hits(best.1) * arm.1.entries {
                    best = *arm;
                }
            }
            out.push(Control::Winner { flow: flow.clone(), node: node.id.clone(), arm: best.0.clone() });
            counts.decided.insert(id);
            // What was counted for it is of no use any more.
            counts.arm_of.retain(|(journey, of), _| of != &node.id || !is_of(journey, flow));
            counts.arms.retain(|(of, at, _), _| of != flow || at != &node.id);
        }
    }
    out
}
