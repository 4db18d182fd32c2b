//! Rows that are dragged to another place by a handle.
//!
//! The one idea: while a row is dragged nothing moves but a line that says where it would go; the caller gets the move
//! once, when the row is let go. Escape takes it back. Buttons that do the same stay beside it: a handle is no way for
//! the keyboard.

use egui::{
    CursorIcon, DragAndDrop, Id, LayerId, Order, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use crate::gui::{
    icons,
    theme::{self, Palette},
};

/// Width of a handle, in points.
pub const HANDLE: f32 = 16.0;

/// What is dragged: which list, which row, and what it is called.
struct Dragged {
    list: Id,
    from: usize,
    title: String,
}

/// A list being drawn whose rows can be dragged.
#[derive(Debug)]
pub struct Reorder {
    id: Id,
    is_level: bool,
    rects: Vec<Rect>,
}

impl Reorder {
    /// Rows from top to bottom; the key is the list's own in the window.
    pub fn down(key: impl std::hash::Hash + std::fmt::Debug) -> Self {
        Self { id: Id::unique(("reorder", key)), is_level: false, rects: Vec::new() }
    }

    /// Rows side by side, which may go on in the line below.
    pub fn across(key: impl std::hash::Hash + std::fmt::Debug) -> Self {
        Self { is_level: true, ..Self::down(key) }
    }

    /// The handle of the row that is drawn next, called `name`; what is dragged shows `title` beside the pointer.
    pub fn handle(&self, ui: &mut Ui, name: &str, title: &str) -> Response {
        let palette = Palette::get(ui);
        let at = self.rects.len();
        let (rect, _) = ui.allocate_exact_size(vec2(HANDLE, 22.0), Sense::hover());
        let response = ui.interact(rect, self.id.with(at), Sense::drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
        let hot = response.hovered() || response.dragged();
        let ink = if hot { palette.accent } else { palette.weak };
        let glyph = icons::glyph("dots-six-vertical");
        ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, glyph, theme::icon(15.0), ink);
        self.drag(ui, &response, title);
        response.on_hover_cursor(CursorIcon::Grab).on_hover_text(name)
    }

    /// Takes a drag of a response as one of the row that is drawn next.
    pub fn drag(&self, ui: &Ui, response: &Response, title: &str) {
        if response.drag_started() {
            let from = self.rects.len();
            DragAndDrop::set_payload(ui.ctx(), Dragged { list: self.id, from, title: title.to_owned() });
        }
    }

    /// Where a row was drawn, after drawing it.
    pub fn row(&mut self, rect: Rect) {
        self.rects.push(rect);
    }

    /// Where a row was drawn: from where the cursor stood before it to where it stands now.
    pub fn row_since(&mut self, ui: &Ui, start: Pos2) {
        let bottom = ui.cursor().top() - ui.spacing().item_spacing.y;
        self.row(Rect::from_min_max(start, pos2(ui.max_rect().right(), bottom.max(start.y))));
    }

    /// After the last row: draws where the dragged one would go; gives from where to where it was let go.
    pub fn end(self, ui: &Ui) -> Option<(usize, usize)> {
        let dragged = DragAndDrop::payload::<Dragged>(ui.ctx()).filter(|dragged| dragged.list == self.id)?;
        let pointer = ui.ctx().pointer_latest_pos()?;
        let from = dragged.from;
        let gap = gap(&self.rects, pointer, self.is_level);
        // The row itself takes a place before the gap.
        let to = if gap > from { gap - 1 } else { gap };
        if ui.input(|i| i.pointer.any_released()) {
            DragAndDrop::clear_payload(ui.ctx());
            return (to != from).then_some((from, to));
        }
        self.paint(ui, pointer, gap, to != from, &dragged);
        // A list that is longer than its panel follows the pointer.
        ui.scroll_to_rect(Rect::from_center_size(pointer, vec2(1.0, 56.0)), None);
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        None
    }

    fn paint(&self, ui: &Ui, pointer: Pos2, gap: usize, moves: bool, dragged: &Dragged) {
        let palette = Palette::get(ui);
        let painter = ui.painter();
        if let Some(own) = self.rects.get(dragged.from) {
            painter.rect_filled(*own, theme::CONTROL_RADIUS as f32, palette.panel.gamma_multiply(0.6));
        }
        let (before, after) = (gap.checked_sub(1).and_then(|n| self.rects.get(n)), self.rects.get(gap));
        let Some(beside) = after.or(before) else { return };
        if moves {
            let stroke = Stroke::new(2.0, palette.accent);
            let edge = |low: Option<f32>, high: Option<f32>| match (low, high) {
                (Some(low), Some(high)) if low <= high => (low + high) / 2.0,
                (_, Some(high)) => high - 2.0,
                (Some(low), None) => low + 2.0,
                (None, None) => 0.0,
            };
            if self.is_level {
                let x = edge(before.map(|rect| rect.right()), after.map(|rect| rect.left()));
                painter.vline(x, beside.y_range(), stroke);
            } else {
                let y = edge(before.map(|rect| rect.bottom()), after.map(|rect| rect.top()));
                painter.hline(beside.x_range(), y, stroke);
                painter.circle_filled(pos2(beside.left(), y), 3.5, palette.accent);
            }
        }
        let above = ui.ctx().layer_painter(LayerId::new(Order::Tooltip, self.id));
        let title: String = dragged.title.chars().take(40).collect();
        let galley = above.layout_no_wrap(title, theme::medium(12.0), palette.on_accent);
        let chip = Rect::from_min_size(pointer + vec2(12.0, 6.0), galley.size() + vec2(16.0, 8.0));
        above.rect_filled(chip, theme::CONTROL_RADIUS as f32, palette.accent);
        above.galley(chip.min + vec2(8.0, 4.0), galley, palette.on_accent);
    }
}

/// Before which row a pointer is: the first whose middle lies behind it, else the end.
fn gap(rects: &[Rect], pointer: Pos2, is_level: bool) -> usize {
    let is_behind = |rect: &Rect| {
        if is_level {
            // Side by side in lines: below the pointer's line, or to the right in it.
            pointer.y < rect.top() || (pointer.y <= rect.bottom() && pointer.x < rect.center().x)
        } else {
            pointer.y < rect.center().y
        }
    };
    rects.iter().position(is_behind).unwrap_or(rects.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_the_nearest_between_rows() {
        let rows: Vec<Rect> =
            (0..3).map(|n| Rect::from_min_size(pos2(0.0, 30.0 * n as f32), vec2(100.0, 20.0))).collect();
        let check = |y: f32, expected: usize| assert_eq!(gap(&rows, pos2(50.0, y), false), expected, "{y}");
        check(-50.0, 0);
        check(9.0, 0);
        check(11.0, 1);
        check(45.0, 2);
        check(500.0, 3);
        // Two in the first line, one in the second.
        let tabs =
            [(0.0, 0.0), (50.0, 0.0), (0.0, 30.0)].map(|(x, y)| Rect::from_min_size(pos2(x, y), vec2(40.0, 20.0)));
        let check = |x: f32, y: f32, expected: usize| assert_eq!(gap(&tabs, pos2(x, y), true), expected, "{x} {y}");
        check(10.0, 10.0, 0);
        check(30.0, 10.0, 1);
        check(90.0, 10.0, 2);
        check(10.0, 40.0, 2);
        check(30.0, 40.0, 3);
        assert_eq!(gap(&[], pos2(0.0, 0.0), false), 0);
    }
}
