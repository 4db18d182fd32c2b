//! A flow made ready for writing down elsewhere: only steps that a platform could hold, in an order without loops.
//!
//! Muted steps and notes are left out, exits are ends, goals are passed through (and named), edges that would close a
//! loop are cut (and named). Steps stand in topological order, so that every step comes after all that lead to it.

use smol_str::SmolStr;

use crate::{
    base::{NodeId, Span},
    flow::{Flow, FlowSettings, Index, Node},
    kinds::{Anchor, Delay, Settings, Wait},
};

/// A step with its ways out, in the order of its ports. `None` ends the journey.
pub(super) struct Step<'a> {
    pub node: &'a Node,
    pub settings: &'a Settings,
    pub next: Vec<(SmolStr, Option<usize>)>,
}

impl Step<'_> {
    /// Where a port leads.
    pub fn to(&self, port: &str) -> Option<usize> {
        self.next.iter().find(|(name, _)| name == port).and_then(|(_, to)| *to)
    }
}

/// The flow.
pub(super) struct Plan<'a> {
    pub flow: &'a Flow,
    pub settings: FlowSettings,
    /// In topological order.
    pub steps: Vec<Step<'a>>,
    pub first: Option<usize>,
    /// Goal nodes that were passed through.
    pub goals: Vec<&'a Node>,
    /// Edges that would have closed a loop: from, port, to.
    pub cut: Vec<(NodeId, SmolStr, NodeId)>,
    /// The step at which all ways from a step meet again; `None` if only at the end.
    meets: Vec<Option<usize>>,
}

/// How long a contact has been inside on arrival at a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Elapsed {
    /// So long; at least so long where not exact.
    pub span: Span,
    /// Whether it is the same for everybody.
    pub exact: bool,
}

impl Elapsed {
    pub const START: Self = Self { span: Span::ZERO, exact: true };

    /// What is known where two ways meet.
    pub fn merge(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        let least = if self.span.about_millis() <= other.span.about_millis() { self.span } else { other.span };
        Self { span: least, exact: false }
    }

    pub fn plus(self, span: Span) -> Self {
        let s = self.span;
        Self {
            span: Span {
                months: s.months.saturating_add(span.months),
                days: s.days.saturating_add(span.days),
                millis: s.millis.saturating_add(span.millis),
            },
            exact: self.exact,
        }
    }

    pub fn vague(self) -> Self {
        Self { exact: false, ..self }
    }

    /// What is left until so long after the entry; nothing where that is past.
    pub fn until(self, target: Span) -> Span {
        if target.about_millis() <= self.span.about_millis() {
            return Span::ZERO;
        }
        self.negated_plus(target)
    }

    fn negated_plus(self, target: Span) -> Span {
        let s = self.span.negated();
        Span { months: target.months + s.months, days: target.days + s.days, millis: target.millis + s.millis }
    }

    /// On leaving a delay of a plain span: what to wait, and what is known then.
    pub fn after_delay(self, delay: &Delay, span: Span) -> (Span, Self) {
        match delay.after {
            Anchor::Previous => (span, self.plus(span)),
            Anchor::Entry => {
                let wait = self.until(span);
                let reached = if wait.is_zero() { self.span } else { span };
                (wait, Self { span: reached, exact: self.exact })
            }
        }
    }
}

impl<'a> Plan<'a> {
    pub fn new(flow: &'a Flow) -> Self {
        let index = flow.index();
        let mut plan = Self {
            flow,
            settings: flow.settings(),
            steps: Vec::new(),
            first: None,
            goals: Vec::new(),
            cut: Vec::new(),
            meets: Vec::new(),
        };
        let start = flow.nodes.iter().position(|node| node.kind == "trigger");
        let first = start.and_then(|at| edge(&index, at, crate::kinds::NEXT)).and_then(|to| plan.resolve(&index, to));
        let order = plan.order(&index, first);
        let mut place = vec![None; flow.nodes.len()];
        for (rank, idx) in order.iter().enumerate() {
            place[*idx] = Some(rank);
        }
        for (rank, idx) in order.iter().enumerate() {
            let node: &'a Node = &flow.nodes[*idx];
            let Some(settings) = node.settings() else { continue };
            let mut next = Vec::new();
            for port in node.ports() {
                let to =
                    edge(&index, *idx, &port.name).and_then(|to| plan.resolve(&index, to)).and_then(|to| place[to]);
                // Backwards in a topological order is only what closes a loop.
                next.push((port.name, to.filter(|to| *to > rank)));
            }
            plan.steps.push(Step { node, settings, next });
        }
        plan.first = first.and_then(|idx| place[idx]);
        plan.find_meets();
        plan
    }

