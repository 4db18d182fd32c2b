//! What a step looks like, alone and with more and more of what stands around it, as numbers that can be compared.
//!
//! The one idea: two steps have the same colour in a round where they and everything up to so many edges away look the
//! same. Colours are given to both versions at once, so equal numbers mean the same on both sides; they are numbered in
//! the order of the files, so the same two flows have the same colours each time.

use std::{collections::HashMap, hash::Hash};

use crate::flow::{Flow, Index, Node};

/// Rounds in which something stands around the steps. Source: assumption; each one looks an edge further, and what
/// differs only farther away is told apart by what was paired before.
const MOST_ROUNDS: usize = 24;

/// Round of a step alone: kind, title, settings.
pub(super) const ALONE: usize = 0;
/// Round of a step with everything that is said of it: also its remark, and whether it is switched off.
pub(super) const WHOLE: usize = 1;

/// Numbers things in the order in which they are seen.
struct Numbers<K>(HashMap<K, u32>);

impl<K: Eq + Hash> Numbers<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn of(&mut self, key: K) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(key).or_insert(next)
    }
}

/// Its settings as a text: equal where they mean the same; as written where they cannot be read.
fn settings(node: &Node) -> String {
    node.settings().map_or_else(|| node.settings.raw().to_owned(), |settings| super::super::json(settings).to_string())
}

/// The colours of the steps of one version.
#[derive(Debug, Default)]
pub(super) struct Colours {
    /// Per round, per step.
    pub rounds: Vec<Vec<u32>>,
    /// Per step: its settings.
    pub settings: Vec<u32>,
    /// Per step: its title.
    pub titles: Vec<u32>,
}

impl Colours {
    /// Of both versions.
    pub(super) fn new(flows: [&Flow; 2], indexes: &[Index<'_>; 2]) -> [Self; 2] {
        let mut out = [Self::default(), Self::default()];
        let (mut texts, mut titles) = (Numbers::new(), Numbers::new());
        let (mut alone, mut whole) = (Numbers::new(), Numbers::new());
        for (side, flow) in out.iter_mut().zip(flows) {
            side.settings = flow.nodes.iter().map(|node| texts.of((node.kind.clone(), settings(node)))).collect();
            side.titles = flow.nodes.iter().map(|node| titles.of(node.title().to_owned())).collect();
            let pairs = side.settings.iter().zip(&side.titles);
            let first: Vec<u32> = pairs.map(|(settings, title)| alone.of((*settings, *title))).collect();
            let all = flow.nodes.iter().zip(&first);
            let second = all.map(|(node, colour)| whole.of((*colour, node.muted, node.note.clone()))).collect();
            side.rounds = vec![first, second];
        }
        let mut ports = Numbers::new();
        // Per step: where its ways out lead, and where its ways in come from, with the number of the port.
        let ways = [0, 1].map(|n: usize| {
            let (all, index) = (0..flows[n].nodes.len(), &indexes[n]);
            let one = all.map(|at| {
                let on = index.out(at).iter().map(|(port, to)| (ports.of(port.as_str()), *to));
                let on: Vec<(u32, usize)> = on.collect();
                let into = index.into(at).iter().map(|(from, port)| (ports.of(port.as_str()), *from));
                (on, into.collect::<Vec<(u32, usize)>>())
            });
            one.collect::<Vec<_>>()
        });
        let mut num_colours = whole.0.len();
        for _ in 0..MOST_ROUNDS {
            let mut numbers = Numbers::new();
            for (side, ways) in out.iter_mut().zip(&ways) {
                let Some(last) = side.rounds.last() else { continue };
                let seen = |ways: &[(u32, usize)]| {
                    let mut seen: Vec<(u32, u32)> = ways.iter().map(|(port, at)| (*port, last[*at])).collect();
                    seen.sort_unstable();
                    seen
                };
                let next = ways.iter().zip(last);
                let next = next.map(|((on, into), colour)| numbers.of((*colour, seen(on), seen(into)))).collect();
                side.rounds.push(next);
            }
            // Nothing is told apart that was not before: looking further does not help.
            if numbers.0.len() == num_colours {
                break;
            }
            num_colours = numbers.0.len();
        }
        out
    }

    /// The last round.
    pub(super) fn last(&self) -> usize {
        self.rounds.len().saturating_sub(1)
    }
}
