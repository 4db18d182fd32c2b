//! The bar at the top: name, state, undo with its list, theme, simulate, publish; the tabs below it.

use egui::{Align, Button, Layout, Popup, PopupCloseBehavior, RichText, ScrollArea, Sense, Ui, vec2};

use crate::{
    app::{App, Command, CommandId, Document, Panel, files::Act},
    gui::{
        canvas::paint,
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Steps that the undo list shows at once; the others are a scroll away.
const LIST_HEIGHT: f32 = 280.0;

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
        // From the right, so that a long name gives way to the buttons.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            right(ui, app, document, palette, out);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| name(ui, document, palette));
        });
    });
}

fn name(ui: &mut Ui, document: &Document, palette: &Palette) {
    let (text, ink, fill) = state(document, palette);
    let pill = ui.painter().layout_no_wrap(text.to_owned(), theme::medium(11.5), ink).size().x + 26.0;
    let title = RichText::new(document.title()).font(theme::semibold(16.0));
    let width = (ui.available_width() - pill - 12.0).max(40.0);
    ui.scope(|ui| {
        ui.set_max_width(width);
        ui.add(egui::Label::new(title).truncate());
    });
    if ui.available_width() >= pill {
        let pill = widgets::pill(ui, text, ink, fill);
        if let Some(why) = document.on_disk.read_only {
            pill.on_hover_text(why.why());
        } else if let Some(path) = &document.path {
            pill.on_hover_text(path.display().to_string());
        }
    }
}

/// How a document stands to its file.
fn state(document: &Document, palette: &Palette) -> (&'static str, egui::Color32, egui::Color32) {
    let is_clean = !document.is_unsaved();
    match (document.is_read_only(), is_clean, &document.path) {
        (true, ..) => ("Read-only", palette.warning, palette.warning_soft),
        (_, true, Some(_)) => ("Draft \u{b7} saved", palette.good, palette.good_soft),
        (_, true, None) => ("New", palette.weak, palette.field),
        _ => ("Draft \u{b7} not saved", palette.warning, palette.warning_soft),
    }
}

/// The buttons, from the right.
fn right(ui: &mut Ui, app: &App, document: &Document, palette: &Palette, out: &mut Vec<Command>) {
    ui.add_space(14.0);
    let publish = RichText::new(format!("{}  Publish…", icons::glyph("rocket-launch"))).color(palette.on_accent);
    let publish = ui.add(Button::new(publish).fill(palette.accent).min_size(vec2(0.0, 30.0)));
    if publish.accessible_name("Publish…").clicked() {
        out.push(CommandId::Publish.into());
    }
    let simulate = Button::new(format!("{}  Simulate", icons::glyph("play"))).min_size(vec2(0.0, 30.0));
    if ui.add(simulate).accessible_name("Simulate").clicked() {
        out.push(Command::ShowPanel(Some(Panel::Timeline)));
    }
    let (line, _) = ui.allocate_exact_size(vec2(9.0, 26.0), Sense::hover());
    ui.painter().vline(line.center().x, line.y_range(), egui::Stroke::new(1.0, palette.line));
    more(ui, app, out);
    let sun = if ui.visuals().dark_mode { "sun" } else { "moon" };
    if widgets::icon_button(ui, sun, app, CommandId::ToggleTheme).clicked() {
        out.push(CommandId::ToggleTheme.into());
    }
    ui.spacing_mut().item_spacing.x = 2.0;
    steps(ui, "Redo list", document.history.redo_labels(), Act::Redo, out);
    if widgets::icon_button(ui, "arrow-clockwise", app, CommandId::Redo).clicked() {
        out.push(CommandId::Redo.into());
    }
    steps(ui, "Undo list", document.history.undo_labels(), Act::Undo, out);
    if widgets::icon_button(ui, "arrow-counter-clockwise", app, CommandId::Undo).clicked() {
        out.push(CommandId::Undo.into());
    }
    ui.spacing_mut().item_spacing.x = 8.0;
}

/// A narrow button with the steps that can be taken back or done again; a click goes there at once.
fn steps<'a>(
    ui: &mut Ui,
    name: &str,
    labels: impl Iterator<Item = &'a str>,
    act: fn(usize) -> Act,
    out: &mut Vec<Command>,
) {
    let mut labels = labels.peekable();
    let caret = RichText::new(icons::glyph("caret-down")).font(theme::icon(11.0));
    let button = Button::new(caret).frame_when_inactive(false).min_size(vec2(14.0, 30.0));
    ui.spacing_mut().button_padding.x = 2.0;
    let response = ui.add_enabled(labels.peek().is_some(), button).accessible_name(name).on_hover_text(name);
    ui.spacing_mut().button_padding.x = 10.0;
    let popup = Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClick);
    popup.show(|ui| {
        ui.set_width(240.0);
        ScrollArea::vertical().max_height(LIST_HEIGHT).show(ui, |ui| {
            for (n, label) in labels.enumerate() {
                let button = Button::new(label).frame_when_inactive(false).truncate();
                if ui.add_sized(vec2(ui.available_width(), 26.0), button).clicked() {
                    out.push(Command::Files(act(n + 1)));
                    ui.close();
                }
            }
        });
    });
}

