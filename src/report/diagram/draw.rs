//! The layout as marks: cards in the studio's look for paper, title, legend.

use std::collections::BTreeMap;

use super::layout::{
    Card, Diagram, Frame, KIND, LABEL, NoteCard, PAD, SUMMARY, SUMMARY_STEP, TITLE, TITLE_LEFT, TITLE_STEP, Way,
    summary_top,
};
use crate::{
    base::NodeId,
    flow::card::Family,
    report::{
        About,
        diff::Sign,
        font::{self, Weight, cut, width},
        look::{self, INK, LINE, PAPER, Rgb, WEAK, mix},
        scene::{Anchor, Area, Group, Mark, Op, Scene, filled, stroked, text, text_at},
    },
};

/// Room around the picture.
const MARGIN: f32 = 40.0;
/// Height of the title block.
const HEAD: f32 = 84.0;
/// Height of a row of the legend.
const LEGEND: f32 = 30.0;
/// Least width, so that the title has room.
const LEAST_WIDTH: f32 = 560.0;
/// Radius of the corners of ways. Source: the canvas.
const CORNER: f32 = 11.0;

/// The colour of a sign, and its letter as it is set.
fn look_of(sign: Sign) -> (Rgb, &'static str) {
    match sign {
        Sign::Added => (look::ADDED, "+"),
        Sign::Removed => (look::REMOVED, "\u{2212}"),
        Sign::Changed => (look::CHANGED, "\u{2260}"),
    }
}

/// Signs by step; empty for a plain picture.
pub type Marking = BTreeMap<NodeId, Sign>;

/// The whole picture with title and legend.
pub fn whole(diagram: &Diagram, about: &About, accent: Rgb) -> Scene {
    let content = diagram.bounds.grown(4.0);
    let wide = content.width().max(LEAST_WIDTH) + 2.0 * MARGIN;
    let legend = legend(diagram, wide - 2.0 * MARGIN);
    let legend_top = HEAD + MARGIN + content.height() + 28.0;
    let high = legend_top + legend.1 + MARGIN * 0.6;
    let mut marks = vec![Mark::Rect {
        area: Area::new(0.0, 0.0, wide, high),
        radius: 0.0,
        fill: Some(PAPER),
        line: None,
        dashed: false,
    }];
    title(&mut marks, about, accent, wide);
    let left = (wide - content.width()) / 2.0 - content.left;
    marks.push(Mark::Group(Group {
        scale: Some((1.0, (left, HEAD + MARGIN - content.top))),
        marks: inner(diagram, &Marking::new()),
        ..Group::default()
    }));
    marks.push(Mark::Group(Group {
        label: "Legend".to_owned(),
        scale: Some((1.0, (MARGIN, legend_top))),
        marks: legend.0,
        ..Group::default()
    }));
    Scene { width: wide, height: high, marks }
}

/// The picture alone, with its legend below: for a page that says itself what it is.
pub fn bare(diagram: &Diagram) -> Scene {
    let content = diagram.bounds.grown(6.0);
    let wide = content.width().max(360.0);
    let (legend, high) = legend(diagram, wide);
    let left = (wide - content.width()) / 2.0 - content.left;
    let flow =
        Group { scale: Some((1.0, (left, -content.top))), marks: inner(diagram, &Marking::new()), ..Group::default() };
    let below = (0.0, content.height() + 24.0);
    let legend = Group { label: "Legend".to_owned(), scale: Some((1.0, below)), marks: legend, ..Group::default() };
    Scene { width: wide, height: below.1 + high, marks: vec![Mark::Group(flow), Mark::Group(legend)] }
}

/// Name, client, date and fingerprint.
fn title(out: &mut Vec<Mark>, about: &About, accent: Rgb, wide: f32) {
    let room = wide - 2.0 * MARGIN;
    out.push(filled(crate::report::scene::rounded(&Area::new(MARGIN, 34.0, 5.0, 44.0), 2.5), accent));
    let name = cut(&about.name, Weight::Semibold, 22.0, room - 20.0);
    out.push(text((MARGIN + 18.0, 53.0), name, (Weight::Semibold, 22.0), INK));
    let line = cut(&below_title(about), Weight::Regular, 12.0, room - 20.0);
    out.push(text((MARGIN + 18.0, 74.0), line, (Weight::Regular, 12.0), WEAK));
    out.push(stroked(vec![Op::Move(MARGIN, HEAD + 12.0), Op::Line(wide - MARGIN, HEAD + 12.0)], LINE, 1.0));
}

