//! Two versions of a flow side by side, moved together, with what differs in words below.

use egui::{
    Align, Color32, Id, Label, Layout, Modal, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};

use crate::{
    app::{
        App, Command, Document,
        compare::{Act, Compare, Source},
        files::{self, Page},
    },
    base::NodeId,
    flow::Flow,
    gui::{
        canvas::{
            geometry::{Geometry, Projection},
            note_color,
            paint::{self, CardLook, CardText, EdgeLook},
        },
        theme::{self, Palette},
        widgets,
    },
    kinds::Settings,
    report::diff::Sign,
};

/// What is drawn, worked out once per comparison.
#[derive(Debug, Default)]
pub struct Draft {
    of: Option<u64>,
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    geometry: Geometry,
    texts: Vec<CardText>,
}

impl Side {
    fn new(flow: &Flow) -> Self {
        let texts = flow.nodes.iter().map(|node| paint::card_text(flow, node)).collect();
        Self { geometry: Geometry::new(flow, &Default::default()), texts }
    }
}

fn push(out: &mut Vec<Command>, act: Act) {
    out.push(Command::Files(files::Act::Compare(act)));
}

/// Height of a difference in the list, and of what stands above the list, in points.
const ROW: f32 = 26.0;
const LIST_HEAD: f32 = 34.0;

/// Draws it where it is open.
pub fn compare(ui: &mut Ui, app: &App, draft: &mut Draft, out: &mut Vec<Command>) {
    let Some(compare) = app.files.compare.as_ref().filter(|_| app.files.page == Some(Page::Compare)) else { return };
    let Some(document) = app.documents.iter().find(|document| document.id == compare.document) else { return };
    if draft.of != Some(compare.stamp) {
        draft.of = Some(compare.stamp);
        draft.sides = [Side::new(&compare.before), Side::new(document.flow())];
    }
    let screen = ui.ctx().content_rect().size();
    let modal = Modal::new(Id::unique("compare")).frame(super::shortcuts::page_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((screen.x - 72.0).max(320.0));
        ui.set_height((screen.y - 80.0).max(280.0));
        super::shortcuts::page_head(ui, &format!("Compare {}", document.title()), out);
        sources_ui(ui, compare, document, out);
        ui.add_space(6.0);
        // The list takes what it needs, and not more than a third.
        let num_rows = compare.comparison.differences.len().max(1) as f32;
        let list = (ui.available_height() * 0.34).clamp(90.0, 260.0).min(LIST_HEAD + num_rows * (ROW + 1.0));
        let area = ui.available_rect_before_wrap();
        let high = (area.height() - list - 12.0).max(80.0);
        let gap = 10.0;
        let wide = (area.width() - gap) / 2.0;
        let left = Rect::from_min_size(area.min, vec2(wide, high));
        let right = left.translate(vec2(wide + gap, 0.0));
        canvases_ui(ui, compare, document, draft, [left, right], out);
        ui.allocate_rect(Rect::from_min_max(area.min, pos2(area.right(), left.bottom())), Sense::hover());
        ui.add_space(6.0);
        list_ui(ui, compare, out);
    });
    if modal.should_close() && app.files.dialogs.is_empty() {
        out.push(Command::Files(files::Act::Show(None)));
    }
}

/// With what it is compared.
fn sources_ui(ui: &mut Ui, compare: &Compare, document: &Document, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("With").color(palette.weak));
        if ui.selectable_label(compare.source == Source::Saved, "As saved").clicked() {
            push(out, Act::With(Source::Saved));
        }
        let steps: Vec<&str> = document.history.undo_labels().take(60).collect();
        let is_past = matches!(compare.source, Source::Past(_));
        let shown = if is_past { compare.title(document) } else { "An earlier state".to_owned() };
        ui.add_enabled_ui(!steps.is_empty(), |ui| {
            let menu = egui::ComboBox::from_id_salt("compare past").selected_text(shown).width(200.0);
            let menu = menu.show_ui(ui, |ui| {
                for (n, label) in steps.iter().enumerate() {
                    let text = format!("Before \u{201c}{label}\u{201d}");
                    if ui.selectable_label(compare.source == Source::Past(n + 1), text).clicked() {
                        push(out, Act::With(Source::Past(n + 1)));
                    }
                }
            });
            menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "An earlier state"));
        });
        if ui.button("A file…").clicked() {
            push(out, Act::AskFile);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Fit both").clicked() {
                push(out, Act::Fit);
            }
        });
    });
}

/// The colour of a sign in the window.
fn color_of(sign: Sign, palette: &Palette) -> Color32 {
    match sign {
        Sign::Added => palette.good,
        Sign::Removed => palette.error,
        Sign::Changed => palette.warning,
    }
}

