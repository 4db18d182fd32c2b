//! The first thing to see: work to be given back, a new flow, recent files, samples with pictures drawn from the flows.

use std::path::{Path, PathBuf};

use egui::{
    Align, Align2, Button, CornerRadius, Frame, Layout, Margin, Mesh, Painter, Pos2, Rect, Response, RichText,
    ScrollArea, Sense, Shape, Stroke, StrokeKind, TextEdit, Ui, pos2, vec2,
};

use super::Drafts;
use crate::{
    app::{
        App, Command, CommandId, card,
        files::{
            Act,
            samples::{self, Card, TEMPLATES, Template},
        },
        when,
    },
    gui::{
        canvas::{geometry::Geometry, paint},
        icons,
        theme::{self, Palette},
        widgets,
    },
};

/// Least width of a card, in points.
const CARD: f32 = 250.0;
const GAP: f32 = 16.0;
/// Height of a card's picture.
const PICTURE: f32 = 150.0;

/// What the gallery keeps: the search, and where the cards of each sample's flow lie.
#[derive(Debug, Default)]
pub struct Draft {
    search: String,
    pictures: Vec<Geometry>,
}

/// Draws it.
pub fn gallery(ui: &mut Ui, app: &App, drafts: &mut Drafts, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let draft = &mut drafts.gallery;
    let side = if ui.available_width() < 900.0 { 20 } else { 40 };
    Frame::new().inner_margin(Margin { left: side, right: side, top: 20, bottom: 0 }).show(ui, |ui| {
        head(ui, app, palette, out);
        ui.add_space(8.0);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            // Room for the scroll bar, so that it lies on no card.
            ui.set_max_width(ui.available_width() - 12.0);
            offered_back(ui, app, palette, out);
            widgets::caption(ui, "New flow");
            grid(ui, TEMPLATES.len(), 210.0, 64.0, |ui, n, size| {
                if template(ui, &TEMPLATES[n], size, palette).clicked() {
                    out.push(Command::Files(Act::NewFrom(&TEMPLATES[n])));
                }
            });
            recent(ui, app, palette, out);
            ui.add_space(10.0);
            ui.horizontal(|ui| {
                widgets::caption(ui, "Samples");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let field = TextEdit::singleline(&mut draft.search).hint_text("Search samples");
                    let field = field.desired_width(220.0).margin(Margin::symmetric(10, 6));
                    ui.add(field).accessible_name("Search samples");
                });
            });
            let found = samples::find(&draft.search);
            if draft.pictures.is_empty() {
                let unfolded = std::collections::BTreeSet::new();
                let picture = |card: &samples::Card| Geometry::new(&card.flow, &unfolded);
                draft.pictures = samples::cards().iter().map(picture).collect();
            }
            if found.is_empty() {
                ui.label(RichText::new("No sample speaks of that").color(palette.weak));
            }
            grid(ui, found.len(), CARD, PICTURE + 112.0, |ui, n, size| {
                let at = samples::SAMPLES.iter().position(|sample| sample == found[n].sample);
                let picture = at.and_then(|at| draft.pictures.get(at));
                if sample(ui, found[n], picture, size, palette).clicked() {
                    out.push(Command::Files(Act::OpenSample(found[n].sample)));
                }
            });
            ui.add_space(24.0);
        });
    });
}

fn head(ui: &mut Ui, app: &App, palette: &Palette, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(icons::glyph("flow-arrow")).font(theme::icon(28.0)).color(palette.accent));
        ui.label(RichText::new("Flowloom").font(theme::semibold(24.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(widgets::primary(ui, "New flow", true).min_size(vec2(0.0, 32.0))).clicked() {
                out.push(CommandId::New.into());
            }
            if ui.add(Button::new("Open…").min_size(vec2(0.0, 32.0))).clicked() {
                out.push(CommandId::Open.into());
            }
            import_ui(ui, app, out);
            if widgets::icon_button(ui, "gear-six", app, CommandId::Settings).clicked() {
                out.push(CommandId::Settings.into());
            }
            let dark = ui.visuals().dark_mode;
            if widgets::icon_button(ui, if dark { "sun" } else { "moon" }, app, CommandId::ToggleTheme).clicked() {
                out.push(CommandId::ToggleTheme.into());
            }
        });
    });
    if !app.documents.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new("Open now").color(palette.weak));
            for document in &app.documents {
                if ui.add(Button::new(document.title())).clicked() {
                    out.push(Command::ShowTab(document.id));
                }
            }
        });
    }
}

