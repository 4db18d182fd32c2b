//! Which step of one version is which of the other.
//!
//! By id first, where the kind is the same: ids are never reused. The rest, as in a flow that was imported anew or
//! copied, by what they look like where only one step on either side looks so, with what stands around them; then
//! outwards from what is paired, the surest first; then in the order of the files. No step is weighed against all
//! others: the work grows with the steps and edges, and a step with thousands of ways in costs no more than those.

mod colours;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
};

use self::colours::{ALONE, Colours, WHOLE};
use crate::{
    base::NodeId,
    flow::{Flow, Index},
};

/// Pairs of steps. Both ways, so that either side can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matching {
    later: BTreeMap<NodeId, NodeId>,
    earlier: BTreeMap<NodeId, NodeId>,
}

/// Points for a neighbour that is paired, by the same port.
const NEAR: u32 = 3;
/// Points for the same settings.
const SETTINGS: u32 = 4;
/// Points for a title of its own, and for that of the kind, which says less.
const TITLE: u32 = 5;
const KIND_TITLE: u32 = 1;
/// Least points of a pair: a title, or the same settings, or a neighbour and the kind's title.
const LEAST: u32 = 4;
/// Least points of a pair that is taken before what merely looks alike somewhere else: two neighbours, or one and the
/// same settings or title.
const SURE: u32 = 6;
/// Ways in by one port that are weighed each against each, as a product; more are compared by what they look like.
const MOST_EACH: usize = 1_024;
/// It is asked whether to go on each time so many are paired.
const PAIRS_PER_LOOK: usize = 64;