fn word_of(sign: Sign) -> &'static str {
    match sign {
        Sign::Added => "Added",
        Sign::Removed => "Removed",
        Sign::Changed => "Changed",
    }
}

fn canvases_ui(
    ui: &mut Ui,
    compare: &Compare,
    document: &Document,
    draft: &Draft,
    areas: [Rect; 2],
    out: &mut Vec<Command>,
) {
    if !compare.is_fitted {
        let fit = |n: usize| {
            let bounds =
                draft.sides[n].geometry.bounds.unwrap_or(Rect::from_center_size(pos2(0.0, 0.0), vec2(1.0, 1.0)));
            Projection::fitting(areas[n], bounds)
        };
        let (left, right) = (fit(0), fit(1));
        let centers = [(left.0.x, left.0.y), (right.0.x, right.0.y)];
        push(out, Act::View { centers, zoom: left.1.min(right.1) });
    }
    let title = compare.title(document);
    let is_past = matches!(compare.source, Source::Past(_));
    let titles = [if is_past { title } else { format!("Before: {title}") }, "Now".to_owned()];
    for (n, flow) in [&*compare.before, document.flow()].into_iter().enumerate() {
        let center = pos2(compare.centers[n].0, compare.centers[n].1);
        let projection = Projection { screen: areas[n], center_in_canvas: center, zoom: compare.zoom };
        side_ui(ui, &titles[n], flow, &draft.sides[n], (compare, n), &projection, out);
    }
}

fn side_ui(
    ui: &mut Ui,
    title: &str,
    flow: &Flow,
    side: &Side,
    (compare, n): (&Compare, usize),
    projection: &Projection,
    out: &mut Vec<Command>,
) {
    let palette = Palette::get(ui);
    let screen = projection.screen;
    let response = ui.interact(screen, Id::unique(("compare side", n)), Sense::drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Pane, true, title));
    let painter = ui.painter_at(screen);
    painter.rect_filled(screen, f32::from(theme::TILE_RADIUS), palette.canvas);
    paint_flow(ui, flow, side, (&compare.signs[n], n), projection, palette);
    let wide = painter.layout_no_wrap(title.to_owned(), theme::medium(12.0), palette.text).size().x + 20.0;
    let chip = Rect::from_min_size(screen.min + vec2(10.0, 10.0), vec2(wide.min(screen.width() - 20.0), 24.0));
    painter.rect_filled(chip, 7.0, palette.card);
    paint::line(
        &painter,
        chip.left_center() + vec2(10.0, 0.0),
        egui::Align2::LEFT_CENTER,
        title,
        theme::medium(12.0),
        palette.text,
        chip.width() - 20.0,
    );
    // Both move by the same, so that what was beside each other stays so.
    let moved = |by: egui::Vec2| compare.centers.map(|(x, y)| (x - by.x / compare.zoom, y - by.y / compare.zoom));
    if response.dragged() && response.drag_delta() != egui::Vec2::ZERO {
        push(out, Act::View { centers: moved(response.drag_delta()), zoom: compare.zoom });
    }
    let Some(pointer) = ui.ctx().pointer_hover_pos().filter(|at| response.contains_pointer() && screen.contains(*at))
    else {
        return;
    };
    let (scroll, zoom_by) = ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta()));
    if (zoom_by - 1.0).abs() > 1e-4 {
        let zoom = compare.zoom * zoom_by;
        // The canvas point under the pointer stays there, on both sides.
        let from_middle = pointer - screen.center();
        let by = from_middle / compare.zoom - from_middle / zoom;
        push(out, Act::View { centers: compare.centers.map(|(x, y)| (x + by.x, y + by.y)), zoom });
    } else if scroll != egui::Vec2::ZERO {
        push(out, Act::View { centers: moved(scroll), zoom: compare.zoom });
    }
}

