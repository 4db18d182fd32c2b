//! Automatic layout of a flow or a part of it: chains are straight, branches symmetric in the order of their ports,
//! what joins again stands below the middle of what it joins, parts without edges between them stand side by side.
//!
//! The one idea: a flow is read as a program. The step through which every way to another step leads (its immediate
//! dominator) carries that other step, so the picture is a tree of boxes, and boxes do not overlap. General layered
//! layout (the crate `rust-sugiyama` was tried) orders a row by crossings alone: it may draw "no" on the left, bends
//! chains, and moves untouched parts when one step is added. Edges back to an earlier step and edges into another part
//! have no say. Deliberately not here: how edges are drawn.

use std::collections::BTreeSet;

use crate::{
    app::card::{CARD_SIZE, COLUMN_STEP, ROW_STEP},
    base::NodeId,
    flow::{Edit, Flow, Node},
    kinds::Settings,
};

/// Which way a flow runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flowing {
    /// From top to bottom.
    #[default]
    Down,
    /// From left to right.
    Right,
}

/// Edits that lay out the selected steps, or all where none is selected. What stands well is not moved: laying out
/// again gives no edits. The trigger stays where it is; of a selection its upper left corner does.
pub fn layout(flow: &Flow, selection: &BTreeSet<NodeId>, flowing: Flowing) -> Vec<Edit> {
    let in_scope = |node: &Node| selection.is_empty() || selection.contains(&node.id);
    let is_laid = |n: &usize| flow.nodes[*n].kind != "note" && in_scope(&flow.nodes[*n]);
    let members: Vec<usize> = (0..flow.nodes.len()).filter(is_laid).collect();
    let mut positions: Vec<(f32, f32)> = flow.nodes.iter().map(|node| node.pos).collect();
    if !members.is_empty() {
        let graph = Graph::new(flow, &members);
        let places = graph.places(if flowing == Flowing::Down { COLUMN_STEP } else { ROW_STEP });
        let placed: Vec<(usize, (f32, f32))> = places
            .into_iter()
            .map(|(n, across, row)| match flowing {
                Flowing::Down => (n, (across, row as f32 * ROW_STEP)),
                Flowing::Right => (n, (row as f32 * COLUMN_STEP, across)),
            })
            .collect();
        let by = if selection.is_empty() {
            let (first, at) = placed[0];
            let there = flow.nodes[first].pos;
            (there.0 - at.0, there.1 - at.1)
        } else {
            let old = corner(members.iter().map(|n| flow.nodes[*n].pos));
            let new = corner(placed.iter().map(|(_, at)| *at));
            (old.0 - new.0, old.1 - new.1)
        };
        for (n, at) in placed {
            positions[n] = (at.0 + by.0, at.1 + by.1);
        }
    }
    let mut edits = Vec::new();
    for (n, node) in flow.nodes.iter().enumerate() {
        if node.kind == "note" && in_scope(node) {
            follow(flow, node, &positions, &mut edits);
        } else if positions[n] != node.pos {
            edits.push(Edit::MoveNode { id: node.id.clone(), pos: positions[n] });
        }
    }
    edits
}

fn corner(positions: impl Iterator<Item = (f32, f32)>) -> (f32, f32) {
    positions.fold((f32::INFINITY, f32::INFINITY), |low, at| (low.0.min(at.0), low.1.min(at.1)))
}

/// Where a step stood and where it will stand.
type Step = ((f32, f32), (f32, f32));

