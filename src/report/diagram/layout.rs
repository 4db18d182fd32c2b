//! Where cards, notes, frames and ways lie in the picture, in canvas units.
//!
//! The one idea: columns stay where the canvas has them; rows are moved down as far as the words above them need. Cards
//! that stand in one row on the canvas stand in one row here, and no two cards ever overlap, whatever the file says.

use std::collections::{BTreeMap, BTreeSet};

use super::route::{self, Field, Point};
use crate::{
    base::NodeId,
    flow::{
        Flow, Node, Workspace,
        card::{self, CARD_SIZE, Family},
    },
    kinds::Settings,
    report::{
        font::{Weight, cut, width, wrap},
        order,
        scene::Area,
        words,
    },
};

/// Left and right of what stands in a card.
pub(super) const PAD: f32 = 13.0;
/// Where titles begin, right of the icon.
pub(super) const TITLE_LEFT: f32 = 58.0;
/// Type of the name of a kind.
pub(super) const KIND: (Weight, f32) = (Weight::Medium, 11.0);
/// Type of a step's title.
pub(super) const TITLE: (Weight, f32) = (Weight::Semibold, 14.0);
/// Type of a step's line.
pub(super) const SUMMARY: (Weight, f32) = (Weight::Regular, 11.5);
/// From one line of a summary to the next.
pub(super) const SUMMARY_STEP: f32 = 15.5;
/// From one line of a title to the next.
pub(super) const TITLE_STEP: f32 = 17.0;
/// Type of labels on ways.
pub(super) const LABEL: (Weight, f32) = (Weight::Medium, 11.0);
/// Widest label.
const LABEL_MOST: f32 = 170.0;
/// Least between a card and the one below it where labels stand between them (a pill and an arrow fit), and where none
/// do. Source: the canvas' own gap; the smaller one was tried out.
const GAPS: (f32, f32) = (62.0, 46.0);
/// Most between a card and the one below it.
const MOST_GAP: f32 = 96.0;
/// Cards whose tops differ by less stand in one row.
const ROW_TOLERANCE: f32 = 20.0;
/// Least between two cards side by side.
const SIDE: f32 = 16.0;
/// Nodes above which ways are not led around cards: it costs a look at every card for each. Source: the canvas' bound.
const LOOK_MOST: usize = 400;

/// A step in the picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Card {
    /// Of which step.
    pub id: NodeId,
    /// Its number in reading order, from 1.
    pub number: usize,
    /// Where.
    pub area: Area,
    /// Gives its colour.
    pub family: Family,
    /// Name of its icon.
    pub icon: &'static str,
    /// Name of its kind.
    pub kind: String,
    /// Its title in lines.
    pub title: Vec<String>,
    /// Its settings in a few lines.
    pub summary: Vec<String>,
    /// Journeys pass through it.
    pub muted: bool,
}

/// A note in the picture.
#[derive(Clone, PartialEq, Debug)]
pub struct NoteCard {
    /// Of which node.
    pub id: NodeId,
    /// Where.
    pub area: Area,
    /// Its text in lines.
    pub lines: Vec<String>,
    /// Name of its colour.
    pub color: String,
}

/// A frame around steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    /// Of which node.
    pub id: NodeId,
    /// Where.
    pub area: Area,
    /// Its heading.
    pub title: String,
    /// Name of its colour.
    pub color: String,
}

/// An edge in the picture; a port that leads nowhere is one that ends early.
#[derive(Clone, PartialEq, Debug)]
pub struct Way {
    /// Where it begins.
    pub from: NodeId,
    /// By which port.
    pub port: String,
    /// Where it ends; `None` where the journey ends here.
    pub to: Option<NodeId>,
    /// Corners, both ends included.
    pub points: Vec<Point>,
    /// What it says, and the middle of it.
    pub label: Option<(String, Point)>,
}

/// A flow, laid out for paper.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diagram {
    /// Steps in reading order.
    pub cards: Vec<Card>,
    /// Notes.
    pub notes: Vec<NoteCard>,
    /// Frames, the larger first.
    pub frames: Vec<Frame>,
    /// Ways in the order of the steps and their ports.
    pub ways: Vec<Way>,
    /// Around everything; of no size for an empty flow.
    pub bounds: Area,
}

