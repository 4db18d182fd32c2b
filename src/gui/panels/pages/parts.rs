//! Parts that pages share: the search above a table, its cells, the two halves of a page.

use egui::{
    Align, Button, Color32, Frame, Layout, Margin, Rect, RichText, ScrollArea, Stroke, TextEdit, Ui, UiBuilder, pos2,
    vec2,
};

use super::Draft;
use crate::{
    app::{Command, Document},
    gui::{
        icons,
        panels::bottom,
        theme::{self, Palette},
        widgets,
    },
};

/// A column: its caption, its width (points above 1, else a share), and the least width of the table that shows it.
pub type Column<'a> = (&'a str, f32, f32);

/// A row of a table: what it is called, and whether it is the chosen one.
pub struct RowLook {
    /// The whole row in words, for those who hear it.
    pub name: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// Draws captions and rows, of which only those in sight; the first column is a name. Gives back the row that was
/// clicked.
///
/// `row` says what a row is called, `cell` what stands in it below a caption, with its ink.
pub fn table(
    ui: &mut Ui,
    salt: &str,
    columns: &[Column<'_>],
    num_rows: usize,
    row: &dyn Fn(usize) -> RowLook,
    cell: &dyn Fn(usize, &str) -> (String, Color32),
) -> Option<usize> {
    let width = ui.available_width();
    let columns = fitting(columns, width);
    ui.spacing_mut().item_spacing.y = 0.0;
    header(ui, &columns);
    let mut clicked = None;
    let list = ScrollArea::vertical().id_salt(salt).auto_shrink([false, false]);
    list.show_rows(ui, bottom::ROW, num_rows, |ui, range| {
        // Rows end where captions end, whether there is a bar or not.
        ui.set_max_width(width - BAR);
        for at in range {
            let look = row(at);
            let (rect, response) = bottom::row(ui, &look.name, true, look.is_chosen);
            for (n, ((title, _), place)) in columns.iter().zip(cells(rect, &columns, width)).enumerate() {
                let (words, ink) = cell(at, title);
                match n {
                    0 if !words.trim().is_empty() => {
                        _ = bottom::text(ui.painter(), place, &words, theme::medium(13.0), ink)
                    }
                    _ => self::cell(ui, place, &words, ink),
                }
            }
            if response.clicked() {
                clicked = Some(at);
            }
        }
    });
    clicked
}

/// What stands in the place of a table without rows: a sentence, and a button that helps; true when it is clicked.
pub fn empty(ui: &mut Ui, words: &str, icon: &str, button: &str) -> bool {
    ui.add_space(12.0);
    bottom::nothing(ui, words);
    ui.add_space(8.0);
    let text = RichText::new(format!("{}  {button}", icons::glyph(icon)));
    ui.add(Button::new(text).min_size(vec2(0.0, 28.0))).accessible_name(button).clicked()
}

/// The columns that fit a width.
pub fn fitting<'a>(columns: &[Column<'a>], width: f32) -> Vec<(&'a str, f32)> {
    let fits = columns.iter().filter(|(_, _, least)| width >= *least);
    fits.map(|(title, share, _)| (*title, *share)).collect()
}

/// Width of a bar to scroll with, which rows leave free whether it is there or not, so that captions stand above them.
pub const BAR: f32 = 12.0;

/// The captions over a table of this width.
pub fn header(ui: &mut Ui, columns: &[(&str, f32)]) {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width() - BAR);
        bottom::header(ui, columns);
    });
}

/// The cells of a row of a table of this width, below those of its header.
pub fn cells(rect: Rect, columns: &[(&str, f32)], table_width: f32) -> Vec<Rect> {
    let right = rect.left() + (table_width - BAR).max(1.0);
    bottom::cells(Rect::from_min_max(rect.min, pos2(right, rect.bottom())), columns)
}

/// The bar above a table: search on the left, the chosen contact and whatever is added on the right.
pub fn bar(
    ui: &mut Ui,
    document: &Document,
    draft: &mut Draft,
    what: &str,
    has_people: bool,
    out: &mut Vec<Command>,
    right: impl FnOnce(&mut Ui, &mut Vec<Command>),
) {
    ui.horizontal(|ui| {
        ui.set_height(36.0);
        let wide = (ui.available_width() * 0.3).clamp(120.0, 260.0);
        let search = TextEdit::singleline(&mut draft.search).hint_text("Search").desired_width(wide);
        ui.add(search.margin(Margin::symmetric(10, 6))).accessible_name(format!("Search {what}"));
        if has_people && !document.home.audience.contacts.is_empty() {
            bottom::people(ui, document, &mut draft.people, out);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| right(ui, out));
    });
}

/// The main button of a page.
pub fn main_button(ui: &mut Ui, icon: &str, words: &str) -> egui::Response {
    let button = widgets::primary(ui, format!("{}  {words}", icons::glyph(icon)), true);
    ui.add(button.min_size(vec2(0.0, 28.0))).accessible_name(words)
}

/// A table beside what is chosen in it; below each other where there is no room for both.
pub fn halves(ui: &mut Ui, has_right: bool, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    let whole = ui.available_rect_before_wrap();
    if !has_right {
        left(&mut ui.new_child(UiBuilder::new().max_rect(whole)));
        ui.advance_cursor_after_rect(whole);
        return;
    }
    let palette = Palette::get(ui);
    let width = (whole.width() * 0.36).clamp(264.0, 400.0);
    let cut = whole.right() - width;
    let rect = Rect::from_min_max(whole.min, pos2(cut - 12.0, whole.bottom()));
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).id_salt("left half"));
    child.set_clip_rect(rect.expand(2.0).intersect(ui.clip_rect()));
    left(&mut child);
    let rect = Rect::from_min_max(pos2(cut, whole.top()), whole.max);
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).id_salt("right half"));
    child.set_clip_rect(rect.expand(2.0).intersect(ui.clip_rect()));
    let frame = Frame::new()
        .fill(palette.panel)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(theme::CARD_RADIUS as f32)
        .inner_margin(Margin { left: 14, right: 6, top: 10, bottom: 8 });
    frame.show(&mut child, |ui| {
        ui.set_min_size(rect.size() - vec2(22.0, 20.0));
        right(ui);
    });
    ui.advance_cursor_after_rect(whole);
}

/// What scrolls in the right half.
pub fn scrolled(ui: &mut Ui, salt: &str, add: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().id_salt(salt).auto_shrink([false, false]).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 0, right: 8, top: 2, bottom: 16 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui);
        });
    });
}

/// A cell's words, in the ink of their weight; "–" where there are none.
fn cell(ui: &Ui, rect: Rect, words: &str, ink: Color32) {
    let palette = Palette::get(ui);
    let (words, ink) = if words.is_empty() { ("\u{2013}", palette.weak) } else { (words, ink) };
    bottom::text(ui.painter(), rect, words, theme::regular(12.5), ink);
}

/// A count as a word: "used 3 times", "not used".
pub fn used(count: usize) -> String {
    match count {
        0 => "not used".to_owned(),
        1 => "used once".to_owned(),
        n => format!("used {n} times"),
    }
}
