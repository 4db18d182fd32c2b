//! Scenes as pages of a PDF: vectors, and text as text in the bundled faces, of which only the used letters are kept.
//!
//! The same scenes give the same bytes: no date, no random ids. Letters that the faces lack are boxes.

use std::{collections::BTreeMap, io::Write as _};

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{
    Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use subsetter::GlyphRemapper;

use crate::report::{
    font::{self, Weight},
    look::Rgb,
    scene::{Anchor, Group, Mark, Op, Scene, Text, rounded},
};

/// Names of the faces in a page's resources.
const NAMES: [Name<'static>; 3] = [Name(b"F0"), Name(b"F1"), Name(b"F2")];

/// What the glyphs of one face are called in the file.
#[derive(Default)]
struct Used {
    remapper: GlyphRemapper,
    /// By the number in the file: advance in ems, and the character.
    glyphs: BTreeMap<u16, (f32, char)>,
}

impl Used {
    /// The number of a character's glyph in the file; 0 is the box.
    fn number(&mut self, weight: Weight, c: char) -> u16 {
        let face = font::face(weight);
        let Some(glyph) = face.glyph(c) else { return 0 };
        let number = self.remapper.remap(glyph.0);
        self.glyphs.entry(number).or_insert_with(|| (face.advance(glyph), c));
        number
    }
}

/// A file with a page for each scene, whose units are points.
///
/// Errors: a bundled face that cannot be made smaller, which a test would have found.
pub fn pdf(pages: &[Scene], title: &str) -> Result<Vec<u8>, String> {
    let mut used: [Used; 3] = Default::default();
    let streams: Vec<Vec<u8>> = pages
        .iter()
        .map(|page| {
            let mut content = Content::new();
            // From our way (y down) to the file's (y up).
            content.transform([1.0, 0.0, 0.0, -1.0, 0.0, page.height]);
            marks(&page.marks, &mut content, &mut used);
            packed(&content.finish())
        })
        .collect();
    let mut ids = (1..).map(Ref::new);
    // The iterator does not end.
    let mut next = || ids.next().unwrap_or(Ref::new(1));
    let (catalog, tree, info) = (next(), next(), next());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
    pdf.document_info(info).title(TextStr(title)).creator(TextStr("Flowloom"));
    let fonts: Vec<Ref> = NAMES.iter().map(|_| next()).collect();
    let places: Vec<(Ref, Ref)> = pages.iter().map(|_| (next(), next())).collect();
    pdf.pages(tree).kids(places.iter().map(|(page, _)| *page)).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for ((page, scene), stream) in places.iter().zip(pages).zip(&streams) {
        let mut writer = pdf.page(page.0);
        writer.media_box(Rect::new(0.0, 0.0, scene.width, scene.height)).parent(tree).contents(page.1);
        let mut resources = writer.resources();
        let mut all = resources.fonts();
        for (name, id) in NAMES.iter().zip(&fonts) {
            all.pair(*name, *id);
        }
        all.finish();
        resources.finish();
        writer.finish();
        pdf.stream(page.1, stream).filter(Filter::FlateDecode);
    }
    for ((weight, id), used) in Weight::ALL.into_iter().zip(fonts).zip(&used) {
        face(&mut pdf, weight, id, used, [next(), next(), next(), next()])?;
    }
    Ok(pdf.finish())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn face(
    pdf: &mut Pdf,
    weight: Weight,
    id: Ref,
    used: &Used,
    [cid, descriptor, file, unicode]: [Ref; 4],
) -> Result<(), String> {
    let bytes = subsetter::subset(weight.bytes(), 0, &used.remapper).map_err(|error| error.to_string())?;
    let name = match weight {
        Weight::Regular => "FLOWLA+Inter-Regular",
        Weight::Medium => "FLOWLB+Inter-Medium",
        Weight::Semibold => "FLOWLC+Inter-SemiBold",
    };
    let name = Name(name.as_bytes());
    let info = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    pdf.type0_font(id)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(unicode);
    let mut font = pdf.cid_font(cid);
    font.subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(info)
        .font_descriptor(descriptor)
        .default_width(1000.0);
    font.cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = font.widths();
    for (number, (advance, _)) in &used.glyphs {
        widths.consecutive(*number, [advance * 1000.0]);
    }
    widths.finish();
    font.finish();
    // Source: the OS/2 and hhea tables of Inter 4, in thousandths of an em.
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(-740.0, -340.0, 2600.0, 1110.0))
        .italic_angle(0.0)
        .ascent(969.0)
        .descent(-241.0)
        .cap_height(727.0)
        .stem_v(80.0 + 20.0 * weight as u8 as f32)
        .font_file2(file);
    let packed_file = packed(&bytes);
    let mut stream = pdf.stream(file, &packed_file);
    stream.filter(Filter::FlateDecode);
    stream.pair(Name(b"Length1"), i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    stream.finish();
    let mut map = UnicodeCmap::<u16>::new(Name(b"Flowloom"), info);
    for (number, (_, c)) in &used.glyphs {
        map.pair(*number, *c);
    }
    let map = map.finish();
    pdf.cmap(unicode, &map);
    Ok(())
}

fn marks(list: &[Mark], content: &mut Content, used: &mut [Used; 3]) {
    for mark in list {
        match mark {
            Mark::Rect { area, radius, fill, line, dashed } => {
                path(&rounded(area, *radius), content);
                paint(*fill, *line, *dashed, content);
            }
            Mark::Path { ops, fill, line, dashed } => {
                path(ops, content);
                paint(*fill, *line, *dashed, content);
            }
            Mark::Text(text) => self::text(text, content, used),
            Mark::Group(group) => self::group(group, content, used),
        }
    }
}

fn group(group: &Group, content: &mut Content, used: &mut [Used; 3]) {
    content.save_state();
    if let Some((scale, (x, y))) = group.scale {
        content.transform([scale, 0.0, 0.0, scale, x, y]);
    }
    if let Some(clip) = &group.clip {
        content.rect(clip.left, clip.top, clip.width(), clip.height()).clip_nonzero().end_path();
    }
    marks(&group.marks, content, used);
    content.restore_state();
}

fn text(text: &Text, content: &mut Content, used: &mut [Used; 3]) {
    let used = &mut used[text.weight as usize];
    let mut bytes = Vec::with_capacity(text.text.len() * 2);
    for c in text.text.chars().filter(|c| font::face(text.weight).glyph(*c).is_some() || font::of_lacking(*c) > 0.0) {
        bytes.extend(used.number(text.weight, c).to_be_bytes());
    }
    let wide = match text.anchor {
        Anchor::Start => 0.0,
        anchor => font::width(&text.text, text.weight, text.size) * if anchor == Anchor::Middle { 0.5 } else { 1.0 },
    };
    color(text.color, |r, g, b| _ = content.set_fill_rgb(r, g, b));
    content.begin_text();
    content.set_font(NAMES[text.weight as usize], text.size);
    content.set_text_matrix([1.0, 0.0, 0.0, -1.0, text.at.0 - wide, text.at.1]);
    content.show(Str(&bytes));
    content.end_text();
}

fn color(color: Rgb, mut set: impl FnMut(f32, f32, f32)) {
    let part = |n: u8| f32::from(n) / 255.0;
    set(part(color.0), part(color.1), part(color.2));
}

fn paint(fill: Option<Rgb>, line: Option<(Rgb, f32)>, dashed: bool, content: &mut Content) {
    if let Some(fill) = fill {
        color(fill, |r, g, b| _ = content.set_fill_rgb(r, g, b));
    }
    if let Some((line, width)) = line {
        color(line, |r, g, b| _ = content.set_stroke_rgb(r, g, b));
        content.set_line_width(width);
        content.set_dash_pattern(if dashed { vec![5.0, 4.0] } else { Vec::new() }, 0.0);
    }
    match (fill, line) {
        (Some(_), Some(_)) => content.fill_nonzero_and_stroke(),
        (Some(_), None) => content.fill_nonzero(),
        (None, Some(_)) => content.stroke(),
        (None, None) => content.end_path(),
    };
}

fn path(ops: &[Op], content: &mut Content) {
    let mut at = (0.0, 0.0);
    for op in ops {
        match *op {
            Op::Move(x, y) => {
                content.move_to(x, y);
                at = (x, y);
            }
            Op::Line(x, y) => {
                content.line_to(x, y);
                at = (x, y);
            }
            // The file knows only curves with two control points.
            Op::Quad(a, b, x, y) => {
                let third = |from: f32, to: f32| from + (to - from) * 2.0 / 3.0;
                content.cubic_to(third(at.0, a), third(at.1, b), third(x, a), third(y, b), x, y);
                at = (x, y);
            }
            Op::Curve(a, b, c, d, x, y) => {
                content.cubic_to(a, b, c, d, x, y);
                at = (x, y);
            }
            Op::Close => _ = content.close_path(),
        }
    }
}

/// The glyphs a face would keep; for tests.
#[cfg(test)]
pub(super) fn kept(text: &str) -> Vec<font::Glyph> {
    text.chars().filter_map(|c| font::face(Weight::Regular).glyph(c)).collect()
}