    /// The step that an edge really leads to: past muted steps and goals; `None` at an exit or a loose end.
    fn resolve(&mut self, index: &Index<'a>, mut at: usize) -> Option<usize> {
        for _ in 0..=self.flow.nodes.len() {
            let node: &'a Node = &self.flow.nodes[at];
            let is_goal = matches!(node.settings(), Some(Settings::Goal(_)));
            if is_goal && !node.muted && !self.goals.iter().any(|goal| goal.id == node.id) {
                self.goals.push(node);
            }
            match node.settings()? {
                Settings::Exit(_) if !node.muted => return None,
                Settings::Note(_) | Settings::Trigger(_) => return None,
                _ if node.muted || is_goal => {
                    at = node.ports().iter().find_map(|port| edge(index, at, &port.name))?;
                }
                _ => return Some(at),
            }
        }
        None
    }

    /// Reachable steps in topological order; notes the edges that close loops.
    fn order(&mut self, index: &Index<'a>, first: Option<usize>) -> Vec<usize> {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            Not,
            Open,
            Done,
        }
        let mut seen = vec![Seen::Not; self.flow.nodes.len()];
        let mut done = Vec::new();
        let mut stack: Vec<(usize, Vec<(SmolStr, usize)>)> = Vec::new();
        let outs = |plan: &mut Self, at: usize| -> Vec<(SmolStr, usize)> {
            let ports = plan.flow.nodes[at].ports();
            // Taken from the end below, so that the first port is walked last and stands first.
            let outs = ports.into_iter().filter_map(|port| Some((edge(index, at, &port.name)?, port.name)));
            let outs: Vec<(usize, SmolStr)> = outs.collect();
            outs.into_iter().filter_map(|(to, port)| Some((port, plan.resolve(index, to)?))).collect()
        };
        if let Some(at) = first {
            seen[at] = Seen::Open;
            let next = outs(self, at);
            stack.push((at, next));
        }
        while let Some((at, rest)) = stack.last_mut() {
            let at = *at;
            let Some((port, to)) = rest.pop() else {
                seen[at] = Seen::Done;
                done.push(at);
                stack.pop();
                continue;
            };
            match seen[to] {
                Seen::Not => {
                    seen[to] = Seen::Open;
                    let next = outs(self, to);
                    stack.push((to, next));
                }
                Seen::Open => {
                    let (from, to) = (self.flow.nodes[at].id.clone(), self.flow.nodes[to].id.clone());
                    self.cut.push((from, port, to));
                }
                Seen::Done => {}
            }
        }
        done.reverse();
        done
    }

    fn find_meets(&mut self) {
        let count = self.steps.len();
        let mut meets: Vec<Option<usize>> = vec![None; count];
        let mut depth = vec![1_usize; count];
        for at in (0..count).rev() {
            let mut ends = self.steps[at].next.iter().map(|(_, to)| *to);
            let mut common = ends.next().flatten();
            for other in ends {
                let (mut a, mut b) = (common, other);
                while a != b {
                    let (da, db) = (a.map_or(0, |n| depth[n]), b.map_or(0, |n| depth[n]));
                    if da >= db {
                        a = a.and_then(|n| meets[n]);
                    } else {
                        b = b.and_then(|n| meets[n]);
                    }
                }
                common = a;
            }
            meets[at] = common;
            depth[at] = common.map_or(0, |n| depth[n]) + 1;
        }
        self.meets = meets;
    }

    /// The step at which all ways from a step meet again; `None` if only at the end.
    pub fn meets(&self, step: usize) -> Option<usize> {
        self.meets[step]
    }

    /// The same for a step that is at hand.
    pub fn meets_of(&self, step: &Step<'_>) -> Option<usize> {
        let at = self.steps.iter().position(|other| std::ptr::eq(other.node, step.node))?;
        self.meets[at]
    }

    /// About how long the longest way through the flow takes, in milliseconds.
    pub fn longest_millis(&self) -> i64 {
        const DAY: i64 = 24 * 3_600_000;
        let mut arrived = vec![0_i64; self.steps.len()];
        let mut longest = 0;
        for (at, step) in self.steps.iter().enumerate() {
            let here = arrived[at];
            let left = match step.settings {
                Settings::Delay(delay) => {
                    let waited = match &delay.wait {
                        Wait::For(span) if delay.after == Anchor::Entry => here.max(span.about_millis()),
                        Wait::For(span) => here.saturating_add(span.about_millis().max(0)),
                        Wait::Until { weekdays, .. } if weekdays.iter().count() == 7 => here.saturating_add(DAY),
                        Wait::Until { .. } => here.saturating_add(7 * DAY),
                        Wait::Date { .. } => here,
                    };
                    if delay.window.is_some() { waited.saturating_add(DAY) } else { waited }
                }
                Settings::WaitForEvent(wait) => here.saturating_add(wait.timeout.about_millis().max(0)),
                _ => here,
            };
            longest = longest.max(left);
            for to in step.next.iter().filter_map(|(_, to)| *to) {
                arrived[to] = arrived[to].max(left);
            }
        }
        longest
    }
}

