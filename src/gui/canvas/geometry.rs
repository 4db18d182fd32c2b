//! Where cards, edges and ports lie, in canvas units; what the pointer hits. Pure: no painting, no input.
//!
//! Made once per revision of the document and shared by painting, hits and the minimap. Sizes need no layout.

use std::collections::{BTreeSet, HashMap};

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use smol_str::SmolStr;

use crate::{
    app::{
        card,
        ops::frames::{self, Folded},
    },
    base::NodeId,
    flow::Flow,
    report::{diagram::route, scene::Area},
};

/// Corner radius of edges, in canvas units.
pub const EDGE_RADIUS: f32 = 11.0;

/// Width and height of a folded frame.
const FOLDED_SIZE: (f32, f32) = (262.0, 64.0);

/// An edge as a polyline with right angles.
#[derive(Clone, Debug)]
pub struct EdgePath {
    /// Place of the node it begins at.
    pub from_idx: usize,
    /// Place of its port among the node's ports.
    pub port_idx: usize,
    /// Place of the node it ends at.
    pub to_idx: usize,
    /// The port.
    pub port: SmolStr,
    /// The edges it is drawn for where a folded frame hides them; empty for an edge of its own.
    pub stands_for: Vec<(NodeId, SmolStr)>,
    /// What the label says; empty for the only port of a step.
    pub label: String,
    /// Corners, first and last included.
    pub points: Vec<Pos2>,
    /// Around all of it.
    pub bounds: Rect,
    /// Middle of the label.
    pub label_at: Pos2,
    /// Middle of the "+".
    pub plus_at: Pos2,
}

/// A port that leads nowhere.
#[derive(Clone, Debug)]
pub struct OpenPort {
    /// Place of its node.
    pub node_idx: usize,
    /// The port.
    pub port: SmolStr,
    /// What people read; empty for the only port of a step.
    pub label: String,
    /// Where it leaves the card.
    pub at: Pos2,
}

/// A flow, laid out.
#[derive(Clone, Debug, Default)]
pub struct Geometry {
    /// Cards, in the order of `flow.nodes`.
    pub cards: Vec<Rect>,
    /// Whether a card is a frame: drawn below everything and carrying what it contains.
    pub frames: Vec<bool>,
    /// Whether a card is hidden by a folded frame.
    pub hidden: Vec<bool>,
    /// Steps behind a folded frame; 0 for everything else.
    pub num_folded: Vec<usize>,
    /// How many edges end at a card.
    pub num_into: Vec<usize>,
    /// Edges.
    pub edges: Vec<EdgePath>,
    /// Ports without an edge.
    pub open_ports: Vec<OpenPort>,
    /// Around all cards; empty for an empty flow.
    pub bounds: Option<Rect>,
    by_id: HashMap<NodeId, usize>,
    /// The folded frames that are drawn in the place of hidden steps.
    shown_as: HashMap<usize, usize>,
}

/// Where the nth of `count` ports leaves a card.
pub fn port_at(card: Rect, idx: usize, count: usize) -> Pos2 {
    point(route::port_at(&area(&card), idx, count))
}

