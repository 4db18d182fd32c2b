//! The parts of a mail: the line in an inbox, text, source, links, merge tags, hints.

use egui::{
    Align2, CornerRadius, Frame, Label, Margin, Rect, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, pos2, vec2,
};

use crate::{
    app::{
        Command, Document, mails,
        pages::tags,
        preview::{self, Inbox},
        stage::Made,
    },
    content::{Field, TagState},
    gui::{
        canvas::paint,
        panels::bottom as parts,
        theme::{self, Palette},
        widgets,
    },
};

/// The line of a mail program on a desk, and the card of one on a phone.
pub(super) fn inbox_ui(ui: &mut Ui, made: &Made, inbox: &Inbox, is_email: bool) {
    let palette = Palette::get(ui);
    ScrollArea::vertical().id_salt("inbox").auto_shrink([false, false]).show(ui, |ui| {
        if !is_email {
            Frame::new().fill(palette.accent_soft).corner_radius(14.0).inner_margin(Margin::symmetric(14, 10)).show(
                ui,
                |ui| {
                    ui.set_max_width(300.0);
                    ui.add(Label::new(made.mail.text.trim_end()).wrap());
                },
            );
            return;
        }
        let name = format!("{}: {}, {}", inbox.sender, inbox.subject, inbox.preheader);
        // Side by side where there is room for a line as long as mail programs show it.
        if ui.available_width() >= 860.0 {
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| phone_ui(ui, inbox, &name, "Phone"));
                ui.add_space(16.0);
                ui.vertical(|ui| desktop_ui(ui, inbox, &name, "Desktop"));
            });
        } else {
            desktop_ui(ui, inbox, &name, "Desktop");
            phone_ui(ui, inbox, &name, "Phone");
        }
        if !inbox.address.is_empty() {
            ui.add_space(2.0);
            ui.label(
                RichText::new(format!("From {} <{}>", inbox.sender, inbox.address))
                    .font(theme::regular(11.5))
                    .color(palette.weak),
            );
        }
    });
}

