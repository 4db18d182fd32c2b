//! Settings of the flow and of its workspace, side by side where there is room.

use egui::{Frame, Margin, RichText, ScrollArea, Stroke, Ui, vec2};

use crate::{
    app::{
        Command, Document,
        inspector::{Change, Route, flow_fields, flow_form},
        pages::shared,
    },
    gui::{
        panels::{
            Drafts,
            inspector::{self, Pen, inputs},
        },
        theme::{self, Palette},
    },
};

/// Least width of a column, in points.
const COLUMN: f32 = 300.0;

/// Draws the page.
pub fn flow(ui: &mut Ui, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    ui.add_space(8.0);
    let mut pen = Pen { document, draft: &mut drafts.inspector, out };
    let (first, rest) = flow_fields::SECTIONS.split_at(flow_fields::SECTIONS.len().min(2));
    ScrollArea::vertical().id_salt("flow settings").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_max_width(ui.available_width() - 12.0);
        let num_columns = ((ui.available_width() / COLUMN) as usize).clamp(1, 3);
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.columns(num_columns, |columns| {
            for column in columns.iter_mut() {
                column.spacing_mut().item_spacing.x = 6.0;
            }
            let last = num_columns - 1;
            card(&mut columns[0], "Flow", |ui| {
                inspector::flow_name(ui, &mut pen);
                sections(ui, &mut pen, first);
                if num_columns < 3 {
                    sections(ui, &mut pen, rest);
                }
            });
            if num_columns == 3 {
                card(&mut columns[1], "Messages, values, limits", |ui| sections(ui, &mut pen, rest));
            }
            card(&mut columns[last], "Workspace", |ui| workspace(ui, &mut pen));
        });
        ui.add_space(12.0);
    });
}

fn card(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    let palette = Palette::get(ui);
    ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
        let frame = Frame::new()
            .fill(palette.panel)
            .stroke(Stroke::new(1.0, palette.line))
            .corner_radius(theme::CARD_RADIUS as f32)
            .inner_margin(Margin::symmetric(14, 10));
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
            ui.add(egui::Label::new(RichText::new(title).font(theme::semibold(15.0))).truncate());
            add(ui);
        });
        ui.add_space(8.0);
    });
}

fn sections(ui: &mut Ui, pen: &mut Pen<'_>, sections: &[(&str, &[&str])]) {
    let form = flow_form(pen.document);
    inspector::flow_sections(ui, pen, &form, sections);
}

fn workspace(ui: &mut Ui, pen: &mut Pen<'_>) {
    let document = pen.document;
    inputs::small(ui, &shared::place(&document.home));
    let sink = |route: &Route, change: &Change| shared::edit(document, "workspace", route, change);
    inspector::rows_ui(ui, pen, &shared::plain_form(document), "workspace", "Workspace", &sink);
}