impl Geometry {
    /// Lays a flow out; what lies in a folded frame is hidden, and edges lead to the frame instead.
    pub fn new(flow: &Flow, folded: &BTreeSet<NodeId>) -> Self {
        let folded = if folded.is_empty() { Folded::default() } else { frames::folded(flow, folded) };
        let mut cards = Vec::with_capacity(flow.nodes.len());
        let mut frames = Vec::with_capacity(flow.nodes.len());
        let mut by_id = HashMap::with_capacity(flow.nodes.len());
        let mut bounds: Option<Rect> = None;
        for (n, node) in flow.nodes.iter().enumerate() {
            let is_folded = folded.counts.contains_key(&node.id);
            let (width, height) = if is_folded { FOLDED_SIZE } else { card::size(node) };
            let rect = Rect::from_center_size(pos2(node.pos.0, node.pos.1), vec2(width, height));
            bounds = Some(bounds.map_or(rect, |b| b.union(rect)));
            cards.push(rect);
            frames.push(node.kind == "note");
            by_id.insert(node.id.clone(), n);
        }
        let hidden: Vec<bool> = flow.nodes.iter().map(|node| folded.hidden.contains_key(&node.id)).collect();
        let num_folded = flow.nodes.iter().map(|node| folded.counts.get(&node.id).copied().unwrap_or(0)).collect();
        let (edges, open_ports) = (Vec::new(), Vec::new());
        let num_into = Vec::new();
        let place = |id: &NodeId| by_id.get(id).copied();
        let shown_as = folded.hidden.iter().filter_map(|(id, frame)| Some((place(id)?, place(frame)?))).collect();
        let mut out = Self { cards, frames, hidden, num_folded, num_into, edges, open_ports, bounds, by_id, shown_as };
        let mut wired: HashMap<(usize, &str), usize> = HashMap::with_capacity(flow.edges.len());
        for edge in &flow.edges {
            if let (Some(from), Some(to)) = (out.idx(&edge.from), out.idx(&edge.to)) {
                wired.insert((from, edge.port.as_str()), to);
            }
        }
        let mut num_into = vec![0_usize; flow.nodes.len()];
        for edge in &flow.edges {
            if let Some(to) = out.idx(&edge.to) {
                num_into[to] += 1;
            }
        }
        out.num_into = num_into.clone();
        let few = flow.nodes.len() <= 400;
        let areas: Vec<Area> = out.cards.iter().map(area).collect();
        let frames = out.frames.clone();
        let field = route::Field { cards: &areas, frames: &frames };
        // The same ways as in a client's picture.
        let way = |start: Pos2, end: Pos2, ends: (usize, usize), look: bool| -> Vec<Pos2> {
            route::route((start.x, start.y), (end.x, end.y), field, ends, look).into_iter().map(point).collect()
        };
        for stand_in in &folded.stand_ins {
            if let (Some(from), Some(to)) = (out.idx(&stand_in.from), out.idx(&stand_in.to)) {
                let start = port_at(out.cards[from], 0, 1);
                let end = pos2(out.cards[to].center().x, out.cards[to].top());
                let points = way(start, end, (from, to), false);
                let port = stand_in.edges.first().map(|(_, port)| port.clone()).unwrap_or_default();
                let mut edge = EdgePath::new(from, 0, to, port, String::new(), points);
                edge.stands_for.clone_from(&stand_in.edges);
                out.edges.push(edge);
            }
        }
        for (n, node) in flow.nodes.iter().enumerate() {
            if out.hidden[n] {
                continue;
            }
            let ports = node.ports();
            for (p, port) in ports.iter().enumerate() {
                let at = port_at(out.cards[n], p, ports.len());
                let label = if ports.len() > 1 { port.title.clone() } else { String::new() };
                match wired.get(&(n, port.name.as_str())) {
                    Some(&to) if out.hidden[to] => {}
                    Some(&to) => {
                        let end = pos2(out.cards[to].center().x, out.cards[to].top());
                        let points = way(at, end, (n, to), few);
                        let mut edge = EdgePath::new(n, p, to, port.name.clone(), label, points);
                        if num_into[to] > 1 {
                            edge.label_near_source();
                        }
                        out.edges.push(edge);
                    }
                    None => out.open_ports.push(OpenPort { node_idx: n, port: port.name.clone(), label, at }),
                }
            }
        }
        out
    }