impl Diagram {
    /// Lays out a flow by the places of its steps.
    pub fn new(flow: &Flow, workspace: &Workspace) -> Self {
        let order = order::reading_order(flow);
        let mut cards: Vec<Card> = Vec::with_capacity(order.len());
        for (n, at) in order.iter().enumerate() {
            cards.push(card_of(flow, workspace, &flow.nodes[*at], n + 1));
        }
        place_rows(flow, &mut cards);
        let placed: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(n, at)| (flow.nodes[*at].id.as_str(), n)).collect();
        let ways = ways(flow, &cards, &placed);
        let mut out = Self { cards, ways, ..Self::default() };
        out.place_notes(flow, &placed);
        let points = out.ways.iter().flat_map(|way| way.points.iter().copied()).collect::<Vec<_>>();
        let labels = out.ways.iter().filter_map(Way::label_area);
        let areas = out.cards.iter().map(|card| card.area).chain(out.notes.iter().map(|note| note.area));
        let areas =
            areas.chain(out.frames.iter().map(|frame| frame.area)).chain(labels).chain(Area::of_points(&points));
        out.bounds = areas.reduce(|all, one| all.with(&one)).unwrap_or_default();
        out
    }

    /// The card of a step.
    pub fn card(&self, id: &str) -> Option<&Card> {
        self.cards.iter().find(|card| card.id.as_str() == id)
    }

    /// Notes beside what they stood beside; frames around what they stood around.
    fn place_notes(&mut self, flow: &Flow, placed: &BTreeMap<&str, usize>) {
        let mut frames: Vec<(f32, Frame)> = Vec::new();
        for node in flow.nodes.iter().filter(|node| node.kind == "note") {
            let Some(Settings::Note(note)) = node.settings() else { continue };
            let size = card::size(node);
            let old = Area::around(finite(node.pos), (size.0.clamp(40.0, 1e5), size.1.clamp(20.0, 1e5)));
            let inside = flow.nodes.iter().filter(|step| {
                let (x, y) = finite(step.pos);
                note.size.is_some() && old.left <= x && x <= old.right && old.top <= y && y <= old.bottom
            });
            let inside: Vec<Area> =
                inside.filter_map(|step| placed.get(step.id.as_str())).map(|n| self.cards[*n].area).collect();
            if let Some(all) = inside.into_iter().reduce(|all, one| all.with(&one)) {
                let area = Area {
                    left: all.left.min(old.left + PAD) - PAD,
                    right: all.right.max(old.right - PAD) + PAD,
                    top: all.top - 38.0,
                    bottom: all.bottom + 18.0,
                };
                let heading = if node.title.is_empty() { note.text.as_str() } else { node.title.as_str() };
                let title = cut(heading, Weight::Semibold, 13.0, area.width() - 28.0);
                frames.push((
                    old.width() * old.height(),
                    Frame { id: node.id.clone(), area, title, color: note.color.clone() },
                ));
                continue;
            }
            let wide = old.width().clamp(140.0, 420.0);
            let mut lines = Vec::new();
            for paragraph in [node.title.as_str(), note.text.as_str()].into_iter().flat_map(str::lines) {
                lines.extend(wrap(paragraph, Weight::Regular, 11.5, wide - 24.0, 12));
            }
            lines.truncate(16);
            if lines.is_empty() {
                continue;
            }
            let high = 20.0 + lines.len() as f32 * SUMMARY_STEP;
            // As far below or beside the nearest step as on the canvas.
            let distance = |step: &Node| {
                let (a, b) = (finite(step.pos), finite(node.pos));
                (a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1)
            };
            let steps = flow.nodes.iter().filter(|step| placed.contains_key(step.id.as_str()));
            let nearest = steps.min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let down = nearest.and_then(|step| {
                let area = self.cards[*placed.get(step.id.as_str())?].area;
                Some(area.top - (finite(step.pos).1 - CARD_SIZE.1 / 2.0))
            });
            let mut area = Area::new(old.left, old.top + down.unwrap_or(0.0), wide, high);
            // Each move clears at least one obstacle for good: to the right there are only so many.
            for _ in 0..=self.cards.len() + self.notes.len() + self.ways.len() {
                let obstacles = self.cards.iter().map(|card| card.area).chain(self.notes.iter().map(|note| note.area));
                let hit = obstacles.filter(|other| other.grown(10.0).overlaps(&area)).map(|other| other.right + 18.0);
                let Some(right) = hit.reduce(f32::max) else { break };
                area = Area::new(right, area.top, wide, high);
            }
            self.notes.push(NoteCard { id: node.id.clone(), area, lines, color: note.color.clone() });
        }
        frames.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.frames = frames.into_iter().map(|(_, frame)| frame).collect();
    }
}

