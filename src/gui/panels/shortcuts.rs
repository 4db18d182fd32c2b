//! Every key on one page, made from the command table.

use egui::{Align, Button, Id, Layout, Modal, RichText, ScrollArea, Ui, vec2};

use crate::{
    app::{
        App, Command, CommandId,
        command::COMMANDS,
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
    let modal = Modal::new(Id::unique("shortcuts")).show(ui.ctx(), |ui| {
        ui.set_width((screen.x - 64.0).min(760.0));
        ui.set_height((screen.y - 80.0).min(620.0));
        page_head(ui, "Shortcuts", out);
        let wide = ui.available_width() > 560.0;
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let mut groups: Vec<&str> = COMMANDS.iter().map(|row| row.group).collect();
            groups.dedup();
            if wide {
                ui.columns(2, |columns| {
                    let (left, right) = halves(&groups);
                    left.iter().for_each(|group| group_ui(&mut columns[0], app, group));
                    right.iter().for_each(|group| group_ui(&mut columns[1], app, group));
                });
            } else {
                groups.iter().for_each(|group| group_ui(ui, app, group));
            }
        });
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
        let keys = super::settings::keys_now(&app.preferences, row.id, row.keys);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                for key in keys.split(' ').filter(|key| !key.is_empty()) {
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

/// What a page over the window begins with.
pub fn page_head(ui: &mut Ui, title: &str, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).font(theme::semibold(18.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = RichText::new(icons::glyph("x")).font(theme::icon(16.0));
            let close = ui.add(Button::new(close).frame_when_inactive(false).min_size(vec2(28.0, 28.0)));
            if close.accessible_name("Close").clicked() {
                out.push(Command::Files(Act::Show(None)));
            }
        });
    });
    ui.add_space(4.0);
}
