//! The list of merge tags that are inserted at the text cursor.

use egui::{Popup, ScrollArea, TextFormat, Ui, text::LayoutJob, vec2};

use super::{
    form::{Pen, Sink},
    inputs::{self, Around},
};
use crate::{
    app::inspector::{Change, Ready, Row, message},
    gui::theme::{self, Palette},
};

/// The button beside a label of a row.
pub fn tag_button(ui: &mut Ui, pen: &mut Pen<'_>, around: &Around<'_>, row: &Row, value: &str, sink: &Sink<'_>) {
    if let Some(text) = insert(ui, pen, around, value) {
        let ready = sink(&row.route, &Change::Text(text.clone()));
        pen.out.extend(pen.draft.typed(around.key, &text, value, ready).map(Ready::command));
    }
}

/// The button; gives back the text with a chosen tag in it.
pub fn insert(ui: &mut Ui, pen: &mut Pen<'_>, around: &Around<'_>, value: &str) -> Option<String> {
    let name = format!("Insert tag into {}", around.name.to_lowercase());
    let button = inputs::icon_button(ui, "tag", &name);
    let mut chosen = None;
    Popup::menu(&button).width(280.0).show(|ui| {
        let palette = Palette::get(ui);
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for tag in message::tags(pen.document) {
                let mut job = LayoutJob::default();
                let format = |font, color| TextFormat { font_id: font, color, ..TextFormat::default() };
                job.append(&tag.insert, 0.0, format(theme::medium(12.5), palette.accent));
                job.append(&tag.title, 8.0, format(theme::regular(12.0), palette.text));
                let about = match (tag.sample.as_str(), tag.fallback.as_str()) {
                    ("", "") => String::new(),
                    ("", fallback) => format!("else \u{201c}{fallback}\u{201d}"),
                    (sample, "") => sample.to_owned(),
                    (sample, fallback) => format!("{sample}, else \u{201c}{fallback}\u{201d}"),
                };
                if !about.is_empty() {
                    job.append(&format!("\n{about}"), 0.0, format(theme::regular(11.5), palette.weak));
                }
                let button = egui::Button::new(job).truncate().frame_when_inactive(false);
                let button = button.min_size(vec2(ui.available_width(), 0.0));
                if ui.add(button).accessible_name(format!("Insert {}", tag.insert)).clicked() {
                    chosen = Some(tag.insert.clone());
                }
            }
        });
    });
    let tag = chosen?;
    let (text, _) = pen.draft.shown(around.key, value);
    let at = pen.draft.cursors.get(around.key).copied().unwrap_or(usize::MAX);
    let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
    Some(format!("{}{tag}{}", &text[..at], &text[at..]))
}
