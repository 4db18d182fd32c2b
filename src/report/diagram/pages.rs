//! The picture on sheets of paper, in points: one sheet where it can be read on one, else an overview and a sheet for
//! each part.
//!
//! The one idea: what is too large is cut where no card stands, and every cut says on which page it goes on.

use super::{
    draw::{Marking, below_title, inner, legend},
    layout::Diagram,
};
use crate::report::{
    About,
    font::{Weight, cut, width},
    look::{INK, LINE, PAPER, Rgb, WEAK, mix},
    scene::{Anchor, Area, Group, Mark, Op, Scene, stroked, text, text_at},
};

/// A size of paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Paper {
    /// A4, upright or across, whichever shows the flow on fewer pages.
    #[default]
    Auto,
    /// A4 upright.
    A4Portrait,
    /// A4 across.
    A4Landscape,
    /// A3 upright.
    A3Portrait,
    /// A3 across.
    A3Landscape,
}

impl Paper {
    /// Width and height in points. Source: ISO 216, a point is 1/72 inch.
    fn size(self) -> (f32, f32) {
        match self {
            Self::Auto | Self::A4Portrait => (595.28, 841.89),
            Self::A4Landscape => (841.89, 595.28),
            Self::A3Portrait => (841.89, 1190.55),
            Self::A3Landscape => (1190.55, 841.89),
        }
    }
}

/// Room around a sheet, in points; printers reach less than half of it.
const MARGIN: f32 = 34.0;
/// Height of the line at the top and of the one at the bottom.
const HEAD: f32 = 40.0;
const FOOT: f32 = 34.0;
/// Points for a canvas unit. Most: larger looks like a poster. Least: the smallest words are then 6.4 points, which can
/// be read in print. Source: assumption, as small as in the footnotes of a contract.
const SCALES: (f32, f32) = (0.9, 0.56);
/// Points for a canvas unit where a flow takes several sheets.
const TILE_SCALE: f32 = 0.64;
/// What neighbouring sheets both show, in canvas units on each side of the cut.
const OVERLAP: f32 = 10.0;
/// Most sheets; beyond that the parts are drawn smaller. Source: assumption, nobody pins up more.
const MOST_SHEETS: usize = 120;

/// The flow on sheets; at least one. Every page says what it is, of when, and its number.
pub fn pages(diagram: &Diagram, about: &About, accent: Rgb, paper: Paper) -> Vec<Scene> {
    let papers: &[Paper] = match paper {
        Paper::Auto => &[Paper::A4Portrait, Paper::A4Landscape],
        _ => &[paper],
    };
    let plans = papers.iter().map(|paper| Plan::new(diagram, *paper));
    // The fewest sheets, then the largest words, then the first named.
    let best = plans.reduce(|best, other| {
        let better = (other.tiles.len() < best.tiles.len())
            || (other.tiles.len() == best.tiles.len() && other.scale > best.scale + 0.02);
        if better { other } else { best }
    });
    let Some(plan) = best else { return Vec::new() };
    let marks = inner(diagram, &Marking::new());
    let num_pages = if plan.tiles.len() > 1 { plan.tiles.len() + 1 } else { 1 };
    let mut out = Vec::with_capacity(num_pages);
    if plan.tiles.len() > 1 {
        out.push(overview(diagram, about, accent, &plan, num_pages, &marks));
    }
    for n in 0..plan.tiles.len() {
        out.push(sheet(diagram, about, accent, &plan, num_pages, n, &marks));
    }
    out
}

/// A part of the flow on a sheet.
struct Tile {
    /// What it shows, in canvas units, without what it shares with others.
    area: Area,
    /// Its row and column.
    place: (usize, usize),
}

struct Plan {
    paper: (f32, f32),
    scale: f32,
    tiles: Vec<Tile>,
}

impl Plan {
    fn new(diagram: &Diagram, paper: Paper) -> Self {
        let paper = paper.size();
        let (wide, high) = room(paper);
        let bounds = diagram.bounds.grown(6.0);
        let fitting = (wide / bounds.width().max(1.0)).min(high / bounds.height().max(1.0)).min(SCALES.0);
        let across = wide / (bounds.width() + 2.0 * OVERLAP).max(1.0);
        if fitting >= SCALES.1 {
            return Self { paper, scale: fitting, tiles: vec![Tile { area: bounds, place: (0, 0) }] };
        }
        // One column of sheets reads best; its words may be a little smaller than on sheets of several columns.
        let is_column = (SCALES.1 - 0.06..TILE_SCALE).contains(&across);
        let mut scale = if is_column { across * 0.999 } else { TILE_SCALE };
        loop {
            let tiles = tiles(diagram, bounds, (wide / scale - 2.0 * OVERLAP, high / scale - 2.0 * OVERLAP));
            // Halving the scale quarters the number of sheets: this ends.
            if tiles.len() <= MOST_SHEETS || scale < 0.01 {
                return Self { paper, scale, tiles };
            }
            scale *= 0.75;
        }
    }
}

