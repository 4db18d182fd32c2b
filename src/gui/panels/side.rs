//! The panel on the left: kinds of steps to draw with.

use egui::{Align, Frame, Layout, Margin, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};

use super::Drafts;
use crate::{
    app::{App, Command, Document, card},
    gui::{
        theme::{self, Palette},
        widgets,
    },
    kinds::{Group, Spec},
};

/// Draws it.
pub fn side(ui: &mut Ui, _app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    Frame::new().inner_margin(Margin { left: 16, right: 10, top: 14, bottom: 0 }).show(ui, |ui| {
        ui.label(RichText::new("Steps").font(theme::semibold(14.5)));
        ui.add_space(2.0);
        let search = TextEdit::singleline(&mut drafts.step_search).hint_text("Search steps").desired_width(180.0);
        ui.add(search.margin(Margin::symmetric(10, 6))).accessible_name("Search steps");
        ui.add_space(4.0);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let found = widgets::find_kinds(&drafts.step_search, &crate::flow::Flow::new("f", ""), false);
            for (group, title) in
                [(Group::Trigger, "Entry"), (Group::Logic, "Flow control"), (Group::Action, "Actions")]
            {
                let kinds: Vec<&&Spec> = found.iter().filter(|spec| spec.group == group).collect();
                if kinds.is_empty() {
                    continue;
                }
                ui.add_space(6.0);
                widgets::caption(ui, title);
                for spec in kinds {
                    row(ui, spec, document, out);
                }
            }
            if found.is_empty() {
                let palette = Palette::get(ui);
                ui.label(RichText::new("No step is called that").color(palette.weak));
            }
            ui.add_space(12.0);
        });
    });
}

fn row(ui: &mut Ui, spec: &'static Spec, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().min(180.0), 40.0), Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Step {}", spec.title)));
    let line = if response.has_focus() { palette.accent } else { palette.line };
    let fill = if response.hovered() { palette.hover } else { palette.card };
    ui.painter().rect(rect, theme::TILE_RADIUS as f32, fill, egui::Stroke::new(1.0, line), egui::StrokeKind::Inside);
    let inner = rect.shrink2(vec2(8.0, 6.0));
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center)));
    widgets::tile(&mut child, spec.icon, card::family(spec.name), 26.0);
    child.add_space(4.0);
    child.add(egui::Label::new(RichText::new(spec.title).font(theme::medium(13.0))).selectable(false));
    response.dnd_set_drag_payload(spec.name);
    let enter = response.has_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    if response.double_clicked() || enter {
        // Behind the selected step, where one is selected and its first port is open or leads on.
        let after = document.selected().and_then(|id| {
            let port = document.flow().node(id.as_str())?.ports().first()?.name.clone();
            Some((id.clone(), port))
        });
        out.push(Command::Insert { kind: spec.name.into(), at: None, after });
    }
    response.on_hover_text(spec.docs.what);
}
