//! What is seen of a running engine, kept up as differences: who stands where, and what became of sends.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{Result, Told};
use crate::{
    base::{FlowId, JourneyId, NodeId, SendKey, VersionHash},
    engine::store::{HeldDelta, NodeDelta, Store},
    journey::{ContactState, Decision, FlowSet, Waiting, What},
    kinds::runtime::{Outcome, Reason},
};

/// Where the journeys of a contact stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(Vec<Place>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    journey: JourneyId,
    flow: FlowId,
    version: VersionHash,
    node: NodeId,
    /// Which time it stands there.
    pass: u32,
    held: Option<Reason>,
}

impl Places {
    pub fn of(flows: &FlowSet, state: &ContactState) -> Self {
        let active = state.journeys.iter().filter(|journey| journey.is_active());
        let place = active.filter_map(|journey| {
            let node = flows.version(&journey.version).and_then(|version| journey.node_id(version))?.clone();
            let held = match journey.waiting {
                Waiting::Held(reason) => Some(reason),
                _ => None,
            };
            let (id, flow) = (journey.id.clone(), journey.flow.clone());
            // A journey that somebody moved there has not come by itself.
            let pass = journey.pass(journey.node).max(1);
            Some(Place { journey: id, flow, version: journey.version, node, pass, held })
        });
        Self(place.collect())
    }

    pub fn held_rows(&self) -> Vec<HeldDelta> {
        let held = self.0.iter().filter_map(|place| Some((place, place.held?)));
        held.map(|(place, reason)| {
            let key = SendKey { journey: place.journey.clone(), node: place.node.clone(), pass: place.pass };
            HeldDelta {
                journey: SmolStr::new(place.journey.as_str()),
                flow: SmolStr::new(place.flow.as_str()),
                node: SmolStr::new(place.node.as_str()),
                key: key.to_string(),
                reason,
            }
        })
        .collect()
    }
}

/// Differences of a batch.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    nodes: BTreeMap<(SmolStr, SmolStr), NodeDelta>,
    under_way: BTreeMap<(SmolStr, VersionHash), i64>,
    standings: BTreeMap<&'static str, i64>,
}

impl Deltas {
    fn node(&mut self, flow: &FlowId, node: &NodeId) -> &mut NodeDelta {
        self.nodes.entry((SmolStr::new(flow.as_str()), SmolStr::new(node.as_str()))).or_default()
    }

    /// Counts what was decided.
    pub fn count(&mut self, trace: &[Decision], told: &mut Told) {
        for decision in trace {
            let Some(flow) = &decision.flow else { continue };
            if let What::Entered { .. } = decision.what {
                self.node(flow, &NodeId::new(ENTRIES)).entered += 1;
                continue;
            }
            let Some(node) = &decision.node else { continue };
            match &decision.what {
                What::Arrived => {
                    self.node(flow, node).entered += 1;
                    let at = (SmolStr::new(flow.as_str()), SmolStr::new(node.as_str()));
                    *told.arrivals.entry(at).or_default() += 1;
                }
                What::Left { .. } => self.node(flow, node).left += 1,
                // What is unknown is shown as held until somebody says that it left, or that it is to be sent again.
                What::Outcome { outcome: Outcome::Sent, .. } => self.node(flow, node).sent += 1,
                What::Outcome { outcome: Outcome::Skipped | Outcome::Refused, .. } => {
                    self.node(flow, node).not_sent += 1
                }
                _ => {}
            }
        }
    }

    /// Journeys stand elsewhere now.
    pub fn moved(&mut self, before: &Places, after: &Places) {
        for (places, sign) in [(before, -1), (after, 1)] {
            for place in &places.0 {
                let node = self.node(&place.flow, &place.node);
                node.here += sign;
                node.held += if place.held.is_some() { sign } else { 0 };
                let version = (SmolStr::new(place.flow.as_str()), place.version);
                *self.under_way.entry(version).or_default() += sign;
            }
        }
    }

    /// A send of a node stands elsewhere, or is gone; by the names of standings.
    pub fn send(&mut self, (flow, node): (&str, &str), from: Option<&'static str>, to: Option<&'static str>) {
        self.sends((flow, node), from, -1);
        self.sends((flow, node), to, 1);
    }

    /// So many sends of a node more, or less, in a standing.
    pub fn sends(&mut self, (flow, node): (&str, &str), standing: Option<&'static str>, delta: i64) {
        let Some(standing) = standing else { return };
        self.standing(standing, delta);
        match standing {
            "held" => self.node(&FlowId::new(flow), &NodeId::new(node)).held_sends += delta,
            "unknown" => self.node(&FlowId::new(flow), &NodeId::new(node)).unknown_sends += delta,
            _ => {}
        }
    }

    /// Adds to a count by its name.
    pub fn standing(&mut self, name: &'static str, delta: i64) {
        if delta != 0 {
            *self.standings.entry(name).or_default() += delta;
        }
    }

    /// Writes the differences, and forgets them.
    pub fn write(&mut self, store: &Store) -> Result<()> {
        for ((flow, node), delta) in std::mem::take(&mut self.nodes) {
            if delta != NodeDelta::default() {
                store.add_node(&flow, &node, &delta)?;
            }
        }
        for ((flow, version), delta) in std::mem::take(&mut self.under_way) {
            if delta != 0 {
                store.add_under_way(&flow, &version.to_string(), delta)?;
            }
        }
        for (name, delta) in std::mem::take(&mut self.standings) {
            if delta != 0 {
                store.add_standing(name, delta)?;
            }
        }
        Ok(())
    }
}

/// The name under which entries of a flow are counted among its nodes; no node is called so.
pub const ENTRIES: &str = "";