/// Width and height of a sheet's middle.
fn room((wide, high): (f32, f32)) -> (f32, f32) {
    (wide - 2.0 * MARGIN, high - 2.0 * MARGIN - HEAD - FOOT)
}

/// The parts of a flow that is larger than `room`; parts with nothing in them are left out.
fn tiles(diagram: &Diagram, bounds: Area, room: (f32, f32)) -> Vec<Tile> {
    let obstacles: Vec<Area> =
        diagram.cards.iter().map(|card| card.area).chain(diagram.notes.iter().map(|note| note.area)).collect();
    let rows =
        cuts(bounds.top, bounds.bottom, room.1, &|| obstacles.iter().map(|area| (area.top, area.bottom)).collect());
    let mut out = Vec::new();
    for (row, high) in rows.windows(2).enumerate() {
        let (top, bottom) = (high[0], high[1]);
        // What stands in this row decides where it is cut across.
        let inside: Vec<&Area> = obstacles.iter().filter(|area| area.top < bottom && area.bottom > top).collect();
        let columns =
            cuts(bounds.left, bounds.right, room.0, &|| inside.iter().map(|area| (area.left, area.right)).collect());
        for (column, wide) in columns.windows(2).enumerate() {
            let area = Area { left: wide[0], right: wide[1], top, bottom };
            let is_way = |points: &[(f32, f32)]| {
                points
                    .windows(2)
                    .any(|piece| Area::of_points(piece).is_some_and(|piece| piece.grown(0.5).overlaps(&area)))
            };
            if inside.iter().any(|card| card.overlaps(&area)) || diagram.ways.iter().any(|way| is_way(&way.points)) {
                out.push(Tile { area, place: (row, column) });
            }
        }
    }
    out
}

/// Where a length is cut into pieces of at most `most`, both ends included: where nothing stands, if there is such a
/// place in the last two fifths of a piece.
fn cuts(from: f32, until: f32, most: f32, obstacles: &dyn Fn() -> Vec<(f32, f32)>) -> Vec<f32> {
    let most = most.max(1.0);
    let mut out = vec![from];
    let mut spans = obstacles();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut at = from;
    while until - at > most {
        let (earliest, latest) = (at + most * 0.6, at + most);
        let is_free = |x: f32| spans.iter().all(|(a, b)| x <= a - 4.0 || x >= b + 4.0);
        // Only the edges of what stands there can be the best place.
        let candidates = spans.iter().flat_map(|(a, b)| [a - 30.0, a - 6.0, b + 6.0, b + 30.0]).chain([latest]);
        let best = candidates
            .filter(|x| (earliest..=latest).contains(x) && is_free(*x))
            .fold(None, |best: Option<f32>, x| Some(best.map_or(x, |best| best.max(x))));
        at = best.unwrap_or(latest);
        out.push(at);
    }
    out.push(until);
    out
}

/// Head and foot of a page.
fn frame(out: &mut Vec<Mark>, diagram: &Diagram, about: &About, accent: Rgb, paper: (f32, f32), page: (usize, usize)) {
    let (wide, high) = paper;
    let inner = wide - 2.0 * MARGIN;
    out.push(Mark::Rect {
        area: Area::new(0.0, 0.0, wide, high),
        radius: 0.0,
        fill: Some(PAPER),
        line: None,
        dashed: false,
    });
    let name = cut(&about.name, Weight::Semibold, 13.0, inner * 0.5);
    out.push(text((MARGIN, MARGIN + 11.0), name, (Weight::Semibold, 13.0), accent));
    let line = cut(&below_title(about), Weight::Regular, 8.5, inner * 0.48);
    out.push(text_at((wide - MARGIN, MARGIN + 11.0), Anchor::End, line, (Weight::Regular, 8.5), WEAK));
    out.push(stroked(vec![Op::Move(MARGIN, MARGIN + 22.0), Op::Line(wide - MARGIN, MARGIN + 22.0)], LINE, 0.8));
    let bottom = high - MARGIN;
    let number = format!("Page {} of {}", page.0, page.1);
    let taken = width(&number, Weight::Regular, 8.5) + 16.0;
    let scale = 0.78;
    let (marks, _) = legend(diagram, (inner - taken) / scale);
    out.push(Mark::Group(Group {
        label: "Legend".to_owned(),
        scale: Some((scale, (MARGIN, bottom - 13.0))),
        marks,
        ..Group::default()
    }));
    out.push(text_at((wide - MARGIN, bottom - 3.0), Anchor::End, number, (Weight::Regular, 8.5), WEAK));
}

