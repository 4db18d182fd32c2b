//! Least and latest times over a flow: how soon a journey can be at a step, and how much must lie between two.
//!
//! All are bounds for checks, never for scheduling: a journey is never faster than `earliest` and, as long as nothing
//! defers it, never slower than `latest`.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    flow::{Index, Node},
    kinds::{
        Settings,
        logic::{
            delay::{Anchor, Wait},
            wait_for_event,
        },
    },
};

pub(super) const MINUTE_MILLIS: i64 = 60_000;
pub(super) const HOUR_MILLIS: i64 = 60 * MINUTE_MILLIS;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;
/// Calendar days can be an hour longer than 24 h (25 h), months up to 31 days.
const CLOCK_CHANGE_MILLIS: i64 = 2 * HOUR_MILLIS;

/// The bounds of a flow.
pub(super) struct Times {
    /// Least milliseconds from the entry to the arrival; `None` where the trigger does not reach.
    pub earliest: Vec<Option<i64>>,
    /// The step before on the quickest way.
    pub quickest_from: Vec<Option<usize>>,
    /// Most milliseconds from the entry to the arrival; `None` where there is no bound (loops, dates).
    latest: Vec<Option<i64>>,
}

impl Times {
    pub fn new(index: &Index<'_>, reachable: &[bool]) -> Self {
        let nodes = &index.flow().nodes;
        let mut times = Self {
            earliest: vec![None; nodes.len()],
            quickest_from: vec![None; nodes.len()],
            latest: latest(index, reachable),
        };
        let Some(start) = nodes.iter().position(|node| node.kind == "trigger") else { return times };
        let mut heap = BinaryHeap::from([Reverse((0_i64, start, start))]);
        while let Some(Reverse((at, idx, from))) = heap.pop() {
            if times.earliest[idx].is_some() {
                continue;
            }
            times.earliest[idx] = Some(at);
            times.quickest_from[idx] = (from != idx).then_some(from);
            for (port, to) in index.out(idx) {
                if times.earliest[*to].is_none() {
                    let left = match entry_delay(&nodes[idx]) {
                        Some(span) => at.max(span),
                        None => at.saturating_add(own_wait(&nodes[idx], port)),
                    };
                    heap.push(Reverse((left, *to, idx)));
                }
            }
        }
        times
    }

    /// The least time between arriving at a step and leaving it by a port, wherever the journey came from.
    pub fn least_wait(&self, index: &Index<'_>, idx: usize, port: &str) -> i64 {
        let node = &index.flow().nodes[idx];
        match (entry_delay(node), self.latest[idx]) {
            (Some(span), Some(latest)) => (span - latest).max(0),
            (Some(_), None) => 0,
            (None, _) => own_wait(node, port),
        }
    }

    /// Least times to arrive at each step, from steps left at the given times; `passes` may close ports and `stops`
    /// ends a way at a step. Times from `bound` on are not followed.
    pub fn arrivals(
        &self,
        index: &Index<'_>,
        left: &[(usize, i64)],
        bound: i64,
        stops: impl Fn(usize) -> bool,
        passes: impl Fn(usize, &str) -> bool,
    ) -> Vec<Option<i64>> {
        let mut best: Vec<Option<i64>> = vec![None; index.flow().nodes.len()];
        let mut heap = BinaryHeap::new();
        let follow = |heap: &mut BinaryHeap<Reverse<(i64, usize)>>, idx: usize, at: i64| {
            for (port, to) in index.out(idx) {
                let arrival = at.saturating_add(self.least_wait(index, idx, port));
                if arrival < bound && passes(idx, port) {
                    heap.push(Reverse((arrival, *to)));
                }
            }
        };
        for (idx, at) in left {
            follow(&mut heap, *idx, *at);
        }
        while let Some(Reverse((at, idx))) = heap.pop() {
            if best[idx].is_some() {
                continue;
            }
            best[idx] = Some(at);
            if !stops(idx) {
                follow(&mut heap, idx, at);
            }
        }
        best
    }