fn edge(index: &Index<'_>, from: usize, port: &str) -> Option<usize> {
    index.out(from).iter().find(|(name, _)| *name == port).map(|(_, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Edge;
    use std::sync::Arc;

    /// Nodes as `id:kind`, edges as `from.port>to`.
    fn flow(nodes: &str, edges: &str) -> Flow {
        let mut flow = Flow::new("f", "F");
        for text in nodes.split_whitespace() {
            let (id, kind) = text.split_once(':').expect("id:kind");
            let (kind, muted) = kind.strip_suffix('!').map_or((kind, false), |k| (k, true));
            let spec = crate::kinds::CATALOGUE.iter().find(|s| s.name == kind).expect("a kind");
            let mut node = Node::new(id, kind, spec.example);
            node.muted = muted;
            flow.nodes.push(Arc::new(node));
        }
        for text in edges.split_whitespace() {
            let (from, to) = text.split_once('>').expect("from>to");
            let (from, port) = from.split_once('.').unwrap_or((from, "next"));
            flow.edges.push(Edge::new(from, port, to));
        }
        flow
    }

    fn show(plan: &Plan<'_>) -> String {
        let name = |to: Option<usize>| to.map_or("-", |n| plan.steps[n].node.id.as_str());
        let steps = plan.steps.iter().enumerate().map(|(n, step)| {
            let next: Vec<&str> = step.next.iter().map(|(_, to)| name(*to)).collect();
            format!("{}({})~{}", step.node.id, next.join(","), name(plan.meets(n)))
        });
        steps.collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(nodes: &str, edges: &str, expected: &str) {
        let flow = flow(nodes, edges);
        assert_eq!(show(&Plan::new(&flow)), expected);
    }

    #[test]
    fn muted_goals_and_exits() {
        check("t:trigger a:email b:delay! g:goal c:email x:exit", "t>a a>b b>g g>c c>x", "a(c)~c c(-)~-");
        check("t:trigger a:email! b:email!", "t>a a>b b>a", "");
    }

    #[test]
    fn joins_and_loops() {
        check(
            "t:trigger c:condition a:email b:email j:email",
            "t>c c.yes>a c.no>b a>j b>j",
            "c(a,b)~j a(j)~j b(j)~j j(-)~-",
        );
        check("t:trigger c:condition a:email j:email", "t>c c.yes>a c.no>j a>j", "c(a,j)~j a(j)~j j(-)~-");
        let looped = flow("t:trigger a:email d:delay", "t>a a>d d>a");
        let plan = Plan::new(&looped);
        assert_eq!(show(&plan), "a(d)~d d(-)~-");
        assert_eq!(plan.cut.len(), 1);
        assert_eq!(plan.cut[0].0.as_str(), "d");
    }

    #[test]
    fn entry_anchored_delays_become_differences() {
        let delay =
            |span: &str, after: Anchor| Delay { wait: Wait::For(span.parse().expect("span")), after, window: None };
        let check = |from: Elapsed, span: &str, after: Anchor, wait: Span, then: Span| {
            let got = from.after_delay(&delay(span, after), span.parse().expect("span"));
            assert_eq!((got.0, got.1.span), (wait, then), "{span}");
        };
        check(Elapsed::START, "4 h", Anchor::Entry, Span::hours(4), Span::hours(4));
        let four = Elapsed::START.plus(Span::hours(4));
        check(four, "12 h", Anchor::Entry, Span::hours(8), Span::hours(12));
        check(four, "12 h", Anchor::Previous, Span::hours(12), Span::hours(16));
        check(four, "2 h", Anchor::Entry, Span::ZERO, Span::hours(4));
        assert!(!four.merge(Elapsed::START).exact);
    }
}
