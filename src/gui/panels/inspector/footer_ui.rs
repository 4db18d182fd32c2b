//! Below the settings: counts of the replay, problems, more about the kind.

use egui::{CollapsingHeader, Frame, Margin, RichText, Ui};

use super::{form::Pen, inputs};
use crate::{
    app::{Command, inspector::footer, problems},
    base::NodeId,
    gui::{
        icons,
        theme::{self, Palette},
    },
    kinds::Spec,
};

/// Tiles with what the replay counted.
pub fn stats(ui: &mut Ui, pen: &Pen<'_>, node: &NodeId) {
    let stats = footer::stats(pen.document, node);
    if stats.is_empty() {
        return;
    }
    let palette = Palette::get(ui);
    inputs::caption(
        ui,
        if footer::is_stale(pen.document) { "In the replay, before this change" } else { "In the replay" },
    );
    let columns = stats.len().min(3);
    let gap = 8.0;
    let width = ((ui.available_width() - gap * (columns as f32 - 1.0)) / columns as f32).floor();
    for row in stats.chunks(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for stat in row {
                let frame = Frame::new().fill(palette.field).corner_radius(theme::CONTROL_RADIUS as f32);
                let tile = frame.inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
                    ui.set_width(width - 20.0);
                    ui.vertical(|ui| {
                        ui.spacing_mut().item_spacing.y = 2.0;
                        let number = RichText::new(&stat.number).font(theme::semibold(15.0));
                        ui.add(egui::Label::new(number).truncate().selectable(false));
                        let word = RichText::new(&stat.word).font(theme::regular(11.5)).color(palette.weak);
                        ui.add(egui::Label::new(word).truncate().selectable(false));
                    });
                });
                tile.response.on_hover_text(&stat.help);
            }
        });
    }
}

/// Problems of a step, each with its fix.
pub fn step_problems(ui: &mut Ui, pen: &mut Pen<'_>, node: &NodeId) {
    list(ui, pen, &footer::problems(pen.document, node));
}

/// Problems in boxes of their colour.
pub fn list(ui: &mut Ui, pen: &mut Pen<'_>, rows: &[problems::Row<'_>]) {
    if rows.is_empty() {
        return;
    }
    inputs::caption(ui, "Problems");
    let palette = Palette::get(ui);
    for row in rows {
        let found = &row.finding.diagnostic;
        let (_, fill) = palette.severity(found.severity);
        let frame = Frame::new().fill(fill).corner_radius(theme::TILE_RADIUS as f32);
        frame.inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            inputs::message(ui, found.severity, &found.message, &found.code);
            if !found.hint.is_empty() {
                let hint = RichText::new(&found.hint).font(theme::regular(11.5)).color(palette.text);
                ui.add(egui::Label::new(hint).wrap());
            }
            if let Some(fix) = &row.finding.fix {
                let words =
                    RichText::new(format!("{} {}", icons::glyph("wrench"), fix.label)).font(theme::medium(12.0));
                let button = ui.add(egui::Button::new(words).wrap());
                if button.accessible_name(&fix.label).clicked() {
                    let (label, edits) = (fix.label.clone(), fix.edits.clone());
                    pen.out.push(Command::Edit { label, edits, merge: None });
                }
            }
        });
    }
}

/// What the kind does and why it matters.
pub fn more(ui: &mut Ui, spec: &Spec) {
    ui.add_space(8.0);
    let palette = Palette::get(ui);
    let title = RichText::new("More about this step").font(theme::medium(12.0)).color(palette.weak);
    CollapsingHeader::new(title).id_salt("more about").show_unindented(ui, |ui| {
        ui.add(egui::Label::new(RichText::new(spec.docs.what).font(theme::regular(12.0))).wrap());
        inputs::small(ui, spec.docs.why);
        inputs::small(ui, &format!("Source: {}", spec.docs.source));
    });
}