/// The line of a mail program on a desk.
pub(super) fn desktop_ui(ui: &mut Ui, inbox: &Inbox, name: &str, caption: &str) {
    let palette = Palette::get(ui);
    widgets::caption(ui, caption);
    let width = ui.available_width().min(900.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 38.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Inbox on a desktop, {name}")));
    card(ui, rect);
    let sender = if width < 560.0 { 120.0 } else { 170.0 };
    let cells = parts::cells(rect.shrink2(vec2(14.0, 0.0)), &[("", sender), ("", 0.9), ("", 56.0)]);
    let painter = ui.painter();
    parts::text(painter, cells[0], &inbox.sender, theme::semibold(13.0), palette.text);
    let end = parts::text(painter, cells[1], &inbox.subject, theme::semibold(13.0), palette.text);
    let mut rest = cells[1];
    rest.min.x = end.right() + 8.0;
    parts::text(painter, rest, &inbox.preheader, theme::regular(13.0), palette.weak);
    let right = pos2(cells[2].right(), cells[2].center().y);
    painter.text(right, Align2::RIGHT_CENTER, &inbox.time, theme::regular(11.5), palette.weak);
    ui.add_space(4.0);
}

/// The card of a mail program on a phone of 340 points.
pub(super) fn phone_ui(ui: &mut Ui, inbox: &Inbox, name: &str, caption: &str) {
    let palette = Palette::get(ui);
    widgets::caption(ui, caption);
    let (rect, response) = ui.allocate_exact_size(vec2(340.0, 84.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Inbox on a phone, {name}")));
    card(ui, rect);
    let painter = ui.painter();
    let center = rect.left_top() + vec2(32.0, 30.0);
    painter.circle_filled(center, 17.0, palette.accent_soft);
    painter.text(center, Align2::CENTER_CENTER, &inbox.initial, theme::semibold(14.0), palette.accent);
    let line = |n: f32| {
        let top = rect.top() + 9.0 + n * 22.0;
        Rect::from_min_max(pos2(rect.left() + 60.0, top), pos2(rect.right() - 12.0, top + 22.0))
    };
    let time = pos2(rect.right() - 14.0, line(0.0).center().y);
    let time = painter.text(time, Align2::RIGHT_CENTER, &inbox.time, theme::regular(11.5), palette.weak);
    let mut first = line(0.0);
    first.max.x = time.left() - 4.0;
    parts::text(painter, first, &inbox.sender, theme::semibold(13.5), palette.text);
    parts::text(painter, line(1.0), &inbox.subject, theme::medium(13.0), palette.text);
    parts::text(painter, line(2.0), &inbox.preheader, theme::regular(12.5), palette.weak);
}

fn card(ui: &Ui, rect: Rect) {
    let palette = Palette::get(ui);
    let radius = CornerRadius::same(theme::TILE_RADIUS);
    ui.painter().rect(rect, radius, palette.card, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
}

/// The HTML, line by line: only what is in sight is laid out.
pub(super) fn source_ui(ui: &mut Ui, made: &Made) {
    let palette = Palette::get(ui);
    let html = &made.mail.html;
    let begins: Vec<usize> = std::iter::once(0).chain(html.match_indices('\n').map(|(at, _)| at + 1)).collect();
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::both().id_salt("source").auto_shrink([false, false]);
    area.show_rows(ui, 18.0, begins.len(), |ui, range| {
        for n in range {
            let end = begins.get(n + 1).map_or(html.len(), |next| next - 1);
            let line = html.get(begins[n]..end).unwrap_or("");
            ui.horizontal(|ui| {
                ui.set_height(18.0);
                let (rect, _) = ui.allocate_exact_size(vec2(34.0, 18.0), Sense::hover());
                let right = rect.right_center() - vec2(4.0, 0.0);
                let number = (n + 1).to_string();
                ui.painter().text(right, Align2::RIGHT_CENTER, number, theme::regular(11.5), palette.weak);
                let words = RichText::new(line.replace('\t', "  ")).monospace();
                ui.add(Label::new(words).wrap_mode(egui::TextWrapMode::Extend));
            });
        }
    });
}

/// Merge tags with state and value.
pub(super) fn tags_ui(ui: &mut Ui, document: &Document, made: &Made, out: &mut Vec<Command>) {
    let palette = Palette::get(ui);
    let rows = preview::tags(document.flow(), made);
    if rows.is_empty() {
        parts::nothing(ui, "This mail has no merge tags");
        return;
    }
    let columns = [("Tag", 0.25), ("Field", 0.25), ("State", 84.0), ("Value", 0.3), ("Fallback", 0.2)];
    ui.spacing_mut().item_spacing.y = 0.0;
    parts::header(ui, &columns);
    let area = ScrollArea::vertical().id_salt("tags").auto_shrink([false, false]);
    area.show_rows(ui, parts::ROW, rows.len(), |ui, range| {
        for tag in &rows[range] {
            let (rect, response) =
                parts::row(ui, &format!("{}: {}, {}", tag.name, tag.state.name(), tag.value), false, false);
            let cells = parts::cells(rect, &columns);
            let (ink, fill) = match tag.state {
                TagState::Value => (palette.good, palette.good_soft),
                TagState::Fallback => (palette.warning, palette.warning_soft),
                TagState::Missing => (palette.error, palette.error_soft),
            };
            let painter = ui.painter();
            parts::text(painter, cells[0], &format!("{{{}}}", tag.name), theme::medium(12.5), palette.text);
            parts::text(painter, cells[1], &tag.title, theme::regular(12.5), palette.weak);
            let pill = Rect::from_min_size(cells[2].left_center() - vec2(0.0, 9.0), vec2(66.0, 18.0));
            painter.rect_filled(pill, 9.0, fill);
            painter.text(pill.center(), Align2::CENTER_CENTER, tag.state.name(), theme::medium(11.0), ink);
            let value = if tag.state == TagState::Missing { "the mail would be held" } else { &tag.value };
            let ink = if tag.state == TagState::Missing { palette.error } else { palette.text };
            parts::text(painter, cells[3], value, theme::regular(12.5), ink);
            response.on_hover_text(value);
            if let Some(field) = document.flow().field(&tag.name) {
                fallback_ui(ui, document, field, cells[4], out);
            }
        }
    });
}

/// What stands in for a missing value, to be typed at its row.
fn fallback_ui(ui: &mut Ui, document: &Document, field: &Field, cell: Rect, out: &mut Vec<Command>) {
    let mut text = field.fallback.clone().unwrap_or_default();
    let hint = if field.fallback.is_some() { "prints nothing" } else { "none: held" };
    let edit = TextEdit::singleline(&mut text)
        .id_salt(("fallback", field.name.as_str()))
        .hint_text(hint)
        .font(egui::FontSelection::FontId(theme::regular(12.5)))
        .margin(Margin::symmetric(6, 2))
        .align(Align2::LEFT_CENTER)
        .desired_width(cell.width());
    // No higher than its row.
    ui.spacing_mut().interact_size.y = cell.height() - 6.0;
    let response = ui.put(cell.shrink2(vec2(0.0, 3.0)), edit).accessible_name(format!("Fallback of {}", field.name));
    if response.changed()
        && let Ok(ready) = tags::type_fallback(document.flow(), &field.name, &text)
    {
        out.push(ready.command());
    }
}

/// What reading the mail found.
pub(super) fn hints_ui(ui: &mut Ui, made: &Made) {
    let palette = Palette::get(ui);
    if made.lints.is_empty() {
        parts::nothing(ui, "Nothing to say about this mail");
        return;
    }
    let area = ScrollArea::vertical().id_salt("hints").auto_shrink([false, false]);
    area.show(ui, |ui| {
        for found in &made.lints {
            ui.horizontal_top(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                paint::mark(ui.painter(), rect.center(), found.severity, 15.0, palette);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.add(Label::new(&found.message).wrap());
                    if !found.hint.is_empty() {
                        let hint = RichText::new(&found.hint).font(theme::regular(11.5)).color(palette.weak);
                        ui.add(Label::new(hint).wrap());
                    }
                });
            });
        }
    });
}

/// Every link with its words and its target.
pub(super) fn links_ui(ui: &mut Ui, made: &Made) {
    let palette = Palette::get(ui);
    let rows = mails::pictures::links(made);
    if rows.is_empty() {
        parts::nothing(ui, "This mail has no links");
        return;
    }
    let columns = [("Link", 0.35), ("Target", 0.65)];
    ui.spacing_mut().item_spacing.y = 0.0;
    parts::header(ui, &columns);
    let area = ScrollArea::vertical().id_salt("links").auto_shrink([false, false]);
    area.show_rows(ui, parts::ROW, rows.len(), |ui, range| {
        for link in &rows[range] {
            let (rect, response) = parts::row(ui, &format!("{}: {}", link.words, link.target), false, false);
            let cells = parts::cells(rect, &columns);
            let painter = ui.painter();
            parts::text(painter, cells[0], &link.words, theme::medium(12.5), palette.text);
            let target = if link.is_of_recipient { "made for each recipient" } else { &link.target };
            parts::text(painter, cells[1], target, theme::regular(12.5), palette.weak);
            response.on_hover_text(&link.target);
        }
    });
}