    /// Place of a node.
    pub fn idx(&self, id: &NodeId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Place of the card that is drawn for a node: its own, or that of the folded frame that hides it.
    pub fn shown_idx(&self, id: &NodeId) -> Option<usize> {
        let n = self.idx(id)?;
        Some(self.shown_as.get(&n).copied().unwrap_or(n))
    }

    /// Cards in a rectangle, frames excluded: what a box selects.
    pub fn inside(&self, area: Rect) -> impl Iterator<Item = usize> {
        let there = move |(n, card): &(usize, &Rect)| area.intersects(**card) && !self.hidden[*n];
        self.cards.iter().enumerate().filter(there).map(|(n, _)| n)
    }

    /// The edge nearest to a point, within `reach` canvas units.
    pub fn edge_at(&self, at: Pos2, reach: f32) -> Option<usize> {
        let near = self.edges.iter().enumerate().filter(|(_, edge)| edge.bounds.expand(reach).contains(at));
        let near = near.map(|(n, edge)| (n, edge.distance(at))).filter(|(_, distance)| *distance <= reach);
        near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, _)| n)
    }

    /// Edges that a line crosses: what a cut takes away.
    pub fn crossed(&self, a: Pos2, b: Pos2) -> impl Iterator<Item = usize> {
        let reach = Rect::from_two_pos(a, b).expand(1.0);
        let near = self.edges.iter().enumerate().filter(move |(_, edge)| edge.bounds.expand(1.0).intersects(reach));
        near.filter(move |(_, edge)| edge.points.windows(2).any(|s| segments_cross(a, b, s[0], s[1]))).map(|(n, _)| n)
    }
}

impl EdgePath {
    fn new(from_idx: usize, port_idx: usize, to_idx: usize, port: SmolStr, label: String, points: Vec<Pos2>) -> Self {
        let bounds = points.iter().skip(1).fold(Rect::from_pos(points[0]), |mut b, p| {
            b.extend_with(*p);
            b
        });
        let last = points.len() - 1;
        let straight = points.len() == 2;
        let first_piece = points[1] - points[0];
        let plus_at = if straight {
            points[0] + first_piece * if label.is_empty() { 0.5 } else { 0.36 }
        } else {
            points[0] + vec2(0.0, first_piece.y.min(15.0))
        };
        let tail = points[last] - points[last - 1];
        let label_at = points[last] - vec2(0.0, (tail.y.abs() * if straight { 0.28 } else { 0.5 }).min(26.0));
        let stands_for = Vec::new();
        Self { from_idx, port_idx, to_idx, port, stands_for, label, points, bounds, label_at, plus_at }
    }

    /// Where several edges end at one card their labels stand on the way across, each near its own port.
    fn label_near_source(&mut self) {
        if let [_, a, b, _, ..] = self.points[..] {
            let across = b - a;
            let along = (across.x.abs() * 0.5).min(64.0).max(across.x.abs().min(34.0));
            self.label_at = a + vec2(across.x.signum() * along, 0.0);
        } else {
            self.label_at = self.points[0] + (self.points[1] - self.points[0]) * 0.72;
        }
    }

    /// The edges of the flow that it draws, each as where it begins and by which port.
    pub fn drawn(&self, flow: &Flow) -> Vec<(NodeId, SmolStr)> {
        if !self.stands_for.is_empty() {
            return self.stands_for.clone();
        }
        vec![(flow.nodes[self.from_idx].id.clone(), self.port.clone())]
    }

    /// The edge of the flow that it draws; `None` where it stands for several, so that none of them is meant.
    pub fn only(&self, flow: &Flow) -> Option<(NodeId, SmolStr)> {
        let [one] = <[_; 1]>::try_from(self.drawn(flow)).ok()?;
        Some(one)
    }

    /// Distance of a point, in canvas units.
    pub fn distance(&self, at: Pos2) -> f32 {
        let pieces = self.points.windows(2).map(|piece| distance_to_segment(at, piece[0], piece[1]));
        pieces.fold(f32::INFINITY, f32::min)
    }
}

fn point((x, y): (f32, f32)) -> Pos2 {
    pos2(x, y)
}

fn area(rect: &Rect) -> Area {
    Area { left: rect.left(), top: rect.top(), right: rect.right(), bottom: rect.bottom() }
}

/// Distance of a point to a segment.
pub fn distance_to_segment(p: Pos2, a: Pos2, b: Pos2) -> f32 {
    let along = b - a;
    let length_sq = along.length_sq();
    let t = if length_sq > 0.0 { ((p - a).dot(along) / length_sq).clamp(0.0, 1.0) } else { 0.0 };
    p.distance(a + along * t)
}

