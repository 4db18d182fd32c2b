//! The panel on the left: kinds of steps to draw with.

use egui::{Align, Frame, Layout, Margin, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};

use super::Drafts;
use crate::{
    app::{App, Command, CommandId, Document, Side, card, outline, problems},
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
        widgets,
    },
    kinds::{Group, Spec},
};

/// Draws it.
pub fn side(ui: &mut Ui, _app: &App, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    Frame::new().inner_margin(Margin { left: 16, right: 10, top: 10, bottom: 0 }).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().button_padding.x = 4.0;
            let palette = Palette::get(ui);
            for (which, title) in [(Side::Palette, "Steps"), (Side::Outline, "Outline")] {
                let shown = document.view.side == which;
                let ink = if shown { palette.text } else { palette.weak };
                let text = RichText::new(title).font(theme::semibold(14.5)).color(ink);
                if ui.add(egui::Button::new(text).frame_when_inactive(false)).clicked() && !shown {
                    out.push(CommandId::SideOutline.into());
                }
            }
        });
        if document.view.side == Side::Outline {
            outline_ui(ui, document, drafts, out);
            return;
        }
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

/// All steps as a tree, in reading order: a full substitute for the picture.
fn outline_ui(ui: &mut Ui, document: &Document, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let stamp = (document.id, document.history.revision(), document.derived.findings.as_ref().map(|s| s.revision));
    if drafts.outline_of != Some(stamp) {
        drafts.outline = outline::outline(document.flow(), &problems::marks(document));
        drafts.outline_of = Some(stamp);
    }
    ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, 28.0, drafts.outline.len(), |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for row in &drafts.outline[range] {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), Sense::click());
            let selected = document.view.selection.contains(&row.id) && row.what == outline::What::Step;
            let by = if row.port.is_empty() { String::new() } else { format!("{}: ", row.port) };
            let name = format!("Outline {by}{}", row.title);
            response.widget_info(|| egui::WidgetInfo::selected(egui::Role::TreeItem, true, selected, name.clone()));
            let fill = match (selected, response.hovered() || response.has_focus()) {
                (true, _) => palette.accent_soft,
                (_, true) => palette.hover,
                _ => palette.panel,
            };
            ui.painter().rect_filled(rect, 6.0, fill);
            let indent = 12.0 * row.depth.min(6) as f32;
            let mut at = rect.left_center() + vec2(6.0 + indent, 0.0);
            let node = document.flow().node(row.id.as_str());
            let family = node.map_or(card::Family::Unknown, |node| card::family(&node.kind));
            let faded = row.muted || row.what != outline::What::Step;
            let ink = if faded { palette.weak } else { palette.text };
            let centre = egui::Align2::LEFT_CENTER;
            if row.what == outline::What::Step {
                let glyph = icons::glyph(row.icon);
                ui.painter().text(at, centre, glyph, theme::icon(14.0), palette.family(family));
                at.x += 19.0;
            }
            if !row.port.is_empty() {
                let font = theme::medium(10.5);
                let shown = ui.painter().text(at, centre, &row.port, font, palette.weak);
                at.x = shown.right() + 6.0;
            }
            let width = rect.right() - at.x - if row.severity.is_some() { 20.0 } else { 4.0 };
            paint::line(ui.painter(), at, centre, &row.title, theme::medium(12.5), ink, width);
            if let Some(severity) = row.severity {
                paint::mark(ui.painter(), rect.right_center() - vec2(10.0, 0.0), severity, 13.0, palette);
            }
            if response.clicked() || (response.has_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter))) {
                out.push(Command::GoTo(row.id.clone()));
            }
        }
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