impl Matching {
    /// Pairs the steps of two versions; `None` where `keeps_on` says so. It is told how much is done, 0..=1.
    pub fn new(before: &Flow, after: &Flow, keeps_on: &mut dyn FnMut(f32) -> bool) -> Option<Self> {
        let mut search = Search::new(before, after, keeps_on);
        search.all();
        if search.is_stopped {
            return None;
        }
        let mut out = Self::default();
        for (node, partner) in before.nodes.iter().zip(&search.partners[0]) {
            if let Some(other) = partner.and_then(|at| after.nodes.get(at)) {
                out.later.insert(node.id.clone(), other.id.clone());
                out.earlier.insert(other.id.clone(), node.id.clone());
            }
        }
        Some(out)
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

/// A pair that is thought of: its points, up to which round both look the same, and the two, those that stand first
/// first.
type Thought = (u32, usize, Reverse<usize>, Reverse<usize>);

struct Search<'a> {
    flows: [&'a Flow; 2],
    indexes: [Index<'a>; 2],
    colours: [Colours; 2],
    partners: [Vec<Option<usize>>; 2],
    /// How many neighbours of two steps are paired with each other.
    near: HashMap<(usize, usize), u32>,
    thoughts: BinaryHeap<Thought>,
    num_pairs: usize,
    keeps_on: &'a mut dyn FnMut(f32) -> bool,
    is_stopped: bool,
}

impl<'a> Search<'a> {
    fn new(before: &'a Flow, after: &'a Flow, keeps_on: &'a mut dyn FnMut(f32) -> bool) -> Self {
        let flows = [before, after];
        let indexes = flows.map(Flow::index);
        let is_stopped = !keeps_on(0.0);
        let colours = if is_stopped { Default::default() } else { Colours::new(flows, &indexes) };
        let partners = flows.map(|flow| vec![None; flow.nodes.len()]);
        let (near, thoughts) = (HashMap::new(), BinaryHeap::new());
        Self { flows, indexes, colours, partners, near, thoughts, num_pairs: 0, keeps_on, is_stopped }
    }

    /// All that can be paired, the surest first.
    fn all(&mut self) {
        if self.is_stopped {
            return;
        }
        for (a, node) in self.flows[0].nodes.iter().enumerate() {
            if let Some(b) = self.indexes[1].idx(&node.id)
                && self.flows[1].nodes[b].kind == node.kind
                && self.is_free(a, b)
            {
                self.pair(a, b);
            }
        }
        let last = self.colours[0].last();
        for round in (WHOLE + 1..=last).rev() {
            self.only(|search, n, at| Some(search.colours[n].rounds[round][at]));
        }
        // A flow has one trigger as a rule.
        self.only(|search, n, at| (search.flows[n].nodes[at].kind == "trigger").then_some(0));
        for round in [WHOLE, ALONE] {
            self.only(|search, n, at| search.has_title(n, at).then(|| search.colours[n].rounds[round][at]));
        }
        self.outwards(SURE);
        for round in (ALONE..=last).rev() {
            self.in_order(SURE, |search, n, at| Some(search.colours[n].rounds[round][at]));
        }
        let titles = |search: &Self, n: usize, at: usize| {
            let node = &search.flows[n].nodes[at];
            search.has_title(n, at).then(|| (node.kind.clone(), search.colours[n].titles[at]))
        };
        self.only(titles);
        self.outwards(SURE);
        self.in_order(SURE, titles);
        self.outwards(LEAST);
        let settings = |search: &Self, n: usize, at: usize| Some(search.colours[n].settings[at]);
        self.only(settings);
        self.outwards(LEAST);
        self.in_order(LEAST, settings);
        self.in_order(LEAST, |search, n, at| (search.flows[n].nodes[at].kind == "trigger").then_some(0));
    }

    fn has_title(&self, n: usize, at: usize) -> bool {
        !self.flows[n].nodes[at].title.is_empty()
    }

    fn is_free(&self, a: usize, b: usize) -> bool {
        self.partners[0][a].is_none() && self.partners[1][b].is_none()
    }

    /// What is not paired and has a key, by key, on both sides.
    fn buckets<K: std::hash::Hash + Eq>(
        &self,
        key: impl Fn(&Self, usize, usize) -> Option<K>,
    ) -> HashMap<K, [Vec<usize>; 2]> {
        let mut out: HashMap<K, [Vec<usize>; 2]> = HashMap::new();
        for n in [0, 1] {
            for at in (0..self.partners[n].len()).filter(|at| self.partners[n][*at].is_none()) {
                if let Some(key) = key(self, n, at) {
                    out.entry(key).or_default()[n].push(at);
                }
            }
        }
        out
    }

    /// Pairs those of a key where there is only one of it on either side.
    fn only<K: std::hash::Hash + Eq>(&mut self, key: impl Fn(&Self, usize, usize) -> Option<K>) {
        let buckets = self.buckets(key).into_values();
        let mut pairs: Vec<(usize, usize)> = buckets
            .filter_map(|[olds, news]| match (&olds[..], &news[..]) {
                ([a], [b]) => Some((*a, *b)),
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        for (a, b) in pairs {
            self.pair(a, b);
        }
    }

    /// Pairs those of a key as they stand in the files, and after each what it makes sure.
    fn in_order<K: std::hash::Hash + Eq>(&mut self, least: u32, key: impl Fn(&Self, usize, usize) -> Option<K>) {
        let mut buckets: Vec<[Vec<usize>; 2]> = self.buckets(key).into_values().collect();
        buckets.retain(|[olds, news]| !olds.is_empty() && !news.is_empty());
        buckets.sort_unstable();
        for [olds, news] in buckets {
            let mut news = news.into_iter();
            for a in olds {
                if self.is_stopped {
                    return;
                }
                if self.partners[0][a].is_some() {
                    continue;
                }
                let Some(b) = news.find(|b| self.partners[1][*b].is_none()) else { break };
                self.pair(a, b);
                self.outwards(least);
            }
        }
    }

    /// Pairs what stands beside pairs, the best first, down to so many points.
    fn outwards(&mut self, least: u32) {
        while !self.is_stopped
            && let Some((points, _, Reverse(a), Reverse(b))) = self.thoughts.peek().copied()
            && points >= least
        {
            self.thoughts.pop();
            if self.is_free(a, b) {
                self.pair(a, b);
            }
        }
    }

    fn pair(&mut self, a: usize, b: usize) {
        self.partners[0][a] = Some(b);
        self.partners[1][b] = Some(a);
        self.num_pairs += 1;
        if self.num_pairs.is_multiple_of(PAIRS_PER_LOOK) {
            let all = self.partners[0].len().min(self.partners[1].len()).max(1);
            self.is_stopped |= !(self.keeps_on)(self.num_pairs as f32 / all as f32);
        }
        let other: BTreeMap<&str, usize> =
            self.indexes[1].out(b).iter().map(|(port, to)| (port.as_str(), *to)).collect();
        let on: Vec<(usize, usize)> =
            self.indexes[0].out(a).iter().filter_map(|(port, to)| Some((*to, *other.get(port.as_str())?))).collect();
        for (a, b) in on {
            self.think_of(a, b);
        }
        for (a, b) in self.ways_in(a, b) {
            self.think_of(a, b);
        }
    }

    /// Which steps that lead to two steps may be the same.
    fn ways_in(&self, a: usize, b: usize) -> Vec<(usize, usize)> {
        let mut by_port: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
        for (n, at) in [a, b].into_iter().enumerate() {
            let index = &self.indexes[n];
            for (from, port) in index.into(at).iter().filter(|(from, _)| self.partners[n][*from].is_none()) {
                by_port.entry(port.as_str()).or_default()[n].push(*from);
            }
        }
        let mut out = Vec::new();
        for [olds, news] in by_port.into_values() {
            if olds.len().saturating_mul(news.len()) <= MOST_EACH {
                out.extend(olds.iter().flat_map(|a| news.iter().map(|b| (*a, *b))));
                continue;
            }
            for round in [self.colours[0].last(), ALONE] {
                let mut buckets: BTreeMap<u32, [Vec<usize>; 2]> = BTreeMap::new();
                for (n, all) in [&olds, &news].into_iter().enumerate() {
                    for at in all {
                        buckets.entry(self.colours[n].rounds[round][*at]).or_default()[n].push(*at);
                    }
                }
                out.extend(buckets.into_values().flat_map(|[olds, news]| olds.into_iter().zip(news)));
            }
        }
        out
    }

    /// A neighbour of two steps was paired.
    fn think_of(&mut self, a: usize, b: usize) {
        let (x, y) = (&self.flows[0].nodes[a], &self.flows[1].nodes[b]);
        if !self.is_free(a, b) || x.kind != y.kind {
            return;
        }
        let near = self.near.entry((a, b)).or_default();
        *near += 1;
        let [old, new] = &self.colours;
        let title = if old.titles[a] != new.titles[b] {
            0
        } else if x.title.is_empty() {
            KIND_TITLE
        } else {
            TITLE
        };
        let settings = if old.settings[a] == new.settings[b] { SETTINGS } else { 0 };
        let points = title + settings + NEAR.saturating_mul(*near);
        // The same in one round is the same in those before.
        let (mut same, mut other) = (0, old.rounds.len());
        while same < other {
            let round = same.midpoint(other);
            if old.rounds[round][a] == new.rounds[round][b] { same = round + 1 } else { other = round }
        }
        self.thoughts.push((points, same, Reverse(a), Reverse(b)));
    }
}