/// A place as far as it can be drawn.
fn finite((x, y): (f32, f32)) -> (f32, f32) {
    let ok = |n: f32| if n.is_finite() { n.clamp(-1e6, 1e6) } else { 0.0 };
    (ok(x), ok(y))
}

fn card_of(flow: &Flow, workspace: &Workspace, node: &Node, number: usize) -> Card {
    let spec = card::spec(&node.kind);
    let badge = width(&number.to_string(), Weight::Medium, 10.5) + 26.0;
    let room = CARD_SIZE.0 - TITLE_LEFT - badge;
    let kind = spec.map_or("Unknown step", |spec| spec.title);
    let kind = if node.muted { format!("{kind}, switched off") } else { kind.to_owned() };
    let mut title = wrap(node.title(), TITLE.0, TITLE.1, room, 2);
    if title.is_empty() {
        title.push(String::new());
    }
    let summary = wrap(&words::summary(flow, workspace, node), SUMMARY.0, SUMMARY.1, CARD_SIZE.0 - 2.0 * PAD, 6);
    let high = summary_top(title.len()) + summary.len().max(1) as f32 * SUMMARY_STEP + 8.0;
    let (x, y) = finite(node.pos);
    Card {
        id: node.id.clone(),
        number,
        area: Area::new(x - CARD_SIZE.0 / 2.0, y - CARD_SIZE.1 / 2.0, CARD_SIZE.0, high),
        family: card::family(&node.kind),
        icon: spec.map_or("question", |spec| spec.icon),
        kind: cut(&kind, KIND.0, KIND.1, room),
        title,
        summary,
        muted: node.muted,
    }
}

/// Where a summary begins below the top of its card.
pub(super) fn summary_top(title_lines: usize) -> f32 {
    54.0 + TITLE_STEP * (title_lines.max(1) - 1) as f32
}

/// Moves rows down until nothing overlaps.
fn place_rows(flow: &Flow, cards: &mut [Card]) {
    let mut order: Vec<usize> = (0..cards.len()).collect();
    let key = |n: &usize| (cards[*n].area.top, cards[*n].area.left);
    order.sort_by(|a, b| key(a).0.total_cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)).then(a.cmp(b)));
    // By rows: tops that hardly differ, no two over each other.
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for n in order {
        let area = cards[n].area;
        let fits = rows.last().is_some_and(|row| {
            area.top - cards[row[0]].area.top < ROW_TOLERANCE
                && row.iter().all(|other| {
                    let other = cards[*other].area;
                    area.left >= other.right + SIDE || area.right + SIDE <= other.left
                })
        });
        match rows.last_mut() {
            Some(row) if fits => row.push(n),
            _ => rows.push(vec![n]),
        }
    }
    let at: BTreeMap<&str, usize> = cards.iter().enumerate().map(|(n, card)| (card.id.as_str(), n)).collect();
    let wired: BTreeSet<(usize, usize)> = flow
        .edges
        .iter()
        .filter_map(|edge| Some((*at.get(edge.from.as_str())?, *at.get(edge.to.as_str())?)))
        .flat_map(|(a, b)| [(a, b), (b, a)])
        .collect();
    let has_labels: Vec<bool> =
        cards.iter().map(|card| flow.node(card.id.as_str()).is_some_and(|node| node.ports().len() > 1)).collect();
    let old: Vec<Area> = cards.iter().map(|card| card.area).collect();
    let mut above: Vec<usize> = Vec::with_capacity(cards.len());
    let mut tops = vec![0.0_f32; cards.len()];
    let mut last_top = rows.first().map_or(0.0, |row| old[row[0]].top);
    for row in rows {
        let mut top = last_top;
        for n in &row {
            for other in &above {
                let beside = old[*n].left >= old[*other].right + SIDE || old[*n].right + SIDE <= old[*other].left;
                if beside && !wired.contains(&(*n, *other)) {
                    continue;
                }
                // The canvas' cards are of one height.
                let least = if has_labels[*other] { GAPS.0 } else { GAPS.1 };
                let gap = (old[*n].top - old[*other].top - CARD_SIZE.1).min(MOST_GAP).max(least);
                // What the card above does not need of its own height is no gap.
                let gap = if gap > GAPS.0 { gap } else { least };
                top = top.max(tops[*other] + old[*other].height() + gap);
            }
        }
        for n in row {
            tops[n] = top;
            above.push(n);
        }
        last_top = top;
    }
    for (card, top) in cards.iter_mut().zip(tops) {
        card.area = Area::new(card.area.left, top, card.area.width(), card.area.height());
    }
}