/// A frame goes on holding what it holds, with the room around it that it had; a note goes with the nearest step.
fn follow(flow: &Flow, note: &Node, positions: &[(f32, f32)], edits: &mut Vec<Edit>) {
    let steps = || flow.nodes.iter().zip(positions).filter(|(node, _)| node.kind != "note");
    let size = match note.settings() {
        Some(Settings::Note(note)) => note.size,
        _ => None,
    };
    if let Some((width, height)) = size {
        let (half_width, half_height) = (width / 2.0, height / 2.0);
        let is_inside =
            |at: (f32, f32)| (at.0 - note.pos.0).abs() <= half_width && (at.1 - note.pos.1).abs() <= half_height;
        let inside: Vec<Step> =
            steps().filter(|(node, _)| is_inside(node.pos)).map(|(node, at)| (node.pos, *at)).collect();
        if !inside.is_empty() {
            if inside.iter().all(|(old, new)| old == new) {
                return;
            }
            let high = |of: fn(&Step) -> f32| inside.iter().map(of).fold(f32::MIN, f32::max);
            let low = |of: fn(&Step) -> f32| inside.iter().map(of).fold(f32::MAX, f32::min);
            let left = note.pos.0 - half_width + low(|p| p.1.0) - low(|p| p.0.0);
            let right = note.pos.0 + half_width + high(|p| p.1.0) - high(|p| p.0.0);
            let top = note.pos.1 - half_height + low(|p| p.1.1) - low(|p| p.0.1);
            let bottom = note.pos.1 + half_height + high(|p| p.1.1) - high(|p| p.0.1);
            let pos = ((left + right) / 2.0, (top + bottom) / 2.0);
            if pos != note.pos {
                edits.push(Edit::MoveNode { id: note.id.clone(), pos });
            }
            if (right - left, bottom - top) != (width, height) {
                let value = Some(format!("({}, {})", right - left, bottom - top));
                edits.push(Edit::SetField { id: note.id.clone(), field: "size".into(), value });
            }
            return;
        }
    }
    let distance = |node: &Node| {
        let (x, y) = (node.pos.0 - note.pos.0, node.pos.1 - note.pos.1);
        x * x + y * y
    };
    let reach = COLUMN_STEP * 2.0;
    let nearest = steps().filter(|(node, _)| distance(node) <= reach * reach);
    if let Some((node, at)) = nearest.min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))
        && node.pos != *at
    {
        let pos = (note.pos.0 + at.0 - node.pos.0, note.pos.1 + at.1 - node.pos.1);
        edits.push(Edit::MoveNode { id: note.id.clone(), pos });
    }
}

/// No step carries this one: it begins a part.
const NONE: usize = usize::MAX;

/// The steps to lay out, by their place in the list of members.
struct Graph {
    /// Place of each member in the flow.
    members: Vec<usize>,
    /// Targets in the order of the ports, without edges to itself.
    out: Vec<Vec<usize>>,
    /// Members in an order in which every edge that counts leads on, part by part.
    order: Vec<usize>,
    /// Where edges that count come from.
    from: Vec<Vec<usize>>,
    /// The step that carries each.
    carrier: Vec<usize>,
}

/// Room that a step takes with all it carries.
#[derive(Clone, Copy, Default)]
struct Extent {
    /// Canvas units to the left of its middle.
    left: f32,
    /// And to the right.
    right: f32,
    /// Rows, its own included.
    rows: usize,
}

/// Branches that stand side by side, and what joins them below.
struct Group {
    extent: Extent,
    /// Members with their places from the middle, and their rows below the carrier.
    placed: Vec<(usize, f32, usize)>,
    /// Joins of the last row below.
    last_row: Vec<usize>,
    /// First row of that.
    last_row_top: usize,
}

