//! Rule 6: how tall the picture is.
//!
//! The root's own height is the window's in mails with `height:100%`, and less than its content where something sticks
//! out. So the deepest bottom of all boxes counts. Deliberately not here: cutting, which the painter does.

use blitz_dom::BaseDocument;

/// The deepest bottom and the furthest right of all boxes, in CSS pixels.
pub(super) fn of(document: &BaseDocument) -> (f32, f32) {
    let (mut bottom, mut right) = (0.0_f32, 0.0_f32);
    for (_, node) in document.tree().iter() {
        if !(node.is_element() || node.is_anonymous()) || !node.has_boxes() {
            continue;
        }
        let size = node.final_layout().size;
        if size.width > 0.0 && size.height > 0.0 {
            let at = node.absolute_position(0.0, 0.0);
            bottom = bottom.max(at.y + size.height);
            right = right.max(at.x + size.width);
        }
    }
    (bottom, right)
}