fn ways(flow: &Flow, cards: &[Card], placed: &BTreeMap<&str, usize>) -> Vec<Way> {
    let areas: Vec<Area> = cards.iter().map(|card| card.area).collect();
    let frames = vec![false; areas.len()];
    let field = Field { cards: &areas, frames: &frames };
    let mut num_into = vec![0_usize; cards.len()];
    let mut targets: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for edge in &flow.edges {
        if let (Some(from), Some(to)) = (placed.get(edge.from.as_str()), placed.get(edge.to.as_str())) {
            num_into[*to] += 1;
            targets.insert((*from, edge.port.as_str()), *to);
        }
    }
    let look = cards.len() <= LOOK_MOST;
    let mut out = Vec::new();
    for (n, card) in cards.iter().enumerate() {
        let Some(node) = flow.node(card.id.as_str()) else { continue };
        let ports = node.ports();
        for (p, port) in ports.iter().enumerate() {
            let start = route::port_at(&areas[n], p, ports.len());
            let label = (ports.len() > 1).then(|| cut(&port.title, LABEL.0, LABEL.1, LABEL_MOST));
            let to = targets.get(&(n, port.name.as_str())).copied();
            let points = match to {
                Some(to) => route::route(start, (areas[to].center().0, areas[to].top), field, (n, to), look),
                None if label.is_some() => vec![start, (start.0, start.1 + 18.0)],
                // A step with one way out after which nothing comes: the card says enough.
                None => continue,
            };
            let label = label.map(|label| {
                let at =
                    if to.is_some_and(|to| num_into[to] > 1) { near_source(&points) } else { near_target(&points, to) };
                (label, at)
            });
            out.push(Way {
                from: card.id.clone(),
                port: port.name.to_string(),
                to: to.map(|to| cards[to].id.clone()),
                points,
                label,
            });
        }
    }
    out
}

fn near_target(points: &[Point], to: Option<usize>) -> Point {
    let [.., before, last] = points else { return (0.0, 0.0) };
    if to.is_none() {
        return (last.0, last.1 + 8.0);
    }
    let tail = (last.1 - before.1).abs();
    let back = if points.len() == 2 { (tail * 0.5).min(36.0) } else { (tail * 0.5 + 5.0).min(28.0) };
    (last.0, last.1 - back)
}

/// Where several ways end at one card each label stands on the way across, near its own port.
fn near_source(points: &[Point]) -> Point {
    match points {
        [_, a, b, _, ..] => {
            let across = b.0 - a.0;
            let along = (across.abs() * 0.5).min(64.0).max(across.abs().min(34.0));
            (a.0 + across.signum() * along, a.1)
        }
        [a, b, ..] => (a.0 + (b.0 - a.0) * 0.5, a.1 + (b.1 - a.1) * 0.5),
        _ => (0.0, 0.0),
    }
}

impl Way {
    /// Where the label's pill lies.
    pub fn label_area(&self) -> Option<Area> {
        let (label, at) = self.label.as_ref()?;
        Some(Area::around(*at, (width(label, LABEL.0, LABEL.1) + 16.0, 19.0)))
    }
}
