//! Every key on one page, made from the command table.

use egui::{Align, Button, Id, Layout, Modal, RichText, ScrollArea, Ui, vec2};

use crate::{
    app::{
        App, Command, CommandId,
        command::{COMMANDS, keys},
        files::{Act, Page},
    },
    gui::{
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Draws it where it is open.
pub fn shortcuts(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    if app.files.page != Some(Page::Shortcuts) {
        return;
    }
    let screen = ui.ctx().content_rect().size();
    let modal = Modal::new(Id::unique("shortcuts")).frame(page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((screen.x - 88.0).min(760.0));
        ui.set_height((screen.y - 104.0).min(620.0));
        page_head(ui, "Shortcuts", out);
        let wide = ui.available_width() > 560.0;
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let mut groups: Vec<&str> = COMMANDS.iter().map(|row| row.group).collect();
            groups.dedup();
            // Room for the scroll bar.
            ui.set_max_width(ui.available_width() - 12.0);
            if wide {
                ui.spacing_mut().item_spacing.x = 32.0;
                ui.columns(2, |columns| {
                    columns.iter_mut().for_each(|column| column.spacing_mut().item_spacing.x = 6.0);
                    let (left, right) = halves(&groups);
                    left.iter().for_each(|group| group_ui(&mut columns[0], app, group));
                    right.iter().for_each(|group| group_ui(&mut columns[1], app, group));
                });
            } else {
                groups.iter().for_each(|group| group_ui(ui, app, group));
            }
        });
        ui.add_space(4.0);
        if ui.button("Change keys…").clicked() {
            out.push(CommandId::Settings.into());
        }
    });
    if modal.should_close() {
        out.push(Command::Files(Act::Show(None)));
    }
}

/// The groups in two columns of about the same height.
fn halves<'a>(groups: &'a [&'a str]) -> (&'a [&'a str], &'a [&'a str]) {
    let count = |group: &str| COMMANDS.iter().filter(|row| row.group == group).count() + 2;
    let all: usize = groups.iter().map(|group| count(group)).sum();
    let mut so_far = 0;
    let cut = groups.iter().position(|group| {
        so_far += count(group);
        so_far * 2 >= all
    });
    groups.split_at(cut.map_or(groups.len(), |at| at + 1))
}

fn group_ui(ui: &mut Ui, app: &App, group: &str) {
    let palette = Palette::get(ui);
    widgets::caption(ui, group);
    for row in COMMANDS.iter().filter(|row| row.group == group) {
        let keys = keys::keys(&app.preferences, row.id);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                for key in keys.split(' ').rev().filter(|key| !key.is_empty()) {
                    let text = key.replace("Arrow", "");
                    widgets::pill(ui, &text, palette.text, palette.field);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(row.label).truncate()).on_hover_text(row.help);
                });
            });
        });
    }
    ui.add_space(10.0);
}

/// What stands around a page over the window.
pub fn page_frame(ui: &Ui) -> egui::Frame {
    egui::Frame::popup(ui.style()).corner_radius(theme::CARD_RADIUS as f32).inner_margin(20.0)
}

/// What a page over the window begins with.
pub fn page_head(ui: &mut Ui, title: &str, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = RichText::new(icons::glyph("x")).font(theme::icon(16.0));
            let close = ui.add(Button::new(close).frame_when_inactive(false).min_size(vec2(28.0, 28.0)));
            if close.accessible_name("Close").clicked() {
                out.push(Command::Files(Act::Show(None)));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(title).font(theme::semibold(18.0))).truncate());
            });
        });
    });
    ui.add_space(4.0);
}
