//! A scene as a PNG file, by the painter of mails: letters are outlines of the bundled faces.

use anyrender::{ImageRenderer as _, PaintScene};
use anyrender_vello_cpu::VelloCpuImageRenderer;
use kurbo::{Affine, BezPath, Rect, RoundedRect, Stroke};
use peniko::{Color, Fill};

use crate::{
    content::{Picture, picture},
    report::{
        font,
        look::Rgb,
        scene::{Anchor, Group, Mark, Op, Scene, Text},
    },
};

/// Most pixels of a picture: 160 MB of memory, as for mails.
pub const MAX_PIXELS: u64 = picture::MAX_PIXELS;
/// Widest and tallest that the painter can, in pixels.
const MAX_SIDE: f32 = 32_000.0;

/// The scene with so many pixels for each of its units; smaller where it would be larger than [`MAX_PIXELS`].
///
/// Errors: what the encoder says; there is no picture that makes it fail.
pub fn png(scene: &Scene, scale: f32) -> Result<Vec<u8>, String> {
    let (wide, high) = (scene.width.max(1.0), scene.height.max(1.0));
    let most = (MAX_PIXELS as f32 / (wide * high)).sqrt().min(MAX_SIDE / wide).min(MAX_SIDE / high);
    let scale = scale.clamp(0.01, 8.0).min(most);
    let (width, height) = ((wide * scale).floor().max(1.0) as u32, (high * scale).floor().max(1.0) as u32);
    let mut renderer = VelloCpuImageRenderer::new(width, height);
    let mut rgba = Vec::new();
    renderer.render_to_vec(
        |painter| {
            let paper = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
            painter.fill(Fill::NonZero, Affine::IDENTITY, Color::WHITE, None, &paper);
            marks(&scene.marks, painter, Affine::scale(f64::from(scale)));
        },
        &mut rgba,
    );
    let picture = Picture {
        width,
        height,
        rgba,
        links: Vec::new(),
        remote_blocked: 0,
        missing_images: Vec::new(),
        lost_words: Vec::new(),
        notes: Vec::new(),
    };
    picture::png(&picture)
}

fn color(color: Rgb) -> Color {
    Color::from_rgb8(color.0, color.1, color.2)
}

fn marks(list: &[Mark], painter: &mut impl PaintScene, by: Affine) {
    for mark in list {
        match mark {
            Mark::Rect { area, radius, fill, line, dashed } => {
                let [x0, y0, x1, y1] = [area.left, area.top, area.right, area.bottom].map(f64::from);
                let rect = RoundedRect::new(x0, y0, x1, y1, f64::from(*radius));
                paint(painter, by, &rect, *fill, *line, *dashed);
            }
            Mark::Path { ops, fill, line, dashed } => paint(painter, by, &path(ops), *fill, *line, *dashed),
            Mark::Text(text) => self::text(text, painter, by),
            Mark::Group(Group { scale, clip, marks: inside, .. }) => {
                let by = scale.map_or(by, |(scale, (x, y))| {
                    by * Affine::translate((f64::from(x), f64::from(y))) * Affine::scale(f64::from(scale))
                });
                if let Some(clip) = clip {
                    let [x0, y0, x1, y1] = [clip.left, clip.top, clip.right, clip.bottom].map(f64::from);
                    painter.push_clip_layer(Fill::NonZero, by, &Rect::new(x0, y0, x1, y1));
                }
                marks(inside, painter, by);
                if clip.is_some() {
                    painter.pop_layer();
                }
            }
        }
    }
}

fn paint(
    painter: &mut impl PaintScene,
    by: Affine,
    shape: &impl kurbo::Shape,
    fill: Option<Rgb>,
    line: Option<(Rgb, f32)>,
    dashed: bool,
) {
    if let Some(fill) = fill {
        painter.fill(Fill::NonZero, by, color(fill), None, shape);
    }
    if let Some((line, width)) = line {
        let stroke = Stroke::new(f64::from(width));
        let stroke = if dashed { stroke.with_dashes(0.0, [5.0, 4.0]) } else { stroke };
        painter.stroke(&stroke, by, color(line), None, shape);
    }
}

fn text(text: &Text, painter: &mut impl PaintScene, by: Affine) {
    let wide = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => font::width(&text.text, text.weight, text.size) / 2.0,
        Anchor::End => font::width(&text.text, text.weight, text.size),
    };
    let face = font::face(text.weight);
    let mut x = text.at.0 - wide;
    let mut all = BezPath::new();
    for c in text.text.chars() {
        match face.glyph(c) {
            Some(glyph) => {
                let ops: Vec<Op> =
                    face.outline(glyph, text.size).into_iter().map(|op| op.moved(x, text.at.1)).collect();
                all.extend(path(&ops));
                x += face.advance(glyph) * text.size;
            }
            None => {
                let ems = font::of_lacking(c);
                if ems > 0.0 {
                    let (left, top) = (f64::from(x) + 1.0, f64::from(text.at.1 - text.size * 0.75));
                    let right = f64::from(x + ems * text.size) - 1.0;
                    let open = Rect::new(left, top, right, f64::from(text.at.1));
                    painter.stroke(&Stroke::new(0.8), by, color(text.color), None, &open);
                }
                x += ems * text.size;
            }
        }
    }
    painter.fill(Fill::NonZero, by, color(text.color), None, &all);
}

fn path(ops: &[Op]) -> BezPath {
    let at = |x: f32, y: f32| (f64::from(x), f64::from(y));
    let mut out = BezPath::new();
    for op in ops {
        match *op {
            Op::Move(x, y) => out.move_to(at(x, y)),
            Op::Line(x, y) => out.line_to(at(x, y)),
            Op::Quad(a, b, x, y) => out.quad_to(at(a, b), at(x, y)),
            Op::Curve(a, b, c, d, x, y) => out.curve_to(at(a, b), at(c, d), at(x, y)),
            Op::Close => out.close_path(),
        }
    }
    out
}