/// A button with the ways in which a flow of a platform comes here.
fn import_ui(ui: &mut Ui, app: &App, out: &mut Vec<Command>) {
    let button = ui.add(Button::new("Import…").min_size(vec2(0.0, 32.0)));
    egui::Popup::menu(&button).show(|ui| {
        ui.set_width(240.0);
        for id in [CommandId::ImportFile, CommandId::ImportKlaviyo, CommandId::ImportHubspot] {
            widgets::menu_row(ui, app, id, out);
        }
    });
}

/// Unsaved work of a run that did not end well.
fn offered_back(ui: &mut Ui, app: &App, palette: &Palette, out: &mut Vec<Command>) {
    if app.files.drafts.is_empty() {
        return;
    }
    let frame = Frame::new().fill(palette.warning_soft).corner_radius(CornerRadius::same(theme::CARD_RADIUS));
    frame.inner_margin(Margin::symmetric(16, 12)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new("Unsaved work from last time").font(theme::semibold(14.5)).color(palette.warning));
        for draft in &app.files.drafts {
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let discard = ui.add(Button::new("Discard"));
                    if discard.accessible_name(format!("Discard {}", draft.name)).clicked() {
                        out.push(Command::Files(Act::DropDraft(draft.id.clone())));
                    }
                    let restore = ui.add(widgets::primary(ui, "Restore", true));
                    if restore.accessible_name(format!("Restore {}", draft.name)).clicked() {
                        out.push(Command::Files(Act::Restore(draft.id.clone())));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.label(RichText::new(&draft.name).font(theme::medium(13.0)));
                        let place =
                            draft.path.as_deref().map_or("never saved".to_owned(), |path| path.display().to_string());
                        let text = format!("{} \u{b7} {place}", written(app, draft.at));
                        ui.add(egui::Label::new(RichText::new(text).color(palette.weak)).truncate());
                    });
                });
            });
        }
    });
    ui.add_space(14.0);
}

/// An instant as the user writes dates, in the user's zone.
fn written(app: &App, at: crate::base::Instant) -> String {
    let manner = when::Manner::of(&app.preferences);
    let zone = manner.zone.as_deref().and_then(|name| crate::base::Zone::named(name).ok());
    let wall = manner.wall(zone.unwrap_or_else(crate::base::Zone::utc));
    format!("{} {}", when::date(at, &wall), when::time(at, &wall))
}

fn recent(ui: &mut Ui, app: &App, palette: &Palette, out: &mut Vec<Command>) {
    if app.preferences.recent.is_empty() {
        return;
    }
    ui.add_space(10.0);
    widgets::caption(ui, "Recent");
    let paths: Vec<&Path> = app.preferences.recent.iter().map(Path::new).collect();
    grid(ui, paths.len().min(8), 280.0, 52.0, |ui, n, size| {
        let path = paths[n];
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = name.strip_suffix(".flow.ron").unwrap_or(&name).to_owned();
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Open {name}")));
        plate(ui, rect, &response, palette);
        let icon = pos2(rect.left() + 24.0, rect.center().y);
        ui.painter().text(icon, Align2::CENTER_CENTER, icons::glyph("file"), theme::icon(18.0), palette.weak);
        let left = rect.left() + 44.0;
        let width = rect.right() - left - 14.0;
        let painter = ui.painter();
        let at = pos2(left, rect.top() + 17.0);
        paint::line(painter, at, Align2::LEFT_CENTER, &name, theme::medium(13.0), palette.text, width);
        let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let at = pos2(left, rect.top() + 35.0);
        paint::line(painter, at, Align2::LEFT_CENTER, &folder, theme::regular(11.5), palette.weak, width);
        if response.clicked() {
            out.push(Command::OpenPath(PathBuf::from(path)));
        }
        response.on_hover_text(path.display().to_string()).context_menu(|ui| {
            if ui.button("Take off this list").clicked() {
                out.push(Command::Files(Act::ForgetRecent(PathBuf::from(path))));
                ui.close();
            }
        });
    });
}

/// Equal cells in as many columns as fit.
fn grid(ui: &mut Ui, count: usize, least: f32, height: f32, mut cell: impl FnMut(&mut Ui, usize, egui::Vec2)) {
    let room = ui.available_width();
    // A short row is stretched, one or two cells are not.
    let columns = (((room + GAP) / (least + GAP)).floor() as usize).clamp(1, count.max(4));
    let width = ((room - GAP * (columns - 1) as f32) / columns as f32).max(80.0);
    ui.add_space(2.0);
    for row in 0..count.div_ceil(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            for n in row * columns..((row + 1) * columns).min(count) {
                cell(ui, n, vec2(width, height));
            }
        });
        ui.add_space(GAP - ui.spacing().item_spacing.y);
    }
}

