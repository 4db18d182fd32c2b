//! Align, distribute, snap while dragging, nudge.
//!
//! The one idea: a drag proposes a way and gets it back a little corrected, with the lines that say why. Places are
//! centres of cards, in canvas units.

use std::collections::BTreeSet;

use crate::{
    app::card::size,
    base::NodeId,
    flow::{Edit, Flow, Node},
};

/// What is brought to one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Left edges.
    Left,
    /// Middles from left to right.
    Center,
    /// Right edges.
    Right,
    /// Upper edges.
    Top,
    /// Middles from top to bottom.
    Middle,
    /// Lower edges.
    Bottom,
}

/// Along which axis steps are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Axis {
    /// From left to right.
    Horizontal,
    /// From top to bottom.
    Vertical,
}

/// Canvas units between two lines of the grid.
pub const GRID: f32 = 8.0;

/// Points on the screen within which a neighbour's line pulls. Source: assumption, as much as a hand trembles.
const PULL_POINTS: f32 = 6.0;

/// A line to paint while dragging: the moved steps and a neighbour agree in it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Guide {
    /// Along which axis it runs: a vertical line has one x.
    pub axis: Axis,
    /// Its x or y.
    pub at: f32,
    /// Where it begins, in the other coordinate.
    pub from: f32,
    /// Where it ends.
    pub to: f32,
}

/// A card's edges.
#[derive(Clone, Copy)]
struct Rect {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

impl Rect {
    fn of(node: &Node) -> Self {
        let (width, height) = size(node);
        let (x, y) = node.pos;
        Self { left: x - width / 2.0, right: x + width / 2.0, top: y - height / 2.0, bottom: y + height / 2.0 }
    }

    fn around(rects: impl Iterator<Item = Self>) -> Option<Self> {
        rects.reduce(|a, b| Self {
            left: a.left.min(b.left),
            right: a.right.max(b.right),
            top: a.top.min(b.top),
            bottom: a.bottom.max(b.bottom),
        })
    }

    fn moved(self, by: (f32, f32)) -> Self {
        Self { left: self.left + by.0, right: self.right + by.0, top: self.top + by.1, bottom: self.bottom + by.1 }
    }

    /// Lower edge, middle and upper edge along an axis.
    fn lines(self, axis: Axis) -> [f32; 3] {
        let (low, high) = self.span(axis);
        [low, (low + high) / 2.0, high]
    }

    fn span(self, axis: Axis) -> (f32, f32) {
        match axis {
            Axis::Horizontal => (self.left, self.right),
            Axis::Vertical => (self.top, self.bottom),
        }
    }
}

fn selected<'a>(flow: &'a Flow, selection: &'a BTreeSet<NodeId>) -> impl Iterator<Item = &'a Node> {
    flow.nodes.iter().map(|node| &**node).filter(|node| selection.contains(&node.id))
}

fn move_to(node: &Node, pos: (f32, f32)) -> Option<Edit> {
    (pos != node.pos).then(|| Edit::MoveNode { id: node.id.clone(), pos })
}

/// Brings the selected steps to one line: an edge of all of them, or the middle between.
pub fn align(flow: &Flow, selection: &BTreeSet<NodeId>, to: Align) -> Vec<Edit> {
    let Some(all) = Rect::around(selected(flow, selection).map(Rect::of)) else { return Vec::new() };
    let place = |node: &Node| {
        let (width, height) = size(node);
        let (x, y) = node.pos;
        match to {
            Align::Left => (all.left + width / 2.0, y),
            Align::Center => ((all.left + all.right) / 2.0, y),
            Align::Right => (all.right - width / 2.0, y),
            Align::Top => (x, all.top + height / 2.0),
            Align::Middle => (x, (all.top + all.bottom) / 2.0),
            Align::Bottom => (x, all.bottom - height / 2.0),
        }
    };
    selected(flow, selection).filter_map(|node| move_to(node, place(node))).collect()
}

/// Spreads the selected steps so that their middles are equally far apart; the first and the last stay. Needs three.
pub fn distribute(flow: &Flow, selection: &BTreeSet<NodeId>, axis: Axis) -> Vec<Edit> {
    let along = |node: &Node| if axis == Axis::Horizontal { node.pos.0 } else { node.pos.1 };
    let mut nodes: Vec<&Node> = selected(flow, selection).collect();
    nodes.sort_by(|a, b| along(a).total_cmp(&along(b)));
    let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return Vec::new() };
    let step = (along(last) - along(first)) / (nodes.len().max(2) - 1) as f32;
    let start = along(first);
    let inner = nodes.iter().enumerate().filter(|(n, _)| *n > 0 && n + 1 < nodes.len());
    inner
        .filter_map(|(n, node)| {
            let at = start + step * n as f32;
            move_to(node, if axis == Axis::Horizontal { (at, node.pos.1) } else { (node.pos.0, at) })
        })
        .collect()
}