fn sheet(
    diagram: &Diagram,
    about: &About,
    accent: Rgb,
    plan: &Plan,
    num_pages: usize,
    n: usize,
    marks: &[Mark],
) -> Scene {
    let first = num_pages - plan.tiles.len() + 1;
    let tile = &plan.tiles[n];
    let is_part = plan.tiles.len() > 1;
    let mut out = Vec::new();
    frame(&mut out, diagram, about, accent, plan.paper, (first + n, num_pages));
    let (wide, high) = room(plan.paper);
    let seen = tile.area.grown(if is_part { OVERLAP } else { 0.0 });
    let scale = plan.scale;
    // In the middle across; parts begin at the top, a whole flow stands a little above the middle.
    let left = MARGIN + (wide - seen.width() * scale) / 2.0;
    let spare = (high - seen.height() * scale).max(0.0);
    let top = MARGIN + HEAD + if is_part { 0.0 } else { spare * 0.35 };
    let place = (left - seen.left * scale, top - seen.top * scale);
    // What is not seen on this sheet is not written to it either.
    let shown: Vec<Mark> = marks.iter().filter(|mark| is_seen(mark, &seen)).cloned().collect();
    out.push(Mark::Group(Group { scale: Some((scale, place)), clip: Some(seen), marks: shown, ..Group::default() }));
    if is_part {
        let on_paper = |area: &Area| Area {
            left: place.0 + area.left * scale,
            top: place.1 + area.top * scale,
            right: place.0 + area.right * scale,
            bottom: place.1 + area.bottom * scale,
        };
        overlap_marks(&mut out, plan, n, first, &on_paper(&tile.area), &on_paper(&seen));
    }
    Scene { width: plan.paper.0, height: plan.paper.1, marks: out }
}

/// Dashed lines where the sheet is cut, and on which page it goes on.
fn overlap_marks(out: &mut Vec<Mark>, plan: &Plan, n: usize, first: usize, cut: &Area, seen: &Area) {
    let tile = &plan.tiles[n];
    let touches = |other: &Tile| {
        let (a, b) = (&tile.area, &other.area);
        let over =
            |low: f32, high: f32, other_low: f32, other_high: f32| high.min(other_high) - low.max(other_low) > 1.0;
        if a.bottom == b.top || a.top == b.bottom {
            over(a.left, a.right, b.left, b.right)
        } else {
            (a.right == b.left || a.left == b.right) && a.top == b.top
        }
    };
    let neighbours: Vec<(usize, &Tile)> =
        plan.tiles.iter().enumerate().filter(|(other, tile)| *other != n && touches(tile)).collect();
    let mut side =
        |from: (f32, f32), to: (f32, f32), pages: Vec<usize>, at: (f32, f32), anchor: Anchor, arrow: &str| {
            if pages.is_empty() {
                return;
            }
            let line = Some((mix(PAPER, INK, 0.45), 0.7));
            out.push(Mark::Path {
                ops: vec![Op::Move(from.0, from.1), Op::Line(to.0, to.1)],
                fill: None,
                line,
                dashed: true,
            });
            let pages: Vec<String> = pages.iter().map(|n| (first + n).to_string()).collect();
            let word = if pages.len() == 1 { "page" } else { "pages" };
            let said = format!("{arrow} {word} {}", pages.join(", "));
            let wide = width(&said, Weight::Medium, 7.5) + 10.0;
            let left = match anchor {
                Anchor::Start => at.0,
                Anchor::Middle => at.0 - wide / 2.0,
                Anchor::End => at.0 - wide,
            };
            let area = Area::new(left, at.1 - 6.5, wide, 13.0);
            out.push(Mark::Rect { area, radius: 6.5, fill: Some(PAPER), line: Some((LINE, 0.7)), dashed: false });
            out.push(text_at((area.center().0, area.top + 9.2), Anchor::Middle, said, (Weight::Medium, 7.5), WEAK));
        };
    let of = |is: &dyn Fn(&Tile) -> bool| {
        neighbours.iter().filter(|(_, tile)| is(tile)).map(|(n, _)| *n).collect::<Vec<_>>()
    };
    let (row, column) = tile.place;
    side(
        (seen.left, cut.bottom),
        (seen.right, cut.bottom),
        of(&|o| o.place.0 == row + 1),
        (seen.left + 8.0, cut.bottom),
        Anchor::Start,
        "\u{2193}",
    );
    side(
        (seen.left, cut.top),
        (seen.right, cut.top),
        of(&|o| o.place.0 + 1 == row),
        (seen.left + 8.0, cut.top),
        Anchor::Start,
        "\u{2191}",
    );
    side(
        (cut.right, seen.top),
        (cut.right, seen.bottom),
        of(&|o| o.place.0 == row && o.place.1 == column + 1),
        (seen.right, seen.top + 10.0),
        Anchor::End,
        "\u{2192}",
    );
    side(
        (cut.left, seen.top),
        (cut.left, seen.bottom),
        of(&|o| o.place.0 == row && o.place.1 + 1 == column),
        (seen.left, seen.top + 10.0),
        Anchor::Start,
        "\u{2190}",
    );
}

