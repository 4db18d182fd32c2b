//! A scene as an SVG file: text stays text, nothing is fetched, no script runs.

use std::fmt::Write as _;

use crate::report::{
    escape,
    look::Rgb,
    scene::{Anchor, Area, Group, Mark, Op, Scene},
};

/// The stack of faces; Inter, by whose widths everything is laid out, is the widest of them.
pub const FONTS: &str = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// The scene as a file; `title` is what readers that speak say of it. The same scene gives the same bytes.
pub fn svg(scene: &Scene, title: &str) -> String {
    svg_within(scene, title, "clip")
}

/// The same for a page that has several: `prefix` begins the names of its clips.
pub fn svg_within(scene: &Scene, title: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(4_096 + scene.marks.len() * 256);
    let (wide, high) = (number(scene.width), number(scene.height));
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
         role=\"img\" font-family=\"{FONTS}\">\n<title>{}</title>\n",
        escape(title)
    );
    let mut clips = Clips { prefix, count: 0 };
    marks(&scene.marks, &mut clips, &mut out);
    out.push_str("</svg>\n");
    out
}

/// Names of clips, which are unique in a page.
struct Clips<'a> {
    prefix: &'a str,
    count: usize,
}

fn marks(list: &[Mark], clips: &mut Clips<'_>, out: &mut String) {
    for mark in list {
        match mark {
            Mark::Rect { area, radius, fill, line, dashed } => {
                let Area { left, top, .. } = *area;
                let _ = write!(
                    out,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                    number(left),
                    number(top),
                    number(area.width()),
                    number(area.height())
                );
                if *radius > 0.0 {
                    let _ = write!(out, " rx=\"{}\"", number(*radius));
                }
                paint(*fill, *line, *dashed, out);
                out.push_str("/>\n");
            }
            Mark::Path { ops, fill, line, dashed } => {
                let _ = write!(out, "<path d=\"{}\"", path(ops));
                paint(*fill, *line, *dashed, out);
                out.push_str("/>\n");
            }
            Mark::Text(text) => {
                let anchor = match text.anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                };
                let _ = writeln!(
                    out,
                    "<text x=\"{}\" y=\"{}\" font-size=\"{}\" font-weight=\"{}\" fill=\"{}\"{anchor}>{}</text>",
                    number(text.at.0),
                    number(text.at.1),
                    number(text.size),
                    text.weight.css(),
                    text.color,
                    escape(&text.text)
                );
            }
            Mark::Group(group) => self::group(group, clips, out),
        }
    }
}

fn group(group: &Group, clips: &mut Clips<'_>, out: &mut String) {
    let clip = group.clip.map(|clip| {
        clips.count += 1;
        let name = format!("{}-{}", clips.prefix, clips.count);
        let _ = writeln!(
            out,
            "<clipPath id=\"{name}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
            number(clip.left),
            number(clip.top),
            number(clip.width()),
            number(clip.height())
        );
        name
    });
    out.push_str("<g");
    if !group.step.is_empty() {
        let _ = write!(out, " data-step=\"{}\"", escape(&group.step));
    }
    if let Some((scale, (x, y))) = group.scale {
        let _ = write!(out, " transform=\"translate({} {})", number(x), number(y));
        let _ = if scale == 1.0 { write!(out, "\"") } else { write!(out, " scale({})\"", fine(scale)) };
    }
    if let Some(clip) = clip {
        let _ = write!(out, " clip-path=\"url(#{clip})\"");
    }
    out.push_str(">\n");
    if !group.label.is_empty() {
        let _ = writeln!(out, "<title>{}</title>", escape(&group.label));
    }
    marks(&group.marks, clips, out);
    out.push_str("</g>\n");
}

fn paint(fill: Option<Rgb>, line: Option<(Rgb, f32)>, dashed: bool, out: &mut String) {
    let _ = match fill {
        Some(color) => write!(out, " fill=\"{color}\""),
        None => write!(out, " fill=\"none\""),
    };
    if let Some((color, width)) = line {
        let _ = write!(out, " stroke=\"{color}\" stroke-width=\"{}\"", number(width));
        if dashed {
            out.push_str(" stroke-dasharray=\"5 4\"");
        }
    }
}

fn path(ops: &[Op]) -> String {
    let mut out = String::with_capacity(ops.len() * 16);
    for op in ops {
        let _ = match op {
            Op::Move(x, y) => write!(out, "M{} {}", number(*x), number(*y)),
            Op::Line(x, y) => write!(out, "L{} {}", number(*x), number(*y)),
            Op::Quad(a, b, x, y) => write!(out, "Q{} {} {} {}", number(*a), number(*b), number(*x), number(*y)),
            Op::Curve(a, b, c, d, x, y) => write!(
                out,
                "C{} {} {} {} {} {}",
                number(*a),
                number(*b),
                number(*c),
                number(*d),
                number(*x),
                number(*y)
            ),
            Op::Close => write!(out, "Z"),
        };
    }
    out
}

/// Hundredths, without needless zeros; no number that XML would not take.
fn number(n: f32) -> String {
    trimmed(n, 2)
}

fn fine(n: f32) -> String {
    trimmed(n, 5)
}

fn trimmed(n: f32, digits: usize) -> String {
    if !n.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{n:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || text.is_empty() { "0".to_owned() } else { text.to_owned() }
}
