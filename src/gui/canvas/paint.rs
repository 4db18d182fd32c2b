//! Paints cards, edges, grid and minimap. Three levels of detail; far things are one mesh each.
//!
//! The one idea: cull before any layout, string or id work; lay text out at a quarter-point size, so that it stays
//! crisp at every zoom and the galley cache is hit while panning.

use egui::{
    Align2, Color32, CornerRadius, FontId, Mesh, Painter, Pos2, Rect, Shadow, Shape, Stroke, StrokeKind, pos2, vec2,
};

use super::geometry::{EDGE_RADIUS, EdgePath, Geometry, Projection, rounded};
use crate::{
    app::card::{self, Family},
    base::Severity,
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// From this zoom on cards are drawn whole.
pub const FULL_ZOOM: f32 = 0.5;
/// From this zoom on cards have icon and title; below, everything is one mesh.
pub const PLAIN_ZOOM: f32 = 0.22;

/// What a card says, worked out once per revision.
#[derive(Clone, Debug)]
pub struct CardText {
    /// Family of the kind.
    pub family: Family,
    /// Glyph of the kind.
    pub icon: &'static str,
    /// Name of the kind.
    pub kind: &'static str,
    /// The step's title.
    pub title: String,
    /// One line about its settings.
    pub summary: String,
    /// Number of ports.
    pub num_ports: usize,
}

/// How a card looks besides its text.
#[derive(Clone, Debug, Default)]
pub struct CardLook {
    /// It is selected.
    pub selected: bool,
    /// It has the keyboard.
    pub focused: bool,
    /// The pointer is over it.
    pub hovered: bool,
    /// Journeys pass through it at once.
    pub muted: bool,
    /// On the way of the chosen contact.
    pub on_way: bool,
    /// On their way with the changes of the what-if panel.
    pub what_if: bool,
    /// The worst finding.
    pub mark: Option<Severity>,
    /// What the replay counted, or the engine.
    pub counts: String,
    /// How many people stand there in the engine, and how many of these are held.
    pub live: Option<(i64, i64)>,
}

fn text_size(size: f32, zoom: f32, zooming: bool) -> f32 {
    let at = size * zoom;
    if zooming { at.round().max(1.0) } else { (at * 4.0).round() / 4.0 }
}

fn font(base: FontId, zoom: f32, zooming: bool) -> FontId {
    FontId { size: text_size(base.size, zoom, zooming), ..base }
}

/// One line of text, cut with "…" where it is wider than `width`.
pub fn line(painter: &Painter, at: Pos2, align: Align2, text: &str, font: FontId, color: Color32, width: f32) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.replace('\n', " "), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(1.0));
    let galley = painter.layout_job(job);
    let rect = align.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, color);
    rect
}