impl Graph {
    fn new(flow: &Flow, members: &[usize]) -> Self {
        let mut place = vec![NONE; flow.nodes.len()];
        for (n, member) in members.iter().enumerate() {
            place[*member] = n;
        }
        let index = flow.index();
        let mut out = vec![Vec::new(); members.len()];
        let mut num_into = vec![0_usize; members.len()];
        for (n, member) in members.iter().enumerate() {
            let ports = flow.nodes[*member].ports();
            let rank = |port: &str| ports.iter().position(|p| p.name == port).unwrap_or(ports.len());
            let mut edges: Vec<(usize, usize)> = index
                .out(*member)
                .iter()
                .map(|(port, to)| (rank(port), place[*to]))
                .filter(|(_, to)| *to != NONE && *to != n)
                .collect();
            edges.sort_by_key(|(rank, _)| *rank);
            out[n] = edges.into_iter().map(|(_, to)| to).collect();
            out[n].iter().for_each(|to| num_into[*to] += 1);
        }
        let mut graph = Self {
            members: members.to_vec(),
            order: Vec::with_capacity(members.len()),
            from: vec![Vec::new(); members.len()],
            carrier: vec![NONE; members.len()],
            out,
        };
        let trigger = (0..members.len()).filter(|n| flow.nodes[members[*n]].kind == "trigger");
        let begins = (0..members.len()).filter(|n| num_into[*n] == 0);
        let roots: Vec<usize> = trigger.chain(begins).chain(0..members.len()).collect();
        graph.order_from(&roots);
        graph.find_carriers();
        graph
    }

