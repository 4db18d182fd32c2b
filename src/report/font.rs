//! The bundled faces as numbers and outlines: how wide a text is, where it breaks, what an icon looks like.
//!
//! The one idea: widths are those of Inter, the widest face of the stack that pictures name, so that what fits here
//! fits with every other. Letters that Inter lacks are counted as wide as they are high. Deliberately not here:
//! shaping; kerning only makes lines shorter.

use skrifa::{
    GlyphId, MetadataProvider as _,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
    raw::FontRef,
};

use super::scene::Op;

/// Inter Regular. Source: Inter 4, OFL; see `assets/README.md`.
pub static INTER_REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
/// Inter Medium.
pub static INTER_MEDIUM: &[u8] = include_bytes!("../../assets/fonts/Inter-Medium.ttf");
/// Inter SemiBold.
pub static INTER_SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");
/// Phosphor Regular, the icons.
pub static PHOSPHOR: &[u8] = include_bytes!("../../assets/fonts/phosphor-regular.ttf");

/// A weight of the text face.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// 400.
    Regular,
    /// 500.
    Medium,
    /// 600.
    Semibold,
}

impl Weight {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Regular, Self::Medium, Self::Semibold];

    /// The face as a file.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => INTER_REGULAR,
            Self::Medium => INTER_MEDIUM,
            Self::Semibold => INTER_SEMIBOLD,
        }
    }

    /// As in CSS.
    pub fn css(self) -> u32 {
        match self {
            Self::Regular => 400,
            Self::Medium => 500,
            Self::Semibold => 600,
        }
    }
}

/// A glyph of a face.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Glyph(pub u16);

/// A face, ready to be asked.
pub struct Face {
    font: Option<FontRef<'static>>,
    units_per_em: f32,
}

impl Face {
    /// Reads a bundled face; one that cannot be read (a test reads each) measures everything as one em a letter.
    pub fn new(bytes: &'static [u8]) -> Self {
        let font = FontRef::new(bytes).ok();
        let metrics = font.as_ref().map(|font| font.metrics(Size::unscaled(), LocationRef::default()));
        Self { font, units_per_em: metrics.map_or(1.0, |metrics| f32::from(metrics.units_per_em).max(1.0)) }
    }

    /// The glyph of a character; `None` where the face lacks it.
    pub fn glyph(&self, c: char) -> Option<Glyph> {
        let id = self.font.as_ref()?.charmap().map(c)?.to_u32();
        u16::try_from(id).ok().filter(|id| *id != 0).map(Glyph)
    }

    /// How far a glyph moves the pen, in ems.
    pub fn advance(&self, glyph: Glyph) -> f32 {
        let Some(font) = &self.font else { return 1.0 };
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        metrics.advance_width(GlyphId::from(glyph.0)).unwrap_or(self.units_per_em) / self.units_per_em
    }

    /// The outline of a glyph at a size, its origin at the left of the base line; y runs down.
    pub fn outline(&self, glyph: Glyph, size: f32) -> Vec<Op> {
        let mut pen = Pen(Vec::new());
        if let Some(outline) = self.font.as_ref().and_then(|font| font.outline_glyphs().get(GlyphId::from(glyph.0))) {
            // The bundled faces have no outline that cannot be drawn; half an outline is drawn as far as it goes.
            let _ = outline.draw(DrawSettings::unhinted(Size::new(size), LocationRef::default()), &mut pen);
        }
        pen.0
    }
}

struct Pen(Vec<Op>);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Op::Move(x, -y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Op::Line(x, -y));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.push(Op::Quad(cx, -cy, x, -y));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.0.push(Op::Curve(ax, -ay, bx, -by, x, -y));
    }

    fn close(&mut self) {
        self.0.push(Op::Close);
    }
}

/// The three weights, read once.
pub fn faces() -> &'static [Face; 3] {
    static FACES: std::sync::OnceLock<[Face; 3]> = std::sync::OnceLock::new();
    FACES.get_or_init(|| Weight::ALL.map(|weight| Face::new(weight.bytes())))
}

/// The face of a weight.
pub fn face(weight: Weight) -> &'static Face {
    &faces()[weight as usize]
}

/// The icon of a name (of the catalogue, or Phosphor's own) in a square of `size`, its left top corner at the origin.
pub fn icon(name: &str, size: f32) -> Vec<Op> {
    static FACE: std::sync::OnceLock<Face> = std::sync::OnceLock::new();
    let face = FACE.get_or_init(|| Face::new(PHOSPHOR));
    let glyph = super::icons::glyph(name).chars().next().and_then(|c| face.glyph(c));
    let mut ops = glyph.map(|glyph| face.outline(glyph, size)).unwrap_or_default();
    // An icon fills its em from the base line up.
    for op in &mut ops {
        *op = op.moved(0.0, size);
    }
    ops
}

