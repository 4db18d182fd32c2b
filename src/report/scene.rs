//! A drawing as data: rectangles, paths, texts, groups. What SVG, PDF and PNG have in common.
//!
//! Units are whatever the scene is drawn in (canvas units, points); y runs down. Deliberately not here: any format.

use super::{font::Weight, look::Rgb};

/// A rectangle with edges along the axes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Area {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

impl Area {
    /// From a corner and a size.
    pub fn new(left: f32, top: f32, width: f32, height: f32) -> Self {
        Self { left, top, right: left + width, bottom: top + height }
    }

    /// From a centre and a size.
    pub fn around((x, y): (f32, f32), (width, height): (f32, f32)) -> Self {
        Self::new(x - width / 2.0, y - height / 2.0, width, height)
    }

    /// Across.
    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    /// Down.
    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// The middle.
    pub fn center(&self) -> (f32, f32) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// Whether they share more than an edge.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Whether all of the other lies inside.
    pub fn holds(&self, other: &Self) -> bool {
        self.left <= other.left && self.top <= other.top && self.right >= other.right && self.bottom >= other.bottom
    }

    /// Larger by so much on every side.
    #[must_use]
    pub fn grown(&self, by: f32) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    /// Around both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Around points; `None` without any.
    pub fn of_points(points: &[(f32, f32)]) -> Option<Self> {
        let mut areas = points.iter().map(|(x, y)| Self { left: *x, top: *y, right: *x, bottom: *y });
        let first = areas.next()?;
        Some(areas.fold(first, |all, one| all.with(&one)))
    }
}

/// A piece of a path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Op {
    /// Begin here.
    Move(f32, f32),
    /// Straight to here.
    Line(f32, f32),
    /// By one control point to the second.
    Quad(f32, f32, f32, f32),
    /// By two control points to the third.
    Curve(f32, f32, f32, f32, f32, f32),
    /// Back to where it began.
    Close,
}

impl Op {
    /// The same elsewhere.
    #[must_use]
    pub fn moved(self, x: f32, y: f32) -> Self {
        match self {
            Self::Move(a, b) => Self::Move(a + x, b + y),
            Self::Line(a, b) => Self::Line(a + x, b + y),
            Self::Quad(a, b, c, d) => Self::Quad(a + x, b + y, c + x, d + y),
            Self::Curve(a, b, c, d, e, f) => Self::Curve(a + x, b + y, c + x, d + y, e + x, f + y),
            Self::Close => Self::Close,
        }
    }
}

/// A stroke: colour and width.
pub type Line = (Rgb, f32);

/// Which point of a text its place is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Anchor {
    /// The left end.
    #[default]
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

/// A line of text.
#[derive(Clone, PartialEq, Debug)]
pub struct Text {
    /// Where its anchor is; y is the base line.
    pub at: (f32, f32),
    /// Which point stands there.
    pub anchor: Anchor,
    /// What it says.
    pub text: String,
    /// How heavy.
    pub weight: Weight,
    /// Height of the em.
    pub size: f32,
    /// Colour.
    pub color: Rgb,
}

/// Something drawn.
#[derive(Clone, PartialEq, Debug)]
pub enum Mark {
    /// A rectangle with round corners.
    Rect {
        /// Where.
        area: Area,
        /// Of the corners.
        radius: f32,
        /// Inside.
        fill: Option<Rgb>,
        /// Around, its middle on the edge.
        line: Option<Line>,
        /// The line in dashes.
        dashed: bool,
    },
    /// A path.
    Path {
        /// Its pieces.
        ops: Vec<Op>,
        /// Inside.
        fill: Option<Rgb>,
        /// Along it.
        line: Option<Line>,
        /// The line in dashes.
        dashed: bool,
    },
    /// A line of text.
    Text(Text),
    /// Marks together.
    Group(Group),
}

/// Marks with a name, a place and a scale of their own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Group {
    /// What it is, for readers that speak: "Step 3: Delay, Four hours". Empty for none.
    pub label: String,
    /// The id of the step it shows; empty for none.
    pub step: String,
    /// Its scale, then its place.
    pub scale: Option<(f32, (f32, f32))>,
    /// What of it is seen, in its own units.
    pub clip: Option<Area>,
    /// What is in it.
    pub marks: Vec<Mark>,
}

/// A drawing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scene {
    /// Across.
    pub width: f32,
    /// Down.
    pub height: f32,
    /// From the lowest to the topmost.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// Every text in it, groups included.
    pub fn texts(&self) -> Vec<&Text> {
        fn collect<'a>(marks: &'a [Mark], out: &mut Vec<&'a Text>) {
            for mark in marks {
                match mark {
                    Mark::Text(text) => out.push(text),
                    Mark::Group(group) => collect(&group.marks, out),
                    Mark::Rect { .. } | Mark::Path { .. } => {}
                }
            }
        }
        let mut out = Vec::new();
        collect(&self.marks, &mut out);
        out
    }
}

/// A filled shape.
pub fn filled(ops: Vec<Op>, fill: Rgb) -> Mark {
    Mark::Path { ops, fill: Some(fill), line: None, dashed: false }
}

/// A line along a path.
pub fn stroked(ops: Vec<Op>, color: Rgb, width: f32) -> Mark {
    Mark::Path { ops, fill: None, line: Some((color, width)), dashed: false }
}

/// A text.
pub fn text(at: (f32, f32), text: impl Into<String>, (weight, size): (Weight, f32), color: Rgb) -> Mark {
    Mark::Text(Text { at, anchor: Anchor::Start, text: text.into(), weight, size, color })
}

/// A text with its middle or end at a place.
pub fn text_at(
    at: (f32, f32),
    anchor: Anchor,
    text: impl Into<String>,
    (weight, size): (Weight, f32),
    color: Rgb,
) -> Mark {
    Mark::Text(Text { at, anchor, text: text.into(), weight, size, color })
}

/// The corners of a rectangle with round ones, as a path.
pub fn rounded(area: &Area, radius: f32) -> Vec<Op> {
    let r = radius.min(area.width() / 2.0).min(area.height() / 2.0).max(0.0);
    let Area { left, top, right, bottom } = *area;
    if r <= 0.0 {
        return vec![
            Op::Move(left, top),
            Op::Line(right, top),
            Op::Line(right, bottom),
            Op::Line(left, bottom),
            Op::Close,
        ];
    }
    // Of a quarter of a circle. Source: the usual 4/3 (sqrt 2 - 1).
    let k = r * 0.447_715_25;
    vec![
        Op::Move(left + r, top),
        Op::Line(right - r, top),
        Op::Curve(right - k, top, right, top + k, right, top + r),
        Op::Line(right, bottom - r),
        Op::Curve(right, bottom - k, right - k, bottom, right - r, bottom),
        Op::Line(left + r, bottom),
        Op::Curve(left + k, bottom, left, bottom - k, left, bottom - r),
        Op::Line(left, top + r),
        Op::Curve(left, top + k, left + k, top, left + r, top),
        Op::Close,
    ]
}