/// "Meridian Watches · 26 November 2026 · version 12ab 34cd 56ef".
pub(super) fn below_title(about: &About) -> String {
    let version = format!("version {}", about.short_fingerprint());
    let parts = [about.client.as_str(), about.date.as_str(), version.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  \u{b7}  ")
}

/// What a family is called in the legend.
fn family_title(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Trigger => ("bolt", "Entry"),
        Family::Delay => ("clock", "Wait"),
        Family::Condition => ("branch", "Question"),
        Family::Split => ("split", "Test"),
        Family::Message => ("mail", "Message"),
        Family::Action => ("webhook", "Action"),
        Family::Exit => ("log-out", "End"),
        Family::Note => ("sticky-note", "Note"),
        Family::Unknown => ("question", "Unknown step"),
    }
}

/// The families that there are, in rows; and how high they are together.
pub(super) fn legend(diagram: &Diagram, room: f32) -> (Vec<Mark>, f32) {
    let mut families: Vec<Family> = diagram.cards.iter().map(|card| card.family).collect();
    if !diagram.notes.is_empty() {
        families.push(Family::Note);
    }
    families.sort_unstable();
    families.dedup();
    let mut marks = Vec::new();
    let (mut x, mut y) = (0.0, 0.0);
    for family in families {
        let (icon, title) = family_title(family);
        let wide = 22.0 + width(title, Weight::Regular, 11.0) + 20.0;
        if x > 0.0 && x + wide > room {
            (x, y) = (0.0, y + LEGEND);
        }
        tile(&mut marks, (x, y), 16.0, icon, family, false);
        marks.push(text((x + 22.0, y + 12.0), title, (Weight::Regular, 11.0), WEAK));
        x += wide;
    }
    (marks, y + LEGEND)
}

/// The icon of a family on its tint.
fn tile(out: &mut Vec<Mark>, (x, y): (f32, f32), size: f32, icon: &str, family: Family, faded: bool) {
    let color = if faded { WEAK } else { look::family(family) };
    let area = Area::new(x, y, size, size);
    out.push(filled(crate::report::scene::rounded(&area, size * 0.235), mix(PAPER, color, 0.13)));
    let glyph = size * 0.56;
    let by = (size - glyph) / 2.0;
    let ops = font::icon(icon, glyph).into_iter().map(|op| op.moved(x + by, y + by)).collect();
    out.push(filled(ops, color));
}

/// Everything of the flow itself, in canvas units; steps with a sign are marked.
pub fn inner(diagram: &Diagram, marking: &Marking) -> Vec<Mark> {
    let mut out = Vec::new();
    for frame in &diagram.frames {
        self::frame(&mut out, frame);
    }
    for way in &diagram.ways {
        self::way(&mut out, way);
    }
    for note in &diagram.notes {
        self::note(&mut out, note);
    }
    for card in &diagram.cards {
        self::card(&mut out, card, marking.get(&card.id).copied());
    }
    for way in &diagram.ways {
        label(&mut out, way, diagram);
    }
    out
}

fn frame(out: &mut Vec<Mark>, frame: &Frame) {
    let tint = look::note(&frame.color);
    let marks = vec![
        Mark::Rect {
            area: frame.area,
            radius: 14.0,
            fill: Some(mix(PAPER, tint, 0.04)),
            line: Some((mix(PAPER, tint, 0.4), 1.0)),
            dashed: false,
        },
        text(
            (frame.area.left + 14.0, frame.area.top + 23.0),
            frame.title.clone(),
            (Weight::Semibold, 13.0),
            mix(INK, tint, 0.35),
        ),
    ];
    let label = if frame.title.is_empty() { "Frame".to_owned() } else { format!("Frame: {}", frame.title) };
    out.push(Mark::Group(Group { label, step: frame.id.to_string(), marks, ..Group::default() }));
}

fn note(out: &mut Vec<Mark>, note: &NoteCard) {
    let tint = look::note(&note.color);
    let mut marks = vec![Mark::Rect {
        area: note.area,
        radius: 10.0,
        fill: Some(mix(PAPER, tint, 0.1)),
        line: Some((mix(PAPER, tint, 0.4), 1.0)),
        dashed: false,
    }];
    for (n, line) in note.lines.iter().enumerate() {
        let at = (note.area.left + 12.0, note.area.top + 22.0 + n as f32 * SUMMARY_STEP);
        marks.push(text(at, line.clone(), SUMMARY, INK));
    }
    out.push(Mark::Group(Group { label: "Note".to_owned(), step: note.id.to_string(), marks, ..Group::default() }));
}