/// Width of a line of text.
pub fn width(text: &str, weight: Weight, size: f32) -> f32 {
    let face = face(weight);
    text.chars().map(|c| face.glyph(c).map_or_else(|| of_lacking(c), |glyph| face.advance(glyph))).sum::<f32>() * size
}

/// Ems that a letter takes which the face lacks: nothing for marks that stand over others.
pub fn of_lacking(c: char) -> f32 {
    if c.is_control() || matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}') {
        0.0
    } else {
        1.0
    }
}

/// One line, cut with "…" where it is wider than `most`.
pub fn cut(text: &str, weight: Weight, size: f32, most: f32) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if width(&line, weight, size) <= most {
        return line;
    }
    let face = face(weight);
    let advance = |c: char| face.glyph(c).map_or_else(|| of_lacking(c), |glyph| face.advance(glyph)) * size;
    let room = most - advance('\u{2026}');
    let mut taken = 0.0;
    let fits = line.char_indices().take_while(|(_, c)| {
        taken += advance(*c);
        taken <= room
    });
    let end = fits.last().map_or(0, |(at, c)| at + c.len_utf8());
    format!("{}\u{2026}", line[..end].trim_end())
}

/// A text in lines of at most `most`, broken between words (inside one that is too long); at most `max_lines`, the last
/// one cut with "…".
pub fn wrap(text: &str, weight: Weight, size: f32, most: f32, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut words: std::collections::VecDeque<&str> = text.split_whitespace().collect();
    let mut line = String::new();
    while let Some(word) = words.pop_front() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, weight, size) <= most {
            line = longer;
            continue;
        }
        if lines.len() + 1 >= max_lines.max(1) {
            let rest: Vec<&str> = words.iter().copied().collect();
            let all = if rest.is_empty() { longer } else { format!("{longer} {}", rest.join(" ")) };
            lines.push(cut(&all, weight, size, most));
            return lines;
        }
        if line.is_empty() {
            // A word without a place to break: as much as fits, at least one letter.
            let mut end = 0;
            for (at, c) in word.char_indices() {
                let next = at + c.len_utf8();
                if end > 0 && width(&word[..next], weight, size) > most {
                    break;
                }
                end = next;
            }
            lines.push(word[..end].to_owned());
            if end < word.len() {
                words.push_front(&word[end..]);
            }
        } else {
            lines.push(std::mem::take(&mut line));
            words.push_front(word);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The characters of texts that the bundled face lacks, each once, in order: drawn as boxes in PDF and PNG.
pub fn lacking<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<char> {
    let face = face(Weight::Regular);
    let all: std::collections::BTreeSet<char> = texts.into_iter().flat_map(str::chars).collect();
    all.into_iter().filter(|c| !c.is_whitespace() && of_lacking(*c) > 0.0 && face.glyph(*c).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_is_read() {
        for weight in Weight::ALL {
            let face = face(weight);
            let glyph = face.glyph('a').expect("has an a");
            assert!((0.4..0.8).contains(&face.advance(glyph)), "{weight:?}");
            assert!(!face.outline(glyph, 12.0).is_empty());
        }
        assert!(!icon("bolt", 20.0).is_empty());
        let (mut low, mut high) = (f32::MAX, f32::MIN);
        for op in icon("mail", 20.0) {
            if let Op::Move(_, y) | Op::Line(_, y) = op {
                (low, high) = (low.min(y), high.max(y));
            }
        }
        assert!(low >= 0.0 && high <= 20.0, "{low} {high}");
    }

    #[test]
    fn lines_break_between_words_and_are_cut_at_the_end() {
        let check = |text: &str, most: f32, max_lines: usize, expected: &[&str]| {
            let lines = wrap(text, Weight::Regular, 10.0, most, max_lines);
            assert_eq!(lines, expected, "{text:?} in {most}");
            assert!(lines.iter().all(|line| width(line, Weight::Regular, 10.0) <= most), "{lines:?}");
        };
        check("", 50.0, 2, &[]);
        check("one two", 50.0, 2, &["one two"]);
        check("one two three", 45.0, 3, &["one two", "three"]);
        check("one two three four", 45.0, 2, &["one two", "three f\u{2026}"]);
        check("  spaced \n out ", 100.0, 2, &["spaced out"]);
        check("WWWWWWWW", 30.0, 2, &["WWW", "WW\u{2026}"]);
        assert_eq!(cut("short", Weight::Regular, 10.0, 100.0), "short");
    }

    #[test]
    fn what_is_lacking_is_named() {
        assert_eq!(lacking(["Zoë · Ж", "日本", "日"]), ['日', '本']);
        assert!(width("日本", Weight::Regular, 10.0) >= 20.0);
    }
}
