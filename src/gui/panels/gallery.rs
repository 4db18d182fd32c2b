//! The first thing to see: samples, recent files, a new flow.

use egui::{Align, Button, Frame, Layout, Margin, RichText, ScrollArea, Ui, vec2};

use super::Drafts;
use crate::{
    app::{App, Command, CommandId},
    gui::{
        icons,
        theme::{self, Palette},
    },
};

/// Draws it.
pub fn gallery(ui: &mut Ui, app: &App, _drafts: &mut Drafts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    Frame::new().inner_margin(Margin::symmetric(40, 32)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(icons::glyph("flow-arrow")).font(theme::icon(28.0)).color(palette.accent));
            ui.label(RichText::new("Flowloom").font(theme::semibold(24.0)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let new = RichText::new("New flow").color(palette.on_accent);
                if ui.add(Button::new(new).fill(palette.accent).min_size(vec2(0.0, 32.0))).clicked() {
                    out.push(CommandId::New.into());
                }
                if ui.add(Button::new("Open…").min_size(vec2(0.0, 32.0))).clicked() {
                    out.push(CommandId::Open.into());
                }
            });
        });
        ui.add_space(16.0);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            for document in &app.documents {
                if ui.add(Button::new(document.title())).clicked() {
                    out.push(Command::ShowTab(document.id));
                }
            }
        });
    });
}