fn card(out: &mut Vec<Mark>, card: &Card, sign: Option<Sign>) {
    let area = card.area;
    let mut marks = Vec::new();
    if let Some(sign) = sign {
        let around = area.grown(5.0);
        let (line, fill) = (Some((look_of(sign).0, 2.0)), Some(mix(PAPER, look_of(sign).0, 0.08)));
        marks.push(Mark::Rect { area: around, radius: 16.0, fill, line, dashed: sign == Sign::Removed });
    }
    let line = Some((LINE, 1.1));
    marks.push(Mark::Rect { area, radius: 12.0, fill: Some(PAPER), line, dashed: card.muted });
    let ink = if card.muted { WEAK } else { INK };
    let color = if card.muted { WEAK } else { look::family(card.family) };
    tile(&mut marks, (area.left + PAD, area.top + PAD), 34.0, card.icon, card.family, card.muted);
    marks.push(text((area.left + TITLE_LEFT, area.top + 22.5), card.kind.clone(), KIND, color));
    for (n, line) in card.title.iter().enumerate() {
        let at = (area.left + TITLE_LEFT, area.top + 40.5 + n as f32 * TITLE_STEP);
        marks.push(text(at, line.clone(), TITLE, ink));
    }
    for (n, line) in card.summary.iter().enumerate() {
        let at = (area.left + PAD, area.top + summary_top(card.title.len()) + 11.5 + n as f32 * SUMMARY_STEP);
        marks.push(text(at, line.clone(), SUMMARY, WEAK));
    }
    let number = card.number.to_string();
    let wide = width(&number, Weight::Medium, 10.5) + 11.0;
    let badge = Area::new(area.right - 10.0 - wide, area.top + 11.0, wide, 16.0);
    marks.push(filled(crate::report::scene::rounded(&badge, 8.0), mix(PAPER, INK, 0.07)));
    marks.push(text_at((badge.center().0, badge.top + 11.8), Anchor::Middle, number, (Weight::Medium, 10.5), WEAK));
    if let Some(sign) = sign {
        let (x, y) = (area.left - 5.0, area.top - 5.0);
        let circle = Area::around((x, y), (20.0, 20.0));
        marks.push(filled(crate::report::scene::rounded(&circle, 10.0), look_of(sign).0));
        marks.push(text_at((x, y + 4.8), Anchor::Middle, look_of(sign).1, (Weight::Semibold, 14.0), PAPER));
    }
    let label = format!("Step {}: {}, {}", card.number, card.kind, card.title.join(" "));
    out.push(Mark::Group(Group { label, step: card.id.to_string(), marks, ..Group::default() }));
}

fn way(out: &mut Vec<Mark>, way: &Way) {
    let mut points = way.points.clone();
    let Some(end) = points.last().copied() else { return };
    if way.to.is_some() {
        if let Some(last) = points.last_mut() {
            last.1 -= 8.0;
        }
        out.push(stroked(rounded_way(&points), look::EDGE, 1.5));
        let (x, y) = (end.0, end.1 - 1.0);
        let head = vec![Op::Move(x - 4.5, y - 7.5), Op::Line(x + 4.5, y - 7.5), Op::Line(x, y), Op::Close];
        out.push(filled(head, look::EDGE));
    } else {
        let line = Some((look::EDGE, 1.5));
        out.push(Mark::Path { ops: rounded_way(&points), fill: None, line, dashed: true });
    }
}

/// A way with round corners.
fn rounded_way(points: &[(f32, f32)]) -> Vec<Op> {
    let mut ops = Vec::with_capacity(points.len() * 2);
    let Some((first, last)) = points.first().zip(points.last()) else { return ops };
    ops.push(Op::Move(first.0, first.1));
    for corner in points.windows(3) {
        let (before, at, after) = (corner[0], corner[1], corner[2]);
        let length = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0).abs() + (a.1 - b.1).abs();
        let (back, ahead) = (length(before, at), length(at, after));
        let r = CORNER.min(back / 2.0).min(ahead / 2.0);
        if r < 0.5 {
            ops.push(Op::Line(at.0, at.1));
            continue;
        }
        // Pieces run along the axes, so the length is the one difference there is.
        let toward = |from: (f32, f32), to: (f32, f32), by: f32, length: f32| {
            (from.0 + (to.0 - from.0) / length * by, from.1 + (to.1 - from.1) / length * by)
        };
        let (a, b) = (toward(at, before, r, back), toward(at, after, r, ahead));
        ops.push(Op::Line(a.0, a.1));
        ops.push(Op::Quad(at.0, at.1, b.0, b.1));
    }
    ops.push(Op::Line(last.0, last.1));
    ops
}

fn label(out: &mut Vec<Mark>, way: &Way, diagram: &Diagram) {
    let (Some((label, _)), Some(area)) = (&way.label, way.label_area()) else { return };
    let family = diagram.card(way.from.as_str()).map_or(Family::Unknown, |card| card.family);
    let color = look::family(family);
    let (line, fill) = (Some((mix(PAPER, color, 0.45), 1.0)), Some(PAPER));
    out.push(Mark::Rect { area, radius: 9.5, fill, line, dashed: way.to.is_none() });
    out.push(text_at((area.center().0, area.top + 13.4), Anchor::Middle, label.clone(), LABEL, color));
}