/// The whole flow small, with the parts and their pages over it.
fn overview(diagram: &Diagram, about: &About, accent: Rgb, plan: &Plan, num_pages: usize, marks: &[Mark]) -> Scene {
    let mut out = Vec::new();
    frame(&mut out, diagram, about, accent, plan.paper, (1, num_pages));
    let (wide, high) = room(plan.paper);
    let head = 22.0;
    out.push(text(
        (MARGIN, MARGIN + HEAD + 6.0),
        "Overview: the parts and the pages they stand on",
        (Weight::Medium, 10.0),
        INK,
    ));
    let seen = diagram.bounds.grown(8.0);
    let scale = (wide / seen.width().max(1.0)).min((high - head) / seen.height().max(1.0)).min(SCALES.0);
    let left = MARGIN + (wide - seen.width() * scale) / 2.0;
    let place = (left - seen.left * scale, MARGIN + HEAD + head - seen.top * scale);
    out.push(Mark::Group(Group { scale: Some((scale, place)), marks: marks.to_vec(), ..Group::default() }));
    for (n, tile) in plan.tiles.iter().enumerate() {
        let area = Area {
            left: place.0 + tile.area.left * scale,
            right: place.0 + tile.area.right * scale,
            top: place.1 + tile.area.top * scale,
            bottom: place.1 + tile.area.bottom * scale,
        };
        out.push(Mark::Rect { area, radius: 2.0, fill: None, line: Some((accent, 0.8)), dashed: true });
        let number = (n + 2).to_string();
        let size = 11.0;
        let pill = Area::new(area.left + 4.0, area.top + 4.0, width(&number, Weight::Semibold, size) + 12.0, 17.0);
        out.push(Mark::Rect { area: pill, radius: 8.5, fill: Some(accent), line: None, dashed: false });
        out.push(text_at((pill.center().0, pill.top + 12.4), Anchor::Middle, number, (Weight::Semibold, size), PAPER));
    }
    Scene { width: plan.paper.0, height: plan.paper.1, marks: out }
}

/// Whether a part of the flow's picture can be seen in an area.
fn is_seen(mark: &Mark, seen: &Area) -> bool {
    let area = match mark {
        Mark::Rect { area, .. } => Some(*area),
        Mark::Path { ops, .. } => {
            let points: Vec<(f32, f32)> = ops
                .iter()
                .flat_map(|op| match *op {
                    Op::Move(x, y) | Op::Line(x, y) => vec![(x, y)],
                    Op::Quad(a, b, x, y) => vec![(a, b), (x, y)],
                    Op::Curve(a, b, c, d, x, y) => vec![(a, b), (c, d), (x, y)],
                    Op::Close => Vec::new(),
                })
                .collect();
            Area::of_points(&points)
        }
        Mark::Text(text) => {
            let wide = width(&text.text, text.weight, text.size);
            Some(Area::around(text.at, (2.0 * wide, 2.0 * text.size)))
        }
        // Groups of the flow's picture are cards and notes: their first mark is the largest.
        Mark::Group(group) => return group.marks.iter().any(|mark| is_seen(mark, seen)),
    };
    area.is_some_and(|area| area.grown(4.0).overlaps(seen))
}
