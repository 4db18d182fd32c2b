//! The search bar over the canvas: what was found, next and previous.

use egui::{Button, Frame, Id, Key, Margin, Rect, RichText, TextEdit, Ui, UiBuilder, vec2};

use crate::{
    app::{Command, CommandId, Document},
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// What the bar keeps: the half-typed words.
#[derive(Debug, Default)]
pub struct FindBar {
    query: String,
}

impl FindBar {
    /// Draws it where it is open.
    pub fn ui(&mut self, ui: &mut Ui, screen: Rect, palette: &Palette, document: &Document, out: &mut Vec<Command>) {
        let search = &document.view.search;
        if !search.is_open {
            self.query.clear();
            return;
        }
        let size = vec2(380.0_f32.min(screen.width() - 24.0), 92.0);
        let rect = Rect::from_min_size(screen.center_top() + vec2(-size.x / 2.0, 12.0), size);
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
        Frame::popup(child.style()).inner_margin(Margin::same(8)).show(&mut child, |ui| {
            ui.set_width(size.x - 18.0);
            ui.horizontal(|ui| {
                let field = TextEdit::singleline(&mut self.query).id(Id::unique("find")).hint_text("Find in this flow");
                let field = ui.add(field.desired_width(size.x - 178.0)).accessible_name("Find in this flow");
                if field.changed() {
                    out.push(Command::Search(self.query.clone()));
                }
                let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                if enter {
                    out.push(CommandId::FindNext.into());
                    field.request_focus();
                }
                if ui.input(|i| i.key_pressed(Key::Escape)) {
                    out.push(CommandId::SelectNone.into());
                }
                let at = search.current.map_or(0, |at| at + 1);
                let count =
                    if search.query.trim().is_empty() { String::new() } else { format!("{at}/{}", search.hits.len()) };
                ui.label(RichText::new(count).font(theme::regular(11.5)).color(palette.weak));
                for (icon, name, id) in [
                    ("caret-up", "Find the one before", CommandId::FindPrevious),
                    ("caret-down", "Find next", CommandId::FindNext),
                    ("x", "Close the search", CommandId::SelectNone),
                ] {
                    let glyph = RichText::new(icons::glyph(icon)).font(theme::icon(14.0));
                    let button = Button::new(glyph).frame_when_inactive(false).small();
                    if ui.add(button).accessible_name(name).on_hover_text(name).clicked() {
                        out.push(id.into());
                    }
                }
            });
            let line = match search.current.and_then(|at| search.hits.get(at)) {
                Some(hit) => format!("{}: {}", hit.title, hit.snippet),
                None if search.query.trim().is_empty() => "Steps, messages, conditions, merge tags".to_owned(),
                None => "Nothing found".to_owned(),
            };
            ui.add(egui::Label::new(RichText::new(line).font(theme::regular(11.5)).color(palette.weak)).truncate());
        });
    }
}