    /// Depth first from each beginning; edges back to an open step, and into an earlier part, do not count.
    fn order_from(&mut self, roots: &[usize]) {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            No,
            Open,
            Done(usize),
        }
        let mut seen = vec![Seen::No; self.out.len()];
        for (part, root) in roots.iter().enumerate() {
            if seen[*root] != Seen::No {
                continue;
            }
            let mut finished = Vec::new();
            let mut stack = vec![(*root, self.out[*root].len())];
            seen[*root] = Seen::Open;
            while let Some((at, left)) = stack.last_mut() {
                let at = *at;
                if *left == 0 {
                    seen[at] = Seen::Done(part);
                    finished.push(at);
                    stack.pop();
                    continue;
                }
                // From the last port to the first, so that the reversed order has the first port first.
                *left -= 1;
                let to = self.out[at][*left];
                match seen[to] {
                    Seen::No => {
                        self.from[to].push(at);
                        seen[to] = Seen::Open;
                        stack.push((to, self.out[to].len()));
                    }
                    Seen::Done(there) if there == part => self.from[to].push(at),
                    Seen::Open | Seen::Done(_) => {}
                }
            }
            finished.reverse();
            self.order.extend(finished);
        }
    }

    /// Source: Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm", 2001; without cycles one pass is enough.
    fn find_carriers(&mut self) {
        let mut depth = vec![0_usize; self.out.len()];
        for at in self.order.clone() {
            let mut carrier = NONE;
            for from in &self.from[at] {
                let (mut a, mut b) = (*from, carrier);
                if b == NONE {
                    carrier = a;
                    continue;
                }
                while a != b {
                    if depth[a] >= depth[b] { a = self.carrier[a] } else { b = self.carrier[b] }
                }
                carrier = a;
            }
            self.carrier[at] = carrier;
            depth[at] = if carrier == NONE { 0 } else { depth[carrier] + 1 };
        }
    }

    /// Every step with its place across the flow in canvas units, and its row. The first part begins at (0, 0).
    fn places(&self, step: f32) -> Vec<(usize, f32, usize)> {
        let mut carried: Vec<Vec<usize>> = vec![Vec::new(); self.out.len()];
        for at in &self.order {
            if self.carrier[*at] != NONE {
                carried[self.carrier[*at]].push(*at);
            }
        }
        let mut extents = vec![Extent::default(); self.out.len()];
        // Place from the carrier's middle, rows below it.
        let mut offsets = vec![(0.0_f32, 0_usize); self.out.len()];
        for at in self.order.iter().rev() {
            let groups = self.groups(*at, &carried[*at], &extents, step);
            let mut extent = Extent { left: step / 2.0, right: step / 2.0, rows: 1 };
            let all: Vec<Extent> = groups.iter().map(|group| group.extent).collect();
            for (group, middle) in groups.iter().zip(middles(&all)) {
                for (n, across, rows) in &group.placed {
                    offsets[*n] = (middle + across, *rows);
                }
                extent.left = extent.left.max(group.extent.left - middle);
                extent.right = extent.right.max(group.extent.right + middle);
                extent.rows = extent.rows.max(1 + group.extent.rows);
            }
            extents[*at] = extent;
        }
        let mut out: Vec<(f32, usize)> = vec![(0.0, 0); self.out.len()];
        let mut last: Option<(f32, f32)> = None;
        for at in &self.order {
            out[*at] = match self.carrier[*at] {
                NONE => {
                    let across = last.map_or(0.0, |(middle, right)| middle + even(right + extents[*at].left));
                    last = Some((across, extents[*at].right));
                    (across, 0)
                }
                carrier => (out[carrier].0 + offsets[*at].0, out[carrier].1 + offsets[*at].1),
            };
        }
        self.order.iter().map(|at| (self.members[*at], out[*at].0, out[*at].1)).collect()
    }

    /// The branches of a step, joined where they join again.
    fn groups(&self, at: usize, carried: &[usize], extents: &[Extent], step: f32) -> Vec<Group> {
        let num_ports_to = |to: usize| self.out[at].iter().filter(|n| **n == to).count();
        let is_branch = |to: usize| self.carrier[to] == at && self.from[to].len() == 1 && num_ports_to(to) == 1;
        let mut groups: Vec<Group> = Vec::new();
        // The group in which each carried step stands; lanes are empty branches that lead to a join at once.
        let mut home: Vec<(usize, usize)> = Vec::new();
        if carried.iter().any(|to| is_branch(*to)) {
            for to in &self.out[at] {
                let mut group =
                    Group { extent: Extent::default(), placed: Vec::new(), last_row: Vec::new(), last_row_top: 0 };
                if is_branch(*to) {
                    group.extent = extents[*to];
                    group.placed.push((*to, 0.0, 1));
                } else if self.carrier[*to] == at {
                    group.extent = Extent { left: step / 4.0, right: step / 4.0, rows: 0 };
                } else {
                    continue;
                }
                home.push((*to, groups.len()));
                groups.push(group);
            }
        }
        for join in carried.iter().copied().filter(|to| !is_branch(*to)) {
            // Where its edges come from: carried steps, or the step itself by an empty branch.
            let mut sources: Vec<usize> = Vec::new();
            for from in &self.from[join] {
                let mut above = *from;
                while above != at && self.carrier[above] != at {
                    above = self.carrier[above];
                }
                sources.push(if above == at { join } else { above });
            }
            let spots = || home.iter().filter(|(n, _)| sources.contains(n)).map(|(_, group)| *group);
            let (low, high) = match (spots().min(), spots().max()) {
                (Some(low), Some(high)) => (low, high),
                _ => {
                    groups.push(Group {
                        extent: Extent::default(),
                        placed: Vec::new(),
                        last_row: Vec::new(),
                        last_row_top: 0,
                    });
                    (groups.len() - 1, groups.len() - 1)
                }
            };
            let merged = merge(groups.drain(low..=high).collect());
            groups.insert(low, merged);
            for (_, group) in &mut home {
                *group = if *group > high { *group - (high - low) } else { (*group).min(low) };
            }
            home.push((join, low));
            groups[low].join(join, &sources, extents);
        }
        groups
    }
}

/// Groups side by side as one.
fn merge(mut groups: Vec<Group>) -> Group {
    if groups.len() == 1
        && let Some(one) = groups.pop()
    {
        return one;
    }
    let extents: Vec<Extent> = groups.iter().map(|group| group.extent).collect();
    let mut out = Group { extent: Extent::default(), placed: Vec::new(), last_row: Vec::new(), last_row_top: 0 };
    for (group, middle) in groups.into_iter().zip(middles(&extents)) {
        out.extent.left = out.extent.left.max(group.extent.left - middle);
        out.extent.right = out.extent.right.max(group.extent.right + middle);
        out.extent.rows = out.extent.rows.max(group.extent.rows);
        out.placed.extend(group.placed.into_iter().map(|(n, across, row)| (n, across + middle, row)));
    }
    out
}