/// Moves the selected steps by so many lines of the grid; with `far` by ten times as many.
pub fn nudge(flow: &Flow, selection: &BTreeSet<NodeId>, right: i32, down: i32, far: bool) -> Vec<Edit> {
    let unit = if far { GRID * 10.0 } else { GRID };
    super::moved(flow, selection, (right as f32 * unit, down as f32 * unit))
}

/// Corrects a proposed way of steps that are being dragged: an edge or middle of a neighbour pulls, else the grid does.
///
/// `zoom` is points on the screen per canvas unit: the pull is the same for the hand at every zoom.
pub fn snap(flow: &Flow, moving: &BTreeSet<NodeId>, by: (f32, f32), zoom: f32) -> ((f32, f32), Vec<Guide>) {
    let Some(around) = Rect::around(selected(flow, moving).map(Rect::of)) else { return (by, Vec::new()) };
    let reach = PULL_POINTS / zoom.max(0.05);
    let there = around.moved(by);
    // Neighbours are what can be seen with the moved steps: about a screen to each side.
    let near = 1_200.0;
    let others: Vec<Rect> = flow
        .nodes
        .iter()
        .filter(|node| !moving.contains(&node.id))
        .map(|node| Rect::of(node))
        .filter(|r| {
            r.right > there.left - near
                && r.left < there.right + near
                && r.bottom > there.top - near
                && r.top < there.bottom + near
        })
        .collect();
    let mut way = [by.0, by.1];
    let mut pulled = [false; 2];
    for (n, axis) in [Axis::Horizontal, Axis::Vertical].into_iter().enumerate() {
        let mine = there.lines(axis);
        let pulls = others.iter().flat_map(|other| {
            let lines = other.lines(axis);
            // Middle to middle, edge to edge: a middle on an edge would say nothing.
            [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)].map(|(a, b)| lines[b] - mine[a])
        });
        let best = pulls.filter(|d| d.abs() <= reach).min_by(|a, b| a.abs().total_cmp(&b.abs()));
        match best {
            Some(correction) => {
                way[n] += correction;
                pulled[n] = true;
            }
            None => {
                // The middle of what is moved comes to the grid.
                let middle = mine[1];
                way[n] += (middle / GRID).round() * GRID - middle;
            }
        }
    }
    let by = (way[0], way[1]);
    let there = around.moved(by);
    let mut guides = Vec::new();
    for (n, axis) in [Axis::Horizontal, Axis::Vertical].into_iter().enumerate() {
        if !pulled[n] {
            continue;
        }
        let across = if axis == Axis::Horizontal { Axis::Vertical } else { Axis::Horizontal };
        for line in there.lines(axis) {
            let agree = others.iter().filter(|other| other.lines(axis).iter().any(|l| (l - line).abs() < 0.01));
            let spans: Vec<(f32, f32)> = agree.map(|other| other.span(across)).collect();
            if spans.is_empty() {
                continue;
            }
            let (low, high) = there.span(across);
            let from = spans.iter().map(|s| s.0).fold(low, f32::min);
            let to = spans.iter().map(|s| s.1).fold(high, f32::max);
            guides.push(Guide { axis: across, at: line, from, to });
        }
    }
    (by, guides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        flow::{History, edit::apply_all},
        testing::{Rng, flow_gen},
    };

    fn cards(positions: &[(f32, f32)]) -> (Flow, BTreeSet<NodeId>) {
        let mut flow = Flow::new("f", "F");
        for (n, pos) in positions.iter().enumerate() {
            let mut node = Node::new(format!("n{n}").as_str(), "exit", "()");
            node.pos = *pos;
            flow = flow.apply(&Edit::AddNode(Box::new(node))).expect("applies");
        }
        let all = flow.nodes.iter().map(|node| node.id.clone()).collect();
        (flow, all)
    }

    fn places(flow: &Flow, edits: &[Edit]) -> Vec<(f32, f32)> {
        apply_all(flow, edits).expect("applies").nodes.iter().map(|node| node.pos).collect()
    }

    #[test]
    fn aligns() {
        let (flow, all) = cards(&[(0.0, 0.0), (100.0, 50.0), (40.0, 200.0)]);
        for (to, expected) in [
            (Align::Left, [(0.0, 0.0), (0.0, 50.0), (0.0, 200.0)]),
            (Align::Center, [(50.0, 0.0), (50.0, 50.0), (50.0, 200.0)]),
            (Align::Right, [(100.0, 0.0), (100.0, 50.0), (100.0, 200.0)]),
            (Align::Top, [(0.0, 0.0), (100.0, 0.0), (40.0, 0.0)]),
            (Align::Middle, [(0.0, 100.0), (100.0, 100.0), (40.0, 100.0)]),
            (Align::Bottom, [(0.0, 200.0), (100.0, 200.0), (40.0, 200.0)]),
        ] {
            assert_eq!(places(&flow, &align(&flow, &all, to)), expected, "{to:?}");
        }
        assert_eq!(align(&flow, &BTreeSet::new(), Align::Left), []);
    }

    #[test]
    fn distributes() {
        let (flow, all) = cards(&[(0.0, 0.0), (90.0, 10.0), (40.0, 300.0)]);
        assert_eq!(
            places(&flow, &distribute(&flow, &all, Axis::Horizontal)),
            [(0.0, 0.0), (90.0, 10.0), (45.0, 300.0)]
        );
        assert_eq!(places(&flow, &distribute(&flow, &all, Axis::Vertical)), [(0.0, 0.0), (90.0, 150.0), (40.0, 300.0)]);
        assert_eq!(distribute(&flow, &["n0".into(), "n1".into()].into(), Axis::Vertical), []);
    }

    #[test]
    fn nudges() {
        let (flow, _) = cards(&[(0.0, 0.0), (90.0, 10.0)]);
        assert_eq!(places(&flow, &nudge(&flow, &["n0".into()].into(), 1, -1, false)), [(8.0, -8.0), (90.0, 10.0)]);
        assert_eq!(places(&flow, &nudge(&flow, &["n0".into()].into(), 0, 1, true)), [(0.0, 80.0), (90.0, 10.0)]);
    }

    #[track_caller]
    fn check_snap(by: (f32, f32), zoom: f32, expected: (f32, f32), guides: &[(Axis, f32)]) {
        let (flow, _) = cards(&[(0.0, 0.0), (400.0, 160.0)]);
        let (way, found) = snap(&flow, &["n0".into()].into(), by, zoom);
        assert_eq!(way, expected);
        assert_eq!(found.iter().map(|g| (g.axis, g.at)).collect::<Vec<_>>(), guides);
    }

    #[test]
    fn snaps_to_neighbours_and_grid() {
        check_snap((101.0, 50.0), 1.0, (104.0, 48.0), &[]);
        // All three lines agree: left edges, middles, right edges.
        let vertical = [269.0, 400.0, 531.0].map(|at| (Axis::Vertical, at));
        check_snap((396.0, 0.0), 1.0, (400.0, 0.0), &vertical);
        check_snap((380.0, 0.0), 0.25, (400.0, 0.0), &vertical);
        check_snap((391.0, 0.0), 1.0, (392.0, 0.0), &[]);
        let horizontal = [113.0, 160.0, 207.0].map(|at| (Axis::Horizontal, at));
        check_snap((0.0, 163.0), 1.0, (0.0, 160.0), &horizontal);
        // Right edge to left edge.
        check_snap((136.0, 300.0), 1.0, (138.0, 304.0), &[(Axis::Vertical, 269.0)]);
    }

    /// Made-up flows: a snap is never farther than the pull or half the grid, and all of it is one step back.
    #[test]
    fn arranging_made_up_flows() {
        for seed in 0..100 {
            let mut rng = Rng::new(seed);
            let flow = flow_gen::flow(seed, 15);
            let some: BTreeSet<NodeId> =
                flow.nodes.iter().filter(|_| rng.percent(40)).map(|node| node.id.clone()).collect();
            let by = (rng.range(-300, 300) as f32, rng.range(-300, 300) as f32);
            let zoom = [0.1, 0.5, 1.0, 2.0][rng.below(4)];
            let (way, guides) = snap(&flow, &some, by, zoom);
            let most = (PULL_POINTS / zoom).max(GRID / 2.0) + 0.01;
            assert!((way.0 - by.0).abs() <= most && (way.1 - by.1).abs() <= most, "seed {seed}: {by:?} {way:?}");
            assert!(guides.iter().all(|g| g.from <= g.to));
            for edits in [
                align(&flow, &some, Align::Center),
                distribute(&flow, &some, Axis::Vertical),
                nudge(&flow, &some, 1, 1, true),
            ] {
                let mut history = History::new(flow.clone());
                history.apply("Arrange", &edits, None).expect("applies");
                assert!(history.flow().invariants().is_empty());
                history.undo();
                assert_eq!(*history.flow(), flow, "seed {seed}");
            }
        }
    }
}
