//! The content guard: words of the mail that have no place in its picture, and characters without a glyph.
//!
//! The one idea: compare what should be read (texts whose styles do not hide them) with what was drawn (text nodes of
//! which a laid-out line has glyphs inside the picture). A renderer that drops a cell is caught, whatever the reason.
//! Deliberately not here: whether what is drawn can be read (contrast, overlaps).

use std::collections::BTreeSet;

use blitz_dom::{BaseDocument, Node, NodeId};
use parley::PositionedLayoutItem;
use style::{computed_values::visibility::T as Visibility, values::specified::box_::Overflow};

use super::placeholder;

/// Most words that are named.
const MOST_WORDS: usize = 50;
/// Text below this size is hidden on purpose (preheaders).
const LEGIBLE_PX: f32 = 2.0;

/// What the guard found.
#[derive(Default)]
pub(super) struct Found {
    /// Visible words without a place, in reading order.
    pub lost: Vec<String>,
    /// Characters that the fonts do not have.
    pub without_glyph: BTreeSet<char>,
}

/// Looks at a document that is laid out for a picture of that width.
pub(super) fn look(document: &BaseDocument, width_px: f32) -> Found {
    let mut found = Found::default();
    let drawn = drawn(document, width_px, &mut found.without_glyph);
    let mut open: Vec<NodeId> = document.try_root_element().map(|root| root.id).into_iter().collect();
    while let Some(id) = open.pop() {
        let Some(node) = document.get_node(id) else { continue };
        if let Some(text) = node.text_data() {
            let of = |id: NodeId| drawn.contains(&id);
            if !of(id) && !node.parent.is_some_and(of) && found.lost.len() < MOST_WORDS {
                let words = text.content.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
                let room = MOST_WORDS - found.lost.len();
                found.lost.extend(words.take(room).map(str::to_owned));
            }
        } else if is_shown(node) {
            open.extend(node.children.iter().rev());
        }
    }
    found
}

/// The nodes of which glyphs are in the picture: texts, or the elements directly around them.
fn drawn(document: &BaseDocument, width_px: f32, without_glyph: &mut BTreeSet<char>) -> BTreeSet<NodeId> {
    let mut out = BTreeSet::new();
    for (_, node) in document.tree().iter() {
        let Some(inline) = node.element_data().and_then(|element| element.inline_layout_data.as_ref()) else {
            continue;
        };
        let size = node.final_layout().size;
        let at = node.absolute_position(0.0, 0.0);
        let inside = size.width > 0.0 && size.height > 0.0 && at.x < width_px && at.x + size.width > 0.0;
        if !inside || at.y + size.height <= 0.0 {
            continue;
        }
        for line in inline.layout.lines() {
            for item in line.items() {
                let PositionedLayoutItem::GlyphRun(glyphs) = item else { continue };
                out.insert(glyphs.style().brush.id);
                if glyphs.glyphs().any(|glyph| glyph.id == 0) {
                    for cluster in glyphs.run().clusters() {
                        if cluster.glyphs().any(|glyph| glyph.id == 0)
                            && let Some(text) = inline.text.get(cluster.text_range())
                        {
                            without_glyph.extend(text.chars().filter(|c| !c.is_control() && !c.is_whitespace()));
                        }
                    }
                }
            }
        }
    }
    out
}

/// Whether what is in an element is meant to be read.
fn is_shown(node: &Node) -> bool {
    let Some(element) = node.element_data() else { return false };
    let name = &*element.name.local;
    if matches!(name, "head" | "style" | "script" | "title" | "select" | "textarea" | "option") {
        return false;
    }
    if element.attrs.iter().any(|attr| &*attr.name.local == placeholder::MARK) {
        return false;
    }
    // What is in something that is not displayed has no styles.
    let Some(styles) = node.primary_styles() else { return false };
    let display = styles.clone_display();
    if display.is_none()
        || styles.clone_visibility() != Visibility::Visible
        || styles.clone_opacity() <= 0.01
        || styles.clone_font_size().computed_size().px() < LEGIBLE_PX
    {
        // A small size may be made larger inside: `font-size:0` around columns is common.
        return !display.is_none() && styles.clone_visibility() == Visibility::Visible && styles.clone_opacity() > 0.01;
    }
    let clips = styles.clone_overflow_x() != Overflow::Visible || styles.clone_overflow_y() != Overflow::Visible;
    let size = node.final_layout().size;
    !(clips && !node.is_non_atomic_inline() && (size.width <= 0.0 || size.height <= 0.0))
}