impl Group {
    /// Puts a join below the middle: beside those of the last row, or below them if it comes after one of them.
    fn join(&mut self, join: usize, sources: &[usize], extents: &[Extent]) {
        let comes_after = self.last_row.iter().any(|n| sources.contains(n));
        if self.last_row.is_empty() || comes_after {
            self.last_row.clear();
            self.last_row_top = 1 + self.extent.rows;
        }
        self.last_row.push(join);
        self.placed.retain(|(n, ..)| !self.last_row.contains(n));
        let row: Vec<Extent> = self.last_row.iter().map(|n| extents[*n]).collect();
        for (n, middle) in self.last_row.iter().zip(middles(&row)) {
            let extent = extents[*n];
            self.placed.push((*n, middle, self.last_row_top));
            self.extent.left = self.extent.left.max(extent.left - middle);
            self.extent.right = self.extent.right.max(extent.right + middle);
            self.extent.rows = self.extent.rows.max(self.last_row_top - 1 + extent.rows);
        }
    }
}

/// Places of boxes side by side; 0 lies in the middle between the middles of the first and the last.
fn middles(extents: &[Extent]) -> Vec<f32> {
    let mut out = Vec::with_capacity(extents.len());
    let mut at = 0.0;
    for (n, extent) in extents.iter().enumerate() {
        if n > 0 {
            at += even(extents[n - 1].right + extent.left);
        }
        out.push(at);
    }
    let half = at / 2.0;
    out.into_iter().map(|x| x - half).collect()
}

/// The next even number, so that half of it is whole and both sides are the same.
fn even(distance: f32) -> f32 {
    (distance / 2.0).ceil() * 2.0
}