/// The dots behind everything: one mesh.
pub fn grid(painter: &Painter, projection: &Projection, palette: &Palette) {
    const STEP: f32 = 24.0;
    let mut step = STEP;
    while step * projection.zoom < 14.0 {
        step *= 2.0;
    }
    let seen = projection.visible_in_canvas();
    let size = if projection.zoom > 0.8 { 1.5 } else { 1.0 };
    let mut mesh = Mesh::default();
    let (columns, rows) = ((seen.width() / step) as usize + 2, (seen.height() / step) as usize + 2);
    mesh.reserve_vertices(columns * rows * 4);
    mesh.reserve_triangles(columns * rows * 2);
    let first = pos2((seen.left() / step).floor() * step, (seen.top() / step).floor() * step);
    for row in 0..rows {
        for column in 0..columns {
            let at = projection.screen_from_canvas(first + vec2(column as f32, row as f32) * step);
            mesh.add_colored_rect(Rect::from_center_size(at, vec2(size, size)), palette.grid);
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// Cards far away: one mesh of coloured rectangles; gives how many were drawn.
pub fn far_cards(
    painter: &Painter,
    geometry: &Geometry,
    projection: &Projection,
    color_of: impl Fn(usize) -> (Color32, bool),
) -> usize {
    let seen = projection.visible_in_canvas();
    let mut mesh = Mesh::default();
    let mut drawn = 0;
    for (n, card) in geometry.cards.iter().enumerate() {
        if seen.intersects(*card) && !geometry.frames[n] && !geometry.hidden[n] {
            let (color, selected) = color_of(n);
            let rect = projection.screen_from_canvas_rect(*card);
            if selected {
                mesh.add_colored_rect(rect.expand(2.0), theme::mix(color, Color32::WHITE, 0.5));
            }
            mesh.add_colored_rect(rect, color);
            drawn += 1;
        }
    }
    painter.add(Shape::mesh(mesh));
    drawn
}

/// Edges far away: one mesh of thin rectangles.
pub fn far_edges(painter: &Painter, geometry: &Geometry, projection: &Projection, color: Color32) {
    let seen = projection.visible_in_canvas();
    let mut mesh = Mesh::default();
    for edge in geometry.edges.iter().filter(|edge| edge.bounds.expand(1.0).intersects(seen)) {
        for piece in edge.points.windows(2) {
            let rect =
                Rect::from_two_pos(projection.screen_from_canvas(piece[0]), projection.screen_from_canvas(piece[1]));
            mesh.add_colored_rect(rect.expand(0.5), color);
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// How an edge looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct EdgeLook {
    /// It is selected.
    pub selected: bool,
    /// The pointer is over it.
    pub hovered: bool,
    /// On the way of the chosen contact.
    pub on_way: bool,
    /// On their way with the changes of the what-if panel.
    pub what_if: bool,
}

/// One edge with its arrow head.
pub fn edge(painter: &Painter, edge: &EdgePath, projection: &Projection, palette: &Palette, look: EdgeLook) {
    let zoom = projection.zoom;
    let color = if look.selected || look.on_way || look.hovered { palette.accent } else { palette.edge };
    let width = if look.selected { 2.4 } else { 1.6 };
    let stroke = Stroke::new((width * zoom.max(0.6)).max(1.0), color);
    let mut points: Vec<Pos2> = edge.points.iter().map(|p| projection.screen_from_canvas(*p)).collect();
    let tip = points[points.len() - 1] - vec2(0.0, 5.0 * zoom);
    if let Some(last) = points.last_mut() {
        last.y -= 8.0 * zoom;
    }
    painter.add(Shape::line(rounded(&points, EDGE_RADIUS * zoom), stroke));
    if zoom >= PLAIN_ZOOM {
        let half = 4.5 * zoom;
        let head = vec![tip + vec2(-half, -7.0 * zoom), tip + vec2(half, -7.0 * zoom), tip + vec2(0.0, 0.5 * zoom)];
        painter.add(Shape::convex_polygon(head, color, Stroke::NONE));
    }
    if look.what_if {
        let beside = (vec2(6.0, 6.0) * zoom.max(0.6)).round();
        dashes(painter, &points, beside, 2.0, palette.what_if());
    }
}

/// A dashed line beside a polyline of upright and level pieces; only what is seen of it is made.
pub fn dashes(painter: &Painter, points: &[Pos2], beside: egui::Vec2, width: f32, color: Color32) {
    const DASH: f32 = 7.0;
    const PERIOD: f32 = 11.0;
    let clip = painter.clip_rect().expand(PERIOD);
    let mut mesh = Mesh::default();
    let mut walked = 0.0;
    for piece in points.windows(2) {
        let (from, to) = (piece[0].round() + beside, piece[1].round() + beside);
        let length = from.distance(to);
        let before = walked;
        walked += length;
        if length < 0.5 || !clip.intersects(Rect::from_two_pos(from, to).expand(0.5)) {
            continue;
        }
        let along = (to - from) / length;
        // How far along the piece the clip begins and ends.
        let near = |low: f32, high: f32, at: f32, by: f32| match by {
            by if by > 0.5 => (low - at, high - at),
            by if by < -0.5 => (at - high, at - low),
            _ => (f32::MIN, f32::MAX),
        };
        let (x0, x1) = near(clip.left(), clip.right(), from.x, along.x);
        let (y0, y1) = near(clip.top(), clip.bottom(), from.y, along.y);
        let (first, last) = (x0.max(y0).max(0.0), x1.min(y1).min(length));
        let mut at = ((before + first) / PERIOD).floor() * PERIOD - before;
        while at < last {
            let (a, b) = (at.max(0.0), (at + DASH).min(length));
            if b > a {
                let dash = Rect::from_two_pos(from + along * a, from + along * b);
                let thick = if along.x.abs() > 0.5 { vec2(0.0, width / 2.0) } else { vec2(width / 2.0, 0.0) };
                mesh.add_colored_rect(dash.expand2(thick), color);
            }
            at += PERIOD;
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// The dashed ring around a card of the way with changes.
fn ring(painter: &Painter, rect: Rect, color: Color32) {
    // On whole points, so that all four sides are of one width.
    let rect = rect.expand(4.0).round();
    let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom(), rect.left_top()];
    dashes(painter, &corners, egui::Vec2::ZERO, 2.0, color);
}

/// The edges of a way from far away, thicker than the others.
pub fn far_way<'a>(
    painter: &Painter,
    edges: impl Iterator<Item = (&'a EdgePath, EdgeLook)>,
    projection: &Projection,
    palette: &Palette,
) {
    let seen = projection.visible_in_canvas();
    let mut mesh = Mesh::default();
    for (edge, look) in edges.filter(|(edge, _)| edge.bounds.expand(1.0).intersects(seen)) {
        for piece in edge.points.windows(2) {
            let (a, b) = (projection.screen_from_canvas(piece[0]), projection.screen_from_canvas(piece[1]));
            if look.on_way {
                mesh.add_colored_rect(Rect::from_two_pos(a, b).expand(1.0), palette.accent);
            }
            if look.what_if {
                let beside = if look.on_way { vec2(2.5, 2.5) } else { egui::Vec2::ZERO };
                mesh.add_colored_rect(Rect::from_two_pos(a + beside, b + beside).expand(1.0), palette.what_if());
            }
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// Somebody who stands at a card: a round badge.
pub fn person(painter: &Painter, at: Pos2, radius: f32, fill: Color32, palette: &Palette) {
    painter.circle(at, radius, fill, Stroke::new(2.0, palette.card));
    let font = theme::icon_fill((radius * 1.25 * 4.0).round() / 4.0);
    painter.text(at, Align2::CENTER_CENTER, icons::glyph("user"), font, palette.on_accent);
}

/// How many people stand at a card, on its upper edge; those that are held beside them, in an alarming colour.
pub fn crowd(painter: &Painter, rect: Rect, zoom: f32, (here, held): (i64, i64), palette: &Palette) {
    let scale = zoom.clamp(0.7, 1.4);
    let mut right = rect.right() - 10.0 * zoom;
    for (count, icon, fill) in [(held, "warning", palette.error), (here, "user", palette.accent)] {
        if count <= 0 {
            continue;
        }
        let words = short(count);
        let galley = painter.layout_no_wrap(words, font(theme::semibold(12.0), scale, false), palette.on_accent);
        let size = vec2(galley.size().x + 34.0 * scale, 22.0 * scale);
        let pill = Rect::from_min_size(pos2(right - size.x, rect.top() - size.y / 2.0), size);
        painter.rect(pill, pill.height() / 2.0, fill, Stroke::new(1.5, palette.card), StrokeKind::Outside);
        let at = pos2(pill.left() + 14.0 * scale, pill.center().y);
        painter.text(
            at,
            Align2::CENTER_CENTER,
            icons::glyph(icon),
            font(theme::icon_fill(13.0), scale, false),
            palette.on_accent,
        );
        painter.galley(
            pos2(pill.left() + 23.0 * scale, pill.center().y - galley.size().y / 2.0),
            galley,
            palette.on_accent,
        );
        right = pill.left() - 5.0 * scale;
    }
}

/// A number that fits a small pill: "999", "12.4k", "3.1M".
fn short(n: i64) -> String {
    match n {
        ..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{:.1}k", n as f64 / 1_000.0),
        _ => format!("{:.1}M", n as f64 / 1_000_000.0),
    }
}

/// The pill on an edge that says by which port; gives its rectangle.
pub fn edge_label(painter: &Painter, at: Pos2, text: &str, color: Color32, zoom: f32, palette: &Palette) -> Rect {
    let font = font(theme::medium(11.0), zoom, false);
    let galley = painter.layout_no_wrap(text.to_owned(), font, color);
    let rect = Rect::from_center_size(at, galley.size() + vec2(14.0, 6.0) * zoom);
    let radius = CornerRadius::same((rect.height() / 2.0).min(250.0) as u8);
    painter.rect(rect, radius, palette.card, Stroke::new(1.0, palette.line), StrokeKind::Inside);
    painter.galley(rect.center() - galley.size() / 2.0, galley, color);
    rect
}

/// The round "+" of edges and open ports.
pub fn plus(painter: &Painter, at: Pos2, zoom: f32, palette: &Palette, hot: bool) {
    let radius = 8.0 * zoom.max(0.7);
    let (fill, ink) = if hot { (palette.accent, palette.on_accent) } else { (palette.card, palette.weak) };
    let line = if hot { palette.accent } else { palette.line };
    painter.circle(at, radius, fill, Stroke::new(1.0, line));
    let arm = radius * 0.45;
    let stroke = Stroke::new(1.2, ink);
    painter.line_segment([at - vec2(arm, 0.0), at + vec2(arm, 0.0)], stroke);
    painter.line_segment([at - vec2(0.0, arm), at + vec2(0.0, arm)], stroke);
}

/// The small ring where an edge begins or ends.
pub fn port(painter: &Painter, at: Pos2, zoom: f32, palette: &Palette, color: Color32) {
    painter.circle(at, 4.0 * zoom, palette.card, Stroke::new(1.5 * zoom.max(0.6), color));
}

/// A card with everything on it.
pub fn full_card(
    painter: &Painter,
    rect: Rect,
    zoom: f32,
    zooming: bool,
    text: &CardText,
    look: &CardLook,
    palette: &Palette,
) {
    let radius = CornerRadius::same((f32::from(theme::CARD_RADIUS) * zoom).round().clamp(0.0, 60.0) as u8);
    let faded = look.muted;
    let pale = |color: Color32| if faded { theme::mix(palette.card, color, 0.45) } else { color };
    if look.what_if {
        ring(painter, rect, palette.what_if());
    }
    if !faded {
        let shadow = Shadow {
            offset: [0, (4.0 * zoom).round() as i8],
            blur: (18.0 * zoom).round().clamp(0.0, 60.0) as u8,
            spread: 0,
            color: palette.shadow,
        };
        painter.add(shadow.as_shape(rect, radius));
    }
    let (width, line_color) = match (look.selected, look.focused, look.on_way, look.hovered) {
        (true, ..) | (_, true, ..) => (2.0, palette.accent),
        (_, _, true, _) => (1.5, theme::mix(palette.line, palette.accent, 0.45)),
        (_, _, _, true) => (1.0, palette.weak),
        _ => (1.0, palette.line),
    };
    painter.rect(rect, radius, palette.card, Stroke::new(width, line_color), StrokeKind::Inside);
    if look.focused {
        painter.rect_stroke(rect.expand(3.0), radius, Stroke::new(1.5, palette.accent), StrokeKind::Outside);
    }
    let at = |x: f32, y: f32| rect.min + vec2(x, y) * zoom;
    let family = pale(palette.family(text.family));
    let tile = Rect::from_min_size(at(13.0, 13.0), vec2(34.0, 34.0) * zoom);
    let tile_radius = CornerRadius::same((f32::from(theme::CONTROL_RADIUS) * zoom).round().clamp(0.0, 60.0) as u8);
    painter.rect_filled(tile, tile_radius, palette.family_soft(text.family));
    painter.text(tile.center(), Align2::CENTER_CENTER, text.icon, font(theme::icon(19.0), zoom, zooming), family);
    let right = rect.width() - (if look.mark.is_some() { 92.0 } else { 72.0 }) * zoom;
    let kind = font(theme::medium(11.0), zoom, zooming);
    line(painter, at(58.0, 12.0), Align2::LEFT_TOP, text.kind, kind, family, right);
    let title = font(theme::semibold(14.5), zoom, zooming);
    line(painter, at(58.0, 27.0), Align2::LEFT_TOP, &text.title, title, pale(palette.text), right);
    let width = rect.width() - 26.0 * zoom;
    let small = font(theme::regular(11.5), zoom, zooming);
    line(painter, at(13.0, 54.5), Align2::LEFT_TOP, &text.summary, small, pale(palette.weak), width);
    if !look.counts.is_empty() {
        let strong = font(theme::medium(11.5), zoom, zooming);
        line(painter, at(13.0, 72.0), Align2::LEFT_TOP, &look.counts, strong, pale(palette.text), width);
    }
    if look.muted {
        let font = font(theme::icon(15.0), zoom, zooming);
        painter.text(at(f32::min(240.0, 240.0), 16.0), Align2::RIGHT_TOP, icons::glyph("prohibit"), font, palette.weak);
    } else if let Some(severity) = look.mark {
        mark(painter, rect.right_top() + vec2(-20.0, 21.0) * zoom, severity, 16.0 * zoom, palette);
    }
}

/// The sign of a severity.
pub fn mark(painter: &Painter, at: Pos2, severity: Severity, size: f32, palette: &Palette) {
    let glyph = icons::glyph(match severity {
        Severity::Error => "x-circle",
        Severity::Warning => "warning",
        Severity::Hint => "lightbulb",
    });
    painter.text(
        at,
        Align2::CENTER_CENTER,
        glyph,
        theme::icon_fill((size * 4.0).round() / 4.0),
        palette.severity(severity).0,
    );
}

/// A card from further away: rectangle, icon, title.
pub fn plain_card(
    painter: &Painter,
    rect: Rect,
    zoom: f32,
    zooming: bool,
    text: &CardText,
    look: &CardLook,
    palette: &Palette,
) {
    let radius = CornerRadius::same((f32::from(theme::CARD_RADIUS) * zoom).round().clamp(0.0, 60.0) as u8);
    let (width, color) = match (look.selected || look.focused, look.on_way) {
        (true, _) => (2.0, palette.accent),
        (false, true) => (1.5, theme::mix(palette.line, palette.accent, 0.45)),
        (false, false) => (1.0, palette.line),
    };
    painter.rect(rect, radius, palette.card, Stroke::new(width, color), StrokeKind::Inside);
    if look.what_if {
        ring(painter, rect, palette.what_if());
    }
    let faded = look.muted;
    let pale = |color: Color32| if faded { theme::mix(palette.card, color, 0.45) } else { color };
    let family = pale(palette.family(text.family));
    let icon = font(theme::icon(30.0), zoom, zooming);
    let middle = rect.left() + 34.0 * zoom;
    painter.text(pos2(middle, rect.center().y), Align2::CENTER_CENTER, text.icon, icon, family);
    let at = pos2(rect.left() + 64.0 * zoom, rect.center().y);
    let title = font(theme::semibold(22.0), zoom, zooming);
    line(painter, at, Align2::LEFT_CENTER, &text.title, title, pale(palette.text), rect.right() - at.x - 8.0 * zoom);
    if let Some(severity) = look.mark {
        painter.circle_filled(rect.right_top() + vec2(-14.0, 14.0) * zoom, 7.0 * zoom, palette.severity(severity).0);
    }
}

/// What a note says, and how.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// A frame stands behind its steps and has a heading; a note has a text.
    pub is_frame: bool,
    /// The heading of a frame.
    pub title: &'a str,
    /// The text of a note.
    pub text: &'a str,
    /// Its colour.
    pub tint: Color32,
}

/// A note or frame: text on a tinted sheet.
pub fn note(painter: &Painter, rect: Rect, zoom: f32, sheet: Sheet<'_>, look: &CardLook, palette: &Palette) {
    let Sheet { is_frame, title, text, tint } = sheet;
    let radius = CornerRadius::same((f32::from(theme::TILE_RADIUS) * zoom).round().clamp(0.0, 60.0) as u8);
    let share = if is_frame { 0.07 } else { 0.13 };
    let fill = theme::mix(if is_frame { palette.canvas } else { palette.card }, tint, share);
    let line_color =
        if look.selected || look.focused { palette.accent } else { theme::mix(palette.canvas, tint, 0.35) };
    let width = if look.selected || look.focused { 2.0 } else { 1.0 };
    painter.rect(rect, radius, fill, Stroke::new(width, line_color), StrokeKind::Inside);
    if zoom < PLAIN_ZOOM {
        return;
    }
    let heading = if is_frame && !title.is_empty() { title } else { text };
    let font_id = font(if is_frame { theme::semibold(13.0) } else { theme::regular(12.0) }, zoom, false);
    let color = if is_frame { theme::mix(palette.text, tint, 0.35) } else { palette.text };
    let inner = rect.shrink2(vec2(12.0, 10.0) * zoom);
    let mut job = egui::text::LayoutJob::simple(heading.to_owned(), font_id, color, inner.width());
    job.wrap.max_rows = if is_frame { 1 } else { ((inner.height() / (16.0 * zoom)) as usize).max(1) };
    painter.galley(inner.min, painter.layout_job(job), color);
}

/// Everything small, in a corner; gives the projection of it for clicks.
pub fn minimap(
    painter: &Painter,
    rect: Rect,
    geometry: &Geometry,
    seen: Rect,
    palette: &Palette,
    color_of: impl Fn(usize) -> Color32,
) -> Projection {
    let radius = CornerRadius::same(theme::TILE_RADIUS);
    let shadow = Shadow { offset: [0, 3], blur: 14, spread: 0, color: palette.shadow };
    painter.add(shadow.as_shape(rect, radius));
    painter.rect(rect, radius, palette.card, Stroke::new(1.0, palette.line), StrokeKind::Inside);
    let inner = rect.shrink(9.0);
    let bounds = geometry.bounds.unwrap_or(seen).union(seen.intersect(geometry.bounds.unwrap_or(seen).expand(200.0)));
    let zoom = (inner.width() / bounds.width().max(1.0)).min(inner.height() / bounds.height().max(1.0)).min(0.2);
    let projection = Projection { screen: inner, center_in_canvas: bounds.center(), zoom };
    let view = projection.screen_from_canvas_rect(seen).intersect(inner);
    painter.rect_filled(view, CornerRadius::same(2), palette.accent_soft);
    let mut mesh = Mesh::default();
    for (n, card) in geometry.cards.iter().enumerate().filter(|(n, _)| !geometry.frames[*n]) {
        let at = projection.screen_from_canvas_rect(*card);
        let at = Rect::from_center_size(at.center(), at.size().max(vec2(2.0, 1.5)));
        mesh.add_colored_rect(at, theme::mix(palette.card, color_of(n), 0.8));
    }
    painter.add(Shape::mesh(mesh));
    painter.rect_stroke(view, CornerRadius::same(2), Stroke::new(1.2, palette.accent), StrokeKind::Inside);
    projection
}

/// What text a kind's card begins with.
pub fn card_text(flow: &crate::flow::Flow, node: &crate::flow::Node) -> CardText {
    let spec = card::spec(&node.kind);
    CardText {
        family: card::family(&node.kind),
        icon: icons::glyph(spec.map_or("question", |spec| spec.icon)),
        kind: spec.map_or("Unknown step", |spec| spec.title),
        title: node.title().to_owned(),
        summary: card::summary(flow, node),
        num_ports: node.ports().len(),
    }
}