/// What is needed now and then.
fn more(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    let dots = RichText::new(icons::glyph("dots-three")).font(theme::icon(18.0));
    let button = Button::new(dots).frame_when_inactive(false).min_size(vec2(30.0, 30.0));
    let response = ui.add(button).accessible_name("More").on_hover_text("More");
    Popup::menu(&response).show(|ui| {
        ui.set_width(230.0);
        use CommandId as Id;
        let high = ui.ctx().content_rect().height() - 32.0;
        // Else it scrolls in a window that has room for all of it.
        ScrollArea::vertical().max_height(high).min_scrolled_height(high).show(ui, |ui| {
            for id in [
                Some(Id::New),
                Some(Id::Open),
                None,
                Some(Id::ImportFile),
                Some(Id::ImportKlaviyo),
                Some(Id::ImportHubspot),
                None,
                Some(Id::Save),
                Some(Id::SaveAs),
                Some(Id::Revert),
                Some(Id::CloseTab),
                None,
                Some(Id::PageTags),
                Some(Id::PageSegments),
                Some(Id::PageScores),
                Some(Id::PageAudience),
                Some(Id::PageRun),
                None,
                Some(Id::Settings),
                Some(Id::Shortcuts),
                Some(Id::CommandPalette),
            ] {
                let Some(id) = id else {
                    ui.separator();
                    continue;
                };
                widgets::menu_row(ui, app, id, out);
            }
        });
    });
}

/// The open flows, one tab each.
pub fn tabs(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.add_space(12.0);
            ui.spacing_mut().item_spacing.x = 4.0;
            for (n, document) in app.documents.iter().enumerate() {
                tab(ui, document, n == app.active_idx, palette, out);
            }
            let plus = RichText::new(icons::glyph("plus")).font(theme::icon(14.0));
            let plus = ui.add(Button::new(plus).frame_when_inactive(false)).accessible_name("New flow");
            if plus.on_hover_text("New flow").clicked() {
                out.push(CommandId::New.into());
            }
        });
    });
}

fn tab(ui: &mut Ui, document: &Document, is_on: bool, palette: &Palette, out: &mut Vec<Command>) {
    let ink = if is_on { palette.text } else { palette.weak };
    let title = document.title().to_owned();
    let galley = ui.painter().layout_no_wrap(title.clone(), theme::medium(12.5), ink);
    let width = galley.size().x.min(180.0) + 50.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 28.0), Sense::click());
    let is_clean = !document.is_unsaved();
    let name = if is_clean { format!("Tab {title}") } else { format!("Tab {title}, not saved") };
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, is_on, &name));
    let fill = match (is_on, response.hovered()) {
        (true, _) => palette.accent_soft,
        (_, true) => palette.hover,
        _ => palette.panel,
    };
    ui.painter().rect_filled(rect, theme::CONTROL_RADIUS as f32, fill);
    if response.has_focus() {
        let line = egui::Stroke::new(1.5, palette.accent);
        ui.painter().rect_stroke(rect, theme::CONTROL_RADIUS as f32, line, egui::StrokeKind::Inside);
    }
    let dot = rect.left_center() + vec2(12.0, 0.0);
    if !is_clean {
        ui.painter().circle_filled(dot, 3.0, palette.warning);
    }
    let at = rect.left_center() + vec2(22.0, 0.0);
    paint::line(ui.painter(), at, egui::Align2::LEFT_CENTER, &title, theme::medium(12.5), ink, width - 48.0);
    let cross = egui::Rect::from_center_size(rect.right_center() - vec2(13.0, 0.0), vec2(20.0, 20.0));
    let close = ui.interact(cross, response.id.with("close"), Sense::click());
    close.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Close {title}")));
    if close.hovered() || close.has_focus() {
        ui.painter().rect_filled(cross, 6.0, palette.line);
    }
    ui.painter().text(cross.center(), egui::Align2::CENTER_CENTER, icons::glyph("x"), theme::icon(12.0), palette.weak);
    if close.clicked() || response.middle_clicked() {
        out.push(Command::Files(Act::Close(document.id)));
    } else if response.clicked() {
        out.push(Command::ShowTab(document.id));
    }
    if let Some(path) = &document.path {
        response.on_hover_text(path.display().to_string());
    }
}