/// Whether two cards at these places would cover each other; for tests and for what looks for room.
pub fn overlap(a: (f32, f32), b: (f32, f32)) -> bool {
    (a.0 - b.0).abs() < CARD_SIZE.0 && (a.1 - b.1).abs() < CARD_SIZE.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all, file},
        testing::{Rng, flow_gen},
    };

    /// A flow from lines such as `a yes b`: from, port, to. Ids that begin with `c` are conditions, with `n` notes.
    fn drawn(text: &str) -> Flow {
        let mut flow = Flow::new("f", "F");
        let edges: Vec<Vec<&str>> = text.split(',').map(|line| line.split_whitespace().collect()).collect();
        for id in edges.iter().flat_map(|edge| edge.iter().step_by(2)) {
            if flow.node(id).is_none() {
                let (kind, settings) = match id.as_bytes()[0] {
                    b't' => ("trigger", "(any: [])"),
                    b'c' => ("condition", "(condition: \"true\")"),
                    b'b' => {
                        ("branch", "(arms: [(name: \"a\", condition: \"true\"), (name: \"b\", condition: \"true\")])")
                    }
                    _ => ("delay", "(wait: for(\"4 h\"))"),
                };
                let node = Node::new(*id, kind, settings);
                flow = flow.apply(&Edit::AddNode(Box::new(node))).expect("applies");
            }
        }
        for edge in edges.iter().filter(|edge| edge.len() == 3) {
            let edge = crate::flow::Edge::new(edge[0], edge[1], edge[2]);
            flow = flow.apply(&Edit::Connect(edge)).expect("applies");
        }
        flow
    }

    fn laid_out(flow: &Flow, selection: &BTreeSet<NodeId>, flowing: Flowing) -> Flow {
        apply_all(flow, &layout(flow, selection, flowing)).expect("applies")
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let flow = laid_out(&drawn(text), &BTreeSet::new(), Flowing::Down);
        let shown: Vec<String> = flow
            .nodes
            .iter()
            .map(|node| format!("{} {},{}", node.id, node.pos.0 / COLUMN_STEP, node.pos.1 / ROW_STEP))
            .collect();
        assert_eq!(shown.join("; "), expected, "{text}");
    }

    #[test]
    fn chains_are_straight_and_branches_symmetric() {
        check("t next x, x next y", "t 0,0; x 0,1; y 0,2");
        check("t next c, c yes x, c no y", "t 0,0; c 0,1; x -0.5,2; y 0.5,2");
        check("c no y, c yes x", "c 0,0; y 0.5,1; x -0.5,1");
        check("c yes x, c no y, x next z, y next z, z next w", "c 0,0; x -0.5,1; y 0.5,1; z 0,2; w 0,3");
        check("c yes x, c no z, x next z", "c 0,0; x -0.375,1; z 0,2");
        check("c yes z, c no z", "c 0,0; z 0,1");
        check("b a x, b b y, b else z", "b 0,0; x -1,1; y 0,1; z 1,1");
        check("b a x, b b y, b else z, x next w, y next w", "b 0,0; x -1.25,1; y -0.25,1; z 0.75,1; w -0.75,2");
        check(
            "c yes d, d next e, c no c2, c2 yes x, c2 no y",
            "c 0,0; d -0.75,1; e -0.75,2; c2 0.75,1; x 0.25,2; y 1.25,2",
        );
    }

    #[test]
    fn loops_and_parts() {
        check("t next x, x next c, c yes x, c no y", "t 0,0; x 0,1; c 0,2; y 0,3");
        check("x next y, y next x", "x 0,0; y 0,1");
        check("t next x, p next q, q next x", "t 0,0; x 0,1; p 1,0; q 1,1");
        check("t", "t 0,0");
        check("t, x, y", "t 0,0; x 1,0; y 2,0");
        // Two joins of the same branches stand side by side.
        check("b a c, b b c2, c yes x, c no y, c2 yes x, c2 no y", "b 0,0; c -0.5,1; c2 0.5,1; x -0.5,2; y 0.5,2");
    }

    #[test]
    fn from_left_to_right() {
        let flow = laid_out(&drawn("t next c, c yes x, c no y"), &BTreeSet::new(), Flowing::Right);
        let at: Vec<(f32, f32)> = flow.nodes.iter().map(|node| node.pos).collect();
        assert_eq!(at, [(0.0, 0.0), (312.0, 0.0), (624.0, -78.0), (624.0, 78.0)]);
    }

    #[test]
    fn the_watch_flow_is_a_line() {
        let source = include_str!("../../../sample_flows/watch-shop/watch-shop.flow.ron");
        let flow = file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let flow = laid_out(&flow, &BTreeSet::new(), Flowing::Down);
        let at: Vec<(f32, f32)> = flow.nodes.iter().map(|node| node.pos).collect();
        assert_eq!(at, (0..7).map(|n| (0.0, n as f32 * ROW_STEP)).collect::<Vec<_>>());
    }

    #[test]
    fn frames_and_notes_go_along() {
        let mut flow = drawn("t next x, x next y");
        let note = |id: &str, settings: &str, pos: (f32, f32)| {
            let mut node = Node::new(id, "note", settings);
            node.pos = pos;
            Edit::AddNode(Box::new(node))
        };
        let to = |id: &str, pos: (f32, f32)| Edit::MoveNode { id: id.into(), pos };
        let edits = [
            to("x", (500.0, 100.0)),
            to("y", (500.0, 200.0)),
            note("f", "(text: \"F\", size: (400.0, 300.0))", (500.0, 150.0)),
            note("g", "(text: \"G\")", (700.0, 210.0)),
        ];
        flow = apply_all(&flow, &edits).expect("applies");
        let next = laid_out(&flow, &BTreeSet::new(), Flowing::Down);
        let of = |id: &str| next.node(id).map(|n| n.pos).unwrap_or_default();
        assert_eq!((of("x"), of("y")), ((0.0, 156.0), (0.0, 312.0)));
        assert_eq!(of("f"), (0.0, 234.0));
        assert_eq!(next.node("f").map(|n| n.settings.raw()), Some("(text: \"F\", size: (400, 356))"));
        assert_eq!(of("g"), (200.0, 322.0), "beside y as before");
    }

    /// Made-up flows with loops, loose parts and single steps: no two cards lie on each other, laying out again moves
    /// nothing, of a selection the rest stays, and a step back leads back.
    #[test]
    fn layouts_of_made_up_flows() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let size = 1 + rng.below(40);
            let flow = flow_gen::flow(seed, size);
            let flowing = if rng.percent(50) { Flowing::Down } else { Flowing::Right };
            let some: BTreeSet<NodeId> =
                flow.nodes.iter().filter(|_| rng.percent(40)).map(|node| node.id.clone()).collect();
            for selection in [BTreeSet::new(), some] {
                let mut history = History::new(flow.clone());
                history.apply("Layout", &layout(&flow, &selection, flowing), None).expect("applies");
                let next = history.flow().clone();
                assert!(next.invariants().is_empty(), "seed {seed}");
                assert_eq!(next.edges, flow.edges);
                assert_eq!(layout(&next, &selection, flowing), [], "seed {seed}: again moves nothing");
                let is_laid =
                    |n: &&std::sync::Arc<Node>| n.kind != "note" && (selection.is_empty() || selection.contains(&n.id));
                let laid: Vec<_> = next.nodes.iter().filter(is_laid).collect();
                for (n, a) in laid.iter().enumerate() {
                    for b in &laid[n + 1..] {
                        let apart = if flowing == Flowing::Down { overlap(a.pos, b.pos) } else { a.pos == b.pos };
                        assert!(!apart, "seed {seed}: {} and {} at {:?} and {:?}", a.id, b.id, a.pos, b.pos);
                    }
                }
                if !selection.is_empty() && !laid.is_empty() {
                    let old = corner(flow.nodes.iter().filter(is_laid).map(|node| node.pos));
                    let new = corner(laid.iter().map(|node| node.pos));
                    assert!((old.0 - new.0).abs() < 0.1 && (old.1 - new.1).abs() < 0.1, "seed {seed}");
                    for (before, after) in flow.nodes.iter().zip(&next.nodes) {
                        assert!(selection.contains(&before.id) || before == after, "seed {seed}: the rest stays");
                    }
                }
                history.undo();
                assert_eq!(*history.flow(), flow, "seed {seed}");
            }
        }
    }

    /// Children of one step stand in the order of their ports.
    #[test]
    fn the_order_of_ports_is_kept() {
        for seed in 0..100 {
            let flow = laid_out(&flow_gen::flow(seed, 25), &BTreeSet::new(), Flowing::Down);
            let index = flow.index();
            for (n, node) in flow.nodes.iter().enumerate() {
                let mut last = f32::MIN;
                for port in node.ports() {
                    let Some(to) = flow.target(node.id.as_str(), &port.name).and_then(|id| index.idx(id)) else {
                        continue;
                    };
                    let child = &flow.nodes[to];
                    if crate::flow::Index::into(&index, to).len() == 1 && to != n && child.pos.1 > node.pos.1 {
                        assert!(child.pos.0 > last, "seed {seed}: {} of {}", port.name, node.id);
                        last = child.pos.0;
                    }
                }
            }
        }
    }

    #[test]
    fn large_flows_are_laid_out() {
        let flow = flow_gen::large_flow(5_000);
        let edits = layout(&flow, &BTreeSet::new(), Flowing::Down);
        let next = apply_all(&flow, &edits).expect("applies");
        assert_eq!(layout(&next, &BTreeSet::new(), Flowing::Down), []);
    }
}
