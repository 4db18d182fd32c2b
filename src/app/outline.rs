//! All steps as a tree in reading order: a full substitute for the picture, for the keyboard and for screen readers.
//!
//! The one idea: a chain is read downwards at one depth, only a step with several ways out goes a level deeper. What
//! joins again is shown once and referred to as "→ Title" from then on. Steps that the trigger does not reach follow.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::card;
use crate::{
    base::{NodeId, Severity},
    flow::{Flow, Node},
};

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A step, at the place where it is read first.
    Step,
    /// A step that stands elsewhere in the tree: "→ Title".
    Again,
    /// A way out of a branching step that leads nowhere.
    OpenPort,
}

/// One row.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What it is.
    pub what: What,
    /// The step; of an open port the one that it leaves.
    pub id: NodeId,
    /// Level, from 0.
    pub depth: usize,
    /// Name of the icon in `assets/icons`.
    pub icon: &'static str,
    /// By which way out of a branching step it is reached; empty in a chain.
    pub port: String,
    /// What people read; with an arrow before it where the step stands elsewhere.
    pub title: String,
    /// The line below the title.
    pub summary: String,
    /// The worst finding at it.
    pub severity: Option<Severity>,
    /// Passed through at once.
    pub muted: bool,
    /// Whether the trigger leads to it.
    pub reached: bool,
}

/// The rows of a flow. `marks` are the worst findings of the steps.
pub fn outline(flow: &Flow, marks: &BTreeMap<NodeId, Severity>) -> Vec<Row> {
    let index = flow.index();
    let mut rows = Vec::with_capacity(flow.nodes.len());
    let mut seen = vec![false; flow.nodes.len()];
    let mut roots: Vec<(usize, bool)> = Vec::new();
    if let Some(trigger) = flow.trigger() {
        roots.extend(index.idx(&trigger.id).map(|n| (n, true)));
    }
    // Beginnings of loose parts first, so that a part is read from its top; then loops.
    let loose = (0..flow.nodes.len()).filter(|n| crate::flow::Index::into(&index, *n).is_empty());
    roots.extend(loose.chain(0..flow.nodes.len()).map(|n| (n, false)));
    for (root, reached) in roots {
        if seen[root] {
            continue;
        }
        // Rows still to come, the next one last.
        let mut open = vec![(Some(root), root, 0_usize, String::new())];
        while let Some((at, from, depth, port)) = open.pop() {
            let Some(at) = at else {
                rows.push(row(&flow.nodes[from], What::OpenPort, depth, port, marks, reached));
                continue;
            };
            let node = &flow.nodes[at];
            if std::mem::replace(&mut seen[at], true) {
                rows.push(row(node, What::Again, depth, port, marks, reached));
                continue;
            }
            rows.push(row(node, What::Step, depth, port, marks, reached));
            let ports = node.ports();
            let target = |name: &SmolStr| index.out(at).iter().find(|(port, _)| *port == name).map(|(_, to)| *to);
            match ports.as_slice() {
                [only] => open.extend(target(&only.name).map(|to| (Some(to), at, depth, String::new()))),
                several => {
                    let ways = several.iter().rev();
                    open.extend(ways.map(|port| (target(&port.name), at, depth + 1, port.title.clone())));
                }
            }
        }
    }
    rows
}

fn row(node: &Node, what: What, depth: usize, port: String, marks: &BTreeMap<NodeId, Severity>, reached: bool) -> Row {
    let title = match what {
        What::Step => node.title().to_owned(),
        What::Again => format!("\u{2192} {}", node.title()),
        What::OpenPort => "Ends here".to_owned(),
    };
    let is_step = what == What::Step;
    Row {
        what,
        id: node.id.clone(),
        depth,
        icon: card::spec(&node.kind).map_or("circle-help", |spec| spec.icon),
        port,
        title,
        summary: String::new(),
        severity: if is_step { marks.get(&node.id).copied() } else { None },
        muted: is_step && node.muted,
        reached,
    }
}

/// The same with the line below each title; apart, since it looks into messages and conditions.
pub fn with_summaries(flow: &Flow, mut rows: Vec<Row>) -> Vec<Row> {
    let by_id: BTreeMap<&NodeId, &Node> = flow.nodes.iter().map(|node| (&node.id, &**node)).collect();
    for row in rows.iter_mut().filter(|row| row.what == What::Step) {
        row.summary = by_id.get(&row.id).map(|node| card::summary(flow, node)).unwrap_or_default();
    }
    rows
}

/// A step on the way from the trigger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crumb {
    /// The step.
    pub id: NodeId,
    /// What people read.
    pub title: String,
    /// The way out by which the journey goes on to the next crumb, if the step has several; else empty.
    pub port: String,
}

