//! Every command by name: its key, and the reason where it cannot be used now.

use egui::{Id, Key, Modal, Modifiers, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::Drafts;
use crate::{
    app::{
        App, Command, CommandId,
        command::{COMMANDS, CommandRow, available, keys},
    },
    gui::theme::{self, Palette},
};

/// Draws it where it is open.
pub fn command_palette(ui: &mut Ui, app: &App, drafts: &mut Drafts, out: &mut Vec<Command>) {
    if !app.palette_open {
        drafts.command_search.clear();
        drafts.command_row = 0;
        return;
    }
    let palette = Palette::get(ui);
    let words: Vec<String> = drafts.command_search.split_whitespace().map(str::to_lowercase).collect();
    let fits = |row: &&CommandRow| {
        let text = format!("{} {} {}", row.group, row.label, row.help).to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    };
    let rows: Vec<&CommandRow> =
        COMMANDS.iter().filter(fits).filter(|row| row.id != CommandId::CommandPalette).collect();
    let (up, down, enter) = ui.input_mut(|i| {
        (
            i.consume_key(Modifiers::NONE, Key::ArrowUp),
            i.consume_key(Modifiers::NONE, Key::ArrowDown),
            i.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    drafts.command_row = drafts.command_row.saturating_add(usize::from(down)).saturating_sub(usize::from(up));
    drafts.command_row = drafts.command_row.min(rows.len().saturating_sub(1));
    let mut chosen = None;
    let modal = Modal::new(Id::unique("command palette")).show(ui.ctx(), |ui| {
        ui.set_width(520.0);
        let field =
            TextEdit::singleline(&mut drafts.command_search).hint_text("Search commands").desired_width(f32::INFINITY);
        let field = ui.add(field.margin(egui::Margin::symmetric(10, 8))).accessible_name("Search commands");
        field.request_focus();
        if field.changed() {
            drafts.command_row = 0;
        }
        ui.add_space(6.0);
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for (n, row) in rows.iter().enumerate() {
                let can = available(app, row.id);
                let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), egui::Sense::click());
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, can.is_ok(), row.label));
                let fill = if n == drafts.command_row {
                    palette.accent_soft
                } else if response.hovered() {
                    palette.hover
                } else {
                    palette.card
                };
                ui.painter().rect_filled(rect, 8.0, fill);
                let ink = if can.is_ok() { palette.text } else { palette.weak };
                let left = rect.left_center() + vec2(10.0, 0.0);
                let at = ui.painter().text(left, egui::Align2::LEFT_CENTER, row.label, theme::medium(13.0), ink);
                let hint = can.err().map_or(row.help, |why| why.0);
                let rest = egui::pos2(at.right() + 10.0, rect.center().y);
                let width = rect.right() - rest.x - 120.0;
                crate::gui::canvas::paint::line(
                    ui.painter(),
                    rest,
                    egui::Align2::LEFT_CENTER,
                    hint,
                    theme::regular(11.5),
                    palette.weak,
                    width,
                );
                let keys = keys::key(&app.preferences, row.id).replace("Arrow", "");
                let right = rect.right_center() - vec2(10.0, 0.0);
                ui.painter().text(right, egui::Align2::RIGHT_CENTER, keys, theme::regular(11.5), palette.weak);
                if response.clicked() || (enter && n == drafts.command_row) {
                    chosen = Some(row.id);
                }
                if n == drafts.command_row && (up || down) {
                    response.scroll_to_me(None);
                }
            }
            if rows.is_empty() {
                ui.label(RichText::new("No command is called that").color(palette.weak));
            }
        });
    });
    if chosen.is_some() || modal.should_close() {
        out.push(CommandId::CommandPalette.into());
    }
    out.extend(chosen.map(Command::from));
}