/// A card's body with its border, by what the pointer and the keyboard do.
fn plate(ui: &Ui, rect: Rect, response: &Response, palette: &Palette) {
    let is_on = response.hovered() || response.has_focus();
    let line = if is_on { Stroke::new(1.5, palette.accent) } else { Stroke::new(1.0, palette.line) };
    ui.painter().rect(rect, CornerRadius::same(theme::CARD_RADIUS), palette.card, line, StrokeKind::Inside);
}

fn template(ui: &mut Ui, template: &'static Template, size: egui::Vec2, palette: &Palette) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = format!("New: {}", template.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    plate(ui, rect, &response, palette);
    let tile = Rect::from_center_size(pos2(rect.left() + 34.0, rect.center().y), vec2(36.0, 36.0));
    let painter = ui.painter();
    painter.rect_filled(tile, CornerRadius::same(theme::TILE_RADIUS), palette.accent_soft);
    let icon = icons::glyph(template.icon);
    painter.text(tile.center(), Align2::CENTER_CENTER, icon, theme::icon(19.0), palette.accent);
    let left = tile.right() + 12.0;
    let width = rect.right() - left - 12.0;
    let at = pos2(left, rect.center().y - 9.0);
    paint::line(painter, at, Align2::LEFT_CENTER, template.name, theme::semibold(13.5), palette.text, width);
    let at = pos2(left, rect.center().y + 10.0);
    paint::line(painter, at, Align2::LEFT_CENTER, template.help, theme::regular(11.5), palette.weak, width);
    response.on_hover_text(template.help)
}

fn sample(ui: &mut Ui, card: &Card, picture: Option<&Geometry>, size: egui::Vec2, palette: &Palette) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = format!("Sample: {}", card.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    plate(ui, rect, &response, palette);
    let top = Rect::from_min_max(rect.min + vec2(1.5, 1.5), pos2(rect.right() - 1.5, rect.top() + PICTURE));
    let radius = theme::CARD_RADIUS - 1;
    ui.painter().rect_filled(top, CornerRadius { nw: radius, ne: radius, sw: 0, se: 0 }, palette.canvas);
    if let Some(geometry) = picture {
        draw_flow(&ui.painter_at(top), top.shrink2(vec2(18.0, 14.0)), card, geometry, palette);
    }
    let painter = ui.painter_at(rect);
    let (left, width) = (rect.left() + 14.0, rect.width() - 28.0);
    let mut y = top.bottom() + 18.0;
    paint::line(&painter, pos2(left, y), Align2::LEFT_CENTER, &card.name, theme::semibold(14.0), palette.text, width);
    y += 14.0;
    let mut job =
        egui::text::LayoutJob::simple(card.sample.shows.to_owned(), theme::regular(12.0), palette.weak, width);
    job.wrap.max_rows = 2;
    let galley = painter.layout_job(job);
    painter.galley(pos2(left, y), galley, palette.weak);
    let mails = if card.num_mails == 1 { "1 message".to_owned() } else { format!("{} messages", card.num_mails) };
    let foot = format!("{} \u{b7} {} steps \u{b7} {mails}", card.trade, card.num_steps);
    let at = pos2(left, rect.bottom() - 20.0);
    paint::line(&painter, at, Align2::LEFT_CENTER, &foot, theme::medium(11.5), palette.accent, width);
    response
}

/// A flow as a small scheme: both axes fill the picture, each card is a chip of its colour.
fn draw_flow(painter: &Painter, rect: Rect, card: &Card, geometry: &Geometry, palette: &Palette) {
    let nodes = || card.flow.nodes.iter().zip(&geometry.cards).filter(|(node, _)| node.kind != "note");
    let centers = nodes().map(|(_, at)| at.center());
    let Some(bounds) = centers.map(|at| Rect::from_min_max(at, at)).reduce(Rect::union) else { return };
    let depth = (bounds.height() / 156.0 + 1.0).max(1.0);
    let chip = vec2(34.0, (rect.height() / depth * 0.55).clamp(5.0, 15.0));
    let room = rect.shrink2(chip / 2.0);
    let scale = vec2((room.width() / bounds.width().max(1.0)).min(0.22), room.height() / bounds.height().max(1.0));
    let scale = vec2(scale.x, scale.y.min(0.3));
    let place = |at: Pos2| rect.center() + (at - bounds.center()) * scale;
    for edge in &geometry.edges {
        let points: Vec<Pos2> = edge.points.iter().map(|at| place(*at)).collect();
        painter.add(Shape::line(points, Stroke::new(1.0, palette.edge)));
    }
    let mut mesh = Mesh::default();
    for (node, at) in nodes() {
        let color = palette.family(card::family(&node.kind));
        mesh.add_colored_rect(Rect::from_center_size(place(at.center()), chip), theme::mix(palette.card, color, 0.75));
    }
    painter.add(Shape::mesh(mesh));
}