/// The shortest way from the trigger to a step, both included. Of a step that it does not reach: the way down from the
/// highest step above it.
pub fn breadcrumbs(flow: &Flow, id: &NodeId) -> Vec<Crumb> {
    let index = flow.index();
    let Some(end) = index.idx(id) else { return Vec::new() };
    // Breadth first against the edges, so that the first way found is the shortest.
    let mut next: Vec<Option<(usize, SmolStr)>> = vec![None; flow.nodes.len()];
    let mut seen: BTreeSet<usize> = [end].into();
    let mut line = vec![end];
    let mut at = 0;
    while let Some(here) = line.get(at).copied() {
        if flow.nodes[here].kind == "trigger" {
            break;
        }
        for (from, port) in crate::flow::Index::into(&index, here) {
            if seen.insert(*from) {
                next[*from] = Some((here, (*port).clone()));
                line.push(*from);
            }
        }
        at += 1;
    }
    let trigger = line.get(at).copied();
    let top = trigger.or_else(|| line.iter().copied().find(|n| crate::flow::Index::into(&index, *n).is_empty()));
    let mut crumbs = Vec::new();
    let mut here = top.unwrap_or(end);
    loop {
        let node = &flow.nodes[here];
        let onward = next[here].clone();
        let ports = node.ports();
        let port = onward
            .as_ref()
            .filter(|_| ports.len() > 1)
            .and_then(|(_, name)| ports.iter().find(|port| port.name == *name).map(|port| port.title.clone()));
        crumbs.push(Crumb { id: node.id.clone(), title: node.title().to_owned(), port: port.unwrap_or_default() });
        match onward {
            Some((to, _)) if crumbs.len() <= flow.nodes.len() => here = to,
            _ => return crumbs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flow::file, testing::flow_gen};

    const FLOW: &str = r#"(version: 2, id: "f", name: "F", nodes: [
        (id: "lost", kind: "goal"), (id: "note", kind: "note"),
        (id: "t", kind: "trigger", settings: (any: [])),
        (id: "c", kind: "condition", settings: (condition: "true")),
        (id: "a", kind: "goal", title: "A", muted: true), (id: "b", kind: "goal", title: "B"),
        (id: "j", kind: "exit", title: "Join"),
        (id: "q", kind: "cap", settings: (limit: none)),
    ], edges: [(from: "t", to: "c"), (from: "c", port: "yes", to: "a"), (from: "c", port: "no", to: "b"),
        (from: "a", to: "j"), (from: "b", to: "q"), (from: "q", port: "capped", to: "j"), (from: "lost", to: "j")])"#;

    fn flow() -> Flow {
        file::read(FLOW).unwrap_or_else(|d| panic!("{}", d.message)).flow
    }

    #[test]
    fn steps_are_read_in_the_order_of_the_ports() {
        let flow = flow();
        let rows = with_summaries(&flow, outline(&flow, &[("a".into(), Severity::Error)].into()));
        let shown: Vec<String> = rows
            .iter()
            .map(|row| {
                let port = if row.port.is_empty() { String::new() } else { format!("{}: ", row.port) };
                format!("{}{port}{}", "  ".repeat(row.depth), row.title)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Trigger",
                "Condition",
                "  Yes: A",
                "  Join",
                "  No: B",
                "  Cap",
                "    Under: Ends here",
                "    Capped: \u{2192} Join",
                "Goal",
                "\u{2192} Join",
                "Note",
            ]
        );
        assert_eq!((rows[2].severity, rows[2].muted, rows[2].icon), (Some(Severity::Error), true, "target"));
        assert_eq!(rows[1].summary, "always");
        assert!(rows[7].reached && !rows[8].reached && !rows[10].reached);
    }

    #[test]
    fn crumbs_lead_from_the_trigger() {
        let check = |id: &str, expected: &str| {
            let crumbs = breadcrumbs(&flow(), &id.into());
            let shown: Vec<String> = crumbs
                .iter()
                .map(|c| if c.port.is_empty() { c.id.to_string() } else { format!("{} ({})", c.id, c.port) })
                .collect();
            assert_eq!(shown.join(" > "), expected);
        };
        check("j", "t > c (Yes) > a > j");
        check("q", "t > c (No) > b > q");
        check("t", "t");
        check("lost", "lost");
        check("nobody", "");
    }

    /// Made-up flows: every step is there once, crumbs end at the step and follow edges.
    #[test]
    fn every_step_is_there_once() {
        for seed in 0..150 {
            let flow = flow_gen::flow(seed, 20);
            let rows = outline(&flow, &BTreeMap::new());
            let mut steps: Vec<&NodeId> = rows.iter().filter(|r| r.what == What::Step).map(|r| &r.id).collect();
            steps.sort();
            let mut ids: Vec<&NodeId> = flow.nodes.iter().map(|n| &n.id).collect();
            ids.sort();
            assert_eq!(steps, ids, "seed {seed}");
            for node in &flow.nodes {
                let crumbs = breadcrumbs(&flow, &node.id);
                assert_eq!(crumbs.last().map(|c| &c.id), Some(&node.id), "seed {seed}");
                for pair in crumbs.windows(2) {
                    assert!(flow.edges.iter().any(|e| e.from == pair[0].id && e.to == pair[1].id), "seed {seed}");
                }
            }
        }
    }
}