    /// For each step the least time from the arrival there to the next step for which `aims` holds, itself included.
    pub fn until_next(&self, index: &Index<'_>, aims: impl Fn(usize) -> bool) -> Vec<Option<i64>> {
        let num_nodes = index.flow().nodes.len();
        let mut best: Vec<Option<i64>> = vec![None; num_nodes];
        let mut heap: BinaryHeap<Reverse<(i64, usize)>> =
            (0..num_nodes).filter(|idx| aims(*idx)).map(|idx| Reverse((0, idx))).collect();
        while let Some(Reverse((span, idx))) = heap.pop() {
            if best[idx].is_some() {
                continue;
            }
            best[idx] = Some(span);
            for (from, port) in index.into(idx) {
                if best[*from].is_none() {
                    heap.push(Reverse((span.saturating_add(self.least_wait(index, *from, port)), *from)));
                }
            }
        }
        best
    }
}

/// The least span of a delay that counts from the entry.
fn entry_delay(node: &Node) -> Option<i64> {
    match node.settings() {
        Some(Settings::Delay(delay)) if !node.muted => match &delay.wait {
            Wait::For(span) if delay.after == Anchor::Entry => Some(span.least_millis().max(0)),
            _ => None,
        },
        _ => None,
    }
}

/// The least time a step takes by itself, by port.
pub(super) fn own_wait(node: &Node, port: &str) -> i64 {
    match node.settings() {
        _ if node.muted => 0,
        Some(Settings::Delay(delay)) => delay.least_millis(),
        Some(Settings::WaitForEvent(wait)) if port == wait_for_event::TIMED_OUT => wait.timeout.least_millis().max(0),
        _ => 0,
    }
}

/// The most time a step takes; `None` where there is no bound. The second: it counts from the entry.
fn most_wait(node: &Node) -> (Option<i64>, bool) {
    let most = |span: crate::base::Span| {
        let clock = if span.is_exact() { 0 } else { CLOCK_CHANGE_MILLIS + i64::from(span.months) * DAY_MILLIS };
        span.about_millis().max(0) + clock
    };
    match node.settings() {
        _ if node.muted => (Some(0), false),
        Some(Settings::Delay(delay)) => {
            let week = |all: bool| if all { DAY_MILLIS } else { 7 * DAY_MILLIS } + CLOCK_CHANGE_MILLIS;
            let window = delay.window.map_or(0, |w| week(w.weekdays == crate::base::Weekdays::ALL));
            match &delay.wait {
                Wait::For(span) => (Some(most(*span) + window), delay.after == Anchor::Entry && window == 0),
                Wait::Until { weekdays, .. } => (Some(week(*weekdays == crate::base::Weekdays::ALL) + window), false),
                Wait::Date { .. } => (None, false),
            }
        }
        Some(Settings::WaitForEvent(wait)) => (Some(most(wait.timeout)), false),
        Some(Settings::Webhook(webhook)) => (Some(most(webhook.timeout)), false),
        _ => (Some(0), false),
    }
}

fn latest(index: &Index<'_>, reachable: &[bool]) -> Vec<Option<i64>> {
    let nodes = &index.flow().nodes;
    let mut latest: Vec<Option<i64>> = vec![None; nodes.len()];
    let mut open: Vec<usize> =
        (0..nodes.len()).map(|idx| index.into(idx).iter().filter(|(from, _)| reachable[*from]).count()).collect();
    let mut unbounded = vec![false; nodes.len()];
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|idx| reachable[*idx] && open[*idx] == 0).collect();
    for idx in &ready {
        latest[*idx] = Some(0);
    }
    // Steps in a loop or behind one never get ready and keep no bound.
    while let Some(idx) = ready.pop() {
        let left = match (latest[idx].filter(|_| !unbounded[idx]), most_wait(&nodes[idx])) {
            (Some(at), (Some(most), true)) => Some(at.max(most)),
            (Some(at), (Some(most), false)) => Some(at.saturating_add(most)),
            _ => None,
        };
        for (_, to) in index.out(idx) {
            match left {
                Some(left) => latest[*to] = latest[*to].max(Some(left)),
                None => unbounded[*to] = true,
            }
            open[*to] -= 1;
            if open[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    (0..nodes.len()).map(|idx| latest[idx].filter(|_| open[idx] == 0 && !unbounded[idx])).collect()
}