/// Whether two segments meet; ends that touch count, segments on one line do not.
fn segments_cross(a: Pos2, b: Pos2, c: Pos2, d: Pos2) -> bool {
    let side = |p: Pos2, q: Pos2, r: Pos2| (q - p).x * (r - p).y - (q - p).y * (r - p).x;
    let (d1, d2) = (side(c, d, a), side(c, d, b));
    let (d3, d4) = (side(a, b, c), side(a, b, d));
    d1 * d2 <= 0.0 && d3 * d4 <= 0.0 && !(d1 == 0.0 && d2 == 0.0)
}

/// Canvas to screen and back: `screen = middle + (canvas - center) * zoom`.
#[derive(Clone, Copy, Debug)]
pub struct Projection {
    /// The canvas on the screen.
    pub screen: Rect,
    /// Canvas point in its middle.
    pub center_in_canvas: Pos2,
    /// Points per canvas unit.
    pub zoom: f32,
}

impl Projection {
    /// A canvas point on the screen.
    pub fn screen_from_canvas(&self, at: Pos2) -> Pos2 {
        self.screen.center() + (at - self.center_in_canvas) * self.zoom
    }

    /// A screen point on the canvas.
    pub fn canvas_from_screen(&self, at: Pos2) -> Pos2 {
        self.center_in_canvas + (at - self.screen.center()) / self.zoom
    }

    /// A canvas rectangle on the screen.
    pub fn screen_from_canvas_rect(&self, rect: Rect) -> Rect {
        Rect::from_min_max(self.screen_from_canvas(rect.min), self.screen_from_canvas(rect.max))
    }

    /// What of the canvas is seen.
    pub fn visible_in_canvas(&self) -> Rect {
        Rect::from_min_max(self.canvas_from_screen(self.screen.min), self.canvas_from_screen(self.screen.max))
    }

    /// Shows all of `bounds` with a margin, at most at full size.
    pub fn fitting(screen: Rect, bounds: Rect) -> (Pos2, f32) {
        const MARGIN: f32 = 40.0;
        // The zoom bar stands at the bottom and would cover the last card.
        const BAR: f32 = 28.0;
        let room = (screen.size() - vec2(2.0 * MARGIN, 2.0 * MARGIN + BAR)).max(Vec2::splat(40.0));
        let zoom = (room.x / bounds.width().max(1.0)).min(room.y / bounds.height().max(1.0)).clamp(0.05, 1.0);
        (bounds.center() + vec2(0.0, BAR / 2.0 / zoom), zoom)
    }
}