fn paint_flow(
    ui: &Ui,
    flow: &Flow,
    side: &Side,
    (signs, n): (&std::collections::BTreeMap<NodeId, Sign>, usize),
    projection: &Projection,
    palette: &Palette,
) {
    let painter = ui.painter_at(projection.screen);
    let (zoom, seen) = (projection.zoom, projection.visible_in_canvas());
    let geometry = &side.geometry;
    let shown = |at: usize| seen.intersects(geometry.cards[at].expand(8.0));
    for (at, node) in flow.nodes.iter().enumerate().filter(|(at, _)| geometry.frames[*at] && shown(*at)) {
        let Some(Settings::Note(note)) = node.settings() else { continue };
        let (is_frame, tint) = (note.size.is_some(), note_color(&note.color, palette));
        let sheet = paint::Sheet { is_frame, title: &node.title, text: &note.text, tint };
        let rect = projection.screen_from_canvas_rect(geometry.cards[at]);
        paint::note(&painter, rect, zoom, sheet, &CardLook::default(), palette);
    }
    if zoom < paint::PLAIN_ZOOM {
        paint::far_edges(&painter, geometry, projection, palette.edge);
        paint::far_cards(&painter, geometry, projection, |at| (palette.family(side.texts[at].family), false));
    } else {
        for edge in geometry.edges.iter().filter(|edge| edge.bounds.expand(20.0).intersects(seen)) {
            paint::edge(&painter, edge, projection, palette, EdgeLook::default());
        }
        for (at, node) in flow.nodes.iter().enumerate().filter(|(at, _)| !geometry.frames[*at] && shown(*at)) {
            let rect = projection.screen_from_canvas_rect(geometry.cards[at]);
            let look = CardLook { muted: node.muted, ..CardLook::default() };
            if zoom >= paint::FULL_ZOOM {
                paint::full_card(&painter, rect, zoom, false, &side.texts[at], &look, palette);
            } else {
                paint::plain_card(&painter, rect, zoom, false, &side.texts[at], &look, palette);
            }
        }
        for edge in geometry.edges.iter().filter(|edge| !edge.label.is_empty() && zoom >= 0.35) {
            let at = projection.screen_from_canvas(edge.label_at);
            if projection.screen.contains(at) {
                paint::edge_label(&painter, at, &edge.label, palette.weak, zoom, palette);
            }
        }
    }
    for (at, node) in flow.nodes.iter().enumerate().filter(|(at, _)| shown(*at)) {
        let Some(sign) = signs.get(&node.id) else { continue };
        let rect = projection.screen_from_canvas_rect(geometry.cards[at]);
        sign_ui(ui, &painter, rect, *sign, (node.title(), at, n), projection);
    }
}

/// A ring around a card and its sign, so that the colour is not needed.
fn sign_ui(
    ui: &Ui,
    painter: &egui::Painter,
    rect: Rect,
    sign: Sign,
    (title, at, n): (&str, usize, usize),
    projection: &Projection,
) {
    let palette = Palette::get(ui);
    let color = color_of(sign, palette);
    let ring = rect.expand(3.0);
    let radius = (f32::from(theme::CARD_RADIUS) * projection.zoom + 3.0).min(18.0);
    painter.rect_stroke(ring, radius, egui::Stroke::new(2.0, color), egui::StrokeKind::Middle);
    let badge = ring.left_top();
    let size = (9.0 * projection.zoom).clamp(5.0, 10.0);
    painter.circle_filled(badge, size, color);
    let stroke = egui::Stroke::new((size * 0.2).max(1.2), palette.card);
    let arm = size * 0.5;
    let bar = |y: f32| painter.line_segment([badge + vec2(-arm, y), badge + vec2(arm, y)], stroke);
    match sign {
        Sign::Added => {
            bar(0.0);
            painter.line_segment([badge - vec2(0.0, arm), badge + vec2(0.0, arm)], stroke);
        }
        Sign::Removed => _ = bar(0.0),
        Sign::Changed => {
            bar(-arm * 0.45);
            bar(arm * 0.45);
        }
    }
    let hit = rect.intersect(projection.screen);
    if hit.is_positive() {
        let said = format!("{}: {title}", word_of(sign));
        let response = ui.interact(hit, Id::unique(("compare sign", n, at)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.clone()));
        response.on_hover_text(said);
    }
}

/// What differs, in words; a click goes there on both sides.
fn list_ui(ui: &mut Ui, compare: &Compare, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let differences = &compare.comparison.differences;
    let count = match differences.len() {
        0 => "No difference".to_owned(),
        1 => "1 difference".to_owned(),
        n => format!("{n} differences"),
    };
    widgets::caption(ui, &count);
    if differences.is_empty() {
        ui.label(RichText::new("Both say the same; positions and order do not count").color(palette.weak));
        return;
    }
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for (n, difference) in differences.iter().enumerate() {
            let color = color_of(difference.sign, palette);
            let words = difference.words();
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
            let said = format!("{}: {words}", word_of(difference.sign));
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, compare.chosen == Some(n), said.clone()));
            if compare.chosen == Some(n) || response.hovered() || response.has_focus() {
                let fill = if compare.chosen == Some(n) { palette.accent_soft } else { palette.hover };
                ui.painter().rect_filled(rect, f32::from(theme::CONTROL_RADIUS), fill);
            }
            let inner = rect.shrink2(vec2(8.0, 0.0));
            let mut row =
                ui.new_child(egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center)));
            let word = RichText::new(word_of(difference.sign)).font(theme::medium(12.0)).color(color);
            row.allocate_ui_with_layout(vec2(62.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(62.0);
                ui.add(Label::new(word).selectable(false));
            });
            row.add(Label::new(&words).truncate().selectable(false));
            if response.on_hover_text(words).clicked() {
                push(out, Act::GoTo(n));
            }
        }
    });
}
