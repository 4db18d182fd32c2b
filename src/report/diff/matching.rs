//! Which step of one version is which of the other.
//!
//! By id first, where the kind is the same: ids are never reused. The rest, as in a flow that was imported anew or
//! copied, by kind, title, settings and what already matched around them, the surest pairs first.

use std::collections::BTreeMap;

use crate::{base::NodeId, flow::Flow};

/// Pairs of steps. Both ways, so that either side can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matching {
    later: BTreeMap<NodeId, NodeId>,
    earlier: BTreeMap<NodeId, NodeId>,
}

/// Least points of a pair: a title, or the same settings, or two neighbours.
const LEAST_POINTS: u32 = 4;
/// Rounds of pairing: what matched in one helps its neighbours in the next. Source: assumption; each round pairs at
/// least one, and long chains are paired from both ends.
const MOST_ROUNDS: usize = 200;
/// Most pairs that are weighed in a round, so that two unlike flows of thousands of steps take no minutes.
const MOST_PAIRS: usize = 400_000;

impl Matching {
    /// Pairs the steps of two versions.
    pub fn new(before: &Flow, after: &Flow) -> Self {
        let mut out = Self::default();
        for node in &before.nodes {
            if after.node(node.id.as_str()).is_some_and(|other| other.kind == node.kind) {
                out.pair(&node.id, &node.id);
            }
        }
        let settings = |flow: &Flow| -> Vec<Option<serde_json::Value>> {
            flow.nodes.iter().map(|node| node.settings().map(super::json)).collect()
        };
        let (old_settings, new_settings) = (settings(before), settings(after));
        let (old_index, new_index) = (&before.index(), &after.index());
        for _ in 0..MOST_ROUNDS {
            let old: Vec<usize> =
                (0..before.nodes.len()).filter(|n| out.later(&before.nodes[*n].id).is_none()).collect();
            let new: Vec<usize> =
                (0..after.nodes.len()).filter(|n| out.earlier(&after.nodes[*n].id).is_none()).collect();
            if old.is_empty() || new.is_empty() || old.len() * new.len() > MOST_PAIRS {
                break;
            }
            let mut pairs: Vec<(u32, usize, usize)> = Vec::new();
            for a in &old {
                for b in &new {
                    let (x, y) = (&before.nodes[*a], &after.nodes[*b]);
                    if x.kind != y.kind {
                        continue;
                    }
                    let mut points = 0;
                    if x.title() == y.title() {
                        // A title of its own says more than that of the kind.
                        points += if x.title.is_empty() { 1 } else { 5 };
                    }
                    points += if old_settings[*a] == new_settings[*b] { 4 } else { 0 };
                    points += if x.kind == "trigger" { 4 } else { 0 };
                    let is_pair = |a: usize, b: usize| out.later(&before.nodes[a].id) == Some(&after.nodes[b].id);
                    let into = old_index.into(*a).iter().filter(|(from, port)| {
                        new_index
                            .into(*b)
                            .iter()
                            .any(|(other, other_port)| port == other_port && is_pair(*from, *other))
                    });
                    let on = old_index.out(*a).iter().filter(|(port, to)| {
                        new_index.out(*b).iter().any(|(other_port, other)| port == other_port && is_pair(*to, *other))
                    });
                    points += 3 * (into.count() + on.count()) as u32;
                    if points >= LEAST_POINTS {
                        pairs.push((points, *a, *b));
                    }
                }
            }
            // The surest first; of equals those that stand first.
            pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            let Some(best) = pairs.first().map(|pair| pair.0) else { break };
            for (points, a, b) in pairs {
                let (a, b) = (&before.nodes[a].id, &after.nodes[b].id);
                // What is less sure waits: a neighbour may decide it.
                if points == best && out.later(a).is_none() && out.earlier(b).is_none() {
                    out.pair(a, b);
                }
            }
        }
        out
    }

    fn pair(&mut self, before: &NodeId, after: &NodeId) {
        self.later.insert(before.clone(), after.clone());
        self.earlier.insert(after.clone(), before.clone());
    }

    /// What a step of the earlier version is in the later one.
    pub fn later(&self, id: &NodeId) -> Option<&NodeId> {
        self.later.get(id)
    }

    /// What a step of the later version was in the earlier one.
    pub fn earlier(&self, id: &NodeId) -> Option<&NodeId> {
        self.earlier.get(id)
    }
}