/// A polyline with round corners, as points to draw through.
pub fn rounded(points: &[Pos2], radius: f32) -> Vec<Pos2> {
    let mut out = Vec::with_capacity(points.len() * 5);
    out.push(points[0]);
    for corner in points.windows(3) {
        let (before, at, after) = (corner[0], corner[1], corner[2]);
        let r = radius.min(before.distance(at) / 2.0).min(at.distance(after) / 2.0);
        if r < 0.5 {
            out.push(at);
            continue;
        }
        let (from, to) = (at + (before - at).normalized() * r, at + (after - at).normalized() * r);
        for step in 0..=4 {
            let t = step as f32 / 4.0;
            let (a, b) = (from.lerp(at, t), at.lerp(to, t));
            out.push(a.lerp(b, t));
        }
    }
    out.push(points[points.len() - 1]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Edge, Node};

    fn flow() -> Flow {
        let mut flow = Flow::new("f", "F");
        for (id, kind, settings, pos) in [
            ("a", "trigger", r#"(any: [event(event: "X")])"#, (0.0, 0.0)),
            ("b", "condition", r#"(condition: "always")"#, (0.0, 156.0)),
            ("c", "exit", r#"(reason: "c")"#, (-156.0, 312.0)),
            ("d", "exit", r#"(reason: "d")"#, (156.0, 312.0)),
        ] {
            let mut node = Node::new(id, kind, settings);
            node.pos = pos;
            flow.nodes.push(std::sync::Arc::new(node));
        }
        flow.edges = vec![Edge::new("a", "next", "b"), Edge::new("b", "yes", "c")];
        flow
    }

    #[test]
    fn edges_leave_below_and_enter_above() {
        let geometry = Geometry::new(&flow(), &BTreeSet::new());
        assert_eq!(geometry.edges.len(), 2);
        assert_eq!(geometry.edges[0].points, [pos2(0.0, 47.0), pos2(0.0, 109.0)], "straight down");
        let yes = &geometry.edges[1];
        assert_eq!(yes.label, "Yes");
        assert_eq!(yes.points.first().map(|p| p.y), Some(203.0));
        assert_eq!(yes.points.last(), Some(&pos2(-156.0, 265.0)));
        assert_eq!(geometry.open_ports.iter().map(|p| p.port.as_str()).collect::<Vec<_>>(), ["no"]);
    }

    #[test]
    fn hits_and_cuts() {
        let geometry = Geometry::new(&flow(), &BTreeSet::new());
        assert_eq!(geometry.edge_at(pos2(3.0, 80.0), 6.0), Some(0));
        assert_eq!(geometry.edge_at(pos2(30.0, 80.0), 6.0), None);
        let crossed = |a, b| geometry.crossed(a, b).collect::<Vec<_>>();
        assert_eq!(crossed(pos2(-50.0, 78.0), pos2(50.0, 78.0)), [0]);
        assert_eq!(crossed(pos2(50.0, 78.0), pos2(90.0, 78.0)), Vec::<usize>::new());
        assert_eq!(geometry.inside(Rect::from_min_max(pos2(-10.0, -10.0), pos2(10.0, 200.0))).count(), 2);
    }

    #[test]
    fn strokes_cross_edges_with_corners() {
        let path = |corners: &[(f32, f32)]| {
            let points = corners.iter().map(|(x, y)| pos2(*x, *y)).collect();
            EdgePath::new(0, 0, 1, "next".into(), String::new(), points)
        };
        let edges = vec![
            path(&[(0.0, 0.0), (0.0, 50.0), (100.0, 50.0), (100.0, 100.0)]),
            path(&[(200.0, 0.0), (200.0, 100.0)]),
        ];
        let geometry = Geometry { edges, ..Geometry::default() };
        let check = |a: (f32, f32), b: (f32, f32), expected: &[usize]| {
            let found: Vec<usize> = geometry.crossed(pos2(a.0, a.1), pos2(b.0, b.1)).collect();
            assert_eq!(found, expected, "{a:?} {b:?}");
        };
        check((-10.0, 20.0), (10.0, 20.0), &[0]);
        check((50.0, 40.0), (50.0, 60.0), &[0]);
        check((-10.0, 20.0), (300.0, 20.0), &[0, 1]);
        check((20.0, 0.0), (20.0, 40.0), &[]);
        check((0.0, -20.0), (0.0, -10.0), &[]);
        // On the line of a piece, but before it begins.
        check((100.0, 10.0), (100.0, 30.0), &[]);
        // Ends on the edge.
        check((-10.0, 20.0), (0.0, 20.0), &[0]);
    }

    #[test]
    fn what_is_projected_comes_back() {
        let screen = Rect::from_min_size(pos2(200.0, 50.0), vec2(900.0, 700.0));
        let projection = Projection { screen, center_in_canvas: pos2(30.0, -20.0), zoom: 0.7 };
        for at in [pos2(0.0, 0.0), pos2(123.0, -456.0)] {
            assert!(projection.canvas_from_screen(projection.screen_from_canvas(at)).distance(at) < 0.01);
        }
        let bounds = Rect::from_min_max(pos2(-131.0, -47.0), pos2(131.0, 2000.0));
        let (center, zoom) = Projection::fitting(screen, bounds);
        let fitted = Projection { screen, center_in_canvas: center, zoom };
        assert!(screen.contains_rect(fitted.screen_from_canvas_rect(bounds)));
    }
}
