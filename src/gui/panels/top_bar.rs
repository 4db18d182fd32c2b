//! The bar at the top: name, state, undo, redo, theme, simulate, publish.

use egui::{Align, Button, Layout, RichText, Ui, vec2};

use crate::{
    app::{App, Command, CommandId, Document, Panel},
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Draws it.
pub fn top_bar(ui: &mut Ui, app: &App, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.horizontal_centered(|ui| {
        ui.add_space(14.0);
        let logo = RichText::new(icons::glyph("flow-arrow")).font(theme::icon(20.0)).color(palette.accent);
        let button = Button::new(logo).frame_when_inactive(false);
        if ui.add(button).accessible_name("Gallery").on_hover_text("Gallery").clicked() {
            out.push(CommandId::Gallery.into());
        }
        ui.label(RichText::new(document.title()).font(theme::semibold(16.0)));
        let (text, ink, fill) = match (document.is_read_only(), document.history.is_clean(), &document.path) {
            (true, ..) => ("Read-only", palette.warning, palette.warning_soft),
            (_, true, Some(_)) => ("Draft \u{b7} saved", palette.good, palette.good_soft),
            (_, true, None) => ("New", palette.weak, palette.field),
            _ => ("Draft \u{b7} not saved", palette.warning, palette.warning_soft),
        };
        widgets::pill(ui, text, ink, fill);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(14.0);
            let publish =
                RichText::new(format!("{}  Publish…", icons::glyph("rocket-launch"))).color(palette.on_accent);
            let publish = ui.add(Button::new(publish).fill(palette.accent).min_size(vec2(0.0, 30.0)));
            if publish.accessible_name("Publish…").clicked() {
                out.push(CommandId::Publish.into());
            }
            let simulate = Button::new(format!("{}  Simulate", icons::glyph("play"))).min_size(vec2(0.0, 30.0));
            if ui.add(simulate).accessible_name("Simulate").clicked() {
                out.push(Command::ShowPanel(Some(Panel::Timeline)));
            }
            ui.separator();
            let sun = if ui.visuals().dark_mode { "sun" } else { "moon" };
            for (icon, id) in [
                (sun, CommandId::ToggleTheme),
                ("arrow-clockwise", CommandId::Redo),
                ("arrow-counter-clockwise", CommandId::Undo),
            ] {
                if widgets::icon_button(ui, icon, app, id).clicked() {
                    out.push(id.into());
                }
            }
        });
    });
}
